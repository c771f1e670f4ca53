/* report.h -- every report is a pure function of events.jsonl.
 *
 * sp_report_render() reads report_dir/events.jsonl, or events.jsonl.part of a run that did not end: then every report
 * says that it is truncated. Each file is written atomically. One thread. */
#ifndef SP_REPORTS_REPORT_H
#define SP_REPORTS_REPORT_H

#include <stdbool.h>

#include "event.h"

enum sp_report_format {
    SP_REPORT_JUNIT = 1,        /* junit.xml */
    SP_REPORT_SUMMARY_JSON = 2, /* summary.json */
    SP_REPORT_VERIFY_JSON = 4,  /* verify.json, only if something was verified */
    SP_REPORT_MARKDOWN = 8,     /* summary.md */
    SP_REPORT_HTML = 16,        /* report.html */
    SP_REPORT_ASSESS_JSON = 32, /* assess.json, only if something was assessed */
    SP_REPORT_ALL = 63
};

/* 0; 1 if the record is not whole (cut, out of order, or at odds with itself): the files say so too, and with formats 0
 * nothing is written but that is still told. A negative error: what was to be written was not. */
int sp_report_render(const char *report_dir, unsigned formats, struct sp_error *err);

/* The console: an observer of the event file. On a terminal a status line is redrawn, elsewhere only whole lines are
 * written. verbosity: 0 verdict only, 1 normal, 2 every case. Writes to standard output. */
struct sp_console;
int sp_console_new(struct sp_console **out, bool tty, bool color, int verbosity);
void sp_console_observe(
    void *console, enum sp_event_kind kind, const char *line, size_t n); /* sp_event_observer */
void sp_console_free(struct sp_console *);

#endif
