/* sort.c -- sorting digests in place, and finding one among many. Memory is bounded (qsort of the C library may take as
 * much again), and digests are evenly spread, so that a plain quicksort with three-way partition is enough. */
#include <stdlib.h>

#include "verify/internal.h"

int sp_v_d128_cmp(struct sp_d128 a, struct sp_d128 b)
{
    if (a.hi != b.hi)
        return a.hi < b.hi ? -1 : 1;
    if (a.lo != b.lo)
        return a.lo < b.lo ? -1 : 1;
    return 0;
}

static int entry_cmp(const struct sp_ventry *a, const struct sp_ventry *b)
{
    int r = sp_v_d128_cmp(a->key, b->key);
    return r != 0 ? r : sp_v_d128_cmp(a->row, b->row);
}
static int digest_cmp(const struct sp_d128 *a, const struct sp_d128 *b)
{
    return sp_v_d128_cmp(*a, *b);
}

#define SMALL 16

/* The larger part waits on the stack, the smaller one is done first: at most log2(n) parts wait. */
#define DEFINE_SORT(NAME, TYPE, CMP)                                                                         \
    static void NAME##_small(TYPE *a, size_t n)                                                              \
    {                                                                                                        \
        for (size_t i = 1; i < n; i++) {                                                                     \
            TYPE x = a[i];                                                                                   \
            size_t j = i;                                                                                    \
            for (; j > 0 && CMP(&x, &a[j - 1]) < 0; j--)                                                     \
                a[j] = a[j - 1];                                                                             \
            a[j] = x;                                                                                        \
        }                                                                                                    \
    }                                                                                                        \
    static TYPE NAME##_pivot(const TYPE *a, size_t n)                                                        \
    {                                                                                                        \
        const TYPE *x = &a[n / 4], *y = &a[n / 2], *z = &a[n - n / 4 - 1];                                   \
        if (CMP(x, y) > 0) {                                                                                 \
            const TYPE *t = x;                                                                               \
            x = y;                                                                                           \
            y = t;                                                                                           \
        }                                                                                                    \
        return CMP(z, x) <= 0 ? *x : CMP(z, y) < 0 ? *z : *y;                                                \
    }                                                                                                        \
    static void NAME(TYPE *a, size_t n)                                                                      \
    {                                                                                                        \
        struct {                                                                                             \
            TYPE *a;                                                                                         \
            size_t n;                                                                                        \
        } wait[64];                                                                                          \
        size_t nwait = 0;                                                                                    \
        for (;;) {                                                                                           \
            if (n <= SMALL) {                                                                                \
                NAME##_small(a, n);                                                                          \
                if (nwait == 0)                                                                              \
                    return;                                                                                  \
                nwait--;                                                                                     \
                a = wait[nwait].a;                                                                           \
                n = wait[nwait].n;                                                                           \
                continue;                                                                                    \
            }                                                                                                \
            TYPE pivot = NAME##_pivot(a, n);                                                                 \
            size_t lt = 0, i = 0, gt = n; /* below | equal | open | above */                                 \
            while (i < gt) {                                                                                 \
                int r = CMP(&a[i], &pivot);                                                                  \
                if (r == 0) {                                                                                \
                    i++;                                                                                     \
                    continue;                                                                                \
                }                                                                                            \
                size_t to = r < 0 ? lt++ : --gt;                                                             \
                TYPE t = a[i];                                                                               \
                a[i] = a[to];                                                                                \
                a[to] = t;                                                                                   \
                i += r < 0 ? 1u : 0u;                                                                        \
            }                                                                                                \
            bool low_first = lt < n - gt;                                                                    \
            wait[nwait].a = low_first ? a + gt : a;                                                          \
            wait[nwait++].n = low_first ? n - gt : lt;                                                       \
            a = low_first ? a : a + gt;                                                                      \
            n = low_first ? lt : n - gt;                                                                     \
        }                                                                                                    \
    }

DEFINE_SORT(sort_entries, struct sp_ventry, entry_cmp)
DEFINE_SORT(sort_digests, struct sp_d128, digest_cmp)

/* ---- a radix pass first, because digests are evenly spread -------------------------------------------------------- */

#define PER_BUCKET  4
#define COARSE_BITS 8     /* few enough places to write to */
#define FINE_MAX    32768 /* digests that stay in the cache while they are scattered */

struct spread {
    uint64_t min;
    unsigned shift;
    size_t nbuckets;
};

/* About 2^bits buckets between the smallest and the largest. */
static struct spread spread_of(uint64_t min, uint64_t max, unsigned bits)
{
    struct spread s = { .min = min };
    unsigned width = max == min ? 1 : 64 - (unsigned)__builtin_clzll(max - min);
    s.shift = width > bits ? width - bits : 0;
    s.nbuckets = (size_t)((max - min) >> s.shift) + 1;
    return s;
}

static unsigned fine_bits(size_t n)
{
    unsigned bits = 1;
    while (((size_t)PER_BUCKET << bits) < n)
        bits++;
    return bits;
}

static inline size_t place(const struct spread *s, uint64_t hi)
{
    return (size_t)((hi - s->min) >> s->shift);
}

/* Scattering puts every element into its bucket, in place: `at` is where each bucket's next one goes, `end` where it ends.
 * Large sets first go into few buckets, each of which then fits the cache. The range of a bucket is at most a 128th of
 * its set's: the depth is bounded by the digest's 64 bits. */
#define DEFINE_RADIX(NAME, TYPE, HI, PLAIN)                                                                  \
    static struct spread NAME##_measure(const TYPE *d, size_t n, unsigned bits)                              \
    {                                                                                                        \
        uint64_t min = d[0].HI, max = d[0].HI;                                                               \
        for (size_t i = 1; i < n; i++) {                                                                     \
            min = d[i].HI < min ? d[i].HI : min;                                                             \
            max = d[i].HI > max ? d[i].HI : max;                                                             \
        }                                                                                                    \
        return spread_of(min, max, bits);                                                                    \
    }                                                                                                        \
    static void NAME##_scatter(TYPE *d, const struct spread *s, uint32_t *at, const uint32_t *end)           \
    {                                                                                                        \
        for (size_t b = 0; b < s->nbuckets; b++) {                                                           \
            while (at[b] < end[b]) {                                                                         \
                TYPE x = d[at[b]];                                                                           \
                size_t to = place(s, x.HI);                                                                  \
                while (to != b) {                                                                            \
                    TYPE y = d[at[to]];                                                                      \
                    d[at[to]++] = x;                                                                         \
                    x = y;                                                                                   \
                    to = place(s, x.HI);                                                                     \
                }                                                                                            \
                d[at[b]++] = x;                                                                              \
            }                                                                                                \
        }                                                                                                    \
    }                                                                                                        \
    static bool NAME(TYPE *d, size_t n)                                                                      \
    {                                                                                                        \
        bool coarse = n > FINE_MAX;                                                                          \
        struct spread s = NAME##_measure(d, n, coarse ? COARSE_BITS : fine_bits(n));                         \
        if (s.nbuckets == 1)                                                                                 \
            return false;                                                                                    \
        uint32_t *at = calloc(s.nbuckets, sizeof *at), *end = calloc(s.nbuckets, sizeof *end);               \
        bool ok = at != NULL && end != NULL;                                                                 \
        if (ok) {                                                                                            \
            for (size_t i = 0; i < n; i++)                                                                   \
                end[place(&s, d[i].HI)]++;                                                                   \
            for (size_t b = 0, sum = 0; b < s.nbuckets; b++) {                                               \
                at[b] = (uint32_t)sum;                                                                       \
                sum += end[b];                                                                               \
                end[b] = (uint32_t)sum;                                                                      \
            }                                                                                                \
            NAME##_scatter(d, &s, at, end);                                                                  \
            for (size_t b = 0, from = 0; b < s.nbuckets; from = end[b++]) {                                  \
                size_t m = end[b] - from;                                                                    \
                if (m > 1 && (m < 64 || !NAME(d + from, m)))                                                 \
                    PLAIN(d + from, m);                                                                      \
            }                                                                                                \
        }                                                                                                    \
        free(at);                                                                                            \
        free(end);                                                                                           \
        return ok;                                                                                           \
    }

DEFINE_RADIX(radix_digests, struct sp_d128, hi, sort_digests)
DEFINE_RADIX(radix_entries, struct sp_ventry, key.hi, sort_entries)

void sp_v_sort_digests(struct sp_d128 *d, size_t n)
{
    if (n < 64 || n > UINT32_MAX || !radix_digests(d, n))
        sort_digests(d, n);
}

void sp_v_sort_entries(struct sp_ventry *e, size_t n)
{
    if (n < 64 || n > UINT32_MAX || !radix_entries(e, n))
        sort_entries(e, n);
}

size_t sp_v_compact_entries(struct sp_ventry *e, size_t n)
{
    size_t to = 0;
    sp_v_sort_entries(e, n);
    for (size_t i = 0; i < n; i++) {
        if (to > 0 && sp_d128_eq(e[to - 1].key, e[i].key) && sp_d128_eq(e[to - 1].row, e[i].row))
            e[to - 1].n += e[i].n;
        else
            e[to++] = e[i];
    }
    return to;
}

/* ---- looking up ---------------------------------------------------------------------------------------------------- */

int sp_v_index_make(struct sp_vindex *x, const struct sp_d128 *d, size_t n)
{
    *x = (struct sp_vindex){ .d = d, .n = n };
    if (n == 0)
        return 0;
    if (n > UINT32_MAX)
        return -SP_E_TOO_LARGE;
    struct spread s = spread_of(d[0].hi, d[n - 1].hi, fine_bits(n));
    x->start = malloc((s.nbuckets + 1) * sizeof *x->start);
    if (x->start == NULL)
        return -SP_E_NOMEM;
    x->min = s.min;
    x->shift = s.shift;
    x->nbuckets = s.nbuckets;
    size_t b = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t to = place(&s, d[i].hi); b <= to; b++)
            x->start[b] = (uint32_t)i;
    for (; b <= s.nbuckets; b++)
        x->start[b] = (uint32_t)n;
    return 0;
}

void sp_v_index_free(struct sp_vindex *x)
{
    free(x->start);
    *x = (struct sp_vindex){ .d = NULL };
}

size_t sp_v_index_find(const struct sp_vindex *x, struct sp_d128 what)
{
    if (x->n == 0 || what.hi < x->min)
        return x->n;
    uint64_t b = (what.hi - x->min) >> x->shift;
    if (b >= x->nbuckets)
        return x->n;
    for (size_t i = x->start[b]; i < x->start[b + 1]; i++)
        if (sp_d128_eq(x->d[i], what))
            return i;
    return x->n;
}

/* The bucket, or the last one for what lies outside of all. */
static inline size_t near(const struct sp_vindex *x, struct sp_d128 what)
{
    uint64_t b = (what.hi - x->min) >> x->shift;
    return b < x->nbuckets ? (size_t)b : x->nbuckets - 1;
}

/* Many at once: memory answers while the others are being asked. */
size_t sp_v_index_absent(const struct sp_vindex *x, struct sp_d128 *what, size_t n)
{
    size_t absent = 0;
    if (x->n == 0)
        return n;
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&x->start[near(x, what[i])]);
    for (size_t i = 0; i < n; i++)
        __builtin_prefetch(&x->d[x->start[near(x, what[i])]]);
    for (size_t i = 0; i < n; i++)
        if (sp_v_index_find(x, what[i]) == x->n)
            what[absent++] = what[i];
    return absent;
}
