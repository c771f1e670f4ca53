/* load.c -- bulk load: COPY FROM STDIN in binary, in one transaction (a savepoint inside another one). Columns of types that
 * travel as text have no binary form that we could write: such tables are filled by inserts instead. */
#include <stdlib.h>
#include <string.h>

#include "providers/postgresql/internal.h"

#define CHUNK (256u * 1024u)

struct sp_load {
    struct sp_session *s;
    struct sp_arena names, scratch;
    const char *table;
    const char **columns;
    struct sp_type *types;
    Oid *oids;
    size_t ncolumns;
    bool own, by_insert;
    struct sp_buf out;
    uint64_t rows;
    int failed; /* first error: nothing can be committed after it */
    int limit_ms;
    /* by_insert: rows wait here */
    struct sp_value *waiting;
    size_t nwaiting;
};
#define WAITING 200

static const char header[19] = { 'P', 'G', 'C', 'O', 'P', 'Y', '\n', '\377', '\r', '\n', '\0' };

static int flush(struct sp_load *l, struct sp_error *err)
{
    if (l->out.n == 0)
        return 0;
    if (l->out.oom)
        return sp_nomem(err);
    int rc = PQputCopyData(l->s->conn, l->out.p, (int)l->out.n);
    sp_buf_clear(&l->out);
    return rc == 1 ? 0 : po_error(l->s, NULL, "load", err);
}

static int columns_of(struct sp_load *l, const struct po_table *t, const char *const *columns,
    struct sp_buf *sql, struct sp_error *err)
{
    sp_buf_printf(sql, "COPY %s (", t->qualified);
    for (size_t i = 0; i < l->ncolumns; i++) {
        const struct po_column *c = po_table_column(t, columns[i]);
        if (c == NULL)
            return sp_fail(
                err, SP_E_INVALID, SP_ORIGIN_BACKEND, "no such column: %s.%s", t->name, columns[i]);
        l->columns[i] = sp_arena_str(&l->names, columns[i]);
        l->types[i] = c->type;
        l->oids[i] = c->is_enum ? PO_TEXT : c->oid; /* an enum's binary form is its label */
        l->by_insert = l->by_insert || c->type.tag == SP_NATIVE;
        if (l->columns[i] == NULL)
            return sp_nomem(err);
        sp_buf_puts(sql, i > 0 ? ", " : "");
        po_put_name(sql, columns[i]);
    }
    sp_buf_puts(sql, ") FROM STDIN (FORMAT binary)");
    return sql->oom ? sp_nomem(err) : 0;
}

static void release(struct sp_load *l)
{
    l->s->loading = false;
    l->s->statement_ms = l->limit_ms;
    sp_buf_free(&l->out);
    sp_arena_free(&l->names);
    sp_arena_free(&l->scratch);
    free(l->columns);
    free(l->types);
    free(l->oids);
    free(l->waiting);
    free(l);
}

static int start(struct sp_load *l, const char *sql, struct sp_error *err)
{
    PGresult *r = NULL;
    int ret = po_atomic_begin(l->s, &l->own, err);
    if (ret != 0)
        return ret;
    ret = po_exec(l->s, "SET LOCAL statement_timeout = 0", NULL, err); /* a load has no time-out of its own */
    if (ret == 0 && !l->by_insert) {
        ret = po_exec(l->s, sql, &r, err);
        if (ret == 0 && PQresultStatus(r) != PGRES_COPY_IN)
            ret = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "load: the server did not begin a COPY");
        PQclear(r);
        sp_buf_put(&l->out, header, sizeof header);
        l->s->loading = ret == 0;
    }
    return ret == 0 ? 0 : po_atomic_end(l->s, l->own, ret, err);
}

int po_load_open(struct sp_session *s, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **out, struct sp_error *err)
{
    const struct po_table *t;
    struct sp_buf sql = SP_BUF_INIT;
    *out = NULL;
    if (ncolumns == 0 || ncolumns > INT16_MAX)
        return sp_invalid(err, "load into %s: %zu columns", table, ncolumns);
    int ret = po_table_find(s, NULL, table, &t, err);
    if (ret == 0)
        ret = po_rows_whole(s, t, err);
    if (ret != 0)
        return ret;
    struct sp_load *l = calloc(1, sizeof *l);
    if (l == NULL)
        return sp_nomem(err);
    l->s = s;
    l->ncolumns = ncolumns;
    l->limit_ms = s->statement_ms;
    l->table = sp_arena_str(&l->names, table);
    l->columns = calloc(ncolumns, sizeof *l->columns);
    l->types = calloc(ncolumns, sizeof *l->types);
    l->oids = calloc(ncolumns, sizeof *l->oids);
    bool memory = l->table != NULL && l->columns != NULL && l->types != NULL && l->oids != NULL;
    ret = memory ? columns_of(l, t, columns, &sql, err) : sp_nomem(err);
    if (ret == 0 && l->by_insert && (l->waiting = calloc(WAITING * ncolumns, sizeof *l->waiting)) == NULL)
        ret = sp_nomem(err);
    s->uncertain = false;
    s->statement_ms = 0;
    if (ret == 0)
        ret = start(l, sql.p, err);
    sp_buf_free(&sql);
    if (ret != 0)
        release(l);
    else
        *out = l;
    return ret;
}

/* ---- rows ---- */

static int insert_waiting(struct sp_load *l, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_CREATE,
        .query = { .table = l->table, .limit = SP_NO_LIMIT },
        .fields = l->columns,
        .nfields = l->ncolumns,
        .values = l->waiting,
        .nrows = l->nwaiting };
    int ret = l->nwaiting == 0 ? 0 : po_db_exec(l->s, &op, NULL, err);
    l->nwaiting = 0;
    sp_arena_reset(&l->scratch);
    return ret;
}

static int wait_row(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    for (size_t i = 0; i < l->ncolumns; i++) {
        struct sp_value *v = &l->waiting[l->nwaiting * l->ncolumns + i], fit;
        int ret = sp_pg_fit(&l->scratch, &l->types[i], &row[i], &fit, err);
        if (ret != 0)
            return sp_error_prefix(err, "%s", l->columns[i]);
        if (sp_value_copy(&l->scratch, v, &fit) != 0)
            return sp_nomem(err);
    }
    l->nwaiting++;
    return l->nwaiting == WAITING ? insert_waiting(l, err) : 0;
}

static int copy_row(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    if (l->scratch.total > 0)
        sp_arena_reset(&l->scratch);
    sp_buf_putc(&l->out, (char)(l->ncolumns >> 8));
    sp_buf_putc(&l->out, (char)(l->ncolumns & 0xff));
    for (size_t i = 0; i < l->ncolumns; i++) {
        struct sp_value fit;
        size_t at = l->out.n;
        sp_buf_u32be(&l->out, UINT32_MAX);
        if (sp_v_is_absent(&row[i]))
            continue;
        int ret = sp_pg_fit(&l->scratch, &l->types[i], &row[i], &fit, err);
        if (ret == 0)
            ret = po_encode(&l->out, l->oids[i], &fit, err);
        if (ret != 0)
            return sp_error_prefix(err, "%s", l->columns[i]);
        if (l->out.n - at - 4 > INT32_MAX)
            return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "%s: a value of %zu bytes", l->columns[i],
                l->out.n - at - 4);
        uint32_t n = htobe32((uint32_t)(l->out.n - at - 4));
        memcpy(l->out.p + at, &n, 4);
    }
    if (l->out.oom)
        return sp_nomem(err);
    return l->out.n >= CHUNK ? flush(l, err) : 0;
}

int po_load_row(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    if (l->failed != 0)
        return sp_invalid(err, "the load failed before; close it without commit");
    int ret = l->by_insert ? wait_row(l, row, err) : copy_row(l, row, err);
    if (ret != 0) {
        l->failed = ret;
        return sp_error_prefix(err, "row %llu", (unsigned long long)l->rows + 1);
    }
    l->rows++;
    return 0;
}

/* ---- the end ---- */

static int end_copy(struct sp_load *l, bool commit, uint64_t *confirmed, struct sp_error *err)
{
    struct sp_session *s = l->s;
    PGresult *r = NULL;
    int ret = 0;
    if (commit) {
        sp_buf_put(&l->out, "\377\377", 2);
        ret = flush(l, err);
    }
    s->started_ns = po_now_ns();
    s->loading = false;
    if (PQputCopyEnd(s->conn, commit && ret == 0 ? NULL : "given up") != 1 && ret == 0)
        ret = po_error(s, NULL, "load", err);
    int rc = po_next(s, &r, ret == 0 && commit ? err : NULL);
    if (commit && ret == 0)
        ret = rc;
    if (commit && ret == 0 && (r == NULL || PQresultStatus(r) != PGRES_COMMAND_OK))
        ret = po_error(s, r, "load", err);
    if (commit && ret == 0 && !sp_parse_u64(PQcmdTuples(r), confirmed))
        ret = sp_fail(
            err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "load: the server did not say how many rows it took");
    PQclear(r);
    po_drain(s);
    return ret;
}

int po_load_close(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    struct sp_session *s = l->s;
    uint64_t confirmed = 0;
    int ret = 0;
    bool keep = commit && l->failed == 0;
    if (l->by_insert) {
        ret = keep ? insert_waiting(l, err) : 0;
        confirmed = l->rows;
    } else {
        ret = end_copy(l, keep, &confirmed, err);
    }
    if (commit && l->failed != 0)
        ret = sp_fail(err, (enum sp_code) - l->failed, SP_ORIGIN_BACKEND,
            "the load failed before; nothing was committed");
    bool undo = !keep || ret != 0;
    int end = po_atomic_end(s, l->own, undo ? -SP_E_CANCELLED : 0, undo ? NULL : err);
    if (!undo)
        ret = end;
    if (!l->own && !undo && PQstatus(s->conn) == CONNECTION_OK)
        (void)po_execf(s, NULL, "SET LOCAL statement_timeout = %d", l->limit_ms);
    if (loaded != NULL)
        *loaded = commit && ret == 0 ? confirmed : 0;
    release(l);
    return ret;
}
