/* details.c -- the differing rows themselves: an event for each that is listed, or for each of its columns that differs. */
#include <stdlib.h>

#include "verify/internal.h"

/* ---- events ------------------------------------------------------------------------------------------------- */

static void event_begin(struct sp_vctx *c, const struct sp_vwanted *w, struct sp_event *ev,
    const struct sp_vpair *p, const char *difference, const char *key, enum sp_side side,
    struct sp_d128 digest)
{
    char hex[33];
    sp_d128_format(hex, digest);
    sp_event_begin(ev, SP_EV_DIFFERENCE);
    sp_event_text(ev, SP_FLD_name, p->name);
    sp_event_text(ev, SP_FLD_difference, difference);
    sp_event_text(ev, SP_FLD_key, key);
    sp_event_text(ev, SP_FLD_side, sp_v_side_name(side));
    sp_event_text(ev, SP_FLD_digest, hex);
    sp_v_put_since(c, ev, &w->key);
}

int sp_v_row_text(
    struct sp_vctx *c, const struct sp_vpair *p, const uint8_t *row, size_t n, struct sp_buf *out)
{
    if (p->nkey != 0)
        return sp_v_print_key(out, p->cols, p->nkey, row, n);
    if (c->opt->show_values)
        return sp_v_print_key(out, p->cols, p->ncols, row, n);
    return sp_buf_puts(out, "(no key)");
}

/* A row that stands on one side only. */
static int one_sided(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w,
    enum sp_side side, const char *key)
{
    struct sp_buf count = SP_BUF_INIT;
    struct sp_event ev;
    int rc = w->n[side] == 1 ? sp_buf_puts(&count, "a row")
                             : sp_buf_printf(&count, "%llu equal rows", (unsigned long long)w->n[side]);
    if (rc == 0) {
        bool missing = side == SP_SIDE_SOURCE;
        event_begin(c, w, &ev, p, missing ? "missing" : "extra", key, side, w->row[side]);
        sp_event_text(&ev, SP_FLD_expected, missing ? count.p : "no such row");
        sp_event_text(&ev, SP_FLD_actual, missing ? "no such row" : count.p);
        sp_event_int(&ev, SP_FLD_count, (int64_t)w->n[side]);
        sp_v_send(c, &ev);
    }
    sp_buf_free(&count);
    return rc;
}

int sp_v_cell(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w, const char *key,
    const char *column, const struct sp_type *type, const struct sp_vfield f[2])
{
    struct sp_buf text[2] = { SP_BUF_INIT, SP_BUF_INIT };
    struct sp_event ev;
    int rc = sp_v_diag_cell(c, column, type, f);
    if (rc != 0 || w->unlisted)
        return rc;
    for (int i = 0; i < 2 && rc == 0; i++)
        rc = sp_v_print_field(&text[i], type, &f[i], c->opt->show_values);
    if (rc == 0) {
        event_begin(c, w, &ev, p, "changed", key, SP_SIDE_TARGET, w->row[1]);
        sp_event_text(&ev, SP_FLD_column, column);
        sp_event_text(&ev, SP_FLD_expected, text[0].p);
        sp_event_text(&ev, SP_FLD_actual, text[1].p);
        sp_v_send(c, &ev);
    }
    sp_buf_free(&text[0]);
    sp_buf_free(&text[1]);
    return rc;
}

/* In a document, the name of the column and the way to what differs inside of it. */
static int column(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w, const char *key,
    const struct sp_colplan *col, const struct sp_vfield f[2])
{
    struct sp_buf name = SP_BUF_INIT;
    sp_buf_puts(&name, col->name);
    int rc = p->residual ? sp_v_field_path(&name, &col->type, f) : 0;
    if (rc == 0)
        rc = name.oom ? -SP_E_NOMEM : sp_v_cell(c, p, w, key, name.p, &col->type, f);
    sp_buf_free(&name);
    return rc;
}

/* A row that has the same key on both sides: an event per differing column. */
static int changed(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w,
    const uint8_t *const row[2], const size_t n[2], const char *key)
{
    const uint8_t *at[2] = { row[0], row[1] };
    size_t left[2] = { n[0], n[1] };
    unsigned found = 0;
    int rc = 0;
    for (size_t i = 0; i < p->ncols && rc == 0; i++) {
        struct sp_vfield f[2];
        for (int s = 0; s < 2; s++) {
            int64_t used = sp_v_field(at[s], left[s], &f[s]);
            if (used < 0)
                return (int)used;
            at[s] += used;
            left[s] -= (size_t)used;
        }
        if (f[0].nwhole == f[1].nwhole && memcmp(f[0].whole, f[1].whole, f[0].nwhole) == 0)
            continue;
        found++;
        rc = column(c, p, w, key, &p->cols[i], f);
    }
    if (rc == 0 && (left[0] != left[1] || memcmp(at[0], at[1], left[0]) != 0)) {
        found++;
        rc = sp_v_residual(c, p, w, key, (const uint8_t *const *)at, left);
    }
    return rc == 0 && found == 0 ? -SP_E_CORRUPT : rc;
}

int sp_v_emit_row(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w,
    const uint8_t *const row[2], const size_t n[2])
{
    struct sp_buf key = SP_BUF_INIT;
    enum sp_side side = row[0] != NULL ? SP_SIDE_SOURCE : SP_SIDE_TARGET;
    int rc = sp_v_row_text(c, p, row[side], n[side], &key);
    if (rc == 0)
        rc = sp_v_diag_row(c, p, key.p, row, n);
    if (rc == 0 && row[0] != NULL && row[1] != NULL)
        rc = changed(c, p, w, row, n, key.p);
    else if (rc == 0 && !w->unlisted)
        rc = one_sided(c, p, w, side, key.p);
    if (rc == 0)
        rc = sp_v_diag_row_end(c);
    sp_buf_free(&key);
    return rc;
}

static int emit_one(
    struct sp_vctx *c, const struct sp_vpair *p, struct sp_vgather *g, size_t i, struct sp_error *err)
{
    struct sp_vfound f[2] = { { .p = NULL }, { .p = NULL } };
    int rc = 0;
    if (i >= g->shown && sp_v_lacks(g, i)) /* only looked at where it costs nothing */
        return 0;
    for (int s = 0; s < 2 && rc == 0; s++)
        rc = sp_v_gathered(g, i, (enum sp_side)s, &f[s], err);
    if (rc == 0) {
        struct sp_vwanted w = g->list[i];
        const uint8_t *const row[2] = { w.n[0] != 0 ? f[0].p : NULL, w.n[1] != 0 ? f[1].p : NULL };
        const size_t n[2] = { f[0].n, f[1].n };
        w.unlisted = i >= g->shown;
        bool there = (w.n[0] == 0 || row[0] != NULL) && (w.n[1] == 0 || row[1] != NULL);
        rc = there ? sp_v_emit_row(c, p, &w, row, n) : -SP_E_CORRUPT;
        if (rc == -SP_E_NOMEM)
            sp_nomem(err);
        else if (rc != 0)
            rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
                "a differing row was not seen again; the rows changed while they were being compared");
    }
    for (int s = 0; s < 2; s++)
        if (f[s].owned && f[s].p != g->found[s][i].p) /* read back for this moment */
            free(f[s].p);
    return rc;
}

int sp_v_details(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *suspects,
    const struct sp_digest first[2], const struct sp_vdiffs *diffs, struct sp_error *err)
{
    struct sp_vgather g;
    int rc = sp_v_gather(c, p, suspects, first, diffs, &g, err);
    for (size_t i = 0; rc == 0 && i < g.n && c->rc == 0; i++)
        rc = emit_one(c, p, &g, i, err);
    sp_v_gather_free(&g);
    return rc == 0 ? c->rc : rc;
}
