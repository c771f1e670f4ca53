/* report_streams.h -- handwritten event streams for the tests of the reports.
 *
 * Each stream_*() opens `dir`, writes, and closes or abandons; asserts that all of it works. */
#ifndef REPORT_STREAMS_H
#define REPORT_STREAMS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/io.h"
#include "event.h"
#include "measure/histogram.h"

/* Text that tries to become markup, to reorder a line, to colour a terminal. */
#define HOSTILE                                                                                              \
    "<script>alert(1)</script>\"'&amp;]]>\xe2\x80\xae"                                                       \
    "evil\xe2\x80\x8b|`*_[x](javascript:1)\x1b[31m\nsecond <b>line</b>"

#define T(f, s) sp_event_text(&ev, SP_FLD_##f, s)
#define I(f, v) sp_event_int(&ev, SP_FLD_##f, v)
#define R(f, v) sp_event_real(&ev, SP_FLD_##f, v)
#define B(f, v) sp_event_bool(&ev, SP_FLD_##f, v)
#define EVENT(kind)                                                                                          \
    struct sp_event ev;                                                                                      \
    sp_event_begin(&ev, SP_EV_##kind)
#define SEND() assert_int_equal(sp_event_send(em, &ev, NULL), 0)

static void run_start(struct sp_emitter *em, const char *command)
{
    EVENT(RUN_START);
    I(format, SP_EVENT_FORMAT), T(run, "k3v9x2ab"), T(command, command), T(tool, "switchproof");
    T(version, "0.1.0"), T(seed, "20260721"), T(started, "2026-07-21T08:15:30Z"), T(host, "build-7");
    T(os, "Linux 6.1 x86_64"), T(cpu, "2 x Example CPU"), T(argv, "switchproof run -c switchproof.yaml");
    SEND();
}

static void run_end(
    struct sp_emitter *em, const char *verdict, int64_t code, const int64_t n[5], const char *why)
{
    EVENT(RUN_END);
    T(verdict, verdict), I(exit_code, code), I(passed, n[0]), I(failed, n[1]), I(errored, n[2]),
        I(skipped, n[3]);
    I(xfailed, n[4]), R(duration_s, 3.71), T(reasons, why), B(interrupted, false);
    SEND();
}

static void provider(struct sp_emitter *em, const char *name, const char *kind, const char *fidelity,
    const char *version, const char *notes, const char *error)
{
    EVENT(PROVIDER);
    T(name, name), T(kind, kind), T(access, "disposable"), T(url, "sqlite:build/demo/app.db");
    if (error == NULL)
        T(fidelity, fidelity), T(server_version, version), T(notes, notes);
    T(error, error);
    SEND();
}

static void plan(struct sp_emitter *em, const char *p, const char *suite, int64_t cases)
{
    EVENT(PLAN);
    T(provider, p), T(suite, suite), I(cases, cases);
    SEND();
}

static void plan_case(
    struct sp_emitter *em, const char *p, const char *suite, const char *id, const char *promise)
{
    EVENT(PLAN_CASE);
    T(id, id), T(suite, suite), T(provider, p), T(promise, promise);
    SEND();
}

static void case_end(struct sp_emitter *em, const char *p, const char *suite, const char *id,
    const char *outcome, const char *message, const char *reason)
{
    EVENT(CASE_END);
    T(id, id), T(suite, suite), T(provider, p), T(outcome, outcome), R(duration_s, 0.0123), I(nchecks, 7);
    T(message, message), T(reason, reason);
    if (strcmp(outcome, "failed") == 0 || strcmp(outcome, "errored") == 0)
        T(repeat, "switchproof run -c switchproof.yaml -p next -k crud.update --seed 20260721");
    if (strcmp(outcome, "xfailed") == 0)
        T(link, "https://tracker.example/17");
    if (strcmp(outcome, "skipped") == 0)
        T(capability, "transactions");
    SEND();
}

static void check(struct sp_emitter *em, const char *p, const char *suite, const char *id, const char *what,
    const char *expected, const char *actual)
{
    EVENT(CHECK);
    T(id, id), T(suite, suite), T(provider, p), T(what, what), T(expected, expected), T(actual, actual);
    T(code, "unique"), T(native, "SQLITE_CONSTRAINT_UNIQUE"), T(origin, "backend"), T(file, "suites/crud.c"),
        I(line, 88);
    SEND();
}

static void capability(struct sp_emitter *em, const char *p, const char *name, const char *facet,
    const char *declared, const char *effective, int64_t limit, const char *why)
{
    EVENT(CAPABILITY);
    T(provider, p), T(capability, name), T(facet, facet), T(declared, declared), T(effective, effective);
    if (limit >= 0)
        I(limit, limit);
    T(why, why), B(finding, strcmp(declared, "yes") == 0 && strcmp(effective, "yes") != 0);
    SEND();
}

static void audit(struct sp_emitter *em, const char *p, const char *outcome, const char *message)
{
    EVENT(CAP_AUDIT);
    T(provider, p), T(capability, "savepoints"), T(outcome, outcome), T(message, message);
    SEND();
}

static void measure(
    struct sp_emitter *em, const char *p, const char *operation, uint64_t base, uint64_t spread)
{
    struct sp_histogram *h = sp_hist_new();
    struct sp_buf text = SP_BUF_INIT;
    uint64_t x = 88172645463325252u;
    assert_non_null(h);
    for (size_t i = 0; i < 20000; i++) {
        uint64_t ns = base;
        for (size_t k = 0; k < 6; k++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            ns += x % spread;
        }
        sp_hist_record(h, i % 150 == 0 ? ns * 6 : ns);
    }
    assert_int_equal(sp_hist_print(&text, h), 0);
    EVENT(MEASURE);
    T(provider, p), T(suite, "performance"), T(id, "performance.latency"), T(operation, operation),
        T(unit, "s");
    T(basis, "service"), I(count, 20000), I(errors, 0), I(dropped, 0), I(late, 3), R(duration_s, 1.5),
        R(rate, 13333.0);
    R(mean, sp_hist_mean(h) * 1e-9), R(p50, (double)sp_hist_quantile(h, 0.5) * 1e-9);
    R(p95, (double)sp_hist_quantile(h, 0.95) * 1e-9), R(p99, (double)sp_hist_quantile(h, 0.99) * 1e-9);
    R(max, (double)h->max_ns * 1e-9), T(hist, text.p);
    SEND();
    sp_buf_free(&text);
    sp_hist_free(h);
}

static void semantics(struct sp_emitter *em, const char *p, const char *topic, const char *observed)
{
    EVENT(SEMANTICS);
    T(provider, p), T(id, "crud.order_nulls"), T(topic, topic), T(observed, observed);
    SEND();
}

static void note(struct sp_emitter *em, const char *level, const char *text)
{
    EVENT(NOTE);
    T(level, level), T(text, text);
    SEND();
}

static void output(struct sp_emitter *em, const char *text)
{
    EVENT(OUTPUT);
    T(provider, "next"), T(suite, "crud"), T(id, "crud.update"), T(stream, "stderr"), T(text, text);
    SEND();
}

static void one_suite(struct sp_emitter *em, const char *p, const char *suite, size_t n)
{
    char id[64];
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(id, sizeof id, "%s.promise_%zu", suite, i + 1);
        plan_case(em, p, suite, id, "what was written is read back");
        case_end(em, p, suite, id, "passed", NULL, NULL);
    }
}

static inline void stream_run(const char *dir, const char *odd)
{
    const char *const suites[] = { "connection", "storage", "auth" };
    const char *const names[] = { "local", "next", "stand-in" };
    const int64_t totals[5] = { 33, 2, 1, 3, 1 };
    struct sp_event_file *f;
    assert_int_equal(sp_event_file_open(&f, dir, NULL, NULL, NULL), 0);
    struct sp_emitter *em = sp_event_file_emitter(f);
    run_start(em, "run");
    provider(em, "local", "sqlite", "real", "3.40.1", "", NULL);
    provider(em, "next", "sqlite", "compatible server", "9.9", odd, NULL);
    provider(em, "stand-in", "mock", "mock", "1", "in memory", NULL);
    provider(em, "gone", "filesystem", NULL, NULL, NULL, odd);
    for (size_t i = 0; i < 3; i++) {
        for (size_t s = 0; s < 3; s++)
            plan(em, names[i], suites[s], 3);
        plan(em, names[i], "crud", i == 0 ? 2 : i == 1 ? 7 : 4);
    }
    for (size_t i = 0; i < 3; i++) {
        capability(em, names[i], "transactions", "database", i == 2 ? "no" : "yes", i == 0 ? "yes" : "no", -1,
            i == 1 ? "the server answers BEGIN with an error" : NULL);
        capability(em, names[i], "batch_rows", "database", "yes", "yes", i == 0 ? INT64_MAX : 1000, NULL);
        capability(
            em, names[i], "multipart", "storage", "yes", i == 2 ? "unknown" : "yes", -1, i == 2 ? odd : NULL);
        for (size_t s = 0; s < 3; s++)
            one_suite(em, names[i], suites[s], 3);
        one_suite(em, names[i], "crud", 2);
    }
    plan_case(em, "next", "crud", "crud.update", odd);
    plan_case(em, "next", "crud", "crud.unique", "a second row with the same key is refused");
    plan_case(em, "next", "crud", "crud.crash", "survives");
    check(em, "next", "crud", "crud.update", odd, odd, odd);
    case_end(em, "next", "crud", "crud.update", "failed", odd, NULL);
    check(em, "next", "crud", "crud.unique", "error code of the second create", "unique: key (7) exists",
        "unique: key (8) exists");
    case_end(em, "next", "crud", "crud.unique", "failed", "wrong key", NULL);
    case_end(em, "next", "crud", "crud.crash", "errored", "the worker died from signal 11", NULL);
    output(em, odd);
    case_end(
        em, "stand-in", "crud", "crud.commit", "skipped", NULL, "transactions is not offered by this server");
    case_end(em, "stand-in", "crud", "crud.rollback", "skipped", NULL,
        "transactions is not offered by this server");
    case_end(em, "next", "crud", "crud.odd", "skipped", NULL, odd);
    case_end(em, "next", "crud", "crud.known", "xfailed", NULL, "known since spring");
    audit(em, "local", "held", "answers unsupported");
    audit(em, "next", "broken", "it pretends to work");
    measure(em, "local", "read by key", 30000, 20000);
    measure(em, "local", odd, 90000, 90000);
    measure(em, "stand-in", "read by key", 900, 500);
    semantics(em, "local", "nulls when ordered", "first");
    semantics(em, "next", "nulls when ordered", "last");
    semantics(em, "local", "text compared", odd);
    note(em, "warning", odd);
    run_end(em, "BROKEN", 1, totals, odd);
    assert_int_equal(sp_event_file_close(f, NULL), 0);
}

/* ---- verify -------------------------------------------------------------------------------------------------- */

static void verify_start(struct sp_emitter *em)
{
    EVENT(VERIFY_START);
    T(source, "prod-copy"), T(target, "next"), T(source_kind, "sqlite"), T(target_kind, "sqlite");
    T(source_version, "3.40.1"), T(target_version, "3.40.1"), T(checks, "schema,rows,relations,sequences");
    T(source_state, "change counter 118"), T(target_state, "change counter 3"), B(show_values, true);
    SEND();
}

static void table(
    struct sp_emitter *em, const char *name, int64_t a, int64_t b, int64_t missing, int64_t changed)
{
    bool equal = a == b && missing == 0 && changed == 0;
    EVENT(TABLE);
    T(name, name), I(source_rows, a), I(target_rows, b), B(digest_equal, equal), I(missing, missing);
    I(extra, 0), I(changed, changed), I(duplicates_source, 0), I(duplicates_target, 0), T(rules, ""),
        B(keyed, true);
    T(plan, "5be21f6c90aa4410"), T(source_digest, "91f0aa7c23de55019c1e02b7f4410b6d");
    T(target_digest, equal ? "91f0aa7c23de55019c1e02b7f4410b6d" : "06b1d4492fcc31f7a08855e1b7cd9021");
    R(duration_s, 0.114);
    SEND();
}

static void difference(struct sp_emitter *em, const char *name, const char *kind, const char *key,
    const char *column, const char *expected, const char *actual)
{
    EVENT(DIFFERENCE);
    T(name, name), T(difference, kind), T(key, key), T(column, column), T(expected, expected),
        T(actual, actual);
    T(digest, "c0ffee00c0ffee00"), T(side, strcmp(kind, "missing") == 0 ? "source" : "target");
    SEND();
}

static void cause(
    struct sp_emitter *em, const char *column, double confidence, int64_t count, const char *message)
{
    EVENT(DIAGNOSIS);
    T(name, "package"), T(column, column), T(topic, confidence > 0 ? "letter_case" : "unknown");
    R(confidence, confidence), I(count, count), I(examined, 2), I(differences, 3), T(key, HOSTILE);
    T(message, message), T(advice, "take lower() out of the load");
    SEND();
}

static void verify_extras(struct sp_emitter *em)
{
    cause(em, "description", 0, 1, "no pattern recognised");
    cause(em, NULL, 0.75, 1, HOSTILE);
    cause(em, "maintainer", 0.95, 2, "only the case of letters differs");
    {
        EVENT(SCHEMA_DIFF);
        T(element, "type"), T(name, "installed_size"), T(table, "package"), T(expected, "int64"),
            T(actual, "text");
        T(difference, "changed"), B(accepted, false);
        SEND();
    }
    {
        EVENT(RELATION);
        T(name, "dependency_package"), T(child, "dependency"), T(parent, "package"), T(columns, "package_id");
        I(source_orphans, 4), I(target_orphans, 6), I(introduced, 2), I(preexisting, 4);
        SEND();
    }
    {
        EVENT(SEQUENCE);
        T(name, "package"), I(source_next, 1203), I(target_next, 2), B(behind, true);
        SEND();
    }
    {
        EVENT(RULE);
        T(name, "package"), T(column, "updated"), T(rule, "truncate_ms"), I(touched, 812), B(lossy, true);
        B(accepted, false), T(why, "the target keeps milliseconds");
        SEND();
    }
    {
        EVENT(NOT_COMPARED);
        T(name, "audit_log"), T(what, "trigger"), T(reason, "triggers are not inspected");
        SEND();
    }
    {
        EVENT(FINDING);
        T(name, "package"), T(column, "installed_size"), T(topic, "storage class"), I(count, 3);
        T(message, "3 values are text in an integer column");
        SEND();
    }
    {
        EVENT(CUSTOM_CHECK);
        T(name, "open tasks have an agent"), T(provider, "next"), T(expected, "0"), T(actual, "5"),
            T(outcome, "failed");
        SEND();
    }
}

static inline void stream_verify(const char *dir, const char *verdict, int64_t code)
{
    const int64_t none[5] = { 0 };
    struct sp_event_file *f;
    bool equal = strcmp(verdict, "equal") == 0;
    assert_int_equal(sp_event_file_open(&f, dir, NULL, NULL, NULL), 0);
    struct sp_emitter *em = sp_event_file_emitter(f);
    run_start(em, "verify");
    provider(em, "prod-copy", "sqlite", "real", "3.40.1", "", NULL);
    provider(em, "next", "sqlite", "official emulator", "3.40.1", "", NULL);
    verify_start(em);
    table(em, "package", 1202, equal ? 1202 : 1201, equal ? 0 : 1, equal ? 0 : 2);
    table(em, "dependency", 10841, 10841, 0, 0);
    if (!equal) {
        difference(em, "package", "missing", "name=zlib1g", NULL, "1 row", "no such row");
        difference(em, "package", "changed", "name=bash", "maintainer", "Matthias Klose <doko@debian.org>",
            "Matthias Klose <doko@debian.com>");
        difference(em, "package", "changed", HOSTILE, "description", HOSTILE, "Zo\xc3\xab");
        verify_extras(em);
    }
    {
        EVENT(VERIFY_END);
        T(verdict, verdict), I(tables, 2), I(differences, equal ? 0 : 8), B(capped, !equal),
            R(duration_s, 0.4);
        I(rows, 24084), I(bytes, 1 << 21);
        SEND();
    }
    run_end(
        em, equal ? "EQUAL" : "DIFFERENT", code, none, equal ? NULL : "table package: 1 missing, 2 changed");
    assert_int_equal(sp_event_file_close(f, NULL), 0);
}

static inline void stream_migrate(const char *dir, int64_t code)
{
    const int64_t none[5] = { 0 };
    struct sp_event_file *f;
    assert_int_equal(sp_event_file_open(&f, dir, NULL, NULL, NULL), 0);
    struct sp_emitter *em = sp_event_file_emitter(f);
    run_start(em, "migrate");
    provider(em, "prod-copy", "sqlite", "real", "3.40.1", "", NULL);
    {
        EVENT(MIGRATE_TABLE);
        T(name, "package"), I(rows, 1202), I(bytes, 4096000), R(duration_s, 0.5), R(rate, 2404),
            T(message, HOSTILE);
        SEND();
    }
    {
        EVENT(MIGRATE_END);
        T(outcome, code == 0 ? "copied" : "failed"), I(tables, 1), I(rows, 1202), I(bytes, 4096000),
            R(duration_s, 0.5);
        SEND();
    }
    run_end(em, code == 0 ? "MIGRATED" : "NOT MIGRATED", code, none, code == 0 ? NULL : "the disk is full");
    assert_int_equal(sp_event_file_close(f, NULL), 0);
}

static inline void stream_empty(const char *dir)
{
    const int64_t none[5] = { 0 };
    struct sp_event_file *f;
    assert_int_equal(sp_event_file_open(&f, dir, NULL, NULL, NULL), 0);
    run_start(sp_event_file_emitter(f), "run");
    run_end(sp_event_file_emitter(f), "NOTHING RAN", 5, none, "no case was selected");
    assert_int_equal(sp_event_file_close(f, NULL), 0);
}

static inline void stream_truncated(const char *dir)
{
    struct sp_event_file *f;
    assert_int_equal(sp_event_file_open(&f, dir, NULL, NULL, NULL), 0);
    struct sp_emitter *em = sp_event_file_emitter(f);
    run_start(em, "run");
    provider(em, "local", "sqlite", "real", "3.40.1", "", NULL);
    one_suite(em, "local", "crud", 2);
    plan_case(em, "local", "crud", "crud.never_came", "is carried out");
    sp_event_file_abandon(f);
}

static inline void stream_raw(const char *dir, const char *text)
{
    char path[4096];
    assert_int_equal(sp_mkdirs(dir, NULL), 0);
    assert_int_equal(sp_path_join(path, sizeof path, dir, "events.jsonl", NULL), 0);
    assert_int_equal(sp_write_file_atomic(path, text, strlen(text), NULL), 0);
}

#endif
