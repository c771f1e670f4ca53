/* filter.c -- `where:` of a check into a filter tree. Recursion is bounded by the depth of the YAML tree.
 *
 *   where: { status: open, agent_id: null, prio: [1, 2], due: { lt: 2024-01-01 }, or: [ {a: 1}, {b: 2} ] }
 *
 * Members are joined by and. A plain word that reads as null, true, false or a number is that; in quotes it is text. */
#include "config/read.h"

#include <string.h>

#include "base/str.h"

static const struct {
    const char *name;
    enum sp_filter_op op;
} operators[] = { { "eq", SP_F_EQ }, { "neq", SP_F_NEQ }, { "gt", SP_F_GT }, { "gte", SP_F_GTE },
    { "lt", SP_F_LT }, { "lte", SP_F_LTE }, { "in", SP_F_IN }, { "contains", SP_F_CONTAINS },
    { "like", SP_F_LIKE }, { "is_null", SP_F_IS_NULL }, { "is_missing", SP_F_IS_MISSING } };

int sp_read_value(struct sp_reader *r, const struct sp_yaml *node, const char *path, struct sp_value *out)
{
    const char *text;
    int64_t i;
    double f;
    int rc = sp_read_text(r, node, path, &text, NULL);
    if (rc != 0) {
        return rc;
    }
    if (sp_yaml_is_null(node)) {
        *out = sp_v_null();
    } else if (!node->quoted && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)) {
        *out = sp_v_bool(*text == 't');
    } else if (!node->quoted && sp_parse_i64(text, &i)) {
        *out = sp_v_int(i);
    } else if (!node->quoted && sp_parse_f64(text, &f)) {
        if (strpbrk(text, ".eE") == NULL) { /* as a double it would match its neighbours */
            return sp_read_fail(r, node, path, "%s does not fit a 64-bit integer", text);
        }
        *out = sp_v_f64(f);
    } else {
        *out = sp_v_text(text);
    }
    return 0;
}

static int read_values(struct sp_reader *r, const struct sp_yaml *list, const char *path, struct sp_filter *f)
{
    int rc = sp_expect_type(r, list, SP_YAML_LIST, path);
    struct sp_value *v = sp_arena_array(r->arena, list->count + 1, sizeof *v);
    if (rc == 0 && v == NULL) {
        rc = sp_nomem(r->err);
    }
    for (const struct sp_yaml *n = list->first; rc == 0 && n != NULL; n = n->next) {
        rc = sp_read_value(r, n, path, &v[f->nvalues]);
        if (rc == 0 && sp_v_is_absent(&v[f->nvalues])) {
            rc = sp_read_fail(r, n, path, "null in a list never matches: ask for it with is_null");
        }
        f->nvalues++;
    }
    f->op = SP_F_IN;
    f->values = v;
    return rc;
}

static int read_equal(struct sp_reader *r, const struct sp_yaml *node, const char *path, struct sp_filter *f)
{
    struct sp_value *v = sp_arena_alloc(r->arena, sizeof *v);
    int rc = v != NULL ? sp_read_value(r, node, path, v) : sp_nomem(r->err);
    if (rc == 0 && v->tag == SP_NULL) {
        f->op = SP_F_IS_NULL;
    } else if (rc == 0) {
        f->op = SP_F_EQ;
        f->values = v;
        f->nvalues = 1;
    }
    return rc;
}

static int negate(struct sp_reader *r, struct sp_filter *f)
{
    struct sp_filter *inner = sp_arena_alloc(r->arena, sizeof *inner);
    if (inner == NULL) {
        return sp_nomem(r->err);
    }
    *inner = *f;
    *f = (struct sp_filter){ .op = SP_F_NOT, .args = inner, .nargs = 1 };
    return 0;
}

/* is_null: true, or false for its opposite. */
static int read_presence(
    struct sp_reader *r, const struct sp_yaml *node, const char *path, struct sp_filter *f)
{
    static const struct sp_config_key key = { .name = "", .type = SP_KEY_BOOL };
    struct sp_key_value v = { .key = &key };
    int rc = sp_read_scalar(r, node, &key, path, &v);
    return rc == 0 && !v.b ? negate(r, f) : rc;
}

static int read_operator(
    struct sp_reader *r, const struct sp_yaml *m, const char *column, const char *path, struct sp_filter *f)
{
    const char *names[SP_LEN(operators) + 1] = { NULL };
    size_t k = SP_LEN(operators);
    for (size_t i = 0; i < SP_LEN(operators); i++) {
        names[i] = operators[i].name;
        k = strcmp(m->key, names[i]) == 0 ? i : k;
    }
    if (k == SP_LEN(operators)) {
        struct sp_yaml at = { .line = m->key_line, .column = m->key_column };
        return sp_read_fail(
            r, &at, path, "unknown operator \"%s\"%s", m->key, sp_read_hint(r->arena, m->key, names));
    }
    *f = (struct sp_filter){ .op = operators[k].op, .column = column };
    path = sp_read_path(r, path, m->key);
    if (f->op == SP_F_IN) {
        return read_values(r, m, path, f);
    }
    if (f->op == SP_F_IS_NULL || f->op == SP_F_IS_MISSING) {
        return read_presence(r, m, path, f);
    }
    int rc = read_equal(r, m, path, f);
    if (rc == 0 && f->nvalues == 0 && operators[k].op != SP_F_EQ) {
        return sp_read_fail(r, m, path, "a comparison with null is never true: use is_null");
    }
    if (rc == 0 && f->nvalues > 0) {
        f->op = operators[k].op;
    }
    return rc;
}

/* { gt: 1, lte: 5 } */
static int read_operators(
    struct sp_reader *r, const struct sp_yaml *map, const char *column, const char *path, struct sp_filter *f)
{
    struct sp_filter *args = sp_arena_array(r->arena, map->count + 1, sizeof *args);
    int rc = args != NULL ? 0 : sp_nomem(r->err);
    size_t n = 0;
    if (rc == 0 && map->count == 0) {
        rc = sp_read_fail(r, map, path, "expected an operator such as { gt: 5 }, found an empty map");
    }
    for (const struct sp_yaml *m = map->first; rc == 0 && m != NULL; m = m->next) {
        rc = read_operator(r, m, column, path, &args[n++]);
    }
    if (rc == 0 && n == 1) {
        *f = args[0];
    } else {
        *f = (struct sp_filter){ .op = SP_F_AND, .args = args, .nargs = n };
    }
    return rc;
}

/* or: [ {...}, {...} ] */
static int read_branches(struct sp_reader *r, const struct sp_yaml *list, enum sp_filter_op op,
    const char *path, struct sp_filter *f)
{
    int rc = sp_expect_type(r, list, SP_YAML_LIST, path);
    struct sp_filter *args = sp_arena_array(r->arena, list->count + 1, sizeof *args);
    if (rc == 0 && args == NULL) {
        rc = sp_nomem(r->err);
    }
    if (rc == 0 && list->count == 0) {
        rc = sp_read_fail(r, list, path, "expected a list of conditions, found an empty one");
    }
    size_t n = 0;
    for (const struct sp_yaml *m = list->first; rc == 0 && m != NULL; m = m->next) {
        const struct sp_filter *branch = NULL;
        rc = sp_read_filter(r, m, path, &branch);
        if (rc == 0) {
            args[n++] = *branch;
        }
    }
    *f = (struct sp_filter){ .op = op, .args = args, .nargs = n };
    return rc;
}

static int read_condition(struct sp_reader *r, const struct sp_yaml *m, const char *path, struct sp_filter *f)
{
    path = sp_read_path(r, path, m->key);
    if (strcmp(m->key, "and") == 0 && m->type == SP_YAML_LIST) {
        return read_branches(r, m, SP_F_AND, path, f);
    }
    if (strcmp(m->key, "or") == 0 && m->type == SP_YAML_LIST) {
        return read_branches(r, m, SP_F_OR, path, f);
    }
    if (strcmp(m->key, "not") == 0 && m->type == SP_YAML_MAP) {
        const struct sp_filter *inner = NULL;
        int rc = sp_read_filter(r, m, path, &inner);
        *f = (struct sp_filter){ .op = SP_F_NOT, .args = inner, .nargs = 1 };
        return rc;
    }
    *f = (struct sp_filter){ .op = SP_F_EQ, .column = m->key };
    switch (m->type) {
    case SP_YAML_LIST:
        return read_values(r, m, path, f);
    case SP_YAML_MAP:
        return read_operators(r, m, m->key, path, f);
    case SP_YAML_SCALAR:
        break;
    }
    return read_equal(r, m, path, f);
}

int sp_read_filter(
    struct sp_reader *r, const struct sp_yaml *node, const char *path, const struct sp_filter **out)
{
    int rc = sp_expect_type(r, node, SP_YAML_MAP, path);
    struct sp_filter *all = sp_arena_alloc(r->arena, sizeof *all);
    struct sp_filter *args = sp_arena_array(r->arena, node->count + 1, sizeof *args);
    if (rc == 0 && (all == NULL || args == NULL)) {
        rc = sp_nomem(r->err);
    }
    if (rc == 0 && node->count == 0) {
        rc = sp_read_fail(r, node, path, "expected conditions such as { status: open }, found an empty map");
    }
    size_t n = 0;
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next) {
        rc = read_condition(r, m, path, &args[n++]);
    }
    if (rc != 0) {
        return rc;
    }
    *all = (struct sp_filter){ .op = SP_F_AND, .args = args, .nargs = n };
    *out = n == 1 ? args : all;
    return 0;
}
