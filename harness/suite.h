/* suite.h -- the contract of a suite: a constant table of cases, and what a case may do.
 *
 * A case is a promise that a backend keeps. Its function gets a context, does things through provider_call.h and
 * says what it expects through the checks below. Outcome: passed = the function returned, at least one check was
 * executed, none was false. A check on an error whose origin is transport or harness makes the case errored, not
 * failed. Ids are `suite.what_is_promised`, lower-case, never the name of a provider; they are stable for ever.
 *
 * Everything made through sp_ctx_table(), sp_ctx_bucket(), sp_ctx_email() is journalled before it exists and removed
 * after the case. The context belongs to the worker's main thread; threads that a case starts get sessions of their
 * own (sp_ctx_session with another identity, opened before the thread starts) and report through their own data. */
#ifndef SP_SUITE_H
#define SP_SUITE_H

#include "base/str.h"
#include "config/access.h"
#include "provider_call.h"

struct sp_ctx;
struct sp_histogram;

enum sp_case_flags {
    SP_CASE_HEAVY = 1,    /* left out in quick size */
    SP_CASE_FAULTS = 2,   /* kills or restarts servers: only on servers that the stack started */
    SP_CASE_READ_ONLY = 4 /* may run on a read-only provider */
};

#define SP_NEEDS_END  0xffff
#define SP_NEEDS(...) ((const uint16_t[]){ __VA_ARGS__, SP_NEEDS_END })

struct sp_case {
    const char *id;        /* crud.filter_eq */
    const char *promise;   /* one sentence: what a backend that passes this can be relied on for */
    const uint16_t *needs; /* capabilities, SP_NEEDS(...); NULL = only the connection */
    unsigned timeout_ms;   /* 0 = 30 s */
    uint32_t flags;
    void (*run)(struct sp_ctx *, const void *data);
    const void *data;
};
struct sp_suite {
    const char *name, *summary;
    const struct sp_case *cases; /* ends with id == NULL */
    bool alone;                  /* measures: no other worker runs beside it */
};
extern const struct sp_suite *const sp_suites[]; /* harness/registry.c, NULL-terminated, in running order */

/* ---- what a case has ---------------------------------------------------------------------------------------- */
#define SP_IDENTITIES 64
/* Session number `identity` (0 .. SP_IDENTITIES-1), opened on first use, using the run's namespace. NULL: the case is
 * already errored (or failed) with the reason; return at once. Closed by the harness after the case when identity > 0. */
struct sp_session *sp_ctx_session(struct sp_ctx *, unsigned identity);
struct sp_arena *sp_ctx_arena(struct sp_ctx *); /* lives until the end of the case */
struct sp_rng *sp_ctx_rng(struct sp_ctx *); /* seeded from run seed and case id: the same on every provider */
uint64_t sp_ctx_seed(const struct sp_ctx *);
const struct sp_cap *sp_ctx_cap(const struct sp_ctx *, enum sp_cap_id);
bool sp_ctx_quick(const struct sp_ctx *); /* quick size asked for */
/* Numbers of the `suites:` section, e.g. ("load", "users", 8). */
int64_t sp_ctx_setting(const struct sp_ctx *, const char *suite, const char *name, int64_t fallback);
/* The sections `actors` and `access`, as far as they concern this provider. */
const struct sp_config_actor *sp_ctx_actors(const struct sp_ctx *, size_t *n);
const struct sp_config_access *sp_ctx_access(const struct sp_ctx *, size_t *n);
const char *sp_ctx_namespace(struct sp_ctx *); /* created on first use; NULL: already errored */
/* Another namespace, of this case alone: created, dropped after the case with all that is in it. No session uses it
 * until the case says so; NULL: return. */
const char *sp_ctx_more_namespace(struct sp_ctx *, const char *tag);
/* Journals a namespace that the case is about to create itself; it is dropped after the case, if it is there. */
bool sp_ctx_claim_namespace(struct sp_ctx *, const char *name);
/* Creates the table (its name gets used as it is, in the run's namespace) and drops it after the case; a table left
 * by an earlier case under this name is an error of the harness. False: outcome already recorded, return at once. */
bool sp_ctx_table(struct sp_ctx *, const struct sp_table *);
const char *sp_ctx_bucket(
    struct sp_ctx *, const char *tag); /* created, dropped after the case; NULL: return */
const char *sp_ctx_email(
    struct sp_ctx *, const char *tag); /* unique, journalled; users with it are deleted afterwards */
const char *sp_ctx_role(
    struct sp_ctx *, const char *tag); /* unique role name, journalled, dropped afterwards */

/* What cases with SP_CASE_FAULTS do to the provider's server, through the command that its option `stack` names.
 * Returns when it is done. False: the case is errored already, return at once. Nobody else uses the server then, and a
 * server that the case leaves down is started again afterwards, also when the case itself was killed. */
enum sp_server_action {
    SP_SERVER_STOP,
    SP_SERVER_START,
    SP_SERVER_RESTART,
    SP_SERVER_KILL /* no clean end */
};
bool sp_ctx_server(struct sp_ctx *, enum sp_server_action);

/* ---- checks: true = held. `what` names the thing, a few words -------------------------------------------------- */
bool sp_check_at(struct sp_ctx *, const char *file, int line, bool ok, const char *what, const char *expected,
    const char *actual);
#define sp_check(ctx, ok, what) sp_check_at((ctx), __FILE__, __LINE__, (ok), (what), "true: " #ok, "false")
/* rc from a provider call that should have succeeded. */
bool sp_check_ok_at(
    struct sp_ctx *, const char *file, int line, const char *what, int rc, const struct sp_error *);
#define sp_check_ok(ctx, what, rc, err) sp_check_ok_at((ctx), __FILE__, __LINE__, (what), (rc), (err))
/* A call that should have failed with `want`; rc 0 is a failed check. SP_E_OK as want is the same as sp_check_ok. */
bool sp_check_code_at(struct sp_ctx *, const char *file, int line, const char *what, enum sp_code want,
    int rc, const struct sp_error *);
#define sp_check_code(ctx, what, want, rc, err)                                                              \
    sp_check_code_at((ctx), __FILE__, __LINE__, (what), (want), (rc), (err))
bool sp_check_value_at(struct sp_ctx *, const char *file, int line, const char *what,
    const struct sp_value *want, const struct sp_value *got); /* got NULL = the column is not in the result */
#define sp_check_value(ctx, what, want, got)                                                                 \
    sp_check_value_at((ctx), __FILE__, __LINE__, (what), (want), (got))
bool sp_check_int_at(
    struct sp_ctx *, const char *file, int line, const char *what, int64_t want, int64_t got);
#define sp_check_int(ctx, what, want, got) sp_check_int_at((ctx), __FILE__, __LINE__, (what), (want), (got))
bool sp_check_text_at(
    struct sp_ctx *, const char *file, int line, const char *what, const char *want, const char *got);
#define sp_check_text(ctx, what, want, got) sp_check_text_at((ctx), __FILE__, __LINE__, (what), (want), (got))
bool sp_check_bytes_at(struct sp_ctx *, const char *file, int line, const char *what, const void *want,
    size_t nwant, const void *got, size_t ngot);
#define sp_check_bytes(ctx, what, w, nw, g, ng)                                                              \
    sp_check_bytes_at((ctx), __FILE__, __LINE__, (what), (w), (nw), (g), (ng))

/* The case cannot say anything, and why: errored (never passed). */
void sp_ctx_error(struct sp_ctx *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Not applicable here although the needs are met (found out at run time): skipped with that reason; only before the
 * first check, otherwise it is an error of the case. */
void sp_ctx_skip(struct sp_ctx *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Observed behaviour for the semantics table; counts as an executed check. */
void sp_ctx_observe(struct sp_ctx *, const char *topic, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A topic that could not be observed here, and why: its row says so instead of a guess. Counts as no check. */
void sp_ctx_not_observed(struct sp_ctx *, const char *topic, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A measurement for the report: see measure/histogram.h. Does not count as a check. */
struct sp_measure;
void sp_ctx_measure(struct sp_ctx *, const struct sp_measure *);

/* The audit of what is not offered: every capability of an offered facet whose effective level is NO must answer
 * UNSUPPORTED and change nothing, and an effective level below the declared one must have a reason. Reports through
 * the checks of this case and as capability_audit events. */
void sp_capability_audit(struct sp_ctx *);

/* True once a check failed or the case was errored or skipped: loops stop early. */
bool sp_ctx_done(const struct sp_ctx *);

#endif
