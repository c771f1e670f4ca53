/* kinds.c -- which provider kinds there are, and what to say about those that there are not. */
#include "config/read.h"

#include <string.h>

#include "base/str.h"
#include "provider_call.h"

static const char *const nothing[] = { NULL };
static const char *const *left_out = nothing; /* set once at start-up */

void sp_config_left_out(const char *const *kinds)
{
    left_out = kinds != NULL ? kinds : nothing;
}

const struct sp_provider *sp_config_kind(const struct sp_provider *const *kinds, const char *kind)
{
    return sp_provider_by_kind(kinds, kind);
}

const char *sp_config_no_kind(
    struct sp_arena *a, const struct sp_provider *const *kinds, const char *kind, bool scheme)
{
    const char *text = NULL;
    for (const char *const *k = left_out; *k != NULL; k++) {
        if (strcmp(*k, kind) == 0) {
            text = sp_arena_printf(a,
                "\"%s\" was left out of this build: build it anew without the WITH_... switch that left it "
                "out "
                "(`switchproof list providers` shows what is in)",
                kind);
            return text != NULL ? text : "a kind that was left out of this build";
        }
    }
    size_t n = 0;
    while (kinds[n] != NULL) {
        n++;
    }
    const char **names = sp_arena_array(a, n + 1, sizeof *names);
    for (size_t i = 0; names != NULL && i < n; i++) {
        names[i] = scheme ? kinds[i]->scheme : kinds[i]->kind;
    }
    if (names != NULL) {
        text = sp_arena_printf(a, "\"%s\" is no %s%s", kind, scheme ? "known URL scheme" : "provider kind",
            sp_read_hint(a, kind, names));
    }
    return text != NULL ? text : "not a provider kind";
}
