/* provider_call_db.c -- checked calls of the database facet. */
#include "provider_call.h"

#include <string.h>

#include "base/str.h"
#include "provider_check.h"

static const struct sp_db_ops *db(const struct sp_session *s)
{
    return sp_session_provider(s)->db;
}

int sp_db_introspect(struct sp_session *s, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    *out = NULL;
    SP_ENTER(s, db, introspect, err);
    if (ns != NULL)
        SP_CHECK(sp_name_check(ns, "the namespace", err));
    SP_CHECK(sp_answer(db(s)->introspect(s, ns, out, err), err));
    if (*out == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "the provider gave no schema");
    return 0;
}

int sp_db_ns_create(struct sp_session *s, const char *ns, struct sp_error *err)
{
    SP_ENTER(s, db, ns_create, err);
    SP_CHECK(sp_ns_check(ns, err));
    SP_CHECK(sp_writable_check(s, "creating a namespace", err));
    return sp_answer(db(s)->ns_create(s, ns, err), err);
}

int sp_db_ns_use(struct sp_session *s, const char *ns, struct sp_error *err)
{
    SP_ENTER(s, db, ns_use, err);
    if (ns != NULL)
        SP_CHECK(sp_ns_check(ns, err));
    return sp_answer(db(s)->ns_use(s, ns, err), err);
}

int sp_db_ns_drop(struct sp_session *s, const char *ns, struct sp_error *err)
{
    SP_ENTER(s, db, ns_drop, err);
    SP_CHECK(sp_ns_check(ns, err));
    SP_CHECK(sp_writable_check(s, "dropping a namespace", err));
    return sp_answer(db(s)->ns_drop(s, ns, err), err);
}

int sp_db_ns_list(struct sp_session *s, const char *prefix, struct sp_names *out, struct sp_error *err)
{
    SP_ENTER(s, db, ns_list, err);
    return sp_answer(db(s)->ns_list(s, prefix == NULL ? "" : prefix, out, err), err);
}

int sp_db_table_create(struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    SP_ENTER(s, db, table_create, err);
    SP_CHECK(sp_table_check(t, err));
    SP_CHECK(sp_writable_check(s, "creating a table", err));
    return sp_answer(db(s)->table_create(s, t, with_extras, err), err);
}

int sp_db_table_finish(struct sp_session *s, const struct sp_table *t, struct sp_error *err)
{
    SP_ENTER(s, db, table_finish, err);
    SP_CHECK(sp_table_check(t, err));
    SP_CHECK(sp_writable_check(s, "adding constraints", err));
    return sp_answer(db(s)->table_finish(s, t, err), err);
}

int sp_db_table_drop(struct sp_session *s, const char *table, struct sp_error *err)
{
    SP_ENTER(s, db, table_drop, err);
    SP_CHECK(sp_name_check(table, "the table's name", err));
    SP_CHECK(sp_writable_check(s, "dropping a table", err));
    return sp_answer(db(s)->table_drop(s, table, err), err);
}

static int op_enter(const struct sp_session *s, const struct sp_op *op, struct sp_error *err)
{
    SP_CHECK(sp_op_check(op, err));
    if (op->kind == SP_OP_RAW)
        return sp_writable_check(s, "a raw query", err);
    return sp_op_writes(op) ? sp_writable_check(s, "writing rows", err) : 0;
}

int sp_db_exec(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    SP_ENTER(s, db, exec, err);
    SP_CHECK(op_enter(s, op, err));
    struct sp_result mine = SP_RESULT_INIT;
    if (r == NULL)
        r = &mine;
    else
        sp_result_reset(r);
    int rc = sp_answer(db(s)->exec(s, op, r, err), err);
    sp_result_free(&mine);
    return rc;
}

int sp_db_read_raw(struct sp_session *s, const char *raw, struct sp_result *r, struct sp_error *err)
{
    const struct sp_op op = { .kind = SP_OP_RAW, .raw = raw };
    SP_ENTER(s, db, raw_reads, err);
    SP_ENTER(s, db, exec, err);
    SP_CHECK(sp_op_check(&op, err));
    SP_CHECK(sp_answer(db(s)->raw_reads(s, raw, err), err));
    sp_result_reset(r);
    return sp_answer(db(s)->exec(s, &op, r, err), err);
}

int sp_db_prepare(
    struct sp_session *s, const struct sp_op *op, struct sp_prepared **out, struct sp_error *err)
{
    *out = NULL;
    SP_ENTER(s, db, prepare, err);
    SP_CHECK(op_enter(s, op, err));
    SP_CHECK(sp_answer(db(s)->prepare(s, op, out, err), err));
    if (*out == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "the provider gave no prepared operation");
    return 0;
}

int sp_db_execute(struct sp_session *s, struct sp_prepared *p, const struct sp_value *v, size_t n,
    struct sp_result *r, struct sp_error *err)
{
    SP_ENTER(s, db, execute, err);
    if (p == NULL || (n > 0 && v == NULL))
        return sp_invalid(err, "execute needs a prepared operation and its %zu values", n);
    struct sp_result mine = SP_RESULT_INIT;
    if (r == NULL)
        r = &mine;
    else
        sp_result_reset(r);
    int rc = sp_answer(db(s)->execute(p, v, n, r, err), err);
    sp_result_free(&mine);
    return rc;
}

void sp_db_finalize(struct sp_session *s, struct sp_prepared *p)
{
    if (s != NULL && p != NULL && db(s) != NULL && db(s)->finalize != NULL)
        db(s)->finalize(p);
}

int sp_db_begin(struct sp_session *s, const struct sp_txn_opts *opts, struct sp_error *err)
{
    static const struct sp_txn_opts defaults = { .isolation = SP_ISO_DEFAULT };
    SP_ENTER(s, db, begin, err);
    return sp_answer(db(s)->begin(s, opts == NULL ? &defaults : opts, err), err);
}

int sp_db_commit(struct sp_session *s, struct sp_error *err)
{
    SP_ENTER(s, db, commit, err);
    return sp_answer(db(s)->commit(s, err), err);
}

int sp_db_rollback(struct sp_session *s, struct sp_error *err)
{
    SP_ENTER(s, db, rollback, err);
    return sp_answer(db(s)->rollback(s, err), err);
}

int sp_db_savepoint(struct sp_session *s, const char *name, struct sp_error *err)
{
    SP_ENTER(s, db, savepoint, err);
    SP_CHECK(sp_name_check(name, "the savepoint's name", err));
    return sp_answer(db(s)->savepoint(s, name, err), err);
}

int sp_db_savepoint_rollback(struct sp_session *s, const char *name, struct sp_error *err)
{
    SP_ENTER(s, db, savepoint_rollback, err);
    SP_CHECK(sp_name_check(name, "the savepoint's name", err));
    return sp_answer(db(s)->savepoint_rollback(s, name, err), err);
}

int sp_db_savepoint_release(struct sp_session *s, const char *name, struct sp_error *err)
{
    SP_ENTER(s, db, savepoint_release, err);
    SP_CHECK(sp_name_check(name, "the savepoint's name", err));
    return sp_answer(db(s)->savepoint_release(s, name, err), err);
}

int sp_db_snapshot_begin(struct sp_session *s, char id[64], struct sp_error *err)
{
    char mine[64];
    if (id == NULL)
        id = mine;
    memset(id, 0, 64);
    SP_ENTER(s, db, snapshot_begin, err);
    SP_CHECK(sp_answer(db(s)->snapshot_begin(s, id, err), err));
    id[63] = '\0';
    return 0;
}

int sp_db_snapshot_end(struct sp_session *s, struct sp_error *err)
{
    SP_ENTER(s, db, snapshot_end, err);
    return sp_answer(db(s)->snapshot_end(s, err), err);
}

int sp_db_snapshot_share(struct sp_session *s, char word[SP_SNAPSHOT_WORD], struct sp_error *err)
{
    SP_ENTER(s, db, snapshot_share, err);
    word[0] = '\0';
    SP_CHECK(sp_answer(db(s)->snapshot_share(s, word, err), err));
    word[SP_SNAPSHOT_WORD - 1] = '\0';
    if (*word == '\0')
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "the provider gave no word for its snapshot");
    return 0;
}

int sp_db_snapshot_join(struct sp_session *s, const char *word, struct sp_error *err)
{
    SP_ENTER(s, db, snapshot_join, err);
    if (word == NULL || *word == '\0' || strlen(word) >= SP_SNAPSHOT_WORD)
        return sp_invalid(err, "a snapshot is joined by the word that snapshot_share gave");
    return sp_answer(db(s)->snapshot_join(s, word, err), err);
}

int sp_db_burden(struct sp_session *s, struct sp_session *const *readers, size_t nreaders,
    struct sp_burden *out, struct sp_error *err)
{
    *out = (struct sp_burden){ .lag_ms = SP_LAG_NONE };
    SP_ENTER(s, db, burden, err);
    return sp_answer(db(s)->burden(s, readers, nreaders, out, err), err);
}

int sp_db_volume(
    struct sp_session *s, const char *ns, const char *table, struct sp_volume *out, struct sp_error *err)
{
    *out = SP_VOLUME_UNKNOWN;
    SP_ENTER(s, db, volume, err);
    SP_CHECK(sp_name_check(table, "the table's name", err));
    return sp_answer(db(s)->volume(s, ns, table, out, err), err);
}

int sp_db_split(struct sp_session *s, const char *ns, const char *table, size_t parts,
    struct sp_names *bounds, struct sp_error *err)
{
    SP_ENTER(s, db, split, err);
    SP_CHECK(sp_name_check(table, "the table's name", err));
    if (parts == 0 || bounds == NULL || bounds->n != 0)
        return sp_invalid(err, "a split needs a number of parts and an empty list for its bounds");
    SP_CHECK(sp_answer(db(s)->split(s, ns, table, parts, bounds, err), err));
    if (bounds->n >= parts)
        return sp_fail(
            err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "%zu bounds make more than %zu parts", bounds->n, parts);
    return 0;
}

/* A scan that ends well without its end-of-stream is incomplete, whatever the provider says. */
int sp_db_scan(struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    SP_ENTER(s, db, scan, err);
    if (scan == NULL || rb == NULL)
        return sp_invalid(err, "a scan needs a plan and a row buffer");
    SP_CHECK(sp_name_check(scan->table, "the table's name", err));
    if ((scan->ncols > 0 && scan->cols == NULL) || scan->nkey > scan->ncols)
        return sp_invalid(err, "the scan of \"%s\" has %zu key columns among %zu columns", scan->table,
            scan->nkey, scan->cols == NULL ? (size_t)0 : scan->ncols);
    if (scan->where != NULL)
        SP_CHECK(sp_filter_check(scan->where, err));
    if (scan->where != NULL && (scan->from != NULL || scan->to != NULL))
        return sp_invalid(err, "the scan of \"%s\" has a filter and a range", scan->table);
    if ((scan->from != NULL || scan->to != NULL) && db(s)->split == NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "tables are not read in parts");
    SP_CHECK(sp_answer(db(s)->scan(s, scan, rb, err), err));
    if (!rb->complete)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "the scan of \"%s\" ended without the backend's end of stream", scan->table);
    return 0;
}

int sp_db_load_open(struct sp_session *s, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **out, struct sp_error *err)
{
    *out = NULL;
    SP_ENTER(s, db, load_open, err);
    SP_CHECK(sp_name_check(table, "the table's name", err));
    if (columns == NULL || ncolumns == 0)
        return sp_invalid(err, "the bulk load into \"%s\" names no columns", table);
    for (size_t i = 0; i < ncolumns; i++)
        SP_CHECK(sp_name_check(columns[i], "a column's name", err));
    SP_CHECK(sp_writable_check(s, "a bulk load", err));
    SP_CHECK(sp_answer(db(s)->load_open(s, table, columns, ncolumns, out, err), err));
    if (*out == NULL)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "the provider gave no bulk load");
    return 0;
}

int sp_db_load_row(struct sp_session *s, struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    SP_ENTER(s, db, load_row, err);
    if (l == NULL || row == NULL)
        return sp_invalid(err, "no bulk load is open, or the row is missing");
    return sp_answer(db(s)->load_row(l, row, err), err);
}

int sp_db_load_extra(
    struct sp_session *s, struct sp_load *l, const char *name, const struct sp_value *v, struct sp_error *err)
{
    SP_ENTER(s, db, load_extra, err);
    if (l == NULL || name == NULL || v == NULL)
        return sp_invalid(err, "no bulk load is open, or the field is missing");
    return sp_answer(db(s)->load_extra(l, name, v, err), err);
}

int sp_db_load_close(
    struct sp_session *s, struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    uint64_t mine = 0;
    if (loaded == NULL)
        loaded = &mine;
    *loaded = 0;
    SP_ENTER(s, db, load_close, err);
    if (l == NULL)
        return sp_invalid(err, "no bulk load is open");
    return sp_answer(db(s)->load_close(l, commit, loaded, err), err);
}

int sp_db_sequence_set(struct sp_session *s, const struct sp_sequence *q, struct sp_error *err)
{
    SP_ENTER(s, db, sequence_set, err);
    if (q == NULL)
        return sp_invalid(err, "no sequence is given");
    SP_CHECK(sp_writable_check(s, "setting a sequence", err));
    return sp_answer(db(s)->sequence_set(s, q, err), err);
}
