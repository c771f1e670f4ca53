/* test_supabase_trial.c -- servers that speak the language of Supabase Auth and Storage, and are others: what is found out of them
 * when a session opens, and what that leaves behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ci/tests/provider/supabase_says.h"

/* What the session told about the bucket of its trial. */
static struct {
    struct sp_notes base;
    char made[96];
    int n, gone;
    bool full;
} told;
static int tell(struct sp_notes *n, bool made, const char *name, struct sp_error *e)
{
    assert_ptr_equal(n, &told.base);
    if (told.full)
        return sp_fail(e, SP_E_IO, SP_ORIGIN_HARNESS, "the disk is full");
    told.n++;
    told.gone += made ? 0 : 1;
    if (made)
        sp_strlcpy(told.made, name, sizeof told.made);
    assert_string_equal(told.made, name);
    return 0;
}

#define NO_CALL                                                                                              \
    "{\"code\":401,\"error_code\":\"no_authorization\",\"msg\":\"This endpoint requires a Bearer token\"}"
#define NO_ROUTE "{\"message\":\"Route not found\",\"error\":\"Not Found\",\"statusCode\":404}"

static void stand_in_greets(void)
{
    sp_close(s);
    s = NULL;
    fresh();
    says(200, "{\"version\":\"eyJhbGci\",\"name\":\"GoTrue\"}");
    says(200, "[]");
    says(404, NO_ROUTE);
}

/* Another implementation is named as one. What it does is found out by writing, so not by who may only read; one without
 * administration, which answers to that call what it answers to any that it does not have, is said to have none. */
static void stand_in(void **state)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    struct sp_user u;
    (void)state;
    stand_in_greets();
    says(401, NO_CALL);
    says(401, NO_CALL);
    access_now = SP_ACCESS_READ_ONLY;
    int rc = open_it();
    access_now = SP_ACCESS_DISPOSABLE;
    assert_int_equal(rc, 0);
    assert_int_equal(sp_effective(s, caps, &facts, &err), 0);
    assert_int_equal(facts.fidelity, SP_FID_COMPATIBLE);
    assert_int_equal(caps[SP_CAP_SIGN_IN].level, SP_CAP_NO);
    assert_non_null(strstr(caps[SP_CAP_SIGN_IN].why, "no admin API"));
    assert_int_equal(caps[SP_CAP_PUT].level, SP_CAP_NO);
    assert_non_null(strstr(caps[SP_CAP_PUT].why, "disposable"));
    expect(sp_auth_user_get(s, &arena, "token", &u, &err), SP_E_UNSUPPORTED);
    expect(sp_blob_head(s, &arena, "b", "k", &(struct sp_object){ 0 }, &err), SP_E_UNSUPPORTED);
}

/* One that lacks half of it: the other half is offered, and nothing that was not seen to work. */
static void half_of_it(void **state)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    struct sp_buf b = SP_BUF_INIT;
    struct sp_object o;
    const char *link = NULL;
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"abc\"\r\n"
                               "Content-Type: text/plain\r\n\r\n";
    (void)state;
    stand_in_greets();
    says(200, "{\"name\":\"x\"}");                                                       /* the bucket */
    says(200, "{\"Key\":\"x/probe.txt\"}");                                              /* the object */
    says(200, "{\"name\":\"probe.txt\",\"updated_at\":\"2026-11-21 13:27:56.668+00\"}"); /* its info */
    script[scripted++] = (struct answer){ .bytes = head };
    says(200, "0123456789"); /* a range: all of it */
    says(400, "{\"statusCode\":\"404\",\"error\":\"Bucket not found\",\"message\":\"Bucket not found\"}");
    says(200, "{\"signedUrl\":\"/x\"}"); /* as no client reads it */
    says(404, NO_ROUTE);                 /* an upload in parts */
    says(200, "[{\"name\":\"probe.txt\"}]");
    says(200, "{\"message\":\"Successfully deleted\"}");
    says(403, "{\"code\":403,\"error_code\":\"not_admin\",\"msg\":\"no\"}");
    says(404, NO_ROUTE);
    assert_int_equal(open_it(), 0);
    assert_non_null(strstr(srv.requests[3], "POST /storage/v1/bucket "));
    assert_non_null(strstr(srv.requests[12], "DELETE /storage/v1/bucket/sp-probe-"));
    assert_int_equal(sp_effective(s, caps, &facts, &err), 0);
    assert_non_null(strstr(caps[SP_CAP_SIGN_IN].why, "for this key")); /* there is one, for others */
    static const enum sp_cap_id there[] = { SP_CAP_BUCKETS, SP_CAP_PUT, SP_CAP_GET, SP_CAP_HEAD,
        SP_CAP_COPY },
                                gone[] = { SP_CAP_RANGE, SP_CAP_LIST, SP_CAP_DELIMITER, SP_CAP_METADATA,
                                    SP_CAP_CONTENT_TYPE, SP_CAP_SIGNED_URL, SP_CAP_MULTIPART };
    for (size_t i = 0; i < sizeof there / sizeof *there; i++)
        assert_int_equal(caps[there[i]].level, SP_CAP_YES);
    for (size_t i = 0; i < sizeof gone / sizeof *gone; i++) {
        assert_int_equal(caps[gone[i]].level, SP_CAP_NO);
        assert_non_null(caps[gone[i]].why);
    }
    fresh();
    says(200, "{\"name\":\"k\",\"updated_at\":\"2026-11-21 13:27:56.668+00\"}");
    script[scripted++] = (struct answer){ .bytes = head };
    server_script(script, scripted);
    assert_int_equal(sp_blob_head(s, &arena, "b", "k", &o, &err), 0);
    assert_int_equal(o.size, 10);
    assert_string_equal(o.etag, "abc");
    assert_string_equal(o.content_type, "text/plain");
    fresh();
    expect(sp_blob_get_range(s, "b", "k", 3, 4, &b, &err), SP_E_UNSUPPORTED);
    expect(sp_blob_sign(s, &arena, "b", "k", "GET", 60, &link, &err), SP_E_UNSUPPORTED);
    sp_buf_free(&b);
}

/* The bucket of the trial is noted before it is asked for; it stays noted unless it is known to be gone, or never to have been. */
static void the_trial_is_noted(void **state)
{
    static const char made[] = "{\"name\":\"x\"}",
                      denied[] = "{\"statusCode\":\"403\",\"error\":\"Unauthorized\",\"message\":\"no\"}";
    (void)state;
    notes_now = &told.base;
    for (int how = 0; how < 4; how++) {
        memset(&told, 0, sizeof told);
        told.base = (struct sp_notes){ .stem = "sp-1a2b3c4d-", .bucket = tell };
        told.full = how == 3;
        stand_in_greets();
        if (how == 0) { /* the answer to the first call is lost */
            script[scripted++] = (struct answer){ .bytes = "", .then = CLOSE };
            server_script(script, scripted);
        } else if (how == 1) { /* the bucket is refused */
            says(400, denied);
            says(400, denied);
            says(200, "{\"users\":[]}");
        } else if (how == 2) { /* it is made, and cannot be filled nor dropped */
            says(200, made);
            says(400, denied);
            says(400, denied);
            says(200, "{\"users\":[]}");
        }
        int rc = open_it();
        if (how == 0 || how == 3)
            assert_int_not_equal(rc, 0);
        else
            assert_int_equal(rc, 0);
        assert_int_equal(told.n, how == 3 ? 0 : how == 1 ? 2 : 1);
        assert_int_equal(told.gone, how == 1 ? 1 : 0);
        if (how == 3) {
            assert_int_equal(rc, -SP_E_IO);
            assert_int_equal(srv.next, 3); /* nothing was made */
        } else {
            assert_int_equal(strncmp(told.made, "sp-1a2b3c4d-probe-", 18), 0);
            assert_non_null(strstr(srv.requests[3], told.made));
        }
        sp_error_clear(&err);
    }
    notes_now = NULL;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = { T(stand_in), T(half_of_it), T(the_trial_is_noted) };
    (void)signal(SIGPIPE, SIG_IGN);
    if (sp_provider_supabase.process_init(&err) != 0)
        return 1;
    server_start();
    int failed = cmocka_run_group_tests_name("supabase_trial", tests, NULL, NULL);
    server_stop();
    return failed;
}
