/* test_supabase_uploads.c -- uploads in parts by TUS: whatever happens to a request, no byte comes twice and none is lost, an object
 * appears once and whole, or the error says what became of it. Before a server of the test's own; what the real service does is
 * for the suites to find out. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/str.h"
#include "ci/tests/provider/tus_server.h"
#include "provider_call.h"
#include "providers/supabase/supabase.h"

enum { PART = 6 * 1024 * 1024, SMALL = 1234 };
#define SERVICE "service-key-canary"

static struct sp_error err = SP_ERROR_INIT;
static struct sp_arena arena = SP_ARENA_INIT;
static struct sp_session *s;
static char storage_url[64];
static const char *const names[] = { "service_key", "storage_url", "auth_url", "rest_path" };
static const char *values[] = { SERVICE, storage_url, "none", "none" };
static struct sp_endpoint endpoint = { .name = "supa",
    .url = "supabase+http://127.0.0.1:9",
    .access = SP_ACCESS_DISPOSABLE,
    .option_names = names,
    .option_values = values,
    .noptions = 4,
    .connect_timeout_ms = 20000,
    .statement_timeout_ms = 60000 };
static unsigned char *bytes;

static struct sp_session *another(void)
{
    struct sp_session *x = NULL;
    (void)snprintf(storage_url, sizeof storage_url, "http://127.0.0.1:%u", tus.port);
    assert_int_equal(sp_open(&x, &sp_provider_supabase, &endpoint, &err), 0);
    return x;
}

static int setup(void **state)
{
    (void)state;
    tus.times = 0;
    s = another();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    sp_close(s);
    s = NULL;
    sp_arena_free(&arena);
    sp_error_clear(&err);
    free(tus.object);
    tus.object = NULL;
    tus.is = false;
    return 0;
}

static void spoil(const char *method, enum spoil how, unsigned times)
{
    tus.on = method;
    tus.spoil = how;
    tus.times = times;
}

static void expect(int rc, enum sp_code code)
{
    if (rc != -(int)code)
        print_error("%s\n", sp_error_text(&err));
    assert_int_equal(rc, -(int)code);
    assert_true(err.text == NULL || strstr(err.text, SERVICE) == NULL);
    sp_error_clear(&err);
}

static const char *begin(void)
{
    const char *id = NULL;
    assert_int_equal(sp_blob_upload_begin(s, &arena, "b", "dir/k.bin", NULL, &id, &err), 0);
    return id;
}

static int part(const char *id, unsigned n)
{
    return sp_blob_upload_part(s, id, n, bytes + (n - 1) * (size_t)PART, n == 1 ? PART : SMALL, &err);
}

static int complete(const char *id)
{
    struct sp_object o = { 0 };
    int rc = sp_blob_upload_complete(s, &arena, id, &o, &err);
    if (rc == 0) {
        assert_string_equal(o.key, "dir/k.bin");
        assert_int_equal(o.size, tus.nobject);
    }
    return rc;
}

/* The object is what was sent, once. */
static void whole(void)
{
    assert_non_null(tus.object);
    assert_int_equal(tus.nobject, PART + SMALL);
    assert_memory_equal(tus.object, bytes, PART + SMALL);
}

static void plain(void **state)
{
    (void)state;
    const struct sp_meta meta[] = { { "owner", "ann" } };
    const struct sp_put_opts o = { .content_type = "video/mp4", .meta = meta, .nmeta = 1 };
    const char *id = NULL;
    assert_int_equal(sp_blob_upload_begin(s, &arena, "b", "dir/k.bin", &o, &id, &err), 0);
    assert_int_equal(part(id, 1), 0);
    assert_int_equal(part(id, 2), 0);
    assert_null(tus.object); /* not before it is complete */
    assert_int_equal(complete(id), 0);
    whole();
    assert_string_equal(tus.object_meta, "bucketName Yg==,objectName ZGlyL2suYmlu,contentType dmlkZW8vbXA0,"
                                         "metadata eyJvd25lciI6ImFubiJ9");
    expect(complete(id), SP_E_NOT_FOUND);
    expect(part(id, 2), SP_E_NOT_FOUND);
    expect(sp_blob_upload_abort(s, id, &err), SP_E_NOT_FOUND);
}

/* Each fault on one request of the first part: a safe end, and the whole object, or the error that it means. */
static void faults_in_parts(void **state)
{
    static const struct {
        enum spoil how;
        unsigned times;
        enum sp_code code;
    } v[] = {
        { CUT, 1, SP_E_OK },
        { CUT, 9, SP_E_OK }, /* each brings half of what is missing, and then it ends */
        { CUT_BEFORE, 1, SP_E_OK },
        { CUT_BEFORE, 99, SP_E_OUTCOME_UNKNOWN },
        { SWALLOW, 1, SP_E_OK },
        { TAKE_HALF, 3, SP_E_OK },
        { TAKE_NONE, 99, SP_E_CORRUPT },
        { PAGE, 1, SP_E_OK },
        { GATEWAY, 1, SP_E_OK },
        { STRANGER, 1, SP_E_CONFLICT },
        { LOCKED, 2, SP_E_OK },
        { LOCKED, 99, SP_E_CONFLICT },
        { GONE, 1, SP_E_NOT_FOUND },
        { LARGE, 1, SP_E_TOO_LARGE },
        { FAILS, 1, SP_E_OK },
        { FAILS, 99, SP_E_OUTCOME_UNKNOWN },
    };
    (void)state;
    for (size_t i = 0; i < SP_LEN(v); i++) {
        const char *id = begin();
        spoil("PATCH", v[i].how, v[i].times);
        int rc = part(id, 1);
        if (rc != -(int)v[i].code)
            print_error("fault %zu: %s\n", i, sp_error_text(&err));
        expect(rc, v[i].code);
        spoil("PATCH", FINE, 0);
        assert_null(tus.object);
        bool again = v[i].code == SP_E_OK || v[i].code == SP_E_OUTCOME_UNKNOWN || v[i].how == LOCKED ||
                     v[i].how == LARGE || v[i].how == TAKE_NONE;
        if (!again) {
            expect(sp_blob_upload_abort(s, id, &err), SP_E_OK);
            continue;
        }
        assert_int_equal(part(id, 1), 0); /* the same once more: it is there, or goes on where it broke */
        assert_int_equal(part(id, 2), 0);
        assert_int_equal(complete(id), 0);
        whole();
        free(tus.object);
        tus.object = NULL;
    }
}

/* The last request of all decides whether there is an object: an answer that was lost is looked for, never guessed. */
static void faults_at_the_end(void **state)
{
    static const struct {
        enum spoil how;
        unsigned times;
        enum sp_code code;
    } v[] = {
        { CUT_BEFORE, 1, SP_E_OK },
        { SWALLOW, 1, SP_E_OK },
        { GATEWAY, 1, SP_E_OK },
        { PAGE, 1, SP_E_OK },
        { CUT_BEFORE, 99, SP_E_OUTCOME_UNKNOWN },
        { LARGE, 1, SP_E_TOO_LARGE },
        { STRANGER, 1, SP_E_CONFLICT },
        { GONE, 1, SP_E_NOT_FOUND },
    };
    (void)state;
    for (size_t i = 0; i < SP_LEN(v); i++) {
        const char *id = begin();
        assert_int_equal(part(id, 1), 0);
        assert_int_equal(part(id, 2), 0);
        tus.patches = 0;
        spoil("PATCH", v[i].how, v[i].times);
        int rc = complete(id);
        if (rc != -(int)v[i].code)
            print_error("fault %zu: %s\n", i, sp_error_text(&err));
        expect(rc, v[i].code);
        spoil("PATCH", FINE, 0);
        assert_true(tus.patches <= 5);
        if (rc == 0)
            whole();
        else
            assert_null(tus.object);
        free(tus.object);
        tus.object = NULL;
    }
}

static void *replace_it(void *arg)
{
    (void)arg;
    for (bool done = false; !done; (void)usleep(1000)) {
        pthread_mutex_lock(&tus.lock);
        done = tus.ended;
        if (done)
            tus.object_version += 100;
        pthread_mutex_unlock(&tus.lock);
    }
    return NULL;
}

/* The answer is lost, and what stands there afterwards is another one's object: nobody knows whether ours ever was there. */
static void replaced_at_the_end(void **state)
{
    pthread_t t;
    (void)state;
    const char *id = begin();
    assert_int_equal(part(id, 1), 0);
    assert_int_equal(pthread_create(&t, NULL, replace_it, NULL), 0);
    spoil("PATCH", SWALLOW, 1);
    int rc = complete(id);
    pthread_join(t, NULL);
    expect(rc, SP_E_OUTCOME_UNKNOWN);
}

static void given_up(void **state)
{
    static const enum spoil how[] = { FINE, SWALLOW, CUT_BEFORE };
    (void)state;
    for (size_t i = 0; i < SP_LEN(how); i++) {
        const char *id = begin();
        assert_int_equal(part(id, 1), 0);
        spoil("DELETE", how[i], 1);
        expect(sp_blob_upload_abort(s, id, &err), SP_E_OK);
        assert_false(tus.is);
        expect(sp_blob_upload_abort(s, id, &err), SP_E_NOT_FOUND);
        expect(part(id, 1), SP_E_NOT_FOUND);
        expect(complete(id), SP_E_NOT_FOUND);
        assert_null(tus.object);
    }
    expect(sp_blob_upload_abort(s, "../../bucket/b", &err), SP_E_NOT_FOUND);
}

/* Another session goes on where whole parts end; of half a part it cannot know the bytes. */
static void another_session(void **state)
{
    (void)state;
    const char *id = begin();
    assert_int_equal(part(id, 1), 0);
    sp_close(s);
    s = another();
    assert_int_equal(part(id, 2), 0);
    assert_int_equal(complete(id), 0);
    whole();
    id = begin();
    assert_int_equal(part(id, 1), 0);
    tus.n = PART / 2; /* as if the rest had never come */
    sp_close(s);
    s = another();
    expect(part(id, 1), SP_E_UNSUPPORTED);
    expect(part(id, 2), SP_E_UNSUPPORTED);
    expect(sp_blob_upload_abort(s, id, &err), SP_E_OK);
}

static void order(void **state)
{
    (void)state;
    const char *id = begin();
    expect(complete(id), SP_E_INVALID); /* nothing is there yet */
    expect(part(id, 2), SP_E_UNSUPPORTED);
    assert_int_equal(tus.n, 0);
    assert_int_equal(part(id, 1), 0);
    assert_int_equal(part(id, 1), 0); /* the same bytes are there, and not sent again */
    assert_int_equal(tus.n, PART);
    expect(sp_blob_upload_part(s, id, 1, bytes + 1, PART, &err), SP_E_UNSUPPORTED);
    expect(sp_blob_upload_part(s, id, 3, bytes, SMALL, &err), SP_E_UNSUPPORTED);
    expect(sp_blob_upload_part(s, id, 2, bytes, PART + 1, &err), SP_E_INVALID);
    assert_int_equal(part(id, 2), 0);
    expect(
        sp_blob_upload_part(s, id, 3, bytes, SMALL, &err), SP_E_UNSUPPORTED); /* a short part is the last */
    assert_int_equal(complete(id), 0);
    whole();
}

/* Of a part that broke off for good only the beginning is there: that is no object. */
static void incomplete(void **state)
{
    (void)state;
    const char *id = begin();
    assert_int_equal(part(id, 1), 0);
    spoil("PATCH", CUT_BEFORE, 99);
    expect(part(id, 2), SP_E_OUTCOME_UNKNOWN);
    spoil("PATCH", FINE, 0);
    expect(complete(id), SP_E_INVALID);
    assert_null(tus.object);
    assert_int_equal(part(id, 2), 0);
    assert_int_equal(complete(id), 0);
    whole();
}

/* Offered only by a service that says that it can. */
static void offered(void **state)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    (void)state;
    assert_int_equal(sp_effective(s, caps, &facts, &err), 0);
    assert_int_equal(caps[SP_CAP_MULTIPART].level, SP_CAP_YES);
    assert_int_equal(caps[SP_CAP_PART_ORDER].level, SP_CAP_NO);
    tus.no_deferral = true;
    assert_int_equal(sp_effective(s, caps, &facts, &err), 0);
    tus.no_deferral = false;
    assert_int_equal(caps[SP_CAP_MULTIPART].level, SP_CAP_NO);
    assert_non_null(caps[SP_CAP_MULTIPART].why);
    const char *id = NULL;
    spoil("POST", PAGE, 1);
    expect(sp_blob_upload_begin(s, &arena, "b", "dir/k.bin", NULL, &id, &err), SP_E_CORRUPT);
    struct sp_put_opts o = { .if_none_match = true };
    expect(sp_blob_upload_begin(s, &arena, "b", "dir/k.bin", &o, &id, &err), SP_E_UNSUPPORTED);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = { T(plain), T(faults_in_parts), T(faults_at_the_end),
        T(replaced_at_the_end), T(given_up), T(another_session), T(order), T(incomplete), T(offered) };
    (void)signal(SIGPIPE, SIG_IGN);
    if (sp_provider_supabase.process_init(&err) != 0)
        return 1;
    bytes = malloc(PART + SMALL + 1);
    if (bytes == NULL)
        return 1;
    for (size_t i = 0; i <= PART + SMALL; i++)
        bytes[i] = (unsigned char)((i * 2654435761u) >> 13);
    tus_start();
    int failed = cmocka_run_group_tests_name("supabase_uploads", tests, NULL, NULL);
    tus_stop();
    free(bytes);
    return failed;
}
