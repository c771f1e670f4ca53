/* queries.c -- the team's own queries, run on both sides: in the words of the logical schema, or in each backend's own
 * language, which is let through only where the provider vouches that it can do nothing but read. An error is no answer. */
#include <stdio.h>

#include "verify/internal.h"

/* Of one side's answer, which is held in memory. */
#define MOST_ROWS  100000
#define MOST_BYTES ((size_t)128 << 20)

static int ask(struct sp_vctx *c, const struct sp_verify_query *q, enum sp_side side, struct sp_result *r,
    struct sp_error *err)
{
    r->most_rows = MOST_ROWS;
    r->most_bytes = MOST_BYTES;
    if (q->query != NULL) {
        struct sp_query query = *q->query;
        if (query.limit == SP_NO_LIMIT || query.limit > MOST_ROWS)
            query.limit = MOST_ROWS + 1;
        return sp_db_read(c->session[side], &query, r, err);
    }
    if (q->raw[side] != NULL)
        return sp_db_read_raw(c->plain[side], q->raw[side], r, err);
    return sp_fail(err, SP_E_INVALID, SP_ORIGIN_HARNESS, "the check has no query for the kind %s",
        sp_session_provider(c->plain[side])->kind);
}

static void send(struct sp_vctx *c, const struct sp_verify_query *q, const char *provider, const char *side,
    const char *expected, const char *actual, const char *outcome)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_CUSTOM_CHECK);
    sp_event_text(&ev, SP_FLD_name, q->name);
    sp_event_text(&ev, SP_FLD_provider, provider);
    sp_event_text(&ev, SP_FLD_side, side);
    sp_event_text(&ev, SP_FLD_expected, expected);
    sp_event_text(&ev, SP_FLD_actual, actual);
    sp_event_text(&ev, SP_FLD_outcome, outcome);
    sp_v_send(c, &ev);
}

static const char *provider_of(const struct sp_vctx *c, enum sp_side side)
{
    return sp_session_endpoint(c->session[side])->name;
}

/* So many rows on this side. */
static void counted(
    struct sp_vctx *c, const struct sp_verify_query *q, enum sp_side side, const struct sp_result *r)
{
    char expected[32], actual[32];
    bool held = (int64_t)r->nrows == q->expect;
    (void)snprintf(expected, sizeof expected, "%lld", (long long)q->expect);
    (void)snprintf(actual, sizeof actual, "%zu", r->nrows);
    send(c, q, provider_of(c, side), sp_v_side_name(side), expected, actual, held ? "passed" : "failed");
    if (!held)
        sp_v_differ(c, 1, "check \"%s\": %s rows on the %s, expected %s", q->name, actual,
            sp_v_side_name(side), expected);
}

static void alike(struct sp_vctx *c, const struct sp_verify_query *q, const struct sp_result r[2])
{
    char text[2][64];
    int rc = sp_v_answers(c, q, r);
    if (rc < 0) {
        sp_v_nomem(c);
        return;
    }
    for (int i = 0; i < 2; i++)
        (void)snprintf(text[i], sizeof text[i], "%zu rows of %zu columns", r[i].nrows, r[i].ncolumns);
    send(c, q, provider_of(c, SP_SIDE_TARGET), NULL, text[0], rc == 0 ? text[0] : text[1],
        rc == 0 ? "passed" : "failed");
    if (rc != 0)
        sp_v_differ(c, 1, "check \"%s\": the target answers otherwise than the source (%s; the source %s)",
            q->name, text[1], text[0]);
}

static void one(struct sp_vctx *c, const struct sp_verify_query *q)
{
    struct sp_result r[2] = { SP_RESULT_INIT, SP_RESULT_INIT };
    bool answered[2] = { false, false };
    for (int i = 0; i < 2; i++) {
        struct sp_error err = SP_ERROR_INIT;
        answered[i] = ask(c, q, (enum sp_side)i, &r[i], &err) == 0;
        if (!answered[i]) {
            send(c, q, provider_of(c, (enum sp_side)i), sp_v_side_name((enum sp_side)i), NULL,
                sp_error_text(&err), "errored");
            sp_v_not_compared(
                c, q->name, "custom check", "%s: %s", sp_v_side_name((enum sp_side)i), sp_error_text(&err));
        } else if (!q->same) {
            counted(c, q, (enum sp_side)i, &r[i]);
        }
        sp_error_clear(&err);
    }
    if (q->same && answered[0] && answered[1] && c->rc == 0)
        alike(c, q, r);
    sp_result_free(&r[0]);
    sp_result_free(&r[1]);
}

void sp_v_queries(struct sp_vctx *c)
{
    for (size_t i = 0; i < c->opt->nqueries && c->rc == 0; i++) {
        sp_v_looked(c, SP_V_TEAM);
        one(c, &c->opt->queries[i]);
    }
}
