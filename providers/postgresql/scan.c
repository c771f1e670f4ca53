/* scan.c -- a full-speed pass: COPY (SELECT ...) TO STDOUT in binary, decoded straight into the row buffer. Partitions and
 * inheriting tables are read with their parent. The count in the answer that ends the COPY confirms the end. */
#include <stdlib.h>
#include <string.h>

#include "model/canonical.h"
#include "providers/postgresql/internal.h"

static const char signature[11] = { 'P', 'G', 'C', 'O', 'P', 'Y', '\n', '\377', '\r', '\n', '\0' };

struct source {
    Oid oid; /* 0: text of a native type */
    bool vector;
    const char *native;
};
struct pass {
    struct sp_session *s;
    struct sp_rowbuf *rb;
    struct source *columns;
    size_t ncolumns;
    struct sp_arena scratch;
    bool header, trailer, stopped;
    int rc; /* what made it stop */
};

/* ---- values ---- */

__attribute__((noinline)) static int push_slow(
    struct pass *p, const struct source *c, const uint8_t *v, size_t n)
{
    struct sp_value out, vector;
    sp_arena_reset(&p->scratch);
    if (c->oid == 0) {
        out = sp_v_native(c->native, v, n);
        return sp_put_value(p->rb, &out);
    }
    int rc = po_decode(&p->scratch, c->oid, v, n, &out);
    if (rc == 0 && c->vector && out.tag == SP_ARRAY) {
        rc = sp_coerce(&p->scratch, &(struct sp_type){ .tag = SP_VECTOR }, &out, &vector);
        if (rc == 0)
            out = vector;
        rc = rc < 0 ? rc : 0;
    }
    return rc != 0 ? rc : sp_put_value(p->rb, &out);
}

static inline int push(struct pass *p, const struct source *c, const uint8_t *v, size_t n)
{
    switch (c->oid) {
    case PO_INT8:
        return n == 8 ? sp_put_int(p->rb, (int64_t)po_u64(v)) : -SP_E_CORRUPT;
    case PO_INT4:
        return n == 4 ? sp_put_int(p->rb, (int32_t)po_u32(v)) : -SP_E_CORRUPT;
    case PO_INT2:
        return n == 2 ? sp_put_int(p->rb, (int16_t)po_u16(v)) : -SP_E_CORRUPT;
    case PO_FLOAT8: {
        double f;
        uint64_t u = n == 8 ? po_u64(v) : 0;
        memcpy(&f, &u, 8);
        return n == 8 ? sp_put_f64(p->rb, f) : -SP_E_CORRUPT;
    }
    case PO_TEXT:
    case PO_VARCHAR:
    case PO_BPCHAR:
        return sp_put_text(p->rb, (const char *)v, n);
    case PO_BYTEA:
        return sp_put_bytes(p->rb, v, n);
    default:
        return push_slow(p, c, v, n);
    }
}

/* One row; *at goes behind it. */
static int row(struct pass *p, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *v = *at;
    if (end - v < 2)
        return -SP_E_CORRUPT;
    uint16_t fields = po_u16(v);
    v += 2;
    if (fields == 0xffff) {
        p->trailer = true;
        *at = v;
        return 0;
    }
    if (fields != p->ncolumns || p->trailer)
        return -SP_E_CORRUPT;
    for (size_t i = 0; i < p->ncolumns; i++) {
        if (end - v < 4)
            return -SP_E_CORRUPT;
        uint32_t n = po_u32(v);
        v += 4;
        int rc;
        if (n == UINT32_MAX) {
            rc = sp_put_null(p->rb);
        } else {
            if (n > (size_t)(end - v))
                return -SP_E_CORRUPT;
            rc = push(p, &p->columns[i], v, n);
            v += n;
        }
        if (rc != 0)
            return rc;
    }
    *at = v;
    return sp_row_end(p->rb);
}

static int message(struct pass *p, const uint8_t *at, size_t n)
{
    const uint8_t *end = at + n;
    if (!p->header) {
        if (n < 19 || memcmp(at, signature, sizeof signature) != 0 || po_u32(at + 11) != 0 ||
            po_u32(at + 15) > n - 19)
            return -SP_E_CORRUPT;
        at += 19 + po_u32(at + 15);
        p->header = true;
    }
    while (at < end) {
        int rc = row(p, &at, end);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int pass_error(struct pass *p, struct sp_error *err)
{
    const struct sp_error *e = sp_rowbuf_error(p->rb);
    if (e->code != SP_E_OK)
        return sp_fail(err, e->code, e->origin, "%s", sp_error_text(e));
    if (p->rc == -SP_E_NOMEM)
        return sp_nomem(err);
    if (p->rc == -SP_E_CORRUPT)
        return po_decode_corrupt("scan", err);
    return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "scan stopped by its receiver");
}

/* ---- the stream ---- */

static int receive(struct pass *p, struct sp_error *err)
{
    struct sp_session *s = p->s;
    bool heard = false;
    for (;;) {
        char *data = NULL;
        int n = PQgetCopyData(s->conn, &data, 1);
        if (n > 0) {
            p->rc = message(p, (const uint8_t *)data, (size_t)n);
            PQfreemem(data);
            if (p->rc != 0)
                return pass_error(p, err);
            heard = true;
            continue;
        }
        if (n == -1)
            return 0;
        if (n < -1)
            return po_error(s, NULL, "scan", err);
        if (heard) /* patience is for silence, not for the length of a table */
            s->heard_ns = po_now_ns();
        heard = false;
        int ret = po_wait(s, false, err);
        if (ret != 0)
            return ret;
        if (PQconsumeInput(s->conn) == 0)
            return po_error(s, NULL, "scan", err);
    }
}

static int finish(struct pass *p, uint64_t *rows, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = po_next(p->s, &r, err);
    if (ret != 0)
        return ret;
    if (r == NULL || PQresultStatus(r) != PGRES_COMMAND_OK)
        ret = po_error(p->s, r, "scan", err);
    else if (!p->trailer || !sp_parse_u64(PQcmdTuples(r), rows))
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "scan: the stream ended without its end mark");
    PQclear(r);
    return ret;
}

/* The server has to be told, and what it still sends to be read; its answer is that it was stopped. */
static void stop(struct sp_session *s)
{
    char *data = NULL;
    if (PQstatus(s->conn) == CONNECTION_BAD)
        return;
    po_cancel(s->cancel);
    s->heard_ns = po_now_ns();
    atomic_store(&s->interrupted, true); /* bounds the waiting also where no time-out is set */
    for (;;) {
        int n = PQgetCopyData(s->conn, &data, 1);
        if (n > 0) {
            PQfreemem(data);
            continue;
        }
        if (n < 0)
            break;
        if (po_wait(s, false, NULL) != 0 || PQconsumeInput(s->conn) == 0)
            return;
    }
}

static int run(struct pass *p, const char *sql, uint64_t *rows, struct sp_error *err)
{
    struct sp_session *s = p->s;
    PGresult *r = NULL;
    bool guard = PQtransactionStatus(s->conn) != PQTRANS_IDLE;
    int ret =
        guard ? po_exec(s, "SAVEPOINT sp_scan", NULL, err) : 0; /* a scan that fails keeps the snapshot */
    if (ret != 0)
        return ret;
    ret = po_exec(s, sql, &r, err);
    if (ret == 0 && PQresultStatus(r) != PGRES_COPY_OUT)
        ret = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "scan: the server did not begin a COPY");
    PQclear(r);
    if (ret == 0) {
        ret = receive(p, err);
        if (ret == 0)
            ret = finish(p, rows, err);
        else
            stop(s);
        po_drain(s);
    }
    if (guard && PQstatus(s->conn) != CONNECTION_BAD) {
        int end = po_exec(s,
            ret == 0 ? "RELEASE SAVEPOINT sp_scan"
                     : "ROLLBACK TO SAVEPOINT sp_scan; RELEASE SAVEPOINT sp_scan",
            NULL, ret == 0 ? err : NULL);
        ret = ret == 0 ? end : ret;
    }
    return ret;
}

/* COPY takes no parameters: without a filter the names of the columns are the statement. */
static int render(struct pass *p, const struct sp_scan *scan, const struct po_table *t, struct po_sql *q,
    struct sp_error *err)
{
    const char **names = sp_arena_array(&q->arena, scan->ncols, sizeof *names);
    if (names == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < scan->ncols; i++)
        names[i] = scan->side == SP_SIDE_SOURCE ? scan->cols[i].source : scan->cols[i].target;
    sp_buf_puts(
        &q->text, scan->where != NULL ? "DECLARE sp_scan NO SCROLL CURSOR FOR SELECT " : "COPY (SELECT ");
    int ret = po_render_columns(t, names, scan->ncols, q, err);
    if (ret != 0)
        return ret;
    /* Rows of inheriting tables are rows of those; a partitioned table has none but its partitions'. */
    sp_buf_printf(&q->text, " FROM %s%s", t->kind == 'r' ? "ONLY " : "", t->qualified);
    ret = scan->where != NULL ? po_render_where(t, scan->where, q, err) : po_split_where(scan, &q->text, err);
    if (ret != 0)
        return ret;
    if (scan->where == NULL)
        sp_buf_puts(&q->text, ") TO STDOUT (FORMAT binary)");
    for (size_t i = 0; i < scan->ncols; i++) {
        const struct po_column *c = po_table_column(t, names[i]);
        p->columns[i] = (struct source){ .oid = c->is_enum                 ? PO_TEXT
                                                : c->type.tag == SP_NATIVE ? 0
                                                                           : c->oid,
            .vector = c->type.tag == SP_VECTOR,
            .native = q->columns[i].native };
    }
    return q->text.oom ? sp_nomem(err) : 0;
}

/* ---- with a filter: a cursor, whose statement takes parameters ---- */

static int push_rows(struct pass *p, const PGresult *r, struct sp_error *err)
{
    for (int i = 0; p->rc == 0 && i < PQntuples(r); i++) {
        for (int c = 0; p->rc == 0 && c < (int)p->ncolumns; c++)
            p->rc = PQgetisnull(r, i, c) != 0 ? sp_put_null(p->rb)
                                              : push(p, &p->columns[c], (const uint8_t *)PQgetvalue(r, i, c),
                                                    (size_t)PQgetlength(r, i, c));
        if (p->rc == 0)
            p->rc = sp_row_end(p->rb);
    }
    return p->rc == 0 ? 0 : pass_error(p, err);
}

/* The cursor sees one state; that nothing more comes confirms its end. */
static int fetch_all(struct pass *p, uint64_t *rows, struct sp_error *err)
{
    int ret = 0;
    for (bool more = true; ret == 0 && more;) {
        PGresult *r = NULL;
        po_begin_statement(p->s);
        ret = po_query(p->s, PO_PLAIN, "FETCH FORWARD 1000 FROM sp_scan", NULL, &r, err);
        more = ret == 0 && PQntuples(r) > 0;
        if (ret == 0 && PQnfields(r) != (int)p->ncolumns)
            ret = po_decode_corrupt("scan", err);
        if (ret == 0)
            ret = push_rows(p, r, err);
        if (ret == 0)
            *rows += (uint64_t)PQntuples(r);
        PQclear(r);
    }
    return ret;
}

static int run_filtered(
    struct pass *p, const struct sp_scan *scan, const struct po_sql *q, uint64_t *rows, struct sp_error *err)
{
    struct po_params params = PO_PARAMS_INIT;
    PGresult *r = NULL;
    bool own;
    int ret = po_bind_filter(&params, scan->where, q, err);
    if (ret == 0)
        ret = po_atomic_begin(p->s, &own, err);
    if (ret == 0) {
        ret = po_query(p->s, PO_PLAIN, q->text.p, &params, &r, err);
        if (ret == 0)
            ret = fetch_all(p, rows, err);
        if (ret == 0)
            ret = po_exec(p->s, "CLOSE sp_scan", NULL, err);
        ret = po_atomic_end(p->s, own, ret, err);
    }
    PQclear(r);
    po_params_free(&params);
    return ret;
}

/* TRUNCATE, a change of a column's type and a table made anew show no old state: whoever reads in an older snapshot finds
 * no rows, or those of another table. The catalog's rows are of the snapshot, its functions know of today. */
static int still_the_same(struct pass *p, const struct po_table *t, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    if (PQtransactionStatus(p->s->conn) != PQTRANS_INTRANS)
        return 0; /* then every statement sees what is there */
    sp_buf_printf(&b,
        "WITH RECURSIVE part(oid) AS (SELECT c.oid FROM pg_catalog.pg_class c WHERE c.oid = %u UNION SELECT "
        "i.inhrelid FROM part JOIN pg_catalog.pg_inherits i ON i.inhparent = part.oid AND '%c' = 'p') SELECT "
        "pg_catalog.to_regclass(",
        (unsigned)t->oid, t->kind);
    po_put_literal(&b, t->qualified);
    sp_buf_printf(&b,
        ") = %u AND bool_and(c.relkind <> 'r' OR c.relfilenode IS NOT DISTINCT FROM "
        "pg_catalog.pg_relation_filenode(c.oid))",
        (unsigned)t->oid);
    if (t->kind == 'p')
        sp_buf_printf(
            &b, " AND count(*) = (SELECT count(*) FROM pg_catalog.pg_partition_tree(%u))", (unsigned)t->oid);
    sp_buf_puts(&b, " FROM part JOIN pg_catalog.pg_class c ON c.oid = part.oid");
    int ret = b.oom ? sp_nomem(err) : po_exec(p->s, b.p, &r, err);
    if (ret == 0 && (PQntuples(r) != 1 || *PQgetvalue(r, 0, 0) != 't'))
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "table %s was emptied, rewritten or replaced while it was read; its rows as they were cannot be "
            "had any more",
            t->name);
    PQclear(r);
    sp_buf_free(&b);
    return ret;
}

static int scan_table(struct pass *p, const struct sp_scan *scan, uint64_t *rows, struct sp_error *err)
{
    struct po_sql q = { .ncolumns = 0 };
    const struct po_table *t;
    int ret = po_table_find(p->s, scan->ns, scan->table, &t, err);
    if (ret == 0)
        ret = po_rows_whole(p->s, t, err);
    if (ret == 0)
        ret = render(p, scan, t, &q, err);
    p->s->uncertain = false;
    if (ret == 0)
        ret = scan->where != NULL ? run_filtered(p, scan, &q, rows, err) : run(p, q.text.p, rows, err);
    if (ret == 0)
        ret = still_the_same(p, t, err);
    po_sql_free(&q);
    return ret;
}

int po_scan(struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct pass p = { .s = s, .rb = rb, .ncolumns = scan->ncols, .scratch = SP_ARENA_INIT };
    uint64_t rows = 0;
    bool own = false;
    if (scan->ncols == 0)
        return sp_invalid(err, "scan of %s: no columns", scan->table);
    p.columns = calloc(scan->ncols, sizeof *p.columns);
    po_begin_statement(s);
    int ret = p.columns == NULL ? sp_nomem(err) : po_pooled_begin(s, &own, err);
    if (ret == 0)
        ret = po_pooled_end(s, own, scan_table(&p, scan, &rows, err), err);
    sp_arena_free(&p.scratch);
    free(p.columns);
    return ret != 0 ? ret : sp_scan_end(rb, rows, err);
}
