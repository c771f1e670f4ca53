/* test_mongodb_session.c -- opening, refusing, losing the connection: what the suites cannot do to a server that they do not
 * own. A relay of our own stands between and cuts where it is told to. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <time.h>

#include "ci/tests/provider/mongodb_util.h"

static const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "t", .type = { .tag = SP_TEXT } } };
static const char *const key[] = { "id" }, *const names[] = { "id", "t" };

/* ---- the relay ---- */

static struct relay {
    int listener, port, to;
    atomic_bool stop, refuse;     /* refuse: no new connections */
    char word[32];                /* cut when it goes to the server; "" = never */
    struct sp_session *stop_this; /* instead of cutting, interrupt this session */
    pthread_t thread;
} relay;

static int local_socket(int *port, bool listening)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)(listening ? 0 : *port)) };
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr *p = (struct sockaddr *)(void *)&a;
    if (fd < 0 || (listening ? bind(fd, p, n) != 0 || listen(fd, 8) != 0 : connect(fd, p, n) != 0)) {
        (void)close(fd);
        return -1;
    }
    if (listening && getsockname(fd, p, &n) == 0)
        *port = ntohs(a.sin_port);
    return fd;
}

static bool send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = send(fd, p, n, MSG_NOSIGNAL);
        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

/* Forwards until the word has gone to the server and the server has answered; the answer is not passed on. */
static void forward(int client, int server)
{
    static char buf[1 << 16];
    bool cut = false;
    while (!atomic_load(&relay.stop)) {
        struct pollfd fds[2] = { { .fd = client, .events = POLLIN }, { .fd = server, .events = POLLIN } };
        if (poll(fds, 2, 50) < 0)
            return;
        for (int i = 0; i < 2; i++) {
            if (fds[i].revents == 0)
                continue;
            ssize_t n = recv(fds[i].fd, buf, sizeof buf, 0);
            if (n > 0 && i == 1 && cut && relay.stop_this != NULL) {
                sp_provider_mongodb.interrupt(relay.stop_this);
                continue;
            }
            if (n <= 0 || (i == 1 && cut))
                return;
            if (i == 0 && relay.word[0] != '\0' &&
                memmem(buf, (size_t)n, relay.word, strlen(relay.word)) != NULL) {
                cut = true;
                relay.word[0] = '\0';
            }
            if (!send_all(i == 0 ? server : client, buf, (size_t)n))
                return;
        }
    }
}

static void *relay_run(void *unused)
{
    (void)unused;
    while (!atomic_load(&relay.stop)) {
        struct pollfd fd = { .fd = relay.listener, .events = POLLIN };
        if (poll(&fd, 1, 50) != 1)
            continue;
        int client = accept(relay.listener, NULL, NULL);
        int server = atomic_load(&relay.refuse) ? -1 : local_socket(&relay.to, false);
        if (client >= 0 && server >= 0)
            forward(client, server);
        if (client >= 0)
            (void)close(client);
        if (server >= 0)
            (void)close(server);
    }
    return NULL;
}

/* The server's URL, through the relay. One connection at a time: a session has no more. */
static struct sp_session *through_relay(struct sp_endpoint *e, char url[512], const char *options)
{
    const char *direct = getenv("MONGODB_URL");
    const char *at = strrchr(direct, '@'), *host = at == NULL ? direct + strlen("mongodb://") : at + 1;
    const char *slash = strchr(host, '/'), *colon = strchr(host, ':');
    struct sp_session *s = NULL;
    relay.to = colon == NULL || colon > slash ? 27017 : (int)strtol(colon + 1, NULL, 10);
    atomic_store(&relay.stop, false);
    atomic_store(&relay.refuse, false);
    relay.word[0] = '\0';
    relay.stop_this = NULL;
    relay.listener = local_socket(&relay.port, true);
    assert_true(relay.listener >= 0);
    assert_int_equal(pthread_create(&relay.thread, NULL, relay_run, NULL), 0);
    snprintf(url, 512, "%.*s127.0.0.1:%d%s%sdirectConnection=true%s", (int)(host - direct), direct,
        relay.port, slash, strchr(slash, '?') == NULL ? "?" : "&", options);
    *e = endpoint;
    e->url = url;
    OK(sp_open(&s, &sp_provider_mongodb, e, &err));
    OK(sp_db_ns_use(s, ns, &err));
    return s;
}

static void relay_end(struct sp_session *s)
{
    sp_close(s);
    atomic_store(&relay.stop, true);
    pthread_join(relay.thread, NULL);
    (void)close(relay.listener);
}

static void need_things(const char *name)
{
    const struct sp_table t = { .name = name, .columns = columns, .ncolumns = 2, .pk = key, .npk = 1 };
    need_server();
    OK(sp_db_table_create(session, &t, true, &err));
}

static int64_t rows_of(const char *table)
{
    int64_t n = -1;
    OK(sp_db_count(session, table, NULL, &n, &err));
    return n;
}

static int insert(struct sp_session *s, const char *table, int64_t id)
{
    const struct sp_field f[] = { { "id", sp_v_int(id) }, { "t", sp_v_text("x") } };
    return sp_db_insert(s, table, f, 2, &err);
}

/* ---- losing the connection ---- */

static void test_write_without_answer(void **state)
{
    struct sp_endpoint e;
    char url[512];
    (void)state;
    need_things("unanswered");
    struct sp_session *s = through_relay(&e, url, "&retryWrites=false");
    snprintf(relay.word, sizeof relay.word, "documents");
    FAILS(SP_E_OUTCOME_UNKNOWN, insert(s, "unanswered", 1));
    assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
    assert_int_equal(err.origin, SP_ORIGIN_TRANSPORT);
    assert_int_equal(rows_of("unanswered"), 1); /* this time it was made */
    OK(insert(s, "unanswered", 2));
    relay_end(s);
}

/* A load that is stopped while the server writes cannot know what is there, and takes nothing for removed. */
static void test_load_stopped_without_answer(void **state)
{
    struct sp_endpoint e;
    char url[512];
    struct sp_load *l = NULL;
    uint64_t loaded = 7;
    (void)state;
    need_things("stopped");
    struct sp_session *s = through_relay(&e, url, "&retryWrites=false");
    OK(sp_db_load_open(s, "stopped", names, 2, &l, &err));
    relay.stop_this = s;
    snprintf(relay.word, sizeof relay.word, "documents");
    int rc = 0;
    for (int64_t i = 0; rc == 0 && i < 5000; i++) {
        const struct sp_value row[] = { sp_v_int(i), sp_v_text("x") };
        rc = sp_db_load_row(s, l, row, &err);
    }
    assert_int_equal(rc, -SP_E_CANCELLED);
    sp_error_clear(&err);
    FAILS(SP_E_OUTCOME_UNKNOWN, sp_db_load_close(s, l, false, &loaded, &err));
    assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
    assert_int_equal(loaded, 0);
    assert_true(rows_of("stopped") > 0); /* this time they were made */
    relay_end(s);
}

/* The driver repeats such a write once, and the server knows it again. */
static void test_write_repeated(void **state)
{
    struct sp_endpoint e;
    char url[512];
    (void)state;
    need_things("repeated");
    struct sp_session *s = through_relay(&e, url, "");
    snprintf(relay.word, sizeof relay.word, "documents");
    sp_error_clear(&err);
    int rc = insert(s, "repeated", 1);
    if (rc != 0)
        assert_int_equal(rc, -SP_E_OUTCOME_UNKNOWN); /* honest, if the server has no retryable writes */
    assert_int_equal(rows_of("repeated"), 1);
    relay_end(s);
}

static void test_read_without_answer(void **state)
{
    struct sp_endpoint e;
    char url[512];
    int64_t n;
    (void)state;
    need_things("read");
    OK(insert(session, "read", 1));
    struct sp_session *s = through_relay(&e, url, "&retryReads=false");
    snprintf(relay.word, sizeof relay.word, "aggregate");
    FAILS(SP_E_UNAVAILABLE, sp_db_count(s, "read", NULL, &n, &err));
    assert_int_equal(err.effect, SP_EFFECT_NONE);
    assert_true(err.retryable);
    OK(sp_db_count(s, "read", NULL, &n, &err));
    assert_int_equal(n, 1);
    relay_end(s);
}

static void test_transaction_lost(void **state)
{
    struct sp_endpoint e;
    char url[512];
    (void)state;
    need_things("lost");
    struct sp_session *s = through_relay(&e, url, "&retryWrites=false");
    OK(sp_db_begin(s, NULL, &err));
    OK(insert(s, "lost", 1));
    snprintf(relay.word, sizeof relay.word, "documents");
    sp_error_clear(&err);
    assert_true(insert(s, "lost", 2) != 0);
    assert_int_equal(err.effect, SP_EFFECT_NONE); /* nothing of a transaction stays without its commit */
    sp_error_clear(&err);
    assert_true(insert(s, "lost", 3) != 0);
    sp_error_clear(&err);
    assert_true(sp_db_commit(s, &err) != 0);
    assert_int_equal(rows_of("lost"), 0);
    OK(insert(s, "lost", 4)); /* and the session goes on */
    assert_int_equal(rows_of("lost"), 1);
    relay_end(s);
}

/* A batch that is a transaction of its own: its commit is sent again, and nobody knows if that finds no server either. */
static void test_commit_without_answer(void **state)
{
    struct sp_endpoint e;
    char url[512];
    (void)state;
    need_things("commit");
    struct sp_session *s = through_relay(&e, url, "");
    OK(sp_db_begin(s, NULL, &err));
    OK(insert(s, "commit", 1));
    snprintf(relay.word, sizeof relay.word, "commitTransaction");
    atomic_store(&relay.refuse, true);
    FAILS(SP_E_OUTCOME_UNKNOWN, sp_db_commit(s, &err));
    assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
    assert_int_equal(rows_of("commit"), 1);
    relay_end(s);
}

/* ---- opening ---- */

static int open_url(const char *url, struct sp_session **s)
{
    const struct sp_endpoint e = {
        .name = "t", .url = url, .access = SP_ACCESS_READ_ONLY, .connect_timeout_ms = 2000
    };
    *s = NULL;
    sp_error_clear(&err);
    return sp_open(s, &sp_provider_mongodb, &e, &err);
}

static void test_urls(void **state)
{
    static const struct {
        const char *url;
        enum sp_code code;
        const char *word;
    } rows[] = { { "postgresql://127.0.0.1/x", SP_E_INVALID, "mongodb://" },
        { "mongodb://127.0.0.1:1", SP_E_INVALID, "names no database" },
        { "mongodb://127.0.0.1:1/x?tls=maybe", SP_E_INVALID, "tls" },
        { "mongodb://127.0.0.1:1/x?tlsCAfiles=/x", SP_E_INVALID, "did you mean tlscafile" },
        { "mongodb://127.0.0.1:1/x?retryWrites", SP_E_INVALID, "" },
        { "mongodb://127.0.0.1:1/x", SP_E_UNAVAILABLE, "refused" },
        { "mongodb://u:Cr3d-Mark@127.0.0.1:1/x", SP_E_UNAVAILABLE, "refused" } };
    struct sp_session *s;
    (void)state;
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        assert_int_equal(open_url(rows[i].url, &s), -(int)rows[i].code);
        assert_null(s);
        if (strstr(sp_error_text(&err), rows[i].word) == NULL)
            fail_msg("%s: %s", rows[i].url, sp_error_text(&err));
        assert_null(strstr(sp_error_text(&err), "Cr3d-Mark"));
    }
}

static void test_mute_server(void **state)
{
    int port = 0, fd = local_socket(&port, true);
    struct timespec a, b;
    struct sp_session *s;
    char url[64];
    (void)state;
    snprintf(url, sizeof url, "mongodb://127.0.0.1:%d/x", port);
    (void)clock_gettime(CLOCK_MONOTONIC, &a);
    assert_int_equal(open_url(url, &s), -SP_E_UNAVAILABLE);
    (void)clock_gettime(CLOCK_MONOTONIC, &b);
    assert_true(b.tv_sec - a.tv_sec < 20);
    (void)close(fd);
}

static void test_credentials(void **state)
{
    struct sp_endpoint e = endpoint;
    struct sp_session *s = NULL;
    (void)state;
    need_server();
    e.user = "nobody";
    e.password = "Cr3d-Mark";
    FAILS(SP_E_AUTHENTICATION, sp_open(&s, &sp_provider_mongodb, &e, &err));
    assert_null(strstr(sp_error_text(&err), "Cr3d-Mark"));
    /* It greets everybody; that is no login. */
    const char *at = strchr(endpoint.url, '@');
    if (at == NULL)
        return; /* a server that admits everybody */
    char url[512];
    assert_in_range(snprintf(url, sizeof url, "mongodb://%s", at + 1), 1, sizeof url - 1);
    e = endpoint;
    e.url = url;
    FAILS(SP_E_AUTHENTICATION, sp_open(&s, &sp_provider_mongodb, &e, &err));
    assert_non_null(strstr(sp_error_text(&err), "names no user"));
}

/* ---- who is it ---- */

static void test_fidelity(void **state)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts;
    (void)state;
    need_server();
    OK(sp_effective(session, caps, &facts, &err));
    bool stand_in =
        strstr(facts.server_version, "Secantus") != NULL || strstr(facts.server_version, "Ferret") != NULL;
    assert_int_equal(facts.fidelity == SP_FID_REAL, !stand_in);
    /* What nobody may try is not claimed of a stand-in. */
    struct sp_session *reader = another(SP_ACCESS_READ_ONLY, 0);
    OK(sp_effective(reader, caps, &facts, &err));
    if (stand_in) {
        assert_int_equal(caps[SP_CAP_TXN].level, SP_CAP_UNKNOWN);
        assert_non_null(strstr(caps[SP_CAP_TXN].why, "unproven"));
    }
    sp_close(reader);
}

/* effective() leaves nothing of what it tried. */
static void test_no_traces(void **state)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts;
    struct sp_schema *schema = NULL;
    (void)state;
    need_server();
    OK(sp_effective(session, caps, &facts, &err));
    OK(sp_db_introspect(session, NULL, &schema, &err));
    for (size_t i = 0; i < schema->ntables; i++)
        assert_null(strstr(schema->tables[i].name, "switchproof"));
    sp_schema_free(schema);
}

/* ---- namespaces, size ---- */

static void test_namespaces(void **state)
{
    struct sp_names list = { .n = 0 };
    (void)state;
    need_server();
    FAILS(SP_E_EXISTS, sp_db_ns_create(session, ns, &err));
    FAILS(SP_E_INVALID, sp_db_ns_drop(session, "admin", &err));
    FAILS(SP_E_NOT_FOUND, sp_db_ns_use(session, "sp_no_such", &err));
    OK(sp_db_ns_use(session, ns, &err));
    OK(sp_db_ns_list(session, ns, &list, &err));
    assert_int_equal(list.n, 1);
    sp_names_free(&list);
}

static void test_too_large(void **state)
{
    enum { BYTES = 17 * 1024 * 1024 };
    (void)state;
    need_things("large");
    char *text = malloc(BYTES);
    assert_non_null(text);
    memset(text, 'x', BYTES);
    const struct sp_value v[] = { sp_v_int(1), sp_v_text("small"), sp_v_int(2), sp_v_textn(text, BYTES) };
    int64_t n = 0;
    FAILS(SP_E_TOO_LARGE, sp_db_insert_many(session, "large", names, 2, v, 2, &n, &err));
    assert_int_equal(err.effect, SP_EFFECT_NONE);
    assert_int_equal(rows_of("large"), 0);
    const struct sp_field f[] = { { "id", sp_v_int(3) }, { "t", sp_v_textn(text, 15 * 1024 * 1024) } };
    OK(sp_db_insert(session, "large", f, 2, &err));
    assert_int_equal(rows_of("large"), 1);
    free(text);
}

/* The collection's own counter, also while a snapshot is open; a view has none. */
static void test_rows_without_reading(void **state)
{
    const struct sp_table table = {
        .name = "counted", .columns = columns, .ncolumns = 2, .pk = key, .npk = 1
    };
    struct sp_volume v;
    char id[64];
    (void)state;
    need_server();
    OK(sp_db_table_create(session, &table, true, &err));
    for (int64_t i = 0; i < 5; i++) {
        const struct sp_field f[] = { { "id", sp_v_int(i) }, { "t", sp_v_text("x") } };
        OK(sp_db_insert(session, "counted", f, 2, &err));
    }
    OK(sp_db_volume(session, NULL, "counted", &v, &err));
    assert_int_equal(5, v.rows);
    assert_int_equal(-1, v.disk_bytes);
    struct sp_session *reader = another(SP_ACCESS_READ_ONLY, 5000);
    int rc = sp_db_snapshot_begin(reader, id, &err);
    if (rc == 0) {
        OK(sp_db_volume(reader, NULL, "counted", &v, &err));
        assert_int_equal(5, v.rows);
        OK(sp_db_snapshot_end(reader, &err));
    }
    sp_close(reader);
    assert_true(rc == 0 || rc == -SP_E_UNSUPPORTED);
    FAILS(SP_E_NOT_FOUND, sp_db_volume(session, NULL, "nothing", &v, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_mute_server),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_fidelity),
        cmocka_unit_test(test_no_traces),
        cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_rows_without_reading),
        cmocka_unit_test(test_write_without_answer),
        cmocka_unit_test(test_load_stopped_without_answer),
        cmocka_unit_test(test_write_repeated),
        cmocka_unit_test(test_read_without_answer),
        cmocka_unit_test(test_transaction_lost),
        cmocka_unit_test(test_commit_without_answer),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
