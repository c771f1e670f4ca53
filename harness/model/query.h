/* query.h -- the query vocabulary of the unified database interface.
 *
 * Everything is plain constant data that borrows; suites write queries as literals, providers render them. Depth
 * of a filter tree is at most SP_FILTER_DEPTH; providers may recurse to that depth. Any thread.
 *
 * Meaning is SQL's three-valued logic, in every backend: a comparison with null or a missing field is unknown, not
 * of unknown is unknown, and only rows whose filter is true are selected. `neq` does not find nulls. `in` with an
 * empty list selects nothing. `contains` is substring for text (case-sensitive, no wildcards) and membership for
 * arrays. `like` knows % and _ and backslash as escape, and is case-sensitive. Text compares by bytes (code points).
 * Ordering: ascending puts nulls and missing first unless `nulls` says otherwise, descending last;
 * ties keep no promise, so callers who page add a unique column. */
#ifndef SP_MODEL_QUERY_H
#define SP_MODEL_QUERY_H

#include "model/schema.h"
#include "model/value.h"

#define SP_FILTER_DEPTH 32

enum sp_filter_op {
    SP_F_EQ,
    SP_F_NEQ,
    SP_F_GT,
    SP_F_GTE,
    SP_F_LT,
    SP_F_LTE,
    SP_F_IN,
    SP_F_CONTAINS,
    SP_F_LIKE,
    SP_F_IS_NULL,    /* null or missing */
    SP_F_IS_MISSING, /* only missing; relational backends: never true */
    SP_F_AND,
    SP_F_OR,
    SP_F_NOT
};
const char *sp_filter_op_name(enum sp_filter_op op);

struct sp_filter {
    enum sp_filter_op op;
    const char *column;            /* leaves */
    const struct sp_value *values; /* leaves: 1 value; IN: nvalues (0 allowed); IS_NULL: none */
    size_t nvalues;
    const struct sp_filter *args; /* AND, OR: nargs >= 1; NOT: exactly 1 */
    size_t nargs;
};

enum sp_nulls { SP_NULLS_DEFAULT, SP_NULLS_FIRST, SP_NULLS_LAST };
struct sp_order {
    const char *column;
    bool desc;
    enum sp_nulls nulls;
};

#define SP_NO_LIMIT (-1)

struct sp_query {
    const char *table;
    const char *const *select;
    size_t nselect;                /* 0 = all declared columns, then undeclared fields by name */
    const struct sp_filter *where; /* NULL = all */
    const struct sp_order *order;
    size_t norder;
    int64_t limit;  /* SP_NO_LIMIT or >= 0; 0 gives no rows */
    int64_t offset; /* >= 0; past the end gives no rows */
};

/* A column with the value to write. */
struct sp_field {
    const char *name;
    struct sp_value value;
};

/* Structural check before anything is sent: depth, arity, limit, names non-empty without NUL. */
int sp_query_check(const struct sp_query *q, struct sp_error *err);
int sp_filter_check(const struct sp_filter *f, struct sp_error *err);
/* Evaluates a filter on one row: 1 true, 0 false, -1 unknown, -2 cannot compare these types. The reference
 * semantics, used by mock and by differential tests. `get` returns NULL for an unknown column (= missing). */
int sp_filter_eval(
    const struct sp_filter *f, const struct sp_value *(*get)(void *row, const char *column), void *row);
/* Total order of two values for ORDER BY and range filters: numbers by number across int/decimal/floats (NaN after
 * all numbers), text and bytes bytewise, false < true, times by time; -2 if they cannot be compared, else -1 0 1. */
int sp_value_order(const struct sp_value *a, const struct sp_value *b);
int sp_query_print(struct sp_buf *out, const struct sp_query *q); /* for messages */

#endif
