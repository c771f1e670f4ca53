/* relation_list.c -- the introduced orphans, row by row. */
#include <stdlib.h>

#include "verify/relations.h"

struct lister {
    struct sp_vindex index; /* of the identities */
    size_t n;
    struct {
        uint8_t *p;
        size_t n;
    } * rows; /* n, those that turned up */
    size_t used, budget;
    bool oom;
};

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct lister *l = payload;
    size_t i = sp_v_index_find(&l->index, sp_v_rel_identity(row));
    if (i == l->n || l->rows[i].p != NULL || (l->used != 0 && l->used + row->nrow > l->budget))
        return 0;
    l->rows[i].p = malloc(row->nrow + 1);
    if (l->rows[i].p == NULL) {
        l->oom = true;
        return -SP_E_NOMEM;
    }
    memcpy(l->rows[i].p, row->row, row->nrow);
    l->rows[i].n = row->nrow;
    l->used += row->nrow;
    return 0;
}

/* Skips n fields; returns where the next begins, or NULL. */
static const uint8_t *skip(const uint8_t *p, size_t *left, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sp_vfield f;
        int64_t used = sp_v_field(p, *left, &f);
        if (used < 0)
            return NULL;
        p += used;
        *left -= (size_t)used;
    }
    return p;
}

static int send(struct sp_vctx *c, const struct sp_vrel *r, const uint8_t *row, size_t n)
{
    const struct sp_vrelside *s = &r->side[1];
    struct sp_buf ref = SP_BUF_INIT, key = SP_BUF_INIT;
    size_t nmatch = r->fk->ncolumns, left = n;
    int rc = sp_v_print_key(&ref, s->child_cols, nmatch, row, n);
    const uint8_t *at = skip(row, &left, 2 * nmatch);
    if (rc == 0 && at == NULL)
        rc = -SP_E_CORRUPT;
    if (rc == 0)
        rc = r->pair->nkey != 0 ? sp_v_print_key(&key, s->child_cols + 2 * nmatch, r->pair->nkey, at, left)
                                : sp_buf_puts(&key, "(no key)");
    if (rc == 0) {
        struct sp_event ev;
        sp_event_begin(&ev, SP_EV_DIFFERENCE);
        sp_event_text(&ev, SP_FLD_name, r->pair->name);
        sp_event_text(&ev, SP_FLD_difference, "orphan");
        sp_event_text(&ev, SP_FLD_key, key.p);
        sp_event_text(&ev, SP_FLD_column, r->columns);
        sp_event_text(&ev, SP_FLD_side, sp_v_side_name(SP_SIDE_TARGET));
        sp_event_text(&ev, SP_FLD_parent, r->fk->ref_table);
        sp_event_text(&ev, SP_FLD_expected, "a row that it refers to");
        sp_event_text(&ev, SP_FLD_actual, ref.p);
        sp_v_put_since(c, &ev, NULL);
        sp_v_send(c, &ev);
    }
    sp_buf_free(&ref);
    sp_buf_free(&key);
    return rc;
}

int sp_v_rel_list(
    struct sp_vctx *c, const struct sp_vrel *r, const struct sp_d128 *ids, size_t n, struct sp_error *err)
{
    const struct sp_vrelside *s = &r->side[1];
    struct lister l = { .n = n, .budget = c->memory / 2 };
    struct sp_vscan v[2];
    l.rows = calloc(n + 1, sizeof *l.rows);
    if (l.rows == NULL || sp_v_index_make(&l.index, ids, n) != 0) {
        free(l.rows);
        return sp_nomem(err);
    }
    sp_v_scan_init(c, &v[0], SP_SIDE_SOURCE, NULL, NULL, 0, 0, false);
    sp_v_scan_init(c, &v[1], SP_SIDE_TARGET, s->child, s->child_cols, s->nchild, r->fk->ncolumns, false);
    v[1].row = on_row;
    v[1].payload = &l;
    int rc = sp_v_scan(c, v, r->pair->name, 0);
    if (rc == 0 && v[1].rc != 0)
        rc = l.oom ? sp_nomem(err)
                   : sp_fail(err, v[1].err.code, v[1].err.origin, "target: table %s could not be read: %s",
                         r->pair->name, sp_error_text(&v[1].err));
    for (size_t i = 0; i < n; i++) {
        if (rc == 0 && l.rows[i].p != NULL)
            rc = send(c, r, l.rows[i].p, l.rows[i].n);
        else if (rc == 0)
            c->capped = true; /* no room for it */
        free(l.rows[i].p);
    }
    free(l.rows);
    sp_v_index_free(&l.index);
    sp_v_scan_free(v);
    return rc;
}
