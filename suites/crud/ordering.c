/* ordering.c -- order by: directions, ties, nulls, bytes; and pages of an ordered whole. */
#include "suites/crud/crud.h"

#include <string.h>

static const char *const sorted_names[] = { "id", "n", "t" };
#define ORDERED sorted_names, 3
static const struct sp_column sorted_columns[] = { COL_ID, COL("n", INT), COL("t", TEXT) };
static const struct sp_table sorted = TABLE("sorted", sorted_columns);
/* Stored in another order than any that is asked for. */
static const struct sp_value sorted_values[] = { V_INT(5), V_INT(3), V_TEXT("b"), V_INT(1), V_INT(2),
    V_TEXT("B"), V_INT(8), V_NULL, V_TEXT("\xf0\x9f\x98\x80"), V_INT(3), V_INT(-7), V_TEXT("a"), V_INT(7),
    V_INT(2), V_NULL, V_INT(2), V_NULL, V_TEXT(""), V_INT(6), V_INT(10), V_TEXT("\xef\xbf\xbd"), V_INT(4),
    V_INT(2), V_TEXT("\xc3\xa9"), V_INT(9), V_INT(9), V_TEXT("a "), V_INT(10), V_INT(9), V_TEXT("_") };

static bool sorted_rows(struct dc *d, const unsigned *ids, struct dc_rows *out)
{
    size_t n = 0;
    struct sp_value *v = sp_arena_array(d->a, SP_LEN(sorted_values), sizeof *v);
    for (; v != NULL && ids[n] != 0; n++) {
        for (size_t i = 0; i < SP_LEN(sorted_values); i += 3) {
            if (sorted_values[i].u.i == (int64_t)ids[n]) {
                for (size_t c = 0; c < 3; c++)
                    v[3 * n + c] = sorted_values[i + c];
            }
        }
    }
    *out = (struct dc_rows){ ORDERED, v, 3 * n };
    if (v == NULL)
        sp_ctx_error(d->ctx, "out of memory");
    return v != NULL;
}

void crc_order(struct sp_ctx *ctx, const void *data)
{
    const struct dc_rows all = { ORDERED, sorted_values, SP_LEN(sorted_values) };
    const struct crud_order *o = data;
    struct dc_rows want;
    struct dc d;
    if (dc_open(&d, ctx) && dc_table(&d, &sorted, &all) && sorted_rows(&d, o->ids, &want)) {
        struct sp_query q = {
            .table = "sorted", .order = o->order, .norder = o->norder, .limit = SP_NO_LIMIT
        };
        bool ok = dc_read_is(&d, d.s, "all rows in order", &q, &want);
        /* The same order decides what a limit keeps. */
        q.limit = 4;
        q.offset = 3;
        struct dc_rows part = { ORDERED, want.values + 9, 12 };
        ok = ok && dc_read_is(&d, d.s, "rows 4 to 7 in order", &q, &part);
        /* And it need not be selected. */
        q.select = (const char *const[]){ "t" };
        q.nselect = 1;
        const struct sp_value texts[] = { part.values[2], part.values[5], part.values[8], part.values[11] };
        const struct dc_rows only = { .columns = NAMES("t"), .values = texts, .nvalues = 4 };
        (void)(ok && dc_read_is(&d, d.s, "ordered by columns that are not selected", &q, &only));
    }
    dc_done(&d);
}

/* Ties keep no promise among themselves, but the key order holds and each row comes once. */
void crc_order_ties(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (!dc_open(&d, ctx) || !sp_ctx_table(ctx, &dc_items)) {
        dc_done(&d);
        return;
    }
    enum { ROWS = 90 };
    struct sp_value v[ROWS * 3];
    for (size_t i = 0; i < ROWS; i++) {
        v[3 * i] = sp_v_int((int64_t)((i * 37) % ROWS) + 1);
        v[3 * i + 1] = sp_v_text("t");
        v[3 * i + 2] = sp_v_int((int64_t)(v[3 * i].u.i % 4));
    }
    const struct dc_rows rows = {
        .columns = NAMES("id", "category", "value"), .values = v, .nvalues = ROWS * 3
    };
    bool seen[ROWS + 1] = { false };
    int64_t last = INT64_MAX;
    bool ok = dc_create(&d, d.s, "items", &rows) &&
              dc_ok(&d, "read ordered by value alone",
                  sp_db_read(d.s, QUERY("items", SORTED(DESC("value"))), &d.r, &d.err)) &&
              sp_check_int(ctx, "rows", ROWS, (int64_t)d.r.nrows);
    for (size_t i = 0; ok && i < d.r.nrows; i++) {
        const struct sp_value *id = sp_result_at(&d.r, i, "id"), *value = sp_result_at(&d.r, i, "value");
        ok =
            sp_check(ctx, id != NULL && id->tag == SP_INT && id->u.i >= 1 && id->u.i <= ROWS, "a known id") &&
            sp_check(ctx, !seen[id->u.i], "each row comes once") &&
            sp_check_value(ctx, "value of the row", &(struct sp_value)V_INT(id->u.i % 4), value) &&
            sp_check(ctx, value->u.i <= last, "values descend");
        if (ok) {
            seen[id->u.i] = true;
            last = value->u.i;
        }
    }
    dc_done(&d);
}

/* ---- pages ---------------------------------------------------------------------------------------------------------- */

enum { PAGED = 53 };

/* Rows with ids in a shuffled order and values with ties; `v` in the order of (value descending, id). */
static bool paged(struct dc *d, struct sp_value v[PAGED * 3])
{
    struct sp_rng *rng = sp_ctx_rng(d->ctx);
    struct sp_value mixed[PAGED * 3];
    size_t at = 0;
    for (int64_t value = 6; value >= 0; value--) {
        for (int64_t id = 1; id <= PAGED; id++) {
            if (id % 7 != value)
                continue;
            v[at++] = sp_v_int(id);
            v[at++] = sp_v_text(id % 2 == 0 ? "even" : "odd");
            v[at++] = sp_v_int(value);
        }
    }
    memcpy(mixed, v, sizeof mixed);
    for (size_t i = PAGED - 1; i > 0; i--) {
        size_t k = (size_t)sp_rng_below(rng, i + 1);
        for (size_t c = 0; c < 3; c++) {
            struct sp_value x = mixed[3 * i + c];
            mixed[3 * i + c] = mixed[3 * k + c];
            mixed[3 * k + c] = x;
        }
    }
    const struct dc_rows rows = {
        .columns = NAMES("id", "category", "value"), .values = mixed, .nvalues = PAGED * 3
    };
    return dc_table(d, &dc_items, &rows);
}

#define PAGE_ORDER SORTED(DESC("value"), ASC("id"))

static bool page_is(struct dc *d, const struct sp_value *v, int64_t limit, int64_t offset)
{
    struct sp_query q = { .table = "items", PAGE_ORDER, .limit = limit, .offset = offset };
    int64_t from = offset < PAGED ? offset : PAGED, left = PAGED - from;
    int64_t n = limit != SP_NO_LIMIT && limit < left ? limit : left;
    const struct dc_rows want = {
        .columns = NAMES("id", "category", "value"), .values = v + 3 * from, .nvalues = (size_t)(3 * n)
    };
    const char *what = sp_arena_printf(d->a, "limit %lld offset %lld", (long long)limit, (long long)offset);
    return dc_read_is(d, d->s, what != NULL ? what : "a page", &q, &want);
}

void crc_page_walk(struct sp_ctx *ctx, const void *data)
{
    static const int64_t sizes[] = { 1, 7, 10, PAGED - 1, PAGED, PAGED + 1 };
    struct sp_value v[PAGED * 3];
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && paged(&d, v);
    for (size_t k = 0; ok && k < SP_LEN(sizes); k++) {
        for (int64_t at = 0; ok && at < PAGED + sizes[k]; at += sizes[k])
            ok = page_is(&d, v, sizes[k], at);
    }
    dc_done(&d);
}

void crc_page_edges(struct sp_ctx *ctx, const void *data)
{
    static const struct {
        int64_t limit, offset;
    } edges[] = { { 0, 0 }, { 0, 5 }, { SP_NO_LIMIT, 0 }, { SP_NO_LIMIT, 1 }, { SP_NO_LIMIT, PAGED - 1 },
        { SP_NO_LIMIT, PAGED }, { 5, PAGED }, { 5, PAGED + 1000 }, { 5, PAGED - 2 }, { 1000000, 0 }, { 1, 0 },
        { 1, PAGED - 1 }, { INT32_MAX, 3 } };
    struct sp_value v[PAGED * 3];
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && paged(&d, v);
    for (size_t k = 0; ok && k < SP_LEN(edges); k++)
        ok = page_is(&d, v, edges[k].limit, edges[k].offset);
    dc_done(&d);
}

void crc_page_filtered(struct sp_ctx *ctx, const void *data)
{
    struct sp_value v[PAGED * 3], even[PAGED * 3];
    size_t n = 0;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && paged(&d, v);
    for (size_t i = 0; ok && i < PAGED; i++) {
        if (v[3 * i].u.i % 2 == 0) {
            memcpy(&even[n], &v[3 * i], 3 * sizeof *v);
            n += 3;
        }
    }
    const struct sp_filter where = F_ON("category", EQ, V_TEXT("even"));
    for (size_t at = 0; ok && at < n; at += 12) {
        struct sp_query q = {
            .table = "items", .where = &where, PAGE_ORDER, .limit = 4, .offset = (int64_t)(at / 3)
        };
        const struct dc_rows want = { .columns = NAMES("id", "category", "value"),
            .values = even + at,
            .nvalues = n - at < 12 ? n - at : 12 };
        ok = dc_read_is(&d, d.s, "a page of what the filter selects", &q, &want);
    }
    ok = ok && dc_count_is(&d, d.s, "items", &where, (int64_t)(n / 3));
    dc_done(&d);
}

/* Rows that were changed or removed between two pages don't shift or double the others: pages by key. */
void crc_page_keyset(struct sp_ctx *ctx, const void *data)
{
    struct sp_value v[PAGED * 3];
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && paged(&d, v);
    int64_t last = 0;
    for (int64_t page = 0; ok && last < PAGED; page++) {
        struct sp_value after = sp_v_int(last);
        struct sp_filter where = { .op = SP_F_GT, .column = "id", .values = &after, .nvalues = 1 };
        struct sp_query q = { .table = "items", .where = &where, BY_ID, .limit = 6 };
        int64_t left = PAGED - last, n = left < 6 ? left : 6;
        ok = dc_ok(&d, "page", sp_db_read(d.s, &q, &d.r, &d.err)) &&
             sp_check_int(ctx, "rows of the page", n, (int64_t)d.r.nrows);
        for (int64_t i = 0; ok && i < n; i++)
            ok = sp_check_value(ctx, "id in its turn", &(struct sp_value)V_INT(last + i + 1),
                sp_result_at(&d.r, (size_t)i, "id"));
        if (!ok)
            break;
        last += n;
        /* What was read is removed: the rest stays where it is. */
        struct sp_value done = sp_v_int(last);
        struct sp_filter old = { .op = SP_F_LTE, .column = "id", .values = &done, .nvalues = 1 };
        ok = dc_delete(&d, d.s, "items", &old, n);
    }
    ok = ok && dc_holds(&d, d.s, "all rows were paged and removed", "items", NO_ITEMS);
    dc_done(&d);
}
