/* users.c -- changing and deleting a user, resetting a password, claims, administration. */
#include "suites/auth/auth.h"

#include <string.h>

void auc_update_password(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    struct sp_user_change change = { .password = "a new Password 33" };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "update", sp_auth_user_update(t.s, t.a, t.tokens.access, &change, &u, &t.err)) &&
        au_refused(&t, "sign-in with the old password", t.email, AU_PASSWORD) &&
        au_sign_in(&t, t.email, "a new Password 33", &u, NULL))
        (void)(sp_check_text(ctx, "id", t.user.id, u.id) &&
               sp_check_text(ctx, "name", "Ann Example", u.name));
    au_done(&t);
}

void auc_update_email(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        const char *fresh = sp_ctx_email(ctx, "fresh");
        struct sp_user_change change = { .email = fresh };
        if (fresh != NULL &&
            au_ok(&t, "update", sp_auth_user_update(t.s, t.a, t.tokens.access, &change, &u, &t.err)) &&
            sp_check_text(ctx, "e-mail after the update", fresh, u.email) &&
            au_refused(&t, "sign-in with the old e-mail", t.email, AU_PASSWORD) &&
            au_sign_in(&t, fresh, AU_PASSWORD, &u, NULL) && sp_check_text(ctx, "id", t.user.id, u.id))
            au_ok(&t, "the old e-mail is free again",
                sp_auth_sign_up(t.s, t.a, t.email, AU_PASSWORD, NULL, NULL, NULL, &t.err));
    }
    au_done(&t);
}

void auc_update_email_taken(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        const char *other = sp_ctx_email(ctx, "other");
        struct sp_user_change change = { .email = other };
        if (other != NULL &&
            au_ok(&t, "second sign-up",
                sp_auth_sign_up(t.s, t.a, other, "other Password 44", NULL, NULL, NULL, &t.err)) &&
            au_fails(&t, "update to a taken e-mail", SP_E_EXISTS,
                sp_auth_user_update(t.s, t.a, t.tokens.access, &change, &u, &t.err)) &&
            au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL))
            au_sign_in(&t, other, "other Password 44", NULL, NULL);
    }
    au_done(&t);
}

void auc_update_name(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    struct sp_user_change change = { .name = "\xc3\x84nn <b>\"O'Neill\"</b> \xf0\x9f\x90\x98" };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "update", sp_auth_user_update(t.s, t.a, t.tokens.access, &change, &u, &t.err)) &&
        sp_check_text(ctx, "name after the update", change.name, u.name) &&
        au_sign_in(&t, t.email, AU_PASSWORD, &u, NULL))
        (void)(sp_check_text(ctx, "name at sign-in", change.name, u.name) &&
               sp_check_text(ctx, "e-mail at sign-in", t.email, u.email));
    au_done(&t);
}

void auc_delete(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    struct sp_tokens k = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "delete", sp_auth_user_delete(t.s, t.tokens.access, &t.err)) &&
        au_refused(&t, "sign-in of a deleted user", t.email, AU_PASSWORD) &&
        au_fails(&t, "user of a deleted user's token", SP_E_AUTHENTICATION,
            sp_auth_user_get(t.s, t.a, t.tokens.access, &u, &t.err)))
        au_fails(&t, "refresh of a deleted user", SP_E_AUTHENTICATION,
            sp_auth_refresh(t.s, t.a, t.tokens.refresh, &k, &t.err));
    au_done(&t);
}

void auc_delete_then_up(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "delete", sp_auth_user_delete(t.s, t.tokens.access, &t.err)) &&
        au_ok(&t, "sign-up with the e-mail of a deleted user",
            sp_auth_sign_up(t.s, t.a, t.email, "third Password 55", NULL, &u, NULL, &t.err)) &&
        sp_check(ctx, strcmp(u.id, t.user.id) != 0, "the new user is another one") &&
        au_refused(&t, "sign-in with the deleted user's password", t.email, AU_PASSWORD))
        au_fails(&t, "the deleted user's token stays dead", SP_E_AUTHENTICATION,
            sp_auth_user_get(t.s, t.a, t.tokens.access, &u, &t.err));
    au_done(&t);
}

static bool reset_code(struct au *t, const char *email, char code[128])
{
    code[0] = '\0';
    if (!au_ok(t, "request of a reset", sp_auth_reset_request(t->s, email, code, &t->err)))
        return false;
    return true;
}

void auc_reset(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    char code[128];
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) && reset_code(&t, t.email, code) &&
        sp_check(ctx, code[0] != '\0', "a code reaches the user") &&
        au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL) &&
        au_ok(&t, "reset", sp_auth_reset_confirm(t.s, t.email, code, "reset Password 66", &t.err)) &&
        au_refused(&t, "sign-in with the old password", t.email, AU_PASSWORD))
        au_sign_in(&t, t.email, "reset Password 66", NULL, NULL);
    au_done(&t);
}

void auc_reset_once(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    char code[128];
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) && reset_code(&t, t.email, code) &&
        au_ok(&t, "reset", sp_auth_reset_confirm(t.s, t.email, code, "reset Password 66", &t.err)) &&
        au_fails(&t, "second use of a code", SP_E_AUTHENTICATION,
            sp_auth_reset_confirm(t.s, t.email, code, "again Password 77", &t.err)))
        au_sign_in(&t, t.email, "reset Password 66", NULL, NULL);
    au_done(&t);
}

void auc_reset_wrong(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    char code[128];
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) && reset_code(&t, t.email, code)) {
        const char *other = sp_ctx_email(ctx, "other");
        if (other != NULL &&
            au_ok(&t, "second sign-up",
                sp_auth_sign_up(t.s, t.a, other, "other Password 44", NULL, NULL, NULL, &t.err)) &&
            au_fails(&t, "reset with a made-up code", SP_E_AUTHENTICATION,
                sp_auth_reset_confirm(t.s, t.email, "000000", "evil Password 88", &t.err)) &&
            au_fails(&t, "reset with another user's code", SP_E_AUTHENTICATION,
                sp_auth_reset_confirm(t.s, other, code, "evil Password 88", &t.err)) &&
            au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL))
            au_sign_in(&t, other, "other Password 44", NULL, NULL);
    }
    au_done(&t);
}

void auc_reset_unknown(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    char code[128];
    (void)data;
    if (au_open(&t, ctx) && reset_code(&t, t.email, code) &&
        sp_check_text(ctx, "code for an unknown e-mail", "", code))
        au_refused(&t, "sign-in afterwards", t.email, AU_PASSWORD);
    au_done(&t);
}

static bool claims_hold(struct au *t, const char *access, const char *name_and_value, bool want)
{
    const char *json = NULL;
    if (!au_ok(t, "claims", sp_auth_claims_of(t->s, t->a, access, &json, &t->err)) ||
        !sp_check(t->ctx, json != NULL, "claims are given"))
        return false;
    /* Blanks between the tokens don't matter. */
    char *dense = sp_arena_str(t->a, json), *to = dense;
    if (dense == NULL)
        return false;
    for (const char *p = json; *p != '\0'; p++)
        if (*p != ' ')
            *to++ = *p;
    *to = '\0';
    bool found = strstr(dense, name_and_value) != NULL;
    return sp_check_at(t->ctx, __FILE__, __LINE__, found == want, "claims of the token",
        sp_arena_printf(t->a, "%s%s", want ? "contain " : "do not contain ", name_and_value), dense);
}

void auc_claims(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_tokens k = { 0 }, last = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "set of claims",
            sp_auth_claims_set(t.s, t.user.id, "{\"plan\":\"gold\",\"level\":3}", &t.err)) &&
        au_sign_in(&t, t.email, AU_PASSWORD, NULL, &k) &&
        claims_hold(&t, k.access, "\"plan\":\"gold\"", true) &&
        claims_hold(&t, k.access, "\"level\":3", true) &&
        au_ok(&t, "change of claims", sp_auth_claims_set(t.s, t.user.id, "{\"level\":4}", &t.err)) &&
        au_sign_in(&t, t.email, AU_PASSWORD, NULL, &last) &&
        claims_hold(&t, last.access, "\"level\":4", true))
        claims_hold(&t, last.access, "\"plan\"", false);
    au_done(&t);
}

void auc_claims_own(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_tokens k = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        const char *other = sp_ctx_email(ctx, "other");
        if (other != NULL &&
            au_ok(&t, "second sign-up",
                sp_auth_sign_up(t.s, t.a, other, AU_PASSWORD, NULL, NULL, NULL, &t.err)) &&
            au_ok(&t, "set of claims", sp_auth_claims_set(t.s, t.user.id, "{\"plan\":\"gold\"}", &t.err)) &&
            au_sign_in(&t, other, AU_PASSWORD, NULL, &k))
            claims_hold(&t, k.access, "\"plan\"", false);
    }
    au_done(&t);
}

void auc_claims_bad(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_fails(&t, "claims that are no object", SP_E_INVALID,
            sp_auth_claims_set(t.s, t.user.id, "[1,2]", &t.err)) &&
        au_fails(&t, "claims that are no JSON", SP_E_INVALID,
            sp_auth_claims_set(t.s, t.user.id, "{\"a\":", &t.err)))
        au_fails(&t, "claims of an unknown user", SP_E_NOT_FOUND,
            sp_auth_claims_set(t.s, "00000000-0000-4000-8000-000000000000", "{}", &t.err));
    au_done(&t);
}

void auc_admin_create(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 }, got = { 0 };
    (void)data;
    if (au_open(&t, ctx) &&
        au_ok(&t, "create", sp_auth_admin_create(t.s, t.a, t.email, AU_PASSWORD, &u, &t.err)) &&
        au_fails(&t, "create with a taken e-mail", SP_E_EXISTS,
            sp_auth_admin_create(t.s, t.a, t.email, AU_PASSWORD, &got, &t.err)) &&
        au_ok(&t, "get", sp_auth_admin_get(t.s, t.a, u.id, &got, &t.err)) &&
        sp_check_text(ctx, "e-mail", t.email, got.email) && au_sign_in(&t, t.email, AU_PASSWORD, &got, NULL))
        sp_check_text(ctx, "id", u.id, got.id);
    au_done(&t);
}

void auc_admin_list(struct sp_ctx *ctx, const void *data)
{
    enum { N = 7 };
    struct au t;
    const char *ids[N] = { 0 };
    unsigned seen[N] = { 0 };
    (void)data;
    if (!au_open(&t, ctx))
        return;
    for (size_t i = 0; i < N; i++) {
        char tag[16] = { 'l', 'i', 's', 't', (char)('0' + i), '\0' };
        const char *email = sp_ctx_email(ctx, tag);
        struct sp_user u = { 0 };
        if (email == NULL ||
            !au_ok(&t, "create", sp_auth_admin_create(t.s, t.a, email, AU_PASSWORD, &u, &t.err)))
            return;
        ids[i] = u.id;
    }
    const char *cursor = NULL, *last = "";
    for (size_t page = 0; page < 100000; page++) {
        struct sp_user *u = NULL;
        size_t n = 0;
        if (!au_ok(&t, "list", sp_auth_admin_list(t.s, t.a, &cursor, 3, &u, &n, &t.err)) ||
            !sp_check(ctx, n <= 3, "users on a page stay within the limit"))
            return;
        for (size_t i = 0; i < n; i++) {
            if (!sp_check(ctx, strcmp(last, u[i].id) < 0, "users are listed by id, each once"))
                return;
            last = u[i].id;
            for (size_t k = 0; k < N; k++)
                seen[k] += strcmp(ids[k], u[i].id) == 0;
        }
        if (cursor == NULL)
            break;
    }
    for (size_t k = 0; k < N; k++)
        sp_check_int(ctx, "times that a user is listed", 1, (int64_t)seen[k]);
    au_done(&t);
}

void auc_admin_disable(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    struct sp_tokens k = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "disable", sp_auth_admin_disable(t.s, t.user.id, true, &t.err)) &&
        au_ok(&t, "get", sp_auth_admin_get(t.s, t.a, t.user.id, &u, &t.err)) &&
        sp_check(ctx, u.disabled, "the user is shown as disabled")) {
        int rc = sp_auth_sign_in(t.s, t.a, t.email, AU_PASSWORD, &u, &k, &t.err);
        if (sp_check(ctx, rc < 0 && (t.err.code == SP_E_PERMISSION || t.err.code == SP_E_AUTHENTICATION),
                "sign-in of a disabled user is refused")) {
            sp_error_clear(&t.err);
            rc = sp_auth_refresh(t.s, t.a, t.tokens.refresh, &k, &t.err);
            sp_check(ctx, rc < 0 && (t.err.code == SP_E_PERMISSION || t.err.code == SP_E_AUTHENTICATION),
                "refresh of a disabled user is refused");
            sp_error_clear(&t.err);
            if (au_ok(&t, "enable", sp_auth_admin_disable(t.s, t.user.id, false, &t.err)))
                au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL);
        }
    }
    au_done(&t);
}

void auc_admin_delete(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "delete", sp_auth_admin_delete(t.s, t.user.id, &t.err)) &&
        au_fails(&t, "second delete", SP_E_NOT_FOUND, sp_auth_admin_delete(t.s, t.user.id, &t.err)) &&
        au_fails(&t, "get of a deleted user", SP_E_NOT_FOUND,
            sp_auth_admin_get(t.s, t.a, t.user.id, &u, &t.err)) &&
        au_refused(&t, "sign-in of a deleted user", t.email, AU_PASSWORD))
        au_fails(&t, "user of a deleted user's token", SP_E_AUTHENTICATION,
            sp_auth_user_get(t.s, t.a, t.tokens.access, &u, &t.err));
    au_done(&t);
}

void auc_bad_email(struct sp_ctx *ctx, const void *data)
{
    const struct au_text *bad = data;
    struct au t;
    if (au_open(&t, ctx))
        au_fails(&t, "sign-up with an e-mail that is none", SP_E_INVALID,
            sp_auth_sign_up(t.s, t.a, bad->text, AU_PASSWORD, NULL, NULL, NULL, &t.err));
    au_done(&t);
}

void auc_password_weak(struct sp_ctx *ctx, const void *data)
{
    const struct au_text *weak = data;
    struct au t;
    if (au_open(&t, ctx) && au_fails(&t, "sign-up with a password below the minimum", SP_E_INVALID,
                                sp_auth_sign_up(t.s, t.a, t.email, weak->text, NULL, NULL, NULL, &t.err)))
        au_refused(&t, "sign-in afterwards", t.email, weak->text);
    au_done(&t);
}

void auc_password_kept(struct sp_ctx *ctx, const void *data)
{
    const struct au_text *password = data;
    struct au t;
    if (au_open(&t, ctx) &&
        au_ok(&t, "sign-up", sp_auth_sign_up(t.s, t.a, t.email, password->text, NULL, NULL, NULL, &t.err)) &&
        au_sign_in(&t, t.email, password->text, NULL, NULL)) {
        char *shorter = sp_arena_strn(t.a, password->text, strlen(password->text) - 1);
        if (shorter != NULL)
            au_refused(&t, "sign-in with the last byte missing", t.email, shorter);
    }
    au_done(&t);
}

/* bcrypt looks at 72 bytes: a backend either refuses a longer password, or tells two apart that differ behind them. */
void auc_password_long(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    char a[101], b[101];
    (void)data;
    memset(a, 'p', 100);
    a[0] = 'P', a[1] = '1', a[100] = '\0';
    memcpy(b, a, sizeof b);
    b[99] = 'q';
    if (au_open(&t, ctx)) {
        int rc = sp_auth_sign_up(t.s, t.a, t.email, a, NULL, NULL, NULL, &t.err);
        if (rc < 0 && t.err.code == SP_E_INVALID) {
            sp_ctx_observe(ctx, "passwords: 100 bytes", "refused");
        } else if (au_ok(&t, "sign-up with a password of 100 bytes", rc) &&
                   au_sign_in(&t, t.email, a, NULL, NULL) &&
                   au_refused(&t, "sign-in with another 100th byte", t.email, b)) {
            sp_ctx_observe(ctx, "passwords: 100 bytes", "every byte counts");
        }
    }
    au_done(&t);
}

void auc_ids_unique(struct sp_ctx *ctx, const void *data)
{
    enum { N = 12 };
    struct au t;
    const char *ids[N] = { 0 };
    (void)data;
    if (!au_open(&t, ctx))
        return;
    for (size_t i = 0; i < N; i++) {
        char tag[8] = { 'u', (char)('a' + i), '\0' };
        const char *email = sp_ctx_email(ctx, tag);
        struct sp_user u = { 0 };
        if (email == NULL ||
            !au_ok(&t, "sign-up", sp_auth_sign_up(t.s, t.a, email, AU_PASSWORD, NULL, &u, NULL, &t.err)) ||
            !sp_check(ctx, u.id != NULL && u.id[0] != '\0', "the user has an id"))
            return;
        for (size_t k = 0; k < i; k++)
            if (!sp_check(ctx, strcmp(ids[k], u.id) != 0, "no two users have the same id"))
                return;
        ids[i] = u.id;
    }
    au_done(&t);
}
