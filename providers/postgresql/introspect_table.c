/* introspect_table.c -- keys, constraints and indexes of all tables of a schema, each asked for once: a row per column,
 * those of one object behind each other. */
#include <stdlib.h>
#include <string.h>

#include "providers/postgresql/internal.h"

static bool yes(const PGresult *r, int row, int col)
{
    return *PQgetvalue(r, row, col) == 't';
}

/* Appends to an array of the schema's arena whose length only the table knows. */
static void *append(struct po_walk *w, const void *array, size_t n, size_t size)
{
    /* Doubling: room is there while n is no power of two. */
    if (n > 0 && (n & (n - 1)) != 0)
        return (void *)(uintptr_t)array;
    void *more = sp_arena_array(&w->schema->arena, n == 0 ? 1 : n * 2, size);
    if (more != NULL && n > 0)
        memcpy(more, array, n * size);
    return more;
}

/* Rows first .. last-1 of one object: the names in a column of the answer. */
static const char *const *names(struct po_walk *w, const PGresult *r, int first, int last, int col)
{
    const char **v = sp_arena_array(&w->schema->arena, (size_t)(last - first) + 1, sizeof *v);
    for (int i = first; v != NULL && i < last; i++)
        if ((v[i - first] = sp_arena_str(&w->schema->arena, PQgetvalue(r, i, col))) == NULL)
            return NULL;
    return v;
}

static int group_end(const PGresult *r, int first)
{
    int last = first + 1;
    while (last < PQntuples(r) && strcmp(PQgetvalue(r, last, 0), PQgetvalue(r, first, 0)) == 0)
        last++;
    return last;
}

/* ---- constraints ---- */

enum {
    C_OID,
    C_TABLE,
    C_NAME,
    C_TYPE,
    C_COLUMN,
    C_REF,
    C_REF_COLUMN,
    C_DELETE,
    C_UPDATE,
    C_DEFERRABLE,
    C_DEFERRED,
    C_VALID,
    C_EXPR,
    C_NULLS_EQUAL
};

static enum sp_fk_action action(const char *letter)
{
    switch (*letter) {
    case 'r':
        return SP_FK_RESTRICT;
    case 'c':
        return SP_FK_CASCADE;
    case 'n':
        return SP_FK_SET_NULL;
    case 'd':
        return SP_FK_SET_DEFAULT;
    default:
        return SP_FK_NO_ACTION;
    }
}

static int add_fk(struct po_walk *w, struct sp_table *t, const PGresult *r, int first, int last)
{
    struct sp_arena *a = &w->schema->arena;
    struct sp_fk *v = append(w, t->fks, t->nfks, sizeof *v);
    if (v == NULL)
        return -SP_E_NOMEM;
    struct sp_fk *fk = &v[t->nfks++];
    t->fks = v;
    memset(fk, 0, sizeof *fk);
    fk->name = sp_arena_str(a, PQgetvalue(r, first, C_NAME));
    fk->columns = names(w, r, first, last, C_COLUMN);
    fk->ncolumns = (size_t)(last - first);
    fk->ref_table = sp_arena_str(a, PQgetvalue(r, first, C_REF));
    fk->ref_columns = names(w, r, first, last, C_REF_COLUMN);
    fk->on_delete = action(PQgetvalue(r, first, C_DELETE));
    fk->on_update = action(PQgetvalue(r, first, C_UPDATE));
    fk->deferrable = yes(r, first, C_DEFERRABLE);
    fk->initially_deferred = yes(r, first, C_DEFERRED);
    fk->not_valid = !yes(r, first, C_VALID);
    return fk->name == NULL || fk->columns == NULL || fk->ref_table == NULL || fk->ref_columns == NULL
               ? -SP_E_NOMEM
               : 0;
}

static int add_unique(struct po_walk *w, struct sp_table *t, const PGresult *r, int first, int last)
{
    struct sp_unique *v = append(w, t->uniques, t->nuniques, sizeof *v);
    if (v == NULL)
        return -SP_E_NOMEM;
    struct sp_unique *u = &v[t->nuniques++];
    t->uniques = v;
    *u = (struct sp_unique){ .name = sp_arena_str(&w->schema->arena, PQgetvalue(r, first, C_NAME)),
        .columns = names(w, r, first, last, C_COLUMN),
        .ncolumns = (size_t)(last - first),
        .nulls_equal = yes(r, first, C_NULLS_EQUAL) };
    return u->name == NULL || u->columns == NULL ? -SP_E_NOMEM : 0;
}

static int add_check(struct po_walk *w, struct sp_table *t, const PGresult *r, int first)
{
    struct sp_arena *a = &w->schema->arena;
    struct sp_check *v = append(w, t->checks, t->nchecks, sizeof *v);
    if (v == NULL)
        return -SP_E_NOMEM;
    struct sp_check *c = &v[t->nchecks++];
    t->checks = v;
    c->name = sp_arena_str(a, PQgetvalue(r, first, C_NAME));
    c->expr =
        sp_arena_printf(a, "%s%s", PQgetvalue(r, first, C_EXPR), yes(r, first, C_VALID) ? "" : PO_NOT_VALID);
    return c->name == NULL || c->expr == NULL ? -SP_E_NOMEM : 0;
}

static int add_constraint(struct po_walk *w, struct sp_table *t, const PGresult *r, int first, int last)
{
    switch (*PQgetvalue(r, first, C_TYPE)) {
    case 'p':
        t->pk = names(w, r, first, last, C_COLUMN);
        t->npk = (size_t)(last - first);
        return t->pk == NULL ? -SP_E_NOMEM : 0;
    case 'u':
        return add_unique(w, t, r, first, last);
    case 'f':
        return add_fk(w, t, r, first, last);
    default:
        return add_check(w, t, r, first);
    }
}

int po_introspect_constraints(struct po_walk *w, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    sp_buf_printf(&b,
        "SELECT k.oid, c.relname, k.conname, k.contype, a.attname, p.relname, x.attname, "
        "k.confdeltype, k.confupdtype, k.condeferrable, k.condeferred, k.convalidated, "
        "CASE WHEN starts_with(obj_description(k.oid, 'pg_constraint'), '" PO_WORDS
        "' || md5(pg_get_expr(k.conbin, k.conrelid)) || ' ') THEN substr(obj_description(k.oid, "
        "'pg_constraint'), 47) ELSE pg_get_expr(k.conbin, k.conrelid) END, %s "
        "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = "
        "c.relnamespace "
        "LEFT JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS u(col, ref, at) ON k.contype <> "
        "'c' "
        "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.col "
        "LEFT JOIN pg_class p ON p.oid = k.confrelid  "
        "LEFT JOIN pg_attribute x ON x.attrelid = k.confrelid AND x.attnum = u.ref "
        "LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype = 'u' "
        "WHERE k.contype IN ('p', 'u', 'f', 'c') AND k.conparentid = 0 AND (k.contype <> 'f' OR "
        "p.relnamespace = "
        "c.relnamespace) AND NOT (k.contype = 'c' AND "
        "k.conname LIKE "
        "'sp\\_type\\_%%') AND n.nspname = ",
        w->s->version >= 150000 ? "coalesce(i.indnullsnotdistinct, false)" : "false");
    po_put_literal(&b, w->ns == NULL ? w->s->default_ns : w->ns);
    sp_buf_puts(&b, " ORDER BY c.relname COLLATE \"C\", k.conname COLLATE \"C\", k.oid, u.at");
    int ret = b.oom ? sp_nomem(err) : po_exec(w->s, b.p, &r, err);
    sp_buf_free(&b);
    for (int i = 0, end; ret == 0 && i < PQntuples(r); i = end) {
        end = group_end(r, i);
        struct sp_table *t = po_walk_table(w, PQgetvalue(r, i, C_TABLE));
        if (t != NULL && add_constraint(w, t, r, i, end) != 0)
            ret = sp_nomem(err);
    }
    PQclear(r);
    return ret;
}

/* ---- indexes ---- */

enum { I_OID, I_TABLE, I_NAME, I_UNIQUE, I_VALID, I_METHOD, I_WHERE, I_COLUMN, I_EXPR, I_DESC };

static int add_index(struct po_walk *w, struct sp_table *t, const PGresult *r, int first, int last)
{
    struct sp_arena *a = &w->schema->arena;
    struct sp_index *v = append(w, t->indexes, t->nindexes, sizeof *v);
    const char **columns = sp_arena_array(a, (size_t)(last - first) + 1, sizeof *columns);
    if (v == NULL || columns == NULL)
        return -SP_E_NOMEM;
    struct sp_index *ix = &v[t->nindexes++];
    t->indexes = v;
    memset(ix, 0, sizeof *ix);
    ix->name = sp_arena_str(a, PQgetvalue(r, first, I_NAME));
    ix->unique = yes(r, first, I_UNIQUE);
    ix->invalid = !yes(r, first, I_VALID);
    const char *method = PQgetvalue(r, first, I_METHOD);
    ix->method = strcmp(method, "btree") == 0 ? NULL : sp_arena_str(a, method);
    ix->where = sp_arena_str(a, po_text_at(r, first, I_WHERE));
    ix->columns = columns;
    ix->ncolumns = (size_t)(last - first);
    for (int i = first; i < last; i++) {
        const char *name = po_text_at(r, i, I_COLUMN);
        columns[i - first] =
            name != NULL ? sp_arena_str(a, name) : sp_arena_printf(a, "(%s)", PQgetvalue(r, i, I_EXPR));
        ix->descending_any = ix->descending_any || yes(r, i, I_DESC);
        if (columns[i - first] == NULL)
            return -SP_E_NOMEM;
    }
    return ix->name == NULL ? -SP_E_NOMEM : 0;
}

int po_introspect_indexes(struct po_walk *w, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    sp_buf_puts(&b,
        "SELECT i.indexrelid, c.relname, x.relname, i.indisunique, i.indisvalid AND i.indisready, m.amname, "
        "CASE WHEN starts_with(obj_description(i.indexrelid, 'pg_class'), '" PO_WORDS
        "' || md5(pg_get_expr(i.indpred, i.indrelid)) || ' ') THEN substr(obj_description(i.indexrelid, "
        "'pg_class'), 47) ELSE pg_get_expr(i.indpred, i.indrelid) END, a.attname, "
        "CASE WHEN a.attname IS NULL THEN pg_get_indexdef(i.indexrelid, u.at::int, true) END, "
        "(i.indoption[u.at - 1] & 1) = 1 "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid "
        "JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_am m ON m.oid = x.relam "
        "CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS u(col, at) "
        "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.col AND u.col > 0 "
        "WHERE u.at <= i.indnkeyatts AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = "
        "i.indexrelid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')) AND n.nspname = ");
    po_put_literal(&b, w->ns == NULL ? w->s->default_ns : w->ns);
    sp_buf_puts(&b, " ORDER BY c.relname COLLATE \"C\", x.relname COLLATE \"C\", u.at");
    int ret = b.oom ? sp_nomem(err) : po_exec(w->s, b.p, &r, err);
    sp_buf_free(&b);
    for (int i = 0, end; ret == 0 && i < PQntuples(r); i = end) {
        end = group_end(r, i);
        struct sp_table *t = po_walk_table(w, PQgetvalue(r, i, I_TABLE));
        if (t != NULL && add_index(w, t, r, i, end) != 0)
            ret = sp_nomem(err);
    }
    PQclear(r);
    return ret;
}
