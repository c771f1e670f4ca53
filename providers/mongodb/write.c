/* write.c -- create, upsert, update, delete. What touches more than one document is a transaction where the server has them:
 * without one, a refusal in the middle leaves half of it done, and the error says so. */
#include <stdlib.h>
#include <string.h>

#include "providers/mongodb/internal.h"

#define DOCS_AT_ONCE  1000
#define BYTES_AT_ONCE (12 * 1024 * 1024)

int mo_writable(struct sp_session *s, struct sp_error *err)
{
    return s->read_only ? sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND,
                              "this session was opened for reading only (%s)", s->where)
                        : 0;
}

struct work {
    const struct sp_op *op;
    const struct mo_table *t;
    bson_t **docs; /* create: documents; update, delete with returning: those selected */
    size_t ndocs, cap;
    struct sp_result *out;
    int64_t affected;
};

static void work_free(struct work *w)
{
    for (size_t i = 0; i < w->ndocs; i++)
        bson_destroy(w->docs[i]);
    free(w->docs);
}

static int work_add(struct work *w, bson_t *doc, struct sp_error *err)
{
    if (w->ndocs == w->cap) {
        size_t cap = w->cap == 0 ? 16 : w->cap * 2;
        bson_t **v = realloc(w->docs, cap * sizeof(bson_t *));
        if (v == NULL)
            return sp_nomem(err);
        w->docs = v;
        w->cap = cap;
    }
    w->docs[w->ndocs++] = doc;
    return 0;
}

/* ---- values ---- */

static int put_value(const struct mo_table *t, bson_t *doc, const char *name, const struct sp_value *v,
    struct sp_arena *a, struct sp_error *err)
{
    const struct sp_column *c = mo_table_column(t, name);
    struct sp_value fit = *v;
    int ret = c == NULL ? mo_column_check(t, name, err) : mo_fit(a, &c->type, v, &fit, err);
    if (ret == 0 && c != NULL)
        /* What is no integer goes by its own type; the validator refuses it. */
        ret = mo_value_put(doc, name, fit.tag == c->type.tag ? &c->type : NULL, &fit, err);
    else if (ret == 0)
        ret = mo_value_put(doc, name, NULL, &fit, err);
    return ret == 0 ? 0 : sp_error_prefix(err, "%s.%s", t->t.name, name);
}

static const struct sp_value *value_of(const struct sp_op *op, const struct sp_value *row, const char *name)
{
    for (size_t i = 0; i < op->nfields; i++)
        if (strcmp(op->fields[i], name) == 0)
            return &row[i];
    return NULL;
}

/* The fields of a row in the order of the table, then the others; a column that was left out is null, or missing in
 * an open table. `skip` names the columns that are not wanted. */
static int put_fields(const struct work *w, const struct sp_value *row, bool fill, const char *const *skip,
    size_t nskip, bson_t *doc, struct sp_error *err)
{
    const struct mo_table *t = w->t;
    const struct sp_value null = sp_v_null();
    struct sp_arena a = SP_ARENA_INIT;
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < t->t.ncolumns + w->op->nfields; i++) {
        bool declared = i < t->t.ncolumns, skipped = false;
        const char *name = declared ? t->t.columns[i].name : w->op->fields[i - t->t.ncolumns];
        if (!declared && mo_table_column(t, name) != NULL)
            continue;
        for (size_t k = 0; k < nskip; k++)
            skipped = skipped || strcmp(skip[k], name) == 0;
        const struct sp_value *v = skipped ? NULL : value_of(w->op, row, name);
        bool left_out = v == NULL || v->tag == SP_MISSING;
        if (skipped || (left_out && !(declared && fill && !t->t.open_fields)))
            continue;
        ret = put_value(t, doc, name, left_out ? &null : v, &a, err);
    }
    sp_arena_free(&a);
    return ret;
}

static int check_fields(const struct work *w, struct sp_error *err)
{
    int ret = 0;
    if (w->t->view)
        return sp_fail(
            err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "\"%s\" is a view, it cannot be written", w->t->t.name);
    for (size_t i = 0; ret == 0 && i < w->op->nfields; i++)
        ret = mo_column_check(w->t, w->op->fields[i], err);
    for (size_t i = 0; ret == 0 && i < w->op->query.nselect; i++)
        ret = mo_column_check(w->t, w->op->query.select[i], err);
    return ret;
}

static int check_size(
    const struct sp_session *s, const struct mo_table *t, const bson_t *doc, struct sp_error *err)
{
    return (int64_t)doc->len > s->server.max_document
               ? sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
                     "table \"%s\": a document of %u bytes; the server takes at most %lld", t->t.name,
                     (unsigned)doc->len, (long long)s->server.max_document)
               : 0;
}

/* ---- commands ---- */

static int64_t number_of(const bson_t *reply, const char *key)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, reply, key) && BSON_ITER_HOLDS_NUMBER(&it) ? bson_iter_as_int64(&it) : 0;
}

/* One command with a list of statements; *n receives how many rows it counts, also when it was refused. */
static int run(struct sp_session *s, const struct mo_table *t, const char *command, const char *list_name,
    const bson_t *list, int64_t *n, bson_t *reply, struct sp_error *err)
{
    bson_t cmd = BSON_INITIALIZER;
    bool ok = BSON_APPEND_UTF8(&cmd, command, t->t.name) && BSON_APPEND_BOOL(&cmd, "ordered", true) &&
              BSON_APPEND_ARRAY(&cmd, list_name, list);
    *n = 0;
    if (!ok) {
        bson_init(reply);
        bson_destroy(&cmd);
        return mo_bson_full(t->t.name, err);
    }
    int ret = mo_command(s, t->db, &cmd, MO_WRITE, command, reply, err);
    *n = number_of(reply, "n");
    s->uncertain = s->cs == NULL;
    if (ret == 0)
        ret = mo_write_error(s, reply, command, err);
    s->uncertain = false;
    bson_destroy(&cmd);
    return ret;
}

static bool put_item(bson_t *list, uint32_t i, const bson_t *doc)
{
    char buf[16];
    const char *k;
    (void)bson_uint32_to_string(i, &k, buf, sizeof buf);
    return BSON_APPEND_DOCUMENT(list, k, doc);
}

/* What a refused write of several rows has done: nothing, if it can be undone; else what it says. A server that was stopped
 * or ran out of time says nothing of the rows that were written before. */
static void tell_effect(const struct sp_session *s, int64_t done, struct sp_error *err)
{
    if (err == NULL || s->cs != NULL || err->effect != SP_EFFECT_NONE)
        return;
    if (err->code == SP_E_TIMEOUT || err->code == SP_E_CANCELLED)
        err->effect = SP_EFFECT_UNKNOWN;
    else if (done > 0)
        err->effect = SP_EFFECT_APPLIED;
}

/* ---- create ---- */

static int draft(struct sp_session *s, struct work *w, const struct sp_value *row, struct sp_error *err)
{
    bson_t *doc = bson_new();
    if (doc == NULL)
        return sp_nomem(err);
    int ret = work_add(w, doc, err);
    if (ret != 0) {
        bson_destroy(doc);
        return ret;
    }
    const struct sp_value *id = value_of(w->op, row, "_id");
    bson_oid_t oid;
    bson_oid_init(&oid, NULL);
    if ((id == NULL || id->tag == SP_MISSING) && !BSON_APPEND_OID(doc, "_id", &oid))
        return mo_bson_full(w->t->t.name, err);
    static const char *const address[] = { "_id" };
    ret = put_fields(w, row, true, address, id == NULL || id->tag == SP_MISSING ? 1 : 0, doc, err);
    return ret == 0 ? check_size(s, w->t, doc, err) : ret;
}

static int insert_all(struct sp_session *s, void *payload, struct sp_error *err)
{
    struct work *w = payload;
    int ret = 0;
    w->affected = 0;
    for (size_t at = 0; ret == 0 && at < w->ndocs;) {
        bson_t list = BSON_INITIALIZER, reply;
        uint32_t n = 0;
        int64_t done = 0;
        size_t bytes = 0;
        bool ok = true;
        while (ok && at < w->ndocs && n < DOCS_AT_ONCE &&
               (n == 0 || bytes + w->docs[at]->len <= BYTES_AT_ONCE)) {
            bytes += w->docs[at]->len;
            ok = put_item(&list, n++, w->docs[at++]);
        }
        if (ok) {
            ret = run(s, w->t, "insert", "documents", &list, &done, &reply, err);
            bson_destroy(&reply);
        } else {
            ret = mo_bson_full(w->t->t.name, err);
        }
        w->affected += done;
        bson_destroy(&list);
    }
    if (ret != 0) {
        tell_effect(s, w->affected, err);
        return ret;
    }
    if (w->op->returning && w->out != NULL) {
        sp_result_reset(w->out);
        ret =
            mo_rows_by_id(s, w->t, w->op->query.select, w->op->query.nselect, w->docs, w->ndocs, w->out, err);
    }
    return ret;
}

static int start(struct sp_session *s, struct work *w, struct sp_error *err)
{
    int ret = mo_writable(s, err);
    if (ret == 0 && w->op->returning && !mo_has_txn(s))
        ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "rows can be given back only in a transaction, which a standalone server has not (%s)", s->where);
    if (ret == 0)
        ret = mo_table_find(s, NULL, w->op->query.table, &w->t, err);
    return ret == 0 ? check_fields(w, err) : ret;
}

static int finish(struct work *w, int ret)
{
    if (ret == 0 && w->out != NULL)
        w->out->affected = w->affected;
    work_free(w);
    return ret;
}

/* Only a taken key makes an insert wait; without a time limit that is what was asked for. */
static int insert_one(struct sp_session *s, int (*body)(struct sp_session *, void *, struct sp_error *),
    struct work *w, struct sp_error *err)
{
    return s->statement_ms > 0 ? mo_alone(s, body, w, err) : body(s, w, err);
}

int mo_create(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    struct work w = { .op = op, .out = out };
    int ret = start(s, &w, err);
    for (size_t i = 0; ret == 0 && i < op->nrows; i++) {
        ret = draft(s, &w, op->values == NULL ? NULL : op->values + i * op->nfields, err);
        if (ret != 0 && op->nrows > 1)
            (void)sp_error_prefix(err, "row %zu", i + 1);
    }
    if (ret == 0)
        ret = op->nrows > 1 ? mo_atomically(s, insert_all, &w, err) : insert_one(s, insert_all, &w, err);
    return finish(&w, ret);
}

/* ---- upsert ---- */

static bool same_set(const char *const *a, size_t na, const char *const *b, size_t nb)
{
    size_t found = 0;
    for (size_t i = 0; i < na; i++)
        for (size_t k = 0; k < nb; k++)
            found += strcmp(a[i], b[k]) == 0;
    return na == nb && found == na;
}

/* A key that is not unique would let one row stand for many. */
static int check_key(const struct work *w, struct sp_error *err)
{
    const struct sp_op *op = w->op;
    bool unique = op->nkey == 1 && strcmp(op->key[0], "_id") == 0;
    unique = unique || (w->t->t.npk > 0 && same_set(op->key, op->nkey, w->t->t.pk, w->t->t.npk));
    for (size_t i = 0; i < w->t->t.nuniques; i++)
        unique =
            unique || same_set(op->key, op->nkey, w->t->t.uniques[i].columns, w->t->t.uniques[i].ncolumns);
    if (!unique)
        return sp_invalid(
            err, "the key of the upsert is neither primary key nor unique in table \"%s\"", w->t->t.name);
    for (size_t i = 0; i < op->nkey; i++) {
        bool named = false;
        for (size_t k = 0; k < op->nfields; k++)
            named = named || strcmp(op->key[i], op->fields[k]) == 0;
        if (!named)
            return sp_invalid(err, "the key column \"%s\" of the upsert is not among its fields", op->key[i]);
    }
    return 0;
}

/* {q: {key}, u: {$set: what is given, $setOnInsert: the rest}, upsert: true} */
static int put_upsert(const struct work *w, const struct sp_value *row, bson_t *list, struct sp_error *err)
{
    bson_t q = BSON_INITIALIZER, u = BSON_INITIALIZER, set = BSON_INITIALIZER, rest = BSON_INITIALIZER,
           one = BSON_INITIALIZER;
    const struct sp_value null = sp_v_null();
    struct sp_arena a = SP_ARENA_INIT;
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < w->op->nkey; i++)
        ret = put_value(w->t, &q, w->op->key[i], value_of(w->op, row, w->op->key[i]), &a, err);
    if (ret == 0)
        ret = put_fields(w, row, false, w->op->key, w->op->nkey, &set, err);
    for (size_t i = 0; ret == 0 && !w->t->t.open_fields && i < w->t->t.ncolumns; i++) {
        const char *name = w->t->t.columns[i].name;
        if (!bson_has_field(&set, name) && !bson_has_field(&q, name))
            ret = put_value(w->t, &rest, name, &null, &a, err);
    }
    bool ok = bson_empty(&set) || BSON_APPEND_DOCUMENT(&u, "$set", &set);
    if (ok && bson_empty(&set) && bson_empty(&rest)) /* nothing but the key: written as it is */
        ok = BSON_APPEND_DOCUMENT(&u, "$setOnInsert", &q);
    ok = ok && (bson_empty(&rest) || BSON_APPEND_DOCUMENT(&u, "$setOnInsert", &rest));
    ok = ok && BSON_APPEND_DOCUMENT(&one, "q", &q) && BSON_APPEND_DOCUMENT(&one, "u", &u) &&
         BSON_APPEND_BOOL(&one, "upsert", true) && put_item(list, 0, &one);
    if (ret == 0 && !ok)
        ret = mo_bson_full(w->t->t.name, err);
    bson_destroy(&q);
    bson_destroy(&u);
    bson_destroy(&set);
    bson_destroy(&rest);
    bson_destroy(&one);
    sp_arena_free(&a);
    return ret;
}

static bool null_key(const struct sp_op *op, const struct sp_value *row)
{
    bool found = false;
    for (size_t i = 0; i < op->nkey; i++)
        found = found || sp_v_is_absent(value_of(op, row, op->key[i]));
    return found;
}

/* The row as it is now, by its key. */
static int upserted(
    struct sp_session *s, const struct work *w, const struct sp_value *row, struct sp_error *err)
{
    bson_t q = BSON_INITIALIZER, opts = BSON_INITIALIZER;
    struct sp_arena a = SP_ARENA_INIT;
    int ret = mo_opts(s, &opts, true, err);
    for (size_t i = 0; ret == 0 && i < w->op->nkey; i++)
        ret = put_value(w->t, &q, w->op->key[i], value_of(w->op, row, w->op->key[i]), &a, err);
    if (ret == 0) {
        mongoc_collection_t *c = mongoc_client_get_collection(s->client, w->t->db, w->t->t.name);
        mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, &q, &opts, NULL);
        const char *const *select = w->op->query.nselect > 0 ? w->op->query.select : NULL;
        struct sp_result one = SP_RESULT_INIT;
        ret = mo_rows(s, w->t, select, w->op->query.nselect, cursor, &one, err);
        if (ret == 0 && w->out->ncolumns == 0 && sp_result_columns(w->out, one.columns, one.ncolumns) != 0)
            ret = sp_nomem(err);
        for (size_t i = 0; ret == 0 && i < one.nrows && one.ncolumns == w->out->ncolumns; i++)
            ret = sp_result_add(w->out, one.values + i * one.ncolumns, err);
        sp_result_free(&one);
        mongoc_collection_destroy(c);
    }
    bson_destroy(&q);
    bson_destroy(&opts);
    sp_arena_free(&a);
    return ret;
}

static int upsert_row(struct sp_session *s, struct work *w, const struct sp_value *row, struct sp_error *err)
{
    bson_t list = BSON_INITIALIZER, reply;
    int64_t n = 0;
    int ret;
    if (null_key(w->op, row)) { /* nulls are no duplicates: always a new row */
        size_t at = w->ndocs;
        ret = draft(s, w, row, err);
        if (ret == 0 && !put_item(&list, 0, w->docs[at]))
            ret = mo_bson_full(w->t->t.name, err);
        if (ret == 0) {
            ret = run(s, w->t, "insert", "documents", &list, &n, &reply, err);
            bson_destroy(&reply);
        }
    } else {
        ret = put_upsert(w, row, &list, err);
        if (ret == 0) {
            ret = run(s, w->t, "update", "updates", &list, &n, &reply, err);
            bson_destroy(&reply);
        }
        if (ret == 0 && w->op->returning && w->out != NULL)
            ret = upserted(s, w, row, err);
    }
    w->affected += n;
    bson_destroy(&list);
    return ret;
}

static int upsert_all(struct sp_session *s, void *payload, struct sp_error *err)
{
    struct work *w = payload;
    int ret = 0;
    w->affected = 0;
    if (w->out != NULL)
        sp_result_reset(w->out);
    for (size_t i = 0; ret == 0 && i < w->op->nrows; i++)
        ret = upsert_row(s, w, w->op->values + i * w->op->nfields, err);
    if (ret != 0)
        tell_effect(s, w->affected, err);
    return ret;
}

int mo_upsert(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    struct work w = { .op = op, .out = out };
    int ret = start(s, &w, err);
    if (ret == 0)
        ret = check_key(&w, err);
    if (ret == 0)
        ret = op->nrows > 1 ? mo_atomically(s, upsert_all, &w, err) : insert_one(s, upsert_all, &w, err);
    return finish(&w, ret);
}

/* ---- update, delete ---- */

/* The _ids of the rows that the filter selects, for reading them again afterwards. */
static int select_ids(struct sp_session *s, struct work *w, const bson_t *where, struct sp_error *err)
{
    bson_t opts = BSON_INITIALIZER, only = BSON_INITIALIZER;
    const bson_t *doc;
    int ret = mo_opts(s, &opts, true, err);
    for (size_t i = 0; i < w->ndocs; i++) /* of an attempt before */
        bson_destroy(w->docs[i]);
    w->ndocs = 0;
    if (ret == 0 && !(BSON_APPEND_INT32(&only, "_id", 1) && BSON_APPEND_DOCUMENT(&opts, "projection", &only)))
        ret = mo_bson_full(w->t->t.name, err);
    if (ret == 0) {
        mongoc_collection_t *c = mongoc_client_get_collection(s->client, w->t->db, w->t->t.name);
        mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, where, &opts, NULL);
        while (ret == 0 && mongoc_cursor_next(cursor, &doc)) {
            bson_t *copy = bson_copy(doc);
            ret = copy == NULL ? sp_nomem(err) : work_add(w, copy, err);
        }
        if (ret == 0)
            ret = mo_cursor_error(s, cursor, "read", err);
        mongoc_cursor_destroy(cursor);
        mongoc_collection_destroy(c);
    }
    bson_destroy(&opts);
    bson_destroy(&only);
    return ret;
}

static int returned(struct sp_session *s, struct work *w, struct sp_error *err)
{
    sp_result_reset(w->out);
    return mo_rows_by_id(s, w->t, w->op->query.select, w->op->query.nselect, w->docs, w->ndocs, w->out, err);
}

static int put_update(const struct work *w, const bson_t *where, bson_t *one, struct sp_error *err)
{
    bson_t u = BSON_INITIALIZER, set = BSON_INITIALIZER;
    int ret = put_fields(w, w->op->values, false, NULL, 0, &set, err);
    bool ok = BSON_APPEND_DOCUMENT(&u, "$set", &set) && BSON_APPEND_DOCUMENT(one, "q", where) &&
              BSON_APPEND_DOCUMENT(one, "u", &u) &&
              BSON_APPEND_BOOL(one, "multi", !mo_filter_one(w->t, w->op->query.where));
    bson_destroy(&u);
    bson_destroy(&set);
    return ret != 0 || ok ? ret : mo_bson_full(w->t->t.name, err);
}

static int change_all(struct sp_session *s, void *payload, struct sp_error *err)
{
    struct work *w = payload;
    bool update = w->op->kind == SP_OP_UPDATE, back = w->op->returning && w->out != NULL;
    bson_t where = BSON_INITIALIZER, one = BSON_INITIALIZER, list = BSON_INITIALIZER, reply;
    int ret = mo_filter(w->t, w->op->query.where, &where, err);
    if (ret == 0 && back)
        ret = select_ids(s, w, &where, err);
    if (ret == 0 && back && !update)
        ret = returned(s, w, err);
    if (ret == 0 && update)
        ret = put_update(w, &where, &one, err);
    const int32_t limit =
        mo_filter_one(w->t, w->op->query.where) ? 1 : 0; /* a single one can be repeated safely */
    if (ret == 0 && !update &&
        !(BSON_APPEND_DOCUMENT(&one, "q", &where) && BSON_APPEND_INT32(&one, "limit", limit)))
        ret = mo_bson_full(w->t->t.name, err);
    if (ret == 0 && !put_item(&list, 0, &one))
        ret = mo_bson_full(w->t->t.name, err);
    if (ret == 0) {
        ret = run(s, w->t, update ? "update" : "delete", update ? "updates" : "deletes", &list, &w->affected,
            &reply, err);
        if (ret != 0 && err != NULL && s->cs == NULL && err->effect == SP_EFFECT_NONE &&
            !mo_filter_one(w->t, w->op->query.where)) /* rows before the one that was refused are changed */
            err->effect = SP_EFFECT_UNKNOWN;
        bson_destroy(&reply);
    }
    if (ret == 0 && back && update)
        ret = returned(s, w, err);
    bson_destroy(&where);
    bson_destroy(&one);
    bson_destroy(&list);
    return ret;
}

static bool sets_nothing(const struct sp_op *op)
{
    for (size_t i = 0; i < op->nfields; i++)
        if (op->values[i].tag != SP_MISSING)
            return false;
    return true;
}

static int change(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    struct work w = { .op = op, .out = out };
    bool back = op->returning && out != NULL;
    int ret = start(s, &w, err);
    if (ret == 0 && op->kind == SP_OP_UPDATE && sets_nothing(op))
        ret = mo_count(s, &op->query, &w.affected, err);
    else if (ret == 0)
        ret = back || !mo_filter_one(w.t, op->query.where) ? mo_atomically(s, change_all, &w, err)
                                                           : mo_alone(s, change_all, &w, err);
    return finish(&w, ret);
}

int mo_update(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    return change(s, op, out, err);
}

int mo_delete(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    return change(s, op, out, err);
}
