/* render.c -- one operation of the unified interface as one SQL statement. Names are quoted and known to exist, every
 * value is a parameter, numbered in the order in which the operation holds them. */
#include <math.h>
#include <string.h>

#include "providers/lib/sql_filter.h"
#include "providers/postgresql/internal.h"

void po_sql_free(struct po_sql *q)
{
    sp_buf_free(&q->text);
    sp_arena_free(&q->arena);
}

static int column(
    const struct po_table *t, const char *name, const struct po_column **out, struct sp_error *err)
{
    *out = po_table_column(t, name);
    return *out != NULL
               ? 0
               : sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "no such column: %s.%s", t->name, name);
}

static bool as_text(const struct po_column *c)
{
    return c->type.tag == SP_NATIVE || c->is_enum;
}

/* ---- parameters ---- */

static struct po_slot *slot(struct po_sql *q)
{
    q->slots = sp_arena_grow(&q->arena, q->slots, &q->cap, q->nslots + 1, sizeof *q->slots);
    if (q->slots == NULL)
        return NULL;
    struct po_slot *s = &q->slots[q->nslots++];
    memset(s, 0, sizeof *s);
    sp_buf_printf(&q->text, "$%zu", q->nslots);
    return s;
}

/* What values of this type are sent as. Integers go as the widest: the server narrows them on assignment, and says so
 * when one doesn't fit. */
static Oid sent_as(const struct po_column *c)
{
    if (c->type.tag == SP_INT)
        return PO_INT8;
    if (c->type.tag == SP_TEXT && c->oid != PO_BPCHAR)
        return PO_TEXT;
    return c->oid;
}

static int write_param(struct po_sql *q, const struct po_column *c)
{
    struct po_slot *s = slot(q);
    if (s == NULL)
        return -SP_E_NOMEM;
    s->type = c->type;
    s->oid = as_text(c) ? 0 : sent_as(c);
    if (s->oid == 0)
        sp_buf_printf(&q->text, "::%s", c->sql_type);
    return 0;
}

static bool is_number(enum sp_tag t)
{
    return t == SP_INT || t == SP_DEC || t == SP_F32 || t == SP_F64;
}

/* Numbers of different kinds compare by number. */
static void number_slot(struct po_slot *s, enum sp_tag c, const struct sp_value *v)
{
    bool real = v->tag == SP_F32 || v->tag == SP_F64;
    double f = v->tag == SP_F64 ? v->u.f64 : v->tag == SP_F32 ? (double)v->u.f32 : 0;
    bool odd = real && !isfinite(f); /* no decimal says it */
    bool as_float = c == SP_F32 || c == SP_F64 ? real : odd;
    s->type = (struct sp_type){ .tag = as_float ? SP_F64 : SP_DEC };
    s->oid = as_float ? PO_FLOAT8 : PO_NUMERIC;
}

static int compare_param(struct po_sql *q, const struct po_column *c, const struct sp_value *v)
{
    struct po_slot *s = slot(q);
    if (s == NULL)
        return -SP_E_NOMEM;
    s->type = (struct sp_type){ .tag = c->type.tag, .elem = c->type.elem };
    s->oid = sent_as(c);
    if (as_text(c)) {
        s->type = (struct sp_type){ .tag = c->is_enum ? SP_TEXT : SP_MISSING };
        s->oid = c->is_enum ? PO_TEXT : 0;
        sp_buf_puts(&q->text, "::text");
    } else if (v != NULL && is_number(c->type.tag) && is_number(v->tag) && v->tag != c->type.tag) {
        number_slot(s, c->type.tag, v);
    } else if (c->type.tag == SP_JSON) {
        sp_buf_puts(&q->text, "::jsonb");
    }
    return 0;
}

/* ---- filters ---- */

static void put_operand(struct po_sql *q, const struct po_column *c, bool ordered)
{
    po_put_name(&q->text, c->name);
    if (as_text(c))
        sp_buf_puts(&q->text, "::text COLLATE \"C\"");
    else if (c->type.tag == SP_JSON)
        sp_buf_puts(&q->text, "::jsonb");
    else if (c->text && c->type.tag == SP_TEXT && !(ordered ? c->bytewise : c->exact))
        sp_buf_puts(&q->text, " COLLATE \"C\""); /* text compares by bytes, whatever the column says */
}

static int put_compare(
    struct po_sql *q, const struct po_column *c, enum sp_filter_op op, const struct sp_value *v)
{
    static const char *const ops[] = { [SP_F_EQ] = " = ",
        [SP_F_NEQ] = " <> ",
        [SP_F_GT] = " > ",
        [SP_F_GTE] = " >= ",
        [SP_F_LT] = " < ",
        [SP_F_LTE] = " <= " };
    put_operand(q, c, op != SP_F_EQ && op != SP_F_NEQ);
    sp_buf_puts(&q->text, ops[op]);
    return compare_param(q, c, v);
}

static int put_in(struct po_sql *q, const struct po_column *c, const struct sp_filter *f)
{
    int ret = 0;
    if (f->nvalues == 0)
        return sp_buf_puts(&q->text, "false");
    put_operand(q, c, false);
    sp_buf_puts(&q->text, " IN (");
    for (size_t i = 0; ret == 0 && i < f->nvalues; i++) {
        if (i > 0)
            sp_buf_puts(&q->text, ",");
        ret = compare_param(q, c, &f->values[i]);
    }
    sp_buf_putc(&q->text, ')');
    return ret;
}

static int text_param(struct po_sql *q)
{
    struct po_slot *s = slot(q);
    if (s == NULL)
        return -SP_E_NOMEM;
    s->type = (struct sp_type){ .tag = SP_TEXT };
    s->oid = PO_TEXT;
    return 0;
}

static int put_member(struct po_sql *q, const struct po_column *c)
{
    const struct po_type *elem = po_type_by_array(c->oid);
    po_put_name(&q->text, c->name);
    sp_buf_puts(&q->text, " @> ARRAY[");
    struct po_slot *s = slot(q);
    if (s == NULL || elem == NULL)
        return -SP_E_NOMEM;
    s->type = (struct sp_type){ .tag = elem->tag };
    s->oid = elem->tag == SP_INT ? PO_INT8 : elem->oid;
    sp_buf_printf(&q->text, "::%s]", elem->name);
    return 0;
}

static int put_contains(
    struct po_sql *q, const struct po_table *t, const struct po_column *c, struct sp_error *err)
{
    int ret;
    if (c->type.tag == SP_ARRAY || c->type.tag == SP_VECTOR)
        return put_member(q, c);
    if (c->type.tag != SP_TEXT)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "contains is for texts and arrays; %s.%s is %s",
            t->name, c->name, c->sql_type);
    sp_buf_puts(&q->text, "strpos(");
    put_operand(q, c, false);
    sp_buf_puts(&q->text, ", ");
    ret = text_param(q);
    sp_buf_puts(&q->text, ") > 0");
    return ret;
}

static int put_leaf(
    const struct po_table *t, const struct sp_filter *f, struct po_sql *q, struct sp_error *err)
{
    const struct po_column *c;
    int ret = column(t, f->column, &c, err);
    if (ret != 0)
        return ret;
    switch (f->op) {
    case SP_F_IN:
        return put_in(q, c, f);
    case SP_F_CONTAINS:
        return put_contains(q, t, c, err);
    case SP_F_LIKE:
        if (c->type.tag != SP_TEXT)
            return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "like is for texts; %s.%s is %s", t->name,
                c->name, c->sql_type);
        put_operand(q, c, false);
        sp_buf_puts(&q->text, " LIKE ");
        return text_param(q);
    case SP_F_IS_NULL:
        po_put_name(&q->text, c->name);
        return sp_buf_puts(&q->text, " IS NULL");
    case SP_F_IS_MISSING:
        return sp_buf_puts(&q->text, "false");
    default:
        return put_compare(q, c, f->op, &f->values[0]);
    }
}

struct where {
    const struct po_table *t;
    struct po_sql *q;
};

static int put_where_leaf(void *payload, const struct sp_filter *f, struct sp_error *err)
{
    struct where *w = payload;
    return put_leaf(w->t, f, w->q, err);
}

int po_render_where(
    const struct po_table *t, const struct sp_filter *f, struct po_sql *q, struct sp_error *err)
{
    struct where w = { t, q };
    return sp_sql_where(&q->text, f, put_where_leaf, &w, err);
}

/* ---- columns of the answer ---- */

int po_render_columns(
    const struct po_table *t, const char *const *names, size_t n, struct po_sql *q, struct sp_error *err)
{
    size_t count = names != NULL ? n : t->ncolumns;
    q->columns = sp_arena_array(&q->arena, count + 1, sizeof *q->columns);
    if (q->columns == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < count; i++) {
        const struct po_column *c = &t->columns[i];
        int ret = names != NULL ? column(t, names[i], &c, err) : 0;
        if (ret != 0)
            return ret;
        struct po_out *o = &q->columns[i];
        bool told = as_text(c) || c->type.tag == SP_VECTOR;
        o->tag = told ? c->type.tag : SP_MISSING;
        o->name = sp_arena_str(&q->arena, c->name); /* outlives the lookup */
        o->native = sp_arena_str(&q->arena, c->native);
        if (o->name == NULL || o->native == NULL)
            return sp_nomem(err);
        if (i > 0)
            sp_buf_puts(&q->text, ", ");
        po_put_name(&q->text, c->name);
        if (as_text(c))
            sp_buf_puts(&q->text, "::text");
    }
    q->ncolumns = count;
    return 0;
}

static int put_order(
    const struct po_table *t, const struct sp_query *query, struct po_sql *q, struct sp_error *err)
{
    for (size_t i = 0; i < query->norder; i++) {
        const struct sp_order *o = &query->order[i];
        const struct po_column *c;
        int ret = column(t, o->column, &c, err);
        if (ret != 0)
            return ret;
        sp_buf_puts(&q->text, i == 0 ? " ORDER BY " : ", ");
        put_operand(q, c, true);
        bool first = o->nulls == SP_NULLS_DEFAULT ? !o->desc : o->nulls == SP_NULLS_FIRST;
        sp_buf_puts(&q->text, o->desc ? " DESC" : " ASC");
        sp_buf_puts(&q->text, first ? " NULLS FIRST" : " NULLS LAST");
    }
    if (query->limit != SP_NO_LIMIT)
        sp_buf_printf(&q->text, " LIMIT %lld", (long long)query->limit);
    if (query->offset > 0)
        sp_buf_printf(&q->text, " OFFSET %lld", (long long)query->offset);
    return 0;
}

/* ---- writing ---- */

static bool is_key(const struct sp_op *op, const char *name)
{
    for (size_t k = 0; k < op->nkey; k++)
        if (strcmp(op->key[k], name) == 0)
            return true;
    return false;
}

static int put_conflict(const struct po_table *t, const struct sp_op *op, const struct sp_value *values,
    struct po_sql *q, struct sp_error *err)
{
    bool any = false;
    sp_buf_puts(&q->text, " ON CONFLICT (");
    for (size_t i = 0; i < op->nkey; i++) {
        const struct po_column *c;
        int ret = column(t, op->key[i], &c, err);
        if (ret != 0)
            return ret;
        if (i > 0)
            sp_buf_puts(&q->text, ", ");
        po_put_name(&q->text, c->name);
    }
    sp_buf_puts(&q->text, ") DO UPDATE SET ");
    for (size_t i = 0; i <= op->nfields; i++) {
        /* Only the key: an update that changes nothing, so that the row counts and returns. */
        const char *name = i < op->nfields ? op->fields[i] : op->key[0];
        if (i < op->nfields ? is_key(op, name) || (values != NULL && values[i].tag == SP_MISSING) : any)
            continue;
        sp_buf_puts(&q->text, any ? ", " : "");
        po_put_name(&q->text, name);
        sp_buf_puts(&q->text, " = excluded.");
        po_put_name(&q->text, name);
        any = true;
    }
    return 0;
}

static int put_rows(const struct po_table *t, const struct sp_op *op, const struct sp_value *values,
    size_t nrows, struct po_sql *q)
{
    for (size_t r = 0; r < nrows; r++) {
        sp_buf_puts(&q->text, r == 0 ? "(" : ", (");
        for (size_t i = 0; i < op->nfields; i++) {
            if (i > 0)
                sp_buf_puts(&q->text, ", ");
            if (values != NULL && values[r * op->nfields + i].tag == SP_MISSING)
                sp_buf_puts(&q->text, "DEFAULT");
            else if (write_param(q, po_table_column(t, op->fields[i])) != 0)
                return -SP_E_NOMEM;
        }
        sp_buf_putc(&q->text, ')');
    }
    return 0;
}

static int put_insert(const struct po_table *t, const struct sp_op *op, const struct sp_value *values,
    size_t nrows, struct po_sql *q, struct sp_error *err)
{
    bool always = false;
    sp_buf_printf(&q->text, "INSERT INTO %s", t->qualified);
    for (size_t i = 0; i < op->nfields; i++) {
        const struct po_column *c;
        int ret = column(t, op->fields[i], &c, err);
        if (ret != 0)
            return ret;
        sp_buf_puts(&q->text, i == 0 ? " (" : ", ");
        po_put_name(&q->text, c->name);
        always = always || c->always;
    }
    if (op->nfields == 0) {
        if (nrows != 1)
            return sp_invalid(err, "%zu rows without any field: give them one by one", nrows);
        sp_buf_puts(&q->text, " DEFAULT VALUES");
        return 0;
    }
    sp_buf_puts(&q->text, always ? ") OVERRIDING SYSTEM VALUE VALUES " : ") VALUES ");
    int ret = put_rows(t, op, values, nrows, q);
    if (ret == 0 && op->kind == SP_OP_UPSERT)
        ret = put_conflict(t, op, values, q, err);
    return ret;
}

static int put_update(const struct po_table *t, const struct sp_op *op, const struct sp_value *values,
    struct po_sql *q, struct sp_error *err)
{
    size_t n = 0;
    sp_buf_printf(&q->text, "UPDATE %s", t->qualified);
    for (size_t i = 0; i < op->nfields; i++) {
        const struct po_column *c;
        int ret = column(t, op->fields[i], &c, err);
        if (ret != 0)
            return ret;
        if (values != NULL && values[i].tag == SP_MISSING)
            continue;
        sp_buf_puts(&q->text, n++ == 0 ? " SET " : ", ");
        po_put_name(&q->text, c->name);
        sp_buf_puts(&q->text, " = ");
        if (write_param(q, c) != 0)
            return sp_nomem(err);
    }
    if (n == 0)
        return sp_invalid(err, "update of %s without an assignment", t->name);
    return po_render_where(t, op->query.where, q, err);
}

static int put_read(
    const struct po_table *t, const struct sp_query *query, struct po_sql *q, struct sp_error *err)
{
    sp_buf_puts(&q->text, "SELECT ");
    int ret = po_render_columns(t, query->nselect > 0 ? query->select : NULL, query->nselect, q, err);
    if (ret != 0)
        return ret;
    sp_buf_printf(&q->text, " FROM %s", t->qualified);
    ret = po_render_where(t, query->where, q, err);
    return ret != 0 ? ret : put_order(t, query, q, err);
}

static int put_body(const struct po_table *t, const struct sp_op *op, const struct sp_value *values,
    size_t nrows, struct po_sql *q, struct sp_error *err)
{
    switch (op->kind) {
    case SP_OP_CREATE:
    case SP_OP_UPSERT:
        return put_insert(t, op, values, nrows, q, err);
    case SP_OP_UPDATE:
        return put_update(t, op, values, q, err);
    case SP_OP_DELETE:
        sp_buf_printf(&q->text, "DELETE FROM %s", t->qualified);
        return po_render_where(t, op->query.where, q, err);
    case SP_OP_COUNT:
        sp_buf_printf(&q->text, "SELECT count(*) FROM %s", t->qualified);
        return po_render_where(t, op->query.where, q, err);
    case SP_OP_READ:
        return put_read(t, &op->query, q, err);
    default:
        return sp_invalid(err, "unknown kind of operation %d", (int)op->kind);
    }
}

int po_render(struct sp_session *s, const struct sp_op *op, const struct sp_value *values, size_t nrows,
    bool recall, struct po_sql *q, struct sp_error *err)
{
    const struct po_table *t;
    int ret = recall ? po_table_recall(s, op->query.table, &t, &q->recalled, err)
                     : po_table_find(s, NULL, op->query.table, &t, err);
    q->table = t;
    if (ret == 0)
        ret = put_body(t, op, values, nrows, q, err);
    bool writes = op->kind != SP_OP_READ && op->kind != SP_OP_COUNT;
    if (ret == 0 && writes && op->returning) {
        sp_buf_puts(&q->text, " RETURNING ");
        ret =
            po_render_columns(t, op->query.nselect > 0 ? op->query.select : NULL, op->query.nselect, q, err);
    }
    if (ret == -SP_E_NOMEM || (ret == 0 && q->text.oom))
        return sp_nomem(err);
    return ret;
}
