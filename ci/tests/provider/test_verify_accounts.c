/* test_verify_accounts.c -- accounts of two identity services: what is compared, what is found, what is said to be unread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "ci/tests/provider/caught.h"
#include "providers/mock/mock.h"
#include "providers/sqlite/sqlite.h"
#include "verify/internal.h"

struct pair {
    struct sp_endpoint e[2];
    struct sp_session *s[2];
    char url[2][64];
    struct caught c;
    struct sp_buf reasons;
    struct sp_error err;
    struct sp_verify_options opt;
    size_t memory;
};

static const char *const passwords[] = { "accounts:passwords" };

#define OK(call)                                                                                             \
    do {                                                                                                     \
        if ((call) != 0)                                                                                     \
            fail_msg("%s: %s", #call, sp_error_text(&p->err));                                               \
    } while (0)

static void begin(struct pair *p)
{
    static unsigned n;
    *p = (struct pair){ .c = { .em = { keep } }, .err = SP_ERROR_INIT, .memory = SP_VERIFY_MEMORY };
    n++;
    for (int i = 0; i < 2; i++) {
        snprintf(p->url[i], sizeof p->url[i], "mock:accounts%u-%d", n, i);
        p->e[i] = (struct sp_endpoint){
            .name = i == 0 ? "old" : "new", .url = p->url[i], .access = SP_ACCESS_DISPOSABLE
        };
        OK(sp_open(&p->s[i], &sp_provider_mock, &p->e[i], &p->err));
    }
    p->opt = (struct sp_verify_options){
        .checks = SP_VC_ACCOUNTS, .max_differences = 100, .accept = passwords, .naccept = 1
    };
}

static void end(struct pair *p)
{
    sp_close(p->s[0]);
    sp_close(p->s[1]);
    sp_buf_free(&p->c.text);
    sp_buf_free(&p->reasons);
    sp_error_clear(&p->err);
}

static const char *make(struct pair *p, int side, const char *mail, const char *claims, bool disabled)
{
    static char ids[2][64];
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_user u = { .id = NULL };
    OK(sp_auth_admin_create(p->s[side], &a, mail, "Passw0rd-long-enough", &u, &p->err));
    sp_strlcpy(ids[side], u.id, sizeof ids[side]);
    if (claims != NULL)
        OK(sp_auth_claims_set(p->s[side], u.id, claims, &p->err));
    if (disabled)
        OK(sp_auth_admin_disable(p->s[side], u.id, true, &p->err));
    sp_arena_free(&a);
    return ids[side];
}

static void assert_verdict(struct pair *p, enum sp_verify_verdict want)
{
    enum sp_verify_verdict got = SP_VV_NOT_COMPARED;
    sp_buf_clear(&p->c.text);
    sp_buf_clear(&p->reasons);
    sp_error_clear(&p->err);
    OK(sp_verify_bounded(p->s[0], p->s[1], &p->opt, p->memory, &p->c.em, &got, &p->reasons, &p->err));
    if (got != want)
        fail_msg("%s, not %s\n%s\n%s", sp_verify_verdict_name(got), sp_verify_verdict_name(want),
            p->reasons.p != NULL ? p->reasons.p : "", p->c.text.p);
}

static void has(const struct pair *p, const char *text)
{
    if (strstr(p->c.text.p, text) == NULL)
        fail_msg("no %s in\n%s", text, p->c.text.p);
}

/* Other ids, another order, letters of another case: the same people. */
static void fill(struct pair *p)
{
    make(p, 0, "anna@example.org", "{\"role\":\"admin\",\"level\":1}", false);
    make(p, 0, "Berta@example.org", NULL, true);
    make(p, 0, "carl@example.org", "{}", false);
    make(p, 1, "carl@example.org", NULL, false);
    make(p, 1, "berta@example.org", NULL, true);
    make(p, 1, "anna@example.org", "{ \"level\": 1.0, \"role\": \"admin\" }", false);
}

static void the_same_people_are_equal_but_for_passwords(void **state)
{
    struct pair s, *p = &s;
    (void)state;
    begin(p);
    fill(p);
    assert_verdict(p, SP_VV_EQUAL);
    has(p, "\"source_rows\":3,\"target_rows\":3,\"missing\":0,\"extra\":0,\"changed\":0");
    has(p, "not: passwords");
    p->opt.naccept = 0;
    assert_verdict(p, SP_VV_NOT_COMPARED);
    assert_non_null(strstr(p->reasons.p, "sign in is not proven"));
    end(p);
}

static void each_change_is_found(void **state)
{
    static const struct {
        const char *claims;
        bool disabled;
        const char *column;
    } changes[] = { { "{\"role\":\"admin\"}", false, "claims" }, { NULL, true, "disabled" } };
    (void)state;
    for (size_t i = 0; i < SP_LEN(changes); i++) {
        struct pair s, *p = &s;
        begin(p);
        fill(p);
        make(p, 0, "dora@example.org", NULL, false);
        make(p, 1, "dora@example.org", changes[i].claims, changes[i].disabled);
        assert_verdict(p, SP_VV_DIFFERENT);
        has(p, "\"missing\":0,\"extra\":0,\"changed\":1");
        has(p, changes[i].column);
        assert_null(strstr(p->c.text.p, "dora"));
        assert_null(strstr(p->c.text.p, "admin"));
        p->opt.show_values = true;
        assert_verdict(p, SP_VV_DIFFERENT);
        has(p, "email=dora@example.org");
        end(p);
    }
}

static void missing_and_extra_accounts_are_found(void **state)
{
    struct pair s, *p = &s;
    (void)state;
    begin(p);
    fill(p);
    char id[64];
    sp_strlcpy(id, make(p, 0, "emil@example.org", NULL, false), sizeof id);
    assert_verdict(p, SP_VV_DIFFERENT);
    has(p, "\"missing\":1,\"extra\":0,\"changed\":0");
    has(p, id);
    make(p, 1, "fritz@example.org", NULL, false);
    assert_verdict(p, SP_VV_DIFFERENT);
    has(p, "\"missing\":1,\"extra\":1,\"changed\":0");
    end(p);
}

/* Many of them, in little memory: several passes, several pages. */
static void many_accounts_in_little_memory(void **state)
{
    struct pair s, *p = &s;
    (void)state;
    begin(p);
    for (int i = 0; i < 1700; i++)
        for (int side = 0; side < 2; side++) {
            char mail[48];
            int k = side == 0 ? i : 1699 - i;
            snprintf(mail, sizeof mail, "user%d@example.org", k);
            if (side == 0 || k != 777)
                make(p, side, mail, NULL, side == 1 && k == 1234);
        }
    p->memory = 16u << 10;
    assert_verdict(p, SP_VV_DIFFERENT);
    has(p, "\"source_rows\":1700,\"target_rows\":1699,\"missing\":1,\"extra\":0,\"changed\":1");
    end(p);
}

/* ---- what cannot be told --------------------------------------------------------------------------------------------- */

static struct {
    const struct sp_provider *inner;
    struct sp_provider outer;
    struct sp_auth_ops auth;
    int fault;
    unsigned calls;
} planted;
enum { DENIED = 1, TWICE, MOVES, ENDLESS, NFAULTS };

static int faulty_list(struct sp_session *s, struct sp_arena *a, const char **cursor, size_t limit,
    struct sp_user **v, size_t *n, struct sp_error *err)
{
    if (planted.fault == DENIED)
        return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "administrators only");
    int rc = planted.inner->auth->admin_list(s, a, cursor, limit, v, n, err);
    if (rc != 0 || *n == 0)
        return rc;
    if (planted.fault == TWICE && *n > 1)
        (*v)[1] = (*v)[0];
    if (planted.fault == MOVES && planted.calls++ % 2 == 1)
        (*v)[0].disabled = !(*v)[0].disabled;
    if (planted.fault == ENDLESS) {
        *n = 0;
        *cursor = "more";
    }
    return rc;
}

static void faults_are_never_equal(void **state)
{
    (void)state;
    for (int fault = DENIED; fault < NFAULTS; fault++)
        for (int side = 0; side < 2; side++) {
            struct pair s, *p = &s;
            begin(p);
            fill(p);
            struct sp_session_base *base = (struct sp_session_base *)(void *)p->s[side];
            planted.inner = base->provider;
            planted.outer = *base->provider;
            planted.auth = *base->provider->auth;
            planted.auth.admin_list = faulty_list;
            planted.outer.auth = &planted.auth;
            planted.fault = fault;
            planted.calls = 0;
            base->provider = &planted.outer;
            assert_verdict(p, SP_VV_NOT_COMPARED);
            base->provider = planted.inner;
            end(p);
        }
}

static void accounts_with_nowhere_to_go(void **state)
{
    struct pair s, *p = &s;
    struct sp_session *mock;
    char dir[64] = "/tmp/sp-accounts-XXXXXX", url[96];
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(url, sizeof url, "sqlite:%s/a.db", dir);
    begin(p);
    fill(p);
    mock = p->s[1];
    p->e[1] = (struct sp_endpoint){ .name = "new", .url = url, .access = SP_ACCESS_DISPOSABLE };
    OK(sp_open(&p->s[1], &sp_provider_sqlite, &p->e[1], &p->err));
    assert_verdict(p, SP_VV_NOT_COMPARED);
    assert_non_null(strstr(p->reasons.p, "has 3 accounts, and the other side keeps none"));
    sp_close(mock);
    end(p);
    assert_int_equal(0, sp_rmtree(dir, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_people_are_equal_but_for_passwords),
        cmocka_unit_test(each_change_is_found),
        cmocka_unit_test(missing_and_extra_accounts_are_found),
        cmocka_unit_test(many_accounts_in_little_memory),
        cmocka_unit_test(faults_are_never_equal),
        cmocka_unit_test(accounts_with_nowhere_to_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
