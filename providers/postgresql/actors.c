/* actors.c -- people of an application: a role, and settings that say who is signed in, as PostgREST sets them. */
#include <string.h>

#include "providers/lib/actor.h"
#include "providers/postgresql/internal.h"

#define POLICY "sp_actor"
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
    const struct po_table *t;
    struct sp_buf b = SP_BUF_INIT;
    int ret = po_table_find(s, NULL, table, &t, err);
    if (ret != 0)
        return ret;
    const char *owner = rules != NULL ? rules->owner : NULL;
    const struct po_column *c = owner == NULL ? NULL : po_table_column(t, owner);
    if (owner != NULL && (c == NULL || c->type.tag != SP_TEXT))
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "%s has no text column \"%s\" (%s)",
            t->qualified, owner, s->where);
    s->uncertain = !s->in_txn;
    sp_buf_printf(&b, "DROP POLICY IF EXISTS " POLICY " ON %s; ALTER TABLE %s %s ROW LEVEL SECURITY",
        t->qualified, t->qualified, rules == NULL ? "DISABLE" : "ENABLE");
    if (owner != NULL) {
        sp_buf_printf(&b, "; CREATE POLICY " POLICY " ON %s USING (", t->qualified);
        po_put_name(&b, owner);
        sp_buf_puts(&b, "::text = " WHO ")"); /* for new rows as well */
    }
    ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}
