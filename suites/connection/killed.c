/* killed.c -- a server that dies without a clean end, in the middle of work. What it acknowledged is there afterwards;
 * of what it did not, nobody knows, but nothing is there in part. */
#include "suites/connection/connection.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* ---- writers ---------------------------------------------------------------------------------------------------- */

enum { WRITERS = 4, ROUNDS = 3, ENOUGH = 150, WAIT_MS = 5000, HANG_MS = 30000, PER_WRITER = 1000000 };

struct writer {
    struct sp_session *s;
    int64_t number;
    bool pairs;            /* two rows in a transaction; else one row alone */
    _Atomic int64_t acked; /* 0 .. acked-1 were acknowledged */
    atomic_bool ended;
    struct sp_error err; /* of the one that was not */
    int rc;
};

static int write_row(struct writer *w, int64_t id, struct sp_error *err)
{
    const struct sp_field f[] = { { "id", sp_v_int(w->number * PER_WRITER + id) },
        { "category", V_TEXT("w") }, { "value", sp_v_int(id) } };
    return sp_db_insert(w->s, "items", f, 3, err);
}

/* Number i: rows 2i and 2i+1 together, or row 2i. */
static int write_one(struct writer *w, int64_t i, struct sp_error *err)
{
    if (!w->pairs)
        return write_row(w, 2 * i, err);
    int rc = sp_db_begin(w->s, NULL, err);
    if (rc != 0)
        return rc;
    rc = write_row(w, 2 * i, err);
    if (rc == 0)
        rc = write_row(w, 2 * i + 1, err);
    if (rc == 0)
        return sp_db_commit(w->s, err);
    (void)sp_db_rollback(w->s, NULL);
    return rc;
}

static void *write_on(void *p)
{
    struct writer *w = p;
    while (w->rc == 0 && 2 * w->acked + 1 < PER_WRITER) {
        w->rc = write_one(w, w->acked, &w->err);
        if (w->rc == 0)
            atomic_fetch_add(&w->acked, 1);
    }
    atomic_store(&w->ended, true);
    return NULL;
}

static void nap(void)
{
    (void)nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
}

static int64_t all_acked(struct writer *w, int64_t *alive)
{
    int64_t n = 0;
    *alive = 0;
    for (size_t i = 0; i < WRITERS; i++) {
        n += atomic_load(&w[i].acked);
        *alive += !atomic_load(&w[i].ended);
    }
    return n;
}

/* Every writer hears that the server is gone, instead of waiting for it for ever. */
static bool writers_end(struct dc *d, struct writer *w)
{
    int64_t from = coc_now_ns(), alive = WRITERS;
    while (alive > 0 && coc_now_ns() - from < (int64_t)HANG_MS * 1000000) {
        (void)all_acked(w, &alive);
        nap();
    }
    for (size_t i = 0; alive > 0 && i < WRITERS; i++) {
        if (!atomic_load(&w[i].ended) && sp_session_provider(w[i].s)->interrupt != NULL)
            sp_session_provider(w[i].s)->interrupt(w[i].s);
    }
    return sp_check_int(d->ctx, "writers that wait for a killed server", 0, alive);
}

/* Starts them, kills the server under them, and waits for their ends. */
static bool write_and_kill(struct dc *d, struct writer *w)
{
    pthread_t threads[WRITERS];
    size_t started = 0;
    int64_t from = coc_now_ns(), alive = WRITERS;
    for (; started < WRITERS && pthread_create(&threads[started], NULL, write_on, &w[started]) == 0;
         started++)
        ;
    while (started == WRITERS && all_acked(w, &alive) < ENOUGH && alive > 0 &&
           coc_now_ns() - from < (int64_t)WAIT_MS * 1000000)
        nap();
    bool ok = sp_ctx_server(d->ctx, SP_SERVER_KILL) && writers_end(d, w);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    if (started < WRITERS)
        sp_ctx_error(d->ctx, "could not start a thread");
    return ok && started == WRITERS;
}

/* Rows of one writer: 0 .. acked-1 all there and whole; number `acked` whole or absent, and there only if its writer
 * was told that it may be; nothing behind. */
static bool kept_of(struct dc *d, struct sp_session *s, struct writer *w)
{
    const struct sp_filter mine = F_ALL(F_ON("id", GTE, sp_v_int(w->number * PER_WRITER)),
        F_ON("id", LT, sp_v_int((w->number + 1) * PER_WRITER)));
    int64_t each = w->pairs ? 2 : 1, acked = w->acked;
    if (!dc_ok(
            d, "reading what is there", sp_db_read(s, QUERY("items", BY_ID, .where = &mine), &d->r, &d->err)))
        return false;
    int64_t rows = (int64_t)d->r.nrows;
    bool one_more = rows == (acked + 1) * each;
    if (!sp_check_at(d->ctx, __FILE__, __LINE__, one_more || rows == acked * each,
            "rows of one writer after the kill",
            sp_arena_printf(d->a, "%lld acknowledged, or one more", (long long)(acked * each)),
            sp_arena_printf(d->a, "%lld", (long long)rows)))
        return false;
    for (int64_t i = 0; i < rows; i++) {
        int64_t id = (i / each) * 2 + i % each;
        const struct sp_value *key = sp_result_at(&d->r, (size_t)i, "id");
        const struct sp_value *v = sp_result_at(&d->r, (size_t)i, "value");
        if (!sp_check_value(
                d->ctx, "row of a writer", &(struct sp_value)V_INT(w->number * PER_WRITER + id), key) ||
            !sp_check_value(d->ctx, "its value", &(struct sp_value)V_INT(id), v))
            return false;
    }
    return !one_more || sp_check_text(d->ctx, "effect that was said of a write that is there", "unknown",
                            sp_effect_name(w->err.effect));
}

static bool one_round(struct dc *d, bool pairs, int64_t round, struct sp_session **after)
{
    struct writer w[WRITERS];
    bool ok = true;
    memset(w, 0, sizeof w);
    for (size_t i = 0; i < WRITERS; i++) {
        w[i].number = round * WRITERS + (int64_t)i + 1;
        w[i].pairs = pairs;
        w[i].err = (struct sp_error)SP_ERROR_INIT;
        ok = ok && coc_open(d, sp_session_endpoint(d->s), true, &w[i].s);
    }
    int64_t alive;
    ok = ok && write_and_kill(d, w) && sp_check(d->ctx, all_acked(w, &alive) > 0, "somebody gets through");
    for (size_t i = 0; ok && i < WRITERS; i++)
        ok = coc_gone(d, "a write that lost its server", true, w[i].rc);
    ok = ok && coc_again(d, SP_SERVER_START, after);
    for (size_t i = 0; ok && i < WRITERS; i++)
        ok = kept_of(d, *after, &w[i]);
    for (size_t i = 0; i < WRITERS; i++) {
        sp_close(w[i].s);
        sp_error_clear(&w[i].err);
    }
    return ok;
}

/* It is gone with the server, which may also say so itself once it is back. */
static bool not_committed(struct dc *d, struct sp_session *s)
{
    int rc = sp_db_commit(s, &d->err);
    bool known = rc == -SP_E_CONFLICT || rc == -SP_E_UNAVAILABLE || rc == -SP_E_OUTCOME_UNKNOWN;
    bool ok = sp_check_at(d->ctx, __FILE__, __LINE__, known, "committing what was open over the kill",
        "conflict, unavailable or outcome unknown", rc == 0 ? "success" : sp_code_name((enum sp_code) - rc));
    sp_error_clear(&d->err);
    return ok;
}

static void killed_under_writers(struct sp_ctx *ctx, bool pairs)
{
    struct sp_session *open = NULL, *after = NULL;
    const struct sp_filter uncommitted = F_ON("category", EQ, V_TEXT("open"));
    struct dc d;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, NULL);
    int64_t rounds = sp_ctx_quick(ctx) ? ROUNDS - 1 : ROUNDS;
    for (int64_t i = 0; ok && i < rounds; i++) {
        /* One transaction stays open over the kill. */
        if (pairs)
            ok = coc_open(&d, sp_session_endpoint(d.s), true, &open) &&
                 dc_ok(&d, "begin", sp_db_begin(open, NULL, &d.err)) &&
                 dc_create(&d, open, "items", ITEMS(ITEM(-1, "open", V_NULL)));
        ok = ok && one_round(&d, pairs, i, &after);
        if (ok && pairs)
            ok = not_committed(&d, open) && dc_count_is(&d, after, "items", &uncommitted, 0);
        sp_close(open);
        sp_close(after);
        open = after = NULL;
    }
    dc_done(&d);
}

void coc_killed_in_writes(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    killed_under_writers(ctx, false);
}

void coc_killed_in_transaction(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    killed_under_writers(ctx, true);
}

/* ---- a scan, a bulk load ----------------------------------------------------------------------------------------- */

/* More than what stands in the buffers between server and client. */
enum { LONG_ROWS = 10000, LONG_BYTES = 4000, AT_ONCE = 250, KILL_AT = 20 };

static const char *long_text(struct dc *d)
{
    char *text = sp_arena_alloc(d->a, LONG_BYTES + 1);
    if (text != NULL) {
        memset(text, 'x', LONG_BYTES);
        text[LONG_BYTES] = '\0';
    }
    return text;
}

static bool fill(struct dc *d, const char *text)
{
    struct sp_value v[AT_ONCE * 3];
    bool ok = true;
    for (int64_t at = 0; ok && at < LONG_ROWS; at += AT_ONCE) {
        for (int64_t i = 0; i < AT_ONCE; i++) {
            v[3 * i] = sp_v_int(at + i + 1);
            v[3 * i + 1] = sp_v_textn(text, LONG_BYTES);
            v[3 * i + 2] = sp_v_int(at + i);
        }
        const struct dc_rows rows = {
            .columns = NAMES("id", "category", "value"), .values = v, .nvalues = SP_LEN(v)
        };
        ok = dc_create(d, d->s, "items", &rows);
    }
    return ok;
}

struct seen {
    struct sp_ctx *ctx;
    uint64_t rows, kill_at; /* 0 = not */
    bool killed;
};

static int on_row(void *p, const struct sp_rowview *row)
{
    struct seen *seen = p;
    (void)row;
    if (++seen->rows == seen->kill_at)
        seen->killed = sp_ctx_server(seen->ctx, SP_SERVER_KILL);
    return 0;
}

static int scan(struct dc *d, struct sp_session *s, struct seen *seen, bool *complete)
{
    const struct sp_colplan cols[] = {
        { .name = "id", .source = "id", .target = "id", .type = { .tag = SP_INT }, .key = true },
        { .name = "category", .source = "category", .target = "category", .type = { .tag = SP_TEXT } },
        { .name = "value", .source = "value", .target = "value", .type = { .tag = SP_INT } },
    };
    const char *ns =
        sp_ctx_cap(d->ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES ? sp_ctx_namespace(d->ctx) : NULL;
    const struct sp_scan what = {
        .ns = ns, .table = "items", .cols = cols, .ncols = SP_LEN(cols), .nkey = 1
    };
    struct sp_rowbuf rb;
    int rc = sp_rowbuf_init(&rb, &what, &d->err);
    if (rc != 0)
        return rc;
    rb.sink = on_row;
    rb.payload = seen;
    rc = sp_db_scan(s, &what, &rb, &d->err);
    *complete = rb.complete;
    sp_rowbuf_free(&rb);
    return rc;
}

void coc_killed_in_scan(struct sp_ctx *ctx, const void *data)
{
    struct seen broken = { .ctx = ctx, .kill_at = KILL_AT }, whole = { .ctx = ctx };
    struct sp_session *b = NULL;
    bool complete = false;
    struct dc d;
    (void)data;
    const char *text = dc_open(&d, ctx) ? long_text(&d) : NULL;
    if (text != NULL && dc_table(&d, &dc_items, NULL) && fill(&d, text)) {
        int64_t from = coc_now_ns();
        int rc = scan(&d, d.s, &broken, &complete);
        /* Who got every row may say so, although the server is gone by then. */
        bool all = rc == 0 && complete && broken.rows == LONG_ROWS;
        (void)(sp_check(ctx, broken.killed, "the server was killed in the middle of the scan") &&
               (all || coc_gone(&d, "a scan that lost its server", false, rc)) &&
               sp_check(ctx, all || !complete, "a broken scan is not complete") &&
               coc_in_time(&d, "its end", from, 120000) && coc_again(&d, SP_SERVER_START, &b) &&
               dc_ok(&d, "a scan after the restart", scan(&d, b, &whole, &complete)) &&
               sp_check(ctx, complete, "it is complete") &&
               sp_check_int(ctx, "its rows", LONG_ROWS, (int64_t)whole.rows));
        sp_error_clear(&d.err);
    }
    sp_close(b);
    dc_done(&d);
}

/* Loads rows, kills the server before row `kill_at`, goes on, and closes as if nothing had been. */
static bool load_and_kill(
    struct dc *d, struct sp_session *s, const char *text, int64_t rows, int64_t kill_at, enum sp_effect *said)
{
    static const char *const columns[] = { "id", "category", "value" };
    struct sp_load *l = NULL;
    uint64_t loaded = 0;
    bool killed = true;
    if (!dc_ok(d, "opening a bulk load", sp_db_load_open(s, "items", columns, 3, &l, &d->err)))
        return false;
    int rc = 0;
    for (int64_t i = 1; rc == 0 && killed && i <= rows; i++) {
        const struct sp_value v[] = { sp_v_int(100 + i), sp_v_textn(text, LONG_BYTES), sp_v_int(i) };
        if (i == kill_at)
            killed = sp_ctx_server(d->ctx, SP_SERVER_KILL);
        rc = killed ? sp_db_load_row(s, l, v, &d->err) : 0;
    }
    if (killed && kill_at > rows)
        killed = sp_ctx_server(d->ctx, SP_SERVER_KILL);
    sp_error_clear(&d->err);
    rc = sp_db_load_close(s, l, killed, &loaded, &d->err);
    *said = d->err.effect;
    return killed && coc_gone(d, "closing a bulk load that lost its server", true, rc) &&
           sp_check_int(d->ctx, "rows that it confirmed", 0, (int64_t)loaded);
}

/* Some backends have no way to take back what a dead server had; then the load must have said that it cannot know. */
static bool rest_of_load(
    struct dc *d, struct sp_session *s, const struct dc_rows *before, enum sp_effect said)
{
    const struct sp_filter old = F_ON("id", LT, V_INT(100)), new = F_ON("id", GT, V_INT(100));
    int64_t n = 0;
    if (!dc_ok(d, "count", sp_db_count(s, "items", &new, &n, &d->err)) ||
        !dc_read_is(d, s, "the rows from before the load", QUERY("items", BY_ID, .where = &old), before) ||
        (n != 0 && !sp_check_text(d->ctx, "effect that was said of a load of which rows are there", "unknown",
                       sp_effect_name(said))))
        return false;
    sp_ctx_observe(d->ctx, "a bulk load whose server was killed", "%s",
        n == 0 ? "leaves nothing" : "leaves a part of its rows, and says that it cannot know");
    return dc_ok(d, "removing what is left", sp_db_delete(s, "items", &new, NULL, &d->err)) &&
           dc_holds(d, s, "the table as it was", "items", before);
}

void coc_killed_in_bulk_load(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows *const before = ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL));
    struct sp_session *b = NULL, *c = NULL;
    enum sp_effect said = SP_EFFECT_NONE;
    struct dc d;
    (void)data;
    const char *text = dc_open(&d, ctx) ? long_text(&d) : NULL;
    (void)(text != NULL && dc_table(&d, &dc_items, before) &&
           load_and_kill(&d, d.s, text, LONG_ROWS, LONG_ROWS / 2, &said) &&
           coc_again(&d, SP_SERVER_START, &b) && rest_of_load(&d, b, before, said) &&
           load_and_kill(&d, b, text, 50, 51, &said) && coc_again(&d, SP_SERVER_START, &c) &&
           dc_holds(&d, c, "the table as it was, after a kill before the end", "items", before));
    sp_close(b);
    sp_close(c);
    dc_done(&d);
}
