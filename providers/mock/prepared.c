/* prepared.c -- an operation's shape, kept, and executed with other values. */
#include "internal.h"

#include <stdlib.h>

struct sp_prepared {
    struct mock_session *s;
    struct sp_arena a;
    struct sp_op op;
    size_t nrow_values, nvalues;
};

static const char *const *names_copy(struct sp_arena *a, const char *const *in, size_t n, bool *oom)
{
    if (n == 0)
        return NULL;
    const char **out = sp_arena_array(a, n, sizeof *out);
    for (size_t i = 0; out != NULL && i < n; i++) {
        out[i] = sp_arena_str(a, in[i]);
        *oom = *oom || out[i] == NULL;
    }
    *oom = *oom || out == NULL;
    return out;
}

static int shape_copy(struct sp_prepared *p, const struct sp_op *op)
{
    struct sp_query *q = &p->op.query;
    bool oom = false;
    p->op = *op;
    p->op.values = NULL;
    p->op.fields = names_copy(&p->a, op->fields, op->nfields, &oom);
    p->op.key = names_copy(&p->a, op->key, op->nkey, &oom);
    q->table = sp_arena_str(&p->a, op->query.table);
    q->select = names_copy(&p->a, op->query.select, q->nselect, &oom);
    if (q->norder > 0) {
        struct sp_order *o = sp_arena_array(&p->a, q->norder, sizeof *o);
        for (size_t i = 0; o != NULL && i < q->norder; i++) {
            o[i] = op->query.order[i];
            o[i].column = sp_arena_str(&p->a, o[i].column);
            oom = oom || o[i].column == NULL;
        }
        oom = oom || o == NULL;
        q->order = o;
    }
    if (q->where != NULL) {
        struct sp_filter *f = sp_arena_array(&p->a, 1, sizeof *f);
        oom = oom || f == NULL || mock_filter_copy(&p->a, f, op->query.where, NULL) != 0;
        q->where = f;
    }
    p->nrow_values = op->nfields * op->nrows;
    p->nvalues = p->nrow_values + mock_filter_values(q->where);
    return oom || q->table == NULL ? -SP_E_NOMEM : 0;
}

int mock_prepare(
    struct sp_session *ss, const struct sp_op *op, struct sp_prepared **out, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct mock_table *t;
    if (op->kind == SP_OP_RAW)
        return mock_fail(err, SP_E_UNSUPPORTED, "the mock has no query language of its own");
    mock_enter(s);
    int rc = mock_table_find(s, NULL, op->query.table, &t, err);
    if (rc == 0)
        rc = mock_filter_check(t, op->query.where, err);
    mock_leave(s);
    if (rc != 0)
        return rc;
    struct sp_prepared *p = calloc(1, sizeof *p);
    if (p == NULL)
        return sp_nomem(err);
    p->s = s;
    if (shape_copy(p, op) != 0) {
        mock_finalize(p);
        return sp_nomem(err);
    }
    *out = p;
    return 0;
}

int mock_execute(
    struct sp_prepared *p, const struct sp_value *v, size_t n, struct sp_result *r, struct sp_error *err)
{
    if (n != p->nvalues)
        return mock_fail(
            err, SP_E_INVALID, "the prepared operation takes %zu values, not %zu", p->nvalues, n);
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_op op = p->op;
    struct sp_filter where;
    const struct sp_value *rest = v == NULL ? NULL : v + p->nrow_values;
    int rc = 0;
    op.values = v;
    if (op.query.where != NULL) {
        if (mock_filter_copy(&a, &where, op.query.where, &rest) != 0)
            rc = sp_nomem(err);
        op.query.where = &where;
    }
    if (rc == 0)
        rc = mock_exec((struct sp_session *)(void *)p->s, &op, r, err);
    sp_arena_free(&a);
    return rc;
}

void mock_finalize(struct sp_prepared *p)
{
    if (p == NULL)
        return;
    sp_arena_free(&p->a);
    free(p);
}
