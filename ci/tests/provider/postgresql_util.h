/* postgresql_util.h -- what the postgresql tests share. */
#ifndef SP_TEST_POSTGRESQL_UTIL_H
#define SP_TEST_POSTGRESQL_UTIL_H

#include "model/decimal.h"
#include "providers/postgresql/postgresql.h"

#define SERVER_PROVIDER sp_provider_postgresql
#define SERVER_URL      "POSTGRESQL_URL"
#include "ci/tests/provider/server_util.h"

static int raw_in(struct sp_session *s, const char *sql)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql };
    return sp_db_exec(s, &op, NULL, &err);
}

static __attribute__((unused)) void raw(const char *sql)
{
    sp_error_clear(&err);
    if (raw_in(session, sql) != 0)
        fail_msg("%s: %s [%s]", sql, sp_error_text(&err), err.native);
}

#endif
