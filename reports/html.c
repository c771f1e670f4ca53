/* html.c -- report.html: one file that works offline, without JavaScript, on paper and in the dark.
 *
 * The order is that of a reader's questions: may I go on? where does it break? what exactly, and how do I repeat it?
 * is the data the same? what was not looked at? The policy in the head forbids the page to load or run anything but
 * its own style sheet and script, so that a text that slipped through unescaped could still do nothing. */
#include "reports/html.h"
#include "reports/assess.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/str.h"

static const char *exit_meaning(int64_t code)
{
    switch (code) {
    case 0:
        return "all held";
    case 1:
        return "a promise is broken, data differs, or NO-GO";
    case 2:
        return "usage or configuration";
    case 3:
        return "could not tell: unreachable, not compared, or inconclusive";
    case 4:
        return "interrupted";
    case 5:
        return "nothing ran";
    default:
        return "unknown";
    }
}

static int head(struct sp_buf *out, const struct rd *r, struct sp_error *err)
{
    unsigned char digest[EVP_MAX_MD_SIZE], text[2 * EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (EVP_Digest(rdh_script, strlen(rdh_script), digest, &n, EVP_sha256(), NULL) != 1)
        return sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "SHA-256 is not available in OpenSSL");
    (void)EVP_EncodeBlock(text, digest, (int)n);
    sp_buf_printf(out,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; "
        "script-src 'sha256-%s'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
        (const char *)text);
    rd_xml(out, rd_verdict(r));
    sp_buf_puts(out, " – switchproof ");
    rd_xml(out, rd_text(&r->start, SP_FLD_command));
    sp_buf_printf(out, "</title>\n<style>%s</style>\n</head><body>\n", rdh_style);
    return 0;
}

static void meta_item(struct sp_buf *out, const char *label, const char *text)
{
    if (text[0] == '\0')
        return;
    sp_buf_printf(out, "<span><span class=\"label\">%s</span> ", label);
    rd_xml(out, text);
    sp_buf_puts(out, "</span> ");
}

static void masthead(struct sp_buf *out, const struct rd *r)
{
    sp_buf_puts(out,
        "<a class=\"skip\" href=\"#verdict\">Skip to the verdict</a>\n<header class=\"mast\">"
        "<p class=\"brand\"><span aria-hidden=\"true\">⇄</span> switchproof</p><p class=\"meta\">");
    meta_item(out, "command", rd_text(&r->start, SP_FLD_command));
    meta_item(out, "run", rd_text(&r->start, SP_FLD_run));
    meta_item(out, "started", rd_text(&r->start, SP_FLD_started));
    meta_item(out, "seed", rd_text(&r->start, SP_FLD_seed));
    sp_buf_puts(out, "</p></header>\n");
}

static uint64_t not_run(const struct rd *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->ncases; i++)
        n += strcmp(r->cases[i].outcome, "not run") == 0;
    return n;
}

/* The bar under the verdict: shares of the outcomes, and the same as numbers with words. */
static void tally(struct sp_buf *out, const struct rd *r)
{
    static const char *const words[] = { "passed", "failed", "errored", "skipped", "expected failures",
        "not run" };
    static const char *const classes[] = { "good", "bad", "warn", "plain", "info", "warn" };
    static const char *const symbols[] = { "✓", "✗", "!", "–", "◇", "?" };
    uint64_t n[6] = { r->totals[0], r->totals[1], r->totals[2], r->totals[3], r->totals[4], not_run(r) },
             all = 0;
    char text[32];
    for (size_t i = 0; i < 6; i++)
        all += n[i];
    if (all == 0)
        return;
    sp_buf_puts(out, "<div class=\"bar\" aria-hidden=\"true\">");
    for (size_t i = 0; i < 6; i++)
        if (n[i] > 0)
            sp_buf_printf(
                out, "<span class=\"%s\" style=\"flex-grow:%" PRIu64 "\"></span>", classes[i], n[i]);
    sp_buf_puts(out, "</div>\n<ul class=\"tally\">");
    for (size_t i = 0; i < 6; i++) {
        if (n[i] == 0 && i > 2)
            continue;
        sp_format_count(text, n[i]);
        sp_buf_printf(out, "<li class=\"%s\"><b><span aria-hidden=\"true\">%s</span> %s</b> %s</li>",
            n[i] == 0 ? "zero" : classes[i], symbols[i], text, words[i]);
    }
    sp_buf_puts(out, "</ul>\n");
}

/* What was compared, in one line under the verdict. */
static void compared(struct sp_buf *out, const struct rd *r)
{
    const struct rd_rows *starts = &r->of[SP_EV_VERIFY_START], *ends = &r->of[SP_EV_VERIFY_END];
    char rows[32];
    if (starts->n == 0)
        return;
    sp_buf_puts(out, "<p class=\"pair\">");
    rdh_provider(out, r, rd_text(&starts->v[0].ev, SP_FLD_source));
    sp_buf_puts(out, " <span aria-hidden=\"true\">→</span><span class=\"sr\"> against </span> ");
    rdh_provider(out, r, rd_text(&starts->v[0].ev, SP_FLD_target));
    if (ends->n > 0) {
        int64_t tables = sp_event_get_int(&ends->v[ends->n - 1].ev, SP_FLD_tables, 0);
        int64_t n = sp_event_get_int(&ends->v[ends->n - 1].ev, SP_FLD_rows, 0);
        sp_format_count(rows, n < 0 ? 0 : (uint64_t)n);
        sp_buf_printf(out, " <span class=\"dim\">· %" PRId64 " table%s · %s rows read · </span>", tables,
            tables == 1 ? "" : "s", rows);
        rdh_verify_badge(out, rd_verify_verdict(r));
    }
    sp_buf_puts(out, "</p>\n");
}

static void verdict(struct sp_buf *out, const struct rd *r)
{
    int64_t code = rd_exit_code(r);
    const char *tone = r->truncated ? "truncated" : code == 0 ? "good" : code == 1 ? "bad" : "warn";
    const char *symbol = r->truncated ? "✂" : code == 0 ? "✓" : code == 1 ? "✗" : "?";
    const char *text = rd_verdict(r);
    char time[32];
    sp_buf_printf(out,
        "<section id=\"verdict\" class=\"verdict %s\" aria-labelledby=\"h-verdict\">"
        "<div class=\"mark\" aria-hidden=\"true\">%s</div><div class=\"say\"><h1 id=\"h-verdict\">",
        tone, symbol);
    rd_xml(out, text[0] == '\0' ? "no verdict" : text);
    sp_buf_puts(out, "</h1>\n");
    if (r->truncated) {
        sp_buf_puts(out,
            "<p class=\"loud\">The record of this run is not whole. Nothing can be concluded from it.</p>\n");
        if (r->damage != NULL) {
            sp_buf_puts(out, "<p>What is wrong: ");
            rd_xml(out, r->damage);
            sp_buf_puts(out, ". What follows is what was recorded before.</p>\n");
        }
    } else {
        sp_format_duration(time, sp_event_get_real(&r->end, SP_FLD_duration_s, 0));
        sp_buf_printf(out, "<p class=\"code\">Exit code %" PRId64 ": %s. Took %s.</p>\n", code,
            exit_meaning(code), time);
    }
    compared(out, r);
    if (rd_text(&r->end, SP_FLD_reasons)[0] != '\0') {
        sp_buf_puts(out, "<ul class=\"reasons\">\n");
        rdh_lines(out, rd_text(&r->end, SP_FLD_reasons));
        sp_buf_puts(out, "</ul>\n");
    }
    if (!r->truncated && sp_event_get_int(&r->end, SP_FLD_leftovers, 0) > 0)
        sp_buf_printf(out,
            "<p><b>%" PRId64
            " things that this run created could not be removed</b>: <kbd>switchproof clean</kbd> "
            "tries again.</p>\n",
            sp_event_get_int(&r->end, SP_FLD_leftovers, 0));
    tally(out, r);
    sp_buf_puts(out, "</div></section>\n");
}

struct part {
    const char *id, *title;
    void (*write)(struct sp_buf *, const struct rd *);
};

static const struct part parts[] = {
    { "matrix", "Matrix", rdh_matrix },
    { "failing", "Failing cases", rdh_failures },
    { "verify", "Verification", rdh_verify },
    { "differences", "Differences", rdh_differences },
    { "assess", "Assessment", rdh_assess },
    { "migrate", "Migration", rdh_migrate },
    { "skipped", "Skipped", rdh_skips },
    { "capabilities", "Capabilities", rdh_caps },
    { "measurements", "Measurements", rdh_measures },
    { "semantics", "Semantics", rdh_semantics },
    { "notes", "Notes", rdh_notes },
    { "output", "Output", rdh_output },
    { "environment", "Environment", rdh_environment },
    { "cases", "All cases", rdh_all_cases },
};

/* The parts are written first, because the navigation names only those that have something to show. */
static void body(struct sp_buf *out, const struct rd *r)
{
    struct sp_buf text = SP_BUF_INIT;
    sp_buf_puts(out, "<nav aria-label=\"Sections\"><ul>");
    for (size_t i = 0; i < SP_LEN(parts); i++) {
        size_t before = text.n;
        parts[i].write(&text, r);
        if (text.n > before)
            sp_buf_printf(out, "<li><a href=\"#%s\">%s</a></li>", parts[i].id, parts[i].title);
    }
    sp_buf_puts(out, "</ul></nav>\n");
    if (text.oom)
        out->oom = true;
    else if (text.n > 0)
        sp_buf_put(out, text.p, text.n);
    sp_buf_free(&text);
}

int rd_html(const struct rd *r, struct sp_buf *out, struct sp_error *err)
{
    int rc = head(out, r, err);
    if (rc < 0)
        return rc;
    masthead(out, r);
    sp_buf_puts(out, "<main>\n");
    verdict(out, r);
    body(out, r);
    sp_buf_puts(out, "</main>\n<footer><p>Written by switchproof ");
    rd_xml(out, rd_text(&r->start, SP_FLD_version));
    sp_buf_printf(out,
        " from <code>events.jsonl</code>, which holds everything shown here. The same facts for machines: "
        "<code>summary.json</code>, <code>verify.json</code>, <code>junit.xml</code>.</p></footer>\n"
        "<script>%s</script>\n</body></html>\n",
        rdh_script);
    return out->oom ? sp_nomem(err) : 0;
}
