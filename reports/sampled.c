/* sampled.c -- a quick look at some rows, in every report: what was looked at, and what may have been missed. */
#include "reports/sampled.h"

#include "base/str.h"
#include "reports/escape.h"
#include "reports/html.h"

#define F(name)    SP_FLD_##name
#define MAX_LISTED 20

static bool differs(const struct sp_event_in *ev)
{
    return sp_event_get_int(ev, F(missing), 0) + sp_event_get_int(ev, F(extra), 0) +
               sp_event_get_int(ev, F(changed), 0) !=
           0;
}

void rdc_sampled(struct sp_console *c, const struct sp_event_in *ev)
{
    bool seen =
        differs(ev) || sp_event_get_int(ev, F(source_rows), 0) != sp_event_get_int(ev, F(target_rows), 0);
    rdc_clear_status(c);
    rdc_colored(c, seen ? "31;1" : "36", seen ? "DIFFERS" : "sampled");
    sp_buf_puts(&c->out, " table ");
    rd_plain(&c->out, rd_text(ev, F(name)));
    sp_buf_puts(&c->out, ": ");
    rd_plain(&c->out, rd_text(ev, F(message)));
    sp_buf_putc(&c->out, '\n');
}

void rdh_sampled(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "#Source", "#Target", "#Looked at", "#Missing", "#Extra",
        "#Changed", "#May differ unseen", "In words" };
    const enum sp_event_field counts[] = { F(source_rows), F(target_rows), F(examined), F(missing), F(extra),
        F(changed), F(at_most) };
    const struct rd_rows *rows = &r->of[SP_EV_SAMPLED];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Sampled tables", (int64_t)rows->n);
    sp_buf_puts(out,
        "<p class=\"lead\">Rows chosen by chance; a sample can find differences, and never says equal. "
        "\"May differ unseen\" holds with 95 % certainty.</p>");
    rdh_table(out, "Rows looked at by chance", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(name)));
        for (size_t k = 0; k < SP_LEN(counts); k++)
            rdh_cell_int(out, ev, counts[k], k < 3 ? H_PLAIN : k < 6 ? H_BAD : H_WARN);
        rdh_cell(out, rd_text(ev, F(message)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

void rd_md_sampled(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_SAMPLED];
    for (size_t i = 0; i < rows->n && i < MAX_LISTED; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        sp_buf_puts(out, i == 0 ? "\nSampled (a sample never says equal):\n\n- " : "- ");
        rd_md_code(out, rd_text(ev, F(name)));
        sp_buf_puts(out, differs(ev) ? ": **" : ": ");
        rd_md(out, rd_text(ev, F(message)));
        sp_buf_puts(out, differs(ev) ? "**\n" : "\n");
    }
    if (rows->n > MAX_LISTED)
        sp_buf_printf(out, "- … and %zu more, see report.html\n", rows->n - MAX_LISTED);
}
