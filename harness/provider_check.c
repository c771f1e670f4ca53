/* provider_check.c -- argument checks of the checked calls. */
#include "provider_check.h"

#include <string.h>

#include "base/str.h"

int sp_name_check(const char *name, const char *what, struct sp_error *err)
{
    if (name == NULL || *name == '\0')
        return sp_invalid(err, "%s is missing or empty; give it a name", what);
    if (!sp_utf8_valid(name, strlen(name)))
        return sp_invalid(err, "%s is not valid UTF-8", what);
    return 0;
}

int sp_ns_check(const char *ns, struct sp_error *err)
{
    size_t n = ns == NULL ? 0 : strlen(ns);
    if (n == 0 || n > 40 || strspn(ns, "abcdefghijklmnopqrstuvwxyz0123456789_") != n)
        return sp_invalid(
            err, "namespace \"%s\" is not 1 to 40 of the characters a-z, 0-9 and _", ns == NULL ? "" : ns);
    return 0;
}

/* Names non-empty, valid, each once. */
static int names_check(const char *const *names, size_t n, const char *what, struct sp_error *err)
{
    if (n > 0 && names == NULL)
        return sp_invalid(err, "%zu %ss are announced but none is given", n, what);
    for (size_t i = 0; i < n; i++) {
        int rc = sp_name_check(names[i], what, err);
        if (rc != 0)
            return rc;
        if (sp_str_among(names, i, names[i]))
            return sp_invalid(err, "%s \"%s\" is named twice", what, names[i]);
    }
    return 0;
}

static int columns_check(
    const struct sp_table *t, const char *const *names, size_t n, const char *what, struct sp_error *err)
{
    int rc = names_check(names, n, what, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (!t->open_fields && sp_table_column(t, names[i]) == NULL)
            rc = sp_invalid(err, "%s \"%s\" is no column of table \"%s\"", what, names[i], t->name);
    }
    return rc;
}

static int fk_check(const struct sp_table *t, const struct sp_fk *fk, struct sp_error *err)
{
    int rc = sp_name_check(fk->ref_table, "the table that a foreign key references", err);
    if (rc == 0 && fk->ncolumns == 0)
        rc = sp_invalid(err, "a foreign key of table \"%s\" has no columns", t->name);
    if (rc == 0)
        rc = columns_check(t, fk->columns, fk->ncolumns, "foreign key column", err);
    if (rc == 0 && fk->ref_columns != NULL)
        rc = names_check(fk->ref_columns, fk->ncolumns, "referenced column", err);
    if (rc == 0 && fk->initially_deferred && !fk->deferrable)
        rc = sp_invalid(err, "a foreign key of table \"%s\" is deferred but not deferrable", t->name);
    return rc;
}

int sp_table_check(const struct sp_table *t, struct sp_error *err)
{
    if (t == NULL)
        return sp_invalid(err, "no table is given");
    int rc = sp_name_check(t->name, "the table's name", err);
    if (rc == 0 && t->ncolumns == 0 && !t->open_fields)
        rc = sp_invalid(err, "table \"%s\" has no columns", t->name);
    for (size_t i = 0; rc == 0 && i < t->ncolumns; i++) {
        rc = sp_name_check(t->columns[i].name, "a column's name", err);
        if (rc == 0 && sp_table_column_index(t, t->columns[i].name) != (int)i)
            rc = sp_invalid(err, "table \"%s\" has two columns named \"%s\"", t->name, t->columns[i].name);
    }
    if (rc == 0)
        rc = columns_check(t, t->pk, t->npk, "primary key column", err);
    for (size_t i = 0; rc == 0 && i < t->nuniques; i++) {
        if (t->uniques[i].ncolumns == 0)
            rc = sp_invalid(err, "a unique constraint of table \"%s\" has no columns", t->name);
        else
            rc = columns_check(t, t->uniques[i].columns, t->uniques[i].ncolumns, "unique column", err);
    }
    for (size_t i = 0; rc == 0 && i < t->nchecks; i++) {
        if (t->checks[i].expr == NULL || *t->checks[i].expr == '\0')
            rc = sp_invalid(err, "a check of table \"%s\" has no expression", t->name);
    }
    for (size_t i = 0; rc == 0 && i < t->nfks; i++)
        rc = fk_check(t, &t->fks[i], err);
    return rc;
}

bool sp_op_writes(const struct sp_op *op)
{
    return op->kind != SP_OP_READ && op->kind != SP_OP_COUNT;
}

/* COUNT, UPDATE and DELETE take every row that the filter selects. A literal that leaves the limit out has 0. */
static int whole_check(const struct sp_op *op, struct sp_error *err)
{
    const struct sp_query *q = &op->query;
    if (q->norder != 0 || q->offset != 0 || (q->limit != 0 && q->limit != SP_NO_LIMIT))
        return sp_invalid(err, "count, update and delete take no order, limit or offset (table \"%s\")",
            q->table == NULL ? "" : q->table);
    return 0;
}

static int rows_check(const struct sp_op *op, struct sp_error *err)
{
    int rc = names_check(op->fields, op->nfields, "field", err);
    if (rc != 0)
        return rc;
    if (op->nrows == 0)
        return sp_invalid(err, "there is no row to write; give at least one");
    if (op->nfields != 0 && op->nrows > SIZE_MAX / op->nfields)
        return sp_invalid(err, "%zu rows of %zu fields are too many", op->nrows, op->nfields);
    if (op->nfields != 0 && op->values == NULL)
        return sp_invalid(err, "%zu fields are named but no values are given", op->nfields);
    return 0;
}

static int upsert_check(const struct sp_op *op, struct sp_error *err)
{
    if (op->nkey == 0)
        return sp_invalid(err, "an upsert needs its key columns");
    int rc = names_check(op->key, op->nkey, "key column", err);
    for (size_t i = 0; rc == 0 && i < op->nkey; i++) {
        if (!sp_str_among(op->fields, op->nfields, op->key[i]))
            rc = sp_invalid(err, "key column \"%s\" of the upsert is not among its fields", op->key[i]);
    }
    return rc;
}

static int raw_check(const struct sp_op *op, struct sp_error *err)
{
    if (op->raw == NULL || *op->raw == '\0')
        return sp_invalid(err, "the raw query has no text");
    if (op->nfields != 0 && op->values == NULL)
        return sp_invalid(err, "the raw query announces %zu parameters but gives none", op->nfields);
    if (op->nrows > 1)
        return sp_invalid(err, "a raw query takes one row of parameters, not %zu", op->nrows);
    return 0;
}

int sp_op_check(const struct sp_op *op, struct sp_error *err)
{
    if (op == NULL)
        return sp_invalid(err, "no operation is given");
    if (op->kind == SP_OP_RAW)
        return raw_check(op, err);
    if (op->raw != NULL)
        return sp_invalid(err, "raw text belongs to a raw query only");
    int rc = sp_query_check(&op->query, err);
    if (rc != 0)
        return rc;
    switch (op->kind) {
    case SP_OP_CREATE:
    case SP_OP_UPSERT:
        if (op->query.where != NULL)
            return sp_invalid(err, "create and upsert take no filter");
        rc = rows_check(op, err);
        return rc == 0 && op->kind == SP_OP_UPSERT ? upsert_check(op, err) : rc;
    case SP_OP_UPDATE:
        rc = whole_check(op, err);
        if (rc == 0)
            rc = rows_check(op, err);
        if (rc == 0 && (op->nrows != 1 || op->nfields == 0))
            rc = sp_invalid(err, "an update takes one row of at least one assignment");
        return rc;
    case SP_OP_DELETE:
    case SP_OP_COUNT:
        rc = whole_check(op, err);
        if (rc == 0 && op->nfields != 0)
            rc = sp_invalid(err, "delete and count take no fields");
        return rc;
    case SP_OP_READ:
        return op->nfields == 0 ? 0
                                : sp_invalid(err, "a read names its columns in query.select, not in fields");
    case SP_OP_RAW:
        break;
    }
    return sp_invalid(err, "unknown operation %d", (int)op->kind);
}

int sp_put_opts_check(const struct sp_put_opts *o, struct sp_error *err)
{
    if (o == NULL)
        return 0;
    if (o->sha256_hex != NULL &&
        (strlen(o->sha256_hex) != 64 || strspn(o->sha256_hex, "0123456789abcdefABCDEF") != 64))
        return sp_invalid(err, "a SHA-256 checksum has 64 hexadecimal digits");
    if (o->if_none_match && o->if_match != NULL)
        return sp_invalid(err, "if_none_match and if_match exclude each other");
    if (o->nmeta != 0 && o->meta == NULL)
        return sp_invalid(err, "%zu metadata entries are announced but none is given", o->nmeta);
    for (size_t i = 0; i < o->nmeta; i++) {
        int rc = sp_name_check(o->meta[i].name, "a metadata name", err);
        if (rc != 0)
            return rc;
        if (o->meta[i].value == NULL || !sp_utf8_valid(o->meta[i].value, strlen(o->meta[i].value)))
            return sp_invalid(err, "the value of metadata \"%s\" is missing or not UTF-8", o->meta[i].name);
        for (size_t k = 0; k < i; k++) {
            if (strcmp(o->meta[k].name, o->meta[i].name) == 0)
                return sp_invalid(err, "metadata \"%s\" is given twice", o->meta[i].name);
        }
    }
    return 0;
}

static const char *session_name(const struct sp_session *s)
{
    const struct sp_endpoint *e = sp_session_endpoint(s);
    return e == NULL || e->name == NULL ? sp_session_provider(s)->kind : e->name;
}

int sp_writable_check(const struct sp_session *s, const char *what, struct sp_error *err)
{
    const struct sp_endpoint *e = sp_session_endpoint(s);
    if (e != NULL && e->access != SP_ACCESS_READ_ONLY)
        return 0;
    return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_HARNESS,
        "%s on %s is refused: the provider is read-only; set its access to target or disposable to allow "
        "writing",
        what, session_name(s));
}

int sp_unsupported(const struct sp_session *s, const char *what, struct sp_error *err)
{
    return sp_fail(
        err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "%s does not offer %s", sp_session_provider(s)->kind, what);
}

int sp_answer(int rc, struct sp_error *err)
{
    if (rc == 0)
        return 0;
    if (rc > 0 || rc <= -SP_CODE_N)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS,
            "the provider answered %d, which is neither success nor an error code", rc);
    if (err != NULL && err->code == SP_E_OK)
        return sp_fail(err, (enum sp_code) - rc, SP_ORIGIN_BACKEND, "the provider gave no reason");
    return rc;
}
