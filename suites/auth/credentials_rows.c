/* credentials_rows.c -- acting as another role, and rows that belong to a role. */
#include "suites/auth/credentials.h"

#define TWO ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL))

/* ---- acting ----------------------------------------------------------------------------------------------------- */

/* ann reads items; the team creates and updates. Both know items only. */
struct pair {
    struct cr c;
    const char *ann, *team;
    struct sp_session *s; /* ann's */
};

static bool pair(struct pair *p, struct sp_ctx *ctx)
{
    p->s = NULL;
    p->ann = cr_start(&p->c, ctx) && dc_table(&p->c.d, &dc_items, TWO) ? cr_role(&p->c, "ann") : NULL;
    p->team = p->ann != NULL ? cr_role(&p->c, "team") : NULL;
    if (p->team == NULL || !cr_grant(&p->c, p->ann, "items", SP_PRIV_SELECT) ||
        !cr_grant(&p->c, p->team, "items", SP_PRIV_INSERT | SP_PRIV_UPDATE))
        return false;
    p->s = cr_sign_in(&p->c, "opening as the role", p->ann, CR_PASSWORD);
    return p->s != NULL;
}

static bool joins(struct pair *p)
{
    return cr_ok(&p->c, "joining the team", sp_db_role_join(p->c.d.s, p->team, p->ann, &p->c.d.err));
}

static bool acts(struct cr *c, struct sp_session *s, const char *role)
{
    return cr_ok(c, role == NULL ? "back to one's own role" : "acting as another role",
        sp_db_role_act(s, role, &c->d.err));
}

void crd_act(struct sp_ctx *ctx, const void *data)
{
    struct pair p;
    (void)data;
    (void)(pair(&p, ctx) && joins(&p) && acts(&p.c, p.s, p.team) &&
           cr_may_not(&p.c, p.s, "as the team", SP_PRIV_SELECT | SP_PRIV_DELETE) &&
           cr_ok(&p.c, "a create as the team", cr_try(&p.c, p.s, SP_PRIV_INSERT)) && acts(&p.c, p.s, NULL) &&
           cr_may_not(&p.c, p.s, "as oneself again", SP_PRIV_INSERT | SP_PRIV_UPDATE | SP_PRIV_DELETE) &&
           dc_holds(&p.c.d, p.s, "read as oneself again", "items",
               ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "c", V_INT(3)))));
    cr_done(&p.c);
}

void crd_act_stranger(struct sp_ctx *ctx, const void *data)
{
    struct pair p;
    (void)data;
    (void)(pair(&p, ctx) &&
           cr_fails(&p.c, "acting as a role of others", SP_E_PERMISSION,
               sp_db_role_act(p.s, p.team, &p.c.d.err)) &&
           cr_may_not(&p.c, p.s, "as a stranger", SP_PRIV_INSERT | SP_PRIV_UPDATE) &&
           dc_holds(&p.c.d, p.s, "its own privilege is left", "items", TWO));
    cr_done(&p.c);
}

void crd_member(struct sp_ctx *ctx, const void *data)
{
    struct pair p;
    (void)data;
    (void)(pair(&p, ctx) && joins(&p) &&
           cr_may_not(&p.c, p.s, "as a member", SP_PRIV_INSERT | SP_PRIV_UPDATE | SP_PRIV_DELETE) &&
           dc_holds(&p.c.d, p.s, "its own privilege is left", "items", TWO));
    cr_done(&p.c);
}

/* ---- rows ------------------------------------------------------------------------------------------------------- */

static const struct sp_column note_columns[] = { COL_ID, COL("owner", TEXT, .not_null = true),
    COL("note", INT) };
static const struct sp_table notes = TABLE("notes", note_columns);
static const char *const note_names[] = { "id", "owner", "note" };

/* Rows 1 and 3 are ann's, row 2 is ben's. */
struct rows {
    struct cr c;
    const char *ann, *ben;
    struct sp_session *s; /* ann's */
    struct sp_value v[9];
};

static struct dc_rows some(const struct sp_value *v, size_t nrows)
{
    return (struct dc_rows){ .columns = note_names, .ncolumns = 3, .values = v, .nvalues = 3 * nrows };
}

static bool rows(struct rows *r, struct sp_ctx *ctx)
{
    r->s = NULL;
    r->ann = cr_start(&r->c, ctx) ? cr_role(&r->c, "ann") : NULL;
    r->ben = r->ann != NULL ? cr_role(&r->c, "ben") : NULL;
    if (r->ben == NULL)
        return false;
    for (size_t i = 0; i < 3; i++) {
        r->v[3 * i] = sp_v_int((int64_t)i + 1);
        r->v[3 * i + 1] = sp_v_text(i == 1 ? r->ben : r->ann);
        r->v[3 * i + 2] = sp_v_int(10 * ((int64_t)i + 1));
    }
    const struct dc_rows all = some(r->v, 3);
    if (!dc_table(&r->c.d, &notes, &all) || !cr_grant(&r->c, r->ann, "notes", CR_ALL) ||
        !cr_grant(&r->c, r->ben, "notes", CR_ALL) ||
        !cr_ok(&r->c, "row security", sp_db_row_security(r->c.d.s, "notes", "owner", &r->c.d.err)))
        return false;
    r->s = cr_sign_in(&r->c, "opening as the role", r->ann, CR_PASSWORD);
    return r->s != NULL;
}

static bool holds(struct rows *r, struct sp_session *s, const char *what, const struct sp_value *v, size_t n)
{
    const struct dc_rows want = some(v, n);
    return dc_holds(&r->c.d, s, what, "notes", &want);
}

static bool all_there(struct rows *r)
{
    return holds(r, r->c.d.s, "the rows as they were", r->v, 3);
}

static bool own_only(struct rows *r, struct sp_session *s)
{
    const struct sp_value own[] = { r->v[0], r->v[1], r->v[2], r->v[6], r->v[7], r->v[8] };
    return holds(r, s, "the role's own rows", own, 2);
}

void crd_rows_own(struct sp_ctx *ctx, const void *data)
{
    const struct sp_field f = { "note", V_INT(7) };
    struct rows r;
    (void)data;
    if (rows(&r, ctx) && own_only(&r, r.s) && dc_delete(&r.c.d, r.s, "notes", ID_IS(2), 0) && all_there(&r) &&
        dc_update(&r.c.d, r.s, "notes", NULL, &f, 1, 2)) {
        r.v[2] = r.v[8] = sp_v_int(7);
        (void)(all_there(&r) && dc_delete(&r.c.d, r.s, "notes", NULL, 2) &&
               holds(&r, r.c.d.s, "what is left", r.v + 3, 1));
    }
    cr_done(&r.c);
}

void crd_rows_others(struct sp_ctx *ctx, const void *data)
{
    struct rows r;
    (void)data;
    if (rows(&r, ctx)) {
        const struct sp_field mine[] = { { "id", V_INT(4) }, { "owner", sp_v_text(r.ann) },
            { "note", V_INT(40) } },
                              his[] = { { "id", V_INT(5) }, { "owner", sp_v_text(r.ben) },
                                  { "note", V_INT(50) } };
        (void)(cr_fails(&r.c, "creating a row of another one", SP_E_PERMISSION,
                   sp_db_insert(r.s, "notes", his, 3, &r.c.d.err)) &&
               cr_fails(&r.c, "giving one's row to another one", SP_E_PERMISSION,
                   sp_db_update(r.s, "notes", ID_IS(1), his + 1, 1, NULL, &r.c.d.err)) &&
               all_there(&r) &&
               cr_ok(&r.c, "creating one's own row", sp_db_insert(r.s, "notes", mine, 3, &r.c.d.err)) &&
               dc_count_is(&r.c.d, r.c.d.s, "notes", NULL, 4));
    }
    cr_done(&r.c);
}

/* Counts from the next sign-in on. */
static struct sp_session *bypassing(struct rows *r, enum sp_change how)
{
    const struct sp_role_change change = { .bypass = how };
    return cr_change(&r->c, how == SP_ON ? "letting the role bypass it" : "and no longer", r->ann, &change)
               ? cr_sign_in(&r->c, "opening as the role", r->ann, CR_PASSWORD)
               : NULL;
}

void crd_rows_bypass(struct sp_ctx *ctx, const void *data)
{
    struct rows r;
    uint64_t n = 0;
    (void)data;
    if (rows(&r, ctx) && own_only(&r, r.s)) {
        struct sp_session *s = bypassing(&r, SP_ON);
        bool ok = s != NULL && holds(&r, s, "all rows", r.v, 3) &&
                  cr_ok(&r.c, "a scan", cr_scan(&r.c, s, "notes", note_names, 3, &n)) &&
                  sp_check_int(ctx, "rows of the scan", 3, (int64_t)n);
        s = ok ? bypassing(&r, SP_OFF) : NULL;
        (void)(s != NULL && own_only(&r, s));
    }
    cr_done(&r.c);
}

void crd_rows_lifted(struct sp_ctx *ctx, const void *data)
{
    struct rows r;
    uint64_t n = 0;
    (void)data;
    (void)(rows(&r, ctx) && own_only(&r, r.s) &&
           cr_ok(&r.c, "row security off", sp_db_row_security(r.c.d.s, "notes", NULL, &r.c.d.err)) &&
           holds(&r, r.s, "all rows", r.v, 3) &&
           cr_ok(&r.c, "a scan", cr_scan(&r.c, r.s, "notes", note_names, 3, &n)) &&
           sp_check_int(ctx, "rows of the scan", 3, (int64_t)n));
    cr_done(&r.c);
}

/* A pass that leaves rows out would make a difference, or hide one. */
void crd_rows_scan(struct sp_ctx *ctx, const void *data)
{
    struct rows r;
    uint64_t n;
    (void)data;
    if (rows(&r, ctx)) {
        const struct sp_value row[] = { V_INT(4), sp_v_text(r.ann), V_INT(40) };
        (void)(own_only(&r, r.s) &&
               cr_fails(&r.c, "a scan where rows are hidden", SP_E_PERMISSION,
                   cr_scan(&r.c, r.s, "notes", note_names, 3, &n)) &&
               cr_fails(&r.c, "a bulk load where rows are hidden", SP_E_PERMISSION,
                   cr_load(&r.c, r.s, "notes", note_names, 3, row)) &&
               all_there(&r));
    }
    cr_done(&r.c);
}

/* Who only looks must not take a part for the whole. */
void crd_rows_read_only(struct sp_ctx *ctx, const void *data)
{
    struct rows r;
    int64_t n;
    (void)data;
    if (rows(&r, ctx) && own_only(&r, r.s)) {
        struct sp_session *s =
            cr_sign_in_as(&r.c, "opening for reading", r.ann, CR_PASSWORD, SP_ACCESS_READ_ONLY);
        (void)(s != NULL &&
               cr_fails(&r.c, "counting where rows are hidden", SP_E_PERMISSION,
                   sp_db_count(s, "notes", NULL, &n, &r.c.d.err)) &&
               cr_fails(&r.c, "reading where rows are hidden", SP_E_PERMISSION,
                   sp_db_read(s, QUERY("notes", BY_ID), &r.c.d.r, &r.c.d.err)));
    }
    cr_done(&r.c);
}

/* Whose rows they are goes by the role one acts as. */
void crd_act_rows(struct sp_ctx *ctx, const void *data)
{
    struct rows r;
    (void)data;
    (void)(rows(&r, ctx) &&
           cr_ok(&r.c, "becoming a member", sp_db_role_join(r.c.d.s, r.ben, r.ann, &r.c.d.err)) &&
           acts(&r.c, r.s, r.ben) && holds(&r, r.s, "the rows of the role it acts as", r.v + 3, 1) &&
           acts(&r.c, r.s, NULL) && own_only(&r, r.s));
    cr_done(&r.c);
}
