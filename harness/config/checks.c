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
    out->expect = sp_value_of(values, n, "expect")->i;
    out->line = m->line;
    return read_query(r, sp_value_of(values, n, "query")->node, sp_read_path(r, path, "query"), &out->query);
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
