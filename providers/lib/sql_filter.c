/* sql_filter.c -- see sql_filter.h. */
#include "providers/lib/sql_filter.h"

/* Recursion is bounded: sp_filter_check() limits the depth. */
static int put_filter(
    struct sp_buf *text, const struct sp_filter *f, sp_sql_leaf_fn leaf, void *payload, struct sp_error *err)
{
    int ret = 0;
    sp_buf_putc(text, '(');
    if (f->op == SP_F_NOT)
        sp_buf_puts(text, "NOT ");
    if (f->op == SP_F_AND || f->op == SP_F_OR || f->op == SP_F_NOT) {
        for (size_t i = 0; ret == 0 && i < f->nargs; i++) {
            if (i > 0)
                sp_buf_puts(text, f->op == SP_F_AND ? " AND " : " OR ");
            ret = put_filter(text, &f->args[i], leaf, payload, err);
        }
    } else {
        ret = leaf(payload, f, err);
    }
    sp_buf_putc(text, ')');
    return ret;
}

int sp_sql_where(
    struct sp_buf *text, const struct sp_filter *f, sp_sql_leaf_fn leaf, void *payload, struct sp_error *err)
{
    if (f == NULL)
        return 0;
    int ret = sp_filter_check(f, err);
    if (ret != 0)
        return ret;
    sp_buf_puts(text, " WHERE ");
    return put_filter(text, f, leaf, payload, err);
}
