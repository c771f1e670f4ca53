/* duplicates.h -- private to verify/: rows that repeat the values of others in some columns, in bounded memory. */
#ifndef SP_VERIFY_DUPLICATES_H
#define SP_VERIFY_DUPLICATES_H

#include "verify/internal.h"

/* What is to be unique. One thread; what it names lives in the context's arena. */
struct sp_vunique {
    const struct sp_vpair *pair;
    const char *name;        /* may be NULL */
    const char *columns;     /* "a, b" */
    struct sp_colplan *cols; /* ncols to match, then the pair's key */
    struct sp_colplan *raw;  /* the same without rules, for the source alone */
    size_t ncols;
    bool nulls_equal, rules;
    bool enforced[2];
    /* Results: surplus rows, all but one of each group. */
    uint64_t faults[2], introduced;
    struct sp_d128
        *groups; /* of the target that have more surplus rows than the source's; as many as fit; owned */
    size_t ngroups, groups_cap;
    bool groups_cut;
};
/* Fills the results. A side that enforces it is not read. 0, or the error of a scan. */
int sp_v_duplicates(struct sp_vctx *c, struct sp_vunique *u, struct sp_error *err);
/* Events for the rows of the listed groups on the target. */
int sp_v_duplicate_rows(struct sp_vctx *c, const struct sp_vunique *u, struct sp_error *err);

/* Is one of the first n fields null or missing? 1, 0, or negative for a damaged row. */
int sp_v_has_absent(const struct sp_rowview *row, size_t n);

#endif
