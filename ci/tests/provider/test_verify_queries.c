/* test_verify_queries.c -- the team's own queries: both sides give the same answer, by value; nothing but reading is let through. */
#include "event_lines.h"
#include "providers/postgresql/postgresql.h"

static const char fill[] =
    "CREATE TABLE sale(id INTEGER PRIMARY KEY, who TEXT, amount REAL, day TEXT, ok INT);"
    "INSERT INTO sale VALUES (1, 'ann', 10.5, '2024-01-01', 1), (2, 'ann', 4.25, '2024-01-02', 0), (3, "
    "'bob', 1, NULL, 1);";

static const char totals[] = "SELECT who, count(*), sum(amount) FROM sale GROUP BY who";

static void begin(struct pair *p, struct sp_verify_query *q, const char *sql, const char *corruption)
{
    pair_begin(p);
    plain(p->a, fill);
    plain(p->b, fill);
    if (corruption != NULL)
        plain(p->b, corruption);
    *q = (struct sp_verify_query){ .name = "ours", .raw = { sql, sql }, .same = true };
    p->opt.checks = SP_VC_SEQUENCES; /* nothing else */
    p->opt.queries = q;
    p->opt.nqueries = 1;
}

static void the_same_answer_is_the_same(void **state)
{
    (void)state;
    struct sp_verify_query q;
    struct pair p;
    begin(&p, &q, totals, NULL);
    assert_compares(&p, SP_VV_EQUAL);
    assert_line(&p, "custom_check", "ours", "passed");
    /* other rows, the same answer */
    plain(p.b, "UPDATE sale SET amount = CASE id WHEN 1 THEN 10 ELSE 4.75 END WHERE who = 'ann'");
    assert_compares(&p, SP_VV_EQUAL);
    pair_end(&p);
}

static void another_answer_is_found(void **state)
{
    (void)state;
    static const char *const corruptions[] = { "UPDATE sale SET amount = 10.75 WHERE id = 1",
        "DELETE FROM sale WHERE id = 3", "UPDATE sale SET who = 'Bob' WHERE id = 3",
        "INSERT INTO sale VALUES (4, 'cec', NULL, NULL, NULL)", "UPDATE sale SET amount = NULL WHERE id = 3",
        "DELETE FROM sale" };
    for (size_t i = 0; i < SP_LEN(corruptions); i++) {
        struct sp_verify_query q;
        struct pair p;
        begin(&p, &q, totals, corruptions[i]);
        assert_compares(&p, SP_VV_DIFFERENT);
        assert_line(&p, "custom_check", "ours", "failed");
        assert_true(lines_of(&p, "difference", "check ours") != 0);
        assert_null(strstr(p.events.p, "ann"));
        p.opt.show_values = true;
        assert_compares(&p, SP_VV_DIFFERENT);
        pair_end(&p);
    }
}

static void order_counts_where_it_is_asked_for(void **state)
{
    (void)state;
    struct sp_verify_query q;
    struct pair p;
    begin(&p, &q, NULL, NULL);
    q.raw[0] = "SELECT id FROM sale ORDER BY id";
    q.raw[1] = "SELECT id FROM sale ORDER BY id DESC";
    assert_compares(&p, SP_VV_EQUAL);
    q.ordered = true;
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "difference", "\"key\":\"row 1\"", "changed");
    q.raw[1] = "SELECT id + 0 FROM sale ORDER BY 1";
    assert_compares(&p, SP_VV_EQUAL);
    pair_end(&p);
}

static void repeated_rows_count(void **state)
{
    (void)state;
    struct sp_verify_query q;
    struct pair p;
    begin(&p, &q, NULL, NULL);
    q.raw[0] = "SELECT 'x' UNION ALL SELECT 'x' UNION ALL SELECT 'y'";
    q.raw[1] = "SELECT 'x' UNION ALL SELECT 'y' UNION ALL SELECT 'y'";
    assert_compares(&p, SP_VV_DIFFERENT);
    q.raw[1] = "SELECT 'x', 1 UNION ALL SELECT 'y', 1 UNION ALL SELECT 'y', 1";
    assert_compares(&p, SP_VV_DIFFERENT); /* another number of columns */
    pair_end(&p);
}

static void rows_are_counted(void **state)
{
    (void)state;
    struct sp_verify_query q;
    struct pair p;
    begin(&p, &q, "SELECT 1 FROM sale WHERE amount > 2", NULL);
    q.same = false;
    q.expect = 2;
    assert_compares(&p, SP_VV_EQUAL);
    plain(p.b, "DELETE FROM sale WHERE id = 1");
    assert_compares(&p, SP_VV_DIFFERENT);
    pair_end(&p);
}

/* An answer is held in memory: what is too large for it is refused while it comes. */
static const char *const endless[] = {
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT %s, i FROM n",
};

static void assert_refused(struct pair *p, const char *bound)
{
    const char *line = line_of(p, "custom_check", "ours");
    assert_non_null(line);
    if (strstr(line, bound) == NULL || strstr(line, "narrow it") == NULL || strstr(line, "errored") == NULL)
        fail_msg("not refused for %s: %s", bound, p->events.p);
}

static void an_answer_has_bounds_while_it_is_read(void **state)
{
    (void)state;
    char wide[160];
    struct sp_verify_query q;
    struct pair p;
    begin(&p, &q, endless[0], NULL);
    assert_compares(&p, SP_VV_NOT_COMPARED);
    assert_refused(&p, "more than 100000 rows");
    snprintf(wide, sizeof wide, endless[1], "zeroblob(8000000)");
    q.raw[0] = q.raw[1] = wide;
    assert_compares(&p, SP_VV_NOT_COMPARED);
    assert_refused(&p, "more than 128 MiB");
    q.raw[0] = q.raw[1] =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 100000";
    assert_compares(&p, SP_VV_EQUAL); /* the most */
    pair_end(&p);
}

static void a_logical_query_meets_by_names(void **state)
{
    (void)state;
    static const char *const select[] = { "who", "amount" };
    const struct sp_order order = { .column = "id" };
    const struct sp_value one = sp_v_int(1);
    const struct sp_filter where = { .op = SP_F_EQ, .column = "ok", .values = &one, .nvalues = 1 };
    struct sp_query logical = { .table = "sale",
        .select = select,
        .nselect = 2,
        .where = &where,
        .order = &order,
        .norder = 1,
        .limit = SP_NO_LIMIT };
    struct sp_verify_query q;
    struct pair p;
    begin(&p, &q, NULL, NULL);
    q.query = &logical;
    q.ordered = true;
    assert_compares(&p, SP_VV_EQUAL);
    plain(p.b, "UPDATE sale SET day = 'never'"); /* not asked for */
    assert_compares(&p, SP_VV_EQUAL);
    plain(p.b, "UPDATE sale SET ok = 0 WHERE id = 3");
    assert_compares(&p, SP_VV_DIFFERENT);
    logical.table = "nowhere";
    assert_compares(&p, SP_VV_NOT_COMPARED);
    pair_end(&p);
}

/* Nothing that could write, however it is dressed, and no error is taken for an answer. */
static void only_reading_is_let_through(void **state)
{
    (void)state;
    static const char *const texts[] = { "DELETE FROM sale RETURNING id", "UPDATE sale SET who = 'x'",
        "DROP TABLE sale", "INSERT INTO sale(id) VALUES (9) RETURNING id",
        "WITH x AS (SELECT 1) DELETE FROM sale RETURNING id", "ATTACH 'x.db' AS x",
        "PRAGMA journal_mode = DELETE", "BEGIN", "COMMIT", "VACUUM", "CREATE TABLE y(a)",
        "SELECT 1; DELETE FROM sale", "/* SELECT */ DELETE FROM sale RETURNING 1",
        "-- SELECT\nDELETE FROM sale RETURNING 1", "/* /* */ DELETE FROM sale RETURNING 1 -- */ SELECT 1",
        "selection", "", ";", "SELECT nothing FROM nowhere", "SELECT abs(-9223372036854775808)" };
    for (size_t i = 0; i < SP_LEN(texts); i++) {
        struct sp_verify_query q;
        struct pair p;
        begin(&p, &q, texts[i], NULL);
        assert_compares(&p, SP_VV_NOT_COMPARED);
        assert_line(&p, "custom_check", "ours", "errored");
        q.raw[0] = q.raw[1] = totals;
        assert_compares(&p, SP_VV_EQUAL);
        q.raw[1] = NULL;
        assert_compares(&p, SP_VV_NOT_COMPARED); /* no text for that kind */
        pair_end(&p);
    }
    struct sp_verify_query q;
    struct pair p;
    begin(&p, &q, " ( /* all */ -- of them\n SELECT count(*) FROM sale )", NULL);
    q.raw[0] = q.raw[1] = "/* all */ -- of them\n SELECT count(*) FROM sale";
    assert_compares(&p, SP_VV_EQUAL);
    pair_end(&p);
}

/* ---- between kinds ------------------------------------------------------------------------------------------------- */

static void values_meet_between_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *sqlite, *postgresql;
        enum sp_verify_verdict want;
    } cases[] = {
        { "SELECT 1, 2.5, 'a', NULL", "SELECT 1::int8, 2.50::numeric, 'a'::varchar, NULL::int", SP_VV_EQUAL },
        { "SELECT count(*) FROM sale", "SELECT 3", SP_VV_EQUAL },
        { "SELECT count(*) FROM sale", "SELECT 4", SP_VV_DIFFERENT },
        { "SELECT 1", "SELECT true", SP_VV_EQUAL },
        { "SELECT 0", "SELECT true", SP_VV_DIFFERENT },
        { "SELECT '2024-01-01'", "SELECT date '2024-01-01'", SP_VV_EQUAL },
        { "SELECT '2024-01-02'", "SELECT date '2024-01-01'", SP_VV_DIFFERENT },
        { "SELECT 'aA'", "SELECT 'AA'", SP_VV_DIFFERENT },
        { "SELECT '1'", "SELECT 1", SP_VV_DIFFERENT },
        { "SELECT 0.1", "SELECT 0.1::numeric", SP_VV_EQUAL },
        { "SELECT 0.1", "SELECT 0.10000001::numeric", SP_VV_DIFFERENT },
        { "SELECT 1", "SELECT nextval('nowhere')", SP_VV_NOT_COMPARED },
        { "SELECT 1", "WITH x AS (CREATE TABLE y(a int)) SELECT 1", SP_VV_NOT_COMPARED },
        { "SELECT 1", "SELECT set_config('transaction_read_only', 'off', true)", SP_VV_NOT_COMPARED },
        { "SELECT 1", "COMMIT", SP_VV_NOT_COMPARED },
        { "SELECT 1", "SELECT 1; DROP TABLE sale", SP_VV_NOT_COMPARED },
    };
    const char *url = getenv("POSTGRESQL_URL");
    if (url == NULL) {
        print_message("skip: POSTGRESQL_URL is not set; run ci/stack up\n");
        skip();
    }
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_verify_query q;
        struct pair p;
        struct opened a;
        struct sp_session *b = NULL;
        const struct sp_endpoint e = { .name = "new", .url = url, .access = SP_ACCESS_READ_ONLY };
        begin(&p, &q, NULL, NULL);
        q.raw[0] = cases[i].sqlite;
        q.raw[1] = cases[i].postgresql;
        struct lines l = { { keep_line }, &p.events };
        static const char *const nothing[] = { "sale" };
        p.opt.tables = nothing; /* what else the server holds does not matter */
        p.opt.ntables = 1;
        open_file(&a, p.a, SP_ACCESS_READ_ONLY);
        if (sp_open(&b, &sp_provider_postgresql, &e, &p.err) != 0)
            fail_msg("%s", sp_error_text(&p.err));
        p.rc = sp_verify(a.s, b, &p.opt, &l.em, &p.verdict, &p.reasons, &p.err);
        const char *line = line_of(&p, "custom_check", "ours");
        enum sp_verify_verdict got = line == NULL || strstr(line, "errored") != NULL ? SP_VV_NOT_COMPARED
                                     : strstr(line, "passed") != NULL                ? SP_VV_EQUAL
                                                                                     : SP_VV_DIFFERENT;
        if (p.rc != 0 || got != cases[i].want)
            fail_msg("%s | %s: %s, not %s: %s\n%s", cases[i].sqlite, cases[i].postgresql,
                sp_verify_verdict_name(got), sp_verify_verdict_name(cases[i].want), sp_error_text(&p.err),
                p.events.p);
        sp_close(a.s);
        sp_close(b);
        pair_end(&p);
    }
}

/* The server is stopped, and the snapshot goes on. Types that are not built in are known before rows come. */
static void an_answer_of_postgresql_has_them_too(void **state)
{
    (void)state;
    static const struct {
        const char *sql;
        int want;
        const char *text;
    } cases[] = { { "SELECT generate_series(1, 1000000000000)", -SP_E_TOO_LARGE, "more than 100 rows" },
        { "SELECT repeat('x', 1 << 20) FROM generate_series(1, 100)", -SP_E_TOO_LARGE, "more than 16 MiB" },
        { "SELECT 1 / 0", -SP_E_INVALID, "division" },
        { "SELECT 1 / (50 - i) FROM generate_series(1, 99) i", -SP_E_INVALID, "division" },
        { "SELECT nothing FROM nowhere", -SP_E_NOT_FOUND, "nowhere" },
        { "SELECT '1/1'::pg_lsn, '(1,2)'::point FROM generate_series(1, 100)", 0, NULL },
        { "SELECT 1 WHERE false", 0, NULL } };
    const char *url = getenv("POSTGRESQL_URL");
    const struct sp_endpoint e = { .name = "new", .url = url, .access = SP_ACCESS_READ_ONLY };
    struct sp_result r = SP_RESULT_INIT;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = NULL;
    if (url == NULL) {
        print_message("skip: POSTGRESQL_URL is not set; run ci/stack up\n");
        skip();
    }
    assert_int_equal(0, sp_open(&s, &sp_provider_postgresql, &e, &err));
    assert_int_equal(0, sp_db_snapshot_begin(s, NULL, &err));
    r.most_rows = 100;
    r.most_bytes = 16 << 20;
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        int rc = sp_db_read_raw(s, cases[i].sql, &r, &err);
        if (rc != cases[i].want || (rc != 0 && strstr(sp_error_text(&err), cases[i].text) == NULL))
            fail_msg("%s: %d, %s", cases[i].sql, rc, sp_error_text(&err));
        sp_error_clear(&err);
        assert_int_equal(0, sp_db_read_raw(s, "SELECT 7", &r, &err)); /* the snapshot still stands */
        assert_int_equal(1, r.nrows);
        assert_int_equal(7, r.values[0].u.i);
    }
    assert_int_equal(0, sp_db_snapshot_end(s, &err));
    sp_result_free(&r);
    sp_close(s);
}

/* What PostgreSQL takes for reading before version 16: nothing of it stays. */
static void a_large_object_does_not_stay(void **state)
{
    (void)state;
    const char *url = getenv("POSTGRESQL_URL");
    struct sp_endpoint e = { .name = "new", .url = url, .access = SP_ACCESS_READ_ONLY };
    const struct sp_op count = { .kind = SP_OP_RAW, .raw = "SELECT count(*) FROM pg_largeobject_metadata" };
    struct sp_result before = SP_RESULT_INIT, after = SP_RESULT_INIT, r = SP_RESULT_INIT;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *reader = NULL, *other = NULL;
    if (url == NULL) {
        print_message("skip: POSTGRESQL_URL is not set; run ci/stack up\n");
        skip();
    }
    assert_int_equal(0, sp_open(&reader, &sp_provider_postgresql, &e, &err));
    struct sp_endpoint w = e;
    w.access = SP_ACCESS_DISPOSABLE;
    assert_int_equal(0, sp_open(&other, &sp_provider_postgresql, &w, &err));
    assert_int_equal(0, sp_db_exec(other, &count, &before, &err));
    assert_int_equal(
        -SP_E_PERMISSION, sp_db_read_raw(reader, "SELECT 1", &r, NULL)); /* outside of a snapshot */
    assert_int_equal(-SP_E_PERMISSION, sp_db_read_raw(other, "SELECT 1", &r, NULL)); /* may write */
    assert_int_equal(0, sp_db_snapshot_begin(reader, NULL, &err));
    (void)sp_db_read_raw(reader, "SELECT lo_create(0)", &r, NULL);
    assert_int_equal(0, sp_db_read_raw(reader, "SELECT 1", &r, &err));
    assert_int_equal(0, sp_db_snapshot_end(reader, &err));
    assert_int_equal(0, sp_db_exec(other, &count, &after, &err));
    assert_true(sp_value_equal(&before.values[0], &after.values[0]));
    sp_result_free(&before);
    sp_result_free(&after);
    sp_result_free(&r);
    sp_close(reader);
    sp_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_answer_is_the_same),
        cmocka_unit_test(another_answer_is_found),
        cmocka_unit_test(order_counts_where_it_is_asked_for),
        cmocka_unit_test(repeated_rows_count),
        cmocka_unit_test(rows_are_counted),
        cmocka_unit_test(an_answer_has_bounds_while_it_is_read),
        cmocka_unit_test(an_answer_of_postgresql_has_them_too),
        cmocka_unit_test(a_logical_query_meets_by_names),
        cmocka_unit_test(only_reading_is_let_through),
        cmocka_unit_test(values_meet_between_kinds),
        cmocka_unit_test(a_large_object_does_not_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
