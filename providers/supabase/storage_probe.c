/* storage_probe.c -- what a service that speaks Storage's interface, and says no version, can do: tried on a bucket of its own.
 *
 * Storage itself says its version, and is not tried. The trial writes, so it needs a session that may; what it finds is
 * that a call is there and answers as Storage's does, which is no proof that it keeps its promise: the suites are that. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "providers/supabase/internal.h"

#define KEY  "probe.txt"
#define TYPE "application/x-switchproof"
#define BODY "0123456789"
#define PART "234" /* its bytes 2 to 4 */

static void lacks(struct sp_session *s, enum sp_cap_id cap, const char *why)
{
    if (s->nlacks < SU_LACKS)
        s->lacks[s->nlacks++] = (struct su_lack){ cap, why };
}

int su_lacks(const struct sp_session *s, enum sp_cap_id cap, struct sp_error *err)
{
    for (size_t i = 0; i < s->nlacks; i++)
        if (s->lacks[i].cap == cap)
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "%s", s->lacks[i].why);
    return 0;
}

/* One call of the trial; the response is the caller's to free. */
static int try_call(struct sp_session *s, const char *method, const char *prefix, const char *bucket,
    const char *key, const char *json, struct sp_http_response *r, struct sp_error *err)
{
    struct sp_http_request q = { .method = NULL };
    struct sp_http_header range[1] = { { "Range", "bytes=2-4" } };
    json_t *body = json == NULL ? NULL : json_loads(json, 0, NULL);
    char *path = su_object_path(prefix, bucket, key);
    bool part = strcmp(method, "RANGE") == 0;
    struct su_call c = { .service = SU_STORAGE,
        .role = SU_ADMIN,
        .method = part ? "GET" : method,
        .target = path,
        .body = body,
        .headers = range,
        .nheaders = part ? 1 : 0,
        .again = true,
        .probe = true };
    int rc = path == NULL || (json != NULL && body == NULL) ? sp_nomem(err) : su_send(s, &c, &q, r, err);
    json_decref(body);
    free(path);
    return rc;
}

/* A member of the answer, if it is JSON: the caller's own reference. */
static json_t *member(const struct sp_http_response *r, const char *name)
{
    json_t *v = r->body.n == 0 ? NULL : json_loadb(r->body.p, r->body.n, 0, NULL);
    json_t *m = json_incref(json_object_get(v, name));
    json_decref(v);
    return m;
}

static int try_info(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT, h = SP_HTTP_RESPONSE_INIT;
    int rc = try_call(s, "GET", "/object/info/", bucket, KEY, NULL, &r, err);
    if (rc == 0)
        rc = try_call(s, "HEAD", "/object/", bucket, KEY, NULL, &h, err);
    json_t *size = rc == 0 ? member(&r, "size") : NULL, *meta = rc == 0 ? member(&r, "metadata") : NULL;
    const char *type = rc == 0 ? sp_http_header(&h, "content-type") : NULL;
    s->bare_info = !json_is_integer(size);
    if (rc == 0 && (!sp_http_good(&r) || !sp_http_good(&h) || sp_http_header(&h, "content-length") == NULL ||
                       sp_http_header(&h, "etag") == NULL))
        s->unfit[SU_STORAGE] = "the service says of an object neither size nor etag";
    if (rc == 0 && !sp_streq(su_text(meta, "a"), "b"))
        lacks(s, SP_CAP_METADATA, "the service does not give back the metadata of an object");
    if (rc == 0 && !sp_streq(type, TYPE))
        lacks(s, SP_CAP_CONTENT_TYPE, "the service gives back another content type than it was given");
    json_decref(size);
    json_decref(meta);
    sp_http_response_free(&r);
    sp_http_response_free(&h);
    return rc;
}

static int try_range(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    int rc = try_call(s, "RANGE", "/object/", bucket, KEY, NULL, &r, err);
    if (rc == 0 && (r.status != 206 || r.body.n != 3 || memcmp(r.body.p, PART, 3) != 0))
        lacks(s, SP_CAP_RANGE, SU_NO_RANGE);
    sp_http_response_free(&r);
    return rc;
}

static int try_list(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    int rc = try_call(s, "POST", "/object/list-v2/", bucket, NULL,
        "{\"prefix\":\"\",\"limit\":10,\"with_delimiter\":false}", &r, err);
    json_t *objects = rc == 0 ? member(&r, "objects") : NULL;
    if (rc == 0 && (!sp_http_good(&r) || json_array_size(objects) != 1)) {
        lacks(s, SP_CAP_LIST, "the service does not have the call list-v2");
        lacks(s, SP_CAP_DELIMITER, "the service does not have the call list-v2");
    }
    json_decref(objects);
    sp_http_response_free(&r);
    return rc;
}

static int try_sign(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    int rc = try_call(s, "POST", "/object/sign/", bucket, KEY, "{\"expiresIn\":60}", &r, err);
    json_t *url = rc == 0 ? member(&r, "signedURL") : NULL;
    if (rc == 0 && (!sp_http_good(&r) || !json_is_string(url)))
        lacks(s, SP_CAP_SIGNED_URL, "the service does not give a signed URL where Storage does");
    json_decref(url);
    sp_http_response_free(&r);
    return rc;
}

/* One is begun and given up. */
static int try_upload(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    static const struct sp_put_opts none;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_error why = SP_ERROR_INIT;
    const char *id = NULL;
    int rc = su_upload_begin(s, &a, bucket, KEY, &none, &id, &why);
    if (rc == 0)
        rc = su_upload_abort(s, id, &why);
    if (rc != 0 && why.origin == SP_ORIGIN_TRANSPORT && err != NULL)
        sp_error_move(err, &why);
    else if (rc != 0) {
        lacks(s, SP_CAP_MULTIPART, SU_NO_UPLOADS);
        rc = 0;
    }
    sp_error_clear(&why);
    sp_arena_free(&a);
    return rc;
}

static int fill(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    static const struct sp_meta meta[] = { { "a", "b" } };
    static const struct sp_put_opts opts = { .content_type = TYPE, .meta = meta, .nmeta = 1 };
    return su_put_bytes(s, bucket, KEY, BODY, strlen(BODY), &opts, err);
}

/* Gone again, whatever was found; a service that cannot even remove is none to write to. */
static int leave(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    static const char *const keys[] = { KEY };
    int rc = su_remove(s, bucket, keys, 1, err);
    return rc == 0 ? su_bucket_discard(s, bucket, err) : rc;
}

/* The bucket is noted before it is there, so that a killed session leaves nothing that nobody knows of. */
static int note(struct sp_session *s, bool made, const char *bucket, struct sp_error *err)
{
    struct sp_notes *n = s->base.endpoint->notes;
    return n == NULL ? 0 : n->bucket(n, made, bucket, err);
}

static int bucket_name(const struct sp_session *s, char out[96], struct sp_error *err)
{
    const struct sp_notes *n = s->base.endpoint->notes;
    char hex[33];
    int rc = sp_object_random_hex(hex, err);
    (void)snprintf(out, 96, "%.40sprobe-%s", n == NULL ? "sp-" : n->stem, rc == 0 ? hex : "");
    return rc;
}

int su_storage_probe(struct sp_session *s, struct sp_error *err)
{
    static int (*const tries[])(struct sp_session *, const char *, struct sp_error *) = { try_info, try_range,
        try_list, try_sign, try_upload };
    struct sp_error why = SP_ERROR_INIT;
    char bucket[96];
    s->unfit[SU_STORAGE] = NULL;
    int rc = bucket_name(s, bucket, err);
    if (rc == 0)
        rc = note(s, true, bucket, err);
    if (rc != 0)
        return rc;
    rc = su_bucket_create(s, bucket, &why);
    bool refused = rc != 0 && why.origin == SP_ORIGIN_BACKEND;
    if (rc == 0)
        rc = fill(s, bucket, &why);
    for (size_t i = 0; i < SP_LEN(tries) && rc == 0; i++)
        rc = tries[i](s, bucket, &why);
    int left = leave(s, bucket, rc == 0 ? &why : NULL);
    if (rc == 0)
        rc = left;
    int noted = left == 0 || refused ? note(s, false, bucket, err) : 0;
    if (noted != 0)
        rc = noted;
    else if (rc != 0 && why.origin == SP_ORIGIN_TRANSPORT) {
        if (err != NULL)
            sp_error_move(err, &why);
    } else if (rc != 0) {
        s->unfit[SU_STORAGE] =
            "the service tells no version, and cannot make, fill and drop a bucket as Storage does";
        rc = 0;
    }
    sp_error_clear(&why);
    return rc;
}
