/* keys.c -- the option table of switchproof.yaml. */
#include "config/read.h"

#include <string.h>

static const char *const access_names[] = { "read-only", "target", "disposable", NULL };
static const char *const fidelities[] = { "real", "official emulator", "compatible server", "mock", "unknown",
    NULL };

#define INTEGER(min_, max_)  .type = SP_KEY_INT, .min = (min_), .max = (max_)
#define DURATION(min_, max_) .type = SP_KEY_DURATION, .min = (min_), .max = (max_)
#define HOUR                 INT64_C(3600000)

/* clang-format off */
const struct sp_config_key sp_config_keys[] = {
    { "", "requires", .type = SP_KEY_NAMES, .doc = "suites, capabilities, case ids or globs of them that the application uses: a skip of these is never fine; of a suite, every case that the kind of provider declares to be fit for must run (`auth`: its users; database users are `auth.credentials_*`)" },
    { "", "providers", .type = SP_KEY_TREE, .doc = "the backends, by a name of your own" },
    { "", "checks", .type = SP_KEY_TREE, .doc = "list of the team's own invariants, run on both sides" },
    { "", "suites", .type = SP_KEY_TREE, .doc = "settings of suites, by suite" },
    { "", "gates", .type = SP_KEY_TREE, .doc = "policies, by migration phase" },
    { "", "expected_failures", .type = SP_KEY_TREE, .doc = "list of failures that are known, linked and expire" },
    { "", "report_dir", .type = SP_KEY_TEXT, .fallback = "build/report", .doc = "where reports are written" },
    { "", "state_dir", .type = SP_KEY_TEXT, .fallback = ".switchproof", .doc = "where journals of runs are kept" },

    { "providers.NAME", "kind", .type = SP_KEY_NAME, .required = true, .doc = "which provider: see `switchproof list providers`" },
    { "providers.NAME", "url", .type = SP_KEY_URL, .required = true, .doc = "where it is, e.g. sqlite:path; a password in it comes from ${VARIABLE}" },
    { "providers.NAME", "access", .type = SP_KEY_CHOICE, .choices = access_names, .fallback = "read-only", .doc = "what may be done to it: suites write only to disposable ones" },
    { "providers.NAME", "optional", .type = SP_KEY_BOOL, .fallback = "false", .doc = "without a value for its variables it is a visible skip, not an error" },
    { "providers.NAME", "mutant", .type = SP_KEY_NAME, .doc = "plants one bug, to test the harness itself" },
    { "providers.NAME", "connect_timeout", DURATION(1, HOUR), .fallback = "the provider's own", .doc = "how long connecting may take" },
    { "providers.NAME", "statement_timeout", DURATION(1, HOUR), .fallback = "the provider's own", .doc = "how long one operation may take" },
    { "providers.NAME", "options", .type = SP_KEY_TREE, .doc = "options of this kind: see `switchproof list providers -v`" },

    { "checks[]", "name", .type = SP_KEY_TEXT, .required = true, .doc = "what holds, in a few words" },
    { "checks[]", "query", .type = SP_KEY_TREE, .required = true, .doc = "the rows to count" },
    { "checks[]", "expect", INTEGER(0, INT64_MAX), .required = true, .doc = "how many rows there must be" },

    { "checks[].query", "from", .type = SP_KEY_TEXT, .required = true, .doc = "table or collection" },
    { "checks[].query", "where", .type = SP_KEY_TREE, .doc = "column: value, list of values, or {eq neq gt gte lt lte in contains like is_null is_missing}; and, or, not" },
    { "checks[].query", "select", .type = SP_KEY_NAMES, .doc = "columns" },
    { "checks[].query", "order_by", .type = SP_KEY_NAMES, .doc = "columns, each with \" desc\" behind it for descending" },
    { "checks[].query", "limit", INTEGER(0, INT64_MAX), .doc = "at most so many rows" },

    { "suites.performance", "operations", INTEGER(1, 100000000), .doc = "operations per measurement" },
    { "suites.performance", "p95", DURATION(1, 24 * HOUR), .doc = "bound of the 95th percentile of each operation" },
    { "suites.load", "users", INTEGER(1, 4096), .doc = "concurrent users" },
    { "suites.load", "operations", INTEGER(1, 100000000), .doc = "operations of each user" },
    { "suites.load", "rate", .type = SP_KEY_RATE, .doc = "intended operations, e.g. 500/s" },
    { "suites.load", "ramp", DURATION(0, 24 * HOUR), .doc = "time until all users are there" },
    { "suites.load", "duration", DURATION(1, 24 * HOUR), .doc = "how long the load lasts" },
    { "suites.migration", "rows", INTEGER(1, 100000000), .doc = "rows to migrate" },

    { "gates.PHASE", "require", .type = SP_KEY_NAMES, .doc = "suites that must have passed" },
    { "gates.PHASE", "max_differences", INTEGER(0, INT64_MAX), .doc = "rows that may differ" },
    { "gates.PHASE", "max_error_rate_increase", .type = SP_KEY_PERCENT, .doc = "against the baseline, e.g. 0.1pp" },
    { "gates.PHASE", "max_latency_regression", .type = SP_KEY_PERCENT, .doc = "against the baseline, e.g. 5%" },
    { "gates.PHASE", "p95", DURATION(1, 24 * HOUR), .doc = "bound of the 95th percentile" },
    { "gates.PHASE", "p99", DURATION(1, 24 * HOUR), .doc = "bound of the 99th percentile" },
    { "gates.PHASE", "fidelity", .type = SP_KEY_CHOICE, .choices = fidelities, .doc = "what kind of server the evidence must come from" },

    { "expected_failures[]", "case", .type = SP_KEY_TEXT, .required = true, .doc = "the case's id" },
    { "expected_failures[]", "provider", .type = SP_KEY_TEXT, .required = true, .doc = "a provider of this file" },
    { "expected_failures[]", "link", .type = SP_KEY_TEXT, .required = true, .doc = "the issue about it, http(s)://..." },
    { "expected_failures[]", "until", .type = SP_KEY_DATE, .required = true, .doc = "last day on which it is expected, YYYY-MM-DD" },
    { "expected_failures[]", "reason", .type = SP_KEY_TEXT, .required = true, .doc = "why it fails" },
    { NULL, NULL, .type = SP_KEY_TEXT },
};
/* clang-format on */

static const char *type_text(const struct sp_config_key *k)
{
    static const char *const names[] = {
        [SP_KEY_TEXT] = "text",
        [SP_KEY_NAME] = "name",
        [SP_KEY_BOOL] = "true or false",
        [SP_KEY_INT] = "whole number",
        [SP_KEY_DURATION] = "duration (500ms, 5s, 2m)",
        [SP_KEY_RATE] = "rate (500/s)",
        [SP_KEY_PERCENT] = "percentage (5%, 0.1pp)",
        [SP_KEY_DATE] = "date",
        [SP_KEY_CHOICE] = "one of",
        [SP_KEY_NAMES] = "list of texts",
        [SP_KEY_URL] = "URL",
        [SP_KEY_TREE] = "section",
    };
    return names[k->type];
}

int sp_config_document(struct sp_buf *out)
{
    const char *section = NULL;
    for (const struct sp_config_key *k = sp_config_keys; k->name != NULL; k++) {
        if (section == NULL || strcmp(section, k->section) != 0) {
            section = k->section;
            (void)sp_buf_printf(
                out, "%s%s\n", out->n > 0 ? "\n" : "", *section != '\0' ? section : "top level");
        }
        (void)sp_buf_printf(out, "  %-24s %s", k->name, type_text(k));
        for (const char *const *c = k->choices; c != NULL && *c != NULL; c++) {
            (void)sp_buf_printf(out, "%s %s", c == k->choices ? "" : ",", *c);
        }
        (void)sp_buf_printf(out, "%s\n", k->required ? ", required" : "");
        (void)sp_buf_printf(out, "  %-24s   %s", "", k->doc);
        if (k->fallback != NULL) {
            (void)sp_buf_printf(out, " (default: %s)", k->fallback);
        }
        (void)sp_buf_putc(out, '\n');
    }
    return out->oom ? -SP_E_NOMEM : 0;
}
