/* mutants_txn.c -- bugs in transactions. */
#include "run/mutation.h"

static int commit_rolls_back(struct sp_session *s, struct sp_error *err)
{
    return SP_INNER_DB->rollback(s, err);
}
static bool plant_commit_lost(void)
{
    bool can = sp_mutation.db.commit != NULL && sp_mutation.db.rollback != NULL;
    sp_mutation.db.commit = can ? commit_rolls_back : NULL;
    return can;
}

static int rollback_commits(struct sp_session *s, struct sp_error *err)
{
    return SP_INNER_DB->commit(s, err);
}
static bool plant_rollback_keeps(void)
{
    bool can = sp_mutation.db.commit != NULL && sp_mutation.db.rollback != NULL;
    sp_mutation.db.rollback = can ? rollback_commits : NULL;
    return can;
}

static int begin_nothing(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    (void)s, (void)o, (void)err;
    return 0;
}
static int end_nothing(struct sp_session *s, struct sp_error *err)
{
    (void)s, (void)err;
    return 0;
}
static bool plant_no_transactions(void)
{
    bool can = sp_mutation.db.begin != NULL;
    if (can) {
        sp_mutation.db.begin = begin_nothing;
        sp_mutation.db.commit = end_nothing;
        sp_mutation.db.rollback = end_nothing;
    }
    return can;
}

static int begin_weak(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    struct sp_txn_opts weak = { .isolation = SP_ISO_READ_COMMITTED, .read_only = o != NULL && o->read_only };
    return SP_INNER_DB->begin(s, &weak, err);
}
static bool plant_isolation_lowered(void)
{
    bool can = sp_mutation.db.begin != NULL;
    sp_mutation.db.begin = can ? begin_weak : NULL;
    return can;
}

static int begin_writing(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    struct sp_txn_opts writing = { .isolation = o != NULL ? o->isolation : SP_ISO_DEFAULT };
    return SP_INNER_DB->begin(s, &writing, err);
}
static bool plant_read_only_ignored(void)
{
    bool can = sp_mutation.db.begin != NULL;
    sp_mutation.db.begin = can ? begin_writing : NULL;
    return can;
}

static int name_nothing(struct sp_session *s, const char *name, struct sp_error *err)
{
    (void)s, (void)name, (void)err;
    return 0;
}
static bool plant_savepoint_rollback_ignored(void)
{
    bool can = sp_mutation.db.savepoint_rollback != NULL;
    sp_mutation.db.savepoint_rollback = can ? name_nothing : NULL;
    return can;
}

/* A commit that lost a conflict says that it won. */
static int commit_hides_conflict(struct sp_session *s, struct sp_error *err)
{
    int rc = SP_INNER_DB->commit(s, err);
    if (rc != -SP_E_CONFLICT)
        return rc;
    sp_error_clear(err);
    return 0;
}
static int exec_hides_conflict(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (rc != -SP_E_CONFLICT)
        return rc;
    sp_error_clear(err);
    r->affected = 1;
    return 0;
}
static int begin_hides_conflict(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    int rc = SP_INNER_DB->begin(s, o, err);
    if (rc != -SP_E_CONFLICT)
        return rc;
    sp_error_clear(err);
    return 0;
}
static bool plant_conflict_hidden(void)
{
    bool can = sp_mutation.db.begin != NULL && sp_mutation.db.commit != NULL && sp_mutation.db.exec != NULL;
    if (can) {
        sp_mutation.db.begin = begin_hides_conflict;
        sp_mutation.db.commit = commit_hides_conflict;
        sp_mutation.db.exec = exec_hides_conflict;
    }
    return can;
}

static bool plant_interrupt_ignored(void)
{
    bool can = sp_mutation.outer.interrupt != NULL;
    sp_mutation.outer.interrupt = NULL;
    return can;
}

#define ROW(name, facet, text)                                                                               \
    {                                                                                                        \
        { #name, facet, text }, plant_##name                                                                 \
    }
const struct sp_mutant_row sp_mutants_txn[] = {
    ROW(commit_lost, "database", "a commit loses the transaction"),
    ROW(rollback_keeps, "database", "a rollback keeps what was written"),
    ROW(no_transactions, "database", "transactions do nothing; every write is visible at once"),
    ROW(isolation_lowered, "database", "every transaction is read committed"),
    ROW(read_only_ignored, "database", "a read-only transaction writes"),
    ROW(savepoint_rollback_ignored, "database", "a rollback to a savepoint does nothing"),
    ROW(conflict_hidden, "database", "who lost a conflict hears of success"),
    ROW(interrupt_ignored, "database", "a running operation cannot be stopped"),
    { { NULL, NULL, NULL }, NULL },
};
