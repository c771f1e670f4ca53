/* blob_object.c -- rows of objects; head, delete, copy, move. One round trip each. */
#include <string.h>

#include "providers/postgresql/blob.h"

#define EPOCH_US (INT64_C(946684800) * 1000000) /* the server counts from the year 2000 */

/* ---- answers ---- */

const uint8_t *po_octets_at(const PGresult *r, int row, int column, size_t *n)
{
    *n = (size_t)PQgetlength(r, row, column);
    return (const uint8_t *)PQgetvalue(r, row, column);
}

int64_t po_int_at(const PGresult *r, int row, int column)
{
    return PQgetlength(r, row, column) == 8 ? (int64_t)po_u64((const uint8_t *)PQgetvalue(r, row, column))
                                            : 0;
}

struct sp_ts po_modified(int64_t us)
{
    int64_t t = us + EPOCH_US, sec = t / 1000000, rest = t % 1000000;
    if (rest < 0) {
        rest += 1000000;
        sec--;
    }
    return (struct sp_ts){ .sec = sec, .nsec = (uint32_t)rest * 1000 };
}

int po_object_row(const PGresult *r, int row, struct sp_arena *a, struct sp_object *out, struct sp_error *err)
{
    memset(out, 0, sizeof *out);
    size_t n;
    const uint8_t *key = po_octets_at(r, row, 0, &n);
    out->key = sp_arena_strn(a, (const char *)key, n);
    out->size = (uint64_t)po_int_at(r, row, 1);
    out->content_type = sp_arena_str(a, PQgetvalue(r, row, 2));
    out->etag = sp_arena_str(a, PQgetvalue(r, row, 3));
    out->modified = po_modified(po_int_at(r, row, 5));
    if (out->key == NULL || out->content_type == NULL || out->etag == NULL)
        return sp_nomem(err);
    return sp_object_meta_parse(PQgetvalue(r, row, 4), a, out, err);
}

/* ---- head, delete ---- */

int po_blob_head(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *out, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = po_blob_ask(
        s, bucket, &r, err, "SELECT " PO_OBJECT_COLUMNS " FROM @.objects o WHERE key = $1", "k", key);
    if (ret == 0)
        ret = PQntuples(r) == 0 ? sp_object_absent(bucket, key, err) : po_object_row(r, 0, a, out, err);
    PQclear(r);
    return ret;
}

/* The row is locked first: what the second statement sees is what stood there last. */
int po_blob_del(struct sp_session *s, const char *bucket, const char *key, struct sp_error *err)
{
    struct po_batch b;
    int ret = po_batch_begin(&b, s, bucket, err);
    if (ret != 0)
        return ret;
    ret = po_batch_add(&b, err, "SELECT 1 FROM @.objects WHERE key = $1 FOR UPDATE", "k", key);
    if (ret == 0)
        ret = po_batch_add(&b, err,
            "WITH gone AS (DELETE FROM @.objects WHERE key = $1 RETURNING content) "
            "DELETE FROM @.chunks c USING gone WHERE c.content = gone.content",
            "k", key);
    if (ret == 0)
        ret = po_batch_finish(&b, err);
    return po_batch_end(&b, ret, err);
}

/* ---- copy, move ---- */

/* What a copy or a move over an object displaced. */
static const char drop_replaced[] =
    "DELETE FROM @.chunks c USING @.objects o WHERE o.key = $1 AND c.content = o.replaced";

static const char on_conflict[] =
    " ON CONFLICT (key) DO UPDATE SET content = excluded.content, size = excluded.size, content_type = "
    "excluded.content_type, etag = excluded.etag, meta = excluded.meta, modified = clock_timestamp(), "
    "replaced = o.content RETURNING content";

static int add_copy(struct po_batch *b, const char *from, const char *to, struct sp_error *err)
{
    struct po_content c;
    struct sp_buf sql = SP_BUF_INIT;
    int ret = po_content_new(&c, err);
    if (ret != 0)
        return ret;
    /* Row and chunks are read in one statement: they belong together. */
    sp_buf_printf(&sql,
        "WITH source AS (SELECT * FROM @.objects WHERE key = $1), made AS (INSERT INTO @.objects AS o (key, "
        "content, size, content_type, etag, meta, modified) SELECT $2, $3, size, content_type, etag, meta, "
        "clock_timestamp() FROM source%s), "
        "copied AS (INSERT INTO @.chunks (content, start, data) SELECT made.content, c.start, c.data FROM "
        "made, source JOIN @.chunks c ON c.content = source.content) SELECT 1 FROM made",
        on_conflict);
    ret = sql.oom ? sp_nomem(err) : po_batch_add(b, err, sql.p, "kku", from, to, &c);
    sp_buf_free(&sql);
    return ret == 0 ? po_batch_add(b, err, drop_replaced, "k", to) : ret;
}

/* The content changes its row. Both rows are locked in the order of their keys, so that two moves in opposite
 * directions don't lock each other out. */
static int add_move(struct po_batch *b, const char *from, const char *to, struct sp_error *err)
{
    struct sp_buf sql = SP_BUF_INIT;
    sp_buf_printf(&sql,
        "WITH made AS (INSERT INTO @.objects AS o (key, content, size, content_type, etag, meta, modified) "
        "SELECT $2, content, size, content_type, etag, meta, clock_timestamp() FROM @.objects WHERE key = $1 "
        "FOR UPDATE%s) SELECT 1 FROM made",
        on_conflict);
    int ret = sql.oom ? sp_nomem(err) : po_batch_add(b, err, sql.p, "kk", from, to);
    sp_buf_free(&sql);
    if (ret == 0)
        ret = po_batch_add(b, err,
            "DELETE FROM @.objects f USING @.objects t WHERE f.key = $1 AND t.key = $2 AND f.content = "
            "t.content",
            "kk", from, to);
    return ret == 0 ? po_batch_add(b, err, drop_replaced, "k", to) : ret;
}

static int copy_or_move(struct sp_session *s, const char *bucket, const char *from, const char *to, bool move,
    struct sp_error *err)
{
    struct po_batch b;
    PGresult *r = NULL;
    bool same = strcmp(from, to) == 0;
    int ret = sp_object_key_check(to, PO_KEY_BYTES, err);
    if (ret == 0)
        ret = po_batch_begin(&b, s, bucket, err);
    if (ret != 0)
        return ret;
    if (move || same) /* onto itself: nothing to do, but it has to be there */
        ret = po_batch_add(&b, err, "SELECT key FROM @.objects WHERE key IN ($1, $2) ORDER BY key FOR UPDATE",
            "kk", from, to);
    if (ret == 0 && !same)
        ret = move ? add_move(&b, from, to, err) : add_copy(&b, from, to, err);
    if (ret == 0)
        ret = po_batch_finish(&b, err);
    if (ret == 0)
        ret = po_batch_next(&b, &r, err);
    if (ret == 0 && move && !same) {
        PQclear(r);
        ret = po_batch_next(&b, &r, err);
    }
    if (ret == 0 && PQntuples(r) == 0)
        ret = sp_object_absent(bucket, from, err);
    PQclear(r);
    return po_batch_end(&b, ret, err);
}

int po_blob_copy(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return copy_or_move(s, bucket, from, to, false, err);
}

int po_blob_move(
    struct sp_session *s, const char *bucket, const char *from, const char *to, struct sp_error *err)
{
    return copy_or_move(s, bucket, from, to, true, err);
}
