/* gridfs.h -- the storage facet's own contract: GridFS.
 *
 * A bucket is a database of its own, MO_BLOB and its name, with the GridFS bucket "fs" in it: any other client of GridFS
 * reads it, buckets don't meet in one catalog, and dropping one touches nothing else. MO_BUCKET marks it. A key is a
 * filename, and unique. An object is replaced by another file in a transaction; its chunks are written before, under
 * the new file's id, and those of the old one removed behind. What a killed writer leaves are
 * chunks that no file names, until the bucket is dropped.
 * Parts of uploads are files of a second GridFS bucket, "parts": "HEX/00001" and so on; "HEX/info" is the upload.
 */
#ifndef SP_MONGODB_GRIDFS_H
#define SP_MONGODB_GRIDFS_H

#include "providers/lib/object.h"
#include "providers/mongodb/internal.h"

#define MO_CHUNK        (255 * 1024) /* what GridFS takes by default */
#define MO_KEY_BYTES    1024
#define MO_BUCKET       MO_OWN "bucket"                 /* collection with the bucket's name */
#define MO_OBJECT_BYTES ((int64_t)INT32_MAX * MO_CHUNK) /* chunks are numbered by an int32 */

/* A GridFS bucket. */
struct mo_fs {
    struct sp_session *s;
    const char *bucket; /* borrowed */
    char db[64];
    const char *files, *chunks;
};
int mo_fs_of(struct sp_session *s, const char *bucket, bool parts, struct mo_fs *fs, struct sp_error *err);

/* A file of it. */
struct mo_file {
    bson_oid_t id;
    int32_t chunk; /* size of its chunks */
    struct sp_object o;
};
int mo_file_of(const bson_t *doc, struct sp_arena *a, struct mo_file *out, struct sp_error *err);
/* NOT_FOUND without a message: what it means is the caller's to say. */
int mo_file_find(
    const struct mo_fs *fs, const char *key, struct sp_arena *a, struct mo_file *out, struct sp_error *err);
int mo_file_remove(const struct mo_fs *fs, const bson_oid_t *id, bool *found, struct sp_error *err);
int mo_chunks_remove(const struct mo_fs *fs, const bson_oid_t *id, struct sp_error *err);
/* Removes chunks that nobody reads any more; failing to is no failure outside a transaction. */
int mo_chunks_sweep(const struct mo_fs *fs, const bson_oid_t *id, struct sp_error *err);
int mo_fs_check(const struct mo_fs *fs, struct sp_error *err); /* NOT_FOUND: no such bucket */
/* Documents of a query; the cursor is the caller's. Takes filter and opts, which may carry anything but the session. */
mongoc_cursor_t *mo_fs_query(
    const struct mo_fs *fs, const char *collection, bson_t *filter, bson_t *opts, struct sp_error *err);
void mo_touch(struct sp_session *s); /* the time-out of a long call counts from here */

/* gridfs_put.c */
struct mo_put {
    const struct mo_fs *fs;
    const char *key, *etag;
    const struct sp_put_opts *opts;
    bson_oid_t id;
    uint64_t size;
    const struct mo_fs *guard_fs; /* a file that must go with it, else NULL */
    const char *guard_key;
};
/* Chunks from the source, then the file. */
int mo_put_stream(struct mo_put *p, sp_source_fn source, void *payload, struct sp_arena *a,
    struct sp_object *out, struct sp_error *err);
int mo_need_txn(struct sp_session *s, struct sp_error *err); /* UNSUPPORTED */

/* gridfs_get.c: the chunks of a file, one by one. */
struct mo_pull {
    const struct mo_fs *fs;
    mongoc_cursor_t *cursor;
    int32_t next, last;
};
int mo_pull_open(struct mo_pull *p, const struct mo_fs *fs, const bson_oid_t *id, int32_t first, int32_t last,
    struct sp_error *err);
/* CORRUPT if the next chunk is missing. *n 0: that was the last one. Valid until the next call. */
int mo_pull_next(struct mo_pull *p, const uint8_t **data, size_t *n, struct sp_error *err);
void mo_pull_close(struct mo_pull *p);

int mo_blob_put(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, sp_source_fn,
    void *payload, const struct sp_put_opts *, struct sp_object *out, struct sp_error *);
int mo_blob_get(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, uint64_t offset,
    uint64_t length, sp_sink_fn, void *payload, struct sp_object *out, struct sp_error *);
int mo_blob_head(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    struct sp_object *, struct sp_error *);
int mo_blob_del(struct sp_session *, const char *bucket, const char *key, struct sp_error *);
int mo_blob_copy(
    struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int mo_blob_move(
    struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int mo_blob_list(struct sp_session *, struct sp_arena *, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **, size_t *n,
    struct sp_error *);
/* The page of a GridFS bucket. */
int mo_fs_list(const struct mo_fs *fs, struct sp_arena *a, const char *prefix, const char *delimiter,
    const char **cursor, size_t limit, struct mo_file **out, size_t *n, struct sp_error *err);
int mo_upload_begin(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    const struct sp_put_opts *, const char **id, struct sp_error *);
int mo_upload_part(
    struct sp_session *, const char *id, unsigned part, const void *p, size_t n, struct sp_error *);
int mo_upload_complete(
    struct sp_session *, struct sp_arena *, const char *id, struct sp_object *, struct sp_error *);
int mo_upload_abort(struct sp_session *, const char *id, struct sp_error *);

#endif
