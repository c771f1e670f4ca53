/* embed_rows.c -- the rows that become elements, in two unlinked files: as they came, and sorted by what names the document. */
#include <stdlib.h>

#include "base/io.h"
#include "base/temp.h"
#include "migrate/embed.h"

#define RUN    ((size_t)1 << 17) /* entries in memory */
#define BLOCK  128u              /* entries of the index that are read at once */
#define BUFFER ((size_t)1 << 16)

/* ---- reading the rows ----------------------------------------------------------------------------------------------- */

static int flush(struct sp_membed *e, int fd, struct sp_error *err)
{
    if (e->out.oom)
        return sp_nomem(err);
    int rc = e->out.n != 0 ? sp_write_all(fd, e->out.p, e->out.n, err) : 0;
    e->written += e->out.n;
    sp_buf_clear(&e->out);
    return rc;
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct sp_membed *e = payload;
    uint64_t at = e->written + e->out.n, n = row->nrow;
    sp_buf_put(&e->out, &n, sizeof n);
    sp_buf_put(&e->out, row->row, row->nrow);
    e->n++;
    if (e->n % 4096 == 0 && sp_m_interrupted())
        return sp_fail(&e->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    int rc = e->out.oom || e->out.n >= BUFFER ? flush(e, e->data, &e->err) : 0;
    return rc != 0 ? rc : lens_sort_add(&e->sort, (struct lens_entry){ row->key, at }, &e->err);
}

static int put_index(void *payload, const struct lens_entry *entry)
{
    struct sp_membed *e = payload;
    if ((e->written + e->out.n) / sizeof *entry % BLOCK == 0) {
        if (e->nblocks == e->cap) {
            size_t cap = e->cap != 0 ? e->cap * 2 : 64;
            struct sp_d128 *grown = realloc(e->block, cap * sizeof *grown);
            if (grown == NULL)
                return sp_nomem(&e->err);
            e->block = grown;
            e->cap = cap;
        }
        e->block[e->nblocks++] = entry->key;
    }
    sp_buf_put(&e->out, entry, sizeof *entry);
    return e->out.oom || e->out.n >= BUFFER ? flush(e, e->index, &e->err) : 0;
}

static int read_all(struct sp_membed *e, struct sp_error *err)
{
    const struct sp_scan scan = { .ns = e->t->ns,
        .table = e->t->name,
        .cols = e->plan,
        .ncols = e->ncols,
        .nkey = e->nkey,
        .side = SP_SIDE_SOURCE };
    struct sp_rowbuf rb;
    int rc = sp_rowbuf_init(&rb, &scan, err);
    if (rc != 0)
        return rc;
    rb.sink = on_row;
    rb.payload = e;
    rc = sp_db_scan(e->m->source, &scan, &rb, err);
    if (rc != 0 && e->err.code != SP_E_OK) {
        sp_error_clear(err);
        sp_error_move(err, &e->err);
    } else if (rc == 0 && (!rb.complete || rb.digest.count != e->n)) {
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "the scan did not come to a confirmed end");
    }
    e->bytes = rb.bytes;
    sp_rowbuf_free(&rb);
    return rc;
}

static int put_in_order(struct sp_membed *e, struct sp_error *err)
{
    int rc = flush(e, e->data, err);
    e->written = 0;
    if (rc == 0 && (e->index = sp_temp_open(err)) < 0)
        return e->index;
    if (rc == 0 && (rc = lens_sort_walk(&e->sort, put_index, e, err)) == 0)
        rc = flush(e, e->index, err);
    if (rc != 0 && e->err.code != SP_E_OK) {
        sp_error_clear(err);
        sp_error_move(err, &e->err);
    }
    lens_sort_free(&e->sort);
    sp_buf_free(&e->out);
    e->used = rc == 0 ? calloc(1, (size_t)(e->n / 8) + 1) : NULL;
    return rc == 0 && e->used == NULL ? sp_nomem(err) : rc;
}

int sp_m_embed_read(struct sp_membed *e, struct sp_error *err)
{
    if ((e->data = sp_temp_open(err)) < 0)
        return e->data;
    int rc = lens_sort_init(&e->sort, RUN, err);
    if (rc == 0)
        rc = read_all(e, err);
    return rc == 0 ? put_in_order(e, err) : rc;
}

/* ---- the rows of one document ---------------------------------------------------------------------------------------- */

int sp_m_embed_values(struct sp_membed *e, struct sp_membed_row *f, struct sp_error *err)
{
    uint64_t n;
    int rc = sp_temp_read(e->data, &n, sizeof n, f->at, err);
    uint8_t *bytes = rc == 0 ? sp_arena_alloc(&e->arena, (size_t)n + 1) : NULL;
    f->v = sp_arena_array(&e->arena, e->ncols + 1, sizeof *f->v);
    if (rc == 0 && (bytes == NULL || f->v == NULL))
        rc = sp_nomem(err);
    if (rc == 0)
        rc = sp_temp_read(e->data, bytes, (size_t)n, f->at + sizeof n, err);
    for (size_t i = 0; rc == 0 && i < e->ncols; i++) {
        int64_t used = sp_canon_read(&e->arena, &e->plan[i].type, bytes, (size_t)n, &f->v[i], NULL);
        if (used <= 0 || (uint64_t)used > n)
            rc = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "a row cannot be read back");
        else
            bytes += used, n -= (uint64_t)used;
    }
    return rc;
}

static int cmp(struct sp_d128 a, struct sp_d128 b)
{
    const struct lens_entry x = { a, 0 }, y = { b, 0 };
    return lens_entry_cmp(&x, &y);
}

/* Entries with that key, which may begin at the end of a block. */
int sp_m_embed_find(
    struct sp_membed *e, struct sp_d128 key, struct sp_membed_row **out, size_t *nout, struct sp_error *err)
{
    struct lens_entry block[BLOCK];
    size_t lo = 0, hi = e->nblocks, cap = 0;
    *nout = 0;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (cmp(e->block[mid], key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (uint64_t at = (uint64_t)(lo != 0 ? lo - 1 : 0) * BLOCK; at < e->n; at += BLOCK) {
        size_t n = e->n - at < BLOCK ? (size_t)(e->n - at) : BLOCK;
        int rc = sp_temp_read(e->index, block, n * sizeof *block, at * sizeof *block, err);
        if (rc != 0)
            return rc;
        for (size_t i = 0; i < n; i++) {
            int c = cmp(block[i].key, key);
            if (c > 0)
                return 0;
            if (c < 0)
                continue;
            if (*nout == cap) {
                struct sp_membed_row *more = sp_arena_array(&e->arena, cap * 2 + 16, sizeof *more);
                if (more == NULL)
                    return sp_nomem(err);
                if (cap != 0)
                    memcpy(more, *out, cap * sizeof *more);
                *out = more;
                cap = cap * 2 + 16;
            }
            (*out)[(*nout)++] = (struct sp_membed_row){ .at = block[i].at, .entry = at + i };
        }
    }
    return 0;
}

int sp_m_embed_at(struct sp_membed *e, uint64_t entry, struct sp_membed_row *out, struct sp_error *err)
{
    struct lens_entry it;
    int rc = sp_temp_read(e->index, &it, sizeof it, entry * sizeof it, err);
    if (rc != 0)
        return rc;
    *out = (struct sp_membed_row){ .at = it.at, .entry = entry };
    return sp_m_embed_values(e, out, err);
}
