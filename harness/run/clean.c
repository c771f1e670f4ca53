/* clean.c -- `switchproof clean`: removes exactly what the journals of killed runs name. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "run/journal.h"
#include "run/stack.h"

struct cleaning {
    const struct sp_config *config;
    const struct sp_provider *const *kinds;
    bool dry_run;
    uint64_t *removed;
    size_t troubles;
    const struct sp_provider *ready[64]; /* kinds whose process_init ran */
    size_t nready;
};

/* Where the objects of this entry are: the provider of that name if it is still the same place, else the recorded
 * URL if that was no secret. Never another backend that has taken the name over. */
static int locate(const struct cleaning *c, const struct sp_journal_entry *e, struct sp_config_provider *out,
    struct sp_error *err)
{
    const struct sp_config_provider *p = sp_config_provider(c->config, e->provider);
    char *url = p != NULL && p->url != NULL ? sp_redact_url(p->url) : NULL;
    bool is_same = url != NULL && e->url != NULL && strcmp(p->kind, e->kind) == 0 && strcmp(url, e->url) == 0;
    free(url);
    if (is_same) {
        *out = *p;
        out->mutant = NULL;
        out->access = SP_ACCESS_DISPOSABLE; /* it was when the objects were made */
        return 0;
    }
    if (e->url == NULL || strstr(e->url, "***") != NULL)
        return sp_invalid(err,
            "provider '%s' (%s, %s) is not configured as it was; configure it so, and clean again",
            e->provider, e->kind, e->url != NULL ? e->url : "no url");
    *out = (struct sp_config_provider){
        .name = e->provider, .kind = e->kind, .url = e->url, .access = SP_ACCESS_DISPOSABLE
    };
    return 0;
}

/* What has no namespace carries the run's id in its name, and what has one, in that; only a table of a backend without
 * namespaces is known by the journal alone. A journal that names anything else was not written by a run. */
static bool is_ours(const struct sp_journal_log *log, const struct sp_object_ref *o)
{
    bool alone = strcmp(o->type, "table") == 0 && o->ns == NULL;
    const char *name = o->ns != NULL ? o->ns : o->name;
    char mark[16];
    int n = snprintf(mark, sizeof mark, "%.8s", log->run);
    return alone || (n == 8 && strlen(name) > 11 && strncmp(name, "sp", 2) == 0 &&
                        (name[2] == '_' || name[2] == '-') && strncmp(name + 3, mark, 8) == 0);
}

/* "scheme:relative/path" means another file in another directory. */
static bool is_elsewhere(const struct sp_journal_log *log, const char *url)
{
    char here[PATH_MAX];
    const char *rest = url != NULL ? strchr(url, ':') : NULL;
    if (rest == NULL || rest[1] == '/' || log->dir == NULL)
        return false;
    return getcwd(here, sizeof here) == NULL || strcmp(here, log->dir) != 0;
}

static void trouble(struct cleaning *c, const char *what, struct sp_error *err)
{
    printf("not removed: %s: %s\n", what, sp_error_text(err));
    sp_error_clear(err);
    c->troubles++;
}

static int make_ready(struct cleaning *c, const struct sp_provider *kind, struct sp_error *err)
{
    for (size_t i = 0; i < c->nready; i++) {
        if (c->ready[i] == kind)
            return 0;
    }
    int rc = kind->process_init != NULL ? kind->process_init(err) : 0;
    if (rc == 0 && c->nready < SP_LEN(c->ready))
        c->ready[c->nready++] = kind;
    return rc;
}

static int open_place(struct cleaning *c, const struct sp_config_provider *p, struct sp_journal_notes *notes,
    struct sp_endpoint *e, struct sp_session **s, struct sp_error *err)
{
    const struct sp_provider *kind = sp_provider_by_kind(c->kinds, p->kind);
    if (kind == NULL)
        return sp_invalid(err, "kind '%s' is not built into this program", p->kind);
    int rc = make_ready(c, kind, err);
    sp_config_endpoint(p, e);
    e->notes = &notes->base;
    if (rc == 0)
        rc = sp_open(s, kind, e, err);
    /* Whoever killed the run may have done so while a case had its server stopped. */
    if (rc == -SP_E_UNAVAILABLE && sp_stack_command(e) != NULL &&
        sp_stack_do(e, kind->kind, SP_SERVER_START, NULL) == 0) {
        sp_error_clear(err);
        rc = sp_open(s, kind, e, err);
    }
    return rc;
}

/* All live entries of one place, newest first. */
static void clean_place(struct cleaning *c, struct sp_journal_log *log, size_t last, int fd)
{
    const struct sp_journal_entry *of = &log->entries[last];
    struct sp_config_provider p;
    struct sp_endpoint endpoint;
    struct sp_journal_notes notes;
    struct sp_session *s = NULL;
    struct sp_error err = SP_ERROR_INIT;
    char what[512];
    int rc = locate(c, of, &p, &err);
    if (rc == 0 && is_elsewhere(log, p.url))
        rc = sp_invalid(&err, "%s was meant as seen from %s; clean up from there", p.url, log->dir);
    if (rc == 0 && !c->dry_run)
        sp_journal_notes_init(&notes, fd, &p, log->run);
    if (rc == 0 && !c->dry_run)
        rc = open_place(c, &p, &notes, &endpoint, &s, &err);
    if (rc != 0) {
        (void)snprintf(what, sizeof what, "what run %s left on %s", log->run, of->provider);
        trouble(c, what, &err);
    }
    for (size_t i = last + 1; i-- > 0 && sp_interrupted() == 0;) {
        struct sp_journal_entry *e = &log->entries[i];
        if (e->gone || strcmp(e->provider, of->provider) != 0 || !sp_streq(e->url, of->url) ||
            strcmp(e->kind, of->kind) != 0)
            continue;
        e->gone = true; /* dealt with */
        (void)snprintf(what, sizeof what, "%s %s of run %s on %s", e->object.type, e->object.name, log->run,
            e->provider);
        if (rc == 0 && !is_ours(log, &e->object)) {
            (void)sp_invalid(
                &err, "its name does not carry the id of the run; if it is not yours, remove it by hand");
            trouble(c, what, &err);
        } else if (rc == 0 && c->dry_run) {
            printf("would remove %s\n", what);
            (*c->removed)++;
        } else if (rc == 0) {
            int done = sp_object_remove(s, &e->object, NULL, &err);
            if (done == 0)
                done = sp_journal_note(fd, false, &p, &e->object, &err);
            if (done != 0) {
                trouble(c, what, &err);
                continue;
            }
            printf("removed %s\n", what);
            (*c->removed)++;
        }
    }
    sp_close(s);
}

static void clean_journal(struct cleaning *c, const char *path)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_journal j;
    struct sp_journal_log log;
    int rc = sp_journal_adopt(&j, path, &err);
    if (rc == -SP_E_CONFLICT) {
        printf("skipped: %s\n", sp_error_text(&err));
        sp_error_clear(&err);
        return;
    }
    if (rc == 0) {
        rc = c->dry_run ? 0 : sp_journal_mend(&j, &err);
        if (rc == 0)
            rc = sp_journal_read(path, &log, &err);
        if (rc != 0)
            sp_journal_close(&j);
    }
    if (rc != 0) {
        trouble(c, path, &err);
        return;
    }
    for (size_t i = log.n; i-- > 0 && sp_interrupted() == 0;) {
        if (!log.entries[i].gone)
            clean_place(c, &log, i, j.fd);
    }
    sp_journal_log_free(&log);
    uint64_t left = 0;
    if (c->dry_run)
        sp_journal_close(&j);
    else if (sp_journal_finish(&j, &left, &err) != 0)
        trouble(c, path, &err);
}

static int journal_name(const struct dirent *d)
{
    return sp_str_suffix(d->d_name, ".jsonl") ? 1 : 0;
}

int sp_clean(const struct sp_config *config, const struct sp_provider *const *kinds, const char *only_run,
    bool dry_run, uint64_t *removed, struct sp_error *err)
{
    struct cleaning c = { .config = config, .kinds = kinds, .dry_run = dry_run, .removed = removed };
    struct dirent **names = NULL;
    char dir[PATH_MAX], path[PATH_MAX];
    *removed = 0;
    int rc = sp_journal_dir(dir, sizeof dir, config->state_dir, err);
    if (rc != 0)
        return rc;
    int n = scandir(dir, &names, journal_name, alphasort);
    if (n < 0)
        return errno == ENOENT
                   ? 0
                   : sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot read %s: %s", dir, strerror(errno));
    bool found = only_run == NULL;
    for (int i = 0; i < n; i++) {
        size_t stem = strlen(names[i]->d_name) - strlen(".jsonl");
        bool wanted =
            only_run == NULL || (strlen(only_run) == stem && strncmp(only_run, names[i]->d_name, stem) == 0);
        if (wanted && sp_path_join(path, sizeof path, dir, names[i]->d_name, err) == 0) {
            found = true;
            clean_journal(&c, path);
        }
        free(names[i]);
    }
    free(names);
    if (sp_interrupted() != 0)
        return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "interrupted; what is left stays in %s", dir);
    if (!found)
        return sp_fail(
            err, SP_E_NOT_FOUND, SP_ORIGIN_HARNESS, "run '%s' left nothing behind in %s", only_run, dir);
    if (c.troubles != 0)
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_HARNESS,
            "%zu things could not be removed; their journals stay in %s", c.troubles, dir);
    return 0;
}
