/* ddl.c -- tables from the logical schema. SQLite can add no constraint to a table that exists, so CREATE TABLE has them
 * all and only indexes wait for table_finish(). A comment in the text marks the type names as ours: SQLite keeps it. */
#include <stdlib.h>
#include <string.h>

#include "providers/sqlite/internal.h"

void sq_put_name(struct sp_buf *out, const char *name)
{
    sp_buf_putc(out, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            sp_buf_putc(out, '"');
        sp_buf_putc(out, *name);
    }
    sp_buf_putc(out, '"');
}

static void put_names(struct sp_buf *b, const char *const *v, size_t n)
{
    sp_buf_putc(b, '(');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            sp_buf_puts(b, ", ");
        sq_put_name(b, v[i]);
    }
    sp_buf_putc(b, ')');
}

static void put_constraint(struct sp_buf *b, const char *name)
{
    sp_buf_puts(b, ",\n  ");
    if (name != NULL && *name != '\0') {
        sp_buf_puts(b, "CONSTRAINT ");
        sq_put_name(b, name);
        sp_buf_putc(b, ' ');
    }
}

static bool known_collation(const char *name)
{
    return name != NULL && (sqlite3_stricmp(name, "BINARY") == 0 || sqlite3_stricmp(name, "NOCASE") == 0 ||
                               sqlite3_stricmp(name, "RTRIM") == 0);
}

static int put_column(
    struct sp_buf *b, const struct sp_table *t, const struct sp_column *c, struct sp_error *err)
{
    bool pk = sp_table_is_pk(t, c->name);
    if (c->identity && !(pk && t->npk == 1))
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "%s.%s: SQLite draws values only for a primary key of one column", t->name, c->name);
    sq_put_name(b, c->name);
    sp_buf_putc(b, ' ');
    int ret = sq_type_declare(b, &c->type, c->identity, err);
    if (ret != 0)
        return ret;
    if (c->identity)
        sp_buf_puts(b, " PRIMARY KEY AUTOINCREMENT");
    if (c->not_null || pk) /* without it SQLite lets nulls into primary keys */
        sp_buf_puts(b, " NOT NULL");
    if (c->generated != NULL)
        sp_buf_printf(b, " GENERATED ALWAYS AS (%s) STORED", c->generated);
    else if (c->default_expr != NULL)
        sp_buf_printf(b, " DEFAULT (%s)", c->default_expr);
    if (known_collation(c->collation))
        sp_buf_printf(b, " COLLATE %s", c->collation);
    return 0;
}

/* The check that makes a declared type hold. */
static void put_type_check(struct sp_buf *b, const struct sp_column *c, size_t number)
{
    static const struct {
        uint8_t bits;
        const char *range;
    } ranges[] = { { 8, "-128 AND 127" }, { 16, "-32768 AND 32767" }, { 32, "-2147483648 AND 2147483647" } };
    struct sp_buf name = SP_BUF_INIT;
    const char *class = c->type.tag == SP_BOOL || c->type.tag == SP_INT  ? "integer"
                        : c->type.tag == SP_F32 || c->type.tag == SP_F64 ? "real"
                        : c->type.tag == SP_BYTES                        ? "blob"
                                                                         : "text";
    sq_put_name(&name, c->name);
    sp_buf_printf(b, ",\n  CONSTRAINT " SQ_STRICT_NAME "%zu CHECK (typeof(%s) IN ('%s', 'null')", number,
        name.p == NULL ? "" : name.p, class);
    if (c->type.tag == SP_BOOL)
        sp_buf_printf(b, " AND coalesce(%s, 0) IN (0, 1)", name.p);
    for (size_t i = 0; c->type.tag == SP_INT && i < SP_LEN(ranges); i++)
        if (ranges[i].bits == c->type.int_bits)
            sp_buf_printf(b, " AND coalesce(%s, 0) BETWEEN %s", name.p, ranges[i].range);
    if ((c->type.tag == SP_TEXT || c->type.tag == SP_BYTES) && c->type.length > 0)
        sp_buf_printf(b, " AND coalesce(length(%s), 0) <= %u", name.p, c->type.length);
    sp_buf_putc(b, ')');
    b->oom = b->oom || name.oom;
    sp_buf_free(&name);
}

static void put_fk(struct sp_buf *b, struct sp_session *s, const struct sp_table *t, const struct sp_fk *fk)
{
    static const char *const actions[] = { "NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT" };
    char *ref = NULL;
    put_constraint(b, fk->name);
    sp_buf_puts(b, "FOREIGN KEY ");
    put_names(b, fk->columns, fk->ncolumns);
    sp_buf_puts(b, " REFERENCES ");
    if (sq_physical(s, t->ns, fk->ref_table, &ref, NULL) != 0)
        b->oom = true;
    else
        sq_put_name(b, ref);
    free(ref);
    if (fk->ref_columns != NULL)
        put_names(b, fk->ref_columns, fk->ncolumns);
    sp_buf_printf(b, " ON DELETE %s ON UPDATE %s", actions[fk->on_delete], actions[fk->on_update]);
    if (fk->deferrable)
        sp_buf_printf(b, " DEFERRABLE INITIALLY %s", fk->initially_deferred ? "DEFERRED" : "IMMEDIATE");
}

static int render_table(struct sp_session *s, const struct sp_table *t, const char *physical,
    struct sp_buf *b, struct sp_error *err)
{
    bool identity = false;
    sp_buf_puts(b, "CREATE TABLE ");
    sq_put_name(b, physical);
    sp_buf_printf(b, " ( " SQ_MARK "%s\n  ", t->strict ? " " SQ_MARK_STRICT : "");
    for (size_t i = 0; i < t->ncolumns; i++) {
        if (i > 0)
            sp_buf_puts(b, ",\n  ");
        identity = identity || t->columns[i].identity;
        int ret = put_column(b, t, &t->columns[i], err);
        if (ret != 0)
            return ret;
    }
    if (t->npk > 0 && !identity) {
        sp_buf_puts(b, ",\n  PRIMARY KEY ");
        put_names(b, t->pk, t->npk);
    }
    for (size_t i = 0; i < t->nuniques; i++) {
        put_constraint(b, t->uniques[i].name);
        sp_buf_puts(b, "UNIQUE ");
        put_names(b, t->uniques[i].columns, t->uniques[i].ncolumns);
    }
    for (size_t i = 0; i < t->nchecks; i++) {
        put_constraint(b, t->checks[i].name);
        sp_buf_printf(b, "CHECK (%s)", t->checks[i].expr);
    }
    for (size_t i = 0; i < t->nfks; i++)
        put_fk(b, s, t, &t->fks[i]);
    for (size_t i = 0; t->strict && i < t->ncolumns; i++)
        if (!t->columns[i].identity && t->columns[i].type.tag != SP_MISSING)
            put_type_check(b, &t->columns[i], i + 1);
    sp_buf_printf(b, "\n)%s", t->without_rowid && !identity && t->npk > 0 ? " WITHOUT ROWID" : "");
    return b->oom ? sp_nomem(err) : 0;
}

static bool verbatim(const struct sp_table *t)
{
    return t->native_verbatim && t->native_definition != NULL && sp_streq(t->native_kind, "sqlite");
}

/* The definition is the text of the table and then of its indexes, parted by SQ_VERBATIM_SEP. */
static int run_verbatim(
    struct sp_session *s, const struct sp_table *t, bool table, bool rest, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sq_parsed parsed;
    int ret = sq_parse_table(&a, t->native_definition, &parsed, err);
    if (ret == 0 && (t->ns != NULL || s->ns[0] != '\0' || !sp_streq(parsed.name, t->name)))
        ret = sp_invalid(err,
            "%s: its definition can be used as it is only under its own name, without a namespace", t->name);
    sp_arena_free(&a);
    const char *sql = t->native_definition;
    for (bool first = true; ret == 0 && *sql != '\0' && (first || rest); first = false) {
        sqlite3_stmt *st = NULL;
        if (first && !table) { /* it exists: only find its end */
            const char *end = strstr(sql, SQ_VERBATIM_SEP);
            sql = end == NULL ? "" : end + strlen(SQ_VERBATIM_SEP);
            continue;
        }
        sq_statement_begin(s);
        int rc = sqlite3_prepare_v2(s->db, sql, -1, &st, &sql);
        if (rc == SQLITE_OK && st != NULL)
            rc = sqlite3_step(st);
        if (rc != SQLITE_OK && rc != SQLITE_DONE)
            ret = sq_error(s, rc, t->name, err);
        sqlite3_finalize(st);
    }
    return ret;
}

static int create_index(struct sp_session *s, const struct sp_table *t, const char *physical,
    const struct sp_index *ix, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT, name = SP_BUF_INIT;
    const char *ns = t->ns != NULL ? t->ns : s->ns;
    if (*ns != '\0')
        sp_buf_printf(&name, "%s__", ns);
    if (ix->name != NULL && *ix->name != '\0')
        sp_buf_puts(&name, ix->name);
    else
        sp_buf_printf(&name, "%s_%s_idx", t->name, ix->ncolumns > 0 ? ix->columns[0] : "");
    sp_buf_printf(&b, "CREATE %sINDEX ", ix->unique ? "UNIQUE " : "");
    sq_put_name(&b, name.p == NULL ? "" : name.p);
    sp_buf_puts(&b, " ON ");
    sq_put_name(&b, physical);
    sp_buf_puts(&b, " (");
    for (size_t i = 0; i < ix->ncolumns; i++) {
        if (i > 0)
            sp_buf_puts(&b, ", ");
        if (ix->columns[i][0] == '(')
            sp_buf_puts(&b, ix->columns[i]);
        else
            sq_put_name(&b, ix->columns[i]);
    }
    /* Which column descends isn't said; the last one is as good as any and keeps the flag. */
    sp_buf_puts(&b, ix->descending_any ? " DESC)" : ")");
    if (ix->where != NULL)
        sp_buf_printf(&b, " WHERE %s", ix->where);
    int ret = b.oom || name.oom ? sp_nomem(err) : sq_exec(s, b.p, err);
    sp_buf_free(&b);
    sp_buf_free(&name);
    return ret;
}

static int create_indexes(
    struct sp_session *s, const struct sp_table *t, const char *physical, struct sp_error *err)
{
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < t->nindexes; i++)
        ret = create_index(s, t, physical, &t->indexes[i], err);
    return ret;
}

static int end_atomic(struct sp_session *s, int ret, struct sp_error *err)
{
    if (ret == 0)
        return sq_exec(s, "RELEASE sp_ddl", err);
    (void)sqlite3_exec(s->db, "ROLLBACK TO sp_ddl; RELEASE sp_ddl", NULL, NULL, NULL);
    return ret;
}

int sq_table_create(struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    char *physical = NULL;
    if (t->ncolumns == 0)
        return sp_invalid(err, "table %s: SQLite needs at least one column", t->name);
    int ret = sq_physical(s, t->ns, t->name, &physical, err);
    if (ret == 0 && !verbatim(t))
        ret = render_table(s, t, physical, &b, err);
    if (ret == 0)
        ret = sq_exec(s, "SAVEPOINT sp_ddl", err);
    if (ret == 0) {
        if (verbatim(t))
            ret = run_verbatim(s, t, true, with_extras, err);
        else
            ret = sq_exec(s, b.p, err);
        if (ret == 0 && with_extras && !verbatim(t))
            ret = create_indexes(s, t, physical, err);
        ret = end_atomic(s, ret, err);
    }
    sp_buf_free(&b);
    free(physical);
    return ret;
}

int sq_table_finish(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    char *physical = NULL;
    int ret = sq_physical(s, t->ns, t->name, &physical, err);
    if (ret == 0)
        ret = sq_exec(s, "SAVEPOINT sp_ddl", err);
    if (ret == 0) {
        ret = verbatim(t) ? run_verbatim(s, t, false, true, err) : create_indexes(s, t, physical, err);
        ret = end_atomic(s, ret, err);
    }
    free(physical);
    return ret;
}

int sq_table_drop(struct sp_session *s, const char *table, struct sp_error *err)
{
    const struct sq_table *t;
    int ret = sq_table_find(s, NULL, table, &t, err);
    if (ret == 0)
        ret = sq_execf(s, err, "DROP TABLE \"%w\"", t->physical);
    return ret;
}

int sq_sequence_set(struct sp_session *s, const struct sp_sequence *q, struct sp_error *err)
{
    const struct sq_table *t;
    int64_t n = 0;
    if (q->next < 1)
        return sp_invalid(err, "sequence of %s: the next value must be at least 1", q->table);
    int ret = sq_table_find(s, NULL, q->table, &t, err);
    if (ret != 0)
        return ret;
    char *sql =
        sqlite3_mprintf("SELECT count(*) FROM sqlite_schema WHERE type='table' AND name=%Q AND sql LIKE "
                        "'%%AUTOINCREMENT%%'",
            t->physical);
    ret = sql == NULL ? sp_nomem(err) : sq_query_i64(s, sql, &n, err);
    sqlite3_free(sql);
    if (ret == 0 && n == 0)
        ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "%s has no AUTOINCREMENT column: SQLite keeps no sequence for it", q->table);
    if (ret == 0)
        ret = sq_execf(s, err,
            "SAVEPOINT sp_seq; DELETE FROM sqlite_sequence WHERE name=%Q; INSERT INTO sqlite_sequence(name, "
            "seq) "
            "VALUES(%Q, %lld); RELEASE sp_seq",
            t->physical, t->physical, (long long)q->next - 1);
    return ret;
}
