/* list.c -- keys under a prefix, bytewise ascending, in pages; only the page's own objects are opened. */
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "internal.h"
#include "providers/lib/object.h"

/* The first key that is not below these octets. */
static size_t seek(const struct sp_fs_keys *k, const struct sp_buf *from)
{
    size_t low = 0, high = k->n;
    const char *text = from->p == NULL ? "" : from->p;
    while (low < high) {
        size_t mid = low + (high - low) / 2, len = strlen(k->v[mid]);
        int c = memcmp(k->v[mid], text, len < from->n ? len : from->n);
        if (c < 0 || (c == 0 && len < from->n))
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

struct page {
    struct sp_arena *a;
    const struct sp_fs_keys *keys;
    const char *prefix, *delimiter;
    struct sp_object *v;
    size_t n, limit;
    bool more;
};

static int open_entry(int bfd, struct page *p, const char *key, struct sp_error *err)
{
    struct sp_fs_file file;
    int rc = sp_fs_object_open(bfd, key, p->a, &file, err);
    if (rc == -SP_E_NOT_FOUND) { /* deleted since */
        sp_error_clear(err);
        return 0;
    }
    if (rc != 0)
        return rc;
    close(file.fd);
    p->v[p->n++] = file.obj;
    return 0;
}

static int fill(int bfd, struct page *p, const char *cursor, struct sp_error *err)
{
    struct sp_buf from = SP_BUF_INIT;
    int rc = sp_object_page_from(&from, p->prefix, cursor, err);
    for (size_t i = rc == 0 ? seek(p->keys, &from) : 0;
         rc == 0 && i < p->keys->n && sp_str_prefix(p->keys->v[i], p->prefix);) {
        const char *key = p->keys->v[i];
        size_t g = sp_object_group(key, strlen(p->prefix), p->delimiter);
        if (p->n == p->limit) {
            p->more = true;
            break;
        }
        if (g == 0) {
            rc = open_entry(bfd, p, key, err);
            i++;
            continue;
        }
        struct sp_object o = { .key = sp_arena_strn(p->a, key, g), .is_prefix = true };
        if (o.key == NULL) {
            rc = sp_nomem(err);
            break;
        }
        p->v[p->n++] = o;
        rc = sp_object_page_to(&from, o.key, err);
        i = seek(p->keys, &from);
    }
    sp_buf_free(&from);
    return rc;
}

int sp_fs_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err)
{
    struct page p = {
        .a = a, .prefix = prefix != NULL ? prefix : "", .delimiter = delimiter, .limit = limit
    };
    const char *from = cursor != NULL ? *cursor : NULL;
    *out = NULL;
    *n = 0;
    int rc = sp_object_page_check(limit, from, err);
    if (rc != 0)
        return rc;
    int bfd = sp_fs_bucket_open(s, bucket, err);
    if (bfd < 0)
        return bfd;
    rc = sp_fs_keys_read(s, bfd, &p.keys, err);
    if (rc == 0) {
        size_t most = limit < p.keys->n ? limit : p.keys->n;
        p.v = sp_arena_array(a, most + 1, sizeof *p.v);
        rc = p.v != NULL ? fill(bfd, &p, from, err) : sp_nomem(err);
    }
    if (rc == 0)
        rc = sp_object_page_next(a, p.v, p.n, p.more, cursor, err);
    if (rc == 0) {
        *out = p.v;
        *n = p.n;
    }
    close(bfd);
    return rc;
}
