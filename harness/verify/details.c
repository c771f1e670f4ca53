/* details.c -- pass 3: the differing rows themselves.
 *
 * Rows of listed keys are kept whole. When they don't fit into memory, later keys wait for another pass; the first
 * waiting key is always taken, so that a pass holds at most its share of the memory and one row per side. */
#include <stdlib.h>

#include "verify/internal.h"

struct held {
    uint8_t *p;
    size_t n;
};
struct keeper { /* of one side */
    enum sp_side side;
    const struct sp_vwanted *list; /* sorted by key */
    size_t n, first;               /* list[first] is taken at any size */
    size_t shown;                  /* those behind it are only looked at where there is room */
    struct held *held;             /* n */
    uint8_t *skipped;              /* n: no room in this pass */
    size_t used, budget;
    bool oom;
};

static size_t lower_bound(const struct keeper *k, struct sp_d128 key)
{
    size_t lo = k->first, hi = k->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sp_v_d128_cmp(k->list[mid].key, key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int hold(struct keeper *k, size_t i, const struct sp_rowview *row)
{
    if (k->held[i].p != NULL || k->skipped[i])
        return 0;
    if (i != k->first && row->nrow > k->budget - (k->used < k->budget ? k->used : k->budget)) {
        k->skipped[i] = 1;
        return 0;
    }
    uint8_t *p = malloc(row->nrow + 1);
    if (p == NULL) {
        k->oom = true;
        return -SP_E_NOMEM;
    }
    memcpy(p, row->row, row->nrow);
    k->held[i] = (struct held){ p, row->nrow };
    k->used += row->nrow;
    return 0;
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct keeper *k = payload;
    for (size_t i = lower_bound(k, row->key); i < k->n && sp_d128_eq(k->list[i].key, row->key); i++) {
        const struct sp_vwanted *w = &k->list[i];
        if (w->n[k->side] == 0 || !sp_d128_eq(w->row[k->side], row->digest))
            continue;
        int rc = hold(k, i, row);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* ---- events ------------------------------------------------------------------------------------------------- */

static void event_begin(struct sp_event *ev, const struct sp_vpair *p, const char *difference,
    const char *key, enum sp_side side, struct sp_d128 digest)
{
    char hex[33];
    sp_d128_format(hex, digest);
    sp_event_begin(ev, SP_EV_DIFFERENCE);
    sp_event_text(ev, SP_FLD_name, p->name);
    sp_event_text(ev, SP_FLD_difference, difference);
    sp_event_text(ev, SP_FLD_key, key);
    sp_event_text(ev, SP_FLD_side, sp_v_side_name(side));
    sp_event_text(ev, SP_FLD_digest, hex);
}

/* The text by which a person finds the row: its key, or all of it where it has none. */
static int row_text(struct sp_vctx *c, const struct sp_vpair *p, const struct held *h, struct sp_buf *out)
{
    if (p->nkey != 0)
        return sp_v_print_key(out, p->cols, p->nkey, h->p, h->n);
    if (c->opt->show_values)
        return sp_v_print_key(out, p->cols, p->ncols, h->p, h->n);
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
        event_begin(&ev, p, missing ? "missing" : "extra", key, side, w->row[side]);
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
        event_begin(&ev, p, "changed", key, SP_SIDE_TARGET, w->row[1]);
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
    const struct held h[2], const char *key)
{
    const uint8_t *at[2] = { h[0].p, h[1].p };
    size_t left[2] = { h[0].n, h[1].n };
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

/* 1 = the row did not turn up, although pass 2 saw it. */
static int emit(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w, const struct held h[2])
{
    if ((w->n[0] != 0 && h[0].p == NULL) || (w->n[1] != 0 && h[1].p == NULL))
        return 1;
    struct sp_buf key = SP_BUF_INIT;
    const uint8_t *const rows[2] = { w->n[0] != 0 ? h[0].p : NULL, w->n[1] != 0 ? h[1].p : NULL };
    const size_t n[2] = { h[0].n, h[1].n };
    enum sp_side side = rows[0] != NULL ? SP_SIDE_SOURCE : SP_SIDE_TARGET;
    int rc = row_text(c, p, &h[side], &key);
    if (rc == 0)
        rc = sp_v_diag_row(c, p, key.p, rows, n);
    if (rc == 0 && rows[0] != NULL && rows[1] != NULL)
        rc = changed(c, p, w, h, key.p);
    else if (rc == 0 && !w->unlisted)
        rc = one_sided(c, p, w, side, key.p);
    if (rc == 0)
        rc = sp_v_diag_row_end(c);
    sp_buf_free(&key);
    return rc;
}

static void release(struct keeper *k)
{
    for (size_t i = 0; i < k->n; i++) {
        free(k->held[i].p);
        k->held[i] = (struct held){ NULL, 0 };
    }
    memset(k->skipped, 0, k->n);
    k->used = 0;
}

static int one_pass(struct sp_vctx *c, const struct sp_vpair *p, struct keeper k[2],
    const struct sp_digest first[2], struct sp_error *err)
{
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
        v[i].row = on_row;
        v[i].payload = &k[i];
    }
    int rc = sp_v_scan(c, v, p->name, first[0].count + first[1].count);
    if (rc == 0 && (k[0].oom || k[1].oom))
        rc = sp_nomem(err);
    else if (rc == 0)
        rc = sp_v_check_rescan(v, first, err);
    sp_v_scan_free(v);
    return rc;
}

/* Events in list order as far as every row is there; returns where the next pass begins. */
static int emit_held(
    struct sp_vctx *c, const struct sp_vpair *p, struct keeper k[2], size_t *first, struct sp_error *err)
{
    size_t i = *first;
    for (; i < k[0].n && c->rc == 0; i++) {
        struct sp_vwanted w = k[0].list[i];
        w.unlisted = i >= k[0].shown;
        if ((k[0].skipped[i] || k[1].skipped[i]) && w.unlisted)
            continue;
        if (k[0].skipped[i] || k[1].skipped[i])
            break;
        const struct held h[2] = { k[0].held[i], k[1].held[i] };
        int rc = emit(c, p, &w, h);
        if (rc == -SP_E_NOMEM)
            return sp_nomem(err);
        if (rc != 0)
            return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
                "a differing row was not seen again; the rows changed while they were being compared");
    }
    *first = i;
    return c->rc;
}

int sp_v_details(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_digest first[2],
    struct sp_vdiffs *diffs, struct sp_error *err)
{
    struct keeper k[2] = { { .side = SP_SIDE_SOURCE }, { .side = SP_SIDE_TARGET } };
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        k[i].list = diffs->list;
        k[i].n = diffs->n;
        k[i].shown = diffs->shown;
        k[i].budget = c->memory / 2;
        k[i].held = calloc(diffs->n + 1, sizeof *k[i].held);
        k[i].skipped = calloc(diffs->n + 1, 1);
        if (k[i].held == NULL || k[i].skipped == NULL) {
            k[i].n = 0;
            rc = sp_nomem(err);
        }
    }
    for (size_t at = 0; rc == 0 && at < diffs->n;) {
        k[0].first = k[1].first = at;
        rc = one_pass(c, p, k, first, err);
        if (rc == 0)
            rc = emit_held(c, p, k, &at, err);
        for (int i = 0; i < 2; i++)
            release(&k[i]);
    }
    for (int i = 0; i < 2; i++) {
        if (k[i].held != NULL && k[i].skipped != NULL)
            release(&k[i]);
        free(k[i].held);
        free(k[i].skipped);
    }
    return rc;
}
