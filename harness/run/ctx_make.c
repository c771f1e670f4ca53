/* ctx_make.c -- what a case may make: journalled first, removed afterwards. */
#include "run/ctx.h"
#include "run/stack.h"

#include <stdio.h>
#include <string.h>

static bool writable(struct sp_ctx *ctx)
{
    if (ctx->endpoint.access == SP_ACCESS_DISPOSABLE && ctx->journal >= 0)
        return true;
    sp_ctx_error(ctx, "the case makes something, and the access of %s is %s", ctx->job->provider.name,
        sp_access_name(ctx->endpoint.access));
    return false;
}

/* Journals the object, and remembers it for the end of the case. */
static bool will_make(struct sp_ctx *ctx, const char *type, const char *name, const char *ns)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_object_ref o = { type, sp_arena_str(&ctx->arena, name), ns };
    struct sp_object_ref *grown =
        sp_arena_grow(&ctx->arena, ctx->made, &ctx->made_cap, ctx->nmade + 1, sizeof *ctx->made);
    if (o.name == NULL || grown == NULL) {
        sp_ctx_error(ctx, "out of memory");
        return false;
    }
    ctx->made = grown;
    /* What is in the run's namespace goes with it: the namespace's own line is on disk already. */
    int rc = ns != NULL ? 0 : sp_journal_note(ctx->journal, true, &ctx->job->provider, &o, &err);
    if (rc != 0) {
        sp_ctx_error_from(ctx, "writing the journal", &err);
        sp_error_clear(&err);
        return false;
    }
    ctx->made[ctx->nmade++] = o;
    return true;
}

/* The object was not made by us after all. */
static void did_not_make(struct sp_ctx *ctx)
{
    struct sp_object_ref o = ctx->made[--ctx->nmade];
    struct sp_error err = SP_ERROR_INIT;
    if (o.ns == NULL && sp_journal_note(ctx->journal, false, &ctx->job->provider, &o, &err) != 0)
        sp_ctx_error_from(ctx, "writing the journal", &err);
    sp_error_clear(&err);
}

const char *sp_ctx_namespace(struct sp_ctx *ctx)
{
    if (ctx->ns_made)
        return ctx->ns;
    if (!writable(ctx))
        return NULL;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_object_ref o = { "namespace", ctx->ns, NULL };
    (void)snprintf(ctx->ns, sizeof ctx->ns, "sp_%.8s_%.20s", ctx->job->run, ctx->job->tag);
    int rc = ctx->sessions[0] == NULL ? sp_open(&ctx->sessions[0], ctx->kind, &ctx->endpoint, &err) : 0;
    if (rc == 0)
        rc = sp_journal_note(ctx->journal, true, &ctx->job->provider, &o, &err);
    if (rc == 0) {
        rc = sp_db_ns_create(ctx->sessions[0], ctx->ns, &err);
        if (rc == -SP_E_EXISTS || rc == -SP_E_UNSUPPORTED)
            (void)sp_journal_note(ctx->journal, false, &ctx->job->provider, &o, NULL);
    }
    ctx->ns_made = rc == 0;
    for (unsigned i = 0; rc == 0 && i < SP_IDENTITIES; i++) {
        if (ctx->sessions[i] != NULL) {
            rc = sp_db_ns_use(ctx->sessions[i], ctx->ns, &err);
            ctx->in_ns[i] = rc == 0;
        }
    }
    if (rc != 0) {
        sp_ctx_error_from(ctx, "making the run's namespace", &err);
        sp_error_clear(&err);
        return NULL;
    }
    return ctx->ns;
}

int sp_ctx_drop_namespace(struct sp_ctx *ctx, struct sp_error *err)
{
    struct sp_object_ref o = { "namespace", ctx->ns, NULL };
    if (!ctx->ns_made)
        return 0;
    int rc = ctx->sessions[0] == NULL ? sp_open(&ctx->sessions[0], ctx->kind, &ctx->endpoint, err) : 0;
    if (rc == 0)
        rc = sp_object_remove(ctx->sessions[0], &o, NULL, err);
    if (rc == 0)
        rc = sp_journal_note(ctx->journal, false, &ctx->job->provider, &o, err);
    ctx->ns_made = rc != 0;
    return rc;
}

/* Without namespaces a table could be the user's own: never journal, and never drop, one that was there before. */
static bool is_free(struct sp_ctx *ctx, const char *name)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_schema *schema = NULL;
    int rc = sp_db_introspect(ctx->sessions[0], NULL, &schema, &err);
    bool taken = rc == 0 && sp_schema_table(schema, name) != NULL;
    sp_schema_free(schema);
    if (rc != 0)
        sp_ctx_error_from(ctx, "looking whether the table's name is free", &err);
    else if (taken)
        sp_ctx_error(ctx, "table %s exists already and is not this run's; nothing was done to it", name);
    sp_error_clear(&err);
    return rc == 0 && !taken;
}

bool sp_ctx_table(struct sp_ctx *ctx, const struct sp_table *t)
{
    bool spaces = ctx->caps[SP_CAP_NAMESPACES].level == SP_CAP_YES;
    if (!writable(ctx) || sp_ctx_session(ctx, 0) == NULL || (spaces && sp_ctx_namespace(ctx) == NULL))
        return false;
    if (!spaces && !is_free(ctx, t->name))
        return false;
    if (!will_make(ctx, "table", t->name, spaces ? ctx->ns : NULL))
        return false;
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_db_table_create(ctx->sessions[0], t, true, &err);
    if (rc == 0)
        return true;
    /* EXISTS: an earlier case's; anything else may have left it half-made, and it is removed like a whole one. */
    if (rc == -SP_E_EXISTS)
        did_not_make(ctx);
    if (rc == -SP_E_EXISTS || err.origin != SP_ORIGIN_BACKEND) {
        sp_ctx_error_from(ctx, "creating a table", &err);
        sp_error_clear(&err);
        return false;
    }
    (void)sp_check_ok(ctx, "creating a table", rc, &err);
    sp_error_clear(&err);
    return false;
}

static const char *fresh_name(
    struct sp_ctx *ctx, const char *fmt_head, char sep, const char *tag, const char *tail)
{
    /* Buckets take neither blanks nor capitals, and 63 bytes at most. */
    char clean[13];
    size_t n = 0;
    for (const char *s = tag; *s != '\0' && n + 1 < sizeof clean; s++) {
        char c = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            clean[n++] = c;
    }
    clean[n] = '\0';
    char worker[24];
    n = 0;
    for (const char *s = ctx->job->tag; *s != '\0' && n + 1 < sizeof worker; s++)
        worker[n++] = *s == '_' ? sep : *s;
    worker[n] = '\0';
    const char *name = sp_arena_printf(&ctx->arena, "%s%c%.8s%c%s%c%u%s%s%s", fmt_head, sep, ctx->job->run,
        sep, worker, sep, ++ctx->serial, clean[0] != '\0' ? (sep == '_' ? "_" : "-") : "", clean, tail);
    if (name == NULL)
        sp_ctx_error(ctx, "out of memory");
    return name;
}

const char *sp_ctx_bucket(struct sp_ctx *ctx, const char *tag)
{
    struct sp_session *s = writable(ctx) ? sp_ctx_session(ctx, 0) : NULL;
    const char *name = s != NULL ? fresh_name(ctx, "sp", '-', tag, "") : NULL;
    if (name == NULL || !will_make(ctx, "bucket", name, NULL))
        return NULL;
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_blob_bucket_create(s, name, &err);
    if (rc == -SP_E_EXISTS)
        did_not_make(ctx);
    if (rc != 0) {
        (void)sp_check_ok(ctx, "creating a bucket", rc, &err);
        sp_error_clear(&err);
        return NULL;
    }
    return name;
}

const char *sp_ctx_email(struct sp_ctx *ctx, const char *tag)
{
    const char *name = writable(ctx) ? fresh_name(ctx, "sp", '-', tag, "@example.com") : NULL;
    return name != NULL && will_make(ctx, "email", name, NULL) ? name : NULL;
}

const char *sp_ctx_role(struct sp_ctx *ctx, const char *tag)
{
    const char *name = writable(ctx) ? fresh_name(ctx, "sp", '_', tag, "") : NULL;
    return name != NULL && will_make(ctx, "role", name, NULL) ? name : NULL;
}

bool sp_ctx_server(struct sp_ctx *ctx, enum sp_server_action what)
{
    struct sp_error err = SP_ERROR_INIT;
    if ((ctx->c->flags & SP_CASE_FAULTS) == 0) {
        sp_ctx_error(ctx, "the case disturbs the server and does not say so in its row");
        return false;
    }
    ctx->disturbed = true;
    int rc = sp_stack_do(&ctx->endpoint, ctx->job->provider.kind, what, &err);
    if (rc != 0)
        sp_ctx_error_from(ctx, "controlling the server", &err);
    sp_error_clear(&err);
    return rc == 0;
}

const char *sp_ctx_more_namespace(struct sp_ctx *ctx, const char *tag)
{
    struct sp_session *s = writable(ctx) ? sp_ctx_session(ctx, 0) : NULL;
    const char *name = s != NULL ? fresh_name(ctx, "sp", '_', tag, "") : NULL;
    if (name == NULL || !will_make(ctx, "namespace", name, NULL))
        return NULL;
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_db_ns_create(s, name, &err);
    if (rc == -SP_E_EXISTS)
        did_not_make(ctx);
    if (rc != 0) {
        (void)sp_check_ok(ctx, "creating a namespace", rc, &err);
        sp_error_clear(&err);
        return NULL;
    }
    return name;
}

bool sp_ctx_claim_namespace(struct sp_ctx *ctx, const char *name)
{
    return writable(ctx) && will_make(ctx, "namespace", name, NULL);
}
