/* definition.c -- reading definitions back. They come from the server, where anybody may have changed them: each field is
 * checked. */
#include <string.h>

#include "providers/mongodb/internal.h"

static int bad(struct sp_error *err)
{
    return sp_fail(
        err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the definition in a collection's schema is damaged");
}

static const char *text_at(struct sp_arena *a, const bson_iter_t *doc, const char *key)
{
    bson_iter_t it;
    uint32_t n = 0;
    if (!bson_iter_recurse(doc, &it) || !bson_iter_find(&it, key) || !BSON_ITER_HOLDS_UTF8(&it))
        return NULL;
    const char *p = bson_iter_utf8(&it, &n);
    return memchr(p, '\0', n) == NULL ? sp_arena_strn(a, p, n) : NULL;
}

static int64_t number_at(const bson_iter_t *doc, const char *key)
{
    bson_iter_t it;
    return bson_iter_recurse(doc, &it) && bson_iter_find(&it, key) && BSON_ITER_HOLDS_NUMBER(&it)
               ? bson_iter_as_int64(&it)
               : 0;
}

static bool flag_at(const bson_iter_t *doc, const char *key)
{
    bson_iter_t it;
    return bson_iter_recurse(doc, &it) && bson_iter_find(&it, key) && bson_iter_as_bool(&it);
}

/* A list of names that are not empty. */
static int names_of(
    struct sp_arena *a, const bson_iter_t *list, const char *const **out, size_t *n, struct sp_error *err)
{
    bson_iter_t it;
    const char **v = NULL;
    size_t cap = 0;
    *n = 0;
    *out = NULL;
    if (!BSON_ITER_HOLDS_ARRAY(list) || !bson_iter_recurse(list, &it))
        return bad(err);
    while (bson_iter_next(&it)) {
        uint32_t len = 0;
        const char *p = BSON_ITER_HOLDS_UTF8(&it) ? bson_iter_utf8(&it, &len) : NULL;
        if (p == NULL || len == 0 || memchr(p, '\0', len) != NULL)
            return bad(err);
        v = sp_arena_grow(a, v, &cap, *n + 1, sizeof *v);
        if (v == NULL || (v[*n] = sp_arena_strn(a, p, len)) == NULL)
            return sp_nomem(err);
        ++*n;
    }
    *out = v;
    return 0;
}

static int column_of(struct sp_arena *a, const bson_iter_t *doc, struct sp_column *c, struct sp_error *err)
{
    const char *tag, *elem;
    if (!BSON_ITER_HOLDS_DOCUMENT(doc))
        return bad(err);
    *c = (struct sp_column){ .name = text_at(a, doc, "name") };
    tag = text_at(a, doc, "type");
    elem = text_at(a, doc, "elem");
    int64_t length = number_at(doc, "length"), precision = number_at(doc, "precision"),
            scale = number_at(doc, "scale"), bits = number_at(doc, "bits");
    if (c->name == NULL || *c->name == '\0' || tag == NULL || sp_tag_parse(tag, &c->type.tag) != 0 ||
        (elem != NULL && sp_tag_parse(elem, &c->type.elem) != 0) || length < 0 || length > UINT32_MAX ||
        precision < 0 || precision > UINT32_MAX || scale < INT32_MIN || scale > INT32_MAX || bits < 0 ||
        bits > 64)
        return bad(err);
    c->type.length = (uint32_t)length;
    c->type.precision = (uint32_t)precision;
    c->type.scale = (int32_t)scale;
    c->type.int_bits = (uint8_t)bits;
    c->type.padded = flag_at(doc, "padded");
    c->native_type = text_at(a, doc, "native");
    c->not_null = flag_at(doc, "not_null");
    return 0;
}

static int unique_of(struct sp_arena *a, const bson_iter_t *doc, struct sp_unique *u, struct sp_error *err)
{
    bson_iter_t it;
    if (!BSON_ITER_HOLDS_DOCUMENT(doc) || !bson_iter_recurse(doc, &it) || !bson_iter_find(&it, "columns"))
        return bad(err);
    *u = (struct sp_unique){ .name = text_at(a, doc, "name"), .nulls_equal = flag_at(doc, "nulls_equal") };
    return names_of(a, &it, &u->columns, &u->ncolumns, err);
}

static int columns_of(struct sp_arena *a, const bson_iter_t *list, struct sp_table *t, struct sp_error *err)
{
    struct sp_column *v = NULL;
    size_t cap = 0;
    bson_iter_t it;
    if (!BSON_ITER_HOLDS_ARRAY(list) || !bson_iter_recurse(list, &it))
        return bad(err);
    while (bson_iter_next(&it)) {
        v = sp_arena_grow(a, v, &cap, t->ncolumns + 1, sizeof *v);
        if (v == NULL)
            return sp_nomem(err);
        int ret = column_of(a, &it, &v[t->ncolumns], err);
        if (ret != 0)
            return ret;
        t->ncolumns++;
    }
    t->columns = v;
    return 0;
}

static int uniques_of(struct sp_arena *a, const bson_iter_t *list, struct sp_table *t, struct sp_error *err)
{
    struct sp_unique *v = NULL;
    size_t cap = 0;
    bson_iter_t it;
    if (!BSON_ITER_HOLDS_ARRAY(list) || !bson_iter_recurse(list, &it))
        return bad(err);
    while (bson_iter_next(&it)) {
        v = sp_arena_grow(a, v, &cap, t->nuniques + 1, sizeof *v);
        if (v == NULL)
            return sp_nomem(err);
        int ret = unique_of(a, &it, &v[t->nuniques], err);
        if (ret != 0)
            return ret;
        t->nuniques++;
    }
    t->uniques = v;
    return 0;
}

static int read_all(struct sp_arena *a, const bson_t *def, struct sp_table *t, struct sp_error *err)
{
    bson_iter_t it;
    int ret = 0;
    bool fine = bson_iter_init(&it, def), version = false;
    while (fine && ret == 0 && bson_iter_next(&it)) {
        const char *key = bson_iter_key(&it);
        if (strcmp(key, "version") == 0)
            version = bson_iter_as_int64(&it) == 1;
        else if (strcmp(key, "open") == 0)
            t->open_fields = bson_iter_as_bool(&it);
        else if (strcmp(key, "key") == 0)
            ret = names_of(a, &it, &t->pk, &t->npk, err);
        else if (strcmp(key, "columns") == 0)
            ret = columns_of(a, &it, t, err);
        else if (strcmp(key, "uniques") == 0)
            ret = uniques_of(a, &it, t, err);
    }
    if (ret == 0 && (!fine || !version))
        return bad(err);
    for (size_t i = 0; ret == 0 && i < t->npk; i++)
        if (sp_table_column(t, t->pk[i]) == NULL)
            return bad(err);
    return ret;
}

int mo_definition_read(struct sp_arena *a, const char *json, struct sp_table *out, struct sp_error *err)
{
    bson_error_t e;
    bson_t *def = bson_new_from_json((const uint8_t *)json, -1, &e);
    if (def == NULL)
        return bad(err);
    int ret = read_all(a, def, out, err);
    bson_destroy(def);
    return ret;
}
