/* bulk.c -- scans, bulk loads and sequences.
 *
 * A scan collects its versions under the lock and pushes them without it, pinned by an open transaction: what takes
 * the rows may well write into the same store. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct sp_load {
    struct mock_session *s;
    struct mock_table *t;
    struct sp_arena a;
    const char **columns;
    size_t ncolumns, mark;
    struct sp_arena row; /* undeclared fields of the next row, behind the columns of `names` and `values` */
    const char **names;
    struct sp_value *values;
    size_t nextra, names_cap, values_cap;
    uint64_t rows;
    bool own, failed;
};

static const char *side_name(const struct sp_scan *scan, size_t i)
{
    return scan->side == SP_SIDE_SOURCE ? scan->cols[i].source : scan->cols[i].target;
}

static bool planned(const struct sp_scan *scan, const char *name)
{
    for (size_t i = 0; i < scan->ncols; i++) {
        if (strcmp(side_name(scan, i), name) == 0)
            return true;
    }
    return false;
}

static int push(const struct mock_table *t, const struct sp_scan *scan, const struct mock_version *v,
    struct sp_rowbuf *rb)
{
    static const struct sp_value missing = { .tag = SP_MISSING };
    for (size_t i = 0; i < scan->ncols; i++) {
        const struct sp_value *value = mock_version_value(t, v, side_name(scan, i));
        int rc = sp_put_value(rb, value == NULL ? &missing : value);
        if (rc != 0)
            return rc;
    }
    for (size_t i = 0; scan->residual && i < v->nextra; i++) {
        int rc = planned(scan, v->extra[i].name) ? 0 : sp_put_extra(rb, v->extra[i].name, &v->extra[i].value);
        if (rc != 0)
            return rc;
    }
    return sp_row_end(rb);
}

static int stopped(const struct sp_rowbuf *rb, struct sp_error *err)
{
    const struct sp_error *e = sp_rowbuf_error(rb);
    if (e->code == SP_E_OK)
        return mock_fail(err, SP_E_CANCELLED, "the scan was stopped");
    return sp_fail(err, e->code, e->origin, "%s", sp_error_text(e));
}

static int scan_begin(struct mock_session *s, const struct sp_scan *scan, struct mock_txn *own,
    struct mock_table **t, struct mock_txn **x, struct mock_rows *rows, struct sp_error *err)
{
    int rc = mock_table_find(s, scan->ns, scan->table, t, err);
    if (rc == 0)
        rc = mock_rows_whole(s, *t, err);
    if (rc == 0)
        rc = mock_filter_allowed(s, *t, scan->where, err);
    if (rc == 0 && (scan->ncols == 0 || (*t)->def.open_fields))
        rc = mock_role_allows(s, *t, SP_PRIV_SELECT, NULL, 0, err);
    for (size_t i = 0; rc == 0 && i < scan->ncols && !(*t)->def.open_fields; i++) {
        const char *name = side_name(scan, i);
        rc = mock_role_allows(s, *t, SP_PRIV_SELECT, &name, 1, err);
        if (rc == 0 && sp_table_column(&(*t)->def, name) == NULL)
            rc = mock_fail(err, SP_E_INVALID, "table \"%s\" has no column \"%s\"", scan->table, name);
    }
    if (rc == 0)
        rc = mock_filter_check(*t, scan->where, err);
    if (rc == 0)
        rc = mock_stmt_begin(s, own, x, false, err);
    if (rc != 0)
        return rc;
    rc = mock_select(s, *x, *t, scan->where, rows, err);
    (*x)->pinned = *t;
    return rc;
}

static int count_rows(
    struct mock_session *s, const char *ns, const char *table, size_t *n, struct sp_error *err)
{
    const struct sp_scan scan = { .ns = ns, .table = table };
    struct mock_rows rows = { NULL, 0, 0 };
    struct mock_table *t = NULL;
    struct mock_txn own, *x = NULL;
    mock_enter(s);
    int rc = scan_begin(s, &scan, &own, &t, &x, &rows, err);
    if (x != NULL)
        x->pinned = NULL;
    if (x == &own)
        mock_txn_rollback(s->store, x);
    mock_leave(s);
    *n = rows.n;
    free(rows.v);
    return rc;
}

int mock_volume(
    struct sp_session *ss, const char *ns, const char *table, struct sp_volume *out, struct sp_error *err)
{
    size_t n = 0;
    int rc = count_rows(mock(ss), ns, table, &n, err);
    out->rows = rc == 0 ? (int64_t)n : -1;
    return rc;
}

/* Bounds are positions among the rows of the state, which are always seen in the same order. */
int mock_split(struct sp_session *ss, const char *ns, const char *table, size_t parts,
    struct sp_names *bounds, struct sp_error *err)
{
    size_t n = 0;
    char bound[24];
    int rc = count_rows(mock(ss), ns, table, &n, err);
    for (size_t k = 1; rc == 0 && k < parts && n >= parts; k++) {
        snprintf(bound, sizeof bound, "%zu", n / parts * k);
        rc = sp_names_add(bounds, bound) != 0 ? sp_nomem(err) : 0;
    }
    return rc;
}

static int range(const struct sp_scan *scan, const struct mock_rows *rows, uint64_t *from, uint64_t *to,
    struct sp_error *err)
{
    *from = 0;
    *to = rows->n;
    if ((scan->from != NULL && !sp_parse_u64(scan->from, from)) ||
        (scan->to != NULL && !sp_parse_u64(scan->to, to)) || *from > *to || *to > rows->n)
        return mock_fail(err, SP_E_INVALID, "the scan of \"%s\" has a range of no split", scan->table);
    return 0;
}

int mock_scan(struct sp_session *ss, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_rows rows = { NULL, 0, 0 };
    struct mock_table *t = NULL;
    struct mock_txn own, *x = NULL;
    mock_enter(s);
    int rc = scan_begin(s, scan, &own, &t, &x, &rows, err);
    mock_leave(s);
    uint64_t from = 0, to = 0;
    if (rc == 0)
        rc = range(scan, &rows, &from, &to, err);
    for (uint64_t i = from; rc == 0 && i < to; i++) {
        rc = mock_tick(s, err);
        if (rc == 0 && push(t, scan, rows.v[i], rb) != 0)
            rc = stopped(rb, err);
    }
    if (rc == 0)
        rc = sp_scan_end(rb, to - from, err);
    free(rows.v);
    if (x == NULL)
        return rc;
    pthread_mutex_lock(&s->store->lock);
    x->pinned = NULL;
    if (x == &own)
        mock_txn_rollback(s->store, x);
    pthread_mutex_unlock(&s->store->lock);
    return rc;
}

/* ---- bulk load -------------------------------------------------------------------------------------------------- */

static void load_free(struct sp_load *l)
{
    sp_arena_free(&l->a);
    sp_arena_free(&l->row);
    free(l);
}

static int load_columns(struct sp_load *l, const char *const *columns, size_t n, struct sp_error *err)
{
    l->columns = sp_arena_array(&l->a, n, sizeof *l->columns);
    l->ncolumns = n;
    for (size_t i = 0; l->columns != NULL && i < n; i++) {
        if (!l->t->def.open_fields && sp_table_column(&l->t->def, columns[i]) == NULL)
            return mock_fail(
                err, SP_E_INVALID, "table \"%s\" has no column \"%s\"", l->t->def.name, columns[i]);
        l->columns[i] = sp_arena_str(&l->a, columns[i]);
        if (l->columns[i] == NULL)
            return sp_nomem(err);
    }
    return l->columns == NULL ? sp_nomem(err) : 0;
}

/* Within the open transaction, or in one of its own. */
static int load_begin(struct mock_session *s, struct sp_load *l, struct sp_error *err)
{
    if (s->txn != NULL) {
        struct mock_txn *x, unused;
        int rc = mock_stmt_begin(s, &unused, &x, true, err);
        if (rc != 0)
            return rc;
    } else {
        int rc = mock_txn_start(s, SP_ISO_READ_COMMITTED, false, err);
        if (rc != 0)
            return rc;
        l->own = true;
    }
    s->txn->is_load = true;
    s->txn->pinned = l->t;
    l->mark = s->txn->nundo;
    return 0;
}

int mock_load_open(struct sp_session *ss, const char *table, const char *const *columns, size_t n,
    struct sp_load **out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct sp_load *l = calloc(1, sizeof *l);
    if (l == NULL)
        return sp_nomem(err);
    l->s = s;
    mock_enter(s);
    int rc = mock_table_find(s, NULL, table, &l->t, err);
    if (rc == 0)
        rc = mock_role_allows(s, l->t, SP_PRIV_INSERT, columns, n, err);
    if (rc == 0)
        rc = mock_rows_whole(s, l->t, err);
    if (rc == 0)
        rc = load_columns(l, columns, n, err);
    if (rc == 0)
        rc = load_begin(s, l, err);
    mock_leave(s);
    if (rc != 0) {
        load_free(l);
        return rc;
    }
    *out = l;
    return 0;
}

int mock_load_extra(struct sp_load *l, const char *name, const struct sp_value *v, struct sp_error *err)
{
    size_t at = l->ncolumns + l->nextra;
    if (!l->t->def.open_fields || sp_table_column(&l->t->def, name) != NULL)
        return mock_fail(
            err, SP_E_INVALID, "table \"%s\" takes no undeclared field \"%s\"", l->t->def.name, name);
    for (size_t i = l->ncolumns; i < at; i++) {
        if (strcmp(l->names[i], name) == 0)
            return mock_fail(err, SP_E_INVALID, "field \"%s\" is given twice", name);
    }
    l->names = sp_arena_grow(&l->row, l->names, &l->names_cap, at + 1, sizeof *l->names);
    l->values = sp_arena_grow(&l->row, l->values, &l->values_cap, at + 1, sizeof *l->values);
    if (l->names == NULL || l->values == NULL || (l->names[at] = sp_arena_str(&l->row, name)) == NULL ||
        sp_value_copy(&l->row, &l->values[at], v) != 0)
        return sp_nomem(err);
    l->nextra++;
    return 0;
}

/* The columns with the fields that were given before. */
static int insert(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    struct mock_version *v;
    if (l->nextra == 0)
        return mock_insert(l->s->txn, l->t, l->columns, l->ncolumns, row, &v, err);
    for (size_t i = 0; i < l->ncolumns; i++) {
        l->names[i] = l->columns[i];
        l->values[i] = row[i];
    }
    return mock_insert(l->s->txn, l->t, l->names, l->ncolumns + l->nextra, l->values, &v, err);
}

static void forget_extras(struct sp_load *l)
{
    sp_arena_reset(&l->row);
    l->names = NULL;
    l->values = NULL;
    l->nextra = l->names_cap = l->values_cap = 0;
}

int mock_load_row(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    struct mock_session *s = l->s;
    mock_enter(s);
    int rc = l->failed ? mock_fail(err, SP_E_INVALID, "the bulk load failed before; close it") : 0;
    if (rc == 0)
        rc = insert(l, row, err);
    mock_leave(s);
    forget_extras(l);
    l->failed = rc != 0;
    l->rows += rc == 0;
    return rc;
}

int mock_load_close(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    struct mock_session *s = l->s;
    struct mock_txn *x = s->txn;
    int rc = 0;
    mock_enter(s);
    if (commit && l->failed)
        rc = mock_fail(err, SP_E_INVALID, "a row of the bulk load was refused, so nothing was loaded");
    if (rc == 0 && commit)
        rc = mock_fk_check(s, x, l->mark, false, err);
    x->is_load = false;
    x->pinned = NULL;
    if (rc != 0 || !commit)
        mock_txn_undo(x, l->mark);
    if (l->own) {
        if (rc == 0 && commit)
            rc = mock_txn_commit(s, x, err);
        else
            mock_txn_rollback(s->store, x);
        free(x);
        s->txn = NULL;
    }
    mock_leave(s);
    *loaded = rc == 0 && commit ? l->rows : 0;
    load_free(l);
    return rc;
}

/* ---- sequences --------------------------------------------------------------------------------------------------- */

static int sequence_set(struct mock_session *s, const struct sp_sequence *q, struct sp_error *err)
{
    struct mock_table *t;
    int rc = mock_owner_check(s, "set a sequence", err);
    if (rc != 0)
        return rc;
    if (q->table == NULL || q->column == NULL || q->increment == 0)
        return mock_fail(err, SP_E_INVALID, "a sequence needs its table, its column and an increment");
    rc = mock_table_find(s, NULL, q->table, &t, err);
    if (rc != 0)
        return rc;
    int i = sp_table_column_index(&t->def, q->column);
    if (i < 0 || !t->def.columns[i].identity)
        return mock_fail(
            err, SP_E_NOT_FOUND, "column \"%s\" of table \"%s\" has no sequence", q->column, q->table);
    t->counters[i] = (struct mock_counter){ q->next, q->increment };
    return 0;
}

int mock_sequence_set(struct sp_session *ss, const struct sp_sequence *q, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = sequence_set(s, q, err);
    mock_leave(s);
    return rc;
}
