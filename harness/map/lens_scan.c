/* lens_scan.c -- a scan of a relation: straight through the inner session where only names differ, else row by row. */
#include "map/lens_internal.h"

#include <string.h>

#include "base/str.h"

static const char *name_on_side(const struct lens_session *s, const struct sp_colplan *c)
{
    return s->side == SP_SIDE_SOURCE ? c->source : c->target;
}

/* The plan under the inner names. */
static int inner_plan(struct lens_session *s, const struct lens_view *v, const struct sp_scan *scan,
    struct sp_arena *a, struct sp_scan *out, struct sp_error *err)
{
    struct sp_colplan *cols = sp_arena_array(a, scan->ncols + 1, sizeof *cols);
    if (cols == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < scan->ncols; i++) {
        const struct lens_col *c = lens_col_named(v, name_on_side(s, &scan->cols[i]));
        if (c == NULL)
            return sp_invalid(
                err, "relation %s has no column \"%s\"", v->name, name_on_side(s, &scan->cols[i]));
        cols[i] = scan->cols[i];
        if (s->side == SP_SIDE_SOURCE)
            cols[i].source = c->path.seg[0];
        else
            cols[i].target = c->path.seg[0];
    }
    *out = *scan;
    out->ns = v->ns;
    out->table = v->inner->name;
    out->cols = cols;
    return 0;
}

/* What the inner session cannot know of a direct view: fields of documents that the mapping names and this scan doesn't
 * ask for, and what a declared type makes of a
 * value. */
static bool reads_alike(const struct lens_session *s, const struct lens_view *v, const struct sp_scan *scan)
{
    if (!v->direct)
        return false;
    for (size_t i = 0; v->store && scan->as_stored && i < v->ncols; i++)
        if (v->cols[i].logical)
            return false;
    for (size_t i = 0; v->documents && !scan->as_stored && i < scan->ncols; i++)
        if (scan->cols[i].type.tag == SP_JSON || scan->cols[i].type.tag == SP_REF)
            return false;
    for (size_t i = 0; v->documents && scan->residual && i < v->ncols; i++) {
        bool asked = false;
        for (size_t k = 0; k < scan->ncols && !asked; k++)
            asked = sp_streq(name_on_side(s, &scan->cols[k]), v->cols[i].name);
        if (!asked)
            return false;
    }
    return true;
}

/* Straight into the caller's buffer. 1 = a filter does not let it. */
static int straight(struct lens_session *s, const struct lens_view *v, const struct sp_scan *scan,
    struct sp_rowbuf *rb, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_scan inner;
    const struct sp_filter *asked;
    bool exact;
    int rc = 1;
    if (lens_filter_over_columns(v, v->where)) {
        rc = lens_filter_inner(&a, v, scan->where, &asked, &exact);
        if (rc == 0 && !exact)
            rc = 1;
        if (rc == 0)
            rc = inner_plan(s, v, scan, &a, &inner, err);
        if (rc == 0 && lens_filter_and(&a, v->where, asked, &inner.where) != 0)
            rc = sp_nomem(err);
        if (rc == 0)
            rc = sp_db_scan(s->inner, &inner, rb, err);
    }
    sp_arena_free(&a);
    return rc;
}

static int find_view(
    struct lens_session *s, const char *table, const struct lens_view **out, struct sp_error *err)
{
    int rc = lens_ready(s, err);
    if (rc != 0)
        return rc;
    *out = lens_view_named(s, table);
    return *out != NULL ? 0 : sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS, "no relation \"%s\"", table);
}

int lens_scan(
    struct sp_session *session, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct lens_session *s = lens_of(session);
    const struct lens_view *v;
    int rc = find_view(s, scan->table, &v, err);
    if (rc != 0)
        return rc;
    if (scan->side != s->side)
        return sp_fail(
            err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "relation %s is read as the other side", v->name);
    rc = reads_alike(s, v, scan) ? straight(s, v, scan, rb, err) : 1;
    if (rc == 1)
        rc = lens_scan_rows(s, v, scan, rb, err);
    return rc;
}

/* Only of a view that shows each row once; how many elements its arrays have, or rows meet a condition, nobody knows. */
int lens_volume(struct sp_session *session, const char *ns, const char *table, struct sp_volume *out,
    struct sp_error *err)
{
    struct lens_session *s = lens_of(session);
    const struct lens_view *v;
    int rc = find_view(s, table, &v, err);
    (void)ns;
    if (rc != 0 || v->embedded || v->where != NULL)
        return rc;
    return sp_db_volume(s->inner, v->ns, v->inner->name, out, err);
}

/* Only what the inner session reads by itself, all of it, is cut. */
int lens_split(struct sp_session *session, const char *ns, const char *table, size_t parts,
    struct sp_names *bounds, struct sp_error *err)
{
    struct lens_session *s = lens_of(session);
    const struct lens_view *v;
    int rc = find_view(s, table, &v, err);
    (void)ns;
    if (rc != 0 || !v->direct || v->documents || v->where != NULL)
        return rc;
    return sp_db_split(s->inner, v->ns, v->inner->name, parts, bounds, err);
}
