/* draft_fields.c -- which columns belong together in two places that do. */
#include <string.h>

#include "map/draft_internal.h"

static void pair(struct map_place *s, struct map_place *t, size_t i, size_t k, const char *how)
{
    s->f[i].match = (int)k;
    t->f[k].match = (int)i;
    s->f[i].how = t->f[k].how = how;
}

static const char *last_plain(struct map_draft *d, const char *path)
{
    const char *slash = strrchr(path, '/');
    return map_plain(&d->arena, slash != NULL ? slash + 1 : path);
}

enum phase { SAME, SPELLING, IDENTITY, INNER, PHASES };

static const char *const reasons[] = { [SAME] = NULL,
    [SPELLING] = "the name is only written otherwise",
    [IDENTITY] = "likely: the documents' own id",
    [INNER] = "likely: the same name, inside of a document" };

static int fits(struct map_draft *d, const struct map_field *x, const struct map_field *y, enum phase phase)
{
    const char *a, *b;
    switch (phase) {
    case SAME:
        return strcmp(x->path, y->path) == 0;
    case SPELLING:
        return *x->plain != '\0' && strcmp(x->plain, y->plain) == 0;
    case IDENTITY:
        return (strcmp(x->path, "_id") == 0 && strcmp(y->plain, "id") == 0) ||
               (strcmp(y->path, "_id") == 0 && strcmp(x->plain, "id") == 0);
    case INNER:
    default:
        if ((strchr(x->path, '/') == NULL) == (strchr(y->path, '/') == NULL))
            return 0;
        a = last_plain(d, x->path);
        b = last_plain(d, y->path);
        return a == NULL || b == NULL ? sp_nomem(d->err) : *a != '\0' && strcmp(a, b) == 0;
    }
}

static int match_by(struct map_draft *d, struct map_place *s, struct map_place *t, enum phase phase)
{
    for (size_t i = 0; i < s->n; i++)
        for (size_t k = 0; k < t->n && s->f[i].match < 0 && !s->f[i].parent; k++) {
            if (t->f[k].match >= 0 || t->f[k].parent)
                continue;
            int rc = fits(d, &s->f[i], &t->f[k], phase);
            if (rc < 0)
                return rc;
            if (rc == 1)
                pair(s, t, i, k, reasons[phase]);
        }
    return 0;
}

/* ---- children in arrays ------------------------------------------------------------------------------------------------- */

static int field_named(const struct map_place *p, const char *path)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->f[i].path, path) == 0)
            return (int)i;
    return -1;
}

/* The columns that refer to the parent are fields of the document that holds the array. */
static void match_parent(
    struct map_draft *d, int side, struct map_place *child, const struct map_place *array)
{
    const struct map_place *doc = &d->p[1 - side][array->rows];
    const struct map_place *parent = doc->match >= 0 ? &d->p[side][doc->match] : NULL;
    for (size_t f = 0; parent != NULL && f < child->t->nfks; f++) {
        const struct sp_fk *fk = &child->t->fks[f];
        if (strcmp(fk->ref_table, parent->t->name) != 0)
            continue;
        for (size_t i = 0; i < fk->ncolumns; i++) {
            int at = field_named(child, fk->columns[i]), ref = field_named(parent, fk->ref_columns[i]);
            if (at < 0 || ref < 0 || parent->f[ref].match < 0)
                continue;
            child->f[at].match = parent->f[ref].match;
            child->f[at].parent = true;
        }
        return;
    }
}

static int first_position(struct map_draft *d, int side, const struct map_place *child, const char *column)
{
    struct sp_order order = { .column = column };
    struct sp_query q = {
        .table = child->t->name, .select = &column, .nselect = 1, .order = &order, .norder = 1, .limit = 1
    };
    struct sp_result r = SP_RESULT_INIT;
    int rc = sp_db_read(d->session[side], &q, &r, d->err);
    bool one = rc == 0 && r.nrows == 1 && r.values[0].tag == SP_INT && r.values[0].u.i == 1;
    sp_result_free(&r);
    return rc != 0 ? rc : one;
}

/* A number that the elements don't have is their place in the array. */
static int match_position(struct map_draft *d, int side, struct map_place *child)
{
    for (size_t i = 0; i < child->n; i++) {
        struct map_field *f = &child->f[i];
        if (f->match >= 0 || f->parent || f->tag != SP_INT || !map_is_position(f->plain))
            continue;
        int first = first_position(d, side, child, f->path);
        if (first < 0)
            return first;
        f->ordinal = true;
        child->ordinal_from = first;
        return 0;
    }
    return 0;
}

/* ---- ids of another kind -------------------------------------------------------------------------------------------------- */

static bool is_object_id(const struct map_field *f)
{
    return f->tag == SP_NATIVE && sp_streq(f->native, "objectId");
}

/* Documents that kept the id which their row had are a crosswalk. */
static int match_ids(struct map_draft *d, struct map_place *s, struct map_place *t)
{
    for (size_t i = 0; i < s->n; i++) {
        int at = s->f[i].match;
        if (at < 0 || s->f[i].parent || strcmp(t->f[at].path, "_id") != 0 || !is_object_id(&t->f[at]) ||
            is_object_id(&s->f[i]))
            continue;
        s->f[i].how = "the ids are of two kinds, and nothing kept the old one: add a crosswalk";
        for (size_t k = 0; k < t->n; k++) {
            if (t->f[k].match >= 0 || !map_is_old_id(t->f[k].plain))
                continue;
            t->f[k].old_id = true;
            s->f[i].crosswalk = sp_arena_printf(&d->arena, "%s_ids", s->t->name);
            s->f[i].how = sp_arena_printf(&d->arena, "likely: %s kept the id that the row had", t->f[k].path);
            return s->f[i].crosswalk == NULL || s->f[i].how == NULL ? sp_nomem(d->err) : 0;
        }
    }
    return 0;
}

int map_draft_fields(struct map_draft *d, int s, int t)
{
    struct map_place *x = &d->p[0][s], *y = &d->p[1][t];
    int rc = 0;
    if (y->array != NULL)
        match_parent(d, 0, x, y);
    else if (x->array != NULL)
        match_parent(d, 1, y, x);
    for (int phase = SAME; rc == 0 && phase < PHASES; phase++)
        rc = match_by(d, x, y, (enum phase)phase);
    if (rc == 0 && y->array != NULL)
        rc = match_position(d, 0, x);
    else if (rc == 0 && x->array != NULL)
        rc = match_position(d, 1, y);
    return rc == 0 && x->array == NULL && y->array == NULL ? match_ids(d, x, y) : rc;
}
