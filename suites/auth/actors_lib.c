/* actors_lib.c -- the helpers of the cases about people of an application. */
#include "suites/auth/actors.h"

const struct sp_row_rules ac_owned = { .owner = "owner" }, ac_closed = { .owner = NULL };

static const struct sp_column note_columns[] = { COL_ID, COL("owner", TEXT, .not_null = true),
    COL("note", INT) };
const struct sp_table ac_notes = TABLE("notes", note_columns);

bool ac_ok(struct ac *t, const char *what, int rc)
{
    return cr_ok(&t->c, what, rc);
}

bool ac_fails(struct ac *t, const char *what, enum sp_code want, int rc)
{
    return cr_fails(&t->c, what, want, rc);
}

bool ac_act(struct ac *t, struct sp_session *s, const struct sp_actor *a)
{
    return ac_ok(t, a == NULL ? "speaking for oneself again" : "speaking for somebody",
        sp_db_act_for(s, a, &t->c.d.err));
}

struct sp_session *ac_another(struct ac *t)
{
    static const unsigned first = 2;
    return t->login != NULL ? cr_sign_in(&t->c, "opening as the user", t->login, CR_PASSWORD)
                            : sp_ctx_session(t->c.d.ctx, first + (unsigned)t->c.nroles);
}

/* A role for the anonymous, one for who is signed in, and a user who may become both. */
static bool roles(struct ac *t)
{
    const char *user, *anon;
    struct sp_error *err = &t->c.d.err;
    if ((anon = cr_role(&t->c, "anon")) == NULL || (user = cr_role(&t->c, "user")) == NULL ||
        (t->login = cr_role(&t->c, "login")) == NULL)
        return false;
    t->anon.role = anon;
    t->ann.role = t->ben.role = user;
    return ac_ok(t, "membership", sp_db_role_join(t->own, anon, t->login, err)) &&
           ac_ok(t, "membership", sp_db_role_join(t->own, user, t->login, err));
}

bool ac_people(struct ac *t, struct sp_ctx *ctx)
{
    *t = (struct ac){ .ann = { .user = AC_ANN }, .ben = { .user = AC_BEN } };
    if (!cr_start(&t->c, ctx))
        return false;
    t->own = t->c.d.s;
    if (sp_ctx_cap(ctx, SP_CAP_ROLES)->level == SP_CAP_YES && !roles(t))
        return false;
    t->s = t->login != NULL ? ac_another(t) : sp_ctx_session(ctx, 1);
    if (t->s == NULL)
        return false;
    int rc = t->login != NULL ? 0 : sp_db_act_for(t->s, &t->anon, &t->c.d.err);
    if (rc == -SP_E_NOT_FOUND || rc == -SP_E_PERMISSION) {
        sp_ctx_skip(ctx, "this session may become neither role: %s", sp_error_text(&t->c.d.err));
        return false;
    }
    return t->login != NULL || (ac_ok(t, "speaking for nobody", rc) && ac_act(t, t->s, NULL));
}

static bool grants(struct ac *t)
{
    return t->login == NULL ||
           (cr_grant(&t->c, t->anon.role, "notes", CR_ALL) && cr_grant(&t->c, t->ann.role, "notes", CR_ALL));
}

bool ac_start(struct ac *t, struct sp_ctx *ctx, const struct sp_row_rules *rules)
{
    const struct dc_rows rows = { .columns = NAMES("id", "owner", "note"),
        .values = VALUES(V_INT(1), V_TEXT(AC_ANN), V_INT(10), V_INT(2), V_TEXT(AC_BEN), V_INT(20), V_INT(3),
            V_TEXT(AC_ANN), V_INT(30)) };
    if (!ac_people(t, ctx) || !dc_table(&t->c.d, &ac_notes, &rows) || !grants(t) ||
        !ac_ok(t, "rules for rows", sp_db_row_rules(t->own, "notes", &ac_owned, &t->c.d.err)))
        return false;
    return rules == &ac_owned || ac_ok(t, rules != NULL ? "rules for rows" : "no rules for rows",
                                     sp_db_row_rules(t->own, "notes", rules, &t->c.d.err));
}

void ac_done(struct ac *t)
{
    if (t->s != NULL)
        dc_ended(&t->c.d, t->s); /* closing it rolls back */
    cr_done(&t->c);
}

bool ac_sees(struct ac *t, struct sp_session *s, const char *what, const int64_t *ids, size_t n)
{
    static const char *const names[] = { "id", "owner", "note" };
    struct sp_value v[12];
    for (size_t i = 0; i < n; i++) {
        v[3 * i] = sp_v_int(ids[i]);
        v[3 * i + 1] = sp_v_text(ids[i] == 2 ? AC_BEN : AC_ANN);
        v[3 * i + 2] = sp_v_int(10 * ids[i]);
    }
    const struct dc_rows want = { .columns = names, .ncolumns = 3, .values = v, .nvalues = 3 * n };
    return dc_holds(&t->c.d, s, what, "notes", &want);
}

bool ac_sees_none(struct ac *t, struct sp_session *s, const char *what)
{
    return ac_sees(t, s, what, NULL, 0);
}

bool ac_all_there(struct ac *t)
{
    return AC_SEES(t, t->own, "the rows as they were", 1, 2, 3);
}

int ac_insert(struct ac *t, struct sp_session *s, int64_t id, const char *owner)
{
    const struct sp_field f[] = { { "id", sp_v_int(id) }, { "owner", sp_v_text(owner) },
        { "note", sp_v_int(10 * id) } };
    return sp_db_insert(s, "notes", f, SP_LEN(f), &t->c.d.err);
}
