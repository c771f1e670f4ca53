/* evidence.c -- run_start, run_end and what lies around them. */
#include "cli/evidence.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "model/calendar.h"

int sp_cli_quote(struct sp_buf *out, const char *word)
{
    bool plain = *word != '\0';
    for (const char *p = word; *p != '\0' && plain; p++) {
        plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
                strchr("_-./:=,+@%", *p) != NULL;
    }
    if (plain) {
        return sp_buf_puts(out, word);
    }
    (void)sp_buf_putc(out, '\'');
    for (const char *p = word; *p != '\0'; p++) {
        (void)(*p == '\'' ? sp_buf_puts(out, "'\\''") : sp_buf_putc(out, *p));
    }
    return sp_buf_putc(out, '\'');
}

const char *sp_cli_repeat(struct sp_args *a)
{
    struct sp_buf b = SP_BUF_INIT;
    (void)sp_cli_quote(&b, a->self);
    (void)sp_buf_printf(&b, " %s", a->command->name);
    if (a->config != NULL) {
        (void)sp_buf_puts(&b, " -c ");
        (void)sp_cli_quote(&b, a->config);
    }
    (void)sp_buf_puts(&b, a->full ? " --full" : "");
    const char *text = b.oom ? NULL : sp_arena_str(&a->arena, b.p);
    sp_buf_free(&b);
    return text != NULL ? text : "switchproof run";
}

static void add_argv(struct sp_event *ev, const struct sp_args *a)
{
    struct sp_buf b = SP_BUF_INIT;
    for (int i = 0; i < a->argc; i++) {
        (void)sp_buf_puts(&b, i > 0 ? " " : "");
        (void)sp_cli_quote(&b, a->argv[i]);
    }
    if (!b.oom) {
        sp_event_textn(ev, SP_FLD_argv, b.p, b.n); /* secrets are hidden by the writer */
    }
    sp_buf_free(&b);
}

static void add_started(struct sp_event *ev)
{
    struct timespec now;
    struct sp_buf b = SP_BUF_INIT;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    struct sp_ts ts = { .sec = now.tv_sec, .nsec = 0 };
    if (sp_ts_print(&b, ts, true) == 0) {
        sp_event_textn(ev, SP_FLD_started, b.p, b.n);
    }
    sp_buf_free(&b);
}

/* "AMD EPYC ..., 2 processors" */
static void add_cpu(struct sp_event *ev)
{
    char line[512], model[256] = "unknown processor", text[320];
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon != NULL && colon[1] == ' ') {
            colon[strcspn(colon, "\n")] = '\0';
            (void)sp_strlcpy(model, colon + 2, sizeof model);
            break;
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    (void)snprintf(text, sizeof text, "%s, %ld online", model, sysconf(_SC_NPROCESSORS_ONLN));
    sp_event_text(ev, SP_FLD_cpu, text);
}

static int send_start(struct sp_evidence *e, uint64_t seed, struct sp_error *err)
{
    struct utsname u;
    struct sp_event ev;
    char text[sizeof u.sysname + sizeof u.release + sizeof u.machine + 4];
    sp_event_begin(&ev, SP_EV_RUN_START);
    sp_event_int(&ev, SP_FLD_format, SP_EVENT_FORMAT);
    sp_event_text(&ev, SP_FLD_run, e->run_id);
    sp_event_text(&ev, SP_FLD_command, e->args->command->name);
    sp_event_text(&ev, SP_FLD_tool, "switchproof");
    sp_event_text(&ev, SP_FLD_version, SP_VERSION);
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
    sp_event_text(&ev, SP_FLD_seed, text);
    add_started(&ev);
    sp_event_text(&ev, SP_FLD_config_digest, e->config->path != NULL ? e->config->digest : NULL);
    if (uname(&u) == 0) {
        (void)snprintf(text, sizeof text, "%s %s %s", u.sysname, u.release, u.machine);
        sp_event_text(&ev, SP_FLD_host, u.nodename);
        sp_event_text(&ev, SP_FLD_os, text);
    }
    add_cpu(&ev);
    add_argv(&ev, e->args);
    sp_event_text(&ev, SP_FLD_report_dir, e->dir);
    sp_event_text(&ev, SP_FLD_source, e->config->source);
    sp_event_text(&ev, SP_FLD_target, e->config->target);
    return sp_event_send(e->emitter, &ev, err);
}

static void observe(void *payload, enum sp_event_kind kind, const char *line, size_t n)
{
    struct sp_evidence *e = payload;
    (void)pthread_mutex_lock(&e->progress.lock);
    sp_progress_clear(&e->progress);
    e->program->console_observe(e->console, kind, line, n);
    (void)pthread_mutex_unlock(&e->progress.lock);
}

/* Reports of an earlier run beside the events of this one would be mistaken for this one's. */
static int remove_old_reports(struct sp_evidence *e, struct sp_error *err)
{
    char path[PATH_MAX];
    int rc = 0;
    for (const struct sp_report_name *f = e->program->formats; f->name != NULL && rc == 0; f++) {
        if (f->file == NULL) {
            continue;
        }
        rc = sp_path_join(path, sizeof path, e->dir, f->file, err);
        if (rc == 0 && unlink(path) != 0 && errno != ENOENT) {
            rc = sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot remove the old %s: %s", path,
                strerrordesc_np(errno));
        }
    }
    return rc;
}

static bool want_color(const struct sp_args *a)
{
    const char *no = getenv("NO_COLOR");
    return !a->no_color && (no == NULL || *no == '\0') && isatty(STDOUT_FILENO) == 1;
}

int sp_evidence_open(struct sp_evidence *e, const struct sp_program *program, const struct sp_args *a,
    const struct sp_config *cfg, const char *fallback_dir, uint64_t seed)
{
    struct sp_error err = SP_ERROR_INIT;
    *e = (struct sp_evidence){ .program = program, .args = a, .config = cfg, .reasons = SP_BUF_INIT };
    (void)clock_gettime(CLOCK_MONOTONIC, &e->start);
    sp_progress_init(&e->progress, a->quiet);
    sp_run_id(e->run_id);
    int rc = sp_strlcpy(e->dir, a->report_dir != NULL ? a->report_dir : fallback_dir, sizeof e->dir)
                 ? program->console_new(&e->console, isatty(STDOUT_FILENO) == 1, want_color(a),
                       a->quiet ? 0 : 1 + (a->verbose > 0))
                 : sp_invalid(&err, "the report directory's name is too long");
    if (rc == 0) {
        rc = sp_event_file_open(&e->file, e->dir, observe, e, &err);
    }
    if (rc == 0) {
        e->emitter = sp_event_file_emitter(e->file);
        rc = remove_old_reports(e, &err);
    }
    if (rc == 0) {
        rc = send_start(e, seed, &err);
    }
    if (rc == 0) {
        return -1;
    }
    if (err.code == SP_E_OK) {
        (void)sp_nomem(&err);
    }
    (void)sp_error_prefix(&err, "the report directory %s cannot be used", e->dir);
    (void)sp_cli_fail(&err);
    sp_error_clear(&err);
    sp_event_file_abandon(e->file);
    program->console_free(e->console);
    sp_progress_free(&e->progress);
    return SP_EXIT_USAGE;
}

void sp_evidence_reason(struct sp_evidence *e, const char *prefix, struct sp_error *err)
{
    (void)sp_buf_printf(&e->reasons, "%s%s%s\n", prefix, *prefix != '\0' ? ": " : "", sp_error_text(err));
    sp_error_clear(err);
}

static int send_end(struct sp_evidence *e, const char *verdict, int code, struct sp_error *err)
{
    struct timespec now;
    struct sp_event ev;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    sp_event_begin(&ev, SP_EV_RUN_END);
    sp_event_text(&ev, SP_FLD_verdict, verdict);
    sp_event_int(&ev, SP_FLD_exit_code, code);
    sp_event_int(&ev, SP_FLD_passed, (int64_t)e->totals.n[SP_PASSED]);
    sp_event_int(&ev, SP_FLD_failed, (int64_t)e->totals.n[SP_FAILED]);
    sp_event_int(&ev, SP_FLD_errored, (int64_t)e->totals.n[SP_ERRORED]);
    sp_event_int(&ev, SP_FLD_skipped, (int64_t)e->totals.n[SP_SKIPPED]);
    sp_event_int(&ev, SP_FLD_xfailed, (int64_t)e->totals.n[SP_XFAILED]);
    sp_event_int(&ev, SP_FLD_leftovers, (int64_t)e->totals.leftovers);
    sp_event_real(&ev, SP_FLD_duration_s,
        (double)(now.tv_sec - e->start.tv_sec) + (double)(now.tv_nsec - e->start.tv_nsec) * 1e-9);
    while (e->reasons.n > 0 && e->reasons.p[e->reasons.n - 1] == '\n') {
        e->reasons.p[--e->reasons.n] = '\0';
    }
    sp_event_text(&ev, SP_FLD_reasons, e->reasons.n > 0 ? e->reasons.p : NULL);
    sp_event_bool(&ev, SP_FLD_interrupted, sp_interrupted() != 0);
    return sp_event_send(e->emitter, &ev, err);
}

int sp_evidence_close(struct sp_evidence *e, const char *verdict, int code)
{
    struct sp_error err = SP_ERROR_INIT;
    (void)pthread_mutex_lock(&e->progress.lock);
    sp_progress_clear(&e->progress);
    (void)pthread_mutex_unlock(&e->progress.lock);
    int rc = send_end(e, verdict, code, &err);
    if (rc == 0) {
        rc = sp_event_file_close(e->file, &err);
    } else {
        sp_event_file_abandon(e->file);
    }
    if (rc != 0) {
        /* The console prints the reasons with run_end, which did not come. */
        sp_log_error("%s%s%s", e->reasons.n > 0 ? e->reasons.p : "", e->reasons.n > 0 ? "; " : "",
            sp_error_text(&err));
        sp_error_clear(&err);
    }
    int reports = e->program->render(e->dir, e->program->all_formats, &err);
    if (reports < 0) {
        sp_log_error("cannot write the reports in %s: %s", e->dir, sp_error_text(&err));
    } else {
        if (reports > 0 && rc == 0) {
            sp_log_error("the events in %s are not whole: nothing can be concluded from them", e->dir);
        }
        if (!e->args->quiet) {
            (void)printf("report: %s/report.html\n", e->dir);
        }
    }
    sp_error_clear(&err);
    e->program->console_free(e->console);
    sp_progress_free(&e->progress);
    sp_buf_free(&e->reasons);
    if (code == SP_EXIT_OK && (rc != 0 || reports != 0)) {
        return SP_EXIT_INCONCLUSIVE; /* nobody can see why it should be fine */
    }
    return code;
}
