/* check_compose.c -- holds docker-compose.yml to its rules: every image has an exact tag, every service a profile and a
 * health check, ports are bound to loopback alone, no volume outlives the stack, and each profile has a port.
 *
 * usage: check_compose FILE [PROFILE...]; prints "SERVICE PROFILE IMAGE" lines. Exit code 1 with one message per
 * mistake (a PROFILE that no service has is one), 2 when the file cannot be read. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/yaml.h"

static const char *file;
static unsigned mistakes;

static void mistake(const struct sp_yaml *at, const char *service, const char *what)
{
    mistakes++;
    (void)fprintf(stderr, "%s:%d: %s: %s\n", file, at->line, service, what);
}

static const struct sp_yaml *member(const struct sp_yaml *map, const char *key)
{
    if (!map || map->type != SP_YAML_MAP)
        return NULL;
    for (const struct sp_yaml *m = map->first; m; m = m->next)
        if (!strcmp(m->key, key))
            return m;
    return NULL;
}

/* "name:15.14", "name:7.0.26-jammy", "name:v2.186.0": two numbers at least, so that it cannot move to another release. */
static bool exact_tag(const char *image)
{
    const char *slash = strrchr(image, '/');
    const char *tag = strchr(slash ? slash : image, ':');
    if (!tag)
        return false;
    unsigned numbers = 0;
    if (tag[1] == 'v')
        tag++;
    for (tag++; isdigit((unsigned char)*tag); tag++) {
        numbers++;
        while (isdigit((unsigned char)*tag))
            tag++;
        if (*tag != '.')
            break;
    }
    return numbers >= 2 && (!*tag || *tag == '-');
}

static void check_ports(const struct sp_yaml *service)
{
    const struct sp_yaml *ports = member(service, "ports"), *mode = member(service, "network_mode");
    if (mode)
        mistake(mode, service->key, "network_mode goes around the loopback ports");
    if (ports && ports->type != SP_YAML_LIST)
        mistake(ports, service->key, "ports are a list");
    /* Without ports it is reached by its neighbours alone. */
    for (const struct sp_yaml *p = ports ? ports->first : NULL; p; p = p->next)
        if (p->type != SP_YAML_SCALAR || strncmp(p->text, "127.0.0.1:", 10) != 0)
            mistake(p, service->key, "a port that is not bound to 127.0.0.1");
}

static void check_service(const struct sp_yaml *service)
{
    const struct sp_yaml *image = member(service, "image");
    if (!image || image->type != SP_YAML_SCALAR || !exact_tag(image->text))
        mistake(image ? image : service, service->key, "no image with an exact tag");
    const struct sp_yaml *health = member(service, "healthcheck");
    const struct sp_yaml *test = member(health, "test"), *off = member(health, "disable");
    if (!test || (test->type == SP_YAML_LIST && (!test->count || !strcmp(test->first->text, "NONE"))) || off)
        mistake(health ? health : service, service->key, "no health check");
    const struct sp_yaml *profiles = member(service, "profiles");
    if (!profiles || profiles->type != SP_YAML_LIST || !profiles->count)
        mistake(service, service->key, "no profile: it would start with every stack");
    check_ports(service);
    const struct sp_yaml *volumes = member(service, "volumes");
    if (volumes)
        mistake(volumes, service->key, "a volume: data must go with the stack");
    for (const struct sp_yaml *p = profiles ? profiles->first : NULL; p; p = p->next)
        (void)printf(
            "%s %s %s\n", service->key, p->text ? p->text : "?", image && image->text ? image->text : "?");
}

/* Whether a service has this profile, and whether one of them can be reached. */
static bool has_profile(const struct sp_yaml *services, const char *name, bool *reached)
{
    bool found = false;
    *reached = false;
    for (const struct sp_yaml *s = services->first; s; s = s->next) {
        const struct sp_yaml *profiles = member(s, "profiles");
        for (const struct sp_yaml *p = profiles ? profiles->first : NULL; p; p = p->next)
            if (p->type == SP_YAML_SCALAR && !strcmp(p->text, name)) {
                const struct sp_yaml *ports = member(s, "ports");
                found = true;
                *reached = *reached || (ports && ports->count);
            }
    }
    return found;
}

static int check(const struct sp_yaml *root, char **wanted)
{
    const struct sp_yaml *services = member(root, "services");
    if (!services || services->type != SP_YAML_MAP || !services->count) {
        (void)fprintf(stderr, "%s: no services\n", file);
        return 1;
    }
    for (const struct sp_yaml *s = services->first; s; s = s->next)
        check_service(s);
    for (; *wanted; wanted++) {
        bool reached;
        if (!has_profile(services, *wanted, &reached))
            mistake(services, *wanted, "no service has this profile");
        else if (!reached)
            mistake(services, *wanted, "no port leads to this profile");
    }
    return mistakes ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: check_compose FILE [PROFILE...]\n");
        return 2;
    }
    file = argv[1];
    FILE *f = fopen(file, "rb");
    if (!f) {
        (void)fprintf(stderr, "%s: cannot be read\n", file);
        return 2;
    }
    static char text[1 << 20];
    const size_t n = fread(text, 1, sizeof text, f);
    (void)fclose(f);
    struct sp_arena arena = { 0 };
    struct sp_error err = SP_ERROR_INIT;
    struct sp_yaml *root = NULL;
    int rc = 2;
    if (n == sizeof text || sp_yaml_parse(&arena, file, text, n, &root, &err))
        (void)fprintf(stderr, "%s\n", n == sizeof text ? "too large" : err.text);
    else
        rc = check(root, argv + 2);
    sp_error_clear(&err);
    sp_arena_free(&arena);
    return rc;
}
