/* providers.c -- the section `providers:`. */
#include "config/read.h"

#include <string.h>

#include "base/str.h"
#include "provider_call.h"
#include "run/mutant.h"

#define SECTION "providers.NAME"
#define NKEYS   16

/* A password that stands in the file would be in the repository, in backups, in every checkout. */
static int check_url_secrets(struct sp_reader *r, const struct sp_yaml *node, const char *path)
{
    struct sp_expanded file, env;
    int rc = sp_expand(r->arena, node->text, false, &file, r->err);
    if (rc == 0) {
        rc = sp_expand(r->arena, node->text, true, &env, r->err);
    }
    if (rc != 0) {
        return rc;
    }
    if (sp_url_literal_password(&file) || sp_url_literal_password(&env)) {
        return sp_read_fail(r, node, path,
            "a password stands in the file: put it, or the whole URL, into an environment variable and write "
            "${VARIABLE} here");
    }
    if (env.unset != NULL) {
        return 0;
    }
    rc = sp_url_register(env.text, r->err);
    return rc == 0 && sp_url_raw_password(env.text) ? sp_read_fail(r, node, path, "%s", SP_URL_RAW) : rc;
}

static int check_url_kind(struct sp_reader *r, const struct sp_yaml *node, const char *path, const char *url,
    const struct sp_provider *kind)
{
    if (sp_provider_by_url(r->kinds, url) == kind) {
        return 0;
    }
    return sp_read_fail(r, node, path, "the URL of a %s provider starts with \"%s:\", found \"%.60s\"",
        kind->kind, kind->scheme, node->text);
}

static int option_type(const char *type, enum sp_key_type *out)
{
    static const struct {
        const char *name;
        enum sp_key_type type;
    } types[] = { { "text", SP_KEY_TEXT }, { "path", SP_KEY_TEXT }, { "bool", SP_KEY_BOOL },
        { "int", SP_KEY_INT }, { "duration", SP_KEY_DURATION } };
    for (size_t i = 0; i < SP_LEN(types); i++) {
        if (strcmp(types[i].name, type) == 0) {
            *out = types[i].type;
            return 0;
        }
    }
    return -SP_E_INTERNAL;
}

/* A sensitive option comes from the environment, all the more as nobody can tell which part of it is the secret. */
static int check_sensitive(
    struct sp_reader *r, const struct sp_yaml *node, const char *path, const char *value)
{
    struct sp_expanded x;
    int rc = sp_expand(r->arena, node->text, false, &x, r->err);
    if (rc != 0) {
        return rc;
    }
    bool literal = !x.substituted;
    for (size_t i = 0; x.text[i] != '\0'; i++) {
        literal = literal || !x.from[i];
    }
    if (literal) {
        return sp_read_fail(r, node, path,
            "this is a secret, and it stands in the file: put it into an environment variable and write "
            "${VARIABLE} here, alone and without a default");
    }
    if (value == NULL) {
        return 0; /* the variable is not set */
    }
    rc = sp_secret_add(value);
    if (rc == -SP_E_INVALID) {
        return sp_read_fail(
            r, node, path, "a secret of fewer than 4 characters cannot be kept out of reports");
    }
    if (rc == 0) { /* of a URL the password alone is secret, too */
        rc = sp_url_register(value, r->err);
    }
    return rc == 0 && sp_url_raw_password(value) ? sp_read_fail(r, node, path, "%s", SP_URL_RAW)
           : rc == 0                             ? 0
                                                 : sp_nomem(r->err);
}

static int read_option(struct sp_reader *r, const struct sp_yaml *m, const char *path,
    const struct sp_provider *kind, const char **value)
{
    const struct sp_provider_option *o = kind->options;
    size_t n = 0;
    while (o != NULL && o->name != NULL && strcmp(o->name, m->key) != 0) {
        o++;
        n++;
    }
    if (o == NULL || o->name == NULL) {
        const char **names = sp_arena_array(r->arena, n + 1, sizeof *names);
        for (size_t i = 0; names != NULL && i < n; i++) {
            names[i] = kind->options[i].name;
        }
        struct sp_yaml at = { .line = m->key_line, .column = m->key_column };
        return sp_read_fail(r, &at, path, "%s has no option \"%s\"%s", kind->kind, m->key,
            names == NULL || n == 0 ? "; it has none" : sp_read_hint(r->arena, m->key, names));
    }
    struct sp_config_key key = { .name = o->name, .min = 0, .max = INT64_MAX };
    struct sp_key_value v = { .key = &key };
    path = sp_read_path(r, path, m->key);
    if (option_type(o->type, &key.type) != 0) {
        return sp_fail(r->err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "%s: option \"%s\" has the unknown type %s",
            kind->kind, o->name, o->type);
    }
    int rc = sp_read_scalar(r, m, &key, path, &v);
    if (rc == 0 && o->sensitive) {
        rc = check_sensitive(r, m, path, v.text);
    }
    *value = v.text;
    return rc;
}

static int read_options(struct sp_reader *r, const struct sp_yaml *map, const char *path,
    const struct sp_provider *kind, struct sp_config_provider *out)
{
    int rc = sp_expect_type(r, map, SP_YAML_MAP, path);
    const char **names = sp_arena_array(r->arena, map->count + 1, sizeof *names);
    const char **values = sp_arena_array(r->arena, map->count + 1, sizeof *values);
    if (rc == 0 && (names == NULL || values == NULL)) {
        rc = sp_nomem(r->err);
    }
    for (const struct sp_yaml *m = map->first; rc == 0 && m != NULL; m = m->next) {
        names[out->noptions] = m->key;
        rc = read_option(r, m, path, kind, &values[out->noptions]);
        out->noptions += values[out->noptions] != NULL;
    }
    out->option_names = names;
    out->option_values = values;
    return rc;
}

static int check_mutant(struct sp_reader *r, const struct sp_key_value *v, const char *path)
{
    struct sp_error why = SP_ERROR_INIT;
    int rc = sp_mutant_check(v->text, &why);
    if (rc != 0) {
        rc = sp_read_fail(r, v->node, path, "%s", sp_error_text(&why));
    }
    sp_error_clear(&why);
    return rc;
}

/* An option of the kind that was written beside kind and url instead of under options. */
static int check_misplaced(struct sp_reader *r, const struct sp_yaml *map, const char *path)
{
    const char *kind = NULL;
    for (const struct sp_yaml *m = map->first; m != NULL; m = m->next) {
        kind = strcmp(m->key, "kind") == 0 && m->type == SP_YAML_SCALAR ? m->text : kind;
    }
    const struct sp_provider *p = kind != NULL ? sp_config_kind(r->kinds, kind) : NULL;
    for (const struct sp_yaml *m = map->first; p != NULL && m != NULL; m = m->next) {
        for (const struct sp_provider_option *o = p->options; o != NULL && o->name != NULL; o++) {
            bool own = strcmp(m->key, "options") == 0 || strcmp(m->key, "kind") == 0;
            if (!own && strcmp(o->name, m->key) == 0) {
                struct sp_yaml at = { .line = m->key_line, .column = m->key_column };
                return sp_read_fail(r, &at, path, "\"%s\" is an option of %s: write options: { %s: ... }",
                    m->key, kind, m->key);
            }
        }
    }
    return 0;
}

static int fill(struct sp_reader *r, const struct sp_key_value *v, size_t n, const char *path,
    struct sp_config_provider *out)
{
    const struct sp_key_value *kind = sp_value_of(v, n, "kind"), *url = sp_value_of(v, n, "url"),
                              *mutant = sp_value_of(v, n, "mutant"), *options = sp_value_of(v, n, "options");
    const char *kind_path = sp_read_path(r, path, "kind");
    if (kind->text == NULL) {
        return sp_read_fail(r, kind->node, kind_path, "the environment variable %s is not set", r->unset);
    }
    const struct sp_provider *p = sp_config_kind(r->kinds, kind->text);
    if (p == NULL) {
        return sp_read_fail(
            r, kind->node, kind_path, "%s", sp_config_no_kind(r->arena, r->kinds, kind->text, false));
    }
    out->kind = p->kind;
    out->url = url->text;
    out->access = (enum sp_access)sp_value_of(v, n, "access")->i; /* the choices stand in the enum's order */
    out->optional = sp_value_of(v, n, "optional")->b;
    out->connect_timeout_ms = (int)sp_value_of(v, n, "connect_timeout")->i; /* at most an hour */
    out->statement_timeout_ms = (int)sp_value_of(v, n, "statement_timeout")->i;
    out->mutant = mutant->text;
    const char *url_path = sp_read_path(r, path, "url");
    int rc = check_url_secrets(r, url->node, url_path);
    if (rc == 0 && url->text != NULL) {
        rc = check_url_kind(r, url->node, url_path, url->text, p);
    }
    if (rc == 0 && mutant->text != NULL) {
        rc = check_mutant(r, mutant, sp_read_path(r, path, "mutant"));
    }
    if (rc == 0 && options->key != NULL) {
        rc = read_options(r, options->node, sp_read_path(r, path, "options"), p, out);
    }
    return rc;
}

static int read_provider(struct sp_reader *r, const struct sp_yaml *m, struct sp_config_provider *out)
{
    struct sp_key_value values[NKEYS];
    const char *path = sp_read_path(r, "providers", m->key);
    if (sp_section_size(SECTION) > NKEYS) {
        return sp_fail(r->err, SP_E_INTERNAL, SP_ORIGIN_HARNESS, "too many keys in the option table");
    }
    if (!sp_config_name_ok(m->key)) {
        struct sp_yaml at = { .line = m->key_line, .column = m->key_column };
        return sp_read_fail(r, &at, "providers",
            "\"%s\" cannot be a provider's name: letters, digits, '_', '-' and '.', at most 64, not starting "
            "with '_', '-' or '.'",
            m->key);
    }
    out->name = m->key;
    out->line = m->key_line;
    r->may_be_unset = true;
    r->unset = NULL;
    int rc = sp_expect_type(r, m, SP_YAML_MAP, path);
    if (rc == 0) {
        rc = check_misplaced(r, m, path);
    }
    if (rc == 0) {
        rc = sp_read_map(r, m, SECTION, path, values);
    }
    if (rc == 0) {
        rc = fill(r, values, sp_section_size(SECTION), path, out);
    }
    out->unset_variable = r->unset;
    if (r->unset != NULL) {
        out->url = NULL;
    }
    r->may_be_unset = false;
    r->unset = NULL;
    return rc;
}

int sp_read_providers(struct sp_reader *r, const struct sp_yaml *node)
{
    int rc = sp_expect_type(r, node, SP_YAML_MAP, "providers");
    struct sp_config_provider *list = sp_arena_array(r->arena, node->count + 1, sizeof *list);
    if (rc == 0 && list == NULL) {
        rc = sp_nomem(r->err);
    }
    size_t n = 0;
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next) {
        rc = read_provider(r, m, &list[n++]);
    }
    r->cfg->providers = list;
    r->cfg->nproviders = n;
    return rc;
}
