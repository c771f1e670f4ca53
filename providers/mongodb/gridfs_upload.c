/* gridfs_upload.c -- uploads in parts. GridFS knows chunks of one size only: parts are files of a bucket of their own, and the
 * object is written from them when the upload is complete. */
#include <stdio.h>
#include <string.h>

#include "providers/mongodb/gridfs.h"

#define NAMES 80 /* "HEX/info", "HEX/00001" */

/* What an upload keeps of its options, as metadata of its record. */
static size_t pack(const char *key, const struct sp_put_opts *o, const char *meta, struct sp_meta m[6])
{
    size_t n = 0;
    m[n++] = (struct sp_meta){ "key", key };
    m[n++] = (struct sp_meta){ "meta", meta };
    if (o->content_type != NULL)
        m[n++] = (struct sp_meta){ "content_type", o->content_type };
    if (o->if_none_match)
        m[n++] = (struct sp_meta){ "if_none_match", "1" };
    if (o->if_match != NULL)
        m[n++] = (struct sp_meta){ "if_match", o->if_match };
    if (o->sha256_hex != NULL)
        m[n++] = (struct sp_meta){ "sha256", o->sha256_hex };
    return n;
}

static int64_t no_source(void *payload, void *p, size_t n)
{
    (void)payload;
    (void)p;
    (void)n;
    return 0;
}

struct upload {
    struct sp_arena arena;
    struct mo_fs fs, parts;
    const char *id, *bucket, *key;
    struct sp_put_opts opts;
    char hex[33], info[NAMES];
};

static int open_upload(struct sp_session *s, const char *id, struct upload *u, struct sp_error *err)
{
    *u = (struct upload){ .arena = SP_ARENA_INIT, .id = id };
    mo_begin_statement(s);
    int ret = mo_writable(s, err);
    if (ret == 0)
        ret = mo_need_txn(s, err);
    if (ret == 0)
        ret = sp_object_upload_bucket(id, &u->arena, &u->bucket, err);
    if (ret == 0)
        ret = mo_fs_of(s, u->bucket, false, &u->fs, err);
    if (ret == 0)
        ret = mo_fs_of(s, u->bucket, true, &u->parts, err);
    if (ret != 0)
        return ret;
    (void)sp_strlcpy(u->hex, id + strlen(u->bucket) + 1, sizeof u->hex);
    (void)snprintf(u->info, sizeof u->info, "%s/info", u->hex);
    return 0;
}

int mo_upload_begin(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const struct sp_put_opts *opts, const char **id, struct sp_error *err)
{
    static const struct sp_put_opts none = { .content_type = NULL };
    const struct sp_put_opts *o = opts == NULL ? &none : opts;
    struct sp_meta kept[6];
    struct upload u;
    char *meta = NULL;
    *id = NULL;
    int ret = sp_object_upload_id(a, bucket, id, err);
    if (ret != 0)
        return ret;
    ret = open_upload(s, *id, &u, err);
    if (ret == 0)
        ret = sp_object_key_check(key, MO_KEY_BYTES, err);
    if (ret == 0)
        ret = sp_object_meta_text(o, &meta, err);
    if (ret == 0)
        ret = mo_fs_check(&u.fs, err);
    if (ret == 0) {
        struct sp_put_opts record = { .meta = kept, .nmeta = pack(key, o, meta, kept) };
        struct mo_put p = { .fs = &u.parts, .key = u.info, .opts = &record };
        ret = mo_put_stream(&p, no_source, NULL, NULL, NULL, err);
    }
    sp_arena_free(&u.arena);
    free(meta);
    return ret;
}

/* The record, or that there is none. */
static int load(struct upload *u, struct sp_error *err)
{
    struct mo_file f;
    struct sp_object meta = { .key = NULL };
    int ret = mo_file_find(&u->parts, u->info, &u->arena, &f, err);
    if (ret != 0)
        return ret == -SP_E_NOT_FOUND ? sp_object_upload_unknown(u->id, err) : ret;
    for (size_t i = 0; ret == 0 && i < f.o.nmeta; i++) {
        const char *name = f.o.meta[i].name, *value = f.o.meta[i].value;
        if (strcmp(name, "key") == 0)
            u->key = value;
        else if (strcmp(name, "content_type") == 0)
            u->opts.content_type = value;
        else if (strcmp(name, "if_none_match") == 0)
            u->opts.if_none_match = true;
        else if (strcmp(name, "if_match") == 0)
            u->opts.if_match = value;
        else if (strcmp(name, "sha256") == 0)
            u->opts.sha256_hex = value;
        else
            ret = sp_object_meta_parse(value, &u->arena, &meta, err);
    }
    u->opts.meta = meta.meta;
    u->opts.nmeta = meta.nmeta;
    return ret == 0 && u->key == NULL ? mo_corrupt("find (record of an upload)", err) : ret;
}

struct memory {
    const char *p;
    size_t n;
};

static int64_t from_memory(void *payload, void *p, size_t n)
{
    struct memory *m = payload;
    size_t take = n < m->n ? n : m->n;
    if (take > 0)
        memcpy(p, m->p, take);
    m->p += take;
    m->n -= take;
    return (int64_t)take;
}

int mo_upload_part(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    static const struct sp_put_opts none = { .content_type = NULL };
    struct upload u;
    struct memory m = { p, n };
    char name[NAMES];
    int ret = open_upload(s, id, &u, err);
    if (ret == 0)
        ret = sp_object_part_check(part, err);
    if (ret == 0)
        ret = load(&u, err);
    if (ret == 0) {
        (void)snprintf(name, sizeof name, "%s/%05u", u.hex, part);
        struct mo_put put = { .fs = &u.parts, .key = name, .opts = &none };
        ret = mo_put_stream(&put, from_memory, &m, NULL, NULL, err);
    }
    sp_arena_free(&u.arena);
    return ret;
}

/* ---- the end ---- */

/* Parts by number; the record, "HEX/info", stands behind all of them. */
static int parts_of(struct upload *u, struct mo_file **v, size_t *n, struct sp_error *err)
{
    char prefix[NAMES];
    const char *cursor = NULL;
    (void)snprintf(prefix, sizeof prefix, "%s/", u->hex);
    int ret = mo_fs_list(&u->parts, &u->arena, prefix, NULL, &cursor, SP_OBJECT_PARTS + 1, v, n, err);
    if (ret == 0 && *n > 0 && strcmp((*v)[*n - 1].o.key, u->info) == 0)
        (*n)--;
    return ret;
}

static int check_parts(const struct upload *u, const struct mo_file *v, size_t n, struct sp_error *err)
{
    unsigned last = 0;
    uint64_t total = 0, part = 0;
    int ret = n == 0 ? sp_object_part_none(err) : 0;
    for (size_t i = 0; ret == 0 && i < n; i++)
        ret = sp_parse_u64(v[i].o.key + strlen(u->hex) + 1, &part)
                  ? sp_object_part_join(
                        (int64_t)part, (int64_t)v[i].o.size, &last, &total, (uint64_t)MO_OBJECT_BYTES, err)
                  : mo_corrupt("find (part of an upload)", err);
    return ret;
}

/* All parts, one behind the other. */
struct joining {
    const struct upload *u;
    const struct mo_file *v;
    size_t n, at;
    struct mo_pull pull;
    const uint8_t *p;
    size_t left;
    struct sp_error err;
    int ret;
};

static int advance(struct joining *j)
{
    while (j->left == 0) {
        if (j->pull.cursor != NULL) {
            int ret = mo_pull_next(&j->pull, &j->p, &j->left, &j->err);
            if (ret != 0 || j->left > 0)
                return ret;
            mo_pull_close(&j->pull);
        }
        if (j->at == j->n)
            return 0;
        const struct mo_file *f = &j->v[j->at++];
        uint64_t chunks = (f->o.size + (uint64_t)f->chunk - 1) / (uint64_t)f->chunk;
        int ret = mo_pull_open(&j->pull, &j->u->parts, &f->id, 0, (int32_t)chunks - 1, &j->err);
        if (ret != 0)
            return ret;
    }
    return 0;
}

static int64_t joined(void *payload, void *p, size_t n)
{
    struct joining *j = payload;
    j->ret = advance(j);
    if (j->ret != 0)
        return -1;
    size_t take = j->left < n ? j->left : n;
    if (take > 0)
        memcpy(p, j->p, take);
    j->p += take;
    j->left -= take;
    return (int64_t)take;
}

static int remove_parts(const struct upload *u, const struct mo_file *v, size_t n, struct sp_error *err)
{
    bool found;
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < n; i++) {
        mo_touch(u->fs.s);
        ret = mo_file_remove(&u->parts, &v[i].id, &found, err);
        if (ret == 0)
            ret = mo_chunks_sweep(&u->parts, &v[i].id, err);
    }
    return ret;
}

int mo_upload_complete(
    struct sp_session *s, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err)
{
    struct upload u;
    struct mo_file *v = NULL;
    size_t n = 0;
    int ret = open_upload(s, id, &u, err);
    if (ret == 0)
        ret = load(&u, err);
    if (ret == 0)
        ret = parts_of(&u, &v, &n, err);
    if (ret == 0)
        ret = check_parts(&u, v, n, err);
    if (ret == 0) {
        struct joining j = { .u = &u, .v = v, .n = n, .err = SP_ERROR_INIT };
        struct mo_put p = {
            .fs = &u.fs, .key = u.key, .opts = &u.opts, .guard_fs = &u.parts, .guard_key = u.info
        };
        ret = mo_put_stream(&p, joined, &j, a, out, err);
        mo_pull_close(&j.pull);
        if (j.ret != 0 && err != NULL) /* its reason, not that the source gave up */
            sp_error_move(err, &j.err);
        if (j.ret != 0)
            ret = j.ret;
        sp_error_clear(&j.err);
        if (ret == -SP_E_NOT_FOUND)
            ret = sp_object_upload_unknown(id, err); /* another session ended it meanwhile */
        else if (ret == 0)
            (void)remove_parts(
                &u, v, n, NULL); /* the object is there; what is left of the parts nobody sees */
    }
    sp_arena_free(&u.arena);
    return ret;
}

int mo_upload_abort(struct sp_session *s, const char *id, struct sp_error *err)
{
    struct upload u;
    struct mo_file info, *v = NULL;
    size_t n = 0;
    bool found = false;
    int ret = open_upload(s, id, &u, err);
    if (ret == 0)
        ret = mo_file_find(&u.parts, u.info, &u.arena, &info, err);
    if (ret == 0)
        ret = mo_file_remove(&u.parts, &info.id, &found, err); /* first: nobody completes it any more */
    if (ret == -SP_E_NOT_FOUND || (ret == 0 && !found))
        ret = sp_object_upload_unknown(id, err);
    if (ret == 0)
        ret = parts_of(&u, &v, &n, err);
    if (ret == 0)
        ret = remove_parts(&u, v, n, err);
    sp_arena_free(&u.arena);
    return ret;
}
