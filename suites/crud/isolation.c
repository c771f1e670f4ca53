/* isolation.c -- what transactions see of each other: each anomaly at each level, played in turns from one thread.
 *
 * What a level promises is checked; what else happens there is told in the semantics table. Every session gives up soon
 * instead of waiting, so nothing hangs with a backend that locks: an answer of conflict or time-out ends that
 * transaction, and is a legal way to prevent an anomaly. What was acknowledged must be there in the end at any level. */
#include "suites/crud/crud.h"

#include <string.h>

struct actor {
    struct sp_session *s;
    bool in_txn, out, committed;
    enum sp_code code; /* how it went out */
    const char *where;
};
enum { A, B, C, ACTORS };
enum { PATIENCE_MS = 150 }; /* long for an answer, short for who waits in vain */
struct story {
    struct dc *d;
    enum sp_isolation level;
    struct actor actor[ACTORS];
    bool broken;   /* a check failed: nothing more counts */
    bool happened; /* the anomaly */
};

#define ROWS(...)                                                                                            \
    (&(const struct dc_rows){ .columns = NAMES("id", "category", "value"), .values = VALUES(__VA_ARGS__) })
#define TWO ROWS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)))

/* ---- steps: true = done. False: the actor is out, or was before, or all is broken ----------------------------------- */

static bool can(const struct story *st, unsigned who)
{
    return !st->broken && !st->actor[who].out;
}

static bool step(struct story *st, unsigned who, const char *where, int rc)
{
    struct actor *x = &st->actor[who];
    if (rc == 0)
        return true;
    if (rc != -SP_E_CONFLICT && rc != -SP_E_TIMEOUT) {
        st->broken = !dc_ok(st->d, where, rc);
        return false;
    }
    x->out = true;
    x->code = (enum sp_code) - rc;
    x->where = where;
    sp_error_clear(&st->d->err);
    if (x->in_txn)
        (void)sp_db_rollback(x->s, NULL);
    x->in_txn = false;
    dc_ended(st->d, x->s);
    return false;
}

static void begin(struct story *st, unsigned who)
{
    struct actor *x = &st->actor[who];
    const struct sp_txn_opts opts = { .isolation = st->level };
    if (!can(st, who) || !step(st, who, "begin", sp_db_begin(x->s, &opts, &st->d->err)))
        return;
    x->in_txn = true;
    dc_opened(st->d, x->s);
}

/* A commit that fails has ended the transaction, too. */
static void commit(struct story *st, unsigned who)
{
    struct actor *x = &st->actor[who];
    if (!can(st, who))
        return;
    x->in_txn = false;
    dc_ended(st->d, x->s);
    x->committed = step(st, who, "commit", sp_db_commit(x->s, &st->d->err));
}

static bool set(struct story *st, unsigned who, int64_t id, const char *column, struct sp_value v)
{
    int64_t n = 0;
    if (!can(st, who) ||
        !step(st, who, "update", dc_set(st->d, st->actor[who].s, "items", id, column, v, &n)))
        return false;
    st->broken = !sp_check_int(st->d->ctx, "rows updated", 1, n);
    return !st->broken;
}

static bool drop(struct story *st, unsigned who, int64_t id)
{
    return can(st, who) &&
           step(st, who, "delete", sp_db_delete(st->actor[who].s, "items", ID_IS(id), NULL, &st->d->err));
}

static bool is(const struct sp_result *r, const struct dc_rows *want)
{
    bool same = r->nrows == dc_nrows(want) && r->ncolumns == want->ncolumns;
    for (size_t i = 0; same && i < want->nvalues; i++)
        same = sp_value_equal(&want->values[i], &r->values[i]);
    return same;
}

/* Reads, and says which of the two states it sees: 0 or 1; -1 when it cannot. Anything else is wrong at every level. */
static int look(struct story *st, unsigned who, const struct sp_filter *where, const struct dc_rows *before,
    const struct dc_rows *after)
{
    struct dc *d = st->d;
    struct sp_query q = {
        .table = "items", .select = before->columns, .nselect = 3, .where = where, .limit = SP_NO_LIMIT, BY_ID
    };
    if (!can(st, who) || !step(st, who, "read", sp_db_read(st->actor[who].s, &q, &d->r, &d->err)))
        return -1;
    if (after != NULL && is(&d->r, after))
        return 1;
    st->broken = !dc_result_is(d, "a read beside another transaction", before);
    return st->broken ? -1 : 0;
}

static void ends_as(struct story *st, const struct dc_rows *want)
{
    for (unsigned i = 0; i < ACTORS; i++) {
        if (st->actor[i].in_txn)
            step(st, i, "rollback", sp_db_rollback(st->actor[i].s, &st->d->err));
        st->actor[i].in_txn = false;
        dc_ended(st->d, st->actor[i].s);
    }
    if (!st->broken)
        st->broken = !dc_holds(st->d, st->d->s, "what was committed, in the end", "items", want);
}

/* So far nobody stood beside this one: that it is out was not caused by another transaction, and says nothing about an
 * anomaly. A slow backend would otherwise prevent all of them. */
static bool unhindered(struct story *st, unsigned who)
{
    struct actor *x = &st->actor[who];
    if (!st->broken && x->out) {
        sp_ctx_error(st->d->ctx, "%s of a transaction with no other one beside it: %s", x->where,
            sp_code_name(x->code));
        st->broken = true;
    }
    return !st->broken;
}

/* ---- the anomalies ------------------------------------------------------------------------------------------------ */

/* B reads what A wrote and then takes back. */
static void dirty_read(struct story *st)
{
    begin(st, A);
    bool wrote = set(st, A, 1, "value", sp_v_int(-1));
    if (!unhindered(st, A))
        return;
    begin(st, B);
    int first = look(st, B, NULL, TWO, ROWS(ITEM(1, "a", V_INT(-1)), ITEM(2, "b", V_INT(20))));
    bool gone = drop(st, A, 2);
    int second = first == 0 ? look(st, B, NULL, TWO, ROWS(ITEM(1, "a", V_INT(-1)))) : first;
    st->happened = (wrote && first == 1) || (gone && second == 1);
    if (can(st, A) && step(st, A, "rollback", sp_db_rollback(st->actor[A].s, &st->d->err))) {
        st->actor[A].in_txn = false;
        dc_ended(st->d, st->actor[A].s);
    }
    commit(st, B);
    ends_as(st, TWO);
}

/* A reads, B changes and deletes, A reads again. */
static void nonrepeatable_read(struct story *st)
{
    begin(st, A);
    (void)look(st, A, NULL, TWO, NULL);
    if (!unhindered(st, A))
        return;
    bool updated = set(st, B, 1, "value", sp_v_int(99)), deleted = drop(st, B, 2);
    const struct sp_value v[] = { ITEM(1, "a", sp_v_int(updated ? 99 : 10)), ITEM(2, "b", V_INT(20)) };
    const struct dc_rows after = {
        .columns = NAMES("id", "category", "value"), .values = v, .nvalues = deleted ? 3 : 6
    };
    st->happened = look(st, A, NULL, TWO, &after) == 1 && (updated || deleted);
    commit(st, A);
    ends_as(st, &after);
}

/* A reads what fits a filter, B creates one more, A reads again. */
static void phantom(struct story *st)
{
    const struct sp_filter big = F_ON("value", GTE, V_INT(15));
    const struct dc_rows *const one = ROWS(ITEM(2, "b", V_INT(20)));
    const struct dc_rows *const more = ROWS(ITEM(2, "b", V_INT(20)), ITEM(3, "c", V_INT(30)));
    const struct sp_field f[] = { { "id", V_INT(3) }, { "category", V_TEXT("c") }, { "value", V_INT(30) } };
    begin(st, A);
    (void)look(st, A, &big, one, NULL);
    if (!unhindered(st, A))
        return;
    bool created =
        can(st, B) && step(st, B, "create", sp_db_insert(st->actor[B].s, "items", f, 3, &st->d->err));
    int64_t n = 0;
    bool counted =
        can(st, A) && step(st, A, "count", sp_db_count(st->actor[A].s, "items", &big, &n, &st->d->err));
    int sees = look(st, A, &big, one, more);
    st->happened = created && (sees == 1 || (counted && n != 1));
    commit(st, A);
    ends_as(
        st, created ? ROWS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, "c", V_INT(30))) : TWO);
}

/* Both read 10; A adds 1 to it, B adds 5 to it: never 15. */
static void lost_update(struct story *st)
{
    const struct dc_rows *const raised = ROWS(ITEM(1, "a", V_INT(11)), ITEM(2, "b", V_INT(20)));
    begin(st, A);
    (void)look(st, A, NULL, TWO, NULL);
    if (!unhindered(st, A))
        return;
    begin(st, B);
    int seen = look(st, B, NULL, TWO, NULL);
    (void)set(st, A, 1, "value", sp_v_int(11));
    commit(st, A);
    if (seen == 0)
        (void)set(st, B, 1, "value", sp_v_int(15));
    commit(st, B);
    bool both = st->actor[A].committed && st->actor[B].committed;
    st->happened = both;
    if (!st->broken)
        st->broken = !sp_check(st->d->ctx, st->actor[A].committed || st->actor[B].committed,
            "one of two conflicting transactions commits");
    ends_as(st, st->actor[B].committed   ? ROWS(ITEM(1, "a", V_INT(15)), ITEM(2, "b", V_INT(20)))
                : st->actor[A].committed ? raised
                                         : TWO);
}

/* Each sees two on duty and takes another one off: afterwards one must be left. */
static void write_skew(struct story *st)
{
    const struct dc_rows *const on = TWO;
    begin(st, A);
    int by_a = look(st, A, NULL, on, NULL);
    if (!unhindered(st, A))
        return;
    begin(st, B);
    int by_b = look(st, B, NULL, on, NULL);
    (void)(by_a == 0 && set(st, A, 1, "category", sp_v_text("off")));
    (void)(by_b == 0 && set(st, B, 2, "category", sp_v_text("off")));
    commit(st, A);
    commit(st, B);
    bool a = st->actor[A].committed, b = st->actor[B].committed;
    st->happened = a && b;
    if (!st->broken)
        st->broken = !sp_check(st->d->ctx, a || b, "one of two conflicting transactions commits");
    const struct sp_value v[] = { V_INT(1), sp_v_text(a ? "off" : "a"), V_INT(10), V_INT(2),
        sp_v_text(b ? "off" : "b"), V_INT(20) };
    const struct dc_rows want = { .columns = NAMES("id", "category", "value"), .values = v, .nvalues = 6 };
    ends_as(st, &want);
}

/* A takes from row 1, relying on an empty row 2; B fills row 2 and commits; C, which only reads, sees B's work and not
 * A's. Without C there is an order of the two, with what C saw there is none. */
static void read_only_anomaly(struct story *st)
{
    const struct dc_rows *const filled = ROWS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(40)));
    begin(st, A);
    int by_a = look(st, A, NULL, TWO, NULL);
    if (!unhindered(st, A))
        return;
    begin(st, B);
    int by_b = look(st, B, ID_IS(2), ROWS(ITEM(2, "b", V_INT(20))), NULL);
    (void)(by_b == 0 && set(st, B, 2, "value", sp_v_int(40)));
    commit(st, B);
    begin(st, C);
    int by_c = look(st, C, NULL, TWO, filled);
    commit(st, C);
    (void)(by_a == 0 && set(st, A, 1, "value", sp_v_int(-1)));
    commit(st, A);
    bool a = st->actor[A].committed, b = st->actor[B].committed;
    st->happened = a && b && st->actor[C].committed && by_c == 1;
    const struct sp_value v[] = { ITEM(1, "a", sp_v_int(a ? -1 : 10)), ITEM(2, "b", sp_v_int(b ? 40 : 20)) };
    const struct dc_rows want = { .columns = NAMES("id", "category", "value"), .values = v, .nvalues = 6 };
    ends_as(st, &want);
}

/* ---- the cases ---------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*play)(struct story *);
} anomalies[] = {
    [CRUD_DIRTY_READ] = { "dirty read", dirty_read },
    [CRUD_NONREPEATABLE_READ] = { "non-repeatable read", nonrepeatable_read },
    [CRUD_PHANTOM] = { "phantom", phantom },
    [CRUD_LOST_UPDATE] = { "lost update", lost_update },
    [CRUD_WRITE_SKEW] = { "write skew", write_skew },
    [CRUD_READ_ONLY_ANOMALY] = { "read-only anomaly", read_only_anomaly },
};
static const char *const levels[] = { [SP_ISO_READ_COMMITTED] = "read committed",
    [SP_ISO_REPEATABLE] = "repeatable read",
    [SP_ISO_SERIALIZABLE] = "serializable" };

static bool raise_curtain(struct story *st, struct dc *d, enum sp_isolation level)
{
    *st = (struct story){ .d = d, .level = level };
    for (unsigned i = 0; i < ACTORS; i++) {
        if (d->own[i] == NULL && dc_impatient(d, PATIENCE_MS) == NULL)
            return false;
        st->actor[i].s = d->own[i];
    }
    return true;
}

void crc_isolation(struct sp_ctx *ctx, const void *data)
{
    const struct crud_isolation *want = data;
    struct story st;
    struct dc d;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) && raise_curtain(&st, &d, want->level)) {
        const char *name = anomalies[want->anomaly].name;
        anomalies[want->anomaly].play(&st);
        const struct actor *out = NULL;
        for (unsigned i = 0; i < ACTORS && out == NULL; i++)
            out = st.actor[i].out ? &st.actor[i] : NULL;
        const char *topic = sp_arena_printf(d.a, "consistency: %s at %s", name, levels[want->level]);
        if (!st.broken && topic != NULL) {
            if (want->promised)
                (void)sp_check_at(ctx, __FILE__, __LINE__, !st.happened, topic, "prevented",
                    st.happened ? "it happens" : "");
            if (st.happened || out == NULL)
                sp_ctx_observe(ctx, topic, "%s", st.happened ? "happens" : "does not happen");
            else
                sp_ctx_observe(ctx, topic, "prevented: %s at %s", sp_code_name(out->code), out->where);
        }
    }
    dc_done(&d);
}

/* What a transaction gets that asks for no level: told, since every backend has its own. */
void crc_isolation_default(struct sp_ctx *ctx, const void *data)
{
    struct story st;
    struct sp_buf found = SP_BUF_INIT;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, NULL);
    for (size_t i = 0; ok && i < SP_LEN(anomalies); i++) {
        ok = dc_ok(&d, "emptying the table", sp_db_delete(d.s, "items", NULL, NULL, &d.err)) &&
             dc_create(&d, d.s, "items", TWO) && raise_curtain(&st, &d, SP_ISO_DEFAULT);
        if (!ok)
            break;
        anomalies[i].play(&st);
        ok = !st.broken;
        if (st.happened)
            sp_buf_printf(&found, "%s%s", found.n != 0 ? ", " : "", anomalies[i].name);
    }
    if (ok)
        sp_ctx_observe(ctx, "consistency: anomalies where no isolation level is asked for", "%s",
            found.n != 0 ? found.p : "none of those tried");
    sp_buf_free(&found);
    dc_done(&d);
}
