/* verify, likely causes: SQLite copies with a fault planted by another program, and what the report says of it. */
#include "sqlite_pair.h"

#define COPY                                                                                                 \
    "CREATE TABLE orders(id INTEGER PRIMARY KEY, name TEXT, created TEXT, price REAL, status TEXT NOT "      \
    "NULL, deleted TEXT);"                                                                                   \
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"                         \
    "INSERT INTO orders SELECT i, 'Zo\xc3\xab ' || i, datetime(1700000000 + i * 7919, 'unixepoch'), i * "    \
    "1.37 / 3,"                                                                                              \
    " CASE i % 3 WHEN 0 THEN 'open' WHEN 1 THEN 'closed' ELSE 'busy' END,"                                   \
    " CASE WHEN i % 10 = 0 THEN datetime(1700000000 + i, 'unixepoch') END FROM n;"                           \
    "CREATE TABLE log(line TEXT, n INT);"                                                                    \
    "INSERT INTO log SELECT 'line ' || id, id FROM orders;"

struct planted {
    const char *sql;
    const char *topic; /* of the first diagnosis */
    const char *says;  /* in its line */
};
static const struct planted planted[] = {
    { "DELETE FROM orders WHERE id > 1900", "missing_tail", "\"count\":100" },
    { "DELETE FROM orders WHERE id = 2000", "missing_tail", "\"count\":1" },
    { "DELETE FROM orders WHERE id <= 500", "missing_head", "\"count\":500" },
    { "DELETE FROM orders WHERE id % 7 = 3", "every_nth", "every 7\"" },
    { "DELETE FROM orders WHERE id / 100 IN (3, 8, 15)", "missing_blocks", "3 blocks" },
    { "DELETE FROM orders WHERE id BETWEEN 400 AND 1399", "missing_blocks", "a block of" },
    { "DELETE FROM orders", "not_copied", "empty" },
    { "DELETE FROM orders WHERE (id * 7919) % 1009 < 100", "unknown", "missing" },
    { "DELETE FROM orders WHERE status = 'closed'", "filtered", "\"column\":\"status\"" },
    { "DELETE FROM orders WHERE deleted IS NOT NULL", "filtered", "\"column\":\"deleted\"" },
    { "UPDATE orders SET name = CAST(name AS BLOB)", "type_changed",
        "text in the source, bytes in the target" },
    { "UPDATE orders SET id = id + 5000", "id_offset", "+5000" },
    { "UPDATE orders SET id = (id * 7919) % 100003 + 100000", "keys_differ", "ids were given anew" },
    { "INSERT INTO orders SELECT id + 10000, name, created, price, status, deleted FROM orders WHERE id < 30",
        "extra_tail", "\"count\":29" },
    { "INSERT INTO orders VALUES(-7, 'x', 'y', 1, 'z', NULL)", "extra_head", "\"count\":1" },
    { "INSERT INTO log SELECT * FROM log", "loaded_twice", "whole table" },
    { "UPDATE orders SET created = datetime(created, '+120 minutes')", "time_zone", "+2:00" },
    { "UPDATE orders SET price = round(price, 2)", "decimal_rounded", "2 digits" },
    { "UPDATE orders SET status = upper(status)", "letter_case", "capitals" },
    { "UPDATE orders SET status = 'unknown'", "constant", NULL },
    { "UPDATE orders SET name = replace(name, '\xc3\xab', '\xc3\x83\xc2\xab')", "double_utf8",
        "in the target" },
    { "UPDATE orders SET name = substr(name, 1, 6)", "cut_characters", "6 characters" },
    { "UPDATE orders SET name = status, status = name", "columns_swapped", "name, status" },
    { "UPDATE orders SET deleted = '' WHERE deleted IS NULL", "null_empty", "empty in the target" },
    { "UPDATE orders SET price = CAST(price AS TEXT)", "float_digits", "15 significant" },
    { "UPDATE orders SET status = CASE status WHEN 'open' THEN 'o1' WHEN 'closed' THEN 'o2' ELSE 'o3' END",
        "renamed", "3 source values" },
};

/* The first diagnosis in the stream; false = there is none. */
static bool first_diagnosis(const struct pair *p, char line[1200])
{
    const char *at = strstr(p->events.p, "\ndiagnosis ");
    if (at == NULL)
        return false;
    const char *end = strchr(at + 1, '\n');
    snprintf(line, 1200, "%.*s", (int)(end - at - 1), at + 1);
    return true;
}

static void corrupt(struct pair *p, const char *sql)
{
    pair_begin(p);
    plain(p->a, "BEGIN;" COPY "COMMIT");
    plain(p->b, "BEGIN;" COPY "COMMIT");
    plain(p->b, sql);
    p->opt.checks = SP_VC_ROWS;
    assert_compares(p, SP_VV_DIFFERENT);
}

static void every_planted_cause_is_said_first(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < SP_LEN(planted); i++) {
        struct pair p;
        char line[1200] = "nothing", topic[80];
        corrupt(&p, planted[i].sql);
        snprintf(topic, sizeof topic, "\"topic\":\"%s\"", planted[i].topic);
        if (!first_diagnosis(&p, line) || strstr(line, topic) == NULL ||
            (planted[i].says != NULL && strstr(line, planted[i].says) == NULL)) {
            wrong++;
            print_error("%s: not %s (%s): %s\n", planted[i].sql, planted[i].topic,
                planted[i].says != NULL ? planted[i].says : "", line);
        }
        pair_end(&p);
    }
    assert_int_equal(0, wrong);
}

/* Rows of a condition, in an order that no key shows: the condition is what they have in common. */
static void rows_left_out_by_a_condition(void **state)
{
    struct pair p;
    char line[1200];
    const char *const mix =
        "UPDATE orders SET status = CASE WHEN (id * 7919) % 1009 < 200 THEN 'gone away' ELSE 'live' END,"
        " deleted = CASE WHEN (id * 7919) % 1009 < 200 THEN NULL ELSE 'never' END";
    (void)state;
    pair_begin(&p);
    plain(p.a, "BEGIN;" COPY "COMMIT");
    plain(p.a, mix);
    plain(p.b, "BEGIN;" COPY "COMMIT");
    plain(p.b, mix);
    plain(p.b, "DELETE FROM orders WHERE status = 'gone away'");
    p.opt.checks = SP_VC_ROWS;
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_true(first_diagnosis(&p, line));
    assert_non_null(strstr(line, "\"topic\":\"filtered\""));
    assert_non_null(strstr(line, "\"column\":\"status\""));
    assert_null(strstr(p.events.p, "gone away"));
    pair_end(&p);
}

static void a_copy_that_is_older(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INTEGER PRIMARY KEY, at TIMESTAMP, v INT); WITH RECURSIVE n(i) AS (SELECT "
               "1 UNION ALL SELECT"
               " i + 1 FROM n WHERE i < 1000) INSERT INTO t SELECT i, datetime(1700000000 + i, 'unixepoch'), "
               "i FROM n");
    char cmd[240];
    snprintf(cmd, sizeof cmd, "cp %s %s", p.a, p.b);
    assert_int_equal(0, system(cmd));
    plain(p.a, "UPDATE t SET at = datetime(1800000000 + id, 'unixepoch'), v = -v WHERE id % 13 = 5");
    p.opt.checks = SP_VC_ROWS;
    assert_compares(&p, SP_VV_DIFFERENT);
    if (strstr(p.events.p, "\"topic\":\"stale_copy\"") == NULL)
        fail_msg("not named:\n%s", p.events.p);
    assert_non_null(strstr(p.events.p, "\"column\":\"at\",\"topic\":\"stale_copy\""));
    pair_end(&p);
}

/* ---- questions about times, each a pass over a side ---------------------------------------------------------------- */

static unsigned asked; /* of the column `at` */

static int counting_exec(
    struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    const struct sp_query *q = &op->query;
    asked += (q->norder != 0 && strcmp(q->order[0].column, "at") == 0) ||
             (q->where != NULL && q->where->column != NULL && strcmp(q->where->column, "at") == 0);
    return sp_provider_sqlite.db->exec(s, op, out, err);
}

/* 2,000 rows, of which the target lacks `gone`, `kept` have another value and their old time, `later` a new one. */
static bool older(unsigned gone, unsigned kept, unsigned later)
{
    struct sp_provider spy = sp_provider_sqlite;
    struct sp_db_ops db = *sp_provider_sqlite.db;
    struct opened o[2];
    struct pair p;
    struct lines l = { { keep_line }, &p.events };
    char sql[400];
    db.exec = counting_exec;
    spy.db = &db;
    asked = 0;
    pair_begin(&p);
    const char *const paths[2] = { p.a, p.b };
    for (int i = 0; i < 2; i++)
        plain(paths[i], "CREATE TABLE t(id INTEGER PRIMARY KEY, at TIMESTAMP, v INT); WITH RECURSIVE n(i) AS "
                        "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, "
                        "datetime(1700000000 + i, 'unixepoch'), i FROM n");
    snprintf(sql, sizeof sql,
        "UPDATE t SET v = -v, at = CASE WHEN id <= %u THEN at ELSE datetime(1800000000 + id, 'unixepoch') END"
        " WHERE id <= %u; INSERT INTO t SELECT id + 10000, datetime(1800000000 + id, 'unixepoch'), v FROM t "
        "WHERE id <= %u",
        kept, kept + later, gone);
    plain(p.a, sql);
    p.opt.checks = SP_VC_ROWS;
    for (int i = 0; i < 2; i++) {
        snprintf(o[i].url, sizeof o[i].url, "sqlite:%s", paths[i]);
        o[i].e = (struct sp_endpoint){ .name = paths[i], .url = o[i].url, .access = SP_ACCESS_READ_ONLY };
        assert_int_equal(0, sp_open(&o[i].s, &spy, &o[i].e, &p.err));
    }
    assert_int_equal(0, sp_verify(o[0].s, o[1].s, &p.opt, &l.em, &p.verdict, &p.reasons, &p.err));
    sp_close(o[0].s);
    sp_close(o[1].s);
    bool named = strstr(p.events.p, "\"topic\":\"stale_copy\"") != NULL;
    pair_end(&p);
    return named;
}

static void times_that_were_kept_need_no_question(void **state)
{
    (void)state;
    assert_false(older(0, 1000, 0));
    assert_int_equal(0, asked);
    assert_false(older(0, 8, 2)); /* all of them were looked at */
    assert_int_equal(0, asked);
    assert_false(older(100, 900, 100));
    assert_int_equal(0, asked);
    assert_true(older(0, 0, 10));
    assert_int_equal(2, asked);
    assert_true(older(0, 1, 9));
    assert_int_equal(2, asked);
    assert_true(older(100, 0, 0));
    assert_int_equal(2, asked);
    assert_true(older(100, 100, 1000)); /* a part of them was */
    assert_int_equal(2, asked);
}

/* Beyond the rows that are listed a bounded sample is looked at, and the report says how large it is. */
static void more_is_looked_at_than_listed(void **state)
{
    struct pair p;
    char line[1200];
    size_t listed = 0;
    (void)state;
    for (uint64_t most = 0; most <= 3; most += 3) {
        pair_begin(&p);
        plain(p.a, "BEGIN;" COPY "COMMIT");
        plain(p.b, "BEGIN;" COPY "COMMIT");
        plain(p.b, "UPDATE orders SET status = upper(status)");
        p.opt.checks = SP_VC_ROWS;
        p.opt.max_differences = most;
        assert_compares(&p, SP_VV_DIFFERENT);
        assert_true(first_diagnosis(&p, line));
        assert_non_null(strstr(line, "\"count\":400,\"examined\":400,\"differences\":2000"));
        listed = 0;
        for (const char *at = p.events.p; (at = strstr(at, "\ndifference ")) != NULL; at++)
            listed++;
        listed += strncmp(p.events.p, "difference ", 11) == 0;
        assert_int_equal(most, listed);
        assert_non_null(strstr(p.events.p, "\"capped\":true"));
        pair_end(&p);
    }
}

/* No value stands in a diagnosis unless values are shown. */
static void no_value_is_told(void **state)
{
    struct pair p;
    (void)state;
    corrupt(&p, "UPDATE orders SET name = 'secret' || id, status = 'hidden' WHERE id > 100; DELETE FROM "
                "orders WHERE id < 9");
    assert_non_null(strstr(p.events.p, "\ndiagnosis "));
    assert_null(strstr(p.events.p, "secret"));
    assert_null(strstr(p.events.p, "hidden"));
    pair_end(&p);
}

static void equal_copies_have_no_cause(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, "BEGIN;" COPY "COMMIT");
    plain(p.b, "BEGIN;" COPY "COMMIT");
    assert_compares(&p, SP_VV_EQUAL);
    assert_null(strstr(p.events.p, "\ndiagnosis "));
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_planted_cause_is_said_first),
        cmocka_unit_test(rows_left_out_by_a_condition),
        cmocka_unit_test(a_copy_that_is_older),
        cmocka_unit_test(times_that_were_kept_need_no_question),
        cmocka_unit_test(more_is_looked_at_than_listed),
        cmocka_unit_test(no_value_is_told),
        cmocka_unit_test(equal_copies_have_no_cause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
