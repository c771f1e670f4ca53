/* actor.c -- people of an application: who a session speaks for, whose rows they are, and tokens that say so.
 *
 * A token is "hex(payload).hex(mac)"; the payload is a word, role, user, the seconds from and until which it counts, a line each. */
#include "auth.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define SKEW 30 /* seconds that two clocks may be apart */

static const char *role_of(const struct sp_actor *a)
{
    return a->role != NULL ? a->role : a->user != NULL ? "authenticated" : "anon";
}

static bool may_become(const struct mock_session *s, const struct mock_role *r)
{
    if (s->signed_in == NULL || strcmp(s->signed_in, r->name) == 0)
        return true;
    for (const struct mock_member *m = r->members; m != NULL; m = m->next)
        if (strcmp(m->who->name, s->signed_in) == 0)
            return true;
    return false;
}

/* Takes over both strings, which may be NULL. */
static int become(
    struct mock_session *s, bool acting, const char *role, const char *user, struct sp_error *err)
{
    char *r = role == NULL ? NULL : strdup(role), *u = user == NULL ? NULL : strdup(user);
    if ((role != NULL && r == NULL) || (user != NULL && u == NULL)) {
        free(r);
        free(u);
        return sp_nomem(err);
    }
    free(s->role);
    free(s->actor);
    s->role = r;
    s->actor = u;
    s->acting = acting;
    return 0;
}

static int act(struct mock_session *s, const struct sp_actor *a, struct sp_error *err)
{
    if (s->txn != NULL)
        return mock_fail(
            err, SP_E_INVALID, "a transaction or snapshot is open; change who acts outside of it");
    int rc = become(s, false, s->signed_in, NULL, err);
    if (rc != 0 || a == NULL)
        return rc;
    const struct mock_role *r = mock_role_find(s->store, role_of(a));
    if (r == NULL)
        return mock_fail(err, SP_E_NOT_FOUND, "role \"%s\" does not exist", role_of(a));
    if (!may_become(s, r))
        return mock_fail(
            err, SP_E_PERMISSION, "role \"%s\" is no member of role \"%s\"", s->signed_in, r->name);
    return become(s, true, r->name, a->user, err);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static int judge(const struct mock_session *s, struct sp_arena *arena, const char *token,
    struct sp_actor *out, struct sp_error *err)
{
    const char *word, *role, *user, *from, *until;
    int64_t first, last;
    char *payload;
    int rc = mock_payload_read(s->store, arena, token, &payload, err);
    if (rc != 0)
        return rc;
    word = mock_payload_line(&payload);
    role = mock_payload_line(&payload);
    user = mock_payload_line(&payload);
    from = mock_payload_line(&payload);
    until = mock_payload_line(&payload);
    if (word == NULL || strcmp(word, "actor") != 0 || until == NULL || !sp_parse_i64(from, &first) ||
        !sp_parse_i64(until, &last))
        return mock_fail(err, SP_E_AUTHENTICATION, "this is no token of an actor");
    if (first > mock_now() + SKEW)
        return mock_fail(err, SP_E_AUTHENTICATION, "the token is not valid yet");
    if (last < mock_now() - SKEW)
        return mock_fail(err, SP_E_AUTHENTICATION, "the token has expired");
    *out = (struct sp_actor){ .role = *role != '\0' ? role : NULL, .user = *user != '\0' ? user : NULL };
    return 0;
}

int mock_actor_token(struct sp_session *ss, struct sp_arena *arena, const struct sp_actor *a, int64_t from,
    int64_t until, const char **token, struct sp_error *err)
{
    const char *role = a->role != NULL ? a->role : "", *user = a->user != NULL ? a->user : "";
    if (strchr(role, '\n') != NULL || strchr(user, '\n') != NULL)
        return mock_fail(err, SP_E_INVALID, "no role and no id holds a line break");
    const char *payload =
        sp_arena_printf(arena, "actor\n%s\n%s\n%" PRId64 "\n%" PRId64 "\n", role, user, from, until);
    if (payload == NULL)
        return sp_nomem(err);
    return mock_payload_sign(mock(ss)->store, arena, payload, token, err);
}

int mock_act_for(struct sp_session *ss, const struct sp_actor *a, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    struct sp_arena arena = SP_ARENA_INIT;
    struct sp_actor told;
    int rc = 0;
    mock_enter(s);
    if (a != NULL && a->token != NULL) {
        rc = judge(s, &arena, a->token, &told, err);
        a = &told;
    }
    rc = rc == 0 ? act(s, a, err) : rc;
    mock_leave(s);
    sp_arena_free(&arena);
    return rc;
}

/* ---- rules --------------------------------------------------------------------------------------------------------- */

static int set_rules(
    struct mock_session *s, const char *table, const struct sp_row_rules *rules, struct sp_error *err)
{
    struct mock_table *t;
    int rc = mock_owner_check(s, "change the row rules of a table", err);
    if (rc == 0)
        rc = mock_table_find(s, NULL, table, &t, err);
    if (rc != 0)
        return rc;
    const char *owner = rules == NULL ? NULL : rules->owner;
    const struct sp_column *c = owner == NULL ? NULL : sp_table_column(&t->def, owner);
    if (owner != NULL && (c == NULL || c->type.tag != SP_TEXT))
        return mock_fail(err, SP_E_INVALID, "table \"%s\" has no text column \"%s\"", table, owner);
    t->ruled = rules != NULL;
    t->actor_column = c == NULL ? NULL : c->name;
    return 0;
}

int mock_row_rules(
    struct sp_session *ss, const char *table, const struct sp_row_rules *rules, struct sp_error *err)
{
    struct mock_session *s = mock(ss);
    mock_enter(s);
    int rc = set_rules(s, table, rules, err);
    mock_leave(s);
    return rc;
}
