/* blob.c -- buckets, put, get, head, delete, copy, move. */
#include "blob.h"

#include <stdlib.h>
#include <string.h>

/* ---- buckets --------------------------------------------------------------------------------------------------- */

static int bucket_create(struct sp_session *ss, const char *name, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_bucket *b;
    int rc = 0;
    mock_enter(s);
    if (mock_bucket_find(s, name, &b, NULL) == 0) {
        rc = mock_fail(err, SP_E_EXISTS, "bucket \"%s\" exists already", name);
    } else {
        b = calloc(1, sizeof *b);
        if (b != NULL)
            b->name = strdup(name);
        if (b == NULL || b->name == NULL) {
            free(b);
            rc = sp_nomem(err);
        } else {
            b->next = s->store->buckets;
            s->store->buckets = b;
        }
    }
    mock_leave(s);
    return rc;
}

static int bucket_drop(struct sp_session *ss, const char *name, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_bucket *b;
    mock_enter(s);
    int rc = mock_bucket_find(s, name, &b, err);
    if (rc == 0) {
        struct mock_bucket **p = &s->store->buckets;
        while (*p != b)
            p = &(*p)->next;
        *p = b->next;
        mock_uploads_forget(s->store, b);
        for (size_t i = 0; i < b->n; i++)
            mock_object_free(b->v[i]);
        free(b->v);
        free(b->name);
        free(b);
    }
    mock_leave(s);
    return rc;
}

/* ---- put -------------------------------------------------------------------------------------------------------- */

/* The whole source, before anything is stored. */
static int drain(sp_source_fn source, void *payload, struct mock_content **out, struct sp_error *err)
{
    struct sp_buf buf = SP_BUF_INIT;
    int rc = 0;
    for (;;) {
        if (sp_buf_reserve(&buf, 65536) != 0) {
            rc = sp_nomem(err);
            break;
        }
        int64_t n = source(payload, buf.p + buf.n, 65536);
        if (n == 0)
            break;
        if (n < 0 || n > 65536) {
            rc = mock_fail(err, n < 0 ? SP_E_CANCELLED : SP_E_INTERNAL, "the source stopped the put");
            break;
        }
        buf.n += (size_t)n;
        if (buf.n > (size_t)MOCK_OBJECT_BYTES) {
            rc = mock_fail(
                err, SP_E_TOO_LARGE, "the object is larger than %lld bytes", (long long)MOCK_OBJECT_BYTES);
            break;
        }
    }
    if (rc == 0) {
        *out = mock_content_new(buf.p, buf.n);
        rc = *out == NULL ? sp_nomem(err) : 0;
    }
    sp_buf_free(&buf);
    return rc;
}

int mock_blob_put(struct sp_session *ss, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn source, void *payload, const struct sp_put_opts *opts, struct sp_object *out,
    struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_content *content;
    struct mock_bucket *b;
    int rc = mock_key_check(key, err);
    if (rc == 0)
        rc = drain(source, payload, &content, err);
    if (rc != 0)
        return rc;
    struct mock_object *o = mock_object_new(key, opts->content_type, opts->meta, opts->nmeta);
    if (o == NULL) {
        free(content);
        return sp_nomem(err);
    }
    rc = mock_object_fill(o, content, err);
    mock_enter(s);
    if (rc == 0)
        rc = mock_bucket_find(s, bucket, &b, err);
    if (rc == 0)
        rc = mock_put_allowed(b, key, opts->if_none_match, opts->if_match, opts->sha256_hex, o, err);
    if (rc == 0)
        rc = mock_object_give(a, o, out, err);
    if (rc == 0)
        rc = mock_object_put(b, o, err);
    else
        mock_object_free(o);
    mock_leave(s);
    return rc;
}

/* ---- get -------------------------------------------------------------------------------------------------------- */

int mock_blob_get(struct sp_session *ss, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_bucket *b;
    struct mock_object *o;
    struct mock_content *c = NULL;
    mock_enter(s);
    int rc = mock_object_find(s, bucket, key, &b, &o, err);
    if (rc == 0 && offset > 0 && offset >= o->content->n)
        rc = mock_fail(err, SP_E_RANGE, "object \"%s\" has %zu bytes; nothing begins at %llu", key,
            o->content->n, (unsigned long long)offset);
    if (rc == 0)
        rc = mock_object_give(a, o, out, err);
    if (rc == 0) {
        c = o->content;
        c->refs++;
    }
    mock_leave(s);
    if (rc != 0)
        return rc;
    uint64_t left = c->n - offset;
    left = length < left ? length : left;
    const char *p = c->p + offset;
    while (rc == 0 && left > 0) {
        size_t n = left < 65536 ? (size_t)left : 65536;
        rc = mock_tick(s, err);
        if (rc == 0 && sink(payload, p, n) != 0)
            rc = mock_fail(err, SP_E_CANCELLED, "the sink stopped the get");
        p += n;
        left -= n;
    }
    pthread_mutex_lock(&s->store->lock);
    mock_content_drop(c);
    pthread_mutex_unlock(&s->store->lock);
    return rc;
}

static int head(struct sp_session *ss, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_bucket *b;
    struct mock_object *o;
    mock_enter(s);
    int rc = mock_object_find(s, bucket, key, &b, &o, err);
    if (rc == 0)
        rc = mock_object_give(a, o, out, err);
    mock_leave(s);
    return rc;
}

/* ---- delete, copy, move ------------------------------------------------------------------------------------------ */

static int del(struct sp_session *ss, const char *bucket, const char *key, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_bucket *b;
    mock_enter(s);
    int rc = mock_bucket_find(s, bucket, &b, err);
    if (rc == 0)
        mock_object_remove(b, key);
    mock_leave(s);
    return rc;
}

static int copy_object(
    struct mock_bucket *b, const struct mock_object *from, const char *to, struct sp_error *err)
{
    struct mock_object *o = mock_object_new(to, from->content_type, from->meta, from->nmeta);
    if (o == NULL)
        return sp_nomem(err);
    from->content->refs++;
    int rc = mock_object_fill(o, from->content, err);
    if (rc != 0) {
        mock_object_free(o);
        return rc;
    }
    return mock_object_put(b, o, err);
}

static int copy_or_move(struct mock_session *s, const char *bucket, const char *from, const char *to,
    bool move, struct sp_error *err)
{
    struct mock_bucket *b;
    struct mock_object *o;
    int rc = mock_key_check(to, err);
    if (rc != 0)
        return rc;
    mock_enter(s);
    rc = mock_object_find(s, bucket, from, &b, &o, err);
    if (rc == 0 && strcmp(from, to) != 0) {
        rc = copy_object(b, o, to, err);
        if (rc == 0 && move)
            mock_object_remove(b, from);
    }
    mock_leave(s);
    return rc;
}

static int copy(
    struct sp_session *ss, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return copy_or_move(mock(ss), bucket, from, to, false, err);
}

static int move(
    struct sp_session *ss, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return copy_or_move(mock(ss), bucket, from, to, true, err);
}

const struct sp_blob_ops mock_blob_ops = {
    .bucket_create = bucket_create,
    .bucket_drop = bucket_drop,
    .bucket_list = mock_bucket_list,
    .put = mock_blob_put,
    .get = mock_blob_get,
    .head = head,
    .list = mock_blob_list,
    .del = del,
    .copy = copy,
    .move = move,
    .sign = mock_sign,
    .fetch_signed = mock_fetch_signed,
    .upload_begin = mock_upload_begin,
    .upload_part = mock_upload_part,
    .upload_complete = mock_upload_complete,
    .upload_abort = mock_upload_abort,
};
