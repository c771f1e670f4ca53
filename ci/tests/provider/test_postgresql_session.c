/* test_postgresql_session.c -- connecting and its failures, pinned settings, lost connections, snapshots, stopped scans. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#include "postgresql_util.h"

static int open_url(const char *url, const char *user, const char *password, int connect_ms)
{
    struct sp_endpoint e = { .name = "t",
        .url = url,
        .user = user,
        .password = password,
        .connect_timeout_ms = connect_ms,
        .access = SP_ACCESS_READ_ONLY };
    struct sp_session *s = NULL;
    int rc = sp_open(&s, &sp_provider_postgresql, &e, &err);
    sp_close(s);
    return rc;
}

static void nobody_there(void **state)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    char url[128];
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    snprintf(url, sizeof url, "postgresql://u:topsecretword@127.0.0.1:%d/x", ntohs(a.sin_port));
    FAILS(SP_E_UNAVAILABLE, open_url(url, NULL, NULL, 2000));
    assert_int_equal(err.origin, SP_ORIGIN_TRANSPORT);
    assert_null(strstr(sp_error_text(&err), "topsecretword"));
    /* One that accepts, and never answers. */
    assert_int_equal(listen(fd, 4), 0);
    time_t from = time(NULL);
    FAILS(SP_E_TIMEOUT, open_url(url, NULL, NULL, 300));
    assert_true(time(NULL) - from <= 20);
    close(fd);
    FAILS(SP_E_INVALID, open_url("mysql://127.0.0.1/x", NULL, NULL, 300));
    FAILS(SP_E_UNAVAILABLE, open_url("postgresql://127.0.0.1:notaport/x", NULL, NULL, 300));
}

static void refused_at_the_door(void **state)
{
    char url[512];
    (void)state;
    need_server();
    FAILS(SP_E_AUTHENTICATION, open_url(endpoint.url, NULL, "wrong-password-of-ours", 5000));
    assert_string_equal(err.native, "28P01");
    assert_null(strstr(sp_error_text(&err), "wrong-password-of-ours"));
    const char *query = strchr(endpoint.url, '?'), *slash = strrchr(endpoint.url, '/');
    if (query == NULL && slash != NULL) {
        snprintf(url, sizeof url, "%.*s/no_such_database", (int)(slash - endpoint.url), endpoint.url);
        FAILS(SP_E_NOT_FOUND, open_url(url, NULL, NULL, 5000));
        assert_string_equal(err.native, "3D000");
        snprintf(url, sizeof url, "%s?sslmode=verify-full", endpoint.url);
        FAILS(SP_E_UNAVAILABLE, open_url(url, NULL, NULL, 5000)); /* loopback stack: no TLS to verify */
    }
}

static void expect_text(const char *sql, const char *want)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql };
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_exec(session, &op, &r, &err));
    assert_int_equal(r.nrows, 1);
    assert_int_equal(r.values[0].tag, SP_TEXT);
    if (r.values[0].u.str.n != strlen(want) || memcmp(r.values[0].u.str.p, want, strlen(want)) != 0)
        fail_msg("%s: %.*s, expected %s", sql, (int)r.values[0].u.str.n, r.values[0].u.str.p, want);
    sp_result_free(&r);
}

static void pinned(void **state)
{
    (void)state;
    need_server();
    expect_text("SELECT current_setting('TimeZone')", "UTC");
    expect_text("SELECT current_setting('DateStyle')", "ISO, YMD");
    expect_text("SELECT current_setting('extra_float_digits')", "3");
    expect_text("SELECT current_setting('client_encoding')", "UTF8");
    expect_text("SELECT current_setting('standard_conforming_strings')", "on");
    expect_text("SELECT timestamptz '2020-01-01 00:00:00+00'::text", "2020-01-01 00:00:00+00");
}

static int64_t pid_of(struct sp_session *s)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "SELECT pg_backend_pid()" };
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_exec(s, &op, &r, &err));
    int64_t pid = r.values[0].u.i;
    sp_result_free(&r);
    return pid;
}

static void terminate(int64_t pid)
{
    char sql[96];
    snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%lld, 5000)", (long long)pid);
    raw(sql);
}

static void killed_connections(void **state)
{
    struct sp_field f = { "id", sp_v_int(1) };
    int64_t n = -1;
    (void)state;
    need_server();
    raw("CREATE TABLE kept(id int PRIMARY KEY)");
    /* In the middle of a transaction nothing of it can have been kept. */
    struct sp_session *s = another(SP_ACCESS_DISPOSABLE, 0);
    OK(sp_db_begin(s, NULL, &err));
    OK(sp_db_insert(s, "kept", &f, 1, &err));
    terminate(pid_of(s));
    FAILS(SP_E_UNAVAILABLE, sp_db_insert(s, "kept", &f, 1, &err));
    assert_int_equal(err.effect, SP_EFFECT_NONE);
    (void)sp_db_rollback(s, NULL);
    FAILS(SP_E_UNAVAILABLE, sp_ping(s, &err));
    sp_close(s);
    /* At its commit nobody knows. */
    s = another(SP_ACCESS_DISPOSABLE, 0);
    OK(sp_db_begin(s, NULL, &err));
    OK(sp_db_insert(s, "kept", &f, 1, &err));
    terminate(pid_of(s));
    FAILS(SP_E_OUTCOME_UNKNOWN, sp_db_commit(s, &err));
    assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
    sp_close(s);
    OK(sp_db_count(session, "kept", NULL, &n, &err));
    assert_int_equal(n, 0);
}

struct sleeper {
    struct sp_session *s;
    int rc;
    enum sp_effect effect;
};

static void *sleep_there(void *p)
{
    struct sleeper *z = p;
    struct sp_error e = SP_ERROR_INIT;
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "SELECT pg_sleep(60)" };
    z->rc = sp_db_exec(z->s, &op, NULL, &e);
    z->effect = e.effect;
    sp_error_clear(&e);
    return NULL;
}

/* Until its statement sleeps there. */
static void wait_for_sleep(int64_t pid)
{
    char sql[128];
    int64_t n = 0;
    snprintf(sql, sizeof sql,
        "SELECT count(*) FROM pg_stat_activity WHERE pid = %lld AND wait_event = 'PgSleep'", (long long)pid);
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql };
    for (int i = 0; i < 1000 && n == 0; i++) {
        struct sp_result r = SP_RESULT_INIT;
        OK(sp_db_exec(session, &op, &r, &err));
        n = r.values[0].u.i;
        sp_result_free(&r);
        usleep(10000);
    }
    assert_int_equal(n, 1);
}

static void killed_while_writing(void **state)
{
    struct sleeper z = { .rc = 0 };
    pthread_t t;
    (void)state;
    need_server();
    z.s = another(SP_ACCESS_DISPOSABLE, 0);
    int64_t pid = pid_of(z.s);
    assert_int_equal(pthread_create(&t, NULL, sleep_there, &z), 0);
    wait_for_sleep(pid);
    terminate(pid);
    pthread_join(t, NULL);
    assert_int_equal(z.rc, -SP_E_OUTCOME_UNKNOWN); /* a raw statement may write */
    assert_int_equal(z.effect, SP_EFFECT_UNKNOWN);
    sp_close(z.s);
}

static void interrupted_and_timed_out(void **state)
{
    struct sleeper z = { .rc = 0 };
    pthread_t t;
    (void)state;
    need_server();
    z.s = another(SP_ACCESS_DISPOSABLE, 0);
    int64_t pid = pid_of(z.s);
    assert_int_equal(pthread_create(&t, NULL, sleep_there, &z), 0);
    wait_for_sleep(pid);
    sp_provider_postgresql.interrupt(z.s);
    pthread_join(t, NULL);
    assert_int_equal(z.rc, -SP_E_CANCELLED);
    OK(sp_ping(z.s, &err));
    sp_close(z.s);
    struct sp_session *s = another(SP_ACCESS_DISPOSABLE, 1000);
    FAILS(SP_E_TIMEOUT, raw_in(s, "SELECT pg_sleep(30)"));
    OK(sp_ping(s, &err));
    sp_close(s);
}

static void lock_waits(void **state)
{
    struct sp_field f = { "v", sp_v_int(2) };
    static const char *const names[] = { "lock_timeout" }, *const values[] = { "100ms" };
    struct sp_session *s = NULL;
    (void)state;
    need_server();
    raw("CREATE TABLE locked(id int PRIMARY KEY, v int)");
    raw("INSERT INTO locked VALUES (1, 1)");
    struct sp_endpoint e = endpoint;
    e.option_names = names;
    e.option_values = values;
    e.noptions = 1;
    OK(sp_open(&s, &sp_provider_postgresql, &e, &err));
    OK(sp_db_ns_use(s, ns, &err));
    OK(sp_db_begin(session, NULL, &err));
    OK(sp_db_update(session, "locked", NULL, &f, 1, NULL, &err));
    FAILS(SP_E_CONFLICT, sp_db_update(s, "locked", NULL, &f, 1, NULL, &err));
    assert_string_equal(err.native, "55P03");
    assert_true(err.retryable);
    OK(sp_db_rollback(session, &err));
    sp_close(s);
}

static void deferred_until_commit(void **state)
{
    struct sp_field f[] = { { "id", sp_v_int(1) }, { "up", sp_v_int(9) } };
    int64_t n = -1;
    (void)state;
    need_server();
    raw("CREATE TABLE tree(id int PRIMARY KEY, up int REFERENCES tree DEFERRABLE INITIALLY DEFERRED)");
    OK(sp_db_begin(session, NULL, &err));
    OK(sp_db_insert(session, "tree", f, 2, &err));
    FAILS(SP_E_FOREIGN_KEY, sp_db_commit(session, &err));
    assert_string_equal(err.native, "23503");
    FAILS(SP_E_INVALID, sp_db_rollback(session, &err)); /* it is over */
    OK(sp_db_count(session, "tree", NULL, &n, &err));
    assert_int_equal(n, 0);
}

/* ---- snapshots and scans ---- */

struct counted {
    uint64_t rows, stop_at;
};

static int count_row(void *p, const struct sp_rowview *v)
{
    struct counted *c = p;
    (void)v;
    return ++c->rows == c->stop_at ? -SP_E_CANCELLED : 0;
}

static int scan(struct sp_session *s, uint64_t stop_at, uint64_t *rows)
{
    struct sp_colplan plan = { .name = "id", .source = "id", .target = "id", .type = { .tag = SP_INT } };
    struct sp_scan sc = { .ns = ns, .table = "many", .cols = &plan, .ncols = 1, .side = SP_SIDE_SOURCE };
    struct counted c = { 0, stop_at };
    struct sp_rowbuf rb;
    OK(sp_rowbuf_init(&rb, &sc, &err));
    rb.sink = count_row;
    rb.payload = &c;
    int rc = sp_db_scan(s, &sc, &rb, &err);
    assert_int_equal(rb.complete, rc == 0);
    sp_rowbuf_free(&rb);
    *rows = c.rows;
    return rc;
}

static void one_state(void **state)
{
    uint64_t rows = 0;
    char id[64];
    int64_t n = 0;
    (void)state;
    need_server();
    raw("CREATE TABLE many AS SELECT id::bigint FROM generate_series(1, 200000) id");
    struct sp_session *s = another(SP_ACCESS_READ_ONLY, 0);
    OK(sp_db_snapshot_begin(s, id, &err));
    assert_true(strlen(id) > 5);
    OK(scan(s, 0, &rows));
    assert_int_equal(rows, 200000);
    raw("DELETE FROM many WHERE id % 2 = 0");
    /* A scan that its receiver stops ends soon, is not complete, and keeps the snapshot. */
    FAILS(SP_E_CANCELLED, scan(s, 1000, &rows));
    assert_int_equal(rows, 1000);
    OK(scan(s, 0, &rows));
    assert_int_equal(rows, 200000);
    OK(sp_db_count(s, "many", NULL, &n, &err));
    assert_int_equal(n, 200000);
    OK(sp_db_snapshot_end(s, &err));
    OK(scan(s, 0, &rows));
    assert_int_equal(rows, 100000);
    FAILS(SP_E_CANCELLED, scan(s, 5, &rows));
    OK(sp_ping(s, &err));
    sp_close(s);
}

static void read_only(void **state)
{
    (void)state;
    need_server();
    struct sp_session *s = another(SP_ACCESS_READ_ONLY, 0);
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "CREATE TABLE sneaky(id int)" };
    /* Past the harness, straight at the provider: the server refuses as well. */
    FAILS(SP_E_PERMISSION, sp_provider_postgresql.db->exec(s, &op, NULL, &err));
    assert_string_equal(err.native, "25006");
    sp_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(refused_at_the_door),
        cmocka_unit_test(pinned),
        cmocka_unit_test(killed_connections),
        cmocka_unit_test(killed_while_writing),
        cmocka_unit_test(interrupted_and_timed_out),
        cmocka_unit_test(lock_waits),
        cmocka_unit_test(deferred_until_commit),
        cmocka_unit_test(one_state),
        cmocka_unit_test(read_only),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
