/* connection.h -- what the files of the connection suite share. */
#ifndef SP_SUITES_CONNECTION_H
#define SP_SUITES_CONNECTION_H

#include "suites/lib/dbcase.h"

/* A session of its own with another end point, in the run's namespace where there is one; the case closes it.
 * False: the outcome is recorded. */
bool coc_open(struct dc *d, const struct sp_endpoint *e, bool in_namespace, struct sp_session **out);

/* clang-format off */
#define CONNECTION_CASES(X)                                                                                  \
    X(opens) X(ping_often) X(version) X(fidelity) X(library) X(declared) X(capability_above)                 \
    X(capability_below) X(capability_stable) X(capability_audit) X(second_session) X(many_sessions)          \
    X(reopen) X(wrong_url) X(absent_namespace) X(absent_table) X(namespace_apart) X(namespace_drop)          \
    X(namespace_list) X(read_only) X(error_record) X(role_password) X(role_privileges) X(interrupt)          \
    X(interrupt_idle) X(statement_timeout)
#define SP_X(name) void coc_##name(struct sp_ctx *ctx, const void *data);
CONNECTION_CASES(SP_X)
#undef SP_X
/* clang-format on */

#endif
