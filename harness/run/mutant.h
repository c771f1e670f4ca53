/* mutant.h -- decorators with one planted bug each, around any provider: how this harness is tested.
 *
 * A wrapped provider is a copy of the inner one with some functions replaced; it lives as long as the process, and a
 * process wraps at most one. Called by the worker's main thread before the session is opened. */
#ifndef SP_RUN_MUTANT_H
#define SP_RUN_MUTANT_H

#include "provider.h"

struct sp_mutant_info {
    const char *name; /* off_by_one_limit */
    /* database, auth, credentials, actors, storage, connection, process, faults, behaviour */
    const char *facet;
    const char *what; /* the planted bug in one sentence */
};
const struct sp_mutant_info *sp_mutant_at(size_t index); /* NULL behind the last one */

/* NULL: unknown name (INVALID, with the nearest), or the provider lacks what the bug is planted in (UNSUPPORTED). */
const struct sp_provider *sp_mutant_wrap(
    const struct sp_provider *inner, const char *name, struct sp_error *err);
/* -SP_E_INVALID with the nearest name, or 0. */
int sp_mutant_check(const char *name, struct sp_error *err);

#endif
