/* verdict.c -- what a run proved, as an exit code with reasons. */
#include <inttypes.h>

#include "run/ledger.h"

static void blame_count(struct sp_buf *reasons, uint64_t n, const char *what)
{
    if (n != 0)
        (void)sp_buf_printf(reasons, "%" PRIu64 " %s %s\n", n, n == 1 ? "case" : "cases", what);
}

/* A lane in which nothing executed, or only expected failures, proves nothing; unless there is nothing that the
 * kind could be asked for, or an optional provider is absent. */
static bool lane_inconclusive(const struct sp_lane *lane)
{
    bool blocking = lane->ncases == 0;
    for (size_t i = 0; i < lane->ncases; i++) {
        const struct sp_planned *pc = &lane->cases[i];
        if (pc->done && (pc->outcome == SP_PASSED || pc->outcome == SP_FAILED))
            return false;
        blocking = blocking || !pc->done || pc->outcome != SP_SKIPPED ||
                   (pc->cause != SP_SKIP_FACET && pc->cause != SP_SKIP_ABSENT);
    }
    return blocking;
}

/* Nothing but the access level stood in the way of all that the kind could be asked for. */
static bool only_reading(const struct sp_lane *lane)
{
    bool barred = false;
    for (size_t i = 0; i < lane->ncases; i++) {
        const struct sp_planned *pc = &lane->cases[i];
        if (!pc->done || pc->outcome != SP_SKIPPED)
            return false;
        barred = barred || pc->cause == SP_SKIP_ACCESS;
    }
    return barred;
}

static size_t judge_lanes(const struct sp_ledger *l, struct sp_buf *reasons)
{
    size_t bad = 0;
    for (size_t i = 0; i < l->plan->nlanes; i++) {
        const struct sp_lane *lane = &l->plan->lanes[i];
        if (lane->broken_end != NULL) {
            (void)sp_buf_printf(reasons, "%s, suite %s: outside of any case, %s\n", lane->provider->name,
                lane->suite->name, lane->broken_end);
            bad++;
        }
        if (lane_inconclusive(lane)) {
            (void)sp_buf_printf(reasons,
                "%s, suite %s: nothing was proved, since no case passed or failed%s\n", lane->provider->name,
                lane->suite->name,
                only_reading(lane)
                    ? "; suites write only to what is disposable: leave it out with -p, or name a "
                      "copy with `access: disposable`"
                    : "");
            bad++;
        }
    }
    return bad;
}

int sp_ledger_verdict(struct sp_ledger *l, struct sp_buf *reasons)
{
    const uint64_t *n = l->totals.n;
    if (l->interrupted) {
        (void)sp_buf_puts(reasons, "the run was interrupted\n");
        return SP_EXIT_INTERRUPTED;
    }
    if (n[SP_PASSED] + n[SP_FAILED] + n[SP_XFAILED] + n[SP_ERRORED] == 0) {
        (void)sp_buf_puts(reasons, "nothing ran: every case was skipped\n");
        (void)sp_requires_judge(l, reasons);
        return SP_EXIT_NOTHING;
    }
    blame_count(reasons, n[SP_FAILED], "failed");
    blame_count(reasons, n[SP_ERRORED], "errored: whether the promise holds could not be told");
    int required = sp_requires_judge(l, reasons);
    size_t lanes = judge_lanes(l, reasons);
    if (l->objects_left)
        (void)sp_buf_printf(reasons,
            "%" PRIu64 " objects that the run made could not be removed; try `switchproof clean`\n",
            l->totals.leftovers);
    if (n[SP_FAILED] != 0 || required == SP_EXIT_FAILED)
        return SP_EXIT_FAILED;
    if (n[SP_ERRORED] != 0 || required != 0 || lanes != 0 || l->objects_left)
        return SP_EXIT_INCONCLUSIVE;
    return SP_EXIT_OK;
}
