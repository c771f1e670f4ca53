/* verify over two SQLite files: faithful copies are equal, every corruption planted with the plain library is found with
 * its table, row and column. */
#include "sqlite_pair.h"

static const char *const messy =
    "PRAGMA foreign_keys=OFF;"
    "CREATE TABLE agents(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, email TEXT COLLATE NOCASE "
    "UNIQUE,"
    " score REAL DEFAULT 1.5, meta, CHECK(length(name) > 0));"
    "CREATE TABLE tasks(id INTEGER PRIMARY KEY, agent_id INTEGER REFERENCES agents(id) ON DELETE CASCADE,"
    " title VARCHAR(80), size INTEGER, double_size INTEGER GENERATED ALWAYS AS (size * 2) VIRTUAL);"
    "CREATE INDEX tasks_by_agent ON tasks(agent_id, title DESC);"
    "CREATE UNIQUE INDEX tasks_part ON tasks(title) WHERE size > 900;"
    "CREATE TABLE pairs(a TEXT, b INTEGER, v BLOB, PRIMARY KEY(a, b)) WITHOUT ROWID;"
    "CREATE TABLE exact(id INTEGER PRIMARY KEY, n INTEGER NOT NULL, t TEXT, b BLOB, r REAL) STRICT;"
    "CREATE TABLE log(line TEXT, at INTEGER);"
    "CREATE TABLE \"odd \"\"name\"\" é\"(\"a col\" INTEGER, \"select\" TEXT);"
    "CREATE VIEW busy AS SELECT agent_id, count(*) AS n FROM tasks GROUP BY agent_id;"
    "CREATE TRIGGER tasks_log AFTER INSERT ON tasks BEGIN INSERT INTO log VALUES('new', NEW.id); END;"
    "CREATE VIRTUAL TABLE notes USING fts5(body);"
    "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 400)"
    " INSERT INTO agents(name, email, score, meta) SELECT 'agent ' || n, 'a' || n || '@x.example', n / 7.0,"
    " CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN n WHEN 2 THEN n * 0.1 WHEN 3 THEN 'text' ELSE x'00ff' END FROM "
    "i;"
    "DELETE FROM agents WHERE id > 395;"
    "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 800)"
    " INSERT INTO tasks(id, agent_id, title, size) SELECT n, CASE n % 9 WHEN 0 THEN NULL ELSE 1 + n % 390 "
    "END,"
    " 'task ' || n, n FROM i;"
    "INSERT INTO tasks(id, agent_id, title) VALUES(9001, 4242, 'an old orphan');"
    "UPDATE tasks SET size = 'many' WHERE id = 7;"
    "UPDATE tasks SET title = CAST(x'c328' AS TEXT) WHERE id = 8;"
    "UPDATE tasks SET title = 'nul' || char(0) || 'inside' WHERE id = 9;"
    "INSERT INTO pairs VALUES('x', 1, NULL), ('x', 2, ''), ('y', 1, x''), ('Y', 1, x'01');"
    "INSERT INTO exact VALUES(1, 9223372036854775807, '', x'', -0.0), (2, -5, NULL, NULL, 9e999);"
    "INSERT INTO log VALUES('same', 1), ('same', 1), (NULL, NULL);"
    "INSERT INTO \"odd \"\"name\"\" é\" VALUES(1, 'x'), (1, 'x'), (NULL, '');"
    "INSERT INTO notes VALUES('the quick brown fox'), ('jumps over');";

/* Another program's copy: other page size, no free pages, rows in another order where there is no key. */
static void copy(struct pair *p)
{
    char sql[256];
    unlink(p->b);
    snprintf(sql, sizeof sql, "PRAGMA page_size=8192; VACUUM INTO '%s'", p->b);
    plain(p->a, sql);
    plain(p->b,
        "CREATE TEMP TABLE t AS SELECT * FROM log; DELETE FROM log; INSERT INTO log SELECT * FROM t ORDER BY "
        "rowid DESC; PRAGMA user_version=7");
}

static void begin(struct pair *p)
{
    pair_begin(p);
    plain(p->a, messy);
    copy(p);
}

static void a_faithful_copy_is_equal(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    assert_compares(&p, SP_VV_EQUAL);
    assert_non_null(strstr(p.events.p, "\"storage class\""));
    assert_non_null(strstr(p.events.p, "\"invalid UTF-8\""));
    assert_non_null(strstr(p.events.p, "\"preexisting\":1"));
    p.opt.strict_integrity = true;
    assert_compares(&p, SP_VV_DIFFERENT);
    pair_end(&p);
}

/* Two definitions, or two sets of rows, that look alike and are not. */
static void look_alikes_differ(void **state)
{
    static const char *const two[][2] = {
        { "CREATE TABLE t(a TEXT CHECK(a <> \"true\"))", "CREATE TABLE t(a TEXT CHECK(a <> true))" },
        { "CREATE TABLE t(a DEFAULT \"current_timestamp\")", "CREATE TABLE t(a DEFAULT current_timestamp)" },
        { "CREATE TABLE t(a, b, UNIQUE(a COLLATE NOCASE), UNIQUE(a, b))",
            "CREATE TABLE t(a, b, UNIQUE(a), UNIQUE(a COLLATE NOCASE, b))" },
        { "CREATE TABLE t(a NOT NULL ON CONFLICT IGNORE, b NOT NULL ON CONFLICT REPLACE)",
            "CREATE TABLE t(a NOT NULL ON CONFLICT REPLACE, b NOT NULL ON CONFLICT IGNORE)" },
        { "CREATE TABLE t(a, b AS (a) STORED)", "CREATE TABLE t(a, b AS (a) VIRTUAL)" },
        { "CREATE TABLE t(a, b, c); CREATE INDEX i ON t(a DESC, b); CREATE INDEX j ON t(a, b DESC, c)",
            "CREATE TABLE t(a, b, c); CREATE INDEX i ON t(a, b DESC); CREATE INDEX j ON t(a DESC, b, c)" },
        { "CREATE TABLE t(a DEFAULT x'00')", "CREATE TABLE t(a DEFAULT x'01')" },
        { "CREATE TABLE t(a DEFAULT .5)", "CREATE TABLE t(a DEFAULT -.5)" },
        /* texts that SQLite turns into the same UTF-8 */
        { "PRAGMA encoding='UTF-16le'; CREATE TABLE t(a); INSERT INTO t VALUES(CAST(x'00D84100' AS TEXT))",
            "PRAGMA encoding='UTF-16le'; CREATE TABLE t(a); INSERT INTO t VALUES(CAST(x'00D841DC' AS "
            "TEXT))" },
    };
    (void)state;
    for (size_t i = 0; i < SP_LEN(two); i++)
        for (int same = 0; same < 2; same++) {
            struct pair p;
            pair_begin(&p);
            plain(p.a, two[i][0]);
            plain(p.b, two[i][same != 0 ? 0 : 1]);
            assert_compares(&p, same != 0 ? SP_VV_EQUAL : SP_VV_DIFFERENT);
            pair_end(&p);
        }
}

/* What the provider keeps out of sight may hold rows: no choice of checks makes it equal. */
static void hidden_rows_are_not_equal(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.a, "CREATE TABLE t(a); CREATE TABLE n__(switchproof_namespace); CREATE TABLE n__t(a);"
               "INSERT INTO n__t VALUES(1)");
    plain(p.b, "CREATE TABLE t(a); CREATE TABLE n__(switchproof_namespace); CREATE TABLE n__t(a)");
    assert_compares(&p, SP_VV_NOT_COMPARED);
    p.opt.checks = SP_VC_ROWS;
    assert_compares(&p, SP_VV_NOT_COMPARED);
    pair_end(&p);
}

static void another_text_encoding_is_equal(void **state)
{
    struct pair p;
    const char *sql =
        "CREATE TABLE t(id INTEGER PRIMARY KEY, s TEXT); CREATE TABLE u(s TEXT);"
        "INSERT INTO t VALUES(1, 'é'), (2, ''), (3, '😀'), (4, NULL); INSERT INTO u VALUES('ü');";
    (void)state;
    pair_begin(&p);
    plain(p.a, sql);
    plain(p.b, "PRAGMA encoding='UTF-16le'");
    char both[600];
    snprintf(both, sizeof both, "PRAGMA encoding='UTF-16le'; PRAGMA page_size=1024; %s", sql);
    unlink(p.b);
    plain(p.b, both);
    assert_compares(&p, SP_VV_EQUAL);
    plain(p.b, "UPDATE t SET s = 'e' WHERE id = 1");
    assert_compares(&p, SP_VV_DIFFERENT);
    pair_end(&p);
}

struct corruption {
    const char *sql;
    const char *event; /* a line of the stream must hold all of these */
    const char *with[4];
};
static const struct corruption corruptions[] = {
    { "UPDATE agents SET name = 'Agent 7' WHERE id = 7", "difference",
        { "\"agents\"", "\"id=7\"", "\"name\"" } },
    { "UPDATE agents SET score = score + 1e-15 WHERE id = 8", "difference", { "\"id=8\"", "\"score\"" } },
    { "UPDATE agents SET meta = NULL WHERE id = 9", "difference", { "\"id=9\"", "\"meta\"", "\"null\"" } },
    { "UPDATE agents SET meta = CAST(meta AS TEXT) WHERE id = 11", "difference",
        { "\"id=11\"", "\"meta\"" } },
    { "UPDATE agents SET meta = 't' || 'exT' WHERE id = 13", "difference", { "\"id=13\"" } },
    { "UPDATE agents SET email = upper(email) WHERE id = 3", "difference", { "\"id=3\"", "\"email\"" } },
    { "UPDATE agents SET name = email, email = name WHERE id = 5", "difference", { "\"id=5\"" } },
    { "DELETE FROM tasks WHERE id = 40", "difference", { "\"missing\"", "\"id=40\"" } },
    { "INSERT INTO tasks(id, title) VALUES(5000, 'x')", "difference", { "\"extra\"", "\"id=5000\"" } },
    { "INSERT INTO log VALUES('same', 1)", "difference", { "\"log\"", "\"extra\"" } },
    { "DELETE FROM log WHERE rowid = (SELECT min(rowid) FROM log)", "difference",
        { "\"log\"", "\"missing\"" } },
    { "UPDATE tasks SET title = CAST(x'c329' AS TEXT) WHERE id = 8", "difference",
        { "\"id=8\"", "\"title\"" } },
    { "UPDATE tasks SET title = 'nul' WHERE id = 9", "difference", { "\"id=9\"", "\"title\"" } },
    { "UPDATE tasks SET title = '' WHERE id = 10", "difference", { "\"id=10\"", "\"title\"" } },
    { "UPDATE tasks SET size = size + 1 WHERE id = 11", "difference", { "\"id=11\"", "\"double_size\"" } },
    { "UPDATE pairs SET v = NULL WHERE a = 'x' AND b = 2", "difference", { "\"pairs\"", "b=2" } },
    { "UPDATE exact SET r = -r WHERE id = 2", "difference", { "\"exact\"", "\"r\"" } },
    { "UPDATE exact SET n = n - 1 WHERE id = 1", "difference", { "\"exact\"", "\"n\"" } },
    { "UPDATE \"odd \"\"name\"\" é\" SET \"select\" = 'X' WHERE rowid = 1", "difference", { "odd" } },
    { "UPDATE notes SET body = 'the quick brown dog' WHERE rowid = 1", "difference",
        { "\"notes_content\"" } },
    { "DELETE FROM agents WHERE id = 100", "relation", { "\"introduced\":1" } },
    { "UPDATE tasks SET agent_id = 777777 WHERE id = 12", "difference", { "\"orphan\"", "\"id=12\"" } },
    { "UPDATE sqlite_sequence SET seq = 10 WHERE name = 'agents'", "sequence", { "\"behind\":true" } },
    { "DROP TRIGGER tasks_log", "schema_diff", { "\"trigger\"", "\"tasks_log\"", "\"missing\"" } },
    { "DROP VIEW busy; CREATE VIEW busy AS SELECT 1 AS agent_id, 2 AS n", "schema_diff",
        { "\"view\"", "changed" } },
    { "DROP INDEX tasks_by_agent", "schema_diff", { "\"index\"", "\"missing\"" } },
    { "DROP INDEX tasks_by_agent; CREATE INDEX tasks_by_agent ON tasks(agent_id DESC, title)", "schema_diff",
        { "\"definition\"" } },
    { "DROP INDEX tasks_part; CREATE UNIQUE INDEX tasks_part ON tasks(title) WHERE size > 901", "schema_diff",
        { "\"tasks_part\"", "901" } },
    { "DROP TABLE log", "schema_diff", { "\"log\"", "\"missing\"" } },
    { "CREATE TABLE more(id)", "schema_diff", { "\"more\"", "\"extra\"" } },
    { "ALTER TABLE tasks ADD COLUMN more TEXT", "schema_diff", { "\"column\"", "\"more\"" } },
    { "ALTER TABLE tasks RENAME COLUMN title TO label", "schema_diff", { "\"title\"", "\"missing\"" } },
    { "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'CASCADE', 'SET NULL') WHERE "
      "name = 'tasks'",
        "schema_diff", { "\"foreign_key\"", "set null" } },
    { "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'DEFAULT 1.5', 'DEFAULT 1.6') "
      "WHERE name ="
      " 'agents'",
        "schema_diff", { "\"default\"", "1.6" } },
    { "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'COLLATE NOCASE', '') WHERE "
      "name = 'agents'",
        "schema_diff", { "\"collation\"" } },
    { "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, '> 0', '>= 0') WHERE name = "
      "'agents'",
        "schema_diff", { "\"check\"" } },
    { "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, ' STRICT', '') WHERE name = "
      "'exact'",
        "schema_diff", { "\"strictness\"" } },
    { "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'AUTOINCREMENT', '') WHERE "
      "name = 'agents'",
        "sequence", { "\"behind\":true" } },
    { "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, 'n INTEGER NOT NULL', 'n "
      "INTEGER') WHERE name"
      " = 'exact'",
        "schema_diff", { "\"nullability\"" } },
};

static bool line_holds(const char *line, size_t n, const struct corruption *k)
{
    char *copy = strndup(line, n);
    bool all = copy != NULL && strncmp(copy, k->event, strlen(k->event)) == 0;
    for (size_t i = 0; all && i < SP_LEN(k->with) && k->with[i] != NULL; i++)
        all = strstr(copy, k->with[i]) != NULL;
    free(copy);
    return all;
}

static void every_corruption_is_found(void **state)
{
    struct pair p;
    (void)state;
    begin(&p);
    for (size_t i = 0; i < SP_LEN(corruptions); i++) {
        bool found = false;
        copy(&p);
        plain(p.b, corruptions[i].sql);
        compare(&p);
        if (p.rc != 0 || p.verdict != SP_VV_DIFFERENT)
            fail_msg("%s: %s (%s)\n%s", corruptions[i].sql, sp_verify_verdict_name(p.verdict),
                sp_error_text(&p.err), p.reasons.p != NULL ? p.reasons.p : "");
        for (const char *at = p.events.p; at != NULL && *at != '\0' && !found;) {
            const char *end = strchr(at, '\n');
            found = line_holds(at, (size_t)(end - at), &corruptions[i]);
            at = end + 1;
        }
        if (!found)
            fail_msg("%s: not named:\n%s", corruptions[i].sql, p.events.p);
    }
    pair_end(&p);
}

static void a_side_that_is_broken_is_not_equal(void **state)
{
    struct pair p;
    char cmd[200];
    (void)state;
    begin(&p);
    FILE *f = fopen(p.b, "r+b");
    assert_non_null(f);
    assert_int_equal(0, fseek(f, -6 * 8192, SEEK_END));
    memset(cmd, 0x5a, sizeof cmd);
    for (int i = 0; i < 150; i++)
        assert_int_equal(sizeof cmd, fwrite(cmd, 1, sizeof cmd, f));
    assert_int_equal(0, fclose(f));
    compare(&p);
    assert_true(p.rc < 0 || p.verdict == SP_VV_NOT_COMPARED || p.verdict == SP_VV_DIFFERENT);
    pair_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_faithful_copy_is_equal),
        cmocka_unit_test(look_alikes_differ),
        cmocka_unit_test(hidden_rows_are_not_equal),
        cmocka_unit_test(another_text_encoding_is_equal),
        cmocka_unit_test(every_corruption_is_found),
        cmocka_unit_test(a_side_that_is_broken_is_not_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
