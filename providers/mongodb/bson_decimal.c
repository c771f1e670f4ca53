/* bson_decimal.c -- exact decimals as decimal128. The arithmetic of forms is libbson's, through its text. */
#include <stdio.h>
#include <string.h>

#include "model/decimal.h"
#include "providers/mongodb/bson_value.h"

#define DIGITS  34
#define EXP_MIN (-6176)
#define EXP_MAX 6111

/* Coefficients above 34 digits count as zero by the standard, but the client's text of them drops a digit; NaN may carry
 * bits of its own. Such values are kept by their octets. */
bool mo_decimal_is_canonical(const bson_decimal128_t *d)
{
    const uint64_t top = UINT64_C(0x1ed09bead87c0), rest = UINT64_C(0x378d8e63ffffffff); /* 10^34 - 1 */
    if ((d->high >> 61 & 3) == 3)
        return d->low == 0 && (d->high == UINT64_C(0x7c00000000000000) ||
                                  (d->high & UINT64_MAX >> 1) == UINT64_C(0x7800000000000000));
    uint64_t high = d->high & UINT64_C(0x1ffffffffffff);
    return high < top || (high == top && d->low <= rest);
}

int mo_decimal_get(struct sp_arena *a, const bson_decimal128_t *d, struct sp_dec *out)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(d, text);
    size_t n = strlen(text);
    if (!mo_decimal_is_canonical(d))
        return 1;
    if (strchr(text, 'N') != NULL || strchr(text, 'I') != NULL) /* NaN, Infinity, -Infinity */
        return 1;
    const char *copy = sp_arena_strn(a, text, n);
    return copy == NULL ? -SP_E_NOMEM : sp_dec_parse(a, copy, n, out);
}

int mo_decimal_put(const struct sp_dec *d, bson_decimal128_t *out)
{
    char text[2 * DIGITS + 16];
    uint32_t zeros = 0;
    int32_t exp = d->exp;
    if (d->ndigits > DIGITS)
        return -SP_E_RANGE;
    if (d->ndigits != 0 && exp > 0 && (uint32_t)exp <= DIGITS - d->ndigits) {
        zeros = (uint32_t)exp;
        exp = 0;
    } else if (exp > EXP_MAX) {
        if ((int64_t)exp - EXP_MAX > (int64_t)(DIGITS - d->ndigits))
            return -SP_E_RANGE;
        zeros = (uint32_t)(exp - EXP_MAX);
        exp = EXP_MAX;
    }
    if (exp < EXP_MIN)
        return -SP_E_RANGE;
    int n =
        snprintf(text, sizeof text, "%s%.*s%.*sE%d", d->neg ? "-" : "", d->ndigits == 0 ? 1 : (int)d->ndigits,
            d->ndigits == 0 ? "0" : d->digits, (int)zeros, "0000000000000000000000000000000000", (int)exp);
    if (n < 0 || (size_t)n >= sizeof text || !bson_decimal128_from_string(text, out))
        return -SP_E_RANGE;
    return 0;
}
