/* mock_items.h -- a small table, "item", and what tests do with it. */
#ifndef SP_TEST_MOCK_ITEMS_H
#define SP_TEST_MOCK_ITEMS_H

#include "mock_fixture.h"

static const struct sp_column item_columns[] = {
    { .name = "id", .type = { .tag = SP_INT } },
    { .name = "n", .type = { .tag = SP_INT }, .default_expr = "7" },
    { .name = "note", .type = { .tag = SP_TEXT } },
};
static const char *const id_only[] = { "id" };
static const struct sp_check n_positive[] = { { .name = "n_positive", .expr = "\"n\" >= 0" } };
static const struct sp_table item = { .name = "item",
    .columns = item_columns,
    .ncolumns = 3,
    .pk = id_only,
    .npk = 1,
    .checks = n_positive,
    .nchecks = 1 };

static inline int put_item(struct fix *f, struct sp_session *s, int64_t id, int64_t n)
{
    const struct sp_field row[] = { { "id", sp_v_int(id) }, { "n", sp_v_int(n) } };
    return sp_db_insert(s, "item", row, 2, &f->err);
}

static inline struct sp_filter by_id(struct sp_value *v, int64_t id)
{
    *v = sp_v_int(id);
    return (struct sp_filter){ .op = SP_F_EQ, .column = "id", .values = v, .nvalues = 1 };
}

static inline int set_n(struct fix *f, struct sp_session *s, int64_t id, int64_t n)
{
    struct sp_value v;
    struct sp_filter where = by_id(&v, id);
    const struct sp_field row[] = { { "n", sp_v_int(n) } };
    return sp_db_update(s, "item", &where, row, 1, NULL, &f->err);
}

/* n of the row, -1 if it isn't there. */
static inline int64_t n_of(struct fix *f, struct sp_session *s, int64_t id)
{
    struct sp_value v;
    struct sp_filter where = by_id(&v, id);
    struct sp_query q = { .table = "item", .where = &where, .limit = SP_NO_LIMIT };
    struct sp_result r = SP_RESULT_INIT;
    ok(f, sp_db_read(s, &q, &r, &f->err));
    int64_t n = r.nrows == 0 ? -1 : sp_result_at(&r, 0, "n")->u.i;
    sp_result_free(&r);
    return n;
}

#endif
