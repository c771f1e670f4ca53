/* console.c -- what a person sees while it runs, and at the end.
 *
 * Failures are printed when they happen, expected against actual first, then the command that repeats them. On a
 * terminal a status line shows how far the run is; elsewhere only whole lines are written. */
#include "reports/console.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

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
    for (size_t i = 0; i < RDC_CHECKS; i++) {
        sp_buf_free(&c->checks[i].key);
        sp_buf_free(&c->checks[i].text);
    }
    sp_buf_free(&c->last);
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

void rdc_clear_status(struct sp_console *c)
{
    if (c->status_shown)
        sp_buf_puts(&c->out, "\r\033[K");
    c->status_shown = false;
}

void rdc_colored(struct sp_console *c, const char *code, const char *text)
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

void rdc_field(struct sp_console *c, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    sp_buf_printf(&c->out, "    %-9s ", label);
    rd_plain(&c->out, text);
    sp_buf_putc(&c->out, '\n');
}

void rdc_named(struct sp_console *c, const char *color, const char *label, const char *name, const char *text)
{
    rdc_clear_status(c);
    rdc_colored(c, color, label);
    sp_buf_putc(&c->out, ' ');
    if (name[0] != '\0') {
        rd_plain(&c->out, name);
        sp_buf_puts(&c->out, ": ");
    }
    rd_plain(&c->out, text);
    sp_buf_putc(&c->out, '\n');
}

bool rdc_said(struct sp_console *c, const char *text)
{
    for (size_t i = 0; i < c->nsaid; i++) {
        if (strcmp(c->said[i], text) == 0)
            return true;
    }
    char *copy = c->nsaid < SP_LEN(c->said) ? sp_arena_str(&c->arena, text) : NULL;
    if (copy != NULL)
        c->said[c->nsaid++] = copy;
    return false;
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

static struct rdc_cell *cell_of(struct sp_console *c, const struct sp_event_in *ev)
{
    const char *provider = rd_text(ev, SP_FLD_provider), *suite = rd_text(ev, SP_FLD_suite);
    for (size_t i = 0; i < c->ncells; i++)
        if (strcmp(c->cells[i].provider, provider) == 0 && strcmp(c->cells[i].suite, suite) == 0)
            return &c->cells[i];
    struct rdc_cell *grown = sp_arena_grow(&c->arena, c->cells, &c->cell_cap, c->ncells + 1, sizeof *grown);
    if (grown == NULL)
        return NULL;
    c->cells = grown;
    struct rdc_cell *cell = &c->cells[c->ncells++];
    *cell = (struct rdc_cell){ .provider = sp_arena_str(&c->arena, provider),
        .suite = sp_arena_str(&c->arena, suite) };
    return cell->provider == NULL || cell->suite == NULL ? NULL : cell;
}

static void on_plan(struct sp_console *c, const struct sp_event_in *ev)
{
    struct rdc_cell *cell = cell_of(c, ev);
    uint64_t n = (uint64_t)sp_event_get_int(ev, SP_FLD_cases, 0);
    if (cell != NULL)
        cell->planned += n;
    c->planned += n;
}

/* The slot of an event's case: the one it has, or a free one; NULL if there is neither. */
static struct rdc_check *check_of(struct sp_console *c, const struct sp_event_in *ev)
{
    struct rdc_check *free_slot = NULL, *found = NULL;
    struct sp_buf key = SP_BUF_INIT;
    sp_buf_printf(&key, "%s %s", rd_text(ev, SP_FLD_provider), rd_text(ev, SP_FLD_id));
    for (size_t i = 0; i < RDC_CHECKS && !key.oom && found == NULL; i++) {
        struct rdc_check *k = &c->checks[i];
        if (k->key.n == 0)
            free_slot = free_slot == NULL ? k : free_slot;
        else if (strcmp(k->key.p, key.p) == 0)
            found = k;
    }
    if (found == NULL && free_slot != NULL && !key.oom) {
        sp_buf_clear(&free_slot->text);
        if (sp_buf_put(&free_slot->key, key.p, key.n) == 0)
            found = free_slot;
    }
    sp_buf_free(&key);
    return found;
}

static void on_check(struct sp_console *c, const struct sp_event_in *ev)
{
    struct rdc_check *k = check_of(c, ev);
    if (k == NULL || k->text.n > 0)
        return; /* the first failed check of a case says most */
    sp_buf_puts(&k->text, "    expected  ");
    rd_plain(&k->text, rd_text(ev, SP_FLD_expected));
    sp_buf_puts(&k->text, "\n    actual    ");
    rd_plain(&k->text, rd_text(ev, SP_FLD_actual));
    sp_buf_puts(&k->text, "\n    check     ");
    rd_plain(&k->text, rd_text(ev, SP_FLD_what));
    if (rd_text(ev, SP_FLD_file)[0] != '\0') {
        sp_buf_puts(&k->text, " (");
        rd_plain(&k->text, rd_text(ev, SP_FLD_file));
        sp_buf_printf(&k->text, ":%" PRId64 ")", sp_event_get_int(ev, SP_FLD_line, 0));
    }
    sp_buf_putc(&k->text, '\n');
}

static void count_skip(struct sp_console *c, const struct sp_event_in *ev)
{
    const char *provider = rd_text(ev, SP_FLD_provider), *reason = rd_text(ev, SP_FLD_reason);
    for (size_t i = 0; i < c->nskips; i++)
        if (strcmp(c->skips[i].reason, reason) == 0 && strcmp(c->skips[i].provider, provider) == 0) {
            c->skips[i].n++;
            return;
        }
    struct rdc_skip *grown = sp_arena_grow(&c->arena, c->skips, &c->skip_cap, c->nskips + 1, sizeof *grown);
    if (grown == NULL)
        return;
    c->skips = grown;
    struct rdc_skip s = { sp_arena_str(&c->arena, provider), sp_arena_str(&c->arena, reason), 1 };
    if (s.provider != NULL && s.reason != NULL)
        c->skips[c->nskips++] = s;
}

/* A name from the events, made harmless, in a column. */
static void column(struct sp_console *c, const char *text, size_t width)
{
    size_t before = c->out.n, shown = 0;
    rd_plain(&c->out, text);
    for (size_t i = before; i < c->out.n; i++)
        shown += ((unsigned char)c->out.p[i] & 0xc0) != 0x80;
    sp_buf_printf(&c->out, "%*s ", (int)(shown < width ? width - shown : 0), "");
}

static void cell_line(struct sp_console *c, const struct rdc_cell *cell)
{
    char time[32];
    sp_format_duration(time, cell->duration_s);
    rdc_clear_status(c);
    if (cell->failed > 0)
        rdc_colored(c, "31;1", "BROKEN ");
    else if (cell->errored > 0)
        rdc_colored(c, "33;1", "ERROR  ");
    else if (cell->passed == 0)
        rdc_colored(c, "33", "none   ");
    else
        rdc_colored(c, "32", "held   ");
    column(c, cell->provider, 12);
    column(c, cell->suite, 12);
    sp_buf_printf(&c->out, "%4" PRIu64 " passed", cell->passed);
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

/* A server that cannot be reached gives all cases the same message: it is printed once, and counted. */
static bool same_again(struct sp_console *c, const struct sp_event_in *ev, bool checked)
{
    const char *message = rd_text(ev, SP_FLD_message);
    if (checked || message[0] == '\0' || c->last.n == 0 || strcmp(c->last.p, message) != 0)
        return false;
    c->repeated++;
    return true;
}

static void end_repeats(struct sp_console *c)
{
    if (c->repeated > 0) {
        rdc_clear_status(c);
        sp_buf_printf(&c->out, "    … and %" PRIu64 " more cases with the same message\n", c->repeated);
    }
    c->repeated = 0;
    sp_buf_clear(&c->last);
}

static void on_case_end(struct sp_console *c, const struct sp_event_in *ev)
{
    const char *outcome = rd_text(ev, SP_FLD_outcome), *id = rd_text(ev, SP_FLD_id);
    struct rdc_cell *cell = cell_of(c, ev);
    struct rdc_check *check = check_of(c, ev);
    bool checked = check != NULL && check->text.n > 0;
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
    if (c->verbosity == 1 && errored && same_again(c, ev, checked)) {
        /* counted */
    } else if (c->verbosity >= 1 && (failed || errored)) {
        end_repeats(c);
        if (errored)
            sp_buf_puts(&c->last, checked ? "" : rd_text(ev, SP_FLD_message));
        rdc_clear_status(c);
        rdc_colored(c, failed ? "31;1" : "33;1", failed ? "FAILED " : "ERRORED");
        sp_buf_putc(&c->out, ' ');
        on(c, id, rd_text(ev, SP_FLD_provider));
        sp_buf_putc(&c->out, '\n');
        if (checked)
            sp_buf_put(&c->out, check->text.p, check->text.n);
        else
            rdc_field(c, "message", rd_text(ev, SP_FLD_message));
        rdc_field(c, "repeat", rd_text(ev, SP_FLD_repeat));
    } else if (c->verbosity >= 2) {
        rdc_clear_status(c);
        sp_buf_printf(&c->out, "%-8s ", outcome);
        on(c, id, rd_text(ev, SP_FLD_provider));
        sp_buf_puts(&c->out, "  ");
        rd_plain(&c->out, rd_text(ev, SP_FLD_reason));
        sp_buf_putc(&c->out, '\n');
    }
    if (check != NULL)
        sp_buf_clear(&check->key);
    if (c->verbosity >= 1 && cell != NULL && cell->done == cell->planned) {
        end_repeats(c);
        cell_line(c, cell);
    }
    status(c, id);
}

/* ---- the end ------------------------------------------------------------------------------------------------- */

static void on_run_end(struct sp_console *c, const struct sp_event_in *ev)
{
    int64_t code = sp_event_get_int(ev, SP_FLD_exit_code, -1);
    char time[32];
    end_repeats(c);
    rdc_clear_status(c);
    if (c->verbosity >= 1 && c->nskips > 0) {
        sp_buf_puts(&c->out, "\nSkipped:\n");
        for (size_t i = 0; i < c->nskips; i++) {
            sp_buf_printf(&c->out, "  %4" PRIu64 "  ", c->skips[i].n);
            column(c, c->skips[i].provider, 12);
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
    rdc_colored(c, code == 0 ? "32;1" : code == 1 ? "31;1" : "33;1", rd_text(ev, SP_FLD_verdict));
    sp_buf_printf(&c->out, " (exit code %" PRId64 ")\n", code);
    const char *reasons = rd_text(ev, SP_FLD_reasons);
    while (*reasons != '\0') {
        size_t n = strcspn(reasons, "\n");
        char *line = sp_arena_strn(&c->arena, reasons, n);
        if (n > 0 && line != NULL && !rdc_said(c, line)) {
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
        if (rd_text(ev, SP_FLD_error)[0] != '\0' && !rdc_said(c, rd_text(ev, SP_FLD_error)))
            rdc_named(c, "33;1", "ERROR  ", rd_text(ev, SP_FLD_name), rd_text(ev, SP_FLD_error));
        return;
    case SP_EV_NOTE:
        rdc_named(c, "36", "note   ", "", rd_text(ev, SP_FLD_text));
        return;
    default:
        rdc_data(c, ev);
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
