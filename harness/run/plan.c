/* plan.c -- providers x suites x cases, after the filters. */
#include "run/plan.h"

#include <stdio.h>
#include <string.h>

#include "run/mutant.h"
#include "run/stack.h"

static int unknown(struct sp_error *err, const char *what, const char *name, const char *const *names)
{
    const char *near = sp_nearest(name, names);
    if (near != NULL)
        return sp_invalid(err, "unknown %s '%s'; did you mean '%s'?", what, name, near);
    return sp_invalid(err, "unknown %s '%s'; `switchproof list %ss` shows what there is", what, name, what);
}

static bool listed(const char *const *names, size_t n, const char *name)
{
    return n == 0 || sp_str_among(names, n, name);
}

static int check_providers(const struct sp_run_options *o, struct sp_arena *a, struct sp_error *err)
{
    const struct sp_config *c = o->config;
    const char **names = sp_arena_array(a, c->nproviders + 1, sizeof *names);
    if (names == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < c->nproviders; i++)
        names[i] = c->providers[i].name;
    for (size_t i = 0; i < o->nproviders; i++) {
        if (c->nproviders == 0 || !listed(names, c->nproviders, o->providers[i]))
            return unknown(err, "provider", o->providers[i], names);
    }
    for (size_t i = 0; i < c->nproviders; i++) {
        const struct sp_config_provider *p = &c->providers[i];
        if (!listed(o->providers, o->nproviders, p->name))
            continue;
        if (sp_provider_by_kind(o->kinds, p->kind) == NULL)
            return sp_invalid(
                err, "provider '%s': kind '%s' is not built into this program", p->name, p->kind);
        int rc = p->mutant != NULL ? sp_mutant_check(p->mutant, err) : 0;
        if (rc != 0)
            return sp_error_prefix(err, "provider '%s'", p->name);
    }
    return 0;
}

static int check_suites(const struct sp_run_options *o, struct sp_arena *a, struct sp_error *err)
{
    size_t n = 0;
    while (o->suites[n] != NULL)
        n++;
    const char **names = sp_arena_array(a, n + 1, sizeof *names);
    if (names == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < n; i++)
        names[i] = o->suites[i]->name;
    for (size_t i = 0; i < o->nsuites; i++) {
        if (n == 0 || !listed(names, n, o->only_suites[i]))
            return unknown(err, "suite", o->only_suites[i], names);
    }
    return 0;
}

/* A whole case id selects just that case, although other ids may contain it. */
static bool is_case_id(const struct sp_run_options *o, const char *glob)
{
    for (size_t s = 0; o->suites[s] != NULL; s++) {
        for (const struct sp_case *c = o->suites[s]->cases; c->id != NULL; c++) {
            if (strcmp(c->id, glob) == 0)
                return true;
        }
    }
    return false;
}

static bool selected(const char *glob, bool exact, const char *id)
{
    if (glob == NULL)
        return true;
    return exact ? strcmp(glob, id) == 0 : sp_glob(glob, id, true);
}

static void make_tag(struct sp_lane *lane)
{
    size_t n = 0;
    for (const char *s = lane->suite->name; *s != '\0' && n < 6; s++) {
        if ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9'))
            lane->tag[n++] = *s;
    }
    (void)snprintf(lane->tag + n, sizeof lane->tag - n, "%zu", lane->provider_index);
}

/* Some case of the lane stops servers: whoever uses one beside it would fail without a fault of their own. */
static bool disturbs(const struct sp_config_provider *p, const struct sp_planned *cases, size_t n)
{
    struct sp_endpoint e;
    sp_config_endpoint(p, &e);
    for (size_t i = 0; sp_stack_command(&e) != NULL && i < n; i++) {
        if ((cases[i].c->flags & SP_CASE_FAULTS) != 0)
            return true;
    }
    return false;
}

static int add_lane(struct sp_plan *plan, const struct sp_run_options *o, size_t provider,
    const struct sp_suite *suite, bool exact, size_t *cap, struct sp_error *err)
{
    size_t total = 0, n = 0;
    while (suite->cases[total].id != NULL)
        total++;
    struct sp_planned *cases = sp_arena_array(&plan->arena, total + 1, sizeof *cases);
    if (cases == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < total; i++) {
        if (selected(o->glob, exact, suite->cases[i].id))
            cases[n++] = (struct sp_planned){ .c = &suite->cases[i], .blocked_by = -1 };
    }
    plan->filtered = plan->filtered || n < total;
    if (n == 0 && o->glob != NULL)
        return 0;
    struct sp_lane *lanes =
        sp_arena_grow(&plan->arena, plan->lanes, cap, plan->nlanes + 1, sizeof *plan->lanes);
    if (lanes == NULL)
        return sp_nomem(err);
    plan->lanes = lanes;
    const struct sp_config_provider *p = &o->config->providers[provider];
    struct sp_lane *lane = &lanes[plan->nlanes++];
    *lane = (struct sp_lane){ .provider = p,
        .provider_index = provider,
        .kind = sp_provider_by_kind(o->kinds, p->kind),
        .suite = suite,
        .cases = cases,
        .ncases = n,
        .alone = suite->alone || disturbs(p, cases, n) };
    make_tag(lane);
    plan->ncases += n;
    return 0;
}

int sp_plan_make(struct sp_plan *out, const struct sp_run_options *o, struct sp_error *err)
{
    *out = (struct sp_plan){ .arena = SP_ARENA_INIT };
    size_t cap = 0;
    int rc = check_providers(o, &out->arena, err);
    if (rc == 0)
        rc = check_suites(o, &out->arena, err);
    bool exact = rc == 0 && o->glob != NULL && is_case_id(o, o->glob);
    for (size_t p = 0; rc == 0 && p < o->config->nproviders; p++) {
        if (!listed(o->providers, o->nproviders, o->config->providers[p].name))
            continue;
        for (size_t s = 0; rc == 0 && o->suites[s] != NULL; s++) {
            if (listed(o->only_suites, o->nsuites, o->suites[s]->name))
                rc = add_lane(out, o, p, o->suites[s], exact, &cap, err);
            else
                out->filtered = true;
        }
    }
    if (rc != 0)
        sp_plan_free(out);
    return rc;
}

void sp_plan_free(struct sp_plan *plan)
{
    sp_arena_free(&plan->arena);
    *plan = (struct sp_plan){ .arena = SP_ARENA_INIT };
}

struct sp_planned *sp_lane_case(struct sp_lane *lane, const char *id)
{
    for (size_t i = 0; id != NULL && i < lane->ncases; i++) {
        if (strcmp(lane->cases[i].c->id, id) == 0)
            return &lane->cases[i];
    }
    return NULL;
}

bool sp_lane_done(const struct sp_lane *lane)
{
    for (size_t i = 0; i < lane->ncases; i++) {
        if (!lane->cases[i].done)
            return false;
    }
    return true;
}

bool sp_facet_offered(const struct sp_provider *p, enum sp_facet f)
{
    const void *ops = f == SP_FACET_db     ? (const void *)p->db
                      : f == SP_FACET_auth ? (const void *)p->auth
                                           : (const void *)p->blob;
    for (size_t i = 0; ops != NULL && i < SP_CAP_N; i++) {
        if (sp_caps[i].facet == f && p->declared[i].level != SP_CAP_NO)
            return true;
    }
    return false;
}

/* Database users are a part of their own of the database facet: who has none is not asked about them. */
static bool about_roles(unsigned cap)
{
    return cap == SP_CAP_ROLES || cap == SP_CAP_ROLE_PASSWORD || cap == SP_CAP_ROLE_LOCK ||
           cap == SP_CAP_ROLE_EXPIRY || cap == SP_CAP_TABLE_GRANTS || cap == SP_CAP_COLUMN_GRANTS ||
           cap == SP_CAP_ROLE_ACT || cap == SP_CAP_ROW_SECURITY;
}

/* So are the people of an application. */
static bool about_actors(unsigned cap)
{
    return cap == SP_CAP_ACTORS || cap == SP_CAP_ROW_RULES || cap == SP_CAP_ACTOR_TOKENS;
}

static bool part_offered(const struct sp_provider *k, unsigned cap)
{
    if (!sp_facet_offered(k, sp_caps[cap].facet))
        return false;
    if (about_actors(cap))
        return k->declared[SP_CAP_ACTORS].level != SP_CAP_NO;
    return !about_roles(cap) || k->declared[SP_CAP_ROLES].level != SP_CAP_NO;
}

static enum sp_skip_cause skip_of_needs(
    const struct sp_lane *lane, const struct sp_case *c, int *capability, char *reason, size_t size)
{
    const struct sp_provider *k = lane->kind;
    for (size_t i = 0; c->needs != NULL && c->needs[i] != SP_NEEDS_END; i++) {
        unsigned id = c->needs[i];
        if (id >= SP_CAP_N || part_offered(k, id))
            continue;
        *capability = (int)id;
        if (sp_facet_offered(k, sp_caps[id].facet))
            (void)snprintf(reason, size, "not applicable: kind %s has no database users%s%s%s", k->kind,
                k->declared[SP_CAP_ROLES].why != NULL ? " (" : "",
                k->declared[SP_CAP_ROLES].why != NULL ? k->declared[SP_CAP_ROLES].why : "",
                k->declared[SP_CAP_ROLES].why != NULL ? ")" : "");
        else
            (void)snprintf(reason, size, "not applicable: kind %s has no %s facet", k->kind,
                sp_facet_name(sp_caps[id].facet));
        return SP_SKIP_FACET;
    }
    for (size_t i = 0; c->needs != NULL && c->needs[i] != SP_NEEDS_END; i++) {
        unsigned id = c->needs[i];
        if (id >= SP_CAP_N || k->declared[id].level != SP_CAP_NO)
            continue;
        *capability = (int)id;
        (void)snprintf(reason, size, "kind %s does not offer %s (%s)", k->kind, sp_caps[id].name,
            k->declared[id].why != NULL ? k->declared[id].why : sp_caps[id].doc);
        return SP_SKIP_CAPABILITY;
    }
    return SP_SKIP_NONE;
}

/* Kinds of servers have the options that say how to control one. */
static bool has_server(const struct sp_provider *kind)
{
    const struct sp_provider_option *o = kind->options;
    while (o != NULL && o->name != NULL && strcmp(o->name, "stack") != 0)
        o++;
    return o != NULL && o->name != NULL;
}

enum sp_skip_cause sp_plan_skip(const struct sp_lane *lane, const struct sp_planned *pc, bool quick,
    int *capability, char *reason, size_t size)
{
    const struct sp_config_provider *p = lane->provider;
    const struct sp_case *c = pc->c;
    *capability = -1;
    if (p->url == NULL) {
        (void)snprintf(reason, size, "provider %s has no url: %s%s%s", p->name,
            p->unset_variable != NULL ? "the environment variable " : "none is configured",
            p->unset_variable != NULL ? p->unset_variable : "",
            p->unset_variable != NULL ? " is not set" : "");
        return p->optional ? SP_SKIP_ABSENT : SP_SKIP_UNSET;
    }
    enum sp_skip_cause cause = skip_of_needs(lane, c, capability, reason, size);
    if (cause != SP_SKIP_NONE)
        return cause;
    if (p->access != SP_ACCESS_DISPOSABLE && (c->flags & SP_CASE_READ_ONLY) == 0) {
        (void)snprintf(reason, size,
            "it writes, and the access of %s is %s; suites write only where it is disposable", p->name,
            sp_access_name(p->access));
        return SP_SKIP_ACCESS;
    }
    if (quick && (c->flags & SP_CASE_HEAVY) != 0) {
        (void)snprintf(reason, size, "left out in quick size; run with --full");
        return SP_SKIP_SIZE;
    }
    if ((c->flags & SP_CASE_FAULTS) != 0) {
        struct sp_endpoint e;
        sp_config_endpoint(p, &e);
        if (sp_stack_command(&e) == NULL) {
            (void)snprintf(reason, size,
                has_server(lane->kind) ? "it disturbs the server, and no command is named that controls the "
                                         "one of %s (option stack)"
                                       : "not applicable: %s has no server that could be disturbed",
                p->name);
            return SP_SKIP_FAULTS;
        }
    }
    return SP_SKIP_NONE;
}
