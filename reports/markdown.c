/* markdown.c -- summary.md, for the page of a CI job. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "reports/markdown.h"
#include "reports/semantics.h"
#include "reports/escape.h"
#include "reports/rundata.h"
#include "reports/causes.h"
#include "reports/assess.h"
#include "reports/sampled.h"

#define MAX_LISTED 50

static void cell_text(struct sp_buf *out, const struct rd_cell *n)
{
    if (n->failed > 0)
        sp_buf_printf(out, "**%" PRIu64 " failed** ", n->failed);
    if (n->errored + n->not_run > 0)
        sp_buf_printf(out, "**%" PRIu64 " errored** ", n->errored + n->not_run);
    if (n->passed > 0)
        sp_buf_printf(out, "%" PRIu64 " passed ", n->passed);
    if (n->xfailed > 0)
        sp_buf_printf(out, "%" PRIu64 " expected failures ", n->xfailed);
    if (n->skipped > 0)
        sp_buf_printf(out, "%" PRIu64 " skipped ", n->skipped);
    if (n->passed + n->failed + n->errored + n->skipped + n->xfailed + n->not_run == 0)
        sp_buf_puts(out, "–");
}

/* A list item per line. */
static void lines(struct sp_buf *out, const char *text)
{
    struct sp_buf line = SP_BUF_INIT;
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        sp_buf_clear(&line);
        if (n > 0 && sp_buf_put(&line, text, n) == 0) {
            sp_buf_puts(out, "- ");
            rd_md(out, line.p);
            sp_buf_putc(out, '\n');
        }
        out->oom = out->oom || line.oom;
        text += n + (text[n] == '\n');
    }
    sp_buf_free(&line);
}

static void matrix(struct sp_buf *out, const struct rd *r)
{
    if (r->ncases == 0)
        return;
    sp_buf_puts(out, "\n| provider | fidelity |");
    for (size_t s = 0; s < r->nsuites; s++) {
        sp_buf_putc(out, ' ');
        rd_md(out, r->suites[s]);
        sp_buf_puts(out, " |");
    }
    sp_buf_puts(out, "\n|---|---|");
    for (size_t s = 0; s < r->nsuites; s++)
        sp_buf_puts(out, "---|");
    sp_buf_putc(out, '\n');
    for (size_t p = 0; p < r->nproviders; p++) {
        sp_buf_puts(out, "| ");
        rd_md(out, r->providers[p].name);
        sp_buf_puts(out, " | ");
        rd_md(out, r->providers[p].fidelity[0] == '\0' ? "unknown" : r->providers[p].fidelity);
        sp_buf_puts(out, " |");
        for (size_t s = 0; s < r->nsuites; s++) {
            struct rd_cell n = rd_cell(r, r->providers[p].name, r->suites[s]);
            sp_buf_putc(out, ' ');
            cell_text(out, &n);
            sp_buf_puts(out, "|");
        }
        sp_buf_putc(out, '\n');
    }
}

/* A stand-in shows that the tests run, not that the backend it stands for holds. */
static void stand_ins(struct sp_buf *out, const struct rd *r)
{
    for (size_t p = 0; p < r->nproviders; p++) {
        const char *fidelity = r->providers[p].fidelity;
        if (strcmp(fidelity, "compatible server") != 0 && strcmp(fidelity, "official emulator") != 0)
            continue;
        sp_buf_puts(out, "\n");
        rd_md(out, r->providers[p].name);
        sp_buf_printf(out,
            ": %s. What held there, transactions included, is *unproven* for the real backend; what it does "
            "not "
            "offer is unproven too.\n",
            strcmp(fidelity, "compatible server") == 0 ? "a compatible server" : "an official emulator");
    }
}

static void failures(struct sp_buf *out, const struct rd *r)
{
    size_t n = 0, left = 0;
    for (size_t i = 0; i < r->ncases; i++) {
        const struct rd_case *c = &r->cases[i];
        bool failed = strcmp(c->outcome, "failed") == 0;
        if (!failed && strcmp(c->outcome, "errored") != 0)
            continue;
        if (n >= MAX_LISTED) {
            left++;
            continue;
        }
        if (n++ == 0)
            sp_buf_puts(out, "\n### Failing cases\n\n");
        sp_buf_printf(out, "- **%s** ", failed ? "failed" : "errored");
        rd_md_code(out, c->id);
        sp_buf_puts(out, " on ");
        rd_md(out, c->provider);
        if (c->checks != NULL) {
            sp_buf_puts(out, ": expected ");
            rd_md_code(out, c->checks->expected);
            sp_buf_puts(out, ", actual ");
            rd_md_code(out, c->checks->actual);
        } else {
            sp_buf_puts(out, ": ");
            rd_md(out, c->message);
        }
        if (c->repeat[0] != '\0') {
            sp_buf_puts(out, "  \n  repeat: ");
            rd_md_code(out, c->repeat);
        }
        sp_buf_putc(out, '\n');
    }
    if (left > 0)
        sp_buf_printf(out, "- … and %zu more, see report.html\n", left);
}

/* Skips with the same reason are one line. */
static void skips(struct sp_buf *out, const struct rd *r)
{
    bool head = false;
    for (size_t i = 0; i < r->ncases; i++) {
        const struct rd_case *c = &r->cases[i];
        size_t same = 0;
        bool first = true;
        if (strcmp(c->outcome, "skipped") != 0)
            continue;
        for (size_t k = 0; k < r->ncases; k++) {
            const struct rd_case *d = &r->cases[k];
            if (strcmp(d->outcome, "skipped") != 0 || strcmp(d->provider, c->provider) != 0 ||
                strcmp(d->reason, c->reason) != 0)
                continue;
            first = first && k >= i;
            same++;
        }
        if (!first)
            continue;
        if (!head)
            sp_buf_puts(out, "\n### Skipped\n\n| provider | cases | reason |\n|---|---:|---|\n");
        head = true;
        sp_buf_puts(out, "| ");
        rd_md(out, c->provider);
        sp_buf_printf(out, " | %zu | ", same);
        rd_md(out, c->reason[0] == '\0' ? "no reason given" : c->reason);
        sp_buf_puts(out, " |\n");
    }
}

/* Only what differs: the rest is in report.html. */
static void behaviour(struct sp_buf *out, const struct rd *r)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct rds s = { 0 };
    if (rds_load(r, &a, &s) != 0)
        out->oom = true;
    size_t differ = s.count[RDS_SWITCH] + s.count[RDS_DIFFERS];
    for (size_t i = 0; i < differ && i < MAX_LISTED; i++) {
        const struct rds_topic *t = &s.v[i];
        if (i == 0) {
            sp_buf_printf(out, "\n### Behaviour that differs (%zu of %zu topics)\n\n| topic |", differ, s.n);
            for (size_t p = 0; p < r->nproviders; p++) {
                sp_buf_putc(out, ' ');
                rd_md(out, r->providers[p].name);
                sp_buf_puts(out, " |");
            }
            sp_buf_puts(out, "\n|---|");
            for (size_t p = 0; p < r->nproviders; p++)
                sp_buf_puts(out, "---|");
            sp_buf_putc(out, '\n');
        }
        sp_buf_puts(out, "| ");
        rd_md(out, t->topic);
        sp_buf_puts(out, t->kind == RDS_SWITCH ? " **(source ≠ target)** |" : " |");
        for (size_t p = 0; p < r->nproviders; p++) {
            char letter[24];
            sp_buf_putc(out, ' ');
            if (t->cells[p].class == RDS_NONE) {
                sp_buf_puts(out, "– |");
                continue;
            }
            rds_letter(t->cells[p].class, letter);
            sp_buf_printf(out, "%s: ", letter);
            rd_md(out, t->classes[t->cells[p].class]);
            sp_buf_puts(out, " |");
        }
        sp_buf_putc(out, '\n');
    }
    if (differ > MAX_LISTED)
        sp_buf_printf(out, "\n… and %zu more, see report.html\n", differ - MAX_LISTED);
    sp_arena_free(&a);
}

static void number(struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f)
{
    int64_t v = sp_event_get_int(ev, f, -1);
    char text[32];
    sp_format_count(text, v < 0 ? 0 : (uint64_t)v);
    sp_buf_printf(out, " %s |", v < 0 ? "?" : text);
}

/* The first differences of the data, and what stands beside the rows. */
static void verify_details(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_DIFFERENCE], *relations = &r->of[SP_EV_RELATION],
                         *sequences = &r->of[SP_EV_SEQUENCE];
    for (size_t i = 0; i < rows->n && i < MAX_LISTED; i++) {
        const struct sp_event_in *d = &rows->v[i].ev;
        sp_buf_puts(out, i == 0 ? "\nDifferences:\n\n- " : "- ");
        rd_md(out, rd_text(d, SP_FLD_difference));
        sp_buf_puts(out, " in ");
        rd_md_code(out, rd_text(d, SP_FLD_name));
        sp_buf_puts(out, " row ");
        rd_md_code(out, rd_text(d, SP_FLD_key));
        if (rd_text(d, SP_FLD_column)[0] != '\0') {
            sp_buf_puts(out, " column ");
            rd_md_code(out, rd_text(d, SP_FLD_column));
        }
        sp_buf_puts(out, ": expected ");
        rd_md_code(out, rd_text(d, SP_FLD_expected));
        sp_buf_puts(out, ", actual ");
        rd_md_code(out, rd_text(d, SP_FLD_actual));
        sp_buf_putc(out, '\n');
    }
    if (rows->n > MAX_LISTED)
        sp_buf_printf(out, "- … and %zu more, see report.html\n", rows->n - MAX_LISTED);
    sp_buf_putc(out, '\n');
    for (size_t i = 0; i < relations->n; i++) {
        int64_t n = sp_event_get_int(&relations->v[i].ev, SP_FLD_introduced, 0);
        if (n == 0)
            continue;
        sp_buf_puts(out, "- relation ");
        rd_md_code(out, rd_text(&relations->v[i].ev, SP_FLD_name));
        sp_buf_printf(out, ": %" PRId64 " orphans that the source has not\n", n);
    }
    for (size_t i = 0; i < sequences->n; i++) {
        if (!sp_event_get_bool(&sequences->v[i].ev, SP_FLD_behind, false))
            continue;
        sp_buf_puts(out, "- sequence ");
        rd_md_code(out, rd_text(&sequences->v[i].ev, SP_FLD_name));
        sp_buf_puts(out, " is behind the source's\n");
    }
}

static void table_state(struct sp_buf *out, const struct sp_event_in *t)
{
    static const char *const words[] = { [RD_TABLE_EQUAL] = "equal",
        [RD_TABLE_IN_FLIGHT] = "equal",
        [RD_TABLE_UNSETTLED] = "**not compared**",
        [RD_TABLE_DIFFERENT] = "**different**" };
    int64_t flight = sp_event_get_int(t, SP_FLD_in_flight, 0),
            moving = sp_event_get_int(t, SP_FLD_unsettled, 0);
    sp_buf_printf(out, " %s", words[rd_table_state(t)]);
    if (flight != 0)
        sp_buf_printf(out, ", %" PRId64 " rows in flight", flight);
    if (moving != 0)
        sp_buf_printf(out, ", %" PRId64 " undecided", moving);
    sp_buf_puts(out, " |\n");
}

static void verify(struct sp_buf *out, const struct rd *r)
{
    const enum sp_event_field counts[] = { SP_FLD_source_rows, SP_FLD_target_rows, SP_FLD_missing,
        SP_FLD_extra, SP_FLD_changed };
    const struct rd_rows *tables = &r->of[SP_EV_TABLE], *schema = &r->of[SP_EV_SCHEMA_DIFF],
                         *none = &r->of[SP_EV_NOT_COMPARED];
    if (!r->verified)
        return;
    sp_buf_puts(out, "\n### Verification: ");
    rd_md(out, rd_verify_verdict(r));
    sp_buf_puts(out, "\n\n| table | source rows | target rows | missing | extra | changed | digest |\n"
                     "|---|---:|---:|---:|---:|---:|---|\n");
    for (size_t i = 0; i < tables->n && i < MAX_LISTED; i++) {
        const struct sp_event_in *t = &tables->v[i].ev;
        sp_buf_puts(out, "| ");
        rd_md(out, rd_text(t, SP_FLD_name));
        sp_buf_puts(out, " |");
        for (size_t k = 0; k < SP_LEN(counts); k++)
            number(out, t, counts[k]);
        table_state(out, t);
    }
    if (tables->n > MAX_LISTED)
        sp_buf_printf(out, "\n… and %zu more tables, see report.html\n", tables->n - MAX_LISTED);
    for (size_t i = 0; i < schema->n && i < MAX_LISTED; i++) {
        const struct sp_event_in *d = &schema->v[i].ev;
        sp_buf_puts(out, i == 0 ? "\nSchema differences:\n\n- " : "- ");
        rd_md(out, rd_text(d, SP_FLD_element));
        sp_buf_putc(out, ' ');
        rd_md_code(out, rd_text(d, SP_FLD_name));
        sp_buf_puts(out, ": expected ");
        rd_md_code(out, rd_text(d, SP_FLD_expected));
        sp_buf_puts(out, ", actual ");
        rd_md_code(out, rd_text(d, SP_FLD_actual));
        sp_buf_puts(out, sp_event_get_bool(d, SP_FLD_accepted, false) ? " (acknowledged)\n" : "\n");
    }
    for (size_t i = 0; i < none->n && i < MAX_LISTED; i++) {
        sp_buf_puts(out, i == 0 ? "\nNot compared:\n\n- " : "- ");
        rd_md(out, rd_text(&none->v[i].ev, SP_FLD_name));
        sp_buf_puts(out, ": ");
        rd_md(out, rd_text(&none->v[i].ev, SP_FLD_reason));
        sp_buf_puts(
            out, sp_event_get_bool(&none->v[i].ev, SP_FLD_accepted, false) ? " (acknowledged)\n" : "\n");
    }
    rd_md_sampled(out, r);
    rd_md_causes(out, r);
    verify_details(out, r);
    rd_md_checks(out, r);
}

int rd_markdown(const struct rd *r, struct sp_buf *out, struct sp_error *err)
{
    (void)err;
    sp_buf_puts(out, "## switchproof: ");
    rd_md(out, rd_verdict(r));
    sp_buf_puts(out, "\n\n");
    if (r->truncated) {
        sp_buf_puts(out, "**The record of this run is not whole; nothing can be concluded from it.** ");
        rd_md(out, r->damage != NULL ? r->damage : "");
        sp_buf_puts(out, "\n\n");
    }
    if (rd_text(&r->end, SP_FLD_reasons)[0] != '\0') {
        lines(out, rd_text(&r->end, SP_FLD_reasons));
        sp_buf_putc(out, '\n');
    }
    if (r->ncases > 0)
        sp_buf_printf(out,
            "%" PRIu64 " passed, %" PRIu64 " failed, %" PRIu64 " errored, %" PRIu64 " skipped, %" PRIu64
            " expected failures\n",
            r->totals[0], r->totals[1], r->totals[2], r->totals[3], r->totals[4]);
    matrix(out, r);
    stand_ins(out, r);
    failures(out, r);
    verify(out, r);
    rd_md_assess(out, r);
    skips(out, r);
    behaviour(out, r);
    return out->oom ? -SP_E_NOMEM : 0;
}
