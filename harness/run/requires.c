/* requires.c -- `requires:` of the configuration: what the application uses must have been run, on every provider.
 *
 * A requirement is a case id or a glob of them, a suite, a capability, or suite.capability. A skip of a required
 * case is never fine, not even where the kind lacks the whole facet; the one exception is an optional provider that
 * is absent, provided that another provider answered for the same requirement.
 *
 * A suite holds when every case that the kind declares to be fit for was executed, and at least one; in a suite that has
 * the name of a facet, one of that facet: database users alone are not `auth`. What the kind does not declare breaks
 * it not; who needs that names the capability. */
#include "run/ledger.h"

#include <string.h>

enum need_kind { NEED_CASES, NEED_SUITE, NEED_CAPABILITY };
struct need {
    const char *text;
    enum need_kind kind;
    enum sp_cap_id cap;
};

static bool any_case(const struct sp_run_options *o, const char *glob)
{
    for (size_t s = 0; o->suites[s] != NULL; s++) {
        for (const struct sp_case *c = o->suites[s]->cases; c->id != NULL; c++) {
            if (sp_glob(glob, c->id, false))
                return true;
        }
    }
    return false;
}

/* What stands before the dot of "crud.transactions": a suite or a facet. */
static bool is_place(const struct sp_run_options *o, const char *name, size_t n)
{
    for (size_t s = 0; o->suites[s] != NULL; s++) {
        if (strlen(o->suites[s]->name) == n && strncmp(o->suites[s]->name, name, n) == 0)
            return true;
    }
    for (int f = 0; f < SP_FACET_N; f++) {
        const char *facet = sp_facet_name((enum sp_facet)f);
        if (strlen(facet) == n && strncmp(facet, name, n) == 0)
            return true;
    }
    return false;
}

static bool parse_need(const struct sp_run_options *o, const char *text, struct need *out)
{
    *out = (struct need){ .text = text, .kind = NEED_CASES };
    if (any_case(o, text))
        return true;
    const char *dot = strchr(text, '.');
    for (size_t s = 0; o->suites[s] != NULL; s++) {
        if (strcmp(o->suites[s]->name, text) == 0) {
            out->kind = NEED_SUITE;
            return true;
        }
    }
    out->kind = NEED_CAPABILITY;
    return sp_cap_parse(text, &out->cap) == 0 ||
           (dot != NULL && sp_cap_parse(dot + 1, &out->cap) == 0 && is_place(o, text, (size_t)(dot - text)));
}

static const char *nearest(const struct sp_run_options *o, const char *word, struct sp_arena *a)
{
    size_t n = SP_CAP_N, at = 0;
    for (size_t s = 0; o->suites[s] != NULL; s++, n++) {
        for (const struct sp_case *c = o->suites[s]->cases; c->id != NULL; c++)
            n++;
    }
    const char **names = sp_arena_array(a, n + 1, sizeof *names);
    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < SP_CAP_N; i++)
        names[at++] = sp_caps[i].name;
    for (size_t s = 0; o->suites[s] != NULL; s++) {
        names[at++] = o->suites[s]->name;
        for (const struct sp_case *c = o->suites[s]->cases; c->id != NULL; c++)
            names[at++] = c->id;
    }
    return sp_nearest(word, names);
}

int sp_requires_check(const struct sp_run_options *o, struct sp_error *err)
{
    for (size_t i = 0; i < o->config->nrequires; i++) {
        const char *text = o->config->requires[i];
        struct need need;
        if (parse_need(o, text, &need))
            continue;
        struct sp_arena a = SP_ARENA_INIT;
        const char *near = nearest(o, text, &a);
        int rc =
            near != NULL
                ? sp_invalid(
                      err, "requires: '%s' is no case, suite or capability; did you mean '%s'?", text, near)
                : sp_invalid(err,
                      "requires: '%s' is no case, suite or capability; see `switchproof list cases`", text);
        sp_arena_free(&a);
        return rc;
    }
    return 0;
}

static bool concerns(const struct need *n, const struct sp_lane *lane, const struct sp_case *c)
{
    if (n->kind == NEED_SUITE)
        return strcmp(lane->suite->name, n->text) == 0;
    if (n->kind == NEED_CASES)
        return sp_glob(n->text, c->id, false);
    for (size_t i = 0; c->needs != NULL && c->needs[i] != SP_NEEDS_END; i++) {
        if (c->needs[i] == n->cap)
            return true;
    }
    return false;
}

/* One provider's answer to one requirement. */
struct answer {
    size_t planned, executed;
    bool partial;                     /* only some of the cases that try it were selected */
    const struct sp_planned *skipped; /* what did not prove it, to be named: skipped, or expected to fail */
    bool decisive;                    /* that breaks the requirement although other cases ran */
};

/* Is the case of the facet that the suite has its name from? */
static bool is_proper(const struct sp_lane *lane, const struct sp_case *c)
{
    int facet = 0;
    while (facet < SP_FACET_N && strcmp(sp_facet_name((enum sp_facet)facet), lane->suite->name) != 0)
        facet++;
    bool proper = facet == SP_FACET_N;
    for (size_t i = 0; !proper && c->needs != NULL && c->needs[i] != SP_NEEDS_END; i++)
        proper = c->needs[i] < SP_CAP_N && (int)sp_caps[c->needs[i]].facet == facet;
    return proper;
}

/* Does this skip break the requirement although other cases ran? */
static bool is_decisive(const struct need *n, const struct sp_lane *lane, const struct sp_planned *pc)
{
    if (n->kind == NEED_CASES)
        return true;
    if (n->kind == NEED_CAPABILITY) /* not by a case that wants something else besides */
        return pc->blocked_by == (int)n->cap;
    if (pc->done && pc->outcome == SP_XFAILED)
        return false;
    switch (pc->cause) {
    case SP_SKIP_FACET:
    case SP_SKIP_ABSENT:
    case SP_SKIP_FAULTS: /* no server of others will ever be ours to disturb */
        return false;
    case SP_SKIP_CAPABILITY:
        return pc->blocked_by < 0 || lane->kind->declared[pc->blocked_by].level != SP_CAP_NO;
    default:
        return true;
    }
}

static void add_lane(const struct need *n, const struct sp_lane *lane, struct answer *a)
{
    size_t seen = 0;
    for (size_t i = 0; i < lane->ncases; i++) {
        const struct sp_planned *pc = &lane->cases[i];
        if (!concerns(n, lane, pc->c))
            continue;
        a->planned++;
        seen++;
        if (pc->done && pc->outcome != SP_SKIPPED && pc->outcome != SP_XFAILED) {
            a->executed += n->kind != NEED_SUITE || is_proper(lane, pc->c) ? 1 : 0;
            continue;
        }
        bool decisive = is_decisive(n, lane, pc);
        if (a->skipped == NULL || (decisive && !a->decisive))
            a->skipped = pc;
        a->decisive = a->decisive || decisive;
    }
    size_t all = 0;
    for (const struct sp_case *c = lane->suite->cases; c->id != NULL; c++)
        all += concerns(n, lane, c) ? 1 : 0;
    a->partial = a->partial || seen < all;
}

static bool holds(const struct answer *a)
{
    return a->executed != 0 && !a->decisive;
}

static int blame(struct sp_buf *reasons, const struct need *n, const char *provider, const struct answer *a)
{
    const struct sp_planned *pc = a->skipped;
    (void)sp_buf_printf(reasons, "required %s is not proved on %s", n->text, provider);
    if (pc != NULL)
        (void)sp_buf_printf(reasons, ": %s %s", pc->c->id,
            pc->done && pc->outcome == SP_XFAILED ? "fails, as expected" : "was skipped");
    if (pc != NULL && pc->blocked_by >= 0)
        (void)sp_buf_printf(reasons, " for want of %s", sp_caps[pc->blocked_by].name);
    (void)sp_buf_putc(reasons, '\n');
    bool lacks = pc != NULL && pc->outcome == SP_SKIPPED &&
                 (pc->cause == SP_SKIP_FACET || pc->cause == SP_SKIP_CAPABILITY);
    return lacks ? SP_EXIT_FAILED : SP_EXIT_INCONCLUSIVE;
}

static int judge(struct sp_ledger *l, const struct need *n, struct sp_buf *reasons)
{
    int worst = 0;
    size_t planned = 0, proved = 0;
    const char *absent = NULL, *partly = NULL;
    for (size_t i = 0; i < l->plan->nlanes;) {
        const struct sp_config_provider *p = l->plan->lanes[i].provider;
        struct answer a = { 0 };
        for (; i < l->plan->nlanes && l->plan->lanes[i].provider == p; i++)
            add_lane(n, &l->plan->lanes[i], &a);
        planned += a.planned;
        if (a.planned == 0)
            continue;
        if (holds(&a) && a.partial) {
            partly = p->name;
        } else if (holds(&a)) {
            proved++;
        } else if (a.skipped != NULL && a.skipped->cause == SP_SKIP_ABSENT) {
            absent = p->name;
        } else {
            int code = blame(reasons, n, p->name, &a);
            worst = worst == SP_EXIT_FAILED ? worst : code;
        }
    }
    if (planned == 0 && l->plan->filtered) {
        sp_ledger_note(
            l, "warning", "required %s was not selected in this run, and is not proved by it", n->text);
    } else if (planned == 0) {
        (void)sp_buf_printf(reasons, "required %s is not proved: no case tries it\n", n->text);
        worst = SP_EXIT_INCONCLUSIVE;
    }
    if (partly != NULL)
        sp_ledger_note(l, "warning",
            "of required %s only some cases were selected in this run; it is not proved by them on %s",
            n->text, partly);
    if (worst == 0 && proved == 0 && partly == NULL && absent != NULL) {
        (void)sp_buf_printf(
            reasons, "required %s is not proved: optional provider %s is absent\n", n->text, absent);
        worst = SP_EXIT_INCONCLUSIVE;
    }
    return worst;
}

int sp_requires_judge(struct sp_ledger *l, struct sp_buf *reasons)
{
    int worst = 0;
    for (size_t i = 0; i < l->o->config->nrequires; i++) {
        struct need n;
        if (!parse_need(l->o, l->o->config->requires[i], &n))
            continue; /* refused before the run */
        int code = judge(l, &n, reasons);
        if (worst != SP_EXIT_FAILED && code != 0)
            worst = code;
    }
    return worst;
}
