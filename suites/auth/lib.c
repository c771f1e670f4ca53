/* lib.c -- the helpers of the identity suite. */
#include "suites/auth/auth.h"

bool au_open(struct au *t, struct sp_ctx *ctx)
{
    *t = (struct au){ .ctx = ctx, .err = SP_ERROR_INIT };
    t->s = sp_ctx_session(ctx, 0);
    if (t->s == NULL)
        return false;
    t->a = sp_ctx_arena(ctx);
    t->email = sp_ctx_email(ctx, "user");
    return t->email != NULL;
}

void au_done(struct au *t)
{
    sp_error_clear(&t->err);
}

bool au_ok(struct au *t, const char *what, int rc)
{
    bool ok = sp_check_ok(t->ctx, what, rc, &t->err);
    sp_error_clear(&t->err);
    return ok;
}

bool au_fails(struct au *t, const char *what, enum sp_code want, int rc)
{
    bool ok = sp_check_code(t->ctx, what, want, rc, &t->err);
    sp_error_clear(&t->err);
    return ok;
}

bool au_registered(struct au *t)
{
    return au_ok(t, "sign-up",
               sp_auth_sign_up(t->s, t->a, t->email, AU_PASSWORD, "Ann Example", NULL, NULL, &t->err)) &&
           au_sign_in(t, t->email, AU_PASSWORD, &t->user, &t->tokens);
}

bool au_sign_in(
    struct au *t, const char *email, const char *password, struct sp_user *user, struct sp_tokens *tokens)
{
    struct sp_user u = { 0 };
    struct sp_tokens k = { 0 };
    if (!au_ok(t, "sign-in", sp_auth_sign_in(t->s, t->a, email, password, &u, &k, &t->err)) ||
        !sp_check(t->ctx, u.id != NULL && u.id[0] != '\0', "the user has an id") ||
        !sp_check(t->ctx, k.access != NULL && k.access[0] != '\0', "an access token is given"))
        return false;
    if (user != NULL)
        *user = u;
    if (tokens != NULL)
        *tokens = k;
    return true;
}

bool au_refused(struct au *t, const char *what, const char *email, const char *password)
{
    struct sp_user u = { 0 };
    struct sp_tokens k = { 0 };
    return au_fails(
               t, what, SP_E_AUTHENTICATION, sp_auth_sign_in(t->s, t->a, email, password, &u, &k, &t->err)) &&
           sp_check(t->ctx, k.access == NULL || k.access[0] == '\0', "no token is given with a refusal");
}

bool au_token_is(struct au *t, const char *access, const char *id, const char *email)
{
    struct sp_user u = { 0 };
    return au_ok(t, "user of the token", sp_auth_user_get(t->s, t->a, access, &u, &t->err)) &&
           sp_check_text(t->ctx, "id of the token's user", id, u.id) &&
           sp_check_text(t->ctx, "e-mail of the token's user", email, u.email);
}
