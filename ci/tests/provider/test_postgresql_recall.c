/* test_postgresql_recall.c -- descriptions of tables and named statements are kept by a session. What another session changes
 * in between must show at once, in answers and in what is refused. */
#include "postgresql_util.h"
#include "providers/postgresql/internal.h"

static struct sp_session *other; /* changes tables behind the back of `session` */

static void behind(const char *sql)
{
    sp_error_clear(&err);
    if (raw_in(other, sql) != 0)
        fail_msg("%s: %s [%s]", sql, sp_error_text(&err), err.native);
}

static int read_all(const char *table, struct sp_result *r)
{
    struct sp_query q = { .table = table, .limit = SP_NO_LIMIT };
    return sp_db_read(session, &q, r, &err);
}

static void expect_columns(const char *table, size_t want)
{
    struct sp_result r = SP_RESULT_INIT;
    OK(read_all(table, &r));
    assert_int_equal(r.ncolumns, want);
    sp_result_free(&r);
}

/* Read three times: found out, named, reused. */
static void warm(const char *table, size_t columns)
{
    for (int i = 0; i < 3; i++)
        expect_columns(table, columns);
}

static int insert1(const char *table, const char *name, struct sp_value v)
{
    struct sp_field f = { name, v };
    return sp_db_insert(session, table, &f, 1, &err);
}

static int setup(void **state)
{
    int rc = group_setup(state);
    if (rc == 0 && session != NULL)
        other = another(SP_ACCESS_DISPOSABLE, 0);
    return rc;
}
static int teardown(void **state)
{
    sp_close(other);
    return group_teardown(state);
}

static void columns_come_and_go(void **state)
{
    (void)state;
    need_server();
    behind("CREATE TABLE cols(id int, v int)");
    warm("cols", 2);
    behind("ALTER TABLE cols ADD w text DEFAULT 'new'");
    expect_columns("cols", 3);
    behind("ALTER TABLE cols DROP v");
    expect_columns("cols", 2);
    FAILS(SP_E_INVALID, insert1("cols", "v", sp_v_int(1)));
    behind("ALTER TABLE cols RENAME w TO v");
    OK(insert1("cols", "v", sp_v_text("x")));
    behind("ALTER TABLE cols ALTER id TYPE text");
    OK(insert1("cols", "id", sp_v_text("y")));
    struct sp_result r = SP_RESULT_INIT;
    OK(read_all("cols", &r));
    assert_int_equal(r.nrows, 2);
    assert_int_equal(sp_result_at(&r, 1, "id")->tag, SP_TEXT);
    sp_result_free(&r);
}

/* The server would round what the old description lets through. */
static void scale_shrinks(void **state)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value v;
    int64_t n = -1;
    (void)state;
    need_server();
    behind("CREATE TABLE price(v numeric(10,4))");
    v.tag = SP_DEC;
    assert_int_equal(sp_dec_parse(&a, "1.2345", 6, &v.u.dec), 0);
    for (int i = 0; i < 3; i++)
        OK(insert1("price", "v", v));
    behind("ALTER TABLE price ALTER v TYPE numeric(10,2)");
    sp_error_clear(&err);
    assert_true(insert1("price", "v", v) < 0);
    OK(sp_db_count(session, "price", NULL, &n, &err));
    assert_int_equal(n, 3);
    /* And the other way round: what the old description refuses is taken. */
    behind("ALTER TABLE price ALTER v TYPE numeric(10,4)");
    OK(insert1("price", "v", v));
    sp_arena_free(&a);
}

static int64_t sum_of_one(const char *table)
{
    struct sp_result r = SP_RESULT_INIT;
    OK(read_all(table, &r));
    int64_t v = r.nrows == 1 ? sp_result_at(&r, 0, "v")->u.i : -1;
    sp_result_free(&r);
    return v;
}

static void another_table_of_that_name(void **state)
{
    char sql[512];
    (void)state;
    need_server();
    behind("CREATE TABLE a1 AS SELECT 1 AS v");
    behind("CREATE TABLE a2 AS SELECT 2 AS v, 2 AS w");
    for (int i = 0; i < 3; i++)
        assert_int_equal(sum_of_one("a1"), 1);
    behind("ALTER TABLE a1 RENAME TO a3");
    behind("ALTER TABLE a2 RENAME TO a1");
    assert_int_equal(sum_of_one("a1"), 2);
    expect_columns("a1", 2);
    /* Another schema of that name: no catalog row of the first table changes. */
    warm("a1", 2);
    snprintf(sql, sizeof sql, "CREATE SCHEMA %s_x", ns);
    behind(sql);
    snprintf(sql, sizeof sql, "CREATE TABLE %s_x.a1(v int, w int, x int)", ns);
    behind(sql);
    snprintf(sql, sizeof sql, "ALTER SCHEMA %s RENAME TO %s_y", ns, ns);
    behind(sql);
    snprintf(sql, sizeof sql, "ALTER SCHEMA %s_x RENAME TO %s", ns, ns);
    behind(sql);
    expect_columns("a1", 3);
    snprintf(sql, sizeof sql, "DROP SCHEMA %s CASCADE", ns);
    behind(sql);
    FAILS(SP_E_NOT_FOUND, insert1("a1", "v", sp_v_int(1)));
    snprintf(sql, sizeof sql, "ALTER SCHEMA %s_y RENAME TO %s", ns, ns);
    behind(sql);
    expect_columns("a1", 2);
}

static void inside_a_transaction(void **state)
{
    int64_t n = -1;
    (void)state;
    need_server();
    behind("CREATE TABLE inner_t(id int PRIMARY KEY, v int)");
    warm("inner_t", 2);
    OK(insert1("inner_t", "id", sp_v_int(1)));
    OK(sp_db_begin(session, NULL, &err));
    OK(insert1("inner_t", "id", sp_v_int(2)));
    FAILS(SP_E_UNIQUE, insert1("inner_t", "id", sp_v_int(2)));
    OK(insert1("inner_t", "id", sp_v_int(3)));
    OK(sp_db_commit(session, &err));
    OK(sp_db_begin(session, NULL, &err));
    behind("ALTER TABLE inner_t ADD w int");
    expect_columns("inner_t", 3); /* found out inside the transaction, which goes on */
    OK(insert1("inner_t", "id", sp_v_int(4)));
    OK(sp_db_commit(session, &err));
    OK(sp_db_count(session, "inner_t", NULL, &n, &err));
    assert_int_equal(n, 4);
    /* Our own change, undone with its transaction. */
    OK(sp_db_begin(session, NULL, &err));
    raw("ALTER TABLE inner_t DROP w");
    expect_columns("inner_t", 2);
    OK(sp_db_rollback(session, &err));
    expect_columns("inner_t", 3);
}

/* A server that is not PostgreSQL itself has no stamps to ask for: everything is looked up each time. */
static void without_stamps(void **state)
{
    (void)state;
    need_server();
    struct sp_session *was = session;
    session = another(SP_ACCESS_DISPOSABLE, 0);
    session->real = false;
    behind("CREATE TABLE plain_t(id int, v int)");
    warm("plain_t", 2);
    behind("ALTER TABLE plain_t ADD w text");
    expect_columns("plain_t", 3);
    OK(insert1("plain_t", "w", sp_v_text("x")));
    sp_close(session);
    session = was;
}

/* How often a named statement ran. */
static int64_t runs_of(const char *part)
{
    char sql[200];
    struct sp_result r = SP_RESULT_INIT;
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql };
    snprintf(sql, sizeof sql,
        "SELECT coalesce(sum(generic_plans + custom_plans), 0)::int8 FROM pg_prepared_statements WHERE "
        "statement LIKE '%%%s%%'",
        part);
    OK(sp_db_exec(session, &op, &r, &err));
    int64_t n = r.values[0].u.i;
    sp_result_free(&r);
    return n;
}

/* An operation whose description holds is done at once: it runs once, the look at the stamp too, the lookup not at all. */
static void one_round_trip(void **state)
{
    (void)state;
    need_server();
    behind("CREATE TABLE once_t(id int)");
    warm("once_t", 1);
    int64_t lookups = runs_of("attgenerated"), stamps = runs_of("to_regclass($2)"), reads = runs_of("once_t");
    for (int i = 0; i < 5; i++)
        expect_columns("once_t", 1);
    assert_int_equal(runs_of("attgenerated") - lookups, 0);
    assert_int_equal(runs_of("to_regclass($2)") - stamps, 5);
    assert_int_equal(runs_of("once_t") - reads, 5);
}

static void named_statements(void **state)
{
    struct sp_result r = SP_RESULT_INIT;
    struct sp_op op = { .kind = SP_OP_RAW,
        .raw = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%named_t%'" };
    (void)state;
    need_server();
    behind("CREATE TABLE named_t(id int)");
    warm("named_t", 1);
    OK(sp_db_exec(session, &op, &r, &err));
    assert_int_equal(r.values[0].u.i, 1); /* one text, one name, however often */
    sp_result_free(&r);
    raw("DEALLOCATE ALL");
    warm("named_t", 1);
    raw("DISCARD PLANS");
    raw("DEALLOCATE ALL");
    OK(sp_db_begin(session, NULL, &err));
    warm("named_t", 1);
    OK(sp_db_commit(session, &err));
}

/* Rows of an upsert go together, unless they name one key twice; nobody can tell the difference. */
static void upserts_together(void **state)
{
    static const char *const fields[] = { "id", "v" }, *const key[] = { "id" };
    struct sp_value rows[] = { sp_v_int(1), sp_v_int(10), sp_v_int(2), sp_v_int(20), sp_v_int(1),
        sp_v_int(11), sp_v_int(3), sp_v_int(30) };
    struct sp_op op = { .kind = SP_OP_UPSERT,
        .query = { .table = "upserted", .limit = SP_NO_LIMIT },
        .fields = fields,
        .nfields = 2,
        .values = rows,
        .nrows = 4,
        .key = key,
        .nkey = 1,
        .returning = true };
    (void)state;
    need_server();
    behind("CREATE TABLE upserted(id int PRIMARY KEY, v int)");
    for (int round = 0; round < 3; round++) {
        struct sp_result r = SP_RESULT_INIT;
        bool inside = round == 2;
        if (round == 1)
            rows[4] = sp_v_int(4); /* no key twice any more */
        if (inside) {
            rows[4] = sp_v_int(1);
            OK(sp_db_begin(session, NULL, &err));
        }
        OK(sp_db_exec(session, &op, &r, &err));
        assert_int_equal(r.affected, 4);
        assert_int_equal(r.nrows, 4);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(r.values[i * 2].u.i, rows[i * 2].u.i);
            assert_int_equal(r.values[i * 2 + 1].u.i, rows[i * 2 + 1].u.i);
        }
        if (inside)
            OK(sp_db_commit(session, &err));
        sp_result_free(&r);
    }
    int64_t n = 0;
    OK(sp_db_count(session, "upserted", NULL, &n, &err));
    assert_int_equal(n, 4);
}

/* More tables and statements than are kept. */
static void many_of_them(void **state)
{
    char sql[96], name[32];
    int64_t n = -1;
    (void)state;
    need_server();
    for (int i = 0; i < 70; i++) {
        snprintf(sql, sizeof sql, "CREATE TABLE t%d AS SELECT g AS v FROM generate_series(1, %d) g", i, i);
        behind(sql);
    }
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < 70; i++) {
            snprintf(name, sizeof name, "t%d", i);
            OK(sp_db_count(session, name, NULL, &n, &err));
            assert_int_equal(n, i);
        }
}

/* The commit of a pipeline is behind its last statement: its refusal counts. */
static void refused_at_the_end(void **state)
{
    struct sp_field f[] = { { "id", sp_v_int(1) }, { "up", sp_v_int(9) } };
    int64_t n = -1;
    (void)state;
    need_server();
    behind("CREATE TABLE late(id int PRIMARY KEY, up int REFERENCES late DEFERRABLE INITIALLY DEFERRED)");
    for (int i = 0; i < 4; i++) {
        FAILS(SP_E_FOREIGN_KEY, sp_db_insert(session, "late", f, 2, &err));
        assert_string_equal(err.native, "23503");
        OK(sp_ping(session, &err));
        OK(sp_db_count(session, "late", NULL, &n, &err));
        assert_int_equal(n, 0);
    }
}

/* A collation that takes different bytes for equal: comparing by bytes has to be asked for from then on. */
static void collation_changes(void **state)
{
    struct sp_value a = sp_v_text("A");
    struct sp_filter where = { .op = SP_F_EQ, .column = "v", .values = &a, .nvalues = 1 };
    int64_t n = -1;
    (void)state;
    need_server();
    sp_error_clear(&err);
    if (raw_in(other, "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = "
                      "false)") != 0) {
        print_message("skip: this server has no ICU\n");
        skip();
    }
    behind("CREATE TABLE coll(v text)");
    OK(insert1("coll", "v", sp_v_text("a")));
    for (int i = 0; i < 3; i++)
        OK(sp_db_count(session, "coll", &where, &n, &err));
    assert_int_equal(n, 0);
    behind("ALTER TABLE coll ALTER v TYPE text COLLATE folded");
    OK(sp_db_count(session, "coll", &where, &n, &err));
    assert_int_equal(n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_come_and_go),
        cmocka_unit_test(scale_shrinks),
        cmocka_unit_test(another_table_of_that_name),
        cmocka_unit_test(inside_a_transaction),
        cmocka_unit_test(without_stamps),
        cmocka_unit_test(one_round_trip),
        cmocka_unit_test(named_statements),
        cmocka_unit_test(upserts_together),
        cmocka_unit_test(many_of_them),
        cmocka_unit_test(refused_at_the_end),
        cmocka_unit_test(collation_changes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
