/* canonical.h -- the frozen byte form of values and rows, and the digests over it. FORMAT 1.
 *
 * Field:  state u8 (0 missing, 1 null, 2 present, 3 present but not coercible into the comparison type), then for
 *         states 2 and 3: length u32 little-endian, then that many bytes. Missing and null have no length.
 * Bytes under a fixed comparison type (all integers little-endian, two's complement):
 *   bool 1 byte | int i64 | decimal: sign u8 (0/1), exponent i32, digits (ASCII, normal form) | float32, float64:
 *   IEEE bits, every NaN is 0x7fc00000 / 0x7ff8000000000000, -0.0 kept | text, bytes, reference: the octets |
 *   uuid 16 octets | instant, local: sec i64, nsec u32 | date i64 | time i64 | json: sp_json_canonical() |
 *   array: element tag u8, count u32, then each element as a field | vector: count u32, then f32 bits |
 *   native: type length u32, type, octets.
 * Under the dynamic comparison type the bytes of state 2 are: tag u8 (position in SP_TAGS), then as above.
 * State 3 always carries the tag byte first: two uncoercible values are equal only with the same tag and bytes.
 * Row:    the fields in plan order, key columns first; with a residual map: count u32, then per undeclared field,
 *         sorted bytewise by name: name length u32, name, field under the dynamic type. 
 * Row digest: XXH3-128 (seed 0) of the row. Set digest: (count, sum of row digests modulo 2^128), and only
 * comparable under the same plan fingerprint. A text with invalid UTF-8 is encoded with its octets in state 3.
 *
 * Golden vectors in tests/unit/golden freeze this. Stateless, any thread. */
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
void sp_d128_format(char out[33], struct sp_d128 d); /* 32 lower-case hex digits, high half first */
int sp_d128_parse(const char *s, struct sp_d128 *out); /* exactly what sp_d128_format() writes */

/* Appends one field: `v` coerced into `type` (type->tag SP_MISSING = dynamic). Coercions are exact or the state is 3.
 * *state_out (may be NULL) says which state was written. -SP_E_NOMEM is the only error. */
int sp_canon_field(
    struct sp_buf *out, const struct sp_type *type, const struct sp_value *v, enum sp_state *state_out);
/* The exact coercions, all value-preserving: int <-> decimal <-> float64 where the number is the same, float32 ->
 * float64, bool <-> int 0/1, text -> uuid/decimal/int/date/time/timestamps/json when the text is a spelling of one,
 * json canonicalised, blank-padding never removed here. 0, or 1 = cannot, or -SP_E_NOMEM. Memory from `a`. */
int sp_coerce(
    struct sp_arena *a, const struct sp_type *type, const struct sp_value *in, struct sp_value *out);
/* Reads a field back (for showing differences): values borrow from the bytes or the arena. Returns bytes consumed,
 * or -SP_E_CORRUPT. */
int64_t sp_canon_read(struct sp_arena *a, const struct sp_type *type, const uint8_t *p, size_t n,
    struct sp_value *out, enum sp_state *state);

#endif
