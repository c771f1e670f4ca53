/* Values at the edges: arrays of every element, numbers of one kind against columns of another, other spellings. */
#include <math.h>

#include "sqlite_util.h"

static struct test_session ts;
static struct sp_arena arena = SP_ARENA_INIT;

static int setup(void **state)
{
    (void)state;
    char name[32];
    static int n;
    snprintf(name, sizeof name, "v%d.db", n++);
    open_as(&ts, at(name), SP_ACCESS_DISPOSABLE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sp_close(ts.s);
    sp_arena_free(&arena);
    return 0;
}

/* A table t(id, v) whose v has this type. */
static void table_of(struct sp_type type, bool strict)
{
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT }, .identity = true },
        { .name = "v", .type = type } };
    static const char *const pk[] = { "id" };
    struct sp_table t = { .name = "t", .columns = cols, .ncolumns = 2, .pk = pk, .npk = 1, .strict = strict };
    OK(sp_db_table_create(ts.s, &t, true, &err));
}

static int put(struct sp_value v)
{
    struct sp_field f[] = { { "v", v } };
    sp_error_clear(&err);
    return sp_db_insert(ts.s, "t", f, 1, &err);
}

static int64_t count(enum sp_filter_op op, const struct sp_value *v, size_t n)
{
    struct sp_filter f = { .op = op, .column = "v", .values = v, .nvalues = n };
    int64_t c = -1;
    OK(sp_db_count(ts.s, "t", &f, &c, &err));
    return c;
}

static void same_as_only_row(const struct sp_value *want)
{
    struct sp_result r = SP_RESULT_INIT;
    struct sp_query q = { .table = "t", .limit = SP_NO_LIMIT };
    OK(sp_db_read(ts.s, &q, &r, &err));
    assert_int_equal(r.nrows, 1);
    const struct sp_value *got = sp_result_at(&r, 0, "v");
    if (!sp_value_equal(got, want)) {
        struct sp_buf b = SP_BUF_INIT;
        sp_value_print(&b, got, 0);
        fail_msg("came back as %s", b.p);
    }
    sp_result_free(&r);
}

static void test_arrays(void **state)
{
    (void)state;
    static const uint8_t uuid[16] = { 0xab, 1 };
    const struct sp_value rows[][3] = {
        { sp_v_bool(true), sp_v_bool(false), sp_v_null() },
        { sp_v_int(INT64_MIN), sp_v_null(), sp_v_int(9007199254740993) },
        { sp_v_dec_text(&arena, "0.1"), sp_v_dec_text(&arena, "-1e30"), sp_v_null() },
        { sp_v_f64(0.1), sp_v_f64(-0.0), sp_v_f64(-HUGE_VAL) },
        { sp_v_f32(0.1f), sp_v_f32(HUGE_VALF), sp_v_f32(3.5f) },
        { sp_v_text("\"\\/\b\f\n\r\t\x01"), sp_v_text("\xf0\x9f\x98\x80 \xc3\xa9"), sp_v_text("],[") },
        { sp_v_bytes("\0\xff", 2), sp_v_bytes("", 0), sp_v_null() },
        { sp_v_uuid(uuid), sp_v_null(), sp_v_uuid(uuid) },
        { sp_v_instant(0, 1), sp_v_instant(-1, 999999999), sp_v_null() },
        { sp_v_local(253402300799, 0), sp_v_local(0, 500000000), sp_v_null() },
        { sp_v_date(0), sp_v_date(-719162), sp_v_null() },
        { sp_v_time(0), sp_v_time(86399999999999), sp_v_null() },
    };
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        enum sp_tag elem = rows[i][0].tag;
        table_of((struct sp_type){ .tag = SP_ARRAY, .elem = elem }, true);
        const struct sp_value v = sp_v_array(elem, rows[i], 3);
        assert_int_equal(put(v), 0);
        same_as_only_row(&v);
        assert_int_equal(count(SP_F_CONTAINS, &rows[i][0], 1), 1);
        OK(sp_db_table_drop(ts.s, "t", &err));
    }
    table_of((struct sp_type){ .tag = SP_ARRAY, .elem = SP_INT }, false);
    const struct sp_value none = sp_v_array(SP_INT, NULL, 0);
    assert_int_equal(put(none), 0);
    same_as_only_row(&none);
    const struct sp_value nested[] = { none };
    assert_int_equal(put(sp_v_array(SP_ARRAY, nested, 1)), -SP_E_UNSUPPORTED);
    /* what another client wrote and isn't an array stays the text that it is */
    static const char *const other[] = { "[1,", "[1 2]", "1", "[[1]]", "[\"x]", "[\"\\ud800\"]", "[1] x",
        "[1.5]" };
    for (size_t i = 0; i < SP_LEN(other); i++) {
        OK(sp_db_delete(ts.s, "t", NULL, NULL, &err));
        assert_int_equal(put(sp_v_text(other[i])), 0);
        struct sp_value want = sp_v_text(other[i]);
        same_as_only_row(&want);
    }
    OK(sp_db_delete(ts.s, "t", NULL, NULL, &err));
    assert_int_equal(put(sp_v_text(" [ 1 , null , -2 ] ")), 0);
    const struct sp_value three[] = { sp_v_int(1), sp_v_null(), sp_v_int(-2) };
    const struct sp_value spaced = sp_v_array(SP_INT, three, 3);
    same_as_only_row(&spaced);
}

static void test_decimal_columns(void **state)
{
    (void)state;
    table_of((struct sp_type){ .tag = SP_DEC }, false);
    assert_int_equal(put(sp_v_int(10)), 0);
    assert_int_equal(put(sp_v_f64(0.5)), 0);
    assert_int_equal(put(sp_v_text("2.50")), 0);
    assert_int_equal(put(sp_v_text("no number")), 0);
    struct sp_value in[] = { sp_v_int(10), sp_v_dec_text(&arena, "0.50"), sp_v_f64(2.5) };
    assert_int_equal(count(SP_F_IN, in, 3), 3);
    struct sp_value v = sp_v_f64(HUGE_VAL);
    assert_int_equal(count(SP_F_LT, &v, 1), 3);
    v = sp_v_dec_text(&arena, "2.4999999999999999999999999999");
    assert_int_equal(count(SP_F_GT, &v, 1), 2);
    assert_int_equal(count(SP_F_NEQ, &v, 1), 3);
}

/* A decimal against an integer or float column compares by number, without a detour over doubles. */
static void test_decimals_elsewhere(void **state)
{
    (void)state;
    table_of((struct sp_type){ .tag = SP_INT }, false);
    assert_int_equal(put(sp_v_int(9007199254740993)), 0);
    assert_int_equal(put(sp_v_dec_text(&arena, "7")), 0);
    struct sp_value v = sp_v_dec_text(&arena, "9007199254740992.5");
    assert_int_equal(count(SP_F_GT, &v, 1), 1);
    v = sp_v_dec_text(&arena, "9007199254740993");
    assert_int_equal(count(SP_F_EQ, &v, 1), 1);
    v = sp_v_int(7);
    assert_int_equal(count(SP_F_EQ, &v, 1), 1);
    OK(sp_db_table_drop(ts.s, "t", &err));
    table_of((struct sp_type){ .tag = SP_F64 }, true);
    assert_int_equal(put(sp_v_dec_text(&arena, "0.1")), 0);
    assert_int_equal(put(sp_v_int(3)), 0);
    v = sp_v_dec_text(&arena, "0.1"); /* the double is a little more */
    assert_int_equal(count(SP_F_EQ, &v, 1), 0);
    assert_int_equal(count(SP_F_GT, &v, 1), 2);
    v = sp_v_f64(0.1);
    assert_int_equal(count(SP_F_EQ, &v, 1), 1);
    v = sp_v_int(3);
    assert_int_equal(count(SP_F_EQ, &v, 1), 1);
}

static void test_spellings(void **state)
{
    (void)state;
    static const struct {
        enum sp_tag tag;
        const char *in;
        struct sp_value out;
    } rows[] = {
        { SP_UUID, "00010203-0405-0607-0809-0A0B0C0D0E0F",
            { .tag = SP_UUID, .u.uuid = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 } } },
        { SP_INSTANT, "1970-01-01 01:00:00.5+01:00", { .tag = SP_INSTANT, .u.ts = { 0, 500000000 } } },
        { SP_LOCAL, "1970-01-01T00:00:01", { .tag = SP_LOCAL, .u.ts = { 1, 0 } } },
        { SP_DATE, "1970-01-02", { .tag = SP_DATE, .u.days = 1 } },
        { SP_TIME, "00:00:01", { .tag = SP_TIME, .u.time_ns = 1000000000 } },
        { SP_INSTANT, "no time", { .tag = SP_TEXT, .u.str = { "no time", 7 } } },
    };
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        table_of((struct sp_type){ .tag = rows[i].tag }, false);
        assert_int_equal(put(sp_v_text(rows[i].in)), 0);
        same_as_only_row(&rows[i].out);
        struct sp_value v = sp_v_text(rows[i].in); /* the same spelling finds it */
        assert_int_equal(count(SP_F_EQ, &v, 1), 1);
        OK(sp_db_table_drop(ts.s, "t", &err));
    }
    table_of((struct sp_type){ .tag = SP_INSTANT }, true);
    assert_int_equal(put(sp_v_text("no time")), -SP_E_INVALID);
    assert_int_equal(put(sp_v_instant(400000000000, 0)), -SP_E_RANGE); /* the year 14645 */
    assert_int_equal(put(sp_v_instant(-62167219201, 5)), 0);           /* the year -1 */
    const struct sp_value before = sp_v_instant(-62167219201, 5);
    same_as_only_row(&before);
    assert_int_equal(put(sp_v_native("interval", "x", 1)), -SP_E_INVALID);
}

/* Infinity stays, -0.0 comes back as 0.0 (declared), NaN is refused. */
static void test_floats(void **state)
{
    (void)state;
    table_of((struct sp_type){ .tag = SP_F64 }, true);
    assert_int_equal(put(sp_v_f64((double)NAN)), -SP_E_RANGE);
    assert_int_equal(put(sp_v_f64(-HUGE_VAL)), 0);
    const struct sp_value inf = sp_v_f64(-HUGE_VAL);
    same_as_only_row(&inf);
    OK(sp_db_delete(ts.s, "t", NULL, NULL, &err));
    assert_int_equal(put(sp_v_f64(-0.0)), 0);
    const struct sp_value zero = sp_v_f64(0.0);
    same_as_only_row(&zero);
    assert_int_equal(sp_provider_sqlite.declared[SP_CAP_VAL_NEGZERO].level, SP_CAP_NO);
}

/* Other people's columns: filters go by bytes whatever the collation, and what is stored keeps its spelling. */
static void test_foreign(void **state)
{
    (void)state;
    struct sp_op ddl = { .kind = SP_OP_RAW, .raw = "CREATE TABLE t(v DATETIME COLLATE NOCASE)" };
    OK(sp_db_exec(ts.s, &ddl, NULL, &err));
    assert_int_equal(put(sp_v_text("2020-01-01 00:00:00")), 0);
    struct sp_value v = sp_v_text("2020-01-01 00:00:00");
    assert_int_equal(count(SP_F_EQ, &v, 1), 1);
    const struct sp_value read = sp_v_local(1577836800, 0);
    same_as_only_row(&read);
    OK(sp_db_delete(ts.s, "t", NULL, NULL, &err));
    assert_int_equal(put(sp_v_text("Abc")), 0);
    v = sp_v_text("abc");
    assert_int_equal(count(SP_F_EQ, &v, 1), 0);
    assert_int_equal(count(SP_F_IN, &v, 1), 0);
    v = sp_v_text("Abc");
    assert_int_equal(count(SP_F_EQ, &v, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_arrays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decimal_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_decimals_elsewhere, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spellings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_floats, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
