/* schema.c -- a table's definition, and the $jsonSchema that enforces it. The definition is kept as JSON in the schema's
 * description: names, types with their limits, key, uniques. */
#include <string.h>

#include "providers/mongodb/internal.h"

/* ---- types ---- */

const char *const *mo_bson_types(const struct sp_type *t)
{
    static const char *const whole[] = { "int", NULL }, *const wide[] = { "long", "int", NULL },
                             *const floating[] = { "double", NULL }, *const decimal[] = { "decimal", NULL },
                             *const boolean[] = { "bool", NULL }, *const string[] = { "string", NULL },
                             *const octets[] = { "binData", NULL }, *const date[] = { "date", NULL },
                             *const array[] = { "array", NULL },
                             *const any[] = { "double", "string", "object", "array", "binData", "objectId",
                                 "bool", "date", "regex", "javascript", "int", "timestamp", "long", "decimal",
                                 "minKey", "maxKey", NULL };
    switch (t->tag) {
    case SP_BOOL:
        return boolean;
    case SP_INT:
        return t->int_bits != 0 && t->int_bits <= 32 ? whole : wide;
    case SP_DEC:
        return decimal;
    case SP_F32:
    case SP_F64:
        return floating;
    case SP_TEXT:
    case SP_REF:
    case SP_LOCAL:
    case SP_DATE:
    case SP_TIME:
        return string;
    case SP_BYTES:
    case SP_UUID:
        return octets;
    case SP_INSTANT:
        return date;
    case SP_ARRAY:
    case SP_VECTOR:
        return array;
    default:
        return any;
    }
}

static bool put_types(bson_t *out, const struct sp_type *t, bool nullable)
{
    const char *const *types = mo_bson_types(t);
    bson_t list;
    char key[16];
    const char *k;
    uint32_t n = 0;
    bool ok = BSON_APPEND_ARRAY_BEGIN(out, "bsonType", &list);
    for (; ok && types[n] != NULL; n++) {
        (void)bson_uint32_to_string(n, &k, key, sizeof key);
        ok = BSON_APPEND_UTF8(&list, k, types[n]);
    }
    if (ok && nullable) {
        (void)bson_uint32_to_string(n, &k, key, sizeof key);
        ok = BSON_APPEND_UTF8(&list, k, "null");
    }
    return ok && bson_append_array_end(out, &list);
}

/* What a string of this type looks like. */
static const char *pattern_of(enum sp_tag tag)
{
    switch (tag) {
    case SP_DATE:
        return "^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}$";
    case SP_TIME:
        return "^[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?$";
    case SP_LOCAL:
        return "^-?[0-9]{4,}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?$";
    default:
        return NULL;
    }
}

static bool put_limits(bson_t *out, const struct sp_type *t)
{
    bool ok = true;
    const char *pattern = pattern_of(t->tag);
    if (t->tag == SP_INT && t->int_bits != 0 && t->int_bits < 32) {
        int32_t top = (INT32_C(1) << (t->int_bits - 1)) - 1;
        ok = BSON_APPEND_INT32(out, "minimum", -top - 1) && BSON_APPEND_INT32(out, "maximum", top);
    }
    if (ok && t->tag == SP_TEXT && t->length > 0 && t->length <= INT32_MAX)
        ok = BSON_APPEND_INT32(out, "maxLength", (int32_t)t->length);
    if (ok && t->tag == SP_VECTOR && t->length > 0 && t->length <= INT32_MAX)
        ok = BSON_APPEND_INT32(out, "minItems", (int32_t)t->length) &&
             BSON_APPEND_INT32(out, "maxItems", (int32_t)t->length);
    if (ok && pattern != NULL)
        ok = BSON_APPEND_UTF8(out, "pattern", pattern);
    return ok;
}

static bool put_items(bson_t *out, const struct sp_type *t)
{
    struct sp_type elem = { .tag = t->tag == SP_VECTOR ? SP_F32 : t->elem };
    bson_t items;
    if ((t->tag != SP_ARRAY && t->tag != SP_VECTOR) || elem.tag == SP_MISSING)
        return true;
    return BSON_APPEND_DOCUMENT_BEGIN(out, "items", &items) && put_types(&items, &elem, t->tag == SP_ARRAY) &&
           bson_append_document_end(out, &items);
}

static bool any_type(enum sp_tag tag)
{
    return tag == SP_MISSING || tag == SP_NULL || tag == SP_JSON || tag == SP_NATIVE;
}

static bool required(const struct sp_table *t, const struct sp_column *c)
{
    return c->not_null || sp_table_is_pk(t, c->name);
}

int mo_schema_column(const struct sp_table *t, const struct sp_column *c, bson_t *out, struct sp_error *err)
{
    bool null = !required(t, c), ok;
    bson_t inner;
    if (!any_type(c->type.tag))
        ok = put_types(out, &c->type, null) && put_limits(out, &c->type) && put_items(out, &c->type);
    else
        ok = null ||
             (BSON_APPEND_DOCUMENT_BEGIN(out, "not", &inner) &&
                 BSON_APPEND_UTF8(&inner, "bsonType", "null") && bson_append_document_end(out, &inner));
    return ok ? 0 : mo_bson_full(c->name, err);
}

/* ---- definition ---- */

static bool put_names(bson_t *out, const char *key, const char *const *v, size_t n)
{
    bson_t list;
    char buf[16];
    const char *k;
    bool ok = BSON_APPEND_ARRAY_BEGIN(out, key, &list);
    for (uint32_t i = 0; ok && i < n; i++) {
        (void)bson_uint32_to_string(i, &k, buf, sizeof buf);
        ok = BSON_APPEND_UTF8(&list, k, v[i]);
    }
    return ok && bson_append_array_end(out, &list);
}

static bool put_number(bson_t *out, const char *key, int64_t v)
{
    return v == 0 || BSON_APPEND_INT64(out, key, v);
}

static bool put_column(bson_t *out, const struct sp_table *t, const struct sp_column *c)
{
    const struct sp_type *y = &c->type;
    bool ok = BSON_APPEND_UTF8(out, "name", c->name) && BSON_APPEND_UTF8(out, "type", sp_tag_name(y->tag)) &&
              put_number(out, "length", y->length) && put_number(out, "precision", y->precision) &&
              put_number(out, "scale", y->scale) && put_number(out, "bits", y->int_bits);
    if (ok && y->padded)
        ok = BSON_APPEND_BOOL(out, "padded", true);
    if (ok && y->tag == SP_ARRAY)
        ok = BSON_APPEND_UTF8(out, "elem", sp_tag_name(y->elem));
    if (ok && y->tag == SP_NATIVE && c->native_type != NULL)
        ok = BSON_APPEND_UTF8(out, "native", c->native_type);
    if (ok && required(t, c))
        ok = BSON_APPEND_BOOL(out, "not_null", true);
    return ok;
}

static bool put_unique(bson_t *out, const struct sp_unique *u)
{
    bool ok = u->name == NULL || *u->name == '\0' || BSON_APPEND_UTF8(out, "name", u->name);
    ok = ok && put_names(out, "columns", u->columns, u->ncolumns);
    return ok && (!u->nulls_equal || BSON_APPEND_BOOL(out, "nulls_equal", true));
}

static bool put_definition(bson_t *out, const struct sp_table *t)
{
    bson_t list, one;
    char buf[25];
    const char *k;
    bson_oid_t made; /* no two tables have one definition, so that of two creates at once one fails */
    bson_oid_init(&made, NULL);
    bson_oid_to_string(&made, buf);
    bool ok = BSON_APPEND_INT32(out, "version", 1) && BSON_APPEND_UTF8(out, "made", buf) &&
              BSON_APPEND_BOOL(out, "open", t->open_fields) && put_names(out, "key", t->pk, t->npk) &&
              BSON_APPEND_ARRAY_BEGIN(out, "columns", &list);
    for (uint32_t i = 0; ok && i < t->ncolumns; i++) {
        (void)bson_uint32_to_string(i, &k, buf, sizeof buf);
        ok = BSON_APPEND_DOCUMENT_BEGIN(&list, k, &one) && put_column(&one, t, &t->columns[i]) &&
             bson_append_document_end(&list, &one);
    }
    ok = ok && bson_append_array_end(out, &list) && BSON_APPEND_ARRAY_BEGIN(out, "uniques", &list);
    for (uint32_t i = 0; ok && i < t->nuniques; i++) {
        (void)bson_uint32_to_string(i, &k, buf, sizeof buf);
        ok = BSON_APPEND_DOCUMENT_BEGIN(&list, k, &one) && put_unique(&one, &t->uniques[i]) &&
             bson_append_document_end(&list, &one);
    }
    return ok && bson_append_array_end(out, &list);
}

static int put_description(bson_t *schema, const struct sp_table *t, struct sp_error *err)
{
    bson_t def = BSON_INITIALIZER;
    struct sp_buf text = SP_BUF_INIT;
    int ret = put_definition(&def, t) ? 0 : mo_bson_full(t->name, err);
    char *json = ret == 0 ? bson_as_relaxed_extended_json(&def, NULL) : NULL;
    if (ret == 0 && json == NULL)
        ret = sp_invalid(err, "table \"%s\": a name in it is not valid UTF-8", t->name);
    sp_buf_puts(&text, MO_WORDS);
    sp_buf_puts(&text, json == NULL ? "" : json);
    if (ret == 0 && (text.oom || !BSON_APPEND_UTF8(schema, "description", text.p)))
        ret = sp_nomem(err);
    sp_buf_free(&text);
    bson_free(json);
    bson_destroy(&def);
    return ret;
}

/* ---- the whole ---- */

/* Without open fields every column is written, null where nothing was given. */
static int put_required(bson_t *schema, const struct sp_table *t, struct sp_error *err)
{
    bson_t list;
    char buf[16];
    const char *k;
    uint32_t n = 0;
    bool ok = true, begun = false;
    for (size_t i = 0; ok && i < t->ncolumns; i++) {
        if (t->open_fields && !required(t, &t->columns[i]))
            continue;
        if (!begun)
            ok = begun = BSON_APPEND_ARRAY_BEGIN(schema, "required", &list);
        (void)bson_uint32_to_string(n++, &k, buf, sizeof buf);
        ok = ok && BSON_APPEND_UTF8(&list, k, t->columns[i].name);
    }
    if (ok && begun) /* an empty list is refused */
        ok = bson_append_array_end(schema, &list);
    return ok ? 0 : mo_bson_full(t->name, err);
}

int mo_schema_of(const struct sp_table *t, bson_t *schema, struct sp_error *err)
{
    bson_t properties, one;
    if (!BSON_APPEND_UTF8(schema, "bsonType", "object"))
        return mo_bson_full(t->name, err);
    int ret = put_description(schema, t, err);
    if (ret == 0)
        ret = put_required(schema, t, err);
    if (ret == 0 && !BSON_APPEND_DOCUMENT_BEGIN(schema, "properties", &properties))
        ret = mo_bson_full(t->name, err);
    if (ret == 0 && sp_table_column(t, "_id") == NULL)
        ret = BSON_APPEND_DOCUMENT_BEGIN(&properties, "_id", &one) &&
                      bson_append_document_end(&properties, &one)
                  ? 0
                  : mo_bson_full(t->name, err);
    for (size_t i = 0; ret == 0 && i < t->ncolumns; i++) {
        if (!BSON_APPEND_DOCUMENT_BEGIN(&properties, t->columns[i].name, &one))
            return mo_bson_full(t->name, err);
        ret = mo_schema_column(t, &t->columns[i], &one, err);
        if (!bson_append_document_end(&properties, &one) && ret == 0)
            ret = mo_bson_full(t->name, err);
    }
    if (ret == 0 && !bson_append_document_end(schema, &properties))
        ret = mo_bson_full(t->name, err);
    if (ret == 0 && !t->open_fields && !BSON_APPEND_BOOL(schema, "additionalProperties", false))
        ret = mo_bson_full(t->name, err);
    return ret;
}
