/* access.c -- the sections `actors:` and `access:`: who there is, and who may do what with which table. */
#include "config/read.h"

#include <string.h>

#define NKEYS 10

const char *const sp_access_ops[SP_ACCESS_OPS] = { "select", "insert", "update", "delete" };

static int read_actor(struct sp_reader *r, const struct sp_yaml *m, struct sp_config_actor *out)
{
    struct sp_key_value values[NKEYS];
    size_t n = sp_section_size("actors.NAME");
    const char *path = sp_read_path(r, "actors", m->key);
    int rc = sp_read_map(r, m, "actors.NAME", path, values);
    if (rc != 0) {
        return rc;
    }
    out->name = m->key;
    out->role = sp_value_of(values, n, "role")->text;
    out->user = sp_value_of(values, n, "user")->text;
    out->claims = sp_value_of(values, n, "claims")->text;
    return 0;
}

int sp_read_actors(struct sp_reader *r, const struct sp_yaml *node)
{
    int rc = sp_expect_type(r, node, SP_YAML_MAP, "actors");
    struct sp_config_actor *list = sp_arena_array(r->arena, node->count + 1, sizeof *list);
    if (rc == 0 && list == NULL) {
        rc = sp_nomem(r->err);
    }
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next) {
        rc = read_actor(r, m, &list[r->cfg->nactors++]);
    }
    r->cfg->actors = list;
    return rc;
}

static int check_names(
    struct sp_reader *r, const struct sp_yaml *m, const char *path, const struct sp_config_access *a)
{
    bool known = false;
    for (size_t i = 0; i < r->cfg->nactors; i++) {
        known = known || strcmp(r->cfg->actors[i].name, a->actor) == 0;
    }
    if (!known) {
        return sp_read_fail(
            r, m, path, "no actor is called \"%s\": name them in the section `actors`", a->actor);
    }
    for (size_t i = 0; i < a->nproviders; i++) {
        if (sp_config_provider(r->cfg, a->providers[i]) == NULL) {
            return sp_read_fail(r, m, path, "no provider is called \"%s\"", a->providers[i]);
        }
    }
    return 0;
}

static int read_rule(struct sp_reader *r, const struct sp_yaml *m, size_t index, struct sp_config_access *out)
{
    struct sp_key_value values[NKEYS];
    size_t n = sp_section_size("access[]"), said = 0;
    const char *path = sp_arena_printf(r->arena, "access[%zu]", index);
    int rc = path != NULL ? sp_read_map(r, m, "access[]", path, values) : sp_nomem(r->err);
    if (rc != 0) {
        return rc;
    }
    out->table = sp_value_of(values, n, "table")->text;
    out->actor = sp_value_of(values, n, "actor")->text;
    out->owner = sp_value_of(values, n, "owner")->text;
    out->providers = sp_value_of(values, n, "providers")->names;
    out->nproviders = sp_value_of(values, n, "providers")->nnames;
    for (size_t i = 0; i < SP_ACCESS_OPS; i++) {
        const struct sp_key_value *v = sp_value_of(values, n, sp_access_ops[i]);
        out->expect[i] = v->key != NULL ? v->text : NULL;
        said += out->expect[i] != NULL ? 1 : 0;
        if (out->expect[i] != NULL && strcmp(out->expect[i], "own") == 0 && out->owner == NULL) {
            return sp_read_fail(
                r, v->node, path, "`own` needs `owner`: the column with the id of the user whose row it is");
        }
    }
    if (said == 0) {
        return sp_read_fail(r, m, path, "expected at least one of select, insert, update, delete");
    }
    return check_names(r, m, path, out);
}

int sp_read_access(struct sp_reader *r, const struct sp_yaml *node)
{
    int rc = sp_expect_type(r, node, SP_YAML_LIST, "access");
    struct sp_config_access *list = sp_arena_array(r->arena, node->count + 1, sizeof *list);
    if (rc == 0 && list == NULL) {
        rc = sp_nomem(r->err);
    }
    size_t n = 0;
    for (const struct sp_yaml *m = node->first; rc == 0 && m != NULL; m = m->next, n++) {
        rc = read_rule(r, m, n, &list[n]);
    }
    r->cfg->access = list;
    r->cfg->naccess = n;
    return rc;
}
