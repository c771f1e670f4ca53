/* load.c -- bulk load: one transaction, one prepared statement. Foreign keys are off meanwhile: a copy has to be as
 * faithful about orphans as about everything else, and finding them is the business of verify. Inside a caller's
 * transaction SQLite cannot switch them off; then they hold, and the load is a savepoint. */
#include <stdlib.h>
#include <string.h>

#include "providers/sqlite/internal.h"

struct sp_load {
    struct sp_session *s;
    sqlite3_stmt *st;
    struct sp_type *types;
    size_t ncolumns;
    bool strict, own;
    uint64_t rows;
    int failed; /* first error: nothing can be committed after it */
};

static int prepare(
    struct sp_load *l, const struct sq_table *t, const char *const *columns, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, "INSERT INTO ");
    sq_put_name(&b, t->physical);
    for (size_t i = 0; i < l->ncolumns; i++) {
        const struct sq_column *c = sq_table_column(t, columns[i]);
        if (c == NULL) {
            sp_buf_free(&b);
            return sp_invalid(err, "no such column: %s.%s", t->logical, columns[i]);
        }
        if (t->ours)
            l->types[i] = c->type;
        sp_buf_puts(&b, i == 0 ? " (" : ", ");
        sq_put_name(&b, columns[i]);
    }
    sp_buf_puts(&b, ") VALUES (?");
    for (size_t i = 1; i < l->ncolumns; i++)
        sp_buf_puts(&b, ",?");
    sp_buf_putc(&b, ')');
    int ret = b.oom ? sp_nomem(err) : sq_prepare(l->s, b.p, &l->st, err);
    sp_buf_free(&b);
    return ret;
}

static void release(struct sp_load *l)
{
    sqlite3_finalize(l->st);
    free(l->types);
    free(l);
}

int sq_load_open(struct sp_session *s, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **out, struct sp_error *err)
{
    const struct sq_table *t;
    *out = NULL;
    if (ncolumns == 0)
        return sp_invalid(err, "load into %s: no columns", table);
    int ret = sq_table_find(s, NULL, table, &t, err);
    if (ret != 0)
        return ret;
    struct sp_load *l = calloc(1, sizeof *l);
    if (l == NULL)
        return sp_nomem(err);
    l->s = s;
    l->ncolumns = ncolumns;
    l->strict = t->strict;
    l->own = sqlite3_get_autocommit(s->db);
    l->types = calloc(ncolumns, sizeof *l->types);
    ret = l->types == NULL ? sp_nomem(err) : prepare(l, t, columns, err);
    if (ret == 0)
        ret = sq_exec(s, l->own ? "PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE" : "SAVEPOINT sp_load", err);
    if (ret != 0) {
        if (l->own)
            (void)sqlite3_exec(s->db, "PRAGMA foreign_keys=ON", NULL, NULL, NULL);
        release(l);
        return ret;
    }
    sq_statement_begin(s);
    s->deadline_ns = 0; /* a load has no time-out of its own */
    *out = l;
    return 0;
}

int sq_load_row(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    int ret = 0;
    if (l->failed != 0)
        return sp_invalid(err, "the load failed before; close it without commit");
    for (size_t i = 0; ret == 0 && i < l->ncolumns; i++)
        ret = sq_bind(l->st, (int)i + 1, &row[i], &l->types[i], l->strict, err);
    if (ret == 0) {
        int rc = sqlite3_step(l->st);
        if (rc != SQLITE_DONE)
            ret = sq_error(l->s, rc, NULL, err);
        else
            l->rows += (uint64_t)sqlite3_changes64(l->s->db);
    }
    (void)sqlite3_reset(l->st);
    if (ret != 0) {
        l->failed = ret;
        return sp_error_prefix(err, "row %llu", (unsigned long long)l->rows + 1);
    }
    return 0;
}

int sq_load_close(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    struct sp_session *s = l->s;
    int ret = 0;
    sqlite3_finalize(l->st);
    l->st = NULL;
    if (commit && l->failed != 0)
        ret = sp_fail(err, (enum sp_code) - l->failed, SP_ORIGIN_BACKEND,
            "the load failed before; nothing was committed");
    if (commit && ret == 0)
        ret = sq_exec(s, l->own ? "COMMIT" : "RELEASE sp_load", err);
    bool kept = commit && ret == 0;
    if (!kept && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(
            s->db, l->own ? "ROLLBACK" : "ROLLBACK TO sp_load; RELEASE sp_load", NULL, NULL, NULL);
    if (l->own)
        (void)sqlite3_exec(s->db, "PRAGMA foreign_keys=ON", NULL, NULL, NULL);
    if (loaded != NULL)
        *loaded = kept ? l->rows : 0;
    release(l);
    return ret;
}
