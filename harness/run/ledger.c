/* ledger.c -- settling cases: expected failures, totals, the case_end event. */
#include "run/ledger.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/calendar.h"

void sp_ledger_send(struct sp_ledger *l, struct sp_event *ev)
{
    int rc = sp_event_send(l->em, ev, l->rc == 0 ? l->err : NULL);
    if (l->rc == 0)
        l->rc = rc;
}

void sp_ledger_note(struct sp_ledger *l, const char *level, const char *fmt, ...)
{
    struct sp_buf b = SP_BUF_INIT;
    struct sp_event ev;
    va_list ap;
    va_start(ap, fmt);
    (void)sp_buf_vprintf(&b, fmt, ap);
    va_end(ap);
    sp_event_begin(&ev, SP_EV_NOTE);
    sp_event_text(&ev, SP_FLD_level, level);
    sp_event_text(&ev, SP_FLD_text, b.p);
    sp_buf_free(&b);
    sp_ledger_send(l, &ev);
}

static const struct sp_config_xfail *expected_failure(
    const struct sp_ledger *l, const char *id, const char *provider)
{
    for (size_t i = 0; i < l->o->config->nxfails; i++) {
        const struct sp_config_xfail *x = &l->o->config->xfails[i];
        if (sp_glob(x->id, id, false) && (x->provider == NULL || strcmp(x->provider, provider) == 0))
            return x;
    }
    return NULL;
}

/* What an expected failure makes of the outcome. `message` receives a text of its own where one is needed. */
static enum sp_outcome apply_xfail(const struct sp_ledger *l, const struct sp_config_xfail *x,
    const struct sp_settled *s, struct sp_buf *message)
{
    if (s->outcome == SP_PASSED) {
        (void)sp_buf_printf(message,
            "passed, but a failure is expected (%s); remove the expectation from the configuration",
            x->link != NULL ? x->link : x->id);
        return SP_FAILED;
    }
    if (s->outcome != SP_FAILED)
        return s->outcome;
    if (l->today <= x->until_day)
        return SP_XFAILED;
    (void)sp_buf_puts(message, "the expected failure expired on ");
    (void)sp_date_print(message, x->until_day);
    (void)sp_buf_printf(message, ": %s", s->message != NULL ? s->message : "");
    return SP_FAILED;
}

static void put_word(struct sp_buf *b, const char *word)
{
    bool plain = *word != '\0' && word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                    "0123456789_.-+:/@")] == '\0';
    if (plain) {
        (void)sp_buf_puts(b, word);
        return;
    }
    (void)sp_buf_putc(b, '\'');
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            (void)sp_buf_puts(b, "'\\''");
        else
            (void)sp_buf_putc(b, *word);
    }
    (void)sp_buf_putc(b, '\'');
}

static void put_repeat(
    struct sp_event *ev, const struct sp_run_options *o, const char *provider, const char *id)
{
    struct sp_buf b = SP_BUF_INIT;
    /* The names that follow are no secrets, and have to be right. */
    char *command = sp_redact(o->command_line != NULL ? o->command_line : "switchproof run");
    (void)sp_buf_printf(&b, "%s -p ", command != NULL ? command : "switchproof run");
    free(command);
    put_word(&b, provider);
    (void)sp_buf_printf(&b, " -k %s --seed %" PRIu64 "%s", id, o->seed, o->quick ? "" : " --full");
    sp_event_textn(ev, SP_FLD_repeat, b.p, b.n);
    sp_buf_free(&b);
}

void sp_ledger_settle(
    struct sp_ledger *l, struct sp_lane *lane, struct sp_planned *pc, const struct sp_settled *s)
{
    if (pc->done)
        return;
    const char *id = pc->c->id, *provider = lane->provider->name;
    const struct sp_config_xfail *x = expected_failure(l, id, provider);
    struct sp_buf message = SP_BUF_INIT;
    enum sp_outcome outcome = x != NULL ? apply_xfail(l, x, s, &message) : s->outcome;
    pc->done = true;
    pc->outcome = outcome;
    pc->cause = s->cause;
    pc->blocked_by = s->blocked_by;
    l->totals.n[outcome]++;

    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_CASE_END);
    sp_event_text(&ev, SP_FLD_id, id);
    sp_event_text(&ev, SP_FLD_suite, lane->suite->name);
    sp_event_text(&ev, SP_FLD_provider, provider);
    sp_event_text(&ev, SP_FLD_outcome, sp_outcome_name(outcome));
    sp_event_real(&ev, SP_FLD_duration_s, s->duration_s);
    sp_event_int(&ev, SP_FLD_nchecks, s->nchecks);
    sp_event_text(&ev, SP_FLD_message, message.n != 0 ? message.p : s->message);
    if (outcome == SP_SKIPPED)
        sp_event_text(&ev, SP_FLD_reason, s->reason);
    if (x != NULL && outcome != SP_SKIPPED) {
        sp_event_text(&ev, SP_FLD_link, x->link);
        if (outcome == SP_XFAILED)
            sp_event_text(&ev, SP_FLD_reason, x->reason);
    }
    if (s->blocked_by >= 0)
        sp_event_text(&ev, SP_FLD_capability, sp_caps[s->blocked_by].name);
    if (outcome == SP_FAILED || outcome == SP_ERRORED)
        put_repeat(&ev, l->o, provider, id);
    char seed[24];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, l->o->seed);
    sp_event_text(&ev, SP_FLD_seed, seed);
    sp_buf_free(&message);
    sp_ledger_send(l, &ev);
}
