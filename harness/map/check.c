/* check.c -- does everything that a mapping names exist, and does each name mean one thing?
 *
 * Collections hold fields beyond those that they declare, so a path into one cannot be refused; where it leads to nothing,
 * the comparison shows missing values. Everything else must be there. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "config/read.h"
#include "map/mapping.h"

struct check {
    const struct sp_mapping *m;
    const struct sp_schema *schema[2];
    int sides;             /* 1 = there is no target yet */
    struct sp_arena arena; /* names for hints */
    struct sp_error *err;
};

static const char *side_name(int side)
{
    return side == 0 ? "source" : "target";
}

static int refuse(struct check *c, unsigned line, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static int refuse(struct check *c, unsigned line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = sp_arena_vprintf(&c->arena, fmt, ap);
    va_end(ap);
    if (text == NULL)
        return sp_nomem(c->err);
    return line != 0 ? sp_invalid(c->err, "%s:%u: %s", c->m->file, line, text)
                     : sp_invalid(c->err, "%s: %s", c->m->file, text);
}

static const char *table_hint(struct check *c, int side, const char *word)
{
    const struct sp_schema *s = c->schema[side];
    const char **names = sp_arena_array(&c->arena, s->ntables + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < s->ntables; i++)
        names[i] = s->tables[i].name;
    const char *near = names != NULL ? sp_nearest(word, names) : NULL;
    const char *hint = near != NULL ? sp_arena_printf(&c->arena, "; did you mean \"%s\"?", near) : NULL;
    return hint != NULL ? hint : "";
}

static const char *column_hint(struct check *c, const struct sp_table *t, const char *word)
{
    const char **names = sp_arena_array(&c->arena, t->ncolumns + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < t->ncolumns; i++)
        names[i] = t->columns[i].name;
    const char *hint = names != NULL ? sp_read_hint(&c->arena, word, names) : NULL;
    return hint != NULL ? hint : "";
}

/* ---- places ---------------------------------------------------------------------------------------------------------- */

/* A column of that name, or a path that starts in a column which can hold documents, or any path of an open table. */
static bool place_exists(const struct sp_table *t, const char *place)
{
    if (sp_table_column(t, place) != NULL || t->open_fields)
        return true;
    size_t n = strcspn(place, "/");
    for (size_t i = 0; place[n] == '/' && i < t->ncolumns; i++) {
        const struct sp_column *col = &t->columns[i];
        enum sp_tag tag = col->type.tag == SP_MISSING ? col->declared.tag : col->type.tag;
        if (strlen(col->name) == n && strncmp(col->name, place, n) == 0)
            return tag == SP_JSON || tag == SP_ARRAY || tag == SP_MISSING || tag == SP_TEXT;
    }
    return false;
}

static int need_place(
    struct check *c, const struct sp_table *t, int side, unsigned line, const char *what, const char *place)
{
    if (place_exists(t, place))
        return 0;
    return refuse(c, line, "%s: table %s of the %s has no column \"%s\"%s", what, t->name, side_name(side),
        place, column_hint(c, t, place));
}

/* Depth is bounded: the mapping was read through sp_filter_check(). */
static int check_filter(struct check *c, const struct sp_table *t, int side, unsigned line, const char *what,
    const struct sp_filter *f)
{
    int rc = 0;
    if (f->op != SP_F_AND && f->op != SP_F_OR && f->op != SP_F_NOT)
        return need_place(c, t, side, line, what, f->column);
    for (size_t i = 0; rc == 0 && i < f->nargs; i++)
        rc = check_filter(c, t, side, line, what, &f->args[i]);
    return rc;
}

/* ---- columns ---------------------------------------------------------------------------------------------------------- */

static bool claimed(const struct sp_map_relation *rel, int side, const char *column)
{
    for (size_t i = 0; i < rel->ncolumns; i++)
        if (!rel->columns[i].parent[side] && sp_streq(rel->columns[i].place[side], column))
            return true;
    return false;
}

static int check_column(struct check *c, const struct sp_map_relation *rel, const struct sp_map_column *col,
    const struct sp_table *const t[2])
{
    const char *what = sp_arena_printf(&c->arena, "relations.%s.columns.%s", rel->name, col->name);
    bool anywhere = false;
    int rc = what != NULL ? 0 : sp_nomem(c->err);
    for (int side = 0; side < c->sides && rc == 0; side++) {
        const char *place = col->place[side];
        bool flat = rel->array[side] == NULL || col->parent[side];
        if (place == NULL)
            continue;
        bool both = col->ignore != NULL && col->place[1 - side] != NULL; /* may be missing on one side */
        if (!flat || place_exists(t[side], place))
            anywhere = true;
        else if (!both)
            rc = need_place(c, t[side], side, col->line, what, place);
        /* A column that nobody mentions keeps its name: here it would meet another one. */
        if (rc == 0 && flat && col->ignore == NULL && rel->array[side] == NULL && rel->columns_by_name &&
            strcmp(place, col->name) != 0 && sp_table_column(t[side], col->name) != NULL &&
            !claimed(rel, side, col->name))
            rc = refuse(c, col->line,
                "%s: the %s has a column of that name besides \"%s\": say where it belongs under another "
                "name, "
                "or `ignore` it",
                what, side_name(side), place);
    }
    anywhere = anywhere || (c->sides == 1 && col->place[1] != NULL);
    if (rc == 0 && col->ignore != NULL && !anywhere)
        rc = refuse(c, col->line, "%s: neither side has this column%s", what,
            column_hint(c, t[col->place[0] != NULL ? 0 : 1], col->name));
    for (int side = 0; side < c->sides && rc == 0; side++)
        if (col->place[side] == NULL && col->ignore == NULL && rel->columns_by_name &&
            rel->array[side] == NULL && sp_table_column(t[side], col->name) != NULL &&
            !claimed(rel, side, col->name))
            rc = refuse(c, col->line, "%s: the %s has a column of that name, which the %s would hide", what,
                side_name(side), col->constant[side] != NULL ? "constant" : "ordinal");
    return rc;
}

static int check_key(struct check *c, const struct sp_map_relation *rel, const struct sp_table *const t[2])
{
    for (size_t i = 0; i < rel->nkey; i++) {
        const char *name = rel->key[i];
        if (sp_map_column_named(rel, name) != NULL)
            continue;
        for (int side = 0; side < c->sides; side++) {
            const char *what = sp_arena_printf(&c->arena, "relations.%s.key", rel->name);
            int rc = what == NULL               ? sp_nomem(c->err)
                     : rel->array[side] != NULL ? 0
                                                : need_place(c, t[side], side, rel->line, what, name);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

/* A relation that is not listed is a table of both sides. */
static int check_references(
    struct check *c, const struct sp_map_relation *rel, const struct sp_table *const t[2])
{
    for (size_t i = 0; i < rel->nreferences; i++) {
        const struct sp_map_reference *ref = &rel->references[i];
        const struct sp_map_relation *to = sp_mapping_relation(c->m, ref->relation);
        if (to != NULL && to->ignore != NULL)
            return refuse(c, rel->line, "relations.%s.references.%s: %s is ignored", rel->name, ref->column,
                ref->relation);
        for (int side = 0; side < c->sides; side++) {
            if (to == NULL && sp_schema_table(c->schema[side], ref->relation) == NULL)
                return refuse(c, rel->line, "relations.%s.references.%s: there is no relation \"%s\"%s",
                    rel->name, ref->column, ref->relation, table_hint(c, side, ref->relation));
            if (sp_map_column_named(rel, ref->column) == NULL && rel->array[side] == NULL &&
                !place_exists(t[side], ref->column))
                return refuse(c, rel->line, "relations.%s.references: no column has the name \"%s\"%s",
                    rel->name, ref->column, column_hint(c, t[side], ref->column));
        }
    }
    return 0;
}

/* ---- relations --------------------------------------------------------------------------------------------------------- */

static int check_ignored(struct check *c, const struct sp_map_relation *rel)
{
    bool anywhere = false;
    int last = 0;
    for (int side = 0; side < c->sides; side++)
        if (rel->table[side] != NULL) {
            anywhere = anywhere || sp_schema_table(c->schema[side], rel->table[side]) != NULL;
            last = side;
        }
    if (anywhere || (c->sides == 1 && rel->table[1] != NULL))
        return 0;
    bool both = rel->table[0] != NULL && rel->table[1] != NULL;
    return refuse(c, rel->line, "%s has no table \"%s\", which is to be ignored%s",
        both        ? "neither side"
        : last == 0 ? "the source"
                    : "the target",
        rel->table[last], table_hint(c, last, rel->table[last]));
}

static int check_relation(struct check *c, const struct sp_map_relation *rel)
{
    const struct sp_table *t[2];
    int rc = 0;
    if (rel->ignore != NULL)
        return check_ignored(c, rel);
    for (int side = 0; side < c->sides; side++) {
        t[side] = sp_schema_table(c->schema[side], rel->table[side]);
        if (t[side] == NULL)
            return refuse(c, rel->line, "relations.%s: the %s has no table \"%s\"%s", rel->name,
                side_name(side), rel->table[side], table_hint(c, side, rel->table[side]));
    }
    for (int side = 0; side < c->sides && rc == 0; side++) {
        const char *what = sp_arena_printf(&c->arena, "relations.%s.%s", rel->name, side_name(side));
        if (what == NULL)
            rc = sp_nomem(c->err);
        if (rc == 0 && rel->array[side] != NULL)
            rc = need_place(c, t[side], side, rel->line, what, rel->array[side]);
        if (rc == 0 && rel->where[side] != NULL)
            rc = check_filter(c, t[side], side, rel->line, what, rel->where[side]);
    }
    for (size_t i = 0; i < rel->ncolumns && rc == 0; i++)
        rc = check_column(c, rel, &rel->columns[i], t);
    if (rc == 0)
        rc = check_references(c, rel, t);
    return rc == 0 ? check_key(c, rel, t) : rc;
}

/* A table that no relation mentions keeps its name: a relation of that name must not mean another table. */
static int check_names(struct check *c, const struct sp_map_relation *rel)
{
    for (int side = 0; side < c->sides && rel->ignore == NULL; side++) {
        bool mentioned = sp_schema_table(c->schema[side], rel->name) == NULL;
        for (size_t i = 0; i < c->m->nrelations && !mentioned; i++)
            mentioned =
                c->m->relations[i].array[side] == NULL && sp_streq(c->m->relations[i].table[side], rel->name);
        if (!mentioned)
            return refuse(c, rel->line,
                "relations.%s: the %s has a table of that name, which this relation would hide: say where it "
                "belongs, or list it under ignore.%s",
                rel->name, side_name(side), side_name(side));
    }
    return 0;
}

static int check_crosswalk(struct check *c, const struct sp_crosswalk *x)
{
    int side = x->on_target ? 1 : 0;
    if (side >= c->sides)
        return 0;
    const char *what = sp_arena_printf(&c->arena, "crosswalks.%s", x->name);
    const struct sp_table *t = sp_schema_table(c->schema[side], x->table);
    if (what == NULL)
        return sp_nomem(c->err);
    if (t == NULL)
        return refuse(c, 0, "%s: the %s has no table \"%s\"%s", what, side_name(side), x->table,
            table_hint(c, side, x->table));
    int rc = need_place(c, t, side, 0, what, x->source_id);
    return rc == 0 ? need_place(c, t, side, 0, what, x->target_id) : rc;
}

int sp_mapping_check(const struct sp_mapping *m, const struct sp_schema *source,
    const struct sp_schema *target, struct sp_error *err)
{
    struct check c = { .m = m,
        .schema = { source, target },
        .sides = target != NULL ? 2 : 1,
        .arena = SP_ARENA_INIT,
        .err = err };
    int rc = 0;
    for (size_t i = 0; i < m->ncrosswalks && rc == 0; i++)
        rc = check_crosswalk(&c, &m->crosswalks[i]);
    for (size_t i = 0; i < m->nrelations && rc == 0; i++)
        rc = check_relation(&c, &m->relations[i]);
    for (size_t i = 0; i < m->nrelations && rc == 0; i++)
        rc = check_names(&c, &m->relations[i]);
    sp_arena_free(&c.arena);
    return rc;
}
