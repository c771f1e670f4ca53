/* html_cases.c -- the suites: matrix, failing cases, skip ledger, all cases. */
#include "reports/html.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

static void count(struct sp_buf *out, uint64_t n, const char *class, const char *symbol, const char *word)
{
    char text[32];
    if (n == 0)
        return;
    sp_format_count(text, n);
    sp_buf_printf(out, "<span class=\"cnt %s\"><span aria-hidden=\"true\">%s</span> %s %s</span> ", class,
        symbol, text, word);
}

/* Every case was left out because this kind of backend has no such facet. */
static bool not_applicable(const struct rd *r, const char *provider, const char *suite)
{
    for (size_t i = 0; i < r->ncases; i++) {
        const struct rd_case *c = &r->cases[i];
        if (strcmp(c->provider, provider) == 0 && strcmp(c->suite, suite) == 0 &&
            !sp_str_prefix(c->reason, "not applicable"))
            return false;
    }
    return true;
}

static void matrix_cell(struct sp_buf *out, const struct rd *r, const char *provider, const char *suite)
{
    struct rd_cell n = rd_cell(r, provider, suite);
    uint64_t unsure = n.errored + n.not_run, ran = n.passed + n.failed + unsure + n.xfailed;
    if (ran + n.skipped == 0) {
        sp_buf_puts(out, "<td class=\"mx none\"><span class=\"dim\">not planned</span></td>");
        return;
    }
    /* Nothing executed, or only failures that were expected: that says nothing about the provider. */
    bool nothing = n.passed + n.failed + unsure == 0;
    bool foreign = nothing && not_applicable(r, provider, suite);
    char time[32];
    sp_format_duration(time, n.duration_s);
    sp_buf_printf(out, "<td class=\"mx %s\">",
        n.failed > 0            ? "bad"
        : foreign               ? "none"
        : unsure > 0 || nothing ? "warn"
                                : "good");
    sp_buf_printf(out, "<b>%s</b>",
        n.failed > 0 ? "✗ broken"
        : foreign    ? "– not applicable"
        : unsure > 0 ? "! could not tell"
        : nothing    ? "? nothing proven"
                     : "✓ held");
    sp_buf_puts(out, "<span class=\"cnts\">");
    count(out, n.failed, "bad", "✗", "failed");
    count(out, n.errored, "warn", "!", "errored");
    count(out, n.not_run, "warn", "?", "not run");
    count(out, n.passed, "good", "✓", "passed");
    count(out, n.xfailed, "info", "◇", "expected failures");
    count(out, n.skipped, "dim", "–", "skipped");
    sp_buf_printf(out, "</span><span class=\"dim time\">%s</span></td>", nothing ? "" : time);
}

void rdh_matrix(struct sp_buf *out, const struct rd *r)
{
    if (r->ncases == 0)
        return;
    rdh_section(out, "matrix", "Providers and suites", -1, NULL);
    sp_buf_puts(out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Outcomes per provider and "
        "suite\"><table class=\"matrix\"><caption>Outcomes per provider and suite</caption><thead><tr>"
        "<th scope=\"col\">Provider</th>");
    for (size_t s = 0; s < r->nsuites; s++) {
        sp_buf_puts(out, "<th scope=\"col\">");
        rd_xml(out, r->suites[s]);
        sp_buf_puts(out, "</th>");
    }
    sp_buf_puts(out, "</tr></thead><tbody>\n");
    for (size_t p = 0; p < r->nproviders; p++) {
        const struct rd_provider *x = &r->providers[p];
        sp_buf_puts(out, "<tr><th scope=\"row\">");
        rdh_provider(out, r, x->name);
        sp_buf_puts(out, "<span class=\"dim version\">");
        rdh_server(out, x->kind, x->server_version);
        sp_buf_puts(out, "</span>");
        if (x->error[0] != '\0')
            rdh_badge(out, H_WARN, "!", "cannot be opened");
        sp_buf_puts(out, "</th>");
        for (size_t s = 0; s < r->nsuites; s++)
            matrix_cell(out, r, x->name, r->suites[s]);
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
    rdh_section_end(out);
}

static bool is_failing(const struct rd_case *c)
{
    return strcmp(c->outcome, "failed") == 0 || strcmp(c->outcome, "errored") == 0 ||
           strcmp(c->outcome, "not run") == 0;
}

static void check(struct sp_buf *out, const struct rd_check *k)
{
    const char *const columns[] = { "Expected", "Actual" };
    sp_buf_puts(out, "<div class=\"check\"><p class=\"what\">");
    rd_xml(out, k->what);
    sp_buf_puts(out, "</p>\n");
    rdh_table(out, "Expected against actual", columns, 2);
    sp_buf_puts(out, "<tr>");
    rdh_cells_diff(out, k->expected, k->actual);
    sp_buf_puts(out, "</tr>\n");
    rdh_table_end(out);
    sp_buf_puts(out, "<p class=\"dim small\">");
    if (k->code[0] != '\0') {
        sp_buf_puts(out, "error ");
        rdh_code(out, k->code);
        sp_buf_puts(out, " from the ");
        rd_xml(out, k->origin[0] == '\0' ? "unknown origin" : k->origin);
        sp_buf_putc(out, ' ');
    }
    if (k->native[0] != '\0') {
        sp_buf_puts(out, "native ");
        rdh_code(out, k->native);
        sp_buf_putc(out, ' ');
    }
    if (k->file[0] != '\0') {
        sp_buf_puts(out, "at ");
        rd_xml(out, k->file);
        sp_buf_printf(out, ":%" PRId64, k->line);
    }
    sp_buf_puts(out, "</p></div>\n");
}

static void failing_case(struct sp_buf *out, const struct rd *r, const struct rd_case *c, size_t n)
{
    const struct rd_provider *p = rdh_find_provider(r, c->provider);
    /* The first ones are open: who has three failures wants to see them, who has three hundred wants a list. What only
     * repeats that the provider cannot be opened stays closed. */
    bool open = n < 12 && (p == NULL || p->error[0] == '\0' || strstr(c->message, p->error) == NULL);
    sp_buf_printf(out, "<details class=\"case\"%s><summary>", open ? " open" : "");
    rdh_outcome(out, c->outcome);
    sp_buf_puts(out, " <span class=\"id\">");
    rd_xml(out, c->id);
    sp_buf_puts(out, "</span> <span class=\"on\">on ");
    rdh_provider(out, r, c->provider);
    sp_buf_puts(out, "</span></summary>\n<div class=\"in\">");
    if (c->promise[0] != '\0') {
        sp_buf_puts(out, "<p class=\"promise\"><span class=\"label\">Promise</span> ");
        rd_xml(out, c->promise);
        sp_buf_puts(out, "</p>\n");
    }
    if (c->checks == NULL && c->message[0] != '\0') {
        sp_buf_puts(out, "<p class=\"message\">");
        rd_xml(out, c->message);
        sp_buf_puts(out, "</p>\n");
    }
    for (const struct rd_check *k = c->checks; k != NULL; k = k->next)
        check(out, k);
    rdh_repeat(out, c->repeat);
    sp_buf_puts(out, "</div></details>\n");
}

static void opening_errors(struct sp_buf *out, const struct rd *r)
{
    for (size_t i = 0; i < r->nproviders; i++) {
        if (r->providers[i].error[0] == '\0')
            continue;
        sp_buf_puts(out, "<details class=\"case\" open><summary>");
        rdh_badge(out, H_WARN, "!", "cannot be opened");
        sp_buf_putc(out, ' ');
        rdh_provider(out, r, r->providers[i].name);
        sp_buf_puts(out, "</summary><div class=\"in\"><p class=\"message\">");
        rd_xml(out, r->providers[i].error);
        sp_buf_puts(out, "</p></div></details>\n");
    }
}

void rdh_failures(struct sp_buf *out, const struct rd *r)
{
    size_t n = 0, shown = 0;
    bool closed = false;
    for (size_t i = 0; i < r->ncases; i++)
        n += is_failing(&r->cases[i]);
    for (size_t i = 0; i < r->nproviders; i++)
        closed = closed || r->providers[i].error[0] != '\0';
    if (n == 0 && !closed)
        return;
    rdh_section(out, "failing", "Failing cases", (int64_t)n,
        "<b>Failed</b>: the provider broke a promise. <b>Errored</b>: it could not be told.");
    opening_errors(out, r);
    static const char *const order[] = { "failed", "errored", "not run" };
    for (size_t o = 0; o < SP_LEN(order); o++)
        for (size_t i = 0; i < r->ncases; i++)
            if (strcmp(r->cases[i].outcome, order[o]) == 0)
                failing_case(out, r, &r->cases[i], shown++);
    rdh_section_end(out);
}

/* ---- skips --------------------------------------------------------------------------------------------------- */

static bool same_skip(const struct rd_case *a, const struct rd_case *b)
{
    return strcmp(a->outcome, b->outcome) == 0 && strcmp(a->provider, b->provider) == 0 &&
           strcmp(a->reason, b->reason) == 0 && strcmp(a->link, b->link) == 0;
}

static void skip_group(struct sp_buf *out, const struct rd *r, size_t first)
{
    const struct rd_case *c = &r->cases[first];
    const char *capability = c->capability;
    size_t n = 0;
    for (size_t i = first; i < r->ncases; i++) {
        if (!same_skip(c, &r->cases[i]))
            continue;
        n++;
        if (strcmp(capability, r->cases[i].capability) != 0)
            capability = "";
    }
    sp_buf_puts(out, "<tr><th scope=\"row\">");
    rd_xml(out, c->reason[0] == '\0' ? "no reason given" : c->reason);
    if (c->link[0] != '\0') {
        sp_buf_puts(out, "<span class=\"dim version\">");
        rd_xml(out, c->link);
        sp_buf_puts(out, "</span>");
    }
    sp_buf_puts(out, "</th><td>");
    rdh_provider(out, r, c->provider);
    sp_buf_puts(out, "</td>");
    rdh_cell_code(out, capability);
    sp_buf_printf(out, "<td class=\"num\">%zu</td><td><details><summary>show</summary><ul class=\"ids\">", n);
    for (size_t i = first; i < r->ncases; i++) {
        if (!same_skip(c, &r->cases[i]))
            continue;
        sp_buf_puts(out, "<li>");
        rd_xml(out, r->cases[i].id);
        sp_buf_puts(out, "</li>");
    }
    sp_buf_puts(out, "</ul></details></td></tr>\n");
}

static void skip_table(struct sp_buf *out, const struct rd *r, const char *outcome, const char *caption)
{
    const char *const columns[] = { "Reason", "Provider", "Capability", "#Cases", "Which" };
    rdh_table(out, caption, columns, SP_LEN(columns));
    for (size_t i = 0; i < r->ncases; i++) {
        bool seen = strcmp(r->cases[i].outcome, outcome) != 0;
        for (size_t k = 0; k < i && !seen; k++)
            seen = same_skip(&r->cases[k], &r->cases[i]);
        if (!seen)
            skip_group(out, r, i);
    }
    rdh_table_end(out);
}

void rdh_skips(struct sp_buf *out, const struct rd *r)
{
    if (r->totals[3] + r->totals[4] == 0)
        return;
    rdh_section(out, "skipped", "Skip ledger", (int64_t)(r->totals[3] + r->totals[4]),
        "Nothing here was proven. A skip on the target of what the source can do is a reason not to go.");
    if (r->totals[3] > 0) {
        rdh_sub(out, "Skipped", (int64_t)r->totals[3]);
        skip_table(out, r, "skipped", "Skipped cases by reason");
    }
    if (r->totals[4] > 0) {
        rdh_sub(out, "Expected failures", (int64_t)r->totals[4]);
        skip_table(out, r, "xfailed", "Expected failures by reason");
    }
    rdh_section_end(out);
}

/* ---- all cases ----------------------------------------------------------------------------------------------- */

void rdh_all_cases(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Case", "Provider", "Outcome", "#Checks", "#Time", "Promise or message" };
    char time[32];
    if (r->ncases == 0)
        return;
    rdh_section(out, "cases", "All cases", (int64_t)r->ncases, NULL);
    sp_buf_puts(out, "<details class=\"all\"><summary>Every case that was planned</summary>\n"
                     "<div class=\"filters\" hidden><label>Find <input type=\"search\" id=\"q\" "
                     "autocomplete=\"off\"></label> <label>Outcome <select id=\"o\"><option value=\"\">all"
                     "</option><option>passed</option><option>failed</option><option>errored</option>"
                     "<option>skipped</option><option value=\"xfailed\">expected failure</option>"
                     "<option>not run</option></select></label> <output id=\"shown\"></output></div>\n");
    rdh_table(out, "All cases", columns, SP_LEN(columns));
    for (size_t i = 0; i < r->ncases; i++) {
        const struct rd_case *c = &r->cases[i];
        sp_buf_puts(out, "<tr data-o=\"");
        rd_xml(out, c->outcome);
        sp_buf_puts(out, "\"><th scope=\"row\" class=\"id\">");
        rd_xml(out, c->id);
        sp_buf_puts(out, "</th><td>");
        rdh_provider(out, r, c->provider);
        sp_buf_puts(out, "</td><td>");
        rdh_outcome(out, c->outcome);
        sp_format_duration(time, c->duration_s);
        sp_buf_printf(
            out, "</td><td class=\"num\">%" PRId64 "</td><td class=\"num\">%s</td>", c->nchecks, time);
        rdh_cell(out, c->reason[0] != '\0' ? c->reason : c->message[0] != '\0' ? c->message : c->promise);
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
    sp_buf_puts(out, "</details>\n");
    rdh_section_end(out);
}
