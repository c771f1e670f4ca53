/* lens_views.c -- which relations a side has, where each column stands, and what is left of a document. */
#include "map/lens_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

struct making {
    struct lens_session *s;
    const struct sp_schema *other; /* of the other side; NULL = not known */
    struct sp_error *err;
};

static const char *label(const struct lens_view *v)
{
    return v->rel != NULL ? "relation" : "table";
}

/* ---- places ------------------------------------------------------------------------------------------------------ */

/* ~1 is a slash, ~0 a tilde. NULL = out of memory. */
static char *segment(struct sp_arena *a, const char *p, size_t n)
{
    char *out = sp_arena_strn(a, p, n);
    size_t k = 0;
    for (size_t i = 0; out != NULL && i < n; i++) {
        bool escaped = p[i] == '~' && i + 1 < n && (p[i + 1] == '0' || p[i + 1] == '1');
        out[k++] = !escaped ? p[i] : p[i + 1] == '1' ? '/' : '~';
        i += escaped ? 1 : 0;
    }
    if (out != NULL)
        out[k] = '\0';
    return out;
}

int lens_path_parse(struct sp_arena *a, const char *text, struct lens_path *out)
{
    const char **seg = sp_arena_array(a, LENS_DEPTH, sizeof *seg);
    *out = (struct lens_path){ seg, 0 };
    if (seg == NULL)
        return -SP_E_NOMEM;
    for (const char *p = text; text[0] != '\0'; p++) {
        size_t n = strcspn(p, "/");
        if (out->n == LENS_DEPTH)
            return -SP_E_INVALID;
        seg[out->n] = segment(a, p, n);
        if (seg[out->n++] == NULL)
            return -SP_E_NOMEM;
        p += n;
        if (*p == '\0')
            break;
    }
    return 0;
}

static int path_in(struct sp_arena *a, const char *text, struct lens_path *out, struct sp_error *err)
{
    int rc = lens_path_parse(a, text, out);
    if (rc == -SP_E_INVALID)
        return sp_invalid(err, "the path \"%s\" has more than %d names", text, LENS_DEPTH);
    return rc != 0 ? sp_nomem(err) : 0;
}

static int parse_path(struct making *m, const char *text, struct lens_path *out)
{
    return path_in(&m->s->arena, text, out, m->err);
}

int lens_place(struct sp_arena *a, const struct sp_table *t, const char *place, bool documents,
    struct lens_col *out, struct sp_error *err)
{
    out->inner = sp_table_column(t, place);
    if (out->inner != NULL) {
        const char **seg = sp_arena_array(a, 1, sizeof *seg);
        if (seg == NULL)
            return sp_nomem(err);
        seg[0] = place;
        out->path = (struct lens_path){ seg, 1 };
        return 0;
    }
    int rc = path_in(a, place, &out->path, err);
    if (rc == 0 && !documents && (out->path.n == 0 || sp_table_column(t, out->path.seg[0]) == NULL))
        return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS, "table %s has no column \"%s\"", t->name,
            out->path.n == 0 ? place : out->path.seg[0]);
    return rc;
}

static int find_place(
    struct making *m, const struct sp_table *t, const char *place, bool documents, struct lens_col *out)
{
    return lens_place(&m->s->arena, t, place, documents, out, m->err);
}

/* ---- what is taken out of documents -------------------------------------------------------------------------------- */

static struct lens_taken *taken_at(struct making *m, struct lens_taken *root, const struct lens_path *path)
{
    struct lens_taken *at = root;
    for (size_t i = 0; i < path->n; i++) {
        struct lens_taken *next = at->first;
        while (next != NULL && strcmp(next->name, path->seg[i]) != 0)
            next = next->next;
        if (next == NULL) {
            next = sp_arena_alloc(&m->s->arena, sizeof *next);
            if (next == NULL)
                return NULL;
            *next = (struct lens_taken){ .name = path->seg[i], .next = at->first };
            at->first = next;
        }
        at = next;
    }
    return at;
}

static int take_path(struct making *m, struct lens_view *v, const struct lens_path *path)
{
    struct lens_taken *t = taken_at(m, v->taken, path);
    if (t == NULL)
        return sp_nomem(m->err);
    t->whole = true;
    return 0;
}

static int take_text(struct making *m, struct lens_view *v, const char *place)
{
    struct lens_col c = { .name = NULL };
    int rc = v->embedded ? parse_path(m, place, &c.path) : find_place(m, v->inner, place, true, &c);
    return rc != 0 ? rc : take_path(m, v, &c.path);
}

/* Arrays are tables of their own; ids that a crosswalk read have done their work. */
static int take_elsewhere(struct making *m, struct lens_view *v)
{
    int side = (int)m->s->side, rc = 0;
    struct lens_path path;
    for (size_t i = 0; rc == 0 && i < m->s->m->nrelations; i++) {
        const struct sp_map_relation *r = &m->s->m->relations[i];
        if (r->array[side] == NULL || !sp_streq(r->table[side], v->inner->name))
            continue;
        rc = parse_path(m, r->array[side], &path);
        struct lens_taken *t = rc == 0 ? taken_at(m, v->taken, &path) : NULL;
        if (rc == 0 && t == NULL)
            rc = sp_nomem(m->err);
        if (rc == 0) {
            t->whole = t->array = true;
            t->keep_empty = r->array[1 - side] != NULL && r->ignore == NULL;
        }
    }
    for (size_t i = 0; rc == 0 && v->rel != NULL && i < m->s->m->ncrosswalks; i++) {
        const struct sp_crosswalk *x = &m->s->m->crosswalks[i];
        if (x->on_target != (side == SP_SIDE_TARGET) || !sp_streq(x->table, v->inner->name))
            continue;
        rc = take_text(m, v, x->source_id);
        if (rc == 0)
            rc = take_text(m, v, x->target_id);
    }
    return rc;
}

static bool is_taken(const struct lens_view *v, const char *name)
{
    for (const struct lens_taken *t = v->taken->first; t != NULL; t = t->next)
        if (strcmp(t->name, name) == 0)
            return t->whole;
    return false;
}

/* ---- columns ---------------------------------------------------------------------------------------------------------- */

static struct lens_walk *walk_named(struct lens_session *s, const char *name)
{
    for (size_t i = 0; i < s->nwalks; i++)
        if (sp_streq(s->walks[i].m->name, name))
            return &s->walks[i];
    return NULL;
}

static int add_column(struct making *m, struct lens_view *v, const struct lens_col *c)
{
    if (lens_col_named(v, c->name) != NULL)
        return sp_invalid(m->err,
            "%s %s has two columns named \"%s\" on the %s: the mapping gives the name to one, and another of "
            "%s has it; map or ignore that one, too",
            label(v), v->name, c->name, m->s->side == SP_SIDE_SOURCE ? "source" : "target", v->inner->name);
    v->cols[v->ncols++] = *c;
    return 0;
}

/* Positions, constants and translated ids are stored nowhere, or in another collection; rules and types speak of
 * meanings. */
static bool by_meaning(const struct sp_map_column *mc)
{
    bool shown = mc->crosswalk != NULL || mc->has_type || mc->nrules != 0;
    for (int side = 0; side < 2; side++)
        shown = shown || mc->ordinal[side] || mc->constant[side] != NULL;
    return shown;
}

static int mapped_column(struct making *m, struct lens_view *v, const struct sp_map_column *mc)
{
    int side = (int)m->s->side, rc = 0;
    struct lens_col c = {
        .name = mc->name, .m = mc, .ordinal = mc->ordinal[side], .logical = by_meaning(mc)
    };
    c.parent = v->embedded && mc->parent[side];
    c.constant = mc->constant[side];
    if (mc->place[side] == NULL && !c.ordinal && c.constant == NULL)
        return 0; /* this side has none */
    if (c.ordinal || c.constant != NULL)
        return mc->ignore != NULL ? 0 : add_column(m, v, &c);
    if (v->embedded && !c.parent)
        rc = parse_path(m, mc->place[side], &c.path);
    else
        rc = find_place(m, v->inner, mc->place[side], v->documents, &c);
    if (rc == -SP_E_NOT_FOUND && mc->ignore != NULL) { /* this side may be without it */
        sp_error_clear(m->err);
        return 0;
    }
    if (rc != 0)
        return sp_error_prefix(m->err, "relation %s, column %s", v->name, mc->name);
    if (!c.parent && (rc = take_path(m, v, &c.path)) != 0)
        return rc;
    if (mc->ignore != NULL)
        return 0;
    if (mc->crosswalk != NULL && m->s->side == SP_SIDE_TARGET) {
        c.walk = walk_named(m->s, mc->crosswalk);
        if (c.walk == NULL)
            return sp_invalid(m->err, "relation %s, column %s: there is no crosswalk \"%s\"", v->name,
                mc->name, mc->crosswalk);
        c.walk->translated = true;
    }
    if (mc->has_type && (c.inner == NULL || c.inner->type.tag == SP_MISSING))
        c.type = &mc->type;
    return add_column(m, v, &c);
}

/* Columns of the table that nobody mentions keep their names. */
static int own_columns(struct making *m, struct lens_view *v)
{
    for (size_t i = 0; !v->embedded && i < v->inner->ncolumns; i++) {
        struct lens_col c = { .name = v->inner->columns[i].name };
        if (is_taken(v, c.name))
            continue;
        int rc = find_place(m, v->inner, c.name, v->documents, &c);
        if (rc == 0 && v->documents)
            rc = take_path(m, v, &c.path);
        if (rc == 0)
            rc = add_column(m, v, &c);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* The rows of a table, by the relation's name. */
static const char *rows_name(const struct lens_session *s, int side, const char *table)
{
    for (size_t i = 0; i < s->m->nrelations; i++) {
        const struct sp_map_relation *r = &s->m->relations[i];
        if (r->array[side] == NULL && sp_streq(r->table[side], table))
            return r->ignore == NULL ? r->name : NULL;
    }
    return table;
}

static bool listed_by_place(const struct sp_map_relation *rows, const struct sp_map_relation *r)
{
    for (size_t i = 0; rows != NULL && i < rows->ncolumns; i++)
        for (int side = 0; side < 2; side++)
            if (sp_streq(rows->columns[i].place[side], r->array[side]))
                return true;
    return false;
}

/* Do both sides keep the array of `r` in a column of the tables whose rows this view shows? */
static bool both_keep(const struct making *m, const struct lens_view *v, const struct sp_map_relation *r)
{
    int side = (int)m->s->side;
    if (r->ignore != NULL || r->array[0] == NULL || r->array[1] == NULL ||
        !sp_streq(r->table[side], v->inner->name) || listed_by_place(v->rel, r))
        return false;
    const struct sp_table *there = m->other != NULL ? sp_schema_table(m->other, r->table[1 - side]) : NULL;
    return there != NULL && !there->open_fields && sp_table_column(there, r->array[1 - side]) != NULL &&
           sp_table_column(v->inner, r->array[side]) != NULL &&
           sp_streq(rows_name(m->s, 0, r->table[0]), v->name) &&
           sp_streq(rows_name(m->s, 1, r->table[1]), v->name);
}

/* Of documents it is what remains; a table has nothing but columns. */
static int empty_arrays(struct making *m, struct lens_view *v)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && !v->embedded && !v->documents && i < m->s->m->nrelations; i++) {
        const struct sp_map_relation *r = &m->s->m->relations[i];
        struct lens_col c = { .empty = true };
        if (!both_keep(m, v, r))
            continue;
        const char **seg = sp_arena_array(&m->s->arena, 1, sizeof *seg);
        c.name = sp_arena_printf(&m->s->arena, "%s%s", r->array[0], SP_LENS_EMPTY);
        if (seg == NULL || c.name == NULL)
            return sp_nomem(m->err);
        seg[0] = r->array[m->s->side];
        c.path = (struct lens_path){ seg, 1 };
        if (lens_col_named(v, c.name) == NULL) /* two relations may share an array */
            rc = add_column(m, v, &c);
    }
    return rc;
}

static bool mentioned(const struct lens_view *v, const char *column, int side)
{
    for (size_t i = 0; v->rel != NULL && i < v->rel->ncolumns; i++) {
        const struct sp_map_column *mc = &v->rel->columns[i];
        if (sp_streq(mc->place[side], column) || strcmp(mc->name, column) == 0)
            return true;
    }
    return lens_col_named(v, column) != NULL;
}

/* A document declares nothing: the columns of the table on the other side say what is looked for by name. */
static int columns_of_the_other(struct making *m, struct lens_view *v)
{
    int other = 1 - (int)m->s->side, rc = 0;
    const char *name = v->rel != NULL ? v->rel->table[other] : v->name;
    if (!v->documents || m->other == NULL || name == NULL)
        return 0;
    const struct sp_table *t = sp_schema_table(m->other, name);
    if (t == NULL || t->open_fields || (v->rel != NULL && v->rel->array[other] != NULL))
        return 0;
    for (size_t i = 0; rc == 0 && i < t->ncolumns; i++) {
        const char **seg = sp_arena_array(&m->s->arena, 1, sizeof *seg);
        struct lens_col c = { .name = sp_arena_str(&m->s->arena, t->columns[i].name), .path = { seg, 1 } };
        if (seg == NULL || c.name == NULL)
            return sp_nomem(m->err);
        seg[0] = c.name;
        if (mentioned(v, c.name, other) || is_taken(v, c.name))
            continue;
        rc = take_path(m, v, &c.path);
        if (rc == 0)
            rc = add_column(m, v, &c);
    }
    return rc;
}

static size_t most_columns(const struct making *m, const struct lens_view *v)
{
    size_t n = v->inner->ncolumns + (v->rel != NULL ? v->rel->ncolumns : 0);
    const char *other = v->rel != NULL ? v->rel->table[1 - (int)m->s->side] : v->name;
    const struct sp_table *t = m->other != NULL && other != NULL ? sp_schema_table(m->other, other) : NULL;
    for (size_t i = 0; i < m->s->m->nrelations; i++) /* SP_LENS_EMPTY */
        n += sp_streq(m->s->m->relations[i].table[m->s->side], v->inner->name) &&
             m->s->m->relations[i].array[m->s->side] != NULL;
    return n + (t != NULL ? t->ncolumns : 0);
}

/* ---- views -------------------------------------------------------------------------------------------------------------- */

/* Can the inner session read this view by itself, names aside? */
static void classify(struct lens_view *v)
{
    v->direct = !v->embedded;
    v->renamed = strcmp(v->name, v->inner->name) != 0;
    for (size_t i = 0; i < v->ncols; i++) {
        const struct lens_col *c = &v->cols[i];
        bool place = !c->parent && !c->ordinal && c->constant == NULL && c->walk == NULL;
        v->direct = v->direct && place && (v->documents ? c->path.n == 1 : c->inner != NULL);
        v->renamed = v->renamed || !place || c->path.n != 1 || strcmp(c->path.seg[0], c->name) != 0;
    }
    for (const struct lens_taken *t = v->taken->first; v->documents && t != NULL; t = t->next) {
        bool shown = false;
        for (size_t i = 0; i < v->ncols && !shown; i++)
            shown = v->cols[i].path.n == 1 && strcmp(v->cols[i].path.seg[0], t->name) == 0;
        v->direct = v->direct && shown && t->whole && !t->array;
    }
}

void lens_view_storage(struct lens_view *v)
{
    v->store = v->documents = v->inner->open_fields;
    for (size_t i = 0; i < v->inner->ncolumns; i++)
        v->store = v->store || v->inner->columns[i].ordinal_unstable;
}

static int make_view(struct making *m, const struct sp_map_relation *r, const struct sp_table *t)
{
    struct lens_session *s = m->s;
    struct lens_view *v = &s->views[s->nviews];
    int rc = 0;
    *v = (struct lens_view){ .name = r != NULL ? r->name : t->name, .ns = t->ns, .rel = r, .inner = t };
    lens_view_storage(v);
    v->taken = sp_arena_alloc(&s->arena, sizeof *v->taken);
    v->cols = sp_arena_array(&s->arena, most_columns(m, v) + 1, sizeof *v->cols);
    if (v->taken == NULL || v->cols == NULL)
        return sp_nomem(m->err);
    if (r != NULL && r->array[s->side] != NULL) {
        v->embedded = v->documents = true; /* whatever the array stands in, its elements are documents */
        rc = parse_path(m, r->array[s->side], &v->array);
        if (rc == 0 && !t->open_fields && (v->array.n == 0 || !sp_table_column(t, v->array.seg[0])))
            rc = sp_fail(m->err, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS,
                "relation %s: table %s has no column \"%s\"", r->name, t->name, r->array[s->side]);
    }
    v->where = r != NULL ? r->where[s->side] : NULL;
    for (size_t i = 0; rc == 0 && r != NULL && i < r->ncolumns; i++)
        rc = mapped_column(m, v, &r->columns[i]);
    if (rc == 0 && !v->embedded)
        rc = take_elsewhere(m, v);
    if (rc == 0)
        rc = own_columns(m, v);
    if (rc == 0)
        rc = columns_of_the_other(m, v);
    if (rc == 0)
        rc = empty_arrays(m, v);
    if (rc != 0)
        return rc;
    classify(v);
    s->nviews++;
    return 0;
}

static bool rows_spoken_of(const struct lens_session *s, const char *table)
{
    for (size_t i = 0; i < s->m->nrelations; i++) {
        const struct sp_map_relation *r = &s->m->relations[i];
        if (r->array[s->side] == NULL && sp_streq(r->table[s->side], table))
            return true;
    }
    return false;
}

static int make_all(struct making *m)
{
    struct lens_session *s = m->s;
    int rc = 0;
    s->views = sp_arena_array(&s->arena, s->m->nrelations + s->schema->ntables + 1, sizeof *s->views);
    s->walks = sp_arena_array(&s->arena, s->m->ncrosswalks + 1, sizeof *s->walks);
    if (s->views == NULL || s->walks == NULL)
        return sp_nomem(m->err);
    for (size_t i = 0; i < s->m->ncrosswalks; i++)
        s->walks[s->nwalks++] = (struct lens_walk){ .m = &s->m->crosswalks[i] };
    for (size_t i = 0; rc == 0 && i < s->m->nrelations; i++) {
        const struct sp_map_relation *r = &s->m->relations[i];
        const char *name = r->table[s->side];
        const struct sp_table *t = name != NULL ? sp_schema_table(s->schema, name) : NULL;
        if (name == NULL || r->ignore != NULL)
            continue;
        rc = t != NULL ? make_view(m, r, t)
                       : sp_fail(m->err, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS,
                             "relation %s: the %s has no table \"%s\"", r->name,
                             s->side == SP_SIDE_SOURCE ? "source" : "target", name);
    }
    for (size_t i = 0; rc == 0 && i < s->schema->ntables; i++) {
        const struct sp_table *t = &s->schema->tables[i];
        if (rows_spoken_of(s, t->name))
            continue;
        if (lens_view_named(s, t->name) != NULL)
            rc = sp_invalid(m->err,
                "the table %s of the %s is not mapped, and another relation has its name: map or ignore it",
                t->name, s->side == SP_SIDE_SOURCE ? "source" : "target");
        else
            rc = make_view(m, NULL, t);
    }
    return rc;
}

/* What stands in documents is known from the other side's columns; pairs of ids may stand there. */
static bool needs_the_other(const struct lens_session *s)
{
    for (size_t i = 0; i < s->m->ncrosswalks; i++)
        if (!s->m->crosswalks[i].on_target && s->side == SP_SIDE_TARGET)
            return true;
    for (size_t i = 0; i < s->m->nrelations; i++)
        if (s->m->relations[i].array[s->side] != NULL)
            return true;
    for (size_t i = 0; i < s->schema->ntables; i++)
        if (s->schema->tables[i].open_fields)
            return true;
    return false;
}

int lens_views_make(struct lens_session *s, const char *ns, struct sp_error *err)
{
    struct sp_schema *other = NULL;
    lens_views_drop(s);
    if (ns != NULL && (s->ns = strdup(ns)) == NULL)
        return sp_nomem(err);
    int rc = sp_db_introspect(s->inner, ns, &s->schema, err);
    if (rc == 0 && s->other != NULL && needs_the_other(s))
        rc = sp_db_introspect(s->other, NULL, &other, err);
    struct making m = { .s = s, .other = other, .err = err };
    if (rc == 0)
        rc = make_all(&m);
    if (rc == 0)
        rc = lens_outer_tables(s, err);
    if (rc == 0)
        rc = lens_walks_read(s, other, err);
    sp_schema_free(other);
    if (rc != 0)
        lens_views_drop(s);
    return rc;
}

void lens_views_drop(struct lens_session *s)
{
    lens_walks_free(s);
    sp_schema_free(s->schema);
    free(s->ns);
    sp_arena_free(&s->arena);
    s->schema = NULL;
    s->ns = NULL;
    s->arena = (struct sp_arena)SP_ARENA_INIT;
    s->views = NULL;
    s->walks = NULL;
    s->nviews = s->nwalks = 0;
}

int lens_ready(struct lens_session *s, struct sp_error *err)
{
    return s->schema != NULL ? 0 : lens_views_make(s, NULL, err);
}

/* ---- look-ups ------------------------------------------------------------------------------------------------------------ */

const struct lens_view *lens_view_named(const struct lens_session *s, const char *name)
{
    for (size_t i = 0; i < s->nviews; i++)
        if (strcmp(s->views[i].name, name) == 0)
            return &s->views[i];
    return NULL;
}

const struct lens_col *lens_col_named(const struct lens_view *v, const char *name)
{
    for (size_t i = 0; i < v->ncols; i++)
        if (strcmp(v->cols[i].name, name) == 0)
            return &v->cols[i];
    return NULL;
}

const struct lens_view *lens_rows_of(const struct lens_session *s, const char *table)
{
    for (size_t i = 0; i < s->nviews; i++)
        if (!s->views[i].embedded && sp_streq(s->views[i].inner->name, table))
            return &s->views[i];
    return NULL;
}
