/* conditions.c -- copy, move, conditional puts, checksums. */
#include "suites/storage/storage.h"

#include <openssl/evp.h>
#include <string.h>

void stc_copy(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "from", "content") &&
        st_puts(&t, "over", "something longer than that") &&
        st_ok(&t, "copy", sp_blob_copy(t.s, t.bucket, "from", "to", &t.err)) &&
        st_holds_text(&t, "to", "content") && st_holds_text(&t, "from", "content") &&
        st_ok(&t, "copy over an object", sp_blob_copy(t.s, t.bucket, "from", "over", &t.err)) &&
        st_holds_text(&t, "over", "content") && st_puts(&t, "from", "changed"))
        st_holds_text(&t, "to", "content"); /* a copy, not a link */
    st_done(&t);
}

void stc_copy_onto_itself(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "k", "content")) {
        int rc = sp_blob_copy(t.s, t.bucket, "k", "k", &t.err);
        /* Some backends refuse it; none may lose the content. */
        if (sp_check(ctx, rc == 0 || t.err.code == SP_E_INVALID, "a copy onto itself works or is refused")) {
            sp_error_clear(&t.err);
            st_holds_text(&t, "k", "content");
        }
    }
    st_done(&t);
}

void stc_copy_absent(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "to", "kept") &&
        st_fails(
            &t, "copy of an absent key", SP_E_NOT_FOUND, sp_blob_copy(t.s, t.bucket, "no", "to", &t.err)))
        (void)(st_holds_text(&t, "to", "kept") && st_absent(&t, "no"));
    st_done(&t);
}

void stc_copy_metadata(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    const struct sp_meta meta[] = { { "owner", "ann" } };
    struct sp_object o = { 0 };
    (void)data;
    if (st_open(&t, ctx) &&
        st_put(&t, "from", "x", 1,
            &(struct sp_put_opts){ .content_type = "text/csv", .meta = meta, .nmeta = 1 }) &&
        st_ok(&t, "copy", sp_blob_copy(t.s, t.bucket, "from", "to", &t.err)) &&
        st_ok(&t, "head", sp_blob_head(t.s, t.a, t.bucket, "to", &o, &t.err)) &&
        sp_check_text(ctx, "content type of the copy", "text/csv", o.content_type) &&
        sp_check_int(ctx, "metadata of the copy", 1, (int64_t)o.nmeta))
        (void)(sp_check_text(ctx, "name", "owner", o.meta[0].name) &&
               sp_check_text(ctx, "value", "ann", o.meta[0].value));
    st_done(&t);
}

void stc_move(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    const char *want[] = { "dir/to" };
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "from", "content") &&
        st_ok(&t, "move", sp_blob_move(t.s, t.bucket, "from", "dir/to", &t.err)) &&
        st_holds_text(&t, "dir/to", "content") && st_absent(&t, "from"))
        st_lists(&t, "", NULL, 10, want, 1);
    st_done(&t);
}

void stc_move_absent(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "to", "kept") &&
        st_fails(
            &t, "move of an absent key", SP_E_NOT_FOUND, sp_blob_move(t.s, t.bucket, "no", "to", &t.err)))
        st_holds_text(&t, "to", "kept");
    st_done(&t);
}

void stc_move_over(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    const char *want[] = { "to" };
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "from", "new") && st_puts(&t, "to", "old and longer") &&
        st_ok(&t, "move over an object", sp_blob_move(t.s, t.bucket, "from", "to", &t.err)) &&
        st_holds_text(&t, "to", "new"))
        st_lists(&t, "", NULL, 10, want, 1);
    st_done(&t);
}

void stc_if_none_match(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    struct sp_put_opts once = { .if_none_match = true };
    (void)data;
    if (st_open(&t, ctx) && st_put(&t, "k", "first", 5, &once) &&
        st_fails(&t, "second put with if-none-match", SP_E_PRECONDITION,
            sp_blob_put(t.s, t.bucket, "k", "second", 6, &once, &t.err)) &&
        st_holds_text(&t, "k", "first") && st_ok(&t, "delete", sp_blob_delete(t.s, t.bucket, "k", &t.err)) &&
        st_put(&t, "k", "third", 5, &once))
        st_holds_text(&t, "k", "third");
    st_done(&t);
}

void stc_if_match(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    struct sp_object first = { 0 };
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "k", "one") &&
        st_ok(&t, "head", sp_blob_head(t.s, t.a, t.bucket, "k", &first, &t.err))) {
        struct sp_put_opts same = { .if_match = first.etag };
        if (st_put(&t, "k", "two", 3, &same) && st_holds_text(&t, "k", "two") &&
            st_fails(&t, "put with the old etag", SP_E_PRECONDITION,
                sp_blob_put(t.s, t.bucket, "k", "three", 5, &same, &t.err)) &&
            st_holds_text(&t, "k", "two") &&
            st_fails(&t, "put with an etag where nothing is", SP_E_PRECONDITION,
                sp_blob_put(t.s, t.bucket, "absent", "x", 1, &same, &t.err)))
            st_absent(&t, "absent");
    }
    st_done(&t);
}

static bool sha256_hex(struct st *t, const void *p, size_t n, char out[65])
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct sp_buf hex = SP_BUF_INIT;
    bool ok = EVP_Digest(p, n, md, &len, EVP_sha256(), NULL) == 1 && sp_buf_hex(&hex, md, len) == 0 &&
              sp_strlcpy(out, hex.p, 65);
    sp_buf_free(&hex);
    if (!ok)
        sp_ctx_error(t->ctx, "could not compute SHA-256");
    return ok;
}

void stc_checksum(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    char hex[65];
    (void)data;
    if (st_open(&t, ctx) && sha256_hex(&t, "content", 7, hex) &&
        st_put(&t, "k", "content", 7, &(struct sp_put_opts){ .sha256_hex = hex }))
        st_holds_text(&t, "k", "content");
    st_done(&t);
}

void stc_checksum_wrong(struct sp_ctx *ctx, const void *data)
{
    struct st t;
    char hex[65];
    (void)data;
    if (st_open(&t, ctx) && st_puts(&t, "old", "old") && sha256_hex(&t, "content", 7, hex)) {
        struct sp_put_opts opts = { .sha256_hex = hex };
        /* One bit of the content differs. */
        if (st_fails(&t, "put whose content does not fit its checksum", SP_E_CORRUPT,
                sp_blob_put(t.s, t.bucket, "new", "contenu", 7, &opts, &t.err)) &&
            st_absent(&t, "new") &&
            st_fails(&t, "the same over an object", SP_E_CORRUPT,
                sp_blob_put(t.s, t.bucket, "old", "contenu", 7, &opts, &t.err)))
            st_holds_text(&t, "old", "old");
    }
    st_done(&t);
}
