/* mutants_faults.c -- bugs that show only when a server goes away: they are planted around servers of the stack. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "run/mutation.h"

static bool lost(int rc)
{
    return rc == -SP_E_UNAVAILABLE || rc == -SP_E_OUTCOME_UNKNOWN;
}

/* A write whose answer never came is acknowledged. */
static int exec_acknowledging(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (op->kind != SP_OP_CREATE || !lost(rc))
        return rc;
    sp_error_clear(err);
    r->affected = (int64_t)op->nrows;
    return 0;
}
SP_PLANT(db, lost_write_acknowledged, exec, exec_acknowledging)

static int commit_acknowledging(struct sp_session *s, struct sp_error *err)
{
    int rc = SP_INNER_DB->commit(s, err);
    if (!lost(rc))
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(db, lost_commit_acknowledged, commit, commit_acknowledging)

/* The transaction is over for its client before it is for the server: every other commit is left undone until the
 * next begin, so that the last acknowledged one goes with the server. */
static int commit_later(struct sp_session *s, struct sp_error *err)
{
    (void)s, (void)err;
    return 0;
}
static int begin_after_commit(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    int rc = SP_INNER_DB->begin(s, o, err);
    if (rc != -SP_E_INVALID)
        return rc;
    sp_error_clear(err);
    rc = SP_INNER_DB->commit(s, err);
    return rc == 0 ? SP_INNER_DB->begin(s, o, err) : rc;
}
static bool plant_acknowledged_before_commit(void)
{
    bool can = sp_mutation.db.commit != NULL && sp_mutation.db.begin != NULL;
    if (can) {
        sp_mutation.db.commit = commit_later;
        sp_mutation.db.begin = begin_after_commit;
    }
    return can;
}

/* The rows of a transaction are written one by one. */
static int succeed(struct sp_session *s, struct sp_error *err)
{
    (void)s, (void)err;
    return 0;
}
static int begin_none(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    (void)s, (void)o, (void)err;
    return 0;
}
static bool plant_transaction_in_parts(void)
{
    bool can = sp_mutation.db.begin != NULL;
    if (can) {
        sp_mutation.db.begin = begin_none;
        sp_mutation.db.commit = succeed;
        sp_mutation.db.rollback = succeed;
    }
    return can;
}

/* Says that a write did nothing when nobody can know. */
static int exec_certain(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    return rc == -SP_E_OUTCOME_UNKNOWN
               ? sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the write was not made")
               : rc;
}
SP_PLANT(db, unknown_outcome_denied, exec, exec_certain)

/* What came until the connection broke is taken for all there is. */
static int scan_to_the_break(
    struct sp_session *s, const struct sp_scan *what, struct sp_rowbuf *rb, struct sp_error *err)
{
    int rc = SP_INNER_DB->scan(s, what, rb, err);
    if (!lost(rc))
        return rc;
    sp_error_clear(err);
    return sp_scan_end(rb, UINT64_MAX, err);
}
SP_PLANT(db, broken_scan_complete, scan, scan_to_the_break)

/* A bulk load that is committed every few thousand rows. */
#define PART 2000u
struct sp_load {
    struct sp_load *inner;
    struct sp_session *s;
    char table[64], names[8][64];
    const char *columns[8];
    size_t ncolumns;
    uint64_t rows;
};
static int load_open_parts(struct sp_session *s, const char *table, const char *const *columns, size_t n,
    struct sp_load **out, struct sp_error *err)
{
    struct sp_load *l = calloc(1, sizeof *l);
    if (l == NULL)
        return sp_nomem(err);
    l->s = s;
    l->ncolumns = n;
    bool fits = n <= 8 && sp_strlcpy(l->table, table, sizeof l->table);
    for (size_t i = 0; fits && i < n; i++) {
        fits = sp_strlcpy(l->names[i], columns[i], sizeof l->names[i]);
        l->columns[i] = l->names[i];
    }
    int rc = fits ? SP_INNER_DB->load_open(s, table, columns, n, &l->inner, err)
                  : sp_invalid(err, "too much for this mutant");
    if (rc != 0)
        free(l);
    else
        *out = l;
    return rc;
}
static int load_row_parts(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    uint64_t n;
    if (l->inner == NULL)
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_BACKEND, "a part of the load failed");
    if (l->rows > 0 && l->rows % PART == 0) {
        int rc = SP_INNER_DB->load_close(l->inner, true, &n, err);
        l->inner = NULL;
        if (rc == 0)
            rc = SP_INNER_DB->load_open(l->s, l->table, l->columns, l->ncolumns, &l->inner, err);
        if (rc != 0)
            return rc;
    }
    l->rows++;
    return SP_INNER_DB->load_row(l->inner, row, err);
}
static int load_close_parts(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    int rc = l->inner != NULL
                 ? SP_INNER_DB->load_close(l->inner, commit, loaded, err)
                 : sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_BACKEND, "a part of the load failed");
    if (rc == 0 && commit && loaded != NULL)
        *loaded = l->rows;
    free(l);
    return rc;
}
static bool plant_load_in_parts(void)
{
    bool can = sp_mutation.db.load_open != NULL;
    if (can) {
        sp_mutation.db.load_open = load_open_parts;
        sp_mutation.db.load_row = load_row_parts;
        sp_mutation.db.load_extra = NULL;
        sp_mutation.db.load_close = load_close_parts;
    }
    return can;
}

/* A load that lost its server says that all went well. */
static int load_close_anyway(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    int rc = SP_INNER_DB->load_close(l, commit, loaded, err);
    if (!lost(rc))
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(db, lost_load_acknowledged, load_close, load_close_anyway)

/* A session that lost its server finds nothing instead of saying so. */
static int exec_empty(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (op->kind != SP_OP_READ || !lost(rc))
        return rc;
    sp_error_clear(err);
    return sp_result_columns(r, op->query.select, op->query.nselect);
}
SP_PLANT(db, lost_session_empty, exec, exec_empty)

static int ping_well(struct sp_session *s, struct sp_error *err)
{
    (void)s, (void)err;
    return 0;
}
SP_PLANT(outer, lost_session_pings, ping, ping_well)

/* Every refusal to open looks like a wrong password. */
static int open_blaming(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    int rc = sp_mutation.inner->open(out, e, err);
    return rc == -SP_E_UNAVAILABLE ? sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "not allowed in")
                                   : rc;
}
SP_PLANT(outer, unavailable_misnamed, open, open_blaming)

/* ---- storage ---- */

static int get_to_the_break(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    int rc = SP_INNER_BLOB->get(s, a, bucket, key, offset, length, sink, payload, out, err);
    if (!lost(rc))
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(blob, broken_get_complete, get, get_to_the_break)

static int put_acknowledging(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn source, void *payload, const struct sp_put_opts *o, struct sp_object *out,
    struct sp_error *err)
{
    int rc = SP_INNER_BLOB->put(s, a, bucket, key, source, payload, o, out, err);
    if (!lost(rc))
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(blob, lost_put_acknowledged, put, put_acknowledging)

/* The beginning of the object stands there before the rest has come. */
struct torn {
    sp_source_fn source;
    void *payload;
    char *head;
    size_t n, at;
    bool only_head;
};
static int64_t give_torn(void *p, void *out, size_t n)
{
    struct torn *t = p;
    size_t left = t->n - t->at;
    if (left == 0)
        return t->only_head ? 0 : t->source(t->payload, out, n);
    n = n < left ? n : left;
    memcpy(out, t->head + t->at, n);
    t->at += n;
    return (int64_t)n;
}
static int put_torn(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn source, void *payload, const struct sp_put_opts *o, struct sp_object *out,
    struct sp_error *err)
{
    enum { HEAD = 1 << 20 };
    struct torn t = { .source = source, .payload = payload, .head = malloc(HEAD), .only_head = true };
    if (t.head == NULL)
        return sp_nomem(err);
    int64_t got = 1;
    while (got > 0 && t.n < HEAD) {
        got = source(payload, t.head + t.n, HEAD - t.n);
        t.n += got > 0 ? (size_t)got : 0;
    }
    int rc = SP_INNER_BLOB->put(s, a, bucket, key, give_torn, &t, o, out, err);
    t.only_head = false;
    t.at = 0;
    if (rc == 0 && got > 0)
        rc = SP_INNER_BLOB->put(s, a, bucket, key, give_torn, &t, o, out, err);
    free(t.head);
    return rc;
}
SP_PLANT(blob, put_torn, put, put_torn)

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "faults", text }, plant_##name                                                              \
    }
const struct sp_mutant_row sp_mutants_faults[] = {
    ROW(lost_write_acknowledged, "a write whose answer was lost is acknowledged"),
    ROW(lost_commit_acknowledged, "a commit whose answer was lost is acknowledged"),
    ROW(acknowledged_before_commit, "a transaction is acknowledged before it is committed"),
    ROW(transaction_in_parts, "a transaction is written row by row"),
    ROW(unknown_outcome_denied, "a write of unknown outcome is said not to have been made"),
    ROW(broken_scan_complete, "a scan whose connection broke has come to its end"),
    ROW(load_in_parts, "a bulk load is committed part by part"),
    ROW(lost_load_acknowledged, "a bulk load whose answer was lost is acknowledged"),
    ROW(lost_session_empty, "a session that lost its server finds no rows"),
    ROW(lost_session_pings, "a session that lost its server answers a ping"),
    ROW(unavailable_misnamed, "a server that is not there refuses the credentials"),
    ROW(broken_get_complete, "a get whose connection broke has come to its end"),
    ROW(lost_put_acknowledged, "a put whose answer was lost is acknowledged"),
    ROW(put_torn, "the beginning of an object is there before the rest has come"),
    { { NULL, NULL, NULL }, NULL },
};
