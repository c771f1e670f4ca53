/* canonical.h -- the frozen byte form of values and rows, and the digests over it. FORMAT 1.
 *
 * Field:  state u8 (0 missing, 1 null, 2 present, 3 present but not a proper value of the comparison type), then for
 *         states 2 and 3: length u32 little-endian, then that many bytes. Missing and null have no length.
 * Bytes under a fixed comparison type (all integers little-endian, two's complement):
 *   bool 1 byte | int i64 | decimal: sign u8 (0/1), exponent i32, digits (ASCII, normal form) | float32, float64:
 *   IEEE bits, every NaN is 0x7fc00000 / 0x7ff8000000000000, -0.0 kept | text, bytes, reference: the octets |
 *   uuid 16 octets | instant, local: sec i64, nsec u32 | date i64 | time i64 | json: sp_json_canonical() |
 *   array: element tag u8, count u32, then each element as a field | vector: count u32, then f32 bits |
 *   native: type length u32, type, octets.
 * An array's elements are fields under the array's element tag, under the dynamic type when that is `missing`; the
 * elements of an array of arrays carry their own element tags.
 * Under the dynamic comparison type the bytes of state 2 are: tag u8 (position in SP_TAGS), then as above.
 * State 3 always carries the tag byte first and the value as it came: two such values are equal only with the same tag
 *         and bytes. It is for values without an exact coercion and for improper ones: text with invalid UTF-8 (its
 *         octets), JSON without a canonical form (its octets), nanoseconds or times of day out of range, and arrays
 *         that hold one of these.
 * Row:    the fields in plan order, key columns first; with a residual map: count u32, then per undeclared field that
 *         is not missing, sorted bytewise by name: name length u32, name, field under the dynamic type.
 * Row digest: XXH3-128 (seed 0) of the row. Set digest: (count, sum of row digests modulo 2^128), and only
 * comparable under the same plan fingerprint.
 * So two values have equal bytes under the dynamic type exactly when sp_value_equal() holds.
 *
 * Golden vectors in ci/tests/unit/golden freeze this. Stateless, any thread. */
#ifndef SP_MODEL_CANONICAL_H
#define SP_MODEL_CANONICAL_H

#include "model/schema.h"
#include "model/value.h"

#define SP_CANON_FORMAT 1

enum sp_state { SP_ST_MISSING = 0, SP_ST_NULL = 1, SP_ST_PRESENT = 2, SP_ST_UNCOERCED = 3 };

struct sp_d128 {
    uint64_t lo, hi;
};

/* Invariant: sum is the sum of `count` row digests modulo 2^128, so that merging is adding both. */
struct sp_digest {
    uint64_t count;
    struct sp_d128 sum;
};

struct sp_d128 sp_d128_of(const void *p, size_t n); /* XXH3-128 */
static inline bool sp_d128_eq(struct sp_d128 a, struct sp_d128 b)
{
    return a.lo == b.lo && a.hi == b.hi;
}
static inline void sp_digest_add(struct sp_digest *d, struct sp_d128 row)
{
    uint64_t lo = d->sum.lo + row.lo;
    d->sum.hi += row.hi + (uint64_t)(lo < row.lo);
    d->sum.lo = lo;
    d->count++;
}
void sp_digest_merge(struct sp_digest *into, const struct sp_digest *from);
bool sp_digest_equal(const struct sp_digest *a, const struct sp_digest *b);
void sp_d128_format(char out[33], struct sp_d128 d);   /* 32 lower-case hex digits, high half first */
int sp_d128_parse(const char *s, struct sp_d128 *out); /* exactly what sp_d128_format() writes */

/* Appends one field: `v` coerced into `type` (type->tag SP_MISSING = dynamic). Coercions are exact or the state is 3.
 * *state_out (may be NULL) says which state was written. Nothing is appended on failure: -SP_E_NOMEM, or
 * -SP_E_TOO_LARGE for a field of 4 GiB and arrays nested deeper than SP_VALUE_DEPTH. */
int sp_canon_field(
    struct sp_buf *out, const struct sp_type *type, const struct sp_value *v, enum sp_state *state_out);
/* The exact coercions, all value-preserving. 0, or 1 = cannot, or -SP_E_NOMEM. Memory from `a`; the result may borrow
 * from `in`.
 *   between int, decimal, float64, float32 where the number is the same (a double's number is sp_dec_from_f64(): 0.1
 *   is 0.1; -0.0 and NaN have none) | bool <-> int 0/1 | text -> int, decimal in the spelling that they print as,
 *   trailing zeros of a fraction aside ("007", "+7", "1e3" are not numbers) | text -> uuid, date, time; text with
 *   zone -> instant, without -> local | 16 bytes -> uuid | text -> the json that it spells; bool, numbers, arrays
 *   -> json | array -> array by element, array <-> vector. json is canonicalised, blank padding is never removed. */
int sp_coerce(
    struct sp_arena *a, const struct sp_type *type, const struct sp_value *in, struct sp_value *out);
/* Reads a field back (for showing differences): values borrow from the bytes or the arena. Returns bytes consumed,
 * or -SP_E_CORRUPT. */
int64_t sp_canon_read(struct sp_arena *a, const struct sp_type *type, const uint8_t *p, size_t n,
    struct sp_value *out, enum sp_state *state);

#endif
