/* html_caps.c -- what each provider says it can do against what this server does, findings first. */
#include "reports/html.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"

#define F(name) SP_FLD_##name

/* What is not offered answered "unsupported". */
static bool held(const struct sp_event_in *audit)
{
    return strcmp(rd_text(audit, F(outcome)), "held") == 0;
}

static size_t count_findings(const struct rd *r)
{
    const struct rd_rows *audits = &r->of[SP_EV_CAP_AUDIT];
    size_t n = 0;
    for (size_t i = 0; i < r->ncaps; i++)
        n += r->caps[i].finding;
    for (size_t i = 0; i < audits->n; i++)
        n += !held(&audits->v[i].ev);
    return n;
}

static void findings(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Capability", "Provider", "Declared", "Effective", "Why" };
    const struct rd_rows *audits = &r->of[SP_EV_CAP_AUDIT];
    size_t n = count_findings(r);
    if (n == 0) {
        sp_buf_puts(out, "<p>");
        rdh_badge(out, H_GOOD, "✓", "no findings");
        sp_buf_puts(out, " Every server offers what its provider declares.");
        if (audits->n > 0)
            sp_buf_printf(out, " %zu that are not offered were tried, and answered <code>unsupported</code>.",
                audits->n);
        sp_buf_puts(out, "</p>\n");
        return;
    }
    rdh_sub(out, "Findings", (int64_t)n);
    rdh_table(out, "Effective below declared, or offered without being declared", columns, SP_LEN(columns));
    for (size_t i = 0; i < r->ncaps; i++) {
        const struct rd_cap *c = &r->caps[i];
        if (!c->finding)
            continue;
        rdh_row_head(out, c->capability);
        sp_buf_puts(out, "<td>");
        rdh_provider(out, r, c->provider);
        sp_buf_puts(out, "</td>");
        rdh_cell(out, c->declared);
        sp_buf_puts(out, "<td>");
        rdh_badge(out, H_WARN, "▲", c->effective);
        if (c->limit >= 0 && c->limit != INT64_MAX)
            sp_buf_printf(out, " up to %" PRId64, c->limit);
        sp_buf_puts(out, "</td>");
        rdh_cell(out, c->why);
        sp_buf_puts(out, "</tr>\n");
    }
    for (size_t i = 0; i < audits->n; i++) {
        const struct sp_event_in *ev = &audits->v[i].ev;
        if (held(ev))
            continue;
        rdh_row_head(out, rd_text(ev, F(capability)));
        sp_buf_puts(out, "<td>");
        rdh_provider(out, r, rd_text(ev, F(provider)));
        sp_buf_puts(out, "</td><td>no</td><td>");
        rdh_badge(out, H_BAD, "✗", rd_text(ev, F(outcome)));
        sp_buf_puts(out, "</td>");
        rdh_cell(out, rd_text(ev, F(message)));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
}

static const struct rd_cap *cap_of(const struct rd *r, const char *provider, const char *capability)
{
    for (size_t i = 0; i < r->ncaps; i++)
        if (strcmp(r->caps[i].capability, capability) == 0 && strcmp(r->caps[i].provider, provider) == 0)
            return &r->caps[i];
    return NULL;
}

static void cap_cell(struct sp_buf *out, const struct rd_cap *c)
{
    char limit[32];
    if (c == NULL) {
        sp_buf_puts(out, "<td class=\"dim\">not asked</td>");
        return;
    }
    bool yes = strcmp(c->effective, "yes") == 0, no = strcmp(c->effective, "no") == 0;
    sp_buf_puts(out, "<td>");
    rdh_badge(out,
        c->finding ? H_WARN
        : yes      ? H_GOOD
        : no       ? H_PLAIN
                   : H_WARN,
        c->finding ? "▲"
        : yes      ? "✓"
        : no       ? "–"
                   : "?",
        c->effective);
    if (yes && c->limit >= 0) {
        sp_format_count(limit, (uint64_t)c->limit);
        sp_buf_printf(
            out, " <span class=\"dim\">%s</span>", c->limit == INT64_MAX ? "no limit known" : limit);
    }
    if (strcmp(c->declared, c->effective) != 0) {
        sp_buf_puts(out, " <span class=\"dim small\">declared ");
        rd_xml(out, c->declared);
        sp_buf_puts(out, "</span>");
    }
    if (c->why[0] != '\0') {
        sp_buf_puts(out, "<span class=\"dim small why\">");
        rd_xml(out, c->why);
        sp_buf_puts(out, "</span>");
    }
    sp_buf_puts(out, "</td>");
}

static void facet(struct sp_buf *out, const struct rd *r, size_t first)
{
    const char *name = r->caps[first].facet;
    sp_buf_puts(out, "<details><summary>Facet ");
    rd_xml(out, name);
    sp_buf_puts(out,
        "</summary>\n<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Capabilities per "
        "provider\"><table class=\"caps\"><caption>Capabilities per provider</caption><thead><tr>"
        "<th scope=\"col\">Capability</th>");
    for (size_t p = 0; p < r->nproviders; p++) {
        sp_buf_puts(out, "<th scope=\"col\">");
        rdh_provider(out, r, r->providers[p].name);
        sp_buf_puts(out, "</th>");
    }
    sp_buf_puts(out, "</tr></thead><tbody>\n");
    for (size_t i = first; i < r->ncaps; i++) {
        const char *capability = r->caps[i].capability;
        bool seen = strcmp(r->caps[i].facet, name) != 0;
        for (size_t k = first; k < i && !seen; k++)
            seen = strcmp(r->caps[k].capability, capability) == 0;
        if (seen)
            continue;
        rdh_row_head(out, capability);
        for (size_t p = 0; p < r->nproviders; p++)
            cap_cell(out, cap_of(r, r->providers[p].name, capability));
        sp_buf_puts(out, "</tr>\n");
    }
    rdh_table_end(out);
    sp_buf_puts(out, "</details>\n");
}

void rdh_caps(struct sp_buf *out, const struct rd *r)
{
    if (r->ncaps + r->of[SP_EV_CAP_AUDIT].n == 0)
        return;
    rdh_section(out, "capabilities", "Capability audit", -1,
        "<b>Declared</b>: what the kind of backend can do. <b>Effective</b>: what this server, with this "
        "key, does.");
    findings(out, r);
    for (size_t i = 0; i < r->ncaps; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = strcmp(r->caps[k].facet, r->caps[i].facet) == 0;
        if (!seen)
            facet(out, r, i);
    }
    rdh_section_end(out);
}
