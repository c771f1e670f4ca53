/* html_measure.c -- operations with their latencies, each with its distribution as a drawing. */
#include "reports/html.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "measure/histogram.h"

#define F(name) SP_FLD_##name
#define BARS    56
#define HEIGHT  36

/* Buckets are log-linear, so that equal steps of their index are a logarithmic axis. */
static void drawing(struct sp_buf *out, const struct sp_histogram *h)
{
    size_t lo = SP_HIST_BUCKETS, hi = 0, median = 0, tail = 0;
    uint64_t seen = 0, sums[BARS] = { 0 }, most = 1;
    for (size_t i = 0; i < SP_HIST_BUCKETS; i++) {
        if (h->bucket[i] == 0)
            continue;
        lo = i < lo ? i : lo;
        hi = i;
        if (seen < h->count - h->count / 2)
            median = i;
        if (seen < h->count - h->count / 100)
            tail = i;
        seen += h->bucket[i];
    }
    size_t span = hi - lo + 1;
    for (size_t i = lo; i <= hi; i++)
        sums[(i - lo) * BARS / span] += h->bucket[i];
    for (size_t i = 0; i < BARS; i++)
        most = sums[i] > most ? sums[i] : most;
    sp_buf_printf(out,
        "<svg class=\"hist\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" "
        "aria-label=\"Distribution of latencies on a logarithmic axis\">",
        BARS * 3, HEIGHT, BARS * 3, HEIGHT);
    for (size_t i = 0; i < BARS; i++) {
        if (sums[i] == 0)
            continue;
        double height = 1.5 + (HEIGHT - 4) * (double)sums[i] / (double)most;
        sp_buf_printf(out, "<rect x=\"%zu\" y=\"%.1f\" width=\"2.4\" height=\"%.1f\"%s/>", i * 3,
            HEIGHT - height, height, i > (tail - lo) * BARS / span ? " class=\"tail\"" : "");
    }
    sp_buf_printf(out, "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"%d\"/></svg>",
        (double)(((median - lo) * BARS / span) * 3) + 1.2, (double)(((median - lo) * BARS / span) * 3) + 1.2,
        HEIGHT);
}

static void distribution(struct sp_buf *out, const struct sp_event_in *ev)
{
    const char *text = rd_text(ev, F(hist));
    sp_buf_puts(out, "<td>");
    if (text[0] != '\0') {
        struct sp_histogram *h = sp_hist_new();
        if (h == NULL)
            out->oom = true;
        else if (sp_hist_parse(text, h) == 0 && h->count > 0)
            drawing(out, h);
        else
            sp_buf_puts(out, "<span class=\"dim\">unreadable</span>");
        sp_hist_free(h);
    }
    sp_buf_puts(out, "</td>");
}

static void rate(struct sp_buf *out, const struct sp_event_in *ev)
{
    double v = sp_event_get_real(ev, F(rate), -1);
    char text[32];
    if (v < 0 || v > 1e15)
        sp_buf_puts(out, "<td class=\"num none\">–</td>");
    else if (v < 100)
        sp_buf_printf(out, "<td class=\"num\">%.1f/s</td>", v);
    else {
        sp_format_count(text, (uint64_t)v);
        sp_buf_printf(out, "<td class=\"num\">%s/s</td>", text);
    }
}

/* Latencies; a unit other than seconds is shown as a bare number with it. */
static void latency(struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f)
{
    const char *unit = rd_text(ev, F(unit));
    double v = sp_event_get_real(ev, f, -1);
    if (v < 0 || unit[0] == '\0' || strcmp(unit, "s") == 0) {
        rdh_cell_seconds(out, ev, f);
        return;
    }
    sp_buf_printf(out, "<td class=\"num\">%.3g ", v);
    rd_xml(out, unit);
    sp_buf_puts(out, "</td>");
}

static void measure(struct sp_buf *out, const struct sp_event_in *ev)
{
    const enum sp_event_field fields[] = { F(p50), F(p95), F(p99), F(max) };
    rdh_row_head(out, rd_text(ev, F(operation)));
    sp_buf_puts(out, "<td>");
    rd_xml(out, rd_text(ev, F(basis)));
    sp_buf_puts(out, "<span class=\"dim small why\">");
    rd_xml(out, rd_text(ev, F(id)));
    sp_buf_puts(out, "</span></td>");
    rdh_cell_int(out, ev, F(count), H_PLAIN);
    rate(out, ev);
    for (size_t i = 0; i < SP_LEN(fields); i++)
        latency(out, ev, fields[i]);
    distribution(out, ev);
    rdh_cell_int(out, ev, F(errors), H_BAD);
    rdh_cell_int(out, ev, F(dropped), H_WARN);
    rdh_cell_int(out, ev, F(late), H_WARN);
    sp_buf_puts(out, "</tr>\n");
}

void rdh_measures(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Operation", "Basis", "#Count", "#Rate", "#p50", "#p95", "#p99", "#Max",
        "Distribution", "#Errors", "#Dropped", "#Late" };
    const struct rd_rows *rows = &r->of[SP_EV_MEASURE];
    if (rows->n == 0)
        return;
    rdh_section(out, "measurements", "Measurements", (int64_t)rows->n,
        "<b>Service</b> time starts with the call, <b>response</b> time when the call should have started. "
        "A dash: too few samples for that quantile. Drawings have a logarithmic axis from the fastest to the "
        "slowest call; the line is the median, the slowest hundredth is set apart in colour.");
    for (size_t i = 0; i < rows->n; i++) {
        const char *provider = rd_text(&rows->v[i].ev, F(provider));
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(rd_text(&rows->v[k].ev, F(provider)), provider) == 0;
        if (seen)
            continue;
        sp_buf_puts(out, "<h3>");
        rdh_provider(out, r, provider);
        sp_buf_puts(out, "</h3>\n");
        rdh_table(out, "Latencies per operation", columns, SP_LEN(columns));
        for (size_t k = i; k < rows->n; k++)
            if (strcmp(rd_text(&rows->v[k].ev, F(provider)), provider) == 0)
                measure(out, &rows->v[k].ev);
        rdh_table_end(out);
    }
    rdh_section_end(out);
}
