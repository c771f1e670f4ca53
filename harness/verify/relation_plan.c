/* relation_plan.c -- how a foreign key is checked through scans alone.
 *
 * The child is read as: the referencing columns under the type of what they reference (their digest is looked up among
 * the parent's), the same columns under the comparison type of the two copies, and the child's key. The last two make
 * the identity by which an orphan of the target is recognised among the source's. */
#include "verify/relations.h"

static struct sp_colplan plain(const char *column, struct sp_type type, bool key)
{
    return (
        struct sp_colplan){ .name = column, .source = column, .target = column, .type = type, .key = key };
}

/* The type under which child and parent meet. A dynamic column takes the numeric type that its parent's declaration
 * suggests, so that 1 and '1' meet as they do in the backend's own comparison; a value that is no number keeps its
 * own type and bytes. */
static struct sp_type meeting_type(
    struct sp_vctx *c, const struct sp_column *child, const struct sp_column *parent)
{
    struct sp_colplan plan = { .name = NULL };
    const char *why;
    if (sp_v_resolve(c, child, parent, &plan, &why) != 0)
        return (struct sp_type){ .tag = SP_MISSING };
    if (plan.type.tag != SP_MISSING)
        return plan.type;
    const struct sp_type *d = parent->type.tag == SP_MISSING ? &parent->declared : &parent->type;
    if (d->tag == SP_INT || d->tag == SP_DEC || d->tag == SP_F64)
        return (struct sp_type){ .tag = d->tag };
    return plan.type;
}

static const struct sp_colplan *pair_plan(const struct sp_vpair *p, enum sp_side side, const char *column)
{
    for (size_t i = 0; i < p->ncols; i++)
        if (strcmp(side == SP_SIDE_SOURCE ? p->cols[i].source : p->cols[i].target, column) == 0)
            return &p->cols[i];
    return NULL;
}

static bool has_columns(const struct sp_table *t, const char *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (t == NULL || sp_table_column(t, columns[i]) == NULL)
            return false;
    return t != NULL;
}

static int plan_side(struct sp_vctx *c, struct sp_vrel *r, enum sp_side side)
{
    const struct sp_table *child = r->pair->t[side];
    const struct sp_table *parent = sp_schema_table(c->schema[side], r->fk->ref_table);
    struct sp_vrelside *s = &r->side[side];
    size_t n = r->fk->ncolumns;
    s->nchild = 2 * n + r->pair->nkey;
    s->child_cols = sp_arena_array(&c->arena, s->nchild, sizeof *s->child_cols);
    s->parent_cols = sp_arena_array(&c->arena, n, sizeof *s->parent_cols);
    if (s->child_cols == NULL || s->parent_cols == NULL)
        return sp_v_nomem(c);
    if (!has_columns(child, r->fk->columns, n))
        return 0; /* nothing refers to anything */
    s->child = child;
    bool parent_there = has_columns(parent, r->fk->ref_columns, n);
    s->parent = parent_there ? parent : NULL;
    for (size_t i = 0; i < n; i++) {
        const struct sp_column *cc = sp_table_column(child, r->fk->columns[i]);
        const struct sp_column *pc = parent_there ? sp_table_column(parent, r->fk->ref_columns[i]) : cc;
        struct sp_type type = meeting_type(c, cc, pc);
        const struct sp_colplan *same = pair_plan(r->pair, side, cc->name);
        s->child_cols[i] = plain(cc->name, type, true);
        s->child_cols[n + i] = same != NULL ? *same : plain(cc->name, type, false);
        s->child_cols[n + i].key = false;
        s->parent_cols[i] = plain(pc->name, type, true);
    }
    for (size_t i = 0; i < r->pair->nkey; i++) {
        s->child_cols[2 * n + i] = r->pair->cols[i];
        s->child_cols[2 * n + i].key = false;
    }
    return c->rc;
}

/* The row check proved both tables equal under plans that hold these columns unchanged: what is found on the source
 * holds for the target. */
static bool proven(const struct sp_vctx *c, const struct sp_vrel *r)
{
    const struct sp_vpair *parent = sp_v_pair(c, SP_SIDE_SOURCE, r->fk->ref_table);
    if (!c->same_kind || parent == NULL || !parent->digest_equal || !r->pair->digest_equal)
        return false;
    for (size_t i = 0; i < r->fk->ncolumns; i++) {
        const struct sp_colplan *a = pair_plan(r->pair, SP_SIDE_SOURCE, r->fk->columns[i]);
        const struct sp_colplan *b = pair_plan(parent, SP_SIDE_SOURCE, r->fk->ref_columns[i]);
        if (a == NULL || b == NULL || a->nrules != 0 || b->nrules != 0)
            return false;
    }
    return true;
}

static int name_it(struct sp_vctx *c, struct sp_vrel *r)
{
    struct sp_buf b = SP_BUF_INIT;
    for (size_t i = 0; i < r->fk->ncolumns; i++)
        sp_buf_printf(&b, "%s%s", i == 0 ? "" : ", ", r->fk->columns[i]);
    r->columns = b.oom || b.p == NULL ? NULL : sp_arena_str(&c->arena, b.p);
    sp_buf_free(&b);
    r->name = r->fk->name != NULL && r->fk->name[0] != '\0'
                  ? r->fk->name
                  : sp_arena_printf(&c->arena, "%s(%s)->%s", r->pair->name,
                        r->columns != NULL ? r->columns : "?", r->fk->ref_table);
    return r->columns == NULL || r->name == NULL ? sp_v_nomem(c) : 0;
}

int sp_v_rel_plan(struct sp_vctx *c, const struct sp_vpair *pair, const struct sp_fk *fk, struct sp_vrel *out)
{
    *out = (struct sp_vrel){ .pair = pair, .fk = fk };
    if (name_it(c, out) != 0)
        return c->rc;
    for (int i = 0; i < 2; i++)
        if (plan_side(c, out, (enum sp_side)i) != 0)
            return c->rc;
    out->proven_equal = proven(c, out);
    return 0;
}
