/* diagnose.h -- private to verify/: what may have caused the differences of a table.
 *
 * A class of causes is a pure function over a source value and a target value, or over what is known of the whole table.
 * A collector gets a bounded sample of the differing values and says which classes explain them: each value is explained
 * once, by the class that explains most. What nothing explains is said, too. Nothing here prints a value: causes speak of
 * forms, numbers of digits and offsets, which are no data of the user's.
 *
 * One thread. What a collector names lives until sp_diag_free(). */
#ifndef SP_VERIFY_DIAGNOSE_H
#define SP_VERIFY_DIAGNOSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/decimal.h"
#include "model/schema.h"
#include "model/value.h"

/* ---- one differing value ------------------------------------------------------------------------------------- */

/* Both values in every form that the classes ask for, made once. */
struct sp_diag_cell {
    struct sp_arena *a;      /* scratch; dies with the cell */
    struct sp_value v[2];    /* source (behind the rules), target */
    struct sp_value when[2]; /* a moment, a date, a time or a text that spells one; else tag NULL */
    struct sp_dec num[2];
    bool number[2]; /* int, decimal, finite float: num is its number */
};
int sp_diag_cell_make(struct sp_diag_cell *c, struct sp_arena *a, const struct sp_value *source,
    const struct sp_value *target); /* 0 or NOMEM */

/* What the parameter of a class is for. */
enum sp_diag_param {
    SP_DIAG_FREE, /* nothing, or a detail: the value that most have is told */
    SP_DIAG_SAME, /* all values must have the same one */
    SP_DIAG_TWO,  /* or one of two that are an hour, or half an hour, apart: summer and winter time */
    SP_DIAG_MAX   /* digits kept: the largest is the one */
};
struct sp_diag_class {
    const char *name; /* in reports: time_shift */
    enum sp_diag_param mode;
    double chance; /* that a difference of another cause looks like this one: decides how many are needed */
    bool (*fits)(struct sp_diag_cell *c, int64_t *param);
    const char *cause;
    /* May be NULL. Goes on where `cause` ends; params: the told one, or two. */
    void (*detail)(struct sp_buf *out, const int64_t *params, size_t n);
    const char *advice;
};
/* Lists end with name == NULL. */
extern const struct sp_diag_class sp_diag_times[], sp_diag_numbers[], sp_diag_texts[], sp_diag_forms[],
    sp_diag_escapes[];
const struct sp_diag_class *sp_diag_class_at(size_t i); /* NULL behind the last one */
const struct sp_diag_class *sp_diag_class_named(const char *name);

/* ---- many ------------------------------------------------------------------------------------------------------ */

/* Values and rows of a table that a collector keeps; more are not looked at. */
#define SP_DIAG_ROWS  400u
#define SP_DIAG_CELLS 20000u

struct sp_diag_found {
    const char *topic;  /* a class's name, or swapped_columns, renamed_values, missing_tail ...; "unknown" */
    const char *column; /* NULL = rows as a whole */
    double confidence;  /* 0 .. 1 */
    uint64_t count, examined;
    const char *cause, *advice;
    const char *keys; /* a few that it fits; may be NULL */
};
struct sp_diag;
struct sp_diag *sp_diag_new(void);
void sp_diag_free(struct sp_diag *d);
/* A row that both sides have: between begin and end, its differing values in the order of the columns. `key` is text. */
int sp_diag_row_begin(struct sp_diag *d, const char *key);
int sp_diag_cell(
    struct sp_diag *d, const char *column, const struct sp_value *source, const struct sp_value *target);
int sp_diag_row_end(struct sp_diag *d);
uint64_t sp_diag_rows(const struct sp_diag *d);
/* What the values say, most certain first. */
int sp_diag_conclude(struct sp_diag *d, const struct sp_diag_found **out, size_t *n);

/* Named or not: how certain `fit` of `all` looked at make a class, where one alone fits by chance. 0 = not named. */
double sp_diag_confidence(uint64_t fit, uint64_t all, double chance);

/* ---- json: diagnose_json.c -------------------------------------------------------------------------------------- */

/* Text of JSON in a value: json itself, a native document, or a text that is a whole object or array. */
bool sp_diag_json_of(const struct sp_value *v, const char **p, size_t *n);
/* Where two canonical JSON texts first differ: the two values that stand there. 1 = they differ in a name or a length. */
int sp_diag_json_leaf(struct sp_arena *a, const char *const p[2], const size_t n[2], struct sp_value out[2]);
/* Canonical JSON with the elements of every array sorted. */
int sp_diag_json_unordered(struct sp_buf *out, const char *p, size_t n);

/* ---- rows as a whole: diagnose_table.c ---------------------------------------------------------------------------- */

/* What is known of a table whose rows are missing or extra. Counts are exact where `has` says so. */
struct sp_diag_side {
    bool beyond_known, before_known;
    uint64_t beyond, before; /* rows of this side behind the largest, before the smallest key of the other */
};
struct sp_diag_facts {
    uint64_t rows[2], missing, extra, changed, duplicates[2];
    bool keyed;
    struct sp_diag_side side[2];
    /* Whole-number keys of rows that are missing (0) or extra (1), sorted; all of them or a sample. */
    const int64_t *keys[2];
    size_t nkeys[2];
    bool int_key;
    int64_t min[2], max[2]; /* of the key, per side, with int_key */
    bool range_known[2];
    /* Rows of the other side within the range of keys[s]. */
    bool within_known[2];
    uint64_t within[2], own_within[2];
    /* A column of moments: rows of the source that are later than anything in the target. */
    const char *stale_column;
    uint64_t stale_rows;
    /* A column in which all missing rows have one value, or none, or any, that no row of the target has. */
    const char *filter_column;
    enum { SP_DIAG_FILTER_VALUE, SP_DIAG_FILTER_NULL, SP_DIAG_FILTER_SET } filter;
    uint64_t filter_rows;
    /* Rows looked at under another id: how many were found there, equal otherwise. */
    int64_t offset;
    uint64_t offset_tried, offset_met;
};
/* Appends to `out` (arena), most certain first; at most `max`. Returns how many. */
size_t sp_diag_table(
    struct sp_arena *a, const struct sp_diag_facts *f, struct sp_diag_found *out, size_t max);

#endif
