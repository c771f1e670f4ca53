/* compare_columns.c -- what the two declarations of a column say. */
#include <strings.h>

#include "map/mapping.h"
#include "model/decimal.h"
#include "verify/internal.h"

static const char *logical_type(struct sp_vctx *c, const struct sp_column *col)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_type_print(&b, &col->type);
    const char *text = b.oom || b.p == NULL ? NULL : sp_arena_str(&c->arena, b.p);
    sp_buf_free(&b);
    return text != NULL ? text : "?";
}

/* A copy through a mapping has the types that the mapping gives, or its rules make. For the rest it binds values to what their column
 * declares, where the source lets any value in; where that declares nothing, to what all of them are. */
static bool holds_what_is_declared(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_column *s, const struct sp_column *t)
{
    const struct sp_map_column *m = sp_v_map_column(p, s->name);
    bool given = m != NULL && m->has_type;
    struct sp_type want = given ? m->type : s->declared,
                   has = given && t->declared.tag != SP_MISSING ? t->declared : t->type;
    if (c->opt->mapping == NULL || (!given && s->type.tag != SP_MISSING))
        return false;
    for (size_t i = 0; m != NULL && !given && i < m->nrules; i++)
        sp_rule_type(m->rules[i], &want);
    if (want.tag == SP_MISSING && s->native_type[0] == '\0') {
        sp_v_finding(c, p->name, s->name, "type", 1,
            "column %s: the source lets any value in, the target declares %s", s->name, t->native_type);
        return true;
    }
    want.padded = want.padded && given; /* as the copy does: nothing was padded, and no width was held to */
    if (want.tag == SP_INT && !given)
        want.int_bits = 64;
    return want.tag != SP_MISSING && sp_type_equal(&want, &has);
}

/* Two backends of one kind must spell it alike, too. Between kinds the comparison plan is the judge: a pair that needs
 * no lossy rule holds the same values; lossy and incomparable pairs are reported where they are planned. */
static void type(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_column *s, const struct sp_column *t)
{
    const char *table = p->name;
    if (!c->same_kind)
        return;
    const char *a = s->native_type, *b = t->native_type;
    if (p->rel != NULL && (a == NULL || b == NULL))
        return; /* a place inside a document: nobody declares it */
    bool text_differs = a != NULL && b != NULL && strcasecmp(a, b) != 0;
    if (!text_differs && sp_type_equal(&s->type, &t->type) && (a == NULL) == (b == NULL))
        return;
    if (holds_what_is_declared(c, p, s, t))
        return;
    sp_v_schema_diff(c, "type", table, s->name,
        text_differs ? (a[0] != '\0' ? a : "(no type)") : logical_type(c, s),
        text_differs ? (b[0] != '\0' ? b : "(no type)") : logical_type(c, t));
}

/* What a literal stands for: NULL, a word of two, a number, or a text. */
static int literal(struct sp_arena *a, const char *s, struct sp_value *out)
{
    struct sp_vtoken t;
    const char *at = s;
    if (!sp_v_next_token(&at, &t))
        return 1;
    if (*t.p == '\'') {
        char *text = sp_arena_alloc(a, t.n);
        size_t n = 0;
        for (size_t i = 1; text != NULL && i + 1 < t.n; i++) {
            text[n++] = t.p[i];
            i += t.p[i] == '\'' ? 1u : 0u; /* doubled */
        }
        *out = sp_v_textn(text, n);
        return text == NULL ? -SP_E_NOMEM : 0;
    }
    if (t.n == 4 && strncasecmp(t.p, "null", 4) == 0)
        *out = sp_v_null();
    else if (t.n == 4 && strncasecmp(t.p, "true", 4) == 0)
        *out = sp_v_bool(true);
    else if (t.n == 5 && strncasecmp(t.p, "false", 5) == 0)
        *out = sp_v_bool(false);
    else if (sp_dec_parse(a, t.p, strcspn(t.p, " "), &out->u.dec) == 0)
        out->tag = SP_DEC;
    else
        return 1;
    return 0;
}

/* Two literals that are the same value in this pair of columns: '2024-01-01' and '2024-01-01 00:00:00'. */
static bool same_literal(
    struct sp_vctx *c, const struct sp_column *s, const struct sp_column *t, const char *a, const char *b)
{
    struct sp_value v[2], out[2];
    struct sp_colplan plan = { .name = NULL };
    const char *why;
    if (a == NULL || b == NULL || !sp_v_expr_is_literal(a) || !sp_v_expr_is_literal(b) ||
        sp_v_resolve(c, s, t, &plan, &why) != 0 || literal(&c->arena, a, &v[0]) != 0 ||
        literal(&c->arena, b, &v[1]) != 0)
        return false;
    for (size_t i = 0; i < plan.nrules; i++)
        if (sp_rule_apply_arg(plan.rules[i], plan.args[i], &c->arena, &v[0], &v[0]) < 0)
            return false;
    for (int i = 0; i < 2; i++)
        if (sp_coerce(&c->arena, &plan.type, &v[i], &out[i]) != 0)
            return false;
    return sp_value_equal(&out[0], &out[1]);
}

/* An expression in two dialects can only be compared where both are literals, or equal as text. */
static void expression(
    struct sp_vctx *c, const char *element, const char *table, const char *name, const char *a, const char *b)
{
    if (sp_v_expr_equal(a, b))
        return;
    if (c->same_kind || a == NULL || b == NULL || (sp_v_expr_is_literal(a) && sp_v_expr_is_literal(b)))
        sp_v_schema_diff(c, element, table, name, a, b);
    else
        sp_v_not_inspected(
            c, element, table, name, "table %s: written in two languages: %s | %s", table, a, b);
}

/* Does a key or unique constraint say how often a value of this column may be there? */
static bool is_unique(const struct sp_table *t, const char *column)
{
    bool met = sp_str_among(t->pk, t->npk, column);
    for (size_t i = 0; !met && i < t->nuniques; i++)
        met = sp_str_among(t->uniques[i].columns, t->uniques[i].ncolumns, column);
    for (size_t i = 0; !met && i < t->nindexes; i++)
        met = t->indexes[i].unique && sp_str_among(t->indexes[i].columns, t->indexes[i].ncolumns, column);
    return met;
}

/* Between kinds, an order of its own is worth knowing. What counts as the same value under a constraint is more than that:
 * where the source's column takes different octets for the same, enforcement was lost. */
static void collation(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_column *s, const struct sp_column *t)
{
    const char *a = s->collation, *b = t->collation, *table = p->name;
    if (sp_streq(a, b) || (a != NULL && b != NULL && c->same_kind && strcasecmp(a, b) == 0))
        return;
    bool only_order = a == NULL || (s->collation_exact && (b == NULL || t->collation_exact));
    if (!c->same_kind && (only_order || !is_unique(p->t[0], s->name)))
        sp_v_finding(c, table, s->name, "collation", 1,
            "column %s: texts are ordered and compared by %s on the source and by %s on the target", s->name,
            a != NULL ? a : "octets", b != NULL ? b : "octets");
    else if (c->same_kind || b == NULL)
        sp_v_schema_diff(c, "collation", table, s->name, a, b);
    else
        sp_v_not_inspected(c, "collation", table, s->name,
            "table %s: collation %s and collation %s of another kind of backend", table, a, b);
}

static void column(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_column *s, const struct sp_column *t)
{
    const char *table = p->name;
    type(c, p, s, t);
    bool made_anew = !c->same_kind || c->opt->mapping != NULL; /* not in the source's own words */
    if (made_anew && t->not_null && !s->not_null && sp_table_is_pk(p->t[0], s->name) &&
        sp_table_is_pk(p->t[1], t->name))
        sp_v_finding(c, table, s->name, "null in a primary key", 1,
            "column %s: the target's primary key refuses null, which the source's lets through", s->name);
    else if (s->not_null != t->not_null)
        sp_v_schema_diff(c, "nullability", table, s->name, s->not_null ? "not null" : "nullable",
            t->not_null ? "not null" : "nullable");
    if (c->same_kind || !same_literal(c, s, t, s->default_expr, t->default_expr))
        expression(c, "default", table, s->name, s->default_expr, t->default_expr);
    expression(c, "generated", table, s->name, s->generated, t->generated);
    collation(c, p, s, t);
    if (s->identity != t->identity)
        sp_v_schema_diff(c, "identity", table, s->name, s->identity ? "draws the next value" : NULL,
            t->identity ? "draws the next value" : NULL);
}

/* Ids that a crosswalk translates have other types and defaults on the two sides; whether one must be there is the same
 * question. What a collection does not declare it enforces nowhere. */
static void translated(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_column *s, const struct sp_column *t)
{
    bool key = sp_table_is_pk(p->t[0], s->name) && sp_table_is_pk(p->t[1], t->name);
    if (s->not_null && !t->not_null && !key && !t->ordinal_unstable)
        sp_v_schema_diff(c, "nullability", p->name, s->name, "not null", "nullable");
}

static void order(struct sp_vctx *c, const struct sp_vpair *p)
{
    const struct sp_table *s = p->t[0], *t = p->t[1];
    if (!c->same_kind || s->ncolumns != t->ncolumns)
        return;
    for (size_t i = 0; i < s->ncolumns; i++) {
        if (s->columns[i].ordinal_unstable || t->columns[i].ordinal_unstable)
            return;
        if (sp_table_column(t, s->columns[i].name) == NULL)
            return; /* reported as missing */
    }
    for (size_t i = 0; i < s->ncolumns; i++)
        if (strcmp(s->columns[i].name, t->columns[i].name) != 0) {
            sp_v_finding(c, p->name, s->columns[i].name, "column order", 1,
                "the columns are the same but stand in another order");
            return;
        }
}

void sp_v_compare_columns(struct sp_vctx *c, const struct sp_vpair *p)
{
    for (size_t i = 0; i < p->t[0]->ncolumns; i++) {
        const struct sp_column *s = &p->t[0]->columns[i], *t = sp_table_column(p->t[1], s->name);
        if (t == NULL || !sp_v_listed(p, s->name))
            continue;
        const struct sp_map_column *m = sp_v_map_column(p, s->name);
        if (sp_v_declared(p, s->name))
            column(c, p, s, t);
        else if (m != NULL && m->crosswalk != NULL)
            translated(c, p, s, t);
    }
    order(c, p);
}
