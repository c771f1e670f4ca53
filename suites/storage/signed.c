/* signed.c -- URLs that give access for a while, to one object, by one method. */
#include "suites/storage/storage.h"

#include <string.h>
#include <time.h>

static const char *sign(struct st *t, const char *key, const char *method, int64_t seconds)
{
    const char *url = NULL;
    if (!st_ok(t, "sign", sp_blob_sign(t->s, t->a, t->bucket, key, method, seconds, &url, &t->err)) ||
        !sp_check(t->ctx, url != NULL && url[0] != '\0', "a URL is given"))
        return NULL;
    return url;
}

static bool refused(struct st *t, const char *what, const char *url, int64_t now_offset_s)
{
    sp_buf_clear(&t->buf);
    return st_fails(t, what, SP_E_AUTHENTICATION,
               sp_blob_fetch_signed(t->s, url, now_offset_s, &t->buf, &t->err)) &&
           sp_check_int(t->ctx, "bytes delivered", 0, (int64_t)t->buf.n);
}

void stc_sign_get(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "dir/a b+c.txt", "signed content")) {
        const char *url = sign(&t, "dir/a b+c.txt", "GET", 60);
        if (url != NULL && st_ok(&t, "fetch", sp_blob_fetch_signed(t.s, url, 0, &t.buf, &t.err)))
            sp_check_bytes(ctx, "content", "signed content", 14, t.buf.p, t.buf.n);
    }
    st_done(&t);
}

/* Where the clock is the server's, the end of a short time is waited for. */
static void expires_in_time(struct st *t)
{
    const struct timespec late = { .tv_sec = 3 };
    const char *url = sign(t, "k", "GET", 1), *lasting = url == NULL ? NULL : sign(t, "k", "GET", 60);
    if (lasting == NULL)
        return;
    nanosleep(&late, NULL);
    sp_error_clear(&t->err);
    if (refused(t, "fetch two seconds after the end", url, 0) &&
        st_ok(t, "fetch in time", sp_blob_fetch_signed(t->s, lasting, 0, &t->buf, &t->err)))
        sp_check_bytes(t->ctx, "content", "x", 1, t->buf.p, t->buf.n);
}

void stc_sign_expired(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "k", "x")) {
        const char *url = sign(&t, "k", "GET", 60);
        bool fixed = url != NULL && sp_blob_fetch_signed(t.s, url, 120, &t.buf, &t.err) == -SP_E_UNSUPPORTED;
        sp_error_clear(&t.err);
        if (fixed)
            expires_in_time(&t);
        else if (url != NULL && refused(&t, "fetch two minutes later", url, 120) &&
                 st_ok(&t, "fetch in time", sp_blob_fetch_signed(t.s, url, 30, &t.buf, &t.err)))
            sp_check_bytes(ctx, "content", "x", 1, t.buf.p, t.buf.n);
    }
    st_done(&t);
}

void stc_sign_tampered(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "public-1", "mine") && st_puts(&t, "public-2", "not yours")) {
        const char *url = sign(&t, "public-1", "GET", 60);
        char *other = url == NULL ? NULL : sp_arena_str(t.a, url);
        if (other == NULL) {
            st_done(&t);
            return;
        }
        /* Another key of the same length; then another last character of the signature. */
        char *at = strstr(other, "public-1");
        if (sp_check(ctx, at != NULL, "the key stands in the URL")) {
            at[7] = '2';
            refused(&t, "fetch of another key with this signature", other, 0);
        }
        char *damaged = sp_arena_str(t.a, url);
        if (damaged != NULL && !sp_ctx_done(ctx)) {
            char *last = damaged + strlen(damaged) - 1;
            /* A change of the high bits of the last digit, whatever the alphabet. */
            *last = *last == 'A' || *last == 'a' ? '0' : 'a';
            refused(&t, "fetch with a damaged signature", damaged, 0);
        }
    }
    st_done(&t);
}

void stc_sign_put(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        const char *url = sign(&t, "up", "PUT", 60);
        if (url != NULL &&
            st_ok(&t, "put through the URL", sp_blob_put_signed(t.s, url, 0, "new", 3, &t.err)) &&
            st_holds_text(&t, "up", "new") &&
            st_fails(&t, "put after the URL expired", SP_E_AUTHENTICATION,
                sp_blob_put_signed(t.s, url, 120, "late", 4, &t.err)))
            st_holds_text(&t, "up", "new");
    }
    st_done(&t);
}

void stc_sign_method(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "k", "kept")) {
        const char *url = sign(&t, "k", "GET", 60);
        if (url != NULL && st_fails(&t, "put through a URL for reading", SP_E_AUTHENTICATION,
                               sp_blob_put_signed(t.s, url, 0, "new", 3, &t.err)))
            st_holds_text(&t, "k", "kept");
    }
    st_done(&t);
}
