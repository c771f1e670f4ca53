/* ns.c -- namespaces are schemas. Every schema of the user can be used and listed; none of the server's own can be dropped. */
#include <string.h>

#include "providers/postgresql/internal.h"

static int ask(struct sp_session *s, const char *sql, const char *arg, PGresult **r, struct sp_error *err)
{
    struct po_params p = PO_PARAMS_INIT;
    int ret = po_param_text(&p, arg) != 0 ? sp_nomem(err) : po_query(s, PO_PLAIN, sql, &p, r, err);
    po_params_free(&p);
    return ret;
}

int po_ns_exists(struct sp_session *s, const char *ns, bool *found, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = ask(s, "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1", ns, &r, err);
    *found = ret == 0 && PQntuples(r) > 0;
    PQclear(r);
    return ret;
}

int po_ns_create(struct sp_session *s, const char *ns, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int ret = po_name_check(ns, "namespace", err);
    if (ret != 0)
        return ret;
    po_begin_statement(s);
    s->uncertain = !s->in_txn;
    sp_buf_puts(&b, "CREATE SCHEMA ");
    po_put_name(&b, ns);
    sp_buf_puts(&b, "; COMMENT ON SCHEMA ");
    po_put_name(&b, ns);
    sp_buf_puts(&b, " IS '" PO_MARK "'");
    ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

/* Our own statements name the schema; the search path is for raw queries. */
int po_ns_use(struct sp_session *s, const char *ns, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    bool found = true;
    po_tables_forget(s);
    po_begin_statement(s);
    int ret = ns == NULL ? 0 : po_ns_exists(s, ns, &found, err);
    if (ret == 0 && !found)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no namespace \"%s\" in %s", ns, s->where);
    sp_buf_puts(&b, "SET search_path = ");
    po_put_name(&b, ns == NULL ? s->default_ns : ns);
    if (ret == 0 && !s->pooled) /* there each transaction sets it */
        ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, NULL, err);
    if (ret == 0 && !sp_strlcpy(s->ns, ns == NULL ? "" : ns, sizeof s->ns))
        ret = sp_invalid(err, "namespace \"%s\" is too long", ns);
    sp_buf_free(&b);
    return ret;
}

int po_ns_drop(struct sp_session *s, const char *ns, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    if (sp_str_prefix(ns, "pg_") || strcmp(ns, "information_schema") == 0 || strcmp(ns, "public") == 0 ||
        strcmp(ns, s->default_ns) == 0)
        return sp_invalid(err, "schema \"%s\" is not a namespace that could be dropped", ns);
    po_tables_forget(s);
    po_begin_statement(s);
    s->uncertain = !s->in_txn;
    sp_buf_puts(&b, "DROP SCHEMA IF EXISTS ");
    po_put_name(&b, ns);
    sp_buf_puts(&b, " CASCADE");
    int ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

int po_ns_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    PGresult *r = NULL;
    po_begin_statement(s);
    int ret = ask(s,
        "SELECT nspname::text FROM pg_catalog.pg_namespace WHERE starts_with(nspname, $1) AND nspname NOT "
        "LIKE 'pg\\_%' AND nspname <> 'information_schema' AND nspname ~ '^[a-z0-9_]{1,40}$' AND NOT "
        "coalesce(starts_with(obj_description(oid, 'pg_namespace'), '" PO_BUCKET "'), false) ORDER BY 1",
        prefix == NULL ? "" : prefix, &r, err);
    for (int i = 0; ret == 0 && i < PQntuples(r); i++)
        if (strcmp(PQgetvalue(r, i, 0), s->default_ns) != 0 && sp_names_add(out, PQgetvalue(r, i, 0)) != 0)
            ret = sp_nomem(err);
    PQclear(r);
    return ret;
}
