/* dbcase.c -- running and judging single operations. */
#include "suites/lib/dbcase.h"

static const struct sp_column item_columns[] = { COL_ID, COL("category", TEXT, .not_null = true),
    COL("value", INT) };
const struct sp_table dc_items = TABLE("items", item_columns);

bool dc_open(struct dc *d, struct sp_ctx *ctx)
{
    *d = (struct dc){ .ctx = ctx, .err = SP_ERROR_INIT, .r = SP_RESULT_INIT, .a = sp_ctx_arena(ctx) };
    d->s = sp_ctx_session(ctx, 0);
    return d->s != NULL;
}

void dc_done(struct dc *d)
{
    for (size_t i = 0; i < DC_SESSIONS; i++) {
        if (d->open[i] != NULL)
            (void)sp_db_rollback(d->open[i], NULL);
    }
    for (size_t i = 0; i < DC_SESSIONS; i++)
        sp_close(d->own[i]);
    sp_error_clear(&d->err);
    sp_result_free(&d->r);
}

struct sp_session *dc_other(struct dc *d, unsigned identity)
{
    return sp_ctx_session(d->ctx, identity);
}

struct sp_session *dc_impatient(struct dc *d, int patience_ms)
{
    size_t i = 0;
    while (i < DC_SESSIONS && d->own[i] != NULL)
        i++;
    struct sp_endpoint *e = sp_arena_dup(d->a, sp_session_endpoint(d->s), sizeof *e);
    if (i == DC_SESSIONS || e == NULL) {
        sp_ctx_error(d->ctx, "no room for another session");
        return NULL;
    }
    e->statement_timeout_ms = patience_ms;
    if (!dc_ok(d, "open", sp_open(&d->own[i], sp_session_provider(d->s), e, &d->err)))
        return NULL;
    const char *ns =
        sp_ctx_cap(d->ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES ? sp_ctx_namespace(d->ctx) : NULL;
    if (ns != NULL && !dc_ok(d, "use of the namespace", sp_db_ns_use(d->own[i], ns, &d->err)))
        return NULL;
    return d->own[i];
}

bool dc_ok(struct dc *d, const char *what, int rc)
{
    bool ok = sp_check_ok(d->ctx, what, rc, &d->err);
    sp_error_clear(&d->err);
    return ok;
}

bool dc_fails(struct dc *d, const char *what, enum sp_code want, int rc)
{
    bool ok = sp_check_code(d->ctx, what, want, rc, &d->err);
    sp_error_clear(&d->err);
    return ok;
}

bool dc_refused(struct dc *d, const char *what, enum sp_code want, int rc)
{
    bool ok = sp_check_code(d->ctx, what, want, rc, &d->err);
    if (ok)
        ok = sp_check_text(d->ctx, "effect of the refused call", "none", sp_effect_name(d->err.effect)) &&
             sp_check(d->ctx, d->err.text != NULL && d->err.text[0] != '\0', "the error says why");
    sp_error_clear(&d->err);
    return ok;
}

bool dc_create(struct dc *d, struct sp_session *s, const char *table, const struct dc_rows *rows)
{
    int64_t affected = -1;
    size_t n = dc_nrows(rows);
    if (n == 0)
        return true;
    return dc_ok(d, "create",
               sp_db_insert_many(
                   s, table, rows->columns, rows->ncolumns, rows->values, n, &affected, &d->err)) &&
           sp_check_int(d->ctx, "rows that the create counts", (int64_t)n, affected);
}

bool dc_table(struct dc *d, const struct sp_table *t, const struct dc_rows *rows)
{
    return sp_ctx_table(d->ctx, t) && (rows == NULL || dc_create(d, d->s, t->name, rows));
}

/* "what, row 3, column value" */
static const char *place(struct dc *d, const char *what, size_t row, const char *column)
{
    const char *p = sp_arena_printf(d->a, "%s, row %zu, column %s", what, row + 1, column);
    return p != NULL ? p : what;
}

bool dc_result_is(struct dc *d, const char *what, const struct dc_rows *want)
{
    size_t n = dc_nrows(want);
    if (d->r.nrows != n) {
        const char *p = sp_arena_printf(d->a, "%s, number of rows", what);
        (void)sp_check_int(d->ctx, p != NULL ? p : what, (int64_t)n, (int64_t)d->r.nrows);
    }
    /* Also without rows a result has its columns. Row by row even if the number is wrong: which one is the news. */
    if (!sp_check_int(d->ctx, "columns of the result", (int64_t)want->ncolumns, (int64_t)d->r.ncolumns))
        return false;
    for (size_t c = 0; c < want->ncolumns; c++) {
        if (!sp_check_text(d->ctx, "column of the result", want->columns[c], d->r.columns[c]))
            return false;
    }
    for (size_t i = 0; i < n && i < d->r.nrows; i++) {
        for (size_t c = 0; c < want->ncolumns; c++) {
            const struct sp_value *w = &want->values[i * want->ncolumns + c];
            const struct sp_value *g = &d->r.values[i * want->ncolumns + c];
            /* The words are only put together when they are needed. */
            const char *name = sp_value_equal(w, g) ? what : place(d, what, i, want->columns[c]);
            if (!sp_check_value(d->ctx, name, w, g))
                return false;
        }
    }
    return d->r.nrows == n && sp_check_int(d->ctx, what, (int64_t)n, (int64_t)d->r.nrows);
}

bool dc_read_is(struct dc *d, struct sp_session *s, const char *what, const struct sp_query *q,
    const struct dc_rows *want)
{
    return dc_ok(d, what, sp_db_read(s, q, &d->r, &d->err)) && dc_result_is(d, what, want);
}

bool dc_count_is(
    struct dc *d, struct sp_session *s, const char *table, const struct sp_filter *where, int64_t want)
{
    int64_t got = -1;
    return dc_ok(d, "count", sp_db_count(s, table, where, &got, &d->err)) &&
           sp_check_int(d->ctx, "count", want, got);
}

bool dc_holds(
    struct dc *d, struct sp_session *s, const char *what, const char *table, const struct dc_rows *want)
{
    struct sp_query q = {
        .table = table, .select = want->columns, .nselect = want->ncolumns, .limit = SP_NO_LIMIT, BY_ID
    };
    return dc_read_is(d, s, what, &q, want) && dc_count_is(d, s, table, NULL, (int64_t)dc_nrows(want));
}

bool dc_update(struct dc *d, struct sp_session *s, const char *table, const struct sp_filter *where,
    const struct sp_field *f, size_t n, int64_t want)
{
    int64_t affected = -1;
    return dc_ok(d, "update", sp_db_update(s, table, where, f, n, &affected, &d->err)) &&
           sp_check_int(d->ctx, "rows that the update counts", want, affected);
}

bool dc_delete(
    struct dc *d, struct sp_session *s, const char *table, const struct sp_filter *where, int64_t want)
{
    int64_t affected = -1;
    return dc_ok(d, "delete", sp_db_delete(s, table, where, &affected, &d->err)) &&
           sp_check_int(d->ctx, "rows that the delete counts", want, affected);
}

int dc_set(struct dc *d, struct sp_session *s, const char *table, int64_t id, const char *column,
    struct sp_value v, int64_t *affected)
{
    struct sp_value key = sp_v_int(id);
    struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &key, .nvalues = 1 };
    struct sp_field f = { column, v };
    return sp_db_update(s, table, &where, &f, 1, affected, &d->err);
}

/* ---- transactions ------------------------------------------------------------------------------------------- */

void dc_opened(struct dc *d, struct sp_session *s)
{
    for (size_t i = 0; i < DC_SESSIONS; i++) {
        if (d->open[i] == NULL) {
            d->open[i] = s;
            return;
        }
    }
}

void dc_ended(struct dc *d, struct sp_session *s)
{
    for (size_t i = 0; i < DC_SESSIONS; i++) {
        if (d->open[i] == s)
            d->open[i] = NULL;
    }
}

bool dc_begin(struct dc *d, struct sp_session *s, enum sp_isolation iso)
{
    if (!dc_ok(d, "begin", sp_db_begin(s, &(struct sp_txn_opts){ .isolation = iso }, &d->err)))
        return false;
    dc_opened(d, s);
    return true;
}

bool dc_commit(struct dc *d, struct sp_session *s)
{
    dc_ended(d, s); /* a commit that fails has ended it, too */
    return dc_ok(d, "commit", sp_db_commit(s, &d->err));
}

bool dc_rollback(struct dc *d, struct sp_session *s)
{
    dc_ended(d, s);
    return dc_ok(d, "rollback", sp_db_rollback(s, &d->err));
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

struct sp_value dc_fit(struct dc *d, struct sp_value v)
{
    int64_t digits = sp_ctx_cap(d->ctx, SP_CAP_VAL_FRACTION)->limit, unit = 1;
    for (int64_t i = digits < 0 ? 0 : digits; i < 9; i++)
        unit *= 10;
    if (v.tag == SP_INSTANT || v.tag == SP_LOCAL)
        v.u.ts.nsec -= v.u.ts.nsec % (uint32_t)unit;
    else if (v.tag == SP_TIME)
        v.u.time_ns -= v.u.time_ns % unit;
    return v;
}

void dc_end_keep(struct dc_end *e, int rc, struct sp_error *err)
{
    e->rc = rc;
    e->origin = err->origin;
    (void)sp_strlcpy(e->text, sp_error_text(err), sizeof e->text);
    sp_error_clear(err);
}

bool dc_end_ok(struct dc *d, const struct dc_end *e, const char *what)
{
    struct sp_error err = SP_ERROR_INIT;
    if (e->rc != 0)
        (void)sp_fail(&err, (enum sp_code) - e->rc, e->origin, "%s", e->text);
    bool ok = sp_check_ok(d->ctx, what, e->rc, &err);
    sp_error_clear(&err);
    return ok;
}
