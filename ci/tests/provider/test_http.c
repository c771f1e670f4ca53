/* test_http.c -- the HTTP core against a server that misbehaves: nothing is doubled, nothing waits for ever, nothing that is cut
 * off passes for whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>

#include "base/log.h"
#include "ci/tests/provider/http_server.h"
#include "providers/lib/http/http.h"

#define GOOD "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Request-Id: r-1\r\n\r\nok"

static struct sp_error err = SP_ERROR_INIT;
static struct sp_http *http;
static struct sp_http_response answer;

#define SCRIPT(...)                                                                                          \
    static const struct answer script_[] = { __VA_ARGS__ };                                                  \
    server_script(script_, sizeof script_ / sizeof *script_)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Nothing is late for it, however busy the machine is; `hasty` is for those who wait for a time-out. */
static struct sp_http_config config(char url[64])
{
    static const struct sp_http_header keys[] = { { "apikey", "canary-key-77" }, { "X-Empty", "" } };
    (void)snprintf(url, 64, "http://127.0.0.1:%u/base/", srv.port);
    return (struct sp_http_config){ .base = url,
        .what = "test",
        .answer_ms = 20000,
        .idle_ms = 20000,
        .connect_ms = 20000,
        .max_body = 1000,
        .headers = keys,
        .nheaders = 2 };
}

static int setup(void **state)
{
    (void)state;
    char url[64];
    struct sp_http_config c = config(url);
    return sp_http_open(&http, &c, &err);
}

static int hasty(void **state)
{
    (void)state;
    char url[64];
    struct sp_http_config c = config(url);
    c.answer_ms = 1500;
    c.idle_ms = 1000;
    return sp_http_open(&http, &c, &err);
}

static int teardown(void **state)
{
    (void)state;
    sp_http_close(http);
    sp_http_response_free(&answer);
    sp_error_clear(&err);
    return 0;
}

static int get(const char *target)
{
    struct sp_http_request q = { .method = "GET", .target = target, .repeat = SP_HTTP_AGAIN };
    sp_error_clear(&err);
    return sp_http_do(http, &q, &answer, &err);
}

static int post(void)
{
    struct sp_http_request q = {
        .method = "POST", .target = "/w", .body = "{}", .nbody = 2, .repeat = SP_HTTP_ONCE
    };
    sp_error_clear(&err);
    return sp_http_do(http, &q, &answer, &err);
}

static void assert_lost_write(int ret)
{
    assert_int_equal(ret, -SP_E_OUTCOME_UNKNOWN);
    assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
    assert_int_equal(err.origin, SP_ORIGIN_TRANSPORT);
    assert_int_equal(srv.next, 1);
}

static void what_is_sent(void **state)
{
    (void)state;
    SCRIPT({ GOOD, KEEP, 0 }, { GOOD, KEEP, 0 });
    struct sp_http_header own[] = { { "ApiKey", "another" } };
    struct sp_http_request q = { .method = "PATCH",
        .target = "/a/../b/./%2e?x=1",
        .body = "{}",
        .nbody = 2,
        .headers = own,
        .nheaders = 1 };
    assert_int_equal(sp_http_do(http, &q, &answer, &err), 0);
    assert_int_equal(answer.status, 200);
    assert_string_equal(answer.body.p, "ok");
    assert_string_equal(answer.request_id, "r-1");
    assert_string_equal(sp_http_header(&answer, "x-request-ID"), "r-1");
    assert_memory_equal(srv.requests[0], "PATCH /base/a/../b/./%2e?x=1 HTTP/1.1\r\n", 39);
    assert_non_null(strstr(srv.requests[0], "ApiKey: another\r\n"));
    assert_null(strstr(srv.requests[0], "canary-key-77"));
    assert_null(strcasestr(srv.requests[0], "expect"));
    assert_int_equal(get("/x"), 0);
    assert_non_null(strstr(srv.requests[1], "apikey: canary-key-77\r\n"));
    assert_non_null(strstr(srv.requests[1], "X-Empty:"));
}

static void reads_are_repeated(void **state)
{
    (void)state;
    SCRIPT({ "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", KEEP, 0 },
        { "HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", KEEP, 0 }, { "", RESET, 0 }, { GOOD, KEEP, 0 });
    double t = now();
    assert_int_equal(get("/x"), 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(srv.next, 4); /* the last one by libcurl, on a new connection */
    assert_true(now() - t >= 1.0);
}

static void repeats_end(void **state)
{
    (void)state;
    SCRIPT({ "", CLOSE, 0 }, { "", CLOSE, 0 }, { "", CLOSE, 0 }, { "", CLOSE, 0 }, { GOOD, KEEP, 0 });
    assert_int_equal(get("/x"), -SP_E_UNAVAILABLE);
    assert_int_equal(err.effect, SP_EFFECT_NONE);
    assert_true(err.retryable);
    assert_int_equal(srv.next, 4);
}

static void a_long_retry_after_is_handed_on(void **state)
{
    (void)state;
    SCRIPT({ "HTTP/1.1 429 Slow\r\nRetry-After: 3000\r\nContent-Length: 0\r\n\r\n", KEEP, 0 });
    struct sp_http_request q = { .method = "GET", .target = "/x", .repeat = SP_HTTP_AGAIN };
    assert_int_equal(get("/x"), 0);
    assert_int_equal(sp_http_status_error(http, &q, &answer, NULL, &err), -SP_E_RATE_LIMITED);
    assert_int_equal(err.retry_after_ms, 3000000);
    assert_true(err.retryable);
    assert_int_equal(srv.next, 1);
}

static void a_write_is_never_sent_twice(void **state)
{
    (void)state;
    { /* not after a status, either */
        SCRIPT({ "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", KEEP, 0 }, { GOOD, KEEP, 0 });
        struct sp_http_request q = { .method = "POST", .target = "/w", .repeat = SP_HTTP_ONCE };
        assert_int_equal(post(), 0);
        assert_int_equal(answer.status, 503);
        assert_int_equal(srv.next, 1);
        assert_int_equal(sp_http_status_error(http, &q, &answer, NULL, &err), -SP_E_OUTCOME_UNKNOWN);
        assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
    }
    {
        SCRIPT({ "", CLOSE, 0 }, { GOOD, KEEP, 0 });
        assert_lost_write(post());
    }
    {
        SCRIPT({ "", RESET, 0 }, { GOOD, KEEP, 0 });
        assert_lost_write(post());
    }
    {
        SCRIPT({ "HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nabc", CLOSE, 0 }, { GOOD, KEEP, 0 });
        assert_lost_write(post());
    }
    {
        SCRIPT({ "", HANG, 0 }, { GOOD, KEEP, 0 });
        double t = now();
        assert_lost_write(post());
        assert_true(now() - t < 10.0);
    }
}

/* A connection that was kept open and dies under the request: libcurl alone would send it again. */
static void not_even_on_a_kept_connection(void **state)
{
    (void)state;
    SCRIPT({ GOOD, KEEP, 0 }, { "", CLOSE, 0 }, { GOOD, KEEP, 0 });
    assert_int_equal(get("/x"), 0);
    assert_int_equal(post(), -SP_E_OUTCOME_UNKNOWN);
    assert_int_equal(srv.next, 2);
    assert_memory_equal(srv.requests[1], "POST", 4);
    assert_int_equal(get("/x"), 0); /* and the client goes on */
}

/* The kept connection dies under the request, and nobody listens any more: refused now, but it was sent before. */
static void nor_forgotten_when_nobody_listens_any_more(void **state)
{
    (void)state;
    SCRIPT({ GOOD, KEEP, 0 }, { "", CLOSE, 100 });
    assert_int_equal(get("/x"), 0);
    (void)shutdown(srv.fd, SHUT_RDWR);
    assert_int_equal(post(), -SP_E_OUTCOME_UNKNOWN);
    assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
    assert_int_equal(srv.next, 2);
    pthread_join(srv.listener, NULL);
    close(srv.fd);
    server_start();
}

static void what_is_cut_off_is_no_answer(void **state)
{
    (void)state;
    static const char *const cut[] = { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "HTTP/1.1 200 OK\r\nTransfer-Enc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "garbage\r\n\r\n" };
    for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
        struct answer all[4];
        for (size_t k = 0; k < 4; k++)
            all[k] = (struct answer){ cut[i], CLOSE, 0 };
        server_script(all, 4);
        assert_int_equal(get("/x"), -SP_E_UNAVAILABLE);
        if (srv.next != 4)
            fail_msg(
                "%s: asked %zu times: %s [%s]", cut[i], (size_t)srv.next, sp_error_text(&err), err.native);
    }
}

static void clocks(void **state)
{
    (void)state;
    double t = now();
    {
        SCRIPT({ "", HANG, 0 });
        assert_int_equal(get("/x"), -SP_E_TIMEOUT);
        assert_int_equal(err.effect, SP_EFFECT_NONE);
    }
    {
        SCRIPT({ "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HANG, 0 },
            { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HANG, 0 },
            { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", HANG, 0 }, { GOOD, KEEP, 0 });
        assert_int_equal(get("/x"), 0);
        assert_int_equal(answer.attempts, 4);
    }
    {
        SCRIPT({ GOOD, KEEP, 300 });
        struct sp_http_request q = {
            .method = "GET", .target = "/", .repeat = SP_HTTP_AGAIN, .total_ms = 100
        };
        assert_int_equal(sp_http_do(http, &q, &answer, &err), -SP_E_TIMEOUT);
    }
    assert_true(now() - t < 25.0);
}

static void limits(void **state)
{
    (void)state;
    static char big[3000], many[6000];
    size_t n = (size_t)snprintf(big, sizeof big, "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n");
    memset(big + n, 'x', 2000);
    struct answer one[] = { { big, KEEP, 0 } };
    server_script(one, 1);
    assert_int_equal(get("/x"), -SP_E_TOO_LARGE);
    n = (size_t)snprintf(many, sizeof many, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(many + n, sizeof many - n, "X-%d: y\r\n", i);
    (void)snprintf(many + n, sizeof many - n, "Content-Length: 0\r\n\r\n");
    one[0].bytes = many;
    server_script(one, 1);
    assert_int_equal(get("/x"), -SP_E_TOO_LARGE);
    assert_int_equal(srv.next, 1);
}

static void nothing_is_followed(void **state)
{
    (void)state;
    SCRIPT({ "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.2:1/?apikey=leak\r\nContent-Length: 0\r\n\r\n",
               KEEP, 0 },
        { GOOD, KEEP, 0 });
    struct sp_http_request q = { .method = "GET", .target = "/x", .repeat = SP_HTTP_AGAIN };
    assert_int_equal(get("/x"), 0);
    assert_int_equal(answer.status, 307);
    assert_int_equal(srv.next, 1);
    assert_int_equal(sp_http_status_error(http, &q, &answer, NULL, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "redirect"));
    assert_null(strstr(sp_error_text(&err), "leak"));
}

static void *stop_soon(void *arg)
{
    (void)usleep((useconds_t)(intptr_t)arg);
    sp_http_interrupt(http);
    return NULL;
}

static void interrupted(void **state)
{
    (void)state;
    pthread_t t;
    SCRIPT({ "", HANG, 0 }, { "HTTP/1.1 503 x\r\nRetry-After: 20\r\nContent-Length: 0\r\n\r\n", KEEP, 0 },
        { "", HANG, 0 }, { GOOD, KEEP, 0 });
    for (int i = 0; i < 3; i++) { /* in an answer, in a pause, in a write */
        double start = now();
        pthread_create(&t, NULL, stop_soon, (void *)(intptr_t)100000);
        int ret = i < 2 ? get("/x") : post();
        pthread_join(t, NULL);
        assert_int_equal(ret, i < 2 ? -SP_E_CANCELLED : -SP_E_OUTCOME_UNKNOWN);
        assert_true(now() - start < 10.0); /* not by a time-out */
        sp_http_rearm(http);
    }
    assert_int_equal(get("/x"), 0);
}

static int take(void *payload, const void *p, size_t n)
{
    return sp_buf_put(payload, p, n);
}

static void streams_are_not_repeated_in_the_middle(void **state)
{
    (void)state;
    SCRIPT({ "HTTP/1.1 502 x\r\nContent-Length: 3\r\n\r\nbad", KEEP, 0 },
        { "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", CLOSE, 100 }, { GOOD, KEEP, 0 });
    struct sp_buf got = SP_BUF_INIT;
    struct sp_http_request q = {
        .method = "GET", .target = "/", .repeat = SP_HTTP_AGAIN, .sink = take, .sink_payload = &got
    };
    assert_int_equal(sp_http_do(http, &q, &answer, &err), -SP_E_UNAVAILABLE);
    assert_string_equal(got.p, "abc");
    assert_int_equal(srv.next, 2);
    sp_buf_free(&got);
}

static int64_t give(void *payload, void *p, size_t n)
{
    int *left = payload;
    (void)n;
    if (*left == 0)
        return 0;
    --*left;
    memcpy(p, "piece", 5);
    return 5;
}

static void streams_go_out(void **state)
{
    (void)state;
    SCRIPT({ GOOD, KEEP, 0 });
    int left = 3;
    struct sp_http_request q = { .method = "PUT",
        .target = "/",
        .source = give,
        .source_payload = &left,
        .source_size = -1,
        .repeat = SP_HTTP_AGAIN };
    assert_int_equal(sp_http_do(http, &q, &answer, &err), 0);
    assert_memory_equal(srv.requests[0], "PUT ", 4);
    assert_non_null(strstr(srv.requests[0], "piece"));
}

static void several_at_a_time(void **state)
{
    (void)state;
    SCRIPT({ GOOD, KEEP, 1000 }, { GOOD, KEEP, 1000 }, { GOOD, KEEP, 1000 }, { GOOD, KEEP, 1000 });
    struct sp_http_request q = { .method = "GET", .target = "/", .repeat = SP_HTTP_AGAIN };
    struct sp_http_response r[4] = { 0 };
    struct sp_http_call *c[4];
    double t = now();
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(sp_http_start(http, &q, &r[i], &c[i], &err), 0);
    for (size_t i = 4; i-- > 0;) {
        assert_int_equal(sp_http_finish(c[i], &err), 0);
        assert_string_equal(r[i].body.p, "ok");
        sp_http_response_free(&r[i]);
    }
    assert_true(now() - t < 3.0);
    assert_int_equal(sp_http_start(http, &q, &answer, &c[0], &err), 0); /* close gives it up */
}

static void wait_for_request(size_t n)
{
    for (int i = 0; srv.next < n && i < 2000; i++)
        (void)usleep(10000);
    assert_int_equal(srv.next, n);
}

/* What is asked ahead goes out at once; the time in which nobody listens is not the server's; and it is repeated as any read. */
static void asked_ahead(void **state)
{
    (void)state;
    SCRIPT({ GOOD, KEEP, 0 }, { GOOD, KEEP, 3000 },
        { "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", KEEP, 0 }, { GOOD, KEEP, 0 }, { GOOD, KEEP, 0 },
        { GOOD, KEEP, 0 }, { "", HANG, 0 });
    struct sp_http_request q = { .method = "GET", .target = "/x", .repeat = SP_HTTP_ONCE };
    struct sp_http_call *c;
    assert_int_equal(sp_http_ahead(http, &q, &answer, &c, &err), -SP_E_INVALID);
    assert_null(c);
    sp_http_give_up(c);
    assert_int_equal(get("/first"), 0);
    q.repeat = SP_HTTP_AGAIN;
    q.total_ms = 2000;
    assert_int_equal(sp_http_ahead(http, &q, &answer, &c, &err), 0);
    (void)usleep(2700 * 1000);
    wait_for_request(2);
    assert_int_equal(sp_http_settle(c, &err), 0);
    assert_string_equal(answer.body.p, "ok");
    q.total_ms = 0;
    assert_int_equal(sp_http_ahead(http, &q, &answer, &c, &err), 0);
    assert_int_equal(sp_http_settle(c, &err), 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.attempts, 2);
    assert_int_equal(sp_http_ahead(http, &q, &answer, &c, &err), 0);
    wait_for_request(5); /* a later one would take a later answer */
    sp_http_give_up(c);
    assert_int_equal(get("/last"), 0);
    assert_int_equal(sp_http_ahead(http, &q, &answer, &c, &err), 0);
    wait_for_request(7);
    sp_http_interrupt(http);
    assert_int_equal(sp_http_settle(c, &err), -SP_E_CANCELLED);
}

static void who_is_talked_to(void **state)
{
    (void)state;
    char url[64];
    struct sp_http_config c = config(url);
    struct sp_http *h;
    static const char *const bad[] = { "ftp://127.0.0.1", "127.0.0.1", "http://u:p@127.0.0.1",
        "http://127.0.0.1/?a=1", "http://127.0.0.1/#f", "http://", "" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c.base = bad[i];
        assert_int_equal(sp_http_open(&h, &c, &err), -SP_E_INVALID);
    }
    c.insecure = true;
    c.base = "https://example.com";
    assert_int_equal(sp_http_open(&h, &c, &err), -SP_E_INVALID);
    c.base = "https://127.0.0.1:1";
    assert_int_equal(sp_http_open(&h, &c, &err), 0);
    sp_http_close(h);
    assert_true(
        sp_http_is_loopback("[::1]") && sp_http_is_loopback("127.9.9.9") && sp_http_is_loopback("LOCALHOST"));
    assert_false(sp_http_is_loopback("127.0.0.1.example.com") || sp_http_is_loopback("128.0.0.1") ||
                 sp_http_is_loopback("::2") || sp_http_is_loopback("localhost.example.com"));
    assert_int_equal(sp_http_set_header(http, "x", "a\r\nb: c", &err), -SP_E_INVALID);
    assert_int_equal(sp_http_set_header(http, "x y", "a", &err), -SP_E_INVALID);
}

static void nobody_there(void **state)
{
    (void)state;
    struct sp_http_config c = { .base = "http://127.0.0.1:1", .what = "test" };
    struct sp_http *h;
    struct sp_http_request q = { .method = "POST", .target = "/", .repeat = SP_HTTP_ONCE };
    assert_int_equal(sp_http_open(&h, &c, &err), 0);
    assert_int_equal(sp_http_do(h, &q, &answer, &err), -SP_E_UNAVAILABLE);
    assert_int_equal(err.effect, SP_EFFECT_NONE); /* surely not sent */
    sp_http_close(h);
}

static void loopback_needs_no_proxy(void **state)
{
    (void)state;
    SCRIPT({ GOOD, KEEP, 0 });
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    int ret = get("/x");
    unsetenv("http_proxy");
    assert_int_equal(ret, 0);
}

static void the_trace_hides_values(void **state)
{
    (void)state;
    SCRIPT({ GOOD, KEEP, 0 });
    char text[2000] = "";
    FILE *f = tmpfile();
    int old = dup(2);
    (void)dup2(fileno(f), 2);
    sp_log_level(3);
    int ret = get("/t?select=a%2Cb&email=eq.canary%40x&apikey=canary-key-78&limit=5");
    sp_log_level(1);
    (void)dup2(old, 2);
    close(old);
    rewind(f);
    (void)!fread(text, 1, sizeof text - 1, f);
    fclose(f);
    assert_int_equal(ret, 0);
    assert_non_null(strstr(text, "select=a%2Cb"));
    assert_non_null(strstr(text, "limit=5"));
    assert_non_null(strstr(text, "id r-1"));
    assert_null(strstr(text, "canary"));
}

static int init(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    server_start();
    return sp_http_init(&err);
}

static int done(void **state)
{
    (void)state;
    server_stop();
    return 0;
}

int main(void)
{
#define CASE(f)  cmocka_unit_test_setup_teardown(f, setup, teardown)
#define HASTY(f) cmocka_unit_test_setup_teardown(f, hasty, teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_is_sent),
        CASE(reads_are_repeated),
        CASE(repeats_end),
        CASE(a_long_retry_after_is_handed_on),
        HASTY(a_write_is_never_sent_twice),
        CASE(not_even_on_a_kept_connection),
        CASE(nor_forgotten_when_nobody_listens_any_more),
        CASE(what_is_cut_off_is_no_answer),
        HASTY(clocks),
        CASE(limits),
        CASE(nothing_is_followed),
        CASE(interrupted),
        CASE(streams_are_not_repeated_in_the_middle),
        CASE(streams_go_out),
        CASE(several_at_a_time),
        CASE(asked_ahead),
        CASE(who_is_talked_to),
        CASE(nobody_there),
        CASE(loopback_needs_no_proxy),
        CASE(the_trace_hides_values),
    };
    return cmocka_run_group_tests(tests, init, done);
}
