/* value_print.c -- a value as people read it in messages and reports. Never used for comparing. */
#include "model/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "model/calendar.h"
#include "model/canonical.h"
#include "model/decimal.h"
#include "model/json.h"

static void print_cut(struct sp_buf *out, const void *p, size_t n)
{
    char digest[33];
    sp_d128_format(digest, sp_d128_of(p, n));
    sp_buf_printf(out, "... (%zu bytes, digest %s)", n, digest);
}

/* The number of bytes to show: not more than max, and no character cut in two. */
static size_t shown(const char *p, size_t n, size_t max)
{
    if (n <= max)
        return n;
    size_t k = max;
    while (k > 0 && max - k < 3 && ((uint8_t)p[k] & 0xc0) == 0x80)
        k--;
    return k;
}

/* Quoted; what is not printable or not UTF-8 as \xHH. */
static void print_text(struct sp_buf *out, const char *p, size_t n, size_t max)
{
    size_t show = shown(p, n, max), at = 0;
    bool escaped = false;
    sp_buf_putc(out, '"');
    while (at < show) {
        size_t good = sp_utf8_bad_at(p + at, show - at);
        for (size_t i = at; i < at + good; i++) {
            if ((uint8_t)p[i] < 0x20 || p[i] == 0x7f) {
                sp_buf_printf(out, "\\x%02x", (unsigned)(uint8_t)p[i]);
                escaped = true;
            } else {
                if (p[i] == '"' || p[i] == '\\')
                    sp_buf_putc(out, '\\');
                sp_buf_putc(out, p[i]);
            }
        }
        at += good;
        if (at < show) {
            sp_buf_printf(out, "\\x%02x", (unsigned)(uint8_t)p[at++]);
            escaped = true;
        }
    }
    sp_buf_putc(out, '"');
    if (show < n)
        print_cut(out, p, n);
    else if (escaped)
        sp_buf_printf(out, " (%zu bytes)", n);
}

static void print_hex(struct sp_buf *out, const char *p, size_t n, size_t max)
{
    size_t show = n <= max / 2 ? n : max / 2;
    sp_buf_puts(out, "0x");
    sp_buf_hex(out, p, show);
    if (show < n)
        print_cut(out, p, n);
}

static void print_plain_cut(struct sp_buf *out, const char *p, size_t n, size_t max)
{
    size_t show = shown(p, n, max);
    char *clean = sp_utf8_clean(p, show, true);
    if (clean == NULL) {
        out->oom = true;
        return;
    }
    sp_buf_puts(out, clean);
    free(clean);
    if (show < n)
        print_cut(out, p, n);
}

static void print_decimal(struct sp_buf *out, const struct sp_dec *d, size_t max)
{
    struct sp_buf text = SP_BUF_INIT;
    sp_dec_print(&text, d);
    if (text.oom)
        out->oom = true;
    else
        print_plain_cut(out, text.p, text.n, max);
    sp_buf_free(&text);
}

static bool print_special(struct sp_buf *out, double f)
{
    if (isnan(f))
        sp_buf_puts(out, "NaN");
    else if (isinf(f))
        sp_buf_puts(out, f < 0 ? "-Infinity" : "Infinity");
    else if (f == 0)
        sp_buf_puts(out, signbit(f) ? "-0.0" : "0.0");
    else
        return false;
    return true;
}

static void print_f64(struct sp_buf *out, double f)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_dec d;
    if (!print_special(out, f)) {
        if (sp_dec_from_f64_shortest(&a, f, &d) == 0)
            sp_dec_print(out, &d);
        else
            out->oom = true;
    }
    sp_arena_free(&a);
}

static void print_f32(struct sp_buf *out, float f)
{
    char text[32];
    if (print_special(out, (double)f))
        return;
    for (int p = 1; p <= 9; p++) {
        snprintf(text, sizeof text, "%.*g", p, (double)f);
        if (strtof(text, NULL) == f)
            break;
    }
    sp_buf_puts(out, text);
}

/* Most native types are text to people. */
static bool is_plain(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
            return false;
    return sp_utf8_valid(p, n);
}

static void print_value(struct sp_buf *out, const struct sp_value *v, size_t max, int depth);

/* Elements until `max` bytes are full. */
static void print_list(struct sp_buf *out, const struct sp_value *v, size_t max, int depth)
{
    size_t from = out->n, n = v->tag == SP_ARRAY ? v->u.array.n : v->u.vector.n;
    sp_buf_putc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i != 0)
            sp_buf_puts(out, ", ");
        if (out->oom || out->n - from > max || depth >= SP_VALUE_DEPTH) {
            sp_buf_printf(out, "... (%zu elements)", n);
            break;
        }
        if (v->tag == SP_ARRAY)
            print_value(out, &v->u.array.v[i], max, depth + 1);
        else
            print_f32(out, v->u.vector.v[i]);
    }
    sp_buf_putc(out, ']');
}

static void print_value(struct sp_buf *out, const struct sp_value *v, size_t max, int depth)
{
    char uuid[37];
    if (v->tag == SP_NATIVE)
        sp_buf_printf(out, "native %s ", v->u.native.type != NULL ? v->u.native.type : "?");
    else if (v->tag != SP_BOOL && v->tag != SP_NULL && v->tag != SP_MISSING)
        sp_buf_printf(out, "%s ", sp_tag_name(v->tag));
    switch (v->tag) {
    case SP_MISSING:
    case SP_NULL:
        sp_buf_puts(out, sp_tag_name(v->tag));
        break;
    case SP_BOOL:
        sp_buf_puts(out, v->u.b ? "true" : "false");
        break;
    case SP_INT:
        sp_buf_printf(out, "%" PRId64, v->u.i);
        break;
    case SP_DEC:
        print_decimal(out, &v->u.dec, max);
        break;
    case SP_F32:
        print_f32(out, v->u.f32);
        break;
    case SP_F64:
        print_f64(out, v->u.f64);
        break;
    case SP_TEXT:
    case SP_REF:
        print_text(out, v->u.str.p, v->u.str.n, max);
        break;
    case SP_BYTES:
        print_hex(out, v->u.str.p, v->u.str.n, max);
        break;
    case SP_JSON:
        print_plain_cut(out, v->u.str.p, v->u.str.n, max);
        break;
    case SP_UUID:
        sp_uuid_format(uuid, v->u.uuid);
        sp_buf_puts(out, uuid);
        break;
    case SP_INSTANT:
    case SP_LOCAL:
        sp_ts_print(out, v->u.ts, v->tag == SP_INSTANT);
        break;
    case SP_DATE:
        sp_date_print(out, v->u.days);
        break;
    case SP_TIME:
        sp_time_print(out, v->u.time_ns);
        break;
    case SP_ARRAY:
    case SP_VECTOR:
        print_list(out, v, max, depth);
        break;
    case SP_NATIVE:
        if (is_plain(v->u.native.p, v->u.native.n))
            print_text(out, v->u.native.p, v->u.native.n, max);
        else
            print_hex(out, v->u.native.p, v->u.native.n, max);
        break;
    case SP_TAG_N:
        break;
    }
}

int sp_value_print(struct sp_buf *out, const struct sp_value *v, size_t max)
{
    print_value(out, v, max != 0 ? max : 120, 0);
    return out->oom ? -SP_E_NOMEM : 0;
}

int sp_value_print_key(struct sp_buf *out, const struct sp_value *v)
{
    if (v->tag == SP_INT)
        return sp_buf_printf(out, "%" PRId64, v->u.i);
    if (v->tag == SP_NULL)
        return sp_buf_puts(out, "null");
    if (v->tag == SP_TEXT && v->u.str.n <= 400)
        return sp_json_quote(out, v->u.str.p, v->u.str.n);
    return sp_value_print(out, v, 400);
}
