/* semantics.c -- what a store makes of odd keys, names and contents: neither right nor wrong, and told side by side. What
 * a case checks is that the store stands by what it answered. */
#include "suites/storage/storage.h"

#include <string.h>

/* True when rc is the store's answer: *refusal is NULL for success, else "refused: CODE". Clears the record. */
static bool answered(struct st *t, const char *what, int rc, const char **refusal)
{
    *refusal = NULL;
    switch (t->err.code) {
    case SP_E_INVALID:
    case SP_E_TOO_LARGE:
    case SP_E_UNSUPPORTED:
    case SP_E_EXISTS:
    case SP_E_NOT_FOUND:
    case SP_E_PRECONDITION:
    case SP_E_RANGE:
        if (rc < 0 && t->err.origin != SP_ORIGIN_TRANSPORT) {
            *refusal = sp_arena_printf(t->a, "refused: %s", sp_code_name(t->err.code));
            sp_error_clear(&t->err);
            return *refusal != NULL;
        }
        break;
    default:
        break;
    }
    return st_ok(t, what, rc);
}

void stc_semantics_keys(struct sp_ctx *ctx, const void *data)
{
    static const struct {
        const char *topic, *key;
    } keys[] = {
        { "keys: a slash at the start", "/a" },
        { "keys: a slash at the end", "a/" },
        { "keys: two slashes", "a//b" },
        { "keys: a point between slashes", "a/./b" },
        { "keys: two points between slashes", "a/../b" },
        { "keys: two points alone", ".." },
        { "keys: a backslash", "a\\b" },
        { "keys: ? and #", "a?b#c" },
        { "keys: %2F", "a%2Fb" },
        { "keys: a blank at the end", "a " },
        { "keys: a tab", "a\tb" },
        { "keys: a letter beyond ASCII", "\xc3\xa9" },
        { "keys: a decomposed letter", "e\xcc\x81" },
        { "keys: an emoji", "\xf0\x9f\x94\x91" },
        { "keys: octets that are no UTF-8", "a\xff" },
        { "keys: the empty key", "" },
    };
    struct st t;
    (void)data;
    bool ok = st_open(&t, ctx);
    for (size_t i = 0; ok && i < SP_LEN(keys); i++) {
        const char *refusal = NULL, *cursor = NULL;
        struct sp_object *found = NULL;
        size_t n = 0;
        ok =
            answered(
                &t, "put", sp_blob_put(t.s, t.bucket, keys[i].key, "content", 7, NULL, &t.err), &refusal) &&
            st_ok(&t, "list", sp_blob_list(t.s, t.a, t.bucket, "", NULL, &cursor, 10, &found, &n, &t.err)) &&
            sp_check_int(ctx, "objects", refusal == NULL, (int64_t)n) &&
            (refusal != NULL || (st_holds_text(&t, keys[i].key, "content") &&
                                    st_ok(&t, "delete", sp_blob_delete(t.s, t.bucket, keys[i].key, &t.err))));
        if (ok && refusal != NULL)
            sp_ctx_observe(ctx, keys[i].topic, "%s", refusal);
        else if (ok)
            sp_ctx_observe(ctx, keys[i].topic, "%s%s%s",
                strcmp(found[0].key, keys[i].key) == 0 ? "kept" : "listed as \"",
                strcmp(found[0].key, keys[i].key) == 0 ? "" : found[0].key,
                strcmp(found[0].key, keys[i].key) == 0 ? "" : "\"");
    }
    st_done(&t);
}

/* Two keys that look alike: two objects, or one. */
void stc_semantics_alike(struct sp_ctx *ctx, const void *data)
{
    static const struct {
        const char *topic, *a, *b;
    } pairs[] = {
        { "keys: 'Readme' and 'readme'", "Readme", "readme" },
        { "keys: composed and decomposed", "x\xc3\xa9", "xe\xcc\x81" },
        { "keys: 'a' beside 'a/b'", "dir", "dir/b" },
        { "keys: 'a/b' and 'a//b'", "p/b", "p//b" },
    };
    struct st t;
    (void)data;
    bool ok = st_open(&t, ctx);
    for (size_t i = 0; ok && i < SP_LEN(pairs); i++) {
        const char *refusal = NULL;
        ok =
            answered(&t, "the first", sp_blob_put(t.s, t.bucket, pairs[i].a, "1", 1, NULL, &t.err), &refusal);
        if (ok && refusal == NULL)
            ok = answered(
                &t, "the second", sp_blob_put(t.s, t.bucket, pairs[i].b, "2", 1, NULL, &t.err), &refusal);
        sp_buf_clear(&t.buf);
        if (ok && refusal == NULL)
            ok = st_ok(&t, "get", sp_blob_get(t.s, t.bucket, pairs[i].a, &t.buf, &t.err)) &&
                 sp_check_int(ctx, "bytes", 1, (int64_t)t.buf.n);
        if (ok)
            sp_ctx_observe(ctx, pairs[i].topic, "%s",
                refusal != NULL     ? refusal
                : t.buf.p[0] == '1' ? "two objects"
                                    : "one object");
    }
    st_done(&t);
}

void stc_semantics_metadata(struct sp_ctx *ctx, const void *data)
{
    static const struct {
        const char *topic;
        struct sp_meta meta;
    } rows[] = {
        { "metadata: a name in capitals", { "Author", "Ann" } },
        { "metadata: an empty value", { "empty", "" } },
        { "metadata: a value beyond ASCII", { "name", "\xc3\xa9\xe6\xbc\xa2" } },
        { "metadata: a value with blanks at both ends", { "blanks", "  x  " } },
        { "metadata: a value with a line break", { "lines", "a\nb" } },
        { "metadata: a name with a blank", { "two words", "x" } },
    };
    struct st t;
    (void)data;
    bool ok = st_open(&t, ctx);
    for (size_t i = 0; ok && i < SP_LEN(rows); i++) {
        const struct sp_put_opts opts = { .meta = &rows[i].meta, .nmeta = 1 };
        const char *refusal = NULL;
        struct sp_object o = { 0 };
        ok = answered(&t, "put", sp_blob_put(t.s, t.bucket, "key", "x", 1, &opts, &t.err), &refusal) &&
             (refusal != NULL || st_holds_text(&t, "key", "x"));
        if (ok && refusal != NULL)
            sp_ctx_observe(ctx, rows[i].topic, "%s", refusal);
        else if (ok && (ok = st_ok(&t, "head", sp_blob_head(t.s, t.a, t.bucket, "key", &o, &t.err)))) {
            if (o.nmeta == 0)
                sp_ctx_observe(ctx, rows[i].topic, "lost");
            else if (strcmp(o.meta[0].name, rows[i].meta.name) == 0 &&
                     strcmp(o.meta[0].value, rows[i].meta.value) == 0)
                sp_ctx_observe(ctx, rows[i].topic, "kept");
            else
                sp_ctx_observe(ctx, rows[i].topic, "kept as %s: \"%s\"", o.meta[0].name, o.meta[0].value);
        }
    }
    st_done(&t);
}

void stc_semantics_buckets(struct sp_ctx *ctx, const void *data)
{
    const char *refusal = NULL;
    struct sp_object o = { 0 };
    struct st t;
    (void)data;
    if (!st_open(&t, ctx))
        return;
    bool ok = answered(&t, "put into an absent bucket",
        sp_blob_put(t.s, "sp-no-such-bucket", "key", "x", 1, NULL, &t.err), &refusal);
    if (ok)
        sp_ctx_observe(ctx, "objects: a put into a bucket that is not there", "%s",
            refusal != NULL ? refusal : "makes the bucket");
    ok = ok &&
         answered(&t, "delete of an absent key", sp_blob_delete(t.s, t.bucket, "none", &t.err), &refusal);
    if (ok)
        sp_ctx_observe(ctx, "objects: a delete of a key that is not there", "%s",
            refusal != NULL ? refusal : "no error");
    if (ok && st_puts(&t, "a.html", "hello") &&
        st_ok(&t, "head", sp_blob_head(t.s, t.a, t.bucket, "a.html", &o, &t.err))) {
        size_t n = o.etag != NULL ? strspn(o.etag, "0123456789abcdef") : 0;
        bool whole = o.etag != NULL && o.etag[n] == '\0';
        sp_ctx_observe(ctx, "objects: the etag", "%s",
            o.etag == NULL || o.etag[0] == '\0'                                     ? "none"
            : strcmp(o.etag, "5d41402abc4b2a76b9719d911017c592") == 0               ? "MD5 of the content"
            : whole && strncmp(o.etag, "2cf24dba5fb0a30e26e83b2ac5b9e29e", 32) == 0 ? "SHA-256 of the content"
                                                                                    : "something else");
        sp_ctx_observe(ctx, "objects: the content type of a.html, where none is given", "%s",
            o.content_type != NULL ? o.content_type : "none");
        sp_ctx_observe(ctx, "objects: the time of the last put", "%s",
            o.modified.nsec == 0              ? "in seconds"
            : o.modified.nsec % 1000000u == 0 ? "in milliseconds"
                                              : "finer than milliseconds");
        (void)st_holds_text(&t, "a.html", "hello");
    }
    st_done(&t);
}
