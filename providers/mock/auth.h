/* auth.h -- users and their sign-ins, guarded by the store's lock. Refresh tokens and reset codes are kept as
 * digests only. */
#ifndef SP_MOCK_AUTH_H
#define SP_MOCK_AUTH_H

#include "internal.h"

#define MOCK_PASSWORD_MIN  8
#define MOCK_RESET_SECONDS 3600
#define MOCK_RESET_TRIES   5

struct mock_refresh { /* one refresh token of a sign-in; only the newest is unused */
    struct mock_refresh *next;
    char digest[65];
    bool used;
};
struct mock_login { /* a sign-in: access tokens name it, refresh tokens belong to it */
    struct mock_login *next;
    char id[33];
    bool ended;
    struct mock_refresh *tokens;
};
struct mock_user {
    struct mock_user *next; /* by id, bytewise */
    char id[33];
    char *email, *name, *claims;
    struct mock_secret secret;
    bool disabled, verified;
    struct mock_login *logins;
    char reset_digest[65]; /* "" = none open */
    int64_t reset_until;
    int reset_tries;
};
struct mock_users {
    struct mock_user *first;
    struct mock_secret decoy; /* checked for unknown users, so that they take as long as known ones */
};

struct mock_claims { /* of a verified access token */
    const char *user_id, *login_id, *claims;
};
int mock_token_make(const struct mock_session *s, struct sp_arena *a, const struct mock_user *u,
    const struct mock_login *l, const char **out, struct sp_error *err);
/* AUTHENTICATION unless signed by this store and not expired. */
int mock_token_read(const struct mock_session *s, struct sp_arena *a, const char *token,
    struct mock_claims *out, struct sp_error *err);

/* Signed text, and back: AUTHENTICATION unless this store signed it. The payload can be cut up. */
int mock_payload_sign(const struct mock_store *st, struct sp_arena *a, const char *payload, const char **out,
    struct sp_error *err);
int mock_payload_read(
    const struct mock_store *st, struct sp_arena *a, const char *token, char **payload, struct sp_error *err);
char *mock_payload_line(char **rest); /* cuts the next line off; NULL = there is none */

/* user.c */
int mock_users_get(struct mock_store *st, struct mock_users **out, struct sp_error *err);
struct mock_user *mock_user_by_email(const struct mock_store *st, const char *email);
struct mock_user *mock_user_by_id(const struct mock_store *st, const char *id);
int mock_user_make(struct mock_store *st, const char *email, const char *password, const char *name,
    struct mock_user **out, struct sp_error *err);
void mock_user_unmake(struct mock_store *st, struct mock_user *u);
int mock_user_give(struct sp_arena *a, const struct mock_user *u, struct sp_user *out, struct sp_error *err);
int mock_email_check(const char *email, struct sp_error *err);
int mock_password_set(struct mock_user *u, const char *password, struct sp_error *err);
int mock_text_set(char **slot, const char *text, struct sp_error *err);
/* Ends every sign-in but `keep`. */
void mock_logins_end(struct mock_user *u, const struct mock_login *keep);

/* admin.c */
int mock_claims_set(struct sp_session *, const char *id, const char *json, struct sp_error *);
int mock_admin_create(struct sp_session *, struct sp_arena *, const char *email, const char *password,
    struct sp_user *, struct sp_error *);
int mock_admin_get(
    struct sp_session *, struct sp_arena *, const char *id, struct sp_user *, struct sp_error *);
int mock_admin_list(struct sp_session *, struct sp_arena *, const char **cursor, size_t limit,
    struct sp_user **, size_t *n, struct sp_error *);
int mock_admin_disable(struct sp_session *, const char *id, bool disabled, struct sp_error *);
int mock_admin_delete(struct sp_session *, const char *id, struct sp_error *);

#endif
