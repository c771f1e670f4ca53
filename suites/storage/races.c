/* races.c -- several sessions at one object in the same moment, each in its own thread. */
#include "suites/storage/storage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CROWD = 4, ROUNDS = 6, TRIES = 200, SMALL = 1000, LARGE = 700000 };
enum answer { NONE, STORED, REFUSED };

struct racer {
    struct sp_session *s;
    const char *bucket;
    pthread_barrier_t *start;
    unsigned number;
    const char *etag[ROUNDS]; /* to be replaced; NULL: nothing may be there */
    enum answer answer[ROUNDS];
    int rc; /* what ended it early */
    char text[160];
};

static void give_up(struct racer *r, int rc, struct sp_error *err)
{
    if (r->rc == 0)
        (void)sp_strlcpy(r->text, sp_error_text(err), sizeof r->text);
    r->rc = r->rc == 0 ? rc : r->rc;
    sp_error_clear(err);
}

/* A content of its own for each session and round. */
static size_t content_of(unsigned number, int round, char out[64])
{
    return (size_t)snprintf(out, 64, "session %u, round %d%.*s", number, round, (int)number, "........");
}

static void key_of(int round, char out[24])
{
    (void)snprintf(out, 24, "round-%d", round);
}

/* What was lost against another session is tried again; a condition that does not hold is an answer. */
static void put_once(struct racer *r, int round)
{
    struct sp_put_opts o = { .if_none_match = r->etag[round] == NULL, .if_match = r->etag[round] };
    struct sp_error err = SP_ERROR_INIT;
    char key[24], content[64];
    size_t n = content_of(r->number, round, content);
    int rc = 0;
    key_of(round, key);
    for (int i = 0; i < TRIES; i++) {
        sp_error_clear(&err);
        rc = sp_blob_put(r->s, r->bucket, key, content, n, &o, &err);
        if (rc != -SP_E_CONFLICT && rc != -SP_E_TIMEOUT)
            break;
    }
    r->answer[round] = rc == 0 ? STORED : rc == -SP_E_PRECONDITION ? REFUSED : NONE;
    if (r->answer[round] == NONE)
        give_up(r, rc, &err);
    sp_error_clear(&err);
}

static void *put_all_rounds(void *p)
{
    struct racer *r = p;
    for (int round = 0; round < ROUNDS; round++) {
        (void)pthread_barrier_wait(r->start); /* all come, also who failed before */
        if (r->rc == 0)
            put_once(r, round);
    }
    return NULL;
}

static void start_thread(pthread_t *t, void *(*job)(void *), void *arg)
{
    if (pthread_create(t, NULL, job, arg) == 0)
        return;
    /* The others wait for one that never comes; only the end of the process ends them. */
    fprintf(stderr, "could not start a thread\n");
    abort();
}

static bool went_well(struct st *t, const struct racer *r)
{
    return sp_check_at(t->ctx, __FILE__, __LINE__, r->rc == 0, "a session in the race",
        "success, a condition that does not hold, or a conflict", r->text);
}

static bool race(struct st *t, struct racer r[CROWD])
{
    pthread_t threads[CROWD];
    pthread_barrier_t start;
    for (unsigned i = 0; i < CROWD; i++) {
        r[i].s = sp_ctx_session(t->ctx, i + 1);
        r[i].bucket = t->bucket;
        r[i].number = i + 1;
        r[i].start = &start;
        if (r[i].s == NULL)
            return false;
    }
    if (pthread_barrier_init(&start, NULL, CROWD) != 0) {
        sp_ctx_error(t->ctx, "could not make a barrier");
        return false;
    }
    for (unsigned i = 0; i < CROWD; i++)
        start_thread(&threads[i], put_all_rounds, &r[i]);
    for (unsigned i = 0; i < CROWD; i++)
        (void)pthread_join(threads[i], NULL);
    (void)pthread_barrier_destroy(&start);
    for (unsigned i = 0; i < CROWD; i++)
        if (!went_well(t, &r[i]))
            return false;
    return true;
}

static void one_won(struct st *t, const struct racer r[CROWD])
{
    for (int round = 0; round < ROUNDS; round++) {
        int64_t stored = 0;
        unsigned winner = 0;
        char key[24], content[64];
        key_of(round, key);
        for (unsigned i = 0; i < CROWD; i++) {
            stored += r[i].answer[round] == STORED ? 1 : 0;
            winner = r[i].answer[round] == STORED ? r[i].number : winner;
        }
        size_t n = content_of(winner, round, content);
        if (!sp_check_int(t->ctx, "puts that were stored", 1, stored) || !st_holds(t, key, content, n))
            return;
    }
}

void stc_if_none_match_race(struct sp_ctx *ctx, const void *data)
{
    struct racer r[CROWD] = { { .s = NULL } };
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && race(&t, r))
        one_won(&t, r);
    st_done(&t);
}

void stc_if_match_race(struct sp_ctx *ctx, const void *data)
{
    struct racer r[CROWD] = { { .s = NULL } };
    struct st t;
    (void)data;
    bool ok = st_open(&t, ctx);
    for (int round = 0; ok && round < ROUNDS; round++) {
        struct sp_object o = { 0 };
        char key[24];
        key_of(round, key);
        ok = st_puts(&t, key, "what all want to replace") &&
             st_ok(&t, "head", sp_blob_head(t.s, t.a, t.bucket, key, &o, &t.err));
        for (unsigned i = 0; i < CROWD; i++)
            r[i].etag[round] = o.etag;
    }
    if (ok && race(&t, r))
        one_won(&t, r);
    st_done(&t);
}

/* ---- readers while the object is replaced ---------------------------------------------------------------------------- */

struct reader {
    struct racer r;
    atomic_bool *over;
    atomic_uint read;
};

/* One content or the other, whole. */
static bool is_whole(const struct sp_buf *b)
{
    char letter = b->n == LARGE ? 'L' : 's';
    if (b->n != LARGE && b->n != SMALL)
        return false;
    for (size_t i = 0; i < b->n; i++)
        if (b->p[i] != letter)
            return false;
    return true;
}

static void *read_on(void *p)
{
    struct reader *r = p;
    struct sp_buf b = SP_BUF_INIT;
    while (r->r.rc == 0 && !atomic_load(r->over)) {
        struct sp_error err = SP_ERROR_INIT;
        sp_buf_clear(&b);
        int rc = sp_blob_get(r->r.s, r->r.bucket, "k", &b, &err);
        if (rc == 0 && !is_whole(&b))
            rc = sp_fail(&err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
                "%zu bytes that are neither the one content nor the other", b.n);
        if (rc == 0)
            atomic_fetch_add(&r->read, 1);
        else if (rc != -SP_E_CONFLICT && rc != -SP_E_TIMEOUT)
            give_up(&r->r, rc, &err);
        sp_error_clear(&err);
    }
    sp_buf_free(&b);
    return NULL;
}

/* Each of them has read several times. */
static bool read_enough(const struct reader *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (atomic_load(&r[i].read) < 5)
            return false;
    return true;
}

void stc_replace_while_read(struct sp_ctx *ctx, const void *data)
{
    enum { READERS = 2 };
    struct reader r[READERS] = { { .over = NULL } };
    pthread_t threads[READERS];
    atomic_bool over = false;
    struct st t;
    (void)data;
    bool ok = st_open(&t, ctx);
    char *small = ok ? sp_arena_alloc(t.a, SMALL) : NULL, *large = ok ? sp_arena_alloc(t.a, LARGE) : NULL;
    ok = ok && small != NULL && large != NULL;
    if (ok) {
        memset(small, 's', SMALL);
        memset(large, 'L', LARGE);
        ok = st_put(&t, "k", small, SMALL, NULL);
    }
    for (unsigned i = 0; ok && i < READERS; i++) {
        r[i].r.s = sp_ctx_session(ctx, i + 1);
        r[i].r.bucket = t.bucket;
        r[i].over = &over;
        ok = r[i].r.s != NULL;
    }
    for (unsigned i = 0; ok && i < READERS; i++)
        start_thread(&threads[i], read_on, &r[i]);
    for (int k = 0; ok && k < 300 && !sp_ctx_done(ctx) && (k < 12 || !read_enough(r, READERS)); k++)
        (void)(k % 2 == 0 ? st_put(&t, "k", large, LARGE, NULL) : st_put(&t, "k", small, SMALL, NULL));
    atomic_store(&over, true);
    for (unsigned i = 0; ok && i < READERS; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = 0; ok && i < READERS; i++)
        ok = went_well(&t, &r[i].r);
    if (ok)
        sp_check(ctx, atomic_load(&r[0].read) + atomic_load(&r[1].read) > 0, "something was read meanwhile");
    st_done(&t);
}
