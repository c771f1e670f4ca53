/* user.c -- the list of users. */
#include "auth.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

int mock_users_get(struct mock_store *st, struct mock_users **out, struct sp_error *err)
{
    if (st->users == NULL) {
        struct mock_users *users = calloc(1, sizeof *users);
        if (users == NULL)
            return sp_nomem(err);
        int rc = mock_secret_make(&users->decoy, "nobody's password", err);
        if (rc != 0) {
            free(users);
            return rc;
        }
        st->users = users;
    }
    *out = st->users;
    return 0;
}

struct mock_user *mock_user_by_email(const struct mock_store *st, const char *email)
{
    struct mock_user *u = st->users == NULL ? NULL : st->users->first;
    while (u != NULL && strcasecmp(u->email, email) != 0)
        u = u->next;
    return u;
}

struct mock_user *mock_user_by_id(const struct mock_store *st, const char *id)
{
    struct mock_user *u = st->users == NULL ? NULL : st->users->first;
    while (u != NULL && strcmp(u->id, id) != 0)
        u = u->next;
    return u;
}

/* local@domain: one @, neither side empty, no blanks or controls, at most 254 bytes. */
int mock_email_check(const char *email, struct sp_error *err)
{
    const char *at = strchr(email, '@');
    size_t n = strlen(email);
    bool good = at != NULL && at != email && at[1] != '\0' && strchr(at + 1, '@') == NULL && n <= 254 &&
                at[1] != '.' && email[n - 1] != '.' && sp_utf8_valid(email, n);
    for (size_t i = 0; good && i < n; i++)
        good = (unsigned char)email[i] > ' ' && email[i] != 0x7f;
    return good ? 0 : mock_fail(err, SP_E_INVALID, "the e-mail address is malformed");
}

int mock_password_set(struct mock_user *u, const char *password, struct sp_error *err)
{
    if (strlen(password) < MOCK_PASSWORD_MIN)
        return mock_fail(err, SP_E_INVALID, "the password is shorter than %d bytes", MOCK_PASSWORD_MIN);
    return mock_secret_make(&u->secret, password, err);
}

int mock_text_set(char **slot, const char *text, struct sp_error *err)
{
    char *copy = strdup(text);
    if (copy == NULL)
        return sp_nomem(err);
    free(*slot);
    *slot = copy;
    return 0;
}

static void user_free(struct mock_user *u)
{
    for (struct mock_login *l = u->logins, *next; l != NULL; l = next) {
        next = l->next;
        for (struct mock_refresh *t = l->tokens, *more; t != NULL; t = more) {
            more = t->next;
            free(t);
        }
        free(l);
    }
    free(u->email);
    free(u->name);
    free(u->claims);
    free(u);
}

int mock_user_make(struct mock_store *st, const char *email, const char *password, const char *name,
    struct mock_user **out, struct sp_error *err)
{
    struct mock_users *users;
    int rc = mock_email_check(email, err);
    if (rc == 0)
        rc = mock_users_get(st, &users, err);
    if (rc != 0)
        return rc;
    struct mock_user *u = calloc(1, sizeof *u);
    if (u == NULL)
        return sp_nomem(err);
    rc = mock_password_set(u, password, err);
    if (rc == 0 && mock_user_by_email(st, email) != NULL)
        rc = mock_fail(err, SP_E_EXISTS, "a user with this e-mail address exists already");
    if (rc == 0)
        rc = mock_random_hex(u->id, 16, err);
    if (rc == 0)
        rc = mock_text_set(&u->email, email, err);
    if (rc == 0)
        rc = mock_text_set(&u->name, name == NULL ? "" : name, err);
    if (rc == 0)
        rc = mock_text_set(&u->claims, "{}", err);
    if (rc != 0) {
        user_free(u);
        return rc;
    }
    struct mock_user **p = &users->first;
    while (*p != NULL && strcmp((*p)->id, u->id) < 0)
        p = &(*p)->next;
    u->next = *p;
    *p = u;
    *out = u;
    return 0;
}

void mock_user_unmake(struct mock_store *st, struct mock_user *u)
{
    struct mock_user **p = &st->users->first;
    while (*p != u)
        p = &(*p)->next;
    *p = u->next;
    user_free(u);
}

int mock_user_give(struct sp_arena *a, const struct mock_user *u, struct sp_user *out, struct sp_error *err)
{
    if (out == NULL)
        return 0;
    *out = (struct sp_user){ .id = sp_arena_str(a, u->id),
        .email = sp_arena_str(a, u->email),
        .name = sp_arena_str(a, u->name),
        .claims = sp_arena_str(a, u->claims),
        .disabled = u->disabled,
        .email_verified = u->verified };
    bool oom = out->id == NULL || out->email == NULL || out->name == NULL || out->claims == NULL;
    return oom ? sp_nomem(err) : 0;
}

void mock_logins_end(struct mock_user *u, const struct mock_login *keep)
{
    for (struct mock_login *l = u->logins; l != NULL; l = l->next)
        l->ended = l->ended || l != keep;
}
