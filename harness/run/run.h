/* run.h -- planning and carrying out a run of suites over providers, in worker processes.
 *
 * The parent is single-threaded; it owns the emitter. Workers are this same program, executed anew with
 * `__worker`, their job coming over the socket at descriptor 3. */
#ifndef SP_RUN_RUN_H
#define SP_RUN_RUN_H

#include "config/config.h"
#include "event.h"
#include "suite.h"

enum sp_outcome { SP_PASSED, SP_FAILED, SP_ERRORED, SP_SKIPPED, SP_XFAILED, SP_OUTCOME_N };
const char *sp_outcome_name(enum sp_outcome o); /* passed failed errored skipped xfailed */

enum sp_exit {
    SP_EXIT_OK = 0,
    SP_EXIT_FAILED = 1,
    SP_EXIT_USAGE = 2,
    SP_EXIT_INCONCLUSIVE = 3,
    SP_EXIT_INTERRUPTED = 4,
    SP_EXIT_NOTHING = 5
};

struct sp_totals {
    uint64_t n[SP_OUTCOME_N];
    uint64_t leftovers; /* objects that could not be removed; their journal stays for `clean` */
};

struct sp_run_options {
    const struct sp_config *config;
    const struct sp_provider *const *kinds;
    const struct sp_suite *const *suites;
    const char *const *providers;
    size_t nproviders; /* -p, empty = all */
    const char *const *only_suites;
    size_t nsuites;   /* -s, empty = all */
    const char *glob; /* -k, NULL = all */
    uint64_t seed;
    unsigned jobs;
    bool quick;               /* default true; --full turns it off */
    double timeout_factor;    /* SP_TIMEOUT_FACTOR, 1.0 */
    const char *program;      /* path to execute for workers: /proc/self/exe */
    const char *run_id;       /* [a-z0-9]{8} */
    const char *command_line; /* for repeat commands: "switchproof run -c FILE" */
};
/* Emits plan ... case events; returns the exit code (sp_exit) and totals, or a negative error before anything ran.
 * `reasons` receives one line per reason for a code other than 0. */
int sp_run(const struct sp_run_options *, struct sp_emitter *, struct sp_totals *, struct sp_buf *reasons,
    struct sp_error *);
/* What a worker executes; never returns to the caller's command line handling. Exit status 0 = job done. */
int sp_worker_main(const struct sp_provider *const *kinds, const struct sp_suite *const *suites);
void sp_run_id(char out[9]);
/* Set by SIGINT/SIGTERM; checked by long loops. 0 = go on, else the signal. */
int sp_interrupted(void);
void sp_interrupt_install(void);
/* Removes what killed runs left behind, after the journal in state_dir. `only_run` NULL = all. Prints one line each. */
int sp_clean(const struct sp_config *, const struct sp_provider *const *kinds, const char *only_run,
    bool dry_run, uint64_t *removed, struct sp_error *);

#endif
