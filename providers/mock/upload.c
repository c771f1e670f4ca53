/* upload.c -- uploads in parts. They belong to the store, not to the session that began them. */
#include "blob.h"

#include <stdlib.h>
#include <string.h>

static void upload_free(struct mock_upload *u)
{
    for (size_t i = 0; i < u->nparts; i++)
        mock_content_drop(u->parts[i].content);
    mock_object_free(u->draft);
    free(u->parts);
    free(u->key);
    free(u->if_match);
    free(u->sha256_hex);
    free(u);
}

static void upload_end(struct mock_store *st, struct mock_upload *u)
{
    struct mock_upload **p = &st->uploads;
    while (*p != u)
        p = &(*p)->next;
    *p = u->next;
    upload_free(u);
}

void mock_uploads_forget(struct mock_store *st, const struct mock_bucket *b)
{
    for (struct mock_upload *u = st->uploads, *next; u != NULL; u = next) {
        next = u->next;
        if (u->bucket == b)
            upload_end(st, u);
    }
}

static int upload_find(struct mock_session *s, const char *id, struct mock_upload **out, struct sp_error *err)
{
    struct mock_upload *u = s->store->uploads;
    while (u != NULL && strcmp(u->id, id) != 0)
        u = u->next;
    *out = u;
    return u == NULL ? mock_fail(err, SP_E_NOT_FOUND, "no upload has the id \"%s\"", id) : 0;
}

static int upload_make(
    const char *key, const struct sp_put_opts *o, struct mock_upload **out, struct sp_error *err)
{
    struct mock_upload *u = calloc(1, sizeof *u);
    if (u == NULL)
        return sp_nomem(err);
    u->key = strdup(key);
    u->if_match = o->if_match == NULL ? NULL : strdup(o->if_match);
    u->sha256_hex = o->sha256_hex == NULL ? NULL : strdup(o->sha256_hex);
    u->if_none_match = o->if_none_match;
    u->draft = mock_object_new(key, o->content_type, o->meta, o->nmeta);
    bool oom = u->key == NULL || u->draft == NULL || (o->if_match != NULL && u->if_match == NULL) ||
               (o->sha256_hex != NULL && u->sha256_hex == NULL);
    int rc = oom ? sp_nomem(err) : mock_random_hex(u->id, 16, err);
    if (rc != 0) {
        upload_free(u);
        return rc;
    }
    *out = u;
    return 0;
}

int mock_upload_begin(struct sp_session *ss, struct sp_arena *a, const char *bucket, const char *key,
    const struct sp_put_opts *opts, const char **id, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_bucket *b;
    struct mock_upload *u = NULL;
    int rc = mock_key_check(key, err);
    if (rc != 0)
        return rc;
    mock_enter(s);
    rc = mock_bucket_find(s, bucket, &b, err);
    if (rc == 0)
        rc = upload_make(key, opts, &u, err);
    if (rc == 0) {
        *id = sp_arena_str(a, u->id);
        if (*id == NULL) {
            upload_free(u);
            rc = sp_nomem(err);
        } else {
            u->bucket = b;
            u->next = s->store->uploads;
            s->store->uploads = u;
        }
    }
    mock_leave(s);
    return rc;
}

/* Into its place by number; one that came before under the number goes. */
static int part_put(struct mock_upload *u, unsigned number, struct mock_content *c)
{
    size_t at = 0;
    while (at < u->nparts && u->parts[at].number < number)
        at++;
    if (at < u->nparts && u->parts[at].number == number) {
        mock_content_drop(u->parts[at].content);
        u->parts[at].content = c;
        return 0;
    }
    if (u->nparts == u->cap) {
        size_t cap = u->cap == 0 ? 8 : u->cap * 2;
        struct mock_part *p = realloc(u->parts, cap * sizeof *p);
        if (p == NULL)
            return -SP_E_NOMEM;
        u->parts = p;
        u->cap = cap;
    }
    memmove(u->parts + at + 1, u->parts + at, (u->nparts - at) * sizeof *u->parts);
    u->parts[at] = (struct mock_part){ number, c };
    u->nparts++;
    return 0;
}

int mock_upload_part(
    struct sp_session *ss, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_upload *u = NULL;
    if (part > MOCK_PARTS)
        return mock_fail(err, SP_E_INVALID, "an upload has at most %u parts", MOCK_PARTS);
    if (n > (size_t)MOCK_OBJECT_BYTES)
        return mock_fail(err, SP_E_TOO_LARGE, "the part is too large");
    struct mock_content *c = mock_content_new(p, n);
    if (c == NULL)
        return sp_nomem(err);
    mock_enter(s);
    int rc = upload_find(s, id, &u, err);
    if (rc == 0 && part_put(u, part, c) != 0)
        rc = sp_nomem(err);
    if (rc != 0)
        mock_content_drop(c);
    mock_leave(s);
    return rc;
}

static int assemble(const struct mock_upload *u, struct mock_content **out, struct sp_error *err)
{
    size_t n = 0;
    if (u->nparts == 0)
        return mock_fail(err, SP_E_INVALID, "the upload has no parts");
    for (size_t i = 0; i < u->nparts; i++) {
        if (u->parts[i].number != i + 1)
            return mock_fail(err, SP_E_INVALID, "part %zu of the upload is missing", i + 1);
        n += u->parts[i].content->n;
        if (n > (size_t)MOCK_OBJECT_BYTES)
            return mock_fail(err, SP_E_TOO_LARGE, "the parts make too large an object");
    }
    struct mock_content *c = mock_content_new(NULL, n);
    if (c == NULL)
        return sp_nomem(err);
    n = 0;
    for (size_t i = 0; i < u->nparts; i++) {
        memcpy(c->p + n, u->parts[i].content->p, u->parts[i].content->n);
        n += u->parts[i].content->n;
    }
    *out = c;
    return 0;
}

/* A refused completion leaves the upload as it was, so that it can be mended. */
static int complete(
    struct mock_session *s, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err)
{
    struct mock_upload *u = NULL;
    struct mock_content *c = NULL;
    int rc = upload_find(s, id, &u, err);
    if (rc == 0)
        rc = assemble(u, &c, err);
    if (rc != 0)
        return rc;
    const struct mock_object *d = u->draft;
    struct mock_object *o = mock_object_new(u->key, d->content_type, d->meta, d->nmeta);
    if (o == NULL) {
        mock_content_drop(c);
        return sp_nomem(err);
    }
    rc = mock_object_fill(o, c, err);
    if (rc == 0)
        rc = mock_put_allowed(u->bucket, u->key, u->if_none_match, u->if_match, u->sha256_hex, o, err);
    if (rc == 0)
        rc = mock_object_give(a, o, out, err);
    if (rc != 0) {
        mock_object_free(o);
        return rc;
    }
    rc = mock_object_put(u->bucket, o, err);
    if (rc == 0)
        upload_end(s->store, u);
    return rc;
}

int mock_upload_complete(
    struct sp_session *ss, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = complete(s, a, id, out, err);
    mock_leave(s);
    return rc;
}

int mock_upload_abort(struct sp_session *ss, const char *id, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_upload *u = NULL;
    mock_enter(s);
    int rc = upload_find(s, id, &u, err);
    if (rc == 0)
        upload_end(s->store, u);
    mock_leave(s);
    return rc;
}
