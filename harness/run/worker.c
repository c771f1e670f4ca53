/* worker.c -- the process in which the cases of one provider and suite run. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "run/ctx.h"
#include "run/mutant.h"
#include "run/supervise.h"

#define JOB_FD 3

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* The parent hides all secrets; these are the ones that this process can know to hide by itself. */
static void hide_secrets(const struct sp_provider *kind, const struct sp_config_provider *p)
{
    for (const struct sp_provider_option *o = kind->options; o != NULL && o->name != NULL; o++) {
        for (size_t i = 0; o->sensitive && i < p->noptions; i++) {
            if (strcmp(p->option_names[i], o->name) == 0 && p->option_values[i] != NULL)
                (void)sp_secret_add(p->option_values[i]);
        }
    }
    size_t n = p->url != NULL ? strlen(p->url) : 0;
    char *mark = n != 0 ? calloc(n + 1, 1) : NULL;
    if (mark == NULL)
        return;
    sp_secret_in_url(p->url, n, mark);
    for (size_t i = 0; i < n;) {
        size_t run = 0;
        while (i + run < n && mark[i + run] != 0)
            run++;
        char *secret = run != 0 ? strndup(p->url + i, run) : NULL;
        if (secret != NULL)
            (void)sp_secret_add(secret);
        free(secret);
        i += run + 1;
    }
    free(mark);
}

static const char *level_name(unsigned level)
{
    return level == SP_CAP_YES ? "yes" : level == SP_CAP_NO ? "no" : "unknown";
}

static void announce(struct sp_ctx *ctx, const struct sp_facts *facts, const struct sp_error *failed)
{
    const struct sp_config_provider *p = &ctx->job->provider;
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_PROVIDER);
    sp_event_text(&ev, SP_FLD_name, p->name);
    sp_event_text(&ev, SP_FLD_kind, p->kind);
    sp_event_text(&ev, SP_FLD_url, p->url);
    sp_event_text(&ev, SP_FLD_access, sp_access_name(p->access));
    if (failed != NULL) {
        sp_event_text(&ev, SP_FLD_error, sp_error_text(failed));
    } else {
        sp_event_text(&ev, SP_FLD_fidelity, sp_fidelity_name(facts->fidelity));
        sp_event_text(&ev, SP_FLD_server_version, facts->server_version);
        sp_event_text(&ev, SP_FLD_notes, facts->notes);
    }
    sp_ctx_send(ctx, &ev);
    for (unsigned i = 0; failed == NULL && i < SP_CAP_N; i++) {
        const struct sp_cap *d = &ctx->kind->declared[i], *e = &ctx->caps[i];
        sp_event_begin(&ev, SP_EV_CAPABILITY);
        sp_event_text(&ev, SP_FLD_provider, p->name);
        sp_event_text(&ev, SP_FLD_capability, sp_caps[i].name);
        sp_event_text(&ev, SP_FLD_facet, sp_facet_name(sp_caps[i].facet));
        sp_event_text(&ev, SP_FLD_declared, level_name(d->level));
        sp_event_text(&ev, SP_FLD_effective, level_name(e->level));
        if (sp_caps[i].kind == SP_CAP_KIND_LIMIT && e->level == SP_CAP_YES)
            sp_event_int(&ev, SP_FLD_limit, e->limit);
        sp_event_text(&ev, SP_FLD_why, e->why);
        bool below =
            d->level == SP_CAP_YES &&
            (e->level != SP_CAP_YES || (sp_caps[i].kind == SP_CAP_KIND_LIMIT && e->limit < d->limit));
        sp_event_bool(&ev, SP_FLD_finding, below);
        sp_ctx_send(ctx, &ev);
    }
}

static void end_event(struct sp_ctx *ctx, struct sp_event *ev, const char *id, const char *outcome)
{
    sp_event_begin(ev, SP_EV_CASE_END);
    sp_event_text(ev, SP_FLD_id, id);
    sp_event_text(ev, SP_FLD_suite, ctx->job->suite);
    sp_event_text(ev, SP_FLD_provider, ctx->job->provider.name);
    sp_event_text(ev, SP_FLD_outcome, outcome);
}

/* The first need that this server does not meet. */
static bool unmet(struct sp_ctx *ctx, const struct sp_case *c)
{
    for (size_t i = 0; c->needs != NULL && c->needs[i] != SP_NEEDS_END; i++) {
        unsigned id = c->needs[i];
        if (id < SP_CAP_N && ctx->caps[id].level == SP_CAP_YES)
            continue;
        const char *name = id < SP_CAP_N ? sp_caps[id].name : "?";
        const char *why = id < SP_CAP_N ? ctx->caps[id].why : NULL;
        bool unknown = id >= SP_CAP_N || ctx->caps[id].level != SP_CAP_NO;
        struct sp_event ev;
        end_event(ctx, &ev, c->id, "skipped");
        sp_event_text(&ev, SP_FLD_capability, name);
        sp_event_text(&ev, SP_FLD_code, unknown ? "unknown" : "no");
        char *reason = sp_strdup_printf("%s %s%s%s", name,
            unknown ? "could not be asked for" : "is not offered by this server", why != NULL ? ": " : "",
            why != NULL ? why : "");
        sp_event_text(&ev, SP_FLD_reason, reason);
        free(reason);
        sp_ctx_send(ctx, &ev);
        return true;
    }
    return false;
}

/* Tells the parent where in both streams this case begins. */
static void mark_output(const char *id)
{
    char mark[100];
    int n = snprintf(mark, sizeof mark, "%c%.90s%c", SP_MARK, id, SP_MARK);
    (void)fflush(NULL);
    (void)!write(STDOUT_FILENO, mark, (size_t)n);
    (void)!write(STDERR_FILENO, mark, (size_t)n);
}

static void run_case(struct sp_ctx *ctx, const struct sp_case *c)
{
    struct sp_event ev;
    if (unmet(ctx, c))
        return;
    sp_ctx_case_begin(ctx, c);
    sp_ctx_begin_event(ctx, &ev, SP_EV_CASE_START);
    sp_ctx_send(ctx, &ev);
    mark_output(c->id);
    double start = seconds();
    c->run(ctx, c->data);
    double took = seconds() - start;
    enum sp_outcome outcome = sp_ctx_case_end(ctx);
    (void)fflush(NULL); /* what it printed belongs to this case */
    end_event(ctx, &ev, c->id, sp_outcome_name(outcome));
    sp_event_real(&ev, SP_FLD_duration_s, took);
    sp_event_int(&ev, SP_FLD_nchecks, ctx->nchecks);
    if (outcome == SP_FAILED || outcome == SP_ERRORED)
        sp_event_text(&ev, SP_FLD_message, ctx->message != NULL ? ctx->message : "no reason was given");
    if (outcome == SP_SKIPPED)
        sp_event_text(&ev, SP_FLD_reason, ctx->reason != NULL ? ctx->reason : "no reason was given");
    sp_ctx_send(ctx, &ev);
    ctx->c = NULL;
}

static void all_errored(struct sp_ctx *ctx, const struct sp_error *err)
{
    for (size_t i = 0; i < ctx->job->ncases; i++) {
        struct sp_event ev;
        end_event(ctx, &ev, ctx->job->cases[i], "errored");
        char *text = sp_strdup_printf("cannot open %s: %s", ctx->job->provider.name, sp_error_text(err));
        sp_event_text(&ev, SP_FLD_message, text != NULL ? text : "cannot open the provider");
        free(text);
        sp_ctx_send(ctx, &ev);
    }
}

static int open_provider(struct sp_ctx *ctx, const struct sp_provider *const *kinds, struct sp_error *err)
{
    const struct sp_config_provider *p = &ctx->job->provider;
    ctx->kind = sp_provider_by_kind(kinds, p->kind);
    if (ctx->kind == NULL)
        return sp_invalid(err, "kind '%s' is not built into this program", p->kind);
    hide_secrets(ctx->kind, p);
    int rc = ctx->kind->process_init != NULL ? ctx->kind->process_init(err) : 0;
    if (rc != 0)
        return rc;
    if (p->mutant != NULL) {
        ctx->kind = sp_mutant_wrap(ctx->kind, p->mutant, err);
        if (ctx->kind == NULL)
            return err->code != SP_E_OK ? -(int)err->code : sp_invalid(err, "mutant %s failed", p->mutant);
    }
    sp_config_endpoint(p, &ctx->endpoint);
    if (p->access == SP_ACCESS_DISPOSABLE && ctx->job->journal != NULL) {
        ctx->journal = sp_journal_open(ctx->job->journal, err);
        if (ctx->journal < 0)
            return ctx->journal;
        sp_journal_notes_init(&ctx->notes, ctx->journal, p, ctx->job->run);
        ctx->endpoint.notes = &ctx->notes.base;
    }
    return sp_open(&ctx->sessions[0], ctx->kind, &ctx->endpoint, err);
}

static void note(struct sp_ctx *ctx, const char *what, const struct sp_error *err)
{
    struct sp_event ev;
    char *text = sp_strdup_printf("%s: %s: %s", ctx->job->provider.name, what, sp_error_text(err));
    sp_event_begin(&ev, SP_EV_NOTE);
    sp_event_text(&ev, SP_FLD_level, "warning");
    sp_event_text(&ev, SP_FLD_text, text != NULL ? text : what);
    free(text);
    sp_ctx_send(ctx, &ev);
}

static const struct sp_suite *suite_of(const struct sp_suite *const *suites, const char *name)
{
    for (; name != NULL && *suites != NULL; suites++) {
        if (strcmp((*suites)->name, name) == 0)
            return *suites;
    }
    return NULL;
}

static void run_suite(struct sp_ctx *ctx, const struct sp_suite *suite)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_facts facts;
    int rc = sp_effective(ctx->sessions[0], ctx->caps, &facts, &err);
    if (ctx->job->announce)
        announce(ctx, &facts, rc != 0 ? &err : NULL);
    if (rc != 0)
        all_errored(ctx, &err);
    for (size_t i = 0; rc == 0 && i < ctx->job->ncases; i++) {
        const struct sp_case *c = suite->cases;
        while (c->id != NULL && strcmp(c->id, ctx->job->cases[i]) != 0)
            c++;
        if (c->id != NULL) /* the parent takes a case without an end for errored */
            run_case(ctx, c);
    }
    sp_error_clear(&err);
    if (sp_ctx_drop_namespace(ctx, &err) != 0)
        note(ctx, "the run's namespace is left over", &err);
    sp_error_clear(&err);
}

static void run_clean(struct sp_ctx *ctx)
{
    for (size_t i = ctx->job->nobjects; i-- > 0;) {
        const struct sp_object_ref *o = &ctx->job->objects[i];
        struct sp_error err = SP_ERROR_INIT;
        int rc = sp_object_remove(ctx->sessions[0], o, NULL, &err);
        if (rc == 0)
            rc = sp_journal_note(ctx->journal, false, &ctx->job->provider, o, &err);
        if (rc != 0)
            note(ctx, "left over", &err);
        sp_error_clear(&err);
    }
}

static int work(
    struct sp_ctx *ctx, const struct sp_provider *const *kinds, const struct sp_suite *const *suites)
{
    struct sp_error err = SP_ERROR_INIT;
    const struct sp_suite *suite = suite_of(suites, ctx->job->suite);
    int rc = suite == NULL && !ctx->job->clean ? sp_invalid(&err, "there is no such suite")
                                               : open_provider(ctx, kinds, &err);
    if (rc == 0 && ctx->job->clean) {
        run_clean(ctx);
    } else if (rc == 0) {
        run_suite(ctx, suite);
    } else if (ctx->job->clean) {
        note(ctx, "cannot clean up", &err);
    } else {
        if (ctx->job->announce)
            announce(ctx, NULL, &err);
        all_errored(ctx, &err);
    }
    sp_ctx_close(ctx, true);
    sp_error_clear(&err);
    return 0;
}

int sp_worker_main(const struct sp_provider *const *kinds, const struct sp_suite *const *suites)
{
    struct stat st;
    if (fstat(JOB_FD, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        fprintf(stderr, "switchproof: __worker is started by `switchproof run`, not by hand\n");
        return SP_EXIT_USAGE;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)setvbuf(stdout, NULL, _IOLBF, 0); /* a crash loses no whole line */
    (void)fcntl(JOB_FD, F_SETFD, FD_CLOEXEC);
    struct sp_error err = SP_ERROR_INIT;
    struct sp_job job;
    struct sp_ctx *ctx = calloc(1, sizeof *ctx);
    int status = 1;
    if (sp_job_receive(JOB_FD, &job, &err) != 0) {
        fprintf(stderr, "switchproof: %s\n", sp_error_text(&err));
        goto out;
    }
    if (ctx != NULL && (ctx->em = sp_event_socket_emitter(JOB_FD, &err)) != NULL) {
        ctx->job = &job;
        ctx->journal = -1;
        status = work(ctx, kinds, suites);
        if (ctx->journal >= 0)
            (void)close(ctx->journal);
        free(ctx->message);
        free(ctx->reason);
        sp_arena_free(&ctx->arena);
        sp_event_socket_free(ctx->em);
    }
    sp_job_free(&job);
out:
    free(ctx);
    sp_error_clear(&err);
    sp_secret_forget_all();
    return status;
}
