/* migrate, bulk, from one SQLite file to another: what arrives must verify as equal, and a failure leaves nothing. */
#include "map/mapping.h"
#include "sqlite_pair.h"

static const char *const rich =
    "PRAGMA foreign_keys=OFF;"
    "CREATE TABLE \"zz parents\"(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL COLLATE NOCASE, "
    "UNIQUE(name));"
    "CREATE TABLE children(id INTEGER PRIMARY KEY, parent INTEGER REFERENCES \"zz parents\"(id) ON DELETE "
    "CASCADE,"
    " n INTEGER, twice INTEGER GENERATED ALWAYS AS (n * 2) STORED, any_thing, CHECK(n <> 5));"
    "CREATE TABLE loop_a(id INTEGER PRIMARY KEY, b INTEGER REFERENCES loop_b(id));"
    "CREATE TABLE loop_b(id INTEGER PRIMARY KEY, a INTEGER REFERENCES loop_a(id));"
    "CREATE TABLE self(id TEXT PRIMARY KEY, up TEXT REFERENCES self(id)) WITHOUT ROWID;"
    "CREATE TABLE exact(id INTEGER PRIMARY KEY, t TEXT, b BLOB, r REAL, a ANY) STRICT;"
    "CREATE TABLE nokey(v TEXT CHECK(v <> \"forbidden\"));"
    "CREATE TABLE empty(v);"
    "CREATE INDEX children_n ON children(n DESC, parent) WHERE n > 3;"
    "CREATE INDEX children_e ON children(lower(any_thing));"
    "CREATE VIEW b_view AS SELECT * FROM a_view;"
    "CREATE VIEW a_view AS SELECT id, name FROM \"zz parents\";"
    "CREATE TRIGGER on_child AFTER INSERT ON children BEGIN INSERT INTO nokey VALUES('triggered'); END;"
    "CREATE VIRTUAL TABLE words USING fts5(body);"
    "INSERT INTO \"zz parents\"(id, name) VALUES(1, 'a'), (2, 'b'), (77, 'c'); DELETE FROM \"zz parents\" "
    "WHERE id = 77;"
    "INSERT INTO children(id, parent, n, any_thing) VALUES(1, 1, 1, 'x'), (2, 2, 'text', 2.5), (3, 999, "
    "NULL, x'0001'),"
    " (4, NULL, 9, CAST(x'ff41' AS TEXT)), (5, 1, 1e300, 'nul' || char(0));"
    "INSERT INTO loop_a VALUES(1, 1), (2, NULL); INSERT INTO loop_b VALUES(1, 2);"
    "INSERT INTO self VALUES('b', 'a'), ('a', NULL);"
    "INSERT INTO exact VALUES(1, '', x'', 0.1, 'any'), (2, NULL, NULL, 9e999, 7);"
    "DELETE FROM nokey; INSERT INTO nokey VALUES('same'), ('same'), (NULL);"
    "INSERT INTO words VALUES('alpha beta'), ('gamma');";

static void expect_migrated(struct pair *p, const struct sp_migrate_options *opt)
{
    if (migrate(p, opt) != 0)
        fail_msg("%s\n%s", sp_error_text(&p->err), p->events.p);
}

static int64_t number(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
    assert_int_equal(SQLITE_OK, sqlite3_prepare_v2(db, sql, -1, &st, NULL));
    assert_int_equal(SQLITE_ROW, sqlite3_step(st));
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

static void a_copy_verifies_as_equal(void **state)
{
    const struct sp_migrate_options opt = { .tables = NULL };
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, rich);
    plain(p.b, "PRAGMA user_version=1");
    expect_migrated(&p, &opt);
    assert_non_null(strstr(p.events.p, "\"outcome\":\"copied\""));
    assert_null(strstr(p.events.p, "not migrated"));
    assert_compares(&p, SP_VV_EQUAL);
    assert_int_equal(78, number(p.b, "SELECT seq + 1 FROM sqlite_sequence WHERE name = 'zz parents'"));
    assert_int_equal(1, number(p.b, "SELECT count(*) FROM words WHERE words MATCH 'beta'"));
    assert_int_equal(3, number(p.b, "SELECT count(*) FROM nokey")); /* no trigger fired */
    assert_int_equal(2, number(p.b, "SELECT count(*) FROM b_view"));
    pair_end(&p);
}

static void what_is_there_is_not_touched(void **state)
{
    const struct sp_migrate_options opt = { .tables = NULL };
    struct sp_migrate_options into = { .into_existing = true };
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, rich);
    plain(p.b, "CREATE TABLE nokey(v TEXT CHECK(v <> \"forbidden\"))");
    assert_int_equal(-SP_E_EXISTS, migrate(&p, &opt));
    assert_non_null(strstr(sp_error_text(&p.err), "nokey"));
    assert_int_equal(1, number(p.b, "SELECT count(*) FROM sqlite_schema"));
    expect_migrated(&p, &into);
    assert_compares(&p, SP_VV_EQUAL);
    assert_int_equal(-SP_E_EXISTS, migrate(&p, &into)); /* not empty any more */
    assert_compares(&p, SP_VV_EQUAL);
    pair_end(&p);
}

static void a_failure_leaves_nothing_behind(void **state)
{
    struct sp_migrate_options into = { .into_existing = true };
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, rich);
    plain(p.b, "CREATE TABLE nokey(v TEXT NOT NULL); CREATE TABLE empty(v);");
    assert_true(migrate(&p, &into) < 0);
    assert_non_null(strstr(p.events.p, "does not fit the target"));
    assert_non_null(strstr(p.events.p, "\"outcome\":\"failed\""));
    assert_int_equal(2, number(p.b, "SELECT count(*) FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"));
    assert_int_equal(0, number(p.b, "SELECT count(*) FROM nokey"));
    pair_end(&p);
}

/* Rows that the target takes and then drops, and data that is not read at all, are no migration. */
static void nothing_is_lost_in_silence(void **state)
{
    struct sp_migrate_options into = { .into_existing = true };
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(a, b); INSERT INTO t VALUES(1, 1), (2, 1)");
    plain(p.b, "CREATE TABLE t(a, b UNIQUE ON CONFLICT REPLACE)");
    assert_int_equal(-SP_E_CORRUPT, migrate(&p, &into));
    assert_int_equal(0, number(p.b, "SELECT count(*) FROM t"));
    plain(p.b, "DROP TABLE t");
    plain(p.a, "CREATE TABLE n__(switchproof_namespace); CREATE TABLE n__t(a)");
    assert_int_equal(-SP_E_UNSUPPORTED, migrate(&p, &into));
    assert_int_equal(0, number(p.b, "SELECT count(*) FROM sqlite_schema"));
    plain(p.a,
        "DROP TABLE n__; DROP TABLE n__t; DROP TABLE t; CREATE TABLE t(a TEXT); INSERT INTO t VALUES('01')");
    plain(p.b, "CREATE TABLE t(a INTEGER)");
    expect_migrated(&p, &into);
    assert_non_null(strstr(p.events.p, "which may change values"));
    assert_compares(&p, SP_VV_DIFFERENT);
    pair_end(&p);
}

/* A full-text index over another table knows its rows by number; without a column for it a copy numbers them anew. */
static void an_index_by_rowid_is_not_called_equal(void **state)
{
    static const char *const key[] = { "", "id INTEGER PRIMARY KEY, " };
    const struct sp_migrate_options opt = { .tables = NULL };
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair p;
        char sql[400];
        pair_begin(&p);
        snprintf(sql, sizeof sql,
            "CREATE TABLE doc(%sbody); INSERT INTO doc(body) VALUES('one'), ('two'), ('three');"
            "DELETE FROM doc WHERE body = 'one'; CREATE VIRTUAL TABLE df USING fts5(body, content='doc');"
            "INSERT INTO df(df) VALUES('rebuild')",
            key[i]);
        plain(p.a, sql);
        plain(p.b, sql);
        assert_compares(&p, i == 0 ? SP_VV_NOT_COMPARED : SP_VV_EQUAL);
        unlink(p.b);
        plain(p.b, "PRAGMA user_version=1");
        if (i == 0) {
            assert_int_equal(-SP_E_UNSUPPORTED, migrate(&p, &opt));
        } else {
            expect_migrated(&p, &opt);
            assert_int_equal(
                3, number(p.b, "SELECT rowid FROM df WHERE df MATCH 'three' AND body = 'three'"));
        }
        pair_end(&p);
    }
}

static void a_dry_run_writes_nothing(void **state)
{
    const struct sp_migrate_options opt = { .dry_run = true };
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, rich);
    plain(p.b, "PRAGMA user_version=1");
    expect_migrated(&p, &opt);
    assert_non_null(strstr(p.events.p, "\"outcome\":\"planned\""));
    assert_non_null(strstr(p.events.p, "\"children\""));
    assert_int_equal(0, number(p.b, "SELECT count(*) FROM sqlite_schema"));
    pair_end(&p);
}

static void chosen_tables(void **state)
{
    const char *const some[] = { "loop_?", "self" }, *const none[] = { "self", "nothing" };
    struct sp_migrate_options opt = { .tables = some, .ntables = 2 };
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, rich);
    plain(p.b, "PRAGMA user_version=1");
    expect_migrated(&p, &opt);
    assert_int_equal(3, number(p.b, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"));
    p.opt.tables = some;
    p.opt.ntables = 2;
    assert_compares(&p, SP_VV_EQUAL);
    opt.tables = none;
    assert_int_equal(-SP_E_INVALID, migrate(&p, &opt));
    pair_end(&p);
}

/* A server whose answer is lost after it did what it was told. */
static int made_and_not_answered(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    int rc = sp_provider_sqlite.db->table_create(s, t, with_extras, err);
    return rc != 0 ? rc : sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_TRANSPORT, "the answer is lost");
}

/* A copy of one table with one row, into a target that answers by `db`; what is left of it there. */
static int64_t left_when_silent(
    const struct sp_db_ops *db, const char *target, const struct sp_migrate_options *opt, const char *count)
{
    struct sp_provider silent = sp_provider_sqlite;
    struct opened a, b;
    struct pair p;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INTEGER PRIMARY KEY); INSERT INTO t VALUES(1)");
    plain(p.b, target);
    struct lines l = { { keep_line }, &p.events };
    open_file(&a, p.a, SP_ACCESS_READ_ONLY);
    open_file(&b, p.b, SP_ACCESS_TARGET);
    silent.db = db;
    ((struct sp_session_base *)(void *)b.s)->provider = &silent;
    assert_int_equal(-SP_E_OUTCOME_UNKNOWN, sp_migrate_bulk(a.s, b.s, opt, &l.em, &p.err));
    ((struct sp_session_base *)(void *)b.s)->provider = &sp_provider_sqlite;
    sp_close(a.s);
    sp_close(b.s);
    int64_t left = number(p.b, count);
    pair_end(&p);
    return left;
}

static void a_table_of_unknown_fate_is_taken_back_too(void **state)
{
    const struct sp_migrate_options opt = { .tables = NULL };
    struct sp_db_ops db = *sp_provider_sqlite.db;
    (void)state;
    db.table_create = made_and_not_answered;
    assert_int_equal(
        0, left_when_silent(&db, "PRAGMA user_version=1", &opt, "SELECT count(*) FROM sqlite_master"));
}

/* The same of rows: the table was there before, and empty. */
static int kept_and_not_answered(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    int rc = sp_provider_sqlite.db->load_close(l, commit, loaded, err);
    return rc != 0 ? rc : sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_TRANSPORT, "the answer is lost");
}

static void rows_of_unknown_fate_are_taken_back_too(void **state)
{
    const struct sp_migrate_options opt = { .into_existing = true };
    struct sp_db_ops db = *sp_provider_sqlite.db;
    (void)state;
    db.load_close = kept_and_not_answered;
    assert_int_equal(
        0, left_when_silent(&db, "CREATE TABLE t(id INTEGER PRIMARY KEY)", &opt, "SELECT count(*) FROM t"));
}

/* Made anew, a column has a type: what is in it is written down as that, and stays what it was. */
static void values_are_spelled_as_their_column(void **state)
{
    static const struct sp_mapping anew = { .file = "m.yaml" };
    const struct sp_migrate_options opt = { .mapping = &anew };
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(id INTEGER PRIMARY KEY, price NUMERIC, j JSON, phone VARCHAR(3));"
               "INSERT INTO t VALUES(1, 19.99, 1.2345678901234567e19, '4915112345678'),"
               " (2, 0.1, 1.5, '5'), (3, 7, 7, NULL)");
    plain(p.b, "PRAGMA user_version=1");
    expect_migrated(&p, &opt);
    assert_int_equal(1, number(p.b, "SELECT count(*) FROM t WHERE price = '19.99' AND j = "
                                    "'12345678901234567168'"));
    assert_int_equal(1, number(p.b, "SELECT count(*) FROM t WHERE price = '0.1' AND j = '1.5'"));
    assert_int_equal(2, number(p.b, "SELECT count(*) FROM t WHERE typeof(phone) = 'text'"));
    p.opt.checks = SP_VC_ROWS;
    assert_compares(&p, SP_VV_EQUAL);
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_verifies_as_equal),
        cmocka_unit_test(what_is_there_is_not_touched),
        cmocka_unit_test(a_failure_leaves_nothing_behind),
        cmocka_unit_test(nothing_is_lost_in_silence),
        cmocka_unit_test(an_index_by_rowid_is_not_called_equal),
        cmocka_unit_test(a_dry_run_writes_nothing),
        cmocka_unit_test(chosen_tables),
        cmocka_unit_test(a_table_of_unknown_fate_is_taken_back_too),
        cmocka_unit_test(rows_of_unknown_fate_are_taken_back_too),
        cmocka_unit_test(values_are_spelled_as_their_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
