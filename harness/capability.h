/* capability.h -- what a backend can do, as data. One row per capability:
 * X(enum suffix, wire name, facet, function of the facet it stands for, kind, doc)
 * Kind BOOL: yes or no. Kind LIMIT: a number whose unit stands in the doc (INT64_MAX = no limit known).
 * The static test ci/tests/unit/test_capability.c ties each row to a member of the facet's struct. */
#ifndef SP_CAPABILITY_H
#define SP_CAPABILITY_H

#include <stdint.h>

#define SP_CAPS(X)                                                                                           \
    /* database: objects */                                                                                  \
    X(INTROSPECT, "introspect", db, introspect, BOOL, "reads its schema into the logical vocabulary")        \
    X(NAMESPACES, "namespaces", db, ns_create, BOOL, "objects of a run are kept apart and dropped together") \
    X(TABLES, "tables", db, table_create, BOOL, "creates tables or collections from a logical schema")       \
    X(UNIQUE, "unique", db, table_create, BOOL, "enforces unique constraints")                               \
    X(UNIQUE_COMPOUND, "unique_compound", db, table_create, BOOL,                                            \
        "enforces unique constraints over columns")                                                          \
    X(FOREIGN_KEYS, "foreign_keys", db, table_create, BOOL, "enforces foreign keys")                         \
    X(CASCADES, "cascades", db, table_create, BOOL, "carries out on delete cascade and set null")            \
    X(DEFERRED, "deferred_constraints", db, table_create, BOOL, "checks deferred foreign keys at commit")    \
    X(NOT_NULL, "not_null", db, table_create, BOOL, "enforces not null")                                     \
    X(CHECKS, "checks", db, table_create, BOOL, "enforces check constraints")                                \
    X(STRICT_TYPES, "strict_types", db, table_create, BOOL, "refuses a value of another type than declared") \
    X(IDENTITY, "identity", db, table_create, BOOL, "draws key values itself")                               \
    X(DEFAULTS, "defaults", db, table_create, BOOL, "fills a column that a create leaves out")               \
    X(IDENTIFIERS_ANY, "identifiers_any", db, table_create, BOOL,                                            \
        "any UTF-8 name without NUL, exactly kept")                                                          \
    X(IDENTIFIER_BYTES, "identifier_bytes", db, table_create, LIMIT, "longest name, bytes")                  \
    /* database: operations */                                                                               \
    X(CRUD, "crud", db, exec, BOOL, "create, read, update, delete with filters, order, limit, offset")       \
    X(RETURNING, "returning", db, exec, BOOL, "create, update and delete give the rows as stored")           \
    X(UPSERT, "upsert", db, exec, BOOL, "create or update by key in one operation")                          \
    X(RAW_QUERY, "raw_query", db, exec, BOOL, "the backend's own query language, with bound parameters")     \
    X(ATOMIC_BATCH, "atomic_batch", db, exec, BOOL, "create-many is all or nothing")                         \
    X(BATCH_ROWS, "batch_rows", db, exec, LIMIT, "rows in one create-many")                                  \
    X(NULLS_ORDER, "nulls_order", db, exec, BOOL, "nulls first and nulls last can be asked for")             \
    X(PREPARED, "prepared", db, prepare, BOOL, "operations are prepared once and executed often")            \
    X(TXN, "transactions", db, begin, BOOL, "several operations commit or roll back together")               \
    X(SAVEPOINTS, "savepoints", db, savepoint, BOOL, "part of a transaction rolls back")                     \
    X(ISO_READ_COMMITTED, "read_committed", db, begin, BOOL, "no dirty reads")                               \
    X(ISO_REPEATABLE, "repeatable_read", db, begin, BOOL, "a transaction sees one state")                    \
    X(ISO_SERIALIZABLE, "serializable", db, begin, BOOL, "no lost update, no write skew")                    \
    X(READ_ONLY_TXN, "read_only_txn", db, begin, BOOL, "a read-only transaction refuses writes")             \
    X(CONCURRENT_SESSIONS, "concurrent_sessions", db, exec, BOOL,                                            \
        "a second session sees what the first committed")                                                    \
    X(INTERRUPT, "interrupt", db, exec, BOOL, "a running operation can be stopped from another thread")      \
    X(STATEMENT_TIMEOUT, "statement_timeout", db, exec, BOOL, "an operation ends after its time-out")        \
    /* database: values kept exactly */                                                                      \
    X(VAL_DECIMAL, "exact_decimal", db, exec, BOOL, "decimals of 38 digits, exactly")                        \
    X(VAL_DECIMAL_ORDER, "decimal_order", db, exec, BOOL, "decimals filter and order by number")             \
    X(VAL_F32, "float32", db, exec, BOOL, "single floats, told apart from doubles")                          \
    X(VAL_NAN, "nan", db, exec, BOOL, "NaN")                                                                 \
    X(VAL_INF, "infinity", db, exec, BOOL, "positive and negative infinity")                                 \
    X(VAL_NEGZERO, "negative_zero", db, exec, BOOL, "-0.0 told apart from 0.0")                              \
    X(VAL_NUL, "text_nul", db, exec, BOOL, "U+0000 inside text")                                             \
    X(VAL_BYTES, "bytes", db, exec, BOOL, "octets")                                                          \
    X(VAL_BYTES_ORDER, "bytes_order", db, exec, BOOL, "octets filter and order by value, bytewise")          \
    X(VAL_UUID, "uuid", db, exec, BOOL, "UUIDs")                                                             \
    X(VAL_BOOL, "bool", db, exec, BOOL, "booleans told apart from integers")                                 \
    X(VAL_INSTANT, "instant", db, exec, BOOL, "points in time")                                              \
    X(VAL_LOCAL, "local_timestamp", db, exec, BOOL,                                                          \
        "date and time without a zone, told apart from instants")                                            \
    X(VAL_DATE, "date", db, exec, BOOL, "dates")                                                             \
    X(VAL_TIME, "time", db, exec, BOOL, "times of day")                                                      \
    X(VAL_FRACTION, "fraction_digits", db, exec, LIMIT, "digits kept below the second")                      \
    X(VAL_JSON, "json", db, exec, BOOL, "JSON values")                                                       \
    X(VAL_JSON_EXACT, "json_exact", db, exec, BOOL, "numbers in JSON keep every digit")                      \
    X(VAL_JSON_NULL, "json_null", db, exec, BOOL, "the JSON value null told apart from null")                \
    X(VAL_ARRAY, "arrays", db, exec, BOOL, "arrays of scalars")                                              \
    X(VAL_VECTOR, "vectors", db, exec, BOOL, "arrays of float32")                                            \
    X(VAL_MISSING, "missing", db, exec, BOOL, "a missing field told apart from null")                        \
    X(VALUE_BYTES, "value_bytes", db, exec, LIMIT, "largest text or octet value, bytes")                     \
    /* database: bulk */                                                                                     \
    X(SNAPSHOT, "snapshot", db, snapshot_begin, BOOL, "several scans see one state")                         \
    X(SNAPSHOT_JOIN, "snapshot_join", db, snapshot_join, BOOL, "several sessions see one state")             \
    X(SPLIT, "scan_split", db, split, BOOL, "a table is read in parts that hold each row once")              \
    X(SCAN, "scan", db, scan, BOOL, "a full-speed pass over a table")                                        \
    X(LOAD, "bulk_load", db, load_open, BOOL, "rows at full speed, all or nothing")                          \
    X(SEQUENCE_SET, "sequence_set", db, sequence_set, BOOL, "the next value of a sequence can be set")       \
    X(ROLES, "roles", db, role_create, BOOL, "database users with privileges per table")                     \
    X(ROLE_PASSWORD, "role_password", db, role_change, BOOL, "a database user gets a new password")          \
    X(ROLE_LOCK, "role_lock", db, role_change, BOOL, "a database user is locked and unlocked")               \
    X(ROLE_EXPIRY, "role_expiry", db, role_change, BOOL, "a database user's password ends at an instant")    \
    X(TABLE_GRANTS, "table_grants", db, role_grant, BOOL, "a privilege on one table is none on another")     \
    X(COLUMN_GRANTS, "column_grants", db, role_grant, BOOL, "database users with privileges per column")     \
    X(ROLE_ACT, "act_as_role", db, role_act, BOOL, "a session acts as a role that its user is a member of")  \
    X(ROW_SECURITY, "row_security", db, row_security, BOOL,                                                  \
        "rows of others are hidden from a database user")                                                    \
    X(ACTORS, "actors", db, act_for, BOOL,                                                                   \
        "a session speaks for somebody who is signed in to the application, or for nobody")                  \
    X(ROW_RULES, "row_rules", db, row_rules, BOOL, "rows of others are hidden from who is signed in")        \
    X(ACTOR_TOKENS, "actor_tokens", db, actor_token, BOOL, "tokens say who is signed in, until they end")    \
    /* identity */                                                                                           \
    X(SIGN_UP, "sign_up", auth, sign_up, BOOL, "users register with e-mail and password")                    \
    X(SIGN_IN, "sign_in", auth, sign_in, BOOL, "password sign-in gives tokens")                              \
    X(REFRESH, "refresh", auth, refresh, BOOL, "a refresh token gives new tokens")                           \
    X(REFRESH_ROTATION, "refresh_rotation", auth, refresh, BOOL, "a used refresh token is refused")          \
    X(SIGN_OUT, "sign_out", auth, sign_out, BOOL, "the session's refresh token ends")                        \
    X(SIGN_OUT_ACCESS, "sign_out_access", auth, sign_out, BOOL, "the access token ends at sign-out too")     \
    X(USER_GET, "user_get", auth, user_get, BOOL, "a token gives its user")                                  \
    X(USER_UPDATE, "user_update", auth, user_update, BOOL, "password and profile can be changed")            \
    X(EMAIL_CHANGE, "email_change", auth, user_update, BOOL, "a new e-mail counts at once")                  \
    X(USER_DELETE, "user_delete", auth, user_delete, BOOL, "a user is deleted; the tokens end")              \
    X(PASSWORD_RESET, "password_reset", auth, reset_request, BOOL, "a code resets the password")             \
    X(CLAIMS, "claims", auth, claims_set, BOOL, "custom claims stand in the access token")                   \
    X(ADMIN, "admin_users", auth, admin_list, BOOL,                                                          \
        "users are created, listed, disabled by an administrator")                                           \
    X(DISABLE, "disable_user", auth, admin_disable, BOOL, "a disabled user is refused")                      \
    X(ENUMERATION_SAFE, "enumeration_safe", auth, sign_in, BOOL,                                             \
        "unknown user and wrong password look alike")                                                        \
    /* storage */                                                                                            \
    X(BUCKETS, "buckets", blob, bucket_create, BOOL, "buckets are created and removed")                      \
    X(PUT, "put", blob, put, BOOL, "objects are stored whole or not at all")                                 \
    X(GET, "get", blob, get, BOOL, "objects are read back")                                                  \
    X(RANGE, "range_read", blob, get, BOOL, "a byte range is read")                                          \
    X(HEAD, "head", blob, head, BOOL, "size, type, etag, metadata without the content")                      \
    X(LIST, "list", blob, list, BOOL, "keys under a prefix in byte order, in pages")                         \
    X(DELIMITER, "list_delimiter", blob, list, BOOL, "common prefixes up to a delimiter")                    \
    X(DELETE, "delete", blob, del, BOOL, "objects are removed; an absent one is no error")                   \
    X(COPY, "copy", blob, copy, BOOL, "server-side copy")                                                    \
    X(MOVE, "move", blob, move, BOOL, "server-side move")                                                    \
    X(METADATA, "metadata", blob, put, BOOL, "user metadata is kept")                                        \
    X(CONTENT_TYPE, "content_type", blob, put, BOOL, "the content type is kept")                             \
    X(IF_NONE_MATCH, "if_none_match", blob, put, BOOL, "put only where nothing is")                          \
    X(IF_MATCH, "if_match", blob, put, BOOL, "put only over the etag given")                                 \
    X(CHECKSUM, "checksum", blob, put, BOOL, "a put whose checksum does not fit is refused")                 \
    X(SIGNED_URL, "signed_url", blob, sign, BOOL, "a URL gives time-limited access for reading")             \
    X(SIGNED_PUT, "signed_put", blob, sign, BOOL, "a URL gives time-limited access for writing")             \
    X(MULTIPART, "multipart", blob, upload_begin, BOOL, "uploads in parts, resumable, with abort")           \
    X(PART_ORDER, "part_order", blob, upload_part, BOOL, "parts of an upload come in any order, and again")  \
    X(KEY_BYTES, "key_bytes", blob, put, LIMIT, "longest key, bytes")                                        \
    X(KEYS_ANY, "keys_any", blob, put, BOOL, "any UTF-8 key without NUL, exactly kept, never normalised")    \
    X(OBJECT_BYTES, "object_bytes", blob, put, LIMIT, "largest object, bytes")

enum sp_cap_id {
#define SP_X(id, name, facet, fn, kind, doc) SP_CAP_##id,
    SP_CAPS(SP_X)
#undef SP_X
        SP_CAP_N
};
enum sp_cap_kind { SP_CAP_KIND_BOOL, SP_CAP_KIND_LIMIT };
enum sp_facet { SP_FACET_db, SP_FACET_auth, SP_FACET_blob, SP_FACET_N };

struct sp_cap_info {
    const char *name, *function, *doc;
    enum sp_facet facet;
    enum sp_cap_kind kind;
};
extern const struct sp_cap_info sp_caps[SP_CAP_N];
int sp_cap_parse(const char *name, enum sp_cap_id *out); /* 0 or -SP_E_INVALID */
const char *sp_facet_name(enum sp_facet f);              /* database, auth, storage */

/* UNKNOWN = could not be asked; a case that needs it is skipped with that reason. Kind LIMIT: limit counts when YES. */
enum sp_cap_level { SP_CAP_NO, SP_CAP_YES, SP_CAP_UNKNOWN };
struct sp_cap {
    uint8_t level; /* enum sp_cap_level */
    int64_t limit; /* LIMIT only */
    const char
        *why; /* required wherever the effective level is below the declared one; constant or session-owned */
};

#endif
