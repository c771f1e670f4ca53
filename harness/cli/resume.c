/* resume.c -- what --resume compares a killed run with: the command as it was given, but for what changes no result, and
 * the files that it names. */
#include "cli/resume.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "model/canonical.h"

#define FILE_NAME "verify.state"

/* Options that change how fast or how loudly, not what is found. */
static bool changes_nothing(const char *name)
{
    static const char *const names[] = { "jobs", "rate", "max-lag", "max-snapshot", "report-dir", "quiet",
        "verbose", "no-color", "help", "resume", "config", "show-config" };
    return sp_str_among(names, SP_LEN(names), name);
}

static void put_option(struct sp_buf *out, const struct sp_option *o, const void *at)
{
    const struct sp_list *list = at;
    switch (o->type) {
    case SP_OPT_FLAG:
        if (*(const bool *)at)
            (void)sp_buf_printf(out, " --%s", o->name);
        return;
    case SP_OPT_COUNT:
        return;
    case SP_OPT_LIST:
        for (size_t i = 0; i < list->n; i++) {
            (void)sp_buf_printf(out, " --%s ", o->name);
            (void)sp_cli_quote(out, list->v[i]);
        }
        return;
    case SP_OPT_TEXT:
    case SP_OPT_CHOICE:
        if (*(const char *const *)at != NULL) {
            (void)sp_buf_printf(out, " --%s ", o->name);
            (void)sp_cli_quote(out, *(const char *const *)at);
        }
        return;
    case SP_OPT_U64:
    case SP_OPT_DURATION:
    case SP_OPT_RATE:
        if (*(const uint64_t *)at != 0)
            (void)sp_buf_printf(out, " --%s %llu", o->name, (unsigned long long)*(const uint64_t *)at);
        return;
    }
}

static void put_command(struct sp_buf *out, const struct sp_args *a)
{
    (void)sp_buf_puts(out, a->command->name);
    for (size_t i = 0; i < a->operands.n; i++) {
        (void)sp_buf_putc(out, ' ');
        (void)sp_cli_quote(out, a->operands.v[i]);
    }
    for (const struct sp_option *o = sp_options; o->name != NULL; o++) {
        if ((o->commands & a->command->bit) != 0 && !changes_nothing(o->name)) {
            put_option(out, o, (const char *)a + o->offset);
        }
    }
}

int sp_resume_open(struct sp_vstate **out, const struct sp_evidence *e, struct sp_error *err)
{
    char path[PATH_MAX];
    struct sp_buf command = SP_BUF_INIT;
    *out = NULL;
    put_command(&command, e->args);
    char *shown = command.oom ? NULL : sp_redact(command.p);
    const struct sp_vfact facts[] = { { "the command", shown, true },
        { "the configuration", e->config->digest, false }, { "the program's version", SP_VERSION, true } };
    int rc = shown == NULL ? sp_nomem(err) : sp_path_join(path, sizeof path, e->dir, FILE_NAME, err);
    if (rc == 0) {
        rc = sp_vstate_open(out, path, e->run_id, e->args->resume, facts, SP_LEN(facts), err);
    }
    free(shown);
    sp_buf_free(&command);
    if (rc != 0 && !e->args->resume) {
        sp_log_warn("this comparison cannot be resumed: %s", sp_error_text(err));
        sp_error_clear(err);
        rc = 0;
    }
    return rc;
}
