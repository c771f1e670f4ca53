/* sql_filter.h -- the tree of a filter as SQL: parentheses, AND, OR, NOT. What a leaf looks like is the provider's own.
 * Stateless, any thread. */
#ifndef SP_PROVIDERS_LIB_SQL_FILTER_H
#define SP_PROVIDERS_LIB_SQL_FILTER_H

#include "base/buf.h"
#include "base/error.h"
#include "model/query.h"

/* Appends one comparison to the text of the tree; 0 or a negative error. */
typedef int (*sp_sql_leaf_fn)(void *payload, const struct sp_filter *leaf, struct sp_error *err);

/* Appends " WHERE (...)" to `text`, or nothing when f is NULL. Checks the tree first, which bounds its depth. */
int sp_sql_where(
    struct sp_buf *text, const struct sp_filter *f, sp_sql_leaf_fn leaf, void *payload, struct sp_error *err);

#endif
