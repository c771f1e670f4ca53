/* html_checks.c -- what verify found beside rows and schema: counts, columns, keys, objects, accounts. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "reports/html.h"

#define F(name) SP_FLD_##name

static void number(struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f)
{
    int64_t n = sp_event_get_int(ev, f, -1);
    if (n < 0)
        sp_buf_puts(out, "–");
    else
        sp_buf_printf(out, "%" PRId64, n);
}

/* "source / target" in one cell, marked where the two are not the same. */
static void both(
    struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field a, enum sp_event_field b)
{
    bool same = sp_event_get_int(ev, a, -1) == sp_event_get_int(ev, b, -1);
    sp_buf_printf(out, "<td class=\"num%s\">", same ? "" : " warn");
    number(out, ev, a);
    if (!same) {
        sp_buf_puts(out, " / ");
        number(out, ev, b);
    }
    sp_buf_puts(out, "</td>");
}

static void both_texts(
    struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field a, enum sp_event_field b)
{
    bool same = strcmp(rd_text(ev, a), rd_text(ev, b)) == 0;
    sp_buf_puts(out, "<td>");
    rdh_code(out, rd_text(ev, a));
    if (!same) {
        sp_buf_puts(out, " / ");
        rdh_code(out, rd_text(ev, b));
    }
    sp_buf_puts(out, "</td>");
}

static void profiles(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "Column", "Where it differs", "#Nulls", "#Missing",
        "#Distinct (about)", "Least", "Greatest", "#Longest" };
    const struct rd_rows *rows = &r->of[SP_EV_PROFILE];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Columns that differ", (int64_t)rows->n);
    sp_buf_puts(out,
        "<p class=\"lead\">Source / target. Columns of these tables that are not listed hold the same "
        "values on both sides.</p>");
    rdh_table(out, "Profiles of the columns that differ", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(name)));
        rdh_cell_code(out, rd_text(ev, F(column)));
        rdh_cell(out, rd_text(ev, F(message)));
        both(out, ev, F(source_nulls), F(target_nulls));
        both(out, ev, F(source_missing), F(target_missing));
        both(out, ev, F(source_distinct), F(target_distinct));
        both_texts(out, ev, F(source_min), F(target_min));
        both_texts(out, ev, F(source_max), F(target_max));
        both(out, ev, F(source_longest), F(target_longest));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void constraints(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "Demand", "Columns", "#Faults in source", "#Faults in target",
        "#Introduced", "#Pre-existing" };
    const struct rd_rows *rows = &r->of[SP_EV_CONSTRAINT];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Keys and required fields", (int64_t)rows->n);
    rdh_table(out, "Demands that were checked on the rows of both sides", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(table)));
        sp_buf_puts(out, "<td>");
        rd_xml(out, rd_text(ev, F(element)));
        if (rd_text(ev, F(name))[0] != '\0') {
            sp_buf_putc(out, ' ');
            rdh_code(out, rd_text(ev, F(name)));
        }
        sp_buf_puts(out, "</td>");
        rdh_cell_code(out, rd_text(ev, F(columns)));
        rdh_cell_int(out, ev, F(source_faults), H_WARN);
        rdh_cell_int(out, ev, F(target_faults), H_WARN);
        rdh_cell_int(out, ev, F(introduced), H_BAD);
        rdh_cell_int(out, ev, F(preexisting), H_WARN);
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void counted(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "What", "Name", "#Source", "#Target", "#Missing", "#Extra", "#Changed",
        "Message" };
    const struct rd_rows *rows = &r->of[SP_EV_COUNTED];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Counts, objects and accounts", (int64_t)rows->n);
    rdh_table(out, "What was counted on both sides", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(element)));
        rdh_cell_code(out, rd_text(ev, F(name)));
        rdh_cell_int(out, ev, F(source_rows), H_PLAIN);
        rdh_cell_int(out, ev, F(target_rows), H_PLAIN);
        rdh_cell_int(out, ev, F(missing), H_BAD);
        rdh_cell_int(out, ev, F(extra), H_BAD);
        rdh_cell_int(out, ev, F(changed), H_BAD);
        rdh_cell(out, rd_text(ev, F(message)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

void rdh_checks(struct sp_buf *out, const struct rd *r)
{
    profiles(out, r);
    constraints(out, r);
    counted(out, r);
}
