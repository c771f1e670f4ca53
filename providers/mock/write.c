/* write.c -- create, upsert, update, delete. Each row change ends one version and makes the next. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* A row while it is put together. */
struct draft {
    struct sp_arena a;
    struct sp_value *values;
    struct sp_field *extra;
    size_t nextra, cap_extra;
};

static int draft_init(
    struct draft *d, const struct mock_table *t, const struct mock_version *from, struct sp_error *err)
{
    *d = (struct draft){ .a = SP_ARENA_INIT };
    d->values = sp_arena_array(&d->a, t->def.ncolumns + 1, sizeof *d->values);
    if (d->values == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < t->def.ncolumns; i++)
        d->values[i] = from == NULL ? sp_v_missing() : from->values[i];
    if (from != NULL && from->nextra > 0) {
        d->extra = sp_arena_grow(&d->a, NULL, &d->cap_extra, from->nextra, sizeof *d->extra);
        if (d->extra == NULL)
            return sp_nomem(err);
        memcpy(d->extra, from->extra, from->nextra * sizeof *d->extra);
        d->nextra = from->nextra;
    }
    return 0;
}

static int set_extra(struct draft *d, const char *name, const struct sp_value *v, struct sp_error *err)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct sp_column c = { .name = name, .type = dynamic };
    struct sp_value value;
    int rc = mock_conform(&d->a, &c, v, &value, err);
    if (rc != 0)
        return rc;
    size_t at = 0;
    while (at < d->nextra && strcmp(d->extra[at].name, name) < 0)
        at++;
    if (at < d->nextra && strcmp(d->extra[at].name, name) == 0) {
        d->extra[at].value = value;
        return 0;
    }
    if (d->nextra == d->cap_extra) {
        struct sp_field *p = sp_arena_grow(&d->a, d->extra, &d->cap_extra, d->nextra + 1, sizeof *p);
        if (p == NULL)
            return sp_nomem(err);
        d->extra = p;
    }
    memmove(d->extra + at + 1, d->extra + at, (d->nextra - at) * sizeof *d->extra);
    d->extra[at] = (struct sp_field){ name, value };
    d->nextra++;
    return 0;
}

static int assign(struct draft *d, const struct mock_table *t, const char *const *fields, size_t n,
    const struct sp_value *values, struct sp_error *err)
{
    for (size_t k = 0; k < n; k++) {
        int i = sp_table_column_index(&t->def, fields[k]);
        int rc = 0;
        if (values[k].tag == SP_MISSING)
            continue;
        if (i < 0)
            rc = set_extra(d, fields[k], &values[k], err);
        else if (values[k].tag == SP_NULL)
            d->values[i] = values[k];
        else
            rc = mock_conform(&d->a, &t->def.columns[i], &values[k], &d->values[i], err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* An explicit key moves the counter past it, so that the next drawn one is free. */
static int identity(struct mock_table *t, size_t i, struct sp_value *v, struct sp_error *err)
{
    struct mock_counter *c = &t->counters[i];
    if (v->tag == SP_MISSING) {
        *v = sp_v_int(c->next);
        int64_t next;
        if (__builtin_add_overflow(c->next, c->increment, &next))
            return mock_fail(err, SP_E_RANGE, "the sequence of table \"%s\" is used up", t->def.name);
        struct sp_arena none = SP_ARENA_INIT;
        int rc = mock_conform(&none, &t->def.columns[i], v, v, err);
        if (rc == 0)
            c->next = next;
        return rc;
    }
    if (v->tag == SP_INT && c->increment > 0 && v->u.i >= c->next && v->u.i <= INT64_MAX - c->increment)
        c->next = v->u.i + c->increment;
    return 0;
}

static int fill(struct draft *d, struct mock_table *t, struct sp_error *err)
{
    for (size_t i = 0; i < t->def.ncolumns; i++) {
        if (t->def.columns[i].identity) {
            int rc = identity(t, i, &d->values[i], err);
            if (rc != 0)
                return rc;
        } else if (d->values[i].tag == SP_MISSING && t->defaults[i].tag != SP_MISSING) {
            d->values[i] = t->defaults[i];
        } else if (d->values[i].tag == SP_MISSING && !t->def.open_fields) {
            d->values[i] = sp_v_null();
        }
    }
    return 0;
}

/* Constraints, then the version: `old` NULL for a new row. *out is set also when it is its key that is refused. */
static int store(struct mock_txn *x, struct mock_table *t, struct draft *d, struct mock_version *old,
    struct mock_version **out, struct sp_error *err)
{
    int rc = mock_row_check(t, d->values, err);
    if (rc != 0)
        return rc;
    struct mock_version *v = mock_version_new(d->values, t->def.ncolumns, d->extra, d->nextra);
    if (v == NULL)
        return sp_nomem(err);
    rc = mock_checks_hold(t, t->checks, v, err);
    if (rc == 0 && old != NULL)
        rc = mock_txn_end(x, t, old, v, err);
    if (rc != 0) {
        free(v);
        return rc;
    }
    rc = mock_txn_create(x, t, v, err);
    if (rc == 0)
        *out = v;
    for (size_t i = 0; rc == 0 && i < t->nindexes; i++) {
        if (t->indexes[i]->unique)
            rc = mock_unique_check(x, t, t->indexes[i], v, err);
    }
    return rc;
}

int mock_insert(struct mock_txn *x, struct mock_table *t, const char *const *fields, size_t n,
    const struct sp_value *values, struct mock_version **out, struct sp_error *err)
{
    struct draft d;
    int rc = draft_init(&d, t, NULL, err);
    if (rc == 0)
        rc = assign(&d, t, fields, n, values, err);
    if (rc == 0)
        rc = fill(&d, t, err);
    if (rc == 0)
        rc = store(x, t, &d, NULL, out, err);
    sp_arena_free(&d.a);
    return rc;
}

int mock_replace(struct mock_txn *x, struct mock_table *t, struct mock_version *old,
    const char *const *fields, size_t n, const struct sp_value *values, struct mock_version **out,
    struct sp_error *err)
{
    struct draft d;
    int rc = draft_init(&d, t, old, err);
    if (rc == 0)
        rc = assign(&d, t, fields, n, values, err);
    if (rc == 0)
        rc = store(x, t, &d, old, out, err);
    sp_arena_free(&d.a);
    return rc;
}

/* ---- operations ----------------------------------------------------------------------------------------------- */

static struct mock_index *key_index(struct mock_table *t, const struct sp_op *op)
{
    for (size_t k = 0; k < t->nindexes; k++) {
        struct mock_index *ix = t->indexes[k];
        size_t same = 0;
        for (size_t i = 0; i < ix->ncols; i++) {
            for (size_t j = 0; j < op->nkey; j++)
                same += strcmp(t->def.columns[ix->cols[i]].name, op->key[j]) == 0;
        }
        if (ix->unique && ix->ncols == op->nkey && same == op->nkey)
            return ix;
    }
    return NULL;
}

/* The row that has the key of `values` now; NULL if none. */
static int key_row(struct mock_txn *x, struct mock_table *t, const struct mock_index *ix,
    const struct sp_op *op, const struct sp_value *values, struct mock_version **out, struct sp_error *err)
{
    struct draft d;
    struct sp_d128 key;
    *out = NULL;
    int rc = draft_init(&d, t, NULL, err);
    if (rc == 0)
        rc = assign(&d, t, op->fields, op->nfields, values, err);
    if (rc == 0)
        rc = mock_key(t->store, ix->cols, ix->ncols, ix->nulls_equal, d.values, &key);
    sp_arena_free(&d.a);
    if (rc != 0)
        return rc == 1 ? 0 : rc;
    for (struct mock_entry *e = mock_index_first(ix, key); e != NULL; e = mock_entry_next(e)) {
        enum mock_seen seen = mock_latest(e->v, x);
        if (seen == MOCK_BUSY || (seen == MOCK_LIVE && !mock_visible(e->v, x)))
            return mock_conflict(x, err, "another transaction wrote the same key");
        if (seen == MOCK_LIVE)
            *out = e->v;
    }
    return 0;
}

static int create(struct mock_session *s, struct mock_txn *x, struct mock_table *t, const struct sp_op *op,
    struct mock_rows *rows, struct sp_error *err)
{
    struct mock_index *ix = NULL;
    if (op->kind == SP_OP_UPSERT) {
        ix = key_index(t, op);
        if (ix == NULL)
            return mock_fail(err, SP_E_INVALID,
                "the upsert's key is neither primary key nor unique in table \"%s\"", t->def.name);
    }
    for (size_t i = 0; i < op->nrows; i++) {
        const struct sp_value *values = op->nfields == 0 ? NULL : &op->values[i * op->nfields];
        struct mock_version *old = NULL, *v = NULL;
        int rc = mock_tick(s, err);
        if (rc == 0 && ix != NULL)
            rc = key_row(x, t, ix, op, values, &old, err);
        if (rc == 0 && old != NULL)
            rc = mock_row_owned(s, t, old, err);
        if (rc == 0)
            rc = old == NULL ? mock_insert(x, t, op->fields, op->nfields, values, &v, err)
                             : mock_replace(x, t, old, op->fields, op->nfields, values, &v, err);
        if (rc == -SP_E_UNIQUE && v != NULL && mock_row_hidden(s, t, v)) {
            sp_error_clear(err); /* whose row it is comes before its key, and tells nothing of it */
            rc = 0;
        }
        if (rc == 0)
            rc = mock_row_owned(s, t, v, err);
        if (rc == 0)
            rc = mock_rows_add(rows, v, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

static int change(struct mock_session *s, struct mock_txn *x, struct mock_table *t, const struct sp_op *op,
    struct mock_rows *rows, struct sp_error *err)
{
    int rc = mock_select(s, x, t, op->query.where, rows, err);
    for (size_t i = 0; rc == 0 && i < rows->n; i++) {
        rc = mock_tick(s, err);
        if (rc != 0)
            break;
        if (op->kind == SP_OP_DELETE)
            rc = mock_txn_end(x, t, rows->v[i], NULL, err);
        else
            rc = mock_replace(x, t, rows->v[i], op->fields, op->nfields, op->values, &rows->v[i], err);
        if (rc == 0)
            rc = mock_row_owned(s, t, rows->v[i], err);
    }
    return rc;
}

int mock_write(struct mock_session *s, struct mock_txn *x, struct mock_table *t, const struct sp_op *op,
    struct sp_result *r, struct sp_error *err)
{
    struct mock_rows rows = { NULL, 0, 0 };
    int rc = 0;
    for (size_t i = 0; i < op->nfields && !t->def.open_fields; i++) {
        if (sp_table_column(&t->def, op->fields[i]) == NULL)
            return mock_fail(
                err, SP_E_INVALID, "table \"%s\" has no column \"%s\"", t->def.name, op->fields[i]);
    }
    rc = op->kind == SP_OP_CREATE || op->kind == SP_OP_UPSERT ? create(s, x, t, op, &rows, err)
                                                              : change(s, x, t, op, &rows, err);
    if (rc == 0 && op->returning)
        rc = mock_project(t, &op->query, rows.v, rows.n, r, err);
    if (rc == 0)
        r->affected = (int64_t)rows.n;
    free(rows.v);
    return rc;
}
