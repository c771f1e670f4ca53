/* credentials_grants.c -- what a database user may do with tables and columns. */
#include "suites/auth/credentials.h"

#define TWO       ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL))
#define SOME(...) .columns = LIST_OF(__VA_ARGS__)
#define LIST_OF(...)                                                                                         \
    (const char *const[]){ __VA_ARGS__ },                                                                    \
        .ncolumns = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

static const char *const whole[] = { "id", "category", "value" };

/* items with two rows, a role, and a session of it. */
struct guest {
    struct cr c;
    const char *role;
    struct sp_session *s;
};

static bool guest(struct guest *g, struct sp_ctx *ctx, unsigned privileges)
{
    g->role = cr_start(&g->c, ctx) && dc_table(&g->c.d, &dc_items, TWO) ? cr_role(&g->c, "guest") : NULL;
    g->s = NULL;
    if (g->role == NULL || (privileges != 0 && !cr_grant(&g->c, g->role, "items", privileges)))
        return false;
    g->s = cr_sign_in(&g->c, "opening as the role", g->role, CR_PASSWORD);
    return g->s != NULL;
}

static bool unchanged(struct guest *g)
{
    return dc_holds(&g->c.d, g->c.d.s, "nothing was written", "items", TWO);
}

static bool granted(struct guest *g, const struct sp_grant *privileges, bool give)
{
    return give ? cr_ok(&g->c, "granting privileges", sp_db_grant(g->c.d.s, privileges, &g->c.d.err))
                : cr_ok(&g->c, "revoking privileges", sp_db_revoke(g->c.d.s, privileges, &g->c.d.err));
}

void crd_nothing(struct sp_ctx *ctx, const void *data)
{
    struct guest g;
    int64_t n;
    (void)data;
    (void)(guest(&g, ctx, 0) && cr_may_not(&g.c, g.s, "as a new role", CR_ALL) &&
           cr_fails(&g.c, "counting as a new role", SP_E_PERMISSION,
               sp_db_count(g.s, "items", NULL, &n, &g.c.d.err)) &&
           cr_fails(&g.c, "dropping a table as a new role", SP_E_PERMISSION,
               sp_db_table_drop(g.s, "items", &g.c.d.err)) &&
           unchanged(&g));
    cr_done(&g.c);
}

void crd_alone(struct sp_ctx *ctx, const void *data)
{
    const enum sp_privilege mine = *(const enum sp_privilege *)data;
    struct guest g;
    if (guest(&g, ctx, mine) && cr_may_not(&g.c, g.s, "without its privilege", CR_ALL & ~(unsigned)mine) &&
        unchanged(&g) && cr_ok(&g.c, cr_try_name(mine), cr_try(&g.c, g.s, mine))) {
        switch (mine) {
        case SP_PRIV_SELECT:
            (void)(dc_holds(&g.c.d, g.s, "what the role reads", "items", TWO) && unchanged(&g));
            break;
        case SP_PRIV_INSERT:
            (void)dc_holds(&g.c.d, g.c.d.s, "one row more", "items",
                ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "c", V_INT(3))));
            break;
        case SP_PRIV_UPDATE:
            (void)dc_holds(&g.c.d, g.c.d.s, "every value is changed", "items",
                ITEMS(ITEM(1, "a", V_INT(7)), ITEM(2, "b", V_INT(7))));
            break;
        case SP_PRIV_DELETE:
            (void)dc_holds(&g.c.d, g.c.d.s, "no row is left", "items", NO_ITEMS);
        }
    }
    cr_done(&g.c);
}

void crd_revoke(struct sp_ctx *ctx, const void *data)
{
    struct guest g;
    (void)data;
    (void)(guest(&g, ctx, CR_ALL) && dc_holds(&g.c.d, g.s, "before", "items", TWO) &&
           granted(&g, &(struct sp_grant){ .role = g.role, .table = "items", .privileges = CR_ALL }, false) &&
           cr_may_not(&g.c, g.s, "after it was revoked", CR_ALL) && unchanged(&g));
    cr_done(&g.c);
}

void crd_revoke_one(struct sp_ctx *ctx, const void *data)
{
    struct guest g;
    (void)data;
    const struct sp_grant writes = { .table = "items", .privileges = SP_PRIV_UPDATE | SP_PRIV_DELETE };
    struct sp_grant mine = writes;
    if (guest(&g, ctx, CR_ALL)) {
        mine.role = g.role;
        (void)(granted(&g, &mine, false) && granted(&g, &mine, false) &&
               cr_may_not(&g.c, g.s, "after it was revoked", SP_PRIV_UPDATE | SP_PRIV_DELETE) &&
               dc_holds(&g.c.d, g.s, "reading is left", "items", TWO) &&
               cr_ok(&g.c, "a create is left", cr_try(&g.c, g.s, SP_PRIV_INSERT)) &&
               granted(&g, &mine, true) && cr_ok(&g.c, "an update", cr_try(&g.c, g.s, SP_PRIV_UPDATE)) &&
               dc_holds(&g.c.d, g.c.d.s, "what it wrote", "items",
                   ITEMS(ITEM(1, "a", V_INT(7)), ITEM(2, "b", V_INT(7)), ITEM(3, "c", V_INT(7)))));
    }
    cr_done(&g.c);
}

/* Privileges count when it is executed, not when it was prepared. */
void crd_prepared(struct sp_ctx *ctx, const void *data)
{
    const struct sp_op op = { .kind = SP_OP_READ, .query = *QUERY("items", BY_ID) };
    struct sp_prepared *p = NULL;
    struct guest g;
    (void)data;
    if (guest(&g, ctx, SP_PRIV_SELECT) && cr_ok(&g.c, "prepare", sp_db_prepare(g.s, &op, &p, &g.c.d.err)) &&
        cr_ok(&g.c, "execute", sp_db_execute(g.s, p, NULL, 0, &g.c.d.r, &g.c.d.err)) &&
        dc_result_is(&g.c.d, "before", TWO) &&
        granted(
            &g, &(struct sp_grant){ .role = g.role, .table = "items", .privileges = SP_PRIV_SELECT }, false))
        (void)cr_fails(&g.c, "executing what was prepared before", SP_E_PERMISSION,
            sp_db_execute(g.s, p, NULL, 0, &g.c.d.r, &g.c.d.err));
    if (p != NULL)
        sp_db_finalize(g.s, p);
    cr_done(&g.c);
}

void crd_apart(struct sp_ctx *ctx, const void *data)
{
    struct guest g;
    (void)data;
    const char *other = guest(&g, ctx, SP_PRIV_SELECT) ? sp_ctx_role(ctx, "other") : NULL;
    if (other != NULL &&
        cr_ok(&g.c, "creating another role", sp_db_role_create(g.c.d.s, other, CR_OTHER, &g.c.d.err)) &&
        cr_grant(&g.c, other, "items", SP_PRIV_DELETE) &&
        cr_refused(&g.c, "opening with the other's password", g.role, CR_OTHER) &&
        cr_refused(&g.c, "opening with the first one's password", other, CR_PASSWORD)) {
        struct sp_session *s = cr_sign_in(&g.c, "opening as the other", other, CR_OTHER);
        (void)(s != NULL &&
               cr_may_not(&g.c, g.s, "as the first role", SP_PRIV_INSERT | SP_PRIV_UPDATE | SP_PRIV_DELETE) &&
               cr_may_not(&g.c, s, "as the other role", SP_PRIV_SELECT | SP_PRIV_INSERT | SP_PRIV_UPDATE) &&
               dc_holds(&g.c.d, g.s, "what the first reads", "items", TWO) &&
               cr_ok(&g.c, "dropping the other", sp_db_role_drop(g.c.d.s, other, &g.c.d.err)) &&
               dc_holds(&g.c.d, g.s, "what the first reads afterwards", "items", TWO));
    }
    cr_done(&g.c);
}

void crd_tables(struct sp_ctx *ctx, const void *data)
{
    const struct sp_field f = { "value", V_INT(7) };
    struct sp_table other = dc_items;
    struct guest g;
    (void)data;
    other.name = "others";
    if (guest(&g, ctx, 0) && dc_table(&g.c.d, &other, TWO) && cr_grant(&g.c, g.role, "others", CR_ALL))
        (void)(cr_may_not(&g.c, g.s, "with privileges on another table", CR_ALL) && unchanged(&g) &&
               dc_holds(&g.c.d, g.s, "the other table", "others", TWO) &&
               dc_update(&g.c.d, g.s, "others", NULL, &f, 1, 2));
    cr_done(&g.c);
}

/* ---- columns ---------------------------------------------------------------------------------------------------- */

#define READ(...) sp_db_read(g.s, QUERY("items", __VA_ARGS__), &g.c.d.r, &g.c.d.err)

void crd_column_read(struct sp_ctx *ctx, const void *data)
{
    struct guest g;
    (void)data;
    (void)(guest(&g, ctx, 0) &&
           granted(&g,
               &(struct sp_grant){ g.role, "items", SOME("id", "category"), .privileges = SP_PRIV_SELECT },
               true) &&
           dc_read_is(&g.c.d, g.s, "the columns of the role",
               QUERY("items", .select = NAMES("id", "category"), BY_ID),
               &(const struct dc_rows){ .columns = NAMES("id", "category"),
                   .values = VALUES(V_INT(1), V_TEXT("a"), V_INT(2), V_TEXT("b")) }) &&
           cr_fails(&g.c, "reading another column", SP_E_PERMISSION, READ(.select = NAMES("value"))) &&
           cr_fails(&g.c, "reading it beside one's own", SP_E_PERMISSION,
               READ(.select = NAMES("id", "value"), BY_ID)) &&
           cr_fails(&g.c, "reading all columns", SP_E_PERMISSION, READ(BY_ID)) &&
           cr_fails(&g.c, "filtering by another column", SP_E_PERMISSION,
               READ(.select = NAMES("id"), .where = FILTER_OF(F_ON("value", EQ, V_INT(10))))) &&
           cr_fails(&g.c, "ordering by another column", SP_E_PERMISSION,
               READ(.select = NAMES("id"), SORTED(ASC("value")))) &&
           cr_may_not(&g.c, g.s, "with columns to read", SP_PRIV_INSERT | SP_PRIV_UPDATE | SP_PRIV_DELETE) &&
           unchanged(&g));
    cr_done(&g.c);
}

void crd_column_write(struct sp_ctx *ctx, const void *data)
{
    const struct sp_field key[] = { { "id", V_INT(3) }, { "category", V_TEXT("c") } },
                          all[] = { { "id", V_INT(4) }, { "category", V_TEXT("d") }, { "value", V_INT(4) } },
                          value = { "value", V_INT(7) }, category = { "category", V_TEXT("x") };
    struct guest g;
    (void)data;
    (void)(guest(&g, ctx, 0) &&
           granted(&g,
               &(struct sp_grant){ g.role, "items", SOME("id", "category"), .privileges = SP_PRIV_INSERT },
               true) &&
           granted(&g, &(struct sp_grant){ g.role, "items", SOME("value"), .privileges = SP_PRIV_UPDATE },
               true) &&
           cr_fails(&g.c, "a create with another column", SP_E_PERMISSION,
               sp_db_insert(g.s, "items", all, SP_LEN(all), &g.c.d.err)) &&
           cr_fails(&g.c, "an update of another column", SP_E_PERMISSION,
               sp_db_update(g.s, "items", NULL, &category, 1, NULL, &g.c.d.err)) &&
           cr_may_not(&g.c, g.s, "with columns to write", SP_PRIV_SELECT | SP_PRIV_DELETE) && unchanged(&g) &&
           cr_ok(&g.c, "a create of its columns", sp_db_insert(g.s, "items", key, 2, &g.c.d.err)) &&
           dc_update(&g.c.d, g.s, "items", NULL, &value, 1, 3) &&
           dc_holds(&g.c.d, g.c.d.s, "what it wrote", "items",
               ITEMS(ITEM(1, "a", V_INT(7)), ITEM(2, "b", V_INT(7)), ITEM(3, "c", V_INT(7)))));
    cr_done(&g.c);
}

void crd_column_revoke(struct sp_ctx *ctx, const void *data)
{
    struct guest g;
    (void)data;
    (void)(guest(&g, ctx, 0) &&
           granted(&g,
               &(struct sp_grant){ g.role, "items", SOME("id", "category"), .privileges = SP_PRIV_SELECT },
               true) &&
           granted(&g, &(struct sp_grant){ g.role, "items", SOME("category"), .privileges = SP_PRIV_SELECT },
               false) &&
           cr_fails(&g.c, "reading the revoked column", SP_E_PERMISSION, READ(.select = NAMES("category"))) &&
           dc_read_is(&g.c.d, g.s, "the column that is left", QUERY("items", .select = NAMES("id"), BY_ID),
               &(const struct dc_rows){ .columns = NAMES("id"), .values = VALUES(V_INT(1), V_INT(2)) }) &&
           granted(&g, &(struct sp_grant){ g.role, "items", .privileges = SP_PRIV_SELECT }, false) &&
           cr_fails(&g.c, "reading after all was revoked", SP_E_PERMISSION, READ(.select = NAMES("id"))));
    cr_done(&g.c);
}

/* ---- in bulk ---------------------------------------------------------------------------------------------------- */

static bool scans(struct guest *g, const char *what, const char *const *columns, size_t n)
{
    uint64_t rows = 0;
    return cr_ok(&g->c, what, cr_scan(&g->c, g->s, "items", columns, n, &rows)) &&
           sp_check_int(g->c.d.ctx, "rows of the scan", 2, (int64_t)rows);
}

void crd_scan(struct sp_ctx *ctx, const void *data)
{
    struct guest g;
    uint64_t rows;
    (void)data;
    const struct sp_grant others = { .table = "items", .privileges = CR_ALL & ~SP_PRIV_SELECT };
    struct sp_grant mine = others;
    if (guest(&g, ctx, 0)) {
        mine.role = g.role;
        (void)(cr_fails(&g.c, "a scan as a new role", SP_E_PERMISSION,
                   cr_scan(&g.c, g.s, "items", whole, SP_LEN(whole), &rows)) &&
               granted(&g, &mine, true) &&
               cr_fails(&g.c, "a scan with all privileges but that to read", SP_E_PERMISSION,
                   cr_scan(&g.c, g.s, "items", whole, SP_LEN(whole), &rows)) &&
               cr_grant(&g.c, g.role, "items", SP_PRIV_SELECT) &&
               scans(&g, "a scan with the privilege to read", whole, SP_LEN(whole)));
    }
    cr_done(&g.c);
}

void crd_scan_columns(struct sp_ctx *ctx, const void *data)
{
    struct guest g;
    uint64_t rows;
    (void)data;
    (void)(guest(&g, ctx, 0) &&
           granted(&g,
               &(struct sp_grant){ g.role, "items", SOME("id", "category"), .privileges = SP_PRIV_SELECT },
               true) &&
           scans(&g, "a scan of the role's columns", whole, 2) &&
           cr_fails(&g.c, "a scan of all columns", SP_E_PERMISSION,
               cr_scan(&g.c, g.s, "items", whole, SP_LEN(whole), &rows)));
    cr_done(&g.c);
}

void crd_load(struct sp_ctx *ctx, const void *data)
{
    const struct sp_value row[] = { ITEM(3, "c", V_INT(3)) };
    struct guest g;
    (void)data;
    (void)(guest(&g, ctx, SP_PRIV_SELECT | SP_PRIV_UPDATE | SP_PRIV_DELETE) &&
           cr_fails(&g.c, "a bulk load without the privilege to create", SP_E_PERMISSION,
               cr_load(&g.c, g.s, "items", whole, SP_LEN(whole), row)) &&
           unchanged(&g) && cr_grant(&g.c, g.role, "items", SP_PRIV_INSERT) &&
           cr_ok(&g.c, "a bulk load", cr_load(&g.c, g.s, "items", whole, SP_LEN(whole), row)) &&
           dc_holds(&g.c.d, g.c.d.s, "one row more", "items",
               ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "c", V_INT(3)))));
    cr_done(&g.c);
}
