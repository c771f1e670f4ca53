/* console.c -- what a person sees while it runs, and at the end.
 *
 * Failures are printed when they happen, expected against actual first, then the command that repeats them. On a
 * terminal a status line shows how far the run is; elsewhere only whole lines are written. */
#include "reports/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/str.h"
#include "reports/escape.h"
#include "reports/rundata.h"

#define MAX_DIFFERENCES 20

struct cell {
    const char *provider, *suite;
    uint64_t planned, done, passed, failed, errored, skipped, xfailed;
    double duration_s;
};

struct skip {
    const char *provider, *reason;
    uint64_t n;
};

struct sp_console {
    bool tty, color, status_shown;
    int verbosity;
    struct sp_arena arena;
    struct cell *cells;
    size_t ncells, cell_cap;
    struct skip *skips;
    size_t nskips, skip_cap;
    uint64_t planned, done, differences;
    struct sp_buf out, check; /* the last failed check of the case that runs */
    struct timespec last_status;
};

int sp_console_new(struct sp_console **out, bool tty, bool color, int verbosity)
{
    struct sp_console *c = calloc(1, sizeof *c);
    *out = c;
    if (c == NULL)
        return -SP_E_NOMEM;
    c->tty = tty;
    c->color = color;
    c->verbosity = verbosity;
    return 0;
}

void sp_console_free(struct sp_console *c)
{
    if (c == NULL)
        return;
    sp_arena_free(&c->arena);
    sp_buf_free(&c->out);
    sp_buf_free(&c->check);
    free(c);
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

static void flush(struct sp_console *c)
{
    /* A console that went away is no reason to stop: the reports are in files. */
    if (c->out.p != NULL && c->out.n > 0)
        (void)sp_write_all(STDOUT_FILENO, c->out.p, c->out.n, NULL);
    sp_buf_clear(&c->out);
}

static void clear_status(struct sp_console *c)
{
    if (c->status_shown)
        sp_buf_puts(&c->out, "\r\033[K");
    c->status_shown = false;
}

static void colored(struct sp_console *c, const char *code, const char *text)
{
    if (c->color)
        sp_buf_printf(&c->out, "\033[%sm%s\033[0m", code, text);
    else
        sp_buf_puts(&c->out, text);
}

/* "A on B", both from an event. */
static void on(struct sp_console *c, const char *a, const char *b)
{
    rd_plain(&c->out, a);
    sp_buf_puts(&c->out, " on ");
    rd_plain(&c->out, b);
}

static void field(struct sp_console *c, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    sp_buf_printf(&c->out, "    %-9s ", label);
    rd_plain(&c->out, text);
    sp_buf_putc(&c->out, '\n');
}

static void status(struct sp_console *c, const char *text)
{
    struct timespec now;
    if (!c->tty || c->verbosity < 1)
        return;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t ms = (int64_t)(now.tv_sec - c->last_status.tv_sec) * 1000 +
                 (now.tv_nsec - c->last_status.tv_nsec) / 1000000;
    if (ms < 80)
        return;
    c->last_status = now;
    sp_buf_puts(&c->out, "\r\033[K");
    if (c->planned > 0)
        sp_buf_printf(&c->out, "%" PRIu64 "/%" PRIu64 "  ", c->done, c->planned);
    rd_plain(&c->out, text);
    c->status_shown = true;
    flush(c);
}

/* ---- runs ---------------------------------------------------------------------------------------------------- */

static struct cell *cell_of(struct sp_console *c, const struct sp_event_in *ev)
{
    const char *provider = rd_text(ev, SP_FLD_provider), *suite = rd_text(ev, SP_FLD_suite);
    for (size_t i = 0; i < c->ncells; i++)
        if (strcmp(c->cells[i].provider, provider) == 0 && strcmp(c->cells[i].suite, suite) == 0)
            return &c->cells[i];
    struct cell *grown = sp_arena_grow(&c->arena, c->cells, &c->cell_cap, c->ncells + 1, sizeof *grown);
    if (grown == NULL)
        return NULL;
    c->cells = grown;
    struct cell *cell = &c->cells[c->ncells++];
    *cell = (struct cell){ .provider = sp_arena_str(&c->arena, provider),
        .suite = sp_arena_str(&c->arena, suite) };
    return cell->provider == NULL || cell->suite == NULL ? NULL : cell;
}

static void on_plan(struct sp_console *c, const struct sp_event_in *ev)
{
    struct cell *cell = cell_of(c, ev);
    uint64_t n = (uint64_t)sp_event_get_int(ev, SP_FLD_cases, 0);
    if (cell != NULL)
        cell->planned += n;
    c->planned += n;
}

static void on_check(struct sp_console *c, const struct sp_event_in *ev)
{
    if (c->check.n > 0)
        return; /* the first failed check of a case says most */
    sp_buf_puts(&c->check, "    expected  ");
    rd_plain(&c->check, rd_text(ev, SP_FLD_expected));
    sp_buf_puts(&c->check, "\n    actual    ");
    rd_plain(&c->check, rd_text(ev, SP_FLD_actual));
    sp_buf_puts(&c->check, "\n    check     ");
    rd_plain(&c->check, rd_text(ev, SP_FLD_what));
    if (rd_text(ev, SP_FLD_file)[0] != '\0')
        sp_buf_printf(
            &c->check, " (%s:%" PRId64 ")", rd_text(ev, SP_FLD_file), sp_event_get_int(ev, SP_FLD_line, 0));
    sp_buf_putc(&c->check, '\n');
}

static void count_skip(struct sp_console *c, const struct sp_event_in *ev)
{
    const char *provider = rd_text(ev, SP_FLD_provider), *reason = rd_text(ev, SP_FLD_reason);
    for (size_t i = 0; i < c->nskips; i++)
        if (strcmp(c->skips[i].reason, reason) == 0 && strcmp(c->skips[i].provider, provider) == 0) {
            c->skips[i].n++;
            return;
        }
    struct skip *grown = sp_arena_grow(&c->arena, c->skips, &c->skip_cap, c->nskips + 1, sizeof *grown);
    if (grown == NULL)
        return;
    c->skips = grown;
    struct skip s = { sp_arena_str(&c->arena, provider), sp_arena_str(&c->arena, reason), 1 };
    if (s.provider != NULL && s.reason != NULL)
        c->skips[c->nskips++] = s;
}

static void cell_line(struct sp_console *c, const struct cell *cell)
{
    char time[32];
    sp_format_duration(time, cell->duration_s);
    clear_status(c);
    if (cell->failed > 0)
        colored(c, "31;1", "BROKEN ");
    else if (cell->errored > 0)
        colored(c, "33;1", "ERROR  ");
    else if (cell->passed == 0)
        colored(c, "33", "none   ");
    else
        colored(c, "32", "held   ");
    sp_buf_printf(&c->out, "%-12s %-12s %4" PRIu64 " passed", cell->provider, cell->suite, cell->passed);
    if (cell->failed > 0)
        sp_buf_printf(&c->out, ", %" PRIu64 " failed", cell->failed);
    if (cell->errored > 0)
        sp_buf_printf(&c->out, ", %" PRIu64 " errored", cell->errored);
    if (cell->xfailed > 0)
        sp_buf_printf(&c->out, ", %" PRIu64 " expected failures", cell->xfailed);
    if (cell->skipped > 0)
        sp_buf_printf(&c->out, ", %" PRIu64 " skipped", cell->skipped);
    sp_buf_printf(&c->out, "  (%s)\n", time);
}

static void on_case_end(struct sp_console *c, const struct sp_event_in *ev)
{
    const char *outcome = rd_text(ev, SP_FLD_outcome), *id = rd_text(ev, SP_FLD_id);
    struct cell *cell = cell_of(c, ev);
    bool failed = strcmp(outcome, "failed") == 0, errored = strcmp(outcome, "errored") == 0;
    c->done++;
    if (cell != NULL) {
        cell->done++;
        cell->passed += strcmp(outcome, "passed") == 0;
        cell->failed += failed;
        cell->errored += errored;
        cell->skipped += strcmp(outcome, "skipped") == 0;
        cell->xfailed += strcmp(outcome, "xfailed") == 0;
        cell->duration_s += sp_event_get_real(ev, SP_FLD_duration_s, 0);
    }
    if (strcmp(outcome, "skipped") == 0)
        count_skip(c, ev);
    if (c->verbosity >= 1 && (failed || errored)) {
        clear_status(c);
        colored(c, failed ? "31;1" : "33;1", failed ? "FAILED " : "ERRORED");
        sp_buf_putc(&c->out, ' ');
        on(c, id, rd_text(ev, SP_FLD_provider));
        sp_buf_putc(&c->out, '\n');
        if (c->check.n > 0)
            sp_buf_put(&c->out, c->check.p, c->check.n);
        else
            field(c, "message", rd_text(ev, SP_FLD_message));
        field(c, "repeat", rd_text(ev, SP_FLD_repeat));
    } else if (c->verbosity >= 2) {
        clear_status(c);
        sp_buf_printf(&c->out, "%-8s ", outcome);
        on(c, id, rd_text(ev, SP_FLD_provider));
        sp_buf_puts(&c->out, "  ");
        rd_plain(&c->out, rd_text(ev, SP_FLD_reason));
        sp_buf_putc(&c->out, '\n');
    }
    sp_buf_clear(&c->check);
    if (c->verbosity >= 1 && cell != NULL && cell->done == cell->planned)
        cell_line(c, cell);
    status(c, id);
}

/* ---- verify, migrate ----------------------------------------------------------------------------------------- */

static void on_table(struct sp_console *c, const struct sp_event_in *ev)
{
    bool equal = sp_event_get_bool(ev, SP_FLD_digest_equal, false);
    char a[32], b[32], time[32];
    sp_format_count(a, (uint64_t)sp_event_get_int(ev, SP_FLD_source_rows, 0));
    sp_format_count(b, (uint64_t)sp_event_get_int(ev, SP_FLD_target_rows, 0));
    sp_format_duration(time, sp_event_get_real(ev, SP_FLD_duration_s, 0));
    clear_status(c);
    colored(c, equal ? "32" : "31;1", equal ? "equal  " : "DIFFERS");
    sp_buf_puts(&c->out, " table ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    if (equal)
        sp_buf_printf(&c->out, ": %s rows (%s)\n", a, time);
    else
        sp_buf_printf(&c->out,
            ": source %s rows, target %s rows; %" PRId64 " missing, %" PRId64 " extra, %" PRId64
            " changed (%s)\n",
            a, b, sp_event_get_int(ev, SP_FLD_missing, 0), sp_event_get_int(ev, SP_FLD_extra, 0),
            sp_event_get_int(ev, SP_FLD_changed, 0), time);
}

static void on_difference(struct sp_console *c, const struct sp_event_in *ev)
{
    if (++c->differences > MAX_DIFFERENCES) {
        if (c->differences == MAX_DIFFERENCES + 1)
            sp_buf_puts(&c->out, "    … more differences are in verify.json and report.html\n");
        return;
    }
    clear_status(c);
    sp_buf_puts(&c->out, "    ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_difference));
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    sp_buf_puts(&c->out, " key ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_key));
    if (rd_text(ev, SP_FLD_column)[0] != '\0') {
        sp_buf_puts(&c->out, " column ");
        rd_plain(&c->out, rd_text(ev, SP_FLD_column));
    }
    sp_buf_putc(&c->out, '\n');
    field(c, "expected", rd_text(ev, SP_FLD_expected));
    field(c, "actual", rd_text(ev, SP_FLD_actual));
}

static void on_schema(struct sp_console *c, const struct sp_event_in *ev)
{
    clear_status(c);
    colored(c, "31;1", "DIFFERS");
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_element));
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    if (strcmp(rd_text(ev, SP_FLD_table), rd_text(ev, SP_FLD_name)) != 0) {
        sp_buf_puts(&c->out, " of ");
        rd_plain(&c->out, rd_text(ev, SP_FLD_table));
    }
    sp_buf_puts(&c->out, ": ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_difference));
    sp_buf_putc(&c->out, '\n');
    field(c, "expected", rd_text(ev, SP_FLD_expected));
    field(c, "actual", rd_text(ev, SP_FLD_actual));
}

static void on_relation(struct sp_console *c, const struct sp_event_in *ev)
{
    int64_t introduced = sp_event_get_int(ev, SP_FLD_introduced, 0);
    int64_t source = sp_event_get_int(ev, SP_FLD_source_orphans, 0);
    if (introduced == 0 && source == 0 && sp_event_get_int(ev, SP_FLD_target_orphans, 0) == 0)
        return;
    clear_status(c);
    colored(c, introduced > 0 ? "31;1" : "33", introduced > 0 ? "ORPHANS" : "orphans");
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, SP_FLD_child));
    sp_buf_puts(&c->out, " -> ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_parent));
    sp_buf_printf(&c->out, ": %" PRId64 " in the source, %" PRId64 " in the target, %" PRId64 " introduced\n",
        source, sp_event_get_int(ev, SP_FLD_target_orphans, 0), introduced);
}

static void on_sequence(struct sp_console *c, const struct sp_event_in *ev)
{
    if (!sp_event_get_bool(ev, SP_FLD_behind, false))
        return;
    clear_status(c);
    colored(c, "31;1", "BEHIND ");
    sp_buf_puts(&c->out, " sequence ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    sp_buf_printf(&c->out, ": next value %" PRId64 " in the source, %" PRId64 " in the target\n",
        sp_event_get_int(ev, SP_FLD_source_next, 0), sp_event_get_int(ev, SP_FLD_target_next, 0));
}

static void on_named(
    struct sp_console *c, const char *color, const char *label, const char *name, const char *text)
{
    clear_status(c);
    colored(c, color, label);
    sp_buf_putc(&c->out, ' ');
    if (name[0] != '\0') {
        rd_plain(&c->out, name);
        sp_buf_puts(&c->out, ": ");
    }
    rd_plain(&c->out, text);
    sp_buf_putc(&c->out, '\n');
}

static void on_migrate_table(struct sp_console *c, const struct sp_event_in *ev)
{
    char rows[32], time[32];
    sp_format_count(rows, (uint64_t)sp_event_get_int(ev, SP_FLD_rows, 0));
    sp_format_duration(time, sp_event_get_real(ev, SP_FLD_duration_s, 0));
    clear_status(c);
    sp_buf_puts(&c->out, "copied  table ");
    rd_plain(&c->out, rd_text(ev, SP_FLD_name));
    sp_buf_printf(&c->out, ": %s rows (%s) ", rows, time);
    rd_plain(&c->out, rd_text(ev, SP_FLD_message));
    sp_buf_putc(&c->out, '\n');
}

/* ---- the end ------------------------------------------------------------------------------------------------- */

static void on_run_end(struct sp_console *c, const struct sp_event_in *ev)
{
    int64_t code = sp_event_get_int(ev, SP_FLD_exit_code, -1);
    char time[32];
    clear_status(c);
    if (c->verbosity >= 1 && c->nskips > 0) {
        sp_buf_puts(&c->out, "\nSkipped:\n");
        for (size_t i = 0; i < c->nskips; i++) {
            sp_buf_printf(&c->out, "  %4" PRIu64 "  %-12s ", c->skips[i].n, c->skips[i].provider);
            rd_plain(&c->out, c->skips[i].reason);
            sp_buf_putc(&c->out, '\n');
        }
    }
    if (c->planned > 0) {
        sp_format_duration(time, sp_event_get_real(ev, SP_FLD_duration_s, 0));
        sp_buf_printf(&c->out,
            "\n%" PRId64 " passed, %" PRId64 " failed, %" PRId64 " errored, %" PRId64 " skipped, %" PRId64
            " expected failures in %s\n",
            sp_event_get_int(ev, SP_FLD_passed, 0), sp_event_get_int(ev, SP_FLD_failed, 0),
            sp_event_get_int(ev, SP_FLD_errored, 0), sp_event_get_int(ev, SP_FLD_skipped, 0),
            sp_event_get_int(ev, SP_FLD_xfailed, 0), time);
    }
    sp_buf_puts(&c->out, c->planned > 0 ? "" : "\n");
    colored(c, code == 0 ? "32;1" : code == 1 ? "31;1" : "33;1", rd_text(ev, SP_FLD_verdict));
    sp_buf_printf(&c->out, " (exit code %" PRId64 ")\n", code);
    const char *reasons = rd_text(ev, SP_FLD_reasons);
    while (*reasons != '\0') {
        size_t n = strcspn(reasons, "\n");
        char *line = sp_arena_strn(&c->arena, reasons, n);
        if (n > 0 && line != NULL) {
            sp_buf_puts(&c->out, "  ");
            rd_plain(&c->out, line);
            sp_buf_putc(&c->out, '\n');
        }
        reasons += n + (reasons[n] == '\n');
    }
}

static void observe(struct sp_console *c, const struct sp_event_in *ev)
{
    switch (ev->kind) {
    case SP_EV_PLAN:
        on_plan(c, ev);
        return;
    case SP_EV_CASE_START:
        status(c, rd_text(ev, SP_FLD_id));
        return;
    case SP_EV_CHECK:
        on_check(c, ev);
        return;
    case SP_EV_CASE_END:
        on_case_end(c, ev);
        return;
    case SP_EV_RUN_END:
        on_run_end(c, ev);
        return;
    default:
        break;
    }
    if (c->verbosity < 1)
        return;
    switch (ev->kind) {
    case SP_EV_PROVIDER:
        if (rd_text(ev, SP_FLD_error)[0] != '\0')
            on_named(c, "33;1", "ERROR  ", rd_text(ev, SP_FLD_name), rd_text(ev, SP_FLD_error));
        return;
    case SP_EV_TABLE:
        on_table(c, ev);
        return;
    case SP_EV_DIFFERENCE:
        on_difference(c, ev);
        return;
    case SP_EV_SCHEMA_DIFF:
        on_schema(c, ev);
        return;
    case SP_EV_RELATION:
        on_relation(c, ev);
        return;
    case SP_EV_SEQUENCE:
        on_sequence(c, ev);
        return;
    case SP_EV_NOT_COMPARED:
        on_named(c, "33;1", "NOT COMPARED", rd_text(ev, SP_FLD_name), rd_text(ev, SP_FLD_reason));
        return;
    case SP_EV_FINDING:
        on_named(c, "33", "finding", rd_text(ev, SP_FLD_name), rd_text(ev, SP_FLD_message));
        return;
    case SP_EV_MIGRATE_TABLE:
        on_migrate_table(c, ev);
        return;
    case SP_EV_NOTE:
        on_named(c, "36", "note   ", "", rd_text(ev, SP_FLD_text));
        return;
    default:
        return;
    }
}

void sp_console_observe(void *console, enum sp_event_kind kind, const char *line, size_t n)
{
    struct sp_console *c = console;
    struct sp_event_in ev = { 0 };
    /* Frequent kinds that the console shows nothing of. */
    if (kind == SP_EV_PLAN_CASE || kind == SP_EV_CAPABILITY || kind == SP_EV_MEASURE ||
        kind == SP_EV_SEMANTICS)
        return;
    if (n > 0 && line[n - 1] == '\n')
        n--;
    if (sp_event_parse(line, n, &ev, NULL) < 0)
        return;
    observe(c, &ev);
    flush(c);
    sp_event_in_free(&ev);
}
