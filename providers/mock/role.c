/* role.c -- database users with privileges per table; passwords through PBKDF2. */
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

int mock_role_allows(
    const struct mock_session *s, const struct mock_table *t, unsigned privilege, struct sp_error *err)
{
    if (s->role == NULL)
        return 0;
    const struct mock_role *r = mock_role_find(s->store, s->role);
    for (const struct mock_grant *g = r == NULL ? NULL : r->grants; g != NULL; g = g->next) {
        if (g->t == t && (g->privileges & privilege) == privilege)
            return 0;
    }
    return mock_fail(
        err, SP_E_PERMISSION, "role \"%s\" lacks the privilege on table \"%s\"", s->role, t->def.name);
}

void mock_role_forget_table(struct mock_store *st, const struct mock_table *t)
{
    for (struct mock_role *r = st->roles; r != NULL; r = r->next) {
        for (struct mock_grant **p = &r->grants; *p != NULL;) {
            struct mock_grant *g = *p;
            if (g->t == t) {
                *p = g->next;
                free(g);
            } else {
                p = &g->next;
            }
        }
    }
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

static int drop(struct mock_session *s, const char *name, struct sp_error *err)
{
    int rc = mock_owner_check(s, "drop a role", err);
    if (rc != 0)
        return rc;
    for (struct mock_role **p = &s->store->roles; *p != NULL; p = &(*p)->next) {
        struct mock_role *r = *p;
        if (strcmp(r->name, name) != 0)
            continue;
        *p = r->next;
        for (struct mock_grant *g = r->grants, *next; g != NULL; g = next) {
            next = g->next;
            free(g);
        }
        free(r->name);
        free(r);
        return 0;
    }
    return mock_fail(err, SP_E_NOT_FOUND, "role \"%s\" does not exist", name);
}

static int grant(
    struct mock_session *s, const char *name, const char *table, unsigned privileges, struct sp_error *err)
{
    struct mock_table *t;
    struct mock_role *r;
    int rc = mock_owner_check(s, "grant privileges", err);
    if (rc == 0)
        rc = mock_table_find(s, NULL, table, &t, err);
    if (rc != 0)
        return rc;
    r = mock_role_find(s->store, name);
    if (r == NULL)
        return mock_fail(err, SP_E_NOT_FOUND, "role \"%s\" does not exist", name);
    for (struct mock_grant *g = r->grants; g != NULL; g = g->next) {
        if (g->t == t) {
            g->privileges |= privileges;
            return 0;
        }
    }
    struct mock_grant *g = malloc(sizeof *g);
    if (g == NULL)
        return sp_nomem(err);
    *g = (struct mock_grant){ r->grants, t, privileges };
    r->grants = g;
    return 0;
}

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

int mock_role_grant(
    struct sp_session *ss, const char *role, const char *table, unsigned privileges, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = grant(s, role, table, privileges, err);
    mock_leave(s);
    return rc;
}
