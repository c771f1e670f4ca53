/* filesystem.c -- the provider: sessions, what the file system says of itself, the table. */
#include "filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "internal.h"

#define URL_SCHEME "filesystem:"

static int fs_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    struct sp_session *s = NULL;
    bool durable = true;
    const char *dir = e->url != NULL && sp_str_prefix(e->url, URL_SCHEME) ? e->url + strlen(URL_SCHEME) : "";
    const char *opt = sp_endpoint_option(e, "durable", "true");
    int rc;
    *out = NULL;
    if (dir[0] == '\0')
        return sp_invalid(err, "the URL has no directory: expected filesystem:DIR");
    if (!sp_parse_bool(opt, &durable))
        return sp_invalid(err, "option durable: \"%s\" is neither true nor false", opt);
    if (e->access != SP_ACCESS_READ_ONLY) {
        rc = sp_mkdirs(dir, err);
        if (rc != 0)
            return rc;
    }
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return sp_nomem(err);
    s->base.endpoint = e;
    s->base.provider = &sp_provider_filesystem;
    s->writable = e->access != SP_ACCESS_READ_ONLY;
    s->durable = durable;
    s->root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->path = s->root >= 0 ? realpath(dir, NULL) : NULL;
    if (s->path != NULL) {
        *out = s;
        return 0;
    }
    int eno = errno;
    rc = sp_fs_errno(err, eno, "cannot open directory %s", dir);
    if (rc == -SP_E_NOT_FOUND || rc == -SP_E_CORRUPT)
        rc = sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_BACKEND, "%s: %s; name an existing directory", dir,
            eno == ENOENT ? "there is no such directory" : "this is not a directory");
    if (s->root >= 0)
        close(s->root);
    free(s);
    return rc;
}

static void fs_close(struct sp_session *s)
{
    if (s == NULL)
        return;
    close(s->root);
    sp_names_free(&s->swept);
    sp_fs_keys_forget(&s->keys);
    free(s->path);
    free(s);
}

static int fs_ping(struct sp_session *s, struct sp_error *err)
{
    struct stat open_st, named_st;
    if (fstat(s->root, &open_st) == 0 && stat(s->path, &named_st) == 0 && open_st.st_ino == named_st.st_ino &&
        open_st.st_dev == named_st.st_dev)
        return 0;
    return sp_fail(
        err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, "directory %s was removed or replaced", s->path);
}

/* The type of the mount with this device, as the kernel names it; the magic number tells ext2 from ext4 no more. */
static bool mount_type(dev_t dev, char *out, size_t size)
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    char *line = NULL, want[64];
    size_t cap = 0;
    bool found = false;
    if (f == NULL)
        return false;
    snprintf(want, sizeof want, "%u:%u", major(dev), minor(dev));
    while (!found && getline(&line, &cap, f) > 0) {
        char have[64];
        char *dash = strstr(line, " - ");
        if (dash == NULL || sscanf(line, "%*d %*d %63s", have) != 1 || strcmp(have, want) != 0)
            continue;
        dash += 3;
        dash[strcspn(dash, " \n")] = '\0';
        found = sp_strlcpy(out, dash, size);
    }
    free(line);
    fclose(f);
    return found;
}

static const char *magic_name(long magic)
{
    static const struct {
        long magic;
        const char *name;
    } known[] = {
        { 0xEF53, "ext2/3/4" },
        { 0x01021994, "tmpfs" },
        { 0x58465342, "xfs" },
        { 0x9123683E, "btrfs" },
        { 0x794C7630, "overlay" },
        { 0x6969, "nfs" },
        { 0x4d44, "vfat" },
        { 0x2FC12FC1, "zfs" },
        { 0x01021997, "9p" },
        { 0x65735546, "fuse" },
    };
    for (size_t i = 0; i < SP_LEN(known); i++)
        if (known[i].magic == magic)
            return known[i].name;
    return "unknown file system";
}

static const enum sp_cap_id writing[] = { SP_CAP_BUCKETS, SP_CAP_PUT, SP_CAP_DELETE, SP_CAP_COPY, SP_CAP_MOVE,
    SP_CAP_METADATA, SP_CAP_CONTENT_TYPE, SP_CAP_IF_NONE_MATCH, SP_CAP_IF_MATCH, SP_CAP_CHECKSUM,
    SP_CAP_MULTIPART, SP_CAP_PART_ORDER };

static int fs_effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    struct utsname u;
    struct stat st;
    struct statfs fs;
    char type[48];
    const char *why = NULL;
    int rc = fs_ping(s, err);
    if (rc != 0)
        return rc;
    if (uname(&u) != 0 || fstat(s->root, &st) != 0 || fstatfs(s->root, &fs) != 0)
        return sp_fs_errno(err, errno, "cannot ask for the file system of %s", s->path);
    if (!mount_type(st.st_dev, type, sizeof type))
        sp_strlcpy(type, magic_name((long)fs.f_type), sizeof type);
    facts->fidelity = SP_FID_REAL;
    snprintf(
        facts->server_version, sizeof facts->server_version, "%.16s %.24s %s", u.sysname, u.release, type);
    snprintf(facts->notes, sizeof facts->notes, "%s, %llu MiB free%s",
        s->durable ? "every write is synced" : "writes are not synced",
        (unsigned long long)fs.f_bavail * (unsigned long long)fs.f_bsize / 1048576,
        s->writable ? "" : ", opened read-only");
    if (!s->writable)
        why = "the session is read-only";
    else if (faccessat(s->root, ".", W_OK | X_OK, AT_EACCESS) != 0)
        why = "no permission to write in the directory";
    for (size_t i = 0; why != NULL && i < SP_LEN(writing); i++) {
        out[writing[i]].level = SP_CAP_NO;
        out[writing[i]].why = why;
    }
    if (why != NULL && !sp_fs_sign_possible(s)) {
        out[SP_CAP_SIGNED_URL].level = out[SP_CAP_SIGNED_PUT].level = SP_CAP_NO;
        out[SP_CAP_SIGNED_URL].why = out[SP_CAP_SIGNED_PUT].why =
            "there is no signing key, and none can be made";
    }
    if (fs.f_type == 0x4d44) {
        out[SP_CAP_OBJECT_BYTES].limit = INT64_C(4294967295) - SP_FS_META_BYTES - 88;
        out[SP_CAP_OBJECT_BYTES].why = "a file on FAT ends at 4 GiB";
    }
    return 0;
}

static const char *fs_library(void)
{
    return "none (system calls)";
}

static const struct sp_provider_option options[] = {
    { "durable", "bool", "true", "wait until each write is on the disk (fsync); false is faster", false },
    { 0 },
};

#define YES                                                                                                  \
    {                                                                                                        \
        .level = SP_CAP_YES                                                                                  \
    }
static const struct sp_cap declared[SP_CAP_N] = {
    [SP_CAP_BUCKETS] = YES,
    [SP_CAP_PUT] = YES,
    [SP_CAP_GET] = YES,
    [SP_CAP_RANGE] = YES,
    [SP_CAP_HEAD] = YES,
    [SP_CAP_LIST] = YES,
    [SP_CAP_DELIMITER] = YES,
    [SP_CAP_DELETE] = YES,
    [SP_CAP_COPY] = YES,
    [SP_CAP_MOVE] = YES,
    [SP_CAP_METADATA] = YES,
    [SP_CAP_CONTENT_TYPE] = YES,
    [SP_CAP_IF_NONE_MATCH] = YES,
    [SP_CAP_IF_MATCH] = YES,
    [SP_CAP_CHECKSUM] = YES,
    [SP_CAP_SIGNED_URL] = YES,
    [SP_CAP_SIGNED_PUT] = YES,
    [SP_CAP_MULTIPART] = YES,
    [SP_CAP_PART_ORDER] = YES,
    [SP_CAP_KEY_BYTES] = { .level = SP_CAP_YES, .limit = SP_FS_KEY_BYTES },
    [SP_CAP_KEYS_ANY] = YES,
    [SP_CAP_OBJECT_BYTES] = { .level = SP_CAP_YES, .limit = INT64_MAX },
};

static const struct sp_loss losses[] = { { 0 } };

static const struct sp_blob_ops blob = {
    .bucket_create = sp_fs_bucket_create,
    .bucket_drop = sp_fs_bucket_drop,
    .bucket_list = sp_fs_bucket_list,
    .put = sp_fs_put,
    .get = sp_fs_get,
    .head = sp_fs_head,
    .list = sp_fs_list,
    .del = sp_fs_del,
    .copy = sp_fs_copy,
    .move = sp_fs_move,
    .sign = sp_fs_sign,
    .fetch_signed = sp_fs_fetch_signed,
    .upload_begin = sp_fs_upload_begin,
    .upload_part = sp_fs_upload_part,
    .upload_complete = sp_fs_upload_complete,
    .upload_abort = sp_fs_upload_abort,
};

const struct sp_provider sp_provider_filesystem = {
    .kind = "filesystem",
    .scheme = "filesystem",
    .summary = "objects as files below a directory",
    .library = fs_library,
    .options = options,
    .declared = declared,
    .losses = losses,
    .open = fs_open,
    .effective = fs_effective,
    .ping = fs_ping,
    .close = fs_close,
    .blob = &blob,
};
