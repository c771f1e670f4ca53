/* volume.c -- what the server knows of a table without reading it: its size, about how many rows it has, and what was
 * written since its statistics were reset. Partitions count together. */
#include "base/str.h"
#include "providers/postgresql/internal.h"

int po_volume(
    struct sp_session *s, const char *ns, const char *table, struct sp_volume *out, struct sp_error *err)
{
    const struct po_table *t;
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    int64_t *const fields[] = { &out->disk_bytes, &out->inserted, &out->updated, &out->deleted, &out->age_s,
        &out->rows };
    int ret = po_table_find(s, ns, table, &t, err);
    if (ret != 0)
        return ret;
    sp_buf_puts(&b, "WITH RECURSIVE tree(oid) AS (SELECT ");
    po_put_literal(&b, t->qualified);
    /* Without a reset the statistics are as old as the database, and nobody knows how old that is. Rows as the planner
     * estimates them: as close as when they were last counted; a part that nobody counted (-1) tells nothing. */
    sp_buf_puts(&b,
        "::regclass::oid UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits h JOIN tree ON h.inhparent = "
        "tree.oid) SELECT coalesce(sum(pg_catalog.pg_total_relation_size(tree.oid)), -1)::int8::text, "
        "coalesce(sum(n_tup_ins), -1)::int8::text, coalesce(sum(n_tup_upd), -1)::int8::text, "
        "coalesce(sum(n_tup_del), -1)::int8::text, "
        "coalesce((SELECT extract(epoch FROM clock_timestamp() - stats_reset)::int8 FROM "
        "pg_catalog.pg_stat_database WHERE datname = current_database()), -1)::text, "
        "coalesce((SELECT CASE WHEN bool_or(c.reltuples < 0) THEN -1 ELSE sum(CASE WHEN c.relpages > 0 THEN "
        "c.reltuples::float8 / c.relpages * (pg_catalog.pg_relation_size(c.oid) / "
        "current_setting('block_size')::int8) ELSE 0 END) END::int8 FROM pg_catalog.pg_class c JOIN tree ON "
        "c.oid = tree.oid WHERE c.relkind IN ('r', 'm')), -1)::text "
        "FROM tree LEFT JOIN pg_catalog.pg_stat_all_tables st ON st.relid = tree.oid");
    po_begin_statement(s);
    ret = b.oom ? sp_nomem(err) : po_query(s, PO_GUARDED, b.p, NULL, &r, err);
    for (int i = 0; ret == 0 && i < (int)SP_LEN(fields); i++)
        if (PQntuples(r) != 1 || !sp_parse_i64(PQgetvalue(r, 0, i), fields[i]))
            ret = po_decode_corrupt("volume of a table", err);
    PQclear(r);
    sp_buf_free(&b);
    return ret;
}
