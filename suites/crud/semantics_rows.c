/* semantics_rows.c -- nulls, equality, names: how rows are found, and what counts as the same. */
#include "suites/crud/observe.h"

#include <math.h>

#define TWO ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_NULL))

/* What one row has in a column, as a word. */
static bool word_at(struct dc *d, const char *topic, const char *table, int64_t id, const char *column)
{
    if (!dc_ok(d, "read", sp_db_read(d->s, QUERY(table, .where = ID_IS(id)), &d->r, &d->err)) ||
        !sp_check_int(d->ctx, "rows", 1, (int64_t)d->r.nrows))
        return false;
    const struct sp_value *v = sp_result_at(&d->r, 0, column);
    sp_ctx_observe(d->ctx, topic, "%s", v == NULL ? "missing" : cro_shown(d, v));
    return true;
}

static const struct {
    const char *topic;
    struct sp_filter where;
} about_nulls[] = {
    { "null and missing: a filter value = null", F_ON("value", EQ, V_NULL) },
    { "null and missing: null where value <> 10 is asked for", F_ON("value", NEQ, V_INT(10)) },
    { "null and missing: null where not value = 10 is asked for", F_NOT(F_ON("value", EQ, V_INT(10))) },
    { "null and missing: null where value in (null) is asked for", F_ON("value", IN, V_NULL) },
    { "null and missing: null where is null is asked for", F_NONE("value", IS_NULL) },
    { "null and missing: null where is missing is asked for", F_NONE("value", IS_MISSING) },
};

void crc_semantics_nulls(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO);
    for (size_t i = 0; ok && i < SP_LEN(about_nulls); i++)
        ok = cro_finds(&d, about_nulls[i].topic, "items", &about_nulls[i].where, "not found", "found");
    if (ok &&
        dc_ok(&d, "read in order",
            sp_db_read(d.s, QUERY("items", SORTED(ASC("value"), ASC("id"))), &d.r, &d.err)) &&
        sp_check_int(ctx, "rows", 2, (int64_t)d.r.nrows)) {
        const struct sp_value *id = sp_result_at(&d.r, 0, "id");
        sp_ctx_observe(ctx, "null and missing: null in ascending order, where nothing is said about it", "%s",
            id != NULL && id->tag == SP_INT && id->u.i == 2 ? "first" : "last");
    }
    dc_done(&d);
}

/* What a create leaves out: alone, and in one row of several. */
void crc_semantics_defaults(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("plain", INT),
        COL("given", INT, .default_expr = "7") };
    const struct sp_table t = TABLE("left_out", columns);
    const struct sp_field alone[] = { { "id", V_INT(1) } };
    const char *const names[] = { "id", "plain", "given" };
    const struct sp_value two[] = { V_INT(2), V_MISSING, V_MISSING, V_INT(3), V_INT(5), V_INT(5) };
    const struct sp_field null[] = { { "id", V_INT(4) }, { "given", V_NULL } };
    struct dc d;
    const char *refusal = NULL;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &t, NULL) &&
              dc_ok(&d, "create", sp_db_insert(d.s, t.name, alone, 1, &d.err)) &&
              word_at(&d, "null and missing: what a create leaves out", t.name, 1, "plain") &&
              word_at(&d, "null and missing: what a create leaves out, with a default", t.name, 1, "given") &&
              dc_ok(&d, "create with null", sp_db_insert(d.s, t.name, null, 2, &d.err)) &&
              word_at(&d, "null and missing: null over a default", t.name, 4, "given") &&
              cro_answered(&d, "create of two",
                  sp_db_insert_many(d.s, t.name, names, 3, two, 2, NULL, &d.err), &refusal);
    const char *const topics[] = { "null and missing: what one row of a create-many leaves out",
        "null and missing: what one row of a create-many leaves out, with a default" };
    for (size_t i = 0; ok && i < 2; i++) {
        if (refusal != NULL)
            sp_ctx_observe(ctx, topics[i], "%s", refusal);
        else
            ok = word_at(&d, topics[i], t.name, 2, i == 0 ? "plain" : "given");
    }
    (void)(ok && dc_count_is(&d, d.s, t.name, NULL, refusal == NULL ? 4 : 2));
    dc_done(&d);
}

void crc_semantics_not_a_number(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("v", F64) };
    const struct sp_table t = TABLE("numbers", columns);
    const struct dc_rows rows = { .columns = NAMES("id", "v"),
        .values = VALUES(V_INT(1), V_F64(1.0), V_INT(2), V_F64(NAN), V_INT(3), V_F64(INFINITY)) };
    const struct sp_filter above = F_ON("v", GT, V_F64(1e300));
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &t, &rows) &&
        dc_ok(
            &d, "read in order", sp_db_read(d.s, QUERY(t.name, SORTED(ASC("v"), ASC("id"))), &d.r, &d.err)) &&
        sp_check_int(ctx, "rows", 3, (int64_t)d.r.nrows)) {
        size_t at = 0;
        for (size_t i = 0; i < 3; i++) {
            const struct sp_value *id = sp_result_at(&d.r, i, "id");
            at = id != NULL && id->tag == SP_INT && id->u.i == 2 ? i : at;
        }
        static const char *const places[] = { "before all numbers", "between numbers", "after all numbers" };
        sp_ctx_observe(ctx, "floats: NaN in ascending order", "%s", places[at]);
        int64_t n = 0;
        if (dc_ok(&d, "count", sp_db_count(d.s, t.name, &above, &n, &d.err)) &&
            sp_check(ctx, n == 1 || n == 2, "infinity is found"))
            sp_ctx_observe(
                ctx, "floats: NaN where v > 1e300 is asked for", "%s", n == 2 ? "found" : "not found");
    }
    dc_done(&d);
}

static const struct {
    const char *topic;
    struct sp_filter where;
} about_texts[] = {
    { "texts: 'Abc' where t = 'abc' is asked for", F_ON("t", EQ, V_TEXT("abc")) },
    { "texts: 'Abc' where t = 'Abc ' is asked for", F_ON("t", EQ, V_TEXT("Abc ")) },
    { "texts: 'Abc' where t like 'a%' is asked for", F_ON("t", LIKE, V_TEXT("a%")) },
    { "texts: 'Abc' where t contains 'B' is asked for", F_ON("t", CONTAINS, V_TEXT("B")) },
    { "texts: a composed letter where the decomposed one is asked for", F_ON("t", EQ, V_TEXT("e\xcc\x81")) },
    { "empty: '' where is null is asked for", F_NONE("t", IS_NULL) },
    { "empty: '' where t in ('') is asked for", F_ON("t", IN, V_TEXT("")) },
    { "integers: 1 where n = 1.0 is asked for, as a double", F_ON("n", EQ, V_F64(1.0)) },
    { "integers: 1 where n = '1' is asked for", F_ON("n", EQ, V_TEXT("1")) },
    { "integers: 1 and 2 where n < 2.5 is asked for, as a double", F_ON("n", LT, V_F64(2.5)) },
};

void crc_semantics_text_equal(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("t", TEXT), COL("n", INT) };
    const struct sp_table t = TABLE("equal_texts", columns);
    const struct dc_rows rows = { .columns = NAMES("id", "t", "n"),
        .values = VALUES(V_INT(1), V_TEXT("Abc"), V_INT(1), V_INT(2), V_TEXT("\xc3\xa9"), V_INT(2), V_INT(3),
            V_TEXT(""), V_INT(3)) };
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &t, &rows);
    for (size_t i = 0; ok && i < SP_LEN(about_texts); i++)
        ok = cro_finds(&d, about_texts[i].topic, t.name, &about_texts[i].where, "not found", "found");
    const struct sp_filter itself = F_ON("t", EQ, V_TEXT("Abc"));
    (void)(ok && dc_count_is(&d, d.s, t.name, &itself, 1));
    dc_done(&d);
}

/* Two texts in a unique column: two values, or one. */
void crc_semantics_text_unique(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("t", TEXT) };
    const struct sp_unique unique = { .name = "one_of_each", .columns = NAMES("t") };
    const struct sp_table t = TABLE("unique_texts", columns, .uniques = &unique, .nuniques = 1);
    static const struct {
        const char *topic;
        struct sp_value a, b;
    } pairs[] = {
        { "unique: 'a' and 'A'", V_TEXT("a"), V_TEXT("A") },
        { "unique: 'b' and 'b '", V_TEXT("b"), V_TEXT("b ") },
        { "unique: a composed and a decomposed letter", V_TEXT("\xc3\xa9"), V_TEXT("e\xcc\x81") },
        { "unique: null and null", V_NULL, V_NULL },
        { "unique: null and ''", V_NULL, V_TEXT("") },
    };
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &t, NULL);
    for (size_t i = 0; ok && i < SP_LEN(pairs); i++) {
        const struct sp_field a[] = { { "id", V_INT(1) }, { "t", pairs[i].a } },
                              b[] = { { "id", V_INT(2) }, { "t", pairs[i].b } };
        const char *refusal = NULL;
        ok = dc_ok(&d, "the first", sp_db_insert(d.s, t.name, a, 2, &d.err)) &&
             cro_answered(&d, "the second", sp_db_insert(d.s, t.name, b, 2, &d.err), &refusal) &&
             dc_count_is(&d, d.s, t.name, NULL, refusal == NULL ? 2 : 1) &&
             dc_ok(&d, "emptying", sp_db_delete(d.s, t.name, NULL, NULL, &d.err));
        if (ok)
            sp_ctx_observe(ctx, pairs[i].topic, "%s", refusal != NULL ? refusal : "two values");
    }
    dc_done(&d);
}

/* ---- names ------------------------------------------------------------------------------------------------------------ */

void crc_semantics_names(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("Mixed", INT), COL("mixed", INT) };
    struct sp_table t = TABLE("Things", columns);
    const struct sp_field f[] = { { "id", V_INT(1) }, { "Mixed", V_INT(1) }, { "mixed", V_INT(2) } };
    const char *refusal = NULL, *ns = NULL;
    int64_t n = 0;
    struct dc d;
    (void)data;
    struct sp_session *b = dc_open(&d, ctx) ? cro_apart(&d, "letters", &ns) : NULL;
    bool ok = b != NULL && cro_answered(&d, "two columns that differ in case",
                               sp_db_table_create(b, &t, true, &d.err), &refusal);
    if (ok)
        sp_ctx_observe(ctx, "case: two columns whose names differ in it", "%s",
            refusal != NULL ? refusal : "two columns");
    size_t nf = refusal != NULL ? 2 : 3;
    t.ncolumns = nf;
    ok = ok && (refusal == NULL || dc_ok(&d, "one column", sp_db_table_create(b, &t, true, &d.err))) &&
         dc_ok(&d, "create", sp_db_insert(b, t.name, f, nf, &d.err)) &&
         dc_ok(&d, "read", sp_db_read(b, QUERY(t.name, BY_ID), &d.r, &d.err)) &&
         sp_check_int(ctx, "rows", 1, (int64_t)d.r.nrows) &&
         sp_check_value(ctx, "the column", &f[1].value, sp_result_at(&d.r, 0, "Mixed")) &&
         dc_count_is(&d, b, t.name, NULL, 1);
    const struct sp_filter where = F_ON("MIXED", EQ, V_INT(1));
    ok = ok && cro_answered(&d, "another case", sp_db_count(b, t.name, &where, &n, &d.err), &refusal);
    if (ok)
        sp_ctx_observe(ctx, "case: a column asked for in another one", "%s",
            refusal != NULL ? refusal
            : n == 1        ? "the same column"
                            : "a column that is not there");
    ok = ok && cro_answered(&d, "another case", sp_db_count(b, "things", NULL, &n, &d.err), &refusal);
    if (ok)
        sp_ctx_observe(ctx, "case: a table asked for in another one", "%s",
            refusal != NULL ? refusal
            : n == 1        ? "the same table"
                            : "an empty table");
    dc_done(&d);
}
