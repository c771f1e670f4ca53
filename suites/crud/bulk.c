/* bulk.c -- rows loaded in bulk, and the counter that draws the keys after them. */
#include "suites/crud/crud.h"

#define TWO ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL))

static const char *const item_names[] = { "id", "category", "value" };

static bool load(struct dc *d, const struct dc_rows *rows, struct sp_load **l)
{
    bool ok = dc_ok(d, "opening a bulk load", sp_db_load_open(d->s, "items", item_names, 3, l, &d->err));
    for (size_t i = 0; ok && i < dc_nrows(rows); i++)
        ok = dc_ok(d, "loading a row", sp_db_load_row(d->s, *l, rows->values + 3 * i, &d->err));
    return ok;
}

/* A load that is open is ended, whatever happened. */
static int end(struct dc *d, struct sp_load *l, bool commit, uint64_t *loaded)
{
    return l != NULL ? sp_db_load_close(d->s, l, commit, loaded, &d->err) : 0;
}

void crc_bulk_load(struct sp_ctx *ctx, const void *data)
{
    enum { ROWS = 500 };
    struct sp_value v[ROWS * 3];
    struct sp_load *l = NULL;
    uint64_t loaded = 0;
    struct dc d;
    (void)data;
    for (size_t i = 0; i < ROWS; i++) {
        v[3 * i] = sp_v_int((int64_t)i + 1);
        v[3 * i + 1] = sp_v_text(i % 3 == 0 ? "tab\t\\N\n\\." : (i % 3 == 1 ? "" : "caf\xc3\xa9"));
        v[3 * i + 2] = i % 7 == 0 ? sp_v_null() : sp_v_int((int64_t)i * -1000003);
    }
    const struct dc_rows all = { item_names, 3, v, SP_LEN(v) }, first = { item_names, 3, v, 6 },
                         rest = { item_names, 3, v + 6, SP_LEN(v) - 6 };
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, &first)) {
        bool ok = load(&d, &rest, &l);
        int rc = end(&d, l, ok, &loaded);
        (void)(ok && dc_ok(&d, "closing the load", rc) &&
               sp_check_int(ctx, "rows confirmed", ROWS - 2, (int64_t)loaded) &&
               dc_holds(&d, d.s, "the rows that were there and those loaded", "items", &all));
    }
    dc_done(&d);
}

void crc_bulk_load_abort(struct sp_ctx *ctx, const void *data)
{
    struct sp_load *l = NULL;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO)) {
        bool ok = load(&d, ITEMS(ITEM(3, "c", V_INT(3)), ITEM(4, "d", V_INT(4))), &l);
        int rc = end(&d, l, false, NULL);
        (void)(ok && dc_ok(&d, "giving the load up", rc) &&
               dc_holds(&d, d.s, "the table as it was", "items", TWO) &&
               dc_create(&d, d.s, "items", ITEMS(ITEM(3, "later", V_NULL))) &&
               dc_holds(&d, d.s, "a row created afterwards", "items",
                   ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL), ITEM(3, "later", V_NULL))));
    }
    dc_done(&d);
}

/* The bad row is refused when it comes, or with everything at the end. */
void crc_bulk_load_duplicate(struct sp_ctx *ctx, const void *data)
{
    const struct sp_value bad[] = { ITEM(2, "again", V_NULL) };
    struct sp_load *l = NULL;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO)) {
        bool ok = load(&d, ITEMS(ITEM(3, "c", V_INT(3))), &l);
        int rc = ok ? sp_db_load_row(d.s, l, bad, &d.err) : 0;
        if (ok && rc == 0) {
            rc = end(&d, l, true, NULL);
        } else {
            struct sp_error first = SP_ERROR_INIT;
            sp_error_move(&first, &d.err);
            (void)end(&d, l, false, NULL);
            sp_error_clear(&d.err);
            sp_error_move(&d.err, &first);
        }
        (void)(ok && dc_fails(&d, "a load with a key that is taken", SP_E_UNIQUE, rc) &&
               dc_holds(&d, d.s, "the table as it was", "items", TWO));
    }
    dc_done(&d);
}

/* ---- the counter ------------------------------------------------------------------------------------------------------ */

/* The counter of items.id, as the backend itself describes it; moved. */
static bool set_next(struct dc *d, int64_t next)
{
    struct sp_schema *schema = NULL;
    bool found = false, ok = true;
    const char *ns =
        sp_ctx_cap(d->ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES ? sp_ctx_namespace(d->ctx) : NULL;
    if (!dc_ok(d, "introspection", sp_db_introspect(d->s, ns, &schema, &d->err)))
        return false;
    for (size_t i = 0; ok && !found && i < schema->nsequences; i++) {
        struct sp_sequence q = schema->sequences[i];
        found = sp_streq(q.table, "items");
        q.next = next;
        if (found)
            ok = dc_ok(d, "setting the next key", sp_db_sequence_set(d->s, &q, &d->err));
    }
    ok = ok && sp_check(d->ctx, found, "the schema names the counter of the table");
    sp_schema_free(schema);
    return ok;
}

static bool draw(struct dc *d, const char *category)
{
    const struct sp_field f[] = { { "category", sp_v_text(category) }, { "value", V_NULL } };
    return dc_ok(d, "create without a key", sp_db_insert(d->s, "items", f, 2, &d->err));
}

void crc_sequence_set(struct sp_ctx *ctx, const void *data)
{
    const struct sp_column columns[] = {
        { .name = "id", .type = { .tag = SP_INT }, .not_null = true, .identity = true },
        COL("category", TEXT), COL("value", INT)
    };
    const struct sp_table table = TABLE("items", columns);
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) &&
        dc_table(&d, &table, ITEMS(ITEM(1, "given", V_NULL), ITEM(40, "given", V_NULL))) &&
        set_next(&d, 500) && draw(&d, "first") && draw(&d, "second"))
        (void)dc_holds(&d, d.s, "keys from the new start on", "items",
            ITEMS(ITEM(1, "given", V_NULL), ITEM(40, "given", V_NULL), ITEM(500, "first", V_NULL),
                ITEM(501, "second", V_NULL)));
    dc_done(&d);
}
