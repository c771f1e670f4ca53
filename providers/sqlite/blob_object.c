/* blob_object.c -- objects: put, get, head, delete, copy, move. Each is one transaction. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "providers/sqlite/blob.h"

void sq_hex_digest(EVP_MD_CTX *md, char hex[65])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sha[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    EVP_DigestFinal_ex(md, sha, &n);
    for (unsigned i = 0; i < 32; i++) {
        hex[2 * i] = digits[sha[i] >> 4];
        hex[2 * i + 1] = digits[sha[i] & 15];
    }
    hex[64] = '\0';
}

/* ---- metadata as a JSON object ---- */

int sq_meta_text(const struct sp_put_opts *o, char **out, struct sp_error *err)
{
    json_t *j = json_object();
    int bad = j == NULL;
    for (size_t i = 0; !bad && i < o->nmeta; i++)
        bad = json_object_set_new(j, o->meta[i].name, json_string(o->meta[i].value)) != 0;
    *out = bad ? NULL : json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(j);
    return *out != NULL ? 0 : sp_invalid(err, "the metadata must be UTF-8 text");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sp_meta *)a)->name, ((const struct sp_meta *)b)->name);
}

static int meta_parse(const char *text, struct sp_arena *a, struct sp_object *out, struct sp_error *err)
{
    json_t *j = text == NULL ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL), *value;
    const char *name;
    size_t n = 0;
    struct sp_meta *m = j == NULL ? NULL : sp_arena_array(a, json_object_size(j) + 1, sizeof *m);
    bool oom = false;
    if (m != NULL)
        json_object_foreach(j, name, value)
        {
            m[n].name = sp_arena_str(a, name);
            m[n].value = sp_arena_str(a, json_string_value(value));
            oom = oom || m[n].name == NULL || m[n].value == NULL;
            n++;
        }
    json_decref(j);
    if (m == NULL || oom)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the object's metadata is damaged");
    qsort(m, n, sizeof *m, by_name);
    out->meta = m;
    out->nmeta = n;
    return 0;
}

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
    return meta_parse((const char *)sqlite3_column_text(st, 5), a, out, err);
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
            ret = rc == SQLITE_DONE ? sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND,
                                          "no object \"%s\" in bucket \"%s\"", key, bucket)
                                    : sq_error(s, rc, NULL, err);
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
    if (ret == 0 && o->if_none_match && there)
        ret = sp_fail(err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND, "object \"%s\" exists already", key);
    if (ret == 0 && o->if_match != NULL && (!there || strcmp(o->if_match, old.etag) != 0))
        ret = sp_fail(
            err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND, "object \"%s\" is not the one with that etag", key);
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
            "skssii", bucket, key, o->content_type == NULL ? "application/octet-stream" : o->content_type,
            meta, (int64_t)now.tv_sec, (int64_t)now.tv_nsec);
    *id = sqlite3_last_insert_rowid(s->db);
    return ret;
}

int sq_object_finish(struct sp_session *s, int64_t id, uint64_t size, const char *etag, struct sp_error *err)
{
    return sq_store_run(s, err, "UPDATE sp_blob_objects SET size = ?2, etag = ?3 WHERE id = ?1", "iis", id,
        (int64_t)size, etag);
}

/* ---- put ---- */

static int fill(sp_source_fn source, void *payload, char *p, size_t *n, struct sp_error *err)
{
    for (*n = 0; *n < SQ_CHUNK;) {
        int64_t got = source(payload, p + *n, SQ_CHUNK - *n);
        if (got == 0)
            break;
        if (got < 0)
            return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "the writer stopped; nothing was stored");
        if ((uint64_t)got > SQ_CHUNK - *n)
            return sp_fail(
                err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "the writer gave more bytes than asked for");
        *n += (size_t)got;
    }
    return 0;
}

static int store(struct sp_session *s, int64_t id, sp_source_fn source, void *payload, EVP_MD_CTX *md,
    uint64_t *size, struct sp_error *err)
{
    char *chunk = malloc(SQ_CHUNK);
    size_t n = SQ_CHUNK;
    int ret = chunk == NULL ? sp_nomem(err) : 0;
    for (*size = 0; ret == 0 && n == SQ_CHUNK; *size += n) {
        n = 0;
        ret = fill(source, payload, chunk, &n, err);
        if (ret == 0 && n > 0) {
            EVP_DigestUpdate(md, chunk, n);
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
    char etag[65];
    int64_t id = 0;
    uint64_t size = 0;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    if (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(md);
        return sp_nomem(err);
    }
    int ret = sq_object_new(s, bucket, key, o, meta, &id, err);
    if (ret == 0)
        ret = store(s, id, source, payload, md, &size, err);
    sq_hex_digest(md, etag);
    if (ret == 0 && o->sha256_hex != NULL && sqlite3_stricmp(o->sha256_hex, etag) != 0)
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "the content of \"%s\" has SHA-256 %s, announced was %s; nothing was stored", key, etag,
            o->sha256_hex);
    if (ret == 0)
        ret = sq_object_finish(s, id, size, etag, err);
    EVP_MD_CTX_free(md);
    return ret;
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
    int ret = sq_key_check(key, err);
    if (ret == 0)
        ret = sq_meta_text(o, &meta, err);
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

/* A read of the whole object proves itself against the checksum. */
static int get(struct sp_session *s, int64_t id, const struct sp_object *o, uint64_t offset, uint64_t length,
    sp_sink_fn sink, void *payload, struct sp_error *err)
{
    if (offset >= o->size && !(offset == 0 && o->size == 0))
        return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND, "\"%s\" has %llu bytes, none at %llu", o->key,
            (unsigned long long)o->size, (unsigned long long)offset);
    uint64_t left = o->size - offset, to = offset + (length < left ? length : left);
    bool whole = offset == 0 && to == o->size;
    EVP_MD_CTX *md = whole ? EVP_MD_CTX_new() : NULL;
    if (whole && (md == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)) {
        EVP_MD_CTX_free(md);
        return sp_nomem(err);
    }
    int ret = sq_content_read(s, id, offset, to, sink, payload, md, err);
    if (ret == 0 && whole) {
        char etag[65];
        sq_hex_digest(md, etag);
        if (strcmp(etag, o->etag) != 0)
            ret = sp_fail(
                err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the content of \"%s\" is damaged (SHA-256)", o->key);
    }
    EVP_MD_CTX_free(md);
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
    int ret = sq_key_check(to, err);
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
