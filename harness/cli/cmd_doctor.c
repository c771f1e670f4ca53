/* cmd_doctor.c -- switchproof doctor: what is wrong with a set-up, and what to do about it. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/sides.h"
#include "model/calendar.h"
#include "provider_call.h"
#include "run/ledger.h"

struct doctor {
    const struct sp_program *program;
    const struct sp_args *args;
    const struct sp_config *config;
    int code;
};

static void worse(struct doctor *d, int code)
{
    /* Usage goes before "could not tell": it can be mended here and now. */
    if (d->code == SP_EXIT_OK || code == SP_EXIT_USAGE) {
        d->code = code;
    }
}

static const char *advice(enum sp_code code)
{
    switch (code) {
    case SP_E_NOT_FOUND:
        return "check the name in the URL; a file must exist, unless `access: disposable` lets it be created";
    case SP_E_AUTHENTICATION:
        return "check user, password or key; they come from the environment variable in the URL";
    case SP_E_PERMISSION:
        return "give this user the rights that the message names, or use another one";
    case SP_E_TIMEOUT:
        return "check address and firewall; `connect_timeout` sets how long to wait";
    case SP_E_UNAVAILABLE:
        return "start the server, if it is one, and check host, port or path in the URL";
    case SP_E_CORRUPT:
        return "this is not an intact file of this kind: restore it from a copy";
    case SP_E_INVALID:
        return "correct the URL or the options in the configuration";
    default:
        return "see the message";
    }
}

static void problem(struct doctor *d, const char *what, struct sp_error *err)
{
    char *text = sp_redact(sp_error_text(err));
    (void)printf("  PROBLEM  %s: %s\n  to do    %s\n", what, text != NULL ? text : "?", advice(err->code));
    free(text);
    worse(d, sp_cli_exit_of(err));
    sp_error_clear(err);
}

static void show_capabilities(const struct sp_provider *kind, const struct sp_cap *caps)
{
    size_t yes = 0, declared = 0;
    for (size_t c = 0; c < SP_CAP_N; c++) {
        yes += caps[c].level == SP_CAP_YES;
        declared += kind->declared[c].level == SP_CAP_YES;
        if (caps[c].level != SP_CAP_YES && kind->declared[c].level == SP_CAP_YES) {
            char *why = sp_redact(caps[c].why != NULL ? caps[c].why : "no reason given");
            (void)printf(
                "  note     %s is not available here: %s\n", sp_caps[c].name, why != NULL ? why : "?");
            free(why);
        }
    }
    (void)printf("  can do   %zu of %zu capabilities that %s declares\n", yes, declared, kind->kind);
}

static void examine(struct doctor *d, const struct sp_config_provider *p, const struct sp_provider *kind)
{
    struct sp_endpoint endpoint;
    struct sp_session *s = NULL;
    struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
    struct sp_cap caps[SP_CAP_N];
    struct sp_error err = SP_ERROR_INIT;
    sp_config_endpoint(p, &endpoint);
    if (sp_kind_init(kind, &err) != 0 || sp_open(&s, kind, &endpoint, &err) != 0) {
        problem(d, "cannot be opened", &err);
        return;
    }
    if (sp_ping(s, &err) != 0 && err.code != SP_E_UNSUPPORTED) {
        problem(d, "does not answer", &err);
    } else if (sp_error_clear(&err), sp_effective(s, caps, &facts, &err) != 0) {
        problem(d, "cannot be asked what it can do", &err);
    } else {
        char *version = sp_redact(facts.server_version), *notes = sp_redact(facts.notes);
        (void)printf("  answers  %s (%s)%s%s\n", version != NULL ? version : "?",
            sp_fidelity_name(facts.fidelity), facts.notes[0] != '\0' ? ", " : "",
            notes != NULL ? notes : "?");
        free(version);
        free(notes);
        show_capabilities(kind, caps);
    }
    sp_close(s);
}

static void examine_access(const struct sp_config_provider *p)
{
    static const char *const meaning[] = {
        [SP_ACCESS_READ_ONLY] = "verify may read it; suites that write are skipped",
        [SP_ACCESS_TARGET] = "migrate may write to it; suites that write are skipped",
        [SP_ACCESS_DISPOSABLE] = "suites may write to it",
    };
    (void)printf("  access   %s: %s\n", sp_access_name(p->access), meaning[p->access]);
    if (p->mutant != NULL) {
        (void)printf(
            "  note     the bug '%s' is planted here: its results are meant to be wrong\n", p->mutant);
    }
}

static void examine_provider(struct doctor *d, const struct sp_config_provider *p)
{
    struct sp_error err = SP_ERROR_INIT;
    const struct sp_provider *kind = sp_provider_by_kind(d->program->providers, p->kind);
    (void)printf(
        "%s (%s, %s)\n", p->name, p->kind, kind->library != NULL ? kind->library() : "no client library");
    examine_access(p);
    if (p->unset_variable == NULL) {
        examine(d, p, kind);
    } else if (p->optional) {
        (void)printf(
            "  absent   %s is not set; the provider is optional and will be skipped\n", p->unset_variable);
    } else if (sp_config_usable(d->config, p, &err) != 0) {
        problem(d, "not configured", &err);
    }
}

/* What a run would refuse, or would not do although the configuration looks as if. */
static void examine_demands(struct doctor *d)
{
    const struct sp_config *c = d->config;
    const struct sp_run_options o = { .config = c, .suites = d->program->suites };
    struct sp_error err = SP_ERROR_INIT;
    if (sp_requires_check(&o, &err) != 0) {
        (void)printf("  PROBLEM  %s\n  to do    correct the name; `switchproof list cases` and `list "
                     "capabilities` show them\n",
            sp_error_text(&err));
        worse(d, SP_EXIT_USAGE);
        sp_error_clear(&err);
    }
    int64_t today = (int64_t)(time(NULL) / 86400);
    for (size_t i = 0; i < c->nxfails; i++) {
        const struct sp_config_xfail *x = &c->xfails[i];
        struct sp_buf day = SP_BUF_INIT;
        (void)sp_date_print(&day, x->until_day);
        if (!sp_xfail_names_case(&o, x)) {
            (void)printf("  note     line %d: the expected failure '%s' matches no case\n", x->line, x->id);
        } else if (x->until_day < today) {
            (void)printf("  note     line %d: the expected failure '%s' expired on %s, and counts again\n",
                x->line, x->id, day.p != NULL ? day.p : "?");
        }
        sp_buf_free(&day);
    }
    if (c->ngates > 0) {
        (void)printf("  note     %s\n", SP_GATES_NOTE);
    }
}

/* Nothing to examine is not health. */
static void examine_configuration(struct doctor *d)
{
    const struct sp_config *c = d->config;
    if (c->nproviders == 0) {
        (void)printf("configuration\n  PROBLEM  %s\n  to do    name providers in a section `providers:` (see "
                     "`switchproof help config`), or the file with -c\n",
            c->path != NULL ? "the file names no provider"
                            : "there is no switchproof.yaml in this directory");
        worse(d, SP_EXIT_USAGE);
        return;
    }
    (void)printf("configuration\n  ok       %s, %zu provider%s\n", c->path, c->nproviders,
        c->nproviders == 1 ? "" : "s");
}

/* The nearest directory on the way that exists must be writable. */
static void examine_directory(struct doctor *d, const char *what, const char *dir)
{
    char path[PATH_MAX];
    if (!sp_strlcpy(path, dir, sizeof path)) {
        path[0] = '\0';
    }
    while (path[0] != '\0' && access(path, F_OK) != 0 && errno == ENOENT) {
        char *slash = strrchr(path, '/');
        if (slash == NULL) {
            (void)sp_strlcpy(path, ".", sizeof path);
        } else {
            slash[slash == path] = '\0';
        }
    }
    if (access(path, W_OK | X_OK) == 0) {
        (void)printf("  ok       %s %s\n", what, dir);
        return;
    }
    (void)printf(
        "  PROBLEM  %s %s cannot be written (%s: %s)\n  to do    make it writable, or set another one\n",
        what, dir, path, strerrordesc_np(errno));
    worse(d, SP_EXIT_USAGE);
}

int sp_cmd_doctor(const struct sp_program *program, struct sp_args *a)
{
    struct sp_config *cfg = NULL;
    struct sp_error err = SP_ERROR_INIT;
    if (sp_config_load(&cfg, a->config, program->providers, &err) != 0) {
        int code = sp_cli_fail(&err);
        sp_error_clear(&err);
        return code;
    }
    struct doctor d = { .program = program, .args = a, .config = cfg, .code = SP_EXIT_OK };
    const char **names = sp_arena_array(&a->arena, cfg->nproviders + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < cfg->nproviders; i++) {
        names[i] = cfg->providers[i].name;
    }
    examine_configuration(&d);
    examine_demands(&d);
    examine_directory(&d, "report_dir", cfg->report_dir);
    examine_directory(&d, "state_dir", cfg->state_dir);
    for (size_t i = 0; i < a->providers.n; i++) {
        if (sp_config_provider(cfg, a->providers.v[i]) == NULL) {
            d.code = sp_cli_usage(a, "no provider is called '%s'%s", a->providers.v[i],
                sp_cli_hint(&a->arena, a->providers.v[i], names));
        } else {
            examine_provider(&d, sp_config_provider(cfg, a->providers.v[i]));
        }
    }
    for (size_t i = 0; a->providers.n == 0 && i < cfg->nproviders; i++) {
        examine_provider(&d, &cfg->providers[i]);
    }
    (void)printf("%s\n", d.code == SP_EXIT_OK ? "all is well" : "there is something to do");
    sp_config_free(cfg);
    return d.code;
}
