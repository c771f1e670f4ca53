/* props.h -- random schemas and data, copied and damaged by plain clients; verify must be right about each of them.
 *
 * A world is what a database holds, in no backend's words. A side writes worlds into one kind of backend through that
 * backend's own library, never through our provider. Expectations come from comparing two worlds. Everything of a world
 * lives in its arena. Single-threaded; failures of the test itself end the program. */
#ifndef KILL_PROPS_H
#define KILL_PROPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "map/mapping.h"
#include "base/buf.h"
#include "base/str.h"
#include "model/value.h"
#include "provider_call.h"
#include "verify/verify.h"

enum kind {
    K_BOOL,
    K_INT16,
    K_INT32,
    K_INT64,
    K_DECIMAL, /* of p digits, s of them behind the point */
    K_NUMERIC, /* of any length */
    K_F32,
    K_F64,
    K_TEXT,
    K_VARCHAR,
    K_BYTES,
    K_UUID,
    K_INSTANT,
    K_LOCAL,
    K_DATE,
    K_TIME,
    K_JSON,
    K_INTS,  /* arrays */
    K_TEXTS, /* arrays */
    K_ANY,   /* a value of any kind in each row */
    K_N
};

/* Numbers, moments and the like are text in one spelling: two cells are the same value exactly if they are the same cell. */
enum cell_tag { C_NULL, C_INT, C_F64, C_TEXT, C_BYTES, C_ABSENT };
struct cell {
    enum cell_tag tag;
    int64_t i;
    double f;
    const char *p;
    size_t n;
};

struct column {
    const char *name;
    enum kind kind;
    int p, s;
    unsigned spelling;                /* which of several ways of declaring the same */
    bool not_null, identity, indexed; /* indexed: in a key, index or reference */
    const char *dflt;                 /* a literal of SQL, or NULL */
    const char *collate;              /* SQLite: NOCASE ... */
};
struct list {
    unsigned col[4];
    unsigned n;
};
struct fk {
    struct list from, to;
    unsigned parent;
    unsigned on_delete; /* as enum sp_fk_action */
};
struct table {
    const char *name;
    struct column *cols;
    unsigned ncols;
    struct list pk;                                /* n = 0: none */
    struct list uniques[4], indexes[4], checks[4]; /* a check: the column is not 4242 */
    unsigned nuniques, nindexes, nchecks;
    struct fk fks[4];
    unsigned nfks;
    bool strict, without_rowid;
    struct cell **rows; /* of ncols cells */
    size_t nrows, cap;
    int parent; /* >= 0: an array within that table's documents, by (parent's key, line); the first two columns */
};

/* What a pair of backends can hold without a loss. */
struct limits {
    bool nan, infinity, negative_zero, nul, arrays, any, narrow, orphans, nullable_pk, documents;
    bool zero_lost; /* -0.0 becomes 0.0 */
    bool embed;     /* children that documents hold as arrays; and JSON that a document can be */
    int fraction;   /* digits of a second */
    int kept;       /* of them, the target keeps so many, and rounds */
    int digits;     /* of a decimal */
};
struct world {
    struct sp_arena arena;
    struct sp_rng rng;
    uint64_t seed;
    struct limits can;
    struct table *tables;
    unsigned ntables;
};

/* ---- world.c, values.c: making one ---- */
void world_make(struct world *w, uint64_t seed, const struct limits *can);
void world_copy(struct world *to,
    const struct world *from); /* `to` has an arena of its own, and borrows the cells' bytes */
void world_free(struct world *w);
struct cell *row_add(struct world *w, struct table *t);
struct cell cell_make(struct world *w, const struct column *c);
struct cell cell_text(struct world *w, const char *s, size_t n);
bool cell_same(const struct cell *a, const struct cell *b);
/* Would a backend take these rows? Keys and uniques once each, nulls where they may be, checks met. */
bool table_holds(const struct table *t);
unsigned long pick(struct world *w, unsigned long n); /* 0 .. n - 1 */
bool chance(struct world *w, unsigned one_in);

/* ---- damage.c ---- */
/* Changes `w`; false if the damage drawn has no place there. `table` and `element` say where a schema was damaged (element
 * NULL: rows were). */
bool damage_rows(struct world *w, char *what, size_t size, unsigned *table);
bool damage_schema(struct world *w, char *what, size_t size, unsigned *table, const char **element);

/* ---- sides ---- */
struct side {
    const struct sp_provider *provider;
    const char *kind;
    void (*create)(void *self, const struct world *w);                  /* everything, anew */
    void (*rewrite)(void *self, const struct world *w, unsigned table); /* the rows of one table */
    void (*empty)(void *self);                                          /* no table is left */
    void (*read_back)(
        void *self, struct world *w); /* what is stored instead of what was written; may be NULL */
    void *self;
    char url[600];
    const char *const *option_names;
    const char *option_values[1];
    size_t noptions;
    bool lasting; /* a session lasts, whatever is created anew meanwhile */
};
struct side *side_sqlite(const char *path);
struct side *side_pg(const char *url, const char *schema);
struct side *side_mongo(const char *url, const char *database);
/* The world as documents of another shape: fields under other names and in other places, children as arrays. */
struct side *side_mapped(const char *url, const char *database);
/* The mapping that tells, `back`: the documents are the source. */
void mapping_text(const struct world *w, bool back, struct sp_buf *out);
/* What documents can hold of it: children of parents that are there, their lines from 0 on. */
void world_settle(struct world *w);
/* Does it hold what the target is known to lose? */
bool world_loses(const struct world *w);
/* Copies of a file by other means: 0 .. SQLITE_ROUTES - 1. */
#define SQLITE_ROUTES 5
const char *sqlite_copy(const char *from, const char *to, unsigned route);
/* Within the server. */
const char *mongo_copy(struct side *from, struct side *to, const struct world *w);
const char *pg_copy(struct side *from, struct side *to, const struct world *w);

/* ---- judge.c ---- */
struct verdict {
    int rc;
    enum sp_verify_verdict verdict;
    struct sp_buf reasons;
    json_t *events; /* array of objects with "ev" */
    struct sp_error err;
};
struct sp_session *side_open(
    const struct side *s, enum sp_access access, struct sp_endpoint *e, struct sp_error *err);
/* `mapping` may be NULL: rows and relations alone are compared through one. */
void judge(const struct side *a, const struct side *b, const struct sp_mapping *mapping, struct verdict *v);
void verdict_clear(struct verdict *v);
void judge_end(void); /* closes what is held open */
/* How rows are told apart in what is said: by the stored values of the key, by its values under the columns' types, or (where
 * each value is stored in a way of its own) not at all: then only columns are held against what is expected. */
enum keys { KEYS_STORED, KEYS_TYPED, KEYS_UNNAMED };
/* The first expectation that is not met, or an empty string. */
void expect_equal(const struct verdict *v, bool loses, char *out, size_t size);
void expect_rows(const struct verdict *v, const struct world *a, const struct world *b, enum keys keys,
    char *out, size_t size);
void expect_schema(const struct verdict *v, const char *table, const char *element, char *out, size_t size);

void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void *need(void *p); /* dies without memory */

#endif
