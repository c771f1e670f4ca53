/* roles.c -- database users. A password leaves this process only as its hash: the server's log never sees it. */
#include <string.h>

#include "providers/postgresql/internal.h"

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
    char *hash = PQencryptPasswordConn(s->conn, password, role, NULL);
    if (hash == NULL)
        return po_error(s, NULL, "cannot hash the password", err);
    sp_buf_puts(&b, "CREATE ROLE ");
    po_put_name(&b, role);
    sp_buf_puts(&b, " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ");
    po_put_literal(&b, hash);
    PQfreemem(hash);
    ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

/* What the role was granted or owns in this database goes with it. */
int po_role_drop(struct sp_session *s, const char *role, struct sp_error *err)
{
    struct po_params p = PO_PARAMS_INIT;
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    po_begin_statement(s);
    s->uncertain = !s->in_txn;
    int ret =
        po_param_text(&p, role) != 0
            ? sp_nomem(err)
            : po_query(s, PO_PLAIN, "SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", &p, &r, err);
    if (ret == 0 && PQntuples(r) == 0)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no role \"%s\" (%s)", role, s->where);
    if (ret == 0) {
        sp_buf_puts(&b, "DROP OWNED BY ");
        po_put_name(&b, role);
        sp_buf_puts(&b, "; DROP ROLE ");
        po_put_name(&b, role);
        ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    }
    PQclear(r);
    po_params_free(&p);
    sp_buf_free(&b);
    return ret;
}

int po_role_grant(
    struct sp_session *s, const char *role, const char *table, unsigned privileges, struct sp_error *err)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = { { SP_PRIV_SELECT, "SELECT" }, { SP_PRIV_INSERT, "INSERT" }, { SP_PRIV_UPDATE, "UPDATE" },
        { SP_PRIV_DELETE, "DELETE" } };
    const struct po_table *t;
    struct sp_buf b = SP_BUF_INIT;
    size_t n = 0;
    int ret = po_table_find(s, NULL, table, &t, err);
    if (ret != 0)
        return ret;
    s->uncertain = !s->in_txn;
    sp_buf_puts(&b, "GRANT USAGE ON SCHEMA ");
    po_put_name(&b, po_ns_of(s, NULL));
    sp_buf_puts(&b, " TO ");
    po_put_name(&b, role);
    sp_buf_puts(&b, "; GRANT ");
    for (size_t i = 0; i < SP_LEN(names); i++)
        if ((privileges & names[i].bit) != 0)
            sp_buf_printf(&b, "%s%s", n++ > 0 ? ", " : "", names[i].name);
    sp_buf_printf(&b, " ON %s TO ", t->qualified);
    po_put_name(&b, role);
    if (n == 0)
        ret = sp_invalid(err, "no privilege is named");
    if (ret == 0)
        ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}
