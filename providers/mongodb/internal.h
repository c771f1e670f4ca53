/* internal.h -- what the files of the mongodb provider share. Nothing outside this folder includes it.
 *
 * A session is one client with one connection, used by one thread; only mo_interrupt() may be called from another one.
 * A namespace is a database. A table is a collection; its logical definition stands in the collection's validator, or,
 * on a server without validators, in the collection MO_DEFINITIONS of the same database (catalog.c). */
#ifndef SP_MONGODB_INTERNAL_H
#define SP_MONGODB_INTERNAL_H

#include <mongoc/mongoc.h>
#include <stdatomic.h>

#include "base/str.h"
#include "providers/mongodb/mongodb.h"

#define MO_DOCUMENT_BYTES (16 * 1024 * 1024)
#define MO_NAME_BYTES     120                  /* of a collection: database, dot and name are at most 255 */
#define MO_OWN            "switchproof_"       /* our own collections begin so; a table must not */
#define MO_MARK           "switchproof_ns"     /* collection that makes a database a namespace of ours */
#define MO_DEFINITIONS    "switchproof_tables" /* logical definitions, where there are no validators */
#define MO_BLOB           "sp_blob_"           /* collections of the storage facet */
#define MO_PK             "sp_pk"              /* unique index of a primary key that is not _id */
#define MO_UNIQUE         "sp_u_" /* name of the index of a unique constraint without a name: sp_u_1 */

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
    bool uncertain;         /* if the connection is lost now, nobody knows what became of the statement */
    struct sp_arena lookup; /* of the table found last; until the next call */
};

/* ---- errors.c ---- */
/* `reply` may be NULL: the server's answer, whose code and labels say more than `e`. Returns the negative code. */
int mo_error(
    struct sp_session *s, const bson_error_t *e, const bson_t *reply, const char *what, struct sp_error *err);
/* What a cursor ended with: 0 = the end of its rows was confirmed. */
int mo_cursor_error(struct sp_session *s, mongoc_cursor_t *cursor, const char *what, struct sp_error *err);
int mo_corrupt(const char *what, struct sp_error *err);

/* ---- run.c: commands ---- */
int64_t mo_now_ns(void);
void mo_begin_statement(struct sp_session *s);            /* at the start of each call of the contract */
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

/* ---- ns.c: namespaces are databases ---- */
int mo_ns_create(struct sp_session *, const char *ns, struct sp_error *);
int mo_ns_use(struct sp_session *, const char *ns, struct sp_error *);
int mo_ns_drop(struct sp_session *, const char *ns, struct sp_error *);
int mo_ns_list(struct sp_session *, const char *prefix, struct sp_names *out, struct sp_error *);
int mo_ns_exists(struct sp_session *, const char *ns, bool *found, struct sp_error *);

/* ---- catalog.c: logical definitions ---- */
/* A collection as the provider works with it. Without a definition of ours: no columns but _id, open fields. */
struct mo_table {
    struct sp_table
        t; /* columns, pk, open_fields; uniques and indexes only as far as the definition holds them */
    const char *db;
    bool defined; /* the definition is ours: _id belongs to the address, unless it is a column */
};
/* NOT_FOUND if there is no such collection. `ns` NULL = current namespace. Lives until the session's next call. */
int mo_table_find(struct sp_session *s, const char *ns, const char *name, const struct mo_table **out,
    struct sp_error *err);
/* From one document of listCollections; without a definition in its validator `defined` stays false. */
int mo_table_of(struct sp_arena *a, const bson_t *collection, struct mo_table *out, struct sp_error *err);
/* Definitions that stand in MO_DEFINITIONS: fills those of `tables` that are not defined yet. */
int mo_table_definitions(struct sp_session *s, const char *db, struct sp_arena *a, struct mo_table *tables,
    size_t n, struct sp_error *err);
const struct sp_column *mo_table_column(const struct mo_table *t, const char *name); /* NULL = undeclared */

/* ---- mval: introspect*.c, inventory.c, scan.c, load.c ---- */
int mo_introspect(struct sp_session *, const char *ns, struct sp_schema **out, struct sp_error *);
int mo_scan(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
int mo_load_open(struct sp_session *, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **, struct sp_error *);
int mo_load_row(struct sp_load *, const struct sp_value *, struct sp_error *);
int mo_load_close(struct sp_load *, bool commit, uint64_t *loaded, struct sp_error *);

/* ---- filter.c: a filter tree as a query document ---- */
int mo_filter(const struct mo_table *t, const struct sp_filter *f, bson_t *out, struct sp_error *err);

#endif
