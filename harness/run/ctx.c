/* ctx.c -- the context of a case: sessions, randomness, outcome. */
#include "run/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/oom.h"

void sp_ctx_begin_event(const struct sp_ctx *ctx, struct sp_event *ev, enum sp_event_kind kind)
{
    sp_event_begin(ev, kind);
    sp_event_text(ev, SP_FLD_provider, ctx->job->provider.name);
    if (ctx->c != NULL) {
        sp_event_text(ev, SP_FLD_id, ctx->c->id);
        sp_event_text(ev, SP_FLD_suite, ctx->job->suite);
    }
}

void sp_ctx_send(struct sp_ctx *ctx, struct sp_event *ev)
{
    struct sp_error err = SP_ERROR_INIT;
    if (sp_event_send(ctx->em, ev, &err) != 0) {
        /* A case whose evidence is lost cannot pass. */
        fprintf(stderr, "%s\n", sp_error_text(&err));
        ctx->errored = true;
        sp_error_clear(&err);
    }
}

void sp_ctx_blame(struct sp_ctx *ctx, bool failed, const char *text)
{
    if (failed && !ctx->errored)
        ctx->nfailed++;
    else if (!failed && ctx->nfailed == 0)
        ctx->errored = true;
    if (ctx->message == NULL)
        ctx->message = sp_strdup_printf("%s", text);
}

void sp_ctx_error_from(struct sp_ctx *ctx, const char *what, const struct sp_error *err)
{
    char *text = sp_strdup_printf("%s: %s (%s, origin %s)", what, sp_error_text(err), sp_code_name(err->code),
        sp_origin_name(err->origin));
    sp_ctx_blame(ctx, false, text != NULL ? text : what);
    free(text);
}

void sp_ctx_error(struct sp_ctx *ctx, const char *fmt, ...)
{
    struct sp_error err = SP_ERROR_INIT;
    va_list ap;
    va_start(ap, fmt);
    (void)sp_failv(&err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, fmt, ap);
    va_end(ap);
    sp_ctx_blame(ctx, false, sp_error_text(&err));
    sp_error_clear(&err);
}

void sp_ctx_skip(struct sp_ctx *ctx, const char *fmt, ...)
{
    struct sp_error err = SP_ERROR_INIT;
    va_list ap;
    va_start(ap, fmt);
    (void)sp_failv(&err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, fmt, ap);
    va_end(ap);
    if (ctx->nchecks != 0) {
        (void)sp_error_prefix(&err, "the case asked to be skipped after a check");
        sp_ctx_blame(ctx, false, sp_error_text(&err));
    } else if (ctx->reason == NULL) {
        ctx->skipped = true;
        ctx->reason = sp_strdup_printf("%s", sp_error_text(&err));
    }
    sp_error_clear(&err);
}

bool sp_ctx_done(const struct sp_ctx *ctx)
{
    return ctx->errored || ctx->skipped || ctx->nfailed != 0;
}

static int make_session(struct sp_ctx *ctx, unsigned identity, struct sp_error *err)
{
    int rc = sp_open(&ctx->sessions[identity], ctx->kind, &ctx->endpoint, err);
    ctx->in_ns[identity] = false;
    return rc;
}

struct sp_session *sp_ctx_session(struct sp_ctx *ctx, unsigned identity)
{
    struct sp_error err = SP_ERROR_INIT;
    if (identity >= SP_IDENTITIES) {
        sp_ctx_error(ctx, "session %u asked for; there are %d", identity, SP_IDENTITIES);
        return NULL;
    }
    if (ctx->sessions[identity] == NULL && make_session(ctx, identity, &err) != 0) {
        sp_ctx_error_from(ctx, "opening a session", &err);
        sp_error_clear(&err);
        return NULL;
    }
    /* What a writing case makes without asking the harness must land in the run's namespace, too. */
    bool wants_ns = ctx->ns_made || (ctx->c->flags & SP_CASE_READ_ONLY) == 0;
    if (wants_ns && ctx->caps[SP_CAP_NAMESPACES].level == SP_CAP_YES &&
        ctx->endpoint.access == SP_ACCESS_DISPOSABLE && !ctx->in_ns[identity]) {
        if (sp_ctx_namespace(ctx) == NULL)
            return NULL;
        if (!ctx->in_ns[identity] && sp_db_ns_use(ctx->sessions[identity], ctx->ns, &err) != 0) {
            sp_ctx_error_from(ctx, "using the run's namespace", &err);
            sp_error_clear(&err);
            return NULL;
        }
        ctx->in_ns[identity] = true;
    }
    return ctx->sessions[identity];
}

struct sp_arena *sp_ctx_arena(struct sp_ctx *ctx)
{
    return &ctx->arena;
}

struct sp_rng *sp_ctx_rng(struct sp_ctx *ctx)
{
    return &ctx->rng;
}

uint64_t sp_ctx_seed(const struct sp_ctx *ctx)
{
    return ctx->seed;
}

const struct sp_cap *sp_ctx_cap(const struct sp_ctx *ctx, enum sp_cap_id id)
{
    static const struct sp_cap none = { .level = SP_CAP_NO, .why = "unknown capability" };
    return (unsigned)id < SP_CAP_N ? &ctx->caps[id] : &none;
}

bool sp_ctx_quick(const struct sp_ctx *ctx)
{
    return ctx->job->quick;
}

int64_t sp_ctx_setting(const struct sp_ctx *ctx, const char *suite, const char *name, int64_t fallback)
{
    for (size_t i = 0; i < ctx->job->nsettings; i++) {
        const struct sp_config_setting *s = &ctx->job->settings[i];
        if (strcmp(s->suite, suite) == 0 && strcmp(s->name, name) == 0 && s->value >= -9e15 &&
            s->value <= 9e15)
            return (int64_t)s->value;
    }
    return fallback;
}

const struct sp_config_actor *sp_ctx_actors(const struct sp_ctx *ctx, size_t *n)
{
    *n = ctx->job->nactors;
    return ctx->job->actors;
}

const struct sp_config_access *sp_ctx_access(const struct sp_ctx *ctx, size_t *n)
{
    *n = ctx->job->naccess;
    return ctx->job->access;
}

void sp_ctx_case_begin(struct sp_ctx *ctx, const struct sp_case *c)
{
    free(ctx->message);
    free(ctx->reason);
    sp_arena_reset(&ctx->arena);
    ctx->c = c;
    ctx->nchecks = ctx->nfailed = ctx->ntold = 0;
    ctx->errored = ctx->skipped = ctx->disturbed = false;
    ctx->message = ctx->reason = NULL;
    ctx->made = NULL;
    ctx->nmade = ctx->made_cap = 0;
    ctx->oom_before = sp_oom_count();
    /* From the run's seed and the case alone: every provider gets the same data. */
    sp_rng_seed(&ctx->rng, ctx->job->seed);
    ctx->seed = sp_rng_u64(&ctx->rng) ^ sp_hash_str(c->id);
    sp_rng_seed(&ctx->rng, ctx->seed);
}

void sp_ctx_close(struct sp_ctx *ctx, bool also_first)
{
    for (unsigned i = SP_IDENTITIES; i-- > 0;) {
        if (i == 0 && !also_first)
            break;
        sp_close(ctx->sessions[i]);
        ctx->sessions[i] = NULL;
        ctx->in_ns[i] = false;
    }
}

static void remove_made(struct sp_ctx *ctx)
{
    while (ctx->nmade > 0) {
        const struct sp_object_ref *o = &ctx->made[--ctx->nmade];
        struct sp_error err = SP_ERROR_INIT;
        struct sp_session *s = ctx->sessions[0];
        int rc = s == NULL ? make_session(ctx, 0, &err) : 0;
        s = ctx->sessions[0];
        if (rc == 0 && o->ns != NULL && !ctx->in_ns[0]) {
            rc = sp_db_ns_use(s, ctx->ns, &err);
            ctx->in_ns[0] = rc == 0;
        }
        if (rc == 0)
            rc = sp_object_remove(s, o, o->ns, &err);
        if (strcmp(o->type, "namespace") == 0)
            ctx->in_ns[0] = false; /* no namespace can be dropped from inside */
        bool no_way = rc == -SP_E_UNSUPPORTED && strcmp(o->type, "email") == 0;
        if (rc == 0 && o->ns == NULL)
            rc = sp_journal_note(ctx->journal, false, &ctx->job->provider, o, &err);
        /* A backend without user administration keeps its users; the journal goes on naming them. */
        if (rc != 0 && !no_way)
            sp_ctx_error_from(ctx, "cleaning up after the case", &err);
        sp_error_clear(&err);
    }
}

enum sp_outcome sp_ctx_case_end(struct sp_ctx *ctx)
{
    /* Helpers return early without memory: what they would have checked was not checked. */
    if (!sp_ctx_done(ctx) && sp_oom_count() != ctx->oom_before)
        sp_ctx_error(ctx, "out of memory");
    if (!sp_ctx_done(ctx) && ctx->nchecks == 0)
        sp_ctx_error(ctx, "no check was executed");
    /* Other sessions may hold locks. After a failure or error the first one's state is not to be trusted. */
    sp_ctx_close(ctx, ctx->errored || ctx->nfailed != 0 || ctx->disturbed);
    if (ctx->disturbed)
        (void)sp_ctx_server(ctx, SP_SERVER_START);
    remove_made(ctx);
    if (ctx->nfailed != 0)
        return SP_FAILED;
    if (ctx->errored)
        return SP_ERRORED;
    return ctx->skipped ? SP_SKIPPED : SP_PASSED;
}
