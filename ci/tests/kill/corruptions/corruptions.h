/* corruptions.h -- the kill matrix of `switchproof verify`: what its parts share.
 *
 * Databases are made, copied and damaged with the plain sqlite3 library and the plain file calls, never with our own
 * provider; the judge is the program itself, started like a user starts it. Single-threaded. */
#ifndef KILL_CORRUPTIONS_H
#define KILL_CORRUPTIONS_H

#include <jansson.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define MAX_WANTS 4

enum set { SET_PACKAGES = 1, SET_NASTY = 2 };

struct corruption {
    const char *kind;
    enum set set;
    /* A SELECT of (id, key, id2, key2) or (id, key), evaluated before planting and kept in temp.pick for `sql`; key and
     * key2 stand for @1 and @2 in `want`. NULL = not needed. No row = this database has no place for it. */
    const char *pick;
    const char *sql;
    /* What verify.json must hold, "list:field=value|field=value ..." */
    const char *want[MAX_WANTS];
    /* And no more than that: missing + extra + changed of all tables, schema differences, introduced orphans; ANY = not
     * checked. */
    int rows, schema, orphans;
};
#define ANY (-1)
extern const struct corruption corruptions_packages[], corruptions_nasty[]; /* end with a NULL kind */

/* ---- databases ---- */
sqlite3 *db_open(
    const char *path); /* with the functions f64(hex), ulp(real), flip(value, byte, bit); exits on failure */
bool db_exec(sqlite3 *db, const char *sql); /* false and a message */
void db_close(sqlite3 *db);
bool db_make_nasty(const char *path, bool with_invalid_text);
bool file_copy(const char *from, const char *to);
/* Every schema object and row anew, through bound values, rows in descending order of the rowid. */
bool db_rebuild(const char *from, const char *to, const char *pragmas);

/* Another program, a process of its own (locks of one process don't hold against itself, and fall when it closes the
 * file anywhere). Returns when it has run `once`; then runs `again` every few milliseconds, unless that is NULL, until
 * holder_end(), and leaves without a commit. */
struct holder {
    int pid, to, from;
};
bool holder_start(struct holder *h, const char *path, const char *once, const char *again);
void holder_end(struct holder *h);

/* ---- judging ---- */
struct verdict {
    int exit_code;
    json_t *report; /* verify.json, or NULL */
    char log[8192]; /* what the program printed */
    bool touched;   /* a file of either side changed, appeared or disappeared */
};
struct place {
    const char *program, *work;
    char source[512], copy[512], report[512]; /* files src/db and dst/db, directory */
};
void place_init(struct place *p, const char *program, const char *work);
void place_clear_copy(struct place *p);
/* Runs `verify sqlite:a sqlite:b --report-dir ...` with more options (NULL-ended, or NULL). */
void verify(const struct place *p, const char *a, const char *b, const char *const *more, struct verdict *v);
void program(const struct place *p, const char *const *args, struct verdict *v);
void verdict_free(struct verdict *v);
/* The first unmet expectation as a message, or an empty string. `keys` replace @1 and @2. */
void expect_want(
    const struct verdict *v, const char *want, const char *const keys[2], char *out, size_t size);
/* What was left out on demand ("accepted") is not counted by count_not_compared. */
long count_not_compared(const struct verdict *v);
long count_rows(const struct verdict *v), count_list(const struct verdict *v, const char *list),
    count_orphans(const struct verdict *v);

/* ---- keeping score ---- */
extern unsigned long passed, failed, skipped;
void score(const char *database, const char *what, const char *problem, const char *how);
void score_skip(const char *database, const char *what, const char *why);

/* ---- the parts ---- */
void part_matrix(struct place *p, const char *database, const struct corruption *list, bool all_must_fit);
void part_copies(struct place *p, const char *database, bool utf16);
void part_files(struct place *p, const char *database);
void part_fuzz(struct place *p, const char *database, uint64_t seeds);
void part_busy(struct place *p, const char *database);
void part_options(struct place *p, const char *database);

#endif
