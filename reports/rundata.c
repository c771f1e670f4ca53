/* rundata.c -- reading events.jsonl, line by line. */
#include "reports/rundata.h"
#include "reports/assess.h"
#include "reports/causes.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

const char *rd_text(const struct sp_event_in *ev, enum sp_event_field f)
{
    const char *s = ev->json == NULL ? NULL : sp_event_get_text(ev, f);
    return s == NULL ? "" : s;
}

static const char *keep(struct rd *r, const struct sp_event_in *ev, enum sp_event_field f)
{
    const char *s = sp_arena_str(&r->arena, rd_text(ev, f));
    return s == NULL ? "" : s;
}

/* The first damage counts. */
static void damaged(struct rd *r, const char *fmt, int64_t n)
{
    r->truncated = true;
    if (r->damage == NULL)
        r->damage = sp_arena_printf(&r->arena, fmt, (long long)n);
}

static struct rd_case *find_case(struct rd *r, const char *id, const char *provider)
{
    for (size_t i = r->ncases; i-- > 0;)
        if (strcmp(r->cases[i].id, id) == 0 && strcmp(r->cases[i].provider, provider) == 0)
            return &r->cases[i];
    return NULL;
}

static bool known_suite(const struct rd *r, const char *name)
{
    for (size_t i = 0; i < r->nsuites; i++)
        if (strcmp(r->suites[i], name) == 0)
            return true;
    return false;
}

static int note_suite(struct rd *r, const char *name)
{
    if (known_suite(r, name))
        return 0;
    const char **grown =
        sp_arena_grow(&r->arena, r->suites, &r->suite_cap, r->nsuites + 1, sizeof *r->suites);
    if (grown == NULL)
        return -SP_E_NOMEM;
    r->suites = grown;
    r->suites[r->nsuites++] = name;
    return 0;
}

/* Planned providers count too: the cases of one that never came up must not vanish from the reports. */
static struct rd_provider *provider_of(struct rd *r, const char *name)
{
    for (size_t i = 0; i < r->nproviders; i++)
        if (strcmp(r->providers[i].name, name) == 0)
            return &r->providers[i];
    struct rd_provider *grown =
        sp_arena_grow(&r->arena, r->providers, &r->provider_cap, r->nproviders + 1, sizeof *grown);
    const char *kept = sp_arena_str(&r->arena, name);
    if (grown == NULL || kept == NULL)
        return NULL;
    r->providers = grown;
    r->providers[r->nproviders] = (struct rd_provider){ .name = kept,
        .kind = "",
        .url = "",
        .fidelity = "",
        .server_version = "",
        .notes = "",
        .access = "",
        .error = "" };
    return &r->providers[r->nproviders++];
}

static struct rd_case *add_case(struct rd *r, const struct sp_event_in *ev)
{
    struct rd_case *grown = sp_arena_grow(&r->arena, r->cases, &r->case_cap, r->ncases + 1, sizeof *grown);
    if (grown == NULL)
        return NULL;
    r->cases = grown;
    struct rd_case *c = &r->cases[r->ncases++];
    *c = (struct rd_case){ .outcome = "not run",
        .message = "",
        .reason = "",
        .link = "",
        .repeat = "",
        .seed = "",
        .capability = "",
        .id = keep(r, ev, SP_FLD_id),
        .suite = keep(r, ev, SP_FLD_suite),
        .provider = keep(r, ev, SP_FLD_provider),
        .promise = keep(r, ev, SP_FLD_promise) };
    return note_suite(r, c->suite) == 0 && provider_of(r, c->provider) != NULL ? c : NULL;
}

static struct rd_case *case_of(struct rd *r, const struct sp_event_in *ev)
{
    struct rd_case *c = find_case(r, rd_text(ev, SP_FLD_id), rd_text(ev, SP_FLD_provider));
    return c != NULL ? c : add_case(r, ev);
}

static int take_check(struct rd *r, const struct sp_event_in *ev)
{
    struct rd_case *c = case_of(r, ev);
    struct rd_check *k = sp_arena_alloc(&r->arena, sizeof *k);
    if (c == NULL || k == NULL)
        return -SP_E_NOMEM;
    *k = (struct rd_check){ .what = keep(r, ev, SP_FLD_what),
        .expected = keep(r, ev, SP_FLD_expected),
        .actual = keep(r, ev, SP_FLD_actual),
        .code = keep(r, ev, SP_FLD_code),
        .native = keep(r, ev, SP_FLD_native),
        .origin = keep(r, ev, SP_FLD_origin),
        .file = keep(r, ev, SP_FLD_file),
        .line = sp_event_get_int(ev, SP_FLD_line, 0) };
    struct rd_check **at = &c->checks;
    while (*at != NULL)
        at = &(*at)->next;
    *at = k;
    return 0;
}

static int take_case_end(struct rd *r, const struct sp_event_in *ev)
{
    struct rd_case *c = case_of(r, ev);
    if (c == NULL)
        return -SP_E_NOMEM;
    if (strcmp(c->outcome, "not run") != 0)
        damaged(r, "a case ends a second time in event %lld", ev->seq);
    c->outcome = keep(r, ev, SP_FLD_outcome);
    c->message = keep(r, ev, SP_FLD_message);
    c->reason = keep(r, ev, SP_FLD_reason);
    c->link = keep(r, ev, SP_FLD_link);
    c->repeat = keep(r, ev, SP_FLD_repeat);
    c->seed = keep(r, ev, SP_FLD_seed);
    c->capability = keep(r, ev, SP_FLD_capability);
    c->duration_s = sp_event_get_real(ev, SP_FLD_duration_s, 0);
    c->nchecks = sp_event_get_int(ev, SP_FLD_nchecks, 0);
    return 0;
}

/* A provider is announced by every worker that opens it: the last announcement with facts counts. */
static int take_provider(struct rd *r, const struct sp_event_in *ev)
{
    struct rd_provider *p = provider_of(r, rd_text(ev, SP_FLD_name));
    if (p == NULL)
        return -SP_E_NOMEM;
    if (p->kind[0] != '\0' && p->error[0] == '\0' && rd_text(ev, SP_FLD_error)[0] != '\0') {
        p->error = keep(r, ev, SP_FLD_error);
        return 0;
    }
    const char *error = p->error[0] != '\0' ? p->error : keep(r, ev, SP_FLD_error);
    *p = (struct rd_provider){ .name = keep(r, ev, SP_FLD_name),
        .kind = keep(r, ev, SP_FLD_kind),
        .url = keep(r, ev, SP_FLD_url),
        .fidelity = keep(r, ev, SP_FLD_fidelity),
        .server_version = keep(r, ev, SP_FLD_server_version),
        .notes = keep(r, ev, SP_FLD_notes),
        .access = keep(r, ev, SP_FLD_access),
        .error = error };
    return 0;
}

static int take_cap(struct rd *r, const struct sp_event_in *ev)
{
    const char *provider = rd_text(ev, SP_FLD_provider), *name = rd_text(ev, SP_FLD_capability);
    for (size_t i = 0; i < r->ncaps; i++)
        if (strcmp(r->caps[i].provider, provider) == 0 && strcmp(r->caps[i].capability, name) == 0)
            return 0;
    struct rd_cap *grown = sp_arena_grow(&r->arena, r->caps, &r->cap_cap, r->ncaps + 1, sizeof *grown);
    if (grown == NULL)
        return -SP_E_NOMEM;
    r->caps = grown;
    r->caps[r->ncaps++] = (struct rd_cap){ .provider = keep(r, ev, SP_FLD_provider),
        .capability = keep(r, ev, SP_FLD_capability),
        .facet = keep(r, ev, SP_FLD_facet),
        .declared = keep(r, ev, SP_FLD_declared),
        .effective = keep(r, ev, SP_FLD_effective),
        .why = keep(r, ev, SP_FLD_why),
        .limit = sp_event_get_int(ev, SP_FLD_limit, -1),
        .finding = sp_event_get_bool(ev, SP_FLD_finding, false) };
    return 0;
}

/* Keeps the event itself. */
static int take_row(struct rd *r, struct sp_event_in *ev)
{
    struct rd_rows *rows = &r->of[ev->kind];
    struct rd_row *grown = sp_arena_grow(&r->arena, rows->v, &rows->cap, rows->n + 1, sizeof *grown);
    if (grown == NULL)
        return -SP_E_NOMEM;
    rows->v = grown;
    rows->v[rows->n++].ev = *ev;
    ev->json = NULL;
    return 0;
}

static int take(struct rd *r, struct sp_event_in *ev)
{
    switch (ev->kind) {
    case SP_EV_RUN_START:
    case SP_EV_RUN_END: {
        struct sp_event_in *slot = ev->kind == SP_EV_RUN_START ? &r->start : &r->end;
        sp_event_in_free(slot);
        *slot = *ev;
        ev->json = NULL;
        return 0;
    }
    case SP_EV_PLAN:
        return note_suite(r, keep(r, ev, SP_FLD_suite));
    case SP_EV_PLAN_CASE:
        return add_case(r, ev) == NULL ? -SP_E_NOMEM : 0;
    case SP_EV_CASE_START:
        return case_of(r, ev) == NULL ? -SP_E_NOMEM : 0;
    case SP_EV_CHECK:
        return take_check(r, ev);
    case SP_EV_CASE_END:
        return take_case_end(r, ev);
    case SP_EV_PROVIDER:
        return take_provider(r, ev);
    case SP_EV_CAPABILITY:
        return take_cap(r, ev);
    case SP_EV_VERIFY_START:
        r->verified = true;
        return take_row(r, ev);
    default:
        return take_row(r, ev);
    }
}

static int open_stream(struct rd *r, FILE **out, const char *report_dir, struct sp_error *err)
{
    static const char *const names[] = { "events.jsonl", "events.jsonl.part" };
    char path[4096];
    *out = NULL;
    for (size_t i = 0; i < SP_LEN(names); i++) {
        int rc = sp_path_join(path, sizeof path, report_dir, names[i], err);
        if (rc < 0)
            return rc;
        *out = fopen(path, "re");
        r->truncated = i == 1;
        if (*out != NULL)
            return 0;
        if (errno != ENOENT && errno != ENOTDIR)
            return sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "%s: %s", path, strerror(errno));
    }
    return sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS,
        "%s: no events.jsonl here; name the report directory of a run", report_dir);
}

/* Numbers without a gap, run_start first, nothing behind run_end. */
static void check_order(struct rd *r, const struct sp_event_in *ev, int64_t last)
{
    if (ev->seq != last + 1)
        damaged(r, "events are missing before number %lld", ev->seq);
    if ((ev->kind == SP_EV_RUN_START) != (last == 0))
        damaged(r, "the run's start is not the first event, but number %lld", ev->seq);
    if (r->end.json != NULL)
        damaged(r, "event %lld stands behind the end of the run", ev->seq);
}

/* The totals stand last in the stream, so that a part that went missing shows. */
static void check_totals(struct rd *r)
{
    static const char *const names[] = { "passed", "failed", "errored", "skipped", "xfailed" };
    const enum sp_event_field fields[] = { SP_FLD_passed, SP_FLD_failed, SP_FLD_errored, SP_FLD_skipped,
        SP_FLD_xfailed };
    for (size_t i = 0; i < SP_LEN(names); i++) {
        for (size_t k = 0; k < r->ncases; k++)
            r->totals[i] += strcmp(names[i], r->cases[k].outcome) == 0;
        int64_t said = r->end.json == NULL ? -1 : sp_event_get_int(&r->end, fields[i], -1);
        if (said >= 0 && (uint64_t)said != r->totals[i])
            damaged(r, "the totals at its end are not those of its cases (exit code %lld)",
                sp_event_get_int(&r->end, SP_FLD_exit_code, -1));
    }
}

/* An end that says 0 over cases or a comparison that say otherwise must not look like success. */
static void check_code(struct rd *r)
{
    if (r->end.json == NULL || sp_event_get_int(&r->end, SP_FLD_exit_code, -1) != 0)
        return;
    const char *verdict = rd_verify_verdict(r);
    bool held = r->totals[1] + r->totals[2] == 0;
    for (size_t i = 0; i < r->ncases && held; i++)
        held = strcmp(r->cases[i].outcome, "not run") != 0;
    if (verdict != NULL && (strcmp(verdict, "different") == 0 || strcmp(verdict, "not_compared") == 0 ||
                               strcmp(verdict, "no_difference_seen") == 0))
        held = false;
    if (!held)
        damaged(r, "it ends with exit code %lld, which its cases or its comparison contradict", 0);
}

static int read_lines(struct rd *r, FILE *f, struct sp_error *err)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int64_t number = 0, seq = 0;
    int rc = 0;
    while (rc == 0 && (n = getline(&line, &cap, f)) > 0) {
        struct sp_event_in ev = { 0 };
        struct sp_error bad = SP_ERROR_INIT;
        number++;
        if (line[n - 1] != '\n') {
            damaged(r, "the last line, %lld, is cut", number);
            break;
        }
        int parsed = sp_event_parse(line, (size_t)n - 1, &ev, &bad);
        if (parsed == -SP_E_UNSUPPORTED) {
            seq++; /* of a newer version: skipped, but it has its number */
        } else if (parsed < 0) {
            damaged(r, "line %lld is not an event", number);
        } else {
            check_order(r, &ev, seq);
            seq = ev.seq;
            if (take(r, &ev) < 0)
                rc = sp_nomem(err);
        }
        sp_error_clear(&bad);
        sp_event_in_free(&ev);
    }
    if (rc == 0 && ferror(f))
        rc = sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "reading the events: %s", strerror(errno));
    free(line);
    return rc;
}

int rd_load(struct rd **out, const char *report_dir, struct sp_error *err)
{
    struct rd *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return sp_nomem(err);
    FILE *f;
    int rc = open_stream(r, &f, report_dir, err);
    if (rc == 0)
        rc = read_lines(r, f, err);
    if (f != NULL)
        fclose(f);
    if (rc < 0) {
        rd_free(r);
        return rc;
    }
    rd_causes_order(r);
    rd_assess_order(r);
    check_totals(r);
    check_code(r);
    if (r->end.json == NULL)
        damaged(r, "the run has no end", 0);
    else if (r->truncated)
        damaged(r, "events.jsonl.part was never closed", 0);
    *out = r;
    return 0;
}

void rd_free(struct rd *r)
{
    if (r == NULL)
        return;
    sp_event_in_free(&r->start);
    sp_event_in_free(&r->end);
    for (size_t k = 0; k < SP_EV_N; k++)
        for (size_t i = 0; i < r->of[k].n; i++)
            sp_event_in_free(&r->of[k].v[i].ev);
    sp_arena_free(&r->arena);
    free(r);
}

struct rd_cell rd_cell(const struct rd *r, const char *provider, const char *suite)
{
    struct rd_cell cell = { 0 };
    for (size_t i = 0; i < r->ncases; i++) {
        const struct rd_case *c = &r->cases[i];
        if (strcmp(c->provider, provider) != 0 || strcmp(c->suite, suite) != 0)
            continue;
        cell.passed += strcmp(c->outcome, "passed") == 0;
        cell.failed += strcmp(c->outcome, "failed") == 0;
        cell.errored += strcmp(c->outcome, "errored") == 0;
        cell.skipped += strcmp(c->outcome, "skipped") == 0;
        cell.xfailed += strcmp(c->outcome, "xfailed") == 0;
        cell.not_run += strcmp(c->outcome, "not run") == 0;
        cell.duration_s += c->duration_s;
    }
    return cell;
}

const char *rd_verdict(const struct rd *r)
{
    return r->truncated ? "TRUNCATED" : rd_text(&r->end, SP_FLD_verdict);
}

int64_t rd_exit_code(const struct rd *r)
{
    return r->truncated ? -1 : sp_event_get_int(&r->end, SP_FLD_exit_code, -1);
}

enum rd_table_state rd_table_state(const struct sp_event_in *table)
{
    const enum sp_event_field counts[] = { SP_FLD_missing, SP_FLD_extra, SP_FLD_changed };
    if (sp_event_get_bool(table, SP_FLD_digest_equal, false))
        return RD_TABLE_EQUAL;
    for (size_t i = 0; i < SP_LEN(counts); i++)
        if (sp_event_get_int(table, counts[i], -1) != 0)
            return RD_TABLE_DIFFERENT;
    if (sp_event_get_int(table, SP_FLD_unsettled, 0) != 0)
        return RD_TABLE_UNSETTLED;
    return sp_event_get_int(table, SP_FLD_in_flight, 0) != 0 ? RD_TABLE_IN_FLIGHT : RD_TABLE_DIFFERENT;
}

const char *rd_verify_verdict(const struct rd *r)
{
    const struct rd_rows *ends = &r->of[SP_EV_VERIFY_END];
    if (!r->verified)
        return NULL;
    return r->truncated || ends->n == 0 ? "not_compared" : rd_text(&ends->v[ends->n - 1].ev, SP_FLD_verdict);
}
