/* frames.c -- what a worker says: taken, checked against the plan, and passed on. A worker is not trusted: a frame
 * that does not fit its case, is malformed or too large is a fault, and the case at hand is errored. */
#include "run/supervise.h"

#include <stdlib.h>
#include <string.h>

static void fault(struct sp_worker *w, const char *text)
{
    if (w->fault == NULL)
        w->fault = sp_strdup_printf("the worker sent what it must not: %s", text);
}

static bool names_lane(const struct sp_worker *w, const struct sp_event_in *in)
{
    const char *suite = sp_event_get_text(in, SP_FLD_suite),
               *provider = sp_event_get_text(in, SP_FLD_provider);
    return sp_streq(suite, w->lane->suite->name) && sp_streq(provider, w->provider);
}

static void forward(struct sp_ledger *l, const struct sp_event_in *in)
{
    struct sp_event ev;
    sp_event_copy(&ev, in);
    sp_ledger_send(l, &ev);
}

static void on_start(struct sp_ledger *l, struct sp_worker *w, const struct sp_event_in *in)
{
    struct sp_planned *pc = sp_lane_case(w->lane, sp_event_get_text(in, SP_FLD_id));
    if (!names_lane(w, in) || pc == NULL || pc->done || w->current != NULL) {
        fault(w, "the start of a case that is not due");
        return;
    }
    w->current = pc;
    w->checks_failed = 0;
    w->started_any = pc->started = w->announced = true;
    sp_worker_deadline(l, w, sp_case_patience_ms(pc->c));
    forward(l, in);
}

static int outcome_of(const char *name)
{
    for (int o = 0; name != NULL && o < SP_OUTCOME_N; o++) {
        if (strcmp(name, sp_outcome_name((enum sp_outcome)o)) == 0)
            return o;
    }
    return -1;
}

static void on_end(struct sp_ledger *l, struct sp_worker *w, const struct sp_event_in *in)
{
    struct sp_planned *pc = sp_lane_case(w->lane, sp_event_get_text(in, SP_FLD_id));
    int outcome = outcome_of(sp_event_get_text(in, SP_FLD_outcome));
    bool unstarted = w->current == NULL && (outcome == SP_SKIPPED || outcome == SP_ERRORED);
    if (!names_lane(w, in) || pc == NULL || pc->done || (pc != w->current && !unstarted) || outcome < 0 ||
        outcome == SP_XFAILED) {
        fault(w, "the end of a case that is not running");
        return;
    }
    struct sp_settled s = { .outcome = (enum sp_outcome)outcome,
        .blocked_by = -1,
        .message = sp_event_get_text(in, SP_FLD_message),
        .reason = sp_event_get_text(in, SP_FLD_reason),
        .duration_s = sp_event_get_real(in, SP_FLD_duration_s, 0),
        .nchecks = sp_event_get_int(in, SP_FLD_nchecks, 0) };
    if (outcome == SP_PASSED && s.nchecks < 1) {
        s.outcome = SP_ERRORED;
        s.message = "no check was executed";
    } else if (outcome == SP_PASSED && w->checks_failed != 0) {
        s.outcome = SP_ERRORED;
        s.message = "the case says that it passed, and a check of it failed";
    }
    if (outcome == SP_SKIPPED) {
        enum sp_cap_id cap;
        bool has = sp_cap_parse(sp_event_get_text(in, SP_FLD_capability), &cap) == 0;
        const char *code = sp_event_get_text(in, SP_FLD_code);
        s.blocked_by = has ? (int)cap : -1;
        s.cause = !has ? SP_SKIP_CASE : sp_streq(code, "no") ? SP_SKIP_CAPABILITY : SP_SKIP_UNKNOWN;
    }
    sp_output_drain(l, w);
    sp_output_flush(l, w, pc->c->id);
    w->current = NULL;
    w->started_any = w->announced = true;
    sp_ledger_settle(l, w->lane, pc, &s);
    sp_worker_deadline(l, w, sp_case_patience_ms(NULL));
}

static void on_event(struct sp_ledger *l, struct sp_worker *w, const struct sp_event_in *in)
{
    const char *provider = sp_event_get_text(in, in->kind == SP_EV_PROVIDER ? SP_FLD_name : SP_FLD_provider);
    switch (in->kind) {
    case SP_EV_NOTE:
        forward(l, in);
        return;
    case SP_EV_PROVIDER:
    case SP_EV_CAPABILITY:
        if (w->lane == NULL || w->current != NULL || !sp_streq(provider, w->provider))
            break;
        forward(l, in);
        return;
    case SP_EV_CASE_START:
        if (w->lane == NULL)
            break;
        on_start(l, w, in);
        return;
    case SP_EV_CASE_END:
        if (w->lane == NULL)
            break;
        on_end(l, w, in);
        return;
    case SP_EV_CHECK:
    case SP_EV_CAP_AUDIT:
    case SP_EV_MEASURE:
    case SP_EV_SEMANTICS:
        if (w->current == NULL || !sp_streq(provider, w->provider) ||
            !sp_streq(sp_event_get_text(in, SP_FLD_id), w->current->c->id))
            break;
        w->checks_failed += in->kind == SP_EV_CHECK ? 1 : 0;
        forward(l, in);
        return;
    default:
        break;
    }
    fault(w, "an event that is not a worker's, or for another case");
}

void sp_frames_take(struct sp_ledger *l, struct sp_worker *w)
{
    size_t at = 0;
    while (w->fault == NULL && w->frames.n - at >= 4) {
        const unsigned char *p = (const unsigned char *)w->frames.p + at;
        size_t n = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
        if (n > SP_EVENT_FRAME_MAX) {
            fault(w, "a frame over the size limit");
            break;
        }
        if (w->frames.n - at - 4 < n)
            break;
        struct sp_event_in in;
        struct sp_error err = SP_ERROR_INIT;
        if (sp_event_parse((const char *)p + 4, n, &in, &err) != 0) {
            fault(w, sp_error_text(&err));
        } else {
            on_event(l, w, &in);
            sp_event_in_free(&in);
        }
        sp_error_clear(&err);
        at += 4 + n;
    }
    if (at != 0) {
        w->frames.n -= at;
        memmove(w->frames.p, w->frames.p + at, w->frames.n);
    }
}
