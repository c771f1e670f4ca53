/* cmd_misc.c -- report, clean, fixture, version. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/options.h"
#include "config/config.h"

/* Plays the events again, as if the run took place now. */
static int replay(const struct sp_program *program, const struct sp_args *a, const char *path)
{
    void *console = NULL;
    char *line = NULL;
    size_t cap = 0;
    struct sp_error err = SP_ERROR_INIT;
    const char *no = getenv("NO_COLOR");
    bool color = !a->no_color && (no == NULL || *no == '\0') && isatty(STDOUT_FILENO) == 1;
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        sp_log_error("cannot read %s: %s", path, strerrordesc_np(errno));
        return SP_EXIT_USAGE;
    }
    int rc = program->console_new(&console, false, color, a->quiet ? 0 : 1 + (a->verbose > 0));
    for (uint64_t number = 1; rc == 0; number++) {
        ssize_t n = getline(&line, &cap, f);
        if (n < 0) {
            break;
        }
        n -= n > 0 && line[n - 1] == '\n';
        struct sp_event_in ev;
        rc = sp_event_parse(line, (size_t)n, &ev, &err);
        if (rc == 0) {
            program->console_observe(console, ev.kind, line, (size_t)n);
            sp_event_in_free(&ev);
        } else if (rc == -SP_E_UNSUPPORTED) { /* of a newer version: the reports skip it, too */
            rc = 0;
            sp_error_clear(&err);
        } else {
            (void)sp_error_prefix(&err, "%s:%llu", path, (unsigned long long)number);
        }
    }
    int code = rc == 0 ? SP_EXIT_OK : sp_cli_fail(&err);
    sp_error_clear(&err);
    program->console_free(console);
    free(line);
    (void)fclose(f);
    return code;
}

/* What is in the way of looking is not the same as nothing there. */
static bool is_file(const char *path, int *trouble)
{
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (!there && errno != ENOENT && errno != ENOTDIR) {
        *trouble = errno;
    }
    return there && S_ISREG(st.st_mode);
}

int sp_cmd_report(const struct sp_program *program, struct sp_args *a)
{
    char whole[PATH_MAX], part[PATH_MAX];
    struct sp_error err = SP_ERROR_INIT;
    const char *dir = a->operands.v[0];
    if (sp_path_join(whole, sizeof whole, dir, "events.jsonl", &err) != 0 ||
        sp_path_join(part, sizeof part, dir, "events.jsonl.part", &err) != 0) {
        (void)sp_cli_fail(&err);
        sp_error_clear(&err);
        return SP_EXIT_USAGE;
    }
    int trouble = 0;
    bool ended = is_file(whole, &trouble);
    if (!ended && !is_file(part, &trouble)) {
        if (trouble != 0) {
            sp_log_error("cannot look into %s: %s", dir, strerrordesc_np(trouble));
        } else {
            sp_log_error("%s holds no events.jsonl: name the report directory of a run", dir);
        }
        return SP_EXIT_USAGE;
    }
    const struct sp_report_name *f = program->formats;
    while (a->format != NULL && f->name != NULL && strcmp(f->name, a->format) != 0) {
        f++;
    }
    unsigned bits = a->format == NULL ? program->all_formats : f->bits;
    int code = SP_EXIT_OK, rc = program->render(dir, bits, &err);
    if (rc < 0) {
        code = sp_cli_fail(&err);
        sp_error_clear(&err);
    } else if (bits == 0) {
        code = replay(program, a, ended ? whole : part);
    } else if (!a->quiet) {
        (void)printf("reports written to %s\n", dir);
    }
    if (code == SP_EXIT_OK && rc > 0) {
        sp_log_warn(ended ? "the events in %s are not whole: nothing can be concluded from them"
                          : "%s is of a run that did not end: nothing follows from what it does not show",
            ended ? dir : part);
        code = SP_EXIT_INCONCLUSIVE;
    }
    return code;
}

int sp_cmd_clean(const struct sp_program *program, struct sp_args *a)
{
    struct sp_config *cfg = NULL;
    struct sp_error err = SP_ERROR_INIT;
    uint64_t removed = 0;
    int rc = sp_config_load(&cfg, a->config, program->providers, &err);
    if (rc == 0) {
        sp_interrupt_install();
        rc = sp_clean(cfg, program->providers, a->run, a->dry_run, &removed, &err);
    }
    int code = rc == 0 ? SP_EXIT_OK : sp_cli_fail(&err);
    if (rc == 0 && !a->quiet) {
        (void)printf("%llu object%s %s\n", (unsigned long long)removed, removed == 1 ? "" : "s",
            a->dry_run ? "would be removed" : "removed");
    }
    sp_error_clear(&err);
    sp_config_free(cfg);
    return code;
}

int sp_cmd_fixture(const struct sp_program *program, struct sp_args *a)
{
    int at = 1;
    while (at < a->argc && strcmp(a->argv[at], a->command->name) != 0) {
        at++;
    }
    return program->fixture(a->argc - at, a->argv + at);
}

int sp_cmd_version(const struct sp_program *program, struct sp_args *a)
{
    (void)printf("switchproof %s\n", SP_VERSION);
    for (size_t i = 0; !a->quiet && program->providers[i] != NULL; i++) {
        const struct sp_provider *p = program->providers[i];
        (void)printf("  %-12s %s\n", p->kind, p->library != NULL ? p->library() : "no library");
    }
    for (size_t i = 0; !a->quiet && program->left_out[i] != NULL; i++) {
        (void)printf("  %-12s left out of this build\n", program->left_out[i]);
    }
    return SP_EXIT_OK;
}
