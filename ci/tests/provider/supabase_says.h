/* supabase_says.h -- a session with a scripted server that says what Supabase Auth and Storage say, and what stands before them. */
#ifndef SP_TEST_SUPABASE_SAYS_H
#define SP_TEST_SUPABASE_SAYS_H

#include "base/str.h"
#include "ci/tests/provider/http_server.h"
#include "provider_call.h"
#include "providers/supabase/supabase.h"

#define ANON    "anon-key-canary"
#define SERVICE "service-key-canary"
#define KEEPS   "\r\nContent-Type: application/json\r\nContent-Length: "

static struct sp_error err = SP_ERROR_INIT;
static struct sp_session *s;
static struct sp_arena arena = SP_ARENA_INIT;
static struct sp_endpoint endpoint;
static const char *const names[] = { "anon_key", "service_key" };
static const char *values[] = { ANON, SERVICE };
static char url[64], texts[32][2048];
static struct answer script[32];
static size_t scripted;

/* The answers of a fresh script, in the order of the requests. */
static void says(int status, const char *body)
{
    (void)snprintf(
        texts[scripted], sizeof texts[0], "HTTP/1.1 %d X" KEEPS "%zu\r\n\r\n%s", status, strlen(body), body);
    script[scripted] = (struct answer){ .bytes = texts[scripted] };
    scripted++;
    server_script(script, scripted);
}

static void fresh(void)
{
    scripted = 0;
    sp_error_clear(&err);
}

static void greets(const char *version, int bucket_status, const char *buckets, int admin)
{
    fresh();
    says(200, version);
    says(bucket_status, buckets);
    says(200, "1.74.0");
    says(admin,
        admin == 200 ? "{\"users\":[]}" : "{\"code\":403,\"error_code\":\"not_admin\",\"msg\":\"no\"}");
    if (admin != 200)
        says(404, "{\"code\":404,\"error_code\":\"not_found\",\"msg\":\"no such call\"}");
}

#define GOTRUE "{\"version\":\"v2.196.0\",\"name\":\"GoTrue\",\"description\":\"x\"}"

static struct sp_notes *notes_now;
static enum sp_access access_now = SP_ACCESS_DISPOSABLE;

static int open_it(void)
{
    (void)snprintf(url, sizeof url, "supabase+http://127.0.0.1:%u", srv.port);
    endpoint = (struct sp_endpoint){ .name = "supa",
        .url = url,
        .access = access_now,
        .option_names = names,
        .option_values = values,
        .noptions = 2,
        .notes = notes_now,
        .connect_timeout_ms = 2000,
        .statement_timeout_ms = 4000 };
    return sp_open(&s, &sp_provider_supabase, &endpoint, &err);
}

static int setup(void **state)
{
    (void)state;
    greets(GOTRUE, 200, "[]", 200);
    assert_int_equal(open_it(), 0);
    fresh();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sp_close(s);
    s = NULL;
    sp_arena_free(&arena);
    sp_error_clear(&err);
    return 0;
}

static void expect(int rc, enum sp_code code)
{
    assert_int_equal(rc, -(int)code);
    assert_int_equal(err.code, code);
    if (err.text != NULL) {
        assert_null(strstr(err.text, SERVICE));
        assert_null(strstr(err.text, ANON));
    }
    sp_error_clear(&err);
}

#endif
