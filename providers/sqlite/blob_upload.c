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
    struct sp_buf b = SP_BUF_INIT;
    unsigned char random[16];
    char *meta = NULL;
    bool own;
    *id = NULL;
    int ret = sq_key_check(key, err);
    if (ret == 0)
        ret = sq_meta_text(o, &meta, err);
    if (ret == 0)
        ret = sq_store_begin(s, bucket, true, &own, err);
    if (ret == 0) {
        sqlite3_randomness(sizeof random, random);
        sp_buf_hex(&b, random, sizeof random);
        *id = b.oom ? NULL : sp_arena_str(a, b.p);
        ret = *id == NULL
                  ? sp_nomem(err)
                  : sq_store_run(s, err,
                        "INSERT INTO sp_blob_uploads(id, bucket, key, content_type, meta, if_none_match, "
                        "if_match, sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                        "ssksssss", *id, bucket, key, o->content_type, meta, o->if_none_match ? "1" : "0",
                        o->if_match, o->sha256_hex);
        ret = sq_store_end(s, own, ret, err);
    }
    sp_buf_free(&b);
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
            ret = rc == SQLITE_DONE
                      ? sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "there is no upload \"%s\"", id)
                      : sq_error(s, rc, NULL, err);
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
    if (part < 1)
        return sp_invalid(err, "parts are numbered from 1");
    int ret = sq_store_begin(s, NULL, true, &own, err);
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
    int64_t want = 1;
    int rc = SQLITE_DONE,
        ret = sq_store_prepare(
            s, &st, err, "SELECT id, part, size FROM sp_blob_parts WHERE upload = ?1 ORDER BY part", "s", id);
    *size = 0;
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t part = sqlite3_column_int64(st, 0), n = sqlite3_column_int64(st, 2);
        if (sqlite3_column_int64(st, 1) != want)
            ret = sp_fail(
                err, SP_E_INVALID, SP_ORIGIN_BACKEND, "part %lld of the upload is missing", (long long)want);
        else if (*size > (uint64_t)INT64_MAX - (uint64_t)n)
            ret = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "the parts are too large together");
        else
            ret = sq_store_run(s, err,
                "UPDATE sp_blob_chunks SET object = ?2, start = start + ?3 WHERE object = ?1", "iii", -part,
                object, (int64_t)*size);
        *size += (uint64_t)n;
        want++;
    }
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(s, rc, NULL, err);
    if (ret == 0 && want == 1)
        ret = sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "the upload has no part yet");
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

static int complete(struct sp_session *s, const char *id, const struct upload *u, struct sp_error *err)
{
    char etag[65];
    int64_t object = 0;
    uint64_t size = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(md);
        return sp_nomem(err);
    }
    int ret = sq_object_new(s, u->bucket, u->key, &u->opts, u->meta, &object, err);
    if (ret == 0)
        ret = join(s, id, object, &size, err);
    if (ret == 0)
        ret = sq_content_read(s, object, 0, size, NULL, NULL, md, err);
    sq_hex_digest(md, etag);
    EVP_MD_CTX_free(md);
    if (ret == 0 && u->opts.sha256_hex != NULL && sqlite3_stricmp(u->opts.sha256_hex, etag) != 0)
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the parts have SHA-256 %s, announced was %s",
            etag, u->opts.sha256_hex);
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
