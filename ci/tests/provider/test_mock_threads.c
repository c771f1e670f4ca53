/* test_mock_threads.c -- sessions of several threads on one store of the mock. */
#include "mock_items.h"

#include <pthread.h>

enum { CLIENTS = 4, TRANSFERS = 200, ACCOUNTS = 5 };

struct client {
    struct fix *f;
    struct sp_session *s;
    struct sp_error err;
    int done, failed;
};

static int balance(struct client *c, int64_t id, int64_t *n)
{
    struct sp_value v;
    struct sp_filter where = by_id(&v, id);
    struct sp_query q = { .table = "item", .where = &where, .limit = SP_NO_LIMIT };
    struct sp_result r = SP_RESULT_INIT;
    int rc = sp_db_read(c->s, &q, &r, &c->err);
    *n = rc == 0 && r.nrows == 1 ? sp_result_at(&r, 0, "n")->u.i : 0;
    sp_result_free(&r);
    return rc;
}

static int change_balance(struct client *c, int64_t id, int64_t by)
{
    struct sp_value v;
    struct sp_filter where = by_id(&v, id);
    int64_t n = 0, changed = 0;
    int rc = balance(c, id, &n);
    const struct sp_field to[] = { { "n", sp_v_int(n + by) } };
    return rc != 0 ? rc : sp_db_update(c->s, "item", &where, to, 1, &changed, &c->err);
}

static int transfer(struct client *c, int64_t from, int64_t to)
{
    int rc = sp_db_begin(c->s, NULL, &c->err);
    if (rc == 0)
        rc = change_balance(c, from, -1);
    if (rc == 0)
        rc = change_balance(c, to, 1);
    if (rc == 0)
        return sp_db_commit(c->s, &c->err);
    return sp_db_rollback(c->s, NULL) == 0 ? rc : -SP_E_INTERNAL;
}

static void *client(void *payload)
{
    struct client *c = payload;
    for (int i = 0; i < TRANSFERS;) {
        int rc = transfer(c, i % ACCOUNTS, (i * 3 + 1) % ACCOUNTS);
        sp_error_clear(&c->err);
        if (rc == 0)
            c->done++;
        else if (rc != -SP_E_CONFLICT)
            c->failed++;
        i += rc != -SP_E_CONFLICT;
    }
    return NULL;
}

static void test_transfers_keep_the_sum(void **state)
{
    struct fix *f = *state;
    struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    int64_t sum = 0;
    ok(f, sp_db_table_create(f->a,
              &(struct sp_table){
                  .name = "item", .columns = item_columns, .ncolumns = 3, .pk = id_only, .npk = 1 },
              true, &f->err));
    for (int64_t i = 0; i < ACCOUNTS; i++)
        ok(f, put_item(f, f->a, i, 100));
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){ .f = f };
        ok(f, sp_open(&clients[i].s, &sp_provider_mock, &f->e, &f->err));
        assert_int_equal(pthread_create(&threads[i], NULL, client, &clients[i]), 0);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        sp_close(clients[i].s);
        assert_int_equal(clients[i].failed, 0);
        assert_int_equal(clients[i].done, TRANSFERS);
    }
    for (int64_t i = 0; i < ACCOUNTS; i++)
        sum += n_of(f, f->a, i);
    assert_int_equal(sum, 100 * ACCOUNTS);
    /* Each client made the same transfers: the single balances are known, too. */
    int64_t expected = 100;
    for (int i = 0; i < TRANSFERS; i++)
        expected += CLIENTS * ((i * 3 + 1) % ACCOUNTS == 1) - CLIENTS * (i % ACCOUNTS == 1);
    assert_int_equal(n_of(f, f->a, 1), expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_transfers_keep_the_sum, fix_setup, fix_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
