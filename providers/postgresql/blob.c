/* blob.c -- buckets: schemas of their own, told by their comment from those of the user. */
#include <string.h>

#include "providers/postgresql/blob.h"

static const char tables[] =
    "CREATE TABLE @.objects (key bytea PRIMARY KEY, content uuid NOT NULL, size bigint NOT NULL, "
    "content_type text NOT NULL, etag text NOT NULL, meta text NOT NULL, modified timestamptz NOT NULL, "
    "replaced uuid); "
    "CREATE TABLE @.chunks (content uuid, start bigint, data bytea NOT NULL, PRIMARY KEY (content, start)); "
    "ALTER TABLE @.chunks ALTER data SET STORAGE EXTERNAL; " /* ranges are cut out of what is not compressed */
    "CREATE TABLE @.uploads (id text PRIMARY KEY, key bytea NOT NULL, content_type text, meta text NOT NULL, "
    "if_none_match boolean NOT NULL, if_match text, sha256 text); "
    "CREATE TABLE @.parts (upload text, part bigint, content uuid NOT NULL, size bigint NOT NULL, "
    "replaced uuid, PRIMARY KEY (upload, part))";

static int create_text(const char *bucket, struct sp_buf *out, struct sp_error *err)
{
    struct sp_buf name = SP_BUF_INIT, quoted = SP_BUF_INIT, comment = SP_BUF_INIT;
    int ret = po_bucket_schema(bucket, &name, err);
    if (ret == 0) {
        po_put_name(&quoted, name.p);
        sp_buf_printf(&comment, PO_BUCKET "%s", bucket);
    }
    if (ret == 0 && (quoted.oom || comment.oom))
        ret = sp_nomem(err);
    if (ret == 0) {
        sp_buf_printf(out, "CREATE SCHEMA %s; COMMENT ON SCHEMA %s IS ", quoted.p, quoted.p);
        po_put_literal(out, comment.p);
        sp_buf_puts(out, "; ");
        for (const char *p = tables; *p != '\0'; p++)
            if (*p == '@')
                sp_buf_puts(out, quoted.p);
            else
                sp_buf_putc(out, *p);
        ret = out->oom ? sp_nomem(err) : 0;
    }
    sp_buf_free(&name);
    sp_buf_free(&quoted);
    sp_buf_free(&comment);
    return ret;
}

/* Statements that are sent as one text are one transaction. */
static int run(struct sp_session *s, const char *sql, struct sp_error *err)
{
    int ret = po_ready(s, err);
    if (ret != 0)
        return ret;
    bool own = PQtransactionStatus(s->conn) == PQTRANS_IDLE;
    s->uncertain = own;
    ret = own ? po_exec(s, sql, NULL, err) : po_exec_guarded(s, sql, err);
    s->uncertain = false;
    return ret;
}

static int bucket_create(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct sp_buf sql = SP_BUF_INIT;
    po_begin_statement(s);
    int ret = create_text(bucket, &sql, err);
    if (ret == 0)
        ret = run(s, sql.p, err);
    sp_buf_free(&sql);
    if (ret == -SP_E_EXISTS || ret == -SP_E_UNIQUE) { /* the latter: another session was faster by a moment */
        sp_error_clear(err);
        ret = sp_fail(err, SP_E_EXISTS, SP_ORIGIN_BACKEND, "bucket \"%s\" exists already", bucket);
    }
    return ret;
}

static int ask(struct sp_session *s, const char *sql, const char *arg, PGresult **r, struct sp_error *err)
{
    struct po_params p = PO_PARAMS_INIT;
    s->uncertain = false;
    int ret = po_param_text(&p, arg) != 0 ? sp_nomem(err) : po_query(s, PO_GUARDED, sql, &p, r, err);
    po_params_free(&p);
    return ret;
}

/* A schema that is not marked as a bucket is somebody's own, and stays. */
static int bucket_drop(struct sp_session *s, const char *bucket, struct sp_error *err)
{
    struct sp_buf name = SP_BUF_INIT, sql = SP_BUF_INIT;
    PGresult *r = NULL;
    po_begin_statement(s);
    s->state[0] = '\0';
    int ret = po_bucket_schema(bucket, &name, err);
    if (ret == 0)
        ret = ask(s,
            "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1 AND "
            "starts_with(obj_description(oid, 'pg_namespace'), '" PO_BUCKET "')",
            name.p, &r, err);
    if (ret == 0 && PQntuples(r) == 0)
        ret = po_bucket_error(s, bucket, -SP_E_NOT_FOUND, err);
    PQclear(r);
    if (ret == 0) {
        sp_buf_puts(&sql, "DROP SCHEMA ");
        po_put_name(&sql, name.p);
        sp_buf_puts(&sql, " CASCADE");
        ret = sql.oom ? sp_nomem(err) : po_bucket_error(s, bucket, run(s, sql.p, err), err);
    }
    sp_buf_free(&name);
    sp_buf_free(&sql);
    return ret;
}

static int bucket_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    PGresult *r = NULL;
    po_begin_statement(s);
    int ret = ask(s,
        "SELECT b.name FROM (SELECT substr(d.text, length('" PO_BUCKET "') + 1) COLLATE \"C\" AS name FROM "
        "pg_catalog.pg_namespace n, LATERAL (SELECT obj_description(n.oid, 'pg_namespace')) d(text) WHERE "
        "starts_with(n.nspname, '" PO_BLOB "') AND starts_with(d.text, '" PO_BUCKET "')) b "
        "WHERE starts_with(b.name, $1) ORDER BY b.name",
        prefix, &r, err);
    for (int i = 0; ret == 0 && i < PQntuples(r); i++)
        if (sp_names_add(out, PQgetvalue(r, i, 0)) != 0)
            ret = sp_nomem(err);
    PQclear(r);
    return ret;
}

const struct sp_blob_ops po_blob_ops = {
    .bucket_create = bucket_create,
    .bucket_drop = bucket_drop,
    .bucket_list = bucket_list,
    .put = po_blob_put,
    .get = po_blob_get,
    .head = po_blob_head,
    .list = po_blob_list,
    .del = po_blob_del,
    .copy = po_blob_copy,
    .move = po_blob_move,
    .upload_begin = po_upload_begin,
    .upload_part = po_upload_part,
    .upload_complete = po_upload_complete,
    .upload_abort = po_upload_abort,
};
