/* auth.c -- signing up, in and out, and what a user does to its own account, through Supabase Auth (GoTrue). */
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "model/calendar.h"
#include "providers/supabase/internal.h"

/* A copy of an object inside of `holder`, or an empty one; NULL: out of memory. */
static json_t *copy_of(const json_t *holder, const char *name)
{
    const json_t *object = json_object_get(holder, name);
    return json_is_object(object) ? json_copy((json_t *)object) : json_object();
}

/* Takes `own` over. */
static int keep_text(json_t *own, struct sp_arena *a, const char **out, struct sp_error *err)
{
    char *text = own == NULL ? NULL : json_dumps(own, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(own);
    *out = text == NULL ? NULL : sp_arena_str(a, text);
    free(text);
    return *out == NULL ? sp_nomem(err) : 0;
}

int su_own_claims(const json_t *holder, struct sp_arena *a, const char **out, struct sp_error *err)
{
    json_t *own = copy_of(holder, "app_metadata");
    json_object_del(own, "provider"); /* GoTrue's, not the application's */
    json_object_del(own, "providers");
    return keep_text(own, a, out, err);
}

/* What the user says of itself, but for the name and what GoTrue writes there by itself. */
static int own_profile(const json_t *user, struct sp_arena *a, const char **out, struct sp_error *err)
{
    static const char *const not_own[] = { "sub", "email", "email_verified", "phone_verified" };
    json_t *own = copy_of(user, "user_metadata");
    for (size_t i = 0; i < SP_LEN(not_own); i++)
        json_object_del(own, not_own[i]);
    if (json_is_string(json_object_get(own, "name")))
        json_object_del(own, "name");
    return keep_text(own, a, out, err);
}

/* A ban ends by itself; one whose end cannot be read has none. */
static bool banned(const char *until)
{
    struct sp_ts end;
    bool zoned = false;
    if (until == NULL || until[0] == '\0')
        return false;
    return sp_ts_parse(until, strlen(until), &end, &zoned) != 0 || end.sec > time(NULL);
}

int su_user(const json_t *object, struct sp_arena *a, struct sp_user *out, struct sp_error *err)
{
    const char *id = su_text(object, "id");
    struct sp_user u = { 0 };
    if (id == NULL || id[0] == '\0')
        return su_no_json(SU_AUTH, err);
    int rc = su_keep(a, object, "id", &u.id, err);
    if (rc == 0)
        rc = su_keep(a, object, "email", &u.email, err);
    if (rc == 0)
        rc = su_keep(a, json_object_get(object, "user_metadata"), "name", &u.name, err);
    if (rc != 0)
        return rc;
    rc = su_own_claims(object, a, &u.claims, err);
    if (rc == 0)
        rc = own_profile(object, a, &u.profile, err);
    if (rc != 0)
        return rc;
    u.disabled = banned(su_text(object, "banned_until"));
    u.email_verified = su_text(object, "email_confirmed_at") != NULL;
    if (out != NULL)
        *out = u;
    return 0;
}

static int tokens_of(const json_t *session, struct sp_arena *a, struct sp_tokens *out, struct sp_error *err)
{
    struct sp_tokens k = { 0 };
    int rc = su_keep(a, session, "access_token", &k.access, err);
    if (rc == 0)
        rc = su_keep(a, session, "refresh_token", &k.refresh, err);
    if (rc == 0)
        k.expires_in_s = json_integer_value(json_object_get(session, "expires_in"));
    if (rc == 0 && out != NULL)
        *out = k;
    return rc;
}

/* A session: user and tokens. */
static int take_session(
    const json_t *v, struct sp_arena *a, struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    const char *access = su_text(v, "access_token");
    if (access == NULL || access[0] == '\0')
        return su_no_json(SU_AUTH, err);
    int rc = su_user(json_object_get(v, "user"), a, user, err);
    return rc != 0 ? rc : tokens_of(v, a, tokens, err);
}

static int sign_up(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    const char *name, struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    json_t *answer = NULL, *body;
    if (email[0] == '\0' ||
        password[0] == '\0') /* the server would take it for somebody who stays anonymous */
        return sp_invalid(err, "a user signs up with an e-mail and a password");
    body = json_pack("{s:s, s:s}", "email", email, "password", password);
    if (body != NULL && name != NULL)
        json_object_set_new(body, "data", json_pack("{s:s}", "name", name));
    if (body == NULL)
        return sp_invalid(err, "e-mail or password is not valid UTF-8");
    struct su_call c = { .service = SU_AUTH, .method = "POST", .target = "/signup", .body = body };
    int rc = su_json(s, &c, &answer, err);
    if (rc == 0 && su_text(answer, "access_token") != NULL) {
        rc = take_session(answer, a, user, tokens, err);
    } else if (rc == 0) { /* the address waits to be confirmed: a user without a session */
        const json_t *identities = json_object_get(answer, "identities");
        if (json_is_array(identities) && json_array_size(identities) == 0)
            rc = sp_fail(err, SP_E_EXISTS,
                SP_ORIGIN_BACKEND, /* made up, so that nobody learns who has an account */
                "a user with this e-mail exists already");
        else
            rc = su_user(answer, a, user, err);
        if (rc == 0 && tokens != NULL)
            *tokens = (struct sp_tokens){ "", "", 0 };
    }
    json_decref(answer);
    json_decref(body);
    return rc;
}

static int token_call(struct sp_session *s, struct sp_arena *a, const char *grant, json_t *body,
    struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    json_t *answer = NULL;
    struct su_call c = { .service = SU_AUTH, .method = "POST", .target = grant, .body = body };
    if (body == NULL)
        return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "these credentials are not valid UTF-8");
    int rc = su_json(s, &c, &answer, err);
    if (rc == 0)
        rc = take_session(answer, a, user, tokens, err);
    json_decref(answer);
    json_decref(body);
    return rc;
}

/* What nobody can sign in with is refused as a wrong password is: the server calls it a malformed request. */
static int refused(int rc, struct sp_error *err)
{
    if (rc != -SP_E_INVALID)
        return rc;
    return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "Invalid login credentials");
}

static int sign_in(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    return refused(token_call(s, a, "/token?grant_type=password",
                       json_pack("{s:s, s:s}", "email", email, "password", password), user, tokens, err),
        err);
}

static int refresh(
    struct sp_session *s, struct sp_arena *a, const char *token, struct sp_tokens *out, struct sp_error *err)
{
    int rc = token_call(
        s, a, "/token?grant_type=refresh_token", json_pack("{s:s}", "refresh_token", token), NULL, out, err);
    return rc == -SP_E_NOT_FOUND ? sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "this user is gone")
                                 : refused(rc, err);
}

/* A token whose user is gone is no token any more. */
static int dead_token(int rc, struct sp_error *err)
{
    if (rc != -SP_E_NOT_FOUND)
        return rc;
    return sp_fail(
        err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "the user of this token does not exist any more");
}

/* The sign-in that this token comes from ends, on this device and no other. A second copy would be refused. */
static int sign_out(struct sp_session *s, const char *access, struct sp_error *err)
{
    struct su_call c = {
        .service = SU_AUTH, .user = access, .method = "POST", .target = "/logout?scope=local"
    };
    return dead_token(su_json(s, &c, NULL, err), err);
}

static int user_get(
    struct sp_session *s, struct sp_arena *a, const char *access, struct sp_user *out, struct sp_error *err)
{
    struct su_call c = {
        .service = SU_AUTH, .user = access, .method = "GET", .target = "/user", .again = true
    };
    json_t *answer = NULL;
    int rc = su_json(s, &c, &answer, err);
    if (rc == 0)
        rc = su_user(answer, a, out, err);
    json_decref(answer);
    return dead_token(rc, err);
}

static int user_update(struct sp_session *s, struct sp_arena *a, const char *access,
    const struct sp_user_change *change, struct sp_user *out, struct sp_error *err)
{
    json_t *body = json_object(), *answer = NULL;
    bool ok = body != NULL;
    if (change->email != NULL) {
        json_decref(body);
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "a new e-mail would wait to be confirmed by mail, and the old one hold until then");
    }
    if (ok && change->password != NULL)
        ok = json_object_set_new(body, "password", json_string(change->password)) == 0;
    if (ok && change->name != NULL)
        ok = json_object_set_new(body, "data", json_pack("{s:s}", "name", change->name)) == 0;
    struct su_call c = { .service = SU_AUTH,
        .user = access,
        .method = "PUT",
        .target = "/user",
        .body = body,
        .again = change->password == NULL }; /* a password that is there already is refused as the same */
    int rc = ok ? su_json(s, &c, &answer, err) : sp_invalid(err, "a text of the change is not valid UTF-8");
    if (rc == 0)
        rc = su_user(answer, a, out, err);
    json_decref(answer);
    json_decref(body);
    return dead_token(rc, err);
}

/* GoTrue has no call by which users delete themselves: the administrator does it for whoever holds the token. */
static int user_delete(struct sp_session *s, const char *access, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_user u = { 0 };
    int rc = su_admin_offered(s, err);
    if (rc == 0)
        rc = user_get(s, &a, access, &u, err);
    if (rc == 0)
        rc = dead_token(su_admin_delete(s, u.id, err), err);
    sp_arena_free(&a);
    return rc;
}

int su_reset_request(struct sp_session *s, const char *email, char code[128], struct sp_error *err)
{
    json_t *answer = NULL, *body = json_pack("{s:s, s:s}", "type", "recovery", "email", email);
    struct su_call c = {
        .service = SU_AUTH, .role = SU_ADMIN, .method = "POST", .target = "/admin/generate_link", .body = body
    };
    code[0] = '\0';
    int rc = su_admin_offered(s, err);
    if (rc != 0) {
        json_decref(body);
        return rc;
    }
    if (body == NULL)
        return 0; /* nobody has such an address, and nobody learns it here */
    rc = su_json(s, &c, &answer, err);
    if (rc == -SP_E_NOT_FOUND || rc == -SP_E_INVALID) {
        sp_error_clear(err);
        rc = 0;
    } else if (rc == 0) {
        const char *otp = su_text(answer, "email_otp");
        if (otp == NULL || !sp_strlcpy(code, otp, 128))
            rc = su_no_json(SU_AUTH, err);
    }
    json_decref(answer);
    json_decref(body);
    return rc;
}

int su_reset_confirm(
    struct sp_session *s, const char *email, const char *code, const char *password, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_tokens k = { 0 };
    struct sp_user_change change = { .password = password };
    int rc = refused(
        token_call(s, &a, "/verify",
            json_pack("{s:s, s:s, s:s}", "type", "recovery", "email", email, "token", code), NULL, &k, err),
        err);
    if (rc == -SP_E_NOT_FOUND)
        rc = sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "this code opens no account");
    if (rc == 0)
        rc = user_update(s, &a, k.access, &change, NULL, err);
    sp_arena_free(&a);
    return rc;
}

const struct sp_auth_ops su_auth_ops = {
    .sign_up = sign_up,
    .sign_in = sign_in,
    .refresh = refresh,
    .sign_out = sign_out,
    .user_get = user_get,
    .user_update = user_update,
    .user_delete = user_delete,
    .reset_request = su_reset_request,
    .reset_confirm = su_reset_confirm,
    .claims_set = su_claims_set,
    .claims_of = su_claims_of,
    .admin_create = su_admin_create,
    .admin_get = su_admin_get,
    .admin_list = su_admin_list,
    .admin_disable = su_admin_disable,
    .admin_delete = su_admin_delete,
    .user_remove = su_user_remove,
};
