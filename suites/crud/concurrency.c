/* concurrency.c -- two sessions at the same rows: first in turns from one thread, then from two threads.
 *
 * In turns nothing may depend on who waits for whom: a call of the second session may be refused with a conflict or
 * a time-out because the first one holds the row; that is an answer. What it may never do is lose a write silently. */
#include "suites/crud/crud.h"

#include <pthread.h>

#define TWO ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)))

static bool two_sessions(struct dc *d, struct sp_ctx *ctx, const struct dc_rows *rows, struct sp_session **b)
{
    *b = dc_open(d, ctx) && dc_table(d, &dc_items, rows) ? dc_other(d, 1) : NULL;
    return *b != NULL;
}

void crc_other_session(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b;
    struct dc d;
    (void)data;
    bool ok = two_sessions(&d, ctx, TWO, &b) && dc_holds(&d, b, "created rows, elsewhere", "items", TWO);
    for (int64_t i = 1; ok && i <= 10; i++) {
        struct sp_session *writer = i % 2 == 0 ? d.s : b, *reader = i % 2 == 0 ? b : d.s;
        int64_t affected = 0;
        const struct sp_value v[] = { ITEM(1, "a", sp_v_int(i * 100)), ITEM(2, "b", V_INT(20)) };
        const struct dc_rows want = {
            .columns = NAMES("id", "category", "value"), .values = v, .nvalues = 6
        };
        ok = dc_ok(&d, "update", dc_set(&d, writer, "items", 1, "value", sp_v_int(i * 100), &affected)) &&
             sp_check_int(ctx, "rows updated", 1, affected) &&
             dc_holds(&d, reader, "the update, elsewhere", "items", &want);
    }
    (void)(ok && dc_delete(&d, b, "items", ID_IS(2), 1) &&
           dc_holds(&d, d.s, "the delete, elsewhere", "items", ITEMS(ITEM(1, "a", V_INT(1000)))));
    dc_done(&d);
}

/* The second session gives up soon instead of waiting for the first, which the same thread would have to end. */
static bool impatient(struct dc *d, struct sp_ctx *ctx, const struct dc_rows *rows, struct sp_session **b)
{
    *b = dc_open(d, ctx) && dc_table(d, &dc_items, rows) ? dc_impatient(d, 300) : NULL;
    return *b != NULL;
}

/* ---- conflicts --------------------------------------------------------------------------------------------------------- */

/* Ends the second transaction, whatever became of it: true in *won if it committed. */
static bool settle(struct dc *d, struct sp_session *b, int rc, bool *won)
{
    if (rc == 0) {
        rc = sp_db_commit(b, &d->err);
        dc_ended(d, b);
    } else {
        struct sp_error first = SP_ERROR_INIT;
        sp_error_move(&first, &d->err);
        (void)sp_db_rollback(b, &d->err);
        dc_ended(d, b);
        sp_error_clear(&d->err);
        sp_error_move(&d->err, &first);
    }
    *won = rc == 0;
    bool ok = rc == 0 || rc == -SP_E_TIMEOUT ||
              sp_check_code(d->ctx, "the transaction that lost", SP_E_CONFLICT, rc, &d->err);
    sp_error_clear(&d->err);
    return ok;
}

/* A read-modify-write of row 1 in an open transaction. */
static int add_to(struct dc *d, struct sp_session *s, int64_t seen, int64_t more)
{
    return dc_set(d, s, "items", 1, "value", sp_v_int(seen + more), NULL);
}

static int value_of(struct dc *d, struct sp_session *s, int64_t *out)
{
    int rc = sp_db_read(s, QUERY("items", .where = ID_IS(1)), &d->r, &d->err);
    const struct sp_value *v = rc == 0 && d->r.nrows == 1 ? sp_result_at(&d->r, 0, "value") : NULL;
    *out = v != NULL && v->tag == SP_INT ? v->u.i : -1;
    return rc;
}

/* Both read, the first writes and commits, then the second writes what it likes. It may lose, or stand: but what it
 * was told is what is there. */
void crc_acknowledged(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b;
    struct dc d;
    (void)data;
    int64_t seen = 0;
    bool won = false;
    bool ok = impatient(&d, ctx, TWO, &b) && dc_begin(&d, d.s, SP_ISO_REPEATABLE) &&
              dc_begin(&d, b, SP_ISO_REPEATABLE) && dc_ok(&d, "first read", value_of(&d, d.s, &seen)) &&
              dc_ok(&d, "second read", value_of(&d, b, &seen)) && sp_check_int(ctx, "read", 10, seen) &&
              dc_ok(&d, "first update", add_to(&d, d.s, seen, 1)) && dc_commit(&d, d.s);
    if (ok && settle(&d, b, add_to(&d, b, seen, 5), &won)) {
        const struct sp_value v[] = { ITEM(1, "a", sp_v_int(won ? 15 : 11)), ITEM(2, "b", V_INT(20)) };
        const struct dc_rows want = {
            .columns = NAMES("id", "category", "value"), .values = v, .nvalues = 6
        };
        (void)dc_holds(&d, d.s, "the last write that was acknowledged", "items", &want);
    }
    dc_done(&d);
}

/* An update that needs no reading first may wait, or fail; if both succeed, the later one stands. */
void crc_lost_update_blind(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b;
    struct dc d;
    (void)data;
    if (impatient(&d, ctx, TWO, &b) && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
        dc_update(&d, d.s, "items", ID_IS(1), LIST(struct sp_field, { "value", V_INT(1) }), 1) &&
        dc_commit(&d, d.s) &&
        dc_update(&d, b, "items", ID_IS(1), LIST(struct sp_field, { "category", V_TEXT("z") }), 1))
        (void)dc_holds(&d, d.s, "both updates, of different columns", "items",
            ITEMS(ITEM(1, "z", V_INT(1)), ITEM(2, "b", V_INT(20))));
    dc_done(&d);
}

/* ---- threads --------------------------------------------------------------------------------------------------------------- */

enum { WORKERS = 2, ROUNDS = 25, PATIENCE = 400 };

struct worker {
    struct sp_session *s;
    int64_t number;
    int64_t done,
        unique;        /* rounds that were acknowledged; of concurrent_unique: those refused as duplicates */
    struct dc_end end; /* what ended it early */
    bool ok;
};

static bool again(int rc)
{
    return rc == -SP_E_CONFLICT || rc == -SP_E_TIMEOUT;
}

static int increment(struct sp_session *s, struct sp_error *err)
{
    const struct sp_txn_opts opts = { .isolation = SP_ISO_SERIALIZABLE };
    struct sp_result r = SP_RESULT_INIT;
    int rc = sp_db_begin(s, &opts, err);
    if (rc != 0)
        return rc;
    rc = sp_db_read(s, QUERY("items", .where = ID_IS(1)), &r, err);
    const struct sp_value *v = rc == 0 && r.nrows == 1 ? sp_result_at(&r, 0, "value") : NULL;
    if (rc == 0 && (v == NULL || v->tag != SP_INT))
        rc = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the counter is not there");
    if (rc == 0)
        rc = sp_db_update(
            s, "items", ID_IS(1), &(const struct sp_field){ "value", sp_v_int(v->u.i + 1) }, 1, NULL, err);
    sp_result_free(&r);
    if (rc == 0)
        return sp_db_commit(s, err);
    (void)sp_db_rollback(s, NULL);
    return rc;
}

static void *count_up(void *p)
{
    struct worker *w = p;
    struct sp_error err = SP_ERROR_INIT;
    int misses = 0;
    while (w->done < ROUNDS && misses < PATIENCE) {
        int rc = increment(w->s, &err);
        if (rc == 0) {
            w->done++;
        } else if (again(rc)) {
            misses++;
            sp_error_clear(&err);
        } else {
            dc_end_keep(&w->end, rc, &err);
            break;
        }
    }
    return NULL;
}

static void *create_rows(void *p)
{
    struct worker *w = p;
    struct sp_error err = SP_ERROR_INIT;
    int misses = 0;
    while (w->done < ROUNDS && misses < PATIENCE) {
        const struct sp_field f[] = { { "id", sp_v_int(w->number * 1000 + w->done) },
            { "category", V_TEXT("w") }, { "value", sp_v_int(w->done) } };
        int rc = sp_db_insert(w->s, "items", f, 3, &err);
        if (rc == 0) {
            w->done++;
        } else if (again(rc)) {
            misses++;
            sp_error_clear(&err);
        } else {
            dc_end_keep(&w->end, rc, &err);
            break;
        }
    }
    return NULL;
}

/* Everybody creates the same keys. */
static void *create_same(void *p)
{
    struct worker *w = p;
    struct sp_error err = SP_ERROR_INIT;
    int misses = 0;
    for (int64_t i = 0; i < ROUNDS && misses < PATIENCE;) {
        const struct sp_field f[] = { { "id", sp_v_int(i) }, { "category", V_TEXT("w") },
            { "value", sp_v_int(w->number) } };
        int rc = sp_db_insert(w->s, "items", f, 3, &err);
        if (rc == 0 || rc == -SP_E_UNIQUE) {
            w->done += rc == 0;
            w->unique += rc != 0;
            i++;
        } else if (again(rc)) {
            misses++;
        } else {
            dc_end_keep(&w->end, rc, &err);
            break;
        }
        sp_error_clear(&err);
    }
    return NULL;
}

static bool run_workers(struct dc *d, void *(*job)(void *), struct worker w[WORKERS])
{
    pthread_t threads[WORKERS];
    size_t started = 0;
    for (size_t i = 0; i < WORKERS; i++) {
        w[i] = (struct worker){ .s = dc_other(d, (unsigned)i + 1), .number = (int64_t)i + 1 };
        if (w[i].s == NULL)
            return false;
    }
    for (; started < WORKERS && pthread_create(&threads[started], NULL, job, &w[started]) == 0; started++)
        ;
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    if (started < WORKERS) {
        sp_ctx_error(d->ctx, "could not start a thread");
        return false;
    }
    for (size_t i = 0; i < WORKERS; i++) {
        if (!dc_end_ok(d, &w[i].end, "a concurrent session, or a conflict"))
            return false;
    }
    return true;
}

void crc_concurrent_counter(struct sp_ctx *ctx, const void *data)
{
    struct worker w[WORKERS];
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, ITEMS(ITEM(1, "counter", V_INT(0)))) &&
        run_workers(&d, count_up, w) && sp_check(ctx, w[0].done + w[1].done > 0, "somebody gets through")) {
        const struct sp_value v[] = { ITEM(1, "counter", sp_v_int(w[0].done + w[1].done)) };
        const struct dc_rows want = {
            .columns = NAMES("id", "category", "value"), .values = v, .nvalues = 3
        };
        (void)dc_holds(&d, d.s, "every acknowledged increment, once", "items", &want);
    }
    dc_done(&d);
}

void crc_concurrent_create(struct sp_ctx *ctx, const void *data)
{
    struct worker w[WORKERS];
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, NULL) && run_workers(&d, create_rows, w) &&
        sp_check(ctx, w[0].done + w[1].done > 0, "somebody gets through")) {
        struct sp_value v[WORKERS * ROUNDS * 3];
        size_t n = 0;
        for (size_t k = 0; k < WORKERS; k++) {
            for (int64_t i = 0; i < w[k].done; i++) {
                v[n++] = sp_v_int(w[k].number * 1000 + i);
                v[n++] = sp_v_text("w");
                v[n++] = sp_v_int(i);
            }
        }
        const struct dc_rows want = {
            .columns = NAMES("id", "category", "value"), .values = v, .nvalues = n
        };
        (void)dc_holds(&d, d.s, "every acknowledged row, once", "items", &want);
    }
    dc_done(&d);
}

void crc_concurrent_unique(struct sp_ctx *ctx, const void *data)
{
    struct worker w[WORKERS];
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, NULL) && run_workers(&d, create_same, w) &&
        sp_check(ctx, w[0].done + w[1].done > 0, "somebody gets through") &&
        dc_ok(&d, "read", sp_db_read(d.s, QUERY("items", BY_ID), &d.r, &d.err)) &&
        sp_check_int(ctx, "rows: one per acknowledged create", w[0].done + w[1].done, (int64_t)d.r.nrows)) {
        int64_t of_first = 0;
        for (size_t i = 0; !sp_ctx_done(ctx) && i < d.r.nrows; i++) {
            const struct sp_value *id = sp_result_at(&d.r, i, "id"), *who = sp_result_at(&d.r, i, "value");
            if (!sp_check_value(ctx, "each key once", &(struct sp_value)V_INT((int64_t)i), id) ||
                !sp_check(ctx, who != NULL && who->tag == SP_INT, "the winner's number"))
                break;
            of_first += who->u.i == 1;
        }
        (void)(!sp_ctx_done(ctx) && sp_check_int(ctx, "rows of the first session", w[0].done, of_first));
    }
    dc_done(&d);
}
