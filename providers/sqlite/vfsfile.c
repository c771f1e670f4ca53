/* vfsfile.c -- the user's file, read through SQLite's own VFS.
 *
 * POSIX drops all of a process's locks on a file when any descriptor of it is closed. SQLite's VFS keeps book of that
 * and closes late; a plain open(2) here would take the locks away from another session of this process. */
#include <stdlib.h>
#include <string.h>

#include "providers/sqlite/internal.h"

struct sq_file {
    sqlite3_filename name;
    bool locked;
    sqlite3_file *f; /* behind the struct */
};

int sq_file_open(const char *path, struct sq_file **out, struct sp_error *err)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    if (vfs == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "SQLite has no default VFS");
    char full[4096];
    int named = vfs->mxPathname < (int)sizeof full ? vfs->xFullPathname(vfs, path, (int)sizeof full, full)
                                                   : SQLITE_CANTOPEN;
    if ((named & 0xff) != SQLITE_OK) /* that a symbolic link was followed is no error */
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_HARNESS, "%s: the path is too long or not usable", path);
    struct sq_file *f = calloc(1, sizeof *f);
    sqlite3_file *inner = calloc(1, (size_t)vfs->szOsFile);
    sqlite3_filename name = sqlite3_create_filename(full, "", "", 0, NULL);
    if (f == NULL || inner == NULL || name == NULL) {
        free(f);
        free(inner);
        sqlite3_free_filename(name);
        return sp_nomem(err);
    }
    f->name = name;
    f->f = inner;
    int flags = 0;
    int rc = vfs->xOpen(vfs, name, inner, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, &flags);
    if (rc != SQLITE_OK) {
        if (inner->pMethods != NULL)
            inner->pMethods->xClose(inner);
        free(inner);
        sqlite3_free_filename(name);
        free(f);
        return sq_error_code(rc, path, "cannot open", err);
    }
    *out = f;
    return 0;
}

int sq_file_lock_shared(struct sq_file *f)
{
    int rc = f->f->pMethods->xLock(f->f, SQLITE_LOCK_SHARED);
    f->locked = rc == SQLITE_OK;
    return rc;
}

bool sq_file_reserved(struct sq_file *f)
{
    int held = 0;
    return f->f->pMethods->xCheckReservedLock(f->f, &held) == SQLITE_OK && held != 0;
}

int sq_file_read(struct sq_file *f, void *p, int n, int64_t offset)
{
    return f->f->pMethods->xRead(f->f, p, n, offset);
}

int sq_file_size(struct sq_file *f, int64_t *size)
{
    sqlite3_int64 v = 0;
    int rc = f->f->pMethods->xFileSize(f->f, &v);
    *size = v;
    return rc;
}

void sq_file_close(struct sq_file *f)
{
    if (f == NULL)
        return;
    if (f->locked)
        f->f->pMethods->xUnlock(f->f, SQLITE_LOCK_NONE);
    f->f->pMethods->xClose(f->f);
    free(f->f);
    sqlite3_free_filename(f->name);
    free(f);
}
