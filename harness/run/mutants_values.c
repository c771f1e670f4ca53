/* mutants_values.c -- bugs that change values on their way back: what was stored is right, what is read is not. */
#include "run/mutation.h"

#include <math.h>
#include <string.h>
#include <utf8proc.h>

#include "base/str.h"
#include "model/decimal.h"

/* Changes one value that was read; new memory comes from the result's arena. */
typedef void (*value_fn)(struct sp_arena *a, struct sp_value *v);

static void change_result(struct sp_result *r, value_fn change)
{
    for (size_t i = 0; i < r->nrows * r->ncolumns; i++)
        change(&r->arena, &r->values[i]);
}

#define VALUE_MUTANT(name)                                                                                   \
    static int exec_##name(                                                                                  \
        struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)             \
    {                                                                                                        \
        int rc = SP_INNER_DB->exec(s, op, r, err);                                                           \
        if (rc == 0)                                                                                         \
            change_result(r, value_##name);                                                                  \
        return rc;                                                                                           \
    }                                                                                                        \
    SP_PLANT(db, name, exec, exec_##name)

#define SIMPLE_MUTANT(name, condition, change)                                                               \
    static void value_##name(struct sp_arena *a, struct sp_value *v)                                         \
    {                                                                                                        \
        (void)a;                                                                                             \
        if (condition) {                                                                                     \
            change;                                                                                          \
        }                                                                                                    \
    }                                                                                                        \
    VALUE_MUTANT(name)

static bool has_fraction(const struct sp_value *v)
{
    return v->tag == SP_INSTANT || v->tag == SP_LOCAL;
}

SIMPLE_MUTANT(instant_to_seconds, has_fraction(v), v->u.ts.nsec = 0)
SIMPLE_MUTANT(instant_to_millis, has_fraction(v), v->u.ts.nsec -= v->u.ts.nsec % 1000000)
SIMPLE_MUTANT(instant_shifted, v->tag == SP_INSTANT, v->u.ts.sec += 3600)
SIMPLE_MUTANT(local_shifted, v->tag == SP_LOCAL, v->u.ts.sec -= 7200)
SIMPLE_MUTANT(local_as_instant, v->tag == SP_LOCAL, v->tag = SP_INSTANT)
SIMPLE_MUTANT(
    year_two_digits, has_fraction(v) && v->u.ts.sec > INT64_C(4102444800), v->u.ts.sec -= INT64_C(3155760000))
SIMPLE_MUTANT(before_1970_lost, has_fraction(v) && v->u.ts.sec < 0, v->u.ts.sec = 0)
SIMPLE_MUTANT(date_one_early, v->tag == SP_DATE, v->u.days--)
SIMPLE_MUTANT(time_without_seconds, v->tag == SP_TIME, v->u.time_ns -= v->u.time_ns % 60000000000)
SIMPLE_MUTANT(
    int_through_double, v->tag == SP_INT && v->u.i < INT64_MAX - 1024, v->u.i = (int64_t)(double)v->u.i)
SIMPLE_MUTANT(int_32_bits, v->tag == SP_INT, v->u.i = (int32_t)(uint32_t)(uint64_t)v->u.i)
SIMPLE_MUTANT(float_one_ulp, v->tag == SP_F64 && isfinite(v->u.f64) && v->u.f64 > 0,
    v->u.f64 = nextafter(v->u.f64, INFINITY))
SIMPLE_MUTANT(float_as_single, v->tag == SP_F64, v->u.f64 = (double)(float)v->u.f64)
SIMPLE_MUTANT(negative_zero_lost, v->tag == SP_F64 && v->u.f64 == 0, v->u.f64 = 0)
SIMPLE_MUTANT(infinity_is_max, v->tag == SP_F64 && isinf(v->u.f64),
    v->u.f64 = copysign(1.7976931348623157e308, v->u.f64))
SIMPLE_MUTANT(nan_is_null, v->tag == SP_F64 && isnan(v->u.f64), v->tag = SP_NULL)
SIMPLE_MUTANT(bool_is_int, v->tag == SP_BOOL, int64_t i = v->u.b; *v = sp_v_int(i))
SIMPLE_MUTANT(null_is_empty, v->tag == SP_NULL, *v = sp_v_text(""))
SIMPLE_MUTANT(empty_is_null, v->tag == SP_TEXT && v->u.str.n == 0, *v = sp_v_null())
SIMPLE_MUTANT(missing_is_null, v->tag == SP_MISSING, *v = sp_v_null())
SIMPLE_MUTANT(text_word_null, v->tag == SP_TEXT && v->u.str.n == 4 && memcmp(v->u.str.p, "NULL", 4) == 0,
    *v = sp_v_null())
SIMPLE_MUTANT(text_cut_at_nul, v->tag == SP_TEXT && memchr(v->u.str.p, 0, v->u.str.n) != NULL,
    v->u.str.n = strlen(v->u.str.p))
SIMPLE_MUTANT(text_cut_at_64k, v->tag == SP_TEXT && v->u.str.n > 65535, v->u.str.n = 65535)
SIMPLE_MUTANT(text_cut_at_255, v->tag == SP_TEXT && v->u.str.n > 255, v->u.str.n = 255)
SIMPLE_MUTANT(
    text_trimmed, v->tag == SP_TEXT, while (v->u.str.n > 0 && v->u.str.p[v->u.str.n - 1] == ' ') v->u.str.n--)
SIMPLE_MUTANT(bytes_cut_at_nul,
    v->tag == SP_BYTES && v->u.str.n > 0 && memchr(v->u.str.p, 0, v->u.str.n) != NULL,
    v->u.str.n = strnlen(v->u.str.p, v->u.str.n))
SIMPLE_MUTANT(bytes_are_text, v->tag == SP_BYTES, v->tag = SP_TEXT)
SIMPLE_MUTANT(decimal_is_double, v->tag == SP_DEC, double f;
              if (sp_dec_to_f64_exact(&v->u.dec, &f)) *v = sp_v_f64(f))
SIMPLE_MUTANT(decimal_15_digits, v->tag == SP_DEC && v->u.dec.ndigits > 15,
              v->u.dec.exp += (int32_t)(v->u.dec.ndigits - 15);
              v->u.dec.ndigits = 15)
SIMPLE_MUTANT(array_loses_nulls, v->tag == SP_ARRAY && v->u.array.n > 1, v->u.array.n--)
SIMPLE_MUTANT(vector_loses_last, v->tag == SP_VECTOR && v->u.vector.n > 1, v->u.vector.n--)

/* A copy of a text that may be changed; NULL when there is none. */
static char *writable(struct sp_arena *a, struct sp_value *v)
{
    char *p = sp_arena_dup(a, v->u.str.p, v->u.str.n);
    if (p != NULL)
        v->u.str.p = p;
    return p;
}

static void value_text_lower_case(struct sp_arena *a, struct sp_value *v)
{
    char *p = v->tag == SP_TEXT ? writable(a, v) : NULL;
    for (size_t i = 0; p != NULL && i < v->u.str.n; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] = (char)(p[i] + 32);
}
VALUE_MUTANT(text_lower_case)

static void value_text_line_ends(struct sp_arena *a, struct sp_value *v)
{
    char *p = v->tag == SP_TEXT ? writable(a, v) : NULL, *to = p;
    if (p == NULL)
        return;
    for (size_t i = 0; i < v->u.str.n; i++)
        if (!(p[i] == '\r' && i + 1 < v->u.str.n && p[i + 1] == '\n'))
            *to++ = p[i];
    v->u.str.n = (size_t)(to - p);
}
VALUE_MUTANT(text_line_ends)

/* Characters beyond the basic plane become question marks, as in three-byte "utf8" tables. */
static void value_text_three_bytes(struct sp_arena *a, struct sp_value *v)
{
    char *p = v->tag == SP_TEXT ? writable(a, v) : NULL;
    size_t to = 0;
    if (p == NULL)
        return;
    for (size_t i = 0; i < v->u.str.n;) {
        if ((unsigned char)p[i] >= 0xf0) {
            p[to++] = '?';
            i += 4;
        } else {
            p[to++] = p[i++];
        }
    }
    v->u.str.n = to;
}
VALUE_MUTANT(text_three_bytes)

static void value_text_composed(struct sp_arena *a, struct sp_value *v)
{
    utf8proc_uint8_t *out = NULL;
    if (v->tag != SP_TEXT || v->u.str.n == 0 || v->u.str.n > 1u << 20)
        return;
    utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)v->u.str.p, (utf8proc_ssize_t)v->u.str.n,
        &out, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    char *p = n >= 0 ? sp_arena_dup(a, out, (size_t)n) : NULL;
    if (p != NULL)
        *v = sp_v_textn(p, (size_t)n);
    free(out);
}
VALUE_MUTANT(text_composed)

static void value_bytes_seven_bits(struct sp_arena *a, struct sp_value *v)
{
    char *p = v->tag == SP_BYTES && v->u.str.n > 0 ? writable(a, v) : NULL;
    for (size_t i = 0; p != NULL && i < v->u.str.n; i++)
        p[i] = (char)(p[i] & 0x7f);
}
VALUE_MUTANT(bytes_seven_bits)

/* Numbers in JSON keep at most fifteen digits in a row. */
static void value_json_rounds(struct sp_arena *a, struct sp_value *v)
{
    char *p = v->tag == SP_JSON ? writable(a, v) : NULL;
    size_t run = 0;
    bool in_text = false;
    for (size_t i = 0; p != NULL && i < v->u.str.n; i++) {
        if (p[i] == '"' && (i == 0 || p[i - 1] != '\\'))
            in_text = !in_text;
        run = !in_text && p[i] >= '0' && p[i] <= '9' ? run + 1 : 0;
        if (run > 15)
            p[i] = '0';
    }
}
VALUE_MUTANT(json_rounds)

static void value_uuid_without_version(struct sp_arena *a, struct sp_value *v)
{
    (void)a;
    if (v->tag == SP_UUID)
        v->u.uuid[15] ^= 1;
}
VALUE_MUTANT(uuid_without_version)

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "database", text }, plant_##name                                                            \
    }
const struct sp_mutant_row sp_mutants_values[] = {
    ROW(instant_to_seconds, "timestamps lose their fraction"),
    ROW(instant_to_millis, "timestamps lose what is below the millisecond"),
    ROW(instant_shifted, "points in time come back an hour later"),
    ROW(local_shifted, "local timestamps come back two hours earlier"),
    ROW(local_as_instant, "local timestamps come back as UTC"),
    ROW(year_two_digits, "years after 2099 fall back by a century"),
    ROW(before_1970_lost, "times before 1970 become 1970"),
    ROW(date_one_early, "dates come back one day early"),
    ROW(time_without_seconds, "times of day lose their seconds"),
    ROW(int_through_double, "integers go through a double"),
    ROW(int_32_bits, "integers keep 32 bits"),
    ROW(float_one_ulp, "doubles come back one step larger"),
    ROW(float_as_single, "doubles come back as singles"),
    ROW(negative_zero_lost, "-0.0 comes back as 0.0"),
    ROW(infinity_is_max, "infinity comes back as the largest double"),
    ROW(nan_is_null, "NaN comes back as null"),
    ROW(bool_is_int, "booleans come back as integers"),
    ROW(null_is_empty, "null comes back as the empty text"),
    ROW(empty_is_null, "the empty text comes back as null"),
    ROW(missing_is_null, "a missing field comes back as null"),
    ROW(text_word_null, "the text NULL comes back as null"),
    ROW(text_cut_at_nul, "text ends at U+0000"),
    ROW(text_cut_at_64k, "text ends at 64 KiB"),
    ROW(text_cut_at_255, "text ends at 255 bytes"),
    ROW(text_trimmed, "text loses the blanks at its end"),
    ROW(text_lower_case, "text comes back in small letters"),
    ROW(text_line_ends, "CR LF comes back as LF"),
    ROW(text_three_bytes, "characters beyond the basic plane become question marks"),
    ROW(text_composed, "text comes back in composed form"),
    ROW(bytes_cut_at_nul, "octets end at a zero"),
    ROW(bytes_are_text, "octets come back as text"),
    ROW(bytes_seven_bits, "octets lose their high bit"),
    ROW(decimal_is_double, "decimals come back as doubles"),
    ROW(decimal_15_digits, "decimals keep fifteen digits"),
    ROW(json_rounds, "numbers in JSON keep fifteen digits"),
    ROW(uuid_without_version, "UUIDs come back with another last bit"),
    ROW(array_loses_nulls, "arrays lose their last element"),
    ROW(vector_loses_last, "vectors lose their last element"),
    { { NULL, NULL, NULL }, NULL },
};
