/* faults.c -- a server that goes away and comes back, and one that is full. */
#include "suites/connection/connection.h"

#include <stdlib.h>

#define TWO   ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL))
#define THREE ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "c", V_INT(3)))
#define ADD3  ITEMS(ITEM(3, "c", V_INT(3)))

enum { GONE_MS = 15000, CONNECT_MS = 4000, SESSIONS_AT_MOST = 200 };

bool coc_in_time(struct dc *d, const char *what, int64_t from_ns, int64_t ms)
{
    int64_t took = (coc_now_ns() - from_ns) / 1000000;
    const char *limit = sp_arena_printf(d->a, "within %lld ms", (long long)ms);
    const char *is = sp_arena_printf(d->a, "%lld ms", (long long)took);
    return sp_check_at(d->ctx, __FILE__, __LINE__, took <= ms, what, limit, is);
}

bool coc_gone(struct dc *d, const char *what, bool writes, int rc)
{
    bool gone = rc == -SP_E_UNAVAILABLE || (writes && rc == -SP_E_OUTCOME_UNKNOWN);
    bool ok = sp_check_at(d->ctx, __FILE__, __LINE__, gone, what,
        writes ? "unavailable or outcome unknown" : "unavailable",
        rc == 0 ? "success" : sp_code_name((enum sp_code) - rc));
    sp_error_clear(&d->err);
    return ok;
}

bool coc_again(struct dc *d, enum sp_server_action how, struct sp_session **out)
{
    return sp_ctx_server(d->ctx, how) && coc_open(d, sp_session_endpoint(d->s), true, out);
}

/* ---- restarted ------------------------------------------------------------------------------------------------- */

/* A session from before the restart: either it is lost and says so, in every call, or it goes on and is right. */
static bool old_session(struct dc *d, struct sp_session *s, bool *lost)
{
    const char *what = "reading in a session from before the restart";
    int64_t from = coc_now_ns();
    int rc = sp_db_read(s, QUERY("items", BY_ID), &d->r, &d->err);
    *lost = rc != 0;
    if (!coc_in_time(d, what, from, GONE_MS))
        return false;
    if (rc == 0)
        return dc_result_is(d, what, TWO);
    if (!coc_gone(d, what, false, rc))
        return false;
    /* What it says must fit: a ping that succeeds is followed by a read that does. */
    rc = sp_ping(s, &d->err);
    sp_error_clear(&d->err);
    if (rc != 0)
        return coc_in_time(d, "a ping in it", from, 2 * GONE_MS);
    *lost = false;
    rc = sp_db_read(s, QUERY("items", BY_ID), &d->r, &d->err);
    sp_error_clear(&d->err);
    return sp_check(d->ctx, rc == 0, "reading in it after a ping that succeeded") &&
           dc_result_is(d, what, TWO);
}

/* A transaction from before the restart cannot be committed any more. */
static bool old_transaction(struct dc *d, struct sp_session *s)
{
    int64_t from = coc_now_ns();
    int rc = sp_db_commit(s, &d->err);
    dc_ended(d, s);
    bool ok = sp_check(d->ctx, rc != 0, "a transaction from before the restart does not commit");
    sp_error_clear(&d->err);
    return ok && coc_in_time(d, "the refused commit", from, GONE_MS);
}

void coc_reconnect_after_restart(struct sp_ctx *ctx, const void *data)
{
    bool txn = sp_ctx_cap(ctx, SP_CAP_TXN)->level == SP_CAP_YES, lost = false;
    struct sp_session *b = NULL, *in_txn = NULL;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO);
    if (ok && txn) {
        in_txn = dc_other(&d, 1);
        ok = in_txn != NULL && dc_begin(&d, in_txn, SP_ISO_DEFAULT) && dc_create(&d, in_txn, "items", ADD3);
    }
    if (ok && coc_again(&d, SP_SERVER_RESTART, &b) && old_session(&d, d.s, &lost) &&
        (!txn || old_transaction(&d, in_txn)) &&
        dc_holds(&d, b, "a new session finds what was committed", "items", TWO) &&
        dc_create(&d, b, "items", ADD3) && dc_holds(&d, b, "and writes", "items", THREE))
        sp_ctx_observe(ctx, "a session whose server was restarted", "%s",
            lost ? "is lost, and says so" : "goes on by itself");
    sp_close(b);
    dc_done(&d);
}

/* ---- stopped --------------------------------------------------------------------------------------------------- */

void coc_server_stopped(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) && sp_ctx_server(ctx, SP_SERVER_STOP)) {
        struct sp_endpoint e = *sp_session_endpoint(d.s);
        e.connect_timeout_ms = CONNECT_MS;
        int64_t from = coc_now_ns();
        int rc = sp_open(&b, sp_session_provider(d.s), &e, &d.err);
        bool words = d.err.text != NULL && d.err.text[0] != '\0';
        if (sp_check_at(ctx, __FILE__, __LINE__, rc == -SP_E_UNAVAILABLE,
                "opening a session on a stopped server", "unavailable",
                rc == 0 ? "success" : sp_code_name((enum sp_code) - rc)) &&
            sp_check(ctx, words && b == NULL, "the error says why, and there is no session") &&
            coc_in_time(&d, "the refusal", from, CONNECT_MS + 2000)) {
            sp_error_clear(&d.err);
            from = coc_now_ns();
            (void)(coc_gone(&d, "reading in a session that was open", false,
                       sp_db_read(d.s, QUERY("items", BY_ID), &d.r, &d.err)) &&
                   coc_in_time(&d, "that answer", from, GONE_MS) &&
                   coc_gone(&d, "a ping in it", false, sp_ping(d.s, &d.err)) &&
                   coc_again(&d, SP_SERVER_START, &b) &&
                   dc_holds(&d, b, "after it was started again", "items", TWO));
        }
        sp_error_clear(&d.err);
    }
    sp_close(b);
    dc_done(&d);
}

/* ---- full ------------------------------------------------------------------------------------------------------ */

/* A place that a session left is free at once or soon. */
static bool opens_soon(struct dc *d, struct sp_session **out)
{
    int64_t from = coc_now_ns();
    int rc;
    do {
        sp_error_clear(&d->err);
        rc = sp_open(out, sp_session_provider(d->s), sp_session_endpoint(d->s), &d->err);
    } while (rc != 0 && coc_now_ns() - from < INT64_C(10000000000));
    return dc_ok(d, "opening a session after another one was closed", rc);
}

static bool refused(struct dc *d, int rc, int64_t from)
{
    bool words = d->err.text != NULL && d->err.text[0] != '\0';
    bool ok = sp_check_at(d->ctx, __FILE__, __LINE__, rc == -SP_E_UNAVAILABLE || rc == -SP_E_RATE_LIMITED,
                  "one session too many", "unavailable or rate limited", sp_code_name((enum sp_code) - rc)) &&
              sp_check(d->ctx, words, "the error says why") && coc_in_time(d, "the refusal", from, GONE_MS);
    sp_error_clear(&d->err);
    return ok;
}

void coc_connection_limit(struct sp_ctx *ctx, const void *data)
{
    struct sp_session **s = calloc(SESSIONS_AT_MOST, sizeof(*s));
    struct sp_session *extra = NULL;
    struct dc d;
    size_t n = 0;
    int rc = 0;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) && sp_check(ctx, s != NULL, "there is memory");
    int64_t from = 0;
    while (ok && rc == 0 && n < SESSIONS_AT_MOST) {
        from = coc_now_ns();
        rc = sp_open(&s[n], sp_session_provider(d.s), sp_session_endpoint(d.s), &d.err);
        n += rc == 0;
    }
    ok = ok && sp_check(ctx, n > 0, "there is room for a second session") &&
         (rc == 0 || refused(&d, rc, from)) && dc_holds(&d, d.s, "the first session goes on", "items", TWO);
    for (size_t i = 0; ok && i < n; i++)
        ok = dc_ok(&d, "ping of an earlier session", sp_ping(s[i], &d.err));
    if (ok) {
        sp_ctx_observe(ctx, "sessions at once", "%s%zu", rc == 0 ? "at least " : "", n + 1);
        sp_close(s[--n]);
        s[n] = NULL;
        ok = opens_soon(&d, &extra) && dc_ok(&d, "ping of the new one", sp_ping(extra, &d.err)) &&
             dc_holds(&d, d.s, "the first session, still", "items", TWO);
    }
    sp_close(extra);
    while (n > 0)
        sp_close(s[--n]);
    free(s);
    dc_done(&d);
}
