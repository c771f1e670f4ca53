/* read.c -- reading and counting. */
#include <stdlib.h>
#include <string.h>

#include "providers/mongodb/internal.h"

/* ---- documents as rows ---- */

/* The columns of a result: those asked for; or all declared ones, and then the fields that were met, by name. */
struct columns {
    struct sp_arena a;
    const char **names;
    size_t n, cap, declared;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_column(struct columns *c, const char *name, struct sp_error *err)
{
    c->names = sp_arena_grow(&c->a, c->names, &c->cap, c->n + 1, sizeof *c->names);
    if (c->names == NULL || (c->names[c->n] = sp_arena_str(&c->a, name)) == NULL)
        return sp_nomem(err);
    c->n++;
    return 0;
}

static bool hidden(const struct mo_table *t, const char *field)
{
    return t->defined && strcmp(field, "_id") == 0 && mo_table_column(t, "_id") == NULL;
}

/* Fields that no column declares; `seen` is sorted behind the declared ones. */
static int note_fields(const struct mo_table *t, const bson_t *doc, struct columns *c, struct sp_error *err)
{
    bson_iter_t it;
    if (!bson_iter_init(&it, doc))
        return mo_corrupt("find", err);
    while (bson_iter_next(&it)) {
        const char *name = bson_iter_key(&it);
        size_t extra = c->n - c->declared;
        if (hidden(t, name) || mo_table_column(t, name) != NULL ||
            (extra > 0 && bsearch(&name, c->names + c->declared, extra, sizeof *c->names, by_name) != NULL))
            continue;
        int ret = add_column(c, name, err);
        if (ret != 0)
            return ret;
        qsort(c->names + c->declared, c->n - c->declared, sizeof *c->names, by_name);
    }
    return 0;
}

struct docs {
    bson_t **v;
    size_t n, cap;
};

static void docs_free(struct docs *d)
{
    for (size_t i = 0; i < d->n; i++)
        bson_destroy(d->v[i]);
    free(d->v);
}

static int docs_add(struct docs *d, const bson_t *doc, struct sp_error *err)
{
    if (d->n == d->cap) {
        size_t cap = d->cap == 0 ? 64 : d->cap * 2;
        bson_t **v = realloc(d->v, cap * sizeof(bson_t *));
        if (v == NULL)
            return sp_nomem(err);
        d->v = v;
        d->cap = cap;
    }
    d->v[d->n] = bson_copy(doc);
    if (d->v[d->n] == NULL)
        return sp_nomem(err);
    d->n++;
    return 0;
}

static int put_row(const struct mo_table *t, const struct columns *c, const bson_t *doc, struct sp_arena *a,
    struct sp_value *row, struct sp_result *out, struct sp_error *err)
{
    sp_arena_reset(a);
    for (size_t i = 0; i < c->n; i++) {
        const struct sp_column *column = mo_table_column(t, c->names[i]);
        bson_iter_t it;
        row[i] = sp_v_missing();
        if (!bson_iter_init_find(&it, doc, c->names[i]))
            continue;
        int ret = mo_value_get(a, &it, MO_LOGICAL, column == NULL ? NULL : &column->type, &row[i], err);
        if (ret != 0)
            return sp_error_prefix(err, "%s.%s", t->t.name, c->names[i]);
    }
    return sp_result_add(out, row, err);
}

static int fill(const struct mo_table *t, const struct columns *c, const struct docs *docs,
    struct sp_result *out, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value *row = calloc(c->n + 1, sizeof *row);
    int ret = row == NULL || sp_result_columns(out, c->names, c->n) != 0 ? sp_nomem(err) : 0;
    for (size_t i = 0; ret == 0 && i < docs->n; i++)
        ret = put_row(t, c, docs->v[i], &a, row, out, err);
    sp_arena_free(&a);
    free(row);
    return ret;
}

static int columns_of(const struct mo_table *t, const char *const *select, size_t nselect,
    const struct docs *docs, struct columns *c, struct sp_error *err)
{
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < nselect; i++)
        ret = add_column(c, select[i], err);
    if (nselect > 0)
        return ret;
    for (size_t i = 0; ret == 0 && i < t->t.ncolumns; i++)
        ret = add_column(c, t->t.columns[i].name, err);
    c->declared = c->n;
    for (size_t i = 0; ret == 0 && i < docs->n; i++)
        ret = note_fields(t, docs->v[i], c, err);
    return ret;
}

static int rows_of(const struct mo_table *t, const char *const *select, size_t nselect,
    const struct docs *docs, struct sp_result *out, struct sp_error *err)
{
    struct columns c = { .a = SP_ARENA_INIT };
    int ret = out == NULL ? 0 : columns_of(t, select, nselect, docs, &c, err);
    if (ret == 0 && out != NULL)
        ret = fill(t, &c, docs, out, err);
    sp_arena_free(&c.a);
    return ret;
}

static int fetch(struct sp_session *s, mongoc_cursor_t *cursor, struct docs *docs, struct sp_error *err)
{
    const bson_t *doc;
    int ret = 0;
    while (ret == 0 && mongoc_cursor_next(cursor, &doc))
        ret = docs_add(docs, doc, err);
    if (ret == 0)
        ret = mo_cursor_error(s, cursor, "read", err);
    mongoc_cursor_destroy(cursor);
    return ret;
}

int mo_rows(struct sp_session *s, const struct mo_table *t, const char *const *select, size_t nselect,
    mongoc_cursor_t *cursor, struct sp_result *out, struct sp_error *err)
{
    struct docs docs = { .n = 0 };
    int ret = fetch(s, cursor, &docs, err);
    if (ret == 0)
        ret = rows_of(t, select, nselect, &docs, out, err);
    docs_free(&docs);
    return ret;
}

/* ---- by _id ---- */

static int find_ids(struct sp_session *s, const struct mo_table *t, bson_t *const *ids, size_t n,
    struct docs *docs, struct sp_error *err)
{
    bson_t filter = BSON_INITIALIZER, opts = BSON_INITIALIZER, in, list;
    bool ok = BSON_APPEND_DOCUMENT_BEGIN(&filter, "_id", &in) && BSON_APPEND_ARRAY_BEGIN(&in, "$in", &list);
    for (uint32_t i = 0; ok && i < n; i++) {
        char buf[16];
        const char *k;
        bson_iter_t it;
        (void)bson_uint32_to_string(i, &k, buf, sizeof buf);
        ok = bson_iter_init_find(&it, ids[i], "_id") && bson_append_iter(&list, k, -1, &it);
    }
    ok = ok && bson_append_array_end(&in, &list) && bson_append_document_end(&filter, &in);
    int ret = ok ? mo_opts(s, &opts, true, err) : mo_bson_full(t->t.name, err);
    if (ret == 0) {
        mongoc_collection_t *c = mongoc_client_get_collection(s->client, t->db, t->t.name);
        ret = fetch(s, mongoc_collection_find_with_opts(c, &filter, &opts, NULL), docs, err);
        mongoc_collection_destroy(c);
    }
    bson_destroy(&filter);
    bson_destroy(&opts);
    return ret;
}

/* The bytes of an _id element: documents are found again by them. */
struct address {
    const uint8_t *p;
    size_t n, at;
};

static bool address_of(const bson_t *doc, size_t at, struct address *out)
{
    bson_iter_t it;
    if (!bson_iter_init_find(&it, doc, "_id"))
        return false;
    out->p = bson_get_data(doc) + bson_iter_offset(&it);
    const uint8_t *end = bson_get_data(doc) + it.next_off;
    out->n = (size_t)(end - out->p);
    out->at = at;
    return true;
}

static int by_address(const void *a, const void *b)
{
    const struct address *x = a, *y = b;
    int c = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return c != 0 ? c : (x->n > y->n) - (x->n < y->n);
}

/* Puts the documents into the order of the ids. One that is gone again is left out. */
static int arrange(
    bson_t *const *ids, size_t n, const struct docs *docs, struct docs *out, struct sp_error *err)
{
    struct address *v = calloc(docs->n + 1, sizeof *v);
    int ret = v == NULL ? sp_nomem(err) : 0;
    for (size_t i = 0; ret == 0 && i < docs->n; i++)
        if (!address_of(docs->v[i], i, &v[i]))
            ret = mo_corrupt("find", err);
    if (ret == 0)
        qsort(v, docs->n, sizeof *v, by_address);
    for (size_t i = 0; ret == 0 && i < n; i++) {
        struct address key;
        const struct address *hit =
            address_of(ids[i], 0, &key) ? bsearch(&key, v, docs->n, sizeof *v, by_address) : NULL;
        if (hit != NULL)
            ret = docs_add(out, docs->v[hit->at], err);
    }
    free(v);
    return ret;
}

int mo_rows_by_id(struct sp_session *s, const struct mo_table *t, const char *const *select, size_t nselect,
    bson_t *const *ids, size_t n, struct sp_result *out, struct sp_error *err)
{
    struct docs found = { .n = 0 }, sorted = { .n = 0 };
    int ret = 0;
    if (out == NULL)
        return 0;
    for (size_t at = 0; ret == 0 && at < n; at += 1000)
        ret = find_ids(s, t, ids + at, n - at < 1000 ? n - at : 1000, &found, err);
    if (ret == 0)
        ret = arrange(ids, n, &found, &sorted, err);
    if (ret == 0)
        ret = rows_of(t, select, nselect, &sorted, out, err);
    docs_free(&found);
    docs_free(&sorted);
    return ret;
}

/* ---- the order ---- */

static bool may_be_nan(const struct mo_table *t, const char *column)
{
    const struct sp_column *c = mo_table_column(t, column);
    return c == NULL || c->type.tag == SP_F64 || c->type.tag == SP_F32 || c->type.tag == SP_MISSING;
}

/* Does this one need a rank beside its value? The server puts nulls first when ascending, and NaN before the numbers. */
static bool needs_rank(const struct mo_table *t, const struct sp_order *o)
{
    bool natural = o->nulls == SP_NULLS_DEFAULT || (o->nulls == SP_NULLS_FIRST) == !o->desc;
    return !natural || may_be_nan(t, o->column);
}

static int check_order(const struct mo_table *t, const struct sp_query *q, struct sp_error *err)
{
    for (size_t i = 0; i < q->norder; i++) {
        const struct sp_column *c = mo_table_column(t, q->order[i].column);
        int ret = mo_column_check(t, q->order[i].column, err);
        if (ret != 0)
            return ret;
        if (c != NULL && c->type.tag == SP_BYTES)
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                "order by \"%s\": the server orders octets by their number first, not by their values",
                c->name);
    }
    return 0;
}

/* {$cond: [{$lte: ["$column", null]}, rank of nulls, {$cond: [{$eq: ["$column", NaN]}, 1, 0]}]} */
static bool put_rank(bson_t *out, const char *key, const struct sp_order *o)
{
    struct sp_buf field = SP_BUF_INIT;
    bool first = o->nulls == SP_NULLS_DEFAULT ? !o->desc : o->nulls == SP_NULLS_FIRST;
    int32_t nulls = first == !o->desc ? -1 : 2; /* the rank is ordered in the column's direction */
    sp_buf_printf(&field, "$%s", o->column);
    bson_t *rank = field.oom ? NULL
                             : BCON_NEW("$cond", "[", "{", "$lte", "[", BCON_UTF8(field.p), BCON_NULL, "]",
                                   "}", BCON_INT32(nulls), "{", "$cond", "[", "{", "$eq", "[",
                                   BCON_UTF8(field.p), BCON_DOUBLE((double)__builtin_nan("")), "]", "}",
                                   BCON_INT32(1), BCON_INT32(0), "]", "}", "]");
    bool ok = rank != NULL && BSON_APPEND_DOCUMENT(out, key, rank);
    if (rank != NULL)
        bson_destroy(rank);
    sp_buf_free(&field);
    return ok;
}

static void rank_name(char out[40], size_t i)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_printf(&b, "switchproof_rank_%zu", i);
    (void)sp_strlcpy(out, b.p == NULL ? "" : b.p, 40);
    sp_buf_free(&b);
}

/* ranks: may be NULL, then there are none. */
static bool put_sort(const struct mo_table *t, const struct sp_query *q, bool ranks, bson_t *out)
{
    bool ok = true;
    char name[40];
    for (size_t i = 0; ok && i < q->norder; i++) {
        const struct sp_order *o = &q->order[i];
        if (ranks && needs_rank(t, o)) {
            rank_name(name, i);
            ok = BSON_APPEND_INT32(out, name, o->desc ? -1 : 1);
        }
        if (ok && !bson_has_field(out, o->column)) /* the first mention decides */
            ok = BSON_APPEND_INT32(out, o->column, o->desc ? -1 : 1);
    }
    return ok;
}

static bool put_projection(const struct mo_table *t, const struct sp_query *q, bson_t *out)
{
    bool ok = true;
    for (size_t i = 0; ok && i < q->nselect; i++)
        ok = bson_has_field(out, q->select[i]) || BSON_APPEND_INT32(out, q->select[i], 1);
    if (ok && q->nselect > 0 && !bson_has_field(out, "_id"))
        ok = BSON_APPEND_INT32(out, "_id", 0);
    if (ok && q->nselect == 0 && hidden(t, "_id"))
        ok = BSON_APPEND_INT32(out, "_id", 0);
    return ok;
}

/* ---- read ---- */

static mongoc_cursor_t *plain_find(struct sp_session *s, mongoc_collection_t *c, const struct mo_table *t,
    const struct sp_query *q, const bson_t *where, bson_t *opts, struct sp_error *err)
{
    bson_t sort = BSON_INITIALIZER, projection = BSON_INITIALIZER;
    bool ok = put_sort(t, q, false, &sort) && put_projection(t, q, &projection);
    ok = ok && (bson_empty(&sort) || BSON_APPEND_DOCUMENT(opts, "sort", &sort));
    ok = ok && (bson_empty(&projection) || BSON_APPEND_DOCUMENT(opts, "projection", &projection));
    ok = ok && (q->limit < 0 || BSON_APPEND_INT64(opts, "limit", q->limit));
    ok = ok && (q->offset == 0 || BSON_APPEND_INT64(opts, "skip", q->offset));
    if (ok && !bson_empty(&sort) && s->server.wire >= 9)
        ok = BSON_APPEND_BOOL(opts, "allowDiskUse", true);
    bson_destroy(&sort);
    bson_destroy(&projection);
    if (!ok) {
        (void)mo_bson_full(t->t.name, err);
        return NULL;
    }
    return mongoc_collection_find_with_opts(c, where, opts, NULL);
}

/* With ranks: [{$match}, {$addFields}, {$sort}, {$skip}, {$limit}, {$project}] */
static bool put_stages(const struct mo_table *t, const struct sp_query *q, const bson_t *where, bson_t *out)
{
    bson_t ranks = BSON_INITIALIZER, sort = BSON_INITIALIZER, unset = BSON_INITIALIZER,
           projection = BSON_INITIALIZER;
    bson_t *stage[6] = { BCON_NEW("$match", BCON_DOCUMENT(where)) };
    size_t n = 1;
    char name[40];
    bool ok = put_sort(t, q, true, &sort) && put_projection(t, q, &projection);
    for (size_t i = 0; ok && i < q->norder; i++) {
        if (!needs_rank(t, &q->order[i]))
            continue;
        rank_name(name, i);
        ok = put_rank(&ranks, name, &q->order[i]) && BSON_APPEND_INT32(&unset, name, 0);
    }
    stage[n++] = BCON_NEW("$addFields", BCON_DOCUMENT(&ranks));
    stage[n++] = BCON_NEW("$sort", BCON_DOCUMENT(&sort));
    if (q->offset > 0)
        stage[n++] = BCON_NEW("$skip", BCON_INT64(q->offset));
    if (q->limit > 0)
        stage[n++] = BCON_NEW("$limit", BCON_INT64(q->limit));
    /* Either what is wanted, or all but what is not. */
    if (q->nselect == 0)
        ok = ok && bson_concat(&unset, &projection);
    stage[n++] = BCON_NEW("$project", BCON_DOCUMENT(q->nselect == 0 ? &unset : &projection));
    for (uint32_t i = 0; i < n; i++) {
        char buf[16];
        const char *k;
        (void)bson_uint32_to_string(i, &k, buf, sizeof buf);
        ok = ok && stage[i] != NULL && BSON_APPEND_DOCUMENT(out, k, stage[i]);
        if (stage[i] != NULL)
            bson_destroy(stage[i]);
    }
    bson_destroy(&ranks);
    bson_destroy(&sort);
    bson_destroy(&unset);
    bson_destroy(&projection);
    return ok;
}

static mongoc_cursor_t *ranked_find(mongoc_collection_t *c, const struct mo_table *t,
    const struct sp_query *q, const bson_t *where, bson_t *opts, struct sp_error *err)
{
    bson_t pipeline = BSON_INITIALIZER;
    mongoc_cursor_t *cursor = NULL;
    if (put_stages(t, q, where, &pipeline) && BSON_APPEND_BOOL(opts, "allowDiskUse", true))
        cursor = mongoc_collection_aggregate(c, MONGOC_QUERY_NONE, &pipeline, opts, NULL);
    else
        (void)mo_bson_full(t->t.name, err);
    bson_destroy(&pipeline);
    return cursor;
}

static int check_query(const struct mo_table *t, const struct sp_query *q, struct sp_error *err)
{
    int ret = check_order(t, q, err);
    for (size_t i = 0; ret == 0 && i < q->nselect; i++)
        ret = mo_column_check(t, q->select[i], err);
    return ret;
}

int mo_read(struct sp_session *s, const struct sp_query *q, struct sp_result *out, struct sp_error *err)
{
    bson_t where = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    const struct mo_table *t;
    struct docs none = { .n = 0 };
    bool ranked = false;
    int ret = mo_table_find(s, NULL, q->table, &t, err);
    if (ret == 0)
        ret = check_query(t, q, err);
    if (ret == 0)
        ret = mo_filter(t, q->where, &where, err);
    if (ret == 0)
        ret = mo_opts(s, &opts, true, err);
    for (size_t i = 0; ret == 0 && i < q->norder; i++)
        ranked = ranked || needs_rank(t, &q->order[i]);
    if (ret == 0 && q->limit == 0) {
        ret = rows_of(t, q->select, q->nselect, &none, out, err);
    } else if (ret == 0) {
        mongoc_collection_t *c = mongoc_client_get_collection(s->client, t->db, t->t.name);
        mongoc_cursor_t *cursor =
            ranked ? ranked_find(c, t, q, &where, &opts, err) : plain_find(s, c, t, q, &where, &opts, err);
        ret = cursor == NULL ? -SP_E_NOMEM : mo_rows(s, t, q->select, q->nselect, cursor, out, err);
        mongoc_collection_destroy(c);
    }
    bson_destroy(&where);
    bson_destroy(&opts);
    if (ret == 0 && out != NULL)
        out->affected = -1;
    return ret;
}

/* ---- count ---- */

int mo_count(struct sp_session *s, const struct sp_query *q, int64_t *n, struct sp_error *err)
{
    bson_t where = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    const struct mo_table *t;
    const bson_t *doc;
    bson_iter_t it;
    *n = 0;
    int ret = mo_table_find(s, NULL, q->table, &t, err);
    if (ret == 0)
        ret = mo_filter(t, q->where, &where, err);
    if (ret == 0)
        ret = mo_opts(s, &opts, true, err);
    bson_t *pipeline = ret != 0 ? NULL
                                : BCON_NEW("0", "{", "$match", BCON_DOCUMENT(&where), "}", "1", "{", "$count",
                                      BCON_UTF8("n"), "}");
    if (ret == 0 && pipeline == NULL)
        ret = sp_nomem(err);
    if (ret == 0) {
        mongoc_collection_t *c = mongoc_client_get_collection(s->client, t->db, t->t.name);
        mongoc_cursor_t *cursor = mongoc_collection_aggregate(c, MONGOC_QUERY_NONE, pipeline, &opts, NULL);
        while (mongoc_cursor_next(cursor, &doc))
            if (bson_iter_init_find(&it, doc, "n") && BSON_ITER_HOLDS_NUMBER(&it))
                *n = bson_iter_as_int64(&it); /* nothing to count: no document */
        ret = mo_cursor_error(s, cursor, "count", err);
        mongoc_cursor_destroy(cursor);
        mongoc_collection_destroy(c);
    }
    if (pipeline != NULL)
        bson_destroy(pipeline);
    bson_destroy(&where);
    bson_destroy(&opts);
    return ret;
}

/* The collection's own counter: at once, outside of any snapshot, mostly right. Of a view the server would read all. */
int mo_volume(
    struct sp_session *s, const char *ns, const char *table, struct sp_volume *out, struct sp_error *err)
{
    const struct mo_table *t;
    bson_iter_t it;
    bson_t reply;
    mo_begin_statement(s);
    int ret = mo_table_find(s, ns, table, &t, err);
    if (ret != 0 || t->view)
        return ret;
    bson_t *cmd = BCON_NEW("count", BCON_UTF8(t->t.name));
    if (cmd == NULL)
        return sp_nomem(err);
    ret = mo_command(s, t->db, cmd, MO_PLAIN, "count", &reply, err);
    if (ret == 0 && bson_iter_init_find(&it, &reply, "n") && BSON_ITER_HOLDS_NUMBER(&it))
        out->rows = bson_iter_as_int64(&it);
    bson_destroy(&reply);
    bson_destroy(cmd);
    return ret;
}
