/* findings.c -- what the column counters of a scan say: values that could not be compared, rules that touched data,
 * values of another kind than their column declares, invalid text. */
#include <stdlib.h>

#include "verify/internal.h"

static bool lossy(const struct sp_vscan v[2], size_t col, enum sp_rule_kind kind)
{
    switch (kind) {
    case SP_RULE_NULL_TO_MISSING: /* one of the two alone loses nothing */
        return v[0].stats[col].missing != 0;
    case SP_RULE_MISSING_TO_NULL:
        return v[0].stats[col].nulls != 0;
    case SP_RULE_DATE_AS_MIDNIGHT:
    case SP_RULE_EPOCH_S:
    case SP_RULE_EPOCH_MS:
        return false;
    default:
        return true;
    }
}

static bool named(const char *list, const char *table, const char *column)
{
    size_t n = strlen(table);
    if (sp_streq(list, column))
        return true;
    return strncmp(list, table, n) == 0 && list[n] == '.' && strcmp(list + n + 1, column) == 0;
}

static bool accepted(const struct sp_vctx *c, const struct sp_vpair *p, const struct sp_colplan *col)
{
    for (size_t i = 0; i < c->opt->naccept_loss; i++)
        if (named(c->opt->accept_loss[i], p->name, col->source) ||
            named(c->opt->accept_loss[i], p->name, col->name))
            return true;
    return col->lossy_accepted;
}

/* The rules, a bit each, by which something was lost that nobody acknowledged. */
static unsigned rules(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vscan v[2], size_t i, bool equal)
{
    const struct sp_colplan *col = &p->cols[i];
    unsigned lost = 0;
    for (size_t r = 0; r < col->nrules; r++) {
        uint64_t touched = v[0].stats[i].touched[r];
        bool loses = touched != 0 && lossy(v, i, col->rules[r]), ok = accepted(c, p, col);
        struct sp_event ev;
        struct sp_buf rule = SP_BUF_INIT;
        sp_rule_print(&rule, col->rules[r], col->args[r]);
        sp_event_begin(&ev, SP_EV_RULE);
        sp_event_text(&ev, SP_FLD_name, p->name);
        sp_event_text(&ev, SP_FLD_column, col->name);
        sp_event_text(&ev, SP_FLD_rule, rule.p);
        sp_buf_free(&rule);
        sp_event_int(&ev, SP_FLD_touched, (int64_t)touched);
        sp_event_bool(&ev, SP_FLD_lossy, loses);
        sp_event_bool(&ev, SP_FLD_accepted, ok);
        sp_event_text(&ev, SP_FLD_why, p->why[i] != NULL ? p->why[i] : sp_rule_doc(col->rules[r]));
        sp_v_send(c, &ev);
        if (!loses || ok || !equal)
            continue;
        sp_v_lossy(c, "table %s, column %s: equal only because %llu values lost something (%s)", p->name,
            col->name, (unsigned long long)touched, sp_rule_name(col->rules[r]));
        lost |= 1u << r;
    }
    return lost;
}

/* Values that did not fit the comparison type were compared with their own type and bytes. On two backends of one kind
 * that tells equal ones from different ones; between kinds it proves nothing. */
static void uncoerced(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vscan v[2], size_t i)
{
    const struct sp_colplan *col = &p->cols[i];
    uint64_t n[2] = { v[0].stats[i].uncoerced, v[1].stats[i].uncoerced };
    if (n[0] == 0 && n[1] == 0)
        return;
    if (col->type.tag == SP_MISSING || c->same_kind)
        return;
    struct sp_buf type = SP_BUF_INIT;
    sp_type_print(&type, &col->type);
    sp_v_not_compared(c, p->name, col->name,
        "%llu values on the source and %llu on the target cannot be read as %s", (unsigned long long)n[0],
        (unsigned long long)n[1], type.oom ? "the comparison type" : type.p);
    sp_buf_free(&type);
}

/* Does a value of this tag belong into a column declared as `t`? Only kinds with a clear answer say no. */
static bool fits(enum sp_tag t, enum sp_tag tag)
{
    switch (t) {
    case SP_INT:
        return tag == SP_INT;
    case SP_BOOL:
        return tag == SP_BOOL || tag == SP_INT;
    case SP_F32:
    case SP_F64:
    case SP_DEC:
        return tag == SP_INT || tag == SP_DEC || tag == SP_F32 || tag == SP_F64;
    case SP_TEXT:
    case SP_JSON:
    case SP_UUID:
        return tag == SP_TEXT || tag == t;
    case SP_BYTES:
        return tag == SP_BYTES;
    default:
        return true;
    }
}

static void storage_class(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vscan v[2], size_t i, enum sp_side side)
{
    const struct sp_colplan *col = &p->cols[i];
    const struct sp_column *sc =
        sp_table_column(p->t[side], side == SP_SIDE_SOURCE ? col->source : col->target);
    if (sc == NULL || sc->type.tag != SP_MISSING || sc->declared.tag == SP_MISSING)
        return;
    const struct sp_colstat *st = &v[side].stats[i];
    for (int tag = SP_BOOL; tag < SP_TAG_N; tag++) {
        if (st->by_tag[tag] == 0 || fits(sc->declared.tag, (enum sp_tag)tag))
            continue;
        sp_v_finding(c, p->name, col->name, "storage class", st->by_tag[tag],
            "%s: %llu values are %s in a column declared %s", sp_v_side_name(side),
            (unsigned long long)st->by_tag[tag], sp_tag_name((enum sp_tag)tag),
            sc->native_type != NULL && sc->native_type[0] != '\0' ? sc->native_type
                                                                  : sp_tag_name(sc->declared.tag));
    }
}

void sp_v_row_findings(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vscan v[2], bool equal)
{
    unsigned *loses = calloc(p->ncols + 1, sizeof *loses);
    bool any = false;
    if (loses == NULL) {
        sp_v_nomem(c);
        return;
    }
    for (size_t i = 0; i < p->ncols; i++) {
        loses[i] = rules(c, p, v, i, equal);
        any = any || loses[i] != 0;
        uncoerced(c, p, v, i);
        for (int s = 0; s < 2; s++) {
            storage_class(c, p, v, i, (enum sp_side)s);
            if (v[s].stats[i].bad_utf8 != 0)
                sp_v_finding(c, p->name, p->cols[i].name, "invalid UTF-8", v[s].stats[i].bad_utf8,
                    "%s: %llu texts are not valid UTF-8; they are compared octet by octet",
                    sp_v_side_name((enum sp_side)s), (unsigned long long)v[s].stats[i].bad_utf8);
        }
    }
    if (any && c->rc == 0)
        sp_v_losses(c, p, &v[0], loses);
    free(loses);
}
