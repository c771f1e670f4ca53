/* provider.c -- what SQLite offers: options, capabilities, losses, and the constant struct. */
#include <stdio.h>
#include <string.h>

#include "providers/sqlite/blob.h"

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
    [SP_CAP_IDENTIFIER_BYTES] = LIMIT(INT64_MAX),
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
    [SP_CAP_VAL_NAN] = NO("SQLite turns NaN into NULL; the provider refuses it"),
    [SP_CAP_VAL_INF] = YES,
    [SP_CAP_VAL_NEGZERO] = NO("REAL columns keep whole numbers as integers, so -0.0 comes back as 0.0"),
    [SP_CAP_VAL_NUL] = YES,
    [SP_CAP_VAL_BYTES] = YES,
    [SP_CAP_VAL_BYTES_ORDER] = YES,
    [SP_CAP_VAL_UUID] = YES,
    [SP_CAP_VAL_BOOL] = YES,
    [SP_CAP_VAL_INSTANT] = YES,
    [SP_CAP_VAL_LOCAL] = YES,
    [SP_CAP_VAL_DATE] = YES,
    [SP_CAP_VAL_TIME] = YES,
    [SP_CAP_VAL_FRACTION] = LIMIT(9),
    [SP_CAP_VAL_JSON] = YES,
    [SP_CAP_VAL_JSON_EXACT] = YES,
    [SP_CAP_VAL_JSON_NULL] = YES,
    [SP_CAP_VAL_ARRAY] = YES,
    [SP_CAP_VAL_VECTOR] = YES,
    [SP_CAP_VAL_MISSING] = NO("a column is null or has a value"),
    [SP_CAP_VALUE_BYTES] = LIMIT(1000000000),
    [SP_CAP_SNAPSHOT] = YES,
    [SP_CAP_SNAPSHOT_JOIN] = YES,
    [SP_CAP_SPLIT] = YES,
    [SP_CAP_SCAN] = YES,
    [SP_CAP_LOAD] = YES,
    [SP_CAP_SEQUENCE_SET] = YES,
    [SP_CAP_ROLES] = NO("SQLite has no users"),
    [SP_CAP_ROLE_PASSWORD] = NO("SQLite has no users"),
    [SP_CAP_ROLE_LOCK] = NO("SQLite has no users"),
    [SP_CAP_ROLE_EXPIRY] = NO("SQLite has no users"),
    [SP_CAP_TABLE_GRANTS] = NO("SQLite has no users"),
    [SP_CAP_COLUMN_GRANTS] = NO("SQLite has no users"),
    [SP_CAP_ROLE_ACT] = NO("SQLite has no users"),
    [SP_CAP_ROW_SECURITY] = NO("SQLite has no users"),
    [SP_CAP_ACTORS] = NO("SQLite has no users"),
    [SP_CAP_ROW_RULES] = NO("SQLite has no users"),
    [SP_CAP_ACTOR_TOKENS] = NO("SQLite has no users"),
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
    [SP_CAP_SIGNED_URL] = NO("a file has no server that could honour a signature"),
    [SP_CAP_SIGNED_PUT] = NO("a file has no server that could honour a signature"),
    [SP_CAP_MULTIPART] = YES,
    [SP_CAP_PART_ORDER] = YES,
    [SP_CAP_KEY_BYTES] = LIMIT(SQ_KEY_BYTES),
    [SP_CAP_KEYS_ANY] = YES,
    [SP_CAP_OBJECT_BYTES] = LIMIT(INT64_MAX),
};

static const struct sp_loss losses[] = {
    { SP_F64, SP_RULE_NEGZERO_TO_ZERO, "REAL columns keep -0.0 as 0.0" },
    { SP_F32, SP_RULE_NEGZERO_TO_ZERO, "REAL columns keep -0.0 as 0.0" },
    { SP_F64, SP_RULE_NONE, "NaN becomes NULL in SQLite; it is refused" },
    { SP_F32, SP_RULE_NONE, "NaN becomes NULL in SQLite; it is refused" },
    { SP_MISSING, SP_RULE_MISSING_TO_NULL, "a missing field becomes null" },
    { SP_NATIVE, SP_RULE_NONE, "native values of other backends have no column type" },
    { SP_MISSING, SP_RULE_NONE, NULL },
};

static const struct sp_provider_option options[] = {
    { "busy_timeout", "duration", "5s", "how long to wait for a lock of another connection", false },
    { "journal_mode", "text", NULL, "delete, truncate, persist or wal; a disposable file gets wal", false },
    { NULL, NULL, NULL, NULL, false },
};

static const char *library(void)
{
    static const char text[] = "SQLite " SQLITE_VERSION;
    return strcmp(sqlite3_libversion(), SQLITE_VERSION) == 0 ? text : sqlite3_libversion();
}

static void text_of(struct sp_session *s, const char *sql, char *out, size_t size)
{
    sqlite3_stmt *st = NULL;
    out[0] = '\0';
    if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW &&
        sqlite3_column_text(st, 0) != NULL)
        (void)snprintf(out, size, "%s", (const char *)sqlite3_column_text(st, 0));
    sqlite3_finalize(st);
}

static void deny(struct sp_cap *c, const char *why)
{
    c->level = SP_CAP_NO;
    c->why = why;
}

static int effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    char journal[32], encoding[32], page[32], fk[8], sync[8];
    int ret = sq_ping(s, err);
    if (ret != 0)
        return ret;
    text_of(s, "PRAGMA journal_mode", journal, sizeof journal);
    text_of(s, "PRAGMA encoding", encoding, sizeof encoding);
    text_of(s, "PRAGMA page_size", page, sizeof page);
    text_of(s, "PRAGMA foreign_keys", fk, sizeof fk);
    text_of(s, "PRAGMA synchronous", sync, sizeof sync);
    if (s->read_only) /* the copy or the immutable view hides the real mode */
        (void)snprintf(journal, sizeof journal, "%s", s->state.wal_mode ? "wal" : "rollback");
    facts->fidelity = SP_FID_REAL;
    (void)snprintf(facts->server_version, sizeof facts->server_version, "SQLite %s", sqlite3_libversion());
    (void)snprintf(facts->notes, sizeof facts->notes, "journal %s, encoding %s, page %s%s", journal, encoding,
        page,
        s->copy        ? ", read from a private copy"
        : s->immutable ? ", read as immutable"
        : s->read_only ? ", read beside its writers"
                       : "");
    if (!s->read_only || s->base.endpoint->live)
        deny(&out[SP_CAP_SNAPSHOT_JOIN], "only sessions that read without locks share a state");
    if (sqlite3_libversion_number() < 3035000)
        deny(&out[SP_CAP_RETURNING], "RETURNING needs SQLite 3.35");
    if (sqlite3_libversion_number() < 3030000)
        deny(&out[SP_CAP_NULLS_ORDER], "NULLS FIRST needs SQLite 3.30");
    if (sqlite3_compileoption_used("OMIT_FOREIGN_KEY") || (!s->read_only && strcmp(fk, "1") != 0)) {
        deny(&out[SP_CAP_FOREIGN_KEYS], "this SQLite library was built without foreign keys");
        deny(&out[SP_CAP_CASCADES], "this SQLite library was built without foreign keys");
        deny(&out[SP_CAP_DEFERRED], "this SQLite library was built without foreign keys");
    }
    out[SP_CAP_VALUE_BYTES].limit = sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, -1);
    return 0;
}

static const struct sp_db_ops db_ops = {
    .introspect = sq_introspect,
    .ns_create = sq_ns_create,
    .ns_use = sq_ns_use,
    .ns_drop = sq_ns_drop,
    .ns_list = sq_ns_list,
    .table_create = sq_table_create,
    .table_finish = sq_table_finish,
    .table_drop = sq_table_drop,
    .exec = sq_db_exec,
    .raw_reads = sq_raw_reads,
    .prepare = sq_db_prepare,
    .execute = sq_db_execute,
    .finalize = sq_db_finalize,
    .begin = sq_begin,
    .commit = sq_commit,
    .rollback = sq_rollback,
    .savepoint = sq_savepoint,
    .savepoint_rollback = sq_savepoint_rollback,
    .savepoint_release = sq_savepoint_release,
    .snapshot_begin = sq_snapshot_begin,
    .snapshot_end = sq_snapshot_end,
    .snapshot_share = sq_snapshot_share,
    .snapshot_join = sq_snapshot_join,
    .volume = sq_volume,
    .split = sq_split,
    .scan = sq_scan,
    .load_open = sq_load_open,
    .load_row = sq_load_row,
    .load_close = sq_load_close,
    .sequence_set = sq_sequence_set,
};

const struct sp_provider sp_provider_sqlite = {
    .kind = "sqlite",
    .scheme = "sqlite",
    .summary = "SQLite database file; objects in blobs",
    .library = library,
    .options = options,
    .declared = declared,
    .losses = losses,
    .process_init = sq_process_init,
    .open = sq_open,
    .effective = effective,
    .ping = sq_ping,
    .interrupt = sq_interrupt,
    .close = sq_close,
    .db = &db_ops,
    .blob = &sq_blob_ops,
};
