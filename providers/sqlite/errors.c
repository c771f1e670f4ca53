/* errors.c -- SQLite's result codes in the one vocabulary, time-outs, and the small statement helpers. */
#include <string.h>
#include <time.h>

#include "providers/sqlite/internal.h"

int64_t sq_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

struct code_row {
    int rc;
    enum sp_code code;
    const char *native, *advice;
};

/* Extended codes first, then primary ones: the first match counts. */
static const struct code_row codes[] = {
    { SQLITE_CONSTRAINT_UNIQUE, SP_E_UNIQUE, "CONSTRAINT_UNIQUE", "" },
    { SQLITE_CONSTRAINT_PRIMARYKEY, SP_E_UNIQUE, "CONSTRAINT_PRIMARYKEY", "" },
    { SQLITE_CONSTRAINT_ROWID, SP_E_UNIQUE, "CONSTRAINT_ROWID", "" },
    { SQLITE_CONSTRAINT_FOREIGNKEY, SP_E_FOREIGN_KEY, "CONSTRAINT_FOREIGNKEY", "" },
    { SQLITE_CONSTRAINT_NOTNULL, SP_E_NOT_NULL, "CONSTRAINT_NOTNULL", "" },
    { SQLITE_CONSTRAINT_CHECK, SP_E_CHECK, "CONSTRAINT_CHECK", "" },
    { SQLITE_CONSTRAINT_DATATYPE, SP_E_INVALID, "CONSTRAINT_DATATYPE", "" },
    { SQLITE_CONSTRAINT_TRIGGER, SP_E_CHECK, "CONSTRAINT_TRIGGER", "" },
    { SQLITE_CONSTRAINT, SP_E_CHECK, "CONSTRAINT", "" },
    { SQLITE_BUSY_SNAPSHOT, SP_E_CONFLICT, "BUSY_SNAPSHOT",
        "another connection wrote since this transaction began to read; repeat the transaction" },
    { SQLITE_BUSY, SP_E_CONFLICT, "BUSY", "another connection holds the lock; retry, or raise busy_timeout" },
    { SQLITE_LOCKED, SP_E_CONFLICT, "LOCKED", "a statement of this connection is still using the table" },
    { SQLITE_READONLY, SP_E_PERMISSION, "READONLY", "" },
    { SQLITE_PERM, SP_E_PERMISSION, "PERM", "" },
    { SQLITE_AUTH, SP_E_PERMISSION, "AUTH", "" },
    { SQLITE_CORRUPT, SP_E_CORRUPT, "CORRUPT", "run PRAGMA integrity_check; restore a copy or use .recover" },
    { SQLITE_NOTADB, SP_E_CORRUPT, "NOTADB", "the file is not an SQLite database, or it is encrypted" },
    { SQLITE_TOOBIG, SP_E_TOO_LARGE, "TOOBIG", "" },
    { SQLITE_RANGE, SP_E_INVALID, "RANGE", "" },
    { SQLITE_FULL, SP_E_IO, "FULL", "the disk is full; free some space and repeat" },
    { SQLITE_CANTOPEN, SP_E_IO, "CANTOPEN", "check the path and the permissions of file and directory" },
    { SQLITE_IOERR, SP_E_IO, "IOERR", "" },
    { SQLITE_PROTOCOL, SP_E_CONFLICT, "PROTOCOL", "" },
    { SQLITE_NOMEM, SP_E_NOMEM, "NOMEM", "" },
    { SQLITE_MISUSE, SP_E_INTERNAL, "MISUSE", "" },
    { SQLITE_MISMATCH, SP_E_INVALID, "MISMATCH", "" },
    { SQLITE_SCHEMA, SP_E_CONFLICT, "SCHEMA", "the schema changed meanwhile" },
    { SQLITE_ERROR, SP_E_INVALID, "ERROR", "" },
};

static const struct code_row *find(int rc)
{
    for (size_t i = 0; i < SP_LEN(codes); i++)
        if (codes[i].rc == rc)
            return &codes[i];
    for (size_t i = 0; i < SP_LEN(codes); i++)
        if (codes[i].rc == (rc & 0xff))
            return &codes[i];
    return NULL;
}

/* SQLITE_ERROR says the reason only in its text. */
static enum sp_code by_text(enum sp_code code, const char *msg)
{
    if (sp_str_prefix(msg, "no such table"))
        return SP_E_NOT_FOUND;
    if (strstr(msg, "already exists") != NULL)
        return SP_E_EXISTS;
    /* On delete restrict is reported like a trigger's refusal. */
    if (strstr(msg, "FOREIGN KEY constraint failed") != NULL)
        return SP_E_FOREIGN_KEY;
    if (strstr(msg, "CHECK constraint failed: " SQ_STRICT_NAME) != NULL)
        return SP_E_INVALID;
    return code;
}

static bool transient(int rc)
{
    int p = rc & 0xff;
    return p == SQLITE_BUSY || p == SQLITE_LOCKED || p == SQLITE_SCHEMA || p == SQLITE_PROTOCOL;
}

static int fail(int rc, const char *msg, const char *path, const char *what, struct sp_error *err)
{
    const struct code_row *row = find(rc);
    enum sp_code code = row == NULL ? SP_E_INTERNAL : by_text(row->code, msg);
    const char *advice = row == NULL ? "" : row->advice;
    /* A disk without room breaks no promise of the backend: what the case asks stays untold. */
    enum sp_origin origin = (rc & 0xff) == SQLITE_FULL ? SP_ORIGIN_TRANSPORT : SP_ORIGIN_BACKEND;
    int ret = sp_fail(err, code, origin, "%s%s%s (%s)%s%s", what == NULL ? "" : what,
        what == NULL ? "" : ": ", msg, path, *advice ? ": " : "", advice);
    if (err != NULL) {
        sp_error_native(err, row == NULL ? "UNKNOWN" : row->native);
        err->retryable = transient(rc);
    }
    return ret;
}

int sq_error(struct sp_session *s, int rc, const char *what, struct sp_error *err)
{
    if (rc == SQLITE_OK)
        rc = sqlite3_extended_errcode(s->db);
    if ((rc & 0xff) == SQLITE_NOMEM)
        return sp_nomem(err);
    bool stopped = (rc & 0xff) == SQLITE_INTERRUPT;
    if (s->in_txn && sqlite3_get_autocommit(s->db))
        s->in_txn = false; /* SQLite rolled the transaction back by itself */
    if (stopped || ((rc & 0xff) == SQLITE_BUSY && (s->timed_out || atomic_load(&s->interrupted)))) {
        int ret;
        if (s->timed_out)
            ret = sp_fail(err, SP_E_TIMEOUT, SP_ORIGIN_BACKEND,
                "statement stopped after its time-out of %d ms (%s)", s->statement_ms, s->path);
        else
            ret =
                sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_BACKEND, "statement stopped on request (%s)", s->path);
        if (err != NULL)
            sp_error_native(err, "INTERRUPT");
        return ret;
    }
    return fail(rc, sqlite3_errmsg(s->db), s->path, what, err);
}

int sq_error_code(int rc, const char *path, const char *what, struct sp_error *err)
{
    if ((rc & 0xff) == SQLITE_NOMEM)
        return sp_nomem(err);
    return fail(rc, sqlite3_errstr(rc), path, what, err);
}

void sq_statement_begin(struct sp_session *s)
{
    atomic_store(&s->interrupted, false);
    s->timed_out = false;
    s->busy_since_ns = 0;
    s->deadline_ns = s->statement_ms > 0 ? sq_now_ns() + (int64_t)s->statement_ms * 1000000 : 0;
}

int sq_prepare(struct sp_session *s, const char *sql, sqlite3_stmt **out, struct sp_error *err)
{
    int rc = sqlite3_prepare_v2(s->db, sql, -1, out, NULL);
    return rc == SQLITE_OK ? 0 : sq_error(s, rc, NULL, err);
}

int sq_exec(struct sp_session *s, const char *sql, struct sp_error *err)
{
    sq_statement_begin(s);
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : sq_error(s, rc, NULL, err);
}

int sq_execf(struct sp_session *s, struct sp_error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *sql = sqlite3_vmprintf(fmt, ap);
    va_end(ap);
    if (sql == NULL)
        return sp_nomem(err);
    int ret = sq_exec(s, sql, err);
    sqlite3_free(sql);
    return ret;
}

int sq_query_i64(struct sp_session *s, const char *sql, int64_t *out, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    sq_statement_begin(s);
    int ret = sq_prepare(s, sql, &st, err);
    if (ret != 0)
        return ret;
    int rc = sqlite3_step(st);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    else
        ret = rc == SQLITE_DONE ? sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no row: %s", sql)
                                : sq_error(s, rc, NULL, err);
    sqlite3_finalize(st);
    return ret;
}
