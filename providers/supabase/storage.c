/* storage.c -- objects in Supabase Storage: get, head, delete, copy, move.
 *
 * The service keeps an MD5 as etag where it has one, and checks no checksum of ours: both are said by the capabilities. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/calendar.h"
#include "providers/supabase/internal.h"

/* ---- names -------------------------------------------------------------------------------------------------------- */

/* What a path may hold as it is stays so: where the service signs a path, it decodes nothing that is reserved. */
static void put_name(struct sp_buf *b, const char *name)
{
    for (const char *p = name; *p != '\0'; p++)
        if (strchr("/!$&'()*+,;=:@", *p) != NULL)
            sp_buf_putc(b, *p);
        else
            sp_http_encode(b, p, 1);
}

char *su_object_path(const char *prefix, const char *bucket, const char *key)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, prefix);
    put_name(&b, bucket);
    if (key != NULL) {
        sp_buf_putc(&b, '/');
        put_name(&b, key);
    }
    return sp_buf_steal(&b);
}

int su_bucket_check(const char *bucket, struct sp_error *err)
{
    if (bucket[0] == '\0' || strchr(bucket, '/') != NULL || strlen(bucket) > 100)
        return sp_invalid(err, "a bucket's name has 1 to 100 characters and no slash");
    return 0;
}

int su_object_check(const char *bucket, const char *key, struct sp_error *err)
{
    int rc = su_bucket_check(bucket, err);
    return rc != 0 ? rc : sp_object_key_check(key, SU_KEY_BYTES, err);
}

static int object_json(struct sp_session *s, const char *method, const char *prefix, const char *bucket,
    const char *key, json_t **out, struct sp_error *err)
{
    char *path = su_object_path(prefix, bucket, key);
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = method, .target = path, .again = true
    };
    int rc = path == NULL ? sp_nomem(err) : su_json(s, &c, out, err);
    free(path);
    return rc;
}

/* ---- head --------------------------------------------------------------------------------------------------------- */

const char *su_plain_etag(struct sp_arena *a, const char *etag)
{
    size_t n = etag == NULL ? 0 : strlen(etag);
    if (n >= 2 && etag[0] == '"' && etag[n - 1] == '"')
        return sp_arena_strn(a, etag + 1, n - 2);
    return sp_arena_str(a, etag == NULL ? "" : etag);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sp_meta *)a)->name, ((const struct sp_meta *)b)->name);
}

static int take_meta(const json_t *meta, struct sp_arena *a, struct sp_object *o, struct sp_error *err)
{
    size_t n = json_object_size(meta), k = 0;
    struct sp_meta *m = sp_arena_array(a, n + 1, sizeof *m);
    const char *name;
    json_t *value;
    if (m == NULL)
        return sp_nomem(err);
    json_object_foreach((json_t *)meta, name, value)
    {
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
        m[k].name = sp_arena_str(a, name);
        m[k].value = sp_arena_str(a, text != NULL ? text : json_string_value(value));
        free(text);
        if (m[k].name == NULL || m[k].value == NULL)
            return sp_nomem(err);
        k++;
    }
    if (k > 1)
        qsort(m, k, sizeof *m, by_name);
    o->meta = m;
    o->nmeta = k;
    return 0;
}

/* An object as /object/info tells of it. */
static int take_info(
    const json_t *v, struct sp_arena *a, const char *key, struct sp_object *o, struct sp_error *err)
{
    const json_t *size = json_object_get(v, "size");
    const char *modified = su_text(v, "last_modified");
    bool zoned = false;
    *o = (struct sp_object){ .key = sp_arena_str(a, key) };
    if (!json_is_integer(size) || json_integer_value(size) < 0 || modified == NULL ||
        sp_ts_parse(modified, strlen(modified), &o->modified, &zoned) != 0 || !zoned)
        return su_no_json(SU_STORAGE, err);
    o->size = (uint64_t)json_integer_value(size);
    o->etag = su_plain_etag(a, su_text(v, "etag"));
    int rc = su_keep(a, v, "content_type", &o->content_type, err);
    if (rc == 0 && (o->key == NULL || o->etag == NULL))
        rc = sp_nomem(err);
    return rc != 0 ? rc : take_meta(json_object_get(v, "metadata"), a, o, err);
}

/* Where the description of an object holds little more than its name: the rest is in the headers. */
static int head_bare(struct sp_session *s, const json_t *info, struct sp_arena *a, const char *bucket,
    const char *key, struct sp_object *o, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    char *path = su_object_path("/object/", bucket, key);
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = "HEAD", .target = path, .again = true
    };
    int rc = path == NULL ? sp_nomem(err) : su_send(s, &c, &q, &r, err);
    if (rc == 0)
        rc = su_answer(s, &c, &q, &r, NULL, err);
    const char *size = rc == 0 ? sp_http_header(&r, "content-length") : NULL,
               *etag = rc == 0 ? sp_http_header(&r, "etag") : NULL, *modified = su_text(info, "updated_at"),
               *type = rc == 0 ? sp_http_header(&r, "content-type") : NULL;
    bool zoned = false;
    *o = (struct sp_object){ .key = sp_arena_str(a, key),
        .etag = su_plain_etag(a, etag),
        .content_type = sp_arena_str(a, type == NULL ? "" : type) };
    if (rc == 0 && (size == NULL || etag == NULL || !sp_parse_u64(size, &o->size) || modified == NULL ||
                       sp_ts_parse(modified, strlen(modified), &o->modified, &zoned) != 0))
        rc = su_no_json(SU_STORAGE, err);
    if (rc == 0 && (o->key == NULL || o->etag == NULL || o->content_type == NULL))
        rc = sp_nomem(err);
    sp_http_response_free(&r);
    free(path);
    return rc;
}

int su_head(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err)
{
    json_t *info = NULL;
    struct sp_object o;
    int rc = su_object_check(bucket, key, err);
    if (rc == 0)
        rc = object_json(s, "GET", "/object/info/", bucket, key, &info, err);
    if (rc == 0)
        rc = s->bare_info ? head_bare(s, info, a, bucket, key, &o, err) : take_info(info, a, key, &o, err);
    if (rc == 0 && out != NULL)
        *out = o;
    json_decref(info);
    return rc;
}

/* ---- get ---------------------------------------------------------------------------------------------------------- */

/* The bytes that were asked for. A server that gives another part, or everything, has not answered the question. */
struct window {
    const struct sp_http_response *r;
    const char *range; /* how Content-Range must begin; NULL = the whole object was asked for */
    uint64_t left;
    bool begun, other, longer; /* another part than was asked for; more than that */
    sp_sink_fn sink;
    void *payload;
};

static int take_piece(void *payload, const void *p, size_t n)
{
    struct window *w = payload;
    if (!w->begun && w->range != NULL)
        w->other = w->r->status != 206; /* the headers can be read at the end only */
    w->begun = true;
    size_t take = w->left < n ? (size_t)w->left : n;
    w->left -= take;
    w->longer = w->longer || take < n;
    return w->other ? 1 : take == 0 ? 0 : w->sink(w->payload, p, take);
}

static int range_error(const char *key, uint64_t size, uint64_t offset, struct sp_error *err)
{
    return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND,
        "object %s has %llu bytes; nothing begins at byte %llu", key, (unsigned long long)size,
        (unsigned long long)offset);
}

static int fetch(struct sp_session *s, const struct sp_object *o, const char *path, uint64_t offset,
    uint64_t length, struct window *w, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL, .sink = take_piece, .sink_payload = w };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    char range[64], said[64];
    struct sp_http_header headers[1] = { { "Range", range } };
    struct su_call c = { .service = SU_STORAGE,
        .role = SU_ADMIN,
        .method = "GET",
        .target = path,
        .headers = headers,
        .nheaders = offset == 0 && length >= o->size ? 0 : 1,
        .again = true };
    (void)snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)offset,
        (unsigned long long)(offset + length - 1));
    (void)snprintf(said, sizeof said, "bytes %llu-%llu/", (unsigned long long)offset,
        (unsigned long long)(offset + length - 1));
    w->r = &r;
    w->range = c.nheaders == 0 ? NULL : said;
    int rc = su_send(s, &c, &q, &r, err);
    if (rc == 0 && w->range != NULL && r.status == 206) {
        const char *given = sp_http_header(&r, "content-range");
        w->other = given == NULL || !sp_str_prefix(given, w->range);
    }
    if (w->other)
        rc = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, SU_NO_RANGE);
    if (rc == 0)
        rc = su_answer(s, &c, &q, &r, NULL, err);
    const char *etag = rc == 0 ? sp_http_header(&r, "etag") : NULL;
    size_t n = strlen(o->etag);
    if (rc == 0 && (w->left != 0 || w->longer || (etag != NULL && n != 0 && strstr(etag, o->etag) == NULL)))
        rc = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "object %s was replaced while it was read; what was read is not to be used", o->key);
    sp_http_response_free(&r);
    return rc;
}

static int get(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key, uint64_t offset,
    uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out, struct sp_error *err)
{
    struct sp_object o;
    struct sp_arena own = SP_ARENA_INIT;
    int rc = offset != 0 || length != SP_TO_END ? su_lacks(s, SP_CAP_RANGE, err) : 0;
    if (rc == 0)
        rc = su_head(s, out != NULL ? a : &own, bucket, key, &o, err);
    if (rc == 0 && offset >= o.size && !(offset == 0 && o.size == 0))
        rc = range_error(key, o.size, offset, err);
    if (rc == 0 && o.size != 0 && length != 0) {
        uint64_t take = length < o.size - offset ? length : o.size - offset;
        struct window w = { .left = take, .sink = sink, .payload = payload };
        char *path = su_object_path("/object/", bucket, key);
        rc = path == NULL ? sp_nomem(err) : fetch(s, &o, path, offset, take, &w, err);
        free(path);
    }
    if (rc == 0 && out != NULL)
        *out = o;
    sp_arena_free(&own);
    return rc;
}

/* ---- delete, copy, move ---------------------------------------------------------------------------------------------- */

int su_remove(
    struct sp_session *s, const char *bucket, const char *const *keys, size_t n, struct sp_error *err)
{
    json_t *list = json_array(), *answer = NULL, *body = NULL;
    char *path = su_object_path("/object/", bucket, NULL);
    int rc = list == NULL || path == NULL ? sp_nomem(err) : 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        if (json_array_append_new(list, json_string(keys[i])) != 0)
            rc = sp_invalid(err, "a key is not valid UTF-8");
    if (rc == 0 && (body = json_pack("{s:O}", "prefixes", list)) == NULL)
        rc = sp_nomem(err);
    struct su_call c = { .service = SU_STORAGE,
        .role = SU_ADMIN,
        .method = "DELETE",
        .target = path,
        .body = body,
        .again = true };
    if (rc == 0)
        rc = su_json(s, &c, &answer, err);
    /* Nothing removed: nothing was there, or not even the bucket. */
    if (rc == 0 && json_array_size(answer) == 0)
        rc = su_bucket_known(s, bucket, err);
    json_decref(answer);
    json_decref(body);
    json_decref(list);
    free(path);
    return rc;
}

static int del(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    int rc = su_object_check(bucket, key, err);
    return rc != 0 ? rc : su_remove(s, bucket, &key, 1, err);
}

static int transfer(struct sp_session *s, const char *target, const char *bucket, const char *from,
    const char *to, struct sp_error *err)
{
    struct sp_http_header upsert[1] = { { "x-upsert", "true" } };
    json_t *body = json_pack("{s:s, s:s, s:s}", "bucketId", bucket, "sourceKey", from, "destinationKey", to);
    struct su_call c = { .service = SU_STORAGE,
        .role = SU_ADMIN,
        .method = "POST",
        .target = target,
        .body = body,
        .headers = upsert,
        .nheaders = 1,
        .again = strcmp(target, "/object/copy") == 0 };
    int rc = body == NULL ? sp_invalid(err, "a key is not valid UTF-8") : su_json(s, &c, NULL, err);
    json_decref(body);
    return rc;
}

static int both_check(const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    int rc = su_object_check(bucket, from, err);
    return rc != 0 ? rc : su_object_check(bucket, to, err);
}

static int copy(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    int rc = both_check(bucket, from, to, err);
    if (rc == 0) /* onto itself: it has to be there, and that is all */
        rc = strcmp(from, to) == 0 ? su_head(s, &a, bucket, from, NULL, err)
                                   : transfer(s, "/object/copy", bucket, from, to, err);
    sp_arena_free(&a);
    return rc;
}

/* The service moves only where nothing is. Over an object: copied onto it in one step, then the old name is removed, so
 * that there is no moment without the object. */
static int move(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    if (strcmp(from, to) == 0)
        return copy(s, bucket, from, to, err);
    int rc = both_check(bucket, from, to, err);
    if (rc == 0)
        rc = transfer(s, "/object/move", bucket, from, to, err);
    if (rc != -SP_E_EXISTS)
        return rc;
    sp_error_clear(err);
    rc = transfer(s, "/object/copy", bucket, from, to, err);
    return rc != 0 ? rc : del(s, bucket, from, err);
}

const struct sp_blob_ops su_blob_ops = {
    .bucket_create = su_bucket_create,
    .bucket_drop = su_bucket_drop,
    .bucket_list = su_bucket_list,
    .put = su_put,
    .get = get,
    .head = su_head,
    .list = su_list,
    .del = del,
    .copy = copy,
    .move = move,
    .sign = su_sign,
    .fetch_signed = su_fetch_signed,
    .upload_begin = su_upload_begin,
    .upload_part = su_upload_part,
    .upload_complete = su_upload_complete,
    .upload_abort = su_upload_abort,
};
