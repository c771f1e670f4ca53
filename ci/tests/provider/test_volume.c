/* About how many rows a table has, of backends that need no server. */
#include "lens_pair.h"

#include "mock_fixture.h"
#include "provider_call.h"

#define THOUSAND "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "

static int64_t rows_of(const char *path, const char *table)
{
    struct opened o;
    struct sp_volume v;
    struct sp_error err = SP_ERROR_INIT;
    open_file(&o, path, SP_ACCESS_READ_ONLY);
    if (sp_db_volume(o.s, NULL, table, &v, &err) != 0)
        fail_msg("%s", sp_error_text(&err));
    assert_int_equal(-1, v.disk_bytes);
    sp_close(o.s);
    return v.rows;
}

static void sqlite_goes_by_the_numbers_of_rows(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE e(v); CREATE TABLE r(rowid, v);"
               "CREATE TABLE far(id INTEGER PRIMARY KEY); INSERT INTO far VALUES (1), (9000000000000000000);"
               "CREATE TABLE neg(id INTEGER PRIMARY KEY); INSERT INTO neg VALUES (-9223372036854775808), "
               "(9223372036854775807);"
               "CREATE TABLE w(id INT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w VALUES (1, 2);"
               "CREATE TABLE all_taken(rowid, _rowid_, oid); INSERT INTO all_taken VALUES (1, 2, 3);" THOUSAND
               "INSERT INTO t SELECT i + 500000, 'v' FROM n; INSERT INTO r SELECT 'x', 1 FROM t");
    assert_int_equal(1000, rows_of(p.a, "t"));
    assert_int_equal(1000, rows_of(p.a, "r"));
    assert_int_equal(-1, rows_of(p.a, "far")); /* no file holds so many */
    assert_int_equal(-1, rows_of(p.a, "neg"));
    assert_int_equal(-1, rows_of(p.a, "w"));
    assert_int_equal(-1, rows_of(p.a, "e"));
    assert_int_equal(-1, rows_of(p.a, "all_taken"));
    pair_end(&p);
}

static void sqlite_goes_by_what_analyze_counted(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE INDEX i ON t(v); CREATE TABLE w(id INT "
               "PRIMARY KEY, v) WITHOUT ROWID; " THOUSAND "INSERT INTO t SELECT i * 7, i % 10 FROM n;"
               "INSERT INTO w SELECT id, v FROM t; ANALYZE; INSERT INTO t VALUES (9000, 1)");
    assert_int_equal(1000, rows_of(p.a, "t"));
    assert_int_equal(1000, rows_of(p.a, "w"));
    pair_end(&p);
}

/* Through a mapping: of a table that is shown as it is; nobody knows how many rows meet a condition. */
static void a_mapping_passes_it_on(void **state)
{
    const struct sp_value low = sp_v_int(500);
    const struct sp_filter where = { .op = SP_F_LT, .column = "id", .values = &low, .nvalues = 1 };
    const struct sp_map_relation relations[] = {
        { .name = "all", .table = { "t", "t" }, COLUMNS(COL("number", "id", "id"), COL("v", "v", "v")) },
        { .name = "some", .table = { "u", "u" }, .where = { &where, &where } },
    };
    const struct sp_mapping m = MAPPING(relations);
    struct opened o;
    struct sp_session *lens = NULL;
    struct sp_volume v;
    struct sp_error err = SP_ERROR_INIT;
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v); CREATE TABLE u(id INTEGER PRIMARY KEY, v);" THOUSAND
        "INSERT INTO t SELECT i, 'v' FROM n; INSERT INTO u SELECT id, v FROM t");
    open_file(&o, p.a, SP_ACCESS_READ_ONLY);
    assert_int_equal(0, sp_lens_open(o.s, NULL, &m, SP_SIDE_SOURCE, &lens, &err));
    assert_int_equal(0, sp_db_volume(lens, NULL, "all", &v, &err));
    assert_int_equal(1000, v.rows);
    assert_int_equal(0, sp_db_volume(lens, NULL, "some", &v, &err));
    assert_int_equal(-1, v.rows);
    assert_int_equal(-SP_E_NOT_FOUND, sp_db_volume(lens, NULL, "t", &v, &err));
    sp_error_clear(&err);
    sp_close(lens);
    sp_close(o.s);
    pair_end(&p);
}

static void the_mock_counts(void **state)
{
    struct fix *f = *state;
    struct sp_volume v;
    const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true } };
    const char *const key[] = { "id" };
    const struct sp_table t = { .name = "t", .columns = columns, .ncolumns = 1, .pk = key, .npk = 1 };
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    for (int64_t i = 0; i < 3; i++) {
        const struct sp_value id = sp_v_int(i);
        const struct sp_op op = {
            .kind = SP_OP_CREATE, .query.table = "t", .fields = key, .nfields = 1, .values = &id, .nrows = 1
        };
        ok(f, sp_db_exec(f->a, &op, NULL, &f->err));
    }
    ok(f, sp_db_volume(f->b, NULL, "t", &v, &f->err));
    assert_int_equal(3, v.rows);
    assert_int_equal(-1, v.inserted);
    assert_int_equal(-SP_E_NOT_FOUND, sp_db_volume(f->b, NULL, "nothing", &v, &f->err));
    assert_int_equal(-1, v.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlite_goes_by_the_numbers_of_rows),
        cmocka_unit_test(sqlite_goes_by_what_analyze_counted),
        cmocka_unit_test(a_mapping_passes_it_on),
        cmocka_unit_test_setup_teardown(the_mock_counts, fix_setup, fix_teardown),
    };
    return cmocka_run_group_tests_name("volume", tests, NULL, NULL);
}
