/* match.c -- pairs tables and columns by name and plans how each pair is compared. */
#include "map/mapping.h"
#include "verify/internal.h"

bool sp_v_selected(const struct sp_vctx *c, const char *table)
{
    if (c->opt->ntables == 0)
        return true;
    for (size_t i = 0; table != NULL && i < c->opt->ntables; i++)
        if (sp_glob(c->opt->tables[i], table, false))
            return true;
    return false;
}

/* The table of that name: in the same namespace if there are several. */
static const struct sp_table *find_table(const struct sp_schema *s, const struct sp_table *like)
{
    size_t lo = 0, hi = s->ntables;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (strcmp(s->tables[mid].name, like->name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    const struct sp_table *first = NULL;
    size_t n = 0;
    for (; lo < s->ntables && strcmp(s->tables[lo].name, like->name) == 0; lo++, n++) {
        if (sp_streq(s->tables[lo].ns, like->ns))
            return &s->tables[lo];
        if (first == NULL)
            first = &s->tables[lo];
    }
    return n == 1 ? first : NULL;
}

static int resolve(struct sp_vctx *c, const struct sp_map_column *m, const struct sp_column *s,
    const struct sp_column *t, struct sp_colplan *out, const char **why)
{
    *why = NULL;
    int rc = sp_v_resolve_given(c, m, s, t, out, why);
    if (rc == 0 && !c->same_kind && c->session[0] != NULL && c->session[1] != NULL) {
        rc = sp_equiv_ledger(out, &t->type, sp_session_provider(c->session[0])->losses,
            sp_session_provider(c->session[1])->losses);
        *why = sp_equiv_why(&c->arena, s, t, out);
    }
    if (rc < 0) {
        struct sp_error err = SP_ERROR_INIT;
        sp_fail(&err, (enum sp_code) - rc, SP_ORIGIN_HARNESS, "column %s: no comparison could be planned",
            s->name);
        sp_v_abort(c, &err);
    }
    return rc;
}

int sp_v_resolve(struct sp_vctx *c, const struct sp_column *s, const struct sp_column *t,
    struct sp_colplan *out, const char **why)
{
    return resolve(c, NULL, s, t, out, why);
}

/* ---- keys ----------------------------------------------------------------------------------------------------- */

static int plan_index(const struct sp_vpair *p, enum sp_side side, const char *column)
{
    for (size_t i = 0; i < p->ncols; i++)
        if (strcmp(side == SP_SIDE_SOURCE ? p->cols[i].source : p->cols[i].target, column) == 0)
            return (int)i;
    return -1;
}

static void swap_columns(struct sp_vpair *p, size_t a, size_t b)
{
    struct sp_colplan col = p->cols[a];
    const char *why = p->why[a];
    p->cols[a] = p->cols[b];
    p->why[a] = p->why[b];
    p->cols[b] = col;
    p->why[b] = why;
}

/* Takes these columns as the key if all of them are compared. */
static bool take_key(struct sp_vpair *p, enum sp_side side, const char *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (plan_index(p, side, columns[i]) < 0)
            return false;
    for (size_t i = 0; i < n; i++) {
        int at = plan_index(p, side, columns[i]);
        if ((size_t)at < i)
            return false; /* named twice */
        swap_columns(p, i, (size_t)at);
        p->cols[i].key = true;
    }
    p->nkey = n;
    return n != 0;
}

static bool all_not_null(const struct sp_table *t, const char *const *columns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct sp_column *col = sp_table_column(t, columns[i]);
        if (col == NULL || !col->not_null)
            return false;
    }
    return true;
}

static void choose_key(struct sp_vctx *c, struct sp_vpair *p)
{
    if (p->rel != NULL && p->rel->nkey != 0) {
        if (!take_key(p, SP_SIDE_SOURCE, p->rel->key, p->rel->nkey))
            sp_v_not_compared(c, p->name, "key",
                "a column of the mapping's key is not compared on both sides: rows are matched as a whole");
        return;
    }
    for (int i = 0; i < 2; i++)
        if (p->t[i] != NULL && p->t[i]->npk != 0 && take_key(p, (enum sp_side)i, p->t[i]->pk, p->t[i]->npk))
            return;
    for (int i = 0; i < 2; i++) {
        const struct sp_table *t = p->t[i];
        for (size_t u = 0; t != NULL && u < t->nuniques; u++)
            if (all_not_null(t, t->uniques[u].columns, t->uniques[u].ncolumns) &&
                take_key(p, (enum sp_side)i, t->uniques[u].columns, t->uniques[u].ncolumns))
                return;
    }
}

/* ---- columns -------------------------------------------------------------------------------------------------- */

static int plan_column(
    struct sp_vctx *c, struct sp_vpair *p, const struct sp_column *s, const struct sp_column *t)
{
    const char *why = NULL;
    struct sp_colplan plan = { .name = NULL };
    const struct sp_map_column *m = sp_v_map_column(p, s->name);
    int rc = resolve(c, m, s, t, &plan, &why);
    bool given = m != NULL && (m->has_type || m->nrules != 0);
    if (rc < 0)
        return rc;
    if (c->same_kind && !given && s->ordinal_unstable && t->ordinal_unstable) {
        /* A collection's declarations bind no value that was there before: each is compared as it is stored. */
        plan.type = (struct sp_type){ .tag = SP_MISSING };
        plan.nrules = 0;
        why = NULL;
        rc = 0;
    }
    if (rc == 1) {
        sp_v_not_compared(c, p->name, s->name, "%s", why != NULL ? why : "the two types have no common form");
        return 0;
    }
    p->cols[p->ncols] = plan;
    p->why[p->ncols++] = why;
    return 0;
}

static int plan_pair(struct sp_vctx *c, struct sp_vpair *p)
{
    const struct sp_table *s = p->t[0] != NULL ? p->t[0] : p->t[1];
    const struct sp_table *t = p->t[1] != NULL ? p->t[1] : p->t[0];
    p->cols = sp_arena_array(&c->arena, s->ncolumns + 1, sizeof *p->cols);
    p->why = sp_arena_array(&c->arena, s->ncolumns + 1, sizeof *p->why);
    if (p->cols == NULL || p->why == NULL)
        return sp_v_nomem(c);
    for (size_t i = 0; i < s->ncolumns; i++) {
        const struct sp_column *other = sp_table_column(t, s->columns[i].name);
        if (other != NULL && sp_v_listed(p, other->name) && plan_column(c, p, &s->columns[i], other) != 0)
            return c->rc;
    }
    p->residual = s->open_fields || t->open_fields;
    choose_key(c, p);
    p->fingerprint = sp_v_mapped_fingerprint(c, sp_plan_fingerprint(p->cols, p->ncols, p->residual));
    if (p->residual && c->same_kind) /* as they are stored: other digests than by meaning */
        p->fingerprint.lo ^= 1;
    return 0;
}

static int add_pair(struct sp_vctx *c, const struct sp_table *s, const struct sp_table *t)
{
    struct sp_vpair *p = &c->pairs[c->npairs++];
    *p = (struct sp_vpair){ .name = s != NULL ? s->name : t->name, .t = { s, t } };
    p->rel = sp_v_relation(c, p->name);
    return plan_pair(c, p);
}

int sp_v_match(struct sp_vctx *c)
{
    size_t max = c->schema[0]->ntables + c->schema[1]->ntables;
    c->pairs = sp_arena_array(&c->arena, max + 1, sizeof *c->pairs);
    if (c->pairs == NULL)
        return sp_v_nomem(c);
    for (size_t i = 0; i < c->schema[0]->ntables && c->rc == 0; i++) {
        const struct sp_table *s = &c->schema[0]->tables[i];
        if (sp_v_selected(c, s->name))
            add_pair(c, s, find_table(c->schema[1], s));
    }
    for (size_t i = 0; i < c->schema[1]->ntables && c->rc == 0; i++) {
        const struct sp_table *t = &c->schema[1]->tables[i], *s = find_table(c->schema[0], t);
        if (sp_v_selected(c, t->name) && (s == NULL || find_table(c->schema[1], s) != t))
            add_pair(c, NULL, t);
    }
    return c->rc;
}

const struct sp_vpair *sp_v_pair(const struct sp_vctx *c, enum sp_side side, const char *table)
{
    for (size_t i = 0; i < c->npairs; i++)
        if (c->pairs[i].t[side] != NULL && sp_streq(c->pairs[i].t[side]->name, table))
            return &c->pairs[i];
    return NULL;
}

/* ---- what only one side has: a difference under every choice of checks, because its data was not compared ------- */

static const char *type_text(struct sp_vctx *c, const struct sp_column *col)
{
    if (col->native_type != NULL)
        return col->native_type[0] != '\0' ? col->native_type : "(no type)";
    struct sp_buf b = SP_BUF_INIT;
    sp_type_print(&b, &col->type);
    const char *text = b.oom || b.p == NULL ? NULL : sp_arena_str(&c->arena, b.p);
    sp_buf_free(&b);
    return text != NULL ? text : "?";
}

static void column_presence(struct sp_vctx *c, const struct sp_vpair *p)
{
    for (size_t i = 0; i < p->t[0]->ncolumns; i++) {
        const struct sp_column *col = &p->t[0]->columns[i];
        if (sp_table_column(p->t[1], col->name) == NULL || !sp_v_listed(p, col->name))
            sp_v_schema_diff(c, "column", p->name, col->name, type_text(c, col), NULL);
    }
    for (size_t i = 0; i < p->t[1]->ncolumns; i++) {
        const struct sp_column *col = &p->t[1]->columns[i];
        if (sp_table_column(p->t[0], col->name) == NULL || !sp_v_listed(p, col->name))
            sp_v_schema_diff(c, "column", p->name, col->name, NULL, type_text(c, col));
    }
}

void sp_v_schema_presence(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->npairs; i++) {
        const struct sp_vpair *p = &c->pairs[i];
        if (p->t[1] == NULL)
            sp_v_schema_diff(c, "table", p->name, p->name, "a table", NULL);
        else if (p->t[0] == NULL)
            sp_v_schema_diff(c, "table", p->name, p->name, NULL, "a table");
        else
            column_presence(c, p);
    }
}
