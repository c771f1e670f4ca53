/* schema.c -- looking things up in a schema, copying tables, printing and comparing types. */
#include "model/schema.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

const char *sp_fk_action_name(enum sp_fk_action a)
{
    switch (a) {
    case SP_FK_NO_ACTION:
        return "no action";
    case SP_FK_RESTRICT:
        return "restrict";
    case SP_FK_CASCADE:
        return "cascade";
    case SP_FK_SET_NULL:
        return "set null";
    case SP_FK_SET_DEFAULT:
        return "set default";
    }
    return "?";
}

struct sp_schema *sp_schema_new(void)
{
    return calloc(1, sizeof(struct sp_schema));
}

void sp_schema_free(struct sp_schema *s)
{
    if (s == NULL)
        return;
    sp_arena_free(&s->arena);
    free(s);
}

const struct sp_table *sp_schema_table(const struct sp_schema *s, const char *name)
{
    for (size_t i = 0; i < s->ntables; i++) {
        if (sp_streq(s->tables[i].name, name))
            return &s->tables[i];
    }
    return NULL;
}

int sp_table_column_index(const struct sp_table *t, const char *name)
{
    for (size_t i = 0; i < t->ncolumns; i++) {
        if (sp_streq(t->columns[i].name, name))
            return (int)i;
    }
    return -1;
}

const struct sp_column *sp_table_column(const struct sp_table *t, const char *name)
{
    int i = sp_table_column_index(t, name);
    return i < 0 ? NULL : &t->columns[i];
}

bool sp_table_is_pk(const struct sp_table *t, const char *column)
{
    for (size_t i = 0; i < t->npk; i++) {
        if (sp_streq(t->pk[i], column))
            return true;
    }
    return false;
}

/* --- types ------------------------------------------------------------------------------------------------------ */

int sp_type_print(struct sp_buf *out, const struct sp_type *t)
{
    if (t->tag == SP_MISSING)
        return sp_buf_puts(out, "dynamic");
    sp_buf_puts(out, sp_tag_name(t->tag));
    switch (t->tag) {
    case SP_INT:
        if (t->int_bits != 0 && t->int_bits != 64)
            sp_buf_printf(out, "(%d bits)", (int)t->int_bits);
        break;
    case SP_DEC:
        if (t->precision != 0)
            sp_buf_printf(out, "(%" PRIu32 ",%" PRId32 ")", t->precision, t->scale);
        break;
    case SP_TEXT:
    case SP_BYTES:
    case SP_VECTOR:
        if (t->length != 0 && t->padded)
            sp_buf_printf(out, "(%" PRIu32 ", padded)", t->length);
        else if (t->length != 0)
            sp_buf_printf(out, "(%" PRIu32 ")", t->length);
        else if (t->padded)
            sp_buf_puts(out, "(padded)");
        break;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_TIME:
        if (t->precision != 0)
            sp_buf_printf(out, "(%" PRIu32 ")", t->precision - 1);
        break;
    case SP_ARRAY:
        sp_buf_printf(out, "(%s)", t->elem == SP_MISSING ? "dynamic" : sp_tag_name(t->elem));
        break;
    default:
        break;
    }
    return out->oom ? -SP_E_NOMEM : 0;
}

static int bits_of(const struct sp_type *t)
{
    return t->int_bits == 0 ? 64 : t->int_bits;
}

/* Only the limits that mean something for the tag. */
bool sp_type_equal(const struct sp_type *a, const struct sp_type *b)
{
    if (a->tag != b->tag)
        return false;
    switch (a->tag) {
    case SP_INT:
        return bits_of(a) == bits_of(b);
    case SP_DEC:
        return a->precision == b->precision && (a->precision == 0 || a->scale == b->scale);
    case SP_TEXT:
        return a->length == b->length && a->padded == b->padded;
    case SP_BYTES:
    case SP_VECTOR:
        return a->length == b->length;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_TIME:
        return a->precision == b->precision;
    case SP_ARRAY:
        return a->elem == b->elem;
    default:
        return true;
    }
}

/* --- deep copy: one sticky flag instead of a check per string ----------------------------------------------------- */

struct copier {
    struct sp_arena *a;
    bool oom;
};

static const char *cp_str(struct copier *c, const char *s)
{
    if (s == NULL)
        return NULL;
    char *p = sp_arena_str(c->a, s);
    c->oom |= p == NULL;
    return p;
}

static void *cp_array(struct copier *c, const void *p, size_t n, size_t size)
{
    if (n == 0 || p == NULL)
        return NULL;
    void *q = sp_arena_array(c->a, n, size);
    c->oom |= q == NULL;
    if (q != NULL)
        memcpy(q, p, n * size);
    return q;
}

static const char *const *cp_names(struct copier *c, const char *const *names, size_t n)
{
    const char **q = cp_array(c, names, n, sizeof *q);
    for (size_t i = 0; q != NULL && i < n; i++)
        q[i] = cp_str(c, names[i]);
    return q;
}

static const struct sp_column *cp_columns(struct copier *c, const struct sp_table *in)
{
    struct sp_column *q = cp_array(c, in->columns, in->ncolumns, sizeof *q);
    for (size_t i = 0; q != NULL && i < in->ncolumns; i++) {
        q[i].name = cp_str(c, q[i].name);
        q[i].native_type = cp_str(c, q[i].native_type);
        q[i].default_expr = cp_str(c, q[i].default_expr);
        q[i].collation = cp_str(c, q[i].collation);
        q[i].generated = cp_str(c, q[i].generated);
    }
    return q;
}

static const struct sp_unique *cp_uniques(struct copier *c, const struct sp_table *in)
{
    struct sp_unique *q = cp_array(c, in->uniques, in->nuniques, sizeof *q);
    for (size_t i = 0; q != NULL && i < in->nuniques; i++) {
        q[i].name = cp_str(c, q[i].name);
        q[i].columns = cp_names(c, q[i].columns, q[i].ncolumns);
    }
    return q;
}

static const struct sp_check *cp_checks(struct copier *c, const struct sp_table *in)
{
    struct sp_check *q = cp_array(c, in->checks, in->nchecks, sizeof *q);
    for (size_t i = 0; q != NULL && i < in->nchecks; i++) {
        q[i].name = cp_str(c, q[i].name);
        q[i].expr = cp_str(c, q[i].expr);
    }
    return q;
}

static const struct sp_fk *cp_fks(struct copier *c, const struct sp_table *in)
{
    struct sp_fk *q = cp_array(c, in->fks, in->nfks, sizeof *q);
    for (size_t i = 0; q != NULL && i < in->nfks; i++) {
        q[i].name = cp_str(c, q[i].name);
        q[i].columns = cp_names(c, q[i].columns, q[i].ncolumns);
        q[i].ref_table = cp_str(c, q[i].ref_table);
        q[i].ref_columns = cp_names(c, q[i].ref_columns, q[i].ncolumns);
    }
    return q;
}

static const struct sp_index *cp_indexes(struct copier *c, const struct sp_table *in)
{
    struct sp_index *q = cp_array(c, in->indexes, in->nindexes, sizeof *q);
    for (size_t i = 0; q != NULL && i < in->nindexes; i++) {
        q[i].name = cp_str(c, q[i].name);
        q[i].columns = cp_names(c, q[i].columns, q[i].ncolumns);
        q[i].where = cp_str(c, q[i].where);
        q[i].method = cp_str(c, q[i].method);
    }
    return q;
}

int sp_table_copy(struct sp_arena *a, struct sp_table *out, const struct sp_table *in)
{
    struct copier c = { a, false };
    struct sp_table t = *in;
    t.ns = cp_str(&c, in->ns);
    t.name = cp_str(&c, in->name);
    t.columns = cp_columns(&c, in);
    t.pk = cp_names(&c, in->pk, in->npk);
    t.uniques = cp_uniques(&c, in);
    t.checks = cp_checks(&c, in);
    t.fks = cp_fks(&c, in);
    t.indexes = cp_indexes(&c, in);
    t.native_definition = cp_str(&c, in->native_definition);
    if (c.oom)
        return -SP_E_NOMEM;
    *out = t;
    return 0;
}
