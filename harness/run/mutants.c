/* mutants.c -- the table of planted bugs, and the wrapping. */
#include "run/mutant.h"

const struct sp_mutant_info sp_mutants[] = { { NULL, NULL, NULL } };

const struct sp_provider *sp_mutant_wrap(
    const struct sp_provider *inner, const char *name, struct sp_error *err)
{
    (void)inner; /* without a row in the table every name is unknown */
    (void)sp_mutant_check(name, err);
    return NULL;
}
