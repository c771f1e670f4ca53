/* provider.c -- what MongoDB offers: options, capabilities, losses, and the constant struct. */
#include <stdio.h>

#include "providers/mongodb/gridfs.h"

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
    [SP_CAP_NAMESPACES] = YES,
    [SP_CAP_TABLES] = YES,
    [SP_CAP_UNIQUE] = YES,
    [SP_CAP_UNIQUE_COMPOUND] = YES,
    [SP_CAP_FOREIGN_KEYS] = NO("MongoDB has no foreign keys"),
    [SP_CAP_CASCADES] = NO("MongoDB has no foreign keys"),
    [SP_CAP_DEFERRED] = NO("MongoDB has no foreign keys"),
    [SP_CAP_NOT_NULL] = YES,
    [SP_CAP_CHECKS] = NO("checks are written in another language than validators"),
    [SP_CAP_STRICT_TYPES] = YES,
    [SP_CAP_IDENTITY] = NO("MongoDB draws ObjectIds, in the client; no numbers"),
    [SP_CAP_DEFAULTS] = NO("MongoDB fills no defaults"),
    [SP_CAP_IDENTIFIERS_ANY] = NO("a field with a dot or a leading $ in its name cannot be queried"),
    [SP_CAP_IDENTIFIER_BYTES] = LIMIT(MO_NAME_BYTES),
    [SP_CAP_CRUD] = YES,
    [SP_CAP_RETURNING] = YES,
    [SP_CAP_UPSERT] = YES,
    [SP_CAP_RAW_QUERY] = NO("commands are documents, not texts with parameters"),
    [SP_CAP_ATOMIC_BATCH] = YES,
    [SP_CAP_BATCH_ROWS] = LIMIT(INT64_MAX),
    [SP_CAP_NULLS_ORDER] = YES,
    [SP_CAP_PREPARED] = NO("MongoDB has no prepared operations"),
    [SP_CAP_TXN] = YES,
    [SP_CAP_SAVEPOINTS] = NO("MongoDB has no savepoints"),
    [SP_CAP_ISO_READ_COMMITTED] = YES,
    [SP_CAP_ISO_REPEATABLE] = YES,
    [SP_CAP_ISO_SERIALIZABLE] = NO("the isolation of transactions is snapshot"),
    [SP_CAP_READ_ONLY_TXN] = NO("MongoDB has no read-only transactions"),
    [SP_CAP_CONCURRENT_SESSIONS] = YES,
    [SP_CAP_INTERRUPT] = YES,
    [SP_CAP_STATEMENT_TIMEOUT] = YES,
    [SP_CAP_VAL_DECIMAL] = NO("decimal128 keeps 34 digits"),
    [SP_CAP_VAL_DECIMAL_ORDER] = YES,
    [SP_CAP_VAL_F32] = YES,
    [SP_CAP_VAL_NAN] = YES,
    [SP_CAP_VAL_INF] = YES,
    [SP_CAP_VAL_NEGZERO] = YES,
    [SP_CAP_VAL_NUL] = YES,
    [SP_CAP_VAL_BYTES] = YES,
    [SP_CAP_VAL_BYTES_ORDER] = NO("BSON orders octets by their number first"),
    [SP_CAP_VAL_UUID] = YES,
    [SP_CAP_VAL_BOOL] = YES,
    [SP_CAP_VAL_INSTANT] = YES,
    [SP_CAP_VAL_LOCAL] = YES,
    [SP_CAP_VAL_DATE] = YES,
    [SP_CAP_VAL_TIME] = YES,
    [SP_CAP_VAL_FRACTION] = LIMIT(3),
    [SP_CAP_VAL_JSON] = YES,
    [SP_CAP_VAL_JSON_EXACT] = NO("numbers in documents are int64, double or decimal128"),
    [SP_CAP_VAL_JSON_NULL] = NO("a document knows one null only"),
    [SP_CAP_VAL_ARRAY] = YES,
    [SP_CAP_VAL_VECTOR] = YES,
    [SP_CAP_VAL_MISSING] = YES,
    [SP_CAP_INTROSPECT] = YES,
    [SP_CAP_SNAPSHOT] = YES,
    [SP_CAP_ROLES] = YES,
    [SP_CAP_ROLE_PASSWORD] = YES,
    [SP_CAP_ROLE_LOCK] = NO("MongoDB cannot lock a user"),
    [SP_CAP_ROLE_EXPIRY] = NO("a password of MongoDB has no end"),
    [SP_CAP_TABLE_GRANTS] = YES,
    [SP_CAP_COLUMN_GRANTS] = NO("MongoDB grants no privileges on fields"),
    [SP_CAP_ROLE_ACT] = NO("a MongoDB user cannot act as another"),
    [SP_CAP_ROW_SECURITY] = NO("MongoDB has no row security"),
    [SP_CAP_ACTORS] =
        NO("MongoDB knows database users only: who sees which document is up to the application"),
    [SP_CAP_ROW_RULES] = NO("MongoDB has no row security"),
    [SP_CAP_ACTOR_TOKENS] = NO("MongoDB knows database users only"),
    [SP_CAP_SCAN] = YES,
    [SP_CAP_LOAD] = YES,
    [SP_CAP_VALUE_BYTES] = LIMIT(MO_DOCUMENT_BYTES - 4096), /* a document with its names is at most 16 MiB */
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
    [SP_CAP_SIGNED_URL] = NO("GridFS serves no URLs"),
    [SP_CAP_SIGNED_PUT] = NO("GridFS serves no URLs"),
    [SP_CAP_MULTIPART] = YES,
    [SP_CAP_PART_ORDER] = YES,
    [SP_CAP_KEY_BYTES] = LIMIT(MO_KEY_BYTES),
    [SP_CAP_KEYS_ANY] = YES,
    [SP_CAP_OBJECT_BYTES] = LIMIT(MO_OBJECT_BYTES),
};

static const struct sp_loss losses[] = {
    { SP_INSTANT, SP_RULE_TRUNCATE_MS, "dates keep milliseconds; finer ones are refused" },
    { SP_DEC, SP_RULE_NONE, "decimals of more than 34 digits are refused" },
    { SP_JSON, SP_RULE_NONE, "JSON null as the whole value, and numbers beyond 34 digits, are refused" },
    { SP_LOCAL, SP_RULE_NONE, "local timestamps are kept as text in ISO form" },
    { SP_DATE, SP_RULE_NONE, "dates without a time are kept as text in ISO form" },
    { SP_TIME, SP_RULE_NONE, "times of day are kept as text in ISO form" },
    { SP_VECTOR, SP_RULE_NONE, "vectors are kept as arrays of doubles" },
    { SP_REF, SP_RULE_NONE, "references become text" },
    { SP_NATIVE, SP_RULE_NONE, "native values of other backends have no BSON type" },
    { SP_MISSING, SP_RULE_NONE, NULL },
};

static const struct sp_provider_option options[] = {
    SP_STACK_OPTIONS,
    { NULL, NULL, NULL, NULL, false },
};

static const char *library(void)
{
    static char text[48];
    (void)snprintf(text, sizeof text, "libmongoc %s", mongoc_get_version());
    return text;
}

static const struct sp_db_ops db_ops = {
    .introspect = mo_introspect,
    .ns_create = mo_ns_create,
    .ns_use = mo_ns_use,
    .ns_drop = mo_ns_drop,
    .ns_list = mo_ns_list,
    .table_create = mo_table_create,
    .table_finish = mo_table_finish,
    .table_drop = mo_table_drop,
    .exec = mo_db_exec,
    .begin = mo_begin,
    .commit = mo_commit,
    .rollback = mo_rollback,
    .snapshot_begin = mo_snapshot_begin,
    .snapshot_end = mo_snapshot_end,
    .role_create = mo_role_create,
    .role_drop = mo_role_drop,
    .role_change = mo_role_change,
    .role_grant = mo_role_grant,
    .role_revoke = mo_role_revoke,
    .volume = mo_volume,
    .scan = mo_scan,
    .load_open = mo_load_open,
    .load_row = mo_load_row,
    .load_extra = mo_load_extra,
    .load_close = mo_load_close,
};

const struct sp_provider sp_provider_mongodb = {
    .kind = "mongodb",
    .scheme = "mongodb",
    .alias = "mongodb+srv",
    .summary = "MongoDB 4.2 or later, through libmongoc; objects in GridFS",
    .library = library,
    .options = options,
    .declared = declared,
    .losses = losses,
    .process_init = mo_process_init,
    .open = mo_open,
    .effective = mo_effective,
    .ping = mo_ping,
    .interrupt = mo_interrupt,
    .close = mo_close,
    .db = &db_ops,
    .blob = &mo_blob_ops,
};
