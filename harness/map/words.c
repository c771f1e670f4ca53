/* words.c -- the names of types and rules in a mapping, with what stands in their parentheses. */
#include <string.h>

#include "base/str.h"
#include "map/parse.h"

/* NAME or NAME(ARGUMENTS): the arguments are "" when there are no parentheses. */
static int take_apart(struct sp_reader *r, const char *text, char **name, char **args)
{
    size_t n = strlen(text), open = strcspn(text, "(");
    bool closed = open < n && text[n - 1] == ')';
    if (open < n && !closed)
        open = n; /* no name is like that: the caller says so */
    *name = sp_arena_strn(r->arena, text, open);
    *args = sp_arena_strn(r->arena, text + open + (closed ? 1 : 0), closed ? n - open - 2 : 0);
    return *name != NULL && *args != NULL ? 0 : sp_nomem(r->err);
}

static bool number(const char *text, int64_t min, int64_t max, int64_t *out)
{
    while (*text == ' ')
        text++;
    return sp_parse_i64(text, out) && *out >= min && *out <= max;
}

/* ---- types --------------------------------------------------------------------------------------------------------- */

static int unknown_type(struct sp_reader *r, const struct sp_key_value *v, const char *path, const char *name)
{
    const char *names[SP_TAG_N + 1] = { NULL };
    size_t n = 0;
    for (int t = SP_BOOL; t < SP_NATIVE; t++)
        names[n++] = sp_tag_name((enum sp_tag)t);
    return sp_read_fail(r, v->node, path, "unknown type \"%s\"%s", name, sp_read_hint(r->arena, name, names));
}

/* What may stand in the parentheses is as sp_type_print() writes it. */
static bool type_arguments(struct sp_type *t, char *args)
{
    int64_t a = 0, b = 0;
    char *comma = strchr(args, ',');
    if (*args == '\0')
        return true;
    switch (t->tag) {
    case SP_DEC:
        if (comma == NULL)
            return false;
        *comma = '\0';
        if (!number(args, 1, 1000000, &a) || !number(comma + 1, -10000, 1000000, &b))
            return false;
        t->precision = (uint32_t)a;
        t->scale = (int32_t)b;
        return true;
    case SP_TEXT:
    case SP_BYTES:
    case SP_VECTOR:
        if (!number(args, 1, INT32_MAX, &a))
            return false;
        t->length = (uint32_t)a;
        return true;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_TIME:
        if (!number(args, 0, 9, &a))
            return false;
        t->precision = (uint32_t)a + 1;
        return true;
    case SP_ARRAY:
        return sp_tag_parse(args, &t->elem) == 0 && t->elem > SP_NULL && t->elem < SP_ARRAY;
    default:
        return false;
    }
}

int sp_map_read_type(struct sp_reader *r, const struct sp_key_value *v, const char *path, struct sp_type *out)
{
    char *name, *args;
    struct sp_type t = { .tag = SP_MISSING };
    int rc = take_apart(r, v->text, &name, &args);
    if (rc != 0)
        return rc;
    if (sp_tag_parse(name, &t.tag) != 0 || t.tag <= SP_NULL || t.tag >= SP_NATIVE)
        return unknown_type(r, v, path, name);
    if (!type_arguments(&t, args))
        return sp_read_fail(r, v->node, path,
            "\"%s\" is no form of %s: expected such as decimal(12,2), text(40), instant(3), array(int)",
            v->text, name);
    *out = t;
    return 0;
}

/* ---- rules --------------------------------------------------------------------------------------------------------- */

static int unknown_rule(struct sp_reader *r, const struct sp_key_value *v, const char *path, const char *name)
{
    const char *names[SP_RULE_N + 1] = { NULL };
    size_t n = 0;
    for (int k = SP_RULE_NONE + 1; k < SP_RULE_N; k++)
        names[n++] = sp_rule_name((enum sp_rule_kind)k);
    return sp_read_fail(r, v->node, path, "unknown rule \"%s\"%s", name, sp_read_hint(r->arena, name, names));
}

static int read_rule(struct sp_reader *r, const struct sp_key_value *v, const char *path, const char *text,
    struct sp_map_column *out)
{
    char *name, *args;
    enum sp_rule_kind k = SP_RULE_NONE;
    int64_t arg = 0;
    int rc = take_apart(r, text, &name, &args);
    if (rc != 0)
        return rc;
    if (sp_rule_parse(name, &k) != 0 || k == SP_RULE_NONE)
        return unknown_rule(r, v, path, name);
    if (sp_rule_has_arg(k) && !number(args, 0, 1000000, &arg))
        return sp_read_fail(
            r, v->node, path, "the rule %s needs a number: %s(2), found \"%s\"", name, name, text);
    if (!sp_rule_has_arg(k) && *args != '\0')
        return sp_read_fail(r, v->node, path, "the rule %s takes no number, found \"%s\"", name, text);
    for (size_t i = 0; i < out->nrules; i++)
        if (out->rules[i] == k)
            return sp_read_fail(r, v->node, path, "the rule %s stands there twice", name);
    if (out->nrules == SP_MAX_RULES)
        return sp_read_fail(r, v->node, path, "more than %d rules", SP_MAX_RULES);
    out->rules[out->nrules] = k;
    out->args[out->nrules++] = (int32_t)arg;
    return 0;
}

int sp_map_read_rules(
    struct sp_reader *r, const struct sp_key_value *v, const char *path, struct sp_map_column *out)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < v->nnames; i++)
        rc = read_rule(r, v, path, v->names[i], out);
    return rc;
}
