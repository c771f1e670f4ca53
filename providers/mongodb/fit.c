/* fit.c -- values as a column takes them. What fits exactly is converted; what does not is sent as it is, so that the
 * collection's own validator decides. Limits that no validator can express are checked here. */
#include "model/canonical.h"
#include "providers/mongodb/internal.h"

static int range(struct sp_error *err, const char *what)
{
    return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "%s", what);
}

static int check_fraction(const struct sp_type *type, const struct sp_value *v, struct sp_error *err)
{
    int64_t unit = 1, nsec = v->tag == SP_TIME ? v->u.time_ns % 1000000000 : v->u.ts.nsec;
    if (type->precision == 0)
        return 0;
    for (uint32_t digits = type->precision - 1; digits < 9; digits++)
        unit *= 10;
    return nsec % unit != 0
               ? range(err, "a time with more digits below the second than the column keeps; it would be cut")
               : 0;
}

static int check_limits(const struct sp_type *type, const struct sp_value *v, struct sp_error *err)
{
    switch (v->tag) {
    case SP_DEC:
        if (type->tag == SP_DEC && type->precision > 0 &&
            ((int64_t)v->u.dec.exp < -(int64_t)type->scale ||
                (int64_t)v->u.dec.ndigits + v->u.dec.exp > (int64_t)type->precision - type->scale))
            return range(err, "a decimal with more digits than the column keeps");
        return 0;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_TIME:
        return check_fraction(type, v, err);
    case SP_BYTES:
        if (type->tag == SP_BYTES && type->length > 0 && v->u.str.n > type->length)
            return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "%zu octets in a column of %u", v->u.str.n,
                type->length);
        return 0;
    default:
        return 0;
    }
}

int mo_fit(struct sp_arena *a, const struct sp_type *type, const struct sp_value *v, struct sp_value *out,
    struct sp_error *err)
{
    *out = *v;
    if (sp_v_is_absent(v) || type->tag == SP_MISSING || type->tag == SP_NATIVE || v->tag == SP_NATIVE)
        return 0;
    bool as_is = v->tag == type->tag && v->tag != SP_ARRAY && v->tag != SP_VECTOR;
    if (!as_is) {
        int rc = sp_coerce(a, type, v, out);
        if (rc == -SP_E_NOMEM)
            return sp_nomem(err);
        if (rc != 0)
            *out = *v;
    }
    return check_limits(type, out, err);
}
