/* Renamed tables and columns: what is the same under other names is equal, and every difference is named as the mapping
 * names it. */
#include "lens_pair.h"

static const char *const source =
    "CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT UNIQUE, score REAL "
    "DEFAULT 1.5,"
    " CHECK(length(name) > 0));"
    "CREATE TABLE orders(id INTEGER PRIMARY KEY AUTOINCREMENT, customer_id INTEGER NOT NULL REFERENCES "
    "customers(id) ON DELETE CASCADE, total INTEGER, note TEXT);"
    "CREATE INDEX orders_by ON orders(customer_id, total) WHERE total > 10;"
    "CREATE TABLE plain(a TEXT, b INTEGER);"
    "CREATE TABLE old(x INTEGER);"
    "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 200)"
    " INSERT INTO customers SELECT n, 'name ' || n, 'm' || n || '@x.example', n / 7.0 FROM i;"
    "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 300)"
    " INSERT INTO orders SELECT n, 1 + n % 200, n * 10, CASE n % 4 WHEN 0 THEN NULL ELSE 'note ' || n END "
    "FROM i;"
    "INSERT INTO plain VALUES('x', 1), ('x', 1), (NULL, 2);"
    "INSERT INTO old VALUES(1);";
static const char *const target =
    "CREATE TABLE kunden(nr INTEGER PRIMARY KEY, name TEXT NOT NULL, post TEXT UNIQUE, score REAL DEFAULT "
    "1.5,"
    " CHECK(length(name) > 0));"
    "CREATE TABLE auftraege(id INTEGER PRIMARY KEY AUTOINCREMENT, kunde INTEGER NOT NULL REFERENCES "
    "kunden(nr) ON "
    "DELETE CASCADE, summe INTEGER, note TEXT);"
    "CREATE INDEX orders_by ON auftraege(kunde, summe) WHERE summe > 10;"
    "CREATE TABLE plain(a TEXT, b INTEGER);"
    "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 200)"
    " INSERT INTO kunden SELECT n, 'name ' || n, 'm' || n || '@x.example', n / 7.0 FROM i;"
    "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 300)"
    " INSERT INTO auftraege SELECT n, 1 + n % 200, n * 10, CASE n % 4 WHEN 0 THEN NULL ELSE 'note ' || n END "
    "FROM i;"
    "INSERT INTO plain VALUES('x', 1), (NULL, 2), ('x', 1);";

static const struct sp_map_relation relations[] = {
    { .name = "customers",
        .table = { "customers", "kunden" },
        COLUMNS(COL("id", "id", "nr"), COL("email", "email", "post")) },
    { .name = "orders",
        .table = { "orders", "auftraege" },
        COLUMNS(COL("customer_id", "customer_id", "kunde"), COL("total", "total", "summe")) },
    { .name = "old", .table = { "old", NULL }, .ignore = "no longer used" },
};
static const struct sp_mapping mapping = MAPPING(relations);

static void begin(struct pair *p)
{
    pair_begin(p);
    plain(p->a, source);
    plain(p->b, target);
}

static void renamed_is_equal(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    assert_lens(&p, &mapping, SP_VV_EQUAL);
    assert_event(&p, "table ", "\"name\":\"orders\"", "\"source_rows\":300");
    assert_event(&p, "relation", "\"parent\":\"customers\"", "\"child\":\"orders\"");
    /* Without the mapping nothing fits. */
    assert_compares(&p, SP_VV_DIFFERENT);
    pair_end(&p);
}

static const struct {
    const char *sql, *event, *table, *what;
} corruptions[] = {
    { "UPDATE kunden SET post = 'M7@x.example' WHERE nr = 7", "difference ", "\"name\":\"customers\"",
        "\"column\":\"email\"" },
    { "UPDATE auftraege SET summe = summe + 1 WHERE id = 9", "difference ", "\"key\":\"id=9\"",
        "\"column\":\"total\"" },
    { "UPDATE auftraege SET kunde = 4 WHERE id = 9", "difference ", "\"name\":\"orders\"",
        "\"column\":\"customer_id\"" },
    { "DELETE FROM auftraege WHERE id = 100", "difference ", "\"difference\":\"missing\"", "id=100" },
    { "INSERT INTO auftraege VALUES(900, 5, 1, NULL)", "difference ", "\"difference\":\"extra\"", "id=900" },
    { "UPDATE auftraege SET note = '' WHERE note IS NULL AND id = 4", "difference ", "\"name\":\"orders\"",
        "\"column\":\"note\"" },
    { "PRAGMA foreign_keys=OFF; UPDATE auftraege SET kunde = 7777 WHERE id = 5", "difference ",
        "\"difference\":\"orphan\"", "\"column\":\"customer_id\"" },
    { "DELETE FROM plain WHERE rowid = 1", "difference ", "\"name\":\"plain\"", "missing" },
    { "DROP INDEX orders_by", "schema_diff", "\"name\":\"orders_by\"", "index (customer_id, total)" },
    { "DROP INDEX orders_by; CREATE INDEX orders_by ON auftraege(summe, kunde) WHERE summe > 10",
        "schema_diff", "orders_by", "(total, customer_id)" },
    { "DROP INDEX orders_by; CREATE INDEX orders_by ON auftraege(kunde, summe) WHERE kunde > 10",
        "schema_diff", "orders_by", "where" },
    { "ALTER TABLE kunden ADD COLUMN extra TEXT", "schema_diff", "\"table\":\"customers\"",
        "\"name\":\"extra\"" },
    { "CREATE TABLE more(x)", "schema_diff", "\"element\":\"table\"", "\"name\":\"more\"" },
    { "UPDATE sqlite_sequence SET seq = 7", "sequence", "\"behind\":true", "orders" },
    { "CREATE TRIGGER t AFTER INSERT ON kunden BEGIN SELECT 1; END", "schema_diff", "trigger",
        "\"table\":\"customers\"" },
};

static void every_corruption_is_named_as_the_mapping_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_LEN(corruptions); i++) {
        struct pair p;
        begin(&p);
        plain(p.b, corruptions[i].sql);
        lens_compare(&p, &mapping);
        if (p.rc != 0 || p.verdict != SP_VV_DIFFERENT)
            fail_msg(
                "%s: %s %s", corruptions[i].sql, sp_verify_verdict_name(p.verdict), sp_error_text(&p.err));
        if (!has_event(&p, corruptions[i].event, corruptions[i].table, corruptions[i].what))
            fail_msg("%s:\n%s", corruptions[i].sql, p.events.p);
        pair_end(&p);
    }
}

static void a_filter_leaves_rows_out_on_its_side(void **state)
{
    const struct sp_value five = sp_v_int(5);
    const struct sp_filter source_where = { .op = SP_F_GT, .column = "id", .values = &five, .nvalues = 1 };
    const struct sp_filter target_where = { .op = SP_F_GT, .column = "nr", .values = &five, .nvalues = 1 };
    const struct sp_map_relation r[] = { { .name = "customers",
                                             .table = { "customers", "kunden" },
                                             .where = { &source_where, &target_where },
                                             COLUMNS(COL("id", "id", "nr"), COL("email", "email", "post")) },
        relations[1], relations[2] };
    const struct sp_mapping m = MAPPING(r);
    struct pair p;
    (void)state;
    begin(&p);
    p.opt.checks = SP_VC_ROWS;
    plain(p.b, "PRAGMA foreign_keys=OFF; UPDATE kunden SET score = 0 WHERE nr = 5");
    assert_lens(&p, &m, SP_VV_EQUAL);
    assert_event(&p, "table ", "\"name\":\"customers\"", "\"source_rows\":195");
    plain(p.b, "PRAGMA foreign_keys=OFF; UPDATE kunden SET score = 0 WHERE nr = 6");
    assert_lens(&p, &m, SP_VV_DIFFERENT);
    pair_end(&p);
}

static void columns_are_ignored_and_constant(void **state)
{
    static const struct sp_value eu = { .tag = SP_TEXT, .u.str = { "eu", 2 } };
    const struct sp_map_relation r[] = {
        { .name = "customers",
            .table = { "customers", "kunden" },
            COLUMNS(COL("id", "id", "nr"), COL("email", "email", "post"),
                { .name = "score", .place = { "score", "score" }, .ignore = "drawn anew" },
                { .name = "region", .place = { NULL, "region" }, .constant = { &eu, NULL } }) },
        relations[1], relations[2]
    };
    const struct sp_mapping m = MAPPING(r);
    struct pair p;
    (void)state;
    begin(&p);
    p.opt.checks = SP_VC_ROWS | SP_VC_RELATIONS;
    plain(p.b, "UPDATE kunden SET score = 0; ALTER TABLE kunden ADD COLUMN region TEXT; UPDATE kunden SET "
               "region = 'eu'");
    assert_lens(&p, &m, SP_VV_EQUAL);
    plain(p.b, "UPDATE kunden SET region = 'us' WHERE nr = 3");
    assert_lens(&p, &m, SP_VV_DIFFERENT);
    assert_event(&p, "difference ", "\"key\":\"id=3\"", "\"column\":\"region\"");
    pair_end(&p);
}

static void names_that_meet_are_refused(void **state)
{
    const struct sp_map_relation two[] = {
        { .name = "customers", .table = { "customers", "kunden" }, COLUMNS(COL("name", "email", "post")) }
    };
    const struct sp_map_relation taken[] = {
        { .name = "plain", .table = { "old", "kunden" }, .columns_by_name = true }
    };
    const struct sp_map_relation absent[] = {
        { .name = "q", .table = { "orders", "nowhere" }, .columns_by_name = true }
    };
    const struct sp_map_relation column[] = {
        { .name = "customers", .table = { "customers", "kunden" }, COLUMNS(COL("z", "email", "zz")) }
    };
    const struct sp_mapping m[] = { MAPPING(two), MAPPING(taken), MAPPING(absent), MAPPING(column) };
    static const char *const words[] = { "two columns named \"name\"", "another relation has its name",
        "has no table \"nowhere\"", "no column \"zz\"" };
    (void)state;
    for (size_t i = 0; i < SP_LEN(m); i++) {
        struct pair p;
        begin(&p);
        lens_compare(&p, &m[i]);
        assert_int_not_equal(0, p.rc);
        if (strstr(sp_error_text(&p.err), words[i]) == NULL)
            fail_msg("not %s: %s", words[i], sp_error_text(&p.err));
        pair_end(&p);
    }
}

/* Reads go by the relation's names, and nothing is written. */
static void queries_see_the_relation(void **state)
{
    struct pair p;
    struct opened b;
    struct sp_session *l = NULL;
    struct sp_result r = SP_RESULT_INIT;
    int64_t n = 0;
    const struct sp_value v = sp_v_int(3);
    const struct sp_filter where = { .op = SP_F_LTE, .column = "id", .values = &v, .nvalues = 1 };
    const struct sp_order order = { .column = "id", .desc = true };
    const struct sp_query q = {
        .table = "customers", .where = &where, .order = &order, .norder = 1, .limit = 2
    };
    (void)state;
    begin(&p);
    open_file(&b, p.b, SP_ACCESS_READ_ONLY);
    assert_int_equal(0, sp_lens_open(b.s, NULL, &mapping, SP_SIDE_TARGET, &l, &p.err));
    assert_ptr_equal(b.s, sp_lens_inner(l));
    assert_ptr_equal(b.s, sp_lens_inner(b.s));
    assert_int_equal(0, sp_db_read(l, &q, &r, &p.err));
    assert_int_equal(2, r.nrows);
    assert_int_equal(3, sp_result_at(&r, 0, "id")->u.i);
    assert_string_equal("m2@x.example", sp_arena_strn(&r.arena, sp_result_at(&r, 1, "email")->u.str.p,
                                            sp_result_at(&r, 1, "email")->u.str.n));
    sp_result_free(&r);
    assert_int_equal(0, sp_db_count(l, "orders", NULL, &n, &p.err));
    assert_int_equal(300, n);
    assert_int_equal(-SP_E_NOT_FOUND, sp_db_count(l, "auftraege", NULL, &n, &p.err));
    assert_true(sp_db_delete(l, "orders", NULL, NULL, &p.err) < 0);
    sp_close(l);
    sp_close(b.s);
    pair_end(&p);
}

/* ---- arrays in a column of JSON ------------------------------------------------------------------------------------------ */

static const char *const item_key[] = { "order_id", "pos" };
static const struct sp_map_relation in_json[] = {
    { .name = "items",
        .table = { "items", "orders" },
        .array = { NULL, "items" },
        .ordered = { false, true },
        .key = item_key,
        .nkey = 2,
        COLUMNS({ .name = "order_id", .place = { "order_id", "id" }, .parent = { false, true } },
            { .name = "pos", .place = { "pos", NULL }, .ordinal = { false, true } },
            COL("qty", "qty", "n/qty")) },
};
static const struct sp_mapping in_json_mapping = MAPPING(in_json);

static void an_array_in_a_column_is_a_table(void **state)
{
    static const struct {
        const char *sql, *key, *column;
    } cases[] = {
        { "UPDATE orders SET items = json_set(items, '$[1].n.qty', 5) WHERE id = 2", "order_id=2, pos=1",
            "\"column\":\"qty\"" },
        { "UPDATE orders SET items = json_set(items, '$[1].more', 5) WHERE id = 2", "order_id=2, pos=1",
            "\"column\":\"more\"" },
        { "UPDATE orders SET items = json_remove(items, '$[1]') WHERE id = 2", "order_id=2, pos=1",
            "missing" },
        { "UPDATE orders SET items = '{\"sku\":1}' WHERE id = 1", "order_id=1, pos=0", "\"column\":\"sku\"" },
        { "UPDATE orders SET items = 'no JSON' WHERE id = 1", "order_id=1, pos=0", "\"column\":\"sku\"" },
        { "UPDATE orders SET items = 7 WHERE id = 0", "order_id=0, pos=0", "extra" },
    };
    (void)state;
    for (size_t i = 0; i <= SP_LEN(cases); i++) {
        struct pair p;
        pair_begin(&p);
        p.opt.checks = SP_VC_ROWS;
        p.opt.mapping = &in_json_mapping;
        plain(p.a, "CREATE TABLE orders(id INTEGER PRIMARY KEY, note TEXT);"
                   "CREATE TABLE items(order_id INTEGER, pos INTEGER, sku TEXT, qty INTEGER, PRIMARY "
                   "KEY(order_id, pos));"
                   "INSERT INTO orders VALUES(0, 'x'), (1, 'y'), (2, 'z');"
                   "INSERT INTO items VALUES(1, 0, 'a', 1), (2, 0, 'b', 2), (2, 1, NULL, 3);");
        plain(p.b,
            "CREATE TABLE orders(id INTEGER PRIMARY KEY, note TEXT, items TEXT);"
            "INSERT INTO orders VALUES(0, 'x', NULL), (1, 'y', '[{\"sku\":\"a\",\"n\":{\"qty\":1}}]'),"
            " (2, 'z', ' [ {\"n\":{\"qty\":2},\"sku\":\"b\"} , {\"sku\":null,\"n\":{\"qty\":3}} ] ');");
        if (i < SP_LEN(cases))
            plain(p.b, cases[i].sql);
        assert_lens(&p, &in_json_mapping, i == SP_LEN(cases) ? SP_VV_EQUAL : SP_VV_DIFFERENT);
        if (i < SP_LEN(cases))
            assert_event(&p, cases[i].key, cases[i].column, "\"name\":\"items\"");
        pair_end(&p);
    }
}

/* Both sides keep the array: what no column takes of an element still counts, and so does an array without elements. */
static void what_no_column_takes_of_an_array_counts(void **state)
{
    const struct sp_map_relation both[] = {
        { .name = "items",
            .table = { "orders", "orders" },
            .array = { "items", "items" },
            .ordered = { true, true },
            .key = item_key,
            .nkey = 2,
            COLUMNS({ .name = "order_id", .place = { "id", "id" }, .parent = { true, true } },
                { .name = "pos", .ordinal = { true, true } }) },
        { .name = "pairs",
            .table = { "orders", "orders" },
            .array = { "pairs", "pairs" },
            COLUMNS(COL("first", "0", "0")) },
    };
    const struct sp_mapping m = MAPPING(both);
    static const struct {
        const char *a, *b, *pairs;
        enum sp_verify_verdict want;
        const char *column;
    } cases[] = {
        { "'[1,[2],{\"n\":3}]'", "' [1, [2], {\"n\":3}]'", "[[1,2]]", SP_VV_EQUAL, NULL },
        { "'[1,2]'", "'[1,3]'", "[[1,2]]", SP_VV_DIFFERENT, "(element)" },
        { "'[[1]]'", "'[[2]]'", "[[1,2]]", SP_VV_DIFFERENT, "(element)" },
        { "'[null]'", "'[{}]'", "[[1,2]]", SP_VV_DIFFERENT, "(element)" },
        { "'[1]'", "'[1]'", "[[1,3]]", SP_VV_DIFFERENT, NULL },
        { "'[]'", "' [ ] '", "[[1,2]]", SP_VV_EQUAL, NULL },
        { "NULL", "NULL", "[[1,2]]", SP_VV_EQUAL, NULL },
        { "'[]'", "NULL", "[[1,2]]", SP_VV_DIFFERENT, "items (empty)" },
        { "NULL", "'[]'", "[[1,2]]", SP_VV_DIFFERENT, "items (empty)" },
    };
    (void)state;
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct pair p;
        char sql[400];
        pair_begin(&p);
        p.opt.mapping = &m;
        for (int side = 0; side < 2; side++) {
            snprintf(sql, sizeof sql,
                "CREATE TABLE orders(id INTEGER PRIMARY KEY, items TEXT, pairs TEXT); INSERT INTO orders "
                "VALUES(1, %s, '%s')",
                side == 0 ? cases[i].a : cases[i].b, side == 0 ? "[[1,2]]" : cases[i].pairs);
            plain(side == 0 ? p.a : p.b, sql);
        }
        assert_lens(&p, &m, cases[i].want);
        if (cases[i].column != NULL)
            assert_event(&p, "difference ", cases[i].column, "\"changed\"");
        pair_end(&p);
    }
}

/* A constraint of such an array is not seen in its elements, either. */
static void an_array_that_must_be_there(void **state)
{
    static const struct sp_map_relation both[] = { { .name = "items",
        .table = { "orders", "orders" },
        .array = { "items", "items" },
        .columns_by_name = true } };
    const struct sp_mapping m = MAPPING(both);
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct pair p;
        pair_begin(&p);
        p.opt.mapping = &m;
        for (int side = 0; side < 2; side++) {
            plain(side == 0 ? p.a : p.b,
                side == 1 && lost ? "CREATE TABLE orders(id INTEGER PRIMARY KEY, items TEXT)"
                                  : "CREATE TABLE orders(id INTEGER PRIMARY KEY, items TEXT NOT NULL)");
            plain(side == 0 ? p.a : p.b, "INSERT INTO orders VALUES(1, '[{\"a\":1}]'), (2, '[]')");
        }
        assert_lens(&p, &m, lost ? SP_VV_DIFFERENT : SP_VV_EQUAL);
        if (lost)
            assert_event(&p, "schema_diff ", "\"nullability\"", "items (empty)");
        pair_end(&p);
    }
}

/* ---- what is declared --------------------------------------------------------------------------------------------------- */

/* A constraint over a column that is left out is none of the column that took its name. */
static void what_an_ignored_namesake_declares_is_not_ours(void **state)
{
    const struct sp_map_relation users[] = { { .name = "users",
        .table = { "users", "users" },
        COLUMNS(COL("email", "email", "email2"),
            { .name = "old", .place = { NULL, "email" }, .ignore = "of the old system" }) } };
    const struct sp_mapping m = MAPPING(users);
    static const char *const words[] = { "UNIQUE(email)", "CHECK(length(email) > 2)",
        "FOREIGN KEY(email) REFERENCES mails(m)" };
    static const char *const elements[] = { "\"unique\"", "\"check\"", "\"foreign_key\"" };
    (void)state;
    for (size_t i = 0; i < SP_LEN(words); i++) {
        struct pair p;
        char sql[400];
        pair_begin(&p);
        p.opt.mapping = &m;
        for (int side = 0; side < 2; side++) {
            snprintf(sql, sizeof sql,
                "CREATE TABLE mails(m TEXT PRIMARY KEY); INSERT INTO mails VALUES('abc');"
                "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT%s, %s);"
                "INSERT INTO users VALUES(1, 'abc'%s)",
                side == 0 ? "" : ", email2 TEXT", words[i], side == 0 ? "" : ", 'abc'");
            plain(side == 0 ? p.a : p.b, sql);
        }
        assert_lens(&p, &m, SP_VV_DIFFERENT);
        assert_event(&p, "schema_diff ", elements[i], "users");
        pair_end(&p);
    }
}

/* A reference that cannot be followed on a side was not checked. */
static void a_reference_to_nowhere_is_not_compared(void **state)
{
    static const struct sp_map_reference refs[] = { { "b", "parents", "id" }, { "b", "parents", "idd" },
        { "bb", "parents", "id" } };
    (void)state;
    for (size_t i = 0; i < SP_LEN(refs); i++) {
        const struct sp_map_relation children[] = { { .name = "children",
            .table = { "children", "children" },
            .references = &refs[i],
            .nreferences = 1,
            .columns_by_name = true } };
        const struct sp_mapping m = MAPPING(children);
        struct pair p;
        pair_begin(&p);
        p.opt.mapping = &m;
        for (int side = 0; side < 2; side++)
            plain(side == 0 ? p.a : p.b,
                "CREATE TABLE parents(id INTEGER PRIMARY KEY); CREATE TABLE children(id INTEGER PRIMARY KEY, "
                "b INTEGER); INSERT INTO parents VALUES(1); INSERT INTO children VALUES(1, 1), (2, 7)");
        assert_lens(&p, &m, i == 0 ? SP_VV_EQUAL : SP_VV_NOT_COMPARED);
        pair_end(&p);
    }
}

/* What refers by a column that is left out was not looked at, and is not said to be sound. */
static void a_reference_that_is_left_out_is_not_sound(void **state)
{
    const struct sp_map_relation children[] = { { .name = "children",
        .table = { "children", "children" },
        COLUMNS({ .name = "b", .place = { "b", "b" }, .ignore = "of the old system" }) } };
    const struct sp_mapping m = MAPPING(children);
    struct pair p;
    (void)state;
    pair_begin(&p);
    p.opt.mapping = &m;
    for (int side = 0; side < 2; side++)
        plain(side == 0 ? p.a : p.b,
            "CREATE TABLE parents(id INTEGER PRIMARY KEY); CREATE TABLE children(id INTEGER PRIMARY KEY, "
            "b INTEGER REFERENCES parents(id)); INSERT INTO parents VALUES(1); PRAGMA foreign_keys=OFF; "
            "INSERT INTO children VALUES(1, 1)");
    plain(p.b, "PRAGMA foreign_keys=OFF; UPDATE children SET b = 99");
    assert_lens(&p, &m, SP_VV_EQUAL);
    assert_event(&p, "finding ", "relation not checked", "children");
    assert_false(has_event(&p, "relation ", "\"source_orphans\"", "children"));
    pair_end(&p);
}

/* Of ids that a crosswalk translates, only the types are not the same. */
static void a_translated_id_must_be_there_on_both_sides(void **state)
{
    static const struct sp_crosswalk walk = {
        .name = "ids", .on_target = true, .table = "walk", .source_id = "old", .target_id = "new"
    };
    const struct sp_map_relation walked[] = {
        { .name = "o",
            .table = { "o", "o" },
            COLUMNS({ .name = "c", .place = { "c", "c" }, .crosswalk = "ids" }) },
        { .name = "walk", .table = { NULL, "walk" }, .ignore = "pairs" },
    };
    const struct sp_mapping m = {
        .relations = walked, .nrelations = 2, .crosswalks = &walk, .ncrosswalks = 1
    };
    (void)state;
    for (int lost = 0; lost < 2; lost++) {
        struct pair p;
        pair_begin(&p);
        p.opt.mapping = &m;
        plain(p.a, "CREATE TABLE o(id INTEGER PRIMARY KEY, c INTEGER NOT NULL); INSERT INTO o VALUES(1, 5)");
        plain(p.b, lost ? "CREATE TABLE o(id INTEGER PRIMARY KEY, c TEXT); INSERT INTO o VALUES(1, 'x5')"
                        : "CREATE TABLE o(id INTEGER PRIMARY KEY, c TEXT NOT NULL); INSERT INTO o VALUES(1, "
                          "'x5')");
        plain(p.b, "CREATE TABLE walk(old INTEGER, new TEXT); INSERT INTO walk VALUES(5, 'x5')");
        assert_lens(&p, &m, lost ? SP_VV_DIFFERENT : SP_VV_EQUAL);
        if (lost)
            assert_event(&p, "schema_diff ", "\"nullability\"", "\"c\"");
        pair_end(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renamed_is_equal),
        cmocka_unit_test(every_corruption_is_named_as_the_mapping_does),
        cmocka_unit_test(a_filter_leaves_rows_out_on_its_side),
        cmocka_unit_test(columns_are_ignored_and_constant),
        cmocka_unit_test(names_that_meet_are_refused),
        cmocka_unit_test(queries_see_the_relation),
        cmocka_unit_test(an_array_in_a_column_is_a_table),
        cmocka_unit_test(what_no_column_takes_of_an_array_counts),
        cmocka_unit_test(an_array_that_must_be_there),
        cmocka_unit_test(what_an_ignored_namesake_declares_is_not_ours),
        cmocka_unit_test(a_reference_to_nowhere_is_not_compared),
        cmocka_unit_test(a_reference_that_is_left_out_is_not_sound),
        cmocka_unit_test(a_translated_id_must_be_there_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
