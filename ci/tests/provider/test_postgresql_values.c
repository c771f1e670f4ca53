/* test_postgresql_values.c -- values in and out: by operations, by bulk load and scan, and what is refused. */
#include "postgresql_util.h"

static const float floats[] = { 1.5f, -0.0f, 3e38f };

static struct sp_column column_of(const char *name, enum sp_tag tag)
{
    return (struct sp_column){ .name = name, .type = { .tag = tag } };
}

#define COLUMNS 16
static size_t all_columns(struct sp_column c[COLUMNS])
{
    static const enum sp_tag tags[] = { SP_BOOL, SP_INT, SP_DEC, SP_F32, SP_F64, SP_TEXT, SP_BYTES, SP_UUID,
        SP_INSTANT, SP_LOCAL, SP_DATE, SP_TIME, SP_JSON };
    size_t n = 0;
    c[n++] = (struct sp_column){ .name = "id", .type = { .tag = SP_INT, .int_bits = 32 }, .not_null = true };
    for (size_t i = 0; i < SP_LEN(tags); i++)
        c[n++] = column_of(sp_tag_name(tags[i]), tags[i]);
    c[n] = column_of("array", SP_ARRAY);
    c[n++].type.elem = SP_TEXT;
    c[n] = column_of("vector", SP_VECTOR);
    c[n++].type.length = 3;
    return n;
}

/* One row of ordinary values, one of values at the edges, one of nulls. */
static void rows(struct sp_arena *a, struct sp_value v[3][COLUMNS])
{
    static const uint8_t u[16] = { 0, 1, 2, 0xff };
    static struct sp_value texts[3];
    texts[0] = sp_v_text("a,\"b\"");
    texts[1] = sp_v_null();
    texts[2] = sp_v_text("");
    const struct sp_value plain[COLUMNS] = { sp_v_int(1), sp_v_bool(true), sp_v_int(-5),
        sp_v_dec_text(a, "12345678901234567890.0123"), sp_v_f32(1.5f), sp_v_f64(0.1), sp_v_text("h\xc3\xa9"),
        sp_v_bytes("\0\xff", 2), sp_v_uuid(u), sp_v_instant(1700000000, 123456000), sp_v_local(-1, 999999000),
        sp_v_date(-1), sp_v_time(86399999999000),
        sp_v_json("{\"a\": 1.10, \"b\": 123456789012345678901234567890}"), sp_v_array(SP_TEXT, texts, 3),
        sp_v_vector(floats, 3) };
    const struct sp_value edge[COLUMNS] = { sp_v_int(2), sp_v_bool(false), sp_v_int(INT64_MIN),
        sp_v_dec_text(a, "-0.00000000000000000000000000000000000001"), sp_v_f32(-0.0f), sp_v_f64(-0.0),
        sp_v_text(""), sp_v_bytes("", 0), sp_v_uuid(u), sp_v_instant(-62135596800, 0),
        sp_v_local(253402300799, 999999000), sp_v_date(2932896), sp_v_time(0), sp_v_json("[]"),
        sp_v_array(SP_TEXT, NULL, 0), sp_v_vector(floats, 3) };
    memcpy(v[0], plain, sizeof plain);
    memcpy(v[1], edge, sizeof edge);
    v[2][0] = sp_v_int(3);
    for (size_t i = 1; i < COLUMNS; i++)
        v[2][i] = sp_v_null();
}

static const char *names[COLUMNS];

static void make(const char *table)
{
    static const char *const pk[] = { "id" };
    static struct sp_column c[COLUMNS];
    size_t n = all_columns(c);
    assert_int_equal(n, COLUMNS);
    for (size_t i = 0; i < n; i++)
        names[i] = c[i].name;
    const struct sp_table t = { .name = table, .columns = c, .ncolumns = n, .pk = pk, .npk = 1 };
    OK(sp_db_table_create(session, &t, true, &err));
}

static void expect_rows(const char *table, struct sp_value v[3][COLUMNS])
{
    const struct sp_order by = { .column = "id" };
    struct sp_query q = { .table = table, .order = &by, .norder = 1, .limit = SP_NO_LIMIT };
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_read(session, &q, &r, &err));
    assert_int_equal(r.nrows, 3);
    for (size_t i = 0; i < 3; i++)
        for (size_t c = 0; c < COLUMNS; c++)
            if (!sp_value_equal(&v[i][c], &r.values[i * COLUMNS + c]))
                fail_msg("row %zu, column %s differs", i + 1, names[c]);
    sp_result_free(&r);
}

static void by_operations(void **state)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value v[3][COLUMNS];
    (void)state;
    need_server();
    make("ops");
    rows(&a, v);
    OK(sp_db_insert_many(session, "ops", names, COLUMNS, &v[0][0], 3, NULL, &err));
    expect_rows("ops", v);
    sp_arena_free(&a);
}

static void scan_into(struct sp_session *s, const char *table, size_t ncols, const char *const *cols,
    const enum sp_tag *tags, struct sp_digest *digest, struct sp_colstat *stats)
{
    struct sp_colplan plan[COLUMNS] = { { .name = NULL } };
    for (size_t i = 0; i < ncols; i++)
        plan[i] = (struct sp_colplan){
            .name = cols[i], .source = cols[i], .target = cols[i], .type = { .tag = tags[i] }
        };
    struct sp_scan scan = { .ns = ns, .table = table, .cols = plan, .ncols = ncols, .side = SP_SIDE_SOURCE };
    struct sp_rowbuf rb;
    OK(sp_rowbuf_init(&rb, &scan, &err));
    OK(sp_db_scan(s, &scan, &rb, &err));
    assert_true(rb.complete);
    *digest = rb.digest;
    for (size_t i = 0; i < ncols; i++)
        stats[i] = rb.stats[i];
    sp_rowbuf_free(&rb);
}

static void by_load_and_scan(void **state)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value v[3][COLUMNS];
    struct sp_colstat stats[2][COLUMNS];
    struct sp_digest d[2];
    enum sp_tag tags[COLUMNS] = { SP_MISSING };
    struct sp_load *l = NULL;
    uint64_t loaded = 0;
    (void)state;
    need_server();
    make("loaded");
    make("inserted");
    rows(&a, v);
    OK(sp_db_insert_many(session, "inserted", names, COLUMNS, &v[0][0], 3, NULL, &err));
    OK(sp_db_load_open(session, "loaded", names, COLUMNS, &l, &err));
    for (size_t i = 0; i < 3; i++)
        OK(sp_db_load_row(session, l, v[i], &err));
    OK(sp_db_load_close(session, l, true, &loaded, &err));
    assert_int_equal(loaded, 3);
    expect_rows("loaded", v);
    scan_into(session, "loaded", COLUMNS, names, tags, &d[0], stats[0]);
    scan_into(session, "inserted", COLUMNS, names, tags, &d[1], stats[1]);
    assert_int_equal(d[0].count, 3);
    assert_true(sp_digest_equal(&d[0], &d[1]));
    for (size_t i = 1; i < COLUMNS; i++) { /* each column pushed its own type twice and one null */
        assert_int_equal(stats[0][i].nulls, 1);
        assert_int_equal(stats[0][i].by_tag[v[0][i].tag], 2);
    }
    sp_arena_free(&a);
}

static void load_given_up(void **state)
{
    static const char *const id[] = { "id" };
    struct sp_value one = sp_v_int(7), bad = sp_v_text("x");
    struct sp_load *l = NULL;
    uint64_t loaded = 1;
    int64_t n = -1;
    (void)state;
    need_server();
    raw("CREATE TABLE given_up(id int PRIMARY KEY)");
    OK(sp_db_load_open(session, "given_up", id, 1, &l, &err));
    OK(sp_db_load_row(session, l, &one, &err));
    OK(sp_db_load_close(session, l, false, &loaded, &err));
    assert_int_equal(loaded, 0);
    OK(sp_db_load_open(session, "given_up", id, 1, &l, &err));
    OK(sp_db_load_row(session, l, &one, &err));
    FAILS(SP_E_INVALID, sp_db_load_row(session, l, &bad, &err));
    FAILS(SP_E_INVALID, sp_db_load_close(session, l, true, &loaded, &err));
    assert_int_equal(loaded, 0);
    /* Refused by the server, at the end of the stream. */
    OK(sp_db_load_open(session, "given_up", id, 1, &l, &err));
    OK(sp_db_load_row(session, l, &one, &err));
    OK(sp_db_load_row(session, l, &one, &err));
    FAILS(SP_E_UNIQUE, sp_db_load_close(session, l, true, &loaded, &err));
    OK(sp_db_count(session, "given_up", NULL, &n, &err));
    assert_int_equal(n, 0);
}

static void refuse(const char *column, struct sp_value v, enum sp_code code)
{
    struct sp_field f = { column, v };
    FAILS(code, sp_db_insert(session, "narrow", &f, 1, &err));
}

static void never_changed_silently(void **state)
{
    struct sp_arena a = SP_ARENA_INIT;
    int64_t n = -1;
    (void)state;
    need_server();
    raw("CREATE TABLE narrow(i2 smallint, d numeric(5,2), v varchar(3), t timestamptz(3), x timestamptz, tm "
        "time, "
        "j json, dt date)");
    refuse("i2", sp_v_int(32768), SP_E_RANGE);
    refuse("d", sp_v_dec_text(&a, "1.005"), SP_E_RANGE);
    refuse("d", sp_v_dec_text(&a, "1000"), SP_E_RANGE);
    refuse("v", sp_v_text("ab  "), SP_E_TOO_LARGE); /* the server would cut the blank */
    refuse("t", sp_v_instant(0, 1000), SP_E_RANGE);
    refuse("x", sp_v_instant(0, 1), SP_E_RANGE);
    refuse("x", sp_v_instant(INT64_MAX, 0), SP_E_RANGE);
    refuse("x", sp_v_instant(INT64_MIN, 0), SP_E_RANGE);
    refuse("tm", sp_v_time(1), SP_E_RANGE);
    refuse("dt", sp_v_date(INT64_MAX), SP_E_RANGE);
    refuse("v", sp_v_textn("a\0b", 3), SP_E_INVALID);
    refuse("v", sp_v_text("\xff"), SP_E_INVALID);
    refuse("j", sp_v_text("{"), SP_E_INVALID);
    OK(sp_db_count(session, "narrow", NULL, &n, &err));
    assert_int_equal(n, 0);
    sp_arena_free(&a);
}

static void own_types(void **state)
{
    static const char *const cols[] = { "id", "mood", "span", "ip", "pos", "ts", "num", "grid", "day" };
    struct sp_result r = SP_RESULT_INIT;
    struct sp_colstat stats[COLUMNS];
    struct sp_digest d;
    enum sp_tag tags[COLUMNS] = { SP_MISSING };
    struct sp_query q = { .table = "own", .limit = SP_NO_LIMIT };
    (void)state;
    need_server();
    raw("CREATE TYPE mood AS ENUM ('sad', 'happy')");
    raw("CREATE DOMAIN positive AS int CHECK (VALUE > 0)");
    raw("CREATE TABLE own(id int PRIMARY KEY, mood mood, span interval, ip inet, pos positive, ts "
        "timestamptz, num "
        "numeric, grid int[], day date)");
    raw("INSERT INTO own VALUES (1, 'happy', '1 day 2 hours', '10.0.0.1', 3, 'infinity', 'NaN', "
        "'{{1,2},{3,4}}', '-infinity')");
    OK(sp_db_read(session, &q, &r, &err));
    assert_int_equal(sp_result_at(&r, 0, "mood")->tag, SP_TEXT);
    assert_int_equal(sp_result_at(&r, 0, "span")->tag, SP_NATIVE);
    assert_string_equal(sp_result_at(&r, 0, "span")->u.native.type, "interval");
    assert_memory_equal(sp_result_at(&r, 0, "span")->u.native.p, "1 day 02:00:00", 14);
    assert_int_equal(sp_result_at(&r, 0, "pos")->tag, SP_INT);
    assert_int_equal(sp_result_at(&r, 0, "ts")->tag, SP_NATIVE);
    assert_int_equal(sp_result_at(&r, 0, "num")->tag, SP_NATIVE);
    assert_int_equal(sp_result_at(&r, 0, "day")->tag, SP_NATIVE);
    const struct sp_value *grid = sp_result_at(&r, 0, "grid");
    assert_int_equal(grid->tag, SP_ARRAY);
    assert_int_equal(grid->u.array.v[1].u.array.v[0].u.i, 3);
    scan_into(session, "own", SP_LEN(cols), cols, tags, &d, stats);
    assert_int_equal(stats[1].by_tag[SP_TEXT], 1);
    assert_int_equal(stats[2].by_tag[SP_NATIVE], 1);
    /* And back: by operations, and by a load that has to go through inserts. */
    struct sp_value row[SP_LEN(cols)];
    memcpy(row, r.values, sizeof row);
    row[0] = sp_v_int(2);
    OK(sp_db_insert_many(session, "own", cols, SP_LEN(cols) - 2, row, 1, NULL, &err));
    row[0] = sp_v_int(3);
    struct sp_load *l = NULL;
    uint64_t loaded = 0;
    OK(sp_db_load_open(session, "own", cols, SP_LEN(cols), &l, &err));
    OK(sp_db_load_row(session, l, row, &err));
    OK(sp_db_load_close(session, l, true, &loaded, &err));
    assert_int_equal(loaded, 1);
    struct sp_value happy = sp_v_text("happy");
    struct sp_filter where = { .op = SP_F_EQ, .column = "mood", .values = &happy, .nvalues = 1 };
    int64_t n = 0;
    OK(sp_db_count(session, "own", &where, &n, &err));
    assert_int_equal(n, 3);
    raw("DELETE FROM own WHERE id = 1 AND span = '26 hours'");
    OK(sp_db_count(session, "own", NULL, &n, &err));
    assert_int_equal(n, 2); /* 1 day 2 hours equals 26 hours for the server */
    sp_result_free(&r);
}

static void arrays_of_arrays(void **state)
{
    struct sp_value a[] = { sp_v_int(1), sp_v_null() }, b[] = { sp_v_int(3), sp_v_int(4), sp_v_int(5) };
    struct sp_value rows[] = { sp_v_array(SP_INT, a, 2), sp_v_array(SP_INT, b, 2) };
    struct sp_value deep[] = { rows[0], sp_v_int(7) };
    struct sp_field f = { "grid", sp_v_array(SP_ARRAY, rows, 2) };
    struct sp_result r = SP_RESULT_INIT;
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "SELECT grid::text FROM nested" };
    int64_t n = -1;
    (void)state;
    need_server();
    raw("CREATE TABLE nested(grid int[])");
    OK(sp_db_insert(session, "nested", &f, 1, &err));
    OK(sp_db_exec(session, &op, &r, &err));
    assert_memory_equal(r.values[0].u.str.p, "{{1,NULL},{3,4}}", 16);
    sp_result_free(&r);
    rows[1] = sp_v_array(SP_INT, b, 3); /* of different lengths */
    FAILS(SP_E_RANGE, sp_db_insert(session, "nested", &f, 1, &err));
    f.value = sp_v_array(SP_ARRAY, deep, 2); /* of different depths */
    FAILS(SP_E_RANGE, sp_db_insert(session, "nested", &f, 1, &err));
    OK(sp_db_count(session, "nested", NULL, &n, &err));
    assert_int_equal(n, 1);
}

static void parents_with_children(void **state)
{
    static const char *const cols[] = { "id" };
    struct sp_colstat stats[COLUMNS];
    struct sp_digest d;
    enum sp_tag tags[COLUMNS] = { SP_INT };
    (void)state;
    need_server();
    raw("CREATE TABLE parted(id int) PARTITION BY RANGE (id)");
    raw("CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM (0) TO (10)");
    raw("CREATE TABLE parted_b PARTITION OF parted FOR VALUES FROM (10) TO (20)");
    raw("INSERT INTO parted VALUES (1), (11), (12)");
    scan_into(session, "parted", 1, cols, tags, &d, stats);
    assert_int_equal(d.count, 3);
    raw("CREATE TABLE mother(id int)");
    raw("CREATE TABLE child(more text) INHERITS (mother)");
    raw("INSERT INTO mother VALUES (1)");
    raw("INSERT INTO child VALUES (2, 'x')");
    /* Each row once: the child is a table of its own. */
    scan_into(session, "mother", 1, cols, tags, &d, stats);
    assert_int_equal(d.count, 1);
    scan_into(session, "child", 1, cols, tags, &d, stats);
    assert_int_equal(d.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_operations),
        cmocka_unit_test(by_load_and_scan),
        cmocka_unit_test(load_given_up),
        cmocka_unit_test(never_changed_silently),
        cmocka_unit_test(own_types),
        cmocka_unit_test(arrays_of_arrays),
        cmocka_unit_test(parents_with_children),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
