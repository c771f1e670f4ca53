/* run.c -- commands: the one way to the server besides cursors. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "providers/mongodb/internal.h"

/* The server ends an operation itself, and looks at its clock now and then only; one that doesn't is cut off so much
 * later. Cutting off is the last resort: whether a write was made is not known then. */
#define GRACE_MS 3000

int64_t mo_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void mo_drain_bell(struct sp_session *s)
{
    uint64_t rung;
    ssize_t n = read(s->bell, &rung, sizeof rung); /* does not wait */
    (void)n;
}

void mo_begin_statement(struct sp_session *s)
{
    s->started_ns = mo_now_ns();
    s->deadline_ns =
        s->statement_ms > 0 ? s->started_ns + ((int64_t)s->statement_ms + GRACE_MS) * 1000000 : 0;
    s->uncertain = false;
    atomic_store(&s->interrupted, false);
    s->cut[0] = '\0';
    mo_drain_bell(s);
    sp_arena_reset(&s->lookup);
}

int mo_ready(struct sp_session *s, struct sp_error *err)
{
    if (s->in_txn && s->txn_lost != SP_E_OK)
        return sp_fail(err, s->txn_lost, SP_ORIGIN_BACKEND,
            "the transaction failed before; only rollback is left (%s)", s->where);
    return 0;
}

const char *mo_db(const struct sp_session *s, const char *ns)
{
    if (ns != NULL)
        return ns;
    return s->ns[0] != '\0' ? s->ns : s->default_ns;
}

int mo_opts(struct sp_session *s, bson_t *opts, bool time, struct sp_error *err)
{
    bson_error_t e;
    if (s->cs != NULL && !mongoc_client_session_append(s->cs, opts, &e))
        return mo_error(s, &e, NULL, "session", err);
    if (time && s->statement_ms > 0) {
        int64_t left = s->statement_ms - (mo_now_ns() - s->started_ns) / 1000000;
        if (!BSON_APPEND_INT64(opts, "maxTimeMS", left < 1 ? 1 : left))
            return sp_nomem(err);
    }
    return 0;
}

int mo_command(struct sp_session *s, const char *db, const bson_t *cmd, enum mo_use use, const char *what,
    bson_t *reply, struct sp_error *err)
{
    bson_t own, opts = BSON_INITIALIZER;
    bson_t *r = reply == NULL ? &own : reply;
    bson_error_t e = { 0 };
    bool ok = false;
    bson_init(r);
    int ret = 0;
    if (use != MO_PLAIN &&
        atomic_load(&s->interrupted)) { /* a write that is not sent cannot be finished later */
        e.domain = MONGOC_ERROR_STREAM;
        ret = mo_error(s, &e, NULL, what, err);
    }
    if (ret == 0 && use != MO_PLAIN)
        ret = mo_opts(s, &opts, true, err);
    if (ret != 0)
        goto out;
    bson_destroy(r); /* the call makes it anew */
    if (use == MO_PLAIN) {
        ok = mongoc_client_command_simple(s->client, db, cmd, NULL, r, &e);
    } else if (use == MO_READ) {
        ok = mongoc_client_read_command_with_opts(s->client, db, cmd, NULL, &opts, r, &e);
    } else {
        s->uncertain = s->cs == NULL;
        ok = mongoc_client_write_command_with_opts(s->client, db, cmd, &opts, r, &e);
    }
    if (!ok)
        ret = mo_error(s, &e, r, what, err);
    s->uncertain = false;
out:
    bson_destroy(&opts);
    if (reply == NULL)
        bson_destroy(&own);
    return ret;
}
