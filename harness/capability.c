/* capability.c -- the capability table as data. */
#include "capability.h"

#include <string.h>

#include "base/error.h"

const struct sp_cap_info sp_caps[SP_CAP_N] = {
#define SP_X(id, wire, fct, fn, knd, text)                                                                   \
    [SP_CAP_##id] = {                                                                                        \
        .name = wire, .function = #fn, .doc = text, .facet = SP_FACET_##fct, .kind = SP_CAP_KIND_##knd       \
    },
    SP_CAPS(SP_X)
#undef SP_X
};

int sp_cap_parse(const char *name, enum sp_cap_id *out)
{
    if (name == NULL)
        return -SP_E_INVALID;
    for (size_t i = 0; i < SP_CAP_N; i++) {
        if (strcmp(sp_caps[i].name, name) == 0) {
            *out = (enum sp_cap_id)i;
            return 0;
        }
    }
    return -SP_E_INVALID;
}

const char *sp_facet_name(enum sp_facet f)
{
    switch (f) {
    case SP_FACET_db:
        return "database";
    case SP_FACET_auth:
        return "auth";
    case SP_FACET_blob:
        return "storage";
    case SP_FACET_N:
        break;
    }
    return "?";
}
