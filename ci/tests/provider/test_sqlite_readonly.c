/* Reading somebody's file: it keeps its bytes and time and gets no side files, and what is read is its committed state. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "sqlite_util.h"

static void pause_ms(long ms)
{
    struct timespec t = { 0, ms * 1000000 };
    nanosleep(&t, NULL);
}

struct seen {
    struct sp_buf bytes, wal;
    struct timespec mtime;
    int files;
};

static int count_files(void)
{
    int n = 0;
    DIR *d = opendir(tmp_dir);
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static struct seen look(const char *path)
{
    struct seen s = { SP_BUF_INIT, SP_BUF_INIT, { 0, 0 }, count_files() };
    struct stat sb;
    char wal[600];
    OK(sp_read_file(path, 1 << 26, &s.bytes, &err));
    snprintf(wal, sizeof wal, "%s-wal", path);
    if (access(wal, F_OK) == 0)
        OK(sp_read_file(wal, 1 << 26, &s.wal, &err));
    assert_int_equal(stat(path, &sb), 0);
    s.mtime = sb.st_mtim;
    return s;
}

static void untouched(const char *path, struct seen *before)
{
    struct seen now = look(path);
    assert_int_equal(now.files, before->files);
    assert_int_equal(now.bytes.n, before->bytes.n);
    assert_memory_equal(now.bytes.p, before->bytes.p, now.bytes.n);
    assert_int_equal(now.wal.n, before->wal.n);
    if (now.wal.n > 0)
        assert_memory_equal(now.wal.p, before->wal.p, now.wal.n);
    assert_memory_equal(&now.mtime, &before->mtime, sizeof now.mtime);
    sp_buf_free(&now.bytes);
    sp_buf_free(&now.wal);
    sp_buf_free(&before->bytes);
    sp_buf_free(&before->wal);
}

static int64_t count(struct sp_session *s, const char *table)
{
    int64_t n = -1;
    OK(sp_db_count(s, table, NULL, &n, &err));
    return n;
}

/* Opens, reads, closes; returns the rows of t. */
static int64_t read_all(const char *path, char notes[256])
{
    struct test_session t;
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts;
    struct sp_schema *schema = NULL;
    char id[64];
    open_as(&t, path, SP_ACCESS_READ_ONLY);
    OK(sp_effective(t.s, caps, &facts, &err));
    snprintf(notes, 256, "%s", facts.notes);
    OK(sp_db_snapshot_begin(t.s, id, &err));
    assert_true(strlen(id) > 10);
    OK(sp_db_introspect(t.s, NULL, &schema, &err));
    sp_schema_free(schema);
    int64_t n = count(t.s, "t");
    OK(sp_db_snapshot_end(t.s, &err));
    sp_close(t.s);
    return n;
}

static void test_plain(void **state)
{
    (void)state;
    char notes[256];
    const char *path = at("we ird?#%41.db");
    foreign(path, "CREATE TABLE t(a); INSERT INTO t VALUES (1),(2)");
    struct seen before = look(path);
    assert_int_equal(read_all(path, notes), 2);
    assert_non_null(strstr(notes, "immutable"));
    assert_int_equal(symlink(".", at("way")), 0); /* a directory on the way is a link */
    assert_int_equal(read_all(at("way/we ird?#%41.db"), notes), 2);
    assert_int_equal(unlink(at("way")), 0);
    untouched(path, &before);
}

static void test_wal(void **state)
{
    (void)state;
    char notes[256];
    const char *path = at("wal.db");
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                         "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a);"
                         "INSERT INTO t VALUES (1),(2),(3)",
                         NULL, NULL, NULL),
        SQLITE_OK);
    struct seen before = look(path);
    assert_true(before.wal.n > 0);
    assert_int_equal(read_all(path, notes), 3); /* immutable alone would see no table at all */
    assert_non_null(strstr(notes, "journal wal"));
    assert_non_null(strstr(notes, "private copy"));
    untouched(path, &before);
    assert_int_equal(symlink(path, at("link.db")), 0); /* the frames stand beside the real file */
    assert_int_equal(read_all(at("link.db"), notes), 3);
    assert_int_equal(unlink(at("link.db")), 0);
    /* the application's connection still works and still holds its locks */
    assert_int_equal(sqlite3_exec(db, "INSERT INTO t VALUES (4)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(read_all(path, notes), 4);
    sqlite3_close(db);
    before = look(path); /* the last close folded the WAL in */
    assert_int_equal(before.wal.n, 0);
    assert_int_equal(read_all(path, notes), 4);
    assert_non_null(strstr(notes, "immutable"));
    untouched(path, &before);
}

/* A process dies in the middle of a commit: its journal is hot, the main file half written. */
static void test_hot_journal(void **state)
{
    (void)state;
    char notes[256];
    const char *path = at("hot.db");
    foreign(path,
        "CREATE TABLE t(a, b); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<2000) "
        "INSERT INTO t SELECT x, hex(zeroblob(200)) FROM c");
    pid_t pid = fork();
    if (pid == 0) {
        sqlite3 *db;
        sqlite3_open(path, &db);
        sqlite3_exec(db,
            "PRAGMA cache_size=5; PRAGMA cache_spill=1; BEGIN; UPDATE t SET b='torn'; DELETE FROM t WHERE "
            "a>7",
            NULL, NULL, NULL);
        sqlite3_db_cacheflush(db);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    struct stat sb;
    char journal[600];
    snprintf(journal, sizeof journal, "%s-journal", path);
    assert_int_equal(stat(journal, &sb), 0);
    assert_true(sb.st_size > 512);
    struct seen before = look(path);
    assert_int_equal(read_all(path, notes), 2000);
    struct test_session t;
    struct sp_value torn = sp_v_text("torn");
    struct sp_filter f = { .op = SP_F_EQ, .column = "b", .values = &torn, .nvalues = 1 };
    int64_t n = -1;
    open_as(&t, path, SP_ACCESS_READ_ONLY);
    OK(sp_db_count(t.s, "t", &f, &n, &err));
    assert_int_equal(n, 0);
    sp_close(t.s);
    untouched(path, &before);
    assert_int_equal(stat(journal, &sb), 0);
}

static void test_not_a_database(void **state)
{
    (void)state;
    struct test_session t;
    assert_int_equal(try_open(&t, at("absent.db"), SP_ACCESS_READ_ONLY), -SP_E_NOT_FOUND);
    assert_non_null(strstr(sp_error_text(&err), "absent.db"));
    assert_int_equal(access(at("absent.db"), F_OK), -1);
    assert_int_equal(try_open(&t, at("no/such/dir.db"), SP_ACCESS_READ_ONLY), -SP_E_NOT_FOUND);
    assert_int_equal(try_open(&t, tmp_dir, SP_ACCESS_READ_ONLY), -SP_E_INVALID);
    OK(sp_write_file_atomic(at("text.db"),
        "just a text, long enough to have a header's length ........................"
        "..................................",
        100, &err));
    struct seen before = look(at("text.db"));
    assert_int_equal(try_open(&t, at("text.db"), SP_ACCESS_READ_ONLY), -SP_E_CORRUPT);
    assert_int_equal(try_open(&t, at("text.db"), SP_ACCESS_DISPOSABLE), -SP_E_CORRUPT);
    untouched(at("text.db"), &before);
    OK(sp_write_file_atomic(at("empty.db"), "", 0, &err));
    assert_int_equal(try_open(&t, at("empty.db"), SP_ACCESS_READ_ONLY), -SP_E_CORRUPT);
    assert_non_null(strstr(sp_error_text(&err), "empty"));
}

static void test_damaged(void **state)
{
    (void)state;
    struct test_session t;
    const char *path = at("cut.db");
    foreign(path,
        "CREATE TABLE t(a); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<5000) "
        "INSERT INTO t SELECT x FROM c");
    assert_int_equal(truncate(path, 8192), 0);
    assert_int_equal(try_open(&t, path, SP_ACCESS_READ_ONLY), -SP_E_CORRUPT);
    assert_non_null(strstr(sp_error_text(&err), "truncated"));
    path = at("bent.db");
    foreign(path,
        "CREATE TABLE t(a); WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c WHERE x<5000) "
        "INSERT INTO t SELECT x FROM c");
    int fd = open(path, O_WRONLY);
    char junk[4096];
    memset(junk, 0xa5, sizeof junk);
    assert_int_equal(pwrite(fd, junk, sizeof junk, 2 * 4096), 4096);
    close(fd);
    open_as(&t, path, SP_ACCESS_READ_ONLY);
    int64_t n;
    FAILS(SP_E_CORRUPT, sp_db_count(t.s, "t", NULL, &n, &err));
    sp_close(t.s);
    if (getuid() != 0) {
        assert_int_equal(chmod(path, 0), 0);
        assert_int_equal(try_open(&t, path, SP_ACCESS_READ_ONLY), -SP_E_PERMISSION);
    }
}

/* Another process runs sql, says so, and holds on until it may go. */
struct other {
    pid_t pid;
    int to, from;
};
static struct other start(const char *path, const char *sql)
{
    int a[2], b[2];
    char c = 0;
    assert_int_equal(pipe(a) | pipe(b), 0);
    struct other o = { fork(), a[1], b[0] };
    if (o.pid == 0) {
        sqlite3 *db;
        sqlite3_open(path, &db);
        c = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 'y' : 'n';
        close(a[1]);
        if (write(b[1], &c, 1) != 1 || read(a[0], &c, 1) > 1)
            _exit(2);
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
        sqlite3_close(db);
        _exit(0);
    }
    close(a[0]);
    close(b[1]);
    assert_int_equal(read(o.from, &c, 1), 1);
    assert_int_equal(c, 'y');
    return o;
}
static void stop(struct other *o)
{
    close(o->to);
    waitpid(o->pid, NULL, 0);
    close(o->from);
}

static void test_writers(void **state)
{
    (void)state;
    struct test_session t;
    char notes[256];
    const char *path = at("busy.db");
    foreign(path, "CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    struct other o = start(path, "BEGIN EXCLUSIVE");
    assert_int_equal(try_open(&t, path, SP_ACCESS_READ_ONLY), -SP_E_UNAVAILABLE);
    assert_non_null(strstr(sp_error_text(&err), "busy.db"));
    stop(&o);
    o = start(path, "BEGIN IMMEDIATE; INSERT INTO t VALUES (2)"); /* not committed: not seen */
    assert_int_equal(read_all(path, notes), 1);
    stop(&o);
    assert_int_equal(read_all(path, notes), 2);
    open_as(&t, path, SP_ACCESS_READ_ONLY);
    OK(sp_db_snapshot_begin(t.s, NULL, &err));
    pause_ms(10);
    foreign(path, "INSERT INTO t VALUES (3)");
    FAILS(SP_E_CONFLICT, sp_db_snapshot_end(t.s, &err));
    sp_close(t.s);
    open_as(&t, path, SP_ACCESS_READ_ONLY);
    o = start(path, "BEGIN EXCLUSIVE");
    OK(sp_db_snapshot_begin(t.s, NULL, &err) == -SP_E_CONFLICT ? 0 : -1);
    stop(&o);
    sp_close(t.s);
}

/* Locks are the process's: reading a file here must not take those of a writer here. */
static void test_locks_survive(void **state)
{
    (void)state;
    struct test_session w, r;
    const char *path = at("locks.db");
    char notes[256];
    foreign(path, "CREATE TABLE t(a); INSERT INTO t VALUES (1)");
    open_as(&w, path, SP_ACCESS_TARGET);
    struct sp_txn_opts opts = { .isolation = SP_ISO_SERIALIZABLE };
    OK(sp_db_begin(w.s, &opts, &err));
    assert_int_equal(read_all(path, notes), 1);
    open_as(&r, path, SP_ACCESS_READ_ONLY);
    sp_close(r.s);
    pid_t pid = fork();
    if (pid == 0) {
        sqlite3 *db;
        sqlite3_open(path, &db);
        _exit(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_BUSY ? 0 : 1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    OK(sp_db_rollback(w.s, &err));
    sp_close(w.s);
}

static void test_utf16(void **state)
{
    (void)state;
    struct test_session t;
    const char *path = at("utf16.db");
    foreign(path,
        "PRAGMA encoding='UTF-16be'; CREATE TABLE t(a TEXT); INSERT INTO t VALUES ('b\xc3\xa9'), ('a'), "
        "('\xf0\x9f\x98\x80'), ('\xef\xbc\xa1')");
    open_as(&t, path, SP_ACCESS_READ_ONLY);
    struct sp_result r = SP_RESULT_INIT;
    struct sp_order o = { .column = "a" };
    struct sp_query q = { .table = "t", .order = &o, .norder = 1, .limit = SP_NO_LIMIT };
    OK(sp_db_read(t.s, &q, &r, &err));
    assert_int_equal(r.nrows, 4);
    assert_string_equal(r.values[1].u.str.p, "b\xc3\xa9");
    assert_string_equal(r.values[2].u.str.p, "\xef\xbc\xa1"); /* by code points, not by UTF-16 units */
    sp_result_free(&r);
    sp_close(t.s);
}

static void test_read_only_means_it(void **state)
{
    (void)state;
    struct test_session t;
    const char *path = at("ro.db");
    foreign(path, "CREATE TABLE t(a)");
    open_as(&t, path, SP_ACCESS_READ_ONLY);
    static const char *const writes[] = { "INSERT INTO t VALUES (1)", "PRAGMA user_version=3",
        "VACUUM INTO 'x.db'", "ATTACH 'x.db' AS x", "CREATE TABLE u(a)" };
    struct seen before = look(path);
    for (size_t i = 0; i < SP_LEN(writes); i++) {
        struct sp_op op = { .kind = SP_OP_RAW, .raw = writes[i] };
        sp_error_clear(&err);
        assert_true(sp_provider_sqlite.db->exec(t.s, &op, NULL, &err) < 0);
    }
    sp_close(t.s);
    assert_int_equal(access("x.db", F_OK), -1);
    untouched(path, &before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_wal),
        cmocka_unit_test(test_hot_journal),
        cmocka_unit_test(test_not_a_database),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_writers),
        cmocka_unit_test(test_locks_survive),
        cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_read_only_means_it),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
