/* test_postgresql_convert.c -- from SQLite to PostgreSQL with everything that a schema says: what the target understands is
 * there and equal, what it doesn't is named, and rows that the declarations refuse are told one by one. */
#include <sqlite3.h>

#include "event.h"
#include "migrate/migrate.h"
#include "postgresql_util.h"
#include "providers/sqlite/sqlite.h"
#include "verify/verify.h"

static char path[64];
static struct sp_buf said; /* findings and notes, a line each */
static const char *accept[8];
static size_t naccept;

static int hear(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *e)
{
    (void)em, (void)e;
    if (kind == SP_EV_FINDING || kind == SP_EV_NOTE || kind == SP_EV_SCHEMA_DIFF || kind == SP_EV_RULE) {
        sp_buf_printf(&said, "%s ", sp_event_name(kind));
        sp_buf_put(&said, json, n);
        sp_buf_putc(&said, '\n');
    }
    return 0;
}
static struct sp_emitter em = { .send = hear };

static void heard(const char *text)
{
    if (said.p == NULL || strstr(said.p, text) == NULL)
        fail_msg("nobody said: %s\nbut:\n%s", text, said.p == NULL ? "nothing" : said.p);
}
static void silent(const char *text)
{
    if (said.p != NULL && strstr(said.p, text) != NULL)
        fail_msg("was said: %s\nin:\n%s", text, said.p);
}

/* A new schema and a new file for each test. */
static void begin(const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    need_server();
    OK(sp_db_ns_drop(session, ns, &err));
    OK(sp_db_ns_create(session, ns, &err));
    OK(sp_db_ns_use(session, ns, &err));
    sp_buf_clear(&said);
    naccept = 0;
    snprintf(path, sizeof path, "/tmp/sp-convert-%ld.db", (long)getpid());
    (void)unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static struct sp_session *source(void)
{
    static char url[96];
    static struct sp_endpoint e;
    struct sp_session *s = NULL;
    snprintf(url, sizeof url, "sqlite:%s", path);
    e = (struct sp_endpoint){ .name = "s", .url = url, .access = SP_ACCESS_READ_ONLY };
    OK(sp_open(&s, &sp_provider_sqlite, &e, &err));
    return s;
}

static int migrate(bool dry_run)
{
    const struct sp_migrate_options opt = { .target_ns = ns, .dry_run = dry_run, .show_values = true };
    struct sp_session *from = source();
    int rc = sp_migrate_bulk(from, session, &opt, &em, &err);
    sp_close(from);
    return rc;
}

static enum sp_verify_verdict verify(bool back)
{
    struct sp_verify_options opt = { .checks = SP_VC_ALL,
        .source_ns = back ? ns : NULL,
        .target_ns = back ? NULL : ns,
        .accept = accept,
        .naccept = naccept,
        .max_differences = 10 };
    enum sp_verify_verdict v = SP_VV_NOT_COMPARED;
    struct sp_session *file = source();
    sp_buf_clear(&said);
    OK(sp_verify(back ? session : file, back ? file : session, &opt, &em, &v, NULL, &err));
    sp_close(file);
    return v;
}

static void verdict_is(enum sp_verify_verdict want, bool back)
{
    enum sp_verify_verdict is = verify(back);
    if (is != want)
        fail_msg("%s instead of %s; %s", sp_verify_verdict_name(is), sp_verify_verdict_name(want),
            said.p == NULL ? "nothing was said" : said.p);
}

static size_t tables_there(void)
{
    struct sp_schema *s = NULL;
    OK(sp_db_introspect(session, ns, &s, &err));
    size_t n = s->ntables;
    sp_schema_free(s);
    return n;
}

/* ---- what both understand ---- */

static void whole_schemas(void **state)
{
    (void)state;
    begin(
        "CREATE TABLE \"order\"(id INTEGER PRIMARY KEY AUTOINCREMENT, \"select\" TEXT NOT NULL UNIQUE,"
        "  \"a \"\"b\"\" c\" INTEGER DEFAULT 7 CHECK (\"a \"\"b\"\" c\" > 0), boss INTEGER REFERENCES "
        "\"order\"(id) ON DELETE SET NULL ON UPDATE CASCADE);"
        "CREATE TABLE child(a INTEGER NOT NULL, b TEXT NOT NULL, of INTEGER NOT NULL REFERENCES "
        "\"order\"(id) ON DELETE CASCADE, code TEXT REFERENCES \"order\"(\"select\") ON DELETE RESTRICT"
        "  DEFERRABLE INITIALLY DEFERRED, twice INTEGER GENERATED ALWAYS AS (a * 2) STORED,"
        "  at TIMESTAMP DEFAULT '2024-01-01', PRIMARY KEY(b, a), CONSTRAINT small CHECK (a < 100 OR b <> "
        "'x'))"
        "  WITHOUT ROWID;"
        "CREATE INDEX child_some ON child(of) WHERE a > 5;"
        "CREATE INDEX child_lower ON child(lower(b), a);"
        "CREATE UNIQUE INDEX child_only ON child(of, a);"
        "INSERT INTO \"order\" VALUES(1, 'one', 1, NULL), (5, 'five', 2, 1); DELETE FROM \"order\" WHERE id "
        "= 9;"
        "UPDATE sqlite_sequence SET seq = 41;"
        "INSERT INTO child(a, b, of, code, at) VALUES(1, 'x', 1, 'one', '2024-02-03 04:05:06'),"
        "  (2, 'X', 5, NULL, NULL);");
    OK(migrate(false));
    silent("not migrated");
    verdict_is(SP_VV_EQUAL, false);
    silent("schema_diff");
    verdict_is(SP_VV_DIFFERENT, true); /* the way back: there the default is a day without a time */
    accept[0] = "default:child.at";
    naccept = 1;
    verdict_is(SP_VV_EQUAL, true);
    struct sp_schema *s = NULL;
    OK(sp_db_introspect(session, ns, &s, &err));
    assert_int_equal(42, s->sequences[0].next);
    const struct sp_table *t = sp_schema_table(s, "child");
    assert_int_equal(2, t->npk);
    assert_string_equal("b", t->pk[0]);
    assert_int_equal(2, t->nfks);
    assert_int_equal(3, t->nindexes);
    sp_schema_free(s);
}

/* ---- what the target doesn't understand ---- */

static void words_of_another_language(void **state)
{
    (void)state;
    begin("CREATE TABLE words(id INTEGER PRIMARY KEY, made TEXT DEFAULT (datetime('now')), n INTEGER DEFAULT "
          "5,"
          "  g TEXT GENERATED ALWAYS AS (printf('%05d', id)) STORED, t TEXT CHECK (t NOT GLOB '*x*'),"
          "  u INTEGER CHECK (u > 0));"
          "CREATE INDEX words_glob ON words(t) WHERE t GLOB 'a*';"
          "CREATE INDEX words_year ON words(strftime('%Y', made));"
          "CREATE INDEX words_fine ON words(u) WHERE u > 3;"
          "INSERT INTO words(id, made, t, u) VALUES(1, 'm', 'a', 4), (2, 'n', 'b', 5);");
    OK(migrate(false));
    heard("the default of made was not migrated");
    heard("the expression of the generated column g was not migrated");
    heard("the check sp_check_1 was not migrated");
    heard("the index words_glob was not migrated");
    heard("the index words_year was not migrated");
    silent("words_fine");
    verdict_is(SP_VV_DIFFERENT, false); /* as missing, each by its name */
    static const char *const names[] = { "default:words.made", "generated:words.g", "check:t NOT GLOB '*x*'",
        "index:words_glob", "index:words.words_year" };
    memcpy(accept, names, sizeof names);
    naccept = SP_LEN(names);
    verdict_is(SP_VV_EQUAL, false);
    naccept--;
    verdict_is(SP_VV_DIFFERENT, false);
}

static void collations(void **state)
{
    (void)state;
    begin("CREATE TABLE n(a TEXT COLLATE NOCASE, b TEXT COLLATE NOCASE UNIQUE);"
          "INSERT INTO n VALUES('x', 'x'), ('X', 'y')");
    OK(migrate(false));
    heard("column a: the target has no collation");
    verdict_is(SP_VV_DIFFERENT, false); /* the unique constraint lets more through */
    accept[0] = "collation:n.b";
    naccept = 1;
    verdict_is(SP_VV_EQUAL, false); /* an order alone is worth a remark */
    heard("ordered and compared by");
}

static void long_names(void **state)
{
    (void)state;
    begin("CREATE TABLE first(id INTEGER PRIMARY KEY); CREATE TABLE second(id INTEGER PRIMARY KEY, "
          "a_name_of_sixty_four_bytes_which_is_one_more_than_are_kept_there_ TEXT)");
    FAILS(SP_E_INVALID, migrate(false));
    assert_non_null(strstr(sp_error_text(&err), "a_name_of_sixty_four_bytes"));
    assert_non_null(strstr(sp_error_text(&err), "63"));
    assert_int_equal(0, tables_there());
}

/* ---- rows that declarations refuse ---- */

static void orphans(void **state)
{
    (void)state;
    begin(
        "CREATE TABLE p(id INTEGER PRIMARY KEY, code TEXT UNIQUE); CREATE TABLE c(id INTEGER PRIMARY KEY, "
        "p INTEGER REFERENCES p(id) ON DELETE CASCADE, code TEXT REFERENCES p(code));"
        "INSERT INTO p VALUES(1, 'a'); INSERT INTO c VALUES(1, 1, 'a'), (2, 7, 'a'), (3, 8, NULL), (4, NULL, "
        "'a')");
    OK(migrate(true));
    heard("2 rows of the source refer to nothing in p");
    assert_int_equal(0, tables_there());
    sp_buf_clear(&said);
    OK(migrate(false));
    heard("\"topic\":\"orphans in the source\",\"count\":2");
    verdict_is(SP_VV_DIFFERENT, false); /* this key was never checked; the other one was */
    heard("not valid");
    heard("orphans on both sides");
    accept[0] = "foreign_key:c.p";
    naccept = 1;
    verdict_is(SP_VV_EQUAL, false);
    raw("INSERT INTO c VALUES (9, NULL, NULL)"); /* the key holds for new rows all the same */
    FAILS(SP_E_FOREIGN_KEY, raw_in(session, "INSERT INTO c VALUES (10, 99, NULL)"));
    FAILS(SP_E_FOREIGN_KEY, raw_in(session, "INSERT INTO c VALUES (10, NULL, 'zz')"));
    raw("UPDATE c SET id = 9 WHERE id = 9");
}

static void misfits_by_row(void **state)
{
    (void)state;
    begin("CREATE TABLE m(a INTEGER, b INTEGER, n INTEGER, d DATE, v VARCHAR(3), z DECIMAL(5,2), PRIMARY "
          "KEY(a, b));"
          "INSERT INTO m VALUES(1, 1, 5, '2024-01-01', 'abc', 1.25), (1, 2, 6, '2024-02-30', 'abcd', 1.234),"
          " (2, 1, 7, '2024-01-02', 'abc', 2)");
    OK(migrate(true));
    heard("\"column\":\"d\",\"topic\":\"does not fit the declared type\",\"count\":1,\"key\":\"a=1, b=2\"");
    heard("2024-02-30");
    heard("\"column\":\"v\",\"topic\":\"does not fit the declared type\"");
    heard("\"column\":\"z\",\"topic\":\"does not fit the declared type\"");
    silent("\"column\":\"n\",\"topic\"");
    assert_int_equal(0, tables_there());
    OK(migrate(false));
    verdict_is(SP_VV_EQUAL, false); /* in wider types, unchanged */
    begin("CREATE TABLE bad(id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO bad VALUES(1, 5), (2, 'five'), "
          "(3, 7)");
    FAILS(SP_E_INVALID, migrate(false));
    heard("\"key\":\"id=2\",\"actual\":\"text \\\"five\\\"\"");
    assert_int_equal(0, tables_there());
    begin("CREATE TABLE nul(id INTEGER PRIMARY KEY, t TEXT); INSERT INTO nul VALUES(1, 'a'), (2, 'b' || "
          "char(0) "
          "|| 'c')");
    FAILS(SP_E_INVALID, migrate(false)); /* before anything is written */
    heard("id=2");
    assert_int_equal(0, tables_there());
}

static void texts_that_spell_numbers(void **state)
{
    struct sp_schema *s = NULL;
    (void)state;
    begin("CREATE TABLE u(id INTEGER PRIMARY KEY, texts, mixed, f BOOLEAN DEFAULT 1);"
          "INSERT INTO u VALUES(1, '1', 5, 0), (2, '2', '7', 1)");
    OK(migrate(false));
    heard("column mixed: 1 of 2 values are texts that spell what the others are");
    heard("column f: declared boolean, but");
    OK(sp_db_introspect(session, ns, &s, &err));
    assert_int_equal(SP_TEXT, sp_table_column(sp_schema_table(s, "u"), "texts")->type.tag);
    assert_int_equal(SP_INT, sp_table_column(sp_schema_table(s, "u"), "mixed")->type.tag);
    sp_schema_free(s);
}

static void json_keeps_its_spelling(void **state)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "SELECT j::text AS j FROM doc" };
    struct sp_result r = SP_RESULT_INIT;
    (void)state;
    begin("CREATE TABLE doc(id INTEGER PRIMARY KEY, j JSON); INSERT INTO doc VALUES(1, '{\"b\": 1.10, \"a\": "
          "1e2}')");
    OK(migrate(false));
    OK(sp_db_exec(session, &op, &r, &err));
    assert_int_equal(1, r.nrows);
    assert_int_equal(strlen("{\"b\": 1.10, \"a\": 1e2}"), r.values[0].u.str.n);
    assert_memory_equal("{\"b\": 1.10, \"a\": 1e2}", r.values[0].u.str.p, r.values[0].u.str.n);
    sp_result_free(&r);
    verdict_is(SP_VV_EQUAL, false);
}

static int end(void **state)
{
    (void)unlink(path);
    sp_buf_free(&said);
    return group_teardown(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_schemas),
        cmocka_unit_test(words_of_another_language),
        cmocka_unit_test(collations),
        cmocka_unit_test(long_names),
        cmocka_unit_test(orphans),
        cmocka_unit_test(misfits_by_row),
        cmocka_unit_test(texts_that_spell_numbers),
        cmocka_unit_test(json_keeps_its_spelling),
    };
    return cmocka_run_group_tests(tests, group_setup, end);
}
