/* upload.c -- uploads in parts.
 *
 * An upload is a directory BUCKET/.uploads/HEX and its id is BUCKET~HEX, so that any later session finds it again.
 * `info` holds key, content type, metadata and the conditions in the metadata form of an object; each part is a file
 * that was renamed to its name when complete. Parts share a lock on `info`, complete and abort hold it alone. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "internal.h"
#include "providers/lib/object.h"

#define MAX_PART 10000u

struct staging {
    int bfd, dir, info;
    char bucket[64], hex[33];
};
#define STAGING_INIT                                                                                         \
    {                                                                                                        \
        -1, -1, -1, "", ""                                                                                   \
    }

static void staging_close(struct staging *g)
{
    if (g->info >= 0)
        close(g->info);
    if (g->dir >= 0)
        close(g->dir);
    if (g->bfd >= 0)
        close(g->bfd);
}

static int unknown(const char *id, struct sp_error *err)
{
    sp_error_clear(err);
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "there is no upload \"%s\"", id);
}

static int staging_open(
    struct sp_session *s, const char *id, int lock, struct staging *g, struct sp_error *err)
{
    struct stat st;
    const char *tilde = id != NULL ? strchr(id, '~') : NULL;
    int rc = sp_fs_need_write(s, err);
    if (rc != 0)
        return rc;
    if (tilde == NULL || (size_t)(tilde - id) >= sizeof g->bucket || strlen(tilde + 1) != 32 ||
        strspn(tilde + 1, "0123456789abcdef") != 32)
        return unknown(id != NULL ? id : "", err);
    memcpy(g->bucket, id, (size_t)(tilde - id));
    g->bucket[tilde - id] = '\0';
    memcpy(g->hex, tilde + 1, sizeof g->hex);
    if (!sp_fs_bucket_ok(g->bucket))
        return unknown(id, err);
    g->bfd = sp_fs_bucket_open(s, g->bucket, err);
    if (g->bfd < 0)
        return g->bfd == -SP_E_NOT_FOUND ? unknown(id, err) : g->bfd;
    int up = openat(g->bfd, SP_FS_UPLOADS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (up >= 0) {
        g->dir = openat(up, g->hex, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        rc = errno;
        close(up);
        errno = rc;
    }
    if (g->dir >= 0)
        g->info = openat(g->dir, "info", O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (g->info < 0)
        return errno == ENOENT ? unknown(id, err) : sp_fs_errno(err, errno, "cannot open upload \"%s\"", id);
    while (flock(g->info, lock) != 0)
        if (errno != EINTR)
            return sp_fs_errno(err, errno, "cannot lock upload \"%s\"", id);
    if (fstat(g->info, &st) != 0 || st.st_nlink == 0)
        return unknown(id, err); /* completed or aborted while we waited */
    return 0;
}

/* `info` first: without it the upload is gone, whatever happens to the parts. */
static int staging_remove(struct sp_session *s, const struct staging *g, struct sp_error *err)
{
    if (unlinkat(g->dir, "info", 0) != 0)
        return sp_fs_errno(err, errno, "cannot remove the parts of the upload");
    char *path = sp_strdup_printf("%s/%s/%s/%s", s->path, g->bucket, SP_FS_UPLOADS, g->hex);
    int rc = path != NULL ? sp_rmtree(path, err) : sp_nomem(err);
    free(path);
    return rc;
}

/* name in directory, whole or not at all */
static int write_file(
    struct sp_session *s, int dir, const char *name, const void *p, size_t n, struct sp_error *err)
{
    char tmp[64], hex[33];
    int rc = sp_object_random_hex(hex, err);
    if (rc != 0)
        return rc;
    snprintf(tmp, sizeof tmp, "%s%s", SP_FS_TMP, hex);
    int fd = openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return sp_fs_errno(err, errno, "cannot store a part of the upload");
    rc = sp_fs_write_at(fd, p, n, 0, err);
    if (rc == 0 && s->durable && fsync(fd) != 0)
        rc = sp_fs_errno(err, errno, "cannot make a part of the upload durable");
    close(fd);
    if (rc == 0 && renameat(dir, tmp, dir, name) != 0)
        rc = sp_fs_errno(err, errno, "cannot store a part of the upload");
    if (rc != 0)
        (void)unlinkat(dir, tmp, 0);
    return rc != 0 ? rc : sp_fs_sync_dir(s, dir, "upload", err);
}

/* Two metadata blocks, each behind its length: the object's, and the conditions'. */
static int info_pack(struct sp_buf *out, const char *key, const struct sp_put_opts *o, struct sp_error *err)
{
    struct sp_buf a = SP_BUF_INIT, b = SP_BUF_INIT;
    struct sp_meta cond[3];
    size_t n = 0;
    if (o->if_none_match)
        cond[n++] = (struct sp_meta){ "if_none_match", "1" };
    if (o->if_match != NULL)
        cond[n++] = (struct sp_meta){ "if_match", o->if_match };
    if (o->sha256_hex != NULL)
        cond[n++] = (struct sp_meta){ "sha256", o->sha256_hex };
    int rc = sp_fs_meta_pack(&a, key, o->content_type, o->meta, o->nmeta, err);
    if (rc == 0)
        rc = sp_fs_meta_pack(&b, key, NULL, cond, n, err);
    if (rc == 0) {
        sp_buf_u32be(out, (uint32_t)a.n);
        sp_buf_put(out, a.p, a.n);
        sp_buf_put(out, b.p, b.n);
        if (out->oom)
            rc = sp_nomem(err);
    }
    sp_buf_free(&a);
    sp_buf_free(&b);
    return rc;
}

static int info_read(
    int fd, struct sp_arena *a, struct sp_object *obj, struct sp_put_opts *cond, struct sp_error *err)
{
    size_t cap = 4 + 2 * (size_t)SP_FS_META_BYTES;
    uint8_t *p = sp_arena_alloc(a, cap);
    struct sp_object c = { 0 };
    if (p == NULL)
        return sp_nomem(err);
    int64_t got = sp_fs_read_at(fd, p, cap, 0, err);
    if (got < 0)
        return (int)got;
    size_t n = (size_t)got;
    size_t first = n < 4 ? n : (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
    if (n < 4 || first > n - 4 || sp_fs_meta_unpack(a, p + 4, first, obj) != 0 ||
        sp_fs_meta_unpack(a, p + 4 + first, n - 4 - first, &c) != 0)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the upload's own record is damaged");
    for (size_t i = 0; i < c.nmeta; i++) {
        if (strcmp(c.meta[i].name, "if_none_match") == 0)
            cond->if_none_match = true;
        else if (strcmp(c.meta[i].name, "if_match") == 0)
            cond->if_match = c.meta[i].value;
        else
            cond->sha256_hex = c.meta[i].value;
    }
    cond->content_type = obj->content_type;
    cond->meta = obj->meta;
    cond->nmeta = obj->nmeta;
    return 0;
}

int sp_fs_upload_begin(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const struct sp_put_opts *opts, const char **id, struct sp_error *err)
{
    static const struct sp_put_opts none;
    const struct sp_put_opts *o = opts != NULL ? opts : &none;
    struct sp_buf info = SP_BUF_INIT;
    int bfd = -1, up = -1, dir = -1;
    char hex[33];
    int rc = sp_fs_need_write(s, err);
    if (rc == 0)
        rc = sp_fs_check_key(key, err);
    if (rc == 0)
        rc = sp_fs_check_opts(o, err);
    if (rc == 0 && (bfd = sp_fs_bucket_open(s, bucket, err)) < 0)
        rc = bfd;
    if (rc == 0)
        rc = info_pack(&info, key, o, err);
    if (rc == 0)
        rc = sp_object_random_hex(hex, err);
    if (rc != 0)
        goto out;
    *id = sp_arena_printf(a, "%s~%s", bucket, hex);
    if (*id == NULL) {
        rc = sp_nomem(err);
        goto out;
    }
    if (mkdirat(bfd, SP_FS_UPLOADS, 0777) != 0 && errno != EEXIST) {
        rc = sp_fs_errno(err, errno, "cannot begin an upload in bucket \"%s\"", bucket);
        goto out;
    }
    up = openat(bfd, SP_FS_UPLOADS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (up < 0 || mkdirat(up, hex, 0777) != 0 ||
        (dir = openat(up, hex, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
        rc = sp_fs_errno(err, errno, "cannot begin an upload in bucket \"%s\"", bucket);
        goto out;
    }
    rc = write_file(s, dir, "info", info.p, info.n, err);
    if (rc == 0)
        rc = sp_fs_sync_dir(s, up, "upload", err);
    if (rc == 0)
        rc = sp_fs_sync_dir(s, bfd, "upload", err);
out:
    if (dir >= 0)
        close(dir);
    if (up >= 0)
        close(up);
    if (bfd >= 0)
        close(bfd);
    sp_buf_free(&info);
    return rc;
}

int sp_fs_upload_part(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    struct staging g = STAGING_INIT;
    char name[32];
    int rc = staging_open(s, id, LOCK_SH, &g, err);
    if (rc == 0 && (part == 0 || part > MAX_PART))
        rc = sp_fail(
            err, SP_E_INVALID, SP_ORIGIN_BACKEND, "part %u: parts are numbered from 1 to %u", part, MAX_PART);
    if (rc == 0) {
        snprintf(name, sizeof name, "part-%05u", part);
        rc = write_file(s, g.dir, name, p, n, err);
    }
    staging_close(&g);
    return rc;
}

/* The highest part that is there; 0 = none. */
static int last_part(int dir, unsigned *last, struct sp_error *err)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    int rc = 0;
    *last = 0;
    if (d == NULL) {
        rc = sp_fs_errno(err, errno, "cannot list the parts of the upload");
        if (fd >= 0)
            close(fd);
        return rc;
    }
    for (;;) {
        uint64_t k;
        errno = 0;
        struct dirent *e = readdir(d);
        if (e == NULL) {
            if (errno != 0)
                rc = sp_fs_errno(err, errno, "cannot list the parts of the upload");
            break;
        }
        if (sp_str_prefix(e->d_name, "part-") && sp_parse_u64(e->d_name + 5, &k) && k <= MAX_PART &&
            k > *last)
            *last = (unsigned)k;
    }
    closedir(d);
    return rc;
}

static int join(const struct staging *g, struct sp_fs_temp *t, struct sp_error *err)
{
    unsigned last;
    int rc = last_part(g->dir, &last, err);
    if (rc == 0 && last == 0)
        rc = sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "the upload has no part yet");
    for (unsigned k = 1; rc == 0 && k <= last; k++) {
        char name[32];
        snprintf(name, sizeof name, "part-%05u", k);
        int fd = openat(g->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) {
            rc = errno == ENOENT ? sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
                                       "part %u is missing, though part %u is there", k, last)
                                 : sp_fs_errno(err, errno, "cannot open part %u of the upload", k);
            break;
        }
        rc = sp_fs_temp_add_file(t, fd, 0, SP_TO_END, err);
        close(fd);
    }
    return rc;
}

int sp_fs_upload_complete(
    struct sp_session *s, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err)
{
    struct staging g = STAGING_INIT;
    struct sp_arena own = SP_ARENA_INIT;
    struct sp_object obj = { 0 };
    struct sp_put_opts cond = { 0 };
    struct sp_fs_temp t = SP_FS_TEMP_INIT;
    int rc = staging_open(s, id, LOCK_EX, &g, err);
    if (rc == 0)
        rc = info_read(g.info, &own, &obj, &cond, err);
    if (rc == 0)
        rc = sp_fs_temp_open(&t, g.bfd, obj.key, obj.content_type, obj.meta, obj.nmeta, err);
    if (rc == 0)
        rc = join(&g, &t, err);
    if (rc == 0)
        rc = sp_fs_temp_seal(s, &t, cond.sha256_hex, err);
    if (rc == 0)
        rc = sp_fs_temp_describe(&t, a, out, err);
    if (rc == 0)
        rc = sp_fs_temp_commit(s, g.bucket, &t, obj.key, &cond, err);
    if (rc == 0) {
        rc = staging_remove(s, &g, err);
        if (rc != 0 && err != NULL)
            err->effect = SP_EFFECT_APPLIED;
    }
    sp_fs_temp_free(&t);
    staging_close(&g);
    sp_arena_free(&own);
    return rc;
}

int sp_fs_upload_abort(struct sp_session *s, const char *id, struct sp_error *err)
{
    struct staging g = STAGING_INIT;
    int rc = staging_open(s, id, LOCK_EX, &g, err);
    if (rc == 0)
        rc = staging_remove(s, &g, err);
    staging_close(&g);
    return rc;
}
