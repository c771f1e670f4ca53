/* bson_parse.c -- JSON text as BSON, plain or tagged. The text was checked before: it is JSON, in UTF-8, and no name occurs
 * twice in an object. */
#include <string.h>

#include "base/str.h"
#include "model/decimal.h"
#include "providers/mongodb/bson_value.h"

struct parse {
    const char *p, *end;
    bool tagged;
    struct sp_arena a;
    struct sp_error *err;
};

static int value(struct parse *x, bson_t *doc, const char *name, unsigned depth);

static void blanks(struct parse *x)
{
    while (x->p < x->end && memchr(" \t\r\n", *x->p, 4) != NULL)
        x->p++;
}

static char next(struct parse *x)
{
    blanks(x);
    return x->p < x->end ? *x->p : '\0';
}

static int broken(struct parse *x)
{
    return sp_invalid(x->err, "the JSON text is cut off or not JSON");
}

/* ---- strings ------------------------------------------------------------------------------------------------- */

static uint32_t hex4(const char *s)
{
    uint32_t u = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        u = u << 4 | (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return u;
}

static void utf8(struct sp_buf *out, uint32_t u)
{
    if (u < 0x80) {
        sp_buf_putc(out, (char)u);
    } else if (u < 0x800) {
        sp_buf_putc(out, (char)(0xc0 | u >> 6));
        sp_buf_putc(out, (char)(0x80 | (u & 63)));
    } else if (u < 0x10000) {
        sp_buf_putc(out, (char)(0xe0 | u >> 12));
        sp_buf_putc(out, (char)(0x80 | (u >> 6 & 63)));
        sp_buf_putc(out, (char)(0x80 | (u & 63)));
    } else {
        sp_buf_putc(out, (char)(0xf0 | u >> 18));
        sp_buf_putc(out, (char)(0x80 | (u >> 12 & 63)));
        sp_buf_putc(out, (char)(0x80 | (u >> 6 & 63)));
        sp_buf_putc(out, (char)(0x80 | (u & 63)));
    }
}

/* Behind a backslash. The check saw to it that surrogates come in pairs. */
static bool escape(struct parse *x, struct sp_buf *out)
{
    static const char from[] = "bfnrt\"\\/", to[] = "\b\f\n\r\t\"\\/";
    const char *at = x->p < x->end ? memchr(from, *x->p, 8) : NULL;
    if (at != NULL) {
        x->p++;
        return sp_buf_putc(out, to[at - from]) == 0;
    }
    if (x->end - x->p < 5 || *x->p != 'u')
        return false;
    uint32_t u = hex4(x->p + 1);
    x->p += 5;
    if (u >= 0xd800 && u < 0xdc00) {
        if (x->end - x->p < 6)
            return false;
        u = 0x10000 + ((u - 0xd800) << 10) + (hex4(x->p + 2) - 0xdc00);
        x->p += 6;
    }
    utf8(out, u);
    return true;
}

static int string(struct parse *x, struct sp_buf *out)
{
    if (next(x) != '"')
        return broken(x);
    x->p++;
    while (x->p < x->end && *x->p != '"') {
        const char *run = x->p;
        while (x->p < x->end && *x->p != '"' && *x->p != '\\')
            x->p++;
        sp_buf_put(out, run, (size_t)(x->p - run));
        if (x->p < x->end && *x->p == '\\') {
            x->p++;
            if (!escape(x, out))
                return out->oom ? sp_nomem(x->err) : broken(x);
        }
    }
    if (x->p == x->end)
        return broken(x);
    x->p++;
    return out->oom ? sp_nomem(x->err) : 0;
}

static int text(struct parse *x, bson_t *doc, const char *name)
{
    struct sp_buf s = SP_BUF_INIT;
    int rc = string(x, &s);
    if (rc == 0 &&
        (s.n > INT32_MAX - 64 || !bson_append_utf8(doc, name, -1, s.p == NULL ? "" : s.p, (int)s.n)))
        rc = mo_bson_full(name, x->err);
    sp_buf_free(&s);
    return rc;
}

/* ---- numbers ------------------------------------------------------------------------------------------------- */

/* The narrowest of int64, double and decimal128 that holds the number as it is written. */
static int number(struct parse *x, bson_t *doc, const char *name)
{
    const char *s = x->p;
    bson_decimal128_t d128;
    struct sp_dec d;
    int64_t i;
    double f;
    bool ok;
    while (x->p < x->end && memchr("+-.0123456789eE", *x->p, 15) != NULL)
        x->p++;
    size_t n = (size_t)(x->p - s);
    sp_arena_reset(&x->a);
    int rc = n == 0 ? -SP_E_INVALID : sp_dec_parse(&x->a, s, n, &d);
    if (rc == -SP_E_NOMEM)
        return sp_nomem(x->err);
    if (rc == -SP_E_INVALID)
        return broken(x);
    if (rc == 0 && d.ndigits == 0 && s[0] == '-')
        ok = bson_append_double(doc, name, -1, -0.0);
    else if (rc == 0 && sp_dec_to_i64(&d, &i))
        ok = bson_append_int64(doc, name, -1, i);
    else if (rc == 0 && sp_dec_to_f64_exact(&d, &f))
        ok = bson_append_double(doc, name, -1, f);
    else if (rc == 0 && mo_decimal_put(&d, &d128) == 0)
        ok = bson_append_decimal128(doc, name, -1, &d128);
    else
        return sp_fail(x->err, SP_E_RANGE, SP_ORIGIN_BACKEND,
            "field %s: no number of BSON holds all digits of %.*s", name, (int)(n > 60 ? 60 : n), s);
    return ok ? 0 : mo_bson_full(name, x->err);
}

/* ---- objects and arrays ---------------------------------------------------------------------------------------- */

/* {"$oid":"..."}: `key` is its first name, and x->p stands behind it. */
static int scalar(struct parse *x, bson_t *doc, const char *name, const char *key)
{
    struct sp_buf content = SP_BUF_INIT;
    int rc = 0;
    if (next(x) != ':')
        return broken(x);
    x->p++;
    rc = string(x, &content);
    if (rc == 0 && next(x) != '}')
        rc = sp_invalid(x->err, "field %s: %s stands beside other names", name, key);
    if (rc == 0) {
        x->p++;
        rc = mo_scalar_put(doc, name, key, content.p == NULL ? "" : content.p, content.n, x->err);
    }
    sp_buf_free(&content);
    return rc;
}

static int member_name(struct parse *x, struct sp_buf *key)
{
    sp_buf_clear(key);
    int rc = string(x, key);
    if (rc == 0 && key->n != 0 && strlen(key->p) != key->n)
        rc = sp_fail(x->err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "MongoDB has no field whose name holds U+0000 (%.60s)", key->p);
    return rc;
}

/* x->p stands at the first name or at the end; *key holds the first name, if `have`. */
static int members(struct parse *x, bson_t *doc, struct sp_buf *key, bool have, unsigned depth)
{
    int rc = 0;
    while (rc == 0 && (have || next(x) != '}')) {
        if (!have)
            rc = member_name(x, key);
        have = false;
        const char *name = key->p == NULL ? "" : key->p;
        if (x->tagged && name[0] == '$')
            name++;
        if (rc == 0 && next(x) != ':')
            rc = broken(x);
        x->p += rc == 0 ? 1 : 0;
        if (rc == 0)
            rc = value(x, doc, name, depth + 1);
        if (rc == 0 && next(x) == ',')
            x->p++;
        else if (rc == 0 && next(x) != '}')
            rc = broken(x);
    }
    x->p += rc == 0 ? 1 : 0;
    return rc;
}

static int object(struct parse *x, bson_t *doc, const char *name, unsigned depth)
{
    struct sp_buf key = SP_BUF_INIT;
    bson_t child;
    bool have = false;
    int rc = 0;
    x->p++;
    if (next(x) == '"') {
        rc = member_name(x, &key);
        have = true;
    }
    if (rc == 0 && x->tagged && key.n >= 1 && key.p[0] == '$' && key.p[1] != '$') {
        rc = scalar(x, doc, name, key.p);
    } else if (rc == 0) {
        if (!bson_append_document_begin(doc, name, -1, &child)) {
            rc = mo_bson_full(name, x->err);
        } else {
            rc = members(x, &child, &key, have, depth);
            if (!bson_append_document_end(doc, &child) && rc == 0)
                rc = mo_bson_full(name, x->err);
        }
    }
    sp_buf_free(&key);
    return rc;
}

static int elements(struct parse *x, bson_t *doc, unsigned depth)
{
    char digits[16];
    const char *name;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && next(x) != ']'; i++) {
        bson_uint32_to_string(i, &name, digits, sizeof digits);
        rc = value(x, doc, name, depth + 1);
        if (rc == 0 && next(x) == ',')
            x->p++;
        else if (rc == 0 && next(x) != ']')
            rc = broken(x);
    }
    x->p += rc == 0 ? 1 : 0;
    return rc;
}

static int array(struct parse *x, bson_t *doc, const char *name, unsigned depth)
{
    bson_t child;
    x->p++;
    if (!bson_append_array_begin(doc, name, -1, &child))
        return mo_bson_full(name, x->err);
    int rc = elements(x, &child, depth);
    if (!bson_append_array_end(doc, &child) && rc == 0)
        rc = mo_bson_full(name, x->err);
    return rc;
}

static int word(struct parse *x, bson_t *doc, const char *name)
{
    bool ok;
    if (*x->p == 'n') {
        x->p += 4;
        ok = bson_append_null(doc, name, -1);
    } else {
        bool yes = *x->p == 't';
        x->p += yes ? 4 : 5;
        ok = bson_append_bool(doc, name, -1, yes);
    }
    if (x->p > x->end)
        return broken(x);
    return ok ? 0 : mo_bson_full(name, x->err);
}

static int value(struct parse *x, bson_t *doc, const char *name, unsigned depth)
{
    char c = next(x);
    if (depth > MO_DEPTH)
        return sp_fail(x->err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
            "field %s: MongoDB takes no document nested deeper than %d levels", name, MO_DEPTH);
    switch (c) {
    case '{':
        return object(x, doc, name, depth);
    case '[':
        return array(x, doc, name, depth);
    case '"':
        return text(x, doc, name);
    case 't':
    case 'f':
    case 'n':
        return word(x, doc, name);
    case '\0':
        return broken(x);
    default: /* in tagged text, numbers have tags */
        return x->tagged ? broken(x) : number(x, doc, name);
    }
}

int mo_text_put(bson_t *doc, const char *name, const char *text_, size_t n, bool tagged, struct sp_error *err)
{
    struct parse x = { .p = text_, .end = text_ + n, .tagged = tagged, .a = SP_ARENA_INIT, .err = err };
    int rc = value(&x, doc, name, 0);
    sp_arena_free(&x.a);
    return rc;
}
