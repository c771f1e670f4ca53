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

static bool either_keeps(const struct sp_vctx *c, bool objects)
{
    for (int i = 0; i < 2; i++) {
        const struct sp_provider *p = sp_session_provider(c->plain[i]);
        if (objects ? p->blob != NULL : p->auth != NULL)
            return true;
    }
    return false;
}

bool sp_v_keeps_tables(const struct sp_vctx *c, enum sp_side side)
{
    return sp_session_provider(c->session[side])->db != NULL;
}

/* Profiles look at what rows looks at, and the other way round. */
unsigned sp_v_left_out(const struct sp_vctx *c)
{
    unsigned mask = c->opt->checks, out = SP_VC_ALL & ~mask & ~(unsigned)SP_VC_PROFILES;
    if (mask & SP_VC_PROFILES)
        out &= ~(unsigned)SP_VC_ROWS;
    if (!sp_v_keeps_tables(c, SP_SIDE_SOURCE) && !sp_v_keeps_tables(c, SP_SIDE_TARGET))
        out &= ~(unsigned)SP_VC_DATA;
    if (!either_keeps(c, true))
        out &= ~(unsigned)SP_VC_BLOBS;
    if (!either_keeps(c, false))
        out &= ~(unsigned)SP_VC_ACCOUNTS;
    return out;
}

void sp_v_put_checks(struct sp_buf *out, unsigned mask)
{
    size_t before = out->n;
    for (size_t i = 0; i < SP_LEN(names); i++)
        if (mask & names[i].bit)
            sp_buf_printf(out, "%s%s", out->n == before ? "" : ",", names[i].name);
}
