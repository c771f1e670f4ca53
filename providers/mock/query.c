/* query.c -- selecting, ordering and projecting rows; the entry of every operation. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

int mock_rows_add(struct mock_rows *out, struct mock_version *v, struct sp_error *err)
{
    if (out->n == out->cap) {
        size_t cap = out->cap == 0 ? 64 : out->cap * 2;
        struct mock_version **p = realloc(out->v, cap * sizeof(*p));
        if (p == NULL)
            return sp_nomem(err);
        out->v = p;
        out->cap = cap;
    }
    out->v[out->n++] = v;
    return 0;
}

/* An index over one column that a filter compares for equality, with the key; only for types whose equality is that
 * of their canonical bytes. */
static const struct mock_index *shortcut(
    const struct mock_table *t, const struct sp_filter *f, struct sp_d128 *key)
{
    if (f != NULL && f->op == SP_F_AND) {
        for (size_t i = 0; i < f->nargs; i++) {
            const struct mock_index *ix = f->args[i].op == SP_F_EQ ? shortcut(t, &f->args[i], key) : NULL;
            if (ix != NULL)
                return ix;
        }
    }
    if (f == NULL || f->op != SP_F_EQ)
        return NULL;
    int c = sp_table_column_index(&t->def, f->column);
    enum sp_tag tag = f->values[0].tag;
    if (c < 0 || t->def.columns[c].type.tag != tag || (tag != SP_INT && tag != SP_TEXT && tag != SP_UUID))
        return NULL;
    for (size_t i = 0; i < t->nindexes; i++) {
        const struct mock_index *ix = t->indexes[i];
        size_t zero = 0;
        if (ix->ncols == 1 && ix->cols[0] == (size_t)c && !ix->nulls_equal &&
            mock_key(t->store, &zero, 1, false, f->values, key) == 0)
            return ix;
    }
    return NULL;
}

static int consider(struct mock_session *s, struct mock_txn *x, struct mock_table *t,
    const struct sp_filter *where, struct mock_version *v, struct mock_rows *out, struct sp_error *err)
{
    int rc = mock_tick(s, err);
    if (rc != 0 || !mock_visible(v, x) || mock_row_hidden(s, t, v))
        return rc;
    rc = mock_filter_true(t, v, where, err);
    return rc == 1 ? mock_rows_add(out, v, err) : rc;
}

int mock_select(struct mock_session *s, struct mock_txn *x, struct mock_table *t,
    const struct sp_filter *where, struct mock_rows *out, struct sp_error *err)
{
    struct sp_d128 key;
    int rc = mock_txn_note_read(x, t, where, err);
    const struct mock_index *ix = shortcut(t, where, &key);
    if (ix != NULL) {
        for (struct mock_entry *e = mock_index_first(ix, key); rc == 0 && e != NULL; e = mock_entry_next(e))
            rc = consider(s, x, t, where, e->v, out, err);
        return rc;
    }
    for (size_t i = 0, n = t->nv; rc == 0 && i < n; i++)
        rc = consider(s, x, t, where, t->v[i], out, err);
    return rc;
}

/* ---- order ---------------------------------------------------------------------------------------------------- */

struct placed {
    struct mock_version *v;
    size_t position;
};
struct sorting {
    const struct mock_table *t;
    const struct sp_query *q;
    bool incomparable;
};

static int compare_by(
    struct sorting *s, const struct sp_order *o, const struct mock_version *a, const struct mock_version *b)
{
    static const struct sp_value missing = { .tag = SP_MISSING };
    const struct sp_value *x = mock_version_value(s->t, a, o->column);
    const struct sp_value *y = mock_version_value(s->t, b, o->column);
    x = x == NULL ? &missing : x;
    y = y == NULL ? &missing : y;
    bool nx = sp_v_is_absent(x), ny = sp_v_is_absent(y);
    bool first = o->nulls == SP_NULLS_DEFAULT ? !o->desc : o->nulls == SP_NULLS_FIRST;
    if (nx || ny)
        return nx && ny ? 0 : (nx == first ? -1 : 1);
    int c = sp_value_order(x, y);
    if (c == -2) {
        s->incomparable = s->incomparable || x->tag == y->tag;
        c = x->tag < y->tag ? -1 : x->tag > y->tag;
    }
    return o->desc ? -c : c;
}

static int compare(const void *pa, const void *pb, void *payload)
{
    const struct placed *a = pa, *b = pb;
    struct sorting *s = payload;
    for (size_t i = 0; i < s->q->norder; i++) {
        int c = compare_by(s, &s->q->order[i], a->v, b->v);
        if (c != 0)
            return c;
    }
    return a->position < b->position ? -1 : a->position > b->position;
}

static int sort(
    const struct mock_table *t, const struct sp_query *q, struct mock_rows *rows, struct sp_error *err)
{
    if (q->norder == 0 || rows->n == 0)
        return 0;
    struct placed *p = calloc(rows->n, sizeof *p);
    if (p == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < rows->n; i++)
        p[i] = (struct placed){ rows->v[i], i };
    struct sorting s = { t, q, false };
    qsort_r(p, rows->n, sizeof *p, compare, &s);
    for (size_t i = 0; i < rows->n; i++)
        rows->v[i] = p[i].v;
    free(p);
    return s.incomparable
               ? mock_fail(err, SP_E_INVALID, "table \"%s\" cannot be ordered by these columns", t->def.name)
               : 0;
}

/* ---- projection ------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* All declared columns, then the undeclared fields that the rows have, by name. */
static int all_columns(struct sp_arena *a, const struct mock_table *t, struct mock_version *const *rows,
    size_t n, const char *const **out, size_t *nout, struct sp_error *err)
{
    size_t cap = 0, count = t->def.ncolumns, from;
    const char **names = sp_arena_grow(a, NULL, &cap, count + 1, sizeof *names);
    if (names == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < count; i++)
        names[i] = t->def.columns[i].name;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < rows[i]->nextra; k++) {
            const char *name = rows[i]->extra[k].name;
            from = t->def.ncolumns;
            while (from < count && strcmp(names[from], name) != 0)
                from++;
            if (from < count)
                continue;
            if (count == cap) {
                const char **more = sp_arena_grow(a, names, &cap, count + 1, sizeof *names);
                if (more == NULL)
                    return sp_nomem(err);
                names = more;
            }
            names[count++] = name;
        }
    }
    qsort(names + t->def.ncolumns, count - t->def.ncolumns, sizeof *names, by_name);
    *out = names;
    *nout = count;
    return 0;
}

int mock_project(struct mock_table *t, const struct sp_query *q, struct mock_version *const *rows, size_t n,
    struct sp_result *r, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    const char *const *names = q->select;
    size_t nnames = q->nselect;
    int rc = nnames == 0 ? all_columns(&a, t, rows, n, &names, &nnames, err) : 0;
    struct sp_value *row = sp_arena_array(&a, nnames + 1, sizeof *row);
    if (rc == 0 && (row == NULL || sp_result_columns(r, names, nnames) != 0))
        rc = sp_nomem(err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        for (size_t k = 0; k < nnames; k++) {
            const struct sp_value *v = mock_version_value(t, rows[i], names[k]);
            row[k] = v == NULL ? sp_v_missing() : *v;
        }
        rc = sp_result_add(r, row, err);
    }
    sp_arena_free(&a);
    return rc;
}

static int names_known(const struct mock_table *t, const struct sp_query *q, struct sp_error *err)
{
    for (size_t i = 0; i < q->nselect + q->norder && !t->def.open_fields; i++) {
        const char *name = i < q->nselect ? q->select[i] : q->order[i - q->nselect].column;
        if (sp_table_column(&t->def, name) == NULL)
            return mock_fail(err, SP_E_INVALID, "table \"%s\" has no column \"%s\"", t->def.name, name);
    }
    return 0;
}

int mock_read(struct mock_session *s, struct mock_txn *x, struct mock_table *t, const struct sp_query *q,
    struct sp_result *r, struct sp_error *err)
{
    struct mock_rows rows = { NULL, 0, 0 };
    int rc = mock_select(s, x, t, q->where, &rows, err);
    if (rc == 0)
        rc = sort(t, q, &rows, err);
    size_t from = rows.n, n = 0;
    if ((uint64_t)q->offset < rows.n) {
        from = (size_t)q->offset;
        n = rows.n - from;
    }
    if (q->limit != SP_NO_LIMIT && (uint64_t)q->limit < n)
        n = (size_t)q->limit;
    if (rc == 0)
        rc = mock_project(t, q, n == 0 ? NULL : rows.v + from, n, r, err);
    free(rows.v);
    return rc;
}

static int count(struct mock_session *s, struct mock_txn *x, struct mock_table *t, const struct sp_query *q,
    struct sp_result *r, struct sp_error *err)
{
    struct mock_rows rows = { NULL, 0, 0 };
    int rc = mock_select(s, x, t, q->where, &rows, err);
    r->affected = (int64_t)rows.n;
    free(rows.v);
    return rc;
}

static int run(struct mock_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    bool writes = op->kind != SP_OP_READ && op->kind != SP_OP_COUNT;
    struct mock_table *t;
    struct mock_txn own, *x;
    int rc = mock_table_find(s, NULL, op->query.table, &t, err);
    if (rc == 0)
        rc = mock_op_allowed(s, t, op, err);
    if (rc == 0)
        rc = mock_filter_check(t, op->query.where, err);
    if (rc == 0)
        rc = names_known(t, &op->query, err);
    if (rc == 0)
        rc = mock_stmt_begin(s, &own, &x, writes, err);
    if (rc != 0)
        return rc;
    size_t mark = x->nundo;
    if (writes)
        rc = mock_write(s, x, t, op, r, err);
    else if (op->kind == SP_OP_COUNT)
        rc = count(s, x, t, &op->query, r, err);
    else
        rc = mock_read(s, x, t, &op->query, r, err);
    return mock_stmt_end(s, &own, x, mark, rc, err);
}

int mock_exec(struct sp_session *ss, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    if (op->kind == SP_OP_RAW)
        return mock_fail(err, SP_E_UNSUPPORTED, "the mock has no query language of its own");
    mock_enter(s);
    int rc = run(s, op, r, err);
    mock_leave(s);
    if (rc != 0)
        sp_result_reset(r);
    return rc;
}
