/* provider.c -- sessions of the mock, and its entry in the contract. */
#include "mock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "internal.h"

static const struct sp_provider_option options[] = {
    { "token_seconds", "int", "3600", "life of an access token in seconds; 0 = expired at once", false },
    { .name = NULL },
};

/* Yes to everything but a query language of its own; limits where it has one. */
#define SP_X(id, name, facet, fn, kind, doc) [SP_CAP_##id] = { .level = LEVEL(id), .limit = LIMIT(id) },
#define LEVEL(id)                            (SP_CAP_##id == SP_CAP_RAW_QUERY ? SP_CAP_NO : SP_CAP_YES)
#define LIMIT(id)                                                                                            \
    (SP_CAP_##id == SP_CAP_IDENTIFIER_BYTES  ? MOCK_IDENTIFIER_BYTES                                         \
        : SP_CAP_##id == SP_CAP_VAL_FRACTION ? 9                                                             \
        : SP_CAP_##id == SP_CAP_VALUE_BYTES  ? MOCK_VALUE_BYTES                                              \
        : SP_CAP_##id == SP_CAP_KEY_BYTES    ? MOCK_KEY_BYTES                                                \
        : SP_CAP_##id == SP_CAP_OBJECT_BYTES ? MOCK_OBJECT_BYTES                                             \
                                             : INT64_MAX)
static const struct sp_cap declared[SP_CAP_N] = { SP_CAPS(SP_X) };
#undef SP_X

static const char *library(void)
{
    return "mock (built in)";
}

static void session_close(struct sp_session *ss)
{
    if (ss == NULL)
        return;
    struct mock_session *s = mock(ss);
    if (s->txn != NULL) {
        pthread_mutex_lock(&s->store->lock);
        mock_txn_rollback(s->store, s->txn);
        pthread_mutex_unlock(&s->store->lock);
        free(s->txn);
    }
    free(s->ns);
    free(s->role);
    free(s->actor);
    free(s->signed_in);
    free(s);
}

static int session_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    if (!sp_str_prefix(e->url, "mock:") || e->url[5] == '\0')
        return mock_fail(err, SP_E_INVALID, "the URL is \"mock:NAME\", not \"%s\"", e->url);
    const char *life = sp_endpoint_option(e, "token_seconds", "3600");
    int64_t seconds;
    if (!sp_parse_i64(life, &seconds) || seconds < 0 || seconds > INT32_MAX)
        return mock_fail(err, SP_E_INVALID, "option token_seconds is a number of seconds, not \"%s\"", life);
    struct mock_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return sp_nomem(err);
    atomic_init(&s->interrupted, false);
    s->timeout_ms = e->statement_timeout_ms;
    s->token_seconds = seconds;
    s->whole = e->access != SP_ACCESS_DISPOSABLE;
    s->ns = strdup("");
    int rc = s->ns == NULL ? sp_nomem(err) : mock_store_get(e->url + 5, &s->store, err);
    if (rc == 0 && e->user != NULL)
        rc = mock_role_open(s, e->user, e->password, err);
    if (rc != 0) {
        session_close((struct sp_session *)(void *)s);
        return rc;
    }
    *out = (struct sp_session *)(void *)s;
    return 0;
}

/* What only the owner may do. */
static bool owners(const char *function)
{
    static const char *const names[] = { "ns_create", "table_create", "sequence_set", "role_create",
        "role_change", "role_grant", "row_security", "row_rules", "actor_token", "claims_set", "admin_list",
        "admin_disable" };
    for (size_t i = 0; i < SP_LEN(names); i++) {
        if (strcmp(function, names[i]) == 0)
            return true;
    }
    return false;
}

static int effective(
    struct sp_session *ss, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    const struct mock_session *s = mock(ss);
    (void)err;
    for (size_t i = 0; s->role != NULL && i < SP_CAP_N; i++) {
        if (owners(sp_caps[i].function))
            out[i] = (struct sp_cap){ .level = SP_CAP_NO, .why = "a role may not; connect without a user" };
    }
    facts->fidelity = SP_FID_MOCK;
    (void)sp_strlcpy(facts->server_version, "mock 1", sizeof facts->server_version);
    snprintf(facts->notes, sizeof facts->notes, "in memory, store \"%.200s\", serializable by default",
        s->store->name);
    return 0;
}

static int ping(struct sp_session *ss, struct sp_error *err)
{
    (void)ss;
    (void)err;
    return 0;
}

static void interrupt(struct sp_session *ss)
{
    atomic_store(&mock(ss)->interrupted, true);
}

static const struct sp_db_ops db_ops = {
    .introspect = mock_introspect,
    .ns_create = mock_ns_create,
    .ns_use = mock_ns_use,
    .ns_drop = mock_ns_drop,
    .ns_list = mock_ns_list,
    .table_create = mock_table_create,
    .table_finish = mock_table_finish,
    .table_drop = mock_table_drop,
    .exec = mock_exec,
    .prepare = mock_prepare,
    .execute = mock_execute,
    .finalize = mock_finalize,
    .begin = mock_begin,
    .commit = mock_commit,
    .rollback = mock_rollback,
    .savepoint = mock_savepoint,
    .savepoint_rollback = mock_savepoint_rollback,
    .savepoint_release = mock_savepoint_release,
    .snapshot_begin = mock_snapshot_begin,
    .snapshot_end = mock_snapshot_end,
    .snapshot_share = mock_snapshot_share,
    .snapshot_join = mock_snapshot_join,
    .volume = mock_volume,
    .split = mock_split,
    .scan = mock_scan,
    .load_open = mock_load_open,
    .load_row = mock_load_row,
    .load_extra = mock_load_extra,
    .load_close = mock_load_close,
    .sequence_set = mock_sequence_set,
    .role_create = mock_role_create,
    .role_drop = mock_role_drop,
    .role_change = mock_role_change,
    .role_grant = mock_role_grant,
    .role_revoke = mock_role_revoke,
    .role_join = mock_role_join,
    .role_act = mock_role_act,
    .row_security = mock_row_security,
    .act_for = mock_act_for,
    .actor_token = mock_actor_token,
    .row_rules = mock_row_rules,
};

/* It loses nothing. */
static const struct sp_loss losses[] = { { .what = NULL } };

const struct sp_provider sp_provider_mock = {
    .kind = "mock",
    .scheme = "mock",
    .summary = "the contract itself, executable, in memory",
    .library = library,
    .options = options,
    .declared = declared,
    .losses = losses,
    .open = session_open,
    .effective = effective,
    .ping = ping,
    .interrupt = interrupt,
    .close = session_close,
    .db = &db_ops,
    .auth = &mock_auth_ops,
    .blob = &mock_blob_ops,
};
