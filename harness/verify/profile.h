/* profile.h -- private to verify/: what the values of one column look like on one side, in little memory.
 *
 * A profile belongs to its side's thread while a scan feeds it. */
#ifndef SP_VERIFY_PROFILE_H
#define SP_VERIFY_PROFILE_H

#include "verify/internal.h"

/* The lowest or highest value, as canonical bytes; of long ones the beginning. */
#define SP_V_EXTREME 120
struct sp_vextreme {
    bool set;
    uint8_t tag;
    uint64_t n; /* bytes of the whole value */
    uint8_t p[SP_V_EXTREME];
};
struct sp_vcolprofile {
    uint64_t nulls, missing, present;
    uint64_t longest;        /* text, bytes, JSON: octets */
    struct sp_digest values; /* of all fields: equal = the same values, in whatever rows */
    struct sp_vextreme min, max;
    uint8_t *distinct; /* registers */
};
struct sp_vprofile {
    const struct sp_colplan *cols; /* borrowed */
    size_t ncols;
    struct sp_vcolprofile *col; /* ncols, then those of undeclared fields */
    const char **extra;         /* names of undeclared fields */
    size_t nextra, extra_cap;
    uint64_t skipped_fields; /* undeclared fields beyond the cap */
    size_t *slots;           /* hash of names: index + 1 */
    uint8_t *registers;
    unsigned bits; /* of a register's number */
    uint64_t rows;
    struct sp_arena arena;
};

int sp_v_profile_open(struct sp_vprofile *p, const struct sp_colplan *cols, size_t ncols, bool residual);
void sp_v_profile_close(struct sp_vprofile *p);
/* A sink for scans: payload is the profile. */
int sp_v_profile_row(void *profile, const struct sp_rowview *row);
uint64_t sp_v_profile_distinct(const struct sp_vprofile *p, const struct sp_vcolprofile *col);
/* NULL = no row had that field. */
const struct sp_vcolprofile *sp_v_profile_extra(const struct sp_vprofile *p, const char *name, size_t n);
/* Nothing is appended where there is none; hidden: type and digest. */
void sp_v_extreme_print(struct sp_buf *out, const struct sp_vextreme *e, bool show);

/* extreme.c */
bool sp_v_ordered(uint8_t tag); /* has a lowest and a highest value */
void sp_v_extreme_feed(
    struct sp_vextreme *min, struct sp_vextreme *max, uint8_t tag, const uint8_t *p, size_t n);

#endif
