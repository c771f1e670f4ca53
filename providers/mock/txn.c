/* txn.c -- transactions: visibility, undo, conflicts, savepoints, snapshots.
 *
 * read committed: each operation sees what was committed when it began. repeatable read: the state at begin;
 * the first of two writers of a row wins. serializable (the default): besides, a commit is refused when anything
 * that the transaction looked at was changed by a commit after its begin; those that wrote nothing need no such
 * proof, their place in the order is their begin. */
#include "internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum mock_seen mock_latest(const struct mock_version *v, const struct mock_txn *x)
{
    if (v->dead)
        return MOCK_GONE;
    if (v->creator != NULL && v->creator != x)
        return MOCK_BUSY;
    if (v->ender != NULL)
        return v->ender == x ? MOCK_GONE : MOCK_BUSY;
    return v->end != 0 ? MOCK_GONE : MOCK_LIVE;
}

bool mock_visible(const struct mock_version *v, const struct mock_txn *x)
{
    if (v->dead)
        return false;
    if (v->creator != NULL ? v->creator != x : v->begin > x->snapshot)
        return false;
    if (v->ender != NULL)
        return v->ender != x;
    return v->end == 0 || v->end > x->snapshot;
}

int mock_conflict(struct mock_txn *x, struct sp_error *err, const char *what)
{
    if (x != NULL)
        x->doomed = true;
    int rc = mock_fail(err, SP_E_CONFLICT, "%s; roll back and try again", what);
    if (err != NULL)
        err->retryable = true;
    return rc;
}

static int undo_add(struct mock_txn *x, struct mock_undo u, struct sp_error *err)
{
    if (x->nundo == x->cap_undo) {
        size_t cap = x->cap_undo == 0 ? 16 : x->cap_undo * 2;
        struct mock_undo *p = realloc(x->undo, cap * sizeof *p);
        if (p == NULL)
            return sp_nomem(err);
        x->undo = p;
        x->cap_undo = cap;
    }
    x->undo[x->nundo++] = u;
    return 0;
}

int mock_txn_create(struct mock_txn *x, struct mock_table *t, struct mock_version *v, struct sp_error *err)
{
    v->creator = x;
    if (t->nv == t->cap) {
        size_t cap = t->cap == 0 ? 64 : t->cap * 2;
        struct mock_version **p = realloc(t->v, cap * sizeof(*p));
        if (p == NULL) {
            free(v);
            return sp_nomem(err);
        }
        t->v = p;
        t->cap = cap;
    }
    t->v[t->nv++] = v;
    v->dead = true; /* until the undo log knows it */
    int rc = undo_add(x, (struct mock_undo){ MOCK_CREATED, t, v, NULL }, err);
    if (rc != 0) {
        t->ndead++;
        return rc;
    }
    v->dead = false;
    for (size_t i = 0; i < t->nindexes; i++) {
        if (mock_index_add(t, t->indexes[i], v) != 0)
            return sp_nomem(err);
    }
    return 0;
}

int mock_txn_end(struct mock_txn *x, struct mock_table *t, struct mock_version *v,
    struct mock_version *replacement, struct sp_error *err)
{
    if (mock_latest(v, x) != MOCK_LIVE)
        return mock_conflict(x, err, "another transaction changed the same row");
    int rc = undo_add(x, (struct mock_undo){ MOCK_ENDED, t, v, replacement }, err);
    if (rc == 0)
        v->ender = x;
    return rc;
}

void mock_txn_undo(struct mock_txn *x, size_t mark)
{
    while (x->nundo > mark) {
        struct mock_undo *u = &x->undo[--x->nundo];
        if (u->kind == MOCK_CREATED) {
            u->v->dead = true;
            u->v->creator = NULL;
            u->t->ndead++;
        } else {
            u->v->ender = NULL;
        }
    }
}

int mock_txn_note_read(
    struct mock_txn *x, struct mock_table *t, const struct sp_filter *where, struct sp_error *err)
{
    if (x->isolation != SP_ISO_SERIALIZABLE || x->is_snapshot)
        return 0;
    struct sp_filter *copy = NULL;
    if (where != NULL) {
        copy = sp_arena_array(&x->arena, 1, sizeof *copy);
        if (copy == NULL || mock_filter_copy(&x->arena, copy, where, NULL) != 0)
            return sp_nomem(err);
    }
    if (x->nreads == x->cap_reads) {
        struct mock_read *p = sp_arena_grow(&x->arena, x->reads, &x->cap_reads, x->nreads + 1, sizeof *p);
        if (p == NULL)
            return sp_nomem(err);
        x->reads = p;
    }
    x->reads[x->nreads++] = (struct mock_read){ t, copy };
    return 0;
}

/* ---- open and close ----------------------------------------------------------------------------------------- */

void mock_txn_open(struct mock_store *st, struct mock_txn *x, enum sp_isolation isolation)
{
    *x = (struct mock_txn){ .snapshot = st->stamp, .isolation = isolation, .next = st->open };
    st->open = x;
}

static uint64_t horizon(const struct mock_store *st)
{
    uint64_t h = st->stamp;
    for (const struct mock_txn *x = st->open; x != NULL; x = x->next)
        h = x->snapshot < h ? x->snapshot : h;
    return h;
}

/* Forgets what no open transaction can see any more. */
static void tidy(struct mock_store *st)
{
    uint64_t h = horizon(st);
    size_t old = 0;
    while (old < st->nlog && st->log[old].stamp <= h)
        old++;
    if (old > 0 && old * 2 >= st->nlog) {
        st->nlog -= old;
        memmove(st->log, st->log + old, st->nlog * sizeof *st->log);
    }
    for (struct mock_table *t = st->tables; t != NULL; t = t->next) {
        if (t->ndead > 64 && t->ndead * 2 > t->nv)
            mock_table_compact(t, h);
    }
}

static void txn_close(struct mock_store *st, struct mock_txn *x)
{
    for (struct mock_txn **p = &st->open; *p != NULL; p = &(*p)->next) {
        if (*p == x) {
            *p = x->next;
            break;
        }
    }
    free(x->undo);
    sp_arena_free(&x->arena);
    tidy(st);
}

void mock_txn_rollback(struct mock_store *st, struct mock_txn *x)
{
    mock_txn_undo(x, 0);
    txn_close(st, x);
}

static int still_true(const struct mock_store *st, struct mock_txn *x, struct sp_error *err)
{
    for (size_t i = st->nlog; i > 0 && st->log[i - 1].stamp > x->snapshot; i--) {
        const struct mock_change *c = &st->log[i - 1];
        for (size_t k = 0; k < x->nreads; k++) {
            if (x->reads[k].t != c->t)
                continue;
            if (mock_filter_true(c->t, c->v, x->reads[k].where, NULL) != 0)
                return mock_conflict(
                    x, err, "another transaction changed what this one had read, and committed first");
        }
    }
    return 0;
}

static bool somebody_checks(const struct mock_store *st, const struct mock_txn *self)
{
    for (const struct mock_txn *x = st->open; x != NULL; x = x->next) {
        if (x != self && x->isolation == SP_ISO_SERIALIZABLE && !x->is_snapshot)
            return true;
    }
    return false;
}

static int log_reserve(struct mock_store *st, size_t more, struct sp_error *err)
{
    if (st->nlog + more <= st->cap_log)
        return 0;
    size_t cap = (st->nlog + more) * 2;
    struct mock_change *p = realloc(st->log, cap * sizeof *p);
    if (p == NULL)
        return sp_nomem(err);
    st->log = p;
    st->cap_log = cap;
    return 0;
}

/* On failure the transaction is rolled back: nothing of it stays. */
int mock_txn_commit(struct mock_session *s, struct mock_txn *x, struct sp_error *err)
{
    struct mock_store *st = s->store;
    int rc = mock_fk_check(s, x, 0, true, err);
    if (rc == 0 && x->isolation == SP_ISO_SERIALIZABLE && x->nundo > 0)
        rc = still_true(st, x, err);
    bool log = somebody_checks(st, x);
    if (rc == 0 && log)
        rc = log_reserve(st, x->nundo, err);
    if (rc != 0) {
        mock_txn_rollback(st, x);
        return rc;
    }
    if (x->nundo > 0)
        st->stamp++;
    for (size_t i = 0; i < x->nundo; i++) {
        struct mock_undo *u = &x->undo[i];
        if (u->kind == MOCK_CREATED) {
            u->v->begin = st->stamp;
            u->v->creator = NULL;
        } else {
            u->v->end = st->stamp;
            u->v->ender = NULL;
            u->t->ndead++;
        }
        if (log)
            st->log[st->nlog++] = (struct mock_change){ st->stamp, u->t, u->v };
    }
    txn_close(st, x);
    return 0;
}

/* ---- the frame of one operation ------------------------------------------------------------------------------ */

int mock_stmt_begin(
    struct mock_session *s, struct mock_txn *own, struct mock_txn **out, bool writes, struct sp_error *err)
{
    struct mock_txn *x = s->txn;
    *out = x;
    if (x == NULL) {
        mock_txn_open(s->store, own, SP_ISO_READ_COMMITTED);
        *out = own;
        return 0;
    }
    if (x->is_load)
        return mock_fail(err, SP_E_INVALID, "a bulk load is open; close it first");
    if (x->doomed)
        return mock_conflict(x, err, "the transaction lost a conflict");
    if (writes && x->read_only)
        return mock_fail(err, SP_E_PERMISSION, "the transaction is read-only");
    if (x->isolation == SP_ISO_READ_COMMITTED)
        x->snapshot = s->store->stamp;
    return 0;
}

int mock_stmt_end(struct mock_session *s, struct mock_txn *own, struct mock_txn *x, size_t mark, int rc,
    struct sp_error *err)
{
    if (rc == 0)
        rc = mock_fk_actions(s, x, mark, err);
    if (rc == 0)
        rc = mock_fk_check(s, x, mark, false, err);
    if (rc != 0)
        mock_txn_undo(x, mark);
    if (x != own)
        return rc;
    if (rc == 0)
        return mock_txn_commit(s, x, err);
    mock_txn_rollback(s->store, x);
    return rc;
}

/* ---- calls ---------------------------------------------------------------------------------------------------- */

int mock_txn_start(struct mock_session *s, enum sp_isolation isolation, bool read_only, struct sp_error *err)
{
    if (s->txn != NULL)
        return mock_fail(err, SP_E_INVALID, "a transaction, snapshot or bulk load is open already");
    struct mock_txn *x = malloc(sizeof *x);
    if (x == NULL)
        return sp_nomem(err);
    mock_txn_open(s->store, x, isolation == SP_ISO_DEFAULT ? SP_ISO_SERIALIZABLE : isolation);
    x->read_only = read_only;
    s->txn = x;
    return 0;
}

int mock_begin(struct sp_session *ss, const struct sp_txn_opts *opts, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = mock_txn_start(s, opts->isolation, opts->read_only, err);
    mock_leave(s);
    return rc;
}

/* The session's transaction, not a snapshot or load. */
static int open_txn(struct mock_session *s, struct sp_error *err)
{
    if (s->txn == NULL || s->txn->is_snapshot || s->txn->is_load)
        return mock_fail(err, SP_E_INVALID, "no transaction is open");
    return 0;
}

int mock_commit(struct sp_session *ss, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = open_txn(s, err);
    if (rc == 0) {
        struct mock_txn *x = s->txn;
        if (x->doomed) {
            rc = mock_conflict(x, err, "the transaction lost a conflict and was rolled back");
            mock_txn_rollback(s->store, x);
        } else {
            rc = mock_txn_commit(s, x, err);
        }
        s->txn = NULL;
        free(x);
    }
    mock_leave(s);
    return rc;
}

int mock_rollback(struct sp_session *ss, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = open_txn(s, err);
    if (rc == 0) {
        mock_txn_rollback(s->store, s->txn);
        free(s->txn);
        s->txn = NULL;
    }
    mock_leave(s);
    return rc;
}

static int savepoint(struct mock_session *s, const char *name, struct sp_error *err)
{
    struct mock_txn *x = s->txn;
    int rc = open_txn(s, err);
    if (rc != 0)
        return rc;
    if (x->nsavepoints == x->cap_savepoints) {
        struct mock_savepoint *p =
            sp_arena_grow(&x->arena, x->savepoints, &x->cap_savepoints, x->nsavepoints + 1, sizeof *p);
        if (p == NULL)
            return sp_nomem(err);
        x->savepoints = p;
    }
    const char *copy = sp_arena_str(&x->arena, name);
    if (copy == NULL)
        return sp_nomem(err);
    x->savepoints[x->nsavepoints++] = (struct mock_savepoint){ copy, x->nundo };
    return 0;
}

/* Ends the newest savepoint of the name and all behind it; a rollback keeps the savepoint itself. */
static int savepoint_end(struct mock_session *s, const char *name, bool undo, struct sp_error *err)
{
    int rc = open_txn(s, err);
    if (rc != 0)
        return rc;
    struct mock_txn *x = s->txn;
    size_t i = x->nsavepoints;
    while (i > 0 && strcmp(x->savepoints[i - 1].name, name) != 0)
        i--;
    if (i == 0)
        return mock_fail(err, SP_E_NOT_FOUND, "no savepoint \"%s\" is set", name);
    if (undo)
        mock_txn_undo(x, x->savepoints[i - 1].mark);
    x->nsavepoints = undo ? i : i - 1;
    return 0;
}

int mock_savepoint(struct sp_session *ss, const char *name, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = savepoint(s, name, err);
    mock_leave(s);
    return rc;
}

int mock_savepoint_rollback(struct sp_session *ss, const char *name, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = savepoint_end(s, name, true, err);
    mock_leave(s);
    return rc;
}

int mock_savepoint_release(struct sp_session *ss, const char *name, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = savepoint_end(s, name, false, err);
    mock_leave(s);
    return rc;
}

int mock_snapshot_begin(struct sp_session *ss, char id[64], struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = mock_txn_start(s, SP_ISO_REPEATABLE, true, err);
    if (rc == 0) {
        s->txn->is_snapshot = true;
        if (id != NULL)
            snprintf(id, 64, "commit %" PRIu64, s->txn->snapshot);
    }
    mock_leave(s);
    return rc;
}

int mock_snapshot_end(struct sp_session *ss, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    int rc = 0;
    mock_enter(s);
    if (s->txn == NULL || !s->txn->is_snapshot) {
        rc = mock_fail(err, SP_E_INVALID, "no snapshot is open");
    } else {
        mock_txn_rollback(s->store, s->txn);
        free(s->txn);
        s->txn = NULL;
    }
    mock_leave(s);
    return rc;
}

/* The word is the commit that the snapshot sees as the last. */
int mock_snapshot_share(struct sp_session *ss, char word[SP_SNAPSHOT_WORD], struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    int rc = 0;
    mock_enter(s);
    if (s->txn == NULL || !s->txn->is_snapshot)
        rc = mock_fail(err, SP_E_INVALID, "no snapshot is open");
    else
        snprintf(word, SP_SNAPSHOT_WORD, "%" PRIu64, s->txn->snapshot);
    mock_leave(s);
    return rc;
}

static bool is_shared(const struct mock_store *st, uint64_t snapshot)
{
    for (const struct mock_txn *x = st->open; x != NULL; x = x->next) {
        if (x->is_snapshot && x->snapshot == snapshot)
            return true;
    }
    return false;
}

int mock_snapshot_join(struct sp_session *ss, const char *word, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    uint64_t snapshot = 0;
    int rc = 0;
    mock_enter(s);
    if (!sp_parse_u64(word, &snapshot) || !is_shared(s->store, snapshot))
        rc = mock_fail(err, SP_E_NOT_FOUND, "\"%s\" is no open snapshot", word);
    if (rc == 0)
        rc = mock_txn_start(s, SP_ISO_REPEATABLE, true, err);
    if (rc == 0) {
        s->txn->is_snapshot = true;
        s->txn->snapshot = snapshot;
    }
    mock_leave(s);
    return rc;
}
