/* lens_sort.h -- digests with a place in a file, put in order through an unlinked file in $TMPDIR. One thread. */
#ifndef SP_MAP_LENS_SORT_H
#define SP_MAP_LENS_SORT_H

#include "model/canonical.h"

struct lens_entry {
    struct sp_d128 key;
    uint64_t at;
};

struct lens_sort {
    int fd; /* sorted runs, one after the other; -1 = none */
    struct lens_entry *v;
    size_t n, cap;
    uint64_t *ends; /* of the runs, in entries */
    size_t nruns;
    uint64_t total;
};

int lens_sort_init(struct lens_sort *s, size_t cap, struct sp_error *err);
void lens_sort_free(struct lens_sort *s);
int lens_sort_add(struct lens_sort *s, struct lens_entry e, struct sp_error *err);
/* Gives all entries in order; a non-zero answer stops and is returned. */
int lens_sort_walk(struct lens_sort *s, int (*each)(void *payload, const struct lens_entry *e), void *payload,
    struct sp_error *err);
int lens_entry_cmp(const struct lens_entry *a, const struct lens_entry *b);

#endif
