/* lens_row.h -- private to the lens: one row of the inner table, taken apart. */
#ifndef SP_MAP_LENS_ROW_H
#define SP_MAP_LENS_ROW_H

#include "map/lens_internal.h"
#include "map/lens_node.h"

/* One row of the inner table at a time, and the element of its array that is at work. Everything in `a` dies with it. */
struct lens_row {
    const struct lens_view *v;
    struct sp_arena a;
    struct lens_node *fields;
    size_t nfields, cap;
    struct lens_node *element; /* of an embedded array; NULL = the array itself is none */
    int64_t index;
    bool wanting; /* there is no array where one should be: what is there stands in `element` */
};

/* ---- lens_eval.c: where a path leads ----------------------------------------------------------------------------- */
enum lens_found { LENS_FOUND, LENS_ABSENT, LENS_MALFORMED };
/* *out: the node, or for LENS_MALFORMED what stands in the way. Negative error. */
int lens_find(struct lens_row *r, const struct lens_path *path, bool parent, struct lens_node **out);
/* The value of a column in this row; a way that leads through something else than documents gives a native value
 * `malformed`. */
int lens_col_value(struct lens_row *r, const struct lens_col *c, const struct sp_type *type, bool as_stored,
    struct sp_value *out, struct sp_error *err);
int lens_path_value(struct lens_row *r, const struct lens_path *path, bool parent, const struct sp_type *type,
    bool as_stored, struct sp_value *out);

/* ---- lens_rest.c: what nobody took --------------------------------------------------------------------------------- */
int lens_push_rest(struct lens_row *r, struct sp_rowbuf *rb, bool as_stored);

/* ---- lens_cross.c: ids of the target as those of the source -------------------------------------------------------- */
/* An id that has no pair becomes a native value `unmapped id`; null and missing stay. */
int lens_translate(
    struct lens_row *r, struct lens_walk *w, bool as_stored, struct sp_value *v, struct sp_error *err);

#endif
