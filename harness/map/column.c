/* column.c -- a column of a relation: where it stands on each side, and how it is compared. */
#include <string.h>

#include "base/str.h"
#include "map/parse.h"
#include "model/canonical.h"

#define SECTION "mapping.relations.NAME.columns.NAME"

int sp_map_read_section(struct sp_reader *r, const struct sp_yaml *node, const char *section,
    const char *path, struct sp_key_value *values)
{
    for (size_t i = 0; i < SP_MAP_KEYS; i++)
        values[i] = (struct sp_key_value){ .key = NULL };
    return sp_yaml_is_null(node) ? 0 : sp_read_map(r, node, section, path, values);
}

/* A number with a point is exact here: a double would not be the decimal that somebody wrote. */
static int read_constant(struct sp_map_reader *mr, const struct sp_yaml *node, const char *path,
    const struct sp_map_column *col, const struct sp_value **out)
{
    struct sp_reader *r = &mr->r;
    struct sp_value *v = sp_arena_alloc(r->arena, sizeof *v);
    int rc = v != NULL ? sp_read_value(r, node, path, v) : sp_nomem(r->err);
    if (rc == 0 && v->tag == SP_F64)
        *v = sp_v_dec_text(r->arena, node->text);
    if (rc == 0 && col->has_type && !sp_v_is_absent(v)) {
        struct sp_value typed;
        rc = sp_coerce(r->arena, &col->type, v, &typed);
        if (rc == 1)
            rc = sp_read_fail(r, node, path, "the constant %s is no %s", sp_yaml_found(r->arena, node),
                sp_tag_name(col->type.tag));
        else if (rc < 0)
            rc = sp_nomem(r->err);
        *v = typed;
    }
    *out = v;
    return rc;
}

/* One of the ways to say where a column stands. */
static int read_place(struct sp_map_reader *mr, const struct sp_yaml *node, const char *path,
    const struct sp_map_relation *rel, int side, struct sp_map_column *out)
{
    static const char *const ways[] = { "column", "parent", "element", "ordinal", "constant" };
    struct sp_key_value v[SP_MAP_KEYS];
    size_t n = 0;
    int rc = sp_map_read_section(&mr->r, node, SECTION ".SIDE", path, v);
    for (size_t i = 0; rc == 0 && i < SP_LEN(ways); i++)
        n += sp_map_has(v, ways[i]);
    if (rc == 0 && n != 1)
        rc = sp_read_fail(&mr->r, node, path,
            "expected one of column, parent, element, ordinal, constant, found %s",
            n == 0 ? "none of them" : "several of them");
    for (size_t i = 2; rc == 0 && i < 4; i++) /* element, ordinal */
        if (sp_map_has(v, ways[i]) && !sp_map_get(v, ways[i])->b)
            rc = sp_read_fail(&mr->r, node, path, "`%s: false` says nothing: leave it out", ways[i]);
    if (rc == 0 && rel->array[side] == NULL)
        for (size_t i = 1; rc == 0 && i < 4; i++)
            if (sp_map_has(v, ways[i]))
                rc = sp_read_fail(&mr->r, node, path,
                    "`%s` belongs to an embedded array, but the %s of relation %s names none: add `array:` "
                    "there",
                    ways[i], sp_map_side(side), rel->name);
    if (rc != 0)
        return rc;
    out->ordinal[side] = sp_map_has(v, "ordinal");
    out->parent[side] = sp_map_has(v, "parent");
    out->place[side] = sp_map_has(v, "column")    ? sp_map_get(v, "column")->text
                       : sp_map_has(v, "parent")  ? sp_map_get(v, "parent")->text
                       : sp_map_has(v, "element") ? ""
                                                  : NULL;
    if (sp_map_has(v, "constant"))
        rc = read_constant(mr, sp_map_get(v, "constant")->node, sp_read_path(&mr->r, path, "constant"), out,
            &out->constant[side]);
    return rc;
}

static int read_side(struct sp_map_reader *mr, const struct sp_key_value *v, const char *path,
    const struct sp_map_relation *rel, int side, struct sp_map_column *out)
{
    path = sp_read_path(&mr->r, path, sp_map_side(side));
    if (v->node->type == SP_YAML_MAP)
        return read_place(mr, v->node, path, rel, side, out);
    if (v->node->type != SP_YAML_SCALAR || sp_yaml_is_null(v->node) || *v->node->text == '\0')
        return sp_read_fail(&mr->r, v->node, path,
            "expected a column, a path such as address/city, or a map such as { constant: 7 }, found %s",
            sp_yaml_found(mr->r.arena, v->node));
    out->place[side] = v->node->text;
    return 0;
}

static int read_sides(struct sp_map_reader *mr, const struct sp_key_value *values, const char *path,
    const struct sp_map_relation *rel, struct sp_map_column *out)
{
    int rc = 0;
    for (int side = 0; side < 2 && rc == 0; side++) {
        const struct sp_key_value *v = sp_map_get(values, sp_map_side(side));
        bool elsewhere = out->ignore != NULL && sp_map_has(values, sp_map_side(1 - side));
        if (v->key != NULL)
            rc = read_side(mr, v, path, rel, side, out);
        else if (!elsewhere) /* an ignored column that is named on one side is that side's alone */
            out->place[side] = out->name;
    }
    return rc;
}

static int check_ignored(struct sp_map_reader *mr, const struct sp_yaml *node, const char *path,
    const struct sp_key_value *values, const struct sp_map_column *col)
{
    static const char *const useless[] = { "rules", "type", "crosswalk", "accept_loss" };
    for (size_t i = 0; i < SP_LEN(useless); i++)
        if (sp_map_has(values, useless[i]))
            return sp_read_fail(
                &mr->r, node, path, "it is ignored, so `%s` says nothing: leave one out", useless[i]);
    for (int side = 0; side < 2; side++)
        if (col->constant[side] != NULL || col->ordinal[side])
            return sp_read_fail(&mr->r, node, path,
                "it is ignored, so the %s can only be the name of a column", sp_map_side(side));
    return 0;
}

static int check_compared(
    struct sp_map_reader *mr, const struct sp_yaml *node, const char *path, const struct sp_map_column *col)
{
    if (col->constant[0] != NULL && col->constant[1] != NULL)
        return sp_read_fail(&mr->r, node, path, "a constant on both sides compares nothing");
    if (col->crosswalk != NULL && col->place[1] == NULL)
        return sp_read_fail(&mr->r, node, path,
            "a crosswalk translates an id that the target holds, but the target is %s here",
            col->constant[1] != NULL ? "a constant" : "an ordinal");
    return 0;
}

static int find_crosswalk(struct sp_map_reader *mr, const struct sp_key_value *v, const char *path)
{
    const struct sp_mapping *m = mr->m;
    const char **names = sp_arena_array(mr->r.arena, m->ncrosswalks + 1, sizeof *names);
    if (names == NULL)
        return sp_nomem(mr->r.err);
    for (size_t i = 0; i < m->ncrosswalks; i++) {
        names[i] = m->crosswalks[i].name;
        if (strcmp(names[i], v->text) == 0)
            return 0;
    }
    return sp_read_fail(&mr->r, v->node, path, "no crosswalk has the name \"%s\"%s", v->text,
        m->ncrosswalks == 0 ? ": there is no section `crosswalks`"
                            : sp_read_hint(mr->r.arena, v->text, names));
}

int sp_map_read_column(struct sp_map_reader *mr, const struct sp_yaml *node, const char *path,
    const struct sp_map_relation *rel, struct sp_map_column *out)
{
    struct sp_key_value v[SP_MAP_KEYS];
    *out = (struct sp_map_column){ .name = node->key, .line = (unsigned)node->key_line };
    path = sp_read_path(&mr->r, path, node->key);
    int rc = sp_map_read_section(&mr->r, node, SECTION, path, v);
    if (rc != 0)
        return rc;
    out->ignore = sp_map_get(v, "ignore")->text;
    out->crosswalk = sp_map_get(v, "crosswalk")->text;
    out->accept_loss = sp_map_get(v, "accept_loss")->b;
    if (sp_map_has(v, "type")) {
        out->has_type = true;
        rc = sp_map_read_type(&mr->r, sp_map_get(v, "type"), sp_read_path(&mr->r, path, "type"), &out->type);
    }
    if (rc == 0 && sp_map_has(v, "rules"))
        rc = sp_map_read_rules(&mr->r, sp_map_get(v, "rules"), sp_read_path(&mr->r, path, "rules"), out);
    if (rc == 0)
        rc = read_sides(mr, v, path, rel, out);
    if (rc == 0 && out->crosswalk != NULL)
        rc = find_crosswalk(mr, sp_map_get(v, "crosswalk"), sp_read_path(&mr->r, path, "crosswalk"));
    if (rc == 0)
        rc =
            out->ignore != NULL ? check_ignored(mr, node, path, v, out) : check_compared(mr, node, path, out);
    return rc;
}

static bool same_place(const struct sp_map_column *a, const struct sp_map_column *b, int side)
{
    if (a->ordinal[side] || b->ordinal[side])
        return a->ordinal[side] && b->ordinal[side];
    return a->place[side] != NULL && sp_streq(a->place[side], b->place[side]) &&
           a->parent[side] == b->parent[side];
}

int sp_map_check_columns(
    struct sp_map_reader *mr, const struct sp_yaml *at, const char *path, const struct sp_map_relation *rel)
{
    for (size_t i = 0; i < rel->ncolumns; i++)
        for (size_t k = 0; k < i; k++)
            for (int side = 0; side < 2; side++)
                if (same_place(&rel->columns[k], &rel->columns[i], side)) {
                    struct sp_yaml line = { .line = (int)rel->columns[i].line, .column = at->column };
                    return sp_read_fail(&mr->r, &line, path,
                        "columns %s and %s both claim %s \"%s\" of the %s", rel->columns[k].name,
                        rel->columns[i].name, rel->columns[i].ordinal[side] ? "the position in" : "the place",
                        rel->columns[i].ordinal[side] ? rel->array[side] : rel->columns[i].place[side],
                        sp_map_side(side));
                }
    return 0;
}
