/* batches.c -- many rows, many columns, and a long history of writes against a model of it. */
#include "suites/crud/crud.h"

#include <string.h>

#define ITEM_COLUMNS .columns = NAMES("id", "category", "value")

/* Seeded rows in the order of their ids. */
static struct sp_value *seeded(struct dc *d, size_t n)
{
    struct sp_rng *rng = sp_ctx_rng(d->ctx);
    struct sp_value *v = sp_arena_array(d->a, n * 3, sizeof *v);
    for (size_t i = 0; v != NULL && i < n; i++) {
        const char *text =
            sp_arena_printf(d->a, "row %zu: %016llx\xc3\xa9'", i, (unsigned long long)sp_rng_u64(rng));
        if (text == NULL)
            return NULL;
        v[3 * i] = sp_v_int((int64_t)i * 7 - 1000);
        v[3 * i + 1] = sp_v_text(text);
        v[3 * i + 2] = sp_rng_below(rng, 10) == 0 ? sp_v_null() : sp_v_int((int64_t)sp_rng_u64(rng));
    }
    if (v == NULL)
        sp_ctx_error(d->ctx, "out of memory");
    return v;
}

/* As many rows in one create as the backend declares to take. */
static bool create_all(struct dc *d, const char *table, const struct sp_value *v, size_t n)
{
    int64_t limit = sp_ctx_cap(d->ctx, SP_CAP_BATCH_ROWS)->limit;
    size_t step = limit > 0 && (uint64_t)limit < n ? (size_t)limit : n;
    for (size_t at = 0; at < n; at += step) {
        const struct dc_rows some = { ITEM_COLUMNS, .values = v + 3 * at,
            .nvalues = 3 * (n - at < step ? n - at : step) };
        if (!dc_create(d, d->s, table, &some))
            return false;
    }
    return true;
}

/* A table of its own, whose name stands before that of the others: what is left of thousands of deleted rows slows some stores
 * down wherever a later key meets it. */
static struct sp_table table_for_many(const char *name)
{
    struct sp_table t = dc_items;
    t.name = name;
    return t;
}

void crc_batch_large(struct sp_ctx *ctx, const void *data)
{
    enum { ROWS = 10000 };
    struct dc d;
    (void)data;
    const struct sp_table t = table_for_many("batch");
    struct sp_value *v = dc_open(&d, ctx) && dc_table(&d, &t, NULL) ? seeded(&d, ROWS) : NULL;
    const struct dc_rows rows = { ITEM_COLUMNS, .values = v, .nvalues = 3 * ROWS };
    if (v != NULL && create_all(&d, t.name, v, ROWS) &&
        dc_holds(&d, d.s, "ten thousand rows", t.name, &rows)) {
        const struct dc_rows last = { ITEM_COLUMNS, .values = v + 3 * (ROWS - 5), .nvalues = 15 };
        (void)dc_read_is(&d, d.s, "the last five", QUERY(t.name, BY_ID, .offset = ROWS - 5), &last);
    }
    dc_done(&d);
}

void crc_batch_update_large(struct sp_ctx *ctx, const void *data)
{
    enum { ROWS = 3000 };
    struct dc d;
    (void)data;
    const struct sp_table t = table_for_many("batches");
    struct sp_value *v = dc_open(&d, ctx) && dc_table(&d, &t, NULL) ? seeded(&d, ROWS) : NULL;
    bool ok = v != NULL && create_all(&d, t.name, v, ROWS);
    const struct sp_filter negative = F_ON("value", LT, V_INT(0));
    int64_t changed = 0, gone = 0;
    size_t n = 0;
    for (size_t i = 0; ok && i < ROWS; i++) {
        struct sp_value *row = v + 3 * i;
        if (row[2].tag == SP_INT && row[2].u.i < 0) {
            row[2] = sp_v_int(77);
            changed++;
        }
        bool is_null = row[2].tag == SP_NULL;
        gone += is_null;
        if (!is_null) {
            memmove(v + n, row, 3 * sizeof *v);
            n += 3;
        }
    }
    const struct dc_rows rest = { ITEM_COLUMNS, .values = v, .nvalues = n };
    (void)(ok &&
           dc_update(&d, d.s, t.name, &negative, LIST(struct sp_field, { "value", V_INT(77) }), changed) &&
           dc_delete(&d, d.s, t.name, FILTER_OF(F_NONE("value", IS_NULL)), gone) &&
           dc_holds(&d, d.s, "what was updated and left", t.name, &rest));
    dc_done(&d);
}

void crc_batch_wide(struct sp_ctx *ctx, const void *data)
{
    enum { COLUMNS = 60, ROWS = 20 };
    struct sp_column columns[COLUMNS];
    const char *names[COLUMNS];
    struct sp_value v[COLUMNS * ROWS];
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx);
    for (size_t c = 0; ok && c < COLUMNS; c++) {
        names[c] = c == 0 ? "id" : sp_arena_printf(d.a, "column_%zu", c);
        columns[c] = (struct sp_column){ .name = names[c],
            .type = { .tag = c % 3 == 1 ? SP_TEXT : (c % 3 == 2 ? SP_F64 : SP_INT) },
            .not_null = c == 0 };
        ok = names[c] != NULL;
        for (size_t r = 0; ok && r < ROWS; r++) {
            struct sp_value *to = &v[r * COLUMNS + c];
            const char *text = sp_arena_printf(d.a, "%zu/%zu", r, c);
            if (c != 0 && (r + c) % 11 == 0)
                *to = sp_v_null();
            else
                *to = c % 3 == 1 ? sp_v_text(text != NULL ? text : "")
                                 : (c % 3 == 2 ? sp_v_f64((double)(r * 100 + c) / 8)
                                               : sp_v_int((int64_t)(r * 1000 + c)));
        }
    }
    const struct sp_table wide = {
        .name = "wide", .columns = columns, .ncolumns = COLUMNS, .pk = NAMES("id")
    };
    const struct dc_rows rows = { names, COLUMNS, v, COLUMNS * ROWS };
    (void)(ok && dc_table(&d, &wide, &rows) && dc_holds(&d, d.s, "sixty columns", "wide", &rows) &&
           dc_read_is(&d, d.s, "all columns in the order of the table", QUERY("wide", BY_ID), &rows));
    dc_done(&d);
}

/* Texts from one octet to 64 KiB around the powers of two, where buffers end. */
void crc_batch_long_text(struct sp_ctx *ctx, const void *data)
{
    enum { SIZES = 17 };
    struct sp_value v[SIZES * 9];
    size_t n = 0;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx);
    for (int k = 0; ok && k < SIZES; k++) {
        for (int more = -1; more <= 1; more++) {
            size_t size = (size_t)((1 << k) + more);
            char *p = sp_arena_alloc(d.a, size + 1);
            ok = p != NULL;
            for (size_t i = 0; ok && i < size; i++)
                p[i] = (char)('a' + (int)((i * 7 + size) % 26));
            v[n] = sp_v_int((int64_t)n / 3);
            v[n + 1] = sp_v_textn(p, size);
            v[n + 2] = sp_v_int((int64_t)size);
            n += 3;
        }
    }
    const struct dc_rows rows = { ITEM_COLUMNS, .values = v, .nvalues = n };
    (void)(ok && dc_table(&d, &dc_items, &rows) &&
           dc_holds(&d, d.s, "texts of many lengths", "items", &rows));
    dc_done(&d);
}

/* ---- a history of random writes, and a model of the table ------------------------------------------------------------ */

enum { KEYS = 24 };

struct model {
    bool there[KEYS];
    struct sp_value rows[KEYS][3];
};

static bool model_holds(struct dc *d, const struct model *m)
{
    struct sp_value v[KEYS * 3];
    size_t n = 0;
    for (size_t k = 0; k < KEYS; k++) {
        if (m->there[k]) {
            memcpy(v + n, m->rows[k], sizeof m->rows[k]);
            n += 3;
        }
    }
    const struct dc_rows want = { ITEM_COLUMNS, .values = v, .nvalues = n };
    return dc_holds(d, d->s, "the table after this step of the history", "items", &want);
}

static struct sp_value small_value(struct sp_rng *rng)
{
    return sp_rng_below(rng, 6) == 0 ? sp_v_null() : sp_v_int((int64_t)sp_rng_below(rng, 10));
}

static bool step_create(struct dc *d, struct model *m, size_t k)
{
    static const char *const words[] = { "a", "b", "A", "" };
    struct sp_rng *rng = sp_ctx_rng(d->ctx);
    const struct sp_value row[] = { sp_v_int((int64_t)k), sp_v_text(words[sp_rng_below(rng, 4)]),
        small_value(rng) };
    const struct dc_rows one = { ITEM_COLUMNS, .values = row, .nvalues = 3 };
    if (m->there[k])
        return dc_refused(d, "create of a key that is there", SP_E_UNIQUE,
            sp_db_insert_many(d->s, "items", one.columns, 3, row, 1, NULL, &d->err));
    m->there[k] = true;
    memcpy(m->rows[k], row, sizeof row);
    return dc_create(d, d->s, "items", &one);
}

/* Rows whose value lies below a bound; null is not below. */
static bool step_change(struct dc *d, struct model *m, bool remove)
{
    struct sp_rng *rng = sp_ctx_rng(d->ctx);
    const struct sp_value bound = sp_v_int((int64_t)sp_rng_below(rng, 10)), to = small_value(rng);
    const struct sp_filter where = { .op = SP_F_EQ, .column = "value", .values = &bound, .nvalues = 1 };
    int64_t n = 0;
    for (size_t k = 0; k < KEYS; k++) {
        if (!m->there[k] || m->rows[k][2].tag != SP_INT || m->rows[k][2].u.i != bound.u.i)
            continue;
        n++;
        m->there[k] = !remove;
        m->rows[k][2] = to;
    }
    const struct sp_field f = { "value", to };
    return remove ? dc_delete(d, d->s, "items", &where, n) : dc_update(d, d->s, "items", &where, &f, 1, n);
}

static bool step_one(struct dc *d, struct model *m, size_t k, bool remove)
{
    const struct sp_value key = sp_v_int((int64_t)k), to = small_value(sp_ctx_rng(d->ctx));
    const struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &key, .nvalues = 1 };
    const struct sp_field f = { "value", to };
    int64_t n = m->there[k] ? 1 : 0;
    m->rows[k][2] = to;
    if (remove)
        m->there[k] = false;
    return remove ? dc_delete(d, d->s, "items", &where, n) : dc_update(d, d->s, "items", &where, &f, 1, n);
}

static bool step(struct dc *d, struct model *m)
{
    struct sp_rng *rng = sp_ctx_rng(d->ctx);
    size_t k = (size_t)sp_rng_below(rng, KEYS);
    switch (sp_rng_below(rng, 8)) {
    case 0:
        return step_change(d, m, false);
    case 1:
        return step_change(d, m, true);
    case 2:
        return step_one(d, m, k, true);
    case 3:
        return step_one(d, m, k, false);
    default:
        return step_create(d, m, k);
    }
}

void crc_history(struct sp_ctx *ctx, const void *data)
{
    struct model m = { { false }, { { { 0 } } } };
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, NULL);
    for (int i = 0; ok && i < (sp_ctx_quick(ctx) ? 150 : 1000); i++)
        ok = step(&d, &m) && model_holds(&d, &m);
    dc_done(&d);
}
