/* credentials_lib.c -- the helpers of the cases about database users. */
#include "suites/auth/credentials.h"

#include <string.h>

bool cr_start(struct cr *c, struct sp_ctx *ctx)
{
    c->nroles = 0;
    return dc_open(&c->d, ctx);
}

void cr_done(struct cr *c)
{
    while (c->nroles > 0)
        sp_close(c->roles[--c->nroles]);
    dc_done(&c->d);
}

static bool silent(struct cr *c)
{
    const struct sp_error *e = &c->d.err;
    bool told = strstr(sp_error_text(e), CR_MARK) != NULL || strstr(e->native, CR_MARK) != NULL;
    return sp_check_at(c->d.ctx, __FILE__, __LINE__, !told, "passwords in the error", "none", "one");
}

bool cr_ok(struct cr *c, const char *what, int rc)
{
    bool ok = rc == 0 || silent(c);
    return dc_ok(&c->d, what, rc) && ok;
}

bool cr_fails(struct cr *c, const char *what, enum sp_code want, int rc)
{
    bool ok = silent(c);
    return dc_refused(&c->d, what, want, rc) && ok;
}

const char *cr_role(struct cr *c, const char *tag)
{
    const char *name = sp_ctx_role(c->d.ctx, tag);
    if (name == NULL || !cr_ok(c, "creating a role", sp_db_role_create(c->d.s, name, CR_PASSWORD, &c->d.err)))
        return NULL;
    return name;
}

bool cr_grant(struct cr *c, const char *role, const char *table, unsigned privileges)
{
    return cr_ok(c, "granting privileges", sp_db_role_grant(c->d.s, role, table, privileges, &c->d.err));
}

bool cr_change(struct cr *c, const char *what, const char *role, const struct sp_role_change *change)
{
    return cr_ok(c, what, sp_db_role_change(c->d.s, role, change, &c->d.err));
}

static struct sp_endpoint *endpoint(struct cr *c, const char *role, const char *password)
{
    struct sp_endpoint *e = sp_arena_dup(c->d.a, sp_session_endpoint(c->d.s), sizeof *e);
    if (e == NULL) {
        sp_ctx_error(c->d.ctx, "out of memory");
        return NULL;
    }
    e->user = role;
    e->password = password;
    return e;
}

struct sp_session *cr_sign_in_as(
    struct cr *c, const char *what, const char *role, const char *password, enum sp_access access)
{
    struct sp_endpoint *e = endpoint(c, role, password);
    if (e == NULL || c->nroles == CR_SESSIONS) {
        sp_ctx_error(c->d.ctx, "no room for another session");
        return NULL;
    }
    e->access = access;
    struct sp_session **s = &c->roles[c->nroles];
    if (!cr_ok(c, what, sp_open(s, sp_session_provider(c->d.s), e, &c->d.err)))
        return NULL;
    c->nroles++;
    if (sp_ctx_cap(c->d.ctx, SP_CAP_NAMESPACES)->level != SP_CAP_YES)
        return *s;
    const char *ns = sp_ctx_namespace(c->d.ctx);
    bool ok = ns != NULL && cr_ok(c, "use of the namespace", sp_db_ns_use(*s, ns, &c->d.err));
    return ok ? *s : NULL;
}

struct sp_session *cr_sign_in(struct cr *c, const char *what, const char *role, const char *password)
{
    return cr_sign_in_as(c, what, role, password, SP_ACCESS_DISPOSABLE);
}

bool cr_refused_with(struct cr *c, const char *what, const char *role, const char *password)
{
    struct sp_endpoint *e = endpoint(c, role, password);
    struct sp_session *s = NULL;
    if (e == NULL)
        return false;
    int rc = sp_open(&s, sp_session_provider(c->d.s), e, &c->d.err);
    sp_close(s);
    return sp_check_code(c->d.ctx, what, SP_E_AUTHENTICATION, rc, &c->d.err) && silent(c);
}

bool cr_refused(struct cr *c, const char *what, const char *role, const char *password)
{
    bool ok = cr_refused_with(c, what, role, password);
    sp_error_clear(&c->d.err);
    return ok;
}

/* ---- privileges ------------------------------------------------------------------------------------------------ */

int cr_try(struct cr *c, struct sp_session *s, enum sp_privilege privilege)
{
    const struct sp_field f[] = { { "id", V_INT(3) }, { "category", V_TEXT("c") }, { "value", V_INT(3) } },
                          seven = { "value", V_INT(7) };
    switch (privilege) {
    case SP_PRIV_SELECT:
        return sp_db_read(s, QUERY("items", BY_ID), &c->d.r, &c->d.err);
    case SP_PRIV_INSERT:
        return sp_db_insert(s, "items", f, SP_LEN(f), &c->d.err);
    case SP_PRIV_UPDATE:
        return sp_db_update(s, "items", NULL, &seven, 1, NULL, &c->d.err);
    case SP_PRIV_DELETE:
        return sp_db_delete(s, "items", NULL, NULL, &c->d.err);
    }
    return sp_invalid(&c->d.err, "no such privilege");
}

const char *cr_try_name(enum sp_privilege privilege)
{
    return privilege == SP_PRIV_SELECT   ? "reading"
           : privilege == SP_PRIV_INSERT ? "a create"
           : privilege == SP_PRIV_UPDATE ? "an update"
                                         : "a delete";
}

bool cr_may_not(struct cr *c, struct sp_session *s, const char *who, unsigned refused)
{
    static const enum sp_privilege all[] = { SP_PRIV_SELECT, SP_PRIV_INSERT, SP_PRIV_UPDATE, SP_PRIV_DELETE };
    for (size_t i = 0; i < SP_LEN(all); i++) {
        const char *what = sp_arena_printf(c->d.a, "%s %s", cr_try_name(all[i]), who);
        if ((refused & all[i]) != 0 &&
            !cr_fails(c, what != NULL ? what : who, SP_E_PERMISSION, cr_try(c, s, all[i])))
            return false;
    }
    return true;
}

/* ---- bulk ------------------------------------------------------------------------------------------------------ */

int cr_scan(struct cr *c, struct sp_session *s, const char *table, const char *const *columns, size_t n,
    uint64_t *rows)
{
    struct sp_colplan *plan = sp_arena_array(c->d.a, n, sizeof *plan);
    bool spaces = sp_ctx_cap(c->d.ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES;
    struct sp_scan scan = {
        .ns = spaces ? sp_ctx_namespace(c->d.ctx) : NULL, .table = table, .cols = plan, .ncols = n
    };
    struct sp_rowbuf rb;
    *rows = 0;
    if (plan == NULL)
        return sp_nomem(&c->d.err);
    for (size_t i = 0; i < n; i++)
        plan[i] = (struct sp_colplan){ .name = columns[i], .source = columns[i], .target = columns[i] };
    int rc = sp_rowbuf_init(&rb, &scan, &c->d.err);
    if (rc != 0)
        return rc;
    rc = sp_db_scan(s, &scan, &rb, &c->d.err);
    *rows = rb.digest.count;
    sp_rowbuf_free(&rb);
    return rc;
}

int cr_load(struct cr *c, struct sp_session *s, const char *table, const char *const *columns, size_t n,
    const struct sp_value *row)
{
    struct sp_load *l = NULL;
    int rc = sp_db_load_open(s, table, columns, n, &l, &c->d.err);
    if (rc != 0)
        return rc;
    rc = sp_db_load_row(s, l, row, &c->d.err);
    int end = sp_db_load_close(s, l, rc == 0, NULL, rc == 0 ? &c->d.err : NULL);
    return rc != 0 ? rc : end;
}
