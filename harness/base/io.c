/* io.c -- whole files, atomic replacement, directories. */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

#define CHUNK ((size_t)1 << 30) /* one read or write; Linux itself stops at 2 GiB */

static enum sp_code code_of(int e)
{
    switch (e) {
    case ENOENT:
        return SP_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return SP_E_PERMISSION;
    case EEXIST:
        return SP_E_EXISTS;
    case ENOMEM:
        return SP_E_NOMEM;
    default:
        return SP_E_IO;
    }
}

static int fail_errno(struct sp_error *err, int e, const char *what, const char *path)
{
    int rc =
        path != NULL
            ? sp_fail(err, code_of(e), SP_ORIGIN_HARNESS, "cannot %s %s: %s", what, path, strerrordesc_np(e))
            : sp_fail(err, code_of(e), SP_ORIGIN_HARNESS, "cannot %s: %s", what, strerrordesc_np(e));
    sp_error_native(err, strerrorname_np(e));
    return rc;
}

/* True if the call that set errno is to be made again, after waiting where the descriptor does not block. */
static bool again(int fd, short events)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        struct pollfd p = { .fd = fd, .events = events };
        return poll(&p, 1, -1) >= 0 || errno == EINTR;
    }
    return errno == EINTR;
}

static int write_fd(int fd, const void *p, size_t n)
{
    const char *s = p;
    while (n > 0) {
        ssize_t got = write(fd, s, n < CHUNK ? n : CHUNK);
        if (got < 0) {
            if (!again(fd, POLLOUT)) {
                return errno;
            }
            continue;
        }
        s += got;
        n -= (size_t)got;
    }
    return 0;
}

static int read_fd(int fd, void *p, size_t n, size_t *got)
{
    *got = 0;
    while (*got < n) {
        size_t want = n - *got;
        ssize_t r = read(fd, (char *)p + *got, want < CHUNK ? want : CHUNK);
        if (r == 0) {
            break;
        }
        if (r > 0) {
            *got += (size_t)r;
        } else if (!again(fd, POLLIN)) {
            return errno;
        }
    }
    return 0;
}

int sp_write_all(int fd, const void *p, size_t n, struct sp_error *err)
{
    int e = write_fd(fd, p, n);
    return e == 0 ? 0 : fail_errno(err, e, "write", NULL);
}

int sp_read_all(int fd, void *p, size_t n, size_t *got, struct sp_error *err)
{
    int e = read_fd(fd, p, n, got);
    return e == 0 ? 0 : fail_errno(err, e, "read", NULL);
}

int sp_read_file(const char *path, size_t max, struct sp_buf *out, struct sp_error *err)
{
    sp_buf_clear(out);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(err, errno, "open", path);
    }
    int rc = 0;
    struct stat st;
    size_t step = 4096;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (uintmax_t)st.st_size <= max) {
        step = (size_t)st.st_size + 1; /* one more: so the end is seen without growing the buffer */
    }
    /* The size above is only a hint: pipes have none, and a file may grow while it is read. */
    for (;;) {
        size_t left = max - out->n, got = 0;
        size_t want = left < step ? left + (left < SIZE_MAX ? 1 : 0) : step;
        if (sp_buf_reserve(out, want) != 0) {
            rc = sp_nomem(err);
            break;
        }
        int e = read_fd(fd, out->p + out->n, want, &got);
        if (e != 0) {
            rc = fail_errno(err, e, "read", path);
            break;
        }
        if (got > left) {
            rc = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS,
                "%s is larger than the %zu bytes allowed for this file", path, max);
            break;
        }
        out->n += got;
        out->p[out->n] = '\0';
        if (got < want) {
            break;
        }
        step = out->n > 4096 ? out->n : 4096;
    }
    (void)close(fd);
    if (rc != 0) {
        sp_buf_clear(out);
    }
    return rc;
}

/* A new file of a name of its own beside `path`; its name goes to tmp. Returns the descriptor or -errno.
 * Not mkstemp(): its mode 0600 could only be corrected by reading the umask, which threads share. */
static int create_beside(const char *path, char tmp[PATH_MAX])
{
    static atomic_uint counter;
    const char *slash = strrchr(path, '/');
    size_t dir = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    for (int tries = 0; tries < 1000; tries++) {
        if (dir >= PATH_MAX) {
            return -ENAMETOOLONG;
        }
        memcpy(tmp, path, dir);
        int n = snprintf(tmp + dir, PATH_MAX - dir, ".switchproof-%ld-%u.tmp", (long)getpid(),
            atomic_fetch_add(&counter, 1u));
        if (n < 0 || (size_t)n >= PATH_MAX - dir) {
            return -ENAMETOOLONG;
        }
        int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0 || errno != EEXIST) {
            return fd >= 0 ? fd : -errno;
        }
    }
    return -EEXIST;
}

static void sync_directory_of(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (n >= sizeof dir) {
        return;
    }
    memcpy(dir, path, n);
    (void)sp_strlcpy(dir + n, ".", sizeof dir - n);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* the new file is in place already; not every file system can do this */
        (void)close(fd);
    }
}

/* Fills, syncs and closes fd. Returns 0 or errno. */
static int fill(int fd, const void *p, size_t n, const struct stat *old)
{
    int e = write_fd(fd, p, n);
    if (e == 0 && old != NULL && fchmod(fd, old->st_mode & 07777) != 0) {
        e = errno;
    }
    if (e == 0 && fsync(fd) != 0 && errno != EINVAL && errno != EROFS) {
        e = errno;
    }
    if (close(fd) != 0 && e == 0 && errno != EINTR) {
        e = errno;
    }
    return e;
}

int sp_write_file_atomic(const char *path, const void *p, size_t n, struct sp_error *err)
{
    char *real = NULL;
    char tmp[PATH_MAX];
    struct stat old;
    bool exists = lstat(path, &old) == 0;
    const char *target = path;
    int rc = 0;
    if (exists && S_ISLNK(old.st_mode)) { /* the file behind a link is replaced, not the link */
        real = realpath(path, NULL);
        if (real == NULL || stat(real, &old) != 0) {
            rc = fail_errno(err, errno, "follow the symbolic link", path);
            goto out;
        }
        target = real;
    }
    if (exists && !S_ISREG(old.st_mode)) { /* a rename over /dev/null would take it away from everybody */
        rc = sp_invalid(err, "cannot write %s: it exists and is not a regular file; name another file", path);
        goto out;
    }
    int fd = create_beside(target, tmp);
    if (fd < 0) {
        rc = fail_errno(err, -fd, "create a file beside", path);
        goto out;
    }
    int e = fill(fd, p, n, exists ? &old : NULL);
    if (e == 0 && rename(tmp, target) != 0) {
        e = errno;
    }
    if (e != 0) {
        (void)unlink(tmp);
        rc = fail_errno(err, e, "write", path);
        goto out;
    }
    sync_directory_of(target);
out:
    free(real);
    return rc;
}

static bool is_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int sp_mkdirs(const char *path, struct sp_error *err)
{
    if (*path == '\0') {
        return sp_invalid(err, "cannot create a directory without a name");
    }
    char *part = strdup(path);
    if (part == NULL) {
        return sp_nomem(err);
    }
    int rc = 0;
    for (size_t i = 1; rc == 0; i++) {
        char c = part[i];
        if (c != '/' && c != '\0') {
            continue;
        }
        part[i] = '\0';
        /* Somebody else may create it at the same moment, so the attempt comes before the question. */
        if (mkdir(part, 0777) != 0) {
            int e = errno;
            if (!is_directory(part)) {
                rc = fail_errno(err, e, "create the directory", part);
            }
        }
        part[i] = c;
        if (c == '\0') {
            break;
        }
    }
    free(part);
    return rc;
}

/* Unlinks what is in the directory `path` except directories; the first of those is appended to `path`.
 * Returns 1 if one was, 0 if the directory is empty now, -errno. */
static int empty_level(struct sp_buf *path)
{
    int fd = open(path->p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (d == NULL) {
        int e = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return -e;
    }
    int rc = 0;
    while (rc == 0) {
        errno = 0;
        const struct dirent *entry = readdir(d);
        if (entry == NULL) {
            rc = -errno;
            break;
        }
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
            continue;
        }
        struct stat st;
        if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            rc = errno == ENOENT ? 0 : -errno;
        } else if (S_ISDIR(st.st_mode)) {
            rc = sp_buf_putc(path, '/') == 0 && sp_buf_puts(path, name) == 0 ? 1 : -ENOMEM;
        } else if (unlinkat(fd, name, 0) != 0 && errno != ENOENT) {
            rc = -errno;
        }
    }
    (void)closedir(d);
    return rc;
}

int sp_rmtree(const char *path, struct sp_error *err)
{
    struct sp_buf at = SP_BUF_INIT;
    struct stat st;
    int rc = 0;
    size_t root = strlen(path);
    while (root > 0 && path[root - 1] == '/') { /* "link/" would be the directory behind the link */
        root--;
    }
    if (root == 0) {
        return sp_invalid(err, "refusing to remove '%s'", path);
    }
    if (sp_buf_put(&at, path, root) != 0) {
        rc = sp_nomem(err);
        goto out;
    }
    if (lstat(at.p, &st) != 0) {
        rc = errno == ENOENT ? 0 : fail_errno(err, errno, "remove", path);
        goto out;
    }
    if (!S_ISDIR(st.st_mode)) {
        rc = unlink(at.p) == 0 || errno == ENOENT ? 0 : fail_errno(err, errno, "remove", path);
        goto out;
    }
    /* Down into the first subdirectory, up when a level is empty: no recursion, one descriptor. */
    for (;;) {
        int found = empty_level(&at);
        if (found > 0) {
            continue;
        }
        if (found == 0 && rmdir(at.p) != 0) {
            found = -errno;
        }
        if (found < 0 && found != -ENOENT) {
            rc = found == -ENOMEM ? sp_nomem(err) : fail_errno(err, -found, "remove", at.p);
            goto out;
        }
        if (at.n == root) {
            goto out;
        }
        at.n = (size_t)((char *)memrchr(at.p, '/', at.n) - at.p);
        at.p[at.n] = '\0';
    }
out:
    sp_buf_free(&at);
    return rc;
}

int sp_path_join(char *out, size_t size, const char *a, const char *b, struct sp_error *err)
{
    if (size > 0) {
        out[0] = '\0';
    }
    if (*b == '/') { /* neither dropping `a` nor dropping the slash would be what somebody meant */
        return sp_invalid(err, "expected a relative path, not '%s'", b);
    }
    size_t n = strlen(a);
    const char *between = n > 0 && *b != '\0' && a[n - 1] != '/' ? "/" : "";
    int len = snprintf(out, size, "%s%s%s", a, between, b);
    if (len < 0 || (size_t)len >= size) {
        if (size > 0) {
            out[0] = '\0';
        }
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, "path too long: %s%s%s", a, between, b);
    }
    return 0;
}
