/* side_mongo.c -- worlds as databases of a MongoDB-compatible server, through the plain client library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/calendar.h"
#include "mongo.h"
#include "providers/mongodb/mongodb.h"

struct mongo {
    struct side side;
    char database[64];
};
static mongoc_client_t *client;

static mongoc_collection_t *collection(const struct mongo *m, const struct table *t)
{
    return mongoc_client_get_collection(client, m->database, t->name);
}

/* ---- values ---- */

static void put_json(bson_t *d, const char *name, const json_t *j)
{
    bson_t sub;
    const char *key;
    json_t *x;
    size_t i;
    char number[24];
    switch (json_typeof(j)) {
    case JSON_OBJECT:
        bson_append_document_begin(d, name, -1, &sub);
        json_object_foreach((json_t *)(uintptr_t)j, key, x) put_json(&sub, key, x);
        bson_append_document_end(d, &sub);
        break;
    case JSON_ARRAY:
        bson_append_array_begin(d, name, -1, &sub);
        json_array_foreach(j, i, x)
        {
            snprintf(number, sizeof number, "%zu", i);
            put_json(&sub, number, x);
        }
        bson_append_array_end(d, &sub);
        break;
    case JSON_STRING:
        bson_append_utf8(d, name, -1, json_string_value(j), (int)json_string_length(j));
        break;
    case JSON_INTEGER:
        bson_append_int64(d, name, -1, json_integer_value(j));
        break;
    case JSON_REAL:
        bson_append_double(d, name, -1, json_real_value(j));
        break;
    case JSON_NULL:
        bson_append_null(d, name, -1);
        break;
    default:
        bson_append_bool(d, name, -1, json_is_true(j));
    }
}

static void put_text(bson_t *d, const char *name, enum kind k, const struct cell *c)
{
    bson_decimal128_t dec;
    struct sp_ts ts;
    uint8_t uuid[16];
    bool zoned;
    json_t *j;
    switch (k) {
    case K_DECIMAL:
    case K_NUMERIC:
        if (!bson_decimal128_from_string_w_len(c->p, (int)c->n, &dec))
            die("decimal %.*s", (int)c->n, c->p);
        bson_append_decimal128(d, name, -1, &dec);
        break;
    case K_UUID:
        if (sp_uuid_parse(c->p, c->n, uuid) != 0)
            die("uuid");
        bson_append_binary(d, name, -1, BSON_SUBTYPE_UUID, uuid, sizeof uuid);
        break;
    case K_INSTANT:
        if (sp_ts_parse(c->p, c->n, &ts, &zoned) != 0)
            die("instant");
        bson_append_date_time(d, name, -1, ts.sec * 1000 + ts.nsec / 1000000);
        break;
    case K_JSON:
    case K_INTS:
    case K_TEXTS:
        j = json_loadb(c->p, c->n, JSON_DECODE_ANY, NULL);
        if (j == NULL)
            die("json %.*s", (int)c->n, c->p);
        put_json(d, name, j);
        json_decref(j);
        break;
    default:
        bson_append_utf8(d, name, -1, c->p, (int)c->n);
    }
}

void mongo_put(bson_t *d, const char *name, enum kind k, const struct cell *c)
{
    switch (c->tag) {
    case C_ABSENT:
        break;
    case C_NULL:
        bson_append_null(d, name, -1);
        break;
    case C_INT:
        if (k == K_BOOL)
            bson_append_bool(d, name, -1, c->i != 0);
        else if (k == K_INT64 || k == K_ANY)
            bson_append_int64(d, name, -1, c->i);
        else
            bson_append_int32(d, name, -1, (int32_t)c->i);
        break;
    case C_F64:
        bson_append_double(d, name, -1, c->f);
        break;
    case C_BYTES:
        bson_append_binary(d, name, -1, BSON_SUBTYPE_BINARY, (const uint8_t *)c->p, (uint32_t)c->n);
        break;
    case C_TEXT:
        put_text(d, name, k, c);
    }
}

/* ---- collections ---- */

void mongo_command(const char *database, bson_t *cmd)
{
    bson_error_t e;
    if (!mongoc_client_write_command_with_opts(client, database, cmd, NULL, NULL, &e))
        die("%s: %s", bson_as_relaxed_extended_json(cmd, NULL), e.message);
    bson_destroy(cmd);
}

void mongo_insert(const char *database, const char *name, bson_t *const *documents, size_t n)
{
    mongoc_collection_t *c = mongoc_client_get_collection(client, database, name);
    mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(c, NULL);
    bson_error_t e;
    bson_t *as_is = BCON_NEW("validate", BCON_BOOL(false));
    for (size_t k = 0; k < n; k++)
        if (!mongoc_bulk_operation_insert_with_opts(bulk, documents[k], as_is, &e))
            die("%s: %s", name, e.message);
    if (n != 0 && !mongoc_bulk_operation_execute(bulk, NULL, &e))
        die("%s: %s", name, e.message);
    bson_destroy(as_is);
    mongoc_bulk_operation_destroy(bulk);
    mongoc_collection_destroy(c);
}

void mongo_clear(const char *database, const char *name)
{
    mongoc_collection_t *c = mongoc_client_get_collection(client, database, name);
    bson_t all = BSON_INITIALIZER;
    bson_error_t e;
    if (!mongoc_collection_delete_many(c, &all, NULL, NULL, &e))
        die("%s", e.message);
    mongoc_collection_destroy(c);
    bson_destroy(&all);
}

static void fill(const struct mongo *m, const struct table *t)
{
    bson_t **d = need(calloc(t->nrows + 1, sizeof *d));
    for (size_t k = 0; k < t->nrows; k++) {
        d[k] = bson_new();
        for (unsigned i = 0; i < t->ncols; i++)
            mongo_put(d[k], t->cols[i].name, t->cols[i].kind, &t->rows[k][i]);
    }
    mongo_insert(m->database, t->name, d, t->nrows);
    for (size_t k = 0; k < t->nrows; k++)
        bson_destroy(d[k]);
    free(d);
}

static void index_on(
    const struct mongo *m, const struct table *t, const struct list *l, unsigned number, bool unique)
{
    bson_t *cmd = bson_new(), list, one, key;
    char name[32];
    snprintf(name, sizeof name, "%c%u", unique ? 'u' : 'i', number);
    bson_append_utf8(cmd, "createIndexes", -1, t->name, -1);
    bson_append_array_begin(cmd, "indexes", -1, &list);
    bson_append_document_begin(&list, "0", -1, &one);
    bson_append_document_begin(&one, "key", -1, &key);
    for (unsigned i = 0; i < l->n; i++)
        bson_append_int32(&key, t->cols[l->col[i]].name, -1, 1);
    bson_append_document_end(&one, &key);
    bson_append_utf8(&one, "name", -1, name, -1);
    if (unique)
        bson_append_bool(&one, "unique", -1, true);
    bson_append_document_end(&list, &one);
    bson_append_array_end(cmd, &list);
    mongo_command(m->database, cmd);
}

static void empty(void *self)
{
    const struct mongo *m = self;
    mongo_command(m->database, BCON_NEW("dropDatabase", BCON_INT32(1)));
}

static void create(void *self, const struct world *w)
{
    const struct mongo *m = self;
    empty(self);
    for (unsigned k = 0; k < w->ntables; k++) {
        const struct table *t = &w->tables[k];
        mongo_command(m->database, BCON_NEW("create", BCON_UTF8(t->name)));
        for (unsigned i = 0; i < t->nuniques; i++)
            index_on(m, t, &t->uniques[i], i, true);
        for (unsigned i = 0; i < t->nindexes; i++)
            index_on(m, t, &t->indexes[i], i, false);
        fill(m, t);
    }
}

static void rewrite(void *self, const struct world *w, unsigned table)
{
    const struct mongo *m = self;
    mongo_clear(m->database, w->tables[table].name);
    fill(m, &w->tables[table]);
}

/* The octets of every document, as a dump and a restore would carry them. */
const char *mongo_copy(struct side *from, struct side *to, const struct world *w)
{
    struct world none = *w;
    bson_t all = BSON_INITIALIZER, *as_is = BCON_NEW("validate", BCON_BOOL(false));
    const bson_t *d;
    bson_error_t e;
    none.tables = need(calloc(w->ntables + 1, sizeof *none.tables));
    for (unsigned k = 0; k < w->ntables; k++) {
        none.tables[k] = w->tables[k];
        none.tables[k].nrows = 0;
    }
    create(to->self, &none);
    for (unsigned k = 0; k < w->ntables; k++) {
        mongoc_collection_t *a = collection(from->self, &w->tables[k]),
                            *b = collection(to->self, &w->tables[k]);
        mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(a, &all, NULL, NULL);
        while (mongoc_cursor_next(cursor, &d))
            if (!mongoc_collection_insert_one(b, d, as_is, NULL, &e))
                die("%s", e.message);
        if (mongoc_cursor_error(cursor, &e))
            die("%s", e.message);
        mongoc_cursor_destroy(cursor);
        mongoc_collection_destroy(a);
        mongoc_collection_destroy(b);
    }
    free(none.tables);
    bson_destroy(as_is);
    bson_destroy(&all);
    return "document by document";
}

mongoc_client_t *mongo_client(void)
{
    return client;
}

void mongo_connect(const char *url)
{
    struct sp_error err = SP_ERROR_INIT;
    if (client != NULL)
        return;
    if (sp_provider_mongodb.process_init(&err) != 0)
        die("%s", sp_error_text(&err));
    client = mongoc_client_new(url);
    if (client == NULL)
        die("%s is no URL", url);
}

void mongo_url(char *out, size_t size, const char *url, const char *database)
{
    const char *host = strstr(url, "://"), *slash = host == NULL ? NULL : strchr(host + 3, '/'),
               *query = slash == NULL ? NULL : strchr(slash, '?');
    snprintf(out, size, "%.*s/%s%s", slash == NULL ? (int)strlen(url) : (int)(slash - url), url, database,
        query == NULL ? "" : query);
}

struct side *side_mongo(const char *url, const char *database)
{
    struct mongo *m = need(calloc(1, sizeof *m));
    mongo_connect(url);
    snprintf(m->database, sizeof m->database, "%s", database);
    m->side = (struct side){ .provider = &sp_provider_mongodb,
        .kind = "mongodb",
        .create = create,
        .rewrite = rewrite,
        .empty = empty,
        .lasting = true,
        .self = m };
    mongo_url(m->side.url, sizeof m->side.url, url, database);
    return &m->side;
}
