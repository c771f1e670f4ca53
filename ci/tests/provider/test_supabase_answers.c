/* test_supabase_answers.c -- what Supabase Auth and Storage answer, in the contract's words: a scripted server says what the
 * real ones say (and what stands before them), so that no wrong answer passes for a right one. What the real services do
 * is for the suites to find out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ci/tests/provider/supabase_says.h"

/* ---- opening -------------------------------------------------------------------------------------------------------- */

static void opened_by_whom(void **state)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    (void)state;
    says(200, "{\"disable_signup\":false,\"mailer_autoconfirm\":true}");
    says(404, "{}"); /* no uploads in parts */
    assert_int_equal(sp_effective(s, caps, &facts, &err), 0);
    assert_int_equal(facts.fidelity, SP_FID_REAL);
    assert_string_equal(facts.server_version, "GoTrue v2.196.0, storage-api 1.74.0");
    assert_int_equal(caps[SP_CAP_SIGN_UP].level, SP_CAP_YES);
    assert_int_equal(caps[SP_CAP_PUT].level, SP_CAP_YES);
    assert_int_equal(caps[SP_CAP_MULTIPART].level, SP_CAP_NO);
    fresh();
    says(200, "{\"disable_signup\":false,\"mailer_autoconfirm\":false}");
    says(404, "{}");
    assert_int_equal(sp_effective(s, caps, &facts, &err), 0);
    assert_int_equal(caps[SP_CAP_SIGN_UP].level, SP_CAP_NO);
    assert_non_null(caps[SP_CAP_SIGN_UP].why);
}

static void refused_at_the_door(void **state)
{
    (void)state;
    sp_close(s);
    s = NULL;
    fresh();
    says(401, "{\"message\":\"Invalid authentication credentials\"}"); /* the gateway's words */
    expect(open_it(), SP_E_AUTHENTICATION);
    fresh();
    says(200, GOTRUE);
    says(400,
        "{\"statusCode\":\"403\",\"error\":\"Unauthorized\",\"message\":\"signature verification failed\"}");
    expect(open_it(), SP_E_AUTHENTICATION);
    fresh();
    says(200, "<html><body>Project paused</body></html>");
    expect(open_it(), SP_E_CORRUPT);
    static const char *const bad[] = { "supabase:x", "supabase+ftp://h", "supabase+http://",
        "supabase+http://h?k=1", "supabase+https://u:p@" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        endpoint.url = bad[i];
        expect(sp_open(&s, &sp_provider_supabase, &endpoint, &err), SP_E_INVALID);
    }
}

/* ---- accounts ------------------------------------------------------------------------------------------------------- */

static void auth_words(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum sp_code code;
    } v[] = {
        { 400, "{\"code\":400,\"error_code\":\"invalid_credentials\",\"msg\":\"Invalid login credentials\"}",
            SP_E_AUTHENTICATION },
        { 400, "{\"code\":\"invalid_credentials\",\"message\":\"Invalid login credentials\"}",
            SP_E_AUTHENTICATION },
        { 400, "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid Refresh Token\"}",
            SP_E_AUTHENTICATION },
        { 400, "{\"code\":400,\"error_code\":\"user_banned\",\"msg\":\"User is banned\"}", SP_E_PERMISSION },
        { 400, "{\"code\":400,\"error_code\":\"email_not_confirmed\",\"msg\":\"Email not confirmed\"}",
            SP_E_PERMISSION },
        { 400, "{\"code\":400,\"error_code\":\"validation_failed\",\"msg\":\"missing email\"}",
            SP_E_AUTHENTICATION },
        { 401, "{\"message\":\"No API key found in request\"}", SP_E_AUTHENTICATION },
        { 429, "{\"code\":429,\"error_code\":\"over_request_rate_limit\",\"msg\":\"slow down\"}",
            SP_E_RATE_LIMITED },
        { 501, "<html>nothing here</html>", SP_E_UNSUPPORTED },
        { 400, "<html>Bad request</html>", SP_E_UNAVAILABLE }, /* not that the password is wrong */
        { 401, "\n<html>Who are you?</html>", SP_E_UNAVAILABLE },
        { 302, "", SP_E_UNAVAILABLE },
        { 200, "{\"access_token\":\"t\",\"user\":{}}", SP_E_CORRUPT },
        { 200, "[]", SP_E_CORRUPT },
        { 200, "{\"access_token\":", SP_E_CORRUPT },
        { 200, "<html>a proxy</html>", SP_E_CORRUPT },
    };
    struct sp_user u;
    struct sp_tokens k;
    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        fresh();
        says(v[i].status, v[i].body);
        expect(sp_auth_sign_in(s, &arena, "a@example.com", "secret-1", &u, &k, &err), v[i].code);
        assert_int_equal(srv.next, 1); /* never sent twice */
    }
}

static void sign_up_answers(void **state)
{
    struct sp_user u = { 0 };
    struct sp_tokens k = { 0 };
    (void)state;
    says(200,
        "{\"access_token\":\"a.b.c\",\"refresh_token\":\"r\",\"expires_in\":3600,\"user\":{\"id\":\"u-1\","
        "\"email\":\"a@example.com\",\"user_metadata\":{\"name\":\"Ann\"},\"app_metadata\":{\"provider\":"
        "\"email\","
        "\"providers\":[\"email\"],\"plan\":\"gold\"},\"email_confirmed_at\":\"2026-01-01T00:00:00Z\"}}");
    assert_int_equal(sp_auth_sign_up(s, &arena, "a@example.com", "secret-1", "Ann", &u, &k, &err), 0);
    assert_string_equal(u.id, "u-1");
    assert_string_equal(u.name, "Ann");
    assert_string_equal(u.claims, "{\"plan\":\"gold\"}");
    assert_true(u.email_verified);
    assert_int_equal(k.expires_in_s, 3600);
    assert_non_null(strstr(srv.requests[0], "apikey: " ANON));
    assert_null(strstr(srv.requests[0], SERVICE));
    fresh(); /* a user without identities is made up */
    says(200, "{\"id\":\"u-2\",\"email\":\"a@example.com\",\"identities\":[]}");
    expect(sp_auth_sign_up(s, &arena, "a@example.com", "secret-1", NULL, &u, &k, &err), SP_E_EXISTS);
    fresh();
    says(422, "{\"code\":422,\"error_code\":\"user_already_exists\",\"msg\":\"User already registered\"}");
    expect(sp_auth_sign_up(s, &arena, "a@example.com", "secret-1", NULL, &u, &k, &err), SP_E_EXISTS);
    fresh();
    says(422, "{\"code\":422,\"error_code\":\"weak_password\",\"msg\":\"too short\"}");
    expect(sp_auth_sign_up(s, &arena, "a@example.com", "x", NULL, &u, &k, &err), SP_E_INVALID);
    fresh(); /* the server would sign somebody up without a name */
    expect(sp_auth_sign_up(s, &arena, "", "secret-1", NULL, &u, &k, &err), SP_E_INVALID);
    assert_int_equal(srv.next, 1);
}

/* A write whose answer is lost may have happened. */
static void lost_answer(void **state)
{
    struct sp_user u;
    (void)state;
    script[0] = (struct answer){ .bytes = "", .then = CLOSE };
    server_script(script, 1);
    int rc = sp_auth_admin_create(s, &arena, "a@example.com", "secret-1", &u, &err);
    assert_int_equal(rc, -SP_E_OUTCOME_UNKNOWN);
    assert_int_equal(srv.next, 1);
}

/* A second copy of these is refused though the first one did it; and a page for people is no answer to a write. */
static void sent_once(void **state)
{
    static const char same[] = "{\"code\":422,\"error_code\":\"same_password\",\"msg\":\"the same\"}",
                      gone[] = "{\"code\":403,\"error_code\":\"session_not_found\",\"msg\":\"gone\"}";
    struct sp_user_change change = { .password = "secret-2" };
    struct sp_user u;
    (void)state;
    for (int i = 0; i < 2; i++) {
        fresh();
        says(200, "");
        says(i == 0 ? 422 : 403, i == 0 ? same : gone);
        script[0] = (struct answer){ .bytes = "", .then = CLOSE };
        server_script(script, 2);
        int rc = i == 0 ? sp_auth_user_update(s, &arena, "a.b.c", &change, &u, &err)
                        : sp_auth_sign_out(s, "a.b.c", &err);
        assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
        expect(rc, SP_E_OUTCOME_UNKNOWN);
        assert_int_equal(srv.next, 1);
    }
    fresh();
    says(200, "<html>Please sign in</html>");
    expect(sp_auth_sign_out(s, "a.b.c", &err), SP_E_OUTCOME_UNKNOWN);
    fresh();
    says(200, "  <!DOCTYPE html><html>Please sign in</html>");
    expect(sp_blob_copy(s, "b", "from", "to", &err), SP_E_OUTCOME_UNKNOWN);
    fresh();
    says(200, "<html>Please sign in</html>");
    int rc = sp_auth_admin_create(s, &arena, "a@example.com", "secret-1", &u, &err);
    assert_int_equal(err.effect, SP_EFFECT_UNKNOWN);
    expect(rc, SP_E_CORRUPT);
}

static void tokens_that_are_none(void **state)
{
    static const char *const bad[] = { "", "Bearer ", "a\r\nb: c", "caf\xc3\xa9" };
    struct sp_user u;
    (void)state;
    fresh();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect(sp_auth_user_get(s, &arena, bad[i], &u, &err), SP_E_AUTHENTICATION);
    expect(sp_auth_admin_get(s, &arena, "../settings", &u, &err), SP_E_NOT_FOUND);
    says(404, "{\"code\":404,\"error_code\":\"user_not_found\",\"msg\":\"User not found\"}");
    expect(sp_auth_user_get(s, &arena, "a.b.c", &u, &err), SP_E_AUTHENTICATION);
    assert_non_null(strstr(srv.requests[0], "Authorization: Bearer a.b.c"));
}

/* Pages come sorted by id. An account that came twice was moved by another one: listed again, until that is over. */
static void account_pages(void **state)
{
    const char *cursor = NULL;
    struct sp_user *u = NULL;
    size_t n = 0;
    (void)state;
    says(200, "{\"users\":[{\"id\":\"c\"},{\"id\":\"a\"},{\"id\":\"b\"}]}");
    says(200, "{\"users\":[]}");
    assert_int_equal(sp_auth_admin_list(s, &arena, &cursor, 2, &u, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(u[0].id, "a");
    assert_string_equal(u[1].id, "b");
    assert_non_null(cursor);
    assert_int_equal(sp_auth_admin_list(s, &arena, &cursor, 2, &u, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_string_equal(u[0].id, "c");
    assert_null(cursor);
    assert_int_equal(srv.next, 2);
    fresh();
    for (int i = 0; i < 2; i++) {
        says(200, i == 0 ? "{\"users\":[{\"id\":\"b\"},{\"id\":\"a\"},{\"id\":\"b\"}]}"
                         : "{\"users\":[{\"id\":\"b\"},{\"id\":\"a\"}]}");
        says(200, "{\"users\":[]}");
    }
    assert_int_equal(sp_auth_admin_list(s, &arena, &cursor, 9, &u, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_int_equal(srv.next, 4);
    fresh();
    says(200, "{\"users\":[{\"email\":\"no id\"}]}");
    expect(sp_auth_admin_list(s, &arena, &cursor, 2, &u, &n, &err), SP_E_CORRUPT);
}

/* ---- objects -------------------------------------------------------------------------------------------------------- */

#define INFO(size, etag)                                                                                     \
    "{\"size\":" size ",\"content_type\":\"text/plain\",\"etag\":\"\\\"" etag                                \
    "\\\"\",\"metadata\":{\"b\":\"2\",\"a\":\"1\"},\"last_modified\":\"2026-08-21T15:51:13.123Z\"}"

static void storage_words(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum sp_code code;
    } v[] = {
        { 400, "{\"statusCode\":\"404\",\"error\":\"not_found\",\"message\":\"Object not found\"}",
            SP_E_NOT_FOUND },
        { 400, "{\"statusCode\":\"404\",\"error\":\"x\",\"code\":\"NoSuchBucket\",\"message\":\"y\"}",
            SP_E_NOT_FOUND },
        { 400, "{\"statusCode\":\"403\",\"error\":\"Unauthorized\",\"message\":\"Invalid Compact JWS\"}",
            SP_E_AUTHENTICATION },
        { 400,
            "{\"statusCode\":\"403\",\"error\":\"Unauthorized\",\"message\":\"new row violates row-level "
            "security\"}",
            SP_E_PERMISSION },
        { 400, "{\"statusCode\":\"413\",\"error\":\"Payload too large\",\"message\":\"y\"}", SP_E_TOO_LARGE },
        { 400, "{\"statusCode\":\"400\",\"code\":\"InvalidKey\",\"message\":\"Invalid key: x\"}",
            SP_E_INVALID },
        { 544, "{\"statusCode\":\"544\",\"code\":\"DatabaseTimeout\",\"message\":\"y\"}", SP_E_TIMEOUT },
        { 200, "{\"size\":-1,\"last_modified\":\"2026-08-21T15:51:13Z\"}", SP_E_CORRUPT },
        { 200, "{\"size\":\"5\",\"last_modified\":\"2026-08-21T15:51:13Z\"}", SP_E_CORRUPT },
        { 200, "{\"size\":5,\"last_modified\":\"yesterday\"}", SP_E_CORRUPT },
        { 200, "<html>a proxy</html>", SP_E_CORRUPT },
    };
    struct sp_object o;
    (void)state;
    for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
        fresh();
        says(v[i].status, v[i].body);
        expect(sp_blob_head(s, &arena, "b", "k", &o, &err), v[i].code);
    }
    fresh();
    says(200, INFO("5", "abc"));
    assert_int_equal(sp_blob_head(s, &arena, "b", "dir/a b+c%.txt", &o, &err), 0);
    assert_string_equal(o.etag, "abc");
    assert_string_equal(o.meta[0].name, "a");
    assert_int_equal(o.modified.nsec, 123000000);
    assert_non_null(strstr(srv.requests[0], "GET /storage/v1/object/info/b/dir/a%20b+c%25.txt HTTP"));
}

/* Ranges, also from a server that passes over them; a content that changed between two answers is not given out. */
static void reading(void **state)
{
    struct sp_buf b = SP_BUF_INIT;
    (void)state;
    fresh();
    says(200, INFO("10", "abc"));
    says(200, "0123456789"); /* no 206: all of it, which nobody asked for */
    expect(sp_blob_get_range(s, "b", "k", 3, 4, &b, &err), SP_E_UNSUPPORTED);
    assert_int_equal(b.n, 0);
    assert_non_null(strstr(srv.requests[1], "Range: bytes=3-6"));
    fresh();
    says(200, INFO("10", "abc"));
    script[scripted++] = (struct answer){
        .bytes = "HTTP/1.1 206 X\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 4\r\n\r\n0123"
    }; /* another part */
    server_script(script, scripted);
    expect(sp_blob_get_range(s, "b", "k", 3, 4, &b, &err), SP_E_UNSUPPORTED);
    sp_buf_clear(&b);
    fresh();
    says(200, INFO("10", "abc"));
    script[scripted++] = (struct answer){
        .bytes = "HTTP/1.1 206 X\r\nContent-Range: bytes 3-6/10\r\nContent-Length: 4\r\n\r\n3456"
    };
    server_script(script, scripted);
    assert_int_equal(sp_blob_get_range(s, "b", "k", 3, 4, &b, &err), 0);
    assert_int_equal(b.n, 4);
    assert_memory_equal(b.p, "3456", 4);
    fresh();
    says(200, INFO("10", "abc"));
    says(200, "01234");
    sp_buf_clear(&b);
    expect(sp_blob_get(s, "b", "k", &b, &err), SP_E_CONFLICT); /* shorter than announced */
    fresh();
    says(200, INFO("4", "abc"));
    says(200, "01234");
    sp_buf_clear(&b);
    expect(sp_blob_get(s, "b", "k", &b, &err), SP_E_CONFLICT); /* longer */
    fresh();
    says(200, INFO("5", "abc"));
    script[1] =
        (struct answer){ .bytes = "HTTP/1.1 200 OK\r\nETag: \"other\"\r\nContent-Length: 5\r\n\r\n01234" };
    server_script(script, 2);
    sp_buf_clear(&b);
    expect(sp_blob_get(s, "b", "k", &b, &err), SP_E_CONFLICT); /* another object than announced */
    fresh();
    says(200, INFO("10", "abc"));
    expect(sp_blob_get_range(s, "b", "k", 10, 1, &b, &err), SP_E_RANGE);
    sp_buf_free(&b);
}

static void listing(void **state)
{
#define OBJECT(name)                                                                                         \
    "{\"name\":\"" name                                                                                      \
    "\",\"updated_at\":\"2026-08-21T15:51:13Z\",\"metadata\":{\"size\":1,\"eTag\":\"\\\"e\\\"\","            \
    "\"mimetype\":\"text/plain\"}}"
    const char *cursor = NULL;
    struct sp_object *o = NULL;
    size_t n = 0;
    (void)state;
    fresh();
    says(200, "{\"hasNext\":true,\"nextCursor\":\"xyz\",\"folders\":[{\"name\":\"b/\"}],\"objects\":[" OBJECT(
                  "c") "]}");
    assert_int_equal(sp_blob_list(s, &arena, "b", "", "/", &cursor, 2, &o, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_string_equal(o[0].key, "b/");
    assert_true(o[0].is_prefix);
    assert_string_equal(cursor, "xyz");
    fresh(); /* more than was asked for: something would be passed over */
    cursor = NULL;
    says(200, "{\"hasNext\":false,\"folders\":[],\"objects\":[" OBJECT("a") "," OBJECT("b") "]}");
    expect(sp_blob_list(s, &arena, "b", "", NULL, &cursor, 1, &o, &n, &err), SP_E_CORRUPT);
    fresh(); /* more to come, but no way to it */
    cursor = NULL;
    says(200, "{\"hasNext\":true,\"folders\":[],\"objects\":[" OBJECT("a") "]}");
    expect(sp_blob_list(s, &arena, "b", "", NULL, &cursor, 1, &o, &n, &err), SP_E_CORRUPT);
    fresh(); /* nothing in it, or no bucket at all */
    cursor = NULL;
    says(200, "{\"hasNext\":false,\"folders\":[],\"objects\":[]}");
    says(400, "{\"statusCode\":\"404\",\"error\":\"x\",\"code\":\"NoSuchBucket\",\"message\":\"Bucket not "
              "found\"}");
    expect(sp_blob_list(s, &arena, "b", "", NULL, &cursor, 1, &o, &n, &err), SP_E_NOT_FOUND);
}

/* Buckets come in pages, of whatever size the server likes. */
static void bucket_pages(void **state)
{
    struct sp_names list = { .arena = SP_ARENA_INIT };
    (void)state;
    says(200, "[{\"name\":\"b\"},{\"name\":\"c\"}]");
    says(200, "[{\"name\":\"a\"}]");
    says(200, "[]");
    assert_int_equal(sp_blob_bucket_list(s, "", &list, &err), 0);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.v[0], "a");
    assert_non_null(strstr(srv.requests[1], "offset=2&"));
    assert_non_null(strstr(srv.requests[2], "offset=3&"));
    sp_names_free(&list);
    fresh(); /* a server that knows no pages */
    says(200, "[{\"name\":\"b\"},{\"name\":\"c\"}]");
    says(200, "[{\"name\":\"b\"},{\"name\":\"c\"}]");
    list = (struct sp_names){ .arena = SP_ARENA_INIT };
    assert_int_equal(sp_blob_bucket_list(s, "b", &list, &err), 0);
    assert_int_equal(list.n, 1);
    assert_int_equal(srv.next, 2);
    sp_names_free(&list);
}

/* The answer is lost, and asked once more the bucket is gone: it was dropped. */
static void bucket_drop_twice(void **state)
{
    static const char none[] =
        "{\"statusCode\":\"404\",\"error\":\"x\",\"code\":\"NoSuchBucket\",\"message\":\"y\"}";
    (void)state;
    says(200, "{\"name\":\"b\"}");
    says(200, "{\"hasNext\":false,\"folders\":[],\"objects\":[]}");
    says(200, "{\"name\":\"b\"}");
    says(200, "");
    says(400, none);
    script[3] = (struct answer){ .bytes = "", .then = CLOSE };
    server_script(script, 5);
    assert_int_equal(sp_blob_bucket_drop(s, "b", &err), 0);
    assert_int_equal(srv.next, 5);
    fresh();
    says(400, none);
    expect(sp_blob_bucket_drop(s, "b", &err), SP_E_NOT_FOUND);
}

/* What the service does not do is refused, not passed over. */
static void conditions(void **state)
{
    struct sp_put_opts o = { .if_none_match = true };
    struct sp_buf b = SP_BUF_INIT;
    (void)state;
    fresh();
    server_script(script, 0);
    expect(sp_blob_put(s, "b", "k", "x", 1, &o, &err), SP_E_UNSUPPORTED);
    o = (struct sp_put_opts){ .if_match = "e" };
    expect(sp_blob_put(s, "b", "k", "x", 1, &o, &err), SP_E_UNSUPPORTED);
    o = (struct sp_put_opts){ .sha256_hex =
                                  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" };
    expect(sp_blob_put(s, "b", "k", "x", 1, &o, &err), SP_E_UNSUPPORTED);
    o = (struct sp_put_opts){ .content_type = "text/plain\r\nX-Break: 1" }; /* would be a header of its own */
    expect(sp_blob_put(s, "b", "k", "x", 1, &o, &err), SP_E_INVALID);
    assert_int_equal(srv.next, 0);
    expect(sp_blob_fetch_signed(s, "http://127.0.0.1:1/elsewhere?token=x", 0, &b, &err), SP_E_AUTHENTICATION);
}

static void signed_urls(void **state)
{
    const char *signed_url = NULL;
    struct sp_buf b = SP_BUF_INIT;
    (void)state;
    fresh();
    says(200, "{\"signedURL\":\"/object/sign/b/a b.txt?token=t.o.k\"}");
    assert_int_equal(sp_blob_sign(s, &arena, "b", "a b.txt", "GET", 60, &signed_url, &err), 0);
    assert_non_null(strstr(signed_url, "/storage/v1/object/sign/b/a%20b.txt?token=t.o.k"));
    fresh();
    says(200, "content");
    assert_int_equal(sp_blob_fetch_signed(s, signed_url, 0, &b, &err), 0);
    assert_null(strstr(srv.requests[0], SERVICE)); /* without other credentials */
    assert_null(strstr(srv.requests[0], "Authorization"));
    fresh();
    says(400, "{\"statusCode\":\"400\",\"error\":\"InvalidJWT\",\"message\":\"\\\"exp\\\" claim timestamp "
              "check failed\"}");
    sp_buf_clear(&b);
    expect(sp_blob_fetch_signed(s, signed_url, 0, &b, &err), SP_E_AUTHENTICATION);
    assert_int_equal(b.n, 0);
    fresh(); /* which is not said by who stands before it */
    says(404, "<html>no such page</html>");
    expect(sp_blob_fetch_signed(s, signed_url, 0, &b, &err), SP_E_UNAVAILABLE);
    fresh();
    says(307, "");
    expect(sp_blob_fetch_signed(s, signed_url, 0, &b, &err), SP_E_UNAVAILABLE);
    fresh();
    expect(sp_blob_fetch_signed(s, signed_url, 120, &b, &err), SP_E_UNSUPPORTED);
    sp_buf_free(&b);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = { T(opened_by_whom), T(refused_at_the_door), T(auth_words),
        T(sign_up_answers), T(lost_answer), T(sent_once), T(tokens_that_are_none), T(account_pages),
        T(storage_words), T(reading), T(listing), T(bucket_pages), T(bucket_drop_twice), T(conditions),
        T(signed_urls) };
    (void)signal(SIGPIPE, SIG_IGN);
    if (sp_provider_supabase.process_init(&err) != 0)
        return 1;
    server_start();
    int failed = cmocka_run_group_tests_name("supabase_answers", tests, NULL, NULL);
    server_stop();
    return failed;
}
