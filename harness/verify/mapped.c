/* mapped.c -- what a mapping adds to a comparison: how a column is compared, and what is left out with a reason. Both
 * sessions are lenses then, which show the relations under one name each. */
#include "map/lens.h"
#include "verify/internal.h"

const struct sp_map_relation *sp_v_relation(const struct sp_vctx *c, const char *name)
{
    const struct sp_map_relation *r =
        c->opt->mapping != NULL ? sp_mapping_relation(c->opt->mapping, name) : NULL;
    return r != NULL && r->ignore == NULL ? r : NULL;
}

const struct sp_map_column *sp_v_map_column(const struct sp_vpair *p, const char *column)
{
    return p->rel != NULL ? sp_map_column_named(p->rel, column) : NULL;
}

bool sp_v_listed(const struct sp_vpair *p, const char *column)
{
    return p->rel == NULL || p->rel->columns_by_name || sp_map_column_named(p->rel, column) != NULL ||
           sp_str_suffix(column, SP_LENS_EMPTY); /* of an array that is listed as a relation */
}

bool sp_v_declared(const struct sp_vpair *p, const char *column)
{
    const struct sp_map_column *m = sp_v_map_column(p, column);
    for (int side = 0; m != NULL && side < 2; side++)
        if (m->constant[side] != NULL || m->ordinal[side])
            return false;
    return m == NULL || m->crosswalk == NULL;
}

int sp_v_resolve_given(struct sp_vctx *c, const struct sp_map_column *m, const struct sp_column *s,
    const struct sp_column *t, struct sp_colplan *out, const char **why)
{
    struct sp_column typed[2] = { *s, *t };
    if (m == NULL)
        return sp_equiv_resolve(&c->arena, s, t, out, why);
    for (int i = 0; m->has_type && i < 2; i++) /* what the declarations would ask for is not asked */
        typed[i].type = m->type;
    int rc = sp_equiv_resolve_with(&c->arena, &typed[0], &typed[1], m->rules, m->args, m->nrules, out, why);
    if (rc >= 0 && m->has_type) {
        out->type = m->type;
        rc = 0;
    }
    out->lossy_accepted = rc >= 0 && m->accept_loss;
    return rc;
}

/* The key of what is referred to, as a column of its plan. */
static const char *referenced(const struct sp_vctx *c, const struct sp_map_reference *ref)
{
    const struct sp_vpair *parent = sp_v_pair(c, SP_SIDE_SOURCE, ref->relation);
    if (ref->to != NULL || parent == NULL)
        return ref->to;
    return parent->nkey == 1 ? parent->cols[0].source : NULL;
}

/* What one side does not show cannot be followed there: no orphan would be found. */
static bool both_show(const struct sp_vpair *p, const char *column)
{
    for (int side = 0; side < 2; side++)
        if (p->t[side] != NULL && sp_table_column(p->t[side], column) == NULL)
            return false;
    return true;
}

const struct sp_fk *sp_v_mapped_fk(struct sp_vctx *c, const struct sp_vpair *p, size_t i)
{
    const struct sp_map_reference *ref = &p->rel->references[i];
    struct sp_fk *fk = sp_arena_alloc(&c->arena, sizeof *fk);
    const char **names = sp_arena_array(&c->arena, 2, sizeof *names);
    if (fk == NULL || names == NULL) {
        sp_v_nomem(c);
        return NULL;
    }
    names[0] = ref->column;
    names[1] = referenced(c, ref);
    const struct sp_vpair *parent = sp_v_pair(c, SP_SIDE_SOURCE, ref->relation);
    if (names[1] != NULL && parent != NULL && (!both_show(p, ref->column) || !both_show(parent, names[1]))) {
        sp_v_not_compared(c, p->name, "relation",
            "column %s refers to %s.%s, and not both sides show both columns: list them under `columns` of "
            "their relations",
            ref->column, ref->relation, names[1]);
        return NULL;
    }
    if (names[1] == NULL || parent == NULL) {
        sp_v_not_compared(c, p->name, "relation",
            "column %s refers to %s, which is not compared or has no key of one column: name it as %s.COLUMN",
            ref->column, ref->relation, ref->relation);
        return NULL;
    }
    *fk = (struct sp_fk){
        .columns = &names[0], .ncolumns = 1, .ref_table = ref->relation, .ref_columns = &names[1]
    };
    return fk;
}

/* The plan of a relation is more than its columns: which rows, and from where. */
struct sp_d128 sp_v_mapped_fingerprint(const struct sp_vctx *c, struct sp_d128 plan)
{
    struct sp_d128 both[2] = { plan, { 0, 0 } };
    if (c->opt->mapping == NULL)
        return plan;
    both[1] = c->opt->mapping->digest;
    return sp_d128_of(both, sizeof both);
}

static void leave_out(
    struct sp_vctx *c, struct sp_buf *out, const char *name, const char *column, const char *text)
{
    sp_buf_printf(out, "%s%s", out->n != 0 ? "\n" : "", text);
    sp_v_finding(c, name, column, "left out by the mapping", 1, "%s", text);
}

static const char *where_text(struct sp_vctx *c, const struct sp_map_relation *r, int side)
{
    struct sp_query q = { .table = r->table[side], .where = r->where[side], .limit = SP_NO_LIMIT };
    struct sp_buf b = SP_BUF_INIT;
    sp_query_print(&b, &q);
    const char *text =
        b.oom || b.p == NULL ? "?" : sp_arena_str(&c->arena, b.p + (sp_str_prefix(b.p, "from ") ? 5 : 0));
    sp_buf_free(&b);
    return text != NULL ? text : "?";
}

static void relation(struct sp_vctx *c, struct sp_buf *out, const struct sp_map_relation *r)
{
    const char *text = NULL;
    if (r->ignore != NULL) {
        text = sp_arena_printf(&c->arena, "table %s%s: %s", r->name,
            r->table[0] == NULL   ? " of the target"
            : r->table[1] == NULL ? " of the source"
                                  : "",
            r->ignore);
        leave_out(c, out, r->name, NULL, text != NULL ? text : r->name);
        return;
    }
    for (size_t i = 0; i < r->ncolumns; i++) {
        const struct sp_map_column *m = &r->columns[i];
        if (m->ignore == NULL)
            continue;
        text = sp_arena_printf(&c->arena, "column %s of %s: %s", m->name, r->name, m->ignore);
        leave_out(c, out, r->name, m->name, text != NULL ? text : m->name);
    }
    for (int side = 0; side < 2; side++) {
        if (r->where[side] == NULL)
            continue;
        text = sp_arena_printf(&c->arena, "of %s, rows of the %s outside of: %s", r->name,
            sp_v_side_name((enum sp_side)side), where_text(c, r, side));
        leave_out(c, out, r->name, NULL, text != NULL ? text : r->name);
    }
}

void sp_v_mapped_left_out(struct sp_vctx *c, struct sp_buf *out)
{
    const struct sp_mapping *m = c->opt->mapping;
    for (size_t i = 0; m != NULL && i < m->nrelations; i++)
        if (sp_v_selected(c, m->relations[i].name))
            relation(c, out, &m->relations[i]);
}

void sp_v_put_mapped(struct sp_vctx *c, struct sp_buf *out)
{
    struct sp_buf lines = SP_BUF_INIT;
    sp_v_mapped_left_out(c, &lines);
    for (size_t i = 0; i < lines.n; i++) {
        if (i == 0)
            sp_buf_printf(out, "%sleft out by the mapping: ", out->n != 0 ? "; " : "");
        if (lines.p[i] == '\n')
            sp_buf_puts(out, "; ");
        else
            sp_buf_putc(out, lines.p[i]);
    }
    sp_buf_free(&lines);
}
