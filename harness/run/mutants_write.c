/* mutants_write.c -- bugs in writing: errors swallowed, rows lost, rows too many. */
#include "run/mutation.h"

#include <string.h>

#include "base/str.h"

#define EXEC_MUTANT(name) SP_PLANT(db, name, exec, exec_##name)

/* The backend refuses; the caller hears of success. */
#define SWALLOW_MUTANT(name, code_)                                                                          \
    static int exec_##name(                                                                                  \
        struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)             \
    {                                                                                                        \
        int rc = SP_INNER_DB->exec(s, op, r, err);                                                           \
        if (rc != -(int)(code_))                                                                             \
            return rc;                                                                                       \
        sp_error_clear(err);                                                                                 \
        r->affected = op->kind == SP_OP_CREATE ? (int64_t)op->nrows : 1;                                     \
        return 0;                                                                                            \
    }                                                                                                        \
    EXEC_MUTANT(name)

SWALLOW_MUTANT(unique_swallowed, SP_E_UNIQUE)
SWALLOW_MUTANT(foreign_key_swallowed, SP_E_FOREIGN_KEY)
SWALLOW_MUTANT(not_null_swallowed, SP_E_NOT_NULL)
SWALLOW_MUTANT(check_swallowed, SP_E_CHECK)
SWALLOW_MUTANT(unknown_table_swallowed, SP_E_NOT_FOUND)
SWALLOW_MUTANT(wrong_type_swallowed, SP_E_INVALID)

static int exec_unique_is_internal(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    return rc == -SP_E_UNIQUE ? sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "something went wrong") : rc;
}
EXEC_MUTANT(unique_is_internal)

static int exec_constraints_are_checks(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    return rc == -SP_E_FOREIGN_KEY || rc == -SP_E_NOT_NULL
               ? sp_fail(err, SP_E_CHECK, SP_ORIGIN_BACKEND, "a constraint refused the row")
               : rc;
}
EXEC_MUTANT(constraints_are_checks)

/* Create-many says all, stores all but the last. */
static int exec_create_loses_last(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_op other = *op;
    if (op->kind != SP_OP_CREATE || op->nrows < 2)
        return SP_INNER_DB->exec(s, op, r, err);
    other.nrows--;
    int rc = SP_INNER_DB->exec(s, &other, r, err);
    if (rc == 0)
        r->affected = (int64_t)op->nrows;
    return rc;
}
EXEC_MUTANT(create_loses_last)

/* Row by row: the rows before a refused one stay. */
static int exec_batch_not_atomic(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_op one = *op;
    if (op->kind != SP_OP_CREATE || op->nrows < 2 || op->returning)
        return SP_INNER_DB->exec(s, op, r, err);
    one.nrows = 1;
    for (size_t i = 0; i < op->nrows; i++) {
        one.values = op->values + i * op->nfields;
        int rc = SP_INNER_DB->exec(s, &one, r, err);
        if (rc < 0)
            return rc;
    }
    r->affected = (int64_t)op->nrows;
    return 0;
}
EXEC_MUTANT(batch_not_atomic)

/* Says that it deleted, and did not. */
static int exec_delete_keeps(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_op count = *op;
    if (op->kind != SP_OP_DELETE)
        return SP_INNER_DB->exec(s, op, r, err);
    count.kind = SP_OP_COUNT;
    count.returning = false;
    return SP_INNER_DB->exec(s, &count, r, err);
}
EXEC_MUTANT(delete_keeps)

static int exec_update_keeps(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_op count = *op;
    if (op->kind != SP_OP_UPDATE)
        return SP_INNER_DB->exec(s, op, r, err);
    count.kind = SP_OP_COUNT;
    count.returning = false;
    return SP_INNER_DB->exec(s, &count, r, err);
}
EXEC_MUTANT(update_keeps)

static int exec_delete_ignores_filter(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_op all = *op;
    if (op->kind == SP_OP_DELETE)
        all.query.where = NULL;
    int rc = SP_INNER_DB->exec(s, &all, r, err);
    if (rc == 0 && op->kind == SP_OP_DELETE && r->affected > 1)
        r->affected = 1;
    return rc;
}
EXEC_MUTANT(delete_ignores_filter)

/* An update or delete by one integer key takes the next key's row along, and says nothing of it. */
static int exec_one_row_too_many(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    const struct sp_filter *f = op->query.where;
    struct sp_op other = *op;
    if ((op->kind != SP_OP_UPDATE && op->kind != SP_OP_DELETE) || f == NULL || f->op != SP_F_EQ ||
        f->nvalues != 1 || f->values[0].tag != SP_INT || f->values[0].u.i == INT64_MAX)
        return SP_INNER_DB->exec(s, op, r, err);
    struct sp_value both[] = { f->values[0], sp_v_int(f->values[0].u.i + 1) };
    struct sp_filter in = { .op = SP_F_IN, .column = f->column, .values = both, .nvalues = 2 };
    other.query.where = &in;
    int rc = SP_INNER_DB->exec(s, &other, r, err);
    if (rc == 0 && r->affected == 2)
        r->affected = 1;
    return rc;
}
EXEC_MUTANT(one_row_too_many)

static int exec_update_loses_last_field(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_op other = *op;
    if (op->kind == SP_OP_UPDATE && op->nfields > 1)
        other.nfields--;
    return SP_INNER_DB->exec(s, &other, r, err);
}
EXEC_MUTANT(update_loses_last_field)

/* Leaves the existing row as it is. */
static int exec_upsert_keeps_old(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_op other = *op;
    if (op->kind != SP_OP_UPSERT)
        return SP_INNER_DB->exec(s, op, r, err);
    other.kind = SP_OP_CREATE;
    other.key = NULL;
    other.nkey = 0;
    int rc = SP_INNER_DB->exec(s, &other, r, err);
    if (rc == -SP_E_UNIQUE) {
        sp_error_clear(err);
        r->affected = 1;
        rc = 0;
    }
    return rc;
}
EXEC_MUTANT(upsert_keeps_old)

/* The rows given back are not those that were stored. */
static int exec_returning_loses_row(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (rc == 0 && op->returning && r->nrows > 0)
        r->nrows--;
    return rc;
}
EXEC_MUTANT(returning_loses_row)

/* Every seventh write is acknowledged and forgotten. */
static int exec_forgets_writes(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    static unsigned n;
    if (op->kind != SP_OP_CREATE || op->nrows != 1 || op->returning)
        return SP_INNER_DB->exec(s, op, r, err);
    pthread_mutex_lock(&sp_mutation.lock);
    bool forget = ++n % 7 == 0;
    pthread_mutex_unlock(&sp_mutation.lock);
    if (!forget)
        return SP_INNER_DB->exec(s, op, r, err);
    r->affected = 1;
    return 0;
}
EXEC_MUTANT(forgets_writes)

/* Of twenty creates one gets through. */
static int exec_conflicts_mostly(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    static unsigned n;
    if (op->kind != SP_OP_CREATE || op->nrows != 1)
        return SP_INNER_DB->exec(s, op, r, err);
    pthread_mutex_lock(&sp_mutation.lock);
    bool through = ++n % 20 == 0;
    pthread_mutex_unlock(&sp_mutation.lock);
    return through ? SP_INNER_DB->exec(s, op, r, err)
                   : sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND, "another transaction was faster");
}
EXEC_MUTANT(conflicts_mostly)

/* A prepared operation always runs with the values of its first execution. */
static int execute_first_values(
    struct sp_prepared *p, const struct sp_value *v, size_t n, struct sp_result *r, struct sp_error *err)
{
    static struct sp_prepared *last;
    static struct sp_arena arena;
    static struct sp_value kept[16];
    pthread_mutex_lock(&sp_mutation.lock);
    if (p != last && n <= SP_LEN(kept)) {
        sp_arena_reset(&arena);
        for (size_t i = 0; i < n; i++)
            sp_value_copy(&arena, &kept[i], &v[i]);
        last = p;
    }
    int rc = SP_INNER_DB->execute(p, n <= SP_LEN(kept) ? kept : v, n, r, err);
    pthread_mutex_unlock(&sp_mutation.lock);
    return rc;
}
static bool plant_prepared_first_values(void)
{
    bool can = sp_mutation.db.execute != NULL;
    sp_mutation.db.execute = can ? execute_first_values : NULL;
    return can;
}

/* ---- tables and bulk ----------------------------------------------------------------------------------------- */

static int table_create_plain(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    struct sp_table bare = *t;
    bare.nuniques = bare.nchecks = bare.nfks = 0;
    bare.native_definition = NULL;
    return SP_INNER_DB->table_create(s, &bare, with_extras, err);
}
static bool plant_constraints_dropped(void)
{
    bool can = sp_mutation.db.table_create != NULL;
    sp_mutation.db.table_create = can ? table_create_plain : NULL;
    return can;
}

static int table_create_restrict(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    struct sp_fk fks[8];
    struct sp_table other = *t;
    if (t->nfks > SP_LEN(fks))
        return SP_INNER_DB->table_create(s, t, with_extras, err);
    for (size_t i = 0; i < t->nfks; i++) {
        fks[i] = t->fks[i];
        fks[i].on_delete = SP_FK_NO_ACTION;
    }
    other.fks = t->nfks > 0 ? fks : t->fks;
    other.native_definition = NULL;
    return SP_INNER_DB->table_create(s, &other, with_extras, err);
}
static bool plant_fk_actions_dropped(void)
{
    bool can = sp_mutation.db.table_create != NULL;
    sp_mutation.db.table_create = can ? table_create_restrict : NULL;
    return can;
}

static int table_create_no_defaults(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    struct sp_column columns[128];
    struct sp_table other = *t;
    if (t->ncolumns > SP_LEN(columns))
        return SP_INNER_DB->table_create(s, t, with_extras, err);
    for (size_t i = 0; i < t->ncolumns; i++) {
        columns[i] = t->columns[i];
        columns[i].default_expr = NULL;
    }
    other.columns = columns;
    other.native_definition = NULL;
    return SP_INNER_DB->table_create(s, &other, with_extras, err);
}
static bool plant_defaults_dropped(void)
{
    bool can = sp_mutation.db.table_create != NULL;
    sp_mutation.db.table_create = can ? table_create_no_defaults : NULL;
    return can;
}

/* Bulk load swallows its third row and counts it all the same. */
static unsigned load_rows;
static int load_row_swallow(struct sp_load *l, const struct sp_value *v, struct sp_error *err)
{
    return ++load_rows == 3 ? 0 : SP_INNER_DB->load_row(l, v, err);
}
static int load_close_swallow(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    uint64_t n = 0;
    int rc = SP_INNER_DB->load_close(l, commit, &n, err);
    if (rc == 0 && loaded != NULL)
        *loaded = n + (load_rows >= 3);
    load_rows = 0;
    return rc;
}
static bool plant_load_loses_row(void)
{
    bool can = sp_mutation.db.load_row != NULL && sp_mutation.db.load_close != NULL;
    if (can) {
        sp_mutation.db.load_row = load_row_swallow;
        sp_mutation.db.load_close = load_close_swallow;
    }
    return can;
}

static int load_close_commits(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    (void)commit;
    return SP_INNER_DB->load_close(l, true, loaded, err);
}
static bool plant_load_always_commits(void)
{
    bool can = sp_mutation.db.load_close != NULL;
    sp_mutation.db.load_close = can ? load_close_commits : NULL;
    return can;
}

static int sequence_set_nothing(struct sp_session *s, const struct sp_sequence *q, struct sp_error *err)
{
    (void)s, (void)q, (void)err;
    return 0;
}
static bool plant_sequence_not_set(void)
{
    bool can = sp_mutation.db.sequence_set != NULL;
    sp_mutation.db.sequence_set = can ? sequence_set_nothing : NULL;
    return can;
}

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "database", text }, plant_##name                                                            \
    }
const struct sp_mutant_row sp_mutants_write[] = {
    ROW(unique_swallowed, "a refused duplicate looks stored"),
    ROW(foreign_key_swallowed, "a refused orphan looks stored"),
    ROW(not_null_swallowed, "a refused null looks stored"),
    ROW(check_swallowed, "a row that a check refused looks stored"),
    ROW(unknown_table_swallowed, "an operation on an unknown table looks done"),
    ROW(wrong_type_swallowed, "a value of a refused type looks stored"),
    ROW(unique_is_internal, "a duplicate is an internal error"),
    ROW(constraints_are_checks, "every broken constraint is a broken check"),
    ROW(create_loses_last, "create-many loses its last row"),
    ROW(batch_not_atomic, "a refused batch leaves the rows before the bad one"),
    ROW(delete_keeps, "a deleted row stays"),
    ROW(update_keeps, "an updated row keeps its old values"),
    ROW(delete_ignores_filter, "a delete takes every row"),
    ROW(one_row_too_many, "a write by key takes the next key along"),
    ROW(update_loses_last_field, "an update loses its last assignment"),
    ROW(upsert_keeps_old, "an upsert leaves the row that is there"),
    ROW(returning_loses_row, "the stored rows given back lack one"),
    ROW(forgets_writes, "every seventh create is acknowledged and forgotten"),
    ROW(conflicts_mostly, "nineteen of twenty creates end in a conflict"),
    ROW(prepared_first_values, "a prepared operation repeats its first values"),
    ROW(constraints_dropped, "tables are created without uniques, checks and foreign keys"),
    ROW(fk_actions_dropped, "foreign keys are created without their delete action"),
    ROW(defaults_dropped, "tables are created without defaults"),
    ROW(load_loses_row, "a bulk load loses a row and counts it"),
    ROW(load_always_commits, "a bulk load that is taken back stays"),
    ROW(sequence_not_set, "the next value of a sequence is not set"),
    { { NULL, NULL, NULL }, NULL },
};
