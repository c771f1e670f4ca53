/* verify --sample: what a look at some rows may say, and what it has to find. */
#include "sqlite_pair.h"

#define ROWS 20000

static void fill(const char *path)
{
    plain(path, "BEGIN; CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, w REAL); CREATE TABLE u(k TEXT, n "
                "INT, v, PRIMARY KEY(k, n));"
                "CREATE TABLE nokey(v TEXT); CREATE TABLE none(id INTEGER PRIMARY KEY);"
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
                " INSERT INTO t SELECT i * 3, 'v' || i, i / 7.0 FROM n;"
                "INSERT INTO u SELECT 'k' || id % 7, id, v FROM t; COMMIT");
}

static void begin(struct pair *p)
{
    pair_begin(p);
    fill(p->a);
    fill(p->b);
    plain(p->a, "DROP TABLE nokey");
    plain(p->b, "DROP TABLE nokey");
    p->opt.checks = SP_VC_SCHEMA | SP_VC_ROWS;
    p->opt.sample_share = 0.05;
    p->opt.sample_seed = 7;
}

static int64_t number(const struct pair *p, const char *table, const char *field)
{
    char what[80];
    snprintf(what, sizeof what, "sampled \"name\":\"%s\"", table);
    const char *at = strstr(p->events.p, what);
    if (at == NULL)
        fail_msg("%s was not sampled:\n%s", table, p->events.p);
    const char *end = strchr(at, '\n');
    snprintf(what, sizeof what, "\"%s\":", field);
    const char *f = strstr(at, what);
    return f != NULL && f < end ? strtoll(f + strlen(what), NULL, 10) : -1;
}

static void equal_copies_are_not_called_equal(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    assert_compares(&p, SP_VV_NO_DIFFERENCE_SEEN);
    assert_int_equal(3, sp_verify_exit_code(p.verdict));
    int64_t n = number(&p, "t", "examined");
    assert_true(n > ROWS / 20 - 200 && n < ROWS / 20 + 200);
    assert_int_equal(ROWS, number(&p, "t", "source_rows"));
    assert_int_equal((3 * ROWS + n - 1) / n, number(&p, "t", "at_most"));
    assert_int_equal(0, number(&p, "none", "examined"));
    assert_null(strstr(p.events.p, "\ntable "));
    assert_non_null(strstr(p.reasons.p, "--seed 7"));
    /* Not even with all rows. */
    p.opt.sample_share = 1;
    assert_compares(&p, SP_VV_NO_DIFFERENCE_SEEN);
    assert_int_equal(ROWS, number(&p, "t", "examined"));
    assert_int_equal(0, number(&p, "u", "at_most"));
    pair_end(&p);
}

static void a_number_of_rows(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    p.opt.sample_share = 0;
    p.opt.sample_rows = 300;
    assert_compares(&p, SP_VV_NO_DIFFERENCE_SEEN);
    assert_int_equal(300, number(&p, "t", "examined"));
    assert_int_equal(300, number(&p, "u", "examined"));
    /* Rows that only one side has push others out of its choice: both keep to the smaller bound. */
    plain(p.b, "DELETE FROM t WHERE id % 2 = 0");
    assert_compares(&p, SP_VV_DIFFERENT);
    int64_t n = number(&p, "t", "examined"), missing = number(&p, "t", "missing");
    assert_true(n >= 300 && n < 600);
    assert_true(missing > n / 2 - 80 && missing < n / 2 + 80);
    assert_int_equal(0, number(&p, "t", "extra"));
    pair_end(&p);
}

struct planted {
    const char *sql;
    const char *counts; /* the field that is not 0 */
};

/* Of faults that a tenth of the rows have, a sample of a thousand sees some, whatever the seed. */
static void faults_of_many_rows_are_seen(void **state)
{
    static const struct planted faults[] = {
        { "UPDATE t SET v = upper(v) WHERE id % 10 = 0", "changed" },
        { "DELETE FROM t WHERE id % 10 = 0; INSERT INTO t SELECT id * 2 + 100001, v, w FROM t WHERE id % 9 = "
          "0 AND id % 2 = 0 LIMIT 2000",
            "missing" },
        { "DELETE FROM t WHERE id % 10 = 0; INSERT INTO t SELECT id * 2 + 100001, v, w FROM t WHERE id % 9 = "
          "0 AND id % 2 = 0 LIMIT 2000",
            "extra" },
    };
    (void)state;
    for (size_t i = 0; i < SP_LEN(faults); i++)
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct pair p;
            begin(&p);
            p.opt.sample_seed = seed;
            plain(p.b, faults[i].sql);
            assert_compares(&p, SP_VV_DIFFERENT);
            assert_true(number(&p, "t", faults[i].counts) > 0);
            assert_int_equal(-1, number(&p, "t", "at_most"));
            pair_end(&p);
        }
}

/* The same seed looks at the same rows, another one at others. */
static void the_seed_chooses(void **state)
{
    struct pair p;
    int64_t n[3];
    (void)state;
    begin(&p);
    plain(p.b, "UPDATE t SET v = upper(v) WHERE id % 2 = 0");
    for (int i = 0; i < 3; i++) {
        p.opt.sample_seed = i < 2 ? 11 : 12;
        assert_compares(&p, SP_VV_DIFFERENT);
        n[i] = number(&p, "t", "examined") * 100000 + number(&p, "t", "changed");
    }
    assert_int_equal(n[0], n[1]);
    assert_int_not_equal(n[0], n[2]);
    pair_end(&p);
}

/* What the sample did not look at: the counts are exact all the same. */
static void one_row_too_few_is_seen_by_counting(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    p.opt.sample_share = 0.001;
    plain(p.b, "DELETE FROM t WHERE id = 300");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_int_equal(ROWS - 1, number(&p, "t", "target_rows"));
    pair_end(&p);
}

static void the_rows_that_differ_are_named(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    p.opt.sample_share = 1;
    plain(p.b, "UPDATE t SET v = upper(v) WHERE id = 300; DELETE FROM t WHERE id = 303; INSERT INTO t "
               "VALUES(1, 'x', 1)");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_int_equal(1, number(&p, "t", "changed"));
    assert_int_equal(1, number(&p, "t", "missing"));
    assert_int_equal(1, number(&p, "t", "extra"));
    assert_non_null(strstr(p.events.p, "\"difference\":\"changed\",\"key\":\"id=300\""));
    assert_non_null(strstr(p.events.p, "\"difference\":\"missing\",\"key\":\"id=303\""));
    assert_non_null(strstr(p.events.p, "\"difference\":\"extra\",\"key\":\"id=1\""));
    assert_non_null(strstr(p.events.p, "\"topic\":\"letter_case\""));
    assert_null(strstr(p.events.p, "missing_tail"));
    /* The cap holds, and is said. */
    plain(p.b, "UPDATE t SET v = upper(v) WHERE id % 2 = 0");
    p.opt.max_differences = 5;
    assert_compares(&p, SP_VV_DIFFERENT);
    size_t listed = 0;
    for (const char *at = p.events.p; (at = strstr(at, "\ndifference ")) != NULL; at++)
        listed++;
    assert_int_equal(5, listed);
    assert_non_null(strstr(p.events.p, "\"capped\":true"));
    pair_end(&p);
}

static void what_cannot_be_sampled(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    plain(p.a, "CREATE TABLE nokey(v TEXT)");
    plain(p.b, "CREATE TABLE nokey(v TEXT)");
    assert_compares(&p, SP_VV_NOT_COMPARED);
    assert_non_null(strstr(p.events.p, "it has no key"));
    p.opt.checks = SP_VC_ALL;
    compare(&p);
    assert_int_equal(-SP_E_INVALID, p.rc);
    p.opt.checks = SP_VC_SCHEMA;
    compare(&p);
    assert_int_equal(-SP_E_INVALID, p.rc);
    pair_end(&p);
}

/* A key that the backend finds in more spellings than the scan shows cannot be fetched: that is said, not guessed. */
static void keys_of_other_storage(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    for (int i = 0; i < 2; i++)
        plain(i == 0 ? p.a : p.b, "CREATE TABLE f(k REAL PRIMARY KEY NOT NULL, v TEXT) WITHOUT ROWID; INSERT "
                                  "INTO f VALUES(0.5, 'a'), (1.5, 'b')");
    assert_compares(&p, SP_VV_NOT_COMPARED);
    assert_non_null(strstr(p.events.p, "\"what\":\"sample\""));
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_copies_are_not_called_equal),
        cmocka_unit_test(a_number_of_rows),
        cmocka_unit_test(faults_of_many_rows_are_seen),
        cmocka_unit_test(the_seed_chooses),
        cmocka_unit_test(one_row_too_few_is_seen_by_counting),
        cmocka_unit_test(the_rows_that_differ_are_named),
        cmocka_unit_test(what_cannot_be_sampled),
        cmocka_unit_test(keys_of_other_storage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
