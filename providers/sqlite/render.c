/* render.c -- one operation of the unified interface as one SQL statement. Names are quoted and known to exist, every
 * value is a parameter, numbered in the order in which the operation holds them. */
#include <string.h>

#include "providers/lib/sql_filter.h"
#include "providers/sqlite/internal.h"

void sq_sql_free(struct sq_sql *q)
{
    sp_buf_free(&q->text);
    sp_arena_free(&q->arena);
}

static int param(struct sq_sql *q, const struct sq_table *t, const struct sq_column *c, bool write, bool elem)
{
    q->params = sp_arena_grow(&q->arena, q->params, &q->cap, q->nparams + 1, sizeof *q->params);
    if (q->params == NULL)
        return -SP_E_NOMEM;
    struct sq_param *p = &q->params[q->nparams++];
    memset(p, 0, sizeof *p);
    if (t->ours && c != NULL && !elem) /* other people's columns keep their own spelling */
        p->type = c->type;
    p->strict = write && t->strict;
    return sp_buf_putc(
        &q->text, '?'); /* SQLite looks a numbered one up among all others: a long list would never end */
}

static int column(
    const struct sq_table *t, const char *name, const struct sq_column **out, struct sp_error *err)
{
    *out = sq_table_column(t, name);
    return *out != NULL
               ? 0
               : sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "no such column: %s.%s", t->logical, name);
}

static bool is_number(enum sp_tag t)
{
    return t == SP_INT || t == SP_DEC || t == SP_F32 || t == SP_F64;
}

/* Decimals stand as text: they compare by number through a function. */
static bool by_number(const struct sq_table *t, const struct sq_column *c, const struct sp_value *v)
{
    return (t->ours && c->type.tag == SP_DEC) || (v != NULL && v->tag == SP_DEC && is_number(c->type.tag));
}

static void put_operand(struct sq_sql *q, const struct sq_column *c)
{
    sq_put_name(&q->text, c->name);
    if (c->collation != NULL && sqlite3_stricmp(c->collation, "BINARY") != 0)
        sp_buf_puts(&q->text, " COLLATE sp_utf8"); /* text compares by bytes, whatever the column says */
}

static int put_compare(struct sq_sql *q, const struct sq_table *t, const struct sq_column *c, const char *op,
    const struct sp_value *v)
{
    bool number = by_number(t, c, v);
    if (number)
        sp_buf_puts(&q->text, "sp_dec_cmp(");
    put_operand(q, c);
    sp_buf_puts(&q->text, number ? ", " : op);
    /* A decimal beside an integer or float column keeps its digits: bound as such, it would become a double. */
    int ret = param(q, t, c, false, number && c->type.tag != SP_DEC);
    if (number)
        sp_buf_printf(&q->text, ")%s0", op);
    return ret;
}

static int put_in(
    struct sq_sql *q, const struct sq_table *t, const struct sq_column *c, const struct sp_filter *f)
{
    int ret = 0;
    bool number = false;
    for (size_t i = 0; i < f->nvalues; i++)
        number = number || by_number(t, c, &f->values[i]);
    if (number) {
        for (size_t i = 0; ret == 0 && i < f->nvalues; i++) {
            sp_buf_puts(&q->text, i == 0 ? "(" : " OR ");
            ret = put_compare(q, t, c, " = ", &f->values[i]);
        }
        sp_buf_putc(&q->text, ')');
        return ret;
    }
    put_operand(q, c);
    sp_buf_puts(&q->text, " IN (");
    for (size_t i = 0; ret == 0 && i < f->nvalues; i++) {
        if (i > 0)
            sp_buf_puts(&q->text, ",");
        ret = param(q, t, c, false, false);
    }
    sp_buf_putc(&q->text, ')');
    return ret;
}

static int put_contains(struct sq_sql *q, const struct sq_table *t, const struct sq_column *c)
{
    int ret;
    if (c->type.tag == SP_ARRAY) {
        sp_buf_puts(&q->text, "sp_has(");
        sq_put_name(&q->text, c->name);
        sp_buf_printf(&q->text, ", %d, ", (int)c->type.elem);
        ret = param(q, t, c, false, true);
        if (ret == 0)
            q->params[q->nparams - 1].member = true;
        return ret != 0 ? ret : sp_buf_putc(&q->text, ')');
    }
    sp_buf_puts(&q->text, "instr(CAST(");
    sq_put_name(&q->text, c->name);
    sp_buf_puts(&q->text, " AS BLOB), CAST(");
    ret = param(q, t, c, false, true);
    sp_buf_puts(&q->text, " AS BLOB)) > 0");
    return ret;
}

static int put_leaf(
    const struct sq_table *t, const struct sp_filter *f, struct sq_sql *q, struct sp_error *err)
{
    static const char *const ops[] = { [SP_F_EQ] = " = ",
        [SP_F_NEQ] = " <> ",
        [SP_F_GT] = " > ",
        [SP_F_GTE] = " >= ",
        [SP_F_LT] = " < ",
        [SP_F_LTE] = " <= " };
    const struct sq_column *c;
    int ret = column(t, f->column, &c, err);
    if (ret != 0)
        return ret;
    switch (f->op) {
    case SP_F_IN:
        return put_in(q, t, c, f);
    case SP_F_CONTAINS:
        return put_contains(q, t, c);
    case SP_F_LIKE:
        sp_buf_puts(&q->text, "sp_like(");
        sq_put_name(&q->text, c->name);
        sp_buf_puts(&q->text, ", ");
        ret = param(q, t, c, false, true);
        sp_buf_putc(&q->text, ')');
        return ret;
    case SP_F_IS_NULL:
        sq_put_name(&q->text, c->name);
        return sp_buf_puts(&q->text, " IS NULL");
    case SP_F_IS_MISSING:
        return sp_buf_puts(&q->text, "0");
    default:
        return put_compare(q, t, c, ops[f->op], &f->values[0]);
    }
}

struct where {
    const struct sq_table *t;
    struct sq_sql *q;
};

static int put_where_leaf(void *payload, const struct sp_filter *f, struct sp_error *err)
{
    struct where *w = payload;
    return put_leaf(w->t, f, w->q, err);
}

int sq_render_where(
    const struct sq_table *t, const struct sp_filter *f, struct sq_sql *q, struct sp_error *err)
{
    struct where w = { t, q };
    return sp_sql_where(&q->text, f, put_where_leaf, &w, err);
}

/* Chooses the result columns and appends their names. */
static int put_result(
    const struct sq_table *t, const char *const *select, size_t n, struct sq_sql *q, struct sp_error *err)
{
    size_t count = n > 0 ? n : t->ncolumns;
    q->columns = sp_arena_array(&q->arena, count, sizeof *q->columns);
    if (q->columns == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const struct sq_column *c = &t->columns[i];
        int ret = n > 0 ? column(t, select[i], &c, err) : 0;
        if (ret != 0)
            return ret;
        q->columns[i].type = c->type;
        q->columns[i].name = sp_arena_str(&q->arena, c->name); /* outlives the lookup */
        if (q->columns[i].name == NULL)
            return sp_nomem(err);
        if (i > 0)
            sp_buf_puts(&q->text, ", ");
        sq_put_name(&q->text, c->name);
    }
    q->ncolumns = count;
    return 0;
}

static int put_order(struct sp_session *s, const struct sq_table *t, const struct sp_query *query,
    struct sq_sql *q, struct sp_error *err)
{
    for (size_t i = 0; i < query->norder; i++) {
        const struct sp_order *o = &query->order[i];
        const struct sq_column *c;
        int ret = column(t, o->column, &c, err);
        if (ret != 0)
            return ret;
        sp_buf_puts(&q->text, i == 0 ? " ORDER BY " : ", ");
        sq_put_name(&q->text, c->name);
        if (t->ours && c->type.tag == SP_DEC)
            sp_buf_puts(&q->text, " COLLATE sp_decimal");
        else if (s->utf16 || (c->collation != NULL && sqlite3_stricmp(c->collation, "BINARY") != 0))
            sp_buf_puts(&q->text, " COLLATE sp_utf8");
        sp_buf_puts(&q->text, o->desc ? " DESC" : " ASC");
        if (o->nulls != SP_NULLS_DEFAULT)
            sp_buf_puts(&q->text, o->nulls == SP_NULLS_FIRST ? " NULLS FIRST" : " NULLS LAST");
    }
    if (query->limit != SP_NO_LIMIT || query->offset > 0)
        sp_buf_printf(&q->text, " LIMIT %lld", (long long)query->limit);
    if (query->offset > 0)
        sp_buf_printf(&q->text, " OFFSET %lld", (long long)query->offset);
    return 0;
}

static int put_conflict(const struct sq_table *t, const struct sp_op *op, const bool *present,
    struct sq_sql *q, struct sp_error *err)
{
    bool any = false;
    if (op->nkey == 0)
        return sp_invalid(err, "upsert into %s: no key columns given", t->logical);
    sp_buf_puts(&q->text, " ON CONFLICT (");
    for (size_t i = 0; i < op->nkey; i++) {
        const struct sq_column *c;
        int ret = column(t, op->key[i], &c, err);
        if (ret != 0)
            return ret;
        if (i > 0)
            sp_buf_puts(&q->text, ", ");
        sq_put_name(&q->text, c->name);
    }
    sp_buf_puts(&q->text, ") DO UPDATE SET ");
    for (size_t i = 0; i < op->nfields; i++) {
        bool key = present != NULL && !present[i];
        for (size_t k = 0; k < op->nkey; k++)
            key = key || strcmp(op->key[k], op->fields[i]) == 0;
        if (key)
            continue;
        sp_buf_puts(&q->text, any ? ", " : "");
        sq_put_name(&q->text, op->fields[i]);
        sp_buf_puts(&q->text, " = excluded.");
        sq_put_name(&q->text, op->fields[i]);
        any = true;
    }
    if (!any) { /* only the key: an update that changes nothing, so that the row counts and returns */
        sq_put_name(&q->text, op->key[0]);
        sp_buf_puts(&q->text, " = excluded.");
        sq_put_name(&q->text, op->key[0]);
    }
    return 0;
}

static int put_insert(const struct sq_table *t, const struct sp_op *op, const bool *present, struct sq_sql *q,
    struct sp_error *err)
{
    size_t n = 0;
    int ret = 0;
    sp_buf_puts(&q->text, "INSERT INTO ");
    sq_put_name(&q->text, t->physical);
    for (size_t i = 0; i < op->nfields; i++) {
        const struct sq_column *c;
        ret = column(t, op->fields[i], &c, err);
        if (ret != 0)
            return ret;
        if (present != NULL && !present[i])
            continue;
        sp_buf_puts(&q->text, n++ == 0 ? " (" : ", ");
        sq_put_name(&q->text, c->name);
    }
    sp_buf_puts(&q->text, n == 0 ? " DEFAULT VALUES" : ") VALUES (");
    for (size_t i = 0, k = 0; ret == 0 && i < op->nfields; i++) {
        if (present != NULL && !present[i])
            continue;
        if (k++ > 0)
            sp_buf_puts(&q->text, ", ");
        ret = param(q, t, sq_table_column(t, op->fields[i]), true, false);
    }
    if (n > 0)
        sp_buf_putc(&q->text, ')');
    if (ret == 0 && op->kind == SP_OP_UPSERT && n > 0)
        ret = put_conflict(t, op, present, q, err);
    return ret;
}

static int put_update(const struct sq_table *t, const struct sp_op *op, const bool *present, struct sq_sql *q,
    struct sp_error *err)
{
    size_t n = 0;
    sp_buf_puts(&q->text, "UPDATE ");
    sq_put_name(&q->text, t->physical);
    for (size_t i = 0; i < op->nfields; i++) {
        const struct sq_column *c;
        int ret = column(t, op->fields[i], &c, err);
        if (ret != 0)
            return ret;
        if (present != NULL && !present[i])
            continue;
        sp_buf_puts(&q->text, n++ == 0 ? " SET " : ", ");
        sq_put_name(&q->text, c->name);
        sp_buf_puts(&q->text, " = ");
        ret = param(q, t, c, true, false);
        if (ret != 0)
            return ret;
    }
    if (n == 0)
        return sp_invalid(err, "update of %s without an assignment", t->logical);
    return sq_render_where(t, op->query.where, q, err);
}

static int put_body(struct sp_session *s, const struct sq_table *t, const struct sp_op *op,
    const bool *present, struct sq_sql *q, struct sp_error *err)
{
    const struct sp_query *query = &op->query;
    int ret;
    switch (op->kind) {
    case SP_OP_CREATE:
    case SP_OP_UPSERT:
        return put_insert(t, op, present, q, err);
    case SP_OP_UPDATE:
        return put_update(t, op, present, q, err);
    case SP_OP_DELETE:
        sp_buf_puts(&q->text, "DELETE FROM ");
        sq_put_name(&q->text, t->physical);
        return sq_render_where(t, query->where, q, err);
    case SP_OP_COUNT:
        sp_buf_puts(&q->text, "SELECT count(*) FROM ");
        sq_put_name(&q->text, t->physical);
        return sq_render_where(t, query->where, q, err);
    case SP_OP_READ:
        sp_buf_puts(&q->text, "SELECT ");
        ret = put_result(t, query->select, query->nselect, q, err);
        if (ret != 0)
            return ret;
        sp_buf_puts(&q->text, " FROM ");
        sq_put_name(&q->text, t->physical);
        ret = sq_render_where(t, query->where, q, err);
        return ret != 0 ? ret : put_order(s, t, query, q, err);
    default:
        return sp_invalid(err, "unknown kind of operation %d", (int)op->kind);
    }
}

int sq_render(
    struct sp_session *s, const struct sp_op *op, const bool *present, struct sq_sql *q, struct sp_error *err)
{
    const struct sq_table *t;
    int ret = sq_table_find(s, NULL, op->query.table, &t, err);
    if (ret != 0)
        return ret;
    if ((op->kind == SP_OP_UPDATE || op->kind == SP_OP_DELETE) &&
        (op->query.norder > 0 || op->query.limit > 0 || op->query.offset > 0))
        return sp_invalid(
            err, "update and delete act on every row that the filter selects: no order, no limit");
    ret = put_body(s, t, op, present, q, err);
    bool writes = op->kind != SP_OP_READ && op->kind != SP_OP_COUNT;
    if (ret == 0 && writes && op->returning) {
        sp_buf_puts(&q->text, " RETURNING ");
        ret = put_result(t, NULL, 0, q, err);
    }
    if (ret == -SP_E_NOMEM || (ret == 0 && q->text.oom))
        return sp_nomem(err);
    return ret;
}
