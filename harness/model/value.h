/* value.h -- one logical value, the same for every backend.
 *
 * Ownership: a value borrows the memory that its pointers name; sp_value_copy() makes a deep copy in an arena.
 * Values are plain data: copy them by assignment as long as the memory behind them lives. Any thread. */
#ifndef SP_MODEL_VALUE_H
#define SP_MODEL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/* X(enum suffix, wire name, doc). The order is frozen: the position is the type byte of tagged canonical bytes. */
#define SP_TAGS(X)                                                                                           \
    X(MISSING, "missing", "the field is not there (document stores)")                                        \
    X(NULL, "null", "null")                                                                                  \
    X(BOOL, "bool", "true or false")                                                                         \
    X(INT, "int", "signed 64-bit integer")                                                                   \
    X(DEC, "decimal", "exact decimal, any precision and scale")                                              \
    X(F32, "float32", "IEEE 754 single")                                                                     \
    X(F64, "float64", "IEEE 754 double")                                                                     \
    X(TEXT, "text", "UTF-8, U+0000 allowed")                                                                 \
    X(BYTES, "bytes", "octets")                                                                              \
    X(UUID, "uuid", "16 octets")                                                                             \
    X(INSTANT, "instant", "a point in time, UTC, nanoseconds")                                               \
    X(LOCAL, "local_timestamp", "date and time without zone, nanoseconds")                                   \
    X(DATE, "date", "days since 1970-01-01, proleptic Gregorian")                                            \
    X(TIME, "time", "nanoseconds since midnight")                                                            \
    X(JSON, "json", "JSON text; numbers keep their text")                                                    \
    X(ARRAY, "array", "array of one type, elements may be null")                                             \
    X(VECTOR, "vector", "array of float32")                                                                  \
    X(REF, "reference", "path of another record")                                                            \
    X(NATIVE, "native", "anything else: type name and bytes")

enum sp_tag {
#define SP_X(id, name, doc) SP_##id,
    SP_TAGS(SP_X)
#undef SP_X
        SP_TAG_N
};

/* Arrays nest at most this deep; deeper ones are refused by copy and canonical form, and equal nothing. */
#define SP_VALUE_DEPTH 128

/* Seconds since 1970-01-01T00:00:00 (UTC or local) and nanoseconds 0..999999999 added to them. Years -9999 to
 * 9999 are parsed and printed; arithmetic is exact beyond. */
struct sp_ts {
    int64_t sec;
    uint32_t nsec;
};

/* (-1)^neg * digits * 10^exp. `digits` are ASCII, normal form: no leading and no trailing zero; zero is
 * ndigits 0, exp 0, neg false. Use decimal.h to make one; not NUL-terminated. */
struct sp_dec {
    const char *digits;
    uint32_t ndigits;
    int32_t exp;
    bool neg;
};

struct sp_value {
    enum sp_tag tag;
    union {
        bool b;
        int64_t i;
        struct sp_dec dec;
        float f32;
        double f64;
        struct {
            const char *p;
            size_t n;
        } str; /* TEXT, BYTES, JSON, REF */
        uint8_t uuid[16];
        struct sp_ts ts; /* INSTANT, LOCAL */
        int64_t days;    /* DATE */
        int64_t time_ns; /* TIME, 0 .. 86399999999999 */
        struct {
            const struct sp_value *v;
            size_t n;
            enum sp_tag elem;
        } array;
        struct {
            const float *v;
            size_t n;
        } vector;
        struct {
            const char *type;
            const char *p;
            size_t n;
        } native; /* type: NUL-terminated name */
    } u;
};

const char *sp_tag_name(enum sp_tag tag);             /* wire name */
int sp_tag_parse(const char *name, enum sp_tag *out); /* 0 or -SP_E_INVALID */

struct sp_value sp_v_missing(void);
struct sp_value sp_v_null(void);
struct sp_value sp_v_bool(bool b);
struct sp_value sp_v_int(int64_t i);
struct sp_value sp_v_f32(float f);
struct sp_value sp_v_f64(double f);
struct sp_value sp_v_text(const char *s); /* borrowed, NUL-terminated */
struct sp_value sp_v_textn(const char *s, size_t n);
struct sp_value sp_v_bytes(const void *p, size_t n);
struct sp_value sp_v_uuid(const uint8_t u[16]);
struct sp_value sp_v_instant(int64_t sec, uint32_t nsec);
struct sp_value sp_v_local(int64_t sec, uint32_t nsec);
struct sp_value sp_v_date(int64_t days);
struct sp_value sp_v_time(int64_t ns);
struct sp_value sp_v_json(const char *text);
struct sp_value sp_v_jsonn(const char *text, size_t n);
struct sp_value sp_v_dec(struct sp_dec d);
struct sp_value sp_v_array(enum sp_tag elem, const struct sp_value *v, size_t n);
struct sp_value sp_v_vector(const float *v, size_t n);
struct sp_value sp_v_ref(const char *path);
struct sp_value sp_v_native(const char *type, const void *p, size_t n);
/* Literal text -> decimal value whose digits live in the arena ("-12.50" -> -125e-1). Null value on bad text. */
struct sp_value sp_v_dec_text(struct sp_arena *a, const char *text);
static inline bool sp_v_is_absent(const struct sp_value *v)
{
    return v->tag == SP_NULL || v->tag == SP_MISSING;
}

/* Exact logical equality: same tag and same content; -0.0 differs from 0.0, every NaN equals every NaN, JSON by
 * canonical form, decimals by number (1.0 equals 1.00). No coercion: int 1 differs from decimal 1. */
bool sp_value_equal(const struct sp_value *a, const struct sp_value *b);
/* Deep copy; -SP_E_NOMEM, -SP_E_TOO_LARGE (nested too deep). */
int sp_value_copy(struct sp_arena *a, struct sp_value *out, const struct sp_value *in);
/* For people: literal with its type where it matters, e.g. text "a\x00b" (3 bytes), int 5, float64 -0.0; long
 * content is cut after `max` bytes (0 = 120) with its length and digest named. Never used for comparing. */
int sp_value_print(struct sp_buf *out, const struct sp_value *v, size_t max);
/* Of a key: read by people and pasted into queries, so plain where that is unambiguous: 7, "a", null. */
int sp_value_print_key(struct sp_buf *out, const struct sp_value *v);
int sp_uuid_parse(const char *s, size_t n, uint8_t out[16]); /* 8-4-4-4-12, either case */
void sp_uuid_format(char out[37], const uint8_t u[16]);

#endif
