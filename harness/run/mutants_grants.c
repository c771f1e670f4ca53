/* mutants_grants.c -- bugs in privileges and row security: too much, too long, or silently less. */
#include "run/mutation.h"

#include <string.h>

#include "base/str.h"

/* What was granted on whole tables, to be given once more to whom it does not belong. */
enum { KEPT = 256 };
static struct kept {
    char role[80], table[80];
    unsigned privileges;
} kept[KEPT];
static size_t nkept;

static int grant_kept(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    int rc = SP_INNER_DB->role_grant(s, g, err);
    if (rc == 0 && g->columns == NULL) {
        struct kept *k = &kept[nkept++ % KEPT];
        (void)sp_strlcpy(k->role, g->role, sizeof k->role);
        (void)sp_strlcpy(k->table, g->table, sizeof k->table);
        k->privileges = g->privileges;
    }
    return rc;
}

/* All that `from` was granted (NULL = anybody) goes to `to`; what is no longer there is passed over. */
static void give_again(struct sp_session *s, const char *from, const char *to)
{
    for (size_t i = 0; i < nkept && i < KEPT; i++) {
        const struct sp_grant g = { .role = to, .table = kept[i].table, .privileges = kept[i].privileges };
        if (from == NULL || strcmp(kept[i].role, from) == 0)
            (void)SP_INNER_DB->role_grant(s, &g, NULL);
    }
}

static int create_as_before(
    struct sp_session *s, const char *role, const char *password, struct sp_error *err)
{
    int rc = SP_INNER_DB->role_create(s, role, password, err);
    if (rc == 0)
        give_again(s, role, role);
    return rc;
}
static bool plant_dropped_role_inherited(void)
{
    bool can = sp_mutation.db.role_create != NULL && sp_mutation.db.role_grant != NULL;
    if (can) {
        sp_mutation.db.role_create = create_as_before;
        sp_mutation.db.role_grant = grant_kept;
    }
    return can;
}

static int join_and_inherit(struct sp_session *s, const char *role, const char *member, struct sp_error *err)
{
    int rc = SP_INNER_DB->role_join(s, role, member, err);
    if (rc == 0)
        give_again(s, role, member);
    return rc;
}
static bool plant_membership_inherits(void)
{
    bool can = sp_mutation.db.role_join != NULL && sp_mutation.db.role_grant != NULL;
    if (can) {
        sp_mutation.db.role_join = join_and_inherit;
        sp_mutation.db.role_grant = grant_kept;
    }
    return can;
}

static int grant_to_all(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    int rc = grant_kept(s, g, err);
    for (size_t i = 0; rc == 0 && i < nkept && i < KEPT; i++)
        give_again(s, NULL, kept[i].role);
    return rc;
}
SP_PLANT(db, grant_to_everybody, role_grant, grant_to_all)

#define ALL (SP_PRIV_SELECT | SP_PRIV_INSERT | SP_PRIV_UPDATE | SP_PRIV_DELETE)
static int grant_more(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    struct sp_grant more = *g;
    if (g->columns == NULL)
        more.privileges = ALL;
    return SP_INNER_DB->role_grant(s, &more, err);
}
SP_PLANT(db, grant_gives_all, role_grant, grant_more)

/* On the tables that were made last, too. */
static char made[4][80];
static size_t nmade;
static int create_noted(struct sp_session *s, const struct sp_table *t, bool extras, struct sp_error *err)
{
    (void)sp_strlcpy(made[nmade++ % SP_LEN(made)], t->name, sizeof made[0]);
    return SP_INNER_DB->table_create(s, t, extras, err);
}
static int grant_on_others(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    for (size_t i = 0; i < SP_LEN(made); i++) {
        const struct sp_grant more = { .role = g->role, .table = made[i], .privileges = g->privileges };
        if (made[i][0] != '\0')
            (void)SP_INNER_DB->role_grant(s, &more, NULL);
    }
    return SP_INNER_DB->role_grant(s, g, err);
}
static bool plant_grant_on_all_tables(void)
{
    bool can = sp_mutation.db.role_grant != NULL && sp_mutation.db.table_create != NULL;
    if (can) {
        sp_mutation.db.role_grant = grant_on_others;
        sp_mutation.db.table_create = create_noted;
    }
    return can;
}

static int grant_whole(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    const struct sp_grant whole = { .role = g->role, .table = g->table, .privileges = g->privileges };
    return SP_INNER_DB->role_grant(s, &whole, err);
}
SP_PLANT(db, column_grant_widened, role_grant, grant_whole)

static int revoke_nothing(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    (void)s, (void)g, (void)err;
    return 0;
}
SP_PLANT(db, revoke_ignored, role_revoke, revoke_nothing)

static int revoke_more(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    struct sp_grant more = *g;
    if (g->columns == NULL)
        more.privileges = ALL;
    return SP_INNER_DB->role_revoke(s, &more, err);
}
SP_PLANT(db, revoke_takes_all, role_revoke, revoke_more)

static int revoke_tables(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    return g->columns != NULL ? 0 : SP_INNER_DB->role_revoke(s, g, err);
}
SP_PLANT(db, column_revoke_ignored, role_revoke, revoke_tables)

/* ---- refusals that are swallowed --------------------------------------------------------------------------------- */

static int exec_silently(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (rc != -SP_E_PERMISSION)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(db, denied_is_empty, exec, exec_silently)

static int execute_silently(
    struct sp_prepared *p, const struct sp_value *v, size_t n, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->execute(p, v, n, r, err);
    if (rc != -SP_E_PERMISSION)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(db, denied_prepared_is_empty, execute, execute_silently)

static int scan_silently(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    int rc = SP_INNER_DB->scan(s, scan, rb, err);
    if (rc != -SP_E_PERMISSION)
        return rc;
    sp_error_clear(err);
    return sp_scan_end(rb, 0, err);
}
SP_PLANT(db, denied_scan_is_empty, scan, scan_silently)

/* Whoever asks: the rows are those of the owner. */
static int scan_as_owner(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct sp_endpoint e = *sp_session_endpoint(s);
    struct sp_session *own = NULL;
    if (e.user == NULL)
        return SP_INNER_DB->scan(s, scan, rb, err);
    e.user = e.password = NULL;
    int rc = sp_mutation.inner->open(&own, &e, err);
    if (rc != 0)
        return rc;
    struct sp_session_base *base = (struct sp_session_base *)(void *)own;
    base->provider = sp_mutation.inner;
    base->endpoint = &e;
    rc = SP_INNER_DB->scan(own, scan, rb, err);
    sp_mutation.inner->close(own);
    return rc;
}
SP_PLANT(db, scan_of_owner, scan, scan_as_owner)

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static int rows_of_nobody(struct sp_session *s, const char *table, const char *owner, struct sp_error *err)
{
    (void)s, (void)table, (void)owner, (void)err;
    return 0;
}
SP_PLANT(db, row_security_ignored, row_security, rows_of_nobody)

static int rows_for_ever(struct sp_session *s, const char *table, const char *owner, struct sp_error *err)
{
    return owner == NULL ? 0 : SP_INNER_DB->row_security(s, table, owner, err);
}
SP_PLANT(db, row_security_forever, row_security, rows_for_ever)

/* A session that only reads filters like any other. */
static int open_filtering(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    static struct sp_endpoint copies[64];
    static size_t n;
    if (e->access != SP_ACCESS_READ_ONLY || e->user == NULL)
        return sp_mutation.inner->open(out, e, err);
    struct sp_endpoint *copy = &copies[n++ % SP_LEN(copies)];
    *copy = *e;
    copy->access = SP_ACCESS_DISPOSABLE;
    return sp_mutation.inner->open(out, copy, err);
}
static bool plant_read_only_filters(void)
{
    sp_mutation.outer.open = open_filtering;
    return sp_mutation.db.row_security != NULL;
}

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "credentials", text }, plant_##name                                                         \
    }
const struct sp_mutant_row sp_mutants_grants[] = {
    ROW(dropped_role_inherited, "a database user made again has the first one's privileges"),
    ROW(membership_inherits, "a member has the role's privileges at once"),
    ROW(grant_to_everybody, "a grant to one database user is one to all"),
    ROW(grant_gives_all, "a grant gives every privilege on the table"),
    ROW(grant_on_all_tables, "a grant on one table is one on all"),
    ROW(column_grant_widened, "a grant on columns is one on the table"),
    ROW(revoke_ignored, "nothing is revoked"),
    ROW(revoke_takes_all, "revoking one privilege revokes all"),
    ROW(column_revoke_ignored, "nothing is revoked on columns"),
    ROW(denied_is_empty, "what is not allowed succeeds with nothing"),
    ROW(denied_prepared_is_empty, "what is no longer allowed succeeds with nothing if it was prepared"),
    ROW(denied_scan_is_empty, "a scan that is not allowed is empty"),
    ROW(scan_of_owner, "a scan asks for no privilege"),
    ROW(row_security_ignored, "all rows are everybody's"),
    ROW(row_security_forever, "row security stays"),
    ROW(read_only_filters, "a read-only session leaves out hidden rows, and says nothing"),
    { { NULL, NULL, NULL }, NULL },
};
