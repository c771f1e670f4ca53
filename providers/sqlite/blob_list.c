/* blob_list.c -- listing keys under a prefix, in byte order and in pages.
 * A group of keys behind a common prefix is skipped by
 * seeking past it. */
#include <string.h>

#include "providers/sqlite/blob.h"

struct page {
    struct sp_session *s;
    struct sp_arena *a;
    const char *bucket, *prefix, *delimiter;
    sqlite3_stmt *st;
    struct sp_buf from;
    struct sp_object *v;
    size_t n, cap;
};

static int bind_octets(sqlite3_stmt *st, int index, const struct sp_buf *b, struct sp_error *err)
{
    int rc = sqlite3_bind_blob64(st, index, b->p == NULL ? "" : b->p, b->n, SQLITE_TRANSIENT);
    return rc == SQLITE_OK ? 0 : sp_nomem(err);
}

static int prepare(struct page *p, struct sp_error *err)
{
    struct sp_buf to = SP_BUF_INIT;
    int ret = sq_store_prepare(p->s, &p->st, err,
        "SELECT " SQ_OBJECT_COLUMNS " FROM sp_blob_objects WHERE bucket = ?1 AND key < ?2 AND key >= ?3 "
        "ORDER BY key LIMIT 1",
        "s", p->bucket);
    if (ret == 0)
        ret = sp_object_page_to(&to, p->prefix, err);
    if (ret == 0)
        ret = bind_octets(p->st, 2, &to, err);
    sp_buf_free(&to);
    return ret;
}

/* The first object behind the cursor (NULL = from the start of the prefix). 1 = there is none. */
static int next(struct page *p, const char *cursor, struct sp_object *out, struct sp_error *err)
{
    int64_t id;
    (void)sqlite3_reset(p->st);
    int ret = sp_object_page_from(&p->from, p->prefix, cursor, err);
    if (ret == 0)
        ret = bind_octets(p->st, 3, &p->from, err);
    if (ret != 0)
        return ret;
    int rc = sqlite3_step(p->st);
    return rc == SQLITE_ROW    ? sq_object_row(p->st, p->a, &id, out, err)
           : rc == SQLITE_DONE ? 1
                               : sq_error(p->s, rc, "cannot list", err);
}

/* *more: there are entries behind the page. */
static int fill(struct page *p, const char *cursor, size_t limit, bool *more, struct sp_error *err)
{
    for (;;) {
        struct sp_object o;
        int ret = next(p, cursor, &o, err);
        if (ret != 0)
            return ret < 0 ? ret : 0;
        if (p->n == limit) {
            *more = true;
            return 0;
        }
        p->v = sp_arena_grow(p->a, p->v, &p->cap, p->n + 1, sizeof *p->v);
        if (p->v == NULL)
            return sp_nomem(err);
        size_t g = sp_object_group(o.key, strlen(p->prefix), p->delimiter);
        if (g > 0) {
            const char *key = sp_arena_strn(p->a, o.key, g);
            if (key == NULL)
                return sp_nomem(err);
            o = (struct sp_object){ .key = key, .is_prefix = true };
        }
        p->v[p->n++] = o;
        ret = sp_object_page_next(p->a, &o, 1, true, &cursor, err);
        if (ret != 0)
            return ret;
    }
}

int sq_blob_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err)
{
    struct page p = { .s = s,
        .a = a,
        .bucket = bucket,
        .prefix = prefix == NULL ? "" : prefix,
        .delimiter = delimiter,
        .from = SP_BUF_INIT };
    const char *start = cursor == NULL ? NULL : *cursor;
    bool own, more = false;
    *out = NULL;
    *n = 0;
    int ret = sp_object_page_check(limit, start, err);
    if (ret == 0)
        ret = sq_store_begin(s, bucket, false, &own, err);
    if (ret != 0)
        return ret;
    ret = prepare(&p, err);
    if (ret == 0)
        ret = fill(&p, start, limit, &more, err);
    sqlite3_finalize(p.st);
    sp_buf_free(&p.from);
    ret = sq_store_end(s, own, ret, err);
    if (ret == 0)
        ret = sp_object_page_next(a, p.v, p.n, more, cursor, err);
    if (ret != 0)
        return ret;
    *out = p.v;
    *n = p.n;
    return 0;
}
