/* blob.h -- buckets, objects and uploads, guarded by the store's lock. Content never changes once it is stored, so
 * that a reader holds it by a reference and reads without the lock. */
#ifndef SP_MOCK_BLOB_H
#define SP_MOCK_BLOB_H

#include "internal.h"

struct mock_content {
    size_t refs; /* guarded by the store's lock */
    size_t n;
    char p[];
};
struct mock_object {
    char *key;
    struct mock_content *content;
    char *content_type;
    struct sp_meta *meta; /* sorted by name; names and values are owned */
    size_t nmeta;
    char etag[65];
    struct sp_ts modified;
};
struct mock_bucket {
    struct mock_bucket *next;
    char *name;
    struct mock_object **v; /* sorted by key, bytewise */
    size_t n, cap;
};
struct mock_part {
    unsigned number;
    struct mock_content *content;
};
struct mock_upload {
    struct mock_upload *next;
    char id[33];
    struct mock_bucket *bucket;
    char *key, *if_match, *sha256_hex;
    bool if_none_match;
    struct mock_object *draft; /* type and metadata */
    struct mock_part *parts;   /* sorted by number */
    size_t nparts, cap;
};

/* object.c */
struct mock_content *mock_content_new(const void *p, size_t n);
void mock_content_drop(struct mock_content *c); /* under the lock */
struct mock_object *mock_object_new(
    const char *key, const char *content_type, const struct sp_meta *meta, size_t n);
void mock_object_free(struct mock_object *o);
/* Takes over the reference to the content; fills etag and time. */
int mock_object_fill(struct mock_object *o, struct mock_content *c, struct sp_error *err);
int mock_object_give(
    struct sp_arena *a, const struct mock_object *o, struct sp_object *out, struct sp_error *err);
int mock_bucket_find(
    struct mock_session *s, const char *name, struct mock_bucket **out, struct sp_error *err);
size_t mock_object_at(const struct mock_bucket *b, const char *key, bool *there);
int mock_object_find(struct mock_session *s, const char *bucket, const char *key, struct mock_bucket **b,
    struct mock_object **out, struct sp_error *err);
/* Stores or replaces; takes the object over in any case. */
int mock_object_put(struct mock_bucket *b, struct mock_object *o, struct sp_error *err);
void mock_object_remove(struct mock_bucket *b, const char *key);
/* PRECONDITION, CORRUPT. */
int mock_put_allowed(const struct mock_bucket *b, const char *key, bool if_none_match, const char *if_match,
    const char *sha256_hex, const struct mock_object *o, struct sp_error *err);
int mock_key_check(const char *key, struct sp_error *err);

/* blob.c */
int mock_blob_put(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, sp_source_fn,
    void *payload, const struct sp_put_opts *, struct sp_object *, struct sp_error *);
int mock_blob_get(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn, void *payload, struct sp_object *, struct sp_error *);

/* list.c */
int mock_bucket_list(struct sp_session *, const char *prefix, struct sp_names *, struct sp_error *);
int mock_blob_list(struct sp_session *, struct sp_arena *, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **, size_t *n,
    struct sp_error *);

/* sign.c */
int mock_sign(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, const char *method,
    int64_t seconds, const char **url, struct sp_error *);
int mock_fetch_signed(struct sp_session *, const char *url, const char *method, int64_t now_offset_s,
    sp_source_fn, void *source, sp_sink_fn, void *sink, struct sp_error *);

/* upload.c */
int mock_upload_begin(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    const struct sp_put_opts *, const char **id, struct sp_error *);
int mock_upload_part(
    struct sp_session *, const char *id, unsigned part, const void *p, size_t n, struct sp_error *);
int mock_upload_complete(
    struct sp_session *, struct sp_arena *, const char *id, struct sp_object *, struct sp_error *);
int mock_upload_abort(struct sp_session *, const char *id, struct sp_error *);
void mock_uploads_forget(struct mock_store *st, const struct mock_bucket *b);

#endif
