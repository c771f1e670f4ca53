/* blob_content.c -- the bytes of objects: chunks, written as zeroblobs that are filled, and read in place, so that no
 * more than a piece of one stands in memory. */
#include <stdlib.h>

#include "providers/sqlite/blob.h"

#define PIECE 65536

int sq_content_add(
    struct sp_session *s, int64_t object, uint64_t start, const void *p, size_t n, struct sp_error *err)
{
    sqlite3_blob *b = NULL;
    if (start > (uint64_t)INT64_MAX - n)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "the object is too large");
    int ret = sq_store_run(s, err,
        "INSERT INTO sp_blob_chunks(object, start, size, data) VALUES (?1, ?2, ?3, zeroblob(?3))", "iii",
        object, (int64_t)start, (int64_t)n);
    if (ret != 0)
        return ret;
    int rc =
        sqlite3_blob_open(s->db, "main", "sp_blob_chunks", "data", sqlite3_last_insert_rowid(s->db), 1, &b);
    if (rc == SQLITE_OK)
        rc = sqlite3_blob_write(b, p, (int)n, 0);
    if (rc != SQLITE_OK)
        ret = sq_error(s, rc, "cannot write the content", err);
    (void)sqlite3_blob_close(b);
    return ret;
}

int sq_content_drop(struct sp_session *s, int64_t object, struct sp_error *err)
{
    return sq_store_run(s, err, "DELETE FROM sp_blob_chunks WHERE object = ?1", "i", object);
}

static int read_chunk(struct sp_session *s, sqlite3_blob *b, uint64_t start, char *piece,
    struct sp_object_reader *r, struct sp_error *err)
{
    uint64_t end = start + (uint64_t)sqlite3_blob_bytes(b);
    uint64_t at = r->at > start && r->at < end ? r->at : start, stop = end < r->to ? end : r->to;
    int ret = 0;
    do {
        size_t n = stop <= at ? 0 : stop - at < PIECE ? (size_t)(stop - at) : PIECE;
        int rc = sqlite3_blob_read(b, piece, (int)n, (int)(at - start));
        ret = rc != SQLITE_OK ? sq_error(s, rc, "cannot read the content", err)
                              : sp_object_reader_add(r, at, piece, n, err);
        at += n;
    } while (ret == 0 && at < stop);
    return ret;
}

int sq_content_read(struct sp_session *s, int64_t object, struct sp_object_reader *r, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    sqlite3_blob *b = NULL;
    char *piece = malloc(PIECE);
    int rc = SQLITE_DONE,
        ret = piece == NULL
                  ? sp_nomem(err)
                  : sq_store_prepare(s, &st, err,
                        "SELECT id, start FROM sp_blob_chunks WHERE object = ?1 AND start + size > ?2 "
                        "AND start < ?3 ORDER BY start",
                        "iii", object, (int64_t)r->at, (int64_t)r->to);
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(st, 0);
        int brc = b == NULL ? sqlite3_blob_open(s->db, "main", "sp_blob_chunks", "data", id, 0, &b)
                            : sqlite3_blob_reopen(b, id);
        ret = brc != SQLITE_OK ? sq_error(s, brc, "cannot read the content", err)
                               : read_chunk(s, b, (uint64_t)sqlite3_column_int64(st, 1), piece, r, err);
    }
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(s, rc, "cannot read the content", err);
    (void)sqlite3_blob_close(b);
    sqlite3_finalize(st);
    free(piece);
    return ret;
}
