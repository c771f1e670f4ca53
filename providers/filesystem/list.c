/* list.c -- keys under a prefix, bytewise ascending, in pages.
 *
 * A page reads the directory's names and keeps those behind the cursor; only the page's own entries are opened. The
 * cursor is the last entry given: "k" and its key, or "p" and its common prefix, all of whose keys are done. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "internal.h"

struct entry {
    const char *key;
    char name[SP_FS_NAME];
};

struct found {
    struct sp_arena arena;
    struct entry *v;
    size_t n, cap;
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->key, ((const struct entry *)b)->key);
}

static bool behind(const char *key, const char *cursor)
{
    if (cursor == NULL)
        return true;
    if (cursor[0] == 'p' && sp_str_prefix(key, cursor + 1))
        return false;
    return strcmp(key, cursor + 1) > 0;
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

static int collect(int bfd, const char *prefix, const char *cursor, struct found *f, struct sp_error *err)
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
        rc = key_of(bfd, e->d_name, &f->arena, &key, err);
        if (rc != 0 || key == NULL || !sp_str_prefix(key, prefix) || !behind(key, cursor))
            continue;
        if (f->n == f->cap) {
            struct entry *v = sp_arena_grow(&f->arena, f->v, &f->cap, f->n + 1, sizeof *v);
            if (v == NULL) {
                rc = sp_nomem(err);
                break;
            }
            f->v = v;
        }
        f->v[f->n].key = key;
        sp_strlcpy(f->v[f->n].name, e->d_name, SP_FS_NAME);
        f->n++;
    }
    closedir(d);
    if (rc == 0 && f->n > 1)
        qsort(f->v, f->n, sizeof *f->v, by_key);
    return rc;
}

/* Length of the common prefix that stands for this key, 0 if it stands for itself. */
static size_t group(const char *key, size_t nprefix, const char *delimiter)
{
    const char *at = delimiter[0] != '\0' ? strstr(key + nprefix, delimiter) : NULL;
    return at != NULL ? (size_t)(at - key) + strlen(delimiter) : 0;
}

static int page(int bfd, struct sp_arena *a, const struct found *f, size_t nprefix, const char *delimiter,
    size_t limit, struct sp_object **out, size_t *nout, const char **cursor, struct sp_error *err)
{
    size_t i = 0, n = 0, cap = limit < f->n ? limit : f->n;
    struct sp_object *v = sp_arena_array(a, cap + 1, sizeof *v);
    bool last_is_prefix = false;
    if (v == NULL)
        return sp_nomem(err);
    while (i < f->n && n < limit) {
        const char *key = f->v[i].key;
        size_t g = group(key, nprefix, delimiter);
        if (g != 0) {
            v[n].key = sp_arena_strn(a, key, g);
            v[n].is_prefix = true;
            if (v[n].key == NULL)
                return sp_nomem(err);
            while (i < f->n && strncmp(f->v[i].key, v[n].key, g) == 0)
                i++;
        } else {
            struct sp_fs_file file;
            int rc = sp_fs_file_open(bfd, f->v[i].name, key, a, &file, err);
            i++;
            if (rc == -SP_E_NOT_FOUND) { /* deleted since */
                sp_error_clear(err);
                continue;
            }
            if (rc != 0)
                return rc;
            close(file.fd);
            v[n] = file.obj;
        }
        last_is_prefix = v[n].is_prefix;
        n++;
    }
    *out = v;
    *nout = n;
    *cursor = NULL;
    if (i < f->n) {
        *cursor = sp_arena_printf(a, "%c%s", last_is_prefix ? 'p' : 'k', v[n - 1].key);
        if (*cursor == NULL)
            return sp_nomem(err);
    }
    return 0;
}

int sp_fs_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err)
{
    struct found f = { SP_ARENA_INIT, NULL, 0, 0 };
    const char *from = cursor != NULL ? *cursor : NULL, *next = NULL;
    *out = NULL;
    *n = 0;
    if (limit == 0)
        return sp_fail(
            err, SP_E_INVALID, SP_ORIGIN_BACKEND, "a page of 0 entries would never end the listing");
    if (from != NULL && from[0] != 'k' && from[0] != 'p')
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "the cursor was not given out by a listing");
    prefix = prefix != NULL ? prefix : "";
    int bfd = sp_fs_bucket_open(s, bucket, err);
    if (bfd < 0)
        return bfd;
    int rc = collect(bfd, prefix, from, &f, err);
    if (rc == 0)
        rc = page(bfd, a, &f, strlen(prefix), delimiter != NULL ? delimiter : "", limit, out, n, &next, err);
    if (rc == 0 && next != NULL && cursor == NULL)
        rc = sp_fail(
            err, SP_E_INVALID, SP_ORIGIN_BACKEND, "more than %zu entries, and no cursor to go on", limit);
    if (rc == 0 && cursor != NULL)
        *cursor = next;
    close(bfd);
    sp_arena_free(&f.arena);
    return rc;
}
