/* mutants_query.c -- bugs in reading: the query that reaches the backend is another one, or its answer is changed.
 *
 * A filter tree is copied into a small static store of its own and changed there. Bugs of several threads at once
 * would share it, so each call has its store on the stack. */
#include "run/mutation.h"

#include <string.h>

#include "base/str.h"

enum { NODES = 64 };

struct tree {
    struct sp_filter nodes[NODES];
    size_t n;
    struct sp_arena arena;
};

/* What a mutant does to a copied node; it may use the tree's store. */
typedef void (*node_fn)(struct tree *t, struct sp_filter *f);

static struct sp_filter *more(struct tree *t, size_t n)
{
    if (t->n + n > NODES)
        return NULL;
    t->n += n;
    return &t->nodes[t->n - n];
}

/* Copies `from` to `to`, children first, then changes it. Depth is checked by sp_query_check() before. */
static void copy_tree(
    struct tree *t, struct sp_filter *to, const struct sp_filter *from, node_fn change, int depth)
{
    *to = *from;
    if (from->nargs > 0 && depth < SP_FILTER_DEPTH) {
        struct sp_filter *args = more(t, from->nargs);
        if (args == NULL)
            return;
        for (size_t i = 0; i < from->nargs; i++)
            copy_tree(t, &args[i], &from->args[i], change, depth + 1);
        to->args = args;
    }
    change(t, to);
}

static int exec_filter(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err, node_fn change)
{
    struct tree t = { .n = 0 };
    struct sp_op other = *op;
    if (op->query.where != NULL) {
        struct sp_filter *root = more(&t, 1);
        copy_tree(&t, root, op->query.where, change, 0);
        other.query.where = root;
    }
    int rc = SP_INNER_DB->exec(s, &other, r, err);
    sp_arena_free(&t.arena);
    return rc;
}

/* A filter mutant is the change of a node. */
#define FILTER_MUTANT(name)                                                                                  \
    static int exec_##name(                                                                                  \
        struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)             \
    {                                                                                                        \
        return exec_filter(s, op, r, err, node_##name);                                                      \
    }                                                                                                        \
    SP_PLANT(db, name, exec, exec_##name)
#define SWAP_MUTANT(name, was, becomes)                                                                      \
    static void node_##name(struct tree *t, struct sp_filter *f)                                             \
    {                                                                                                        \
        (void)t;                                                                                             \
        if (f->op == (was))                                                                                  \
            f->op = (becomes);                                                                               \
    }                                                                                                        \
    FILTER_MUTANT(name)

SWAP_MUTANT(gt_as_gte, SP_F_GT, SP_F_GTE)
SWAP_MUTANT(gte_as_gt, SP_F_GTE, SP_F_GT)
SWAP_MUTANT(lt_as_lte, SP_F_LT, SP_F_LTE)
SWAP_MUTANT(lte_as_lt, SP_F_LTE, SP_F_LT)
SWAP_MUTANT(neq_as_eq, SP_F_NEQ, SP_F_EQ)

/* and/or of a single argument stay what they are. */
static void node_and_as_or(struct tree *t, struct sp_filter *f)
{
    (void)t;
    if (f->op == SP_F_AND && f->nargs > 1)
        f->op = SP_F_OR;
}
FILTER_MUTANT(and_as_or)

static void node_or_takes_first(struct tree *t, struct sp_filter *f)
{
    (void)t;
    if (f->op == SP_F_OR && f->nargs > 1)
        f->nargs = 1;
}
FILTER_MUTANT(or_takes_first)

static void node_in_drops_last(struct tree *t, struct sp_filter *f)
{
    (void)t;
    if (f->op == SP_F_IN && f->nvalues > 0)
        f->nvalues--;
}
FILTER_MUTANT(in_drops_last)

static void node_in_takes_first(struct tree *t, struct sp_filter *f)
{
    (void)t;
    if (f->op == SP_F_IN && f->nvalues > 1)
        f->nvalues = 1;
}
FILTER_MUTANT(in_takes_first)

/* f or column is null. */
static void or_null(struct tree *t, struct sp_filter *f, const char *column)
{
    struct sp_filter *args = more(t, 2);
    if (args == NULL || column == NULL)
        return;
    args[0] = *f;
    args[1] = (struct sp_filter){ .op = SP_F_IS_NULL, .column = column };
    *f = (struct sp_filter){ .op = SP_F_OR, .args = args, .nargs = 2 };
}

static void node_neq_finds_nulls(struct tree *t, struct sp_filter *f)
{
    if (f->op == SP_F_NEQ)
        or_null(t, f, f->column);
}
FILTER_MUTANT(neq_finds_nulls)

static void node_not_finds_nulls(struct tree *t, struct sp_filter *f)
{
    if (f->op == SP_F_NOT && f->nargs == 1 && f->args[0].nargs == 0 && f->args[0].op != SP_F_IS_NULL &&
        f->args[0].op != SP_F_IS_MISSING)
        or_null(t, f, f->args[0].column);
}
FILTER_MUTANT(not_finds_nulls)

static void node_in_empty_finds_all(struct tree *t, struct sp_filter *f)
{
    if (f->op != SP_F_IN || f->nvalues != 0)
        return;
    struct sp_filter *args = more(t, 2);
    if (args == NULL)
        return;
    args[0] = (struct sp_filter){ .op = SP_F_IS_NULL, .column = f->column };
    args[1] = (struct sp_filter){ .op = SP_F_NOT, .args = &args[0], .nargs = 1 };
    *f = (struct sp_filter){ .op = SP_F_OR, .args = args, .nargs = 2 };
}
FILTER_MUTANT(in_empty_finds_all)

/* LIKE text%, or %text%: the text's own wildcards come alive. */
static void as_like(struct tree *t, struct sp_filter *f, const char *before)
{
    if (f->op != SP_F_CONTAINS || f->nvalues != 1 || f->values[0].tag != SP_TEXT)
        return;
    char *pattern =
        sp_arena_printf(&t->arena, "%s%.*s%%", before, (int)f->values[0].u.str.n, f->values[0].u.str.p);
    struct sp_value *v = sp_arena_alloc(&t->arena, sizeof *v);
    if (pattern == NULL || v == NULL)
        return;
    *v = sp_v_text(pattern);
    f->op = SP_F_LIKE;
    f->values = v;
}
static void node_contains_as_like(struct tree *t, struct sp_filter *f)
{
    as_like(t, f, "%");
}
FILTER_MUTANT(contains_as_like)
static void node_contains_at_start(struct tree *t, struct sp_filter *f)
{
    as_like(t, f, "");
}
FILTER_MUTANT(contains_at_start)

static void node_like_ignores_escape(struct tree *t, struct sp_filter *f)
{
    if (f->op != SP_F_LIKE || f->nvalues != 1 || f->values[0].tag != SP_TEXT)
        return;
    char *pattern = sp_arena_dup(&t->arena, f->values[0].u.str.p, f->values[0].u.str.n), *to = pattern;
    struct sp_value *v = sp_arena_alloc(&t->arena, sizeof *v);
    if (pattern == NULL || v == NULL)
        return;
    for (const char *p = pattern; *p != '\0'; p++)
        if (*p != '\\')
            *to++ = *p;
    *v = sp_v_textn(pattern, (size_t)(to - pattern));
    f->values = v;
}
FILTER_MUTANT(like_ignores_escape)

/* ---- the query around the filter ----------------------------------------------------------------------------- */

#define QUERY_MUTANT(name, change)                                                                           \
    static int exec_##name(                                                                                  \
        struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)             \
    {                                                                                                        \
        struct sp_op other = *op;                                                                            \
        struct sp_query *q = &other.query;                                                                   \
        struct sp_order order[8];                                                                            \
        for (size_t i = 0; i < op->query.norder && i < SP_LEN(order); i++)                                   \
            order[i] = op->query.order[i];                                                                   \
        if (op->kind == SP_OP_READ && op->query.norder <= SP_LEN(order)) {                                   \
            q->order = op->query.norder > 0 ? order : op->query.order;                                       \
            change;                                                                                          \
        }                                                                                                    \
        return SP_INNER_DB->exec(s, &other, r, err);                                                         \
    }                                                                                                        \
    SP_PLANT(db, name, exec, exec_##name)

QUERY_MUTANT(limit_one_more, if (q->limit > 0) q->limit++)
QUERY_MUTANT(limit_one_less, if (q->limit > 1) q->limit--)
QUERY_MUTANT(limit_zero_is_none, if (q->limit == 0) q->limit = SP_NO_LIMIT)
QUERY_MUTANT(limit_ignored, q->limit = SP_NO_LIMIT)
QUERY_MUTANT(offset_ignored, q->offset = 0)
QUERY_MUTANT(offset_one_less, if (q->offset > 0) q->offset--)
QUERY_MUTANT(order_ignored, q->norder = 0)
QUERY_MUTANT(order_first_key_only, if (q->norder > 1) q->norder = 1)
QUERY_MUTANT(order_desc_ignored, for (size_t i = 0; i < q->norder; i++) order[i].desc = false)
QUERY_MUTANT(order_nulls_swapped,
    for (size_t i = 0; i < q->norder; i++) order[i].nulls = order[i].nulls == SP_NULLS_FIRST ||
                                                                    (order[i].nulls == SP_NULLS_DEFAULT &&
                                                                        !order[i].desc)
                                                                ? SP_NULLS_LAST
                                                                : SP_NULLS_FIRST)

/* ---- the answer ---------------------------------------------------------------------------------------------- */

#define RESULT_MUTANT(name, kind_, change)                                                                   \
    static int exec_##name(                                                                                  \
        struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)             \
    {                                                                                                        \
        int rc = SP_INNER_DB->exec(s, op, r, err);                                                           \
        if (rc == 0 && op->kind == (kind_)) {                                                                \
            change;                                                                                          \
        }                                                                                                    \
        return rc;                                                                                           \
    }                                                                                                        \
    SP_PLANT(db, name, exec, exec_##name)

RESULT_MUTANT(count_one_more, SP_OP_COUNT, r->affected++)
RESULT_MUTANT(count_is_capped, SP_OP_COUNT, if (r->affected > 3) r->affected = 3)
RESULT_MUTANT(read_drops_last_row, SP_OP_READ, if (r->nrows > 1) r->nrows--)
RESULT_MUTANT(read_repeats_first_row, SP_OP_READ,
    if (r->nrows > 1 && op->query.limit > 0)
        memcpy(&r->values[(r->nrows - 1) * r->ncolumns], &r->values[0], r->ncolumns * sizeof *r->values))
RESULT_MUTANT(read_shifts_column, SP_OP_READ,
    if (r->nrows > 2) r->values[r->ncolumns * 2 - 1] = r->values[r->ncolumns * 3 - 1])
RESULT_MUTANT(update_counts_one_more, SP_OP_UPDATE, r->affected++)
RESULT_MUTANT(update_counts_at_most_one, SP_OP_UPDATE, if (r->affected > 1) r->affected = 1)
RESULT_MUTANT(delete_counts_zero, SP_OP_DELETE, r->affected = 0)
RESULT_MUTANT(create_counts_one, SP_OP_CREATE, if (r->affected > 1) r->affected = 1)

/* A cache that is never told of a write: the same question gets the old answer once more. */
static int exec_stale_read(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    static struct sp_buf key = SP_BUF_INIT;
    static struct sp_result old = SP_RESULT_INIT;
    if (op->kind != SP_OP_READ)
        return SP_INNER_DB->exec(s, op, r, err);
    struct sp_buf now = SP_BUF_INIT;
    sp_buf_printf(&now, "%p ", (void *)s);
    sp_query_print(&now, &op->query);
    pthread_mutex_lock(&sp_mutation.lock);
    int rc = 0;
    if (key.p != NULL && now.p != NULL && strcmp(key.p, now.p) == 0) {
        rc = sp_result_columns(r, old.columns, old.ncolumns);
        for (size_t i = 0; rc == 0 && i < old.nrows; i++)
            rc = sp_result_add(r, old.values + i * old.ncolumns, NULL);
        sp_buf_clear(&key);
    } else {
        rc = SP_INNER_DB->exec(s, op, r, err);
        if (rc == 0) {
            sp_buf_clear(&key);
            sp_buf_puts(&key, now.p == NULL ? "" : now.p);
            sp_result_reset(&old);
            if (sp_result_columns(&old, r->columns, r->ncolumns) == 0)
                for (size_t i = 0; i < r->nrows; i++)
                    sp_result_add(&old, r->values + i * r->ncolumns, NULL);
        }
    }
    pthread_mutex_unlock(&sp_mutation.lock);
    sp_buf_free(&now);
    return rc;
}
static bool plant_stale_read(void)
{
    bool can = sp_mutation.db.exec != NULL;
    sp_mutation.db.exec = can ? exec_stale_read : NULL;
    return can;
}

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "database", text }, plant_##name                                                            \
    }
const struct sp_mutant_row sp_mutants_query[] = {
    ROW(gt_as_gte, "greater than finds equal values too"),
    ROW(gte_as_gt, "greater or equal misses equal values"),
    ROW(lt_as_lte, "less than finds equal values too"),
    ROW(lte_as_lt, "less or equal misses equal values"),
    ROW(neq_as_eq, "not equal finds the equal values"),
    ROW(and_as_or, "all conditions means any condition"),
    ROW(or_takes_first, "any of several conditions means the first"),
    ROW(in_drops_last, "a list of values loses its last one"),
    ROW(in_takes_first, "a list of values is its first one"),
    ROW(in_empty_finds_all, "an empty list of values finds every row"),
    ROW(neq_finds_nulls, "not equal finds nulls"),
    ROW(not_finds_nulls, "not takes unknown for false and finds nulls"),
    ROW(contains_as_like, "percent and underscore in a searched text are wildcards"),
    ROW(contains_at_start, "contains looks at the start only"),
    ROW(like_ignores_escape, "an escaped wildcard is a wildcard"),
    ROW(limit_one_more, "a limit gives one row more"),
    ROW(limit_one_less, "a limit gives one row less"),
    ROW(limit_zero_is_none, "limit 0 gives all rows"),
    ROW(limit_ignored, "a limit is ignored"),
    ROW(offset_ignored, "an offset is ignored"),
    ROW(offset_one_less, "an offset skips one row less"),
    ROW(order_ignored, "rows come in any order"),
    ROW(order_first_key_only, "rows are ordered by the first column only"),
    ROW(order_desc_ignored, "descending order is ascending"),
    ROW(order_nulls_swapped, "nulls stand at the other end"),
    ROW(count_one_more, "a count is one too many"),
    ROW(count_is_capped, "a count stops at three"),
    ROW(read_drops_last_row, "the last row of an answer is lost"),
    ROW(read_repeats_first_row, "a page repeats its first row in place of its last"),
    ROW(read_shifts_column, "a value of the next row stands in a row"),
    ROW(update_counts_one_more, "an update says one row more"),
    ROW(update_counts_at_most_one, "an update of many rows says one"),
    ROW(delete_counts_zero, "a delete says that nothing was deleted"),
    ROW(create_counts_one, "create-many says that one row was created"),
    ROW(stale_read, "a read that was asked before gets its old answer"),
    { { NULL, NULL, NULL }, NULL },
};
