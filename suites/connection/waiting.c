/* waiting.c -- an operation that waits for a row which another transaction holds. Whether it waits at all is the
 * backend's own business; that it is answered, and truly, is not. */
#include "suites/connection/connection.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define TWO ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL))
enum { PATIENCE_MS = 250, GRACE_MS = 10000 };

/* The first session has changed row 1 and keeps it. */
static bool hold(struct dc *d, struct sp_ctx *ctx)
{
    return dc_open(d, ctx) && dc_table(d, &dc_items, TWO) && dc_begin(d, d->s, SP_ISO_DEFAULT) &&
           dc_update(d, d->s, "items", ID_IS(1), LIST(struct sp_field, { "value", V_INT(1) }), 1);
}

/* It commits, and then the other one gets through. */
static bool let_go(struct dc *d, struct sp_session *b)
{
    return dc_commit(d, d->s) &&
           dc_holds(d, b, "the first transaction's row", "items",
               ITEMS(ITEM(1, "a", V_INT(1)), ITEM(2, "b", V_NULL))) &&
           dc_update(d, b, "items", ID_IS(1), LIST(struct sp_field, { "value", V_INT(3) }), 1) &&
           dc_holds(d, d->s, "the session that waited goes on", "items",
               ITEMS(ITEM(1, "a", V_INT(3)), ITEM(2, "b", V_NULL)));
}

void coc_lock_wait(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct dc d;
    (void)data;
    if (hold(&d, ctx)) {
        struct sp_endpoint e = *sp_session_endpoint(d.s);
        e.statement_timeout_ms = PATIENCE_MS;
        bool ok = coc_open(&d, &e, true, &b);
        int64_t from = coc_now_ns();
        int rc = ok ? dc_set(&d, b, "items", 1, "value", sp_v_int(2), NULL) : 0;
        enum sp_code code = d.err.code;
        if (ok &&
            sp_check_at(ctx, __FILE__, __LINE__, rc == -SP_E_TIMEOUT || rc == -SP_E_CONFLICT,
                "consistency: an update of a row that another transaction holds", "timeout or conflict",
                rc == 0 ? "success" : sp_code_name(code)) &&
            sp_check_text(ctx, "effect of the refused call", "none", sp_effect_name(d.err.effect)) &&
            coc_in_time(&d, "the answer to who waits", from, PATIENCE_MS + GRACE_MS)) {
            sp_ctx_observe(ctx, "consistency: an update of a row that another transaction has changed",
                "%s, %s", coc_now_ns() - from > (int64_t)PATIENCE_MS * 500000 ? "waits" : "does not wait",
                sp_code_name(code));
            sp_error_clear(&d.err);
            (void)(dc_read_is(&d, d.s, "the first transaction goes on", QUERY("items", .where = ID_IS(1)),
                       ITEMS(ITEM(1, "a", V_INT(1)))) &&
                   let_go(&d, b));
        }
        sp_error_clear(&d.err);
    }
    sp_close(b);
    dc_done(&d);
}

struct waiter {
    struct sp_session *s;
    atomic_bool ended;
    int rc;
};

static void *wait_for_row(void *p)
{
    struct waiter *w = p;
    const struct sp_field f = { "value", sp_v_int(2) };
    w->rc = sp_db_update(w->s, "items", ID_IS(1), &f, 1, NULL, NULL);
    atomic_store(&w->ended, true);
    return NULL;
}

static void nap(void)
{
    (void)nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
}

void coc_interrupt_waiting(struct sp_ctx *ctx, const void *data)
{
    struct waiter w = { .rc = 0 };
    pthread_t thread;
    struct dc d;
    (void)data;
    atomic_init(&w.ended, false);
    w.s = hold(&d, ctx) ? dc_other(&d, 1) : NULL;
    if (w.s == NULL ||
        !sp_check(ctx, sp_session_provider(w.s)->interrupt != NULL, "there is a way to interrupt")) {
        dc_done(&d);
        return;
    }
    if (pthread_create(&thread, NULL, wait_for_row, &w) != 0) {
        sp_ctx_error(ctx, "could not start a thread");
        dc_done(&d);
        return;
    }
    for (int i = 0; i < 10 && !atomic_load(&w.ended); i++)
        nap();
    bool waited = !atomic_load(&w.ended);
    int64_t from = coc_now_ns();
    for (; !atomic_load(&w.ended); nap())
        sp_session_provider(w.s)->interrupt(w.s);
    (void)pthread_join(thread, NULL);
    bool answered = w.rc == -SP_E_CANCELLED || (!waited && (w.rc == -SP_E_CONFLICT || w.rc == -SP_E_TIMEOUT));
    if (sp_check_at(ctx, __FILE__, __LINE__, answered, "the update that was stopped",
            waited ? "cancelled" : "a conflict, without waiting",
            w.rc == 0 ? "success" : sp_code_name((enum sp_code) - w.rc)) &&
        coc_in_time(&d, "stopping it", from, 3000)) {
        /* The last request may have come after the end: it may stop one operation more. */
        if (sp_ping(w.s, &d.err) == -SP_E_CANCELLED)
            (void)sp_ping(w.s, NULL);
        sp_error_clear(&d.err);
        (void)let_go(&d, w.s);
    }
    dc_done(&d);
}
