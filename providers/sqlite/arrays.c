/* arrays.c -- arrays and vectors as flat JSON texts. Elements that JSON has no exact form for stand there as strings.
 * Written by us, so the reader knows one flat array of scalars; anything else stays the text that it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/calendar.h"
#include "model/decimal.h"
#include "model/json.h"
#include "providers/sqlite/internal.h"

static int print_double(struct sp_buf *out, double f)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_dec d;
    if (isnan(f))
        return sp_buf_puts(out, "\"NaN\"");
    if (isinf(f))
        return sp_buf_puts(out, f > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    if (f == 0)
        return sp_buf_puts(out, signbit(f) ? "-0.0" : "0.0");
    int ret = sp_dec_from_f64_shortest(&a, f, &d);
    if (ret == 0)
        ret = sp_dec_print(out, &d);
    sp_arena_free(&a);
    return ret;
}

static int print_quoted(struct sp_buf *out, const struct sp_value *v)
{
    struct sp_buf t = SP_BUF_INIT;
    char uuid[37];
    int ret = 0;
    switch (v->tag) {
    case SP_DEC:
        ret = sp_dec_print(&t, &v->u.dec);
        break;
    case SP_UUID:
        sp_uuid_format(uuid, v->u.uuid);
        sp_buf_puts(&t, uuid);
        break;
    case SP_INSTANT:
    case SP_LOCAL:
        ret = sp_ts_print(&t, v->u.ts, v->tag == SP_INSTANT);
        break;
    case SP_DATE:
        ret = sp_date_print(&t, v->u.days);
        break;
    case SP_TIME:
        ret = sp_time_print(&t, v->u.time_ns);
        break;
    case SP_BYTES:
        sp_buf_hex(&t, v->u.str.p, v->u.str.n);
        break;
    default:
        sp_buf_put(&t, v->u.str.p, v->u.str.n);
        break;
    }
    if (ret == 0)
        ret = t.oom ? -SP_E_NOMEM : sp_json_quote(out, t.p == NULL ? "" : t.p, t.n);
    sp_buf_free(&t);
    return ret;
}

static int print_scalar(struct sp_buf *out, const struct sp_value *v, struct sp_error *err)
{
    switch (v->tag) {
    case SP_MISSING:
    case SP_NULL:
        return sp_buf_puts(out, "null");
    case SP_BOOL:
        return sp_buf_puts(out, v->u.b ? "true" : "false");
    case SP_INT:
        return sp_buf_printf(out, "%lld", (long long)v->u.i);
    case SP_F32:
        return print_double(out, (double)v->u.f32);
    case SP_F64:
        return print_double(out, v->u.f64);
    case SP_ARRAY:
    case SP_VECTOR:
    case SP_NATIVE:
    case SP_TAG_N:
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "SQLite arrays hold no elements of type %s",
            sp_tag_name(v->tag));
    default:
        return print_quoted(out, v);
    }
}

int sq_array_print(struct sp_buf *out, const struct sp_value *v, struct sp_error *err)
{
    size_t n = v->tag == SP_VECTOR ? v->u.vector.n : v->u.array.n;
    sp_buf_putc(out, '[');
    for (size_t i = 0; i < n; i++) {
        struct sp_value e = v->tag == SP_VECTOR ? sp_v_f32(v->u.vector.v[i]) : v->u.array.v[i];
        if (i > 0)
            sp_buf_putc(out, ',');
        int ret = print_scalar(out, &e, err);
        if (ret != 0)
            return ret;
    }
    return sp_buf_putc(out, ']');
}

/* ---- reading ---- */

struct reader {
    struct sp_arena *a;
    const char *p, *end;
};

static int hex4(const char *p, const char *end, uint32_t *out)
{
    *out = 0;
    if (end - p < 4)
        return 1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        uint32_t d = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                     : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                     : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                            : 16;
        if (d == 16)
            return 1;
        *out = *out << 4 | d;
    }
    return 0;
}

static void put_utf8(struct sp_buf *b, uint32_t c)
{
    if (c < 0x80) {
        sp_buf_putc(b, (char)c);
    } else if (c < 0x800) {
        sp_buf_putc(b, (char)(0xc0 | c >> 6));
        sp_buf_putc(b, (char)(0x80 | (c & 0x3f)));
    } else {
        if (c < 0x10000) {
            sp_buf_putc(b, (char)(0xe0 | c >> 12));
        } else {
            sp_buf_putc(b, (char)(0xf0 | c >> 18));
            sp_buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        sp_buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
        sp_buf_putc(b, (char)(0x80 | (c & 0x3f)));
    }
}

static int read_escape(struct reader *r, struct sp_buf *b)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint32_t c, low;
    if (r->p == r->end)
        return 1;
    char e = *r->p++;
    const char *at = e == '\0' ? NULL : strchr(from, e);
    if (at != NULL)
        return sp_buf_putc(b, to[at - from]);
    if (e != 'u' || hex4(r->p, r->end, &c) != 0)
        return 1;
    r->p += 4;
    if (c >= 0xd800 && c < 0xdc00) {
        if (r->end - r->p < 6 || r->p[0] != '\\' || r->p[1] != 'u' || hex4(r->p + 2, r->end, &low) != 0 ||
            low < 0xdc00 || low > 0xdfff)
            return 1;
        r->p += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(b, c);
    return 0;
}

/* One element as its text; *quoted says whether it was a string. 1 = malformed or nested. */
static int read_element(struct reader *r, const char **text, size_t *n, bool *quoted)
{
    struct sp_buf b = SP_BUF_INIT;
    *quoted = r->p < r->end && *r->p == '"';
    if (!*quoted) {
        *text = r->p;
        while (r->p < r->end && strchr(",] \t\r\n", *r->p) == NULL)
            r->p++;
        *n = (size_t)(r->p - *text);
        return *n == 0 || **text == '[' || **text == '{' ? 1 : 0;
    }
    for (r->p++; r->p < r->end && *r->p != '"';) {
        if (*r->p == '\\') {
            r->p++;
            if (read_escape(r, &b) != 0)
                goto bad;
        } else {
            sp_buf_putc(&b, *r->p++);
        }
    }
    if (r->p == r->end || b.oom)
        goto bad;
    r->p++;
    *text = sp_arena_strn(r->a, b.p == NULL ? "" : b.p, b.n);
    *n = b.n;
    sp_buf_free(&b);
    return *text == NULL ? 1 : 0;
bad:
    sp_buf_free(&b);
    return 1;
}

static int to_double(struct sp_arena *a, const char *t, size_t n, bool quoted, double *out)
{
    if (quoted) {
        if (strcmp(t, "NaN") == 0)
            *out = (double)NAN;
        else if (strcmp(t, "Infinity") == 0)
            *out = HUGE_VAL;
        else if (strcmp(t, "-Infinity") == 0)
            *out = -HUGE_VAL;
        else
            return 1;
        return 0;
    }
    const char *s = sp_arena_strn(a, t, n);
    return s != NULL && sp_parse_f64(s, out) ? 0 : 1;
}

static int from_hex(struct sp_arena *a, const char *t, size_t n, struct sp_value *out)
{
    uint8_t *p = sp_arena_alloc(a, n / 2 + 1);
    if (p == NULL || n % 2 != 0)
        return 1;
    for (size_t i = 0; i < n; i++) {
        char c = t[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return 1;
        p[i / 2] = (uint8_t)(p[i / 2] << 4 | (c <= '9' ? c - '0' : c - 'a' + 10));
    }
    *out = sp_v_bytes(p, n / 2);
    return 0;
}

static int element(
    struct sp_arena *a, enum sp_tag tag, const char *t, size_t n, bool quoted, struct sp_value *out)
{
    double f;
    bool zoned = false;
    memset(out, 0, sizeof *out);
    out->tag = tag;
    if (!quoted && n == 4 && memcmp(t, "null", 4) == 0) {
        *out = sp_v_null();
        return 0;
    }
    switch (tag) {
    case SP_BOOL:
        out->u.b = n == 4 && memcmp(t, "true", 4) == 0;
        return !quoted && (out->u.b || (n == 5 && memcmp(t, "false", 5) == 0)) ? 0 : 1;
    case SP_INT: {
        const char *s = sp_arena_strn(a, t, n);
        return !quoted && s != NULL && sp_parse_i64(s, &out->u.i) ? 0 : 1;
    }
    case SP_F32:
        if (to_double(a, t, n, quoted, &f) != 0)
            return 1;
        out->u.f32 = (float)f;
        return isnan(f) || (double)(float)f == f ? 0 : 1;
    case SP_F64:
        return to_double(a, t, n, quoted, &out->u.f64);
    case SP_DEC:
        return sp_dec_parse(a, t, n, &out->u.dec) == 0 ? 0 : 1;
    case SP_UUID:
        return quoted && sp_uuid_parse(t, n, out->u.uuid) == 0 ? 0 : 1;
    case SP_INSTANT:
    case SP_LOCAL:
        return quoted && sp_ts_parse(t, n, &out->u.ts, &zoned) == 0 && zoned == (tag == SP_INSTANT) ? 0 : 1;
    case SP_DATE:
        return quoted && sp_date_parse(t, n, &out->u.days) == 0 ? 0 : 1;
    case SP_TIME:
        return quoted && sp_time_parse(t, n, &out->u.time_ns) == 0 ? 0 : 1;
    case SP_BYTES:
        return quoted ? from_hex(a, t, n, out) : 1;
    case SP_TEXT:
    case SP_JSON:
    case SP_REF:
        out->u.str.p = t;
        out->u.str.n = n;
        return quoted ? 0 : 1;
    default:
        return 1;
    }
}

static void blanks(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t' || *r->p == '\n' || *r->p == '\r'))
        r->p++;
}

/* Floats that are no longer the single they were are refused, see element(); vectors are read as arrays first. */
static int to_vector(struct sp_arena *a, const struct sp_value *v, size_t n, struct sp_value *out)
{
    float *f = sp_arena_array(a, n == 0 ? 1 : n, sizeof *f);
    if (f == NULL)
        return 1;
    for (size_t i = 0; i < n; i++) {
        if (v[i].tag != SP_F32)
            return 1;
        f[i] = v[i].u.f32;
    }
    *out = sp_v_vector(f, n);
    return 0;
}

int sq_array_parse(struct sp_arena *a, enum sp_tag elem, const char *p, size_t n, struct sp_value *out)
{
    struct reader r = { a, p, p + n };
    struct sp_value *v = NULL;
    size_t count = 0, cap = 0;
    bool vector = elem == SP_VECTOR;
    enum sp_tag tag = vector ? SP_F32 : elem;
    blanks(&r);
    if (r.p == r.end || *r.p++ != '[')
        return 1;
    blanks(&r);
    bool more = r.p < r.end && *r.p != ']';
    while (more) {
        const char *t;
        size_t tn;
        bool quoted;
        v = sp_arena_grow(a, v, &cap, count + 1, sizeof *v);
        if (v == NULL || read_element(&r, &t, &tn, &quoted) != 0 ||
            element(a, tag, t, tn, quoted, &v[count]) != 0)
            return 1;
        count++;
        blanks(&r);
        more = r.p < r.end && *r.p == ',';
        if (more)
            r.p++;
        blanks(&r);
    }
    if (r.p == r.end || *r.p++ != ']')
        return 1;
    blanks(&r);
    if (r.p != r.end)
        return 1;
    if (vector)
        return to_vector(a, v, count, out);
    *out = sp_v_array(elem, v, count);
    return 0;
}
