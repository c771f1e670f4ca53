/* validator.c -- what the $jsonSchema of a collection that others made says of its fields. A field with one BSON type is a
 * column of that type if the validator refuses other ones, and else a dynamic column with the type as a hint; anything
 * finer stands in the check that introspection makes of the whole validator. */
#include <string.h>

#include "providers/mongodb/internal.h"

static const struct {
    const char *name;
    struct sp_type type;
} types[] = {
    { "double", { .tag = SP_F64 } },
    { "string", { .tag = SP_TEXT } },
    { "object", { .tag = SP_JSON } },
    { "array", { .tag = SP_ARRAY } },
    { "bool", { .tag = SP_BOOL } },
    { "boolean", { .tag = SP_BOOL } },
    { "date", { .tag = SP_INSTANT, .precision = 4 } },
    { "int", { .tag = SP_INT, .int_bits = 32 } },
    { "long", { .tag = SP_INT, .int_bits = 64 } },
    { "decimal", { .tag = SP_DEC } },
    { "objectId", { .tag = SP_NATIVE } },
};

/* The one type beside null that the property allows, as the schema spells it; NULL = none or several. */
static const char *one_type(const bson_iter_t *property, bool *nullable)
{
    bson_iter_t it, list;
    const char *found = NULL;
    *nullable = true;
    if (!bson_iter_recurse(property, &it))
        return NULL;
    bool said = false;
    while (!said && bson_iter_next(&it))
        said = strcmp(bson_iter_key(&it), "bsonType") == 0 || strcmp(bson_iter_key(&it), "type") == 0;
    if (!said)
        return NULL;
    if (BSON_ITER_HOLDS_UTF8(&it)) {
        *nullable = false;
        return bson_iter_utf8(&it, NULL);
    }
    if (!BSON_ITER_HOLDS_ARRAY(&it) || !bson_iter_recurse(&it, &list))
        return NULL;
    *nullable = false;
    while (bson_iter_next(&list)) {
        const char *name = BSON_ITER_HOLDS_UTF8(&list) ? bson_iter_utf8(&list, NULL) : "";
        if (strcmp(name, "null") == 0)
            *nullable = true;
        else if (found != NULL)
            return NULL;
        else
            found = name;
    }
    return found;
}

static int column(struct sp_arena *a, const bson_iter_t *property, bool active, bool required,
    struct sp_column *c, struct sp_error *err)
{
    bool nullable;
    const char *type = one_type(property, &nullable);
    *c = (struct sp_column){ .name = sp_arena_str(a, bson_iter_key(property)) };
    if (c->name == NULL)
        return sp_nomem(err);
    for (size_t i = 0; type != NULL && i < SP_LEN(types); i++) {
        if (strcmp(types[i].name, type) != 0)
            continue;
        c->native_type = types[i].name;
        if (active)
            c->type = types[i].type;
        else if (types[i].type.tag != SP_NATIVE)
            c->declared = types[i].type;
    }
    c->not_null = active && required && !nullable;
    return 0;
}

static bool find_schema(const bson_iter_t *options, bson_iter_t *schema)
{
    bson_iter_t it;
    return bson_iter_recurse(options, &it) &&
           bson_iter_find_descendant(&it, "validator.$jsonSchema", schema) &&
           BSON_ITER_HOLDS_DOCUMENT(schema);
}

int mo_validator_columns(
    struct sp_arena *a, const bson_iter_t *options, struct sp_table *t, struct sp_error *err)
{
    bson_iter_t schema, it, list;
    struct sp_column *v = NULL;
    size_t n = t->ncolumns, cap = 0;
    if (!find_schema(options, &schema) || !bson_iter_recurse(&schema, &it) ||
        !bson_iter_find(&it, "properties") || !BSON_ITER_HOLDS_DOCUMENT(&it) ||
        !bson_iter_recurse(&it, &list))
        return 0;
    v = sp_arena_grow(a, NULL, &cap, n + 8, sizeof *v);
    if (v == NULL)
        return sp_nomem(err);
    memcpy(v, t->columns, n * sizeof *v);
    while (bson_iter_next(&list)) {
        const char *name = bson_iter_key(&list);
        if (!BSON_ITER_HOLDS_DOCUMENT(&list) || strcmp(name, "_id") == 0 || *name == '\0')
            continue;
        v = sp_arena_grow(a, v, &cap, n + 1, sizeof *v);
        if (v == NULL)
            return sp_nomem(err);
        int rc = column(a, &list, mo_is_active(options), mo_is_required(&schema, name), &v[n++], err);
        if (rc != 0)
            return rc;
    }
    t->columns = v;
    t->ncolumns = n;
    return 0;
}

/* ---- ours --------------------------------------------------------------------------------------------------- */

static bool same_but_for_words(const bson_t *a, const bson_t *b)
{
    bson_t x = BSON_INITIALIZER, y = BSON_INITIALIZER;
    bson_copy_to_excluding_noinit(a, &x, "description", NULL);
    bson_copy_to_excluding_noinit(b, &y, "description", NULL);
    bool same = bson_equal(&x, &y);
    bson_destroy(&x);
    bson_destroy(&y);
    return same;
}

int mo_validator_is_ours(const struct sp_table *t, const bson_t *options, bool *ours, struct sp_error *err)
{
    bson_iter_t it, validator, schema;
    bson_t have, want = BSON_INITIALIZER;
    const uint8_t *p;
    uint32_t n;
    *ours = false;
    int rc = mo_schema_of(t, &want, err);
    if (rc == 0 && bson_iter_init_find(&it, options, "validator") && BSON_ITER_HOLDS_DOCUMENT(&it) &&
        bson_iter_recurse(&it, &validator) && bson_iter_next(&validator) &&
        strcmp(bson_iter_key(&validator), "$jsonSchema") == 0 && BSON_ITER_HOLDS_DOCUMENT(&validator)) {
        schema = validator;
        bson_iter_document(&schema, &n, &p);
        *ours =
            bson_init_static(&have, p, n) && same_but_for_words(&have, &want) && !bson_iter_next(&validator);
    }
    bson_destroy(&want);
    return rc;
}
