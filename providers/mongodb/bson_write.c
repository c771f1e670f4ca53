/* bson_write.c -- logical values as elements of BSON. */
#include <string.h>

#include "base/str.h"
#include "model/calendar.h"
#include "model/decimal.h"
#include "model/elements.h"
#include "model/json.h"
#include "providers/mongodb/bson_value.h"

struct put {
    bson_t *doc;
    const char *name;
    struct sp_type type; /* of the column; SP_MISSING = not said */
    struct sp_error *err;
    unsigned depth;
};

static int put_value(struct put *p, const struct sp_value *v);

static int done(struct put *p, bool ok)
{
    return ok ? 0 : mo_bson_full(p->name, p->err);
}

static int refuse(struct put *p, enum sp_code code, const char *why)
{
    return sp_fail(p->err, code, SP_ORIGIN_BACKEND, "field %s: %s", p->name, why);
}

static int put_int(struct put *p, int64_t i)
{
    if (p->type.tag != SP_INT || p->type.int_bits == 0 || p->type.int_bits > 32)
        return done(p, bson_append_int64(p->doc, p->name, -1, i));
    if (i < INT32_MIN || i > INT32_MAX)
        return refuse(p, SP_E_RANGE, "the integer does not fit 32 bits");
    return done(p, bson_append_int32(p->doc, p->name, -1, (int32_t)i));
}

static int put_decimal(struct put *p, const struct sp_dec *d)
{
    bson_decimal128_t d128;
    if (mo_decimal_put(d, &d128) != 0)
        return refuse(p, SP_E_RANGE, "decimal128 has 34 digits and exponents from -6176 to 6111");
    return done(p, bson_append_decimal128(p->doc, p->name, -1, &d128));
}

static int put_text(struct put *p, const char *s, size_t n)
{
    if (!sp_utf8_valid(s, n))
        return refuse(p, SP_E_INVALID, "text that is not valid UTF-8");
    return done(p, n <= INT32_MAX - 64 && bson_append_utf8(p->doc, p->name, -1, s == NULL ? "" : s, (int)n));
}

static int put_binary(struct put *p, bson_subtype_t subtype, const void *s, size_t n)
{
    return done(p, n <= INT32_MAX - 64 && bson_append_binary(p->doc, p->name, -1, subtype,
                                              s == NULL ? (const uint8_t *)"" : s, (uint32_t)n));
}

static int put_instant(struct put *p, struct sp_ts ts)
{
    if (ts.nsec % 1000000u != 0)
        return refuse(p, SP_E_RANGE, "a date of MongoDB has milliseconds, and this instant is finer");
    __extension__ const __int128 ms = (__int128)ts.sec * 1000 + ts.nsec / 1000000u;
    if (ms < INT64_MIN || ms > INT64_MAX)
        return refuse(p, SP_E_RANGE, "the instant is outside of what a date of MongoDB holds");
    return done(p, bson_append_date_time(p->doc, p->name, -1, (int64_t)ms));
}

/* BSON has no date, time of day and local timestamp: they are kept as text, which loses nothing and orders right. */
static int put_calendar(struct put *p, const struct sp_value *v)
{
    struct sp_buf b = SP_BUF_INIT;
    struct sp_ts local;
    int64_t number;
    bool zoned;
    int rc = v->tag == SP_DATE   ? sp_date_print(&b, v->u.days)
             : v->tag == SP_TIME ? sp_time_print(&b, v->u.time_ns)
                                 : sp_ts_print(&b, v->u.ts, false);
    if (rc != 0 || b.oom || b.p == NULL) {
        rc = sp_nomem(p->err);
    } else {
        bool back = v->tag == SP_DATE   ? sp_date_parse(b.p, b.n, &number) == 0
                    : v->tag == SP_TIME ? sp_time_parse(b.p, b.n, &number) == 0
                                        : sp_ts_parse(b.p, b.n, &local, &zoned) == 0;
        rc = back ? put_text(p, b.p, b.n) : refuse(p, SP_E_RANGE, "the year has more than four digits");
    }
    sp_buf_free(&b);
    return rc;
}

static int put_json(struct put *p, const char *s, size_t n, bool tagged)
{
    struct sp_error why = SP_ERROR_INIT;
    const char *at = s;
    int rc = sp_json_check(s, n, &why);
    if (rc != 0)
        rc = sp_fail(p->err, why.code, SP_ORIGIN_BACKEND, "field %s: %s", p->name, sp_error_text(&why));
    sp_error_clear(&why);
    while (rc == 0 && at < s + n && memchr(" \t\r\n", *at, 4) != NULL)
        at++;
    if (rc == 0 && !tagged && at < s + n && *at == 'n')
        return refuse(p, SP_E_UNSUPPORTED, "MongoDB cannot tell the JSON value null from null");
    return rc != 0 ? rc : mo_text_put(p->doc, p->name, s, n, tagged, p->err);
}

/* One element: a document, or what has no name. */
static int put_row(struct put *outer, bson_t *list, const char *at, struct sp_elements *e, struct sp_arena *a)
{
    struct put p = { .doc = list, .name = at, .err = outer->err, .depth = outer->depth + 2 };
    struct sp_value v;
    const char *name;
    bson_t child;
    int rc = sp_elements_field(e, a, &name, &v), put = 0;
    if (rc == 1 && *name == '\0')
        return put_value(&p, &v);
    if (!bson_append_document_begin(list, at, -1, &child))
        return mo_bson_full(outer->name, outer->err);
    p.doc = &child;
    while (rc == 1 && put == 0) {
        p.name = name;
        put = put_value(&p, &v);
        rc = sp_elements_field(e, a, &name, &v);
    }
    if (!bson_append_document_end(list, &child) && put == 0)
        return mo_bson_full(outer->name, outer->err);
    return put != 0 ? put : rc < 0 ? refuse(outer, (enum sp_code) - rc, "its elements cannot be read") : 0;
}

static int put_elements(struct put *p, const struct sp_value *v)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_elements e;
    bson_t list;
    char digits[16];
    const char *at;
    uint32_t i = 0;
    int rc = 0, next = 0;
    if (p->depth + 2 >= SP_VALUE_DEPTH)
        return refuse(p, SP_E_TOO_LARGE, "the arrays are nested too deep");
    if (!bson_append_array_begin(p->doc, p->name, -1, &list))
        return mo_bson_full(p->name, p->err);
    sp_elements_read(&e, v);
    while (rc == 0 && (next = sp_elements_next(&e)) == 1) {
        bson_uint32_to_string(i++, &at, digits, sizeof digits);
        sp_arena_reset(&a);
        rc = put_row(p, &list, at, &e, &a);
    }
    sp_arena_free(&a);
    if (!bson_append_array_end(p->doc, &list) && rc == 0)
        return mo_bson_full(p->name, p->err);
    return rc != 0 || next == 0 ? rc : refuse(p, SP_E_CORRUPT, "its elements cannot be read");
}

static int put_native(struct put *p, const struct sp_value *v)
{
    const char *type = v->u.native.type;
    if (type == NULL)
        return refuse(p, SP_E_INVALID, "a native value without a type");
    if (strcmp(type, "object") == 0 || strcmp(type, "array") == 0)
        return put_json(p, v->u.native.p, v->u.native.n, true);
    if (strcmp(type, SP_ELEMENTS) == 0)
        return put_elements(p, v);
    return mo_native_put(p->doc, p->name, v, p->err);
}

/* ---- arrays -------------------------------------------------------------------------------------------------- */

static int put_element(struct put *outer, bson_t *doc, size_t i, const struct sp_value *v, enum sp_tag elem)
{
    char digits[16];
    struct put p = { .doc = doc, .type = { .tag = elem }, .err = outer->err, .depth = outer->depth + 1 };
    bson_uint32_to_string((uint32_t)i, &p.name, digits, sizeof digits);
    if (v->tag == SP_MISSING)
        return refuse(outer, SP_E_INVALID, "an array has no missing elements");
    return put_value(&p, v);
}

static int put_array(struct put *p, const struct sp_value *v)
{
    bson_t child;
    size_t n = v->tag == SP_ARRAY ? v->u.array.n : v->u.vector.n;
    int rc = 0;
    if (p->depth >= SP_VALUE_DEPTH || n > UINT32_MAX)
        return refuse(p, SP_E_TOO_LARGE, "the arrays are nested too deep or have too many elements");
    if (!bson_append_array_begin(p->doc, p->name, -1, &child))
        return mo_bson_full(p->name, p->err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct sp_value f = v->tag == SP_ARRAY ? v->u.array.v[i] : sp_v_f32(v->u.vector.v[i]);
        rc = put_element(p, &child, i, &f, v->tag == SP_ARRAY ? v->u.array.elem : SP_F32);
    }
    return !bson_append_array_end(p->doc, &child) && rc == 0 ? mo_bson_full(p->name, p->err) : rc;
}

static int put_value(struct put *p, const struct sp_value *v)
{
    switch (v->tag) {
    case SP_MISSING:
        return 0;
    case SP_NULL:
        return done(p, bson_append_null(p->doc, p->name, -1));
    case SP_BOOL:
        return done(p, bson_append_bool(p->doc, p->name, -1, v->u.b));
    case SP_INT:
        return put_int(p, v->u.i);
    case SP_DEC:
        return put_decimal(p, &v->u.dec);
    case SP_F32:
        return done(p, bson_append_double(p->doc, p->name, -1, (double)v->u.f32));
    case SP_F64:
        return done(p, bson_append_double(p->doc, p->name, -1, v->u.f64));
    case SP_TEXT:
    case SP_REF:
        return put_text(p, v->u.str.p, v->u.str.n);
    case SP_BYTES:
        return put_binary(p, BSON_SUBTYPE_BINARY, v->u.str.p, v->u.str.n);
    case SP_UUID:
        return put_binary(p, BSON_SUBTYPE_UUID, v->u.uuid, 16);
    case SP_INSTANT:
        return put_instant(p, v->u.ts);
    case SP_LOCAL:
    case SP_DATE:
    case SP_TIME:
        return put_calendar(p, v);
    case SP_JSON:
        return put_json(p, v->u.str.p, v->u.str.n, false);
    case SP_ARRAY:
    case SP_VECTOR:
        return put_array(p, v);
    case SP_NATIVE:
        return put_native(p, v);
    case SP_TAG_N:
        break;
    }
    return refuse(p, SP_E_INTERNAL, "a value without a type");
}

int mo_value_put(
    bson_t *doc, const char *name, const struct sp_type *type, const struct sp_value *v, struct sp_error *err)
{
    struct put p = { .doc = doc, .name = name, .err = err };
    if (type != NULL)
        p.type = *type;
    return put_value(&p, v);
}
