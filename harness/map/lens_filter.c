/* lens_filter.c -- filters under the names of the inner session. */
#include "map/lens_internal.h"

#include <string.h>

#include "base/str.h"

static bool is_leaf(const struct sp_filter *f)
{
    return f->op != SP_F_AND && f->op != SP_F_OR && f->op != SP_F_NOT;
}

/* The column of the table that a column of the view is, without more ado; NULL = none. */
static const char *place_of(const struct lens_view *v, const char *column)
{
    const struct lens_col *c = lens_col_named(v, column);
    if (c == NULL || c->ordinal || c->constant != NULL || c->walk != NULL || c->parent != v->embedded)
        return NULL;
    bool open = v->inner->open_fields && c->path.n == 1;
    return c->inner != NULL ? c->inner->name : open ? c->path.seg[0] : NULL;
}

/* What every row that passes `f` passes: conditions on other columns are left out. 1 = nothing is left. `*exact`: nothing was
 * left out. Depth is limited by the check that every filter has passed. */
static int loosen(struct sp_arena *a, const struct lens_view *v, const struct sp_filter *f,
    struct sp_filter *out, bool *exact)
{
    *out = *f;
    if (is_leaf(f)) {
        out->column = place_of(v, f->column);
        *exact = *exact && out->column != NULL;
        return out->column == NULL ? 1 : 0;
    }
    struct sp_filter *args = sp_arena_array(a, f->nargs + 1, sizeof *args);
    bool all = true;
    size_t n = 0;
    if (args == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < f->nargs; i++) {
        bool whole = true;
        int rc = loosen(a, v, &f->args[i], &args[n], &whole);
        if (rc < 0)
            return rc;
        n += rc == 0 ? 1 : 0;
        all = all && whole;
    }
    *exact = *exact && all;
    out->args = args;
    out->nargs = n;
    if (f->op == SP_F_AND)
        return n == 0 ? 1 : 0;
    return n == f->nargs && (f->op == SP_F_OR || all) ? 0 : 1; /* the negation of less is more */
}

int lens_filter_inner(struct sp_arena *a, const struct lens_view *v, const struct sp_filter *f,
    const struct sp_filter **out, bool *exact)
{
    *out = NULL;
    *exact = true;
    if (f == NULL)
        return 0;
    struct sp_filter *copy = sp_arena_alloc(a, sizeof *copy);
    if (copy == NULL)
        return -SP_E_NOMEM;
    int rc = loosen(a, v, f, copy, exact);
    if (rc == 0)
        *out = copy;
    return rc < 0 ? rc : 0;
}

bool lens_filter_over_columns(const struct lens_view *v, const struct sp_filter *f)
{
    if (f == NULL)
        return true;
    if (is_leaf(f))
        return !v->embedded && (sp_table_column(v->inner, f->column) != NULL ||
                                   (v->documents && strchr(f->column, '/') == NULL));
    for (size_t i = 0; i < f->nargs; i++)
        if (!lens_filter_over_columns(v, &f->args[i]))
            return false;
    return true;
}

int lens_filter_and(
    struct sp_arena *a, const struct sp_filter *x, const struct sp_filter *y, const struct sp_filter **out)
{
    *out = x != NULL ? x : y;
    if (x == NULL || y == NULL)
        return 0;
    struct sp_filter *both = sp_arena_alloc(a, sizeof *both);
    struct sp_filter *args = sp_arena_array(a, 2, sizeof *args);
    if (both == NULL || args == NULL)
        return -SP_E_NOMEM;
    args[0] = *x;
    args[1] = *y;
    *both = (struct sp_filter){ .op = SP_F_AND, .args = args, .nargs = 2 };
    *out = both;
    return 0;
}
