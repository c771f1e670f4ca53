/* diagnose_table.c -- rows that are missing or extra: which of a table's rows they are, as a whole. */
#include <stdlib.h>
#include <string.h>

#include "verify/diagnose.h"

struct list {
    struct sp_arena *a;
    struct sp_diag_found *out;
    size_t n, max;
};

static void add(struct list *l, const char *topic, double sure, uint64_t count, uint64_t examined,
    const char *cause, const char *advice)
{
    if (cause != NULL && sure > 0 && l->n < l->max)
        l->out[l->n++] = (struct sp_diag_found){ .topic = topic,
            .confidence = sure,
            .count = count,
            .examined = examined,
            .cause = cause,
            .advice = advice };
}

#define U(x) ((unsigned long long)(x))

/* Of which rows a class speaks. */
static bool speaks_of(const char *topic, int side)
{
    static const char *const both[] = { "id_offset", "keys_differ", NULL };
    static const char *const extra[] = { "source_empty", "loaded_twice", "extra_tail", "extra_head", NULL };
    for (size_t i = 0; both[i] != NULL; i++)
        if (strcmp(topic, both[i]) == 0)
            return true;
    for (size_t i = 0; extra[i] != NULL; i++)
        if (strcmp(topic, extra[i]) == 0)
            return side == 1;
    return side == 0;
}

/* ---- the whole table ------------------------------------------------------------------------------------------------ */

static bool whole(struct list *l, const struct sp_diag_facts *f)
{
    if (f->rows[0] != 0 && f->rows[1] == 0) {
        add(l, "not_copied", 0.98, f->missing, f->missing, "the target's table is empty",
            "the table was left out, or its load failed or was rolled back: load it");
        return true;
    }
    if (f->rows[0] == 0 && f->rows[1] != 0) {
        add(l, "source_empty", 0.9, f->extra, f->extra, "the source's table is empty",
            "check that SOURCE is the copy that was meant, and that its session may see the rows");
        return true;
    }
    if (!f->keyed && f->missing == 0 && f->rows[0] != 0 && f->extra % f->rows[0] == 0 && f->extra != 0) {
        add(l, "loaded_twice", 0.9, f->extra, f->extra, "the whole table was loaded more than once",
            "empty the target's table and load it once; a unique key would have refused the second load");
        return true;
    }
    return false;
}

/* ---- an end of the keys ------------------------------------------------------------------------------------------------ */

static void ends(struct list *l, const struct sp_diag_facts *f, int side)
{
    const struct sp_diag_side *s = &f->side[side];
    uint64_t all = side == 0 ? f->missing : f->extra;
    bool tail = s->beyond_known && s->beyond > 0 && s->beyond <= all;
    bool head = s->before_known && s->before > 0 && s->before <= all;
    if (tail) {
        double sure = sp_diag_confidence(s->beyond, all, all == 1 ? 0.3 : 0.15);
        if (side == 0)
            add(l, "missing_tail", sure, s->beyond, all,
                "the end of the table is missing: rows behind the last key of the target",
                "the copy ended early, or the source got rows after it was made: load what is behind the "
                "target's last "
                "key, or compare copies of one moment");
        else
            add(l, "extra_tail", sure, s->beyond, all,
                "the target has rows behind the last key of the source",
                "something wrote to the target after the copy (an application, a test), or SOURCE is an "
                "older copy");
    }
    if (head) {
        double sure = sp_diag_confidence(s->before, all, all == 1 ? 0.3 : 0.15);
        if (side == 0)
            add(l, "missing_head", sure, s->before, all,
                "the beginning of the table is missing: rows before the first key of the target",
                "the load began too late (an offset, a resumed run, old rows left out): load what is before "
                "the "
                "target's first key");
        else
            add(l, "extra_head", sure, s->before, all,
                "the target has rows before the first key of the source",
                "the source has dropped old rows since (an archive, a retention rule), or the target was not "
                "empty "
                "before the load");
    }
}

/* ---- patterns among whole-number keys ------------------------------------------------------------------------------------ */

static uint64_t gap(int64_t a, int64_t b)
{
    return (uint64_t)b - (uint64_t)a;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

/* Every Nth row: all keys that are missing are N or a multiple of it apart, and the table's keys are not. */
static bool every_nth(struct list *l, const struct sp_diag_facts *f)
{
    const int64_t *k = f->keys[0];
    size_t n = f->nkeys[0];
    uint64_t step = 0;
    if (!f->int_key || n < 5 || !f->range_known[0])
        return false;
    for (size_t i = 1; i < n; i++)
        step = gcd(gap(k[i - 1], k[i]), step);
    double spacing = ((double)gap(f->min[0], f->max[0]) + 1) / (double)(f->rows[0] + 1);
    double expected = (double)gap(k[0], k[n - 1]) / (double)(step == 0 ? 1 : step) + 1;
    double known = f->nkeys[0] == f->missing ? (double)n : (double)f->missing;
    if (step < 2 || (double)step < 1.8 * spacing || known < 0.8 * expected || known > 1.3 * expected)
        return false;
    add(l, "every_nth", 0.95, f->missing, f->missing,
        sp_arena_printf(l->a, "the missing keys are evenly spaced: one of every %llu", U(step)),
        "look for an off-by-one in pages or batches of the load, or a worker of several that failed");
    return true;
}

/* Runs of neighbours: batches that got lost. Only where every missing key is known. */
static bool blocks(struct list *l, const struct sp_diag_facts *f)
{
    const int64_t *k = f->keys[0];
    size_t n = f->nkeys[0], runs = 1, run = 1, longest = 1, shortest = n;
    if (!f->int_key || n < 6 || n != f->missing || !f->range_known[0])
        return false;
    double spacing = ((double)gap(f->min[0], f->max[0]) + 1) / (double)(f->rows[0] + 1);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && (double)gap(k[i - 1], k[i]) <= 2 * spacing) {
            run++;
            continue;
        }
        longest = run > longest ? run : longest;
        if (i < n || runs == 1)
            shortest = run < shortest ? run : shortest; /* the last batch may be short */
        runs += i < n;
        run = 1;
    }
    /* A share p of missing rows makes runs of 1 / (1 - p): several times that is no chance. */
    double p = (double)f->missing / (double)(f->rows[0] + 1), average = (double)n / (double)runs;
    if (average * (1 - p) < 3 || (runs == 1 && f->side[0].beyond + f->side[0].before >= n))
        return false;
    add(l, "missing_blocks", 0.9, f->missing, f->missing,
        runs == 1
            ? "one block of neighbouring keys is missing"
            : sp_arena_printf(l->a, "%zu blocks of neighbouring keys are missing (%zu to %zu rows each)",
                  runs, shortest, longest),
        "batches of the load failed without stopping it: look for their errors in its log, and load these "
        "keys again");
    return true;
}

/* A sample is missing, and between its first and its last key the target has nothing at all. */
static bool one_block(struct list *l, const struct sp_diag_facts *f)
{
    if (!f->within_known[0] || f->within[0] != 0 || f->nkeys[0] < 6 || f->nkeys[0] == f->missing ||
        f->own_within[0] > f->missing || f->side[0].beyond + f->side[0].before >= f->own_within[0])
        return false;
    add(l, "missing_blocks", 0.9, f->own_within[0], f->missing, "a block of neighbouring keys is missing",
        "batches of the load failed without stopping it: look for their errors in its log, and load these "
        "keys again");
    return true;
}

/* ---- what the rows have in common -------------------------------------------------------------------------------------------- */

static void filtered(struct list *l, const struct sp_diag_facts *f)
{
    static const char *const words[] = {
        "all missing rows have one value there, and no row of the target has it",
        "all missing rows have null there, and no row of the target has",
        "all missing rows have a value there; no row of the target has one",
    };
    if (f->filter_column == NULL || f->filter_rows != f->missing)
        return;
    size_t before = l->n;
    add(l, "filtered", sp_diag_confidence(f->missing, f->missing, 0.1), f->missing, f->missing,
        words[f->filter],
        "the copy was made with a condition or an inner join on this column (deleted, archived, other "
        "tenants' rows, no "
        "reference): if that is meant, put it into the mapping as `where`; else load these rows");
    if (l->n > before)
        l->out[before].column = f->filter_column;
}

static void stale(struct list *l, const struct sp_diag_facts *f)
{
    uint64_t all = f->missing + f->changed;
    if (f->stale_column == NULL || all < 3 || f->stale_rows == 0)
        return;
    double share = (double)f->stale_rows / (double)all;
    if (share < 0.8 || share > 1.0)
        return;
    size_t before = l->n;
    add(l, "stale_copy", 0.6 + 0.35 * (share - 0.8) * 5, f->stale_rows, all,
        "the target is older: the rows that differ are those with a later time than any row of the target",
        "the source went on after the copy was made: compare copies of one moment, or carry the later rows "
        "over");
    if (l->n > before)
        l->out[before].column = f->stale_column;
}

static bool new_ids(struct list *l, const struct sp_diag_facts *f)
{
    if (!f->keyed || f->missing == 0 || f->missing != f->extra || f->rows[0] != f->rows[1])
        return false;
    if (f->offset != 0 && f->offset_tried != 0) {
        double sure = sp_diag_confidence(f->offset_met, f->offset_tried, 0.05);
        add(l, "id_offset", sure, f->missing, f->missing,
            sp_arena_printf(l->a,
                "all keys are shifted by %+lld; the rows behind them were equal in %llu of %llu tried",
                (long long)f->offset, U(f->offset_met), U(f->offset_tried)),
            "the target drew its own ids: load with the source's ids and set the sequence afterwards, or map "
            "the ids by a "
            "crosswalk (also in the columns that refer to them)");
        return sure > 0;
    }
    if (f->missing == f->rows[0] && f->rows[0] >= 3) {
        add(l, "keys_differ", 0.6, f->missing, f->missing,
            "as many rows, and not one key in common: ids were given anew or are spelled differently",
            "load with the source's ids, or choose another key or a crosswalk in the mapping");
        return true;
    }
    return false;
}

static void twice(struct list *l, const struct sp_diag_facts *f)
{
    if (!f->keyed || f->duplicates[1] == 0 || f->extra == 0 || f->duplicates[1] < f->duplicates[0])
        return;
    uint64_t n = f->duplicates[1] - f->duplicates[0];
    add(l, "loaded_twice", sp_diag_confidence(n < f->extra ? n : f->extra, f->extra, 0.1),
        n < f->extra ? n : f->extra, f->extra,
        "a batch was loaded twice: rows of the target repeat the key of another row",
        "remove the copies and create the unique key that would have refused them, or retry batches with "
        "upserts");
}

/* ---- all ------------------------------------------------------------------------------------------------------------------- */

static int by_confidence(const void *a, const void *b)
{
    const struct sp_diag_found *x = a, *y = b;
    return x->confidence != y->confidence ? (x->confidence > y->confidence ? -1 : 1) : 0;
}

size_t sp_diag_table(struct sp_arena *a, const struct sp_diag_facts *f, struct sp_diag_found *out, size_t max)
{
    struct list l = { .a = a, .out = out, .max = max };
    if (f->missing + f->extra + f->changed == 0)
        return 0;
    if (!whole(&l, f) && !new_ids(&l, f)) {
        ends(&l, f, 0);
        ends(&l, f, 1);
        if (!every_nth(&l, f) && !blocks(&l, f))
            one_block(&l, f);
        filtered(&l, f);
        twice(&l, f);
    }
    stale(&l, f);
    if (l.n > 1)
        qsort(out, l.n, sizeof *out, by_confidence);
    for (int side = 0; side < 2; side++) {
        uint64_t rows = side == 0 ? f->missing : f->extra;
        bool said = false;
        for (size_t i = 0; i < l.n; i++)
            said = said || (out[i].confidence > 0 && speaks_of(out[i].topic, side));
        if (rows != 0 && !said && l.n < l.max)
            out[l.n++] = (struct sp_diag_found){ .topic = "unknown",
                .count = rows,
                .examined = rows,
                .cause = side == 0 ? "no pattern recognised among the missing rows"
                                   : "no pattern recognised among the extra rows",
                .advice = "look at single rows: the report lists their keys" };
    }
    return l.n;
}
