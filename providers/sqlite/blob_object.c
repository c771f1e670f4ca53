/* blob_object.c -- objects: put, get, head, delete, copy, move. Each is one transaction. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "providers/sqlite/blob.h"

/* ---- rows ---- */

int sq_object_row(
    sqlite3_stmt *st, struct sp_arena *a, int64_t *id, struct sp_object *out, struct sp_error *err)
{
    memset(out, 0, sizeof *out);
    *id = sqlite3_column_int64(st, 0);
    out->key = sp_arena_strn(a, sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1));
    out->size = (uint64_t)sqlite3_column_int64(st, 2);
    out->content_type = sp_arena_str(a, (const char *)sqlite3_column_text(st, 3));
    out->etag = sp_arena_str(a, (const char *)sqlite3_column_text(st, 4));
    out->modified.sec = sqlite3_column_int64(st, 6);
    out->modified.nsec = (uint32_t)sqlite3_column_int(st, 7);
    if (out->key == NULL || out->content_type == NULL || out->etag == NULL)
        return sp_nomem(err);
    return sp_object_meta_parse((const char *)sqlite3_column_text(st, 5), a, out, err);
}

int sq_object_find(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key, int64_t *id,
    struct sp_object *out, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int ret = sq_store_prepare(s, &st, err,
        "SELECT " SQ_OBJECT_COLUMNS " FROM sp_blob_objects WHERE bucket = ?1 AND key = ?2", "sk", bucket,
        key);
    if (ret == 0) {
        int rc = sqlite3_step(st);
        if (rc == SQLITE_ROW)
            ret = sq_object_row(st, a, id, out, err);
        else
            ret = rc == SQLITE_DONE ? sp_object_absent(bucket, key, err) : sq_error(s, rc, NULL, err);
    }
    sqlite3_finalize(st);
    return ret;
}

static int drop_object(struct sp_session *s, int64_t id, struct sp_error *err)
{
    int ret = sq_content_drop(s, id, err);
    return ret != 0 ? ret : sq_store_run(s, err, "DELETE FROM sp_blob_objects WHERE id = ?1", "i", id);
}

/* Removes what stands under the key, if anything, after the conditions held. */
static int make_room(struct sp_session *s, const char *bucket, const char *key, const struct sp_put_opts *o,
    struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_object old;
    int64_t id = 0;
    int ret = sq_object_find(s, &a, bucket, key, &id, &old, err);
    bool there = ret == 0;
    if (ret == -SP_E_NOT_FOUND) {
        sp_error_clear(err);
        ret = 0;
    }
    if (ret == 0)
        ret = sp_object_condition(o, key, there ? old.etag : NULL, err);
    if (ret == 0 && there)
        ret = drop_object(s, id, err);
    sp_arena_free(&a);
    return ret;
}

int sq_object_new(struct sp_session *s, const char *bucket, const char *key, const struct sp_put_opts *o,
    const char *meta, int64_t *id, struct sp_error *err)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int ret = make_room(s, bucket, key, o, err);
    if (ret == 0)
        ret = sq_store_run(s, err,
            "INSERT INTO sp_blob_objects(bucket, key, size, content_type, etag, meta, modified_s, "
            "modified_ns) "
            "VALUES (?1, ?2, 0, ?3, '', ?4, ?5, ?6)",
            "skssii", bucket, key, o->content_type == NULL ? SP_OBJECT_TYPE : o->content_type, meta,
            (int64_t)now.tv_sec, (int64_t)now.tv_nsec);
    *id = sqlite3_last_insert_rowid(s->db);
    return ret;
}

int sq_object_finish(struct sp_session *s, int64_t id, uint64_t size, const char *etag, struct sp_error *err)
{
    return sq_store_run(s, err, "UPDATE sp_blob_objects SET size = ?2, etag = ?3 WHERE id = ?1", "iis", id,
        (int64_t)size, etag);
}

/* ---- put ---- */

static int store(struct sp_session *s, int64_t id, sp_source_fn source, void *payload,
    struct sp_object_sum *sum, uint64_t *size, struct sp_error *err)
{
    char *chunk = malloc(SQ_CHUNK);
    size_t n = SQ_CHUNK;
    int ret = chunk == NULL ? sp_nomem(err) : 0;
    for (*size = 0; ret == 0 && n == SQ_CHUNK; *size += n) {
        n = 0;
        ret = sp_object_fill(source, payload, chunk, SQ_CHUNK, &n, err);
        if (ret == 0 && n > 0) {
            sp_object_sum_add(sum, chunk, n);
            sq_statement_begin(s); /* the time-out is for SQLite, not for the source */
            ret = sq_content_add(s, id, *size, chunk, n, err);
        }
    }
    free(chunk);
    return ret;
}

static int put(struct sp_session *s, const char *bucket, const char *key, sp_source_fn source, void *payload,
    const struct sp_put_opts *o, const char *meta, struct sp_error *err)
{
    struct sp_object_sum sum;
    char etag[65];
    int64_t id = 0;
    uint64_t size = 0;
    int ret = sp_object_sum_begin(&sum, err);
    if (ret != 0)
        return ret;
    ret = sq_object_new(s, bucket, key, o, meta, &id, err);
    if (ret == 0)
        ret = store(s, id, source, payload, &sum, &size, err);
    sp_object_sum_end(&sum, etag);
    sp_object_sum_free(&sum);
    if (ret == 0)
        ret = sp_object_sum_check(key, etag, o->sha256_hex, err);
    return ret == 0 ? sq_object_finish(s, id, size, etag, err) : ret;
}

int sq_blob_put(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn source, void *payload, const struct sp_put_opts *opts, struct sp_object *out,
    struct sp_error *err)
{
    static const struct sp_put_opts none = { .content_type = NULL };
    const struct sp_put_opts *o = opts == NULL ? &none : opts;
    char *meta = NULL;
    bool own;
    int64_t id;
    int ret = sp_object_key_check(key, SQ_KEY_BYTES, err);
    if (ret == 0)
        ret = sp_object_meta_text(o, &meta, err);
    if (ret == 0)
        ret = sq_store_begin(s, bucket, true, &own, err);
    if (ret == 0) {
        ret = put(s, bucket, key, source, payload, o, meta, err);
        if (ret == 0 && out != NULL)
            ret = sq_object_find(s, a, bucket, key, &id, out, err);
        ret = sq_store_end(s, own, ret, err);
    }
    free(meta);
    return ret;
}

/* ---- get, head, delete, copy, move ---- */

static int get(struct sp_session *s, int64_t id, const struct sp_object *o, uint64_t offset, uint64_t length,
    sp_sink_fn sink, void *payload, struct sp_error *err)
{
    struct sp_object_reader r;
    int ret = sp_object_reader_begin(&r, o, offset, length, sink, payload, err);
    if (ret == 0)
        ret = sq_content_read(s, id, &r, err);
    if (ret == 0)
        ret = sp_object_reader_end(&r, err);
    sp_object_reader_free(&r);
    return ret;
}

int sq_blob_get(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    struct sp_object o;
    int64_t id;
    bool own;
    int ret = sq_store_begin(s, bucket, false, &own, err);
    if (ret != 0)
        return ret;
    ret = sq_object_find(s, a, bucket, key, &id, &o, err);
    if (ret == 0)
        ret = get(s, id, &o, offset, length, sink, payload, err);
    if (ret == 0 && out != NULL)
        *out = o;
    return sq_store_end(s, own, ret, err);
}

int sq_blob_head(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err)
{
    int64_t id;
    bool own;
    int ret = sq_store_begin(s, bucket, false, &own, err);
    return ret != 0 ? ret : sq_store_end(s, own, sq_object_find(s, a, bucket, key, &id, out, err), err);
}

int sq_blob_del(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    struct sp_put_opts none = { .content_type = NULL };
    bool own;
    int ret = sq_store_begin(s, bucket, true, &own, err);
    return ret != 0 ? ret : sq_store_end(s, own, make_room(s, bucket, key, &none, err), err);
}

static int copy(struct sp_session *s, const char *bucket, const char *from, const char *to, bool move,
    struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_put_opts none = { .content_type = NULL };
    struct sp_object o;
    struct timespec now;
    int64_t id = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    int ret = sq_object_find(s, &a, bucket, from, &id, &o, err);
    sp_arena_free(&a);
    if (ret != 0 || strcmp(from, to) == 0)
        return ret;
    ret = make_room(s, bucket, to, &none, err);
    if (ret == 0 && move)
        return sq_store_run(s, err,
            "UPDATE sp_blob_objects SET key = ?2, modified_s = ?3, modified_ns = ?4 WHERE id = ?1", "ikii",
            id, to, (int64_t)now.tv_sec, (int64_t)now.tv_nsec);
    if (ret == 0)
        ret = sq_store_run(s, err,
            "INSERT INTO sp_blob_objects(bucket, key, size, content_type, etag, meta, modified_s, "
            "modified_ns) "
            "SELECT bucket, ?2, size, content_type, etag, meta, ?3, ?4 FROM sp_blob_objects WHERE id = ?1",
            "ikii", id, to, (int64_t)now.tv_sec, (int64_t)now.tv_nsec);
    if (ret == 0)
        ret = sq_store_run(s, err,
            "INSERT INTO sp_blob_chunks(object, start, size, data) SELECT ?2, start, size, data FROM "
            "sp_blob_chunks "
            "WHERE object = ?1",
            "ii", id, (int64_t)sqlite3_last_insert_rowid(s->db));
    return ret;
}

static int copy_or_move(struct sp_session *s, const char *bucket, const char *from, const char *to, bool move,
    struct sp_error *err)
{
    bool own;
    int ret = sp_object_key_check(to, SQ_KEY_BYTES, err);
    if (ret == 0)
        ret = sq_store_begin(s, bucket, true, &own, err);
    return ret != 0 ? ret : sq_store_end(s, own, copy(s, bucket, from, to, move, err), err);
}

int sq_blob_copy(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return copy_or_move(s, bucket, from, to, false, err);
}

int sq_blob_move(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return copy_or_move(s, bucket, from, to, true, err);
}
