/* cmd_list.c -- switchproof list. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/options.h"
#include "provider_call.h"

static void facets(const struct sp_provider *p)
{
    (void)printf("%s%s%s", p->db != NULL ? " database" : "", p->auth != NULL ? " auth" : "",
        p->blob != NULL ? " storage" : "");
}

static int list_providers(const struct sp_program *program, struct sp_args *a)
{
    for (size_t i = 0; program->providers[i] != NULL; i++) {
        const struct sp_provider *p = program->providers[i];
        (void)printf("%-12s %-24s", p->kind, p->library != NULL ? p->library() : "no library");
        facets(p);
        (void)printf("\n             %s\n", p->summary);
        for (const struct sp_provider_option *o = p->options; a->verbose > 0 && o != NULL && o->name != NULL;
             o++) {
            (void)printf("             option %s (%s%s%s%s): %s\n", o->name, o->type,
                o->fallback != NULL ? ", default " : "", o->fallback != NULL ? o->fallback : "",
                o->sensitive ? ", secret" : "", o->doc);
        }
    }
    for (size_t i = 0; program->left_out[i] != NULL; i++) {
        (void)printf("%-12s left out of this build\n", program->left_out[i]);
    }
    return SP_EXIT_OK;
}

static size_t count_cases(const struct sp_suite *s)
{
    size_t n = 0;
    while (s->cases[n].id != NULL) {
        n++;
    }
    return n;
}

static int list_suites(const struct sp_program *program, struct sp_args *a)
{
    (void)a;
    for (size_t i = 0; program->suites[i] != NULL; i++) {
        const struct sp_suite *s = program->suites[i];
        (void)printf("%-12s %4zu cases  %s\n", s->name, count_cases(s), s->summary);
    }
    return SP_EXIT_OK;
}

static bool chosen(const struct sp_list *list, const char *name)
{
    return list->n == 0 || sp_str_among(list->v, list->n, name);
}

static void print_case(const struct sp_case *c)
{
    (void)printf("%s%s%s\n    %s\n", c->id, (c->flags & SP_CASE_HEAVY) != 0 ? " [full only]" : "",
        (c->flags & SP_CASE_FAULTS) != 0 ? " [disturbs the server]" : "", c->promise);
    for (size_t k = 0; c->needs != NULL && c->needs[k] != SP_NEEDS_END; k++) {
        (void)printf("%s%s", k == 0 ? "    needs: " : ", ", sp_caps[c->needs[k]].name);
    }
    (void)printf("%s", c->needs != NULL && c->needs[0] != SP_NEEDS_END ? "\n" : "");
}

static int list_cases(const struct sp_program *program, struct sp_args *a)
{
    size_t n = 0;
    const char *names[64] = { NULL };
    for (size_t i = 0; program->suites[i] != NULL && i + 1 < SP_LEN(names); i++) {
        names[i] = program->suites[i]->name;
    }
    for (size_t i = 0; i < a->suites.n; i++) {
        size_t k = 0;
        while (names[k] != NULL && strcmp(names[k], a->suites.v[i]) != 0) {
            k++;
        }
        if (names[k] == NULL) {
            return sp_cli_usage(a, "no suite is called '%s'%s", a->suites.v[i],
                sp_cli_hint(&a->arena, a->suites.v[i], names));
        }
    }
    for (size_t i = 0; program->suites[i] != NULL; i++) {
        const struct sp_suite *s = program->suites[i];
        for (const struct sp_case *c = s->cases; chosen(&a->suites, s->name) && c->id != NULL; c++) {
            if (a->glob == NULL || sp_glob(a->glob, c->id, true)) {
                print_case(c);
                n++;
            }
        }
    }
    if (n == 0) {
        return sp_cli_usage(a, "no case matches");
    }
    (void)printf("%zu cases\n", n);
    return SP_EXIT_OK;
}

static void print_cap(const struct sp_cap *c, enum sp_cap_kind kind)
{
    char text[32];
    if (c->level != SP_CAP_YES || kind != SP_CAP_KIND_LIMIT) {
        (void)sp_strlcpy(text,
            c->level == SP_CAP_YES  ? "yes"
            : c->level == SP_CAP_NO ? "-"
                                    : "unknown",
            sizeof text);
    } else if (c->limit == INT64_MAX) {
        (void)sp_strlcpy(text, "no limit", sizeof text);
    } else {
        (void)snprintf(text, sizeof text, "%lld", (long long)c->limit);
    }
    (void)printf(" %-12s", text);
}

static int list_capabilities(const struct sp_program *program, struct sp_args *a)
{
    const char *kinds[64] = { NULL };
    for (size_t i = 0; program->providers[i] != NULL && i + 1 < SP_LEN(kinds); i++) {
        kinds[i] = program->providers[i]->kind;
    }
    for (size_t i = 0; i < a->providers.n; i++) {
        if (sp_provider_by_kind(program->providers, a->providers.v[i]) == NULL) {
            return sp_cli_usage(a, "no provider kind is called '%s'%s", a->providers.v[i],
                sp_cli_hint(&a->arena, a->providers.v[i], kinds));
        }
    }
    (void)printf("%-22s %-9s", "capability", "facet");
    for (size_t i = 0; kinds[i] != NULL; i++) {
        if (chosen(&a->providers, kinds[i])) {
            (void)printf(" %-12s", kinds[i]);
        }
    }
    (void)printf(" meaning\n");
    for (size_t c = 0; c < SP_CAP_N; c++) {
        (void)printf("%-22s %-9s", sp_caps[c].name, sp_facet_name(sp_caps[c].facet));
        for (size_t i = 0; kinds[i] != NULL; i++) {
            if (chosen(&a->providers, kinds[i])) {
                print_cap(&program->providers[i]->declared[c], sp_caps[c].kind);
            }
        }
        (void)printf(" %s\n", sp_caps[c].doc);
    }
    return SP_EXIT_OK;
}

int sp_cmd_list(const struct sp_program *program, struct sp_args *a)
{
    static const struct {
        const char *name;
        int (*run)(const struct sp_program *, struct sp_args *);
    } lists[] = { { "providers", list_providers }, { "suites", list_suites }, { "cases", list_cases },
        { "capabilities", list_capabilities } };
    const char *names[SP_LEN(lists) + 1] = { NULL };
    const char *what = a->operands.v[0];
    for (size_t i = 0; i < SP_LEN(lists); i++) {
        names[i] = lists[i].name;
        if (strcmp(what, names[i]) == 0) {
            return lists[i].run(program, a);
        }
    }
    return sp_cli_usage(a, "cannot list '%s'%s; expected providers, suites, cases or capabilities", what,
        sp_cli_hint(&a->arena, what, names));
}
