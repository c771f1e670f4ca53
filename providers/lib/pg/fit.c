/* fit.c -- what a column of PostgreSQL takes exactly. What would be rounded, cut or folded there is refused here. */
#include <string.h>

#include "base/str.h"
#include "model/canonical.h"
#include "model/json.h"
#include "providers/lib/pg/pg.h"

static int range(struct sp_error *err, const char *what)
{
    return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "%s", what);
}

static size_t characters(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)p[i] & 0xc0) != 0x80 ? 1 : 0;
    return count;
}

int sp_pg_text_ok(const struct sp_type *type, const struct sp_value *v, struct sp_error *err)
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
        return sp_pg_text_ok(type, v, err);
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

const char *sp_pg_type_name(enum sp_tag tag)
{
    static const char *const names[SP_TAG_N] = {
        [SP_BOOL] = "boolean",
        [SP_INT] = "bigint",
        [SP_DEC] = "numeric",
        [SP_F32] = "real",
        [SP_F64] = "double precision",
        [SP_TEXT] = "text",
        [SP_REF] = "text",
        [SP_BYTES] = "bytea",
        [SP_UUID] = "uuid",
        [SP_INSTANT] = "timestamp with time zone",
        [SP_LOCAL] = "timestamp without time zone",
        [SP_DATE] = "date",
        [SP_TIME] = "time without time zone",
        [SP_JSON] = "json",
    };
    return names[tag];
}

/* NaN, infinity: words of the server's own, for columns of exactly this type. */
static bool own_word(const struct sp_type *type, const struct sp_value *v)
{
    const char *name = sp_pg_type_name(type->tag);
    return name != NULL && v->tag == SP_NATIVE && strcmp(v->u.native.type, name) == 0;
}

/* Arrays of arrays, each element for itself. The depth is bounded. */
static int fit_nested(struct sp_arena *a, const struct sp_type *type, const struct sp_value *v, int depth,
    struct sp_value *out, struct sp_error *err)
{
    const struct sp_type leaf = { .tag = type->elem };
    size_t n = v->u.array.n;
    struct sp_value *e = sp_arena_array(a, n == 0 ? 1 : n, sizeof *e);
    int ret = e == NULL             ? sp_nomem(err)
              : depth == SP_PG_DIMS ? range(err, "an array of too many dimensions")
                                    : 0;
    for (size_t i = 0; ret == 0 && i < n; i++) {
        const struct sp_value *in = &v->u.array.v[i];
        ret = in->tag == SP_ARRAY ? fit_nested(a, type, in, depth + 1, &e[i], err)
                                  : sp_pg_fit(a, &leaf, in, &e[i], err);
    }
    *out = sp_v_array(v->u.array.elem == SP_ARRAY ? SP_ARRAY : type->elem, e, n);
    return ret;
}

int sp_pg_fit(struct sp_arena *a, const struct sp_type *type, const struct sp_value *v, struct sp_value *out,
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
            return sp_pg_text_ok(type, v, err);
        if (rc != 0)
            return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "a value of type %s for a column of type %s",
                sp_tag_name(v->tag), sp_tag_name(type->tag));
        if (v->tag == SP_TEXT && type->tag == SP_JSON) /* in its own spelling, which a json column keeps */
            *out = sp_v_jsonn(v->u.str.p, v->u.str.n);
    }
    return check_limits(type, out, err);
}
