/* causes.c -- what may have caused the differences: the same sentences on the console, in report.html and summary.md. */
#include "reports/causes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "reports/escape.h"
#include "reports/html.h"

#define F(name)    SP_FLD_##name
#define MAX_LISTED 20

static double sure(const struct sp_event_in *ev)
{
    return sp_event_get_real(ev, F(confidence), 0);
}

static int by_confidence(const void *a, const void *b)
{
    const struct rd_row *x = a, *y = b;
    double c = sure(&x->ev), d = sure(&y->ev);
    if (c != d)
        return c > d ? -1 : 1;
    return x->ev.seq < y->ev.seq ? -1 : x->ev.seq > y->ev.seq;
}

void rd_causes_order(struct rd *r)
{
    struct rd_rows *rows = &r->of[SP_EV_DIAGNOSIS];
    if (rows->n > 1)
        qsort(rows->v, rows->n, sizeof *rows->v, by_confidence);
}

static const char *certainty(const struct sp_event_in *ev)
{
    double c = sure(ev);
    return c >= 0.9 ? "very likely" : c >= 0.7 ? "likely" : c > 0 ? "possible" : "not known";
}

static bool is_column(const struct sp_event_in *ev)
{
    return rd_text(ev, F(column))[0] != '\0';
}

/* 37 of 40 values looked at, of 1,200 rows that differ. */
static void put_share(struct sp_buf *out, const struct sp_event_in *ev)
{
    char count[32], examined[32], all[32];
    int64_t of = sp_event_get_int(ev, F(differences), 0), looked = sp_event_get_int(ev, F(examined), 0);
    sp_format_count(count, (uint64_t)sp_event_get_int(ev, F(count), 0));
    sp_format_count(examined, (uint64_t)looked);
    sp_format_count(all, (uint64_t)of);
    sp_buf_printf(out, "fits %s of %s %s looked at", count, examined, is_column(ev) ? "values" : "rows");
    if (of != looked)
        sp_buf_printf(out, "; %s rows differ in all", all);
}

/* ---- console ------------------------------------------------------------------------------------------------------ */

void rdc_cause(struct sp_console *c, const struct sp_event_in *ev)
{
    bool known = sure(ev) > 0;
    rdc_clear_status(c);
    sp_buf_puts(&c->out, "    ");
    rdc_colored(c, known ? "33" : "2", known ? "cause  " : "cause? ");
    sp_buf_putc(&c->out, ' ');
    rd_plain(&c->out, rd_text(ev, F(name)));
    if (is_column(ev)) {
        sp_buf_putc(&c->out, '.');
        rd_plain(&c->out, rd_text(ev, F(column)));
    }
    sp_buf_puts(&c->out, ": ");
    rd_plain(&c->out, rd_text(ev, F(message)));
    sp_buf_printf(&c->out, " (%s: ", certainty(ev));
    put_share(&c->out, ev);
    sp_buf_puts(&c->out, ")\n");
    if (known)
        rdc_field(c, "to do", rd_text(ev, F(advice)));
}

/* ---- report.html -------------------------------------------------------------------------------------------------- */

void rdh_causes(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "Column", "Certainty", "Likely cause", "Share", "What to do",
        "Rows, for example" };
    const struct rd_rows *rows = &r->of[SP_EV_DIAGNOSIS];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Likely causes", (int64_t)rows->n);
    sp_buf_puts(out,
        "<p class=\"lead\">Recognised by pattern over the rows that differ, most certain first. A hint for "
        "people: it changes no verdict.</p>");
    rdh_table(out, "Likely causes of the differences", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(name)));
        rdh_cell_code(out, rd_text(ev, F(column)));
        sp_buf_puts(out, "<td>");
        rdh_badge(out, sure(ev) >= 0.7 ? H_WARN : H_PLAIN, sure(ev) > 0 ? "●" : "?", certainty(ev));
        sp_buf_puts(out, "</td><td>");
        rd_xml(out, rd_text(ev, F(message)));
        sp_buf_puts(out, " <span class=\"dim small\">");
        rd_xml(out, rd_text(ev, F(topic)));
        sp_buf_puts(out, "</span></td><td class=\"small\">");
        put_share(out, ev);
        sp_buf_puts(out, "</td>");
        rdh_cell(out, rd_text(ev, F(advice)));
        rdh_cell_code(out, rd_text(ev, F(key)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

/* ---- summary.md ---------------------------------------------------------------------------------------------------- */

void rd_md_causes(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_DIAGNOSIS];
    for (size_t i = 0; i < rows->n && i < MAX_LISTED; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        sp_buf_puts(out, i == 0 ? "\nLikely causes:\n\n- " : "- ");
        rd_md_code(out, rd_text(ev, F(name)));
        if (is_column(ev)) {
            sp_buf_putc(out, ' ');
            rd_md_code(out, rd_text(ev, F(column)));
        }
        sp_buf_puts(out, ": ");
        rd_md(out, rd_text(ev, F(message)));
        sp_buf_printf(out, " (%s; ", certainty(ev));
        put_share(out, ev);
        sp_buf_puts(out, "). ");
        rd_md(out, rd_text(ev, F(advice)));
        sp_buf_putc(out, '\n');
    }
    if (rows->n > MAX_LISTED)
        sp_buf_printf(out, "- … and %zu more, see report.html\n", rows->n - MAX_LISTED);
}
