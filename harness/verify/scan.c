/* scan.c -- one pass over one or both sides, a thread for each reader. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "run/run.h"
#include "verify/internal.h"
#include "verify/unit.h"

#define TICK_S     0.02   /* between looks at the stop flag, about */
#define TICK_MOST  16384u /* rows */
#define PACED      1024u  /* rows at once where somebody bounds their rate */
#define MEASURED_S 0.2    /* a shorter pass tells no speed */
#define TICK_MS    100    /* between looks at the interrupt, and progress reports */

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
    uint64_t rows, ticked, next_tick;
    struct sp_vunit unit;
    double ticked_s;
};

struct thread_arg {
    struct sp_vscan *v;
    struct shared *shared;
};

static int tick(struct side *s)
{
    if (s->v->pacer == NULL) {
        double now = sp_v_now_s();
        sp_v_unit_done(&s->unit, s->rows - s->ticked, now - s->ticked_s);
        s->ticked_s = now;
    }
    s->next_tick = s->rows + s->unit.size;
    __atomic_store_n(&s->v->progress, s->rows, __ATOMIC_RELAXED);
    if (s->v->pacer != NULL)
        sp_v_gentle_pace(s->v->pacer, s->rows - s->ticked, &s->shared->stop);
    s->ticked = s->rows;
    return __atomic_load_n(&s->shared->stop, __ATOMIC_RELAXED);
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct side *s = payload;
    if (++s->rows >= s->next_tick && tick(s) != 0)
        return -SP_E_CANCELLED;
    if (s->v->sample != NULL)
        sp_v_sample_row(s->v->sample, row);
    return s->v->row == NULL ? 0 : s->v->row(s->v->payload, row);
}

void sp_v_add_stats(struct sp_colstat *to, const struct sp_colstat *from)
{
    to->nulls += from->nulls;
    to->missing += from->missing;
    to->uncoerced += from->uncoerced;
    to->bad_utf8 += from->bad_utf8;
    for (size_t i = 0; i < SP_LEN(to->by_tag); i++)
        to->by_tag[i] += from->by_tag[i];
    for (size_t i = 0; i < SP_LEN(to->touched); i++)
        to->touched[i] += from->touched[i];
}

static void take_results(struct sp_vscan *v, struct sp_rowbuf *rb)
{
    sp_digest_merge(&v->digest, &rb->digest);
    v->bytes += rb->bytes;
    v->max_row = v->max_row > rb->max_row ? v->max_row : rb->max_row;
    for (size_t i = 0; i < v->scan.ncols; i++)
        sp_v_add_stats(&v->stats[i], &rb->stats[i]);
}

static int run_range(struct sp_vscan *v, struct side *s)
{
    struct sp_rowbuf rb;
    uint64_t before = s->rows;
    int rc = sp_rowbuf_init(&rb, &v->scan, &v->err);
    if (rc != 0)
        return rc;
    rb.buckets = v->buckets;
    rb.nbuckets = v->nbuckets;
    rb.ranges = v->ranges;
    rb.ranges_alone = v->ranges_alone;
    rb.no_key = v->row == NULL && v->sample == NULL;
    rb.sink = on_row;
    rb.payload = s;
    v->live = rb.stats;
    rc = sp_db_scan(v->session, &v->scan, &rb, &v->err);
    if (rc == 0 && !rb.complete)
        rc = sp_fail(&v->err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
            "table %s: the provider did not confirm the end of the scan", v->scan.table);
    else if (rc == 0 && rb.digest.count != s->rows - before)
        rc = sp_fail(&v->err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "table %s: rows seen and rows digested do not agree", v->scan.table);
    take_results(v, &rb);
    v->live = NULL;
    sp_rowbuf_free(&rb);
    return rc;
}

/* The whole table, or this reader's ranges one after the other. */
static int run_scan(struct sp_vscan *v, struct shared *shared)
{
    struct side s = { .v = v, .shared = shared, .ticked_s = sp_v_now_s() };
    s.unit = (struct sp_vunit){ .size = 1, .least = 1, .most = TICK_MOST, .target_s = TICK_S };
    if (v->pacer != NULL)
        s.unit.size = sp_pacer_step(v->pacer, PACED);
    s.next_tick = s.unit.size;
    v->stats = calloc(v->scan.ncols + 1, sizeof *v->stats);
    if (v->stats == NULL)
        return sp_nomem(&v->err);
    if (v->bounds == NULL)
        return run_range(v, &s);
    const struct sp_names *b = v->bounds;
    int rc = 0;
    for (size_t k = v->first; rc == 0 && k <= b->n; k += v->step) {
        v->scan.from = k == 0 ? NULL : b->v[k - 1];
        v->scan.to = k == b->n ? NULL : b->v[k];
        rc = run_range(v, &s);
    }
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

/* All readers of one pass. */
struct crew {
    struct sp_vscan *v[2 * SP_V_MAX_READERS];
    struct thread_arg args[2 * SP_V_MAX_READERS];
    pthread_t threads[2 * SP_V_MAX_READERS];
    bool started[2 * SP_V_MAX_READERS];
    size_t n;
};

/* What is read, and how many rows that is. */
struct goal {
    const char *table;
    uint64_t total; /* 0 = not known */
    bool about;
};

static void report(struct sp_vctx *c, const struct crew *w, const struct goal *goal)
{
    uint64_t rows = 0;
    if (c->opt->progress == NULL)
        return;
    for (size_t i = 0; i < w->n; i++)
        rows += __atomic_load_n(&w->v[i]->progress, __ATOMIC_RELAXED);
    c->opt->progress(c->opt->payload, goal->table, rows, goal->total, goal->about);
}

static void stop_scans(const struct crew *w, struct shared *shared)
{
    __atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
    for (size_t i = 0; i < w->n; i++) {
        if (w->v[i]->done)
            continue;
        const struct sp_provider *p = sp_session_provider(w->v[i]->session);
        if (p->interrupt != NULL)
            p->interrupt(w->v[i]->session);
    }
}

/* Called with the lock held. */
static bool wait_for_end(
    struct sp_vctx *c, const struct crew *w, struct shared *shared, const struct goal *goal)
{
    bool interrupted = false, ended = false;
    while (shared->running > 0) {
        struct timespec ts;
        deadline(&ts);
        if (pthread_cond_timedwait(&shared->finished, &shared->lock, &ts) != ETIMEDOUT)
            continue;
        report(c, w, goal);
        if (sp_interrupted() != 0) {
            interrupted = true;
            stop_scans(w, shared);
        } else if (sp_v_gentle_look(c) && !ended) {
            ended = true;
            stop_scans(w, shared);
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

/* Starts the readers and waits for all of them. */
static bool run_crew(struct sp_vctx *c, struct crew *w, struct shared *shared, const struct goal *goal)
{
    pthread_mutex_lock(&shared->lock);
    for (size_t i = 0; i < w->n; i++) {
        struct sp_vscan *v = w->v[i];
        w->args[i] = (struct thread_arg){ v, shared };
        w->started[i] = pthread_create(&w->threads[i], NULL, thread_main, &w->args[i]) == 0;
        if (w->started[i])
            shared->running++;
        else
            v->rc = sp_fail(&v->err, SP_E_NOMEM, SP_ORIGIN_HARNESS, "no thread could be started");
    }
    bool interrupted = wait_for_end(c, w, shared, goal);
    pthread_mutex_unlock(&shared->lock);
    for (size_t i = 0; i < w->n; i++)
        if (w->started[i])
            pthread_join(w->threads[i], NULL);
    return interrupted;
}

/* Reading has ended for the servers' sake: that is why a scan has no end, whatever its session says. */
static void say_why(const struct sp_vctx *c, struct sp_vscan v[2])
{
    for (int i = 0; i < 2; i++) {
        if (v[i].session == NULL || v[i].rc == 0)
            continue;
        sp_error_clear(&v[i].err);
        v[i].rc = sp_fail(&v[i].err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "%s", c->gentle.why);
    }
}

/* How fast a reader of each side was; of few rows that says nothing. */
static void measure(struct sp_vctx *c, const struct sp_vscan v[2], const size_t readers[2], double seconds)
{
    for (int i = 0; i < 2; i++)
        if (v[i].session != NULL && v[i].rc == 0 && seconds >= MEASURED_S && readers[i] != 0)
            c->per_s[i] = (double)v[i].digest.count / seconds / (double)readers[i];
}

static int scan(struct sp_vctx *c, struct sp_vscan v[2], const struct goal *goal)
{
    size_t readers[2] = { 0, 0 };
    struct shared shared;
    struct sp_vparts parts[2];
    struct crew w = { .n = 0 };

    if (c->rc != 0)
        return c->rc;
    if (sp_interrupted() != 0)
        return c->rc = sp_fail(c->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    if (sp_v_gentle_look(c)) {
        v[0].rc = v[1].rc = -SP_E_CANCELLED;
        c->failed_scans++;
        say_why(c, v);
        return 0;
    }
    if (shared_init(&shared) != 0)
        return sp_v_nomem(c);
    for (int i = 0; i < 2; i++) {
        v[i].pacer = c->gentle.paced ? &c->gentle.pacer[i] : NULL;
        sp_v_parts_open(c, &v[i], (enum sp_side)i, goal->total / 2, &parts[i]);
        for (size_t k = 0; k < parts[i].n; k++)
            w.v[w.n++] = &parts[i].readers[k];
        if (parts[i].n == 0 && v[i].session != NULL)
            w.v[w.n++] = &v[i];
        readers[i] = parts[i].n == 0 ? 1 : parts[i].n;
    }
    double started = sp_v_now_s();
    bool interrupted = run_crew(c, &w, &shared, goal);
    double seconds = sp_v_now_s() - started;
    pthread_cond_destroy(&shared.finished);
    pthread_mutex_destroy(&shared.lock);
    for (int i = 0; i < 2; i++) {
        sp_v_parts_close(&parts[i]);
        c->bytes += v[i].bytes;
        c->failed_scans += v[i].session != NULL && v[i].rc != 0;
    }
    if (interrupted)
        return c->rc = sp_fail(c->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    if (c->gentle.why[0] != '\0')
        say_why(c, v);
    measure(c, v, readers, seconds);
    return 0;
}

int sp_v_scan(struct sp_vctx *c, struct sp_vscan v[2], const char *table, uint64_t total)
{
    return scan(c, v, &(struct goal){ table, total, false });
}

/* A side that does not say is taken to be a copy of the other one. */
static uint64_t estimate(struct sp_vctx *c, const struct sp_vscan v[2])
{
    uint64_t rows = 0, sides = 0, known = 0;
    bool wanted = c->opt->progress != NULL || c->nreaders[0] + c->nreaders[1] != 0;
    for (int i = 0; i < 2 && wanted && c->rc == 0; i++) {
        struct sp_error err = SP_ERROR_INIT;
        struct sp_volume volume;
        if (v[i].session == NULL)
            continue;
        sides++;
        if (sp_db_volume(v[i].session, v[i].scan.ns, v[i].scan.table, &volume, &err) == 0 &&
            volume.rows >= 0 && volume.rows < INT64_MAX / 4) {
            rows += (uint64_t)volume.rows;
            known++;
        }
        sp_error_clear(&err);
    }
    return known == 0 ? 0 : rows / known * sides;
}

int sp_v_scan_first(struct sp_vctx *c, struct sp_vscan v[2], const struct sp_vpair *p)
{
    return scan(c, v, &(struct goal){ p->name, estimate(c, v), true });
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
