/* object.c -- objects and the sorted list of them that is a bucket. */
#include "blob.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

struct mock_content *mock_content_new(const void *p, size_t n)
{
    struct mock_content *c = malloc(sizeof *c + n);
    if (c == NULL)
        return NULL;
    c->refs = 1;
    c->n = n;
    if (n > 0 && p != NULL)
        memcpy(c->p, p, n);
    return c;
}

void mock_content_drop(struct mock_content *c)
{
    if (c != NULL && --c->refs == 0)
        free(c);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sp_meta *)a)->name, ((const struct sp_meta *)b)->name);
}

struct mock_object *mock_object_new(
    const char *key, const char *content_type, const struct sp_meta *meta, size_t n)
{
    struct mock_object *o = calloc(1, sizeof *o);
    if (o == NULL)
        return NULL;
    o->key = strdup(key);
    o->content_type = strdup(content_type == NULL ? "application/octet-stream" : content_type);
    o->meta = calloc(n + 1, sizeof *o->meta);
    if (o->key == NULL || o->content_type == NULL || o->meta == NULL)
        goto nomem;
    for (; o->nmeta < n; o->nmeta++) {
        o->meta[o->nmeta] = (struct sp_meta){ strdup(meta[o->nmeta].name), strdup(meta[o->nmeta].value) };
        if (o->meta[o->nmeta].name == NULL || o->meta[o->nmeta].value == NULL) {
            o->nmeta++;
            goto nomem;
        }
    }
    qsort(o->meta, n, sizeof *o->meta, by_name);
    return o;
nomem:
    mock_object_free(o);
    return NULL;
}

void mock_object_free(struct mock_object *o)
{
    if (o == NULL)
        return;
    for (size_t i = 0; o->meta != NULL && i < o->nmeta; i++) {
        free((void *)(uintptr_t)o->meta[i].name);
        free((void *)(uintptr_t)o->meta[i].value);
    }
    mock_content_drop(o->content);
    free(o->meta);
    free(o->content_type);
    free(o->key);
    free(o);
}

int mock_object_fill(struct mock_object *o, struct mock_content *c, struct sp_error *err)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    o->content = c;
    o->modified = (struct sp_ts){ (int64_t)now.tv_sec, (uint32_t)now.tv_nsec };
    return mock_sha256_hex(o->etag, c->p, c->n, err);
}

int mock_object_give(
    struct sp_arena *a, const struct mock_object *o, struct sp_object *out, struct sp_error *err)
{
    if (out == NULL)
        return 0;
    struct sp_meta *meta = sp_arena_array(a, o->nmeta + 1, sizeof *meta);
    *out = (struct sp_object){ .key = sp_arena_str(a, o->key),
        .size = o->content->n,
        .content_type = sp_arena_str(a, o->content_type),
        .etag = sp_arena_str(a, o->etag),
        .meta = meta,
        .nmeta = o->nmeta,
        .modified = o->modified };
    bool oom = meta == NULL || out->key == NULL || out->content_type == NULL || out->etag == NULL;
    for (size_t i = 0; !oom && i < o->nmeta; i++) {
        meta[i].name = sp_arena_str(a, o->meta[i].name);
        meta[i].value = sp_arena_str(a, o->meta[i].value);
        oom = meta[i].name == NULL || meta[i].value == NULL;
    }
    return oom ? sp_nomem(err) : 0;
}

int mock_bucket_find(struct mock_session *s, const char *name, struct mock_bucket **out, struct sp_error *err)
{
    struct mock_bucket *b = s->store->buckets;
    while (b != NULL && strcmp(b->name, name) != 0)
        b = b->next;
    *out = b;
    return b == NULL ? mock_fail(err, SP_E_NOT_FOUND, "bucket \"%s\" does not exist", name) : 0;
}

/* Where the key is, or belongs. */
size_t mock_object_at(const struct mock_bucket *b, const char *key, bool *there)
{
    size_t lo = 0, hi = b->n;
    *there = false;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strcmp(b->v[mid]->key, key);
        if (c == 0) {
            *there = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int mock_object_find(struct mock_session *s, const char *bucket, const char *key, struct mock_bucket **b,
    struct mock_object **out, struct sp_error *err)
{
    bool there;
    int rc = mock_bucket_find(s, bucket, b, err);
    if (rc != 0)
        return rc;
    size_t at = mock_object_at(*b, key, &there);
    if (!there)
        return mock_fail(err, SP_E_NOT_FOUND, "bucket \"%s\" has no object \"%s\"", bucket, key);
    *out = (*b)->v[at];
    return 0;
}

int mock_object_put(struct mock_bucket *b, struct mock_object *o, struct sp_error *err)
{
    bool there;
    size_t at = mock_object_at(b, o->key, &there);
    if (there) {
        mock_object_free(b->v[at]);
        b->v[at] = o;
        return 0;
    }
    if (b->n == b->cap) {
        size_t cap = b->cap == 0 ? 16 : b->cap * 2;
        struct mock_object **v = realloc(b->v, cap * sizeof(*v));
        if (v == NULL) {
            mock_object_free(o);
            return sp_nomem(err);
        }
        b->v = v;
        b->cap = cap;
    }
    memmove(b->v + at + 1, b->v + at, (b->n - at) * sizeof(*b->v));
    b->v[at] = o;
    b->n++;
    return 0;
}

void mock_object_remove(struct mock_bucket *b, const char *key)
{
    bool there;
    size_t at = mock_object_at(b, key, &there);
    if (!there)
        return;
    mock_object_free(b->v[at]);
    b->n--;
    memmove(b->v + at, b->v + at + 1, (b->n - at) * sizeof(*b->v));
}

int mock_put_allowed(const struct mock_bucket *b, const char *key, bool if_none_match, const char *if_match,
    const char *sha256_hex, const struct mock_object *o, struct sp_error *err)
{
    bool there;
    size_t at = mock_object_at(b, key, &there);
    if (if_none_match && there)
        return mock_fail(err, SP_E_PRECONDITION, "object \"%s\" exists already", key);
    if (if_match != NULL && (!there || strcmp(b->v[at]->etag, if_match) != 0))
        return mock_fail(err, SP_E_PRECONDITION, "object \"%s\" is absent or has another etag", key);
    if (sha256_hex != NULL && strcasecmp(sha256_hex, o->etag) != 0)
        return mock_fail(err, SP_E_CORRUPT, "the content of \"%s\" does not fit its checksum", key);
    return 0;
}

int mock_key_check(const char *key, struct sp_error *err)
{
    if (strlen(key) > MOCK_KEY_BYTES)
        return mock_fail(
            err, SP_E_TOO_LARGE, "a key has at most %d bytes, not %zu", MOCK_KEY_BYTES, strlen(key));
    return 0;
}
