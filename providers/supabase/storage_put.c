/* storage_put.c -- putting an object: from memory in one request, or as a stream. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/supabase/internal.h"

#define HELD ((size_t)1 << 20) /* objects up to this size are sent from memory, with their length */

/* What was read ahead, then the rest of the caller's stream. */
struct stream {
    char *held;
    size_t n, at;
    sp_source_fn source;
    void *payload;
};

static int64_t read_stream(void *payload, void *p, size_t n)
{
    struct stream *x = payload;
    if (x->at == x->n)
        return x->source(x->payload, p, n);
    size_t take = n < x->n - x->at ? n : x->n - x->at;
    memcpy(p, x->held + x->at, take);
    x->at += take;
    return (int64_t)take;
}

int su_base64(const char *text, char **out, struct sp_error *err)
{
    size_t n = strlen(text);
    *out = n > INT_MAX / 2 ? NULL : malloc((n + 2) / 3 * 4 + 1);
    if (*out == NULL)
        return sp_nomem(err);
    (void)EVP_EncodeBlock((unsigned char *)*out, (const unsigned char *)text, (int)n);
    return 0;
}

/* Metadata travels as base64 of a JSON object. */
static int meta_header(const struct sp_put_opts *o, char **out, struct sp_error *err)
{
    char *text = NULL;
    *out = NULL;
    if (o == NULL || o->nmeta == 0)
        return 0;
    int rc = sp_object_meta_text(o, &text, err);
    if (rc == 0)
        rc = su_base64(text, out, err);
    free(text);
    return rc;
}

int su_put_check(const struct sp_session *s, const char *bucket, const char *key, const struct sp_put_opts *o,
    struct sp_error *err)
{
    if (o != NULL && o->if_none_match)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "Supabase Storage stores more than one of several puts that ask for a free key at one moment");
    if (o != NULL && o->if_match != NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "Supabase Storage has no put-if-unchanged");
    if (o != NULL && o->sha256_hex != NULL)
        return sp_fail(
            err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "Supabase Storage checks no checksum of a put");
    int rc = su_object_check(bucket, key, err);
    if (rc == 0 && o != NULL && o->nmeta != 0)
        rc = su_lacks(s, SP_CAP_METADATA, err);
    return rc == 0 && o != NULL && o->content_type != NULL ? su_lacks(s, SP_CAP_CONTENT_TYPE, err) : rc;
}

int su_put(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key, sp_source_fn source,
    void *payload, const struct sp_put_opts *o, struct sp_object *out, struct sp_error *err)
{
    struct stream x = { .source = source, .payload = payload };
    struct sp_http_request q = { .method = NULL };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct sp_http_header headers[4];
    char *path = NULL, *meta = NULL;
    int rc = su_put_check(s, bucket, key, o, err);
    if (rc == 0)
        rc = meta_header(o, &meta, err);
    if (rc != 0)
        return rc;
    x.held = malloc(HELD);
    path = su_object_path("/object/", bucket, key);
    rc = x.held == NULL || path == NULL ? sp_nomem(err)
                                        : sp_object_fill(source, payload, x.held, HELD, &x.n, err);
    struct su_call c = { .service = SU_STORAGE,
        .role = SU_ADMIN,
        .method = "POST",
        .target = path,
        .headers = headers,
        .again = true };
    headers[c.nheaders++] = (struct sp_http_header){ "Content-Type",
        o != NULL && o->content_type != NULL ? o->content_type : SP_OBJECT_TYPE };
    headers[c.nheaders++] = (struct sp_http_header){ "x-upsert", "true" };
    if (meta != NULL)
        headers[c.nheaders++] = (struct sp_http_header){ "x-metadata", meta };
    if (x.n < HELD) {
        q.body = x.held;
        q.nbody = x.n;
    } else {
        q.source = read_stream;
        q.source_payload = &x;
        q.source_size = -1;
    }
    if (rc == 0)
        rc = su_send(s, &c, &q, &r, err);
    if (rc == 0)
        rc = su_answer(s, &c, &q, &r, NULL, err);
    if (rc == 0 && out != NULL)
        rc = su_head(s, a, bucket, key, out, err);
    sp_http_response_free(&r);
    free(x.held);
    free(path);
    free(meta);
    return rc;
}

struct bytes {
    const char *p;
    size_t n;
};

static int64_t read_bytes(void *payload, void *p, size_t n)
{
    struct bytes *b = payload;
    size_t take = n < b->n ? n : b->n;
    memcpy(p, b->p, take);
    b->p += take;
    b->n -= take;
    return (int64_t)take;
}

int su_put_bytes(struct sp_session *s, const char *bucket, const char *key, const void *p, size_t n,
    const struct sp_put_opts *o, struct sp_error *err)
{
    struct bytes b = { p, n };
    return su_put(s, NULL, bucket, key, read_bytes, &b, o, NULL, err);
}
