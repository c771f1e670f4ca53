/* bson_read.c -- elements of BSON as logical values. */
#include <string.h>

#include "base/str.h"
#include "model/canonical.h"
#include "model/json.h"
#include "providers/mongodb/bson_value.h"

struct get {
    struct sp_arena *a;
    const bson_iter_t *it;
    enum mo_reading reading;
    struct sp_type type; /* of the column; SP_MISSING = not said */
    struct sp_value *out;
    struct sp_error *err;
};

/* Takes over what a buffer holds. */
static int native(struct get *g, const char *type, struct sp_buf *text)
{
    const char *p = text->oom ? NULL : sp_arena_strn(g->a, text->p == NULL ? "" : text->p, text->n);
    *g->out = sp_v_native(type, p, text->n);
    sp_buf_free(text);
    return p == NULL ? sp_nomem(g->err) : 0;
}

static int scalar_native(struct get *g, const char *type)
{
    struct sp_buf text = SP_BUF_INIT;
    int rc = mo_scalar_text(&text, g->it, g->err);
    if (rc == 0)
        return native(g, type, &text);
    sp_buf_free(&text);
    return rc;
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

static int decimal(struct get *g)
{
    bson_decimal128_t d, again;
    struct sp_dec dec;
    if (!bson_iter_decimal128(g->it, &d))
        return sp_fail(g->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a decimal cannot be read");
    int rc = mo_decimal_get(g->a, &d, &dec);
    if (rc < 0)
        return sp_fail(g->err, (enum sp_code) - rc, SP_ORIGIN_BACKEND, "a decimal cannot be read");
    bool same = rc == 0 && (g->reading == MO_LOGICAL || (mo_decimal_put(&dec, &again) == 0 &&
                                                            again.low == d.low && again.high == d.high));
    if (!same)
        return scalar_native(g, "decimal");
    *g->out = sp_v_dec(dec);
    return 0;
}

/* ---- octets ------------------------------------------------------------------------------------------------- */

static int binary(struct get *g)
{
    bson_subtype_t subtype;
    uint32_t n;
    const uint8_t *p;
    bson_iter_binary(g->it, &subtype, &n, &p);
    if (subtype == BSON_SUBTYPE_BINARY) {
        *g->out = sp_v_bytes(p, n);
    } else if (subtype == BSON_SUBTYPE_UUID && n == 16) {
        *g->out = sp_v_uuid(p);
    } else {
        const char *type = sp_arena_printf(g->a, "binData/%u", (unsigned)subtype);
        if (type == NULL)
            return sp_nomem(g->err);
        *g->out = sp_v_native(type, p, n);
    }
    return 0;
}

static int text(struct get *g)
{
    uint32_t n;
    const char *s = bson_iter_utf8(g->it, &n);
    if (g->reading == MO_LOGICAL && !sp_utf8_valid(s, n))
        return sp_fail(g->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "a string is not valid UTF-8 (from byte %zu)",
            sp_utf8_bad_at(s, n));
    *g->out = sp_v_textn(s, n);
    return 0;
}

static int moment(struct get *g)
{
    int64_t ms = bson_iter_date_time(g->it), sec = ms / 1000, rest = ms % 1000;
    if (rest < 0) {
        rest += 1000;
        sec--;
    }
    *g->out = sp_v_instant(sec, (uint32_t)rest * 1000000u);
    return 0;
}

/* ---- documents and arrays ----------------------------------------------------------------------------------- */

/* As JSON if JSON can tell it, else as a native value. */
static int nested(struct get *g)
{
    struct sp_buf b = SP_BUF_INIT;
    int rc = g->reading == MO_STORED ? 1 : mo_text_of(&b, g->it, false, g->err);
    if (rc == 0) {
        const char *p = sp_arena_strn(g->a, b.p == NULL ? "" : b.p, b.n);
        *g->out = sp_v_jsonn(p, b.n);
        rc = p == NULL ? sp_nomem(g->err) : 0;
    } else if (rc == 1) {
        rc = mo_text_of(&b, g->it, true, g->err);
        if (rc == 0)
            return native(g, BSON_ITER_HOLDS_ARRAY(g->it) ? "array" : "object", &b);
    }
    sp_buf_free(&b);
    return rc;
}

/* The element tag that all of them have; SP_MISSING if they differ, or if there is none to see. */
static enum sp_tag common_tag(const struct sp_value *v, size_t n, enum sp_tag declared)
{
    enum sp_tag tag = declared;
    for (size_t i = 0; i < n; i++) {
        if (v[i].tag == SP_NULL)
            continue;
        if (tag == SP_MISSING)
            tag = v[i].tag;
        if (v[i].tag != tag)
            return SP_MISSING;
    }
    return tag;
}

/* An array of scalars is an array; with documents or arrays in it, it is JSON. 1 = the latter. */
static int scalars(struct get *g, bson_iter_t *child)
{
    struct sp_type elem = { .tag = g->type.tag == SP_ARRAY ? g->type.elem : SP_MISSING };
    struct sp_value *v = NULL;
    size_t n = 0, cap = 0;
    while (bson_iter_next(child)) {
        bool deep = BSON_ITER_HOLDS_DOCUMENT(child) || BSON_ITER_HOLDS_ARRAY(child);
        if (deep && elem.tag != SP_JSON)
            return 1;
        v = sp_arena_grow(g->a, v, &cap, n + 1, sizeof *v);
        if (v == NULL)
            return sp_nomem(g->err);
        int rc = mo_value_get(g->a, child, MO_LOGICAL, &elem, &v[n++], g->err);
        if (rc != 0)
            return rc;
    }
    if (child->err_off != 0)
        return sp_fail(g->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "an array is damaged");
    *g->out = sp_v_array(common_tag(v, n, elem.tag), v, n);
    return 0;
}

static int array(struct get *g)
{
    bson_iter_t child;
    if (g->reading == MO_STORED || g->type.tag == SP_JSON)
        return nested(g);
    if (!bson_iter_recurse(g->it, &child))
        return sp_fail(g->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "an array is damaged");
    int rc = scalars(g, &child);
    return rc == 1 ? nested(g) : rc;
}

/* ---- what the column says ----------------------------------------------------------------------------------- */

/* Only what mo_value_put() writes as another type is read back as the declared one. */
static bool stands_for(enum sp_tag stored, enum sp_tag declared)
{
    switch (declared) {
    case SP_DATE:
    case SP_TIME:
    case SP_LOCAL:
        return stored == SP_TEXT;
    case SP_F32:
        return stored == SP_F64;
    case SP_VECTOR:
        return stored == SP_ARRAY;
    default:
        return false;
    }
}

static int json_scalar(struct get *g)
{
    struct sp_value v;
    if (g->out->tag == SP_TEXT) {
        struct sp_buf b = SP_BUF_INIT;
        sp_json_quote(&b, g->out->u.str.p, g->out->u.str.n);
        const char *p = b.oom ? NULL : sp_arena_strn(g->a, b.p, b.n);
        *g->out = sp_v_jsonn(p, b.n);
        sp_buf_free(&b);
        return p == NULL ? sp_nomem(g->err) : 0;
    }
    static const struct sp_type json = { .tag = SP_JSON };
    int rc = sp_coerce(g->a, &json, g->out, &v);
    if (rc == 0)
        *g->out = v;
    return rc < 0 ? sp_nomem(g->err) : 0;
}

static int as_declared(struct get *g)
{
    struct sp_value v;
    if (sp_v_is_absent(g->out) || g->type.tag == g->out->tag)
        return 0;
    if (g->type.tag == SP_JSON)
        return json_scalar(g);
    if (g->type.tag == SP_REF && g->out->tag == SP_TEXT) {
        g->out->tag = SP_REF;
        return 0;
    }
    if (!stands_for(g->out->tag, g->type.tag))
        return 0;
    int rc = sp_coerce(g->a, &g->type, g->out, &v);
    if (rc == 0)
        *g->out = v;
    return rc < 0 ? sp_nomem(g->err) : 0;
}

static int by_kind(struct get *g)
{
    switch (bson_iter_type(g->it)) {
    case BSON_TYPE_DOUBLE:
        *g->out = sp_v_f64(bson_iter_double(g->it));
        return 0;
    case BSON_TYPE_UTF8:
        return text(g);
    case BSON_TYPE_DOCUMENT:
        return nested(g);
    case BSON_TYPE_ARRAY:
        return array(g);
    case BSON_TYPE_BINARY:
        return binary(g);
    case BSON_TYPE_BOOL:
        *g->out = sp_v_bool(bson_iter_bool(g->it));
        return 0;
    case BSON_TYPE_DATE_TIME:
        return moment(g);
    case BSON_TYPE_NULL:
        *g->out = sp_v_null();
        return 0;
    case BSON_TYPE_INT32:
        *g->out = sp_v_int(bson_iter_int32(g->it));
        return g->reading == MO_STORED ? scalar_native(g, "int") : 0;
    case BSON_TYPE_INT64:
        *g->out = sp_v_int(bson_iter_int64(g->it));
        return 0;
    case BSON_TYPE_DECIMAL128:
        return decimal(g);
    default:
        return scalar_native(g, mo_type_name(bson_iter_type(g->it)));
    }
}

int mo_value_get(struct sp_arena *a, const bson_iter_t *it, enum mo_reading reading,
    const struct sp_type *type, struct sp_value *out, struct sp_error *err)
{
    static const struct sp_type unknown = { .tag = SP_MISSING };
    struct get g = { .a = a,
        .it = it,
        .reading = reading,
        .type = type == NULL || reading == MO_STORED ? unknown : *type,
        .out = out,
        .err = err };
    int rc = by_kind(&g);
    if (rc == 0 && g.type.tag != SP_MISSING)
        rc = as_declared(&g);
    return rc == 0 ? 0 : sp_error_prefix(err, "field %s", bson_iter_key(it));
}
