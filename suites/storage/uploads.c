/* uploads.c -- uploads in parts: nothing is visible before they are complete, and they outlive a session. */
#include "suites/storage/storage.h"

#include <string.h>

enum {
    PART = 6 * 1024 * 1024,
    SMALL = 1234
}; /* all but the last part at least 5 MiB, as object stores ask */

static const char *begin(struct st *t, const char *key, const struct sp_put_opts *opts)
{
    const char *id = NULL;
    if (!st_ok(
            t, "begin of the upload", sp_blob_upload_begin(t->s, t->a, t->bucket, key, opts, &id, &t->err)) ||
        !sp_check(t->ctx, id != NULL && id[0] != '\0', "the upload has an id"))
        return NULL;
    return id;
}

static bool part(struct st *t, const char *id, unsigned number, const void *p, size_t n)
{
    return st_ok(t, "part", sp_blob_upload_part(t->s, id, number, p, n, &t->err));
}

static bool complete(struct st *t, const char *id)
{
    struct sp_object o = { 0 };
    return st_ok(t, "completion", sp_blob_upload_complete(t->s, t->a, id, &o, &t->err));
}

void stc_multipart(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    struct sp_object o = { 0 };
    const struct sp_meta meta[] = { { "owner", "ann" } };
    struct sp_put_opts opts = { .content_type = "video/mp4", .meta = meta, .nmeta = 1 };
    (void)data;
    if (st_open(&t, ctx)) {
        const uint8_t *p = st_bytes(&t, PART + SMALL);
        const char *id = p == NULL ? NULL : begin(&t, "up", &opts);
        if (id != NULL && part(&t, id, 1, p, PART) && st_absent(&t, "up") &&
            part(&t, id, 2, p + PART, SMALL) && st_absent(&t, "up") && st_lists(&t, "", NULL, 10, NULL, 0) &&
            complete(&t, id) && st_holds(&t, "up", p, PART + SMALL) &&
            st_ok(&t, "head", sp_blob_head(t.s, t.a, t.bucket, "up", &o, &t.err)) &&
            sp_check_text(ctx, "content type", "video/mp4", o.content_type) &&
            sp_check_int(ctx, "metadata entries", 1, (int64_t)o.nmeta))
            sp_check_text(ctx, "metadata value", "ann", o.meta[0].value);
    }
    st_done(&t);
}

void stc_multipart_order(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        const uint8_t *p = st_bytes(&t, 2 * (size_t)PART + SMALL);
        const char *id = p == NULL ? NULL : begin(&t, "up", NULL);
        /* Sent last part first, and part 2 twice: the second sending counts. */
        if (id != NULL && part(&t, id, 3, p + 2 * (size_t)PART, SMALL) && part(&t, id, 2, p, PART) &&
            part(&t, id, 1, p, PART) && part(&t, id, 2, p + PART, PART) && complete(&t, id))
            st_holds(&t, "up", p, 2 * (size_t)PART + SMALL);
    }
    st_done(&t);
}

/* A part that comes too early, and one that comes again: each counts where it belongs, or is refused and changes nothing. */
void stc_multipart_place(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        const uint8_t *p = st_bytes(&t, PART + SMALL + 1);
        const char *id = p == NULL ? NULL : begin(&t, "up", NULL);
        int rc = id == NULL ? -1 : sp_blob_upload_part(t.s, id, 2, p, SMALL, &t.err);
        if (id != NULL && (rc == 0 || st_fails(&t, "part 2 before part 1", SP_E_UNSUPPORTED, rc)) &&
            part(&t, id, 1, p, PART)) {
            rc = sp_blob_upload_part(t.s, id, 1, p + 1, PART, &t.err);
            const uint8_t *counts = rc == 0 ? p + 1 : p;
            if ((rc == 0 || st_fails(&t, "part 1 again", SP_E_UNSUPPORTED, rc)) &&
                part(&t, id, 2, counts + PART, SMALL) && complete(&t, id))
                st_holds(&t, "up", counts, PART + SMALL);
        }
    }
    st_done(&t);
}

void stc_multipart_gap(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    struct sp_object o = { 0 };
    (void)data;
    if (st_open(&t, ctx)) {
        const uint8_t *p = st_bytes(&t, PART);
        const char *id = p == NULL ? NULL : begin(&t, "up", NULL);
        if (id != NULL && part(&t, id, 1, p, PART) && part(&t, id, 3, p, SMALL) &&
            st_fails(&t, "completion without part 2", SP_E_INVALID,
                sp_blob_upload_complete(t.s, t.a, id, &o, &t.err)))
            (void)(st_absent(&t, "up") && st_ok(&t, "abort", sp_blob_upload_abort(t.s, id, &t.err)));
    }
    st_done(&t);
}

void stc_multipart_abort(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    struct sp_object o = { 0 };
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "up", "old")) {
        const char *id = begin(&t, "up", NULL);
        if (id != NULL && part(&t, id, 1, "new", 3) &&
            st_ok(&t, "abort", sp_blob_upload_abort(t.s, id, &t.err)) && st_holds_text(&t, "up", "old") &&
            st_fails(
                &t, "part after the abort", SP_E_NOT_FOUND, sp_blob_upload_part(t.s, id, 2, "x", 1, &t.err)))
            st_fails(&t, "completion after the abort", SP_E_NOT_FOUND,
                sp_blob_upload_complete(t.s, t.a, id, &o, &t.err));
    }
    st_done(&t);
}

void stc_multipart_resume(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx)) {
        struct sp_session *other = sp_ctx_session(ctx, 1);
        const uint8_t *p = st_bytes(&t, PART + SMALL);
        const char *id = p == NULL || other == NULL ? NULL : begin(&t, "up", NULL);
        if (id != NULL && part(&t, id, 1, p, PART)) {
            t.s = other; /* the first client is gone; another one goes on */
            if (part(&t, id, 2, p + PART, SMALL) && complete(&t, id))
                st_holds(&t, "up", p, PART + SMALL);
        }
    }
    st_done(&t);
}

void stc_multipart_unknown(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    struct sp_object o = { 0 };
    (void)data;
    if (st_open(&t, ctx)) {
        const char *id = begin(&t, "up", NULL);
        if (id != NULL && part(&t, id, 1, "x", 1) && complete(&t, id) && st_holds_text(&t, "up", "x") &&
            st_fails(
                &t, "second completion", SP_E_NOT_FOUND, sp_blob_upload_complete(t.s, t.a, id, &o, &t.err)))
            st_fails(
                &t, "abort of a completed upload", SP_E_NOT_FOUND, sp_blob_upload_abort(t.s, id, &t.err));
    }
    st_done(&t);
}

void stc_multipart_replace(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "up", "the old and longer content")) {
        const char *id = begin(&t, "up", NULL);
        if (id != NULL && part(&t, id, 1, "new", 3) &&
            st_holds_text(&t, "up", "the old and longer content") && complete(&t, id))
            st_holds_text(&t, "up", "new");
    }
    st_done(&t);
}
