/* load.c -- bulk load: documents in large inserts.
 *
 * All or nothing: a load that fits one batch is written at its end, in a transaction where the server has them. A
 * longer one would outlive a transaction: it is written batch by batch, remembers the _id of every document that the
 * server confirmed, and takes these away again if it fails or is given up. Others see its documents before the end. */
#include <stdlib.h>
#include <string.h>

#include "providers/mongodb/internal.h"

#define DOCS_AT_ONCE  2000
#define BYTES_AT_ONCE (12 * 1024 * 1024)

struct sp_load {
    struct sp_session *s;
    struct mo_table t; /* a copy: other calls forget theirs */
    struct sp_arena names, scratch;
    const char **columns;
    size_t ncolumns;
    bool has_id;  /* among the columns */
    bson_t extra; /* undeclared fields of the next row */
    bson_t list;  /* documents that wait */
    struct sp_buf waiting_ids,
        ids; /* {"": id} one behind the other: of the waiting documents, of those confirmed */
    uint32_t nwaiting;
    uint64_t rows, confirmed;
    int failed;   /* first error: nothing can be committed after it */
    bool unknown; /* some documents may be there that nobody confirmed */
};

static void release(struct sp_load *l)
{
    bson_destroy(&l->extra);
    bson_destroy(&l->list);
    sp_buf_free(&l->waiting_ids);
    sp_buf_free(&l->ids);
    sp_arena_free(&l->names);
    sp_arena_free(&l->scratch);
    free(l);
}

/* ---- opening ------------------------------------------------------------------------------------------------ */

static int keep_table(struct sp_load *l, const struct mo_table *t, struct sp_error *err)
{
    l->t = *t;
    l->t.db = sp_arena_str(&l->names, t->db);
    if (l->t.db == NULL || sp_table_copy(&l->names, &l->t.t, &t->t) != 0)
        return sp_nomem(err);
    return 0;
}

static int keep_columns(struct sp_load *l, const char *const *columns, size_t n, struct sp_error *err)
{
    l->columns = sp_arena_array(&l->names, n + 1, sizeof *l->columns);
    l->ncolumns = n;
    for (size_t i = 0; l->columns != NULL && i < n; i++) {
        if (mo_table_column(&l->t, columns[i]) == NULL && !l->t.t.open_fields)
            return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "no column \"%s\" in table \"%s\"",
                columns[i], l->t.t.name);
        l->columns[i] = sp_arena_str(&l->names, columns[i]);
        if (l->columns[i] == NULL)
            return sp_nomem(err);
        l->has_id = l->has_id || strcmp(columns[i], "_id") == 0;
    }
    return l->columns == NULL ? sp_nomem(err) : 0;
}

int mo_load_open(struct sp_session *s, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **out, struct sp_error *err)
{
    const struct mo_table *t;
    *out = NULL;
    mo_begin_statement(s);
    int rc = mo_ready(s, err);
    if (rc == 0)
        rc = mo_writable(s, err);
    if (rc == 0)
        rc = mo_table_find(s, NULL, table, &t, err);
    if (rc == 0 && t->view)
        rc = sp_fail(
            err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "\"%s\" is a view, it cannot be written", table);
    struct sp_load *l = rc == 0 ? calloc(1, sizeof *l) : NULL;
    if (l == NULL)
        return rc != 0 ? rc : sp_nomem(err);
    l->s = s;
    bson_init(&l->extra);
    bson_init(&l->list);
    rc = keep_table(l, t, err);
    if (rc == 0)
        rc = keep_columns(l, columns, ncolumns, err);
    if (rc != 0)
        release(l);
    else
        *out = l;
    return rc;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

/* Remembers the first n of the waiting ids. */
static int keep_ids(struct sp_load *l, uint64_t n, struct sp_error *err)
{
    size_t at = 0;
    for (; n > 0 && at < l->waiting_ids.n; n--) {
        uint32_t length;
        memcpy(&length, l->waiting_ids.p + at, 4);
        at += le32toh(length);
    }
    return sp_buf_put(&l->ids, l->waiting_ids.p, at) != 0 ? sp_nomem(err) : 0;
}

static int insert(struct sp_session *s, void *payload, struct sp_error *err)
{
    struct sp_load *l = payload;
    bson_t cmd = BSON_INITIALIZER, reply;
    bson_iter_t it;
    uint64_t n = 0;
    bool ok = BSON_APPEND_UTF8(&cmd, "insert", l->t.t.name) && BSON_APPEND_BOOL(&cmd, "ordered", true) &&
              BSON_APPEND_ARRAY(&cmd, "documents", &l->list);
    if (!ok) {
        bson_destroy(&cmd);
        return mo_bson_full(l->t.t.name, err);
    }
    int rc = mo_command(s, l->t.db, &cmd, MO_WRITE, "load", &reply, err);
    if (bson_iter_init_find(&it, &reply, "n") && BSON_ITER_HOLDS_NUMBER(&it))
        n = (uint64_t)bson_iter_as_int64(&it);
    if (rc == 0)
        rc = mo_write_error(s, &reply, "load", err);
    if (rc == 0 && n != l->nwaiting)
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "load into %s: the server says it took %llu of %u documents", l->t.t.name, (unsigned long long)n,
            l->nwaiting);
    bson_destroy(&reply);
    bson_destroy(&cmd);
    l->confirmed += n;
    int kept = keep_ids(l, n, rc == 0 ? err : NULL);
    return rc != 0 ? rc : kept;
}

/* A server that is interrupted, or out of time, ends a list of inserts where it stands and says of none of them that it was
 * made; a client that is interrupted does not hear it. */
static bool may_be_there(const struct sp_load *l, int rc, bool whole, const struct sp_error *err)
{
    if (rc == -SP_E_OUTCOME_UNKNOWN)
        return true;
    if (whole || l->s->cs != NULL) /* undone, but for a commit that nobody answered */
        return err != NULL && err->code != SP_E_OK && err->effect == SP_EFFECT_UNKNOWN;
    return rc == -SP_E_CANCELLED || rc == -SP_E_TIMEOUT;
}

static int flush(struct sp_load *l, bool last, struct sp_error *err)
{
    struct sp_session *s = l->s;
    uint64_t before = l->confirmed;
    size_t ids = l->ids.n;
    if (l->nwaiting == 0)
        return 0;
    mo_begin_statement(s);
    bool whole = last && before == 0 && l->nwaiting > 1 && s->cs == NULL && mo_has_txn(s);
    int rc = mo_ready(s, err);
    if (rc == 0)
        rc = whole ? mo_atomically(s, insert, l, err) : insert(s, l, err);
    l->unknown = l->unknown || may_be_there(l, rc, whole, err);
    if (whole && rc != 0 && rc != -SP_E_OUTCOME_UNKNOWN) { /* the server undid it */
        l->confirmed = before;
        l->ids.n = ids;
    }
    if (whole && rc == 0) /* tries that were repeated counted, too */
        l->confirmed = before + l->nwaiting;
    bson_reinit(&l->list);
    sp_buf_clear(&l->waiting_ids);
    l->nwaiting = 0;
    return rc;
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

static int put(
    struct sp_load *l, bson_t *doc, const char *name, const struct sp_value *v, struct sp_error *err)
{
    const struct sp_column *c = mo_table_column(&l->t, name);
    const struct sp_value null = sp_v_null();
    struct sp_value fit;
    if (v->tag == SP_MISSING && (l->t.t.open_fields || c == NULL))
        return 0;
    if (v->tag == SP_MISSING)
        v = &null;
    fit = *v;
    int rc = c == NULL ? 0 : mo_fit(&l->scratch, &c->type, v, &fit, err);
    if (rc == 0)
        rc = mo_value_put(doc, name, c != NULL && fit.tag == c->type.tag ? &c->type : NULL, &fit, err);
    return rc == 0 ? 0 : sp_error_prefix(err, "%s.%s", l->t.t.name, name);
}

/* ncolumns = none of them. */
static size_t column_at(const struct sp_load *l, const char *name)
{
    size_t i = 0;
    while (i < l->ncolumns && strcmp(l->columns[i], name) != 0)
        i++;
    return i;
}

static int put_id(struct sp_load *l, bson_t *doc, const struct sp_value *row, struct sp_error *err)
{
    const struct sp_value *id = l->has_id ? &row[column_at(l, "_id")] : NULL;
    bson_t key = BSON_INITIALIZER;
    bson_iter_t it;
    bson_oid_t oid;
    int rc = 0;
    if (id != NULL && id->tag != SP_MISSING) {
        rc = put(l, doc, "_id", id, err);
    } else {
        bson_oid_init(&oid, NULL);
        rc = BSON_APPEND_OID(doc, "_id", &oid) ? 0 : mo_bson_full("_id", err);
    }
    if (rc == 0 && !(bson_iter_init_find(&it, doc, "_id") && bson_append_iter(&key, "", 0, &it)))
        rc = mo_bson_full("_id", err);
    if (rc == 0 && sp_buf_put(&l->waiting_ids, bson_get_data(&key), key.len) != 0)
        rc = sp_nomem(err);
    bson_destroy(&key);
    return rc;
}

static int document(struct sp_load *l, bson_t *doc, const struct sp_value *row, struct sp_error *err)
{
    const struct sp_value missing = sp_v_missing();
    int rc = put_id(l, doc, row, err);
    for (size_t i = 0; rc == 0 && i < l->ncolumns; i++)
        if (strcmp(l->columns[i], "_id") != 0)
            rc = put(l, doc, l->columns[i], &row[i], err);
    for (size_t i = 0; rc == 0 && !l->t.t.open_fields && i < l->t.t.ncolumns; i++)
        if (column_at(l, l->t.t.columns[i].name) == l->ncolumns && strcmp(l->t.t.columns[i].name, "_id") != 0)
            rc = put(l, doc, l->t.t.columns[i].name, &missing, err);
    if (rc == 0 && !bson_concat(doc, &l->extra))
        rc = mo_bson_full(l->t.t.name, err);
    if (rc == 0 && (int64_t)doc->len > l->s->server.max_document)
        rc = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
            "table %s: a document of %u bytes; the server takes at most %lld", l->t.t.name,
            (unsigned)doc->len, (long long)l->s->server.max_document);
    return rc;
}

static int add(struct sp_load *l, const bson_t *doc, struct sp_error *err)
{
    char digits[16];
    const char *name;
    bson_uint32_to_string(l->nwaiting, &name, digits, sizeof digits);
    if (!BSON_APPEND_DOCUMENT(&l->list, name, doc))
        return mo_bson_full(l->t.t.name, err);
    l->nwaiting++;
    return 0;
}

int mo_load_row(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    bson_t doc = BSON_INITIALIZER;
    size_t ids = l->waiting_ids.n;
    if (l->failed != 0) {
        bson_destroy(&doc);
        return sp_invalid(err, "the load failed before; close it without commit");
    }
    sp_arena_reset(&l->scratch);
    int rc = document(l, &doc, row, err);
    if (rc == 0 && l->nwaiting != 0 &&
        (l->nwaiting == DOCS_AT_ONCE || l->list.len + doc.len > BYTES_AT_ONCE)) {
        struct sp_buf id = SP_BUF_INIT; /* the new document waits for the next batch */
        rc = sp_buf_put(&id, l->waiting_ids.p + ids, l->waiting_ids.n - ids) != 0 ? sp_nomem(err) : 0;
        l->waiting_ids.n = ids;
        if (rc == 0)
            rc = flush(l, false, err);
        if (rc == 0 && sp_buf_put(&l->waiting_ids, id.p, id.n) != 0)
            rc = sp_nomem(err);
        sp_buf_free(&id);
    }
    if (rc == 0)
        rc = add(l, &doc, err);
    bson_destroy(&doc);
    bson_reinit(&l->extra);
    if (rc != 0) {
        l->failed = rc;
        return sp_error_prefix(err, "row %llu", (unsigned long long)l->rows + 1);
    }
    l->rows++;
    return 0;
}

int mo_load_extra(struct sp_load *l, const char *name, const struct sp_value *v, struct sp_error *err)
{
    if (!l->t.t.open_fields || mo_table_column(&l->t, name) != NULL || column_at(l, name) < l->ncolumns)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "table \"%s\" takes no undeclared field \"%s\"",
            l->t.t.name, name);
    if (bson_has_field(&l->extra, name) && strchr(name, '.') == NULL)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "field \"%s\" is given twice", name);
    return mo_value_put(&l->extra, name, NULL, v, err);
}

/* ---- the end ------------------------------------------------------------------------------------------------ */

static int delete_some(struct sp_load *l, size_t *at, struct sp_error *err)
{
    bson_t cmd = BSON_INITIALIZER, deletes, one, q, id, in, reply;
    char digits[16];
    const char *name;
    bool ok = BSON_APPEND_UTF8(&cmd, "delete", l->t.t.name) &&
              BSON_APPEND_ARRAY_BEGIN(&cmd, "deletes", &deletes) &&
              BSON_APPEND_DOCUMENT_BEGIN(&deletes, "0", &one) && BSON_APPEND_DOCUMENT_BEGIN(&one, "q", &q) &&
              BSON_APPEND_DOCUMENT_BEGIN(&q, "_id", &id) && BSON_APPEND_ARRAY_BEGIN(&id, "$in", &in);
    for (uint32_t i = 0; ok && i < 10000 && *at < l->ids.n && in.len < BYTES_AT_ONCE / 2; i++) {
        uint32_t length;
        bson_t key;
        bson_iter_t it;
        memcpy(&length, l->ids.p + *at, 4);
        length = le32toh(length);
        bson_uint32_to_string(i, &name, digits, sizeof digits);
        ok = bson_init_static(&key, (const uint8_t *)l->ids.p + *at, length) && bson_iter_init(&it, &key) &&
             bson_iter_next(&it) && bson_append_iter(&in, name, -1, &it);
        *at += length;
    }
    ok = ok && bson_append_array_end(&id, &in) && bson_append_document_end(&q, &id) &&
         bson_append_document_end(&one, &q) && BSON_APPEND_INT32(&one, "limit", 0) &&
         bson_append_document_end(&deletes, &one) && bson_append_array_end(&cmd, &deletes);
    mo_begin_statement(l->s);
    int rc = ok ? mo_command(l->s, l->t.db, &cmd, MO_WRITE, "undoing the load", &reply, err) : sp_nomem(err);
    if (rc == 0)
        rc = mo_write_error(l->s, &reply, "undoing the load", err);
    if (ok)
        bson_destroy(&reply);
    bson_destroy(&cmd);
    return rc;
}

/* A lost transaction has taken the documents with it. */
static int undo(struct sp_load *l, struct sp_error *err)
{
    struct sp_error why = SP_ERROR_INIT;
    int rc = 0;
    if (l->s->in_txn && l->s->txn_lost != SP_E_OK)
        return 0;
    for (size_t at = 0; rc == 0 && at < l->ids.n;)
        rc = delete_some(l, &at, &why);
    if (rc != 0) {
        rc = sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_BACKEND,
            "of %llu documents that the load had written into %s, some could not be removed again: %s",
            (unsigned long long)l->confirmed, l->t.t.name, sp_error_text(&why));
    } else if (l->unknown) {
        rc = sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_BACKEND,
            "no answer came while documents were written into %s: some of the last %d may be there",
            l->t.t.name, DOCS_AT_ONCE);
    }
    if (rc != 0 && err != NULL)
        err->effect = SP_EFFECT_UNKNOWN;
    sp_error_clear(&why);
    return rc;
}

int mo_load_close(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    int rc = 0;
    bool keep = commit && l->failed == 0;
    if (keep)
        rc = flush(l, true, err);
    if (commit && l->failed != 0)
        rc = sp_fail(err, (enum sp_code) - l->failed, SP_ORIGIN_BACKEND,
            "the load failed before; nothing was committed");
    if (!keep || rc != 0) {
        struct sp_error why = SP_ERROR_INIT;
        int undone = undo(l, &why);
        if (undone != 0) {
            rc = undone;
            if (err != NULL)
                sp_error_move(err, &why);
        }
        sp_error_clear(&why);
    }
    if (loaded != NULL)
        *loaded = keep && rc == 0 ? l->confirmed : 0;
    release(l);
    return rc;
}
