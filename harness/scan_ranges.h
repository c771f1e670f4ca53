/* scan_ranges.h -- set digests of the rows, by ranges of the first key column's value.
 *
 * Where that is an integer or a uuid, neighbouring keys share a range, so that a range which differs can be read again alone,
 * by an index. Nothing has to be known of the values beforehand: 2^shift of them stand in a range, and where smaller or
 * larger ones come, ranges are joined two by two. A few values that are far from all others are kept apart, each on its
 * own: one key near 2^62 would else put all of the table into one range. Two sides (or two parts of one) are brought to
 * the same ranges before they are compared. Sums of digests don't mind being joined.
 *
 * A set of ranges belongs to one thread; 1.5 MiB, of which what holds no row costs nothing. */
#ifndef SP_SCAN_RANGES_H
#define SP_SCAN_RANGES_H

#include <endian.h>
#include <string.h>

#include "model/canonical.h"

#define SP_RANGES ((size_t)1 << 16)

#define SP_RANGES_FAR 64
struct sp_range_far {
    uint64_t value;
    struct sp_digest d;
};

struct sp_ranges {
    struct sp_digest *d; /* SP_RANGES, owned: d[b] is of the values with value >> shift == base + b */
    uint64_t base;
    unsigned shift;
    size_t n;                               /* 0 until the first value came, then SP_RANGES */
    struct sp_digest rest;                  /* rows whose key has no such value */
    struct sp_range_far far[SP_RANGES_FAR]; /* in no order */
    size_t nfar;
};

int sp_ranges_init(struct sp_ranges *r); /* 0 or -SP_E_NOMEM */
void sp_ranges_free(struct sp_ranges *r);
/* Can a column of this comparison type have such values at all? */
bool sp_ranges_possible(enum sp_tag tag);
/* Adds rows under a value that stands in no range yet; for sp_ranges_add(). */
void sp_ranges_outside_(struct sp_ranges *r, uint64_t value, const struct sp_digest *rows);
/* Brings both to the same ranges. Values that stay apart on either side stand in no range on both. */
void sp_ranges_align(struct sp_ranges *a, struct sp_ranges *b);
/* Adds `from`, which is brought to the same ranges. */
void sp_ranges_merge(struct sp_ranges *into, struct sp_ranges *from);

/* The value that a canonical field is ordered by: false if it has none. A uuid's is that of its first eight octets. */
static inline bool sp_range_value(enum sp_tag type, const uint8_t *field, uint64_t *value)
{
    uint64_t v;
    if (field[0] != SP_ST_PRESENT)
        return false;
    if (type == SP_MISSING) { /* of values of many types, the integers */
        if (field[5] != SP_INT)
            return false;
        type = SP_INT;
        field++;
    }
    if (type == SP_INT) {
        memcpy(&v, field + 5, 8);
        *value = le64toh(v) ^ (UINT64_C(1) << 63);
        return true;
    }
    if (type == SP_UUID) {
        memcpy(&v, field + 5, 8);
        *value = be64toh(v);
        return true;
    }
    return false;
}

static inline void sp_ranges_add(struct sp_ranges *r, uint64_t value, struct sp_d128 row)
{
    if (__builtin_expect((value >> r->shift) - r->base >= r->n, 0)) {
        struct sp_digest d = { 0 };
        sp_digest_add(&d, row);
        sp_ranges_outside_(r, value, &d);
        return;
    }
    sp_digest_add(&r->d[(value >> r->shift) - r->base], row);
}

#endif
