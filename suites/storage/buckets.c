/* buckets.c -- buckets keep their objects apart, and say so when they are there already or not at all. */
#include "suites/storage/storage.h"

#include <string.h>

void stc_buckets_apart(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "k", "in the first")) {
        const char *first = t.bucket, *second = sp_ctx_bucket(ctx, "st2");
        t.bucket = second;
        if (second != NULL && sp_check(ctx, strcmp(first, second) != 0, "the buckets have different names") &&
            st_absent(&t, "k") && st_puts(&t, "k", "in the second") &&
            st_holds_text(&t, "k", "in the second") &&
            st_ok(&t, "delete", sp_blob_delete(t.s, second, "k", &t.err))) {
            t.bucket = first;
            st_holds_text(&t, "k", "in the first");
        }
    }
    st_done(&t);
}

void stc_bucket_exists(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "k", "kept") &&
        st_fails(
            &t, "create of a bucket that exists", SP_E_EXISTS, sp_blob_bucket_create(t.s, t.bucket, &t.err)))
        st_holds_text(&t, "k", "kept");
    st_done(&t);
}

void stc_bucket_absent(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        const char *cursor = NULL, *real = t.bucket;
        struct sp_object *o = NULL;
        size_t n = 0;
        t.bucket = sp_arena_printf(t.a, "%s-no", real);
        if (t.bucket != NULL &&
            st_fails(&t, "put into an absent bucket", SP_E_NOT_FOUND,
                sp_blob_put(t.s, t.bucket, "k", "x", 1, NULL, &t.err)) &&
            st_fails(&t, "get from an absent bucket", SP_E_NOT_FOUND,
                sp_blob_get(t.s, t.bucket, "k", &t.buf, &t.err)) &&
            st_fails(&t, "list of an absent bucket", SP_E_NOT_FOUND,
                sp_blob_list(t.s, t.a, t.bucket, "", NULL, &cursor, 10, &o, &n, &t.err)))
            st_fails(
                &t, "drop of an absent bucket", SP_E_NOT_FOUND, sp_blob_bucket_drop(t.s, t.bucket, &t.err));
    }
    st_done(&t);
}

void stc_bucket_drop(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "a", "1") && st_puts(&t, "dir/b", "2") &&
        st_ok(&t, "drop of a bucket with objects", sp_blob_bucket_drop(t.s, t.bucket, &t.err)) &&
        st_fails(&t, "get after the drop", SP_E_NOT_FOUND, sp_blob_get(t.s, t.bucket, "a", &t.buf, &t.err)) &&
        st_ok(&t, "the bucket is created again", sp_blob_bucket_create(t.s, t.bucket, &t.err)))
        (void)(st_absent(&t, "a") && st_absent(&t, "dir/b") && st_lists(&t, "", NULL, 10, NULL, 0));
    st_done(&t);
}

void stc_bucket_list(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        struct sp_names names = { 0 };
        if (st_ok(&t, "list of buckets", sp_blob_bucket_list(t.s, t.bucket, &names, &t.err)) &&
            sp_check_int(ctx, "buckets that start with the name", 1, (int64_t)names.n))
            sp_check_text(ctx, "bucket", t.bucket, names.v[0]);
        sp_names_free(&names);
        names = (struct sp_names){ 0 };
        const char *none = sp_arena_printf(t.a, "%s-none", t.bucket);
        if (none != NULL && st_ok(&t, "list of buckets", sp_blob_bucket_list(t.s, none, &names, &t.err)))
            sp_check_int(ctx, "buckets that start with another name", 0, (int64_t)names.n);
        sp_names_free(&names);
    }
    st_done(&t);
}
