/* lens_rows.c -- a scan of the inner table whose rows are taken apart: paths, elements of arrays, constants, translated
 * ids. The inner scan proves its end; the rows that were made of it are counted here. */
#include <string.h>

#include "base/str.h"
#include "map/lens_row.h"

struct pass {
    struct lens_session *s;
    const struct lens_view *v;
    const struct sp_scan *scan; /* the caller's */
    struct sp_rowbuf *rb;
    struct sp_scan inner;
    struct sp_arena a;                   /* of the plan */
    const struct lens_col **cols;        /* of the caller's plan */
    const struct sp_filter *where, *own; /* evaluated here: the caller's, and the relation's */
    struct lens_row row;
    uint64_t documents, pushed;
    struct sp_error err;
    int rc;
};

/* ---- the inner row ----------------------------------------------------------------------------------------------- */

static int corrupt(struct pass *p)
{
    return sp_fail(
        &p->err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "table %s: a row cannot be taken apart", p->v->inner->name);
}

static uint32_t u32_at(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static int add_field(struct pass *p, const char *name, const uint8_t **at, const uint8_t *end)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct lens_row *r = &p->row;
    struct sp_value v;
    enum sp_state state;
    int64_t used = sp_canon_read(&r->a, &dynamic, *at, (size_t)(end - *at), &v, &state);
    if (used < 0)
        return used == -SP_E_NOMEM ? sp_nomem(&p->err) : corrupt(p);
    r->fields[r->nfields++] = lens_node_of(name, &v, state);
    *at += used;
    return 0;
}

static int more_fields(struct pass *p, size_t n)
{
    struct lens_row *r = &p->row;
    r->nfields = 0;
    r->fields = sp_arena_array(&r->a, n + 1, sizeof *r->fields);
    return r->fields == NULL ? sp_nomem(&p->err) : 0;
}

static int read_extras(struct pass *p, const uint8_t *at, const uint8_t *end, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (end - at < 4 || (size_t)(end - at) - 4 < u32_at(at))
            return corrupt(p);
        uint32_t len = u32_at(at);
        const char *name = sp_arena_strn(&p->row.a, (const char *)at + 4, len);
        if (name == NULL)
            return sp_nomem(&p->err);
        at += 4 + len;
        int rc = add_field(p, name, &at, end);
        if (rc != 0)
            return rc;
    }
    return at == end ? 0 : corrupt(p);
}

static int read_row(struct pass *p, const struct sp_rowview *row)
{
    const uint8_t *at = row->row, *end = at + row->nrow;
    size_t ncols = p->inner.ncols;
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    const uint8_t *rest = at;
    sp_arena_reset(&p->row.a);
    for (size_t i = 0; p->inner.residual && i < ncols;
         i++) { /* where the undeclared fields begin says how many there are */
        struct sp_value v;
        int64_t used = sp_canon_read(&p->row.a, &dynamic, rest, (size_t)(end - rest), &v, NULL);
        if (used < 0)
            return used == -SP_E_NOMEM ? sp_nomem(&p->err) : corrupt(p);
        rest += used;
    }
    if (p->inner.residual && end - rest < 4)
        return corrupt(p);
    uint32_t extras = p->inner.residual ? u32_at(rest) : 0;
    if (extras > (size_t)(end - rest))
        return corrupt(p);
    int rc = more_fields(p, ncols + extras);
    for (size_t i = 0; rc == 0 && i < ncols; i++)
        rc = add_field(p, p->inner.cols[i].name, &at, end);
    if (rc == 0 && p->inner.residual)
        rc = read_extras(p, at + 4, end, extras);
    return rc;
}

/* ---- filters --------------------------------------------------------------------------------------------------------- */

struct asking {
    struct pass *p;
    const struct sp_filter *f; /* the whole */
    bool places;               /* its names are places of this side, not columns of the relation */
    int rc;
};

static const struct sp_filter *leaf_of(const struct sp_filter *f, const char *column)
{
    if (f->op != SP_F_AND && f->op != SP_F_OR && f->op != SP_F_NOT)
        return strcmp(f->column, column) == 0 && f->nvalues != 0 ? f : NULL;
    for (size_t i = 0; i < f->nargs; i++) {
        const struct sp_filter *leaf = leaf_of(&f->args[i], column);
        if (leaf != NULL)
            return leaf;
    }
    return NULL;
}

static int place_value(struct pass *p, const char *place, struct sp_value *out)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    int side = (int)p->s->side;
    for (size_t i = 0; i < p->v->ncols; i++) {
        const struct lens_col *c = &p->v->cols[i];
        if (c->m != NULL && sp_streq(c->m->place[side], place))
            return lens_path_value(&p->row, &c->path, c->parent, &dynamic, false, out);
    }
    struct lens_path path;
    int rc = lens_path_parse(&p->row.a, place, &path);
    if (!p->v->embedded && sp_table_column(p->v->inner, place) != NULL) {
        const char *one[1] = { place };
        path = (struct lens_path){ one, 1 };
        return lens_path_value(&p->row, &path, false, &dynamic, false, out);
    }
    return rc != 0 ? rc : lens_path_value(&p->row, &path, false, &dynamic, false, out);
}

/* A value of another type than the one it is compared with is brought into that type where it is the same value: keys are
 * asked for under the type in which both sides meet. */
static const struct sp_value *get(void *row, const char *column)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct asking *q = row;
    struct lens_row *r = &q->p->row;
    struct sp_value *v = sp_arena_alloc(&r->a, sizeof *v), same;
    const struct lens_col *c = q->places ? NULL : lens_col_named(q->p->v, column);
    const struct sp_filter *leaf = leaf_of(q->f, column);
    if (v == NULL || (!q->places && c == NULL)) {
        q->rc = v == NULL ? sp_nomem(&q->p->err)
                          : sp_invalid(&q->p->err, "relation %s has no column \"%s\"", q->p->v->name, column);
        return NULL;
    }
    int rc = q->places ? place_value(q->p, column, v)
                       : lens_col_value(r, c, &dynamic, q->p->scan->as_stored, v, &q->p->err);
    if (rc == 0 && leaf != NULL && !sp_v_is_absent(v) && v->tag != leaf->values[0].tag) {
        const struct sp_type type = { .tag = leaf->values[0].tag };
        rc = lens_logical(&r->a, v);
        if (rc == 0 && v->tag != type.tag && sp_coerce(&r->a, &type, v, &same) == 0)
            *v = same;
    }
    if (rc != 0)
        q->rc = rc;
    return v;
}

/* Whether two values are the same can always be said: of different types they are not. */
static bool only_equality(const struct sp_filter *f)
{
    if (f->op == SP_F_AND || f->op == SP_F_OR) {
        for (size_t i = 0; i < f->nargs; i++)
            if (!only_equality(&f->args[i]))
                return false;
        return true;
    }
    return f->op == SP_F_EQ || f->op == SP_F_IN || f->op == SP_F_IS_NULL || f->op == SP_F_IS_MISSING;
}

/* `or` and `and` of comparisons, where an unrelated pair is simply not equal. */
static int eval_equality(const struct sp_filter *f, struct asking *q)
{
    if (f->op != SP_F_AND && f->op != SP_F_OR) {
        if (f->op != SP_F_IN)
            return sp_filter_eval(f, get, q) == 1;
        for (size_t i = 0; i < f->nvalues; i++) {
            const struct sp_filter one = {
                .op = SP_F_EQ, .column = f->column, .values = &f->values[i], .nvalues = 1
            };
            struct asking each = { q->p, &one, q->places, 0 };
            int t = sp_filter_eval(&one, get, &each);
            q->rc = each.rc != 0 ? each.rc : q->rc;
            if (t == 1)
                return 1;
        }
        return 0;
    }
    for (size_t i = 0; i < f->nargs; i++)
        if (eval_equality(&f->args[i], q) == (f->op == SP_F_OR))
            return f->op == SP_F_OR;
    return f->op == SP_F_AND;
}

/* 1 = the row is selected, 0, negative error. */
static int selected(struct pass *p, const struct sp_filter *f, bool places)
{
    struct asking q = { p, f, places, 0 };
    if (f == NULL)
        return 1;
    int t = only_equality(f) ? eval_equality(f, &q) : sp_filter_eval(f, get, &q);
    if (q.rc != 0)
        return q.rc;
    if (t == -2)
        return sp_fail(&p->err, SP_E_INVALID, SP_ORIGIN_HARNESS,
            "relation %s: the filter compares values of types that have no order between them", p->v->name);
    return t == 1;
}

/* ---- the outer row ----------------------------------------------------------------------------------------------------- */

static int push(struct pass *p)
{
    struct sp_value v;
    int rc = selected(p, p->own, true);
    if (rc == 1)
        rc = selected(p, p->where, false);
    if (rc != 1)
        return rc;
    rc = 0;
    for (size_t i = 0; rc == 0 && i < p->scan->ncols; i++) {
        rc = lens_col_value(&p->row, p->cols[i], &p->scan->cols[i].type, p->scan->as_stored, &v, &p->err);
        if (rc == 0)
            rc = sp_put_value(p->rb, &v);
    }
    if (rc == 0 && p->scan->residual && p->v->documents)
        rc = lens_push_rest(&p->row, p->rb, p->scan->as_stored);
    if (rc == 0)
        rc = sp_row_end(p->rb);
    p->pushed += rc == 0 ? 1 : 0;
    return rc;
}

/* No array, no rows; what is neither an array nor nothing becomes a row that cannot be equal to any. */
static int push_elements(struct pass *p)
{
    struct lens_row *r = &p->row;
    struct lens_node *at;
    int rc = lens_find(r, &p->v->array, true, &at);
    if (rc < 0)
        return rc;
    if (rc == LENS_FOUND) {
        int opened = lens_node_open(&r->a, at, !p->v->store);
        if (opened != 0)
            return opened;
    }
    if (rc == LENS_ABSENT || (rc == LENS_FOUND && at->kind == LENS_SCALAR && sp_v_is_absent(&at->v)))
        return 0;
    r->wanting = rc == LENS_MALFORMED || at->kind != LENS_ARRAY;
    r->index = 0;
    r->element = at;
    if (r->wanting)
        return push(p);
    rc = 0;
    for (r->element = at->first; rc == 0 && r->element != NULL; r->element = r->element->next, r->index++)
        rc = push(p);
    return rc;
}

static int on_row(void *payload, const struct sp_rowview *row)
{
    struct pass *p = payload;
    p->documents++;
    p->row.wanting = false;
    p->row.element = NULL;
    p->row.index = 0;
    p->rc = read_row(p, row);
    if (p->rc == 0)
        p->rc = p->v->embedded ? push_elements(p) : push(p);
    return p->rc;
}

/* ---- the plan ------------------------------------------------------------------------------------------------------------ */

/* Of a table with columns: those that are looked into. Of open documents: everything, as undeclared fields. */
static int plan_inner(struct pass *p)
{
    const struct sp_table *t = p->v->inner;
    struct sp_colplan *cols = sp_arena_array(&p->a, t->ncolumns + 1, sizeof *cols);
    if (cols == NULL)
        return sp_nomem(&p->err);
    p->inner = (struct sp_scan){ .ns = p->v->ns,
        .table = t->name,
        .cols = cols,
        .side = p->s->side,
        .residual = t->open_fields,
        .as_stored = p->v->store };
    for (size_t i = 0; !t->open_fields && i < t->ncolumns; i++) {
        const char *name = t->columns[i].name;
        bool wanted = p->v->where != NULL || p->scan->where != NULL || p->v->store || p->scan->ncols == 0;
        for (size_t k = 0; k < p->scan->ncols && !wanted; k++)
            wanted = p->cols[k]->path.n != 0 && strcmp(p->cols[k]->path.seg[0], name) == 0;
        wanted = wanted || (p->v->embedded && strcmp(p->v->array.seg[0], name) == 0);
        if (wanted)
            cols[p->inner.ncols++] = (struct sp_colplan){
                .name = name, .source = name, .target = name, .type = { .tag = SP_MISSING }
            };
    }
    return 0;
}

/* What the inner session can select by itself it is asked for; the rest is looked at here. */
static int plan_filters(struct pass *p)
{
    const struct sp_filter *asked = NULL;
    bool exact;
    bool own = lens_filter_over_columns(p->v, p->v->where);
    int rc = lens_filter_inner(&p->a, p->v, p->scan->where, &asked, &exact);
    if (rc == 0)
        rc = lens_filter_and(&p->a, own ? p->v->where : NULL, asked, &p->inner.where);
    p->own = own ? NULL : p->v->where;
    p->where = exact ? NULL : p->scan->where;
    return rc != 0 ? sp_nomem(&p->err) : 0;
}

static int plan_columns(struct pass *p)
{
    p->cols = sp_arena_array(&p->a, p->scan->ncols + 1, sizeof *p->cols);
    if (p->cols == NULL)
        return sp_nomem(&p->err);
    for (size_t i = 0; i < p->scan->ncols; i++) {
        const struct sp_colplan *c = &p->scan->cols[i];
        const char *name = p->s->side == SP_SIDE_SOURCE ? c->source : c->target;
        p->cols[i] = lens_col_named(p->v, name);
        if (p->cols[i] == NULL)
            return sp_invalid(&p->err, "relation %s has no column \"%s\"", p->v->name, name);
    }
    return 0;
}

/* What failed within a row says more than that the inner scan was stopped. */
static int run(struct pass *p)
{
    struct sp_rowbuf capture;
    struct sp_error inner = SP_ERROR_INIT;
    int rc = sp_rowbuf_init(&capture, &p->inner, &p->err);
    if (rc != 0)
        return rc;
    capture.sink = on_row;
    capture.payload = p;
    rc = sp_db_scan(p->s->inner, &p->inner, &capture, &inner);
    if (rc != 0 && (p->rc == 0 || p->err.code == SP_E_OK))
        sp_error_move(&p->err, &inner);
    sp_error_clear(&inner);
    if (rc == 0 && (!capture.complete || capture.digest.count != p->documents))
        rc = sp_fail(&p->err, SP_E_CORRUPT, SP_ORIGIN_HARNESS,
            "table %s: %llu rows were read, and %llu taken apart", p->inner.table,
            (unsigned long long)capture.digest.count, (unsigned long long)p->documents);
    sp_rowbuf_free(&capture);
    return rc;
}

int lens_scan_rows(struct lens_session *s, const struct lens_view *v, const struct sp_scan *scan,
    struct sp_rowbuf *rb, struct sp_error *err)
{
    struct pass p = { .s = s, .v = v, .scan = scan, .rb = rb, .row = { .v = v }, .err = SP_ERROR_INIT };
    int rc = 0;
    if (scan->from != NULL || scan->to != NULL)
        rc =
            sp_fail(&p.err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "relation %s is not read in parts", v->name);
    if (rc == 0)
        rc = plan_columns(&p);
    if (rc == 0)
        rc = plan_inner(&p);
    if (rc == 0)
        rc = plan_filters(&p);
    if (rc == 0)
        rc = run(&p);
    const struct sp_error *outer = sp_rowbuf_error(rb);
    if (rc != 0 && p.rc != 0 && outer->code != SP_E_OK) /* the caller's buffer knows why */
        rc = sp_fail(err, outer->code, outer->origin, "%s", sp_error_text(outer));
    else if (rc != 0) {
        rc = p.err.code != SP_E_OK ? -(int)p.err.code : rc;
        sp_error_move(err, &p.err);
    }
    sp_error_clear(&p.err);
    sp_arena_free(&p.row.a);
    sp_arena_free(&p.a);
    return rc != 0 ? rc : sp_scan_end(rb, p.pushed, err);
}
