/* draft_sample.c -- what there is to match: declared columns, and the paths that a few documents show. */
#include <string.h>

#include "map/draft_internal.h"
#include "map/lens_node.h"

#define DEPTH  6
#define FIELDS 2000 /* of one place: what has more is keyed by data, not by names */

static struct map_place *add_place(
    struct map_draft *d, int side, const struct sp_table *t, const char *array, int rows)
{
    struct map_place *v = sp_arena_grow(&d->arena, d->p[side], &d->cap[side], d->n[side] + 1, sizeof *v);
    if (v == NULL)
        return NULL;
    d->p[side] = v;
    v[d->n[side]] = (struct map_place){ .t = t, .array = array, .rows = rows, .match = -1 };
    return &v[d->n[side]++];
}

static int find_array(const struct map_draft *d, int side, int rows, const char *array)
{
    for (size_t i = 0; i < d->n[side]; i++)
        if (d->p[side][i].rows == rows && sp_streq(d->p[side][i].array, array))
            return (int)i;
    return -1;
}

static int add_field(
    struct map_draft *d, struct map_place *p, const char *path, enum sp_tag tag, const char *native)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->f[i].path, path) == 0) {
            if (p->f[i].tag <= SP_NULL && tag > SP_NULL) {
                p->f[i].tag = tag;
                p->f[i].native = sp_arena_str(&d->arena, native);
            }
            return 0;
        }
    if (p->n >= FIELDS)
        return 0;
    struct map_field *v = sp_arena_grow(&d->arena, p->f, &p->cap, p->n + 1, sizeof *v);
    if (v == NULL)
        return sp_nomem(d->err);
    p->f = v;
    struct map_field f = { .path = sp_arena_str(&d->arena, path),
        .plain = map_plain(&d->arena, path),
        .tag = tag,
        .native = sp_arena_str(&d->arena, native),
        .match = -1 };
    if (f.path == NULL || f.plain == NULL)
        return sp_nomem(d->err);
    v[p->n++] = f;
    return 0;
}

/* ---- documents --------------------------------------------------------------------------------------------------------- */

struct walk {
    struct map_draft *d;
    struct sp_arena arena; /* of the document at hand */
    int side;
};

static int node(struct walk *w, int place, const char *path, struct lens_node *n, int depth);

/* An array of documents is a place of its own: its elements may be rows somewhere else. */
static int elements(struct walk *w, int place, const char *path, struct lens_node *n, int depth)
{
    struct map_draft *d = w->d;
    bool objects = n->first != NULL;
    for (struct lens_node *e = n->first; e != NULL; e = e->next) {
        if (lens_node_open(&w->arena, e, false) != 0)
            return 0;
        objects = objects && e->kind == LENS_OBJECT;
    }
    if (!objects || d->p[w->side][place].array != NULL || depth >= DEPTH)
        return add_field(d, &d->p[w->side][place], path, SP_ARRAY, NULL);
    int at = find_array(d, w->side, place, path);
    if (at < 0) {
        const char *array = sp_arena_str(&d->arena, path);
        if (array == NULL || add_place(d, w->side, d->p[w->side][place].t, array, place) == NULL)
            return sp_nomem(d->err);
        at = (int)d->n[w->side] - 1;
    }
    int rc = 0;
    for (struct lens_node *e = n->first; rc == 0 && e != NULL; e = e->next)
        for (struct lens_node *c = e->first; rc == 0 && c != NULL; c = c->next)
            rc =
                node(w, at, c->name != NULL && strpbrk(c->name, "/~") == NULL ? c->name : NULL, c, depth + 1);
    return rc;
}

/* Names with a slash need care in a path: they are left to people. */
static int node(struct walk *w, int place, const char *path, struct lens_node *n, int depth)
{
    struct map_place *p = &w->d->p[w->side][place];
    int rc = lens_node_open(&w->arena, n, false);
    if (rc == -SP_E_NOMEM)
        return sp_nomem(w->d->err);
    if (rc != 0 || depth > DEPTH || path == NULL)
        return 0;
    if (n->kind == LENS_ARRAY)
        return elements(w, place, path, n, depth);
    if (n->kind == LENS_SCALAR || n->first == NULL)
        return add_field(w->d, p, path, n->kind == LENS_SCALAR ? n->v.tag : SP_JSON,
            n->kind == LENS_SCALAR && n->v.tag == SP_NATIVE ? n->v.u.native.type : NULL);
    for (struct lens_node *c = n->first; rc == 0 && c != NULL; c = c->next) {
        const char *down = c->name != NULL && strpbrk(c->name, "/~") == NULL
                               ? sp_arena_printf(&w->arena, "%s/%s", path, c->name)
                               : NULL;
        rc = node(w, place, down, c, depth + 1);
    }
    return rc;
}

static int sample(struct map_draft *d, int side, int place)
{
    struct sp_query q = { .table = d->p[side][place].t->name, .limit = SP_DRAFT_SAMPLE };
    struct sp_result r = SP_RESULT_INIT;
    struct walk w = { .d = d, .arena = SP_ARENA_INIT, .side = side };
    int rc = sp_db_read(d->session[side], &q, &r, d->err);
    for (size_t i = 0; rc == 0 && i < r.nrows; i++)
        for (size_t k = 0; rc == 0 && k < r.ncolumns; k++) {
            const struct sp_value *v = &r.values[i * r.ncolumns + k];
            struct lens_node n = lens_node_of(r.columns[k], v, SP_ST_PRESENT);
            if (v->tag != SP_MISSING && strpbrk(r.columns[k], "/~") == NULL)
                rc = node(&w, place, r.columns[k], &n, 0);
        }
    sp_arena_free(&w.arena);
    sp_result_free(&r);
    return rc;
}

int map_draft_look(struct map_draft *d, int side)
{
    int rc = sp_db_introspect(d->session[side], NULL, &d->schema[side], d->err);
    const struct sp_schema *s = d->schema[side];
    for (size_t i = 0; rc == 0 && i < s->ntables; i++)
        if (add_place(d, side, &s->tables[i], NULL, -1) == NULL)
            rc = sp_nomem(d->err);
    for (size_t i = 0; rc == 0 && i < s->ntables; i++) {
        const struct sp_table *t = &s->tables[i];
        for (size_t k = 0; rc == 0 && k < t->ncolumns; k++) {
            const struct sp_type *type =
                t->columns[k].type.tag == SP_MISSING ? &t->columns[k].declared : &t->columns[k].type;
            rc = add_field(d, &d->p[side][i], t->columns[k].name, type->tag, NULL);
        }
        if (rc == 0 && t->open_fields)
            rc = sample(d, side, (int)i);
    }
    return rc;
}
