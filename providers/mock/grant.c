/* grant.c -- what a database user may do with tables, columns and rows. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static bool covers(
    const struct mock_role *r, const struct mock_table *t, unsigned privilege, const char *column)
{
    for (const struct mock_grant *g = r->grants; g != NULL; g = g->next) {
        if (g->t == t && (g->privileges & privilege) != 0 &&
            (g->column == NULL || (column != NULL && strcmp(g->column, column) == 0)))
            return true;
    }
    return false;
}

int mock_role_allows(const struct mock_session *s, const struct mock_table *t, unsigned privilege,
    const char *const *columns, size_t n, struct sp_error *err)
{
    if (s->role == NULL)
        return 0;
    const struct mock_role *r = mock_role_find(s->store, s->role);
    bool may = r != NULL && (n > 0 || covers(r, t, privilege, NULL));
    for (size_t i = 0; may && i < n; i++)
        may = covers(r, t, privilege, columns[i]);
    if (may)
        return 0;
    return mock_fail(
        err, SP_E_PERMISSION, "role \"%s\" lacks the privilege on table \"%s\"", s->role, t->def.name);
}

int mock_filter_allowed(
    const struct mock_session *s, const struct mock_table *t, const struct sp_filter *f, struct sp_error *err)
{
    int rc = f == NULL || f->column == NULL ? 0 : mock_role_allows(s, t, SP_PRIV_SELECT, &f->column, 1, err);
    for (size_t i = 0; rc == 0 && f != NULL && i < f->nargs; i++)
        rc = mock_filter_allowed(s, t, &f->args[i], err);
    return rc;
}

/* Of an answer: the columns asked for, or all. */
static int rows_allowed(
    const struct mock_session *s, const struct mock_table *t, const struct sp_query *q, struct sp_error *err)
{
    int rc = 0;
    if (q->nselect > 0 || t->def.open_fields)
        return mock_role_allows(s, t, SP_PRIV_SELECT, q->select, q->nselect, err);
    for (size_t i = 0; rc == 0 && i < t->def.ncolumns; i++)
        rc = mock_role_allows(s, t, SP_PRIV_SELECT, &t->def.columns[i].name, 1, err);
    return rc;
}

int mock_op_allowed(
    const struct mock_session *s, const struct mock_table *t, const struct sp_op *op, struct sp_error *err)
{
    const struct sp_query *q = &op->query;
    int rc = mock_filter_allowed(s, t, q->where, err);
    if (rc == 0 && (op->kind == SP_OP_CREATE || op->kind == SP_OP_UPSERT))
        rc = mock_role_allows(s, t, SP_PRIV_INSERT, op->fields, op->nfields, err);
    if (rc == 0 && (op->kind == SP_OP_UPDATE || op->kind == SP_OP_UPSERT))
        rc = mock_role_allows(s, t, SP_PRIV_UPDATE, op->fields, op->nfields, err);
    if (rc == 0 && op->kind == SP_OP_UPSERT)
        rc = mock_role_allows(s, t, SP_PRIV_SELECT, op->key, op->nkey, err);
    if (rc == 0 && op->kind == SP_OP_DELETE)
        rc = mock_role_allows(s, t, SP_PRIV_DELETE, NULL, 0, err);
    if (rc == 0 && op->kind == SP_OP_COUNT)
        rc = mock_role_allows(s, t, SP_PRIV_SELECT, NULL, 0, err);
    if (rc == 0 && (op->kind == SP_OP_READ || op->returning))
        rc = rows_allowed(s, t, q, err);
    for (size_t i = 0; rc == 0 && i < q->norder; i++)
        rc = mock_role_allows(s, t, SP_PRIV_SELECT, &q->order[i].column, 1, err);
    if (rc == 0 && s->whole && !s->acting)
        rc = mock_rows_whole(s, t, err);
    return rc;
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

static bool may_hide(const struct mock_session *s, const struct mock_table *t)
{
    if (s->role == NULL || (t->row_owner == NULL && !t->ruled))
        return false;
    const struct mock_role *r = mock_role_find(s->store, s->role);
    return r == NULL || !r->bypass;
}

/* The column holds this name; false where there is none. */
static bool names(
    const struct mock_table *t, const struct mock_version *v, const char *column, const char *name)
{
    const struct sp_value *owner = column == NULL || name == NULL ? NULL : mock_version_value(t, v, column);
    size_t n = name == NULL ? 0 : strlen(name);
    return owner != NULL && owner->tag == SP_TEXT && owner->u.str.n == n &&
           memcmp(owner->u.str.p, name, n) == 0;
}

bool mock_row_hidden(const struct mock_session *s, const struct mock_table *t, const struct mock_version *v)
{
    if (!may_hide(s, t))
        return false;
    return (t->row_owner == NULL || !names(t, v, t->row_owner, s->role)) &&
           (!t->ruled || !names(t, v, t->actor_column, s->actor));
}

int mock_rows_whole(const struct mock_session *s, const struct mock_table *t, struct sp_error *err)
{
    return may_hide(s, t)
               ? mock_fail(err, SP_E_PERMISSION,
                     "row security could hide rows of table \"%s\" from role \"%s\"", t->def.name, s->role)
               : 0;
}

int mock_row_owned(const struct mock_session *s, const struct mock_table *t, const struct mock_version *v,
    struct sp_error *err)
{
    return mock_row_hidden(s, t, v)
               ? mock_fail(err, SP_E_PERMISSION, "a row of table \"%s\" would not belong to role \"%s\"",
                     t->def.name, s->role)
               : 0;
}

/* ---- granting -------------------------------------------------------------------------------------------------- */

void mock_grants_free(struct mock_grant *g)
{
    while (g != NULL) {
        struct mock_grant *next = g->next;
        free(g->column);
        free(g);
        g = next;
    }
}

void mock_role_forget_table(struct mock_store *st, const struct mock_table *t)
{
    for (struct mock_role *r = st->roles; r != NULL; r = r->next) {
        for (struct mock_grant **p = &r->grants; *p != NULL;) {
            struct mock_grant *g = *p;
            if (g->t == t) {
                *p = g->next;
                g->next = NULL;
                mock_grants_free(g);
            } else {
                p = &g->next;
            }
        }
    }
}

static struct mock_grant *grant_of(struct mock_role *r, const struct mock_table *t, const char *column)
{
    for (struct mock_grant *g = r->grants; g != NULL; g = g->next) {
        if (g->t == t && (g->column == NULL) == (column == NULL) &&
            (column == NULL || strcmp(g->column, column) == 0))
            return g;
    }
    return NULL;
}

static int add(
    struct mock_role *r, struct mock_table *t, const char *column, unsigned privileges, struct sp_error *err)
{
    struct mock_grant *g = grant_of(r, t, column);
    if (g == NULL) {
        g = calloc(1, sizeof *g);
        if (g == NULL)
            return sp_nomem(err);
        g->t = t;
        if (column != NULL && (g->column = strdup(column)) == NULL) {
            free(g);
            return sp_nomem(err);
        }
        g->next = r->grants;
        r->grants = g;
    }
    g->privileges |= privileges;
    return 0;
}

static void take(struct mock_role *r, const struct mock_table *t, const char *column, unsigned privileges)
{
    for (struct mock_grant *g = r->grants; g != NULL; g = g->next) {
        if (g->t == t && (column == NULL || (g->column != NULL && strcmp(g->column, column) == 0)))
            g->privileges &= ~privileges;
    }
}

static int change(struct mock_session *s, const struct sp_grant *asked, bool give, struct sp_error *err)
{
    struct mock_table *t;
    int rc = mock_owner_check(s, give ? "grant privileges" : "revoke privileges", err);
    if (rc == 0)
        rc = mock_table_find(s, NULL, asked->table, &t, err);
    if (rc != 0)
        return rc;
    struct mock_role *r = mock_role_find(s->store, asked->role);
    if (r == NULL)
        return mock_fail(err, SP_E_NOT_FOUND, "role \"%s\" does not exist", asked->role);
    for (size_t i = 0; i < asked->ncolumns; i++) {
        if (sp_table_column(&t->def, asked->columns[i]) == NULL)
            return mock_fail(
                err, SP_E_INVALID, "table \"%s\" has no column \"%s\"", asked->table, asked->columns[i]);
    }
    for (size_t i = 0; rc == 0 && i < (asked->columns == NULL ? 1 : asked->ncolumns); i++) {
        const char *column = asked->columns == NULL ? NULL : asked->columns[i];
        if (give)
            rc = add(r, t, column, asked->privileges, err);
        else
            take(r, t, column, asked->privileges);
    }
    return rc;
}

int mock_role_grant(struct sp_session *ss, const struct sp_grant *g, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = change(s, g, true, err);
    mock_leave(s);
    return rc;
}

int mock_role_revoke(struct sp_session *ss, const struct sp_grant *g, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = change(s, g, false, err);
    mock_leave(s);
    return rc;
}

static int set_owner(struct mock_session *s, const char *table, const char *owner, struct sp_error *err)
{
    struct mock_table *t;
    int rc = mock_owner_check(s, "change the row security of a table", err);
    if (rc == 0)
        rc = mock_table_find(s, NULL, table, &t, err);
    if (rc != 0)
        return rc;
    const struct sp_column *c = owner == NULL ? NULL : sp_table_column(&t->def, owner);
    if (owner != NULL && (c == NULL || c->type.tag != SP_TEXT))
        return mock_fail(err, SP_E_INVALID, "table \"%s\" has no text column \"%s\"", table, owner);
    t->row_owner = c == NULL ? NULL : c->name;
    return 0;
}

int mock_row_security(struct sp_session *ss, const char *table, const char *owner, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = set_owner(s, table, owner, err);
    mock_leave(s);
    return rc;
}
