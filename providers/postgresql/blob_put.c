/* blob_put.c -- storing an object: one round trip if it is small, else its chunks are on their way while the next is read. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "providers/postgresql/blob.h"

#define WINDOW                                                                                               \
    8 /* statements without an answer: what libpq remembers of each stays small, errors show early */

/* Version 7: ordered by time, so that the index grows at its end. */
int po_content_new(struct po_content *c, struct sp_error *err)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = htobe64((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000);
    if (RAND_bytes(c->id, sizeof c->id) != 1)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "cannot get random bytes");
    memcpy(c->id, (const uint8_t *)&ms + 2, 6);
    c->id[6] = (uint8_t)((c->id[6] & 0x0f) | 0x70);
    c->id[8] = (uint8_t)((c->id[8] & 0x3f) | 0x80);
    return 0;
}

static int next_done(struct po_batch *b, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = po_batch_next(b, &r, err);
    PQclear(r);
    return ret;
}

int po_chunk_add(struct po_batch *b, const struct po_content *c, uint64_t start, const void *p, size_t n,
    struct sp_error *err)
{
    int ret = po_batch_add(b, err, "INSERT INTO @.chunks (content, start, data) VALUES ($1, $2, $3)", "uio",
        c, (int64_t)start, p, n);
    while (ret == 0 && b->waiting > WINDOW)
        ret = next_done(b, err);
    return ret;
}

/* ---- the row ---- */

static const char insert_row[] =
    "WITH made AS (INSERT INTO @.objects AS o (key, content, size, content_type, etag, meta, modified) "
    "VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp()) ON CONFLICT (key) DO UPDATE SET content = "
    "excluded.content, size = excluded.size, content_type = excluded.content_type, etag = excluded.etag, "
    "meta = excluded.meta, modified = clock_timestamp(), replaced = o.content RETURNING modified), "
    "chunk AS (INSERT INTO @.chunks (content, start, data) SELECT $2, 0, $7 FROM made WHERE $7 IS NOT NULL) "
    "SELECT modified FROM made";

static const char insert_row_once[] =
    "WITH made AS (INSERT INTO @.objects (key, content, size, content_type, etag, meta, modified) "
    "VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp()) ON CONFLICT (key) DO NOTHING RETURNING modified), "
    "chunk AS (INSERT INTO @.chunks (content, start, data) SELECT $2, 0, $7 FROM made WHERE $7 IS NOT NULL) "
    "SELECT modified FROM made";

static const char update_row[] =
    "WITH made AS (UPDATE @.objects SET content = $2, size = $3, content_type = $4, etag = $5, meta = $6, "
    "modified = clock_timestamp(), replaced = content WHERE key = $1 AND etag = $8 RETURNING modified), "
    "chunk AS (INSERT INTO @.chunks (content, start, data) SELECT $2, 0, $7 FROM made WHERE $7 IS NOT NULL) "
    "SELECT modified FROM made";

int po_row_add(struct po_batch *b, const struct po_put *p, const void *data, size_t n, struct sp_error *err)
{
    const struct sp_put_opts *o = p->opts;
    const char *sql = o->if_match != NULL ? update_row : o->if_none_match ? insert_row_once : insert_row;
    int ret = po_batch_add(b, err, sql, o->if_match != NULL ? "kuisssos" : "kuissso", p->key, &p->content,
        (int64_t)p->size, o->content_type == NULL ? SP_OBJECT_TYPE : o->content_type, p->etag, p->meta, data,
        n, o->if_match);
    if (ret == 0)
        ret = po_batch_add(b, err,
            "DELETE FROM @.chunks c USING @.objects o WHERE o.key = $1 AND o.content = $2 AND c.content = "
            "o.replaced",
            "ku", p->key, &p->content);
    return ret;
}

int po_row_next(struct po_batch *b, const struct po_put *p, int64_t *modified, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = 0;
    while (ret == 0 && b->waiting > 2) /* chunks */
        ret = next_done(b, err);
    if (ret == 0)
        ret = po_batch_next(b, &r, err);
    if (ret == 0 && PQntuples(r) == 0)
        ret = sp_fail(err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND, "object \"%s\" %s", p->key,
            p->opts->if_match != NULL ? "is absent or has another etag than the request wants"
                                      : "exists already; the request wants it absent");
    if (ret == 0)
        *modified = po_int_at(r, 0, 0);
    PQclear(r);
    return ret == 0 ? next_done(b, err) : ret;
}

int po_put_describe(
    const struct po_put *p, int64_t modified, struct sp_arena *a, struct sp_object *out, struct sp_error *err)
{
    if (out == NULL)
        return 0;
    *out = (struct sp_object){ .size = p->size, .modified = po_modified(modified) };
    out->key = sp_arena_str(a, p->key);
    out->etag = sp_arena_str(a, p->etag);
    out->content_type =
        sp_arena_str(a, p->opts->content_type == NULL ? SP_OBJECT_TYPE : p->opts->content_type);
    if (out->key == NULL || out->etag == NULL || out->content_type == NULL)
        return sp_nomem(err);
    return sp_object_meta_parse(p->meta, a, out, err);
}

/* ---- put ---- */

struct feed {
    sp_source_fn source;
    void *payload;
    struct sp_object_sum sum;
    char *chunk;
    size_t n; /* in chunk */
    char etag[65];
};

static int fetch(struct feed *f, struct po_put *p, struct sp_error *err)
{
    int ret = sp_object_fill(f->source, f->payload, f->chunk, PO_CHUNK, &f->n, err);
    if (ret == 0 && p->size + f->n > (uint64_t)PO_OBJECT_BYTES)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "\"%s\" is larger than %lld bytes", p->key,
            (long long)PO_OBJECT_BYTES);
    if (ret == 0) {
        sp_object_sum_add(&f->sum, f->chunk, f->n);
        p->size += f->n;
    }
    return ret;
}

/* Chunks while there are full ones; the last stays in the feed. */
static int send_chunks(struct po_batch *b, struct feed *f, struct po_put *p, struct sp_error *err)
{
    int ret = 0;
    while (ret == 0 && f->n == PO_CHUNK) {
        ret = po_chunk_add(b, &p->content, p->size - f->n, f->chunk, f->n, err);
        if (ret == 0)
            ret = fetch(f, p, err);
    }
    if (ret == 0 && f->n > 0)
        ret = po_chunk_add(b, &p->content, p->size - f->n, f->chunk, f->n, err);
    return ret;
}

static int seal(struct feed *f, struct po_put *p, struct sp_error *err)
{
    sp_object_sum_end(&f->sum, f->etag);
    p->etag = f->etag;
    return sp_object_sum_check(p->key, f->etag, p->opts->sha256_hex, err);
}

static int put_small(struct sp_session *s, const char *bucket, struct feed *f, struct po_put *p,
    int64_t *modified, struct sp_error *err)
{
    struct po_batch b;
    int ret = seal(f, p, err);
    if (ret == 0)
        ret = po_batch_begin(&b, s, bucket, err);
    if (ret != 0)
        return ret;
    ret = po_row_add(&b, p, f->n == 0 ? NULL : f->chunk, f->n, err);
    if (ret == 0)
        ret = po_batch_finish(&b, err);
    if (ret == 0)
        ret = po_row_next(&b, p, modified, err);
    return po_batch_end(&b, ret, err);
}

static int put_large(struct sp_session *s, const char *bucket, struct feed *f, struct po_put *p,
    int64_t *modified, struct sp_error *err)
{
    struct po_batch b;
    int ret = po_batch_begin(&b, s, bucket, err);
    if (ret != 0)
        return ret;
    ret = send_chunks(&b, f, p, err);
    if (ret == 0)
        ret = seal(f, p, err);
    if (ret == 0)
        ret = po_row_add(&b, p, NULL, 0, err);
    if (ret == 0)
        ret = po_row_next(&b, p, modified, err);
    if (ret == 0)
        ret = po_batch_finish(&b, err);
    return po_batch_end(&b, ret, err);
}

int po_blob_put(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn source, void *payload, const struct sp_put_opts *opts, struct sp_object *out,
    struct sp_error *err)
{
    static const struct sp_put_opts none = { .content_type = NULL };
    struct po_put p = { .key = key, .opts = opts == NULL ? &none : opts };
    struct feed f = { .source = source, .payload = payload, .chunk = malloc(PO_CHUNK) };
    char *meta = NULL;
    int64_t modified = 0;
    int ret = f.chunk == NULL ? sp_nomem(err) : sp_object_key_check(key, PO_KEY_BYTES, err);
    if (ret == 0)
        ret = sp_object_meta_text(p.opts, &meta, err);
    p.meta = meta;
    if (ret == 0)
        ret = po_content_new(&p.content, err);
    if (ret == 0)
        ret = sp_object_sum_begin(&f.sum, err);
    if (ret == 0)
        ret = fetch(&f, &p, err);
    if (ret == 0)
        ret = f.n < PO_CHUNK ? put_small(s, bucket, &f, &p, &modified, err)
                             : put_large(s, bucket, &f, &p, &modified, err);
    if (ret == 0)
        ret = po_put_describe(&p, modified, a, out, err);
    sp_object_sum_free(&f.sum);
    free(f.chunk);
    free(meta);
    return ret;
}
