/* stopping.c -- ending an operation that runs: at a request from another thread, after a time-out.
 *
 * The operation is a count whose filter has to read long texts to their end; the table grows until that takes long
 * enough to be hit. */
#include "suites/connection/connection.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { TEXT_BYTES = 16384, ROWS_AT_ONCE = 100, ROWS_AT_MOST = 6400, TRIES = 24 };
#define ENOUGH_NS 60000000

static const struct sp_column long_columns[] = { COL_ID, COL("t", TEXT) };
static const struct sp_table longs = TABLE("longs", long_columns);
/* An a, an a, an a, and no b anywhere: known after the whole text only. */
static const struct sp_filter slow = F_ON("t", LIKE, V_TEXT("%a%a%a%b%"));

int64_t coc_now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static bool grow(struct dc *d, const char *text, int64_t from, int64_t to)
{
    struct sp_value v[ROWS_AT_ONCE * 2];
    bool ok = true;
    for (int64_t at = from; ok && at < to; at += ROWS_AT_ONCE) {
        for (int64_t i = 0; i < ROWS_AT_ONCE; i++) {
            v[2 * i] = sp_v_int(at + i);
            v[2 * i + 1] = sp_v_textn(text, TEXT_BYTES);
        }
        const struct dc_rows rows = { .columns = NAMES("id", "t"), .values = v, .nvalues = SP_LEN(v) };
        ok = dc_create(d, d->s, "longs", &rows);
    }
    return ok;
}

/* How long a ping and a short operation take here and now, at worst; 0: return. */
static int64_t brief(struct dc *d)
{
    int64_t worst = 1;
    for (int i = 0; i < 3; i++) {
        int64_t from = coc_now_ns();
        if (!dc_ok(d, "ping", sp_ping(d->s, &d->err)) ||
            !dc_ok(d, "a short operation",
                sp_db_read(d->s, QUERY("longs", .select = NAMES("id"), .where = ID_IS(1)), &d->r, &d->err)))
            return 0;
        int64_t took = coc_now_ns() - from;
        worst = took > worst ? took : worst;
    }
    return worst;
}

/* How long the count takes, at last: `times` as long as what is brief, if that many rows will do; 0: return. */
static int64_t long_table(struct dc *d, int64_t *rows, int64_t times)
{
    char *text = sp_arena_alloc(d->a, TEXT_BYTES + 1);
    int64_t took = 0, enough = ENOUGH_NS;
    *rows = 0;
    if (text == NULL || !sp_ctx_table(d->ctx, &longs))
        return 0;
    memset(text, 'a', TEXT_BYTES);
    for (int64_t n = ROWS_AT_ONCE; took < enough && n <= ROWS_AT_MOST; n *= 2) {
        if (!grow(d, text, *rows, n))
            return 0;
        if (*rows == 0 && times > 0) {
            int64_t each = brief(d);
            if (each == 0)
                return 0;
            enough = times * each > enough ? times * each : enough;
        }
        *rows = n;
        int64_t from = coc_now_ns();
        if (!dc_count_is(d, d->s, "longs", &slow, 0))
            return 0;
        took = coc_now_ns() - from;
    }
    return took > 0 ? took : 1;
}

struct runner {
    struct sp_session *s;
    atomic_bool ended;
    int rc;
};

static void *run(void *p)
{
    struct runner *r = p;
    int64_t n, give_up = coc_now_ns() + INT64_C(20000000000);
    /* A request may come between two counts and find nothing to stop. */
    do {
        r->rc = sp_db_count(r->s, "longs", &slow, &n, NULL);
    } while (r->rc == 0 && coc_now_ns() < give_up);
    atomic_store(&r->ended, true);
    return NULL;
}

void coc_interrupt(struct sp_ctx *ctx, const void *data)
{
    struct runner r = { .rc = 0 };
    pthread_t thread;
    int64_t rows;
    struct dc d;
    (void)data;
    atomic_init(&r.ended, false);
    r.s = dc_open(&d, ctx) && long_table(&d, &rows, 0) > 0 ? dc_other(&d, 1) : NULL;
    if (r.s != NULL) {
        if (!sp_check(ctx, sp_session_provider(r.s)->interrupt != NULL, "there is a way to interrupt")) {
            dc_done(&d);
            return;
        }
        if (pthread_create(&thread, NULL, run, &r) != 0) {
            sp_ctx_error(ctx, "could not start a thread");
            dc_done(&d);
            return;
        }
        while (!atomic_load(&r.ended)) {
            (void)nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
            sp_session_provider(r.s)->interrupt(r.s);
        }
        (void)pthread_join(thread, NULL);
        /* The last request may have come after the end: it must not stop what comes next for ever. */
        bool ok = dc_fails(&d, "the count that was stopped", SP_E_CANCELLED, r.rc);
        int64_t n = 0;
        int rc = ok ? sp_db_count(r.s, "longs", NULL, &n, &d.err) : 0;
        if (ok && rc == -SP_E_CANCELLED) {
            sp_error_clear(&d.err);
            rc = sp_db_count(r.s, "longs", NULL, &n, &d.err);
        }
        (void)(ok && dc_ok(&d, "a count after it", rc) && sp_check_int(ctx, "rows", rows, n));
    }
    dc_done(&d);
}

void coc_interrupt_idle(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    struct sp_session *b =
        dc_open(&d, ctx) && dc_table(&d, &dc_items, ITEMS(ITEM(1, "a", V_NULL))) ? dc_other(&d, 1) : NULL;
    if (b != NULL &&
        sp_check(ctx, sp_session_provider(b)->interrupt != NULL, "there is a way to interrupt")) {
        sp_session_provider(b)->interrupt(b);
        /* The request was for nothing; at most the next operation may answer to it. */
        int rc = sp_ping(b, &d.err);
        sp_error_clear(&d.err);
        (void)(sp_check(ctx, rc == 0 || rc == -SP_E_CANCELLED, "the next call succeeds or was cancelled") &&
               dc_holds(&d, d.s, "another session", "items", ITEMS(ITEM(1, "a", V_NULL))) &&
               dc_create(&d, d.s, "items", ITEMS(ITEM(2, "b", V_INT(1)))));
        int64_t n = 0;
        rc = sp_db_count(b, "items", NULL, &n, &d.err);
        if (rc == -SP_E_CANCELLED) {
            sp_error_clear(&d.err);
            rc = sp_db_count(b, "items", NULL, &n, &d.err);
        }
        (void)(dc_ok(&d, "a count in the session", rc) && sp_check_int(ctx, "rows", 2, n) &&
               dc_holds(&d, b, "the session goes on", "items",
                   ITEMS(ITEM(1, "a", V_NULL), ITEM(2, "b", V_INT(1)))));
    }
    dc_done(&d);
}

void coc_later(int tries)
{
    int64_t ms = tries > 0 ? INT64_C(10) << (tries < 7 ? tries - 1 : 6) : 0;
    (void)nanosleep(&(struct timespec){ 0, (long)(ms * 1000000) }, NULL);
}

/* On a busy machine even what is short takes longer than the time-out, once in a while. That says nothing of the session: it
 * is asked again, each time a little later, because a server may still work on what was given up. */
static bool goes_on(struct dc *d, struct sp_session *b)
{
    int rc = -SP_E_TIMEOUT;
    for (int i = 0; rc == -SP_E_TIMEOUT && i < TRIES; i++) {
        coc_later(i);
        sp_error_clear(&d->err);
        rc = sp_ping(b, &d->err);
    }
    if (!dc_ok(d, "ping after it", rc))
        return false;
    rc = -SP_E_TIMEOUT;
    for (int i = 0; rc == -SP_E_TIMEOUT && i < TRIES; i++) {
        coc_later(i);
        sp_error_clear(&d->err);
        rc = sp_db_read(b, QUERY("longs", .select = NAMES("id"), .where = ID_IS(1)), &d->r, &d->err);
    }
    return dc_ok(d, "a short operation after it", rc) &&
           dc_result_is(d, "a short operation after it",
               &(const struct dc_rows){ .columns = NAMES("id"), .values = VALUES(V_INT(1)) });
}

void coc_statement_timeout(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    int64_t rows, n = 0;
    struct dc d;
    (void)data;
    int64_t took = dc_open(&d, ctx) ? long_table(&d, &rows, 16) : 0;
    if (took > 0 && took < ENOUGH_NS / 4) {
        sp_ctx_error(ctx,
            "a count over %lld long texts took only %lld us: too short for a time-out to be told from it",
            (long long)rows, (long long)(took / 1000));
    } else if (took > 0) {
        struct sp_endpoint e = *sp_session_endpoint(d.s);
        e.statement_timeout_ms = took / 8000000 > 1 ? (int)(took / 8000000) : 1;
        /* Faster once than the first time is possible, five times in a row and eightfold is not. */
        bool ok = coc_open(&d, &e, true, &b);
        int rc = 0;
        for (int i = 0; ok && rc == 0 && i < 5; i++) {
            sp_error_clear(&d.err);
            rc = sp_db_count(b, "longs", &slow, &n, &d.err);
        }
        (void)(ok && dc_refused(&d, "a count beyond its time", SP_E_TIMEOUT, rc) && goes_on(&d, b) &&
               dc_count_is(&d, d.s, "longs", NULL, rows));
    }
    sp_close(b);
    dc_done(&d);
}
