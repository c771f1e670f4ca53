/* provider_call_blob.c -- checked calls of the storage facet. */
#include "provider_call.h"

#include <string.h>

#include "base/str.h"
#include "provider_check.h"

static const struct sp_blob_ops *blob(const struct sp_session *s)
{
    return sp_session_provider(s)->blob;
}

static int place_check(const char *bucket, const char *key, struct sp_error *err)
{
    int rc = sp_name_check(bucket, "the bucket's name", err);
    return rc != 0 ? rc : sp_name_check(key, "the object's key", err);
}

int sp_blob_bucket_create(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    SP_ENTER(s, blob, bucket_create, err);
    SP_CHECK(sp_name_check(bucket, "the bucket's name", err));
    SP_CHECK(sp_writable_check(s, "creating a bucket", err));
    return sp_answer(blob(s)->bucket_create(s, bucket, err), err);
}

int sp_blob_bucket_drop(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    SP_ENTER(s, blob, bucket_drop, err);
    SP_CHECK(sp_name_check(bucket, "the bucket's name", err));
    SP_CHECK(sp_writable_check(s, "dropping a bucket", err));
    return sp_answer(blob(s)->bucket_drop(s, bucket, err), err);
}

int sp_blob_bucket_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    SP_ENTER(s, blob, bucket_list, err);
    return sp_answer(blob(s)->bucket_list(s, prefix == NULL ? "" : prefix, out, err), err);
}

int sp_blob_put_stream(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn source, void *payload, const struct sp_put_opts *opts, struct sp_object *out,
    struct sp_error *err)
{
    static const struct sp_put_opts defaults = { .content_type = NULL };
    SP_ENTER(s, blob, put, err);
    SP_CHECK(place_check(bucket, key, err));
    SP_CHECK(sp_put_opts_check(opts, err));
    if (source == NULL || a == NULL)
        return sp_invalid(err, "a put needs a source and an arena");
    SP_CHECK(sp_writable_check(s, "storing an object", err));
    return sp_answer(
        blob(s)->put(s, a, bucket, key, source, payload, opts == NULL ? &defaults : opts, out, err), err);
}

int sp_blob_get_stream(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    SP_ENTER(s, blob, get, err);
    SP_CHECK(place_check(bucket, key, err));
    if (sink == NULL || a == NULL)
        return sp_invalid(err, "a get needs a sink and an arena");
    return sp_answer(blob(s)->get(s, a, bucket, key, offset, length, sink, payload, out, err), err);
}

struct memory {
    const char *p;
    size_t n;
};

static int64_t from_memory(void *payload, void *p, size_t n)
{
    struct memory *m = payload;
    size_t take = n < m->n ? n : m->n;
    if (take > 0)
        memcpy(p, m->p, take);
    m->p += take;
    m->n -= take;
    return (int64_t)take;
}

static int into_buf(void *payload, const void *p, size_t n)
{
    return sp_buf_put(payload, p, n);
}

int sp_blob_put(struct sp_session *s, const char *bucket, const char *key, const void *p, size_t n,
    const struct sp_put_opts *opts, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct memory m = { n == 0 ? "" : p, n };
    int rc = sp_blob_put_stream(s, &a, bucket, key, from_memory, &m, opts, NULL, err);
    sp_arena_free(&a);
    return rc;
}

int sp_blob_get_range(struct sp_session *s, const char *bucket, const char *key, uint64_t offset,
    uint64_t length, struct sp_buf *out, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    size_t before = out->n;
    int rc = sp_blob_get_stream(s, &a, bucket, key, offset, length, into_buf, out, NULL, err);
    if (rc == 0 && out->oom)
        rc = sp_nomem(err);
    if (rc != 0)
        out->n = before;
    sp_arena_free(&a);
    return rc;
}

int sp_blob_get(
    struct sp_session *s, const char *bucket, const char *key, struct sp_buf *out, struct sp_error *err)
{
    return sp_blob_get_range(s, bucket, key, 0, SP_TO_END, out, err);
}

int sp_blob_head(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err)
{
    SP_ENTER(s, blob, head, err);
    SP_CHECK(place_check(bucket, key, err));
    if (a == NULL || out == NULL)
        return sp_invalid(err, "head needs an arena and an object to fill");
    *out = (struct sp_object){ 0 };
    return sp_answer(blob(s)->head(s, a, bucket, key, out, err), err);
}

int sp_blob_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **objects, size_t *n,
    struct sp_error *err)
{
    *objects = NULL;
    *n = 0;
    SP_ENTER(s, blob, list, err);
    SP_CHECK(sp_name_check(bucket, "the bucket's name", err));
    if (a == NULL || cursor == NULL || limit == 0)
        return sp_invalid(err, "a listing needs an arena, a cursor and a limit of at least 1");
    if (delimiter != NULL && *delimiter == '\0')
        delimiter = NULL;
    SP_CHECK(sp_answer(
        blob(s)->list(s, a, bucket, prefix == NULL ? "" : prefix, delimiter, cursor, limit, objects, n, err),
        err));
    if (*n > limit || (*n > 0 && *objects == NULL))
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND,
            "the page holds %zu objects where at most %zu were asked for", *n, limit);
    return 0;
}

int sp_blob_delete(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    SP_ENTER(s, blob, del, err);
    SP_CHECK(place_check(bucket, key, err));
    SP_CHECK(sp_writable_check(s, "deleting an object", err));
    return sp_answer(blob(s)->del(s, bucket, key, err), err);
}

int sp_blob_copy(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    SP_ENTER(s, blob, copy, err);
    SP_CHECK(place_check(bucket, from, err));
    SP_CHECK(sp_name_check(to, "the new key", err));
    SP_CHECK(sp_writable_check(s, "copying an object", err));
    return sp_answer(blob(s)->copy(s, bucket, from, to, err), err);
}

int sp_blob_move(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    SP_ENTER(s, blob, move, err);
    SP_CHECK(place_check(bucket, from, err));
    SP_CHECK(sp_name_check(to, "the new key", err));
    SP_CHECK(sp_writable_check(s, "moving an object", err));
    return sp_answer(blob(s)->move(s, bucket, from, to, err), err);
}

int sp_blob_sign(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const char *method, int64_t seconds, const char **url, struct sp_error *err)
{
    *url = NULL;
    SP_ENTER(s, blob, sign, err);
    SP_CHECK(place_check(bucket, key, err));
    if (!sp_streq(method, "GET") && !sp_streq(method, "PUT"))
        return sp_invalid(err, "a signed URL is for GET or PUT, not for %s", method == NULL ? "" : method);
    if (seconds <= 0 || a == NULL)
        return sp_invalid(err, "a signed URL needs an arena and at least one second of life");
    if (sp_streq(method, "PUT"))
        SP_CHECK(sp_writable_check(s, "signing a URL for PUT", err));
    SP_CHECK(sp_answer(blob(s)->sign(s, a, bucket, key, method, seconds, url, err), err));
    if (*url == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the backend gave no URL");
    return 0;
}

int sp_blob_fetch_signed(
    struct sp_session *s, const char *url, int64_t now_offset_s, struct sp_buf *out, struct sp_error *err)
{
    SP_ENTER(s, blob, fetch_signed, err);
    SP_CHECK(sp_name_check(url, "the signed URL", err));
    size_t before = out->n;
    int rc =
        sp_answer(blob(s)->fetch_signed(s, url, "GET", now_offset_s, NULL, NULL, into_buf, out, err), err);
    if (rc == 0 && out->oom)
        rc = sp_nomem(err);
    if (rc != 0)
        out->n = before;
    return rc;
}

int sp_blob_put_signed(struct sp_session *s, const char *url, int64_t now_offset_s, const void *p, size_t n,
    struct sp_error *err)
{
    SP_ENTER(s, blob, fetch_signed, err);
    SP_CHECK(sp_name_check(url, "the signed URL", err));
    SP_CHECK(sp_writable_check(s, "storing an object", err));
    struct memory m = { n == 0 ? "" : p, n };
    return sp_answer(
        blob(s)->fetch_signed(s, url, "PUT", now_offset_s, from_memory, &m, NULL, NULL, err), err);
}

int sp_blob_upload_begin(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const struct sp_put_opts *opts, const char **id, struct sp_error *err)
{
    static const struct sp_put_opts defaults = { .content_type = NULL };
    *id = NULL;
    SP_ENTER(s, blob, upload_begin, err);
    SP_CHECK(place_check(bucket, key, err));
    SP_CHECK(sp_put_opts_check(opts, err));
    if (a == NULL)
        return sp_invalid(err, "an upload needs an arena for its id");
    SP_CHECK(sp_writable_check(s, "an upload", err));
    SP_CHECK(
        sp_answer(blob(s)->upload_begin(s, a, bucket, key, opts == NULL ? &defaults : opts, id, err), err));
    if (*id == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the backend gave no upload id");
    return 0;
}

int sp_blob_upload_part(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    SP_ENTER(s, blob, upload_part, err);
    SP_CHECK(sp_name_check(id, "the upload's id", err));
    if (part == 0 || (n > 0 && p == NULL))
        return sp_invalid(err, "parts are numbered from 1 and carry their bytes");
    SP_CHECK(sp_writable_check(s, "an upload", err));
    return sp_answer(blob(s)->upload_part(s, id, part, p, n, err), err);
}

int sp_blob_upload_complete(
    struct sp_session *s, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err)
{
    SP_ENTER(s, blob, upload_complete, err);
    SP_CHECK(sp_name_check(id, "the upload's id", err));
    if (a == NULL)
        return sp_invalid(err, "completing an upload needs an arena");
    SP_CHECK(sp_writable_check(s, "an upload", err));
    return sp_answer(blob(s)->upload_complete(s, a, id, out, err), err);
}

int sp_blob_upload_abort(struct sp_session *s, const char *id, struct sp_error *err)
{
    SP_ENTER(s, blob, upload_abort, err);
    SP_CHECK(sp_name_check(id, "the upload's id", err));
    SP_CHECK(sp_writable_check(s, "an upload", err));
    return sp_answer(blob(s)->upload_abort(s, id, err), err);
}
