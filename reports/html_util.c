/* html_util.c -- see html.h. */
#include "reports/html.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

const char *rdh_tone_class(enum rdh_tone t)
{
    switch (t) {
    case H_GOOD:
        return "good";
    case H_BAD:
        return "bad";
    case H_WARN:
        return "warn";
    case H_INFO:
        return "info";
    case H_PLAIN:
        break;
    }
    return "plain";
}

void rdh_section(struct sp_buf *out, const char *id, const char *title, int64_t count, const char *lead)
{
    sp_buf_printf(out, "<section id=\"%s\" aria-labelledby=\"h-%s\"><h2 id=\"h-%s\">%s", id, id, id, title);
    if (count >= 0)
        sp_buf_printf(out, " <span class=\"n\">%" PRId64 "</span>", count);
    sp_buf_puts(out, "</h2>\n");
    if (lead != NULL)
        sp_buf_printf(out, "<p class=\"lead\">%s</p>\n", lead);
}

void rdh_section_end(struct sp_buf *out)
{
    sp_buf_puts(out, "</section>\n");
}

void rdh_sub(struct sp_buf *out, const char *title, int64_t count)
{
    sp_buf_printf(out, "<h3>%s", title);
    if (count >= 0)
        sp_buf_printf(out, " <span class=\"n\">%" PRId64 "</span>", count);
    sp_buf_puts(out, "</h3>\n");
}

void rdh_table(struct sp_buf *out, const char *caption, const char *const *columns, size_t n)
{
    sp_buf_printf(out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\"><table>"
        "<caption>%s</caption><thead><tr>",
        caption, caption);
    for (size_t i = 0; i < n; i++) {
        bool number = columns[i][0] == '#';
        sp_buf_puts(out, number ? "<th scope=\"col\" class=\"num\">" : "<th scope=\"col\">");
        rd_xml(out, columns[i] + number);
        sp_buf_puts(out, "</th>");
    }
    sp_buf_puts(out, "</tr></thead><tbody>\n");
}

void rdh_table_end(struct sp_buf *out)
{
    sp_buf_puts(out, "</tbody></table></div>\n");
}

void rdh_row_head(struct sp_buf *out, const char *text)
{
    sp_buf_puts(out, "<tr><th scope=\"row\">");
    rd_xml(out, text);
    sp_buf_puts(out, "</th>");
}

void rdh_cell(struct sp_buf *out, const char *text)
{
    sp_buf_puts(out, "<td>");
    rd_xml(out, text);
    sp_buf_puts(out, "</td>");
}

void rdh_code(struct sp_buf *out, const char *text)
{
    if (text[0] == '\0')
        return;
    sp_buf_puts(out, "<code>");
    rd_xml(out, text);
    sp_buf_puts(out, "</code>");
}

void rdh_short(struct sp_buf *out, const char *digest)
{
    struct sp_buf s = SP_BUF_INIT;
    size_t n = strlen(digest);
    if (sp_buf_put(&s, digest, n < 12 ? n : 12) < 0)
        out->oom = true;
    else
        rdh_code(out, s.p == NULL ? "" : s.p);
    if (n > 12)
        sp_buf_puts(out, "…");
    sp_buf_free(&s);
}

void rdh_cell_code(struct sp_buf *out, const char *text)
{
    sp_buf_puts(out, "<td>");
    rdh_code(out, text);
    sp_buf_puts(out, "</td>");
}

void rdh_cell_value(struct sp_buf *out, const char *text)
{
    sp_buf_puts(out, "<td><code class=\"value\">");
    rd_xml(out, text);
    sp_buf_puts(out, "</code></td>");
}

void rdh_cell_int(
    struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f, enum rdh_tone above_zero)
{
    int64_t v = sp_event_get_int(ev, f, INT64_MIN);
    char text[32];
    if (v == INT64_MIN) {
        sp_buf_puts(out, "<td class=\"num none\">not known</td>");
        return;
    }
    sp_format_count(text, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
    sp_buf_printf(out, "<td class=\"num %s\">%s%s</td>",
        v == 0 && above_zero != H_PLAIN ? "zero" : rdh_tone_class(v > 0 ? above_zero : H_PLAIN),
        v < 0 ? "-" : "", text);
}

void rdh_cell_seconds(struct sp_buf *out, const struct sp_event_in *ev, enum sp_event_field f)
{
    double v = sp_event_get_real(ev, f, -1);
    char text[32];
    if (v < 0) {
        sp_buf_puts(out, "<td class=\"num none\">–</td>");
        return;
    }
    sp_format_duration(text, v);
    sp_buf_printf(out, "<td class=\"num\">%s</td>", text);
}

/* The middle of s from `from` to `to` is marked. */
static void marked(struct sp_buf *out, const char *s, size_t from, size_t to)
{
    const size_t cut[] = { 0, from, to, strlen(s) };
    struct sp_buf part = SP_BUF_INIT;
    sp_buf_puts(out, "<td><code class=\"value\">");
    for (size_t i = 0; i < 3; i++) {
        if (cut[i] == cut[i + 1])
            continue;
        sp_buf_clear(&part);
        if (sp_buf_put(&part, s + cut[i], cut[i + 1] - cut[i]) < 0)
            out->oom = true;
        else {
            sp_buf_puts(out, i == 1 ? "<mark>" : "");
            rd_xml(out, part.p);
            sp_buf_puts(out, i == 1 ? "</mark>" : "");
        }
    }
    sp_buf_puts(out, "</code></td>");
    sp_buf_free(&part);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

void rdh_cells_diff(struct sp_buf *out, const char *expected, const char *actual)
{
    size_t na = strlen(expected), nb = strlen(actual), head = 0, tail = 0;
    while (head < na && head < nb && expected[head] == actual[head])
        head++;
    /* Never inside a character: cuts stand at the first byte of one, in both. */
    while (head > 0 && (is_continuation(expected[head]) || is_continuation(actual[head])))
        head--;
    while (tail < na - head && tail < nb - head && expected[na - tail - 1] == actual[nb - tail - 1])
        tail++;
    while (tail > 0 && (is_continuation(expected[na - tail]) || is_continuation(actual[nb - tail])))
        tail--;
    /* Values that share nothing are easier to read without marks. */
    bool useful = head + tail > 0;
    marked(out, expected, useful ? head : 0, useful ? na - tail : 0);
    marked(out, actual, useful ? head : 0, useful ? nb - tail : 0);
}

void rdh_badge(struct sp_buf *out, enum rdh_tone tone, const char *symbol, const char *text)
{
    sp_buf_printf(out, "<span class=\"badge %s%s\"><span aria-hidden=\"true\">%s</span> ",
        rdh_tone_class(tone), strlen(text) > 40 ? " long" : "", symbol);
    rd_xml(out, text);
    sp_buf_puts(out, "</span>");
}

void rdh_outcome(struct sp_buf *out, const char *outcome)
{
    static const struct {
        const char *outcome, *symbol, *text;
        enum rdh_tone tone;
    } rows[] = {
        { "passed", "✓", "passed", H_GOOD },
        { "failed", "✗", "failed", H_BAD },
        { "errored", "!", "errored", H_WARN },
        { "skipped", "–", "skipped", H_PLAIN },
        { "xfailed", "◇", "expected failure", H_INFO },
        { "not run", "?", "not run", H_WARN },
    };
    for (size_t i = 0; i < SP_LEN(rows); i++)
        if (strcmp(outcome, rows[i].outcome) == 0) {
            rdh_badge(out, rows[i].tone, rows[i].symbol, rows[i].text);
            return;
        }
    rdh_badge(out, H_WARN, "?", outcome);
}

void rdh_fidelity(struct sp_buf *out, const char *fidelity)
{
    if (strcmp(fidelity, "real") == 0)
        rdh_badge(out, H_GOOD, "●", "real server");
    else
        rdh_badge(out, H_INFO, "◐", fidelity[0] == '\0' ? "unknown" : fidelity);
}

const struct rd_provider *rdh_find_provider(const struct rd *r, const char *name)
{
    for (size_t i = 0; i < r->nproviders; i++)
        if (strcmp(r->providers[i].name, name) == 0)
            return &r->providers[i];
    return NULL;
}

void rdh_provider(struct sp_buf *out, const struct rd *r, const char *name)
{
    const struct rd_provider *p = rdh_find_provider(r, name);
    sp_buf_puts(out, "<span class=\"provider\">");
    rd_xml(out, name);
    sp_buf_puts(out, "</span>");
    if (p != NULL && strcmp(p->fidelity, "real") != 0) {
        sp_buf_putc(out, ' ');
        rdh_fidelity(out, p->fidelity);
    }
}

void rdh_server(struct sp_buf *out, const char *kind, const char *version)
{
    if (strncasecmp(version, kind, strlen(kind)) != 0) {
        rd_xml(out, kind);
        sp_buf_putc(out, ' ');
    }
    rd_xml(out, version);
}

void rdh_verify_badge(struct sp_buf *out, const char *verdict)
{
    static const struct {
        const char *verdict, *symbol, *text;
        enum rdh_tone tone;
    } rows[] = {
        { "equal", "=", "equal", H_GOOD },
        { "equal_with_loss", "≈", "equal with loss", H_WARN },
        { "different", "≠", "different", H_BAD },
        { "not_compared", "?", "not compared", H_WARN },
        { "no_difference_seen", "…", "no difference seen", H_INFO },
    };
    for (size_t i = 0; i < SP_LEN(rows); i++)
        if (strcmp(verdict, rows[i].verdict) == 0) {
            rdh_badge(out, rows[i].tone, rows[i].symbol, rows[i].text);
            return;
        }
    rdh_badge(out, H_WARN, "?", verdict);
}

void rdh_repeat(struct sp_buf *out, const char *command)
{
    if (command[0] == '\0')
        return;
    sp_buf_puts(out, "<p class=\"repeat\"><span class=\"label\">Repeat</span> <kbd>");
    rd_xml(out, command);
    sp_buf_puts(out, "</kbd></p>\n");
}

void rdh_lines(struct sp_buf *out, const char *text)
{
    struct sp_buf line = SP_BUF_INIT;
    while (*text != '\0') {
        size_t n = strcspn(text, "\n");
        sp_buf_clear(&line);
        if (n > 0 && sp_buf_put(&line, text, n) == 0) {
            sp_buf_puts(out, "<li>");
            rd_xml(out, line.p);
            sp_buf_puts(out, "</li>\n");
        }
        if (line.oom)
            out->oom = true;
        text += n + (text[n] == '\n');
    }
    sp_buf_free(&line);
}
