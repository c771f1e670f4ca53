/* query.c -- checking and printing of queries. What filters mean is in filter.c. */
#include "model/query.h"

#include <inttypes.h>

#include "base/str.h"

static const char *const op_names[] = {
    [SP_F_EQ] = "eq",
    [SP_F_NEQ] = "neq",
    [SP_F_GT] = "gt",
    [SP_F_GTE] = "gte",
    [SP_F_LT] = "lt",
    [SP_F_LTE] = "lte",
    [SP_F_IN] = "in",
    [SP_F_CONTAINS] = "contains",
    [SP_F_LIKE] = "like",
    [SP_F_IS_NULL] = "is_null",
    [SP_F_IS_MISSING] = "is_missing",
    [SP_F_AND] = "and",
    [SP_F_OR] = "or",
    [SP_F_NOT] = "not",
};

const char *sp_filter_op_name(enum sp_filter_op op)
{
    return (size_t)op < SP_LEN(op_names) ? op_names[op] : "?";
}

static bool named(const char *s)
{
    return s != NULL && s[0] != '\0';
}

/* A backslash at the end escapes nothing. */
static bool like_ok(const struct sp_value *v)
{
    bool escape = false;
    if (v->tag != SP_TEXT)
        return true;
    for (size_t i = 0; i < v->u.str.n; i++)
        escape = !escape && v->u.str.p[i] == '\\';
    return !escape;
}

static int check_leaf(const struct sp_filter *f, struct sp_error *err)
{
    const char *op = sp_filter_op_name(f->op);
    bool is_test = f->op == SP_F_IS_NULL || f->op == SP_F_IS_MISSING;
    if (!named(f->column))
        return sp_invalid(err, "filter `%s` names no column", op);
    if (f->nargs != 0)
        return sp_invalid(err, "filter `%s` on column \"%s\" takes values, not filters", op, f->column);
    if (f->op != SP_F_IN && f->nvalues != (is_test ? 0u : 1u))
        return sp_invalid(err, "filter `%s` on column \"%s\" has %zu values, it takes %d", op, f->column,
            f->nvalues, is_test ? 0 : 1);
    if (f->nvalues != 0 && f->values == NULL)
        return sp_invalid(err, "filter `%s` on column \"%s\" has no values", op, f->column);
    if (f->op == SP_F_LIKE && !like_ok(&f->values[0]))
        return sp_invalid(
            err, "the pattern of filter `like` on column \"%s\" ends within an escape", f->column);
    return 0;
}

static int check_filter(const struct sp_filter *f, int depth, struct sp_error *err)
{
    if (depth > SP_FILTER_DEPTH)
        return sp_invalid(err, "a filter is nested deeper than %d", SP_FILTER_DEPTH);
    if ((size_t)f->op >= SP_LEN(op_names))
        return sp_invalid(err, "a filter has the unknown operator %d", (int)f->op);
    if (f->op != SP_F_AND && f->op != SP_F_OR && f->op != SP_F_NOT)
        return check_leaf(f, err);
    const char *op = sp_filter_op_name(f->op);
    if (f->args == NULL || f->nargs == 0 || (f->op == SP_F_NOT && f->nargs != 1))
        return sp_invalid(err, "filter `%s` has %zu arguments, it takes %s", op,
            f->args == NULL ? 0 : f->nargs, f->op == SP_F_NOT ? "one" : "at least one");
    if (f->nvalues != 0 || f->column != NULL)
        return sp_invalid(err, "filter `%s` takes filters, not a column or values", op);
    for (size_t i = 0; i < f->nargs; i++) {
        int rc = check_filter(&f->args[i], depth + 1, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int sp_filter_check(const struct sp_filter *f, struct sp_error *err)
{
    return check_filter(f, 1, err);
}

int sp_query_check(const struct sp_query *q, struct sp_error *err)
{
    if (!named(q->table))
        return sp_invalid(err, "a query names no table");
    for (size_t i = 0; i < q->nselect; i++) {
        if (!named(q->select[i]))
            return sp_invalid(err, "column %zu selected from \"%s\" has no name", i + 1, q->table);
    }
    for (size_t i = 0; i < q->norder; i++) {
        if (!named(q->order[i].column))
            return sp_invalid(err, "column %zu of the order of \"%s\" has no name", i + 1, q->table);
    }
    if (q->limit < SP_NO_LIMIT)
        return sp_invalid(err, "the limit of a query on \"%s\" is %" PRId64, q->table, q->limit);
    if (q->offset < 0)
        return sp_invalid(err, "the offset of a query on \"%s\" is %" PRId64, q->table, q->offset);
    return q->where != NULL ? sp_filter_check(q->where, err) : 0;
}

static void print_filter(struct sp_buf *out, const struct sp_filter *f, int depth)
{
    const char *op = sp_filter_op_name(f->op);
    if (depth > SP_FILTER_DEPTH) {
        sp_buf_puts(out, "...");
        return;
    }
    if (f->op == SP_F_NOT) {
        sp_buf_puts(out, "not ");
        if (f->nargs == 1)
            print_filter(out, f->args, depth + 1);
        return;
    }
    if (f->op == SP_F_AND || f->op == SP_F_OR) {
        sp_buf_putc(out, '(');
        for (size_t i = 0; i < f->nargs; i++) {
            if (i != 0)
                sp_buf_printf(out, " %s ", op);
            print_filter(out, &f->args[i], depth + 1);
        }
        sp_buf_putc(out, ')');
        return;
    }
    sp_buf_printf(out, "%s %s", f->column != NULL ? f->column : "?", op);
    if (f->op == SP_F_IN)
        sp_buf_puts(out, " [");
    for (size_t i = 0; i < f->nvalues; i++) {
        sp_buf_puts(out, i != 0 ? ", " : (f->op == SP_F_IN ? "" : " "));
        sp_value_print(out, &f->values[i], 0);
    }
    if (f->op == SP_F_IN)
        sp_buf_putc(out, ']');
}

int sp_query_print(struct sp_buf *out, const struct sp_query *q)
{
    sp_buf_printf(out, "from %s", q->table != NULL ? q->table : "?");
    for (size_t i = 0; i < q->nselect; i++)
        sp_buf_printf(out, "%s%s", i == 0 ? " select " : ", ", q->select[i]);
    if (q->where != NULL) {
        sp_buf_puts(out, " where ");
        print_filter(out, q->where, 1);
    }
    for (size_t i = 0; i < q->norder; i++) {
        sp_buf_printf(
            out, "%s%s%s", i == 0 ? " order by " : ", ", q->order[i].column, q->order[i].desc ? " desc" : "");
        if (q->order[i].nulls != SP_NULLS_DEFAULT)
            sp_buf_puts(out, q->order[i].nulls == SP_NULLS_FIRST ? " nulls first" : " nulls last");
    }
    if (q->limit != SP_NO_LIMIT)
        sp_buf_printf(out, " limit %" PRId64, q->limit);
    if (q->offset != 0)
        sp_buf_printf(out, " offset %" PRId64, q->offset);
    return out->oom ? -SP_E_NOMEM : 0;
}
