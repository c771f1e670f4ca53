/* Filters: three-valued logic, ordering, checks; and the schema helpers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/query.h"

struct row {
    const struct sp_field *fields;
    size_t n;
};

static const struct sp_value *get(void *p, const char *column)
{
    const struct row *row = p;
    for (size_t i = 0; i < row->n; i++) {
        if (strcmp(row->fields[i].name, column) == 0)
            return &row->fields[i].value;
    }
    return NULL;
}

static int eval1(enum sp_filter_op op, struct sp_value have, const struct sp_value *values, size_t n)
{
    struct sp_field field = { "c", have };
    struct row row = { &field, 1 };
    struct sp_filter f = { .op = op, .column = "c", .values = values, .nvalues = n };
    return sp_filter_eval(&f, get, &row);
}

static int eval(enum sp_filter_op op, struct sp_value have, struct sp_value value)
{
    return eval1(op, have, &value, 1);
}

/* A leaf of each truth value: c is 1, n is null. */
static const struct sp_value one = { .tag = SP_INT, .u.i = 1 }, two = { .tag = SP_INT, .u.i = 2 };
static const struct sp_filter is_true = { .op = SP_F_EQ, .column = "c", .values = &one, .nvalues = 1 };
static const struct sp_filter is_false = { .op = SP_F_EQ, .column = "c", .values = &two, .nvalues = 1 };
static const struct sp_filter is_unknown = { .op = SP_F_EQ, .column = "n", .values = &one, .nvalues = 1 };

static void truth_tables(void **state)
{
    (void)state;
    const struct sp_field fields[] = { { "c", sp_v_int(1) }, { "n", sp_v_null() } };
    struct row row = { fields, 2 };
    const struct sp_filter leaf[] = { is_true, is_false, is_unknown };
    enum { T = 1, F = 0, U = -1 };
    static const int want_and[3][3] = { { T, F, U }, { F, F, F }, { U, F, U } };
    static const int want_or[3][3] = { { T, T, T }, { T, F, U }, { T, U, U } };
    static const int want_not[3] = { F, T, U };
    for (int i = 0; i < 3; i++) {
        struct sp_filter not = { .op = SP_F_NOT, .args = &leaf[i], .nargs = 1 };
        assert_int_equal(sp_filter_eval(&not, get, &row), want_not[i]);
        for (int k = 0; k < 3; k++) {
            struct sp_filter pair[] = { leaf[i], leaf[k] };
            struct sp_filter both = { .op = SP_F_AND, .args = pair, .nargs = 2 };
            struct sp_filter any = { .op = SP_F_OR, .args = pair, .nargs = 2 };
            assert_int_equal(sp_filter_eval(&both, get, &row), want_and[i][k]);
            assert_int_equal(sp_filter_eval(&any, get, &row), want_or[i][k]);
        }
    }
    /* A comparison without sense is an error wherever it stands. */
    struct sp_value text = sp_v_text("1");
    struct sp_filter odd = { .op = SP_F_EQ, .column = "c", .values = &text, .nvalues = 1 };
    struct sp_filter pair[] = { is_false, odd };
    struct sp_filter both = { .op = SP_F_AND, .args = pair, .nargs = 2 };
    assert_int_equal(sp_filter_eval(&both, get, &row), -2);
}

static void nulls_are_unknown(void **state)
{
    (void)state;
    static const enum sp_filter_op ops[] = { SP_F_EQ, SP_F_NEQ, SP_F_GT, SP_F_GTE, SP_F_LT, SP_F_LTE,
        SP_F_CONTAINS, SP_F_LIKE, SP_F_IN };
    for (size_t i = 0; i < SP_LEN(ops); i++) {
        assert_int_equal(eval(ops[i], sp_v_null(), sp_v_text("a")), -1);
        assert_int_equal(eval(ops[i], sp_v_missing(), sp_v_text("a")), -1);
        assert_int_equal(eval(ops[i], sp_v_text("a"), sp_v_null()), -1);
        assert_int_equal(eval(ops[i], sp_v_null(), sp_v_null()), -1);
    }
    assert_int_equal(eval1(SP_F_IS_NULL, sp_v_null(), NULL, 0), 1);
    assert_int_equal(eval1(SP_F_IS_NULL, sp_v_missing(), NULL, 0), 1);
    assert_int_equal(eval1(SP_F_IS_NULL, sp_v_text(""), NULL, 0), 0);
    assert_int_equal(eval1(SP_F_IS_MISSING, sp_v_null(), NULL, 0), 0);
    assert_int_equal(eval1(SP_F_IS_MISSING, sp_v_missing(), NULL, 0), 1);
    struct sp_filter absent = { .op = SP_F_IS_MISSING, .column = "other" };
    struct row none = { NULL, 0 };
    assert_int_equal(sp_filter_eval(&absent, get, &none), 1);
}

static void in_lists(void **state)
{
    (void)state;
    struct sp_value list[] = { sp_v_int(1), sp_v_null() };
    assert_int_equal(eval1(SP_F_IN, sp_v_int(1), list, 2), 1);
    assert_int_equal(eval1(SP_F_IN, sp_v_int(2), list, 2), -1);
    assert_int_equal(eval1(SP_F_IN, sp_v_int(2), list, 1), 0);
    assert_int_equal(eval1(SP_F_IN, sp_v_int(2), NULL, 0), 0);
    assert_int_equal(eval1(SP_F_IN, sp_v_null(), NULL, 0), 0);
}

static void numbers_compare_by_number(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    /* In order; equal neighbours share a rank. */
    const struct {
        struct sp_value v;
        int rank;
    } n[] = { { sp_v_f64(-INFINITY), 0 }, { sp_v_dec_text(&a, "-1e400"), 1 }, { sp_v_int(INT64_MIN), 2 },
        { sp_v_f64(-9223372036854775808.0), 2 }, { sp_v_f64(-0.0), 3 }, { sp_v_int(0), 3 },
        { sp_v_f32(0.0f), 3 }, { sp_v_dec_text(&a, "0.1"), 4 }, { sp_v_f64(0.1), 5 }, { sp_v_f32(0.1f), 6 },
        { sp_v_int(9007199254740992), 7 }, { sp_v_f64(9007199254740992.0), 7 },
        { sp_v_int(9007199254740993), 8 }, { sp_v_int(INT64_MAX), 9 },
        { sp_v_f64(9223372036854775808.0), 10 }, { sp_v_dec_text(&a, "1e400"), 11 },
        { sp_v_f64(INFINITY), 12 }, { sp_v_f32(NAN), 13 }, { sp_v_f64(NAN), 13 } };
    for (size_t i = 0; i < SP_LEN(n); i++) {
        for (size_t k = 0; k < SP_LEN(n); k++) {
            int want = n[i].rank < n[k].rank ? -1 : n[i].rank > n[k].rank;
            if (sp_value_order(&n[i].v, &n[k].v) != want)
                fail_msg("%zu against %zu is not %d", i, k, want);
        }
    }
    sp_arena_free(&a);
}

static void the_rest_compares_within_its_type(void **state)
{
    (void)state;
    assert_int_equal(eval(SP_F_LT, sp_v_text("Z"), sp_v_text("a")), 1);
    assert_int_equal(eval(SP_F_LT, sp_v_text("a"), sp_v_text("ab")), 1);
    assert_int_equal(eval(SP_F_EQ, sp_v_text("a"), sp_v_text("A")), 0);
    assert_int_equal(eval(SP_F_GT, sp_v_bytes("\xff", 1), sp_v_bytes("\x01", 1)), 1);
    assert_int_equal(eval(SP_F_LT, sp_v_bool(false), sp_v_bool(true)), 1);
    assert_int_equal(eval(SP_F_LT, sp_v_instant(5, 1), sp_v_instant(5, 2)), 1);
    assert_int_equal(eval(SP_F_GTE, sp_v_date(3), sp_v_date(3)), 1);
    assert_int_equal(eval(SP_F_LTE, sp_v_time(4), sp_v_time(3)), 0);
    assert_int_equal(eval(SP_F_EQ, sp_v_instant(0, 0), sp_v_local(0, 0)), -2);
    assert_int_equal(eval(SP_F_EQ, sp_v_int(1), sp_v_bool(true)), -2);
    assert_int_equal(eval(SP_F_EQ, sp_v_json("{\"a\":1}"), sp_v_json("{ \"a\": 1.0 }")), 1);
    assert_int_equal(eval(SP_F_NEQ, sp_v_json("1"), sp_v_json("2")), 1);
    assert_int_equal(eval(SP_F_LT, sp_v_json("1"), sp_v_json("2")), -2);
}

static void contains_and_like(void **state)
{
    (void)state;
    struct sp_value e[] = { sp_v_int(1), sp_v_null(), sp_v_text("x") };
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_text("a%c"), sp_v_text("%")), 1);
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_text("abc"), sp_v_text("%")), 0);
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_text("abc"), sp_v_text("B")), 0);
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_text(""), sp_v_text("")), 1);
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_array(SP_INT, e, 2), sp_v_int(1)), 1);
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_array(SP_INT, e, 2), sp_v_int(2)), 0);
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_array(SP_INT, e, 2), sp_v_text("1")), -2);
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_array(SP_MISSING, e, 3), sp_v_text("x")), 1);
    assert_int_equal(eval(SP_F_CONTAINS, sp_v_array(SP_MISSING, e, 3), sp_v_bool(true)), 0);
    static const struct {
        const char *s, *pattern;
        int want;
    } like[] = { { "abc", "abc", 1 }, { "abc", "ABC", 0 }, { "abc", "a%", 1 }, { "abc", "%c", 1 },
        { "abc", "%b%", 1 }, { "abc", "a_c", 1 }, { "abc", "ab", 0 }, { "abc", "_", 0 }, { "", "%", 1 },
        { "", "", 1 }, { "", "_", 0 }, { "a", "", 0 }, { "\xc3\xa4", "_", 1 }, { "\xc3\xa4", "__", 0 },
        { "50%", "50\\%", 1 }, { "500", "50\\%", 0 }, { "a_b", "a\\_b", 1 }, { "axb", "a\\_b", 0 },
        { "a\\b", "a\\\\b", 1 }, { "mississippi", "%iss%ip%", 1 }, { "mississippi", "%iss%ix%", 0 },
        { "ab", "%%b", 1 }, { "aab", "%ab", 1 }, { "a.c", "a.c", 1 }, { "abc", "a.c", 0 } };
    for (size_t i = 0; i < SP_LEN(like); i++) {
        if (eval(SP_F_LIKE, sp_v_text(like[i].s), sp_v_text(like[i].pattern)) != like[i].want)
            fail_msg("%s like %s is not %d", like[i].s, like[i].pattern, like[i].want);
    }
    assert_int_equal(eval(SP_F_LIKE, sp_v_int(1), sp_v_text("1")), -2);
}

static void bad_queries_are_refused(void **state)
{
    (void)state;
    struct sp_filter deep[SP_FILTER_DEPTH + 1];
    deep[0] = is_true;
    for (size_t i = 1; i <= SP_FILTER_DEPTH; i++)
        deep[i] = (struct sp_filter){ .op = SP_F_NOT, .args = &deep[i - 1], .nargs = 1 };
    assert_int_equal(sp_filter_check(&deep[SP_FILTER_DEPTH - 1], NULL), 0);
    assert_int_equal(sp_filter_check(&deep[SP_FILTER_DEPTH], NULL), -SP_E_INVALID);
    struct sp_value pattern = sp_v_text("a\\"), fine = sp_v_text("a\\\\");
    const struct sp_filter bad[] = { { .op = SP_F_EQ, .column = "c" },
        { .op = SP_F_EQ, .column = "", .values = &one, .nvalues = 1 },
        { .op = SP_F_EQ, .values = &one, .nvalues = 1 },
        { .op = SP_F_IS_NULL, .column = "c", .values = &one, .nvalues = 1 }, { .op = SP_F_AND },
        { .op = SP_F_AND, .args = &is_true }, { .op = SP_F_NOT, .args = deep, .nargs = 2 },
        { .op = SP_F_OR, .args = deep, .nargs = 1, .column = "c" },
        { .op = SP_F_EQ, .column = "c", .values = &one, .nvalues = 1, .args = deep, .nargs = 1 },
        { .op = (enum sp_filter_op)99, .column = "c" }, { .op = SP_F_IN, .column = "c", .nvalues = 2 },
        { .op = SP_F_LIKE, .column = "c", .values = &pattern, .nvalues = 1 } };
    for (size_t i = 0; i < SP_LEN(bad); i++)
        assert_int_equal(sp_filter_check(&bad[i], NULL), -SP_E_INVALID);
    struct sp_filter like = { .op = SP_F_LIKE, .column = "c", .values = &fine, .nvalues = 1 };
    assert_int_equal(sp_filter_check(&like, NULL), 0);
    struct sp_filter empty_in = { .op = SP_F_IN, .column = "c" };
    assert_int_equal(sp_filter_check(&empty_in, NULL), 0);

    const char *select[] = { "a", "" };
    struct sp_query q = { .table = "t", .limit = SP_NO_LIMIT };
    assert_int_equal(sp_query_check(&q, NULL), 0);
    q.limit = -2;
    assert_int_equal(sp_query_check(&q, NULL), -SP_E_INVALID);
    q = (struct sp_query){ .table = "t", .offset = -1 };
    assert_int_equal(sp_query_check(&q, NULL), -SP_E_INVALID);
    q = (struct sp_query){ .table = "t", .select = select, .nselect = 2 };
    assert_int_equal(sp_query_check(&q, NULL), -SP_E_INVALID);
    q = (struct sp_query){ .table = "" };
    assert_int_equal(sp_query_check(&q, NULL), -SP_E_INVALID);
    q = (struct sp_query){ .table = "t", .where = &deep[SP_FILTER_DEPTH] };
    assert_int_equal(sp_query_check(&q, NULL), -SP_E_INVALID);
}

static void queries_can_be_read(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    const char *select[] = { "a", "b" };
    struct sp_filter not = { .op = SP_F_NOT, .args = &is_false, .nargs = 1 }, pair[] = { is_true, not };
    struct sp_filter where = { .op = SP_F_OR, .args = pair, .nargs = 2 };
    struct sp_order order = { "a", true, SP_NULLS_LAST };
    struct sp_query q = { "t", select, 2, &where, &order, 1, 5, 2 };
    assert_int_equal(sp_query_print(&b, &q), 0);
    assert_string_equal(b.p, "from t select a, b where (c eq int 1 or not c eq int 2) order by a desc nulls "
                             "last limit 5 offset 2");
    sp_buf_free(&b);
}

/* --- schema ------------------------------------------------------------------------------------------------------ */

#define REFS(...)                                                                                            \
    .fks = (const struct sp_fk[]){ __VA_ARGS__ },                                                            \
    .nfks = sizeof((const struct sp_fk[]){ __VA_ARGS__ }) / sizeof(struct sp_fk)

static void tables_follow_their_parents(void **state)
{
    (void)state;
    const struct sp_table tables[] = {
        { .name = "a", REFS({ .ref_table = "z" }, { .ref_table = "a" }) },
        { .name = "b", REFS({ .ref_table = "c" }) },
        { .name = "c", REFS({ .ref_table = "d" }, { .ref_table = "a" }) },
        { .name = "d", REFS({ .ref_table = "c" }) },
        { .name = "e", REFS({ .ref_table = "b" }) },
        { .name = "f", REFS({ .ref_table = "elsewhere" }) },
        { .name = "z" },
    };
    const struct sp_schema s = { .tables = tables, .ntables = SP_LEN(tables) };
    size_t order[SP_LEN(tables)], ncyclic;
    assert_int_equal(sp_schema_order(&s, order, &ncyclic, NULL), 0);
    char names[16] = "";
    for (size_t i = 0; i < SP_LEN(tables); i++)
        names[i] = tables[order[i]].name[0];
    assert_string_equal(names, "fzacdbe");
    assert_int_equal(ncyclic, 4);
    const struct sp_schema none = { .ntables = 0 };
    assert_int_equal(sp_schema_order(&none, order, &ncyclic, NULL), 0);
    assert_int_equal(ncyclic, 0);
}

static void tables_are_copied_whole(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    char name[] = "tasks", column[] = "owner", ref[] = "users", expr[] = "x > 0";
    const char *cols[] = { column };
    struct sp_column c = { .name = column, .type = { .tag = SP_TEXT, .length = 4 }, .default_expr = expr };
    struct sp_fk fk = { .columns = cols, .ncolumns = 1, .ref_table = ref, .ref_columns = cols };
    struct sp_unique u = { .columns = cols, .ncolumns = 1 };
    struct sp_check k = { .expr = expr };
    struct sp_index x = { .name = name, .columns = cols, .ncolumns = 1, .where = expr };
    struct sp_table t = { .name = name,
        .columns = &c,
        .ncolumns = 1,
        .pk = cols,
        .npk = 1,
        .uniques = &u,
        .nuniques = 1,
        .checks = &k,
        .nchecks = 1,
        .fks = &fk,
        .nfks = 1,
        .indexes = &x,
        .nindexes = 1 };
    struct sp_table copy;
    assert_int_equal(sp_table_copy(&a, &copy, &t), 0);
    memset(name, '!', 5);
    memset(column, '!', 5);
    memset(ref, '!', 5);
    memset(expr, '!', 5);
    assert_string_equal(copy.name, "tasks");
    assert_true(sp_table_is_pk(&copy, "owner"));
    assert_int_equal(sp_table_column_index(&copy, "owner"), 0);
    assert_null(sp_table_column(&copy, "Owner"));
    assert_string_equal(sp_table_column(&copy, "owner")->default_expr, "x > 0");
    assert_string_equal(copy.uniques[0].columns[0], "owner");
    assert_string_equal(copy.checks[0].expr, "x > 0");
    assert_string_equal(copy.fks[0].ref_table, "users");
    assert_string_equal(copy.fks[0].ref_columns[0], "owner");
    assert_string_equal(copy.indexes[0].where, "x > 0");
    assert_null(copy.fks[0].name);
    sp_arena_free(&a);
}

static void types_are_named(void **state)
{
    (void)state;
    static const struct {
        struct sp_type t;
        const char *text;
    } cases[] = { { { .tag = SP_MISSING }, "dynamic" }, { { .tag = SP_INT }, "int" },
        { { .tag = SP_INT, .int_bits = 16 }, "int(16 bits)" },
        { { .tag = SP_DEC, .precision = 12, .scale = 2 }, "decimal(12,2)" }, { { .tag = SP_DEC }, "decimal" },
        { { .tag = SP_TEXT, .length = 40 }, "text(40)" },
        { { .tag = SP_TEXT, .length = 4, .padded = true }, "text(4, padded)" },
        { { .tag = SP_INSTANT, .precision = 7 }, "instant(6)" },
        { { .tag = SP_INSTANT, .precision = 1 }, "instant(0)" },
        { { .tag = SP_ARRAY, .elem = SP_TEXT }, "array(text)" },
        { { .tag = SP_VECTOR, .length = 3 }, "vector(3)" } };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_buf b = SP_BUF_INIT;
        assert_int_equal(sp_type_print(&b, &cases[i].t), 0);
        assert_string_equal(b.p, cases[i].text);
        sp_buf_free(&b);
        for (size_t k = 0; k < SP_LEN(cases); k++)
            assert_int_equal(sp_type_equal(&cases[i].t, &cases[k].t), i == k);
    }
    struct sp_type a = { .tag = SP_INT, .int_bits = 64 }, b = { .tag = SP_INT };
    assert_true(sp_type_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truth_tables),
        cmocka_unit_test(nulls_are_unknown),
        cmocka_unit_test(in_lists),
        cmocka_unit_test(numbers_compare_by_number),
        cmocka_unit_test(the_rest_compares_within_its_type),
        cmocka_unit_test(contains_and_like),
        cmocka_unit_test(bad_queries_are_refused),
        cmocka_unit_test(queries_can_be_read),
        cmocka_unit_test(tables_follow_their_parents),
        cmocka_unit_test(tables_are_copied_whole),
        cmocka_unit_test(types_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
