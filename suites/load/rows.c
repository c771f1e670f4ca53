/* rows.c -- many users write rows at once: what was acknowledged is there, exactly once, and nothing else is. */
#include "suites/load/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct sp_column row_columns[] = {
    { .name = "id", .type = { .tag = SP_TEXT, .length = 40 }, .not_null = true },
    { .name = "owner", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "seq", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "value", .type = { .tag = SP_INT } },
};
static const char *const row_key[] = { "id" };
const struct sp_table ld_rows_table = {
    .name = "load_rows", .columns = row_columns, .ncolumns = SP_LEN(row_columns), .pk = row_key, .npk = 1
};
static const char *const row_fields[] = { "id", "owner", "seq", "value" };

int64_t ld_value(unsigned user, uint64_t seq)
{
    return (int64_t)((uint64_t)user * 1000003 + seq * 7919 + 17);
}

static void row_id(char out[40], unsigned user, uint64_t seq)
{
    snprintf(out, 40, "%u-%llu", user, (unsigned long long)seq);
}

static int insert_row(struct ld_user *u, uint64_t seq, struct sp_error *err)
{
    char id[40];
    row_id(id, u->index, seq);
    const struct sp_field fields[] = { { "id", sp_v_text(id) }, { "owner", sp_v_int(u->index) },
        { "seq", sp_v_int((int64_t)seq) }, { "value", sp_v_int(ld_value(u->index, seq)) } };
    return sp_db_insert(u->s, ld_rows_table.name, fields, SP_LEN(fields), err);
}

/* One row of the table against the books; `seen` counts per user and sequence number. */
static bool row_fits(struct ld_crew *crew, const struct sp_result *r, size_t row, unsigned char *seen)
{
    const struct sp_value *id = sp_result_at(r, row, "id"), *owner = sp_result_at(r, row, "owner"),
                          *seq = sp_result_at(r, row, "seq"), *value = sp_result_at(r, row, "value");
    if (!sp_check(crew->ctx, id != NULL && owner != NULL && seq != NULL && value != NULL,
            "a row has all columns") ||
        !sp_check(crew->ctx, owner->tag == SP_INT && owner->u.i >= 0 && owner->u.i < crew->n,
            "the owner is a user") ||
        !sp_check(crew->ctx, seq->tag == SP_INT && seq->u.i >= 0 && (uint64_t)seq->u.i < crew->per_user,
            "the number is one that was written"))
        return false;
    unsigned user = (unsigned)owner->u.i;
    uint64_t number = (uint64_t)seq->u.i;
    char text[40];
    row_id(text, user, number);
    struct sp_value want_id = sp_v_text(text), want = sp_v_int(ld_value(user, number));
    struct ld_user *u = &crew->users[user];
    size_t at = (size_t)user * (size_t)crew->per_user + (size_t)number;
    if (!sp_check_value(crew->ctx, "id", &want_id, id) || !sp_check_value(crew->ctx, "value", &want, value) ||
        !sp_check(crew->ctx, u->acked[number] || u->unsure[number], "the row was acknowledged") ||
        !sp_check(crew->ctx, seen[at] == 0, "the row is there once"))
        return false;
    seen[at] = 1;
    return true;
}

bool ld_holds_acked(struct ld_crew *crew)
{
    struct sp_result r = SP_RESULT_INIT;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_query q = { .table = ld_rows_table.name, .limit = SP_NO_LIMIT };
    struct sp_session *s = sp_ctx_session(crew->ctx, 0);
    unsigned char *seen = calloc((size_t)crew->n * (size_t)crew->per_user + 1, 1);
    if (seen == NULL)
        sp_ctx_error(crew->ctx, "out of memory for the books of %u users", crew->n);
    bool ok = s != NULL && seen != NULL &&
              sp_check_ok(crew->ctx, "read of all rows", sp_db_read(s, &q, &r, &err), &err);
    for (size_t i = 0; ok && i < r.nrows; i++)
        ok = row_fits(crew, &r, i, seen);
    for (unsigned user = 0; ok && user < crew->n; user++)
        for (uint64_t k = 0; ok && k < crew->per_user; k++)
            if (crew->users[user].acked[k] && !seen[(size_t)user * (size_t)crew->per_user + (size_t)k]) {
                char text[40];
                row_id(text, user, k);
                ok = sp_check_text(crew->ctx, "an acknowledged row is there", text, "(no such row)");
            }
    free(seen);
    sp_result_free(&r);
    sp_error_clear(&err);
    return ok;
}

static void work_insert(struct ld_user *u)
{
    for (uint64_t k = 0; k < u->crew->per_user; k++) {
        struct sp_error err = SP_ERROR_INIT;
        uint64_t start = sp_clock_ns();
        int rc = insert_row(u, k, &err);
        u->unsure[k] = rc != 0 && (err.effect == SP_EFFECT_UNKNOWN || err.code == SP_E_OUTCOME_UNKNOWN);
        u->acked[k] = ld_book(u, start, 0, rc, &err);
    }
}

/* Without a write, nothing is lost and nothing is shown; nor by a few that get through where most are turned away: these
 * users share no row, so that a conflict is the exception. */
static bool wrote(const struct ld_crew *crew)
{
    uint64_t ok = 0, attempts = 0;
    for (unsigned i = 0; i < crew->n; i++) {
        ok += crew->users[i].ok;
        attempts += crew->users[i].attempts;
    }
    if (!sp_check(crew->ctx, ok > 0, "at least one write succeeded"))
        return false;
    if (ok >= attempts / 10)
        return true;
    sp_ctx_error(crew->ctx,
        "only %llu of %llu operations got through, the others ended in conflicts: too few to tell whether "
        "any "
        "is lost under load",
        (unsigned long long)ok, (unsigned long long)attempts);
    return false;
}

static void run_rows(
    struct sp_ctx *ctx, const char *operation, uint64_t per_user, void (*work)(struct ld_user *))
{
    struct ld_crew crew = {
        .ctx = ctx, .operation = operation, .n = ld_users(ctx), .per_user = per_user, .work = work
    };
    if (sp_ctx_table(ctx, &ld_rows_table) && ld_run(&crew) && wrote(&crew))
        ld_holds_acked(&crew);
    ld_free(&crew);
}

void ldc_no_lost_write(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    run_rows(ctx, "create under load", ld_operations(ctx, 25, 500), work_insert);
}

/* All or nothing per batch: a batch that was refused left no row. */
static void work_batches(struct ld_user *u)
{
    enum { BATCH = 10 };
    for (uint64_t k = 0; k + BATCH <= u->crew->per_user; k += BATCH) {
        struct sp_value v[BATCH * 4];
        char ids[BATCH][40];
        struct sp_error err = SP_ERROR_INIT;
        int64_t affected = -1;
        for (uint64_t i = 0; i < BATCH; i++) {
            row_id(ids[i], u->index, k + i);
            v[i * 4] = sp_v_text(ids[i]);
            v[i * 4 + 1] = sp_v_int(u->index);
            v[i * 4 + 2] = sp_v_int((int64_t)(k + i));
            v[i * 4 + 3] = sp_v_int(ld_value(u->index, k + i));
        }
        uint64_t start = sp_clock_ns();
        int rc = sp_db_insert_many(u->s, ld_rows_table.name, row_fields, 4, v, BATCH, &affected, &err);
        bool ok = ld_book(u, start, 0, rc, &err);
        for (uint64_t i = 0; i < BATCH; i++)
            u->acked[k + i] = ok;
    }
}

void ldc_batches(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    run_rows(ctx, "create-many of 10 under load", ld_operations(ctx, 100, 2000) / 10 * 10 + 10, work_batches);
}

/* Who wrote a row sees it in the next read, through the same session, whatever the others do. */
static void work_read_own(struct ld_user *u)
{
    for (uint64_t k = 0; k < u->crew->per_user; k++) {
        struct sp_error err = SP_ERROR_INIT;
        struct sp_result r = SP_RESULT_INIT;
        char id[40];
        row_id(id, u->index, k);
        struct sp_value key = sp_v_text(id), want = sp_v_int(ld_value(u->index, k));
        struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &key, .nvalues = 1 };
        struct sp_query q = { .table = ld_rows_table.name, .where = &where, .limit = SP_NO_LIMIT };
        uint64_t start = sp_clock_ns();
        int rc = insert_row(u, k, &err);
        u->unsure[k] = rc != 0 && err.effect == SP_EFFECT_UNKNOWN;
        if (rc == 0) {
            u->acked[k] = 1;
            rc = sp_db_read(u->s, &q, &r, &err);
        }
        if (rc == 0) {
            const struct sp_value *got = r.nrows == 1 ? sp_result_at(&r, 0, "value") : NULL;
            if (got == NULL || !sp_value_equal(got, &want))
                rc = sp_fail(&err, SP_E_INTERNAL, SP_ORIGIN_BACKEND,
                    "row %s was acknowledged, but the same session reads %zu rows with another content", id,
                    r.nrows);
        }
        ld_book(u, start, 0, rc, &err);
        sp_result_free(&r);
    }
}

void ldc_read_own_writes(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    run_rows(ctx, "create and read back under load", ld_operations(ctx, 25, 500), work_read_own);
}

static void sleep_until(uint64_t ns)
{
    uint64_t now = sp_clock_ns();
    while (now < ns) {
        uint64_t gap = ns - now;
        struct timespec ts = { (time_t)(gap / 1000000000u), (long)(gap % 1000000000u) };
        nanosleep(&ts, NULL);
        now = sp_clock_ns();
    }
}

/* The schedule does not wait for the backend: a stall shows in the response times of all that came behind it. */
static void work_paced(struct ld_user *u)
{
    uint64_t step = u->crew->interval_ns, first = u->crew->start_ns + step * u->index / u->crew->n;
    for (uint64_t k = 0; k < u->crew->per_user; k++) {
        uint64_t intended = first + k * step;
        struct sp_error err = SP_ERROR_INIT;
        sleep_until(intended);
        uint64_t start = sp_clock_ns();
        u->late += start > intended + step;
        int rc = insert_row(u, k, &err);
        u->unsure[k] = rc != 0 && err.effect == SP_EFFECT_UNKNOWN;
        u->acked[k] = ld_book(u, start, intended, rc, &err);
    }
}

void ldc_paced(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    unsigned n = ld_users(ctx);
    int64_t rate = sp_ctx_setting(ctx, "load", "rate", 400);
    int64_t ms = sp_ctx_setting(ctx, "load", "duration", sp_ctx_quick(ctx) ? 250 : 5000);
    rate = rate < 1 ? 1 : rate > 1000000 ? 1000000 : rate;
    ms = ms < 10 ? 10 : ms > 3600000 ? 3600000 : ms;
    uint64_t all = (uint64_t)rate * (uint64_t)ms / 1000;
    struct ld_crew crew = { .ctx = ctx,
        .operation = "create at a fixed rate",
        .n = n,
        .per_user = all / n > 0 ? all / n : 1,
        .interval_ns = UINT64_C(1000000000) * n / (uint64_t)rate,
        .work = work_paced };
    if (sp_ctx_table(ctx, &ld_rows_table) && ld_run(&crew) && wrote(&crew))
        ld_holds_acked(&crew);
    ld_free(&crew);
}

/* Every user creates rows and deletes the odd ones: the even ones stay, no odd one comes back. */
static void work_deletes(struct ld_user *u)
{
    for (uint64_t k = 0; k < u->crew->per_user; k++) {
        struct sp_error err = SP_ERROR_INIT;
        uint64_t start = sp_clock_ns();
        int rc = insert_row(u, k, &err);
        bool made = ld_book(u, start, 0, rc, &err);
        u->acked[k] = made;
        if (!made || k % 2 == 0)
            continue;
        char id[40];
        int64_t affected = -1;
        row_id(id, u->index, k);
        struct sp_value key = sp_v_text(id);
        struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &key, .nvalues = 1 };
        start = sp_clock_ns();
        rc = sp_db_delete(u->s, ld_rows_table.name, &where, &affected, &err);
        if (rc == 0 && affected != 1)
            rc = sp_fail(&err, SP_E_INTERNAL, SP_ORIGIN_BACKEND,
                "delete of row %s: expected 1 row, actual %lld", id, (long long)affected);
        if (ld_book(u, start, 0, rc, &err))
            u->acked[k] = 0;
    }
}

void ldc_deletes(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    run_rows(ctx, "create and delete under load", ld_operations(ctx, 20, 400), work_deletes);
}
