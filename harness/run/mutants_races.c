/* mutants_races.c -- operations that look first and act later: right alone, wrong beside others; and tables that are made
 * other than they were asked for. */
#include <time.h>

#include "base/str.h"
#include "run/mutation.h"

/* Between the look and the act. */
static void dawdle(void)
{
    (void)nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
}

static int count(
    struct sp_session *s, const char *table, const struct sp_filter *where, int64_t *n, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_COUNT,
        .query = { .table = table, .where = where, .limit = SP_NO_LIMIT } };
    struct sp_result r = SP_RESULT_INIT;
    int rc = SP_INNER_DB->exec(s, &op, &r, err);
    *n = r.affected;
    sp_result_free(&r);
    return rc;
}

/* ---- unique: the constraint is left out, and creates look for the value instead ----------------------------------- */

static char watched[64], column[64]; /* the last table with one unique column; guarded by the lock */

static int table_without_unique(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    struct sp_table bare = *t;
    (void)pthread_mutex_lock(&sp_mutation.lock);
    watched[0] = '\0';
    if (with_extras && t->nuniques == 1 && t->uniques[0].ncolumns == 1 &&
        sp_strlcpy(column, t->uniques[0].columns[0], sizeof column) &&
        sp_strlcpy(watched, t->name, sizeof watched))
        bare.nuniques = 0;
    (void)pthread_mutex_unlock(&sp_mutation.lock);
    return SP_INNER_DB->table_create(s, &bare, with_extras, err);
}

static const struct sp_value *watched_value(const struct sp_op *op)
{
    const struct sp_value *found = NULL;
    (void)pthread_mutex_lock(&sp_mutation.lock);
    for (size_t i = 0; op->kind == SP_OP_CREATE && op->nrows == 1 && i < op->nfields; i++) {
        if (sp_streq(op->query.table, watched) && sp_streq(op->fields[i], column))
            found = &op->values[i];
    }
    (void)pthread_mutex_unlock(&sp_mutation.lock);
    return found;
}

static int exec_unique_later(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    const struct sp_value *v = watched_value(op);
    int64_t n = 0;
    if (v == NULL)
        return SP_INNER_DB->exec(s, op, r, err);
    const struct sp_filter same = { .op = SP_F_EQ, .column = column, .values = v, .nvalues = 1 };
    int rc = count(s, op->query.table, &same, &n, err);
    if (rc == 0 && n > 0)
        rc = sp_fail(err, SP_E_UNIQUE, SP_ORIGIN_BACKEND, "there is such a value already");
    if (rc != 0)
        return rc;
    dawdle();
    return SP_INNER_DB->exec(s, op, r, err);
}
static bool plant_unique_looks_first(void)
{
    bool can = sp_mutation.db.exec != NULL && sp_mutation.db.table_create != NULL;
    if (can) {
        sp_mutation.db.table_create = table_without_unique;
        sp_mutation.db.exec = exec_unique_later;
    }
    return can;
}

/* ---- upsert: a look, then a create or an update ---------------------------------------------------------------------- */

static int exec_upsert_later(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    const struct sp_value *v = NULL;
    struct sp_op act = *op;
    int64_t n = 0;
    for (size_t i = 0; op->kind == SP_OP_UPSERT && op->nrows == 1 && op->nkey == 1 && i < op->nfields; i++) {
        if (sp_streq(op->fields[i], op->key[0]))
            v = &op->values[i];
    }
    if (v == NULL)
        return SP_INNER_DB->exec(s, op, r, err);
    const struct sp_filter same = { .op = SP_F_EQ, .column = op->key[0], .values = v, .nvalues = 1 };
    int rc = count(s, op->query.table, &same, &n, err);
    if (rc != 0)
        return rc;
    dawdle();
    act.kind = n == 0 ? SP_OP_CREATE : SP_OP_UPDATE;
    act.query.where = n == 0 ? NULL : &same;
    act.key = NULL;
    act.nkey = 0;
    return SP_INNER_DB->exec(s, &act, r, err);
}
SP_PLANT(db, upsert_looks_first, exec, exec_upsert_later)

/* ---- update: the condition is looked at first, the row is written by its key --------------------------------------- */

static int exec_update_later(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    const struct sp_filter *where = op->query.where;
    struct sp_op act = *op;
    int64_t n = 0;
    if (op->kind != SP_OP_UPDATE || where == NULL || where->op != SP_F_AND || where->nargs < 2)
        return SP_INNER_DB->exec(s, op, r, err);
    int rc = count(s, op->query.table, where, &n, err);
    if (rc != 0 || n == 0)
        return rc != 0 ? rc : SP_INNER_DB->exec(s, op, r, err);
    dawdle();
    act.query.where = &where->args[0];
    return SP_INNER_DB->exec(s, &act, r, err);
}
SP_PLANT(db, update_looks_first, exec, exec_update_later)

/* ---- what follows a parent's change ---------------------------------------------------------------------------------- */

/* The actions and the deferral of foreign keys, changed by `change`. */
static int table_with_fks(struct sp_session *s, const struct sp_table *t, bool with_extras,
    void (*change)(struct sp_fk *), struct sp_error *err)
{
    struct sp_fk fks[16];
    struct sp_table other = *t;
    for (size_t i = 0; t->nfks <= SP_LEN(fks) && i < t->nfks; i++) {
        fks[i] = t->fks[i];
        change(&fks[i]);
    }
    if (t->nfks <= SP_LEN(fks))
        other.fks = fks;
    return SP_INNER_DB->table_create(s, &other, with_extras, err);
}

static void no_update_action(struct sp_fk *fk)
{
    fk->on_update = SP_FK_NO_ACTION;
}
static int table_fk_update_dropped(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    return table_with_fks(s, t, with_extras, no_update_action, err);
}
SP_PLANT(db, fk_update_dropped, table_create, table_fk_update_dropped)

static void null_for_default(struct sp_fk *fk)
{
    fk->on_delete = fk->on_delete == SP_FK_SET_DEFAULT ? SP_FK_SET_NULL : fk->on_delete;
}
static int table_fk_default_null(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    return table_with_fks(s, t, with_extras, null_for_default, err);
}
SP_PLANT(db, fk_default_null, table_create, table_fk_default_null)

static void at_once(struct sp_fk *fk)
{
    fk->deferrable = fk->initially_deferred = false;
}
static int table_fk_immediate(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    return table_with_fks(s, t, with_extras, at_once, err);
}
SP_PLANT(db, fk_immediate, table_create, table_fk_immediate)

#define NAME_BYTES 48u
static int table_name_cut(
    struct sp_session *s, const struct sp_table *t, bool with_extras, struct sp_error *err)
{
    char name[NAME_BYTES + 1];
    struct sp_table other = *t;
    if (!sp_strlcpy(name, t->name, sizeof name))
        other.name = name;
    return SP_INNER_DB->table_create(s, &other, with_extras, err);
}
SP_PLANT(db, long_name_cut, table_create, table_name_cut)

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "database", text }, plant_##name                                                            \
    }
const struct sp_mutant_row sp_mutants_races[] = {
    ROW(unique_looks_first, "a create looks for duplicates first and is made later"),
    ROW(upsert_looks_first, "an upsert looks for its key first and acts later"),
    ROW(update_looks_first, "an update checks its condition first and writes later"),
    ROW(fk_update_dropped, "nothing follows a parent's new key"),
    ROW(fk_default_null, "set default sets null"),
    ROW(fk_immediate, "deferred references are checked at once"),
    ROW(long_name_cut, "a long name of a table is cut"),
    { { NULL, NULL, NULL }, NULL },
};
