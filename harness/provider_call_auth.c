/* provider_call_auth.c -- checked calls of the identity facet.
 *
 * Signing in, refreshing and signing out change the backend's sessions, and a reset sends mail: a read-only session
 * may only look at users and tokens. */
#include "provider_call.h"

#include <string.h>

#include "provider_check.h"

static const struct sp_auth_ops *auth(const struct sp_session *s)
{
    return sp_session_provider(s)->auth;
}

static int given(const void *p, const char *what, struct sp_error *err)
{
    return p != NULL ? 0 : sp_invalid(err, "%s is missing", what);
}

/* What a provider may leave out of a user gets its neutral value; what it may not is a broken answer. */
static int user_answer(struct sp_user *u, struct sp_error *err)
{
    if (u == NULL)
        return 0;
    if (u->id == NULL || *u->id == '\0' || u->email == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the backend gave a user without id or e-mail");
    u->name = u->name == NULL ? "" : u->name;
    u->claims = u->claims == NULL ? "{}" : u->claims;
    return 0;
}

static int tokens_answer(const struct sp_tokens *t, struct sp_error *err)
{
    if (t != NULL && (t->access == NULL || *t->access == '\0'))
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the backend gave no access token");
    return 0;
}

static void blank(struct sp_user *u, struct sp_tokens *t)
{
    if (u != NULL)
        *u = (struct sp_user){ 0 };
    if (t != NULL)
        *t = (struct sp_tokens){ 0 };
}

int sp_auth_sign_up(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    const char *name, struct sp_user *u, struct sp_tokens *t, struct sp_error *err)
{
    blank(u, t);
    SP_ENTER(s, auth, sign_up, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(given(email, "the e-mail address", err));
    SP_CHECK(given(password, "the password", err));
    SP_CHECK(sp_writable_check(s, "signing up a user", err));
    SP_CHECK(sp_answer(auth(s)->sign_up(s, a, email, password, name, u, t, err), err));
    return user_answer(u, err);
}

int sp_auth_sign_in(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *u, struct sp_tokens *t, struct sp_error *err)
{
    blank(u, t);
    SP_ENTER(s, auth, sign_in, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(given(email, "the e-mail address", err));
    SP_CHECK(given(password, "the password", err));
    SP_CHECK(sp_writable_check(s, "signing in a user", err));
    SP_CHECK(sp_answer(auth(s)->sign_in(s, a, email, password, u, t, err), err));
    SP_CHECK(tokens_answer(t, err));
    return user_answer(u, err);
}

int sp_auth_refresh(
    struct sp_session *s, struct sp_arena *a, const char *refresh, struct sp_tokens *t, struct sp_error *err)
{
    blank(NULL, t);
    SP_ENTER(s, auth, refresh, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(given(refresh, "the refresh token", err));
    SP_CHECK(sp_writable_check(s, "refreshing tokens", err));
    SP_CHECK(sp_answer(auth(s)->refresh(s, a, refresh, t, err), err));
    return tokens_answer(t, err);
}

int sp_auth_sign_out(struct sp_session *s, const char *access, struct sp_error *err)
{
    SP_ENTER(s, auth, sign_out, err);
    SP_CHECK(given(access, "the access token", err));
    SP_CHECK(sp_writable_check(s, "signing out a user", err));
    return sp_answer(auth(s)->sign_out(s, access, err), err);
}

int sp_auth_user_get(
    struct sp_session *s, struct sp_arena *a, const char *access, struct sp_user *u, struct sp_error *err)
{
    blank(u, NULL);
    SP_ENTER(s, auth, user_get, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(given(access, "the access token", err));
    SP_CHECK(sp_answer(auth(s)->user_get(s, a, access, u, err), err));
    return user_answer(u, err);
}

int sp_auth_user_update(struct sp_session *s, struct sp_arena *a, const char *access,
    const struct sp_user_change *change, struct sp_user *u, struct sp_error *err)
{
    blank(u, NULL);
    SP_ENTER(s, auth, user_update, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(given(access, "the access token", err));
    SP_CHECK(given(change, "the change", err));
    SP_CHECK(sp_writable_check(s, "changing a user", err));
    SP_CHECK(sp_answer(auth(s)->user_update(s, a, access, change, u, err), err));
    return user_answer(u, err);
}

int sp_auth_user_delete(struct sp_session *s, const char *access, struct sp_error *err)
{
    SP_ENTER(s, auth, user_delete, err);
    SP_CHECK(given(access, "the access token", err));
    SP_CHECK(sp_writable_check(s, "deleting a user", err));
    return sp_answer(auth(s)->user_delete(s, access, err), err);
}

int sp_auth_reset_request(struct sp_session *s, const char *email, char code[128], struct sp_error *err)
{
    memset(code, 0, 128);
    SP_ENTER(s, auth, reset_request, err);
    SP_CHECK(given(email, "the e-mail address", err));
    SP_CHECK(sp_writable_check(s, "requesting a password reset", err));
    int rc = sp_answer(auth(s)->reset_request(s, email, code, err), err);
    code[127] = '\0';
    return rc;
}

int sp_auth_reset_confirm(
    struct sp_session *s, const char *email, const char *code, const char *password, struct sp_error *err)
{
    SP_ENTER(s, auth, reset_confirm, err);
    SP_CHECK(given(email, "the e-mail address", err));
    SP_CHECK(given(code, "the reset code", err));
    SP_CHECK(given(password, "the password", err));
    SP_CHECK(sp_writable_check(s, "resetting a password", err));
    return sp_answer(auth(s)->reset_confirm(s, email, code, password, err), err);
}

int sp_auth_claims_set(
    struct sp_session *s, const char *user_id, const char *json_object, struct sp_error *err)
{
    SP_ENTER(s, auth, claims_set, err);
    SP_CHECK(sp_name_check(user_id, "the user's id", err));
    SP_CHECK(given(json_object, "the claims", err));
    SP_CHECK(sp_writable_check(s, "setting claims", err));
    return sp_answer(auth(s)->claims_set(s, user_id, json_object, err), err);
}

int sp_auth_claims_of(
    struct sp_session *s, struct sp_arena *a, const char *access, const char **json, struct sp_error *err)
{
    *json = NULL;
    SP_ENTER(s, auth, claims_of, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(given(access, "the access token", err));
    SP_CHECK(sp_answer(auth(s)->claims_of(s, a, access, json, err), err));
    if (*json == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the backend gave no claims");
    return 0;
}

int sp_auth_admin_create(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *u, struct sp_error *err)
{
    blank(u, NULL);
    SP_ENTER(s, auth, admin_create, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(given(email, "the e-mail address", err));
    SP_CHECK(given(password, "the password", err));
    SP_CHECK(sp_writable_check(s, "creating a user", err));
    SP_CHECK(sp_answer(auth(s)->admin_create(s, a, email, password, u, err), err));
    return user_answer(u, err);
}

int sp_auth_admin_get(
    struct sp_session *s, struct sp_arena *a, const char *user_id, struct sp_user *u, struct sp_error *err)
{
    blank(u, NULL);
    SP_ENTER(s, auth, admin_get, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(sp_name_check(user_id, "the user's id", err));
    SP_CHECK(sp_answer(auth(s)->admin_get(s, a, user_id, u, err), err));
    return user_answer(u, err);
}

int sp_auth_admin_list(struct sp_session *s, struct sp_arena *a, const char **cursor, size_t limit,
    struct sp_user **users, size_t *n, struct sp_error *err)
{
    *users = NULL;
    *n = 0;
    SP_ENTER(s, auth, admin_list, err);
    SP_CHECK(given(a, "the arena", err));
    SP_CHECK(given(cursor, "the cursor", err));
    if (limit == 0)
        return sp_invalid(err, "a page of users needs a limit of at least 1");
    SP_CHECK(sp_answer(auth(s)->admin_list(s, a, cursor, limit, users, n, err), err));
    if (*n > limit || (*n > 0 && *users == NULL))
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND,
            "the page holds %zu users where at most %zu were asked for", *n, limit);
    for (size_t i = 0; i < *n; i++)
        SP_CHECK(user_answer(&(*users)[i], err));
    return 0;
}

int sp_auth_admin_disable(struct sp_session *s, const char *user_id, bool disabled, struct sp_error *err)
{
    SP_ENTER(s, auth, admin_disable, err);
    SP_CHECK(sp_name_check(user_id, "the user's id", err));
    SP_CHECK(sp_writable_check(s, "disabling a user", err));
    return sp_answer(auth(s)->admin_disable(s, user_id, disabled, err), err);
}

int sp_auth_admin_delete(struct sp_session *s, const char *user_id, struct sp_error *err)
{
    SP_ENTER(s, auth, admin_delete, err);
    SP_CHECK(sp_name_check(user_id, "the user's id", err));
    SP_CHECK(sp_writable_check(s, "deleting a user", err));
    return sp_answer(auth(s)->admin_delete(s, user_id, err), err);
}

int sp_auth_user_remove(struct sp_session *s, const char *email, struct sp_error *err)
{
    SP_ENTER(s, auth, user_remove, err);
    SP_CHECK(given(email, "the e-mail address", err));
    SP_CHECK(sp_writable_check(s, "removing a user", err));
    return sp_answer(auth(s)->user_remove(s, email, err), err);
}
