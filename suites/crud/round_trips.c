/* round_trips.c -- values come back as they were written: by create, by create-many, by update, in another session. */
#include "suites/crud/crud.h"

#include <string.h>

static bool typed_table(struct dc *d, const struct sp_type *type)
{
    const struct sp_column columns[] = { COL_ID, { .name = "v", .type = *type } };
    const struct sp_table table = TABLE("kept", columns);
    return sp_ctx_table(d->ctx, &table);
}

static bool may_filter(enum sp_tag tag)
{
    return tag != SP_JSON && tag != SP_ARRAY && tag != SP_VECTOR && tag != SP_F32 && tag != SP_F64;
}

/* Found by its own value: what is bound in a filter is the same as what was stored. */
static bool found_by_value(struct dc *d, const struct sp_value *rows, size_t n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        const struct sp_value *row = rows + 2 * i;
        if (sp_v_is_absent(&row[1]) || (row[1].tag == SP_TEXT && row[1].u.str.n > 10000))
            continue;
        const struct sp_filter both[] = { { .op = SP_F_EQ, .column = "v", .values = &row[1], .nvalues = 1 },
            { .op = SP_F_EQ, .column = "id", .values = &row[0], .nvalues = 1 } };
        const struct sp_filter where = { .op = SP_F_AND, .args = both, .nargs = 2 };
        const struct dc_rows one = { .columns = NAMES("id", "v"), .values = row, .nvalues = 2 };
        ok = dc_read_is(d, d->s, "found by its value", QUERY("kept", .where = &where), &one);
    }
    return ok;
}

void crc_round_trip(struct sp_ctx *ctx, const void *data)
{
    const struct crud_values *c = data;
    size_t n = c->nvalues;
    struct dc d;
    struct sp_value *rows = sp_arena_array(sp_ctx_arena(ctx), n * 6, sizeof *rows);
    if (rows == NULL) {
        sp_ctx_error(ctx, "out of memory");
        return;
    }
    bool ok = dc_open(&d, ctx) && typed_table(&d, &c->type);
    for (size_t i = 0; ok && i < 3 * n; i++) {
        rows[2 * i] = sp_v_int((int64_t)i + 1);
        rows[2 * i + 1] = dc_fit(&d, c->values[i % n]);
    }
    const char *const names[] = { "id", "v" };
    const struct dc_rows many = { names, 2, rows, 2 * n }, all = { names, 2, rows, 6 * n };
    ok = ok && dc_create(&d, d.s, "kept", &many) && dc_holds(&d, d.s, "created together", "kept", &many);
    for (size_t i = n; ok && i < 2 * n; i++) {
        const struct dc_rows one = { names, 2, rows + 2 * i, 2 };
        ok = dc_create(&d, d.s, "kept", &one);
    }
    for (size_t i = 2 * n; ok && i < 3 * n; i++) {
        const struct sp_value before[] = { rows[2 * i], sp_v_null() };
        const struct dc_rows one = { names, 2, before, 2 };
        int64_t affected = 0;
        ok = dc_create(&d, d.s, "kept", &one) &&
             dc_ok(&d, "update", dc_set(&d, d.s, "kept", rows[2 * i].u.i, "v", rows[2 * i + 1], &affected)) &&
             sp_check_int(ctx, "rows updated", 1, affected);
    }
    ok = ok && dc_holds(&d, d.s, "created together, singly, updated", "kept", &all);
    if (ok && may_filter(c->type.tag))
        ok = found_by_value(&d, rows, n);
    if (ok && sp_ctx_cap(ctx, SP_CAP_CONCURRENT_SESSIONS)->level == SP_CAP_YES) {
        struct sp_session *b = dc_other(&d, 1);
        (void)(b != NULL && dc_holds(&d, b, "read in another session", "kept", &all));
    }
    dc_done(&d);
}

/* A missing field is neither null nor an empty value. */
void crc_missing_field(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows *const rows =
        ITEMS(ITEM(1, "a", V_MISSING), ITEM(2, "a", V_NULL), ITEM(3, "a", V_INT(0)));
    struct sp_table table = dc_items;
    struct dc d;
    (void)data;
    table.open_fields = true;
    if (dc_open(&d, ctx) && dc_table(&d, &table, rows) &&
        dc_holds(&d, d.s, "missing, null, 0", "items", rows) &&
        dc_update(&d, d.s, "items", ID_IS(1), LIST(struct sp_field, { "value", V_NULL }), 1))
        (void)dc_holds(&d, d.s, "a missing field set to null", "items",
            ITEMS(ITEM(1, "a", V_NULL), ITEM(2, "a", V_NULL), ITEM(3, "a", V_INT(0))));
    dc_done(&d);
}

/* The JSON value null is a value; so are the string "null" and the empty object. */
void crc_json_null(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("v", JSON) };
    const struct sp_table table = TABLE("kept", columns);
    const struct dc_rows rows = { .columns = NAMES("id", "v"),
        .values = VALUES(V_INT(1), V_JSON("null"), V_INT(2), V_NULL, V_INT(3), V_JSON("\"null\""), V_INT(4),
            V_JSON("{}")) };
    const struct dc_rows want = { .columns = NAMES("id", "v"), .values = VALUES(V_INT(2), V_NULL) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &table, &rows) &&
        dc_holds(&d, d.s, "null in four ways", "kept", &rows))
        (void)dc_read_is(&d, d.s, "is null finds the null",
            QUERY("kept", BY_ID, .where = FILTER_OF(W_NONE(IS_NULL))), &want);
    dc_done(&d);
}

/* An object in an object, a hundred times. */
void crc_json_deep(struct sp_ctx *ctx, const void *data)
{
    enum { DEPTH = 100 };
    struct sp_buf text = SP_BUF_INIT;
    struct dc d;
    (void)data;
    for (int i = 0; i < DEPTH; i++)
        (void)sp_buf_puts(&text, i % 2 == 0 ? "{\"a\":" : "[1,");
    (void)sp_buf_puts(&text, "\"core\"");
    for (int i = DEPTH; i-- > 0;)
        (void)sp_buf_puts(&text, i % 2 == 0 ? "}" : "]");
    if (dc_open(&d, ctx) && sp_check(ctx, !text.oom, "memory for the text") &&
        typed_table(&d, &(struct sp_type){ .tag = SP_JSON })) {
        const struct sp_value v[] = { V_INT(1), sp_v_jsonn(text.p, text.n) };
        const struct dc_rows rows = { .columns = NAMES("id", "v"), .values = v, .nvalues = 2 };
        (void)(dc_create(&d, d.s, "kept", &rows) && dc_holds(&d, d.s, "deep JSON", "kept", &rows));
    }
    sp_buf_free(&text);
    dc_done(&d);
}

/* A mebibyte, or what the backend says is its limit. */
static void large(struct sp_ctx *ctx, enum sp_tag tag)
{
    int64_t limit = sp_ctx_cap(ctx, SP_CAP_VALUE_BYTES)->limit;
    size_t n = limit > 0 && limit < 1 << 20 ? (size_t)limit : 1 << 20;
    char *p = sp_arena_alloc(sp_ctx_arena(ctx), n + 1);
    struct sp_rng *rng = sp_ctx_rng(ctx);
    struct dc d;
    if (p == NULL) {
        sp_ctx_error(ctx, "out of memory");
        return;
    }
    /* Text: letters only, so that any cut leaves valid UTF-8; a zero octet would end a C string. */
    for (size_t i = 0; i < n; i++)
        p[i] = tag == SP_BYTES ? (char)(uint8_t)sp_rng_below(rng, 256)
                               : (char)('!' + (int)sp_rng_below(rng, 90));
    const struct sp_value whole = tag == SP_BYTES ? sp_v_bytes(p, n) : sp_v_textn(p, n);
    struct sp_value less = whole;
    less.u.str.n = n - 1;
    const struct sp_value v[] = { V_INT(1), whole, V_INT(2), less };
    const struct dc_rows rows = { .columns = NAMES("id", "v"), .values = v, .nvalues = 4 };
    bool ok = dc_open(&d, ctx) && typed_table(&d, &(struct sp_type){ .tag = tag });
    for (size_t i = 0; ok && i < 2; i++) {
        const struct dc_rows one = { rows.columns, 2, v + 2 * i, 2 };
        ok = dc_create(&d, d.s, "kept", &one);
    }
    (void)(ok && dc_holds(&d, d.s, "long values", "kept", &rows));
    dc_done(&d);
}

void crc_large_text(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    large(ctx, SP_TEXT);
}

void crc_large_bytes(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    large(ctx, SP_BYTES);
}

void crc_all_bytes(struct sp_ctx *ctx, const void *data)
{
    uint8_t p[512];
    struct sp_value v[257 * 2];
    struct dc d;
    (void)data;
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (uint8_t)i;
    /* Each value alone, then all of them in turn, twice. */
    for (size_t i = 0; i < 257; i++) {
        v[2 * i] = sp_v_int((int64_t)i);
        v[2 * i + 1] = i < 256 ? sp_v_bytes(p + i, 1) : sp_v_bytes(p, sizeof p);
    }
    const struct dc_rows rows = { .columns = NAMES("id", "v"), .values = v, .nvalues = SP_LEN(v) };
    if (dc_open(&d, ctx) && typed_table(&d, &(struct sp_type){ .tag = SP_BYTES }) &&
        dc_create(&d, d.s, "kept", &rows))
        (void)dc_holds(&d, d.s, "every octet", "kept", &rows);
    dc_done(&d);
}

/* Instant and local timestamp of the same digits, side by side, stay what they are. */
void crc_instant_and_local(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("at", INSTANT), COL("wall", LOCAL) };
    const struct sp_table table = TABLE("clocks", columns);
    const struct dc_rows rows = { .columns = NAMES("id", "at", "wall"),
        .values = VALUES(V_INT(1), V_INSTANT(1711846800, 0), V_LOCAL(1711846800, 0), V_INT(2),
            V_INSTANT(0, 0), V_NULL, V_INT(3), V_NULL, V_LOCAL(0, 0)) };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &table, &rows))
        (void)dc_holds(&d, d.s, "instants and wall clocks", "clocks", &rows);
    dc_done(&d);
}
