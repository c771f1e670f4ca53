/* test_postgresql_limits.c -- what ends early: servers that are too old, connections lost in a COPY, rights that are missing,
 * limits of the server; and scans with filters, which end by their own rules. */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>

#include "postgresql_util.h"

/* ---- a server of another time ---------------------------------------------------------------------------------------- */

struct fake {
    int fd;
    const char *version;
};

static void put_message(struct sp_buf *b, char type, const void *p, size_t n)
{
    sp_buf_putc(b, type);
    sp_buf_u32be(b, (uint32_t)n + 4);
    sp_buf_put(b, p, n);
}

/* Lets everybody in, says its version, and answers nothing else. */
static void *fake_main(void *arg)
{
    struct fake *f = arg;
    struct sp_buf b = SP_BUF_INIT;
    char in[1024], text[64];
    int c = accept(f->fd, NULL, NULL);
    ssize_t n = recv(c, in, sizeof in, 0);
    while (n == 8) { /* a request for TLS or GSS */
        (void)send(c, "N", 1, MSG_NOSIGNAL);
        n = recv(c, in, sizeof in, 0);
    }
    int len = snprintf(text, sizeof text, "server_version%c%s", 0, f->version);
    put_message(&b, 'R', "\0\0\0\0", 4);
    put_message(&b, 'S', text, (size_t)len + 1);
    put_message(&b, 'K', "\0\0\0\1\0\0\0\2", 8);
    put_message(&b, 'Z', "I", 1);
    (void)send(c, b.p, b.n, MSG_NOSIGNAL);
    (void)recv(c, in, sizeof in, 0); /* until it leaves */
    close(c);
    sp_buf_free(&b);
    return NULL;
}

static void too_old(void **state)
{
    static const char *const versions[] = { "9.0.23", "8.0.2", "11.22" };
    (void)state;
    for (size_t i = 0; i < SP_LEN(versions); i++) {
        struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t len = sizeof a;
        struct fake f = { .fd = socket(AF_INET, SOCK_STREAM, 0), .version = versions[i] };
        struct sp_session *s = NULL;
        char url[96], want[64];
        pthread_t t;
        assert_true(f.fd >= 0 && bind(f.fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(f.fd, 1) == 0);
        assert_int_equal(getsockname(f.fd, (struct sockaddr *)&a, &len), 0);
        snprintf(url, sizeof url, "postgresql://u@127.0.0.1:%d/x", ntohs(a.sin_port));
        assert_int_equal(pthread_create(&t, NULL, fake_main, &f), 0);
        struct sp_endpoint e = { .name = "old", .url = url, .access = SP_ACCESS_READ_ONLY };
        FAILS(SP_E_UNSUPPORTED, sp_open(&s, &sp_provider_postgresql, &e, &err));
        pthread_join(t, NULL);
        snprintf(want, sizeof want, "version %.*s; this provider needs PostgreSQL 12",
            (int)strcspn(versions[i], ".") + (versions[i][0] == '1' ? 0 : 2), versions[i]);
        if (strstr(sp_error_text(&err), want) == NULL)
            fail_msg("%s: %s", want, sp_error_text(&err));
        close(f.fd);
    }
}

/* ---- lost connections ------------------------------------------------------------------------------------------------ */

static int64_t pid_of(struct sp_session *s)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "SELECT pg_backend_pid()" };
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_exec(s, &op, &r, &err));
    int64_t pid = r.values[0].u.i;
    sp_result_free(&r);
    return pid;
}

struct killer {
    int64_t pid;
    uint64_t rows, at;
};

static int kill_at(void *p, const struct sp_rowview *v)
{
    struct killer *k = p;
    char sql[80];
    (void)v;
    if (++k->rows == k->at) {
        snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%lld, 5000)", (long long)k->pid);
        raw(sql);
    }
    return 0;
}

static int scan_where(struct sp_session *s, const char *table, const char *const *names, size_t n,
    const struct sp_filter *where, int (*sink)(void *, const struct sp_rowview *), void *payload,
    uint64_t *rows)
{
    struct sp_colplan plan[8];
    memset(plan, 0, sizeof plan);
    for (size_t i = 0; i < n; i++) {
        plan[i].name = plan[i].source = plan[i].target = names[i];
        plan[i].type.tag = SP_MISSING;
    }
    struct sp_scan sc = {
        .ns = ns, .table = table, .cols = plan, .ncols = n, .side = SP_SIDE_SOURCE, .where = where
    };
    struct sp_rowbuf rb;
    OK(sp_rowbuf_init(&rb, &sc, &err));
    rb.sink = sink;
    rb.payload = payload;
    int rc = sp_db_scan(s, &sc, &rb, &err);
    assert_int_equal(rb.complete, rc == 0);
    *rows = rb.digest.count;
    sp_rowbuf_free(&rb);
    return rc;
}

static const char *const id_note[] = { "id", "note" };

static void lost_in_scan(void **state)
{
    uint64_t rows = 0;
    (void)state;
    need_server();
    raw("CREATE TABLE wide AS SELECT g AS id, repeat('x', 500) AS note FROM generate_series(1, 100000) g");
    struct sp_session *s = another(SP_ACCESS_DISPOSABLE, 0);
    struct killer k = { .pid = pid_of(s), .at = 1000 };
    FAILS(SP_E_UNAVAILABLE, scan_where(s, "wide", id_note, 2, NULL, kill_at, &k, &rows));
    assert_true(rows < 100000);
    FAILS(SP_E_UNAVAILABLE, sp_ping(s, &err));
    sp_close(s);
}

static void lost_in_load(void **state)
{
    struct sp_load *l = NULL;
    uint64_t loaded = 7;
    int64_t n = -1;
    int rc = 0;
    char note[600];
    (void)state;
    need_server();
    memset(note, 'n', sizeof note);
    raw("CREATE TABLE half(id int8 PRIMARY KEY, note text)");
    struct sp_session *s = another(SP_ACCESS_DISPOSABLE, 0);
    struct killer k = { .pid = pid_of(s), .at = 20000 };
    OK(sp_db_load_open(s, "half", id_note, 2, &l, &err));
    for (int64_t i = 0; rc == 0 && i < 60000; i++) {
        const struct sp_value row[] = { sp_v_int(i), sp_v_textn(note, sizeof note) };
        sp_error_clear(&err);
        rc = sp_db_load_row(s, l, row, &err);
        (void)kill_at(&k, NULL);
    }
    assert_true(rc == 0 || rc == -SP_E_UNAVAILABLE);
    FAILS(SP_E_UNAVAILABLE, sp_db_load_close(s, l, true, &loaded, &err));
    assert_int_equal(loaded, 0);
    sp_close(s);
    OK(sp_db_count(session, "half", NULL, &n, &err));
    assert_int_equal(n, 0);
}

/* ---- rights and limits ----------------------------------------------------------------------------------------------- */

static void without_privilege(void **state)
{
    char sql[128];
    uint64_t rows = 0;
    int64_t n = 0;
    struct sp_load *l = NULL;
    (void)state;
    need_server();
    raw("CREATE TABLE closed(id int PRIMARY KEY, note text)");
    raw("INSERT INTO closed VALUES (1, 'a')");
    snprintf(sql, sizeof sql, "CREATE ROLE %s_r", ns);
    raw(sql);
    struct sp_session *s = another(SP_ACCESS_DISPOSABLE, 0);
    snprintf(sql, sizeof sql, "GRANT USAGE ON SCHEMA %s TO %s_r", ns, ns);
    raw(sql);
    snprintf(sql, sizeof sql, "SET ROLE %s_r", ns);
    OK(raw_in(s, sql));
    FAILS(SP_E_PERMISSION, scan_where(s, "closed", id_note, 2, NULL, NULL, NULL, &rows));
    assert_string_equal(err.native, "42501");
    FAILS(SP_E_PERMISSION, sp_db_count(s, "closed", NULL, &n, &err));
    struct sp_field f = { "id", sp_v_int(2) };
    FAILS(SP_E_PERMISSION, sp_db_insert(s, "closed", &f, 1, &err));
    int rc = sp_db_load_open(s, "closed", id_note, 2, &l, &err);
    assert_int_equal(rc, -SP_E_PERMISSION);
    /* What was allowed while the statement was named is asked again each time. */
    snprintf(sql, sizeof sql, "GRANT SELECT ON closed TO %s_r", ns);
    raw(sql);
    for (int i = 0; i < 3; i++)
        OK(sp_db_count(s, "closed", NULL, &n, &err));
    snprintf(sql, sizeof sql, "REVOKE SELECT ON closed FROM %s_r", ns);
    raw(sql);
    FAILS(SP_E_PERMISSION, sp_db_count(s, "closed", NULL, &n, &err));
    sp_close(s);
    snprintf(sql, sizeof sql, "DROP OWNED BY %s_r", ns);
    raw(sql);
    snprintf(sql, sizeof sql, "DROP ROLE %s_r", ns);
    raw(sql);
}

static void limits(void **state)
{
    (void)state;
    need_server();
    FAILS(SP_E_TOO_LARGE, raw_in(session, "SELECT repeat('x', 1100000000)"));
    struct sp_session *s = another(SP_ACCESS_DISPOSABLE, 0);
    OK(raw_in(s, "SET temp_file_limit = '64kB'"));
    OK(raw_in(s, "SET work_mem = '64kB'"));
    FAILS(SP_E_TOO_LARGE,
        raw_in(s, "SELECT g FROM generate_series(1, 500000) g ORDER BY md5(g::text) OFFSET 499999"));
    assert_string_equal(err.native, "53400");
    OK(sp_ping(s, &err));
    sp_close(s);
}

/* ---- scans with filters ---------------------------------------------------------------------------------------------- */

static uint64_t filtered(struct sp_session *s, const struct sp_filter *where)
{
    uint64_t rows = 0;
    OK(scan_where(s, "chosen", id_note, 2, where, NULL, NULL, &rows));
    return rows;
}

static void with_filters(void **state)
{
    struct sp_value low = sp_v_int(2500), quote = sp_v_text("it's \\ 7"), none = sp_v_text("');--");
    struct sp_filter part[] = { { .op = SP_F_GTE, .column = "id", .values = &low, .nvalues = 1 },
        { .op = SP_F_IS_NULL, .column = "note" } };
    struct sp_filter both = { .op = SP_F_AND, .args = part, .nargs = 2 };
    struct sp_filter eq = { .op = SP_F_EQ, .column = "note", .values = &quote, .nvalues = 1 };
    struct sp_filter nothing = { .op = SP_F_EQ, .column = "note", .values = &none, .nvalues = 1 };
    struct sp_filter unknown = { .op = SP_F_IS_NULL, .column = "nope" };
    struct killer stop = { .at = 0 };
    uint64_t rows = 0;
    (void)state;
    need_server();
    raw("CREATE TABLE chosen AS SELECT g AS id, CASE WHEN g % 5 > 0 THEN 'it''s \\ ' || g END AS note FROM "
        "generate_series(1, 5000) g");
    struct sp_session *s = another(SP_ACCESS_READ_ONLY, 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(filtered(s, &part[0]), 2501);
        assert_int_equal(filtered(s, &both), 501);
        assert_int_equal(filtered(s, &eq), 1);
        assert_int_equal(filtered(s, &nothing), 0);
        FAILS(SP_E_INVALID, scan_where(s, "chosen", id_note, 2, &unknown, NULL, NULL, &rows));
        OK(scan_where(s, "chosen", id_note, 2, &part[0], kill_at, &stop, &rows));
        if (round == 0)
            OK(sp_db_snapshot_begin(s, NULL, &err)); /* and the same again in a snapshot, which goes on */
    }
    raw("DELETE FROM chosen");
    assert_int_equal(filtered(s, &part[0]), 2501);
    OK(sp_db_snapshot_end(s, &err));
    assert_int_equal(filtered(s, &part[0]), 0);
    sp_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_old),
        cmocka_unit_test(lost_in_scan),
        cmocka_unit_test(lost_in_load),
        cmocka_unit_test(without_privilege),
        cmocka_unit_test(limits),
        cmocka_unit_test(with_filters),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
