/* grants.c -- privileges on tables and columns, and whose a row is. */
#include <string.h>

#include "providers/postgresql/internal.h"

/* "SELECT (a, b), INSERT (a, b)" or "SELECT, INSERT" */
static void put_privileges(struct sp_buf *b, const struct sp_grant *g)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = { { SP_PRIV_SELECT, "SELECT" }, { SP_PRIV_INSERT, "INSERT" }, { SP_PRIV_UPDATE, "UPDATE" },
        { SP_PRIV_DELETE, "DELETE" } };
    size_t n = 0;
    for (size_t i = 0; i < SP_LEN(names); i++) {
        if ((g->privileges & names[i].bit) == 0)
            continue;
        sp_buf_printf(b, "%s%s", n++ > 0 ? ", " : "", names[i].name);
        for (size_t k = 0; k < g->ncolumns; k++) {
            sp_buf_puts(b, k == 0 ? " (" : ", ");
            po_put_name(b, g->columns[k]);
        }
        if (g->ncolumns > 0)
            sp_buf_putc(b, ')');
    }
}

static int change(struct sp_session *s, const struct sp_grant *g, bool give, struct sp_error *err)
{
    const struct po_table *t;
    struct sp_buf b = SP_BUF_INIT;
    int ret = po_table_find(s, NULL, g->table, &t, err);
    if (ret == 0)
        ret = po_role_find(s, g->role, err);
    if (ret != 0)
        return ret;
    s->uncertain = !s->in_txn;
    if (give) { /* a table cannot be reached without its schema */
        sp_buf_puts(&b, "GRANT USAGE ON SCHEMA ");
        po_put_name(&b, po_ns_of(s, NULL));
        sp_buf_puts(&b, " TO ");
        po_put_name(&b, g->role);
        sp_buf_puts(&b, "; ");
    }
    sp_buf_puts(&b, give ? "GRANT " : "REVOKE ");
    put_privileges(&b, g);
    sp_buf_printf(&b, " ON %s %s ", t->qualified, give ? "TO" : "FROM");
    po_put_name(&b, g->role);
    ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

int po_role_grant(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    return change(s, g, true, err);
}

int po_role_revoke(struct sp_session *s, const struct sp_grant *g, struct sp_error *err)
{
    return change(s, g, false, err);
}

/* on: rows are hidden from those who may not see them; owner: the column that tells whose a row is (NULL: nobody's), compared
 * with who. A policy of this name is replaced. */
int po_row_policy(struct sp_session *s, const char *table, const struct po_policy *p, struct sp_error *err)
{
    const struct po_table *t;
    struct sp_buf b = SP_BUF_INIT;
    int ret = po_table_find(s, NULL, table, &t, err);
    if (ret != 0)
        return ret;
    const struct po_column *c = p->owner == NULL ? NULL : po_table_column(t, p->owner);
    if (p->owner != NULL && (c == NULL || c->type.tag != SP_TEXT))
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "%s has no text column \"%s\" (%s)",
            t->qualified, p->owner, s->where);
    s->uncertain = !s->in_txn;
    sp_buf_printf(&b, "DROP POLICY IF EXISTS %s ON %s; ALTER TABLE %s %s ROW LEVEL SECURITY", p->name,
        t->qualified, t->qualified, p->on ? "ENABLE" : "DISABLE");
    if (p->owner != NULL) {
        sp_buf_printf(&b, "; CREATE POLICY %s ON %s USING (", p->name, t->qualified);
        po_put_name(&b, p->owner);
        sp_buf_printf(&b, "::text = %s)", p->who); /* for new rows as well */
    }
    ret = b.oom ? sp_nomem(err) : po_exec_guarded(s, b.p, err);
    sp_buf_free(&b);
    return ret;
}

int po_row_security(struct sp_session *s, const char *table, const char *owner, struct sp_error *err)
{
    const struct po_policy p = {
        .name = "sp_owner", .on = owner != NULL, .owner = owner, .who = "current_user::text"
    };
    return po_row_policy(s, table, &p, err);
}

int po_rows_whole(const struct sp_session *s, const struct po_table *t, struct sp_error *err)
{
    if (!t->hides)
        return 0;
    int ret = sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND,
        "row security could hide rows of %s from this user, who cannot bypass it (%s)", t->qualified,
        s->where);
    if (err != NULL)
        sp_error_native(err, "42501");
    return ret;
}
