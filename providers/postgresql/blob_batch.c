/* blob_batch.c -- several statements in one round trip, all or nothing: a transaction, or a savepoint inside one. */
#include <stdarg.h>
#include <string.h>

#include "providers/postgresql/blob.h"

/* A statement of our own, without parameters. */
static int send(struct po_batch *b, const char *sql, struct sp_error *err)
{
    b->s->started_ns = po_now_ns(); /* every statement has its own time-out */
    if (PQsendQueryParams(b->s->conn, sql, 0, NULL, NULL, NULL, NULL, 1) == 0)
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
    *b = (struct po_batch){ .s = s, .bucket = bucket };
    int ret = po_words_open(&b->words, s, bucket, err);
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
    int ret = po_words_set(&b->words, b->s, sql, types, ap, err);
    va_end(ap);
    b->s->started_ns = po_now_ns();
    if (ret == 0 && po_words_send(&b->words, b->s) == 0)
        ret = po_error(b->s, NULL, NULL, err);
    b->waiting += ret == 0 ? 1 : 0;
    return ret == 0 && b->words.params.arena.total >= PO_CHUNK ? flush(b, err) : ret;
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
    return po_bucket_error(b->s, b->bucket, ret, err);
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
            ret = po_bucket_error(b->s, b->bucket, po_error(b->s, r, NULL, err), err);
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
    po_words_free(&b->words);
    return ret;
}
