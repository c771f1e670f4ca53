/* config.h -- switchproof.yaml, typed.
 *
 * Ownership: a configuration and all it names live in its arena; sp_config_free() releases it. Read-only after
 * loading, any thread. Every mistake is reported with file, line, key, what was expected and the nearest valid name;
 * the code is -SP_E_INVALID, which is exit code 2. */
#ifndef SP_CONFIG_CONFIG_H
#define SP_CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "config/access.h"
#include "model/query.h"
#include "provider.h"

struct sp_config_provider {
    const char *name, *kind, *url;
    const char *unset_variable; /* the ${VAR} without value or default; then url is NULL */
    enum sp_access access;      /* default read-only */
    bool optional;              /* absent = visible skip */
    const char *mutant;         /* NULL, or the planted bug: for testing this harness */
    const char *const *option_names, *const *option_values;
    size_t noptions;
    int connect_timeout_ms, statement_timeout_ms;
    int line;
};
/* A team's own invariant. */
enum sp_check_kind { SP_CHECK_COUNT, SP_CHECK_SAME, SP_CHECK_UNIQUE, SP_CHECK_REQUIRED };
struct sp_config_check {
    const char *name;
    enum sp_check_kind kind;
    const char *const *kinds; /* COUNT, SAME: texts in the languages of these kinds, instead of `query` */
    const char *const *raw;
    size_t nraw;
    bool ordered;               /* SAME */
    const char *table;          /* UNIQUE, REQUIRED */
    const char *const *columns; /* UNIQUE, REQUIRED: at least one */
    size_t ncolumns;
    struct sp_query query; /* from, where, select, order_by, limit */
    int64_t expect;        /* number of rows */
    int line;
};
struct sp_config_setting {
    const char *suite, *name;
    double value; /* durations in milliseconds, rates per second */
    const char *text;
};
struct sp_config_xfail {
    const char *id, *provider, *link, *reason;
    int64_t until_day; /* days since 1970 */
    int line;
};
struct sp_config_gate {
    const char *phase;
    const char *const *names, *const *values;
    size_t n;
};

struct sp_config_verify { /* 0 = not given */
    double rate;          /* rows a second of each side */
    int64_t max_lag_ms, max_snapshot_ms, recheck_ms;
};

struct sp_config {
    struct sp_arena arena;
    const char *path;                   /* as given; NULL = built-in defaults */
    char digest[33];                    /* of the file's bytes */
    const char *report_dir, *state_dir; /* defaults build/report and .switchproof */
    const char *source, *target;        /* names of providers: the switch; NULL = not given */
    const char *const *requires;
    size_t nrequires; /* case ids, globs, or capability/suite names */
    const struct sp_config_provider *providers;
    size_t nproviders;
    const struct sp_config_check *checks;
    size_t nchecks;
    const struct sp_config_setting *settings;
    size_t nsettings;
    const struct sp_config_xfail *xfails;
    size_t nxfails;
    const struct sp_config_gate *gates;
    size_t ngates;
    struct sp_config_verify verify;
    const struct sp_config_actor *actors;
    size_t nactors;
    const struct sp_config_access *access;
    size_t naccess;
};

/* path NULL: switchproof.yaml in the current directory if it exists (otherwise an empty configuration). */
int sp_config_load(
    struct sp_config **out, const char *path, const struct sp_provider *const *kinds, struct sp_error *);
int sp_config_parse(struct sp_config **out, const char *name, const char *text, size_t n,
    const struct sp_provider *const *kinds, struct sp_error *); /* for tests */
void sp_config_free(struct sp_config *);
const struct sp_config_provider *sp_config_provider(
    const struct sp_config *, const char *name); /* NULL if absent */
/* SOURCE or TARGET argument: a provider's name, a URL, or env:NAME. A URL with a password in it is refused. The result
 * lives in `a`. */
int sp_config_resolve(const struct sp_config *, const char *arg, struct sp_arena *a,
    struct sp_config_provider *out, const struct sp_provider *const *kinds, struct sp_error *);
void sp_config_endpoint(const struct sp_config_provider *, struct sp_endpoint *out);
/* INVALID when the provider's URL needs a variable that is not set, and says which. */
int sp_config_usable(const struct sp_config *, const struct sp_config_provider *, struct sp_error *);
/* The kinds that the build left out, for messages; set once at start-up, before anything is loaded. Borrowed. */
void sp_config_left_out(const char *const *kinds);
/* Every key with type, bounds, default and meaning, for `switchproof help config`. */
int sp_config_document(struct sp_buf *out);
/* The same of mapping files, for `switchproof help mapping`. */
int sp_mapping_document(struct sp_buf *out);

#endif
