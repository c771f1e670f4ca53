/* load.c -- the file as a whole. */
#include "config/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <xxhash.h>

#include "base/io.h"
#include "base/str.h"

#define DEFAULT_FILE "switchproof.yaml"
#define MAX_FILE     ((size_t)1 << 20)
#define NKEYS        16

static const struct {
    const char *name;
    int (*read)(struct sp_reader *, const struct sp_yaml *);
} trees[] = {
    { "providers", sp_read_providers }, /* first: expected failures name providers */
    { "checks", sp_read_checks },
    { "actors", sp_read_actors }, /* before what names them */
    { "access", sp_read_access },
    { "suites", sp_read_suites },
    { "verify", sp_read_verify },
    { "gates", sp_read_gates },
    { "expected_failures", sp_read_xfails },
};

static const char *fallback_of(const char *name)
{
    const struct sp_config_key *k = sp_config_keys;
    while (strcmp(k->name, name) != 0) {
        k++;
    }
    return k->fallback;
}

static void digest_of(const char *text, size_t n, char out[33])
{
    XXH128_hash_t h = XXH3_128bits(text, n);
    (void)snprintf(out, 33, "%016llx%016llx", (unsigned long long)h.high64, (unsigned long long)h.low64);
}

static int new_config(struct sp_config **out, struct sp_error *err)
{
    struct sp_config *cfg = calloc(1, sizeof *cfg);
    if (cfg == NULL) {
        return sp_nomem(err);
    }
    cfg->report_dir = fallback_of("report_dir");
    cfg->state_dir = fallback_of("state_dir");
    digest_of("", 0, cfg->digest);
    *out = cfg;
    return 0;
}

static int read_top(struct sp_reader *r, const struct sp_yaml *root)
{
    struct sp_key_value values[NKEYS];
    size_t n = sp_section_size("");
    int rc = sp_read_map(r, root, "", "", values);
    if (rc != 0) {
        return rc;
    }
    const struct sp_key_value *requires = sp_value_of(values, n, "requires"),
                              *report_dir = sp_value_of(values, n, "report_dir"),
                              *state_dir = sp_value_of(values, n, "state_dir");
    r->cfg->requires = requires->names;
    r->cfg->nrequires = requires->nnames;
    r->cfg->report_dir = report_dir->text != NULL ? report_dir->text : r->cfg->report_dir;
    r->cfg->state_dir = state_dir->text != NULL ? state_dir->text : r->cfg->state_dir;
    for (size_t i = 0; i < SP_LEN(trees) && rc == 0; i++) {
        const struct sp_key_value *v = sp_value_of(values, n, trees[i].name);
        rc = v->key != NULL ? trees[i].read(r, v->node) : 0;
    }
    const struct sp_key_value *source = sp_value_of(values, n, "source"),
                              *target = sp_value_of(values, n, "target");
    r->cfg->source = source->text;
    r->cfg->target = target->text;
    if (rc == 0 && source->text != NULL) {
        rc = sp_read_provider_name(r, source, "source");
    }
    if (rc == 0 && target->text != NULL) {
        rc = sp_read_provider_name(r, target, "target");
    }
    return rc;
}

int sp_config_parse(struct sp_config **out, const char *name, const char *text, size_t n,
    const struct sp_provider *const *kinds, struct sp_error *err)
{
    struct sp_config *cfg = NULL;
    struct sp_yaml *root = NULL;
    *out = NULL;
    int rc = new_config(&cfg, err);
    if (rc != 0) {
        return rc;
    }
    struct sp_reader r = { .arena = &cfg->arena, .cfg = cfg, .name = name, .kinds = kinds, .err = err };
    digest_of(text, n, cfg->digest);
    cfg->path = sp_arena_str(&cfg->arena, name);
    rc = cfg->path != NULL ? sp_yaml_parse(&cfg->arena, name, text, n, &root, err) : sp_nomem(err);
    if (rc == 0 && root != NULL && !sp_yaml_is_null(root)) {
        rc = read_top(&r, root);
    }
    if (rc != 0) {
        sp_config_free(cfg);
        return rc;
    }
    *out = cfg;
    return 0;
}

int sp_config_load(
    struct sp_config **out, const char *path, const struct sp_provider *const *kinds, struct sp_error *err)
{
    struct stat st;
    *out = NULL;
    const char *name = path != NULL ? path : DEFAULT_FILE;
    if (stat(name, &st) != 0) {
        if (path == NULL && errno == ENOENT) {
            return new_config(out, err);
        }
        return sp_invalid(err, "cannot read the configuration %s: %s", name, strerrordesc_np(errno));
    }
    if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode)) {
        return sp_invalid(err, "cannot read the configuration %s: not a file", name);
    }
    struct sp_buf text = SP_BUF_INIT;
    int rc = sp_read_file(name, MAX_FILE, &text, err);
    if (rc == -SP_E_TOO_LARGE) {
        rc = sp_invalid(err, "%s is larger than 1 MiB: that is no configuration", name);
    } else if (rc != 0 && rc != -SP_E_NOMEM) {
        struct sp_error why = SP_ERROR_INIT;
        sp_error_move(&why, err);
        rc = sp_invalid(err, "cannot read the configuration: %s", sp_error_text(&why));
        sp_error_clear(&why);
    }
    if (rc == 0) {
        rc = sp_config_parse(out, name, text.n > 0 ? text.p : "", text.n, kinds, err);
    }
    sp_buf_free(&text);
    return rc;
}

void sp_config_free(struct sp_config *cfg)
{
    if (cfg != NULL) {
        sp_arena_free(&cfg->arena);
        free(cfg);
    }
}

const struct sp_config_provider *sp_config_provider(const struct sp_config *cfg, const char *name)
{
    for (size_t i = 0; name != NULL && i < cfg->nproviders; i++) {
        if (strcmp(cfg->providers[i].name, name) == 0) {
            return &cfg->providers[i];
        }
    }
    return NULL;
}
