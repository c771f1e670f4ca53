/* test_verify_big_postgresql.c -- what differs among many rows of a server, by kind of key: found whatever the key is, and where
 * it is an integer or a uuid, without reading the table again. Also against a file whose keys are ordered otherwise. */
#include <pthread.h>

#include "postgresql_util.h"

#include <sqlite3.h>

#include "base/io.h"
#include "verify/verify.h"

static struct {
    struct sp_provider outer;
    struct sp_db_ops db;
    pthread_mutex_t lock;
    unsigned whole[2], parts[2];
} spy = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int spying_scan(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *e)
{
    pthread_mutex_lock(&spy.lock);
    ++*(scan->where != NULL ? &spy.parts[scan->side] : &spy.whole[scan->side]);
    pthread_mutex_unlock(&spy.lock);
    return sp_provider_postgresql.db->scan(s, scan, rb, e);
}

struct bcase {
    const char *name, *columns, *id; /* the key's expression over i */
    const char *change, *result, *event;
    bool narrow;
    const char *file; /* SQL of a SQLite source instead; NULL = both in the server */
};

#define ROWS "generate_series(0, 39999) AS i"

static const struct bcase cases[] = {
    { "integers", "id bigint PRIMARY KEY, v text, w int", "i * 100 - 1000000",
        "UPDATE b.t SET w = -1 WHERE id = 700", "0 missing, 0 extra, 1 changed", "\"key\":\"id=700\"", true,
        NULL },
    { "small integers, below and above zero", "id int PRIMARY KEY, v text, w int", "i - 20000",
        "DELETE FROM b.t WHERE id IN (-20000, -1, 19999)", "3 missing, 0 extra, 0 changed",
        "\"key\":\"id=-20000\"", true, NULL },
    { "uuids", "id uuid PRIMARY KEY, v text, w int", "md5(i::text)::uuid",
        "UPDATE b.t SET w = -1 WHERE id = md5('777')::uuid", "0 missing, 0 extra, 1 changed",
        "f1c15925-8841-1002-af34-0cbaedd6fc33", true, NULL },
    { "decimals", "id numeric(20,2) PRIMARY KEY, v text, w int", "i * 0.25",
        "UPDATE b.t SET w = -1 WHERE id = 2.5", "0 missing, 0 extra, 1 changed", "id=decimal 2.5", false,
        NULL },
    { "texts in an order of their own", "id text COLLATE \"und-x-icu\" PRIMARY KEY, v text, w int",
        "chr(97 + i % 26 - 32 * (i / 26 % 2)) || i", "UPDATE b.t SET w = -1 WHERE id = 'A26'",
        "0 missing, 0 extra, 1 changed", "\"key\":\"id=\\\"A26\\\"\"", false, NULL },
    { "two columns", "a int, b text, w int, PRIMARY KEY(a, b)", "i / 100",
        "DELETE FROM b.t WHERE b = 'row 4000'", "1 missing, 0 extra, 0 changed",
        "\"key\":\"a=40, b=\\\"row 4000\\\"\"", true, NULL },
    { "integers against a file", "id bigint PRIMARY KEY, v text, w int", "i * 3 - 5000",
        "UPDATE b.t SET v = 'x' WHERE id = -2", "0 missing, 0 extra, 1 changed", "\"key\":\"id=-2\"", true,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, w INTEGER); INSERT INTO t SELECT i * 3 - 5000, 'row "
        "' || i, "
        "i % 7 FROM n" },
    { "integers that the file keeps as texts", "id bigint PRIMARY KEY, v text, w int", "i",
        "UPDATE b.t SET v = 'x' WHERE id BETWEEN 9 AND 10", "0 missing, 0 extra, 2 changed",
        "\"key\":\"id=10\"", false,
        "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT, w INTEGER); INSERT INTO t SELECT i, 'row ' || i, i % 7 "
        "FROM n" },
    { "uuids that the file keeps as texts", "id uuid PRIMARY KEY, v text, w int",
        "('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid",
        "DELETE FROM b.t WHERE id = '00000000-0000-4000-8000-00000000000a'", "1 missing, 0 extra, 0 changed",
        "00000000-0000-4000-8000-00000000000a", false,
        "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT, w INTEGER); INSERT INTO t SELECT "
        "printf('00000000-0000-4000-8000-%012X', i), 'row ' || i, i % 7 FROM n" },
};

static char namespaces[2][48];

static void statement(const char *fmt, ...)
{
    char sql[2048];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(sql, sizeof sql, fmt, ap);
    va_end(ap);
    raw(sql);
}

/* "b." stands for the target's schema. */
static void change(const char *sql)
{
    const char *at = strstr(sql, "b.t");
    assert_non_null(at);
    statement("%.*s%s.t%s", (int)(at - sql), sql, namespaces[1], at + 3);
}

static void fill(const struct bcase *c, int side, const char *path)
{
    if (side == 0 && c->file != NULL) {
        char sql[1024];
        sqlite3 *db = NULL;
        const char *with = strstr(c->file, "INSERT");
        snprintf(sql, sizeof sql,
            "%.*s WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 39999) %s",
            (int)(with - c->file), c->file, with);
        (void)unlink(path);
        assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
        if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        assert_int_equal(SQLITE_OK, sqlite3_close(db));
        return;
    }
    OK(sp_db_ns_drop(session, namespaces[side], &err));
    OK(sp_db_ns_create(session, namespaces[side], &err));
    statement("CREATE TABLE %s.t(%s)", namespaces[side], c->columns);
    statement("INSERT INTO %s.t SELECT %s, 'row ' || i, i %% 7 FROM " ROWS " ORDER BY i * 7919 %% 40000",
        namespaces[side], c->id);
    statement("ANALYZE %s.t", namespaces[side]);
}

static struct sp_buf events;

static int keep_line(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *e)
{
    (void)em, (void)e;
    return sp_buf_printf(&events, "%s %.*s\n", sp_event_name(k), (int)n, json);
}

static enum sp_verify_verdict look(const struct bcase *c, const char *path, struct sp_buf *reasons)
{
    static const char *const option[] = { "schema" };
    const char *values[2] = { namespaces[0], namespaces[1] };
    struct sp_session *s[2] = { NULL, NULL };
    struct sp_endpoint e[2];
    struct sp_emitter em = { keep_line };
    enum sp_verify_verdict verdict = SP_VV_NOT_COMPARED;
    const struct sp_verify_options opt = { .checks = SP_VC_ROWS, .max_differences = 100 };
    char url[600];
    spy.outer = sp_provider_postgresql;
    spy.db = *sp_provider_postgresql.db;
    spy.db.scan = spying_scan;
    spy.outer.db = &spy.db;
    memset(spy.whole, 0, sizeof spy.whole);
    memset(spy.parts, 0, sizeof spy.parts);
    sp_buf_clear(reasons);
    sp_buf_clear(&events);
    for (int i = 0; i < 2; i++) {
        bool file = i == 0 && c->file != NULL;
        snprintf(url, sizeof url, "sqlite:%s", path);
        e[i] = (struct sp_endpoint){ .name = i == 0 ? "old" : "new",
            .url = file ? url : endpoint.url,
            .access = SP_ACCESS_READ_ONLY,
            .option_names = option,
            .option_values = &values[i],
            .noptions = file ? 0 : 1 };
        OK(sp_open(&s[i], file ? sp_provider_by_kind(sp_providers, "sqlite") : &spy.outer, &e[i], &err));
    }
    OK(sp_verify(s[0], s[1], &opt, &em, &verdict, reasons, &err));
    sp_close(s[0]);
    sp_close(s[1]);
    return verdict;
}

static void one_row_of_many(void **state)
{
    struct sp_buf reasons = SP_BUF_INIT;
    char path[128];
    (void)state;
    need_server();
    snprintf(path, sizeof path, "/tmp/sp-big-%ld.db", (long)getpid());
    for (int i = 0; i < 2; i++)
        snprintf(namespaces[i], sizeof namespaces[i], "sp_big_%ld_%d", (long)getpid(), i);
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        const struct bcase *c = &cases[i];
        fill(c, 0, path);
        fill(c, 1, path);
        if (look(c, path, &reasons) != SP_VV_EQUAL)
            fail_msg("%s: equal copies: %s", c->name, reasons.p);
        assert_int_equal(1, spy.whole[1]);
        change(c->change);
        if (look(c, path, &reasons) != SP_VV_DIFFERENT || strstr(reasons.p, c->result) == NULL ||
            strstr(events.p, c->event) == NULL)
            fail_msg("%s: no %s, %s in %s%s", c->name, c->result, c->event, reasons.p, events.p);
        if (spy.whole[1] != (c->narrow ? 1 : 2))
            fail_msg("%s: the table was read %u times, and %u ranges", c->name, spy.whole[1], spy.parts[1]);
    }
    for (int i = 0; i < 2; i++)
        OK(sp_db_ns_drop(session, namespaces[i], &err));
    (void)unlink(path);
    sp_buf_free(&reasons);
    sp_buf_free(&events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_row_of_many),
    };
    return cmocka_run_group_tests_name("verify: many rows of a server", tests, group_setup, group_teardown);
}
