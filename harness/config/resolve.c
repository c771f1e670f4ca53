/* resolve.c -- SOURCE and TARGET arguments, and endpoints. */
#include "config/read.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "provider_call.h"

void sp_config_endpoint(const struct sp_config_provider *p, struct sp_endpoint *out)
{
    *out = (struct sp_endpoint){ .name = p->name,
        .url = p->url,
        .access = p->access,
        .option_names = p->option_names,
        .option_values = p->option_values,
        .noptions = p->noptions,
        .connect_timeout_ms = p->connect_timeout_ms,
        .statement_timeout_ms = p->statement_timeout_ms };
}

int sp_config_usable(const struct sp_config *cfg, const struct sp_config_provider *p, struct sp_error *err)
{
    if (p->unset_variable == NULL) {
        return 0;
    }
    return sp_invalid(err,
        "%s:%d: provider %s needs the environment variable %s, which is not set: set it, give it a default "
        "(${%s:-...}), or mark the provider `optional: true`",
        cfg->path, p->line, p->name, p->unset_variable, p->unset_variable);
}

static bool has_password(const char *url)
{
    size_t n = strlen(url);
    char *mark = calloc(n + 1, 1);
    if (mark == NULL) {
        return true;
    }
    sp_secret_in_url(url, n, mark);
    bool found = memchr(mark, 1, n) != NULL;
    free(mark);
    return found;
}

static int from_url(const char *name, const char *url, struct sp_arena *a, struct sp_config_provider *out,
    const struct sp_provider *const *kinds, struct sp_error *err)
{
    const struct sp_provider *kind = sp_provider_by_url(kinds, url);
    if (kind == NULL) {
        const char *scheme = sp_arena_strn(a, url, strcspn(url, ":+"));
        return scheme == NULL ? sp_nomem(err)
                              : sp_invalid(err, "%s: %s", name, sp_config_no_kind(a, kinds, scheme, true));
    }
    *out = (struct sp_config_provider){ .name = sp_arena_str(a, name),
        .kind = kind->kind,
        .url = sp_arena_str(a, url),
        .access = SP_ACCESS_READ_ONLY };
    return out->name != NULL && out->url != NULL ? 0 : sp_nomem(err);
}

static int from_environment(const char *arg, struct sp_arena *a, struct sp_config_provider *out,
    const struct sp_provider *const *kinds, struct sp_error *err)
{
    const char *url = getenv(arg + 4);
    if (url == NULL || *url == '\0') {
        return sp_invalid(err, "%s: the environment variable %s is not set", arg, arg + 4);
    }
    if (strchr(url, ':') == NULL) { /* its value is not shown: it may be a bare secret */
        return sp_invalid(err, "%s: the variable's value is not a URL (such as sqlite:path)", arg);
    }
    int rc = sp_url_register(url, err);
    if (rc == 0 && sp_url_raw_password(url)) {
        rc = sp_invalid(err, "%s: %s", arg, SP_URL_RAW);
    }
    return rc == 0 ? from_url(arg, url, a, out, kinds, err) : rc;
}

static int unknown(const struct sp_config *cfg, const char *arg, struct sp_arena *a, struct sp_error *err)
{
    if (access(arg, F_OK) == 0 || strchr(arg, '/') != NULL) {
        return sp_invalid(err, "%s: a file is named by a URL, for example sqlite:%s", arg, arg);
    }
    const char **names = sp_arena_array(a, cfg->nproviders + 1, sizeof *names);
    if (names == NULL) {
        return sp_nomem(err);
    }
    for (size_t i = 0; i < cfg->nproviders; i++) {
        names[i] = cfg->providers[i].name;
    }
    return sp_invalid(err, "\"%s\" is neither a provider of %s nor a URL (sqlite:path) nor env:NAME%s", arg,
        cfg->path != NULL ? cfg->path : "a configuration (there is no switchproof.yaml here)",
        sp_read_hint(a, arg, names));
}

int sp_config_resolve(const struct sp_config *cfg, const char *arg, struct sp_arena *a,
    struct sp_config_provider *out, const struct sp_provider *const *kinds, struct sp_error *err)
{
    const struct sp_config_provider *p = sp_config_provider(cfg, arg);
    if (p != NULL) {
        int rc = sp_config_usable(cfg, p, err);
        if (rc == 0) {
            *out = *p;
        }
        return rc;
    }
    if (*arg == '\0' || !sp_utf8_valid(arg, strlen(arg))) {
        return sp_invalid(err, "\"%s\" is neither a provider's name nor a URL", arg);
    }
    if (sp_str_prefix(arg, "env:")) {
        return from_environment(arg, a, out, kinds, err);
    }
    size_t n = strcspn(arg, ":/");
    if (arg[n] != ':') {
        return unknown(cfg, arg, a, err);
    }
    if (has_password(arg)) {
        int rc = sp_url_register(arg, err);
        return rc != 0 ? rc
                       : sp_invalid(err,
                             "%s: a password has no place in an argument, where every user of this machine "
                             "can read it: put "
                             "the "
                             "URL into an environment variable and write env:NAME",
                             arg);
    }
    return from_url(arg, arg, a, out, kinds, err);
}
