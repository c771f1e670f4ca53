/* auth.h -- what the files of the identity suite share. A case opens a `struct au`, works through helpers that record
 * failed checks and return false, and ends with au_done(). One thread. */
#ifndef SP_SUITES_AUTH_H
#define SP_SUITES_AUTH_H

#include "suite.h"

#define AU_PASSWORD "correct horse 9 Battery"

struct au {
    struct sp_ctx *ctx;
    struct sp_session *s;
    struct sp_arena *a;
    const char *email;
    struct sp_error err;
    struct sp_user user; /* after au_registered() */
    struct sp_tokens tokens;
};

bool au_open(struct au *t, struct sp_ctx *ctx); /* session 0, an e-mail of its own */
void au_done(struct au *t);
bool au_ok(struct au *t, const char *what, int rc);
bool au_fails(struct au *t, const char *what, enum sp_code want, int rc);
/* Signs up t->email with AU_PASSWORD and signs in: user and tokens are filled. */
bool au_registered(struct au *t);
bool au_sign_in(struct au *t, const char *email, const char *password, struct sp_user *, struct sp_tokens *);
bool au_refused(struct au *t, const char *what, const char *email, const char *password);
/* The access token gives this user. */
bool au_token_is(struct au *t, const char *access, const char *id, const char *email);

/* clang-format off */
#define AU_CASES(X) \
    X(sign_up) X(sign_up_twice) X(sign_up_case) X(sign_up_tokens) X(sign_in) X(sign_in_wrong) \
    X(sign_in_unknown) X(sign_in_case) X(sign_in_near) X(enumeration) X(sessions_apart) \
    X(refresh) X(refresh_rotation) X(refresh_garbage) X(refresh_access_mixed) X(sign_out) \
    X(sign_out_access) X(sign_out_one) X(token_garbage) X(token_tampered) X(update_password) \
    X(update_email) X(update_email_taken) X(update_name) X(delete) X(delete_then_up) X(reset) \
    X(reset_once) X(reset_wrong) X(reset_unknown) X(claims) X(claims_own) X(claims_bad) \
    X(admin_create) X(admin_list) X(admin_disable) X(admin_delete) X(two_sessions) \
    X(password_long) X(ids_unique) X(semantics_users) X(semantics_passwords) \
    X(semantics_tokens)
/* clang-format on */
#define SP_X(name) void auc_##name(struct sp_ctx *ctx, const void *data);
AU_CASES(SP_X)
#undef SP_X

struct au_text {
    const char *text;
};
void auc_bad_email(struct sp_ctx *ctx, const void *data);
void auc_password_kept(struct sp_ctx *ctx, const void *data);
void auc_password_weak(struct sp_ctx *ctx, const void *data);

#endif
