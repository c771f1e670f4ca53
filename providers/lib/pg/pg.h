/* pg.h -- what providers share whose backend is PostgreSQL, however they speak to it. Stateless, any thread. */
#ifndef SP_PROVIDERS_LIB_PG_H
#define SP_PROVIDERS_LIB_PG_H

#include "base/error.h"
#include "model/schema.h"

#define SP_PG_DIMS 6 /* of an array, by the server */

/* Coerces what the column takes exactly; refuses the rest. *out borrows from `a` and from v. */
int sp_pg_fit(struct sp_arena *a, const struct sp_type *type, const struct sp_value *v, struct sp_value *out,
    struct sp_error *err);
/* UTF-8 without U+0000, and no longer than the type says. */
int sp_pg_text_ok(const struct sp_type *type, const struct sp_value *v, struct sp_error *err);
/* The built-in type that a value of this tag is sent as, which is also the type name of its words that are no number or time
 * ("infinity"); NULL = nothing fits. */
const char *sp_pg_type_name(enum sp_tag tag);

/* What a SQLSTATE means; NULL = not known. */
struct sp_pg_state {
    const char *state; /* whole, or a class of two letters */
    enum sp_code code;
    const char *advice;
};
const struct sp_pg_state *sp_pg_state(const char *state);

#endif
