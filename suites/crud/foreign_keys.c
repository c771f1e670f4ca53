/* foreign_keys.c -- references between rows: what is refused, what follows, when it is checked. */
#include "suites/crud/crud.h"

static const struct sp_column parent_columns[] = { COL_ID, COL("name", TEXT) };
const struct sp_table crud_parents = TABLE("parents", parent_columns);
static const struct sp_column child_columns[] = { COL_ID, COL("parent", INT) };

bool crud_child_table(struct dc *d, const char *name, const char *refers_to, const struct sp_fk *like)
{
    struct sp_fk fk = *like;
    fk.name = "belongs";
    fk.columns = (const char *const[]){ "parent" };
    fk.ncolumns = 1;
    fk.ref_table = refers_to;
    fk.ref_columns = (const char *const[]){ "id" };
    const struct sp_table t = TABLE(name, child_columns, .fks = &fk, .nfks = 1);
    return dc_table(d, &t, NULL);
}

bool crud_family(struct dc *d, struct sp_ctx *ctx, const struct sp_fk *like)
{
    return dc_open(d, ctx) && dc_table(d, &crud_parents, BOTH_PARENTS) &&
           crud_child_table(d, "children", "parents", like) && dc_create(d, d->s, "children", ALL_CHILDREN);
}

bool crud_unchanged(struct dc *d)
{
    return dc_holds(d, d->s, "the parents", "parents", BOTH_PARENTS) &&
           dc_holds(d, d->s, "the children", "children", ALL_CHILDREN);
}

static bool orphan_refused(struct dc *d, const char *table, int64_t id, int64_t parent)
{
    const struct sp_field f[] = { { "id", sp_v_int(id) }, { "parent", sp_v_int(parent) } };
    return dc_refused(d, "create of a child without its parent", SP_E_FOREIGN_KEY,
        sp_db_insert(d->s, table, f, 2, &d->err));
}

void crc_fk_insert(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (crud_family(&d, ctx, &(struct sp_fk){ 0 }) && orphan_refused(&d, "children", 14, 3))
        (void)crud_unchanged(&d);
    dc_done(&d);
}

void crc_fk_update(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (crud_family(&d, ctx, &(struct sp_fk){ 0 }) &&
        dc_refused(&d, "update of a child to an absent parent", SP_E_FOREIGN_KEY,
            dc_set(&d, d.s, "children", 10, "parent", sp_v_int(99), NULL)) &&
        dc_refused(&d, "update of a parent's key that has children", SP_E_FOREIGN_KEY,
            dc_set(&d, d.s, "parents", 1, "id", sp_v_int(5), NULL)) &&
        crud_unchanged(&d) &&
        dc_ok(&d, "update of a child to another parent",
            dc_set(&d, d.s, "children", 10, "parent", sp_v_int(2), NULL)))
        (void)dc_holds(&d, d.s, "the child moved", "children",
            CHILDREN(V_INT(10), V_INT(2), V_INT(11), V_INT(1), V_INT(12), V_INT(2), V_INT(13), V_NULL));
    dc_done(&d);
}

void crc_fk_null(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (crud_family(&d, ctx, &(struct sp_fk){ 0 }) &&
        dc_ok(&d, "update of a reference to null",
            dc_set(&d, d.s, "children", 12, "parent", sp_v_null(), NULL)) &&
        dc_delete(&d, d.s, "parents", ID_IS(2), 1) &&
        dc_holds(&d, d.s, "the parent that is left", "parents", PARENTS(V_INT(1), V_TEXT("one"))))
        (void)dc_holds(&d, d.s, "the children", "children",
            CHILDREN(V_INT(10), V_INT(1), V_INT(11), V_INT(1), V_INT(12), V_NULL, V_INT(13), V_NULL));
    dc_done(&d);
}

/* Deleting parent 1, which has two children, or giving it the key 5. */
void crc_fk_action(struct sp_ctx *ctx, const void *data)
{
    const struct crud_fk *f = data;
    const char *what = f->update ? "new key of a parent with children" : "delete of a parent with children";
    enum sp_fk_action action = f->update ? f->on_update : f->on_delete;
    struct dc d;
    if (crud_family(&d, ctx, &(struct sp_fk){ .on_delete = f->on_delete, .on_update = f->on_update })) {
        int64_t affected = 0;
        int rc = f->update ? dc_set(&d, d.s, "parents", 1, "id", sp_v_int(5), &affected)
                           : sp_db_delete(d.s, "parents", ID_IS(1), &affected, &d.err);
        if (f->code != SP_E_OK) {
            (void)(dc_refused(&d, what, f->code, rc) && crud_unchanged(&d));
        } else if (dc_ok(&d, what, rc) && sp_check_int(ctx, "parents that it counts", 1, affected) &&
                   dc_holds(&d, d.s, "the parents", "parents",
                       f->update ? PARENTS(V_INT(2), V_TEXT("two"), V_INT(5), V_TEXT("one"))
                                 : PARENTS(V_INT(2), V_TEXT("two")))) {
            const struct dc_rows *want =
                action == SP_FK_SET_NULL
                    ? CHILDREN(V_INT(10), V_NULL, V_INT(11), V_NULL, V_INT(12), V_INT(2), V_INT(13), V_NULL)
                : f->update ? CHILDREN(V_INT(10), V_INT(5), V_INT(11), V_INT(5), V_INT(12), V_INT(2),
                                  V_INT(13), V_NULL)
                            : CHILDREN(V_INT(12), V_INT(2), V_INT(13), V_NULL);
            (void)dc_holds(&d, d.s, "the children", "children", want);
        }
    }
    dc_done(&d);
}

void crc_fk_cascade_deep(struct sp_ctx *ctx, const void *data)
{
    const struct sp_fk cascade = { .on_delete = SP_FK_CASCADE };
    struct dc d;
    (void)data;
    if (crud_family(&d, ctx, &cascade) && crud_child_table(&d, "grandchildren", "children", &cascade) &&
        dc_create(&d, d.s, "grandchildren",
            CHILDREN(
                V_INT(20), V_INT(10), V_INT(21), V_INT(12), V_INT(22), V_INT(11), V_INT(23), V_INT(10))) &&
        dc_delete(&d, d.s, "parents", ID_IS(1), 1) &&
        dc_holds(&d, d.s, "children of others", "children", CHILDREN(V_INT(12), V_INT(2), V_INT(13), V_NULL)))
        (void)dc_holds(&d, d.s, "grandchildren of others", "grandchildren", CHILDREN(V_INT(21), V_INT(12)));
    dc_done(&d);
}

void crc_fk_self(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && crud_child_table(&d, "tree", "tree", &(struct sp_fk){ 0 }) &&
        dc_create(&d, d.s, "tree", CHILDREN(V_INT(1), V_NULL, V_INT(2), V_INT(1), V_INT(3), V_INT(3))) &&
        orphan_refused(&d, "tree", 4, 9) &&
        dc_refused(&d, "delete of a row that another refers to", SP_E_FOREIGN_KEY,
            sp_db_delete(d.s, "tree", ID_IS(1), NULL, &d.err)) &&
        dc_holds(&d, d.s, "the tree", "tree",
            CHILDREN(V_INT(1), V_NULL, V_INT(2), V_INT(1), V_INT(3), V_INT(3))) &&
        dc_delete(&d, d.s, "tree", ID_IS(3), 1) && dc_delete(&d, d.s, "tree", ID_IS(2), 1))
        (void)dc_holds(&d, d.s, "the root", "tree", CHILDREN(V_INT(1), V_NULL));
    dc_done(&d);
}

void crc_fk_compound(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column p_columns[] = { COL_ID, COL("area", TEXT, .not_null = true) };
    const struct sp_table places = {
        .name = "places", .columns = p_columns, .ncolumns = 2, .pk = NAMES("area", "id")
    };
    static const struct sp_column c_columns[] = { COL_ID, COL("area", TEXT), COL("place", INT) };
    const struct sp_fk fk = { .name = "at",
        .columns = NAMES("area", "place"),
        .ref_table = "places",
        .ref_columns = (const char *const[]){ "area", "id" } };
    const struct sp_table visits = TABLE("visits", c_columns, .fks = &fk, .nfks = 1);
    const struct dc_rows p = { .columns = NAMES("id", "area"),
        .values = VALUES(V_INT(1), V_TEXT("n"), V_INT(2), V_TEXT("s")) };
    const struct dc_rows v = { .columns = NAMES("id", "area", "place"),
        .values = VALUES(
            V_INT(1), V_TEXT("n"), V_INT(1), V_INT(2), V_TEXT("s"), V_INT(2), V_INT(3), V_NULL, V_INT(7)) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &places, &p) && dc_table(&d, &visits, &v) &&
        dc_refused(&d, "a pair of which each half exists, but not the pair", SP_E_FOREIGN_KEY,
            sp_db_insert_many(d.s, "visits", v.columns, 3,
                (const struct sp_value[]){ V_INT(4), V_TEXT("n"), V_INT(2) }, 1, NULL, &d.err)))
        (void)dc_holds(&d, d.s, "the visits", "visits", &v);
    dc_done(&d);
}

/* ---- at commit --------------------------------------------------------------------------------------------------------------- */

static const struct sp_fk deferred = { .deferrable = true, .initially_deferred = true };

void crc_fk_deferred(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &crud_parents, NULL) &&
        crud_child_table(&d, "children", "parents", &deferred) && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
        dc_create(&d, d.s, "children", CHILDREN(V_INT(10), V_INT(1))) &&
        dc_create(&d, d.s, "parents", PARENTS(V_INT(1), V_TEXT("late"))) && dc_commit(&d, d.s) &&
        dc_holds(&d, d.s, "the child that came first", "children", CHILDREN(V_INT(10), V_INT(1))))
        (void)dc_holds(&d, d.s, "its parent", "parents", PARENTS(V_INT(1), V_TEXT("late")));
    dc_done(&d);
}

void crc_fk_deferred_broken(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = crud_family(&d, ctx, &deferred) && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
              dc_create(&d, d.s, "children", CHILDREN(V_INT(14), V_INT(77))) &&
              dc_create(&d, d.s, "parents", PARENTS(V_INT(3), V_TEXT("other")));
    if (ok) {
        dc_ended(&d, d.s);
        (void)(dc_refused(&d, "commit with a child that has no parent", SP_E_FOREIGN_KEY,
                   sp_db_commit(d.s, &d.err)) &&
               crud_unchanged(&d) && dc_create(&d, d.s, "parents", PARENTS(V_INT(4), V_TEXT("after"))) &&
               dc_holds(&d, d.s, "a row created after it", "parents",
                   PARENTS(V_INT(1), V_TEXT("one"), V_INT(2), V_TEXT("two"), V_INT(4), V_TEXT("after"))));
    }
    dc_done(&d);
}
