/* mutants_roles.c -- bugs in database credentials: who gets in, and what a refusal tells. */
#include "run/mutation.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

/* The roles made through this mutant, so that it can let others in as them. */
enum { KNOWN = 64 };
static struct known {
    char name[80], password[80];
    bool dropped;
} known[KNOWN];
static size_t nknown;

static struct known *find(const char *name)
{
    for (size_t i = 0; name != NULL && i < nknown && i < KNOWN; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

static int create_known(struct sp_session *s, const char *role, const char *password, struct sp_error *err)
{
    int rc = SP_INNER_DB->role_create(s, role, password, err);
    struct known *k = find(role);
    if (rc == 0 && k == NULL)
        k = &known[nknown++ % KNOWN];
    if (rc == 0) {
        (void)sp_strlcpy(k->name, role, sizeof k->name);
        (void)sp_strlcpy(k->password, password, sizeof k->password);
        k->dropped = false;
    }
    return rc;
}

static int drop_known(struct sp_session *s, const char *role, struct sp_error *err)
{
    int rc = SP_INNER_DB->role_drop(s, role, err);
    struct known *k = find(role);
    if (rc == 0 && k != NULL)
        k->dropped = true;
    return rc;
}

static bool plant_open(int (*open)(struct sp_session **, const struct sp_endpoint *, struct sp_error *))
{
    bool can = sp_mutation.db.role_create != NULL && sp_mutation.db.role_drop != NULL;
    if (can) {
        sp_mutation.outer.open = open;
        sp_mutation.db.role_create = create_known;
        sp_mutation.db.role_drop = drop_known;
    }
    return can;
}

/* Endpoints live as long as their sessions. */
static struct sp_endpoint *endpoint_like(const struct sp_endpoint *e)
{
    static struct sp_endpoint copies[256];
    static size_t n;
    struct sp_endpoint *copy = &copies[n++ % SP_LEN(copies)];
    *copy = *e;
    return copy;
}

/* ---- getting in -------------------------------------------------------------------------------------------------- */

static int open_near(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err,
    bool (*near)(const char *given, const char *right))
{
    int rc = sp_mutation.inner->open(out, e, err);
    const struct known *k = find(e->user);
    if (rc != -SP_E_AUTHENTICATION || k == NULL || k->dropped || e->password == NULL ||
        !near(e->password, k->password))
        return rc;
    struct sp_endpoint *right = endpoint_like(e);
    right->password = k->password;
    sp_error_clear(err);
    return sp_mutation.inner->open(out, right, err);
}

#define OPEN_MUTANT(name, condition)                                                                         \
    static bool near_##name(const char *given, const char *right)                                            \
    {                                                                                                        \
        return condition;                                                                                    \
    }                                                                                                        \
    static int open_##name(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)       \
    {                                                                                                        \
        return open_near(out, e, err, near_##name);                                                          \
    }                                                                                                        \
    static bool plant_##name(void)                                                                           \
    {                                                                                                        \
        return plant_open(open_##name);                                                                      \
    }
OPEN_MUTANT(role_password_unchecked, *given != '\0' && right != NULL)
OPEN_MUTANT(role_password_empty, *given == '\0' && right != NULL)
OPEN_MUTANT(role_password_case, strcasecmp(given, right) == 0)

static int open_dropped(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    int rc = sp_mutation.inner->open(out, e, err);
    const struct known *k = find(e->user);
    if (rc != -SP_E_AUTHENTICATION || k == NULL || !k->dropped)
        return rc;
    struct sp_endpoint *owner = endpoint_like(e);
    owner->user = owner->password = NULL;
    sp_error_clear(err);
    return sp_mutation.inner->open(out, owner, err);
}
static bool plant_dropped_role_opens(void)
{
    return plant_open(open_dropped);
}

static int create_other_password(
    struct sp_session *s, const char *role, const char *password, struct sp_error *err)
{
    char *other = sp_strdup_printf("%s1", password);
    int rc = other != NULL ? SP_INNER_DB->role_create(s, role, other, err) : sp_nomem(err);
    free(other);
    return rc;
}
SP_PLANT(db, role_password_lost, role_create, create_other_password)

/* ---- what a refusal tells ---------------------------------------------------------------------------------------- */

/* Behind the back of sp_fail(), which hides what it knows to be secret. */
static void tell(struct sp_error *err, const char *secret)
{
    char *text = err == NULL ? NULL : sp_strdup_printf("%s (%s)", sp_error_text(err), secret);
    if (text == NULL)
        return;
    free(err->text);
    err->text = text;
}

static int open_telling_unknown(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    int rc = sp_mutation.inner->open(out, e, err);
    if (rc == -SP_E_AUTHENTICATION && find(e->user) == NULL)
        tell(err, "there is no such role");
    return rc;
}
static bool plant_unknown_role_told(void)
{
    return plant_open(open_telling_unknown);
}

static int open_telling_password(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    int rc = sp_mutation.inner->open(out, e, err);
    if (rc != 0 && e->password != NULL)
        tell(err, e->password);
    return rc;
}
static bool plant_role_password_told(void)
{
    return plant_open(open_telling_password);
}

/* Also where any name would do. */
static int open_telling_url(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    if (strstr(e->url, "://user:") == NULL)
        return sp_mutation.inner->open(out, e, err);
    int rc = sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, "cannot connect");
    tell(err, e->url);
    return rc;
}
static bool plant_url_told(void)
{
    return plant_open(open_telling_url);
}

static int create_telling(struct sp_session *s, const char *role, const char *password, struct sp_error *err)
{
    int rc = SP_INNER_DB->role_create(s, role, password, err);
    if (rc != 0)
        tell(err, password);
    return rc;
}
SP_PLANT(db, refused_role_password_told, role_create, create_telling)

/* ---- what changes of a role are forgotten ------------------------------------------------------------------------ */

#define CHANGE_MUTANT(name, condition, member, value)                                                        \
    static int change_##name(                                                                                \
        struct sp_session *s, const char *role, const struct sp_role_change *c, struct sp_error *err)        \
    {                                                                                                        \
        struct sp_role_change less = *c;                                                                     \
        if (condition)                                                                                       \
            less.member = value;                                                                             \
        return SP_INNER_DB->role_change(s, role, &less, err);                                                \
    }                                                                                                        \
    SP_PLANT(db, name, role_change, change_##name)
CHANGE_MUTANT(role_lock_ignored, c->sign_in == SP_OFF, sign_in, SP_KEEP)
CHANGE_MUTANT(role_unlock_ignored, c->sign_in == SP_ON, sign_in, SP_KEEP)
CHANGE_MUTANT(role_expiry_ignored, c->password_until != NULL, password_until, NULL)
CHANGE_MUTANT(role_password_kept, c->password != NULL, password, NULL)
CHANGE_MUTANT(role_bypass_ignored, c->bypass == SP_ON, bypass, SP_KEEP)
CHANGE_MUTANT(role_bypass_forever, c->bypass == SP_OFF, bypass, SP_KEEP)

/* ---- acting ------------------------------------------------------------------------------------------------------ */

static int act_never(struct sp_session *s, const char *role, struct sp_error *err)
{
    (void)s, (void)role, (void)err;
    return 0;
}
SP_PLANT(db, role_act_ignored, role_act, act_never)

static int act_for_ever(struct sp_session *s, const char *role, struct sp_error *err)
{
    return role == NULL ? 0 : SP_INNER_DB->role_act(s, role, err);
}
SP_PLANT(db, role_act_endless, role_act, act_for_ever)

static int act_allowed(struct sp_session *s, const char *role, struct sp_error *err)
{
    int rc = SP_INNER_DB->role_act(s, role, err);
    if (rc != -SP_E_PERMISSION)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(db, role_act_not_refused, role_act, act_allowed)

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "credentials", text }, plant_##name                                                         \
    }
const struct sp_mutant_row sp_mutants_roles[] = {
    ROW(role_password_unchecked, "any password lets a database user in"),
    ROW(role_password_empty, "an empty password lets a database user in"),
    ROW(role_password_case, "capitals in a database user's password do not count"),
    ROW(role_password_lost, "a new database user has another password"),
    ROW(dropped_role_opens, "a dropped database user gets in"),
    ROW(unknown_role_told, "the refusal of an unknown database user says so"),
    ROW(role_password_told, "a refused sign-in tells the password"),
    ROW(refused_role_password_told, "a database user that is not made is told with the password"),
    ROW(url_told, "a refused connection tells its URL"),
    ROW(role_lock_ignored, "a lock is not made"),
    ROW(role_unlock_ignored, "a lock stays"),
    ROW(role_expiry_ignored, "a database user's password never ends"),
    ROW(role_password_kept, "a database user keeps the old password"),
    ROW(role_bypass_ignored, "nobody bypasses row security"),
    ROW(role_bypass_forever, "who bypasses row security does so for ever"),
    ROW(role_act_ignored, "acting as another role changes nothing"),
    ROW(role_act_endless, "who acts as another role cannot go back"),
    ROW(role_act_not_refused, "acting as a role of others is not refused"),
    { { NULL, NULL, NULL }, NULL },
};
