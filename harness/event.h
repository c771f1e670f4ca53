/* event.h -- the event stream: what every report is made of. FORMAT 1.
 *
 * One table of kinds and one of fields make writer, reader and documentation. An event is a flat list of typed
 * fields; on disk it is one JSON object a line: {"seq":N,"t":SECONDS,"ev":"case_end",...}. The parent process is the sole writer of
 * events.jsonl and adds seq (1, 2, 3 ... without gaps) and t (seconds since run_start, 6 digits). Workers send events
 * over their socket, length-framed (u32 little-endian, then the JSON object without seq). The first event is
 * run_start, then plan events, the last is run_end: a file without it is truncated and is reported as such.
 * Text that is not UTF-8 becomes \xHH; secrets are redacted by the writer. Readers ignore fields they don't know.
 * An emitter may be used by one thread at a time. */
#ifndef SP_EVENT_H
#define SP_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define SP_EVENT_FORMAT 1

/* X(enum suffix, wire name, doc: which fields) */
#define SP_EVENTS(X)                                                                                         \
    X(RUN_START, "run_start",                                                                                \
        "format run command tool version seed started config_digest host os cpu argv report_dir source "     \
        "target: the switch that the configuration names")                                                   \
    X(PLAN, "plan", "provider suite cases: one per provider and suite")                                      \
    X(PLAN_CASE, "plan_case", "id suite provider promise")                                                   \
    X(PROVIDER, "provider",                                                                                  \
        "name kind url fidelity server_version notes access; or error when it cannot be opened")             \
    X(CAPABILITY, "capability", "provider capability facet declared effective limit why finding")            \
    X(CAP_AUDIT, "capability_audit",                                                                         \
        "provider capability outcome message: what is not offered must say unsupported")                     \
    X(CASE_START, "case_start", "id suite provider")                                                         \
    X(CHECK, "check", "id suite provider what expected actual code origin native file line: a failed check") \
    X(CASE_END, "case_end",                                                                                  \
        "id suite provider outcome duration_s nchecks message reason link repeat seed capability")           \
    X(OUTPUT, "output", "suite provider id stream text: what a worker printed")                              \
    X(MEASURE, "measure",                                                                                    \
        "provider suite id operation count errors dropped late duration_s rate unit mean p50 p90 p95 p99 "   \
        "p999 max min hist basis")                                                                           \
    X(SEMANTICS, "semantics",                                                                                \
        "provider id topic observed: behaviour, not pass or fail; or reason: not observed")                  \
    X(VERIFY_START, "verify_start",                                                                          \
        "source target source_kind target_kind source_version target_version checks "                        \
        "source_state target_state source_digest target_digest show_values sample seed rate recheck "        \
        "resumed mapping "                                                                                   \
        "mapping_digest")                                                                                    \
    X(TABLE, "table",                                                                                        \
        "name source_rows target_rows digest_equal missing extra changed duplicates_source "                 \
        "duplicates_target rules plan keyed source_digest target_digest duration_s source_state "            \
        "target_state in_flight unsettled resumed: in_flight rows differed and arrived, unsettled ones "     \
        "kept "                                                                                              \
        "moving; resumed = the run that read it")                                                            \
    X(RULE, "rule", "name column rule touched lossy accepted why")                                           \
    X(SCHEMA_DIFF, "schema_diff", "element name table expected actual difference accepted")                  \
    X(RELATION, "relation",                                                                                  \
        "name child parent columns source_orphans target_orphans introduced preexisting")                    \
    X(SEQUENCE, "sequence", "name source_next target_next behind")                                           \
    X(COUNTED, "counted",                                                                                    \
        "element name source_rows target_rows missing extra changed bytes message: a table counted by its "  \
        "server, a bucket's objects, accounts")                                                              \
    X(PROFILE, "profile",                                                                                    \
        "name column keyed source_nulls target_nulls source_missing target_missing source_distinct "         \
        "target_distinct source_min target_min source_max target_max source_longest target_longest "         \
        "message: a column whose values differ, and in what")                                                \
    X(CONSTRAINT, "constraint",                                                                              \
        "element name table columns source_faults target_faults introduced preexisting: unique or required") \
    X(DIFFERENCE, "difference",                                                                              \
        "name difference key column expected actual digest side since: one row or one cell")                 \
    X(NOT_COMPARED, "not_compared", "name what reason accepted")                                             \
    X(SAMPLED, "sampled",                                                                                    \
        "name source_rows target_rows examined missing extra changed at_most message: some rows, chosen by " \
        "chance; at_most = rows that may differ all the same, with 95 % certainty")                          \
    X(ASSESS_START, "assess_start", "source source_kind source_version source_state target_kind")            \
    X(ASSESS_TABLE, "assess_table",                                                                          \
        "name rows bytes max_row disk_bytes examined rate estimate_s growth step: bytes of content, from "   \
        "the rows that were read; step = place in the order of dependence")                                  \
    X(ASSESS_FINDING, "assess_finding",                                                                      \
        "risk name column topic count examined message advice: before a switch; of `examined` values")       \
    X(ASSESS_END, "assess_end",                                                                              \
        "risk tables rows bytes max_row estimate_s basis reasons advice complete: advice, a line each")      \
    X(DIAGNOSIS, "diagnosis",                                                                                \
        "name column topic confidence count examined differences key message advice: a likely cause; fits "  \
        "`count` of the `examined` values or rows, of `differences` in all")                                 \
    X(FINDING, "finding", "name column topic count message: worth knowing, not a difference")                \
    X(CUSTOM_CHECK, "custom_check", "name provider expected actual outcome: a team's own invariant")         \
    X(VERIFY_END, "verify_end",                                                                              \
        "verdict tables differences capped duration_s rows bytes in_flight unsettled")                       \
    X(MIGRATE_TABLE, "migrate_table", "name rows bytes duration_s rate message")                             \
    X(MIGRATE_END, "migrate_end", "outcome tables rows bytes duration_s message")                            \
    X(NOTE, "note", "level text: warnings and remarks for people")                                           \
    X(RUN_END, "run_end",                                                                                    \
        "verdict exit_code passed failed errored skipped xfailed duration_s reasons interrupted leftovers")

enum sp_event_kind {
#define SP_X(id, name, doc) SP_EV_##id,
    SP_EVENTS(SP_X)
#undef SP_X
        SP_EV_N
};

/* X(name, type): TEXT, INT, REAL, BOOL. The enum suffix and the wire name are the same word. */
/* clang-format off */
#define SP_FIELDS(X) \
    X(max_row, INT) X(disk_bytes, INT) X(estimate_s, REAL) X(growth, TEXT) X(step, INT) X(risk, TEXT) \
    X(complete, BOOL) X(at_most, INT) X(sample, TEXT) X(confidence, REAL) X(examined, INT) X(advice, TEXT) \
    X(source_nulls, INT) X(target_nulls, INT) X(source_distinct, INT) X(target_distinct, INT) \
    X(source_min, TEXT) X(target_min, TEXT) X(source_max, TEXT) X(target_max, TEXT) \
    X(source_missing, INT) X(target_missing, INT) X(source_longest, INT) X(target_longest, INT) \
    X(source_faults, INT) X(target_faults, INT) \
    X(accepted, BOOL) X(access, TEXT) X(actual, TEXT) X(argv, TEXT) X(basis, TEXT) X(behind, BOOL) \
    X(bytes, INT) X(capability, TEXT) X(capped, BOOL) X(cases, INT) X(changed, INT) X(checks, TEXT) \
    X(nchecks, INT) X(child, TEXT) X(code, TEXT) X(column, TEXT) X(columns, TEXT) X(command, TEXT) \
    X(config_digest, TEXT) X(count, INT) X(cpu, TEXT) X(declared, TEXT) X(difference, TEXT) \
    X(differences, INT) X(digest, TEXT) X(digest_equal, BOOL) X(dropped, INT) \
    X(duplicates_source, INT) X(duplicates_target, INT) X(duration_s, REAL) X(effective, TEXT) \
    X(element, TEXT) X(error, TEXT) X(errored, INT) X(errors, INT) X(exit_code, INT) \
    X(expected, TEXT) X(extra, INT) X(facet, TEXT) X(failed, INT) X(fidelity, TEXT) X(file, TEXT) \
    X(finding, BOOL) X(format, INT) X(hist, TEXT) X(host, TEXT) X(id, TEXT) X(in_flight, INT) X(interrupted, BOOL) \
    X(introduced, INT) X(key, TEXT) X(keyed, BOOL) X(kind, TEXT) X(late, INT) X(leftovers, INT) \
    X(level, TEXT) X(limit, INT) X(line, INT) X(link, TEXT) X(lossy, BOOL) X(mapping, TEXT) X(mapping_digest, TEXT) X(max, REAL) \
    X(mean, REAL) X(message, TEXT) X(min, REAL) X(missing, INT) X(name, TEXT) X(native, TEXT) \
    X(notes, TEXT) X(observed, TEXT) X(operation, TEXT) X(origin, TEXT) X(os, TEXT) \
    X(outcome, TEXT) X(p50, REAL) X(p90, REAL) X(p95, REAL) X(p99, REAL) X(p999, REAL) \
    X(parent, TEXT) X(passed, INT) X(plan, TEXT) X(preexisting, INT) X(promise, TEXT) \
    X(provider, TEXT) X(rate, REAL) X(reason, TEXT) X(reasons, TEXT) X(recheck, TEXT) X(repeat, TEXT) \
    X(report_dir, TEXT) X(resumed, TEXT) X(rows, INT) X(rule, TEXT) X(rules, TEXT) X(run, TEXT) X(seed, TEXT) \
    X(server_version, TEXT) X(show_values, BOOL) X(side, TEXT) X(since, TEXT) X(skipped, INT) X(source, TEXT) \
    X(source_digest, TEXT) X(source_kind, TEXT) X(source_next, INT) X(source_orphans, INT) \
    X(source_rows, INT) X(source_state, TEXT) X(source_version, TEXT) X(started, TEXT) \
    X(stream, TEXT) X(suite, TEXT) X(table, TEXT) X(tables, INT) X(target, TEXT) \
    X(target_digest, TEXT) X(target_kind, TEXT) X(target_next, INT) X(target_orphans, INT) \
    X(target_rows, INT) X(target_state, TEXT) X(target_version, TEXT) X(text, TEXT) X(tool, TEXT) \
    X(topic, TEXT) X(touched, INT) X(unit, TEXT) X(unsettled, INT) X(url, TEXT) X(verdict, TEXT) X(version, TEXT) \
    X(what, TEXT) X(why, TEXT) X(xfailed, INT)
/* clang-format on */

enum sp_event_field {
#define SP_X(name, type) SP_FLD_##name,
    SP_FIELDS(SP_X)
#undef SP_X
        SP_FLD_N
};
enum sp_field_type { SP_FT_TEXT, SP_FT_INT, SP_FT_REAL, SP_FT_BOOL };

struct sp_event {
    enum sp_event_kind kind;
    struct sp_buf json; /* ',"name":value' pairs so far */
    bool bad;           /* out of memory, or a field of another type */
};
/* Building: begin, set, send. sp_event_send() releases the event in every case; a NULL emitter drops it. A text is
 * redacted (but for the program's own words and the names of cases, suites and providers), loses control characters other than tab and newline to \xHH, and is cut after 64 KiB with a remark; setting a field twice
 * or with another type makes the event bad, and sending it is an error. */
void sp_event_begin(struct sp_event *ev, enum sp_event_kind kind);
void sp_event_text(
    struct sp_event *ev, enum sp_event_field f, const char *s); /* NULL: the field is left out */
void sp_event_textn(struct sp_event *ev, enum sp_event_field f, const void *p, size_t n);
void sp_event_int(struct sp_event *ev, enum sp_event_field f, int64_t v);
void sp_event_real(struct sp_event *ev, enum sp_event_field f, double v); /* not finite: left out */
void sp_event_bool(struct sp_event *ev, enum sp_event_field f, bool v);

/* Where events go. */
struct sp_emitter {
    /* `json` holds the fields alone, "id":"x","line":3 -- no braces, seq, t, ev; may be empty. 0 or negative error. */
    int (*send)(struct sp_emitter *, enum sp_event_kind, const char *json, size_t n, struct sp_error *);
};
int sp_event_send(struct sp_emitter *em, struct sp_event *ev, struct sp_error *err);

/* events.jsonl: created fresh, flushed event by event; the file stays named events.jsonl.part until close after
 * run_end, so that a truncated file cannot be mistaken for a whole one. `observer` (may be NULL) sees every line. */
struct sp_event_file;
typedef void (*sp_event_observer)(void *payload, enum sp_event_kind kind, const char *line, size_t n);
int sp_event_file_open(
    struct sp_event_file **, const char *report_dir, sp_event_observer, void *payload, struct sp_error *);
struct sp_emitter *sp_event_file_emitter(struct sp_event_file *);
int sp_event_file_close(struct sp_event_file *, struct sp_error *); /* renames; only after run_end was sent */
void sp_event_file_abandon(struct sp_event_file *);                 /* closes, leaves .part */

/* A worker's end of the socket: frames of at most SP_EVENT_FRAME_MAX bytes. The descriptor stays the caller's. */
#define SP_EVENT_FRAME_MAX (4u << 20)
struct sp_emitter *sp_event_socket_emitter(int fd, struct sp_error *); /* free with sp_event_socket_free */
void sp_event_socket_free(struct sp_emitter *);

/* Reading. An unknown event is -SP_E_UNSUPPORTED (skip it), anything malformed -SP_E_INVALID; seq and t are 0 in a
 * worker's frame. The parsed event borrows from `json` (jansson object), owned by the caller's record. */
struct sp_event_in {
    enum sp_event_kind kind;
    int64_t seq;
    double t;
    void *json; /* json_t* */
};
int sp_event_parse(const char *line, size_t n, struct sp_event_in *out, struct sp_error *err);
void sp_event_in_free(struct sp_event_in *);
void sp_event_copy(
    struct sp_event *out, const struct sp_event_in *in); /* begins `out`: known fields, redacted anew */
const char *sp_event_get_text(const struct sp_event_in *, enum sp_event_field); /* NULL if absent */
int64_t sp_event_get_int(const struct sp_event_in *, enum sp_event_field, int64_t fallback);
double sp_event_get_real(const struct sp_event_in *, enum sp_event_field, double fallback);
bool sp_event_get_bool(const struct sp_event_in *, enum sp_event_field, bool fallback);

const char *sp_event_name(enum sp_event_kind k);
const char *sp_event_doc(enum sp_event_kind k);
const char *sp_event_field_name(enum sp_event_field f);
enum sp_field_type sp_event_field_type(enum sp_event_field f);

#endif
