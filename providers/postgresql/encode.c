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
    int ret = e->tag == SP_TEXT ? sp_pg_text_ok(&(struct sp_type){ .tag = SP_MISSING }, e, err) : 0;
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
