/* gridfs_list.c -- keys in byte order, which is how the server compares filenames. */
#include <string.h>

#include "providers/mongodb/gridfs.h"

struct page {
    const struct mo_fs *fs;
    struct sp_arena *a;
    const char *prefix, *delimiter;
    struct mo_file *v;
    size_t n, cap, limit;
    bool more, end;
    struct sp_buf at; /* where the next query begins */
    bool behind;      /* ... behind it, not with it */
};

static int start(struct page *p, const char *cursor)
{
    if (cursor == NULL)
        return sp_object_text_from(&p->at, p->prefix);
    if (cursor[0] == 'p')
        return sp_object_text_after(&p->at, cursor + 1);
    p->behind = true;
    return sp_buf_puts(&p->at, cursor + 1) == 0 ? 0 : -SP_E_NOMEM;
}

static int add(struct page *p, const struct mo_file *f, struct sp_error *err)
{
    p->v = sp_arena_grow(p->a, p->v, &p->cap, p->n + 1, sizeof *p->v);
    if (p->v == NULL)
        return sp_nomem(err);
    p->v[p->n++] = *f;
    return 0;
}

/* A key of the answer, in order. *skip: the common prefix whose other keys are passed over. */
static int take(struct page *p, const bson_t *doc, const char **skip, struct sp_error *err)
{
    struct mo_file f;
    int ret = mo_file_of(doc, p->a, &f, err);
    if (ret != 0)
        return ret;
    sp_buf_clear(&p->at);
    if (sp_buf_puts(&p->at, f.o.key) != 0)
        return sp_nomem(err);
    p->behind = true;
    if (!sp_str_prefix(f.o.key, p->prefix)) {
        p->end = true;
        return 0;
    }
    if (*skip != NULL && sp_str_prefix(f.o.key, *skip))
        return 0;
    *skip = NULL;
    if (p->n == p->limit) {
        p->more = p->end = true;
        return 0;
    }
    size_t g = sp_object_group(f.o.key, strlen(p->prefix), p->delimiter);
    if (g > 0) {
        *skip = sp_arena_strn(p->a, f.o.key, g);
        if (*skip == NULL)
            return sp_nomem(err);
        f = (struct mo_file){ .o = { .key = *skip, .is_prefix = true } };
    }
    return add(p, &f, err);
}

/* One query; fewer documents than asked for are the last ones. */
static int step(struct page *p, struct sp_error *err)
{
    int64_t want = p->limit - p->n < 100000 ? (int64_t)(p->limit - p->n) + 1 : 100000, got = 0;
    const char *skip = NULL;
    const bson_t *doc;
    mo_touch(p->fs->s);
    mongoc_cursor_t *cursor = mo_fs_query(p->fs, p->fs->files,
        BCON_NEW("filename", "{", p->behind ? "$gt" : "$gte", BCON_UTF8(p->at.p == NULL ? "" : p->at.p), "}"),
        BCON_NEW("sort", "{", "filename", BCON_INT32(1), "}", "limit", BCON_INT64(want)), err);
    int ret = cursor != NULL ? 0 : err != NULL ? -(int)err->code : -SP_E_NOMEM;
    while (ret == 0 && !p->end && mongoc_cursor_next(cursor, &doc)) {
        got++;
        ret = take(p, doc, &skip, err);
    }
    if (ret == 0 && !p->end)
        ret = mo_cursor_error(p->fs->s, cursor, "find", err);
    if (cursor != NULL)
        mongoc_cursor_destroy(cursor);
    if (ret != 0 || p->end)
        return ret;
    if (got < want)
        p->end = true;
    else if (skip != NULL) { /* the rest of the group is passed over in one go */
        ret = sp_object_text_after(&p->at, skip);
        p->behind = false;
        p->end = ret == -SP_E_NOT_FOUND;
    }
    return ret == -SP_E_NOT_FOUND ? 0 : ret;
}

int mo_fs_list(const struct mo_fs *fs, struct sp_arena *a, const char *prefix, const char *delimiter,
    const char **cursor, size_t limit, struct mo_file **out, size_t *n, struct sp_error *err)
{
    struct page p = {
        .fs = fs, .a = a, .prefix = prefix, .delimiter = delimiter, .limit = limit, .at = SP_BUF_INIT
    };
    struct sp_object last = { .key = NULL };
    int ret = sp_object_page_check(limit, cursor == NULL ? NULL : *cursor, err);
    if (ret == 0)
        ret = start(&p, cursor == NULL ? NULL : *cursor);
    p.end = ret == -SP_E_NOT_FOUND; /* nothing can be there */
    if (p.end)
        ret = 0;
    while (ret == 0 && !p.end)
        ret = step(&p, err);
    sp_buf_free(&p.at);
    if (ret != 0)
        return err != NULL && err->code != SP_E_OK ? ret : sp_nomem(err);
    if (p.n > 0)
        last = p.v[p.n - 1].o;
    ret = sp_object_page_next(a, &last, p.n > 0 ? 1 : 0, p.more, cursor, err);
    if (ret != 0)
        return ret;
    *out = p.v;
    *n = p.n;
    return 0;
}

int mo_blob_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err)
{
    struct mo_fs fs;
    struct mo_file *v = NULL;
    size_t got = 0;
    *out = NULL;
    *n = 0;
    mo_begin_statement(s);
    int ret = mo_fs_of(s, bucket, false, &fs, err);
    if (ret == 0)
        ret = mo_fs_list(&fs, a, prefix == NULL ? "" : prefix, delimiter, cursor, limit, &v, &got, err);
    if (ret == 0 && got == 0)
        ret = mo_fs_check(&fs, err);
    if (ret != 0 || got == 0)
        return ret;
    *out = sp_arena_array(a, got, sizeof **out);
    if (*out == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < got; i++)
        (*out)[i] = v[i].o;
    *n = got;
    return 0;
}
