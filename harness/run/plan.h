/* plan.h -- what a run will do: one lane per provider and suite, each with its cases.
 *
 * Ownership: the plan's arena holds lanes and cases; suites, configuration and kinds are borrowed. One thread. */
#ifndef SP_RUN_PLAN_H
#define SP_RUN_PLAN_H

#include "run/run.h"

/* Why a case was skipped: decides whether the skip blocks. */
enum sp_skip_cause {
    SP_SKIP_NONE,
    SP_SKIP_FACET,       /* the kind offers nothing of the facet: not applicable */
    SP_SKIP_CAPABILITY,  /* this server does not offer what the case needs */
    SP_SKIP_UNKNOWN,     /* whether it does could not be asked */
    SP_SKIP_ACCESS,      /* the access level forbids it */
    SP_SKIP_SIZE,        /* heavy, and quick size was asked for */
    SP_SKIP_FAULTS,      /* disturbs servers, and this one is not ours to disturb */
    SP_SKIP_ABSENT,      /* optional provider without a URL */
    SP_SKIP_UNSET,       /* provider without a URL */
    SP_SKIP_CASE,        /* the case said so itself */
    SP_SKIP_INTERRUPTED, /* not run */
};

struct sp_planned {
    const struct sp_case *c;
    bool done, started;
    enum sp_outcome outcome;
    enum sp_skip_cause cause;
    int blocked_by; /* the capability that the skip names, or -1 */
};

struct sp_lane {
    const struct sp_config_provider *provider;
    size_t provider_index;
    const struct sp_provider *kind;
    const struct sp_suite *suite;
    struct sp_planned *cases;
    size_t ncases;
    bool alone;             /* measures, or disturbs servers: no other worker runs beside it */
    char tag[24];           /* [a-z0-9]: short name for namespaces */
    const char *broken_end; /* a worker ended between two cases, or not well after its last one */
};

struct sp_plan {
    struct sp_arena arena;
    struct sp_lane *lanes;
    size_t nlanes, ncases;
    bool filtered; /* -s or -k left something out */
};

/* -SP_E_INVALID for names that do not exist, with the nearest. An empty plan is no error. */
int sp_plan_make(struct sp_plan *out, const struct sp_run_options *o, struct sp_error *err);
void sp_plan_free(struct sp_plan *);
struct sp_planned *sp_lane_case(struct sp_lane *, const char *id); /* NULL if absent */
bool sp_lane_done(const struct sp_lane *);
bool sp_facet_offered(const struct sp_provider *, enum sp_facet);
/* The cause and text for which the parent knows already that the case is skipped; SP_SKIP_NONE = run it. */
enum sp_skip_cause sp_plan_skip(const struct sp_lane *, const struct sp_planned *, bool quick,
    int *capability, char *reason, size_t size);

#endif
