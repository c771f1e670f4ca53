/* storage.h -- what the files of the storage suite share. A case opens a `struct st` (session 0 and a bucket of its
 * own), works through the helpers, and ends with st_done(). The helpers record failed checks and return false: the
 * case then returns. One thread. */
#ifndef SP_SUITES_STORAGE_H
#define SP_SUITES_STORAGE_H

#include "suite.h"

struct st {
    struct sp_ctx *ctx;
    struct sp_session *s;
    struct sp_arena *a;
    const char *bucket;
    struct sp_error err;
    struct sp_buf buf;
};

bool st_open(struct st *t, struct sp_ctx *ctx);
void st_done(struct st *t);
/* Stores and checks that it said so. */
bool st_put(struct st *t, const char *key, const void *p, size_t n, const struct sp_put_opts *opts);
bool st_puts(struct st *t, const char *key, const char *text);
/* The object's whole content and its size by head are exactly this. */
bool st_holds(struct st *t, const char *key, const void *p, size_t n);
bool st_holds_text(struct st *t, const char *key, const char *text);
/* Neither get nor head find it. */
bool st_absent(struct st *t, const char *key);
/* Walks all pages of `limit` entries; the keys are exactly `want`, in this order; a common prefix is marked with a
 * leading '>'. */
bool st_lists(
    struct st *t, const char *prefix, const char *delimiter, size_t limit, const char *const *want, size_t n);
/* Seeded bytes in the case's arena. */
const uint8_t *st_bytes(struct st *t, size_t n);
/* rc was a failure with this code. Clears the record. */
bool st_fails(struct st *t, const char *what, enum sp_code want, int rc);
bool st_ok(struct st *t, const char *what, int rc);

/* clang-format off */
#define ST_CASES(X) \
    X(round_trip) X(zero_bytes) X(binary) X(overwrite) X(large) X(absent) X(delete) \
    X(delete_absent) X(content_type) X(content_type_default) X(metadata) X(metadata_replaced) \
    X(etag) X(modified) X(two_sessions) X(buckets_apart) X(bucket_exists) X(bucket_absent) \
    X(bucket_drop) X(bucket_list) X(stream_abort) X(concurrent_put) X(list_order) \
    X(list_prefix) X(list_delimiter) X(list_pages) X(list_deleted) X(list_empty) \
    X(list_delimiter_pages) X(list_many) X(copy) X(copy_onto_itself) X(copy_absent) \
    X(copy_metadata) X(move) X(move_absent) X(move_over) X(if_none_match) X(if_match) \
    X(checksum) X(checksum_wrong) X(multipart) X(multipart_order) X(multipart_gap) X(multipart_place) \
    X(multipart_abort) X(multipart_resume) X(multipart_unknown) X(multipart_replace) \
    X(if_none_match_race) X(if_match_race) X(replace_while_read) \
    X(sign_get) X(sign_expired) X(sign_tampered) X(sign_put) X(sign_method) \
    X(killed_in_put) X(killed_in_get) \
    X(semantics_keys) X(semantics_alike) X(semantics_metadata) X(semantics_buckets)
/* clang-format on */
#define SP_X(name) void stc_##name(struct sp_ctx *ctx, const void *data);
ST_CASES(SP_X)
#undef SP_X

/* Data-driven: one promise per row. */
struct st_key {
    const char *key;
};
void stc_key_kept(struct sp_ctx *ctx, const void *data);
void stc_key_refused(struct sp_ctx *ctx, const void *data);
struct st_range {
    uint64_t size, offset, length;
    enum sp_code code;
    uint64_t from, n; /* what comes back: n bytes of the content from `from` */
};
void stc_range(struct sp_ctx *ctx, const void *data);
void stc_keys_distinct(struct sp_ctx *ctx, const void *data);

#endif
