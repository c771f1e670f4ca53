/* copy.c -- a private copy of a database whose content doesn't stand in its main file alone.
 *
 * The copy lives in a directory of its own (mode 0700) under TMPDIR, gets the frames of the WAL or the pages of the
 * journal folded in, and is unlinked as soon as it is open. The caller holds a shared lock and compares the file's
 * state before and after. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "providers/sqlite/internal.h"

#define CHUNK (1 << 20)

static int io_fail(const char *path, const char *what, struct sp_error *err)
{
    return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "%s %s: %s", what, path,
        errno == ENOSPC ? "no space left; set TMPDIR to a directory with room for the database"
                        : strerror(errno));
}

static int create(const char *path, int *fd, struct sp_error *err)
{
    *fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *fd < 0 ? io_fail(path, "cannot create", err) : 0;
}

static int copy_main(struct sq_file *f, const char *from, const char *to, char *chunk, struct sp_error *err)
{
    int64_t size = 0, at = 0;
    int fd, rc = sq_file_size(f, &size);
    if (rc != SQLITE_OK)
        return sq_error_code(rc, from, "cannot read", err);
    int ret = create(to, &fd, err);
    if (ret != 0)
        return ret;
    while (ret == 0 && at < size) {
        int n = size - at < CHUNK ? (int)(size - at) : CHUNK;
        rc = sq_file_read(f, chunk, n, at);
        if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
            ret = sq_error_code(rc, from, "cannot read", err);
        else
            ret = sp_write_all(fd, chunk, (size_t)n, err);
        at += n;
    }
    if (close(fd) != 0 && ret == 0)
        ret = io_fail(to, "cannot write", err);
    return ret;
}

/* SQLite holds no POSIX locks on -wal and -journal, so they may be opened plainly. */
static int copy_side(const char *from, const char *to, char *chunk, struct sp_error *err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), fd;
    if (in < 0)
        return errno == ENOENT ? 0 : io_fail(from, "cannot open", err); /* gone: the state check will tell */
    int ret = create(to, &fd, err);
    size_t got = CHUNK;
    while (ret == 0 && got == CHUNK) {
        ret = sp_read_all(in, chunk, CHUNK, &got, err);
        if (ret == 0)
            ret = sp_write_all(fd, chunk, got, err);
    }
    (void)close(in);
    if (fd >= 0 && close(fd) != 0 && ret == 0)
        ret = io_fail(to, "cannot write", err);
    return ret;
}

/* A journal that ends with the name of a super-journal belongs to a transaction over several files; rolling it back
 * could remove that other file, which is not ours. */
static int refuse_super_journal(const char *path, const char *journal, struct sp_error *err)
{
    static const uint8_t magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
    uint8_t tail[8];
    int fd = open(journal, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    off_t end = lseek(fd, 0, SEEK_END);
    bool found = end > 512 && pread(fd, tail, 8, end - 8) == 8 && memcmp(tail, magic, 8) == 0;
    (void)close(fd);
    if (!found)
        return 0;
    return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_BACKEND,
        "%s: an unfinished transaction over several files stands in its journal; open it once with its "
        "application so that it recovers",
        path);
}

/* Folds WAL or journal into the main file of the copy, so that it can be read alone. */
static int fold(const char *copy, const char *path, struct sp_error *err)
{
    sqlite3 *db = NULL;
    char *uri = sq_uri(copy, "mode=rw");
    if (uri == NULL)
        return sp_nomem(err);
    int rc = sqlite3_open_v2(uri, &db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    free(uri);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db,
            "PRAGMA synchronous=OFF; SELECT count(*) FROM sqlite_schema; PRAGMA wal_checkpoint(TRUNCATE);"
            "PRAGMA journal_mode=DELETE",
            NULL, NULL, NULL);
    int close_rc = sqlite3_close(db);
    if (rc == SQLITE_OK)
        rc = close_rc;
    return rc == SQLITE_OK ? 0 : sq_error_code(rc, path, "cannot recover a private copy", err);
}

int sq_private_copy(
    struct sq_file *f, const char *path, bool wal, bool journal, char **copy, struct sp_error *err)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = sp_strdup_printf("%s/switchproof-XXXXXX", tmp == NULL || *tmp == '\0' ? "/tmp" : tmp);
    char *chunk = malloc(CHUNK), *from = NULL, *to = NULL;
    const char *suffix = wal ? "-wal" : "-journal";
    int ret;
    *copy = NULL;
    if (dir == NULL || chunk == NULL) {
        ret = sp_nomem(err);
        goto out;
    }
    if (mkdtemp(dir) == NULL) {
        ret = io_fail(dir, "cannot create the directory", err);
        goto out;
    }
    *copy = sp_strdup_printf("%s/copy.db", dir);
    from = sp_strdup_printf("%s%s", path, suffix);
    to = sp_strdup_printf("%s/copy.db%s", dir, suffix);
    if (*copy == NULL || from == NULL || to == NULL) {
        (void)rmdir(dir);
        ret = sp_nomem(err);
        goto out;
    }
    ret = journal ? refuse_super_journal(path, from, err) : 0;
    if (ret == 0)
        ret = copy_main(f, path, *copy, chunk, err);
    if (ret == 0 && (wal || journal))
        ret = copy_side(from, to, chunk, err);
    if (ret == 0)
        ret = fold(*copy, path, err);
out:
    free(dir);
    free(chunk);
    free(from);
    free(to);
    return ret;
}

void sq_private_unlink(char *copy)
{
    char *slash = strrchr(copy, '/');
    if (slash != NULL) {
        *slash = '\0';
        struct sp_error err = SP_ERROR_INIT;
        if (sp_rmtree(copy, &err) != 0)
            sp_error_clear(&err);
    }
    free(copy);
}
