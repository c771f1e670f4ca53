/* looked.c -- what was asked for and looked at nothing proves nothing. Each check says when it met something that it is about: a
 * foreign key, a counter, a bucket. That a target holds what the source demands by itself is something, too. And
 * what the team configured, where the choice of tables or checks leaves it out, is named one by one. */
#include "map/mapping.h"
#include "verify/internal.h"

#define MOST_NAMED 200u /* references left out */

void sp_v_looked(struct sp_vctx *c, unsigned check)
{
    c->looked |= check;
}

/* Checks over tables look at each that both sides have. */
static void tables_looked_at(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->npairs; i++)
        sp_v_looked(c, c->opt->checks & (SP_VC_SCHEMA | SP_VC_ROWS | SP_VC_PROFILES | SP_VC_COUNTS));
}

static unsigned idle(const struct sp_vctx *c)
{
    return c->opt->checks & ~c->looked;
}

static const char *nothing(const struct sp_vctx *c)
{
    if (c->opt->ntables != 0 && c->npairs == 0)
        return "--tables names no table";
    bool tables = sp_v_keeps_tables(c, SP_SIDE_SOURCE) && sp_v_keeps_tables(c, SP_SIDE_TARGET);
    return (c->opt->checks & SP_VC_SCHEMA) != 0 && tables ? "neither side has a table"
                                                          : "neither side has what these checks look at";
}

/* Where something was said already, it is why. */
void sp_v_looked_at_nothing(struct sp_vctx *c)
{
    struct sp_buf checks = SP_BUF_INIT;
    tables_looked_at(c);
    sp_v_put_checks(&checks, c->opt->checks);
    if (c->rc == 0 && c->looked == 0 && c->not_compared == 0 && c->differences == 0)
        sp_v_not_compared(c, "everything", "nothing", "%s; there is nothing to compare (--checks %s)",
            nothing(c), checks.p != NULL ? checks.p : "");
    sp_buf_free(&checks);
}

void sp_v_put_idle(const struct sp_vctx *c, struct sp_buf *out)
{
    unsigned checks = c->opt->checks;
    if (checks == SP_VC_ALL || checks == SP_VC_DATA || idle(c) == 0 || c->looked == 0)
        return; /* nobody asked for them by name */
    sp_buf_printf(out, "%schecks that found nothing to look at on either side: ", out->n != 0 ? "; " : "");
    sp_v_put_checks(out, idle(c));
}

/* ---- left out by --tables, or by --checks --------------------------------------------------------------------- */

static void leave_out(struct sp_vctx *c, const char *name, const char *option, const char *text)
{
    struct sp_event ev;
    const char *what = sp_arena_printf(&c->arena, "left out by %s", option);
    const char *reason = sp_arena_printf(&c->arena, "left out by %s: %s", option, text);
    if (what == NULL || reason == NULL) {
        sp_v_nomem(c);
        return;
    }
    sp_event_begin(&ev, SP_EV_NOT_COMPARED);
    sp_event_text(&ev, SP_FLD_name, name);
    sp_event_text(&ev, SP_FLD_what, what);
    sp_event_text(&ev, SP_FLD_reason, reason);
    sp_event_bool(&ev, SP_FLD_accepted, true); /* whoever gives the option asks for it */
    sp_v_send(c, &ev);
    sp_buf_printf(&c->left_out, "%s%s", c->left_out.n != 0 ? ", " : "", name);
}

static const char *list(struct sp_vctx *c, const char *const *columns, size_t n)
{
    struct sp_buf b = SP_BUF_INIT;
    for (size_t i = 0; i < n; i++)
        sp_buf_printf(&b, "%s%s", i == 0 ? "" : ", ", columns[i]);
    const char *text = b.p != NULL && !b.oom ? sp_arena_str(&c->arena, b.p) : NULL;
    sp_buf_free(&b);
    return text != NULL ? text : "?";
}

static void demand(struct sp_vctx *c, const struct sp_verify_demand *d)
{
    const char *text = sp_arena_printf(&c->arena, "%s %s (%s)", d->unique ? "unique" : "required", d->table,
        list(c, d->columns, d->ncolumns));
    leave_out(c, d->name, "--tables", text != NULL ? text : d->table);
}

static void reference(
    struct sp_vctx *c, const char *table, const char *columns, const char *to, size_t *named)
{
    const char *name = sp_arena_printf(&c->arena, "%s(%s)->%s", table, columns, to);
    if (name != NULL && (*named)++ < MOST_NAMED)
        leave_out(c, name, "--tables", "the references of its rows");
}

static bool declared_before(const struct sp_vctx *c, const struct sp_table *t, const struct sp_fk *fk)
{
    const struct sp_table *s = sp_schema_table(c->schema[0], t->name);
    for (size_t i = 0; s != NULL && s != t && i < s->nfks; i++) {
        const struct sp_fk *x = &s->fks[i];
        bool same = x->ncolumns == fk->ncolumns && sp_streq(x->ref_table, fk->ref_table);
        for (size_t k = 0; same && k < fk->ncolumns; k++)
            same = sp_streq(x->columns[k], fk->columns[k]);
        if (same)
            return true;
    }
    return false;
}

static void relations(struct sp_vctx *c)
{
    const struct sp_mapping *m = c->opt->mapping;
    size_t named = 0;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < c->schema[side]->ntables; i++) {
            const struct sp_table *t = &c->schema[side]->tables[i];
            for (size_t f = 0; f < t->nfks && !sp_v_selected(c, t->name); f++)
                if (!declared_before(c, t, &t->fks[f]))
                    reference(c, t->name, list(c, t->fks[f].columns, t->fks[f].ncolumns), t->fks[f].ref_table,
                        &named);
        }
    }
    for (size_t i = 0; m != NULL && i < m->nrelations; i++) {
        const struct sp_map_relation *r = &m->relations[i];
        for (size_t k = 0; k < r->nreferences && r->ignore == NULL && !sp_v_selected(c, r->name); k++)
            reference(c, r->name, r->references[k].column, r->references[k].relation, &named);
    }
    const char *more =
        sp_arena_printf(&c->arena, "%zu more references", named - (named < MOST_NAMED ? named : MOST_NAMED));
    if (named > MOST_NAMED && more != NULL)
        leave_out(c, more, "--tables", "the references of the rows of yet more tables");
}

static bool on_no_table(const struct sp_vctx *c, const char *table)
{
    return !sp_v_selected(c, table) && sp_v_pair(c, SP_SIDE_SOURCE, table) == NULL &&
           sp_v_pair(c, SP_SIDE_TARGET, table) == NULL;
}

bool sp_v_demand_chosen(const struct sp_vctx *c, const struct sp_verify_demand *d)
{
    return !on_no_table(c, d->table);
}

/* No table is looked at, and so none of the team's checks. */
static void team(struct sp_vctx *c)
{
    const char *why = "the team's checks look into tables, and these checks do not";
    for (size_t i = 0; i < c->opt->ndemands; i++)
        leave_out(c, c->opt->demands[i].name, "--checks", why);
    for (size_t i = 0; i < c->opt->ncustom; i++)
        leave_out(c, c->opt->custom_names[i], "--checks", why);
    for (size_t i = 0; i < c->opt->nqueries; i++)
        leave_out(c, c->opt->queries[i].name, "--checks", why);
}

void sp_v_named_out(struct sp_vctx *c, bool tables)
{
    if (!tables) {
        team(c);
        return;
    }
    for (size_t i = 0; i < c->opt->ndemands; i++)
        if (!sp_v_demand_chosen(c, &c->opt->demands[i]))
            demand(c, &c->opt->demands[i]);
    if ((c->opt->checks & SP_VC_RELATIONS) && c->opt->ntables != 0)
        relations(c);
}

void sp_v_put_named_out(const struct sp_vctx *c, struct sp_buf *out)
{
    if (c->left_out.p != NULL && !c->left_out.oom)
        sp_buf_printf(
            out, "%schecks left out with them, not compared: %s", out->n != 0 ? "; " : "", c->left_out.p);
}
