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

int mo_fs_of(struct sp_session *s, const char *bucket, bool parts, struct mo_fs *fs, struct sp_error *err)
{
    if (strlen(bucket) > MO_BUCKET_BYTES || strchr(bucket, '$') != NULL)
        return sp_invalid(
            err, "bucket \"%s\": a name has at most %d bytes, and no $", bucket, MO_BUCKET_BYTES);
    *fs = (struct mo_fs){ .s = s, .bucket = bucket };
    const char *prefix = parts ? MO_PARTS : MO_BLOB;
    (void)snprintf(fs->files, sizeof fs->files, "%s%s.files", prefix, bucket);
    (void)snprintf(fs->chunks, sizeof fs->chunks, "%s%s.chunks", prefix, bucket);
    return 0;
}

/* Collections by name, or by a regular expression. */
static int collections(
    struct sp_session *s, const char *name, const char *pattern, struct sp_names *out, struct sp_error *err)
{
    bson_error_t e = { 0 };
    bson_t *opts = name != NULL
                       ? BCON_NEW("nameOnly", BCON_BOOL(true), "filter", "{", "name", BCON_UTF8(name), "}")
                       : BCON_NEW("nameOnly", BCON_BOOL(true), "filter", "{", "name", "{", "$regex",
                             BCON_UTF8(pattern), "}", "}");
    mongoc_database_t *db = mongoc_client_get_database(s->client, s->default_ns);
    mongoc_cursor_t *cursor = mongoc_database_find_collections_with_opts(db, opts);
    const bson_t *doc;
    bson_iter_t it;
    int ret = 0;
    while (ret == 0 && mongoc_cursor_next(cursor, &doc))
        if (!bson_iter_init_find(&it, doc, "name") || !BSON_ITER_HOLDS_UTF8(&it))
            ret = mo_corrupt("listCollections", err);
        else if (sp_names_add(out, bson_iter_utf8(&it, NULL)) != 0)
            ret = sp_nomem(err);
    if (ret == 0 && mongoc_cursor_error(cursor, &e))
        ret = mo_error(s, &e, NULL, "listCollections", err);
    mongoc_cursor_destroy(cursor);
    mongoc_database_destroy(db);
    bson_destroy(opts);
    return ret;
}

static int has_collection(struct sp_session *s, const char *name, bool *found, struct sp_error *err)
{
    struct sp_names names = { .n = 0 };
    int ret = collections(s, name, NULL, &names, err);
    *found = names.n > 0;
    sp_names_free(&names);
    return ret;
}

static int no_bucket(const struct mo_fs *fs, struct sp_error *err)
{
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no bucket \"%s\"", fs->bucket);
}

int mo_fs_check(const struct mo_fs *fs, struct sp_error *err)
{
    bool found = false;
    int ret = has_collection(fs->s, fs->files, &found, err);
    return ret == 0 && !found ? no_bucket(fs, err) : ret;
}

static int run(
    struct sp_session *s, const char *what, enum mo_use use, bson_t *cmd, bson_t *reply, struct sp_error *err)
{
    bson_t own;
    bson_t *r = reply == NULL ? &own : reply;
    if (cmd == NULL) {
        bson_init(r);
        if (reply == NULL)
            bson_destroy(r);
        return sp_nomem(err);
    }
    int ret = mo_ready(s, err);
    if (ret == 0)
        ret = mo_command(s, s->default_ns, cmd, use, what, r, err);
    else
        bson_init(r);
    if (ret == 0)
        ret = mo_write_error(s, r, what, err);
    if (reply == NULL)
        bson_destroy(r);
    bson_destroy(cmd);
    return ret;
}

static int make_index(const struct mo_fs *fs, bool of_chunks, struct sp_error *err)
{
    if (of_chunks)
        return run(fs->s, "createIndexes", MO_WRITE,
            BCON_NEW("createIndexes", BCON_UTF8(fs->chunks), "indexes", "[", "{", "key", "{", "files_id",
                BCON_INT32(1), "n", BCON_INT32(1), "}", "name", BCON_UTF8("files_id_1_n_1"), "unique",
                BCON_BOOL(true), "}", "]"),
            NULL, err);
    return run(fs->s, "createIndexes", MO_WRITE,
        BCON_NEW("createIndexes", BCON_UTF8(fs->files), "indexes", "[", "{", "key", "{", "filename",
            BCON_INT32(1), "}", "name", BCON_UTF8("filename_1"), "unique", BCON_BOOL(true), "}", "]"),
        NULL, err);
}

/* Servers differ in whether making a collection that is there is an error. A document is there once: of two who make a
 * bucket, one makes its mark, which stands among the parts, where no other client of GridFS meets it. */
static int make_mark(const struct mo_fs *parts, struct sp_error *err)
{
    return run(parts->s, "insert", MO_WRITE,
        BCON_NEW("insert", BCON_UTF8(parts->files), "documents", "[", "{", "_id", BCON_UTF8("bucket"), "name",
            BCON_UTF8(parts->bucket), "}", "]"),
        NULL, err);
}

/* One that is not there is fine: dropped before, or never made. */
static int drop(struct sp_session *s, const char *collection, struct sp_error *err)
{
    int ret = run(s, "drop", MO_WRITE, BCON_NEW("drop", BCON_UTF8(collection)), NULL, err);
    if (ret != -SP_E_NOT_FOUND)
        return ret;
    sp_error_clear(err);
    return 0;
}

/* First what makes it a bucket, last what keeps others from making it anew. */
static int drop_all(const struct mo_fs *fs, const struct mo_fs *parts, struct sp_error *err)
{
    int ret = drop(fs->s, fs->files, err);
    if (ret == 0)
        ret = drop(fs->s, fs->chunks, err);
    if (ret == 0)
        ret = drop(fs->s, parts->chunks, err);
    return ret == 0 ? drop(fs->s, parts->files, err) : ret;
}

static int both(
    struct sp_session *s, const char *bucket, struct mo_fs *fs, struct mo_fs *parts, struct sp_error *err)
{
    mo_begin_statement(s);
    int ret = mo_writable(s, err);
    if (ret == 0 && s->cs != NULL)
        ret = sp_invalid(err, "buckets are not made or dropped inside a transaction or snapshot");
    if (ret == 0)
        ret = mo_fs_of(s, bucket, false, fs, err);
    return ret == 0 ? mo_fs_of(s, bucket, true, parts, err) : ret;
}

static int bucket_create(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct mo_fs fs, parts;
    int ret = both(s, bucket, &fs, &parts, err);
    if (ret != 0)
        return ret;
    ret = make_mark(&parts, err);
    if (ret == -SP_E_UNIQUE) {
        sp_error_clear(err);
        return sp_fail(err, SP_E_EXISTS, SP_ORIGIN_BACKEND, "bucket \"%s\" exists already", bucket);
    }
    if (ret == 0) /* indexes make their collections */
        ret = make_index(&parts, false, err);
    if (ret == 0)
        ret = make_index(&parts, true, err);
    if (ret == 0)
        ret = make_index(&fs, true, err);
    if (ret == 0)
        ret = make_index(&fs, false, err);
    if (ret != 0)
        (void)drop_all(&fs, &parts, NULL);
    return ret;
}

static int bucket_drop(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct mo_fs fs, parts;
    bool whole = false, half = false;
    int ret = both(s, bucket, &fs, &parts, err);
    if (ret == 0)
        ret = has_collection(s, fs.files, &whole, err);
    if (ret == 0 && !whole) /* one whose making or dropping was broken off */
        ret = has_collection(s, parts.files, &half, err);
    if (ret == 0 && !whole && !half)
        ret = no_bucket(&fs, err);
    return ret == 0 ? drop_all(&fs, &parts, err) : ret;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int bucket_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    struct sp_names all = { .n = 0 };
    const size_t head = sizeof MO_BLOB - 1, tail = sizeof ".files" - 1;
    mo_begin_statement(s);
    int ret = collections(s, NULL, "^" MO_BLOB ".*\\.files$", &all, err);
    if (all.n > 1)
        qsort(all.v, all.n, sizeof all.v[0], by_name);
    for (size_t i = 0; ret == 0 && i < all.n; i++) {
        size_t n = strlen(all.v[i]);
        char name[MO_BUCKET_BYTES + 1];
        if (n <= head + tail || n - head - tail >= sizeof name || !sp_str_prefix(all.v[i], MO_BLOB) ||
            !sp_str_suffix(all.v[i], ".files"))
            continue;
        memcpy(name, all.v[i] + head, n - head - tail);
        name[n - head - tail] = '\0';
        if (sp_str_prefix(name, prefix) && sp_names_add(out, name) != 0)
            ret = sp_nomem(err);
    }
    sp_names_free(&all);
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
        mongoc_collection_t *c = mongoc_client_get_collection(fs->s->client, fs->s->default_ns, collection);
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
    int ret = run(fs->s, "delete", MO_WRITE,
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
    return run(fs->s, "delete", MO_WRITE,
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
