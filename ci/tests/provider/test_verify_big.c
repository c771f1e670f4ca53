/* test_verify_big.c -- tables of many rows: how often they are read, how much memory that takes, and that whatever way is
 * chosen finds the same. The scans are counted, and spoiled, by a decorator around the provider. */
#include <dirent.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "sqlite_pair.h"
#include "verify/internal.h"

/* ---- scans that are counted, and faults ---------------------------------------------------------------------------- */

enum fault { NONE, FEWER_ROWS, OTHER_ROWS, REFUSED, BROKEN, CHANGED, NFAULTS };

static struct {
    struct sp_provider outer;
    struct sp_db_ops db;
    pthread_mutex_t lock;
    unsigned whole[2], parts[2]; /* scans of each side */
    enum fault fault;            /* of scans with a filter; CHANGED: of all but the first */
} spy = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int spying_scan(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct sp_scan other = *scan;
    bool filtered = scan->where != NULL;
    pthread_mutex_lock(&spy.lock);
    unsigned before = spy.whole[scan->side] + spy.parts[scan->side];
    ++*(filtered ? &spy.parts[scan->side] : &spy.whole[scan->side]);
    pthread_mutex_unlock(&spy.lock);
    struct sp_value odd = sp_v_int(before == 0 || spy.fault == NONE ? INT64_MIN : 30000);
    const struct sp_filter more[2] = { { .op = SP_F_NEQ, .column = "id", .values = &odd, .nvalues = 1 },
        filtered ? *scan->where
                 : (struct sp_filter){ .op = SP_F_NEQ, .column = "id", .values = &odd, .nvalues = 1 } };
    const struct sp_filter fewer = { .op = SP_F_AND, .args = more, .nargs = 2 };
    switch (before == 0 || (!filtered && spy.fault != CHANGED) ? NONE : spy.fault) {
    case FEWER_ROWS:
    case CHANGED:
        other.where = &fewer;
        break;
    case OTHER_ROWS: /* the filter is taken for another one */
        other.where = NULL;
        break;
    case REFUSED:
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "no such filter");
    case BROKEN:
        return sp_fail(err, SP_E_IO, SP_ORIGIN_BACKEND, "disk I/O error");
    default:
        break;
    }
    return sp_provider_sqlite.db->scan(s, &other, rb, err);
}

static void spy_begin(enum fault fault)
{
    spy.outer = sp_provider_sqlite;
    spy.db = *sp_provider_sqlite.db;
    spy.db.scan = spying_scan;
    spy.outer.db = &spy.db;
    spy.fault = fault;
    memset(spy.whole, 0, sizeof spy.whole);
    memset(spy.parts, 0, sizeof spy.parts);
}

/* ---- one comparison ------------------------------------------------------------------------------------------------ */

static size_t memory = SP_VERIFY_MEMORY;

static void look(struct pair *p, enum fault fault)
{
    struct opened o[2];
    struct lines l = { { keep_line }, &p->events };
    const char *const paths[2] = { p->a, p->b };
    spy_begin(fault);
    sp_buf_clear(&p->reasons);
    sp_buf_clear(&p->events);
    sp_error_clear(&p->err);
    for (int i = 0; i < 2; i++) {
        snprintf(o[i].url, sizeof o[i].url, "sqlite:%s", paths[i]);
        o[i].e = (struct sp_endpoint){ .name = paths[i], .url = o[i].url, .access = SP_ACCESS_READ_ONLY };
        if (sp_open(&o[i].s, &spy.outer, &o[i].e, &p->err) != 0)
            fail_msg("%s: %s", paths[i], sp_error_text(&p->err));
    }
    p->opt.checks = SP_VC_ROWS;
    p->rc = sp_verify_bounded(o[0].s, o[1].s, &p->opt, memory, &l.em, &p->verdict, &p->reasons, &p->err);
    sp_close(o[0].s);
    sp_close(o[1].s);
}

static void expect_text(const struct pair *p, const char *text)
{
    if (p->rc != 0 || p->reasons.p == NULL || strstr(p->reasons.p, text) == NULL)
        fail_msg(
            "no \"%s\" in: %s%s", text, sp_error_text(&p->err), p->reasons.p == NULL ? "" : p->reasons.p);
}

static void expect_event(const struct pair *p, const char *text)
{
    if (p->events.p == NULL || strstr(p->events.p, text) == NULL)
        fail_msg("no %s in: %s", text, p->events.p == NULL ? "" : p->events.p);
}

static size_t listed(const struct pair *p)
{
    size_t n = 0;
    for (const char *at = p->events.p; at != NULL && (at = strstr(at, "\ndifference ")) != NULL; at++)
        n++;
    return n;
}

static void whole_passes(unsigned want)
{
    if (spy.whole[0] != want || spy.whole[1] != want)
        fail_msg("the table was read %u and %u times, not %u", spy.whole[0], spy.whole[1], want);
}

static void both(struct pair *p, const char *sql)
{
    plain(p->a, sql);
    plain(p->b, sql);
}

#define NUMBERS "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39999) "

static void forty_thousand(struct pair *p, const char *table, const char *id)
{
    char sql[512];
    snprintf(sql, sizeof sql,
        "CREATE TABLE t(%s); " NUMBERS "INSERT INTO t SELECT %s, 'row ' || i, i %% 7 FROM n", table, id);
    both(p, sql);
}

/* ---- few differences ----------------------------------------------------------------------------------------------- */

static void few_differences_cost_no_second_pass(void **state)
{
    static const struct {
        const char *table, *id, *change, *result, *event;
    } c[] = {
        { "id INTEGER PRIMARY KEY, v TEXT, w INT", "i", "UPDATE t SET w = -1 WHERE id = 12345",
            "0 missing, 0 extra, 1 changed", "\"key\":\"id=12345\"" },
        { "id INTEGER PRIMARY KEY, v TEXT, w INT", "i * 1000003 - 20000000000",
            "DELETE FROM t WHERE id = -20000000000", "1 missing, 0 extra, 0 changed",
            "\"key\":\"id=-20000000000\"" },
        { "id INTEGER PRIMARY KEY, v TEXT, w INT", "-i",
            "INSERT INTO t VALUES (5, 'new', 1), (-1000000, 'new', 2)", "0 missing, 2 extra, 0 changed",
            "\"key\":\"id=5\"" },
        { "id INTEGER PRIMARY KEY, v TEXT, w INT",
            "CASE i WHEN 0 THEN -9223372036854775807 - 1 WHEN 1 THEN 9223372036854775807 ELSE i END",
            "UPDATE t SET w = 9 WHERE id = -9223372036854775808 OR id = 9223372036854775807",
            "0 missing, 0 extra, 2 changed", "\"key\":\"id=9223372036854775807\"" },
        { "id INT PRIMARY KEY, v TEXT, w INT", "i", "UPDATE t SET w = -1 WHERE id IN (1, 20000, 39999)",
            "0 missing, 0 extra, 3 changed", "\"key\":\"id=20000\"" },
        { "a INT, b TEXT, w INT, PRIMARY KEY(a, b)", "i / 10", "UPDATE t SET w = -1 WHERE b = 'row 777'",
            "0 missing, 0 extra, 1 changed", "\"key\":\"a=77, b=\\\"row 777\\\"\"" },
    };
    struct pair p;
    (void)state;
    for (size_t i = 0; i < SP_LEN(c); i++) {
        pair_begin(&p);
        forty_thousand(&p, c[i].table, c[i].id);
        look(&p, NONE);
        assert_int_equal(SP_VV_EQUAL, p.verdict);
        whole_passes(1);
        assert_int_equal(0, spy.parts[0] + spy.parts[1]);
        plain(p.b, c[i].change);
        look(&p, NONE);
        assert_int_equal(SP_VV_DIFFERENT, p.verdict);
        expect_text(&p, c[i].result);
        expect_event(&p, c[i].event);
        whole_passes(1);
        assert_true(spy.parts[0] > 0 && spy.parts[0] <= 6 && spy.parts[1] <= 6);
        pair_end(&p);
    }
}

/* Keys far from all others, in front of them, behind them and on one side alone, leave the ranges of the others narrow: one
 * change is found in one pass, and many take no pass more than without them. */
static void far_keys_cost_no_pass(void **state)
{
    static const char *const far[] = { "4611686018427387904", "-4611686018427387904",
        "(i % 2 * 2 - 1) * (4611686018427387904 - 1000 * i * i)" };
    struct pair p;
    (void)state;
    for (size_t i = 0; i < SP_LEN(far); i++)
        for (int one_side = 0; one_side < 2; one_side++) {
            char sql[512];
            pair_begin(&p);
            forty_thousand(&p, "id INTEGER PRIMARY KEY, v TEXT, w INT", "i");
            snprintf(sql, sizeof sql, NUMBERS "INSERT INTO t SELECT %s, 'far', 1 FROM n WHERE i < %d", far[i],
                i < 2 ? 1 : 5);
            plain(p.a, sql);
            if (one_side == 0)
                plain(p.b, sql);
            plain(p.b, "UPDATE t SET w = -1 WHERE id = 777");
            look(&p, NONE);
            assert_int_equal(SP_VV_DIFFERENT, p.verdict);
            expect_text(&p, one_side == 0 ? "0 missing, 0 extra, 1 changed"
                            : i < 2       ? "1 missing, 0 extra, 1 changed"
                                          : "5 missing, 0 extra, 1 changed");
            expect_event(&p, "\"key\":\"id=777\"");
            whole_passes(1);
            assert_true(spy.parts[0] <= 12);
            plain(p.b, "UPDATE t SET w = -1 WHERE id BETWEEN 0 AND 39999 AND id % 2 = 0");
            look(&p, NONE);
            expect_text(&p, "20001 changed");
            whole_passes(2);
            pair_end(&p);
        }
}

/* Whatever goes wrong with reading ranges, the whole table says what differs; and what it says is proved. */
static void a_filter_that_fails_is_noticed(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    forty_thousand(&p, "id INTEGER PRIMARY KEY, v TEXT, w INT", "i");
    plain(p.b, "UPDATE t SET w = -1 WHERE id IN (776, 30000); DELETE FROM t WHERE id = 778");
    for (int f = FEWER_ROWS; f < CHANGED; f++) {
        look(&p, (enum fault)f);
        assert_int_equal(SP_VV_DIFFERENT, p.verdict);
        expect_text(&p, "1 missing, 0 extra, 2 changed");
        expect_event(&p, "\"key\":\"id=30000\"");
        assert_null(strstr(p.reasons.p, "not compared"));
        if (f != OTHER_ROWS) /* more than was asked for does no harm */
            whole_passes(2);
    }
    look(&p, CHANGED);
    assert_int_equal(SP_VV_DIFFERENT, p.verdict);
    expect_text(&p, "changed while they were being compared");
    expect_text(&p, "the digests of its rows differ");
    pair_end(&p);
}

/* Keys that one side keeps as text: a filter by number does not find them, and a scan does. */
static void keys_that_a_filter_misses(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    plain(p.b, "CREATE TABLE t(id INTEGER PRIMARY KEY, w); " NUMBERS "INSERT INTO t SELECT i, i FROM n");
    plain(p.a, "CREATE TABLE t(id BLOB PRIMARY KEY, w); " NUMBERS
               "INSERT INTO t SELECT CASE i WHEN 500 THEN CAST(i AS TEXT) ELSE i END, i FROM n");
    look(&p, NONE);
    assert_int_equal(SP_VV_EQUAL, p.verdict);
    plain(p.b, "UPDATE t SET w = -1 WHERE id BETWEEN 495 AND 505");
    look(&p, NONE);
    assert_int_equal(SP_VV_DIFFERENT, p.verdict);
    expect_text(&p, "0 missing, 0 extra, 11 changed");
    expect_event(&p, "\"key\":\"id=500\"");
    whole_passes(2);
    pair_end(&p);
}

/* Keys without an order: a second pass, in which the rows are held. */
static void other_keys_take_one_pass_more(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    forty_thousand(&p, "id TEXT PRIMARY KEY, v TEXT, w INT", "'k' || i");
    plain(p.b, "UPDATE t SET w = -1 WHERE id IN ('k5', 'k39999'); INSERT INTO t VALUES (NULL, 'x', 1)");
    look(&p, NONE);
    expect_text(&p, "0 missing, 1 extra, 2 changed");
    expect_event(&p, "\"key\":\"id=\\\"k39999\\\"\"");
    expect_event(&p, "\"key\":\"id=null\"");
    whole_passes(2);
    pair_end(&p);
}

/* ---- many differences ---------------------------------------------------------------------------------------------- */

static size_t files_in(const char *dir)
{
    size_t n = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void many_differences_take_one_pass_more(void **state)
{
    static const char *const tables[] = { "id INTEGER PRIMARY KEY, v TEXT, w INT",
        "id INT PRIMARY KEY, v TEXT, w INT", "id TEXT PRIMARY KEY, v TEXT, w INT", "id INT, v TEXT, w INT",
        "id INT, v TEXT, w INT, PRIMARY KEY(v, id)" };
    static const size_t bytes[] = { 20000, 200000, SP_VERIFY_MEMORY };
    char tmp[96];
    struct pair p;
    (void)state;
    for (size_t i = 0; i < SP_LEN(tables); i++) {
        pair_begin(&p);
        snprintf(tmp, sizeof tmp, "%s/tmp", p.dir);
        assert_int_equal(0, sp_mkdirs(tmp, NULL));
        setenv("TMPDIR", tmp, 1);
        forty_thousand(&p, tables[i], "i");
        plain(p.b, "UPDATE t SET w = w + 1 WHERE w IN (1, 2, 3); DELETE FROM t WHERE id % 1000 = 7;"
                   "INSERT INTO t SELECT id + 100000, id + 100000, 1 FROM t WHERE id % 1000 = 9");
        for (size_t m = 0; m < SP_LEN(bytes); m++) {
            memory = bytes[m];
            look(&p, NONE);
            assert_int_equal(SP_VV_DIFFERENT, p.verdict);
            /* 40 rows of each thousandth: those of w = 1, 2, 3 among the deleted were not changed, but are gone. */
            expect_text(&p, i == 3 ? "missing" : "40 missing, 40 extra, ");
            assert_int_equal(0, files_in(tmp));
            assert_int_equal(100, listed(&p));
            assert_true(spy.whole[0] <= (m < 2 ? 3u : 2u) && spy.whole[1] <= (m < 2 ? 3u : 2u));
        }
        memory = SP_VERIFY_MEMORY;
        unsetenv("TMPDIR");
        pair_end(&p);
    }
}

/* Beyond the listed rows nothing is in order any more; a key that repeats among them counts all the same. */
static void repeated_keys_are_counted_among_many_differences(void **state)
{
    static const size_t bytes[] = { 200000, 1000000, SP_VERIFY_MEMORY };
    struct pair p;
    (void)state;
    pair_begin(&p);
    forty_thousand(&p, "id INT, v TEXT, w INT", "i");
    plain(p.a, "ALTER TABLE t RENAME TO o; CREATE TABLE t(id INT PRIMARY KEY, v TEXT, w INT);"
               "INSERT INTO t SELECT * FROM o; DROP TABLE o");
    plain(p.b,
        "UPDATE t SET w = w + 1; INSERT INTO t SELECT * FROM t WHERE id % 100 = 7;"
        "INSERT INTO t SELECT id, 'another', w FROM t WHERE id % 1000 = 8;"
        "INSERT INTO t SELECT id + 100000, v, w FROM t WHERE id % 1000 = 9 UNION ALL SELECT id + 100000, v, "
        "w FROM t WHERE id % 1000 = 9; DELETE FROM t WHERE id BETWEEN 10 AND 19");
    for (size_t m = 0; m < SP_LEN(bytes); m++) {
        memory = bytes[m];
        look(&p, NONE);
        expect_text(&p, "10 missing, 520 extra, 39990 changed");
        expect_event(&p, "\"duplicates_source\":0,\"duplicates_target\":480");
    }
    memory = SP_VERIFY_MEMORY;
    pair_end(&p);
}

static void without_room_for_them_nothing_is_counted(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    forty_thousand(&p, "id INTEGER PRIMARY KEY, v TEXT, w INT", "i");
    plain(p.b, "UPDATE t SET w = w + 1");
    setenv("TMPDIR", "/nowhere/at/all", 1);
    memory = 200000;
    look(&p, NONE);
    assert_int_equal(SP_VV_DIFFERENT, p.verdict);
    expect_text(&p, "the digests of its rows differ");
    expect_text(&p, "not compared: t");
    expect_text(&p, "/nowhere/at/all");
    assert_null(strstr(p.reasons.p, "changed rows"));
    memory = SP_VERIFY_MEMORY;
    unsetenv("TMPDIR");
    pair_end(&p);
}

/* ---- any difference ------------------------------------------------------------------------------------------------ */

static int64_t count_of(const char *a, const char *b, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    char attach[160];
    snprintf(attach, sizeof attach, "ATTACH '%s' AS b", b);
    assert_int_equal(SQLITE_OK, sqlite3_open(a, &db));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, attach, NULL, NULL, NULL));
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    assert_int_equal(SQLITE_ROW, sqlite3_step(st));
    int64_t n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

/* Keys, changes and memory by chance: SQLite itself says what differs. */
static void sqlite_says_the_same(void **state)
{
    static const char *const ids[] = { "i", "i * 977 - 5000000", "abs(random())", "random()", "'k' || i",
        "CASE WHEN i % 3 = 0 THEN i ELSE 'k' || i END", "(i << 40) - i", "x'00' || i" };
    static const char *const changes[] = { "UPDATE t SET w = w + 1 WHERE rowid % 7919 = 13",
        "UPDATE t SET v = v || 'x' WHERE rowid BETWEEN 700 AND 900", "DELETE FROM t WHERE rowid % 4001 = 7",
        "DELETE FROM t WHERE rowid > 21900", "UPDATE t SET w = -1 WHERE rowid % 3 = 0",
        "INSERT OR IGNORE INTO t SELECT id / 2 + 50000000, v, w FROM t WHERE rowid % 1000 = 3",
        "INSERT OR IGNORE INTO t VALUES (-9223372036854775808, 'n', 1), (9223372036854775807, 'n', 2)" };
    const char *seeds = getenv("SP_SEEDS");
    struct sp_rng rng;
    struct pair p;
    char sql[640], text[96];
    (void)state;
    for (uint64_t seed = 1; seed <= (seeds == NULL ? 12 : strtoul(seeds, NULL, 10)); seed++) {
        sp_rng_seed(&rng, seed);
        pair_begin(&p);
        bool row_number = sp_rng_below(&rng, 2) == 0;
        size_t id = (size_t)sp_rng_below(&rng, row_number ? 4 : SP_LEN(ids));
        snprintf(sql, sizeof sql,
            "CREATE TABLE t(id %s PRIMARY KEY, v, w); WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + "
            "1 FROM "
            "n WHERE i < 21999) INSERT OR IGNORE INTO t SELECT %s, 'v' || i, i %% 5 FROM n",
            row_number ? "INTEGER" : "ANY", ids[id]);
        plain(p.a, sql);
        snprintf(sql, sizeof sql, "VACUUM INTO '%s'", p.b);
        plain(p.a, sql);
        for (uint64_t n = 1 + sp_rng_below(&rng, 3); n > 0; n--)
            plain(p.b, changes[sp_rng_below(&rng, SP_LEN(changes))]);
        memory = sp_rng_below(&rng, 2) == 0 ? SP_VERIFY_MEMORY : 10000 + (size_t)sp_rng_below(&rng, 500000);
        look(&p, NONE);
        int64_t missing =
            count_of(p.a, p.b, "SELECT count(*) FROM main.t WHERE id NOT IN (SELECT id FROM b.t)");
        int64_t extra =
            count_of(p.a, p.b, "SELECT count(*) FROM b.t WHERE id NOT IN (SELECT id FROM main.t)");
        int64_t changed = count_of(p.a, p.b,
            "SELECT count(*) FROM main.t AS x JOIN b.t AS y ON x.id = y.id AND typeof(x.id) = typeof(y.id) "
            "WHERE x.v "
            "IS NOT y.v OR x.w IS NOT y.w");
        snprintf(text, sizeof text, "%lld missing, %lld extra, %lld changed", (long long)missing,
            (long long)extra, (long long)changed);
        if (missing + extra + changed == 0 ? p.verdict != SP_VV_EQUAL
                                           : p.reasons.p == NULL || strstr(p.reasons.p, text) == NULL)
            fail_msg("seed %llu, keys %s, %zu bytes: not %s: %s%s", (unsigned long long)seed, ids[id], memory,
                text, sp_error_text(&p.err), p.reasons.p);
        size_t want = (size_t)(missing + extra + changed);
        assert_true(want > 100 ? listed(&p) >= 100 : listed(&p) >= want);
        assert_true(spy.whole[0] <= 3 && spy.whole[1] <= 3);
        memory = SP_VERIFY_MEMORY;
        pair_end(&p);
    }
}

/* ---- any shape ------------------------------------------------------------------------------------------------------- */

static void a_thousand_columns(void **state)
{
    struct sp_buf sql = SP_BUF_INIT;
    struct pair p;
    (void)state;
    pair_begin(&p);
    sp_buf_puts(&sql, "CREATE TABLE t(id INTEGER PRIMARY KEY");
    for (int i = 1; i < 1000; i++)
        sp_buf_printf(&sql, ", c%d INT", i);
    sp_buf_puts(
        &sql, "); INSERT INTO t(id, c1, c999) SELECT value, value, value FROM json_each('[1,2,3,4,5,6]')");
    both(&p, sql.p);
    look(&p, NONE);
    assert_int_equal(SP_VV_EQUAL, p.verdict);
    plain(p.b, "UPDATE t SET c998 = 0, c999 = 0 WHERE id = 4");
    look(&p, NONE);
    expect_text(&p, "0 missing, 0 extra, 1 changed");
    expect_event(&p, "\"column\":\"c998\"");
    assert_int_equal(2, listed(&p));
    sp_buf_free(&sql);
    pair_end(&p);
}

/* Rows of 10 MB: no more of them in memory than one of each side, whatever their number. */
static void large_rows(void **state)
{
    struct pair p;
    (void)state;
    pair_begin(&p);
    both(&p, "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB);"
             "INSERT INTO t SELECT value, zeroblob(10000000 + value) FROM json_each('[1,2,3,4,5,6,7,8]');"
             "CREATE TABLE u(v BLOB); INSERT INTO u SELECT zeroblob(10000000 + value) FROM "
             "json_each('[1,2,3,4]')");
    look(&p, NONE);
    assert_int_equal(SP_VV_EQUAL, p.verdict);
    plain(p.b, "UPDATE t SET v = zeroblob(10000000) WHERE id > 1; UPDATE u SET v = zeroblob(10000000)");
    look(&p, NONE);
    expect_text(&p, "table t: 0 missing, 0 extra, 7 changed");
    expect_text(&p, "table u: 4 missing, 4 extra, 0 changed");
    expect_event(&p, "\"key\":\"id=8\"");
    assert_true(spy.parts[0] >=
                1); /* t by key, unless that is too slow; u has none: each is read a third time at most */
    assert_in_range(spy.whole[0], 2 + 3, 3 + 3);
    pair_end(&p);
}

/* A comparison in a process of its own: this program, started anew with the two files. */
static int compare_alone(const char *a, const char *b, const char *result)
{
    struct pair p = { .opt = { .checks = SP_VC_ROWS, .max_differences = 100 }, .err = SP_ERROR_INIT };
    sp_strlcpy(p.a, a, sizeof p.a);
    sp_strlcpy(p.b, b, sizeof p.b);
    look(&p, NONE);
    return p.rc == 0 && p.reasons.p != NULL && strstr(p.reasons.p, result) != NULL ? 0 : 1;
}

static long peak_kib(const struct pair *p, const char *result)
{
    struct rusage usage = { 0 };
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        execl("/proc/self/exe", "test_verify_big", p->a, p->b, result, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(pid, wait4(pid, &status, 0, &usage));
    assert_int_equal(0, status);
    return usage.ru_maxrss;
}

static void memory_is_bounded(void **state)
{
    struct pair p;
    (void)state;
#if defined(__SANITIZE_ADDRESS__)
    skip(); /* a sanitizer's memory is its own */
#endif
    pair_begin(&p);
    both(&p, "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, w INT);"
             "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 599999)"
             "INSERT INTO t SELECT i, 'a row of some length, number ' || i, 1 FROM n");
    plain(p.b, "UPDATE t SET w = 2 WHERE id % 2 = 0");
    assert_in_range(peak_kib(&p, "300000 changed"), 1000, 64 * 1024);
    pair_end(&p);
    pair_begin(&p);
    both(&p, "CREATE TABLE t(id INTEGER PRIMARY KEY, v BLOB);"
             "INSERT INTO t SELECT value, zeroblob(20000000) FROM json_each('[1,2,3,4,5,6]');");
    plain(p.b, "UPDATE t SET v = zeroblob(20000001)");
    assert_in_range(peak_kib(&p, "6 changed"), 1000, (64 + 3 * 2 * 20) * 1024);
    pair_end(&p);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return compare_alone(argv[1], argv[2], argv[3]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_differences_cost_no_second_pass),
        cmocka_unit_test(far_keys_cost_no_pass),
        cmocka_unit_test(a_filter_that_fails_is_noticed),
        cmocka_unit_test(keys_that_a_filter_misses),
        cmocka_unit_test(other_keys_take_one_pass_more),
        cmocka_unit_test(many_differences_take_one_pass_more),
        cmocka_unit_test(repeated_keys_are_counted_among_many_differences),
        cmocka_unit_test(without_room_for_them_nothing_is_counted),
        cmocka_unit_test(sqlite_says_the_same),
        cmocka_unit_test(a_thousand_columns),
        cmocka_unit_test(large_rows),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests_name("verify: many rows", tests, NULL, NULL);
}
