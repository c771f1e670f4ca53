/* performance.c -- latencies of single operations, one after the other, in one session.
 *
 * Every answer is checked: a fast wrong answer is a failure. Warm-up operations keep the schedule and are not counted.
 * With the setting `p95` (milliseconds) of suite performance the 95th percentile is a promise too. */
#include <stdio.h>

#include "measure/measure.h"
#include "suite.h"
#include "suites/suites.h"

enum { ROWS = 200, BATCH_ROWS = 100 };

struct pf {
    struct sp_ctx *ctx;
    struct sp_session *s;
    const char *bucket;
    struct sp_result r;
    struct sp_buf buf;
    struct sp_error err;
};

static const struct sp_column columns[] = {
    { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "category", .type = { .tag = SP_TEXT, .length = 20 }, .not_null = true },
    { .name = "value", .type = { .tag = SP_INT } },
    { .name = "note", .type = { .tag = SP_TEXT } },
};
static const char *const key[] = { "id" };
static const struct sp_table table = {
    .name = "perf_rows", .columns = columns, .ncolumns = SP_LEN(columns), .pk = key, .npk = 1
};
static const char *const fields[] = { "id", "category", "value", "note" };
static const char *const categories[] = { "alpha", "beta", "gamma", "delta" };

static void row_of(int64_t id, struct sp_value v[4])
{
    v[0] = sp_v_int(id);
    v[1] = sp_v_text(categories[(uint64_t)id % SP_LEN(categories)]);
    v[2] = sp_v_int(id * 3);
    v[3] = sp_v_text("a note of some forty characters, as usual");
}

static int create(struct pf *p, int64_t i)
{
    struct sp_value v[4];
    row_of(ROWS + i, v);
    const struct sp_field f[] = { { fields[0], v[0] }, { fields[1], v[1] }, { fields[2], v[2] },
        { fields[3], v[3] } };
    return sp_db_insert(p->s, table.name, f, 4, &p->err);
}

static int wrong(struct pf *p, const char *what, int64_t want, int64_t got)
{
    return sp_fail(&p->err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "%s: expected %lld, actual %lld", what,
        (long long)want, (long long)got);
}

static int read_key(struct pf *p, int64_t i)
{
    struct sp_value id = sp_v_int(i % ROWS);
    struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &id, .nvalues = 1 };
    struct sp_query q = { .table = table.name, .where = &where, .limit = SP_NO_LIMIT };
    int rc = sp_db_read(p->s, &q, &p->r, &p->err);
    if (rc < 0)
        return rc;
    const struct sp_value *v = p->r.nrows == 1 ? sp_result_at(&p->r, 0, "value") : NULL;
    if (v == NULL || v->tag != SP_INT || v->u.i != i % ROWS * 3)
        return wrong(
            p, "value of the row read by key", i % ROWS * 3, v == NULL || v->tag != SP_INT ? -1 : v->u.i);
    return 0;
}

static int read_filter(struct pf *p, int64_t i)
{
    struct sp_value category = sp_v_text(categories[(uint64_t)i % SP_LEN(categories)]), low = sp_v_int(ROWS);
    struct sp_filter both[] = { { .op = SP_F_EQ, .column = "category", .values = &category, .nvalues = 1 },
        { .op = SP_F_GTE, .column = "value", .values = &low, .nvalues = 1 } };
    struct sp_filter where = { .op = SP_F_AND, .args = both, .nargs = 2 };
    struct sp_order order = { .column = "value", .desc = true };
    struct sp_query q = { .table = table.name, .where = &where, .order = &order, .norder = 1, .limit = 10 };
    int64_t want = -1, got = -1;
    int rc = sp_db_read(p->s, &q, &p->r, &p->err);
    if (rc < 0)
        return rc;
    /* The largest id below ROWS of this category has the largest value. */
    for (int64_t id = ROWS - 1; want < 0; id--)
        if ((uint64_t)id % SP_LEN(categories) == (uint64_t)i % SP_LEN(categories))
            want = id * 3;
    if (p->r.nrows == 10 && sp_result_at(&p->r, 0, "value") != NULL &&
        sp_result_at(&p->r, 0, "value")->tag == SP_INT)
        got = sp_result_at(&p->r, 0, "value")->u.i;
    return got == want ? 0 : wrong(p, "first of ten rows by filter and order", want, got);
}

static int update(struct pf *p, int64_t i)
{
    struct sp_value id = sp_v_int(i % ROWS);
    struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &id, .nvalues = 1 };
    const struct sp_field f[] = { { "value", sp_v_int(i % ROWS * 3) } };
    int64_t affected = -1;
    int rc = sp_db_update(p->s, table.name, &where, f, 1, &affected, &p->err);
    return rc < 0 ? rc : affected == 1 ? 0 : wrong(p, "rows updated by key", 1, affected);
}

static int count(struct pf *p, int64_t i)
{
    int64_t n = -1;
    (void)i;
    int rc = sp_db_count(p->s, table.name, NULL, &n, &p->err);
    return rc < 0 ? rc : n == ROWS ? 0 : wrong(p, "count of all rows", ROWS, n);
}

static int delete (struct pf *p, int64_t i)
{
    struct sp_value id = sp_v_int(ROWS + i);
    struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &id, .nvalues = 1 };
    int64_t affected = -1;
    /* What it deletes is made outside the measured time, see measured(). */
    int rc = sp_db_delete(p->s, table.name, &where, &affected, &p->err);
    return rc < 0 ? rc : affected == 1 ? 0 : wrong(p, "rows deleted by key", 1, affected);
}

static int batch(struct pf *p, int64_t i)
{
    enum { N = BATCH_ROWS };
    struct sp_value v[N * 4];
    int64_t affected = -1;
    for (int64_t k = 0; k < N; k++)
        row_of(ROWS + i * N + k, v + k * 4);
    int rc = sp_db_insert_many(p->s, table.name, fields, 4, v, N, &affected, &p->err);
    return rc < 0 ? rc : affected == N ? 0 : wrong(p, "rows created by create-many", N, affected);
}

static int transaction(struct pf *p, int64_t i)
{
    int rc = sp_db_begin(p->s, NULL, &p->err);
    if (rc < 0)
        return rc;
    rc = read_key(p, i);
    if (rc == 0)
        rc = update(p, i);
    if (rc == 0)
        return sp_db_commit(p->s, &p->err);
    struct sp_error ignored = SP_ERROR_INIT;
    (void)sp_db_rollback(p->s, &ignored);
    sp_error_clear(&ignored);
    return rc;
}

static int ping(struct pf *p, int64_t i)
{
    (void)i;
    return sp_ping(p->s, &p->err);
}

static const char *object_key(char out[32], int64_t i)
{
    snprintf(out, 32, "perf/%lld", (long long)(i % 50));
    return out;
}

static void object_fill(char *out, size_t n, int64_t i)
{
    for (size_t k = 0; k < n; k++)
        out[k] = (char)('a' + (size_t)(i % 50 + (int64_t)k) % 26);
}

static int put(struct pf *p, int64_t i)
{
    char name[32], content[4096];
    object_fill(content, sizeof content, i);
    return sp_blob_put(p->s, p->bucket, object_key(name, i), content, sizeof content, NULL, &p->err);
}

static int get(struct pf *p, int64_t i)
{
    char name[32], want[4096];
    object_fill(want, sizeof want, i);
    sp_buf_clear(&p->buf);
    int rc = sp_blob_get(p->s, p->bucket, object_key(name, i), &p->buf, &p->err);
    if (rc < 0)
        return rc;
    return p->buf.n == sizeof want && memcmp(p->buf.p, want, sizeof want) == 0
               ? 0
               : wrong(p, "bytes of the object as stored", (int64_t)sizeof want, (int64_t)p->buf.n);
}

/* ---- what is left: an acknowledged write that is not there was fast for nothing --------------------------------- */

static int left_rows(struct pf *p, int64_t want)
{
    int64_t n = -1;
    int rc = sp_db_count(p->s, table.name, NULL, &n, &p->err);
    return rc < 0 ? rc : n == want ? 0 : wrong(p, "rows that are there afterwards", want, n);
}

static int left_created(struct pf *p, int64_t n)
{
    return left_rows(p, ROWS + n);
}

static int left_batches(struct pf *p, int64_t n)
{
    return left_rows(p, ROWS + n * BATCH_ROWS);
}

static int left_prepared(struct pf *p, int64_t n)
{
    (void)n;
    return left_rows(p, ROWS);
}

static int left_objects(struct pf *p, int64_t n)
{
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < 50 && i < n; i++)
        rc = get(p, i);
    return rc;
}

/* ---- measuring ----------------------------------------------------------------------------------------------- */

struct operation {
    const char *name;
    int (*run)(struct pf *, int64_t i);
    int (*before)(struct pf *, int64_t i); /* outside the measured time */
    bool objects, rows;
    int (*after)(struct pf *, int64_t n); /* what n operations, all acknowledged, must have left */
};

static bool measured(struct pf *p, const struct operation *op, struct sp_histogram *hist)
{
    int64_t n = sp_ctx_setting(p->ctx, "performance", "operations", sp_ctx_quick(p->ctx) ? 200 : 10000);
    n = n < 1 ? 1 : n > 10000000 ? 10000000 : n;
    int64_t warm_up = n / 10;
    uint64_t begun = sp_clock_ns();
    for (int64_t i = 0; i < warm_up + n; i++) {
        if (op->before != NULL && !sp_check_ok(p->ctx, "preparation", op->before(p, i), &p->err))
            return false;
        uint64_t start = sp_clock_ns();
        int rc = op->run(p, i);
        uint64_t end = sp_clock_ns();
        if (rc < 0)
            return sp_check_ok(p->ctx, op->name, rc, &p->err);
        if (i >= warm_up)
            sp_hist_record(hist, end - start);
        if (i + 1 == warm_up)
            begun = sp_clock_ns();
    }
    struct sp_measure m = { .operation = op->name,
        .basis = "service",
        .hist = hist,
        .duration_s = (double)(sp_clock_ns() - begun) / 1e9 };
    sp_ctx_measure(p->ctx, &m);
    return sp_check_int(p->ctx, "operations that were answered rightly", n, (int64_t)hist->count) &&
           (op->after == NULL ||
               sp_check_ok(p->ctx, "what the operations left", op->after(p, warm_up + n), &p->err));
}

static bool prepare_rows(struct pf *p)
{
    struct sp_value v[ROWS * 4];
    int64_t affected = -1;
    if (!sp_ctx_table(p->ctx, &table))
        return false;
    for (int64_t i = 0; i < ROWS; i++)
        row_of(i, v + i * 4);
    return sp_check_ok(p->ctx, "preparing rows",
        sp_db_insert_many(p->s, table.name, fields, 4, v, ROWS, &affected, &p->err), &p->err);
}

static bool prepare_objects(struct pf *p)
{
    p->bucket = sp_ctx_bucket(p->ctx, "perf");
    for (int64_t i = 0; p->bucket != NULL && i < 50; i++)
        if (!sp_check_ok(p->ctx, "preparing objects", put(p, i), &p->err))
            return false;
    return p->bucket != NULL;
}

static void run_operation(struct sp_ctx *ctx, const void *data)
{
    const struct operation *op = data;
    struct pf p = { .ctx = ctx, .r = SP_RESULT_INIT, .buf = SP_BUF_INIT, .err = SP_ERROR_INIT };
    struct sp_histogram *hist = sp_hist_new();
    p.s = sp_ctx_session(ctx, 0);
    if (hist == NULL)
        sp_ctx_error(ctx, "out of memory for a histogram");
    else if (p.s != NULL && (!op->rows || prepare_rows(&p)) && (!op->objects || prepare_objects(&p)) &&
             measured(&p, op, hist)) {
        int64_t limit_ms = sp_ctx_setting(ctx, "performance", "p95", 0);
        double p95_ms = (double)sp_hist_quantile(hist, 0.95) / 1e6;
        if (limit_ms > 0)
            sp_check_at(ctx, __FILE__, __LINE__, p95_ms <= (double)limit_ms, "95th percentile of the latency",
                sp_arena_printf(sp_ctx_arena(ctx), "at most %lld ms", (long long)limit_ms),
                sp_arena_printf(sp_ctx_arena(ctx), "%.3f ms", p95_ms));
    }
    sp_hist_free(hist);
    sp_result_free(&p.r);
    sp_buf_free(&p.buf);
    sp_error_clear(&p.err);
}

#define ROW_CAPS    SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD)
#define TXN_CAPS    SP_NEEDS(SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_TXN)
#define OBJECT_CAPS SP_NEEDS(SP_CAP_BUCKETS, SP_CAP_PUT, SP_CAP_GET)
#define CASE(id_, caps, what, ...)                                                                           \
    {                                                                                                        \
        .id = "performance." id_, .promise = what, .needs = caps, .timeout_ms = 120000,                      \
        .run = run_operation, .data = &(const struct operation)                                              \
        {                                                                                                    \
            __VA_ARGS__                                                                                      \
        }                                                                                                    \
    }

static const struct sp_case cases[] = {
    CASE("ping", NULL, "round trips are all answered; their latency is measured", "ping", ping, NULL, false,
        false, NULL),
    CASE("create", ROW_CAPS, "creates are all stored; their latency is measured", "create", create, NULL,
        false, true, left_created),
    CASE("read_by_key", ROW_CAPS, "reads by key all give the right row; their latency is measured",
        "read by key", read_key, NULL, false, true, NULL),
    CASE("read_by_filter", ROW_CAPS,
        "filtered, ordered, limited reads are all right; their latency is measured", "read by filter",
        read_filter, NULL, false, true, NULL),
    CASE("update_by_key", ROW_CAPS, "updates by key all change one row; their latency is measured",
        "update by key", update, NULL, false, true, NULL),
    CASE("delete_by_key", ROW_CAPS, "deletes by key all remove one row; their latency is measured",
        "delete by key", delete, create, false, true, left_prepared),
    CASE("count", ROW_CAPS, "counts are all right; their latency is measured", "count", count, NULL, false,
        true, NULL),
    CASE("create_many", ROW_CAPS, "batches of 100 rows are all stored; their latency is measured",
        "create-many of 100", batch, NULL, false, true, left_batches),
    CASE("transaction", TXN_CAPS,
        "transactions of a read and an update all commit; their latency is measured", "transaction",
        transaction, NULL, false, true, NULL),
    CASE("put_4k", OBJECT_CAPS, "puts of 4 KiB are all stored; their latency is measured", "put 4 KiB", put,
        NULL, true, false, left_objects),
    CASE("get_4k", OBJECT_CAPS, "gets of 4 KiB all give the right bytes; their latency is measured",
        "get 4 KiB", get, NULL, true, false, NULL),
    { .id = NULL },
};

const struct sp_suite sp_suite_performance = {
    .name = "performance",
    .summary = "latencies of single operations, every answer checked",
    .cases = cases,
    .alone = true,
};
