/* blob_batch.c -- several statements in one round trip, all or nothing: a transaction, or a savepoint inside one. */
#include <stdarg.h>
#include <string.h>

#include "providers/postgresql/blob.h"

/* ---- texts and parameters ---- */

int po_bucket_error(const char *bucket, int ret, struct sp_error *err)
{
    if (ret != -SP_E_NOT_FOUND)
        return ret;
    sp_error_clear(err);
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no bucket \"%s\"", bucket);
}

/* The name where it can be a schema's, else a digest of it. */
int po_bucket_schema(const char *bucket, struct sp_buf *out, struct sp_error *err)
{
    struct sp_object_sum sum;
    char hex[65];
    sp_buf_puts(out, PO_BLOB);
    if (strlen(bucket) + sizeof PO_BLOB - 1 <= PO_NAME_BYTES && bucket[0] != '#') {
        sp_buf_puts(out, bucket);
        return out->oom ? sp_nomem(err) : 0;
    }
    int ret = sp_object_sum_begin(&sum, err);
    if (ret != 0)
        return ret;
    sp_object_sum_add(&sum, bucket, strlen(bucket));
    sp_object_sum_end(&sum, hex);
    sp_object_sum_free(&sum);
    sp_buf_printf(out, "#%.40s", hex);
    return out->oom ? sp_nomem(err) : 0;
}

static int quoted_schema(const char *bucket, struct sp_buf *out, struct sp_error *err)
{
    struct sp_buf name = SP_BUF_INIT;
    int ret = po_bucket_schema(bucket, &name, err);
    if (ret == 0)
        po_put_name(out, name.p);
    sp_buf_free(&name);
    return ret == 0 && out->oom ? sp_nomem(err) : ret;
}

static int expand(struct sp_buf *out, const char *sql, const char *schema, struct sp_error *err)
{
    sp_buf_clear(out);
    for (size_t n; *sql != '\0'; sql += n) {
        n = strcspn(sql, "@");
        sp_buf_put(out, sql, n);
        if (sql[n] != '@')
            continue;
        sp_buf_puts(out, schema);
        n++;
    }
    return out->oom ? sp_nomem(err) : 0;
}

static int param(struct po_params *p, char type, va_list *ap)
{
    uint64_t be;
    switch (type) {
    case 'i':
        be = htobe64((uint64_t)va_arg(*ap, int64_t));
        return po_param_add(p, PO_INT8, &be, sizeof be, true);
    case 't':
        return po_param_add(p, PO_BOOL, va_arg(*ap, int) != 0 ? "\1" : "\0", 1, true);
    case 'u':
        return po_param_add(p, PO_UUID, va_arg(*ap, const struct po_content *)->id, 16, true);
    case 's':
        return po_param_text(p, va_arg(*ap, const char *));
    case 'k': {
        const char *key = va_arg(*ap, const char *);
        return po_param_add(p, PO_BYTEA, key, key == NULL ? 0 : strlen(key), true);
    }
    default: {
        const void *octets = va_arg(*ap, const void *);
        return po_param_add(p, PO_BYTEA, octets, va_arg(*ap, size_t), true);
    }
    }
}

static int bind(struct po_params *p, const char *types, va_list ap, struct sp_error *err)
{
    va_list args;
    int ret = 0;
    va_copy(args, ap);
    po_params_reset(p);
    for (; ret == 0 && *types != '\0'; types++)
        ret = param(p, *types, &args);
    va_end(args);
    return ret == 0 ? 0 : sp_nomem(err);
}

/* ---- reading ---- */

struct question {
    struct sp_buf sql, schema;
    struct po_params params;
};

static int question(struct question *q, const char *bucket, const char *sql, const char *types, va_list ap,
    struct sp_error *err)
{
    *q = (struct question){ SP_BUF_INIT, SP_BUF_INIT, PO_PARAMS_INIT };
    int ret = quoted_schema(bucket, &q->schema, err);
    if (ret == 0)
        ret = expand(&q->sql, sql, q->schema.p, err);
    return ret == 0 ? bind(&q->params, types, ap, err) : ret;
}

static void question_free(struct question *q)
{
    sp_buf_free(&q->sql);
    sp_buf_free(&q->schema);
    po_params_free(&q->params);
}

int po_blob_ask(struct sp_session *s, const char *bucket, PGresult **out, struct sp_error *err,
    const char *sql, const char *types, ...)
{
    struct question q;
    va_list ap;
    *out = NULL;
    va_start(ap, types);
    int ret = question(&q, bucket, sql, types, ap, err);
    va_end(ap);
    po_begin_statement(s);
    s->uncertain = false;
    if (ret == 0)
        ret = po_query(s, PO_GUARDED, q.sql.p, &q.params, out, err);
    question_free(&q);
    return po_bucket_error(bucket, ret, err);
}

int po_blob_send(
    struct sp_session *s, const char *bucket, struct sp_error *err, const char *sql, const char *types, ...)
{
    struct question q;
    va_list ap;
    va_start(ap, types);
    int ret = question(&q, bucket, sql, types, ap, err);
    va_end(ap);
    po_begin_statement(s);
    s->uncertain = false;
    const struct po_params *p = &q.params;
    if (ret == 0)
        ret = po_ready(s, err);
    if (ret == 0 &&
        (PQsendQueryParams(s->conn, q.sql.p, (int)p->n, p->oids, p->values, p->lengths, p->formats, 1) == 0 ||
            PQsetSingleRowMode(s->conn) == 0))
        ret = po_error(s, NULL, NULL, err);
    question_free(&q);
    return ret;
}

/* ---- batches ---- */

static int send(struct po_batch *b, const char *sql, struct sp_error *err)
{
    const struct po_params *p = &b->params;
    b->s->started_ns = po_now_ns(); /* every statement has its own time-out */
    if (PQsendQueryParams(b->s->conn, sql, (int)p->n, p->oids, p->values, p->lengths, p->formats, 1) == 0)
        return po_error(b->s, NULL, NULL, err);
    return 0;
}

/* What libpq holds goes out, without waiting longer than a statement may take. */
static int flush(struct po_batch *b, struct sp_error *err)
{
    for (;;) {
        int n = PQflush(b->s->conn);
        if (n == 0)
            return 0;
        int ret = n < 0 ? po_error(b->s, NULL, NULL, err) : po_wait(b->s, true, err);
        if (ret == 0 && PQconsumeInput(b->s->conn) == 0)
            ret = po_error(b->s, NULL, NULL, err);
        if (ret != 0)
            return ret;
    }
}

int po_batch_begin(struct po_batch *b, struct sp_session *s, const char *bucket, struct sp_error *err)
{
    *b = (struct po_batch){
        .s = s, .bucket = bucket, .sql = SP_BUF_INIT, .schema = SP_BUF_INIT, .params = PO_PARAMS_INIT
    };
    po_begin_statement(s);
    s->uncertain = false;
    int ret = po_ready(s, err);
    if (ret == 0)
        ret = quoted_schema(bucket, &b->schema, err);
    b->own = ret == 0 && PQtransactionStatus(s->conn) == PQTRANS_IDLE;
    if (ret == 0 && (PQsetnonblocking(s->conn, 1) != 0 || PQenterPipelineMode(s->conn) == 0))
        ret = po_error(s, NULL, NULL, err);
    if (ret == 0)
        ret = send(b, b->own ? "BEGIN" : "SAVEPOINT sp_blob", err);
    return ret == 0 ? 0 : po_batch_end(b, ret, err);
}

int po_batch_add(struct po_batch *b, struct sp_error *err, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    int ret = bind(&b->params, types, ap, err);
    va_end(ap);
    if (ret == 0)
        ret = expand(&b->sql, sql, b->schema.p, err);
    if (ret == 0)
        ret = send(b, b->sql.p, err);
    b->waiting += ret == 0 ? 1 : 0;
    return ret == 0 && b->params.arena.total >= PO_CHUNK ? flush(b, err) : ret;
}

static bool good(const PGresult *r)
{
    ExecStatusType st = PQresultStatus(r);
    return st == PGRES_COMMAND_OK || st == PGRES_TUPLES_OK;
}

/* The answer to one statement; between two of them libpq gives a NULL. */
static int answer(struct po_batch *b, PGresult **out, struct sp_error *err)
{
    *out = NULL;
    for (int empty = 0; *out == NULL; empty++) {
        if (empty > 3 || PQstatus(b->s->conn) == CONNECTION_BAD)
            return po_error(b->s, NULL, NULL, err);
        int ret = po_next(b->s, out, err);
        if (ret != 0)
            return ret;
    }
    if (good(*out))
        return 0;
    int ret = po_error(b->s, *out, NULL, err);
    PQclear(*out);
    *out = NULL;
    return po_bucket_error(b->bucket, ret, err);
}

int po_batch_next(struct po_batch *b, PGresult **out, struct sp_error *err)
{
    int ret = 0;
    *out = NULL;
    if (!b->synced && PQsendFlushRequest(b->s->conn) == 0)
        ret = po_error(b->s, NULL, NULL, err);
    if (ret == 0)
        ret = flush(b, err);
    if (ret == 0 && !b->begun) { /* our own statement comes first */
        ret = answer(b, out, err);
        PQclear(*out);
        *out = NULL;
        b->begun = true;
    }
    if (ret == 0)
        ret = answer(b, out, err);
    b->waiting -= b->waiting > 0 ? 1 : 0;
    return ret;
}

static int sync_now(struct po_batch *b, struct sp_error *err)
{
    b->synced = true;
    if (PQpipelineSync(b->s->conn) == 0)
        return po_error(b->s, NULL, NULL, err);
    return flush(b, err);
}

int po_batch_finish(struct po_batch *b, struct sp_error *err)
{
    po_params_reset(&b->params);
    int ret = send(b, b->own ? "COMMIT" : "RELEASE SAVEPOINT sp_blob", err);
    if (ret != 0)
        return ret;
    b->finished = true;
    b->s->uncertain = b->own;
    return sync_now(b, err);
}

/* All that is still to come, up to the end of the batch. */
static int drain(struct po_batch *b, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = 0;
    for (int empty = 0; empty < 8 && PQstatus(b->s->conn) != CONNECTION_BAD;) {
        int rc = po_next(b->s, &r, ret == 0 ? err : NULL);
        if (rc != 0)
            return ret == 0 ? rc : ret;
        if (r == NULL) {
            empty++;
            continue;
        }
        empty = 0;
        ExecStatusType st = PQresultStatus(r);
        if (ret == 0 && st != PGRES_PIPELINE_SYNC && !good(r))
            ret = po_bucket_error(b->bucket, po_error(b->s, r, NULL, err), err);
        PQclear(r);
        if (st == PGRES_PIPELINE_SYNC)
            return ret;
    }
    return ret == 0 ? po_error(b->s, NULL, NULL, err) : ret;
}

static void undo(struct po_batch *b)
{
    struct sp_session *s = b->s;
    PGTransactionStatusType st = PQtransactionStatus(s->conn);
    if (b->own && st != PQTRANS_IDLE)
        (void)po_exec(s, "ROLLBACK", NULL, NULL);
    if (b->own || (b->finished && st != PQTRANS_INERROR) || s->txn_lost != SP_E_OK)
        return;
    if (po_exec(s, "ROLLBACK TO SAVEPOINT sp_blob; RELEASE SAVEPOINT sp_blob", NULL, NULL) != 0)
        s->txn_lost = SP_E_CONFLICT;
}

int po_batch_end(struct po_batch *b, int ret, struct sp_error *err)
{
    struct sp_session *s = b->s;
    if (PQpipelineStatus(s->conn) != PQ_PIPELINE_OFF) {
        int rc = b->synced || PQstatus(s->conn) == CONNECTION_BAD ? 0 : sync_now(b, NULL);
        if (rc == 0)
            rc = drain(b, ret == 0 ? err : NULL);
        ret = ret == 0 ? rc : ret;
        if (PQexitPipelineMode(s->conn) == 0 && ret == 0)
            ret = po_error(s, NULL, NULL, err);
    }
    (void)PQsetnonblocking(s->conn, 0);
    s->uncertain = false;
    if (ret != 0 && PQstatus(s->conn) == CONNECTION_OK)
        undo(b);
    sp_buf_free(&b->sql);
    sp_buf_free(&b->schema);
    po_params_free(&b->params);
    return ret;
}
