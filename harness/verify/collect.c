/* collect.c -- pass 2: exact counts of what differs, in bounded memory.
 *
 * Rows of unequal buckets are kept as (key digest, row digest, how often). The range of key digests that fits into
 * memory is planned from the bucket counts of pass 1; where that fails (a bucket of its own too large) a full
 * collector drops the upper half of its range, and the next pass starts there. Both sides are read in every pass, and
 * each pass must see the digest of pass 1 again: otherwise the data changed in between and nothing is concluded. */
#include <stdlib.h>

#include "verify/internal.h"

struct collector {
    struct sp_ventry *e;
    size_t n, cap;
    const uint8_t *unequal;
    unsigned shift;
    uint64_t from, below; /* range of the key digest's high half; below 0 = to the end */
    bool too_many;        /* rows under one key digest alone don't fit */
};

static bool in_range(const struct collector *k, uint64_t hi)
{
    return hi >= k->from && (k->below == 0 || hi < k->below);
}

/* Equal entries become one. */
static void compact(struct collector *k)
{
    size_t to = 0;
    sp_v_sort_entries(k->e, k->n);
    for (size_t i = 0; i < k->n; i++) {
        if (to > 0 && sp_d128_eq(k->e[to - 1].key, k->e[i].key) && sp_d128_eq(k->e[to - 1].row, k->e[i].row))
            k->e[to - 1].n += k->e[i].n;
        else
            k->e[to++] = k->e[i];
    }
    k->n = to;
}

/* Makes room; false when one key alone fills everything. */
static bool make_room(struct collector *k)
{
    compact(k);
    if (k->n < k->cap - k->cap / 4)
        return true;
    size_t cut = k->n / 2;
    while (cut < k->n && k->e[cut].key.hi == k->e[0].key.hi)
        cut++;
    if (cut == k->n)
        return false;
    while (k->e[cut - 1].key.hi == k->e[cut].key.hi)
        cut--;
    k->below = k->e[cut].key.hi;
    k->n = cut;
    return true;
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct collector *k = payload;
    uint64_t bucket = row->key.hi >> k->shift;
    if ((k->unequal[bucket / 8] >> (bucket % 8) & 1) == 0 || !in_range(k, row->key.hi))
        return 0;
    if (k->n == k->cap) {
        if (!make_room(k)) {
            k->too_many = true;
            return -SP_E_TOO_LARGE;
        }
        if (!in_range(k, row->key.hi))
            return 0;
    }
    k->e[k->n++] = (struct sp_ventry){ row->key, row->digest, 1 };
    return 0;
}

/* ---- merging ------------------------------------------------------------------------------------------------- */

static int list(struct sp_vdiffs *d, struct sp_d128 key, const struct sp_d128 *s, uint64_t ns,
    const struct sp_d128 *t, uint64_t nt)
{
    if (d->n == d->max) {
        d->capped = true;
        return 0;
    }
    if ((d->n & (d->n - 1)) == 0) { /* grows at powers of two */
        size_t cap = d->n == 0 ? 1 : d->n * 2;
        struct sp_vwanted *p = realloc(d->list, cap * sizeof *p);
        if (p == NULL)
            return -SP_E_NOMEM;
        d->list = p;
    }
    struct sp_vwanted *w = &d->list[d->n++];
    *w = (struct sp_vwanted){ .key = key, .n = { ns, nt } };
    if (s != NULL)
        w->row[0] = *s;
    if (t != NULL)
        w->row[1] = *t;
    return 0;
}

/* Takes out of both sides what they have in common. */
static void cancel_common(struct sp_ventry *s, size_t ns, struct sp_ventry *t, size_t nt)
{
    for (size_t i = 0, j = 0; i < ns && j < nt;) {
        int r = sp_v_d128_cmp(s[i].row, t[j].row);
        if (r == 0) {
            uint64_t both = s[i].n < t[j].n ? s[i].n : t[j].n;
            s[i].n -= both;
            t[j].n -= both;
        }
        i += r <= 0 ? 1u : 0u;
        j += r >= 0 ? 1u : 0u;
    }
}

static uint64_t total(const struct sp_ventry *e, size_t n)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += e[i].n;
    return sum;
}

/* All rows of one key. What is left after the common rows: pairs are changes, the rest is missing or extra. */
static int merge_key(
    struct sp_vdiffs *d, bool keyed, struct sp_ventry *s, size_t ns, struct sp_ventry *t, size_t nt)
{
    struct sp_d128 key = ns != 0 ? s[0].key : t[0].key;
    uint64_t rows_s = total(s, ns), rows_t = total(t, nt);
    cancel_common(s, ns, t, nt);
    uint64_t left_s = total(s, ns), left_t = total(t, nt);
    if (left_s == 0 && left_t == 0)
        return 0;
    if (keyed) {
        d->counts.duplicates[0] += rows_s > 1 ? rows_s - 1 : 0;
        d->counts.duplicates[1] += rows_t > 1 ? rows_t - 1 : 0;
    }
    uint64_t changed = left_s < left_t ? left_s : left_t;
    d->counts.changed += changed;
    d->counts.missing += left_s - changed;
    d->counts.extra += left_t - changed;
    int rc = 0;
    for (size_t i = 0, j = 0; rc == 0;) {
        while (i < ns && s[i].n == 0)
            i++;
        while (j < nt && t[j].n == 0)
            j++;
        if (i == ns && j == nt)
            break;
        if (i < ns && j < nt) {
            uint64_t both = s[i].n < t[j].n ? s[i].n : t[j].n;
            rc = list(d, key, &s[i].row, both, &t[j].row, both);
            s[i].n -= both;
            t[j].n -= both;
        } else if (i < ns) {
            rc = list(d, key, &s[i].row, s[i].n, NULL, 0);
            i++;
        } else {
            rc = list(d, key, NULL, 0, &t[j].row, t[j].n);
            j++;
        }
    }
    return rc;
}

static size_t key_run(const struct sp_ventry *e, size_t n, size_t i)
{
    size_t k = i;
    while (k < n && sp_d128_eq(e[k].key, e[i].key))
        k++;
    return k - i;
}

static int merge(struct sp_vdiffs *d, bool keyed, struct collector *s, struct collector *t)
{
    int rc = 0;
    for (size_t i = 0, j = 0; rc == 0 && (i < s->n || j < t->n);) {
        int r = i == s->n ? 1 : j == t->n ? -1 : sp_v_d128_cmp(s->e[i].key, t->e[j].key);
        size_t ns = r <= 0 ? key_run(s->e, s->n, i) : 0;
        size_t nt = r >= 0 ? key_run(t->e, t->n, j) : 0;
        rc = merge_key(d, keyed, s->e + i, ns, t->e + j, nt);
        i += ns;
        j += nt;
    }
    return rc;
}

/* ---- passes ---------------------------------------------------------------------------------------------------- */

struct plan {
    const struct sp_digest *buckets[2]; /* of pass 1 */
    const uint8_t *unequal;
    unsigned bits;
    size_t cap;
};

/* The end of the range that starts at the bucket of `from` and fits; 0 = to the end of all. */
static uint64_t plan_range(const struct plan *p, uint64_t from)
{
    size_t n = (size_t)1 << p->bits, b = (size_t)(from >> (64 - p->bits));
    uint64_t sum[2] = { 0, 0 };
    for (size_t first = b; b < n; b++) {
        if ((p->unequal[b / 8] >> (b % 8) & 1) == 0)
            continue;
        for (int i = 0; i < 2; i++)
            sum[i] += p->buckets[i][b].count;
        if ((sum[0] > p->cap || sum[1] > p->cap) && b > first)
            return (uint64_t)b << (64 - p->bits);
    }
    return 0;
}

static bool anything_from(const struct plan *p, uint64_t from)
{
    size_t n = (size_t)1 << p->bits;
    for (size_t b = (size_t)(from >> (64 - p->bits)); b < n; b++)
        if ((p->unequal[b / 8] >> (b % 8) & 1) != 0)
            return true;
    return false;
}

int sp_v_check_rescan(const struct sp_vscan v[2], const struct sp_digest first[2], struct sp_error *err)
{
    for (int i = 0; i < 2; i++) {
        if (v[i].session == NULL)
            continue;
        if (v[i].rc != 0) {
            sp_fail(err, v[i].err.code == SP_E_OK ? SP_E_INTERNAL : v[i].err.code, v[i].err.origin, "%s: %s",
                sp_v_side_name((enum sp_side)i), sp_error_text(&v[i].err));
            return v[i].rc;
        }
        if (!sp_digest_equal(&v[i].digest, &first[i]))
            return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
                "%s: the rows changed while they were being compared", sp_v_side_name((enum sp_side)i));
    }
    return 0;
}

static int one_pass(struct sp_vctx *c, const struct sp_vpair *p, struct collector k[2],
    const struct sp_digest first[2], struct sp_error *err)
{
    struct sp_vscan v[2];
    for (int i = 0; i < 2; i++) {
        sp_v_scan_pair(c, &v[i], (enum sp_side)i, p);
        v[i].row = on_row;
        v[i].payload = &k[i];
    }
    int rc = sp_v_scan(c, v, p->name, first[0].count + first[1].count);
    if (rc == 0 && (k[0].too_many || k[1].too_many))
        rc = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS,
            "more rows share one key than fit into memory; the key is no key");
    else if (rc == 0)
        rc = sp_v_check_rescan(v, first, err);
    sp_v_scan_free(v);
    return rc;
}

/* What lies behind the range that both sides hold whole is left to the next pass. */
static void cut_to(struct collector *k, uint64_t below)
{
    while (below != 0 && k->n > 0 && k->e[k->n - 1].key.hi >= below)
        k->n--;
}

int sp_v_collect(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_digest *const buckets[2],
    const uint8_t *unequal, unsigned bucket_bits, const struct sp_digest first[2], struct sp_vdiffs *out,
    struct sp_error *err)
{
    struct plan plan = { { buckets[0], buckets[1] }, unequal, bucket_bits,
        c->memory / 2 / sizeof(struct sp_ventry) };
    struct collector k[2] = { { .unequal = unequal, .shift = 64 - bucket_bits },
        { .unequal = unequal, .shift = 64 - bucket_bits } };
    uint64_t from = 0;
    int rc = 0;
    for (int i = 0; i < 2; i++) {
        uint64_t need = first[i].count + 16;
        k[i].cap = need < plan.cap ? (size_t)need : plan.cap;
        k[i].e = malloc(k[i].cap * sizeof *k[i].e);
        if (k[i].e == NULL)
            rc = sp_nomem(err);
    }
    while (rc == 0 && anything_from(&plan, from)) {
        for (int i = 0; i < 2; i++) {
            k[i].from = from;
            k[i].below = plan_range(&plan, from);
            k[i].n = 0;
        }
        rc = one_pass(c, p, k, first, err);
        if (rc != 0)
            break;
        uint64_t below = k[0].below == 0                              ? k[1].below
                         : k[1].below == 0 || k[0].below < k[1].below ? k[0].below
                                                                      : k[1].below;
        for (int i = 0; i < 2; i++) {
            compact(&k[i]);
            cut_to(&k[i], below);
        }
        if (merge(out, p->nkey != 0, &k[0], &k[1]) != 0)
            rc = sp_nomem(err);
        if (below == 0)
            break;
        from = below;
    }
    free(k[0].e);
    free(k[1].e);
    return rc;
}
