/* scan.c -- a full-speed pass: one cursor over the collection, whose documents are pushed as they come.
 *
 * The server confirms the end: the cursor is exhausted, and a count says how many documents there are. In a snapshot
 * the count is of the same state; without one the collection is counted before and after, and a scan of a collection
 * that changed its size meanwhile fails. Documents that are exchanged in that time can't be seen: for that there are
 * snapshots. */
#include <stdlib.h>
#include <string.h>

#include "providers/mongodb/internal.h"

#define BATCH_DOCUMENTS 5000 /* the server ends a batch at 16 MiB */

struct field { /* a planned column */
    const char *name;
    size_t n;
    const struct sp_type *type; /* as declared, or NULL */
    bool text;                  /* strings need no look at the type */
    size_t first;               /* the first planned column of that name: a plan may ask for one twice */
    bson_iter_t at;
    bool there;
};
struct pass {
    struct sp_session *s;
    const struct sp_scan *scan;
    const struct mo_table *t;
    struct sp_rowbuf *rb;
    struct field *fields;
    size_t distinct; /* names among them */
    bool hide_id;    /* _id belongs to the address */
    bool whole;      /* every column that a table without open fields has is asked for */
    struct sp_arena scratch;
    uint64_t rows;
    struct sp_error *err;
};

/* ---- one document ------------------------------------------------------------------------------------------- */

static int push(struct pass *p, const bson_iter_t *it, const struct field *f, const char *extra)
{
    struct sp_value v;
    uint32_t n;
    if (extra == NULL && f->text && BSON_ITER_HOLDS_UTF8(it)) {
        const char *s = bson_iter_utf8(it, &n);
        return sp_put_text(p->rb, s, n); /* looks at its UTF-8 */
    }
    if (extra == NULL && BSON_ITER_HOLDS_INT64(it))
        return sp_put_int(p->rb, bson_iter_int64(it));
    sp_arena_reset(&p->scratch);
    int rc = mo_value_get(
        &p->scratch, it, p->scan->as_stored ? MO_STORED : MO_LOGICAL, f == NULL ? NULL : f->type, &v, p->err);
    if (rc != 0)
        return rc;
    return extra != NULL ? sp_put_extra(p->rb, extra, &v) : sp_put_value(p->rb, &v);
}

/* Documents of one collection mostly have their fields in one order: the next name is looked for behind the last. */
static struct field *planned(struct pass *p, const bson_iter_t *it, size_t *hint)
{
    const char *name = bson_iter_key(it);
    size_t n = bson_iter_key_len(it);
    for (size_t i = 0; i < p->scan->ncols; i++) {
        size_t k = *hint + i < p->scan->ncols ? *hint + i : *hint + i - p->scan->ncols;
        if (p->fields[k].n == n && memcmp(p->fields[k].name, name, n) == 0) {
            *hint = k + 1 < p->scan->ncols ? k + 1 : 0;
            return &p->fields[p->fields[k].first];
        }
    }
    return NULL;
}

static int push_extras(struct pass *p, const bson_t *doc)
{
    bson_iter_t it;
    size_t hint = 0;
    int rc = bson_iter_init(&it, doc) ? 0 : mo_corrupt("scan", p->err);
    while (rc == 0 && bson_iter_next(&it)) {
        const char *name = bson_iter_key(&it);
        if (planned(p, &it, &hint) == NULL && !(p->hide_id && strcmp(name, "_id") == 0))
            rc = push(p, &it, NULL, name);
    }
    return rc;
}

/* What a validator forbids may be there all the same: written before it, or past it. Left out in silence, it would be neither
 * compared nor copied. */
static int stranger(const struct pass *p, const char *name)
{
    return sp_fail(p->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
        "the field \"%s\" is there, which the table does not declare: remove it, or drop the table's "
        "validator",
        name);
}

static int document(struct pass *p, const bson_t *doc)
{
    bson_iter_t it;
    size_t hint = 0, found = 0;
    int rc = mo_doc_check(doc, p->err);
    if (rc != 0)
        return rc;
    for (size_t i = 0; i < p->scan->ncols; i++)
        p->fields[i].there = false;
    if (!bson_iter_init(&it, doc))
        return mo_corrupt("scan", p->err);
    while ((found < p->distinct || p->whole) && bson_iter_next(&it)) {
        struct field *f = planned(p, &it, &hint);
        if (f == NULL && p->whole && !(p->hide_id && strcmp(bson_iter_key(&it), "_id") == 0))
            return stranger(p, bson_iter_key(&it));
        if (f != NULL) {
            f->at = it;
            f->there = true;
            found++;
        }
    }
    for (size_t i = 0; rc == 0 && i < p->scan->ncols; i++) {
        struct field *f = &p->fields[p->fields[i].first];
        if (f->there && BSON_ITER_HOLDS_NULL(&f->at))
            rc = sp_put_null(p->rb);
        else if (f->there)
            rc = push(p, &f->at, f, NULL);
        else
            rc = sp_put_value(p->rb, &(struct sp_value){ .tag = SP_MISSING });
    }
    if (rc == 0 && p->scan->residual)
        rc = push_extras(p, doc);
    return rc == 0 ? sp_row_end(p->rb) : rc;
}

/* Which document it was: its _id, without which nobody finds it. */
static int document_error(struct pass *p, const bson_t *doc, int rc)
{
    const struct sp_error *e = sp_rowbuf_error(p->rb);
    if (e->code != SP_E_OK)
        return sp_fail(p->err, e->code, e->origin, "%s", sp_error_text(e));
    if (p->err == NULL || p->err->code == SP_E_OK)
        return rc == -SP_E_NOMEM
                   ? sp_nomem(p->err)
                   : sp_fail(p->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "scan stopped by its receiver");
    struct sp_buf id = SP_BUF_INIT;
    bson_iter_t it;
    if (bson_iter_init_find(&it, doc, "_id")) {
        bool plain = BSON_ITER_HOLDS_OID(&it) || BSON_ITER_HOLDS_INT32(&it) || BSON_ITER_HOLDS_INT64(&it);
        if (!plain || mo_scalar_text(&id, &it, NULL) != 0)
            sp_buf_clear(&id);
    }
    sp_error_prefix(p->err, "collection %s, document %llu%s%s", p->t->t.name, (unsigned long long)p->rows + 1,
        id.n != 0 ? ", _id " : "", id.n != 0 ? id.p : "");
    sp_buf_free(&id);
    return rc;
}

/* ---- the cursor --------------------------------------------------------------------------------------------- */

/* Only what is asked for travels, if its name can be said in a projection. */
static bool project(struct pass *p, bson_t *opts)
{
    bson_t names;
    bool id = false;
    for (size_t i = 0; i < p->scan->ncols; i++)
        if (p->fields[i].name[0] == '$' || strchr(p->fields[i].name, '.') != NULL || p->fields[i].n == 0)
            return true;
    if (p->scan->residual || p->scan->ncols == 0 || p->whole)
        return true;
    bool ok = BSON_APPEND_DOCUMENT_BEGIN(opts, "projection", &names);
    for (size_t i = 0; ok && i < p->scan->ncols; i++) {
        if (p->fields[i].first != i)
            continue;
        id = id || strcmp(p->fields[i].name, "_id") == 0;
        ok = BSON_APPEND_INT32(&names, p->fields[i].name, 1);
    }
    ok = ok && (id || BSON_APPEND_INT32(&names, "_id", 0));
    return ok && bson_append_document_end(opts, &names);
}

static int read_all(struct pass *p, const bson_t *filter)
{
    struct sp_session *s = p->s;
    bson_t opts = BSON_INITIALIZER;
    const bson_t *doc;
    mongoc_cursor_t *cursor = NULL;
    int rc = BSON_APPEND_INT32(&opts, "batchSize", BATCH_DOCUMENTS) && project(p, &opts)
                 ? mo_opts(s, &opts, false, p->err) /* a scan has no time-out of its own */
                 : sp_nomem(p->err);
    if (rc == 0) {
        mongoc_collection_t *c = mongoc_client_get_collection(s->client, p->t->db, p->t->t.name);
        cursor = mongoc_collection_find_with_opts(c, filter, &opts, NULL);
        mongoc_collection_destroy(c);
    }
    while (rc == 0 && mongoc_cursor_next(cursor, &doc)) {
        rc = document(p, doc);
        if (rc != 0)
            rc = document_error(p, doc, rc);
        p->rows++;
        if (s->statement_ms > 0) /* patience is for silence, not for the size of a table */
            s->deadline_ns = mo_now_ns() + (int64_t)s->statement_ms * 1000000;
        if (rc == 0 && atomic_load(&s->interrupted))
            rc = sp_fail(p->err, SP_E_CANCELLED, SP_ORIGIN_BACKEND, "scan: interrupted");
    }
    if (rc == 0)
        rc = mo_cursor_error(s, cursor, "scan", p->err);
    if (cursor != NULL)
        mongoc_cursor_destroy(cursor);
    bson_destroy(&opts);
    return rc;
}

/* ---- the count ---------------------------------------------------------------------------------------------- */

static int one_number(struct pass *p, const bson_t *reply, const char *path, uint64_t *n)
{
    bson_iter_t it, at;
    int64_t i = 0;
    if (bson_iter_init(&it, reply) && bson_iter_find_descendant(&it, path, &at) &&
        BSON_ITER_HOLDS_NUMBER(&at))
        i = bson_iter_as_int64(&at);
    else if (strncmp(path, "cursor", 6) != 0) /* an aggregation over nothing gives nothing */
        return mo_corrupt("count", p->err);
    *n = i < 0 ? 0 : (uint64_t)i;
    return 0;
}

/* Every document looked at; in a snapshot, those of its state. */
static int count_all(struct pass *p, const bson_t *filter, uint64_t *n)
{
    bson_t reply, *cmd = BCON_NEW("aggregate", BCON_UTF8(p->t->t.name), "pipeline", "[", "{", "$match",
                      BCON_DOCUMENT(filter), "}", "{", "$group", "{", "_id", BCON_NULL, "n", "{", "$sum",
                      BCON_INT32(1), "}", "}", "}", "]", "cursor", "{", "}");
    if (cmd == NULL)
        return sp_nomem(p->err);
    int limit = p->s->statement_ms;
    p->s->statement_ms = 0;
    p->s->deadline_ns = 0;
    int rc = mo_command(p->s, p->t->db, cmd, MO_READ, "count", &reply, p->err);
    p->s->statement_ms = limit;
    if (rc == 0)
        rc = one_number(p, &reply, "cursor.firstBatch.0.n", n);
    bson_destroy(&reply);
    bson_destroy(cmd);
    return rc;
}

/* The collection's own counter: at once, and mostly right. */
static int count_fast(struct pass *p, uint64_t *n)
{
    bson_t reply, *cmd = BCON_NEW("count", BCON_UTF8(p->t->t.name));
    if (cmd == NULL)
        return sp_nomem(p->err);
    int rc = mo_command(p->s, p->t->db, cmd, MO_READ, "count", &reply, p->err);
    if (rc == 0)
        rc = one_number(p, &reply, "n", n);
    bson_destroy(&reply);
    bson_destroy(cmd);
    return rc;
}

static int counted_pass(struct pass *p, const bson_t *filter, uint64_t *n)
{
    uint64_t before = 0, after = 0;
    bool fast = p->s->cs == NULL && p->scan->where == NULL && !p->t->view;
    int rc = fast ? count_fast(p, &before) : 0;
    if (rc == 0)
        rc = read_all(p, filter);
    if (rc == 0 && fast)
        rc = count_fast(p, &after);
    if (rc == 0 && fast && before == after && after == p->rows) {
        *n = after;
        return 0;
    }
    if (rc == 0)
        rc = count_all(p, filter, n);
    if (rc == 0 && *n != p->rows && p->s->cs == NULL)
        rc = sp_fail(p->err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "collection %s changed while it was scanned: %llu documents were read, now there are %llu; stop "
            "the writers, or use a server with snapshots (a replica set)",
            p->t->t.name, (unsigned long long)p->rows, (unsigned long long)*n);
    return rc;
}

/* ---- the call ----------------------------------------------------------------------------------------------- */

static int prepare(struct pass *p)
{
    const struct sp_scan *scan = p->scan;
    p->fields = calloc(scan->ncols + 1, sizeof *p->fields);
    if (p->fields == NULL)
        return sp_nomem(p->err);
    for (size_t i = 0; i < scan->ncols; i++) {
        struct field *f = &p->fields[i];
        f->name = scan->side == SP_SIDE_SOURCE ? scan->cols[i].source : scan->cols[i].target;
        f->n = strlen(f->name);
        while (strcmp(p->fields[f->first].name, f->name) != 0)
            f->first++;
        p->distinct += f->first == i ? 1 : 0;
        const struct sp_column *c = mo_table_column(p->t, f->name);
        if (c == NULL && !p->t->t.open_fields)
            return sp_fail(p->err, SP_E_INVALID, SP_ORIGIN_BACKEND, "no column \"%s\" in table \"%s\"",
                f->name, p->t->t.name);
        f->type = c == NULL ? NULL : &c->type;
        f->text = scan->as_stored || c == NULL || c->type.tag == SP_MISSING || c->type.tag == SP_TEXT;
    }
    p->whole = !p->t->t.open_fields && p->distinct >= p->t->t.ncolumns; /* all of them were found above */
    p->hide_id = p->t->defined && mo_table_column(p->t, "_id") == NULL;
    return 0;
}

int mo_scan(struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct pass p = { .s = s, .scan = scan, .rb = rb, .scratch = SP_ARENA_INIT, .err = err };
    struct sp_error own = SP_ERROR_INIT;
    bson_t filter = BSON_INITIALIZER;
    uint64_t n = 0;
    if (err == NULL) /* what failed has to be known here */
        p.err = &own;
    mo_begin_statement(s);
    int rc = scan->from != NULL || scan->to != NULL ? sp_fail(p.err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                                                          "scan of %s: parts are not offered", scan->table)
                                                    : mo_ready(s, p.err);
    if (rc == 0)
        rc = mo_table_find(s, scan->ns, scan->table, &p.t, p.err);
    if (rc == 0)
        rc = prepare(&p);
    if (rc == 0 && scan->where != NULL)
        rc = mo_filter(p.t, scan->where, &filter, p.err);
    if (rc == 0)
        rc = counted_pass(&p, &filter, &n);
    bson_destroy(&filter);
    sp_arena_free(&p.scratch);
    free(p.fields);
    if (rc == 0)
        rc = sp_scan_end(rb, n, p.err);
    sp_error_clear(&own);
    return rc;
}
