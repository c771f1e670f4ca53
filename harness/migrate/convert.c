/* convert.c -- types for columns that have none: where the source lets every value carry its own type and the target is
 * another kind of backend, a first pass over the rows tries the declared type and what stands near it. The first type that
 * takes every value exactly is chosen; where that isn't the declared one, it is said, with the number of values. */
#include <stdlib.h>

#include "migrate/internal.h"

#define CHOICES 8

struct choice {
    struct sp_type type;
    uint64_t misfits;
};
struct column {
    struct choice choices[CHOICES];
    size_t nchoices, at; /* column of the table */
    uint64_t values, texts;
    bool number;            /* declared boolean, but used as a number */
    struct sp_misfits list; /* of the declared type */
};
struct profile {
    struct sp_mctx *m;
    const struct sp_colplan *plan;
    const struct sp_table *t;
    struct column *columns; /* ncols */
    size_t ncols, nread;    /* behind the columns without a type, those of the key are read */
    struct sp_value *row;   /* nread */
    struct sp_arena arena;
    struct sp_error err;
    int rc;
};

static void choose(struct column *c, struct sp_type type)
{
    for (size_t i = 0; i < c->nchoices; i++)
        if (sp_type_equal(&c->choices[i].type, &type))
            return;
    if (c->nchoices < CHOICES)
        c->choices[c->nchoices++] = (struct choice){ .type = type };
}

/* Is the name written somewhere in the text? Then what is written there may count on numbers. */
static bool mentions(const struct sp_table *t, const char *name)
{
    for (size_t i = 0; i < t->nchecks; i++)
        if (strstr(t->checks[i].expr, name) != NULL)
            return true;
    for (size_t i = 0; i < t->nindexes; i++)
        if (t->indexes[i].where != NULL && strstr(t->indexes[i].where, name) != NULL)
            return true;
    return false;
}

/* In the order of preference. */
static void candidates(const struct sp_table *t, const struct sp_column *col, struct column *c)
{
    struct sp_type d = col->declared;
    bool numbers = col->default_expr != NULL || mentions(t, col->name);
    d.padded = false; /* nothing was padded */
    if (col->identity)
        d = (struct sp_type){ .tag = SP_INT };
    if (d.tag == SP_INT)
        d.int_bits = 64; /* the declaration of a width was never held to */
    c->number = d.tag == SP_BOOL && numbers;
    if (d.tag != SP_MISSING && !c->number)
        choose(c, d);
    if (d.tag == SP_LOCAL || d.tag == SP_INSTANT || d.tag == SP_DATE) {
        choose(c, (struct sp_type){ .tag = SP_INSTANT });
        choose(c, (struct sp_type){ .tag = SP_LOCAL });
    }
    choose(c, (struct sp_type){ .tag = SP_INT, .int_bits = 64 });
    if (d.tag == SP_DEC)
        choose(c, (struct sp_type){ .tag = SP_DEC });
    choose(c, (struct sp_type){ .tag = SP_F64 });
    choose(c, (struct sp_type){ .tag = SP_TEXT });
    choose(c, (struct sp_type){ .tag = SP_BYTES });
}

/* What the target is known to lose of a type, a value must not have. */
static bool loses(struct sp_mctx *m, struct sp_arena *a, const struct sp_value *v)
{
    const struct sp_loss *l = sp_session_provider(m->target)->losses;
    struct sp_value out;
    for (; l != NULL && l->what != NULL; l++)
        if (l->tag == v->tag && l->rule != SP_RULE_NONE && !sp_rule_has_arg(l->rule) &&
            sp_rule_apply(l->rule, a, v, &out) != 0)
            return true;
    return v->tag == SP_TEXT && m->caps[SP_CAP_VAL_NUL].level == SP_CAP_NO && v->u.str.n != 0 &&
           memchr(v->u.str.p, '\0', v->u.str.n) != NULL;
}

/* Coercing to a decimal knows no limits, and to a text no length. */
static bool fits(
    struct sp_mctx *m, struct sp_arena *a, const struct sp_type *type, const struct sp_value *v, bool *oom)
{
    struct sp_value out;
    int rc = sp_coerce(a, type, v, &out);
    *oom = *oom || rc == -SP_E_NOMEM;
    if (rc != 0 || loses(m, a, &out))
        return false;
    if (type->tag == SP_DEC && type->precision > 0)
        return (int64_t)out.u.dec.exp >= -(int64_t)type->scale &&
               (int64_t)out.u.dec.ndigits + out.u.dec.exp <= (int64_t)type->precision - type->scale;
    if ((type->tag == SP_TEXT || type->tag == SP_BYTES) && type->length > 0) {
        size_t n = 0;
        for (size_t i = 0; i < out.u.str.n; i++)
            n += type->tag == SP_BYTES || ((unsigned char)out.u.str.p[i] & 0xc0) != 0x80 ? 1u : 0u;
        return n <= type->length;
    }
    return true;
}

static void look(struct profile *p, struct column *c, const struct sp_value *v)
{
    bool oom = false;
    if (sp_v_is_absent(v))
        return;
    c->values++;
    c->texts += v->tag == SP_TEXT ? 1 : 0;
    for (size_t i = 0; i < c->nchoices; i++) {
        struct choice *k = &c->choices[i];
        if (k->misfits != 0 && i != 0) /* the declared type's misfits are counted to the end */
            continue;
        if (fits(p->m, &p->arena, &k->type, v, &oom))
            continue;
        k->misfits++;
        if (i == 0 && p->t->columns[c->at].declared.tag == k->type.tag)
            oom = sp_m_misfit_keep(&c->list, p->m, p->t, p->plan, p->nread, p->row, v) != 0 || oom;
    }
    if (oom)
        p->rc = sp_nomem(&p->err);
}

static int on_row(void *payload, const struct sp_rowview *view)
{
    struct profile *p = payload;
    const uint8_t *at = view->row;
    size_t left = view->nrow;
    if (p->arena.total > 1u << 20)
        sp_arena_reset(&p->arena);
    if (sp_m_interrupted())
        p->rc = sp_fail(&p->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    for (size_t i = 0; p->rc == 0 && i < p->nread; i++) {
        enum sp_state state;
        int64_t used = sp_canon_read(&p->arena, &p->plan[i].type, at, left, &p->row[i], &state);
        if (used <= 0 || (uint64_t)used > left)
            p->rc =
                sp_fail(&p->err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "column %zu cannot be read back", i + 1);
        at += used > 0 ? used : 0;
        left -= used > 0 && (uint64_t)used <= left ? (size_t)used : 0;
    }
    for (size_t i = 0; p->rc == 0 && i < p->ncols; i++)
        look(p, &p->columns[i], &p->row[i]);
    return p->rc;
}

static int pass(struct profile *p, const struct sp_table *t, struct sp_error *err)
{
    struct sp_scan s = {
        .ns = t->ns, .table = t->name, .cols = p->plan, .ncols = p->nread, .side = SP_SIDE_SOURCE
    };
    struct sp_rowbuf rb;
    int rc = sp_rowbuf_init(&rb, &s, err);
    if (rc != 0)
        return rc;
    rb.sink = on_row;
    rb.payload = p;
    rc = sp_db_scan(p->m->source, &s, &rb, err);
    if (p->rc != 0) {
        sp_error_clear(err);
        sp_error_move(err, &p->err);
        rc = p->rc;
    } else if (rc == 0 && !rb.complete) {
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "the scan did not come to a confirmed end");
    }
    sp_rowbuf_free(&rb);
    return rc;
}

static const char *type_name(struct sp_mctx *m, const struct sp_type *type)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_type_print(&b, type);
    const char *s = b.p == NULL ? NULL : sp_arena_str(&m->arena, b.p);
    sp_buf_free(&b);
    return s == NULL ? "?" : s;
}

static bool is_number(enum sp_tag tag)
{
    return tag == SP_BOOL || tag == SP_INT || tag == SP_DEC || tag == SP_F32 || tag == SP_F64;
}

static int take(struct sp_mctx *m, struct sp_mtable *x, const struct column *c, struct sp_column *out,
    struct sp_error *err)
{
    size_t i = 0;
    int rc = 0;
    /* Where no value at all fits, the declaration means another spelling: that is one remark, not a list. */
    if (c->choices[0].misfits != c->values)
        rc = sp_m_misfit_say(m, &c->list, x->t->name, out->name, type_name(m, &c->choices[0].type),
            c->choices[0].misfits, err);
    if (rc != 0)
        return rc;
    /* Where no number is declared, texts that happen to spell numbers stay texts. */
    bool texts = !is_number(out->declared.tag) && c->values != 0 && c->texts == c->values;
    while (i < c->nchoices && (c->choices[i].misfits != 0 || (texts && is_number(c->choices[i].type.tag))))
        i++;
    if (i == c->nchoices)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "table %s, column %s: its values are of several types, and no type of the target takes them all; "
            "%llu of %llu are no %s",
            x->t->name, out->name, (unsigned long long)c->choices[0].misfits, (unsigned long long)c->values,
            type_name(m, &c->choices[0].type));
    const struct sp_type declared = out->declared;
    out->type = c->choices[i].type;
    out->declared = (struct sp_type){ .tag = SP_MISSING };
    out->native_type = NULL;
    if (c->number)
        return sp_m_note(m, err, "warning",
            "table %s, column %s: declared boolean, but a default, check or index takes it for a number; it "
            "becomes %s",
            x->t->name, out->name, type_name(m, &out->type));
    if (declared.tag == SP_MISSING && c->texts != 0 && c->texts != c->values)
        return sp_m_note(m, err, "warning",
            "table %s, column %s: %llu of %llu values are texts that spell what the others are; all become "
            "%s",
            x->t->name, out->name, (unsigned long long)c->texts, (unsigned long long)c->values,
            type_name(m, &out->type));
    if (i == 0 || c->choices[0].type.tag != declared.tag)
        return 0;
    return sp_m_note(m, err, "warning",
        "table %s, column %s: %llu of %llu values are no %s, as declared; it becomes %s", x->t->name,
        out->name, (unsigned long long)c->choices[0].misfits, (unsigned long long)c->values,
        type_name(m, &c->choices[0].type), type_name(m, &out->type));
}

/* The columns that say nothing, and how they are read: as they come, and as rules change them. */
static int prepare(struct profile *p, const struct sp_table *t, struct sp_error *err)
{
    struct sp_arena *a = &p->m->arena;
    struct sp_colplan *plan = sp_arena_array(a, t->ncolumns + 1, sizeof *plan);
    p->columns = sp_arena_array(a, t->ncolumns + 1, sizeof *p->columns);
    p->row = sp_arena_array(a, t->ncolumns + 1, sizeof *p->row);
    if (plan == NULL || p->columns == NULL || p->row == NULL)
        return sp_nomem(err);
    p->t = t;
    for (size_t i = 0; i < t->ncolumns; i++) {
        const struct sp_column *c = &t->columns[i];
        if (c->type.tag != SP_MISSING)
            continue;
        candidates(t, c, &p->columns[p->ncols]);
        p->columns[p->ncols].at = i;
        plan[p->ncols] = (struct sp_colplan){ .name = c->name, .source = c->name, .target = c->name };
        sp_m_mapped_rules(p->m, t->name, &plan[p->ncols++]);
    }
    p->nread = p->ncols;
    for (size_t i = 0; p->ncols != 0 && i < t->ncolumns; i++) {
        const struct sp_column *c = &t->columns[i];
        if (c->type.tag != SP_MISSING && sp_table_is_pk(t, c->name))
            plan[p->nread++] = (struct sp_colplan){
                .name = c->name, .source = c->name, .target = c->name, .type = c->type, .key = false
            };
    }
    p->plan = plan;
    return 0;
}

int sp_m_convert(struct sp_mctx *m, struct sp_mtable *x, struct sp_error *err)
{
    struct profile p = { .m = m, .arena = SP_ARENA_INIT, .err = SP_ERROR_INIT };
    struct sp_error own = SP_ERROR_INIT;
    if (m->same_kind || x->existing)
        return 0;
    int rc = prepare(&p, x->t, &own);
    if (rc == 0 && p.ncols > 0)
        rc = pass(&p, x->t, &own);
    struct sp_column *columns =
        rc == 0 && p.ncols > 0 ? sp_arena_array(&m->arena, x->t->ncolumns, sizeof *columns) : NULL;
    if (rc == 0 && p.ncols > 0 && columns == NULL)
        rc = sp_nomem(&own);
    if (columns != NULL)
        memcpy(columns, x->t->columns, x->t->ncolumns * sizeof *columns);
    for (size_t i = 0; rc == 0 && i < p.ncols; i++)
        rc = take(m, x, &p.columns[i], &columns[p.columns[i].at], &own);
    if (rc == 0 && columns != NULL)
        x->made.columns = columns;
    if (rc != 0 && err != NULL)
        sp_error_move(err, &own);
    sp_error_clear(&own);
    sp_error_clear(&p.err);
    sp_arena_free(&p.arena);
    return rc;
}
