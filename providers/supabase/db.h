/* db.h -- the database facet of the supabase provider: what its files share. Nothing outside this folder includes it.
 *
 * One HTTP client for PostgREST and, by the option db_url, a session on the project's database itself, opened with whatever
 * provider of this build speaks that URL: what REST has no words for (schemas, tables, introspection) goes there. One
 * thread; only sd_interrupt() may be called from another one. Descriptions of tables live until the next lookup. */
#ifndef SP_PROVIDERS_SUPABASE_DB_H
#define SP_PROVIDERS_SUPABASE_DB_H

#include <stdatomic.h>

#include "base/str.h"
#include "providers/lib/http/http.h"
#include "providers/lib/json/reader.h"
#include "providers/lib/pg/pg.h"
#include "providers/supabase/supabase.h"

struct sp_session;

#define SD_NO_REST "no REST service is configured"
#define SD_PAGE    5000 /* rows asked for at once; the server may give fewer */

struct sd_column {
    const char *name;
    struct sp_type type;
    const char *native; /* the server's name of the type */
    bool has_default;   /* left out, it is not null */
    bool as_text;       /* asked for as text: JSON would lose or change it */
};
struct sd_table {
    const char *name;
    const struct sd_column *columns;
    size_t ncolumns;
    const char *const *pk;
    size_t npk;
};

struct sd_db {
    struct sp_http *http; /* NULL = the facet is not offered */
    struct sp_session *sql;
    struct sp_session *alike;     /* `sql` where no REST service is wanted: the facet is not offered */
    struct sp_session *now;       /* beside a snapshot of `sql`: sees what is there by now */
    int64_t since;                /* oldest transaction that the snapshot may not see */
    struct sp_endpoint sql_place; /* of `sql` */
    char *sql_url;
    const char *sql_schema;
    char role[64];           /* of who asks; "" = not known */
    char own_role[64];       /* that the key stands for */
    char version[32];        /* of PostgREST; "" = it does not say */
    bool alone;              /* nothing stands before PostgREST */
    bool opened;             /* from now on the time-out of statements counts */
    bool gateway;            /* something stands before it: /rest/v1 */
    char schema[64];         /* the default namespace */
    char ns[64];             /* current, "" = default */
    struct sp_schema *known; /* of namespace known_ns */
    char known_ns[64];
    bool acting; /* for somebody who need not see all rows */
    struct sp_names
        whole; /* tables of which the key's role sees all rows, as far as was asked; as long as `known` */
    struct sp_arena table_arena;
    struct sd_table table; /* of the last lookup */
};

/* db_open.c */
int sd_init(struct sp_error *err);
/* Opens the facet if db_url is given: `base` is the project's address, `key` what to ask with. */
int sd_open(struct sp_session *s, const char *base, const char *key, struct sp_error *err);
void sd_close(struct sp_session *s);
int sd_ping(struct sp_session *s, struct sp_error *err);
void sd_interrupt(struct sp_session *s);
void sd_begin(struct sp_session *s); /* a new operation: an interrupt before it does not count */
const char *sd_ns(const struct sp_session *s, const char *ns);   /* the schema that is meant */
int sd_no_sql(const struct sp_session *s, struct sp_error *err); /* UNSUPPORTED without the facet, else 0 */
/* A setting that may also stand in the environment, which speaks of one project: that of SUPABASE_URL. NULL = neither. */
const char *sd_setting(const struct sp_endpoint *e, const char *option, const char *variable);

/* db_request.c: requests to PostgREST, and their errors. */
struct sd_request {
    const char *method;
    const char *target;
    const char *prefer; /* NULL = none */
    const char *ns;
    const struct sp_buf *body;                           /* JSON, or NULL */
    bool write;                                          /* must not be repeated */
    int (*sink)(void *payload, const void *p, size_t n); /* of a 2xx answer */
    void *payload;
};
/* 0 = a 2xx answer. Everything else is an error in the contract's words. */
int sd_send(
    struct sp_session *s, const struct sd_request *q, struct sp_http_response *r, struct sp_error *err);
/* A request that only reads, in two halves: sent, and left alone; then its answer. `q` and `r` must live until the second. */
struct sd_ahead {
    struct sp_http_header headers[5];
    struct sp_http_request http;
    struct sp_http_response *r;
    struct sp_http_call *call; /* NULL = nothing is under way */
};
int sd_send_ahead(struct sp_session *s, const struct sd_request *q, struct sp_http_response *r,
    struct sd_ahead *a, struct sp_error *err);
int sd_settle(struct sp_session *s, struct sd_ahead *a, struct sp_error *err); /* as sd_send() */
void sd_give_up(struct sd_ahead *a);
/* "0-24/3573458", and its relatives with stars: -1 = not said. false = not of that form. */
bool sd_range(const struct sp_http_response *r, int64_t *first, int64_t *last, int64_t *total);

/* db_tables.c */
/* A question to the database about itself. Not by the checked call, which refuses every raw query of a session that only reads:
 * the server's own session is read-only then. */
int sd_ask(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err);
int sd_table(struct sp_session *s, const char *ns, const char *name, const struct sd_table **out,
    struct sp_error *err);
void sd_tables_forget(struct sp_session *s);
const struct sd_column *sd_column(
    const struct sd_table *t, const char *name, struct sp_error *err); /* NULL: said */
/* Wait until PostgREST knows the table as it is now, or that it is gone. */
int sd_table_wait(struct sp_session *s, const char *table, struct sp_error *err);
int sd_table_wait_gone(struct sp_session *s, const char *table, struct sp_error *err);
/* PERMISSION where policies could hide rows from the key's role. */
int sd_rows_whole(struct sp_session *s, const char *ns, const char *table, struct sp_error *err);
/* The same of a read or a count for oneself: fewer rows would look like all. Asked once for each table. */
int sd_read_whole(struct sp_session *s, const char *table, struct sp_error *err);
/* UNSUPPORTED where floats come rounded over REST, so that two of them would seem to be one. */
int sd_floats_whole(struct sp_session *s, struct sp_error *err);

/* db_ns.c: through the database itself. */
int sd_introspect(struct sp_session *, const char *ns, struct sp_schema **out, struct sp_error *);
int sd_ns_create(struct sp_session *, const char *ns, struct sp_error *);
int sd_ns_use(struct sp_session *, const char *ns, struct sp_error *);
int sd_ns_drop(struct sp_session *, const char *ns, struct sp_error *);
int sd_ns_list(struct sp_session *, const char *prefix, struct sp_names *out, struct sp_error *);
int sd_table_create(struct sp_session *, const struct sp_table *, bool with_extras, struct sp_error *);
int sd_table_finish(struct sp_session *, const struct sp_table *, struct sp_error *);
int sd_table_drop(struct sp_session *, const char *table, struct sp_error *);
int sd_sequence_set(struct sp_session *, const struct sp_sequence *, struct sp_error *);

/* db_actor.c */
const char *sd_no_actors(const struct sp_session *s); /* why nobody can be acted for; NULL = all can */
int sd_act_for(struct sp_session *, const struct sp_actor *, struct sp_error *);
int sd_actor_token(struct sp_session *, struct sp_arena *, const struct sp_actor *, int64_t from,
    int64_t until, const char **token, struct sp_error *);
int sd_row_rules(struct sp_session *, const char *table, const struct sp_row_rules *, struct sp_error *);

/* db_text.c: values as the server reads them. */
int sd_put_literal(struct sp_buf *out, const struct sp_value *v, struct sp_error *err); /* input of a type */
int sd_put_json(struct sp_buf *out, const struct sp_value *v, struct sp_error *err);    /* in a body */

/* db_render.c: parts of a query, not yet percent-encoded where it says "logic". */
void sd_put_quoted(struct sp_buf *out, const char *p, size_t n); /* "..." with backslashes */
/* Appends "&name=value", encoded. */
void sd_put_param(struct sp_buf *url, const char *name, const char *value, size_t n);
int sd_put_path(struct sp_buf *url, const char *table); /* "/table?" */
/* "select=c0:..., c1:...": the columns by number. cols has room for all; names NULL = all. */
int sd_put_select(struct sp_buf *url, const struct sd_table *t, const char *const *names, size_t n,
    const struct sd_column **cols, size_t *ncols, struct sp_error *err);
int sd_put_where(
    struct sp_buf *url, const struct sd_table *t, const struct sp_filter *f, struct sp_error *err);
/* Everything is selected, but with a condition: some servers refuse a change without one. */
int sd_put_all(struct sp_buf *url, const struct sd_table *t, struct sp_error *err);
/* A leaf: appended to a logic tree. db_numbers.c has those between numbers of different kinds. */
int sd_put_compare(struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op,
    const struct sp_value *v, struct sp_error *err);
bool sd_is_number(enum sp_tag t);
const char *sd_op_name(enum sp_filter_op op); /* of a comparison: eq, lt ... */
int sd_put_number(struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op,
    const struct sp_value *v, struct sp_error *err);
void sd_put_leaf(struct sp_buf *logic, const char *column, const char *op, const char *p, size_t n);

/* db_rows.c: an answer's rows, value by value. cell() is called in the order of the columns, end() behind each row; both stop
 * with a negative error, which `rc` keeps. Values are borrowed. */
struct sd_rows {
    const struct sd_column *const *cols;
    size_t ncols;
    int (*cell)(void *payload, size_t i, const struct sp_value *v);
    int (*end)(void *payload);
    void *payload;
    struct sp_json_reader *reader;
    struct sp_arena scratch;
    size_t next;  /* column that is due */
    bool named;   /* its name came */
    size_t depth; /* of arrays inside the value */
    struct sd_list {
        struct sp_value *v;
        size_t n, cap;
        bool nested;
    } lists[SP_PG_DIMS];
    uint64_t count;
    int rc;
    struct sp_error why; /* of rc */
};
int sd_rows_begin(struct sd_rows *r, struct sp_error *err);
int sd_rows_push(void *rows, const void *p, size_t n); /* a sink */
int sd_rows_finish(struct sd_rows *r, struct sp_error *err);
void sd_rows_free(struct sd_rows *r);
/* What made a sink stop, if one did: instead of the transport's word for it. */
int sd_rows_error(struct sd_rows *r, int ret, struct sp_error *err);

/* db_answer.c: an answer whose columns are not known. */
enum sd_shape {
    SD_SHAPE_ROWS,
    SD_SHAPE_ROW,
    SD_SHAPE_VALUE
}; /* a list of rows; one row; one value, whatever it is */
/* Appends the rows; *longest = entries of the longest list inside of one. `name`: of a column that has none. */
int sd_answer(const char *p, size_t n, enum sd_shape shape, const char *name, struct sp_result *out,
    uint64_t *longest, struct sp_error *err);

/* db_raw.c: the path of a GET instead of a query. */
int sd_raw(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);
int sd_raw_reads(struct sp_session *, const char *raw, struct sp_error *);

/* db_state.c: one state for several scans, proved behind each. */
int sd_snapshot_begin(struct sp_session *, char id[64], struct sp_error *);
int sd_snapshot_end(struct sp_session *, struct sp_error *);
/* CONFLICT unless the table is now what it was when the snapshot began, and had as many rows as came over REST (`rows`; -1 = only
 * some were asked for); nothing to say without one. */
int sd_unchanged(struct sp_session *s, const char *ns, const char *table, int64_t rows, struct sp_error *err);

/* db_exec.c, db_scan.c, db_load.c, db_facts.c */
extern const struct sp_db_ops sd_ops;
/* Lowers what this project does not offer; says what the facet adds to the facts. */
int sd_effective(struct sp_session *s, struct sp_cap *caps, struct sp_facts *facts, struct sp_error *err);
int sd_exec(struct sp_session *, const struct sp_op *, struct sp_result *, struct sp_error *);
int sd_scan(struct sp_session *, const struct sp_scan *, struct sp_rowbuf *, struct sp_error *);
int sd_load_open(struct sp_session *, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **, struct sp_error *);
int sd_load_row(struct sp_load *, const struct sp_value *, struct sp_error *);
int sd_load_close(struct sp_load *, bool commit, uint64_t *loaded, struct sp_error *);

#endif
