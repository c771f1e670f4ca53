/* actors.c -- people of an application: a role, and settings that say who is signed in, as PostgREST sets them. */
#include <string.h>

#include "providers/lib/actor.h"
#include "providers/postgresql/internal.h"

#define CLAIMS "request.jwt.claims"
#define WHO    "(nullif(current_setting('" CLAIMS "', true), '')::jsonb ->> 'sub')"

static int put_actor(struct sp_session *s, struct sp_buf *b, const struct sp_actor *a, struct sp_error *err)
{
    const struct sp_endpoint *e = s->base.endpoint;
    struct sp_buf claims = SP_BUF_INIT;
    const char *role = a->role != NULL   ? a->role
                       : a->user != NULL ? sp_endpoint_option(e, "user_role", "authenticated")
                                         : sp_endpoint_option(e, "anon_role", "anon");
    int ret = po_role_find(s, role, err);
    if (ret == 0)
        ret = sp_actor_claims(&claims, a, role, SP_ACTOR_ALWAYS, SP_ACTOR_ALWAYS, err);
    if (ret == 0) {
        sp_buf_puts(b, "SET ROLE ");
        po_put_name(b, role);
        sp_buf_puts(b, "; SET row_security = on; SET " CLAIMS " = ");
        po_put_literal(b, claims.p);
    }
    sp_buf_free(&claims);
    return ret;
}

int po_act_for(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    if (s->in_txn || s->in_snapshot)
        return sp_invalid(err, "a transaction or snapshot is open; change who acts outside of it");
    if (s->pooled)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "a connection pooler stands before %s: the next transaction would be somebody else's", s->where);
    if (a != NULL && a->token != NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "PostgreSQL checks no tokens; say who acts by role, user and claims");
    po_begin_statement(s);
    s->uncertain = false;
    /* Roles are looked up as oneself; with several statements in one go either all count or none. */
    int ret = po_exec(s, "SET ROLE NONE; SET " CLAIMS " = ''", NULL, err);
    if (ret == 0 && a != NULL)
        ret = put_actor(s, &b, a, err);
    else if (ret == 0)
        sp_buf_printf(
            &b, "SET row_security = %s", s->base.endpoint->access == SP_ACCESS_DISPOSABLE ? "on" : "off");
    if (ret == 0)
        ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, NULL, err);
    sp_buf_free(&b);
    po_tables_forget(s); /* whether rows of a table are hidden */
    return ret;
}

int po_row_rules(
    struct sp_session *s, const char *table, const struct sp_row_rules *rules, struct sp_error *err)
{
    const struct po_policy p = {
        .name = "sp_actor", .on = rules != NULL, .owner = rules != NULL ? rules->owner : NULL, .who = WHO
    };
    return po_row_policy(s, table, &p, err);
}
