/* test_verify_profiles.c -- counts, and what the columns of differing tables look like. */
#include "event_lines.h"

static const char fill[] =
    "CREATE TABLE item(id INTEGER PRIMARY KEY, price REAL, note TEXT, code TEXT NOT NULL, raw BLOB);"
    "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 2000) "
    "INSERT INTO item SELECT n, n / 100.0, 'note ' || n, 'c' || (n % 10), x'00ff' FROM g;"
    "CREATE TABLE same(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO same VALUES (1, 'a');";

static void begin(struct pair *p, const char *corruption)
{
    pair_begin(p);
    plain(p->a, fill);
    plain(p->b, fill);
    if (corruption != NULL)
        plain(p->b, corruption);
}

/* ---- profiles ---- */

static void nulls_that_came_in_are_in_the_column(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, "UPDATE item SET note = NULL WHERE id <= 17");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "profile", "\"column\":\"note\"", "nulls 0 vs 17");
    assert_line(&p, "profile", "\"column\":\"note\"", "\"target_nulls\":17");
    assert_no_line(&p, "profile", "\"column\":\"price\"");
    assert_no_line(&p, "profile", "\"name\":\"same\"");
    assert_line(&p, "finding", "column profile", "1 of 5 columns differ");
    pair_end(&p);
}

static void a_missing_tail_is_the_range_of_keys(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, "DELETE FROM item WHERE id > 1900");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "profile", "\"column\":\"id\"", "max 2000 vs 1900");
    assert_line(&p, "profile", "\"column\":\"id\"", "\"keyed\":true");
    pair_end(&p);
}

static void values_stand_in_profiles_only_where_allowed(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, "UPDATE item SET price = 19 WHERE price > 19; UPDATE item SET note = 'zz secret' WHERE id = 5");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "profile", "\"column\":\"price\"", "another max");
    assert_line(&p, "profile", "\"column\":\"price\"", "digest");
    assert_null(strstr(p.events.p, "secret"));
    assert_null(strstr(p.events.p, "note 1999"));
    p.opt.show_values = true;
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "profile", "\"column\":\"price\"", "max float64 20 vs float64 19");
    assert_line(&p, "profile", "\"column\":\"note\"", "zz secret");
    pair_end(&p);
}

static void a_cut_text_shows_by_its_length(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, "UPDATE item SET note = substr(note, 1, 6)");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "profile", "\"column\":\"note\"", "longest 9 vs 6");
    assert_line(&p, "profile", "\"column\":\"note\"", "distinct, about");
    pair_end(&p);
}

/* Each column has the same values; only the rows say that something is wrong. */
static void swapped_values_are_named_as_that(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, "UPDATE item SET price = CASE id WHEN 7 THEN 0.09 ELSE 0.07 END WHERE id IN (7, 9)");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_no_line(&p, "profile", "\"column\"");
    assert_line(&p, "finding", "column profile", "swapped or shifted");
    pair_end(&p);
}

static void without_rows_the_profile_decides(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, NULL);
    p.opt.checks = SP_VC_PROFILES;
    assert_compares(&p, SP_VV_EQUAL);
    assert_no_line(&p, "profile", "\"column\"");
    assert_null(strstr(p.reasons.p, "rows"));
    plain(p.b, "UPDATE item SET price = CASE id WHEN 7 THEN 0.09 ELSE 0.07 END WHERE id IN (7, 9)");
    assert_compares(&p, SP_VV_DIFFERENT);
    plain(p.b, "DROP TABLE same");
    assert_compares(&p, SP_VV_DIFFERENT);
    pair_end(&p);
}

static void profiles_cost_equal_tables_nothing(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, NULL);
    assert_compares(&p, SP_VV_EQUAL);
    assert_no_line(&p, "profile", "\"column\"");
    assert_no_line(&p, "finding", "column profile");
    pair_end(&p);
}

static void all_kinds_of_values_have_a_profile(void **state)
{
    (void)state;
    struct pair p;
    pair_begin(&p);
    plain(p.a,
        "CREATE TABLE t(id TEXT PRIMARY KEY NOT NULL, v); INSERT INTO t VALUES ('a', 1), ('b', 2.5), ('c', "
        "'text'), ('d', x'00ff'), ('e', NULL), ('f', -9223372036854775808), ('g', 9e999), ('h', '')");
    plain(p.b,
        "CREATE TABLE t(id TEXT PRIMARY KEY NOT NULL, v); INSERT INTO t VALUES ('a', 1), ('b', 2.5), ('c', "
        "'Text'), ('d', x'00fe'), ('e', NULL), ('f', -9223372036854775807), ('g', -9e999), ('h', NULL)");
    p.opt.show_values = true;
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "profile", "\"column\":\"v\"", "nulls 1 vs 2");
    pair_end(&p);
}

static void many_columns_stay_in_bounds(void **state)
{
    (void)state;
    struct pair p;
    struct sp_buf sql = SP_BUF_INIT;
    pair_begin(&p);
    sp_buf_puts(&sql, "CREATE TABLE wide(id INTEGER PRIMARY KEY");
    for (int i = 0; i < 1500; i++)
        sp_buf_printf(&sql, ", c%d INT", i);
    sp_buf_puts(&sql, "); INSERT INTO wide(id, c0) VALUES (1, 1), (2, 2);");
    plain(p.a, sql.p);
    plain(p.b, sql.p);
    plain(p.b, "UPDATE wide SET c1499 = 5 WHERE id = 2");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "profile", "\"column\":\"c1499\"", "nulls 2 vs 1");
    assert_line(&p, "finding", "column profile", "1 of 1501 columns differ");
    sp_buf_free(&sql);
    pair_end(&p);
}

/* ---- counts ---- */

static void counts_alone_never_say_equal(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, "UPDATE item SET price = 0");
    p.opt.checks = SP_VC_COUNTS;
    assert_compares(&p, SP_VV_NOT_COMPARED);
    assert_line(&p, "counted", "\"name\":\"item\"", "\"source_rows\":2000,\"target_rows\":2000");
    assert_non_null(strstr(p.reasons.p, "only counts were compared"));
    pair_end(&p);
}

static void counts_find_lost_and_extra_rows(void **state)
{
    (void)state;
    static const char *const corruptions[] = { "DELETE FROM item WHERE id = 77",
        "INSERT INTO same VALUES (2, 'b')", "DELETE FROM item", "DROP TABLE same" };
    for (size_t i = 0; i < SP_LEN(corruptions); i++) {
        struct pair p;
        begin(&p, corruptions[i]);
        p.opt.checks = SP_VC_COUNTS;
        assert_compares(&p, SP_VV_DIFFERENT);
        pair_end(&p);
    }
}

static void counts_beside_rows_take_nothing_away(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, NULL);
    p.opt.checks = SP_VC_COUNTS | SP_VC_ROWS;
    assert_compares(&p, SP_VV_EQUAL);
    plain(p.b, "UPDATE item SET price = 0 WHERE id = 3");
    assert_compares(&p, SP_VV_DIFFERENT);
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nulls_that_came_in_are_in_the_column),
        cmocka_unit_test(a_missing_tail_is_the_range_of_keys),
        cmocka_unit_test(values_stand_in_profiles_only_where_allowed),
        cmocka_unit_test(a_cut_text_shows_by_its_length),
        cmocka_unit_test(swapped_values_are_named_as_that),
        cmocka_unit_test(without_rows_the_profile_decides),
        cmocka_unit_test(profiles_cost_equal_tables_nothing),
        cmocka_unit_test(all_kinds_of_values_have_a_profile),
        cmocka_unit_test(many_columns_stay_in_bounds),
        cmocka_unit_test(counts_alone_never_say_equal),
        cmocka_unit_test(counts_find_lost_and_extra_rows),
        cmocka_unit_test(counts_beside_rows_take_nothing_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
