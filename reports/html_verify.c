/* html_verify.c -- two copies compared: what was read, table by table, and everything that differs or was not seen. */
#include "reports/html.h"
#include "reports/causes.h"
#include "reports/sampled.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define F(name) SP_FLD_##name

static void side(struct sp_buf *out, const struct rd *r, const struct sp_event_in *ev, bool source)
{
    const char *name = rd_text(ev, source ? F(source) : F(target));
    const char *state = rd_text(ev, source ? F(source_state) : F(target_state));
    sp_buf_printf(
        out, "<div class=\"side\"><p class=\"label\">%s</p><p class=\"big\">", source ? "Source" : "Target");
    rdh_provider(out, r, name);
    sp_buf_puts(out, "</p><p class=\"dim\">");
    rdh_server(out, rd_text(ev, source ? F(source_kind) : F(target_kind)),
        rd_text(ev, source ? F(source_version) : F(target_version)));
    sp_buf_puts(out, "</p>");
    if (state[0] != '\0') {
        sp_buf_puts(out, "<p class=\"dim small\">read at state ");
        rdh_code(out, state);
        sp_buf_puts(out, "</p>");
    }
    sp_buf_puts(out, "</div>");
}

static void sides(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *starts = &r->of[SP_EV_VERIFY_START];
    for (size_t i = 0; i < starts->n; i++) {
        const struct sp_event_in *ev = &starts->v[i].ev;
        sp_buf_puts(out, "<div class=\"sides\">");
        side(out, r, ev, true);
        sp_buf_puts(out, "<div class=\"arrow\" aria-hidden=\"true\">→</div>");
        side(out, r, ev, false);
        sp_buf_puts(out, "</div>\n<p class=\"dim\">Checked: ");
        rd_xml(out, rd_text(ev, F(checks)));
        if (!sp_event_get_bool(ev, F(show_values), false))
            sp_buf_puts(out, ". Values may be redacted; <kbd>--show-values</kbd> shows them");
        sp_buf_puts(out, ".");
        if (rd_text(ev, F(recheck))[0] != '\0') {
            sp_buf_puts(out, " Rows that differed were looked at again for up to ");
            rd_xml(out, rd_text(ev, F(recheck)));
            sp_buf_puts(out, ".");
        }
        if (sp_event_get_real(ev, F(rate), 0) > 0)
            sp_buf_printf(out, " At most %.0f rows a second were read of each side.",
                sp_event_get_real(ev, F(rate), 0));
        if (rd_text(ev, F(mapping))[0] != '\0') {
            sp_buf_puts(out, " Mapped by ");
            rd_xml(out, rd_text(ev, F(mapping)));
            sp_buf_puts(out, ", digest ");
            rdh_short(out, rd_text(ev, F(mapping_digest)));
            sp_buf_puts(out, ".");
        }
        sp_buf_puts(out, "</p>\n");
    }
}

static void digests(struct sp_buf *out, const struct sp_event_in *t)
{
    const char *a = rd_text(t, F(source_digest)), *b = rd_text(t, F(target_digest));
    sp_buf_puts(out, "<td>");
    if (a[0] != '\0' || b[0] != '\0') {
        sp_buf_puts(out, "<details><summary>");
        rdh_short(out, a[0] == '\0' ? "none" : a);
        if (strcmp(a, b) != 0) {
            sp_buf_puts(out, " ≠ ");
            rdh_short(out, b[0] == '\0' ? "none" : b);
        }
        sp_buf_puts(out, "</summary><p class=\"small\">source ");
        rdh_code(out, a);
        sp_buf_puts(out, "<br>target ");
        rdh_code(out, b);
        sp_buf_puts(out, "<br>plan ");
        rdh_code(out, rd_text(t, F(plan)));
        for (int i = 0; i < 2; i++) {
            const char *state = rd_text(t, i == 0 ? F(source_state) : F(target_state));
            if (state[0] != '\0') {
                sp_buf_puts(out, i == 0 ? "<br>source at " : "<br>target at ");
                rdh_code(out, state);
            }
        }
        sp_buf_puts(out, "</p></details>");
    }
    sp_buf_puts(out, "</td>");
}

static void table_state(struct sp_buf *out, const struct sp_event_in *t)
{
    static const struct {
        enum rdh_tone tone;
        const char *symbol, *word;
    } badges[] = { [RD_TABLE_EQUAL] = { H_GOOD, "=", "equal" },
        [RD_TABLE_IN_FLIGHT] = { H_GOOD, "=", "equal" },
        [RD_TABLE_UNSETTLED] = { H_WARN, "?", "not compared" },
        [RD_TABLE_DIFFERENT] = { H_BAD, "≠", "different" } };
    enum rd_table_state s = rd_table_state(t);
    int64_t flight = sp_event_get_int(t, F(in_flight), 0), moving = sp_event_get_int(t, F(unsettled), 0);
    rdh_badge(out, badges[s].tone, badges[s].symbol, badges[s].word);
    if (flight != 0)
        sp_buf_printf(
            out, " <span class=\"dim small\">%" PRId64 " rows were in flight and arrived</span>", flight);
    if (moving != 0)
        sp_buf_printf(out, " <span class=\"dim small\">%" PRId64 " rows undecided</span>", moving);
    if (rd_text(t, F(resumed))[0] != '\0') {
        sp_buf_puts(out, " <span class=\"dim small\">read by run ");
        rd_xml(out, rd_text(t, F(resumed)));
        sp_buf_puts(out, "</span>");
    }
}

static void tables(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "Rows", "#Source", "#Target", "#Missing", "#Extra", "#Changed",
        "#Duplicates", "Digest", "#Time" };
    const struct rd_rows *rows = &r->of[SP_EV_TABLE];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Tables", (int64_t)rows->n);
    rdh_table(out, "Rows of both sides per table", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *t = &rows->v[i].ev;
        rdh_row_head(out, rd_text(t, F(name)));
        sp_buf_puts(out, "<td>");
        table_state(out, t);
        if (!sp_event_get_bool(t, F(keyed), true))
            sp_buf_puts(out, " <span class=\"dim small\">no key: rows compared as a set</span>");
        sp_buf_puts(out, "</td>");
        rdh_cell_int(out, t, F(source_rows), H_PLAIN);
        rdh_cell_int(out, t, F(target_rows), H_PLAIN);
        rdh_cell_int(out, t, F(missing), H_BAD);
        rdh_cell_int(out, t, F(extra), H_BAD);
        rdh_cell_int(out, t, F(changed), H_BAD);
        int64_t a = sp_event_get_int(t, F(duplicates_source), 0),
                b = sp_event_get_int(t, F(duplicates_target), 0);
        if (a == 0 && b == 0)
            sp_buf_puts(out, "<td class=\"num zero\">0</td>");
        else
            sp_buf_printf(out, "<td class=\"num warn\">%" PRId64 " / %" PRId64 "</td>", a, b);
        digests(out, t);
        rdh_cell_seconds(out, t, F(duration_s));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void accepted_cell(struct sp_buf *out, const struct sp_event_in *ev)
{
    bool yes = sp_event_get_bool(ev, F(accepted), false);
    sp_buf_puts(out, "<td>");
    rdh_badge(out, yes ? H_PLAIN : H_BAD, yes ? "✓" : "✗", yes ? "accepted" : "not accepted");
    sp_buf_puts(out, "</td>");
}

static void rules(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "Column", "Rule", "#Values touched", "Loss", "Why" };
    const struct rd_rows *rows = &r->of[SP_EV_RULE];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Rules of equivalence", (int64_t)rows->n);
    sp_buf_puts(out, "<p class=\"lead\">The target had to equal <i>rule(source)</i> exactly.</p>");
    rdh_table(out, "Rules and how many values they touched", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(name)));
        rdh_cell_code(out, rd_text(ev, F(column)));
        rdh_cell_code(out, rd_text(ev, F(rule)));
        rdh_cell_int(out, ev, F(touched), H_PLAIN);
        if (sp_event_get_bool(ev, F(lossy), false))
            accepted_cell(out, ev);
        else
            rdh_cell(out, "none");
        rdh_cell(out, rd_text(ev, F(why)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void schema(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "Element", "Name", "Difference", "Source", "Target", "Mapping" };
    const struct rd_rows *rows = &r->of[SP_EV_SCHEMA_DIFF];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Schema differences", (int64_t)rows->n);
    rdh_table(out, "Schema differences", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(table)));
        rdh_cell(out, rd_text(ev, F(element)));
        rdh_cell_code(out, rd_text(ev, F(name)));
        rdh_cell(out, rd_text(ev, F(difference)));
        rdh_cell_value(out, rd_text(ev, F(expected)));
        rdh_cell_value(out, rd_text(ev, F(actual)));
        accepted_cell(out, ev);
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void relations(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Relation", "Child", "Parent", "#Orphans in source", "#Orphans in target",
        "#Introduced", "#Pre-existing" };
    const struct rd_rows *rows = &r->of[SP_EV_RELATION];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Relations", (int64_t)rows->n);
    rdh_table(out, "Relational integrity on both sides", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(name)));
        sp_buf_puts(out, "<td>");
        rd_xml(out, rd_text(ev, F(child)));
        sp_buf_putc(out, ' ');
        rdh_code(out, rd_text(ev, F(columns)));
        sp_buf_puts(out, "</td>");
        rdh_cell(out, rd_text(ev, F(parent)));
        rdh_cell_int(out, ev, F(source_orphans), H_WARN);
        rdh_cell_int(out, ev, F(target_orphans), H_WARN);
        rdh_cell_int(out, ev, F(introduced), H_BAD);
        rdh_cell_int(out, ev, F(preexisting), H_WARN);
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void sequences(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Sequence", "#Next in source", "#Next in target", "Result" };
    const struct rd_rows *rows = &r->of[SP_EV_SEQUENCE];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Sequences", (int64_t)rows->n);
    rdh_table(out, "Next values of sequences", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        bool behind = sp_event_get_bool(ev, F(behind), false);
        rdh_row_head(out, rd_text(ev, F(name)));
        rdh_cell_int(out, ev, F(source_next), H_PLAIN);
        rdh_cell_int(out, ev, F(target_next), H_PLAIN);
        sp_buf_puts(out, "<td>");
        rdh_badge(
            out, behind ? H_BAD : H_GOOD, behind ? "✗" : "✓", behind ? "behind: will collide" : "not behind");
        sp_buf_puts(out, "</td></tr>\n");
    }
    rdh_table_end(out);
}

static void not_compared(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Name", "What", "Reason", "Acknowledged" };
    const struct rd_rows *rows = &r->of[SP_EV_NOT_COMPARED];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Not compared", (int64_t)rows->n);
    sp_buf_puts(out, "<p class=\"lead\">Whatever stands here may differ: it was not looked at.</p>");
    rdh_table(out, "Not compared", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        rdh_row_head(out, rd_text(&rows->v[i].ev, F(name)));
        rdh_cell(out, rd_text(&rows->v[i].ev, F(what)));
        rdh_cell(out, rd_text(&rows->v[i].ev, F(reason)));
        accepted_cell(out, &rows->v[i].ev);
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void findings(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Table", "Column", "Topic", "#Count", "Message" };
    const struct rd_rows *rows = &r->of[SP_EV_FINDING];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Findings", (int64_t)rows->n);
    sp_buf_puts(out, "<p class=\"lead\">Worth knowing before the switch; not differences.</p>");
    rdh_table(out, "Findings", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(name)));
        rdh_cell_code(out, rd_text(ev, F(column)));
        rdh_cell(out, rd_text(ev, F(topic)));
        rdh_cell_int(out, ev, F(count), H_PLAIN);
        rdh_cell(out, rd_text(ev, F(message)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static void custom_checks(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Check", "Provider", "Outcome", "Expected", "Actual" };
    const struct rd_rows *rows = &r->of[SP_EV_CUSTOM_CHECK];
    if (rows->n == 0)
        return;
    rdh_sub(out, "Custom checks", (int64_t)rows->n);
    rdh_table(out, "The team's own invariants", columns, SP_LEN(columns));
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        rdh_row_head(out, rd_text(ev, F(name)));
        sp_buf_puts(out, "<td>");
        rdh_provider(out, r, rd_text(ev, F(provider)));
        sp_buf_puts(out, "</td><td>");
        rdh_outcome(out, rd_text(ev, F(outcome)));
        sp_buf_puts(out, "</td>");
        rdh_cell_value(out, rd_text(ev, F(expected)));
        rdh_cell_value(out, rd_text(ev, F(actual)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

void rdh_verify(struct sp_buf *out, const struct rd *r)
{
    const char *verdict = rd_verify_verdict(r);
    if (verdict == NULL)
        return;
    rdh_section(out, "verify", "Verification", -1, NULL);
    sp_buf_puts(out, "<p class=\"big\">");
    rdh_verify_badge(out, verdict);
    sp_buf_puts(out, "</p>\n");
    sides(out, r);
    not_compared(out, r);
    tables(out, r);
    rdh_sampled(out, r);
    rdh_causes(out, r);
    rdh_checks(out, r);
    schema(out, r);
    relations(out, r);
    sequences(out, r);
    rules(out, r);
    custom_checks(out, r);
    findings(out, r);
    rdh_section_end(out);
}
