/* db_numbers.c -- comparisons between numbers of different kinds, by number. PostgREST gives the server a text that must be of
 * the column's own type, so what lies between or beyond the column's values becomes a comparison with their nearest. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/decimal.h"
#include "providers/supabase/internal.h"

bool sd_is_number(enum sp_tag t)
{
    return t == SP_INT || t == SP_DEC || t == SP_F32 || t == SP_F64;
}

const char *sd_op_name(enum sp_filter_op op)
{
    static const char *const ops[] = { [SP_F_EQ] = "eq",
        [SP_F_NEQ] = "neq",
        [SP_F_GT] = "gt",
        [SP_F_GTE] = "gte",
        [SP_F_LT] = "lt",
        [SP_F_LTE] = "lte" };
    return ops[op];
}

static int put_text(struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op, const char *text)
{
    sd_put_leaf(logic, c->name, sd_op_name(op), text, strlen(text));
    return 0;
}

/* True, or false, for every number; unknown for null. */
static int put_constant(struct sp_buf *logic, const struct sd_column *c, bool truth)
{
    sp_buf_puts(logic, truth ? "or(" : "and(");
    (void)put_text(logic, c, truth ? SP_F_GTE : SP_F_GT, "0");
    sp_buf_putc(logic, ',');
    (void)put_text(logic, c, SP_F_LT, "0");
    return sp_buf_putc(logic, ')');
}

static int put_int(struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op, int64_t i)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)i);
    return put_text(logic, c, op, text);
}

/* Beyond everything that the column holds. */
static int put_beyond(struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op, bool above)
{
    bool less = op == SP_F_LT || op == SP_F_LTE, more = op == SP_F_GT || op == SP_F_GTE;
    return put_constant(logic, c, op == SP_F_NEQ || (above ? less : more));
}

/* The integer part, towards zero. false = it has too many digits. */
static bool integer_part(const struct sp_dec *d, int64_t *out)
{
    struct sp_dec whole = *d;
    if (d->exp >= 0)
        return sp_dec_to_i64(d, out);
    int64_t keep = (int64_t)d->ndigits + d->exp;
    if (keep <= 0) {
        *out = 0;
        return true;
    }
    whole.ndigits = (uint32_t)keep;
    whole.exp = 0;
    whole = sp_dec_normal(whole);
    return sp_dec_to_i64(&whole, out);
}

static int against_int(
    struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op, const struct sp_dec *d)
{
    int bits = c->type.int_bits == 0 ? 64 : c->type.int_bits < 16 ? 16 : c->type.int_bits;
    int64_t max = bits >= 64 ? INT64_MAX : (INT64_C(1) << (bits - 1)) - 1, min = -max - 1, i, floor;
    bool whole = sp_dec_to_i64(d, &i);
    if (!whole && !integer_part(d, &i))
        return put_beyond(logic, c, op, !d->neg);
    if (whole)
        return i > max || i < min ? put_beyond(logic, c, op, i > max) : put_int(logic, c, op, i);
    if (i > max || i < min || (d->neg && i == INT64_MIN))
        return put_beyond(logic, c, op, !d->neg);
    floor = d->neg ? i - 1 : i;
    if (op == SP_F_EQ || op == SP_F_NEQ)
        return put_constant(logic, c, op == SP_F_NEQ);
    if (op == SP_F_LT || op == SP_F_LTE)
        return floor < min ? put_constant(logic, c, false) : put_int(logic, c, SP_F_LTE, floor);
    return floor >= max ? put_constant(logic, c, false) : put_int(logic, c, SP_F_GTE, floor + 1);
}

/* A double against single floats: with the nearest of them. */
static int against_f32(struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op, double f)
{
    char text[40];
    float near = (float)f;
    if (isfinite(f) && !isfinite(near)) { /* between the largest and infinity */
        near = copysignf(3.40282346638528859812e+38f, near);
    }
    (void)snprintf(text, sizeof text,
        isnan(near)   ? "NaN"
        : isinf(near) ? (near > 0 ? "Infinity" : "-Infinity")
                      : "%.9g",
        (double)near);
    if ((double)near == f || isnan(f))
        return put_text(logic, c, op, text);
    if (op == SP_F_EQ || op == SP_F_NEQ)
        return put_constant(logic, c, op == SP_F_NEQ);
    bool over = (double)near > f; /* what is at least `near` is more than f */
    if (op == SP_F_GT || op == SP_F_GTE)
        return put_text(logic, c, over ? SP_F_GTE : SP_F_GT, text);
    return put_text(logic, c, over ? SP_F_LT : SP_F_LTE, text);
}

static double as_double(const struct sp_value *v)
{
    return v->tag == SP_F32   ? (double)v->u.f32
           : v->tag == SP_F64 ? v->u.f64
           : v->tag == SP_INT ? (double)v->u.i
                              : sp_dec_nearest_f64(&v->u.dec);
}

/* A number as an exact decimal; only finite ones. */
static int as_decimal(
    struct sp_arena *a, const struct sp_value *v, bool shortest, struct sp_dec *out, char digits[20])
{
    if (v->tag == SP_INT)
        return sp_dec_from_i64(digits, v->u.i, out) ? 0 : -SP_E_RANGE;
    if (v->tag == SP_DEC) {
        *out = v->u.dec;
        return 0;
    }
    return shortest ? sp_dec_from_f64(a, as_double(v), out) : sp_dec_from_f64_exact(a, as_double(v), out);
}

int sd_put_number(struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op,
    const struct sp_value *v, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_buf text = SP_BUF_INIT;
    struct sp_dec d;
    char digits[20];
    bool real = v->tag == SP_F32 || v->tag == SP_F64, odd = real && !isfinite(as_double(v));
    int ret;
    if (c->type.tag == SP_INT && odd) /* NaN stands behind all numbers */
        return put_beyond(logic, c, op, isnan(as_double(v)) || as_double(v) > 0);
    if (c->type.tag == SP_F32 && v->tag != SP_F32)
        return against_f32(logic, c, op, as_double(v));
    if (c->type.tag == SP_F64 || c->type.tag == SP_F32 || odd) {
        ret = sd_put_literal(&text, v, err);
    } else {
        ret = as_decimal(&a, v, c->type.tag == SP_DEC, &d, digits) != 0 ? sp_nomem(err) : 0;
        if (ret == 0 && c->type.tag == SP_INT)
            ret = against_int(logic, c, op, &d);
        else if (ret == 0)
            ret = sp_dec_print(&text, &d) != 0 ? sp_nomem(err) : 0;
    }
    if (ret == 0 && text.p != NULL && text.n > 0)
        (void)put_text(logic, c, op, text.p);
    sp_buf_free(&text);
    sp_arena_free(&a);
    return ret;
}
