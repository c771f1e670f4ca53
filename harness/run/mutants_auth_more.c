/* mutants_auth_more.c -- bugs in identity: tokens that nobody gave out, users who are mixed up. */
#include "run/mutation.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

#define IDENTITY SP_INNER_AUTH

static int sign_in_exact(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *u, struct sp_tokens *t, struct sp_error *err)
{
    for (const char *p = email; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            return sp_fail(err, SP_E_AUTHENTICATION, SP_ORIGIN_BACKEND, "no such user or password");
    return IDENTITY->sign_in(s, a, email, password, u, t, err);
}
SP_PLANT(auth, email_case_counts, sign_in, sign_in_exact)

/* The first id is given out again and again. */
static int sign_up_as_first(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    const char *name, struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    static char first[128];
    struct sp_user u = { 0 };
    int rc = IDENTITY->sign_up(s, a, email, password, name, &u, tokens, err);
    if (rc == 0 && u.id != NULL) {
        if (first[0] == '\0')
            (void)sp_strlcpy(first, u.id, sizeof first);
        u.id = first;
    }
    if (user != NULL)
        *user = u;
    return rc;
}
SP_PLANT(auth, user_id_repeated, sign_up, sign_up_as_first)

/* Whatever is shown for a refresh token gives new tokens. */
static int refresh_anything(
    struct sp_session *s, struct sp_arena *a, const char *refresh, struct sp_tokens *t, struct sp_error *err)
{
    int rc = IDENTITY->refresh(s, a, refresh, t, err);
    if (rc != -SP_E_AUTHENTICATION)
        return rc;
    sp_error_clear(err);
    if (t != NULL)
        *t = (struct sp_tokens){ .access = "access", .refresh = "refresh", .expires_in_s = 3600 };
    return 0;
}
SP_PLANT(auth, refresh_not_verified, refresh, refresh_anything)

static int user_of_anything(
    struct sp_session *s, struct sp_arena *a, const char *access, struct sp_user *u, struct sp_error *err)
{
    int rc = IDENTITY->user_get(s, a, access, u, err);
    if (rc != -SP_E_AUTHENTICATION)
        return rc;
    sp_error_clear(err);
    if (u != NULL)
        *u = (struct sp_user){ .id = "1", .email = "guest@example.com" };
    return 0;
}
SP_PLANT(auth, token_of_guest, user_get, user_of_anything)

static int admin_create_other_password(struct sp_session *s, struct sp_arena *a, const char *email,
    const char *password, struct sp_user *u, struct sp_error *err)
{
    const char *other = sp_arena_printf(a, "%s1", password);
    return other != NULL ? IDENTITY->admin_create(s, a, email, other, u, err) : -SP_E_NOMEM;
}
SP_PLANT(auth, admin_password_lost, admin_create, admin_create_other_password)

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "auth", text }, plant_##name                                                                \
    }
const struct sp_mutant_row sp_mutants_auth_more[] = {
    ROW(email_case_counts, "sign-in tells capitals in an e-mail from small letters"),
    ROW(user_id_repeated, "every new user gets the id of the first"),
    ROW(refresh_not_verified, "any text works as a refresh token"),
    ROW(token_of_guest, "any text works as an access token, of a guest"),
    ROW(admin_password_lost, "a user whom an administrator creates has another password"),
    { { NULL, NULL, NULL }, NULL },
};
