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
void sp_ranges_grow_(struct sp_ranges *r, uint64_t value)
{
    size_t first, last;
    if (!used(r, &first, &last)) {
        rearrange(r, r->shift, value >> r->shift);
        return;
    }
    uint64_t min = first_of(r, first), max = last_of(r, last);
    bool below = value < min;
    unsigned shift = below ? shift_for(value, max, r->shift) : shift_for(min, value, r->shift);
    uint64_t top = max >> shift, base = min >> shift;
    if (below)
        base = top >= SP_RANGES - 1 ? top - (SP_RANGES - 1) : 0;
    rearrange(r, shift, base);
}

void sp_ranges_align(struct sp_ranges *a, struct sp_ranges *b)
{
    struct sp_ranges *const both[2] = { a, b };
    uint64_t min = UINT64_MAX, max = 0;
    unsigned shift = a->shift > b->shift ? a->shift : b->shift;
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
    for (int i = 0; i < 2; i++)
        rearrange(both[i], shift, min >> shift);
}

void sp_ranges_merge(struct sp_ranges *into, struct sp_ranges *from)
{
    sp_ranges_align(into, from);
    for (size_t i = 0; i < SP_RANGES; i++)
        if (from->d[i].count != 0)
            sp_digest_merge(&into->d[i], &from->d[i]);
    sp_digest_merge(&into->rest, &from->rest);
}
