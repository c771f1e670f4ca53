/* diagnose_sample.h -- private to diagnose*.c: what a collector keeps. */
#ifndef SP_VERIFY_DIAGNOSE_SAMPLE_H
#define SP_VERIFY_DIAGNOSE_SAMPLE_H

#include "verify/diagnose.h"

struct sp_diag_fit { /* a class that a value fits */
    uint32_t class;
    int64_t param;
};
struct sp_diag_kept { /* a differing value: what it fits, not the value */
    uint32_t column, row;
    uint32_t next; /* cell of the same column, SP_DIAG_NONE = the last */
    size_t fit, nfits;
    uint64_t digest[2];
    bool common, null[2];
    bool claimed; /* explained */
};
struct sp_diag_column {
    const char *name;
    uint64_t examined;
    uint32_t first, last; /* its cells */
};
#define SP_DIAG_NONE UINT32_MAX
/* Two columns whose values changed places in some rows. */
struct sp_diag_swap {
    uint32_t a, b;
    uint64_t rows, telling; /* telling: with values that not every column has */
};
#define SP_DIAG_SWAPS 32u

struct sp_diag {
    struct sp_arena arena, scratch;
    struct sp_diag_column *columns;
    size_t ncolumns, column_cap, hint;
    struct sp_diag_kept *cells;
    size_t ncells, cell_cap;
    struct sp_diag_fit *fits;
    size_t nfits, fit_cap;
    const char **keys; /* of rows */
    size_t nrows, key_cap;
    bool open;
    size_t row_first;
    struct sp_diag_swap swaps[SP_DIAG_SWAPS];
    size_t nswaps;
    uint64_t shifted[2]; /* rows whose values moved to the next column, to the one before */
    uint32_t shift_first, shift_last;
    struct sp_diag_found *found;
    size_t nfound, found_cap;
};

/* diagnose_pairs.c: values that changed places within a row. */
void sp_diag_row_pairs(struct sp_diag *d, size_t first);
int sp_diag_pairs_conclude(struct sp_diag *d); /* claims their cells */
/* diagnose_choose.c */
int sp_diag_add(struct sp_diag *d, const struct sp_diag_found *f);
/* Up to three keys of the rows whose cells `yes` picks. */
const char *sp_diag_keys(
    struct sp_diag *d, bool (*yes)(const struct sp_diag_kept *, const void *), const void *arg);

#endif
