/* blob_upload.c -- uploads in parts. A part's bytes become the object's by changing owner and place, not by copying. */
#include <stdlib.h>
#include <string.h>

#include "providers/postgresql/blob.h"

int po_upload_begin(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    const struct sp_put_opts *opts, const char **id, struct sp_error *err)
{
    static const struct sp_put_opts none = { .content_type = NULL };
    const struct sp_put_opts *o = opts == NULL ? &none : opts;
    struct po_batch b;
    char *meta = NULL;
    *id = NULL;
    int ret = sp_object_key_check(key, PO_KEY_BYTES, err);
    if (ret == 0)
        ret = sp_object_meta_text(o, &meta, err);
    if (ret == 0)
        ret = sp_object_upload_id(a, bucket, id, err);
    if (ret == 0)
        ret = po_batch_begin(&b, s, bucket, err);
    if (ret == 0) {
        ret = po_batch_add(&b, err,
            "INSERT INTO @.uploads (id, key, content_type, meta, if_none_match, if_match, sha256) VALUES "
            "($1, $2, $3, $4, $5, $6, $7)",
            "sksstss", *id, key, o->content_type, meta, (int)o->if_none_match, o->if_match, o->sha256_hex);
        if (ret == 0)
            ret = po_batch_finish(&b, err);
        ret = po_batch_end(&b, ret, err);
    }
    free(meta);
    return ret;
}

/* ---- parts ---- */

/* The upload is locked against its end; no row comes if it has ended. */
static int add_part(struct po_batch *b, const char *id, unsigned part, const struct po_content *c, size_t n,
    struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = po_batch_add(b, err,
        "INSERT INTO @.parts AS p (upload, part, content, size) SELECT id, $2, $3, $4 FROM @.uploads WHERE "
        "id = $1 FOR SHARE ON CONFLICT (upload, part) DO UPDATE SET content = excluded.content, size = "
        "excluded.size, replaced = p.content RETURNING 1",
        "siui", id, (int64_t)part, c, (int64_t)n);
    while (ret == 0 && b->waiting > 0) {
        PQclear(r);
        ret = po_batch_next(b, &r, err);
    }
    if (ret == 0 && PQntuples(r) == 0)
        ret = sp_object_upload_unknown(id, err);
    PQclear(r);
    return ret;
}

int po_upload_part(
    struct sp_session *s, const char *id, unsigned part, const void *p, size_t n, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct po_content c;
    struct po_batch b;
    const char *bucket = NULL;
    int ret = sp_object_part_check(part, err);
    if (ret == 0)
        ret = sp_object_upload_bucket(id, &a, &bucket, err);
    if (ret == 0)
        ret = po_content_new(&c, err);
    if (ret == 0)
        ret = po_batch_begin(&b, s, bucket, err);
    if (ret != 0)
        goto out;
    for (size_t at = 0; ret == 0 && at < n; at += PO_CHUNK)
        ret = po_chunk_add(&b, &c, at, (const char *)p + at, n - at < PO_CHUNK ? n - at : PO_CHUNK, err);
    if (ret == 0)
        ret = add_part(&b, id, part, &c, n, err);
    if (ret == 0) /* the last one counts */
        ret = po_batch_add(&b, err,
            "DELETE FROM @.chunks c USING @.parts p WHERE p.upload = $1 AND p.part = $2 AND c.content = "
            "p.replaced",
            "si", id, (int64_t)part);
    if (ret == 0)
        ret = po_batch_finish(&b, err);
    ret = po_batch_end(&b, ret, err);
out:
    sp_arena_free(&a);
    return ret;
}

/* ---- the end of an upload ---- */

struct upload {
    struct sp_arena arena;
    const char *id, *bucket;
    struct sp_put_opts opts;
    struct po_put put;
    char etag[65];
};

static const char *text(struct upload *u, const PGresult *r, int column)
{
    return sp_arena_str(&u->arena, po_text_at(r, 0, column));
}

/* Locks the upload, too. */
static int load(struct sp_session *s, struct upload *u, struct sp_error *err)
{
    PGresult *r = NULL;
    size_t n;
    int ret = po_blob_ask(s, u->bucket, &r, err,
        "SELECT key, content_type, meta, if_none_match, if_match, sha256 FROM @.uploads WHERE id = $1 FOR "
        "UPDATE",
        "s", u->id);
    if (ret == 0 && PQntuples(r) == 0)
        ret = sp_object_upload_unknown(u->id, err);
    if (ret == 0) {
        const uint8_t *key = po_octets_at(r, 0, 0, &n);
        u->put = (struct po_put){ .key = sp_arena_strn(&u->arena, (const char *)key, n),
            .meta = text(u, r, 2),
            .opts = &u->opts,
            .etag = u->etag };
        u->opts = (struct sp_put_opts){ .content_type = text(u, r, 1),
            .if_none_match = *PQgetvalue(r, 0, 3) != 0,
            .if_match = text(u, r, 4),
            .sha256_hex = text(u, r, 5) };
        if (u->put.key == NULL || u->put.meta == NULL)
            ret = sp_nomem(err);
    }
    PQclear(r);
    return ret;
}

static int check_parts(struct sp_session *s, struct upload *u, struct sp_error *err)
{
    PGresult *r = NULL;
    unsigned last = 0;
    int ret = po_blob_ask(
        s, u->bucket, &r, err, "SELECT part, size FROM @.parts WHERE upload = $1 ORDER BY part", "s", u->id);
    for (int i = 0; ret == 0 && i < PQntuples(r); i++)
        ret = sp_object_part_join(
            po_int_at(r, i, 0), po_int_at(r, i, 1), &last, &u->put.size, (uint64_t)PO_OBJECT_BYTES, err);
    if (ret == 0 && last == 0)
        ret = sp_object_part_none(err);
    PQclear(r);
    return ret;
}

/* Reads what will be the object's content, in order, for its checksum. */
static int sum_parts(struct sp_session *s, struct upload *u, struct sp_error *err)
{
    struct sp_object o = { .key = u->put.key, .size = u->put.size };
    struct sp_object_reader rd;
    PGresult *r = NULL;
    size_t n;
    int ret = sp_object_reader_begin(&rd, &o, 0, SP_TO_END, NULL, NULL, err);
    if (ret == 0)
        ret = po_blob_send(s, u->bucket, err,
            "SELECT c.start + p.at, c.data FROM (SELECT part, content, (sum(size) OVER (ORDER BY part) - "
            "size)::bigint AS at FROM @.parts WHERE upload = $1) p JOIN @.chunks c ON c.content = p.content "
            "ORDER BY p.part, c.start",
            "s", u->id);
    bool sent = ret == 0;
    for (bool more = true; ret == 0 && more;) {
        ret = po_next(s, &r, err);
        more = ret == 0 && r != NULL && PQresultStatus(r) == PGRES_SINGLE_TUPLE;
        if (more) {
            const uint8_t *p = po_octets_at(r, 0, 1, &n);
            ret = sp_object_reader_add(&rd, (uint64_t)po_int_at(r, 0, 0), p, n, err);
        } else if (ret == 0 && (r == NULL || PQresultStatus(r) != PGRES_TUPLES_OK)) {
            ret = po_error(s, r, NULL, err);
        }
        PQclear(r);
        r = NULL;
    }
    if (sent)
        ret = po_rows_stop(s, ret, false, err);
    if (ret == 0)
        ret = sp_object_reader_sum(&rd, u->etag, err);
    sp_object_reader_free(&rd);
    return ret == 0 ? sp_object_sum_check(u->put.key, u->etag, u->opts.sha256_hex, err) : ret;
}

static const char take_chunks[] =
    "UPDATE @.chunks c SET content = $2, start = c.start + p.at FROM (SELECT content, (sum(size) OVER (ORDER "
    "BY part) - size)::bigint AS at FROM @.parts WHERE upload = $1) p WHERE c.content = p.content";

/* The object's row, and the end of the upload, in one go. */
static int place(struct sp_session *s, struct upload *u, int64_t *modified, struct sp_error *err)
{
    struct po_batch b;
    int ret = po_content_new(&u->put.content, err);
    if (ret == 0)
        ret = po_batch_begin(&b, s, u->bucket, err);
    if (ret != 0)
        return ret;
    ret = po_batch_add(&b, err, take_chunks, "su", u->id, &u->put.content);
    if (ret == 0)
        ret = po_batch_add(&b, err, "DELETE FROM @.parts WHERE upload = $1", "s", u->id);
    if (ret == 0)
        ret = po_batch_add(&b, err, "DELETE FROM @.uploads WHERE id = $1", "s", u->id);
    if (ret == 0)
        ret = po_row_add(&b, &u->put, NULL, 0, err);
    if (ret == 0)
        ret = po_row_next(&b, &u->put, modified, err);
    if (ret == 0)
        ret = po_batch_finish(&b, err);
    return po_batch_end(&b, ret, err);
}

int po_upload_complete(
    struct sp_session *s, struct sp_arena *a, const char *id, struct sp_object *out, struct sp_error *err)
{
    struct upload u = { .arena = SP_ARENA_INIT, .id = id };
    int64_t modified = 0;
    bool own;
    int ret = sp_object_upload_bucket(id, &u.arena, &u.bucket, err);
    if (ret == 0) {
        po_begin_statement(s);
        s->uncertain = false;
        ret = po_atomic_begin(s, &own, err);
    }
    if (ret == 0) {
        ret = load(s, &u, err);
        if (ret == 0)
            ret = check_parts(s, &u, err);
        if (ret == 0)
            ret = sum_parts(s, &u, err);
        if (ret == 0)
            ret = place(s, &u, &modified, err);
        ret = po_atomic_end(s, own, ret, err);
    }
    if (ret == 0)
        ret = po_put_describe(&u.put, modified, a, out, err);
    sp_arena_free(&u.arena);
    return ret;
}

int po_upload_abort(struct sp_session *s, const char *id, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct po_batch b;
    PGresult *r = NULL;
    const char *bucket = NULL;
    int ret = sp_object_upload_bucket(id, &a, &bucket, err);
    if (ret == 0)
        ret = po_batch_begin(&b, s, bucket, err);
    if (ret != 0)
        goto out;
    ret = po_batch_add(&b, err, "SELECT 1 FROM @.uploads WHERE id = $1 FOR UPDATE", "s", id);
    if (ret == 0)
        ret = po_batch_add(&b, err,
            "WITH gone AS (DELETE FROM @.parts WHERE upload = $1 RETURNING content) DELETE FROM @.chunks c "
            "USING gone WHERE c.content = gone.content",
            "s", id);
    if (ret == 0)
        ret = po_batch_add(&b, err, "DELETE FROM @.uploads WHERE id = $1", "s", id);
    if (ret == 0)
        ret = po_batch_finish(&b, err);
    if (ret == 0)
        ret = po_batch_next(&b, &r, err);
    if (ret == 0 && PQntuples(r) == 0)
        ret = sp_object_upload_unknown(id, err);
    PQclear(r);
    ret = po_batch_end(&b, ret, err);
out:
    sp_arena_free(&a);
    return ret == -SP_E_NOT_FOUND ? sp_object_upload_unknown(id, err) : ret;
}
