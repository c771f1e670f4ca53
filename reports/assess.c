/* assess.c -- what lies before a switch, for people: console, report.html, summary.md. */
#include "reports/assess.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "reports/escape.h"
#include "reports/html.h"

#define F(name)    SP_FLD_##name
#define MAX_LISTED 30

static int weight(const struct sp_event_in *ev)
{
    const char *risk = rd_text(ev, F(risk));
    return strcmp(risk, "high") == 0 ? 0 : strcmp(risk, "medium") == 0 ? 1 : 2;
}

static int by_risk(const void *a, const void *b)
{
    const struct rd_row *x = a, *y = b;
    int d = weight(&x->ev) - weight(&y->ev);
    return d != 0 ? d : x->ev.seq < y->ev.seq ? -1 : x->ev.seq > y->ev.seq;
}

void rd_assess_order(struct rd *r)
{
    struct rd_rows *rows = &r->of[SP_EV_ASSESS_FINDING];
    if (rows->n > 1)
        qsort(rows->v, rows->n, sizeof *rows->v, by_risk);
}

static void size_text(char out[32], int64_t bytes)
{
    static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB" };
    double d = bytes < 0 ? 0 : (double)bytes;
    size_t u = 0;
    for (; d >= 1024 && u + 1 < SP_LEN(units); u++)
        d /= 1024;
    snprintf(out, 32, u == 0 ? "%.0f %s" : "%.1f %s", d, units[u]);
}

/* Where a finding belongs: table.column. */
static void put_place(
    struct sp_buf *out, const struct sp_event_in *ev, void (*put)(struct sp_buf *, const char *))
{
    struct sp_buf b = SP_BUF_INIT;
    const char *table = rd_text(ev, F(name)), *column = rd_text(ev, F(column));
    sp_buf_printf(
        &b, "%s%s%s", table[0] == '\0' ? "the whole source" : table, column[0] == '\0' ? "" : ".", column);
    put(out, b.p != NULL ? b.p : "");
    sp_buf_free(&b);
}

/* ---- console ------------------------------------------------------------------------------------------------------ */

static void on_table(struct sp_console *c, const struct sp_event_in *ev)
{
    char rows[32], bytes[32], largest[32], time[32];
    sp_format_count(rows, (uint64_t)sp_event_get_int(ev, F(rows), 0));
    size_text(bytes, sp_event_get_int(ev, F(bytes), 0));
    size_text(largest, sp_event_get_int(ev, F(max_row), 0));
    sp_format_duration(time, sp_event_get_real(ev, F(estimate_s), 0));
    rdc_clear_status(c);
    sp_buf_puts(&c->out, "table ");
    rd_plain(&c->out, rd_text(ev, F(name)));
    sp_buf_printf(&c->out, ": %s rows, about %s, largest row %s, about %s to read\n    growth: ",
        sp_event_get_int(ev, F(rows), -1) < 0 ? "uncounted" : rows, bytes, largest, time);
    rd_plain(&c->out, rd_text(ev, F(growth)));
    sp_buf_putc(&c->out, '\n');
}

static void on_finding(struct sp_console *c, const struct sp_event_in *ev)
{
    int w = weight(ev);
    rdc_clear_status(c);
    rdc_colored(c, w == 0 ? "31;1" : w == 1 ? "33" : "2", w == 0 ? "high  " : w == 1 ? "medium" : "low   ");
    sp_buf_putc(&c->out, ' ');
    put_place(&c->out, ev, rd_plain);
    sp_buf_puts(&c->out, ": ");
    rd_plain(&c->out, rd_text(ev, F(topic)));
    sp_buf_puts(&c->out, ": ");
    rd_plain(&c->out, rd_text(ev, F(message)));
    sp_buf_putc(&c->out, '\n');
}

static void on_end(struct sp_console *c, const struct sp_event_in *ev)
{
    char time[32];
    sp_format_duration(time, sp_event_get_real(ev, F(estimate_s), 0));
    rdc_clear_status(c);
    sp_buf_printf(&c->out, "reading it all takes about %s (", time);
    rd_plain(&c->out, rd_text(ev, F(basis)));
    sp_buf_puts(&c->out, ")\nto do:\n");
    for (const char *p = rd_text(ev, F(advice)); *p != '\0';) {
        size_t n = strcspn(p, "\n");
        char line[256];
        snprintf(line, sizeof line, "%.*s", n < 250 ? (int)n : 250, p);
        sp_buf_puts(&c->out, "  - ");
        rd_plain(&c->out, line);
        sp_buf_putc(&c->out, '\n');
        p += n + (p[n] == '\n');
    }
}

bool rdc_assess(struct sp_console *c, const struct sp_event_in *ev)
{
    if (ev->kind == SP_EV_ASSESS_TABLE)
        on_table(c, ev);
    else if (ev->kind == SP_EV_ASSESS_FINDING)
        on_finding(c, ev);
    else if (ev->kind == SP_EV_ASSESS_END)
        on_end(c, ev);
    else
        return false;
    return true;
}

/* ---- report.html ---------------------------------------------------------------------------------------------------- */

static void html_tables(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "#Rows", "Content", "Largest row", "On disk", "#Read", "#Time",
        "#Step", "Growth" };
    const enum sp_event_field sizes[] = { F(bytes), F(max_row), F(disk_bytes) };
    const struct rd_rows *rows = &r->of[SP_EV_ASSESS_TABLE];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Volume and growth", (int64_t)rows->n);
    sp_buf_puts(out, "<p class=\"lead\">Content is estimated from the rows that were read; steps are the "
                     "order in which tables "
                     "depend on each other.</p>");
    rdh_table(out, "Volume and growth per table", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(name)));
        rdh_cell_int(out, ev, F(rows), H_PLAIN);
        for (size_t k = 0; k < SP_LEN(sizes); k++) {
            char text[32] = "";
            if (sp_event_get_int(ev, sizes[k], -1) >= 0)
                size_text(text, sp_event_get_int(ev, sizes[k], 0));
            rdh_cell(out, text);
        }
        rdh_cell_int(out, ev, F(examined), H_PLAIN);
        rdh_cell_seconds(out, ev, F(estimate_s));
        rdh_cell_int(out, ev, F(step), H_PLAIN);
        rdh_cell(out, rd_text(ev, F(growth)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void html_findings(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Where", "Risk", "Topic", "#Count", "What", "What to do" };
    const struct rd_rows *rows = &r->of[SP_EV_ASSESS_FINDING];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Findings by risk", (int64_t)rows->n);
    rdh_table(out, "What to know before the switch", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        int w = weight(ev);
        struct sp_buf place = SP_BUF_INIT;
        const char *column = rd_text(ev, F(column));
        sp_buf_printf(&place, "%s%s%s", rd_text(ev, F(name)), column[0] == '\0' ? "" : ".", column);
        rdh_row_head(out, place.n == 0 ? "the whole source" : place.p);
        sp_buf_free(&place);
        sp_buf_puts(out, "<td>");
        rdh_badge(out,
            w == 0   ? H_BAD
            : w == 1 ? H_WARN
                     : H_PLAIN,
            w == 0   ? "▲"
            : w == 1 ? "●"
                     : "○",
            rd_text(ev, F(risk)));
        sp_buf_puts(out, "</td>");
        rdh_cell(out, rd_text(ev, F(topic)));
        rdh_cell_int(out, ev, F(count), H_PLAIN);
        rdh_cell(out, rd_text(ev, F(message)));
        rdh_cell(out, rd_text(ev, F(advice)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

void rdh_assess(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *ends = &r->of[SP_EV_ASSESS_END], *starts = &r->of[SP_EV_ASSESS_START];
    if (starts->n == 0)
        return;
    const char *target = rd_text(&starts->v[0].ev, F(target_kind));
    rdh_section(out, "assess", "Assessment", -1, NULL);
    if (ends->n == 0) {
        sp_buf_puts(out, "<p class=\"lead\">It has no end: nothing can be concluded from it.</p>");
    } else {
        const struct sp_event_in *ev = &ends->v[ends->n - 1].ev;
        int w = weight(ev);
        char time[32];
        sp_format_duration(time, sp_event_get_real(ev, F(estimate_s), 0));
        sp_buf_puts(out, "<p class=\"big\">");
        rdh_badge(out,
            w == 0   ? H_BAD
            : w == 1 ? H_WARN
                     : H_GOOD,
            w == 0   ? "▲"
            : w == 1 ? "●"
                     : "○",
            rd_text(ev, F(risk)));
        sp_buf_puts(out, " risk");
        if (target[0] != '\0') {
            sp_buf_puts(out, " of a move to ");
            rd_xml(out, target);
        }
        sp_buf_puts(out, "</p>\n<p class=\"label\">Why</p>");
        rdh_lines(out, rd_text(ev, F(reasons)));
        sp_buf_puts(out, "<p class=\"label\">What to do</p>");
        rdh_lines(out, rd_text(ev, F(advice)));
        sp_buf_printf(out, "<p>Reading it all takes about %s: ", time);
        rd_xml(out, rd_text(ev, F(basis)));
        sp_buf_puts(out, ".</p>\n");
    }
    html_findings(out, r);
    html_tables(out, r);
    rdh_section_end(out);
}

/* ---- summary.md ------------------------------------------------------------------------------------------------------ */

void rd_md_assess(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *ends = &r->of[SP_EV_ASSESS_END], *rows = &r->of[SP_EV_ASSESS_FINDING];
    if (ends->n != 0) {
        char time[32];
        const struct sp_event_in *ev = &ends->v[ends->n - 1].ev;
        sp_format_duration(time, sp_event_get_real(ev, F(estimate_s), 0));
        sp_buf_puts(out, "\n### Assessment: risk ");
        rd_md(out, rd_text(ev, F(risk)));
        sp_buf_printf(out, "\n\nReading it all takes about %s (", time);
        rd_md(out, rd_text(ev, F(basis)));
        sp_buf_puts(out, ").\n\n");
    }
    for (size_t i = 0; i < rows->n && i < MAX_LISTED; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        sp_buf_puts(out, weight(ev) == 0 ? "- **high** " : weight(ev) == 1 ? "- medium " : "- low ");
        put_place(out, ev, rd_md_code);
        sp_buf_puts(out, ": ");
        rd_md(out, rd_text(ev, F(message)));
        sp_buf_putc(out, '\n');
    }
    if (rows->n > MAX_LISTED)
        sp_buf_printf(out, "- … and %zu more, see report.html\n", rows->n - MAX_LISTED);
}
