/* supabase_fake.h -- a fake of Supabase Auth and Storage that keeps users and objects in memory. It answers the calls that a
 * comparison makes, as the services' interfaces promise: the administrator's list of users in pages, the list of buckets, list-v2,
 * info and download. What the real ones do is not shown by it. Faults of single answers are planted by `fake.fault`. */
#ifndef SP_TEST_SUPABASE_FAKE_H
#define SP_TEST_SUPABASE_FAKE_H

#include <jansson.h>

#include "ci/tests/provider/http_server.h"

enum fault {
    NONE,
    USERS_REFUSED,    /* to any key */
    USERS_FAIL,       /* the second page */
    USERS_REPEAT,     /* the first page, whatever is asked for */
    USERS_OVERLAP,    /* the second page begins with somebody of the first, and passes somebody over */
    USERS_SHORT,      /* the second page is empty, though more were announced */
    BUCKETS_FAIL,     /* the list of buckets */
    KEYS_FAIL,        /* the second page of a listing */
    KEYS_REPEAT,      /* the first page of a listing, whatever is asked for */
    KEYS_NO_CURSOR,   /* more to come, and no way there */
    INFO_FAIL,        /* the description of an object */
    CONTENT_FAIL,     /* its content */
    CONTENT_SHORT,    /* less than was described */
    CONTENT_LONG,     /* more */
    CONTENT_REPLACED, /* another version than was described */
    FAULTS
};

static struct {
    json_t *users;     /* array, oldest first */
    json_t *buckets;   /* name: { key: { body, type, meta, etag } } */
    size_t page_most;  /* what one page holds at most, whatever is asked for */
    size_t user_pages; /* that were asked for behind the first */
    size_t key_pages;
    enum fault fault;
} fake;

/* ---- what is in it: called by the test, while nothing is asked ------------------------------------------------------------- */

static json_t *fake_user(const char *email, const char *app_metadata)
{
    char id[40];
    json_t *app = json_loads(app_metadata, 0, NULL);
    (void)snprintf(
        id, sizeof id, "%08zx-0000-4000-8000-000000000000", 0xffffffu - json_array_size(fake.users));
    json_object_set_new(app, "provider", json_string("email"));
    json_object_set_new(app, "providers", json_pack("[s]", "email"));
    json_t *u = json_pack("{s:s, s:s, s:s, s:o, s:{s:b}}", "id", id, "email", email, "email_confirmed_at",
        "2026-01-01T00:00:00Z", "app_metadata", app, "user_metadata", "email_verified", 1);
    if (json_array_append_new(fake.users, u) != 0)
        abort();
    return u;
}

static void fake_put(
    const char *bucket, const char *key, const char *body, const char *type, const char *metadata)
{
    static unsigned version;
    char etag[24];
    (void)snprintf(etag, sizeof etag, "\"v%u\"", ++version);
    json_t *keys = json_object_get(fake.buckets, bucket);
    if (json_object_set_new(keys, key,
            json_pack("{s:s, s:s, s:o, s:s}", "body", body, "type", type, "meta",
                json_loads(metadata, 0, NULL), "etag", etag)) != 0)
        abort();
}

/* ---- answers --------------------------------------------------------------------------------------------------------------- */

static char *fake_say(int status, const char *headers, const char *type, const char *body)
{
    size_t n = strlen(headers) + strlen(type) + strlen(body) + 160;
    char *out = malloc(n);
    if (out == NULL)
        abort();
    (void)snprintf(out, n, "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n%s", status,
        type, strlen(body), headers, body);
    return out;
}

static char *fake_json(int status, const char *headers, json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT);
    char *out = fake_say(status, headers, "application/json", text);
    json_decref(v);
    free(text);
    return out;
}

static char *fake_fails(bool storage)
{
    return storage ? fake_json(400, "",
                         json_pack("{s:s, s:s, s:s}", "statusCode", "403", "error", "Unauthorized", "message",
                             "new row violates row-level security policy"))
                   : fake_json(403, "",
                         json_pack("{s:i, s:s, s:s}", "code", 403, "error_code", "not_admin", "msg",
                             "User not allowed"));
}

static char *fake_absent(void)
{
    return fake_json(400, "",
        json_pack("{s:s, s:s, s:s}", "statusCode", "404", "error", "not_found", "message", "not found"));
}

static size_t fake_number(const char *target, const char *name, size_t otherwise)
{
    const char *at = strstr(target, name);
    return at == NULL ? otherwise : strtoul(at + strlen(name), NULL, 10);
}

/* The newest first. */
static char *fake_users(const char *target)
{
    size_t page = fake_number(target, "?page=", 1), per = fake_number(target, "per_page=", 50), n, from;
    char header[64];
    json_t *out = json_array();
    n = json_array_size(fake.users);
    fake.user_pages += page > 1;
    per = per < fake.page_most ? per : fake.page_most;
    if (fake.fault == USERS_REFUSED || (fake.fault == USERS_FAIL && page == 2)) {
        json_decref(out);
        return fake_fails(false);
    }
    from = fake.fault == USERS_REPEAT ? 0 : (page - 1) * per;
    for (size_t i = from; i < from + per && i < n; i++) {
        bool again = fake.fault == USERS_OVERLAP && page == 2 && i == from;
        if (fake.fault != USERS_SHORT || page == 1)
            json_array_append(out, json_array_get(fake.users, n - 1 - (again ? 0 : i)));
    }
    (void)snprintf(header, sizeof header, "X-Total-Count: %zu\r\n", n);
    return fake_json(200, header, json_pack("{s:o, s:s}", "users", out, "aud", "authenticated"));
}

static int fake_order(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of an object in byte order; free(). */
static const char **fake_names(json_t *object, size_t *n)
{
    const char **v = malloc((json_object_size(object) + 1) * sizeof *v), *name;
    json_t *value;
    *n = 0;
    if (v == NULL)
        abort();
    json_object_foreach(object, name, value)
    {
        v[(*n)++] = name;
    }
    qsort(v, *n, sizeof *v, fake_order);
    return v;
}

static char *fake_bucket_list(const char *target)
{
    size_t limit = fake_number(target, "limit=", 100), offset = fake_number(target, "offset=", 0), n;
    const char **v = fake_names(fake.buckets, &n);
    json_t *out = json_array();
    for (size_t i = offset; i < n && i < offset + limit; i++)
        json_array_append_new(
            out, json_pack("{s:s, s:s, s:s}", "id", v[i], "name", v[i], "type", "STANDARD"));
    free(v);
    return fake_json(200, "", out);
}

static char *fake_list(json_t *keys, const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    json_t *q = json_loads(body == NULL ? "" : body + 4, 0, NULL), *objects = json_array();
    const char *cursor = json_string_value(json_object_get(q, "cursor"));
    size_t limit = (size_t)json_integer_value(json_object_get(q, "limit")), n, i = 0;
    limit = limit < fake.page_most ? limit : fake.page_most;
    const char **v = fake_names(keys, &n);
    bool second = cursor != NULL;
    fake.key_pages += second;
    while (second && fake.fault != KEYS_REPEAT && i < n && strcmp(v[i], cursor) <= 0)
        i++;
    for (; i < n && json_array_size(objects) < limit; i++) {
        const json_t *o = json_object_get(keys, v[i]);
        const char *text = json_string_value(json_object_get(o, "body"));
        json_array_append_new(
            objects, json_pack("{s:s, s:s, s:{s:I, s:O, s:O}}", "name", v[i], "updated_at",
                         "2026-08-21T15:51:13.123Z", "metadata", "size", (json_int_t)strlen(text), "eTag",
                         json_object_get(o, "etag"), "mimetype", json_object_get(o, "type")));
    }
    json_t *out = json_pack("{s:b, s:[], s:o}", "hasNext", i < n, "folders", "objects", objects);
    if (i < n && fake.fault != KEYS_NO_CURSOR)
        json_object_set_new(out, "nextCursor", json_string(v[i - 1]));
    free(v);
    json_decref(q);
    if (fake.fault == KEYS_FAIL && second) {
        json_decref(out);
        return fake_fails(true);
    }
    return fake_json(200, "", out);
}

static char *fake_info(const json_t *o)
{
    const char *text = json_string_value(json_object_get(o, "body"));
    if (fake.fault == INFO_FAIL)
        return fake_fails(true);
    return fake_json(200, "",
        json_pack("{s:I, s:O, s:O, s:O, s:s}", "size", (json_int_t)strlen(text), "content_type",
            json_object_get(o, "type"), "etag", json_object_get(o, "etag"), "metadata",
            json_object_get(o, "meta"), "last_modified", "2026-08-21T15:51:13.123Z"));
}

static char *fake_content(const json_t *o)
{
    const char *text = json_string_value(json_object_get(o, "body"));
    char etag[64];
    if (fake.fault == CONTENT_FAIL)
        return fake_fails(true);
    (void)snprintf(etag, sizeof etag, "ETag: %s\r\n",
        fake.fault == CONTENT_REPLACED ? "\"another\"" : json_string_value(json_object_get(o, "etag")));
    char body[256];
    (void)snprintf(body, sizeof body, "%s%s", fake.fault == CONTENT_SHORT && *text != '\0' ? text + 1 : text,
        fake.fault == CONTENT_LONG ? "x" : "");
    return fake_say(200, etag, json_string_value(json_object_get(o, "type")), body);
}

/* The object behind BUCKET/KEY, as the path spells it; NULL = none. */
static json_t *fake_object(const char *path)
{
    char name[512];
    size_t n = 0;
    for (; *path != '\0' && n + 1 < sizeof name; path++) {
        unsigned code = 0;
        if (*path == '%' && sscanf(path + 1, "%2x", &code) == 1)
            path += 2;
        name[n++] = code != 0 ? (char)code : *path;
    }
    name[n] = '\0';
    char *slash = strchr(name, '/');
    if (slash == NULL)
        return NULL;
    *slash = '\0';
    return json_object_get(json_object_get(fake.buckets, name), slash + 1);
}

static char *fake_storage(const char *target, const char *request)
{
    static const char list[] = "/object/list-v2/", info[] = "/object/info/", object[] = "/object/";
    if (strcmp(target, "/version") == 0)
        return fake_say(200, "", "text/plain", "1.74.0");
    if (strncmp(target, "/bucket?", 8) == 0) /* its first page is asked for when a session opens */
        return fake.fault == BUCKETS_FAIL && strstr(target, "offset") != NULL ? fake_fails(true)
                                                                              : fake_bucket_list(target);
    if (strncmp(target, "/bucket/", 8) == 0) {
        json_t *b = json_object_get(fake.buckets, target + 8);
        return b == NULL ? fake_absent() : fake_json(200, "", json_pack("{s:s}", "name", target + 8));
    }
    if (strncmp(target, list, strlen(list)) == 0) {
        json_t *b = json_object_get(fake.buckets, target + strlen(list));
        return b == NULL ? fake_absent() : fake_list(b, request);
    }
    bool described = strncmp(target, info, strlen(info)) == 0;
    const json_t *o = strncmp(target, object, strlen(object)) == 0
                          ? fake_object(target + strlen(described ? info : object))
                          : NULL;
    return o == NULL ? fake_absent() : described ? fake_info(o) : fake_content(o);
}

static char *fake_reply(const char *request)
{
    char method[16], target[1024];
    if (sscanf(request, "%15s %1023s", method, target) != 2)
        return NULL;
    if (strcmp(target, "/auth/v1/health") == 0)
        return fake_json(200, "", json_pack("{s:s, s:s}", "version", "v2.196.0", "name", "GoTrue"));
    if (strcmp(target, "/auth/v1/settings") == 0)
        return fake_json(200, "", json_pack("{s:b, s:b}", "disable_signup", 0, "mailer_autoconfirm", 1));
    if (strncmp(target, "/auth/v1/admin/users?", 21) == 0)
        return fake_users(target);
    if (strncmp(target, "/storage/v1", 11) == 0)
        return fake_storage(target + 11, request);
    return fake_absent();
}

static void fake_start(void)
{
    srv.reply = fake_reply;
    server_start();
}

static void fake_empty(void)
{
    json_decref(fake.users);
    json_decref(fake.buckets);
    memset(&fake, 0, sizeof fake);
    fake.users = json_array();
    fake.buckets = json_object();
    fake.page_most = 1000;
}

#endif
