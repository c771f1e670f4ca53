/* blobs.h -- private to verify/: objects of both sides. */
#ifndef SP_VERIFY_BLOBS_H
#define SP_VERIFY_BLOBS_H

#include "verify/internal.h"

/* One bucket, listed in pages, key by key in byte order. The arena holds the current page. */
struct sp_vlisting {
    struct sp_session *s;
    const char *bucket;
    struct sp_arena page;
    struct sp_object *v;
    size_t n, at;
    const char *cursor; /* in `mark` */
    struct sp_buf mark, last;
    bool begun, done;
    uint64_t seen;
    struct sp_digest state; /* of all that was listed: keys, sizes, etags, times */
};
void sp_v_listing_open(struct sp_vlisting *l, struct sp_session *s, const char *bucket);
void sp_v_listing_free(struct sp_vlisting *l);
/* *out is the next object, NULL at the end; it lives until the next call. CORRUPT when keys do not ascend. */
int sp_v_listing_next(struct sp_vlisting *l, const struct sp_object **out, struct sp_error *err);

/* A whole object, read to its end. */
struct sp_vcontent {
    struct sp_object o; /* as it was read; in `arena` */
    struct sp_d128 digest;
    uint64_t size;
    struct sp_arena arena;
};
int sp_v_content_read(
    struct sp_vcontent *x, struct sp_session *s, const char *bucket, const char *key, struct sp_error *err);
void sp_v_content_free(struct sp_vcontent *x);

/* A bucket that both sides have, by its name on each. */
void sp_v_bucket(struct sp_vctx *c, const char *source, const char *target);

#endif
