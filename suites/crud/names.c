/* names.c -- names and texts that try to be something else: identifiers, quotes, wildcards, parameters. */
#include "suites/crud/crud.h"

#include <string.h>

/* A bystander: whatever a name or a text does, this table keeps its rows. */
#define WITNESS ITEMS(ITEM(1, "witness", V_INT(1)), ITEM(2, "witness", V_NULL))

static bool witness(struct dc *d)
{
    return dc_holds(d, d->s, "the other table", "items", WITNESS);
}

/* The name itself, or NULL for the longest that the backend declares (at most 200 octets). */
static const char *name_or_longest(struct dc *d, const char *name, char last)
{
    if (name != NULL)
        return name;
    int64_t limit = sp_ctx_cap(d->ctx, SP_CAP_IDENTIFIER_BYTES)->limit;
    size_t n = limit > 0 && limit < 200 ? (size_t)limit : 200;
    char *p = sp_arena_alloc(d->a, n + 1);
    if (p == NULL)
        return "x";
    memset(p, 'n', n);
    p[n - 1] = last;
    return p;
}

void crc_names(struct sp_ctx *ctx, const void *data)
{
    const struct crud_names *n = data;
    struct dc d;
    if (!dc_open(&d, ctx)) {
        dc_done(&d);
        return;
    }
    const char *table = name_or_longest(&d, n->table, 't');
    const char *const names[] = { "id", name_or_longest(&d, n->first, 'a'),
        name_or_longest(&d, n->second, 'b') };
    const struct sp_column columns[] = { COL_ID, { .name = names[1], .type = { .tag = SP_TEXT } },
        { .name = names[2], .type = { .tag = SP_INT } } };
    const struct sp_unique unique = { .name = "u", .columns = &names[2], .ncolumns = 1 };
    const bool uniques = sp_ctx_cap(ctx, SP_CAP_UNIQUE)->level == SP_CAP_YES;
    const struct sp_table t = { .name = table,
        .columns = columns,
        .ncolumns = 3,
        .pk = NAMES("id"),
        .uniques = &unique,
        .nuniques = uniques ? 1 : 0 };
    const struct dc_rows rows = { names, 3,
        VALUES(ITEM(1, "x", V_INT(10)), ITEM(2, "y", V_NULL), ITEM(3, "x", V_INT(30))) };
    const struct dc_rows after = { names, 3, VALUES(ITEM(1, "x", V_INT(10)), ITEM(3, "z", V_INT(31))) };
    const struct dc_rows found = { names, 3, VALUES(ITEM(3, "x", V_INT(30)), ITEM(1, "x", V_INT(10))) };
    const struct sp_value x = V_TEXT("x"), ten = V_INT(10);
    const struct sp_filter where = { .op = SP_F_EQ, .column = names[1], .values = &x, .nvalues = 1 };
    const struct sp_order order = { .column = names[2], .desc = true };
    const struct sp_query q = {
        .table = table, .where = &where, .order = &order, .norder = 1, .limit = SP_NO_LIMIT
    };
    const struct sp_field change[] = { { names[1], V_TEXT("z") }, { names[2], V_INT(31) } };
    if (dc_table(&d, &dc_items, WITNESS) && dc_table(&d, &t, &rows) &&
        dc_holds(&d, d.s, "rows under the names", table, &rows) &&
        dc_read_is(&d, d.s, "filtered and ordered by the names", &q, &found) &&
        dc_update(&d, d.s, table, ID_IS(3), change, 2, 1) && dc_delete(&d, d.s, table, ID_IS(2), 1) &&
        dc_holds(&d, d.s, "rows after update and delete", table, &after) && witness(&d) && uniques)
        (void)(dc_refused(&d, "a duplicate in a column of that name", SP_E_UNIQUE,
                   sp_db_insert_many(d.s, table, names, 3,
                       (const struct sp_value[]){ V_INT(4), V_TEXT("w"), ten }, 1, NULL, &d.err)) &&
               dc_holds(&d, d.s, "rows after the refusal", table, &after));
    dc_done(&d);
}

/* The text as a value, in every place a value may have. */
void crc_injection(struct sp_ctx *ctx, const void *data)
{
    const struct sp_value text = sp_v_text(((const struct crud_text *)data)->text);
    const struct sp_filter eq = { .op = SP_F_EQ, .column = "category", .values = &text, .nvalues = 1 },
                           contains = { .op = SP_F_CONTAINS,
                               .column = "category",
                               .values = &text,
                               .nvalues = 1 },
                           in = { .op = SP_F_IN, .column = "category", .values = &text, .nvalues = 1 },
                           neq = { .op = SP_F_NEQ, .column = "category", .values = &text, .nvalues = 1 },
                           like = { .op = SP_F_LIKE, .column = "category", .values = &text, .nvalues = 1 };
    struct sp_table texts = dc_items;
    struct dc d;
    texts.name = "texts";
    const struct sp_value stored[] = { V_INT(1), text, V_INT(10), V_INT(2), V_TEXT("other"), V_INT(20) };
    const struct dc_rows rows = {
        .columns = NAMES("id", "category", "value"), .values = stored, .nvalues = 6
    };
    const struct dc_rows mine = { rows.columns, 3, stored, 3 }, others = { rows.columns, 3, stored + 3, 3 };
    const struct sp_value both[] = { V_INT(1), text, V_INT(10), V_INT(2), text, V_INT(20) };
    const struct dc_rows twice = { rows.columns, 3, both, 6 };
    const struct sp_field change = { "category", text };
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, WITNESS) && dc_table(&d, &texts, &rows) &&
        dc_holds(&d, d.s, "stored as it is", "texts", &rows) &&
        dc_read_is(&d, d.s, "found by equality", QUERY("texts", BY_ID, .where = &eq), &mine) &&
        dc_read_is(&d, d.s, "found by contains", QUERY("texts", BY_ID, .where = &contains), &mine) &&
        dc_read_is(&d, d.s, "found by in", QUERY("texts", BY_ID, .where = &in), &mine) &&
        dc_read_is(&d, d.s, "left out by not equal", QUERY("texts", BY_ID, .where = &neq), &others) &&
        /* Two percent signs in a row, or a lone backslash at the end, are patterns of their own. */
        (strpbrk(text.u.str.p, "%_\\") != NULL ||
            dc_read_is(&d, d.s, "found by like", QUERY("texts", BY_ID, .where = &like), &mine)) &&
        dc_update(&d, d.s, "texts", ID_IS(2), &change, 1, 1) &&
        dc_holds(&d, d.s, "set by an update", "texts", &twice) && dc_delete(&d, d.s, "texts", &neq, 0) &&
        dc_delete(&d, d.s, "texts", &eq, 2) && dc_holds(&d, d.s, "deleted by it", "texts", NO_ITEMS))
        (void)witness(&d);
    dc_done(&d);
}
