/* db_text.c -- values as the server reads them: the input form of their type, and JSON for a body. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/calendar.h"
#include "model/decimal.h"
#include "model/json.h"
#include "providers/supabase/internal.h"

static void put_float(struct sp_buf *out, double f, int digits, bool quote)
{
    const char *q = quote ? "\"" : "";
    if (isfinite(f))
        sp_buf_printf(out, "%.*g", digits, f); /* reads back as the same number */
    else
        sp_buf_printf(out, "%s%s%s", q, isnan(f) ? "NaN" : f > 0 ? "Infinity" : "-Infinity", q);
}

static void put_day(struct sp_buf *out, int64_t year, int month, int day)
{
    sp_buf_printf(out, "%04lld-%02d-%02d", (long long)(year > 0 ? year : 1 - year), month, day);
}

static void put_ts(struct sp_buf *out, struct sp_ts ts, bool utc)
{
    struct sp_civil c;
    sp_civil_from_ts(ts, &c);
    put_day(out, c.year, c.month, c.day);
    sp_buf_printf(out, " %02d:%02d:%02d", c.hour, c.minute, c.second);
    if (c.nsec != 0)
        sp_buf_printf(out, ".%06u", (unsigned)(c.nsec / 1000)); /* finer ones were refused */
    sp_buf_printf(out, "%s%s", utc ? "+00" : "", c.year > 0 ? "" : " BC");
}

static void put_date(struct sp_buf *out, int64_t days)
{
    int64_t year;
    int month, day;
    sp_civil_from_days(days, &year, &month, &day);
    put_day(out, year, month, day);
    sp_buf_puts(out, year > 0 ? "" : " BC");
}

static void put_time(struct sp_buf *out, int64_t ns)
{
    int64_t s = ns / 1000000000;
    sp_buf_printf(out, "%02d:%02d:%02d.%06d", (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60),
        (int)(ns % 1000000000 / 1000));
}

static int put_array(struct sp_buf *out, const struct sp_value *v, int depth, struct sp_error *err);

/* An element of an array: in quotes whatever it is, so that no word and no sign means anything. */
static int put_element(struct sp_buf *out, const struct sp_value *v, int depth, struct sp_error *err)
{
    struct sp_buf text = SP_BUF_INIT;
    if (sp_v_is_absent(v))
        return sp_buf_puts(out, "NULL");
    if (v->tag == SP_ARRAY)
        return put_array(out, v, depth + 1, err);
    int ret = sd_put_literal(&text, v, err);
    if (ret == 0)
        sd_put_quoted(out, text.p != NULL ? text.p : "", text.n);
    sp_buf_free(&text);
    return ret;
}

static int put_array(struct sp_buf *out, const struct sp_value *v, int depth, struct sp_error *err)
{
    int ret = 0;
    if (depth >= SP_PG_DIMS)
        return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "an array of too many dimensions");
    sp_buf_putc(out, '{');
    for (size_t i = 0; ret == 0 && i < v->u.array.n; i++) {
        if (i > 0)
            sp_buf_putc(out, ',');
        ret = put_element(out, &v->u.array.v[i], depth, err);
    }
    sp_buf_putc(out, '}');
    return ret;
}

int sd_put_literal(struct sp_buf *out, const struct sp_value *v, struct sp_error *err)
{
    char uuid[37];
    int ret = 0;
    switch (v->tag) {
    case SP_BOOL:
        sp_buf_puts(out, v->u.b ? "true" : "false");
        break;
    case SP_INT:
        sp_buf_printf(out, "%lld", (long long)v->u.i);
        break;
    case SP_DEC:
        ret = sp_dec_print(out, &v->u.dec);
        break;
    case SP_F32:
        put_float(out, (double)v->u.f32, 9, false);
        break;
    case SP_F64:
        put_float(out, v->u.f64, 17, false);
        break;
    case SP_TEXT:
    case SP_REF:
    case SP_JSON:
        sp_buf_put(out, v->u.str.p, v->u.str.n);
        break;
    case SP_NATIVE:
        sp_buf_put(out, v->u.native.p, v->u.native.n);
        break;
    case SP_BYTES:
        sp_buf_puts(out, "\\x");
        sp_buf_hex(out, v->u.str.p, v->u.str.n);
        break;
    case SP_UUID:
        sp_uuid_format(uuid, v->u.uuid);
        sp_buf_puts(out, uuid);
        break;
    case SP_INSTANT:
    case SP_LOCAL:
        put_ts(out, v->u.ts, v->tag == SP_INSTANT);
        break;
    case SP_DATE:
        put_date(out, v->u.days);
        break;
    case SP_TIME:
        put_time(out, v->u.time_ns);
        break;
    case SP_ARRAY:
        ret = put_array(out, v, 0, err);
        break;
    case SP_VECTOR:
        for (size_t i = 0; i < v->u.vector.n; i++) {
            sp_buf_putc(out, i == 0 ? '{' : ',');
            put_float(out, (double)v->u.vector.v[i], 9, false);
        }
        sp_buf_puts(out, v->u.vector.n == 0 ? "{}" : "}");
        break;
    default:
        return sp_fail(
            err, SP_E_INVALID, SP_ORIGIN_BACKEND, "a value of type %s has no text", sp_tag_name(v->tag));
    }
    return ret != 0 || out->oom ? sp_nomem(err) : 0;
}

static bool is_null_json(const struct sp_value *v)
{
    const char *p = v->u.str.p, *end = p + v->u.str.n;
    while (p < end && strchr(" \t\r\n", *p) != NULL)
        p++;
    return end - p >= 4 && memcmp(p, "null", 4) == 0;
}

int sd_put_json(struct sp_buf *out, const struct sp_value *v, struct sp_error *err)
{
    struct sp_buf text = SP_BUF_INIT;
    int ret = 0;
    switch (v->tag) {
    case SP_NULL:
    case SP_MISSING:
        sp_buf_puts(out, "null");
        break;
    case SP_F32:
        put_float(out, (double)v->u.f32, 9, true);
        break;
    case SP_F64:
        put_float(out, v->u.f64, 17, true);
        break;
    case SP_BOOL:
    case SP_INT:
    case SP_DEC:
        return sd_put_literal(out, v, err);
    case SP_JSON:
        if (is_null_json(v))
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                "the JSON value null cannot be written over REST: the server makes it a null of the column");
        sp_buf_put(out, v->u.str.p, v->u.str.n);
        break;
    case SP_ARRAY:
    case SP_VECTOR: /* as text: an empty inner array, or a word, is read as the type reads it */
    default:
        ret = sd_put_literal(&text, v, err);
        if (ret == 0)
            ret = sp_json_quote(out, text.p != NULL ? text.p : "", text.n) != 0 ? sp_nomem(err) : 0;
    }
    sp_buf_free(&text);
    return ret != 0 ? ret : out->oom ? sp_nomem(err) : 0;
}
