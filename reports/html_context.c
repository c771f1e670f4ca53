/* html_context.c -- what stands around the results: notes, what workers printed, where it all ran. */
#include "reports/html.h"

#include <string.h>

#include "base/str.h"

#define F(name) SP_FLD_##name

void rdh_notes(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_NOTE];
    if (rows->n == 0)
        return;
    rdh_section(out, "notes", "Notes", (int64_t)rows->n, NULL);
    sp_buf_puts(out, "<ul class=\"notes\">\n");
    for (size_t i = 0; i < rows->n; i++) {
        const char *level = rd_text(&rows->v[i].ev, F(level));
        bool warn = strncmp(level, "warn", 4) == 0 || strcmp(level, "error") == 0;
        sp_buf_puts(out, "<li>");
        rdh_badge(out, warn ? H_WARN : H_PLAIN, warn ? "!" : "·", level[0] == '\0' ? "note" : level);
        sp_buf_putc(out, ' ');
        rd_xml(out, rd_text(&rows->v[i].ev, F(text)));
        sp_buf_puts(out, "</li>\n");
    }
    sp_buf_puts(out, "</ul>\n");
    rdh_section_end(out);
}

void rdh_output(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *rows = &r->of[SP_EV_OUTPUT];
    if (rows->n == 0)
        return;
    rdh_section(out, "output", "Worker output", (int64_t)rows->n, NULL);
    for (size_t i = 0; i < rows->n; i++) {
        const struct sp_event_in *ev = &rows->v[i].ev;
        const char *id = rd_text(ev, F(id));
        sp_buf_puts(out, "<details><summary><span class=\"id\">");
        rd_xml(out, id[0] != '\0' ? id : rd_text(ev, F(suite)));
        sp_buf_puts(out, "</span> on ");
        rdh_provider(out, r, rd_text(ev, F(provider)));
        sp_buf_puts(out, " <span class=\"dim\">");
        rd_xml(out, rd_text(ev, F(stream)));
        sp_buf_puts(out, "</span></summary><pre tabindex=\"0\">");
        rd_xml(out, rd_text(ev, F(text)));
        sp_buf_puts(out, "</pre></details>\n");
    }
    rdh_section_end(out);
}

static void fact(struct sp_buf *out, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    sp_buf_printf(out, "<div><dt>%s</dt><dd>", label);
    rd_xml(out, text);
    sp_buf_puts(out, "</dd></div>\n");
}

static void providers(struct sp_buf *out, const struct rd *r)
{
    const char *const columns[] = { "Provider", "Kind", "Fidelity", "Server version", "Access", "URL",
        "Notes" };
    if (r->nproviders == 0)
        return;
    rdh_sub(out, "Providers", (int64_t)r->nproviders);
    rdh_table(out, "Providers", columns, SP_LEN(columns));
    for (size_t i = 0; i < r->nproviders; i++) {
        const struct rd_provider *p = &r->providers[i];
        rdh_row_head(out, p->name);
        rdh_cell(out, p->kind);
        sp_buf_puts(out, "<td>");
        rdh_fidelity(out, p->fidelity);
        sp_buf_puts(out, "</td>");
        rdh_cell(out, p->server_version);
        rdh_cell(out, p->access);
        rdh_cell_code(out, p->url);
        sp_buf_puts(out, "<td>");
        rd_xml(out, p->notes);
        if (p->error[0] != '\0') {
            sp_buf_putc(out, ' ');
            rdh_badge(out, H_WARN, "!", p->error);
        }
        sp_buf_puts(out, "</td></tr>\n");
    }
    rdh_table_end(out);
}

void rdh_environment(struct sp_buf *out, const struct rd *r)
{
    if (r->start.json == NULL && r->nproviders == 0)
        return;
    rdh_section(out, "environment", "Environment", -1, NULL);
    sp_buf_puts(out, "<dl class=\"facts\">\n");
    fact(out, "Tool", rd_text(&r->start, F(tool)));
    fact(out, "Version", rd_text(&r->start, F(version)));
    fact(out, "Run", rd_text(&r->start, F(run)));
    fact(out, "Seed", rd_text(&r->start, F(seed)));
    fact(out, "Started", rd_text(&r->start, F(started)));
    fact(out, "Host", rd_text(&r->start, F(host)));
    fact(out, "System", rd_text(&r->start, F(os)));
    fact(out, "Processor", rd_text(&r->start, F(cpu)));
    fact(out, "Configuration digest", rd_text(&r->start, F(config_digest)));
    fact(out, "Report directory", rd_text(&r->start, F(report_dir)));
    sp_buf_puts(out, "</dl>\n");
    if (rd_text(&r->start, F(argv))[0] != '\0') {
        sp_buf_puts(out, "<p class=\"repeat\"><span class=\"label\">Command line</span> <kbd>");
        rd_xml(out, rd_text(&r->start, F(argv)));
        sp_buf_puts(out, "</kbd></p>\n");
    }
    providers(out, r);
    rdh_section_end(out);
}
