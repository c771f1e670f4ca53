/* draft_match.c -- which tables belong together: by name, by a name that is written otherwise, by their columns; and which
 * tables are arrays in the other side's documents. */
#include <string.h>

#include "map/draft_internal.h"

static void pair(struct map_draft *d, int s, int t, const char *how)
{
    d->p[0][s].match = t;
    d->p[1][t].match = s;
    d->p[0][s].how = d->p[1][t].how = how;
}

size_t map_draft_alike(const struct map_place *s, const struct map_place *t)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < t->n; k++)
            if (strcmp(s->f[i].plain, t->f[k].plain) == 0) {
                n++;
                break;
            }
    return n;
}

/* At least three columns, and half of the smaller table's. */
static bool mostly_alike(const struct map_place *s, const struct map_place *t, size_t *alike, size_t *of)
{
    *alike = map_draft_alike(s, t);
    *of = s->n < t->n ? s->n : t->n;
    return *alike >= 3 && *alike * 2 >= *of;
}

enum phase { SAME, SPELLING, PLURAL, COLUMNS, PHASES };

static int fits(struct map_draft *d, const struct map_place *s, const struct map_place *t, enum phase phase,
    const char **how)
{
    struct sp_arena *a = &d->arena;
    const char *x = s->t->name, *y = t->t->name;
    size_t alike, of;
    *how = NULL;
    switch (phase) {
    case SAME:
        return strcmp(x, y) == 0;
    case SPELLING:
    case PLURAL:
        x = phase == SPELLING ? map_plain(a, x) : map_singular(a, x);
        y = phase == SPELLING ? map_plain(a, y) : map_singular(a, y);
        *how =
            phase == SPELLING ? "likely: the name is only written otherwise" : "likely: singular and plural";
        return x == NULL || y == NULL ? sp_nomem(d->err) : strcmp(x, y) == 0;
    case COLUMNS:
    default:
        if (!mostly_alike(s, t, &alike, &of))
            return 0;
        *how = sp_arena_printf(a, "a guess: %zu of %zu columns have the same names", alike, of);
        return *how != NULL ? 1 : sp_nomem(d->err);
    }
}

static int match_rows(struct map_draft *d, enum phase phase)
{
    for (size_t i = 0; i < d->n[0]; i++)
        for (size_t k = 0; k < d->n[1] && d->p[0][i].match < 0; k++) {
            const struct map_place *s = &d->p[0][i], *t = &d->p[1][k];
            const char *how;
            if (s->array != NULL || t->array != NULL || t->match >= 0)
                continue;
            int rc = fits(d, s, t, phase, &how);
            if (rc < 0)
                return rc;
            if (rc == 1)
                pair(d, (int)i, (int)k, how);
        }
    return 0;
}

static int rows_place(const struct map_draft *d, int side, const char *table)
{
    for (size_t i = 0; i < d->n[side]; i++)
        if (d->p[side][i].array == NULL && strcmp(d->p[side][i].t->name, table) == 0)
            return (int)i;
    return -1;
}

/* What columns of one name refer to, in tables that belong together. */
static int match_referenced(struct map_draft *d, const struct map_place *s, const struct map_place *t)
{
    for (size_t i = 0; i < s->t->nfks; i++)
        for (size_t k = 0; k < t->t->nfks; k++) {
            const struct sp_fk *x = &s->t->fks[i], *y = &t->t->fks[k];
            const char *a = map_plain(&d->arena, x->columns[0]), *b = map_plain(&d->arena, y->columns[0]);
            int from = rows_place(d, 0, x->ref_table), to = rows_place(d, 1, y->ref_table);
            if (a == NULL || b == NULL)
                return sp_nomem(d->err);
            if (x->ncolumns != 1 || y->ncolumns != 1 || strcmp(a, b) != 0 || from < 0 || to < 0 ||
                d->p[0][from].match >= 0 || d->p[1][to].match >= 0)
                continue;
            const char *how = sp_arena_printf(
                &d->arena, "likely: %s.%s refers to it on both sides", s->t->name, x->columns[0]);
            if (how == NULL)
                return sp_nomem(d->err);
            pair(d, from, to, how);
        }
    return 0;
}

static int match_references(struct map_draft *d)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < d->n[0]; i++)
        if (d->p[0][i].match >= 0 && d->p[0][i].array == NULL)
            rc = match_referenced(d, &d->p[0][i], &d->p[1][d->p[0][i].match]);
    return rc;
}

/* ---- arrays ------------------------------------------------------------------------------------------------------------ */

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* order_items and items; item and items. */
static int named_alike(struct map_draft *d, const char *table, const char *array)
{
    const char *x = map_singular(&d->arena, table), *y = map_singular(&d->arena, last_name(array));
    if (x == NULL || y == NULL)
        return sp_nomem(d->err);
    return strcmp(x, y) == 0 || (strlen(y) >= 3 && sp_str_suffix(x, y));
}

/* A child of a table whose rows are documents over there, in which an array has its name or its columns. */
static int match_child(struct map_draft *d, int side, size_t child)
{
    struct map_place *c = &d->p[side][child];
    int best = -1;
    size_t best_score = 0;
    for (size_t f = 0; f < c->t->nfks; f++) {
        for (size_t k = 0; k < d->n[1 - side]; k++) {
            const struct map_place *a = &d->p[1 - side][k];
            if (a->array == NULL || a->match >= 0)
                continue;
            int owner = d->p[1 - side][a->rows].match;
            if (owner < 0 || strcmp(d->p[side][owner].t->name, c->t->fks[f].ref_table) != 0)
                continue;
            int named = named_alike(d, c->t->name, a->array);
            if (named < 0)
                return named;
            size_t alike = map_draft_alike(c, a), score = alike + (named ? 1000 : 0);
            if (score > best_score && (named || alike * 5 >= a->n * 3)) {
                best = (int)k;
                best_score = score;
            }
        }
    }
    if (best >= 0)
        pair(d, side == 0 ? (int)child : best, side == 0 ? best : (int)child,
            "likely: a table on one side, an array in the documents of its parent on the other");
    return 0;
}

/* A reference to rows whose ids are translated is translated likewise. */
static void translate_references(struct map_draft *d)
{
    for (size_t i = 0; i < d->n[0]; i++) {
        struct map_place *c = &d->p[0][i];
        for (size_t f = 0; c->array == NULL && c->match >= 0 && f < c->t->nfks; f++)
            for (size_t k = 0; k < d->n[0]; k++) {
                const struct map_place *parent = &d->p[0][k];
                if (parent->array != NULL || c->t->fks[f].ncolumns != 1 ||
                    strcmp(parent->t->name, c->t->fks[f].ref_table) != 0)
                    continue;
                for (size_t x = 0; x < c->n; x++)
                    for (size_t y = 0; y < parent->n; y++)
                        if (strcmp(c->f[x].path, c->t->fks[f].columns[0]) == 0 && c->f[x].match >= 0 &&
                            strcmp(parent->f[y].path, c->t->fks[f].ref_columns[0]) == 0)
                            c->f[x].crosswalk = parent->f[y].crosswalk;
            }
    }
}

int map_draft_match(struct map_draft *d)
{
    int rc = 0;
    for (int phase = SAME; rc == 0 && phase < COLUMNS; phase++)
        rc = match_rows(d, (enum phase)phase);
    if (rc == 0)
        rc = match_references(d);
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; rc == 0 && i < d->n[side]; i++)
            if (d->p[side][i].array == NULL && d->p[side][i].match < 0)
                rc = match_child(d, side, i);
    if (rc == 0)
        rc = match_rows(d, COLUMNS);
    /* Rows before arrays: a child's column is found in what its parent's was matched with. */
    for (int arrays = 0; arrays < 2; arrays++)
        for (size_t i = 0; rc == 0 && i < d->n[0]; i++) {
            int t = d->p[0][i].match;
            bool array = t >= 0 && (d->p[0][i].array != NULL || d->p[1][t].array != NULL);
            if (t >= 0 && array == (arrays == 1))
                rc = map_draft_fields(d, (int)i, t);
        }
    if (rc == 0)
        translate_references(d);
    return rc;
}
