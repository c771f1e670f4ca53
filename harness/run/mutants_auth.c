/* mutants_auth.c -- bugs in identity: doors that open, doors that stay open. */
#include "run/mutation.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

#define IDENTITY SP_INNER_AUTH

/* The users who signed up through this mutant, so that it can let others in as them. */
enum { KNOWN = 256 };
static struct known {
    char email[160], password[160], id[80];
} known[KNOWN];
static size_t nknown;

static int sign_up_known(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    const char *name, struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    struct sp_user u = { 0 };
    int rc = IDENTITY->sign_up(s, a, email, password, name, &u, tokens, err);
    if (rc == 0 && nknown < KNOWN) {
        struct known *k = &known[nknown++];
        sp_strlcpy(k->email, email, sizeof k->email);
        sp_strlcpy(k->password, password, sizeof k->password);
        sp_strlcpy(k->id, u.id == NULL ? "" : u.id, sizeof k->id);
    }
    if (user != NULL)
        *user = u;
    return rc;
}

static const struct known *find_email(const char *email)
{
    for (size_t i = nknown; i-- > 0;)
        if (strcasecmp(known[i].email, email) == 0)
            return &known[i];
    return NULL;
}

/* Lets the user in whose password is only nearly right, in the sense of `near`. */
static int sign_in_near(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *u, struct sp_tokens *t, struct sp_error *err,
    bool (*near)(const char *given, const char *right))
{
    int rc = IDENTITY->sign_in(s, a, email, password, u, t, err);
    const struct known *k = find_email(email);
    if (rc != -SP_E_AUTHENTICATION || k == NULL || !near(password, k->password))
        return rc;
    sp_error_clear(err);
    return IDENTITY->sign_in(s, a, email, k->password, u, t, err);
}

#define SIGN_IN_MUTANT(name, condition)                                                                      \
    static bool near_##name(const char *given, const char *right)                                            \
    {                                                                                                        \
        return condition;                                                                                    \
    }                                                                                                        \
    static int sign_in_##name(struct sp_session *s, struct sp_arena *a, const char *email,                   \
        const char *password, struct sp_user *u, struct sp_tokens *t, struct sp_error *err)                  \
    {                                                                                                        \
        return sign_in_near(s, a, email, password, u, t, err, near_##name);                                  \
    }                                                                                                        \
    static bool plant_##name(void)                                                                           \
    {                                                                                                        \
        bool can = sp_mutation.auth.sign_in != NULL && sp_mutation.auth.sign_up != NULL;                     \
        if (can) {                                                                                           \
            sp_mutation.auth.sign_in = sign_in_##name;                                                       \
            sp_mutation.auth.sign_up = sign_up_known;                                                        \
        }                                                                                                    \
        return can;                                                                                          \
    }

SIGN_IN_MUTANT(any_password, given != NULL && right != NULL)
SIGN_IN_MUTANT(empty_password, right != NULL && given[0] == '\0')
SIGN_IN_MUTANT(password_ignores_case, strcasecmp(given, right) == 0)
SIGN_IN_MUTANT(password_prefix, strlen(given) >= 5 && strncmp(given, right, strlen(given)) == 0)
SIGN_IN_MUTANT(password_longer, strncmp(given, right, strlen(right)) == 0)
SIGN_IN_MUTANT(password_72_bytes, strlen(right) > 72 && strncmp(given, right, 72) == 0)
SIGN_IN_MUTANT(password_trimmed, strlen(given) > 1 && given[0] == ' ' && strcmp(given + 1, right) == 0)

static int sign_in_leaks(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *u, struct sp_tokens *t, struct sp_error *err)
{
    int rc = IDENTITY->sign_in(s, a, email, password, u, t, err);
    if (rc != -SP_E_AUTHENTICATION || find_email(email) != NULL)
        return rc;
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "there is no such user");
}
static bool plant_enumeration(void)
{
    bool can = sp_mutation.auth.sign_in != NULL && sp_mutation.auth.sign_up != NULL;
    if (can) {
        sp_mutation.auth.sign_in = sign_in_leaks;
        sp_mutation.auth.sign_up = sign_up_known;
    }
    return can;
}

static int sign_up_twice(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    const char *name, struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    int rc = IDENTITY->sign_up(s, a, email, password, name, user, tokens, err);
    if (rc != -SP_E_EXISTS)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(auth, duplicate_user_swallowed, sign_up, sign_up_twice)

static int sign_up_anything(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    const char *name, struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    int rc = IDENTITY->sign_up(s, a, email, password, name, user, tokens, err);
    if (rc != -SP_E_INVALID)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(auth, bad_sign_up_swallowed, sign_up, sign_up_anything)

static int sign_up_nameless(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    const char *name, struct sp_user *user, struct sp_tokens *tokens, struct sp_error *err)
{
    (void)name;
    return IDENTITY->sign_up(s, a, email, password, NULL, user, tokens, err);
}
SP_PLANT(auth, name_lost, sign_up, sign_up_nameless)

/* A used refresh token is good for what the first use gave. */
static int refresh_again(
    struct sp_session *s, struct sp_arena *a, const char *refresh, struct sp_tokens *t, struct sp_error *err)
{
    static char used[512], access[4096], next[512];
    int rc = IDENTITY->refresh(s, a, refresh, t, err);
    if (rc == 0) {
        sp_strlcpy(used, refresh, sizeof used);
        sp_strlcpy(access, t->access, sizeof access);
        sp_strlcpy(next, t->refresh, sizeof next);
    } else if (rc == -SP_E_AUTHENTICATION && used[0] != '\0' && strcmp(used, refresh) == 0) {
        sp_error_clear(err);
        *t = (struct sp_tokens){ .access = sp_arena_str(a, access), .refresh = sp_arena_str(a, next) };
        rc = 0;
    }
    return rc;
}
SP_PLANT(auth, refresh_reuse, refresh, refresh_again)

static int token_nothing(struct sp_session *s, const char *access, struct sp_error *err)
{
    (void)s, (void)access, (void)err;
    return 0;
}
SP_PLANT(auth, sign_out_ignored, sign_out, token_nothing)
SP_PLANT(auth, user_delete_ignored, user_delete, token_nothing)

/* Whatever token: the user of the first one. */
static int user_get_first(
    struct sp_session *s, struct sp_arena *a, const char *access, struct sp_user *u, struct sp_error *err)
{
    static char first[4096];
    if (first[0] == '\0')
        sp_strlcpy(first, access, sizeof first);
    return IDENTITY->user_get(s, a, first, u, err);
}
SP_PLANT(auth, token_of_first_user, user_get, user_get_first)

/* The signature is not looked at: a changed token is as good as the one it resembles. */
static int user_get_unsigned(
    struct sp_session *s, struct sp_arena *a, const char *access, struct sp_user *u, struct sp_error *err)
{
    static char good[4096];
    int rc = IDENTITY->user_get(s, a, access, u, err);
    size_t n = strlen(access), same = 0;
    if (rc == 0) {
        sp_strlcpy(good, access, sizeof good);
        return 0;
    }
    for (size_t i = 0; i < n && i < strlen(good); i++)
        same += good[i] == access[i];
    if (rc != -SP_E_AUTHENTICATION || n == 0 || same + 2 < n)
        return rc;
    sp_error_clear(err);
    return IDENTITY->user_get(s, a, good, u, err);
}
/* It learns a good token at sign-in. */
static int sign_in_remember(struct sp_session *s, struct sp_arena *a, const char *email, const char *password,
    struct sp_user *u, struct sp_tokens *t, struct sp_error *err)
{
    struct sp_user ignored;
    struct sp_error none = SP_ERROR_INIT;
    int rc = IDENTITY->sign_in(s, a, email, password, u, t, err);
    if (rc == 0 && t != NULL)
        (void)user_get_unsigned(s, a, t->access, &ignored, &none);
    sp_error_clear(&none);
    return rc;
}
static bool plant_token_not_verified(void)
{
    bool can = sp_mutation.auth.user_get != NULL && sp_mutation.auth.sign_in != NULL;
    if (can) {
        sp_mutation.auth.user_get = user_get_unsigned;
        sp_mutation.auth.sign_in = sign_in_remember;
    }
    return can;
}

static int user_update_nothing(struct sp_session *s, struct sp_arena *a, const char *access,
    const struct sp_user_change *c, struct sp_user *u, struct sp_error *err)
{
    int rc = IDENTITY->user_get(s, a, access, u, err);
    if (rc == 0 && u != NULL && c->name != NULL)
        u->name = sp_arena_str(a, c->name);
    if (rc == 0 && u != NULL && c->email != NULL)
        u->email = sp_arena_str(a, c->email);
    return rc;
}
SP_PLANT(auth, user_update_ignored, user_update, user_update_nothing)

/* A code that is wrong is replaced by a right one. */
static int reset_any_code(
    struct sp_session *s, const char *email, const char *code, const char *password, struct sp_error *err)
{
    char fresh[128] = "";
    int rc = IDENTITY->reset_confirm(s, email, code, password, err);
    if (rc != -SP_E_AUTHENTICATION || IDENTITY->reset_request == NULL)
        return rc;
    sp_error_clear(err);
    rc = IDENTITY->reset_request(s, email, fresh, err);
    return rc < 0 ? rc : IDENTITY->reset_confirm(s, email, fresh, password, err);
}
SP_PLANT(auth, reset_any_code_works, reset_confirm, reset_any_code)

static int reset_nothing(
    struct sp_session *s, const char *email, const char *code, const char *password, struct sp_error *err)
{
    (void)s, (void)email, (void)code, (void)password, (void)err;
    return 0;
}
SP_PLANT(auth, reset_ignored, reset_confirm, reset_nothing)

static int claims_set_nothing(struct sp_session *s, const char *id, const char *json, struct sp_error *err)
{
    (void)s, (void)id, (void)json, (void)err;
    return 0;
}
SP_PLANT(auth, claims_ignored, claims_set, claims_set_nothing)

static char last_claims[1024] = "{}";
static int claims_set_remember(struct sp_session *s, const char *id, const char *json, struct sp_error *err)
{
    int rc = IDENTITY->claims_set(s, id, json, err);
    if (rc == 0)
        sp_strlcpy(last_claims, json, sizeof last_claims);
    return rc;
}
static int claims_of_last(
    struct sp_session *s, struct sp_arena *a, const char *access, const char **json, struct sp_error *err)
{
    int rc = IDENTITY->claims_of(s, a, access, json, err);
    if (rc == 0)
        *json = sp_arena_str(a, last_claims);
    return rc;
}
static bool plant_claims_of_last_user(void)
{
    bool can = sp_mutation.auth.claims_set != NULL && sp_mutation.auth.claims_of != NULL;
    if (can) {
        sp_mutation.auth.claims_set = claims_set_remember;
        sp_mutation.auth.claims_of = claims_of_last;
    }
    return can;
}

static int disable_nothing(struct sp_session *s, const char *id, bool disabled, struct sp_error *err)
{
    (void)s, (void)id, (void)disabled, (void)err;
    return 0;
}
SP_PLANT(auth, disable_ignored, admin_disable, disable_nothing)

static int admin_delete_nothing(struct sp_session *s, const char *id, struct sp_error *err)
{
    (void)s, (void)id, (void)err;
    return 0;
}
SP_PLANT(auth, admin_delete_ignored, admin_delete, admin_delete_nothing)

static int admin_list_short(struct sp_session *s, struct sp_arena *a, const char **cursor, size_t limit,
    struct sp_user **u, size_t *n, struct sp_error *err)
{
    int rc = IDENTITY->admin_list(s, a, cursor, limit, u, n, err);
    if (rc == 0 && *n > 1)
        (*n)--;
    return rc;
}
SP_PLANT(auth, admin_list_loses_last, admin_list, admin_list_short)

static int admin_list_first_page(struct sp_session *s, struct sp_arena *a, const char **cursor, size_t limit,
    struct sp_user **u, size_t *n, struct sp_error *err)
{
    int rc = IDENTITY->admin_list(s, a, cursor, limit, u, n, err);
    *cursor = NULL;
    return rc;
}
SP_PLANT(auth, admin_list_one_page, admin_list, admin_list_first_page)

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "auth", text }, plant_##name                                                                \
    }
const struct sp_mutant_row sp_mutants_auth[] = {
    ROW(any_password, "every password is right"),
    ROW(empty_password, "the empty password is right"),
    ROW(password_ignores_case, "passwords ignore case"),
    ROW(password_prefix, "the first characters of a password suffice"),
    ROW(password_longer, "what stands behind a password is ignored"),
    ROW(password_72_bytes, "passwords count 72 bytes"),
    ROW(password_trimmed, "a blank before a password is ignored"),
    ROW(enumeration, "an unknown user is told apart from a wrong password"),
    ROW(duplicate_user_swallowed, "a second sign-up looks like success"),
    ROW(bad_sign_up_swallowed, "a malformed sign-up looks like success"),
    ROW(name_lost, "the name given at sign-up is lost"),
    ROW(refresh_reuse, "a used refresh token works again"),
    ROW(sign_out_ignored, "sign-out does nothing"),
    ROW(user_delete_ignored, "a deleted user lives on"),
    ROW(token_of_first_user, "every token gives the first user"),
    ROW(token_not_verified, "a changed token works"),
    ROW(user_update_ignored, "a change of a user is acknowledged and forgotten"),
    ROW(reset_any_code_works, "any reset code is right"),
    ROW(reset_ignored, "a reset is acknowledged and forgotten"),
    ROW(claims_ignored, "claims are acknowledged and forgotten"),
    ROW(claims_of_last_user, "all users have the claims that were set last"),
    ROW(disable_ignored, "a disabled user gets in"),
    ROW(admin_delete_ignored, "a user whom an administrator deleted lives on"),
    ROW(admin_list_loses_last, "each page of the user list lacks its last user"),
    ROW(admin_list_one_page, "the user list ends after one page"),
    { { NULL, NULL, NULL }, NULL },
};
