/* lens_pairs.c -- pairs of ids on disk: the ids in one file, in another where those of the target stand, in order. */
#include "map/lens_pairs.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/temp.h"
#include "map/lens_sort.h"

#define RUN    ((size_t)1 << 17) /* entries in memory */
#define BLOCK  128u              /* entries of the index that are read at once */
#define BUFFER ((size_t)1 << 16)

struct lens_pairs {
    int data, index;
    struct sp_buf out; /* of the file that is being written */
    uint64_t written;
    struct lens_sort by_target, by_source;
    struct sp_d128 *first; /* of each block */
    size_t nfirst, cap_first;
    uint64_t n;
    struct sp_error *err; /* of the call at work */
    struct lens_entry kept;
    bool any, target;
};

int lens_pairs_new(struct lens_pairs **out, struct sp_error *err)
{
    struct lens_pairs *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return sp_nomem(err);
    p->by_target.fd = p->by_source.fd = p->index = -1;
    p->data = sp_temp_open(err);
    int rc = p->data < 0 ? p->data : lens_sort_init(&p->by_target, RUN, err);
    if (rc == 0)
        rc = lens_sort_init(&p->by_source, RUN, err);
    if (rc == 0)
        *out = p;
    else
        lens_pairs_free(p);
    return rc;
}

void lens_pairs_free(struct lens_pairs *p)
{
    if (p == NULL)
        return;
    if (p->data >= 0)
        close(p->data);
    if (p->index >= 0)
        close(p->index);
    lens_sort_free(&p->by_target);
    lens_sort_free(&p->by_source);
    sp_buf_free(&p->out);
    free(p->first);
    free(p);
}

uint64_t lens_pairs_count(const struct lens_pairs *p)
{
    return p->n;
}

static int flush(struct lens_pairs *p, int fd, struct sp_error *err)
{
    if (p->out.oom)
        return sp_nomem(err);
    int rc = p->out.n != 0 ? sp_write_all(fd, p->out.p, p->out.n, err) : 0;
    p->written += p->out.n;
    sp_buf_clear(&p->out);
    return rc;
}

int lens_pairs_add(struct lens_pairs *p, const struct sp_buf *key, const struct sp_buf *back,
    const struct sp_buf *source, struct sp_error *err)
{
    uint64_t at = p->written + p->out.n;
    if (key->n > UINT32_MAX || source->n > UINT32_MAX)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, "an id of 4 GiB");
    uint32_t n[2] = { htole32((uint32_t)key->n), htole32((uint32_t)source->n) };
    sp_buf_put(&p->out, n, sizeof n);
    sp_buf_put(&p->out, key->p, key->n);
    sp_buf_put(&p->out, source->p, source->n);
    int rc = p->out.oom || p->out.n >= BUFFER ? flush(p, p->data, err) : 0;
    if (rc == 0)
        rc = lens_sort_add(&p->by_target, (struct lens_entry){ sp_d128_of(key->p, key->n), at }, err);
    if (rc == 0)
        rc = lens_sort_add(&p->by_source, (struct lens_entry){ sp_d128_of(back->p, back->n), at }, err);
    p->n++;
    return rc;
}

/* ---- the ids of an entry ---------------------------------------------------------------------------------------- */

struct pair {
    const uint8_t *key, *source;
    size_t nkey, nsource;
};

static int read_pair(
    struct lens_pairs *p, struct sp_arena *a, uint64_t at, struct pair *out, struct sp_error *err)
{
    uint32_t n[2];
    int rc = sp_temp_read(p->data, n, sizeof n, at, err);
    if (rc != 0)
        return rc;
    out->nkey = le32toh(n[0]);
    out->nsource = le32toh(n[1]);
    uint8_t *bytes = sp_arena_alloc(a, out->nkey + out->nsource + 1);
    if (bytes == NULL)
        return sp_nomem(err);
    out->key = bytes;
    out->source = bytes + out->nkey;
    return sp_temp_read(p->data, bytes, out->nkey + out->nsource, at + sizeof n, err);
}

/* The id that stands in two pairs. */
static int twice(struct lens_pairs *p, uint64_t at)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_buf text = SP_BUF_INIT;
    struct sp_value v;
    struct pair found;
    int rc = read_pair(p, &a, at, &found, p->err);
    const uint8_t *bytes = p->target ? found.key : found.source;
    size_t n = p->target ? found.nkey : found.nsource;
    if (rc == 0 && sp_canon_read(&a, &dynamic, bytes, n, &v, NULL) >= 0)
        sp_value_print_key(&text, &v);
    if (rc == 0)
        rc = sp_fail(p->err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "the %s's id %s stands in more than one pair: which one is meant cannot be known",
            p->target ? "target" : "source", text.p != NULL ? text.p : "?");
    sp_buf_free(&text);
    sp_arena_free(&a);
    return rc;
}

static int alone(struct lens_pairs *p, const struct lens_entry *e)
{
    bool same = p->any && sp_d128_eq(p->kept.key, e->key);
    p->kept = *e;
    p->any = true;
    return same ? twice(p, e->at) : 0;
}

static int check_source(void *payload, const struct lens_entry *e)
{
    return alone(payload, e);
}

static int put_index(void *payload, const struct lens_entry *e)
{
    struct lens_pairs *p = payload;
    int rc = alone(p, e);
    if (rc != 0)
        return rc;
    if ((p->written + p->out.n) / sizeof *e % BLOCK == 0) {
        if (p->nfirst == p->cap_first) {
            size_t cap = p->cap_first != 0 ? p->cap_first * 2 : 64;
            struct sp_d128 *grown = realloc(p->first, cap * sizeof *grown);
            if (grown == NULL)
                return sp_nomem(p->err);
            p->first = grown;
            p->cap_first = cap;
        }
        p->first[p->nfirst++] = e->key;
    }
    sp_buf_put(&p->out, e, sizeof *e);
    return p->out.oom || p->out.n >= BUFFER ? flush(p, p->index, p->err) : 0;
}

int lens_pairs_finish(struct lens_pairs *p, struct sp_error *err)
{
    int rc = flush(p, p->data, err);
    p->err = err;
    p->any = p->target = false;
    if (rc == 0)
        rc = lens_sort_walk(&p->by_source, check_source, p, err);
    lens_sort_free(&p->by_source);
    p->any = false;
    p->target = true;
    p->written = 0;
    if (rc == 0 && (p->index = sp_temp_open(err)) < 0)
        rc = p->index;
    if (rc == 0)
        rc = lens_sort_walk(&p->by_target, put_index, p, err);
    if (rc == 0)
        rc = flush(p, p->index, err);
    lens_sort_free(&p->by_target);
    sp_buf_free(&p->out);
    p->err = NULL;
    return rc;
}

/* ---- looking up --------------------------------------------------------------------------------------------------- */

static int cmp(struct sp_d128 a, struct sp_d128 b)
{
    const struct lens_entry x = { a, 0 }, y = { b, 0 };
    return lens_entry_cmp(&x, &y);
}

/* The last block whose first entry is not behind the key; false = the key is before all. */
static bool find_block(const struct lens_pairs *p, struct sp_d128 key, size_t *out)
{
    size_t lo = 0, hi = p->nfirst;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cmp(p->first[mid], key) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *out = lo != 0 ? lo - 1 : 0;
    return lo != 0;
}

int lens_pairs_find(struct lens_pairs *p, struct sp_arena *a, const struct sp_buf *key, struct sp_value *out,
    struct sp_error *err)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct lens_entry block[BLOCK];
    struct sp_d128 digest = sp_d128_of(key->p, key->n);
    struct pair found;
    size_t at;
    if (!find_block(p, digest, &at))
        return 0;
    uint64_t from = (uint64_t)at * BLOCK;
    size_t n = p->n - from < BLOCK ? (size_t)(p->n - from) : BLOCK, i = 0;
    int rc = sp_temp_read(p->index, block, n * sizeof *block, from * sizeof *block, err);
    while (rc == 0 && i < n && !sp_d128_eq(block[i].key, digest))
        i++;
    if (rc != 0 || i == n)
        return rc;
    rc = read_pair(p, a, block[i].at, &found, err);
    if (rc != 0)
        return rc;
    if (found.nkey != key->n || memcmp(found.key, key->p, key->n) != 0)
        return 0;
    return sp_canon_read(a, &dynamic, found.source, found.nsource, out, NULL) < 0
               ? sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "a pair of ids cannot be read back")
               : 1;
}
