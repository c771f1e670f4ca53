/* canonical.c -- values to canonical bytes. The form itself is written down in canonical.h and frozen. */
#include "model/canonical.h"

#include <math.h>
#include <string.h>

#include "base/str.h"
#include "model/decimal.h"
#include "model/json.h"

#define DAY_NS INT64_C(86400000000000)

static int put_u32(struct sp_buf *out, uint32_t v)
{
    const uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };
    return sp_buf_put(out, b, sizeof b);
}

static int put_u64(struct sp_buf *out, uint64_t v)
{
    put_u32(out, (uint32_t)v);
    return put_u32(out, (uint32_t)(v >> 32));
}

static int put_f32(struct sp_buf *out, float f)
{
    uint32_t u = UINT32_C(0x7fc00000);
    if (!isnan(f))
        memcpy(&u, &f, sizeof u);
    return put_u32(out, u);
}

static int put_f64(struct sp_buf *out, double f)
{
    uint64_t u = UINT64_C(0x7ff8000000000000);
    if (!isnan(f))
        memcpy(&u, &f, sizeof u);
    return put_u64(out, u);
}

static int put_dec(struct sp_buf *out, const struct sp_dec *in)
{
    struct sp_dec d = sp_dec_normal(*in);
    sp_buf_putc(out, d.neg ? 1 : 0);
    put_u32(out, (uint32_t)d.exp);
    return sp_buf_put(out, d.digits, d.ndigits);
}

/* Text without a canonical form keeps its octets and spoils the field. */
static int put_json(struct sp_buf *out, const struct sp_value *v, bool *bad)
{
    int rc = sp_json_canonical(out, v->u.str.p, v->u.str.n, NULL);
    if (rc == 0 || rc == -SP_E_NOMEM)
        return rc;
    *bad = true;
    return sp_buf_put(out, v->u.str.p, v->u.str.n);
}

static int put_native(struct sp_buf *out, const struct sp_value *v)
{
    const char *type = v->u.native.type != NULL ? v->u.native.type : "";
    put_u32(out, (uint32_t)strlen(type));
    sp_buf_puts(out, type);
    return sp_buf_put(out, v->u.native.p, v->u.native.n);
}

static int put_vector(struct sp_buf *out, const struct sp_value *v)
{
    if (v->u.vector.n > UINT32_MAX)
        return -SP_E_TOO_LARGE;
    put_u32(out, (uint32_t)v->u.vector.n);
    for (size_t i = 0; i < v->u.vector.n; i++)
        put_f32(out, v->u.vector.v[i]);
    return 0;
}

static int put_field(struct sp_buf *out, enum sp_tag expect, bool bad, const struct sp_value *v, int depth,
    enum sp_state *state);

static int put_array(struct sp_buf *out, const struct sp_value *v, int depth, bool *bad)
{
    if (v->u.array.n > UINT32_MAX || depth >= SP_VALUE_DEPTH)
        return -SP_E_TOO_LARGE;
    sp_buf_putc(out, (char)v->u.array.elem);
    put_u32(out, (uint32_t)v->u.array.n);
    for (size_t i = 0; i < v->u.array.n; i++) {
        enum sp_state s;
        int rc = put_field(out, v->u.array.elem, false, &v->u.array.v[i], depth + 1, &s);
        if (rc != 0)
            return rc;
        *bad |= s == SP_ST_UNCOERCED;
    }
    return 0;
}

/* The bytes behind length and tag. *bad is set when the value is not a proper one of its type. */
static int put_content(struct sp_buf *out, const struct sp_value *v, int depth, bool *bad)
{
    switch (v->tag) {
    case SP_BOOL:
        return sp_buf_putc(out, v->u.b ? 1 : 0);
    case SP_INT:
        return put_u64(out, (uint64_t)v->u.i);
    case SP_DEC:
        return put_dec(out, &v->u.dec);
    case SP_F32:
        return put_f32(out, v->u.f32);
    case SP_F64:
        return put_f64(out, v->u.f64);
    case SP_TEXT:
        *bad |= !sp_utf8_valid(v->u.str.p, v->u.str.n);
        return sp_buf_put(out, v->u.str.p, v->u.str.n);
    case SP_BYTES:
    case SP_REF:
        return sp_buf_put(out, v->u.str.p, v->u.str.n);
    case SP_UUID:
        return sp_buf_put(out, v->u.uuid, 16);
    case SP_INSTANT:
    case SP_LOCAL:
        *bad |= v->u.ts.nsec > 999999999;
        put_u64(out, (uint64_t)v->u.ts.sec);
        return put_u32(out, v->u.ts.nsec);
    case SP_DATE:
        return put_u64(out, (uint64_t)v->u.days);
    case SP_TIME:
        *bad |= v->u.time_ns < 0 || v->u.time_ns >= DAY_NS;
        return put_u64(out, (uint64_t)v->u.time_ns);
    case SP_JSON:
        return put_json(out, v, bad);
    case SP_ARRAY:
        return put_array(out, v, depth, bad);
    case SP_VECTOR:
        return put_vector(out, v);
    case SP_NATIVE:
        return put_native(out, v);
    case SP_MISSING:
    case SP_NULL:
    case SP_TAG_N:
        break;
    }
    *bad = true;
    return 0;
}

/* One field without coercion: state 3 if the caller knows that it is bad, or the tag is not the expected one. */
static int put_field(struct sp_buf *out, enum sp_tag expect, bool bad, const struct sp_value *v, int depth,
    enum sp_state *state)
{
    if (sp_v_is_absent(v)) {
        *state = v->tag == SP_NULL ? SP_ST_NULL : SP_ST_MISSING;
        return sp_buf_putc(out, (char)*state);
    }
    size_t start = out->n;
    bad |= expect != SP_MISSING && v->tag != expect;
    bool tagged = expect == SP_MISSING || bad;
    sp_buf_put(out, "\x02\0\0\0\0", 5);
    if (tagged)
        sp_buf_putc(out, (char)v->tag);
    int rc = put_content(out, v, depth, &bad);
    if (rc == 0 && bad && !tagged)
        rc = sp_buf_putc(out, 0); /* room for the tag */
    if (rc != 0 || out->oom)
        return rc != 0 ? rc : -SP_E_NOMEM;
    uint8_t *p = (uint8_t *)out->p + start;
    size_t n = out->n - start - 5;
    if (n > UINT32_MAX)
        return -SP_E_TOO_LARGE;
    if (bad && !tagged) {
        memmove(p + 6, p + 5, n - 1);
        p[5] = (uint8_t)v->tag;
    }
    *state = bad ? SP_ST_UNCOERCED : SP_ST_PRESENT;
    p[0] = (uint8_t)*state;
    for (int k = 0; k < 4; k++)
        p[1 + k] = (uint8_t)(n >> (8 * k));
    return 0;
}

/* True if sp_coerce() would hand the value back as it is, or put_field() does the same work without a copy. */
static bool needs_no_coercion(const struct sp_type *type, const struct sp_value *v)
{
    return type->tag == SP_MISSING || sp_v_is_absent(v) || (type->tag == v->tag && v->tag != SP_ARRAY);
}

int sp_canon_field(
    struct sp_buf *out, const struct sp_type *type, const struct sp_value *v, enum sp_state *state_out)
{
    enum sp_state state;
    size_t mark = out->n;
    int rc;
    if (needs_no_coercion(type, v)) {
        rc = put_field(out, type->tag, false, v, 0, &state);
    } else {
        struct sp_arena a = SP_ARENA_INIT;
        struct sp_value same;
        rc = sp_coerce(&a, type, v, &same);
        if (rc >= 0)
            rc = put_field(out, type->tag, rc == 1, rc == 1 ? v : &same, 0, &state);
        sp_arena_free(&a);
    }
    if (rc != 0) {
        if (out->p != NULL)
            out->n = mark;
        return rc;
    }
    if (state_out != NULL)
        *state_out = state;
    return 0;
}
