/* relation.c -- a relation: rows that belong together, and where they stand on each side. */
#include <string.h>

#include "base/str.h"
#include "map/parse.h"

#define SECTION "mapping.relations.NAME"

static int read_place(struct sp_map_reader *mr, const struct sp_key_value *kv, const char *path, int side,
    struct sp_map_relation *out)
{
    struct sp_reader *r = &mr->r;
    const struct sp_yaml *node = kv->node;
    struct sp_key_value v[SP_MAP_KEYS];
    path = sp_read_path(r, path, sp_map_side(side));
    if (node->type == SP_YAML_SCALAR && !sp_yaml_is_null(node) && *node->text != '\0') {
        out->table[side] = node->text;
        return 0;
    }
    if (node->type != SP_YAML_MAP)
        return sp_read_fail(r, node, path,
            "expected a table or collection, or a map such as { table: orders, array: items }, found %s",
            sp_yaml_found(r->arena, node));
    int rc = sp_map_read_section(r, node, SECTION ".SIDE", path, v);
    if (rc == 0 && sp_map_has(v, "table"))
        out->table[side] = sp_map_get(v, "table")->text;
    if (rc == 0) {
        out->array[side] = sp_map_get(v, "array")->text;
        out->ordered[side] = sp_map_get(v, "ordered")->b;
        if (out->ordered[side] && out->array[side] == NULL)
            rc = sp_read_fail(r, node, path, "`ordered` speaks of an embedded array: add `array:`");
    }
    if (rc == 0 && sp_map_has(v, "where"))
        rc = sp_read_filter(
            r, sp_map_get(v, "where")->node, sp_read_path(r, path, "where"), &out->where[side]);
    struct sp_error why = SP_ERROR_INIT;
    if (rc == 0 && out->where[side] != NULL && sp_filter_check(out->where[side], &why) != 0)
        rc = sp_read_fail(r, node, path, "%s", sp_error_text(&why));
    sp_error_clear(&why);
    return rc;
}

static int read_columns(
    struct sp_map_reader *mr, const struct sp_key_value *kv, const char *path, struct sp_map_relation *out)
{
    path = sp_read_path(&mr->r, path, "columns");
    int rc = sp_expect_type(&mr->r, kv->node, SP_YAML_MAP, path);
    struct sp_map_column *cols =
        rc == 0 ? sp_arena_array(mr->r.arena, kv->node->count + 1, sizeof *cols) : NULL;
    if (rc == 0 && cols == NULL)
        rc = sp_nomem(mr->r.err);
    size_t n = 0;
    for (const struct sp_yaml *m = rc == 0 ? kv->node->first : NULL; rc == 0 && m != NULL; m = m->next) {
        if (*m->key == '\0')
            rc = sp_read_fail(&mr->r, m, path, "a column needs a name");
        else
            rc = sp_map_read_column(mr, m, path, out, &cols[n++]);
    }
    out->columns = cols;
    out->ncolumns = rc == 0 ? n : 0;
    return rc == 0 ? sp_map_check_columns(mr, kv->node, path, out) : rc;
}

static int read_references(
    struct sp_map_reader *mr, const struct sp_key_value *kv, const char *path, struct sp_map_relation *out)
{
    struct sp_reader *r = &mr->r;
    path = sp_read_path(r, path, "references");
    int rc = sp_expect_type(r, kv->node, SP_YAML_MAP, path);
    struct sp_map_reference *v = rc == 0 ? sp_arena_array(r->arena, kv->node->count + 1, sizeof *v) : NULL;
    if (rc == 0 && v == NULL)
        rc = sp_nomem(r->err);
    size_t n = 0;
    for (const struct sp_yaml *m = rc == 0 ? kv->node->first : NULL; rc == 0 && m != NULL; m = m->next) {
        const struct sp_map_column *col = sp_map_column_named(out, m->key);
        const char *at = sp_read_path(r, path, m->key);
        if (m->type != SP_YAML_SCALAR || sp_yaml_is_null(m) || *m->text == '\0')
            return sp_read_fail(
                r, m, at, "expected a relation, or RELATION.COLUMN, found %s", sp_yaml_found(r->arena, m));
        if (col != NULL && col->ignore != NULL)
            return sp_read_fail(r, m, at, "the column is ignored, so its reference cannot be checked");
        const char *dot = strrchr(m->text, '.');
        size_t len =
            dot != NULL && dot != m->text && dot[1] != '\0' ? (size_t)(dot - m->text) : strlen(m->text);
        v[n] =
            (struct sp_map_reference){ .column = m->key, .relation = sp_arena_strn(r->arena, m->text, len) };
        v[n].to = m->text[len] == '.' ? dot + 1 : NULL;
        rc = v[n++].relation == NULL ? sp_nomem(r->err) : 0;
    }
    out->references = v;
    out->nreferences = n;
    return rc;
}

/* Columns that are not listed exist by their names on the sides: whether they do is found out later. */
static int check_key(struct sp_map_reader *mr, const struct sp_key_value *kv, const char *path,
    const struct sp_map_relation *rel)
{
    path = sp_read_path(&mr->r, path, "key");
    if (rel->nkey == 0)
        return sp_read_fail(&mr->r, kv->node, path, "expected columns of the relation, found an empty list");
    for (size_t i = 0; i < rel->nkey; i++) {
        const struct sp_map_column *col = sp_map_column_named(rel, rel->key[i]);
        for (size_t k = 0; k < i; k++)
            if (strcmp(rel->key[k], rel->key[i]) == 0)
                return sp_read_fail(&mr->r, kv->node, path, "column \"%s\" stands there twice", rel->key[i]);
        if (col != NULL && col->ignore != NULL)
            return sp_read_fail(
                &mr->r, kv->node, path, "column \"%s\" is ignored and cannot be a key", rel->key[i]);
        if (col == NULL && !rel->columns_by_name) {
            const char **names = sp_arena_array(mr->r.arena, rel->ncolumns + 1, sizeof *names);
            for (size_t k = 0; names != NULL && k < rel->ncolumns; k++)
                names[k] = rel->columns[k].name;
            return names == NULL ? sp_nomem(mr->r.err)
                                 : sp_read_fail(&mr->r, kv->node, path, "no column has the name \"%s\"%s",
                                       rel->key[i], sp_read_hint(mr->r.arena, rel->key[i], names));
        }
    }
    return 0;
}

/* An order that is data has to stand in a column, or nobody compares it. */
static int check_order(struct sp_map_reader *mr, const struct sp_yaml *node, const char *path,
    const struct sp_map_relation *rel, bool has_ordinal_from)
{
    bool any = false;
    for (int side = 0; side < 2; side++) {
        bool found = false;
        for (size_t i = 0; i < rel->ncolumns; i++)
            found = found || rel->columns[i].ordinal[side];
        if (rel->ordered[side] && !found)
            return sp_read_fail(&mr->r, node, path,
                "the array of the %s is ordered, but no column holds its order: add one with `%s: { ordinal: "
                "true }`",
                sp_map_side(side), sp_map_side(side));
        any = any || found;
    }
    return !any && has_ordinal_from ? sp_read_fail(&mr->r, node, path,
                                          "`ordinal_from` says nothing without a column with `ordinal`")
                                    : 0;
}

static int check_ignored(
    struct sp_map_reader *mr, const struct sp_yaml *node, const char *path, const struct sp_key_value *values)
{
    static const char *const useless[] = { "key", "columns", "references", "only_listed", "ordinal_from" };
    for (size_t i = 0; i < SP_LEN(useless); i++)
        if (sp_map_has(values, useless[i]))
            return sp_read_fail(
                &mr->r, node, path, "it is ignored, so `%s` says nothing: leave one out", useless[i]);
    for (int side = 0; side < 2; side++)
        if (sp_map_has(values, sp_map_side(side)) &&
            sp_map_get(values, sp_map_side(side))->node->type != SP_YAML_SCALAR)
            return sp_read_fail(&mr->r, node, path,
                "it is ignored as a whole, so the %s can only be the name of a table", sp_map_side(side));
    return 0;
}

int sp_map_read_relation(struct sp_map_reader *mr, const struct sp_yaml *node, struct sp_map_relation *out)
{
    struct sp_key_value v[SP_MAP_KEYS];
    const char *path = sp_read_path(&mr->r, "relations", node->key);
    *out = (struct sp_map_relation){
        .name = node->key, .columns_by_name = true, .line = (unsigned)node->key_line
    };
    int rc = sp_map_read_section(&mr->r, node, SECTION, path, v);
    if (rc == 0 && *node->key == '\0')
        rc = sp_read_fail(&mr->r, node, path, "a relation needs a name");
    if (rc != 0)
        return rc;
    out->ignore = sp_map_get(v, "ignore")->text;
    out->columns_by_name = !sp_map_get(v, "only_listed")->b;
    out->ordinal_base = sp_map_get(v, "ordinal_from")->i;
    out->key = sp_map_get(v, "key")->names;
    out->nkey = sp_map_get(v, "key")->nnames;
    for (int side = 0; side < 2 && rc == 0; side++) {
        const struct sp_key_value *kv = sp_map_get(v, sp_map_side(side));
        bool elsewhere = out->ignore != NULL && sp_map_has(v, sp_map_side(1 - side));
        if (kv->key != NULL)
            rc = read_place(mr, kv, path, side, out);
        if (rc == 0 && out->table[side] == NULL && !elsewhere)
            out->table[side] = out->name;
    }
    if (rc == 0 && out->ignore != NULL)
        return check_ignored(mr, node, path, v);
    if (rc == 0 && sp_map_has(v, "columns"))
        rc = read_columns(mr, sp_map_get(v, "columns"), path, out);
    if (rc == 0 && !out->columns_by_name && out->ncolumns == 0)
        rc = sp_read_fail(&mr->r, node, path, "`only_listed` without a column compares nothing");
    if (rc == 0 && sp_map_has(v, "references"))
        rc = read_references(mr, sp_map_get(v, "references"), path, out);
    if (rc == 0 && sp_map_has(v, "key"))
        rc = check_key(mr, sp_map_get(v, "key"), path, out);
    return rc == 0 ? check_order(mr, node, path, out, sp_map_has(v, "ordinal_from")) : rc;
}
