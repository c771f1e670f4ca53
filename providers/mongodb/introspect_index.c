/* introspect_index.c -- the indexes of a collection: primary key, unique constraints, and the rest, with everything that is
 * unusual about one in its method, as the server says it. */
#include <stdlib.h>
#include <string.h>

#include "providers/mongodb/internal.h"

struct spec {
    const bson_t *doc;
    const char *name;
    bson_t key, where; /* where: empty = none */
    bool unique, sparse;
};
struct walk {
    struct sp_arena *a;
    const struct mo_table *m;
    struct sp_table *t;
    struct sp_unique *uniques;
    struct sp_index *indexes;
};

static bool sub_document(const bson_t *doc, const char *key, bson_t *out)
{
    bson_iter_t it;
    const uint8_t *p;
    uint32_t n;
    bson_init(out);
    if (!bson_iter_init_find(&it, doc, key) || !BSON_ITER_HOLDS_DOCUMENT(&it))
        return false;
    bson_iter_document(&it, &n, &p);
    return bson_init_static(out, p, n);
}

static bool is_true(const bson_t *doc, const char *key)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, key) && bson_iter_as_bool(&it);
}

static int read_spec(const bson_t *doc, struct spec *x, struct sp_error *err)
{
    bson_iter_t it;
    *x = (struct spec){ .doc = doc, .unique = is_true(doc, "unique"), .sparse = is_true(doc, "sparse") };
    if (!bson_iter_init_find(&it, doc, "name") || !BSON_ITER_HOLDS_UTF8(&it) ||
        !sub_document(doc, "key", &x->key))
        return mo_corrupt("listIndexes", err);
    x->name = bson_iter_utf8(&it, NULL);
    (void)sub_document(doc, "partialFilterExpression", &x->where);
    return 0;
}

/* ---- the fields of an index ----------------------------------------------------------------------------------- */

/* *plain: all ascending or descending; *descending: one at least. */
static int columns(struct walk *w, const struct spec *x, const char *const **out, size_t *n, bool *plain,
    bool *descending, struct sp_error *err)
{
    const char **v = sp_arena_array(w->a, bson_count_keys(&x->key) + 1, sizeof *v);
    bson_iter_t it;
    *n = 0;
    *plain = true;
    *descending = false;
    if (v == NULL || !bson_iter_init(&it, &x->key))
        return sp_nomem(err);
    while (bson_iter_next(&it)) {
        v[*n] = sp_arena_str(w->a, bson_iter_key(&it));
        if (v[(*n)++] == NULL)
            return sp_nomem(err);
        bool number = BSON_ITER_HOLDS_NUMBER(&it);
        *plain = *plain && number && strstr(bson_iter_key(&it), "$**") == NULL;
        *descending = *descending || (number && bson_iter_as_double(&it) < 0);
    }
    *out = v;
    return 0;
}

/* What a plain ascending index has not, as JSON; *text NULL = nothing. */
static int unusual(
    struct walk *w, const struct spec *x, bool with_key, const char **text, struct sp_error *err)
{
    static const char *const usual[] = { "v", "key", "name", "ns", "unique", "partialFilterExpression",
        "background" };
    bson_t rest = BSON_INITIALIZER;
    bson_iter_t it;
    bool ok = bson_iter_init(&it, x->doc) && (!with_key || BSON_APPEND_DOCUMENT(&rest, "key", &x->key));
    *text = NULL;
    while (ok && bson_iter_next(&it)) {
        bool skip = false;
        for (size_t i = 0; i < SP_LEN(usual); i++)
            skip = skip || strcmp(bson_iter_key(&it), usual[i]) == 0;
        if (!skip && !(BSON_ITER_HOLDS_BOOL(&it) && !bson_iter_bool(&it)))
            ok = bson_append_iter(&rest, NULL, 0, &it);
    }
    int rc = ok ? 0 : mo_corrupt("listIndexes", err);
    if (rc == 0 && !bson_empty(&rest) && (*text = mo_json_text(w->a, &rest)) == NULL)
        rc = sp_nomem(err);
    bson_destroy(&rest);
    return rc;
}

/* ---- unique constraints ----------------------------------------------------------------------------------------- */

static bool same_types(const bson_iter_t *condition, const char *const *types)
{
    bson_iter_t it, list;
    if (!BSON_ITER_HOLDS_DOCUMENT(condition) || !bson_iter_recurse(condition, &it) || !bson_iter_next(&it) ||
        strcmp(bson_iter_key(&it), "$type") != 0 || !BSON_ITER_HOLDS_ARRAY(&it) ||
        !bson_iter_recurse(&it, &list))
        return false;
    for (; bson_iter_next(&list); types++)
        if (*types == NULL || !BSON_ITER_HOLDS_UTF8(&list) ||
            strcmp(bson_iter_utf8(&list, NULL), *types) != 0)
            return false;
    return *types == NULL && !bson_iter_next(&it);
}

/* Does the condition leave out exactly the rows with a null? *nullable: there is such a column. */
static bool nulls_apart(
    const struct walk *w, const struct spec *x, const char *const *cols, size_t n, bool *nullable)
{
    static const struct sp_type any = { .tag = SP_MISSING };
    uint32_t expected = 0;
    *nullable = false;
    for (size_t i = 0; i < n; i++) {
        const struct sp_column *c = mo_table_column(w->m, cols[i]);
        bson_iter_t it;
        if (c != NULL && (c->not_null || sp_table_is_pk(&w->m->t, c->name)))
            continue;
        *nullable = true;
        expected++;
        if (!bson_iter_init_find(&it, &x->where, cols[i]) ||
            !same_types(&it, mo_bson_types(c == NULL ? &any : &c->type)))
            return false;
    }
    return bson_count_keys(&x->where) == expected;
}

static bool same_names(const char *const *a, size_t na, const char *const *b, size_t nb)
{
    if (na != nb)
        return false;
    for (size_t i = 0; i < na; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

static int add(struct walk *w, const struct spec *x, bool *is_key, struct sp_error *err)
{
    struct sp_table *t = w->t;
    const char *const *cols = NULL;
    const char *how = NULL, *name = sp_arena_str(w->a, x->name);
    size_t n;
    bool plain, descending, nullable;
    int rc = columns(w, x, &cols, &n, &plain, &descending, err);
    if (rc == 0)
        rc = unusual(w, x, !plain || descending, &how, err);
    if (rc != 0 || name == NULL)
        return rc != 0 ? rc : sp_nomem(err);
    *is_key = plain && how == NULL && x->unique && bson_empty(&x->where) && strcmp(x->name, MO_PK) == 0 &&
              same_names(cols, n, w->m->t.pk, w->m->t.npk);
    if (*is_key)
        return 0;
    bool apart = nulls_apart(w, x, cols, n, &nullable);
    if (plain && how == NULL && x->unique && (apart || bson_empty(&x->where))) {
        w->uniques[t->nuniques++] = (struct sp_unique){
            .name = name, .columns = cols, .ncolumns = n, .nulls_equal = nullable && !apart
        };
        return 0;
    }
    struct sp_index *i = &w->indexes[t->nindexes++];
    *i = (struct sp_index){ .name = name,
        .columns = cols,
        .ncolumns = n,
        .method = how,
        .unique = x->unique,
        .descending_any = descending };
    if (!bson_empty(&x->where) && (i->where = mo_json_text(w->a, &x->where)) == NULL)
        return sp_nomem(err);
    return 0;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

struct specs {
    bson_t **v;
    size_t n, cap;
};

static const char *name_of(const bson_t *doc)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, "name") && BSON_ITER_HOLDS_UTF8(&it) ? bson_iter_utf8(&it, NULL)
                                                                              : "";
}

static int by_name(const void *a, const void *b)
{
    return strcmp(name_of(*(const bson_t *const *)a), name_of(*(const bson_t *const *)b));
}

/* Sorted, so that two lists of the same indexes are the same text. */
static int read_specs(struct sp_session *s, struct sp_arena *a, const char *db, const char *name,
    struct specs *out, struct sp_error *err)
{
    mongoc_collection_t *c = mongoc_client_get_collection(s->client, db, name);
    mongoc_cursor_t *cursor = mongoc_collection_find_indexes_with_opts(c, NULL);
    const bson_t *doc;
    int rc = 0;
    while (rc == 0 && mongoc_cursor_next(cursor, &doc)) {
        out->v = sp_arena_grow(a, out->v, &out->cap, out->n + 1, sizeof(bson_t *));
        if (out->v == NULL || (out->v[out->n] = bson_copy(doc)) == NULL)
            rc = sp_nomem(err);
        else
            out->n++;
    }
    if (rc == 0)
        rc = mo_cursor_error(s, cursor, "listIndexes", err);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    if (rc == 0 && out->n > 1)
        qsort(out->v, out->n, sizeof(bson_t *), by_name);
    return rc;
}

/* Everything that createIndexes takes; _id has its own. */
static bool put_definition(bson_t *list, uint32_t i, const bson_t *spec)
{
    char digits[16];
    const char *key;
    bson_t one;
    bson_uint32_to_string(i, &key, digits, sizeof digits);
    if (!BSON_APPEND_DOCUMENT_BEGIN(list, key, &one))
        return false;
    bson_copy_to_excluding_noinit(spec, &one, "v", "ns", "background", NULL);
    return bson_append_document_end(list, &one);
}

int mo_introspect_indexes(struct sp_session *s, struct sp_arena *a, const char *db, const struct mo_table *m,
    bool time_series, struct sp_table *t, bson_t *definition, struct sp_error *err)
{
    struct walk w = { .a = a, .m = m, .t = t };
    struct specs specs = { .n = 0 };
    bson_t list = BSON_INITIALIZER;
    bool id = false, key = false;
    uint32_t made = 0;
    int rc = read_specs(s, a, db, t->name, &specs, err);
    w.uniques = sp_arena_array(a, specs.n + 1, sizeof *w.uniques);
    w.indexes = sp_arena_array(a, specs.n + 1, sizeof *w.indexes);
    if (rc == 0 && (w.uniques == NULL || w.indexes == NULL))
        rc = sp_nomem(err);
    t->nuniques = t->nindexes = 0;
    for (size_t i = 0; rc == 0 && i < specs.n; i++) {
        struct spec x;
        bool is_key = false;
        if (strcmp(name_of(specs.v[i]), "_id_") == 0) {
            id = true;
            continue;
        }
        rc = read_spec(specs.v[i], &x, err);
        if (rc == 0)
            rc = add(&w, &x, &is_key, err);
        if (rc == 0 && !put_definition(&list, made++, specs.v[i]))
            rc = sp_nomem(err);
        key = key || is_key;
    }
    t->uniques = w.uniques;
    t->indexes = w.indexes;
    bool by_id = t->npk == 1 && strcmp(t->pk[0], "_id") == 0;
    if (by_id ? !id || time_series : !key) /* nothing enforces it */
        t->npk = 0;
    if (rc == 0 && !BSON_APPEND_ARRAY(definition, "indexes", &list))
        rc = sp_nomem(err);
    bson_destroy(&list);
    for (size_t i = 0; i < specs.n; i++)
        bson_destroy(specs.v[i]);
    return rc;
}
