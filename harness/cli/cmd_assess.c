/* cmd_assess.c -- switchproof assess: what lies before a switch. */
#include <string.h>

#include "assess/assess.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/sides.h"

#define DIRECTORY "build/assess"

struct subject {
    struct sp_arena arena;
    struct sp_config *config;
    struct sp_config_provider provider;
    struct sp_endpoint endpoint;
    struct sp_session *session;
    const struct sp_provider *target; /* kind; NULL = not asked for */
    struct sp_watch watch;
};

/* A kind, a provider of the configuration, or a URL: only its kind counts, it is not opened. */
static int target_of(
    struct subject *s, const struct sp_program *program, const char *word, struct sp_error *err)
{
    struct sp_config_provider p;
    if (word == NULL) {
        return 0;
    }
    s->target = sp_provider_by_kind(program->providers, word);
    if (s->target != NULL) {
        return 0;
    }
    int rc = sp_config_resolve(s->config, word, &s->arena, &p, program->providers, err);
    if (rc == 0) {
        s->target = sp_provider_by_kind(program->providers, p.kind);
    } else {
        (void)sp_error_prefix(err, "--target %s is no kind (`switchproof list providers` names them)", word);
    }
    return rc;
}

static int open_subject(struct subject *s, const struct sp_program *program, struct sp_error *err)
{
    const struct sp_provider *kind = sp_provider_by_kind(program->providers, s->provider.kind);
    s->provider.access = SP_ACCESS_READ_ONLY;
    sp_config_endpoint(&s->provider, &s->endpoint);
    int rc = sp_kind_init(kind, err);
    if (rc == 0) {
        rc = sp_open(&s->session, kind, &s->endpoint, err);
    }
    if (rc != 0) {
        (void)sp_error_prefix(err, "SOURCE %s", s->provider.name);
    }
    return rc;
}

static void announce(const struct subject *s, struct sp_evidence *e)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    struct sp_event ev;
    bool known = sp_effective(s->session, caps, &facts, NULL) == 0;
    sp_event_begin(&ev, SP_EV_PROVIDER);
    sp_event_text(&ev, SP_FLD_name, s->provider.name);
    sp_event_text(&ev, SP_FLD_kind, s->provider.kind);
    sp_event_text(&ev, SP_FLD_url, s->provider.url);
    sp_event_text(&ev, SP_FLD_access, sp_access_name(s->provider.access));
    sp_event_text(&ev, SP_FLD_fidelity, sp_fidelity_name(facts.fidelity));
    sp_event_text(&ev, SP_FLD_server_version, known ? facts.server_version : NULL);
    (void)sp_event_send(e->emitter, &ev, NULL);
}

static int assess(struct subject *s, const struct sp_args *a, struct sp_evidence *e, const char **verdict)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_assessment out;
    const struct sp_assess_options o = { .target = s->target,
        .tables = a->tables.v,
        .ntables = a->tables.n,
        .full = a->full,
        .progress = sp_progress_rows,
        .payload = &e->progress };
    announce(s, e);
    int rc = sp_assess(s->session, &o, e->emitter, &out, &e->reasons, &err);
    int code = rc != 0 ? sp_cli_exit_of(&err) : out.complete ? SP_EXIT_OK : SP_EXIT_INCONCLUSIVE;
    if (rc != 0) {
        sp_evidence_reason(e, "", &err);
    }
    *verdict = rc != 0                      ? "NOT ASSESSED"
               : out.risk == SP_RISK_HIGH   ? "RISK HIGH"
               : out.risk == SP_RISK_MEDIUM ? "RISK MEDIUM"
                                            : "RISK LOW";
    if (sp_interrupted() != 0) {
        *verdict = "INTERRUPTED";
        code = SP_EXIT_INTERRUPTED;
    }
    return code;
}

int sp_cmd_assess(const struct sp_program *program, struct sp_args *a)
{
    struct subject s = { .arena = SP_ARENA_INIT };
    struct sp_evidence e;
    struct sp_error err = SP_ERROR_INIT;
    const char *verdict;
    int rc = sp_config_load(&s.config, a->config, program->providers, &err);
    if (rc == 0 && (rc = sp_config_resolve(
                        s.config, a->operands.v[0], &s.arena, &s.provider, program->providers, &err)) != 0) {
        (void)sp_error_prefix(&err, "SOURCE");
    }
    if (rc == 0) {
        rc = target_of(&s, program, a->target, &err);
    }
    sp_interrupt_install();
    if (rc == 0) {
        rc = open_subject(&s, program, &err);
    }
    int code = rc != 0 ? sp_cli_fail(&err) : -1;
    if (rc == 0) {
        sp_watch_add(&s.watch, s.session);
        sp_watch_begin(&s.watch);
        code = sp_evidence_open(&e, program, a, s.config, DIRECTORY, 0);
        if (code < 0) {
            code = assess(&s, a, &e, &verdict);
            code = sp_evidence_close(&e, verdict, code);
        }
        sp_watch_end(&s.watch);
        sp_close(s.session);
    }
    sp_error_clear(&err);
    sp_config_free(s.config);
    sp_arena_free(&s.arena);
    return code;
}
