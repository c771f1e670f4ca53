/* The database facet of sqlite: tables, operations, transactions, errors, types. */
#include <pthread.h>

#include "sqlite_util.h"

static const struct sp_column item_columns[] = {
    { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "name", .type = { .tag = SP_TEXT } },
    { .name = "price", .type = { .tag = SP_DEC, .precision = 38, .scale = 10 } },
    { .name = "odd \"name\"", .type = { .tag = SP_INT, .int_bits = 32 }, .default_expr = "7" },
};
static const char *const item_pk[] = { "id" };
static const struct sp_table items = {
    .name = "items", .columns = item_columns, .ncolumns = 4, .pk = item_pk, .npk = 1
};

static struct test_session ts;

static int setup(void **state)
{
    (void)state;
    open_as(&ts, at("db/sub dir/a?b#c%41.db"), SP_ACCESS_DISPOSABLE);
    sp_error_clear(&err);
    return sp_db_ns_create(ts.s, "run1", &err) != 0 || sp_db_ns_use(ts.s, "run1", &err) != 0;
}

static int teardown(void **state)
{
    (void)state;
    struct sp_names l = { SP_ARENA_INIT, NULL, 0, 0 };
    OK(sp_db_ns_drop(ts.s, "run1", &err));
    OK(sp_db_ns_list(ts.s, "", &l, &err));
    assert_int_equal(l.n, 0);
    sp_names_free(&l);
    sp_close(ts.s);
    return 0;
}

static int insert(int64_t id, struct sp_value name, struct sp_value price)
{
    struct sp_field f[] = { { "id", sp_v_int(id) }, { "name", name }, { "price", price } };
    sp_error_clear(&err);
    return sp_db_insert(ts.s, "items", f, 3, &err);
}

/* Ids that a filter selects, as text "1,2". */
static const char *ids(const struct sp_filter *f, const char *order, bool desc)
{
    static char text[256];
    struct sp_result r = SP_RESULT_INIT;
    static const char *const cols[] = { "id" };
    struct sp_order o = { .column = order == NULL ? "id" : order, .desc = desc };
    struct sp_query q = { .table = "items",
        .select = cols,
        .nselect = 1,
        .where = f,
        .order = &o,
        .norder = 1,
        .limit = SP_NO_LIMIT };
    OK(sp_db_read(ts.s, &q, &r, &err));
    text[0] = '\0';
    for (size_t i = 0; i < r.nrows; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%lld", i == 0 ? "" : ",",
            (long long)r.values[i].u.i);
    sp_result_free(&r);
    return text;
}

static struct sp_filter leaf(enum sp_filter_op op, const char *column, const struct sp_value *v)
{
    return (struct sp_filter){ .op = op, .column = column, .values = v, .nvalues = v == NULL ? 0 : 1 };
}

static void test_filters(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    OK(sp_db_table_create(ts.s, &items, true, &err));
    OK(insert(1, sp_v_text("Ab%c"), sp_v_dec_text(&a, "9.50")));
    OK(insert(2, sp_v_text("abc"), sp_v_dec_text(&a, "10")));
    OK(insert(3, sp_v_null(), sp_v_dec_text(&a, "-12345678901234567890.0123456789")));
    OK(insert(4, sp_v_textn("a\0b", 3), sp_v_null()));
    struct sp_value v = sp_v_dec_text(&a, "9.5");
    struct sp_filter f = leaf(SP_F_EQ, "price", &v);
    assert_string_equal(ids(&f, NULL, false), "1");
    f = leaf(SP_F_GTE, "price", &v);
    assert_string_equal(ids(&f, NULL, false), "1,2"); /* '10' < '9.5' as text */
    assert_string_equal(ids(NULL, "price", false), "4,3,1,2");
    assert_string_equal(ids(NULL, "price", true), "2,1,3,4");
    v = sp_v_text("%c");
    f = leaf(SP_F_CONTAINS, "name", &v);
    assert_string_equal(ids(&f, NULL, false), "1");
    v = sp_v_text("a%");
    f = leaf(SP_F_LIKE, "name", &v);
    assert_string_equal(ids(&f, NULL, false), "2,4");
    v = sp_v_text("%\\%_");
    assert_string_equal(ids(&f, NULL, false), "1");
    v = sp_v_textn("a\0b", 3);
    f = leaf(SP_F_EQ, "name", &v);
    assert_string_equal(ids(&f, NULL, false), "4");
    f = leaf(SP_F_IS_NULL, "name", NULL);
    assert_string_equal(ids(&f, NULL, false), "3");
    struct sp_filter not_null = { .op = SP_F_NOT, .args = &f, .nargs = 1 };
    assert_string_equal(ids(&not_null, NULL, false), "1,2,4");
    struct sp_value in[] = { sp_v_int(2), sp_v_int(4), sp_v_int(9) };
    struct sp_filter fin = { .op = SP_F_IN, .column = "id", .values = in, .nvalues = 3 };
    assert_string_equal(ids(&fin, NULL, false), "2,4");
    fin.nvalues = 0;
    assert_string_equal(ids(&fin, NULL, false), "");
    v = sp_v_int(1);
    f = leaf(SP_F_EQ, "nosuch", &v);
    int64_t n;
    FAILS(SP_E_INVALID, sp_db_count(ts.s, "items", &f, &n, &err));
    FAILS(SP_E_NOT_FOUND, sp_db_count(ts.s, "nosuch", NULL, &n, &err));
    sp_arena_free(&a);
}

static void test_errors(void **state)
{
    (void)state;
    static const char *const parent_pk[] = { "id" };
    static const char *const ref[] = { "item" };
    static const struct sp_column cols[] = {
        { .name = "id", .type = { .tag = SP_INT }, .identity = true },
        { .name = "item", .type = { .tag = SP_INT } },
        { .name = "n", .type = { .tag = SP_INT }, .not_null = true, .default_expr = "1" },
    };
    static const struct sp_fk fks[] = { { .columns = ref,
        .ncolumns = 1,
        .ref_table = "items",
        .ref_columns = parent_pk,
        .deferrable = true,
        .initially_deferred = true } };
    static const struct sp_check checks[] = { { "positive", "n > 0" } };
    struct sp_table child = { .name = "child",
        .columns = cols,
        .ncolumns = 3,
        .pk = parent_pk,
        .npk = 1,
        .fks = fks,
        .nfks = 1,
        .checks = checks,
        .nchecks = 1,
        .strict = true };
    OK(sp_db_table_create(ts.s, &items, true, &err));
    OK(sp_db_table_create(ts.s, &child, true, &err));
    FAILS(SP_E_EXISTS, sp_db_table_create(ts.s, &child, true, &err));
    OK(insert(1, sp_v_null(), sp_v_null()));
    assert_int_equal(insert(1, sp_v_null(), sp_v_null()), -SP_E_UNIQUE);
    assert_string_equal(err.native, "CONSTRAINT_PRIMARYKEY");
    struct sp_field no_key[] = { { "name", sp_v_text("x") } };
    FAILS(SP_E_NOT_NULL, sp_db_insert(ts.s, "items", no_key, 1, &err));
    struct sp_field bad_n[] = { { "n", sp_v_int(0) } };
    FAILS(SP_E_CHECK, sp_db_insert(ts.s, "child", bad_n, 1, &err));
    bad_n[0].value = sp_v_null();
    FAILS(SP_E_NOT_NULL, sp_db_insert(ts.s, "child", bad_n, 1, &err));
    bad_n[0].value = sp_v_text("many");
    FAILS(SP_E_INVALID, sp_db_insert(ts.s, "child", bad_n, 1, &err));
    struct sp_field orphan[] = { { "item", sp_v_int(99) } };
    FAILS(SP_E_FOREIGN_KEY, sp_db_insert(ts.s, "child", orphan, 1, &err));
    OK(sp_db_begin(ts.s, NULL, &err)); /* deferred: the commit finds it, and nothing of it stays */
    OK(sp_db_insert(ts.s, "child", orphan, 1, &err));
    FAILS(SP_E_FOREIGN_KEY, sp_db_commit(ts.s, &err));
    int64_t n = -1;
    OK(sp_db_count(ts.s, "child", NULL, &n, &err));
    assert_int_equal(n, 0);
    struct sp_txn_opts ro = { .read_only = true };
    OK(sp_db_begin(ts.s, &ro, &err));
    assert_int_equal(insert(5, sp_v_null(), sp_v_null()), -SP_E_PERMISSION);
    OK(sp_db_rollback(ts.s, &err));
    OK(insert(5, sp_v_null(), sp_v_null()));
    struct sp_field nan_field[] = { { "id", sp_v_int(6) }, { "price", sp_v_f64(0.0 / 0.0 + 0) } };
    FAILS(SP_E_RANGE, sp_db_insert(ts.s, "items", nan_field, 2, &err));
    /* the type check holds for other clients too */
    struct sp_op raw = { .kind = SP_OP_RAW, .raw = "INSERT INTO run1__child(n) VALUES ('many')" };
    FAILS(SP_E_INVALID, sp_db_exec(ts.s, &raw, NULL, &err));
    FAILS(SP_E_NOT_FOUND, sp_db_table_drop(ts.s, "nosuch", &err));
    OK(sp_db_table_drop(ts.s, "child", &err));
}

static void test_batch_and_upsert(void **state)
{
    (void)state;
    OK(sp_db_table_create(ts.s, &items, true, &err));
    static const char *const fields[] = { "id", "name", "odd \"name\"" };
    struct sp_value *v = calloc(30000, sizeof *v);
    for (int i = 0; i < 10000; i++) {
        v[3 * i] = sp_v_int(i);
        v[3 * i + 1] = sp_v_text("x");
        v[3 * i + 2] = i % 2 ? sp_v_missing() : sp_v_int(i);
    }
    v[29997] = sp_v_int(0); /* the last one collides: none may stay */
    int64_t n = -1;
    FAILS(SP_E_UNIQUE, sp_db_insert_many(ts.s, "items", fields, 3, v, 10000, &n, &err));
    OK(sp_db_count(ts.s, "items", NULL, &n, &err));
    assert_int_equal(n, 0);
    v[29997] = sp_v_int(9999);
    OK(sp_db_insert_many(ts.s, "items", fields, 3, v, 10000, &n, &err));
    assert_int_equal(n, 10000);
    free(v);
    struct sp_value seven = sp_v_int(7);
    struct sp_filter f = leaf(SP_F_EQ, "odd \"name\"", &seven);
    OK(sp_db_count(ts.s, "items", &f, &n, &err));
    assert_int_equal(n, 5000); /* the default of the left-out ones */
    struct sp_value up[] = { sp_v_int(7), sp_v_text("new"), sp_v_int(1) };
    struct sp_op op = { .kind = SP_OP_UPSERT,
        .query = { .table = "items" },
        .fields = fields,
        .nfields = 3,
        .values = up,
        .nrows = 1,
        .key = item_pk,
        .nkey = 1,
        .returning = true };
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_exec(ts.s, &op, &r, &err));
    assert_int_equal(r.affected, 1);
    assert_int_equal(r.nrows, 1);
    assert_string_equal(sp_result_at(&r, 0, "name")->u.str.p, "new");
    assert_int_equal(sp_result_at(&r, 0, "odd \"name\"")->u.i, 1);
    sp_result_reset(&r);
    struct sp_op del = {
        .kind = SP_OP_DELETE, .query = { .table = "items", .where = &f }, .returning = true
    };
    OK(sp_db_exec(ts.s, &del, &r, &err));
    assert_int_equal(r.affected, 4999);
    assert_int_equal(r.nrows, 4999);
    sp_result_free(&r);
}

static void test_transactions(void **state)
{
    (void)state;
    struct test_session other;
    OK(sp_db_table_create(ts.s, &items, true, &err));
    open_as(&other, ts.url + 7, SP_ACCESS_DISPOSABLE);
    OK(sp_db_ns_use(other.s, "run1", &err));
    int64_t n = -1;
    OK(sp_db_begin(ts.s, NULL, &err));
    OK(insert(1, sp_v_null(), sp_v_null()));
    OK(sp_db_count(other.s, "items", NULL, &n, &err));
    assert_int_equal(n, 0); /* no dirty read */
    OK(sp_db_savepoint(ts.s, "a \"b", &err));
    OK(insert(2, sp_v_null(), sp_v_null()));
    OK(sp_db_savepoint_rollback(ts.s, "a \"b", &err));
    OK(sp_db_savepoint_release(ts.s, "a \"b", &err));
    struct sp_field f[] = { { "id", sp_v_int(9) } };
    FAILS(SP_E_CONFLICT, sp_db_insert(other.s, "items", f, 1, &err));
    assert_true(err.retryable);
    OK(sp_db_commit(ts.s, &err));
    OK(sp_db_count(other.s, "items", NULL, &n, &err));
    assert_int_equal(n, 1);
    FAILS(SP_E_INVALID, sp_db_commit(ts.s, &err));
    FAILS(SP_E_INVALID, sp_db_savepoint(ts.s, "x", &err));
    sp_close(other.s);
}

static void test_time_out(void **state)
{
    (void)state;
    struct test_session t;
    try_open(&t, ts.url + 7, SP_ACCESS_DISPOSABLE);
    sp_close(t.s);
    t.e.statement_timeout_ms = 60;
    OK(sp_open(&t.s, &sp_provider_sqlite, &t.e, &err));
    struct sp_op op = { .kind = SP_OP_RAW,
        .raw = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c" };
    FAILS(SP_E_TIMEOUT, sp_db_exec(t.s, &op, NULL, &err));
    op.raw = "SELECT $2 - $1";
    struct sp_value v[] = { sp_v_int(40), sp_v_int(42) };
    op.values = v;
    op.nfields = 2;
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_exec(t.s, &op, &r, &err));
    assert_int_equal(r.values[0].u.i, 2);
    sp_result_free(&r);
    op.nfields = 1;
    FAILS(SP_E_INVALID, sp_db_exec(t.s, &op, NULL, &err));
    op.raw = "SELECT 1; DROP TABLE x";
    op.nfields = 0;
    FAILS(SP_E_INVALID, sp_db_exec(t.s, &op, NULL, &err));
    sp_close(t.s);
}

/* A disk that is full, as SQLite sees it. */
static void test_full(void **state)
{
    (void)state;
    struct test_session t;
    int64_t n = -1;
    open_as(&t, at("full.db"), SP_ACCESS_TARGET);
    char id[64] = "";
    OK(sp_db_snapshot_begin(t.s, id, &err)); /* nothing was written to the file yet */
    OK(sp_db_snapshot_end(t.s, &err));
    OK(sp_db_table_create(t.s, &items, true, &err));
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "PRAGMA max_page_count=8" };
    OK(sp_db_exec(t.s, &op, NULL, &err));
    static char text[60000];
    memset(text, 'x', sizeof text - 1);
    struct sp_field f[] = { { "id", sp_v_int(1) }, { "name", sp_v_text(text) } };
    FAILS(SP_E_IO, sp_db_insert(t.s, "items", f, 2, &err));
    assert_string_equal(err.native, "FULL");
    assert_non_null(strstr(sp_error_text(&err), "full"));
    OK(sp_db_count(t.s, "items", NULL, &n, &err));
    assert_int_equal(n, 0);
    sp_close(t.s);
}

/* Again and again, as nobody knows when the statement begins, until it has ended. */
static bool interrupted;
static void *interrupter(void *p)
{
    struct sp_session *s = p;
    while (!__atomic_load_n(&interrupted, __ATOMIC_ACQUIRE)) {
        usleep(5000);
        sp_provider_sqlite.interrupt(s);
    }
    return NULL;
}
static void interrupt_from_now(pthread_t *th)
{
    __atomic_store_n(&interrupted, false, __ATOMIC_RELEASE);
    assert_int_equal(pthread_create(th, NULL, interrupter, ts.s), 0);
}
static void interrupt_no_more(pthread_t th)
{
    __atomic_store_n(&interrupted, true, __ATOMIC_RELEASE);
    pthread_join(th, NULL);
}

static void test_interrupt(void **state)
{
    (void)state;
    pthread_t th;
    struct sp_op op = { .kind = SP_OP_RAW,
        .raw = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c" };
    interrupt_from_now(&th);
    FAILS(SP_E_CANCELLED, sp_db_exec(ts.s, &op, NULL, &err));
    interrupt_no_more(th);
    OK(sp_db_table_create(ts.s, &items, true, &err)); /* the session goes on */
    /* waiting for a lock can be stopped as well */
    struct test_session w;
    open_as(&w, ts.url + 7, SP_ACCESS_DISPOSABLE);
    struct sp_txn_opts opts = { .isolation = SP_ISO_SERIALIZABLE };
    OK(sp_db_begin(w.s, &opts, &err));
    interrupt_from_now(&th);
    assert_int_equal(insert(1, sp_v_null(), sp_v_null()), -SP_E_CANCELLED);
    interrupt_no_more(th);
    OK(sp_db_rollback(w.s, &err));
    sp_close(w.s);
}

static void test_prepared(void **state)
{
    (void)state;
    OK(sp_db_table_create(ts.s, &items, true, &err));
    static const char *const fields[] = { "id", "name" };
    struct sp_value v[] = { sp_v_int(1), sp_v_text("a") };
    struct sp_op op = { .kind = SP_OP_CREATE,
        .query = { .table = "items" },
        .fields = fields,
        .nfields = 2,
        .values = v,
        .nrows = 1 };
    struct sp_prepared *p = NULL;
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_prepare(ts.s, &op, &p, &err));
    for (int i = 0; i < 3; i++) {
        v[0] = sp_v_int(i);
        OK(sp_db_execute(ts.s, p, v, 2, &r, &err));
        assert_int_equal(r.affected, 1);
        sp_result_reset(&r);
    }
    FAILS(SP_E_UNIQUE, sp_db_execute(ts.s, p, v, 2, &r, &err));
    FAILS(SP_E_INVALID, sp_db_execute(ts.s, p, v, 1, &r, &err));
    sp_db_finalize(ts.s, p);
    struct sp_value one = sp_v_int(1);
    struct sp_filter f = leaf(SP_F_GTE, "id", &one);
    struct sp_op rd = { .kind = SP_OP_READ, .query = { .table = "items", .where = &f, .limit = 1 } };
    OK(sp_db_prepare(ts.s, &rd, &p, &err));
    one = sp_v_int(2);
    sp_result_reset(&r);
    OK(sp_db_execute(ts.s, p, &one, 1, &r, &err));
    assert_int_equal(r.nrows, 1);
    assert_int_equal(sp_result_at(&r, 0, "id")->u.i, 2);
    sp_db_finalize(ts.s, p);
    sp_result_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_filters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_batch_and_upsert, setup, teardown),
        cmocka_unit_test_setup_teardown(test_transactions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_interrupt, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prepared, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
