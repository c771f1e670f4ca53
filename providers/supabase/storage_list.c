/* storage_list.c -- buckets, and the keys of a bucket in pages. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "model/calendar.h"
#include "providers/supabase/internal.h"

/* ---- buckets ------------------------------------------------------------------------------------------------------ */

int su_bucket_known(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    json_t *answer = NULL;
    char *path = su_object_path("/bucket/", bucket, NULL);
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = "GET", .target = path, .again = true
    };
    int rc = path == NULL ? sp_nomem(err) : su_json(s, &c, &answer, err);
    json_decref(answer);
    free(path);
    return rc;
}

int su_bucket_create(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    int rc = su_bucket_check(bucket, err);
    if (rc != 0)
        return rc;
    json_t *body = json_pack("{s:s, s:s, s:b}", "id", bucket, "name", bucket, "public", 0);
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = "POST", .target = "/bucket", .body = body
    };
    rc = body == NULL ? sp_invalid(err, "the bucket's name is not valid UTF-8") : su_json(s, &c, NULL, err);
    json_decref(body);
    return rc;
}

/* Gone when it is asked once more, because the answer was lost: then the first copy did it. */
int su_bucket_discard(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    char *path = su_object_path("/bucket/", bucket, NULL);
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = "DELETE", .target = path, .again = true
    };
    int rc = path == NULL ? sp_nomem(err) : su_send(s, &c, &q, &r, err);
    if (rc == 0)
        rc = su_answer(s, &c, &q, &r, NULL, err);
    if (rc == -SP_E_NOT_FOUND && r.copies > 1) {
        sp_error_clear(err);
        rc = 0;
    }
    sp_http_response_free(&r);
    free(path);
    return rc;
}

/* Storage does it some time later; so only where nothing can be listed. */
static int empty_bucket(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    char *path = su_object_path("/bucket/", bucket, "empty");
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = "POST", .target = path, .again = true
    };
    int rc = path == NULL ? sp_nomem(err) : su_json(s, &c, NULL, err);
    free(path);
    return rc;
}

/* The service drops empty buckets only. */
int su_bucket_drop(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    bool listed = su_lacks(s, SP_CAP_LIST, NULL) == 0;
    int rc = su_bucket_check(bucket, err);
    if (rc == 0)
        rc = su_bucket_known(s, bucket, err);
    if (rc == 0 && !listed)
        rc = empty_bucket(s, bucket, err);
    for (size_t n = 1; rc == 0 && listed && n > 0;) {
        struct sp_object *objects = NULL;
        const char *cursor = NULL;
        sp_arena_reset(&a);
        rc = su_list(s, &a, bucket, "", NULL, &cursor, SU_PAGE, &objects, &n, err);
        const char **keys = sp_arena_array(&a, n + 1, sizeof *keys);
        if (rc == 0 && keys == NULL)
            rc = sp_nomem(err);
        for (size_t i = 0; i < n && rc == 0; i++)
            keys[i] = objects[i].key;
        if (rc == 0 && n > 0)
            rc = su_remove(s, bucket, keys, n, err);
    }
    if (rc == 0)
        rc = su_bucket_discard(s, bucket, err);
    sp_arena_free(&a);
    return rc;
}

static int add_buckets(const json_t *page, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    const json_t *v;
    size_t i;
    json_array_foreach(page, i, v)
    {
        const char *name = su_text(v, "name");
        if (name == NULL)
            return su_no_json(SU_STORAGE, err);
        bool known = false; /* buckets that are made meanwhile move the others from page to page */
        for (size_t k = 0; k < out->n && !known; k++)
            known = strcmp(out->v[k], name) == 0;
        if (!known && sp_str_prefix(name, prefix) && sp_names_add(out, name) != 0)
            return sp_nomem(err);
    }
    return 0;
}

static int text_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A page may be shorter than was asked for: only an empty one is the end. Servers without pages give all of them each time. */
int su_bucket_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    json_t *before = NULL;
    bool more = true;
    int rc = 0;
    for (size_t offset = 0; rc == 0 && more;) {
        char target[96];
        json_t *page = NULL;
        struct su_call c = {
            .service = SU_STORAGE, .role = SU_ADMIN, .method = "GET", .target = target, .again = true
        };
        (void)snprintf(target, sizeof target, "/bucket?limit=%d&offset=%zu&sortColumn=name&sortOrder=asc",
            SU_PAGE, offset);
        rc = su_json(s, &c, &page, err);
        if (rc == 0)
            rc = json_is_array(page) ? add_buckets(page, prefix, out, err) : su_no_json(SU_STORAGE, err);
        offset += json_array_size(page);
        more = json_array_size(page) > 0 && !json_equal(page, before);
        json_decref(before);
        before = page;
    }
    json_decref(before);
    if (rc == 0 && out->n > 1)
        qsort(out->v, out->n, sizeof *out->v, text_order);
    return rc;
}

/* ---- keys --------------------------------------------------------------------------------------------------------- */

/* An object of a listing; of a folder only the key. */
static int take_entry(
    const json_t *v, bool folder, struct sp_arena *a, struct sp_object *o, struct sp_error *err)
{
    const json_t *meta = json_object_get(v, "metadata"), *size = json_object_get(meta, "size");
    const char *name = su_text(v, "name"), *modified = su_text(v, "updated_at"),
               *etag = su_text(meta, "eTag");
    bool zoned = false;
    *o = (struct sp_object){ .key = sp_arena_str(a, name == NULL ? "" : name), .is_prefix = folder };
    if (name == NULL)
        return su_no_json(SU_STORAGE, err);
    if (o->key == NULL)
        return sp_nomem(err);
    if (folder)
        return 0;
    if (!json_is_integer(size) || json_integer_value(size) < 0 || modified == NULL ||
        sp_ts_parse(modified, strlen(modified), &o->modified, &zoned) != 0)
        return su_no_json(SU_STORAGE, err);
    o->size = (uint64_t)json_integer_value(size);
    o->etag = su_plain_etag(a, etag);
    int rc = su_keep(a, meta, "mimetype", &o->content_type, err);
    return rc == 0 && o->etag == NULL ? sp_nomem(err) : rc;
}

static int take_entries(const json_t *list, bool folder, struct sp_arena *a, struct sp_object *o, size_t room,
    size_t *n, struct sp_error *err)
{
    const json_t *v;
    size_t i;
    json_array_foreach(list, i, v)
    {
        if (*n == room) /* more than was asked for: what would be left out is not known to come again */
            return su_no_json(SU_STORAGE, err);
        int rc = take_entry(v, folder, a, &o[*n], err);
        if (rc != 0)
            return rc;
        ++*n;
    }
    return 0;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct sp_object *)a)->key, ((const struct sp_object *)b)->key);
}

static int ask_page(struct sp_session *s, const char *bucket, const char *prefix, bool folders,
    const char *cursor, size_t limit, json_t **out, struct sp_error *err)
{
    json_t *body = json_pack("{s:s, s:i, s:b, s:{s:s, s:s}}", "prefix", prefix, "limit", (int)limit,
        "with_delimiter", folders, "sortBy", "column", "name", "order", "asc");
    char *path = su_object_path("/object/list-v2/", bucket, NULL);
    struct su_call c = {
        .service = SU_STORAGE, .role = SU_ADMIN, .method = "POST", .target = path, .body = body, .again = true
    };
    int rc = body == NULL   ? sp_invalid(err, "the prefix is not valid UTF-8")
             : path == NULL ? sp_nomem(err)
                            : 0;
    if (rc == 0 && cursor != NULL && json_object_set_new(body, "cursor", json_string(cursor)) != 0)
        rc = sp_nomem(err);
    if (rc == 0)
        rc = su_json(s, &c, out, err);
    if (rc == 0 && (!json_is_array(json_object_get(*out, "objects")) ||
                       !json_is_boolean(json_object_get(*out, "hasNext"))))
        rc = su_no_json(SU_STORAGE, err);
    json_decref(body);
    free(path);
    return rc;
}

/* The server's cursor stands for ours: it goes back as it came. */
int su_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err)
{
    json_t *page = NULL;
    int rc = su_bucket_check(bucket, err);
    *out = NULL;
    *n = 0;
    if (rc == 0)
        rc = su_lacks(s, SP_CAP_LIST, err);
    if (rc == 0 && limit == 0)
        rc = sp_invalid(err, "a page holds at least one entry");
    if (rc == 0 && delimiter != NULL && strcmp(delimiter, "/") != 0)
        rc = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "Supabase Storage knows no delimiter but /");
    size_t room = limit < SU_PAGE ? limit : SU_PAGE;
    struct sp_object *o = rc == 0 ? sp_arena_array(a, room + 1, sizeof *o) : NULL;
    if (rc == 0 && o == NULL)
        rc = sp_nomem(err);
    if (rc == 0)
        rc = ask_page(s, bucket, prefix, delimiter != NULL, *cursor, room, &page, err);
    if (rc == 0)
        rc = take_entries(json_object_get(page, "objects"), false, a, o, room, n, err);
    if (rc == 0 && delimiter != NULL)
        rc = take_entries(json_object_get(page, "folders"), true, a, o, room, n, err);
    if (rc == 0 && *n == 0 && *cursor == NULL)
        rc = su_bucket_known(s, bucket, err);
    if (rc == 0) {
        const char *next = su_text(page, "nextCursor");
        bool more = json_is_true(json_object_get(page, "hasNext"));
        if (*n > 1)
            qsort(o, *n, sizeof *o, by_key);
        if (more && (next == NULL || *n == 0))
            rc = su_no_json(SU_STORAGE, err);
        *out = o;
        *cursor = more && rc == 0 ? sp_arena_str(a, next) : NULL;
        if (more && rc == 0 && *cursor == NULL)
            rc = sp_nomem(err);
    }
    json_decref(page);
    return rc;
}
