/* rundata.h -- the event stream, read once into what the reports show.
 *
 * Ownership: everything lives in the arena of `struct rd`; rd_free() releases it. Strings are never NULL unless said.
 * Read-only after rd_load(). */
#ifndef SP_REPORTS_RUNDATA_H
#define SP_REPORTS_RUNDATA_H

#include "base/arena.h"
#include "event.h"

/* A failed check of a case. */
struct rd_check {
    const char *what, *expected, *actual, *code, *native, *origin, *file;
    int64_t line;
    struct rd_check *next;
};

struct rd_case {
    const char *id, *suite, *provider, *promise;
    const char *outcome; /* passed failed errored skipped xfailed, "not run" when the stream ended before */
    const char *message, *reason, *link, *repeat, *seed, *capability; /* "" when absent */
    double duration_s;
    int64_t nchecks;
    struct rd_check *checks;
};

struct rd_provider {
    const char *name, *kind, *url, *fidelity, *server_version, *notes, *access, *error;
};

struct rd_cap {
    const char *provider, *capability, *facet, *declared, *effective, *why;
    int64_t limit;
    bool finding;
};

/* Rows that reports only list keep their event: fields are read when they are shown. */
struct rd_row {
    struct sp_event_in ev;
};
struct rd_rows {
    struct rd_row *v;
    size_t n, cap;
};

/* Outcomes of one provider and suite. */
struct rd_cell {
    uint64_t passed, failed, errored, skipped, xfailed, not_run;
    double duration_s;
};

struct rd {
    struct sp_arena arena;
    bool truncated;                /* no run_end, or a gap in the numbers */
    const char *damage;            /* what is wrong with the stream; NULL = whole */
    struct sp_event_in start, end; /* json NULL when absent */
    struct rd_case *cases;
    size_t ncases, case_cap;
    struct rd_provider *providers;
    size_t nproviders, provider_cap;
    struct rd_cap *caps;
    size_t ncaps, cap_cap;
    const char **suites; /* in order of appearance */
    size_t nsuites, suite_cap;
    struct rd_rows of[SP_EV_N]; /* all other events by kind */
    bool verified;              /* verify_start was seen */
    uint64_t totals[5];         /* passed failed errored skipped xfailed, as counted from the cases */
};

int rd_load(struct rd **out, const char *report_dir, struct sp_error *err);
void rd_free(struct rd *r);
/* Text field of an event, "" when absent. */
const char *rd_text(const struct sp_event_in *ev, enum sp_event_field f);
struct rd_cell rd_cell(const struct rd *r, const char *provider, const char *suite);
/* The run's verdict: of run_end, or "TRUNCATED". Exit code: -1 when truncated. */
const char *rd_verdict(const struct rd *r);
int64_t rd_exit_code(const struct rd *r);
/* Verdict of the verification, NULL if there was none; not_compared when its end is missing. */
const char *rd_verify_verdict(const struct rd *r);
/* What a `table` event says of the rows. In flight: they differed at first, and arrived. */
enum rd_table_state { RD_TABLE_EQUAL, RD_TABLE_IN_FLIGHT, RD_TABLE_UNSETTLED, RD_TABLE_DIFFERENT };
enum rd_table_state rd_table_state(const struct sp_event_in *table);

/* The renderers: append the whole file to `out`. */
int rd_junit(const struct rd *r, struct sp_buf *out, struct sp_error *err);
int rd_summary_json(const struct rd *r, struct sp_buf *out, struct sp_error *err);
int rd_verify_json(const struct rd *r, struct sp_buf *out, struct sp_error *err);
int rd_markdown(const struct rd *r, struct sp_buf *out, struct sp_error *err);
int rd_html(const struct rd *r, struct sp_buf *out, struct sp_error *err);

#endif
