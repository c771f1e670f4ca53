/* txn.c -- transactions, savepoints, snapshots. */
#include <string.h>

#include "providers/sqlite/internal.h"

int sq_begin(struct sp_session *s, const struct sp_txn_opts *o, struct sp_error *err)
{
    if (s->in_txn)
        return sp_invalid(err, "a transaction is open already; use a savepoint");
    if (s->snapshot_txn)
        return sp_invalid(err, "a snapshot is open; end it first");
    bool read_only = o != NULL && o->read_only;
    /* The write lock first: two serializable writers then wait for each other instead of failing in the middle. */
    bool immediate = o != NULL && o->isolation == SP_ISO_SERIALIZABLE && !read_only && !s->read_only;
    int ret = sq_exec(s, immediate ? "BEGIN IMMEDIATE" : "BEGIN", err);
    if (ret == 0 && read_only && !s->read_only) {
        ret = sq_exec(s, "PRAGMA query_only=ON", err);
        if (ret != 0)
            (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    }
    if (ret == 0) {
        s->in_txn = true;
        s->txn_read_only = read_only;
    }
    return ret;
}

static void ended(struct sp_session *s)
{
    s->in_txn = false;
    if (s->txn_read_only && !s->read_only)
        (void)sqlite3_exec(s->db, "PRAGMA query_only=OFF", NULL, NULL, NULL);
    s->txn_read_only = false;
}

static int need_txn(struct sp_session *s, struct sp_error *err)
{
    return s->in_txn ? 0 : sp_invalid(err, "no transaction is open");
}

/* A commit that fails ends the transaction as well: nothing of it remains. */
int sq_commit(struct sp_session *s, struct sp_error *err)
{
    int ret = need_txn(s, err);
    if (ret != 0)
        return ret;
    ret = sq_exec(s, "COMMIT", err);
    if (ret != 0 && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    ended(s);
    return ret;
}

int sq_rollback(struct sp_session *s, struct sp_error *err)
{
    int ret = need_txn(s, err);
    if (ret != 0)
        return ret;
    if (!sqlite3_get_autocommit(s->db))
        ret = sq_exec(s, "ROLLBACK", err);
    ended(s);
    return ret;
}

int sq_savepoint(struct sp_session *s, const char *name, struct sp_error *err)
{
    int ret = need_txn(s, err);
    return ret != 0 ? ret : sq_execf(s, err, "SAVEPOINT \"%w\"", name);
}

int sq_savepoint_rollback(struct sp_session *s, const char *name, struct sp_error *err)
{
    int ret = need_txn(s, err);
    return ret != 0 ? ret : sq_execf(s, err, "ROLLBACK TO \"%w\"", name);
}

int sq_savepoint_release(struct sp_session *s, const char *name, struct sp_error *err)
{
    int ret = need_txn(s, err);
    return ret != 0 ? ret : sq_execf(s, err, "RELEASE \"%w\"", name);
}

int sq_snapshot_begin(struct sp_session *s, char id[64], struct sp_error *err)
{
    int64_t n;
    struct sq_state st;
    memset(&st, 0, sizeof st);
    if (s->in_snapshot)
        return sp_invalid(err, "a snapshot is open already");
    int ret = 0;
    bool beside = s->read_only && s->base.endpoint->live && !s->copy;
    if (beside) {
        ret = sq_state_read(s->path, &st, err);
    } else if (s->read_only) {
        ret = s->base.endpoint->live ? sq_live_again(s, err) : sq_readonly_unchanged(s, err);
        st = s->state;
    }
    if (ret == 0 && !s->in_txn) {
        ret = sq_exec(s, "BEGIN", err);
        s->snapshot_txn = ret == 0;
    }
    if (ret == 0) /* the state is fixed by the first read */
        ret = sq_query_i64(s, "SELECT count(*) FROM sqlite_schema", &n, err);
    if (ret == 0 && !s->read_only) {
        ret = sq_state_read(s->path, &st, err);
        if (ret != 0 && st.size == 0 && st.inode != 0) { /* a new file: nothing was written to it yet */
            sp_error_clear(err);
            ret = 0;
        }
    }
    if (ret != 0) {
        if (s->snapshot_txn)
            (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
        s->snapshot_txn = false;
        return ret;
    }
    s->in_snapshot = true;
    if (id != NULL && beside)
        sq_live_id(s, &st, id);
    else if (id != NULL)
        sq_state_id(&st, id);
    return 0;
}

int sq_snapshot_end(struct sp_session *s, struct sp_error *err)
{
    if (!s->in_snapshot)
        return sp_invalid(err, "no snapshot is open");
    int ret = 0;
    if (s->snapshot_txn)
        ret = sq_exec(s, "COMMIT", err);
    if (ret != 0 && !sqlite3_get_autocommit(s->db))
        (void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    s->in_snapshot = s->snapshot_txn = false;
    return ret != 0 ? ret : sq_readonly_unchanged(s, err);
}
