/* parse.c -- whole-string parses without a locale. Each takes all of the text or refuses it. */
#include "base/str.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads digits at s into *out; returns where they end, NULL if there are none or they overflow. */
static const char *read_u64(const char *s, uint64_t *out)
{
    uint64_t v = 0;
    const char *p = s;
    for (; digit(*p); p++) {
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v)) {
            return NULL;
        }
    }
    *out = v;
    return p > s ? p : NULL;
}

bool sp_parse_u64(const char *s, uint64_t *out)
{
    uint64_t v;
    const char *end = s != NULL ? read_u64(s, &v) : NULL;
    if (end == NULL || *end != '\0') {
        return false;
    }
    *out = v;
    return true;
}

bool sp_parse_i64(const char *s, int64_t *out)
{
    bool minus = s != NULL && *s == '-';
    uint64_t v;
    if (s == NULL || !sp_parse_u64(minus ? s + 1 : s, &v)) {
        return false;
    }
    if (v > (uint64_t)INT64_MAX + (minus ? 1 : 0)) {
        return false;
    }
    if (minus && v > 0) {
        *out = -(int64_t)(v - 1) - 1;
    } else {
        *out = (int64_t)v;
    }
    return true;
}

static const char *skip_digits(const char *p)
{
    while (digit(*p)) {
        p++;
    }
    return p;
}

/* End of digits[.digits], NULL if that is not what stands at p. */
static const char *skip_decimal(const char *p)
{
    if (!digit(*p)) {
        return NULL;
    }
    p = skip_digits(p);
    if (*p == '.') {
        p = digit(p[1]) ? skip_digits(p + 1) : NULL;
    }
    return p;
}

static bool to_double(const char *s, double *out)
{
    /* The C locale by name: strtod() would use the separator of whatever locale a library has set. */
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c == (locale_t)0) {
        return false;
    }
    double v = strtod_l(s, NULL, c);
    freelocale(c);
    if (!isfinite(v)) {
        return false;
    }
    *out = v;
    return true;
}

bool sp_parse_f64(const char *s, double *out)
{
    if (s == NULL) {
        return false;
    }
    const char *p = skip_decimal(*s == '-' ? s + 1 : s);
    if (p != NULL && (*p == 'e' || *p == 'E')) {
        p += p[1] == '-' || p[1] == '+' ? 2 : 1;
        p = digit(*p) ? skip_digits(p) : NULL;
    }
    return p != NULL && *p == '\0' && to_double(s, out);
}

bool sp_parse_bool(const char *s, bool *out)
{
    static const char *const yes[] = { "true", "yes", "on", "1" };
    static const char *const no[] = { "false", "no", "off", "0" };
    for (size_t i = 0; i < SP_LEN(yes); i++) {
        if (sp_streq(s, yes[i]) || sp_streq(s, no[i])) {
            *out = sp_streq(s, yes[i]);
            return true;
        }
    }
    return false;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* digits[.digits]unit in exact integers; false unless the result is a whole number of the base unit. */
static bool parse_unit(const char *s, const struct unit *units, size_t n, uint64_t *out)
{
    const char *name = s != NULL ? skip_decimal(s) : NULL;
    const struct unit *u = NULL;
    for (size_t i = 0; name != NULL && i < n && u == NULL; i++) {
        u = strcmp(name, units[i].name) == 0 ? &units[i] : NULL;
    }
    uint64_t v;
    const char *p = u != NULL ? read_u64(s, &v) : NULL;
    if (p == NULL || __builtin_mul_overflow(v, u->factor, &v)) {
        return false;
    }
    if (*p == '.') {
        uint64_t rest = u->factor; /* what one unit of the place before is worth, times its lower digits */
        uint64_t fraction = 0, scale = 1;
        const char *last = name; /* trailing zeros say nothing and would only overflow */
        while (last[-1] == '0') {
            last--;
        }
        for (p++; p < last; p++) {
            if (__builtin_mul_overflow(scale, (uint64_t)10, &scale)) {
                return false;
            }
            fraction = fraction * 10 + (uint64_t)(*p - '0'); /* < scale, which has not overflowed */
        }
        if (__builtin_mul_overflow(fraction, rest, &rest) || rest % scale != 0 ||
            __builtin_add_overflow(v, rest / scale, &v)) {
            return false;
        }
    }
    *out = v;
    return true;
}

bool sp_parse_duration_ms(const char *s, int64_t *ms)
{
    static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
        { "d", 86400000 } };
    uint64_t v;
    if (!parse_unit(s, units, SP_LEN(units), &v) || v > INT64_MAX) {
        return false;
    }
    *ms = (int64_t)v;
    return true;
}

bool sp_parse_size(const char *s, uint64_t *bytes)
{
    static const struct unit units[] = { { "", 1 }, { "B", 1 }, { "KiB", 1u << 10 }, { "MiB", 1u << 20 },
        { "GiB", 1u << 30 }, { "TiB", (uint64_t)1 << 40 }, { "kB", 1000 }, { "KB", 1000 }, { "MB", 1000000 },
        { "GB", 1000000000 }, { "TB", 1000000000000 } };
    return parse_unit(s, units, SP_LEN(units), bytes);
}

/* The leading plain decimal of s (n bytes), with "e-2" behind it where asked. A number of more than 63
 * characters is refused: nobody configures one. */
static bool leading_f64(const char *s, size_t n, const char *exponent, double *out)
{
    char number[72];
    if (n >= 64) {
        return false;
    }
    memcpy(number, s, n);
    return sp_strlcpy(number + n, exponent, sizeof number - n) && to_double(number, out);
}

bool sp_parse_rate(const char *s, double *per_s)
{
    const char *end = s != NULL ? skip_decimal(s) : NULL;
    double v;
    if (end == NULL || !leading_f64(s, (size_t)(end - s), "", &v)) {
        return false;
    }
    if (strcmp(end, "/s") == 0) {
        *per_s = v;
    } else if (strcmp(end, "/m") == 0) {
        *per_s = v / 60;
    } else if (strcmp(end, "/h") == 0) {
        *per_s = v / 3600;
    } else {
        return false;
    }
    return true;
}

bool sp_parse_percent(const char *s, double *fraction)
{
    const char *end = s != NULL ? skip_decimal(s) : NULL;
    if (end == NULL || (strcmp(end, "%") != 0 && strcmp(end, "pp") != 0)) {
        return false;
    }
    /* e-2 instead of a division by 100: one rounding, so that 0.1pp is the double that 0.001 is. */
    return leading_f64(s, (size_t)(end - s), "e-2", fraction);
}
