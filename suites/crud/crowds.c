/* crowds.c -- several sessions at one row in the same moment, each in its own thread. Before every round they wait for
 * each other, so that they meet. */
#include "suites/crud/crud.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CROWD = 6, ROUNDS = 12, TRIES = 200, KEYS = 3 };
enum answer { NONE, DONE, REFUSED };

struct member {
    struct sp_session *s;
    pthread_barrier_t *start;
    int64_t number;
    enum answer answer[ROUNDS];
    struct dc_end end; /* what ended it early */
};

/* True when the round is over with this answer; what was lost against another session is tried again. */
static bool settled(struct member *m, int round, int rc, enum sp_code refusal, struct sp_error *err)
{
    bool again = rc == -SP_E_CONFLICT || rc == -SP_E_TIMEOUT;
    if (rc == 0)
        m->answer[round] = DONE;
    else if (refusal != SP_E_OK && rc == -(int)refusal)
        m->answer[round] = REFUSED;
    else if (!again && m->end.rc == 0)
        dc_end_keep(&m->end, rc, err);
    sp_error_clear(err);
    return !again;
}

/* Everybody is there at each round, also who failed before: nobody waits for ever. */
static bool next_round(struct member *m)
{
    (void)pthread_barrier_wait(m->start);
    return m->end.rc == 0;
}

static bool meet(struct dc *d, void *(*job)(void *), struct member m[CROWD])
{
    pthread_t threads[CROWD];
    pthread_barrier_t start;
    size_t started = 0;
    for (size_t i = 0; i < CROWD; i++) {
        m[i] =
            (struct member){ .s = dc_other(d, (unsigned)i + 1), .start = &start, .number = (int64_t)i + 1 };
        if (m[i].s == NULL)
            return false;
    }
    if (pthread_barrier_init(&start, NULL, CROWD) != 0) {
        sp_ctx_error(d->ctx, "could not make a barrier");
        return false;
    }
    for (; started < CROWD && pthread_create(&threads[started], NULL, job, &m[started]) == 0; started++)
        ;
    if (started < CROWD) {
        /* The others wait at the barrier for one that never comes; only the end of the process ends them. */
        fprintf(stderr, "could not start a thread\n");
        abort();
    }
    for (size_t i = 0; i < CROWD; i++)
        (void)pthread_join(threads[i], NULL);
    (void)pthread_barrier_destroy(&start);
    for (size_t i = 0; i < CROWD; i++) {
        if (!dc_end_ok(d, &m[i].end, "a session in the crowd, or a conflict"))
            return false;
    }
    return true;
}

/* ---- one value, many creates ------------------------------------------------------------------------------------------ */

static void *create_same(void *p)
{
    struct member *m = p;
    struct sp_error err = SP_ERROR_INIT;
    for (int round = 0; round < ROUNDS; round++) {
        char name[16];
        (void)snprintf(name, sizeof name, "round %d", round);
        const struct sp_field f[] = { { "id", sp_v_int(round * 100 + m->number) },
            { "category", sp_v_text(name) }, { "value", sp_v_int(m->number) } };
        int tries = 0;
        if (next_round(m))
            while (!settled(m, round, sp_db_insert(m->s, "items", f, 3, &err), SP_E_UNIQUE, &err) &&
                   ++tries < TRIES)
                ;
    }
    return NULL;
}

void crc_concurrent_unique_winner(struct sp_ctx *ctx, const void *data)
{
    const struct sp_unique one = { .name = "one_of_each", .columns = NAMES("category") };
    struct sp_table t = dc_items;
    struct member m[CROWD];
    struct dc d;
    (void)data;
    t.uniques = &one;
    t.nuniques = 1;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &t, NULL) && meet(&d, create_same, m);
    struct sp_value v[ROUNDS * 3];
    char names[ROUNDS][24];
    for (int round = 0; ok && round < ROUNDS; round++) {
        int64_t winners = 0, refused = 0, winner = 0;
        for (size_t i = 0; i < CROWD; i++) {
            winners += m[i].answer[round] == DONE;
            refused += m[i].answer[round] == REFUSED;
            winner = m[i].answer[round] == DONE ? m[i].number : winner;
        }
        ok = sp_check_int(ctx, "sessions that created the same unique value", 1, winners) &&
             sp_check_int(ctx, "sessions that were refused as duplicates", CROWD - 1, refused);
        (void)snprintf(names[round], sizeof names[round], "round %d", round);
        v[3 * round] = sp_v_int(round * 100 + winner);
        v[3 * round + 1] = sp_v_text(names[round]);
        v[3 * round + 2] = sp_v_int(winner);
    }
    const struct dc_rows want = {
        .columns = NAMES("id", "category", "value"), .values = v, .nvalues = SP_LEN(v)
    };
    (void)(ok && dc_holds(&d, d.s, "the winner's rows, and no others", "items", &want));
    dc_done(&d);
}

/* ---- one key, many upserts -------------------------------------------------------------------------------------------- */

static void *upsert_same(void *p)
{
    struct member *m = p;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_result r = SP_RESULT_INIT;
    for (int round = 0; round < ROUNDS; round++) {
        const struct sp_value v[] = { ITEM(round % KEYS, "u", sp_v_int(m->number * 1000 + round)) };
        const struct sp_op op = { .kind = SP_OP_UPSERT,
            .query = { .table = "items", .limit = SP_NO_LIMIT },
            .fields = NAMES("id", "category", "value"),
            .values = v,
            .nrows = 1,
            .key = NAMES("id") };
        int tries = 0;
        if (next_round(m))
            while (!settled(m, round, sp_db_exec(m->s, &op, &r, &err), SP_E_OK, &err) && ++tries < TRIES)
                ;
    }
    sp_result_free(&r);
    return NULL;
}

/* What stands at a key is somebody's last upsert of it. */
static bool is_last(const struct member m[CROWD], int64_t key, int64_t value)
{
    int64_t who = value / 1000 - 1, round = value % 1000;
    if (who < 0 || who >= CROWD || round < 0 || round >= ROUNDS || round % KEYS != key ||
        m[who].answer[round] != DONE)
        return false;
    for (int64_t later = round + KEYS; later < ROUNDS; later += KEYS) {
        if (m[who].answer[later] == DONE)
            return false;
    }
    return true;
}

void crc_concurrent_upsert(struct sp_ctx *ctx, const void *data)
{
    struct member m[CROWD];
    int64_t done = 0;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, NULL) && meet(&d, upsert_same, m) &&
              dc_ok(&d, "read", sp_db_read(d.s, QUERY("items", BY_ID), &d.r, &d.err)) &&
              sp_check_int(ctx, "rows: one per key", KEYS, (int64_t)d.r.nrows);
    for (size_t i = 0; ok && i < CROWD * ROUNDS; i++)
        done += m[i / ROUNDS].answer[i % ROUNDS] == DONE;
    ok = ok && sp_check(ctx, done > 0, "somebody gets through");
    for (int64_t key = 0; ok && key < KEYS; key++) {
        const struct sp_value *id = sp_result_at(&d.r, (size_t)key, "id"),
                              *v = sp_result_at(&d.r, (size_t)key, "value");
        ok = sp_check_value(ctx, "key", &(struct sp_value)V_INT(key), id) &&
             sp_check(ctx, v != NULL && v->tag == SP_INT, "the value is an integer") &&
             sp_check(ctx, is_last(m, key, v->u.i),
                 "what stands at a key is the last upsert of one of the sessions");
    }
    dc_done(&d);
}

/* ---- one counter, many that compare and set ------------------------------------------------------------------------------- */

static int compare_and_set(struct sp_session *s, struct sp_result *r, bool *won, struct sp_error *err)
{
    int64_t n = 0;
    int rc = sp_db_read(s, QUERY("items", .where = ID_IS(1)), r, err);
    const struct sp_value *v = rc == 0 && r->nrows == 1 ? sp_result_at(r, 0, "value") : NULL;
    if (rc == 0 && (v == NULL || v->tag != SP_INT))
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the counter is not there");
    if (rc != 0)
        return rc;
    int64_t seen = v->u.i;
    const struct sp_filter same = F_ALL(F_ON("id", EQ, V_INT(1)), F_ON("value", EQ, sp_v_int(seen)));
    const struct sp_field next = { "value", sp_v_int(seen + 1) };
    rc = sp_db_update(s, "items", &same, &next, 1, &n, err);
    *won = rc == 0 && n == 1;
    return rc;
}

static void *count_up(void *p)
{
    struct member *m = p;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_result r = SP_RESULT_INIT;
    for (int round = 0; round < ROUNDS; round++) {
        bool won = false;
        if (!next_round(m))
            continue;
        for (int tries = 0; !won && m->end.rc == 0 && tries < TRIES; tries++)
            (void)settled(m, round, compare_and_set(m->s, &r, &won, &err), SP_E_OK, &err);
        m->answer[round] = won ? DONE : NONE;
    }
    sp_result_free(&r);
    return NULL;
}

void crc_concurrent_compare_and_set(struct sp_ctx *ctx, const void *data)
{
    struct member m[CROWD];
    int64_t done = 0;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, ITEMS(ITEM(1, "counter", V_INT(0)))) &&
              meet(&d, count_up, m);
    for (size_t i = 0; ok && i < CROWD * ROUNDS; i++)
        done += m[i / ROUNDS].answer[i % ROUNDS] == DONE;
    (void)(ok && sp_check(ctx, done > 0, "somebody gets through") &&
           dc_holds(&d, d.s, "every step that was said to be taken, once", "items",
               ITEMS(ITEM(1, "counter", sp_v_int(done)))));
    dc_done(&d);
}
