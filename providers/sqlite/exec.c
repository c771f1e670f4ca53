/* exec.c -- carrying operations out: once, or prepared and often. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "providers/lib/sql_word.h"
#include "providers/sqlite/internal.h"

struct sp_prepared {
    struct sp_session *s;
    sqlite3_stmt *st;
    struct sq_sql q;
    enum sp_op_kind kind;
    size_t nfields, nrows;
    bool returning;
};

/* ---- parameters ---- */

static int bind_one(
    sqlite3_stmt *st, int index, const struct sp_value *v, const struct sq_sql *q, struct sp_error *err)
{
    const struct sq_param *p = &q->params[index - 1];
    if (p->member && !sp_v_is_absent(v)) {
        struct sp_value one = sp_v_array(v->tag, v, 1);
        return sq_bind(st, index, &one, NULL, false, err);
    }
    return sq_bind(st, index, v, &p->type, p->strict, err);
}

/* Leaves depth first, IN lists in order. Recursion is bounded by the filter's checked depth. */
int sq_bind_filter(
    sqlite3_stmt *st, int *index, const struct sp_filter *f, const struct sq_sql *q, struct sp_error *err)
{
    int ret = 0;
    if (f == NULL)
        return 0;
    if (f->op == SP_F_AND || f->op == SP_F_OR || f->op == SP_F_NOT) {
        for (size_t i = 0; ret == 0 && i < f->nargs; i++)
            ret = sq_bind_filter(st, index, &f->args[i], q, err);
        return ret;
    }
    size_t n = f->op == SP_F_IS_NULL || f->op == SP_F_IS_MISSING ? 0 : f->op == SP_F_IN ? f->nvalues : 1;
    for (size_t i = 0; ret == 0 && i < n; i++)
        ret = bind_one(st, (*index)++, &f->values[i], q, err);
    return ret;
}

static int bind_row(sqlite3_stmt *st, int *index, const struct sp_value *row, size_t n, const bool *present,
    const char *const *names, const struct sq_sql *q, struct sp_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (present != NULL && !present[i])
            continue;
        int ret = bind_one(st, (*index)++, &row[i], q, err);
        if (ret != 0)
            return names == NULL ? ret : sp_error_prefix(err, "%s", names[i]);
    }
    return 0;
}

/* ---- results ---- */

static int out_columns(sqlite3_stmt *st, const struct sq_sql *q, struct sp_result *r, struct sp_error *err)
{
    int n = sqlite3_column_count(st);
    if (r == NULL || n == 0 || r->ncolumns > 0)
        return 0;
    const char **names = calloc((size_t)n, sizeof *names);
    if (names == NULL)
        return sp_nomem(err);
    for (int i = 0; i < n; i++)
        names[i] = (size_t)i < q->ncolumns ? q->columns[i].name : sqlite3_column_name(st, i);
    int ret = sp_result_columns(r, names, (size_t)n);
    free(names);
    return ret == 0 ? 0 : sp_nomem(err);
}

static int out_row(sqlite3_stmt *st, const struct sq_sql *q, struct sp_value *row, struct sp_arena *scratch,
    struct sp_result *r, struct sp_error *err)
{
    int n = sqlite3_column_count(st);
    sp_arena_reset(scratch);
    for (int i = 0; i < n; i++) {
        struct sp_type type;
        if ((size_t)i < q->ncolumns)
            type = q->columns[i].type;
        else
            sq_type_parse(sqlite3_column_decltype(st, i), &type);
        if (sq_decode(scratch, &type, sqlite3_column_value(st, i), &row[i]) != 0)
            return sp_nomem(err);
    }
    return sp_result_add(r, row, err);
}

/* Steps to the end and resets. Rows go to `r` if there is one. */
static int run(
    struct sp_session *s, sqlite3_stmt *st, const struct sq_sql *q, struct sp_result *r, struct sp_error *err)
{
    struct sp_arena scratch = SP_ARENA_INIT;
    struct sp_value *row = NULL;
    int n = sqlite3_column_count(st), rc = SQLITE_DONE;
    int ret = out_columns(st, q, r, err);
    if (ret == 0 && r != NULL && n > 0) {
        row = calloc((size_t)n, sizeof *row);
        if (row == NULL)
            ret = sp_nomem(err);
    }
    while (ret == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW)
        if (row != NULL)
            ret = out_row(st, q, row, &scratch, r, err);
    if (ret == 0 && rc != SQLITE_DONE)
        ret = sq_error(s, rc, NULL, err);
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    free(row);
    sp_arena_free(&scratch);
    return ret;
}

/* COUNT gives its number through `affected`. */
static int run_count(struct sp_session *s, sqlite3_stmt *st, struct sp_result *r, struct sp_error *err)
{
    int rc = sqlite3_step(st), ret = 0;
    if (rc == SQLITE_ROW) {
        if (r != NULL)
            r->affected = sqlite3_column_int64(st, 0);
    } else {
        ret = sq_error(s, rc, NULL, err);
    }
    (void)sqlite3_reset(st);
    (void)sqlite3_clear_bindings(st);
    return ret;
}

/* ---- rows of a create or upsert ---- */

struct insert {
    struct sp_session *s;
    const struct sp_op *op;
    bool *present;
    sqlite3_stmt *st;
    struct sq_sql q;
};

/* The statement for this row's set of fields; kept while the next rows have the same. */
static int insert_statement(struct insert *in, const struct sp_value *row, struct sp_error *err)
{
    bool same = in->st != NULL;
    for (size_t i = 0; i < in->op->nfields; i++) {
        bool there = row[i].tag != SP_MISSING;
        same = same && in->present[i] == there;
        in->present[i] = there;
    }
    if (same)
        return 0;
    sqlite3_finalize(in->st);
    in->st = NULL;
    sq_sql_free(&in->q);
    memset(&in->q, 0, sizeof in->q);
    int ret = sq_render(in->s, in->op, in->present, &in->q, err);
    return ret != 0 ? ret : sq_prepare(in->s, in->q.text.p, &in->st, err);
}

static int insert_rows(struct insert *in, struct sp_result *r, struct sp_error *err)
{
    int64_t total = 0;
    for (size_t i = 0; i < in->op->nrows; i++) {
        const struct sp_value *row = in->op->values + i * in->op->nfields;
        int index = 1;
        int ret = insert_statement(in, row, err);
        if (ret == 0)
            ret = bind_row(in->st, &index, row, in->op->nfields, in->present, in->op->fields, &in->q, err);
        if (ret == 0)
            ret = run(in->s, in->st, &in->q, in->op->returning ? r : NULL, err);
        if (ret != 0)
            return in->op->nrows == 1 ? ret : sp_error_prefix(err, "row %zu of %zu", i + 1, in->op->nrows);
        total += sqlite3_changes64(in->s->db);
    }
    if (r != NULL)
        r->affected = total;
    return 0;
}

static int batch_begin(struct sp_session *s, struct sp_error *err)
{
    int rc = sqlite3_exec(s->db, "SAVEPOINT sp_batch", NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : sq_error(s, rc, NULL, err);
}

static int batch_end(struct sp_session *s, int ret, struct sp_error *err)
{
    if (ret == 0) {
        int rc = sqlite3_exec(s->db, "RELEASE sp_batch", NULL, NULL, NULL);
        if (rc == SQLITE_OK)
            return 0;
        ret = sq_error(s, rc, NULL, err); /* a deferred key, or the lock for the commit */
    }
    if (!sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "ROLLBACK TO sp_batch; RELEASE sp_batch", NULL, NULL, NULL);
    return ret;
}

static int insert_op(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct insert in = { .s = s, .op = op };
    const struct sq_table *t;
    int ret = sq_table_find(s, NULL, op->query.table, &t, err);
    if (ret != 0)
        return ret;
    if (op->nrows == 0) {
        if (r != NULL)
            r->affected = 0;
        return 0;
    }
    in.present = calloc(op->nfields + 1, sizeof *in.present);
    if (in.present == NULL)
        return sp_nomem(err);
    bool batch = op->nrows > 1;
    sq_statement_begin(s);
    ret = batch ? batch_begin(s, err) : 0;
    if (ret == 0) {
        ret = insert_rows(&in, r, err);
        sqlite3_finalize(in.st);
        if (batch)
            ret = batch_end(s, ret, err);
    }
    sq_sql_free(&in.q);
    free(in.present);
    return ret;
}

/* ---- the rest ---- */

static int raw_bind(sqlite3_stmt *st, const struct sp_value *v, size_t n, struct sp_error *err)
{
    int count = sqlite3_bind_parameter_count(st), found = 0;
    for (size_t i = 0; i < n; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "$%zu", i + 1);
        int index = sqlite3_bind_parameter_index(st, name);
        if (index == 0)
            return sp_invalid(err, "raw statement: %zu values given, but it has no %s", n, name);
        int ret = sq_bind(st, index, &v[i], NULL, false, err);
        if (ret != 0)
            return ret;
        found++;
    }
    if (found != count)
        return sp_invalid(err, "raw statement: it has %d parameters, %zu values given ($1 to $n)", count, n);
    return 0;
}

static int raw_prepare(struct sp_session *s, const char *sql, sqlite3_stmt **st, struct sp_error *err)
{
    const char *tail = NULL;
    sq_statement_begin(s);
    int rc = sqlite3_prepare_v2(s->db, sql, -1, st, &tail);
    if (rc != SQLITE_OK)
        return sq_error(s, rc, NULL, err);
    int ret = 0;
    if (*st == NULL || (tail != NULL && tail[strspn(tail, " \t\r\n;")] != '\0'))
        ret = sp_invalid(err, "raw: exactly one statement is needed");
    else if (s->read_only && !sqlite3_stmt_readonly(*st))
        ret = sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_HARNESS,
            "%s was opened read-only; the statement would write", s->path);
    if (ret != 0) {
        sqlite3_finalize(*st);
        *st = NULL;
    }
    return ret;
}

/* The statement itself is read-only, and the word keeps out what SQLite calls so as well: ATTACH, PRAGMA, BEGIN. */
int sq_raw_reads(struct sp_session *s, const char *raw, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int ret = sp_sql_is_query(raw, err);
    if (ret == 0)
        ret = raw_prepare(s, raw, &st, err);
    if (ret == 0 && (!sqlite3_stmt_readonly(st) || sqlite3_column_count(st) == 0))
        ret = sp_invalid(err, "raw: the statement would write, or gives no rows");
    sqlite3_finalize(st);
    return ret;
}

static int raw_run(struct sp_session *s, sqlite3_stmt *st, struct sp_result *r, struct sp_error *err)
{
    struct sq_sql none = { .ncolumns = 0 };
    int64_t before = sqlite3_total_changes64(s->db);
    bool open_before = !sqlite3_get_autocommit(s->db), writes = !sqlite3_stmt_readonly(st);
    int ret = run(s, st, &none, r, err);
    bool open_after = !sqlite3_get_autocommit(s->db);
    if (open_before != open_after && !s->snapshot_txn)
        s->in_txn = open_after; /* BEGIN or COMMIT in its own words */
    if (ret == 0 && r != NULL)
        r->affected = writes ? sqlite3_total_changes64(s->db) - before : -1;
    return ret;
}

static int raw_op(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    sqlite3_stmt *st = NULL;
    int ret = raw_prepare(s, op->raw, &st, err);
    if (ret == 0)
        ret = raw_bind(st, op->values, op->nfields, err);
    if (ret == 0)
        ret = raw_run(s, st, r, err);
    sqlite3_finalize(st);
    return ret;
}

static int finish(struct sp_session *s, enum sp_op_kind kind, bool returning, sqlite3_stmt *st,
    const struct sq_sql *q, struct sp_result *r, struct sp_error *err)
{
    if (kind == SP_OP_COUNT)
        return run_count(s, st, r, err);
    bool rows = kind == SP_OP_READ || returning;
    int ret = run(s, st, q, rows ? r : NULL, err);
    if (ret == 0 && r != NULL)
        r->affected = kind == SP_OP_READ ? -1 : sqlite3_changes64(s->db);
    return ret;
}

static bool *present_of(const struct sp_op *op)
{
    bool *p = calloc(op->nfields + 1, sizeof *p);
    for (size_t i = 0; p != NULL && i < op->nfields; i++)
        p[i] = op->values == NULL || op->values[i].tag != SP_MISSING;
    return p;
}

static int other_op(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sq_sql q = { .ncolumns = 0 };
    sqlite3_stmt *st = NULL;
    int index = 1;
    bool *present = NULL;
    if (op->kind == SP_OP_UPDATE && (present = present_of(op)) == NULL)
        return sp_nomem(err);
    int ret = sq_render(s, op, present, &q, err);
    if (ret == 0)
        ret = sq_prepare(s, q.text.p, &st, err);
    if (ret == 0 && op->kind == SP_OP_UPDATE)
        ret = bind_row(st, &index, op->values, op->nfields, present, op->fields, &q, err);
    if (ret == 0)
        ret = sq_bind_filter(st, &index, op->query.where, &q, err);
    if (ret == 0) {
        sq_statement_begin(s);
        ret = finish(s, op->kind, op->returning, st, &q, r, err);
    }
    sqlite3_finalize(st);
    sq_sql_free(&q);
    free(present);
    return ret;
}

int sq_db_exec(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    if (op->kind == SP_OP_RAW)
        return raw_op(s, op, r, err);
    if (op->kind == SP_OP_CREATE || op->kind == SP_OP_UPSERT)
        return insert_op(s, op, r, err);
    return other_op(s, op, r, err);
}

/* ---- prepared ---- */

int sq_db_prepare(
    struct sp_session *s, const struct sp_op *op, struct sp_prepared **out, struct sp_error *err)
{
    struct sp_prepared *p = calloc(1, sizeof *p);
    *out = NULL;
    if (p == NULL)
        return sp_nomem(err);
    p->s = s;
    p->kind = op->kind;
    p->nfields = op->nfields;
    p->nrows = op->nrows == 0 ? 1 : op->nrows;
    p->returning = op->returning;
    int ret;
    if (op->kind == SP_OP_RAW) {
        ret = raw_prepare(s, op->raw, &p->st, err);
    } else {
        ret = sq_render(s, op, NULL, &p->q, err);
        if (ret == 0)
            ret = sq_prepare(s, p->q.text.p, &p->st, err);
    }
    if (ret != 0) {
        sq_db_finalize(p);
        return ret;
    }
    *out = p;
    return 0;
}

static int execute_rows(
    struct sp_prepared *p, const struct sp_value *v, struct sp_result *r, struct sp_error *err)
{
    bool batch = p->nrows > 1;
    int64_t total = 0;
    int ret = batch ? batch_begin(p->s, err) : 0;
    if (ret != 0)
        return ret;
    for (size_t i = 0; ret == 0 && i < p->nrows; i++) {
        int index = 1;
        ret = bind_row(p->st, &index, v + i * p->nfields, p->nfields, NULL, NULL, &p->q, err);
        if (ret == 0)
            ret = run(p->s, p->st, &p->q, p->returning ? r : NULL, err);
        if (ret == 0)
            total += sqlite3_changes64(p->s->db);
    }
    if (batch)
        ret = batch_end(p->s, ret, err);
    if (ret == 0 && r != NULL)
        r->affected = total;
    return ret;
}

int sq_db_execute(
    struct sp_prepared *p, const struct sp_value *v, size_t n, struct sp_result *r, struct sp_error *err)
{
    bool rows = p->kind == SP_OP_CREATE || p->kind == SP_OP_UPSERT;
    size_t want = rows ? p->nfields * p->nrows : p->q.nparams;
    sq_statement_begin(p->s);
    if (p->kind == SP_OP_RAW) {
        int ret = raw_bind(p->st, v, n, err);
        return ret != 0 ? ret : raw_run(p->s, p->st, r, err);
    }
    if (n != want)
        return sp_invalid(err, "prepared operation: %zu values needed, %zu given", want, n);
    for (size_t i = 0; i < n; i++)
        if (v[i].tag == SP_MISSING)
            return sp_invalid(err, "prepared operation: its shape is fixed, a value cannot be left out");
    if (rows)
        return execute_rows(p, v, r, err);
    int index = 1;
    int ret = bind_row(p->st, &index, v, n, NULL, NULL, &p->q, err);
    return ret != 0 ? ret : finish(p->s, p->kind, p->returning, p->st, &p->q, r, err);
}

void sq_db_finalize(struct sp_prepared *p)
{
    if (p == NULL)
        return;
    sqlite3_finalize(p->st);
    sq_sql_free(&p->q);
    free(p);
}
