/* lens_pairs.h -- pairs of ids, looked up by the target's: any number of them in bounded memory.
 *
 * The pairs stand in two unlinked files in $TMPDIR (else /tmp): the ids as they are, and a sorted index of 24 bytes a pair.
 * In memory are at most 8 MiB while they are put in order, then 16 bytes for every 128 pairs. A look-up reads both files
 * once. One thread at a time. */
#ifndef SP_MAP_LENS_PAIRS_H
#define SP_MAP_LENS_PAIRS_H

#include "model/canonical.h"

struct lens_pairs;

int lens_pairs_new(struct lens_pairs **out, struct sp_error *err);
void lens_pairs_free(struct lens_pairs *p);
/* Canonical fields under the dynamic type. `key` and `back` are those by which ids of the target and of the source are the
 * same, `source` is what a look-up gives. */
int lens_pairs_add(struct lens_pairs *p, const struct sp_buf *key, const struct sp_buf *back,
    const struct sp_buf *source, struct sp_error *err);
/* After the last one. An id that stands in two pairs, on either side: -SP_E_CORRUPT, and the text names it. */
int lens_pairs_finish(struct lens_pairs *p, struct sp_error *err);
/* *out in the arena. 1 = found, 0 = there is no pair, negative error. */
int lens_pairs_find(struct lens_pairs *p, struct sp_arena *a, const struct sp_buf *key, struct sp_value *out,
    struct sp_error *err);
uint64_t lens_pairs_count(const struct lens_pairs *p);

#endif
