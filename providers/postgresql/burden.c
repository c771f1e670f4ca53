/* burden.c -- what a server says of itself while other sessions read there. */
#include "base/str.h"
#include "providers/postgresql/internal.h"

/* A standby that has replayed all that it received is not behind, as long as somebody sends. Otherwise the time of the last
 * transaction that it replayed tells, which is too much on a server where nothing happens: better than too little. */
#define LAG                                                                                                  \
    "CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN -1 "                                                  \
    "WHEN pg_catalog.pg_last_wal_receive_lsn() = pg_catalog.pg_last_wal_replay_lsn() "                       \
    "AND EXISTS (SELECT FROM pg_catalog.pg_stat_wal_receiver) THEN 0 "                                       \
    "ELSE coalesce(greatest(0, (extract(epoch FROM pg_catalog.clock_timestamp() - "                          \
    "pg_catalog.pg_last_xact_replay_timestamp()) * 1000)::bigint), -2) END"

int po_burden(struct sp_session *s, struct sp_session *const *readers, size_t nreaders, struct sp_burden *out,
    struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    sp_buf_puts(&b, "SELECT " LAG ", (SELECT count(*) FROM pg_catalog.pg_locks l WHERE NOT l.granted AND "
                    "pg_catalog.pg_blocking_pids(l.pid) && ARRAY[");
    for (size_t i = 0; i < nreaders; i++)
        if (readers[i]->pid != 0) /* 0 stands for prepared transactions there */
            sp_buf_printf(&b, "%d,", readers[i]->pid);
    sp_buf_puts(&b, "-1]::int[])");
    po_begin_statement(s);
    int ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, &r, err);
    if (ret == 0 && (PQntuples(r) != 1 || !sp_parse_i64(PQgetvalue(r, 0, 0), &out->lag_ms) ||
                        !sp_parse_u64(PQgetvalue(r, 0, 1), &out->blocked)))
        ret = po_decode_corrupt("burden", err);
    PQclear(r);
    sp_buf_free(&b);
    return ret;
}
