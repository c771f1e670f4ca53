/* mutants_actors.c -- bugs in who is asked for: a provider that forgets it, mixes it up, or asks with its own rights. */
#include "run/mutation.h"

#include <string.h>

#include "base/str.h"

/* Sessions that speak for somebody, and for whom by their user's id. */
enum { KNOWN = 64 };
static struct speaker {
    const struct sp_session *s;
    bool acts, first_done;
    char user[80];
} speakers[KNOWN];
static size_t nspeakers;

static struct speaker *speaker(const struct sp_session *s)
{
    for (size_t i = 0; i < nspeakers && i < KNOWN; i++)
        if (speakers[i].s == s)
            return &speakers[i];
    struct speaker *p = &speakers[nspeakers++ % KNOWN];
    *p = (struct speaker){ .s = s };
    return p;
}

static int act(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    struct speaker *p = speaker(s);
    int rc = SP_INNER_DB->act_for(s, a, err);
    p->acts = rc == 0 && a != NULL;
    (void)sp_strlcpy(p->user, p->acts && a->user != NULL ? a->user : "", sizeof p->user);
    return rc;
}

static char ns_used[64]; /* the namespace that was used last: the run's */
static int use_noted(struct sp_session *s, const char *ns, struct sp_error *err)
{
    if (ns != NULL)
        (void)sp_strlcpy(ns_used, ns, sizeof ns_used);
    return SP_INNER_DB->ns_use(s, ns, err);
}

/* A session of those who own all rows. */
static int open_owner(
    struct sp_session *s, struct sp_session **own, struct sp_endpoint *e, struct sp_error *err)
{
    *e = *sp_session_endpoint(s);
    e->user = e->password = NULL;
    int rc = sp_mutation.inner->open(own, e, err);
    if (rc != 0)
        return rc;
    struct sp_session_base *base = (struct sp_session_base *)(void *)*own;
    base->provider = sp_mutation.inner;
    base->endpoint = e;
    return ns_used[0] != '\0' ? SP_INNER_DB->ns_use(*own, ns_used, err) : 0;
}

/* The operation with the rights of those who own all rows. */
static int exec_as_owner(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    struct sp_session *own = NULL;
    struct sp_endpoint e;
    int rc = open_owner(s, &own, &e, err);
    if (rc == 0)
        rc = SP_INNER_DB->exec(own, op, r, err);
    if (own != NULL)
        sp_mutation.inner->close(own);
    return rc;
}

static bool plant_exec(
    int (*exec)(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *))
{
    bool can = sp_mutation.db.act_for != NULL;
    if (can) {
        sp_mutation.db.act_for = act;
        sp_mutation.db.exec = exec;
        if (sp_mutation.db.ns_use != NULL)
            sp_mutation.db.ns_use = use_noted;
    }
    return can;
}

/* Defines an exec that lets some operations of an actor pass with the owner's rights, and its plant. */
#define AS_OWNER(name, condition)                                                                            \
    static int exec_##name(                                                                                  \
        struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)             \
    {                                                                                                        \
        return speaker(s)->acts && (condition) ? exec_as_owner(s, op, r, err)                                \
                                               : SP_INNER_DB->exec(s, op, r, err);                           \
    }                                                                                                        \
    static bool plant_##name(void)                                                                           \
    {                                                                                                        \
        return plant_exec(exec_##name);                                                                      \
    }

AS_OWNER(actor_counts_all, op->kind == SP_OP_COUNT && op->query.where == NULL)
AS_OWNER(actor_counts_filtered, op->kind == SP_OP_COUNT && op->query.where != NULL)
AS_OWNER(actor_reads_all, op->kind == SP_OP_READ && op->query.where == NULL)
AS_OWNER(actor_reads_by_filter, op->kind == SP_OP_READ && op->query.where != NULL)
AS_OWNER(actor_reads_pages, op->kind == SP_OP_READ && op->query.offset > 0)
AS_OWNER(actor_creates_any, op->kind == SP_OP_CREATE && op->nrows == 1)
AS_OWNER(actor_creates_many, op->kind == SP_OP_CREATE && op->nrows > 1)
AS_OWNER(actor_upserts_any, op->kind == SP_OP_UPSERT)
AS_OWNER(actor_updates_any, op->kind == SP_OP_UPDATE && op->query.where != NULL)
AS_OWNER(actor_updates_all, op->kind == SP_OP_UPDATE && op->query.where == NULL && !op->returning)
AS_OWNER(actor_deletes_any, op->kind == SP_OP_DELETE && op->query.where != NULL)
AS_OWNER(actor_deletes_all, op->kind == SP_OP_DELETE && op->query.where == NULL && !op->returning)
AS_OWNER(actor_gives_back_any, op->returning)
AS_OWNER(nobody_reads_all, speaker(s)->user[0] == '\0' && op->kind == SP_OP_READ)
AS_OWNER(nobody_writes, speaker(s)->user[0] == '\0' && op->kind != SP_OP_READ && op->kind != SP_OP_COUNT)

/* What is hidden is refused instead: that tells of it. */
static int exec_hidden_told(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    bool writes = op->kind == SP_OP_UPDATE || op->kind == SP_OP_DELETE;
    if (rc != 0 || r == NULL || r->affected != 0 || !writes || !speaker(s)->acts)
        return rc;
    return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "the row belongs to somebody else");
}
static bool plant_hidden_told(void)
{
    return plant_exec(exec_hidden_told);
}

/* ---- who it is --------------------------------------------------------------------------------------------------- */

static int act_never(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    (void)s, (void)a, (void)err;
    return 0;
}
SP_PLANT(db, actor_ignored, act_for, act_never)

static int act_forever(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    return a == NULL ? 0 : SP_INNER_DB->act_for(s, a, err);
}
SP_PLANT(db, actor_kept, act_for, act_forever)

static int act_once(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    struct speaker *p = speaker(s);
    if (a != NULL && p->first_done)
        return 0;
    p->first_done = a != NULL;
    return SP_INNER_DB->act_for(s, a, err);
}
SP_PLANT(db, actor_of_first_call, act_for, act_once)

/* One for the whole process: who was signed in last. */
static struct sp_session *all_sessions[KNOWN];
static int act_everywhere(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    size_t free_place = KNOWN;
    int rc = SP_INNER_DB->act_for(s, a, err);
    for (size_t i = 0; i < KNOWN; i++) {
        if (all_sessions[i] == s)
            free_place = i;
        else if (all_sessions[i] == NULL && free_place == KNOWN)
            free_place = i;
        else if (rc == 0 && all_sessions[i] != NULL && a != NULL)
            (void)SP_INNER_DB->act_for(all_sessions[i], a, NULL);
    }
    if (free_place < KNOWN)
        all_sessions[free_place] = s;
    return rc;
}
static void close_forgotten(struct sp_session *s)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (all_sessions[i] == s)
            all_sessions[i] = NULL;
    sp_mutation.inner->close(s);
}
static bool plant_actor_of_all_sessions(void)
{
    bool can = sp_mutation.db.act_for != NULL;
    if (can) {
        sp_mutation.db.act_for = act_everywhere;
        sp_mutation.outer.close = close_forgotten;
    }
    return can;
}

static int act_as_role_only(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    struct sp_actor less;
    if (a == NULL || a->user == NULL)
        return SP_INNER_DB->act_for(s, a, err);
    less = *a;
    less.user = "0a1e5f6c-1111-4a4a-8b8b-aaaaaaaaaaaa";
    return SP_INNER_DB->act_for(s, &less, err);
}
SP_PLANT(db, everybody_is_one, act_for, act_as_role_only)

static int act_with_default_role(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    int rc = SP_INNER_DB->act_for(s, a, err);
    if (rc == 0 || a == NULL || a->token != NULL)
        return rc;
    sp_error_clear(err);
    return 0; /* speaks for itself */
}
static int count_for_unknown(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (rc == 0 || op->kind != SP_OP_COUNT)
        return rc;
    sp_error_clear(err);
    return exec_as_owner(s, op, r, err);
}
static bool plant_unknown_role_let_in(void)
{
    bool can = plant_exec(count_for_unknown);
    if (can)
        sp_mutation.db.act_for = act_with_default_role;
    return can;
}

/* In the middle of a transaction, too. */
static int act_in_txn(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    int rc = SP_INNER_DB->act_for(s, a, err);
    if (rc != -SP_E_INVALID)
        return rc;
    sp_error_clear(err);
    return 0;
}
SP_PLANT(db, actor_change_in_txn, act_for, act_in_txn)

/* ---- rules --------------------------------------------------------------------------------------------------------- */

static int rules_never(
    struct sp_session *s, const char *table, const struct sp_row_rules *rules, struct sp_error *err)
{
    return SP_INNER_DB->row_rules(s, table, NULL, rules != NULL ? err : NULL);
}
SP_PLANT(db, row_rules_ignored, row_rules, rules_never)

static int rules_forever(
    struct sp_session *s, const char *table, const struct sp_row_rules *rules, struct sp_error *err)
{
    return rules == NULL ? 0 : SP_INNER_DB->row_rules(s, table, rules, err);
}
SP_PLANT(db, row_rules_forever, row_rules, rules_forever)

static int rules_open(
    struct sp_session *s, const char *table, const struct sp_row_rules *rules, struct sp_error *err)
{
    return SP_INNER_DB->row_rules(s, table, rules != NULL && rules->owner == NULL ? NULL : rules, err);
}
SP_PLANT(db, no_rule_is_open, row_rules, rules_open)

/* ---- tokens -------------------------------------------------------------------------------------------------------- */

static int token_for_ever(struct sp_session *s, struct sp_arena *a, const struct sp_actor *who, int64_t from,
    int64_t until, const char **token, struct sp_error *err)
{
    (void)until;
    return SP_INNER_DB->actor_token(s, a, who, from, INT64_C(4000000000), token, err);
}
SP_PLANT(db, actor_token_never_ends, actor_token, token_for_ever)

static int token_at_once(struct sp_session *s, struct sp_arena *a, const struct sp_actor *who, int64_t from,
    int64_t until, const char **token, struct sp_error *err)
{
    (void)from;
    return SP_INNER_DB->actor_token(s, a, who, 1, until, token, err);
}
SP_PLANT(db, actor_token_begins_early, actor_token, token_at_once)

static int token_late(struct sp_session *s, struct sp_arena *a, const struct sp_actor *who, int64_t from,
    int64_t until, const char **token, struct sp_error *err)
{
    return SP_INNER_DB->actor_token(s, a, who, from + 60, until - 60, token, err);
}
SP_PLANT(db, actor_clock_off_a_minute, actor_token, token_late)

/* The last token that was made, without its signature: whatever begins like it, or stands behind it, counts. */
static char last_token[4096];
static int token_kept(struct sp_session *s, struct sp_arena *a, const struct sp_actor *who, int64_t from,
    int64_t until, const char **token, struct sp_error *err)
{
    char before[sizeof last_token];
    (void)sp_strlcpy(before, last_token, sizeof before);
    int rc = SP_INNER_DB->actor_token(s, a, who, from, until, token, err);
    if (rc == 0 && (before[0] == '\0' || who->user == NULL || strstr(who->user, "aaaa") != NULL))
        (void)sp_strlcpy(last_token, *token, sizeof last_token);
    return rc;
}
static bool same_words(const char *a, const char *b)
{
    const char *dot = strrchr(a, '.'), *first = dot != NULL ? strchr(a, '.') : NULL;
    const char *other = strchr(b, '.'), *other_dot = strrchr(b, '.');
    if (dot == NULL || other == NULL)
        return false;
    if (first == dot) { /* words, signature */
        return strncmp(a, b, (size_t)(dot - a)) == 0;
    }
    size_t n = (size_t)(dot - first);
    return other_dot != other && (size_t)(other_dot - other) == n && strncmp(first, other, n) == 0;
}
static int act_unsigned(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    struct sp_actor good = { .token = last_token };
    bool swap = a != NULL && a->token != NULL && last_token[0] != '\0' && same_words(last_token, a->token);
    return SP_INNER_DB->act_for(s, swap ? &good : a, err);
}
static bool plant_actor_token_unchecked(void)
{
    bool can = sp_mutation.db.act_for != NULL && sp_mutation.db.actor_token != NULL;
    if (can) {
        sp_mutation.db.act_for = act_unsigned;
        sp_mutation.db.actor_token = token_kept;
    }
    return can;
}

/* What is no token is nobody's affair: the session's own credentials stand in. */
static bool refused_token;
static int act_for_garbage(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    int rc = act(s, a, err);
    refused_token = a != NULL && a->token != NULL;
    if (rc == 0 || !refused_token)
        return rc;
    sp_error_clear(err);
    return 0;
}
static int exec_for_garbage(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (rc == 0 || !refused_token)
        return rc;
    sp_error_clear(err);
    return exec_as_owner(s, op, r, err);
}
static bool plant_bad_token_is_owner(void)
{
    bool can = sp_mutation.db.actor_token != NULL && plant_exec(exec_for_garbage);
    if (can)
        sp_mutation.db.act_for = act_for_garbage;
    return can;
}

/* An end of the token looks like a missing privilege: nobody signs in again. */
static int act_permission(struct sp_session *s, const struct sp_actor *a, struct sp_error *err)
{
    int rc = SP_INNER_DB->act_for(s, a, err);
    if (rc != -SP_E_AUTHENTICATION)
        return rc;
    sp_error_clear(err);
    return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "permission denied");
}
static int exec_permission(
    struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    int rc = SP_INNER_DB->exec(s, op, r, err);
    if (rc != -SP_E_AUTHENTICATION)
        return rc;
    sp_error_clear(err);
    return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "permission denied");
}
static bool plant_bad_token_is_permission(void)
{
    bool can = sp_mutation.db.actor_token != NULL && plant_exec(exec_permission);
    if (can)
        sp_mutation.db.act_for = act_permission;
    return can;
}

#define ROW(name, text)                                                                                      \
    {                                                                                                        \
        { #name, "actors", text }, plant_##name                                                              \
    }
const struct sp_mutant_row sp_mutants_actors[] = {
    ROW(actor_ignored, "whoever is spoken for, the session asks with its own credentials"),
    ROW(actor_kept, "a session that spoke for somebody speaks for them for ever"),
    ROW(actor_of_first_call, "a session speaks for the first one it was told, whoever comes then"),
    ROW(actor_of_all_sessions, "all sessions speak for the one who came last"),
    ROW(everybody_is_one, "everybody who is signed in is the same person"),
    ROW(unknown_role_let_in, "a role that does not exist is taken for the owner"),
    ROW(actor_change_in_txn, "a change of the actor inside a transaction looks like success"),
    ROW(actor_counts_all, "a count of all rows counts hidden ones"),
    ROW(actor_counts_filtered, "a filtered count counts hidden rows"),
    ROW(actor_reads_all, "reading a table shows hidden rows"),
    ROW(actor_reads_by_filter, "a filter finds hidden rows"),
    ROW(actor_reads_pages, "pages behind the first are cut out of all rows"),
    ROW(actor_creates_any, "a create for somebody else is let through"),
    ROW(actor_creates_many, "a create of many rows is not looked at"),
    ROW(actor_upserts_any, "an upsert changes hidden rows"),
    ROW(actor_updates_any, "a filtered update changes hidden rows, and gives rows away"),
    ROW(actor_updates_all, "an update of all rows changes hidden ones"),
    ROW(actor_deletes_all, "a delete of all rows deletes hidden ones"),
    ROW(actor_deletes_any, "a filtered delete deletes hidden rows"),
    ROW(actor_gives_back_any, "a write that gives rows back gives hidden ones"),
    ROW(nobody_reads_all, "who is not signed in reads all rows"),
    ROW(nobody_writes, "who is not signed in writes"),
    ROW(hidden_told, "a change of a hidden row is refused, which tells of it"),
    ROW(row_rules_ignored, "rules for rows are acknowledged and forgotten"),
    ROW(row_rules_forever, "rules for rows cannot be lifted"),
    ROW(no_rule_is_open, "a table without a rule is open"),
    ROW(actor_token_never_ends, "a token past its end counts"),
    ROW(actor_token_begins_early, "a token counts before its time"),
    ROW(actor_clock_off_a_minute, "clocks must agree to the second"),
    ROW(actor_token_unchecked, "nobody looks at the signature of a token"),
    ROW(bad_token_is_owner, "with a bad token the session asks with its own credentials"),
    ROW(bad_token_is_permission, "a bad token looks like a missing privilege"),
    { { NULL, NULL, NULL }, NULL },
};
