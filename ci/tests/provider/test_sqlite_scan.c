/* Scans and loads: every storage class arrives as it is, both ways of scanning agree, a load is all or nothing. */
#include "scan.h"
#include "sqlite_util.h"
#include "providers/sqlite/internal.h"

static struct sp_digest scan(struct sp_session *s, const struct sp_scan *sc, struct sp_colstat *first)
{
    struct sp_rowbuf rb;
    OK(sp_rowbuf_init(&rb, sc, &err));
    OK(sp_db_scan(s, sc, &rb, &err));
    assert_true(rb.complete);
    struct sp_digest d = rb.digest;
    if (first != NULL)
        *first = rb.stats[0];
    sp_rowbuf_free(&rb);
    return d;
}

static void test_classes(void **state)
{
    (void)state;
    struct test_session t;
    foreign(at("c.db"),
        "CREATE TABLE t(v); INSERT INTO t VALUES (1), (1.5), ('x'), ('\xc3\xa9'), (x'00'), (NULL), (''), "
        "(x''), (CAST(x'ff' AS TEXT)), (9e999), (-9223372036854775808)");
    open_as(&t, at("c.db"), SP_ACCESS_READ_ONLY);
    const struct sp_colplan cols[] = { { .name = "v", .source = "v", .target = "v" } };
    struct sp_scan sc = { .table = "t", .cols = cols, .ncols = 1 };
    struct sp_colstat st;
    struct sp_digest d = scan(t.s, &sc, &st);
    assert_int_equal(d.count, 11);
    assert_int_equal(st.nulls, 1);
    assert_int_equal(st.by_tag[SP_INT], 2);
    assert_int_equal(st.by_tag[SP_F64], 2);
    assert_int_equal(st.by_tag[SP_TEXT], 4);
    assert_int_equal(st.by_tag[SP_BYTES], 2);
    assert_int_equal(st.bad_utf8, 1);
    struct sp_value x = sp_v_text("x");
    struct sp_filter f = { .op = SP_F_EQ, .column = "v", .values = &x, .nvalues = 1 };
    sc.where = &f;
    assert_int_equal(scan(t.s, &sc, NULL).count, 1);
    sc.where = NULL;
    sc.table = "nosuch";
    struct sp_rowbuf rb;
    OK(sp_rowbuf_init(&rb, &sc, &err));
    FAILS(SP_E_NOT_FOUND, sp_db_scan(t.s, &sc, &rb, &err));
    assert_false(rb.complete);
    sp_rowbuf_free(&rb);
    sp_close(t.s);
}

/* 127 columns go through the aggregate, more through the loop: the same columns give the same digest. */
static void test_wide(void **state)
{
    (void)state;
    enum { W = 130 };
    static struct sp_colplan cols[W];
    static char names[W][8];
    struct test_session t;
    struct sp_buf sql = SP_BUF_INIT;
    sp_buf_puts(&sql, "CREATE TABLE w(c0");
    for (int i = 0; i < W; i++) {
        snprintf(names[i], sizeof names[i], "c%d", i);
        cols[i] = (struct sp_colplan){ .name = names[i], .source = names[i], .target = names[i] };
        if (i > 0)
            sp_buf_printf(&sql, ",c%d", i);
    }
    sp_buf_puts(&sql,
        "); WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n WHERE x < 500) INSERT INTO w "
        "SELECT x");
    for (int i = 1; i < W; i++)
        sp_buf_printf(
            &sql, ", CASE (x + %d) %% 4 WHEN 0 THEN x WHEN 1 THEN 'v' || x WHEN 2 THEN x / 3.0 END", i);
    sp_buf_puts(&sql, " FROM n; CREATE VIEW narrow AS SELECT * FROM w");
    foreign(at("w.db"), sql.p);
    sp_buf_free(&sql);
    open_as(&t, at("w.db"), SP_ACCESS_READ_ONLY);
    struct sp_scan sc = { .table = "w", .cols = cols, .ncols = 127 };
    struct sp_digest fast = scan(t.s, &sc, NULL);
    assert_int_equal(fast.count, 500);
    sc.ncols = W;
    struct sp_digest loop = scan(t.s, &sc, NULL);
    assert_int_equal(loop.count, 500);
    assert_false(sp_digest_equal(&fast, &loop));
    (void)sqlite3_limit(t.s->db, SQLITE_LIMIT_FUNCTION_ARG, 50); /* now 127 are too many as well */
    sc.ncols = 127;
    struct sp_digest same = scan(t.s, &sc, NULL);
    assert_true(sp_digest_equal(&same, &fast));
    sp_close(t.s);
    foreign(at("w.db"), "UPDATE w SET c129 = c129");
    open_as(&t, at("w.db"), SP_ACCESS_READ_ONLY);
    sc.ncols = W;
    struct sp_digest again = scan(t.s, &sc, NULL);
    assert_true(sp_digest_equal(&again, &loop));
    sp_close(t.s);
    foreign(at("w.db"), "UPDATE w SET c129 = coalesce(c129, 0) || '!' WHERE c0 = 250");
    open_as(&t, at("w.db"), SP_ACCESS_READ_ONLY);
    again = scan(t.s, &sc, NULL);
    assert_false(sp_digest_equal(&again, &loop));
    sc.ncols = 127;
    again = scan(t.s, &sc, NULL);
    assert_true(sp_digest_equal(&again, &fast));
    sp_close(t.s);
}

/* A receiver that has enough stops the scan, and the scan says so. */
static int count_sink(void *payload, const struct sp_rowview *row)
{
    uint64_t *n = payload;
    (void)row;
    return ++*n == 3 ? 1 : 0;
}

static void test_stopped(void **state)
{
    (void)state;
    struct test_session t;
    uint64_t n = 0;
    foreign(at("s.db"), "CREATE TABLE t(v); INSERT INTO t VALUES (1),(2),(3),(4),(5)");
    open_as(&t, at("s.db"), SP_ACCESS_READ_ONLY);
    const struct sp_colplan cols[] = { { .name = "v", .source = "v", .target = "v" } };
    struct sp_scan sc = { .table = "t", .cols = cols, .ncols = 1 };
    struct sp_rowbuf rb;
    OK(sp_rowbuf_init(&rb, &sc, &err));
    rb.sink = count_sink;
    rb.payload = &n;
    sp_error_clear(&err);
    assert_true(sp_db_scan(t.s, &sc, &rb, &err) < 0);
    assert_int_equal(n, 3);
    assert_false(rb.complete);
    sp_rowbuf_free(&rb);
    assert_int_equal(scan(t.s, &sc, NULL).count, 5); /* the session goes on */
    sp_close(t.s);
}

static const struct sp_column cols[] = {
    { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "ref", .type = { .tag = SP_INT } },
    { .name = "dec", .type = { .tag = SP_DEC } },
    { .name = "f", .type = { .tag = SP_F32 } },
    { .name = "arr", .type = { .tag = SP_ARRAY, .elem = SP_INT } },
};
static const char *const pk[] = { "id" }, *const ref[] = { "ref" };
static const struct sp_fk fks[] = { { .columns = ref, .ncolumns = 1, .ref_table = "t", .ref_columns = pk } };
static const struct sp_table table = {
    .name = "t", .columns = cols, .ncolumns = 5, .pk = pk, .npk = 1, .fks = fks, .nfks = 1
};

static void test_load(void **state)
{
    (void)state;
    struct test_session t;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_load *l = NULL;
    uint64_t loaded = 99;
    int64_t n = -1;
    const char *const names[] = { "id", "ref", "dec", "f", "arr" };
    const struct sp_value ints[] = { sp_v_int(1), sp_v_null(), sp_v_int(INT64_MAX) };
    struct sp_value row[] = { sp_v_int(1), sp_v_int(77), sp_v_dec_text(&a, "1.50"), sp_v_f32(0.1f),
        sp_v_array(SP_INT, ints, 3) };
    open_as(&t, at("l.db"), SP_ACCESS_DISPOSABLE);
    OK(sp_db_table_create(t.s, &table, false, &err));
    OK(sp_db_load_open(t.s, "t", names, 5, &l, &err));
    OK(sp_db_load_row(t.s, l, row, &err));
    FAILS(SP_E_UNIQUE, sp_db_load_row(t.s, l, row, &err));
    FAILS(SP_E_UNIQUE, sp_db_load_close(t.s, l, true, &loaded, &err));
    assert_int_equal(loaded, 0);
    OK(sp_db_count(t.s, "t", NULL, &n, &err));
    assert_int_equal(n, 0);
    OK(sp_db_load_open(t.s, "t", names, 5, &l, &err));
    for (int i = 0; i < 1000; i++) { /* orphans all: a copy is faithful about them too */
        row[0] = sp_v_int(i);
        OK(sp_db_load_row(t.s, l, row, &err));
    }
    OK(sp_db_load_close(t.s, l, true, &loaded, &err));
    assert_int_equal(loaded, 1000);
    OK(sp_db_load_open(t.s, "t", names, 5, &l, &err));
    row[0] = sp_v_int(5000);
    OK(sp_db_load_row(t.s, l, row, &err));
    OK(sp_db_load_close(t.s, l, false, &loaded, &err));
    assert_int_equal(loaded, 0);
    OK(sp_db_count(t.s, "t", NULL, &n, &err));
    assert_int_equal(n, 1000);
    /* outside of a load the key holds again */
    struct sp_field f[] = { { "id", sp_v_int(6000) }, { "ref", sp_v_int(7000) } };
    FAILS(SP_E_FOREIGN_KEY, sp_db_insert(t.s, "t", f, 2, &err));
    FAILS(SP_E_INVALID, sp_db_load_open(t.s, "t", (const char *const[]){ "nosuch" }, 1, &l, &err));
    /* typed columns arrive typed */
    const struct sp_colplan plan[] = {
        { .name = "dec", .source = "dec", .target = "dec", .type = { .tag = SP_DEC } },
        { .name = "f", .source = "f", .target = "f", .type = { .tag = SP_F32 } },
        { .name = "arr", .source = "arr", .target = "arr", .type = { .tag = SP_ARRAY, .elem = SP_INT } },
    };
    struct sp_scan sc = { .table = "t", .cols = plan, .ncols = 3 };
    struct sp_rowbuf rb;
    OK(sp_rowbuf_init(&rb, &sc, &err));
    OK(sp_db_scan(t.s, &sc, &rb, &err));
    assert_int_equal(rb.digest.count, 1000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rb.stats[i].uncoerced, 0);
    sp_rowbuf_free(&rb);
    sp_arena_free(&a);
    sp_close(t.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_load),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
