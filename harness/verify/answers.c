/* answers.c -- two answers to one query, compared by value. Columns meet by their position. What two backends would name differently
 * meets in one type: numbers as exact numbers, a text that spells a time, a UUID or JSON as that where the other side has
 * one. Nothing is rounded. */
#include <stdio.h>
#include <stdlib.h>

#include "verify/internal.h"

#define LISTED 20u

/* One bit per tag that a column holds on a side, nulls aside. */
static uint32_t tags_of(const struct sp_result *r, size_t col)
{
    uint32_t tags = 0;
    for (size_t i = 0; i < r->nrows; i++) {
        const struct sp_value *v = &r->values[i * r->ncolumns + col];
        if (!sp_v_is_absent(v))
            tags |= UINT32_C(1) << v->tag;
    }
    return tags;
}

static struct sp_type meeting_type(uint32_t a, uint32_t b)
{
    static const enum sp_tag spelled[] = { SP_INSTANT, SP_LOCAL, SP_DATE, SP_TIME, SP_UUID, SP_JSON };
    const uint32_t boolean = UINT32_C(1) << SP_BOOL, text = UINT32_C(1) << SP_TEXT,
                   number = UINT32_C(1) << SP_INT | UINT32_C(1) << SP_DEC | UINT32_C(1) << SP_F32 |
                            UINT32_C(1) << SP_F64;
    uint32_t all = a | b;
    if (all == boolean || all == 0)
        return (struct sp_type){ .tag = SP_MISSING };
    if ((all & ~(number | boolean)) == 0)
        return (struct sp_type){ .tag = SP_DEC };
    for (size_t i = 0; i < SP_LEN(spelled); i++)
        if ((all & ~text) == UINT32_C(1) << spelled[i])
            return (struct sp_type){ .tag = spelled[i] };
    return (struct sp_type){ .tag = SP_MISSING };
}

/* A boolean meets a number as 0 or 1; a missing field meets null where one of the backends tells them apart no more. */
static struct sp_value meeting_value(
    const struct sp_vctx *c, const struct sp_value *v, const struct sp_type *type)
{
    if (v->tag == SP_MISSING && !c->same_kind)
        return sp_v_null();
    if (v->tag == SP_BOOL && type->tag == SP_DEC)
        return sp_v_int(v->u.b);
    return *v;
}

struct numbered {
    struct sp_d128 d;
    size_t row;
};
struct rows {
    const struct sp_result *r;
    size_t *col;             /* where the k-th column of the comparison stands */
    struct numbered *v, *by; /* in order; sorted by digest */
};

static int by_digest(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;
    int r = sp_v_d128_cmp(x->d, y->d);
    return r != 0 ? r : x->row < y->row ? -1 : x->row > y->row;
}

static int digest_rows(const struct sp_vctx *c, struct rows *x, const struct sp_type *types, size_t ncols)
{
    struct sp_buf b = SP_BUF_INIT;
    size_t n = x->r->nrows;
    int rc = 0;
    x->v = malloc((n + 1) * sizeof *x->v);
    x->by = malloc((n + 1) * sizeof *x->by);
    if (x->v == NULL || x->by == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n && rc == 0; i++) {
        sp_buf_clear(&b);
        for (size_t k = 0; k < ncols && rc == 0; k++) {
            struct sp_value v = meeting_value(c, &x->r->values[i * x->r->ncolumns + x->col[k]], &types[k]);
            rc = sp_canon_field(&b, &types[k], &v, NULL);
        }
        x->v[i] = x->by[i] = (struct numbered){ sp_d128_of(b.p != NULL ? b.p : "", b.n), i };
    }
    if (rc == 0 && n > 1)
        qsort(x->by, n, sizeof *x->by, by_digest);
    sp_buf_free(&b);
    return rc;
}

/* Columns of the logical schema meet by name, those of a backend's own words by position. */
static bool place_columns(
    const struct sp_verify_query *q, const struct sp_result r[2], struct rows rows[2], size_t n, bool both)
{
    for (size_t k = 0; k < n; k++) {
        size_t at = k;
        if (q->query != NULL && both)
            for (at = 0; at < n && strcmp(r[1].columns[at], r[0].columns[k]) != 0;)
                at++;
        if (at == n)
            return false;
        rows[0].col[k] = k;
        rows[1].col[k] = at;
    }
    return true;
}

/* ---- what differs ------------------------------------------------------------------------------------------------------- */

static void put_row(
    const struct sp_vctx *c, const struct sp_result *r, size_t row, struct sp_d128 d, struct sp_buf *out)
{
    char digest[33];
    if (!c->opt->show_values) {
        sp_d128_format(digest, d);
        digest[16] = '\0';
        sp_buf_printf(out, "a row, digest %s", digest);
        return;
    }
    for (size_t k = 0; k < r->ncolumns; k++) {
        sp_buf_printf(out, "%s%s=", k == 0 ? "" : ", ", r->columns[k] != NULL ? r->columns[k] : "?");
        sp_value_print(out, &r->values[row * r->ncolumns + k], 0);
    }
}

struct lister {
    struct sp_vctx *c;
    const struct sp_verify_query *q;
    const struct sp_result *r;
    const struct rows *rows;
    size_t n, listed;
};

/* SIZE_MAX = no such row on that side. */
static void differs(struct lister *l, size_t a, size_t b)
{
    const char *kind = a == SIZE_MAX ? "extra" : b == SIZE_MAX ? "missing" : "changed";
    struct sp_buf text[2] = { SP_BUF_INIT, SP_BUF_INIT }, name = SP_BUF_INIT, key = SP_BUF_INIT;
    struct sp_event ev;
    l->n++;
    if (l->listed == LISTED || l->listed >= l->c->opt->max_differences) {
        l->c->capped = true;
        return;
    }
    l->listed++;
    if (a != SIZE_MAX)
        put_row(l->c, &l->r[0], a, l->rows[0].v[a].d, &text[0]);
    if (b != SIZE_MAX)
        put_row(l->c, &l->r[1], b, l->rows[1].v[b].d, &text[1]);
    sp_buf_printf(&name, "check %s", l->q->name);
    sp_buf_printf(&key, "row %zu", (a != SIZE_MAX ? a : b) + 1);
    sp_event_begin(&ev, SP_EV_DIFFERENCE);
    sp_event_text(&ev, SP_FLD_name, name.p);
    sp_event_text(&ev, SP_FLD_difference, kind);
    sp_event_text(&ev, SP_FLD_key, key.p);
    sp_event_text(&ev, SP_FLD_side, sp_v_side_name(b == SIZE_MAX ? SP_SIDE_SOURCE : SP_SIDE_TARGET));
    sp_event_text(&ev, SP_FLD_expected, a != SIZE_MAX ? text[0].p : "no such row");
    sp_event_text(&ev, SP_FLD_actual, b != SIZE_MAX ? text[1].p : "no such row");
    sp_v_send(l->c, &ev);
    sp_buf_free(&text[0]);
    sp_buf_free(&text[1]);
    sp_buf_free(&name);
    sp_buf_free(&key);
}

static void in_order(struct lister *l)
{
    size_t n[2] = { l->r[0].nrows, l->r[1].nrows };
    for (size_t i = 0; i < n[0] || i < n[1]; i++)
        if (i >= n[0] || i >= n[1])
            differs(l, i < n[0] ? i : SIZE_MAX, i < n[1] ? i : SIZE_MAX);
        else if (!sp_d128_eq(l->rows[0].v[i].d, l->rows[1].v[i].d))
            differs(l, i, i);
}

static void as_multiset(struct lister *l)
{
    size_t i = 0, j = 0, n[2] = { l->r[0].nrows, l->r[1].nrows };
    while (i < n[0] || j < n[1]) {
        size_t a = i < n[0] ? l->rows[0].by[i].row : SIZE_MAX, b = j < n[1] ? l->rows[1].by[j].row : SIZE_MAX;
        int order = a == SIZE_MAX   ? 1
                    : b == SIZE_MAX ? -1
                                    : sp_v_d128_cmp(l->rows[0].v[a].d, l->rows[1].v[b].d);
        if (order != 0)
            differs(l, order < 0 ? a : SIZE_MAX, order > 0 ? b : SIZE_MAX);
        i += order <= 0;
        j += order >= 0;
    }
}

static int compare(struct sp_vctx *c, const struct sp_verify_query *q, const struct sp_result r[2],
    struct rows rows[2], struct sp_type *types, size_t n)
{
    struct lister l = { .c = c, .q = q, .r = r, .rows = rows };
    int rc = 0;
    for (size_t k = 0; k < n; k++)
        types[k] = meeting_type(tags_of(&r[0], rows[0].col[k]), tags_of(&r[1], rows[1].col[k]));
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = digest_rows(c, &rows[i], types, n);
    if (rc != 0)
        return rc;
    (q->ordered ? in_order : as_multiset)(&l);
    return l.n != 0;
}

int sp_v_answers(struct sp_vctx *c, const struct sp_verify_query *q, const struct sp_result r[2])
{
    struct rows rows[2] = { { .r = &r[0] }, { .r = &r[1] } };
    bool both = r[0].nrows != 0 && r[1].nrows != 0; /* of no rows, some backends do not know the columns */
    size_t n = r[0].nrows != 0 ? r[0].ncolumns : r[1].ncolumns;
    if (both && n != r[1].ncolumns)
        return 1;
    struct sp_type *types = calloc(n + 1, sizeof *types);
    rows[0].col = calloc(n + 1, sizeof *rows[0].col);
    rows[1].col = calloc(n + 1, sizeof *rows[1].col);
    int rc = -SP_E_NOMEM;
    if (types != NULL && rows[0].col != NULL && rows[1].col != NULL)
        rc = place_columns(q, r, rows, n, both) ? compare(c, q, r, rows, types, n) : 1;
    for (int i = 0; i < 2; i++) {
        free(rows[i].col);
        free(rows[i].v);
        free(rows[i].by);
    }
    free(types);
    return rc;
}
