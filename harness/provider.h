/* provider.h -- the contract that every backend kind is held to.
 *
 * A provider is one constant `struct sp_provider`, with designated initialisers at the end of its file. Absent
 * functions are NULL: the harness answers -SP_E_UNSUPPORTED for them through the sp_db_*, sp_auth_*, sp_blob_* calls
 * of provider_call.h, which is the only way suites reach a provider (decorators wrap the same struct).
 *
 * Threads: a session belongs to one thread of the process that opened it; `interrupt` is the only call allowed from
 * another one. Several sessions may be open at once. process_init runs once, before any thread.
 * Errors: negative -SP_E_... with the record filled: code, origin, effect, native code, redacted text. A call that
 * answers UNSUPPORTED has changed nothing.
 * Ownership: results are filled into structs that the caller initialised and frees; opaque handles are freed by their
 * closing call. Arguments are borrowed for the length of the call. */
#ifndef SP_PROVIDER_H
#define SP_PROVIDER_H

#include "base/buf.h"
#include "capability.h"
#include "model/query.h"
#include "model/schema.h"
#include "scan.h"

struct sp_session; /* each provider defines its own; the first member must be `struct sp_session_base base` */
struct sp_prepared;
struct sp_load;
struct sp_upload;

enum sp_access { SP_ACCESS_READ_ONLY, SP_ACCESS_TARGET, SP_ACCESS_DISPOSABLE };
const char *sp_access_name(enum sp_access a); /* read-only, target, disposable */

/* Told what a session makes for itself while it opens, so that it can be removed when the process is killed. */
struct sp_notes {
    const char *stem; /* names of such things begin so */
    /* Before a bucket exists (`made`), and when it is gone, or never came to exist. */
    int (*bucket)(struct sp_notes *, bool made, const char *name, struct sp_error *);
};

/* Where to connect: resolved, secrets already filled in. Borrowed for the life of the session. */
struct sp_endpoint {
    const char *name; /* provider name in the configuration */
    const char *url;  /* kind-specific, e.g. sqlite:path */
    enum sp_access access;
    const char *const *option_names; /* from the provider's option table */
    const char *const *option_values;
    size_t noptions;
    int connect_timeout_ms, statement_timeout_ms; /* 0 = the provider's default */
    const char *user, *password;                  /* override those in the URL; NULL = as in the URL */
    /* Others write there meanwhile: a snapshot must hold all the same, and each new one shows what is there by then. A
     * backend whose sessions do so anyway needs not look at it. */
    bool live;
    struct sp_notes *notes; /* NULL = nobody wants to know */
};
const char *sp_endpoint_option(const struct sp_endpoint *e, const char *name, const char *fallback);

/* An option of a provider: one row serves configuration file, help and redaction. */
struct sp_provider_option {
    const char *name, *type /* text, bool, int, duration, path */, *fallback, *doc;
    bool sensitive;
};
/* Rows of that table which every kind of server has. */
#define SP_STACK_OPTIONS                                                                                     \
    { "stack", "path", NULL,                                                                                 \
        "the command that stops and starts this server (as `COMMAND stop|start|restart|kill NAME`): with "   \
        "it the "                                                                                            \
        "cases that disturb servers run, without it never",                                                  \
        false },                                                                                             \
    {                                                                                                        \
        "stack_server", "text", NULL, "NAME in that call; default: the provider's kind", false               \
    }

/* What kind of server answered. Found out, not declared. */
enum sp_fidelity { SP_FID_UNKNOWN, SP_FID_REAL, SP_FID_OFFICIAL_EMULATOR, SP_FID_COMPATIBLE, SP_FID_MOCK };
const char *sp_fidelity_name(
    enum sp_fidelity f); /* unknown, real, official emulator, compatible server, mock */
struct sp_facts {
    enum sp_fidelity fidelity;
    char server_version[96]; /* as the server says it: "SQLite 3.40.1" */
    char notes[256];         /* settings that matter: "journal wal, encoding UTF-16le" */
    /* The same text for two sessions exactly when they see the same data, whatever their URLs say; "" = not known. */
    char place[160];
};

struct sp_session_base {
    const struct sp_provider *provider;
    const struct sp_endpoint *endpoint;
};

/* ---- database facet ---------------------------------------------------------------------------------------- */

enum sp_op_kind {
    SP_OP_CREATE,
    SP_OP_UPSERT,
    SP_OP_READ,
    SP_OP_COUNT,
    SP_OP_UPDATE,
    SP_OP_DELETE,
    SP_OP_RAW
};

/* One operation of the unified database interface. Values are bound, never pasted. */
struct sp_op {
    enum sp_op_kind kind;
    /* READ, COUNT, UPDATE, DELETE: query.table and query.where; READ: all of it. CREATE, UPSERT: query.table.
     * COUNT, UPDATE and DELETE act on every row that the filter selects (NULL filter: all); order, offset and a
     * limit above 0 are refused (a limit of 0, as in a literal that leaves it out, counts as not given there). */
    struct sp_query query;
    /* CREATE, UPSERT: `nrows` rows of `nfields` values, row-major; UPDATE: one row of assignments. A field that a
     * create leaves out takes its default. Value MISSING = leave out in this row: a create takes the default, an
     * update or the update half of an upsert keeps what is there. In a table with open_fields a declared column
     * without default stays missing, elsewhere it becomes null. At least one row. */
    const char *const *fields;
    size_t nfields;
    const struct sp_value *values;
    size_t nrows;
    /* UPSERT: the key columns, all among the fields, and unique together; a row that has the same key is updated. */
    const char *const *key;
    size_t nkey;
    /* RAW: text in the backend's own language with $1 .. $n for the parameters in `values` (nfields = n). */
    const char *raw;
    bool
        returning; /* CREATE, UPSERT, UPDATE, DELETE: give the rows as stored (DELETE: as they were); the columns of
                     * query.select, or all */
};

/* Rows of a result. Column names and values live in `arena`. A missing field has tag MISSING. */
struct sp_result {
    struct sp_arena arena;
    const char **columns;
    size_t ncolumns;
    struct sp_value *values; /* nrows * ncolumns, row-major */
    size_t nrows, row_cap;
    int64_t
        affected; /* rows that the operation itself created, updated, deleted (not those of cascades); COUNT: the
                       * count; READ: nothing; -1 = the backend doesn't say */
    size_t most_rows,
        most_bytes; /* the caller's bounds, in memory; an answer beyond is TOO_LARGE. 0 = none */
};
#define SP_RESULT_INIT                                                                                       \
    {                                                                                                        \
        SP_ARENA_INIT, NULL, 0, NULL, 0, 0, 0, 0, 0                                                          \
    }
void sp_result_free(struct sp_result *r);
void sp_result_reset(struct sp_result *r); /* ready for the next call; bounds stay */
/* For providers: columns first (copied), then rows of ncolumns values (deep-copied). */
int sp_result_columns(struct sp_result *r, const char *const *names, size_t n);
int sp_result_add(struct sp_result *r, const struct sp_value *row, struct sp_error *err);
const struct sp_value *sp_result_at(
    const struct sp_result *r, size_t row, const char *column); /* NULL if absent */

enum sp_isolation { SP_ISO_DEFAULT, SP_ISO_READ_COMMITTED, SP_ISO_REPEATABLE, SP_ISO_SERIALIZABLE };
struct sp_txn_opts {
    enum sp_isolation isolation;
    bool read_only;
};

struct sp_names { /* a list of names in an arena of its own */
    struct sp_arena arena;
    const char **v;
    size_t n, cap;
};
void sp_names_free(struct sp_names *l);
int sp_names_add(struct sp_names *l, const char *name);

#define SP_SNAPSHOT_WORD 128

/* How reading weighs on a server, and how far behind the server is itself. */
#define SP_LAG_NONE    (-1) /* it follows no other server */
#define SP_LAG_UNKNOWN (-2) /* it follows one, and cannot say how far behind it is */
struct sp_burden {
    int64_t lag_ms;   /* what it shows is so far behind the server that it follows; or SP_LAG_... */
    uint64_t blocked; /* sessions that wait for a lock which one of the readers holds */
};

/* What a backend knows of a table without reading it; -1 = it does not say. */
struct sp_volume {
    int64_t disk_bytes;                        /* with its indexes */
    int64_t inserted, updated, deleted, age_s; /* rows, within the last so many seconds */
    /* About so many: statistics, or the ends of its numbers. Good for progress, and for nothing else. */
    int64_t rows;
};
#define SP_VOLUME_UNKNOWN ((struct sp_volume){ -1, -1, -1, -1, -1, -1 })

enum sp_privilege { SP_PRIV_SELECT = 1, SP_PRIV_INSERT = 2, SP_PRIV_UPDATE = 4, SP_PRIV_DELETE = 8 };
struct sp_grant {
    const char *role, *table;
    const char *const *columns; /* cap column_grants; NULL = the whole table. A delete is of whole rows. */
    size_t ncolumns;
    unsigned privileges; /* of enum sp_privilege, at least one */
};
enum sp_change { SP_KEEP, SP_OFF, SP_ON };
struct sp_role_change {   /* all zero = nothing changes */
    const char *password; /* cap role_password: this one instead of the old one; its end stays */
    const struct sp_ts *password_until; /* cap role_expiry: from then on the password is refused */
    enum sp_change sign_in;             /* cap role_lock: off = locked; its password and privileges stay */
    enum sp_change bypass;              /* cap row_security: on = sees all rows; off for a new role */
};

/* Whom a session speaks for where rows belong to the people of an application, who are no database users. */
struct sp_actor {
    /* Database role whose privileges count; NULL = the backend's own for those who are signed in, or for the anonymous. */
    const char *role;
    const char *user;   /* id of who is signed in; NULL = nobody is */
    const char *claims; /* what else a token of theirs says: a JSON object; NULL = nothing */
    const char
        *token; /* instead of all that: a token as an application would send it, for the backend to judge */
};
struct sp_row_rules {
    const char *owner; /* text column with the id of the user whose row it is; NULL = no row is anybody's */
};

struct sp_db_ops {
    /* Logical schema of the namespace (NULL = the backend's default namespace, everything a user would call theirs;
     * what ns_use chose does not matter). An unknown namespace: NOT_FOUND. */
    int (*introspect)(struct sp_session *, const char *ns, struct sp_schema **out, struct sp_error *);
    /* Namespaces: names [a-z0-9_]{1,40}. create: EXISTS. use of an absent one: NOT_FOUND. use: unqualified table names of later calls mean this namespace; NULL = back
     * to the default. drop: everything in it, nothing else; absent is no error. list: those starting with prefix. */
    int (*ns_create)(struct sp_session *, const char *ns, struct sp_error *);
    int (*ns_use)(struct sp_session *, const char *ns, struct sp_error *);
    int (*ns_drop)(struct sp_session *, const char *ns, struct sp_error *);
    int (*ns_list)(struct sp_session *, const char *prefix, struct sp_names *out, struct sp_error *);
    /* Creates the table with all that its struct says; what the backend cannot enforce is left out silently only if
     * the capability for it is not declared. with_extras false: columns, not null, defaults and primary key only (bulk copies
     * add the rest afterwards through table_finish). */
    int (*table_create)(struct sp_session *, const struct sp_table *, bool with_extras, struct sp_error *);
    int (*table_finish)(
        struct sp_session *, const struct sp_table *, struct sp_error *);         /* uniques, indexes, fks */
    int (*table_drop)(struct sp_session *, const char *table, struct sp_error *); /* absent: NOT_FOUND */
    int (*exec)(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);
    /* prepare keeps the operation's shape; execute takes the values in the order in which the operation holds them:
     * row values first, then filter leaves depth first, IN lists in order. */
    int (*prepare)(struct sp_session *, const struct sp_op *, struct sp_prepared **, struct sp_error *);
    int (*execute)(
        struct sp_prepared *, const struct sp_value *, size_t n, struct sp_result *, struct sp_error *);
    void (*finalize)(struct sp_prepared *); /* NULL is fine */
    /* A refused operation is undone alone; the transaction goes on where the backend can do that. CONFLICT (retryable)
     * may come from any operation or from the commit; then only rollback is left, and a failed commit has rolled back.
     * Schema changes inside a transaction are not promised. begin inside one, commit and rollback outside: INVALID. */
    int (*begin)(struct sp_session *, const struct sp_txn_opts *, struct sp_error *);
    int (*commit)(struct sp_session *, struct sp_error *);
    int (*rollback)(struct sp_session *, struct sp_error *);
    /* rollback undoes what came behind the savepoint and keeps it; release forgets it and keeps the changes. */
    int (*savepoint)(struct sp_session *, const char *name, struct sp_error *);
    int (*savepoint_rollback)(struct sp_session *, const char *name, struct sp_error *);
    int (*savepoint_release)(struct sp_session *, const char *name, struct sp_error *);
    /* Until snapshot_end all scans and introspections of this session see one state. `id` (may be NULL) receives
     * what identifies the state for evidence: data version, LSN, change counter. Two states of one place whose ids are the
     * same up to a "@" hold the same rows. "" = not known. */
    int (*snapshot_begin)(struct sp_session *, char id[64], struct sp_error *);
    int (*snapshot_end)(struct sp_session *, struct sp_error *);
    /* Several readers of one state: share gives a word for the session's open snapshot; until it ends, other sessions of
     * the same place open theirs with it. join is a snapshot_begin in exactly that state, or an error: NOT_FOUND when the
     * word means no open snapshot (any more), CONFLICT when that state cannot be had again. */
    int (*snapshot_share)(struct sp_session *, char word[SP_SNAPSHOT_WORD], struct sp_error *);
    int (*snapshot_join)(struct sp_session *, const char *word, struct sp_error *);
    /* Asked of a session beside those that read: `readers` are sessions of the same place, busy in other threads, of which
     * only what never changes may be looked at. */
    int (*burden)(struct sp_session *, struct sp_session *const *readers, size_t nreaders, struct sp_burden *,
        struct sp_error *);
    /* May be absent: nothing is known then. */
    int (*volume)(
        struct sp_session *, const char *ns, const char *table, struct sp_volume *, struct sp_error *);
    /* Cuts a table into at most `parts` ranges for scans of one state: n bounds make n + 1 half-open ranges, from
     * before b[0] to behind b[n-1], which hold every row exactly once. Their text is the provider's own. No bound: the table
     * is not cut. */
    int (*split)(struct sp_session *, const char *ns, const char *table, size_t parts,
        struct sp_names *bounds, struct sp_error *);
    int (*scan)(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
    /* Bulk load into an existing table: rows of ncolumns values. close with commit=false leaves the table as it was;
     * *loaded is the number of rows that the backend confirmed. */
    int (*load_open)(struct sp_session *, const char *table, const char *const *columns, size_t ncolumns,
        struct sp_load **, struct sp_error *);
    int (*load_row)(struct sp_load *, const struct sp_value *, struct sp_error *);
    /* An undeclared field of the row that the next load_row completes; into tables with open_fields only. */
    int (*load_extra)(struct sp_load *, const char *name, const struct sp_value *, struct sp_error *);
    int (*load_close)(struct sp_load *, bool commit, uint64_t *loaded, struct sp_error *);
    int (*sequence_set)(struct sp_session *, const struct sp_sequence *, struct sp_error *);
    /* Database credentials. A role is a database user with a password; roles have no namespace: their names start
     * with the run's id. It signs in by an endpoint with its name and password. A sign-in that is refused (wrong, empty
     * or no password, locked, password past its end, dropped, never made) is AUTHENTICATION; the refusals of an
     * unknown role and of a wrong password look alike. No password stands in any error, whichever call fails.
     * A new role may do nothing with tables. An operation needs the privilege on the table (without cap table_grants
     * one on any table of the namespace may do), or on each column that it
     * names; reading all columns needs all of them. An upsert needs select, insert and update; other writes may
     * need select on what a filter or `returning` reads. Scans need select, bulk loads insert. Without it: PERMISSION,
     * and nothing changes; never an empty or shorter answer. What is changed here counts from the next operation of
     * every session on, but for locks, passwords and bypass: from the next sign-in on. Absent role or table: NOT_FOUND. */
    int (*role_create)(struct sp_session *, const char *role, const char *password, struct sp_error *);
    int (*role_drop)(struct sp_session *, const char *role, struct sp_error *);
    int (*role_change)(
        struct sp_session *, const char *role, const struct sp_role_change *, struct sp_error *);
    /* Revoking what was not granted is no error. On the table it revokes what was granted on columns, too; not the
     * other way round. */
    int (*role_grant)(struct sp_session *, const struct sp_grant *, struct sp_error *);
    int (*role_revoke)(struct sp_session *, const struct sp_grant *, struct sp_error *);
    /* Makes `member` a member of `role`: it may act as it, and gets nothing else by that. */
    int (*role_join)(struct sp_session *, const char *role, const char *member, struct sp_error *);
    /* From now on the session has the privileges and rows of `role`, and no longer its own; NULL = back to its own.
     * Not a member: PERMISSION. Inside a transaction: INVALID. */
    int (*role_act)(struct sp_session *, const char *role, struct sp_error *);
    /* From now on a row of the table belongs to the role whose name stands in the text column `owner`; NULL = no
     * longer. Other roles don't see, count, change or delete it, and nobody writes a row that would belong to another
     * one: PERMISSION. The table's owner and roles that bypass see all. Rows are hidden in sessions of access
     * `disposable` only: in others, and always for scans and bulk loads, where rows could be hidden it is
     * PERMISSION, never fewer rows. */
    int (*row_security)(struct sp_session *, const char *table, const char *owner, struct sp_error *);
    /* From now on operations on rows are the actor's, with the privileges and rows of theirs; NULL = the session's own again.
     * What rules hide is hidden then whatever the session's access is; scans and bulk loads are refused where rows could be
     * hidden. Anything else is not promised meanwhile. A role that is none, or none of this session's: NOT_FOUND or
     * PERMISSION; a token that is not good: AUTHENTICATION; either here (the session is its own again then) or with each
     * operation. Inside a transaction: INVALID, and nothing changes. */
    int (*act_for)(struct sp_session *, const struct sp_actor *, struct sp_error *);
    /* A token for the actor as the backend's own service would give it, good from `from` until `until` (seconds since 1970).
     * Clocks that are up to half a minute apart do no harm. */
    int (*actor_token)(struct sp_session *, struct sp_arena *, const struct sp_actor *, int64_t from,
        int64_t until, const char **token, struct sp_error *);
    /* From now on actors see, count, change and delete the rows that belong to them, and nobody writes a row that would
     * belong to another one: PERMISSION. The table's owner and roles that bypass see all. NULL = all rows are everybody's. What
     * an actor needs besides are privileges: granted to the role that was named, or with this call to the backend's own. */
    int (*row_rules)(struct sp_session *, const char *table, const struct sp_row_rules *, struct sp_error *);
    /* 0: in this session, this text of a raw query can do nothing but read; else an error that says why not. Only what this
     * lets pass is run for whoever may not write. NULL: nobody can tell, so none does. */
    int (*raw_reads)(struct sp_session *, const char *raw, struct sp_error *);
};

/* ---- identity facet ---------------------------------------------------------------------------------------- */

struct sp_user { /* in the caller's arena */
    const char *id, *email, *name;
    const char *claims; /* JSON object text, "{}" when none */
    /* What else the user says of itself, as JSON object text; NULL or "{}" = nothing. */
    const char *profile;
    bool disabled, email_verified;
};
struct sp_tokens { /* in the caller's arena */
    const char *access, *refresh;
    int64_t expires_in_s; /* 0 = not said */
};
struct sp_user_change {
    const char *email, *password, *name;
}; /* NULL = keep */

struct sp_auth_ops {
    /* EXISTS for a taken e-mail (compared case-insensitively), INVALID for a malformed e-mail or a password below the
     * backend's minimum. Outputs may be NULL. */
    int (*sign_up)(struct sp_session *, struct sp_arena *, const char *email, const char *password,
        const char *name, struct sp_user *, struct sp_tokens *, struct sp_error *);
    int (*sign_in)(struct sp_session *, struct sp_arena *, const char *email, const char *password,
        struct sp_user *, struct sp_tokens *, struct sp_error *);
    int (*refresh)(
        struct sp_session *, struct sp_arena *, const char *refresh, struct sp_tokens *, struct sp_error *);
    int (*sign_out)(struct sp_session *, const char *access, struct sp_error *);
    /* user_*: AUTHENTICATION for a token that is wrong, expired or revoked; a disabled user: PERMISSION (or
     * AUTHENTICATION). A new password ends the user's other sign-ins. */
    int (*user_get)(
        struct sp_session *, struct sp_arena *, const char *access, struct sp_user *, struct sp_error *);
    int (*user_update)(struct sp_session *, struct sp_arena *, const char *access,
        const struct sp_user_change *, struct sp_user *, struct sp_error *);
    int (*user_delete)(struct sp_session *, const char *access, struct sp_error *);
    /* The code reaches the user by mail; a test backend gives it back in `code` (size 128), "" if it cannot. An
     * unknown e-mail is answered like a known one, with an empty code. */
    int (*reset_request)(struct sp_session *, const char *email, char code[128], struct sp_error *);
    int (*reset_confirm)(
        struct sp_session *, const char *email, const char *code, const char *password, struct sp_error *);
    /* Administrator calls, with the session's own credentials. */
    int (*claims_set)(struct sp_session *, const char *user_id, const char *json_object, struct sp_error *);
    int (*claims_of)(struct sp_session *, struct sp_arena *, const char *access, const char **json_object,
        struct sp_error *); /* the custom claims of an access token, verified: an object, "{}" when none */
    int (*admin_create)(struct sp_session *, struct sp_arena *, const char *email, const char *password,
        struct sp_user *, struct sp_error *);
    int (*admin_get)(
        struct sp_session *, struct sp_arena *, const char *user_id, struct sp_user *, struct sp_error *);
    /* Pages: *cursor NULL = first page in, NULL = last page out. Users by id, bytewise. */
    int (*admin_list)(struct sp_session *, struct sp_arena *, const char **cursor, size_t limit,
        struct sp_user **, size_t *n, struct sp_error *);
    int (*admin_disable)(struct sp_session *, const char *user_id, bool disabled, struct sp_error *);
    int (*admin_delete)(struct sp_session *, const char *user_id, struct sp_error *); /* absent: NOT_FOUND */
    /* No promise of the backend: tidies up a user that a run made, by whatever way there is where the backend has no
     * administration. Nobody there: fine. UNSUPPORTED (or NULL): there is no other way. */
    int (*user_remove)(struct sp_session *, const char *email, struct sp_error *);
};

/* ---- storage facet ----------------------------------------------------------------------------------------- */

struct sp_meta {
    const char *name, *value;
};
struct sp_put_opts {
    const char *content_type; /* NULL = application/octet-stream */
    const struct sp_meta *meta;
    size_t nmeta;
    bool if_none_match;     /* PRECONDITION if the key exists */
    const char *if_match;   /* etag; PRECONDITION if it differs or the key is absent */
    const char *sha256_hex; /* CORRUPT if the content does not fit; nothing is stored */
};
struct sp_object { /* in the caller's arena */
    const char *key;
    uint64_t size;
    const char *content_type, *etag;
    const struct sp_meta *meta; /* sorted by name */
    size_t nmeta;
    struct sp_ts modified;
    bool is_prefix; /* a common prefix of a delimited listing; only `key` counts */
};
/* Streams. A source gives up to n bytes, 0 at the end, negative to abort; a sink takes all or returns non-zero. */
typedef int64_t (*sp_source_fn)(void *payload, void *p, size_t n);
typedef int (*sp_sink_fn)(void *payload, const void *p, size_t n);

#define SP_TO_END UINT64_MAX

struct sp_blob_ops {
    int (*bucket_create)(struct sp_session *, const char *bucket, struct sp_error *); /* EXISTS */
    int (*bucket_drop)(
        struct sp_session *, const char *bucket, struct sp_error *); /* with all objects; NOT_FOUND */
    int (*bucket_list)(struct sp_session *, const char *prefix, struct sp_names *, struct sp_error *);
    /* Readers see the old object or the new one, never a part. Replaces. `out` may be NULL. */
    int (*put)(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, sp_source_fn,
        void *payload, const struct sp_put_opts *, struct sp_object *out, struct sp_error *);
    /* Bytes offset .. offset+length-1, clipped at the end of the object (SP_TO_END = all that is left). offset == size
     * or beyond with size > 0: RANGE. The empty object read from 0 gives nothing. */
    int (*get)(struct sp_session *, struct sp_arena *, const char *bucket, const char *key, uint64_t offset,
        uint64_t length, sp_sink_fn, void *payload, struct sp_object *out, struct sp_error *);
    int (*head)(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
        struct sp_object *, struct sp_error *);
    /* Keys that start with prefix, bytewise ascending, at most limit entries. *cursor as in admin_list. */
    int (*list)(struct sp_session *, struct sp_arena *, const char *bucket, const char *prefix,
        const char *delimiter, const char **cursor, size_t limit, struct sp_object **, size_t *n,
        struct sp_error *);
    int (*del)(struct sp_session *, const char *bucket, const char *key,
        struct sp_error *); /* absent key: no error */
    int (*copy)(struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
    int (*move)(struct sp_session *, const char *bucket, const char *from, const char *to, struct sp_error *);
    /* A URL for method "GET" or "PUT", valid for seconds; fetch uses one without other credentials:
     * AUTHENTICATION if tampered or expired. `now_offset_s` shifts the clock that checks the expiry (tests). */
    int (*sign)(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
        const char *method, int64_t seconds, const char **url, struct sp_error *);
    int (*fetch_signed)(struct sp_session *, const char *url, const char *method, int64_t now_offset_s,
        sp_source_fn, void *source, sp_sink_fn, void *sink, struct sp_error *);
    /* Parts are numbered from 1, may come in any order and again (the last one counts). Nothing is visible before
     * complete; complete with a gap is INVALID. uploads can be found again by id after the session ended. */
    int (*upload_begin)(struct sp_session *, struct sp_arena *, const char *bucket, const char *key,
        const struct sp_put_opts *, const char **id, struct sp_error *);
    int (*upload_part)(
        struct sp_session *, const char *id, unsigned part, const void *p, size_t n, struct sp_error *);
    int (*upload_complete)(
        struct sp_session *, struct sp_arena *, const char *id, struct sp_object *, struct sp_error *);
    int (*upload_abort)(struct sp_session *, const char *id, struct sp_error *); /* unknown id: NOT_FOUND */
};

/* ---- the provider ------------------------------------------------------------------------------------------ */

struct sp_provider {
    const char *kind;                         /* sqlite */
    const char *scheme;                       /* URL scheme without colon; usually the kind */
    const char *summary;                      /* one line */
    const char *(*library)(void);             /* "SQLite 3.40.1": the client library linked in */
    const struct sp_provider_option *options; /* ends with a NULL name; may be NULL */
    const struct sp_cap *declared;            /* SP_CAP_N entries */
    const struct sp_loss *losses;             /* ends with what == NULL */
    int (*process_init)(struct sp_error *);   /* may be NULL */
    int (*open)(struct sp_session **, const struct sp_endpoint *, struct sp_error *);
    /* Asks this server with these credentials. out starts as a copy of declared. */
    int (*effective)(struct sp_session *, struct sp_cap out[SP_CAP_N], struct sp_facts *, struct sp_error *);
    int (*ping)(
        struct sp_session *, struct sp_error *); /* a round trip; UNAVAILABLE when the connection is gone */
    void (*interrupt)(struct sp_session *);      /* any thread; may be NULL */
    void (*close)(struct sp_session *);          /* NULL is fine; rolls back what is open */
    const struct sp_db_ops *db;
    const struct sp_auth_ops *auth;
    const struct sp_blob_ops *blob;
    const char *alias; /* another scheme that means the same; may be NULL */
    /* Kind in whose language the backend defines its objects, and by whose rules it compares; NULL = its own. */
    const char *language;
};

static inline const struct sp_provider *sp_session_provider(const struct sp_session *s)
{
    return ((const struct sp_session_base *)(const void *)s)->provider;
}
static inline const struct sp_endpoint *sp_session_endpoint(const struct sp_session *s)
{
    return ((const struct sp_session_base *)(const void *)s)->endpoint;
}

/* Definitions of one can be compared with those of the other, word for word. */
bool sp_provider_same_language(const struct sp_provider *a, const struct sp_provider *b);

/* The registry (harness/registry.c), NULL-terminated. */
extern const struct sp_provider *const sp_providers[];
/* Kinds that this build knows of but left out, NULL-terminated: "mongodb". */
extern const char *const sp_providers_left_out[];

#endif
