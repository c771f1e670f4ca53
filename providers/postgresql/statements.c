/* statements.c -- one operation on a table in one round trip. A pipeline holds the operation, a savepoint around it inside a
 * transaction, and, if the table's description came from memory, a look at its stamp behind it: the operation holds a lock on
 * the table by then, so nothing can change between the two, and a stamp that does not fit fails the pipeline as a whole.
 * Statements that come again are given a name, so that the server parses and plans them once. */
#include <stdio.h>
#include <string.h>

#include "model/canonical.h"
#include "providers/postgresql/internal.h"

#define NAMED_BYTES 16384 /* longer texts are batches of odd lengths: no two alike */

/* Fails (division by zero) unless the table $2 is still the one of id $1, with the stamp $3, $4. */
static const char stamp_sql[] =
    "SELECT 1 / coalesce((SELECT (pg_catalog.to_regclass($2)::oid = c.oid AND " PO_STAMP_TABLE
    " = $3 AND " PO_STAMP_COLUMNS " = $4)::int FROM pg_catalog.pg_class c WHERE c.oid = $1), 0)";

struct plan {
    struct po_step steps[8];
    size_t n, op, stamp; /* which step is which; 0 = not there */
    struct po_params stamp_params;
    char drop[48];
    bool dropped, named, guard;
    struct po_known *known; /* the statement's place; NULL = it has no name */
};

static struct po_step *add(struct plan *p, struct po_step step)
{
    p->steps[p->n] = step;
    return &p->steps[p->n++];
}

static struct sp_d128 key_of(const struct po_sql *q, const struct po_params *p)
{
    struct sp_d128 text = sp_d128_of(q->text.p, q->text.n);
    struct sp_d128 types = sp_d128_of(p->n == 0 ? "" : (const char *)p->oids, p->n * sizeof *p->oids);
    struct sp_d128 both[2] = { text, types };
    return sp_d128_of(both, sizeof both);
}

/* The place of a statement, or else the one that was not needed for longest. */
static struct po_known *place(struct sp_session *s, struct sp_d128 key)
{
    struct po_known *oldest = &s->statements[0];
    for (size_t i = 0; i < PO_STATEMENTS; i++) {
        struct po_known *k = &s->statements[i];
        if (k->used != 0 && sp_d128_eq(k->key, key))
            return k;
        if (k->used < oldest->used)
            oldest = k;
    }
    return oldest;
}

void po_statement_name(struct sp_session *s, char name[24])
{
    (void)snprintf(name, 24, "sp_%llx", (unsigned long long)++s->names);
}

static void add_named(struct sp_session *s, struct plan *p, const struct po_sql *q,
    const struct po_params *params, struct sp_d128 key)
{
    struct po_known *k = place(s, key);
    p->known = k;
    if (k->used != 0 && sp_d128_eq(k->key, key)) {
        k->used = ++s->ticks;
        p->named = true;
        return;
    }
    if (k->name[0] != '\0') {
        (void)snprintf(p->drop, sizeof p->drop, "DEALLOCATE %s", k->name);
        add(p, (struct po_step){ .sql = p->drop, .done = &p->dropped });
    }
    po_statement_name(s, k->name);
    k->key = key;
    k->used = 0; /* until the server took it */
    add(p, (struct po_step){ .sql = q->text.p, .name = k->name, .p = params, .done = &p->named });
}

/* The second time that a statement comes. */
static bool worth_a_name(struct sp_session *s, const struct po_sql *q, struct sp_d128 key)
{
    uint64_t *seen = &s->seen[key.lo & 255];
    if (s->pooled || !s->real || q->text.n > NAMED_BYTES)
        return false;
    if (*seen == key.hi)
        return true;
    *seen = key.hi;
    return false;
}

static int add_stamp(struct sp_session *s, struct plan *p, const struct po_table *t)
{
    static Oid oids[] = { PO_OID, PO_TEXT, PO_XID, PO_XIDS };
    static const struct po_params types = { .oids = oids, .n = SP_LEN(oids) };
    uint32_t oid = htobe32(t->oid);
    if (po_param_add(&p->stamp_params, PO_OID, &oid, 4, true) != 0 ||
        po_param_text(&p->stamp_params, t->qualified) != 0 ||
        po_param_add(&p->stamp_params, PO_XID, t->made, strlen(t->made) + 1, false) != 0 ||
        po_param_add(&p->stamp_params, PO_XIDS, t->columns_made, strlen(t->columns_made) + 1, false) != 0)
        return -SP_E_NOMEM;
    if (!s->stamp_ready && !s->pooled) {
        po_statement_name(s, s->stamp_name);
        add(p, (struct po_step){
                   .sql = stamp_sql, .name = s->stamp_name, .p = &types, .done = &s->stamp_ready });
    }
    p->stamp = p->n;
    add(p, (struct po_step){ .sql = s->pooled ? stamp_sql : NULL,
               .name = s->pooled ? NULL : s->stamp_name,
               .p = &p->stamp_params });
    return 0;
}

static int make(struct sp_session *s, struct plan *p, const struct po_sql *q, const struct po_params *params,
    PGresult **out)
{
    struct sp_d128 key = key_of(q, params);
    p->guard = PQtransactionStatus(s->conn) != PQTRANS_IDLE;
    if (p->guard)
        add(p, (struct po_step){ .sql = PO_GUARD });
    if (worth_a_name(s, q, key))
        add_named(s, p, q, params, key);
    p->op = p->n;
    add(p, (struct po_step){ .sql = p->known == NULL ? q->text.p : NULL,
               .name = p->known == NULL ? NULL : p->known->name,
               .p = params,
               .out = out });
    if (q->recalled && add_stamp(s, p, q->table) != 0)
        return -SP_E_NOMEM;
    if (p->guard)
        add(p, (struct po_step){ .sql = PO_UNGUARD });
    return 0;
}

/* Names of what is not there, types that don't fit, results of another shape, statements that were dropped: this is what an
 * old description looks like when the server refuses it by itself. */
static bool looks_stale(const char *state)
{
    return strncmp(state, "42", 2) == 0 || strcmp(state, "0A000") == 0 || strcmp(state, "26000") == 0;
}

static void settle(struct sp_session *s, struct plan *p, int ret)
{
    struct po_known *k = p->known;
    if (k == NULL)
        return;
    if (!p->named)
        k->name[0] = '\0'; /* never made; what stood here before was dropped with it, or is only forgotten */
    k->used = p->named ? ++s->ticks : 0;
    if (ret != 0 && strcmp(s->state, "0A000") == 0)
        k->used = 0; /* made anew the next time */
}

void po_statements_forget(struct sp_session *s)
{
    memset(s->statements, 0, sizeof s->statements);
    s->stamp_ready = s->lookup_ready = false;
}

int po_stamped(struct sp_session *s, const struct po_sql *q, const struct po_params *p, PGresult **out,
    bool *stale, struct sp_error *err)
{
    struct plan plan = { .n = 0 };
    size_t failed;
    *out = NULL;
    *stale = false;
    int ret = po_ready(s, err);
    if (ret != 0)
        return ret;
    if (p->n > PO_PARAMS)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
            "%zu values in one statement; PostgreSQL takes %d", p->n, PO_PARAMS);
    ret = make(s, &plan, q, p, out);
    if (ret != 0) {
        po_params_free(&plan.stamp_params);
        return sp_nomem(err);
    }
    s->state[0] = '\0';
    ret = po_pipeline(s, plan.steps, plan.n, &failed, err);
    settle(s, &plan, ret);
    if (ret != 0) {
        bool refused = s->state[0] != '\0' && PQstatus(s->conn) != CONNECTION_BAD;
        bool gone = strcmp(s->state, "26000") == 0;
        bool named = gone || (plan.known != NULL && strcmp(s->state, "0A000") == 0);
        if (gone)
            po_statements_forget(s);
        bool misfit =
            failed == plan.stamp && strcmp(s->state, "22012") == 0; /* it may be cancelled there, too */
        *stale = refused && s->txn_lost == SP_E_OK &&
                 ((q->recalled && (looks_stale(s->state) || misfit)) || named);
        if (refused && failed > 0 && plan.guard)
            po_guard_undo(s);
        PQclear(*out);
        *out = NULL;
    }
    po_params_free(&plan.stamp_params);
    return ret;
}
