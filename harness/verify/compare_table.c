/* compare_table.c -- keys, constraints and indexes of a pair of tables. Names of constraints don't count: what they
 * demand does. */
#include <stdlib.h>
#include <strings.h>

#include "verify/internal.h"

static bool same_list(const char *const *a, size_t na, const char *const *b, size_t nb)
{
    if (na != nb)
        return false;
    for (size_t i = 0; i < na; i++)
        if (strcmp(a[i], b[i]) != 0)
            return false;
    return true;
}

/* The same columns in any order: what a unique constraint demands. */
static bool same_set(const char *const *a, size_t na, const char *const *b, size_t nb)
{
    if (na != nb)
        return false;
    for (size_t i = 0; i < na; i++) {
        size_t in_a = 0, in_b = 0;
        for (size_t j = 0; j < na; j++) {
            in_a += strcmp(a[j], a[i]) == 0;
            in_b += strcmp(b[j], a[i]) == 0;
        }
        if (in_a != in_b)
            return false;
    }
    return true;
}

static void put_list(struct sp_buf *b, const char *const *names, size_t n)
{
    sp_buf_putc(b, '(');
    for (size_t i = 0; i < n; i++)
        sp_buf_printf(b, "%s%s", i == 0 ? "" : ", ", names[i]);
    sp_buf_putc(b, ')');
}

static const char *keep(struct sp_vctx *c, struct sp_buf *b)
{
    const char *s = b->oom || b->p == NULL ? NULL : sp_arena_str(&c->arena, b->p);
    sp_buf_free(b);
    if (s == NULL)
        sp_v_nomem(c);
    return s != NULL ? s : "?";
}

static const char *list_text(struct sp_vctx *c, const char *const *names, size_t n)
{
    struct sp_buf b = SP_BUF_INIT;
    put_list(&b, names, n);
    return keep(c, &b);
}

/* ---- lists of things: each of the source's must be found once among the target's --------------------------------- */

struct kind {
    const char *element;
    bool (*same)(const struct sp_vctx *, const void *s, const void *t);
    bool (*related)(const void *s, const void *t); /* reported as changed rather than missing and extra */
    const char *(*text)(struct sp_vctx *, const void *);
    const char *(*name)(const void *);
    size_t size;
};

static const void *item(const void *list, size_t i, size_t size)
{
    return (const char *)list + i * size;
}

static void match_items(struct sp_vctx *c, const struct kind *k, const void *s, size_t ns, const void *t,
    size_t nt, uint8_t *done_s, uint8_t *done_t, const char *table, bool same)
{
    for (size_t i = 0; i < ns; i++) {
        for (size_t j = 0; j < nt && !done_s[i]; j++) {
            const void *a = item(s, i, k->size), *b = item(t, j, k->size);
            if (done_t[j] || !(same ? k->same(c, a, b) : k->related(a, b)))
                continue;
            done_s[i] = done_t[j] = 1;
            if (!same)
                sp_v_schema_diff(c, k->element, table, k->name(a), k->text(c, a), k->text(c, b));
        }
    }
}

static void compare_lists(struct sp_vctx *c, const struct kind *k, const char *table, const void *s,
    size_t ns, const void *t, size_t nt)
{
    uint8_t *done_s = calloc(ns + 1, 1), *done_t = calloc(nt + 1, 1);
    if (done_s == NULL || done_t == NULL) {
        sp_v_nomem(c);
    } else {
        match_items(c, k, s, ns, t, nt, done_s, done_t, table, true);
        match_items(c, k, s, ns, t, nt, done_s, done_t, table, false);
        for (size_t i = 0; i < ns; i++)
            if (!done_s[i])
                sp_v_schema_diff(c, k->element, table, k->name(item(s, i, k->size)),
                    k->text(c, item(s, i, k->size)), NULL);
        for (size_t j = 0; j < nt; j++)
            if (!done_t[j])
                sp_v_schema_diff(c, k->element, table, k->name(item(t, j, k->size)), NULL,
                    k->text(c, item(t, j, k->size)));
    }
    free(done_s);
    free(done_t);
}

static const char *or_empty(const char *s)
{
    return s != NULL ? s : "";
}

/* ---- unique -------------------------------------------------------------------------------------------------------- */

static bool unique_same(const struct sp_vctx *c, const void *s, const void *t)
{
    const struct sp_unique *a = s, *b = t;
    (void)c;
    return a->nulls_equal == b->nulls_equal && same_set(a->columns, a->ncolumns, b->columns, b->ncolumns);
}
static bool unique_related(const void *s, const void *t)
{
    const struct sp_unique *a = s, *b = t;
    return same_set(a->columns, a->ncolumns, b->columns, b->ncolumns);
}
static const char *unique_text(struct sp_vctx *c, const void *p)
{
    const struct sp_unique *u = p;
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, "unique ");
    put_list(&b, u->columns, u->ncolumns);
    sp_buf_puts(&b, u->nulls_equal ? " nulls not distinct" : "");
    return keep(c, &b);
}
static const char *unique_name(const void *p)
{
    const struct sp_unique *u = p;
    return u->name != NULL ? u->name : u->ncolumns != 0 ? u->columns[0] : "";
}
static const struct kind uniques = { "unique", unique_same, unique_related, unique_text, unique_name,
    sizeof(struct sp_unique) };

/* ---- check --------------------------------------------------------------------------------------------------------- */

static bool check_same(const struct sp_vctx *c, const void *s, const void *t)
{
    (void)c;
    return sp_v_expr_equal(((const struct sp_check *)s)->expr, ((const struct sp_check *)t)->expr);
}
static bool check_related(const void *s, const void *t)
{
    const char *a = ((const struct sp_check *)s)->name, *b = ((const struct sp_check *)t)->name;
    return a != NULL && b != NULL && strcasecmp(a, b) == 0;
}
static const char *check_text(struct sp_vctx *c, const void *p)
{
    (void)c;
    return or_empty(((const struct sp_check *)p)->expr);
}
static const char *check_name(const void *p)
{
    const struct sp_check *k = p;
    return k->name != NULL && k->name[0] != '\0' ? k->name : or_empty(k->expr);
}
static const struct kind checks = { "check", check_same, check_related, check_text, check_name,
    sizeof(struct sp_check) };

/* ---- foreign key ----------------------------------------------------------------------------------------------------- */

static bool fk_related(const void *s, const void *t)
{
    const struct sp_fk *a = s, *b = t;
    return same_list(a->columns, a->ncolumns, b->columns, b->ncolumns);
}
static bool fk_same(const struct sp_vctx *c, const void *s, const void *t)
{
    const struct sp_fk *a = s, *b = t;
    (void)c;
    return fk_related(s, t) && sp_streq(a->ref_table, b->ref_table) &&
           same_list(a->ref_columns, a->ncolumns, b->ref_columns, b->ncolumns) &&
           a->on_delete == b->on_delete && a->on_update == b->on_update && a->deferrable == b->deferrable &&
           a->initially_deferred == b->initially_deferred && a->not_valid == b->not_valid;
}
static const char *fk_text(struct sp_vctx *c, const void *p)
{
    const struct sp_fk *f = p;
    struct sp_buf b = SP_BUF_INIT;
    put_list(&b, f->columns, f->ncolumns);
    sp_buf_printf(&b, " references %s ", or_empty(f->ref_table));
    put_list(&b, f->ref_columns, f->ncolumns);
    sp_buf_printf(
        &b, " on delete %s on update %s", sp_fk_action_name(f->on_delete), sp_fk_action_name(f->on_update));
    sp_buf_puts(&b, f->deferrable ? " deferrable" : "");
    sp_buf_puts(&b, f->initially_deferred ? " initially deferred" : "");
    sp_buf_puts(&b, f->not_valid ? " not valid" : "");
    return keep(c, &b);
}
static const char *fk_name(const void *p)
{
    const struct sp_fk *f = p;
    return f->name != NULL ? f->name : f->ncolumns != 0 ? f->columns[0] : "";
}
static const struct kind fks = { "foreign_key", fk_same, fk_related, fk_text, fk_name, sizeof(struct sp_fk) };

/* ---- index ----------------------------------------------------------------------------------------------------------- */

static bool same_index_columns(const struct sp_index *a, const struct sp_index *b)
{
    if (a->ncolumns != b->ncolumns)
        return false;
    for (size_t i = 0; i < a->ncolumns; i++) {
        bool expression = a->columns[i][0] == '(';
        if (expression ? !sp_v_expr_equal(a->columns[i], b->columns[i])
                       : strcmp(a->columns[i], b->columns[i]) != 0)
            return false;
    }
    return true;
}
static bool index_same(const struct sp_vctx *c, const void *s, const void *t)
{
    const struct sp_index *a = s, *b = t;
    bool methods = !c->same_kind || sp_streq(a->method, b->method);
    return same_index_columns(a, b) && a->unique == b->unique && sp_v_expr_equal(a->where, b->where) &&
           methods && a->descending_any == b->descending_any && a->invalid == b->invalid;
}
static bool index_related(const void *s, const void *t)
{
    return sp_streq(((const struct sp_index *)s)->name, ((const struct sp_index *)t)->name);
}
static const char *index_text(struct sp_vctx *c, const void *p)
{
    const struct sp_index *x = p;
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, x->unique ? "unique index " : "index ");
    put_list(&b, x->columns, x->ncolumns);
    if (x->method != NULL)
        sp_buf_printf(&b, " using %s", x->method);
    sp_buf_puts(&b, x->descending_any ? " with descending columns" : "");
    if (x->where != NULL)
        sp_buf_printf(&b, " where %s", x->where);
    sp_buf_puts(&b, x->invalid ? " (invalid)" : "");
    return keep(c, &b);
}
static const char *index_name(const void *p)
{
    return or_empty(((const struct sp_index *)p)->name);
}
static const struct kind indexes = { "index", index_same, index_related, index_text, index_name,
    sizeof(struct sp_index) };

/* ---- the table --------------------------------------------------------------------------------------------------------- */

static void primary_key(struct sp_vctx *c, const struct sp_vpair *p)
{
    const struct sp_table *s = p->t[0], *t = p->t[1];
    if (same_list(s->pk, s->npk, t->pk, t->npk))
        return;
    sp_v_schema_diff(c, "primary_key", p->name, p->name, s->npk != 0 ? list_text(c, s->pk, s->npk) : NULL,
        t->npk != 0 ? list_text(c, t->pk, t->npk) : NULL);
}

static void table_flags(struct sp_vctx *c, const struct sp_vpair *p)
{
    const struct sp_table *s = p->t[0], *t = p->t[1];
    if (!c->same_kind)
        return; /* how strict a kind of backend is, is a matter of its capabilities */
    if (s->strict != t->strict)
        sp_v_schema_diff(c, "strictness", p->name, p->name, s->strict ? "types are enforced" : "any value",
            t->strict ? "types are enforced" : "any value");
    if (s->without_rowid != t->without_rowid)
        sp_v_schema_diff(c, "storage", p->name, p->name, s->without_rowid ? "without rowid" : "with rowid",
            t->without_rowid ? "without rowid" : "with rowid");
    if (s->open_fields != t->open_fields)
        sp_v_schema_diff(c, "open_fields", p->name, p->name, s->open_fields ? "any field" : "declared fields",
            t->open_fields ? "any field" : "declared fields");
}

/* The texts of two backends of one kind: what the model cannot hold is looked for in them. */
static void definition(struct sp_vctx *c, const struct sp_vpair *p)
{
    const char *a = p->t[0]->native_definition, *b = p->t[1]->native_definition;
    if (!c->same_kind || a == NULL || b == NULL || sp_v_expr_equal(a, b))
        return;
    bool counts = false; /* a copy through a mapping is made anew, and may give out no id again */
    if (!sp_v_marks_equal(a, b, c->opt->mapping != NULL ? &counts : NULL))
        sp_v_schema_diff(c, "definition", p->name, p->name, a, b);
    else if (counts)
        sp_v_finding(c, p->name, NULL, "definition text", 1,
            "the target gives out no id again (AUTOINCREMENT), the source may");
    else
        sp_v_finding(c, p->name, NULL, "definition text", 1,
            "nothing of what is modelled differs, but the two definitions are written differently");
}

void sp_v_compare_table(struct sp_vctx *c, const struct sp_vpair *p)
{
    const struct sp_table *s = p->t[0], *t = p->t[1];
    uint64_t before = c->differences + c->not_compared;
    sp_v_compare_columns(c, p);
    primary_key(c, p);
    compare_lists(c, &uniques, p->name, s->uniques, s->nuniques, t->uniques, t->nuniques);
    compare_lists(c, &checks, p->name, s->checks, s->nchecks, t->checks, t->nchecks);
    compare_lists(c, &fks, p->name, s->fks, s->nfks, t->fks, t->nfks);
    compare_lists(c, &indexes, p->name, s->indexes, s->nindexes, t->indexes, t->nindexes);
    table_flags(c, p);
    if (before == c->differences + c->not_compared)
        definition(c, p);
}
