/* txn.c -- transactions and snapshots: sessions of the server. Its isolation in a transaction is snapshot, whatever was asked
 * for; serializable it cannot be. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "providers/mongodb/internal.h"

#define TRIES 12

bool mo_has_txn(const struct sp_session *s)
{
    return s->server.sessions && (s->server.set[0] != '\0' || s->server.sharded);
}

static int need_txn_support(struct sp_session *s, struct sp_error *err)
{
    return mo_has_txn(s)
               ? 0
               : sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                     "a standalone server has no transactions; make it a replica set of one (%s)", s->where);
}

static int start_session(struct sp_session *s, bool snapshot, struct sp_error *err)
{
    bson_error_t e = { 0 };
    mongoc_session_opt_t *o = mongoc_session_opts_new();
    if (snapshot) {
        mongoc_session_opts_set_causal_consistency(o, false);
        mongoc_session_opts_set_snapshot(o, true);
    }
    s->cs = mongoc_client_start_session(s->client, o, &e);
    mongoc_session_opts_destroy(o);
    return s->cs == NULL ? mo_error(s, &e, NULL, "session", err) : 0;
}

static void end_session(struct sp_session *s)
{
    if (s->cs != NULL)
        mongoc_client_session_destroy(s->cs); /* aborts what is open */
    s->cs = NULL;
}

static int start_txn(struct sp_session *s, struct sp_error *err)
{
    bson_error_t e = { 0 };
    int ret = start_session(s, false, err);
    if (ret != 0)
        return ret;
    mongoc_read_concern_t *r = mongoc_read_concern_new();
    mongoc_write_concern_t *w = mongoc_write_concern_new();
    mongoc_transaction_opt_t *o = mongoc_transaction_opts_new();
    (void)mongoc_read_concern_set_level(r, MONGOC_READ_CONCERN_LEVEL_SNAPSHOT);
    mongoc_write_concern_set_w(w, MONGOC_WRITE_CONCERN_W_MAJORITY);
    mongoc_transaction_opts_set_read_concern(o, r);
    mongoc_transaction_opts_set_write_concern(o, w);
    if (!mongoc_client_session_start_transaction(s->cs, o, &e))
        ret = mo_error(s, &e, NULL, "begin", err);
    mongoc_transaction_opts_destroy(o);
    mongoc_write_concern_destroy(w);
    mongoc_read_concern_destroy(r);
    if (ret != 0)
        end_session(s);
    return ret;
}

static int commit_now(struct sp_session *s, struct sp_error *err)
{
    bson_error_t e = { 0 };
    bson_t reply;
    s->uncertain = true;
    int ret = mongoc_client_session_commit_transaction(s->cs, &reply, &e)
                  ? 0
                  : mo_error(s, &e, &reply, "commit", err);
    s->uncertain = false;
    bson_destroy(&reply);
    return ret;
}

/* ---- the contract's ---- */

int mo_begin(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    if (s->in_txn)
        return sp_invalid(err, "a transaction is open already");
    if (s->in_snapshot)
        return sp_invalid(err, "a snapshot is open; end it first");
    if (o != NULL && o->isolation == SP_ISO_SERIALIZABLE)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "MongoDB has no serializable transactions: two that each rely on the other's rows may both "
            "commit");
    if (o != NULL && o->read_only)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "MongoDB has no read-only transactions");
    mo_begin_statement(s);
    int ret = need_txn_support(s, err);
    if (ret == 0)
        ret = start_txn(s, err);
    s->in_txn = ret == 0;
    s->txn_lost = SP_E_OK;
    return ret;
}

int mo_commit(struct sp_session *s, struct sp_error *err)
{
    if (!s->in_txn)
        return sp_invalid(err, "no transaction is open");
    mo_begin_statement(s);
    enum sp_code lost = s->txn_lost;
    int ret = 0;
    if (lost != SP_E_OK)
        ret = sp_fail(err, lost, SP_ORIGIN_BACKEND,
            "the transaction had failed before; it was rolled back (%s)", s->where);
    else
        ret = commit_now(s, err);
    end_session(s);
    s->in_txn = false;
    s->txn_lost = SP_E_OK;
    return ret;
}

/* A server that cannot be reached, or has ended the transaction, has kept nothing of it. */
int mo_rollback(struct sp_session *s, struct sp_error *err)
{
    if (!s->in_txn)
        return sp_invalid(err, "no transaction is open");
    mo_begin_statement(s);
    end_session(s);
    s->in_txn = false;
    s->txn_lost = SP_E_OK;
    return 0;
}

/* ---- one state for several scans ---- */

/* Snapshot sessions are there since 5.0, and live longer than a transaction. Servers that only speak the protocol
 * are more likely to keep the promise of a transaction. */
static bool by_session(const struct sp_session *s)
{
    return s->server.wire >= 13 && s->server.fidelity != SP_FID_COMPATIBLE;
}

int mo_snapshot_begin(struct sp_session *s, char id[64], struct sp_error *err)
{
    if (s->in_snapshot)
        return sp_invalid(err, "a snapshot is open already");
    if (s->in_txn)
        return sp_invalid(err, "a transaction is open; end it before a snapshot");
    mo_begin_statement(s);
    int ret = need_txn_support(s, err);
    if (ret == 0)
        ret = by_session(s) ? start_session(s, true, err) : start_txn(s, err);
    if (ret != 0)
        return ret;
    /* The first read fixes the state. */
    bson_t reply, *cmd = BCON_NEW("find", BCON_UTF8("switchproof_none"), "limit", BCON_INT32(1));
    bson_init(&reply);
    if (cmd == NULL) {
        ret = sp_nomem(err);
    } else {
        bson_destroy(&reply);
        ret = mo_command(s, mo_db(s, NULL), cmd, MO_READ, "snapshot", &reply, err);
        bson_destroy(cmd);
    }
    uint32_t seconds = 0, counter = 0;
    bson_iter_t it;
    if (ret == 0 && bson_iter_init_find(&it, &reply, "operationTime") && BSON_ITER_HOLDS_TIMESTAMP(&it))
        bson_iter_timestamp(&it, &seconds, &counter);
    bson_destroy(&reply);
    if (ret != 0) {
        end_session(s);
        return ret;
    }
    if (id != NULL && seconds == 0)
        id[0] = '\0'; /* a server that does not say it: no two states are known to be one */
    else if (id != NULL)
        (void)snprintf(id, 64, "operationTime %u.%u", (unsigned)seconds, (unsigned)counter);
    s->in_snapshot = true;
    return 0;
}

int mo_snapshot_end(struct sp_session *s, struct sp_error *err)
{
    if (!s->in_snapshot)
        return sp_invalid(err, "no snapshot is open");
    mo_begin_statement(s);
    s->in_snapshot = false;
    end_session(s);
    return 0;
}

/* ---- several statements as one ---- */

static int attempt(struct sp_session *s, int (*body)(struct sp_session *, void *, struct sp_error *),
    void *payload, bool *again, struct sp_error *err)
{
    struct sp_error own = SP_ERROR_INIT; /* the caller's record may be absent, but we need to know */
    int ret = start_txn(s, &own);
    if (ret == 0)
        ret = body(s, payload, &own);
    if (ret != 0) /* what it did is rolled back */
        own.effect = SP_EFFECT_NONE;
    else
        ret = commit_now(s, &own);
    end_session(s);
    *again = ret == -SP_E_CONFLICT;
    if (err != NULL)
        sp_error_move(err, &own);
    sp_error_clear(&own);
    return ret;
}

int mo_atomically(struct sp_session *s, int (*body)(struct sp_session *, void *, struct sp_error *),
    void *payload, struct sp_error *err)
{
    bool again = true;
    int ret = 0;
    if (s->cs != NULL || !mo_has_txn(s))
        return body(s, payload, err);
    for (int i = 0; again && i < TRIES; i++) {
        if (i > 0) /* the other one needs time to end */
            (void)nanosleep(&(struct timespec){ 0, 2000000L << (i < 6 ? i : 6) }, NULL);
        if (i > 0 && atomic_load(&s->interrupted)) {
            if (err != NULL)
                sp_error_clear(err);
            return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_BACKEND, "stopped on request (%s)", s->where);
        }
        if (i > 0 && s->deadline_ns > 0 && mo_now_ns() >= s->deadline_ns)
            break;
        if (err != NULL)
            sp_error_clear(err);
        ret = attempt(s, body, payload, &again, err);
    }
    return ret;
}

int mo_alone(struct sp_session *s, int (*body)(struct sp_session *, void *, struct sp_error *), void *payload,
    struct sp_error *err)
{
    return s->server.fidelity == SP_FID_REAL ? body(s, payload, err) : mo_atomically(s, body, payload, err);
}
