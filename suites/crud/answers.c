/* answers.c -- returning, upsert, defaults, keys drawn by the backend, prepared operations, the backend's own language. */
#include "suites/crud/crud.h"

#define TWO ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL))

static bool start(struct dc *d, struct sp_ctx *ctx)
{
    return dc_open(d, ctx) && dc_table(d, &dc_items, TWO);
}

static bool exec(struct dc *d, const char *what, const struct sp_op *op, int64_t affected)
{
    return dc_ok(d, what, sp_db_exec(d->s, op, &d->r, &d->err)) &&
           sp_check_int(d->ctx, "rows that the operation counts", affected, d->r.affected);
}

/* The rows come in no order that is promised: sorted here by their id, which is the first column. */
static void sort_result(struct sp_result *r)
{
    for (size_t i = 1; i < r->nrows; i++) {
        for (size_t k = i;
             k > 0 && sp_value_order(&r->values[(k - 1) * r->ncolumns], &r->values[k * r->ncolumns]) > 0;
             k--) {
            for (size_t c = 0; c < r->ncolumns; c++) {
                struct sp_value v = r->values[k * r->ncolumns + c];
                r->values[k * r->ncolumns + c] = r->values[(k - 1) * r->ncolumns + c];
                r->values[(k - 1) * r->ncolumns + c] = v;
            }
        }
    }
}

static bool returns(struct dc *d, const char *what, const struct sp_op *op, const struct dc_rows *want)
{
    if (!exec(d, what, op, (int64_t)dc_nrows(want)))
        return false;
    sort_result(&d->r);
    return dc_result_is(d, what, want);
}

void crc_returning_create(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("category", TEXT, .default_expr = "'new'"),
        COL("value", INT) };
    const struct sp_table table = TABLE("items", columns);
    struct sp_op op = { .kind = SP_OP_CREATE,
        .query = { .table = "items", .limit = SP_NO_LIMIT },
        .fields = NAMES("value", "id"),
        .values = (const struct sp_value[]){ V_INT(5), V_INT(1), V_NULL, V_INT(2) },
        .nrows = 2,
        .returning = true };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && sp_ctx_table(ctx, &table) &&
        returns(&d, "rows as stored, with their defaults", &op,
            ITEMS(ITEM(1, "new", V_INT(5)), ITEM(2, "new", V_NULL))))
        (void)dc_holds(
            &d, d.s, "the same rows", "items", ITEMS(ITEM(1, "new", V_INT(5)), ITEM(2, "new", V_NULL)));
    dc_done(&d);
}

void crc_returning_update(struct sp_ctx *ctx, const void *data)
{
    struct sp_op op = { .kind = SP_OP_UPDATE,
        .query = { .table = "items", .limit = SP_NO_LIMIT },
        .fields = NAMES("category"),
        .values = (const struct sp_value[]){ V_TEXT("z") },
        .nrows = 1,
        .returning = true };
    struct dc d;
    (void)data;
    if (start(&d, ctx) &&
        returns(&d, "rows as they are now", &op, ITEMS(ITEM(1, "z", V_INT(10)), ITEM(2, "z", V_NULL)))) {
        op.query.where = ID_IS(99);
        if (returns(&d, "no row", &op, NO_ITEMS))
            (void)dc_holds(
                &d, d.s, "the rows", "items", ITEMS(ITEM(1, "z", V_INT(10)), ITEM(2, "z", V_NULL)));
    }
    dc_done(&d);
}

void crc_returning_delete(struct sp_ctx *ctx, const void *data)
{
    struct sp_op op = { .kind = SP_OP_DELETE,
        .query = { .table = "items", .where = ID_IS(1), .limit = SP_NO_LIMIT },
        .returning = true };
    struct dc d;
    (void)data;
    if (start(&d, ctx) && returns(&d, "the row as it was", &op, ITEMS(ITEM(1, "a", V_INT(10)))))
        (void)dc_holds(&d, d.s, "the other row", "items", ITEMS(ITEM(2, "b", V_NULL)));
    dc_done(&d);
}

/* ---- upsert --------------------------------------------------------------------------------------------------------- */

static const char *const id_key[] = { "id" };

static struct sp_op upsert_op(const struct dc_rows *rows)
{
    return (struct sp_op){ .kind = SP_OP_UPSERT,
        .query = { .table = "items", .limit = SP_NO_LIMIT },
        .fields = rows->columns,
        .nfields = rows->ncolumns,
        .values = rows->values,
        .nrows = dc_nrows(rows),
        .key = id_key,
        .nkey = 1 };
}

void crc_upsert(struct sp_ctx *ctx, const void *data)
{
    struct sp_op fresh = upsert_op(ITEMS(ITEM(3, "c", V_INT(30)))),
                 same = upsert_op(ITEMS(ITEM(1, "z", V_NULL)));
    struct dc d;
    (void)data;
    if (start(&d, ctx) && exec(&d, "upsert of a new key", &fresh, 1) &&
        dc_holds(&d, d.s, "a row more", "items",
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "c", V_INT(30)))) &&
        exec(&d, "upsert of a key that exists", &same, 1) && exec(&d, "the same again", &same, 1))
        (void)dc_holds(&d, d.s, "one row replaced", "items",
            ITEMS(ITEM(1, "z", V_NULL), ITEM(2, "b", V_NULL), ITEM(3, "c", V_INT(30))));
    dc_done(&d);
}

void crc_upsert_many(struct sp_ctx *ctx, const void *data)
{
    struct sp_op op =
        upsert_op(ITEMS(ITEM(5, "e", V_INT(5)), ITEM(2, "bb", V_INT(20)), ITEM(4, "d", V_NULL)));
    struct dc d;
    (void)data;
    if (start(&d, ctx) && exec(&d, "upsert of three rows, one of them known", &op, 3))
        (void)dc_holds(&d, d.s, "two new rows, one changed", "items",
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "bb", V_INT(20)), ITEM(4, "d", V_NULL),
                ITEM(5, "e", V_INT(5))));
    dc_done(&d);
}

/* What an upsert does not name stays, in a row that exists. */
void crc_upsert_partial(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows some = { .columns = NAMES("id", "category"),
        .values = VALUES(V_INT(1), V_TEXT("z")) };
    struct sp_op op = upsert_op(&some), left_out = upsert_op(ITEMS(ITEM(2, "y", V_MISSING)));
    struct dc d;
    (void)data;
    if (start(&d, ctx) && exec(&d, "upsert without a column", &op, 1) &&
        exec(&d, "upsert with a field left out", &left_out, 1))
        (void)dc_holds(&d, d.s, "the other column kept its value", "items",
            ITEMS(ITEM(1, "z", V_INT(10)), ITEM(2, "y", V_NULL)));
    dc_done(&d);
}

/* The key of the upsert is what decides: another unique value that is taken is an error, not an update. */
void crc_upsert_unique(struct sp_ctx *ctx, const void *data)
{
    const struct sp_unique one_category = { .name = "one_category", .columns = NAMES("category") };
    struct sp_table table = dc_items;
    table.uniques = &one_category;
    table.nuniques = 1;
    struct sp_op op = upsert_op(ITEMS(ITEM(3, "a", V_INT(1)))),
                 by_category = upsert_op(ITEMS(ITEM(1, "a", V_INT(11))));
    by_category.key = (const char *const[]){ "category" };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &table, TWO) &&
        dc_refused(&d, "upsert that hits another row's unique value", SP_E_UNIQUE,
            sp_db_exec(d.s, &op, &d.r, &d.err)) &&
        dc_holds(&d, d.s, "the rows", "items", TWO) &&
        exec(&d, "upsert by the unique column", &by_category, 1))
        (void)dc_holds(&d, d.s, "the row of that category", "items",
            ITEMS(ITEM(1, "a", V_INT(11)), ITEM(2, "b", V_NULL)));
    dc_done(&d);
}

/* ---- defaults and drawn keys ---------------------------------------------------------------------------------------- */

void crc_defaults(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("i", INT, .default_expr = "-7"),
        COL("t", TEXT, .default_expr = "'it''s'"), COL("n", INT, .default_expr = "null"), COL("plain", TEXT),
        COL("e", TEXT, .default_expr = "''") };
    const struct sp_table table = TABLE("defaulted", columns);
    const struct dc_rows want = { .columns = NAMES("id", "i", "t", "n", "plain", "e"),
        .values = VALUES(V_INT(1), V_INT(-7), V_TEXT("it's"), V_NULL, V_NULL, V_TEXT(""), V_INT(2), V_INT(1),
            V_TEXT("x"), V_INT(2), V_TEXT("y"), V_TEXT("z"), V_INT(3), V_NULL, V_NULL, V_NULL, V_NULL,
            V_NULL) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && sp_ctx_table(ctx, &table) &&
        dc_ok(&d, "create with the key alone",
            sp_db_insert(d.s, "defaulted", &(const struct sp_field){ "id", V_INT(1) }, 1, &d.err)) &&
        dc_ok(&d, "create with everything",
            sp_db_insert_many(d.s, "defaulted", want.columns, 6, want.values + 6, 1, NULL, &d.err)) &&
        dc_ok(&d, "create with nulls",
            sp_db_insert_many(d.s, "defaulted", want.columns, 6, want.values + 12, 1, NULL, &d.err)))
        (void)dc_holds(&d, d.s, "defaults only where nothing was given", "defaulted", &want);
    dc_done(&d);
}

void crc_default_not_null(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID,
        COL("category", TEXT, .not_null = true, .default_expr = "'d'"),
        COL("value", INT, .not_null = true, .default_expr = "0") };
    const struct sp_table table = TABLE("items", columns);
    const struct dc_rows keys = { .columns = NAMES("id"), .values = VALUES(V_INT(1), V_INT(2)) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &table, &keys) &&
        dc_refused(&d, "a null given where the default would have been", SP_E_NOT_NULL,
            sp_db_insert_many(d.s, "items", (const char *const[]){ "id", "value" }, 2,
                (const struct sp_value[]){ V_INT(3), V_NULL }, 1, NULL, &d.err)))
        (void)dc_holds(&d, d.s, "defaults", "items", ITEMS(ITEM(1, "d", V_INT(0)), ITEM(2, "d", V_INT(0))));
    dc_done(&d);
}

static const struct sp_column drawn_columns[] = {
    { .name = "id", .type = { .tag = SP_INT }, .not_null = true, .identity = true }, COL("category", TEXT),
    COL("value", INT)
};
static const struct sp_table drawn = TABLE("items", drawn_columns);

static bool draw(struct dc *d, int64_t value)
{
    return dc_ok(d, "create without a key",
        sp_db_insert(d->s, "items",
            (const struct sp_field[]){ { "category", V_TEXT("drawn") }, { "value", sp_v_int(value) } }, 2,
            &d->err));
}

/* The keys in the order of `value`, each greater than the one before. */
static bool keys_rise(struct dc *d, int64_t n)
{
    int64_t last = 0;
    bool ok = dc_ok(d, "read", sp_db_read(d->s, QUERY("items", SORTED(ASC("value"))), &d->r, &d->err)) &&
              sp_check_int(d->ctx, "rows", n, (int64_t)d->r.nrows);
    for (size_t i = 0; ok && i < d->r.nrows; i++) {
        const struct sp_value *id = sp_result_at(&d->r, i, "id");
        ok = sp_check_value(
                 d->ctx, "value", &(struct sp_value)V_INT((int64_t)i + 1), sp_result_at(&d->r, i, "value")) &&
             sp_check(d->ctx, id != NULL && id->tag == SP_INT, "the key is an integer") &&
             sp_check(d->ctx, id->u.i > last, "drawn keys rise");
        last = ok ? id->u.i : 0;
    }
    return ok;
}

void crc_identity(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && sp_ctx_table(ctx, &drawn);
    for (int64_t i = 1; ok && i <= 5; i++)
        ok = draw(&d, i);
    ok = ok && keys_rise(&d, 5);
    /* A key is not drawn again after its row is gone. */
    const struct sp_filter last = F_ON("value", EQ, V_INT(5));
    int64_t top = ok ? sp_result_at(&d.r, 4, "id")->u.i : 0;
    if (ok && dc_delete(&d, d.s, "items", &last, 1) && draw(&d, 5) && keys_rise(&d, 5)) {
        int64_t again = sp_result_at(&d.r, 4, "id")->u.i;
        (void)sp_check(ctx, again > top, "the key of a deleted row is not drawn again");
    }
    dc_done(&d);
}

void crc_identity_unique(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows some = { .columns = NAMES("category", "value"),
        .values = VALUES(V_TEXT("x"), V_INT(1), V_TEXT("x"), V_INT(2), V_TEXT("x"), V_INT(3)) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &drawn, &some) && draw(&d, 4) &&
        sp_check(ctx, dc_other(&d, 1) != NULL, "a second session")) {
        d.s = dc_other(&d, 1);
        (void)(draw(&d, 5) && dc_count_is(&d, d.s, "items", NULL, 5) &&
               dc_ok(&d, "read by key", sp_db_read(d.s, QUERY("items", BY_ID), &d.r, &d.err)) &&
               sp_check_int(ctx, "rows", 5, (int64_t)d.r.nrows));
        for (size_t i = 1; !sp_ctx_done(ctx) && i < d.r.nrows; i++)
            (void)sp_check(
                ctx, sp_result_at(&d.r, i, "id")->u.i != sp_result_at(&d.r, i - 1, "id")->u.i, "keys differ");
    }
    dc_done(&d);
}

void crc_identity_explicit(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &drawn, ITEMS(ITEM(1000, "given", V_INT(1)))) &&
        dc_holds(&d, d.s, "the key that was given", "items", ITEMS(ITEM(1000, "given", V_INT(1)))) &&
        draw(&d, 2))
        (void)dc_count_is(&d, d.s, "items", NULL, 2);
    dc_done(&d);
}

/* ---- prepared operations ---------------------------------------------------------------------------------------------- */

static bool prepare(struct dc *d, const struct sp_op *op, struct sp_prepared **p)
{
    return dc_ok(d, "prepare", sp_db_prepare(d->s, op, p, &d->err));
}

static bool execute(struct dc *d, struct sp_prepared *p, const struct sp_value *v, size_t n)
{
    return dc_ok(d, "execute", sp_db_execute(d->s, p, v, n, &d->r, &d->err));
}

void crc_prepared_read(struct sp_ctx *ctx, const void *data)
{
    const struct sp_filter where =
        F_ALL(F_ON("category", EQ, V_TEXT("?")), F_ON("value", IN, V_INT(0), V_INT(0)));
    struct sp_op op = { .kind = SP_OP_READ,
        .query = { .table = "items", .where = &where, .limit = SP_NO_LIMIT, BY_ID } };
    struct sp_prepared *p = NULL;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) &&
        dc_table(&d, &dc_items,
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(10)), ITEM(3, "a", V_INT(30)))) &&
        prepare(&d, &op, &p) && execute(&d, p, VALUES(V_TEXT("a"), V_INT(10), V_INT(30))) &&
        dc_result_is(&d, "first execution", ITEMS(ITEM(1, "a", V_INT(10)), ITEM(3, "a", V_INT(30)))) &&
        execute(&d, p, VALUES(V_TEXT("b"), V_INT(10), V_INT(11))) &&
        dc_result_is(&d, "other values", ITEMS(ITEM(2, "b", V_INT(10)))) &&
        execute(&d, p, VALUES(V_TEXT("a"), V_INT(31), V_INT(30))) &&
        dc_result_is(&d, "the last of the list", ITEMS(ITEM(3, "a", V_INT(30)))) &&
        execute(&d, p, VALUES(V_TEXT("c"), V_INT(10), V_INT(30))) && dc_result_is(&d, "no row", NO_ITEMS) &&
        dc_update(&d, d.s, "items", ID_IS(2), LIST(struct sp_field, { "category", V_TEXT("c") }), 1) &&
        execute(&d, p, VALUES(V_TEXT("c"), V_INT(10), V_INT(30))))
        (void)dc_result_is(&d, "what was changed between two executions", ITEMS(ITEM(2, "c", V_INT(10))));
    sp_db_finalize(d.s, p);
    dc_done(&d);
}

void crc_prepared_write(struct sp_ctx *ctx, const void *data)
{
    const struct sp_filter by_id = F_ON("id", EQ, V_INT(0));
    struct sp_op create = { .kind = SP_OP_CREATE,
        .query = { .table = "items", .limit = SP_NO_LIMIT },
        .fields = NAMES("id", "category", "value"),
        .values = (const struct sp_value[]){ ITEM(0, "", V_INT(0)) },
        .nrows = 1 };
    struct sp_op update = { .kind = SP_OP_UPDATE,
        .query = { .table = "items", .where = &by_id, .limit = SP_NO_LIMIT },
        .fields = NAMES("value"),
        .values = (const struct sp_value[]){ V_INT(0) },
        .nrows = 1 };
    struct sp_prepared *pc = NULL, *pu = NULL;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && sp_ctx_table(ctx, &dc_items) && prepare(&d, &create, &pc) &&
              prepare(&d, &update, &pu);
    for (int64_t i = 1; ok && i <= 20; i++)
        ok = execute(&d, pc, VALUES(sp_v_int(i), V_TEXT("x"), sp_v_int(i * 10))) &&
             sp_check_int(ctx, "rows created", 1, d.r.affected);
    /* An execution that fails leaves the operation usable. */
    if (ok)
        ok = dc_refused(&d, "execution with a key that is taken", SP_E_UNIQUE,
                 sp_db_execute(d.s, pc, VALUES(V_INT(5), V_TEXT("again"), V_NULL), &d.r, &d.err)) &&
             execute(&d, pc, VALUES(V_INT(21), V_TEXT("last"), V_NULL)) &&
             execute(&d, pu, VALUES(V_INT(-1), V_INT(20))) &&
             sp_check_int(ctx, "rows updated", 1, d.r.affected) &&
             execute(&d, pu, VALUES(V_INT(-2), V_INT(22))) &&
             sp_check_int(ctx, "rows updated", 0, d.r.affected);
    if (ok) {
        struct sp_value v[21 * 3];
        for (int64_t i = 1; i <= 21; i++) {
            v[3 * i - 3] = sp_v_int(i);
            v[3 * i - 2] = sp_v_text(i == 21 ? "last" : "x");
            v[3 * i - 1] = i == 21 ? sp_v_null() : sp_v_int(i == 20 ? -1 : i * 10);
        }
        const struct dc_rows want = {
            .columns = NAMES("id", "category", "value"), .values = v, .nvalues = SP_LEN(v)
        };
        (void)dc_holds(&d, d.s, "what the executions made", "items", &want);
    }
    sp_db_finalize(d.s, pu);
    sp_db_finalize(d.s, pc);
    dc_done(&d);
}

/* A value may be null in one execution and not in the next, and of another length. */
void crc_prepared_null(struct sp_ctx *ctx, const void *data)
{
    struct sp_op op = { .kind = SP_OP_CREATE,
        .query = { .table = "items", .limit = SP_NO_LIMIT },
        .fields = NAMES("id", "category", "value"),
        .values = (const struct sp_value[]){ ITEM(0, "", V_INT(0)) },
        .nrows = 1 };
    struct sp_prepared *p = NULL;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && sp_ctx_table(ctx, &dc_items) && prepare(&d, &op, &p) &&
        execute(&d, p, VALUES(ITEM(1, "a longer text than the next one", V_INT(1)))) &&
        execute(&d, p, VALUES(ITEM(2, "", V_NULL))) && execute(&d, p, VALUES(ITEM(3, "z", V_INT(3)))))
        (void)dc_holds(&d, d.s, "each row as it was given", "items",
            ITEMS(ITEM(1, "a longer text than the next one", V_INT(1)), ITEM(2, "", V_NULL),
                ITEM(3, "z", V_INT(3))));
    sp_db_finalize(d.s, p);
    dc_done(&d);
}

/* ---- the backend's own language ------------------------------------------------------------------------------------- */

/* Not every backend's language knows SELECT: that is no fault of it, and said. */
bool crud_speaks(struct dc *d)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "SELECT 1" };
    int rc = sp_db_exec(d->s, &op, &d->r, &d->err);
    if (rc == -SP_E_INVALID)
        sp_ctx_skip(d->ctx, "its own language has no SELECT: %s", sp_error_text(&d->err));
    else
        return dc_ok(d, "SELECT 1", rc) && sp_check_int(d->ctx, "rows", 1, (int64_t)d->r.nrows) &&
               sp_check_int(d->ctx, "columns", 1, (int64_t)d->r.ncolumns) &&
               sp_check_value(d->ctx, "one", &(struct sp_value)V_INT(1), &d->r.values[0]);
    sp_error_clear(&d->err);
    return false;
}

void crc_raw_query(struct sp_ctx *ctx, const void *data)
{
    struct sp_op wrong = { .kind = SP_OP_RAW, .raw = "SELEKT 1" };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && crud_speaks(&d) &&
        dc_refused(&d, "a text that is no query", SP_E_INVALID, sp_db_exec(d.s, &wrong, &d.r, &d.err)))
        (void)crud_speaks(&d);
    dc_done(&d);
}

void crc_raw_parameters(struct sp_ctx *ctx, const void *data)
{
    static const char *const texts[] = { "plain", "'; DROP TABLE items; --", "$1", "?", "", "a\\'b" };
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && crud_speaks(&d);
    for (size_t i = 0; ok && i < SP_LEN(texts); i++) {
        const struct sp_value v[] = { sp_v_text(texts[i]), V_TEXT("second") };
        struct sp_op op = {
            .kind = SP_OP_RAW, .raw = "SELECT $2, $1", .nfields = 2, .nrows = 1, .values = v
        };
        ok = dc_ok(&d, "query with bound texts", sp_db_exec(d.s, &op, &d.r, &d.err)) &&
             sp_check_int(ctx, "rows", 1, (int64_t)d.r.nrows) &&
             sp_check_int(ctx, "columns", 2, (int64_t)d.r.ncolumns) &&
             sp_check_value(ctx, "the second parameter", &v[1], &d.r.values[0]) &&
             sp_check_value(ctx, "the first parameter", &v[0], &d.r.values[1]);
    }
    dc_done(&d);
}
