/* gridfs_get.c -- reading: the file, then its chunks, a few at a time. The two are not read at one moment: if the chunks are
 * gone, the object was replaced or deleted meanwhile, and it is read anew, or, where bytes of the old one were given out
 * already, the reader is told to repeat. */
#include <string.h>
#include <time.h>

#include "providers/mongodb/gridfs.h"

#define TRIES 50

int mo_pull_open(struct mo_pull *p, const struct mo_fs *fs, const bson_oid_t *id, int32_t first, int32_t last,
    struct sp_error *err)
{
    *p = (struct mo_pull){ .fs = fs, .next = first, .last = last };
    if (last < first)
        return 0;
    p->cursor = mo_fs_query(fs, fs->chunks,
        BCON_NEW(
            "files_id", BCON_OID(id), "n", "{", "$gte", BCON_INT32(first), "$lte", BCON_INT32(last), "}"),
        BCON_NEW("sort", "{", "n", BCON_INT32(1), "}", "batchSize", BCON_INT32(3), "projection", "{", "n",
            BCON_INT32(1), "data", BCON_INT32(1), "_id", BCON_INT32(0), "}"),
        err);
    return p->cursor != NULL ? 0 : err != NULL ? -(int)err->code : -SP_E_NOMEM;
}

void mo_pull_close(struct mo_pull *p)
{
    if (p->cursor != NULL)
        mongoc_cursor_destroy(p->cursor);
    p->cursor = NULL;
}

int mo_pull_next(struct mo_pull *p, const uint8_t **data, size_t *n, struct sp_error *err)
{
    const bson_t *doc;
    bson_iter_t it;
    bson_subtype_t kind;
    uint32_t len = 0;
    *n = 0;
    if (p->cursor == NULL || p->next > p->last)
        return 0;
    mo_touch(p->fs->s);
    if (!mongoc_cursor_next(p->cursor, &doc)) {
        int ret = mo_cursor_error(p->fs->s, p->cursor, "find", err);
        return ret != 0 ? ret
                        : sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "chunk %d of the object is missing",
                              (int)p->next);
    }
    bool fits = bson_iter_init_find(&it, doc, "n") && BSON_ITER_HOLDS_NUMBER(&it) &&
                bson_iter_as_int64(&it) == p->next && bson_iter_init_find(&it, doc, "data") &&
                BSON_ITER_HOLDS_BINARY(&it);
    if (fits)
        bson_iter_binary(&it, &kind, &len, data);
    if (!fits || len == 0)
        return sp_fail(
            err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "chunk %d of the object is missing", (int)p->next);
    p->next++;
    *n = len;
    return 0;
}

static int read_file(
    const struct mo_fs *fs, const struct mo_file *f, struct sp_object_reader *r, struct sp_error *err)
{
    struct mo_pull p;
    const uint8_t *data;
    size_t n = 1;
    uint64_t chunk = (uint64_t)f->chunk;
    if (r->at == r->to)
        return sp_object_reader_end(r, err);
    int ret = mo_pull_open(&p, fs, &f->id, (int32_t)(r->at / chunk), (int32_t)((r->to - 1) / chunk), err);
    while (ret == 0 && n > 0 && r->at < r->to) {
        uint64_t start = (uint64_t)p.next * chunk;
        ret = mo_pull_next(&p, &data, &n, err);
        if (ret == 0 && n > 0)
            ret = sp_object_reader_add(r, start, data, n, err);
    }
    mo_pull_close(&p);
    return ret == 0 ? sp_object_reader_end(r, err) : ret;
}

struct reading {
    struct mo_fs fs;
    struct sp_arena *a;
    const char *key;
    uint64_t offset, length;
    sp_sink_fn sink;
    void *payload;
    struct mo_file f;
};

/* Is it another object by now? */
static bool changed(struct reading *g)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct mo_file now;
    int ret = mo_file_find(&g->fs, g->key, &a, &now, NULL);
    bool other = ret == -SP_E_NOT_FOUND || (ret == 0 && !bson_oid_equal(&now.id, &g->f.id));
    sp_arena_free(&a);
    return other;
}

static int attempt(struct reading *g, bool *again, struct sp_error *err)
{
    struct sp_object_reader r;
    *again = false;
    int ret = mo_file_find(&g->fs, g->key, g->a, &g->f, err);
    if (ret == -SP_E_NOT_FOUND)
        return sp_object_absent(g->fs.bucket, g->key, err);
    if (ret == 0)
        ret = sp_object_reader_begin(&r, &g->f.o, g->offset, g->length, g->sink, g->payload, err);
    if (ret != 0)
        return ret;
    ret = read_file(&g->fs, &g->f, &r, err);
    if (ret == -SP_E_CORRUPT && changed(g)) {
        *again = r.at == g->offset;
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "object \"%s\" was replaced while it was read; repeat the read", g->key);
        if (err != NULL)
            err->retryable = true;
    }
    sp_object_reader_free(&r);
    return ret;
}

int mo_blob_get(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    struct reading g = {
        .a = a, .key = key, .offset = offset, .length = length, .sink = sink, .payload = payload
    };
    bool again = true;
    mo_begin_statement(s);
    int ret = mo_fs_of(s, bucket, false, &g.fs, err);
    if (ret != 0)
        return ret;
    for (int i = 0; again && i < TRIES; i++) {
        if (i > 0)
            sp_error_clear(err);
        ret = attempt(&g, &again, err);
    }
    if (ret == 0 && out != NULL)
        *out = g.f.o;
    return ret;
}

int mo_blob_head(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err)
{
    struct mo_fs fs;
    struct mo_file f;
    mo_begin_statement(s);
    int ret = mo_fs_of(s, bucket, false, &fs, err);
    if (ret == 0)
        ret = mo_file_find(&fs, key, a, &f, err);
    if (ret == -SP_E_NOT_FOUND)
        return sp_object_absent(bucket, key, err);
    if (ret == 0)
        *out = f.o;
    return ret;
}
