/* scan_ranges.c -- see scan_ranges.h. */
#include <stdlib.h>

#include "scan_ranges.h"

int sp_ranges_init(struct sp_ranges *r)
{
    *r = (struct sp_ranges){ .d = calloc(SP_RANGES, sizeof *r->d) };
    return r->d == NULL ? -SP_E_NOMEM : 0;
}

void sp_ranges_free(struct sp_ranges *r)
{
    free(r->d);
    *r = (struct sp_ranges){ .d = NULL };
}

bool sp_ranges_possible(enum sp_tag tag)
{
    return tag == SP_INT || tag == SP_UUID || tag == SP_MISSING;
}

/* First and last range that holds rows; false: none. */
static bool used(const struct sp_ranges *r, size_t *first, size_t *last)
{
    size_t i = 0, k = r->n;
    while (i < r->n && r->d[i].count == 0)
        i++;
    while (k > i && r->d[k - 1].count == 0)
        k--;
    *first = i;
    *last = k - 1;
    return i < k;
}

/* Joins ranges until 2^shift values stand in each, and puts those of `base` in front. The values that are there must fit. */
static void rearrange(struct sp_ranges *r, unsigned shift, uint64_t base)
{
    size_t first, last;
    uint64_t highest = (UINT64_MAX >> shift) - (SP_RANGES - 1); /* behind it, ranges would begin again at 0 */
    base = base < highest ? base : highest;
    unsigned k = shift - r->shift;
    if (used(r, &first, &last)) {
        uint64_t low = (r->base + first) >> k;
        size_t n = 0;
        for (size_t i = first; i <= last; i++) { /* to the front, joined; never overtakes itself */
            struct sp_digest d = r->d[i];
            size_t to = (size_t)(((r->base + i) >> k) - low);
            r->d[i] = (struct sp_digest){ 0 };
            sp_digest_merge(&r->d[to], &d);
            n = to + 1;
        }
        size_t at = (size_t)(low - base);
        memmove(r->d + at, r->d, n * sizeof *r->d);
        memset(r->d, 0, (at < n ? at : n) * sizeof *r->d);
    }
    r->shift = shift;
    r->base = base;
    r->n = SP_RANGES;
}

/* Values from min to max fit side by side. */
static unsigned shift_for(uint64_t min, uint64_t max, unsigned shift)
{
    while ((max >> shift) - (min >> shift) >= SP_RANGES)
        shift++;
    return shift;
}

static uint64_t first_of(const struct sp_ranges *r, size_t range)
{
    return (r->base + range) << r->shift;
}

static uint64_t last_of(const struct sp_ranges *r, size_t range)
{
    return first_of(r, range) + ((UINT64_C(1) << r->shift) - 1);
}

/* The room is on the side where the value came from: there will be more. */
static void grow(struct sp_ranges *r, uint64_t min, uint64_t max, uint64_t value)
{
    bool below = value < min;
    unsigned shift = below ? shift_for(value, max, r->shift) : shift_for(min, value, r->shift);
    uint64_t top = max >> shift, base = min >> shift;
    if (below)
        base = top >= SP_RANGES - 1 ? top - (SP_RANGES - 1) : 0;
    rearrange(r, shift, base);
}

/* ---- values apart ---------------------------------------------------------------------------------------------- */

#define NEAR  1u  /* ranges may become so much wider (as power of two) for one value alone */
#define WORTH 4u  /* and so much narrower, values are left out for that */
#define LOOSE 16u /* values in ranges of their own that may be set apart again */
#define FAR   (SP_RANGES_FAR - LOOSE) /* values apart at most, before that */
#define KEPT  32u                     /* as many stay apart when they have become too many */

static bool inside(const struct sp_ranges *r, uint64_t value)
{
    return (value >> r->shift) - r->base < r->n;
}

/* Those that have a range by now go there. */
static void fold(struct sp_ranges *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->nfar; i++) {
        if (inside(r, r->far[i].value))
            sp_digest_merge(&r->d[(r->far[i].value >> r->shift) - r->base], &r->far[i].d);
        else
            r->far[n++] = r->far[i];
    }
    r->nfar = n;
}

/* Takes the values out of the ranges and sets them apart, where each has a range of its own, and there are few. */
static bool loosen(struct sp_ranges *r)
{
    size_t first, last, n = 0;
    if (r->shift != 0 || !used(r, &first, &last))
        return false;
    for (size_t i = first; i <= last && n <= LOOSE; i++)
        n += r->d[i].count != 0;
    if (n > LOOSE || r->nfar + n > SP_RANGES_FAR)
        return false;
    for (size_t i = first; i <= last; i++)
        if (r->d[i].count != 0) {
            r->far[r->nfar++] = (struct sp_range_far){ r->base + i, r->d[i] };
            r->d[i] = (struct sp_digest){ 0 };
        }
    return true;
}

static int by_value(const void *a, const void *b)
{
    const struct sp_range_far *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* The values apart are too many: the ranges shall hold them, but for a few that would make the ranges much wider. What has a
 * range keeps it (first to last, if `any`). */
static void regroup(struct sp_ranges *r, uint64_t first, uint64_t last)
{
    bool any = !loosen(r);
    const struct sp_range_far *f = r->far;
    size_t n = r->nfar;
    qsort(r->far, n, sizeof *r->far, by_value);
    uint64_t min = any && first < f[0].value ? first : f[0].value;
    uint64_t max = any && last > f[n - 1].value ? last : f[n - 1].value;
    unsigned all = shift_for(min, max, r->shift), best = all;
    for (size_t i = 0; i <= KEPT; i++)
        for (size_t out = i; out <= KEPT;
             out++) { /* i of the smallest stay out, and out - i of the largest */
            uint64_t low = f[i].value, high = f[n - 1 - (out - i)].value;
            low = any && first < low ? first : low;
            high = any && last > high ? last : high;
            unsigned shift = shift_for(low, high, r->shift);
            if (shift + WORTH > all || shift >= best)
                continue;
            best = shift;
            min = low;
            max = high;
        }
    rearrange(r, best, min >> best);
    fold(r);
}

static bool add_apart(struct sp_ranges *r, uint64_t value, const struct sp_digest *rows)
{
    for (size_t i = 0; i < r->nfar; i++)
        if (r->far[i].value == value) {
            sp_digest_merge(&r->far[i].d, rows);
            return true;
        }
    if (r->nfar >= FAR)
        return false;
    r->far[r->nfar++] = (struct sp_range_far){ value, *rows };
    return true;
}

void sp_ranges_outside_(struct sp_ranges *r, uint64_t value, const struct sp_digest *rows)
{
    size_t first, last;
    bool any = used(r, &first, &last);
    uint64_t min = any ? first_of(r, first) : value, max = any ? last_of(r, last) : value;
    if (!any) {
        rearrange(r, r->shift, value >> r->shift);
    } else if (shift_for(value < min ? value : min, value > max ? value : max, r->shift) <= r->shift + NEAR) {
        grow(r, min, max, value);
    } else if (add_apart(r, value, rows)) {
        return;
    } else {
        regroup(r, min, max);
    }
    if (inside(r, value))
        sp_digest_merge(&r->d[(value >> r->shift) - r->base], rows);
    else
        (void)add_apart(r, value, rows); /* half of the places are free now */
}

/* A few values of one side that are far from all of the other's are set apart. */
static void loosen_one(struct sp_ranges *const both[2])
{
    uint64_t min[2], max[2];
    for (int i = 0; i < 2; i++) {
        size_t first, last;
        if (!used(both[i], &first, &last))
            return;
        min[i] = first_of(both[i], first);
        max[i] = last_of(both[i], last);
    }
    unsigned shift = shift_for(min[0] < min[1] ? min[0] : min[1], max[0] > max[1] ? max[0] : max[1], 0);
    for (int i = 0; i < 2; i++)
        if (shift >= both[1 - i]->shift + WORTH && loosen(both[i]))
            return;
}

void sp_ranges_align(struct sp_ranges *a, struct sp_ranges *b)
{
    struct sp_ranges *const both[2] = { a, b };
    uint64_t min = UINT64_MAX, max = 0;
    unsigned shift = a->shift > b->shift ? a->shift : b->shift;
    loosen_one(both);
    for (int i = 0; i < 2; i++) {
        size_t first, last;
        if (!used(both[i], &first, &last))
            continue;
        min = first_of(both[i], first) < min ? first_of(both[i], first) : min;
        max = last_of(both[i], last) > max ? last_of(both[i], last) : max;
    }
    if (min > max) /* no row on either side */
        min = max;
    shift = shift_for(min, max, shift);
    for (int i = 0; i < 2; i++) {
        rearrange(both[i], shift, min >> shift);
        fold(both[i]);
    }
}

void sp_ranges_merge(struct sp_ranges *into, struct sp_ranges *from)
{
    sp_ranges_align(into, from);
    for (size_t i = 0; i < SP_RANGES; i++)
        if (from->d[i].count != 0)
            sp_digest_merge(&into->d[i], &from->d[i]);
    for (size_t i = 0; i < from->nfar; i++) {
        const struct sp_range_far *f = &from->far[i];
        if (inside(into, f->value))
            sp_digest_merge(&into->d[(f->value >> into->shift) - into->base], &f->d);
        else
            sp_ranges_outside_(into, f->value, &f->d);
    }
    sp_digest_merge(&into->rest, &from->rest);
}
