/* html_data.c -- rows: the differences that were listed, and what a migration copied. */
#include "reports/html.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define F(name) SP_FLD_##name

static enum rdh_tone kind_tone(const char *difference)
{
    return strcmp(difference, "changed") == 0 ? H_WARN : H_BAD;
}

static const char *kind_symbol(const char *difference)
{
    return strcmp(difference, "missing") == 0   ? "−"
           : strcmp(difference, "extra") == 0   ? "+"
           : strcmp(difference, "changed") == 0 ? "≠"
                                                : "✗";
}

static void group(struct sp_buf *out, const struct rd_rows *rows, size_t from, size_t to)
{
    const char *const columns[] = { "Row", "Difference", "Column", "Expected (source)", "Actual (target)",
        "Row digest" };
    char text[32];
    sp_format_count(text, to - from);
    sp_buf_puts(out, "<h3>");
    rd_xml(out, rd_text(&rows->v[from].ev, F(name)));
    sp_buf_printf(out, " <span class=\"n\">%s</span></h3>\n", text);
    rdh_table(out, "Differences, row by row", columns, SP_LEN(columns));
    for (size_t i = from; i < to; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        const char *difference = rd_text(ev, F(difference)), *digest = rd_text(ev, F(digest));
        sp_buf_puts(out, "<tr><th scope=\"row\">");
        rdh_code(out, rd_text(ev, F(key)));
        sp_buf_puts(out, "</th><td>");
        rdh_badge(out, kind_tone(difference), kind_symbol(difference), difference);
        sp_buf_puts(out, "</td>");
        rdh_cell_code(out, rd_text(ev, F(column)));
        if (strcmp(difference, "changed") == 0) {
            rdh_cells_diff(out, rd_text(ev, F(expected)), rd_text(ev, F(actual)));
        } else {
            rdh_cell_value(out, rd_text(ev, F(expected)));
            rdh_cell_value(out, rd_text(ev, F(actual)));
        }
        sp_buf_puts(out, "<td class=\"small\">");
        rdh_short(out, digest);
        if (rd_text(ev, F(side))[0] != '\0' && digest[0] != '\0') {
            sp_buf_puts(out, " <span class=\"dim\">");
            rd_xml(out, rd_text(ev, F(side)));
            sp_buf_puts(out, "</span>");
        }
        if (rd_text(ev, F(since))[0] != '\0') {
            sp_buf_puts(out, "<br><span class=\"dim\">seen since ");
            rd_xml(out, rd_text(ev, F(since)));
            sp_buf_puts(out, "</span>");
        }
        sp_buf_puts(out, "</td></tr>\n");
    }
    rdh_table_end(out);
}

void rdh_differences(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_DIFFERENCE], *ends = &r->of[SP_EV_VERIFY_END];
    bool capped = ends->n > 0 && sp_event_get_bool(&ends->v[ends->n - 1].ev, F(capped), false);
    if (rows->n == 0)
        return;
    rdh_section(out, "differences", "Differences", (int64_t)rows->n, NULL);
    if (capped)
        sp_buf_puts(out,
            "<p class=\"callout warn\"><b>! The list is capped.</b> There are more differences than are "
            "listed here; the counts per table are complete. <kbd>--max-differences</kbd> lists more.</p>\n");
    for (size_t from = 0, to; from < rows->n; from = to) {
        const char *name = rd_text(&rows->v[from].ev, F(name));
        for (to = from + 1; to < rows->n && strcmp(rd_text(&rows->v[to].ev, F(name)), name) == 0;)
            to++;
        group(out, rows, from, to);
    }
    rdh_section_end(out);
}

static void migrate_ends(struct sp_buf *out, const struct rd_rows *ends)
{
    for (size_t i = 0; i < ends->n; i++) {
        const struct sp_event_in *ev = &ends->v[i].ev;
        char rows[32], time[32];
        int64_t n = sp_event_get_int(ev, F(rows), 0);
        sp_format_count(rows, n < 0 ? 0 : (uint64_t)n);
        sp_format_duration(time, sp_event_get_real(ev, F(duration_s), 0));
        sp_buf_puts(out, "<p>");
        rdh_badge(out, H_PLAIN, "→", rd_text(ev, F(outcome)));
        sp_buf_printf(
            out, " %" PRId64 " tables, %s rows in %s. ", sp_event_get_int(ev, F(tables), 0), rows, time);
        rd_xml(out, rd_text(ev, F(message)));
        sp_buf_puts(out, "</p>\n");
    }
}

void rdh_migrate(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "#Rows", "#Bytes", "#Time", "#Rows/s", "Message" };
    const struct rd_rows *rows = &r->of[SP_EV_MIGRATE_TABLE], *ends = &r->of[SP_EV_MIGRATE_END];
    char text[32];
    if (rows->n + ends->n == 0)
        return;
    rdh_section(out, "migrate", "Migration", (int64_t)rows->n, NULL);
    if (ends->n == 0)
        sp_buf_puts(out,
            "<p class=\"callout warn\"><b>! The migration has no end.</b> What stands here was copied; "
            "whether it is all, nobody knows.</p>\n");
    migrate_ends(out, ends);
    if (!r->verified)
        sp_buf_puts(out,
            "<p class=\"callout warn\"><b>! Copied, not compared.</b> Nothing here says that the target "
            "holds the same data; <kbd>switchproof verify</kbd> does.</p>\n");
    rdh_table(out, "What was copied", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        double rate = sp_event_get_real(ev, F(rate), -1);
        rdh_row_head(out, rd_text(ev, F(name)));
        rdh_cell_int(out, ev, F(rows), H_PLAIN);
        rdh_cell_int(out, ev, F(bytes), H_PLAIN);
        rdh_cell_seconds(out, ev, F(duration_s));
        sp_format_count(text, rate < 0 || rate > 1e15 ? 0 : (uint64_t)rate);
        sp_buf_printf(out, "<td class=\"num\">%s</td>", rate < 0 ? "–" : text);
        rdh_cell(out, rd_text(ev, F(message)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
    rdh_section_end(out);
}
