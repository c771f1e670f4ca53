/* job_access.c -- the part of a job that says who there is, and who may do what. */
#include "run/job_access.h"

#include <string.h>

static json_t *add(json_t *list, json_t *v)
{
    if (list != NULL && json_array_append_new(list, v) == 0)
        return list;
    json_decref(list);
    return NULL;
}

json_t *sp_job_actors_json(const struct sp_job *j)
{
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < j->nactors; i++) {
        const struct sp_config_actor *c = &j->actors[i];
        a = add(a, json_pack("[ss?s?s?]", c->name, c->role, c->user, c->claims));
    }
    return a;
}

/* The rules of other providers are left out. */
static bool concerns(const struct sp_config_access *a, const char *provider)
{
    return a->nproviders == 0 || sp_str_among(a->providers, a->nproviders, provider);
}

json_t *sp_job_access_json(const struct sp_job *j)
{
    json_t *a = json_array();
    for (size_t i = 0; a != NULL && i < j->naccess; i++) {
        const struct sp_config_access *c = &j->access[i];
        if (concerns(c, j->provider.name))
            a = add(a, json_pack("[sss?s?s?s?s?]", c->table, c->actor, c->owner, c->expect[0], c->expect[1],
                           c->expect[2], c->expect[3]));
    }
    return a;
}

static const char *text_at(struct sp_job *j, const json_t *list, size_t i)
{
    const char *text = json_string_value(json_array_get(list, i));
    return text != NULL ? sp_arena_str(&j->arena, text) : NULL;
}

int sp_job_take_access(struct sp_job *j, const json_t *o)
{
    const json_t *actors = json_object_get(o, "actors"), *access = json_object_get(o, "access");
    size_t na = json_array_size(actors), nr = json_array_size(access);
    struct sp_config_actor *a = sp_arena_array(&j->arena, na + 1, sizeof *a);
    struct sp_config_access *r = sp_arena_array(&j->arena, nr + 1, sizeof *r);
    if (a == NULL || r == NULL)
        return -SP_E_NOMEM;
    for (size_t i = 0; i < na; i++) {
        const json_t *v = json_array_get(actors, i);
        a[i] = (struct sp_config_actor){ text_at(j, v, 0), text_at(j, v, 1), text_at(j, v, 2),
            text_at(j, v, 3) };
        if (a[i].name == NULL)
            return -SP_E_INVALID;
    }
    for (size_t i = 0; i < nr; i++) {
        const json_t *v = json_array_get(access, i);
        r[i] = (struct sp_config_access){
            .table = text_at(j, v, 0), .actor = text_at(j, v, 1), .owner = text_at(j, v, 2)
        };
        for (size_t k = 0; k < SP_ACCESS_OPS; k++)
            r[i].expect[k] = text_at(j, v, 3 + k);
        if (r[i].table == NULL || r[i].actor == NULL)
            return -SP_E_INVALID;
    }
    j->actors = a;
    j->nactors = na;
    j->access = r;
    j->naccess = nr;
    return 0;
}
