/* test_mock.c -- the database facet of the mock, where it is easy to get wrong. */
#include "mock_items.h"

#include "base/str.h"

static int64_t count_of(struct fix *f, struct sp_session *s, const char *table)
{
    int64_t n = -1;
    ok(f, sp_db_count(s, table, NULL, &n, &f->err));
    return n;
}

static void begin(struct fix *f, struct sp_session *s, enum sp_isolation iso)
{
    ok(f, sp_db_begin(s, &(struct sp_txn_opts){ .isolation = iso }, &f->err));
}

/* ---- transactions ------------------------------------------------------------------------------------------------ */

static void test_isolation_levels(void **state)
{
    struct fix *f = *state;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    ok(f, put_item(f, f->a, 1, 10));
    begin(f, f->a, SP_ISO_READ_COMMITTED);
    assert_int_equal(n_of(f, f->a, 1), 10);
    begin(f, f->b, SP_ISO_SERIALIZABLE);
    ok(f, set_n(f, f->b, 1, 20));
    assert_int_equal(n_of(f, f->a, 1), 10); /* not dirty */
    assert_int_equal(n_of(f, f->b, 1), 20); /* one's own */
    ok(f, sp_db_commit(f->b, &f->err));
    assert_int_equal(n_of(f, f->a, 1), 20);
    ok(f, sp_db_commit(f->a, &f->err));

    begin(f, f->a, SP_ISO_REPEATABLE);
    ok(f, set_n(f, f->b, 1, 30));
    ok(f, put_item(f, f->b, 2, 1));
    assert_int_equal(n_of(f, f->a, 1), 20);
    assert_int_equal(count_of(f, f->a, "item"), 1);
    fails(f, SP_E_CONFLICT, set_n(f, f->a, 1, 40)); /* the first writer won */
    fails(f, SP_E_CONFLICT, sp_db_commit(f->a, &f->err));
    assert_int_equal(n_of(f, f->a, 1), 30);
}

static void test_first_writer_wins(void **state)
{
    struct fix *f = *state;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    ok(f, put_item(f, f->a, 1, 10));
    begin(f, f->a, SP_ISO_DEFAULT);
    ok(f, set_n(f, f->a, 1, 11));
    sp_error_clear(&f->err);
    assert_int_equal(set_n(f, f->b, 1, 12), -SP_E_CONFLICT); /* without a transaction, too */
    assert_true(f->err.retryable);
    sp_error_clear(&f->err);
    fails(f, SP_E_CONFLICT, put_item(f, f->b, 1, 5)); /* nobody knows yet whether the key gets free */
    ok(f, sp_db_rollback(f->a, &f->err));
    assert_int_equal(n_of(f, f->b, 1), 10);
    ok(f, set_n(f, f->b, 1, 12));
    fails(f, SP_E_INVALID, sp_db_rollback(f->a, &f->err));
}

/* Both look at both rows, each changes another one: only serial execution keeps the sum. */
static void write_skew(struct fix *f, enum sp_isolation iso, int expected)
{
    begin(f, f->a, iso);
    begin(f, f->b, iso);
    assert_int_equal(n_of(f, f->a, 1) + n_of(f, f->a, 2), 20);
    assert_int_equal(n_of(f, f->b, 1) + n_of(f, f->b, 2), 20);
    ok(f, set_n(f, f->a, 1, 0));
    ok(f, set_n(f, f->b, 2, 0));
    ok(f, sp_db_commit(f->a, &f->err));
    assert_int_equal(sp_db_commit(f->b, &f->err), expected);
    sp_error_clear(&f->err);
}

static void test_write_skew(void **state)
{
    struct fix *f = *state;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    ok(f, put_item(f, f->a, 1, 10));
    ok(f, put_item(f, f->a, 2, 10));
    write_skew(f, SP_ISO_SERIALIZABLE, -SP_E_CONFLICT);
    assert_int_equal(n_of(f, f->a, 2), 10);
    ok(f, set_n(f, f->a, 1, 10));
    write_skew(f, SP_ISO_REPEATABLE, 0); /* a snapshot alone doesn't see it */
    assert_int_equal(n_of(f, f->a, 1) + n_of(f, f->a, 2), 0);
}

/* A row that comes later counts as read by the filter it would have matched; others don't. */
static void test_phantom(void **state)
{
    struct fix *f = *state;
    struct sp_value bound = sp_v_int(100);
    struct sp_filter big = { .op = SP_F_GTE, .column = "n", .values = &bound, .nvalues = 1 };
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    for (int64_t n = 50; n <= 150; n += 100) {
        int64_t seen;
        begin(f, f->a, SP_ISO_SERIALIZABLE);
        ok(f, sp_db_count(f->a, "item", &big, &seen, &f->err));
        assert_int_equal(seen, 0);
        ok(f, put_item(f, f->a, n, 1));
        ok(f, put_item(f, f->b, n + 1, n));
        assert_int_equal(sp_db_commit(f->a, &f->err), n < 100 ? 0 : -SP_E_CONFLICT);
        sp_error_clear(&f->err);
    }
    assert_int_equal(count_of(f, f->a, "item"), 3);
}

static void test_savepoints(void **state)
{
    struct fix *f = *state;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    fails(f, SP_E_INVALID, sp_db_savepoint(f->a, "s", &f->err));
    begin(f, f->a, SP_ISO_DEFAULT);
    ok(f, put_item(f, f->a, 1, 1));
    ok(f, sp_db_savepoint(f->a, "s", &f->err));
    ok(f, put_item(f, f->a, 2, 2));
    ok(f, set_n(f, f->a, 1, 100));
    ok(f, sp_db_savepoint(f->a, "inner", &f->err));
    ok(f, put_item(f, f->a, 3, 3));
    ok(f, sp_db_savepoint_rollback(f->a, "s", &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_savepoint_release(f->a, "inner", &f->err));
    assert_int_equal(n_of(f, f->a, 1), 1);
    ok(f, put_item(f, f->a, 2, 22));                     /* its key is free again */
    ok(f, sp_db_savepoint_rollback(f->a, "s", &f->err)); /* a savepoint outlives a rollback to it */
    ok(f, put_item(f, f->a, 4, 4));
    ok(f, sp_db_savepoint_release(f->a, "s", &f->err));
    fails(f, SP_E_UNIQUE, put_item(f, f->a, 4, 4)); /* a refused operation leaves the transaction alone */
    ok(f, sp_db_commit(f->a, &f->err));
    assert_int_equal(count_of(f, f->b, "item"), 2);
    assert_int_equal(n_of(f, f->b, 4), 4);
}

static void test_read_only_and_close(void **state)
{
    struct fix *f = *state;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    ok(f, sp_db_begin(f->a, &(struct sp_txn_opts){ .read_only = true }, &f->err));
    fails(f, SP_E_PERMISSION, put_item(f, f->a, 1, 1));
    fails(f, SP_E_INVALID, sp_db_table_drop(f->a, "item", &f->err));
    ok(f, sp_db_commit(f->a, &f->err));
    begin(f, f->b, SP_ISO_DEFAULT);
    ok(f, put_item(f, f->b, 1, 1));
    fails(f, SP_E_CONFLICT, sp_db_table_drop(f->a, "item", &f->err));
    sp_close(f->b); /* rolls back */
    f->b = NULL;
    assert_int_equal(count_of(f, f->a, "item"), 0);
    ok(f, sp_db_table_drop(f->a, "item", &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_table_drop(f->a, "item", &f->err));
}

/* Many updates of one row, with a snapshot open and without: old versions go, the snapshot's stays. */
static void test_versions_are_tidied(void **state)
{
    struct fix *f = *state;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    ok(f, put_item(f, f->a, 1, 0));
    ok(f, sp_db_snapshot_begin(f->b, NULL, &f->err));
    for (int64_t i = 1; i <= 500; i++)
        ok(f, set_n(f, f->a, 1, i));
    assert_int_equal(n_of(f, f->b, 1), 0);
    ok(f, sp_db_snapshot_end(f->b, &f->err));
    for (int64_t i = 1; i <= 500; i++)
        ok(f, set_n(f, f->a, 1, i));
    assert_int_equal(n_of(f, f->b, 1), 500);
    fails(f, SP_E_UNIQUE, put_item(f, f->a, 1, 1));
    assert_int_equal(count_of(f, f->a, "item"), 1);
}

/* ---- constraints ------------------------------------------------------------------------------------------------- */

static void make_parent_child(struct fix *f, struct sp_fk fk)
{
    static const struct sp_column child_columns[] = {
        { .name = "id", .type = { .tag = SP_INT } },
        { .name = "item_id", .type = { .tag = SP_INT }, .default_expr = "9" },
    };
    static const char *const col[] = { "item_id" };
    fk.columns = col;
    fk.ncolumns = 1;
    fk.ref_table = "item";
    struct sp_table child = { .name = "child",
        .columns = child_columns,
        .ncolumns = 2,
        .pk = id_only,
        .npk = 1,
        .fks = &fk,
        .nfks = 1 };
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    ok(f, sp_db_table_create(f->a, &child, true, &f->err));
    ok(f, put_item(f, f->a, 1, 1));
    ok(f, put_item(f, f->a, 9, 9));
}

static int put_child(struct fix *f, struct sp_session *s, int64_t id, int64_t item_id)
{
    const struct sp_field row[] = { { "id", sp_v_int(id) }, { "item_id", sp_v_int(item_id) } };
    return sp_db_insert(s, "child", row, 2, &f->err);
}

static int drop_item(struct fix *f, struct sp_session *s, int64_t id)
{
    struct sp_value v;
    struct sp_filter where = by_id(&v, id);
    return sp_db_delete(s, "item", &where, NULL, &f->err);
}

static struct sp_value item_of_child(struct fix *f, int64_t id)
{
    struct sp_value v;
    struct sp_filter where = by_id(&v, id);
    struct sp_query q = { .table = "child", .where = &where, .limit = SP_NO_LIMIT };
    struct sp_result r = SP_RESULT_INIT;
    ok(f, sp_db_read(f->a, &q, &r, &f->err));
    struct sp_value got = r.nrows == 0 ? sp_v_missing() : *sp_result_at(&r, 0, "item_id");
    sp_result_free(&r);
    return got;
}

static void test_fk_refuses(void **state)
{
    struct fix *f = *state;
    make_parent_child(f, (struct sp_fk){ .name = "fk" });
    fails(f, SP_E_FOREIGN_KEY, put_child(f, f->a, 1, 5));
    ok(f, put_child(f, f->a, 1, 1));
    fails(f, SP_E_FOREIGN_KEY, drop_item(f, f->a, 1));
    fails(f, SP_E_FOREIGN_KEY, sp_db_table_drop(f->a, "item", &f->err));
    /* The child of an open transaction counts against deleting its parent. */
    begin(f, f->b, SP_ISO_DEFAULT);
    ok(f, put_child(f, f->b, 2, 9));
    fails(f, SP_E_CONFLICT, drop_item(f, f->a, 9));
    ok(f, sp_db_rollback(f->b, &f->err));
    ok(f, drop_item(f, f->a, 9));
}

static void test_fk_actions(void **state)
{
    struct fix *f = *state;
    static const struct {
        enum sp_fk_action del, upd;
    } ways[] = { { SP_FK_CASCADE, SP_FK_CASCADE }, { SP_FK_SET_NULL, SP_FK_SET_NULL },
        { SP_FK_SET_DEFAULT, SP_FK_SET_DEFAULT }, { SP_FK_RESTRICT, SP_FK_RESTRICT } };
    struct sp_value v;
    struct sp_filter one = by_id(&v, 1);
    const struct sp_field to_two[] = { { "id", sp_v_int(2) } };
    for (size_t i = 0; i < SP_LEN(ways); i++) {
        make_parent_child(f, (struct sp_fk){ .on_delete = ways[i].del, .on_update = ways[i].upd });
        ok(f, put_child(f, f->a, 1, 1));
        bool restricts = ways[i].upd == SP_FK_RESTRICT;
        assert_int_equal(
            sp_db_update(f->a, "item", &one, to_two, 1, NULL, &f->err), restricts ? -SP_E_FOREIGN_KEY : 0);
        struct sp_value got = item_of_child(f, 1);
        if (ways[i].upd == SP_FK_SET_NULL)
            assert_int_equal(got.tag, SP_NULL);
        else
            assert_int_equal(got.u.i, restricts ? 1 : ways[i].upd == SP_FK_CASCADE ? 2 : 9);
        ok(f, put_item(f, f->a, 3, 3));
        ok(f, put_child(f, f->a, 3, 3));
        assert_int_equal(drop_item(f, f->a, 3), restricts ? -SP_E_FOREIGN_KEY : 0);
        got = item_of_child(f, 3);
        assert_int_equal(got.tag, ways[i].del == SP_FK_CASCADE    ? SP_MISSING
                                  : ways[i].del == SP_FK_SET_NULL ? SP_NULL
                                                                  : SP_INT);
        sp_error_clear(&f->err);
        ok(f, sp_db_table_drop(f->a, "child", &f->err));
        ok(f, sp_db_table_drop(f->a, "item", &f->err));
    }
}

static void test_fk_deferred(void **state)
{
    struct fix *f = *state;
    make_parent_child(f, (struct sp_fk){ .deferrable = true, .initially_deferred = true });
    begin(f, f->a, SP_ISO_DEFAULT);
    ok(f, put_child(f, f->a, 1, 5));
    ok(f, put_item(f, f->a, 5, 5));
    ok(f, sp_db_commit(f->a, &f->err));
    begin(f, f->a, SP_ISO_DEFAULT);
    ok(f, drop_item(f, f->a, 5));
    fails(f, SP_E_FOREIGN_KEY, sp_db_commit(f->a, &f->err));
    assert_int_equal(n_of(f, f->a, 5), 5);                 /* and nothing of it stayed */
    fails(f, SP_E_FOREIGN_KEY, put_child(f, f->a, 2, 77)); /* alone, an operation is its own transaction */
    begin(f, f->a, SP_ISO_DEFAULT);
    ok(f, drop_item(f, f->a, 5));
    ok(f, put_item(f, f->a, 5, 55)); /* replaced in time */
    ok(f, sp_db_commit(f->a, &f->err));
}

static void test_self_reference_cascades(void **state)
{
    struct fix *f = *state;
    static const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
        { .name = "up", .type = { .tag = SP_INT } } };
    static const char *const up[] = { "up" };
    const struct sp_fk fk = { .columns = up, .ncolumns = 1, .ref_table = "tree", .on_delete = SP_FK_CASCADE };
    const struct sp_table tree = {
        .name = "tree", .columns = cols, .ncolumns = 2, .pk = id_only, .npk = 1, .fks = &fk, .nfks = 1
    };
    ok(f, sp_db_table_create(f->a, &tree, true, &f->err));
    for (int64_t i = 0; i < 1000; i++) {
        const struct sp_field row[] = { { "id", sp_v_int(i) },
            { "up", i == 0 ? sp_v_null() : sp_v_int(i - 1) } };
        ok(f, sp_db_insert(f->a, "tree", row, 2, &f->err));
    }
    struct sp_value v;
    struct sp_filter half = by_id(&v, 500);
    int64_t n = -1;
    ok(f, sp_db_delete(f->a, "tree", &half, &n, &f->err));
    assert_int_equal(n, 1); /* what the caller named, without the cascade */
    assert_int_equal(count_of(f, f->a, "tree"), 500);
}

static void test_rows_are_checked(void **state)
{
    struct fix *f = *state;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    fails(f, SP_E_CHECK, put_item(f, f->a, 1, -1));
    const struct sp_field text_id[] = { { "id", sp_v_text("1") } };
    fails(f, SP_E_INVALID, sp_db_insert(f->a, "item", text_id, 1, &f->err));
    const struct sp_field no_id[] = { { "note", sp_v_text("x") } };
    fails(f, SP_E_NOT_NULL, sp_db_insert(f->a, "item", no_id, 1, &f->err));
    const struct sp_field unknown[] = { { "id", sp_v_int(1) }, { "nope", sp_v_int(1) } };
    fails(f, SP_E_INVALID, sp_db_insert(f->a, "item", unknown, 2, &f->err));
    const struct sp_field bad[] = { { "id", sp_v_int(1) }, { "note", sp_v_textn("\xff", 1) } };
    fails(f, SP_E_INVALID, sp_db_insert(f->a, "item", bad, 2, &f->err));
    /* A batch is all or nothing; a null n passes the check as unknown. */
    const char *const fields[] = { "id", "n" };
    const struct sp_value rows[] = { sp_v_int(1), sp_v_missing(), sp_v_int(2), sp_v_null(), sp_v_int(1),
        sp_v_int(0) };
    fails(f, SP_E_UNIQUE, sp_db_insert_many(f->a, "item", fields, 2, rows, 3, NULL, &f->err));
    assert_int_equal(count_of(f, f->a, "item"), 0);
    int64_t n = 0;
    ok(f, sp_db_insert_many(f->a, "item", fields, 2, rows, 2, &n, &f->err));
    assert_int_equal(n, 2);
    assert_int_equal(n_of(f, f->a, 1), 7); /* the default */
}

static void test_check_and_default_grammar(void **state)
{
    struct fix *f = *state;
    static const struct {
        const char *check, *fallback;
        int rc;
    } ways[] = { { "n <> 5", "'x'", 0 }, { "( note <> '' )", "null", 0 }, { "note = 'it''s'", "'it''s'", 0 },
        { "n > 1 AND n < 5", NULL, -SP_E_UNSUPPORTED }, { "length(note) > 1", NULL, -SP_E_UNSUPPORTED },
        { "n >= 'a'", NULL, -SP_E_INVALID }, { "nope >= 0", NULL, -SP_E_INVALID },
        { "n >= 0", "now()", -SP_E_UNSUPPORTED }, { "n >= 0", "'open", -SP_E_UNSUPPORTED },
        { "n >= 0", "12", -SP_E_INVALID } };
    for (size_t i = 0; i < SP_LEN(ways); i++) {
        struct sp_column cols[] = { { .name = "n", .type = { .tag = SP_INT } },
            { .name = "note", .type = { .tag = SP_TEXT }, .default_expr = ways[i].fallback } };
        struct sp_check check = { .expr = ways[i].check };
        struct sp_table t = { .name = "g", .columns = cols, .ncolumns = 2, .checks = &check, .nchecks = 1 };
        int rc = sp_db_table_create(f->a, &t, true, &f->err);
        if (rc != ways[i].rc)
            fail_msg("check %s default %s: %d", ways[i].check, ways[i].fallback, rc);
        sp_error_clear(&f->err);
        if (rc == 0)
            ok(f, sp_db_table_drop(f->a, "g", &f->err));
        else
            fails(f, SP_E_NOT_FOUND, sp_db_table_drop(f->a, "g", &f->err));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        T(test_isolation_levels),
        T(test_first_writer_wins),
        T(test_write_skew),
        T(test_phantom),
        T(test_savepoints),
        T(test_read_only_and_close),
        T(test_versions_are_tidied),
        T(test_fk_refuses),
        T(test_fk_actions),
        T(test_fk_deferred),
        T(test_self_reference_cascades),
        T(test_rows_are_checked),
        T(test_check_and_default_grammar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
