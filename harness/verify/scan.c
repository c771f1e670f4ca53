/* scan.c -- one pass over one or both sides, a thread for each. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "run/run.h"
#include "verify/internal.h"

#define TICK_ROWS 1024u /* between looks at the stop flag */
#define TICK_MS   100   /* between looks at the interrupt, and progress reports */

struct shared {
    pthread_mutex_t lock;
    pthread_cond_t finished;
    int running;
    int stop;
};

/* Lives on its thread's stack: two sides that count in one cache line slow each other down. */
struct side {
    struct sp_vscan *v;
    struct shared *shared;
    uint64_t rows, next_tick;
};

struct thread_arg {
    struct sp_vscan *v;
    struct shared *shared;
};

static int tick(struct side *s)
{
    s->next_tick = s->rows + TICK_ROWS;
    __atomic_store_n(&s->v->progress, s->rows, __ATOMIC_RELAXED);
    return __atomic_load_n(&s->shared->stop, __ATOMIC_RELAXED);
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct side *s = payload;
    if (++s->rows >= s->next_tick && tick(s) != 0)
        return -SP_E_CANCELLED;
    return s->v->row == NULL ? 0 : s->v->row(s->v->payload, row);
}

static void take_results(struct sp_vscan *v, struct sp_rowbuf *rb)
{
    v->digest = rb->digest;
    v->bytes = rb->bytes;
    v->max_row = rb->max_row;
    if (v->scan.ncols != 0)
        memcpy(v->stats, rb->stats, v->scan.ncols * sizeof *v->stats);
}

static int run_scan(struct sp_vscan *v, struct shared *shared)
{
    struct side s = { .v = v, .shared = shared, .next_tick = TICK_ROWS };
    struct sp_rowbuf rb;
    v->stats = calloc(v->scan.ncols + 1, sizeof *v->stats);
    if (v->stats == NULL)
        return sp_nomem(&v->err);
    int rc = sp_rowbuf_init(&rb, &v->scan, &v->err);
    if (rc != 0)
        return rc;
    rb.buckets = v->buckets;
    rb.nbuckets = v->nbuckets;
    rb.sink = on_row;
    rb.payload = &s;
    rc = sp_db_scan(v->session, &v->scan, &rb, &v->err);
    if (rc == 0 && !rb.complete)
        rc = sp_fail(&v->err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
            "table %s: the provider did not confirm the end of the scan", v->scan.table);
    else if (rc == 0 && rb.digest.count != s.rows)
        rc = sp_fail(&v->err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "table %s: rows seen and rows digested do not agree", v->scan.table);
    take_results(v, &rb);
    sp_rowbuf_free(&rb);
    return rc;
}

static void *thread_main(void *arg)
{
    struct thread_arg *a = arg;
    a->v->rc = run_scan(a->v, a->shared);
    pthread_mutex_lock(&a->shared->lock);
    a->v->done = 1;
    a->shared->running--;
    pthread_cond_signal(&a->shared->finished);
    pthread_mutex_unlock(&a->shared->lock);
    return NULL;
}

static void deadline(struct timespec *ts)
{
    clock_gettime(CLOCK_MONOTONIC, ts);
    ts->tv_nsec += TICK_MS * 1000000L;
    if (ts->tv_nsec >= 1000000000L) {
        ts->tv_nsec -= 1000000000L;
        ts->tv_sec++;
    }
}

static void report(struct sp_vctx *c, struct sp_vscan v[2], const char *table, uint64_t total)
{
    if (c->opt->progress == NULL)
        return;
    uint64_t rows =
        __atomic_load_n(&v[0].progress, __ATOMIC_RELAXED) + __atomic_load_n(&v[1].progress, __ATOMIC_RELAXED);
    c->opt->progress(c->opt->payload, table, rows, total);
}

static void stop_scans(struct sp_vscan v[2], struct shared *shared)
{
    __atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++) {
        if (v[i].session == NULL || v[i].done)
            continue;
        const struct sp_provider *p = sp_session_provider(v[i].session);
        if (p->interrupt != NULL)
            p->interrupt(v[i].session);
    }
}

/* Called with the lock held. */
static bool wait_for_end(
    struct sp_vctx *c, struct sp_vscan v[2], struct shared *shared, const char *table, uint64_t total)
{
    bool interrupted = false;
    while (shared->running > 0) {
        struct timespec ts;
        deadline(&ts);
        if (pthread_cond_timedwait(&shared->finished, &shared->lock, &ts) != ETIMEDOUT)
            continue;
        report(c, v, table, total);
        if (sp_interrupted() != 0) {
            interrupted = true;
            stop_scans(v, shared);
        }
    }
    return interrupted;
}

static int shared_init(struct shared *s)
{
    pthread_condattr_t attr;
    *s = (struct shared){ .running = 0 };
    if (pthread_mutex_init(&s->lock, NULL) != 0)
        return -SP_E_NOMEM;
    if (pthread_condattr_init(&attr) != 0) {
        pthread_mutex_destroy(&s->lock);
        return -SP_E_NOMEM;
    }
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int rc = pthread_cond_init(&s->finished, &attr);
    pthread_condattr_destroy(&attr);
    if (rc != 0)
        pthread_mutex_destroy(&s->lock);
    return rc == 0 ? 0 : -SP_E_NOMEM;
}

int sp_v_scan(struct sp_vctx *c, struct sp_vscan v[2], const char *table, uint64_t total)
{
    struct shared shared;
    struct thread_arg args[2];
    pthread_t threads[2];
    bool started[2] = { false, false };

    if (c->rc != 0)
        return c->rc;
    if (sp_interrupted() != 0)
        return c->rc = sp_fail(c->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    if (shared_init(&shared) != 0)
        return sp_v_nomem(c);
    pthread_mutex_lock(&shared.lock);
    for (int i = 0; i < 2; i++) {
        if (v[i].session == NULL)
            continue;
        args[i] = (struct thread_arg){ &v[i], &shared };
        if (pthread_create(&threads[i], NULL, thread_main, &args[i]) != 0) {
            v[i].rc = sp_fail(&v[i].err, SP_E_NOMEM, SP_ORIGIN_HARNESS, "no thread could be started");
            continue;
        }
        started[i] = true;
        shared.running++;
    }
    bool interrupted = wait_for_end(c, v, &shared, table, total);
    pthread_mutex_unlock(&shared.lock);
    for (int i = 0; i < 2; i++)
        if (started[i])
            pthread_join(threads[i], NULL);
    pthread_cond_destroy(&shared.finished);
    pthread_mutex_destroy(&shared.lock);
    for (int i = 0; i < 2; i++)
        c->bytes += v[i].bytes;
    if (interrupted)
        return c->rc = sp_fail(c->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    return 0;
}

void sp_v_scan_init(struct sp_vctx *c, struct sp_vscan *v, enum sp_side side, const struct sp_table *t,
    const struct sp_colplan *cols, size_t ncols, size_t nkey, bool residual)
{
    *v = (struct sp_vscan){ .session = t == NULL ? NULL : c->session[side], .err = SP_ERROR_INIT };
    if (t == NULL)
        return;
    v->scan = (struct sp_scan){ .ns = t->ns,
        .table = t->name,
        .cols = cols,
        .ncols = ncols,
        .nkey = nkey,
        .side = side,
        .residual = residual };
}

void sp_v_scan_pair(struct sp_vctx *c, struct sp_vscan *v, enum sp_side side, const struct sp_vpair *p)
{
    sp_v_scan_init(c, v, side, p->t[side], p->cols, p->ncols, p->nkey, p->residual);
    v->scan.as_stored = c->same_kind;
}

void sp_v_scan_free(struct sp_vscan v[2])
{
    for (int i = 0; i < 2; i++) {
        free(v[i].stats);
        v[i].stats = NULL;
        sp_error_clear(&v[i].err);
    }
}
