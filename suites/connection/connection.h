/* connection.h -- what the files of the connection suite share. */
#ifndef SP_SUITES_CONNECTION_H
#define SP_SUITES_CONNECTION_H

#include "suites/lib/dbcase.h"

/* A session of its own with another end point, in the run's namespace where there is one; the case closes it.
 * False: the outcome is recorded. */
bool coc_open(struct dc *d, const struct sp_endpoint *e, bool in_namespace, struct sp_session **out);

void coc_later(int tries); /* waits, longer with each try that took too long: not before the first */
int64_t coc_now_ns(void);
/* No more than `ms` passed since then. */
bool coc_in_time(struct dc *d, const char *what, int64_t from_ns, int64_t ms);
/* The call failed because the server is gone: unavailable, or where it writes also outcome unknown. Clears the record.
 * Unlike sp_check_code() it judges errors of the transport, too: they are what these cases are about. */
bool coc_gone(struct dc *d, const char *what, bool writes, int rc);
/* The server is up again, and this is a new session on it, in the run's namespace; the case closes it. */
bool coc_again(struct dc *d, enum sp_server_action how, struct sp_session **out);

/* clang-format off */
#define CONNECTION_CASES(X)                                                                                  \
    X(opens) X(ping_often) X(version) X(fidelity) X(library) X(declared) X(capability_above)                 \
    X(capability_below) X(capability_stable) X(capability_audit) X(second_session) X(many_sessions)          \
    X(reopen) X(wrong_url) X(absent_namespace) X(absent_table) X(namespace_apart) X(namespace_drop)          \
    X(namespace_list) X(read_only) X(error_record) X(role_password) X(role_privileges) X(interrupt)          \
    X(interrupt_idle) X(statement_timeout) X(lock_wait) X(interrupt_waiting) X(reconnect_after_restart)           \
    X(server_stopped) X(connection_limit) X(killed_in_transaction) X(killed_in_writes) X(killed_in_scan)     \
    X(killed_in_bulk_load)
#define SP_X(name) void coc_##name(struct sp_ctx *ctx, const void *data);
CONNECTION_CASES(SP_X)
#undef SP_X
/* clang-format on */

#endif
