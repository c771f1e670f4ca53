/* assess: what is planted in a source is found, a sound one has nothing, and nothing is written. */
#include "sqlite_pair.h"

#include "assess/assess.h"
#include "providers/filesystem/filesystem.h"
#include "providers/mock/mock.h"

/* A target that keeps everything that the contract knows. */
#define PLAIN_TARGET &sp_provider_mock

struct assessed {
    struct sp_buf events, reasons;
    struct sp_assessment out;
};

static void assess(struct assessed *r, const char *path, const struct sp_assess_options *opt)
{
    struct opened o;
    struct lines l = { { keep_line }, &r->events };
    struct sp_error err = SP_ERROR_INIT;
    sp_buf_clear(&r->events);
    sp_buf_clear(&r->reasons);
    open_file(&o, path, SP_ACCESS_READ_ONLY);
    if (sp_assess(o.s, opt, &l.em, &r->out, &r->reasons, &err) != 0)
        fail_msg("%s", sp_error_text(&err));
    sp_close(o.s);
}

static void assessed_free(struct assessed *r)
{
    sp_buf_free(&r->events);
    sp_buf_free(&r->reasons);
}

/* A finding's line that holds all of these. */
static bool found(const struct assessed *r, const char *a, const char *b, const char *c)
{
    for (const char *at = r->events.p; at != NULL && *at != '\0';) {
        const char *end = strchr(at, '\n');
        char *line = strndup(at, (size_t)(end - at));
        bool all = strncmp(line, "assess_finding", 14) == 0 && strstr(line, a) != NULL &&
                   strstr(line, b) != NULL && strstr(line, c) != NULL;
        free(line);
        if (all)
            return true;
        at = end + 1;
    }
    return false;
}

struct planted {
    const char *sql;
    const char *with[3];
};
static const struct planted planted[] = {
    { "CREATE TABLE p(id INTEGER PRIMARY KEY); CREATE TABLE k(id INTEGER PRIMARY KEY, p INT REFERENCES p); "
      "INSERT INTO p VALUES(1);"
      "INSERT INTO k VALUES(1, 1), (2, 7), (3, 8), (4, NULL)",
        { "\"topic\":\"orphans\",\"count\":2", "\"name\":\"k\",\"column\":\"p\"", "\"risk\":\"high\"" } },
    { "CREATE TABLE k(id INTEGER PRIMARY KEY, p INT REFERENCES gone(id))",
        { "foreign key without a parent", "gone", "medium" } },
    { "CREATE TABLE t(id INTEGER PRIMARY KEY, at TIMESTAMP); INSERT INTO t VALUES(1, '2024-01-02 03:04:05'), "
      "(2, 'yesterday')",
        { "does not fit its declaration", "\"count\":1,\"examined\":2", "\"column\":\"at\"" } },
    { "CREATE TABLE t(id INTEGER PRIMARY KEY, n INT); INSERT INTO t VALUES(1, 5), (2, 'five')",
        { "does not fit its declaration", "\"column\":\"n\"", "high" } },
    { "CREATE TABLE t(id INTEGER PRIMARY KEY, v VARCHAR(3)); INSERT INTO t VALUES(1, "
      "'\xc3\xa4\xc3\xb6\xc3\xbc'), (2, 'abcd')",
        { "longer than declared", "\"count\":1,\"examined\":2", "VARCHAR(3)" } },
    { "CREATE TABLE t(k TEXT PRIMARY KEY); INSERT INTO t VALUES(NULL), (NULL), ('a')",
        { "null in a key", "\"count\":2", "\"column\":\"k\"" } },
    { "CREATE TABLE t(id INT, v); INSERT INTO t VALUES(1, 1), (1, 2), (2, 3)",
        { "no key", "id repeats in 1 rows", "medium" } },
    { "CREATE TABLE t(id INT, v); INSERT INTO t VALUES(1, 1), (3, 2), (2, 3)",
        { "no key", "id would be one", "medium" } },
    { "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT); INSERT INTO t VALUES(1, CAST(x'c329' AS TEXT))",
        { "invalid UTF-8", "\"count\":1", "high" } },
    { "CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END",
        { "no equivalent", "trigger: tr", "medium" } },
    { "CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE VIEW v AS SELECT 1",
        { "no equivalent", "view: v", "low" } },
    { "CREATE TABLE a(id INTEGER PRIMARY KEY, b INT REFERENCES b); CREATE TABLE b(id INTEGER PRIMARY KEY, a "
      "INT REFERENCES a)",
        { "cycle", "a, b", "low" } },
    { "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT CHECK(a > 0), b AS (a + 1))",
        { "in another language", "check constraints", "low" } },
};

static void what_is_planted_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_LEN(planted); i++) {
        struct pair p;
        struct assessed r = { .out = { SP_RISK_LOW, false } };
        pair_begin(&p);
        plain(p.a, "PRAGMA foreign_keys=OFF");
        plain(p.a, planted[i].sql);
        assess(&r, p.a, &(struct sp_assess_options){ .target = PLAIN_TARGET });
        if (!found(&r, planted[i].with[0], planted[i].with[1], planted[i].with[2]))
            fail_msg("%s: not found: %s, %s, %s:\n%s", planted[i].sql, planted[i].with[0], planted[i].with[1],
                planted[i].with[2], r.events.p);
        assert_true(r.out.complete);
        assert_int_equal(
            r.out.risk, strstr(r.events.p, "\"risk\":\"high\"") != NULL ? SP_RISK_HIGH : SP_RISK_MEDIUM);
        assessed_free(&r);
        pair_end(&p);
    }
}

/* What the target cuts off is counted also where the source only suggests a type. */
static void a_loss_of_a_suggested_type_is_counted(void **state)
{
    static const struct sp_loss losses[] = { { SP_LOCAL, SP_RULE_TRUNCATE_MS, "milliseconds" },
        { SP_MISSING, SP_RULE_NONE, NULL } };
    struct sp_provider coarse = sp_provider_mock;
    struct assessed r = { .out = { SP_RISK_LOW, false } };
    struct pair p;
    (void)state;
    coarse.losses = losses;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INTEGER PRIMARY KEY, at TIMESTAMP); INSERT INTO t VALUES"
               "(1, '2024-01-02 03:04:05.123456'), (2, '2024-01-02 03:04:05.123'), (3, NULL)");
    assess(&r, p.a, &(struct sp_assess_options){ .target = &coarse });
    if (!found(&r, "type at risk", "\"column\":\"at\"", "\"count\":1") ||
        found(&r, "does not fit its declaration", "at", "t"))
        fail_msg("%s", r.events.p);
    assessed_free(&r);
    pair_end(&p);
}

static void a_sound_source_has_no_findings(void **state)
{
    struct pair p;
    struct assessed r = { .out = { SP_RISK_HIGH, false } };
    (void)state;
    pair_begin(&p);
    plain(p.a,
        "BEGIN; CREATE TABLE p(id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL, created_at TIMESTAMP NOT "
        "NULL, price DECIMAL(10,2));"
        "CREATE TABLE k(id INTEGER PRIMARY KEY, p INT NOT NULL REFERENCES p);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)"
        " INSERT INTO p SELECT i, 'name ' || i, datetime(1700000000 + i * 8640, 'unixepoch'), i / 4.0 FROM n;"
        "INSERT INTO k SELECT id, id FROM p WHERE id < 100; COMMIT");
    assess(&r, p.a, &(struct sp_assess_options){ .target = &sp_provider_sqlite });
    assert_null(strstr(r.events.p, "assess_finding"));
    assert_int_equal(SP_RISK_LOW, r.out.risk);
    assert_true(r.out.complete);
    /* Volume, growth, order, time: */
    assert_non_null(strstr(r.events.p, "assess_table \"name\":\"p\",\"rows\":30000"));
    assert_non_null(strstr(r.events.p, "\"examined\":20000"));
    /* 3,000 days of ten rows; within the last 30 days, and the rest of that day */
    assert_non_null(strstr(r.events.p, "(1.0 %) have a created_at within 30 days"));
    const char *k = strstr(r.events.p, "assess_table \"name\":\"k\""),
               *t = strstr(r.events.p, "assess_table \"name\":\"p\"");
    assert_non_null(k);
    assert_non_null(strstr(k, "\"step\":2"));
    assert_non_null(strstr(t, "\"step\":1"));
    assert_non_null(strstr(r.events.p, "\"basis\":\"an estimate"));
    /* All rows when asked. */
    assess(&r, p.a, &(struct sp_assess_options){ .target = &sp_provider_sqlite, .full = true });
    assert_non_null(strstr(r.events.p, "\"examined\":30000"));
    assessed_free(&r);
    pair_end(&p);
}

/* Behind the rows that a quick look reads. */
static void what_comes_late_needs_all_rows(void **state)
{
    struct pair p;
    struct assessed r = { .out = { SP_RISK_HIGH, false } };
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INTEGER PRIMARY KEY, n INT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
               "SELECT i + 1 FROM n "
               "WHERE i < 3000) INSERT INTO t SELECT i, CASE WHEN i = 2900 THEN 'x' ELSE i END FROM n");
    assess(&r, p.a, &(struct sp_assess_options){ .sample_rows = 1000 });
    assert_false(found(&r, "does not fit", "\"t\"", ""));
    assess(&r, p.a, &(struct sp_assess_options){ .sample_rows = 1000, .full = true });
    assert_true(found(&r, "does not fit", "\"count\":1,\"examined\":3000", "1 of 3,000 values cannot"));
    assessed_free(&r);
    pair_end(&p);
}

static void only_what_was_chosen(void **state)
{
    struct pair p;
    struct assessed r = { .out = { SP_RISK_HIGH, false } };
    struct opened o;
    struct sp_error err = SP_ERROR_INIT;
    static const char *const some[] = { "a*" }, *const none[] = { "zzz" };
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE abc(id INTEGER PRIMARY KEY); CREATE TABLE other(v)");
    assess(&r, p.a, &(struct sp_assess_options){ .tables = some, .ntables = 1 });
    assert_non_null(strstr(r.events.p, "\"abc\""));
    assert_null(strstr(r.events.p, "\"other\""));
    open_file(&o, p.a, SP_ACCESS_READ_ONLY);
    assert_int_equal(
        -SP_E_INVALID, sp_assess(o.s, &(struct sp_assess_options){ .tables = none, .ntables = 1 }, NULL,
                           &r.out, &r.reasons, &err));
    sp_close(o.s);
    sp_error_clear(&err);
    assessed_free(&r);
    pair_end(&p);
}

static void tables_need_a_target_that_keeps_tables(void **state)
{
    struct pair p;
    struct assessed r = { .out = { SP_RISK_LOW, false } };
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)");
    assess(&r, p.a, &(struct sp_assess_options){ .target = &sp_provider_filesystem });
    assert_true(found(&r, "nowhere to go", "\"t\"", "filesystem keeps no tables"));
    assert_int_equal(SP_RISK_HIGH, r.out.risk);
    assessed_free(&r);
    pair_end(&p);
}

static void nothing_is_written(void **state)
{
    struct pair p;
    struct assessed r = { .out = { SP_RISK_HIGH, false } };
    char before[200], cmd[200];
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INT, v); INSERT INTO t VALUES(1, 2)");
    snprintf(cmd, sizeof cmd, "cp %s %s", p.a, p.b);
    assert_int_equal(0, system(cmd));
    assess(&r, p.a, &(struct sp_assess_options){ .target = PLAIN_TARGET, .full = true });
    snprintf(before, sizeof before, "cmp -s %s %s", p.a, p.b);
    assert_int_equal(0, system(before));
    assessed_free(&r);
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_planted_is_found),
        cmocka_unit_test(a_loss_of_a_suggested_type_is_counted),
        cmocka_unit_test(a_sound_source_has_no_findings),
        cmocka_unit_test(what_comes_late_needs_all_rows),
        cmocka_unit_test(only_what_was_chosen),
        cmocka_unit_test(tables_need_a_target_that_keeps_tables),
        cmocka_unit_test(nothing_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
