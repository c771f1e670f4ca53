/* provider.c -- what Supabase offers here: options, capabilities, and the constant struct. */
#include "providers/supabase/internal.h"

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

#define NO_TXN   NO("REST has no transactions: each request is one of its own")
#define NO_ROLES NO("database users don't sign in over REST: a key stands for a role")

static const struct sp_cap declared[SP_CAP_N] = {
    [SP_CAP_INTROSPECT] = YES,
    [SP_CAP_NAMESPACES] = YES,
    [SP_CAP_TABLES] = YES,
    [SP_CAP_UNIQUE] = YES,
    [SP_CAP_UNIQUE_COMPOUND] = YES,
    [SP_CAP_FOREIGN_KEYS] = YES,
    [SP_CAP_CASCADES] = YES,
    [SP_CAP_DEFERRED] = NO_TXN,
    [SP_CAP_NOT_NULL] = YES,
    [SP_CAP_CHECKS] = YES,
    [SP_CAP_STRICT_TYPES] = YES,
    [SP_CAP_IDENTITY] = YES,
    [SP_CAP_DEFAULTS] = YES,
    [SP_CAP_IDENTIFIERS_ANY] = YES,
    [SP_CAP_IDENTIFIER_BYTES] = LIMIT(63),
    [SP_CAP_CRUD] = YES,
    [SP_CAP_RETURNING] = YES,
    [SP_CAP_UPSERT] = YES,
    [SP_CAP_RAW_QUERY] =
        NO("PostgREST runs no queries of its clients, only GETs of tables and functions, which read"),
    [SP_CAP_ATOMIC_BATCH] = YES,
    [SP_CAP_BATCH_ROWS] = LIMIT(INT64_MAX),
    [SP_CAP_NULLS_ORDER] = YES,
    [SP_CAP_PREPARED] = NO("REST prepares nothing"),
    [SP_CAP_TXN] = NO_TXN,
    [SP_CAP_SAVEPOINTS] = NO_TXN,
    [SP_CAP_ISO_READ_COMMITTED] = NO_TXN,
    [SP_CAP_ISO_REPEATABLE] = NO_TXN,
    [SP_CAP_ISO_SERIALIZABLE] = NO_TXN,
    [SP_CAP_READ_ONLY_TXN] = NO_TXN,
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
    [SP_CAP_VAL_JSON_NULL] = NO("a JSON null in a body is a null of the column"),
    [SP_CAP_VAL_ARRAY] = YES,
    [SP_CAP_VAL_VECTOR] = YES,
    [SP_CAP_VAL_MISSING] = NO("a column is null or has a value"),
    [SP_CAP_VALUE_BYTES] = LIMIT(16777216),
    [SP_CAP_SNAPSHOT] = YES /* a state that is proved, or a conflict */,
    [SP_CAP_SNAPSHOT_JOIN] = NO("REST has no snapshots"),
    [SP_CAP_SPLIT] = NO("tables are read in pages by key, one behind the other"),
    [SP_CAP_SCAN] = YES,
    [SP_CAP_LOAD] = YES,
    [SP_CAP_SEQUENCE_SET] = YES,
    [SP_CAP_ROLES] = NO_ROLES,
    [SP_CAP_ROLE_PASSWORD] = NO_ROLES,
    [SP_CAP_ROLE_LOCK] = NO_ROLES,
    [SP_CAP_ROLE_EXPIRY] = NO_ROLES,
    [SP_CAP_TABLE_GRANTS] = NO_ROLES,
    [SP_CAP_COLUMN_GRANTS] = NO_ROLES,
    [SP_CAP_ROLE_ACT] = NO_ROLES,
    [SP_CAP_ROW_SECURITY] = NO_ROLES,
    [SP_CAP_ACTORS] = YES,
    [SP_CAP_ROW_RULES] = YES,
    [SP_CAP_ACTOR_TOKENS] = YES,

    [SP_CAP_SIGN_UP] = YES,
    [SP_CAP_SIGN_IN] = YES,
    [SP_CAP_REFRESH] = YES,
    [SP_CAP_REFRESH_ROTATION] =
        NO("a used refresh token counts for some seconds more, for clients that lost the answer"),
    [SP_CAP_SIGN_OUT] = YES,
    [SP_CAP_SIGN_OUT_ACCESS] = YES,
    [SP_CAP_USER_GET] = YES,
    [SP_CAP_USER_UPDATE] = YES,
    [SP_CAP_EMAIL_CHANGE] = NO("a new e-mail waits to be confirmed by mail"),
    [SP_CAP_USER_DELETE] = YES,
    [SP_CAP_PASSWORD_RESET] = YES,
    [SP_CAP_CLAIMS] = YES,
    [SP_CAP_ADMIN] = YES,
    [SP_CAP_DISABLE] = YES,
    [SP_CAP_ENUMERATION_SAFE] = YES,

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
    [SP_CAP_IF_NONE_MATCH] = NO("of two puts at one moment that ask for a free key, both may be stored"),
    [SP_CAP_IF_MATCH] = NO("Supabase Storage has no put-if-unchanged"),
    [SP_CAP_CHECKSUM] = NO("Supabase Storage checks no checksum of a put"),
    [SP_CAP_SIGNED_URL] = YES,
    [SP_CAP_SIGNED_PUT] = NO("URLs for uploads end after a time that the project sets, not the caller"),
    [SP_CAP_MULTIPART] = YES,
    [SP_CAP_PART_ORDER] = NO("uploads go on at their end only: parts come in order, and each once"),
    [SP_CAP_KEY_BYTES] = LIMIT(SU_KEY_BYTES),
    [SP_CAP_KEYS_ANY] = NO("keys are ASCII letters, digits, and some punctuation"),
    [SP_CAP_OBJECT_BYTES] = LIMIT(SU_OBJECT_BYTES),
};

static const struct sp_loss losses[] = {
    { SP_INSTANT, SP_RULE_TRUNCATE_US, "timestamps keep microseconds; finer ones are refused" },
    { SP_LOCAL, SP_RULE_TRUNCATE_US, "timestamps keep microseconds; finer ones are refused" },
    { SP_TIME, SP_RULE_TRUNCATE_US, "times keep microseconds; finer ones are refused" },
    { SP_INSTANT, SP_RULE_ROUND_DIGITS, "a declared precision rounds" },
    { SP_LOCAL, SP_RULE_ROUND_DIGITS, "a declared precision rounds" },
    { SP_TIME, SP_RULE_ROUND_DIGITS, "a declared precision rounds" },
    { SP_TEXT, SP_RULE_NONE, "text with U+0000 is refused" },
    { SP_JSON, SP_RULE_NONE, "the JSON value null cannot be written, and is refused" },
    { SP_MISSING, SP_RULE_MISSING_TO_NULL, "a missing field becomes null" },
    { SP_REF, SP_RULE_NONE, "references become text" },
    { SP_NATIVE, SP_RULE_NONE, "native values of other backends have no column type" },
    { SP_MISSING, SP_RULE_NONE, NULL },
};

static const struct sp_provider_option options[] = {
    { "anon_key", "text", NULL, "the key that applications carry (anon, or sb_publishable_...)", true },
    { "service_key", "text", NULL,
        "the key that may do everything (service_role, or sb_secret_...): needed for storage and "
        "administration",
        true },
    { "auth_url", "text", NULL, "where Supabase Auth answers, if not at URL/auth/v1; \"none\": left out",
        false },
    { "storage_url", "text", NULL,
        "where Supabase Storage answers, if not at URL/storage/v1; \"none\": left out", false },
    { "db_url", "text", NULL,
        "postgresql://... of the project's database: needed for the database facet, whose rows go through "
        "PostgREST; for the "
        "URL in SUPABASE_URL the default is SUPABASE_DB_URL",
        true },
    { "jwt_secret", "text", NULL,
        "the project's JWT secret: signs tokens of people who are tried out, without their passwords; for "
        "the "
        "URL in SUPABASE_URL the default is SUPABASE_JWT_SECRET",
        true },
    { "schema", "text", "public", "the schema that is compared and migrated", false },
    { "rest_path", "text", NULL,
        "where PostgREST answers; default: /rest/v1, or / where it stands alone; \"none\": left out", false },
    { "ca", "path", NULL, "file of certificates to trust instead of the system's", false },
    { "insecure", "bool", "false", "don't check the certificate; loopback addresses only", false },
    SP_STACK_OPTIONS,
    { NULL, NULL, NULL, NULL, false },
};

const struct sp_provider sp_provider_supabase = {
    .kind = "supabase",
    .scheme = "supabase",
    .language = "postgresql",
    .summary = "Supabase: rows through PostgREST, accounts through Auth (GoTrue), objects through Storage",
    .library = sp_http_library,
    .options = options,
    .declared = declared,
    .losses = losses,
    .process_init = su_process_init,
    .open = su_open,
    .effective = su_effective,
    .ping = su_ping,
    .interrupt = su_interrupt,
    .close = su_close,
    .db = &sd_ops,
    .auth = &su_auth_ops,
    .blob = &su_blob_ops,
};
