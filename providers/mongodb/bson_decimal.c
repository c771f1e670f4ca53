/* bson_decimal.c -- exact decimals as decimal128. The arithmetic of forms is libbson's, through its text. */
#include <stdio.h>
#include <string.h>

#include "model/decimal.h"
#include "providers/mongodb/bson_value.h"

#define DIGITS  34
#define EXP_MIN (-6176)
#define EXP_MAX 6111

int mo_decimal_get(struct sp_arena *a, const bson_decimal128_t *d, struct sp_dec *out)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(d, text);
    size_t n = strlen(text);
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
