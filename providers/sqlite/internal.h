/* internal.h -- what the files of the sqlite provider share. Nothing outside this folder includes it.
 *
 * A session is one connection, opened without mutexes, used by one thread; only sq_interrupt() may be called from
 * another one. Memory handed out by a lookup belongs to the session unless said otherwise. */
#ifndef SP_SQLITE_INTERNAL_H
#define SP_SQLITE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/str.h"
#include "providers/sqlite/sqlite.h"

#define SQ_MARK         "/* switchproof:types */"    /* in the text of tables whose type names we chose */
#define SQ_MARK_STRICT  "/* switchproof:strict */"   /* ... and whose columns have a type check each */
#define SQ_STRICT_NAME  "sp_strict_"                 /* names of those checks */
#define SQ_NS_COLUMN    "switchproof_namespace"      /* column of the marker table "<ns>__" */
#define SQ_VERBATIM_SEP "; /* switchproof:next */\n" /* between the statements of a native definition */
#define SQ_BLOB_PREFIX  "sp_blob_"                   /* tables of the storage facet */

/* What identifies a state of the file without opening it: stat of the file and of its -wal, and the change counter
 * of the header. */
struct sq_state {
    int64_t size, mtime_ns, wal_size, wal_mtime_ns;
    uint64_t inode;
    uint32_t counter;
    bool wal_mode;
};

/* One column as the provider works with it. */
struct sq_column {
    const char *name, *decl, *collation;
    struct sp_type type; /* by the declared text; SP_MISSING = says nothing */
    bool generated, not_null;
    int pk; /* position in the key from 1, 0 = none */
};
struct sq_table {
    const char *logical, *physical;
    struct sq_column *columns;
    size_t ncolumns;
    bool ours, strict;
    struct sq_table *next;
};

struct sp_session {
    struct sp_session_base base;
    sqlite3 *db;
    pthread_mutex_t swap; /* held while a live session gets another db, for whoever interrupts it then */
    char *path;
    bool read_only;        /* access level */
    bool immutable, copy;  /* how a read-only file is read */
    struct sq_state state; /* of the user's file when the session began to read it */
    bool in_txn, txn_read_only, in_snapshot, snapshot_txn;
    char ns[48]; /* current namespace, "" = default */
    bool utf16;
    int busy_ms, statement_ms;
    _Atomic bool interrupted;
    int64_t deadline_ns; /* of the running statement, 0 = none */
    bool timed_out;
    int64_t busy_since_ns;
    struct sp_arena cache_arena; /* table lookups, until the schema changes */
    struct sq_table *cache;
    int64_t cache_version;
    sqlite3_stmt *version_stmt;
    struct sq_push *push; /* the scan under way */
};

/* errors.c */
int sq_error(struct sp_session *s, int rc, const char *what, struct sp_error *err); /* from sqlite3_errmsg */
/* By code alone, for calls without a connection. */
int sq_error_code(int rc, const char *path, const char *what, struct sp_error *err);
void sq_statement_begin(struct sp_session *s); /* arms the time-out */
int sq_exec(struct sp_session *s, const char *sql, struct sp_error *err);
int sq_execf(struct sp_session *s, struct sp_error *err, const char *fmt, ...); /* sqlite3_mprintf formats */
int sq_prepare(struct sp_session *s, const char *sql, sqlite3_stmt **out, struct sp_error *err);
int sq_query_i64(struct sp_session *s, const char *sql, int64_t *out, struct sp_error *err);
int64_t sq_now_ns(void);

/* readonly.c: everything that looks at the user's file. */
int sq_state_read(const char *path, struct sq_state *out, struct sp_error *err);
bool sq_state_same_main(const struct sq_state *a, const struct sq_state *b);
void sq_state_id(const struct sq_state *st, char id[64]);
int sq_open_readonly(struct sp_session *s, struct sp_error *err);
/* Of an endpoint that is live: a plain reader beside the writers, or a copy; again: a new copy where the file has changed. */
int sq_open_live(struct sp_session *s, struct sp_error *err);
int sq_live_again(struct sp_session *s, struct sp_error *err);
void sq_live_id(struct sp_session *s, const struct sq_state *before, char id[64]);
int sq_readonly_unchanged(struct sp_session *s, struct sp_error *err);
char *sq_uri(const char *path, const char *query); /* free() */

struct sq_file;
/* copy.c: a private, consistent copy of the file (and of what its journal says), to be opened and then unlinked. */
int sq_private_copy(
    struct sq_file *f, const char *path, bool wal, bool journal, char **copy, struct sp_error *err);
void sq_private_unlink(char *copy); /* removes file, side files and directory; frees */
/* vfsfile.c: the user's file through SQLite's own VFS, so that closing it drops none of SQLite's POSIX locks. */
int sq_file_open(const char *path, struct sq_file **out, struct sp_error *err);
int sq_file_lock_shared(struct sq_file *f); /* SQLITE_OK, SQLITE_BUSY ... */
bool sq_file_reserved(struct sq_file *f);
int sq_file_read(struct sq_file *f, void *p, int n, int64_t offset);
int sq_file_size(struct sq_file *f, int64_t *size);
void sq_file_close(struct sq_file *f);

/* open.c */
int sq_configure(struct sp_session *s, struct sp_error *err); /* after s->db was opened */
int sq_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err);
void sq_close(struct sp_session *s);
int sq_ping(struct sp_session *s, struct sp_error *err);
void sq_interrupt(struct sp_session *s);
int sq_process_init(struct sp_error *err);

/* types.c */
int sq_type_declare(struct sp_buf *out, const struct sp_type *t, bool identity, struct sp_error *err);
void sq_type_parse(const char *decl, struct sp_type *out);
/* True if the text is exactly a spelling that sq_type_declare() gives. */
bool sq_type_ours(const char *decl, struct sp_type *out);
int sq_bind(sqlite3_stmt *st, int index, const struct sp_value *v, const struct sp_type *type, bool strict,
    struct sp_error *err);
int sq_decode(struct sp_arena *a, const struct sp_type *type, sqlite3_value *v, struct sp_value *out);

/* arrays.c */
int sq_array_print(struct sp_buf *out, const struct sp_value *v, struct sp_error *err);
int sq_array_parse(
    struct sp_arena *a, enum sp_tag elem, const char *p, size_t n, struct sp_value *out); /* 1 = not one */

/* functions.c */
int sq_functions(struct sp_session *s, struct sp_error *err);

/* tables.c: names and lookups. */
int sq_physical(struct sp_session *s, const char *ns, const char *name, char **out, struct sp_error *err);
/* ns NULL = the current one. */
int sq_table_find(struct sp_session *s, const char *ns, const char *name, const struct sq_table **out,
    struct sp_error *err);
const struct sq_column *sq_table_column(const struct sq_table *t, const char *name);
void sq_cache_clear(struct sp_session *s);

/* ddl.c, ns.c */
int sq_ns_check(const char *ns, struct sp_error *err);
int sq_ns_create(struct sp_session *, const char *ns, struct sp_error *);
int sq_ns_use(struct sp_session *, const char *ns, struct sp_error *);
int sq_ns_drop(struct sp_session *, const char *ns, struct sp_error *);
int sq_ns_list(struct sp_session *, const char *prefix, struct sp_names *out, struct sp_error *);
int sq_table_create(struct sp_session *, const struct sp_table *, bool with_extras, struct sp_error *);
int sq_table_finish(struct sp_session *, const struct sp_table *, struct sp_error *);
int sq_table_drop(struct sp_session *, const char *table, struct sp_error *);
int sq_sequence_set(struct sp_session *, const struct sp_sequence *, struct sp_error *);

/* render.c: an operation as SQL. Parameters are numbered in the order of sp_op's values. */
struct sq_param {
    struct sp_type type; /* of the column the value meets; SP_MISSING = none */
    bool strict;
    bool member; /* sought in an array: bound as an array of one */
};
struct sq_out { /* a column of a result */
    const char *name;
    struct sp_type type;
};
struct sq_sql {
    struct sp_buf text;
    struct sp_arena arena;
    struct sq_param *params;
    size_t nparams, cap;
    struct sq_out *columns;
    size_t ncolumns;
};
void sq_sql_free(struct sq_sql *q);
/* `present`: per field, false = left out in this row; NULL = all there. */
int sq_render(struct sp_session *s, const struct sp_op *op, const bool *present, struct sq_sql *q,
    struct sp_error *err);
int sq_render_where(
    const struct sq_table *t, const struct sp_filter *f, struct sq_sql *q, struct sp_error *err);
void sq_put_name(struct sp_buf *out, const char *name); /* quoted */

/* exec.c */
int sq_raw_reads(struct sp_session *, const char *raw, struct sp_error *);
int sq_db_exec(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);
int sq_db_prepare(struct sp_session *, const struct sp_op *, struct sp_prepared **, struct sp_error *);
int sq_db_execute(
    struct sp_prepared *, const struct sp_value *, size_t n, struct sp_result *, struct sp_error *);
void sq_db_finalize(struct sp_prepared *);
int sq_bind_filter(
    sqlite3_stmt *st, int *index, const struct sp_filter *f, const struct sq_sql *q, struct sp_error *err);

/* txn.c */
int sq_begin(struct sp_session *, const struct sp_txn_opts *, struct sp_error *);
int sq_commit(struct sp_session *, struct sp_error *);
int sq_rollback(struct sp_session *, struct sp_error *);
int sq_savepoint(struct sp_session *, const char *name, struct sp_error *);
int sq_savepoint_rollback(struct sp_session *, const char *name, struct sp_error *);
int sq_savepoint_release(struct sp_session *, const char *name, struct sp_error *);
int sq_snapshot_begin(struct sp_session *, char id[64], struct sp_error *);
int sq_snapshot_end(struct sp_session *, struct sp_error *);
int sq_snapshot_share(struct sp_session *, char word[SP_SNAPSHOT_WORD], struct sp_error *);
int sq_snapshot_join(struct sp_session *, const char *word, struct sp_error *);
int sq_volume(struct sp_session *, const char *ns, const char *table, struct sp_volume *, struct sp_error *);
int sq_split(struct sp_session *, const char *ns, const char *table, size_t parts, struct sp_names *bounds,
    struct sp_error *);
int sq_split_where(
    const struct sq_table *t, const struct sp_scan *scan, struct sp_buf *sql, struct sp_error *err);

/* ddl_parse.c: the text of CREATE TABLE and CREATE INDEX. Everything in the caller's arena. */
struct sq_parsed_column {
    const char *name, *collation, *generated;
    bool autoincrement, pk_desc;
};
struct sq_parsed {
    const char *name;
    struct sq_parsed_column *columns;
    size_t ncolumns, columns_cap;
    struct sp_unique *uniques;
    size_t nuniques, uniques_cap;
    struct sp_check *checks;
    size_t nchecks, checks_cap;
    struct sp_fk *fks;
    size_t nfks, fks_cap;
    bool without_rowid, strict;
    bool ours, ours_strict;
};
struct sq_parsed_index {
    const char **columns; /* text of each term, without ASC/DESC */
    size_t ncolumns, cap;
    const char *where;
};
int sq_parse_table(struct sp_arena *a, const char *sql, struct sq_parsed *out, struct sp_error *err);
int sq_parse_index(struct sp_arena *a, const char *sql, struct sq_parsed_index *out, struct sp_error *err);

/* introspect.c, introspect_table.c */
int sq_introspect(struct sp_session *, const char *ns, struct sp_schema **out, struct sp_error *);
int sq_introspect_table(struct sp_session *s, struct sp_arena *a, const char *ns, const char *physical,
    const char *sql, struct sp_table *out, bool *autoincrement, struct sp_error *err);

/* scan.c, load.c */
int sq_scan(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
int sq_load_open(struct sp_session *, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **, struct sp_error *);
int sq_load_row(struct sp_load *, const struct sp_value *, struct sp_error *);
int sq_load_close(struct sp_load *, bool commit, uint64_t *loaded, struct sp_error *);
void sq_push_function(sqlite3_context *ctx, int n, sqlite3_value **v); /* xStep of the aggregate */
void sq_push_final(sqlite3_context *ctx);

extern const struct sp_blob_ops sq_blob_ops; /* blob.c, blob_list.c, blob_upload.c */

#endif
