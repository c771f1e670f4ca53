/* mapped.c -- a copy through a mapping: the source is a lens that shows the target's names (map/for_copy.h); what remains
 * to be done here is what rules make of types and values. */
#include "map/mapping.h"
#include "migrate/internal.h"

const struct sp_map_column *sp_m_map_column(const struct sp_mctx *m, const char *table, const char *column)
{
    const struct sp_map_relation *r =
        m->opt->mapping != NULL ? sp_mapping_relation(m->opt->mapping, table) : NULL;
    return r != NULL && r->ignore == NULL ? sp_map_column_named(r, column) : NULL;
}

static void shape(struct sp_column *c, const struct sp_map_column *m)
{
    if (m->has_type)
        c->type = m->type;
    for (size_t i = 0; !m->has_type && i < m->nrules; i++)
        sp_rule_type(m->rules[i], c->type.tag != SP_MISSING ? &c->type : &c->declared);
    if (m->has_type)
        c->declared = (struct sp_type){ .tag = SP_MISSING };
    if (m->has_type || m->nrules != 0)
        c->native_type = NULL;
}

int sp_m_mapped_types(struct sp_mctx *m, struct sp_error *err)
{
    struct sp_table *t = sp_arena_array(&m->arena, m->from->ntables + 1, sizeof *t);
    if (m->opt->mapping == NULL)
        return 0;
    if (t == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < m->from->ntables; i++) {
        t[i] = m->from->tables[i];
        struct sp_column *c = sp_arena_array(&m->arena, t[i].ncolumns + 1, sizeof *c);
        if (c == NULL)
            return sp_nomem(err);
        for (size_t k = 0; k < t[i].ncolumns; k++) {
            c[k] = t[i].columns[k];
            const struct sp_map_column *mc = sp_m_map_column(m, t[i].name, c[k].name);
            if (mc != NULL)
                shape(&c[k], mc);
        }
        t[i].columns = c;
    }
    m->from->tables = t;
    return 0;
}

void sp_m_mapped_rules(const struct sp_mctx *m, const char *table, struct sp_colplan *plan)
{
    const struct sp_map_column *mc = sp_m_map_column(m, table, plan->name);
    for (size_t i = 0; mc != NULL && i < mc->nrules; i++) {
        plan->rules[i] = mc->rules[i];
        plan->args[i] = mc->args[i];
        plan->nrules = i + 1;
    }
}
