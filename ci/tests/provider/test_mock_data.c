/* test_mock_data.c -- values, documents, queries, scans, loads, schemas, roles and interruption of the mock. */
#include "mock_fixture.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/str.h"
#include "model/decimal.h"

static const char *const id_only[] = { "id" };

static struct sp_table table_of(const char *name, const struct sp_column *cols, size_t n)
{
    return (struct sp_table){ .name = name, .columns = cols, .ncolumns = n, .pk = id_only, .npk = 1 };
}

static int insert_two(
    struct fix *f, const char *table, const char *a, struct sp_value va, const char *b, struct sp_value vb)
{
    const struct sp_field row[] = { { a, va }, { b, vb } };
    return sp_db_insert(f->a, table, row, 2, &f->err);
}

static void read_all(
    struct fix *f, struct sp_session *s, const char *table, const char *order, struct sp_result *r)
{
    struct sp_order by = { .column = order };
    struct sp_query q = { .table = table, .order = &by, .norder = 1, .limit = SP_NO_LIMIT };
    ok(f, sp_db_read(s, &q, r, &f->err));
}

static void test_values_come_back_exactly(void **state)
{
    struct fix *f = *state;
    static const float dims[] = { 1.5f, -0.0f };
    static const uint8_t uuid[16] = { 1, 2, 3 };
    const struct sp_value element[] = { sp_v_int(1), sp_v_null() };
    const struct sp_value values[] = { sp_v_bool(true), sp_v_int(INT64_MIN),
        sp_v_dec_text(&f->arena, "12345678901234567890123456789012345.678"), sp_v_f32(0.1f), sp_v_f64(-0.0),
        sp_v_f64((double)NAN), sp_v_textn("a\0b", 3), sp_v_text(""), sp_v_bytes("\xff\0", 2), sp_v_uuid(uuid),
        sp_v_instant(253402300799, 999999999), sp_v_local(-1, 1), sp_v_date(-800000),
        sp_v_time(INT64_C(86399999999999)), sp_v_json("{\"a\": 1.10}"), sp_v_array(SP_INT, element, 2),
        sp_v_vector(dims, 2), sp_v_ref("a/b"), sp_v_native("interval", "\x01\0\x02", 3), sp_v_null() };
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
        { .name = "v", .type = { .tag = SP_MISSING } } };
    struct sp_table dynamic = table_of("t", cols, 2);
    struct sp_result r = SP_RESULT_INIT;
    ok(f, sp_db_table_create(f->a, &dynamic, true, &f->err));
    for (size_t i = 0; i < SP_LEN(values); i++)
        ok(f, insert_two(f, "t", "id", sp_v_int((int64_t)i), "v", values[i]));
    read_all(f, f->b, "t", "id", &r);
    assert_int_equal(r.nrows, SP_LEN(values));
    for (size_t i = 0; i < r.nrows; i++)
        assert_true(sp_value_equal(sp_result_at(&r, i, "v"), &values[i]));
    assert_memory_equal(sp_result_at(&r, 14, "v")->u.str.p, "{\"a\": 1.10}", 11);
    sp_result_free(&r);
}

static void test_types_refuse(void **state)
{
    struct fix *f = *state;
    static const struct sp_value nested[] = { { .tag = SP_ARRAY }, { .tag = SP_TEXT } };
    static const float three[3];
    const struct {
        struct sp_type type;
        struct sp_value v;
        enum sp_code want;
    } ways[] = {
        { { .tag = SP_INT, .int_bits = 16 }, sp_v_int(32767), SP_E_OK },
        { { .tag = SP_INT, .int_bits = 16 }, sp_v_int(-32768), SP_E_OK },
        { { .tag = SP_INT, .int_bits = 16 }, sp_v_int(32768), SP_E_RANGE },
        { { .tag = SP_INT }, sp_v_bool(true), SP_E_INVALID },
        { { .tag = SP_INT }, sp_v_f64(1), SP_E_INVALID },
        { { .tag = SP_DEC, .precision = 5, .scale = 2 }, sp_v_int(999), SP_E_OK },
        { { .tag = SP_DEC, .precision = 5, .scale = 2 }, sp_v_int(1000), SP_E_RANGE },
        { { .tag = SP_DEC, .precision = 5, .scale = 2 }, sp_v_dec_text(&f->arena, "0.001"), SP_E_RANGE },
        { { .tag = SP_F64 }, sp_v_int((INT64_C(1) << 53) + 1), SP_E_INVALID },
        { { .tag = SP_F64 }, sp_v_f32(0.5f), SP_E_OK },
        { { .tag = SP_TEXT, .length = 2 }, sp_v_text("\xc3\xa4\xf0\x9f\x94\x91"), SP_E_OK },
        { { .tag = SP_TEXT, .length = 2 }, sp_v_text("abc"), SP_E_RANGE },
        { { .tag = SP_TEXT }, sp_v_bytes("a", 1), SP_E_INVALID },
        { { .tag = SP_INSTANT, .precision = 4 }, sp_v_instant(0, 5000000), SP_E_OK },
        { { .tag = SP_INSTANT, .precision = 4 }, sp_v_instant(0, 1), SP_E_RANGE },
        { { .tag = SP_INSTANT }, sp_v_local(0, 0), SP_E_INVALID },
        { { .tag = SP_INSTANT }, sp_v_instant(0, 1000000000), SP_E_RANGE },
        { { .tag = SP_TIME }, sp_v_time(INT64_C(86400000000000)), SP_E_RANGE },
        { { .tag = SP_JSON }, sp_v_json("{\"a\":1,\"a\":2}"), SP_E_INVALID },
        { { .tag = SP_ARRAY, .elem = SP_INT }, sp_v_array(SP_TEXT, &nested[1], 1), SP_E_INVALID },
        { { .tag = SP_ARRAY, .elem = SP_ARRAY }, sp_v_array(SP_ARRAY, nested, 1), SP_E_INVALID },
        { { .tag = SP_VECTOR, .length = 3 }, sp_v_vector(three, 3), SP_E_OK },
        { { .tag = SP_VECTOR, .length = 3 }, sp_v_vector(three, 2), SP_E_RANGE },
    };
    for (size_t i = 0; i < SP_LEN(ways); i++) {
        const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
            { .name = "v", .type = ways[i].type } };
        struct sp_table t = table_of("t", cols, 2);
        ok(f, sp_db_table_create(f->a, &t, true, &f->err));
        int rc = insert_two(f, "t", "id", sp_v_int(1), "v", ways[i].v);
        if (rc != -(int)ways[i].want)
            fail_msg("way %zu: %d, not %d: %s", i, rc, -(int)ways[i].want, sp_error_text(&f->err));
        sp_error_clear(&f->err);
        ok(f, sp_db_table_drop(f->a, "t", &f->err));
    }
}

static void test_documents(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
        { .name = "a", .type = { .tag = SP_TEXT } } };
    struct sp_table t = table_of("doc", cols, 2);
    t.open_fields = true;
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    ok(f, insert_two(f, "doc", "id", sp_v_int(1), "zeta", sp_v_int(5)));
    ok(f, insert_two(f, "doc", "id", sp_v_int(2), "a", sp_v_null()));
    ok(f, insert_two(f, "doc", "id", sp_v_int(3), "beta", sp_v_text("x")));
    struct sp_result r = SP_RESULT_INIT;
    read_all(f, f->a, "doc", "id", &r);
    const char *const want[] = { "id", "a", "beta", "zeta" };
    assert_int_equal(r.ncolumns, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(r.columns[i], want[i]);
    assert_int_equal(sp_result_at(&r, 0, "a")->tag, SP_MISSING);
    assert_int_equal(sp_result_at(&r, 1, "a")->tag, SP_NULL);
    assert_int_equal(sp_result_at(&r, 2, "zeta")->tag, SP_MISSING);
    struct sp_filter missing = { .op = SP_F_IS_MISSING, .column = "a" };
    struct sp_filter null = { .op = SP_F_IS_NULL, .column = "a" };
    int64_t n;
    ok(f, sp_db_count(f->a, "doc", &missing, &n, &f->err));
    assert_int_equal(n, 2);
    ok(f, sp_db_count(f->a, "doc", &null, &n, &f->err));
    assert_int_equal(n, 3);
    const struct sp_field beta[] = { { "beta", sp_v_int(1) }, { "a", sp_v_missing() } };
    ok(f, sp_db_update(f->a, "doc", NULL, beta, 2, &n, &f->err));
    read_all(f, f->a, "doc", "zeta", &r);
    assert_int_equal(sp_result_at(&r, 2, "id")->u.i, 1); /* missing first, then 5 */
    assert_int_equal(sp_result_at(&r, 2, "beta")->u.i, 1);
    sp_result_free(&r);
}

static void test_upsert_and_returning(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT }, .identity = true },
        { .name = "k", .type = { .tag = SP_TEXT } }, { .name = "n", .type = { .tag = SP_INT } } };
    const char *const k[] = { "k" };
    const struct sp_unique u = { .name = "by_k", .columns = k, .ncolumns = 1 };
    struct sp_table t = table_of("t", cols, 3);
    t.uniques = &u;
    t.nuniques = 1;
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    const char *const fields[] = { "k", "n" };
    const struct sp_value rows[] = { sp_v_text("x"), sp_v_int(1), sp_v_null(), sp_v_int(2), sp_v_text("x"),
        sp_v_int(3), sp_v_null(), sp_v_int(4) };
    struct sp_op op = { .kind = SP_OP_UPSERT,
        .query = { .table = "t", .limit = SP_NO_LIMIT },
        .fields = fields,
        .nfields = 2,
        .values = rows,
        .nrows = 4,
        .key = k,
        .nkey = 1,
        .returning = true };
    struct sp_result r = SP_RESULT_INIT;
    ok(f, sp_db_exec(f->a, &op, &r, &f->err));
    assert_int_equal(r.affected, 4);
    assert_int_equal(r.nrows, 4);
    assert_int_equal(sp_result_at(&r, 2, "id")->u.i, 1); /* the same row as the first */
    assert_int_equal(sp_result_at(&r, 2, "n")->u.i, 3);
    assert_int_equal(sp_result_at(&r, 3, "id")->u.i, 3); /* nulls are no key: another row */
    op.key = &fields[1];
    fails(f, SP_E_INVALID, sp_db_exec(f->a, &op, &r, &f->err)); /* n is not unique */
    assert_int_equal(r.nrows, 0);
    struct sp_value three = sp_v_int(3);
    struct sp_filter old = { .op = SP_F_EQ, .column = "n", .values = &three, .nvalues = 1 };
    struct sp_op del = { .kind = SP_OP_DELETE, .query = { .table = "t", .where = &old }, .returning = true };
    ok(f, sp_db_exec(f->a, &del, &r, &f->err));
    assert_int_equal(r.nrows, 1);
    assert_memory_equal(sp_result_at(&r, 0, "k")->u.str.p, "x", 1);
    const struct sp_sequence q = { .table = "t", .column = "id", .next = 100, .increment = 5 };
    ok(f, sp_db_sequence_set(f->a, &q, &f->err));
    op.key = k;
    op.nrows = 1;
    ok(f, sp_db_exec(f->a, &op, &r, &f->err));
    assert_int_equal(sp_result_at(&r, 0, "id")->u.i, 100);
    ok(f, insert_two(f, "t", "id", sp_v_int(200), "n", sp_v_int(0)));
    struct sp_schema *schema = NULL;
    ok(f, sp_db_introspect(f->a, NULL, &schema, &f->err));
    assert_int_equal(schema->nsequences, 1);
    assert_int_equal(schema->sequences[0].next, 205);
    assert_true(sp_table_column(&schema->tables[0], "id")->not_null);
    sp_schema_free(schema);
    sp_result_free(&r);
}

static void test_order_and_pages(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
        { .name = "n", .type = { .tag = SP_F64 } } };
    struct sp_table t = table_of("t", cols, 2);
    const struct sp_value n[] = { sp_v_f64(2), sp_v_null(), sp_v_f64((double)NAN), sp_v_f64(-1) };
    static const struct {
        bool desc;
        enum sp_nulls nulls;
        int64_t want[4];
    } ways[] = { { false, SP_NULLS_DEFAULT, { 1, 3, 0, 2 } }, { true, SP_NULLS_DEFAULT, { 2, 0, 3, 1 } },
        { false, SP_NULLS_LAST, { 3, 0, 2, 1 } }, { true, SP_NULLS_FIRST, { 1, 2, 0, 3 } } };
    struct sp_result r = SP_RESULT_INIT;
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    for (int64_t i = 0; i < 4; i++)
        ok(f, insert_two(f, "t", "id", sp_v_int(i), "n", n[i]));
    for (size_t w = 0; w < SP_LEN(ways); w++) {
        struct sp_order by = { .column = "n", .desc = ways[w].desc, .nulls = ways[w].nulls };
        struct sp_query q = { .table = "t", .order = &by, .norder = 1, .limit = 2, .offset = 1 };
        ok(f, sp_db_read(f->a, &q, &r, &f->err));
        assert_int_equal(r.nrows, 2);
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(sp_result_at(&r, i, "id")->u.i, ways[w].want[i + 1]);
        q.offset = 4;
        ok(f, sp_db_read(f->a, &q, &r, &f->err));
        assert_int_equal(r.nrows, 0);
        assert_int_equal(r.ncolumns, 2);
    }
    struct sp_order unknown = { .column = "nope" };
    struct sp_query q = { .table = "t", .order = &unknown, .norder = 1, .limit = SP_NO_LIMIT };
    fails(f, SP_E_INVALID, sp_db_read(f->a, &q, &r, &f->err));
    sp_result_free(&r);
}

static void test_prepared(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
        { .name = "n", .type = { .tag = SP_INT } } };
    struct sp_table t = table_of("t", cols, 2);
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    for (int64_t i = 0; i < 10; i++)
        ok(f, insert_two(f, "t", "id", sp_v_int(i), "n", sp_v_int(i)));
    const struct sp_value any[] = { sp_v_int(0), sp_v_int(0), sp_v_int(0) };
    const struct sp_filter leaves[] = { { .op = SP_F_IN, .column = "id", .values = any, .nvalues = 2 },
        { .op = SP_F_LT, .column = "n", .values = any, .nvalues = 1 } };
    const struct sp_filter both = { .op = SP_F_AND, .args = leaves, .nargs = 2 };
    const char *const fields[] = { "n" };
    struct sp_op op = { .kind = SP_OP_UPDATE,
        .query = { .table = "t", .where = &both },
        .fields = fields,
        .nfields = 1,
        .values = any,
        .nrows = 1 };
    struct sp_prepared *p = NULL;
    struct sp_result r = SP_RESULT_INIT;
    ok(f, sp_db_prepare(f->a, &op, &p, &f->err));
    const struct sp_value given[] = { sp_v_int(50), sp_v_int(3), sp_v_int(8), sp_v_int(5) };
    fails(f, SP_E_INVALID, sp_db_execute(f->a, p, given, 3, &r, &f->err));
    ok(f, sp_db_execute(f->a, p, given, 4, &r, &f->err));
    assert_int_equal(r.affected, 1); /* 3, but not 8 */
    ok(f, sp_db_execute(f->a, p, given, 4, &r, &f->err));
    assert_int_equal(r.affected, 0); /* its n is 50 by now */
    sp_db_finalize(f->a, p);
    op.query.table = "absent";
    fails(f, SP_E_NOT_FOUND, sp_db_prepare(f->a, &op, &p, &f->err));
    sp_result_free(&r);
}

static void test_scan_sees_its_snapshot(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
        { .name = "n", .type = { .tag = SP_INT } } };
    struct sp_table t = table_of("t", cols, 2);
    const struct sp_colplan plan[] = {
        { .name = "id", .source = "id", .target = "id", .type = { .tag = SP_INT }, .key = true },
        { .name = "n", .source = "n", .target = "n", .type = { .tag = SP_INT } }
    };
    struct sp_scan scan = { .table = "t", .cols = plan, .ncols = 2, .nkey = 1 };
    struct sp_digest first = { 0 };
    char id[64], again[64];
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    for (int64_t i = 0; i < 100; i++)
        ok(f, insert_two(f, "t", "id", sp_v_int(i), "n", sp_v_int(i)));
    ok(f, sp_db_snapshot_begin(f->b, id, &f->err));
    for (int pass = 0; pass < 3; pass++) {
        struct sp_rowbuf rb;
        ok(f, sp_rowbuf_init(&rb, &scan, &f->err));
        ok(f, sp_db_scan(f->b, &scan, &rb, &f->err));
        assert_int_equal(rb.digest.count, pass < 2 ? 100 : 99);
        if (pass == 0)
            first = rb.digest;
        assert_int_equal(sp_digest_equal(&first, &rb.digest), pass < 2);
        sp_rowbuf_free(&rb);
        if (pass == 0) {
            struct sp_value v = sp_v_int(5);
            struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &v, .nvalues = 1 };
            ok(f, sp_db_delete(f->a, "t", &where, NULL, &f->err));
            fails(f, SP_E_CONFLICT, sp_db_table_drop(f->a, "t", &f->err));
        }
        if (pass == 1) {
            ok(f, sp_db_snapshot_end(f->b, &f->err));
            ok(f, sp_db_snapshot_begin(f->b, again, &f->err));
            assert_string_not_equal(id, again);
        }
    }
    ok(f, sp_db_snapshot_end(f->b, &f->err));
    fails(f, SP_E_INVALID, sp_db_snapshot_end(f->b, &f->err));
}

static void test_bulk_load(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
        { .name = "n", .type = { .tag = SP_INT } } };
    const char *const names[] = { "id", "n" };
    struct sp_table t = table_of("t", cols, 2);
    uint64_t loaded = 9;
    int64_t n = -1;
    struct sp_load *l = NULL;
    ok(f, sp_db_table_create(f->a, &t, false, &f->err));
    for (int round = 0; round < 3; round++) { /* undone, refused, kept */
        ok(f, sp_db_load_open(f->a, "t", names, 2, &l, &f->err));
        for (int64_t i = 0; i < 10; i++) {
            const struct sp_value row[] = { sp_v_int(i), sp_v_int(i) };
            ok(f, sp_db_load_row(f->a, l, row, &f->err));
        }
        fails(f, SP_E_INVALID, sp_db_count(f->a, "t", NULL, &n, &f->err));
        ok(f, sp_db_count(f->b, "t", NULL, &n, &f->err));
        assert_int_equal(n, 0);
        const struct sp_value twice[] = { sp_v_int(1), sp_v_null() };
        if (round == 1)
            fails(f, SP_E_UNIQUE, sp_db_load_row(f->a, l, twice, &f->err));
        int rc = sp_db_load_close(f->a, l, round > 0, &loaded, &f->err);
        assert_int_equal(rc, round == 1 ? -SP_E_INVALID : 0);
        sp_error_clear(&f->err);
        assert_int_equal(loaded, round == 2 ? 10 : 0);
    }
    ok(f, sp_db_count(f->b, "t", NULL, &n, &f->err));
    assert_int_equal(n, 10);
}

static void test_finish_proves_the_rows(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } },
        { .name = "n", .type = { .tag = SP_INT } } };
    const char *const by_n[] = { "n" };
    const struct sp_unique u = { .columns = by_n, .ncolumns = 1 };
    const struct sp_unique strict = { .columns = by_n, .ncolumns = 1, .nulls_equal = true };
    const struct sp_fk fk = { .columns = by_n, .ncolumns = 1, .ref_table = "t" };
    struct sp_table t = table_of("t", cols, 2);
    struct sp_schema *schema = NULL;
    ok(f, sp_db_table_create(f->a, &t, false, &f->err));
    ok(f, insert_two(f, "t", "id", sp_v_int(1), "n", sp_v_null()));
    ok(f, insert_two(f, "t", "id", sp_v_int(2), "n", sp_v_null()));
    ok(f, insert_two(f, "t", "id", sp_v_int(3), "n", sp_v_int(4)));
    t.fks = &fk;
    t.nfks = 1;
    t.uniques = &strict;
    t.nuniques = 1;
    fails(f, SP_E_UNIQUE, sp_db_table_finish(f->a, &t, &f->err));
    t.uniques = &u;
    fails(f, SP_E_FOREIGN_KEY, sp_db_table_finish(f->a, &t, &f->err));
    ok(f, insert_two(f, "t", "id", sp_v_int(4), "n", sp_v_int(1)));
    ok(f, insert_two(f, "t", "id", sp_v_int(5), "n", sp_v_int(5)));
    ok(f, sp_db_table_finish(f->a, &t, &f->err));
    fails(f, SP_E_EXISTS, sp_db_table_finish(f->a, &t, &f->err));
    fails(f, SP_E_UNIQUE, insert_two(f, "t", "id", sp_v_int(6), "n", sp_v_int(1)));
    fails(f, SP_E_FOREIGN_KEY, insert_two(f, "t", "id", sp_v_int(6), "n", sp_v_int(77)));
    ok(f, sp_db_introspect(f->a, NULL, &schema, &f->err));
    const struct sp_table *got = sp_schema_table(schema, "t");
    assert_non_null(got);
    assert_int_equal(got->nuniques, 1);
    assert_int_equal(got->nfks, 1);
    assert_string_equal(got->fks[0].ref_columns[0], "id");
    sp_schema_free(schema);
}

static void test_namespaces(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } } };
    struct sp_table t = table_of("weird \"name\"; -- \xf0\x9f\x94\x91", cols, 1);
    struct sp_names names = { .arena = SP_ARENA_INIT };
    int64_t n;
    fails(f, SP_E_NOT_FOUND, sp_db_ns_use(f->a, "one", &f->err));
    ok(f, sp_db_ns_create(f->a, "one", &f->err));
    fails(f, SP_E_EXISTS, sp_db_ns_create(f->a, "one", &f->err));
    ok(f, sp_db_ns_create(f->a, "two", &f->err));
    ok(f, sp_db_ns_use(f->a, "one", &f->err));
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    fails(f, SP_E_EXISTS, sp_db_table_create(f->a, &t, true, &f->err));
    ok(f, sp_db_ns_use(f->a, NULL, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_count(f->a, t.name, NULL, &n, &f->err));
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    ok(f, sp_db_ns_list(f->a, "o", &names, &f->err));
    assert_int_equal(names.n, 1);
    assert_string_equal(names.v[0], "one");
    sp_names_free(&names);
    ok(f, sp_db_ns_drop(f->a, "one", &f->err));
    ok(f, sp_db_ns_drop(f->a, "one", &f->err));
    ok(f, sp_db_count(f->a, t.name, NULL, &n, &f->err)); /* nothing else went */
    fails(f, SP_E_NOT_FOUND, sp_db_ns_use(f->a, "one", &f->err));
    fails(f, SP_E_INVALID, sp_db_ns_create(f->a, "No", &f->err));
}

static void test_roles(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT } } };
    struct sp_table t = table_of("t", cols, 1);
    struct sp_session *s = NULL;
    struct sp_endpoint e = f->e;
    const struct sp_field row[] = { { "id", sp_v_int(1) } };
    int64_t n;
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    ok(f, sp_db_role_create(f->a, "ann", "a password", &f->err));
    fails(f, SP_E_EXISTS, sp_db_role_create(f->a, "ann", "another", &f->err));
    e.user = "ann";
    e.password = "another";
    fails(f, SP_E_AUTHENTICATION, sp_open(&s, &sp_provider_mock, &e, &f->err));
    e.password = "a password";
    ok(f, sp_open(&s, &sp_provider_mock, &e, &f->err));
    fails(f, SP_E_PERMISSION, sp_db_count(s, "t", NULL, &n, &f->err));
    ok(f, sp_db_role_grant(f->a, "ann", "t", SP_PRIV_SELECT, &f->err));
    ok(f, sp_db_count(s, "t", NULL, &n, &f->err));
    fails(f, SP_E_PERMISSION, sp_db_insert(s, "t", row, 1, &f->err));
    fails(f, SP_E_PERMISSION, sp_db_table_drop(s, "t", &f->err));
    struct sp_cap caps[SP_CAP_N];
    ok(f, sp_effective(s, caps, NULL, &f->err));
    assert_int_equal(caps[SP_CAP_TABLES].level, SP_CAP_NO);
    assert_non_null(caps[SP_CAP_TABLES].why);
    assert_int_equal(caps[SP_CAP_CRUD].level, SP_CAP_YES);
    fails(f, SP_E_PERMISSION, sp_db_role_grant(s, "ann", "t", SP_PRIV_INSERT, &f->err));
    ok(f, sp_db_role_drop(f->a, "ann", &f->err));
    fails(f, SP_E_PERMISSION, sp_db_count(s, "t", NULL, &n, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_role_drop(f->a, "ann", &f->err));
    sp_close(s);
}

struct pest {
    struct sp_session *s;
    atomic_bool stop;
};

static void *interrupt_it(void *payload)
{
    struct pest *p = payload;
    while (!atomic_load(&p->stop))
        sp_provider_mock.interrupt(p->s);
    return NULL;
}

static void test_interrupt_and_timeout(void **state)
{
    struct fix *f = *state;
    const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT }, .identity = true } };
    struct sp_table t = table_of("t", cols, 1);
    enum { N = 50000 };
    struct sp_value *rows = calloc(N, sizeof *rows);
    const char *const fields[] = { "id" };
    int64_t n = -1;
    assert_non_null(rows);
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    struct pest p = { .s = f->a };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, interrupt_it, &p), 0);
    int rc = 0;
    for (int tries = 0; rc == 0 && tries < 100; tries++) {
        rc = sp_db_insert_many(f->a, "t", fields, 1, rows, N, NULL, &f->err);
        if (rc == 0)
            ok(f, sp_db_delete(f->b, "t", NULL, NULL, &f->err));
    }
    atomic_store(&p.stop, true);
    pthread_join(thread, NULL);
    assert_int_equal(rc, -SP_E_CANCELLED);
    sp_error_clear(&f->err);
    ok(f, sp_db_count(f->a, "t", NULL, &n, &f->err)); /* the session goes on, nothing stayed */
    assert_int_equal(n, 0);
    struct sp_endpoint hurried = f->e;
    struct sp_session *s = NULL;
    hurried.statement_timeout_ms = 1;
    ok(f, sp_open(&s, &sp_provider_mock, &hurried, &f->err));
    fails(f, SP_E_TIMEOUT, sp_db_insert_many(s, "t", fields, 1, rows, N, NULL, &f->err));
    ok(f, sp_db_count(f->a, "t", NULL, &n, &f->err));
    assert_int_equal(n, 0);
    sp_close(s);
    free(rows);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        T(test_values_come_back_exactly),
        T(test_types_refuse),
        T(test_documents),
        T(test_upsert_and_returning),
        T(test_order_and_pages),
        T(test_prepared),
        T(test_scan_sees_its_snapshot),
        T(test_bulk_load),
        T(test_finish_proves_the_rows),
        T(test_namespaces),
        T(test_roles),
        T(test_interrupt_and_timeout),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
