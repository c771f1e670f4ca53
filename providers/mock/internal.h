/* internal.h -- what the files of the mock share.
 *
 * Threads: everything reachable from a store is guarded by its mutex; a call takes it once for its whole length, so
 * that operations of several sessions are simply one after another. What a session owns belongs to its thread,
 * except `interrupted`.
 *
 * Rows: each change makes a new version of the row. A version is visible to a transaction when its creation is in
 * the transaction's snapshot and its end is not. Stamps count commits. Nothing waits: who finds a row that another
 * open transaction is changing answers CONFLICT, and his transaction can only be rolled back. */
#ifndef SP_MOCK_INTERNAL_H
#define SP_MOCK_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "provider.h"

#define MOCK_VALUE_BYTES      (INT64_C(1) << 30)
#define MOCK_OBJECT_BYTES     (INT64_C(1) << 30)
#define MOCK_KEY_BYTES        1024
#define MOCK_IDENTIFIER_BYTES 255
#define MOCK_PARTS            10000u

struct mock_txn;

struct mock_version {
    uint64_t begin, end;              /* stamps of the commits that created and ended it; 0 = not yet */
    struct mock_txn *creator, *ender; /* set while that transaction is open */
    bool dead;                        /* its creation was rolled back */
    struct sp_value *values;          /* one per declared column */
    struct sp_field *extra;           /* undeclared fields, sorted by name */
    size_t nextra;
};

struct mock_entry {
    struct sp_d128 key;
    struct mock_version *v;
    struct mock_entry *next;
};
/* All versions by key; keys with a null are left out unless nulls are equal. */
struct mock_index {
    const char *name;
    size_t *cols;
    size_t ncols;
    bool unique, nulls_equal;
    struct mock_entry **buckets;
    size_t nbuckets, nentries;
};

struct mock_table;
struct mock_fk {
    struct mock_fk *next; /* of the child */
    const struct sp_fk *def;
    struct mock_table *child, *parent;
    size_t *cols, *ref_cols; /* in the order of the parent's index */
    size_t ncols;
    struct mock_index *child_index, *parent_index;
};
struct mock_check {
    struct mock_check *next;
    const char *name, *expr;
    struct sp_filter filter;
};
struct mock_counter { /* of an identity column */
    int64_t next, increment;
};

struct mock_table {
    struct mock_table *next;
    struct mock_store *store;
    char *ns;            /* "" = default */
    struct sp_table def; /* in arena; extras only once they are enforced */
    struct sp_arena arena;
    struct sp_value *defaults; /* per column; MISSING = none */
    struct mock_counter *counters;
    bool *required; /* per column: not null */
    struct mock_version **v;
    size_t nv, cap, ndead;
    struct mock_index **indexes;
    size_t nindexes, cap_indexes;
    struct mock_fk *fks;
    struct mock_check *checks;
    bool finished;
    uint64_t created;
    const char *row_owner;    /* the column that says whose a row is; NULL = rows have no owner */
    bool ruled;               /* rows are hidden from actors ... */
    const char *actor_column; /* ... but for those that belong to them by this column; NULL = none does */
};

enum mock_undo_kind { MOCK_CREATED, MOCK_ENDED };
struct mock_undo {
    enum mock_undo_kind kind;
    struct mock_table *t;
    struct mock_version *v, *replacement; /* ENDED by an update: the new version */
};
struct mock_read { /* what a serializable transaction looked at */
    struct mock_table *t;
    const struct sp_filter *where; /* NULL = all */
};
struct mock_savepoint {
    const char *name;
    size_t mark;
};
struct mock_txn {
    struct mock_txn *next; /* of the store's open ones */
    uint64_t snapshot;
    enum sp_isolation isolation;
    bool read_only, is_snapshot, is_load, doomed;
    const struct mock_table *pinned; /* by a scan or a bulk load: must not go away */
    struct mock_undo *undo;
    size_t nundo, cap_undo;
    struct sp_arena arena; /* reads, savepoints */
    struct mock_read *reads;
    size_t nreads, cap_reads;
    struct mock_savepoint *savepoints;
    size_t nsavepoints, cap_savepoints;
};

struct mock_change { /* a committed change that an open serializable transaction may have to know */
    uint64_t stamp;
    struct mock_table *t;
    struct mock_version *v;
};

struct mock_secret { /* PBKDF2 */
    uint8_t salt[16], hash[32];
};
struct mock_grant {
    struct mock_grant *next;
    struct mock_table *t;
    char *column; /* NULL = the whole table */
    unsigned privileges;
};
struct mock_member {
    struct mock_member *next;
    const struct mock_role *who;
};
struct mock_role {
    struct mock_role *next;
    char *name;
    struct mock_secret secret;
    struct mock_grant *grants;
    struct mock_member *members; /* may act as this role */
    bool locked, bypass, ends;
    struct sp_ts end; /* of the password, when it ends */
};
struct mock_ns {
    struct mock_ns *next;
    char *name;
};

struct mock_store {
    struct mock_store *next;
    char *name;
    pthread_mutex_t lock;
    uint8_t key[32]; /* signs tokens and URLs */
    uint64_t stamp;
    struct mock_ns *namespaces;
    struct mock_table *tables;
    struct mock_txn *open;
    struct mock_change *log;
    size_t nlog, cap_log;
    struct mock_role *roles;
    struct sp_buf scratch; /* key bytes */
    struct mock_users *users;
    struct mock_bucket *buckets;
    struct mock_upload *uploads;
};

struct mock_session {
    struct sp_session_base base;
    struct mock_store *store;
    char *ns;               /* "" = default */
    char *role, *signed_in; /* in force, and without role_act(); NULL = the owner of everything */
    bool acting;            /* for somebody of an application ... */
    char *actor;            /* ... with this id; NULL = nobody is signed in */
    bool whole;             /* rows are never hidden: it is refused where they could be */
    struct mock_txn *txn;
    int64_t token_seconds;
    int timeout_ms;
    int64_t deadline_ms; /* of the running operation; 0 = none */
    unsigned ticks;
    atomic_bool interrupted;
};

static inline struct mock_session *mock(struct sp_session *s)
{
    return (struct mock_session *)(void *)s;
}

int mock_fail(struct sp_error *err, enum sp_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* store.c */
int mock_store_get(const char *name, struct mock_store **out, struct sp_error *err);
void mock_enter(struct mock_session *s); /* takes the lock, starts the operation's clock */
void mock_leave(struct mock_session *s);
int mock_tick(struct mock_session *s, struct sp_error *err); /* once per row: CANCELLED, TIMEOUT */
int mock_owner_check(const struct mock_session *s, const char *what, struct sp_error *err);
/* The table by name, visible to the session's transaction, or NOT_FOUND. ns NULL = the one in use. */
int mock_table_find(
    struct mock_session *s, const char *ns, const char *name, struct mock_table **out, struct sp_error *err);
int mock_ns_create(struct sp_session *, const char *ns, struct sp_error *);
int mock_ns_use(struct sp_session *, const char *ns, struct sp_error *);
int mock_ns_drop(struct sp_session *, const char *ns, struct sp_error *);
int mock_ns_list(struct sp_session *, const char *prefix, struct sp_names *, struct sp_error *);
bool mock_ns_exists(const struct mock_store *st, const char *ns);

/* role.c */
int mock_secret_make(struct mock_secret *out, const char *password, struct sp_error *err);
bool mock_secret_fits(const struct mock_secret *s, const char *password);
struct mock_role *mock_role_find(const struct mock_store *st, const char *name);
int mock_role_open(struct mock_session *s, const char *name, const char *password, struct sp_error *err);
int mock_role_create(struct sp_session *, const char *role, const char *password, struct sp_error *);
int mock_role_drop(struct sp_session *, const char *role, struct sp_error *);
int mock_role_change(struct sp_session *, const char *role, const struct sp_role_change *, struct sp_error *);
int mock_role_join(struct sp_session *, const char *role, const char *member, struct sp_error *);
int mock_role_act(struct sp_session *, const char *role, struct sp_error *);

/* actor.c */
int mock_act_for(struct sp_session *, const struct sp_actor *, struct sp_error *);
int mock_actor_token(struct sp_session *, struct sp_arena *, const struct sp_actor *, int64_t from,
    int64_t until, const char **token, struct sp_error *);
int mock_row_rules(struct sp_session *, const char *table, const struct sp_row_rules *, struct sp_error *);

/* grant.c */
/* The role has the privilege on the table, or on each of the columns, of which there is at least one. */
int mock_role_allows(const struct mock_session *s, const struct mock_table *t, unsigned privilege,
    const char *const *columns, size_t n, struct sp_error *err);
/* What a filter reads; without one nothing is asked. */
int mock_filter_allowed(const struct mock_session *s, const struct mock_table *t, const struct sp_filter *f,
    struct sp_error *err);
int mock_op_allowed(
    const struct mock_session *s, const struct mock_table *t, const struct sp_op *op, struct sp_error *err);
bool mock_row_hidden(const struct mock_session *s, const struct mock_table *t, const struct mock_version *v);
/* PERMISSION when rows of the table could be hidden. */
int mock_rows_whole(const struct mock_session *s, const struct mock_table *t, struct sp_error *err);
int mock_row_owned(const struct mock_session *s, const struct mock_table *t, const struct mock_version *v,
    struct sp_error *err);
void mock_grants_free(struct mock_grant *g);
void mock_role_forget_table(struct mock_store *st, const struct mock_table *t);
int mock_role_grant(struct sp_session *, const struct sp_grant *, struct sp_error *);
int mock_role_revoke(struct sp_session *, const struct sp_grant *, struct sp_error *);
int mock_row_security(struct sp_session *, const char *table, const char *owner, struct sp_error *);

/* row.c: a version and all its values are one allocation */
struct mock_version *mock_version_new(
    const struct sp_value *values, size_t n, const struct sp_field *extra, size_t nextra);
const struct sp_value *mock_version_value(
    const struct mock_table *t, const struct mock_version *v, const char *column);
int mock_filter_check(const struct mock_table *t, const struct sp_filter *f, struct sp_error *err);
/* 1 selected, 0 not, negative error. */
int mock_filter_true(const struct mock_table *t, const struct mock_version *v, const struct sp_filter *f,
    struct sp_error *err);
/* Deep copy. With `values`, leaves take their values from there instead, in depth-first order (*values moves on). */
int mock_filter_copy(
    struct sp_arena *a, struct sp_filter *out, const struct sp_filter *in, const struct sp_value **values);
size_t mock_filter_values(const struct sp_filter *f); /* how many values the leaves hold */

/* index.c */
/* 0, 1 = the key holds a null and is not indexed, negative error. */
int mock_key(struct mock_store *st, const size_t *cols, size_t ncols, bool nulls_equal,
    const struct sp_value *values, struct sp_d128 *out);
struct mock_index *mock_index_new(
    struct mock_table *t, const char *name, const char *const *columns, size_t n, struct sp_error *err);
int mock_index_add(struct mock_table *t, struct mock_index *ix, struct mock_version *v);
int mock_index_reserve(struct mock_index *ix, size_t more);
struct mock_entry *mock_index_first(const struct mock_index *ix, struct sp_d128 key);
struct mock_entry *mock_entry_next(const struct mock_entry *e);
void mock_index_clear(struct mock_index *ix);
void mock_index_free(struct mock_index *ix);

/* table.c */
int mock_table_create(struct sp_session *, const struct sp_table *, bool with_extras, struct sp_error *);
int mock_table_finish(struct sp_session *, const struct sp_table *, struct sp_error *);
int mock_table_drop(struct sp_session *, const char *table, struct sp_error *);
void mock_table_free(struct mock_table *t); /* unlinks and frees */
void mock_table_compact(struct mock_table *t, uint64_t horizon);
int mock_introspect(struct sp_session *, const char *ns, struct sp_schema **, struct sp_error *);
/* Another open transaction stands in the way of changing the table: CONFLICT. */
int mock_table_free_check(const struct mock_session *s, const struct mock_table *t, struct sp_error *err);

/* constraints.c: literals, types, not null, checks, unique */
int mock_literal(struct sp_arena *a, const char *text, struct sp_value *out); /* 0, 1 = no literal, error */
int mock_default_make(struct mock_table *t, size_t column, struct sp_error *err);
int mock_check_parse(
    struct mock_table *t, const struct sp_check *def, struct mock_check *out, struct sp_error *err);
/* The value as the column stores it (memory of `a` or borrowed), or INVALID, RANGE, TOO_LARGE. */
int mock_conform(struct sp_arena *a, const struct sp_column *c, const struct sp_value *in,
    struct sp_value *out, struct sp_error *err);
int mock_row_check(const struct mock_table *t, const struct sp_value *values, struct sp_error *err);
int mock_checks_hold(const struct mock_table *t, const struct mock_check *c, const struct mock_version *v,
    struct sp_error *err);
/* Nobody but `self` has its key. */
int mock_unique_check(struct mock_txn *x, struct mock_table *t, const struct mock_index *ix,
    const struct mock_version *self, struct sp_error *err);

/* fk.c */
int mock_fk_add(struct mock_table *t, const struct sp_fk *def, struct sp_error *err);
int mock_fk_actions(struct mock_session *s, struct mock_txn *x, size_t mark, struct sp_error *err);
int mock_fk_check(
    struct mock_session *s, struct mock_txn *x, size_t mark, bool deferred, struct sp_error *err);
int mock_fk_check_all(struct mock_txn *x, const struct mock_fk *fk, struct sp_error *err);

/* txn.c */
enum mock_seen { MOCK_GONE, MOCK_LIVE, MOCK_BUSY };
/* In the newest state: BUSY = another open transaction is deciding about it. */
enum mock_seen mock_latest(const struct mock_version *v, const struct mock_txn *x);
bool mock_visible(const struct mock_version *v, const struct mock_txn *x);
int mock_conflict(struct mock_txn *x, struct sp_error *err, const char *what);
int mock_txn_create(struct mock_txn *x, struct mock_table *t, struct mock_version *v, struct sp_error *err);
/* `v` ends; `replacement` NULL = deleted. The caller creates the replacement afterwards. */
int mock_txn_end(struct mock_txn *x, struct mock_table *t, struct mock_version *v,
    struct mock_version *replacement, struct sp_error *err);
int mock_txn_note_read(
    struct mock_txn *x, struct mock_table *t, const struct sp_filter *where, struct sp_error *err);
void mock_txn_undo(struct mock_txn *x, size_t mark);
/* The transaction of one operation: the session's, or a fresh one in *own that mock_stmt_end() ends. */
int mock_stmt_begin(
    struct mock_session *s, struct mock_txn *own, struct mock_txn **out, bool writes, struct sp_error *err);
int mock_stmt_end(struct mock_session *s, struct mock_txn *own, struct mock_txn *x, size_t mark, int rc,
    struct sp_error *err);
/* Opens and links; commits or rolls back, unlinks and releases. */
int mock_txn_start(struct mock_session *s, enum sp_isolation isolation, bool read_only, struct sp_error *err);
void mock_txn_open(struct mock_store *st, struct mock_txn *x, enum sp_isolation isolation);
int mock_txn_commit(struct mock_session *s, struct mock_txn *x, struct sp_error *err);
void mock_txn_rollback(struct mock_store *st, struct mock_txn *x);
int mock_begin(struct sp_session *, const struct sp_txn_opts *, struct sp_error *);
int mock_commit(struct sp_session *, struct sp_error *);
int mock_rollback(struct sp_session *, struct sp_error *);
int mock_savepoint(struct sp_session *, const char *, struct sp_error *);
int mock_savepoint_rollback(struct sp_session *, const char *, struct sp_error *);
int mock_savepoint_release(struct sp_session *, const char *, struct sp_error *);
int mock_snapshot_begin(struct sp_session *, char id[64], struct sp_error *);
int mock_snapshot_end(struct sp_session *, struct sp_error *);
int mock_snapshot_share(struct sp_session *, char word[SP_SNAPSHOT_WORD], struct sp_error *);
int mock_snapshot_join(struct sp_session *, const char *word, struct sp_error *);
int mock_volume(
    struct sp_session *, const char *ns, const char *table, struct sp_volume *, struct sp_error *);
int mock_split(struct sp_session *, const char *ns, const char *table, size_t parts, struct sp_names *bounds,
    struct sp_error *);

/* query.c, write.c, prepared.c, bulk.c */
struct mock_rows {
    struct mock_version **v;
    size_t n, cap;
};
int mock_rows_add(struct mock_rows *rows, struct mock_version *v, struct sp_error *err);
int mock_select(struct mock_session *s, struct mock_txn *x, struct mock_table *t,
    const struct sp_filter *where, struct mock_rows *out, struct sp_error *err);
int mock_project(struct mock_table *t, const struct sp_query *q, struct mock_version *const *rows, size_t n,
    struct sp_result *r, struct sp_error *err);
int mock_read(struct mock_session *s, struct mock_txn *x, struct mock_table *t, const struct sp_query *q,
    struct sp_result *r, struct sp_error *err);
int mock_write(struct mock_session *s, struct mock_txn *x, struct mock_table *t, const struct sp_op *op,
    struct sp_result *r, struct sp_error *err);
/* A new version from named values; *out belongs to the transaction. */
int mock_insert(struct mock_txn *x, struct mock_table *t, const char *const *fields, size_t n,
    const struct sp_value *values, struct mock_version **out, struct sp_error *err);
int mock_replace(struct mock_txn *x, struct mock_table *t, struct mock_version *old,
    const char *const *fields, size_t n, const struct sp_value *values, struct mock_version **out,
    struct sp_error *err);
int mock_exec(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);
int mock_prepare(struct sp_session *, const struct sp_op *, struct sp_prepared **, struct sp_error *);
int mock_execute(
    struct sp_prepared *, const struct sp_value *, size_t n, struct sp_result *, struct sp_error *);
void mock_finalize(struct sp_prepared *);
int mock_scan(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
int mock_load_open(struct sp_session *, const char *table, const char *const *columns, size_t n,
    struct sp_load **, struct sp_error *);
int mock_load_row(struct sp_load *, const struct sp_value *, struct sp_error *);
int mock_load_extra(struct sp_load *, const char *name, const struct sp_value *, struct sp_error *);
int mock_load_close(struct sp_load *, bool commit, uint64_t *loaded, struct sp_error *);
int mock_sequence_set(struct sp_session *, const struct sp_sequence *, struct sp_error *);

/* token.c */
void mock_hex(char *out, const uint8_t *p, size_t n); /* 2n+1 bytes */
int mock_random_hex(char *out, size_t bytes, struct sp_error *err);
int mock_sha256_hex(char out[65], const void *p, size_t n, struct sp_error *err);
int mock_mac(const struct mock_store *st, const void *p, size_t n, char hex[65], struct sp_error *err);
bool mock_same_secret(const char *a, const char *b); /* in constant time for equal lengths */
int64_t mock_now(void);                              /* seconds since 1970 */

extern const struct sp_auth_ops mock_auth_ops;
extern const struct sp_blob_ops mock_blob_ops;

#endif
