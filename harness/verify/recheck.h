/* recheck.h -- private to recheck.c, recheck_many.c and track.c: what is known of a row between two looks.
 *
 * Digests are sums over all rows of one key, so that a table without keys goes by its rows and how often each is there. */
#ifndef SP_VERIFY_RECHECK_H
#define SP_VERIFY_RECHECK_H

#include "verify/internal.h"

struct sp_vmoment {
    int64_t now;  /* when the snapshots were opened */
    int64_t need; /* so long both sides must have stood still */
    int64_t lag;  /* the target is known to be behind by at least this */
};

struct sp_vversion { /* what the source held */
    struct sp_d128 d;
    int64_t since_ns; /* the look that saw it begin */
};

struct sp_vtrack {
    struct sp_digest now[2];
    int64_t still_ns[2]; /* since when each side has stood so */
    int64_t looked_ns;
    bool moved;   /* the source changed it since the first look */
    bool changed; /* one of the sides did */
    bool arrived;
};

/* What a look shows of a row. `seen` has `cap` places, `n` of them used; `at` is the next one to forget. */
void sp_v_track_tell(struct sp_vtrack *t, struct sp_vversion *seen, size_t *n, size_t cap, size_t *at,
    const struct sp_digest next[2], bool first, struct sp_vmoment *m);
static inline int64_t sp_v_longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}
bool sp_v_track_stands(const struct sp_vtrack *t, const struct sp_vmoment *m);

/* Rows of one table that memory does not take: records in a file without a name, in the order of their keys, read and written
 * anew at each look. 200 bytes a row on disk, and 8 MiB of memory and two spills while it looks. */
struct sp_vmany;
struct sp_vmany *sp_v_many_new(void); /* NULL = out of memory */
void sp_v_many_free(struct sp_vmany *m);
int sp_v_many_add(struct sp_vmany *m, struct sp_d128 key, struct sp_error *err); /* keys ascend */
/* One pass over the table, on both sides. */
int sp_v_many_look(struct sp_vctx *c, struct sp_vmany *m, const struct sp_vpair *p, bool first,
    struct sp_vmoment *at, struct sp_error *err);
struct sp_vmany_counts {
    uint64_t arrived, differ, moving, waiting; /* waiting: stands, but not for long enough */
};
int sp_v_many_count(
    struct sp_vmany *m, const struct sp_vmoment *at, struct sp_vmany_counts *out, struct sp_error *err);
/* What is known of a row that has not arrived; false = it is not among them, or cannot be read. */
bool sp_v_many_find(struct sp_vmany *m, struct sp_d128 key, struct sp_vtrack *out);
uint64_t sp_v_many_open(const struct sp_vmany *m); /* rows that have not arrived; m may be NULL */

#endif
