/* internal.h -- what the files of the postgresql provider share. Nothing outside this folder includes it.
 *
 * A session is one connection, used by one thread; only po_interrupt() may be called from another one. Every call to the
 * server goes through run.c, which waits with a deadline of our own. Lookups live until the next call. */
#ifndef SP_POSTGRESQL_INTERNAL_H
#define SP_POSTGRESQL_INTERNAL_H

#include <libpq-fe.h>
#include <stdatomic.h>

#include "base/str.h"
#include "providers/lib/pg/pg.h"
#include "providers/postgresql/postgresql.h"

#define PO_NAME_BYTES 63 /* longer names would be cut by the server */
#define PO_DIMS       SP_PG_DIMS
#define PO_PARAMS     65535                   /* of one statement, by the protocol */
#define PO_MARK       "switchproof namespace" /* comment on the schemas that ns_create() makes */
#define PO_CHECK      "sp_type_"      /* names of the checks that hold what no type of the server says */
#define PO_WORDS      "switchproof: " /* comment that holds the asked words of an expression, behind a digest */
#define PO_NOT_VALID  " not valid"    /* behind a check whose old rows were not looked at */
#define PO_BLOB       "sp_blob_"      /* schemas that are buckets of the storage facet, with ... */
#define PO_BUCKET     "switchproof bucket " /* ... this comment, and the bucket's name behind it */
/* The transactions that made the catalog rows of a table `c` and of its columns: any change of them shows in these. */
#define PO_STAMP_TABLE "c.xmin"
#define PO_STAMP_COLUMNS                                                                                     \
    "array(SELECT x.xmin FROM pg_catalog.pg_attribute x WHERE x.attrelid = c.oid AND x.attnum > 0 ORDER BY " \
    "x.attnum)"
#define PO_BLOB   "sp_blob_"            /* schemas that are buckets of the storage facet, with ... */
#define PO_BUCKET "switchproof bucket " /* ... this comment, and the bucket's name behind it */
/* Grows with every change of a table `c` or of its columns, also when it is another table of the same name. */
#define PO_STAMP                                                                                             \
    "c.oid || '.' || c.xmin || array(SELECT x.xmin FROM pg_catalog.pg_attribute x WHERE x.attrelid = c.oid " \
    "AND x.attnum > 0 ORDER BY x.attnum)::text"

/* Object ids of built-in types; they are part of the protocol and never change. */
enum {
    PO_BOOL = 16,
    PO_BYTEA = 17,
    PO_CHAR = 18,
    PO_NAME = 19,
    PO_INT8 = 20,
    PO_INT2 = 21,
    PO_INT4 = 23,
    PO_TEXT = 25,
    PO_OID = 26,
    PO_XID = 28,
    PO_JSON = 114,
    PO_FLOAT4 = 700,
    PO_FLOAT8 = 701,
    PO_UNKNOWN = 705,
    PO_XIDS = 1011, /* array */
    PO_BPCHAR = 1042,
    PO_VARCHAR = 1043,
    PO_DATE = 1082,
    PO_TIME = 1083,
    PO_TIMESTAMP = 1114,
    PO_TIMESTAMPTZ = 1184,
    PO_NUMERIC = 1700,
    PO_UUID = 2950,
    PO_JSONB = 3802
};

/* A built-in type with its logical one. */
struct po_type {
    Oid oid, array;
    const char *name;
    enum sp_tag tag;
    uint8_t bits;
};
const struct po_type *po_type_by_oid(Oid oid);     /* NULL = none of ours */
const struct po_type *po_type_by_array(Oid array); /* by the type of the array */
const struct po_type *po_type_by_tag(
    enum sp_tag t); /* what a value of this tag is sent as; NULL = nothing fits */

/* One column as the provider works with it. */
struct po_column {
    const char *name;
    const char *sql_type; /* as the server spells it: "numeric(10,2)" */
    Oid oid;              /* of the type below domains */
    struct sp_type type;  /* SP_NATIVE: travels as text */
    const char *native;   /* type name of a native column */
    bool is_enum;         /* travels as text, too */
    bool text;            /* has a collation */
    bool bytewise;        /* ... which orders by bytes */
    bool exact;           /* ... by which only equal bytes are equal */
    bool generated, always /* identity always */, not_null;
};
struct po_table {
    const char *name;
    const char *qualified; /* "ns"."name", quoted */
    struct po_column *columns;
    size_t ncolumns;
    Oid oid;
    char kind;                       /* pg_class.relkind */
    bool hides;                      /* row security could hide rows from us */
    const char *made, *columns_made; /* stamp of the catalog's state that this was read from */
};

#define PO_TABLES     64
#define PO_STATEMENTS 64
struct po_cached { /* a description that was read before */
    struct sp_arena arena;
    const char *ns;
    struct po_table table;
    uint64_t used; /* 0 = empty */
};
struct po_known { /* a statement that the server knows by name */
    struct sp_d128 key;
    char name[24];
    uint64_t used;
};

struct po_named_type {
    Oid oid;
    bool is_enum;
    char name[64];
};

struct sp_session {
    struct sp_session_base base;
    PGconn *conn;
    struct po_cancel *cancel;
    char where[160]; /* host:port/database, for messages */
    int version;     /* 150018 */
    int pid; /* of the server's process; 0 = not known, behind a pooler. Never changes: other threads may look */
    bool read_only;
    bool in_txn;                /* begun by begin() */
    enum sp_code txn_lost;      /* not OK: only rollback is left */
    bool in_snapshot;           /* its transaction is ours, unless in_txn */
    bool pooled, standby, real; /* found out when opening */
    char ns[64];                /* current namespace, "" = default */
    char default_ns[64];
    bool schema_chosen; /* by the option schema */
    int connect_ms, statement_ms, lock_ms;
    _Atomic bool interrupted;
    int64_t started_ns; /* of the running statement */
    int64_t heard_ns;   /* of the last words of a long answer: patience begins anew with each */
    uint64_t names;     /* of prepared statements */
    bool lookup_ready, stamp_ready;
    char lookup_name[24], stamp_name[24];
    uint64_t ticks;
    struct po_cached tables[PO_TABLES];
    struct po_known statements[PO_STATEMENTS];
    uint64_t seen[256]; /* statements that came once: the second time is worth a name */
    char state[6];      /* SQLSTATE of the last failure */
    struct po_named_type types[32];
    size_t ntypes;
    struct po_blob_known *blob_known; /* statements on the bucket used last; NULL = none */
    bool loading;                     /* a COPY is open: nothing else can be asked */
    bool uncertain; /* if the connection is lost now, nobody knows what became of the statement */
};

int64_t po_now_ns(void);

/* kind.c: the product behind a server's version(); NULL = PostgreSQL itself, beyond doubt. */
const char *po_product(const char *version);

/* errors.c */
/* From a result (freed by the caller) or, without one, from the connection. */
int po_error(struct sp_session *s, const PGresult *r, const char *what, struct sp_error *err);
/* The SQLSTATE of a result, "" = none. */
const char *po_state(const PGresult *r);
int po_connect_error(const char *message, const char *where, struct sp_error *err);

struct po_sql;
/* run.c: statements and their parameters. */
struct po_params {
    struct sp_arena arena;
    Oid *oids;
    const char **values;
    int *lengths, *formats;
    size_t n, cap;
};
#define PO_PARAMS_INIT                                                                                       \
    {                                                                                                        \
        SP_ARENA_INIT, NULL, NULL, NULL, NULL, 0, 0                                                          \
    }
void po_params_free(struct po_params *p);
void po_params_reset(struct po_params *p);
int po_param_add(struct po_params *p, Oid oid, const void *value, size_t n, bool binary); /* NULL = null */
int po_param_text(struct po_params *p, const char *value);

/* A pipeline: all steps in one round trip, one transaction where none is open. */
struct po_step {
    const char *sql, *name;    /* a statement, or the name of a prepared one; both: prepare it */
    const struct po_params *p; /* may be NULL */
    PGresult **out;            /* NULL = only whether it worked */
    bool *done;                /* set when it worked */
};
/* *failed: the step that was refused; n = what came behind them (the commit). */
int po_pipeline(
    struct sp_session *s, const struct po_step *steps, size_t n, size_t *failed, struct sp_error *err);

#define PO_GUARD   "SAVEPOINT sp_guard"
#define PO_UNGUARD "RELEASE SAVEPOINT sp_guard"
void po_guard_undo(struct sp_session *s); /* after a refusal behind PO_GUARD */

/* statements.c: one operation on a table, with what makes it safe and fast in the same round trip. *stale: it was rendered
 * from a description that no longer holds; nothing was done. */
void po_statement_name(struct sp_session *s, char name[24]); /* a new one */
void po_statements_forget(struct sp_session *s);             /* somebody dropped what was prepared */
int po_stamped(struct sp_session *s, const struct po_sql *q, const struct po_params *p, PGresult **out,
    bool *stale, struct sp_error *err);

enum po_guard { PO_PLAIN, PO_GUARDED /* a refusal is undone alone inside a transaction */ };
/* One statement with parameters; the answer is binary. *out is NULL on error. */
int po_query(struct sp_session *s, enum po_guard guard, const char *sql, const struct po_params *p,
    PGresult **out, struct sp_error *err);
/* The same for a statement that the server knows by name. */
int po_query_prepared(struct sp_session *s, enum po_guard guard, const char *name, const struct po_params *p,
    PGresult **out, struct sp_error *err);
int po_prepare(struct sp_session *s, const char *name, const char *sql, const struct po_params *types,
    struct sp_error *err);
/* One or more statements without parameters; answers are text, the last one counts. out may be NULL. */
int po_exec(struct sp_session *s, const char *sql, PGresult **out, struct sp_error *err);
int po_execf(struct sp_session *s, struct sp_error *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Like po_exec, inside a transaction undone alone when refused. */
int po_exec_guarded(struct sp_session *s, const char *sql, struct sp_error *err);
/* The next result of what was sent; waits until the deadline. NULL result = the end. */
int po_next(struct sp_session *s, PGresult **out, struct sp_error *err);
/* Waits until the connection can be read (or also written). */
int po_wait(struct sp_session *s, bool write, struct sp_error *err);
void po_begin_statement(struct sp_session *s);
void po_drain(struct sp_session *s);                      /* reads and drops whatever is left of an answer */
int po_ready(struct sp_session *s, struct sp_error *err); /* the session can take a statement */
const char *po_text_at(const PGresult *r, int row, int column); /* text answers; NULL = null */

/* open.c */
int po_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err);
void po_close(struct sp_session *s);
int po_ping(struct sp_session *s, struct sp_error *err);
void po_interrupt(struct sp_session *s);

/* cancel.c: asks the server to stop, for two seconds at most. From any thread. */
struct po_cancel *po_cancel_new(PGconn *conn); /* NULL: it cannot be asked */
void po_cancel_free(struct po_cancel *c);
void po_cancel(struct po_cancel *c);

/* numeric.c */
int po_numeric_put(struct sp_buf *out, const struct sp_dec *d, struct sp_error *err);
/* 1 = NaN or an infinity. */
int po_numeric_get(struct sp_arena *a, const uint8_t *p, size_t n, struct sp_dec *out);

/* encode.c: a logical value as the bytes of a built-in type. */
int po_encode(struct sp_buf *out, Oid oid, const struct sp_value *v, struct sp_error *err);

/* decode.c: and back. 0, -SP_E_NOMEM, or -SP_E_CORRUPT when the bytes are no such value. */
int po_decode(struct sp_arena *a, Oid oid, const uint8_t *p, size_t n, struct sp_value *out);
int po_decode_corrupt(const char *what, struct sp_error *err);
struct po_named_type *po_named_type(struct sp_session *s, Oid oid, struct sp_error *err);

/* types.c */
int po_type_declare(struct sp_buf *out, const struct sp_type *t, struct sp_error *err);
/* The check that a type needs besides its name; nothing for most. */
void po_type_check(struct sp_buf *out, const struct sp_column *c, size_t number);
/* From the catalog: type below domains, its modifier, and the text of our own check (NULL = none). */
void po_type_logical(Oid oid, int32_t typmod, const char *check, struct sp_type *out);

/* names.c, tables.c */
void po_put_name(struct sp_buf *out, const char *name); /* quoted */
void po_put_literal(struct sp_buf *out, const char *text);
int po_name_check(const char *name, const char *what, struct sp_error *err);
const char *po_ns_of(const struct sp_session *s, const char *ns); /* the schema that is meant */
int po_qualified(struct sp_session *s, const char *ns, const char *name, struct sp_buf *out);
/* Asks the server. The description lives until the next lookup. */
int po_table_find(struct sp_session *s, const char *ns, const char *name, const struct po_table **out,
    struct sp_error *err);
/* From memory if it is there: only for statements that go out with po_stamped(), which proves that it still holds. */
int po_table_recall(struct sp_session *s, const char *name, const struct po_table **out, bool *recalled,
    struct sp_error *err);
void po_tables_forget(struct sp_session *s);
const struct po_column *po_table_column(const struct po_table *t, const char *name);

/* ns.c, ddl.c, roles.c, grants.c */
int po_ns_create(struct sp_session *, const char *ns, struct sp_error *);
int po_ns_use(struct sp_session *, const char *ns, struct sp_error *);
int po_ns_drop(struct sp_session *, const char *ns, struct sp_error *);
int po_ns_list(struct sp_session *, const char *prefix, struct sp_names *out, struct sp_error *);
int po_ns_exists(struct sp_session *, const char *ns, bool *found, struct sp_error *);
int po_table_create(struct sp_session *, const struct sp_table *, bool with_extras, struct sp_error *);
int po_table_finish(struct sp_session *, const struct sp_table *, struct sp_error *);
int po_table_drop(struct sp_session *, const char *table, struct sp_error *);
int po_sequence_set(struct sp_session *, const struct sp_sequence *, struct sp_error *);
int po_role_create(struct sp_session *, const char *role, const char *password, struct sp_error *);
int po_role_drop(struct sp_session *, const char *role, struct sp_error *);
int po_role_change(struct sp_session *, const char *role, const struct sp_role_change *, struct sp_error *);
int po_role_join(struct sp_session *, const char *role, const char *member, struct sp_error *);
int po_role_act(struct sp_session *, const char *role, struct sp_error *);
int po_role_find(struct sp_session *s, const char *role, struct sp_error *err); /* NOT_FOUND */
int po_role_grant(struct sp_session *, const struct sp_grant *, struct sp_error *);
int po_role_revoke(struct sp_session *, const struct sp_grant *, struct sp_error *);
int po_row_security(struct sp_session *, const char *table, const char *owner, struct sp_error *);
/* actors.c */
int po_act_for(struct sp_session *, const struct sp_actor *, struct sp_error *);
struct po_policy {
    const char *name;
    bool on;
    const char *owner; /* the text column that tells whose a row is; NULL = nobody's */
    const char *who;   /* SQL that it is compared with */
};
int po_row_policy(struct sp_session *, const char *table, const struct po_policy *, struct sp_error *);
int po_row_rules(struct sp_session *, const char *table, const struct sp_row_rules *, struct sp_error *);
/* PERMISSION where row security could hide rows: for passes that must have all of them. */
int po_rows_whole(const struct sp_session *s, const struct po_table *t, struct sp_error *err);

/* render.c: an operation as SQL. Parameters are numbered in the order of sp_op's values. */
struct po_slot {
    struct sp_type type; /* what the value must fit; SP_MISSING = goes by its own tag */
    Oid oid;             /* what it is sent as; 0 = as text, the server knows from a cast */
};
struct po_out { /* a column of a result */
    const char *name;
    enum sp_tag tag; /* NATIVE, VECTOR, TEXT where the type of the answer doesn't say it; else MISSING */
    const char *native;
};
struct po_sql {
    struct sp_buf text;
    struct sp_arena arena;
    struct po_slot *slots;
    size_t nslots, cap;
    struct po_out *columns;
    size_t ncolumns;
    const struct po_table *table; /* until the next lookup */
    bool recalled;                /* from memory: may be out of date */
};
void po_sql_free(struct po_sql *q);
/* `values`: those of the operation or NULL (prepared: no field can be left out); nrows rows of a create. `recall`: a
 * description from memory will do. */
int po_render(struct sp_session *s, const struct sp_op *op, const struct sp_value *values, size_t nrows,
    bool recall, struct po_sql *q, struct sp_error *err);
int po_render_where(
    const struct po_table *t, const struct sp_filter *f, struct po_sql *q, struct sp_error *err);
/* Appends the columns, as they travel, to the text; names = NULL: all. */
int po_render_columns(
    const struct po_table *t, const char *const *names, size_t n, struct po_sql *q, struct sp_error *err);

/* exec.c */
int po_raw_reads(struct sp_session *, const char *raw, struct sp_error *);
int po_db_exec(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);
int po_db_prepare(struct sp_session *, const struct sp_op *, struct sp_prepared **, struct sp_error *);
int po_db_execute(
    struct sp_prepared *, const struct sp_value *, size_t n, struct sp_result *, struct sp_error *);
void po_db_finalize(struct sp_prepared *);
/* bind.c */
int po_bind(struct po_params *p, const struct po_slot *slot, const struct sp_value *v, struct sp_error *err);
int po_bind_filter(
    struct po_params *p, const struct sp_filter *f, const struct po_sql *q, struct sp_error *err);
int po_bind_raw(struct po_params *p, const struct sp_value *v, size_t n, struct sp_error *err);
/* stream.c: a query, and its answer within the bounds of `out`. Inside of a transaction; a refusal is undone alone. */
int po_stream(struct sp_session *s, const char *sql, const struct po_params *p, struct sp_result *out,
    struct sp_error *err);
int po_result(struct sp_session *s, const PGresult *r, const struct po_sql *q, struct sp_result *out,
    struct sp_error *err);

/* txn.c */
int po_begin(struct sp_session *, const struct sp_txn_opts *, struct sp_error *);
int po_commit(struct sp_session *, struct sp_error *);
int po_rollback(struct sp_session *, struct sp_error *);
int po_savepoint(struct sp_session *, const char *name, struct sp_error *);
int po_savepoint_rollback(struct sp_session *, const char *name, struct sp_error *);
int po_savepoint_release(struct sp_session *, const char *name, struct sp_error *);
/* burden.c */
int po_volume(struct sp_session *, const char *ns, const char *table, struct sp_volume *, struct sp_error *);
int po_burden(struct sp_session *, struct sp_session *const *readers, size_t nreaders, struct sp_burden *out,
    struct sp_error *);
int po_snapshot_begin(struct sp_session *, char id[64], struct sp_error *);
int po_snapshot_end(struct sp_session *, struct sp_error *);
int po_snapshot_share(struct sp_session *, char word[SP_SNAPSHOT_WORD], struct sp_error *);
int po_snapshot_join(struct sp_session *, const char *word, struct sp_error *);
/* Begins a transaction; behind a pooler it pins the settings for itself. */
int po_start(struct sp_session *s, const char *begin, struct sp_error *err);
void po_put_settings(struct sp_session *s, struct sp_buf *b, const char *set);
/* Behind a pooler: a single operation gets a transaction of its own, where none is open. */
int po_pooled_begin(struct sp_session *s, bool *own, struct sp_error *err);
int po_pooled_end(struct sp_session *s, bool own, int ret, struct sp_error *err);
/* All or nothing for several statements: a transaction, or a savepoint inside one. */
int po_atomic_begin(struct sp_session *s, bool *own, struct sp_error *err);
int po_atomic_end(struct sp_session *s, bool own, int ret, struct sp_error *err);

/* introspect.c, introspect_table.c, inventory.c */
struct po_walk {
    struct sp_session *s;
    struct sp_schema *schema;
    const char *ns;
    struct sp_table *tables;
    struct sp_sequence *sequences;
    struct sp_inventory_item *items;
    size_t items_cap;
};
int po_introspect(struct sp_session *, const char *ns, struct sp_schema **out, struct sp_error *);
int po_introspect_columns(struct po_walk *w, struct sp_error *err);
int po_introspect_constraints(struct po_walk *w, struct sp_error *err);
int po_introspect_indexes(struct po_walk *w, struct sp_error *err);
int po_inventory(struct po_walk *w, struct sp_error *err);
struct sp_table *po_walk_table(struct po_walk *w, const char *name);

/* blob.c */
extern const struct sp_blob_ops po_blob_ops;
void po_blob_forget(struct sp_session *s); /* what is known of statements */

/* split.c */
#define PO_TID_RANGES                                                                                        \
    140000 /* from this version on a range of ctid is not read with a pass over the whole table */
bool po_can_split(const struct sp_session *s);
int po_split(struct sp_session *, const char *ns, const char *table, size_t parts, struct sp_names *bounds,
    struct sp_error *);
int po_split_where(const struct sp_scan *scan, struct sp_buf *sql, struct sp_error *err);
/* scan.c, load.c */
int po_scan(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
int po_load_open(struct sp_session *, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **, struct sp_error *);
int po_load_row(struct sp_load *, const struct sp_value *, struct sp_error *);
int po_load_close(struct sp_load *, bool commit, uint64_t *loaded, struct sp_error *);

/* Big-endian bytes. */
static inline uint16_t po_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline uint32_t po_u32(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return be32toh(v);
}
static inline uint64_t po_u64(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return be64toh(v);
}

#endif
