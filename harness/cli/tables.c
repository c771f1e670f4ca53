/* tables.c -- every command and every option. */
#include "cli/options.h"

#include <stddef.h>

#include "verify/verify.h"

static const char *const strategies[] = { "bulk", NULL };
static const char *const formats[] = { "html", "junit", "json", "markdown", "console", NULL };
static const char *const check_names[] = { SP_VERIFY_CHECK_NAMES, NULL };

#define AT(member) .offset = offsetof(struct sp_args, member)

/* clang-format off */
const struct sp_option sp_options[] = {
    { "config", 'c', SP_OPT_TEXT, SP_C_RUN | SP_C_VERIFY | SP_C_MIGRATE | SP_C_LIST | SP_C_CLEAN | SP_C_DOCTOR | SP_C_MAP | SP_C_ASSESS, AT(config), .arg = "FILE", .doc = "configuration (default: switchproof.yaml, if it exists)" },
    { "provider", 'p', SP_OPT_LIST, SP_C_RUN | SP_C_LIST | SP_C_DOCTOR, AT(providers), .arg = "NAME", .doc = "only this provider; list capabilities: this kind (repeatable)" },
    { "suite", 's', SP_OPT_LIST, SP_C_RUN | SP_C_LIST, AT(suites), .arg = "NAME", .doc = "only this suite (repeatable)" },
    { "case", 'k', SP_OPT_TEXT, SP_C_RUN | SP_C_LIST, AT(glob), .arg = "GLOB", .doc = "only cases whose id matches, e.g. 'crud.filter_*'; a plain word matches anywhere" },
    { "seed", 0, SP_OPT_U64, SP_C_RUN | SP_C_VERIFY, AT(seed), .has_offset = offsetof(struct sp_args, has_seed), .min = 0, .max = UINT64_MAX, .arg = "N", .doc = "repeat a run's random choices, a sample's too (default: drawn, and printed)" },
    { "jobs", 'j', SP_OPT_U64, SP_C_RUN | SP_C_VERIFY, AT(jobs), .min = 1, .max = 64, .arg = "N", .doc = "workers at a time (default: one for each processor); verify: sessions that read a table of one side (default: 1)" },
    { "full", 0, SP_OPT_FLAG, SP_C_RUN | SP_C_ASSESS, AT(full), .doc = "also the heavy cases, at full size; assess: read every row, not only the first ones" },
    { "list", 0, SP_OPT_FLAG, SP_C_RUN, AT(list), .doc = "print what would run, and run nothing" },
    { "tables", 't', SP_OPT_LIST, SP_C_VERIFY | SP_C_MIGRATE | SP_C_ASSESS, AT(tables), .arg = "GLOB,...", .doc = "only these tables (repeatable)" },
    { "buckets", 0, SP_OPT_LIST, SP_C_VERIFY, AT(buckets), .arg = "GLOB,...", .doc = "blobs: only these buckets; SOURCE=TARGET for one that has another name there (repeatable)" },
    { "checks", 0, SP_OPT_LIST, SP_C_VERIFY, AT(checks), .arg = "CHECK,...", .choices = check_names, .doc = "schema, rows, relations, sequences, profiles (columns of tables that differ; without rows: of all tables), counts (a fast look that compares no contents), uniqueness, required (what the source keeps unique or filled and the target does not enforce), blobs (objects of storage, by their content), accounts (of identity services, all but passwords) (default: all but counts; with --tables also without blobs and accounts)" },
    { "sample", 0, SP_OPT_TEXT, SP_C_VERIFY, AT(sample), .arg = "SHARE|ROWS", .doc = "a quick look at some rows of each table, chosen by chance: 1%, or 1000rows; finds differences, and says at best 'no difference seen' with the bound on what may have been missed (exit code 3)" },
    { "max-differences", 0, SP_OPT_U64, SP_C_VERIFY, AT(max_differences), .has_offset = offsetof(struct sp_args, has_max_differences), .min = 0, .max = 10000000, .arg = "N", .doc = "rows listed for each table, counts stay exact (default: 100)" },
    { "accept-loss", 0, SP_OPT_LIST, SP_C_VERIFY, AT(accept_loss), .arg = "COLUMN,...", .doc = "TABLE.COLUMN or COLUMN whose lossy rule is fine (repeatable)" },
    { "accept", 0, SP_OPT_LIST, SP_C_VERIFY, AT(accept), .arg = "KIND:NAME,...", .doc = "a schema difference or an object not compared that is fine, by its exact name, e.g. view:totals, foreign_key:orders.customer_id (repeatable)" },
    { "mapping", 'm', SP_OPT_TEXT, SP_C_VERIFY | SP_C_MIGRATE, AT(mapping), .arg = "FILE", .doc = "what is called or kept otherwise on the two sides: see `switchproof help mapping`" },
    { "explain", 0, SP_OPT_FLAG, SP_C_VERIFY, AT(explain), .doc = "print how each table would be compared, and read no rows" },
    { "show-values", 0, SP_OPT_FLAG, SP_C_VERIFY | SP_C_MIGRATE, AT(show_values), .doc = "print values that differ or do not fit instead of their digests" },
    { "strict-integrity", 0, SP_OPT_FLAG, SP_C_VERIFY, AT(strict_integrity), .doc = "orphans that both sides have count as differences too" },
    { "recheck", 0, SP_OPT_DURATION, SP_C_VERIFY, AT(recheck), .min = 1, .max = 86400000, .arg = "TIME", .doc = "the sides are written to meanwhile: rows that differ are read again for so long, e.g. 30s; what arrives within it was in flight, what stands still for all of it differs (up to twice as long where the target is far behind)" },
    { "resume", 0, SP_OPT_FLAG, SP_C_VERIFY, AT(resume), .doc = "go on with the comparison of this report directory that was killed: finished tables are taken from it where no side has changed since" },
    { "rate", 0, SP_OPT_RATE, SP_C_VERIFY, AT(rate), .min = 1, .max = 1000000000, .arg = "ROWS/S", .doc = "read at most so many rows a second from each side" },
    { "max-lag", 0, SP_OPT_DURATION, SP_C_VERIFY, AT(max_lag), .min = 1, .max = 86400000, .arg = "TIME", .doc = "stop when a standby is further behind the server that it follows; what was not read yet is not compared" },
    { "max-snapshot", 0, SP_OPT_DURATION, SP_C_VERIFY, AT(max_snapshot), .min = 1, .max = 604800000, .arg = "TIME", .doc = "stop when the snapshots get older, because servers keep old rows for them (default: no bound)" },
    { "target", 0, SP_OPT_TEXT, SP_C_ASSESS, AT(target), .arg = "KIND|PROVIDER", .doc = "what the source would be moved to: a kind, or a provider of the configuration or a URL, of which only the kind counts" },
    { "strategy", 0, SP_OPT_CHOICE, SP_C_MIGRATE, AT(strategy), .arg = "NAME", .choices = strategies, .doc = "bulk: schema, rows, then indexes and foreign keys (default)" },
    { "into-existing", 0, SP_OPT_FLAG, SP_C_MIGRATE, AT(into_existing), .doc = "tables may exist in the target already; they must be empty" },
    { "dry-run", 'n', SP_OPT_FLAG, SP_C_MIGRATE | SP_C_CLEAN, AT(dry_run), .doc = "say what would be done, and change nothing" },
    { "run", 0, SP_OPT_TEXT, SP_C_CLEAN, AT(run), .arg = "ID", .doc = "only what this run left (default: all)" },
    { "format", 'f', SP_OPT_CHOICE, SP_C_REPORT, AT(format), .arg = "FORMAT", .choices = formats, .doc = "html, junit, json, markdown, or console (default: all files)" },
    { "report-dir", 'o', SP_OPT_TEXT, SP_C_RUN | SP_C_VERIFY | SP_C_MIGRATE | SP_C_ASSESS, AT(report_dir), .arg = "DIR", .doc = "where reports are written (default: build/report, or report_dir of the configuration; verify, migrate, assess: build/verify, build/migrate, build/assess)" },
    { "output", 'o', SP_OPT_TEXT, SP_C_MAP, AT(output), .arg = "FILE", .doc = "write the draft there; it must not exist yet (default: standard output)" },
    { "quiet", 'q', SP_OPT_FLAG, SP_C_ALL, AT(quiet), .doc = "only the verdict and errors" },
    { "verbose", 'v', SP_OPT_COUNT, SP_C_ALL, AT(verbose), .doc = "more: every case; twice: diagnostics" },
    { "no-color", 0, SP_OPT_FLAG, SP_C_ALL, AT(no_color), .doc = "no colors (also: NO_COLOR in the environment)" },
    { "help", 'h', SP_OPT_FLAG, SP_C_ALL, AT(help), .doc = "this text" },
    { .name = NULL },
};

#define EXAMPLES(...) .examples = (const char *const[]){ __VA_ARGS__, NULL }

const struct sp_command sp_commands[] = {
    { "run", SP_C_RUN, "", 0, 0, false, "run the suites against the configured providers",
      "Exit: 0 all promises held, 1 one was broken, 2 usage or configuration, 3 could not tell,\n4 interrupted, 5 nothing ran.",
      EXAMPLES("run", "run -p local -s crud -s auth", "run -k 'crud.filter_*' --seed 42", "run -c ci.yaml --jobs 2 --report-dir build/nightly --full"), sp_cmd_run },
    { "verify", SP_C_VERIFY, "SOURCE TARGET", 2, 2, false, "compare two copies: schema, rows, relations, keys, objects, accounts",
      "SOURCE and TARGET are providers of the configuration, URLs such as sqlite:path, or env:NAME for a\nvariable that holds a URL with a password. Both sides are only read.\nExit: 0 equal, 1 different or equal only with loss, 2 usage, 3 not everything could be compared.",
      EXAMPLES("verify sqlite:old.db sqlite:new.db", "verify prod-copy next --tables 'order*' --checks rows,relations", "verify env:OLD_URL env:NEW_URL --show-values --max-differences 20", "verify sqlite:old.db env:NEW_URL --accept view:totals", "verify prod-copy next --mapping mapping.yaml --explain", "verify prod-copy next --sample 1%", "verify env:PRIMARY env:REPLICA --recheck 30s --rate 20000/s", "verify prod-copy next --resume"), sp_cmd_verify },
    { "map", SP_C_MAP, "SOURCE TARGET", 2, 2, false, "draft a mapping file from two sides",
      "Matches tables and columns by name, by names that are only written otherwise, by what they hold; says how sure it\nis, and what it could not match. Of documents, a few are looked at. Both sides are only read.\nExit: 0 drafted, 2 usage, 3 a side cannot be read.",
      EXAMPLES("map sqlite:old.db sqlite:new.db", "map prod-copy next -o mapping.yaml"), sp_cmd_map },
    { "assess", SP_C_ASSESS, "SOURCE", 1, 1, false, "what lies before a switch: volume, growth, types at risk, faults, time, risk",
      "SOURCE is a provider of the configuration, a URL such as sqlite:path, or env:NAME. It is only read: of each table the\nfirst rows, keys for orphans and duplicates, counts; --full reads all values. The time is an estimate from what was read.\nExit: 0 assessed (whatever the risk), 2 usage, 3 something could not be looked at.",
      EXAMPLES("assess sqlite:app.db --target postgresql", "assess prod-copy --target next --full", "assess env:PROD_COPY_URL --tables 'order*'"), sp_cmd_assess },
    { "migrate", SP_C_MIGRATE, "SOURCE TARGET", 2, 2, false, "copy a backend's data into another one",
      "The source is only read. A TARGET from the configuration needs `access: target` or `disposable`; naming it\nby URL allows writing to it. Tables that exist there already are refused without --into-existing.\nExit: 0 copied, 1 the data does not fit the target, 2 usage, 3 could not be done.",
      EXAMPLES("migrate sqlite:old.db sqlite:new.db --dry-run", "migrate local next --tables 'order*'", "migrate sqlite:old.db env:NEW_URL --into-existing", "migrate prod-copy next --mapping mapping.yaml"), sp_cmd_migrate },
    { "list", SP_C_LIST, "providers|suites|cases|capabilities", 1, 1, false, "what this program knows",
      NULL, EXAMPLES("list providers -v", "list cases -s crud", "list cases -k '*null*'", "list capabilities -p sqlite"), sp_cmd_list },
    { "report", SP_C_REPORT, "DIR", 1, 1, false, "write the reports of a run anew from its events",
      "Exit: 0 written, 2 there are no events in DIR, 3 they are not whole, or those of a run that did\n"
      "not end: the reports say so, and nothing can be concluded from them.",
      EXAMPLES("report build/report", "report build/report --format junit", "report build/verify --format console -v"), sp_cmd_report },
    { "clean", SP_C_CLEAN, "", 0, 0, false, "remove what killed runs left behind, and nothing else",
      NULL, EXAMPLES("clean --dry-run", "clean", "clean --run 3f9k2m1q"), sp_cmd_clean },
    { "doctor", SP_C_DOCTOR, "", 0, 0, false, "check configuration, connections, versions, permissions",
      "Says for each provider what is wrong and what to do about it.\nExit: 0 all is well, 2 the configuration needs work, 3 a provider cannot be used.",
      EXAMPLES("doctor", "doctor -c ci.yaml -p next"), sp_cmd_doctor },
    { "fixture", SP_C_FIXTURE, "NAME [ARGUMENTS]", 0, SIZE_MAX, true, "make data sets to try things on",
      NULL, EXAMPLES("fixture --help"), sp_cmd_fixture },
    { "version", SP_C_VERSION, "", 0, 0, false, "version of this program and of the libraries in it",
      NULL, EXAMPLES("version"), sp_cmd_version },
    { "help", SP_C_HELP, "[COMMAND|config|mapping]", 0, 1, false, "explain a command, the configuration file, or mapping files",
      NULL, EXAMPLES("help verify", "help config", "help mapping"), sp_cmd_help },
    { "__worker", SP_C_WORKER, "", 0, 0, true, NULL, NULL, NULL, sp_cmd_worker },
    { .name = NULL },
};
/* clang-format on */
