/* write.c -- create, read, update, delete: what is stored, what is counted, what stays untouched. */
#include "suites/crud/crud.h"

/* Three rows, of which one has no value. */
#define THREE         ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "a", V_INT(30)))
#define VALUE_TO(...) LIST(struct sp_field, { "value", __VA_ARGS__ })

static const struct sp_filter category_a = F_ON("category", EQ, V_TEXT("a"));

static bool start(struct dc *d, struct sp_ctx *ctx)
{
    return dc_open(d, ctx) && dc_table(d, &dc_items, THREE);
}

void crc_create_read(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && sp_ctx_table(ctx, &dc_items) &&
        dc_ok(&d, "create of one row",
            sp_db_insert(d.s, "items",
                (const struct sp_field[]){
                    { "value", V_INT(-5) }, { "id", V_INT(7) }, { "category", V_TEXT("x") } },
                3, &d.err)) &&
        dc_holds(&d, d.s, "the row", "items", ITEMS(ITEM(7, "x", V_INT(-5)))))
        (void)dc_read_is(&d, d.s, "the row by its key, columns as declared",
            QUERY("items", .where = ID_IS(7)), ITEMS(ITEM(7, "x", V_INT(-5))));
    dc_done(&d);
}

void crc_create_partial(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows some = { .columns = NAMES("category", "id"),
        .values = VALUES(V_TEXT("a"), V_INT(1), V_TEXT("b"), V_INT(2)) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, &some))
        (void)dc_holds(
            &d, d.s, "columns left out are null", "items", ITEMS(ITEM(1, "a", V_NULL), ITEM(2, "b", V_NULL)));
    dc_done(&d);
}

void crc_create_many(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_holds(&d, d.s, "three rows", "items", THREE) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(4, "c", V_INT(10)))))
        (void)dc_holds(&d, d.s, "four rows", "items",
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "a", V_INT(30)),
                ITEM(4, "c", V_INT(10))));
    dc_done(&d);
}

/* A field may be left out in one row and given in the next. */
void crc_create_many_mixed(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("category", TEXT, .default_expr = "'none'"),
        COL("value", INT, .default_expr = "42") };
    const struct sp_table table = TABLE("items", columns);
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &table,
                                ITEMS(V_INT(1), V_MISSING, V_INT(1), V_INT(2), V_TEXT("x"), V_MISSING,
                                    V_INT(3), V_NULL, V_NULL, V_INT(4), V_MISSING, V_MISSING)))
        (void)dc_holds(&d, d.s, "defaults where left out, nulls where given", "items",
            ITEMS(V_INT(1), V_TEXT("none"), V_INT(1), V_INT(2), V_TEXT("x"), V_INT(42), V_INT(3), V_NULL,
                V_NULL, V_INT(4), V_TEXT("none"), V_INT(42)));
    dc_done(&d);
}

void crc_create_many_atomic(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows *const bad[] = {
        &(const struct dc_rows){ .columns = NAMES("id", "category", "value"),
            .values = VALUES(
                ITEM(4, "d", V_NULL), ITEM(5, "e", V_NULL), ITEM(2, "again", V_NULL), ITEM(6, "f", V_NULL)) },
        &(const struct dc_rows){ .columns = NAMES("id", "category", "value"),
            .values = VALUES(ITEM(7, "g", V_NULL), ITEM(8, "h", V_NULL), ITEM(7, "twice", V_NULL)) },
    };
    struct dc d;
    (void)data;
    bool ok = start(&d, ctx);
    for (size_t i = 0; ok && i < SP_LEN(bad); i++) {
        ok = dc_refused(&d, "create-many with a key that is taken", SP_E_UNIQUE,
                 sp_db_insert_many(
                     d.s, "items", bad[i]->columns, 3, bad[i]->values, dc_nrows(bad[i]), NULL, &d.err)) &&
             dc_holds(&d, d.s, "nothing of a failed create-many", "items", THREE);
    }
    /* Also where the last row is the bad one, for another reason. */
    const struct dc_rows last = { .columns = NAMES("id", "category", "value"),
        .values = VALUES(ITEM(4, "d", V_NULL), V_INT(5), V_NULL, V_NULL) };
    if (ok && sp_ctx_cap(ctx, SP_CAP_NOT_NULL)->level == SP_CAP_YES)
        (void)(dc_refused(&d, "create-many whose last row lacks a value", SP_E_NOT_NULL,
                   sp_db_insert_many(d.s, "items", last.columns, 3, last.values, 2, NULL, &d.err)) &&
               dc_holds(&d, d.s, "nothing of a failed create-many", "items", THREE));
    dc_done(&d);
}

void crc_create_duplicate(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) &&
        dc_refused(&d, "create of a row whose key exists", SP_E_UNIQUE,
            sp_db_insert(d.s, "items",
                (const struct sp_field[]){ { "id", V_INT(1) }, { "category", V_TEXT("new") } }, 2, &d.err)))
        (void)dc_holds(&d, d.s, "the old rows", "items", THREE);
    dc_done(&d);
}

void crc_read_absent(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) &&
        dc_read_is(&d, d.s, "an id that is not there", QUERY("items", .where = ID_IS(99)), NO_ITEMS) &&
        dc_count_is(&d, d.s, "items", ID_IS(99), 0))
        (void)dc_read_is(
            &d, d.s, "the id beside it", QUERY("items", .where = ID_IS(3)), ITEMS(ITEM(3, "a", V_INT(30))));
    dc_done(&d);
}

void crc_read_empty(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && sp_ctx_table(ctx, &dc_items) &&
        dc_holds(&d, d.s, "a new table", "items", NO_ITEMS) &&
        dc_read_is(&d, d.s, "a filter over no rows", QUERY("items", BY_ID, .where = &category_a), NO_ITEMS) &&
        dc_update(&d, d.s, "items", NULL, VALUE_TO(V_INT(1)), 0))
        (void)dc_delete(&d, d.s, "items", NULL, 0);
    dc_done(&d);
}

void crc_select_list(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows one = { .columns = NAMES("value"), .values = VALUES(V_INT(10), V_NULL, V_INT(30)) };
    const struct dc_rows turned = { .columns = NAMES("value", "id"),
        .values = VALUES(V_INT(10), V_INT(1), V_NULL, V_INT(2), V_INT(30), V_INT(3)) };
    const struct dc_rows filtered = { .columns = NAMES("id"), .values = VALUES(V_INT(1), V_INT(3)) };
    struct dc d;
    (void)data;
    if (start(&d, ctx) &&
        dc_read_is(&d, d.s, "one column", QUERY("items", BY_ID, .select = NAMES("value")), &one) &&
        dc_read_is(&d, d.s, "columns in the order asked for",
            QUERY("items", BY_ID, .select = NAMES("value", "id")), &turned))
        (void)dc_read_is(&d, d.s, "filtered by a column that is not selected",
            QUERY("items", BY_ID, .select = NAMES("id"), .where = &category_a), &filtered);
    dc_done(&d);
}

void crc_count(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_count_is(&d, d.s, "items", NULL, 3) &&
        dc_count_is(&d, d.s, "items", &category_a, 2) &&
        dc_count_is(&d, d.s, "items", FILTER_OF(F_NONE("value", IS_NULL)), 1) &&
        dc_delete(&d, d.s, "items", ID_IS(1), 1) && dc_count_is(&d, d.s, "items", NULL, 2))
        (void)dc_count_is(&d, d.s, "items", &category_a, 1);
    dc_done(&d);
}

/* ---- update ------------------------------------------------------------------------------------------------------ */

void crc_update_one(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_update(&d, d.s, "items", ID_IS(2), VALUE_TO(V_INT(20)), 1))
        (void)dc_holds(&d, d.s, "one row changed", "items",
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, "a", V_INT(30))));
    dc_done(&d);
}

void crc_update_many(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_update(&d, d.s, "items", &category_a,
                              LIST(struct sp_field, { "category", V_TEXT("z") }, { "value", V_INT(0) }), 2))
        (void)dc_holds(&d, d.s, "two rows changed", "items",
            ITEMS(ITEM(1, "z", V_INT(0)), ITEM(2, "b", V_NULL), ITEM(3, "z", V_INT(0))));
    dc_done(&d);
}

void crc_update_none(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_update(&d, d.s, "items", ID_IS(99), VALUE_TO(V_INT(1)), 0) &&
        dc_update(&d, d.s, "items", FILTER_OF(F_ON("value", EQ, V_NULL)), VALUE_TO(V_INT(1)), 0) &&
        dc_update(&d, d.s, "items", FILTER_OF(F_NONE("id", IN)), VALUE_TO(V_INT(1)), 0))
        (void)dc_holds(&d, d.s, "nothing changed, nothing came", "items", THREE);
    dc_done(&d);
}

void crc_update_all(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_update(&d, d.s, "items", NULL, VALUE_TO(V_INT(4)), 3))
        (void)dc_holds(&d, d.s, "all rows changed", "items",
            ITEMS(ITEM(1, "a", V_INT(4)), ITEM(2, "b", V_INT(4)), ITEM(3, "a", V_INT(4))));
    dc_done(&d);
}

void crc_update_null(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_update(&d, d.s, "items", ID_IS(1), VALUE_TO(V_NULL), 1) &&
        dc_holds(&d, d.s, "a value became null", "items",
            ITEMS(ITEM(1, "a", V_NULL), ITEM(2, "b", V_NULL), ITEM(3, "a", V_INT(30)))))
        (void)dc_read_is(&d, d.s, "and is found as null",
            QUERY("items", BY_ID, .where = FILTER_OF(F_NONE("value", IS_NULL))),
            ITEMS(ITEM(1, "a", V_NULL), ITEM(2, "b", V_NULL)));
    dc_done(&d);
}

/* Rows that the update itself moves out of its filter, or into it, are changed once. */
void crc_update_key(struct sp_ctx *ctx, const void *data)
{
    const struct sp_filter small = F_ON("value", LT, V_INT(100));
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_update(&d, d.s, "items", &small, VALUE_TO(V_INT(100)), 2) &&
        dc_update(&d, d.s, "items", &small, VALUE_TO(V_INT(7)), 0) &&
        dc_update(&d, d.s, "items", ID_IS(3), LIST(struct sp_field, { "id", V_INT(4) }), 1) &&
        dc_holds(&d, d.s, "values and one key changed", "items",
            ITEMS(ITEM(1, "a", V_INT(100)), ITEM(2, "b", V_NULL), ITEM(4, "a", V_INT(100)))) &&
        dc_read_is(&d, d.s, "the old key", QUERY("items", .where = ID_IS(3)), NO_ITEMS))
        (void)dc_read_is(
            &d, d.s, "the new key", QUERY("items", .where = ID_IS(4)), ITEMS(ITEM(4, "a", V_INT(100))));
    dc_done(&d);
}

void crc_update_keeps_missing(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_update(&d, d.s, "items", ID_IS(1),
                              LIST(struct sp_field, { "category", V_MISSING }, { "value", V_INT(11) }), 1))
        (void)dc_holds(&d, d.s, "a field that is left out keeps its value", "items",
            ITEMS(ITEM(1, "a", V_INT(11)), ITEM(2, "b", V_NULL), ITEM(3, "a", V_INT(30))));
    dc_done(&d);
}

/* A row that is set to what it holds is an updated row. */
void crc_update_same(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_update(&d, d.s, "items", ID_IS(1), VALUE_TO(V_INT(10)), 1))
        (void)dc_holds(&d, d.s, "nothing changed", "items", THREE);
    dc_done(&d);
}

/* ---- delete ------------------------------------------------------------------------------------------------------ */

void crc_delete_one(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_delete(&d, d.s, "items", ID_IS(2), 1) &&
        dc_holds(&d, d.s, "the neighbours", "items", ITEMS(ITEM(1, "a", V_INT(10)), ITEM(3, "a", V_INT(30)))))
        (void)dc_read_is(&d, d.s, "the deleted row", QUERY("items", .where = ID_IS(2)), NO_ITEMS);
    dc_done(&d);
}

void crc_delete_many(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_delete(&d, d.s, "items", &category_a, 2))
        (void)dc_holds(&d, d.s, "the row outside the filter", "items", ITEMS(ITEM(2, "b", V_NULL)));
    dc_done(&d);
}

void crc_delete_none(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_delete(&d, d.s, "items", ID_IS(99), 0) &&
        dc_delete(&d, d.s, "items", FILTER_OF(F_ON("value", NEQ, V_NULL)), 0))
        (void)dc_holds(&d, d.s, "all rows", "items", THREE);
    dc_done(&d);
}

void crc_delete_all(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_delete(&d, d.s, "items", NULL, 3) &&
        dc_holds(&d, d.s, "no row", "items", NO_ITEMS) && dc_create(&d, d.s, "items", THREE))
        (void)dc_holds(&d, d.s, "the same rows, stored again", "items", THREE);
    dc_done(&d);
}

void crc_delete_again(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_delete(&d, d.s, "items", ID_IS(1), 1) &&
        dc_delete(&d, d.s, "items", ID_IS(1), 0) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(1, "new", V_NULL))))
        (void)dc_holds(&d, d.s, "a new row under a key that was free again", "items",
            ITEMS(ITEM(1, "new", V_NULL), ITEM(2, "b", V_NULL), ITEM(3, "a", V_INT(30))));
    dc_done(&d);
}

/* ---- names that are not there ---------------------------------------------------------------------------------------- */

void crc_absent_table(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    const struct sp_field f = { "id", V_INT(1) };
    if (start(&d, ctx) &&
        dc_refused(&d, "read of an absent table", SP_E_NOT_FOUND,
            sp_db_read(d.s, QUERY("nowhere", BY_ID), &d.r, &d.err)) &&
        dc_refused(&d, "count in an absent table", SP_E_NOT_FOUND,
            sp_db_count(d.s, "nowhere", NULL, &(int64_t){ 0 }, &d.err)) &&
        dc_refused(
            &d, "create in an absent table", SP_E_NOT_FOUND, sp_db_insert(d.s, "nowhere", &f, 1, &d.err)) &&
        dc_refused(&d, "update of an absent table", SP_E_NOT_FOUND,
            sp_db_update(d.s, "nowhere", NULL, &f, 1, NULL, &d.err)) &&
        dc_refused(&d, "delete from an absent table", SP_E_NOT_FOUND,
            sp_db_delete(d.s, "nowhere", NULL, NULL, &d.err)))
        (void)dc_holds(&d, d.s, "the other table", "items", THREE);
    dc_done(&d);
}

static bool is_refused(struct dc *d, const char *what, int rc)
{
    bool ok = sp_check(d->ctx, rc == -SP_E_INVALID || rc == -SP_E_NOT_FOUND, what);
    sp_error_clear(&d->err);
    return ok;
}

/* A column that is misspelled is never taken for an empty one, a literal or a new one. */
void crc_absent_column(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    const struct sp_field f[] = { { "id", V_INT(9) }, { "category", V_TEXT("x") }, { "valeu", V_INT(1) } };
    if (start(&d, ctx) &&
        is_refused(&d, "select of an absent column",
            sp_db_read(d.s, QUERY("items", BY_ID, .select = NAMES("id", "valeu")), &d.r, &d.err)) &&
        is_refused(&d, "filter on an absent column",
            sp_db_read(d.s, QUERY("items", BY_ID, .where = FILTER_OF(F_ON("valeu", EQ, V_TEXT("valeu")))),
                &d.r, &d.err)) &&
        is_refused(&d, "order by an absent column",
            sp_db_read(d.s, QUERY("items", SORTED(ASC("valeu"))), &d.r, &d.err)) &&
        is_refused(&d, "create with an absent column", sp_db_insert(d.s, "items", f, 3, &d.err)) &&
        is_refused(
            &d, "update of an absent column", sp_db_update(d.s, "items", NULL, f + 2, 1, NULL, &d.err)) &&
        is_refused(&d, "delete by an absent column",
            sp_db_delete(d.s, "items", FILTER_OF(F_ON("valeu", NEQ, V_INT(0))), NULL, &d.err)))
        (void)dc_holds(&d, d.s, "all rows", "items", THREE);
    dc_done(&d);
}
