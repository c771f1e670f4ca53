/* gather.c -- the listed rows, whole, of both sides (and others that differ, where they are at hand): those that pass 2 held, those that can be fetched by key, and the rest by
 * reading the suspects once more. What does not fit into memory waits in a file without a name; whatever the rows' size and
 * number, nothing is read more than once more. */
#include <stdlib.h>
#include <unistd.h>

#include "verify/internal.h"

#define LEAST_S 0.25 /* is worth a try */

static bool lacking(const struct sp_vgather *g, size_t i, int side)
{
    return g->list[i].n[side] != 0 && !g->found[side][i].have;
}

bool sp_v_lacks(const struct sp_vgather *g, size_t i)
{
    return lacking(g, i, 0) || lacking(g, i, 1);
}

static size_t count_lacking(const struct sp_vgather *g)
{
    size_t n = 0;
    for (size_t i = 0; i < g->n && i < g->shown; i++)
        n += (size_t)lacking(g, i, 0) + (size_t)lacking(g, i, 1);
    return n;
}

/* ---- keeping --------------------------------------------------------------------------------------------------- */

static int keep(struct sp_vgather *g, int side, struct sp_vfound *f, const struct sp_rowview *row)
{
    struct sp_vplace *to = &g->place[side];
    if (row->nrow <= to->room) {
        uint8_t *p = malloc(row->nrow + 1);
        if (p == NULL)
            return sp_nomem(&to->err);
        memcpy(p, row->row, row->nrow);
        to->room -= row->nrow;
        *f = (struct sp_vfound){ .p = p, .n = row->nrow, .have = true, .owned = true };
        return 0;
    }
    int rc = 0;
    if (to->fd < 0)
        rc = to->fd = sp_temp_open(&to->err);
    if (rc >= 0)
        rc = sp_temp_write(to->fd, row->row, row->nrow, to->used, &to->err);
    if (rc == 0)
        *f = (struct sp_vfound){ .n = row->nrow, .at = to->used, .have = true };
    to->used += row->nrow;
    return rc;
}

struct receiver {
    struct sp_vgather *g;
    int side;
    const size_t *asked; /* of a fetch: places in the list */
};

static int take(struct receiver *r, size_t i, const struct sp_rowview *row)
{
    struct sp_vgather *g = r->g;
    if (!lacking(g, i, r->side) || !sp_d128_eq(g->list[i].row[r->side], row->digest))
        return 0;
    if (i >= g->shown && row->nrow > g->place[r->side].room)
        return 0;
    return g->place[r->side].rc = keep(g, r->side, &g->found[r->side][i], row);
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct receiver *r = payload;
    const struct sp_vgather *g = r->g;
    size_t lo = 0, hi = g->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (sp_v_d128_cmp(g->list[mid].key, row->key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    int rc = 0;
    for (; rc == 0 && lo < g->n && sp_d128_eq(g->list[lo].key, row->key); lo++)
        rc = take(r, lo, row);
    return rc;
}

static void restart(void *payload)
{
    (void)payload; /* a row that was found is found */
}

static int on_fetched(void *payload, size_t key, const struct sp_rowview *row)
{
    struct receiver *r = payload;
    return take(r, r->asked[key], row);
}

/* What stopped the reading, not that it was stopped. */
static int own_failure(struct sp_vgather *g, int rc, struct sp_error *err)
{
    for (int i = 0; i < 2; i++)
        if (g->place[i].rc != 0) {
            rc = g->place[i].rc;
            sp_error_move(err, &g->place[i].err);
        }
    return rc;
}

/* ---- where rows come from -------------------------------------------------------------------------------------- */

static void take_held(struct sp_vgather *g, const struct sp_vdiffs *d)
{
    for (size_t i = 0; i < g->n; i++)
        for (int s = 0; s < 2; s++) {
            const struct sp_vheld *h =
                lacking(g, i, s) ? sp_v_hold_find(&d->hold[s], d->list[i].key, d->list[i].row[s]) : NULL;
            if (h != NULL && h->whole)
                g->found[s][i] = (struct sp_vfound){ .p = d->hold[s].bytes + h->at, .n = h->n, .have = true };
        }
}

/* The key's bytes, if pass 2 kept them. */
static bool known_key(const struct sp_vdiffs *d, size_t nkey, size_t i, struct sp_vkey *out)
{
    for (int s = 0; s < 2; s++) {
        const struct sp_vheld *h =
            d->list[i].n[s] != 0 ? sp_v_hold_find(&d->hold[s], d->list[i].key, d->list[i].row[s]) : NULL;
        if (h == NULL)
            continue;
        *out = (struct sp_vkey){ d->hold[s].bytes + h->at, h->n };
        size_t used = 0;
        for (size_t k = 0; h->whole && k < nkey; k++) {
            struct sp_vfield f;
            int64_t n = sp_v_field(out->p + used, h->n - used, &f);
            if (n < 0)
                return false;
            used += (size_t)n;
        }
        out->n = h->whole ? used : h->n;
        return true;
    }
    return false;
}

/* 0 = all are there; 1 = not; negative = failed. */
static int fetch_side(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vdiffs *d,
    struct sp_vgather *g, int side, struct sp_error *err)
{
    struct sp_vkey *keys = calloc(g->n, sizeof *keys);
    size_t *asked = calloc(g->n, sizeof *asked), n = 0;
    int rc = keys == NULL || asked == NULL ? sp_nomem(err) : 0;
    for (size_t i = 0; rc == 0 && i < g->n && i < g->shown; i++) {
        if (!lacking(g, i, side))
            continue;
        asked[n] = i;
        rc = known_key(d, p->nkey, i, &keys[n++]) ? 0 : 1;
    }
    if (rc == 0 && n != 0) {
        struct receiver r = { g, side, asked };
        struct sp_error why = SP_ERROR_INIT;
        uint64_t failed = c->failed_scans;
        double most = p->scan_s > LEAST_S ? p->scan_s : LEAST_S;
        rc = sp_v_fetch(c, p, (enum sp_side)side, keys, n, SP_VF_TRY, most, on_fetched, &r, &why);
        if (rc != 0 && c->rc == 0)
            rc = g->place[side].rc != 0 ? own_failure(g, rc, err) : 1; /* there is another way */
        c->failed_scans = failed;
        sp_error_clear(&why);
    }
    free(keys);
    free(asked);
    return rc;
}

int sp_v_gather(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *suspects,
    const struct sp_digest first[2], const struct sp_vdiffs *d, struct sp_vgather *g, struct sp_error *err)
{
    *g = (struct sp_vgather){ .list = d->list, .n = d->n, .shown = d->shown };
    int rc = 0;
    for (int s = 0; s < 2; s++) {
        g->place[s] = (struct sp_vplace){ .fd = -1, .room = c->memory / 8, .err = SP_ERROR_INIT };
        g->found[s] = calloc(d->n + 1, sizeof *g->found[s]);
        if (g->found[s] == NULL)
            rc = sp_nomem(err);
    }
    if (rc != 0)
        return rc;
    take_held(g, d);
    for (int s = 0; rc == 0 && s < 2 && p->nkey != 0; s++)
        rc = fetch_side(c, p, d, g, s, err);
    if (rc < 0 || count_lacking(g) == 0)
        return rc < 0 ? rc : 0;
    struct receiver r[2] = { { g, 0, NULL }, { g, 1, NULL } };
    const struct sp_vreceiver to = { on_row, restart, { &r[0], &r[1] } };
    return own_failure(g, sp_v_reread(c, p, suspects, first, &to, err), err);
}

int sp_v_gathered(
    struct sp_vgather *g, size_t i, enum sp_side side, struct sp_vfound *out, struct sp_error *err)
{
    *out = g->found[side][i];
    if (!out->have || out->p != NULL)
        return 0;
    out->p = malloc(out->n + 1);
    out->owned = true;
    if (out->p == NULL)
        return sp_nomem(err);
    return sp_temp_read(g->place[side].fd, out->p, out->n, out->at, err);
}

void sp_v_gather_free(struct sp_vgather *g)
{
    for (int s = 0; s < 2; s++) {
        for (size_t i = 0; g->found[s] != NULL && i < g->n; i++)
            if (g->found[s][i].owned)
                free(g->found[s][i].p);
        free(g->found[s]);
        if (g->place[s].fd >= 0)
            close(g->place[s].fd);
        sp_error_clear(&g->place[s].err);
    }
    *g = (struct sp_vgather){ .place = { { .fd = -1 }, { .fd = -1 } } };
}
