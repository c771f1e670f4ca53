/* explain.h -- how sp_verify() would compare two sides, as text. Reads no rows. One thread, that of the sessions. */
#ifndef SP_VERIFY_EXPLAIN_H
#define SP_VERIFY_EXPLAIN_H

#include "verify/verify.h"

/* Appends to `out`. The sessions are those that sp_verify() would get: lenses, where there is a mapping. */
int sp_verify_explain(struct sp_session *source, struct sp_session *target, const struct sp_verify_options *,
    struct sp_buf *out, struct sp_error *);

#endif
