/* extreme.c -- the lowest and the highest of many canonical values. For people: numbers of different types meet as
 * doubles, and of long texts the beginning decides. */
#include <endian.h>
#include <math.h>

#include "model/decimal.h"
#include "verify/profile.h"

static int64_t i64(const uint8_t *p)
{
    uint64_t u;
    memcpy(&u, p, 8);
    u = le64toh(u);
    int64_t v;
    memcpy(&v, &u, 8);
    return v;
}

static int32_t i32(const uint8_t *p)
{
    uint32_t u;
    memcpy(&u, p, 4);
    u = le32toh(u);
    int32_t v;
    memcpy(&v, &u, 4);
    return v;
}

static double f64(const uint8_t *p)
{
    uint64_t u;
    double v;
    memcpy(&u, p, 8);
    u = le64toh(u);
    memcpy(&v, &u, 8);
    return v;
}

static double f32(const uint8_t *p)
{
    uint32_t u;
    float v;
    memcpy(&u, p, 4);
    u = le32toh(u);
    memcpy(&v, &u, 4);
    return (double)v;
}

/* Sign, exponent, digits; false for one whose digits were cut. */
static bool decimal(const uint8_t *p, uint64_t n, struct sp_dec *out)
{
    if (n < 5 || n > SP_V_EXTREME)
        return false;
    *out = (struct sp_dec){
        .digits = (const char *)p + 5, .ndigits = (uint32_t)(n - 5), .exp = i32(p + 1), .neg = p[0] != 0
    };
    return true;
}

static bool is_number(uint8_t tag)
{
    return tag == SP_INT || tag == SP_DEC || tag == SP_F32 || tag == SP_F64;
}

bool sp_v_ordered(uint8_t tag)
{
    switch (tag) {
    case SP_BOOL:
    case SP_TEXT:
    case SP_BYTES:
    case SP_UUID:
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_DATE:
    case SP_TIME:
        return true;
    default:
        return is_number(tag);
    }
}

static size_t width(uint8_t tag)
{
    switch (tag) {
    case SP_BOOL:
        return 1;
    case SP_F32:
        return 4;
    case SP_INT:
    case SP_F64:
    case SP_DATE:
    case SP_TIME:
        return 8;
    case SP_INSTANT:
    case SP_LOCAL:
        return 12;
    case SP_UUID:
        return 16;
    case SP_DEC:
        return 5;
    default:
        return 0;
    }
}

static double number(uint8_t tag, const uint8_t *p, uint64_t n)
{
    struct sp_dec d;
    switch (tag) {
    case SP_INT:
        return (double)i64(p);
    case SP_F32:
        return f32(p);
    case SP_F64:
        return f64(p);
    default:
        return decimal(p, n, &d) ? sp_dec_nearest_f64(&d) : 0.0;
    }
}

static int order(double a, double b)
{
    return a < b ? -1 : a > b;
}

static int octets(const uint8_t *a, uint64_t na, const uint8_t *b, uint64_t nb)
{
    size_t n = (size_t)(na < nb ? na : nb);
    int r = memcmp(a, b, n < SP_V_EXTREME ? n : SP_V_EXTREME);
    return r != 0 ? r : na < nb && na < SP_V_EXTREME ? -1 : na > nb && nb < SP_V_EXTREME;
}

static int cmp(const struct sp_vextreme *e, uint8_t tag, const uint8_t *p, size_t n)
{
    struct sp_dec a, b;
    if (e->tag != tag)
        return is_number(e->tag) && is_number(tag) ? order(number(e->tag, e->p, e->n), number(tag, p, n))
                                                   : (int)e->tag - (int)tag;
    switch (tag) {
    case SP_INT:
    case SP_DATE:
    case SP_TIME: {
        int64_t x = i64(e->p), y = i64(p);
        return x < y ? -1 : x > y;
    }
    case SP_INSTANT:
    case SP_LOCAL: {
        int64_t x = i64(e->p), y = i64(p);
        return x != y ? (x < y ? -1 : 1)
                      : order((double)(uint32_t)i32(e->p + 8), (double)(uint32_t)i32(p + 8));
    }
    case SP_DEC:
        if (decimal(e->p, e->n, &a) && decimal(p, n, &b))
            return sp_dec_cmp(&a, &b);
        return 0;
    case SP_F32:
    case SP_F64:
        return order(number(tag, e->p, e->n), number(tag, p, n));
    default:
        return octets(e->p, e->n, p, n);
    }
}

static void keep(struct sp_vextreme *e, uint8_t tag, const uint8_t *p, size_t n)
{
    e->set = true;
    e->tag = tag;
    e->n = n;
    memcpy(e->p, p, n < SP_V_EXTREME ? n : SP_V_EXTREME);
}

void sp_v_extreme_feed(
    struct sp_vextreme *min, struct sp_vextreme *max, uint8_t tag, const uint8_t *p, size_t n)
{
    if (n < width(tag) || (tag == SP_DEC && n > SP_V_EXTREME))
        return;
    if ((tag == SP_F64 && isnan(f64(p))) || (tag == SP_F32 && isnan(f32(p))))
        return;
    if (!min->set || cmp(min, tag, p, n) > 0)
        keep(min, tag, p, n);
    if (!max->set || cmp(max, tag, p, n) < 0)
        keep(max, tag, p, n);
}

void sp_v_extreme_print(struct sp_buf *out, const struct sp_vextreme *e, bool show)
{
    struct sp_arena a = SP_ARENA_INIT;
    uint8_t field[5 + SP_V_EXTREME];
    struct sp_type type = { .tag = (enum sp_tag)e->tag };
    struct sp_value v;
    enum sp_state state;
    if (!e->set)
        return;
    size_t n = e->n < SP_V_EXTREME ? (size_t)e->n : SP_V_EXTREME;
    field[0] = SP_ST_PRESENT;
    uint32_t len = htole32((uint32_t)n);
    memcpy(field + 1, &len, 4);
    memcpy(field + 5, e->p, n);
    if (!show) {
        char digest[33];
        sp_d128_format(digest, sp_d128_of(e->p, n));
        digest[16] = '\0';
        sp_buf_printf(out, "%s, digest %s", sp_tag_name((enum sp_tag)e->tag), digest);
    } else if (sp_canon_read(&a, &type, field, 5 + n, &v, &state) > 0) {
        sp_value_print_key(out, &v);
        if (e->n > n)
            sp_buf_printf(out, " ... (%llu bytes)", (unsigned long long)e->n);
    }
    sp_arena_free(&a);
}
