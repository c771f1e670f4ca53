/* test_verify_keys.c -- what is to be unique, and what is to be there, where the target does not see to it. */
#include "event_lines.h"

#define ROWS                                                                                                 \
    "WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 3000) INSERT INTO u SELECT "   \
    "n, 'u' || n, n / 10, 'x' FROM g;"

static const char strict[] =
    "CREATE TABLE u(id INTEGER PRIMARY KEY, mail TEXT NOT NULL UNIQUE, team INT, tag TEXT NOT NULL);" ROWS;
static const char loose[] = "CREATE TABLE u(id INTEGER PRIMARY KEY, mail TEXT, team INT, tag TEXT);" ROWS;

/* Rows, columns, keys: without the schema, which would differ anyway. */
static void begin(struct pair *p, const char *source, const char *target, const char *corruption)
{
    pair_begin(p);
    plain(p->a, source);
    plain(p->b, target);
    if (corruption != NULL)
        plain(p->b, corruption);
    p->opt.checks = SP_VC_UNIQUENESS | SP_VC_REQUIRED;
}

static void faithful_copies_raise_nothing(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, strict, strict, NULL);
    assert_compares(&p, SP_VV_EQUAL);
    assert_no_line(&p, "constraint", "unique"); /* enforced: nothing to look at */
    pair_end(&p);
    begin(&p, strict, loose, NULL);
    assert_compares(&p, SP_VV_EQUAL);
    assert_line(&p, "constraint", "\"columns\":\"mail\"", "\"target_faults\":0");
    assert_line(&p, "constraint", "required", "\"introduced\":0");
    pair_end(&p);
}

static void a_duplicate_that_came_in_is_found_and_named(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, strict, loose, "UPDATE u SET mail = 'u7' WHERE id IN (9, 11)");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(
        &p, "constraint", "\"columns\":\"mail\"", "\"source_faults\":0,\"target_faults\":2,\"introduced\":2");
    assert_int_equal(3, lines_of(&p, "difference", "\"difference\":\"duplicate\""));
    assert_line(&p, "difference", "id=9", "digest");
    assert_null(strstr(p.events.p, "u7"));
    p.opt.show_values = true;
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "difference", "id=9", "u7");
    pair_end(&p);
}

static void a_key_that_the_rows_prove_is_not_read(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, strict, loose, NULL);
    p.opt.checks |= SP_VC_ROWS;
    assert_compares(&p, SP_VV_EQUAL);
    assert_line(&p, "constraint", "\"columns\":\"mail\"", "\"introduced\":0");
    plain(p.b, "UPDATE u SET mail = 'u7' WHERE id = 9");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "constraint", "\"columns\":\"mail\"", "\"introduced\":1");
    pair_end(&p);
}

static void demand(
    struct pair *p, struct sp_verify_demand *d, const char *const *columns, size_t n, bool unique)
{
    *d = (struct sp_verify_demand){
        .name = "our rule", .table = "u", .columns = columns, .ncolumns = n, .unique = unique
    };
    p->opt.demands = d;
    p->opt.ndemands = 1;
}

static void a_business_key_tells_old_faults_from_new_ones(void **state)
{
    (void)state;
    static const char *const columns[] = { "mail", "team" };
    struct sp_verify_demand d;
    struct pair p;
    begin(&p, loose, loose, NULL);
    demand(&p, &d, columns, 2, true);
    assert_compares(&p, SP_VV_EQUAL);
    assert_line(&p, "constraint", "our rule", "\"target_faults\":0");
    /* on both sides: a finding */
    plain(p.a, "UPDATE u SET mail = 'u20', team = 2 WHERE id IN (21, 22)");
    plain(p.b, "UPDATE u SET mail = 'u20', team = 2 WHERE id IN (21, 22)");
    assert_compares(&p, SP_VV_EQUAL);
    assert_line(&p, "constraint", "our rule", "\"introduced\":0,\"preexisting\":2");
    assert_line(&p, "finding", "duplicates on both sides", "2 rows");
    p.opt.strict_integrity = true;
    assert_compares(&p, SP_VV_DIFFERENT);
    p.opt.strict_integrity = false;
    /* one more of that group, and another group */
    plain(p.b, "UPDATE u SET mail = 'u20', team = 2 WHERE id = 23; UPDATE u SET mail = 'u30', team = 3 WHERE "
               "id = 31");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "constraint", "our rule",
        "\"source_faults\":2,\"target_faults\":4,\"introduced\":2,\"preexisting\":2");
    /* mended on the target: worth knowing */
    plain(p.b, "UPDATE u SET mail = 'm' || id");
    assert_compares(&p, SP_VV_EQUAL);
    assert_line(&p, "finding", "duplicates on the source", "fewer");
    pair_end(&p);
}

static void nulls_repeat_nothing(void **state)
{
    (void)state;
    static const char *const columns[] = { "mail" };
    struct sp_verify_demand d;
    struct pair p;
    begin(&p, loose, loose, NULL);
    demand(&p, &d, columns, 1, true);
    plain(p.a, "UPDATE u SET mail = NULL WHERE id < 50");
    plain(p.b, "UPDATE u SET mail = NULL WHERE id < 50");
    assert_compares(&p, SP_VV_EQUAL);
    assert_line(&p, "constraint", "our rule", "\"target_faults\":0");
    pair_end(&p);
}

static void a_demand_without_its_table_or_column_is_not_compared(void **state)
{
    (void)state;
    static const char *const columns[] = { "nickname" };
    for (int unique = 0; unique < 2; unique++) {
        struct sp_verify_demand d;
        struct pair p;
        begin(&p, loose, loose, NULL);
        demand(&p, &d, columns, 1, unique != 0);
        assert_compares(&p, SP_VV_NOT_COMPARED);
        d.table = "nowhere";
        assert_compares(&p, SP_VV_NOT_COMPARED);
        pair_end(&p);
    }
}

static void an_absent_value_that_came_in_is_found(void **state)
{
    (void)state;
    for (int rows = 0; rows < 2; rows++) {
        struct pair p;
        begin(&p, strict, loose, "UPDATE u SET tag = NULL WHERE id IN (5, 6, 7)");
        p.opt.checks |= rows != 0 ? SP_VC_ROWS : 0;
        assert_compares(&p, SP_VV_DIFFERENT);
        assert_line(&p, "constraint", "\"columns\":\"tag\"",
            "\"source_faults\":0,\"target_faults\":3,\"introduced\":3");
        assert_line(&p, "constraint", "\"columns\":\"mail\",", "\"introduced\":0");
        pair_end(&p);
    }
}

static void a_required_field_of_ours_tells_old_faults_from_new_ones(void **state)
{
    (void)state;
    static const char *const columns[] = { "team", "tag" };
    struct sp_verify_demand d;
    struct pair p;
    begin(&p, loose, loose, NULL);
    demand(&p, &d, columns, 2, false);
    plain(p.a, "UPDATE u SET team = NULL WHERE id = 1");
    plain(p.b, "UPDATE u SET team = NULL WHERE id = 1");
    assert_compares(&p, SP_VV_EQUAL);
    assert_line(&p, "constraint", "\"columns\":\"team\"", "\"introduced\":0,\"preexisting\":1");
    plain(p.b, "UPDATE u SET tag = NULL WHERE id = 2");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "constraint", "\"columns\":\"tag\"", "\"introduced\":1");
    pair_end(&p);
}

static void an_index_makes_a_key_too(void **state)
{
    (void)state;
    struct pair p;
    begin(&p, loose, loose, NULL);
    plain(p.a, "CREATE UNIQUE INDEX by_mail ON u(mail); CREATE UNIQUE INDEX some ON u(team) WHERE id = 1");
    plain(p.b, "UPDATE u SET mail = 'u1' WHERE id = 2");
    assert_compares(&p, SP_VV_DIFFERENT);
    assert_line(&p, "constraint", "by_mail", "\"introduced\":1");
    assert_no_line(&p, "constraint", "\"columns\":\"team\"");
    pair_end(&p);
}

/* What cannot be counted here is said, unless the target refuses it by itself or has the very rows of the source. */
static void what_is_unique_for_some_rows_is_not_passed_over(void **state)
{
    static const char *const made[][2] = { { "CREATE UNIQUE INDEX some ON u(team) WHERE id < 10", "some" },
        { "CREATE UNIQUE INDEX low ON u(lower(mail))", "low" } };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct pair p;
        begin(&p, loose, loose, NULL);
        plain(p.a, i == 0 ? "UPDATE u SET team = -id WHERE id < 10" : "");
        plain(p.b, i == 0 ? "UPDATE u SET team = -id WHERE id < 10" : "");
        plain(p.a, made[i][0]);
        assert_compares(&p, SP_VV_NOT_COMPARED);
        assert_line(&p, "not_compared", made[i][1], "unique");
        p.opt.checks |= SP_VC_ROWS;
        assert_compares(&p, SP_VV_EQUAL); /* the same rows */
        p.opt.checks = SP_VC_UNIQUENESS;
        plain(p.b, made[i][0]);
        assert_compares(&p, SP_VV_EQUAL); /* the same index */
        plain(p.b, i == 0 ? "UPDATE u SET team = -id; DROP INDEX some; CREATE UNIQUE INDEX every ON u(team)"
                          : "UPDATE u SET mail = id; DROP INDEX low; CREATE UNIQUE INDEX every ON u(mail)");
        /* What no two rows may have, no two of some rows have; but texts that differ may be the same in lower case. */
        assert_compares(&p, i == 0 ? SP_VV_EQUAL : SP_VV_NOT_COMPARED);
        pair_end(&p);
    }
    struct pair p;
    begin(&p, "CREATE TABLE u(id INTEGER PRIMARY KEY, mail TEXT COLLATE NOCASE UNIQUE);",
        "CREATE TABLE u(id INTEGER PRIMARY KEY, mail TEXT UNIQUE);",
        "INSERT INTO u VALUES (1, 'a'), (2, 'A')");
    p.opt.checks = SP_VC_UNIQUENESS;
    assert_compares(&p, SP_VV_NOT_COMPARED);
    assert_line(&p, "not_compared", "collation", "unique");
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faithful_copies_raise_nothing),
        cmocka_unit_test(a_duplicate_that_came_in_is_found_and_named),
        cmocka_unit_test(a_key_that_the_rows_prove_is_not_read),
        cmocka_unit_test(a_business_key_tells_old_faults_from_new_ones),
        cmocka_unit_test(nulls_repeat_nothing),
        cmocka_unit_test(a_demand_without_its_table_or_column_is_not_compared),
        cmocka_unit_test(an_absent_value_that_came_in_is_found),
        cmocka_unit_test(a_required_field_of_ours_tells_old_faults_from_new_ones),
        cmocka_unit_test(an_index_makes_a_key_too),
        cmocka_unit_test(what_is_unique_for_some_rows_is_not_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
