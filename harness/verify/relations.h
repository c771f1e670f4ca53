/* relations.h -- private to verify/: one foreign key, checked on both sides. */
#ifndef SP_VERIFY_RELATIONS_H
#define SP_VERIFY_RELATIONS_H

#include "verify/internal.h"

struct sp_vrelside {
    const struct sp_table *child, *parent; /* NULL: not there, or without the columns */
    struct sp_colplan *child_cols;         /* fk.ncolumns to match, as many for identity, the child's key */
    size_t nchild;
    struct sp_colplan *parent_cols; /* fk.ncolumns */
    /* Results. */
    struct sp_digest orphans; /* over the identities */
    struct sp_d128 *ids;      /* of the orphans, as far as they fit; owned */
    size_t nids;
    bool overflow; /* not all fitted */
};
struct sp_vrel {
    const struct sp_vpair *pair;
    const struct sp_fk *fk;
    const char *name, *columns;
    bool proven_equal;
    struct sp_vrelside side[2];
};
int sp_v_rel_plan(
    struct sp_vctx *c, const struct sp_vpair *pair, const struct sp_fk *fk, struct sp_vrel *out);
/* Fills the results of both sides. 0, or the error of a scan. */
int sp_v_rel_scan(struct sp_vctx *c, struct sp_vrel *r, struct sp_error *err);
/* What makes an orphan the same on both sides: everything behind its matching columns. */
struct sp_d128 sp_v_rel_identity(const struct sp_rowview *row);
/* Events for the rows of the target whose identities are listed (sorted). */
int sp_v_rel_list(
    struct sp_vctx *c, const struct sp_vrel *r, const struct sp_d128 *ids, size_t n, struct sp_error *err);

#endif
