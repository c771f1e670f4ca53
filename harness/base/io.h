/* io.h -- files, whole and atomic. Paths are plain C strings; `err` says path and reason. Any thread. */
#ifndef SP_BASE_IO_H
#define SP_BASE_IO_H

#include <stddef.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/error.h"

/* Replaces what is in `out`; more than `max` bytes: -SP_E_TOO_LARGE. Absent: -SP_E_NOT_FOUND. */
int sp_read_file(const char *path, size_t max, struct sp_buf *out, struct sp_error *err);
/* Writes to a temporary name in the same directory, fsyncs, renames. On failure the old file stays as it was. */
int sp_write_file_atomic(const char *path, const void *p, size_t n, struct sp_error *err);
int sp_mkdirs(const char *path, struct sp_error *err); /* like mkdir -p, mode 0777 & ~umask */
int sp_rmtree(const char *path, struct sp_error *err); /* does not follow symbolic links; absent is fine */
/* a/b with one slash between; `b` must be relative. `out` is "" on failure. */
int sp_path_join(char *out, size_t size, const char *a, const char *b, struct sp_error *err);
/* EINTR-safe, all or error. */
int sp_write_all(int fd, const void *p, size_t n, struct sp_error *err);
int sp_read_all(
    int fd, void *p, size_t n, size_t *got, struct sp_error *err); /* *got < n only at end of file */

#endif
