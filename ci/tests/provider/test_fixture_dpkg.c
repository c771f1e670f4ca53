/* test_fixture_dpkg.c -- a handwritten status file, all its traps, read back with the plain sqlite3 library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>

#include "base/io.h"
#include "base/str.h"
#include "fixtures/fixture.h"

static char dir[64], status[96], path[96];

static const char text[] = "# a comment\n"
                           "Package: alpha\n"
                           "Status: install ok installed\n"
                           "Priority: optional\n"
                           "Section: admin\n"
                           "Installed-Size: 300\n"
                           "Maintainer: Ann Example <ann@example.org>\n"
                           "Architecture: amd64\n"
                           "Version: 1:2.0-1\n"
                           "Homepage:\n"
                           "Multi-Arch: foreign\n"
                           "Essential: yes\n"
                           "Depends: libc6 (>= 2.35), beta:any | gamma (<<2~),\n"
                           " delta\n"
                           "Breaks: odd (>= \n"
                           "Provides: virtual (= 1.0), other\n"
                           "Conffiles:\n"
                           " /etc/alpha.conf 0123456789abcdef0123456789abcdef\n"
                           " /etc/with blank 00000000000000000000000000000000 obsolete\n"
                           " /etc/alpha.conf 0123456789abcdef0123456789abcdef\n"
                           "Description: first line \n"
                           " body one\n"
                           " .\n"
                           "  indented\n"
                           "X-Extra: \"quoted\"\n"
                           "\n"
                           " \t\n"
                           "Package: beta\r\n"
                           "Status: deinstall ok config-files\n"
                           "Architecture: all\n"
                           "Maintainer: Ann Example <ann@example.org>\n"
                           "Installed-Size: 100\n"
                           "Section: admin\n"
                           "description: caf\xe9\n"
                           "\n"
                           "Package: gamma\n"
                           "Status: install ok exploded\n"
                           "\n"
                           "Package: beta\n"
                           "Architecture: all\n"
                           "\n"
                           "Package: delta\n"
                           "Installed-Size: much\n"
                           "Maintainer: Nobody";

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/sp-fixture-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(status, sizeof status, "%s/status", dir);
    snprintf(path, sizeof path, "%s/out.db", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return sp_rmtree(dir, NULL);
}

/* One value of the database as text, "<null>" for NULL. */
static void want(const char *sql, const char *value)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    const char *got = (const char *)sqlite3_column_text(st, 0);
    if (strcmp(got != NULL ? got : "<null>", value) != 0)
        fail_msg("%s: got \"%s\", wanted \"%s\"", sql, got != NULL ? got : "<null>", value);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void write_status(const char *s)
{
    assert_int_equal(sp_write_file_atomic(status, s, strlen(s), NULL), 0);
}

static void imports(void **state)
{
    (void)state;
    struct sp_fixture_summary s;
    struct sp_error err = SP_ERROR_INIT;
    write_status(text);
    int rc = sp_fixture_dpkg(status, path, &s, &err);
    if (rc != 0)
        fail_msg("%s", sp_error_text(&err));
    assert_int_equal(s.packages, 3);
    assert_int_equal(s.maintainers, 2);
    assert_int_equal(s.sections, 1);
    assert_int_equal(s.dependencies, 5);
    assert_int_equal(s.provides, 2);
    assert_int_equal(s.conffiles, 2);
    assert_int_equal(s.log_rows, 5);
    assert_int_equal(s.skipped, 3); /* a conffile twice, a state that is none, a package twice */
    assert_int_equal(s.bad_utf8, 1);
    assert_false(s.generated);
    want("SELECT group_concat(name, ' ') FROM (SELECT name FROM packages ORDER BY id)", "alpha beta delta");
    want("SELECT want||'/'||flag||'/'||state FROM packages WHERE name='beta'", "deinstall/ok/config-files");
    want("SELECT want||'/'||flag||'/'||state FROM packages WHERE name='delta'", "unknown/ok/not-installed");
    want("SELECT homepage FROM packages WHERE name='alpha'", "");
    want("SELECT homepage FROM packages WHERE name='beta'", "<null>");
    want("SELECT version FROM packages WHERE name='alpha'", "1:2.0-1");
    want("SELECT essential FROM packages WHERE name='alpha'", "1");
    want("SELECT essential FROM packages WHERE name='beta'", "0");
    want("SELECT summary FROM packages WHERE name='alpha'", "first line");
    want("SELECT body FROM packages WHERE name='alpha'", "body one\n\n indented");
    want("SELECT body FROM packages WHERE name='beta'", "<null>");
    want("SELECT hex(summary) FROM packages WHERE name='beta'", "636166E9");
    want("SELECT typeof(installed_size) FROM packages WHERE name='alpha'", "integer");
    want("SELECT typeof(installed_size)||installed_size FROM packages WHERE name='delta'", "textmuch");
    want("SELECT size_share FROM packages WHERE name='alpha'", "0.75");
    want("SELECT size_share FROM packages WHERE name='delta'", "<null>");
    want("SELECT extra FROM packages WHERE name='alpha'", "{\"X-Extra\":\"\\\"quoted\\\"\"}");
    want("SELECT extra FROM packages WHERE name='beta'", "{}");
    want("SELECT name||'|'||email FROM maintainers WHERE id=1", "Ann Example|ann@example.org");
    want("SELECT email FROM maintainers WHERE name='Nobody'", "<null>");
    want("SELECT group_concat(position||'.'||alternative||target||coalesce(':'||architecture,'')||"
         "coalesce(relation||version,''),' ') FROM dependencies WHERE kind='Depends'",
        "1.1libc6>=2.35 2.1beta:any 2.2gamma<<2~ 3.1delta");
    want("SELECT target||coalesce(relation,' none') FROM dependencies WHERE kind='Breaks'", "odd (>= none");
    want("SELECT group_concat(name||coalesce('='||version,'')) FROM provides", "virtual=1.0,other");
    want("SELECT group_concat(path||md5||obsolete) FROM conffiles",
        "/etc/alpha.conf0123456789abcdef0123456789abcdef0,/etc/with blank000000000000000000000000000000001");
    want("SELECT count(*) FROM import_log", "5");
    want("SELECT note FROM import_log WHERE package='gamma'",
        "paragraph: CHECK constraint failed: state IN "
        "('not-installed','config-files','half-installed',    "
        "'unpacked','half-configured','triggers-awaited',"
        "'triggers-pending','installed')");
    want("SELECT count(*) FROM import_log WHERE note LIKE '%UNIQUE constraint failed: conffiles%'", "1");
    want("SELECT count(*) FROM import_log WHERE note LIKE '%UNIQUE constraint failed: packages%'", "1");
    want("SELECT sum(raw_bytes) > 700 AND count(DISTINCT at) = 5 FROM import_log", "1");
    want("SELECT packages||' '||installed_size FROM section_totals WHERE section='admin'", "2 400");
    want("SELECT count(*) FROM pragma_foreign_key_check", "0");
    want("PRAGMA integrity_check", "ok");
    sp_error_clear(&err);
}

/* Nothing takes the old file's place unless it is whole. */
static void refuses_other_files(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int code;
        const char *says;
    } bad[] = {
        { "Package: a\nnonsense\n", SP_E_CORRUPT, "line 2" },
        { " continued\n", SP_E_CORRUPT, "line 1" },
        { "Package: a\nPackage: b\n", SP_E_CORRUPT, "twice" },
        { ": value\n", SP_E_CORRUPT, "line 1" },
        { "\n\n# nothing\n", SP_E_CORRUPT, "no package" },
        { "Version: 1\n", SP_E_CORRUPT, "no package" },
    };
    static const char old[] = "SQLite format 3"; /* how a database begins */
    assert_int_equal(sp_write_file_atomic(path, old, sizeof old, NULL), 0);
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        struct sp_error err = SP_ERROR_INIT;
        struct sp_buf b = SP_BUF_INIT;
        write_status(bad[i].text);
        assert_int_equal(sp_fixture_dpkg(status, path, NULL, &err), -bad[i].code);
        assert_non_null(strstr(sp_error_text(&err), bad[i].says));
        assert_int_equal(sp_read_file(path, 100, &b, NULL), 0);
        assert_string_equal(b.p, old);
        sp_buf_free(&b);
        sp_error_clear(&err);
    }
    /* what is no database was named by mistake */
    struct sp_buf kept = SP_BUF_INIT;
    write_status("Package: a\nStatus: install ok installed\nVersion: 1\n");
    assert_int_equal(sp_write_file_atomic(path, "precious", 8, NULL), 0);
    assert_int_equal(sp_fixture_dpkg(status, path, NULL, NULL), -SP_E_INVALID);
    assert_int_equal(sp_read_file(path, 100, &kept, NULL), 0);
    assert_string_equal(kept.p, "precious");
    sp_buf_free(&kept);
    assert_int_equal(sp_write_file_atomic(path, old, sizeof old, NULL), 0);
    assert_int_equal(unlink(status), 0);
    assert_int_equal(sp_fixture_dpkg(status, path, NULL, NULL), -SP_E_NOT_FOUND);
    /* a journal of the old database would be played into the new one */
    char wal[128];
    snprintf(wal, sizeof wal, "%s-wal", path);
    assert_int_equal(sp_write_file_atomic(wal, "frames", 6, NULL), 0);
    assert_int_equal(sp_fixture_generated(path, 1, 10, NULL, NULL), -SP_E_EXISTS);
    assert_int_equal(unlink(wal), 0);
    assert_int_equal(sp_fixture_generated("/nonexistent/x.db", 1, 10, NULL, NULL), -SP_E_IO);
    assert_int_equal(sp_fixture_generated(dir, 1, 10, NULL, NULL), -SP_E_INVALID);
    assert_int_equal(sp_fixture_generated(path, 1, 10, NULL, NULL), 0);
    want("SELECT count(*) FROM packages", "10");
}

static void same_file(const char *a, const char *b, bool same)
{
    struct sp_buf x = SP_BUF_INIT, y = SP_BUF_INIT;
    assert_int_equal(sp_read_file(a, 100u << 20, &x, NULL), 0);
    assert_int_equal(sp_read_file(b, 100u << 20, &y, NULL), 0);
    assert_int_equal(x.n == y.n && memcmp(x.p, y.p, x.n) == 0, same);
    sp_buf_free(&x);
    sp_buf_free(&y);
}

static void generates(void **state)
{
    (void)state;
    struct sp_fixture_summary s;
    char again[128];
    snprintf(again, sizeof again, "%s/again.db", dir);
    assert_int_equal(sp_fixture_generated(path, 7, 500, &s, NULL), 0);
    assert_int_equal(s.packages, 500);
    assert_int_equal(s.skipped, 0);
    assert_int_equal(s.bad_utf8, 0);
    assert_true(s.generated && s.dependencies > 1000 && s.conffiles > 50 && s.provides > 50);
    assert_true(s.maintainers > 30 && s.sections > 5);
    want("SELECT count(*) > 20 FROM packages WHERE homepage = ''", "1");
    want("SELECT count(*) > 20 FROM packages WHERE homepage IS NULL", "1");
    want("SELECT count(*) > 0 FROM packages WHERE extra <> '{}' AND json_valid(extra)", "1");
    want("SELECT count(*) FROM pragma_foreign_key_check", "0");
    assert_int_equal(sp_fixture_generated(again, 7, 500, NULL, NULL), 0);
    same_file(path, again, true);
    assert_int_equal(sp_fixture_generated(again, 8, 500, NULL, NULL), 0);
    same_file(path, again, false);
}

static void bench_table(void **state)
{
    (void)state;
    char again[128];
    snprintf(again, sizeof again, "%s/again.db", dir);
    assert_int_equal(sp_fixture_bench(path, 3000, 5, NULL), 0);
    want("SELECT count(*)||' '||min(id)||' '||max(id) FROM bench", "3000 1 3000");
    want("SELECT count(DISTINCT n) > 2990 AND count(DISTINCT token) = 3000 FROM bench", "1");
    want("SELECT count(*) FROM bench WHERE length(token) <> 16 OR typeof(token) <> 'blob' OR typeof(n) <> "
         "'integer' "
         "OR typeof(ratio) <> 'real' OR length(code) <> 8 OR at IS NOT strftime('%Y-%m-%dT%H:%M:%f', at)",
        "0");
    want("SELECT count(*) BETWEEN 600 AND 900 FROM bench WHERE opt IS NULL", "1");
    assert_int_equal(sp_fixture_bench(again, 3000, 5, NULL), 0);
    same_file(path, again, true);
}

static int command(const char *const *words)
{
    char *argv[16];
    int n = 0;
    for (; words[n] != NULL; n++) {
        argv[n] = strdup(words[n]);
        assert_non_null(argv[n]);
    }
    int rc = sp_fixture_main(n, argv);
    while (n-- > 0)
        free(argv[n]);
    return rc;
}
#define RUN(...) command((const char *const[]){ "fixture", __VA_ARGS__, NULL })

static void command_line(void **state)
{
    (void)state;
    write_status(text);
    assert_int_equal(RUN("dpkg", path, "--status", status), 0);
    want("SELECT count(*) FROM packages", "3");
    assert_int_equal(RUN("dpkg", path, "--status", "/nonexistent"), 2);
    want("SELECT count(*) FROM packages", "3");
    assert_int_equal(RUN("dpkg", path, "--status", "/nonexistent", "--or-generated", "--rows", "12"), 0);
    want("SELECT count(*) FROM packages", "12");
    assert_int_equal(RUN("generated", path, "--rows", "5", "--seed", "9"), 0);
    want("SELECT count(*) FROM packages", "5");
    assert_int_equal(RUN("bench", path, "--rows", "77"), 0);
    want("SELECT count(*) FROM bench", "77");
    write_status("nonsense\n");
    assert_int_equal(RUN("dpkg", path, "--status", status, "--or-generated"), 3);
    assert_int_equal(RUN("bench", path, "--rows", "many"), 2);
    assert_int_equal(RUN("bench", path, "--seed"), 2);
    assert_int_equal(RUN("dpkg", path, "--status"), 2);
    assert_int_equal(RUN("bench", path, "--what"), 2);
    assert_int_equal(RUN("bench", path, "more"), 2);
    assert_int_equal(RUN("bench"), 2);
    assert_int_equal(RUN("other", path), 2);
    assert_int_equal(RUN("--help"), 0);
    want("SELECT count(*) FROM bench", "77");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = { T(imports), T(refuses_other_files), T(generates), T(bench_table),
        T(command_line) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
