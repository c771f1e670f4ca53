/* blob_upload.c -- uploads in parts. A part's content becomes the object's by changing owner and place, not by copying. */
#include <stdlib.h>
#include <string.h>

#include "providers/sqlite/blob.h"

struct upload {
    struct sp_arena arena;
    const char *bucket, *key, *meta;
    struct sp_put_opts opts;
};

int sq_upload_begin(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const struct sp_put_opts *opts, const char **id, struct sp_error *err)
{
    static const struct sp_put_opts none = { .content_type = NULL };
    const struct sp_put_opts *o = opts == NULL ? &none : opts;
    char *meta = NULL;
    bool own;
    *id = NULL;
    int ret = sp_object_key_check(key, SQ_KEY_BYTES, err);
    if (ret == 0)
        ret = sp_object_meta_text(o, &meta, err);
    if (ret == 0)
        ret = sq_store_begin(s, bucket, true, &own, err);
    if (ret == 0) {
        ret = sp_object_upload_id(a, bucket, id, err);
        if (ret == 0)
            ret = sq_store_run(s, err,
                "INSERT INTO sp_blob_uploads(id, bucket, key, content_type, meta, if_none_match, "
                "if_match, sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                "ssksssss", *id, bucket, key, o->content_type, meta, o->if_none_match ? "1" : "0",
                o->if_match, o->sha256_hex);
        ret = sq_store_end(s, own, ret, err);
    }
    free(meta);
    return ret;
}

static const char *column(sqlite3_stmt *st, int i, struct sp_arena *a)
{
    return sp_arena_str(a, (const char *)sqlite3_column_text(st, i));
}

static int load(struct sp_session *s, const char *id, struct upload *u, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int ret = sq_store_prepare(s, &st, err,
        "SELECT bucket, key, content_type, meta, if_none_match, if_match, sha256 FROM sp_blob_uploads WHERE "
        "id = ?1",
        "s", id);
    if (ret == 0) {
        int rc = sqlite3_step(st);
        if (rc == SQLITE_ROW) {
            u->bucket = column(st, 0, &u->arena);
            u->key =
                sp_arena_strn(&u->arena, sqlite3_column_blob(st, 1), (size_t)sqlite3_column_bytes(st, 1));
            u->opts.content_type = column(st, 2, &u->arena);
            u->meta = column(st, 3, &u->arena);
            u->opts.if_none_match = sqlite3_column_int(st, 4) != 0;
            u->opts.if_match = column(st, 5, &u->arena);
            u->opts.sha256_hex = column(st, 6, &u->arena);
            if (u->bucket == NULL || u->key == NULL || u->meta == NULL)
                ret = sp_nomem(err);
        } else {
            ret = rc == SQLITE_DONE ? sp_object_upload_unknown(id, err) : sq_error(s, rc, NULL, err);
        }
    }
    sqlite3_finalize(st);
    return ret;
}

static int drop_part(struct sp_session *s, const char *id, unsigned part, struct sp_error *err)
{
    int ret = sq_store_run(s, err,
        "DELETE FROM sp_blob_chunks WHERE object IN (SELECT -id FROM sp_blob_parts WHERE upload = ?1 AND "
        "part = ?2)",
        "si", id, (int64_t)part);
    return ret != 0 ? ret
                    : sq_store_run(s, err, "DELETE FROM sp_blob_parts WHERE upload = ?1 AND part = ?2", "si",
                          id, (int64_t)part);
}

static int add_part(
    struct sp_session *s, const char *id, unsigned part, const char *p, size_t n, struct sp_error *err)
{
    int ret = drop_part(s, id, part, err); /* the last one counts */
    if (ret == 0)
        ret = sq_store_run(s, err, "INSERT INTO sp_blob_parts(upload, part, size) VALUES (?1, ?2, ?3)", "sii",
            id, (int64_t)part, (int64_t)n);
    int64_t owner = -(int64_t)sqlite3_last_insert_rowid(s->db);
    for (size_t done = 0; ret == 0 && done < n;) {
        size_t m = n - done < SQ_CHUNK ? n - done : SQ_CHUNK;
        ret = sq_content_add(s, owner, done, p + done, m, err);
        done += m;
    }
    return ret;
}

int sq_upload_part(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    struct upload u = { .arena = SP_ARENA_INIT };
    bool own;
    int ret = sp_object_part_check(part, err);
    if (ret == 0)
        ret = sq_store_begin(s, NULL, true, &own, err);
    if (ret != 0)
        return ret;
    ret = load(s, id, &u, err);
    if (ret == 0)
        ret = add_part(s, id, part, p, n, err);
    sp_arena_free(&u.arena);
    return sq_store_end(s, own, ret, err);
}

/* Hands the parts' chunks to the object, one part behind the other. */
static int join(struct sp_session *s, const char *id, int64_t object, uint64_t *size, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    unsigned last = 0;
    int rc = SQLITE_DONE,
        ret = sq_store_prepare(
            s, &st, err, "SELECT id, part, size FROM sp_blob_parts WHERE upload = ?1 ORDER BY part", "s", id);
    *size = 0;
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t part = sqlite3_column_int64(st, 0), at = (int64_t)*size;
        ret = sp_object_part_join(
            sqlite3_column_int64(st, 1), sqlite3_column_int64(st, 2), &last, size, INT64_MAX, err);
        if (ret == 0)
            ret = sq_store_run(s, err,
                "UPDATE sp_blob_chunks SET object = ?2, start = start + ?3 WHERE object = ?1", "iii", -part,
                object, at);
    }
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(s, rc, NULL, err);
    if (ret == 0 && last == 0)
        ret = sp_object_part_none(err);
    sqlite3_finalize(st);
    return ret;
}

static int forget(struct sp_session *s, const char *id, struct sp_error *err)
{
    static const char *const steps[] = {
        "DELETE FROM sp_blob_chunks WHERE object IN (SELECT -id FROM sp_blob_parts WHERE upload = ?1)",
        "DELETE FROM sp_blob_parts WHERE upload = ?1",
        "DELETE FROM sp_blob_uploads WHERE id = ?1",
    };
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < SP_LEN(steps); i++)
        ret = sq_store_run(s, err, steps[i], "s", id);
    return ret;
}

/* The sum of what was joined, read back. */
static int sum_of(
    struct sp_session *s, int64_t object, const char *key, uint64_t size, char etag[65], struct sp_error *err)
{
    const struct sp_object o = { .key = key, .size = size };
    struct sp_object_reader r;
    int ret = sp_object_reader_begin(&r, &o, 0, SP_TO_END, NULL, NULL, err);
    if (ret == 0)
        ret = sq_content_read(s, object, &r, err);
    if (ret == 0)
        ret = sp_object_reader_sum(&r, etag, err);
    sp_object_reader_free(&r);
    return ret;
}

static int complete(struct sp_session *s, const char *id, const struct upload *u, struct sp_error *err)
{
    char etag[65];
    int64_t object = 0;
    uint64_t size = 0;
    int ret = sq_object_new(s, u->bucket, u->key, &u->opts, u->meta, &object, err);
    if (ret == 0)
        ret = join(s, id, object, &size, err);
    if (ret == 0)
        ret = sum_of(s, object, u->key, size, etag, err);
    if (ret == 0)
        ret = sp_object_sum_check(u->key, etag, u->opts.sha256_hex, err);
    if (ret == 0)
        ret = sq_object_finish(s, object, size, etag, err);
    return ret != 0 ? ret : forget(s, id, err);
}

int sq_upload_complete(
    struct sp_session *s, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err)
{
    struct upload u = { .arena = SP_ARENA_INIT };
    int64_t object;
    bool own;
    int ret = sq_store_begin(s, NULL, true, &own, err);
    if (ret != 0)
        return ret;
    ret = load(s, id, &u, err);
    if (ret == 0)
        ret = complete(s, id, &u, err);
    if (ret == 0 && out != NULL)
        ret = sq_object_find(s, a, u.bucket, u.key, &object, out, err);
    sp_arena_free(&u.arena);
    return sq_store_end(s, own, ret, err);
}

int sq_upload_abort(struct sp_session *s, const char *id, struct sp_error *err)
{
    struct upload u = { .arena = SP_ARENA_INIT };
    bool own;
    int ret = sq_store_begin(s, NULL, true, &own, err);
    if (ret != 0)
        return ret;
    ret = load(s, id, &u, err);
    if (ret == 0)
        ret = forget(s, id, err);
    sp_arena_free(&u.arena);
    return sq_store_end(s, own, ret, err);
}
