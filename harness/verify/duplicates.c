/* duplicates.c -- counts rows whose values in some columns repeat, on both sides at once.
 *
 * The digests of these values are counted in a sorted array. When they don't fit, the range of digests is cut and the rows are read
 * again for the next range; both sides go through the same ranges, because a group of the target is held against that of
 * the source. Before a second range is begun, one pass fills a map of two bits for each of many slots: values whose slot
 * was met once are alone, and need no room in the array. */
#include <stdlib.h>

#include "verify/duplicates.h"

#define MIN_ENTRIES 64u

struct group {
    struct sp_d128 key;
    uint64_t n;
};

struct counter {
    struct group *g;
    size_t n, cap, nmatch;
    uint64_t from, below; /* range of the digest's high half; below 0 = to the end */
    uint8_t *slots;       /* four in a byte: not met, once, more often; NULL = no map */
    uint64_t nslots;
    bool filling, nulls_equal, stuck, takes_part;
};

int sp_v_has_absent(const struct sp_rowview *row, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        struct sp_vfield f;
        int64_t used = sp_v_field(row->row + at, row->nrow - at, &f);
        if (used < 0)
            return (int)used;
        if (f.state == SP_ST_NULL || f.state == SP_ST_MISSING)
            return 1;
        at += (size_t)used;
    }
    return 0;
}

static int by_key(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    return sp_v_d128_cmp(x->key, y->key);
}

static void compact(struct counter *k)
{
    size_t to = 0;
    if (k->n > 1)
        qsort(k->g, k->n, sizeof *k->g, by_key);
    for (size_t i = 0; i < k->n; i++)
        if (to != 0 && sp_d128_eq(k->g[to - 1].key, k->g[i].key))
            k->g[to - 1].n += k->g[i].n;
        else
            k->g[to++] = k->g[i];
    k->n = to;
}

static void cut_at(struct counter *k, uint64_t below)
{
    k->below = below;
    while (below != 0 && k->n != 0 && k->g[k->n - 1].key.hi >= below)
        k->n--;
}

static bool make_room(struct counter *k)
{
    compact(k);
    if (k->n < k->cap - k->cap / 4)
        return true;
    uint64_t middle = k->g[k->n / 2].key.hi;
    if (middle == k->g[0].key.hi)
        return false;
    cut_at(k, middle);
    return true;
}

static bool in_range(const struct counter *k, uint64_t hi)
{
    return hi >= k->from && (k->below == 0 || hi < k->below);
}

static unsigned slot(const struct counter *k, struct sp_d128 key, uint8_t **byte)
{
    uint64_t at = key.lo % k->nslots;
    *byte = &k->slots[at / 4];
    return (unsigned)(at % 4) * 2;
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct counter *k = payload;
    uint8_t *byte;
    if (!k->filling && !in_range(k, row->key.hi))
        return 0;
    int absent = k->nulls_equal ? 0 : sp_v_has_absent(row, k->nmatch);
    if (absent != 0)
        return absent < 0 ? absent : 0;
    if (k->slots != NULL) {
        unsigned shift = slot(k, row->key, &byte), met = (unsigned)*byte >> shift & 3u;
        if (k->filling) {
            if (met < 2)
                *byte = (uint8_t)(*byte + (1u << shift));
            return 0;
        }
        if (met < 2)
            return 0;
    }
    if (k->n == k->cap) {
        if (!make_room(k)) {
            k->stuck = true;
            return -SP_E_TOO_LARGE;
        }
        if (!in_range(k, row->key.hi))
            return 0;
    }
    k->g[k->n++] = (struct group){ row->key, 1 };
    return 0;
}

static int pass(
    struct sp_vctx *c, const struct sp_vunique *u, struct counter k[2], bool raw, struct sp_error *err)
{
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        sp_v_scan_init(c, &v[i], (enum sp_side)i, k[i].takes_part ? u->pair->t[i] : NULL,
            raw ? u->raw : u->cols, u->ncols, u->ncols, false);
        v[i].row = on_row;
        v[i].payload = &k[i];
    }
    int rc = sp_v_scan(c, v, u->pair->name, 0);
    for (int i = 0; i < 2 && rc == 0; i++)
        if (v[i].session != NULL && v[i].rc != 0)
            rc = k[i].stuck
                     ? sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, "its values do not fit into memory")
                     : sp_fail(err, v[i].err.code == SP_E_OK ? SP_E_INTERNAL : v[i].err.code, v[i].err.origin,
                           "%s could not be read: %s", sp_v_side_name((enum sp_side)i),
                           sp_error_text(&v[i].err));
    sp_v_scan_free(v);
    return rc;
}

/* Half of a side's room for the map, half for the array. */
static int fill_maps(
    struct sp_vctx *c, struct sp_vunique *u, struct counter k[2], bool raw, struct sp_error *err)
{
    for (int i = 0; i < 2; i++) {
        size_t bytes = c->memory / 4;
        if (!k[i].takes_part)
            continue;
        k[i].slots = calloc(bytes + 1, 1);
        if (k[i].slots == NULL)
            return sp_nomem(err);
        k[i].nslots = (uint64_t)bytes * 4;
        k[i].filling = true;
    }
    int rc = pass(c, u, k, raw, err);
    for (int i = 0; i < 2; i++) {
        k[i].filling = false;
        k[i].n = 0;
        k[i].from = k[i].below = 0;
    }
    return rc;
}

static void keep_group(struct sp_vunique *u, struct sp_d128 key)
{
    if (u->ngroups < u->groups_cap)
        u->groups[u->ngroups++] = key;
    else
        u->groups_cut = true;
}

static void merge(struct sp_vunique *u, const struct counter k[2])
{
    size_t i = 0;
    for (size_t s = 0; s < k[0].n; s++)
        u->faults[0] += k[0].g[s].n - 1;
    for (size_t t = 0; t < k[1].n; t++) {
        uint64_t surplus = k[1].g[t].n - 1, before = 0;
        u->faults[1] += surplus;
        while (i < k[0].n && sp_v_d128_cmp(k[0].g[i].key, k[1].g[t].key) < 0)
            i++;
        if (i < k[0].n && sp_d128_eq(k[0].g[i].key, k[1].g[t].key))
            before = k[0].g[i].n - 1;
        if (surplus > before) {
            u->introduced += surplus - before;
            keep_group(u, k[1].g[t].key);
        }
    }
}

/* All ranges, on the sides that take part. */
static int passes(
    struct sp_vctx *c, struct sp_vunique *u, struct counter k[2], bool raw, struct sp_error *err)
{
    bool done = false;
    int rc = 0;
    while (rc == 0 && !done) {
        rc = pass(c, u, k, raw, err);
        if (rc != 0)
            return rc;
        compact(&k[0]);
        compact(&k[1]);
        uint64_t a = k[0].below, b = k[1].below, below = a == 0 ? b : b == 0 || a < b ? a : b;
        if (below != 0 && k[0].slots == NULL && k[1].slots == NULL) {
            rc = fill_maps(c, u, k, raw, err);
            continue;
        }
        cut_at(&k[0], below);
        cut_at(&k[1], below);
        merge(u, k);
        done = below == 0;
        for (int i = 0; i < 2; i++) {
            k[i].n = 0;
            k[i].from = below;
            k[i].below = 0;
        }
    }
    return rc;
}

static int count(struct sp_vctx *c, struct sp_vunique *u, const bool part[2], bool raw, struct sp_error *err)
{
    struct counter k[2];
    int rc = 0;
    u->faults[0] = u->faults[1] = u->introduced = 0;
    u->ngroups = 0;
    for (int i = 0; i < 2; i++) {
        k[i] = (struct counter){ .nmatch = u->ncols, .nulls_equal = u->nulls_equal, .takes_part = part[i] };
        if (!part[i])
            continue;
        k[i].cap = c->memory / 4 / sizeof *k[i].g;
        k[i].cap = k[i].cap < MIN_ENTRIES ? MIN_ENTRIES : k[i].cap;
        k[i].g = malloc(k[i].cap * sizeof *k[i].g);
        if (k[i].g == NULL)
            rc = sp_nomem(err);
    }
    if (rc == 0)
        rc = passes(c, u, k, raw, err);
    for (int i = 0; i < 2; i++) {
        free(k[i].g);
        free(k[i].slots);
    }
    return rc;
}

int sp_v_duplicates(struct sp_vctx *c, struct sp_vunique *u, struct sp_error *err)
{
    const bool part[2] = { !u->enforced[0], !u->enforced[1] }, source[2] = { true, false };
    uint64_t lost = 0;
    int rc = 0;
    if (!part[0] && !part[1])
        return 0;
    if (part[0] && u->rules) { /* what a rule makes equal was not equal before it */
        rc = count(c, u, source, false, err);
        lost = u->faults[0];
        if (rc == 0)
            rc = count(c, u, source, true, err);
        lost = lost > u->faults[0] ? lost - u->faults[0] : 0;
    }
    if (rc == 0)
        rc = count(c, u, part, false, err);
    if (rc == 0) {
        u->faults[0] -= lost;
        uint64_t rest = u->faults[1] - u->introduced;
        u->introduced += lost < rest ? lost : rest;
    }
    return rc;
}
