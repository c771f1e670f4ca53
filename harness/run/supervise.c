/* supervise.c -- the parent's loop: starting workers, hearing them, and outliving their crashes and hangs. */
#include "run/supervise.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "run/stack.h"

#define WORKERS_MAX  64
#define SETUP_MS     30000u /* opening a provider; also the end of a worker */
#define CASE_MS      30000u
#define EARLY_DEATHS 2

enum lane_state { LANE_WAITING, LANE_RUNNING, LANE_OVER };
struct lane_run {
    enum lane_state state;
    unsigned starts, early_deaths;
};
struct supervisor {
    struct sp_ledger *l;
    const char *journal;
    struct lane_run *lanes; /* one per lane of the plan */
    bool *announced;        /* one per provider of the configuration */
    struct sp_worker workers[WORKERS_MAX];
    size_t nworkers;
    sigset_t mask; /* as it was: for ppoll and for children */
};

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

unsigned sp_case_patience_ms(const struct sp_case *c)
{
    return c == NULL ? SETUP_MS : c->timeout_ms != 0 ? c->timeout_ms : CASE_MS;
}

void sp_worker_deadline(const struct sp_ledger *l, struct sp_worker *w, unsigned ms)
{
    double factor = l->o->timeout_factor > 0 && l->o->timeout_factor < 1e6 ? l->o->timeout_factor : 1;
    double wait_ms = ms * factor;
    w->since_ns = now_ns();
    w->deadline_ns = w->since_ns + (uint64_t)(wait_ms * 1e6);
    w->patience_s = (unsigned)((wait_ms + 999) / 1000);
}

/* Children write when they like and die when they like: signals are let through only while waiting. */
static void block_signals(sigset_t *before)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &set, before);
    (void)sigdelset(before, SIGCHLD);
}

static void on_child(int sig)
{
    (void)sig; /* only to wake ppoll */
}

/* ---- starting ---------------------------------------------------------------------------------------------- */

static int start_worker(
    struct supervisor *s, const struct sp_job *job, struct sp_lane *lane, struct sp_error *err)
{
    struct sp_worker *w = &s->workers[s->nworkers];
    *w = (struct sp_worker){ .lane = lane, .provider = job->provider.name };
    int rc = sp_spawn(&w->child, s->l->o->program, &s->mask, err);
    if (rc != 0)
        return rc;
    unsigned connect = job->provider.connect_timeout_ms > 0 ? (unsigned)job->provider.connect_timeout_ms : 0;
    sp_worker_deadline(s->l, w, SETUP_MS + connect);
    s->nworkers++;
    /* If it died already, its end tells the reason better than the failed sending. */
    if (sp_job_send(w->child.sock, job, err) != 0) {
        w->unsent = true;
        w->fault = sp_strdup_printf("%s", sp_error_text(err));
        sp_error_clear(err);
    }
    return 0;
}

/* That an optional one is absent is a remark, and no error: the run may hold all the same. */
static void announce_absent(
    struct supervisor *s, const struct sp_lane *lane, enum sp_skip_cause cause, const char *reason)
{
    if (s->announced[lane->provider_index])
        return;
    s->announced[lane->provider_index] = true;
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_PROVIDER);
    sp_event_text(&ev, SP_FLD_name, lane->provider->name);
    sp_event_text(&ev, SP_FLD_kind, lane->provider->kind);
    sp_event_text(&ev, SP_FLD_access, sp_access_name(lane->provider->access));
    sp_event_text(&ev, cause == SP_SKIP_ABSENT ? SP_FLD_notes : SP_FLD_error, reason);
    sp_ledger_send(s->l, &ev);
}

/* Settles what needs no worker to be known. */
static void settle_known(struct supervisor *s, struct sp_lane *lane)
{
    for (size_t i = 0; i < lane->ncases; i++) {
        char reason[512];
        int cap;
        enum sp_skip_cause cause =
            sp_plan_skip(lane, &lane->cases[i], s->l->o->quick, &cap, reason, sizeof reason);
        if (cause == SP_SKIP_NONE)
            continue;
        if (cause == SP_SKIP_ABSENT || cause == SP_SKIP_UNSET)
            announce_absent(s, lane, cause, reason);
        struct sp_settled skip = {
            .outcome = SP_SKIPPED, .cause = cause, .blocked_by = cap, .reason = reason
        };
        sp_ledger_settle(s->l, lane, &lane->cases[i], &skip);
    }
}

static void settle_rest(struct supervisor *s, struct sp_lane *lane, enum sp_outcome outcome,
    enum sp_skip_cause cause, const char *text)
{
    for (size_t i = 0; i < lane->ncases; i++) {
        struct sp_settled rest = {
            .outcome = outcome, .cause = cause, .blocked_by = -1, .message = text, .reason = text
        };
        if (outcome == SP_SKIPPED)
            rest.message = NULL;
        sp_ledger_settle(s->l, lane, &lane->cases[i], &rest);
    }
}

static void start_lane(struct supervisor *s, size_t index)
{
    struct sp_lane *lane = &s->l->plan->lanes[index];
    struct lane_run *run = &s->lanes[index];
    if (run->starts == 0)
        settle_known(s, lane);
    if (sp_lane_done(lane)) {
        run->state = LANE_OVER;
        return;
    }
    struct sp_job job = { .run = s->l->o->run_id,
        .journal = s->journal,
        .suite = lane->suite->name,
        .provider = *lane->provider,
        .settings = s->l->o->config->settings,
        .nsettings = s->l->o->config->nsettings,
        .actors = s->l->o->config->actors,
        .nactors = s->l->o->config->nactors,
        .access = s->l->o->config->access,
        .naccess = s->l->o->config->naccess,
        .seed = s->l->o->seed,
        .quick = s->l->o->quick,
        .announce = !s->announced[lane->provider_index] };
    struct sp_error err = SP_ERROR_INIT;
    struct sp_arena a = SP_ARENA_INIT;
    job.cases = sp_arena_array(&a, lane->ncases + 1, sizeof *job.cases);
    for (size_t i = 0; job.cases != NULL && i < lane->ncases; i++) {
        if (!lane->cases[i].done)
            job.cases[job.ncases++] = lane->cases[i].c->id;
    }
    /* A worker that died may have left its namespace behind: the next one gets another. */
    job.tag = run->starts == 0 ? lane->tag : sp_arena_printf(&a, "%s_%u", lane->tag, run->starts + 1);
    int rc = job.cases == NULL || job.tag == NULL ? sp_nomem(&err) : start_worker(s, &job, lane, &err);
    run->starts++;
    run->state = LANE_RUNNING;
    if (rc != 0) {
        settle_rest(s, lane, SP_ERRORED, SP_SKIP_NONE, sp_error_text(&err));
        run->state = LANE_OVER;
    }
    sp_error_clear(&err);
    sp_arena_free(&a);
}

static bool provider_busy(const struct supervisor *s, const struct sp_lane *lane)
{
    for (size_t i = 0; i < s->nworkers; i++) {
        if (s->workers[i].lane != NULL && s->workers[i].lane->provider == lane->provider)
            return true;
    }
    return false;
}

/* One worker per provider at a time; lanes that measure or disturb wait until all others are over and then run alone. */
static void fill(struct supervisor *s, unsigned jobs)
{
    struct sp_plan *plan = s->l->plan;
    bool others_left = false;
    for (size_t i = 0; i < plan->nlanes; i++) {
        struct sp_lane *lane = &plan->lanes[i];
        if (lane->alone)
            continue;
        if (s->lanes[i].state == LANE_WAITING && s->nworkers < jobs && !provider_busy(s, lane))
            start_lane(s, i);
        others_left = others_left || s->lanes[i].state != LANE_OVER;
    }
    for (size_t i = 0; i < plan->nlanes && !others_left && s->nworkers == 0; i++) {
        if (s->lanes[i].state == LANE_WAITING)
            start_lane(s, i);
    }
}

/* ---- hearing ------------------------------------------------------------------------------------------------ */

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* At most a few chunks at a time, so that one talkative worker does not starve the others; `all` after its end. */
static void read_socket(struct supervisor *s, struct sp_worker *w, bool all)
{
    char chunk[65536];
    for (int i = 0; !w->closed && w->fault == NULL && (all || i < 4); i++) {
        ssize_t n = recv(w->child.sock, chunk, sizeof chunk, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return;
        w->closed = n <= 0;
        if (n > 0 && sp_buf_put(&w->frames, chunk, (size_t)n) != 0)
            w->fault = sp_strdup_printf("out of memory for the worker's events");
        sp_frames_take(s->l, w);
    }
}

/* ---- the end of a worker ------------------------------------------------------------------------------------ */

static char *end_text(const struct sp_worker *w, const siginfo_t *end)
{
    bool tells = w->unsent && end->si_code == CLD_EXITED && end->si_status != 0;
    if (w->fault != NULL && !tells)
        return sp_strdup_printf("%s", w->fault);
    if (end->si_code == CLD_EXITED)
        return sp_strdup_printf("the worker ended with exit status %d%s", end->si_status,
            end->si_status == 127 ? " (it could not be executed)" : "");
    const char *name = sigabbrev_np(end->si_status);
    return sp_strdup_printf("the worker was ended by signal %s%s", name != NULL ? "SIG" : "",
        name != NULL ? name : "that has no name");
}

/* The worker ended in the middle of a case that may have stopped its server. */
static void server_again(struct supervisor *s, const struct sp_lane *lane)
{
    struct sp_endpoint e;
    struct sp_error err = SP_ERROR_INIT;
    sp_config_endpoint(lane->provider, &e);
    if (sp_stack_command(&e) != NULL && sp_stack_do(&e, lane->provider->kind, SP_SERVER_START, &err) != 0)
        sp_ledger_note(
            s->l, "warning", "%s: the server is not up again: %s", lane->provider->name, sp_error_text(&err));
    sp_error_clear(&err);
}

static void lane_after(struct supervisor *s, struct sp_worker *w, const siginfo_t *end, const char *text)
{
    struct sp_lane *lane = w->lane;
    size_t index = (size_t)(lane - s->l->plan->lanes);
    struct lane_run *run = &s->lanes[index];
    if (w->announced)
        s->announced[lane->provider_index] = true;
    if (w->current != NULL) {
        struct sp_settled dead = { .outcome = SP_ERRORED,
            .blocked_by = -1,
            .message = text,
            .duration_s = (double)(now_ns() - w->since_ns) * 1e-9 };
        sp_ledger_settle(s->l, lane, w->current, &dead);
        if ((w->current->c->flags & SP_CASE_FAULTS) != 0)
            server_again(s, lane);
    }
    bool well = w->fault == NULL && end->si_code == CLD_EXITED && end->si_status == 0;
    /* No case pays for an end between two of them, and what made it may have made the pass before it. */
    if (w->current == NULL && w->started_any && (!well || !sp_lane_done(lane)) && lane->broken_end == NULL)
        lane->broken_end = sp_arena_str(&s->l->plan->arena, text);
    if (sp_lane_done(lane)) {
        run->state = LANE_OVER;
        return;
    }
    run->early_deaths = w->started_any ? 0 : run->early_deaths + 1;
    run->state = LANE_WAITING;
    if (run->early_deaths >= EARLY_DEATHS) {
        char *all = sp_strdup_printf("%s before its first case, twice", text);
        settle_rest(s, lane, SP_ERRORED, SP_SKIP_NONE, all != NULL ? all : text);
        free(all);
        run->state = LANE_OVER;
    }
}

static void release(struct sp_worker *w)
{
    close_fd(&w->child.sock);
    close_fd(&w->child.out);
    close_fd(&w->child.err);
    sp_buf_free(&w->frames);
    sp_output_free(w);
    free(w->fault);
}

/* True if the worker ended and was settled. */
static bool reap(struct supervisor *s, struct sp_worker *w)
{
    siginfo_t end = { 0 };
    if (waitid(P_PID, (id_t)w->child.pid, &end, WEXITED | WNOHANG | WNOWAIT) != 0 || end.si_pid == 0)
        return false;
    (void)kill(-w->child.pid, SIGKILL); /* what it started goes with it; its id is still taken */
    (void)waitid(P_PID, (id_t)w->child.pid, &end, WEXITED);
    read_socket(s, w, true);
    if (w->fault == NULL && w->frames.n != 0)
        w->fault = sp_strdup_printf("the worker ended in the middle of an event");
    sp_output_drain(s->l, w);
    sp_output_flush(s->l, w, NULL);
    char *text = end_text(w, &end);
    if (w->lane != NULL)
        lane_after(s, w, &end, text != NULL ? text : "the worker ended");
    else if (w->fault != NULL || end.si_code != CLD_EXITED || end.si_status != 0)
        sp_ledger_note(s->l, "warning", "%s: cleaning up: %s", w->provider, text != NULL ? text : "failed");
    free(text);
    release(w);
    return true;
}

static void attend(struct supervisor *s, struct sp_worker *w)
{
    sp_output_drain(s->l, w);
    read_socket(s, w, false);
    if (w->fault == NULL && now_ns() > w->deadline_ns)
        w->fault = sp_strdup_printf("no answer within %u s", w->patience_s);
    if (w->fault != NULL)
        (void)kill(-w->child.pid, SIGKILL);
}

static void wait_for_news(struct supervisor *s)
{
    struct pollfd fds[3 * WORKERS_MAX];
    nfds_t n = 0;
    uint64_t now = now_ns(), wake = now + 1000000000u;
    for (size_t i = 0; i < s->nworkers; i++) {
        const struct sp_worker *w = &s->workers[i];
        int ends[] = { w->closed || w->fault != NULL ? -1 : w->child.sock, w->child.out, w->child.err };
        for (size_t k = 0; k < SP_LEN(ends); k++)
            fds[n++] = (struct pollfd){ .fd = ends[k], .events = POLLIN };
        wake = w->fault == NULL && w->deadline_ns < wake ? w->deadline_ns : wake;
    }
    uint64_t left = wake > now ? wake - now + 1000000u : 0;
    struct timespec t = { (time_t)(left / 1000000000u), (long)(left % 1000000000u) };
    (void)ppoll(fds, n, &t, &s->mask);
}

static void round_of_workers(struct supervisor *s)
{
    wait_for_news(s);
    for (size_t i = 0; i < s->nworkers;) {
        attend(s, &s->workers[i]);
        if (reap(s, &s->workers[i]))
            s->workers[i] = s->workers[--s->nworkers];
        else
            i++;
    }
}

static void stop_all(struct supervisor *s, const char *reason)
{
    for (size_t i = 0; i < s->l->plan->nlanes; i++)
        settle_rest(s, &s->l->plan->lanes[i], SP_SKIPPED, SP_SKIP_INTERRUPTED, reason);
    for (size_t i = 0; i < s->nworkers; i++) {
        if (s->workers[i].fault == NULL)
            s->workers[i].fault = sp_strdup_printf("%s", reason);
        (void)kill(-s->workers[i].child.pid, SIGKILL);
    }
    while (s->nworkers > 0)
        round_of_workers(s);
}

static unsigned job_slots(unsigned jobs)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    if (jobs == 0)
        jobs = cpus > 0 && cpus < WORKERS_MAX ? (unsigned)cpus : 1;
    return jobs < WORKERS_MAX ? jobs : WORKERS_MAX;
}

static bool lanes_left(const struct supervisor *s)
{
    for (size_t i = 0; i < s->l->plan->nlanes; i++) {
        if (s->lanes[i].state != LANE_OVER)
            return true;
    }
    return false;
}

static struct supervisor *supervisor_new(struct sp_ledger *l, const char *journal, struct sigaction *old)
{
    struct supervisor *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->l = l;
    s->journal = journal;
    struct sigaction sa = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
    (void)sigemptyset(&sa.sa_mask);
    (void)sigaction(SIGCHLD, &sa, old);
    block_signals(&s->mask);
    return s;
}

static void supervisor_free(struct supervisor *s, const struct sigaction *old)
{
    (void)sigaction(SIGCHLD, old, NULL);
    (void)sigprocmask(SIG_SETMASK, &s->mask, NULL);
    free(s->lanes);
    free(s->announced);
    free(s);
}

int sp_supervise(struct sp_ledger *l, const char *journal, struct sp_error *err)
{
    struct sigaction old;
    struct supervisor *s = supervisor_new(l, journal, &old);
    if (s == NULL)
        return sp_nomem(err);
    int rc = 0;
    s->lanes = calloc(l->plan->nlanes + 1, sizeof *s->lanes);
    s->announced = calloc(l->o->config->nproviders + 1, sizeof *s->announced);
    if (s->lanes == NULL || s->announced == NULL) {
        rc = sp_nomem(err);
        goto out;
    }
    unsigned jobs = job_slots(l->o->jobs);
    while (l->rc == 0 && lanes_left(s)) {
        if (sp_interrupted() != 0) {
            const char *name = sigabbrev_np(sp_interrupted());
            char reason[64];
            (void)snprintf(reason, sizeof reason, "not run: interrupted by SIG%s", name != NULL ? name : "?");
            l->interrupted = true;
            stop_all(s, reason);
            break;
        }
        fill(s, jobs);
        if (s->nworkers > 0)
            round_of_workers(s);
    }
    if (l->rc != 0) /* events cannot be written: nothing that follows would be evidence */
        stop_all(s, "not run: the report could not be written");
    rc = l->rc;
out:
    supervisor_free(s, &old);
    return rc;
}

/* ---- cleaning up ------------------------------------------------------------------------------------------- */

static void clean_provider(
    struct supervisor *s, const struct sp_journal_log *log, const struct sp_config_provider *p)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_job job = {
        .clean = true, .run = s->l->o->run_id, .tag = "clean", .journal = s->journal, .provider = *p
    };
    job.provider.mutant = NULL;
    job.objects = sp_arena_array(&a, log->n + 1, sizeof *job.objects);
    for (size_t i = 0; job.objects != NULL && i < log->n; i++) {
        if (!log->entries[i].gone && strcmp(log->entries[i].provider, p->name) == 0)
            job.objects[job.nobjects++] = log->entries[i].object;
    }
    int rc = 0;
    if (job.objects == NULL)
        rc = sp_nomem(&err);
    else if (job.nobjects != 0)
        rc = start_worker(s, &job, NULL, &err);
    while (s->nworkers > 0) {
        round_of_workers(s);
        if (sp_interrupt_count() > 1 && s->nworkers > 0)
            (void)kill(-s->workers[0].child.pid, SIGKILL);
    }
    if (rc != 0)
        sp_ledger_note(s->l, "warning", "%s: cleaning up: %s", p->name, sp_error_text(&err));
    sp_error_clear(&err);
    sp_arena_free(&a);
}

void sp_supervise_clean(struct sp_ledger *l, const char *journal)
{
    struct sp_journal_log log;
    struct sp_error err = SP_ERROR_INIT;
    if (sp_journal_read(journal, &log, &err) != 0) {
        sp_ledger_note(l, "warning", "%s", sp_error_text(&err));
        sp_error_clear(&err);
        return;
    }
    struct sigaction old;
    struct supervisor *s = log.live != 0 ? supervisor_new(l, journal, &old) : NULL;
    for (size_t i = 0; s != NULL && i < l->o->config->nproviders && sp_interrupt_count() <= 1; i++)
        clean_provider(s, &log, &l->o->config->providers[i]);
    if (s != NULL)
        supervisor_free(s, &old);
    sp_journal_log_free(&log);
}
