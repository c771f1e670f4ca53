/* uniqueness.c -- what the source keeps unique and the target does not enforce, and the team's own business keys. A
 * duplicate that the source has not was introduced; one that both have is a fault of the data itself. */
#include <stdlib.h>

#include "verify/duplicates.h"

#define MAX_GROUPS 10000u /* listed at most */

/* Unique over some of the columns is unique over all of them. */
static bool covers(const char *const *have, size_t nhave, const char *const *want, size_t nwant)
{
    for (size_t i = 0; i < nhave; i++)
        if (!sp_str_among(want, nwant, have[i]))
            return false;
    return nhave != 0;
}

static bool plain_index(const struct sp_table *t, const struct sp_index *x)
{
    for (size_t i = 0; i < x->ncolumns; i++)
        if (sp_table_column(t, x->columns[i]) == NULL)
            return false;
    return x->unique && !x->invalid && x->where == NULL && x->ncolumns != 0;
}

/* Does the backend itself refuse a second row with these values? */
static bool enforced(const struct sp_vctx *c, enum sp_side side, const struct sp_table *t,
    const char *const *columns, size_t n, bool nulls_equal)
{
    const struct sp_cap *declared = sp_session_provider(c->session[side])->declared;
    if (t == NULL || declared == NULL || declared[SP_CAP_UNIQUE].level != SP_CAP_YES)
        return t == NULL;
    if (covers(t->pk, t->npk, columns, n))
        return true;
    for (size_t i = 0; i < t->nuniques; i++)
        if ((t->uniques[i].nulls_equal || !nulls_equal) &&
            covers(t->uniques[i].columns, t->uniques[i].ncolumns, columns, n))
            return true;
    for (size_t i = 0; i < t->nindexes && !nulls_equal; i++)
        if (plain_index(t, &t->indexes[i]) &&
            covers(t->indexes[i].columns, t->indexes[i].ncolumns, columns, n))
            return true;
    return false;
}

/* ---- plan ----------------------------------------------------------------------------------------------------------- */

static const struct sp_colplan *planned(const struct sp_vpair *p, const char *column)
{
    for (size_t i = 0; i < p->ncols; i++)
        if (strcmp(p->cols[i].source, column) == 0 || strcmp(p->cols[i].target, column) == 0)
            return &p->cols[i];
    return NULL;
}

static bool plan(
    struct sp_vctx *c, const struct sp_vpair *p, const char *const *columns, size_t n, struct sp_vunique *u)
{
    struct sp_buf list = SP_BUF_INIT;
    u->pair = p;
    u->ncols = n;
    u->cols = sp_arena_array(&c->arena, n + p->nkey + 1, sizeof *u->cols);
    u->raw = sp_arena_array(&c->arena, n + 1, sizeof *u->raw);
    for (size_t i = 0; i < n; i++)
        sp_buf_printf(&list, "%s%s", i == 0 ? "" : ", ", columns[i]);
    u->columns = list.p != NULL && !list.oom ? sp_arena_str(&c->arena, list.p) : NULL;
    sp_buf_free(&list);
    if (u->cols == NULL || u->raw == NULL || u->columns == NULL) {
        sp_v_nomem(c);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sp_colplan *col = planned(p, columns[i]);
        if (col == NULL) {
            sp_v_not_compared(
                c, p->name, "uniqueness", "%s: column %s cannot be compared", u->columns, columns[i]);
            return false;
        }
        u->cols[i] = u->raw[i] = *col;
        u->cols[i].key = u->raw[i].key = true;
        u->raw[i].nrules = 0;
        u->rules = u->rules || col->nrules != 0;
    }
    for (size_t i = 0; i < p->nkey; i++) {
        u->cols[n + i] = p->cols[i];
        u->cols[n + i].key = false;
    }
    for (int i = 0; i < 2; i++)
        u->enforced[i] = enforced(c, (enum sp_side)i, p->t[i], columns, n, u->nulls_equal);
    return true;
}

/* ---- verdict ---------------------------------------------------------------------------------------------------------- */

static void send(struct sp_vctx *c, const struct sp_vunique *u)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_CONSTRAINT);
    sp_event_text(&ev, SP_FLD_element, "unique");
    sp_event_text(&ev, SP_FLD_name, u->name);
    sp_event_text(&ev, SP_FLD_table, u->pair->name);
    sp_event_text(&ev, SP_FLD_columns, u->columns);
    sp_event_int(&ev, SP_FLD_source_faults, (int64_t)u->faults[0]);
    sp_event_int(&ev, SP_FLD_target_faults, (int64_t)u->faults[1]);
    sp_event_int(&ev, SP_FLD_introduced, (int64_t)u->introduced);
    sp_event_int(&ev, SP_FLD_preexisting, (int64_t)(u->faults[1] - u->introduced));
    sp_v_send(c, &ev);
}

static void conclude(struct sp_vctx *c, const struct sp_vunique *u)
{
    uint64_t old = u->faults[1] - u->introduced;
    if (u->introduced != 0)
        sp_v_differ(c, u->introduced,
            "unique %s (%s): %llu rows of the target repeat another one, and did not on the source",
            u->pair->name, u->columns, (unsigned long long)u->introduced);
    if (old != 0 && c->opt->strict_integrity)
        sp_v_differ(c, old, "unique %s (%s): %llu rows repeat another one on both sides", u->pair->name,
            u->columns, (unsigned long long)old);
    else if (old != 0)
        sp_v_finding(c, u->pair->name, u->columns, "duplicates on both sides", old,
            "%llu rows repeat the values of another one, on the source as on the target",
            (unsigned long long)old);
    else if (u->faults[0] > u->faults[1])
        sp_v_finding(c, u->pair->name, u->columns, "duplicates on the source", u->faults[0] - u->faults[1],
            "%llu rows of the source repeat the values of another one; the target has fewer of them",
            (unsigned long long)u->faults[0]);
}

static void judge(struct sp_vctx *c, struct sp_vunique *u)
{
    struct sp_error err = SP_ERROR_INIT;
    u->groups_cap = c->opt->max_differences < MAX_GROUPS ? (size_t)c->opt->max_differences : MAX_GROUPS;
    u->groups = malloc((u->groups_cap + 1) * sizeof *u->groups);
    if (u->groups == NULL) {
        sp_v_nomem(c);
        return;
    }
    int rc = sp_v_duplicates(c, u, &err);
    if (rc == 0) {
        send(c, u);
        conclude(c, u);
        if (u->introduced != 0)
            rc = sp_v_duplicate_rows(c, u, &err);
    }
    if (rc != 0 && c->rc == 0)
        sp_v_not_compared(c, u->pair->name, "uniqueness", "%s: %s", u->columns, sp_error_text(&err));
    free(u->groups);
    sp_error_clear(&err);
}

/* Equal rows repeat nothing that the source refuses to repeat, if no rule made different values equal. */
static bool proven(const struct sp_vunique *u)
{
    return u->pair->digest_equal && u->enforced[0] && !u->rules;
}

static void demand(struct sp_vctx *c, const struct sp_vpair *p, const char *name, const char *const *columns,
    size_t n, bool nulls_equal)
{
    struct sp_vunique u = { .name = name, .nulls_equal = nulls_equal };
    if (n != 0)
        sp_v_looked(c, SP_VC_UNIQUENESS);
    if (n == 0 || enforced(c, SP_SIDE_TARGET, p->t[1], columns, n, nulls_equal) ||
        !plan(c, p, columns, n, &u))
        return;
    if (proven(&u))
        send(c, &u);
    else
        judge(c, &u);
}

/* ---- what is demanded --------------------------------------------------------------------------------------------------- */

static bool same_columns(const char *const *a, size_t na, const char *const *b, size_t nb)
{
    return covers(a, na, b, nb) && covers(b, nb, a, na);
}

/* The same index on the target: it refuses what the source's refuses. */
static bool has_index(const struct sp_table *t, const struct sp_index *x)
{
    for (size_t i = 0; i < t->nindexes; i++) {
        const struct sp_index *y = &t->indexes[i];
        bool same =
            y->unique && !y->invalid && y->ncolumns == x->ncolumns && sp_v_expr_equal(x->where, y->where);
        for (size_t k = 0; same && k < x->ncolumns; k++)
            same = strcmp(x->columns[k], y->columns[k]) == 0 || sp_v_expr_equal(x->columns[k], y->columns[k]);
        if (same)
            return true;
    }
    return false;
}

/* Two texts that the source takes for one would be two for the target. */
static const char *folded(const struct sp_vpair *p, const char *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct sp_column *a = sp_table_column(p->t[0], columns[i]),
                               *b = sp_table_column(p->t[1], columns[i]);
        if (a != NULL && a->collation != NULL && !a->collation_exact &&
            (b == NULL || !sp_streq(a->collation, b->collation)))
            return a->collation;
    }
    return NULL;
}

/* What is unique for some rows only, by an expression or under a collation cannot be counted here. Rows that are all the
 * same as the source's keep what the source keeps. */
static void uncounted(struct sp_vctx *c, const struct sp_vpair *p, const char *name, const char *what)
{
    bool same = p->digest_equal;
    for (size_t i = 0; i < p->ncols; i++)
        same = same && p->cols[i].nrules == 0;
    if (!same)
        sp_v_not_inspected(c, "unique", p->name, name,
            "unique %s of %s: %s, which was not looked at (compare the rows, too; to acknowledge: --accept "
            "'unique:%s.%s')",
            name, p->name, what, p->name, name);
}

static void demand_index(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_index *x)
{
    if (!x->unique || x->invalid || x->ncolumns == 0)
        return;
    sp_v_looked(c, SP_VC_UNIQUENESS);
    if (!plain_index(p->t[0], x)) {
        if (!has_index(p->t[1], x) && !enforced(c, SP_SIDE_TARGET, p->t[1], x->columns, x->ncolumns, false))
            uncounted(c, p, x->name != NULL ? x->name : x->columns[0],
                "it speaks of some rows, or of an expression, and the target has no such index");
        return;
    }
    demand(c, p, x->name, x->columns, x->ncolumns, false);
}

/* A unique constraint over a text that the source compares by a collation of its own. */
static void demand_folded(
    struct sp_vctx *c, const struct sp_vpair *p, const char *name, const char *const *columns, size_t n)
{
    if (n != 0 && folded(p, columns, n) != NULL)
        uncounted(c, p, name != NULL ? name : columns[0],
            "its texts fall together under a collation that the target has not");
}

void sp_v_uniqueness(struct sp_vctx *c)
{
    for (size_t k = 0; k < c->npairs; k++) {
        const struct sp_vpair *p = &c->pairs[k];
        const struct sp_table *s = p->t[0];
        if (s == NULL || p->t[1] == NULL)
            continue;
        demand(c, p, "primary key", s->pk, s->npk, false);
        demand_folded(c, p, "primary key", s->pk, s->npk);
        for (size_t i = 0; i < s->nuniques && c->rc == 0; i++)
            if (!same_columns(s->uniques[i].columns, s->uniques[i].ncolumns, s->pk, s->npk)) {
                demand(c, p, s->uniques[i].name, s->uniques[i].columns, s->uniques[i].ncolumns,
                    s->uniques[i].nulls_equal);
                demand_folded(c, p, s->uniques[i].name, s->uniques[i].columns, s->uniques[i].ncolumns);
            }
        for (size_t i = 0; i < s->nindexes && c->rc == 0; i++) {
            demand_index(c, p, &s->indexes[i]);
            if (s->indexes[i].unique)
                demand_folded(c, p, s->indexes[i].name, s->indexes[i].columns, s->indexes[i].ncolumns);
        }
    }
}

void sp_v_business_key(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_verify_demand *d)
{
    demand(c, p, d->name, d->columns, d->ncolumns, false);
}
