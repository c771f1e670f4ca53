/* access_write.c -- what an actor may write.
 *
 * Only where the provider may be written to, each try in a transaction that is rolled back. A row is created once more as it
 * stands: behind the rules for rows it is its key that is refused. Changes (a value to what it is) and deletes are tried on
 * one row of the actor's and one of somebody else's by their keys, and on all rows without a filter: who sees no row may
 * still write them all. What proves nothing is called unproven. */
#include <string.h>

#include "suites/auth/access.h"

#define MANY INT64_C(1000000) /* rows that are not written at once */

struct tried {
    bool had, did;
    int rc;
    int64_t n;
    const char *odd; /* neither done nor refused: what came of it */
};

/* A row as it stands: of the actor's, or of somebody else's (of anybody's, if it is not known whose they are). */
static bool pick(struct ax *x, bool theirs)
{
    struct sp_filter f;
    bool known = ax_theirs(x, &f);
    size_t n = 0;
    const char **names = sp_arena_array(x->d.a, x->table->ncolumns + 1, sizeof *names);
    struct sp_order *order = sp_arena_array(x->d.a, x->table->npk + 1, sizeof *order);
    x->values = NULL;
    x->nfields = 0;
    if (names == NULL || order == NULL)
        return dc_ok(&x->d, "a row", sp_nomem(&x->d.err));
    for (size_t i = 0; i < x->table->ncolumns; i++)
        if (x->table->columns[i].generated == NULL)
            names[n++] = x->table->columns[i].name;
    for (size_t i = 0; i < x->table->npk; i++)
        order[i] = (struct sp_order){ .column = x->table->pk[i] };
    f.op = theirs ? SP_F_EQ : SP_F_NEQ;
    if (theirs && !known)
        return true;
    const struct sp_query q = { .table = x->table->name,
        .select = names,
        .nselect = n,
        .where = known ? &f : NULL,
        .order = order,
        .norder = x->table->npk,
        .limit = 1 };
    int rc = sp_db_read(x->own, &q, &x->d.r, &x->d.err);
    if (rc == -SP_E_PERMISSION) {
        sp_error_clear(&x->d.err);
        return true;
    }
    if (!dc_ok(&x->d, "reading a row", rc))
        return false;
    x->fields = names;
    x->nfields = n;
    x->values = x->d.r.nrows == 1 ? x->d.r.values : NULL;
    return true;
}

/* The row by its key; NULL: out of memory, or the key cannot be told. */
static const struct sp_filter *key_of(const struct ax *x)
{
    struct sp_filter *f = sp_arena_array(x->d.a, x->table->npk + 1, sizeof *f);
    for (size_t i = 0; f != NULL && i < x->table->npk; i++) {
        size_t at = 0;
        while (at < x->nfields && strcmp(x->fields[at], x->table->pk[i]) != 0)
            at++;
        if (at == x->nfields)
            return NULL;
        f[i + 1] = (struct sp_filter){
            .op = SP_F_EQ, .column = x->table->pk[i], .values = &x->values[at], .nvalues = 1
        };
    }
    if (f != NULL)
        f[0] = (struct sp_filter){ .op = SP_F_AND, .args = f + 1, .nargs = x->table->npk };
    return f;
}

/* One that all rows may have alike: none of a key, not the owner. nfields: there is none. */
static size_t plain_field(const struct ax *x)
{
    const struct sp_table *t = x->table;
    for (size_t i = 0; i < x->nfields; i++) {
        const char *name = x->fields[i];
        bool taken = sp_table_is_pk(t, name) || (x->owner != NULL && strcmp(name, x->owner) == 0);
        for (size_t k = 0; k < t->nuniques; k++)
            taken = taken || sp_str_among(t->uniques[k].columns, t->uniques[k].ncolumns, name);
        for (size_t k = 0; k < t->nindexes; k++)
            taken = taken || (t->indexes[k].unique &&
                                 sp_str_among(t->indexes[k].columns, t->indexes[k].ncolumns, name));
        if (!taken)
            return i;
    }
    return x->nfields;
}

/* Who meets a constraint was let through to it. */
static bool stopped_behind(int rc)
{
    return rc == -SP_E_UNIQUE || rc == -SP_E_FOREIGN_KEY || rc == -SP_E_NOT_NULL || rc == -SP_E_CHECK;
}

static int write_once(struct ax *x, enum ax_op op, const struct sp_filter *where, int64_t *n)
{
    if (op == AX_INSERT) {
        *n = 1;
        return sp_db_insert_many(x->s, x->table->name, x->fields, x->nfields, x->values, 1, NULL, &x->d.err);
    }
    if (op == AX_DELETE)
        return sp_db_delete(x->s, x->table->name, where, n, &x->d.err);
    size_t at = plain_field(x);
    const struct sp_field f = { x->fields[at], x->values[at] };
    return sp_db_update(x->s, x->table->name, where, &f, 1, n, &x->d.err);
}

/* Rolled back whatever comes of it. */
static bool attempt(struct ax *x, enum ax_op op, const struct sp_filter *where, struct tried *t)
{
    *t = (struct tried){ .had = true };
    if (!dc_begin(&x->d, x->s, SP_ISO_DEFAULT))
        return false;
    t->rc = write_once(x, op, where, &t->n);
    t->did = (t->rc == 0 && t->n != 0) || stopped_behind(t->rc);
    if (t->rc != 0 && x->d.err.origin == SP_ORIGIN_TRANSPORT)
        return dc_ok(&x->d, "a write that is rolled back", t->rc);
    if (t->rc != 0 && t->rc != -SP_E_PERMISSION && !stopped_behind(t->rc)) {
        t->odd = sp_arena_printf(x->d.a, "it ends with %s", sp_error_text(&x->d.err));
        t->odd = t->odd != NULL ? t->odd : "it ends with an error";
    }
    sp_error_clear(&x->d.err);
    return dc_rollback(&x->d, x->s);
}

static bool try_row(struct ax *x, enum ax_op op, bool theirs, struct tried *t)
{
    *t = (struct tried){ .had = false };
    if (!pick(x, theirs))
        return false;
    if (x->values == NULL || (op == AX_UPDATE && plain_field(x) == x->nfields))
        return true;
    const struct sp_filter *key = key_of(x);
    return key != NULL ? attempt(x, op, key, t) : dc_ok(&x->d, "a key", sp_nomem(&x->d.err));
}

static struct ax_cell is(enum ax_is what)
{
    return (struct ax_cell){ .is = what };
}

static struct ax_cell unproven(const char *why)
{
    return (struct ax_cell){ .note = why };
}

/* By one row of theirs and one of somebody else's. */
static struct ax_cell by_rows(const struct ax *x, const struct tried *own, const struct tried *other)
{
    if (!other->had || (x->mine >= 0 && !own->had))
        return unproven("there is no such row to be tried");
    if (x->user != NULL && x->mine < 0 && !x->unowned)
        return unproven("whose rows they are is not said (`owner`)");
    if (other->odd != NULL || own->odd != NULL)
        return unproven(other->odd != NULL ? other->odd : own->odd);
    return is(other->did ? own->had && !own->did ? AX_SOME : AX_ALL : own->did ? AX_OWN : AX_NONE);
}

/* By how many rows a write of all of them reached. */
static struct ax_cell by_all(
    const struct ax *x, enum ax_op op, const struct ax_cell *rows, const struct tried *all, bool any_did)
{
    if (all->odd != NULL)
        return unproven(all->odd);
    if (all->rc == -SP_E_PERMISSION) /* a delete is refused for all rows; a change also for one of them */
        return op == AX_DELETE && !any_did ? is(AX_NONE) : *rows;
    if (all->rc != 0)
        return rows->is == AX_ALL ? *rows : unproven("a constraint stops a write of all rows at once");
    if (all->n == 0)
        return is(any_did ? AX_SOME : AX_NONE);
    if (all->n == x->total)
        return is(AX_ALL);
    return is(all->n == x->mine && rows->is == AX_OWN ? AX_OWN : AX_SOME);
}

static bool try_change(struct ax *x, enum ax_op op, struct ax_cell *out)
{
    struct tried own, other, all;
    if (!try_row(x, op, true, &own) || !try_row(x, op, false, &other))
        return false;
    *out = by_rows(x, &own, &other);
    if (!other.had || other.odd != NULL || own.odd != NULL)
        return true; /* `all` has no values, or ends alike */
    if (x->total > MANY) {
        if (out->is != AX_ALL)
            *out =
                unproven("more than a million rows: too many to be written at once, even to be rolled back");
        return true;
    }
    if (!attempt(x, op, NULL, &all))
        return false;
    *out = by_all(x, op, out, &all, own.did || other.did);
    return true;
}

static const char *why_unproven(const struct ax *x)
{
    if (sp_session_endpoint(x->own)->access == SP_ACCESS_READ_ONLY)
        return "the provider is read-only: nothing is written there, not even to be rolled back";
    if (sp_ctx_cap(x->d.ctx, SP_CAP_TXN)->level != SP_CAP_YES)
        return "no transactions that could be rolled back";
    return x->table->npk == 0 ? "the table has no key" : NULL;
}

bool ax_try_write(struct ax *x, enum ax_op op, struct ax_cell *out)
{
    struct tried own, other;
    *out = unproven(why_unproven(x));
    if (out->note != NULL)
        return true;
    if (op != AX_INSERT)
        return try_change(x, op, out);
    if (!try_row(x, op, true, &own) || !try_row(x, op, false, &other))
        return false;
    *out = by_rows(x, &own, &other);
    return true;
}
