/* sessions.c -- opening and closing, namespaces, access, roles, errors. */
#include "suites/connection/connection.h"

#include <string.h>

#define TWO ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL))

#define OPEN_TRIES 10

bool coc_open(struct dc *d, const struct sp_endpoint *e, bool in_namespace, struct sp_session **out)
{
    const char *ns = NULL, *what = "open";
    int rc = -SP_E_TIMEOUT;
    *out = NULL;
    if (in_namespace && sp_ctx_cap(d->ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES &&
        (ns = sp_ctx_namespace(d->ctx)) == NULL)
        return false;
    /* The endpoint's time-out may be short, and the machine busy. */
    for (int i = 0; rc == -SP_E_TIMEOUT && i < OPEN_TRIES; i++) {
        coc_later(i);
        sp_close(*out);
        *out = NULL;
        sp_error_clear(&d->err);
        what = "open";
        rc = sp_open(out, sp_session_provider(d->s), e, &d->err);
        if (rc == 0 && ns != NULL) {
            what = "use of the namespace";
            rc = sp_db_ns_use(*out, ns, &d->err);
        }
    }
    return dc_ok(d, what, rc);
}

void coc_opens(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx))
        (void)dc_ok(&d, "ping", sp_ping(d.s, &d.err));
    dc_done(&d);
}

void coc_ping_often(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx);
    for (int i = 0; ok && i < 100; i++)
        ok = dc_ok(&d, "ping", sp_ping(d.s, &d.err));
    dc_done(&d);
}

void coc_second_session(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx)) {
        bool ok = coc_open(&d, sp_session_endpoint(d.s), false, &b) && dc_ok(&d, "ping", sp_ping(b, &d.err));
        sp_close(b);
        (void)(ok && dc_ok(&d, "ping of the first after the second was closed", sp_ping(d.s, &d.err)));
    }
    dc_done(&d);
}

void coc_many_sessions(struct sp_ctx *ctx, const void *data)
{
    enum { SESSIONS = 16 };
    struct sp_session *s[SESSIONS] = { NULL };
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx);
    for (size_t i = 0; ok && i < SESSIONS; i++)
        ok = coc_open(&d, sp_session_endpoint(d.s), false, &s[i]);
    for (size_t i = 0; ok && i < SESSIONS; i++)
        ok = dc_ok(&d, "ping", sp_ping(s[i], &d.err));
    /* Every third first: neither in the order of opening nor in the opposite one. */
    for (size_t from = 0; from < 3; from++) {
        for (size_t i = from; i < SESSIONS; i += 3)
            sp_close(s[i]);
        (void)(ok && dc_ok(&d, "ping of the first", sp_ping(d.s, &d.err)));
    }
    dc_done(&d);
}

void coc_reopen(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, NULL);
    struct sp_value v[15];
    for (int64_t i = 0; ok && i < 5; i++) {
        struct sp_session *b = NULL;
        const struct sp_value row[] = { ITEM(i, "written", V_NULL) };
        memcpy(v + 3 * i, row, sizeof row);
        const struct dc_rows one = { .columns = NAMES("id", "category", "value"),
            .values = v + 3 * i,
            .nvalues = 3 },
                             all = { one.columns, 3, v, 3 * (size_t)i + 3 };
        ok = coc_open(&d, sp_session_endpoint(d.s), true, &b) && dc_create(&d, b, "items", &one);
        sp_close(b);
        b = NULL;
        ok = ok && coc_open(&d, sp_session_endpoint(d.s), true, &b) &&
             dc_holds(&d, b, "after opening again", "items", &all);
        sp_close(b);
    }
    dc_done(&d);
}

void coc_wrong_url(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx)) {
        struct sp_endpoint e = *sp_session_endpoint(d.s);
        e.url = "no-such-scheme://nowhere.invalid:1/none";
        int rc = sp_open(&b, sp_session_provider(d.s), &e, &d.err);
        if (sp_check(ctx, rc != 0 && b == NULL, "opening a URL of no known scheme fails"))
            (void)sp_check(ctx, sp_error_text(&d.err)[0] != '\0', "the error says why");
        sp_error_clear(&d.err);
        sp_close(b);
        (void)dc_ok(&d, "ping of the session that was open", sp_ping(d.s, &d.err));
    }
    dc_done(&d);
}

/* ---- namespaces ------------------------------------------------------------------------------------------------------- */

/* The run's namespace with a tail: journalled with it is only the first; so the case drops it itself. */
static const char *another(struct dc *d, const char *tail)
{
    const char *ns = sp_ctx_namespace(d->ctx);
    const char *name = ns != NULL ? sp_arena_printf(d->a, "%.30s_%s", ns, tail) : NULL;
    if (ns != NULL && name == NULL)
        sp_ctx_error(d->ctx, "out of memory");
    return name;
}

void coc_absent_namespace(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct dc d;
    (void)data;
    const char *ns = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) ? another(&d, "none") : NULL;
    if (ns != NULL && coc_open(&d, sp_session_endpoint(d.s), true, &b)) {
        int rc = sp_db_ns_use(b, ns, &d.err);
        sp_error_clear(&d.err);
        if (rc == 0)
            rc = sp_db_read(b, QUERY("items", BY_ID), &d.r, &d.err);
        (void)(dc_fails(&d, "an absent namespace, or a table in it", SP_E_NOT_FOUND, rc) &&
               dc_ok(&d, "back to the run's namespace", sp_db_ns_use(b, sp_ctx_namespace(ctx), &d.err)) &&
               dc_holds(&d, b, "the run's table", "items", TWO) &&
               dc_holds(&d, d.s, "the run's table", "items", TWO));
    }
    sp_close(b);
    dc_done(&d);
}

void coc_namespace_apart(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct dc d;
    (void)data;
    const char *ns = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) ? another(&d, "x") : NULL;
    if (ns != NULL && coc_open(&d, sp_session_endpoint(d.s), true, &b) && sp_ctx_claim_namespace(ctx, ns) &&
        dc_ok(&d, "making a namespace", sp_db_ns_create(b, ns, &d.err))) {
        bool ok =
            dc_ok(&d, "use", sp_db_ns_use(b, ns, &d.err)) &&
            dc_ok(&d, "creating a table of the same name", sp_db_table_create(b, &dc_items, true, &d.err)) &&
            dc_create(&d, b, "items", ITEMS(ITEM(7, "other", V_INT(7)))) &&
            dc_holds(
                &d, b, "the table of the second namespace", "items", ITEMS(ITEM(7, "other", V_INT(7)))) &&
            dc_holds(&d, d.s, "the table of the first namespace", "items", TWO) &&
            dc_delete(&d, b, "items", NULL, 1);
        (void)(dc_ok(&d, "dropping it", sp_db_ns_drop(b, ns, &d.err)) && ok &&
               dc_holds(&d, d.s, "the table of the first namespace, after all", "items", TWO));
    }
    sp_close(b);
    dc_done(&d);
}

void coc_namespace_drop(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct dc d;
    (void)data;
    const char *ns = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) ? another(&d, "y") : NULL;
    if (ns != NULL && coc_open(&d, sp_session_endpoint(d.s), true, &b) && sp_ctx_claim_namespace(ctx, ns) &&
        dc_ok(&d, "making a namespace", sp_db_ns_create(b, ns, &d.err))) {
        bool ok = dc_ok(&d, "use", sp_db_ns_use(b, ns, &d.err)) &&
                  dc_ok(&d, "creating a table", sp_db_table_create(b, &dc_items, true, &d.err)) &&
                  dc_create(&d, b, "items", TWO);
        ok = dc_ok(&d, "dropping it", sp_db_ns_drop(d.s, ns, &d.err)) && ok &&
             dc_ok(&d, "dropping it again", sp_db_ns_drop(d.s, ns, &d.err));
        /* A namespace of that name is a new one. */
        if (ok && dc_ok(&d, "making it again", sp_db_ns_create(d.s, ns, &d.err))) {
            sp_close(b);
            b = NULL;
            ok = coc_open(&d, sp_session_endpoint(d.s), false, &b) &&
                 dc_ok(&d, "use", sp_db_ns_use(b, ns, &d.err)) &&
                 dc_fails(&d, "a table of the dropped namespace", SP_E_NOT_FOUND,
                     sp_db_read(b, QUERY("items", BY_ID), &d.r, &d.err));
            (void)(dc_ok(&d, "dropping it at last", sp_db_ns_drop(d.s, ns, &d.err)) && ok &&
                   dc_holds(&d, d.s, "the run's table", "items", TWO));
        }
    }
    sp_close(b);
    dc_done(&d);
}

static bool listed(struct dc *d, const char *prefix, const char *name, bool want)
{
    struct sp_names names = { .arena = SP_ARENA_INIT };
    bool found = false, ok = dc_ok(d, "listing namespaces", sp_db_ns_list(d->s, prefix, &names, &d->err));
    for (size_t i = 0; ok && i < names.n; i++) {
        found = found || sp_streq(names.v[i], name);
        ok = sp_check(d->ctx, sp_str_prefix(names.v[i], prefix), "only names with that beginning");
    }
    ok = ok && sp_check_at(d->ctx, __FILE__, __LINE__, found == want, "the namespace in the list",
                   want ? "listed" : "not listed", found ? "listed" : "not listed");
    sp_names_free(&names);
    return ok;
}

void coc_namespace_list(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    const char *ns = dc_open(&d, ctx) ? another(&d, "z_a") : NULL;
    const char *beside = ns != NULL ? another(&d, "zxa") : NULL; /* an underscore is no wildcard */
    const char *prefix = ns != NULL ? another(&d, "z_") : NULL;
    if (beside != NULL && prefix != NULL && listed(&d, prefix, ns, false) &&
        sp_ctx_claim_namespace(ctx, ns) && sp_ctx_claim_namespace(ctx, beside) &&
        dc_ok(&d, "making a namespace", sp_db_ns_create(d.s, ns, &d.err))) {
        bool ok = dc_ok(&d, "making another", sp_db_ns_create(d.s, beside, &d.err)) &&
                  listed(&d, prefix, ns, true) && listed(&d, ns, ns, true) &&
                  listed(&d, beside, beside, true) && listed(&d, beside, ns, false);
        (void)dc_ok(&d, "dropping one", sp_db_ns_drop(d.s, ns, &d.err));
        (void)(ok && listed(&d, prefix, ns, false) && listed(&d, beside, beside, true));
        (void)dc_ok(&d, "dropping the other", sp_db_ns_drop(d.s, beside, &d.err));
    }
    dc_done(&d);
}

/* ---- what may not be done ------------------------------------------------------------------------------------------------- */

void coc_absent_table(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) &&
        dc_refused(
            &d, "reading", SP_E_NOT_FOUND, sp_db_read(d.s, QUERY("no_such_table", BY_ID), &d.r, &d.err)) &&
        dc_refused(&d, "dropping", SP_E_NOT_FOUND, sp_db_table_drop(d.s, "no_such_table", &d.err)) &&
        dc_table(&d, &dc_items, TWO))
        (void)dc_holds(&d, d.s, "a table made afterwards", "items", TWO);
    dc_done(&d);
}

void coc_read_only(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct sp_table other = dc_items;
    struct dc d;
    (void)data;
    other.name = "other";
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO)) {
        struct sp_endpoint e = *sp_session_endpoint(d.s);
        const struct sp_field f[] = { { "id", V_INT(3) }, { "category", V_TEXT("x") } };
        e.access = SP_ACCESS_READ_ONLY;
        (void)(coc_open(&d, &e, true, &b) && dc_holds(&d, b, "reading is allowed", "items", TWO) &&
               dc_fails(&d, "a create", SP_E_PERMISSION, sp_db_insert(b, "items", f, 2, &d.err)) &&
               dc_fails(&d, "an update", SP_E_PERMISSION,
                   sp_db_update(b, "items", NULL, f + 1, 1, NULL, &d.err)) &&
               dc_fails(&d, "a delete", SP_E_PERMISSION, sp_db_delete(b, "items", NULL, NULL, &d.err)) &&
               dc_fails(&d, "a new table", SP_E_PERMISSION, sp_db_table_create(b, &other, true, &d.err)) &&
               dc_fails(&d, "dropping a table", SP_E_PERMISSION, sp_db_table_drop(b, "items", &d.err)) &&
               dc_holds(&d, d.s, "nothing was written", "items", TWO));
    }
    sp_close(b);
    dc_done(&d);
}

static bool secretless(struct dc *d)
{
    const struct sp_endpoint *e = sp_session_endpoint(d->s);
    const char *text = sp_error_text(&d->err);
    return sp_check(d->ctx,
        e->password == NULL || e->password[0] == '\0' || strstr(text, e->password) == NULL,
        "the password is not in the error");
}

void coc_error_record(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    const struct sp_field f[] = { { "id", V_INT(1) }, { "category", V_TEXT("line\nbreak") } };
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO)) {
        int rc = sp_db_insert(d.s, "items", f, 2, &d.err);
        if (sp_check_code(ctx, "create of a key that is taken", SP_E_UNIQUE, rc, &d.err) &&
            sp_check_text(ctx, "origin", "backend", sp_origin_name(d.err.origin)) &&
            sp_check_text(ctx, "effect", "none", sp_effect_name(d.err.effect)) &&
            sp_check(ctx, !d.err.retryable, "trying again would not help") &&
            sp_check(ctx, d.err.text != NULL && d.err.text[0] != '\0', "there is a text") &&
            sp_check(ctx, strchr(d.err.text, '\n') == NULL, "of one line") && secretless(&d)) {
            sp_error_clear(&d.err);
            rc = sp_db_read(d.s, QUERY("no_such_table", BY_ID), &d.r, &d.err);
            (void)(sp_check_code(ctx, "read of an absent table", SP_E_NOT_FOUND, rc, &d.err) &&
                   sp_check(ctx, strstr(sp_error_text(&d.err), "no_such_table") != NULL,
                       "the text names the table") &&
                   secretless(&d));
        }
        sp_error_clear(&d.err);
        (void)(!sp_ctx_done(ctx) && dc_holds(&d, d.s, "the rows", "items", TWO));
    }
    dc_done(&d);
}

/* ---- roles ------------------------------------------------------------------------------------------------------------------ */

static const char role_secret[] = "Sw1tch-pr00f-role-secret";

static bool role(struct dc *d, const char **name, struct sp_endpoint *e)
{
    if (!dc_open(d, d->ctx) || !dc_table(d, &dc_items, TWO))
        return false;
    *name = sp_ctx_role(d->ctx, "conn");
    *e = *sp_session_endpoint(d->s);
    e->user = *name;
    e->password = role_secret;
    return *name != NULL && dc_ok(d, "creating a role", sp_db_role_create(d->s, *name, role_secret, &d->err));
}

void coc_role_password(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct sp_endpoint e;
    const char *name;
    struct dc d = { .ctx = ctx };
    (void)data;
    if (role(&d, &name, &e) && coc_open(&d, &e, false, &b) &&
        dc_ok(&d, "ping as the role", sp_ping(b, &d.err))) {
        sp_close(b);
        b = NULL;
        e.password = "Sw1tch-pr00f-wrong-secret";
        int rc = sp_open(&b, sp_session_provider(d.s), &e, &d.err);
        if (sp_check_code(ctx, "opening with a wrong password", SP_E_AUTHENTICATION, rc, &d.err))
            (void)sp_check(
                ctx, strstr(sp_error_text(&d.err), e.password) == NULL, "the password is not in the error");
        sp_error_clear(&d.err);
    }
    sp_close(b);
    dc_done(&d);
}

void coc_role_privileges(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct sp_endpoint e;
    const char *name;
    struct dc d = { .ctx = ctx };
    (void)data;
    const struct sp_field f[] = { { "id", V_INT(3) }, { "category", V_TEXT("x") }, { "value", V_INT(3) } };
    (void)(role(&d, &name, &e) &&
           dc_ok(&d, "granting read", sp_db_role_grant(d.s, name, "items", SP_PRIV_SELECT, &d.err)) &&
           coc_open(&d, &e, true, &b) && dc_holds(&d, b, "reading as the role", "items", TWO) &&
           dc_fails(&d, "a create as the role", SP_E_PERMISSION, sp_db_insert(b, "items", f, 3, &d.err)) &&
           dc_fails(
               &d, "a delete as the role", SP_E_PERMISSION, sp_db_delete(b, "items", NULL, NULL, &d.err)) &&
           dc_fails(&d, "an update as the role", SP_E_PERMISSION,
               sp_db_update(b, "items", NULL, f + 2, 1, NULL, &d.err)) &&
           dc_holds(&d, d.s, "nothing was written", "items", TWO) &&
           dc_ok(&d, "granting create", sp_db_role_grant(d.s, name, "items", SP_PRIV_INSERT, &d.err)) &&
           dc_ok(&d, "a create as the role", sp_db_insert(b, "items", f, 3, &d.err)) &&
           dc_fails(
               &d, "a delete as the role", SP_E_PERMISSION, sp_db_delete(b, "items", NULL, NULL, &d.err)) &&
           dc_holds(&d, d.s, "one row more", "items",
               ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "x", V_INT(3)))));
    sp_close(b);
    dc_done(&d);
}
