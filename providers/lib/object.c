/* object.c -- keys, metadata, ids, conditions and checksums of objects; see object.h. */
#include "providers/lib/object.h"

#include <jansson.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

int sp_object_key_check(const char *key, size_t longest, struct sp_error *err)
{
    size_t n = strlen(key);
    if (n == 0 || !sp_utf8_valid(key, n))
        return sp_invalid(err, "a key is UTF-8 text of at least one byte");
    if (n > longest)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "the key has %zu bytes; at most %zu are kept",
            n, longest);
    return 0;
}

int sp_object_absent(const char *bucket, const char *key, struct sp_error *err)
{
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no object \"%s\" in bucket \"%s\"", key, bucket);
}

int sp_object_condition(const struct sp_put_opts *o, const char *key, const char *etag, struct sp_error *err)
{
    if (o->if_none_match && etag != NULL)
        return sp_fail(err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND,
            "object \"%s\" exists already; the request wants it absent", key);
    if (o->if_match != NULL && (etag == NULL || strcmp(o->if_match, etag) != 0))
        return sp_fail(err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND,
            "object \"%s\" %s; the request wants etag %s", key,
            etag == NULL ? "is absent" : "has another etag", o->if_match);
    return 0;
}

/* ---- metadata ---- */

int sp_object_meta_text(const struct sp_put_opts *o, char **out, struct sp_error *err)
{
    json_t *j = json_object();
    int bad = j == NULL;
    for (size_t i = 0; !bad && i < o->nmeta; i++)
        bad = json_object_set_new(j, o->meta[i].name, json_string(o->meta[i].value)) != 0;
    *out = bad ? NULL : json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    json_decref(j);
    return *out != NULL ? 0 : sp_invalid(err, "the metadata must be UTF-8 text");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sp_meta *)a)->name, ((const struct sp_meta *)b)->name);
}

static int meta_fill(const json_t *j, struct sp_arena *a, struct sp_meta *m, struct sp_error *err)
{
    json_t *value;
    const char *name;
    json_object_foreach((json_t *)(uintptr_t)j, name, value)
    {
        if (!json_is_string(value))
            return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the object's metadata is damaged");
        m->name = sp_arena_str(a, name);
        m->value = sp_arena_str(a, json_string_value(value));
        if (m->name == NULL || m->value == NULL)
            return sp_nomem(err);
        m++;
    }
    return 0;
}

int sp_object_meta_parse(const char *text, struct sp_arena *a, struct sp_object *out, struct sp_error *err)
{
    json_t *j = text == NULL ? NULL : json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(j)) {
        json_decref(j);
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the object's metadata is damaged");
    }
    size_t n = json_object_size(j);
    struct sp_meta *m = sp_arena_array(a, n + 1, sizeof *m);
    int ret = m == NULL ? sp_nomem(err) : meta_fill(j, a, m, err);
    json_decref(j);
    if (ret != 0)
        return ret;
    qsort(m, n, sizeof *m, by_name);
    out->meta = m;
    out->nmeta = n;
    return 0;
}

/* ---- ids and parts ---- */

static void hex_of(const unsigned char *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

int sp_object_random_hex(char out[33], struct sp_error *err)
{
    unsigned char random[16];
    if (RAND_bytes(random, sizeof random) != 1)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "cannot get random bytes");
    hex_of(random, sizeof random, out);
    return 0;
}

int sp_object_upload_id(struct sp_arena *a, const char *bucket, const char **id, struct sp_error *err)
{
    char hex[33];
    int ret = sp_object_random_hex(hex, err);
    if (ret != 0)
        return ret;
    *id = sp_arena_printf(a, "%s~%s", bucket, hex);
    return *id == NULL ? sp_nomem(err) : 0;
}

int sp_object_upload_unknown(const char *id, struct sp_error *err)
{
    sp_error_clear(err);
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "there is no upload \"%s\"", id);
}

int sp_object_upload_bucket(const char *id, struct sp_arena *a, const char **bucket, struct sp_error *err)
{
    const char *tilde = id == NULL ? NULL : strrchr(id, '~');
    if (tilde == NULL || tilde == id || strlen(tilde + 1) != 32 ||
        strspn(tilde + 1, "0123456789abcdef") != 32)
        return sp_object_upload_unknown(id == NULL ? "" : id, err);
    *bucket = sp_arena_strn(a, id, (size_t)(tilde - id));
    return *bucket == NULL ? sp_nomem(err) : 0;
}

int sp_object_part_check(unsigned part, struct sp_error *err)
{
    if (part < 1 || part > SP_OBJECT_PARTS)
        return sp_invalid(err, "part %u: parts are numbered from 1 to %u", part, SP_OBJECT_PARTS);
    return 0;
}

int sp_object_part_none(struct sp_error *err)
{
    return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "the upload has no part yet");
}

int sp_object_part_join(
    int64_t part, int64_t n, unsigned *last, uint64_t *total, uint64_t most, struct sp_error *err)
{
    if (part != (int64_t)*last + 1)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "part %u of the upload is missing", *last + 1);
    if (n < 0 || *total > most || (uint64_t)n > most - *total)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "the parts are too large together");
    *total += (uint64_t)n;
    (*last)++;
    return 0;
}

/* ---- checksums ---- */

int sp_object_sum_begin(struct sp_object_sum *m, struct sp_error *err)
{
    m->md = EVP_MD_CTX_new();
    if (m->md != NULL && EVP_DigestInit_ex(m->md, EVP_sha256(), NULL) == 1)
        return 0;
    sp_object_sum_free(m);
    return sp_nomem(err);
}

void sp_object_sum_add(struct sp_object_sum *m, const void *p, size_t n)
{
    EVP_DigestUpdate(m->md, p, n);
}

void sp_object_sum_end(struct sp_object_sum *m, char etag[65])
{
    unsigned char sha[EVP_MAX_MD_SIZE] = { 0 };
    EVP_DigestFinal_ex(m->md, sha, NULL);
    hex_of(sha, 32, etag);
}

void sp_object_sum_free(struct sp_object_sum *m)
{
    EVP_MD_CTX_free(m->md);
    m->md = NULL;
}

int sp_object_sum_check(const char *key, const char *etag, const char *announced, struct sp_error *err)
{
    if (announced == NULL || strcasecmp(announced, etag) == 0)
        return 0;
    return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
        "the content of \"%s\" has SHA-256 %s, announced was %s; nothing was stored", key, etag, announced);
}
