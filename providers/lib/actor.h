/* actor.h -- what a token says of an actor. Stateless, any thread. */
#ifndef SP_PROVIDERS_LIB_ACTOR_H
#define SP_PROVIDERS_LIB_ACTOR_H

#include "base/buf.h"
#include "provider.h"

#define SP_ACTOR_ALWAYS INT64_MIN /* no times stand in the claims */

/* Appends a JSON object: the actor's own claims, and over them role (unless NULL), sub, and the times from which and until
 * which they count (seconds since 1970). INVALID when the actor's claims are no JSON object. */
int sp_actor_claims(struct sp_buf *out, const struct sp_actor *a, const char *role, int64_t from,
    int64_t until, struct sp_error *err);

#endif
