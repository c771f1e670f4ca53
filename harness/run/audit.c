/* audit.c -- what is not offered must say so, and change nothing. */
#include "run/audit.h"

#include <stdlib.h>
#include <string.h>

static void tell(struct sp_ctx *ctx, unsigned cap, const char *outcome, const char *message)
{
    struct sp_event ev;
    sp_ctx_begin_event(ctx, &ev, SP_EV_CAP_AUDIT);
    sp_event_text(&ev, SP_FLD_capability, sp_caps[cap].name);
    sp_event_text(&ev, SP_FLD_facet, sp_facet_name(sp_caps[cap].facet));
    sp_event_text(&ev, SP_FLD_outcome, outcome);
    sp_event_text(&ev, SP_FLD_message, message);
    sp_ctx_send(ctx, &ev);
}

/* The provider's own answer, before the checked call makes an unexplained shortfall whole. */
static void audit_reasons(struct sp_ctx *ctx, struct sp_session *s)
{
    struct sp_cap out[SP_CAP_N];
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    struct sp_error err = SP_ERROR_INIT;
    const struct sp_provider *p = sp_session_provider(s);
    memcpy(out, p->declared, sizeof out);
    int rc = p->effective != NULL ? p->effective(s, out, &facts, &err) : 0;
    if (!sp_check_ok(ctx, "effective capabilities", rc, &err)) {
        sp_error_clear(&err);
        return;
    }
    for (unsigned i = 0; i < SP_CAP_N; i++) {
        const struct sp_cap *d = &p->declared[i], *e = &out[i];
        bool limit = sp_caps[i].kind == SP_CAP_KIND_LIMIT;
        bool above = d->level == SP_CAP_NO && e->level == SP_CAP_YES;
        bool below = d->level == SP_CAP_YES && (e->level != SP_CAP_YES || (limit && e->limit < d->limit));
        bool explained = e->why != NULL && e->why[0] != '\0';
        if (above)
            sp_check_at(ctx, __FILE__, __LINE__, false, sp_caps[i].name, "not above what is declared", "yes");
        else if (below && !explained)
            sp_check_at(ctx, __FILE__, __LINE__, false, sp_caps[i].name,
                "a reason for offering less than declared", "none");
        else
            ctx->nchecks++;
        if (above || (below && !explained))
            tell(ctx, i, "broken",
                above ? "offered although not declared" : "less than declared, without a reason");
    }
    sp_error_clear(&err);
}

/* What the refused call must not have left. */
static void audit_unchanged(struct sp_audit *a, const struct sp_probe *p)
{
    struct sp_error err = SP_ERROR_INIT;
    if ((p->flags & SP_PROBE_TABLE) != 0 && a->table != NULL) {
        int64_t n = -1;
        int rc = sp_db_count(a->s, a->table, NULL, &n, &err);
        if (sp_check_ok(a->ctx, "counting after a refused call", rc, &err) && n != 0)
            sp_check_int(a->ctx, "rows after a refused call", 0, n);
    }
    if ((p->flags & SP_PROBE_BUCKET) != 0 && a->bucket != NULL &&
        a->ctx->caps[SP_CAP_HEAD].level == SP_CAP_YES) {
        struct sp_object o;
        int rc = sp_blob_head(a->s, &a->ctx->arena, a->bucket, "audit", &o, &err);
        sp_check_code(a->ctx, "the object of a refused call", SP_E_NOT_FOUND, rc, &err);
    }
    sp_error_clear(&err);
}

/* The function that the capability stands for, as the provider has it. */
static bool is_absent(const struct sp_provider *p, unsigned cap)
{
    switch (cap) {
#define SP_X(id, name, fct, fn, kind, doc)                                                                   \
    case SP_CAP_##id:                                                                                        \
        return p->fct == NULL || p->fct->fn == NULL;
        SP_CAPS(SP_X)
#undef SP_X
    default:
        return true;
    }
}

static const char *cannot_ask(const struct sp_audit *a, const struct sp_probe *p)
{
    if (is_absent(sp_session_provider(a->s), p->cap))
        return NULL;
    if ((p->flags & SP_PROBE_ABSENT) != 0)
        return "the function is there, and cannot be called without doing its work";
    if ((p->flags & SP_PROBE_WRITES) != 0 && a->ctx->endpoint.access != SP_ACCESS_DISPOSABLE)
        return "it writes, and the provider is not disposable";
    if ((p->flags & SP_PROBE_TABLE) != 0 && a->table == NULL)
        return "there is no table to try it on";
    if ((p->flags & SP_PROBE_BUCKET) != 0 && a->bucket == NULL)
        return "there is no bucket to try it in";
    if ((p->flags & SP_PROBE_TXN) != 0 && a->ctx->caps[SP_CAP_TXN].level != SP_CAP_YES)
        return "transactions are not offered at all";
    return NULL;
}

static void audit_one(struct sp_audit *a, const struct sp_probe *p)
{
    const char *why = cannot_ask(a, p);
    if (why != NULL) {
        tell(a->ctx, p->cap, "not_audited", why);
        return;
    }
    struct sp_error err = SP_ERROR_INIT;
    int64_t failed = a->ctx->nfailed;
    int rc = p->ask(a, &err);
    char *what = sp_strdup_printf("%s, which is not offered", sp_caps[p->cap].name);
    bool held = sp_check_code(a->ctx, what != NULL ? what : sp_caps[p->cap].name, SP_E_UNSUPPORTED, rc, &err);
    if (held)
        audit_unchanged(a, p);
    held = held && a->ctx->nfailed == failed;
    tell(a->ctx, p->cap, held ? "held" : "broken",
        held      ? "answers unsupported"
        : rc == 0 ? "succeeds"
                  : sp_error_text(&err));
    free(what);
    sp_error_clear(&err);
}

/* A table and a bucket to try things on, where the backend has them. */
static bool prepare(struct sp_audit *a)
{
    static const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
        { .name = "t", .type = { .tag = SP_TEXT } } };
    static const char *const key[] = { "id" };
    static const struct sp_table t = {
        .name = "capability_audit", .columns = columns, .ncolumns = 2, .pk = key, .npk = 1
    };
    struct sp_ctx *ctx = a->ctx;
    const struct sp_provider *p = sp_session_provider(a->s);
    if (ctx->endpoint.access != SP_ACCESS_DISPOSABLE)
        return true;
    if (p->db != NULL && ctx->caps[SP_CAP_TABLES].level == SP_CAP_YES &&
        ctx->caps[SP_CAP_CRUD].level == SP_CAP_YES) {
        if (!sp_ctx_table(ctx, &t))
            return false;
        a->table = t.name;
    }
    if (p->blob != NULL && ctx->caps[SP_CAP_BUCKETS].level == SP_CAP_YES) {
        a->bucket = sp_ctx_bucket(ctx, "audit");
        if (a->bucket == NULL)
            return false;
    }
    /* An address of the run's own only where a user that came to be by it can be deleted again. */
    if (p->auth != NULL && ctx->caps[SP_CAP_ADMIN].level == SP_CAP_YES)
        a->email = sp_ctx_email(ctx, "audit");
    return a->email != NULL;
}

void sp_capability_audit(struct sp_ctx *ctx)
{
    struct sp_audit a = { .ctx = ctx, .email = "sp-audit-nobody@example.com" };
    a.s = sp_ctx_session(ctx, 0);
    a.name = sp_arena_printf(&ctx->arena, "sp_%.8s_audit", ctx->job->run);
    if (a.s == NULL || a.name == NULL || !prepare(&a))
        return;
    audit_reasons(ctx, a.s);
    for (size_t i = 0; i < sp_nprobes && !ctx->errored; i++) {
        const struct sp_probe *p = &sp_probes[i];
        if (sp_facet_offered(ctx->kind, sp_caps[p->cap].facet) && ctx->caps[p->cap].level == SP_CAP_NO)
            audit_one(&a, p);
    }
}
