/* cmd_verify.c -- switchproof verify. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/resume.h"
#include "cli/sides.h"
#include "verify/explain.h"

#define DIRECTORY "build/verify"

static unsigned checks_of(const struct sp_args *a)
{
    unsigned checks = 0;
    for (size_t i = 0; i < a->checks.n; i++) {
        checks |= sp_verify_check(a->checks.v[i]);
    }
    /* Tables chosen by name leave out all that is no table. */
    return checks != 0 ? checks : a->tables.n != 0 ? SP_VC_DATA : SP_VC_ALL;
}

/* The configuration's checks as the parallel arrays that sp_verify() takes; false when out of memory. */
static const char *text_of(const struct sp_config_check *check, const char *kind)
{
    for (size_t i = 0; i < check->nraw; i++) {
        if (strcmp(check->kinds[i], kind) == 0) {
            return check->raw[i];
        }
    }
    return NULL;
}

static bool add_custom(struct sp_sides *s, struct sp_verify_options *o)
{
    size_t n = s->config->nchecks;
    const struct sp_query **queries = sp_arena_array(&s->arena, n + 1, sizeof *queries);
    const char **names = sp_arena_array(&s->arena, n + 1, sizeof *names);
    int64_t *expect = sp_arena_array(&s->arena, n + 1, sizeof *expect);
    struct sp_verify_demand *demands = sp_arena_array(&s->arena, n + 1, sizeof *demands);
    struct sp_verify_query *answers = sp_arena_array(&s->arena, n + 1, sizeof *answers);
    if (answers == NULL || demands == NULL || queries == NULL || names == NULL || expect == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct sp_config_check *check = &s->config->checks[i];
        if (check->kind == SP_CHECK_SAME || (check->kind == SP_CHECK_COUNT && check->nraw != 0)) {
            answers[o->nqueries++] = (struct sp_verify_query){ .name = check->name,
                .query = check->nraw == 0 ? &check->query : NULL,
                .raw = { text_of(check, s->provider[0].kind), text_of(check, s->provider[1].kind) },
                .same = check->kind == SP_CHECK_SAME,
                .ordered = check->ordered,
                .expect = check->expect };
        } else if (check->kind == SP_CHECK_COUNT) {
            queries[o->ncustom] = &check->query;
            names[o->ncustom] = check->name;
            expect[o->ncustom++] = check->expect;
        } else {
            demands[o->ndemands++] = (struct sp_verify_demand){ .name = check->name,
                .table = check->table,
                .columns = check->columns,
                .ncolumns = check->ncolumns,
                .unique = check->kind == SP_CHECK_UNIQUE };
        }
    }
    o->custom = queries;
    o->custom_names = names;
    o->custom_expect = expect;
    o->demands = demands;
    o->queries = answers;
    return true;
}

/* More sessions of each side. Fewer than asked for still compare everything, so that is only said. */
struct readers {
    struct sp_session *raw[2][64], *v[2][64];
    size_t n[2];
};

static void open_readers(struct readers *r, struct sp_sides *s, uint64_t jobs)
{
    *r = (struct readers){ .n = { 0, 0 } };
    for (size_t i = 0; i < 2; i++) {
        const struct sp_provider *kind = sp_session_provider(s->raw[i]);
        if (jobs > 1 && (kind->db == NULL || kind->db->split == NULL)) {
            sp_log_warn("%s: kind %s reads a table in one session, whatever --jobs says", s->provider[i].name,
                kind->kind);
            continue;
        }
        while (r->n[i] + 1 < jobs && r->n[i] < SP_LEN(r->v[i])) {
            struct sp_error err = SP_ERROR_INIT;
            struct sp_session **raw = &r->raw[i][r->n[i]];
            int rc = sp_open(raw, kind, &s->endpoint[i], &err);
            if (rc == 0 && (rc = sp_sides_lens(s, i, *raw, &r->v[i][r->n[i]], &err)) != 0) {
                sp_close(*raw);
            }
            if (rc != 0) {
                sp_log_warn("%s: reads with %zu sessions, not %llu: %s", s->provider[i].name, r->n[i] + 1,
                    (unsigned long long)jobs, sp_error_text(&err));
                sp_error_clear(&err);
                break;
            }
            r->n[i]++;
        }
    }
}

static void close_readers(struct readers *r)
{
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < r->n[i]; k++) {
            if (r->v[i][k] != r->raw[i][k]) {
                sp_close(r->v[i][k]);
            }
            sp_close(r->raw[i][k]);
        }
    }
}

/* A session beside those that read: how it goes on their servers. Without it, reading goes on unwatched. */
static void open_watch(struct sp_verify_options *o, struct sp_endpoint endpoint[2], struct sp_sides *s)
{
    for (size_t i = 0; i < 2 && sp_interrupted() == 0; i++) {
        struct sp_error err = SP_ERROR_INIT;
        const struct sp_provider *kind = sp_session_provider(s->raw[i]);
        if (kind->db == NULL || kind->db->burden == NULL) {
            continue;
        }
        o->raw[i] = s->raw[i];
        endpoint[i] = s->endpoint[i];
        endpoint[i].statement_timeout_ms = 3000; /* it is asked while others are waited for */
        endpoint[i].connect_timeout_ms = 3000;
        if (sp_open(&o->watch[i], kind, &endpoint[i], &err) != 0) {
            o->watch[i] = NULL;
            sp_log_warn("%s: nobody looks whether the comparison is in the way: %s", s->provider[i].name,
                sp_error_text(&err));
        }
        sp_error_clear(&err);
    }
}

static void read_gently(
    const struct sp_args *a, const struct sp_config_verify *cfg, struct sp_verify_options *o)
{
    o->rate = a->rate != 0 ? a->rate : cfg->rate > 1 ? (uint64_t)cfg->rate : cfg->rate > 0;
    o->max_lag_ms = a->max_lag != 0 ? (int64_t)a->max_lag : cfg->max_lag_ms;
    o->max_snapshot_ms = a->max_snapshot != 0 ? (int64_t)a->max_snapshot : cfg->max_snapshot_ms;
    o->recheck_ms = a->recheck != 0 ? (int64_t)a->recheck : cfg->recheck_ms;
}

/* A share of the rows, or a number of them. */
static bool read_sample(const char *text, double *share, uint64_t *rows)
{
    char word[32];
    size_t n = text != NULL ? strlen(text) : 0;
    *share = 0;
    *rows = 0;
    if (n == 0) {
        return text == NULL;
    }
    if (text[n - 1] == '%') {
        return sp_parse_percent(text, share) && *share > 0 && *share <= 1;
    }
    if (!sp_strlcpy(word, text, sizeof word)) {
        return false;
    }
    if (sp_str_suffix(word, "rows")) {
        word[n - strlen("rows")] = '\0';
    }
    return sp_parse_u64(word, rows) && *rows > 0;
}

/* Checks that need all rows are not part of a sample, unless they were asked for by name: that is refused later. */
static void sample(const struct sp_args *a, struct sp_verify_options *o, uint64_t seed)
{
    (void)read_sample(a->sample, &o->sample_share, &o->sample_rows);
    o->sample_seed = seed;
    if (a->sample == NULL) {
        return;
    }
    if (a->checks.n == 0) {
        o->checks = SP_VC_SCHEMA | SP_VC_ROWS | SP_VC_SEQUENCES;
    }
    if (a->recheck == 0) {
        o->recheck_ms = 0; /* of the configuration */
    }
}

static struct sp_verify_options options_of(const struct sp_args *a)
{
    return (struct sp_verify_options){ .checks = checks_of(a),
        .tables = a->tables.v,
        .ntables = a->tables.n,
        .buckets = a->buckets.v,
        .nbuckets = a->buckets.n,
        .accept_loss = a->accept_loss.v,
        .naccept_loss = a->accept_loss.n,
        .accept = a->accept.v,
        .naccept = a->accept.n,
        .max_differences = a->max_differences,
        .show_values = a->show_values,
        .strict_integrity = a->strict_integrity };
}

static int compare(
    struct sp_sides *s, const struct sp_args *a, uint64_t seed, struct sp_evidence *e, const char **verdict)
{
    struct sp_error err = SP_ERROR_INIT;
    enum sp_verify_verdict v = SP_VV_NOT_COMPARED;
    struct sp_verify_options o = options_of(a);
    o.progress = a->quiet ? NULL : sp_progress_about; /* who is not told needs no estimates */
    o.payload = &e->progress;
    struct sp_endpoint beside[2];
    read_gently(a, &s->config->verify, &o);
    sample(a, &o, seed);
    open_watch(&o, beside, s);
    struct readers readers;
    open_readers(&readers, s, a->jobs);
    for (size_t i = 0; i < 2; i++) {
        o.readers[i] = readers.v[i];
        o.nreaders[i] = readers.n[i];
    }
    struct sp_watch watch = { .n = 0 };
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < readers.n[i]; k++) {
            sp_watch_add(&watch, readers.raw[i][k]);
        }
    }
    sp_watch_add(&watch, o.watch[0]);
    sp_watch_add(&watch, o.watch[1]);
    bool unread = true;
    o.unread = &unread;
    int rc = a->sample != NULL ? 0 : sp_resume_open(&o.state, e, &err); /* a look is not resumed */
    sp_watch_begin(&watch);
    /* A signal in the meantime stopped nothing here, and the sessions that it reached go on with their next statement. */
    if (rc == 0 && sp_interrupted() != 0) {
        rc = sp_fail(&err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted");
    }
    if (rc == 0) {
        rc = add_custom(s, &o) ? sp_sides_map_options(s, &o, &err) : sp_nomem(&err);
    }
    if (rc == 0) {
        rc = sp_verify(s->session[0], s->session[1], &o, e->emitter, &v, &e->reasons, &err);
    }
    sp_watch_end(&watch);
    close_readers(&readers);
    sp_vstate_close(o.state, rc == 0 && !unread);
    sp_close(o.watch[0]);
    sp_close(o.watch[1]);
    int code = rc == 0 ? sp_verify_exit_code(v) : sp_cli_exit_of(&err);
    if (rc != 0) {
        v = SP_VV_NOT_COMPARED;
        sp_evidence_reason(e, "", &err);
    }
    *verdict = sp_verify_verdict_name(v);
    if (sp_interrupted() != 0) {
        *verdict = "INTERRUPTED";
        code = SP_EXIT_INTERRUPTED;
    }
    return code;
}

/* A side that cannot be opened: the comparison's events say so, and verify.json with them. */
static void nothing_compared(struct sp_sides *s, struct sp_evidence *e)
{
    struct sp_event ev;
    sp_event_begin(&ev, SP_EV_VERIFY_START);
    sp_event_text(&ev, SP_FLD_source, s->provider[0].name);
    sp_event_text(&ev, SP_FLD_target, s->provider[1].name);
    sp_event_text(&ev, SP_FLD_source_kind, s->provider[0].kind);
    sp_event_text(&ev, SP_FLD_target_kind, s->provider[1].kind);
    (void)sp_event_send(e->emitter, &ev, NULL);
    for (size_t i = 0; i < 2; i++) {
        if (s->session[i] == NULL) {
            sp_event_begin(&ev, SP_EV_NOT_COMPARED);
            sp_event_text(&ev, SP_FLD_name, s->provider[i].name);
            sp_event_text(&ev, SP_FLD_what, "everything");
            sp_event_text(&ev, SP_FLD_reason, sp_error_text(&s->error[i]));
            (void)sp_event_send(e->emitter, &ev, NULL);
        }
    }
    sp_event_begin(&ev, SP_EV_VERIFY_END);
    sp_event_text(&ev, SP_FLD_verdict, sp_verify_verdict_name(SP_VV_NOT_COMPARED));
    sp_event_int(&ev, SP_FLD_tables, 0);
    sp_event_int(&ev, SP_FLD_differences, 0);
    (void)sp_event_send(e->emitter, &ev, NULL);
}

/* The plan, to standard output: no evidence is made of it. */
static int explain(struct sp_sides *s, const struct sp_args *a)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_buf text = SP_BUF_INIT;
    struct sp_verify_options o = options_of(a);
    int rc = sp_sides_map(s, &err);
    if (rc == 0) {
        rc = sp_sides_map_options(s, &o, &err);
    }
    if (rc == 0) {
        rc = sp_verify_explain(s->session[0], s->session[1], &o, &text, &err);
    }
    if (rc == 0) {
        (void)fputs(text.p, stdout);
    }
    int code = rc == 0 ? SP_EXIT_OK : sp_cli_fail(&err);
    sp_error_clear(&err);
    sp_buf_free(&text);
    return code;
}

static int see_through(struct sp_sides *s, struct sp_evidence *e)
{
    struct sp_error err = SP_ERROR_INIT;
    if (sp_sides_map(s, &err) == 0) {
        return -1;
    }
    int code = sp_cli_exit_of(&err);
    sp_evidence_reason(e, "", &err);
    return code;
}

int sp_cmd_verify(const struct sp_program *program, struct sp_args *a)
{
    struct sp_sides s;
    struct sp_evidence e;
    double share;
    uint64_t rows;
    if (!read_sample(a->sample, &share, &rows)) {
        return sp_cli_usage(
            a, "--sample: expected a share such as 1%% or a number such as 1000rows, found '%s'", a->sample);
    }
    if (a->sample != NULL && a->resume) {
        return sp_cli_usage(a, "--sample and --resume don't go together: a sample is begun anew");
    }
    int code = sp_sides_resolve(&s, program, a, false);
    if (code >= 0) {
        sp_sides_close(&s);
        return code;
    }
    s.live = a->recheck != 0 || s.config->verify.recheck_ms != 0;
    sp_interrupt_install();
    code = sp_sides_open(&s, program);
    if (code == SP_EXIT_USAGE || (code != -1 && a->explain)) {
        for (size_t i = 0; i < 2; i++) {
            if (s.session[i] == NULL) {
                sp_log_error("%s", sp_error_text(&s.error[i]));
            }
        }
        sp_sides_close(&s);
        return code;
    }
    if (a->explain) {
        code = explain(&s, a);
        sp_sides_close(&s);
        return code;
    }
    uint64_t seed = a->sample != NULL ? sp_cli_seed(a) : 0;
    int opened = sp_evidence_open(&e, program, a, s.config, DIRECTORY, seed);
    if (opened >= 0) {
        sp_sides_close(&s);
        return opened;
    }
    const char *verdict = sp_verify_verdict_name(SP_VV_NOT_COMPARED);
    if (code != -1) {
        nothing_compared(&s, &e);
    }
    sp_sides_announce(&s, &e);
    if (code == -1) {
        code = see_through(&s, &e);
    }
    if (code == -1) {
        code = compare(&s, a, seed, &e, &verdict);
    }
    code = sp_evidence_close(&e, verdict, code);
    sp_sides_close(&s);
    return code;
}
