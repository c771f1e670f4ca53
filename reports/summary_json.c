/* summary_json.c -- summary.json, for machines. */
#include <jansson.h>
#include <stdlib.h>

#include "reports/json_util.h"
#include "reports/semantics.h"

static json_t *run_of(const struct rd *r)
{
    json_t *run = json_object();
    rdj_text(run, "id", rd_text(&r->start, SP_FLD_run));
    rdj_text(run, "command", rd_text(&r->start, SP_FLD_command));
    rdj_text(run, "started", rd_text(&r->start, SP_FLD_started));
    rdj_text(run, "seed", rd_text(&r->start, SP_FLD_seed));
    rdj_text(run, "config_digest", rd_text(&r->start, SP_FLD_config_digest));
    rdj_text(run, "host", rd_text(&r->start, SP_FLD_host));
    rdj_text(run, "os", rd_text(&r->start, SP_FLD_os));
    rdj_set(run, "duration_s",
        json_real(r->end.json == NULL ? 0 : sp_event_get_real(&r->end, SP_FLD_duration_s, 0)));
    rdj_set(run, "truncated", json_boolean(r->truncated));
    if (r->damage != NULL)
        rdj_text(run, "damage", r->damage);
    return run;
}

static json_t *totals_of(const struct rd *r)
{
    static const char *const names[] = { "passed", "failed", "errored", "skipped", "xfailed" };
    json_t *t = json_object();
    for (size_t i = 0; i < 5; i++)
        rdj_set(t, names[i], json_integer((json_int_t)r->totals[i]));
    return t;
}

static json_t *providers_of(const struct rd *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->nproviders; i++) {
        const struct rd_provider *p = &r->providers[i];
        json_t *o = json_object();
        rdj_text(o, "name", p->name);
        rdj_text(o, "kind", p->kind);
        rdj_text(o, "fidelity", p->fidelity[0] == '\0' ? "unknown" : p->fidelity);
        rdj_text(o, "server_version", p->server_version);
        rdj_text(o, "access", p->access);
        if (p->error[0] != '\0')
            rdj_text(o, "error", p->error);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *cases_of(const struct rd *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < r->ncases; i++) {
        const struct rd_case *c = &r->cases[i];
        json_t *o = json_object();
        rdj_text(o, "id", c->id);
        rdj_text(o, "suite", c->suite);
        rdj_text(o, "provider", c->provider);
        rdj_text(o, "outcome", c->outcome);
        rdj_set(o, "duration_s", json_real(c->duration_s));
        rdj_text(o, "message", c->message[0] != '\0' ? c->message : c->reason);
        if (c->capability[0] != '\0')
            rdj_text(o, "capability", c->capability);
        if (c->link[0] != '\0')
            rdj_text(o, "link", c->link);
        if (c->repeat[0] != '\0')
            rdj_text(o, "repeat", c->repeat);
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *topic_of(const struct rd *r, const struct rds_topic *t)
{
    static const char *const kinds[] = { "differs", "differs", "alike", "seen once", "not observed" };
    json_t *o = json_object(), *classes = json_array(), *none = json_array();
    rdj_text(o, "topic", t->topic);
    rdj_text(o, "id", t->id);
    rdj_text(o, "result", kinds[t->kind]);
    rdj_set(o, "source_target_differ", json_boolean(t->kind == RDS_SWITCH));
    for (size_t k = 0; k < t->nclasses; k++) {
        json_t *c = json_object(), *who = json_array();
        char letter[24];
        rds_letter(k, letter);
        rdj_text(c, "class", letter);
        rdj_text(c, "behaviour", t->classes[k]);
        for (size_t p = 0; p < r->nproviders; p++)
            if (t->cells[p].class == k)
                json_array_append_new(who, json_string(r->providers[p].name));
        rdj_set(c, "providers", who);
        json_array_append_new(classes, c);
    }
    for (size_t p = 0; p < r->nproviders; p++) {
        if (t->cells[p].class != RDS_NONE)
            continue;
        json_t *n = json_object();
        rdj_text(n, "provider", r->providers[p].name);
        rdj_text(n, "reason", t->cells[p].reason);
        json_array_append_new(none, n);
    }
    rdj_set(o, "classes", classes);
    rdj_set(o, "not_observed", none);
    return o;
}

static json_t *semantics_of(const struct rd *r)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct rds s;
    json_t *list = rds_load(r, &a, &s) == 0 ? json_array() : NULL;
    for (size_t i = 0; list != NULL && i < s.n; i++)
        json_array_append_new(list, topic_of(r, &s.v[i]));
    sp_arena_free(&a);
    return list;
}

int rd_summary_json(const struct rd *r, struct sp_buf *out, struct sp_error *err)
{
    json_t *root = json_object(), *tool = json_object();
    rdj_set(root, "format", json_integer(1));
    rdj_text(tool, "name", "switchproof");
    rdj_text(tool, "version", rd_text(&r->start, SP_FLD_version));
    rdj_set(root, "tool", tool);
    rdj_set(root, "run", run_of(r));
    rdj_text(root, "verdict", rd_verdict(r));
    rdj_set(root, "exit_code", r->truncated ? json_null() : json_integer((json_int_t)rd_exit_code(r)));
    rdj_text(root, "reasons", rd_text(&r->end, SP_FLD_reasons));
    rdj_set(root, "totals", totals_of(r));
    rdj_set(root, "providers", providers_of(r));
    rdj_set(root, "cases", cases_of(r));
    rdj_set(root, "semantics", semantics_of(r));
    if (rd_verify_verdict(r) != NULL)
        rdj_text(root, "verify", rd_verify_verdict(r));
    return rdj_write(root, out, err);
}
