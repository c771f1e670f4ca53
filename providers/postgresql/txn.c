/* txn.c -- transactions, savepoints, snapshots. */
#include <stdio.h>
#include <string.h>

#include "providers/postgresql/internal.h"

int po_start(struct sp_session *s, const char *begin, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    if (!s->pooled)
        return po_exec(s, begin, NULL, err);
    sp_buf_puts(&b, strcmp(begin, "BEGIN") == 0 ? "BEGIN ISOLATION LEVEL READ COMMITTED" : begin);
    sp_buf_puts(&b, "; ");
    po_put_settings(s, &b, "SET LOCAL");
    sp_buf_puts(&b, s->read_only ? "; SET LOCAL transaction_read_only = on; SET LOCAL search_path = "
                                 : "; SET LOCAL search_path = ");
    po_put_name(&b, po_ns_of(s, NULL));
    int ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, NULL, err);
    sp_buf_free(&b);
    if (ret != 0 && PQtransactionStatus(s->conn) != PQTRANS_IDLE)
        (void)po_exec(s, "ROLLBACK", NULL, NULL);
    return ret;
}

int po_pooled_begin(struct sp_session *s, bool *own, struct sp_error *err)
{
    *own = s->pooled && PQtransactionStatus(s->conn) == PQTRANS_IDLE;
    int ret = *own ? po_ready(s, err) : 0;
    return *own && ret == 0 ? po_start(s, "BEGIN", err) : ret;
}

int po_pooled_end(struct sp_session *s, bool own, int ret, struct sp_error *err)
{
    if (!own || PQstatus(s->conn) != CONNECTION_OK || PQtransactionStatus(s->conn) == PQTRANS_IDLE)
        return ret;
    int end = po_exec(s, ret == 0 ? "COMMIT" : "ROLLBACK", NULL, ret == 0 ? err : NULL);
    return ret == 0 ? end : ret;
}

int po_begin(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    static const char *const levels[] = { [SP_ISO_DEFAULT] = "",
        [SP_ISO_READ_COMMITTED] = " ISOLATION LEVEL READ COMMITTED",
        [SP_ISO_REPEATABLE] = " ISOLATION LEVEL REPEATABLE READ",
        [SP_ISO_SERIALIZABLE] = " ISOLATION LEVEL SERIALIZABLE" };
    if (s->in_txn)
        return sp_invalid(err, "a transaction is open already; use a savepoint");
    if (s->in_snapshot)
        return sp_invalid(err, "a snapshot is open; end it first");
    po_begin_statement(s);
    s->uncertain = false;
    char begin[64];
    (void)snprintf(begin, sizeof begin, "BEGIN%s%s", levels[o == NULL ? SP_ISO_DEFAULT : o->isolation],
        o != NULL && o->read_only ? " READ ONLY" : "");
    int ret = po_start(s, begin, err);
    s->in_txn = ret == 0;
    s->txn_lost = SP_E_OK;
    return ret;
}

static int need_txn(struct sp_session *s, struct sp_error *err)
{
    return s->in_txn ? 0 : sp_invalid(err, "no transaction is open");
}

/* The server answers ROLLBACK to the commit of a transaction that failed before: nothing of it remains. */
int po_commit(struct sp_session *s, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = need_txn(s, err);
    if (ret != 0)
        return ret;
    po_begin_statement(s);
    s->uncertain = s->txn_lost == SP_E_OK;
    ret = po_exec(s, "COMMIT", &r, err);
    if (ret == 0 && strcmp(PQcmdStatus(r), "COMMIT") != 0)
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "the transaction had failed before; the server rolled it back instead (%s)", s->where);
    PQclear(r);
    if (ret != 0 && PQtransactionStatus(s->conn) != PQTRANS_IDLE && PQstatus(s->conn) == CONNECTION_OK)
        (void)po_exec(s, "ROLLBACK", NULL, NULL);
    s->in_txn = false;
    s->txn_lost = SP_E_OK;
    s->uncertain = false;
    return ret;
}

int po_rollback(struct sp_session *s, struct sp_error *err)
{
    int ret = need_txn(s, err);
    if (ret != 0)
        return ret;
    po_begin_statement(s);
    s->uncertain = false;
    if (PQstatus(s->conn) == CONNECTION_OK) /* otherwise the server has rolled it back */
        ret = po_exec(s, "ROLLBACK", NULL, err);
    s->in_txn = false;
    s->txn_lost = SP_E_OK;
    return ret;
}

static int savepoint(struct sp_session *s, const char *verb, const char *name, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int ret = need_txn(s, err);
    if (ret == 0)
        ret = po_ready(s, err);
    if (ret == 0)
        ret = po_name_check(name, "savepoint", err);
    if (ret != 0)
        return ret;
    po_begin_statement(s);
    s->uncertain = false;
    sp_buf_puts(&b, verb);
    po_put_name(&b, name);
    ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, NULL, err);
    sp_buf_free(&b);
    /* An unknown name has failed the whole transaction, there is nothing to go back to. */
    if (ret != 0 && s->txn_lost == SP_E_OK && PQtransactionStatus(s->conn) == PQTRANS_INERROR)
        s->txn_lost = SP_E_CONFLICT;
    return ret;
}

int po_savepoint(struct sp_session *s, const char *name, struct sp_error *err)
{
    return savepoint(s, "SAVEPOINT ", name, err);
}

int po_savepoint_rollback(struct sp_session *s, const char *name, struct sp_error *err)
{
    return savepoint(s, "ROLLBACK TO SAVEPOINT ", name, err);
}

int po_savepoint_release(struct sp_session *s, const char *name, struct sp_error *err)
{
    return savepoint(s, "RELEASE SAVEPOINT ", name, err);
}

int po_atomic_begin(struct sp_session *s, bool *own, struct sp_error *err)
{
    *own = PQtransactionStatus(s->conn) == PQTRANS_IDLE;
    int ret = po_ready(s, err);
    if (ret != 0)
        return ret;
    return *own ? po_start(s, "BEGIN", err) : po_exec(s, "SAVEPOINT sp_atomic", NULL, err);
}

int po_atomic_end(struct sp_session *s, bool own, int ret, struct sp_error *err)
{
    if (ret == 0) {
        s->uncertain = own;
        ret = po_exec(s, own ? "COMMIT" : "RELEASE SAVEPOINT sp_atomic", NULL, err);
        s->uncertain = false;
        if (ret == 0)
            return 0;
    }
    if (PQstatus(s->conn) == CONNECTION_OK && PQtransactionStatus(s->conn) != PQTRANS_IDLE)
        (void)po_exec(
            s, own ? "ROLLBACK" : "ROLLBACK TO SAVEPOINT sp_atomic; RELEASE SAVEPOINT sp_atomic", NULL, NULL);
    return ret;
}

/* The transactions whose changes are seen: no others, no other rows. The position in the log moves without that. */
#define SEEN                                                                                                 \
    "'snapshot ' || (SELECT CASE WHEN length(t) < 31 THEN t ELSE left(md5(t), 30) END FROM "                 \
    "(SELECT txid_current_snapshot()::text AS t) AS x)"

static int snapshot_id(struct sp_session *s, char id[64], struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = po_exec(s,
        s->standby ? "SELECT " SEEN " || ' @lsn ' || coalesce(pg_last_wal_replay_lsn()::text, '?')"
                   : "SELECT " SEEN " || ' @lsn ' || pg_current_wal_lsn()",
        &r, err);
    if (ret == 0 && id != NULL && !sp_strlcpy(id, PQgetvalue(r, 0, 0), 64))
        id[0] = '\0';
    PQclear(r);
    return ret;
}

/* `word`: the snapshot of another session; NULL = a new one. */
static int snapshot_open(struct sp_session *s, const char *word, char id[64], struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    if (s->in_snapshot)
        return sp_invalid(err, "a snapshot is open already");
    if (s->in_txn)
        return sp_invalid(err, "a transaction is open; end it before a snapshot");
    po_begin_statement(s);
    s->uncertain = false;
    int ret = po_ready(s, err);
    if (ret == 0)
        ret = po_start(s, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
    if (ret == 0 && word != NULL) {
        sp_buf_puts(&b, "SET TRANSACTION SNAPSHOT ");
        po_put_literal(&b, word);
        ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, NULL, err);
        if (ret != 0 && (strcmp(s->state, "22023") == 0 || strcmp(s->state, "42704") == 0))
            ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND,
                "that snapshot is not open (any more): the session that shared it has ended it (%s)",
                s->where);
        sp_buf_free(&b);
    }
    if (ret == 0)
        ret = snapshot_id(s, id, err);
    s->in_snapshot = ret == 0;
    if (ret != 0 && PQtransactionStatus(s->conn) != PQTRANS_IDLE)
        (void)po_exec(s, "ROLLBACK", NULL, NULL);
    return ret;
}

int po_snapshot_begin(struct sp_session *s, char id[64], struct sp_error *err)
{
    return snapshot_open(s, NULL, id, err);
}

int po_snapshot_join(struct sp_session *s, const char *word, struct sp_error *err)
{
    return snapshot_open(s, word, NULL, err);
}

int po_snapshot_share(struct sp_session *s, char word[SP_SNAPSHOT_WORD], struct sp_error *err)
{
    PGresult *r = NULL;
    if (!s->in_snapshot)
        return sp_invalid(err, "no snapshot is open");
    po_begin_statement(s);
    int ret = po_exec(s, "SELECT pg_catalog.pg_export_snapshot()", &r, err);
    if (ret == 0 && !sp_strlcpy(word, PQgetvalue(r, 0, 0), SP_SNAPSHOT_WORD))
        ret = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the name of the snapshot is too long");
    PQclear(r);
    return ret;
}

int po_snapshot_end(struct sp_session *s, struct sp_error *err)
{
    PGresult *r = NULL;
    if (!s->in_snapshot)
        return sp_invalid(err, "no snapshot is open");
    po_begin_statement(s);
    s->in_snapshot = false;
    /* What a query may have done that the server takes for reading (large objects, before PostgreSQL 16) is undone. */
    const char *end = s->read_only && PQtransactionStatus(s->conn) == PQTRANS_INTRANS ? "ROLLBACK" : "COMMIT";
    int ret = po_exec(s, end, &r, err);
    if (ret == 0 && strcmp(PQcmdStatus(r), end) != 0)
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "the snapshot ended early, after an error; what was read behind it is of another state");
    PQclear(r);
    s->txn_lost = SP_E_OK;
    return ret;
}
