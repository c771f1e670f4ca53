/* introspect.c -- collections as tables. One that we defined has its columns; any other has _id and open fields. What the
 * schema doesn't model of a collection (a validator that is not ours, capped, collation, time series ...) becomes a check
 * in the server's own words: text that differs is a difference. */
#include <stdlib.h>
#include <string.h>

#include "providers/mongodb/gridfs.h"
#include "providers/mongodb/internal.h"

/* ---- lists of the server ------------------------------------------------------------------------------------ */

static int list_cursor(struct sp_session *s, mongoc_cursor_t *cursor, const char *what,
    int (*each)(void *payload, const bson_t *doc, struct sp_error *err), void *payload, struct sp_error *err)
{
    const bson_t *doc;
    int rc = 0;
    while (rc == 0 && mongoc_cursor_next(cursor, &doc))
        rc = each(payload, doc, err);
    if (rc == 0)
        rc = mo_cursor_error(s, cursor, what, err);
    mongoc_cursor_destroy(cursor);
    return rc;
}

const char *mo_json_text(struct sp_arena *a, const bson_t *doc)
{
    char *json = bson_as_canonical_extended_json(doc, NULL);
    const char *copy = json == NULL ? NULL : sp_arena_str(a, json);
    bson_free(json);
    return copy;
}

/* ---- what a collection asks of its documents beyond the schema ------------------------------------------------ */

static bool is_validation(const char *key)
{
    return strcmp(key, "validator") == 0 || strcmp(key, "validationLevel") == 0 ||
           strcmp(key, "validationAction") == 0;
}

/* The options, either those of validation or the others, as JSON; *text NULL = none. */
static int options_text(
    struct sp_arena *a, const bson_t *options, bool validation, const char **text, struct sp_error *err)
{
    bson_t part = BSON_INITIALIZER;
    bson_iter_t it;
    bool ok = bson_iter_init(&it, options);
    *text = NULL;
    while (ok && bson_iter_next(&it))
        if (is_validation(bson_iter_key(&it)) == validation)
            ok = bson_append_iter(&part, NULL, 0, &it);
    int rc = ok ? 0 : mo_corrupt("listCollections", err);
    if (rc == 0 && !bson_empty(&part) && (*text = mo_json_text(a, &part)) == NULL)
        rc = sp_nomem(err);
    bson_destroy(&part);
    return rc;
}

static int checks(struct sp_arena *a, const struct mo_table *m, const bson_t *options, struct sp_table *t,
    struct sp_error *err)
{
    struct sp_check *v = sp_arena_array(a, 2, sizeof *v);
    const char *validation, *others;
    if (v == NULL)
        return sp_nomem(err);
    int rc = options_text(a, options, true, &validation, err);
    if (rc == 0)
        rc = options_text(a, options, false, &others, err);
    if (rc != 0)
        return rc;
    if (others != NULL)
        v[t->nchecks++] = (struct sp_check){ .name = "collection options", .expr = others };
    bool ours = false;
    if (m->defined && m->enforced)
        rc = mo_validator_is_ours(&m->t, options, &ours, err);
    if (rc == 0 && validation != NULL && !ours) /* ours is in the columns */
        v[t->nchecks++] = (struct sp_check){ .name = "validator", .expr = validation };
    t->checks = v;
    return rc;
}

/* A bson_t may not be copied, so it is made where it is used. */
static bool options_of(const struct mo_collection *c, bson_t *out)
{
    if (c->options != NULL)
        return bson_init_static(out, c->options, c->noptions);
    bson_init(out);
    return true;
}

/* ---- tables --------------------------------------------------------------------------------------------------- */

struct walk {
    struct sp_session *s;
    struct sp_schema *schema;
    const char *db;
    struct mo_collection *found;
    size_t n, cap;
    struct sp_table *tables;
    struct mo_items items;
};

static int copy_columns(struct sp_arena *a, struct sp_table *t, struct sp_error *err)
{
    struct sp_column *c = sp_arena_array(a, t->ncolumns + 1, sizeof *c);
    if (c == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < t->ncolumns; i++) {
        c[i] = t->columns[i];
        c[i].ordinal_unstable = true;
    }
    t->columns = c;
    return 0;
}

static int table(struct walk *w, const struct mo_collection *from, struct sp_error *err)
{
    struct sp_arena *a = &w->schema->arena;
    struct sp_table *t = &w->tables[w->schema->ntables];
    struct mo_table m;
    bson_t definition = BSON_INITIALIZER, options;
    int rc =
        options_of(from, &options) ? mo_table_of(a, from->doc, &m, err) : mo_corrupt("listCollections", err);
    if (rc != 0) {
        bson_destroy(&definition);
        return rc;
    }
    *t = m.t;
    t->ns = NULL;
    rc = copy_columns(a, t, err);
    if (rc == 0)
        rc = checks(a, &m, &options, t, err);
    if (rc == 0 && !BSON_APPEND_DOCUMENT(&definition, "options", &options))
        rc = sp_nomem(err);
    if (rc == 0)
        rc = mo_introspect_indexes(w->s, a, w->db, &m, from->time_series, t, &definition, err);
    t->native_kind = "mongodb";
    if (rc == 0)
        rc = mo_verbatim_text(a, &definition, &t->native_definition, err);
    bson_destroy(&definition);
    if (rc == 0)
        w->schema->ntables++;
    return rc == 0 ? 0 : sp_error_prefix(err, "collection %s", from->name);
}

/* ---- the list of collections ------------------------------------------------------------------------------------ */

static int view(struct walk *w, const struct mo_collection *c, struct sp_error *err)
{
    bson_t words = BSON_INITIALIZER;
    bson_t options;
    bool ok = options_of(c, &options) && BSON_APPEND_UTF8(&words, "create", c->name) &&
              bson_concat(&words, &options);
    const char *text = ok ? mo_json_text(&w->schema->arena, &words) : NULL;
    bson_destroy(&words);
    return text == NULL ? sp_nomem(err) : mo_item_add(&w->items, "view", c->name, NULL, text, err);
}

/* By their whole names: a collection of the user's that only begins like ours holds data. */
static bool is_ours(const char *name)
{
    return strcmp(name, MO_MARK) == 0 || strcmp(name, MO_BUCKET) == 0 || sp_str_prefix(name, MO_PROBE);
}

static int take(struct walk *w, const struct mo_collection *c, struct sp_error *err)
{
    if (c->view)
        return strcmp(c->name, "system.views") == 0 ? 0 : view(w, c, err);
    if (strcmp(c->name, "system.js") == 0)
        return mo_item_add(&w->items, "stored functions", c->name, NULL, NULL, err);
    if (sp_str_prefix(c->name, "system.") || is_ours(c->name))
        return 0;
    return table(w, c, err);
}

static int collection(void *payload, const bson_t *doc, struct sp_error *err)
{
    struct walk *w = payload;
    struct mo_collection c = { .doc = bson_copy(doc) };
    bson_iter_t it;
    w->found = sp_arena_grow(&w->schema->arena, w->found, &w->cap, w->n + 1, sizeof *w->found);
    if (w->found == NULL || c.doc == NULL || !bson_iter_init_find(&it, c.doc, "name") ||
        !BSON_ITER_HOLDS_UTF8(&it)) {
        bson_destroy(c.doc);
        return w->found == NULL ? sp_nomem(err) : mo_corrupt("listCollections", err);
    }
    c.name = bson_iter_utf8(&it, NULL);
    const char *type =
        bson_iter_init_find(&it, c.doc, "type") && BSON_ITER_HOLDS_UTF8(&it) ? bson_iter_utf8(&it, NULL) : "";
    c.view = strcmp(type, "view") == 0;
    c.time_series = strcmp(type, "timeseries") == 0;
    if (bson_iter_init_find(&it, c.doc, "options") && BSON_ITER_HOLDS_DOCUMENT(&it))
        bson_iter_document(&it, &c.noptions, &c.options);
    w->found[w->n++] = c;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct mo_collection *)a)->name, ((const struct mo_collection *)b)->name);
}

static int walk(struct walk *w, bool whole, struct sp_error *err)
{
    mongoc_database_t *db = mongoc_client_get_database(w->s->client, w->db);
    mongoc_cursor_t *cursor = mongoc_database_find_collections_with_opts(db, NULL);
    int rc = list_cursor(w->s, cursor, "listCollections", collection, w, err);
    mongoc_database_destroy(db);
    if (rc == 0 && w->n > 1)
        qsort(w->found, w->n, sizeof *w->found, by_name);
    w->tables = sp_arena_array(&w->schema->arena, w->n + 1, sizeof *w->tables);
    if (rc == 0 && w->tables == NULL)
        rc = sp_nomem(err);
    w->schema->tables = w->tables;
    for (size_t i = 0; rc == 0 && i < w->n; i++)
        rc = take(w, &w->found[i], err);
    if (rc == 0 && whole)
        rc = mo_inventory_users(w->s, w->db, &w->items, err);
    for (size_t i = 0; i < w->n; i++)
        bson_destroy(w->found[i].doc);
    return rc;
}

int mo_introspect(struct sp_session *s, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    bool found = true;
    *out = NULL;
    mo_begin_statement(s);
    int rc = mo_ready(s, err);
    if (rc == 0 && ns != NULL)
        rc = mo_ns_exists(s, ns, &found, err);
    if (rc == 0 && !found)
        rc = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no namespace \"%s\" in %s", ns, s->where);
    struct walk w = { .s = s, .db = ns != NULL ? ns : s->default_ns };
    w.schema = rc == 0 ? sp_schema_new() : NULL;
    if (w.schema == NULL)
        return rc != 0 ? rc : sp_nomem(err);
    w.items.a = &w.schema->arena;
    rc = walk(&w, ns == NULL, err);
    if (rc != 0) {
        sp_schema_free(w.schema);
        return rc;
    }
    mo_items_sort(&w.items);
    w.schema->inventory = w.items.v;
    w.schema->ninventory = w.items.n;
    *out = w.schema;
    return 0;
}
