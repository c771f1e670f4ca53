/* provider.c -- what PostgreSQL offers: options, capabilities, losses, and the constant struct. */
#include <stdio.h>
#include <string.h>

#include "providers/postgresql/blob.h"

#define YES                                                                                                  \
    {                                                                                                        \
        SP_CAP_YES, 0, NULL                                                                                  \
    }
#define LIMIT(n)                                                                                             \
    {                                                                                                        \
        SP_CAP_YES, (n), NULL                                                                                \
    }
#define NO(why)                                                                                              \
    {                                                                                                        \
        SP_CAP_NO, 0, (why)                                                                                  \
    }

static const struct sp_cap declared[SP_CAP_N] = {
    [SP_CAP_INTROSPECT] = YES,
    [SP_CAP_NAMESPACES] = YES,
    [SP_CAP_TABLES] = YES,
    [SP_CAP_UNIQUE] = YES,
    [SP_CAP_UNIQUE_COMPOUND] = YES,
    [SP_CAP_FOREIGN_KEYS] = YES,
    [SP_CAP_CASCADES] = YES,
    [SP_CAP_DEFERRED] = YES,
    [SP_CAP_NOT_NULL] = YES,
    [SP_CAP_CHECKS] = YES,
    [SP_CAP_STRICT_TYPES] = YES,
    [SP_CAP_IDENTITY] = YES,
    [SP_CAP_DEFAULTS] = YES,
    [SP_CAP_IDENTIFIERS_ANY] = YES,
    [SP_CAP_IDENTIFIER_BYTES] = LIMIT(PO_NAME_BYTES),
    [SP_CAP_CRUD] = YES,
    [SP_CAP_RETURNING] = YES,
    [SP_CAP_UPSERT] = YES,
    [SP_CAP_RAW_QUERY] = YES,
    [SP_CAP_ATOMIC_BATCH] = YES,
    [SP_CAP_BATCH_ROWS] = LIMIT(INT64_MAX),
    [SP_CAP_NULLS_ORDER] = YES,
    [SP_CAP_PREPARED] = YES,
    [SP_CAP_TXN] = YES,
    [SP_CAP_SAVEPOINTS] = YES,
    [SP_CAP_ISO_READ_COMMITTED] = YES,
    [SP_CAP_ISO_REPEATABLE] = YES,
    [SP_CAP_ISO_SERIALIZABLE] = YES,
    [SP_CAP_READ_ONLY_TXN] = YES,
    [SP_CAP_CONCURRENT_SESSIONS] = YES,
    [SP_CAP_INTERRUPT] = YES,
    [SP_CAP_STATEMENT_TIMEOUT] = YES,
    [SP_CAP_VAL_DECIMAL] = YES,
    [SP_CAP_VAL_DECIMAL_ORDER] = YES,
    [SP_CAP_VAL_F32] = YES,
    [SP_CAP_VAL_NAN] = YES,
    [SP_CAP_VAL_INF] = YES,
    [SP_CAP_VAL_NEGZERO] = YES,
    [SP_CAP_VAL_NUL] = NO("PostgreSQL text cannot hold U+0000"),
    [SP_CAP_VAL_BYTES] = YES,
    [SP_CAP_VAL_BYTES_ORDER] = YES,
    [SP_CAP_VAL_UUID] = YES,
    [SP_CAP_VAL_BOOL] = YES,
    [SP_CAP_VAL_INSTANT] = YES,
    [SP_CAP_VAL_LOCAL] = YES,
    [SP_CAP_VAL_DATE] = YES,
    [SP_CAP_VAL_TIME] = YES,
    [SP_CAP_VAL_FRACTION] = LIMIT(6),
    [SP_CAP_VAL_JSON] = YES,
    [SP_CAP_VAL_JSON_EXACT] = YES,
    [SP_CAP_VAL_JSON_NULL] = YES,
    [SP_CAP_VAL_ARRAY] = YES,
    [SP_CAP_VAL_VECTOR] = YES,
    [SP_CAP_VAL_MISSING] = NO("a column is null or has a value"),
    [SP_CAP_VALUE_BYTES] = LIMIT(1073741823), /* one byte below 1 GiB; a row of a COPY holds less */
    [SP_CAP_SNAPSHOT] = YES,
    [SP_CAP_SNAPSHOT_JOIN] = YES,
    [SP_CAP_SPLIT] = YES,
    [SP_CAP_SCAN] = YES,
    [SP_CAP_LOAD] = YES,
    [SP_CAP_SEQUENCE_SET] = YES,
    [SP_CAP_ROLES] = YES,
    [SP_CAP_ROLE_PASSWORD] = YES,
    [SP_CAP_ROLE_LOCK] = YES,
    [SP_CAP_ROLE_EXPIRY] = YES,
    [SP_CAP_TABLE_GRANTS] = YES,
    [SP_CAP_COLUMN_GRANTS] = YES,
    [SP_CAP_ROLE_ACT] = YES,
    [SP_CAP_ROW_SECURITY] = YES,
    [SP_CAP_ACTORS] = YES,
    [SP_CAP_ROW_RULES] = YES,
    [SP_CAP_ACTOR_TOKENS] = NO("PostgreSQL is told who is signed in, and checks no token"),
    [SP_CAP_BUCKETS] = YES,
    [SP_CAP_PUT] = YES,
    [SP_CAP_GET] = YES,
    [SP_CAP_RANGE] = YES,
    [SP_CAP_HEAD] = YES,
    [SP_CAP_LIST] = YES,
    [SP_CAP_DELIMITER] = YES,
    [SP_CAP_DELETE] = YES,
    [SP_CAP_COPY] = YES,
    [SP_CAP_MOVE] = YES,
    [SP_CAP_METADATA] = YES,
    [SP_CAP_CONTENT_TYPE] = YES,
    [SP_CAP_IF_NONE_MATCH] = YES,
    [SP_CAP_IF_MATCH] = YES,
    [SP_CAP_CHECKSUM] = YES,
    [SP_CAP_SIGNED_URL] = NO("PostgreSQL serves no URLs"),
    [SP_CAP_SIGNED_PUT] = NO("PostgreSQL serves no URLs"),
    [SP_CAP_MULTIPART] = YES,
    [SP_CAP_PART_ORDER] = YES,
    [SP_CAP_KEY_BYTES] = LIMIT(PO_KEY_BYTES),
    [SP_CAP_KEYS_ANY] = YES,
    [SP_CAP_OBJECT_BYTES] = LIMIT(PO_OBJECT_BYTES),
};

static const struct sp_loss losses[] = {
    { SP_INSTANT, SP_RULE_TRUNCATE_US, "timestamps keep microseconds; finer ones are refused" },
    { SP_LOCAL, SP_RULE_TRUNCATE_US, "timestamps keep microseconds; finer ones are refused" },
    { SP_TIME, SP_RULE_TRUNCATE_US, "times keep microseconds; finer ones are refused" },
    { SP_INSTANT, SP_RULE_ROUND_DIGITS, "a declared precision rounds" },
    { SP_LOCAL, SP_RULE_ROUND_DIGITS, "a declared precision rounds" },
    { SP_TIME, SP_RULE_ROUND_DIGITS, "a declared precision rounds" },
    { SP_TEXT, SP_RULE_NONE, "text with U+0000 is refused" },
    { SP_MISSING, SP_RULE_MISSING_TO_NULL, "a missing field becomes null" },
    { SP_REF, SP_RULE_NONE, "references become text" },
    { SP_NATIVE, SP_RULE_NONE, "native values of other backends have no column type" },
    { SP_MISSING, SP_RULE_NONE, NULL },
};

static const struct sp_provider_option options[] = {
    { "schema", "text", NULL,
        "the schema that is compared and migrated; default: the first of the search path", false },
    { "session_pool", "bool", "false",
        "the connection pooler in between keeps one server session for each client", false },
    { "anon_role", "text", "anon", "the database role of those who are not signed in to the application",
        false },
    { "user_role", "text", "authenticated", "the database role of those who are", false },
    { "lock_timeout", "duration", "5s", "how long to wait for a lock of another transaction", false },
    SP_STACK_OPTIONS,
    { NULL, NULL, NULL, NULL, false },
};

static const char *library(void)
{
    static char text[48];
    int v = PQlibVersion();
    (void)snprintf(text, sizeof text, "libpq %d.%d", v / 10000, v % 10000);
    return text;
}

static void deny(struct sp_cap *c, const char *why)
{
    c->level = SP_CAP_NO;
    c->why = why;
}

static int ask(struct sp_session *s, PGresult **r, struct sp_error *err)
{
    return po_exec(s,
        "SELECT current_setting('server_version'), version(), current_setting('server_encoding'), "
        "d.datcollate, has_database_privilege(current_database(), 'CREATE')::int, "
        "(r.rolsuper OR r.rolcreaterole)::int, (r.rolsuper OR r.rolbypassrls)::int, r.rolsuper::int, "
        "extract(epoch FROM pg_postmaster_start_time())::text || ' ' || d.oid || ' ' || current_user "
        "FROM pg_catalog.pg_database d, pg_catalog.pg_roles r "
        "WHERE d.datname = current_database() AND r.rolname = current_user",
        r, err);
}

/* "TLSv1.3, verify-full": what protects the connection, and what of it was checked. */
static void put_tls(struct sp_session *s, char out[42])
{
    PQconninfoOption *all = PQconninfo(s->conn);
    const char *mode = "", *protocol = PQsslAttribute(s->conn, "protocol");
    for (const PQconninfoOption *o = all; o != NULL && o->keyword != NULL; o++)
        if (strcmp(o->keyword, "sslmode") == 0 && o->val != NULL)
            mode = o->val;
    if (PQsslInUse(s->conn) != 0)
        (void)snprintf(out, 42, "%.20s, %.19s", protocol == NULL ? "TLS" : protocol, mode);
    else
        (void)snprintf(out, 42, "no TLS");
    PQconninfoFree(all);
}

static void put_notes(struct sp_session *s, const PGresult *r, struct sp_facts *facts)
{
    char tls[42];
    bool sees_all = PQgetvalue(r, 0, 6)[0] == '1' || s->base.endpoint->access == SP_ACCESS_DISPOSABLE;
    put_tls(s, tls);
    (void)snprintf(facts->notes, sizeof facts->notes,
        "encoding %.20s, collation %.20s, schema %.63s%s, %s%s%s%s", PQgetvalue(r, 0, 2), PQgetvalue(r, 0, 3),
        s->default_ns, s->schema_chosen ? " alone" : "", tls, s->pooled ? ", behind a connection pooler" : "",
        s->standby ? ", a standby" : "", sees_all ? "" : ", row security is an error");
}

static int effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    static const enum sp_cap_id of_roles[] = { SP_CAP_ROLES, SP_CAP_ROLE_PASSWORD, SP_CAP_ROLE_LOCK,
        SP_CAP_ROLE_EXPIRY, SP_CAP_TABLE_GRANTS, SP_CAP_COLUMN_GRANTS, SP_CAP_ROLE_ACT };
    PGresult *r = NULL;
    po_begin_statement(s);
    int ret = ask(s, &r, err);
    if (ret != 0)
        return ret;
    if (PQntuples(r) != 1) {
        PQclear(r);
        return sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND, "%s does not say who we are", s->where);
    }
    facts->fidelity = s->real ? SP_FID_REAL : SP_FID_COMPATIBLE;
    (void)snprintf(facts->server_version, sizeof facts->server_version, "%s%.80s",
        s->real ? "PostgreSQL " : "", s->real ? PQgetvalue(r, 0, 0) : PQgetvalue(r, 0, 1));
    put_notes(s, r, facts);
    /* No two servers started in the same microsecond; a standby started at another time than its primary. Another user
     * may see other rows. */
    if (s->real)
        (void)snprintf(facts->place, sizeof facts->place, "%.94s %.63s", PQgetvalue(r, 0, 8), s->default_ns);
    if (PQgetvalue(r, 0, 4)[0] != '1') {
        static const char why[] = "this user may not create schemas in this database";
        deny(&out[SP_CAP_NAMESPACES], why);
        deny(&out[SP_CAP_BUCKETS], why);
    }
    for (size_t i = 0; i < SP_LEN(of_roles) && PQgetvalue(r, 0, 5)[0] != '1'; i++)
        deny(&out[of_roles[i]], "this user may not create roles");
    if (PQgetvalue(r, 0, 7)[0] != '1')
        deny(&out[SP_CAP_ROW_SECURITY], "only a superuser may let roles bypass row security");
    if (s->pooled) {
        static const char why[] = "a connection pooler stands between: what a session sets up does not last";
        deny(&out[SP_CAP_PREPARED], why);
        deny(&out[SP_CAP_ROLE_ACT], why);
        deny(&out[SP_CAP_ACTORS], why);
    }
    if (!po_can_split(s))
        deny(&out[SP_CAP_SPLIT], "ranges of rows are read at full speed from PostgreSQL 14 on");
    if (s->standby)
        deny(&out[SP_CAP_ISO_SERIALIZABLE], "a standby offers no serializable transactions");
    PQclear(r);
    return 0;
}

static const struct sp_db_ops db_ops = {
    .introspect = po_introspect,
    .ns_create = po_ns_create,
    .ns_use = po_ns_use,
    .ns_drop = po_ns_drop,
    .ns_list = po_ns_list,
    .table_create = po_table_create,
    .table_finish = po_table_finish,
    .table_drop = po_table_drop,
    .exec = po_db_exec,
    .raw_reads = po_raw_reads,
    .prepare = po_db_prepare,
    .execute = po_db_execute,
    .finalize = po_db_finalize,
    .begin = po_begin,
    .commit = po_commit,
    .rollback = po_rollback,
    .savepoint = po_savepoint,
    .savepoint_rollback = po_savepoint_rollback,
    .savepoint_release = po_savepoint_release,
    .snapshot_begin = po_snapshot_begin,
    .snapshot_end = po_snapshot_end,
    .snapshot_share = po_snapshot_share,
    .snapshot_join = po_snapshot_join,
    .burden = po_burden,
    .volume = po_volume,
    .split = po_split,
    .scan = po_scan,
    .load_open = po_load_open,
    .load_row = po_load_row,
    .load_close = po_load_close,
    .sequence_set = po_sequence_set,
    .role_create = po_role_create,
    .role_drop = po_role_drop,
    .role_change = po_role_change,
    .role_grant = po_role_grant,
    .role_revoke = po_role_revoke,
    .role_join = po_role_join,
    .role_act = po_role_act,
    .row_security = po_row_security,
    .act_for = po_act_for,
    .row_rules = po_row_rules,
};

const struct sp_provider sp_provider_postgresql = {
    .kind = "postgresql",
    .scheme = "postgresql",
    .alias = "postgres",
    .summary = "PostgreSQL 12 or later, through libpq; objects in bytea",
    .library = library,
    .options = options,
    .declared = declared,
    .losses = losses,
    .open = po_open,
    .effective = effective,
    .ping = po_ping,
    .interrupt = po_interrupt,
    .close = po_close,
    .db = &db_ops,
    .blob = &po_blob_ops,
};
