/* blob.h -- the storage facet's own contract.
 *
 * A bucket is a schema of its own, marked by its comment, so that dropping one touches nothing else, buckets never wait
 * for each other, and a database without buckets holds nothing of ours:
 *   objects   one row per key. `content` names the bytes; `replaced` names those that this row's last put displaced.
 *   chunks    the bytes, in pieces of at most PO_CHUNK, so that an object of any size needs a few of them in memory.
 *   uploads, parts   uploads in parts; a part's bytes are chunks that no object names yet.
 * Keys are octets: their order is the bytes' order in every database, whatever its encoding and collation.
 *
 * A content has one name for ever (a UUID made here), chunks are written before the row that names them, and the row is
 * the only thing that writers of a key contend for. What it displaced is removed by a later statement of the same
 * transaction, which sees everything that was committed before the row was locked. */
#ifndef SP_POSTGRESQL_BLOB_H
#define SP_POSTGRESQL_BLOB_H

#include <stdarg.h>

#include "providers/lib/object.h"
#include "providers/postgresql/internal.h"

#define PO_CHUNK     262144
#define PO_KEY_BYTES 1024 /* far below what an index takes, 2704 */
/* The chunks of a bucket are one table, which ends at 32 TiB; half of that is surely there for one object. */
#define PO_OBJECT_BYTES ((int64_t)16 << 40)

struct po_content { /* name of a content */
    uint8_t id[16];
};
int po_content_new(struct po_content *c, struct sp_error *err);

/* blob_ask.c: a statement on a bucket, as it is sent. open is the beginning of a call: outside of transactions it names what
 * came often enough. */
struct po_words {
    struct sp_buf sql, schema;
    struct po_params params;
    const char *name; /* NULL = by its text */
};
int po_words_open(struct po_words *w, struct sp_session *s, const char *bucket, struct sp_error *err);
int po_words_set(struct po_words *w, struct sp_session *s, const char *sql, const char *types, va_list ap,
    struct sp_error *err);
int po_words_send(const struct po_words *w, struct sp_session *s); /* 0 = libpq refused */
void po_words_free(struct po_words *w);

/* blob_batch.c: statements that are sent without waiting for their answers, all or nothing.
 * begin; add ...; next (one answer per add, in order); finish sends the commit; end waits for it, or undoes everything
 * when ret is not 0 or finish was not called. After begin succeeded, end must be called. */
struct po_batch {
    struct sp_session *s;
    const char *bucket;
    struct po_words words;
    size_t waiting; /* added and not answered */
    bool own, begun, finished, synced;
};
int po_batch_begin(struct po_batch *b, struct sp_session *s, const char *bucket, struct sp_error *err);
/* '@' in the text stands for the bucket's schema. Parameters by letter: i int64_t, s text, k octets up to a NUL, o octets
 * with their size_t, u content, t bool (int). NULL strings are null. */
int po_batch_add(struct po_batch *b, struct sp_error *err, const char *sql, const char *types, ...);
int po_batch_next(struct po_batch *b, PGresult **out, struct sp_error *err);
int po_batch_finish(struct po_batch *b, struct sp_error *err);
int po_batch_end(struct po_batch *b, int ret, struct sp_error *err);

/* One statement that only reads; answers are binary. send: its rows come one at a time, from po_next(). */
int po_blob_ask(struct sp_session *s, const char *bucket, PGresult **out, struct sp_error *err,
    const char *sql, const char *types, ...);
int po_blob_send(
    struct sp_session *s, const char *bucket, struct sp_error *err, const char *sql, const char *types, ...);
/* An error of a statement on a bucket, in the bucket's words. */
int po_bucket_error(struct sp_session *s, const char *bucket, int ret, struct sp_error *err);
int po_bucket_schema(const char *bucket, struct sp_buf *out, struct sp_error *err); /* not quoted */

/* blob_object.c */
#define PO_OBJECT_COLUMNS "key, size, content_type, etag, meta, modified"
enum { PO_OBJECT_NCOLUMNS = 6 };
int po_object_row(
    const PGresult *r, int row, struct sp_arena *a, struct sp_object *out, struct sp_error *err);
const uint8_t *po_octets_at(const PGresult *r, int row, int column, size_t *n);
int64_t po_int_at(const PGresult *r, int row, int column);
struct sp_ts po_modified(int64_t us); /* from a timestamp as the server sends it */

/* blob_put.c: an object on its way into the database. */
struct po_put {
    const char *key, *meta, *etag;
    const struct sp_put_opts *opts;
    struct po_content content;
    uint64_t size;
};
int po_chunk_add(struct po_batch *b, const struct po_content *c, uint64_t start, const void *p, size_t n,
    struct sp_error *err);
/* Sends the row (data: its only chunk, or NULL) and what removes the displaced content: two statements. */
int po_row_add(struct po_batch *b, const struct po_put *p, const void *data, size_t n, struct sp_error *err);
/* Their answers: PRECONDITION if the row was not written. *modified as the server sends it. */
int po_row_next(struct po_batch *b, const struct po_put *p, int64_t *modified, struct sp_error *err);
int po_put_describe(const struct po_put *p, int64_t modified, struct sp_arena *a, struct sp_object *out,
    struct sp_error *err);

/* blob_get.c: reads what is left of the answer to po_blob_send(); `much`: the server is told that it is not wanted. */
int po_rows_stop(struct sp_session *s, int ret, bool much, struct sp_error *err);

int po_blob_put(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, sp_source_fn,
    void *payload, const struct sp_put_opts *, struct sp_object *out, struct sp_error *);
int po_blob_get(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, uint64_t offset,
    uint64_t length, sp_sink_fn, void *payload, struct sp_object *out, struct sp_error *);
int po_blob_head(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    struct sp_object *, struct sp_error *);
int po_blob_del(struct sp_session *, const char *bucket, const char *key, struct sp_error *);
int po_blob_copy(
    struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int po_blob_move(
    struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
int po_blob_list(struct sp_session *, struct sp_arena *, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **, size_t *n,
    struct sp_error *);
int po_upload_begin(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
    const struct sp_put_opts *, const char **id, struct sp_error *);
int po_upload_part(
    struct sp_session *, const char *id, unsigned part, const void *p, size_t n, struct sp_error *);
int po_upload_complete(
    struct sp_session *, struct sp_arena *, const char *id, struct sp_object *, struct sp_error *);
int po_upload_abort(struct sp_session *, const char *id, struct sp_error *);

#endif
