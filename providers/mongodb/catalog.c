/* catalog.c -- what a collection is to us, asked of the server for each operation: a description that was remembered may be
 * that of a table that another session has dropped and made anew. */
#include <string.h>

#include "providers/mongodb/internal.h"

const struct sp_column *mo_table_column(const struct mo_table *t, const char *name)
{
    return sp_table_column(&t->t, name);
}

const char *mo_unique_name(const struct sp_table *t, size_t i, char out[32])
{
    struct sp_buf b = SP_BUF_INIT;
    if (t->uniques[i].name != NULL && *t->uniques[i].name != '\0')
        return t->uniques[i].name;
    sp_buf_printf(&b, MO_UNIQUE "%zu", i + 1);
    (void)sp_strlcpy(out, b.p == NULL ? MO_UNIQUE : b.p, 32);
    sp_buf_free(&b);
    return out;
}

int mo_column_check(const struct mo_table *t, const char *name, struct sp_error *err)
{
    if (mo_table_column(t, name) != NULL)
        return 0;
    if (!t->t.open_fields)
        return sp_fail(
            err, SP_E_INVALID, SP_ORIGIN_BACKEND, "no column \"%s\" in table \"%s\"", name, t->t.name);
    if (*name == '\0' || *name == '$' || strchr(name, '.') != NULL)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "field \"%s\": a name with a dot or a leading $ cannot be used in a query", name);
    return 0;
}

/* A collection without a definition: documents, of which only _id is known, and what its validator says. */
static int undefined(struct sp_arena *a, struct mo_table *out, struct sp_error *err)
{
    struct sp_column *c = sp_arena_alloc(a, sizeof *c);
    const char **pk = sp_arena_alloc(a, sizeof *pk);
    if (c == NULL || pk == NULL)
        return sp_nomem(err);
    *c = (struct sp_column){ .name = "_id", .not_null = true };
    *pk = "_id";
    out->t.columns = c;
    out->t.ncolumns = 1;
    out->t.pk = pk;
    out->t.npk = 1;
    out->t.open_fields = true;
    return 0;
}

/* What stands in the schema counts, not what the definition says: a rule that somebody dropped is no rule. */
static int enforced_of(const bson_iter_t *properties, const struct sp_table *t, struct sp_column *c,
    bool *as_made, struct sp_error *err)
{
    bson_iter_t it, sub;
    bson_t have;
    const uint8_t *p;
    uint32_t n;
    *as_made = false;
    if (!bson_iter_recurse(properties, &it) || !bson_iter_find(&it, c->name) ||
        !BSON_ITER_HOLDS_DOCUMENT(&it) || !bson_iter_recurse(&it, &sub))
        return 0;
    bson_iter_document(&it, &n, &p);
    if (!bson_init_static(&have, p, n))
        return mo_corrupt("listCollections", err);
    bson_t want = BSON_INITIALIZER;
    int ret = mo_schema_column(t, c, &want, err);
    *as_made = ret == 0 && bson_equal(&have, &want);
    bson_destroy(&want);
    return ret;
}

bool mo_is_required(const bson_iter_t *schema, const char *name)
{
    bson_iter_t it, list;
    if (!bson_iter_recurse(schema, &it) || !bson_iter_find(&it, "required") || !BSON_ITER_HOLDS_ARRAY(&it) ||
        !bson_iter_recurse(&it, &list))
        return false;
    while (bson_iter_next(&list))
        if (BSON_ITER_HOLDS_UTF8(&list) && strcmp(bson_iter_utf8(&list, NULL), name) == 0)
            return true;
    return false;
}

static int look_at_schema(const bson_iter_t *schema, bool active, struct mo_table *out, struct sp_error *err)
{
    bson_iter_t it;
    struct sp_column *columns = (struct sp_column *)(uintptr_t)out->t.columns; /* ours, just made */
    bool properties =
        bson_iter_recurse(schema, &it) && bson_iter_find(&it, "properties") && BSON_ITER_HOLDS_DOCUMENT(&it);
    out->enforced = active && properties;
    for (size_t i = 0; i < out->t.ncolumns; i++) {
        struct sp_column *c = &columns[i];
        bool as_made = false, is_required = mo_is_required(schema, c->name);
        int ret = properties ? enforced_of(&it, &out->t, c, &as_made, err) : 0;
        if (ret != 0)
            return ret;
        if (is_required != (c->not_null || !out->t.open_fields) || !as_made)
            out->enforced = false;
        if (!active || !as_made || !is_required)
            c->not_null = false;
    }
    out->t.strict = out->enforced;
    return 0;
}

/* A validator that only warns, or looks at some writes only, enforces nothing. */
bool mo_is_active(const bson_iter_t *options)
{
    bson_iter_t it;
    if (bson_iter_recurse(options, &it) && bson_iter_find(&it, "validationAction") &&
        (!BSON_ITER_HOLDS_UTF8(&it) || strcmp(bson_iter_utf8(&it, NULL), "error") != 0))
        return false;
    return !(bson_iter_recurse(options, &it) && bson_iter_find(&it, "validationLevel") &&
             (!BSON_ITER_HOLDS_UTF8(&it) || strcmp(bson_iter_utf8(&it, NULL), "strict") != 0));
}

static int look_at_options(
    struct sp_arena *a, const bson_iter_t *options, struct mo_table *out, struct sp_error *err)
{
    bson_iter_t it, schema, text;
    if (!bson_iter_recurse(options, &it) ||
        !bson_iter_find_descendant(&it, "validator.$jsonSchema", &schema) ||
        !BSON_ITER_HOLDS_DOCUMENT(&schema) || !bson_iter_recurse(&schema, &it) ||
        !bson_iter_find(&it, "description") || !BSON_ITER_HOLDS_UTF8(&it))
        return 0;
    text = it;
    const char *words = bson_iter_utf8(&text, NULL);
    if (!sp_str_prefix(words, MO_WORDS))
        return 0;
    int ret = mo_definition_read(a, words + strlen(MO_WORDS), &out->t, err);
    if (ret != 0)
        return sp_error_prefix(err, "collection \"%s\"", out->t.name);
    out->defined = true;
    return look_at_schema(&schema, mo_is_active(options), out, err);
}

int mo_table_of(struct sp_arena *a, const bson_t *collection, struct mo_table *out, struct sp_error *err)
{
    bson_iter_t it;
    int ret = 0;
    *out = (struct mo_table){ .defined = false };
    if (!bson_iter_init_find(&it, collection, "name") || !BSON_ITER_HOLDS_UTF8(&it))
        return mo_corrupt("listCollections", err);
    out->t.name = sp_arena_str(a, bson_iter_utf8(&it, NULL));
    if (out->t.name == NULL)
        return sp_nomem(err);
    if (bson_iter_init_find(&it, collection, "type") && BSON_ITER_HOLDS_UTF8(&it))
        out->view = strcmp(bson_iter_utf8(&it, NULL), "view") == 0;
    if (bson_iter_init_find(&it, collection, "options") && BSON_ITER_HOLDS_DOCUMENT(&it))
        ret = look_at_options(a, &it, out, err);
    if (ret == 0 && !out->defined)
        ret = undefined(a, out, err);
    if (ret == 0 && !out->defined && !out->view && bson_iter_init_find(&it, collection, "options") &&
        BSON_ITER_HOLDS_DOCUMENT(&it))
        ret = mo_validator_columns(a, &it, &out->t, err);
    return ret;
}

static int first_of(
    struct sp_session *s, const bson_t *reply, struct mo_table *out, bool *found, struct sp_error *err)
{
    bson_iter_t it, batch;
    const uint8_t *p;
    uint32_t n;
    bson_t one;
    *found = false;
    if (!bson_iter_init(&it, reply) || !bson_iter_find_descendant(&it, "cursor.firstBatch", &batch) ||
        !BSON_ITER_HOLDS_ARRAY(&batch) || !bson_iter_recurse(&batch, &it))
        return mo_corrupt("listCollections", err);
    if (!bson_iter_next(&it))
        return 0;
    if (!BSON_ITER_HOLDS_DOCUMENT(&it))
        return mo_corrupt("listCollections", err);
    bson_iter_document(&it, &n, &p);
    if (!bson_init_static(&one, p, n))
        return mo_corrupt("listCollections", err);
    *found = true;
    return mo_table_of(&s->lookup, &one, out, err);
}

int mo_table_find(
    struct sp_session *s, const char *ns, const char *name, const struct mo_table **out, struct sp_error *err)
{
    const char *db = mo_db(s, ns);
    struct mo_table *t = sp_arena_alloc(&s->lookup, sizeof *t);
    bool found = false;
    bson_t reply,
        *cmd = BCON_NEW("listCollections", BCON_INT32(1), "filter", "{", "name", BCON_UTF8(name), "}");
    *out = NULL;
    if (t == NULL || cmd == NULL) {
        if (cmd != NULL)
            bson_destroy(cmd);
        return sp_nomem(err);
    }
    int ret = mo_command(s, db, cmd, MO_PLAIN, "listCollections", &reply, err);
    if (ret == 0)
        ret = first_of(s, &reply, t, &found, err);
    bson_destroy(&reply);
    bson_destroy(cmd);
    if (ret == 0 && !found)
        return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no table \"%s\" in database \"%s\" (%s)",
            name, db, s->where);
    if (ret != 0)
        return ret;
    t->db = sp_arena_str(&s->lookup, db);
    *out = t;
    return t->db == NULL ? sp_nomem(err) : 0;
}
