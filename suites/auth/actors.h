/* actors.h -- what the cases about people of an application and their rows share.
 *
 * A case starts a `struct ac`: a table "notes" of which rows 1 and 3 are ann's, row 2 is ben's, with rules that say so, and a
 * session that may speak for anybody. Where the backend has database users, the case makes its own roles for those who are
 * signed in and for the anonymous, and a user who may become both, as such backends are set up; elsewhere the backend's own
 * serve. Ends with ac_done(). One thread. */
#ifndef SP_SUITES_ACTORS_H
#define SP_SUITES_ACTORS_H

#include "suites/auth/credentials.h"

#define AC_ANN "0a1e5f6c-1111-4a4a-8b8b-aaaaaaaaaaaa"
#define AC_BEN "0a1e5f6c-2222-4a4a-8b8b-bbbbbbbbbbbb"

struct ac {
    struct cr c;
    struct sp_session *own; /* session 0: sees all rows */
    struct sp_session *s;   /* speaks for others */
    const char *login;      /* the user behind `s`; NULL = the session's own credentials serve */
    struct sp_actor ann, ben, anon;
};

/* Roles and the session that speaks for others; without a table. */
bool ac_people(struct ac *t, struct sp_ctx *ctx);
/* All of it. `rules` NULL: the table has none, and everybody has all privileges on it. */
bool ac_start(struct ac *t, struct sp_ctx *ctx, const struct sp_row_rules *rules);
void ac_done(struct ac *t);
extern const struct sp_table ac_notes;
extern const struct sp_row_rules ac_owned, ac_closed; /* by the column owner; nobody's */

/* Another session that may speak for anybody; NULL: return. */
struct sp_session *ac_another(struct ac *t);
bool ac_act(struct ac *t, struct sp_session *s, const struct sp_actor *a);
bool ac_ok(struct ac *t, const char *what, int rc);
bool ac_fails(struct ac *t, const char *what, enum sp_code want, int rc);

/* The table holds just these rows of 1, 2, 3 in their first state, as `s` reads and counts them. */
bool ac_sees(struct ac *t, struct sp_session *s, const char *what, const int64_t *ids, size_t n);
#define AC_SEES(t, s, what, ...) ac_sees((t), (s), (what), LIST(int64_t, __VA_ARGS__))
bool ac_sees_none(struct ac *t, struct sp_session *s, const char *what);
bool ac_all_there(struct ac *t);
int ac_insert(struct ac *t, struct sp_session *s, int64_t id, const char *owner);

/* clang-format off */
#define AC_CASES(X) \
    X(own) X(count) X(pages) X(insert_other) X(give_away) X(hidden_silent) X(hidden_filter) X(upsert_hidden) X(insert_taken) \
    X(returning) X(anonymous) X(service) X(closed) X(lifted) X(switch) X(apart) X(prepared) X(scan) X(load) \
    X(in_txn) X(role_unknown) X(batch) X(matrix) \
    X(token) X(token_expired) X(token_early) X(token_skew) X(token_tampered) X(token_unsigned) X(token_other) \
    X(token_garbage) X(token_role)
/* clang-format on */
#define SP_X(name) void act_##name(struct sp_ctx *ctx, const void *data);
AC_CASES(SP_X)
#undef SP_X
void act_access(struct sp_ctx *ctx, const void *data);

#endif
