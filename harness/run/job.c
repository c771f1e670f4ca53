/* job.c -- jobs over the socket. */
#include "run/job.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "run/job_access.h"

/* Every builder returns NULL when out of memory or given text that is not UTF-8; json_pack propagates it. */
static json_t *provider_json(const struct sp_config_provider *p)
{
    json_t *options = json_array();
    for (size_t i = 0; i < p->noptions; i++) {
        if (json_array_append_new(options, json_pack("[ss?]", p->option_names[i], p->option_values[i])) !=
            0) {
            json_decref(options);
            return NULL;
        }
    }
    return json_pack("{ss ss ss? si ss? si si so}", "name", p->name, "kind", p->kind, "url", p->url, "access",
        (int)p->access, "mutant", p->mutant, "connect_timeout_ms", p->connect_timeout_ms,
        "statement_timeout_ms", p->statement_timeout_ms, "options", options);
}

static json_t *settings_json(const struct sp_job *j)
{
    json_t *a = json_array();
    for (size_t i = 0; i < j->nsettings; i++) {
        const struct sp_config_setting *s = &j->settings[i];
        if (json_array_append_new(a, json_pack("[ssfs?]", s->suite, s->name, s->value, s->text)) != 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static json_t *lists_json(const struct sp_job *j, bool objects)
{
    json_t *a = json_array();
    size_t n = objects ? j->nobjects : j->ncases;
    for (size_t i = 0; i < n; i++) {
        json_t *v = objects ? json_pack("[sss?]", j->objects[i].type, j->objects[i].name, j->objects[i].ns)
                            : json_string(j->cases[i]);
        if (json_array_append_new(a, v) != 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static int send_frame(int fd, const char *text, struct sp_error *err)
{
    size_t n = strlen(text), sent = 0;
    if (n > SP_EVENT_FRAME_MAX)
        return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_HARNESS, "a worker's job of %zu bytes is too large", n);
    unsigned char head[4];
    for (unsigned i = 0; i < 4; i++)
        head[i] = (unsigned char)(n >> (8 * i) & 0xff);
    while (sent < n + sizeof head) {
        bool in_head = sent < sizeof head;
        const char *p = in_head ? (const char *)head + sent : text + (sent - sizeof head);
        ssize_t k = send(fd, p, in_head ? sizeof head - sent : n + sizeof head - sent, MSG_NOSIGNAL);
        if (k < 0 && errno != EINTR)
            return sp_fail(
                err, SP_E_IO, SP_ORIGIN_HARNESS, "cannot send the job to a worker: %s", strerror(errno));
        sent += k > 0 ? (size_t)k : 0;
    }
    return 0;
}

int sp_job_send(int fd, const struct sp_job *j, struct sp_error *err)
{
    char seed[24];
    (void)snprintf(seed, sizeof seed, "%" PRIu64, j->seed);
    json_t *o = json_pack("{sb sb ss ss ss? ss? so so so so so so ss sb}", "clean", j->clean ? 1 : 0,
        "announce", j->announce ? 1 : 0, "run", j->run, "tag", j->tag, "journal", j->journal, "suite",
        j->suite, "provider", provider_json(&j->provider), "cases", lists_json(j, false), "objects",
        lists_json(j, true), "settings", settings_json(j), "actors", sp_job_actors_json(j), "access",
        sp_job_access_json(j), "seed", seed, "quick", j->quick ? 1 : 0);
    char *text = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    if (text == NULL)
        return sp_invalid(err, "provider %s: a name or option is not valid UTF-8", j->provider.name);
    int rc = send_frame(fd, text, err);
    explicit_bzero(text, strlen(text)); /* it holds the connection's secrets */
    free(text);
    return rc;
}

static int read_exact(int fd, void *p, size_t n, struct sp_error *err)
{
    size_t got = 0;
    int rc = sp_read_all(fd, p, n, &got, err);
    if (rc == 0 && got != n)
        rc = sp_fail(err, SP_E_IO, SP_ORIGIN_HARNESS, "the job ended early");
    return rc;
}

static const char *text_of(struct sp_job *j, const json_t *v)
{
    return sp_arena_str(&j->arena, json_string_value(v));
}

static int take_provider(struct sp_job *j, const json_t *o)
{
    struct sp_config_provider *p = &j->provider;
    p->name = text_of(j, json_object_get(o, "name"));
    p->kind = text_of(j, json_object_get(o, "kind"));
    p->url = text_of(j, json_object_get(o, "url"));
    p->mutant = text_of(j, json_object_get(o, "mutant"));
    p->access = (enum sp_access)json_integer_value(json_object_get(o, "access"));
    p->connect_timeout_ms = (int)json_integer_value(json_object_get(o, "connect_timeout_ms"));
    p->statement_timeout_ms = (int)json_integer_value(json_object_get(o, "statement_timeout_ms"));
    const json_t *options = json_object_get(o, "options");
    p->noptions = json_array_size(options);
    const char **names = sp_arena_array(&j->arena, p->noptions + 1, sizeof *names);
    const char **values = sp_arena_array(&j->arena, p->noptions + 1, sizeof *values);
    if (p->name == NULL || p->kind == NULL || names == NULL || values == NULL)
        return -SP_E_INVALID;
    for (size_t i = 0; i < p->noptions; i++) {
        const json_t *pair = json_array_get(options, i);
        names[i] = text_of(j, json_array_get(pair, 0));
        values[i] = text_of(j, json_array_get(pair, 1));
        if (names[i] == NULL)
            return -SP_E_INVALID;
    }
    p->option_names = names;
    p->option_values = values;
    return 0;
}

static int take_lists(struct sp_job *j, const json_t *o)
{
    const json_t *cases = json_object_get(o, "cases"), *objects = json_object_get(o, "objects"),
                 *settings = json_object_get(o, "settings");
    j->ncases = json_array_size(cases);
    j->nobjects = json_array_size(objects);
    j->nsettings = json_array_size(settings);
    j->cases = sp_arena_array(&j->arena, j->ncases + 1, sizeof *j->cases);
    j->objects = sp_arena_array(&j->arena, j->nobjects + 1, sizeof *j->objects);
    struct sp_config_setting *s = sp_arena_array(&j->arena, j->nsettings + 1, sizeof *s);
    if (j->cases == NULL || j->objects == NULL || s == NULL)
        return -SP_E_NOMEM;
    j->settings = s;
    for (size_t i = 0; i < j->ncases; i++) {
        j->cases[i] = text_of(j, json_array_get(cases, i));
        if (j->cases[i] == NULL)
            return -SP_E_INVALID;
    }
    for (size_t i = 0; i < j->nobjects; i++) {
        const json_t *v = json_array_get(objects, i);
        j->objects[i] = (struct sp_object_ref){ text_of(j, json_array_get(v, 0)),
            text_of(j, json_array_get(v, 1)), text_of(j, json_array_get(v, 2)) };
        if (j->objects[i].type == NULL || j->objects[i].name == NULL)
            return -SP_E_INVALID;
    }
    for (size_t i = 0; i < j->nsettings; i++) {
        const json_t *v = json_array_get(settings, i);
        s[i] = (struct sp_config_setting){ text_of(j, json_array_get(v, 0)), text_of(j, json_array_get(v, 1)),
            json_number_value(json_array_get(v, 2)), text_of(j, json_array_get(v, 3)) };
        if (s[i].suite == NULL || s[i].name == NULL)
            return -SP_E_INVALID;
    }
    return 0;
}

static int decode(struct sp_job *j, const json_t *o)
{
    const char *seed = json_string_value(json_object_get(o, "seed"));
    j->run = text_of(j, json_object_get(o, "run"));
    j->tag = text_of(j, json_object_get(o, "tag"));
    j->journal = text_of(j, json_object_get(o, "journal"));
    j->suite = text_of(j, json_object_get(o, "suite"));
    j->clean = json_is_true(json_object_get(o, "clean"));
    j->announce = json_is_true(json_object_get(o, "announce"));
    j->quick = json_is_true(json_object_get(o, "quick"));
    if (j->run == NULL || j->tag == NULL || seed == NULL || !sp_parse_u64(seed, &j->seed))
        return -SP_E_INVALID;
    int rc = take_provider(j, json_object_get(o, "provider"));
    if (rc == 0)
        rc = take_lists(j, o);
    return rc == 0 ? sp_job_take_access(j, o) : rc;
}

int sp_job_receive(int fd, struct sp_job *j, struct sp_error *err)
{
    *j = (struct sp_job){ .arena = SP_ARENA_INIT };
    unsigned char head[4];
    int rc = read_exact(fd, head, sizeof head, err);
    if (rc != 0)
        return rc;
    size_t n = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
    if (n > SP_EVENT_FRAME_MAX)
        return sp_invalid(err, "a job of %zu bytes is too large", n);
    char *text = malloc(n + 1);
    json_t *o = NULL;
    if (text == NULL)
        return sp_nomem(err);
    rc = read_exact(fd, text, n, err);
    if (rc != 0)
        goto out;
    o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    if (o == NULL || decode(j, o) != 0)
        rc = sp_invalid(err, "the job cannot be read");
out:
    json_decref(o);
    explicit_bzero(text, n);
    free(text);
    if (rc != 0)
        sp_job_free(j);
    return rc;
}

void sp_job_free(struct sp_job *j)
{
    sp_arena_free(&j->arena);
    *j = (struct sp_job){ .arena = SP_ARENA_INIT };
}
