/* actors.c -- people of an application see and change the rows that are theirs, and no others. */
#include "suites/auth/actors.h"

#define SEVEN         (&(const struct sp_field){ "note", V_INT(7) })
#define OWNER_IS(who) FILTER_OF(F_ON("owner", EQ, V_TEXT(who)))
#define BODY(rules, ...)                                                                                     \
    struct ac t;                                                                                             \
    (void)data;                                                                                              \
    (void)(ac_start(&t, ctx, (rules)) && __VA_ARGS__);                                                       \
    ac_done(&t)

void act_own(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned, ac_act(&t, t.s, &t.ann) && AC_SEES(&t, t.s, "ann's rows", 1, 3) &&
                        dc_update(&t.c.d, t.s, "notes", NULL, SEVEN, 1, 2) &&
                        dc_delete(&t.c.d, t.s, "notes", ID_IS(3), 1) &&
                        ac_ok(&t, "a create of one's own row", ac_insert(&t, t.s, 4, AC_ANN)) &&
                        dc_count_is(&t.c.d, t.s, "notes", NULL, 2) &&
                        dc_count_is(&t.c.d, t.own, "notes", FILTER_OF(F_ON("note", EQ, V_INT(7))), 1) &&
                        dc_count_is(&t.c.d, t.own, "notes", NULL, 3));
}

/* A number tells of a row as well as the row itself. */
void act_count(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned, ac_act(&t, t.s, &t.ben) && dc_count_is(&t.c.d, t.s, "notes", NULL, 1) &&
                        dc_count_is(&t.c.d, t.s, "notes", OWNER_IS(AC_ANN), 0) &&
                        dc_count_is(&t.c.d, t.s, "notes", ID_IS(3), 0) &&
                        dc_count_is(&t.c.d, t.s, "notes", FILTER_OF(F_ON("note", GT, V_INT(10))), 1) &&
                        dc_count_is(&t.c.d, t.own, "notes", NULL, 3));
}

void act_pages(struct sp_ctx *ctx, const void *data)
{
    const struct sp_query second = {
        .table = "notes", .select = NAMES("id"), SORTED(DESC("id")), .offset = 1, .limit = 5
    };
    const struct dc_rows one = { .columns = NAMES("id"), .values = VALUES(V_INT(1)) };
    BODY(&ac_owned, ac_act(&t, t.s, &t.ann) &&
                        dc_read_is(&t.c.d, t.s, "the second of ann's rows, backwards", &second, &one));
}

/* ---- what is refused ------------------------------------------------------------------------------------------------ */

void act_insert_other(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned,
        ac_act(&t, t.s, &t.ann) &&
            ac_fails(&t, "creating a row of somebody else", SP_E_PERMISSION, ac_insert(&t, t.s, 4, AC_BEN)) &&
            ac_all_there(&t));
}

void act_give_away(struct sp_ctx *ctx, const void *data)
{
    const struct sp_field bens = { "owner", V_TEXT(AC_BEN) };
    BODY(&ac_owned, ac_act(&t, t.s, &t.ann) &&
                        ac_fails(&t, "giving one's row to somebody else", SP_E_PERMISSION,
                            sp_db_update(t.s, "notes", ID_IS(1), &bens, 1, NULL, &t.c.d.err)) &&
                        ac_fails(&t, "giving all of them", SP_E_PERMISSION,
                            sp_db_update(t.s, "notes", NULL, &bens, 1, NULL, &t.c.d.err)) &&
                        ac_all_there(&t));
}

/* One row that is not theirs, and none of the others is written. */
void act_batch(struct sp_ctx *ctx, const void *data)
{
    static const char *const names[] = { "id", "owner", "note" };
    static const struct sp_value rows[] = { V_INT(4), V_TEXT(AC_ANN), V_INT(40), V_INT(5), V_TEXT(AC_BEN),
        V_INT(50), V_INT(6), V_TEXT(AC_ANN), V_INT(60) };
    BODY(&ac_owned, ac_act(&t, t.s, &t.ann) &&
                        ac_fails(&t, "creating rows, one of them of somebody else", SP_E_PERMISSION,
                            sp_db_insert_many(t.s, "notes", names, 3, rows, 3, NULL, &t.c.d.err)) &&
                        ac_all_there(&t));
}

static int upsert(struct ac *t, int64_t id, const char *owner)
{
    static const char *const names[] = { "id", "owner", "note" }, *const key[] = { "id" };
    const struct sp_value v[] = { sp_v_int(id), sp_v_text(owner), V_INT(7) };
    const struct sp_op op = { .kind = SP_OP_UPSERT,
        .query = { .table = "notes", .limit = SP_NO_LIMIT },
        .fields = names,
        .nfields = 3,
        .values = v,
        .nrows = 1,
        .key = key,
        .nkey = 1 };
    return sp_db_exec(t->s, &op, NULL, &t->c.d.err);
}

void act_upsert_hidden(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned,
        ac_act(&t, t.s, &t.ann) &&
            ac_fails(&t, "an upsert over a hidden row", SP_E_PERMISSION, upsert(&t, 2, AC_ANN)) &&
            ac_fails(&t, "an upsert that names its owner", SP_E_PERMISSION, upsert(&t, 2, AC_BEN)) &&
            ac_all_there(&t) && ac_ok(&t, "an upsert over one's own row", upsert(&t, 1, AC_ANN)) &&
            dc_count_is(&t.c.d, t.own, "notes", FILTER_OF(F_ON("note", EQ, V_INT(7))), 1));
}

/* A key that somebody else's row has cannot be had twice; that it is taken shows. */
void act_insert_taken(struct sp_ctx *ctx, const void *data)
{
    struct ac t;
    (void)data;
    if (ac_start(&t, ctx, &ac_owned) && ac_act(&t, t.s, &t.ann)) {
        int rc = ac_insert(&t, t.s, 2, AC_ANN);
        enum sp_code code = t.c.d.err.code;
        sp_error_clear(&t.c.d.err);
        if (sp_check(ctx, rc == -SP_E_UNIQUE || rc == -SP_E_PERMISSION,
                "a create with the key of a hidden row is refused") &&
            ac_all_there(&t))
            sp_ctx_observe(ctx, "row security: the key of a hidden row", "a create with it is refused as %s",
                sp_code_name(code));
    }
    ac_done(&t);
}

/* ---- what is hidden is not there --------------------------------------------------------------------------------- */

void act_hidden_silent(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned, ac_act(&t, t.s, &t.ann) && dc_update(&t.c.d, t.s, "notes", ID_IS(2), SEVEN, 1, 0) &&
                        dc_delete(&t.c.d, t.s, "notes", ID_IS(2), 0) && ac_all_there(&t));
}

void act_hidden_filter(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows none = { .columns = NAMES("id") };
    BODY(&ac_owned, ac_act(&t, t.s, &t.ann) &&
                        dc_read_is(&t.c.d, t.s, "a hidden row by its key",
                            QUERY("notes", .select = NAMES("id"), .where = ID_IS(2)), &none) &&
                        dc_read_is(&t.c.d, t.s, "hidden rows by their owner",
                            QUERY("notes", .select = NAMES("id"), .where = OWNER_IS(AC_BEN)), &none) &&
                        dc_update(&t.c.d, t.s, "notes", OWNER_IS(AC_BEN), SEVEN, 1, 0) &&
                        dc_delete(&t.c.d, t.s, "notes", OWNER_IS(AC_BEN), 0) && ac_all_there(&t));
}

void act_returning(struct sp_ctx *ctx, const void *data)
{
    static const char *const names[] = { "note" };
    static const struct sp_value seven[] = { V_INT(7) };
    const struct dc_rows own = { .columns = NAMES("owner"), .values = VALUES(V_TEXT(AC_BEN)) };
    const struct sp_op update = { .kind = SP_OP_UPDATE,
        .query = { .table = "notes", .select = NAMES("owner"), .limit = SP_NO_LIMIT },
        .fields = names,
        .nfields = 1,
        .values = seven,
        .nrows = 1,
        .returning = true },
                       delete = { .kind = SP_OP_DELETE,
                           .query = { .table = "notes", .select = NAMES("owner"), .limit = SP_NO_LIMIT },
                           .returning = true };
    BODY(&ac_owned,
        ac_act(&t, t.s, &t.ben) &&
            ac_ok(&t, "an update that gives the rows", sp_db_exec(t.s, &update, &t.c.d.r, &t.c.d.err)) &&
            dc_result_is(&t.c.d, "updated rows", &own) &&
            ac_ok(&t, "a delete that gives the rows", sp_db_exec(t.s, &delete, &t.c.d.r, &t.c.d.err)) &&
            dc_result_is(&t.c.d, "deleted rows", &own) && AC_SEES(&t, t.own, "what is left", 1, 3));
}

/* ---- who asks ---------------------------------------------------------------------------------------------------- */

void act_anonymous(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned, ac_act(&t, t.s, &t.anon) && ac_sees_none(&t, t.s, "rows of nobody") &&
                        ac_fails(&t, "a create by nobody", SP_E_PERMISSION, ac_insert(&t, t.s, 4, AC_ANN)) &&
                        dc_update(&t.c.d, t.s, "notes", NULL, SEVEN, 1, 0) &&
                        dc_delete(&t.c.d, t.s, "notes", NULL, 0) && ac_all_there(&t));
}

/* After it spoke for others a session is what it was: one that sees all, or a user who may do nothing. */
static bool as_before(struct ac *t)
{
    if (t->login == NULL)
        return AC_SEES(t, t->s, "all rows, as oneself", 1, 2, 3);
    return ac_fails(t, "reading as a user without a privilege", SP_E_PERMISSION,
        sp_db_read(t->s, QUERY("notes", BY_ID), &t->c.d.r, &t->c.d.err));
}

void act_service(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned, ac_all_there(&t) && as_before(&t) && ac_act(&t, t.s, &t.ann) &&
                        AC_SEES(&t, t.s, "ann's rows", 1, 3) && ac_act(&t, t.s, NULL) && as_before(&t) &&
                        ac_ok(&t, "a create for somebody", ac_insert(&t, t.own, 4, AC_BEN)) &&
                        dc_delete(&t.c.d, t.own, "notes", ID_IS(4), 1) && ac_all_there(&t));
}

void act_closed(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_closed,
        ac_act(&t, t.s, &t.ann) && ac_sees_none(&t, t.s, "rows without a rule") &&
            ac_fails(&t, "a create without a rule", SP_E_PERMISSION, ac_insert(&t, t.s, 4, AC_ANN)) &&
            dc_update(&t.c.d, t.s, "notes", NULL, SEVEN, 1, 0) && dc_delete(&t.c.d, t.s, "notes", NULL, 0) &&
            ac_act(&t, t.s, &t.anon) && ac_sees_none(&t, t.s, "rows of nobody") && ac_all_there(&t));
}

void act_lifted(struct sp_ctx *ctx, const void *data)
{
    BODY(NULL, ac_act(&t, t.s, &t.ann) && AC_SEES(&t, t.s, "all rows, without rules", 1, 2, 3) &&
                   ac_ok(&t, "rules again", sp_db_row_rules(t.own, "notes", &ac_owned, &t.c.d.err)) &&
                   AC_SEES(&t, t.s, "ann's rows", 1, 3));
}

void act_switch(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned, ac_act(&t, t.s, &t.ann) && AC_SEES(&t, t.s, "ann's rows", 1, 3) &&
                        ac_act(&t, t.s, &t.ben) && AC_SEES(&t, t.s, "ben's row", 2) &&
                        ac_act(&t, t.s, &t.anon) && ac_sees_none(&t, t.s, "rows of nobody") &&
                        ac_act(&t, t.s, &t.ann) && AC_SEES(&t, t.s, "ann's rows again", 1, 3));
}

void act_apart(struct sp_ctx *ctx, const void *data)
{
    struct ac t;
    (void)data;
    struct sp_session *other = ac_start(&t, ctx, &ac_owned) ? ac_another(&t) : NULL;
    (void)(other != NULL && ac_act(&t, t.s, &t.ann) && ac_act(&t, other, &t.ben) &&
           AC_SEES(&t, t.s, "ann's rows", 1, 3) && AC_SEES(&t, other, "ben's row", 2) &&
           ac_fails(&t, "ben takes ann's name", SP_E_PERMISSION, ac_insert(&t, other, 4, AC_ANN)) &&
           AC_SEES(&t, t.s, "ann's rows again", 1, 3) && ac_all_there(&t));
    ac_done(&t);
}

void act_prepared(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_op all = { .kind = SP_OP_COUNT,
        .query = { .table = "notes", .limit = SP_NO_LIMIT } };
    struct sp_prepared *p = NULL;
    struct ac t;
    (void)data;
    if (ac_start(&t, ctx, &ac_owned) && ac_act(&t, t.s, &t.ann) &&
        ac_ok(&t, "preparing a count", sp_db_prepare(t.s, &all, &p, &t.c.d.err)) &&
        ac_ok(&t, "counting", sp_db_execute(t.s, p, NULL, 0, &t.c.d.r, &t.c.d.err)) &&
        sp_check_int(ctx, "ann's rows", 2, t.c.d.r.affected) && ac_act(&t, t.s, &t.ben) &&
        ac_ok(&t, "counting", sp_db_execute(t.s, p, NULL, 0, &t.c.d.r, &t.c.d.err)))
        (void)sp_check_int(ctx, "ben's rows, by what ann prepared", 1, t.c.d.r.affected);
    sp_db_finalize(t.s, p);
    ac_done(&t);
}

/* A role that does not exist, or is none of theirs, is not taken for another one. */
void act_role_unknown(struct sp_ctx *ctx, const void *data)
{
    struct sp_actor nobody = { .role = "sp_no_such_role", .user = AC_ANN };
    struct ac t;
    int64_t n = 0;
    (void)data;
    if (ac_start(&t, ctx, &ac_owned)) {
        int rc = sp_db_act_for(t.s, &nobody, &t.c.d.err);
        if (rc == 0)
            rc = sp_db_count(t.s, "notes", NULL, &n, &t.c.d.err);
        bool refused = rc == -SP_E_NOT_FOUND || rc == -SP_E_PERMISSION || rc == -SP_E_AUTHENTICATION;
        (void)sp_check_at(ctx, __FILE__, __LINE__, refused, "a role that does not exist",
            "not_found, permission or authentication", rc == 0 ? "accepted" : sp_code_name(t.c.d.err.code));
        sp_error_clear(&t.c.d.err);
    }
    ac_done(&t);
}

/* ---- passes over all rows ------------------------------------------------------------------------------------------ */

static const char *const note_names[] = { "id", "owner", "note" };

void act_scan(struct sp_ctx *ctx, const void *data)
{
    struct ac t;
    uint64_t n;
    (void)data;
    (void)(ac_start(&t, ctx, &ac_owned) && ac_act(&t, t.s, &t.ann) && AC_SEES(&t, t.s, "ann's rows", 1, 3) &&
           ac_fails(&t, "a scan where rows are hidden", SP_E_PERMISSION,
               cr_scan(&t.c, t.s, "notes", note_names, 3, &n)));
    ac_done(&t);
}

void act_load(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_value row[] = { V_INT(4), V_TEXT(AC_ANN), V_INT(40) };
    struct ac t;
    (void)data;
    (void)(ac_start(&t, ctx, &ac_owned) && ac_act(&t, t.s, &t.ann) &&
           ac_fails(&t, "a bulk load where rows are hidden", SP_E_PERMISSION,
               cr_load(&t.c, t.s, "notes", note_names, 3, row)) &&
           ac_all_there(&t));
    ac_done(&t);
}

/* Who a transaction speaks for is settled when it begins. */
void act_in_txn(struct sp_ctx *ctx, const void *data)
{
    BODY(&ac_owned, ac_act(&t, t.s, &t.ann) && dc_begin(&t.c.d, t.s, SP_ISO_DEFAULT) &&
                        ac_fails(&t, "another one in a transaction", SP_E_INVALID,
                            sp_db_act_for(t.s, &t.ben, &t.c.d.err)) &&
                        AC_SEES(&t, t.s, "ann's rows", 1, 3) && dc_delete(&t.c.d, t.s, "notes", NULL, 2) &&
                        dc_rollback(&t.c.d, t.s) && AC_SEES(&t, t.s, "ann's rows again", 1, 3) &&
                        ac_all_there(&t));
}
