/* readonly.c -- looking at somebody's file without touching it.
 *
 * The file itself is read with immutable=1, which takes no locks and writes nothing, but only if all its content
 * stands in the main file: no -wal with frames, no journal that a crash left. Otherwise a private copy is read.
 * Immutable readers see a writer's half-done work, so the state of the file is noted before and compared after. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "providers/sqlite/internal.h"

#define SETTLE_NS INT64_C(25000000) /* file times tick; younger changes could hide one more */

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void pause_ms(int ms)
{
    struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };
    nanosleep(&t, NULL);
}

static int stat_errno(const char *path, struct sp_error *err)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND,
            "%s: no such file; check the path after \"sqlite:\"", path);
    if (errno == EACCES)
        return sp_fail(
            err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "%s: permission denied; make it readable", path);
    return sp_fail(err, SP_E_IO, SP_ORIGIN_BACKEND, "%s: %s", path, strerror(errno));
}

/* `locked`: nobody is in the middle of a commit, so size and header must agree. */
static int header_check(
    const char *path, const uint8_t *h, bool locked, struct sq_state *st, struct sp_error *err)
{
    if (memcmp(h, "SQLite format 3", 16) != 0)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "%s: not an SQLite database (or an encrypted one); check that the path names the right file",
            path);
    uint32_t page = (uint32_t)h[16] << 8 | h[17];
    if (page == 1)
        page = 65536;
    if (page < 512 || (page & (page - 1)) != 0)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "%s: damaged header (page size %u); restore it from a backup", path, page);
    st->counter = be32(h + 24);
    st->wal_mode = h[18] == 2;
    uint32_t pages = be32(h + 28);
    if (locked && st->wal_size == 0 && st->counter == be32(h + 92) && (int64_t)pages * page > st->size)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "%s: truncated: the header says %u pages of %u bytes, the file has %lld bytes; restore it from a "
            "backup",
            path, pages, page, (long long)st->size);
    return 0;
}

static int64_t stat_mtime(const struct stat *sb)
{
    return (int64_t)sb->st_mtim.tv_sec * 1000000000 + sb->st_mtim.tv_nsec;
}

static int state_stat(const char *path, struct sq_state *out, struct sp_error *err)
{
    struct stat sb;
    memset(out, 0, sizeof *out);
    if (stat(path, &sb) != 0)
        return stat_errno(path, err);
    if (!S_ISREG(sb.st_mode))
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "%s: not a regular file; \"sqlite:\" needs the path of a database file", path);
    out->size = sb.st_size;
    out->mtime_ns = stat_mtime(&sb);
    out->inode = sb.st_ino;
    char *wal = sp_strdup_printf("%s-wal", path);
    if (wal == NULL)
        return sp_nomem(err);
    if (stat(wal, &sb) == 0) {
        out->wal_size = sb.st_size;
        out->wal_mtime_ns = stat_mtime(&sb);
    }
    free(wal);
    return 0;
}

static int state_header(
    struct sq_file *f, const char *path, bool locked, struct sq_state *st, struct sp_error *err)
{
    uint8_t h[100];
    if (st->size < (int64_t)sizeof h)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "%s: %s (%lld bytes): not an SQLite database; check that the path names the right file", path,
            st->size == 0 ? "empty" : "too short", (long long)st->size);
    int rc = sq_file_read(f, h, (int)sizeof h, 0);
    if (rc != SQLITE_OK)
        return sq_error_code(rc, path, "cannot read the header", err);
    return header_check(path, h, locked, st, err);
}

int sq_state_read(const char *path, struct sq_state *out, struct sp_error *err)
{
    struct sq_file *f = NULL;
    int ret = state_stat(path, out, err);
    if (ret != 0)
        return ret;
    if (access(path, R_OK) != 0)
        return stat_errno(path, err);
    ret = sq_file_open(path, &f, err);
    if (ret != 0)
        return ret;
    bool locked = sq_file_lock_shared(f) == SQLITE_OK;
    if (locked)
        ret = state_stat(path, out, err); /* again, now that it holds still */
    if (ret == 0)
        ret = state_header(f, path, locked, out, err);
    sq_file_close(f);
    return ret;
}

bool sq_state_same_main(const struct sq_state *a, const struct sq_state *b)
{
    return a->size == b->size && a->mtime_ns == b->mtime_ns && a->inode == b->inode &&
           a->counter == b->counter;
}

static bool same(const struct sq_state *a, const struct sq_state *b)
{
    return sq_state_same_main(a, b) && a->wal_size == b->wal_size && a->wal_mtime_ns == b->wal_mtime_ns;
}

/* Change counter, size, modification time; with a WAL also its size and time, hashed to fit. */
void sq_state_id(const struct sq_state *st, char id[64])
{
    char wal[64];
    int n = snprintf(id, 64, "c%x-s%llx-m%llx", (unsigned)st->counter, (unsigned long long)st->size,
        (unsigned long long)st->mtime_ns);
    if (st->wal_size > 0 && n > 0 && n < 64) {
        (void)snprintf(wal, sizeof wal, "%lld %lld", (long long)st->wal_size, (long long)st->wal_mtime_ns);
        (void)snprintf(id + n, 64 - (size_t)n, "-w%016llx", (unsigned long long)sp_hash_str(wal));
    }
}

char *sq_uri(const char *path, const char *query)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, path[0] == '/' ? "file://" : "file:");
    for (const char *p = path; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     strchr("/._-~", c) != NULL;
        if (plain)
            sp_buf_putc(&b, (char)c);
        else
            sp_buf_printf(&b, "%%%02X", c);
    }
    sp_buf_printf(&b, "?%s", query);
    return sp_buf_steal(&b);
}

/* A journal that a crash left, or that a writer is filling: its header is there and not zeroed. */
static bool journal_live(const char *path)
{
    static const uint8_t magic[8] = { 0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7 };
    uint8_t head[8];
    char *name = sp_strdup_printf("%s-journal", path);
    FILE *f = name == NULL ? NULL : fopen(name, "rbe");
    bool live = f != NULL && fread(head, 1, 8, f) == 8 && memcmp(head, magic, 8) == 0;
    if (f != NULL)
        (void)fclose(f);
    free(name);
    return live;
}

/* File times come from a coarse clock; two writes within one tick look like one. Wait until the last change is old
 * enough that a further one must show. */
static void settle(const struct sq_state *st)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t now = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    int64_t last = st->wal_mtime_ns > st->mtime_ns ? st->wal_mtime_ns : st->mtime_ns;
    if (now >= last && now - last < SETTLE_NS)
        pause_ms(25);
}

static int open_db(struct sp_session *s, const char *path, struct sp_error *err)
{
    char *uri = sq_uri(path, "immutable=1");
    if (uri == NULL)
        return sp_nomem(err);
    int rc = sqlite3_open_v2(uri, &s->db,
        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    free(uri);
    if (rc == SQLITE_OK)
        return 0;
    sqlite3_close(s->db);
    s->db = NULL;
    return sq_error_code(rc, s->path, "cannot open", err);
}

static int open_copy(struct sp_session *s, struct sq_file *f, bool wal, bool journal, struct sp_error *err)
{
    char *copy = NULL;
    int ret = sq_private_copy(f, s->path, wal, journal, &copy, err);
    if (ret == 0)
        ret = open_db(s, copy, err);
    if (copy != NULL)
        sq_private_unlink(
            copy); /* the open descriptor keeps it; nothing stays behind, not even after a kill */
    s->copy = ret == 0;
    return ret;
}

/* One attempt: 0 opened, 1 the file changed meanwhile or is locked, negative error. */
static int attempt(struct sp_session *s, const char **why, struct sp_error *err)
{
    struct sq_state after;
    struct sq_file *f = NULL;
    int ret = sq_state_read(s->path, &s->state, err);
    if (ret != 0)
        return ret;
    settle(&s->state);
    ret = sq_file_open(s->path, &f, err);
    if (ret != 0)
        return ret;
    int rc = sq_file_lock_shared(f); /* keeps rollback-mode writers out while we decide and copy */
    if (rc == SQLITE_BUSY) {
        *why = "another process holds an exclusive lock on it (it is writing)";
        ret = 1;
        goto out;
    }
    if (rc != SQLITE_OK) {
        ret = sq_error_code(rc, s->path, "cannot lock for reading", err);
        goto out;
    }
    bool wal = s->state.wal_size > 0, writer = sq_file_reserved(f), journal = journal_live(s->path);
    s->copy = s->immutable = false;
    if (wal || journal)
        ret =
            open_copy(s, f, wal, journal && !writer, err); /* a live writer's journal repeats the main file */
    else
        ret = open_db(s, s->path, err);
    s->immutable = ret == 0 && !s->copy;
    if (ret == 0)
        ret = state_stat(s->path, &after, err);
    if (ret == 0)
        ret = state_header(f, s->path, true, &after, err);
    if (ret == 0 && !same(&s->state, &after)) {
        *why = "it keeps being written by another process";
        ret = 1;
    }
out:
    sq_file_close(f);
    if (ret != 0) {
        sqlite3_close(s->db);
        s->db = NULL;
    }
    return ret;
}

int sq_open_readonly(struct sp_session *s, struct sp_error *err)
{
    const char *why = "";
    int64_t end = sq_now_ns() + (int64_t)s->busy_ms * 1000000;
    for (int tries = 0;; tries++) {
        int ret = attempt(s, &why, err);
        if (ret <= 0)
            return ret;
        if (tries >= 4 && sq_now_ns() >= end)
            break;
        pause_ms(20);
    }
    int ret = sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_BACKEND,
        "%s: %s; stop the writer, or read a backup copy (sqlite3 FILE \".backup COPY\")", s->path, why);
    if (err != NULL)
        err->retryable = true;
    return ret;
}

/* ---- a file that others write to meanwhile ---- */

static bool is_there(const char *path, const char *suffix)
{
    char *name = sp_strdup_printf("%s%s", path, suffix);
    bool there = name != NULL && access(name, F_OK) == 0;
    free(name);
    return there;
}

/* A plain reader, as every other process that has the file open: in WAL mode it holds nobody up, and sees one state from
 * its first read on. Without the shared index somebody else would have to make it; then nobody is writing. */
static int open_beside(struct sp_session *s, struct sp_error *err)
{
    int rc = sqlite3_open_v2(
        s->path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    s->immutable = s->copy = false;
    if (rc == SQLITE_OK)
        return 0;
    sqlite3_close(s->db);
    s->db = NULL;
    return sq_error_code(rc, s->path, "cannot open", err);
}

/* Elsewhere a reader holds writers up: they wait for as long as it takes to copy the file, and no longer. 1 = locked. */
static int copy_live(struct sp_session *s, struct sp_error *err)
{
    struct sq_file *f = NULL;
    int ret = sq_file_open(s->path, &f, err);
    if (ret != 0)
        return ret;
    int rc = sq_file_lock_shared(f);
    if (rc != SQLITE_OK) {
        sq_file_close(f);
        return rc == SQLITE_BUSY ? 1 : sq_error_code(rc, s->path, "cannot lock for reading", err);
    }
    ret = state_stat(s->path, &s->state, err);
    if (ret == 0)
        ret = state_header(f, s->path, true, &s->state, err);
    if (ret == 0)
        ret = open_copy(s, f, s->state.wal_size > 0, journal_live(s->path) && !sq_file_reserved(f), err);
    s->immutable = false;
    sq_file_close(f);
    return ret;
}

int sq_open_live(struct sp_session *s, struct sp_error *err)
{
    int64_t end = sq_now_ns() + (int64_t)s->busy_ms * 1000000;
    int ret = sq_state_read(s->path, &s->state, err);
    if (ret == 0 && s->state.wal_mode && is_there(s->path, "-wal") && is_there(s->path, "-shm"))
        return open_beside(s, err);
    while (ret == 0 && (ret = copy_live(s, err)) > 0 && sq_now_ns() < end) {
        ret = 0;
        pause_ms(2);
    }
    if (ret > 0)
        ret = sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_BACKEND,
            "%s: another process holds an exclusive lock on it; raise busy_timeout", s->path);
    return ret;
}

int sq_live_again(struct sp_session *s, struct sp_error *err)
{
    struct sq_state now;
    if (!s->copy)
        return 0;
    int ret = sq_state_read(s->path, &now, err);
    if (ret != 0 || same(&s->state, &now))
        return ret;
    /* The new one is opened in a session of its own: whoever interrupts this one finds the old db, or the new. */
    struct sp_session fresh = *s;
    fresh.db = NULL;
    ret = sq_open_live(&fresh, err);
    if (ret != 0)
        return ret;
    sq_cache_clear(s);
    sqlite3_finalize(s->version_stmt);
    s->version_stmt = NULL;
    sqlite3 *old = s->db;
    pthread_mutex_lock(&s->swap);
    s->db = fresh.db;
    pthread_mutex_unlock(&s->swap);
    s->state = fresh.state;
    s->copy = fresh.copy;
    (void)sqlite3_close_v2(old);
    return sq_configure(s, err);
}

/* What stands beside the state of a plain reader: only what did not change while it began to read is its name. */
void sq_live_id(struct sp_session *s, const struct sq_state *before, char id[64])
{
    struct sq_state after;
    if (sq_state_read(s->path, &after, NULL) != 0 || !same(before, &after))
        id[0] = '\0';
    else
        sq_state_id(&after, id);
}

int sq_readonly_unchanged(struct sp_session *s, struct sp_error *err)
{
    struct sq_state now;
    struct sq_file *f = NULL;
    if (!s->immutable)
        return 0;
    int ret = sq_state_read(s->path, &now, err);
    if (ret == 0)
        ret = sq_file_open(s->path, &f, err);
    if (ret != 0)
        return ret;
    bool writing = sq_file_lock_shared(f) == SQLITE_BUSY;
    sq_file_close(f);
    if (!writing && sq_state_same_main(&s->state, &now))
        return 0;
    ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
        "%s: changed by another process while it was read; repeat when nobody writes, or read a backup copy",
        s->path);
    if (err != NULL)
        err->retryable = true;
    return ret;
}
