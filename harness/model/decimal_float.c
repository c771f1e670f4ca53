/* decimal_float.c -- between exact decimals and binary floats.
 *
 * snprintf and strtod are used only where they are exact and correctly rounded, and only for digits: the program
 * never calls setlocale, so the point is a point. */
#include "model/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double pow10_exact[] = { 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
    1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* --- a natural number of at most 1100 decimal digits, base 10^9, little-endian --------------------------------- */

#define LIMBS 128
struct natural {
    uint32_t limb[LIMBS];
    size_t n;
};

static void nat_mul(struct natural *x, uint32_t f)
{
    uint64_t carry = 0;
    for (size_t i = 0; i < x->n; i++) {
        uint64_t v = (uint64_t)x->limb[i] * f + carry;
        x->limb[i] = (uint32_t)(v % 1000000000u);
        carry = v / 1000000000u;
    }
    while (carry != 0 && x->n < LIMBS) {
        x->limb[x->n++] = (uint32_t)(carry % 1000000000u);
        carry /= 1000000000u;
    }
}

static void nat_mul_pow(struct natural *x, uint32_t base, int times)
{
    uint32_t chunk = 1;
    for (; times > 0; times--) {
        if (chunk > UINT32_MAX / base) {
            nat_mul(x, chunk);
            chunk = 1;
        }
        chunk *= base;
    }
    nat_mul(x, chunk);
}

static size_t nat_digits(const struct natural *x, char *out)
{
    size_t at = 0;
    for (size_t i = x->n; i-- > 0;) {
        uint32_t v = x->limb[i];
        for (size_t k = 9; k-- > 0; v /= 10)
            out[at + k] = (char)('0' + v % 10);
        at += 9;
    }
    return at;
}

static int keep_digits(
    struct sp_arena *a, const char *digits, size_t n, int32_t exp, bool neg, struct sp_dec *out)
{
    struct sp_dec d = sp_dec_normal((struct sp_dec){ digits, (uint32_t)n, exp, neg });
    d.digits = sp_arena_dup(a, d.digits, d.ndigits);
    if (d.digits == NULL)
        return -SP_E_NOMEM;
    *out = d;
    return 0;
}

int sp_dec_from_f64_exact(struct sp_arena *a, double f, struct sp_dec *out)
{
    if (!isfinite(f))
        return -SP_E_RANGE;
    int e;
    double m = frexp(fabs(f), &e); /* |f| = m * 2^e, 0.5 <= m < 1 */
    uint64_t bits = (uint64_t)ldexp(m, 53);
    e -= 53;
    for (; bits != 0 && (bits & 1) == 0 && e < 0; e++)
        bits >>= 1;
    struct natural x = { .n = 0 };
    for (; bits != 0; bits /= 1000000000u)
        x.limb[x.n++] = (uint32_t)(bits % 1000000000u);
    /* m * 2^-k = m * 5^k * 10^-k */
    if (e >= 0)
        nat_mul_pow(&x, 2, e);
    else if (x.n != 0)
        nat_mul_pow(&x, 5, -e);
    char digits[LIMBS * 9];
    size_t n = nat_digits(&x, digits);
    return keep_digits(a, digits, n, e < 0 ? e : 0, signbit(f) != 0, out);
}

/* A decimal of fewer than 16 digits whose quotient of two exact doubles gives f back: no other is as short. */
static bool short_quotient(double x, uint64_t *digits, int *scale)
{
    for (int s = 0; s <= 22; s++) {
        double r = rint(x * pow10_exact[s]);
        if (!(r < 1e15))
            return false;
        if (r / pow10_exact[s] == x) {
            *digits = (uint64_t)r;
            *scale = s;
            return true;
        }
    }
    return false;
}

/* Reads "d.ddde+xx", which snprintf wrote, into digits and exponent. */
static size_t split_scientific(const char *text, char *digits, int32_t *exp)
{
    size_t n = 0;
    const char *p = text;
    for (; *p != 'e'; p++) {
        if (*p != '.')
            digits[n++] = *p;
    }
    *exp = (int32_t)strtol(p + 1, NULL, 10) - (int32_t)(n - 1);
    return n;
}

/* The next larger number of the same length, in place; false if it would get longer. */
static bool increment(char *digits, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        if (digits[i] != '9') {
            digits[i]++;
            return true;
        }
        digits[i] = '0';
    }
    return false;
}

int sp_dec_from_f64_shortest(struct sp_arena *a, double f, struct sp_dec *out)
{
    if (!isfinite(f))
        return -SP_E_RANGE;
    double x = fabs(f);
    bool neg = signbit(f) != 0;
    uint64_t quick;
    int scale;
    if (short_quotient(x, &quick, &scale)) {
        char digits[20];
        struct sp_dec d;
        sp_dec_from_i64(digits, (int64_t)quick, &d);
        return keep_digits(a, d.digits, d.ndigits, d.exp - scale, neg, out);
    }
    int e;
    bool power_of_two = frexp(x, &e) == 0.5;
    for (int p = 1; p <= 17; p++) {
        char text[40], digits[24];
        int32_t exp;
        snprintf(text, sizeof text, "%.*e", p - 1, x);
        size_t n = split_scientific(text, digits, &exp);
        if (strtod(text, NULL) == x)
            return keep_digits(a, digits, n, exp, neg, out);
        /* Below a power of two the doubles lie closer: the nearest decimal may miss where the one above hits. */
        if (power_of_two && increment(digits, n)) {
            struct sp_dec up = { digits, (uint32_t)n, exp, false };
            if (sp_dec_nearest_f64(&up) == x)
                return keep_digits(a, digits, n, exp, neg, out);
        }
    }
    return -SP_E_INTERNAL; /* 17 digits always suffice */
}

int sp_dec_from_f64(struct sp_arena *a, double f, struct sp_dec *out)
{
    return isfinite(f) && f == floor(f) ? sp_dec_from_f64_exact(a, f, out)
                                        : sp_dec_from_f64_shortest(a, f, out);
}

double sp_dec_nearest_f64(const struct sp_dec *d)
{
    /* No double needs more than 768 digits to be told from its neighbours' midpoints; of what follows only that it
     * is not zero matters. */
    enum { KEEP = 790 };
    char text[KEEP + 32];
    size_t n = 0;
    int64_t exp = d->exp;
    if (d->ndigits == 0)
        return 0.0;
    if (d->neg)
        text[n++] = '-';
    if (d->ndigits <= KEEP) {
        memcpy(text + n, d->digits, d->ndigits);
        n += d->ndigits;
    } else {
        memcpy(text + n, d->digits, KEEP);
        n += KEEP;
        text[n++] = '1';
        exp += (int64_t)d->ndigits - KEEP - 1;
    }
    snprintf(text + n, sizeof text - n, "e%lld", (long long)exp);
    return strtod(text, NULL);
}

bool sp_dec_to_f64_exact(const struct sp_dec *d, double *out)
{
    double f = sp_dec_nearest_f64(d);
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_dec back;
    bool same = isfinite(f) && sp_dec_from_f64(&a, f, &back) == 0 && sp_dec_cmp(d, &back) == 0;
    sp_arena_free(&a);
    if (same)
        *out = f;
    return same;
}
