/* constraints.c -- unique, primary key, not null, check, types: what is refused, by which error, and what is not. */
#include "suites/crud/crud.h"

#define TWO            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)))
#define UNIQUE_ON(...) (&(const struct sp_unique){ .name = "once", .columns = NAMES(__VA_ARGS__) })

static bool with_unique(
    struct dc *d, struct sp_ctx *ctx, const struct sp_unique *u, const struct dc_rows *rows)
{
    struct sp_table table = dc_items;
    table.uniques = u;
    table.nuniques = 1;
    return dc_open(d, ctx) && dc_table(d, &table, rows);
}

/* Creates the rows one by one: all of them are refused for this reason. */
static bool all_refused(struct dc *d, enum sp_code want, const char *table, const struct dc_rows *rows)
{
    bool ok = true;
    for (size_t i = 0; ok && i < dc_nrows(rows); i++)
        ok = dc_refused(d, "create of a row that breaks a constraint", want,
            sp_db_insert_many(d->s, table, rows->columns, rows->ncolumns, rows->values + i * rows->ncolumns,
                1, NULL, &d->err));
    return ok;
}

void crc_unique(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (with_unique(&d, ctx, UNIQUE_ON("value"), TWO) &&
        all_refused(&d, SP_E_UNIQUE, "items", ITEMS(ITEM(3, "c", V_INT(10)), ITEM(4, "c", V_INT(20)))) &&
        dc_holds(&d, d.s, "the old rows", "items", TWO) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(3, "a", V_INT(30)))) &&
        dc_delete(&d, d.s, "items", ID_IS(1), 1) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(4, "c", V_INT(10)))))
        (void)dc_holds(&d, d.s, "a value that was free again", "items",
            ITEMS(ITEM(2, "b", V_INT(20)), ITEM(3, "a", V_INT(30)), ITEM(4, "c", V_INT(10))));
    dc_done(&d);
}

void crc_unique_update(struct sp_ctx *ctx, const void *data)
{
    int64_t affected = 0;
    struct dc d;
    (void)data;
    if (with_unique(&d, ctx, UNIQUE_ON("value"), TWO) &&
        dc_refused(&d, "update to a value that is taken", SP_E_UNIQUE,
            dc_set(&d, d.s, "items", 2, "value", sp_v_int(10), &affected)) &&
        dc_refused(&d, "update of all rows to one value", SP_E_UNIQUE,
            sp_db_update(d.s, "items", NULL, LIST(struct sp_field, { "value", V_INT(7) }), NULL, &d.err)) &&
        dc_holds(&d, d.s, "the old values", "items", TWO) &&
        dc_ok(&d, "update to its own value", dc_set(&d, d.s, "items", 2, "value", sp_v_int(20), &affected)) &&
        sp_check_int(ctx, "rows updated", 1, affected))
        (void)dc_holds(&d, d.s, "the same values", "items", TWO);
    dc_done(&d);
}

void crc_unique_compound(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (with_unique(&d, ctx, UNIQUE_ON("category", "value"), TWO) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(3, "a", V_INT(20)), ITEM(4, "b", V_INT(10)))) &&
        all_refused(&d, SP_E_UNIQUE, "items", ITEMS(ITEM(5, "a", V_INT(10)), ITEM(6, "b", V_INT(10)))) &&
        /* With a null in it a pair equals no other. */
        dc_create(&d, d.s, "items", ITEMS(ITEM(7, "a", V_NULL), ITEM(8, "a", V_NULL))))
        (void)dc_holds(&d, d.s, "each pair once, pairs with nulls as often as wanted", "items",
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, "a", V_INT(20)),
                ITEM(4, "b", V_INT(10)), ITEM(7, "a", V_NULL), ITEM(8, "a", V_NULL)));
    dc_done(&d);
}

void crc_unique_nulls(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (with_unique(&d, ctx, UNIQUE_ON("value"),
            ITEMS(ITEM(1, "a", V_NULL), ITEM(2, "b", V_NULL), ITEM(3, "c", V_INT(1)))) &&
        all_refused(&d, SP_E_UNIQUE, "items", ITEMS(ITEM(4, "d", V_INT(1)))))
        (void)dc_holds(&d, d.s, "two nulls are no duplicates", "items",
            ITEMS(ITEM(1, "a", V_NULL), ITEM(2, "b", V_NULL), ITEM(3, "c", V_INT(1))));
    dc_done(&d);
}

void crc_unique_case(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows *const rows =
        ITEMS(ITEM(1, "key", V_NULL), ITEM(2, "Key", V_NULL), ITEM(3, "KEY", V_NULL), ITEM(4, "key ", V_NULL),
            ITEM(5, " key", V_NULL), ITEM(6, "", V_NULL), ITEM(7, "\xc3\xa9", V_NULL),
            ITEM(8, "e\xcc\x81", V_NULL), ITEM(9, "\xc3\x89", V_NULL), ITEM(10, "e", V_NULL));
    struct dc d;
    (void)data;
    if (with_unique(&d, ctx, UNIQUE_ON("category"), rows) &&
        dc_holds(&d, d.s, "ten different texts", "items", rows) &&
        all_refused(&d, SP_E_UNIQUE, "items",
            ITEMS(ITEM(11, "Key", V_NULL), ITEM(12, "", V_NULL), ITEM(13, "\xc3\xa9", V_NULL))))
        (void)dc_holds(&d, d.s, "the same ten", "items", rows);
    dc_done(&d);
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

void crc_primary_key(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) &&
        all_refused(&d, SP_E_UNIQUE, "items", ITEMS(ITEM(2, "again", V_INT(1)))) &&
        dc_refused(&d, "update to a key that is taken", SP_E_UNIQUE,
            dc_set(&d, d.s, "items", 1, "id", sp_v_int(2), NULL)))
        (void)dc_holds(&d, d.s, "the old rows", "items", TWO);
    dc_done(&d);
}

void crc_primary_key_compound(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("category", TEXT, .not_null = true),
        COL("value", INT) };
    const struct sp_table table = {
        .name = "items", .columns = columns, .ncolumns = 3, .pk = NAMES("category", "id")
    };
    const struct dc_rows *const rows =
        ITEMS(ITEM(1, "a", V_INT(1)), ITEM(2, "a", V_INT(2)), ITEM(3, "b", V_INT(3)));
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &table, rows) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(4, "b", V_INT(4)))) &&
        all_refused(&d, SP_E_UNIQUE, "items", ITEMS(ITEM(1, "a", V_INT(9)), ITEM(3, "b", V_INT(9)))) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(1, "b", V_INT(5)))) &&
        dc_read_is(&d, d.s, "the rows in the order of their key",
            QUERY("items", SORTED(ASC("category"), ASC("id"))),
            ITEMS(ITEM(1, "a", V_INT(1)), ITEM(2, "a", V_INT(2)), ITEM(1, "b", V_INT(5)),
                ITEM(3, "b", V_INT(3)), ITEM(4, "b", V_INT(4)))))
        (void)dc_count_is(&d, d.s, "items", ID_IS(1), 2);
    dc_done(&d);
}

/* Texts as keys: bytes decide, long ones too. */
void crc_primary_key_text(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL("id", TEXT, .not_null = true), COL("n", INT) };
    const struct sp_table table = TABLE("texts", columns);
    const struct dc_rows rows = { .columns = NAMES("id", "n"),
        .values =
            VALUES(V_TEXT(""), V_INT(1), V_TEXT("A"), V_INT(2), V_TEXT("a"), V_INT(3), V_TEXT("a "), V_INT(4),
                V_TEXT("a/b?c=d#e"), V_INT(5), V_TEXT("key'\"`;"), V_INT(6), V_TEXT("\xc3\xa9"), V_INT(7)) };
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &table, &rows) &&
              dc_holds(&d, d.s, "rows by text keys", "texts", &rows) &&
              all_refused(&d, SP_E_UNIQUE, "texts", &rows);
    for (size_t i = 0; ok && i < dc_nrows(&rows); i++) {
        struct sp_filter where = {
            .op = SP_F_EQ, .column = "id", .values = &rows.values[2 * i], .nvalues = 1
        };
        const struct dc_rows one = { rows.columns, 2, rows.values + 2 * i, 2 };
        ok = dc_read_is(&d, d.s, "the row of this key", QUERY("texts", .where = &where), &one);
    }
    dc_done(&d);
}

/* A table without a key keeps equal rows apart. */
void crc_without_key(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows *const rows =
        ITEMS(ITEM(1, "a", V_INT(1)), ITEM(1, "a", V_INT(1)), ITEM(2, "b", V_NULL));
    struct sp_table table = dc_items;
    table.npk = 0;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &table, rows) &&
        dc_holds(&d, d.s, "both equal rows", "items", rows) &&
        dc_update(&d, d.s, "items", ID_IS(1), LIST(struct sp_field, { "value", V_INT(5) }), 2) &&
        dc_delete(&d, d.s, "items", ID_IS(2), 1))
        (void)dc_holds(
            &d, d.s, "both rows updated", "items", ITEMS(ITEM(1, "a", V_INT(5)), ITEM(1, "a", V_INT(5))));
    dc_done(&d);
}

/* ---- not null, check -------------------------------------------------------------------------------------------------- */

void crc_not_null(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows left_out = { .columns = NAMES("id", "value"), .values = VALUES(V_INT(4), V_INT(1)) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) &&
        all_refused(&d, SP_E_NOT_NULL, "items", ITEMS(V_INT(3), V_NULL, V_INT(1))) &&
        all_refused(&d, SP_E_NOT_NULL, "items", &left_out) &&
        /* The empty text, zero: values. */
        dc_create(&d, d.s, "items", ITEMS(ITEM(5, "", V_INT(0)))))
        (void)dc_holds(&d, d.s, "rows with a category", "items",
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(5, "", V_INT(0))));
    dc_done(&d);
}

void crc_not_null_update(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) &&
        dc_refused(&d, "update of a required value to null", SP_E_NOT_NULL,
            sp_db_update(d.s, "items", NULL, LIST(struct sp_field, { "category", V_NULL }), NULL, &d.err)))
        (void)dc_holds(&d, d.s, "the old rows", "items", TWO);
    dc_done(&d);
}

static bool with_check(struct dc *d, struct sp_ctx *ctx, const char *expr)
{
    const struct sp_check check = { "sane", expr };
    struct sp_table table = dc_items;
    table.checks = &check;
    table.nchecks = 1;
    return dc_open(d, ctx) && dc_table(d, &table, TWO);
}

void crc_check(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (with_check(&d, ctx, "value >= 0") &&
        all_refused(&d, SP_E_CHECK, "items", ITEMS(ITEM(3, "c", V_INT(-1)))) &&
        dc_refused(&d, "update to a value that the check refuses", SP_E_CHECK,
            dc_set(&d, d.s, "items", 1, "value", sp_v_int(-5), NULL)) &&
        dc_holds(&d, d.s, "the old rows", "items", TWO) &&
        /* The bound itself holds, and null is unknown, which is not false. */
        dc_create(&d, d.s, "items", ITEMS(ITEM(3, "c", V_INT(0)), ITEM(4, "d", V_NULL))))
        (void)dc_holds(&d, d.s, "values that the check allows", "items",
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, "c", V_INT(0)),
                ITEM(4, "d", V_NULL)));
    dc_done(&d);
}

void crc_check_text(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (with_check(&d, ctx, "category <> ''") &&
        all_refused(&d, SP_E_CHECK, "items", ITEMS(ITEM(3, "", V_INT(1)))) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(3, " ", V_INT(1)))))
        (void)dc_holds(&d, d.s, "texts that the check allows", "items",
            ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, " ", V_INT(1))));
    dc_done(&d);
}

/* ---- types --------------------------------------------------------------------------------------------------------------- */

static bool wrong_type(struct dc *d, const char *table, const struct sp_value *row)
{
    int rc = sp_db_insert_many(
        d->s, table, (const char *const[]){ "id", "category", "value" }, 3, row, 1, NULL, &d->err);
    bool ok = sp_check(
        d->ctx, rc == -SP_E_INVALID || rc == -SP_E_RANGE, "a value of another type is refused as invalid");
    sp_error_clear(&d->err);
    return ok;
}

void crc_strict_types(struct sp_ctx *ctx, const void *data)
{
    struct sp_table table = dc_items;
    struct dc d;
    (void)data;
    table.strict = true;
    if (dc_open(&d, ctx) && dc_table(&d, &table, TWO) &&
        wrong_type(&d, "items", (const struct sp_value[]){ ITEM(3, "c", V_TEXT("ten")) }) &&
        wrong_type(&d, "items", (const struct sp_value[]){ V_TEXT("x"), V_TEXT("c"), V_INT(1) }) &&
        dc_fails(&d, "update to a value of another type", SP_E_INVALID,
            dc_set(&d, d.s, "items", 1, "value", sp_v_text("many"), NULL)))
        (void)dc_holds(&d, d.s, "the old rows", "items", TWO);
    dc_done(&d);
}

void crc_strict_width(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID,
        { .name = "category", .type = { .tag = SP_TEXT, .length = 3 } },
        { .name = "value", .type = { .tag = SP_INT, .int_bits = 16 } } };
    const struct sp_table table = TABLE("items", columns, .strict = true);
    const struct dc_rows *const rows =
        ITEMS(ITEM(1, "abc", V_INT(32767)), ITEM(2, "\xc3\xa9\xc3\xa9\xc3\xa9", V_INT(-32768)));
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &table, rows) &&
              dc_holds(&d, d.s, "values at the limits", "items", rows);
    if (ok) {
        const struct sp_value big[] = { ITEM(3, "x", V_INT(32768)) },
                              longer[] = { ITEM(4, "abcd", V_INT(1)) };
        int rc = sp_db_insert_many(d.s, "items", rows->columns, 3, big, 1, NULL, &d.err);
        ok = sp_check(ctx, rc != 0, "an integer beyond 16 bits is refused");
        sp_error_clear(&d.err);
        rc = ok ? sp_db_insert_many(d.s, "items", rows->columns, 3, longer, 1, NULL, &d.err) : 0;
        ok = ok && sp_check(ctx, rc != 0, "a text of four characters is refused");
        sp_error_clear(&d.err);
        (void)(ok && dc_holds(&d, d.s, "the old rows, nothing cut", "items", rows));
    }
    dc_done(&d);
}

/* ---- after an error ----------------------------------------------------------------------------------------------------- */

void crc_error_usable(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO);
    for (int i = 0; ok && i < 20; i++)
        ok = all_refused(&d, SP_E_UNIQUE, "items", ITEMS(ITEM(1, "again", V_NULL))) &&
             dc_read_is(&d, d.s, "a read after the error", QUERY("items", .where = ID_IS(2)),
                 ITEMS(ITEM(2, "b", V_INT(20))));
    ok = ok && dc_create(&d, d.s, "items", ITEMS(ITEM(3, "c", V_NULL)));
    (void)(ok && dc_holds(&d, d.s, "a write after the errors", "items",
                     ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, "c", V_NULL))));
    dc_done(&d);
}

/* After an error inside a transaction it either goes on or can only be rolled back: nothing half-done is committed. */
void crc_error_in_txn(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
              dc_create(&d, d.s, "items", ITEMS(ITEM(3, "c", V_NULL))) &&
              all_refused(&d, SP_E_UNIQUE, "items", ITEMS(ITEM(1, "again", V_NULL)));
    if (ok) {
        int rc = sp_db_commit(d.s, &d.err);
        dc_ended(&d, d.s);
        sp_error_clear(&d.err);
        ok = rc == 0 ? dc_holds(&d, d.s, "what succeeded before the error, committed", "items",
                           ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, "c", V_NULL)))
                     : dc_holds(&d, d.s, "nothing of a transaction that could not commit", "items", TWO);
        sp_ctx_observe(ctx, "atomicity: commit after an error in a transaction", "%s",
            rc == 0 ? "keeps what succeeded before the error" : "is refused; nothing is kept");
    }
    /* And the next transaction is a new one. */
    (void)(ok && dc_begin(&d, d.s, SP_ISO_DEFAULT) && dc_delete(&d, d.s, "items", ID_IS(2), 1) &&
           dc_commit(&d, d.s) && dc_count_is(&d, d.s, "items", ID_IS(2), 0));
    dc_done(&d);
}
