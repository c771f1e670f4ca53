/* test_mongodb_mapping.c -- mapping files between documents and tables on a server: a draft that is used as it is, and
 * documents that are copied into tables. */
#include "ci/tests/provider/mongodb_pair.h"

#include <sqlite3.h>

#include "map/draft.h"
#include "map/for_copy.h"
#include "map/lens.h"
#include "providers/sqlite/sqlite.h"

static char path[64], url[80];

static void sql(const char *text)
{
    sqlite3 *db = NULL;
    char *why = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
    if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", text, why);
    assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

static void file(const char *text)
{
    snprintf(path, sizeof path, "/tmp/sp-mapping-%ld.db", (long)getpid());
    snprintf(url, sizeof url, "sqlite:%s", path);
    unlink(path);
    sql(text);
}

static struct sp_session *open_file(enum sp_access access)
{
    static struct sp_endpoint e;
    struct sp_session *s = NULL;
    struct sp_error err = SP_ERROR_INIT;
    e = (struct sp_endpoint){ .name = "file", .url = url, .access = access };
    if (sp_open(&s, &sp_provider_sqlite, &e, &err) != 0)
        fail_msg("%s", sp_error_text(&err));
    return s;
}

static struct sp_mapping *parsed(const char *text)
{
    struct sp_mapping *m = NULL;
    struct sp_error err = SP_ERROR_INIT;
    if (sp_mapping_parse("m.yaml", text, strlen(text), &m, &err) != 0)
        fail_msg("%s\n%s", sp_error_text(&err), text);
    return m;
}

/* The file on the side that is asked for, the documents on the other one. */
static void compare(struct mpair *p, const struct sp_mapping *m, int file_side, enum sp_verify_verdict want)
{
    struct mlines l = { { mpair_line }, &p->events };
    struct sp_session *f = open_file(SP_ACCESS_READ_ONLY), *d = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    struct sp_session *a = file_side == 0 ? f : d, *b = file_side == 0 ? d : f, *la = NULL, *lb = NULL;
    sp_buf_clear(&p->reasons);
    sp_buf_clear(&p->events);
    p->opt.mapping = m;
    p->opt.checks = SP_VC_ROWS | SP_VC_RELATIONS;
    p->verdict = SP_VV_NOT_COMPARED;
    if (sp_lens_open(a, b, m, SP_SIDE_SOURCE, &la, &p->err) != 0 ||
        sp_lens_open(b, a, m, SP_SIDE_TARGET, &lb, &p->err) != 0 ||
        sp_verify(la, lb, &p->opt, &l.em, &p->verdict, &p->reasons, &p->err) != 0)
        fail_msg("verify: %s", sp_error_text(&p->err));
    sp_close(la);
    sp_close(lb);
    sp_close(f);
    sp_close(d);
    p->opt.mapping = NULL;
    if (p->verdict != want)
        fail_msg("%s, not %s: %s\n%s", sp_verify_verdict_name(p->verdict), sp_verify_verdict_name(want),
            p->reasons.p != NULL ? p->reasons.p : "", p->events.p);
}

static struct sp_mapping *drafted(struct mpair *p, int file_side)
{
    struct sp_buf text = SP_BUF_INIT;
    struct sp_session *f = open_file(SP_ACCESS_READ_ONLY), *d = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    if (sp_mapping_draft(file_side == 0 ? f : d, file_side == 0 ? d : f, &text, &p->err) != 0)
        fail_msg("draft: %s\n%s", sp_error_text(&p->err), text.p != NULL ? text.p : "");
    sp_close(f);
    sp_close(d);
    struct sp_mapping *m = parsed(text.p);
    sp_buf_free(&text);
    return m;
}

static const char *const tables =
    "CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_name TEXT, city TEXT, paid INTEGER) STRICT;"
    "CREATE TABLE order_items(order_id INTEGER NOT NULL REFERENCES orders(id), pos INTEGER NOT NULL, sku "
    "TEXT, "
    "amount INTEGER, PRIMARY KEY(order_id, pos)) STRICT;";
static const char *const rows =
    "INSERT INTO orders VALUES(1, 'Ann', 'Rome', 5), (2, 'Bob', 'Oslo', NULL), (3, 'Cy', 'Bern', 7);"
    "INSERT INTO order_items VALUES(1, 1, 'x', 2), (1, 2, 'y', 3), (3, 1, 'x', NULL);";

static void documents(struct mpair *p)
{
    command(p, 0,
        "{\"insert\":\"orders\",\"documents\":["
        "{\"_id\":1,\"customerName\":\"Ann\",\"address\":{\"city\":\"Rome\"},\"paid\":5,"
        "\"items\":[{\"sku\":\"x\",\"amount\":2},{\"sku\":\"y\",\"amount\":3}]},"
        "{\"_id\":2,\"customerName\":\"Bob\",\"address\":{\"city\":\"Oslo\"},\"paid\":null,\"items\":[]},"
        "{\"_id\":3,\"customerName\":\"Cy\",\"address\":{\"city\":\"Bern\"},\"paid\":7,"
        "\"items\":[{\"sku\":\"x\",\"amount\":null}]}]}");
}

/* Nobody touched the draft: it bridges all that differs in form, and hides nothing. */
static void draft(struct mpair *p, int file_side)
{
    need_server(p);
    file(tables);
    sql(rows);
    documents(p);
    struct sp_mapping *m = drafted(p, file_side);
    compare(p, m, file_side, SP_VV_EQUAL);
    command(p, 0,
        "{\"update\":\"orders\",\"updates\":[{\"q\":{\"_id\":1},\"u\":{\"$set\":{\"items.1.amount\":4}}}]}");
    compare(p, m, file_side, SP_VV_DIFFERENT);
    assert_true(mpair_told(p, "difference", "order_items", "amount", "order_id=1"));
    command(p, 0,
        "{\"update\":\"orders\",\"updates\":[{\"q\":{\"_id\":1},\"u\":{\"$set\":{\"items\":"
        "[{\"sku\":\"y\",\"amount\":3},{\"sku\":\"x\",\"amount\":2}]}}}]}");
    compare(p, m, file_side, SP_VV_DIFFERENT); /* the order of the elements is data */
    assert_true(mpair_told(p, "difference", "order_items", "sku", "order_id=1"));
    command(p, 0,
        "{\"update\":\"orders\",\"updates\":[{\"q\":{\"_id\":1},\"u\":{\"$set\":{\"items\":"
        "[{\"sku\":\"x\",\"amount\":2},{\"sku\":\"y\",\"amount\":3}]}}}]}");
    compare(p, m, file_side, SP_VV_EQUAL);
    command(p, 0,
        "{\"update\":\"orders\",\"updates\":[{\"q\":{\"_id\":2},\"u\":{\"$set\":{\"address.city\":\"Roma\"}}}"
        "]}");
    compare(p, m, file_side, SP_VV_DIFFERENT);
    assert_true(mpair_told(p, "difference", "orders", "city", "id=2"));
    command(p, 0,
        "{\"update\":\"orders\",\"updates\":[{\"q\":{\"_id\":2},\"u\":{\"$set\":{\"address.city\":\"Oslo\","
        "\"surprise\":1}}}]}");
    compare(p, m, file_side, SP_VV_DIFFERENT);
    assert_true(mpair_told(p, "difference", "orders", "surprise", "id=2"));
    command(p, 0,
        "{\"update\":\"orders\",\"updates\":[{\"q\":{\"_id\":2},\"u\":{\"$unset\":{\"surprise\":1}}}]}");
    sql("DELETE FROM order_items WHERE order_id = 3");
    compare(p, m, file_side, SP_VV_DIFFERENT);
    assert_true(mpair_told(p, "difference", "order_items", "order_id=3", NULL));
    sp_mapping_free(m);
    unlink(path);
}

static void draft_of_tables_to_documents(void **state)
{
    draft(*state, 0);
}

static void draft_of_documents_to_tables(void **state)
{
    draft(*state, 1);
}

static int copy(struct mpair *p, const struct sp_mapping *m, bool into_existing)
{
    struct mlines l = { { mpair_line }, &p->events };
    struct sp_session *d = mpair_open(p, 0, SP_ACCESS_READ_ONLY), *f = open_file(SP_ACCESS_TARGET),
                      *lens = NULL;
    struct sp_schema *schema = NULL;
    struct sp_mapping *names = NULL;
    struct sp_migrate_options opt = { .into_existing = into_existing };
    sp_error_clear(&p->err);
    sp_buf_clear(&p->events);
    int rc = sp_db_introspect(d, NULL, &schema, &p->err);
    if (rc == 0)
        rc = sp_mapping_for_copy(m, schema, &names, &p->err);
    if (rc == 0)
        rc = sp_lens_open(d, f, names, SP_SIDE_SOURCE, &lens, &p->err);
    opt.mapping = names;
    if (rc == 0)
        rc = sp_migrate_bulk(lens, f, &opt, &l.em, &p->err);
    sp_close(lens);
    sp_mapping_free(names);
    sp_schema_free(schema);
    sp_close(d);
    sp_close(f);
    return rc;
}

static void copied(struct mpair *p, const struct sp_mapping *m, bool into_existing)
{
    if (copy(p, m, into_existing) != 0)
        fail_msg("migrate: %s\n%s", sp_error_text(&p->err), p->events.p != NULL ? p->events.p : "");
    compare(p, m, 1, SP_VV_EQUAL);
}

/* Arrays become tables: into those that the new system made, and into new ones. */
static void documents_into_tables(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    documents(p);
    file(tables);
    struct sp_mapping *m = drafted(p, 1);
    sql("PRAGMA foreign_keys = ON");
    copied(p, m, true);
    file("VACUUM");
    copied(p, m, false);
    sp_mapping_free(m);
    unlink(path);
}

/* An array of plain values: its elements are a column of their own. */
static void elements(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    file("CREATE TABLE posts(id INTEGER PRIMARY KEY) STRICT;"
         "CREATE TABLE tags(post INTEGER NOT NULL, tag TEXT NOT NULL) STRICT;"
         "INSERT INTO posts VALUES(1), (2); INSERT INTO tags VALUES(1, 'b'), (1, 'a'), (1, 'a'), (2, 'c');");
    command(p, 0,
        "{\"insert\":\"posts\",\"documents\":[{\"_id\":1,\"tags\":[\"a\",\"b\",\"a\"]},"
        "{\"_id\":2,\"tags\":[\"c\"]}]}");
    struct sp_mapping *m = parsed("version: 1\n"
                                  "relations:\n"
                                  "  posts: { columns: { id: { target: _id } } }\n"
                                  "  tags:\n"
                                  "    target: { table: posts, array: tags }\n"
                                  "    columns:\n"
                                  "      post: { target: { parent: _id } }\n"
                                  "      tag: { target: { element: true } }\n");
    compare(p, m, 0, SP_VV_EQUAL);
    command(p, 0,
        "{\"update\":\"posts\",\"updates\":[{\"q\":{\"_id\":1},\"u\":{\"$set\":{\"tags\":"
        "[\"b\",\"a\",\"a\"]}}}]}");
    compare(p, m, 0, SP_VV_EQUAL); /* their order is no data here */
    command(p, 0,
        "{\"update\":\"posts\",\"updates\":[{\"q\":{\"_id\":1},\"u\":{\"$set\":{\"tags\":"
        "[\"b\",\"a\"]}}}]}");
    compare(p, m, 0, SP_VV_DIFFERENT); /* how often each is there, is */
    assert_true(mpair_told(p, "table", "\"name\":\"tags\"", "\"missing\":1", NULL));
    sp_mapping_free(m);
    unlink(path);
}

/* A field that is in no column is not lost in silence. */
static void a_field_without_a_place(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    documents(p);
    file(tables);
    struct sp_mapping *m = drafted(p, 1);
    command(
        p, 0, "{\"update\":\"orders\",\"updates\":[{\"q\":{\"_id\":2},\"u\":{\"$set\":{\"surprise\":1}}}]}");
    assert_int_not_equal(copy(p, m, true), 0);
    assert_non_null(strstr(sp_error_text(&p->err), "field surprise has no place on the target"));
    sp_mapping_free(m);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(draft_of_tables_to_documents, mpair_setup, mpair_teardown),
        cmocka_unit_test_setup_teardown(draft_of_documents_to_tables, mpair_setup, mpair_teardown),
        cmocka_unit_test_setup_teardown(documents_into_tables, mpair_setup, mpair_teardown),
        cmocka_unit_test_setup_teardown(elements, mpair_setup, mpair_teardown),
        cmocka_unit_test_setup_teardown(a_field_without_a_place, mpair_setup, mpair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
