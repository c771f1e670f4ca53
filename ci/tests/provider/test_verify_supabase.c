/* test_verify_supabase.c -- accounts and objects compared with Supabase on one side, which is a fake here (supabase_fake.h): equal
 * copies are equal, whatever differs is found and named, and what could not be read is never called equal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "ci/tests/provider/caught.h"
#include "ci/tests/provider/supabase_fake.h"
#include "providers/filesystem/filesystem.h"
#include "providers/mock/mock.h"
#include "providers/supabase/supabase.h"
#include "verify/internal.h"

struct pair {
    struct sp_endpoint e[2];
    struct sp_session *s[2];
    struct sp_session *other; /* of the two, the one that is not the fake */
    char url[2][96], dir[64];
    struct caught c;
    struct sp_buf reasons;
    struct sp_error err;
    struct sp_verify_options opt;
};

static const char *const passwords[] = { "accounts:passwords" };
static const char *const names[] = { "anon_key", "service_key" };
static const char *const values[] = { "anon-key", "service-key" };

#define OK(call)                                                                                             \
    do {                                                                                                     \
        if ((call) != 0)                                                                                     \
            fail_msg("%s: %s", #call, sp_error_text(&p->err));                                               \
    } while (0)

static void open_side(struct pair *p, int i, const struct sp_provider *kind, enum sp_access access)
{
    p->e[i] = (struct sp_endpoint){ .name = i == 0 ? "old" : "new",
        .url = p->url[i],
        .access = access,
        .option_names = names,
        .option_values = values,
        .noptions = kind == &sp_provider_supabase ? 2 : 0,
        .connect_timeout_ms = 2000,
        .statement_timeout_ms = 4000 };
    OK(sp_open(&p->s[i], kind, &p->e[i], &p->err));
}

/* The fake is the side `at`; the other one is a mock where accounts are compared, and files where objects are. */
static void begin(struct pair *p, int at, unsigned check)
{
    static unsigned n;
    *p = (struct pair){ .c = { .em = { keep } }, .err = SP_ERROR_INIT };
    sp_strlcpy(p->dir, "/tmp/sp-fake-XXXXXX", sizeof p->dir);
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->url[at], sizeof p->url[at], "supabase+http://127.0.0.1:%u", srv.port);
    if (check == SP_VC_ACCOUNTS)
        snprintf(p->url[1 - at], sizeof p->url[0], "mock:fake%u", n++);
    else
        snprintf(p->url[1 - at], sizeof p->url[0], "filesystem:%s/f", p->dir);
    open_side(p, at, &sp_provider_supabase, SP_ACCESS_READ_ONLY);
    open_side(p, 1 - at, check == SP_VC_ACCOUNTS ? &sp_provider_mock : &sp_provider_filesystem,
        SP_ACCESS_DISPOSABLE);
    p->other = p->s[1 - at];
    p->opt = (struct sp_verify_options){
        .checks = check, .max_differences = 100, .accept = passwords, .naccept = check == SP_VC_ACCOUNTS
    };
}

static void end(struct pair *p)
{
    sp_close(p->s[0]);
    sp_close(p->s[1]);
    sp_buf_free(&p->c.text);
    sp_buf_free(&p->reasons);
    sp_error_clear(&p->err);
    (void)sp_rmtree(p->dir, NULL);
    fake_empty();
}

static void assert_verdict(struct pair *p, enum sp_verify_verdict want)
{
    enum sp_verify_verdict got = SP_VV_NOT_COMPARED;
    sp_buf_clear(&p->c.text);
    sp_buf_clear(&p->reasons);
    sp_error_clear(&p->err);
    OK(sp_verify(p->s[0], p->s[1], &p->opt, &p->c.em, &got, &p->reasons, &p->err));
    if (got != want)
        fail_msg("fault %d: %s, not %s\n%s\n%s", (int)fake.fault, sp_verify_verdict_name(got),
            sp_verify_verdict_name(want), p->reasons.p != NULL ? p->reasons.p : "", p->c.text.p);
    int code = got == SP_VV_EQUAL ? 0 : got == SP_VV_DIFFERENT ? 1 : 3;
    assert_int_equal(code, sp_verify_exit_code(got));
}

static void has(const struct pair *p, const char *text)
{
    if (strstr(p->c.text.p, text) == NULL)
        fail_msg("no %s in\n%s", text, p->c.text.p);
}

/* ---- accounts ---------------------------------------------------------------------------------------------------------- */

static void mock_user(struct pair *p, const char *mail, const char *claims, bool disabled)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_user u = { .id = NULL };
    OK(sp_auth_admin_create(p->other, &a, mail, "Passw0rd-long-enough", &u, &p->err));
    if (claims != NULL)
        OK(sp_auth_claims_set(p->other, u.id, claims, &p->err));
    if (disabled)
        OK(sp_auth_admin_disable(p->other, u.id, true, &p->err));
    sp_arena_free(&a);
}

/* Other ids, another order, letters of another case, what GoTrue writes by itself, a ban that is over: the same people. */
static void same_people(struct pair *p)
{
    mock_user(p, "anna@example.org", "{\"role\":\"admin\",\"level\":1}", false);
    mock_user(p, "Berta@example.org", NULL, true);
    mock_user(p, "carl@example.org", NULL, false);
    json_t *carl = fake_user("carl@example.org", "{}");
    json_object_set_new(carl, "banned_until", json_string("2020-01-01T00:00:00Z"));
    json_object_set(json_object_get(carl, "user_metadata"), "sub", json_object_get(carl, "id"));
    json_object_set_new(
        fake_user("berta@example.org", "{}"), "banned_until", json_string("2126-01-01T00:00:00Z"));
    fake_user("anna@example.org", "{\"level\":1,\"role\":\"admin\"}");
}

enum { MAIL, NOT_CONFIRMED, CLAIM, NAMED, TEAM, NUMBER_FOR_NAME, BANNED, GONE, MORE, CHANGES };

static void change_people(int what)
{
    json_t *carl = json_array_get(fake.users, 0), *meta = json_object_get(carl, "user_metadata");
    switch (what) {
    case MAIL:
        json_object_set_new(carl, "email", json_string("karl@example.org"));
        return;
    case NOT_CONFIRMED:
        json_object_del(carl, "email_confirmed_at");
        return;
    case CLAIM:
        json_object_set_new(json_object_get(carl, "app_metadata"), "role", json_string("admin"));
        return;
    case NAMED:
    case NUMBER_FOR_NAME:
        json_object_set_new(meta, "name", what == NAMED ? json_string("Carl") : json_integer(7));
        return;
    case TEAM:
        json_object_set_new(meta, "team", json_pack("{s:s}", "of", "secret"));
        return;
    case BANNED:
        json_object_set_new(carl, "banned_until", json_string("2126-01-01T00:00:00Z"));
        return;
    case GONE:
        json_array_remove(fake.users, 0);
        return;
    default:
        fake_user("dora@example.org", "{}");
        return;
    }
}

static void each_change_of_an_account_is_found(void **state)
{
    static const struct {
        const char *counts, *column;
    } want[CHANGES] = {
        [MAIL] = { "\"missing\":1,\"extra\":1,\"changed\":0", NULL },
        [NOT_CONFIRMED] = { "\"missing\":0,\"extra\":0,\"changed\":1", "\"column\":\"e-mail verified\"" },
        [CLAIM] = { "\"missing\":0,\"extra\":0,\"changed\":1", "\"column\":\"claims\"" },
        [NAMED] = { "\"missing\":0,\"extra\":0,\"changed\":1", "\"column\":\"name\"" },
        [TEAM] = { "\"missing\":0,\"extra\":0,\"changed\":1", "\"column\":\"profile\"" },
        [NUMBER_FOR_NAME] = { "\"missing\":0,\"extra\":0,\"changed\":1", "\"column\":\"profile\"" },
        [BANNED] = { "\"missing\":0,\"extra\":0,\"changed\":1", "\"column\":\"disabled\"" },
    };
    (void)state;
    for (int at = 0; at < 2; at++)
        for (int what = 0; what < CHANGES; what++) {
            struct pair s, *p = &s;
            bool missing = (what == GONE) == (at == 1);
            begin(p, at, SP_VC_ACCOUNTS);
            same_people(p);
            assert_verdict(p, SP_VV_EQUAL);
            has(p, "\"source_rows\":3,\"target_rows\":3,\"missing\":0,\"extra\":0,\"changed\":0");
            change_people(what);
            assert_verdict(p, SP_VV_DIFFERENT);
            has(p, want[what].counts != NULL ? want[what].counts
                   : missing                 ? "\"missing\":1,\"extra\":0,\"changed\":0"
                                             : "\"missing\":0,\"extra\":1,\"changed\":0");
            has(p, want[what].column != NULL ? want[what].column : "\"key\":\"id=");
            assert_null(strstr(p->c.text.p, "example.org"));
            assert_null(strstr(p->c.text.p, "secret"));
            p->opt.show_values = true;
            assert_verdict(p, SP_VV_DIFFERENT);
            has(p, what == MORE ? "email=dora@example.org" : "email=carl@example.org");
            end(p);
        }
}

/* As many pages as the server makes of them, each account once. */
static void accounts_in_pages(void **state)
{
    static const size_t most[] = { 1000, 400 };
    (void)state;
    for (size_t i = 0; i < SP_LEN(most); i++) {
        struct pair s, *p = &s;
        begin(p, (int)i, SP_VC_ACCOUNTS);
        fake.page_most = most[i];
        for (int k = 0; k < 1100; k++) {
            char mail[48];
            snprintf(mail, sizeof mail, "user%d@example.org", k);
            mock_user(p, mail, NULL, false);
            fake_user(mail, "{}");
        }
        assert_verdict(p, SP_VV_EQUAL);
        has(p, "\"source_rows\":1100,\"target_rows\":1100,\"missing\":0");
        assert_true(fake.user_pages > 0);
        json_array_remove(fake.users, 10); /* of the last page */
        json_object_del(json_array_get(fake.users, 1000), "email_confirmed_at");
        assert_verdict(p, SP_VV_DIFFERENT);
        has(p,
            i == 0 ? "\"missing\":0,\"extra\":1,\"changed\":1" : "\"missing\":1,\"extra\":0,\"changed\":1");
        end(p);
    }
}

/* The side that is read badly is never equal to one that lacks the same accounts. */
static void account_lists_that_fail(void **state)
{
    static const enum fault faults[] = { USERS_REFUSED, USERS_FAIL, USERS_REPEAT, USERS_OVERLAP,
        USERS_SHORT };
    (void)state;
    for (size_t i = 0; i < SP_LEN(faults); i++)
        for (int at = 0; at < 2; at++) {
            struct pair s, *p = &s;
            begin(p, at, SP_VC_ACCOUNTS);
            same_people(p);
            fake.page_most = 2;
            assert_verdict(p, SP_VV_EQUAL);
            fake.fault = faults[i];
            assert_verdict(p, SP_VV_NOT_COMPARED);
            json_object_del(json_array_get(fake.users, 0), "email_confirmed_at");
            assert_verdict(p, SP_VV_NOT_COMPARED);
            end(p);
        }
}

/* Who may not list the accounts of a service that is there does not know that there are none. */
static void a_key_that_may_not_list(void **state)
{
    (void)state;
    for (int at = 0; at < 2; at++) {
        struct pair s, *p = &s;
        fake.fault = USERS_REFUSED;
        begin(p, at, SP_VC_ACCOUNTS);
        fake_user("anna@example.org", "{}");
        assert_verdict(p, SP_VV_NOT_COMPARED);
        assert_non_null(strstr(p->reasons.p, "no administration for this key"));
        end(p);
    }
}

/* ---- objects ----------------------------------------------------------------------------------------------------------- */

static void file_put(struct pair *p, const char *key, const char *body, const char *type, const char *owner)
{
    struct sp_meta m = { "owner", owner };
    struct sp_put_opts o = { .content_type = type, .meta = &m, .nmeta = owner != NULL };
    OK(sp_blob_put(p->other, "files", key, body, strlen(body), &o, &p->err));
}

static void same_objects(struct pair *p)
{
    static const char *const keys[] = { "a/1.txt", "a b/2+(3).txt", "b", "c", "empty", "z" };
    json_object_set_new(fake.buckets, "files", json_object());
    OK(sp_blob_bucket_create(p->other, "files", &p->err));
    for (size_t i = 0; i < SP_LEN(keys); i++) {
        const char *body = strcmp(keys[i], "empty") == 0 ? "" : keys[i];
        fake_put("files", keys[i], body, "text/plain", i < 3 ? "{\"owner\":\"anna\"}" : "{}");
        file_put(p, keys[i], body, "text/plain", i < 3 ? "anna" : NULL);
    }
    fake.page_most = 2;
}

static void each_change_of_an_object_is_found(void **state)
{
    static const struct {
        const char *body, *type, *meta, *column;
    } v[] = {
        { "B", "text/plain", "{\"owner\":\"anna\"}", "content" }, /* as long as before */
        { "bb", "text/plain", "{\"owner\":\"anna\"}", "content" },
        { "", "text/plain", "{\"owner\":\"anna\"}", "content" },
        { "b", "text/html", "{\"owner\":\"anna\"}", "content type" },
        { "b", "text/plain", "{\"owner\":\"secret\"}", "metadata owner" },
        { "b", "text/plain", "{}", "metadata owner" },
        { "b", "text/plain", "{\"owner\":\"anna\",\"n\":1}", "metadata n" },
    };
    (void)state;
    for (int at = 0; at < 2; at++) {
        struct pair s, *p = &s;
        begin(p, at, SP_VC_BLOBS);
        same_objects(p);
        assert_verdict(p, SP_VV_EQUAL);
        has(p, "\"source_rows\":6,\"target_rows\":6,\"missing\":0,\"extra\":0,\"changed\":0");
        assert_true(fake.key_pages >= 2);
        for (size_t i = 0; i < SP_LEN(v); i++) {
            char text[96];
            fake_put("files", "b", v[i].body, v[i].type, v[i].meta);
            assert_verdict(p, SP_VV_DIFFERENT);
            snprintf(
                text, sizeof text, "\"difference\":\"changed\",\"key\":\"b\",\"column\":\"%s\"", v[i].column);
            has(p, text);
            has(p, "\"missing\":0,\"extra\":0,\"changed\":1");
            assert_null(strstr(p->c.text.p, "secret"));
        }
        fake_put("files", "b", "b", "text/plain", "{\"owner\":\"anna\"}");
        assert_verdict(p, SP_VV_EQUAL);
        end(p);
    }
}

static void objects_and_buckets_of_one_side_are_found(void **state)
{
    (void)state;
    for (int at = 0; at < 2; at++) {
        struct pair s, *p = &s;
        const char *mine = at == 0 ? "missing" : "extra", *its = at == 0 ? "extra" : "missing";
        char text[96];
        begin(p, at, SP_VC_BLOBS);
        same_objects(p);
        json_object_del(json_object_get(fake.buckets, "files"), "empty");
        fake_put("files", "zz", "x", "text/plain", "{}");
        assert_verdict(p, SP_VV_DIFFERENT);
        has(p, "\"missing\":1,\"extra\":1,\"changed\":0");
        snprintf(text, sizeof text, "\"difference\":\"%s\",\"key\":\"zz\"", mine);
        has(p, text);
        snprintf(text, sizeof text, "\"difference\":\"%s\",\"key\":\"empty\"", its);
        has(p, text);
        fake_put("files", "empty", "", "text/plain", "{}");
        json_object_del(json_object_get(fake.buckets, "files"), "zz");
        assert_verdict(p, SP_VV_EQUAL);
        json_object_set_new(fake.buckets, "more", json_object()); /* even an empty one */
        assert_verdict(p, SP_VV_DIFFERENT);
        has(p, at == 0 ? "the target has no such bucket" : "the source has no such bucket");
        has(p, "\"name\":\"more\"");
        json_object_del(fake.buckets, "more");
        OK(sp_blob_bucket_create(p->other, "more", &p->err));
        assert_verdict(p, SP_VV_DIFFERENT);
        has(p, at == 1 ? "the target has no such bucket" : "the source has no such bucket");
        end(p);
    }
}

static void objects_that_cannot_be_read(void **state)
{
    (void)state;
    for (int fault = BUCKETS_FAIL; fault < FAULTS; fault++)
        for (int at = 0; at < 2; at++) {
            struct pair s, *p = &s;
            begin(p, at, SP_VC_BLOBS);
            same_objects(p);
            fake.fault = (enum fault)fault;
            assert_verdict(p, SP_VV_NOT_COMPARED);
            end(p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_change_of_an_account_is_found),
        cmocka_unit_test(accounts_in_pages),
        cmocka_unit_test(account_lists_that_fail),
        cmocka_unit_test(a_key_that_may_not_list),
        cmocka_unit_test(each_change_of_an_object_is_found),
        cmocka_unit_test(objects_and_buckets_of_one_side_are_found),
        cmocka_unit_test(objects_that_cannot_be_read),
    };
    struct sp_error err = SP_ERROR_INIT;
    (void)signal(SIGPIPE, SIG_IGN);
    if (sp_provider_supabase.process_init(&err) != 0)
        return 1;
    fake_empty();
    fake_start();
    int failed = cmocka_run_group_tests_name("verify_supabase", tests, NULL, NULL);
    server_stop();
    json_decref(fake.users);
    json_decref(fake.buckets);
    return failed;
}
