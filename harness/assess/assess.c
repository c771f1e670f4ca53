/* assess.c -- the course: one state of the source, its schema, table by table, then what it comes to. */
#include "assess/assess.h"

#include <stdlib.h>
#include <time.h>

#include "assess/internal.h"
#include "run/run.h"

double sp_a_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void fail(struct sp_actx *c, struct sp_error *why)
{
    if (c->rc == 0) {
        c->rc = why->code == SP_E_OK ? -SP_E_INTERNAL : -(int)why->code;
        sp_error_move(c->err, why);
    }
    sp_error_clear(why);
}

int sp_a_nomem(struct sp_actx *c)
{
    struct sp_error err = SP_ERROR_INIT;
    sp_nomem(&err);
    fail(c, &err);
    return -SP_E_NOMEM;
}

void sp_a_send(struct sp_actx *c, struct sp_event *ev)
{
    struct sp_error err = SP_ERROR_INIT;
    if (sp_event_send(c->em, ev, &err) != 0)
        fail(c, &err);
    sp_error_clear(&err);
}

void sp_a_finding(struct sp_actx *c, enum sp_risk risk, const char *table, const char *column,
    const char *topic, uint64_t count, uint64_t examined, const char *advice, const char *fmt, ...)
{
    struct sp_event ev;
    struct sp_buf text = SP_BUF_INIT;
    va_list ap;
    va_start(ap, fmt);
    sp_buf_vprintf(&text, fmt, ap);
    va_end(ap);
    c->found[risk]++;
    sp_event_begin(&ev, SP_EV_ASSESS_FINDING);
    sp_event_text(&ev, SP_FLD_risk, sp_risk_name(risk));
    sp_event_text(&ev, SP_FLD_name, table);
    sp_event_text(&ev, SP_FLD_column, column);
    sp_event_text(&ev, SP_FLD_topic, topic);
    sp_event_int(&ev, SP_FLD_count, (int64_t)count);
    if (examined != 0)
        sp_event_int(&ev, SP_FLD_examined, (int64_t)examined);
    sp_event_text(&ev, SP_FLD_message, text.p);
    sp_event_text(&ev, SP_FLD_advice, advice);
    sp_a_send(c, &ev);
    sp_buf_free(&text);
}

void sp_a_unknown(struct sp_actx *c, const char *table, const char *topic, struct sp_error *why)
{
    if (why->code == SP_E_CANCELLED && sp_interrupted() != 0) {
        fail(c, why);
        return;
    }
    c->out->complete = false;
    sp_a_finding(c, SP_RISK_MEDIUM, table, NULL, "not looked at", 0, 0,
        "give the session the rights, or mend what the message says, and assess again", "%s: %s", topic,
        sp_error_text(why));
}

/* ---- the course --------------------------------------------------------------------------------------------------------- */

static bool selected(const struct sp_actx *c, const char *name)
{
    bool any = c->opt->ntables == 0;
    for (size_t i = 0; i < c->opt->ntables && !any; i++)
        any = sp_glob(c->opt->tables[i], name, false);
    return any;
}

static int choose(struct sp_actx *c)
{
    c->tables = sp_arena_array(&c->arena, c->schema->ntables + 1, sizeof *c->tables);
    if (c->tables == NULL)
        return sp_a_nomem(c);
    for (size_t i = 0; i < c->schema->ntables; i++)
        if (selected(c, c->schema->tables[i].name))
            c->tables[c->ntables++] =
                (struct sp_atable){ .t = &c->schema->tables[i], .volume = SP_VOLUME_UNKNOWN };
    if (c->ntables != 0 || c->opt->ntables == 0)
        return 0;
    c->rc = sp_invalid(c->err, "no table matches --tables %s", c->opt->tables[0]);
    return c->rc;
}

static void send_start(struct sp_actx *c, const char *state, const char *version)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_ASSESS_START);
    sp_event_text(&ev, SP_FLD_source, sp_session_endpoint(c->s)->name);
    sp_event_text(&ev, SP_FLD_source_kind, c->kind->kind);
    sp_event_text(&ev, SP_FLD_source_version, version);
    sp_event_text(&ev, SP_FLD_source_state, state);
    if (c->opt->target != NULL)
        sp_event_text(&ev, SP_FLD_target_kind, c->opt->target->kind);
    sp_a_send(c, &ev);
}

static void look(struct sp_actx *c)
{
    for (size_t i = 0; i < c->ntables && c->rc == 0; i++) {
        struct sp_atable *x = &c->tables[i];
        sp_a_read(c, x);
        if (c->rc == 0)
            sp_a_types(c, x);
        if (c->rc == 0)
            sp_a_growth(c, x);
        if (c->rc == 0)
            sp_a_integrity(c, x);
        if (c->rc == 0)
            sp_a_declared(c, x);
    }
    if (c->rc == 0)
        sp_a_objects(c);
    if (c->rc == 0)
        sp_a_order(c);
}

static void assess(struct sp_actx *c, const char *version)
{
    struct sp_error err = SP_ERROR_INIT;
    char state[64] = "";
    int rc = sp_db_snapshot_begin(c->s, state, &err);
    bool snapshot = rc == 0;
    if (rc == -SP_E_UNSUPPORTED) {
        sp_error_clear(&err);
        rc = 0;
    }
    if (rc == 0)
        rc = sp_db_introspect(c->s, NULL, &c->schema, &err);
    if (rc != 0)
        fail(c, &err);
    if (c->rc == 0 && choose(c) == 0) {
        send_start(c, state, version);
        look(c);
    }
    if (snapshot && sp_db_snapshot_end(c->s, &err) != 0 && c->rc == 0)
        sp_a_unknown(c, "", "one state of the source", &err);
    sp_error_clear(&err);
    if (c->rc == 0 && sp_interrupted() != 0)
        c->rc = sp_fail(c->err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    if (c->rc == 0)
        sp_a_conclude(c);
}

int sp_assess(struct sp_session *s, const struct sp_assess_options *opt, struct sp_emitter *em,
    struct sp_assessment *out, struct sp_buf *reasons, struct sp_error *err)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    *out = (struct sp_assessment){ .complete = true };
    int rc = sp_effective(s, caps, &facts, err);
    if (rc != 0)
        return rc;
    struct sp_actx c = { .s = s,
        .opt = opt,
        .em = em,
        .err = err,
        .arena = SP_ARENA_INIT,
        .kind = sp_session_provider(s),
        .caps = caps,
        .out = out,
        .reasons = reasons };
    c.same_kind = opt->target != NULL && strcmp(opt->target->kind, c.kind->kind) == 0;
    assess(&c, facts.server_version);
    sp_schema_free(c.schema);
    sp_arena_free(&c.arena);
    return c.rc;
}
