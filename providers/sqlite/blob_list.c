/* blob_list.c -- listing keys under a prefix, in byte order and in pages.
 *
 * The cursor is the last entry given: "k" and its key, or "p" and its common prefix, all of whose keys are done. A group
 * of keys behind a common prefix is skipped by seeking past it: no UTF-8 key has a byte 0xff. */
#include <string.h>

#include "providers/sqlite/blob.h"

struct page {
    struct sp_session *s;
    struct sp_arena *a;
    const char *bucket, *prefix, *delimiter;
    sqlite3_stmt *st;
    struct sp_object *v;
    size_t n, cap;
};

/* Length of the common prefix that this key falls under, 0 = none. */
static size_t group(const struct page *p, const char *key)
{
    size_t np = strlen(p->prefix);
    const char *at = p->delimiter[0] == '\0' ? NULL : strstr(key + np, p->delimiter);
    return at == NULL ? 0 : (size_t)(at - key) + strlen(p->delimiter);
}

static int bind_octets(sqlite3_stmt *st, int index, const char *s, bool past, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, s);
    if (past)
        sp_buf_putc(&b, (char)0xff);
    int rc =
        b.oom ? SQLITE_NOMEM : sqlite3_bind_blob64(st, index, b.p == NULL ? "" : b.p, b.n, SQLITE_TRANSIENT);
    sp_buf_free(&b);
    return rc == SQLITE_OK ? 0 : sp_nomem(err);
}

static int prepare(struct page *p, struct sp_error *err)
{
    int ret = sq_store_prepare(p->s, &p->st, err,
        "SELECT " SQ_OBJECT_COLUMNS
        " FROM sp_blob_objects WHERE bucket = ?1 AND key >= ?2 AND key < ?3 AND key > ?4 "
        "ORDER BY key LIMIT 1",
        "s", p->bucket);
    if (ret == 0)
        ret = bind_octets(p->st, 2, p->prefix, false, err);
    return ret != 0 ? ret : bind_octets(p->st, 3, p->prefix, true, err);
}

/* The first object behind `after` ("" = from the start of the prefix). 1 = there is none. */
static int next(struct page *p, const char *after, bool past, struct sp_object *out, struct sp_error *err)
{
    int64_t id;
    (void)sqlite3_reset(p->st);
    int ret = bind_octets(p->st, 4, after, past, err);
    if (ret != 0)
        return ret;
    int rc = sqlite3_step(p->st);
    return rc == SQLITE_ROW    ? sq_object_row(p->st, p->a, &id, out, err)
           : rc == SQLITE_DONE ? 1
                               : sq_error(p->s, rc, "cannot list", err);
}

static int fill(struct page *p, const char *from, size_t limit, const char **cursor, struct sp_error *err)
{
    const char *after = from == NULL ? "" : from + 1;
    bool past = from != NULL && from[0] == 'p';
    for (;;) {
        struct sp_object o;
        int ret = next(p, after, past, &o, err);
        if (ret != 0)
            return ret < 0 ? ret : 0;
        if (p->n == limit)
            break;
        p->v = sp_arena_grow(p->a, p->v, &p->cap, p->n + 1, sizeof *p->v);
        if (p->v == NULL)
            return sp_nomem(err);
        size_t g = group(p, o.key);
        if (g > 0) {
            const char *key = sp_arena_strn(p->a, o.key, g);
            if (key == NULL)
                return sp_nomem(err);
            o = (struct sp_object){ .key = key, .is_prefix = true };
        }
        p->v[p->n++] = o;
        after = o.key;
        past = o.is_prefix;
    }
    *cursor = sp_arena_printf(p->a, "%c%s", past ? 'p' : 'k', after);
    return *cursor == NULL ? sp_nomem(err) : 0;
}

int sq_blob_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err)
{
    struct page p = { .s = s,
        .a = a,
        .bucket = bucket,
        .prefix = prefix == NULL ? "" : prefix,
        .delimiter = delimiter == NULL ? "" : delimiter };
    const char *from = cursor == NULL ? NULL : *cursor, *more = NULL;
    bool own;
    *out = NULL;
    *n = 0;
    if (limit == 0)
        return sp_invalid(err, "a page of 0 entries would never end the listing");
    if (from != NULL && from[0] != 'k' && from[0] != 'p')
        return sp_invalid(err, "the cursor was not given out by a listing");
    int ret = sq_store_begin(s, bucket, false, &own, err);
    if (ret != 0)
        return ret;
    ret = prepare(&p, err);
    if (ret == 0)
        ret = fill(&p, from, limit, &more, err);
    sqlite3_finalize(p.st);
    ret = sq_store_end(s, own, ret, err);
    if (ret == 0 && more != NULL && cursor == NULL)
        ret = sp_invalid(err, "more than %zu entries, and no cursor to go on", limit);
    if (ret != 0)
        return ret;
    if (cursor != NULL)
        *cursor = more;
    *out = p.v;
    *n = p.n;
    return 0;
}
