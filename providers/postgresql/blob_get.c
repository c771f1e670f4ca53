/* blob_get.c -- reading an object: one statement, so that row and bytes are of one moment, fetched row by row, so that
 * one chunk at a time is in memory. */
#include <string.h>

#include "providers/postgresql/blob.h"

/* $2: first byte, $3: the one behind the last. Only what is asked for leaves the server. The metadata comes once. */
static const char text[] =
    "SELECT key, size, content_type, etag, CASE WHEN coalesce(start, 0) <= $2 THEN meta END, modified, "
    "greatest(start, $2), substring(data FROM (greatest($2 - start, 0) + 1)::int FOR least($3 - "
    "greatest(start, $2), 262144)::int) FROM (SELECT o.*, c.start, c.data FROM @.objects o LEFT JOIN "
    "@.chunks c ON c.content = o.content AND c.start > $2 - 262144 AND c.start < $3 WHERE o.key = $1 "
    "ORDER BY c.start OFFSET 0) sorted"; /* sorted before the bytes are fetched */
_Static_assert(PO_CHUNK == 262144, "the query knows the size of a chunk");

int po_rows_stop(struct sp_session *s, int ret, bool much, struct sp_error *err)
{
    PGresult *r = NULL;
    int rc = 0;
    if (much && ret != 0 && PQstatus(s->conn) == CONNECTION_OK)
        po_cancel(s->cancel);
    s->heard_ns = po_now_ns();
    while ((rc = po_next(s, &r, ret == 0 ? err : NULL)) == 0 && r != NULL) {
        PQclear(r);
        if (PQstatus(s->conn) == CONNECTION_BAD)
            break;
    }
    return ret == 0 ? rc : ret;
}

struct reading {
    struct sp_arena *a;
    const char *bucket, *key;
    uint64_t offset, length;
    sp_sink_fn sink;
    void *payload;
    struct sp_object o;
    struct sp_object_reader r;
    bool begun;
};

static int take(struct reading *g, const PGresult *row, struct sp_error *err)
{
    int ret = 0;
    size_t n;
    if (!g->begun) {
        ret = po_object_row(row, 0, g->a, &g->o, err);
        if (ret == 0)
            ret = sp_object_reader_begin(&g->r, &g->o, g->offset, g->length, g->sink, g->payload, err);
        g->begun = ret == 0;
    }
    if (ret != 0 || PQgetisnull(row, 0, 7) != 0)
        return ret;
    const uint8_t *p = po_octets_at(row, 0, 7, &n);
    return sp_object_reader_add(&g->r, (uint64_t)po_int_at(row, 0, 6), p, n, err);
}

static int receive(struct sp_session *s, struct reading *g, struct sp_error *err)
{
    for (;;) {
        PGresult *r = NULL;
        int ret = po_next(s, &r, err);
        if (ret != 0)
            return ret;
        if (r == NULL)
            return po_error(s, NULL, NULL, err);
        ExecStatusType st = PQresultStatus(r);
        if (st == PGRES_SINGLE_TUPLE)
            ret = take(g, r, err);
        else if (st != PGRES_TUPLES_OK)
            ret = po_bucket_error(s, g->bucket, po_error(s, r, NULL, err), err);
        else
            ret = g->begun ? sp_object_reader_end(&g->r, err) : sp_object_absent(g->bucket, g->key, err);
        PQclear(r);
        if (ret != 0 || st != PGRES_SINGLE_TUPLE)
            return ret;
    }
}

static int read_rows(struct sp_session *s, struct reading *g, struct sp_error *err)
{
    uint64_t most = INT64_MAX, from = g->offset < most ? g->offset : most;
    uint64_t to = g->length < most - from ? from + g->length : most;
    int ret = po_blob_send(s, g->bucket, err, text, "kii", g->key, (int64_t)from, (int64_t)to);
    if (ret != 0)
        return ret;
    ret = receive(s, g, err);
    ret = po_rows_stop(s, ret, g->begun && g->r.to - g->r.at > 4 * PO_CHUNK, err);
    sp_object_reader_free(&g->r);
    return ret;
}

int po_blob_get(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    uint64_t offset, uint64_t length, sp_sink_fn sink, void *payload, struct sp_object *out,
    struct sp_error *err)
{
    struct reading g = { .a = a,
        .bucket = bucket,
        .key = key,
        .offset = offset,
        .length = length,
        .sink = sink,
        .payload = payload };
    bool own;
    int ret = po_ready(s, err);
    if (ret != 0)
        return ret;
    /* A read that fails must not take the user's transaction with it. */
    bool inside = PQtransactionStatus(s->conn) != PQTRANS_IDLE;
    if (inside && (ret = po_atomic_begin(s, &own, err)) != 0)
        return ret;
    ret = read_rows(s, &g, err);
    if (inside)
        ret = po_atomic_end(s, own, ret, err);
    if (ret == 0 && out != NULL)
        *out = g.o;
    return ret;
}
