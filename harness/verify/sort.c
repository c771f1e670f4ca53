/* sort.c -- sorting digests in place: bounded memory (qsort of the C library may take as much again), and digests
 * are evenly spread, so that a plain quicksort with three-way partition is enough. */
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

void sp_v_sort_entries(struct sp_ventry *e, size_t n)
{
    if (n > 1)
        sort_entries(e, n);
}
void sp_v_sort_digests(struct sp_d128 *d, size_t n)
{
    if (n > 1)
        sort_digests(d, n);
}

/* Interpolates between the ends of what is left: a step or two where a binary search takes twenty. */
size_t sp_v_find_digest(const struct sp_d128 *d, size_t n, struct sp_d128 x)
{
    size_t lo = 0, hi = n; /* x, if it is there, is in [lo, hi) */
    for (unsigned step = 0; hi - lo > 8; step++) {
        uint64_t first = d[lo].hi, last = d[hi - 1].hi;
        if (x.hi < first || x.hi > last)
            return n;
        size_t mid = lo + (hi - lo) / 2;
        if (step < 6 && last > first)
            mid = lo + (size_t)((double)(x.hi - first) / (double)(last - first) * (double)(hi - lo - 1));
        int r = sp_v_d128_cmp(x, d[mid]);
        if (r == 0)
            return mid;
        if (r < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    for (; lo < hi; lo++)
        if (sp_d128_eq(d[lo], x))
            return lo;
    return n;
}
