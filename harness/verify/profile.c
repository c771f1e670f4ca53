/* profile.c -- feeds canonical rows into profiles. Distinct values are estimated from the digests of the fields, with
 * HyperLogLog: two sides with the same values have the same estimate. */
#include <endian.h>
#include <math.h>
#include <stdlib.h>

#include "verify/profile.h"

#define MAX_EXTRA   256u /* undeclared fields that get a profile */
#define SLOTS       1024u
#define REGISTERS   (4u << 20) /* bytes for all columns of a side */
#define BITS_MOST   12u        /* 1.6 % */
#define BITS_FEWEST 8u

int sp_v_profile_open(struct sp_vprofile *p, const struct sp_colplan *cols, size_t ncols, bool residual)
{
    size_t n = ncols + (residual ? MAX_EXTRA : 0);
    *p = (struct sp_vprofile){
        .cols = cols, .ncols = ncols, .bits = BITS_MOST, .arena = SP_ARENA_INIT, .extra_cap = n - ncols
    };
    while (p->bits > BITS_FEWEST && n << p->bits > REGISTERS)
        p->bits--;
    p->col = calloc(n + 1, sizeof *p->col);
    p->registers = calloc(n + 1, (size_t)1 << p->bits);
    p->extra = calloc(p->extra_cap + 1, sizeof *p->extra);
    p->slots = calloc(SLOTS, sizeof *p->slots);
    if (p->col == NULL || p->registers == NULL || p->extra == NULL || p->slots == NULL) {
        sp_v_profile_close(p);
        return -SP_E_NOMEM;
    }
    for (size_t i = 0; i <= n; i++) /* the last one stays empty: a field that a side has not */
        p->col[i].distinct = p->registers + (i << p->bits);
    return 0;
}

void sp_v_profile_close(struct sp_vprofile *p)
{
    free(p->col);
    free(p->registers);
    free(p->extra);
    free(p->slots);
    sp_arena_free(&p->arena);
    *p = (struct sp_vprofile){ .arena = SP_ARENA_INIT };
}

static void count_distinct(const struct sp_vprofile *p, struct sp_vcolprofile *col, uint64_t hash)
{
    uint64_t rest = hash << p->bits;
    uint8_t rank = rest == 0 ? (uint8_t)(64 - p->bits + 1) : (uint8_t)(__builtin_clzll(rest) + 1);
    uint8_t *r = &col->distinct[hash >> (64 - p->bits)];
    if (rank > *r)
        *r = rank;
}

uint64_t sp_v_profile_distinct(const struct sp_vprofile *p, const struct sp_vcolprofile *col)
{
    size_t m = (size_t)1 << p->bits, zeros = 0;
    double sum = 0.0, fm = (double)m;
    for (size_t i = 0; i < m; i++) {
        sum += ldexp(1.0, -(int)col->distinct[i]);
        zeros += col->distinct[i] == 0;
    }
    double n = 0.7213 / (1.0 + 1.079 / fm) * fm * fm / sum;
    if (n <= 2.5 * fm && zeros != 0)
        n = fm * log(fm / (double)zeros);
    return (uint64_t)(n + 0.5);
}

static void feed(const struct sp_vprofile *p, struct sp_vcolprofile *col, const struct sp_type *type,
    const struct sp_vfield *f)
{
    struct sp_d128 digest = sp_d128_of(f->whole, f->nwhole);
    sp_digest_add(&col->values, digest);
    if (f->state == SP_ST_NULL || f->state == SP_ST_MISSING) {
        col->nulls += f->state == SP_ST_NULL;
        col->missing += f->state == SP_ST_MISSING;
        return;
    }
    col->present++;
    count_distinct(p, col, digest.hi);
    const uint8_t *at = f->bytes;
    size_t n = f->nbytes;
    uint8_t tag = (uint8_t)type->tag;
    if (f->state == SP_ST_UNCOERCED || tag == SP_MISSING) {
        if (n == 0)
            return;
        tag = *at++;
        n--;
    }
    if ((tag == SP_TEXT || tag == SP_BYTES || tag == SP_JSON) && n > col->longest)
        col->longest = n;
    if (sp_v_ordered(tag))
        sp_v_extreme_feed(&col->min, &col->max, tag, at, n);
}

/* ---- undeclared fields ------------------------------------------------------------------------------------------- */

static size_t *slot_of(const struct sp_vprofile *p, const char *name, size_t n)
{
    size_t at = (size_t)(sp_d128_of(name, n).lo % SLOTS);
    while (p->slots[at] != 0) {
        const char *there = p->extra[p->slots[at] - 1];
        if (strlen(there) == n && memcmp(there, name, n) == 0)
            break;
        at = (at + 1) % SLOTS;
    }
    return &p->slots[at];
}

const struct sp_vcolprofile *sp_v_profile_extra(const struct sp_vprofile *p, const char *name, size_t n)
{
    size_t at = *slot_of(p, name, n);
    return at == 0 ? NULL : &p->col[p->ncols + at - 1];
}

static struct sp_vcolprofile *extra_of(struct sp_vprofile *p, const char *name, size_t n)
{
    size_t *slot = slot_of(p, name, n);
    if (*slot == 0) {
        if (p->nextra == p->extra_cap) {
            p->skipped_fields++;
            return NULL;
        }
        char *copy = sp_arena_strn(&p->arena, name, n);
        if (copy == NULL)
            return NULL;
        p->extra[p->nextra++] = copy;
        *slot = p->nextra;
    }
    return &p->col[p->ncols + *slot - 1];
}

static int extras(struct sp_vprofile *p, const uint8_t *at, size_t left)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    uint32_t count, len;
    if (left < 4)
        return -SP_E_CORRUPT;
    memcpy(&count, at, 4);
    at += 4;
    left -= 4;
    for (count = le32toh(count); count > 0; count--) {
        struct sp_vfield f;
        if (left < 4)
            return -SP_E_CORRUPT;
        memcpy(&len, at, 4);
        len = le32toh(len);
        if (len > left - 4)
            return -SP_E_CORRUPT;
        const char *name = (const char *)at + 4;
        at += 4 + len;
        left -= 4 + len;
        int64_t used = sp_v_field(at, left, &f);
        if (used < 0)
            return (int)used;
        struct sp_vcolprofile *col = extra_of(p, name, len);
        if (col != NULL)
            feed(p, col, &dynamic, &f);
        at += used;
        left -= (size_t)used;
    }
    return 0;
}

int sp_v_profile_row(void *profile, const struct sp_rowview *row)
{
    struct sp_vprofile *p = profile;
    const uint8_t *at = row->row;
    size_t left = row->nrow;
    p->rows++;
    for (size_t i = 0; i < p->ncols; i++) {
        struct sp_vfield f;
        int64_t used = sp_v_field(at, left, &f);
        if (used < 0)
            return (int)used;
        feed(p, &p->col[i], &p->cols[i].type, &f);
        at += used;
        left -= (size_t)used;
    }
    return left == 0 || p->extra_cap == 0 ? 0 : extras(p, at, left);
}
