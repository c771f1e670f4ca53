/* ledger.h -- outcomes as they are settled, and what follows from them. One thread. */
#ifndef SP_RUN_LEDGER_H
#define SP_RUN_LEDGER_H

#include "run/plan.h"

struct sp_ledger {
    const struct sp_run_options *o;
    struct sp_emitter *em;
    struct sp_plan *plan;
    struct sp_totals totals;
    int64_t today; /* days since 1970 */
    bool interrupted;
    bool objects_left; /* something other than users could not be removed */
    int rc;            /* the first event that could not be written: the run cannot go on */
    struct sp_error *err;
};

struct sp_settled {
    enum sp_outcome outcome;
    enum sp_skip_cause cause;
    int blocked_by; /* capability or -1 */
    const char *message, *reason;
    double duration_s;
    int64_t nchecks;
};
/* Decides the final outcome (expected failures), counts it and emits case_end. */
void sp_ledger_settle(struct sp_ledger *, struct sp_lane *, struct sp_planned *, const struct sp_settled *);
void sp_ledger_send(struct sp_ledger *, struct sp_event *);
void sp_ledger_note(struct sp_ledger *, const char *level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* -SP_E_INVALID for a requirement that names nothing in this program. */
int sp_requires_check(const struct sp_run_options *, struct sp_error *);
/* An expectation for a case that does not exist hides nothing, but its author thinks it does. */
bool sp_xfail_names_case(const struct sp_run_options *, const struct sp_config_xfail *);
/* A section that is read, and decides nothing yet: whoever wrote it must not believe that it did. */
#define SP_GATES_NOTE                                                                                        \
    "the section `gates` is checked for mistakes, and not applied by this version: no verdict rests on it"
/* Broken requirements as lines of `reasons`; 0, SP_EXIT_FAILED or SP_EXIT_INCONCLUSIVE. */
int sp_requires_judge(struct sp_ledger *, struct sp_buf *reasons);
int sp_ledger_verdict(struct sp_ledger *, struct sp_buf *reasons);

#endif
