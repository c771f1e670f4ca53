/* row.c -- versions of rows, each in one allocation, and filters over them. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* Lays values out one behind the other; without `base` it only measures. */
struct packer {
    char *base;
    size_t used;
};

static void *take(struct packer *k, size_t n, size_t align)
{
    k->used = (k->used + align - 1) / align * align;
    void *p = k->base == NULL ? NULL : k->base + k->used;
    k->used += n;
    return p;
}

static const char *pack_octets(struct packer *k, const char *from, size_t n)
{
    char *p = take(k, n + 1, 1);
    if (p == NULL)
        return NULL;
    if (n > 0)
        memcpy(p, from, n);
    p[n] = '\0';
    return p;
}

/* Arrays hold scalars only (mock_conform), so this nests once. */
static void pack_value(struct packer *k, struct sp_value *out, const struct sp_value *in)
{
    struct sp_value v = *in;
    switch (in->tag) {
    case SP_TEXT:
    case SP_BYTES:
    case SP_JSON:
    case SP_REF:
        v.u.str.p = pack_octets(k, in->u.str.p, in->u.str.n);
        break;
    case SP_DEC:
        v.u.dec.digits = pack_octets(k, in->u.dec.digits, in->u.dec.ndigits);
        break;
    case SP_ARRAY: {
        struct sp_value *e = take(k, in->u.array.n * sizeof *e, _Alignof(struct sp_value));
        for (size_t i = 0; i < in->u.array.n; i++)
            pack_value(k, e == NULL ? NULL : &e[i], &in->u.array.v[i]);
        v.u.array.v = e;
        break;
    }
    case SP_VECTOR: {
        float *f = take(k, in->u.vector.n * sizeof *f, _Alignof(float));
        if (f != NULL && in->u.vector.n > 0)
            memcpy(f, in->u.vector.v, in->u.vector.n * sizeof *f);
        v.u.vector.v = f;
        break;
    }
    case SP_NATIVE:
        v.u.native.type = pack_octets(k, in->u.native.type, strlen(in->u.native.type));
        v.u.native.p = pack_octets(k, in->u.native.p, in->u.native.n);
        break;
    default:
        break;
    }
    if (out != NULL)
        *out = v;
}

static struct mock_version *pack(
    struct packer *k, const struct sp_value *values, size_t n, const struct sp_field *extra, size_t nextra)
{
    struct mock_version *v = take(k, sizeof *v, _Alignof(max_align_t));
    struct sp_value *to = take(k, n * sizeof *to, _Alignof(struct sp_value));
    struct sp_field *more = take(k, nextra * sizeof *more, _Alignof(struct sp_field));
    for (size_t i = 0; i < n; i++)
        pack_value(k, to == NULL ? NULL : &to[i], &values[i]);
    for (size_t i = 0; i < nextra; i++) {
        const char *name = pack_octets(k, extra[i].name, strlen(extra[i].name));
        if (more != NULL)
            more[i].name = name;
        pack_value(k, more == NULL ? NULL : &more[i].value, &extra[i].value);
    }
    if (v != NULL)
        *v = (struct mock_version){ .values = to, .extra = more, .nextra = nextra };
    return v;
}

struct mock_version *mock_version_new(
    const struct sp_value *values, size_t n, const struct sp_field *extra, size_t nextra)
{
    struct packer k = { NULL, 0 };
    (void)pack(&k, values, n, extra, nextra);
    k.base = malloc(k.used);
    if (k.base == NULL)
        return NULL;
    k.used = 0;
    return pack(&k, values, n, extra, nextra);
}

const struct sp_value *mock_version_value(
    const struct mock_table *t, const struct mock_version *v, const char *column)
{
    int i = sp_table_column_index(&t->def, column);
    if (i >= 0)
        return &v->values[i];
    for (size_t k = 0; k < v->nextra; k++) {
        if (strcmp(v->extra[k].name, column) == 0)
            return &v->extra[k].value;
    }
    return NULL;
}

int mock_filter_check(const struct mock_table *t, const struct sp_filter *f, struct sp_error *err)
{
    if (f == NULL || t->def.open_fields)
        return 0;
    if (f->op != SP_F_AND && f->op != SP_F_OR && f->op != SP_F_NOT)
        return sp_table_column(&t->def, f->column) != NULL
                   ? 0
                   : mock_fail(
                         err, SP_E_INVALID, "table \"%s\" has no column \"%s\"", t->def.name, f->column);
    for (size_t i = 0; i < f->nargs; i++) {
        int rc = mock_filter_check(t, &f->args[i], err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

struct rowref {
    const struct mock_table *t;
    const struct mock_version *v;
};

static const struct sp_value *value_of(void *row, const char *column)
{
    const struct rowref *r = row;
    return mock_version_value(r->t, r->v, column);
}

int mock_filter_true(
    const struct mock_table *t, const struct mock_version *v, const struct sp_filter *f, struct sp_error *err)
{
    if (f == NULL)
        return 1;
    struct rowref r = { t, v };
    int truth = sp_filter_eval(f, value_of, &r);
    if (truth == -2)
        return mock_fail(err, SP_E_INVALID,
            "the filter on table \"%s\" compares values of types that cannot be compared", t->def.name);
    return truth == 1;
}

int mock_filter_copy(
    struct sp_arena *a, struct sp_filter *out, const struct sp_filter *in, const struct sp_value **values)
{
    *out = *in;
    out->column = sp_arena_str(a, in->column);
    if (in->column != NULL && out->column == NULL)
        return -SP_E_NOMEM;
    if (in->nvalues > 0) {
        struct sp_value *v = sp_arena_array(a, in->nvalues, sizeof *v);
        if (v == NULL)
            return -SP_E_NOMEM;
        for (size_t i = 0; i < in->nvalues; i++) {
            const struct sp_value *from = values == NULL ? &in->values[i] : (*values)++;
            if (sp_value_copy(a, &v[i], from) != 0)
                return -SP_E_NOMEM;
        }
        out->values = v;
    }
    if (in->nargs > 0) {
        struct sp_filter *args = sp_arena_array(a, in->nargs, sizeof *args);
        if (args == NULL)
            return -SP_E_NOMEM;
        for (size_t i = 0; i < in->nargs; i++) {
            if (mock_filter_copy(a, &args[i], &in->args[i], values) != 0)
                return -SP_E_NOMEM;
        }
        out->args = args;
    }
    return 0;
}

size_t mock_filter_values(const struct sp_filter *f)
{
    size_t n = 0;
    if (f != NULL) {
        n = f->nvalues;
        for (size_t i = 0; i < f->nargs; i++)
            n += mock_filter_values(&f->args[i]);
    }
    return n;
}
