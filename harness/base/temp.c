/* temp.c -- files without a name. */
#include "base/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static const char *directory(void)
{
    const char *dir = getenv("TMPDIR");
    return dir != NULL && *dir != '\0' ? dir : "/tmp";
}

static int file_failed(int error, const char *what, struct sp_error *err)
{
    return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS,
        "a temporary file in %s, for what does not fit into memory, could not be %s: %s; set TMPDIR to a "
        "directory with more room",
        directory(), what, strerror(error));
}

int sp_temp_open(struct sp_error *err)
{
    int fd = open(directory(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    char *path = sp_strdup_printf("%s/switchproof-XXXXXX", directory());
    if (path == NULL)
        return sp_nomem(err);
    fd = mkostemp(path, O_CLOEXEC);
    int error = errno;
    if (fd >= 0)
        (void)unlink(path);
    free(path);
    return fd >= 0 ? fd : file_failed(error, "made", err);
}

int sp_temp_write(int fd, const void *data, size_t n, uint64_t at, struct sp_error *err)
{
    for (const char *p = data; n > 0;) {
        ssize_t k = pwrite(fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return file_failed(k == 0 ? ENOSPC : errno, "written", err);
        p += k;
        at += (uint64_t)k;
        n -= (size_t)k;
    }
    return 0;
}

int sp_temp_read(int fd, void *data, size_t n, uint64_t at, struct sp_error *err)
{
    for (char *p = data; n > 0;) {
        ssize_t k = pread(fd, p, n, (off_t)at);
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return file_failed(k == 0 ? EIO : errno, "read", err);
        p += k;
        at += (uint64_t)k;
        n -= (size_t)k;
    }
    return 0;
}
