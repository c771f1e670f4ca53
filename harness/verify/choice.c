/* choice.c -- checks by their names. */
#include "verify/internal.h"

static const struct {
    unsigned bit;
    const char *name;
} names[] = { { SP_VC_SCHEMA, "schema" }, { SP_VC_ROWS, "rows" }, { SP_VC_RELATIONS, "relations" },
    { SP_VC_SEQUENCES, "sequences" }, { SP_VC_PROFILES, "profiles" }, { SP_VC_COUNTS, "counts" },
    { SP_VC_UNIQUENESS, "uniqueness" }, { SP_VC_REQUIRED, "required" }, { SP_VC_BLOBS, "blobs" },
    { SP_VC_ACCOUNTS, "accounts" } };

unsigned sp_verify_check(const char *name)
{
    if (strcmp(name, "all") == 0)
        return SP_VC_ALL;
    for (size_t i = 0; i < SP_LEN(names); i++)
        if (strcmp(name, names[i].name) == 0)
            return names[i].bit;
    return 0;
}

bool sp_v_checks_known(unsigned mask)
{
    return (mask & ~(unsigned)(SP_VC_ALL | SP_VC_COUNTS)) == 0;
}

/* Profiles look at what rows looks at, and the other way round. */
unsigned sp_v_left_out(unsigned mask)
{
    unsigned out = SP_VC_ALL & ~mask & ~(unsigned)SP_VC_PROFILES;
    return mask & SP_VC_PROFILES ? out & ~(unsigned)SP_VC_ROWS : out;
}

void sp_v_put_checks(struct sp_buf *out, unsigned mask)
{
    size_t before = out->n;
    for (size_t i = 0; i < SP_LEN(names); i++)
        if (mask & names[i].bit)
            sp_buf_printf(out, "%s%s", out->n == before ? "" : ",", names[i].name);
}
