/* blob.h -- the storage facet's own contract. Objects are rows, their content stands in chunks of at most SQ_CHUNK bytes,
 * so that an object of any size needs one chunk of memory. Keys are kept as octets: their order is the bytes' order in
 * every text encoding. The content of an upload's part hangs on the negative number of the part. */
#ifndef SP_SQLITE_BLOB_H
#define SP_SQLITE_BLOB_H

#include "providers/lib/object.h"
#include "providers/sqlite/internal.h"

#define SQ_CHUNK     262144
#define SQ_KEY_BYTES 1024

/* blob.c: the store and its transactions. */
int sq_store_begin(struct sp_session *s, const char *bucket, bool write, bool *own, struct sp_error *err);
int sq_store_end(struct sp_session *s, bool own, int ret, struct sp_error *err);
/* Prepares and binds: i int64, s text, k key as octets, each taken from the arguments in turn. */
int sq_store_prepare(
    struct sp_session *s, sqlite3_stmt **st, struct sp_error *err, const char *sql, const char *types, ...);
int sq_store_run(struct sp_session *s, struct sp_error *err, const char *sql, const char *types, ...);

/* blob_object.c */
#define SQ_OBJECT_COLUMNS "id, key, size, content_type, etag, meta, modified_s, modified_ns"
int sq_object_row(
    sqlite3_stmt *st, struct sp_arena *a, int64_t *id, struct sp_object *out, struct sp_error *err);
int sq_object_find(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key, int64_t *id,
    struct sp_object *out, struct sp_error *err);
/* Checks the conditions, removes what stood there, adds the object without content. */
int sq_object_new(struct sp_session *s, const char *bucket, const char *key, const struct sp_put_opts *opts,
    const char *meta, int64_t *id, struct sp_error *err);
int sq_object_finish(struct sp_session *s, int64_t id, uint64_t size, const char *etag, struct sp_error *err);

/* blob_content.c */
int sq_content_add(
    struct sp_session *s, int64_t object, uint64_t start, const void *p, size_t n, struct sp_error *err);
/* What the reader still wants of the content. */
int sq_content_read(struct sp_session *s, int64_t object, struct sp_object_reader *r, struct sp_error *err);
int sq_content_drop(struct sp_session *s, int64_t object, struct sp_error *err);

/* blob_list.c, blob_upload.c */
int sq_blob_list(struct sp_session *, struct sp_arena *, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **, size_t *n,
    struct sp_error *);
int sq_upload_begin(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    const struct sp_put_opts *, const char **id, struct sp_error *);
int sq_upload_part(
    struct sp_session *, const char *id, unsigned part, const void *p, size_t n, struct sp_error *);
int sq_upload_complete(
    struct sp_session *, struct sp_arena *, const char *id, struct sp_object *, struct sp_error *);
int sq_upload_abort(struct sp_session *, const char *id, struct sp_error *);
int sq_blob_put(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, sp_source_fn,
    void *payload, const struct sp_put_opts *, struct sp_object *out, struct sp_error *);
int sq_blob_get(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, uint64_t offset,
    uint64_t length, sp_sink_fn, void *payload, struct sp_object *out, struct sp_error *);
int sq_blob_head(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    struct sp_object *, struct sp_error *);
int sq_blob_del(struct sp_session *, const char *bucket, const char *key, struct sp_error *);
int sq_blob_copy(
    struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int sq_blob_move(
    struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);

#endif
