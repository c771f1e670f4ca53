/* objects.c -- storing, reading, replacing and removing whole objects; their properties. */
#include "suites/storage/storage.h"

#include <string.h>

void stc_round_trip(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "a.txt", "hello") && st_puts(&t, "b.txt", "world"))
        (void)(st_holds_text(&t, "a.txt", "hello") && st_holds_text(&t, "b.txt", "world"));
    st_done(&t);
}

void stc_zero_bytes(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_put(&t, "empty", "", 0, NULL) && st_holds(&t, "empty", "", 0)) {
        const char *want[] = { "empty" };
        st_lists(&t, "", NULL, 10, want, 1);
    }
    st_done(&t);
}

void stc_binary(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    uint8_t all[1024];
    (void)data;
    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (uint8_t)(i * 7 + (i >> 8));
    if (st_open(&t, ctx) && st_put(&t, "all-bytes", all, sizeof all, NULL))
        st_holds(&t, "all-bytes", all, sizeof all);
    st_done(&t);
}

void stc_overwrite(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    /* Longer, then shorter: a tail of the longer content must not survive. */
    if (st_open(&t, ctx) && st_puts(&t, "k", "a much longer first content") && st_puts(&t, "k", "short") &&
        st_holds_text(&t, "k", "short") && st_put(&t, "k", "", 0, NULL) && st_holds(&t, "k", "", 0)) {
        const char *want[] = { "k" };
        st_lists(&t, "", NULL, 10, want, 1);
    }
    st_done(&t);
}

void stc_large(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    size_t n = 3 * 1024 * 1024 + 17; /* not a multiple of any block size */
    (void)data;
    if (st_open(&t, ctx)) {
        const uint8_t *p = st_bytes(&t, n);
        if (p != NULL && st_put(&t, "large", p, n, NULL))
            st_holds(&t, "large", p, n);
    }
    st_done(&t);
}

void stc_delete(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "gone", "x") && st_puts(&t, "stays", "y") &&
        st_ok(&t, "delete", sp_blob_delete(t.s, t.bucket, "gone", &t.err)) && st_absent(&t, "gone")) {
        const char *want[] = { "stays" };
        (void)(st_holds_text(&t, "stays", "y") && st_lists(&t, "", NULL, 10, want, 1));
    }
    st_done(&t);
}

void stc_delete_absent(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "a", "x") &&
        st_ok(&t, "delete of an absent key", sp_blob_delete(t.s, t.bucket, "b", &t.err)) &&
        st_ok(&t, "first delete", sp_blob_delete(t.s, t.bucket, "a", &t.err)) &&
        st_ok(&t, "second delete", sp_blob_delete(t.s, t.bucket, "a", &t.err)))
        st_absent(&t, "a");
    st_done(&t);
}

static bool type_is(struct st *t, const char *key, const char *want)
{
    struct sp_object o = { 0 };
    return st_ok(t, "head", sp_blob_head(t->s, t->a, t->bucket, key, &o, &t->err)) &&
           sp_check_text(t->ctx, "content type", want, o.content_type);
}

void stc_content_type(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    struct sp_put_opts json = { .content_type = "application/json" };
    struct sp_put_opts text = { .content_type = "text/plain; charset=utf-8" };
    (void)data;
    if (st_open(&t, ctx) && st_put(&t, "a", "{}", 2, &json) && st_put(&t, "b", "x", 1, &text) &&
        type_is(&t, "a", "application/json") && type_is(&t, "b", "text/plain; charset=utf-8") &&
        st_put(&t, "a", "y", 1, &text))
        type_is(&t, "a", "text/plain; charset=utf-8");
    st_done(&t);
}

void stc_content_type_default(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "picture.png", "x"))
        type_is(&t, "picture.png", "application/octet-stream");
    st_done(&t);
}

static bool meta_is(struct st *t, const char *key, const struct sp_meta *want, size_t n)
{
    struct sp_object o = { 0 };
    if (!st_ok(t, "head", sp_blob_head(t->s, t->a, t->bucket, key, &o, &t->err)) ||
        !sp_check_int(t->ctx, "metadata entries", (int64_t)n, (int64_t)o.nmeta))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!sp_check_text(t->ctx, "metadata name", want[i].name, o.meta[i].name) ||
            !sp_check_text(t->ctx, "metadata value", want[i].value, o.meta[i].value))
            return false;
    return true;
}

void stc_metadata(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    const struct sp_meta given[] = { { "owner", "ann" }, { "batch", "7" }, { "empty", "" },
        { "note", "quotes \" and = signs; 100 %" } };
    const struct sp_meta sorted[] = { given[1], given[2], given[3], given[0] };
    struct sp_put_opts opts = { .meta = given, .nmeta = SP_LEN(given) };
    (void)data;
    if (st_open(&t, ctx) && st_put(&t, "m", "x", 1, &opts) && st_puts(&t, "none", "x"))
        (void)(meta_is(&t, "m", sorted, SP_LEN(sorted)) && meta_is(&t, "none", NULL, 0));
    st_done(&t);
}

void stc_metadata_replaced(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    const struct sp_meta one[] = { { "a", "1" }, { "b", "2" } }, two[] = { { "b", "3" } };
    (void)data;
    if (st_open(&t, ctx) && st_put(&t, "m", "x", 1, &(struct sp_put_opts){ .meta = one, .nmeta = 2 }) &&
        st_put(&t, "m", "x", 1, &(struct sp_put_opts){ .meta = two, .nmeta = 1 }) &&
        meta_is(&t, "m", two, 1) && st_puts(&t, "m", "x"))
        meta_is(&t, "m", NULL, 0);
    st_done(&t);
}

static const char *etag_of(struct st *t, const char *key)
{
    struct sp_object o = { 0 };
    if (!st_ok(t, "head", sp_blob_head(t->s, t->a, t->bucket, key, &o, &t->err)) ||
        !sp_check(t->ctx, o.etag != NULL && o.etag[0] != '\0', "an etag is given"))
        return NULL;
    return o.etag;
}

void stc_etag(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "e", "one")) {
        const char *first = etag_of(&t, "e"), *again = first == NULL ? NULL : etag_of(&t, "e");
        if (again != NULL && sp_check_text(ctx, "etag of an unchanged object", first, again) &&
            st_puts(&t, "e", "two")) {
            const char *changed = etag_of(&t, "e");
            if (changed != NULL)
                sp_check(ctx, strcmp(first, changed) != 0, "another content has another etag");
        }
    }
    st_done(&t);
}

void stc_modified(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    struct sp_object o = { 0 };
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "e", "one") &&
        st_ok(&t, "head", sp_blob_head(t.s, t.a, t.bucket, "e", &o, &t.err))) {
        struct sp_ts first = o.modified;
        /* 2020-01-01, and not far beyond any plausible clock: a zero or an uninitialised time shows. */
        if (sp_check(
                ctx, first.sec > 1577836800 && first.sec < 4102444800, "the time of the put is plausible") &&
            st_puts(&t, "e", "two") && st_ok(&t, "head", sp_blob_head(t.s, t.a, t.bucket, "e", &o, &t.err)))
            sp_check(ctx,
                o.modified.sec > first.sec || (o.modified.sec == first.sec && o.modified.nsec >= first.nsec),
                "a later put is not older");
    }
    st_done(&t);
}

void stc_two_sessions(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        struct sp_session *first = t.s, *second = sp_ctx_session(ctx, 1);
        if (second != NULL && st_puts(&t, "shared", "one")) {
            t.s = second;
            if (st_holds_text(&t, "shared", "one") && st_puts(&t, "shared", "two, and longer")) {
                t.s = first;
                if (st_holds_text(&t, "shared", "two, and longer") &&
                    st_ok(&t, "delete", sp_blob_delete(first, t.bucket, "shared", &t.err))) {
                    t.s = second;
                    st_absent(&t, "shared");
                }
            }
        }
    }
    st_done(&t);
}

/* A source that fails in the middle: what stood there before must stand there still. */
struct broken {
    size_t left;
};
static int64_t broken_source(void *payload, void *p, size_t n)
{
    struct broken *b = payload;
    if (b->left == 0)
        return -1;
    size_t give = n < b->left ? n : b->left;
    memset(p, 'z', give);
    b->left -= give;
    return (int64_t)give;
}

void stc_stream_abort(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "old", "the old content")) {
        struct broken b = { 200000 }, c = { 200000 };
        int rc = sp_blob_put_stream(t.s, t.a, t.bucket, "old", broken_source, &b, NULL, NULL, &t.err);
        sp_check(ctx, rc < 0, "a put whose source fails is an error");
        sp_error_clear(&t.err);
        rc = sp_blob_put_stream(t.s, t.a, t.bucket, "new", broken_source, &c, NULL, NULL, &t.err);
        sp_check(ctx, rc < 0, "a put whose source fails is an error");
        sp_error_clear(&t.err);
        const char *want[] = { "old" };
        (void)(st_holds_text(&t, "old", "the old content") && st_absent(&t, "new") &&
               st_lists(&t, "", NULL, 10, want, 1));
    }
    st_done(&t);
}

/* While one session replaces an object with another content of another size, whoever reads sees one or the other. */
void stc_concurrent_put(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    enum { SMALL = 1000, LARGE = 300000 };
    (void)data;
    if (st_open(&t, ctx)) {
        struct sp_session *reader = sp_ctx_session(ctx, 1);
        char *small = sp_arena_alloc(t.a, SMALL), *large = sp_arena_alloc(t.a, LARGE);
        if (reader == NULL || small == NULL || large == NULL) {
            st_done(&t);
            return;
        }
        memset(small, 's', SMALL);
        memset(large, 'L', LARGE);
        for (int round = 0; round < 20 && !sp_ctx_done(ctx); round++) {
            bool is_large = round % 2 != 0;
            if (!st_put(&t, "k", is_large ? large : small, is_large ? LARGE : SMALL, NULL))
                break;
            sp_buf_clear(&t.buf);
            if (!st_ok(&t, "get from another session", sp_blob_get(reader, t.bucket, "k", &t.buf, &t.err)))
                break;
            sp_check_bytes(ctx, "the content last put", is_large ? large : small, is_large ? LARGE : SMALL,
                t.buf.p, t.buf.n);
        }
    }
    st_done(&t);
}

void stc_absent(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_absent(&t, "never") && st_puts(&t, "a/b", "x"))
        (void)(st_absent(&t, "a") && st_absent(&t, "a/") && st_absent(&t, "a/b/") && st_absent(&t, "A/B"));
    st_done(&t);
}
