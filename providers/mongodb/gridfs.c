/* gridfs.c -- GridFS buckets and files: names, documents, and the commands that find and remove them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/mongodb/gridfs.h"

void mo_touch(struct sp_session *s)
{
    int64_t late = mo_now_ns() - s->started_ns;
    s->started_ns += late;
    s->deadline_ns += s->deadline_ns > 0 ? late : 0;
}

/* ---- buckets ---- */

/* A database's name is short, and not all characters are allowed: then a digest stands for it. */
int mo_fs_of(struct sp_session *s, const char *bucket, bool parts, struct mo_fs *fs, struct sp_error *err)
{
    struct sp_object_sum sum;
    char hex[65];
    size_t n = strlen(bucket), room = sizeof fs->db - sizeof MO_BLOB;
    *fs = (struct mo_fs){ .s = s,
        .bucket = bucket,
        .files = parts ? "parts.files" : "fs.files",
        .chunks = parts ? "parts.chunks" : "fs.chunks" };
    if (n <= room && strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n) {
        (void)snprintf(fs->db, sizeof fs->db, "%s%s", MO_BLOB, bucket);
        return 0;
    }
    int ret = sp_object_sum_begin(&sum, err);
    if (ret != 0)
        return ret;
    sp_object_sum_add(&sum, bucket, n);
    sp_object_sum_end(&sum, hex);
    sp_object_sum_free(&sum);
    (void)snprintf(fs->db, sizeof fs->db, "%s+%.40s", MO_BLOB, hex);
    return 0;
}

static int run(const struct mo_fs *fs, const char *what, bson_t *cmd, bson_t *reply, struct sp_error *err)
{
    bson_t own;
    bson_t *r = reply == NULL ? &own : reply;
    int ret = cmd == NULL ? sp_nomem(err) : mo_ready(fs->s, err);
    if (ret == 0)
        ret = mo_command(fs->s, fs->db, cmd, MO_WRITE, what, r, err);
    else
        bson_init(r);
    if (ret == 0)
        ret = mo_write_error(fs->s, r, what, err);
    if (reply == NULL)
        bson_destroy(r);
    if (cmd != NULL)
        bson_destroy(cmd);
    return ret;
}

/* The name in a database's mark, in the arena; *name NULL: there is no mark. */
static int read_mark(const struct mo_fs *fs, struct sp_arena *a, const char **name, struct sp_error *err)
{
    mongoc_client_session_t *cs = fs->s->cs;
    const bson_t *doc;
    bson_iter_t it;
    *name = NULL;
    fs->s->cs = NULL; /* what is asked for is the state of now, also inside a transaction */
    mongoc_cursor_t *cursor = mo_fs_query(fs, MO_BUCKET, BCON_NEW("_id", BCON_UTF8("bucket")),
        BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true)), err);
    int ret = cursor != NULL ? 0 : err != NULL ? -(int)err->code : -SP_E_NOMEM;
    if (ret == 0 && mongoc_cursor_next(cursor, &doc)) {
        bool fits = bson_iter_init_find(&it, doc, "name") && BSON_ITER_HOLDS_UTF8(&it);
        *name = fits ? sp_arena_str(a, bson_iter_utf8(&it, NULL)) : NULL;
        ret = !fits ? mo_corrupt("find (mark of a bucket)", err) : *name == NULL ? sp_nomem(err) : 0;
    } else if (ret == 0) {
        ret = mo_cursor_error(fs->s, cursor, "find", err);
    }
    if (cursor != NULL)
        mongoc_cursor_destroy(cursor);
    fs->s->cs = cs;
    return ret;
}

int mo_fs_check(const struct mo_fs *fs, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    const char *name;
    int ret = read_mark(fs, &a, &name, err);
    if (ret == 0 && name == NULL)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no bucket \"%s\"", fs->bucket);
    sp_arena_free(&a);
    return ret;
}

/* Indexes make their collections. */
static int make_indexes(const struct mo_fs *fs, struct sp_error *err)
{
    int ret = run(fs, "createIndexes",
        BCON_NEW("createIndexes", BCON_UTF8(fs->files), "indexes", "[", "{", "key", "{", "filename",
            BCON_INT32(1), "}", "name", BCON_UTF8("filename_1"), "unique", BCON_BOOL(true), "}", "]"),
        NULL, err);
    return ret != 0 ? ret
                    : run(fs, "createIndexes",
                          BCON_NEW("createIndexes", BCON_UTF8(fs->chunks), "indexes", "[", "{", "key", "{",
                              "files_id", BCON_INT32(1), "n", BCON_INT32(1), "}", "name",
                              BCON_UTF8("files_id_1_n_1"), "unique", BCON_BOOL(true), "}", "]"),
                          NULL, err);
}

static int exists(const struct mo_fs *fs, struct sp_error *err)
{
    sp_error_clear(err);
    return sp_fail(err, SP_E_EXISTS, SP_ORIGIN_BACKEND, "bucket \"%s\" exists already", fs->bucket);
}

static int start(struct sp_session *s, const char *bucket, struct mo_fs *fs, struct sp_error *err)
{
    mo_begin_statement(s);
    int ret = mo_writable(s, err);
    if (ret == 0 && s->cs != NULL)
        ret = sp_invalid(err, "buckets are not made or dropped inside a transaction or snapshot");
    return ret == 0 ? mo_fs_of(s, bucket, false, fs, err) : ret;
}

static int bucket_create(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct mo_fs fs, parts;
    bool found = false;
    int ret = start(s, bucket, &fs, err);
    if (ret == 0)
        ret = mo_fs_of(s, bucket, true, &parts, err);
    if (ret == 0)
        ret = mo_ns_exists(s, fs.db, &found, err); /* also one that is not ours */
    if (ret != 0 || found)
        return ret != 0 ? ret : exists(&fs, err);
    /* A document is there once: of two who make a bucket, one makes its mark. */
    ret = run(&fs, "insert",
        BCON_NEW("insert", BCON_UTF8(MO_BUCKET), "documents", "[", "{", "_id", BCON_UTF8("bucket"), "name",
            BCON_UTF8(bucket), "}", "]"),
        NULL, err);
    if (ret == -SP_E_UNIQUE)
        return exists(&fs, err);
    if (ret == 0)
        ret = make_indexes(&fs, err);
    if (ret == 0)
        ret = make_indexes(&parts, err);
    if (ret != 0)
        (void)run(&fs, "dropDatabase", BCON_NEW("dropDatabase", BCON_INT32(1)), NULL, NULL);
    return ret;
}

/* A database without the mark is somebody's own, and stays. */
static int bucket_drop(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    static const char *const contents[] = { "fs.chunks", "fs.files", "parts.chunks", "parts.files" };
    struct mo_fs fs;
    int ret = start(s, bucket, &fs, err);
    if (ret == 0)
        ret = mo_fs_check(&fs, err);
    for (size_t i = 0; ret == 0 && i < SP_LEN(contents); i++)
        mo_empty(s, fs.db, contents[i]);
    return ret == 0 ? run(&fs, "dropDatabase", BCON_NEW("dropDatabase", BCON_INT32(1)), NULL, err) : ret;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int bucket_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_names all = { .n = 0 };
    size_t first = out->n;
    mo_begin_statement(s);
    int ret = mo_databases(s, MO_BLOB, &all, err);
    for (size_t i = 0; ret == 0 && i < all.n; i++) {
        struct mo_fs fs = { .s = s, .bucket = all.v[i] };
        const char *name = NULL;
        if (sp_strlcpy(fs.db, all.v[i], sizeof fs.db))
            ret = read_mark(&fs, &a, &name, err);
        if (ret == 0 && name != NULL && sp_str_prefix(name, prefix) && sp_names_add(out, name) != 0)
            ret = sp_nomem(err);
    }
    if (out->n > first + 1)
        qsort(out->v + first, out->n - first, sizeof out->v[0], by_name);
    sp_names_free(&all);
    sp_arena_free(&a);
    return ret;
}

/* ---- queries ---- */

mongoc_cursor_t *mo_fs_query(
    const struct mo_fs *fs, const char *collection, bson_t *filter, bson_t *opts, struct sp_error *err)
{
    mongoc_cursor_t *cursor = NULL;
    if (filter == NULL || opts == NULL)
        (void)sp_nomem(err);
    else if (mo_ready(fs->s, err) == 0 && mo_opts(fs->s, opts, true, err) == 0) {
        mongoc_collection_t *c = mongoc_client_get_collection(fs->s->client, fs->db, collection);
        cursor = mongoc_collection_find_with_opts(c, filter, opts, NULL);
        mongoc_collection_destroy(c);
    }
    if (filter != NULL)
        bson_destroy(filter);
    if (opts != NULL)
        bson_destroy(opts);
    return cursor;
}

int mo_file_find(
    const struct mo_fs *fs, const char *key, struct sp_arena *a, struct mo_file *out, struct sp_error *err)
{
    struct sp_error own = SP_ERROR_INIT;
    mongoc_cursor_t *cursor = mo_fs_query(fs, fs->files, BCON_NEW("filename", BCON_UTF8(key)),
        BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true)), &own);
    const bson_t *doc;
    int ret = cursor == NULL ? -(int)own.code : 0;
    if (ret == 0 && mongoc_cursor_next(cursor, &doc))
        ret = mo_file_of(doc, a, out, &own);
    else if (ret == 0)
        ret = mo_cursor_error(fs->s, cursor, "find", &own) != 0 ? -(int)own.code : -SP_E_NOT_FOUND;
    if (cursor != NULL)
        mongoc_cursor_destroy(cursor);
    if (own.code != SP_E_OK && err != NULL)
        sp_error_move(err, &own);
    sp_error_clear(&own);
    return ret;
}

int mo_file_remove(const struct mo_fs *fs, const bson_oid_t *id, bool *found, struct sp_error *err)
{
    bson_t reply;
    bson_iter_t it;
    int ret = run(fs, "delete",
        BCON_NEW("delete", BCON_UTF8(fs->files), "deletes", "[", "{", "q", "{", "_id", BCON_OID(id), "}",
            "limit", BCON_INT32(1), "}", "]"),
        &reply, err);
    *found = ret == 0 && bson_iter_init_find(&it, &reply, "n") && BSON_ITER_HOLDS_NUMBER(&it) &&
             bson_iter_as_int64(&it) == 1;
    bson_destroy(&reply);
    return ret;
}

int mo_chunks_remove(const struct mo_fs *fs, const bson_oid_t *id, struct sp_error *err)
{
    return run(fs, "delete",
        BCON_NEW("delete", BCON_UTF8(fs->chunks), "deletes", "[", "{", "q", "{", "files_id", BCON_OID(id),
            "}", "limit", BCON_INT32(0), "}", "]"),
        NULL, err);
}

int mo_chunks_sweep(const struct mo_fs *fs, const bson_oid_t *id, struct sp_error *err)
{
    if (fs->s->cs != NULL)
        return mo_chunks_remove(fs, id, err);
    mo_touch(fs->s);
    (void)mo_chunks_remove(fs, id, NULL);
    return 0;
}

/* ---- documents ---- */

static int by_meta(const void *a, const void *b)
{
    return strcmp(((const struct sp_meta *)a)->name, ((const struct sp_meta *)b)->name);
}

static int meta_of(bson_iter_t *list, struct sp_arena *a, struct sp_object *o, struct sp_error *err)
{
    bson_iter_t entry, name, value;
    struct sp_meta *m = NULL;
    size_t cap = 0;
    while (bson_iter_next(list)) {
        if (!BSON_ITER_HOLDS_DOCUMENT(list) || !bson_iter_recurse(list, &entry) ||
            !bson_iter_find_descendant(&entry, "name", &name) || !BSON_ITER_HOLDS_UTF8(&name) ||
            !bson_iter_recurse(list, &entry) || !bson_iter_find_descendant(&entry, "value", &value) ||
            !BSON_ITER_HOLDS_UTF8(&value))
            return mo_corrupt("find (metadata of a file)", err);
        m = sp_arena_grow(a, m, &cap, o->nmeta + 1, sizeof *m);
        if (m == NULL || (m[o->nmeta].name = sp_arena_str(a, bson_iter_utf8(&name, NULL))) == NULL ||
            (m[o->nmeta].value = sp_arena_str(a, bson_iter_utf8(&value, NULL))) == NULL)
            return sp_nomem(err);
        o->nmeta++;
    }
    if (o->nmeta > 1)
        qsort(m, o->nmeta, sizeof *m, by_meta);
    o->meta = m;
    return 0;
}

static const char *text_in(const bson_t *doc, const char *path, struct sp_arena *a)
{
    bson_iter_t it, sub;
    return bson_iter_init(&it, doc) && bson_iter_find_descendant(&it, path, &sub) &&
                   BSON_ITER_HOLDS_UTF8(&sub)
               ? sp_arena_str(a, bson_iter_utf8(&sub, NULL))
               : NULL;
}

static int64_t number_in(const bson_t *doc, const char *key)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, key) && BSON_ITER_HOLDS_NUMBER(&it) ? bson_iter_as_int64(&it) : -1;
}

int mo_file_of(const bson_t *doc, struct sp_arena *a, struct mo_file *out, struct sp_error *err)
{
    bson_iter_t it, sub, list;
    int64_t size = number_in(doc, "length"), chunk = number_in(doc, "chunkSize");
    memset(out, 0, sizeof *out);
    out->o.key = text_in(doc, "filename", a);
    out->o.etag = text_in(doc, "metadata.sha256", a);
    out->o.content_type = text_in(doc, "metadata.contentType", a);
    if (out->o.key == NULL || out->o.etag == NULL || out->o.content_type == NULL || size < 0 || chunk < 1 ||
        chunk > MO_DOCUMENT_BYTES || !bson_iter_init_find(&it, doc, "_id") || !BSON_ITER_HOLDS_OID(&it))
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "a file of the bucket is damaged, or was not stored by switchproof");
    bson_oid_copy(bson_iter_oid(&it), &out->id);
    out->o.size = (uint64_t)size;
    out->chunk = (int32_t)chunk;
    if (bson_iter_init_find(&it, doc, "uploadDate") && BSON_ITER_HOLDS_DATE_TIME(&it)) {
        int64_t ms = bson_iter_date_time(&it), rest = (ms % 1000 + 1000) % 1000;
        out->o.modified = (struct sp_ts){ .sec = (ms - rest) / 1000, .nsec = (uint32_t)rest * 1000000 };
    }
    if (bson_iter_init(&it, doc) && bson_iter_find_descendant(&it, "metadata.user", &sub) &&
        BSON_ITER_HOLDS_ARRAY(&sub) && bson_iter_recurse(&sub, &list))
        return meta_of(&list, a, &out->o, err);
    return 0;
}

const struct sp_blob_ops mo_blob_ops = {
    .bucket_create = bucket_create,
    .bucket_drop = bucket_drop,
    .bucket_list = bucket_list,
    .put = mo_blob_put,
    .get = mo_blob_get,
    .head = mo_blob_head,
    .list = mo_blob_list,
    .del = mo_blob_del,
    .copy = mo_blob_copy,
    .move = mo_blob_move,
    .upload_begin = mo_upload_begin,
    .upload_part = mo_upload_part,
    .upload_complete = mo_upload_complete,
    .upload_abort = mo_upload_abort,
};
