/* lens_schema.c -- the inner schema under the names of the relations.
 *
 * What the inner backend enforces is shown, and nothing else: a relation that it keeps as an array has no key of its own.
 * A constraint or index over something that a relation does not show keeps the inner name, so that it is seen. */
#include "map/lens_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "verify/exprtext.h"

/* ---- names ---------------------------------------------------------------------------------------------------------- */

/* The way to a place in a document, as indexes spell it. */
static bool is_dotted(const struct lens_path *path, const char *dotted)
{
    for (size_t i = 0; i < path->n; i++) {
        size_t n = strlen(path->seg[i]);
        if (strncmp(dotted, path->seg[i], n) != 0)
            return false;
        dotted += n;
        if (*dotted != (i + 1 < path->n ? '.' : '\0'))
            return false;
        dotted += i + 1 < path->n ? 1 : 0;
    }
    return path->n != 0;
}

const char *lens_shown_column(const struct lens_view *v, const char *inner)
{
    for (size_t i = 0; i < v->ncols; i++) {
        const struct lens_col *c = &v->cols[i];
        bool place = !c->ordinal && c->constant == NULL && c->parent == v->embedded && c->path.n != 0;
        if (place && (c->inner != NULL ? strcmp(c->inner->name, inner) == 0
                                       : v->documents && is_dotted(&c->path, inner)))
            return c->name;
    }
    return NULL;
}

/* A column that is not shown, while another one is shown under its name: what speaks of it must not seem to speak of that. */
static bool is_namesake(const struct lens_view *v, const char *inner)
{
    return sp_table_column(v->inner, inner) != NULL && lens_shown_column(v, inner) == NULL &&
           lens_col_named(v, inner) != NULL;
}

/* What a word of a definition is called here. */
static const char *shown_word(
    struct lens_session *s, struct sp_arena *a, const struct lens_view *v, const char *word)
{
    const char *name = v != NULL ? lens_shown_column(v, word) : NULL;
    if (v != NULL && is_namesake(v, word))
        return sp_arena_printf(a, "%s.%s", v->inner->name, word);
    const struct lens_view *table = name == NULL ? lens_rows_of(s, word) : NULL;
    return name != NULL ? name : table != NULL ? table->name : word;
}

static bool is_name(const struct sp_vtoken *t)
{
    return t->exact ? t->n > 2 && (t->p[0] == '"' || t->p[0] == '`' || t->p[0] == '[')
                    : (t->p[0] >= 'a' && t->p[0] <= 'z') || (t->p[0] >= 'A' && t->p[0] <= 'Z') ||
                          t->p[0] == '_' || (unsigned char)t->p[0] >= 0x80;
}

/* Word by word; what is quoted keeps its quotes. Blanks between words are one, which comparisons pass over. */
const char *lens_renamed_text(
    struct lens_session *s, struct sp_arena *a, const struct lens_view *v, const char *text)
{
    struct sp_buf out = SP_BUF_INIT;
    struct sp_vtoken t;
    const char *at = text;
    bool changed = false;
    if (text == NULL || text[0] == '{')
        return text; /* nothing, or the words of a document store */
    while (sp_v_next_token(&at, &t)) {
        sp_buf_puts(&out, out.n != 0 ? " " : "");
        char *word = is_name(&t) ? sp_arena_strn(a, t.p + (t.exact ? 1 : 0), t.n - (t.exact ? 2 : 0)) : NULL;
        if (word == NULL) {
            sp_buf_put(&out, t.p, t.n);
            continue;
        }
        const char *shown = shown_word(s, a, v, word);
        if (shown == NULL) {
            out.oom = true;
            break;
        }
        changed = changed || strcmp(shown, word) != 0;
        sp_buf_put(&out, t.p, t.exact ? 1 : 0);
        sp_buf_puts(&out, shown);
        sp_buf_put(&out, t.p + t.n - 1, t.exact ? 1 : 0);
    }
    const char *renamed = out.oom ? NULL : !changed ? text : sp_arena_str(a, out.p);
    sp_buf_free(&out);
    return renamed;
}

struct shaping {
    struct lens_session *s;
    struct sp_arena *a;
    const struct lens_view *v;
    struct sp_error *err;
};

static const char *shown_or_inner(const struct shaping *k, const char *inner)
{
    const char *shown = lens_shown_column(k->v, inner);
    if (shown == NULL && inner[0] == '(') /* an expression */
        shown = lens_renamed_text(k->s, k->a, k->v, inner);
    if (shown == NULL && is_namesake(k->v, inner))
        shown = sp_arena_printf(k->a, "%s.%s", k->v->inner->name, inner);
    return shown != NULL ? shown : inner;
}

static const char *const *shown_list(const struct shaping *k, const char *const *inner, size_t n)
{
    const char **v = sp_arena_array(k->a, n + 1, sizeof *v);
    for (size_t i = 0; v != NULL && i < n; i++)
        v[i] = shown_or_inner(k, inner[i]);
    return v;
}

/* ---- columns ---------------------------------------------------------------------------------------------------------- */

static void column(const struct shaping *k, const struct lens_col *c, struct sp_column *out)
{
    bool documents = k->v->inner->open_fields;
    *out = (struct sp_column){ .name = c->name };
    if (c->ordinal) {
        out->type = (struct sp_type){ .tag = SP_INT };
        out->not_null = true;
    } else if (c->constant != NULL) {
        out->type = (struct sp_type){ .tag = c->constant->tag };
        out->not_null = !sp_v_is_absent(c->constant);
        if (!out->not_null)
            out->type.tag = SP_MISSING;
    } else if (c->empty) {
        const struct sp_column *array = sp_table_column(k->v->inner, c->path.seg[0]);
        out->type = (struct sp_type){ .tag = SP_BOOL };
        out->not_null = array != NULL && array->not_null;
    } else if (c->inner != NULL) {
        *out = *c->inner;
        out->name = c->name;
        out->default_expr = lens_renamed_text(k->s, k->a, k->v, out->default_expr);
        out->generated = lens_renamed_text(k->s, k->a, k->v, out->generated);
        out->identity = out->identity && !c->parent;
    } else {
        out->ordinal_unstable = true;
    }
    /* Of a dynamic column; `declared` goes on saying what its own is, if only that it is no type. */
    if (c->type != NULL) {
        out->type = *c->type;
        if (out->declared.tag == SP_MISSING)
            out->declared.tag = SP_NATIVE;
    }
    if (c->walk != NULL) { /* ids of the source, whatever it calls their type */
        out->type = (struct sp_type){ .tag = SP_MISSING };
        out->declared = out->type;
        out->native_type = NULL;
    }
    if (k->v->embedded && documents && !c->ordinal && c->constant == NULL)
        out->ordinal_unstable = true;
}

static int columns(const struct shaping *k, struct sp_table *t)
{
    struct sp_column *v = sp_arena_array(k->a, k->v->ncols + 1, sizeof *v);
    if (v == NULL)
        return sp_nomem(k->err);
    for (size_t i = 0; i < k->v->ncols; i++)
        column(k, &k->v->cols[i], &v[i]);
    t->columns = v;
    t->ncolumns = k->v->ncols;
    return 0;
}

/* ---- constraints --------------------------------------------------------------------------------------------------------- */

/* A key over something that is not shown is no key of this relation. */
static int primary_key(const struct shaping *k, struct sp_table *t)
{
    const struct sp_table *in = k->v->inner;
    t->npk = 0;
    t->pk = shown_list(k, in->pk, in->npk);
    if (t->pk == NULL)
        return sp_nomem(k->err);
    for (size_t i = 0; i < in->npk; i++)
        if (lens_shown_column(k->v, in->pk[i]) == NULL)
            return 0;
    t->npk = in->npk;
    return 0;
}

static int uniques(const struct shaping *k, struct sp_table *t)
{
    struct sp_unique *v = sp_arena_array(k->a, t->nuniques + 1, sizeof *v);
    if (v == NULL)
        return sp_nomem(k->err);
    for (size_t i = 0; i < t->nuniques; i++) {
        v[i] = t->uniques[i];
        v[i].columns = shown_list(k, v[i].columns, v[i].ncolumns);
        if (v[i].columns == NULL)
            return sp_nomem(k->err);
    }
    t->uniques = v;
    return 0;
}

static int checks(const struct shaping *k, struct sp_table *t)
{
    struct sp_check *v = sp_arena_array(k->a, t->nchecks + 1, sizeof *v);
    if (v == NULL)
        return sp_nomem(k->err);
    for (size_t i = 0; i < t->nchecks; i++) {
        v[i] = t->checks[i];
        v[i].expr = lens_renamed_text(k->s, k->a, k->v, v[i].expr);
    }
    t->checks = v;
    return 0;
}

/* A reference to a table that is ignored, or whose rows nobody shows, keeps the inner names. */
static int foreign_keys(const struct shaping *k, struct sp_table *t)
{
    struct sp_fk *v = sp_arena_array(k->a, t->nfks + 1, sizeof *v);
    if (v == NULL)
        return sp_nomem(k->err);
    for (size_t i = 0; i < t->nfks; i++) {
        const struct lens_view *parent = lens_rows_of(k->s, t->fks[i].ref_table);
        v[i] = t->fks[i];
        v[i].columns = shown_list(k, v[i].columns, v[i].ncolumns);
        if (parent != NULL) {
            struct shaping there = { k->s, k->a, parent, k->err };
            v[i].ref_table = parent->name;
            v[i].ref_columns = shown_list(&there, v[i].ref_columns, v[i].ncolumns);
        }
        if (v[i].columns == NULL || v[i].ref_columns == NULL)
            return sp_nomem(k->err);
    }
    t->fks = v;
    return 0;
}

static int indexes(const struct shaping *k, struct sp_table *t)
{
    struct sp_index *v = sp_arena_array(k->a, t->nindexes + 1, sizeof *v);
    if (v == NULL)
        return sp_nomem(k->err);
    for (size_t i = 0; i < t->nindexes; i++) {
        v[i] = t->indexes[i];
        v[i].columns = shown_list(k, v[i].columns, v[i].ncolumns);
        v[i].where = lens_renamed_text(k->s, k->a, k->v, v[i].where);
        if (v[i].columns == NULL)
            return sp_nomem(k->err);
    }
    t->indexes = v;
    return 0;
}

static int shape(const struct shaping *k, struct sp_table *t)
{
    const struct lens_view *v = k->v;
    int rc = columns(k, t);
    if (rc == 0)
        rc = primary_key(k, t);
    if (rc == 0)
        rc = uniques(k, t);
    if (rc == 0)
        rc = checks(k, t);
    if (rc == 0)
        rc = foreign_keys(k, t);
    if (rc == 0)
        rc = indexes(k, t);
    t->native_definition = lens_renamed_text(k->s, k->a, v, t->native_definition);
    return rc;
}

/* Elements of an array: what their collection enforces is not theirs. */
static int shape_elements(const struct shaping *k, struct sp_table *t)
{
    *t = (struct sp_table){ .ns = t->ns, .name = t->name, .open_fields = true };
    return columns(k, t);
}

int lens_outer_tables(struct lens_session *s, struct sp_error *err)
{
    for (size_t i = 0; i < s->nviews; i++) {
        struct lens_view *v = &s->views[i];
        struct shaping k = { s, &s->arena, v, err };
        v->outer = *v->inner;
        v->outer.name = v->name;
        int rc = v->embedded ? shape_elements(&k, &v->outer) : shape(&k, &v->outer);
        if (rc != 0)
            return rc;
        if (v->rel != NULL) /* never to be created as the inner backend would have it */
            v->outer.native_kind = NULL;
    }
    return 0;
}

/* ---- the schema as a whole ------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sp_table *)a)->name, ((const struct sp_table *)b)->name);
}

static int by_sequence(const void *a, const void *b)
{
    return strcmp(((const struct sp_sequence *)a)->name, ((const struct sp_sequence *)b)->name);
}

static int by_kind_and_name(const void *a, const void *b)
{
    const struct sp_inventory_item *x = a, *y = b;
    int c = strcmp(x->kind, y->kind);
    return c != 0 ? c : strcmp(x->name, y->name);
}

static int tables(struct lens_session *s, struct sp_schema *out, struct sp_error *err)
{
    struct sp_table *t = sp_arena_array(&out->arena, s->nviews + 1, sizeof *t);
    if (t == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < s->nviews; i++)
        if (sp_table_copy(&out->arena, &t[i], &s->views[i].outer) != 0)
            return sp_nomem(err);
    if (s->nviews > 1)
        qsort(t, s->nviews, sizeof *t, by_name);
    out->tables = t;
    out->ntables = s->nviews;
    return 0;
}

static int sequences(struct lens_session *s, struct sp_schema *out, struct sp_error *err)
{
    struct sp_arena *a = &out->arena;
    struct sp_sequence *q = sp_arena_array(a, s->schema->nsequences + 1, sizeof *q);
    if (q == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < s->schema->nsequences; i++) {
        const struct sp_sequence *in = &s->schema->sequences[i];
        const struct lens_view *v = in->table != NULL ? lens_rows_of(s, in->table) : NULL;
        const char *shown = v != NULL && in->column != NULL ? lens_shown_column(v, in->column) : NULL;
        if (in->table != NULL && v == NULL)
            continue; /* of a table that is left out */
        struct sp_sequence *to = &q[out->nsequences++];
        *to = *in;
        to->name = sp_arena_str(a, in->name);
        to->table = sp_arena_str(a, v != NULL ? v->name : NULL);
        to->column = sp_arena_str(a, shown != NULL ? shown : in->column);
        if (to->name == NULL)
            return sp_nomem(err);
    }
    if (out->nsequences > 1)
        qsort(q, out->nsequences, sizeof *q, by_sequence);
    out->sequences = q;
    return 0;
}

static int inventory(struct lens_session *s, struct sp_schema *out, struct sp_error *err)
{
    struct sp_arena *a = &out->arena;
    struct sp_inventory_item *x = sp_arena_array(a, s->schema->ninventory + 1, sizeof *x);
    if (x == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < s->schema->ninventory; i++) {
        const struct sp_inventory_item *in = &s->schema->inventory[i];
        bool of_table = in->table != NULL && sp_schema_table(s->schema, in->table) != NULL;
        const struct lens_view *v = of_table ? lens_rows_of(s, in->table) : NULL;
        if (of_table && v == NULL)
            continue;
        struct sp_inventory_item *to = &x[out->ninventory++];
        *to = *in;
        to->kind = sp_arena_str(a, in->kind);
        to->name = sp_arena_str(a, in->name);
        to->table = sp_arena_str(a, v != NULL ? v->name : in->table);
        to->definition = sp_arena_str(a, lens_renamed_text(s, a, v, in->definition));
        if (to->kind == NULL || to->name == NULL || (in->definition != NULL && to->definition == NULL))
            return sp_nomem(err);
    }
    if (out->ninventory > 1)
        qsort(x, out->ninventory, sizeof *x, by_kind_and_name);
    out->inventory = x;
    return 0;
}

int lens_introspect(struct sp_session *session, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    struct lens_session *s = lens_of(session);
    *out = NULL;
    int rc = lens_views_make(s, ns, err);
    struct sp_schema *schema = rc == 0 ? sp_schema_new() : NULL;
    if (schema == NULL)
        return rc != 0 ? rc : sp_nomem(err);
    rc = tables(s, schema, err);
    if (rc == 0)
        rc = sequences(s, schema, err);
    if (rc == 0)
        rc = inventory(s, schema, err);
    if (rc != 0) {
        sp_schema_free(schema);
        return rc;
    }
    *out = schema;
    return 0;
}
