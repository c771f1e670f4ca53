/* provider_call_roles.c -- checked calls about database credentials. */
#include "provider_call.h"

#include "provider_check.h"

static const struct sp_db_ops *db(const struct sp_session *s)
{
    return sp_session_provider(s)->db;
}

int sp_db_role_create(struct sp_session *s, const char *role, const char *password, struct sp_error *err)
{
    SP_ENTER(s, db, role_create, err);
    SP_CHECK(sp_name_check(role, "the role's name", err));
    SP_CHECK(sp_name_check(password, "the role's password", err));
    SP_CHECK(sp_writable_check(s, "creating a role", err));
    return sp_answer(db(s)->role_create(s, role, password, err), err);
}

int sp_db_role_drop(struct sp_session *s, const char *role, struct sp_error *err)
{
    SP_ENTER(s, db, role_drop, err);
    SP_CHECK(sp_name_check(role, "the role's name", err));
    SP_CHECK(sp_writable_check(s, "dropping a role", err));
    return sp_answer(db(s)->role_drop(s, role, err), err);
}

static bool is_change(enum sp_change c)
{
    return c == SP_KEEP || c == SP_OFF || c == SP_ON;
}

int sp_db_role_change(
    struct sp_session *s, const char *role, const struct sp_role_change *c, struct sp_error *err)
{
    SP_ENTER(s, db, role_change, err);
    SP_CHECK(sp_name_check(role, "the role's name", err));
    if (c == NULL || !is_change(c->sign_in) || !is_change(c->bypass))
        return sp_invalid(err, "it is not said how role \"%s\" is to change", role);
    if (c->password != NULL)
        SP_CHECK(sp_name_check(c->password, "the role's password", err));
    SP_CHECK(sp_writable_check(s, "changing a role", err));
    return sp_answer(db(s)->role_change(s, role, c, err), err);
}

static int grant_check(const struct sp_grant *g, struct sp_error *err)
{
    const unsigned all = SP_PRIV_SELECT | SP_PRIV_INSERT | SP_PRIV_UPDATE | SP_PRIV_DELETE;
    if (g == NULL)
        return sp_invalid(err, "no privileges are named");
    SP_CHECK(sp_name_check(g->role, "the role's name", err));
    SP_CHECK(sp_name_check(g->table, "the table's name", err));
    if (g->privileges == 0)
        return sp_invalid(err, "no privilege on table \"%s\" is named", g->table);
    if ((g->privileges & ~all) != 0)
        return sp_invalid(err, "unknown privilege bits 0x%x", g->privileges);
    if (g->columns == NULL ? g->ncolumns != 0 : g->ncolumns == 0)
        return sp_invalid(err, "privileges on columns of table \"%s\" name no column", g->table);
    if (g->columns != NULL && (g->privileges & SP_PRIV_DELETE) != 0)
        return sp_invalid(err, "delete is a privilege on a table, not on columns");
    for (size_t i = 0; i < g->ncolumns; i++)
        SP_CHECK(sp_name_check(g->columns[i], "a column's name", err));
    return 0;
}

int sp_db_grant(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    SP_ENTER(s, db, role_grant, err);
    SP_CHECK(grant_check(g, err));
    SP_CHECK(sp_writable_check(s, "granting privileges", err));
    return sp_answer(db(s)->role_grant(s, g, err), err);
}

int sp_db_revoke(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    SP_ENTER(s, db, role_revoke, err);
    SP_CHECK(grant_check(g, err));
    SP_CHECK(sp_writable_check(s, "revoking privileges", err));
    return sp_answer(db(s)->role_revoke(s, g, err), err);
}

int sp_db_role_join(struct sp_session *s, const char *role, const char *member, struct sp_error *err)
{
    SP_ENTER(s, db, role_join, err);
    SP_CHECK(sp_name_check(role, "the role's name", err));
    SP_CHECK(sp_name_check(member, "the member's name", err));
    SP_CHECK(sp_writable_check(s, "adding a member to a role", err));
    return sp_answer(db(s)->role_join(s, role, member, err), err);
}

int sp_db_role_act(struct sp_session *s, const char *role, struct sp_error *err)
{
    SP_ENTER(s, db, role_act, err);
    if (role != NULL)
        SP_CHECK(sp_name_check(role, "the role's name", err));
    return sp_answer(db(s)->role_act(s, role, err), err);
}

int sp_db_row_security(struct sp_session *s, const char *table, const char *owner, struct sp_error *err)
{
    SP_ENTER(s, db, row_security, err);
    SP_CHECK(sp_name_check(table, "the table's name", err));
    if (owner != NULL)
        SP_CHECK(sp_name_check(owner, "the owner column's name", err));
    SP_CHECK(sp_writable_check(s, "changing the row security of a table", err));
    return sp_answer(db(s)->row_security(s, table, owner, err), err);
}

static int actor_check(const struct sp_actor *a, struct sp_error *err)
{
    if (a->token != NULL && (a->role != NULL || a->user != NULL || a->claims != NULL))
        return sp_invalid(err, "an actor is a token or the words in it, not both");
    if (a->role != NULL)
        SP_CHECK(sp_name_check(a->role, "the actor's role", err));
    if (a->user != NULL)
        SP_CHECK(sp_name_check(a->user, "the actor's id", err));
    if (a->claims != NULL)
        SP_CHECK(sp_name_check(a->claims, "the actor's claims", err));
    return 0;
}

int sp_db_act_for(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    SP_ENTER(s, db, act_for, err);
    if (a != NULL)
        SP_CHECK(actor_check(a, err));
    return sp_answer(db(s)->act_for(s, a, err), err);
}

int sp_db_actor_token(struct sp_session *s, struct sp_arena *arena, const struct sp_actor *a, int64_t from,
    int64_t until, const char **token, struct sp_error *err)
{
    SP_ENTER(s, db, actor_token, err);
    if (a == NULL || token == NULL || arena == NULL || a->token != NULL)
        return sp_invalid(err, "a token is made from the words of an actor");
    SP_CHECK(actor_check(a, err));
    *token = NULL;
    return sp_answer(db(s)->actor_token(s, arena, a, from, until, token, err), err);
}

int sp_db_row_rules(
    struct sp_session *s, const char *table, const struct sp_row_rules *rules, struct sp_error *err)
{
    SP_ENTER(s, db, row_rules, err);
    SP_CHECK(sp_name_check(table, "the table's name", err));
    if (rules != NULL && rules->owner != NULL)
        SP_CHECK(sp_name_check(rules->owner, "the owner column's name", err));
    SP_CHECK(sp_writable_check(s, "changing the row rules of a table", err));
    return sp_answer(db(s)->row_rules(s, table, rules, err), err);
}
