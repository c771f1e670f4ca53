/* encode.c -- logical values in the server's binary form. What would be rounded, cut or folded there is refused here:
 * a value is kept exactly, or the caller hears that it isn't. */
#include <math.h>
#include <string.h>

#include "model/canonical.h"
#include "model/json.h"
#include "providers/postgresql/internal.h"

#define EPOCH_S    INT64_C(946684800) /* 2000-01-01 */
#define EPOCH_DAYS INT64_C(10957)
#define MIN_US     INT64_C(-211813488000000000)
#define END_US     INT64_C(9223371331200000000)
#define MIN_DAYS   INT64_C(-2451545)
#define END_DAYS   INT64_C(2145031949)

static int range(struct sp_error *err, const char *what)
{
    return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "%s", what);
}

/* ---- what a column takes ---- */

static size_t characters(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)p[i] & 0xc0) != 0x80 ? 1 : 0;
    return count;
}

static int check_text(const struct sp_type *type, const struct sp_value *v, struct sp_error *err)
{
    if (v->u.str.n > 0 && memchr(v->u.str.p, '\0', v->u.str.n) != NULL)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "PostgreSQL text cannot hold U+0000");
    if (!sp_utf8_valid(v->u.str.p, v->u.str.n))
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "text that is not valid UTF-8");
    if (type->tag == SP_TEXT && type->length > 0 && characters(v->u.str.p, v->u.str.n) > type->length)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "text of %zu characters in a column of %u",
            characters(v->u.str.p, v->u.str.n), type->length);
    return 0;
}

static int check_int(const struct sp_type *type, int64_t i, struct sp_error *err)
{
    int bits = type->int_bits == 0 ? 64 : type->int_bits;
    int64_t limit = bits >= 64 ? INT64_MAX : (INT64_C(1) << (bits - 1)) - 1;
    return i > limit || i < -limit - 1 ? sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND,
                                             "%lld in an integer column of %d bits", (long long)i, bits)
                                       : 0;
}

static int check_fraction(const struct sp_type *type, const struct sp_value *v, struct sp_error *err)
{
    int64_t unit = 1000, nsec = v->tag == SP_TIME ? v->u.time_ns % 1000000000 : v->u.ts.nsec;
    for (uint32_t digits = type->precision == 0 ? 6 : type->precision - 1; digits < 6; digits++)
        unit *= 10;
    return nsec % unit != 0
               ? range(err,
                     "a time with more digits below the second than the column keeps; it would be rounded")
               : 0;
}

static int check_limits(const struct sp_type *type, const struct sp_value *v, struct sp_error *err)
{
    switch (v->tag) {
    case SP_TEXT:
    case SP_REF:
        return check_text(type, v, err);
    case SP_INT:
        return type->tag == SP_INT ? check_int(type, v->u.i, err) : 0;
    case SP_DEC:
        if (type->tag == SP_DEC && type->precision > 0 &&
            ((int64_t)v->u.dec.exp < -(int64_t)type->scale ||
                (int64_t)v->u.dec.ndigits + v->u.dec.exp > (int64_t)type->precision - type->scale))
            return range(
                err, "a decimal with more digits than the column keeps; it would be rounded or refused");
        return 0;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_TIME:
        return check_fraction(type, v, err);
    case SP_VECTOR:
        if (type->tag == SP_VECTOR && type->length > 0 && v->u.vector.n != type->length)
            return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
                "a vector of %zu in a column of %u dimensions", v->u.vector.n, type->length);
        return 0;
    case SP_JSON:
        return sp_json_check(v->u.str.p, v->u.str.n, err);
    default:
        return 0;
    }
}

/* NaN, infinity: words of the server's own, for columns of exactly this type. */
static bool own_word(const struct sp_type *type, const struct sp_value *v)
{
    const struct po_type *p = po_type_by_tag(type->tag);
    return p != NULL && v->tag == SP_NATIVE && strcmp(v->u.native.type, p->name) == 0;
}

/* Arrays of arrays, each element for itself. The depth is bounded. */
static int fit_nested(struct sp_arena *a, const struct sp_type *type, const struct sp_value *v, int depth,
    struct sp_value *out, struct sp_error *err)
{
    const struct sp_type leaf = { .tag = type->elem };
    size_t n = v->u.array.n;
    struct sp_value *e = sp_arena_array(a, n == 0 ? 1 : n, sizeof *e);
    int ret = e == NULL          ? sp_nomem(err)
              : depth == PO_DIMS ? range(err, "an array of too many dimensions")
                                 : 0;
    for (size_t i = 0; ret == 0 && i < n; i++) {
        const struct sp_value *in = &v->u.array.v[i];
        ret = in->tag == SP_ARRAY ? fit_nested(a, type, in, depth + 1, &e[i], err)
                                  : po_fit(a, &leaf, in, &e[i], err);
    }
    *out = sp_v_array(v->u.array.elem == SP_ARRAY ? SP_ARRAY : type->elem, e, n);
    return ret;
}

int po_fit(struct sp_arena *a, const struct sp_type *type, const struct sp_value *v, struct sp_value *out,
    struct sp_error *err)
{
    if (type->tag == SP_ARRAY && v->tag == SP_ARRAY && v->u.array.elem == SP_ARRAY)
        return fit_nested(a, type, v, 1, out, err);
    *out = *v;
    if (sp_v_is_absent(v)) {
        *out = sp_v_null();
        return 0;
    }
    bool as_is = type->tag == SP_MISSING || type->tag == SP_NATIVE || own_word(type, v) ||
                 (v->tag == SP_JSON && type->tag == SP_JSON) || (v->tag == SP_REF && type->tag == SP_TEXT);
    if (!as_is) {
        int rc = sp_coerce(a, type, v, out);
        if (rc == -SP_E_NOMEM)
            return sp_nomem(err);
        if (v->tag == SP_TEXT && type->tag == SP_TEXT && rc != 0)
            return check_text(type, v, err);
        if (rc != 0)
            return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "a value of type %s for a column of type %s",
                sp_tag_name(v->tag), sp_tag_name(type->tag));
        if (v->tag == SP_TEXT && type->tag == SP_JSON) /* in its own spelling, which a json column keeps */
            *out = sp_v_jsonn(v->u.str.p, v->u.str.n);
    }
    return check_limits(type, out, err);
}

/* ---- bytes ---- */

static int put_u16(struct sp_buf *out, uint16_t v)
{
    sp_buf_putc(out, (char)(v >> 8));
    return sp_buf_putc(out, (char)(v & 0xff));
}

static int put_ts(struct sp_buf *out, struct sp_ts ts, struct sp_error *err)
{
    int64_t us;
    if (ts.nsec % 1000 != 0)
        return range(err, "a time with digits below the microsecond, which PostgreSQL does not keep");
    if (__builtin_sub_overflow(ts.sec, EPOCH_S, &us) || __builtin_mul_overflow(us, INT64_C(1000000), &us) ||
        __builtin_add_overflow(us, (int64_t)(ts.nsec / 1000), &us) || us < MIN_US || us >= END_US)
        return range(err, "a timestamp outside the years that PostgreSQL holds (4713 BC to 294276)");
    return sp_buf_u64be(out, (uint64_t)us);
}

static int put_date(struct sp_buf *out, int64_t days, struct sp_error *err)
{
    int64_t d;
    if (__builtin_sub_overflow(days, EPOCH_DAYS, &d) || d < MIN_DAYS || d >= END_DAYS)
        return range(err, "a date outside the years that PostgreSQL holds (4713 BC to 5874897)");
    return sp_buf_u32be(out, (uint32_t)(int32_t)d);
}

static int put_f32(struct sp_buf *out, float f)
{
    uint32_t u;
    memcpy(&u, &f, 4);
    return sp_buf_u32be(out, u);
}

static int put_f64(struct sp_buf *out, double f)
{
    uint64_t u;
    memcpy(&u, &f, 8);
    return sp_buf_u64be(out, u);
}

static int put_vector(struct sp_buf *out, const struct sp_value *v)
{
    sp_buf_u32be(out, v->u.vector.n == 0 ? 0 : 1);
    sp_buf_u32be(out, 0);
    sp_buf_u32be(out, PO_FLOAT4);
    if (v->u.vector.n > 0) {
        sp_buf_u32be(out, (uint32_t)v->u.vector.n);
        sp_buf_u32be(out, 1);
    }
    for (size_t i = 0; i < v->u.vector.n; i++) {
        sp_buf_u32be(out, 4);
        put_f32(out, v->u.vector.v[i]);
    }
    return 0;
}

static int put_element(struct sp_buf *out, Oid elem, const struct sp_value *e, struct sp_error *err)
{
    size_t at = out->n;
    sp_buf_u32be(out, UINT32_MAX);
    if (sp_v_is_absent(e))
        return 0;
    int ret = e->tag == SP_TEXT ? check_text(&(struct sp_type){ .tag = SP_MISSING }, e, err) : 0;
    if (ret == 0)
        ret = po_encode(out, elem, e, err);
    if (ret == 0 && !out->oom) {
        uint32_t n = htobe32((uint32_t)(out->n - at - 4));
        memcpy(out->p + at, &n, 4);
    }
    return ret;
}

/* One dimension; all arrays of one depth have the same length. */
static int put_level(struct sp_buf *out, Oid elem, const struct sp_value *v, const size_t *dims, size_t ndims,
    struct sp_error *err)
{
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < v->u.array.n; i++) {
        const struct sp_value *e = &v->u.array.v[i];
        if (ndims == 1)
            ret = e->tag == SP_ARRAY ? range(err, "an array whose parts have different depths")
                                     : put_element(out, elem, e, err);
        else if (e->tag != SP_ARRAY || e->u.array.n != dims[1])
            ret = range(err, "an array whose parts have different lengths");
        else
            ret = put_level(out, elem, e, dims + 1, ndims - 1, err);
    }
    return ret;
}

static int put_array(struct sp_buf *out, Oid elem, const struct sp_value *v, struct sp_error *err)
{
    size_t dims[PO_DIMS], ndims = 0;
    for (const struct sp_value *at = v; at->tag == SP_ARRAY && at->u.array.n > 0; at = &at->u.array.v[0]) {
        if (ndims == PO_DIMS || at->u.array.n > INT32_MAX)
            return range(err, "an array of too many elements or dimensions");
        dims[ndims++] = at->u.array.n;
    }
    sp_buf_u32be(out, (uint32_t)ndims);
    sp_buf_u32be(out, 1); /* there may be nulls */
    sp_buf_u32be(out, elem);
    for (size_t i = 0; i < ndims; i++) {
        sp_buf_u32be(out, (uint32_t)dims[i]);
        sp_buf_u32be(out, 1);
    }
    return ndims == 0 ? 0 : put_level(out, elem, v, dims, ndims, err);
}

static bool is_word(const struct sp_value *v, const char *word)
{
    return v->u.native.n == strlen(word) && memcmp(v->u.native.p, word, v->u.native.n) == 0;
}

static int put_word(struct sp_buf *out, Oid oid, const struct sp_value *v, struct sp_error *err)
{
    bool minus = is_word(v, "-infinity") || is_word(v, "-Infinity");
    bool plus = is_word(v, "infinity") || is_word(v, "Infinity");
    if (oid == PO_NUMERIC && (minus || plus || is_word(v, "NaN"))) {
        put_u16(out, 0);
        put_u16(out, 0);
        put_u16(out, minus ? 0xf000 : plus ? 0xd000 : 0xc000);
        return put_u16(out, 0);
    }
    if ((oid == PO_TIMESTAMP || oid == PO_TIMESTAMPTZ) && (minus || plus))
        return sp_buf_u64be(out, minus ? (uint64_t)INT64_MIN : (uint64_t)INT64_MAX);
    if (oid == PO_DATE && (minus || plus))
        return sp_buf_u32be(out, minus ? (uint32_t)INT32_MIN : (uint32_t)INT32_MAX);
    if (oid == PO_TIME && is_word(v, "24:00:00"))
        return sp_buf_u64be(out, UINT64_C(86400000000));
    return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "a native value of type %s cannot be sent as %s",
        v->u.native.type, po_type_by_oid(oid) == NULL ? "this type" : po_type_by_oid(oid)->name);
}

static int put_int(struct sp_buf *out, Oid oid, int64_t i, struct sp_error *err)
{
    if (oid == PO_INT8)
        return sp_buf_u64be(out, (uint64_t)i);
    if (oid == PO_INT4 && i >= INT32_MIN && i <= INT32_MAX)
        return sp_buf_u32be(out, (uint32_t)(int32_t)i);
    if (oid == PO_INT2 && i >= INT16_MIN && i <= INT16_MAX)
        return put_u16(out, (uint16_t)(int16_t)i);
    return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "%lld in an integer column of %d bits", (long long)i,
        oid == PO_INT4 ? 32 : 16);
}

static int mismatch(Oid oid, const struct sp_value *v, struct sp_error *err)
{
    const struct po_type *p = po_type_by_oid(oid);
    return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "a value of type %s for a column of type %s",
        sp_tag_name(v->tag), p == NULL ? "another kind" : p->name);
}

static int put(struct sp_buf *out, Oid oid, const struct sp_value *v, struct sp_error *err)
{
    const struct po_type *p = po_type_by_oid(oid), *array = p == NULL ? po_type_by_array(oid) : NULL;
    if (v->tag == SP_NATIVE)
        return put_word(out, oid, v, err);
    if (array != NULL && v->tag == SP_ARRAY)
        return put_array(out, array->oid, v, err);
    if (array != NULL && v->tag == SP_VECTOR && array->oid == PO_FLOAT4)
        return put_vector(out, v);
    if (p == NULL || (p->tag != v->tag && !(p->tag == SP_TEXT && v->tag == SP_REF)))
        return mismatch(oid, v, err);
    switch (v->tag) {
    case SP_BOOL:
        return sp_buf_putc(out, v->u.b ? 1 : 0);
    case SP_INT:
        return put_int(out, oid, v->u.i, err);
    case SP_DEC:
        return po_numeric_put(out, &v->u.dec, err);
    case SP_F32:
        return put_f32(out, v->u.f32);
    case SP_F64:
        return put_f64(out, v->u.f64);
    case SP_JSON:
        if (oid == PO_JSONB)
            sp_buf_putc(out, 1);
        return sp_buf_put(out, v->u.str.p, v->u.str.n);
    case SP_TEXT:
    case SP_REF:
    case SP_BYTES:
        return sp_buf_put(out, v->u.str.p, v->u.str.n);
    case SP_UUID:
        return sp_buf_put(out, v->u.uuid, 16);
    case SP_INSTANT:
    case SP_LOCAL:
        return put_ts(out, v->u.ts, err);
    case SP_DATE:
        return put_date(out, v->u.days, err);
    case SP_TIME:
        return v->u.time_ns % 1000 != 0
                   ? range(err, "a time with digits below the microsecond, which PostgreSQL does not keep")
                   : sp_buf_u64be(out, (uint64_t)(v->u.time_ns / 1000));
    default:
        return mismatch(oid, v, err);
    }
}

int po_encode(struct sp_buf *out, Oid oid, const struct sp_value *v, struct sp_error *err)
{
    int ret = put(out, oid, v, err);
    return ret == -SP_E_NOMEM || (ret == 0 && out->oom) ? sp_nomem(err) : ret;
}
