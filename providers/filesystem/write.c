/* write.c -- an object is written under a temporary name and renamed: put, copy, move, delete. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/str.h"
#include "format.h"
#include "internal.h"
#include "providers/lib/object.h"

int sp_fs_temp_open(struct sp_fs_temp *t, int bfd, const char *key, const char *type, const struct sp_meta *m,
    size_t nmeta, struct sp_error *err)
{
    char hex[33];
    static const uint8_t blank[SP_FS_HEAD];
    int rc = sp_fs_meta_pack(&t->meta, key, type, m, nmeta, err);
    if (rc == 0)
        rc = sp_object_random_hex(hex, err);
    if (rc != 0)
        return rc;
    t->md = EVP_MD_CTX_new();
    if (t->md == NULL || EVP_DigestInit_ex(t->md, EVP_sha256(), NULL) != 1)
        return sp_nomem(err);
    t->dir = bfd;
    snprintf(t->name, sizeof t->name, "%s%s", SP_FS_TMP, hex);
    t->fd = openat(bfd, t->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (t->fd < 0)
        return sp_fs_errno(err, errno, "cannot create a file for object \"%s\"", key);
    (void)flock(t->fd, LOCK_EX | LOCK_NB); /* tells sp_fs_sweep() that the writer lives */
    rc = sp_fs_write_at(t->fd, blank, sizeof blank, 0, err);
    if (rc == 0)
        rc = sp_fs_write_at(t->fd, t->meta.p, t->meta.n, SP_FS_HEAD, err);
    return rc;
}

int sp_fs_temp_add(struct sp_fs_temp *t, const void *p, size_t n, struct sp_error *err)
{
    if (n > (uint64_t)INT64_MAX - SP_FS_HEAD - t->meta.n - t->size)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "the object is longer than a file can be");
    if (EVP_DigestUpdate(t->md, p, n) != 1)
        return sp_nomem(err);
    int rc = sp_fs_write_at(t->fd, p, n, SP_FS_HEAD + t->meta.n + t->size, err);
    if (rc == 0)
        t->size += n;
    return rc;
}

int sp_fs_temp_add_file(struct sp_fs_temp *t, int fd, uint64_t at, uint64_t n, struct sp_error *err)
{
    uint8_t *buf = malloc(SP_FS_CHUNK);
    int rc = buf != NULL ? 0 : sp_nomem(err);
    while (rc == 0 && n > 0) {
        int64_t got = sp_fs_read_at(fd, buf, n < SP_FS_CHUNK ? (size_t)n : SP_FS_CHUNK, at, err);
        if (got == 0)
            break;
        rc = got < 0 ? (int)got : sp_fs_temp_add(t, buf, (size_t)got, err);
        if (got > 0) {
            at += (uint64_t)got;
            n -= n == SP_TO_END ? 0 : (uint64_t)got;
        }
    }
    free(buf);
    return rc;
}

static void put_be(uint8_t *p, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
}

int sp_fs_temp_seal(struct sp_session *s, struct sp_fs_temp *t, const char *sha256_hex, struct sp_error *err)
{
    uint8_t head[SP_FS_HEAD] = { 0 };
    char hex[65];
    if (EVP_DigestFinal_ex(t->md, t->sha, NULL) != 1)
        return sp_nomem(err);
    sp_fs_hex(t->sha, hex);
    if (sha256_hex != NULL && strcasecmp(sha256_hex, hex) != 0)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "the content's SHA-256 is %s, the request says %s; nothing was stored", hex, sha256_hex);
    memcpy(head, sp_fs_magic, sizeof sp_fs_magic);
    put_be(head + 8, t->meta.n, 4);
    put_be(head + 16, t->size, 8);
    memcpy(head + 24, t->sha, 32);
    if (sp_fs_head_digest(head, t->meta.p, t->meta.n, head + SP_FS_HEAD_DIGEST) != 0)
        return sp_nomem(err);
    int rc = sp_fs_write_at(t->fd, head, sizeof head, 0, err);
    if (rc == 0 && s->durable && fsync(t->fd) != 0)
        rc = sp_fs_errno(err, errno, "cannot make the object durable");
    return rc;
}

static int check_etag(int bfd, const char *key, const char *etag, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_fs_file f;
    int rc = sp_fs_object_open(bfd, key, &a, &f, err);
    if (rc == -SP_E_NOT_FOUND)
        rc = sp_fail(err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND,
            "object \"%s\" is absent; the request wants etag %s", key, etag);
    else if (rc == 0) {
        close(f.fd);
        if (strcmp(f.obj.etag, etag) != 0)
            rc = sp_fail(err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND,
                "object \"%s\" has etag %s; the request wants %s", key, f.obj.etag, etag);
    }
    sp_arena_free(&a);
    return rc;
}

/* Not all file systems know RENAME_NOREPLACE; a hard link refuses an existing name as well. */
static int rename_new(int dir, const char *from, const char *to)
{
    if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (linkat(dir, from, dir, to, 0) != 0)
        return -1;
    (void)unlinkat(dir, from, 0);
    return 0;
}

int sp_fs_temp_place(struct sp_session *s, struct sp_fs_temp *t, const char *key,
    const struct sp_put_opts *cond, struct sp_error *err)
{
    char name[SP_FS_NAME];
    int rc = sp_fs_name(key, name, err);
    if (rc == 0 && cond != NULL && cond->if_match != NULL)
        rc = check_etag(t->dir, key, cond->if_match, err);
    if (rc != 0)
        return rc;
    if (cond != NULL && cond->if_none_match) {
        if (rename_new(t->dir, t->name, name) != 0)
            rc = errno == EEXIST ? sp_fail(err, SP_E_PRECONDITION, SP_ORIGIN_BACKEND,
                                       "object \"%s\" exists already; the request wants it absent", key)
                                 : sp_fs_errno(err, errno, "cannot store object \"%s\"", key);
    } else if (renameat(t->dir, t->name, t->dir, name) != 0) {
        rc = sp_fs_errno(err, errno, "cannot store object \"%s\"", key);
    }
    if (rc != 0)
        return rc;
    t->name[0] = '\0';
    return sp_fs_sync_dir(s, t->dir, key, err);
}

int sp_fs_temp_commit(struct sp_session *s, const char *bucket, struct sp_fs_temp *t, const char *key,
    const struct sp_put_opts *cond, struct sp_error *err)
{
    int lock = sp_fs_lock(s, bucket, t->dir, err);
    if (lock < 0)
        return lock;
    int rc = sp_fs_temp_place(s, t, key, cond, err);
    close(lock);
    return rc;
}

void sp_fs_temp_free(struct sp_fs_temp *t)
{
    if (t->fd >= 0) {
        if (t->name[0] != '\0')
            (void)unlinkat(t->dir, t->name, 0);
        close(t->fd);
    }
    sp_buf_free(&t->meta);
    EVP_MD_CTX_free(t->md);
}

static int fill(struct sp_fs_temp *t, sp_source_fn source, void *payload, struct sp_error *err)
{
    uint8_t *buf = malloc(SP_FS_CHUNK);
    int rc = buf != NULL ? 0 : sp_nomem(err);
    while (rc == 0) {
        int64_t got = source(payload, buf, SP_FS_CHUNK);
        if (got == 0)
            break;
        if (got < 0)
            rc = sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "the writer stopped; nothing was stored");
        else if (got > SP_FS_CHUNK)
            rc = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "the writer gave more bytes than asked for");
        else
            rc = sp_fs_temp_add(t, buf, (size_t)got, err);
    }
    free(buf);
    return rc;
}

/* Renaming does not touch the file's own time. */
int sp_fs_temp_describe(struct sp_fs_temp *t, struct sp_arena *a, struct sp_object *out, struct sp_error *err)
{
    struct stat st;
    char hex[65];
    if (out == NULL || a == NULL)
        return 0;
    memset(out, 0, sizeof *out);
    if (fstat(t->fd, &st) != 0)
        return sp_fs_errno(err, errno, "cannot read the state of the new object");
    sp_fs_hex(t->sha, hex);
    out->etag = sp_arena_str(a, hex);
    out->size = t->size;
    out->modified = (struct sp_ts){ st.st_mtim.tv_sec, (uint32_t)st.st_mtim.tv_nsec };
    if (out->etag == NULL || sp_fs_meta_unpack(a, (const uint8_t *)t->meta.p, t->meta.n, out) != 0)
        return sp_nomem(err);
    return 0;
}

int sp_fs_put(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    sp_source_fn source, void *payload, const struct sp_put_opts *opts, struct sp_object *out,
    struct sp_error *err)
{
    static const struct sp_put_opts none;
    const struct sp_put_opts *o = opts != NULL ? opts : &none;
    struct sp_fs_temp t = SP_FS_TEMP_INIT;
    int bfd = -1;
    int rc = sp_fs_need_write(s, err);
    if (rc == 0)
        rc = sp_fs_check_key(key, err);
    if (rc == 0)
        rc = sp_fs_check_opts(o, err);
    if (rc == 0 && (bfd = sp_fs_bucket_open(s, bucket, err)) < 0)
        rc = bfd;
    if (rc == 0)
        sp_fs_sweep(s, bucket, bfd);
    if (rc == 0)
        rc = sp_fs_temp_open(&t, bfd, key, o->content_type, o->meta, o->nmeta, err);
    if (rc == 0)
        rc = fill(&t, source, payload, err);
    if (rc == 0)
        rc = sp_fs_temp_seal(s, &t, o->sha256_hex, err);
    if (rc == 0)
        rc = sp_fs_temp_describe(
            &t, a, out, err); /* before the commit: it may fail, and then nothing is stored */
    if (rc == 0)
        rc = sp_fs_temp_commit(s, bucket, &t, key, o, err);
    sp_fs_temp_free(&t);
    if (bfd >= 0)
        close(bfd);
    return rc;
}

int sp_fs_del(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    char name[SP_FS_NAME];
    int rc = sp_fs_need_write(s, err);
    if (rc == 0)
        rc = sp_fs_check_key(key, err);
    if (rc == 0)
        rc = sp_fs_name(key, name, err);
    if (rc != 0)
        return rc;
    int bfd = sp_fs_bucket_open(s, bucket, err);
    if (bfd < 0)
        return bfd;
    rc = sp_fs_lock(s, bucket, bfd, err);
    if (rc >= 0) {
        int lock = rc;
        rc = 0;
        if (unlinkat(bfd, name, 0) == 0)
            rc = sp_fs_sync_dir(s, bfd, key, err);
        else if (errno != ENOENT)
            rc = sp_fs_errno(err, errno, "cannot delete object \"%s\"", key);
        close(lock);
    }
    close(bfd);
    return rc;
}

/* Under the lock, and only if the source is still the file that was copied: an object's file never changes. */
static int finish_move(struct sp_session *s, const char *bucket, struct sp_fs_temp *t,
    const struct sp_fs_file *f, const char *from, const char *to, struct sp_error *err)
{
    char name[SP_FS_NAME];
    struct stat st;
    int rc = sp_fs_name(from, name, err);
    if (rc != 0)
        return rc;
    int lock = sp_fs_lock(s, bucket, t->dir, err);
    if (lock < 0)
        return lock;
    if (fstatat(t->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_ino != f->st.st_ino ||
        st.st_dev != f->st.st_dev)
        rc = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "object \"%s\" was replaced or deleted during the move; nothing was moved", from);
    if (rc == 0)
        rc = sp_fs_temp_place(s, t, to, NULL, err);
    if (rc == 0 && unlinkat(t->dir, name, 0) != 0) {
        rc = sp_fs_errno(err, errno, "\"%s\" was copied to \"%s\" but could not be removed", from, to);
        if (err != NULL)
            err->effect = SP_EFFECT_UNKNOWN;
    }
    if (rc == 0)
        rc = sp_fs_sync_dir(s, t->dir, from, err);
    close(lock);
    return rc;
}

static int copy_or_move(struct sp_session *s, const char *bucket, const char *from, const char *to, bool move,
    struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_fs_temp t = SP_FS_TEMP_INIT;
    struct sp_fs_file f = { .fd = -1 };
    int bfd = -1;
    int rc = sp_fs_need_write(s, err);
    if (rc == 0)
        rc = sp_fs_check_key(from, err);
    if (rc == 0)
        rc = sp_fs_check_key(to, err);
    if (rc == 0 && (bfd = sp_fs_bucket_open(s, bucket, err)) < 0)
        rc = bfd;
    if (rc == 0)
        rc = sp_fs_object_open(bfd, from, &a, &f, err);
    if (rc != 0 || strcmp(from, to) == 0)
        goto out; /* onto itself: nothing to do */
    rc = sp_fs_temp_open(&t, bfd, to, f.obj.content_type, f.obj.meta, f.obj.nmeta, err);
    if (rc == 0)
        rc = sp_fs_temp_add_file(&t, f.fd, f.data, f.obj.size, err);
    if (rc == 0)
        rc = sp_fs_temp_seal(s, &t, f.obj.etag, err);
    if (rc == -SP_E_CORRUPT)
        rc = sp_error_prefix(err, "the stored content of \"%s\" is damaged", from);
    if (rc == 0)
        rc = move ? finish_move(s, bucket, &t, &f, from, to, err)
                  : sp_fs_temp_commit(s, bucket, &t, to, NULL, err);
out:
    sp_fs_temp_free(&t);
    if (f.fd >= 0)
        close(f.fd);
    if (bfd >= 0)
        close(bfd);
    sp_arena_free(&a);
    return rc;
}

int sp_fs_copy(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return copy_or_move(s, bucket, from, to, false, err);
}

int sp_fs_move(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    int rc = -SP_E_CONFLICT;
    for (int attempt = 0; attempt < 8 && rc == -SP_E_CONFLICT; attempt++) {
        sp_error_clear(err);
        rc = copy_or_move(s, bucket, from, to, true, err);
    }
    return rc;
}
