/* disk.c -- directories, locks, and what errno means to a user of the storage. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "internal.h"
#include "providers/lib/object.h"

#define TRASH   ".switchproof-trash-"
#define STALE_S 3600 /* an unlocked temporary file of this age has no writer any more */

static enum sp_code code_of(int eno)
{
    switch (eno) {
    case EACCES:
    case EPERM:
    case EROFS:
        return SP_E_PERMISSION;
    case ENOENT:
        return SP_E_NOT_FOUND;
    case EEXIST:
        return SP_E_EXISTS;
    case EFBIG:
        return SP_E_TOO_LARGE;
    case ELOOP: /* O_NOFOLLOW met a symbolic link */
    case ENOTDIR:
    case EISDIR:
    case ENXIO:
        return SP_E_CORRUPT;
    case EMFILE:
    case ENFILE:
    case ESTALE:
    case ENODEV:
        return SP_E_UNAVAILABLE;
    case ENOMEM:
        return SP_E_NOMEM;
    default:
        return SP_E_IO;
    }
}

static const char *advice(int eno)
{
    switch (eno) {
    case ENOSPC:
        return "; free some space; nothing was stored";
    case EDQUOT:
        return "; the quota of this user is used up; nothing was stored";
    case EACCES:
    case EPERM:
        return "; grant this user the right, or choose another directory";
    case EROFS:
        return "; the file system is mounted read-only";
    case ELOOP:
        return "; a symbolic link stands there, which is not followed";
    case EMFILE:
    case ENFILE:
        return "; raise the limit of open files (ulimit -n)";
    default:
        return "";
    }
}

int sp_fs_errno(struct sp_error *err, int eno, const char *fmt, ...)
{
    struct sp_buf b = SP_BUF_INIT;
    char why[128];
    va_list ap;
    va_start(ap, fmt);
    sp_buf_vprintf(&b, fmt, ap);
    va_end(ap);
    /* A disk without room breaks no promise of the backend: what the case asks stays untold. */
    bool full = eno == ENOSPC || eno == EDQUOT;
    int rc = sp_fail(err, code_of(eno), full ? SP_ORIGIN_TRANSPORT : SP_ORIGIN_BACKEND, "%s: %s%s",
        b.p != NULL ? b.p : "", strerror_r(eno, why, sizeof why), advice(eno));
    const char *name = strerrorname_np(eno);
    if (err != NULL && name != NULL)
        sp_error_native(err, name);
    sp_buf_free(&b);
    return rc;
}

int sp_fs_need_write(const struct sp_session *s, struct sp_error *err)
{
    if (s->writable)
        return 0;
    return sp_fail(
        err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "%s was opened read-only; nothing was changed", s->path);
}

int sp_fs_bucket_open(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    int rc = sp_fs_check_bucket(bucket, err);
    if (rc != 0)
        return rc;
    int fd = openat(s->root, bucket, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0)
        return fd;
    if (errno == ENOENT)
        return sp_fail(
            err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "there is no bucket \"%s\" in %s", bucket, s->path);
    return sp_fs_errno(err, errno, "cannot open bucket \"%s\" in %s", bucket, s->path);
}

int sp_fs_lock(struct sp_session *s, const char *bucket, int bfd, struct sp_error *err)
{
    struct stat open_st, named_st;
    int fd = openat(bfd, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return sp_fs_errno(err, errno, "cannot open the lock of bucket \"%s\"", bucket);
    while (flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        int rc = sp_fs_errno(err, errno, "cannot lock bucket \"%s\"", bucket);
        close(fd);
        return rc;
    }
    /* The bucket may have been dropped, and even made anew, since it was opened. */
    if (fstat(bfd, &open_st) == 0 && fstatat(s->root, bucket, &named_st, AT_SYMLINK_NOFOLLOW) == 0 &&
        open_st.st_ino == named_st.st_ino && open_st.st_dev == named_st.st_dev)
        return fd;
    close(fd);
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "bucket \"%s\" was dropped meanwhile", bucket);
}

int sp_fs_sync_dir(struct sp_session *s, int fd, const char *what, struct sp_error *err)
{
    if (!s->durable || fsync(fd) == 0)
        return 0;
    int eno = errno;
    sp_fs_errno(err, eno, "%s: done, but the directory could not be made durable", what);
    if (err != NULL) {
        err->code = SP_E_OUTCOME_UNKNOWN;
        err->effect = SP_EFFECT_UNKNOWN;
    }
    return -SP_E_OUTCOME_UNKNOWN;
}

int sp_fs_write_at(int fd, const void *p, size_t n, uint64_t at, struct sp_error *err)
{
    const uint8_t *b = p;
    while (n > 0) {
        ssize_t k = pwrite(fd, b, n, (off_t)at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return sp_fs_errno(err, errno, "cannot write the object");
        b += k;
        n -= (size_t)k;
        at += (uint64_t)k;
    }
    return 0;
}

int64_t sp_fs_read_at(int fd, void *p, size_t n, uint64_t at, struct sp_error *err)
{
    uint8_t *b = p;
    size_t got = 0;
    while (got < n) {
        ssize_t k = pread(fd, b + got, n - got, (off_t)(at + got));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return sp_fs_errno(err, errno, "cannot read the object");
        if (k == 0)
            break;
        got += (size_t)k;
    }
    return (int64_t)got;
}

/* Writers hold a lock on their temporary file; the age covers the moment between creating and locking it. */
void sp_fs_sweep(struct sp_session *s, const char *bucket, int dir)
{
    for (size_t i = 0; i < s->swept.n; i++)
        if (strcmp(s->swept.v[i], bucket) == 0)
            return;
    (void)sp_names_add(&s->swept, bucket);
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    time_t now = time(NULL);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        struct stat st;
        if (!sp_str_prefix(e->d_name, SP_FS_TMP) || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode) || now - st.st_mtime < STALE_S)
            continue;
        int t = openat(dir, e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (t < 0)
            continue;
        if (flock(t, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dir, e->d_name, 0);
        close(t);
    }
    closedir(d);
}

int sp_fs_bucket_create(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    int rc = sp_fs_need_write(s, err);
    if (rc == 0)
        rc = sp_fs_check_bucket(bucket, err);
    if (rc != 0)
        return rc;
    if (mkdirat(s->root, bucket, 0777) == 0)
        return sp_fs_sync_dir(s, s->root, bucket, err);
    if (errno == EEXIST)
        return sp_fail(
            err, SP_E_EXISTS, SP_ORIGIN_BACKEND, "bucket \"%s\" exists already in %s", bucket, s->path);
    return sp_fs_errno(err, errno, "cannot create bucket \"%s\" in %s", bucket, s->path);
}

/* Buckets whose removal was cut short: nobody can name them any more. */
static void empty_trash(struct sp_session *s)
{
    int fd = openat(s->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char *path = sp_str_prefix(e->d_name, TRASH) ? sp_strdup_printf("%s/%s", s->path, e->d_name) : NULL;
        if (path != NULL)
            (void)sp_rmtree(path, NULL);
        free(path);
    }
    closedir(d);
}

/* Renamed away first: gone for every reader at once, whatever the removal meets. */
int sp_fs_bucket_drop(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    char hex[33], trash[64];
    char *path = NULL;
    int lock = -1, bfd = -1;
    int rc = sp_fs_need_write(s, err);
    if (rc != 0)
        return rc;
    bfd = sp_fs_bucket_open(s, bucket, err);
    if (bfd < 0)
        return bfd;
    rc = lock = sp_fs_lock(s, bucket, bfd, err);
    if (rc < 0)
        goto out;
    rc = sp_object_random_hex(hex, err);
    if (rc != 0)
        goto out;
    snprintf(trash, sizeof trash, "%s%s", TRASH, hex);
    if (renameat(s->root, bucket, s->root, trash) != 0) {
        rc = sp_fs_errno(err, errno, "cannot drop bucket \"%s\" in %s", bucket, s->path);
        goto out;
    }
    path = sp_strdup_printf("%s/%s", s->path, trash);
    if (path == NULL) {
        rc = sp_nomem(err);
        goto out;
    }
    /* A writer that opened the bucket before may still create and remove its temporary file. */
    for (int attempt = 0; attempt < 5; attempt++) {
        sp_error_clear(err);
        rc = sp_rmtree(path, err);
        if (rc == 0)
            break;
    }
    if (rc == 0) {
        rc = sp_fs_sync_dir(s, s->root, bucket, err);
    } else if (err != NULL) {
        sp_error_prefix(err, "bucket \"%s\" is gone, but not all of its files could be removed", bucket);
        err->origin = SP_ORIGIN_BACKEND;
        err->effect = SP_EFFECT_APPLIED;
    }
    empty_trash(s);
out:
    free(path);
    if (lock >= 0)
        close(lock);
    if (bfd >= 0)
        close(bfd);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int sp_fs_bucket_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    int fd = openat(s->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    int rc = 0;
    if (d == NULL) {
        rc = sp_fs_errno(err, errno, "cannot list the buckets of %s", s->path);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    for (;;) {
        struct stat st;
        errno = 0;
        struct dirent *e = readdir(d);
        if (e == NULL) {
            if (errno != 0)
                rc = sp_fs_errno(err, errno, "cannot list the buckets of %s", s->path);
            break;
        }
        if (!sp_fs_bucket_ok(e->d_name) || !sp_str_prefix(e->d_name, prefix != NULL ? prefix : ""))
            continue;
        if (fstatat(s->root, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(st.st_mode))
            continue;
        if (sp_names_add(out, e->d_name) != 0) {
            rc = sp_nomem(err);
            break;
        }
    }
    closedir(d);
    if (rc == 0 && out->n > 1)
        qsort(out->v, out->n, sizeof *out->v, by_name);
    return rc;
}
