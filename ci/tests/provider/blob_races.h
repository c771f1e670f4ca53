/* blob_races.h -- several sessions on the same keys at once. The test that includes it has included blob_cases.h and
 * defines BLOB_ANOTHER(), which opens one more session. */
#ifndef SP_TEST_BLOB_RACES_H
#define SP_TEST_BLOB_RACES_H

#include <pthread.h>

enum { RACERS = 4, ROUNDS = 25, RANDOM_OPS = 120 };

struct racer {
    struct sp_session *s;
    pthread_barrier_t *line;
    pthread_t thread;
    unsigned number;
    const char *etag; /* NULL: if-none-match */
    int rc[ROUNDS];
    char trouble[256];
};

static void start_racers(struct racer *r, void *(*run)(void *))
{
    static pthread_barrier_t line;
    assert_int_equal(pthread_barrier_init(&line, NULL, RACERS), 0);
    for (unsigned i = 0; i < RACERS; i++) {
        r[i].s = BLOB_ANOTHER();
        r[i].line = &line;
        r[i].number = i;
    }
    for (unsigned i = 0; i < RACERS; i++)
        assert_int_equal(pthread_create(&r[i].thread, NULL, run, &r[i]), 0);
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(r[i].thread, NULL), 0);
        sp_close(r[i].s);
    }
    pthread_barrier_destroy(&line);
    for (unsigned i = 0; i < RACERS; i++)
        if (r[i].trouble[0] != '\0')
            fail_msg("session %u: %s", i, r[i].trouble);
}

/* Some of the contents are larger than a chunk. */
static void *put_once(void *arg)
{
    struct racer *r = arg;
    for (unsigned k = 0; k < ROUNDS; k++) {
        struct sp_error e = SP_ERROR_INIT;
        struct sp_arena a = SP_ARENA_INIT;
        struct stream content = { 0, 1000 * (r->number + 1) + (k % 3 == 0 ? 300000u : 0u), 0 };
        struct sp_put_opts o = { .if_none_match = r->etag == NULL, .if_match = r->etag };
        char key[16];
        snprintf(key, sizeof key, "race-%u", k);
        pthread_barrier_wait(r->line);
        r->rc[k] = sp_blob_put_stream(r->s, &a, "b", key, produce, &content, &o, NULL, &e);
        if (r->rc[k] != 0 && r->rc[k] != -SP_E_PRECONDITION)
            snprintf(r->trouble, sizeof r->trouble, "round %u: %s", k, sp_error_text(&e));
        sp_error_clear(&e);
        sp_arena_free(&a);
    }
    return NULL;
}

static void one_wins(const struct racer *r)
{
    for (unsigned k = 0; k < ROUNDS; k++) {
        unsigned wins = 0, winner = 0;
        struct sp_object o;
        char key[16];
        snprintf(key, sizeof key, "race-%u", k);
        for (unsigned i = 0; i < RACERS; i++)
            if (r[i].rc[k] == 0) {
                wins++;
                winner = i;
            }
        assert_int_equal(wins, 1);
        struct stream got = { 0, 0, 0 };
        OK(sp_blob_get_stream(BLOB, &arena, "b", key, 0, SP_TO_END, verify, &got, &o, &err));
        assert_int_equal(o.size, 1000 * (winner + 1) + (k % 3 == 0 ? 300000u : 0u));
    }
}

static void test_race_none_match(void **state)
{
    static struct racer r[RACERS];
    (void)state;
    memset(r, 0, sizeof r);
    start_racers(r, put_once);
    one_wins(r);
}

static void test_race_match(void **state)
{
    static struct racer r[RACERS];
    struct sp_object o = { 0 };
    (void)state;
    memset(r, 0, sizeof r);
    for (unsigned k = 0; k < ROUNDS; k++) {
        char key[16];
        snprintf(key, sizeof key, "race-%u", k);
        OK(sp_blob_put(BLOB, "b", key, "start", 5, NULL, &err));
        OK(sp_blob_head(BLOB, &arena, "b", key, &o, &err));
    }
    for (unsigned i = 0; i < RACERS; i++)
        r[i].etag = o.etag;
    start_racers(r, put_once);
    one_wins(r);
}

/* A content that tells of itself: every object is one that somebody put, whole. */
static int do_something(struct racer *r, struct sp_rng *rng, struct sp_error *e)
{
    struct sp_arena a = SP_ARENA_INIT;
    static const char *const keys[] = { "one", "two", "three" };
    static const uint64_t sizes[] = { 0, 10, 262144, 300000, 600001 };
    const char *key = keys[sp_rng_below(rng, 3)], *other = keys[sp_rng_below(rng, 3)], *cursor = NULL;
    struct stream s = { 0, sizes[sp_rng_below(rng, 5)], 0 };
    struct sp_object *page, o;
    size_t n;
    int rc;
    switch (sp_rng_below(rng, 8)) {
    case 0:
    case 1:
        rc = sp_blob_put_stream(r->s, &a, "b", key, produce, &s, NULL, NULL, e);
        break;
    case 2:
        rc = sp_blob_delete(r->s, "b", key, e);
        break;
    case 3:
        rc = sp_blob_copy(r->s, "b", key, other, e);
        break;
    case 4:
        rc = sp_blob_move(r->s, "b", key, other, e);
        break;
    case 5:
        rc = sp_blob_list(r->s, &a, "b", "", NULL, &cursor, 10, &page, &n, e);
        break;
    default:
        s = (struct stream){ 0, 0, 0 };
        rc = sp_blob_get_stream(r->s, &a, "b", key, 0, SP_TO_END, verify, &s, &o, e);
        if (rc == 0 && s.at != o.size)
            rc = sp_fail(e, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "%llu of %llu bytes", (unsigned long long)s.at,
                (unsigned long long)o.size);
    }
    sp_arena_free(&a);
    return rc;
}

static void *do_anything(void *arg)
{
    struct racer *r = arg;
    struct sp_rng rng;
    sp_rng_seed(&rng, 4711 + r->number);
    pthread_barrier_wait(r->line);
    for (unsigned k = 0; k < RANDOM_OPS && r->trouble[0] == '\0'; k++) {
        struct sp_error e = SP_ERROR_INIT;
        int rc = do_something(r, &rng, &e);
        if (rc != 0 && rc != -SP_E_NOT_FOUND && rc != -SP_E_CONFLICT)
            snprintf(r->trouble, sizeof r->trouble, "operation %u: %s", k, sp_error_text(&e));
        sp_error_clear(&e);
    }
    return NULL;
}

static void race_anything(void)
{
    static struct racer r[RACERS];
    memset(r, 0, sizeof r);
    start_racers(r, do_anything);
}

#endif
