/* piles.c -- more entries than memory takes, sorted with little work: they go into a file in piles by the first bits of
 * their key digest, each pile in blocks, and one pile after the other is read back and sorted in memory.
 *
 * Digests are evenly spread, and so are the piles. One that is too large all the same (a key that repeats) is sorted by runs
 * (spill.c). While entries come, the array that sorts them later holds the open block of each pile. */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "verify/piles.h"

#define MOST_BITS   9u
#define BLOCK_LEAST 16u
#define BLOCK_MOST  512u
#define RUNS_LEAST  64u /* entries that spill.c needs */

/* Behind an entry that is there more than once stands MARK as key, and how often in row.lo: no digest is expected
 * to have all bits set. Both stand in one block. */
static const struct sp_d128 mark = { UINT64_MAX, UINT64_MAX };

/* The largest number of piles whose open blocks, of some size, fit into the array of `cap` entries. */
unsigned sp_v_piles_bits(size_t cap)
{
    size_t pairs = cap * sizeof(struct sp_ventry) / sizeof(struct sp_vpile_pair);
    unsigned bits = 1;
    while (bits < MOST_BITS && (size_t)(4 * BLOCK_LEAST) << (bits + 1) <= pairs)
        bits++;
    return bits;
}

int sp_v_piles_init(struct sp_vpiles *s, size_t cap, unsigned bits, struct sp_error *err)
{
    size_t least = ((size_t)BLOCK_LEAST << bits) * sizeof *s->open / sizeof *s->e + 1;
    least = least < RUNS_LEAST ? RUNS_LEAST : least;
    *s = (struct sp_vpiles){ .cap = cap < least ? least : cap, .bits = bits, .fd = -1, .over = { .fd = -1 } };
    s->e = malloc(s->cap * sizeof *s->e);
    s->pile = calloc((size_t)1 << bits, sizeof *s->pile);
    size_t block = (s->cap * sizeof *s->e / sizeof *s->open) >> bits;
    s->block = block < BLOCK_MOST ? block : BLOCK_MOST;
    return s->e == NULL || s->pile == NULL ? sp_nomem(err) : 0;
}

void sp_v_piles_reset(struct sp_vpiles *s)
{
    s->n = s->at = s->nblocks = 0;
    s->open = NULL;
    sp_v_spill_free(&s->over);
    memset(s->pile, 0, sizeof *s->pile << s->bits);
    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
}

void sp_v_piles_free(struct sp_vpiles *s)
{
    if (s->pile != NULL)
        sp_v_piles_reset(s);
    free(s->pile);
    free(s->blocks);
    free(s->e);
    *s = (struct sp_vpiles){ .fd = -1, .over = { .fd = -1 } };
}

static inline size_t pile_of(const struct sp_vpiles *s, struct sp_d128 key)
{
    return (size_t)(key.hi >> (64 - s->bits));
}

/* ---- filling --------------------------------------------------------------------------------------------------- */

static int write_block(
    struct sp_vpiles *s, struct sp_vpile *pile, const struct sp_vpile_pair *p, size_t n, struct sp_error *err)
{
    if (n == 0)
        return 0;
    if (s->nblocks == s->blocks_cap) {
        size_t cap = s->blocks_cap == 0 ? 1024 : s->blocks_cap * 2;
        struct sp_vpile_block *b = cap < UINT32_MAX ? realloc(s->blocks, cap * sizeof *b) : NULL;
        if (b == NULL)
            return sp_nomem(err);
        s->blocks = b;
        s->blocks_cap = cap;
    }
    int rc = sp_temp_write(s->fd, p, n * sizeof *p, (uint64_t)s->nblocks * s->block * sizeof *p, err);
    s->blocks[s->nblocks++] = (struct sp_vpile_block){ pile->last, (uint32_t)n };
    pile->last = (uint32_t)s->nblocks;
    pile->pairs += n;
    return rc;
}

/* The sorted array into the file. From then on it holds the open blocks. */
static int go_to_disk(struct sp_vpiles *s, struct sp_error *err)
{
    struct sp_vpile_pair out[BLOCK_MOST];
    int rc = s->fd = sp_temp_open(err);
    if (rc < 0)
        return rc;
    rc = 0;
    for (size_t i = 0; rc == 0 && i < s->n;) {
        size_t to = pile_of(s, s->e[i].key), n = 0;
        for (; i < s->n && n + 2 <= s->block && pile_of(s, s->e[i].key) == to; i++) {
            const struct sp_ventry *e = &s->e[i];
            out[n++] = (struct sp_vpile_pair){ e->key, e->row };
            if (e->n > 1)
                out[n++] = (struct sp_vpile_pair){ mark, { e->n, 0 } };
        }
        rc = write_block(s, &s->pile[to], out, n, err);
    }
    s->n = 0;
    s->open = (void *)s->e;
    return rc;
}

static int make_room(struct sp_vpiles *s, struct sp_error *err)
{
    s->n = sp_v_compact_entries(s->e, s->n);
    return s->n >= s->cap - s->cap / 4 ? go_to_disk(s, err) : 0;
}

int sp_v_piles_add(struct sp_vpiles *s, struct sp_d128 key, struct sp_d128 row, struct sp_error *err)
{
    int rc;
    if (s->open == NULL && s->n == s->cap && (rc = make_room(s, err)) != 0)
        return rc;
    if (s->open == NULL) {
        s->e[s->n++] = (struct sp_ventry){ key, row, 1 };
        return 0;
    }
    size_t i = pile_of(s, key);
    struct sp_vpile *pile = &s->pile[i];
    struct sp_vpile_pair *open = s->open + i * s->block;
    open[pile->n++] = (struct sp_vpile_pair){ key, row };
    if (pile->n < s->block)
        return 0;
    pile->n = 0;
    return write_block(s, pile, open, s->block, err);
}

/* ---- reading back ---------------------------------------------------------------------------------------------- */

int sp_v_piles_begin(struct sp_vpiles *s, struct sp_error *err)
{
    int rc = 0;
    s->at = s->end = 0;
    if (s->open == NULL) {
        s->n = sp_v_compact_entries(s->e, s->n);
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < (size_t)1 << s->bits; i++) {
        rc = write_block(s, &s->pile[i], s->open + i * s->block, s->pile[i].n, err);
        s->pile[i].n = 0;
    }
    return rc;
}

/* One block's pairs as entries, into the array, or where there are too many into runs. */
static int take(struct sp_vpiles *s, const struct sp_vpile_pair *p, size_t n, struct sp_error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        bool counted = i + 1 < n && sp_d128_eq(p[i + 1].key, mark);
        const struct sp_ventry e = { p[i].key, p[i].row, counted ? p[i + 1].row.lo : 1 };
        if (s->over.e != NULL)
            rc = sp_v_spill_add(&s->over, &e, err);
        else
            s->e[s->n++] = e;
        i += counted ? 1 : 0;
    }
    return rc;
}

static int load(struct sp_vpiles *s, size_t which, struct sp_error *err)
{
    struct sp_vpile_pair in[BLOCK_MOST];
    const struct sp_vpile *pile = &s->pile[which];
    int rc = 0;
    sp_v_spill_free(&s->over);
    s->at = s->n = 0;
    if (pile->pairs > s->cap)
        rc = sp_v_spill_borrow(&s->over, s->e, s->cap, err);
    for (uint32_t b = pile->last; rc == 0 && b != 0; b = s->blocks[b - 1].before) {
        size_t n = s->blocks[b - 1].n;
        rc = sp_temp_read(s->fd, in, n * sizeof *in, (uint64_t)(b - 1) * s->block * sizeof *in, err);
        if (rc == 0)
            rc = take(s, in, n, err);
    }
    if (rc == 0 && s->over.e != NULL)
        return sp_v_spill_begin(&s->over, err);
    s->end = s->n = sp_v_compact_entries(s->e, s->n);
    return rc;
}

int sp_v_piles_read(
    const struct sp_vpiles *s, size_t which, struct sp_vpile_pair *out, bool *counted, struct sp_error *err)
{
    int rc = 0;
    *counted = false;
    for (uint32_t b = s->pile[which].last; rc == 0 && b != 0; b = s->blocks[b - 1].before) {
        size_t n = s->blocks[b - 1].n;
        rc = sp_temp_read(s->fd, out, n * sizeof *out, (uint64_t)(b - 1) * s->block * sizeof *out, err);
        for (size_t i = 0; rc == 0 && i < n; i++)
            *counted = *counted || sp_d128_eq(out[i].key, mark);
        out += n;
    }
    return rc;
}

struct job {
    struct sp_vpiles *s;
    size_t which;
    int rc;
    struct sp_error err;
};

static void *work(void *arg)
{
    struct job *j = arg;
    j->rc = load(j->s, j->which, &j->err);
    return NULL;
}

/* In memory, a pile is the next part of the sorted array. */
static void cut(struct sp_vpiles *s, size_t which)
{
    s->at = s->end;
    while (s->end < s->n && pile_of(s, s->e[s->end].key) == which)
        s->end++;
}

/* What is in files is read by two threads. */
int sp_v_piles_load(struct sp_vpiles s[2], size_t which, struct sp_error *err)
{
    struct job job[2];
    pthread_t thread;
    bool started = false;
    int rc = 0;
    for (int i = 0; i < 2; i++)
        job[i] = (struct job){ .s = &s[i], .which = which, .err = SP_ERROR_INIT };
    if (s[0].open != NULL && s[1].open != NULL)
        started = pthread_create(&thread, NULL, work, &job[1]) == 0;
    for (int i = 0; i < 2; i++) {
        if (s[i].open == NULL)
            cut(&s[i], which);
        else if (i == 0 || !started)
            work(&job[i]);
    }
    if (started)
        pthread_join(thread, NULL);
    for (int i = 0; i < 2; i++) {
        if (rc == 0 && job[i].rc != 0) {
            rc = job[i].rc;
            sp_error_move(err, &job[i].err);
        }
        sp_error_clear(&job[i].err);
    }
    return rc;
}

int sp_v_piles_next(struct sp_vpiles *s, struct sp_ventry *out, struct sp_error *err)
{
    if (s->over.e != NULL)
        return sp_v_spill_next(&s->over, out, err);
    if (s->at == s->end)
        return 0;
    *out = s->e[s->at++];
    return 1;
}
