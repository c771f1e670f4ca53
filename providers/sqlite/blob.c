/* blob.c -- buckets, the tables behind them, and the transactions around every storage call. */
#include <string.h>

#include "providers/sqlite/blob.h"

static const char schema[] =
    "CREATE TABLE sp_blob_buckets ( " SQ_MARK " name TEXT NOT NULL PRIMARY KEY);"
    "CREATE TABLE sp_blob_objects ( " SQ_MARK " id INTEGER PRIMARY KEY, bucket TEXT NOT NULL, key BLOB NOT "
    "NULL, size BIGINT NOT NULL, content_type TEXT NOT NULL,"
    " etag TEXT NOT NULL, meta TEXT NOT NULL, modified_s BIGINT NOT NULL, modified_ns BIGINT NOT NULL,"
    " UNIQUE (bucket, key));"
    "CREATE TABLE sp_blob_chunks ( " SQ_MARK " id INTEGER PRIMARY KEY, object BIGINT NOT NULL, start BIGINT "
    "NOT NULL, size BIGINT NOT NULL, data BLOB NOT NULL,"
    " UNIQUE (object, start));"
    "CREATE TABLE sp_blob_uploads ( " SQ_MARK " id TEXT NOT NULL PRIMARY KEY, bucket TEXT NOT NULL, key BLOB "
    "NOT NULL, content_type TEXT, meta TEXT NOT NULL,"
    " if_none_match BIGINT NOT NULL, if_match TEXT, sha256 TEXT);"
    "CREATE TABLE sp_blob_parts ( " SQ_MARK
    " id INTEGER PRIMARY KEY, upload TEXT NOT NULL, part BIGINT NOT NULL, size BIGINT NOT NULL,"
    " UNIQUE (upload, part));";

static const char *const tables[] = { "sp_blob_parts", "sp_blob_uploads", "sp_blob_chunks", "sp_blob_objects",
    "sp_blob_buckets" };

static int bind_args(sqlite3_stmt *st, const char *types, va_list ap)
{
    int rc = SQLITE_OK;
    for (int i = 0; rc == SQLITE_OK && types[i] != '\0'; i++) {
        if (types[i] == 'i') {
            rc = sqlite3_bind_int64(st, i + 1, va_arg(ap, int64_t));
            continue;
        }
        const char *s = va_arg(ap, const char *);
        if (types[i] == 's' || s == NULL)
            rc = s == NULL ? sqlite3_bind_null(st, i + 1)
                           : sqlite3_bind_text(st, i + 1, s, -1, SQLITE_TRANSIENT);
        else
            rc = sqlite3_bind_blob64(st, i + 1, s, strlen(s), SQLITE_TRANSIENT);
    }
    return rc;
}

static int prepare_va(struct sp_session *s, sqlite3_stmt **st, struct sp_error *err, const char *sql,
    const char *types, va_list ap)
{
    int ret = sq_prepare(s, sql, st, err);
    if (ret != 0)
        return ret;
    int rc = bind_args(*st, types, ap);
    return rc == SQLITE_OK ? 0 : sq_error(s, rc, "cannot bind", err);
}

int sq_store_prepare(
    struct sp_session *s, sqlite3_stmt **st, struct sp_error *err, const char *sql, const char *types, ...)
{
    va_list ap;
    va_start(ap, types);
    int ret = prepare_va(s, st, err, sql, types, ap);
    va_end(ap);
    return ret;
}

int sq_store_run(struct sp_session *s, struct sp_error *err, const char *sql, const char *types, ...)
{
    sqlite3_stmt *st = NULL;
    va_list ap;
    va_start(ap, types);
    int ret = prepare_va(s, &st, err, sql, types, ap);
    va_end(ap);
    if (ret == 0) {
        int rc = sqlite3_step(st);
        if (rc != SQLITE_DONE && rc != SQLITE_ROW)
            ret = sq_error(s, rc, NULL, err);
    }
    sqlite3_finalize(st);
    return ret;
}

/* True if a row comes. */
static int exists(struct sp_session *s, bool *out, struct sp_error *err, const char *sql, const char *arg)
{
    sqlite3_stmt *st = NULL;
    int ret = sq_store_prepare(s, &st, err, sql, "s", arg);
    *out = false;
    if (ret == 0) {
        int rc = sqlite3_step(st);
        *out = rc == SQLITE_ROW;
        if (rc != SQLITE_ROW && rc != SQLITE_DONE)
            ret = sq_error(s, rc, NULL, err);
    }
    sqlite3_finalize(st);
    return ret;
}

static int have_store(struct sp_session *s, bool *out, struct sp_error *err)
{
    return exists(s, out, err, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", tables[4]);
}

static int have_bucket(struct sp_session *s, const char *bucket, bool *out, struct sp_error *err)
{
    int ret = have_store(s, out, err);
    if (ret == 0 && *out)
        ret = exists(s, out, err, "SELECT 1 FROM sp_blob_buckets WHERE name = ?1", bucket);
    return ret;
}

static int start(struct sp_session *s, bool write, bool *own, struct sp_error *err)
{
    *own = sqlite3_get_autocommit(s->db);
    /* A writer takes its lock first, so that what it has read can't be outdated. */
    return sq_exec(s, !*own ? "SAVEPOINT sp_blob" : write ? "BEGIN IMMEDIATE" : "BEGIN", err);
}

int sq_store_end(struct sp_session *s, bool own, int ret, struct sp_error *err)
{
    if (ret == 0)
        ret = sq_exec(s, own ? "COMMIT" : "RELEASE sp_blob", err);
    if (ret != 0 && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(
            s->db, own ? "ROLLBACK" : "ROLLBACK TO sp_blob; RELEASE sp_blob", NULL, NULL, NULL);
    return ret;
}

int sq_store_begin(struct sp_session *s, const char *bucket, bool write, bool *own, struct sp_error *err)
{
    bool found = false;
    int ret = start(s, write, own, err);
    if (ret != 0)
        return ret;
    ret = bucket == NULL ? have_store(s, &found, err) : have_bucket(s, bucket, &found, err);
    if (ret == 0 && !found)
        ret = bucket == NULL
                  ? sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no object store in %s", s->path)
                  : sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no bucket \"%s\"", bucket);
    if (ret != 0)
        (void)sq_store_end(s, *own, ret, NULL);
    return ret;
}

static int bucket_create(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    bool own, store = false, found = false;
    int ret = start(s, true, &own, err);
    if (ret != 0)
        return ret;
    ret = have_store(s, &store, err);
    if (ret == 0 && !store)
        ret = sq_exec(s, schema, err);
    if (ret == 0)
        ret = have_bucket(s, bucket, &found, err);
    if (ret == 0 && found)
        ret = sp_fail(err, SP_E_EXISTS, SP_ORIGIN_BACKEND, "bucket \"%s\" exists already", bucket);
    if (ret == 0)
        ret = sq_store_run(s, err, "INSERT INTO sp_blob_buckets(name) VALUES (?1)", "s", bucket);
    return sq_store_end(s, own, ret, err);
}

/* The last bucket takes the tables with it: the file is as it was before. */
static int drop_store(struct sp_session *s, struct sp_error *err)
{
    int64_t n = 0;
    int ret = sq_query_i64(s, "SELECT count(*) FROM sp_blob_buckets", &n, err);
    for (size_t i = 0; ret == 0 && n == 0 && i < SP_LEN(tables); i++)
        ret = sq_execf(s, err, "DROP TABLE %s", tables[i]);
    return ret;
}

static int bucket_drop(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    static const char *const steps[] = {
        "DELETE FROM sp_blob_chunks WHERE object IN (SELECT id FROM sp_blob_objects WHERE bucket = ?1)",
        "DELETE FROM sp_blob_chunks WHERE object IN (SELECT -p.id FROM sp_blob_parts p JOIN sp_blob_uploads "
        "u ON "
        "p.upload = u.id WHERE u.bucket = ?1)",
        "DELETE FROM sp_blob_parts WHERE upload IN (SELECT id FROM sp_blob_uploads WHERE bucket = ?1)",
        "DELETE FROM sp_blob_uploads WHERE bucket = ?1",
        "DELETE FROM sp_blob_objects WHERE bucket = ?1",
        "DELETE FROM sp_blob_buckets WHERE name = ?1",
    };
    bool own;
    int ret = sq_store_begin(s, bucket, true, &own, err);
    if (ret != 0)
        return ret;
    for (size_t i = 0; ret == 0 && i < SP_LEN(steps); i++)
        ret = sq_store_run(s, err, steps[i], "s", bucket);
    if (ret == 0)
        ret = drop_store(s, err);
    return sq_store_end(s, own, ret, err);
}

static int bucket_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    bool found = false;
    sq_statement_begin(s);
    int rc = SQLITE_DONE, ret = have_store(s, &found, err);
    if (ret != 0 || !found)
        return ret;
    ret = sq_store_prepare(s, &st, err,
        "SELECT name FROM sp_blob_buckets WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name COLLATE "
        "sp_utf8",
        "s", prefix);
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        if (sp_names_add(out, (const char *)sqlite3_column_text(st, 0)) != 0)
            ret = sp_nomem(err);
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(s, rc, "cannot list buckets", err);
    sqlite3_finalize(st);
    return ret;
}

const struct sp_blob_ops sq_blob_ops = {
    .bucket_create = bucket_create,
    .bucket_drop = bucket_drop,
    .bucket_list = bucket_list,
    .put = sq_blob_put,
    .get = sq_blob_get,
    .head = sq_blob_head,
    .list = sq_blob_list,
    .del = sq_blob_del,
    .copy = sq_blob_copy,
    .move = sq_blob_move,
    .upload_begin = sq_upload_begin,
    .upload_part = sq_upload_part,
    .upload_complete = sq_upload_complete,
    .upload_abort = sq_upload_abort,
};
