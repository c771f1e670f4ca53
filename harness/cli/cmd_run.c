/* cmd_run.c -- switchproof run. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/evidence.h"
#include "run/plan.h"

#define MOST_JOBS 16

static unsigned processors(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > MOST_JOBS ? MOST_JOBS : (unsigned)n;
}

uint64_t sp_cli_seed(const struct sp_args *a)
{
    uint32_t n = 0;
    if (a->has_seed) {
        return a->seed;
    }
    if (getrandom(&n, sizeof n, 0) !=
        (ssize_t)sizeof n) { /* drawn, so that nightly runs see different data */
        struct timespec t;
        (void)clock_gettime(CLOCK_REALTIME, &t);
        n = (uint32_t)((uint64_t)t.tv_nsec ^ (uint64_t)t.tv_sec);
    }
    return n;
}

static double timeout_factor(void)
{
    double f;
    const char *s = getenv("SP_TIMEOUT_FACTOR");
    if (s == NULL || *s == '\0') {
        return 1;
    }
    if (!sp_parse_f64(s, &f) || f < 0.01 || f > 1000) {
        sp_log_warn("SP_TIMEOUT_FACTOR=%s is not a number from 0.01 to 1000 and is ignored", s);
        return 1;
    }
    return f;
}

static bool chosen(const struct sp_list *list, const char *name)
{
    return list->n == 0 || sp_str_among(list->v, list->n, name);
}

/* Names that do not exist would make an empty run of a spelling mistake. */
static int check_names(const struct sp_program *program, struct sp_args *a, const struct sp_config *cfg)
{
    const char **names = sp_arena_array(&a->arena, cfg->nproviders + 1, sizeof *names);
    const char *suites[64] = { NULL };
    for (size_t i = 0; names != NULL && i < cfg->nproviders; i++) {
        names[i] = cfg->providers[i].name;
    }
    for (size_t i = 0; program->suites[i] != NULL && i + 1 < SP_LEN(suites); i++) {
        suites[i] = program->suites[i]->name;
    }
    for (size_t i = 0; i < a->providers.n; i++) {
        if (sp_config_provider(cfg, a->providers.v[i]) == NULL) {
            return sp_cli_usage(a, "no provider is called '%s'%s", a->providers.v[i],
                sp_cli_hint(&a->arena, a->providers.v[i], names));
        }
    }
    for (size_t i = 0; i < a->suites.n; i++) {
        size_t k = 0;
        while (suites[k] != NULL && strcmp(suites[k], a->suites.v[i]) != 0) {
            k++;
        }
        if (suites[k] == NULL) {
            return sp_cli_usage(a, "no suite is called '%s'%s", a->suites.v[i],
                sp_cli_hint(&a->arena, a->suites.v[i], suites));
        }
    }
    return SP_EXIT_OK;
}

static int check_any(const struct sp_config *cfg)
{
    if (cfg->nproviders != 0) {
        return SP_EXIT_OK;
    }
    sp_log_error("no providers: %s%s; write a section `providers:` (see `switchproof help config`)",
        cfg->path != NULL ? cfg->path : "there is no switchproof.yaml in this directory",
        cfg->path != NULL ? " names none" : "");
    return SP_EXIT_USAGE;
}

/* A provider that is neither there nor optional is a mistake before anything runs. */
static int check_usable(const struct sp_args *a, const struct sp_config *cfg)
{
    struct sp_error err = SP_ERROR_INIT;
    int code = SP_EXIT_OK;
    for (size_t i = 0; i < cfg->nproviders && code == SP_EXIT_OK; i++) {
        const struct sp_config_provider *p = &cfg->providers[i];
        if (chosen(&a->providers, p->name) && !p->optional && sp_config_usable(cfg, p, &err) != 0) {
            code = sp_cli_fail(&err);
        }
    }
    sp_error_clear(&err);
    return code;
}

/* Which cases on which providers. */
static struct sp_run_options selection(
    const struct sp_program *program, const struct sp_args *a, const struct sp_config *cfg)
{
    return (struct sp_run_options){ .config = cfg,
        .kinds = program->providers,
        .suites = program->suites,
        .providers = a->providers.v,
        .nproviders = a->providers.n,
        .only_suites = a->suites.v,
        .nsuites = a->suites.n,
        .glob = a->glob };
}

/* The very plan of a run. */
static int list_cases(const struct sp_program *program, const struct sp_args *a, const struct sp_config *cfg)
{
    struct sp_plan plan;
    struct sp_error err = SP_ERROR_INIT;
    const struct sp_run_options o = selection(program, a, cfg);
    size_t n = 0;
    if (sp_plan_make(&plan, &o, &err) != 0) {
        int code = sp_cli_fail(&err);
        sp_error_clear(&err);
        return code;
    }
    for (size_t i = 0; i < plan.nlanes; i++) {
        const struct sp_lane *lane = &plan.lanes[i];
        for (size_t k = 0; k < lane->ncases; k++) {
            if (a->full || (lane->cases[k].c->flags & SP_CASE_HEAVY) == 0) {
                (void)printf("%s %s\n", lane->provider->name, lane->cases[k].c->id);
                n++;
            }
        }
    }
    sp_plan_free(&plan);
    if (n == 0) {
        sp_log_error("no case matches");
    }
    return n > 0 ? SP_EXIT_OK : SP_EXIT_NOTHING;
}

static const char *verdict_of(int code)
{
    switch (code) {
    case SP_EXIT_OK:
        return "HELD";
    case SP_EXIT_FAILED:
        return "BROKEN";
    case SP_EXIT_INTERRUPTED:
        return "INTERRUPTED";
    case SP_EXIT_NOTHING:
    case SP_EXIT_USAGE:
        return "NOTHING RAN";
    default:
        return "INCONCLUSIVE";
    }
}

static int carry_out(const struct sp_program *program, struct sp_args *a, const struct sp_config *cfg)
{
    struct sp_evidence e;
    struct sp_error err = SP_ERROR_INIT;
    uint64_t seed = sp_cli_seed(a);
    int code = sp_evidence_open(&e, program, a, cfg, cfg->report_dir, seed);
    if (code >= 0) {
        return code;
    }
    struct sp_run_options o = selection(program, a, cfg);
    o.seed = seed;
    o.jobs = a->jobs > 0 ? (unsigned)a->jobs : processors();
    o.quick = !a->full;
    o.timeout_factor = timeout_factor();
    o.program = "/proc/self/exe";
    o.run_id = e.run_id;
    o.command_line = sp_cli_repeat(a);
    code = sp_run(&o, e.emitter, &e.totals, &e.reasons, &err);
    if (code < 0) {
        code = sp_cli_exit_of(&err);
        sp_evidence_reason(&e, "", &err);
    }
    sp_error_clear(&err);
    return sp_evidence_close(&e, verdict_of(code), code);
}

int sp_cmd_run(const struct sp_program *program, struct sp_args *a)
{
    struct sp_config *cfg = NULL;
    struct sp_error err = SP_ERROR_INIT;
    if (sp_config_load(&cfg, a->config, program->providers, &err) != 0) {
        int code = sp_cli_fail(&err);
        sp_error_clear(&err);
        return code;
    }
    int code = check_any(cfg);
    if (code == SP_EXIT_OK) {
        code = check_names(program, a, cfg);
    }
    if (code == SP_EXIT_OK && a->list) {
        code = list_cases(program, a, cfg);
    } else if (code == SP_EXIT_OK) {
        code = check_usable(a, cfg);
        if (code == SP_EXIT_OK) {
            sp_interrupt_install();
            code = carry_out(program, a, cfg);
        }
    }
    sp_config_free(cfg);
    return code;
}

int sp_cmd_worker(const struct sp_program *program, struct sp_args *a)
{
    (void)a;
    return sp_worker_main(program->providers, program->suites);
}
