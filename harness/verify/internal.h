/* internal.h -- private to verify/: what its parts share.
 *
 * One comparison has one context. Everything in it belongs to the thread that called sp_verify(), except what a
 * struct sp_vscan names: that is used by its side's thread while sp_v_scan() waits. Names and plans live in the
 * context's arena. Sides are numbered by enum sp_side: 0 source, 1 target. */
#ifndef SP_VERIFY_INTERNAL_H
#define SP_VERIFY_INTERNAL_H

#include "base/str.h"
#include "base/temp.h"
#include "scan_ranges.h"
#include "verify/exprtext.h"
#include "verify/gentle.h"
#include "verify/verify.h"

/* A table that exists on at least one side. */
struct sp_vpair {
    const char *name;                  /* the source's name, else the target's */
    const struct sp_table *t[2];       /* NULL = absent on that side */
    const struct sp_map_relation *rel; /* what the mapping says of it; NULL = nothing */
    struct sp_colplan *cols;           /* comparable columns, key first */
    const char **why;                  /* per planned column: why a lossy rule applies, or NULL */
    size_t ncols, nkey;
    bool residual;
    struct sp_d128 fingerprint;
    bool scanned;                  /* both sides were read to their end */
    bool digest_equal;             /* scanned, and every row is the same on both sides under the plan */
    uint64_t rows[2];              /* once scanned */
    bool stale;                    /* `rows` are of snapshots that were let go since */
    bool parked;                   /* rows differ, and are looked at again later */
    struct sp_vparked *seen;       /* rows.c: what was seen of them */
    uint64_t in_flight, unsettled; /* keys whose rows differed and arrived; that kept moving */
    bool all_listed;               /* each row that differs was listed */
    /* Once scanned: per key column a bit for each tag that its values were pushed with; NULL before. */
    const uint32_t *key_tags[2];
    const uint64_t
        *absent[2]; /* per column, nulls and missing fields that a pass over all rows counted; or NULL */
    double scan_s;  /* how long that took */
};

/* The states that are read now. */
struct sp_vsnaps {
    char id[2][64];
    bool open[2], ended_badly;
    int64_t since_ms; /* UTC, when the first one was opened */
};

struct sp_vrecheck;
struct sp_vctx {
    struct sp_session *session[2];
    struct sp_session *plain[2]; /* beneath the lenses of a mapping, which knows no objects and accounts */
    struct sp_session *const *readers[2]; /* in the same state as session */
    size_t nreaders[2];
    const struct sp_verify_options *opt;
    struct sp_emitter *em;
    struct sp_error *err;   /* the caller's; holds the first failure of the harness itself */
    int rc;                 /* 0, or that failure: nothing can be concluded any more */
    struct sp_buf *reasons; /* may be NULL */
    unsigned reasons_left;
    struct sp_arena arena;
    struct sp_schema *schema[2];
    struct sp_vpair *pairs;
    size_t npairs;
    bool same_kind;
    size_t memory; /* bytes for both sides together */
    uint64_t differences, not_compared, lossy, buckets_left_out;
    unsigned looked;        /* the checks that met something they are about: looked.c */
    struct sp_buf left_out; /* what looked.c named */
    bool *accept_met;       /* which acknowledgements something answered to */
    bool capped;
    uint64_t rows, bytes;
    uint64_t sampled; /* rows looked at by chance */
    struct sp_vgentle gentle;
    uint64_t failed_scans; /* sides that could not be read to the end */
    double per_s[2]; /* rows that one reader of the side got a second, when it was last measured; 0 = never */
    uint64_t waiting; /* tables whose result is not there yet: rows that differ are read again later */
    bool resumed, not_kept;
    struct sp_vdiagnosis *diagnosis; /* of the table whose rows are being compared; NULL = nobody collects */
    struct sp_vsnaps snaps;
    struct sp_vrecheck *recheck; /* recheck.c; NULL = rows are looked at once */
    struct sp_buf *differs;      /* gets a line for each sp_v_differ(); may be NULL */
    uint64_t in_flight, unsettled;
    int64_t
        since_ms; /* since when the differences that are sent now have been seen; 0 = since the snapshots */
};

/* ---- verify.c: the verdict is counted here ----------------------------------------------------------------- */
/* sp_verify() with another memory bound, for tests. */
int sp_verify_bounded(struct sp_session *source, struct sp_session *target, const struct sp_verify_options *,
    size_t memory, struct sp_emitter *, enum sp_verify_verdict *verdict, struct sp_buf *reasons,
    struct sp_error *);
void sp_v_send(struct sp_vctx *c, struct sp_event *ev); /* a failure ends the comparison */
int sp_v_nomem(struct sp_vctx *c);                      /* likewise; returns -SP_E_NOMEM */
int sp_v_abort(struct sp_vctx *c, struct sp_error *why);
/* One reason for the verdict; `n` differences. */
void sp_v_differ(struct sp_vctx *c, uint64_t n, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void sp_v_not_compared(struct sp_vctx *c, const char *name, const char *what, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The same of a thing that can be acknowledged by name. */
void sp_v_not_inspected(struct sp_vctx *c, const char *element, const char *table, const char *name,
    const char *fmt, ...) __attribute__((format(printf, 5, 6)));
void sp_v_lossy(struct sp_vctx *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sp_v_finding(struct sp_vctx *c, const char *name, const char *column, const char *topic, uint64_t count,
    const char *fmt, ...) __attribute__((format(printf, 6, 7)));
/* A schema difference: event and reason. NULL expected or actual = not there. */
void sp_v_schema_diff(struct sp_vctx *c, const char *element, const char *table, const char *name,
    const char *expected, const char *actual);
/* The same of what may hold rows that nobody read: no acknowledgement covers those. */
void sp_v_schema_lost(struct sp_vctx *c, const char *element, const char *table, const char *name,
    const char *expected, const char *actual);
bool sp_v_selected(const struct sp_vctx *c, const char *table);
const char *sp_v_side_name(enum sp_side side);

/* ---- accept.c ---------------------------------------------------------------------------------------------- */
int sp_v_accept_check(const struct sp_verify_options *, struct sp_error *);
bool sp_v_accepted(struct sp_vctx *c, const char *element, const char *table, const char *name);
void sp_v_accept_unmet(struct sp_vctx *c);
void sp_v_put_accepted(const struct sp_vctx *c, struct sp_buf *out);

/* ---- match.c ----------------------------------------------------------------------------------------------- */
int sp_v_match(struct sp_vctx *c);            /* fills pairs */
void sp_v_schema_presence(struct sp_vctx *c); /* tables and columns that only one side has */
const struct sp_vpair *sp_v_pair(const struct sp_vctx *c, enum sp_side side, const char *table);
/* A column pair for sp_equiv_resolve where only one side has the table. */
int sp_v_resolve(struct sp_vctx *c, const struct sp_column *s, const struct sp_column *t,
    struct sp_colplan *out, const char **why);

/* ---- mapped.c: what a mapping says --------------------------------------------------------------------------- */
struct sp_map_relation;
struct sp_map_column;
const struct sp_map_relation *sp_v_relation(const struct sp_vctx *c, const char *name); /* NULL = nothing */
const struct sp_map_column *sp_v_map_column(
    const struct sp_vpair *p, const char *column);              /* NULL = nothing */
bool sp_v_listed(const struct sp_vpair *p, const char *column); /* it may be matched by name */
/* What the two sides declare of it can be compared: it is a column on both. */
bool sp_v_declared(const struct sp_vpair *p, const char *column);
/* sp_equiv_resolve() with the rules and the type that the mapping gives; `m` may be NULL. */
int sp_v_resolve_given(struct sp_vctx *c, const struct sp_map_column *m, const struct sp_column *s,
    const struct sp_column *t, struct sp_colplan *out, const char **why);
/* The i-th reference of the pair's relation; NULL = it cannot be checked, which was said. */
const struct sp_fk *sp_v_mapped_fk(struct sp_vctx *c, const struct sp_vpair *p, size_t i);
struct sp_d128 sp_v_mapped_fingerprint(const struct sp_vctx *c, struct sp_d128 plan);
/* Findings for all that is not compared because the mapping says so; a line of `out` for each. */
void sp_v_mapped_left_out(struct sp_vctx *c, struct sp_buf *out);
void sp_v_put_mapped(struct sp_vctx *c, struct sp_buf *out); /* the same, for the verdict's message */

/* ---- scan.c: one pass over one or both sides ---------------------------------------------------------------- */
struct sp_vscan {
    struct sp_session *session; /* NULL = this side is left out */
    struct sp_scan scan;
    struct sp_digest *buckets; /* borrowed, zeroed by the caller; may be NULL */
    size_t nbuckets;
    struct sp_ranges *ranges; /* borrowed, empty; may be NULL */
    bool ranges_alone;
    /* Read by several sessions when there are any and `row` is NULL: parts.c. */
    struct sp_session *const *readers;
    size_t nreaders;
    const struct sp_names *bounds; /* of the split; NULL = the whole table */
    size_t first, step;            /* this reader's ranges: first, first + step, ... */
    struct sp_pacer *pacer;        /* of the side; NULL = full speed */
    struct sp_vsample *sample;
    int (*row)(void *payload, const struct sp_rowview *row); /* may be NULL; non-zero stops */
    void *payload;
    /* Results. */
    int rc;
    struct sp_error err;
    struct sp_digest digest;
    struct sp_colstat *stats; /* scan.ncols, owned */
    uint64_t bytes, max_row;
    const struct sp_colstat *live; /* for `row`, without readers: the counters with this row in them */
    /* Between the threads. */
    uint64_t progress;
    int done;
};
/* Runs both at the same time. `total` = rows expected in all, 0 = unknown. Results stand in each scan; the return
 * value is 0, or negative when the comparison as a whole must end (interrupted, no memory for a thread). */
int sp_v_scan(struct sp_vctx *c, struct sp_vscan v[2], const char *table, uint64_t total);
/* The first pass over a pair: the total is what the backends estimate, where they do. */
int sp_v_scan_first(struct sp_vctx *c, struct sp_vscan v[2], const struct sp_vpair *p);
void sp_v_scan_free(struct sp_vscan v[2]);
void sp_v_add_stats(struct sp_colstat *to, const struct sp_colstat *from);
#define SP_V_MAX_READERS 64 /* of a side */
void sp_v_scan_init(struct sp_vctx *c, struct sp_vscan *v, enum sp_side side, const struct sp_table *t,
    const struct sp_colplan *cols, size_t ncols, size_t nkey, bool residual);

/* The scan of a pair under its plan: rows, and where they differ. */
void sp_v_scan_pair(struct sp_vctx *c, struct sp_vscan *v, enum sp_side side, const struct sp_vpair *p);
/* ---- parts.c: a table read by several sessions of one side ------------------------------------------------------------ */
/* Opens and ends the readers' snapshots, in the state of the side's own. */
void sp_v_readers_join(struct sp_vctx *c, enum sp_side side);
int sp_v_readers_end(struct sp_vctx *c, enum sp_side side, struct sp_error *err);
/* A sample of key digests: a part that is read twice would be in it twice. */
struct sp_vsample {
    struct sp_d128 *keys;
    size_t n, cap;
    bool oom;
};
void sp_v_sample_row(struct sp_vsample *s, const struct sp_rowview *row);
struct sp_vparts {
    struct sp_vscan *whole;   /* the side's scan, which gets the results */
    struct sp_vscan *readers; /* owned; NULL = the side is read by one session */
    size_t n;
    struct sp_names bounds;
};
/* Cuts the scan's table of about so many rows (0 = not known); leaves `out` without readers where that is not possible. */
void sp_v_parts_open(
    struct sp_vctx *c, struct sp_vscan *v, enum sp_side side, uint64_t rows, struct sp_vparts *out);
/* After all have ended: results into the whole, with the proof that each row was seen once. */
void sp_v_parts_close(struct sp_vparts *p);

/* ---- sort.c, collect.c: exact counts of a table whose digests differ -------------------------------------- */
struct sp_ventry {
    struct sp_d128 key, row;
    uint64_t n; /* equal rows */
};
void sp_v_sort_entries(struct sp_ventry *e, size_t n); /* by key, then row; in place */
/* Sorts, and makes equal entries one; returns how many are left. */
size_t sp_v_compact_entries(struct sp_ventry *e, size_t n);
void sp_v_sort_digests(struct sp_d128 *d, size_t n);
int sp_v_d128_cmp(struct sp_d128 a, struct sp_d128 b);
/* Finds a digest in a sorted array with two steps to memory. */
struct sp_vindex {
    const struct sp_d128 *d; /* borrowed */
    size_t n;
    uint32_t *start; /* nbuckets + 1, owned */
    uint64_t min;
    unsigned shift;
    size_t nbuckets;
};
int sp_v_index_make(struct sp_vindex *x, const struct sp_d128 *d, size_t n); /* 0, NOMEM, TOO_LARGE */
void sp_v_index_free(struct sp_vindex *x);
size_t sp_v_index_find(const struct sp_vindex *x, struct sp_d128 what); /* n = not there */
/* Keeps those that are not there, at the front; returns how many. */
size_t sp_v_index_absent(const struct sp_vindex *x, struct sp_d128 *what, size_t n);

/* A row, or a pair of rows with one key, that differs. */
struct sp_vwanted {
    struct sp_d128 key, row[2];
    uint64_t n[2]; /* how often; 0 = not on that side */
    bool unlisted; /* beyond the cap on listed rows: looked at, not shown */
};
struct sp_vcounts {
    uint64_t missing, extra, changed, duplicates[2];
};

/* ---- suspects.c: which rows may differ, and reading them again ------------------------------------------------------ */
#define SP_V_BUCKET_BITS 15u
#define SP_V_BUCKETS     ((size_t)1 << SP_V_BUCKET_BITS)
/* What pass 1 counts into, of both sides. */
struct sp_vsums {
    struct sp_digest *buckets[2];
    struct sp_ranges ranges[2];
    bool ranged; /* the first key column may be ordered */
};
int sp_v_sums_init(
    struct sp_vsums *m, const struct sp_vpair *p); /* 0 or -SP_E_NOMEM; free it in either case */
void sp_v_sums_free(struct sp_vsums *m);
void sp_v_sums_use(struct sp_vsums *m, const struct sp_vpair *p, enum sp_side side, struct sp_vscan *v);
struct sp_vrun {
    uint64_t from, to; /* values of scan_ranges.h, both ends included */
    uint64_t rows;
};
struct sp_vsuspects {
    bool alone; /* a range tells all about a key */
    enum sp_tag tag;
    unsigned shift; /* of the ranges */
    uint64_t base;
    uint8_t *ranges, *buckets;       /* a bit for each unequal one; ranges: NULL = there are none */
    uint64_t far[2 * SP_RANGES_FAR]; /* values apart from all ranges, whose rows are unequal */
    size_t nfar;
    bool narrow; /* these runs hold all suspects, and are few rows */
    struct sp_vrun *runs;
    size_t nruns;
    uint64_t narrow_rows;
    struct sp_digest expect[2]; /* of the rows in unequal ranges */
};
/* 0 or -SP_E_NOMEM; free it in either case. Brings the ranges of both sides together. */
int sp_v_suspects_make(
    struct sp_vsuspects *s, const struct sp_vpair *p, struct sp_vsums *m, const struct sp_digest first[2]);
void sp_v_suspects_free(struct sp_vsuspects *s);
/* Gets each suspect, on its side's thread; non-zero stops. When the reading of ranges alone fails, or does not see what
 * pass 1 saw there, all begins again with the whole table: `restart` then forgets what came. */
struct sp_vreceiver {
    int (*row)(void *payload, const struct sp_rowview *row);
    void (*restart)(void *payload);
    void *payload[2];
};
/* 0 = every suspect came, and is as pass 1 saw it. */
int sp_v_reread(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *s,
    const struct sp_digest first[2], const struct sp_vreceiver *to, struct sp_error *err);
/* A later pass must have worked and seen the same rows as the first. */
int sp_v_check_rescan(const struct sp_vscan v[2], const struct sp_digest first[2], struct sp_error *err);

/* ---- spill.c: entries in order, more than memory takes ---------------------------------------------------------- */
/* How many entries of one side may be in memory. */
static inline size_t sp_v_entries_cap(const struct sp_vctx *c)
{
    return c->memory / 2 / 8 * 3 / sizeof(struct sp_ventry);
}
struct sp_vspill_run {
    uint64_t at, n; /* in entries */
};
struct sp_vspill_cursor {
    uint64_t file_at, left;
    size_t base, share, at, end; /* its part of the array */
};
struct sp_vspill {
    struct sp_ventry *e; /* cap */
    bool borrowed;       /* e; else owned */
    size_t n, cap;
    int fd; /* -1 = all is in memory */
    uint64_t file_n;
    struct sp_vspill_run *runs;
    size_t nruns, runs_cap;
    struct sp_vspill_cursor *cursors; /* a heap, while reading back */
    size_t nheap;
};
int sp_v_spill_init(struct sp_vspill *s, size_t cap, struct sp_error *err);
/* With an array that stays the caller's. */
int sp_v_spill_borrow(struct sp_vspill *s, struct sp_ventry *e, size_t cap, struct sp_error *err);
int sp_v_spill_add(struct sp_vspill *s, const struct sp_ventry *e, struct sp_error *err);
/* After the last entry: then each next gives 1 and an entry (by key, then row; equal ones as one), or 0 at the end. */
int sp_v_spill_begin(struct sp_vspill *s, struct sp_error *err);
int sp_v_spill_next(struct sp_vspill *s, struct sp_ventry *out, struct sp_error *err);
void sp_v_spill_reset(struct sp_vspill *s); /* empty again */
void sp_v_spill_free(struct sp_vspill *s);

/* ---- hold.c: the suspects that are listed first, whole --------------------------------------------------------------- */
struct sp_vheld {
    struct sp_d128 key, row;
    size_t at; /* in the bytes */
    uint32_t n;
    bool whole; /* else only the key */
};
struct sp_vhold {
    uint8_t *bytes; /* room, owned */
    size_t room, used;
    struct sp_vheld *e; /* cap, owned */
    size_t n, cap;
    bool limited;
    struct sp_d128 limit; /* of keys; not held from here on */
};
int sp_v_hold_init(struct sp_vhold *h, size_t room); /* takes 1.5 times the room; 0 or -SP_E_NOMEM */
void sp_v_hold_row(struct sp_vhold *h, const struct sp_rowview *row);
void sp_v_hold_reset(struct sp_vhold *h);
void sp_v_hold_sort(struct sp_vhold *h); /* then find */
const struct sp_vheld *sp_v_hold_find(const struct sp_vhold *h, struct sp_d128 key, struct sp_d128 row);
void sp_v_hold_free(struct sp_vhold *h);

/* ---- collect.c, gather.c, details.c: what differs, counted and listed -------------------------------------------- */
struct sp_vdiffs {
    /* Asked for each key whose rows differ: false = it is neither counted nor listed. NULL = all are. */
    bool (*differs)(void *payload, struct sp_d128 key);
    void *payload;
    struct sp_vcounts counts;
    struct sp_vwanted *list; /* the first ones by key digest; owned */
    size_t n, max;
    size_t shown; /* of them, so many are listed; the others are only looked at for causes */
    bool capped;
    struct sp_vhold hold[2];
};
/* Pass 2: `first` are the digests of pass 1, which every pass must see again. */
int sp_v_collect(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *suspects,
    const struct sp_digest first[2], struct sp_vdiffs *out, struct sp_error *err);
void sp_v_diffs_free(struct sp_vdiffs *d);
/* The listed rows of both sides. */
struct sp_vfound {
    uint8_t *p; /* NULL = in the file, or not found */
    size_t n;
    uint64_t at;
    bool have, owned;
};
struct sp_vplace { /* of one side */
    int fd;
    uint64_t used;
    size_t room; /* left in memory */
    int rc;
    struct sp_error err;
};
struct sp_vgather {
    const struct sp_vwanted *list;
    size_t n, shown;
    struct sp_vfound *found[2]; /* n each, owned */
    struct sp_vplace place[2];
};
/* Finds them all; free it in either case. */
int sp_v_gather(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *suspects,
    const struct sp_digest first[2], const struct sp_vdiffs *d, struct sp_vgather *g, struct sp_error *err);
bool sp_v_lacks(
    const struct sp_vgather *g, size_t i); /* of those that are not shown, some may not be there */
/* One of them, in memory: if it is owned and not that of g->found, it is the caller's to free. */
int sp_v_gathered(
    struct sp_vgather *g, size_t i, enum sp_side side, struct sp_vfound *out, struct sp_error *err);
void sp_v_gather_free(struct sp_vgather *g);
/* Pass 3, where pass 2 did not hold them: events for the listed rows. */
int sp_v_details(struct sp_vctx *c, const struct sp_vpair *p, struct sp_vsuspects *suspects,
    const struct sp_digest first[2], const struct sp_vdiffs *diffs, struct sp_error *err);

/* ---- fetch.c: rows by their keys ------------------------------------------------------------------------------- */
/* What is promised about rows that a scan would show under the keys that are asked for. */
enum sp_vfetch {
    SP_VF_TRY,   /* nothing: some may be missed. For callers who know which rows have to come. */
    SP_VF_STATE, /* none is missed in the state that p->key_tags was seen in (the snapshot of pass 1) */
    SP_VF_LATER /* none is missed in this and in any later state; without p->key_tags, by declarations alone */
};
struct sp_vkey {
    const uint8_t *p; /* the canonical key fields: the first nkey bytes of a row */
    size_t n;
};
/* NULL = sp_v_fetch() would do it; else why not. Keys that are no plain values of their column turn up only there. */
const char *sp_v_fetch_why_not(const struct sp_vpair *p, enum sp_side side, enum sp_vfetch how);
/* Reads the rows of one side that have these keys, in its session's present state, and gives each to `row` with the index of
 * its key: the same canonical row and digests as a scan's. Called on a thread of its own, one at a time; several rows
 * under one key all come; an equal key that is asked for twice gets its rows twice. Rows whose key was not asked for never
 * come. Non-zero from `row` stops (-SP_E_CANCELLED). Every statement's end was confirmed by the backend when this is 0.
 * -SP_E_UNSUPPORTED: the promise cannot be made (or the backend has no such filter): read the table instead.
 * -SP_E_TIMEOUT: with max_s > 0, it would take longer than that many seconds, as the first keys showed; likewise.
 * After either, some rows may have been given already. Both sides: one after the other. Memory: 256 KiB of keys and one
 * key more, beside what the backend needs. */
int sp_v_fetch(struct sp_vctx *c, const struct sp_vpair *p, enum sp_side side, const struct sp_vkey *keys,
    size_t n, enum sp_vfetch how, double max_s,
    int (*row)(void *payload, size_t key, const struct sp_rowview *row), void *payload, struct sp_error *err);
/* Keeps what pass 1 saw of the keys' storage in the pair. */
int sp_v_key_tags(struct sp_vctx *c, struct sp_vpair *p, enum sp_side side, const struct sp_colstat *stats);

/* ---- field.c: canonical rows for people ---------------------------------------------------------------------- */
struct sp_vfield {
    enum sp_state state;
    const uint8_t *whole; /* state byte, length, bytes */
    size_t nwhole;
    const uint8_t *bytes;
    size_t nbytes;
};
/* The field at p; returns bytes used or -SP_E_CORRUPT. */
int64_t sp_v_field(const uint8_t *p, size_t n, struct sp_vfield *out);
/* The text by which a person finds the row: its key, or all of it where it has none. */
int sp_v_row_text(
    struct sp_vctx *c, const struct sp_vpair *p, const uint8_t *row, size_t n, struct sp_buf *out);
/* The key columns of a row as text: id=7, part=text "a". */
int sp_v_print_key(
    struct sp_buf *out, const struct sp_colplan *cols, size_t nkey, const uint8_t *row, size_t n);
/* A field as text; values hidden behind type, length and digest unless shown. */
int sp_v_print_field(struct sp_buf *out, const struct sp_type *type, const struct sp_vfield *f, bool show);

/* One differing field of a row that both sides have. */
int sp_v_cell(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w, const char *key,
    const char *column, const struct sp_type *type, const struct sp_vfield f[2]);

/* ---- details.c: a row that differs, as events; NULL = not on that side. 0, NOMEM, or CORRUPT where nothing differs */
int sp_v_emit_row(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w,
    const uint8_t *const row[2], const size_t n[2]);
/* ---- sample.c: some rows, chosen by chance */
void sp_v_sample(struct sp_vctx *c, struct sp_vpair *p); /* instead of sp_v_rows() */
bool sp_v_sampled(const struct sp_verify_options *o);
bool sp_v_refuses_sample(const struct sp_verify_options *o, struct sp_error *err);
void sp_v_put_sample(const struct sp_vctx *c, struct sp_event *ev);
void sp_v_put_sampled(const struct sp_vctx *c, struct sp_buf *out); /* beside the verdict */

/* ---- diagnosed.c: likely causes ----------------------------------------------------------------------------- */
int sp_v_diag_begin(struct sp_vctx *c, const struct sp_vpair *p);
/* A row that differs, before its cells: NULL = not on that side. `key` is text. 0 or NOMEM, as the others. */
int sp_v_diag_row(struct sp_vctx *c, const struct sp_vpair *p, const char *key, const uint8_t *const row[2],
    const size_t n[2]);
int sp_v_diag_cell(
    struct sp_vctx *c, const char *column, const struct sp_type *type, const struct sp_vfield f[2]);
int sp_v_diag_row_end(struct sp_vctx *c);
/* Events, when the counts are exact; NULL = nothing can be said. */
void sp_v_diag_end(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vcounts *counts);

/* ---- residual.c: undeclared fields ---------------------------------------------------------------------------- */
/* Appends where two fields first differ inside, as a JSON pointer; nothing if they are no documents or arrays. */
int sp_v_field_path(struct sp_buf *out, const struct sp_type *type, const struct sp_vfield f[2]);
/* An event per undeclared field that differs: `at` and `left` are what stands behind the columns of both rows. */
int sp_v_residual(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vwanted *w, const char *key,
    const uint8_t *const at[2], const size_t left[2]);
/* A finding, once: the order of the fields at the top of documents is not compared. */
void sp_v_unordered_fields(struct sp_vctx *c);

/* Lets the snapshots go and opens new ones, the target's first: then its rows are never newer than the source's. What was
 * proved of earlier states is proved no more. */
int sp_v_refresh(struct sp_vctx *c, struct sp_error *err);
/* recheck.c: rows that differ are looked at again, because others write meanwhile. Between init and free, sp_v_rows() parks
 * tables whose rows differ; sp_v_recheck() says what became of them. */
int sp_v_recheck_init(struct sp_vctx *c); /* nothing where it was not asked for */
void sp_v_recheck_free(struct sp_vctx *c);
/* False: the rows are judged now. True: they wait, and the pair is parked. */
bool sp_v_recheck_park(struct sp_vctx *c, struct sp_vpair *p);
/* A key whose rows differ. True: it counts as a difference now. */
bool sp_v_recheck_key(void *recheck, struct sp_d128 key);
void sp_v_recheck(struct sp_vctx *c);
/* The table waits no more; with `say`, none of its rows is a difference. Also where it did not wait. */
void sp_v_rows_unpark(struct sp_vctx *c, struct sp_vpair *p, bool say);
/* again.c: the same for a check that is no matter of single rows: what it finds counts when it stands at every look. */
#define SP_V_SEQUENCES "sequences"
void sp_v_again(struct sp_vctx *c, const char *what, void (*check)(struct sp_vctx *, struct sp_vpair *),
    struct sp_vpair *p);
/* Waits, and comes back early when the comparison is interrupted. */
void sp_v_wait(struct sp_vctx *c, int64_t ns);
/* Adds to an event of a difference since when it has been seen; `key` may be NULL. */
void sp_v_put_since(const struct sp_vctx *c, struct sp_event *ev, const struct sp_d128 *key);
int64_t sp_v_recheck_since(
    const struct sp_vctx *c, struct sp_d128 key); /* UTC in ms, 0 = not one of its rows */
/* So long what differs must have stood still, in ns. */
int64_t sp_v_recheck_need(const struct sp_vctx *c);

/* ---- keep.c: what --resume goes on from -------------------------------------------------------------------------- */
void sp_v_keep_open(struct sp_vctx *c, const char *const ids[2], const struct sp_d128 schema[2]);
void sp_v_rows_kept(struct sp_vctx *c, struct sp_vpair *p); /* sp_v_rows(), or what it said before */

/* ---- the checks ------------------------------------------------------------------------------------------------ */
void sp_v_rows(struct sp_vctx *c, struct sp_vpair *p);
/* Names the values that these rules of the source changed: by column, a bit for each rule. */
void sp_v_losses(
    struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vscan *source, const unsigned *loses);
void sp_v_row_findings(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_vscan v[2], bool equal);
void sp_v_compare_table(struct sp_vctx *c, const struct sp_vpair *p); /* everything but presence */
void sp_v_compare_columns(struct sp_vctx *c, const struct sp_vpair *p);
void sp_v_compare_inventory(struct sp_vctx *c);
void sp_v_hidden_rows(struct sp_vctx *c);
void sp_v_sequences(struct sp_vctx *c);
void sp_v_relations(struct sp_vctx *c);
void sp_v_custom(struct sp_vctx *c);
void sp_v_queries(struct sp_vctx *c);
/* answers.c: compares two answers; what differs becomes events. 0 = alike, 1 = not, or -SP_E_NOMEM. */
int sp_v_answers(struct sp_vctx *c, const struct sp_verify_query *q, const struct sp_result r[2]);
void sp_v_counts(struct sp_vctx *c);
void sp_v_uniqueness(struct sp_vctx *c);
void sp_v_required(struct sp_vctx *c);
void sp_v_keep_absent(struct sp_vctx *c, struct sp_vpair *p, const struct sp_vscan v[2]);
void sp_v_demands(struct sp_vctx *c);
size_t sp_v_blobs(struct sp_vctx *c);                /* how many buckets were met */
bool sp_v_compares_objects(const struct sp_vctx *c); /* that check is chosen, and both sides keep objects */
uint64_t sp_v_accounts(struct sp_vctx *c);           /* how many there are */
bool sp_v_keeps_tables(const struct sp_vctx *c, enum sp_side side);
void sp_v_business_key(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_verify_demand *d);
void sp_v_required_fields(struct sp_vctx *c, const struct sp_vpair *p, const struct sp_verify_demand *d);
/* After sp_v_rows(): columns of a table that differs. Without the row check: columns of any table, and whether they differ. */
void sp_v_profile(struct sp_vctx *c, struct sp_vpair *p);

/* ---- looked.c: checks that met nothing, and what the choice of tables or checks leaves out ---------------------- */
#define SP_V_TEAM (1u << 30) /* among the checks that looked at something: one that the team configured */
void sp_v_looked(struct sp_vctx *c, unsigned check);
void sp_v_looked_at_nothing(struct sp_vctx *c); /* behind the last check */
void sp_v_put_idle(const struct sp_vctx *c, struct sp_buf *out);
/* An event for each of the team's checks and each relation that is not looked at; `tables`: those of some tables are. */
void sp_v_named_out(struct sp_vctx *c, bool tables);
bool sp_v_demand_chosen(const struct sp_vctx *c, const struct sp_verify_demand *d);
void sp_v_put_named_out(const struct sp_vctx *c, struct sp_buf *out);

/* ---- choice.c: checks by name ---------------------------------------------------------------------------------- */
bool sp_v_checks_known(unsigned mask);
unsigned sp_v_left_out(const struct sp_vctx *c); /* what a default comparison would have looked at */
void sp_v_put_checks(struct sp_buf *out, unsigned mask);

/* ---- exprtext.c --------------------------------------------------------------------------------------------- */
/* marks.c: descending columns, collations, conflict clauses, autoincrement, stored: what definitions of tables and indexes
 * say beyond the model, and of what they say it. `counts` (may be NULL): that only b has an autoincrement is fine, and told
 * there. */
bool sp_v_marks_equal(const char *a, const char *b, bool *counts);

#endif
