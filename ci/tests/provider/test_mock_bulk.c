/* test_mock_bulk.c -- scans and loads of the mock where more is asked of them, and schemas that it refuses. */
#include "mock_items.h"

#include "base/str.h"

static const struct sp_colplan item_plan[] = {
    { .name = "id", .source = "id", .target = "key", .type = { .tag = SP_INT }, .key = true },
    { .name = "n", .source = "n", .target = "number", .type = { .tag = SP_INT } },
};

static int stop_at_second(void *payload, const struct sp_rowview *row)
{
    int *rows = payload;
    (void)row;
    return ++*rows == 2 ? -1 : 0;
}

static void test_scan_filters_and_stops(void **state)
{
    struct fix *f = *state;
    struct sp_value five = sp_v_int(5);
    struct sp_filter from_five = { .op = SP_F_GTE, .column = "n", .values = &five, .nvalues = 1 };
    struct sp_scan scan = { .table = "item", .cols = item_plan, .ncols = 2, .nkey = 1, .where = &from_five };
    struct sp_rowbuf rb;
    int rows = 0;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    for (int64_t i = 0; i < 10; i++)
        ok(f, put_item(f, f->a, i, i));
    ok(f, sp_rowbuf_init(&rb, &scan, &f->err));
    ok(f, sp_db_scan(f->a, &scan, &rb, &f->err));
    assert_int_equal(rb.digest.count, 5);
    sp_rowbuf_free(&rb);

    scan.where = NULL;
    ok(f, sp_rowbuf_init(&rb, &scan, &f->err));
    rb.sink = stop_at_second;
    rb.payload = &rows;
    assert_true(sp_db_scan(f->a, &scan, &rb, &f->err) < 0);
    assert_int_equal(rows, 2);
    assert_false(rb.complete);
    sp_error_clear(&f->err);
    sp_rowbuf_free(&rb);

    scan.side = SP_SIDE_TARGET; /* whose columns have other names */
    ok(f, sp_rowbuf_init(&rb, &scan, &f->err));
    fails(f, SP_E_INVALID, sp_db_scan(f->a, &scan, &rb, &f->err));
    scan.table = "absent";
    fails(f, SP_E_NOT_FOUND, sp_db_scan(f->a, &scan, &rb, &f->err));
    sp_rowbuf_free(&rb);
    ok(f, sp_db_table_drop(f->a, "item", &f->err)); /* no scan holds it any more */
}

/* The same rows into the same store, from within the scan's own sink. */
struct copying {
    struct fix *f;
    struct sp_load *load;
    int64_t next;
};

static int copy_row(void *payload, const struct sp_rowview *row)
{
    struct copying *c = payload;
    const struct sp_value values[] = { sp_v_int(c->next++), sp_v_int((int64_t)row->nkey) };
    return sp_db_load_row(c->f->b, c->load, values, &c->f->err);
}

static void test_scan_feeds_a_load_of_the_same_table(void **state)
{
    struct fix *f = *state;
    const char *const columns[] = { "id", "n" };
    struct sp_scan scan = { .table = "item", .cols = item_plan, .ncols = 2, .nkey = 1 };
    struct copying c = { .f = f, .next = 100 };
    struct sp_rowbuf rb;
    uint64_t loaded = 0;
    int64_t n = 0;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    for (int64_t i = 0; i < 10; i++)
        ok(f, put_item(f, f->a, i, i));
    ok(f, sp_db_load_open(f->b, "item", columns, 2, &c.load, &f->err));
    ok(f, sp_rowbuf_init(&rb, &scan, &f->err));
    rb.sink = copy_row;
    rb.payload = &c;
    ok(f, sp_db_scan(f->a, &scan, &rb, &f->err));
    sp_rowbuf_free(&rb);
    fails(f, SP_E_CONFLICT, sp_db_table_drop(f->a, "item", &f->err)); /* the load holds it */
    ok(f, sp_db_load_close(f->b, c.load, true, &loaded, &f->err));
    assert_int_equal(loaded, 10);
    ok(f, sp_db_count(f->a, "item", NULL, &n, &f->err));
    assert_int_equal(n, 20);
}

static void test_residual_fields_count(void **state)
{
    struct fix *f = *state;
    struct sp_table doc = item;
    struct sp_digest with[2], without[2];
    doc.open_fields = true;
    ok(f, sp_db_table_create(f->a, &doc, true, &f->err));
    const struct sp_field row[] = { { "id", sp_v_int(1) }, { "more", sp_v_text("x") },
        { "and", sp_v_null() } };
    ok(f, sp_db_insert(f->a, "item", row, 3, &f->err));
    for (int i = 0; i < 4; i++) {
        struct sp_scan scan = {
            .table = "item", .cols = item_plan, .ncols = 2, .nkey = 1, .residual = i % 2 == 0
        };
        struct sp_rowbuf rb;
        ok(f, sp_rowbuf_init(&rb, &scan, &f->err));
        ok(f, sp_db_scan(f->a, &scan, &rb, &f->err));
        *(i % 2 == 0 ? &with[i / 2] : &without[i / 2]) = rb.digest;
        sp_rowbuf_free(&rb);
        const struct sp_field more[] = { { "more", sp_v_text("y") } };
        if (i == 1)
            ok(f, sp_db_update(f->a, "item", NULL, more, 1, NULL, &f->err));
    }
    assert_false(sp_digest_equal(&with[0], &with[1]));
    assert_true(sp_digest_equal(&without[0], &without[1]));
}

static void test_load_within_a_transaction(void **state)
{
    struct fix *f = *state;
    const char *const columns[] = { "id", "n" };
    const char *const unknown[] = { "id", "nope" };
    struct sp_load *l = NULL;
    uint64_t loaded = 0;
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    fails(f, SP_E_INVALID, sp_db_load_open(f->a, "item", unknown, 2, &l, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_load_open(f->a, "absent", columns, 2, &l, &f->err));
    ok(f, sp_db_begin(f->a, NULL, &f->err));
    ok(f, put_item(f, f->a, 1, 1));
    for (int round = 0; round < 2; round++) { /* undone, kept */
        ok(f, sp_db_load_open(f->a, "item", columns, 2, &l, &f->err));
        const struct sp_value row[] = { sp_v_int(2), sp_v_int(2) };
        ok(f, sp_db_load_row(f->a, l, row, &f->err));
        fails(f, SP_E_INVALID, sp_db_commit(f->a, &f->err));
        ok(f, sp_db_load_close(f->a, l, round == 1, &loaded, &f->err));
        assert_int_equal(loaded, round);
        assert_int_equal(n_of(f, f->a, 2), round == 1 ? 2 : -1);
        assert_int_equal(n_of(f, f->a, 1), 1);
    }
    assert_int_equal(n_of(f, f->b, 2), -1);
    ok(f, sp_db_commit(f->a, &f->err));
    assert_int_equal(n_of(f, f->b, 2), 2);
}

/* What it cannot enforce it refuses, and leaves nothing behind. */
static void test_schemas_that_are_refused(void **state)
{
    struct fix *f = *state;
    static const char *const n_only[] = { "n" };
    static const char *const undeclared[] = { "zeta" };
    const struct sp_index partial = {
        .name = "p", .columns = n_only, .ncolumns = 1, .unique = true, .where = "n > 0"
    };
    const struct sp_unique loose = { .columns = undeclared, .ncolumns = 1 };
    const struct sp_fk to_nothing = { .columns = n_only, .ncolumns = 1, .ref_table = "absent" };
    const struct sp_fk to_text = { .columns = n_only, .ncolumns = 1, .ref_table = "words" };
    const struct sp_fk to_plain = {
        .columns = n_only, .ncolumns = 1, .ref_table = "item2", .ref_columns = n_only
    };
    static const struct sp_column word = { .name = "w", .type = { .tag = SP_TEXT } };
    static const char *const w_only[] = { "w" };
    struct sp_column cols[3];
    char name[258];
    memset(name, 'x', sizeof name);
    name[256] = '\0';
    ok(f, sp_db_table_create(f->a,
              &(struct sp_table){ .name = "words", .columns = &word, .ncolumns = 1, .pk = w_only, .npk = 1 },
              true, &f->err));
    struct sp_table other = item;
    other.name = "item2";
    ok(f, sp_db_table_create(f->a, &other, true, &f->err));
    for (int i = 0; i < 10; i++) {
        struct sp_table t = item;
        memcpy(cols, item_columns, sizeof cols);
        t.columns = cols;
        enum sp_code want = SP_E_UNSUPPORTED;
        switch (i) {
        case 0:
            cols[2].collation = "nocase";
            break;
        case 1:
            cols[2].generated = "id + 1";
            break;
        case 2:
            cols[2].identity = true;
            want = SP_E_INVALID;
            break;
        case 3:
            cols[2].name = name;
            want = SP_E_TOO_LARGE;
            break;
        case 4:
            t.indexes = &partial;
            t.nindexes = 1;
            break;
        case 5:
            t.open_fields = true;
            t.uniques = &loose;
            t.nuniques = 1;
            break;
        case 6:
            t.open_fields = true;
            t.pk = undeclared;
            break;
        default:
            t.fks = i == 7 ? &to_nothing : i == 8 ? &to_text : &to_plain;
            t.nfks = 1;
            want = i == 7 ? SP_E_NOT_FOUND : SP_E_INVALID;
            break;
        }
        int rc = sp_db_table_create(f->a, &t, true, &f->err);
        if (rc != -(int)want)
            fail_msg("schema %d: %d: %s", i, rc, sp_error_text(&f->err));
        sp_error_clear(&f->err);
        fails(f, SP_E_NOT_FOUND, sp_db_table_drop(f->a, "item", &f->err));
    }
    name[255] = '\0';
    other.name = name;
    ok(f, sp_db_table_create(f->a, &other, true, &f->err));
}

static void test_introspection_is_whole(void **state)
{
    struct fix *f = *state;
    static const char *const n_only[] = { "n" };
    const struct sp_index plain = { .name = "by_n", .columns = n_only, .ncolumns = 1 };
    const struct sp_index unique = { .name = "one_n", .columns = n_only, .ncolumns = 1, .unique = true };
    const struct sp_index both[] = { plain, unique };
    struct sp_table t = item;
    struct sp_schema *schema = NULL;
    t.native_definition = "CREATE TABLE in other words";
    t.native_kind = "other";
    t.indexes = both;
    t.nindexes = 2;
    ok(f, sp_db_ns_create(f->a, "space", &f->err));
    t.ns = "space";
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    ok(f, sp_db_introspect(f->b, NULL, &schema, &f->err));
    assert_int_equal(schema->ntables, 0);
    sp_schema_free(schema);
    fails(f, SP_E_NOT_FOUND, sp_db_introspect(f->b, "nowhere", &schema, &f->err));
    ok(f, sp_db_introspect(f->b, "space", &schema, &f->err));
    const struct sp_table *got = sp_schema_table(schema, "item");
    assert_non_null(got);
    assert_string_equal(got->ns, "space");
    assert_null(got->native_definition);
    assert_int_equal(got->nindexes, 2);
    assert_string_equal(got->checks[0].expr, "\"n\" >= 0");
    assert_string_equal(got->columns[1].default_expr, "7");
    assert_string_equal(got->columns[2].native_type, "text");
    assert_true(got->columns[0].not_null && !got->columns[1].not_null);
    sp_schema_free(schema);
    ok(f, sp_db_ns_use(f->a, "space", &f->err));
    ok(f, put_item(f, f->a, 1, 1));
    fails(f, SP_E_UNIQUE, put_item(f, f->a, 2, 1)); /* a unique index is a constraint */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fix_setup, fix_teardown)
    const struct CMUnitTest tests[] = {
        T(test_scan_filters_and_stops),
        T(test_scan_feeds_a_load_of_the_same_table),
        T(test_residual_fields_count),
        T(test_load_within_a_transaction),
        T(test_schemas_that_are_refused),
        T(test_introspection_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
