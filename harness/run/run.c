/* run.c -- a run from plan to verdict. */
#include "run/run.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "run/supervise.h"

const char *sp_outcome_name(enum sp_outcome o)
{
    static const char *const names[SP_OUTCOME_N] = { "passed", "failed", "errored", "skipped", "xfailed" };
    return (unsigned)o < SP_OUTCOME_N ? names[o] : "?";
}

void sp_run_id(char out[9])
{
    static const char alphabet[] = "abcdefghijkmnpqrstuvwxyz23456789"; /* 32, without l, o, 0, 1 */
    unsigned char r[8];
    if (getrandom(r, sizeof r, 0) != (ssize_t)sizeof r) {
        struct timespec t;
        (void)clock_gettime(CLOCK_REALTIME, &t);
        uint64_t x = sp_hash_str("run") ^ (uint64_t)t.tv_nsec ^ ((uint64_t)t.tv_sec << 30);
        memcpy(r, &x, sizeof r);
    }
    for (size_t i = 0; i < sizeof r; i++)
        out[i] = alphabet[r[i] & 31];
    out[8] = '\0';
}

static void send_plan(struct sp_ledger *l)
{
    struct sp_event ev;
    for (size_t i = 0; i < l->plan->nlanes; i++) {
        const struct sp_lane *lane = &l->plan->lanes[i];
        sp_event_begin(&ev, SP_EV_PLAN);
        sp_event_text(&ev, SP_FLD_provider, lane->provider->name);
        sp_event_text(&ev, SP_FLD_suite, lane->suite->name);
        sp_event_int(&ev, SP_FLD_cases, (int64_t)lane->ncases);
        sp_ledger_send(l, &ev);
        for (size_t k = 0; k < lane->ncases; k++) {
            sp_event_begin(&ev, SP_EV_PLAN_CASE);
            sp_event_text(&ev, SP_FLD_id, lane->cases[k].c->id);
            sp_event_text(&ev, SP_FLD_suite, lane->suite->name);
            sp_event_text(&ev, SP_FLD_provider, lane->provider->name);
            sp_event_text(&ev, SP_FLD_promise, lane->cases[k].c->promise);
            sp_ledger_send(l, &ev);
        }
    }
}

bool sp_xfail_names_case(const struct sp_run_options *o, const struct sp_config_xfail *x)
{
    for (size_t s = 0; o->suites[s] != NULL; s++) {
        for (const struct sp_case *c = o->suites[s]->cases; c->id != NULL; c++) {
            if (sp_glob(x->id, c->id, false))
                return true;
        }
    }
    return false;
}

/* What the configuration says and this run does not do. */
static void note_without_effect(struct sp_ledger *l)
{
    for (size_t i = 0; i < l->o->config->nxfails; i++) {
        const struct sp_config_xfail *x = &l->o->config->xfails[i];
        if (!sp_xfail_names_case(l->o, x))
            sp_ledger_note(
                l, "warning", "line %d: the expected failure '%s' matches no case", x->line, x->id);
    }
    if (l->o->config->ngates > 0)
        sp_ledger_note(l, "warning", "%s", SP_GATES_NOTE);
}

static bool makes_things(const struct sp_plan *plan)
{
    for (size_t i = 0; i < plan->nlanes; i++) {
        const struct sp_config_provider *p = plan->lanes[i].provider;
        if (p->url != NULL && p->access == SP_ACCESS_DISPOSABLE)
            return true;
    }
    return false;
}

/* Users that cannot be deleted are told, and don't spoil the verdict; everything else left over does. */
static void count_left(struct sp_ledger *l, const char *path)
{
    struct sp_journal_log log;
    if (sp_journal_read(path, &log, NULL) != 0) {
        l->objects_left = true;
        return;
    }
    for (size_t i = 0; i < log.n; i++) {
        if (!log.entries[i].gone && strcmp(log.entries[i].object.type, "email") != 0)
            l->objects_left = true;
    }
    sp_journal_log_free(&log);
}

static void clean_up(struct sp_ledger *l, struct sp_journal *journal)
{
    struct sp_error err = SP_ERROR_INIT;
    if (journal->fd < 0)
        return;
    if (sp_journal_mend(journal, &err) != 0) {
        sp_ledger_note(l, "warning", "%s", sp_error_text(&err));
        sp_error_clear(&err);
    }
    sp_supervise_clean(l, journal->path);
    count_left(l, journal->path);
    if (sp_journal_finish(journal, &l->totals.leftovers, &err) != 0)
        sp_ledger_note(l, "warning", "%s", sp_error_text(&err));
    else if (l->totals.leftovers != 0)
        sp_ledger_note(l, "warning", "%llu objects could not be removed; `switchproof clean` tries again",
            (unsigned long long)l->totals.leftovers);
    sp_error_clear(&err);
}

static int carry_out(struct sp_ledger *l, struct sp_buf *reasons)
{
    struct sp_journal journal = { .fd = -1 };
    if (makes_things(l->plan)) {
        int rc = sp_journal_create(&journal, l->o->config->state_dir, l->o->run_id, l->err);
        if (rc != 0)
            return rc;
    }
    send_plan(l);
    note_without_effect(l);
    int rc = l->rc != 0 ? l->rc : sp_supervise(l, journal.path, l->err);
    clean_up(l, &journal);
    sp_journal_close(&journal);
    if (rc == 0)
        rc = l->rc;
    return rc != 0 ? rc : sp_ledger_verdict(l, reasons);
}

int sp_run(const struct sp_run_options *o, struct sp_emitter *em, struct sp_totals *totals,
    struct sp_buf *reasons, struct sp_error *err)
{
    struct sp_plan plan;
    *totals = (struct sp_totals){ 0 };
    int rc = sp_requires_check(o, err);
    if (rc == 0)
        rc = sp_plan_make(&plan, o, err);
    if (rc != 0)
        return rc;
    struct sp_ledger l = {
        .o = o, .em = em, .plan = &plan, .today = (int64_t)(time(NULL) / 86400), .err = err
    };
    if (plan.ncases == 0) {
        (void)sp_buf_puts(reasons, o->config->nproviders == 0 ? "nothing ran: no provider is configured\n"
                                                              : "nothing ran: no case is selected\n");
        rc = SP_EXIT_NOTHING;
    } else {
        rc = carry_out(&l, reasons);
    }
    *totals = l.totals;
    sp_plan_free(&plan);
    return rc;
}
