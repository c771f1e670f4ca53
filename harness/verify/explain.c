/* explain.c -- the plan of a comparison, for people: nothing but declarations and row counts is asked for. */
#include <stdlib.h>

#include "map/mapping.h"
#include "verify/explain.h"
#include "verify/internal.h"

struct explain {
    struct sp_vctx *c;
    struct sp_buf *out;
};

static void put_place(struct sp_buf *out, const struct sp_map_relation *r, const struct sp_map_column *m,
    int side, const char *name)
{
    if (m == NULL)
        sp_buf_puts(out, name);
    else if (m->constant[side] != NULL) {
        sp_buf_puts(out, "constant ");
        sp_value_print_key(out, m->constant[side]);
    } else if (m->ordinal[side])
        sp_buf_printf(out, "position in %s, from %lld", r->array[side], (long long)r->ordinal_base);
    else if (m->parent[side])
        sp_buf_printf(out, "%s of the document", m->place[side]);
    else if (m->place[side][0] == '\0')
        sp_buf_puts(out, "the element");
    else
        sp_buf_puts(out, m->place[side]);
}

/* "town -> address/city", or one name where both sides have the same. */
static void put_places(struct sp_buf *out, const struct sp_vpair *p, const char *column)
{
    const struct sp_map_column *m = sp_v_map_column(p, column);
    struct sp_buf side[2] = { SP_BUF_INIT, SP_BUF_INIT };
    for (int i = 0; i < 2; i++)
        put_place(&side[i], p->rel, m, i, column);
    sp_buf_printf(out, "  %-24s ", column);
    if (side[0].oom || side[1].oom)
        sp_buf_puts(out, "?");
    else if (!sp_streq(side[0].p, column) || !sp_streq(side[1].p, column))
        sp_buf_printf(out, "%s -> %s, ", side[0].p, side[1].p);
    sp_buf_free(&side[0]);
    sp_buf_free(&side[1]);
}

static void put_column(struct explain *x, const struct sp_vpair *p, size_t i)
{
    const struct sp_colplan *col = &p->cols[i];
    const struct sp_map_column *m = sp_v_map_column(p, col->source);
    put_places(x->out, p, col->source);
    sp_buf_puts(x->out, "as ");
    if (col->type.tag == SP_MISSING)
        sp_buf_puts(x->out, "whatever each value is");
    else
        sp_type_print(x->out, &col->type);
    sp_buf_puts(x->out, m != NULL && m->has_type ? " (given)" : "");
    sp_buf_puts(x->out, col->key ? ", key" : "");
    if (m != NULL && m->crosswalk != NULL)
        sp_buf_printf(x->out, ", ids translated by %s", m->crosswalk);
    for (size_t r = 0; r < col->nrules; r++) {
        sp_buf_puts(x->out, r == 0 ? "; rules: " : ", ");
        sp_rule_print(x->out, col->rules[r], col->args[r]);
    }
    sp_buf_printf(x->out, "%s\n", col->lossy_accepted ? "; loss accepted" : "");
    if (p->why[i] != NULL)
        sp_buf_printf(x->out, "  %-24s   %s\n", "", p->why[i]);
}

static void put_table(struct explain *x, const struct sp_vpair *p, int side)
{
    const struct sp_map_relation *r = p->rel;
    int64_t n = 0;
    sp_buf_printf(x->out, "  %s: ", sp_v_side_name((enum sp_side)side));
    if (p->t[side] == NULL) {
        sp_buf_puts(x->out, "none\n");
        return;
    }
    sp_buf_puts(x->out, r != NULL ? r->table[side] : p->t[side]->name);
    if (r != NULL && r->array[side] != NULL) {
        sp_buf_printf(x->out, ", the elements of array %s%s\n", r->array[side],
            r->ordered[side] ? ", their order is data" : ", in any order");
    } else if (sp_db_count(x->c->session[side], p->t[side]->name, NULL, &n, NULL) == 0) {
        char text[32];
        sp_format_count(text, (uint64_t)(n < 0 ? 0 : n));
        sp_buf_printf(x->out, ", %s rows\n", text);
    } else {
        sp_buf_puts(x->out, ", rows not counted\n");
    }
    if (r != NULL && r->where[side] != NULL) {
        struct sp_query q = { .table = r->table[side], .where = r->where[side], .limit = SP_NO_LIMIT };
        sp_buf_puts(x->out, "          only ");
        sp_query_print(x->out, &q);
        sp_buf_puts(x->out, "\n");
    }
}

static void put_key(struct explain *x, const struct sp_vpair *p)
{
    sp_buf_puts(x->out, "  key: ");
    for (size_t i = 0; i < p->nkey; i++)
        sp_buf_printf(x->out, "%s%s", i != 0 ? ", " : "", p->cols[i].source);
    if (p->nkey == 0)
        sp_buf_puts(x->out, "none, rows are matched as a whole and counted");
    else if (p->rel != NULL && p->rel->nkey != 0)
        sp_buf_puts(x->out, " (given)");
    else
        sp_buf_puts(x->out, sp_table_is_pk(p->t[0], p->cols[0].source)   ? " (the source's primary key)"
                            : sp_table_is_pk(p->t[1], p->cols[0].target) ? " (the target's primary key)"
                                                                         : " (unique and never null)");
    sp_buf_putc(x->out, '\n');
}

static void put_relation(struct explain *x, const struct sp_vpair *p)
{
    sp_buf_printf(x->out, "\n%s\n", p->name);
    put_table(x, p, 0);
    put_table(x, p, 1);
    if (p->t[0] == NULL || p->t[1] == NULL)
        return;
    put_key(x, p);
    for (size_t i = 0; i < p->ncols; i++)
        put_column(x, p, i);
    for (size_t i = 0; p->rel != NULL && i < p->rel->nreferences; i++)
        sp_buf_printf(
            x->out, "  %-24s refers to %s\n", p->rel->references[i].column, p->rel->references[i].relation);
    if (p->residual)
        sp_buf_printf(x->out, "  %-24s all other fields of the documents, as one map\n", "...");
    sp_buf_puts(x->out, p->ncols == 0 ? "  no column is compared\n" : "");
}

static void put_lines(struct sp_buf *out, const char *title, const char *text)
{
    sp_buf_printf(out, "\n%s\n", title);
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        sp_buf_puts(out, "  ");
        sp_buf_put(out, text, n);
        sp_buf_putc(out, '\n');
        text += n + (text[n] == '\n');
    }
}

static void put_plan(struct explain *x, const struct sp_buf *reasons)
{
    struct sp_vctx *c = x->c;
    struct sp_buf left = SP_BUF_INIT;
    char digest[33];
    for (int i = 0; i < 2; i++)
        sp_buf_printf(x->out, "%s: %s (%s)\n", sp_v_side_name((enum sp_side)i),
            sp_session_endpoint(c->session[i])->name, sp_session_provider(c->session[i])->kind);
    if (c->opt->mapping != NULL) {
        sp_d128_format(digest, c->opt->mapping->digest);
        sp_buf_printf(x->out, "mapping: %s, digest %s\n", c->opt->mapping->file, digest);
    }
    for (size_t i = 0; i < c->npairs; i++)
        put_relation(x, &c->pairs[i]);
    sp_v_mapped_left_out(c, &left);
    if (left.p != NULL)
        put_lines(x->out, "left out:", left.p);
    if (reasons->p != NULL)
        put_lines(x->out, "already seen, before any row was read:", reasons->p);
    sp_buf_free(&left);
}

static int look(struct sp_vctx *c)
{
    struct sp_error err = SP_ERROR_INIT;
    const char *ns[2] = { c->opt->source_ns, c->opt->target_ns };
    for (int i = 0; i < 2; i++)
        if (sp_db_introspect(c->session[i], ns[i], &c->schema[i], &err) != 0) {
            sp_error_prefix(&err, "%s", sp_v_side_name((enum sp_side)i));
            return sp_v_abort(c, &err);
        }
    if (sp_v_match(c) == 0)
        sp_v_schema_presence(c);
    return c->rc;
}

int sp_verify_explain(struct sp_session *source, struct sp_session *target,
    const struct sp_verify_options *opt, struct sp_buf *out, struct sp_error *err)
{
    struct sp_buf reasons = SP_BUF_INIT;
    bool *met = calloc(opt->naccept + 1, sizeof *met);
    if (met == NULL)
        return sp_nomem(err);
    struct sp_vctx c = { .session = { source, target },
        .opt = opt,
        .err = err,
        .reasons = &reasons,
        .reasons_left = 1000,
        .arena = SP_ARENA_INIT,
        .accept_met = met };
    struct explain x = { .c = &c, .out = out };
    c.same_kind = sp_provider_same_language(sp_session_provider(source), sp_session_provider(target));
    if (look(&c) == 0)
        put_plan(&x, &reasons);
    sp_schema_free(c.schema[0]);
    sp_schema_free(c.schema[1]);
    sp_arena_free(&c.arena);
    sp_buf_free(&reasons);
    free(met);
    return c.rc == 0 && out->oom ? sp_nomem(err) : c.rc;
}
