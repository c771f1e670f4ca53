/* invariants.c -- users who change the same rows: nothing gets lost, nothing is made up. */
#include "suites/load/load.h"

#include <stdio.h>
#include <time.h>

enum { ACCOUNTS = 10, OPENING = 1000 };

static const struct sp_column account_columns[] = {
    { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "balance", .type = { .tag = SP_INT }, .not_null = true },
};
static const char *const account_key[] = { "id" };
static const struct sp_table accounts = { .name = "load_accounts",
    .columns = account_columns,
    .ncolumns = SP_LEN(account_columns),
    .pk = account_key,
    .npk = 1 };

static bool open_accounts(struct sp_ctx *ctx)
{
    struct sp_session *s = sp_ctx_session(ctx, 0);
    struct sp_error err = SP_ERROR_INIT;
    if (s == NULL || !sp_ctx_table(ctx, &accounts))
        return false;
    for (int64_t i = 0; i < ACCOUNTS; i++) {
        const struct sp_field f[] = { { "id", sp_v_int(i) }, { "balance", sp_v_int(OPENING) } };
        if (!sp_check_ok(ctx, "opening an account", sp_db_insert(s, accounts.name, f, 2, &err), &err)) {
            sp_error_clear(&err);
            return false;
        }
    }
    return true;
}

static int read_balance(struct sp_session *s, int64_t id, int64_t *out, struct sp_error *err)
{
    struct sp_result r = SP_RESULT_INIT;
    struct sp_value key = sp_v_int(id);
    struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &key, .nvalues = 1 };
    struct sp_query q = { .table = accounts.name, .where = &where, .limit = SP_NO_LIMIT };
    int rc = sp_db_read(s, &q, &r, err);
    if (rc == 0) {
        const struct sp_value *v = r.nrows == 1 ? sp_result_at(&r, 0, "balance") : NULL;
        if (v == NULL || v->tag != SP_INT)
            rc = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "account %lld: expected one row, actual %zu",
                (long long)id, r.nrows);
        else
            *out = v->u.i;
    }
    sp_result_free(&r);
    return rc;
}

static int write_balance(struct sp_session *s, int64_t id, int64_t balance, struct sp_error *err)
{
    struct sp_value key = sp_v_int(id);
    struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &key, .nvalues = 1 };
    const struct sp_field f[] = { { "balance", sp_v_int(balance) } };
    int64_t affected = -1;
    int rc = sp_db_update(s, accounts.name, &where, f, 1, &affected, err);
    if (rc == 0 && affected != 1)
        rc = sp_fail(
            err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "update of one account: %lld rows", (long long)affected);
    return rc;
}

/* Moves `amount` between two accounts (or adds it to one, from == to) in one serializable transaction. */
static int transfer(struct sp_session *s, int64_t from, int64_t to, int64_t amount, struct sp_error *err)
{
    struct sp_txn_opts opts = { .isolation = SP_ISO_SERIALIZABLE };
    int64_t a = 0, b = 0;
    int rc = sp_db_begin(s, &opts, err);
    if (rc < 0)
        return rc;
    rc = read_balance(s, from, &a, err);
    if (rc == 0 && from != to)
        rc = read_balance(s, to, &b, err);
    if (rc == 0)
        rc = write_balance(s, from, from == to ? a + amount : a - amount, err);
    if (rc == 0 && from != to)
        rc = write_balance(s, to, b + amount, err);
    if (rc == 0)
        rc = sp_db_commit(s, err);
    if (rc < 0) {
        /* After a failed commit the transaction is gone already: this rollback may say so. */
        struct sp_error ignored = SP_ERROR_INIT;
        (void)sp_db_rollback(s, &ignored);
        sp_error_clear(&ignored);
    }
    return rc;
}

/* Waits longer with each conflict, by chance, up to 8 ms: users who lost at once must not meet again at once. */
static void back_off(struct ld_user *u, int attempt)
{
    uint64_t most = UINT64_C(125000) << (attempt < 6 ? attempt : 6);
    struct timespec ts = { 0, (long)sp_rng_below(&u->rng, most) };
    nanosleep(&ts, NULL);
}

/* Conflicts are part of the contract: the user tries again, so that each intended change happens once. */
static void change(struct ld_user *u, uint64_t k, int64_t from, int64_t to, int64_t amount)
{
    for (int attempt = 0; attempt < 1000 && !u->acked[k]; attempt++) {
        struct sp_error err = SP_ERROR_INIT;
        uint64_t start = sp_clock_ns();
        int rc = transfer(u->s, from, to, amount, &err);
        bool conflict = rc < 0 && err.code == SP_E_CONFLICT;
        u->acked[k] = ld_book(u, start, 0, rc, &err);
        if (rc < 0 && !conflict)
            return;
        if (conflict)
            back_off(u, attempt);
    }
}

static void work_counter(struct ld_user *u)
{
    for (uint64_t k = 0; k < u->crew->per_user; k++)
        change(u, k, 0, 0, 1);
}

static void work_transfers(struct ld_user *u)
{
    for (uint64_t k = 0; k < u->crew->per_user; k++) {
        int64_t from = (int64_t)sp_rng_below(&u->rng, ACCOUNTS);
        int64_t to = (from + 1 + (int64_t)sp_rng_below(&u->rng, ACCOUNTS - 1)) % ACCOUNTS;
        change(u, k, from, to, (int64_t)sp_rng_below(&u->rng, 50));
    }
}

static int64_t acknowledged(const struct ld_crew *crew)
{
    int64_t n = 0;
    for (unsigned i = 0; i < crew->n; i++)
        for (uint64_t k = 0; k < crew->per_user; k++)
            n += crew->users[i].acked[k];
    return n;
}

void ldc_no_lost_update(struct sp_ctx *ctx, const void *data)
{
    struct ld_crew crew = { .ctx = ctx,
        .operation = "increment in a transaction",
        .n = ld_users(ctx),
        .per_user = ld_operations(ctx, 10, 100),
        .work = work_counter };
    (void)data;
    if (open_accounts(ctx) && ld_run(&crew)) {
        struct sp_error err = SP_ERROR_INIT;
        int64_t balance = 0, n = acknowledged(&crew);
        if (sp_check_int(ctx, "increments that were acknowledged", (int64_t)(crew.n * crew.per_user), n) &&
            sp_check_ok(
                ctx, "read of the counter", read_balance(sp_ctx_session(ctx, 0), 0, &balance, &err), &err))
            sp_check_int(ctx, "counter after all increments", OPENING + n, balance);
        sp_error_clear(&err);
    }
    ld_free(&crew);
}

void ldc_transfers(struct sp_ctx *ctx, const void *data)
{
    struct ld_crew crew = { .ctx = ctx,
        .operation = "transfer in a transaction",
        .n = ld_users(ctx),
        .per_user = ld_operations(ctx, 10, 100),
        .work = work_transfers };
    (void)data;
    if (open_accounts(ctx) && ld_run(&crew)) {
        struct sp_error err = SP_ERROR_INIT;
        int64_t sum = 0;
        bool ok = sp_check(ctx, acknowledged(&crew) > 0, "at least one transfer succeeded");
        for (int64_t i = 0; ok && i < ACCOUNTS; i++) {
            int64_t balance = 0;
            ok = sp_check_ok(
                ctx, "read of an account", read_balance(sp_ctx_session(ctx, 0), i, &balance, &err), &err);
            sum += balance;
        }
        if (ok)
            sp_check_int(ctx, "sum of all accounts", (int64_t)ACCOUNTS * OPENING, sum);
        sp_error_clear(&err);
    }
    ld_free(&crew);
}

/* All users claim the same keys; each key is claimed once, by the one who was told so. */
static void work_claims(struct ld_user *u)
{
    for (uint64_t k = 0; k < u->crew->per_user; k++) {
        char id[40];
        struct sp_error err = SP_ERROR_INIT;
        snprintf(id, sizeof id, "claim-%llu", (unsigned long long)k);
        const struct sp_field f[] = { { "id", sp_v_text(id) }, { "owner", sp_v_int(u->index) },
            { "seq", sp_v_int((int64_t)k) }, { "value", sp_v_int(ld_value(u->index, k)) } };
        uint64_t start = sp_clock_ns();
        int rc = sp_db_insert(u->s, ld_rows_table.name, f, SP_LEN(f), &err);
        if (rc < 0 && err.code == SP_E_UNIQUE) {
            u->attempts++;
            u->conflicts++;
            sp_error_clear(&err);
        } else {
            u->acked[k] = ld_book(u, start, 0, rc, &err);
        }
    }
}

void ldc_unique_claims(struct sp_ctx *ctx, const void *data)
{
    struct ld_crew crew = { .ctx = ctx,
        .operation = "claim of a unique key",
        .n = ld_users(ctx),
        .per_user = ld_operations(ctx, 25, 500),
        .work = work_claims };
    struct sp_result r = SP_RESULT_INIT;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_query q = { .table = ld_rows_table.name, .limit = SP_NO_LIMIT };
    (void)data;
    if (sp_ctx_table(ctx, &ld_rows_table) && ld_run(&crew) &&
        sp_check_ok(ctx, "read of all claims", sp_db_read(sp_ctx_session(ctx, 0), &q, &r, &err), &err) &&
        sp_check_int(ctx, "claims in the table", (int64_t)crew.per_user, (int64_t)r.nrows)) {
        for (uint64_t k = 0; k < crew.per_user && !sp_ctx_done(ctx); k++) {
            int64_t winners = 0;
            for (unsigned i = 0; i < crew.n; i++)
                winners += crew.users[i].acked[k];
            sp_check_int(ctx, "users who were told that the key is theirs", 1, winners);
        }
        for (size_t i = 0; i < r.nrows && !sp_ctx_done(ctx); i++) {
            const struct sp_value *owner = sp_result_at(&r, i, "owner"), *seq = sp_result_at(&r, i, "seq");
            bool fits = owner != NULL && seq != NULL && owner->tag == SP_INT && seq->tag == SP_INT &&
                        owner->u.i >= 0 && owner->u.i < crew.n && seq->u.i >= 0 &&
                        (uint64_t)seq->u.i < crew.per_user && crew.users[owner->u.i].acked[seq->u.i];
            sp_check(ctx, fits, "the row belongs to the user who was told so");
        }
    }
    sp_result_free(&r);
    sp_error_clear(&err);
    ld_free(&crew);
}
