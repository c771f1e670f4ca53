/* diagnose_number.c -- what happens to numbers on their way: precision, width, unit, spelling. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/equivalence.h"
#include "verify/diagnose.h"

static bool both(const struct sp_diag_cell *c)
{
    return c->number[0] && c->number[1];
}

static bool is_float(const struct sp_value *v)
{
    return v->tag == SP_F32 || v->tag == SP_F64;
}

/* The doubles next to the two numbers; false where a number is no double's. */
static bool doubles(const struct sp_diag_cell *c, double *s, double *t)
{
    if (!both(c))
        return false;
    double *const out[2] = { s, t };
    for (int i = 0; i < 2; i++)
        *out[i] = c->v[i].tag == SP_F64   ? c->v[i].u.f64
                  : c->v[i].tag == SP_F32 ? (double)c->v[i].u.f32
                                          : sp_dec_nearest_f64(&c->num[i]);
    return isfinite(*s) && isfinite(*t);
}

static bool float32(struct sp_diag_cell *c, int64_t *param)
{
    double s, t;
    *param = 0;
    if (!doubles(c, &s, &t) || s == t || fabs(s) > 3.4e38)
        return false;
    float f = (float)s;
    /* as a double again, or in the few digits that a single prints as */
    return (double)f == t || (c->num[1].ndigits <= 9 && c->num[1].ndigits < c->num[0].ndigits &&
                                 (float)t == f && c->num[1].ndigits >= 6);
}

static bool ulps(struct sp_diag_cell *c, int64_t *param)
{
    double s, t;
    if (!doubles(c, &s, &t) || s == t || signbit(s) != signbit(t) ||
        !(is_float(&c->v[0]) || is_float(&c->v[1])))
        return false;
    int64_t a, b;
    memcpy(&a, &s, sizeof a);
    memcpy(&b, &t, sizeof b);
    a &= INT64_MAX;
    b &= INT64_MAX;
    *param = a > b ? a - b : b - a;
    return *param > 0 && *param <= 4;
}

static void say_ulps(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, ": by up to %lld unit%s in the last place", (long long)p[0], p[0] == 1 ? "" : "s");
}

/* %.Ng and back. */
static bool float_digits(struct sp_diag_cell *c, int64_t *param)
{
    double s, t;
    if (!doubles(c, &s, &t) || s == t || !is_float(&c->v[0]))
        return false;
    for (int digits = 5; digits <= 16; digits++) {
        char text[40];
        snprintf(text, sizeof text, "%.*g", digits, s);
        if (strtod(text, NULL) == t) {
            *param = digits;
            return true;
        }
    }
    return false;
}

static void say_digits(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, " with %lld significant digits", (long long)p[0]);
}

/* ---- digits behind the point ------------------------------------------------------------------------------------ */

static bool same_number(const struct sp_dec *a, const struct sp_dec *b)
{
    return a->neg == b->neg && a->exp == b->exp && a->ndigits == b->ndigits &&
           (a->ndigits == 0 || memcmp(a->digits, b->digits, a->ndigits) == 0);
}

static int32_t scale_of(const struct sp_dec *d)
{
    return d->exp < 0 && d->ndigits != 0 ? -d->exp : 0;
}

static bool decimal_rounded(struct sp_diag_cell *c, int64_t *param)
{
    if (!both(c) || scale_of(&c->num[1]) >= scale_of(&c->num[0]))
        return false;
    *param = scale_of(&c->num[1]);
    struct sp_value s = { .tag = SP_DEC, .u.dec = c->num[0] }, r;
    return sp_rule_apply_arg(SP_RULE_ROUND_SCALE, (int32_t)*param, c->a, &s, &r) == 1 && r.tag == SP_DEC &&
           same_number(&r.u.dec, &c->num[1]);
}

static bool decimal_cut(struct sp_diag_cell *c, int64_t *param)
{
    if (!both(c) || scale_of(&c->num[1]) >= scale_of(&c->num[0]))
        return false;
    *param = scale_of(&c->num[1]);
    struct sp_dec d = c->num[0];
    int32_t drop = scale_of(&d) - (int32_t)*param;
    d.ndigits = (uint32_t)drop >= d.ndigits ? 0 : d.ndigits - (uint32_t)drop;
    d.exp += drop;
    d = sp_dec_normal(d);
    return same_number(&d, &c->num[1]);
}

static void say_scale(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    if (p[0] == 0)
        sp_buf_puts(out, " to whole numbers");
    else
        sp_buf_printf(out, " to %lld digit%s behind the point", (long long)p[0], p[0] == 1 ? "" : "s");
}

static bool scaled(struct sp_diag_cell *c, int64_t *param)
{
    if (!both(c) || c->num[0].ndigits == 0 || c->num[0].ndigits != c->num[1].ndigits ||
        c->num[0].neg != c->num[1].neg || memcmp(c->num[0].digits, c->num[1].digits, c->num[0].ndigits) != 0)
        return false;
    *param = (int64_t)c->num[1].exp - c->num[0].exp;
    return *param != 0 && *param >= -9 && *param <= 9;
}

static void say_scaled(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, ": the target is the source times %s1", p[0] < 0 ? "1/" : "");
    for (int64_t i = llabs(p[0]); i > 0; i--)
        sp_buf_putc(out, '0');
    if (llabs(p[0]) == 2)
        sp_buf_puts(out, ", as an amount of money in cents is");
}

static bool sign_lost(struct sp_diag_cell *c, int64_t *param)
{
    *param = c->num[1].neg ? 2 : 1;
    if (!both(c) || c->num[0].ndigits == 0)
        return false;
    struct sp_dec d = c->num[0];
    d.neg = !d.neg;
    return same_number(&d, &c->num[1]);
}

/* ---- width ---------------------------------------------------------------------------------------------------------- */

static bool integers(const struct sp_diag_cell *c, int64_t *s, int64_t *t)
{
    return both(c) && sp_dec_to_i64(&c->num[0], s) && sp_dec_to_i64(&c->num[1], t);
}

static bool wrapped(struct sp_diag_cell *c, int64_t *param)
{
    int64_t s, t;
    if (!integers(c, &s, &t) || s == t)
        return false;
    for (*param = 32; *param >= 8; *param /= 2) { /* the lower bits of 32 look like those of 8 */
        uint64_t mask = (UINT64_C(1) << *param) - 1;
        int64_t low = (int64_t)((uint64_t)s & mask), half = INT64_C(1) << (*param - 1);
        if (t == low || t == (low >= half ? low - 2 * half : low))
            return s >= 2 * half || s < -half || (s < 0) != (t < 0);
    }
    return false;
}

static bool clamped(struct sp_diag_cell *c, int64_t *param)
{
    int64_t s, t;
    if (!both(c) || !sp_dec_to_i64(&c->num[1], &t) || !sp_dec_to_i64(&c->num[0], &s) || s == t)
        return false;
    for (*param = 8; *param <= 32; *param *= 2) {
        int64_t half = INT64_C(1) << (*param - 1);
        if ((s > t && (t == half - 1 || t == 2 * half - 1)) || (s < t && (t == -half || (t == 0 && s < 0))))
            return t != 0 || *param == 32; /* an unsigned column's smallest */
    }
    return false;
}

static void say_bits(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, " of %lld bits", (long long)p[0]);
}

static bool beyond_53(struct sp_diag_cell *c, int64_t *param)
{
    *param = 0;
    if (!both(c) || is_float(&c->v[0]) || c->num[0].exp < 0)
        return false;
    double d = sp_dec_nearest_f64(&c->num[0]);
    if (!(fabs(d) >= 9007199254740992.0) || !isfinite(d))
        return false;
    struct sp_dec exact;
    return sp_dec_from_f64_exact(c->a, d, &exact) == 0 && same_number(&exact, &c->num[1]) &&
           !same_number(&c->num[0], &c->num[1]);
}

static bool offset(struct sp_diag_cell *c, int64_t *param)
{
    int64_t s, t;
    const int64_t most = INT64_C(1) << 61;
    if (!integers(c, &s, &t) || s > most || s < -most || t > most || t < -most)
        return false;
    *param = t - s;
    return *param != 0;
}

static void say_offset(struct sp_buf *out, const int64_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sp_buf_printf(out, "%s%+lld", i == 0 ? " by " : " and ", (long long)p[i]);
    if (n == 1 && llabs(p[0]) == 1)
        sp_buf_puts(out,
            " (counting from 0 against counting from 1; a counter that went on on one side looks the "
            "same)");
}

/* ---- spelling --------------------------------------------------------------------------------------------------------- */

static bool digit(char ch)
{
    return ch >= '0' && ch <= '9';
}

/* A number as people write it: blanks, signs and letters of a currency around it, groups of thousands, a decimal comma.
 * Into plain form. */
static bool plain_number(struct sp_buf *out, const char *p, size_t n, char point, char group)
{
    size_t digits = 0;
    bool behind = false;
    while (n > 0 && !digit(*p) && *p != '-' && *p != point) {
        p++;
        n--;
    }
    while (n > 0 && !digit(p[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++) {
        if (digit(p[i])) {
            digits++;
            sp_buf_putc(out, p[i]);
        } else if (p[i] == point && !behind) {
            behind = true;
            sp_buf_putc(out, '.');
        } else if (i == 0 && p[i] == '-') {
            sp_buf_putc(out, '-');
        } else if (p[i] != group || behind) {
            return false;
        }
    }
    return digits > 0 && !out->oom;
}

static bool spells(struct sp_diag_cell *c, int text, const struct sp_dec *number)
{
    static const char forms[][2] = { { '.', ',' }, { ',', '.' }, { '.', ' ' }, { ',', ' ' }, { '.', '\'' } };
    const struct sp_value *v = &c->v[text];
    struct sp_buf b = SP_BUF_INIT;
    bool found = false;
    if (v->u.str.n > 64)
        return false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0] && !found; i++) {
        struct sp_dec d;
        sp_buf_clear(&b);
        found = plain_number(&b, v->u.str.p, v->u.str.n, forms[i][0], forms[i][1]) &&
                sp_dec_parse(c->a, b.p, b.n, &d) == 0 && same_number(&d, number);
    }
    sp_buf_free(&b);
    return found;
}

static bool number_as_text(struct sp_diag_cell *c, int64_t *param)
{
    for (int i = 0; i < 2; i++)
        if (c->v[i].tag == SP_TEXT && c->number[1 - i]) {
            *param = i;
            return spells(c, i, &c->num[1 - i]);
        }
    return false;
}

static void say_text(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 0 ? "source keeps it" : "target keeps it");
}

/* Two texts of one number: 007 and 7, 1.50 and 1.5, 100000 and 1E+05. */
static bool respelled(struct sp_diag_cell *c, int64_t *param)
{
    struct sp_dec d[2];
    for (int i = 0; i < 2; i++)
        if (c->v[i].tag != SP_TEXT || c->v[i].u.str.n > 64 ||
            sp_dec_parse(c->a, c->v[i].u.str.p, c->v[i].u.str.n, &d[i]) != 0)
            return false;
    const char *s = c->v[0].u.str.p, *t = c->v[1].u.str.p;
    *param = s[0] == '0' && t[0] != '0'                                           ? 1
             : memchr(t, 'e', c->v[1].u.str.n) || memchr(t, 'E', c->v[1].u.str.n) ? 2
                                                                                  : 3;
    return same_number(&d[0], &d[1]);
}

static void say_respelled(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1   ? ": zeros at the front are gone (postcodes, telephone and article numbers)"
                     : p[0] == 2 ? ": the target has it with an exponent"
                                 : ": the same number in other digits");
}

static bool negative_zero(struct sp_diag_cell *c, int64_t *param)
{
    double s, t;
    *param = 0;
    return doubles(c, &s, &t) && s == 0 && t == 0 && signbit(s) != signbit(t);
}

const struct sp_diag_class sp_diag_numbers[] = {
    { "float32", SP_DIAG_FREE, 0.02, float32, "doubles went through single precision (about 7 digits)", NULL,
        "make the target's column a double (float8, DOUBLE) and load it again" },
    { "float_last_place", SP_DIAG_MAX, 0.03, ulps, "floats differ at their very end", say_ulps,
        "they went through a text with too few digits (17 are needed), or were computed again: copy them in "
        "binary or "
        "print them with 17 digits" },
    { "float_digits", SP_DIAG_MAX, 0.04, float_digits, "floats went through a text", say_digits,
        "print them with 17 significant digits (extra_float_digits, %.17g), or copy them in binary" },
    { "decimal_rounded", SP_DIAG_MAX, 0.15, decimal_rounded, "numbers are rounded", say_scale,
        "give the target's column the source's scale and load it again; or, if the loss is meant, name it in "
        "the "
        "mapping (rule round_to_scale)" },
    { "decimal_cut", SP_DIAG_MAX, 0.12, decimal_cut, "numbers are cut off", say_scale,
        "something on the way casts to a narrower type: give the target's column the source's scale and load "
        "it "
        "again" },
    { "integer_wrapped", SP_DIAG_SAME, 0.01, wrapped, "whole numbers were cut to the lower half: an integer",
        say_bits, "use a 64-bit integer (bigint) in the target and in the tool between" },
    { "integer_clamped", SP_DIAG_SAME, 0.05, clamped, "whole numbers stop at the limit of an integer",
        say_bits, "use a 64-bit integer (bigint) in the target and load the column again" },
    { "beyond_2_53", SP_DIAG_FREE, 0.02, beyond_53, "whole numbers above 2^53 went through a double", NULL,
        "JSON in JavaScript, spreadsheets and dynamic languages do that: carry such numbers as text or as "
        "64-bit "
        "integers" },
    { "power_of_ten", SP_DIAG_SAME, 0.05, scaled, "numbers are in another unit", say_scaled,
        "agree on one unit, or convert in the load" },
    { "sign", SP_DIAG_FREE, 0.05, sign_lost, "numbers lost or changed their sign", NULL,
        "look at unsigned types and at how negative amounts are spelled in the export" },
    { "offset", SP_DIAG_SAME, 0.5, offset, "whole numbers are shifted", say_offset,
        "if the column refers to ids that were given anew, map it through the table of old and new ids "
        "(crosswalk)" },
    { "number_as_text", SP_DIAG_FREE, 0.02, number_as_text,
        "a number is kept as text with its spelling: the ", say_text,
        "load it as a number; watch out for decimal commas and groups of thousands" },
    { "number_respelled", SP_DIAG_FREE, 0.03, respelled, "a text of digits was taken for a number",
        say_respelled, "carry the column as text all the way (spreadsheets and CSV imports guess types)" },
    { "negative_zero", SP_DIAG_FREE, 0.01, negative_zero, "-0.0 and 0.0 differ", NULL,
        "the backend or a text in between does not keep the sign of zero; if nobody needs it, name it in the "
        "mapping "
        "(rule negzero_to_zero)" },
    { .name = NULL },
};
