/* checks.c -- the section `checks:`, a team's own invariants. */
#include "config/read.h"

#include <string.h>

#include "base/str.h"

#define NKEYS 8

static int read_order(struct sp_reader *r, const struct sp_key_value *v, const char *path, struct sp_query *q)
{
    struct sp_order *order = sp_arena_array(r->arena, v->nnames + 1, sizeof *order);
    if (order == NULL) {
        return sp_nomem(r->err);
    }
    for (size_t i = 0; i < v->nnames; i++) {
        size_t n = strlen(v->names[i]);
        order[i].desc = sp_str_suffix(v->names[i], " desc");
        n -= order[i].desc ? 5 : sp_str_suffix(v->names[i], " asc") ? 4 : 0;
        order[i].column = sp_arena_strn(r->arena, v->names[i], n);
        if (order[i].column == NULL) {
            return sp_nomem(r->err);
        }
        if (n == 0) {
            return sp_read_fail(r, v->node, path, "a column's name is missing");
        }
    }
    q->order = order;
    q->norder = v->nnames;
    return 0;
}

static int read_query(struct sp_reader *r, const struct sp_yaml *node, const char *path, struct sp_query *q)
{
    struct sp_key_value values[NKEYS];
    size_t n = sp_section_size("checks[].query");
    int rc = sp_read_map(r, node, "checks[].query", path, values);
    if (rc != 0) {
        return rc;
    }
    const struct sp_key_value *limit = sp_value_of(values, n, "limit"),
                              *where = sp_value_of(values, n, "where"),
                              *select = sp_value_of(values, n, "select");
    q->table = sp_value_of(values, n, "from")->text;
    q->select = select->names;
    q->nselect = select->nnames;
    q->limit = limit->key != NULL ? limit->i : SP_NO_LIMIT;
    rc = read_order(r, sp_value_of(values, n, "order_by"), sp_read_path(r, path, "order_by"), q);
    if (rc == 0 && where->key != NULL) {
        rc = sp_read_filter(r, where->node, sp_read_path(r, path, "where"), &q->where);
    }
    struct sp_error why = SP_ERROR_INIT;
    if (rc == 0 && sp_query_check(q, &why) != 0) {
        rc = sp_read_fail(r, node, path, "%s", sp_error_text(&why));
    }
    sp_error_clear(&why);
    return rc;
}

/* A table, then columns. */
static int read_columns(
    struct sp_reader *r, const struct sp_key_value *v, const char *path, struct sp_config_check *out)
{
    path = sp_read_path(r, path, v->key->name);
    if (v->nnames < 2) {
        return sp_read_fail(
            r, v->node, path, "expected a table and at least one column, such as [users, email]");
    }
    for (size_t i = 1; i < v->nnames; i++) {
        for (size_t k = 1; k < i; k++) {
            if (strcmp(v->names[i], v->names[k]) == 0) {
                return sp_read_fail(r, v->node, path, "column \"%s\" stands there twice", v->names[i]);
            }
        }
    }
    out->table = v->names[0];
    out->columns = v->names + 1;
    out->ncolumns = v->nnames - 1;
    return 0;
}

/* A text for each kind: { sqlite: "SELECT ...", postgresql: "SELECT ..." }. */
static int read_texts(
    struct sp_reader *r, const struct sp_yaml *node, const char *path, struct sp_config_check *out)
{
    const char **kinds = sp_arena_array(r->arena, node->count + 1, sizeof *kinds);
    const char **raw = sp_arena_array(r->arena, node->count + 1, sizeof *raw);
    int rc = kinds == NULL || raw == NULL ? sp_nomem(r->err) : 0;
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next) {
        struct sp_yaml at = { .line = m->key_line, .column = m->key_column };
        const char *where = sp_read_path(r, path, m->key);
        kinds[out->nraw] = m->key;
        if (r->kinds != NULL && sp_config_kind(r->kinds, m->key) == NULL) {
            rc = sp_read_fail(r, &at, where, "%s", sp_config_no_kind(r->arena, r->kinds, m->key, false));
        } else {
            rc = sp_read_text(r, m, where, &raw[out->nraw], NULL);
        }
        if (rc == 0 && (raw[out->nraw] == NULL || *raw[out->nraw] == '\0')) {
            rc = sp_read_fail(r, m, where, "expected a query in the language of that kind, found nothing");
        }
        out->nraw++;
    }
    out->kinds = kinds;
    out->raw = raw;
    return rc;
}

static bool has_member(const struct sp_yaml *map, const char *key)
{
    for (const struct sp_yaml *m = map->first; m != NULL; m = m->next) {
        if (strcmp(m->key, key) == 0) {
            return true;
        }
    }
    return false;
}

/* Keys of a query mean one; else they are kinds of backends. */
static bool in_own_words(const struct sp_reader *r, const struct sp_yaml *node)
{
    if (node->type != SP_YAML_MAP || node->first == NULL || has_member(node, "from")) {
        return false;
    }
    for (const struct sp_yaml *m = node->first; m != NULL; m = m->next) {
        if (r->kinds != NULL && sp_config_kind(r->kinds, m->key) != NULL) {
            return true;
        }
    }
    return r->kinds == NULL;
}

static int read_query_check(struct sp_reader *r, const struct sp_key_value *query,
    const struct sp_key_value *expect, const struct sp_key_value *ordered, const char *path,
    struct sp_config_check *out)
{
    bool same = strcmp(expect->text, "same") == 0;
    out->kind = same ? SP_CHECK_SAME : SP_CHECK_COUNT;
    out->ordered = ordered->key != NULL && ordered->b;
    if (!same && (!sp_parse_i64(expect->text, &out->expect) || out->expect < 0)) {
        return sp_read_fail(r, expect->node, sp_read_path(r, path, "expect"),
            "expected a whole number, 0 or more, or same; found \"%s\"", expect->text);
    }
    if (out->ordered && !same) {
        return sp_read_fail(
            r, ordered->node, sp_read_path(r, path, "ordered"), "it belongs to `expect: same`");
    }
    path = sp_read_path(r, path, "query");
    if (in_own_words(r, query->node)) {
        return read_texts(r, query->node, path, out);
    }
    int rc = read_query(r, query->node, path, &out->query);
    if (rc == 0 && out->ordered && out->query.norder == 0) {
        rc = sp_read_fail(r, ordered->node, path, "rows without `order_by` have no order to compare");
    }
    return rc;
}

/* One of query, unique, required; a query comes with what it must give. */
static int read_kind(struct sp_reader *r, const struct sp_yaml *m, const struct sp_key_value *values,
    size_t n, const char *path, struct sp_config_check *out)
{
    const struct sp_key_value *query = sp_value_of(values, n, "query"),
                              *expect = sp_value_of(values, n, "expect"),
                              *unique = sp_value_of(values, n, "unique"),
                              *required = sp_value_of(values, n, "required");
    int given = (query->key != NULL) + (unique->key != NULL) + (required->key != NULL);
    if (given != 1) {
        return sp_read_fail(
            r, m, path, "expected one of query, unique, required; found %s", given == 0 ? "none" : "several");
    }
    if ((query->key != NULL) != (expect->key != NULL)) {
        return sp_read_fail(r, m, path,
            query->key != NULL ? "a query needs `expect`: how many rows there must be, or same"
                               : "`expect` belongs to a query");
    }
    if (query->key != NULL) {
        return read_query_check(r, query, expect, sp_value_of(values, n, "ordered"), path, out);
    }
    out->kind = unique->key != NULL ? SP_CHECK_UNIQUE : SP_CHECK_REQUIRED;
    return read_columns(r, unique->key != NULL ? unique : required, path, out);
}

static int read_check(struct sp_reader *r, const struct sp_yaml *m, size_t index, struct sp_config_check *out)
{
    struct sp_key_value values[NKEYS];
    size_t n = sp_section_size("checks[]");
    const char *path = sp_arena_printf(r->arena, "checks[%zu]", index);
    int rc = path != NULL ? sp_read_map(r, m, "checks[]", path, values) : sp_nomem(r->err);
    if (rc != 0) {
        return rc;
    }
    out->name = sp_value_of(values, n, "name")->text;
    out->line = m->line;
    return read_kind(r, m, values, n, path, out);
}

int sp_read_checks(struct sp_reader *r, const struct sp_yaml *node)
{
    int rc = sp_expect_type(r, node, SP_YAML_LIST, "checks");
    struct sp_config_check *list = sp_arena_array(r->arena, node->count + 1, sizeof *list);
    if (rc == 0 && list == NULL) {
        rc = sp_nomem(r->err);
    }
    size_t n = 0;
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next, n++) {
        rc = read_check(r, m, n, &list[n]);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            if (strcmp(list[i].name, list[n].name) == 0) {
                rc = sp_read_fail(r, m, "checks", "a second check with the name \"%s\"", list[n].name);
            }
        }
    }
    r->cfg->checks = list;
    r->cfg->nchecks = n;
    return rc;
}
