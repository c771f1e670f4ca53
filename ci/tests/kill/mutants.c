/* mutants.c -- the kill matrix: every planted bug, around every provider, must be caught by a case.
 *
 * usage: mutants [--killers FILE] [--on KIND] SWITCHPROOF WORK_DIRECTORY [MUTANT]
 * Without --on: around the embedded providers; which case killed which mutant is then written to FILE. With --on: around
 * that provider alone, whose server must be up (POSTGRESQL_URL ...); FILE says which cases to try first. The kill itself is
 * always executed, and a mutant that those cases let live is tried with all suites.
 * Prints a table "| mutant | provider | killing cases |". A mutant is killed when the run ends with exit code 1 and at
 * least one case failed. Around another provider than the mock it may also be out of reach there: every case that
 * killed it around the mock is skipped there for want of a capability. A case that passes around the mock and kills
 * nothing tests nothing: it is named, and a failure. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "provider.h"
#include "run/mutant.h"

enum { MAX_MUTANTS = 512, MAX_CASES = 2048, SLOTS = 2, TIMEOUT_S = 120, SERVER_TIMEOUT_S = 3600, HINTS = 6 };

struct target {
    const char *kind, *url;
    const char *server; /* the environment variable that says where it is; NULL = embedded */
};
static const struct target targets[] = {
    { "mock", "mock:kill", NULL }, { "sqlite", "sqlite:%s/kill.db", NULL },
    { "filesystem", "filesystem:%s/files", NULL }, { "postgresql", "${POSTGRESQL_URL}", "POSTGRESQL_URL" },
    { "mongodb", "${MONGODB_URL}", "MONGODB_URL" },
    { "supabase", "${SUPABASE_URL}", "SUPABASE_URL" }, /* and its keys, in variables of their own */
};

/* Bugs that change nothing around a provider, and why: there is nothing to catch. */
static const struct {
    const char *mutant, *kind, *why;
} equivalent[] = {
    { "isolation_lowered", "sqlite", "SQLite has one isolation level, serializable" },
    { "rollback_keeps", "supabase", "REST has no transactions that could be rolled back" },
    { "no_transactions", "supabase", "REST has no transactions" },
    { "fk_actions_dropped", "mongodb", "documents have no foreign keys whose action could be lost" },
};

struct outcome {
    int exit_code;
    json_t *summary; /* NULL when there is none */
};

static const char *program, *work;
static json_t *killed_by;  /* mutant -> array of the mock's killing cases */
static json_t *case_kills; /* case -> number of kills; every case that passes around the mock is in it */
static json_t *unheld;     /* cases that are skipped around this server without a mutant */
/* How a run without a mutant ends here: with 0, or with 3 where the server offers nothing of a whole suite. */
static int sound_exit;
static unsigned long passed, failed, skipped;

static const char *suites_of(const char *facet)
{
    if (strcmp(facet, "all") == 0)
        return "";
    if (strcmp(facet, "auth") == 0 || strcmp(facet, "credentials") == 0 || strcmp(facet, "actors") == 0)
        return "auth";
    if (strcmp(facet, "storage") == 0)
        return "storage load performance";
    return strcmp(facet, "connection") == 0 ? "connection performance"
                                            : "connection crud load migration performance";
}

static bool write_config(const char *dir, const struct target *t, const char *mutant)
{
    struct sp_buf text = SP_BUF_INIT, url = SP_BUF_INIT;
    char path[4096];
    if (strstr(t->url, "%s") != NULL)
        sp_buf_printf(
            &url, "%.*s%s%s", (int)(strstr(t->url, "%s") - t->url), t->url, dir, strstr(t->url, "%s") + 2);
    else
        sp_buf_puts(&url, t->url);
    sp_buf_printf(&text, "report_dir: \"%s/report\"\nstate_dir: \"%s/state\"\nproviders:\n", dir, dir);
    sp_buf_printf(&text, "  it: { kind: %s, url: \"%s\", access: disposable", t->kind, url.p);
    if (mutant != NULL)
        sp_buf_printf(&text, ", mutant: %s", mutant);
    sp_buf_puts(&text, " }\n");
    bool ok = sp_path_join(path, sizeof path, dir, "switchproof.yaml", NULL) == 0 &&
              sp_write_file_atomic(path, text.p, text.n, NULL) == 0;
    sp_buf_free(&text);
    sp_buf_free(&url);
    return ok;
}

/* Which facets a kind has, as its provider says; database users count as one, people of an application as another. */
static const char *facets_of(const struct target *t, char out[64])
{
    out[0] = '\0';
    for (size_t i = 0; sp_providers[i] != NULL; i++) {
        const struct sp_provider *p = sp_providers[i];
        if (strcmp(p->kind, t->kind) == 0)
            snprintf(out, 64, "%s%s%s%s%sconnection", p->db != NULL ? "database " : "",
                p->db != NULL && p->declared[SP_CAP_ROLES].level != SP_CAP_NO ? "credentials " : "",
                p->db != NULL && p->declared[SP_CAP_ACTORS].level != SP_CAP_NO ? "actors " : "",
                p->auth != NULL ? "auth " : "", p->blob != NULL ? "storage " : "");
    }
    return out;
}

/* Every case of this suite killed something already: the suites that measure take long, and are spared. */
static bool is_proved(const char *suite, size_t len)
{
    const char *name;
    json_t *n;
    bool met = false;
    json_object_foreach(case_kills, name, n)
    {
        if (strncmp(name, suite, len) != 0 || name[len] != '.')
            continue;
        if (json_integer_value(n) == 0)
            return false;
        met = true;
    }
    return met;
}

/* Starts one run in a directory of its own, of the suites of the facet (`spare`: without what is proved), or of one case; -1 when that fails. */
static pid_t start(const char *dir, const struct target *t, const char *facet, const char *mutant,
    const char *only, bool spare)
{
    if (sp_rmtree(dir, NULL) < 0 || sp_mkdirs(dir, NULL) < 0 || !write_config(dir, t, mutant))
        return -1;
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    char config[4096], log[4096], list[128];
    char *args[32];
    int n = 0;
    if (sp_path_join(config, sizeof config, dir, "switchproof.yaml", NULL) < 0 ||
        sp_path_join(log, sizeof log, dir, "log", NULL) < 0)
        _exit(126);
    int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600), null = open("/dev/null", O_RDONLY);
    if (fd < 0 || null < 0 || dup2(null, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
        _exit(126);
    args[n++] = (char *)(uintptr_t)program;
    args[n++] = "run";
    args[n++] = "-c";
    args[n++] = config;
    args[n++] = "--jobs";
    args[n++] = "1";
    sp_strlcpy(list, only == NULL ? suites_of(facet) : "", sizeof list);
    if (only != NULL) {
        args[n++] = "-k";
        args[n++] = (char *)(uintptr_t)only;
    }
    for (char *p = list; *p != '\0';) {
        size_t len = strcspn(p, " ");
        bool slow = strncmp(p, "load", len) == 0 || strncmp(p, "performance", len) == 0;
        if (!spare || !slow || !is_proved(p, len)) {
            args[n++] = "-s";
            args[n++] = p;
        }
        p += len;
        if (*p == ' ')
            *p++ = '\0';
    }
    args[n] = NULL;
    alarm(t->server != NULL ? SERVER_TIMEOUT_S : TIMEOUT_S); /* a stand-in may be slow */
    execv(program, args);
    _exit(127);
}

static void finish(const char *dir, int status, struct outcome *out)
{
    char path[4096];
    out->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    out->summary = sp_path_join(path, sizeof path, dir, "report/summary.json", NULL) < 0
                       ? NULL
                       : json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
}

/* Cases of a summary with this outcome, as an array of ids (new reference). */
static json_t *cases_with(const json_t *summary, const char *outcome)
{
    json_t *list = json_array(), *cases = json_object_get(summary, "cases"), *c;
    size_t i;
    json_array_foreach(cases, i, c)
    {
        const char *is = json_string_value(json_object_get(c, "outcome"));
        if (is != NULL && strcmp(is, outcome) == 0)
            json_array_append(list, json_object_get(c, "id"));
    }
    return list;
}

static bool contains(const json_t *list, const char *id)
{
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) if (strcmp(json_string_value(v), id) == 0) return true;
    return false;
}

static void count_kills(const json_t *killers)
{
    size_t i;
    json_t *id;
    json_array_foreach(killers, i, id)
    {
        const char *name = json_string_value(id);
        json_int_t n = json_integer_value(json_object_get(case_kills, name));
        json_object_set_new(case_kills, name, json_integer(n + 1));
    }
}

static void row(const char *mutant, const char *kind, const json_t *killers, const char *note)
{
    printf("| %s | %s | ", mutant, kind);
    if (note != NULL)
        printf("%s |\n", note);
    else {
        size_t n = json_array_size(killers);
        for (size_t i = 0; i < n && i < 4; i++)
            printf("%s%s", i == 0 ? "" : ", ", json_string_value(json_array_get(killers, i)));
        if (n > 4)
            printf(" and %zu more", n - 4);
        printf(" |\n");
    }
    fflush(stdout);
}

/* Out of reach here: all that killed it around the mock is skipped. */
static bool all_skipped(const char *mutant, const json_t *skips)
{
    json_t *mock = json_object_get(killed_by, mutant), *id;
    bool all = json_array_size(mock) > 0;
    size_t i;
    json_array_foreach(mock, i, id) all = all && contains(skips, json_string_value(id));
    return all;
}

static void out_of_reach(const char *mutant, const char *kind)
{
    skipped++;
    row(mutant, kind, NULL, "out of reach: the cases that catch it are skipped here");
}

static const char *why_equivalent(const char *mutant, const char *kind)
{
    for (size_t i = 0; i < SP_LEN(equivalent); i++)
        if (strcmp(equivalent[i].mutant, mutant) == 0 && strcmp(equivalent[i].kind, kind) == 0)
            return equivalent[i].why;
    return NULL;
}

/* The run ended as one without a mutant does; or the harness refused to begin, since the provider has nothing that this one changes. */
static bool is_without_effect(const struct outcome *o)
{
    json_t *cases = json_object_get(o->summary, "cases"), *c;
    size_t i, errored = 0, refused = 0, skips = 0;
    json_array_foreach(cases, i, c)
    {
        const char *outcome = json_string_value(json_object_get(c, "outcome"));
        const char *message = json_string_value(json_object_get(c, "message"));
        bool is_errored = outcome != NULL && strcmp(outcome, "errored") == 0;
        errored += is_errored;
        skips += outcome != NULL && strcmp(outcome, "skipped") == 0;
        refused += is_errored && message != NULL && strstr(message, "has nothing there to change") != NULL;
    }
    if (refused > 0)
        return refused == errored && errored + skips == json_array_size(cases);
    return json_array_size(cases) > 0 && errored == 0 && o->exit_code == sound_exit;
}

static void judge(const struct target *t, const struct sp_mutant_info *m, struct outcome *o)
{
    json_t *killers = o->summary == NULL ? json_array() : cases_with(o->summary, "failed");
    json_t *skips = cases_with(o->summary, "skipped");
    if (o->exit_code == 1 && json_array_size(killers) > 0) {
        passed++;
        row(m->name, t->kind, killers, NULL);
        count_kills(killers);
        if (strcmp(t->kind, "mock") == 0)
            json_object_set(killed_by, m->name, killers);
    } else if (strcmp(t->kind, "mock") != 0 && o->summary != NULL && all_skipped(m->name, skips)) {
        out_of_reach(m->name, t->kind);
    } else if (why_equivalent(m->name, t->kind) != NULL && is_without_effect(o)) {
        skipped++;
        row(m->name, t->kind, NULL, why_equivalent(m->name, t->kind));
    } else {
        char note[96];
        failed++;
        snprintf(note, sizeof note, "**survived** (exit code %d)", o->exit_code);
        row(m->name, t->kind, NULL, note);
        printf("survived: %s around %s: %s\n", m->name, t->kind, m->what);
    }
    json_decref(killers);
    json_decref(skips);
    json_decref(o->summary);
}

struct slot {
    pid_t pid;
    const struct sp_mutant_info *mutant;
    size_t next;  /* of the cases that killed it around the mock: the next one to try */
    bool is_part; /* only what most likely kills it is tried */
    char dir[4096];
};

static void launch(struct slot *s, const struct target *t, const char *only, bool spare)
{
    static unsigned serial;
    snprintf(s->dir, sizeof s->dir, "%s/%s-%u", work, t->kind, ++serial);
    s->is_part = only != NULL || spare;
    s->pid = start(s->dir, t, s->mutant->facet, s->mutant->name, only, spare);
    if (s->pid < 0) {
        printf("FAIL: could not start a run in %s: %s\n", s->dir, strerror(errno));
        failed++;
        s->pid = 0;
    }
}

/* Cases that killed it around the mock and are executed here, too. */
static json_t *likely(const char *mutant)
{
    json_t *list = json_array(), *id;
    size_t i;
    json_array_foreach(json_object_get(killed_by, mutant), i,
        id) if (!contains(unheld, json_string_value(id))) json_array_append(list, id);
    return list;
}

/* First some of those, then the suites without those that measure, then all. */
static void try_next(struct slot *s, const struct target *t)
{
    json_t *killers = likely(s->mutant->name);
    size_t n = json_array_size(killers), hints = n < HINTS ? n : HINTS, at = s->next++;
    if (at < hints)
        launch(s, t, json_string_value(json_array_get(killers, at * n / hints)), true);
    else
        launch(s, t, NULL, at == hints);
    json_decref(killers);
}

static bool was_killed(const struct outcome *o)
{
    json_t *killers = o->summary == NULL ? json_array() : cases_with(o->summary, "failed");
    bool killed = o->exit_code == 1 && json_array_size(killers) > 0;
    json_decref(killers);
    return killed;
}

/* Waits for one run and judges it. A part that did not kill says nothing yet: then all suites run. */
static void reap(struct slot *slots, const struct target *t)
{
    int status = 0;
    pid_t pid = waitpid(-1, &status, 0);
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].pid != pid || pid <= 0)
            continue;
        struct outcome o;
        finish(slots[i].dir, status, &o);
        (void)sp_rmtree(slots[i].dir, NULL);
        if (slots[i].is_part && !was_killed(&o)) {
            json_decref(o.summary);
            try_next(&slots[i], t);
            continue;
        }
        judge(t, slots[i].mutant, &o);
        slots[i].pid = 0;
    }
}

static void all_mutants(const struct target *t, const char *only)
{
    struct slot slots[SLOTS] = { 0 };
    char facets[64];
    facets_of(t, facets);
    for (size_t i = 0; i < MAX_MUTANTS && sp_mutant_at(i) != NULL; i++) {
        const struct sp_mutant_info *m = sp_mutant_at(i);
        if (strstr(facets, m->facet) == NULL || (only != NULL && strcmp(only, m->name) != 0))
            continue;
        if (all_skipped(m->name, unheld)) {
            out_of_reach(m->name, t->kind);
            continue;
        }
        size_t free_slot = 0;
        while (slots[free_slot].pid != 0)
            if (++free_slot == SLOTS) {
                reap(slots, t); /* this need not free a slot: it may start the next try */
                free_slot = 0;
            }
        struct slot *s = &slots[free_slot];
        s->mutant = m;
        s->next = 0;
        try_next(s, t);
    }
    while (slots[0].pid != 0 || slots[1].pid != 0)
        reap(slots, t);
}

/* Every case that passes without a mutant has to kill one. */
static void expect_kills(const json_t *summary)
{
    json_t *list = cases_with(summary, "passed"), *id;
    size_t i;
    json_array_foreach(list, i, id)
    {
        if (json_object_get(case_kills, json_string_value(id)) == NULL)
            json_object_set_new(case_kills, json_string_value(id), json_integer(0));
    }
    json_decref(list);
}

static void judge_cases(void)
{
    const char *name;
    json_t *n;
    size_t idle = 0;
    json_object_foreach(case_kills, name, n)
    {
        if (json_integer_value(n) != 0)
            continue;
        printf("%s%s", idle++ == 0 ? "cases that killed no mutant: " : ", ", name);
    }
    if (idle != 0)
        printf("\n");
    printf("%zu of %zu cases killed at least one mutant\n", json_object_size(case_kills) - idle,
        json_object_size(case_kills));
    if (idle != 0)
        failed++;
    else
        passed++;
}

/* Without a mutant nothing may fail: otherwise every mutant would look killed. */
static bool sound_without(const struct target *t)
{
    char dir[4096], list[64];
    bool sound = true;
    facets_of(t, list);
    if (t->server != NULL) /* all suites at once: a server is slower than what is embedded */
        sp_strlcpy(list, "all", sizeof list);
    for (char *facet = list; *facet != '\0';) {
        size_t n = strcspn(facet, " ");
        char *next = facet + n + (facet[n] == ' ');
        facet[n] = '\0';
        snprintf(dir, sizeof dir, "%s/%s-sound", work, t->kind);
        int status = 0;
        struct outcome o;
        pid_t pid = start(dir, t, facet, NULL, NULL, false);
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return false;
        finish(dir, status, &o);
        json_t *bad = o.summary == NULL ? json_array() : cases_with(o.summary, "failed");
        json_t *errored = o.summary == NULL ? json_array() : cases_with(o.summary, "errored");
        /* A server that offers nothing of a whole suite proves nothing there, and is sound for the rest. */
        bool unproved = t->server != NULL && o.summary != NULL && o.exit_code == 3 &&
                        json_array_size(bad) + json_array_size(errored) == 0;
        json_decref(errored);
        if (o.exit_code != 0 && !unproved) {
            printf("FAIL: %s, suites of %s, without a mutant: exit code %d, failed: %s\n", t->kind, facet,
                o.exit_code, json_array_size(bad) > 0 ? json_string_value(json_array_get(bad, 0)) : "none");
            sound = false;
        }
        if (strcmp(t->kind, "mock") == 0)
            expect_kills(o.summary);
        if (t->server != NULL) { /* all suites ran, so this is all that is skipped */
            json_decref(unheld);
            unheld = cases_with(o.summary, "skipped");
            sound_exit = o.exit_code;
        }
        json_decref(bad);
        json_decref(o.summary);
        facet = next;
    }
    return sound;
}

/* What the embedded matrix found out, for the targets that are tried alone. */
static bool write_killers(const char *path)
{
    json_t *all = json_pack("{s:O, s:O}", "killed_by", killed_by, "case_kills", case_kills);
    bool ok = all != NULL && json_dump_file(all, path, JSON_INDENT(1) | JSON_SORT_KEYS) == 0;
    json_decref(all);
    return ok;
}

static bool read_killers(const char *path)
{
    json_t *all = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    bool ok = json_unpack(all, "{s:O, s:O}", "killed_by", &killed_by, "case_kills", &case_kills) == 0;
    json_decref(all);
    return ok;
}

struct arguments {
    const char *on, *killers, *mutant;
};

static bool parse(int argc, char **argv, struct arguments *a)
{
    const char *operands[3] = { NULL, NULL, NULL };
    size_t n = 0;
    for (int i = 1; i < argc; i++) {
        bool value = i + 1 < argc;
        if (strcmp(argv[i], "--on") == 0 && value)
            a->on = argv[++i];
        else if (strcmp(argv[i], "--killers") == 0 && value)
            a->killers = argv[++i];
        else if (argv[i][0] != '-' && n < SP_LEN(operands))
            operands[n++] = argv[i];
        else
            return false;
    }
    program = operands[0];
    work = operands[1];
    a->mutant = operands[2];
    return n >= 2;
}

static void matrix(const struct target *t, const char *mutant)
{
    if (t->server != NULL && getenv(t->server) == NULL) {
        printf("FAIL: %s is not set: where is the server?\n", t->server);
        failed++;
    } else if (!sound_without(t)) {
        failed++;
    } else {
        passed++;
        all_mutants(t, mutant);
    }
}

int main(int argc, char **argv)
{
    struct arguments a = { NULL, NULL, NULL };
    size_t met = 0;
    if (!parse(argc, argv, &a)) {
        fprintf(
            stderr, "usage: %s [--killers FILE] [--on KIND] SWITCHPROOF WORK_DIRECTORY [MUTANT]\n", argv[0]);
        return 2;
    }
    if (a.on == NULL) {
        killed_by = json_object();
        case_kills = json_object();
    } else if (a.killers == NULL || !read_killers(a.killers)) {
        fprintf(stderr, "%s: --on needs --killers, a file that the embedded matrix wrote\n", argv[0]);
        return 2;
    }
    printf("| mutant | provider | killing cases |\n| --- | --- | --- |\n");
    for (size_t i = 0; i < SP_LEN(targets); i++) {
        const struct target *t = &targets[i];
        if (a.on != NULL ? strcmp(t->kind, a.on) != 0 : t->server != NULL)
            continue;
        met++;
        matrix(t, a.mutant);
    }
    if (a.on == NULL && a.mutant == NULL) {
        judge_cases();
        if (a.killers != NULL && !write_killers(a.killers)) {
            printf("FAIL: cannot write %s\n", a.killers);
            failed++;
        }
    }
    printf("%lu passed, %lu failed, %lu skipped\n", passed, failed, skipped);
    json_decref(killed_by);
    json_decref(case_kills);
    json_decref(unheld);
    return failed == 0 && met != 0 ? 0 : 1;
}
