/* lens_query.c -- reads and counts of relations. What only names keep apart is asked of the inner session; the rest is
 * scanned, and filtered here. */
#include "map/lens_internal.h"

#include <string.h>

#include "base/str.h"

static int unsupported(const struct sp_op *op, const char *what, struct sp_error *err)
{
    return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "relation %s, seen through a mapping: %s",
        op->query.table, what);
}

/* ---- through the inner session --------------------------------------------------------------------------------------- */

static const char *direct_place(const struct lens_view *v, const char *column)
{
    const struct lens_col *c = lens_col_named(v, column);
    bool plain = c != NULL && c->inner != NULL && c->walk == NULL;
    return plain ? c->inner->name : NULL;
}

/* 1 = it cannot be asked of it. */
static int translate(struct sp_arena *a, const struct lens_view *v, const struct sp_op *op, struct sp_op *out)
{
    const struct sp_query *q = &op->query;
    size_t n = q->nselect != 0 ? q->nselect : v->ncols;
    const char **select = sp_arena_array(a, n + 1, sizeof *select);
    struct sp_order *order = sp_arena_array(a, q->norder + 1, sizeof *order);
    const struct sp_filter *where;
    *out = *op;
    if (select == NULL || order == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        select[i] = direct_place(v, q->nselect != 0 ? q->select[i] : v->cols[i].name);
        if (select[i] == NULL)
            return 1;
    }
    for (size_t i = 0; i < q->norder; i++) {
        order[i] = q->order[i];
        order[i].column = direct_place(v, q->order[i].column);
        if (order[i].column == NULL)
            return 1;
    }
    bool exact = true;
    int rc = lens_filter_over_columns(v, v->where) ? lens_filter_inner(a, v, q->where, &where, &exact) : 1;
    if (rc == 0 && !exact)
        rc = 1;
    if (rc == 0)
        rc = lens_filter_and(a, v->where, where, &out->query.where);
    out->query.table = v->inner->name;
    out->query.select = select;
    out->query.nselect = op->kind == SP_OP_COUNT ? 0 : n;
    out->query.order = order;
    return rc;
}

static int ask_inner(struct lens_session *s, const struct lens_view *v, const struct sp_op *op,
    struct sp_result *r, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_op inner;
    int rc = translate(&a, v, op, &inner);
    if (rc == 0)
        rc = sp_db_exec(s->inner, &inner, r, err);
    for (size_t i = 0; rc == 0 && op->kind == SP_OP_READ && i < r->ncolumns; i++) {
        const struct sp_query *q = &op->query;
        r->columns[i] = sp_arena_str(&r->arena, q->nselect != 0 ? q->select[i] : v->cols[i].name);
        if (r->columns[i] == NULL)
            rc = sp_nomem(err);
    }
    if (rc == -SP_E_NOMEM)
        sp_nomem(err);
    sp_arena_free(&a);
    return rc;
}

/* ---- through a scan ----------------------------------------------------------------------------------------------------- */

struct reading {
    const struct sp_scan *scan;
    struct sp_result *r; /* NULL = count only */
    int64_t skip, left, n;
    struct sp_arena a;
    struct sp_error *err;
};

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct reading *k = payload;
    const uint8_t *at = row->row;
    size_t left = row->nrow;
    struct sp_value *v;
    k->n++;
    if (k->r == NULL || k->n <= k->skip || (k->left >= 0 && k->n - k->skip > k->left))
        return 0;
    sp_arena_reset(&k->a);
    v = sp_arena_array(&k->a, k->scan->ncols + 1, sizeof *v);
    for (size_t i = 0; v != NULL && i < k->scan->ncols; i++) {
        int64_t used = sp_canon_read(&k->a, &k->scan->cols[i].type, at, left, &v[i], NULL);
        if (used < 0)
            return (int)used;
        at += used;
        left -= (size_t)used;
    }
    return v == NULL ? -SP_E_NOMEM : sp_result_add(k->r, v, k->err);
}

static int ask_scan(struct lens_session *s, const struct lens_view *v, const struct sp_op *op,
    struct sp_result *r, struct sp_error *err)
{
    const struct sp_query *q = &op->query;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_rowbuf rb;
    size_t n = op->kind == SP_OP_COUNT ? 0 : q->nselect != 0 ? q->nselect : v->ncols;
    struct sp_colplan *cols = sp_arena_array(&a, n + 1, sizeof *cols);
    const char **names = sp_arena_array(&a, n + 1, sizeof *names);
    const struct sp_scan scan = {
        .ns = v->ns, .table = v->name, .cols = cols, .ncols = n, .side = s->side, .where = q->where
    };
    struct reading k = { .scan = &scan,
        .r = op->kind == SP_OP_READ ? r : NULL,
        .skip = op->kind == SP_OP_READ ? q->offset : 0,
        .left = op->kind == SP_OP_READ ? q->limit : -1,
        .err = err };
    int rc = cols == NULL || names == NULL ? sp_nomem(err) : 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        names[i] = q->nselect != 0 ? q->select[i] : v->cols[i].name;
        cols[i] = (struct sp_colplan){ .name = names[i], .source = names[i], .target = names[i] };
    }
    if (rc == 0 && k.r != NULL && sp_result_columns(r, names, n) != 0)
        rc = sp_nomem(err);
    if (rc == 0)
        rc = sp_rowbuf_init(&rb, &scan, err);
    if (rc == 0) {
        rb.sink = on_row;
        rb.payload = &k;
        rc = lens_scan((struct sp_session *)(void *)s, &scan, &rb, err);
        sp_rowbuf_free(&rb);
    }
    r->affected = op->kind == SP_OP_COUNT ? k.n : 0;
    sp_arena_free(&k.a);
    sp_arena_free(&a);
    return rc;
}

int lens_exec(struct sp_session *session, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct lens_session *s = lens_of(session);
    if (op->kind == SP_OP_RAW)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "a mapping does not reach into raw queries");
    if (op->kind != SP_OP_READ && op->kind != SP_OP_COUNT)
        return unsupported(op, "it is only read", err);
    int rc = lens_ready(s, err);
    const struct lens_view *v = rc == 0 ? lens_view_named(s, op->query.table) : NULL;
    if (rc == 0 && v == NULL)
        rc = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS, "no relation \"%s\"", op->query.table);
    if (rc != 0)
        return rc;
    rc = !v->embedded && !v->documents ? ask_inner(s, v, op, r, err) : 1;
    if (rc != 1)
        return rc;
    if (op->query.norder != 0 && op->kind == SP_OP_READ)
        return unsupported(op, "its rows are not put in order", err);
    return ask_scan(s, v, op, r, err);
}
