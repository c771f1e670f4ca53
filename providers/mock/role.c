/* role.c -- database users: passwords (through PBKDF2), locks, membership. */
#include "internal.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

/* Few: the mock guards nothing, and suites sign in often. */
#define ITERATIONS 64

static bool derive(uint8_t out[32], const uint8_t salt[16], const char *password)
{
    size_t n = strlen(password);
    return n <= 4096 && PKCS5_PBKDF2_HMAC(password, (int)n, salt, 16, ITERATIONS, EVP_sha256(), 32, out) == 1;
}

int mock_secret_make(struct mock_secret *out, const char *password, struct sp_error *err)
{
    if (strlen(password) > 4096)
        return mock_fail(err, SP_E_INVALID, "the password is longer than 4096 bytes");
    if (RAND_bytes(out->salt, sizeof out->salt) != 1 || !derive(out->hash, out->salt, password))
        return mock_fail(err, SP_E_INTERNAL, "the password could not be hashed");
    return 0;
}

bool mock_secret_fits(const struct mock_secret *s, const char *password)
{
    uint8_t hash[32];
    return derive(hash, s->salt, password) && CRYPTO_memcmp(hash, s->hash, sizeof hash) == 0;
}

struct mock_role *mock_role_find(const struct mock_store *st, const char *name)
{
    struct mock_role *r = st->roles;
    while (r != NULL && strcmp(r->name, name) != 0)
        r = r->next;
    return r;
}

/* A refusal does not say what is wrong. */
static bool may_open(const struct mock_role *r, const char *password)
{
    return r != NULL && password != NULL && mock_secret_fits(&r->secret, password) && !r->locked &&
           (!r->ends || mock_now() < r->end.sec);
}

int mock_role_open(struct mock_session *s, const char *name, const char *password, struct sp_error *err)
{
    pthread_mutex_lock(&s->store->lock);
    bool may = may_open(mock_role_find(s->store, name), password);
    pthread_mutex_unlock(&s->store->lock);
    if (!may)
        return mock_fail(err, SP_E_AUTHENTICATION, "user or password is wrong");
    s->signed_in = strdup(name);
    s->role = strdup(name);
    return s->role == NULL || s->signed_in == NULL ? sp_nomem(err) : 0;
}

static int find(struct mock_session *s, const char *name, struct mock_role **r, struct sp_error *err)
{
    *r = mock_role_find(s->store, name);
    return *r == NULL ? mock_fail(err, SP_E_NOT_FOUND, "role \"%s\" does not exist", name) : 0;
}

static int create(struct mock_session *s, const char *name, const char *password, struct sp_error *err)
{
    int rc = mock_owner_check(s, "create a role", err);
    if (rc != 0)
        return rc;
    if (mock_role_find(s->store, name) != NULL)
        return mock_fail(err, SP_E_EXISTS, "role \"%s\" exists already", name);
    struct mock_role *r = calloc(1, sizeof *r);
    if (r == NULL)
        return sp_nomem(err);
    r->name = strdup(name);
    rc = r->name == NULL ? sp_nomem(err) : mock_secret_make(&r->secret, password, err);
    if (rc != 0) {
        free(r->name);
        free(r);
        return rc;
    }
    r->next = s->store->roles;
    s->store->roles = r;
    return 0;
}

static void forget_member(struct mock_role *r, const struct mock_role *who)
{
    for (struct mock_member **p = &r->members; *p != NULL;) {
        struct mock_member *m = *p;
        if (who == NULL || m->who == who) {
            *p = m->next;
            free(m);
        } else {
            p = &m->next;
        }
    }
}

static int drop(struct mock_session *s, const char *name, struct sp_error *err)
{
    struct mock_role *r;
    int rc = mock_owner_check(s, "drop a role", err);
    if (rc == 0)
        rc = find(s, name, &r, err);
    if (rc != 0)
        return rc;
    struct mock_role **p = &s->store->roles;
    while (*p != r)
        p = &(*p)->next;
    *p = r->next;
    for (struct mock_role *other = s->store->roles; other != NULL; other = other->next)
        forget_member(other, r);
    forget_member(r, NULL);
    mock_grants_free(r->grants);
    free(r->name);
    free(r);
    return 0;
}

static int change(
    struct mock_session *s, const char *name, const struct sp_role_change *c, struct sp_error *err)
{
    struct mock_role *r;
    int rc = mock_owner_check(s, "change a role", err);
    if (rc == 0)
        rc = find(s, name, &r, err);
    if (rc == 0 && c->password != NULL)
        rc = mock_secret_make(&r->secret, c->password, err);
    if (rc != 0)
        return rc;
    if (c->password_until != NULL) {
        r->ends = true;
        r->end = *c->password_until;
    }
    if (c->sign_in != SP_KEEP)
        r->locked = c->sign_in == SP_OFF;
    if (c->bypass != SP_KEEP)
        r->bypass = c->bypass == SP_ON;
    return 0;
}

static bool is_member(const struct mock_role *r, const char *name)
{
    for (const struct mock_member *m = r->members; m != NULL; m = m->next)
        if (strcmp(m->who->name, name) == 0)
            return true;
    return strcmp(r->name, name) == 0;
}

static int join(struct mock_session *s, const char *name, const char *member, struct sp_error *err)
{
    struct mock_role *r, *who;
    int rc = mock_owner_check(s, "add a member to a role", err);
    if (rc == 0)
        rc = find(s, name, &r, err);
    if (rc == 0)
        rc = find(s, member, &who, err);
    if (rc != 0 || is_member(r, member))
        return rc;
    struct mock_member *m = malloc(sizeof *m);
    if (m == NULL)
        return sp_nomem(err);
    *m = (struct mock_member){ r->members, who };
    r->members = m;
    return 0;
}

static int act(struct mock_session *s, const char *name, struct sp_error *err)
{
    struct mock_role *r = NULL;
    if (s->txn != NULL)
        return mock_fail(err, SP_E_INVALID, "a transaction or snapshot is open; change roles outside of it");
    int rc = name == NULL ? 0 : find(s, name, &r, err);
    if (rc == 0 && r != NULL && s->signed_in != NULL && !is_member(r, s->signed_in))
        rc = mock_fail(err, SP_E_PERMISSION, "role \"%s\" is no member of role \"%s\"", s->signed_in, name);
    if (rc != 0)
        return rc;
    const char *next = name != NULL ? name : s->signed_in;
    char *copy = next == NULL ? NULL : strdup(next);
    if (next != NULL && copy == NULL)
        return sp_nomem(err);
    free(s->role);
    s->role = copy;
    return 0;
}

/* ---- the calls, each under the lock ------------------------------------------------------------------------------- */

int mock_role_create(struct sp_session *ss, const char *role, const char *password, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = create(s, role, password, err);
    mock_leave(s);
    return rc;
}

int mock_role_drop(struct sp_session *ss, const char *role, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = drop(s, role, err);
    mock_leave(s);
    return rc;
}

int mock_role_change(
    struct sp_session *ss, const char *role, const struct sp_role_change *c, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = change(s, role, c, err);
    mock_leave(s);
    return rc;
}

int mock_role_join(struct sp_session *ss, const char *role, const char *member, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = join(s, role, member, err);
    mock_leave(s);
    return rc;
}

int mock_role_act(struct sp_session *ss, const char *role, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = act(s, role, err);
    mock_leave(s);
    return rc;
}
