/* lens_tags.c -- {"$tag": "text"} as the value that the same thing is as a field of its own, and what a value that a
 * backend keeps apart from others means. */
#include <string.h>

#include "base/str.h"
#include "map/lens_node.h"
#include "model/calendar.h"
#include "model/decimal.h"

static int native(struct sp_arena *a, const char *type, const char *text, size_t n, struct sp_value *out)
{
    const char *p = sp_arena_strn(a, text, n), *name = sp_arena_str(a, type);
    *out = sp_v_native(name, p, n);
    return p == NULL || name == NULL ? -SP_E_NOMEM : 0;
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

static int number_of(struct sp_arena *a, const char *text, size_t n, struct sp_value *out)
{
    struct sp_dec d;
    if (n == 3 && memcmp(text, "NaN", 3) == 0)
        *out = sp_v_f64(__builtin_nan(""));
    else if (n == 8 && memcmp(text, "Infinity", 8) == 0)
        *out = sp_v_f64(__builtin_inf());
    else if (n == 9 && memcmp(text, "-Infinity", 9) == 0)
        *out = sp_v_f64(-__builtin_inf());
    else if (sp_dec_parse(a, text, n, &d) == 0)
        *out = sp_v_f64(d.ndigits == 0 && text[0] == '-' ? -0.0 : sp_dec_nearest_f64(&d));
    else
        return native(a, "double", text, n, out);
    return 0;
}

/* Is this the one form in which a decimal is written: without an exponent if it is integral and has at most 34 digits, else
 * without zeros at the end? Others are kept apart. */
static bool usual_decimal(const char *s, size_t n)
{
    int64_t exponent = 0, fraction = 0, digits = 0;
    char last = '0', text[24];
    bool point = false;
    size_t i = n != 0 && s[0] == '-' ? 1 : 0;
    for (; i < n && s[i] != 'E' && s[i] != 'e'; i++) {
        if (s[i] == '.') {
            point = true;
            continue;
        }
        fraction += point ? 1 : 0;
        digits += digits != 0 || s[i] != '0' ? 1 : 0;
        last = s[i];
    }
    if (i < n) {
        size_t from = i + (i + 1 < n && s[i + 1] == '+' ? 2 : 1);
        if (n - from >= sizeof text)
            return false;
        memcpy(text, s + from, n - from);
        text[n - from] = '\0';
        if (!sp_parse_i64(text, &exponent) || exponent > 100000 || exponent < -100000)
            return false;
    }
    exponent -= fraction;
    if (digits == 0)
        return exponent == 0 && s[0] != '-';
    if (exponent == 0)
        return true;
    return last != '0' && (exponent < 0 || digits + exponent > 34);
}

static int decimal_of(struct sp_arena *a, const char *text, size_t n, struct sp_value *out)
{
    struct sp_dec d;
    if (!usual_decimal(text, n) || sp_dec_parse(a, text, n, &d) != 0)
        return native(a, "decimal", text, n, out);
    *out = sp_v_dec(d);
    return 0;
}

static int long_of(struct sp_arena *a, const char *text, size_t n, struct sp_value *out)
{
    int64_t i;
    if (!sp_parse_i64(text, &i))
        return native(a, "long", text, n, out);
    *out = sp_v_int(i);
    return 0;
}

/* ---- times, octets ------------------------------------------------------------------------------------------- */

static int date_of(struct sp_arena *a, const char *text, size_t n, struct sp_value *out)
{
    struct sp_ts ts;
    int64_t ms;
    bool zoned;
    if (sp_ts_parse(text, n, &ts, &zoned) == 0 && zoned) {
        *out = sp_v_instant(ts.sec, ts.nsec);
        return 0;
    }
    if (!sp_parse_i64(text, &ms))
        return native(a, "date", text, n, out);
    int64_t sec = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        rest += 1000;
        sec--;
    }
    *out = sp_v_instant(sec, (uint32_t)rest * 1000000u);
    return 0;
}

static int octets(struct sp_arena *a, const char *hex, size_t n, char **out)
{
    static const char digits[] = "0123456789abcdef";
    *out = sp_arena_alloc(a, n / 2 + 1);
    if (*out == NULL)
        return -SP_E_NOMEM;
    if (n % 2 != 0)
        return -SP_E_CORRUPT;
    for (size_t i = 0; i < n; i++) {
        const char *d = hex[i] != '\0' ? strchr(digits, hex[i]) : NULL;
        if (d == NULL)
            return -SP_E_CORRUPT;
        (*out)[i / 2] = (char)(i % 2 == 0 ? (d - digits) << 4 : ((*out)[i / 2] | (d - digits)));
    }
    return 0;
}

static int binary_of(struct sp_arena *a, const char *text, size_t n, struct sp_value *out)
{
    const char *colon = memchr(text, ':', n);
    char *p;
    if (colon == NULL)
        return native(a, "binData", text, n, out);
    size_t type = (size_t)(colon - text), len = n - type - 1;
    int rc = octets(a, colon + 1, len, &p);
    if (rc != 0)
        return rc;
    if (type == 1 && text[0] == '0') {
        *out = sp_v_bytes(p, len / 2);
        return 0;
    }
    const char *name = sp_arena_printf(a, "binData/%.*s", (int)type, text);
    *out = sp_v_native(name, p, len / 2);
    return name == NULL ? -SP_E_NOMEM : 0;
}

static int uuid_of(struct sp_arena *a, const char *text, size_t n, struct sp_value *out)
{
    uint8_t u[16];
    if (sp_uuid_parse(text, n, u) != 0)
        return native(a, "uuid", text, n, out);
    *out = sp_v_uuid(u);
    return 0;
}

static int bad_text_of(
    struct sp_arena *a, const char *text, size_t n, struct sp_value *out, enum sp_state *state)
{
    char *p;
    int rc = octets(a, text, n, &p);
    *out = sp_v_textn(p, n / 2);
    *state = SP_ST_UNCOERCED;
    return rc;
}

int lens_tagged_value(struct sp_arena *a, const char *tag, const char *text, size_t n, struct sp_value *out,
    enum sp_state *state)
{
    static const struct {
        const char *tag, *type;
        int (*read)(struct sp_arena *, const char *, size_t, struct sp_value *);
    } tags[] = { { "$numberInt", "int", NULL }, { "$numberLong", NULL, long_of },
        { "$numberDouble", NULL, number_of }, { "$numberDecimal", NULL, decimal_of },
        { "$date", NULL, date_of }, { "$oid", "objectId", NULL }, { "$binary", NULL, binary_of },
        { "$uuid", NULL, uuid_of }, { "$code", "javascript", NULL },
        { "$codeWithScope", "javascriptWithScope", NULL } };
    *state = SP_ST_PRESENT;
    if (strcmp(tag, "$badText") == 0)
        return bad_text_of(a, text, n, out, state);
    for (size_t i = 0; i < SP_LEN(tags); i++)
        if (strcmp(tags[i].tag, tag) == 0)
            return tags[i].read != NULL ? tags[i].read(a, text, n, out)
                                        : native(a, tags[i].type, text, n, out);
    return native(a, tag + 1, text, n, out); /* $regex, $timestamp ...: named like their tags */
}

int lens_logical(struct sp_arena *a, struct sp_value *v)
{
    struct sp_dec d;
    if (v->tag != SP_NATIVE)
        return 0;
    const char *type = v->u.native.type;
    bool whole = strcmp(type, "int") == 0 || strcmp(type, "long") == 0;
    if (!whole && strcmp(type, "decimal") != 0)
        return 0;
    const char *text = sp_arena_strn(a, v->u.native.p, v->u.native.n);
    int64_t i;
    if (text == NULL)
        return -SP_E_NOMEM;
    if (whole && sp_parse_i64(text, &i))
        *v = sp_v_int(i);
    else if (!whole && sp_dec_parse(a, text, v->u.native.n, &d) == 0)
        *v = sp_v_dec(d);
    return 0;
}
