/* cascades.c -- what follows from a change of a parent through several tables and rows, and what is only checked at the
 * commit. */
#include "suites/crud/crud.h"

static const struct sp_fk cascade = { .on_delete = SP_FK_CASCADE },
                          deferred = { .deferrable = true, .initially_deferred = true };

/* ---- through several rows of one table ------------------------------------------------------------------------------- */

void crc_fk_cascade_self(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && crud_child_table(&d, "tree", "tree", &cascade) &&
        dc_create(&d, d.s, "tree",
            CHILDREN(V_INT(1), V_NULL, V_INT(2), V_INT(1), V_INT(3), V_INT(2), V_INT(4), V_INT(3), V_INT(5),
                V_INT(1), V_INT(6), V_INT(5))) &&
        dc_delete(&d, d.s, "tree", ID_IS(2), 1) &&
        dc_holds(&d, d.s, "the other branch", "tree",
            CHILDREN(V_INT(1), V_NULL, V_INT(5), V_INT(1), V_INT(6), V_INT(5))) &&
        dc_delete(&d, d.s, "tree", ID_IS(1), 1))
        (void)dc_holds(&d, d.s, "nothing without its root", "tree", CHILDREN0);
    dc_done(&d);
}

void crc_fk_cascade_ring(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && crud_child_table(&d, "ring", "ring", &cascade) &&
        dc_create(&d, d.s, "ring",
            CHILDREN(V_INT(1), V_NULL, V_INT(2), V_INT(1), V_INT(3), V_INT(2), V_INT(9), V_NULL)) &&
        dc_ok(&d, "closing the ring", dc_set(&d, d.s, "ring", 1, "parent", sp_v_int(3), NULL)) &&
        dc_delete(&d, d.s, "ring", ID_IS(2), 1))
        (void)dc_holds(&d, d.s, "what is not in the ring", "ring", CHILDREN(V_INT(9), V_NULL));
    dc_done(&d);
}

void crc_fk_cascade_chain(struct sp_ctx *ctx, const void *data)
{
    enum { LINKS = 200 };
    struct sp_value v[LINKS * 2];
    struct dc d;
    (void)data;
    for (int64_t i = 0; i < LINKS; i++) {
        v[2 * i] = sp_v_int(i);
        v[2 * i + 1] = i == 0 ? sp_v_null() : sp_v_int(i - 1);
    }
    const struct dc_rows all = { .columns = NAMES("id", "parent"), .values = v, .nvalues = SP_LEN(v) },
                         head = { .columns = NAMES("id", "parent"), .values = v, .nvalues = 100 };
    if (dc_open(&d, ctx) && crud_child_table(&d, "chain", "chain", &cascade) &&
        dc_create(&d, d.s, "chain", &all) && dc_delete(&d, d.s, "chain", ID_IS(50), 1))
        (void)dc_holds(&d, d.s, "the links before the one that went", "chain", &head);
    dc_done(&d);
}

/* ---- through several tables -------------------------------------------------------------------------------------------- */

/* What restrict keeps stops the cascade above it, which then has done nothing. */
void crc_fk_cascade_stopped(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows *const kept = CHILDREN(V_INT(20), V_INT(11));
    struct dc d;
    (void)data;
    if (crud_family(&d, ctx, &cascade) &&
        crud_child_table(&d, "grandchildren", "children", &(struct sp_fk){ .on_delete = SP_FK_RESTRICT }) &&
        dc_create(&d, d.s, "grandchildren", kept) &&
        dc_refused(&d, "delete of a parent whose grandchild restricts", SP_E_FOREIGN_KEY,
            sp_db_delete(d.s, "parents", ID_IS(1), NULL, &d.err)) &&
        crud_unchanged(&d) && dc_holds(&d, d.s, "the grandchildren", "grandchildren", kept) &&
        dc_delete(&d, d.s, "grandchildren", NULL, 1) && dc_delete(&d, d.s, "parents", ID_IS(1), 1))
        (void)dc_holds(
            &d, d.s, "the children of others", "children", CHILDREN(V_INT(12), V_INT(2), V_INT(13), V_NULL));
    dc_done(&d);
}

/* Two ways lead from a parent to a row: one deletes it, the other one would empty a reference of it. */
void crc_fk_cascade_two_ways(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("child", INT), COL("parent", INT) };
    const struct sp_fk fks[] = { { .name = "by_child",
                                     .columns = NAMES("child"),
                                     .ref_table = "children",
                                     .ref_columns = (const char *const[]){ "id" },
                                     .on_delete = SP_FK_CASCADE },
        { .name = "by_parent",
            .columns = NAMES("parent"),
            .ref_table = "parents",
            .ref_columns = (const char *const[]){ "id" },
            .on_delete = SP_FK_SET_NULL } };
    const struct sp_table t = TABLE("both", columns, .fks = fks, .nfks = 2);
    const struct dc_rows rows = { .columns = NAMES("id", "child", "parent"),
        .values = VALUES(V_INT(1), V_INT(10), V_INT(1), V_INT(2), V_INT(12), V_INT(1), V_INT(3), V_INT(12),
            V_INT(2), V_INT(4), V_INT(11), V_INT(2)) };
    const struct dc_rows left = { .columns = NAMES("id", "child", "parent"),
        .values = VALUES(V_INT(2), V_INT(12), V_NULL, V_INT(3), V_INT(12), V_INT(2)) };
    struct dc d;
    (void)data;
    if (crud_family(&d, ctx, &cascade) && dc_table(&d, &t, &rows) &&
        dc_delete(&d, d.s, "parents", ID_IS(1), 1) &&
        dc_holds(
            &d, d.s, "the children of others", "children", CHILDREN(V_INT(12), V_INT(2), V_INT(13), V_NULL)))
        (void)dc_holds(&d, d.s, "what neither way reached, or one emptied", "both", &left);
    dc_done(&d);
}

static bool child_with(struct dc *d, const struct sp_column *parent, enum sp_fk_action action)
{
    const struct sp_column columns[] = { COL_ID, *parent };
    const struct sp_fk fk = { .name = "belongs",
        .columns = NAMES("parent"),
        .ref_table = "parents",
        .ref_columns = (const char *const[]){ "id" },
        .on_delete = action };
    const struct sp_table t = TABLE("children", columns, .fks = &fk, .nfks = 1);
    return dc_table(d, &crud_parents, BOTH_PARENTS) && dc_table(d, &t, NULL);
}

/* The default is parent 2; when that goes, the default refers to nobody, and nothing may change. */
void crc_fk_delete_set_default(struct sp_ctx *ctx, const void *data)
{
    const struct sp_column parent = COL("parent", INT, .default_expr = "2");
    const struct dc_rows *const moved = CHILDREN(V_INT(10), V_INT(2), V_INT(12), V_INT(2), V_INT(13), V_NULL);
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && child_with(&d, &parent, SP_FK_SET_DEFAULT) &&
        dc_create(
            &d, d.s, "children", CHILDREN(V_INT(10), V_INT(1), V_INT(12), V_INT(2), V_INT(13), V_NULL)) &&
        dc_delete(&d, d.s, "parents", ID_IS(1), 1) &&
        dc_holds(&d, d.s, "children with the default", "children", moved) &&
        dc_refused(&d, "delete of the parent that is the default", SP_E_FOREIGN_KEY,
            sp_db_delete(d.s, "parents", ID_IS(2), NULL, &d.err)) &&
        dc_holds(&d, d.s, "the parent that is the default", "parents", PARENTS(V_INT(2), V_TEXT("two"))))
        (void)dc_holds(&d, d.s, "the children, still", "children", moved);
    dc_done(&d);
}

void crc_fk_set_null_required(struct sp_ctx *ctx, const void *data)
{
    const struct sp_column parent = COL("parent", INT, .not_null = true);
    const struct dc_rows *const rows = CHILDREN(V_INT(10), V_INT(1), V_INT(12), V_INT(2));
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && child_with(&d, &parent, SP_FK_SET_NULL) && dc_create(&d, d.s, "children", rows)) {
        int rc = sp_db_delete(d.s, "parents", ID_IS(1), NULL, &d.err);
        enum sp_code code = d.err.code;
        sp_error_clear(&d.err);
        (void)(sp_check_at(ctx, __FILE__, __LINE__, rc == -SP_E_NOT_NULL || rc == -SP_E_FOREIGN_KEY,
                   "set null on a required reference", "not_null or foreign_key",
                   rc == 0 ? "success" : sp_code_name(code)) &&
               dc_holds(&d, d.s, "the parents", "parents", BOTH_PARENTS) &&
               dc_holds(&d, d.s, "the children", "children", rows));
    }
    dc_done(&d);
}

/* ---- at the commit ------------------------------------------------------------------------------------------------------ */

/* A parent deleted and made anew, a child made and deleted: whole again when it counts. */
void crc_fk_deferred_repaired(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (crud_family(&d, ctx, &deferred) && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
        dc_delete(&d, d.s, "parents", ID_IS(1), 1) &&
        dc_create(&d, d.s, "children", CHILDREN(V_INT(14), V_INT(77))) &&
        dc_ok(&d, "a reference to nobody", dc_set(&d, d.s, "children", 12, "parent", sp_v_int(78), NULL)) &&
        dc_delete(&d, d.s, "children", ID_IS(14), 1) &&
        dc_ok(&d, "the reference as it was", dc_set(&d, d.s, "children", 12, "parent", sp_v_int(2), NULL)) &&
        dc_create(&d, d.s, "parents", PARENTS(V_INT(1), V_TEXT("one"))) && dc_commit(&d, d.s))
        (void)crud_unchanged(&d);
    dc_done(&d);
}

static bool commit_refused(struct dc *d, const char *what)
{
    dc_ended(d, d->s);
    return dc_refused(d, what, SP_E_FOREIGN_KEY, sp_db_commit(d->s, &d->err)) && crud_unchanged(d);
}

/* Each way of breaking a reference shows at the commit, which keeps nothing. */
void crc_fk_deferred_parent_gone(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    (void)(crud_family(&d, ctx, &deferred) && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
           dc_delete(&d, d.s, "parents", ID_IS(1), 1) && commit_refused(&d, "commit with a parent gone") &&
           dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
           dc_ok(&d, "another key for a parent", dc_set(&d, d.s, "parents", 2, "id", sp_v_int(3), NULL)) &&
           commit_refused(&d, "commit with a parent's key changed") && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
           dc_ok(
               &d, "a reference to nobody", dc_set(&d, d.s, "children", 13, "parent", sp_v_int(78), NULL)) &&
           commit_refused(&d, "commit with a child led astray"));
    dc_done(&d);
}

/* What a savepoint takes back is not checked at the commit. */
void crc_fk_deferred_savepoint(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (crud_family(&d, ctx, &deferred) && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
        dc_create(&d, d.s, "parents", PARENTS(V_INT(3), V_TEXT("three"))) &&
        dc_ok(&d, "savepoint", sp_db_savepoint(d.s, "sp1", &d.err)) &&
        dc_create(&d, d.s, "children", CHILDREN(V_INT(14), V_INT(77))) &&
        dc_delete(&d, d.s, "parents", ID_IS(1), 1) &&
        dc_ok(&d, "rollback to the savepoint", sp_db_savepoint_rollback(d.s, "sp1", &d.err)) &&
        dc_commit(&d, d.s) &&
        dc_holds(&d, d.s, "the parents", "parents",
            PARENTS(V_INT(1), V_TEXT("one"), V_INT(2), V_TEXT("two"), V_INT(3), V_TEXT("three"))))
        (void)dc_holds(&d, d.s, "the children", "children", ALL_CHILDREN);
    dc_done(&d);
}

/* A session must not wait for the commit of the one that the same thread plays: conflict and time-out are answers. */
static bool tried(struct dc *d, const char *what, int rc, bool *done)
{
    *done = rc == 0;
    bool ok = sp_check_at(d->ctx, __FILE__, __LINE__,
        rc == 0 || rc == -SP_E_CONFLICT || rc == -SP_E_TIMEOUT || rc == -SP_E_FOREIGN_KEY, what,
        "success, foreign_key, conflict or timeout", rc == 0 ? "" : sp_code_name((enum sp_code) - rc));
    sp_error_clear(&d->err);
    return ok;
}

/* One session deletes a parent while another one makes a child of it: whoever wins, no child is left without. */
void crc_fk_concurrent(struct sp_ctx *ctx, const void *data)
{
    const struct sp_field child[] = { { "id", V_INT(14) }, { "parent", V_INT(3) } };
    const struct sp_filter orphan = F_ON("parent", EQ, V_INT(3));
    bool made = false, gone = false, again = false;
    struct dc d;
    (void)data;
    struct sp_session *b = crud_family(&d, ctx, &(struct sp_fk){ 0 }) ? dc_impatient(&d, 150) : NULL;
    bool ok = b != NULL && dc_create(&d, d.s, "parents", PARENTS(V_INT(3), V_TEXT("three"))) &&
              dc_begin(&d, d.s, SP_ISO_DEFAULT) && dc_delete(&d, d.s, "parents", ID_IS(3), 1) &&
              tried(&d, "a child of a parent that is being deleted",
                  sp_db_insert(b, "children", child, 2, &d.err), &made);
    if (ok) {
        int rc = sp_db_commit(d.s, &d.err);
        dc_ended(&d, d.s);
        ok = tried(&d, "commit of the delete", rc, &gone) &&
             sp_check(ctx, !(made && gone), "not both succeed") &&
             dc_count_is(&d, d.s, "children", &orphan, made ? 1 : 0) &&
             dc_count_is(&d, d.s, "parents", ID_IS(3), gone ? 0 : 1);
    }
    /* The other way round: the child first, not committed yet. */
    if (ok && gone)
        ok = dc_create(&d, d.s, "parents", PARENTS(V_INT(3), V_TEXT("three")));
    if (ok && made)
        ok = dc_delete(&d, d.s, "children", &orphan, 1);
    ok = ok && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
         dc_create(&d, d.s, "children", CHILDREN(V_INT(14), V_INT(3))) &&
         tried(&d, "delete of a parent that just gets a child",
             sp_db_delete(b, "parents", ID_IS(3), NULL, &d.err), &again);
    if (ok) {
        int rc = sp_db_commit(d.s, &d.err);
        dc_ended(&d, d.s);
        ok = tried(&d, "commit of the child", rc, &made) &&
             sp_check(ctx, !(made && again), "not both succeed") &&
             dc_count_is(&d, d.s, "children", &orphan, made ? 1 : 0) &&
             dc_count_is(&d, d.s, "parents", ID_IS(3), again ? 0 : 1);
    }
    dc_done(&d);
}
