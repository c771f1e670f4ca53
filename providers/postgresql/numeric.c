/* numeric.c -- exact decimals in the server's binary form: groups of four decimal digits, the first of weight
 * 10000^weight. */
#include <string.h>

#include "model/decimal.h"
#include "providers/postgresql/internal.h"

#define NEGATIVE     0x4000
#define MAX_FRACTION 16383
#define MAX_WHOLE    131072

static void put16(struct sp_buf *out, int v)
{
    sp_buf_putc(out, (char)((unsigned)v >> 8 & 0xff));
    sp_buf_putc(out, (char)((unsigned)v & 0xff));
}

/* The digit that stands `at` places left of the point (-1: the first one behind it). */
static int digit_at(const struct sp_dec *d, int64_t at)
{
    int64_t i = (int64_t)d->ndigits - 1 + d->exp - at;
    return i >= 0 && i < (int64_t)d->ndigits ? d->digits[i] - '0' : 0;
}

static int64_t floor4(int64_t n)
{
    return n >= 0 ? n / 4 : -((-n + 3) / 4);
}

int po_numeric_put(struct sp_buf *out, const struct sp_dec *d, struct sp_error *err)
{
    int64_t whole = (int64_t)d->ndigits + d->exp, fraction = d->exp < 0 ? -(int64_t)d->exp : 0;
    if (whole > MAX_WHOLE || fraction > MAX_FRACTION)
        return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND,
            "a decimal of %lld digits before and %lld behind the point; PostgreSQL holds %d and %d",
            (long long)(whole < 0 ? 0 : whole), (long long)fraction, MAX_WHOLE, MAX_FRACTION);
    if (d->ndigits == 0) {
        put16(out, 0);
        put16(out, 0);
        put16(out, 0);
        put16(out, 0);
        return out->oom ? sp_nomem(err) : 0;
    }
    int64_t top = floor4(whole - 1), bottom = floor4(d->exp);
    put16(out, (int)(top - bottom + 1));
    put16(out, (int)top);
    put16(out, d->neg ? NEGATIVE : 0);
    put16(out, (int)fraction);
    for (int64_t g = top; g >= bottom; g--) {
        int v = 0;
        for (int k = 3; k >= 0; k--)
            v = v * 10 + digit_at(d, g * 4 + k);
        put16(out, v);
    }
    return out->oom ? sp_nomem(err) : 0;
}

int po_numeric_get(struct sp_arena *a, const uint8_t *p, size_t n, struct sp_dec *out)
{
    if (n < 8)
        return -SP_E_CORRUPT;
    size_t groups = po_u16(p);
    int weight = (int16_t)po_u16(p + 2), sign = po_u16(p + 4);
    if (sign != 0 && sign != NEGATIVE)
        return 1;
    if (n != 8 + groups * 2)
        return -SP_E_CORRUPT;
    char *digits = sp_arena_alloc(a, groups * 4 + 1);
    if (digits == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < groups; i++) {
        unsigned v = po_u16(p + 8 + i * 2);
        if (v > 9999)
            return -SP_E_CORRUPT;
        digits[i * 4] = (char)('0' + v / 1000);
        digits[i * 4 + 1] = (char)('0' + v / 100 % 10);
        digits[i * 4 + 2] = (char)('0' + v / 10 % 10);
        digits[i * 4 + 3] = (char)('0' + v % 10);
    }
    *out = sp_dec_normal((struct sp_dec){ .digits = digits,
        .ndigits = (uint32_t)(groups * 4),
        .exp = (weight - (int)groups + 1) * 4,
        .neg = sign == NEGATIVE });
    return 0;
}
