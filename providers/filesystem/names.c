/* names.c -- the keys of a bucket in byte order.
 *
 * A directory has no order, so a page alone costs a pass over all names. The session remembers the last bucket's keys,
 * and a walk over all pages costs one pass, as long as nobody changes the bucket meanwhile. That is known from the
 * directory's times: every change sets them to the clock of the kernel, so once they lie further back than that clock's
 * grain (a tick; two seconds on FAT), a later change cannot leave them as they are. Network file systems take their
 * times from another machine's clock; there nothing is remembered. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "internal.h"

#define MOST_BYTES   (64u << 20) /* of remembered keys; above, each page costs its pass */
#define GRAIN_NS     20000000    /* of times with fractions of a second */
#define GRAIN_OLD_NS 2100000000

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The key of a directory entry, in the arena. *out NULL: deleted since its name was read. */
static int key_of(int bfd, const char *name, struct sp_arena *a, const char **out, struct sp_error *err)
{
    char key[SP_FS_KEY_BYTES + 1];
    bool hashed;
    *out = NULL;
    if (!sp_fs_name_decode(name, key, &hashed))
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "file \"%s\" in the bucket looks like an object, but no key has this name", name);
    if (hashed) {
        struct sp_fs_file f;
        int rc = sp_fs_file_open(bfd, name, NULL, a, &f, err);
        if (rc == -SP_E_NOT_FOUND) {
            sp_error_clear(err);
            return 0;
        }
        if (rc != 0)
            return rc;
        close(f.fd);
        *out = f.obj.key;
        return 0;
    }
    *out = sp_arena_str(a, key);
    return *out != NULL ? 0 : sp_nomem(err);
}

static int add(struct sp_fs_keys *k, const char *key, struct sp_error *err)
{
    if (k->n == k->cap) {
        size_t cap = k->cap == 0 ? 256 : k->cap * 2;
        const char **v = cap > SIZE_MAX / sizeof *v ? NULL : realloc(k->v, cap * sizeof *v);
        if (v == NULL)
            return sp_nomem(err);
        k->v = v;
        k->cap = cap;
    }
    k->v[k->n++] = key;
    return 0;
}

static int collect(int bfd, struct sp_fs_keys *k, struct sp_error *err)
{
    int fd = openat(bfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    int rc = 0;
    if (d == NULL) {
        rc = sp_fs_errno(err, errno, "cannot list the bucket");
        if (fd >= 0)
            close(fd);
        return rc;
    }
    while (rc == 0) {
        errno = 0;
        struct dirent *e = readdir(d);
        if (e == NULL) {
            if (errno != 0)
                rc = sp_fs_errno(err, errno, "cannot list the bucket");
            break;
        }
        const char *key;
        if (!sp_fs_name_is_object(e->d_name))
            continue;
        rc = key_of(bfd, e->d_name, &k->arena, &key, err);
        if (rc == 0 && key != NULL)
            rc = add(k, key, err);
    }
    closedir(d);
    if (rc == 0 && k->n > 1)
        qsort(k->v, k->n, sizeof *k->v, by_key);
    return rc;
}

/* File systems whose directories carry the time of this machine's kernel. */
static bool is_local(int bfd)
{
    static const long local[] = { 0xEF53 /* ext */, 0x01021994 /* tmpfs */, 0x58465342 /* xfs */,
        0x9123683E /* btrfs */, 0x794C7630 /* overlay */, 0x4d44 /* vfat */, 0x2FC12FC1 /* zfs */,
        0xF2F52010 /* f2fs */, 0x858458f6 /* ramfs */, 0x2011BAB0 /* exfat */ };
    struct statfs f;
    if (fstatfs(bfd, &f) != 0)
        return false;
    for (size_t i = 0; i < SP_LEN(local); i++)
        if ((long)f.f_type == local[i])
            return true;
    return false;
}

static bool is_older(const struct timespec *t, const struct timespec *now)
{
    int64_t age = ((int64_t)now->tv_sec - t->tv_sec) * 1000000000 + (now->tv_nsec - t->tv_nsec);
    return age > (t->tv_nsec != 0 ? GRAIN_NS : GRAIN_OLD_NS);
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool holds(const struct sp_fs_keys *k, const struct stat *st)
{
    return k->kept && k->st.st_dev == st->st_dev && k->st.st_ino == st->st_ino &&
           same_time(&k->st.st_mtim, &st->st_mtim) && same_time(&k->st.st_ctim, &st->st_ctim);
}

void sp_fs_keys_forget(struct sp_fs_keys *k)
{
    free(k->v);
    sp_arena_free(&k->arena);
    *k = (struct sp_fs_keys){ .arena = SP_ARENA_INIT };
}

int sp_fs_keys_read(struct sp_session *s, int bfd, const struct sp_fs_keys **out, struct sp_error *err)
{
    struct sp_fs_keys *k = &s->keys;
    struct timespec now;
    struct stat st;
    *out = k;
    if (fstat(bfd, &st) != 0)
        return sp_fs_errno(err, errno, "cannot list the bucket");
    if (holds(k, &st))
        return 0;
    sp_fs_keys_forget(k);
    /* The clock first: what changes after this moment has a time that is not older. */
    clock_gettime(CLOCK_REALTIME, &now);
    int rc = collect(bfd, k, err);
    if (rc != 0) {
        sp_fs_keys_forget(k);
        return rc;
    }
    k->st = st;
    k->kept = k->arena.total <= MOST_BYTES && is_older(&st.st_mtim, &now) && is_older(&st.st_ctim, &now) &&
              is_local(bfd);
    return 0;
}
