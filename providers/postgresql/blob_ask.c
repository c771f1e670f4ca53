/* blob_ask.c -- statements on a bucket: texts, parameters, and names for those that come again, so that the server parses and
 * plans them once. Names hold for the bucket used last. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/canonical.h"
#include "providers/postgresql/blob.h"

#define KNOWN     24 /* all that is ever said about a bucket */
#define MOST_OIDS 10
#define WORTH_IT  3 /* this many times the same */

struct statement {
    struct sp_d128 key;
    unsigned seen;
    bool named;
    char name[24];
    char *sql; /* to be prepared, NULL = not wanted, or done */
    Oid oids[MOST_OIDS];
    size_t n;
};
struct po_blob_known {
    char schema[160]; /* quoted */
    struct statement v[KNOWN];
    size_t n;
};

int po_bucket_error(struct sp_session *s, const char *bucket, int ret, struct sp_error *err)
{
    if (ret != 0 && strcmp(s->state, "26000") == 0) {
        po_blob_forget(s);
        sp_error_clear(err);
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "the session's prepared statements were discarded by another one; repeat (%s)", s->where);
        if (err != NULL)
            err->retryable = true;
        return ret;
    }
    if (ret != -SP_E_NOT_FOUND)
        return ret;
    sp_error_clear(err);
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no bucket \"%s\"", bucket);
}

/* The name where it can be a schema's, else a digest of it. */
int po_bucket_schema(const char *bucket, struct sp_buf *out, struct sp_error *err)
{
    struct sp_object_sum sum;
    char hex[65];
    sp_buf_puts(out, PO_BLOB);
    if (strlen(bucket) + sizeof PO_BLOB - 1 <= PO_NAME_BYTES && bucket[0] != '#') {
        sp_buf_puts(out, bucket);
        return out->oom ? sp_nomem(err) : 0;
    }
    int ret = sp_object_sum_begin(&sum, err);
    if (ret != 0)
        return ret;
    sp_object_sum_add(&sum, bucket, strlen(bucket));
    sp_object_sum_end(&sum, hex);
    sp_object_sum_free(&sum);
    sp_buf_printf(out, "#%.40s", hex);
    return out->oom ? sp_nomem(err) : 0;
}

static int quoted_schema(const char *bucket, struct sp_buf *out, struct sp_error *err)
{
    struct sp_buf name = SP_BUF_INIT;
    int ret = po_bucket_schema(bucket, &name, err);
    if (ret == 0)
        po_put_name(out, name.p);
    sp_buf_free(&name);
    return ret == 0 && out->oom ? sp_nomem(err) : ret;
}

static int expand(struct sp_buf *out, const char *sql, const char *schema, struct sp_error *err)
{
    sp_buf_clear(out);
    for (size_t n; *sql != '\0'; sql += n) {
        n = strcspn(sql, "@");
        sp_buf_put(out, sql, n);
        if (sql[n] != '@')
            continue;
        sp_buf_puts(out, schema);
        n++;
    }
    return out->oom ? sp_nomem(err) : 0;
}

static int param(struct po_params *p, char type, va_list *ap)
{
    uint64_t be;
    switch (type) {
    case 'i':
        be = htobe64((uint64_t)va_arg(*ap, int64_t));
        return po_param_add(p, PO_INT8, &be, sizeof be, true);
    case 't':
        return po_param_add(p, PO_BOOL, va_arg(*ap, int) != 0 ? "\1" : "\0", 1, true);
    case 'u':
        return po_param_add(p, PO_UUID, va_arg(*ap, const struct po_content *)->id, 16, true);
    case 's':
        return po_param_text(p, va_arg(*ap, const char *));
    case 'k': {
        const char *key = va_arg(*ap, const char *);
        return po_param_add(p, PO_BYTEA, key, key == NULL ? 0 : strlen(key), true);
    }
    default: {
        const void *octets = va_arg(*ap, const void *);
        return po_param_add(p, PO_BYTEA, octets, va_arg(*ap, size_t), true);
    }
    }
}

static int bind(struct po_params *p, const char *types, va_list ap, struct sp_error *err)
{
    va_list args;
    int ret = 0;
    va_copy(args, ap);
    po_params_reset(p);
    for (; ret == 0 && *types != '\0'; types++)
        ret = param(p, *types, &args);
    va_end(args);
    return ret == 0 ? 0 : sp_nomem(err);
}

/* ---- names ---- */

static void clear(struct po_blob_known *k)
{
    for (size_t i = 0; i < k->n; i++)
        free(k->v[i].sql);
    memset(k, 0, sizeof *k);
}

void po_blob_forget(struct sp_session *s)
{
    if (s->blob_known != NULL)
        clear(s->blob_known);
    free(s->blob_known);
    s->blob_known = NULL;
}

/* Another bucket: what the server knows about the last one is of no use any more. */
static void turn_to(struct sp_session *s, const char *schema)
{
    struct po_blob_known *k = s->blob_known;
    struct sp_buf sql = SP_BUF_INIT;
    for (size_t i = 0; i < k->n; i++)
        if (k->v[i].named)
            sp_buf_printf(&sql, "DEALLOCATE %s; ", k->v[i].name);
    if (sql.n > 0 && !sql.oom)
        (void)po_exec(s, sql.p, NULL, NULL);
    sp_buf_free(&sql);
    clear(k);
    if (!sp_strlcpy(k->schema, schema, sizeof k->schema))
        k->schema[0] = '\0';
}

static void prepare_wanted(struct sp_session *s)
{
    struct po_blob_known *k = s->blob_known;
    for (size_t i = 0; i < k->n; i++) {
        struct statement *st = &k->v[i];
        struct po_params types = { .oids = st->oids, .n = st->n };
        if (st->sql == NULL)
            continue;
        po_statement_name(s, st->name);
        st->named = po_prepare(s, st->name, st->sql, &types, NULL) == 0; /* else it goes on without a name */
        free(st->sql);
        st->sql = NULL;
    }
}

/* Outside of transactions only: a failure there would end them. */
static void make_ready(struct sp_session *s, const char *schema)
{
    if (s->pooled || PQtransactionStatus(s->conn) != PQTRANS_IDLE || s->loading)
        return;
    if (s->blob_known == NULL)
        s->blob_known = calloc(1, sizeof *s->blob_known);
    if (s->blob_known == NULL)
        return;
    if (strcmp(s->blob_known->schema, schema) != 0)
        turn_to(s, schema);
    prepare_wanted(s);
}

static const char *name_of(struct sp_session *s, const struct po_words *w)
{
    struct po_blob_known *k = s->blob_known;
    if (k == NULL || strcmp(k->schema, w->schema.p) != 0 || w->params.n > MOST_OIDS)
        return NULL;
    struct sp_d128 key = sp_d128_of(w->sql.p, w->sql.n);
    size_t i = 0;
    while (i < k->n && !sp_d128_eq(k->v[i].key, key))
        i++;
    if (i == KNOWN)
        return NULL;
    struct statement *st = &k->v[i];
    if (i == k->n) {
        k->n++;
        st->key = key;
    }
    if (st->named)
        return st->name;
    if (++st->seen == WORTH_IT) {
        st->sql = strdup(w->sql.p);
        st->n = w->params.n;
        memcpy(st->oids, w->params.oids, st->n * sizeof *st->oids);
    }
    return NULL;
}

/* ---- words ---- */

int po_words_open(struct po_words *w, struct sp_session *s, const char *bucket, struct sp_error *err)
{
    *w = (struct po_words){ .sql = SP_BUF_INIT, .schema = SP_BUF_INIT, .params = PO_PARAMS_INIT };
    po_begin_statement(s);
    s->uncertain = false;
    s->state[0] = '\0';
    int ret = po_ready(s, err);
    if (ret == 0)
        ret = quoted_schema(bucket, &w->schema, err);
    if (ret == 0)
        make_ready(s, w->schema.p);
    s->state[0] = '\0';
    return ret;
}

int po_words_set(struct po_words *w, struct sp_session *s, const char *sql, const char *types, va_list ap,
    struct sp_error *err)
{
    int ret = expand(&w->sql, sql, w->schema.p, err);
    if (ret == 0)
        ret = bind(&w->params, types, ap, err);
    w->name = ret == 0 ? name_of(s, w) : NULL;
    return ret;
}

int po_words_send(const struct po_words *w, struct sp_session *s)
{
    const struct po_params *p = &w->params;
    return w->name != NULL
               ? PQsendQueryPrepared(s->conn, w->name, (int)p->n, p->values, p->lengths, p->formats, 1)
               : PQsendQueryParams(
                     s->conn, w->sql.p, (int)p->n, p->oids, p->values, p->lengths, p->formats, 1);
}

void po_words_free(struct po_words *w)
{
    sp_buf_free(&w->sql);
    sp_buf_free(&w->schema);
    po_params_free(&w->params);
}

/* ---- reading ---- */

int po_blob_ask(struct sp_session *s, const char *bucket, PGresult **out, struct sp_error *err,
    const char *sql, const char *types, ...)
{
    struct po_words w;
    va_list ap;
    *out = NULL;
    int ret = po_words_open(&w, s, bucket, err);
    va_start(ap, types);
    if (ret == 0)
        ret = po_words_set(&w, s, sql, types, ap, err);
    va_end(ap);
    if (ret == 0)
        ret = w.name != NULL ? po_query_prepared(s, PO_GUARDED, w.name, &w.params, out, err)
                             : po_query(s, PO_GUARDED, w.sql.p, &w.params, out, err);
    po_words_free(&w);
    return po_bucket_error(s, bucket, ret, err);
}

int po_blob_send(
    struct sp_session *s, const char *bucket, struct sp_error *err, const char *sql, const char *types, ...)
{
    struct po_words w;
    va_list ap;
    int ret = po_words_open(&w, s, bucket, err);
    va_start(ap, types);
    if (ret == 0)
        ret = po_words_set(&w, s, sql, types, ap, err);
    va_end(ap);
    if (ret == 0 && (po_words_send(&w, s) == 0 || PQsetSingleRowMode(s->conn) == 0))
        ret = po_error(s, NULL, NULL, err);
    po_words_free(&w);
    return ret;
}
