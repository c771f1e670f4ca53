/* keys.c -- the option table of switchproof.yaml and of mapping files. */
#include "config/read.h"

#include <string.h>

#include "base/str.h"

static const char *const access_names[] = { "read-only", "target", "disposable", NULL };
static const char *const fidelities[] = { "real", "official emulator", "compatible server", "mock", "unknown",
    NULL };
static const char *const rows_allowed[] = { "all", "own", "none", NULL };
static const char *const side_names[] = { "source", "target", NULL };

#define INTEGER(min_, max_)  .type = SP_KEY_INT, .min = (min_), .max = (max_)
#define DURATION(min_, max_) .type = SP_KEY_DURATION, .min = (min_), .max = (max_)
#define HOUR                 INT64_C(3600000)

/* clang-format off */
const struct sp_config_key sp_config_keys[] = {
    { "", "requires", .type = SP_KEY_NAMES, .doc = "suites, capabilities, case ids or globs of them that the application uses: a skip of these is never fine; of a suite, every case that the kind of provider declares to be fit for must run (`auth`: its users; database users are `auth.credentials_*`)" },
    { "", "providers", .type = SP_KEY_TREE, .doc = "the backends, by a name of your own" },
    { "", "checks", .type = SP_KEY_TREE, .doc = "list of the team's own invariants, run on both sides" },
    { "", "actors", .type = SP_KEY_TREE, .doc = "who uses the application, by a name of your own: {} is nobody, who is not signed in" },
    { "", "access", .type = SP_KEY_TREE, .doc = "list of what actors may do with tables: tried by the case auth.access, without changing anything" },
    { "", "suites", .type = SP_KEY_TREE, .doc = "settings of suites, by suite" },
    { "", "verify", .type = SP_KEY_TREE, .doc = "how `verify` reads; its options go before" },
    { "", "gates", .type = SP_KEY_TREE, .doc = "policies, by migration phase: checked for mistakes, and not applied by this version" },
    { "", "expected_failures", .type = SP_KEY_TREE, .doc = "list of failures that are known, linked and expire" },
    { "", "source", .type = SP_KEY_NAME, .doc = "the provider that the application uses today: reports show where the target behaves in another way" },
    { "", "target", .type = SP_KEY_NAME, .doc = "the provider that it is to use" },
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
    { "checks[]", "query", .type = SP_KEY_TREE, .doc = "rows to count or to compare: a query as below, or one text for each kind of backend in its own language, which may only read, e.g. { sqlite: \"SELECT ...\", postgresql: \"SELECT ...\" }; with `expect`" },
    { "checks[]", "expect", .type = SP_KEY_TEXT, .doc = "how many rows there must be on each side, or same: both sides give the same rows" },
    { "checks[]", "ordered", .type = SP_KEY_BOOL, .fallback = "false", .doc = "with `expect: same`: in the same order, too" },
    { "checks[]", "unique", .type = SP_KEY_NAMES, .doc = "a table, then columns: no two of its rows have the same values in them (rows with a null among them aside)" },
    { "checks[]", "required", .type = SP_KEY_NAMES, .doc = "a table, then columns: each of its rows has a value in each of them" },

    { "checks[].query", "from", .type = SP_KEY_TEXT, .required = true, .doc = "table or collection" },
    { "checks[].query", "where", .type = SP_KEY_TREE, .doc = "column: value, list of values, or {eq neq gt gte lt lte in contains like is_null is_missing}; and, or, not" },
    { "checks[].query", "select", .type = SP_KEY_NAMES, .doc = "columns" },
    { "checks[].query", "order_by", .type = SP_KEY_NAMES, .doc = "columns, each with \" desc\" behind it for descending" },
    { "checks[].query", "limit", INTEGER(0, INT64_MAX), .doc = "at most so many rows" },

    { "actors.NAME", "role", .type = SP_KEY_TEXT, .doc = "database role (default: the backend's own for who is signed in, or for nobody)" },
    { "actors.NAME", "user", .type = SP_KEY_TEXT, .doc = "id of who is signed in, as it stands in the tables" },
    { "actors.NAME", "claims", .type = SP_KEY_TEXT, .doc = "what else a token of theirs says: a JSON object" },

    { "access[]", "table", .type = SP_KEY_TEXT, .required = true, .doc = "table" },
    { "access[]", "actor", .type = SP_KEY_TEXT, .required = true, .doc = "one of `actors`" },
    { "access[]", "owner", .type = SP_KEY_TEXT, .doc = "column with the id of the user whose row it is" },
    { "access[]", "select", .type = SP_KEY_CHOICE, .choices = rows_allowed, .doc = "which rows they see" },
    { "access[]", "insert", .type = SP_KEY_CHOICE, .choices = rows_allowed, .doc = "rows of whom they create" },
    { "access[]", "update", .type = SP_KEY_CHOICE, .choices = rows_allowed, .doc = "which rows they change" },
    { "access[]", "delete", .type = SP_KEY_CHOICE, .choices = rows_allowed, .doc = "which rows they delete" },
    { "access[]", "providers", .type = SP_KEY_NAMES, .doc = "on these providers only (default: on all)" },

    { "suites.performance", "operations", INTEGER(1, 10000000), .doc = "operations per measurement" },
    { "suites.performance", "p95", DURATION(1, 24 * HOUR), .doc = "bound of the 95th percentile of each operation" },
    { "suites.load", "users", INTEGER(2, 62), .doc = "concurrent users, each with a session of their own" },
    { "suites.load", "operations", INTEGER(1, 1000000), .doc = "operations of each user" },
    { "suites.load", "rate", .type = SP_KEY_RATE, .doc = "intended operations, e.g. 500/s" },
    { "suites.load", "duration", DURATION(10, HOUR), .doc = "how long the load lasts" },

    { "verify", "rate", .type = SP_KEY_RATE, .doc = "rows that are read from each side, e.g. 5000/s" },
    { "verify", "max_lag", DURATION(1, 24 * HOUR), .doc = "a standby that is further behind is not read on" },
    { "verify", "max_snapshot", DURATION(1, 7 * 24 * HOUR), .doc = "how old the snapshots may become" },
    { "verify", "recheck", DURATION(1, 24 * HOUR), .doc = "both sides are written to: rows that differ are read again for so long" },

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

    { "mapping", "version", INTEGER(1, 1), .required = true, .doc = "of this format: 1" },
    { "mapping", "relations", .type = SP_KEY_TREE, .doc = "by name: where rows that belong together stand on each side; what is not mentioned keeps its name" },
    { "mapping", "ignore", .type = SP_KEY_TREE, .doc = "tables of one side that are left out" },
    { "mapping", "crosswalks", .type = SP_KEY_TREE, .doc = "by name: old ids of the source against new ids of the target" },
    { "mapping", "acknowledge", .type = SP_KEY_NAMES, .doc = "KIND:NAME, as verify --accept takes them" },
    { "mapping", "accept_loss", .type = SP_KEY_NAMES, .doc = "RELATION.COLUMN or COLUMN, as verify --accept-loss takes them" },

    { "mapping.relations.NAME", "source", .type = SP_KEY_TREE, .fallback = "the relation's name", .doc = "table or collection of the source, or a map" },
    { "mapping.relations.NAME", "target", .type = SP_KEY_TREE, .fallback = "the relation's name", .doc = "the same of the target" },
    { "mapping.relations.NAME", "key", .type = SP_KEY_NAMES, .fallback = "as the sides declare it", .doc = "columns of the relation by which rows are matched" },
    { "mapping.relations.NAME", "columns", .type = SP_KEY_TREE, .doc = "by name: where a column stands on each side, how it is compared" },
    { "mapping.relations.NAME", "references", .type = SP_KEY_TREE, .doc = "column: RELATION or RELATION.COLUMN that it refers to, though neither side may declare it (default: the relation's key)" },
    { "mapping.relations.NAME", "only_listed", .type = SP_KEY_BOOL, .fallback = "false", .doc = "columns that are not listed are not matched by name: each is a difference" },
    { "mapping.relations.NAME", "ordinal_from", INTEGER(0, 1), .fallback = "0", .doc = "number of an array's first element" },
    { "mapping.relations.NAME", "ignore", .type = SP_KEY_TEXT, .doc = "why the tables of that name are left out on both sides" },

    { "mapping.relations.NAME.SIDE", "table", .type = SP_KEY_TEXT, .fallback = "the relation's name", .doc = "table or collection" },
    { "mapping.relations.NAME.SIDE", "array", .type = SP_KEY_TEXT, .doc = "path of an array that is embedded in its documents: the rows are its elements" },
    { "mapping.relations.NAME.SIDE", "ordered", .type = SP_KEY_BOOL, .fallback = "false", .doc = "the array's order is data, compared through a column with `ordinal: true`" },
    { "mapping.relations.NAME.SIDE", "where", .type = SP_KEY_TREE, .doc = "only these rows, over the side's own columns; as in the configuration's checks" },

    { "mapping.relations.NAME.columns.NAME", "source", .type = SP_KEY_TREE, .fallback = "the column's name", .doc = "column or path of the source, or a map" },
    { "mapping.relations.NAME.columns.NAME", "target", .type = SP_KEY_TREE, .fallback = "the column's name", .doc = "the same of the target" },
    { "mapping.relations.NAME.columns.NAME", "rules", .type = SP_KEY_NAMES, .doc = "from source to target, in order: truncate_ms, round_to_scale(2), ... (at most 4)" },
    { "mapping.relations.NAME.columns.NAME", "type", .type = SP_KEY_TEXT, .fallback = "from both declarations", .doc = "as what both sides are compared: int, decimal, text, instant, ..." },
    { "mapping.relations.NAME.columns.NAME", "crosswalk", .type = SP_KEY_TEXT, .doc = "through which the target's id is translated to the source's" },
    { "mapping.relations.NAME.columns.NAME", "accept_loss", .type = SP_KEY_BOOL, .fallback = "false", .doc = "what the rules of this column lose is fine" },
    { "mapping.relations.NAME.columns.NAME", "ignore", .type = SP_KEY_TEXT, .doc = "why this column is compared on neither side" },

    { "mapping.relations.NAME.columns.NAME.SIDE", "column", .type = SP_KEY_TEXT, .doc = "column, or path into the document: address/geo/0" },
    { "mapping.relations.NAME.columns.NAME.SIDE", "parent", .type = SP_KEY_TEXT, .doc = "of an embedded array: column or path of the document that holds it" },
    { "mapping.relations.NAME.columns.NAME.SIDE", "element", .type = SP_KEY_BOOL, .doc = "of an embedded array: its element as a whole" },
    { "mapping.relations.NAME.columns.NAME.SIDE", "ordinal", .type = SP_KEY_BOOL, .doc = "the element's number in its array" },
    { "mapping.relations.NAME.columns.NAME.SIDE", "constant", .type = SP_KEY_TREE, .doc = "this side has no such column: it shows this value" },

    { "mapping.ignore", "source", .type = SP_KEY_TREE, .doc = "table: why it is left out" },
    { "mapping.ignore", "target", .type = SP_KEY_TREE, .doc = "table: why it is left out" },

    { "mapping.crosswalks.NAME", "side", .type = SP_KEY_CHOICE, .choices = side_names, .required = true, .doc = "which side has the table" },
    { "mapping.crosswalks.NAME", "table", .type = SP_KEY_TEXT, .required = true, .doc = "table or collection that holds both ids" },
    { "mapping.crosswalks.NAME", "source", .type = SP_KEY_TEXT, .required = true, .doc = "its column or path of the source's id" },
    { "mapping.crosswalks.NAME", "target", .type = SP_KEY_TEXT, .required = true, .doc = "its column or path of the target's id" },
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

static int document(struct sp_buf *out, bool mapping)
{
    const char *section = NULL;
    for (const struct sp_config_key *k = sp_config_keys; k->name != NULL; k++) {
        if (sp_str_prefix(k->section, "mapping") != mapping) {
            continue;
        }
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

int sp_config_document(struct sp_buf *out)
{
    return document(out, false);
}

int sp_mapping_document(struct sp_buf *out)
{
    return document(out, true);
}
