/* roles.c -- database users. A password leaves this process only as its hash: the server's log never sees it. */
#include <string.h>

#include "model/calendar.h"
#include "providers/postgresql/internal.h"

int po_role_find(struct sp_session *s, const char *role, struct sp_error *err)
{
    struct po_params p = PO_PARAMS_INIT;
    PGresult *r = NULL;
    int ret = po_name_check(role, "role", err);
    if (ret == 0 && po_param_text(&p, role) != 0)
        ret = sp_nomem(err);
    if (ret == 0)
        ret = po_query(s, PO_PLAIN, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", &p, &r, err);
    if (ret == 0 && PQntuples(r) == 0)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no role \"%s\" (%s)", role, s->where);
    PQclear(r);
    po_params_free(&p);
    return ret;
}

static int put_password(
    struct sp_session *s, struct sp_buf *b, const char *role, const char *password, struct sp_error *err)
{
    char *hash = PQencryptPasswordConn(s->conn, password, role, NULL);
    if (hash == NULL)
        return po_error(s, NULL, "cannot hash the password", err);
    sp_buf_puts(b, " PASSWORD ");
    po_put_literal(b, hash);
    PQfreemem(hash);
    return 0;
}

/* NOINHERIT: what a member may do, it may do only while it acts as the other role. */
int po_role_create(struct sp_session *s, const char *role, const char *password, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int ret = po_name_check(role, "role", err);
    if (ret == 0)
        ret = po_ready(s, err);
    if (ret != 0)
        return ret;
    po_begin_statement(s);
    s->uncertain = !s->in_txn;
    sp_buf_puts(&b, "CREATE ROLE ");
    po_put_name(&b, role);
    sp_buf_puts(&b, " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT");
    ret = put_password(s, &b, role, password, err);
    if (ret == 0)
        ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

/* What the role was granted or owns in this database goes with it. */
int po_role_drop(struct sp_session *s, const char *role, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    po_begin_statement(s);
    s->uncertain = !s->in_txn;
    int ret = po_role_find(s, role, err);
    if (ret != 0)
        return ret;
    sp_buf_puts(&b, "DROP OWNED BY ");
    po_put_name(&b, role);
    sp_buf_puts(&b, "; DROP ROLE ");
    po_put_name(&b, role);
    ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

static int put_until(struct sp_buf *b, struct sp_ts until, struct sp_error *err)
{
    struct sp_civil c;
    sp_civil_from_ts(until, &c);
    if (c.year < 1 || c.year > 9999)
        return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "a password ends in a year from 1 to 9999");
    sp_buf_printf(b, " VALID UNTIL '%04d-%02d-%02d %02d:%02d:%02d.%06u+00'", (int)c.year, (int)c.month,
        (int)c.day, (int)c.hour, (int)c.minute, (int)c.second, (unsigned)(until.nsec / 1000));
    return 0;
}

int po_role_change(
    struct sp_session *s, const char *role, const struct sp_role_change *c, struct sp_error *err)
{
    static const char *const sign_in[] = { "", " NOLOGIN", " LOGIN" }, *const bypass[] = { "", " NOBYPASSRLS",
        " BYPASSRLS" };
    struct sp_buf b = SP_BUF_INIT;
    po_begin_statement(s);
    s->uncertain = !s->in_txn;
    int ret = po_role_find(s, role, err);
    if (ret != 0)
        return ret;
    sp_buf_puts(&b, "ALTER ROLE ");
    po_put_name(&b, role);
    sp_buf_printf(&b, "%s%s", sign_in[c->sign_in], bypass[c->bypass]);
    if (c->password_until != NULL)
        ret = put_until(&b, *c->password_until, err);
    if (ret == 0 && c->password != NULL)
        ret = put_password(s, &b, role, c->password, err);
    if (ret == 0)
        ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

int po_role_join(struct sp_session *s, const char *role, const char *member, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    po_begin_statement(s);
    s->uncertain = !s->in_txn;
    int ret = po_role_find(s, role, err);
    if (ret == 0)
        ret = po_role_find(s, member, err);
    if (ret != 0)
        return ret;
    sp_buf_puts(&b, "GRANT ");
    po_put_name(&b, role);
    sp_buf_puts(&b, " TO ");
    po_put_name(&b, member);
    ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

int po_role_act(struct sp_session *s, const char *role, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    if (s->in_txn || s->in_snapshot)
        return sp_invalid(err, "a transaction or snapshot is open; change roles outside of it");
    if (s->pooled)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "a connection pooler stands before %s: the next transaction would have the role again", s->where);
    po_begin_statement(s);
    s->uncertain = false;
    int ret = role == NULL ? 0 : po_role_find(s, role, err);
    if (ret != 0)
        return ret;
    sp_buf_puts(&b, "SET ROLE ");
    if (role == NULL)
        sp_buf_puts(&b, "NONE");
    else
        po_put_name(&b, role);
    ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, NULL, err);
    sp_buf_free(&b);
    return ret;
}
