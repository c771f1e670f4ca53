/* gridfs_put.c -- chunks, then the file that names them, in a transaction with the one that it replaces; delete, copy, move. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "providers/mongodb/gridfs.h"

#define CHUNKS_AT_ONCE 3 /* of one insert */

int mo_need_txn(struct sp_session *s, struct sp_error *err)
{
    return mo_has_txn(s)
               ? 0
               : sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                     "GridFS replaces an object in a transaction, which a standalone server does not have; "
                     "make it a replica set of one (%s)",
                     s->where);
}

/* ---- chunks ---- */

struct writer {
    const struct mo_fs *fs;
    const bson_oid_t *id;
    bson_t cmd, docs;
    uint32_t waiting;
    int32_t n; /* of the next chunk */
};

static int insert(const struct mo_fs *fs, bson_t *cmd, struct sp_error *err)
{
    bson_t reply;
    mo_touch(fs->s);
    int ret = mo_ready(fs->s, err);
    if (ret != 0)
        return ret;
    ret = mo_command(fs->s, fs->db, cmd, MO_WRITE, "insert", &reply, err);
    if (ret == 0)
        ret = mo_write_error(fs->s, &reply, "insert", err);
    bson_destroy(&reply);
    return ret;
}

static int writer_flush(struct writer *w, struct sp_error *err)
{
    if (w->waiting == 0)
        return 0;
    int ret = bson_append_array_end(&w->cmd, &w->docs) ? insert(w->fs, &w->cmd, err) : sp_nomem(err);
    bson_destroy(&w->cmd);
    w->waiting = 0;
    return ret;
}

static void writer_free(struct writer *w)
{
    if (w->waiting > 0)
        bson_destroy(&w->cmd);
    w->waiting = 0;
}

static int writer_add(struct writer *w, const void *p, size_t n, struct sp_error *err)
{
    bson_t doc;
    bson_oid_t own;
    char key[16];
    const char *index;
    bool ok = true;
    if (w->waiting == 0) {
        bson_init(&w->cmd);
        ok = BSON_APPEND_UTF8(&w->cmd, "insert", w->fs->chunks) &&
             BSON_APPEND_ARRAY_BEGIN(&w->cmd, "documents", &w->docs);
    }
    size_t len = bson_uint32_to_string(w->waiting++, &index, key, sizeof key);
    bson_oid_init(&own, NULL);
    ok = ok && bson_append_document_begin(&w->docs, index, (int)len, &doc) &&
         BSON_APPEND_OID(&doc, "_id", &own) && BSON_APPEND_OID(&doc, "files_id", w->id) &&
         BSON_APPEND_INT32(&doc, "n", w->n++) &&
         BSON_APPEND_BINARY(&doc, "data", BSON_SUBTYPE_BINARY, p, (uint32_t)n) &&
         bson_append_document_end(&w->docs, &doc);
    if (!ok)
        return sp_nomem(err);
    return w->waiting == CHUNKS_AT_ONCE ? writer_flush(w, err) : 0;
}

/* ---- the file ---- */

static bool put_meta(bson_t *doc, const struct mo_put *p)
{
    bson_t meta, list, entry;
    bool ok = BSON_APPEND_DOCUMENT_BEGIN(doc, "metadata", &meta) &&
              BSON_APPEND_UTF8(&meta, "contentType",
                  p->opts->content_type == NULL ? SP_OBJECT_TYPE : p->opts->content_type) &&
              BSON_APPEND_UTF8(&meta, "sha256", p->etag) && BSON_APPEND_ARRAY_BEGIN(&meta, "user", &list);
    for (size_t i = 0; ok && i < p->opts->nmeta; i++) {
        char key[16];
        const char *index;
        size_t len = bson_uint32_to_string((uint32_t)i, &index, key, sizeof key);
        ok = bson_append_document_begin(&list, index, (int)len, &entry) &&
             BSON_APPEND_UTF8(&entry, "name", p->opts->meta[i].name) &&
             BSON_APPEND_UTF8(&entry, "value", p->opts->meta[i].value) &&
             bson_append_document_end(&list, &entry);
    }
    return ok && bson_append_array_end(&meta, &list) && bson_append_document_end(doc, &meta);
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool put_file(bson_t *doc, const struct mo_put *p)
{
    return BSON_APPEND_OID(doc, "_id", &p->id) && BSON_APPEND_INT64(doc, "length", (int64_t)p->size) &&
           BSON_APPEND_INT32(doc, "chunkSize", MO_CHUNK) &&
           BSON_APPEND_DATE_TIME(doc, "uploadDate", now_ms()) && BSON_APPEND_UTF8(doc, "filename", p->key) &&
           put_meta(doc, p);
}

struct placing {
    struct mo_put *p;
    const bson_t *doc;
    bson_oid_t old;
    bool replaced;
};

/* Another client may have taken the name since our snapshot: then we have lost against it, and look again. */
static int insert_file(const struct mo_put *p, const bson_t *doc, struct sp_error *err)
{
    bson_t *cmd = BCON_NEW("insert", BCON_UTF8(p->fs->files), "documents", "[", BCON_DOCUMENT(doc), "]");
    int ret = cmd == NULL ? sp_nomem(err) : insert(p->fs, cmd, err);
    if (cmd != NULL)
        bson_destroy(cmd);
    if (ret != -SP_E_UNIQUE)
        return ret;
    sp_error_clear(err);
    return sp_fail(
        err, SP_E_CONFLICT, SP_ORIGIN_BACKEND, "object \"%s\" was stored by another client just now", p->key);
}

static int end_guard(const struct mo_put *p, struct sp_arena *a, struct sp_error *err)
{
    struct mo_file guard;
    bool found = false;
    if (p->guard_fs == NULL)
        return 0;
    int ret = mo_file_find(p->guard_fs, p->guard_key, a, &guard, err);
    if (ret == 0)
        ret = mo_file_remove(p->guard_fs, &guard.id, &found, err);
    return ret == 0 && !found ? -SP_E_NOT_FOUND : ret;
}

static int place(struct sp_session *s, void *payload, struct sp_error *err)
{
    struct placing *g = payload;
    struct sp_arena a = SP_ARENA_INIT;
    struct mo_file old;
    bool found = false;
    (void)s;
    int ret = end_guard(g->p, &a, err);
    if (ret == 0) {
        ret = mo_file_find(g->p->fs, g->p->key, &a, &old, err);
        g->replaced = ret == 0;
        if (ret == -SP_E_NOT_FOUND)
            ret = 0;
    }
    if (ret == 0)
        ret = sp_object_condition(g->p->opts, g->p->key, g->replaced ? old.o.etag : NULL, err);
    if (ret == 0 && g->replaced) {
        bson_oid_copy(&old.id, &g->old);
        ret = mo_file_remove(g->p->fs, &old.id, &found, err);
    }
    if (ret == 0)
        ret = insert_file(g->p, g->doc, err);
    sp_arena_free(&a);
    return ret;
}

static int place_now(struct mo_put *p, struct sp_arena *a, struct sp_object *out, struct sp_error *err)
{
    bson_t doc;
    struct mo_file made;
    struct placing g = { .p = p, .doc = &doc };
    bson_init(&doc);
    mo_touch(p->fs->s);
    int ret = put_file(&doc, p) ? mo_atomically(p->fs->s, place, &g, err) : sp_nomem(err);
    if (ret == 0 && g.replaced)
        ret = mo_chunks_sweep(p->fs, &g.old, err);
    if (ret == 0 && out != NULL) {
        ret = mo_file_of(&doc, a, &made, err);
        *out = made.o;
    }
    bson_destroy(&doc);
    return ret;
}

/* ---- put ---- */

static int write_chunks(struct mo_put *p, sp_source_fn source, void *payload, struct sp_object_sum *sum,
    struct writer *w, struct sp_error *err)
{
    char *chunk = malloc(MO_CHUNK);
    size_t n = MO_CHUNK;
    int ret = chunk == NULL ? sp_nomem(err) : 0;
    while (ret == 0 && n == MO_CHUNK) {
        ret = sp_object_fill(source, payload, chunk, MO_CHUNK, &n, err);
        if (ret == 0 && p->size + n > (uint64_t)MO_OBJECT_BYTES)
            ret = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "\"%s\" is larger than %lld bytes", p->key,
                (long long)MO_OBJECT_BYTES);
        if (ret == 0 && n > 0) {
            sp_object_sum_add(sum, chunk, n);
            ret = writer_add(w, chunk, n, err);
            p->size += n;
        }
    }
    free(chunk);
    return ret == 0 ? writer_flush(w, err) : ret;
}

int mo_put_stream(struct mo_put *p, sp_source_fn source, void *payload, struct sp_arena *a,
    struct sp_object *out, struct sp_error *err)
{
    struct writer w = { .fs = p->fs, .id = &p->id };
    struct sp_object_sum sum;
    char etag[65];
    int ret = sp_object_sum_begin(&sum, err);
    if (ret != 0)
        return ret;
    bson_oid_init(&p->id, NULL);
    p->size = 0;
    ret = write_chunks(p, source, payload, &sum, &w, err);
    writer_free(&w);
    sp_object_sum_end(&sum, etag);
    sp_object_sum_free(&sum);
    if (ret == 0)
        ret = sp_object_sum_check(p->key, etag, p->opts->sha256_hex, err);
    p->etag = etag;
    if (ret == 0)
        ret = place_now(p, a, out, err);
    p->etag = NULL;
    /* Where nobody knows whether the file was placed, its chunks stay. */
    if (ret != 0 && ret != -SP_E_OUTCOME_UNKNOWN && w.n > 0 && p->fs->s->cs == NULL) {
        mo_begin_statement(p->fs->s); /* also where the put was stopped, or took too long */
        (void)mo_chunks_remove(p->fs, &p->id, NULL);
    }
    return ret;
}

static int start(
    struct sp_session *s, const char *bucket, const char *key, struct mo_fs *fs, struct sp_error *err)
{
    mo_begin_statement(s);
    int ret = mo_writable(s, err);
    if (ret == 0)
        ret = mo_need_txn(s, err);
    if (ret == 0)
        ret = sp_object_key_check(key, MO_KEY_BYTES, err);
    if (ret == 0)
        ret = mo_fs_of(s, bucket, false, fs, err);
    return ret == 0 ? mo_fs_check(fs, err) : ret;
}

int mo_blob_put(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn source, void *payload, const struct sp_put_opts *opts, struct sp_object *out,
    struct sp_error *err)
{
    static const struct sp_put_opts none = { .content_type = NULL };
    struct mo_fs fs;
    struct mo_put p = { .fs = &fs, .key = key, .opts = opts == NULL ? &none : opts };
    int ret = start(s, bucket, key, &fs, err);
    return ret == 0 ? mo_put_stream(&p, source, payload, a, out, err) : ret;
}

/* ---- delete ---- */

int mo_blob_del(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct mo_fs fs;
    struct mo_file f;
    bool found = false;
    mo_begin_statement(s);
    int ret = mo_writable(s, err);
    if (ret == 0)
        ret = mo_fs_of(s, bucket, false, &fs, err);
    /* Replaced between the two: then that one is what was to be deleted. */
    for (int i = 0; ret == 0 && !found && i < 100; i++) {
        ret = mo_file_find(&fs, key, &a, &f, err);
        if (ret == 0)
            ret = mo_file_remove(&fs, &f.id, &found, err);
    }
    if (ret == 0 && found)
        ret = mo_chunks_sweep(&fs, &f.id, err);
    else if (ret == -SP_E_NOT_FOUND)
        ret = mo_fs_check(&fs, err); /* an absent object is fine, an absent bucket is not */
    sp_arena_free(&a);
    return ret;
}

/* ---- copy ---- */

struct copying {
    struct mo_pull pull;
    const uint8_t *p;
    size_t n;
    struct sp_error *err;
    int ret;
};

static int64_t copy_source(void *payload, void *out, size_t n)
{
    struct copying *c = payload;
    if (c->n == 0)
        c->ret = mo_pull_next(&c->pull, &c->p, &c->n, c->err);
    if (c->ret != 0)
        return -1;
    size_t take = c->n < n ? c->n : n;
    if (take > 0)
        memcpy(out, c->p, take);
    c->p += take;
    c->n -= take;
    return (int64_t)take;
}

/* Through the client: GridFS has no copy of its own. */
static int copy_file(const struct mo_fs *fs, const struct mo_file *f, const char *to, struct sp_error *err)
{
    struct sp_error own = SP_ERROR_INIT;
    struct copying c = { .err = &own };
    struct sp_put_opts opts = {
        .content_type = f->o.content_type, .meta = f->o.meta, .nmeta = f->o.nmeta, .sha256_hex = f->o.etag
    };
    struct mo_put p = { .fs = fs, .key = to, .opts = &opts };
    int32_t chunks = (int32_t)((f->o.size + (uint64_t)f->chunk - 1) / (uint64_t)f->chunk);
    int ret = mo_pull_open(&c.pull, fs, &f->id, 0, chunks - 1, err);
    if (ret != 0)
        return ret;
    ret = mo_put_stream(&p, copy_source, &c, NULL, NULL, err);
    mo_pull_close(&c.pull);
    if (c.ret != 0) { /* its reason, not that the source gave up */
        ret = c.ret;
        if (err != NULL)
            sp_error_move(err, &own);
    }
    sp_error_clear(&own);
    return ret;
}

static int same_still(const struct mo_fs *fs, const struct mo_file *f, bool *same, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct mo_file now;
    int ret = mo_file_find(fs, f->o.key, &a, &now, err);
    *same = ret == 0 && bson_oid_equal(&now.id, &f->id);
    sp_arena_free(&a);
    return ret == -SP_E_NOT_FOUND ? 0 : ret;
}

int mo_blob_copy(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct mo_fs fs;
    struct mo_file f;
    bool same = false;
    int ret = start(s, bucket, to, &fs, err);
    for (int i = 0; ret == 0 && i < 20; i++) {
        ret = mo_file_find(&fs, from, &a, &f, err);
        if (ret == -SP_E_NOT_FOUND)
            ret = sp_object_absent(bucket, from, err);
        if (ret != 0 || strcmp(from, to) == 0)
            break;
        ret = copy_file(&fs, &f, to, err);
        if (ret != -SP_E_CORRUPT || same_still(&fs, &f, &same, NULL) != 0 || same)
            break;
        sp_error_clear(err); /* replaced while it was copied: once more */
        ret = 0;
    }
    sp_arena_free(&a);
    return ret;
}

/* ---- move ---- */

struct moving {
    const struct mo_fs *fs;
    const char *from, *to;
    bson_oid_t old;
    bool replaced;
};

static int rename_file(const struct moving *m, const bson_oid_t *id, struct sp_error *err)
{
    bson_t reply;
    bson_t *cmd = BCON_NEW("update", BCON_UTF8(m->fs->files), "updates", "[", "{", "q", "{", "_id",
        BCON_OID(id), "}", "u", "{", "$set", "{", "filename", BCON_UTF8(m->to), "uploadDate",
        BCON_DATE_TIME(now_ms()), "}", "}", "}", "]");
    if (cmd == NULL)
        return sp_nomem(err);
    int ret = mo_command(m->fs->s, m->fs->db, cmd, MO_WRITE, "update", &reply, err);
    if (ret == 0)
        ret = mo_write_error(m->fs->s, &reply, "update", err);
    bson_destroy(&reply);
    bson_destroy(cmd);
    if (ret != -SP_E_UNIQUE)
        return ret;
    sp_error_clear(err);
    return sp_fail(
        err, SP_E_CONFLICT, SP_ORIGIN_BACKEND, "object \"%s\" was stored by another client just now", m->to);
}

static int move(struct sp_session *s, void *payload, struct sp_error *err)
{
    struct moving *m = payload;
    struct sp_arena a = SP_ARENA_INIT;
    struct mo_file from, old;
    bool found = false;
    (void)s;
    int ret = mo_file_find(m->fs, m->from, &a, &from, err);
    if (ret == -SP_E_NOT_FOUND)
        ret = sp_object_absent(m->fs->bucket, m->from, err);
    if (ret == 0 && strcmp(m->from, m->to) != 0) {
        ret = mo_file_find(m->fs, m->to, &a, &old, err);
        m->replaced = ret == 0;
        if (ret == 0) {
            bson_oid_copy(&old.id, &m->old);
            ret = mo_file_remove(m->fs, &old.id, &found, err);
        } else if (ret == -SP_E_NOT_FOUND) {
            ret = 0;
        }
        if (ret == 0)
            ret = rename_file(m, &from.id, err);
    }
    sp_arena_free(&a);
    return ret;
}

int mo_blob_move(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    struct mo_fs fs;
    struct moving m = { .fs = &fs, .from = from, .to = to };
    int ret = start(s, bucket, to, &fs, err);
    if (ret == 0)
        ret = mo_atomically(s, move, &m, err);
    return ret == 0 && m.replaced ? mo_chunks_sweep(&fs, &m.old, err) : ret;
}
