/* split.c -- a table in ranges of the places of its rows (ctid): each row of a state has one place, so half-open ranges that
 * meet hold each row once, whatever its key. Partitions are cut at the same block numbers; where tables inherit, counting
 * and reading a parent mean different rows, so that it is not cut. */
#include <stdio.h>
#include <string.h>

#include "providers/postgresql/internal.h"

#define LEAST_BLOCKS 64 /* of a part: below it, a part costs more than it saves */

/* Blocks of the largest table among the table and what belongs to it; none where one of them has no places of its own. */
static int blocks_of(struct sp_session *s, const struct po_table *t, uint64_t *blocks, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    PGresult *r = NULL;
    sp_buf_puts(&b, "WITH RECURSIVE tree(oid) AS (SELECT ");
    po_put_literal(&b, t->qualified);
    sp_buf_puts(&b,
        "::regclass::oid UNION SELECT h.inhrelid FROM pg_catalog.pg_inherits h JOIN tree ON h.inhparent = "
        "tree.oid) SELECT CASE WHEN bool_and((c.relkind IN ('r', 'm') AND a.amname = 'heap' AND "
        "(c.relispartition "
        "OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits k WHERE c.oid IN (k.inhparent, k.inhrelid)))) "
        "OR "
        "c.relkind = 'p') THEN coalesce(max(pg_relation_size(c.oid)), 0) / "
        "current_setting('block_size')::int8 ELSE 0 END FROM tree JOIN pg_catalog.pg_class c ON c.oid = "
        "tree.oid LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam");
    int ret = b.oom ? sp_nomem(err) : po_exec(s, b.p, &r, err);
    if (ret == 0 && !sp_parse_u64(PQgetvalue(r, 0, 0), blocks))
        ret = po_decode_corrupt("size of a table", err);
    PQclear(r);
    sp_buf_free(&b);
    return ret;
}

bool po_can_split(const struct sp_session *s)
{
    return s->real && s->version >= PO_TID_RANGES;
}

int po_split(struct sp_session *s, const char *ns, const char *table, size_t parts, struct sp_names *bounds,
    struct sp_error *err)
{
    const struct po_table *t;
    uint64_t blocks = 0;
    char bound[24];
    if (!po_can_split(s))
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "%s does not read ranges of rows without reading the whole table", s->where);
    int ret = po_table_find(s, ns, table, &t, err);
    if (ret == 0)
        ret = blocks_of(s, t, &blocks, err);
    if (blocks / LEAST_BLOCKS < parts)
        parts = (size_t)(blocks / LEAST_BLOCKS);
    for (size_t k = 1; ret == 0 && k < parts; k++) {
        (void)snprintf(bound, sizeof bound, "%llu", (unsigned long long)(blocks * k / parts));
        ret = sp_names_add(bounds, bound) != 0 ? sp_nomem(err) : 0;
    }
    return ret;
}

static int put_bound(struct sp_buf *sql, const char *what, const char *bound, struct sp_error *err)
{
    uint64_t block;
    if (!sp_parse_u64(bound, &block) || block > UINT32_MAX)
        return sp_invalid(err, "\"%s\" is no bound of a split", bound);
    return sp_buf_printf(sql, "%s'(%llu,0)'::tid", what, (unsigned long long)block);
}

/* Both ends open where the split left them open: rows behind the last block that it saw belong to the last range. */
int po_split_where(const struct sp_scan *scan, struct sp_buf *sql, struct sp_error *err)
{
    int ret = 0;
    if (scan->from != NULL)
        ret = put_bound(sql, " WHERE ctid >= ", scan->from, err);
    if (ret == 0 && scan->to != NULL)
        ret = put_bound(sql, scan->from != NULL ? " AND ctid < " : " WHERE ctid < ", scan->to, err);
    return ret;
}
