/* provider_check.h -- what the checked calls check before a provider sees an argument. Stateless, any thread.
 * Every refusal is -SP_E_INVALID of origin harness, and nothing reached the backend. */
#ifndef SP_PROVIDER_CHECK_H
#define SP_PROVIDER_CHECK_H

#include "provider.h"

/* Not NULL, not empty, valid UTF-8. `what` names it in the message. */
int sp_name_check(const char *name, const char *what, struct sp_error *err);
int sp_ns_check(const char *ns, struct sp_error *err); /* [a-z0-9_]{1,40} */
/* Names, duplicates, and that keys, uniques and foreign keys name columns of the table. */
int sp_table_check(const struct sp_table *t, struct sp_error *err);
/* The shape of an operation, as stated at struct sp_op. */
int sp_op_check(const struct sp_op *op, struct sp_error *err);
bool sp_op_writes(const struct sp_op *op); /* true for RAW too: nobody knows what it does */
int sp_put_opts_check(const struct sp_put_opts *o, struct sp_error *err);
/* PERMISSION of origin harness when the session's endpoint is read-only. */
int sp_writable_check(const struct sp_session *s, const char *what, struct sp_error *err);
int sp_unsupported(const struct sp_session *s, const char *what, struct sp_error *err);
/* What a provider answered: a positive number, or an error without a record, is made whole. */
int sp_answer(int rc, struct sp_error *err);

/* First lines of a checked call: leaves it with INVALID without a session, UNSUPPORTED without the function. */
#define SP_ENTER(s, facet, member, err)                                                                      \
    do {                                                                                                     \
        if ((s) == NULL)                                                                                     \
            return sp_invalid((err), "no session is open");                                                  \
        if (sp_session_provider(s)->facet == NULL || sp_session_provider(s)->facet->member == NULL)          \
            return sp_unsupported((s), #member, (err));                                                      \
    } while (0)
/* Leaves the call when a check refuses. */
#define SP_CHECK(call)                                                                                       \
    do {                                                                                                     \
        int rc_ = (call);                                                                                    \
        if (rc_ != 0)                                                                                        \
            return rc_;                                                                                      \
    } while (0)

#endif
