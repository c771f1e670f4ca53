/* open.c -- opening, closing and stopping a session. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "providers/sqlite/internal.h"

#define SCHEME "sqlite:"

int sq_process_init(struct sp_error *err)
{
    int rc = sqlite3_initialize();
    if (rc != SQLITE_OK)
        return sq_error_code(rc, "SQLite", "cannot initialise", err);
    if (sqlite3_threadsafe() == 0)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS,
            "this SQLite library was built without thread support (SQLITE_THREADSAFE=0)");
    return 0;
}

void sq_interrupt(struct sp_session *s)
{
    atomic_store(&s->interrupted, true);
    pthread_mutex_lock(&s->swap);
    if (s->db != NULL)
        sqlite3_interrupt(s->db);
    pthread_mutex_unlock(&s->swap);
}

static int on_progress(void *p)
{
    struct sp_session *s = p;
    if (s->deadline_ns != 0 && sq_now_ns() >= s->deadline_ns) {
        s->timed_out = true;
        return 1;
    }
    return atomic_load(&s->interrupted) ? 1 : 0;
}

/* Waits for a lock in small steps, so that interrupt and time-out work meanwhile. */
static int on_busy(void *p, int count)
{
    struct sp_session *s = p;
    int64_t now = sq_now_ns();
    if (count == 0)
        s->busy_since_ns = now;
    if (on_progress(s) != 0 || now - s->busy_since_ns >= (int64_t)s->busy_ms * 1000000)
        return 0;
    struct timespec t = { 0, count < 5 ? 500000L : count < 20 ? 2000000L : 5000000L };
    nanosleep(&t, NULL);
    return 1;
}

static int option_ms(
    const struct sp_endpoint *e, const char *name, const char *fallback, int *out, struct sp_error *err)
{
    int64_t ms = 0;
    const char *text = sp_endpoint_option(e, name, fallback);
    if (!sp_parse_duration_ms(text, &ms) || ms < 0 || ms > INT_MAX)
        return sp_invalid(err, "%s: \"%s\" is not a duration; write for example 5s", name, text);
    *out = (int)ms;
    return 0;
}

/* A writer creates what is absent. */
static int open_writable(struct sp_session *s, struct sp_error *err)
{
    struct stat sb;
    if (stat(s->path, &sb) == 0) {
        if (sb.st_size > 0) {
            int ret = sq_state_read(s->path, &s->state, err);
            if (ret != 0)
                return ret;
        }
    } else if (s->base.endpoint->access == SP_ACCESS_DISPOSABLE) {
        char *dir = sp_strdup_printf("%s", s->path);
        if (dir == NULL)
            return sp_nomem(err);
        char *slash = strrchr(dir, '/');
        int ret = 0;
        if (slash != NULL && slash != dir) {
            *slash = '\0';
            ret = sp_mkdirs(dir, err);
        }
        free(dir);
        if (ret != 0)
            return ret;
    }
    char *uri = sq_uri(s->path, "mode=rwc");
    if (uri == NULL)
        return sp_nomem(err);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(uri, &s->db, flags, NULL);
    free(uri);
    if (rc == SQLITE_OK)
        return 0;
    sqlite3_close(s->db);
    s->db = NULL;
    return sq_error_code(rc, s->path, "cannot open for writing", err);
}

/* A copy has to take over whatever the source's schema says: definitions with strings in double quotes, and the tables
 * of virtual tables. Only copies write to a target (suites may not), so it stays open for both. */
static void harden(struct sp_session *s)
{
    static const int off[] = { SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, SQLITE_DBCONFIG_TRUSTED_SCHEMA,
        SQLITE_DBCONFIG_DQS_DML };
    bool target = s->base.endpoint->access == SP_ACCESS_TARGET;
    for (size_t i = 0; i < SP_LEN(off); i++)
        (void)sqlite3_db_config(s->db, off[i], 0, (int *)NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DDL, target ? 1 : 0, (int *)NULL);
    (void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, target ? 0 : 1, (int *)NULL);
    /* ATTACH and VACUUM INTO could write other files. */
    (void)sqlite3_limit(s->db, SQLITE_LIMIT_ATTACHED, s->read_only ? 0 : 1);
}

static int journal_mode(struct sp_session *s, struct sp_error *err)
{
    static const char *const modes[] = { "delete", "truncate", "persist", "wal", NULL };
    bool disposable = s->base.endpoint->access == SP_ACCESS_DISPOSABLE;
    const char *mode = sp_endpoint_option(s->base.endpoint, "journal_mode", disposable ? "wal" : NULL);
    if (mode == NULL)
        return 0;
    for (size_t i = 0; modes[i] != NULL; i++)
        if (strcmp(mode, modes[i]) == 0)
            return sq_execf(s, err, "PRAGMA journal_mode=%s", mode);
    return sp_invalid(err, "journal_mode: \"%s\" is none of delete, truncate, persist, wal", mode);
}

static int encoding(struct sp_session *s, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int ret = sq_prepare(s, "PRAGMA encoding", &st, err);
    if (ret != 0)
        return ret;
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        s->utf16 = strcmp((const char *)sqlite3_column_text(st, 0), "UTF-8") != 0;
    else
        ret = sq_error(s, rc, "cannot read the schema", err);
    sqlite3_finalize(st);
    return ret;
}

int sq_configure(struct sp_session *s, struct sp_error *err)
{
    int64_t n = 0;
    (void)sqlite3_extended_result_codes(s->db, 1);
    harden(s);
    /* Often: one row of a long text may take a millisecond inside one step. */
    sqlite3_progress_handler(s->db, 100, on_progress, s);
    (void)sqlite3_busy_handler(s->db, on_busy, s);
    int ret = sq_query_i64(s, "SELECT count(*) FROM sqlite_schema", &n, err); /* a damaged file shows here */
    if (ret == 0)
        ret = encoding(s, err);
    if (ret == 0)
        ret = sq_functions(s, err);
    if (ret != 0)
        return ret;
    if (s->read_only)
        return sq_exec(s, "PRAGMA query_only=ON", err);
    ret = journal_mode(s, err);
    if (ret == 0) /* a disposable file has to survive a crash of ours, not one of the machine */
        ret = sq_exec(s,
            s->base.endpoint->access == SP_ACCESS_DISPOSABLE
                ? "PRAGMA foreign_keys=ON; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=OFF"
                : "PRAGMA foreign_keys=ON",
            err);
    return ret;
}

/* SQLite follows a link and has its side files beside the real file: so do we. */
static char *resolve(const char *path)
{
    struct stat sb;
    char *real = lstat(path, &sb) == 0 && S_ISLNK(sb.st_mode) ? realpath(path, NULL) : NULL;
    return real != NULL ? real : sp_strdup_printf("%s", path);
}

int sq_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    *out = NULL;
    const char *path = sp_str_prefix(e->url, SCHEME) ? e->url + strlen(SCHEME) : e->url;
    if (sp_str_prefix(path, "///"))
        path += 2; /* sqlite:///absolute/path, as other tools write it */
    if (*path == '\0' || strcmp(path, ":memory:") == 0)
        return sp_invalid(err, "sqlite: a path must follow, for example sqlite:app.db");
    /* Another backend's URL is no path: a file of that name would look like an empty database. */
    if (path == e->url && strstr(path, "://") != NULL)
        return sp_invalid(err, "\"%s\" is no SQLite database; the URL is sqlite:PATH", path);
    struct sp_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return sp_nomem(err);
    if (pthread_mutex_init(&s->swap, NULL) != 0) {
        free(s);
        return sp_nomem(err);
    }
    s->base.provider = &sp_provider_sqlite;
    s->base.endpoint = e;
    s->read_only = e->access == SP_ACCESS_READ_ONLY;
    s->statement_ms = e->statement_timeout_ms;
    s->path = resolve(path);
    int ret = s->path == NULL ? sp_nomem(err) : option_ms(e, "busy_timeout", "5s", &s->busy_ms, err);
    if (ret == 0)
        ret = !s->read_only ? open_writable(s, err)
              : e->live     ? sq_open_live(s, err)
                            : sq_open_readonly(s, err);
    if (ret == 0)
        ret = sq_configure(s, err);
    if (ret != 0) {
        sq_close(s);
        return ret;
    }
    *out = s;
    return 0;
}

void sq_close(struct sp_session *s)
{
    if (s == NULL)
        return;
    sq_cache_clear(s);
    sqlite3_finalize(s->version_stmt);
    if (s->db != NULL) {
        if (!sqlite3_get_autocommit(s->db))
            (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        (void)sqlite3_close_v2(s->db);
    }
    pthread_mutex_destroy(&s->swap);
    sp_arena_free(&s->cache_arena);
    free(s->path);
    free(s);
}

int sq_ping(struct sp_session *s, struct sp_error *err)
{
    int64_t n;
    return sq_query_i64(s, "PRAGMA schema_version", &n, err);
}
