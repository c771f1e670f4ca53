/* exec.c -- carrying operations out: once, or prepared and often. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "providers/lib/sql_word.h"
#include "providers/postgresql/internal.h"

#define ROWS_AT_ONCE 1000

struct sp_prepared {
    struct sp_session *s;
    struct po_sql q;
    char name[24];
    enum sp_op_kind kind;
    size_t nfields, nrows, at_once; /* rows per statement */
    bool returning;
};

static bool writes(enum sp_op_kind kind)
{
    return kind != SP_OP_READ && kind != SP_OP_COUNT;
}

static int64_t tuples(PGresult *r)
{
    int64_t n = 0;
    return sp_parse_i64(PQcmdTuples(r), &n) ? n : 0;
}

/* What the answer says, into the caller's result. */
static int answer(struct sp_session *s, enum sp_op_kind kind, bool rows, PGresult *r, const struct po_sql *q,
    struct sp_result *out, struct sp_error *err)
{
    if (out == NULL)
        return 0;
    if (kind == SP_OP_COUNT) {
        bool fine = PQntuples(r) == 1 && PQgetlength(r, 0, 0) == 8;
        if (!fine)
            return po_decode_corrupt("count", err);
        out->affected = (int64_t)po_u64((const uint8_t *)PQgetvalue(r, 0, 0));
        return 0;
    }
    int ret = rows ? po_result(s, r, q, out, err) : 0;
    if (ret == 0 && kind == SP_OP_READ)
        out->affected = -1;
    return ret;
}

/* ---- rows of a create or upsert ---- */

static int bind_row(struct po_params *p, const struct po_sql *q, const struct sp_value *v, size_t n,
    const char *const *names, struct sp_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].tag == SP_MISSING)
            continue;
        if (p->n >= q->nslots)
            return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "more values than parameters");
        int ret = po_bind(p, &q->slots[p->n], &v[i], err);
        if (ret != 0)
            return names == NULL ? ret : sp_error_prefix(err, "%s", names[i]);
    }
    return 0;
}

/* Something rendered from memory was refused, by us or by the server: what we remember may be out of date. A refusal that
 * says the same of what the server tells now is the answer. */
struct attempt {
    bool recall, again;
};

static bool once_more(struct attempt *a, bool sent, bool stale, const struct po_sql *q, struct sp_error *err)
{
    a->again = a->recall && (sent ? stale : q->recalled);
    a->recall = false;
    if (a->again && err != NULL)
        sp_error_clear(err);
    return a->again;
}

static int insert_once(struct sp_session *s, const struct sp_op *op, const struct sp_value *values,
    size_t nrows, struct attempt *a, int64_t *total, struct sp_result *out, struct sp_error *err)
{
    struct po_sql q = { .ncolumns = 0 };
    struct po_params p = PO_PARAMS_INIT;
    PGresult *r = NULL;
    bool stale = false, sent = false;
    int ret = po_render(s, op, values, nrows, a->recall, &q, err);
    for (size_t i = 0; ret == 0 && i < nrows; i++) {
        ret = bind_row(&p, &q, values + i * op->nfields, op->nfields, op->fields, err);
        if (ret != 0 && op->nrows > 1)
            sp_error_prefix(err, "row %zu", i + 1);
    }
    s->uncertain = !s->in_txn && PQtransactionStatus(s->conn) == PQTRANS_IDLE;
    if (ret == 0) {
        sent = true;
        ret = po_stamped(s, &q, &p, &r, &stale, err);
    }
    a->again = ret != 0 && once_more(a, sent, stale, &q, err);
    if (ret == 0)
        ret = answer(s, op->kind, op->returning, r, &q, out, err);
    if (ret == 0)
        *total += tuples(r);
    PQclear(r);
    po_params_free(&p);
    po_sql_free(&q);
    return ret;
}

static int insert_some(struct sp_session *s, const struct sp_op *op, const struct sp_value *values,
    size_t nrows, int64_t *total, struct sp_result *out, struct sp_error *err)
{
    struct attempt a = { .recall = true };
    int ret = insert_once(s, op, values, nrows, &a, total, out, err);
    return a.again ? insert_once(s, op, values, nrows, &a, total, out, err) : ret;
}

/* Rows per statement. Those of an upsert assign the same columns only where no value is left out. */
static size_t rows_at_once(const struct sp_op *op)
{
    size_t n = op->nfields == 0 ? 1 : PO_PARAMS / op->nfields;
    bool whole = op->values != NULL;
    for (size_t i = 0; whole && op->kind == SP_OP_UPSERT && i < op->nrows * op->nfields; i++)
        whole = op->values[i].tag != SP_MISSING;
    if (n > ROWS_AT_ONCE)
        n = ROWS_AT_ONCE;
    return n == 0 || (op->kind == SP_OP_UPSERT && !whole) ? 1 : n;
}

static int insert_rows(struct sp_session *s, const struct sp_op *op, size_t at_once, int64_t *total,
    struct sp_result *out, struct sp_error *err)
{
    int ret = 0;
    for (size_t i = 0, n; ret == 0 && i < op->nrows; i += n) {
        n = op->nrows - i < at_once ? op->nrows - i : at_once;
        const struct sp_value *v = op->values == NULL ? NULL : op->values + i * op->nfields;
        ret = insert_some(s, op, v, n, total, out, err);
        if (ret != 0 && op->kind == SP_OP_UPSERT && n > 1 && strcmp(s->state, "21000") == 0) {
            /* One key twice among them, which one statement refuses: these rows go one by one. */
            sp_error_clear(err);
            at_once = n = 1;
            ret = insert_some(s, op, v, n, total, out, err);
        }
    }
    return ret;
}

static int insert_op(
    struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    size_t at_once = rows_at_once(op);
    int64_t total = 0;
    bool own = false;
    int ret = 0;
    bool batch = op->nrows > (op->kind == SP_OP_UPSERT ? 1 : at_once);
    s->uncertain = false;
    if (batch)
        ret = po_atomic_begin(s, &own, err);
    if (ret != 0)
        return ret;
    ret = insert_rows(s, op, at_once, &total, out, err);
    if (batch)
        ret = po_atomic_end(s, own, ret, err);
    if (ret == 0 && out != NULL)
        out->affected = total;
    return ret;
}

/* ---- the rest ---- */

static int other_once(struct sp_session *s, const struct sp_op *op, struct attempt *a, struct sp_result *out,
    struct sp_error *err)
{
    struct po_sql q = { .ncolumns = 0 };
    struct po_params p = PO_PARAMS_INIT;
    PGresult *r = NULL;
    bool stale = false, sent = false;
    int ret = po_render(s, op, op->values, 1, a->recall, &q, err);
    if (ret == 0 && op->kind == SP_OP_UPDATE)
        ret = bind_row(&p, &q, op->values, op->nfields, op->fields, err);
    if (ret == 0)
        ret = po_bind_filter(&p, op->query.where, &q, err);
    s->uncertain = writes(op->kind) && !s->in_txn;
    if (ret == 0) {
        sent = true;
        ret = po_stamped(s, &q, &p, &r, &stale, err);
    }
    a->again = ret != 0 && once_more(a, sent, stale, &q, err);
    if (ret == 0)
        ret = answer(s, op->kind, op->kind == SP_OP_READ || op->returning, r, &q, out, err);
    if (ret == 0 && out != NULL && writes(op->kind))
        out->affected = tuples(r);
    PQclear(r);
    po_params_free(&p);
    po_sql_free(&q);
    return ret;
}

static int other_op(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    struct attempt a = { .recall = true };
    int ret = other_once(s, op, &a, out, err);
    return a.again ? other_once(s, op, &a, out, err) : ret;
}

/* Words that begin or end transactions cannot stand between a savepoint and its release. */
static bool controls(const char *sql)
{
    static const char *const words[] = { "begin", "start", "commit", "end", "rollback", "abort", "savepoint",
        "release", "prepare transaction" };
    sql += strspn(sql, " \t\r\n;");
    for (size_t i = 0; i < SP_LEN(words); i++)
        if (strncasecmp(sql, words[i], strlen(words[i])) == 0)
            return true;
    return false;
}

static int raw_answer(struct sp_session *s, PGresult *r, struct sp_result *out, struct sp_error *err)
{
    static const struct po_sql none = { .ncolumns = 0 };
    int ret = out == NULL ? 0 : po_result(s, r, &none, out, err);
    if (ret == 0 && out != NULL) {
        const char *tag = PQcmdStatus(r);
        bool reads = *PQcmdTuples(r) == '\0' || sp_str_prefix(tag, "SELECT") || sp_str_prefix(tag, "FETCH");
        out->affected = reads ? -1 : tuples(r);
    }
    return ret;
}

static void follow(struct sp_session *s)
{
    bool open = PQtransactionStatus(s->conn) != PQTRANS_IDLE;
    if (!s->in_snapshot)
        s->in_txn = open;
    if (!open)
        s->txn_lost = SP_E_OK;
}

/* Anything else may be a change of tables, or of the search path that names of types hang on. */
static bool keeps_tables(const char *tag)
{
    static const char *const tags[] = { "SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "COMMIT" };
    for (size_t i = 0; i < SP_LEN(tags); i++)
        if (sp_str_prefix(tag, tags[i]))
            return true;
    return false;
}

/* The server refuses writes in the transactions of a read-only session, also inside of functions and of WITH; one statement
 * cannot leave its transaction, and the word keeps out what would: COMMIT, SET, DO, COPY. The snapshot ends with a rollback. */
int po_raw_reads(struct sp_session *s, const char *raw, struct sp_error *err)
{
    int ret = sp_sql_is_query(raw, err);
    if (ret == 0 && (!s->read_only || !s->in_snapshot))
        ret = sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_HARNESS,
            "the server keeps a query from writing in the snapshot of a read-only session only");
    return ret;
}

static int raw_op(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    struct po_params p = PO_PARAMS_INIT;
    PGresult *r = NULL;
    po_begin_statement(s);
    s->uncertain = !s->in_txn;
    int ret = po_bind_raw(&p, op->values, op->nfields, err);
    if (ret == 0 && s->read_only && s->in_snapshot && out != NULL &&
        (out->most_rows != 0 || out->most_bytes != 0)) {
        ret = po_stream(s, op->raw, &p, out, err);
        out->affected = -1;
        po_params_free(&p);
        return ret;
    }
    if (ret == 0)
        ret = po_query(s, controls(op->raw) ? PO_PLAIN : PO_GUARDED, op->raw, &p, &r, err);
    if (ret == 0)
        ret = raw_answer(s, r, out, err);
    if (controls(op->raw))
        follow(s);
    if (r == NULL || !keeps_tables(PQcmdStatus(r)))
        po_tables_forget(s);
    if (r != NULL && sp_str_suffix(PQcmdStatus(r), " ALL")) /* DEALLOCATE, DISCARD */
        po_statements_forget(s);
    PQclear(r);
    po_params_free(&p);
    return ret;
}

static int any_op(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    if (op->kind == SP_OP_RAW)
        return raw_op(s, op, r, err);
    if (op->kind == SP_OP_CREATE || op->kind == SP_OP_UPSERT)
        return insert_op(s, op, r, err);
    return other_op(s, op, r, err);
}

int po_db_exec(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    bool own;
    if (!s->pooled)
        return any_op(s, op, r, err);
    if (op->kind == SP_OP_RAW && controls(op->raw))
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "behind a connection pooler transactions are begun and ended by their own calls only");
    po_begin_statement(s);
    int ret = po_pooled_begin(s, &own, err);
    if (ret != 0)
        return ret;
    return po_pooled_end(s, own, any_op(s, op, r, err), err);
}

/* ---- prepared ---- */

/* Shapes with values: their tags choose the types of numbers in filters. */
static int prepare_now(struct sp_prepared *p, const struct sp_op *op, struct sp_error *err)
{
    struct po_params types = PO_PARAMS_INIT;
    int ret = 0;
    if (op->kind == SP_OP_RAW) {
        po_begin_statement(p->s);
        ret = po_bind_raw(&types, op->values, op->nfields, err);
        sp_buf_puts(&p->q.text, op->raw);
    } else {
        ret = po_render(p->s, op, NULL, p->at_once, false, &p->q, err);
        p->q.table = NULL; /* not kept */
        for (size_t i = 0; ret == 0 && i < p->q.nslots; i++)
            if (po_param_add(&types, p->q.slots[i].oid, NULL, 0, true) != 0)
                ret = sp_nomem(err);
    }
    if (ret == 0)
        ret = p->q.text.oom ? sp_nomem(err) : po_prepare(p->s, p->name, p->q.text.p, &types, err);
    po_params_free(&types);
    return ret;
}

int po_db_prepare(
    struct sp_session *s, const struct sp_op *op, struct sp_prepared **out, struct sp_error *err)
{
    *out = NULL;
    if (s->pooled)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "a connection pooler stands before %s: nothing can be prepared", s->where);
    struct sp_prepared *p = calloc(1, sizeof *p);
    if (p == NULL)
        return sp_nomem(err);
    p->s = s;
    p->kind = op->kind;
    p->nfields = op->nfields;
    p->nrows = op->nrows == 0 ? 1 : op->nrows;
    bool whole = op->kind == SP_OP_CREATE && op->nfields > 0 && p->nrows <= PO_PARAMS / op->nfields;
    p->at_once = whole ? p->nrows : 1;
    p->returning = op->returning;
    po_statement_name(s, p->name);
    int ret = prepare_now(p, op, err);
    if (ret != 0) {
        po_sql_free(&p->q);
        free(p);
        return ret;
    }
    *out = p;
    return 0;
}

static int execute_some(struct sp_prepared *p, const struct sp_value *v, size_t n, int64_t *total,
    struct sp_result *out, struct sp_error *err)
{
    struct po_params params = PO_PARAMS_INIT;
    PGresult *r = NULL;
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < n; i++)
        ret = po_bind(&params, &p->q.slots[i], &v[i], err);
    p->s->uncertain = writes(p->kind) && PQtransactionStatus(p->s->conn) == PQTRANS_IDLE;
    if (ret == 0)
        ret = po_query_prepared(p->s, PO_GUARDED, p->name, &params, &r, err);
    if (ret == 0)
        ret = answer(p->s, p->kind, p->kind == SP_OP_READ || p->returning, r, &p->q, out, err);
    if (ret == 0)
        *total += tuples(r);
    PQclear(r);
    po_params_free(&params);
    return ret;
}

static int execute_rows(
    struct sp_prepared *p, const struct sp_value *v, struct sp_result *out, struct sp_error *err)
{
    bool own = false, batch = p->nrows > p->at_once;
    int64_t total = 0;
    size_t each = p->at_once * p->nfields;
    int ret = batch ? po_atomic_begin(p->s, &own, err) : 0;
    if (ret != 0)
        return ret;
    for (size_t i = 0; ret == 0 && i < p->nrows; i += p->at_once)
        ret = execute_some(p, v + i * p->nfields, each, &total, out, err);
    if (batch)
        ret = po_atomic_end(p->s, own, ret, err);
    if (ret == 0 && out != NULL)
        out->affected = total;
    return ret;
}

static int execute_raw(
    struct sp_prepared *p, const struct sp_value *v, size_t n, struct sp_result *out, struct sp_error *err)
{
    struct po_params params = PO_PARAMS_INIT;
    PGresult *r = NULL;
    p->s->uncertain = !p->s->in_txn;
    int ret = po_bind_raw(&params, v, n, err);
    if (ret == 0)
        ret = po_query_prepared(p->s, PO_GUARDED, p->name, &params, &r, err);
    if (ret == 0)
        ret = raw_answer(p->s, r, out, err);
    PQclear(r);
    po_params_free(&params);
    return ret;
}

int po_db_execute(
    struct sp_prepared *p, const struct sp_value *v, size_t n, struct sp_result *r, struct sp_error *err)
{
    bool rows = p->kind == SP_OP_CREATE || p->kind == SP_OP_UPSERT;
    size_t want = rows ? p->nfields * p->nrows : p->q.nslots;
    int64_t total = 0;
    po_begin_statement(p->s);
    if (p->kind == SP_OP_RAW)
        return execute_raw(p, v, n, r, err);
    if (n != want)
        return sp_invalid(err, "prepared operation: %zu values needed, %zu given", want, n);
    for (size_t i = 0; i < n; i++)
        if (v[i].tag == SP_MISSING)
            return sp_invalid(err, "prepared operation: its shape is fixed, a value cannot be left out");
    if (rows)
        return execute_rows(p, v, r, err);
    int ret = execute_some(p, v, n, &total, r, err);
    if (ret == 0 && r != NULL && writes(p->kind))
        r->affected = total;
    return ret;
}

void po_db_finalize(struct sp_prepared *p)
{
    if (p == NULL)
        return;
    struct sp_session *s = p->s;
    if (PQstatus(s->conn) == CONNECTION_OK && !s->loading && PQtransactionStatus(s->conn) != PQTRANS_INERROR)
        (void)po_execf(s, NULL, "DEALLOCATE \"%s\"", p->name);
    po_sql_free(&p->q);
    free(p);
}
