/* credentials.h -- what the cases about database users share.
 *
 * A case starts a `struct cr`, works through the helpers, and ends with cr_done(), which closes the sessions of roles.
 * Every password holds CR_MARK, and no error that passes through the helpers may: not in its text, not in its native
 * code. One thread. */
#ifndef SP_SUITES_CREDENTIALS_H
#define SP_SUITES_CREDENTIALS_H

#include "suites/lib/dbcase.h"

#define CR_MARK     "Cr3d-Mark"
#define CR_PASSWORD CR_MARK "-of-one Role"
#define CR_OTHER    CR_MARK "-of-another Role"

enum { CR_SESSIONS = 8, CR_ALL = SP_PRIV_SELECT | SP_PRIV_INSERT | SP_PRIV_UPDATE | SP_PRIV_DELETE };
struct cr {
    struct dc d;
    struct sp_session *roles[CR_SESSIONS];
    size_t nroles;
};

bool cr_start(struct cr *c, struct sp_ctx *ctx);
void cr_done(struct cr *c);

bool cr_ok(struct cr *c, const char *what, int rc);
/* Refused by the backend, without an effect, with words, and without a password in them. */
bool cr_fails(struct cr *c, const char *what, enum sp_code want, int rc);

/* A new role with CR_PASSWORD; NULL: return. */
const char *cr_role(struct cr *c, const char *tag);
bool cr_grant(struct cr *c, const char *role, const char *table, unsigned privileges);
bool cr_change(struct cr *c, const char *what, const char *role, const struct sp_role_change *change);
/* A session of the role in the run's namespace, closed by cr_done(). NULL: return. */
struct sp_session *cr_sign_in(struct cr *c, const char *what, const char *role, const char *password);
struct sp_session *cr_sign_in_as(
    struct cr *c, const char *what, const char *role, const char *password, enum sp_access access);
bool cr_refused(struct cr *c, const char *what, const char *role, const char *password);
/* The same; the error stays in c->d.err. */
bool cr_refused_with(struct cr *c, const char *what, const char *role, const char *password);

/* One operation on items that needs just this privilege: reads all, creates row 3, sets every value to 7, deletes all. */
int cr_try(struct cr *c, struct sp_session *s, enum sp_privilege privilege);
const char *cr_try_name(enum sp_privilege privilege);
/* Every one of the privileges works or is refused as told; those of `refused` are tried first. */
bool cr_may_not(struct cr *c, struct sp_session *s, const char *who, unsigned refused);

/* A pass over columns of a table; *rows = how many it gave. */
int cr_scan(struct cr *c, struct sp_session *s, const char *table, const char *const *columns, size_t n,
    uint64_t *rows);
/* One row in bulk; the first refusal, wherever it comes. */
int cr_load(struct cr *c, struct sp_session *s, const char *table, const char *const *columns, size_t n,
    const struct sp_value *row);

/* clang-format off */
#define CR_CASES(X) \
    X(sign_in) X(wrong) X(near) X(unknown) X(lock) X(unlock) X(expiry) X(new_password) X(drop) X(drop_anew) \
    X(silent) X(silent_url) X(nothing) X(revoke) X(revoke_one) X(prepared) X(column_read) X(column_write) \
    X(column_revoke) X(apart) X(tables) X(scan) X(scan_columns) X(load) X(act) X(act_stranger) X(member) X(act_rows) \
    X(rows_own) X(rows_others) X(rows_bypass) X(rows_lifted) X(rows_scan) X(rows_read_only)
/* clang-format on */
#define SP_X(name) void crd_##name(struct sp_ctx *ctx, const void *data);
CR_CASES(SP_X)
#undef SP_X
void crd_alone(struct sp_ctx *ctx, const void *data); /* data: the privilege */

#endif
