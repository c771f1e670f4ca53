/* lib.c -- the helpers of the storage suite. */
#include "suites/storage/storage.h"

#include <string.h>

bool st_open(struct st *t, struct sp_ctx *ctx)
{
    *t = (struct st){ .ctx = ctx, .err = SP_ERROR_INIT, .buf = SP_BUF_INIT };
    t->s = sp_ctx_session(ctx, 0);
    if (t->s == NULL)
        return false;
    t->a = sp_ctx_arena(ctx);
    t->bucket = sp_ctx_bucket(ctx, "st");
    return t->bucket != NULL;
}

void st_done(struct st *t)
{
    sp_error_clear(&t->err);
    sp_buf_free(&t->buf);
}

bool st_ok(struct st *t, const char *what, int rc)
{
    bool ok = sp_check_ok(t->ctx, what, rc, &t->err);
    sp_error_clear(&t->err);
    return ok;
}

bool st_fails(struct st *t, const char *what, enum sp_code want, int rc)
{
    bool ok = sp_check_code(t->ctx, what, want, rc, &t->err);
    sp_error_clear(&t->err);
    return ok;
}

bool st_put(struct st *t, const char *key, const void *p, size_t n, const struct sp_put_opts *opts)
{
    return st_ok(t, "put", sp_blob_put(t->s, t->bucket, key, p, n, opts, &t->err));
}

bool st_puts(struct st *t, const char *key, const char *text)
{
    return st_put(t, key, text, strlen(text), NULL);
}

bool st_holds(struct st *t, const char *key, const void *p, size_t n)
{
    struct sp_object o = { 0 };
    sp_buf_clear(&t->buf);
    return st_ok(t, "get", sp_blob_get(t->s, t->bucket, key, &t->buf, &t->err)) &&
           sp_check_bytes(t->ctx, "content", p, n, t->buf.p, t->buf.n) &&
           st_ok(t, "head", sp_blob_head(t->s, t->a, t->bucket, key, &o, &t->err)) &&
           sp_check_int(t->ctx, "size by head", (int64_t)n, (int64_t)o.size) &&
           sp_check_text(t->ctx, "key by head", key, o.key);
}

bool st_holds_text(struct st *t, const char *key, const char *text)
{
    return st_holds(t, key, text, strlen(text));
}

bool st_absent(struct st *t, const char *key)
{
    struct sp_object o = { 0 };
    sp_buf_clear(&t->buf);
    return st_fails(t, "get of an absent key", SP_E_NOT_FOUND,
               sp_blob_get(t->s, t->bucket, key, &t->buf, &t->err)) &&
           sp_check_int(t->ctx, "bytes delivered for an absent key", 0, (int64_t)t->buf.n) &&
           st_fails(t, "head of an absent key", SP_E_NOT_FOUND,
               sp_blob_head(t->s, t->a, t->bucket, key, &o, &t->err));
}

bool st_lists(
    struct st *t, const char *prefix, const char *delimiter, size_t limit, const char *const *want, size_t n)
{
    const char *cursor = NULL;
    size_t at = 0;
    /* A listing that never ends is a failure too: a page may be empty, but not for ever. */
    for (size_t page = 0; page <= 2 * n + 2; page++) {
        struct sp_object *o = NULL;
        size_t got = 0;
        if (!st_ok(t, "list",
                sp_blob_list(t->s, t->a, t->bucket, prefix, delimiter, &cursor, limit, &o, &got, &t->err)))
            return false;
        if (!sp_check(t->ctx, got <= limit, "entries on a page stay within the limit"))
            return false;
        for (size_t i = 0; i < got; i++, at++) {
            char *shown = sp_arena_printf(t->a, "%s%s", o[i].is_prefix ? ">" : "", o[i].key);
            if (!sp_check_text(t->ctx, "listed key", at < n ? want[at] : "(end of the listing)", shown))
                return false;
        }
        if (cursor == NULL)
            return sp_check_int(t->ctx, "entries listed", (int64_t)n, (int64_t)at);
    }
    return sp_check(t->ctx, false, "the listing ends");
}

const uint8_t *st_bytes(struct st *t, size_t n)
{
    uint8_t *p = sp_arena_alloc(t->a, n + 1);
    struct sp_rng *rng = sp_ctx_rng(t->ctx);
    if (p == NULL) {
        sp_ctx_error(t->ctx, "out of memory for %zu bytes of test data", n);
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(sp_rng_u64(rng) >> 40);
    return p;
}
