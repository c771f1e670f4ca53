/* evidence.h -- private to cli/: the event file, the console and the reports of one command.
 *
 * open: report directory, event file, run_start. close: run_end, the file under its final name, the reports. Between
 * them the command sends its events to `emitter`. Owned by the command; one thread, but progress may come from any. */
#ifndef SP_CLI_EVIDENCE_H
#define SP_CLI_EVIDENCE_H

#include <limits.h>
#include <pthread.h>
#include <time.h>

#include "cli/options.h"
#include "config/config.h"

struct sp_progress {
    pthread_mutex_t lock;
    bool tty, off;
    bool shown; /* a status line stands on the terminal */
    struct timespec start, last;
    char table[128];
    uint64_t first_rows; /* of this table, when it was first heard of */
    uint64_t last_rows;
    struct timespec table_start;
};

struct sp_evidence {
    const struct sp_program *program;
    const struct sp_args *args;
    const struct sp_config *config;
    char run_id[9], dir[PATH_MAX];
    struct sp_event_file *file;
    struct sp_emitter *emitter;
    void *console;
    struct timespec start;
    struct sp_totals totals;
    struct sp_buf reasons; /* one line each */
    struct sp_progress progress;
};

/* `fallback_dir` is used without --report-dir. Prints what is wrong and returns an exit code, or -1 when open. */
int sp_evidence_open(struct sp_evidence *e, const struct sp_program *, const struct sp_args *,
    const struct sp_config *, const char *fallback_dir, uint64_t seed);
/* Sends run_end and writes the reports; returns the exit code, which is not 0 if evidence could not be written. */
int sp_evidence_close(struct sp_evidence *e, const char *verdict, int code);
/* One more reason, and the error is cleared. */
void sp_evidence_reason(struct sp_evidence *e, const char *prefix, struct sp_error *err);

void sp_progress_init(struct sp_progress *p, bool off);
void sp_progress_free(struct sp_progress *p);
void sp_progress_clear(struct sp_progress *p); /* takes the status line away before other output */
/* For the callbacks of verify and migrate: `payload` is the struct sp_progress. total 0 = not known. */
void sp_progress_rows(void *payload, const char *table, uint64_t rows, uint64_t total);
/* The same where the total may be an estimate. */
void sp_progress_about(void *payload, const char *table, uint64_t rows, uint64_t total, bool about);

/* The command line that repeats this one: program, command, configuration, --full; shell-quoted, in the arena. */
const char *sp_cli_repeat(struct sp_args *a);
int sp_cli_quote(struct sp_buf *out, const char *word);

#endif
