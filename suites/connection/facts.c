/* facts.c -- what the server says it is and can do. */
#include "suites/connection/connection.h"

#include <string.h>

struct told {
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts;
};

static bool ask(struct dc *d, struct sp_ctx *ctx, struct told *t)
{
    memset(t, 0, sizeof *t);
    return dc_open(d, ctx) &&
           dc_ok(d, "asking for what is effective", sp_effective(d->s, t->caps, &t->facts, &d->err));
}

/* The provider's own answer: the checked call fills in for a reason that is not given. */
static bool ask_itself(struct dc *d, struct sp_ctx *ctx, struct told *t)
{
    memset(t, 0, sizeof *t);
    if (!dc_open(d, ctx))
        return false;
    const struct sp_provider *p = sp_session_provider(d->s);
    memcpy(t->caps, p->declared, sizeof t->caps);
    return p->effective == NULL ||
           dc_ok(d, "asking for what is effective", p->effective(d->s, t->caps, &t->facts, &d->err));
}

void coc_version(struct sp_ctx *ctx, const void *data)
{
    struct told t;
    struct dc d;
    (void)data;
    if (ask(&d, ctx, &t))
        (void)(sp_check(ctx, memchr(t.facts.server_version, '\0', sizeof t.facts.server_version) != NULL,
                   "the version ends") &&
               sp_check(ctx, t.facts.server_version[0] != '\0', "the version is said") &&
               sp_check(
                   ctx, strpbrk(t.facts.server_version, "0123456789") != NULL, "the version has a number"));
    dc_done(&d);
}

void coc_fidelity(struct sp_ctx *ctx, const void *data)
{
    struct told t;
    struct dc d;
    (void)data;
    if (ask(&d, ctx, &t)) {
        const char *name = sp_fidelity_name(t.facts.fidelity);
        (void)sp_check_at(ctx, __FILE__, __LINE__, t.facts.fidelity != SP_FID_UNKNOWN, "kind of server",
            "a known one", name);
    }
    dc_done(&d);
}

void coc_library(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx)) {
        const struct sp_provider *p = sp_session_provider(d.s);
        const char *name = p->library != NULL ? p->library() : NULL;
        (void)sp_check(ctx, name != NULL && name[0] != '\0', "the client library is named");
    }
    dc_done(&d);
}

static bool has_function(const struct sp_provider *p, size_t cap)
{
    switch (cap) {
#define SP_X(id, name, fct, fn, kind, doc)                                                                   \
    case SP_CAP_##id:                                                                                        \
        return p->fct != NULL && p->fct->fn != NULL;
        SP_CAPS(SP_X)
#undef SP_X
    default:
        return false;
    }
}

void coc_declared(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx)) {
        const struct sp_provider *p = sp_session_provider(d.s);
        for (size_t i = 0; i < SP_CAP_N && !sp_ctx_done(ctx); i++) {
            bool yes = p->declared[i].level == SP_CAP_YES;
            (void)sp_check_at(ctx, __FILE__, __LINE__, !yes || has_function(p, i), sp_caps[i].name,
                "not declared without its function", "declared");
            if (yes && sp_caps[i].kind == SP_CAP_KIND_LIMIT)
                (void)sp_check_at(ctx, __FILE__, __LINE__, p->declared[i].limit >= 0, sp_caps[i].name,
                    "a limit that is a number", "negative");
        }
    }
    dc_done(&d);
}

static bool has_reason(const struct sp_cap *c)
{
    return c->why != NULL && c->why[0] != '\0';
}

static int rank(const struct sp_cap *c)
{
    return c->level == SP_CAP_YES ? 1 : 0;
}

void coc_capability_above(struct sp_ctx *ctx, const void *data)
{
    struct told t;
    struct dc d;
    (void)data;
    if (ask(&d, ctx, &t)) {
        const struct sp_cap *declared = sp_session_provider(d.s)->declared;
        for (size_t i = 0; i < SP_CAP_N && !sp_ctx_done(ctx); i++) {
            bool above = rank(&t.caps[i]) > rank(&declared[i]) ||
                         (rank(&t.caps[i]) == 1 && sp_caps[i].kind == SP_CAP_KIND_LIMIT &&
                             t.caps[i].limit > declared[i].limit);
            (void)sp_check_at(ctx, __FILE__, __LINE__, !above || has_reason(&t.caps[i]), sp_caps[i].name,
                "at most what is declared, or evidence", "more than declared, without a word");
        }
    }
    dc_done(&d);
}

void coc_capability_below(struct sp_ctx *ctx, const void *data)
{
    struct told t;
    struct dc d;
    (void)data;
    if (ask_itself(&d, ctx, &t)) {
        const struct sp_cap *declared = sp_session_provider(d.s)->declared;
        for (size_t i = 0; i < SP_CAP_N && !sp_ctx_done(ctx); i++) {
            bool below = rank(&t.caps[i]) < rank(&declared[i]) ||
                         (rank(&t.caps[i]) == 1 && sp_caps[i].kind == SP_CAP_KIND_LIMIT &&
                             t.caps[i].limit < declared[i].limit);
            (void)sp_check_at(ctx, __FILE__, __LINE__, !below || has_reason(&t.caps[i]), sp_caps[i].name,
                "a reason for being below what is declared", "none");
        }
    }
    dc_done(&d);
}

void coc_capability_stable(struct sp_ctx *ctx, const void *data)
{
    struct told one, two;
    struct dc d;
    (void)data;
    if (ask(&d, ctx, &one) && dc_ok(&d, "asking again", sp_effective(d.s, two.caps, &two.facts, &d.err))) {
        for (size_t i = 0; i < SP_CAP_N && !sp_ctx_done(ctx); i++)
            (void)(sp_check_int(ctx, sp_caps[i].name, one.caps[i].level, two.caps[i].level) &&
                   sp_check_int(ctx, sp_caps[i].name, one.caps[i].limit, two.caps[i].limit));
        (void)sp_check_text(ctx, "version", one.facts.server_version, two.facts.server_version);
    }
    dc_done(&d);
}

void coc_capability_audit(struct sp_ctx *ctx, const void *data)
{
    (void)data;
    sp_capability_audit(ctx);
}
