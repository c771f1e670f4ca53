/* coerce.c -- the exact coercions into a comparison type.
 *
 * Each gives the same value in another type or says that it cannot: nothing is rounded, cut or guessed. Text counts as
 * a number only in the spelling that the number prints as (trailing zeros of a fraction aside), so that "007" and "+7"
 * stay different from 7. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "model/calendar.h"
#include "model/canonical.h"
#include "model/decimal.h"
#include "model/json.h"

#define CANNOT 1

static bool is_negative_zero(double f)
{
    return f == 0 && signbit(f);
}

/* --- numbers --------------------------------------------------------------------------------------------------- */

/* -?(0|[1-9][0-9]*)(\.[0-9]+)? and not -0 */
static bool plain_number(const char *s, size_t n)
{
    size_t i = n != 0 && s[0] == '-' ? 1 : 0, first = i;
    bool nonzero = false;
    for (; i < n && s[i] >= '0' && s[i] <= '9'; i++)
        nonzero |= s[i] != '0';
    if (i == first || (s[first] == '0' && i - first > 1))
        return false;
    if (i < n) {
        if (s[i] != '.' || i + 1 == n)
            return false;
        for (i++; i < n && s[i] >= '0' && s[i] <= '9'; i++)
            nonzero |= s[i] != '0';
    }
    return i == n && (nonzero || first == 0);
}

static int float_to_dec(struct sp_arena *a, double f, struct sp_dec *out)
{
    if (is_negative_zero(f) || !isfinite(f))
        return CANNOT;
    return sp_dec_from_f64(a, f, out);
}

static int to_dec(struct sp_arena *a, const struct sp_value *in, struct sp_dec *out)
{
    char *digits;
    int rc;
    switch (in->tag) {
    case SP_DEC:
        *out = in->u.dec;
        return 0;
    case SP_INT:
        digits = sp_arena_alloc(a, 20);
        if (digits == NULL)
            return -SP_E_NOMEM;
        sp_dec_from_i64(digits, in->u.i, out);
        return 0;
    case SP_F32:
        return float_to_dec(a, (double)in->u.f32, out);
    case SP_F64:
        return float_to_dec(a, in->u.f64, out);
    case SP_TEXT:
        if (!plain_number(in->u.str.p, in->u.str.n))
            return CANNOT;
        rc = sp_dec_parse(a, in->u.str.p, in->u.str.n, out);
        return rc == 0 || rc == -SP_E_NOMEM ? rc : CANNOT;
    default:
        return CANNOT;
    }
}

static int to_int(struct sp_arena *a, const struct sp_value *in, int64_t *out)
{
    struct sp_dec d;
    if (in->tag == SP_BOOL) {
        *out = in->u.b ? 1 : 0;
        return 0;
    }
    if (in->tag == SP_TEXT && in->u.str.n != 0 && memchr(in->u.str.p, '.', in->u.str.n) != NULL)
        return CANNOT; /* "7.0" is not how an integer is spelled */
    int rc = to_dec(a, in, &d);
    if (rc != 0)
        return rc;
    return sp_dec_to_i64(&d, out) ? 0 : CANNOT;
}

static int to_f64(const struct sp_value *in, double *out)
{
    switch (in->tag) {
    case SP_F64:
        *out = in->u.f64;
        return 0;
    case SP_F32:
        *out = (double)in->u.f32;
        return 0;
    case SP_INT:
        *out = (double)in->u.i;
        return *out < 0x1p63 && (int64_t)*out == in->u.i ? 0 : CANNOT;
    case SP_DEC:
        return sp_dec_to_f64_exact(&in->u.dec, out) ? 0 : CANNOT;
    default:
        return CANNOT;
    }
}

static int to_f32(const struct sp_value *in, float *out)
{
    double f;
    if (in->tag == SP_F32) {
        *out = in->u.f32;
        return 0;
    }
    if (to_f64(in, &f) != 0)
        return CANNOT;
    if (isfinite(f) && fabs(f) > (double)FLT_MAX)
        return CANNOT;
    *out = (float)f;
    return isnan(f) || (double)*out == f ? 0 : CANNOT;
}

static int to_bool(const struct sp_value *in, bool *out)
{
    if (in->tag == SP_INT && (in->u.i == 0 || in->u.i == 1)) {
        *out = in->u.i == 1;
        return 0;
    }
    return CANNOT;
}

/* --- times, uuid --------------------------------------------------------------------------------------------------- */

static int text_to_time(enum sp_tag want, const struct sp_value *in, struct sp_value *out)
{
    const char *s = in->u.str.p;
    size_t n = in->u.str.n;
    bool zoned, ok;
    if (in->tag != SP_TEXT)
        return CANNOT;
    if (want == SP_DATE)
        ok = sp_date_parse(s, n, &out->u.days) == 0;
    else if (want == SP_TIME)
        ok = sp_time_parse(s, n, &out->u.time_ns) == 0;
    else
        ok = sp_ts_parse(s, n, &out->u.ts, &zoned) == 0 && zoned == (want == SP_INSTANT);
    return ok ? 0 : CANNOT;
}

static int to_uuid(const struct sp_value *in, uint8_t out[16])
{
    if (in->tag == SP_TEXT)
        return sp_uuid_parse(in->u.str.p, in->u.str.n, out) == 0 ? 0 : CANNOT;
    if (in->tag != SP_BYTES || in->u.str.n != 16)
        return CANNOT;
    memcpy(out, in->u.str.p, 16);
    return 0;
}

/* --- json ---------------------------------------------------------------------------------------------------------- */

/* Appends the JSON text of a value; CANNOT where JSON has no such value. */
static int print_json(struct sp_arena *a, struct sp_buf *out, const struct sp_value *in, int depth)
{
    struct sp_dec d;
    int rc;
    switch (in->tag) {
    case SP_NULL:
        return sp_buf_puts(out, "null");
    case SP_BOOL:
        return sp_buf_puts(out, in->u.b ? "true" : "false");
    case SP_F32:
    case SP_F64:
        if (is_negative_zero(in->tag == SP_F32 ? (double)in->u.f32 : in->u.f64))
            return sp_buf_puts(out, "-0");
        /* fall through */
    case SP_INT:
    case SP_DEC:
        rc = to_dec(a, in, &d);
        return rc == 0 ? sp_dec_print(out, &d) : rc;
    case SP_TEXT:
        if (!sp_utf8_valid(in->u.str.p, in->u.str.n))
            return CANNOT;
        return sp_json_quote(out, in->u.str.p, in->u.str.n);
    case SP_JSON:
        return sp_buf_put(out, in->u.str.p, in->u.str.n); /* checked with the whole */
    case SP_ARRAY:
        if (depth >= SP_VALUE_DEPTH)
            return CANNOT;
        sp_buf_putc(out, '[');
        for (size_t i = 0; i < in->u.array.n; i++) {
            const struct sp_value *e = &in->u.array.v[i];
            if (i != 0)
                sp_buf_putc(out, ',');
            if (e->tag == SP_JSON && sp_json_check(e->u.str.p, e->u.str.n, NULL) != 0)
                return CANNOT; /* it must not reach beyond its place */
            rc = print_json(a, out, e, depth + 1);
            if (rc != 0)
                return rc;
        }
        return sp_buf_putc(out, ']');
    default:
        return CANNOT;
    }
}

/* A text stands for the JSON that it spells; every other value for itself. */
static int to_json(struct sp_arena *a, const struct sp_value *in, struct sp_value *out)
{
    struct sp_buf text = SP_BUF_INIT, canonical = SP_BUF_INIT;
    const char *p = in->u.str.p;
    size_t n = in->u.str.n;
    int rc = 0;
    if (in->tag != SP_JSON && in->tag != SP_TEXT) {
        rc = print_json(a, &text, in, 0);
        p = text.p;
        n = text.n;
    }
    if (rc == 0)
        rc = sp_json_canonical(&canonical, p, n, NULL);
    if (rc == 0) {
        const char *own = sp_arena_dup(a, canonical.p, canonical.n);
        *out = sp_v_jsonn(own, canonical.n);
        rc = own == NULL ? -SP_E_NOMEM : 0;
    }
    sp_buf_free(&text);
    sp_buf_free(&canonical);
    return rc == 0 || rc == -SP_E_NOMEM ? rc : CANNOT;
}

/* --- arrays and vectors -------------------------------------------------------------------------------------------- */

static int coerce(struct sp_arena *a, const struct sp_type *type, const struct sp_value *in,
    struct sp_value *out, int depth);

static int to_array(struct sp_arena *a, const struct sp_type *type, const struct sp_value *in,
    struct sp_value *out, int depth)
{
    bool vector = in->tag == SP_VECTOR;
    if ((in->tag != SP_ARRAY && !vector) || depth >= SP_VALUE_DEPTH)
        return CANNOT;
    size_t n = vector ? in->u.vector.n : in->u.array.n;
    const struct sp_type elem = { .tag = type->elem };
    struct sp_value *v = sp_arena_array(a, n != 0 ? n : 1, sizeof *v);
    if (v == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct sp_value e = vector ? sp_v_f32(in->u.vector.v[i]) : in->u.array.v[i];
        int rc = coerce(a, &elem, &e, &v[i], depth + 1);
        if (rc != 0)
            return rc;
    }
    *out = sp_v_array(type->elem, v, n);
    return 0;
}

static int to_vector(struct sp_arena *a, const struct sp_value *in, struct sp_value *out)
{
    if (in->tag != SP_ARRAY)
        return CANNOT;
    size_t n = in->u.array.n;
    float *v = sp_arena_array(a, n != 0 ? n : 1, sizeof *v);
    if (v == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (to_f32(&in->u.array.v[i], &v[i]) != 0)
            return CANNOT;
    }
    *out = sp_v_vector(v, n);
    return 0;
}

/* --- all of them ----------------------------------------------------------------------------------------------------- */

static bool has_canonical(const struct sp_value *v)
{
    struct sp_buf out = SP_BUF_INIT;
    int rc = sp_json_canonical(&out, v->u.str.p, v->u.str.n, NULL);
    sp_buf_free(&out);
    return rc == 0;
}

/* A value of the right tag may still not be one: bad UTF-8, a nanosecond too many, an element of another type. */
static bool proper(const struct sp_value *v, int depth)
{
    switch (v->tag) {
    case SP_TEXT:
        return sp_utf8_valid(v->u.str.p, v->u.str.n);
    case SP_INSTANT:
    case SP_LOCAL:
        return v->u.ts.nsec <= 999999999;
    case SP_TIME:
        return v->u.time_ns >= 0 && v->u.time_ns < INT64_C(86400000000000);
    case SP_JSON:
        return has_canonical(v);
    case SP_ARRAY:
        for (size_t i = 0; depth < SP_VALUE_DEPTH && i < v->u.array.n; i++) {
            const struct sp_value *e = &v->u.array.v[i];
            bool kind = v->u.array.elem == SP_MISSING || e->tag == v->u.array.elem || sp_v_is_absent(e);
            if (!kind || !proper(e, depth + 1))
                return false;
        }
        return depth < SP_VALUE_DEPTH;
    default:
        return true;
    }
}

static int coerce(struct sp_arena *a, const struct sp_type *type, const struct sp_value *in,
    struct sp_value *out, int depth)
{
    struct sp_value v = { .tag = type->tag };
    int rc = CANNOT;
    if (sp_v_is_absent(in) || (type->tag == SP_MISSING && in->tag != SP_JSON) ||
        (type->tag == in->tag && in->tag != SP_JSON && in->tag != SP_ARRAY)) {
        if (!proper(in, depth))
            return CANNOT;
        *out = *in;
        return 0;
    }
    switch (type->tag) {
    case SP_BOOL:
        rc = to_bool(in, &v.u.b);
        break;
    case SP_INT:
        rc = to_int(a, in, &v.u.i);
        break;
    case SP_DEC:
        rc = to_dec(a, in, &v.u.dec);
        break;
    case SP_F32:
        rc = to_f32(in, &v.u.f32);
        break;
    case SP_F64:
        rc = to_f64(in, &v.u.f64);
        break;
    case SP_UUID:
        rc = to_uuid(in, v.u.uuid);
        break;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_DATE:
    case SP_TIME:
        rc = text_to_time(type->tag, in, &v);
        break;
    case SP_MISSING:
    case SP_JSON:
        rc = to_json(a, in, &v);
        break;
    case SP_ARRAY:
        rc = to_array(a, type, in, &v, depth);
        break;
    case SP_VECTOR:
        rc = to_vector(a, in, &v);
        break;
    default:
        break;
    }
    if (rc == 0)
        *out = v;
    return rc;
}

int sp_coerce(struct sp_arena *a, const struct sp_type *type, const struct sp_value *in, struct sp_value *out)
{
    return coerce(a, type, in, out, 0);
}
