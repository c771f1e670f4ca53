/* sessions.c -- signing up, in and out; tokens and their refresh. */
#include "suites/auth/auth.h"

#include <ctype.h>
#include <string.h>

void auc_sign_up(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    (void)data;
    if (au_open(&t, ctx) &&
        au_ok(&t, "sign-up",
            sp_auth_sign_up(t.s, t.a, t.email, AU_PASSWORD, "Ann Example", &u, NULL, &t.err)) &&
        sp_check(ctx, u.id != NULL && u.id[0] != '\0', "the new user has an id") &&
        sp_check_text(ctx, "e-mail of the new user", t.email, u.email) &&
        au_sign_in(&t, t.email, AU_PASSWORD, &t.user, &t.tokens))
        (void)(sp_check_text(ctx, "id at sign-in", u.id, t.user.id) &&
               sp_check_text(ctx, "name at sign-in", "Ann Example", t.user.name) &&
               au_token_is(&t, t.tokens.access, u.id, t.email));
    au_done(&t);
}

void auc_sign_up_twice(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_fails(&t, "second sign-up with this e-mail", SP_E_EXISTS,
            sp_auth_sign_up(t.s, t.a, t.email, "another Password 1", "Eve", NULL, NULL, &t.err)) &&
        au_refused(&t, "sign-in with the password of the refused sign-up", t.email, "another Password 1") &&
        au_sign_in(&t, t.email, AU_PASSWORD, &t.user, NULL))
        sp_check_text(ctx, "name after the refused sign-up", "Ann Example", t.user.name);
    au_done(&t);
}

/* Upper-case copy of an e-mail. */
static const char *upper(struct au *t)
{
    char *up = sp_arena_str(t->a, t->email);
    for (char *p = up; p != NULL && *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    return up;
}

void auc_sign_up_case(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        const char *up = upper(&t);
        if (up != NULL)
            au_fails(&t, "sign-up with the same e-mail in capitals", SP_E_EXISTS,
                sp_auth_sign_up(t.s, t.a, up, AU_PASSWORD, NULL, NULL, NULL, &t.err));
    }
    au_done(&t);
}

void auc_sign_up_tokens(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    struct sp_tokens k = { 0 };
    (void)data;
    if (au_open(&t, ctx) &&
        au_ok(&t, "sign-up", sp_auth_sign_up(t.s, t.a, t.email, AU_PASSWORD, NULL, &u, &k, &t.err)) &&
        sp_check(ctx, k.access != NULL && k.access[0] != '\0', "sign-up gives an access token"))
        (void)(au_token_is(&t, k.access, u.id, t.email) &&
               sp_check(ctx, k.expires_in_s >= 0 && k.expires_in_s <= 31622400,
                   "the token's lifetime is plausible"));
    au_done(&t);
}

void auc_sign_in(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_tokens again = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) && au_token_is(&t, t.tokens.access, t.user.id, t.email) &&
        au_sign_in(&t, t.email, AU_PASSWORD, NULL, &again) &&
        au_token_is(&t, again.access, t.user.id, t.email))
        au_token_is(&t, t.tokens.access, t.user.id, t.email); /* the first session lives on */
    au_done(&t);
}

void auc_sign_in_wrong(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_refused(&t, "sign-in with a wrong password", t.email, "wrong Password 77") &&
        au_refused(&t, "sign-in with an empty password", t.email, ""))
        au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL);
    au_done(&t);
}

void auc_sign_in_near(struct sp_ctx *ctx, const void *data)
{
    /* One character more, fewer, in another case, with a blank. */
    const char *near[] = { AU_PASSWORD "x", "orrect horse 9 Battery", "correct horse 9 Batter",
        "Correct horse 9 Battery", " " AU_PASSWORD, AU_PASSWORD " ", "correct horse 9 battery" };
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t))
        for (size_t i = 0; i < SP_LEN(near); i++)
            if (!au_refused(&t, "sign-in with nearly the password", t.email, near[i]))
                break;
    au_done(&t);
}

void auc_sign_in_unknown(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx))
        au_refused(&t, "sign-in of an unknown user", t.email, AU_PASSWORD);
    au_done(&t);
}

void auc_sign_in_case(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        const char *up = upper(&t);
        if (up != NULL && au_sign_in(&t, up, AU_PASSWORD, &u, NULL))
            sp_check_text(ctx, "id of the user", t.user.id, u.id);
    }
    au_done(&t);
}

void auc_enumeration(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        const char *nobody = sp_ctx_email(ctx, "nobody");
        struct sp_error wrong = SP_ERROR_INIT, unknown = SP_ERROR_INIT;
        if (nobody == NULL) {
            au_done(&t);
            return;
        }
        int a = sp_auth_sign_in(t.s, t.a, t.email, "wrong Password 77", NULL, NULL, &wrong);
        int b = sp_auth_sign_in(t.s, t.a, nobody, "wrong Password 77", NULL, NULL, &unknown);
        if (sp_check_code(ctx, "wrong password", SP_E_AUTHENTICATION, a, &wrong) &&
            sp_check_code(ctx, "unknown user", SP_E_AUTHENTICATION, b, &unknown) &&
            sp_check_text(ctx, "native code for an unknown user", wrong.native, unknown.native))
            sp_check_text(ctx, "text for an unknown user", sp_error_text(&wrong), sp_error_text(&unknown));
        sp_error_clear(&wrong);
        sp_error_clear(&unknown);
    }
    au_done(&t);
}

void auc_sessions_apart(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user other = { 0 };
    struct sp_tokens k = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        const char *second = sp_ctx_email(ctx, "second");
        if (second != NULL &&
            au_ok(&t, "second sign-up",
                sp_auth_sign_up(t.s, t.a, second, "second Password 22", "Bob", NULL, NULL, &t.err)) &&
            au_refused(&t, "sign-in with another user's password", second, AU_PASSWORD) &&
            au_refused(&t, "sign-in with another user's password", t.email, "second Password 22") &&
            au_sign_in(&t, second, "second Password 22", &other, &k) &&
            sp_check(ctx, strcmp(other.id, t.user.id) != 0, "two users have two ids"))
            (void)(au_token_is(&t, k.access, other.id, second) &&
                   au_token_is(&t, t.tokens.access, t.user.id, t.email));
    }
    au_done(&t);
}

static bool refresh_refused(struct au *t, const char *what, const char *token)
{
    struct sp_tokens k = { 0 };
    return au_fails(t, what, SP_E_AUTHENTICATION, sp_auth_refresh(t->s, t->a, token, &k, &t->err)) &&
           sp_check(t->ctx, k.access == NULL || k.access[0] == '\0', "no token is given with a refusal");
}

void auc_refresh(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_tokens k = { 0 }, k2 = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        sp_check(ctx, t.tokens.refresh != NULL && t.tokens.refresh[0] != '\0', "a refresh token is given") &&
        au_ok(&t, "refresh", sp_auth_refresh(t.s, t.a, t.tokens.refresh, &k, &t.err)) &&
        au_token_is(&t, k.access, t.user.id, t.email) &&
        au_ok(&t, "refresh with the new token", sp_auth_refresh(t.s, t.a, k.refresh, &k2, &t.err)))
        au_token_is(&t, k2.access, t.user.id, t.email);
    au_done(&t);
}

void auc_refresh_rotation(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_tokens k = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "refresh", sp_auth_refresh(t.s, t.a, t.tokens.refresh, &k, &t.err)) &&
        sp_check(ctx, strcmp(k.refresh, t.tokens.refresh) != 0, "the refresh token changes"))
        refresh_refused(&t, "second use of a refresh token", t.tokens.refresh);
    au_done(&t);
}

void auc_refresh_garbage(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        char *near = sp_arena_str(t.a, t.tokens.refresh);
        if (near == NULL || near[0] == '\0')
            sp_check(ctx, false, "a refresh token is given");
        else {
            near[0] = near[0] == 'a' ? 'b' : 'a';
            (void)(refresh_refused(&t, "refresh with garbage", "garbage") &&
                   refresh_refused(&t, "refresh with nothing", "") &&
                   refresh_refused(&t, "refresh with a changed token", near));
        }
    }
    au_done(&t);
}

void auc_refresh_access_mixed(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        refresh_refused(&t, "refresh with an access token", t.tokens.access))
        au_fails(&t, "user of a refresh token", SP_E_AUTHENTICATION,
            sp_auth_user_get(t.s, t.a, t.tokens.refresh, &u, &t.err));
    au_done(&t);
}

void auc_sign_out(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "sign-out", sp_auth_sign_out(t.s, t.tokens.access, &t.err)) &&
        refresh_refused(&t, "refresh after the sign-out", t.tokens.refresh))
        au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL);
    au_done(&t);
}

void auc_sign_out_access(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user u = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t) &&
        au_ok(&t, "sign-out", sp_auth_sign_out(t.s, t.tokens.access, &t.err)))
        au_fails(&t, "user of a token that was signed out", SP_E_AUTHENTICATION,
            sp_auth_user_get(t.s, t.a, t.tokens.access, &u, &t.err));
    au_done(&t);
}

void auc_sign_out_one(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    struct sp_user other = { 0 };
    struct sp_tokens k = { 0 }, fresh = { 0 };
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        const char *second = sp_ctx_email(ctx, "second");
        if (second != NULL &&
            au_ok(&t, "second sign-up",
                sp_auth_sign_up(t.s, t.a, second, AU_PASSWORD, NULL, NULL, NULL, &t.err)) &&
            au_sign_in(&t, second, AU_PASSWORD, &other, &k) &&
            au_ok(&t, "sign-out", sp_auth_sign_out(t.s, t.tokens.access, &t.err)) &&
            au_token_is(&t, k.access, other.id, second))
            au_ok(&t, "refresh of the other user", sp_auth_refresh(t.s, t.a, k.refresh, &fresh, &t.err));
    }
    au_done(&t);
}

void auc_token_garbage(struct sp_ctx *ctx, const void *data)
{
    const char *bad[] = { "", "garbage", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.", "Bearer " };
    struct au t;
    (void)data;
    if (au_open(&t, ctx))
        for (size_t i = 0; i < SP_LEN(bad); i++) {
            struct sp_user u = { 0 };
            if (!au_fails(&t, "user of a token that is none", SP_E_AUTHENTICATION,
                    sp_auth_user_get(t.s, t.a, bad[i], &u, &t.err)))
                break;
        }
    au_done(&t);
}

void auc_token_tampered(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        size_t n = strlen(t.tokens.access);
        /* A changed character at the start, in the middle and near the end of the token; a cut token. */
        size_t at[] = { 0, n / 2, n > 4 ? n - 4 : 0 };
        struct sp_user u = { 0 };
        for (size_t i = 0; i < SP_LEN(at) && !sp_ctx_done(ctx); i++) {
            char *bad = sp_arena_str(t.a, t.tokens.access);
            if (bad == NULL)
                break;
            bad[at[i]] = bad[at[i]] == 'A' ? 'z' : 'A';
            au_fails(&t, "user of a changed token", SP_E_AUTHENTICATION,
                sp_auth_user_get(t.s, t.a, bad, &u, &t.err));
        }
        char *cut = sp_arena_strn(t.a, t.tokens.access, n - 1);
        if (cut != NULL && !sp_ctx_done(ctx))
            au_fails(
                &t, "user of a cut token", SP_E_AUTHENTICATION, sp_auth_user_get(t.s, t.a, cut, &u, &t.err));
    }
    au_done(&t);
}

void auc_two_sessions(struct sp_ctx *ctx, const void *data)
{
    struct au t;
    (void)data;
    if (au_open(&t, ctx) && au_registered(&t)) {
        t.s = sp_ctx_session(ctx, 1);
        if (t.s != NULL && au_token_is(&t, t.tokens.access, t.user.id, t.email))
            au_sign_in(&t, t.email, AU_PASSWORD, NULL, NULL);
    }
    au_done(&t);
}
