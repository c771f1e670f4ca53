/* objects.c -- what is declared in the source and has no equal form in the target, and the order in which tables depend on
 * each other. */
#include <stdlib.h>
#include <string.h>

#include "assess/internal.h"

#define NAMED 10 /* of a kind; more are counted */

/* ---- what the schema only lists ------------------------------------------------------------------------------------ */

/* Code and rules that somebody relies upon; the others can be left behind without anybody noticing at once. */
static bool acts(const char *kind)
{
    static const char *const words[] = { "trigger", "policy", "rule", "function", "procedure", "validator",
        "row security", NULL };
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(kind, words[i]) == 0)
            return true;
    return false;
}

static bool selected(const struct sp_actx *c, const char *name)
{
    bool any = c->opt->ntables == 0;
    for (size_t i = 0; name != NULL && i < c->opt->ntables && !any; i++)
        any = sp_glob(c->opt->tables[i], name, false);
    return any;
}

static void inventory(struct sp_actx *c)
{
    const struct sp_schema *s = c->schema;
    for (size_t i = 0; i < s->ninventory && c->rc == 0;) { /* sorted by kind */
        const char *kind = s->inventory[i].kind;
        struct sp_buf names = SP_BUF_INIT;
        uint64_t n = 0, unread = 0;
        for (; i < s->ninventory && strcmp(s->inventory[i].kind, kind) == 0; i++) {
            const struct sp_inventory_item *x = &s->inventory[i];
            if (!selected(c, x->name) && !selected(c, x->table))
                continue;
            unread += x->definition == NULL;
            if (n++ < NAMED)
                sp_buf_printf(&names, "%s%s", n == 1 ? "" : ", ", x->name);
        }
        if (n != 0 && (!c->same_kind || unread != 0))
            sp_a_finding(c, acts(kind) ? SP_RISK_MEDIUM : SP_RISK_LOW, "", NULL, "no equivalent", n, 0,
                c->same_kind ? "look at them by hand: their definition could not be read"
                             : "write them anew for the target, or move what they do into the application",
                "%llu of kind %s: %s%s", (unsigned long long)n, kind, names.p != NULL ? names.p : "",
                n > NAMED ? " ..." : "");
        sp_buf_free(&names);
    }
}

void sp_a_objects(struct sp_actx *c)
{
    inventory(c);
}

/* ---- what a table declares ------------------------------------------------------------------------------------------ */

static bool lacks(const struct sp_actx *c, enum sp_cap_id cap)
{
    return c->opt->target != NULL && !c->same_kind && c->opt->target->declared[cap].level == SP_CAP_NO;
}

static void not_enforced(
    struct sp_actx *c, const struct sp_atable *x, enum sp_cap_id cap, size_t n, const char *what)
{
    if (n != 0 && lacks(c, cap))
        sp_a_finding(c, SP_RISK_MEDIUM, x->t->name, NULL, "not enforced", n, 0,
            "check it in the application, and by `checks` of the configuration in every comparison",
            "%s does not enforce %s: %zu of them here", c->opt->target->kind, what, n);
}

static void by_words(struct sp_actx *c, const struct sp_atable *x)
{
    size_t defaults = 0, generated = 0, special = 0, collated = 0;
    for (size_t i = 0; i < x->t->ncolumns; i++) {
        const struct sp_column *col = &x->t->columns[i];
        generated += col->generated != NULL;
        defaults += col->default_expr != NULL && strchr(col->default_expr, '(') != NULL && !col->identity;
        collated += col->collation != NULL;
    }
    for (size_t i = 0; i < x->t->nindexes; i++) {
        bool expression = x->t->indexes[i].where != NULL || x->t->indexes[i].method != NULL;
        for (size_t k = 0; k < x->t->indexes[i].ncolumns; k++)
            expression = expression || x->t->indexes[i].columns[k][0] == '(';
        special += expression;
    }
    const struct {
        size_t n;
        const char *what;
    } rows[] = { { x->t->nchecks, "check constraints" }, { generated, "generated columns" },
        { defaults, "defaults that call functions" },
        { special, "indexes with conditions, expressions or a method" },
        { collated, "columns with a collation" } };
    for (size_t i = 0; i < SP_LEN(rows); i++)
        if (rows[i].n != 0 && !c->same_kind)
            sp_a_finding(c, SP_RISK_LOW, x->t->name, NULL, "in another language", rows[i].n, 0,
                "write them in the target's language, and compare by hand what verify names as not compared",
                "%zu %s", rows[i].n, rows[i].what);
}

static void names(struct sp_actx *c, const struct sp_atable *x)
{
    if (c->opt->target == NULL || c->same_kind)
        return;
    int64_t most = c->opt->target->declared[SP_CAP_IDENTIFIER_BYTES].limit;
    uint64_t n = most > 0 && strlen(x->t->name) > (uint64_t)most;
    for (size_t i = 0; i < x->t->ncolumns; i++)
        n += most > 0 && strlen(x->t->columns[i].name) > (uint64_t)most;
    if (n != 0)
        sp_a_finding(c, SP_RISK_MEDIUM, x->t->name, NULL, "names too long", n, 0,
            "give them shorter names and map them", "%llu names are longer than the %lld bytes that %s keeps",
            (unsigned long long)n, (long long)most, c->opt->target->kind);
}

void sp_a_declared(struct sp_actx *c, const struct sp_atable *x)
{
    size_t filled = 0;
    if (c->opt->target != NULL && c->opt->target->db == NULL) {
        sp_a_finding(c, SP_RISK_HIGH, x->t->name, NULL, "nowhere to go", 1, 0,
            "move it to a backend that keeps tables; objects alone can go there", "%s keeps no tables",
            c->opt->target->kind);
        return;
    }
    for (size_t i = 0; i < x->t->ncolumns; i++)
        filled += x->t->columns[i].not_null;
    not_enforced(c, x, SP_CAP_FOREIGN_KEYS, x->t->nfks, "foreign keys");
    not_enforced(c, x, SP_CAP_CHECKS, x->t->nchecks, "check constraints");
    not_enforced(c, x, SP_CAP_NOT_NULL, filled, "columns that are never null");
    not_enforced(c, x, SP_CAP_UNIQUE, x->t->nuniques, "unique constraints");
    by_words(c, x);
    names(c, x);
}

/* ---- order ------------------------------------------------------------------------------------------------------------ */

static struct sp_atable *of(struct sp_actx *c, const struct sp_table *t)
{
    for (size_t i = 0; i < c->ntables; i++)
        if (c->tables[i].t == t)
            return &c->tables[i];
    return NULL;
}

void sp_a_order(struct sp_actx *c)
{
    size_t n = c->schema->ntables, cyclic = 0, step = 0;
    size_t *order = sp_arena_array(&c->arena, n + 1, sizeof *order);
    struct sp_error err = SP_ERROR_INIT;
    struct sp_buf text = SP_BUF_INIT;
    if (order == NULL) {
        sp_a_nomem(c);
        return;
    }
    if (sp_schema_order(c->schema, order, &cyclic, &err) != 0) {
        sp_a_unknown(c, "", "order of tables", &err);
        sp_error_clear(&err);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct sp_atable *x = of(c, &c->schema->tables[order[i]]);
        if (x == NULL)
            continue;
        x->step = ++step;
        if (i >= n - cyclic)
            sp_buf_printf(&text, "%s%s", text.n == 0 ? "" : ", ", x->t->name);
    }
    if (text.n != 0)
        sp_a_finding(c, SP_RISK_LOW, "", NULL, "cycle", cyclic, 0,
            "load these tables before their foreign keys are made, or with deferred ones",
            "tables that refer to each other in a circle, or to such ones: %s", text.p != NULL ? text.p : "");
    sp_buf_free(&text);
}
