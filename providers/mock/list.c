/* list.c -- listings: byte order, prefixes, common prefixes, pages. */
#include "blob.h"

#include <string.h>

#include "base/str.h"

int mock_bucket_list(struct sp_session *ss, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    int rc = 0;
    mock_enter(s);
    for (const struct mock_bucket *b = s->store->buckets; rc == 0 && b != NULL; b = b->next) {
        if (sp_str_prefix(b->name, prefix) && sp_names_add(out, b->name) != 0)
            rc = sp_nomem(err);
    }
    mock_leave(s);
    return rc;
}

/* How much of the key stands for it in the listing: up to and with the first delimiter behind the prefix. */
static size_t shown(const char *key, const char *prefix, const char *delimiter)
{
    const char *d = delimiter == NULL ? NULL : strstr(key + strlen(prefix), delimiter);
    return d == NULL ? 0 : (size_t)(d - key) + strlen(delimiter);
}

/* How the entry, the first `part` bytes of the key (0 = all), stands to `last`. */
static int behind(const char *key, size_t part, const char *last)
{
    if (part == 0)
        return strcmp(key, last);
    int c = strncmp(key, last, part);
    return c != 0 ? c : strlen(last) == part ? 0 : -1;
}

/* An entry is an object, or the first key of a common prefix. Entries are ordered like their keys, so that a page can
 * go on behind the last entry of the page before, which is the cursor. */
static int page(struct mock_bucket *b, struct sp_arena *a, const char *prefix, const char *delimiter,
    const char **cursor, size_t limit, struct sp_object **out, size_t *nout, struct sp_error *err)
{
    struct sp_object *v = NULL;
    size_t cap = 0, n = 0;
    const char *last = *cursor;
    bool there;
    size_t i = mock_object_at(b, prefix, &there);
    *cursor = NULL;
    for (; i < b->n && sp_str_prefix(b->v[i]->key, prefix); i++) {
        const char *key = b->v[i]->key;
        size_t part = shown(key, prefix, delimiter);
        if (last != NULL && behind(key, part, last) <= 0)
            continue;
        if (n == limit) {
            *cursor = last;
            break;
        }
        if (n == cap) {
            v = sp_arena_grow(a, v, &cap, n + 1, sizeof *v);
            if (v == NULL)
                return sp_nomem(err);
        }
        int rc = 0;
        if (part > 0)
            v[n] = (struct sp_object){ .key = sp_arena_strn(a, key, part), .is_prefix = true };
        else
            rc = mock_object_give(a, b->v[i], &v[n], err);
        if (rc != 0 || v[n].key == NULL)
            return rc != 0 ? rc : sp_nomem(err);
        last = v[n++].key;
    }
    *out = v;
    *nout = n;
    return 0;
}

int mock_blob_list(struct sp_session *ss, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_bucket *b;
    mock_enter(s);
    int rc = mock_bucket_find(s, bucket, &b, err);
    if (rc == 0)
        rc = page(b, a, prefix, delimiter, cursor, limit, out, n, err);
    mock_leave(s);
    return rc;
}
