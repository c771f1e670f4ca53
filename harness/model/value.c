/* value.c -- constructors, equality, copies. */
#include "model/value.h"

#include <math.h>
#include <string.h>

#include "base/str.h"
#include "model/decimal.h"
#include "model/json.h"

static const char *const tag_names[] = {
#define SP_X(id, name, doc) name,
    SP_TAGS(SP_X)
#undef SP_X
};

const char *sp_tag_name(enum sp_tag tag)
{
    return (unsigned)tag < SP_TAG_N ? tag_names[tag] : "?";
}

int sp_tag_parse(const char *name, enum sp_tag *out)
{
    for (int t = 0; t < SP_TAG_N; t++) {
        if (sp_streq(name, tag_names[t])) {
            *out = (enum sp_tag)t;
            return 0;
        }
    }
    return -SP_E_INVALID;
}

static struct sp_value str_value(enum sp_tag tag, const void *p, size_t n)
{
    return (struct sp_value){ .tag = tag, .u.str = { p, n } };
}

struct sp_value sp_v_missing(void)
{
    return (struct sp_value){ .tag = SP_MISSING };
}

struct sp_value sp_v_null(void)
{
    return (struct sp_value){ .tag = SP_NULL };
}

struct sp_value sp_v_bool(bool b)
{
    return (struct sp_value){ .tag = SP_BOOL, .u.b = b };
}

struct sp_value sp_v_int(int64_t i)
{
    return (struct sp_value){ .tag = SP_INT, .u.i = i };
}

struct sp_value sp_v_f32(float f)
{
    return (struct sp_value){ .tag = SP_F32, .u.f32 = f };
}

struct sp_value sp_v_f64(double f)
{
    return (struct sp_value){ .tag = SP_F64, .u.f64 = f };
}

struct sp_value sp_v_text(const char *s)
{
    return str_value(SP_TEXT, s, strlen(s));
}

struct sp_value sp_v_textn(const char *s, size_t n)
{
    return str_value(SP_TEXT, s, n);
}

struct sp_value sp_v_bytes(const void *p, size_t n)
{
    return str_value(SP_BYTES, p, n);
}

struct sp_value sp_v_uuid(const uint8_t u[16])
{
    struct sp_value v = { .tag = SP_UUID };
    memcpy(v.u.uuid, u, 16);
    return v;
}

struct sp_value sp_v_instant(int64_t sec, uint32_t nsec)
{
    return (struct sp_value){ .tag = SP_INSTANT, .u.ts = { sec, nsec } };
}

struct sp_value sp_v_local(int64_t sec, uint32_t nsec)
{
    return (struct sp_value){ .tag = SP_LOCAL, .u.ts = { sec, nsec } };
}

struct sp_value sp_v_date(int64_t days)
{
    return (struct sp_value){ .tag = SP_DATE, .u.days = days };
}

struct sp_value sp_v_time(int64_t ns)
{
    return (struct sp_value){ .tag = SP_TIME, .u.time_ns = ns };
}

struct sp_value sp_v_json(const char *text)
{
    return str_value(SP_JSON, text, strlen(text));
}

struct sp_value sp_v_jsonn(const char *text, size_t n)
{
    return str_value(SP_JSON, text, n);
}

struct sp_value sp_v_dec(struct sp_dec d)
{
    return (struct sp_value){ .tag = SP_DEC, .u.dec = d };
}

struct sp_value sp_v_array(enum sp_tag elem, const struct sp_value *v, size_t n)
{
    return (struct sp_value){ .tag = SP_ARRAY, .u.array = { v, n, elem } };
}

struct sp_value sp_v_vector(const float *v, size_t n)
{
    return (struct sp_value){ .tag = SP_VECTOR, .u.vector = { v, n } };
}

struct sp_value sp_v_ref(const char *path)
{
    return str_value(SP_REF, path, strlen(path));
}

struct sp_value sp_v_native(const char *type, const void *p, size_t n)
{
    return (struct sp_value){ .tag = SP_NATIVE, .u.native = { type, p, n } };
}

struct sp_value sp_v_dec_text(struct sp_arena *a, const char *text)
{
    struct sp_value v = { .tag = SP_DEC };
    /* The text may not live as long as the arena does, so it is copied first: digits are borrowed from it. */
    const char *own = sp_arena_str(a, text);
    if (own == NULL || sp_dec_parse(a, own, strlen(own), &v.u.dec) != 0)
        return sp_v_null();
    return v;
}

static bool same_octets(const void *a, size_t an, const void *b, size_t bn)
{
    return an == bn && (an == 0 || memcmp(a, b, an) == 0);
}

static bool same_f64(double a, double b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

static bool same_f32(float a, float b)
{
    return (isnan(a) && isnan(b)) || memcmp(&a, &b, sizeof a) == 0;
}

/* Text that has no canonical form equals only the same octets. */
static bool same_json(const struct sp_value *a, const struct sp_value *b)
{
    if (same_octets(a->u.str.p, a->u.str.n, b->u.str.p, b->u.str.n))
        return true;
    struct sp_buf ca = SP_BUF_INIT, cb = SP_BUF_INIT;
    bool same = sp_json_canonical(&ca, a->u.str.p, a->u.str.n, NULL) == 0 &&
                sp_json_canonical(&cb, b->u.str.p, b->u.str.n, NULL) == 0 &&
                same_octets(ca.p, ca.n, cb.p, cb.n);
    sp_buf_free(&ca);
    sp_buf_free(&cb);
    return same;
}

static bool same_value(const struct sp_value *a, const struct sp_value *b, int depth)
{
    if (a->tag != b->tag || depth > SP_VALUE_DEPTH)
        return false;
    switch (a->tag) {
    case SP_MISSING:
    case SP_NULL:
        return true;
    case SP_BOOL:
        return a->u.b == b->u.b;
    case SP_INT:
        return a->u.i == b->u.i;
    case SP_DEC:
        return sp_dec_cmp(&a->u.dec, &b->u.dec) == 0;
    case SP_F32:
        return same_f32(a->u.f32, b->u.f32);
    case SP_F64:
        return same_f64(a->u.f64, b->u.f64);
    case SP_TEXT:
    case SP_BYTES:
    case SP_REF:
        return same_octets(a->u.str.p, a->u.str.n, b->u.str.p, b->u.str.n);
    case SP_JSON:
        return same_json(a, b);
    case SP_UUID:
        return memcmp(a->u.uuid, b->u.uuid, 16) == 0;
    case SP_INSTANT:
    case SP_LOCAL:
        return a->u.ts.sec == b->u.ts.sec && a->u.ts.nsec == b->u.ts.nsec;
    case SP_DATE:
        return a->u.days == b->u.days;
    case SP_TIME:
        return a->u.time_ns == b->u.time_ns;
    case SP_ARRAY:
        if (a->u.array.n != b->u.array.n || a->u.array.elem != b->u.array.elem)
            return false;
        for (size_t i = 0; i < a->u.array.n; i++) {
            if (!same_value(&a->u.array.v[i], &b->u.array.v[i], depth + 1))
                return false;
        }
        return true;
    case SP_VECTOR:
        if (a->u.vector.n != b->u.vector.n)
            return false;
        for (size_t i = 0; i < a->u.vector.n; i++) {
            if (!same_f32(a->u.vector.v[i], b->u.vector.v[i]))
                return false;
        }
        return true;
    case SP_NATIVE:
        return sp_streq(a->u.native.type, b->u.native.type) &&
               same_octets(a->u.native.p, a->u.native.n, b->u.native.p, b->u.native.n);
    case SP_TAG_N:
        break;
    }
    return false;
}

bool sp_value_equal(const struct sp_value *a, const struct sp_value *b)
{
    return same_value(a, b, 0);
}

static int copy_array(struct sp_arena *a, struct sp_value *out, const struct sp_value *in, int depth);

static int copy_value(struct sp_arena *a, struct sp_value *out, const struct sp_value *in, int depth)
{
    struct sp_value v = *in;
    switch (in->tag) {
    case SP_DEC:
        v.u.dec.digits =
            sp_arena_strn(a, in->u.dec.digits != NULL ? in->u.dec.digits : "", in->u.dec.ndigits);
        if (v.u.dec.digits == NULL)
            return -SP_E_NOMEM;
        break;
    case SP_TEXT:
    case SP_BYTES:
    case SP_JSON:
    case SP_REF:
        v.u.str.p = sp_arena_dup(a, in->u.str.n != 0 ? in->u.str.p : "", in->u.str.n);
        if (v.u.str.p == NULL)
            return -SP_E_NOMEM;
        break;
    case SP_VECTOR:
        if (in->u.vector.n > SIZE_MAX / sizeof(float))
            return -SP_E_NOMEM;
        v.u.vector.v = sp_arena_array(a, in->u.vector.n != 0 ? in->u.vector.n : 1, sizeof(float));
        if (v.u.vector.v == NULL)
            return -SP_E_NOMEM;
        if (in->u.vector.n != 0)
            memcpy((void *)(uintptr_t)v.u.vector.v, in->u.vector.v, in->u.vector.n * sizeof(float));
        break;
    case SP_NATIVE:
        v.u.native.type = sp_arena_str(a, in->u.native.type != NULL ? in->u.native.type : "");
        v.u.native.p = sp_arena_dup(a, in->u.native.n != 0 ? in->u.native.p : "", in->u.native.n);
        if (v.u.native.type == NULL || v.u.native.p == NULL)
            return -SP_E_NOMEM;
        break;
    case SP_ARRAY:
        return copy_array(a, out, in, depth);
    default:
        break;
    }
    *out = v;
    return 0;
}

static int copy_array(struct sp_arena *a, struct sp_value *out, const struct sp_value *in, int depth)
{
    if (depth > SP_VALUE_DEPTH)
        return -SP_E_TOO_LARGE;
    size_t n = in->u.array.n;
    struct sp_value *v = sp_arena_array(a, n != 0 ? n : 1, sizeof *v);
    if (v == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        int rc = copy_value(a, &v[i], &in->u.array.v[i], depth + 1);
        if (rc != 0)
            return rc;
    }
    *out = sp_v_array(in->u.array.elem, v, n);
    return 0;
}

int sp_value_copy(struct sp_arena *a, struct sp_value *out, const struct sp_value *in)
{
    return copy_value(a, out, in, 0);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int sp_uuid_parse(const char *s, size_t n, uint8_t out[16])
{
    uint8_t u[16];
    size_t at = 0;
    if (n != 36)
        return -SP_E_INVALID;
    for (size_t i = 0; i < 36;) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (s[i++] != '-')
                return -SP_E_INVALID;
            continue;
        }
        int hi = hex_digit(s[i]), lo = hex_digit(s[i + 1]);
        if (hi < 0 || lo < 0)
            return -SP_E_INVALID;
        u[at++] = (uint8_t)(hi * 16 + lo);
        i += 2;
    }
    memcpy(out, u, 16);
    return 0;
}

void sp_uuid_format(char out[37], const uint8_t u[16])
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        out[at++] = hex[u[i] >> 4];
        out[at++] = hex[u[i] & 15];
    }
    out[at] = '\0';
}
