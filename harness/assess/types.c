/* types.c -- values that a target would change or refuse, and values that are not what their column declares. */
#include <string.h>

#include "assess/internal.h"

static const struct sp_type *declared(const struct sp_column *col)
{
    return col->type.tag != SP_MISSING ? &col->type : &col->declared;
}

/* Scaled from the rows that were read. */
static void of_all(struct sp_buf *out, const struct sp_atable *x, uint64_t n)
{
    char count[32], examined[32];
    sp_format_count(count, n);
    sp_format_count(examined, x->examined);
    sp_buf_printf(out, "%s of %s values", count, examined);
    if (!x->whole)
        sp_buf_puts(out, " looked at");
}

static void rules(struct sp_actx *c, const struct sp_atable *x, size_t i)
{
    const struct sp_colplan *plan = &x->plan[i];
    for (size_t r = 0; r < plan->nrules; r++) {
        uint64_t n = x->stats[i].touched[r];
        struct sp_buf b = SP_BUF_INIT;
        of_all(&b, x, n);
        sp_a_finding(c, n != 0 ? SP_RISK_MEDIUM : SP_RISK_LOW, x->t->name, plan->name, "type at risk", n,
            x->examined,
            n != 0 ? "decide whether the loss is fine (name it in the mapping), or choose another type in "
                     "the target"
                   : "nothing is lost so far; values that come later may be touched",
            "%s: %s (%s)", c->opt->target->kind, sp_rule_doc(plan->rules[r]), b.p != NULL ? b.p : "");
        sp_buf_free(&b);
    }
}

/* Losses that no rule describes: the values that they concern are known by their type alone. */
static void ledger(struct sp_actx *c, const struct sp_atable *x, size_t i)
{
    const struct sp_column *col = &x->t->columns[i];
    const struct sp_loss *l = c->opt->target->losses;
    for (; l != NULL && l->what != NULL; l++) {
        bool column = declared(col)->tag == l->tag;
        uint64_t n = x->stats[i].by_tag[l->tag];
        if (l->rule != SP_RULE_NONE || (!column && n == 0))
            continue;
        struct sp_buf b = SP_BUF_INIT;
        of_all(&b, x, n);
        sp_a_finding(c, n != 0 ? SP_RISK_MEDIUM : SP_RISK_LOW, x->t->name, col->name, "type at risk", n,
            x->examined,
            "rehearse with the values at their limits; convert what the target would refuse before the "
            "switch",
            "%s: %s (%s are %s)", c->opt->target->kind, l->what, b.p != NULL ? b.p : "", sp_tag_name(l->tag));
        sp_buf_free(&b);
    }
}

static void misfits(struct sp_actx *c, const struct sp_atable *x, size_t i)
{
    const struct sp_column *col = &x->t->columns[i];
    const struct sp_acolumn *seen = &x->columns[i];
    const char *native = col->native_type != NULL && col->native_type[0] != '\0'
                             ? col->native_type
                             : sp_tag_name(declared(col)->tag);
    if (seen->misfits != 0) {
        struct sp_buf b = SP_BUF_INIT;
        of_all(&b, x, seen->misfits);
        sp_a_finding(c, c->same_kind ? SP_RISK_LOW : SP_RISK_HIGH, x->t->name, col->name,
            "does not fit its declaration", seen->misfits, x->examined,
            "mend these values at the source, or choose a type that takes them: a backend that enforces "
            "types refuses them",
            "%s cannot be read as %s, as declared", b.p != NULL ? b.p : "", native);
        sp_buf_free(&b);
    }
    if (seen->too_long != 0) {
        struct sp_buf b = SP_BUF_INIT;
        of_all(&b, x, seen->too_long);
        sp_a_finding(c, c->same_kind ? SP_RISK_LOW : SP_RISK_HIGH, x->t->name, col->name,
            "longer than declared", seen->too_long, x->examined,
            "shorten them, or declare the column wider in the target", "%s are longer than %s",
            b.p != NULL ? b.p : "", native);
        sp_buf_free(&b);
    }
    if (x->stats[i].bad_utf8 != 0)
        sp_a_finding(c, SP_RISK_HIGH, x->t->name, col->name, "invalid UTF-8", x->stats[i].bad_utf8,
            x->examined, "find out which encoding they are in and convert them, or keep the column as octets",
            "%llu texts are not valid UTF-8", (unsigned long long)x->stats[i].bad_utf8);
    uint64_t absent = x->stats[i].nulls + x->stats[i].missing;
    if (col->not_null && absent != 0)
        sp_a_finding(c, SP_RISK_HIGH, x->t->name, col->name, "null where none is allowed", absent,
            x->examined, "fill them in at the source: the target's NOT NULL refuses these rows",
            "%llu values are null in a column that is declared not null", (unsigned long long)absent);
}

/* Values that need thought in any switch: how many columns hold them. */
static void complex_types(struct sp_actx *c, const struct sp_atable *x)
{
    struct sp_buf names = SP_BUF_INIT;
    uint64_t n = 0;
    for (size_t i = 0; i < x->t->ncolumns; i++) {
        enum sp_tag tag = declared(&x->t->columns[i])->tag;
        const uint64_t *by = x->stats[i].by_tag;
        bool is = tag == SP_JSON || tag == SP_ARRAY || tag == SP_VECTOR || tag == SP_NATIVE ||
                  by[SP_JSON] + by[SP_ARRAY] + by[SP_VECTOR] + by[SP_NATIVE] != 0;
        if (!is)
            continue;
        if (n++ < 10)
            sp_buf_printf(&names, "%s%s", n == 1 ? "" : ", ", x->t->columns[i].name);
    }
    if (n != 0 && !c->same_kind)
        sp_a_finding(c, SP_RISK_LOW, x->t->name, NULL, "complex types", n, 0,
            "check how the target keeps and searches them, and which queries of yours look inside",
            "%llu column%s hold%s JSON, arrays or types of its own: %s%s", (unsigned long long)n,
            n == 1 ? "" : "s", n == 1 ? "s" : "", names.p != NULL ? names.p : "", n > 10 ? " ..." : "");
    sp_buf_free(&names);
}

/* The largest row against what one value, or one document, may hold. */
static void sizes(struct sp_actx *c, const struct sp_atable *x)
{
    int64_t limit = c->caps[SP_CAP_VALUE_BYTES].limit;
    const char *whose = c->kind->kind;
    if (c->opt->target != NULL) {
        int64_t other = c->opt->target->declared[SP_CAP_VALUE_BYTES].limit;
        if (other > 0 && (limit <= 0 || other <= limit)) {
            limit = other;
            whose = c->opt->target->kind;
        }
    }
    if (limit <= 0 || x->max_row < (uint64_t)limit / 2)
        return;
    bool over = x->max_row > (uint64_t)limit / 10 * 9;
    sp_a_finding(c, over ? SP_RISK_HIGH : SP_RISK_MEDIUM, x->t->name, NULL, "near the size limit", x->max_row,
        x->examined, "move large content into object storage, or split these documents before the switch",
        "the largest row takes %llu bytes; %s holds at most %lld in one value or document",
        (unsigned long long)x->max_row, whose, (long long)limit);
}

/* Documents: what is in them beyond the columns is measured, but no type of it is known. */
static void undeclared(struct sp_actx *c, const struct sp_atable *x)
{
    if (c->opt->target != NULL && !c->same_kind && x->t->open_fields)
        sp_a_finding(c, SP_RISK_LOW, x->t->name, NULL, "undeclared fields", 0, x->examined,
            "rehearse on a copy: verify reads and compares every field",
            "fields that no column declares were not held against the types of %s", c->opt->target->kind);
}

void sp_a_types(struct sp_actx *c, struct sp_atable *x)
{
    for (size_t i = 0; i < x->t->ncolumns && c->rc == 0; i++) {
        if (c->opt->target != NULL && !c->same_kind) {
            rules(c, x, i);
            ledger(c, x, i);
        }
        misfits(c, x, i);
    }
    complex_types(c, x);
    undeclared(c, x);
    sizes(c, x);
}
