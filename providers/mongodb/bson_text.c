/* bson_text.c -- documents and arrays as JSON text: plain, or with tags for everything that JSON has no form for. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "model/decimal.h"
#include "model/json.h"
#include "providers/mongodb/bson_value.h"

struct text {
    struct sp_buf *out;
    bool tagged;
    struct sp_arena a; /* scratch */
    struct sp_error *err;
};

static int one(struct text *t, const bson_iter_t *it, unsigned depth);

static int put_name(struct text *t, const bson_iter_t *it)
{
    const char *name = bson_iter_key(it);
    struct sp_buf own = SP_BUF_INIT;
    if (!t->tagged || name[0] != '$')
        return sp_json_quote(t->out, name, bson_iter_key_len(it));
    sp_buf_putc(&own, '$');
    sp_buf_puts(&own, name);
    int rc = own.oom ? sp_nomem(t->err) : sp_json_quote(t->out, own.p, own.n);
    sp_buf_free(&own);
    return rc;
}

static int list(struct text *t, const bson_iter_t *it, unsigned depth)
{
    bool object = BSON_ITER_HOLDS_DOCUMENT(it);
    bson_iter_t child;
    int rc = 0;
    if (depth >= MO_DEPTH)
        return sp_fail(t->err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
            "a document is nested deeper than %d levels", MO_DEPTH);
    if (!bson_iter_recurse(it, &child))
        return sp_fail(t->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a nested document is damaged");
    if (object && (rc = mo_names_check(child, t->err)) != 0)
        return rc;
    sp_buf_putc(t->out, object ? '{' : '[');
    for (size_t i = 0; rc == 0 && bson_iter_next(&child); i++) {
        if (i != 0)
            sp_buf_putc(t->out, ',');
        if (object) {
            rc = put_name(t, &child);
            sp_buf_putc(t->out, ':');
        }
        if (rc == 0)
            rc = one(t, &child, depth + 1);
    }
    if (rc == 0 && child.err_off != 0)
        rc = sp_fail(t->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a nested document is damaged");
    sp_buf_putc(t->out, object ? '}' : ']');
    return rc;
}

static int tagged(struct text *t, const bson_iter_t *it)
{
    struct sp_buf content = SP_BUF_INIT;
    int rc = mo_scalar_text(&content, it, t->err);
    if (rc == 0) {
        sp_buf_printf(t->out, "{\"%s\":", mo_type_tag(it));
        rc = content.oom ? sp_nomem(t->err)
                         : sp_json_quote(t->out, content.p == NULL ? "" : content.p, content.n);
        sp_buf_putc(t->out, '}');
    }
    sp_buf_free(&content);
    return rc;
}

/* 1 = no number of JSON. */
static int number(struct text *t, const bson_iter_t *it)
{
    bson_decimal128_t d128;
    struct sp_dec d;
    char digits[20];
    int rc = 0;
    sp_arena_reset(&t->a);
    if (BSON_ITER_HOLDS_DOUBLE(it)) {
        double f = bson_iter_double(it);
        if (!isfinite(f))
            return 1;
        if (f == 0)
            return sp_buf_puts(t->out, signbit(f) ? "-0" : "0");
        rc = sp_dec_from_f64(&t->a, f, &d);
    } else if (BSON_ITER_HOLDS_DECIMAL128(it)) {
        if (!bson_iter_decimal128(it, &d128))
            return sp_fail(t->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a decimal cannot be read");
        rc = mo_decimal_get(&t->a, &d128, &d);
    } else {
        sp_dec_from_i64(digits, BSON_ITER_HOLDS_INT32(it) ? bson_iter_int32(it) : bson_iter_int64(it), &d);
    }
    return rc != 0 ? rc : sp_dec_print(t->out, &d);
}

static int string(struct text *t, const bson_iter_t *it)
{
    uint32_t n;
    const char *s = bson_iter_utf8(it, &n);
    if (sp_utf8_valid(s, n))
        return sp_json_quote(t->out, s, n);
    if (t->tagged)
        return tagged(t, it);
    return sp_fail(t->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a string is not valid UTF-8 (from byte %zu)",
        sp_utf8_bad_at(s, n));
}

static int one(struct text *t, const bson_iter_t *it, unsigned depth)
{
    switch (bson_iter_type(it)) {
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY:
        return list(t, it, depth);
    case BSON_TYPE_UTF8:
        return string(t, it);
    case BSON_TYPE_BOOL:
        return sp_buf_puts(t->out, bson_iter_bool(it) ? "true" : "false");
    case BSON_TYPE_NULL:
        return sp_buf_puts(t->out, "null");
    case BSON_TYPE_INT32:
    case BSON_TYPE_INT64:
    case BSON_TYPE_DOUBLE:
    case BSON_TYPE_DECIMAL128:
        return t->tagged ? tagged(t, it) : number(t, it);
    default:
        return t->tagged ? tagged(t, it) : 1;
    }
}

int mo_text_of(struct sp_buf *out, const bson_iter_t *it, bool as_tagged, struct sp_error *err)
{
    struct text t = { .out = out, .tagged = as_tagged, .a = SP_ARENA_INIT, .err = err };
    size_t before = out->n;
    int rc = one(&t, it, 0);
    sp_arena_free(&t.a);
    if (rc == 0 && out->oom)
        rc = -SP_E_NOMEM;
    if (rc != 0 && !out->oom)
        out->n = before;
    return rc == -SP_E_NOMEM ? sp_nomem(err) : rc;
}
