/* custom.c -- the team's own invariants: the number of rows that a query selects, on both sides. */
#include <stdio.h>

#include "verify/internal.h"

static void one(struct sp_vctx *c, size_t i, enum sp_side side)
{
    const char *name = c->opt->custom_names[i];
    const char *provider = sp_session_endpoint(c->session[side])->name;
    struct sp_error err = SP_ERROR_INIT;
    int64_t count = 0, expect = c->opt->custom_expect[i];
    char expected[32], actual[32];
    int rc = sp_db_count(c->session[side], c->opt->custom[i]->table, c->opt->custom[i]->where, &count, &err);
    bool held = rc == 0 && count == expect;
    snprintf(expected, sizeof expected, "%lld", (long long)expect);
    snprintf(actual, sizeof actual, "%lld", (long long)count);
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_CUSTOM_CHECK);
    sp_event_text(&ev, SP_FLD_name, name);
    sp_event_text(&ev, SP_FLD_provider, provider);
    sp_event_text(&ev, SP_FLD_side, sp_v_side_name(side));
    sp_event_text(&ev, SP_FLD_expected, expected);
    sp_event_text(&ev, SP_FLD_actual, rc == 0 ? actual : sp_error_text(&err));
    sp_event_text(&ev, SP_FLD_outcome, rc != 0 ? "errored" : held ? "passed" : "failed");
    sp_v_send(c, &ev);
    if (rc != 0)
        sp_v_not_compared(c, name, "custom check", "%s: %s", sp_v_side_name(side), sp_error_text(&err));
    else if (!held)
        sp_v_differ(c, 1, "check \"%s\": %s rows on the %s, expected %s", name, actual, sp_v_side_name(side),
            expected);
    sp_error_clear(&err);
}

void sp_v_custom(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->opt->ncustom && c->rc == 0; i++) {
        sp_v_looked(c, SP_V_TEAM);
        one(c, i, SP_SIDE_SOURCE);
        one(c, i, SP_SIDE_TARGET);
    }
    sp_v_queries(c);
}
