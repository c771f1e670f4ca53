/* html_semantics.c -- behaviour per topic and provider: the same letter is the same behaviour. What differs comes first,
 * what all share is folded away; colours only repeat what the letters say. */
#include "reports/html.h"
#include "reports/semantics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void letter(struct sp_buf *out, size_t class)
{
    char text[24];
    rds_letter(class, text);
    sp_buf_printf(out, "<b class=\"cls c%zu\">%s</b>", class % 5, text);
}

/* "A kept exactly, B refused: range", and who was not looked at, and why. */
static void legend(struct sp_buf *out, const struct rd *r, const struct rds *s, const struct rds_topic *t)
{
    sp_buf_puts(out, "<td><ul class=\"legend\">");
    for (size_t k = 0; k < t->nclasses; k++) {
        sp_buf_puts(out, "<li>");
        letter(out, k);
        sp_buf_putc(out, ' ');
        rd_xml(out, t->classes[k]);
        sp_buf_puts(out, "</li>");
    }
    for (size_t p = 0; p < r->nproviders; p++) {
        if (t->cells[p].class != RDS_NONE || !rds_concerns(s, p))
            continue;
        sp_buf_puts(out, "<li class=\"dim\">– ");
        rd_xml(out, r->providers[p].name);
        sp_buf_puts(out, ": ");
        rd_xml(out, t->cells[p].reason);
        sp_buf_puts(out, "</li>");
    }
    sp_buf_puts(out, "</ul></td></tr>\n");
}

static void topic(struct sp_buf *out, const struct rd *r, const struct rds *s, const struct rds_topic *t)
{
    sp_buf_puts(
        out, t->kind == RDS_SWITCH ? "<tr class=\"switch\"><th scope=\"row\">" : "<tr><th scope=\"row\">");
    rd_xml(out, t->topic);
    if (t->kind == RDS_SWITCH) {
        sp_buf_putc(out, ' ');
        rdh_badge(out, H_WARN, "≠", "source and target");
    }
    sp_buf_puts(out, "<span class=\"dim small why\">");
    rd_xml(out, t->id);
    sp_buf_puts(out, "</span></th>");
    for (size_t p = 0; p < r->nproviders; p++) {
        if (!rds_concerns(s, p))
            continue;
        const char *name = r->providers[p].name;
        bool side = strcmp(name, s->source) == 0 || strcmp(name, s->target) == 0;
        sp_buf_puts(out, side ? "<td class=\"pick\">" : "<td>");
        if (t->cells[p].class == RDS_NONE) {
            sp_buf_puts(out, "<span class=\"dim\">–<span class=\"sr\"> not observed</span></span></td>");
            continue;
        }
        letter(out, t->cells[p].class);
        sp_buf_puts(out, "<span class=\"sr\"> ");
        rd_xml(out, t->classes[t->cells[p].class]);
        sp_buf_puts(out, "</span></td>");
    }
    legend(out, r, s, t);
}

static void table(struct sp_buf *out, const struct rd *r, const struct rds *s, enum rds_kind from,
    enum rds_kind to, const char *caption)
{
    sp_buf_printf(out,
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"%s\">"
        "<table class=\"caps\"><caption>%s</caption><thead><tr><th scope=\"col\">Topic</th>",
        caption, caption);
    for (size_t p = 0; p < r->nproviders; p++) {
        if (!rds_concerns(s, p))
            continue;
        sp_buf_puts(out, "<th scope=\"col\">");
        rdh_provider(out, r, r->providers[p].name);
        if (strcmp(r->providers[p].name, s->source) == 0)
            sp_buf_puts(out, "<span class=\"why\">source</span>");
        else if (strcmp(r->providers[p].name, s->target) == 0)
            sp_buf_puts(out, "<span class=\"why\">target</span>");
        sp_buf_puts(out, "</th>");
    }
    sp_buf_puts(out, "<th scope=\"col\">In words</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].kind >= from && s->v[i].kind <= to)
            topic(out, r, s, &s->v[i]);
    rdh_table_end(out);
}

static void folded(struct sp_buf *out, const struct rd *r, const struct rds *s, enum rds_kind kind,
    const char *title, const char *caption)
{
    if (s->count[kind] == 0)
        return;
    sp_buf_printf(
        out, "<details><summary>%s <span class=\"n\">%zu</span></summary>\n", title, s->count[kind]);
    table(out, r, s, kind, kind, caption);
    sp_buf_puts(out, "</details>\n");
}

/* The switch in one line: how much of the behaviour changes. */
static void the_switch(struct sp_buf *out, const struct rd *r, const struct rds *s)
{
    size_t both = 0;
    if (s->source[0] == '\0' || s->target[0] == '\0')
        return;
    for (size_t i = 0; i < s->n; i++) {
        bool seen[2] = { false, false };
        for (size_t p = 0; p < r->nproviders; p++) {
            bool here = s->v[i].cells[p].class != RDS_NONE;
            seen[0] = seen[0] || (here && strcmp(r->providers[p].name, s->source) == 0);
            seen[1] = seen[1] || (here && strcmp(r->providers[p].name, s->target) == 0);
        }
        both += seen[0] && seen[1];
    }
    sp_buf_puts(out, "<p class=\"pair\">");
    rdh_provider(out, r, s->source);
    sp_buf_puts(out, " <span aria-hidden=\"true\">→</span><span class=\"sr\"> to </span> ");
    rdh_provider(out, r, s->target);
    sp_buf_printf(out,
        " <span class=\"dim\">· %zu of the %zu topics that were seen on both differ</span></p>\n",
        s->count[RDS_SWITCH], both);
}

void rdh_semantics(struct sp_buf *out, const struct rd *r)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct rds s;
    if (r->of[SP_EV_SEMANTICS].n == 0)
        return;
    if (rds_load(r, &a, &s) != 0) {
        out->oom = true;
        sp_arena_free(&a);
        return;
    }
    rdh_section(out, "semantics", "Semantics", (int64_t)s.n,
        "Neither right nor wrong: what was seen of each backend where backends have ways of their own. "
        "Within a "
        "row, the same letter is the same behaviour.");
    the_switch(out, r, &s);
    if (s.count[RDS_SWITCH] + s.count[RDS_DIFFERS] > 0) {
        rdh_sub(out, "Where they differ", (int64_t)(s.count[RDS_SWITCH] + s.count[RDS_DIFFERS]));
        table(out, r, &s, RDS_SWITCH, RDS_DIFFERS, "Behaviour that differs between providers");
    } else {
        sp_buf_puts(out, "<p>Nothing was seen that differs.</p>\n");
    }
    folded(out, r, &s, RDS_ALIKE, "All that were looked at behave alike", "Behaviour that is the same");
    folded(out, r, &s, RDS_ALONE, "Seen on one provider only: not compared", "Behaviour that was seen once");
    folded(out, r, &s, RDS_UNSEEN, "Not observed on any provider", "Topics that nobody could look at");
    rdh_section_end(out);
    sp_arena_free(&a);
}
