/* for_copy.h -- a mapping for migrate: the same relations under the target's names.
 *
 * The result borrows from `from`, which must outlive it; sp_mapping_free(). */
#ifndef SP_MAP_FOR_COPY_H
#define SP_MAP_FOR_COPY_H

#include "map/mapping.h"

/* What a copy cannot do is -SP_E_INVALID, with file and line: ids that are translated, places inside of
 * documents, two relations of one table. The target need not exist yet. Rows that become elements of arrays keep the names of
 * their relation, with their places in `place[1]`: migrate/embed.c takes them there. */
int sp_mapping_for_copy(const struct sp_mapping *from, const struct sp_schema *source,
    struct sp_mapping **out, struct sp_error *err);

#endif
