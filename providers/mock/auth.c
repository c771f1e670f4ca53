/* auth.c -- what users do themselves: sign up, sign in, refresh, sign out, change, reset.
 *
 * A refresh token serves once. One that comes back was stolen, by the one who came first or by the one who comes
 * now: the whole sign-in ends. */
#include "auth.h"

#include <stdlib.h>
#include <string.h>

/* A new refresh token of the sign-in, and an access token. */
static int issue(struct mock_session *s, struct sp_arena *a, const struct mock_user *u, struct mock_login *l,
    struct sp_tokens *out, struct sp_error *err)
{
    char secret[65];
    struct mock_refresh *t = calloc(1, sizeof *t);
    struct sp_tokens tokens = { .expires_in_s = s->token_seconds };
    if (t == NULL)
        return sp_nomem(err);
    int rc = mock_random_hex(secret, 32, err);
    if (rc == 0)
        rc = mock_sha256_hex(t->digest, secret, 64, err);
    if (rc == 0)
        rc = mock_token_make(s, a, u, l, &tokens.access, err);
    if (rc == 0) {
        tokens.refresh = sp_arena_str(a, secret);
        rc = tokens.refresh == NULL ? sp_nomem(err) : 0;
    }
    if (rc != 0) {
        free(t);
        return rc;
    }
    t->next = l->tokens;
    l->tokens = t;
    if (out != NULL)
        *out = tokens;
    return 0;
}

static int login(struct mock_session *s, struct sp_arena *a, struct mock_user *u, struct sp_tokens *out,
    struct sp_error *err)
{
    struct mock_login *l = calloc(1, sizeof *l);
    if (l == NULL)
        return sp_nomem(err);
    int rc = mock_random_hex(l->id, 16, err);
    if (rc == 0)
        rc = issue(s, a, u, l, out, err);
    if (rc != 0) {
        free(l);
        return rc;
    }
    l->next = u->logins;
    u->logins = l;
    return 0;
}

static int disabled(struct sp_error *err)
{
    return mock_fail(err, SP_E_PERMISSION, "the user is disabled");
}

/* The user and sign-in behind an access token. */
static int authenticate(struct mock_session *s, struct sp_arena *a, const char *access,
    struct mock_claims *claims, struct mock_user **u, struct mock_login **l, struct sp_error *err)
{
    int rc = mock_token_read(s, a, access, claims, err);
    if (rc != 0)
        return rc;
    *u = mock_user_by_id(s->store, claims->user_id);
    *l = *u == NULL ? NULL : (*u)->logins;
    while (*l != NULL && strcmp((*l)->id, claims->login_id) != 0)
        *l = (*l)->next;
    if (*l == NULL || (*l)->ended)
        return mock_fail(err, SP_E_AUTHENTICATION, "the access token is wrong, expired or revoked");
    return (*u)->disabled ? disabled(err) : 0;
}

static int sign_up(struct sp_session *ss, struct sp_arena *a, const char *email, const char *password,
    const char *name, struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_user *u = NULL;
    mock_enter(s);
    int rc = mock_user_make(s->store, email, password, name, &u, err);
    if (rc == 0) {
        rc = login(s, a, u, tokens, err);
        if (rc == 0)
            rc = mock_user_give(a, u, user, err);
        if (rc != 0)
            mock_user_unmake(s->store, u);
    }
    mock_leave(s);
    return rc;
}

static int check_password(struct mock_session *s, const char *email, const char *password,
    struct mock_user **out, struct sp_error *err)
{
    struct mock_users *users;
    int rc = mock_users_get(s->store, &users, err);
    if (rc != 0)
        return rc;
    struct mock_user *u = mock_user_by_email(s->store, email);
    bool fits = mock_secret_fits(u == NULL ? &users->decoy : &u->secret, password);
    if (u == NULL || !fits)
        return mock_fail(err, SP_E_AUTHENTICATION, "e-mail address or password is wrong");
    *out = u;
    return u->disabled ? disabled(err) : 0;
}

static int sign_in(struct sp_session *ss, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_user *u = NULL;
    mock_enter(s);
    int rc = check_password(s, email, password, &u, err);
    if (rc == 0)
        rc = login(s, a, u, tokens, err);
    if (rc == 0)
        rc = mock_user_give(a, u, user, err);
    mock_leave(s);
    return rc;
}

static struct mock_refresh *find_refresh(
    const struct mock_store *st, const char *digest, struct mock_user **user, struct mock_login **login_of)
{
    for (struct mock_user *u = st->users == NULL ? NULL : st->users->first; u != NULL; u = u->next) {
        for (struct mock_login *l = u->logins; l != NULL; l = l->next) {
            for (struct mock_refresh *t = l->tokens; t != NULL; t = t->next) {
                if (mock_same_secret(t->digest, digest)) {
                    *user = u;
                    *login_of = l;
                    return t;
                }
            }
        }
    }
    return NULL;
}

static int use_refresh(struct mock_session *s, struct sp_arena *a, const char *refresh,
    struct sp_tokens *tokens, struct sp_error *err)
{
    char digest[65];
    struct mock_user *u = NULL;
    struct mock_login *l;
    int rc = mock_sha256_hex(digest, refresh, strlen(refresh), err);
    if (rc != 0)
        return rc;
    struct mock_refresh *t = find_refresh(s->store, digest, &u, &l);
    if (t != NULL && t->used)
        l->ended = true;
    if (t == NULL || l->ended)
        return mock_fail(err, SP_E_AUTHENTICATION, "the refresh token is wrong, used or revoked");
    if (u->disabled)
        return disabled(err);
    rc = issue(s, a, u, l, tokens, err);
    if (rc == 0)
        t->used = true;
    return rc;
}

static int refresh_tokens(struct sp_session *ss, struct sp_arena *a, const char *refresh,
    struct sp_tokens *tokens, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = use_refresh(s, a, refresh, tokens, err);
    mock_leave(s);
    return rc;
}

static int sign_out(struct sp_session *ss, const char *access, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct sp_arena a = SP_ARENA_INIT;
    struct mock_claims c;
    struct mock_user *u = NULL;
    struct mock_login *l;
    mock_enter(s);
    int rc = authenticate(s, &a, access, &c, &u, &l, err);
    if (rc == 0)
        l->ended = true;
    mock_leave(s);
    sp_arena_free(&a);
    return rc;
}

static int user_get(
    struct sp_session *ss, struct sp_arena *a, const char *access, struct sp_user *out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_claims c;
    struct mock_user *u = NULL;
    struct mock_login *l;
    mock_enter(s);
    int rc = authenticate(s, a, access, &c, &u, &l, err);
    if (rc == 0)
        rc = mock_user_give(a, u, out, err);
    mock_leave(s);
    return rc;
}

/* All of the change or nothing: what may be refused comes first. A new password ends the other sign-ins. */
static int change(struct mock_session *s, struct mock_user *u, const struct mock_login *l,
    const struct sp_user_change *c, struct sp_error *err)
{
    int rc = c->email == NULL ? 0 : mock_email_check(c->email, err);
    const struct mock_user *other = c->email == NULL ? NULL : mock_user_by_email(s->store, c->email);
    if (rc == 0 && other != NULL && other != u)
        rc = mock_fail(err, SP_E_EXISTS, "a user with this e-mail address exists already");
    if (rc == 0 && c->password != NULL)
        rc = mock_password_set(u, c->password, err);
    if (rc != 0)
        return rc;
    if (c->password != NULL)
        mock_logins_end(u, l);
    if (c->email != NULL && strcmp(c->email, u->email) != 0) {
        rc = mock_text_set(&u->email, c->email, err);
        u->verified = false;
    }
    if (rc == 0 && c->name != NULL)
        rc = mock_text_set(&u->name, c->name, err);
    return rc;
}

static int user_update(struct sp_session *ss, struct sp_arena *a, const char *access,
    const struct sp_user_change *c, struct sp_user *out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_claims claims;
    struct mock_user *u = NULL;
    struct mock_login *l;
    mock_enter(s);
    int rc = authenticate(s, a, access, &claims, &u, &l, err);
    if (rc == 0)
        rc = change(s, u, l, c, err);
    if (rc == 0)
        rc = mock_user_give(a, u, out, err);
    mock_leave(s);
    return rc;
}

static int user_delete(struct sp_session *ss, const char *access, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct sp_arena a = SP_ARENA_INIT;
    struct mock_claims c;
    struct mock_user *u = NULL;
    struct mock_login *l;
    mock_enter(s);
    int rc = authenticate(s, &a, access, &c, &u, &l, err);
    if (rc == 0)
        mock_user_unmake(s->store, u);
    mock_leave(s);
    sp_arena_free(&a);
    return rc;
}

static int reset_request(struct sp_session *ss, const char *email, char code[128], struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    code[0] = '\0';
    mock_enter(s);
    int rc = 0;
    struct mock_user *u = mock_user_by_email(s->store, email);
    if (u != NULL) {
        rc = mock_random_hex(code, 16, err);
        if (rc == 0)
            rc = mock_sha256_hex(u->reset_digest, code, 32, err);
        u->reset_until = mock_now() + MOCK_RESET_SECONDS;
        u->reset_tries = 0;
    }
    mock_leave(s);
    return rc;
}

static int reset(
    struct mock_session *s, const char *email, const char *code, const char *password, struct sp_error *err)
{
    char digest[65];
    int rc = mock_sha256_hex(digest, code, strlen(code), err);
    if (rc != 0)
        return rc;
    struct mock_user *u = mock_user_by_email(s->store, email);
    bool open = u != NULL && u->reset_digest[0] != '\0' && mock_now() < u->reset_until &&
                u->reset_tries++ < MOCK_RESET_TRIES;
    if (!open || !mock_same_secret(u->reset_digest, digest))
        return mock_fail(err, SP_E_AUTHENTICATION, "the reset code is wrong, used or expired");
    rc = mock_password_set(u, password, err);
    if (rc != 0)
        return rc;
    u->reset_digest[0] = '\0';
    mock_logins_end(u, NULL);
    return 0;
}

static int reset_confirm(
    struct sp_session *ss, const char *email, const char *code, const char *password, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = reset(s, email, code, password, err);
    mock_leave(s);
    return rc;
}

static int claims_of(
    struct sp_session *ss, struct sp_arena *a, const char *access, const char **json, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_claims c;
    struct mock_user *u = NULL;
    struct mock_login *l;
    mock_enter(s);
    int rc = authenticate(s, a, access, &c, &u, &l, err);
    mock_leave(s);
    if (rc == 0)
        *json = c.claims;
    return rc;
}

const struct sp_auth_ops mock_auth_ops = {
    .sign_up = sign_up,
    .sign_in = sign_in,
    .refresh = refresh_tokens,
    .sign_out = sign_out,
    .user_get = user_get,
    .user_update = user_update,
    .user_delete = user_delete,
    .reset_request = reset_request,
    .reset_confirm = reset_confirm,
    .claims_set = mock_claims_set,
    .claims_of = claims_of,
    .admin_create = mock_admin_create,
    .admin_get = mock_admin_get,
    .admin_list = mock_admin_list,
    .admin_disable = mock_admin_disable,
    .admin_delete = mock_admin_delete,
};
