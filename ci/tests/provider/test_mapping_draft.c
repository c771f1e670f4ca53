/* test_mapping_draft.c -- the draft of a mapping: what is matched, what is guessed, what is left to people; tables and
 * documents, in the mock. Every draft is read back and checked by sp_mapping_draft() itself. */
#include "mock_fixture.h"

#include "base/str.h"
#include "map/draft.h"
#include "map/mapping.h"

#define COLUMN(n, t)                                                                                         \
    {                                                                                                        \
        .name = (n), .type = {.tag = (t) }                                                                   \
    }

struct draft {
    struct fix *from, *to;
    struct sp_buf text;
    struct sp_mapping *m;
};

static int setup(void **state)
{
    static struct draft d;
    d = (struct draft){ .text = SP_BUF_INIT };
    *state = &d;
    return fix_setup((void **)&d.from) != 0 || fix_setup((void **)&d.to) != 0;
}

static int teardown(void **state)
{
    struct draft *d = *state;
    sp_buf_free(&d->text);
    sp_mapping_free(d->m);
    return fix_teardown((void **)&d->from) + fix_teardown((void **)&d->to);
}

static void table(
    struct fix *f, const char *name, const struct sp_column *columns, size_t n, const struct sp_fk *fk)
{
    static const char *const id[] = { "id" };
    bool open = columns == NULL;
    static const struct sp_column own_id[] = { COLUMN("_id", SP_MISSING) };
    static const char *const own[] = { "_id" };
    struct sp_table t = { .name = name,
        .columns = open ? own_id : columns,
        .ncolumns = open ? 1 : n,
        .pk = open ? own : id,
        .npk = 1,
        .fks = fk,
        .nfks = fk != NULL,
        .open_fields = open };
    ok(f, sp_db_table_create(f->a, &t, false, &f->err));
    ok(f, sp_db_table_finish(f->a, &t, &f->err));
}

static void run(struct draft *d)
{
    struct sp_error err = SP_ERROR_INIT;
    if (sp_mapping_draft(d->from->a, d->to->a, &d->text, &err) != 0)
        fail_msg("%s\n%s", sp_error_text(&err), d->text.p != NULL ? d->text.p : "");
    if (sp_mapping_parse("draft", d->text.p, d->text.n, &d->m, &err) != 0)
        fail_msg("%s\n%s", sp_error_text(&err), d->text.p);
}

static void says(const struct draft *d, const char *text)
{
    if (strstr(d->text.p, text) == NULL)
        fail_msg("not in the draft: %s\n%s", text, d->text.p);
}

static const struct sp_map_column *column_of(const struct draft *d, const char *relation, const char *column)
{
    const struct sp_map_relation *r = sp_mapping_relation(d->m, relation);
    const struct sp_map_column *c = r != NULL ? sp_map_column_named(r, column) : NULL;
    if (c == NULL)
        fail_msg("no %s.%s:\n%s", relation, column, d->text.p);
    return c;
}

static void test_same(void **state)
{
    struct draft *d = *state;
    static const struct sp_column c[] = { COLUMN("id", SP_INT), COLUMN("a", SP_TEXT) };
    table(d->from, "one", c, 2, NULL);
    table(d->to, "one", c, 2, NULL);
    run(d);
    assert_int_equal(d->m->nrelations, 0);
    says(d, "# The same on both sides, by name: one\n");
}

static void test_spelling(void **state)
{
    struct draft *d = *state;
    static const struct sp_column s[] = { COLUMN("id", SP_INT), COLUMN("created_at", SP_INSTANT),
        COLUMN("yes", SP_TEXT), COLUMN("lost", SP_TEXT) };
    static const struct sp_column t[] = { COLUMN("id", SP_INT), COLUMN("createdAt", SP_INSTANT),
        COLUMN("Yes", SP_TEXT), COLUMN("it's new", SP_TEXT) };
    table(d->from, "order_lines", s, 4, NULL);
    table(d->from, "category", s, 4, NULL);
    table(d->from, "alone", s, 1, NULL);
    table(d->to, "OrderLines", t, 4, NULL);
    table(d->to, "categories", t, 4, NULL);
    run(d);
    assert_string_equal(sp_mapping_relation(d->m, "order_lines")->table[1], "OrderLines");
    assert_string_equal(sp_mapping_relation(d->m, "category")->table[1], "categories");
    assert_string_equal(column_of(d, "category", "created_at")->place[1], "createdAt");
    assert_string_equal(column_of(d, "category", "yes")->place[1], "Yes");
    says(d, "likely: singular and plural");
    says(d, "# only the source has: lost\n");
    says(d, "# only the target has: 'it''s new'\n");
    says(d, "#     alone: say why");
}

static void test_columns(void **state)
{
    struct draft *d = *state;
    static const struct sp_column s[] = { COLUMN("id", SP_INT), COLUMN("a", SP_TEXT), COLUMN("b", SP_TEXT),
        COLUMN("c", SP_TEXT) };
    table(d->from, "people", s, 4, NULL);
    table(d->to, "members", s, 3, NULL);
    table(d->to, "other", s, 2, NULL);
    run(d);
    assert_string_equal(sp_mapping_relation(d->m, "people")->table[1], "members");
    says(d, "a guess: 3 of 3 columns have the same names");
    says(d, "#     other: say why");
}

static const struct sp_column order_columns[] = { COLUMN("id", SP_INT), COLUMN("customer_name", SP_TEXT),
    COLUMN("city", SP_TEXT) };
static const struct sp_column item_columns[] = { COLUMN("id", SP_INT), COLUMN("order_id", SP_INT),
    COLUMN("pos", SP_INT), COLUMN("sku", SP_TEXT), COLUMN("item_price", SP_DEC) };

static void items_table(struct fix *f, int64_t first)
{
    static const char *const from[] = { "order_id" }, *const to[] = { "id" };
    static const struct sp_fk fk = {
        .columns = from, .ncolumns = 1, .ref_table = "orders", .ref_columns = to
    };
    table(f, "orders", order_columns, 3, NULL);
    table(f, "order_items", item_columns, 5, &fk);
    const struct sp_field order[] = { { "id", sp_v_int(1) } };
    const struct sp_field item[] = { { "id", sp_v_int(1) }, { "order_id", sp_v_int(1) },
        { "pos", sp_v_int(first) } };
    ok(f, sp_db_insert(f->a, "orders", order, 1, &f->err));
    ok(f, sp_db_insert(f->a, "order_items", item, 3, &f->err));
}

static void orders_collection(struct fix *f)
{
    table(f, "orders", NULL, 0, NULL);
    const struct sp_field doc[] = { { "_id", sp_v_int(1) }, { "customerName", sp_v_text("A") },
        { "address", sp_v_json("{\"city\":\"Rome\"}") },
        { "items", sp_v_json("[{\"sku\":\"x\",\"itemPrice\":2}]") }, { "odd", sp_v_text("?") } };
    ok(f, sp_db_insert(f->a, "orders", doc, 5, &f->err));
}

static void check_children(const struct draft *d, int docs)
{
    const struct sp_map_relation *r = sp_mapping_relation(d->m, "order_items");
    if (r == NULL)
        fail_msg("no order_items:\n%s", d->text.p);
    assert_string_equal(r->table[docs], "orders");
    assert_string_equal(r->array[docs], "items");
    assert_null(r->array[1 - docs]);
    assert_true(r->ordered[docs]);
    const struct sp_map_column *c = column_of(d, "order_items", "order_id");
    assert_true(c->parent[docs]);
    assert_string_equal(c->place[docs], "_id");
    assert_string_equal(c->place[1 - docs], "order_id");
    assert_true(column_of(d, "order_items", "pos")->ordinal[docs]);
    assert_string_equal(column_of(d, "order_items", "sku")->place[docs], "sku");
    assert_string_equal(column_of(d, "order_items", "item_price")->place[docs], "itemPrice");
    assert_string_equal(column_of(d, "orders", "id")->place[docs], "_id");
    assert_string_equal(column_of(d, "orders", "city")->place[docs], "address/city");
    assert_string_equal(column_of(d, "orders", "customer_name")->place[docs], "customerName");
    says(d, docs == 1 ? "# only the target has: odd\n" : "# only the source has: odd\n");
}

static void test_tables_to_documents(void **state)
{
    struct draft *d = *state;
    items_table(d->from, 0);
    orders_collection(d->to);
    run(d);
    check_children(d, 1);
    assert_int_equal(sp_mapping_relation(d->m, "order_items")->ordinal_base, 0);
}

static void test_documents_to_tables(void **state)
{
    struct draft *d = *state;
    orders_collection(d->from);
    items_table(d->to, 1);
    run(d);
    check_children(d, 0);
    assert_int_equal(sp_mapping_relation(d->m, "order_items")->ordinal_base, 1);
}

/* The documents got ids of their own and kept the old ones. */
static void test_crosswalk(void **state)
{
    struct draft *d = *state;
    static const char *const from[] = { "order_id" }, *const to[] = { "id" };
    static const struct sp_fk fk = {
        .columns = from, .ncolumns = 1, .ref_table = "orders", .ref_columns = to
    };
    table(d->from, "orders", order_columns, 3, NULL);
    table(d->from, "notes", item_columns, 2, &fk);
    table(d->to, "orders", NULL, 0, NULL);
    table(d->to, "notes", NULL, 0, NULL);
    const struct sp_field order[] = { { "_id", sp_v_native("objectId", "5f0000000000000000000001", 24) },
        { "legacy_id", sp_v_int(1) } };
    const struct sp_field note[] = { { "_id", sp_v_int(1) },
        { "orderId", sp_v_native("objectId", "5f0000000000000000000001", 24) } };
    ok(d->to, sp_db_insert(d->to->a, "orders", order, 2, &d->to->err));
    ok(d->to, sp_db_insert(d->to->a, "notes", note, 2, &d->to->err));
    run(d);
    assert_int_equal(d->m->ncrosswalks, 1);
    assert_true(d->m->crosswalks[0].on_target);
    assert_string_equal(d->m->crosswalks[0].source_id, "legacy_id");
    assert_string_equal(d->m->crosswalks[0].target_id, "_id");
    assert_string_equal(column_of(d, "orders", "id")->crosswalk, "orders_ids");
    assert_string_equal(column_of(d, "notes", "order_id")->crosswalk, "orders_ids");
    assert_non_null(column_of(d, "orders", "legacy_id")->ignore);
}

/* Names that need quotes, in YAML and in a comment, on one line. */
static void test_odd_names(void **state)
{
    struct draft *d = *state;
    static const struct sp_column s[] = { COLUMN("id", SP_INT), COLUMN("a: b # c", SP_TEXT),
        COLUMN("new\nline", SP_TEXT), COLUMN("null", SP_TEXT), COLUMN("12", SP_TEXT) };
    static const struct sp_column t[] = { COLUMN("id", SP_INT), COLUMN("A B C", SP_TEXT),
        COLUMN("NewLine", SP_TEXT), COLUMN("Null", SP_TEXT), COLUMN("_12", SP_TEXT) };
    table(d->from, "- odd", s, 5, NULL);
    table(d->to, "odd", t, 5, NULL);
    run(d);
    assert_string_equal(column_of(d, "- odd", "a: b # c")->place[1], "A B C");
    assert_string_equal(column_of(d, "- odd", "new\nline")->place[1], "NewLine");
    assert_string_equal(column_of(d, "- odd", "null")->place[1], "Null");
    assert_string_equal(column_of(d, "- odd", "12")->place[1], "_12");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same, setup, teardown),
        cmocka_unit_test_setup_teardown(test_spelling, setup, teardown),
        cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tables_to_documents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_documents_to_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(test_crosswalk, setup, teardown),
        cmocka_unit_test_setup_teardown(test_odd_names, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
