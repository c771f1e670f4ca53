/* sections.c -- the sections `suites:`, `gates:` and `expected_failures:`. */
#include "config/read.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define NKEYS 16

/* The names X that have rows "prefix.X" in the option table. */
static const char *const *section_names(struct sp_reader *r, const char *prefix)
{
    size_t n = 0, len = strlen(prefix), cap = 0;
    const char **names = NULL, *last = NULL;
    for (const struct sp_config_key *k = sp_config_keys; k->name != NULL; k++) {
        if (strncmp(k->section, prefix, len) == 0 && (last == NULL || strcmp(last, k->section) != 0)) {
            last = k->section;
            names = sp_arena_grow(r->arena, names, &cap, n + 2, sizeof *names);
            if (names == NULL) {
                return NULL;
            }
            names[n++] = k->section + len;
            names[n] = NULL;
        }
    }
    return names;
}

static double number_of(const struct sp_key_value *v)
{
    switch (v->key->type) {
    case SP_KEY_INT:
    case SP_KEY_DURATION:
        return (double)v->i;
    case SP_KEY_RATE:
    case SP_KEY_PERCENT:
        return v->f;
    default:
        return 0;
    }
}

static int read_suite(struct sp_reader *r, const struct sp_yaml *m, const char *const *known,
    struct sp_config_setting **list, size_t *n, size_t *cap)
{
    struct sp_key_value values[NKEYS];
    size_t k = 0;
    while (known[k] != NULL && strcmp(known[k], m->key) != 0) {
        k++;
    }
    if (known[k] == NULL) {
        struct sp_yaml at = { .line = m->key_line, .column = m->key_column };
        return sp_read_fail(r, &at, "suites", "no suite with settings is called \"%s\"%s", m->key,
            sp_read_hint(r->arena, m->key, known));
    }
    const char *path = sp_read_path(r, "suites", m->key);
    int rc = sp_read_map(r, m, path, path, values); /* the section's name in the table is the path */
    for (size_t i = 0; rc == 0 && i < sp_section_size(path); i++) {
        if (values[i].key == NULL) {
            continue;
        }
        *list = sp_arena_grow(r->arena, *list, cap, *n + 1, sizeof **list);
        if (*list == NULL) {
            return sp_nomem(r->err);
        }
        (*list)[(*n)++] = (struct sp_config_setting){ .suite = m->key,
            .name = values[i].key->name,
            .value = number_of(&values[i]),
            .text = values[i].text };
    }
    return rc;
}

int sp_read_suites(struct sp_reader *r, const struct sp_yaml *node)
{
    const char *const *known = section_names(r, "suites.");
    struct sp_config_setting *list = NULL;
    size_t n = 0, cap = 0;
    int rc = known != NULL ? sp_expect_type(r, node, SP_YAML_MAP, "suites") : sp_nomem(r->err);
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next) {
        rc = read_suite(r, m, known, &list, &n, &cap);
    }
    r->cfg->settings = list;
    r->cfg->nsettings = n;
    return rc;
}

int sp_read_verify(struct sp_reader *r, const struct sp_yaml *node)
{
    struct sp_key_value values[NKEYS];
    size_t n = sp_section_size("verify");
    int rc = sp_read_map(r, node, "verify", "verify", values);
    if (rc == 0) {
        r->cfg->verify = (struct sp_config_verify){ .rate = sp_value_of(values, n, "rate")->f,
            .max_lag_ms = sp_value_of(values, n, "max_lag")->i,
            .max_snapshot_ms = sp_value_of(values, n, "max_snapshot")->i,
            .recheck_ms = sp_value_of(values, n, "recheck")->i };
    }
    return rc;
}

/* A list becomes its elements with commas between them. */
static const char *gate_text(struct sp_reader *r, const struct sp_key_value *v)
{
    if (v->key->type != SP_KEY_NAMES) {
        return v->text;
    }
    struct sp_buf b = SP_BUF_INIT;
    for (size_t i = 0; i < v->nnames; i++) {
        (void)sp_buf_printf(&b, "%s%s", i > 0 ? "," : "", v->names[i]);
    }
    const char *text = b.oom ? NULL : sp_arena_str(r->arena, b.p != NULL ? b.p : "");
    sp_buf_free(&b);
    return text;
}

static int read_gate(struct sp_reader *r, const struct sp_yaml *m, struct sp_config_gate *out)
{
    static const char *const phases[] = { "setup", "abstraction", "migration", "validation", "production",
        NULL };
    struct sp_key_value values[NKEYS];
    size_t k = 0;
    while (phases[k] != NULL && strcmp(phases[k], m->key) != 0) {
        k++;
    }
    if (phases[k] == NULL) {
        struct sp_yaml at = { .line = m->key_line, .column = m->key_column };
        return sp_read_fail(
            r, &at, "gates", "\"%s\" is no phase%s", m->key, sp_read_hint(r->arena, m->key, phases));
    }
    const char **names = sp_arena_array(r->arena, NKEYS, sizeof *names);
    const char **texts = sp_arena_array(r->arena, NKEYS, sizeof *texts);
    if (names == NULL || texts == NULL) {
        return sp_nomem(r->err);
    }
    int rc = sp_read_map(r, m, "gates.PHASE", sp_read_path(r, "gates", m->key), values);
    *out = (struct sp_config_gate){ .phase = m->key, .names = names, .values = texts };
    for (size_t i = 0; rc == 0 && i < sp_section_size("gates.PHASE"); i++) {
        if (values[i].key != NULL) {
            names[out->n] = values[i].key->name;
            texts[out->n] = gate_text(r, &values[i]);
            rc = texts[out->n++] != NULL ? 0 : sp_nomem(r->err);
        }
    }
    return rc;
}

int sp_read_gates(struct sp_reader *r, const struct sp_yaml *node)
{
    int rc = sp_expect_type(r, node, SP_YAML_MAP, "gates");
    struct sp_config_gate *list = sp_arena_array(r->arena, node->count + 1, sizeof *list);
    if (rc == 0 && list == NULL) {
        rc = sp_nomem(r->err);
    }
    size_t n = 0;
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next) {
        rc = read_gate(r, m, &list[n++]);
    }
    r->cfg->gates = list;
    r->cfg->ngates = n;
    return rc;
}

int sp_read_provider_name(struct sp_reader *r, const struct sp_key_value *v, const char *path)
{
    const char **names = sp_arena_array(r->arena, r->cfg->nproviders + 1, sizeof *names);
    if (names == NULL) {
        return sp_nomem(r->err);
    }
    for (size_t i = 0; i < r->cfg->nproviders; i++) {
        names[i] = r->cfg->providers[i].name;
        if (strcmp(names[i], v->text) == 0) {
            return 0;
        }
    }
    return sp_read_fail(r, v->node, path, "no provider of this file is called \"%s\"%s", v->text,
        sp_read_hint(r->arena, v->text, names));
}

static int read_xfail(struct sp_reader *r, const struct sp_yaml *m, size_t index, struct sp_config_xfail *out)
{
    struct sp_key_value values[NKEYS];
    size_t n = sp_section_size("expected_failures[]");
    const char *path = sp_arena_printf(r->arena, "expected_failures[%zu]", index);
    int rc = path != NULL ? sp_read_map(r, m, "expected_failures[]", path, values) : sp_nomem(r->err);
    if (rc != 0) {
        return rc;
    }
    const struct sp_key_value *provider = sp_value_of(values, n, "provider"),
                              *link = sp_value_of(values, n, "link");
    *out = (struct sp_config_xfail){ .id = sp_value_of(values, n, "case")->text,
        .provider = provider->text,
        .link = link->text,
        .reason = sp_value_of(values, n, "reason")->text,
        .until_day = sp_value_of(values, n, "until")->i,
        .line = m->line };
    if (!sp_str_prefix(out->link, "https://") && !sp_str_prefix(out->link, "http://")) {
        return sp_read_fail(r, link->node, sp_read_path(r, path, "link"),
            "expected a link to the issue, https://..., found \"%.60s\"", out->link);
    }
    return sp_read_provider_name(r, provider, sp_read_path(r, path, "provider"));
}

int sp_read_xfails(struct sp_reader *r, const struct sp_yaml *node)
{
    int rc = sp_expect_type(r, node, SP_YAML_LIST, "expected_failures");
    struct sp_config_xfail *list = sp_arena_array(r->arena, node->count + 1, sizeof *list);
    if (rc == 0 && list == NULL) {
        rc = sp_nomem(r->err);
    }
    size_t n = 0;
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next, n++) {
        rc = read_xfail(r, m, n, &list[n]);
        for (size_t i = 0; rc == 0 && i < n; i++) {
            if (strcmp(list[i].id, list[n].id) == 0 && strcmp(list[i].provider, list[n].provider) == 0) {
                rc = sp_read_fail(r, m, "expected_failures",
                    "a second entry for %s on %s (the first is in line %d)", list[n].id, list[n].provider,
                    list[i].line);
            }
        }
    }
    r->cfg->xfails = list;
    r->cfg->nxfails = n;
    return rc;
}
