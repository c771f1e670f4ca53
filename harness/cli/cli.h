/* cli.h -- the command line.
 *
 * The harness knows neither providers nor suites nor reports; main.c hands them over in a struct sp_program. Exit
 * codes are those of run/run.h. Single-threaded; everything borrows from argv and from the program. */
#ifndef SP_CLI_CLI_H
#define SP_CLI_CLI_H

#include "event.h"
#include "suite.h"

#define SP_VERSION "0.1.0"

struct sp_report_name {
    const char *name, *file; /* html, report.html; file NULL = written to standard output */
    unsigned bits;
};

struct sp_program {
    const struct sp_provider *const *providers;
    const char *const *left_out;
    const struct sp_suite *const *suites;
    const struct sp_report_name *formats; /* ends with a NULL name */
    unsigned all_formats;
    int (*render)(const char *report_dir, unsigned formats, struct sp_error *);
    int (*console_new)(void **out, bool tty, bool color, int verbosity);
    void (*console_free)(void *console);
    sp_event_observer console_observe;
    int (*fixture)(int argc, char **argv);
};

/* Returns the exit code. */
int sp_cli_main(const struct sp_program *program, int argc, char **argv);

#endif
