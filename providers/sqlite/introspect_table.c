/* introspect_table.c -- one table as a logical struct: the pragmas say what SQLite understood, the text of the definition
 * adds what they leave out, and both must agree on the number of foreign keys. */
#include <stdlib.h>
#include <string.h>

#include "providers/sqlite/internal.h"

struct reader {
    struct sp_session *s;
    struct sp_arena *a;
    const char *ns, *physical;
    struct sq_parsed parsed;
    struct sp_table *out;
};

static const char *strip(const struct reader *r, const char *name)
{
    size_t n = r->ns == NULL ? 0 : strlen(r->ns);
    return n > 0 && strncmp(name, r->ns, n) == 0 && strncmp(name + n, "__", 2) == 0 ? name + n + 2 : name;
}

static const struct sq_parsed_column *parsed_column(const struct reader *r, const char *name)
{
    for (size_t i = 0; i < r->parsed.ncolumns; i++)
        if (sqlite3_stricmp(r->parsed.columns[i].name, name) == 0)
            return &r->parsed.columns[i];
    return NULL;
}

static int open_pragma(
    struct reader *r, const char *sql, const char *arg, sqlite3_stmt **st, struct sp_error *err)
{
    int ret = sq_prepare(r->s, sql, st, err);
    if (ret == 0)
        sqlite3_bind_text(*st, 1, arg, -1, SQLITE_TRANSIENT);
    return ret;
}

static int close_pragma(struct reader *r, sqlite3_stmt *st, int rc, int ret, struct sp_error *err)
{
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(r->s, rc, r->physical, err);
    sqlite3_finalize(st);
    return ret;
}

static char *text(struct reader *r, sqlite3_stmt *st, int i)
{
    const char *s = (const char *)sqlite3_column_text(st, i);
    return s == NULL ? NULL : sp_arena_str(r->a, s);
}

/* ---- columns ---- */

static void column_type(const struct reader *r, struct sp_column *c, bool alias)
{
    struct sp_type t;
    bool ours = sq_type_ours(c->native_type, &t);
    if (alias) {
        c->type = (struct sp_type){ .tag = SP_INT, .int_bits = 64 };
        return;
    }
    if (r->parsed.strict) {
        bool integer = sqlite3_stricmp(c->native_type, "INT") == 0 || (ours && t.tag == SP_INT);
        if (integer)
            c->type = (struct sp_type){ .tag = SP_INT, .int_bits = 64 };
        else if (ours)
            c->type = t; /* REAL, TEXT, BLOB; ANY stays dynamic */
        return;
    }
    if (r->parsed.ours) {
        if (ours)
            c->type = t;
        return;
    }
    sq_type_parse(c->native_type, &c->declared);
}

/* Which columns of the key, in key order; `pos` from 1. */
static int add_pk(
    struct reader *r, const char *name, int pos, const char **pk, size_t ncolumns, struct sp_error *err)
{
    if (pos < 1 || (size_t)pos > ncolumns)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "%s: bad key position", r->physical);
    pk[pos - 1] = name;
    if ((size_t)pos > r->out->npk)
        r->out->npk = (size_t)pos;
    return 0;
}

static void finish_columns(struct reader *r, struct sp_column *columns, bool *autoincrement)
{
    struct sp_table *t = r->out;
    for (size_t i = 0; i < t->ncolumns; i++) {
        struct sp_column *c = &columns[i];
        const struct sq_parsed_column *p = parsed_column(r, c->name);
        bool pk = sp_table_is_pk(t, c->name);
        bool alias = pk && t->npk == 1 && !t->without_rowid &&
                     sqlite3_stricmp(c->native_type, "INTEGER") == 0 && (p == NULL || !p->pk_desc);
        c->identity = alias;
        if (alias || (pk && t->without_rowid)) /* SQLite lets no null in, though no NOT NULL stands there */
            c->not_null = true;
        if (p != NULL) {
            c->collation =
                p->collation != NULL && sqlite3_stricmp(p->collation, "BINARY") != 0 ? p->collation : NULL;
            c->generated = p->generated;
            *autoincrement = *autoincrement || p->autoincrement;
        }
        column_type(r, c, alias);
    }
}

static int read_columns(struct reader *r, bool *autoincrement, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    struct sp_column *v = NULL;
    size_t cap = 0;
    int rc = SQLITE_DONE, ret = open_pragma(r,
                              "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM "
                              "pragma_table_xinfo(?1) WHERE hidden <> 1 "
                              "ORDER BY cid",
                              r->physical, &st, err);
    const char **pk = sp_arena_array(r->a, 2001, sizeof *pk);
    if (ret == 0 && pk == NULL)
        ret = sp_nomem(err);
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        v = sp_arena_grow(r->a, v, &cap, r->out->ncolumns + 1, sizeof *v);
        if (v == NULL) {
            ret = sp_nomem(err);
            break;
        }
        struct sp_column *c = &v[r->out->ncolumns++];
        memset(c, 0, sizeof *c);
        c->name = text(r, st, 0);
        c->native_type = text(r, st, 1);
        c->not_null = sqlite3_column_int(st, 2) != 0;
        c->default_expr = text(r, st, 3);
        if (c->name == NULL || c->native_type == NULL)
            ret = sp_nomem(err);
        else if (sqlite3_column_int(st, 4) > 0)
            ret = add_pk(r, c->name, sqlite3_column_int(st, 4), pk, 2000, err);
    }
    ret = close_pragma(r, st, rc, ret, err);
    r->out->columns = v;
    r->out->pk = pk;
    if (ret == 0)
        finish_columns(r, v, autoincrement);
    return ret;
}

/* ---- constraints that the text gives ---- */

static const char *true_name(const struct reader *r, const char *name)
{
    for (size_t i = 0; i < r->out->ncolumns; i++)
        if (sqlite3_stricmp(r->out->columns[i].name, name) == 0)
            return r->out->columns[i].name;
    return name;
}

static const char *const *true_names(struct reader *r, const char *const *v, size_t n)
{
    const char **out = sp_arena_array(r->a, n, sizeof *out);
    for (size_t i = 0; out != NULL && i < n; i++)
        out[i] = true_name(r, v[i]);
    return out;
}

static bool strict_check(const struct sp_check *c)
{
    return c->name != NULL && sp_str_prefix(c->name, SQ_STRICT_NAME);
}

/* Strict means that SQLite enforces it: the keyword, or our own check on every typed column. */
static void read_checks(struct reader *r)
{
    size_t have = 0, want = 0, n = 0;
    struct sq_parsed *p = &r->parsed;
    for (size_t i = 0; i < p->nchecks; i++)
        have += strict_check(&p->checks[i]) ? 1 : 0;
    for (size_t i = 0; i < r->out->ncolumns; i++)
        want += r->out->columns[i].type.tag != SP_MISSING && !r->out->columns[i].identity ? 1 : 0;
    bool ours = p->ours_strict && have == want;
    r->out->strict = p->strict || ours;
    for (size_t i = 0; i < p->nchecks; i++)
        if (!ours || !strict_check(&p->checks[i]))
            p->checks[n++] = p->checks[i];
    r->out->checks = p->checks;
    r->out->nchecks = n;
}

/* Columns that a reference without a column list means: the parent's key. */
static int parent_key(struct reader *r, struct sp_fk *fk, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    const char **v = sp_arena_array(r->a, fk->ncolumns, sizeof *v);
    size_t n = 0;
    int rc = SQLITE_DONE,
        ret = open_pragma(
            r, "SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk", fk->ref_table, &st, err);
    if (ret == 0 && v == NULL)
        ret = sp_nomem(err);
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW && n < fk->ncolumns)
        if ((v[n++] = text(r, st, 0)) == NULL)
            ret = sp_nomem(err);
    if (rc == SQLITE_ROW)
        rc = SQLITE_DONE;
    ret = close_pragma(r, st, rc, ret, err);
    fk->ref_columns = n == fk->ncolumns ? v : fk->columns; /* no such parent: nothing better to say */
    return ret;
}

static int parent_names(struct reader *r, struct sp_fk *fk, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int ret =
        open_pragma(r, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
            fk->ref_table, &st, err);
    if (ret != 0)
        return ret;
    if (sqlite3_step(st) == SQLITE_ROW)
        fk->ref_table = text(r, st, 0);
    sqlite3_finalize(st);
    if (fk->ref_table == NULL)
        return sp_nomem(err);
    return fk->ref_columns == NULL ? parent_key(r, fk, err) : 0;
}

static int read_fks(struct reader *r, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    int ret =
        open_pragma(r, "SELECT count(DISTINCT id) FROM pragma_foreign_key_list(?1)", r->physical, &st, err);
    if (ret == 0 && sqlite3_step(st) == SQLITE_ROW)
        n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    if (ret == 0 && n != (int64_t)r->parsed.nfks)
        ret = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "table %s: SQLite sees %lld foreign keys, its definition was read as %zu", r->physical,
            (long long)n, r->parsed.nfks);
    for (size_t i = 0; ret == 0 && i < r->parsed.nfks; i++) {
        struct sp_fk *fk = &r->parsed.fks[i];
        fk->columns = true_names(r, fk->columns, fk->ncolumns);
        ret = fk->columns == NULL ? sp_nomem(err) : parent_names(r, fk, err);
        if (ret == 0)
            fk->ref_table = strip(r, fk->ref_table);
    }
    r->out->fks = r->parsed.fks;
    r->out->nfks = r->parsed.nfks;
    return ret;
}

/* ---- indexes and unique constraints ---- */

/* Columns of an index; an expression or a foreign collation comes as text in parentheses. */
static int index_columns(struct reader *r, const char *index, const struct sq_parsed_index *parsed,
    const char *const **out, size_t *n, bool *descending, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    const char **v = NULL;
    size_t cap = 0;
    int rc = SQLITE_DONE,
        ret =
            open_pragma(r, "SELECT name, desc, coll FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno",
                index, &st, err);
    *n = 0;
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        v = sp_arena_grow(r->a, v, &cap, *n + 1, sizeof *v);
        if (v == NULL) {
            ret = sp_nomem(err);
            break;
        }
        const char *name = text(r, st, 0), *coll = (const char *)sqlite3_column_text(st, 2);
        const struct sp_column *c = name == NULL ? NULL : sp_table_column(r->out, name);
        const char *own = c != NULL && c->collation != NULL ? c->collation : "BINARY";
        bool plain = c != NULL && (coll == NULL || sqlite3_stricmp(coll, own) == 0);
        if (!plain && parsed != NULL && *n < parsed->ncolumns)
            name = sp_arena_printf(r->a, "(%s)", parsed->columns[*n]);
        v[*n] = name;
        *descending = *descending || sqlite3_column_int(st, 1) != 0;
        if (v[(*n)++] == NULL)
            ret = sp_nomem(err);
    }
    *out = v;
    return close_pragma(r, st, rc, ret, err);
}

static bool same_names(const char *const *a, const char *const *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (sqlite3_stricmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static int add_unique(struct reader *r, const char *index, size_t *cap, struct sp_error *err)
{
    struct sp_unique *v =
        sp_arena_grow(r->a, (void *)(uintptr_t)r->out->uniques, cap, r->out->nuniques + 1, sizeof *v);
    struct sp_unique u = { .name = NULL };
    bool descending = false;
    if (v == NULL)
        return sp_nomem(err);
    int ret = index_columns(r, index, NULL, &u.columns, &u.ncolumns, &descending, err);
    for (size_t i = 0; ret == 0 && i < r->parsed.nuniques; i++)
        if (u.name == NULL && r->parsed.uniques[i].ncolumns == u.ncolumns &&
            same_names(u.columns, r->parsed.uniques[i].columns, u.ncolumns))
            u.name = r->parsed.uniques[i].name;
    v[r->out->nuniques++] = u;
    r->out->uniques = v;
    return ret;
}

static int add_index(struct reader *r, const char *index, bool unique, const char *sql, struct sp_buf *native,
    size_t *cap, struct sp_error *err)
{
    struct sp_index *v =
        sp_arena_grow(r->a, (void *)(uintptr_t)r->out->indexes, cap, r->out->nindexes + 1, sizeof *v);
    struct sp_index ix = { .name = strip(r, index), .unique = unique };
    struct sq_parsed_index parsed;
    if (v == NULL)
        return sp_nomem(err);
    int ret = sq_parse_index(r->a, sql, &parsed, err);
    if (ret == 0)
        ret = index_columns(r, index, &parsed, &ix.columns, &ix.ncolumns, &ix.descending_any, err);
    ix.where = parsed.where;
    sp_buf_printf(native, SQ_VERBATIM_SEP "%s", sql);
    v[r->out->nindexes++] = ix;
    r->out->indexes = v;
    return ret;
}

static int read_indexes(struct reader *r, struct sp_buf *native, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    size_t ucap = 0, icap = 0;
    int rc = SQLITE_DONE, ret = open_pragma(r,
                              "SELECT l.name, l.\"unique\", l.origin, m.sql FROM pragma_index_list(?1) l "
                              "LEFT JOIN sqlite_schema m "
                              "ON m.type = 'index' AND m.name = l.name WHERE l.origin <> 'pk' "
                              "ORDER BY l.origin, CASE l.origin WHEN 'u' THEN -l.seq END, l.name",
                              r->physical, &st, err);
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        const char *name = text(r, st, 0), *sql = (const char *)sqlite3_column_text(st, 3);
        if (name == NULL)
            ret = sp_nomem(err);
        else if (sqlite3_column_text(st, 2)[0] == 'u')
            ret = add_unique(r, name, &ucap, err);
        else if (sql != NULL)
            ret = add_index(r, name, sqlite3_column_int(st, 1) != 0, sql, native, &icap, err);
    }
    return close_pragma(r, st, rc, ret, err);
}

int sq_introspect_table(struct sp_session *s, struct sp_arena *a, const char *ns, const char *physical,
    const char *sql, struct sp_table *out, bool *autoincrement, struct sp_error *err)
{
    struct reader r = { .s = s, .a = a, .ns = ns, .physical = physical, .out = out };
    struct sp_buf native = SP_BUF_INIT;
    memset(out, 0, sizeof *out);
    int ret = sq_parse_table(a, sql, &r.parsed, err);
    if (ret != 0)
        return ret;
    out->name = strip(&r, physical);
    out->ns = ns;
    out->without_rowid = r.parsed.without_rowid;
    ret = read_columns(&r, autoincrement, err);
    if (ret == 0) {
        read_checks(&r);
        ret = read_fks(&r, err);
    }
    sp_buf_puts(&native, sql);
    if (ret == 0)
        ret = read_indexes(&r, &native, err);
    if (ret == 0) {
        out->native_kind = "sqlite";
        out->native_definition = native.oom ? NULL : sp_arena_strn(a, native.p, native.n);
        if (out->native_definition == NULL)
            ret = sp_nomem(err);
    }
    sp_buf_free(&native);
    return ret;
}
