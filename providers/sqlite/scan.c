/* scan.c -- a full-speed pass: the rows are pushed from inside an aggregate function, by storage class, and count(*) of
 * the same statement confirms the end. Tables wider than a function's arguments are stepped through. */
#include <stdlib.h>
#include <string.h>

#include "providers/sqlite/internal.h"

/* What the aggregate needs; lives on the stack of sq_scan(). */
struct sq_push {
    struct sp_rowbuf *rb;
    const struct sp_type **decode; /* per column: NULL = push the storage class as it is */
    struct sp_arena scratch;
    bool utf16;
    int rc;
};

/* Half surrogates and half units: SQLite's UTF-8 of them is that of other texts, too. */
static bool well_formed(const uint16_t *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned kind = w[i] & 0xfc00u;
        if (kind == 0xdc00u || (kind == 0xd800u && (i + 1 == n || (w[i + 1] & 0xfc00u) != 0xdc00u)))
            return false;
        i += kind == 0xd800u ? 1u : 0u;
    }
    return true;
}

/* Of a database in UTF-16: 1 = text like any other; what is malformed is pushed as it is stored (0 or an error). */
__attribute__((noinline)) static int push_utf16(struct sq_push *p, sqlite3_value *v)
{
    int n = sqlite3_value_bytes16(v);
    if (n % 2 == 0) {
        const uint16_t *w = sqlite3_value_text16(v);
        if (w == NULL)
            return -SP_E_NOMEM;
        if (well_formed(w, (size_t)n / 2))
            return 1;
    }
    const void *raw = sqlite3_value_blob(v);
    struct sp_value out = sp_v_native("malformed UTF-16", raw == NULL ? "" : raw, (size_t)n);
    return sp_put_value(p->rb, &out);
}

/* Out of line, so that the common case needs no large frame. */
__attribute__((noinline)) static int push_decoded(
    struct sq_push *p, const struct sp_type *decode, sqlite3_value *v)
{
    struct sp_value out;
    sp_arena_reset(&p->scratch);
    int rc = sq_decode(&p->scratch, decode, v, &out);
    return rc != 0 ? rc : sp_put_value(p->rb, &out);
}

static inline int push_value(struct sq_push *p, const struct sp_type *decode, sqlite3_value *v)
{
    if (decode != NULL)
        return push_decoded(p, decode, v);
    switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER:
        return sp_put_int(p->rb, sqlite3_value_int64(v));
    case SQLITE_FLOAT:
        return sp_put_f64(p->rb, sqlite3_value_double(v));
    case SQLITE_TEXT: {
        int rc = p->utf16 ? push_utf16(p, v) : 1;
        if (rc != 1)
            return rc;
        const char *t = (const char *)sqlite3_value_text(v);
        return t == NULL ? -SP_E_NOMEM : sp_put_text(p->rb, t, (size_t)sqlite3_value_bytes(v));
    }
    case SQLITE_BLOB: {
        const void *b = sqlite3_value_blob(v);
        return sp_put_bytes(p->rb, b == NULL ? "" : b, (size_t)sqlite3_value_bytes(v));
    }
    default:
        return sp_put_null(p->rb);
    }
}

void sq_push_function(sqlite3_context *ctx, int n, sqlite3_value **v)
{
    struct sp_session *s = sqlite3_user_data(ctx);
    struct sq_push *p = s->push;
    if (p == NULL) {
        sqlite3_result_error(ctx, "sp_push is for scans only", -1);
        return;
    }
    int rc = p->rc;
    for (int i = 0; rc == 0 && i < n; i++)
        rc = push_value(p, p->decode[i], v[i]);
    if (rc == 0)
        rc = sp_row_end(p->rb);
    if (rc != 0) {
        p->rc = rc;
        sqlite3_result_error(ctx, "scan stopped", -1);
    }
}

void sq_push_final(sqlite3_context *ctx)
{
    sqlite3_result_null(ctx);
}

static int push_error(struct sq_push *p, struct sp_error *err)
{
    const struct sp_error *e = sp_rowbuf_error(p->rb);
    if (e->code != SP_E_OK)
        return sp_fail(err, e->code, e->origin, "%s", sp_error_text(e));
    if (p->rc == -SP_E_NOMEM)
        return sp_nomem(err);
    return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "scan stopped by its receiver");
}

static const char *column_name(const struct sp_scan *scan, size_t i)
{
    return scan->side == SP_SIDE_SOURCE ? scan->cols[i].source : scan->cols[i].target;
}

/* Types whose storage class doesn't say enough for the harness to coerce from. */
static bool needs_decoding(const struct sq_table *t, const struct sq_column *c, const struct sp_colplan *plan)
{
    enum sp_tag tag = plan->type.tag;
    return t->ours && c->type.tag == tag &&
           (tag == SP_F32 || tag == SP_ARRAY || tag == SP_VECTOR || tag == SP_REF);
}

static int render(const struct sp_scan *scan, const struct sq_table *t, bool aggregate, struct sq_push *p,
    struct sq_sql *q, struct sp_error *err)
{
    sp_buf_puts(&q->text, aggregate ? "SELECT sp_push(" : "SELECT ");
    for (size_t i = 0; i < scan->ncols; i++) {
        const char *name = column_name(scan, i);
        const struct sq_column *c = sq_table_column(t, name);
        if (c == NULL)
            return sp_invalid(err, "no such column: %s.%s", t->logical, name);
        if (needs_decoding(t, c, &scan->cols[i])) {
            struct sp_type *type = sp_arena_dup(&q->arena, &c->type, sizeof c->type);
            if (type == NULL)
                return sp_nomem(err);
            p->decode[i] = type;
        }
        if (i > 0)
            sp_buf_puts(&q->text, ", ");
        sq_put_name(&q->text, name);
    }
    sp_buf_puts(&q->text, aggregate ? "), count(*) FROM " : " FROM ");
    sq_put_name(&q->text, t->physical);
    int ret = sq_split_where(t, scan, &q->text, err);
    if (ret == 0)
        ret = sq_render_where(t, scan->where, q, err);
    return ret == 0 && q->text.oom ? sp_nomem(err) : ret;
}

static int scan_aggregate(struct sp_session *s, sqlite3_stmt *st, uint64_t *rows, struct sp_error *err)
{
    int rc = sqlite3_step(st);
    if (s->push->rc != 0)
        return push_error(s->push, err);
    if (rc != SQLITE_ROW)
        return sq_error(s, rc, "scan", err);
    *rows = (uint64_t)sqlite3_column_int64(st, 1);
    rc = sqlite3_step(st);
    return rc == SQLITE_DONE ? 0 : sq_error(s, rc, "scan", err);
}

static int scan_steps(struct sp_session *s, sqlite3_stmt *st, struct sp_error *err)
{
    int rc, n = sqlite3_column_count(st);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int i = 0; s->push->rc == 0 && i < n; i++)
            s->push->rc = push_value(s->push, s->push->decode[i], sqlite3_column_value(st, i));
        if (s->push->rc == 0)
            s->push->rc = sp_row_end(s->push->rb);
        if (s->push->rc != 0)
            return push_error(s->push, err);
    }
    return rc == SQLITE_DONE ? 0 : sq_error(s, rc, "scan", err);
}

/* The count of a stepped scan, in the same read transaction. */
static int count_rows(struct sp_session *s, const struct sp_scan *scan, const struct sq_table *t,
    uint64_t *rows, struct sp_error *err)
{
    struct sq_sql q = { .ncolumns = 0 };
    sqlite3_stmt *st = NULL;
    int index = 1;
    sp_buf_puts(&q.text, "SELECT count(*) FROM ");
    sq_put_name(&q.text, t->physical);
    int ret = sq_split_where(t, scan, &q.text, err);
    if (ret == 0)
        ret = sq_render_where(t, scan->where, &q, err);
    if (ret == 0)
        ret = q.text.oom ? sp_nomem(err) : sq_prepare(s, q.text.p, &st, err);
    if (ret == 0)
        ret = sq_bind_filter(st, &index, scan->where, &q, err);
    if (ret == 0) {
        int rc = sqlite3_step(st);
        if (rc == SQLITE_ROW)
            *rows = (uint64_t)sqlite3_column_int64(st, 0);
        else
            ret = sq_error(s, rc, "scan", err);
    }
    sqlite3_finalize(st);
    sq_sql_free(&q);
    return ret;
}

static int scan_run(struct sp_session *s, const struct sp_scan *scan, const struct sq_table *t,
    uint64_t *rows, struct sp_error *err)
{
    struct sq_sql q = { .ncolumns = 0 };
    sqlite3_stmt *st = NULL;
    int index = 1;
    bool aggregate =
        scan->ncols > 0 && scan->ncols <= (size_t)sqlite3_limit(s->db, SQLITE_LIMIT_FUNCTION_ARG, -1);
    int ret = render(scan, t, aggregate, s->push, &q, err);
    if (ret == 0)
        ret = sq_prepare(s, q.text.p, &st, err);
    if (ret == 0)
        ret = sq_bind_filter(st, &index, scan->where, &q, err);
    if (ret == 0)
        ret = aggregate ? scan_aggregate(s, st, rows, err) : scan_steps(s, st, err);
    sqlite3_finalize(st);
    if (ret == 0 && !aggregate)
        ret = count_rows(s, scan, t, rows, err);
    sq_sql_free(&q);
    return ret;
}

int sq_scan(struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct sq_push push = { .rb = rb, .scratch = SP_ARENA_INIT, .utf16 = s->utf16 };
    const struct sq_table *t;
    uint64_t rows = 0;
    if (scan->ncols == 0)
        return sp_invalid(err, "scan of %s: no columns", scan->table);
    int ret = sq_table_find(s, scan->ns, scan->table, &t, err);
    if (ret != 0)
        return ret;
    push.decode = calloc(scan->ncols, sizeof *push.decode);
    if (push.decode == NULL)
        return sp_nomem(err);
    bool own = sqlite3_get_autocommit(s->db);
    s->push = &push;
    ret = own ? sq_exec(s, "BEGIN", err) : 0; /* rows and their count belong to one state */
    sq_statement_begin(s);
    if (ret == 0)
        ret = scan_run(s, scan, t, &rows, err);
    s->push = NULL;
    if (own && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL);
    sp_arena_free(&push.scratch);
    free(push.decode);
    if (ret == 0 && own)
        ret = sq_readonly_unchanged(s, err);
    return ret != 0 ? ret : sp_scan_end(rb, rows, err);
}
