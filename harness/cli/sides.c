/* sides.c -- what verify and migrate have in common. */
#include "cli/sides.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "provider_call.h"

static const char *const roles[] = { "SOURCE", "TARGET" };

int sp_kind_init(const struct sp_provider *kind, struct sp_error *err)
{
    static const struct sp_provider *done[64];
    size_t n = 0;
    while (n < SP_LEN(done) && done[n] != NULL && done[n] != kind) {
        n++;
    }
    if (n == SP_LEN(done) || done[n] == kind) {
        return 0;
    }
    int rc = kind->process_init != NULL ? kind->process_init(err) : 0;
    if (rc == 0) {
        done[n] = kind;
    }
    return rc;
}

static bool same_options(const struct sp_config_provider *a, const struct sp_config_provider *b)
{
    bool same = a->noptions == b->noptions;
    for (size_t i = 0; same && i < a->noptions; i++) {
        same = strcmp(a->option_names[i], b->option_names[i]) == 0 &&
               strcmp(a->option_values[i], b->option_values[i]) == 0;
    }
    return same;
}

/* The same place under two names: a copy always equals itself, and that would prove nothing. */
static bool same_place(const struct sp_config_provider *a, const struct sp_config_provider *b)
{
    struct stat x, y;
    if (strcmp(a->url, b->url) == 0) {
        return same_options(a, b); /* two schemas of one database are two places */
    }
    const char *p = strchr(a->url, ':'), *q = strchr(b->url, ':');
    return p != NULL && q != NULL && stat(p + 1, &x) == 0 && stat(q + 1, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

static int check_access(
    const struct sp_args *a, struct sp_sides *s, const char *arg, bool from_config, bool write_target)
{
    struct sp_config_provider *source = &s->provider[0], *target = &s->provider[1];
    for (int i = 0; i < 2; i++) {
        if (s->provider[i].mutant != NULL) {
            return sp_cli_usage(a,
                "provider %s has a mutant planted, which is for `run` only: its %s would be wrong",
                s->provider[i].name, a->command->name);
        }
    }
    if (same_place(source, target)) {
        return sp_cli_usage(a,
            "SOURCE and TARGET are the same place (%s); a copy always equals itself, which proves nothing",
            target->url);
    }
    source->access = SP_ACCESS_READ_ONLY;
    if (!write_target) {
        target->access = SP_ACCESS_READ_ONLY;
    } else if (!from_config) {
        target->access = SP_ACCESS_TARGET; /* naming it to migrate is the permission */
    } else if (target->access == SP_ACCESS_READ_ONLY) {
        return sp_cli_usage(a,
            "provider %s is read-only: write `access: target` into line %d of %s, if it may be "
            "written to",
            arg, target->line, s->config->path);
    }
    return -1;
}

int sp_sides_resolve(
    struct sp_sides *s, const struct sp_program *program, const struct sp_args *a, bool write_target)
{
    struct sp_error err = SP_ERROR_INIT;
    *s = (struct sp_sides){ .error = { SP_ERROR_INIT, SP_ERROR_INIT } };
    int rc = sp_config_load(&s->config, a->config, program->providers, &err);
    for (size_t i = 0; i < 2 && rc == 0; i++) {
        rc = sp_config_resolve(
            s->config, a->operands.v[i], &s->arena, &s->provider[i], program->providers, &err);
        if (rc != 0) {
            (void)sp_error_prefix(&err, "%s", roles[i]);
        }
    }
    if (rc == 0 && a->mapping != NULL) {
        rc = sp_mapping_load(a->mapping, &s->mapping, &err);
    }
    int code = rc != 0 ? sp_cli_fail(&err) : -1;
    sp_error_clear(&err);
    if (code == -1) {
        bool from_config = sp_config_provider(s->config, a->operands.v[1]) != NULL;
        code = check_access(a, s, a->operands.v[1], from_config, write_target);
    }
    return code;
}

/* As above, by what the servers say of themselves: one database has many URLs. */
static bool same_data(struct sp_sides *s)
{
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts[2];
    for (size_t i = 0; i < 2; i++) {
        if (s->session[i] == NULL || sp_effective(s->session[i], caps, &facts[i], NULL) != 0) {
            return false;
        }
    }
    return strcmp(s->provider[0].kind, s->provider[1].kind) == 0 && facts[0].place[0] != '\0' &&
           strcmp(facts[0].place, facts[1].place) == 0;
}

int sp_sides_open(struct sp_sides *s, const struct sp_program *program)
{
    int code = -1;
    for (size_t i = 0; i < 2; i++) {
        const struct sp_provider *kind = sp_provider_by_kind(program->providers, s->provider[i].kind);
        sp_config_endpoint(&s->provider[i], &s->endpoint[i]);
        s->endpoint[i].live = s->live;
        int rc = sp_kind_init(kind, &s->error[i]);
        if (rc == 0) {
            rc = sp_open(&s->raw[i], kind, &s->endpoint[i], &s->error[i]);
            s->session[i] = s->raw[i];
        }
        if (rc != 0) {
            (void)sp_error_prefix(&s->error[i], "%s %s", roles[i], s->provider[i].name);
            int this = sp_cli_exit_of(&s->error[i]);
            /* A mistake on one side goes before an unreachable other side: it needs mending anyway. */
            code = code == -1 || this == SP_EXIT_USAGE ? this : code;
        }
        sp_watch_add(&s->watch, s->session[i]);
    }
    sp_watch_begin(&s->watch);
    if (code == -1 && same_data(s)) {
        sp_invalid(&s->error[1], "SOURCE and TARGET are the same database under two URLs; a copy always "
                                 "equals itself, which proves "
                                 "nothing");
        sp_watch_end(&s->watch);
        sp_close(s->raw[1]);
        s->session[1] = s->raw[1] = NULL;
        code = SP_EXIT_USAGE;
    }
    return code;
}

void sp_sides_announce(struct sp_sides *s, struct sp_evidence *e)
{
    struct sp_cap caps[SP_CAP_N];
    for (size_t i = 0; i < 2; i++) {
        struct sp_facts facts = { .fidelity = SP_FID_UNKNOWN };
        struct sp_error err = SP_ERROR_INIT;
        struct sp_event ev;
        bool known = s->session[i] != NULL && sp_effective(s->session[i], caps, &facts, &err) == 0;
        sp_event_begin(&ev, SP_EV_PROVIDER);
        sp_event_text(&ev, SP_FLD_name, s->provider[i].name);
        sp_event_text(&ev, SP_FLD_kind, s->provider[i].kind);
        sp_event_text(&ev, SP_FLD_url, s->provider[i].url);
        sp_event_text(&ev, SP_FLD_access, sp_access_name(s->provider[i].access));
        sp_event_text(&ev, SP_FLD_fidelity, sp_fidelity_name(facts.fidelity));
        if (known) {
            sp_event_text(&ev, SP_FLD_server_version, facts.server_version);
            sp_event_text(&ev, SP_FLD_notes, facts.notes);
        } else {
            sp_event_text(&ev, SP_FLD_error, sp_error_text(s->session[i] != NULL ? &err : &s->error[i]));
        }
        (void)sp_event_send(e->emitter, &ev, NULL);
        sp_error_clear(&err);
        if (s->session[i] == NULL) {
            sp_evidence_reason(e, "", &s->error[i]); /* the console prints it */
        }
    }
}

void sp_sides_close(struct sp_sides *s)
{
    sp_watch_end(&s->watch);
    for (size_t i = 0; i < 2; i++) {
        if (s->session[i] != s->raw[i]) {
            sp_close(s->session[i]);
        }
    }
    for (size_t i = 0; i < 2; i++) { /* a lens may read the other side */
        if (s->raw[i] != NULL) {
            sp_close(s->raw[i]);
        }
        sp_error_clear(&s->error[i]);
    }
    sp_mapping_free(s->mapping);
    sp_config_free(s->config);
    sp_arena_free(&s->arena);
}
