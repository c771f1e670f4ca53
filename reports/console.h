/* console.h -- what the files of the console share. Private to reports/console*.c. One thread. */
#ifndef SP_REPORTS_CONSOLE_H
#define SP_REPORTS_CONSOLE_H

#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "reports/escape.h"
#include "reports/report.h"
#include "reports/rundata.h"

struct rdc_cell {
    const char *provider, *suite;
    uint64_t planned, done, passed, failed, errored, skipped, xfailed;
    double duration_s;
};

struct rdc_skip {
    const char *provider, *reason;
    uint64_t n;
};

/* First failed check of a case that has not ended; key empty = free. */
struct rdc_check {
    struct sp_buf key, text;
};
#define RDC_CHECKS 64

struct sp_console {
    bool tty, color, status_shown;
    int verbosity;
    struct sp_arena arena;
    const char *said[8]; /* why a provider or a comparison could not go on: one cause is printed once */
    size_t nsaid;
    struct rdc_cell *cells;
    size_t ncells, cell_cap;
    struct rdc_skip *skips;
    size_t nskips, skip_cap;
    uint64_t planned, done, differences, profiles;
    struct sp_buf out;
    struct rdc_check checks[RDC_CHECKS]; /* of cases that run; workers run side by side */
    struct sp_buf
        last; /* message of the errored case that was printed last, and how many more had the same */
    uint64_t repeated;
    struct timespec last_status;
};

bool rdc_said(struct sp_console *c, const char *text); /* printed already? From now on it is. */
void rdc_clear_status(struct sp_console *c);
void rdc_colored(struct sp_console *c, const char *code, const char *text);
void rdc_field(struct sp_console *c, const char *label, const char *text);
/* A coloured label, a name, a text: one line. */
void rdc_named(
    struct sp_console *c, const char *color, const char *label, const char *name, const char *text);
/* Events of comparisons and migrations; others are ignored. */
void rdc_data(struct sp_console *c, const struct sp_event_in *ev);
/* Columns, keys, objects, accounts, the team's own checks; false = none of these. */
bool rdc_checks(struct sp_console *c, const struct sp_event_in *ev);

#endif
