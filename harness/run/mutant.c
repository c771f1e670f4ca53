/* mutant.c -- finding a mutant by its name. */
#include "run/mutant.h"

#include <string.h>

#include "base/str.h"

#define NAMES_MAX 512

int sp_mutant_check(const char *name, struct sp_error *err)
{
    const char *names[NAMES_MAX + 1];
    size_t n = 0;
    for (const struct sp_mutant_info *m; n < NAMES_MAX && (m = sp_mutant_at(n)) != NULL;) {
        if (strcmp(m->name, name) == 0) {
            return 0;
        }
        names[n++] = m->name;
    }
    names[n] = NULL;
    const char *near = sp_nearest(name, names);
    return sp_invalid(err, "unknown mutant '%s'%s%s%s", name, near != NULL ? "; did you mean '" : "",
        near != NULL ? near : "", near != NULL ? "'?" : "");
}
