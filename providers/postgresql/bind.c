/* bind.c -- values of an operation into parameters of its statement, and the answer into a result. */
#include <stdlib.h>
#include <string.h>

#include "model/canonical.h"
#include "providers/postgresql/internal.h"

/* Pairs that could be coerced but that a strict column refuses: a boolean is no number, a text no number either. */
static bool refused_pair(enum sp_tag column, enum sp_tag v)
{
    bool number = column == SP_INT || column == SP_DEC || column == SP_F32 || column == SP_F64;
    return (column == SP_BOOL && v == SP_INT) || (column == SP_INT && v == SP_BOOL) ||
           (number && v == SP_TEXT) || (column == SP_UUID && v == SP_BYTES) ||
           (column == SP_JSON && v != SP_JSON && v != SP_TEXT);
}

static int as_text(struct po_params *p, Oid oid, const struct sp_value *v, struct sp_error *err)
{
    const char *s = v->u.str.p;
    size_t n = v->u.str.n;
    if (v->tag == SP_NATIVE) {
        s = v->u.native.p;
        n = v->u.native.n;
    } else if (v->tag != SP_TEXT) {
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "a value of type %s for a column of a native type", sp_tag_name(v->tag));
    }
    if (n > 0 && memchr(s, '\0', n) != NULL)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "PostgreSQL text cannot hold U+0000");
    char *copy = sp_arena_strn(&p->arena, n == 0 ? "" : s, n);
    return copy == NULL || po_param_add(p, oid, copy, n + 1, false) != 0 ? sp_nomem(err) : 0;
}

static int add_encoded(struct po_params *p, Oid oid, const struct sp_value *v, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int ret = po_encode(&b, oid, v, err);
    if (ret == 0) {
        ret = po_param_add(p, oid, b.p == NULL ? "" : b.p, b.n, true);
        if (ret == -SP_E_TOO_LARGE)
            ret = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND, "a value of %zu bytes", b.n);
        else if (ret != 0)
            ret = sp_nomem(err);
    }
    sp_buf_free(&b);
    return ret;
}

int po_bind(struct po_params *p, const struct po_slot *slot, const struct sp_value *v, struct sp_error *err)
{
    struct sp_value fit;
    if (sp_v_is_absent(v))
        return po_param_add(p, slot->oid, NULL, 0, slot->oid != 0) != 0 ? sp_nomem(err) : 0;
    if (slot->oid == 0)
        return as_text(p, 0, v, err);
    if (refused_pair(slot->type.tag, v->tag))
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "a value of type %s for a column of type %s",
            sp_tag_name(v->tag), sp_tag_name(slot->type.tag));
    int ret = sp_pg_fit(&p->arena, &slot->type, v, &fit, err);
    return ret != 0 ? ret : add_encoded(p, slot->oid, &fit, err);
}

static int bind_leaf(
    struct po_params *p, const struct sp_filter *f, size_t n, const struct po_sql *q, struct sp_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (p->n >= q->nslots)
            return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "more values than parameters");
        int ret = po_bind(p, &q->slots[p->n], &f->values[i], err);
        if (ret != 0)
            return sp_error_prefix(err, "%s", f->column);
    }
    return 0;
}

/* Leaves depth first, IN lists in order. Recursion is bounded by the filter's checked depth. */
int po_bind_filter(
    struct po_params *p, const struct sp_filter *f, const struct po_sql *q, struct sp_error *err)
{
    int ret = 0;
    if (f == NULL)
        return 0;
    if (f->op == SP_F_AND || f->op == SP_F_OR || f->op == SP_F_NOT) {
        for (size_t i = 0; ret == 0 && i < f->nargs; i++)
            ret = po_bind_filter(p, &f->args[i], q, err);
        return ret;
    }
    size_t n = f->op == SP_F_IS_NULL || f->op == SP_F_IS_MISSING ? 0 : f->op == SP_F_IN ? f->nvalues : 1;
    return bind_leaf(p, f, n, q, err);
}

/* A value of a raw query goes by its own tag. */
int po_bind_raw(struct po_params *p, const struct sp_value *v, size_t n, struct sp_error *err)
{
    for (size_t i = 0; i < n; i++) {
        struct po_slot slot = { .oid = 0 };
        const struct po_type *t = po_type_by_tag(v[i].tag == SP_ARRAY ? v[i].u.array.elem : v[i].tag);
        if (v[i].tag == SP_VECTOR)
            slot.oid = 1021;
        else if (t != NULL)
            slot.oid = v[i].tag == SP_ARRAY ? t->array : t->oid;
        int ret = po_bind(p, &slot, &v[i], err);
        if (ret != 0)
            return sp_error_prefix(err, "$%zu", i + 1);
    }
    return 0;
}

/* ---- answers ---- */

static int out_columns(const PGresult *r, const struct po_sql *q, struct sp_result *out, struct sp_error *err)
{
    int n = PQnfields(r);
    if (n == 0 || out->ncolumns > 0)
        return 0;
    const char **names = calloc((size_t)n, sizeof *names);
    if (names == NULL)
        return sp_nomem(err);
    for (int i = 0; i < n; i++)
        names[i] = (size_t)i < q->ncolumns ? q->columns[i].name : PQfname(r, i);
    int ret = sp_result_columns(out, names, (size_t)n);
    free(names);
    return ret == 0 ? 0 : sp_nomem(err);
}

static int to_vector(struct sp_arena *a, struct sp_value *v)
{
    struct sp_value out;
    int rc = v->tag == SP_ARRAY ? sp_coerce(a, &(struct sp_type){ .tag = SP_VECTOR }, v, &out) : 1;
    if (rc == 0)
        *v = out;
    return rc < 0 ? rc : 0;
}

/* Types that are not built in come as their bytes; those of an enum are its label. */
static int foreign(
    struct sp_session *s, Oid oid, struct sp_arena *a, struct sp_value *v, struct sp_error *err)
{
    const struct po_named_type *t = po_named_type(s, oid, err);
    if (t == NULL)
        return err == NULL ? -SP_E_INTERNAL : -(int)err->code;
    if (t->is_enum)
        *v = sp_v_textn(v->u.native.p, v->u.native.n);
    else if ((v->u.native.type = sp_arena_str(a, t->name)) == NULL)
        return sp_nomem(err);
    return 0;
}

static int out_value(struct sp_session *s, const PGresult *r, int row, int col, const struct po_out *hint,
    struct sp_arena *a, struct sp_value *v, struct sp_error *err)
{
    if (PQgetisnull(r, row, col) != 0) {
        *v = sp_v_null();
        return 0;
    }
    const uint8_t *p = (const uint8_t *)PQgetvalue(r, row, col);
    size_t n = (size_t)PQgetlength(r, row, col);
    Oid oid = PQftype(r, col);
    int rc = oid == 2278 /* void */ ? (*v = sp_v_null(), 0) : po_decode(a, oid, p, n, v);
    if (rc == 0 && hint != NULL && hint->tag == SP_NATIVE)
        *v = sp_v_native(hint->native, p, n);
    else if (rc == 0 && hint != NULL && hint->tag == SP_VECTOR)
        rc = to_vector(a, v);
    else if (rc == 0 && v->tag == SP_NATIVE && strcmp(v->u.native.type, "unknown") == 0)
        return foreign(s, oid, a, v, err);
    if (rc == -SP_E_NOMEM)
        return sp_nomem(err);
    return rc == 0 ? 0 : po_decode_corrupt(PQfname(r, col), err);
}

int po_result(struct sp_session *s, const PGresult *r, const struct po_sql *q, struct sp_result *out,
    struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    int n = PQnfields(r), ret = out_columns(r, q, out, err);
    struct sp_value *row = ret == 0 && n > 0 ? calloc((size_t)n, sizeof *row) : NULL;
    if (ret == 0 && n > 0 && row == NULL)
        ret = sp_nomem(err);
    for (int i = 0; ret == 0 && i < PQntuples(r); i++) {
        sp_arena_reset(&a);
        for (int c = 0; ret == 0 && c < n; c++)
            ret = out_value(s, r, i, c, (size_t)c < q->ncolumns ? &q->columns[c] : NULL, &a, &row[c], err);
        if (ret == 0 && n > 0)
            ret = sp_result_add(out, row, err);
    }
    free(row);
    sp_arena_free(&a);
    return ret;
}
