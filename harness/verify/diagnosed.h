/* diagnosed.h -- private to verify/: a table's diagnosis while its rows are compared.
 *
 * rows.c begins and ends it, pass 3 shows it the rows that differ. All of the thread that called sp_verify(). */
#ifndef SP_VERIFY_DIAGNOSED_H
#define SP_VERIFY_DIAGNOSED_H

#include "verify/diagnose.h"
#include "verify/internal.h"

#define SP_VD_TRIED 8u /* missing rows that are looked for under another id */

struct sp_vmissing_column { /* what the missing rows have in common in a column */
    uint64_t nulls, same;
    uint64_t kept; /* changed rows whose field is the same on both sides */
    struct sp_d128 first;
    uint8_t *value; /* the first one's field, owned; NULL = too long */
    size_t nvalue;
};
struct sp_vdiagnosis {
    struct sp_diag *d;
    double started, before_facts;
    uint64_t looked[2]; /* missing, extra rows seen */
    uint64_t changed;   /* likewise, with both their rows */
    int64_t *keys[2];   /* of them, where the key is one whole number */
    size_t nkeys[2];
    struct sp_vmissing_column *columns; /* p->ncols, owned */
    struct sp_vkey row[SP_VD_TRIED];    /* whole missing rows, owned */
    int64_t row_key[SP_VD_TRIED];
    size_t nrows;
};

/* diagnose_facts.c: asks both sides about rows as a whole. What a backend does not answer stays unknown. */
void sp_v_diag_facts(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vdiagnosis *d,
    const struct sp_vcounts *counts, struct sp_arena *a, struct sp_diag_facts *f);
/* The value of the field at p, which stays in `a`; tag MISSING where it cannot be read. */
struct sp_value sp_v_diag_value(struct sp_arena *a, const struct sp_type *type, const uint8_t *p, size_t n);

#endif
