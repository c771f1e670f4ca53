/* piles.h -- private to verify/: entries in order, as spill.c gives them, sorted by digits first; and counted without order.
 *
 * Piles belong to one thread at a time; what takes both sides' uses two threads until it returns. */
#ifndef SP_VERIFY_PILES_H
#define SP_VERIFY_PILES_H

#include "verify/internal.h"

/* ---- piles.c: the same, sorted by digits first ------------------------------------------------------------------- */
struct sp_vpile_pair { /* on disk */
    struct sp_d128 key, row;
};
struct sp_vpile_block {
    uint32_t before; /* of the same pile; 1 = the file's first block, 0 = none */
    uint32_t n;      /* pairs in it */
};
struct sp_vpile {
    uint32_t last;  /* block, as above */
    uint32_t n;     /* in the open block */
    uint64_t pairs; /* in the file */
};
struct sp_vpiles {
    struct sp_ventry *e; /* cap, owned */
    size_t n, cap;
    struct sp_vpile_pair *open; /* the same memory: the open blocks; NULL = all is in memory */
    int fd;
    unsigned bits;
    struct sp_vpile *pile; /* 2^bits, owned */
    size_t block;          /* pairs in a full block */
    struct sp_vpile_block *blocks;
    size_t nblocks, blocks_cap;
    size_t at, end;        /* reading back */
    struct sp_vspill over; /* a pile that does not fit into the array */
};
unsigned sp_v_piles_bits(size_t cap); /* of the two sides' larger one */
int sp_v_piles_init(struct sp_vpiles *s, size_t cap, unsigned bits, struct sp_error *err);
int sp_v_piles_add(struct sp_vpiles *s, struct sp_d128 key, struct sp_d128 row, struct sp_error *err);
/* After the last entry. Then for each of 2^bits piles, in order: load it on both sides, and next gives 1 and an entry (by
 * key, then row; equal ones as one), or 0 at its end. */
int sp_v_piles_begin(struct sp_vpiles *s, struct sp_error *err);
int sp_v_piles_load(struct sp_vpiles s[2], size_t which, struct sp_error *err);
int sp_v_piles_next(struct sp_vpiles *s, struct sp_ventry *out, struct sp_error *err);
/* A whole pile from the file, in no order; `counted`: some pairs stand for several entries. */
int sp_v_piles_read(
    const struct sp_vpiles *s, size_t which, struct sp_vpile_pair *out, bool *counted, struct sp_error *err);
/* tally.c, with both sides on disk: counts all piles from `from` on, but for those that are marked in `left`. */
int sp_v_piles_tally(
    struct sp_vpiles s[2], size_t from, struct sp_vcounts *counts, uint8_t *left, struct sp_error *err);
void sp_v_piles_reset(struct sp_vpiles *s); /* empty again */
void sp_v_piles_free(struct sp_vpiles *s);

#endif
