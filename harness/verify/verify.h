/* verify.h -- do two copies hold the same data?
 *
 * Read-only on both sides. Memory stays flat: at most SP_VERIFY_MEMORY bytes for both sides plus three times the
 * largest row. One thread per side while scanning. Emits verify_start ... verify_end; the verdict decides the exit
 * code. */
#ifndef SP_VERIFY_VERIFY_H
#define SP_VERIFY_VERIFY_H

#include "event.h"
#include "provider_call.h"

#define SP_VERIFY_MEMORY (48u << 20)

enum sp_verify_checks {
    SP_VC_SCHEMA = 1,
    SP_VC_ROWS = 2,
    SP_VC_RELATIONS = 4,
    SP_VC_SEQUENCES = 8,
    SP_VC_PROFILES = 16, /* with rows: of the tables that differ; without: of every table */
    SP_VC_COUNTS = 32,   /* a fast look: what rows does anyway */
    SP_VC_UNIQUENESS = 64,
    SP_VC_REQUIRED = 128,
    SP_VC_BLOBS = 256,
    SP_VC_ACCOUNTS = 512,
    SP_VC_DATA = 31 | SP_VC_UNIQUENESS | SP_VC_REQUIRED, /* all that looks into the database */
    SP_VC_ALL = SP_VC_DATA | SP_VC_BLOBS | SP_VC_ACCOUNTS
};
/* The bit of a check by its name, "all" included; 0 = there is none. */
unsigned sp_verify_check(const char *name);
#define SP_VERIFY_CHECK_NAMES                                                                                \
    "schema", "rows", "relations", "sequences", "profiles", "counts", "uniqueness", "required", "blobs",     \
        "accounts", "all"
enum sp_verify_verdict {
    SP_VV_EQUAL,
    SP_VV_EQUAL_WITH_LOSS,
    SP_VV_DIFFERENT,
    SP_VV_NOT_COMPARED,
    SP_VV_NO_DIFFERENCE_SEEN /* the best that a sample can say */
};
const char *sp_verify_verdict_name(
    enum sp_verify_verdict v); /* equal equal_with_loss different not_compared no_difference_seen */

struct sp_mapping;
/* A business key, or required fields: the team's own, of one table or relation. */
struct sp_verify_demand {
    const char *name, *table;
    const char *const *columns;
    size_t ncolumns;
    bool unique; /* together; false: each is required */
};

/* A query whose answer is checked on both sides: the number of its rows, or that both sides answer the same. */
struct sp_verify_query {
    const char *name;
    const struct sp_query *query; /* in the words of the logical schema; NULL: `raw` */
    const char *raw[2];           /* in each side's own language; NULL = there is none for that kind */
    bool same;                    /* both answer alike; else `expect` rows on each */
    bool ordered;                 /* row by row; else as a multiset */
    int64_t expect;
};

struct sp_verify_options {
    unsigned checks;
    const char *source_ns, *target_ns; /* NULL = the default namespace */
    const char *const *tables;
    size_t ntables; /* globs; empty = all */
    const char *const *buckets;
    size_t nbuckets; /* globs, or SOURCE=TARGET for another name; empty = all, by name */
    const char *const *accept_loss;
    size_t naccept_loss; /* TABLE.COLUMN or COLUMN */
    const char *const *accept;
    size_t
        naccept; /* KIND:NAME or KIND:TABLE.NAME: schema differences and objects not compared, never data */
    /* What names mean; NULL = themselves. Both sessions are lenses of it (map/lens.h), and so are the readers. */
    const struct sp_mapping *mapping;
    uint64_t max_differences; /* rows listed per table; counts stay exact. Default 100 */
    bool show_values;
    bool strict_integrity;
    const struct sp_query *const *custom;
    const char *const *custom_names;
    const int64_t *custom_expect;
    size_t ncustom;
    const struct sp_verify_query *queries;
    size_t nqueries;
    const struct sp_verify_demand *demands;
    size_t ndemands;
    /* More sessions of each side, open and idle: tables are then read by several at once. Where a side cannot be read so,
     * a finding says it and one session reads. They stay the caller's. */
    struct sp_session *const *readers[2];
    size_t nreaders[2];
    /* Reading gently; 0 = without that bound. What is beyond it when a bound is passed is not compared. */
    uint64_t rate;           /* rows a second of each side */
    int64_t max_lag_ms;      /* of a standby behind the server that it follows */
    int64_t max_snapshot_ms; /* age of the snapshots: what a server must keep for them */
    /* A session of each side, open and idle, to ask how reading weighs there; NULL = nobody asks. They stay the caller's. */
    struct sp_session *watch[2];
    struct sp_session
        *raw[2]; /* of the same place and kind as `watch`: what the sides' own sessions read through */
    /* Rows that differ are read again for so long, because others write meanwhile; 0 = one look. */
    int64_t recheck_ms;
    /* A quick look: this share of the rows (0 < share <= 1), or at most so many of each table; 0 and 0 = all are compared.
     * Checks other than schema, rows and sequences are refused with it. */
    double sample_share;
    uint64_t sample_rows, sample_seed;
    /* state.h: what a run that was killed has left, and what this one leaves; may be NULL. *unread (may be NULL) is set to
     * whether a table was not read to its end. */
    struct sp_vstate *state;
    bool *unread;
    /* May be NULL. total_rows: 0 = not known; about: an estimate, which may be wrong by any factor. */
    void (*progress)(void *payload, const char *table, uint64_t rows, uint64_t total_rows, bool about);
    void *payload;
};
/* Sessions are open and stay the caller's. 0 and *verdict, or a negative error (nothing concluded). */
int sp_verify(struct sp_session *source, struct sp_session *target, const struct sp_verify_options *,
    struct sp_emitter *, enum sp_verify_verdict *verdict, struct sp_buf *reasons, struct sp_error *);
/* How many rows of `child` refer to nothing through `fk`: `schema` is what introspection said of the session. */
int sp_verify_orphans(struct sp_session *, struct sp_schema *schema, const struct sp_table *child,
    const struct sp_fk *fk, uint64_t *count, struct sp_error *);
/* equal 0; equal_with_loss 1; different 1; not_compared 3; no_difference_seen 3: most rows were not looked at. */
int sp_verify_exit_code(enum sp_verify_verdict v);

#endif
