/* internal.h -- what the files of the mongodb provider share. Nothing outside this folder includes it.
 *
 * A session is one client with one connection, used by one thread; only mo_interrupt() may be called from another one.
 * A namespace is a database. A table is a collection; its logical definition stands in the description of the schema in
 * the collection's validator, which enforces it (schema.c, catalog.c). */
#ifndef SP_MONGODB_INTERNAL_H
#define SP_MONGODB_INTERNAL_H

#include <mongoc/mongoc.h>
#include <stdatomic.h>

#include "base/str.h"
#include "providers/mongodb/bson_value.h"
#include "providers/mongodb/mongodb.h"

#define MO_DOCUMENT_BYTES (16 * 1024 * 1024)
#define MO_NAME_BYTES     120                  /* of a collection: database, dot and name are at most 255 */
#define MO_OWN            "switchproof_"       /* collections of our own begin so; a table must not */
#define MO_MARK           "switchproof_ns"     /* collection that makes a database a namespace of ours */
#define MO_PROBE          "switchproof_probe_" /* collections in which effective() tries the server */
#define MO_BLOB           "sp_blob_"           /* databases that are buckets of the storage facet */
#define MO_PK             "sp_pk"              /* unique index of a primary key that is not _id alone */
#define MO_UNIQUE         "sp_unique_" /* index of the n-th unique constraint without a name: sp_unique_1 */
#define MO_WORDS          "switchproof: " /* description of a schema that holds a definition of ours, as JSON */

/* What kind of server answered, asked when the session opens. */
struct mo_server {
    enum sp_fidelity fidelity;
    char version[96], engine[32], set[64];
    int wire;      /* maxWireVersion */
    bool sharded;  /* a router answered */
    bool sessions; /* logical sessions */
    int64_t max_document, max_message;
};

struct mo_table;

struct sp_session {
    struct sp_session_base base;
    mongoc_uri_t *uri;
    mongoc_client_t *client;
    mongoc_client_session_t *cs; /* of the open transaction or snapshot, else NULL */
    char where[160];             /* host:port/database, for messages */
    struct mo_server server;
    bool read_only;
    bool in_txn;           /* begun by begin() */
    enum sp_code txn_lost; /* not OK: only rollback is left */
    bool in_snapshot;
    char ns[64];         /* database of the current namespace, "" = default */
    char default_ns[64]; /* database of the URL */
    int connect_ms, statement_ms;
    int64_t started_ns, deadline_ns; /* of the running statement; 0 = no deadline */
    _Atomic bool interrupted;        /* asked for since the statement began */
    int bell;               /* an eventfd that mo_interrupt() rings: whoever waits for the server wakes up */
    char cut[80];           /* our address on the connection that was given up; "" = none was */
    bool uncertain;         /* if the connection is lost now, nobody knows what became of the statement */
    struct sp_arena lookup; /* of the table found last; until the next call */
};

/* ---- errors.c ---- */
/* `reply` may be NULL: the server's answer, whose code and labels say more than `e`. Returns the negative code. */
int mo_error(
    struct sp_session *s, const bson_error_t *e, const bson_t *reply, const char *what, struct sp_error *err);
/* What a cursor ended with: 0 = the end of its rows was confirmed. */
int mo_cursor_error(struct sp_session *s, mongoc_cursor_t *cursor, const char *what, struct sp_error *err);
/* What a write was refused for, from the first of the answer's writeErrors; 0 = none is there. */
int mo_write_error(struct sp_session *s, const bson_t *reply, const char *what, struct sp_error *err);
int mo_corrupt(const char *what, struct sp_error *err);

/* ---- run.c: commands ---- */
int64_t mo_now_ns(void);
void mo_begin_statement(struct sp_session *s); /* at the start of each call of the contract */
void mo_drain_bell(struct sp_session *s);
int mo_ready(struct sp_session *s, struct sp_error *err); /* the session can take a statement */
enum mo_use { MO_READ, MO_WRITE, MO_PLAIN /* no concern, no session: hello, createUser ... */ };
/* One command; reply (may be NULL) is initialised in any case and destroyed by the caller. Adds session, concerns and time
 * limit. A write sets `uncertain`. Errors inside a reply of ok 1 (writeErrors) are the caller's to see. */
int mo_command(struct sp_session *s, const char *db, const bson_t *cmd, enum mo_use use, const char *what,
    bson_t *reply, struct sp_error *err);
/* Appends what every operation with options carries: the session of an open transaction or snapshot, and the time left. */
int mo_opts(struct sp_session *s, bson_t *opts, bool time, struct sp_error *err);
const char *mo_db(
    const struct sp_session *s, const char *ns); /* the database that is meant; NULL = current */

/* ---- stream.c ---- */
mongoc_stream_t *mo_stream_connect(
    const mongoc_uri_t *uri, const mongoc_host_list_t *host, void *session, bson_error_t *error);

/* ---- stop.c ---- */
void mo_stop(struct sp_session *s); /* ends on the server what was given up here, if it goes on */

/* ---- open.c ---- */
int mo_process_init(struct sp_error *err);
int mo_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err);
void mo_close(struct sp_session *s);
int mo_ping(struct sp_session *s, struct sp_error *err);
void mo_interrupt(struct sp_session *s);

/* ---- facts.c ---- */
int mo_recognise(struct sp_session *s, struct sp_error *err); /* fills s->server */
int mo_effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err);

/* ---- probe.c ---- */
/* Tries what is still YES, and denies what the server does not keep. Not 0: nothing could be tried. */
int mo_probe(struct sp_session *s, struct sp_cap caps[SP_CAP_N]);
void mo_probe_name(char out[64]);      /* of something made for asking, with the time in it */
bool mo_probe_stale(const char *name); /* such a name, of something that was left behind */

/* ---- ns.c: namespaces are databases ---- */
int mo_ns_create(struct sp_session *, const char *ns, struct sp_error *);
int mo_ns_use(struct sp_session *, const char *ns, struct sp_error *);
int mo_ns_drop(struct sp_session *, const char *ns, struct sp_error *);
int mo_ns_list(struct sp_session *, const char *prefix, struct sp_names *out, struct sp_error *);
int mo_ns_exists(struct sp_session *, const char *ns, bool *found, struct sp_error *);
/* Databases whose name begins so. */
int mo_databases(struct sp_session *, const char *prefix, struct sp_names *out, struct sp_error *);

/* ---- schema.c: definitions of tables, and the schemas that enforce them ---- */
/* The whole $jsonSchema of a table, with its definition as description. */
int mo_schema_of(const struct sp_table *t, bson_t *schema, struct sp_error *err);
/* What the schema asks of one column. */
int mo_schema_column(const struct sp_table *t, const struct sp_column *c, bson_t *out, struct sp_error *err);
/* A definition back: columns, pk, uniques (as asked for; whether their indexes are there is not looked at), open_fields. */
/* ---- definition.c ---- */
int mo_definition_read(struct sp_arena *a, const char *json, struct sp_table *out, struct sp_error *err);
/* Aliases of the types that a value of this type other than null can have in BSON, for $type; NULL-terminated. */
const char *const *mo_bson_types(const struct sp_type *t);

/* ---- catalog.c ---- */
/* A collection as the provider works with it. Without a definition of ours: _id alone, dynamic, and open fields. */
struct mo_table {
    struct sp_table
        t; /* columns with not_null and type as the validator enforces them; indexes are not read */
    const char *db;
    bool defined;  /* the definition is ours: _id belongs to the address only, unless it is a column */
    bool enforced; /* the validator is as we made it; false: somebody changed it, or it only warns */
    bool view;
};
/* NOT_FOUND if there is no such collection. `ns` NULL = current namespace. Lives until the session's next call. */
int mo_table_find(struct sp_session *s, const char *ns, const char *name, const struct mo_table **out,
    struct sp_error *err);
/* From one document of listCollections. */
int mo_table_of(struct sp_arena *a, const bson_t *collection, struct mo_table *out, struct sp_error *err);
/* Does the $jsonSchema at `schema` require the field? Does a validator with these options refuse anything? */
bool mo_is_required(const bson_iter_t *schema, const char *name);
bool mo_is_active(const bson_iter_t *options);
/* NULL = undeclared. */
const struct sp_column *mo_table_column(const struct mo_table *t, const char *name);
/* Refuses names that are not declared, unless the table is open, and names that cannot be used in queries. */
int mo_column_check(const struct mo_table *t, const char *name, struct sp_error *err);
/* The name of the index of a unique constraint. */
const char *mo_unique_name(const struct sp_table *t, size_t i, char out[32]);

/* ---- ddl.c ---- */
int mo_table_create(struct sp_session *, const struct sp_table *, bool with_extras, struct sp_error *);
int mo_table_finish(struct sp_session *, const struct sp_table *, struct sp_error *);
int mo_table_drop(struct sp_session *, const char *table, struct sp_error *);
void mo_empty(struct sp_session *s, const char *db, const char *name); /* before a drop, where that helps */
int mo_writable(struct sp_session *s, struct sp_error *err);           /* PERMISSION in a read-only session */

/* ---- roles.c ---- */
bool mo_is_controlled(struct sp_session *s); /* did anybody have to sign in? */
int mo_role_create(struct sp_session *, const char *role, const char *password, struct sp_error *);
int mo_role_drop(struct sp_session *, const char *role, struct sp_error *);
int mo_role_change(struct sp_session *, const char *role, const struct sp_role_change *, struct sp_error *);
int mo_role_grant(struct sp_session *, const struct sp_grant *, struct sp_error *);
int mo_role_revoke(struct sp_session *, const struct sp_grant *, struct sp_error *);
const char *mo_users_db(const struct sp_session *s); /* where the users of the session's URL are looked for */
int mo_role_make(struct sp_session *s, const char *role, const char *password, struct sp_error *err);
/* On a collection that need not be there. */
int mo_privileges(
    struct sp_session *s, const char *db, const struct sp_grant *g, bool give, struct sp_error *err);

/* ---- roles_ask.c ---- */
/* What this server does with users, tried with one that is dropped again; only where the session may write. */
void mo_ask_roles(struct sp_session *s, struct sp_cap out[SP_CAP_N]);

/* ---- fit.c ---- */
/* Coerces what the column takes exactly. What does not fit is left as it is: the validator refuses it. */
int mo_fit(struct sp_arena *a, const struct sp_type *type, const struct sp_value *v, struct sp_value *out,
    struct sp_error *err);

/* ---- filter.c, pattern.c: a filter tree as a query document ---- */
/* NULL filter: all. `out` is initialised by the caller. */
int mo_filter(const struct mo_table *t, const struct sp_filter *f, bson_t *out, struct sp_error *err);
/* Does the filter name one row at most: an equality for each column of the key? */
bool mo_filter_one(const struct mo_table *t, const struct sp_filter *f);
/* A regular expression for like and contains. */
int mo_pattern_like(struct sp_buf *out, const char *p, size_t n);
int mo_pattern_contains(struct sp_buf *out, const char *p, size_t n);

/* ---- read.c ---- */
int mo_read(struct sp_session *s, const struct sp_query *q, struct sp_result *out, struct sp_error *err);
int mo_count(struct sp_session *s, const struct sp_query *q, int64_t *n, struct sp_error *err);
/* Documents of a cursor as rows; the columns of `select`, or all. The cursor is destroyed. */
int mo_rows(struct sp_session *s, const struct mo_table *t, const char *const *select, size_t nselect,
    mongoc_cursor_t *cursor, struct sp_result *out, struct sp_error *err);
/* Documents by _id, in the order of the ids (each {_id: ...}). */
int mo_rows_by_id(struct sp_session *s, const struct mo_table *t, const char *const *select, size_t nselect,
    bson_t *const *ids, size_t n, struct sp_result *out, struct sp_error *err);

/* ---- write.c, exec.c ---- */
int mo_create(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err);
int mo_upsert(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err);
int mo_update(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err);
int mo_delete(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err);
int mo_db_exec(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);

/* ---- txn.c ---- */
bool mo_has_txn(const struct sp_session *s); /* the server says that it has transactions */
int mo_begin(struct sp_session *, const struct sp_txn_opts *, struct sp_error *);
int mo_commit(struct sp_session *, struct sp_error *);
int mo_rollback(struct sp_session *, struct sp_error *);
int mo_snapshot_begin(struct sp_session *, char id[64], struct sp_error *);
int mo_snapshot_end(struct sp_session *, struct sp_error *);
/* All or nothing for several statements: in a transaction of its own, repeated when it lost against another, or within the
 * open one. Without transactions: simply called. */
int mo_atomically(struct sp_session *s, int (*body)(struct sp_session *, void *, struct sp_error *),
    void *payload, struct sp_error *err);

/* ---- gridfs.c ---- */
extern const struct sp_blob_ops mo_blob_ops;

/* ---- scan.c, load.c ---- */
int mo_volume(struct sp_session *, const char *ns, const char *table, struct sp_volume *, struct sp_error *);
int mo_scan(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
int mo_load_open(struct sp_session *, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **, struct sp_error *);
int mo_load_row(struct sp_load *, const struct sp_value *, struct sp_error *);
int mo_load_extra(struct sp_load *, const char *name, const struct sp_value *, struct sp_error *);
int mo_load_close(struct sp_load *, bool commit, uint64_t *loaded, struct sp_error *);

/* A statement that is atomic by itself. One that waits for another's transaction ends on a real server when its time is over
 * or it is killed; other programs let it wait on, and do it in the end: there it is a transaction, which never waits. */
int mo_alone(struct sp_session *s, int (*body)(struct sp_session *, void *, struct sp_error *), void *payload,
    struct sp_error *err);

/* ---- introspect.c, introspect_index.c, inventory.c ---- */
struct mo_collection { /* one document of listCollections */
    bson_t *doc;
    const uint8_t *options; /* in it; NULL = none */
    uint32_t noptions;
    const char *name;
    bool view, time_series;
};
struct mo_items { /* of the inventory, in the arena of the schema */
    struct sp_arena *a;
    struct sp_inventory_item *v;
    size_t n, cap;
};
int mo_introspect(struct sp_session *, const char *ns, struct sp_schema **out, struct sp_error *);
/* Uniques and indexes of t; its key counts only if an index enforces it. Appends the specifications, as createIndexes
 * takes them, to the definition. */
int mo_introspect_indexes(struct sp_session *s, struct sp_arena *a, const char *db, const struct mo_table *m,
    bool time_series, struct sp_table *t, bson_t *definition, struct sp_error *err);
const char *mo_json_text(
    struct sp_arena *a, const bson_t *doc); /* canonical extended JSON; NULL = no memory */
int mo_item_add(struct mo_items *l, const char *kind, const char *name, const char *table,
    const char *definition, struct sp_error *err); /* definition is not copied */
void mo_items_sort(struct mo_items *l);
int mo_inventory_users(struct sp_session *s, const char *db, struct mo_items *l, struct sp_error *err);

/* ---- validator.c: collections that others made ---- */
/* Adds the fields that the $jsonSchema of the options describes as columns. */
int mo_validator_columns(
    struct sp_arena *a, const bson_iter_t *options, struct sp_table *t, struct sp_error *err);
/* Does the validator ask for exactly what the table's columns say? */
int mo_validator_is_ours(const struct sp_table *t, const bson_t *options, bool *ours, struct sp_error *err);

/* ---- verbatim.c: collections in the words of another server ---- */
int mo_verbatim_text(struct sp_arena *a, const bson_t *definition, const char **out, struct sp_error *err);
bool mo_is_verbatim(const struct sp_table *t);
int mo_verbatim_create(struct sp_session *s, const struct sp_table *t, struct sp_error *err);
int mo_verbatim_indexes(struct sp_session *s, const struct sp_table *t, bool key, struct sp_error *err);

#endif
