/* test_mongodb_query.c -- filters and orders over values of all types in one open field, against the reference. */
#include <math.h>

#include "ci/tests/provider/mongodb_util.h"

static const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "v", .type = { .tag = SP_MISSING } } };
static const char *const key[] = { "id" };
static const struct sp_table mixed = {
    .name = "mixed", .columns = columns, .ncolumns = 2, .pk = key, .npk = 1, .open_fields = true
};

#define TEXT(s)                                                                                              \
    {                                                                                                        \
        .tag = SP_TEXT, .u.str = {(s), sizeof(s) - 1 }                                                       \
    }
#define INT(n)                                                                                               \
    {                                                                                                        \
        .tag = SP_INT, .u.i = (n)                                                                            \
    }
#define F64(x)                                                                                               \
    {                                                                                                        \
        .tag = SP_F64, .u.f64 = (x)                                                                          \
    }
#define ARRAY(e, list)                                                                                       \
    {                                                                                                        \
        .tag = SP_ARRAY, .u.array = {(list), SP_LEN(list), SP_##e }                                          \
    }

static const struct sp_value one_two[] = { INT(1), INT(2) };
static const struct sp_value with_null[] = { INT(1), { .tag = SP_NULL } };
static const struct sp_value words[] = { TEXT("ab"), TEXT("b") };
/* No UUID: to the server it is of the octets' type, and differs from them. */
static const struct sp_value rows[] = { { .tag = SP_MISSING }, { .tag = SP_NULL }, INT(0), INT(1), INT(-7),
    F64(1.0), F64(1.5), F64(NAN), F64(INFINITY), F64(-INFINITY),
    { .tag = SP_DEC, .u.dec = { "15", 2, -1, false } },
    { .tag = SP_DEC, .u.dec = { "12345678901234567890123", 23, -3, false } }, INT(INT64_MAX), TEXT(""),
    TEXT("ab"), TEXT("AB"), TEXT("x\nab\n"), TEXT("a\0b"), { .tag = SP_BOOL, .u.b = true },
    { .tag = SP_BOOL, .u.b = false }, ARRAY(INT, one_two), ARRAY(INT, with_null), ARRAY(TEXT, words),
    { .tag = SP_BYTES, .u.str = { "ab", 2 } }, { .tag = SP_INSTANT, .u.ts = { 1600000000, 5000000 } } };

static void make_mixed(void)
{
    static bool made;
    need_server();
    if (made)
        return;
    made = true;
    OK(sp_db_table_create(session, &mixed, true, &err));
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        const struct sp_field f[] = { { "id", sp_v_int((int64_t)i) }, { "v", rows[i] } };
        OK(sp_db_insert(session, "mixed", f, 2, &err));
    }
}

static const struct sp_value *value_of(void *row, const char *column)
{
    return strcmp(column, "v") == 0 ? row : NULL;
}

/* The ids that the server selects are those that the reference does. */
static void check_filter(const struct sp_filter *f)
{
    static const char *const select[] = { "id" };
    static const struct sp_order by_id[] = { { .column = "id" } };
    const struct sp_query q = { .table = "mixed",
        .select = select,
        .nselect = 1,
        .where = f,
        .order = by_id,
        .norder = 1,
        .limit = SP_NO_LIMIT };
    struct sp_result r = SP_RESULT_INIT;
    struct sp_buf want = SP_BUF_INIT, got = SP_BUF_INIT, text = SP_BUF_INIT;
    OK(sp_db_read(session, &q, &r, &err));
    for (size_t i = 0; i < r.nrows; i++)
        sp_buf_printf(&got, " %lld", (long long)r.values[i].u.i);
    for (size_t i = 0; i < SP_LEN(rows); i++)
        if (sp_filter_eval(f, value_of, (void *)(uintptr_t)&rows[i]) == 1)
            sp_buf_printf(&want, " %zu", i);
    if (!sp_streq(want.p, got.p)) {
        sp_query_print(&text, &q);
        fail_msg("%s: expected%s, got%s", text.p, want.p == NULL ? " none" : want.p,
            got.p == NULL ? " none" : got.p);
    }
    sp_buf_free(&want);
    sp_buf_free(&got);
    sp_result_free(&r);
}

static bool orders_bytes(enum sp_filter_op op, const struct sp_value *v)
{
    return v->tag == SP_BYTES && op != SP_F_EQ && op != SP_F_NEQ && op != SP_F_IN;
}

static void test_comparisons(void **state)
{
    static const enum sp_filter_op ops[] = { SP_F_EQ, SP_F_NEQ, SP_F_GT, SP_F_GTE, SP_F_LT, SP_F_LTE,
        SP_F_IN };
    (void)state;
    make_mixed();
    for (size_t o = 0; o < SP_LEN(ops); o++) {
        for (size_t i = 1; i < SP_LEN(rows); i++) {
            const struct sp_filter f = { .op = ops[o], .column = "v", .values = &rows[i], .nvalues = 1 };
            const struct sp_filter not_f = { .op = SP_F_NOT, .args = &f, .nargs = 1 };
            if (rows[i].tag == SP_ARRAY && ops[o] != SP_F_EQ && ops[o] != SP_F_NEQ && ops[o] != SP_F_IN) {
                FAILS(SP_E_INVALID, sp_db_count(session, "mixed", &f, &(int64_t){ 0 }, &err));
                continue; /* arrays have no order */
            }
            if (orders_bytes(ops[o], &rows[i])) {
                FAILS(SP_E_UNSUPPORTED, sp_db_count(session, "mixed", &f, &(int64_t){ 0 }, &err));
                continue;
            }
            check_filter(&f);
            check_filter(&not_f);
        }
    }
}

static void test_null_and_missing(void **state)
{
    static const enum sp_filter_op ops[] = { SP_F_IS_NULL, SP_F_IS_MISSING };
    (void)state;
    make_mixed();
    for (size_t o = 0; o < SP_LEN(ops); o++) {
        const struct sp_filter f = { .op = ops[o], .column = "v" };
        const struct sp_filter not_f = { .op = SP_F_NOT, .args = &f, .nargs = 1 };
        check_filter(&f);
        check_filter(&not_f);
    }
}

static void test_texts(void **state)
{
    static const struct sp_value patterns[] = { TEXT("ab"), TEXT("%ab"), TEXT("%ab%"), TEXT("a_b"),
        TEXT("x_ab_"), TEXT("%\n"), TEXT("%a%b%"), TEXT("%b%a%"), TEXT(""), TEXT("%"), TEXT("_b%") };
    (void)state;
    make_mixed();
    for (size_t i = 0; i < SP_LEN(patterns); i++) {
        const struct sp_filter like = {
            .op = SP_F_LIKE, .column = "v", .values = &patterns[i], .nvalues = 1
        };
        check_filter(&like);
    }
    static const struct sp_value parts[] = { TEXT("ab"), TEXT("\n"), TEXT("b"), TEXT(""), TEXT("\0b"), INT(1),
        INT(3) };
    for (size_t i = 0; i < SP_LEN(parts); i++) {
        const struct sp_filter in = { .op = SP_F_CONTAINS, .column = "v", .values = &parts[i], .nvalues = 1 };
        check_filter(&in);
    }
}

/* Ids in the order of a column of doubles. */
static void check_order(bool desc, enum sp_nulls nulls, const char *want)
{
    static const char *const select[] = { "id" };
    const struct sp_order order[] = { { .column = "f", .desc = desc, .nulls = nulls }, { .column = "id" } };
    const struct sp_query q = {
        .table = "floats", .select = select, .nselect = 1, .order = order, .norder = 2, .limit = SP_NO_LIMIT
    };
    struct sp_result r = SP_RESULT_INIT;
    struct sp_buf got = SP_BUF_INIT;
    OK(sp_db_read(session, &q, &r, &err));
    for (size_t i = 0; i < r.nrows; i++)
        sp_buf_printf(&got, "%lld ", (long long)r.values[i].u.i);
    assert_string_equal(got.p, want);
    sp_buf_free(&got);
    sp_result_free(&r);
}

static void test_order_of_doubles(void **state)
{
    static const struct sp_column of[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
        { .name = "f", .type = { .tag = SP_F64 } } };
    static const struct sp_table floats = {
        .name = "floats", .columns = of, .ncolumns = 2, .pk = key, .npk = 1
    };
    const struct sp_value v[] = { sp_v_int(1), sp_v_f64(NAN), sp_v_int(2), sp_v_null(), sp_v_int(3),
        sp_v_f64(2), sp_v_int(4), sp_v_f64(INFINITY), sp_v_int(5), sp_v_f64(-INFINITY) };
    static const char *const names[] = { "id", "f" };
    int64_t n = 0;
    (void)state;
    need_server();
    OK(sp_db_table_create(session, &floats, true, &err));
    OK(sp_db_insert_many(session, "floats", names, 2, v, 5, &n, &err));
    check_order(false, SP_NULLS_DEFAULT, "2 5 3 4 1 ");
    check_order(true, SP_NULLS_DEFAULT, "1 4 3 5 2 ");
    check_order(false, SP_NULLS_LAST, "5 3 4 1 2 ");
    check_order(true, SP_NULLS_FIRST, "2 1 4 3 5 ");
}

/* Declared columns, then the fields that were met, by name; the hidden _id is no field. */
static void test_open_fields(void **state)
{
    static const struct sp_table open = {
        .name = "open", .columns = columns, .ncolumns = 1, .pk = key, .npk = 1, .open_fields = true
    };
    const struct sp_field a[] = { { "id", sp_v_int(1) }, { "zeta", sp_v_int(1) } };
    const struct sp_field b[] = { { "id", sp_v_int(2) }, { "alpha", sp_v_null() } };
    static const struct sp_order by_id[] = { { .column = "id" } };
    const struct sp_query q = { .table = "open", .order = by_id, .norder = 1, .limit = SP_NO_LIMIT };
    struct sp_result r = SP_RESULT_INIT;
    (void)state;
    need_server();
    OK(sp_db_table_create(session, &open, true, &err));
    OK(sp_db_insert(session, "open", a, 2, &err));
    OK(sp_db_insert(session, "open", b, 2, &err));
    OK(sp_db_read(session, &q, &r, &err));
    assert_int_equal(r.ncolumns, 3);
    assert_string_equal(r.columns[0], "id");
    assert_string_equal(r.columns[1], "alpha");
    assert_string_equal(r.columns[2], "zeta");
    assert_int_equal(sp_result_at(&r, 0, "alpha")->tag, SP_MISSING);
    assert_int_equal(sp_result_at(&r, 1, "alpha")->tag, SP_NULL);
    sp_result_free(&r);
    const struct sp_value one = sp_v_int(1);
    const struct sp_filter dotted = { .op = SP_F_EQ, .column = "a.b", .values = &one, .nvalues = 1 };
    FAILS(SP_E_INVALID, sp_db_count(session, "open", &dotted, &(int64_t){ 0 }, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_null_and_missing),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_order_of_doubles),
        cmocka_unit_test(test_open_fields),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
