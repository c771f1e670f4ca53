/* duplicate_list.c -- the rows of the target that repeat values which the source does not. */
#include <stdlib.h>

#include "verify/duplicates.h"

struct lister {
    struct sp_vctx *c;
    const struct sp_vunique *u;
    struct sp_vindex index;
    size_t n;
    uint64_t left; /* rows that may still be listed */
    bool cut;
    struct {
        uint8_t *p;
        size_t n;
    } * rows;
    size_t nrows, used;
    bool oom;
};

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct lister *l = payload;
    if (sp_v_index_find(&l->index, row->key) == l->n)
        return 0;
    if (!l->u->nulls_equal) {
        int absent = sp_v_has_absent(row, l->u->ncols);
        if (absent != 0)
            return absent < 0 ? absent : 0;
    }
    if (l->left == 0 || (l->used != 0 && l->used + row->nrow > l->c->memory / 2)) {
        l->cut = true;
        return 0;
    }
    uint8_t *copy = malloc(row->nrow + 1);
    if (copy == NULL) {
        l->oom = true;
        return -SP_E_NOMEM;
    }
    memcpy(copy, row->row, row->nrow);
    l->rows[l->nrows].p = copy;
    l->rows[l->nrows++].n = row->nrow;
    l->used += row->nrow;
    l->left--;
    return 0;
}

static int print_values(
    const struct sp_vunique *u, bool show, const uint8_t **at, size_t *left, struct sp_buf *out)
{
    for (size_t i = 0; i < u->ncols; i++) {
        struct sp_vfield f;
        int64_t used = sp_v_field(*at, *left, &f);
        if (used < 0)
            return (int)used;
        sp_buf_printf(out, "%s%s=", i == 0 ? "" : ", ", u->cols[i].name);
        int rc = sp_v_print_field(out, &u->cols[i].type, &f, show);
        if (rc != 0)
            return rc;
        *at += used;
        *left -= (size_t)used;
    }
    return 0;
}

static int send(struct sp_vctx *c, const struct sp_vunique *u, const uint8_t *row, size_t n)
{
    struct sp_buf values = SP_BUF_INIT, key = SP_BUF_INIT;
    int rc = print_values(u, c->opt->show_values, &row, &n, &values);
    if (rc == 0)
        rc = u->pair->nkey != 0 ? sp_v_print_key(&key, u->cols + u->ncols, u->pair->nkey, row, n)
                                : sp_buf_puts(&key, "(no key)");
    if (rc == 0) {
        struct sp_event ev;
        sp_event_begin(&ev, SP_EV_DIFFERENCE);
        sp_event_text(&ev, SP_FLD_name, u->pair->name);
        sp_event_text(&ev, SP_FLD_difference, "duplicate");
        sp_event_text(&ev, SP_FLD_key, key.p);
        sp_event_text(&ev, SP_FLD_column, u->columns);
        sp_event_text(&ev, SP_FLD_side, sp_v_side_name(SP_SIDE_TARGET));
        sp_event_text(&ev, SP_FLD_expected, "no other row with these values");
        sp_event_text(&ev, SP_FLD_actual, values.p);
        sp_v_put_since(c, &ev, NULL);
        sp_v_send(c, &ev);
    }
    sp_buf_free(&values);
    sp_buf_free(&key);
    return rc;
}

int sp_v_duplicate_rows(struct sp_vctx *c, const struct sp_vunique *u, struct sp_error *err)
{
    struct lister l = { .c = c, .u = u, .n = u->ngroups };
    struct sp_vscan v[2];
    l.left = c->opt->max_differences < 10000 ? c->opt->max_differences : 10000;
    if (u->ngroups == 0 || l.left == 0) {
        c->capped = c->capped || u->introduced != 0;
        return 0;
    }
    sp_v_sort_digests(u->groups, u->ngroups);
    l.rows = calloc((size_t)l.left + 1, sizeof *l.rows);
    if (l.rows == NULL || sp_v_index_make(&l.index, u->groups, u->ngroups) != 0) {
        free(l.rows);
        return sp_nomem(err);
    }
    sp_v_scan_init(c, &v[0], SP_SIDE_SOURCE, NULL, NULL, 0, 0, false);
    sp_v_scan_init(
        c, &v[1], SP_SIDE_TARGET, u->pair->t[1], u->cols, u->ncols + u->pair->nkey, u->ncols, false);
    v[1].row = on_row;
    v[1].payload = &l;
    int rc = sp_v_scan(c, v, u->pair->name, 0);
    if (rc == 0 && v[1].rc != 0)
        rc = l.oom ? sp_nomem(err)
                   : sp_fail(err, v[1].err.code, v[1].err.origin, "target could not be read: %s",
                         sp_error_text(&v[1].err));
    for (size_t i = 0; i < l.nrows; i++) {
        if (rc == 0)
            rc = send(c, u, l.rows[i].p, l.rows[i].n);
        free(l.rows[i].p);
    }
    c->capped = c->capped || l.cut || u->groups_cut;
    free(l.rows);
    sp_v_index_free(&l.index);
    sp_v_scan_free(v);
    return rc;
}
