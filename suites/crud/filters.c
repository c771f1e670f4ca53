/* filters.c -- every operator over every type, against fixed rows; and random filters against the reference. */
#include "suites/crud/crud.h"

/* A set is a table (id, v) whose rows have the ids 1, 2, 3 ...; v has one type. */
#define SET(name, tag_, ...)                                                                                 \
    const struct crud_set crud_set_##name = {                                                                \
        .table = "values_" #name, .tag = (tag_), VALUES_OF(__VA_ARGS__)                                      \
    }
#define VALUES_OF(...) .values = VALUES(__VA_ARGS__)

SET(int, SP_INT, V_INT(5), V_INT(10), V_INT(15), V_NULL, V_INT(-3), V_INT(15), V_INT(9007199254740993),
    V_INT(9007199254740992), V_INT(INT64_MIN), V_INT(INT64_MAX));
SET(text, SP_TEXT, V_TEXT("alpha"), V_TEXT("Alpha"), V_TEXT("beta"), V_NULL, V_TEXT(""), V_TEXT("al%pha"),
    V_TEXT("a_b"), V_TEXT("a\\b"), V_TEXT("ALPHA"), V_TEXT("alphabet"), V_TEXT("caf\xc3\xa9"),
    V_TEXT("cafe\xcc\x81"), V_TEXT("beta "), V_TEXT("axb"), V_TEXT("\xc3\x89"), V_TEXT("a*b?[c]"),
    V_TEXT("x\xf0\x9f\x98\x80y"));
SET(bool, SP_BOOL, V_BOOL(true), V_BOOL(false), V_NULL, V_BOOL(true));
SET(decimal, SP_DEC, V_DEC(false, "11", -1), V_DEC(false, "1", 1), V_DEC(false, "99", -1), V_NULL,
    V_DEC(true, "25", -1), V_DEC(false, "12345678901234567890123456789", -9),
    V_DEC(false, "12345678901234567890123456788", -9), V_DEC(false, "", 0));
SET(float, SP_F64, V_F64(0.1), V_F64(0.30000000000000004), V_F64(0.3), V_NULL, V_F64(-1e300), V_F64(1e300),
    V_F64(5e-324), V_F64(0.0));
SET(instant, SP_INSTANT, V_INSTANT(0, 0), V_INSTANT(1600000000, 500000000), V_INSTANT(-1, 0), V_NULL,
    V_INSTANT(253402300799, 0), V_INSTANT(1600000000, 0), V_INSTANT(1600000000, 501000000));
SET(local, SP_LOCAL, V_LOCAL(0, 0), V_LOCAL(1600000000, 500000000), V_LOCAL(-86400, 0), V_NULL);
SET(date, SP_DATE, V_DATE(0), V_DATE(19782), V_DATE(-1), V_NULL, V_DATE(2932896), V_DATE(19783));
SET(time, SP_TIME, V_TIME(0), V_TIME(43200000000000), V_TIME(86399000000000), V_NULL, V_TIME(32400000000000));
SET(uuid, SP_UUID,
    V_UUID(0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff),
    V_UUID(0xff, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff),
    V_NULL,
    V_UUID(0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x46, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xfe));
SET(bytes, SP_BYTES, V_BYTES("\x00\x01"), V_BYTES("\x00"), V_BYTES(""), V_NULL, V_BYTES("\xff\xfe"),
    V_BYTES("abc"), V_BYTES("ABC"));

/* Makes the set's table and keeps the rows as they were written, for comparing. */
static bool set_up(struct dc *d, const struct crud_set *set, struct sp_value **rows)
{
    const struct sp_column columns[] = { COL_ID, { .name = "v", .type = { .tag = set->tag } } };
    const struct sp_table table = {
        .name = set->table, .columns = columns, .ncolumns = SP_LEN(columns), .pk = NAMES("id")
    };
    *rows = sp_arena_array(d->a, set->nvalues * 2, sizeof **rows);
    if (*rows == NULL) {
        sp_ctx_error(d->ctx, "out of memory");
        return false;
    }
    for (size_t i = 0; i < set->nvalues; i++) {
        (*rows)[2 * i] = sp_v_int((int64_t)i + 1);
        (*rows)[2 * i + 1] = dc_fit(d, set->values[i]);
    }
    const struct dc_rows all = { .columns = NAMES("id", "v"), .values = *rows, .nvalues = set->nvalues * 2 };
    return dc_table(d, &table, &all) && dc_holds(d, d->s, "the whole table", set->table, &all);
}

/* The same filter once for reading, once for counting. */
static bool selects(struct dc *d, const struct crud_set *set, const struct sp_value *rows,
    const struct sp_filter *where, const unsigned *ids)
{
    size_t n = 0;
    while (ids[n] != 0)
        n++;
    struct sp_value *picked = sp_arena_array(d->a, 2 * n + 1, sizeof *picked);
    if (picked == NULL) {
        sp_ctx_error(d->ctx, "out of memory");
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        picked[2 * i] = rows[2 * (ids[i] - 1)];
        picked[2 * i + 1] = rows[2 * (ids[i] - 1) + 1];
    }
    const struct dc_rows want = { .columns = NAMES("id", "v"), .values = picked, .nvalues = 2 * n };
    return dc_read_is(
               d, d->s, "rows that the filter selects", QUERY(set->table, BY_ID, .where = where), &want) &&
           dc_count_is(d, d->s, set->table, where, (int64_t)n);
}

void crc_filter(struct sp_ctx *ctx, const void *data)
{
    const struct crud_filter *f = data;
    struct sp_value *rows;
    struct dc d;
    if (dc_open(&d, ctx) && set_up(&d, f->set, &rows))
        (void)selects(&d, f->set, rows, &f->where, f->ids);
    dc_done(&d);
}

/* ---- random filters ---------------------------------------------------------------------------------------------- */

#define RANDOM_ROWS 60
static const char *const mixed_names[] = { "id", "n", "t", "b" };
static const struct sp_column mixed_columns[] = { COL_ID, COL("n", INT), COL("t", TEXT), COL("b", INT) };
static const struct sp_table mixed = TABLE("mixed", mixed_columns);

static struct sp_value random_value(struct sp_rng *rng, size_t column)
{
    static const char *const words[] = { "", "a", "A", "ab", "b", "ba", "a%", "_", "\xc3\xa9", "b " };
    if (sp_rng_below(rng, 5) == 0)
        return sp_v_null();
    return column == 2 ? sp_v_text(words[sp_rng_below(rng, SP_LEN(words))])
                       : sp_v_int((int64_t)sp_rng_below(rng, 7) - 3);
}

static bool random_leaf(struct dc *d, struct sp_filter *f)
{
    struct sp_rng *rng = sp_ctx_rng(d->ctx);
    size_t column = 1 + (size_t)sp_rng_below(rng, 3), n = 1;
    static const enum sp_filter_op ops[] = { SP_F_EQ, SP_F_NEQ, SP_F_GT, SP_F_GTE, SP_F_LT, SP_F_LTE, SP_F_IN,
        SP_F_IS_NULL, SP_F_CONTAINS };
    enum sp_filter_op op = ops[sp_rng_below(rng, column == 2 ? SP_LEN(ops) : SP_LEN(ops) - 1)];
    if (op == SP_F_IS_NULL)
        n = 0;
    else if (op == SP_F_IN)
        n = (size_t)sp_rng_below(rng, 5);
    struct sp_value *v = sp_arena_array(d->a, n + 1, sizeof *v);
    for (size_t i = 0; v != NULL && i < n; i++)
        v[i] = random_value(rng, column);
    *f = (struct sp_filter){
        .op = op, .column = mixed_names[column], .values = n == 0 ? NULL : v, .nvalues = n
    };
    return v != NULL;
}

static bool random_filter(struct dc *d, struct sp_filter *f, unsigned depth)
{
    struct sp_rng *rng = sp_ctx_rng(d->ctx);
    uint64_t kind = depth == 0 ? 0 : sp_rng_below(rng, 4);
    if (kind == 0)
        return random_leaf(d, f);
    size_t n = kind == 3 ? 1 : 1 + (size_t)sp_rng_below(rng, 3);
    struct sp_filter *args = sp_arena_array(d->a, n, sizeof *args);
    bool ok = args != NULL;
    for (size_t i = 0; ok && i < n; i++)
        ok = random_filter(d, &args[i], depth - 1);
    *f = (struct sp_filter){
        .op = kind == 1 ? SP_F_AND : (kind == 2 ? SP_F_OR : SP_F_NOT), .args = args, .nargs = n
    };
    return ok;
}

static const struct sp_value *field_of(void *row, const char *column)
{
    const struct sp_value *values = row;
    for (size_t i = 0; i < SP_LEN(mixed_names); i++) {
        if (sp_streq(mixed_names[i], column))
            return &values[i];
    }
    return NULL;
}

static bool random_agrees(struct dc *d, struct sp_value *rows)
{
    struct sp_filter f;
    struct sp_value *want = sp_arena_array(d->a, RANDOM_ROWS * SP_LEN(mixed_names), sizeof *want);
    size_t n = 0;
    if (want == NULL || !random_filter(d, &f, 3)) {
        sp_ctx_error(d->ctx, "out of memory");
        return false;
    }
    for (size_t i = 0; i < RANDOM_ROWS; i++) {
        struct sp_value *row = &rows[i * SP_LEN(mixed_names)];
        if (sp_filter_eval(&f, field_of, row) != 1)
            continue;
        for (size_t c = 0; c < SP_LEN(mixed_names); c++)
            want[n++] = row[c];
    }
    const struct dc_rows expected = { mixed_names, SP_LEN(mixed_names), want, n };
    struct sp_query q = { .table = "mixed", .where = &f, .limit = SP_NO_LIMIT, BY_ID };
    struct sp_buf shown = SP_BUF_INIT;
    (void)sp_query_print(&shown, &q);
    const char *what = sp_arena_str(d->a, shown.p != NULL ? shown.p : "a random filter");
    sp_buf_free(&shown);
    return dc_read_is(d, d->s, what != NULL ? what : "a random filter", &q, &expected);
}

void crc_filter_random(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (!dc_open(&d, ctx))
        return;
    struct sp_value *rows = sp_arena_array(d.a, RANDOM_ROWS * SP_LEN(mixed_names), sizeof *rows);
    if (rows == NULL) {
        sp_ctx_error(ctx, "out of memory");
    } else {
        for (size_t i = 0; i < RANDOM_ROWS; i++) {
            rows[4 * i] = sp_v_int((int64_t)i + 1);
            for (size_t c = 1; c < 4; c++)
                rows[4 * i + c] = random_value(sp_ctx_rng(ctx), c);
        }
        const struct dc_rows all = { mixed_names, SP_LEN(mixed_names), rows, RANDOM_ROWS * 4 };
        bool ok = dc_table(&d, &mixed, &all);
        for (int i = 0; ok && i < (sp_ctx_quick(ctx) ? 60 : 300); i++)
            ok = random_agrees(&d, rows);
    }
    dc_done(&d);
}

/* ---- the users' own scenario -------------------------------------------------------------------------------------- */

void crc_filter_order_scenario(struct sp_ctx *ctx, const void *data)
{
    const struct sp_filter where =
        F_ALL(F_ON("category", EQ, V_TEXT("alpha")), F_ON("value", GTE, V_INT(15)));
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) &&
        dc_table(&d, &dc_items,
            ITEMS(ITEM(1, "alpha", V_INT(10)), ITEM(2, "beta", V_INT(20)), ITEM(3, "alpha", V_INT(30)))))
        (void)dc_read_is(&d, d.s, "alpha with at least 15",
            QUERY("items", .where = &where, SORTED(DESC("value"))), ITEMS(ITEM(3, "alpha", V_INT(30))));
    dc_done(&d);
}

/* A row that lacks the field, one where it is null, one where it has a value. */
void crc_filter_missing(struct sp_ctx *ctx, const void *data)
{
    const struct sp_filter missing = F_NONE("value", IS_MISSING), null = F_NONE("value", IS_NULL),
                           some = F_ON("value", NEQ, V_INT(0));
    struct dc d;
    (void)data;
    struct sp_table open_items = dc_items;
    open_items.open_fields = true;
    if (dc_open(&d, ctx) &&
        dc_table(
            &d, &open_items, ITEMS(ITEM(1, "a", V_MISSING), ITEM(2, "a", V_NULL), ITEM(3, "a", V_INT(7)))) &&
        dc_holds(&d, d.s, "missing, null, 7", "items",
            ITEMS(ITEM(1, "a", V_MISSING), ITEM(2, "a", V_NULL), ITEM(3, "a", V_INT(7)))) &&
        dc_read_is(&d, d.s, "is missing", QUERY("items", BY_ID, .where = &missing),
            ITEMS(ITEM(1, "a", V_MISSING))) &&
        dc_read_is(&d, d.s, "is null", QUERY("items", BY_ID, .where = &null),
            ITEMS(ITEM(1, "a", V_MISSING), ITEM(2, "a", V_NULL))))
        (void)dc_read_is(
            &d, d.s, "is not 0", QUERY("items", BY_ID, .where = &some), ITEMS(ITEM(3, "a", V_INT(7))));
    dc_done(&d);
}

void crc_filter_array(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID,
        { .name = "v", .type = { .tag = SP_ARRAY, .elem = SP_INT } } };
    const struct sp_table table = TABLE("lists", columns);
    const struct dc_rows rows = { .columns = NAMES("id", "v"),
        .values = VALUES(V_INT(1), V_ARRAY(SP_INT, V_INT(1), V_INT(2)), V_INT(2), V_ARRAY0(SP_INT), V_INT(3),
            V_ARRAY(SP_INT, V_NULL, V_INT(2)), V_INT(4), V_NULL, V_INT(5), V_ARRAY(SP_INT, V_INT(12))) };
    const struct dc_rows want = { .columns = NAMES("id", "v"),
        .values = VALUES(
            V_INT(1), V_ARRAY(SP_INT, V_INT(1), V_INT(2)), V_INT(3), V_ARRAY(SP_INT, V_NULL, V_INT(2))) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &table, &rows) && dc_holds(&d, d.s, "arrays", "lists", &rows))
        (void)dc_read_is(&d, d.s, "arrays that contain 2",
            QUERY("lists", BY_ID, .where = FILTER_OF(W(CONTAINS, V_INT(2)))), &want);
    dc_done(&d);
}
