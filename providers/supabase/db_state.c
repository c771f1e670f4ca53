/* db_state.c -- one state over REST, which has none. A snapshot is taken of the database itself, and nothing is read from it but
 * counts: behind each pass it is proved that the table is still what it was then, or the pass is a conflict.
 *
 * The proof: no row that is there now was written by a transaction that the snapshot may not have seen, so all of them were there
 * then; and there are as many as there were, so none is gone. A file that was exchanged under the table (TRUNCATE) is a change.
 * Whatever came and went in between would have made the pass longer than the count. */
#include <string.h>

#include "provider_call.h"
#include "providers/supabase/internal.h"

static int numbers(struct sp_session *on, const char *sql, const struct sp_value *v, size_t nv, int64_t *out,
    size_t n, struct sp_error *err)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql, .values = v, .nfields = nv };
    struct sp_result r = SP_RESULT_INIT;
    /* not by the checked call, which refuses raw queries of sessions that only read: the server holds them to that itself */
    int ret = sp_session_provider(on)->db->exec(on, &op, &r, err);
    if (ret == 0 && (r.nrows != 1 || r.ncolumns != n))
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND, "the table is not there any more");
    for (size_t i = 0; ret == 0 && i < n; i++) {
        if (r.values[i].tag != SP_INT)
            ret = sp_fail(err, SP_E_INTERNAL, SP_ORIGIN_BACKEND, "the database does not count");
        else
            out[i] = r.values[i].u.i;
    }
    sp_result_free(&r);
    return ret;
}

int sd_snapshot_begin(struct sp_session *s, char id[64], struct sp_error *err)
{
    sd_begin(s);
    int ret = sd_no_sql(s, err);
    if (ret == 0)
        ret = sp_open(&s->db.now, sp_session_provider(s->db.sql), &s->db.sql_place, err);
    if (ret != 0)
        return ret;
    ret = sp_db_snapshot_begin(s->db.sql, id, err);
    if (ret == 0) {
        ret = numbers(
            s->db.sql, "SELECT txid_snapshot_xmin(txid_current_snapshot())", NULL, 0, &s->db.since, 1, err);
        if (ret != 0)
            (void)sp_db_snapshot_end(s->db.sql, NULL);
    }
    if (ret != 0) {
        sp_close(s->db.now);
        s->db.now = NULL;
    }
    return ret;
}

int sd_snapshot_end(struct sp_session *s, struct sp_error *err)
{
    if (s->db.now == NULL)
        return sp_invalid(err, "there is no snapshot to end");
    sp_close(s->db.now);
    s->db.now = NULL;
    return sp_db_snapshot_end(s->db.sql, err);
}

static void put_name(struct sp_buf *b, const char *name)
{
    sp_buf_putc(b, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            sp_buf_putc(b, '"');
        sp_buf_putc(b, *name);
    }
    sp_buf_putc(b, '"');
}

/* Numbers of transactions go round: later is what lies less than half of them ahead. Below 3 stand those that everybody sees. */
static void put_question(struct sp_buf *b, const char *ns, const char *table, bool changed)
{
    sp_buf_puts(b, "SELECT c.relfilenode::bigint, t.n, t.later FROM pg_catalog.pg_class c JOIN "
                   "pg_catalog.pg_namespace s ON s.oid "
                   "= c.relnamespace, (SELECT count(*) AS n, ");
    sp_buf_puts(b, changed ? "count(*) FILTER (WHERE x.xmin::text::bigint >= 3 AND (x.xmin::text::bigint - "
                             "$3 % 4294967296 + "
                             "4294967296) % 4294967296 < 2147483648)"
                           : "$3::bigint * 0");
    sp_buf_puts(b, " AS later FROM ");
    put_name(b, ns);
    sp_buf_putc(b, '.');
    put_name(b, table);
    sp_buf_puts(b, " x) t WHERE s.nspname = $1 AND c.relname = $2");
}

int sd_unchanged(struct sp_session *s, const char *ns, const char *table, int64_t rows, struct sp_error *err)
{
    enum { FILE_NUMBER, ROWS, LATER, N };
    struct sp_buf sql = SP_BUF_INIT;
    const char *schema = sd_ns(s, ns);
    int64_t then[N], now[N];
    struct sp_value v[] = { sp_v_text(schema), sp_v_text(table), sp_v_int(s->db.since) };
    if (s->db.now == NULL)
        return 0;
    put_question(&sql, schema, table, false);
    int ret = sql.oom ? sp_nomem(err) : numbers(s->db.sql, sql.p, v, SP_LEN(v), then, N, err);
    sp_buf_clear(&sql);
    put_question(&sql, schema, table, true);
    if (ret == 0)
        ret = sql.oom ? sp_nomem(err) : numbers(s->db.now, sql.p, v, SP_LEN(v), now, N, err);
    sp_buf_free(&sql);
    if (ret == 0 && (now[LATER] != 0 || now[ROWS] != then[ROWS] || now[FILE_NUMBER] != then[FILE_NUMBER]))
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "%s changed since the comparison began; over REST there is one state only while nobody writes",
            table);
    if (ret == 0 && rows >= 0 && rows != then[ROWS])
        ret = sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
            "%s gives %lld rows of %s, and the database of db_url holds %lld: is it the database behind it?",
            sp_http_where(s->db.http), (long long)rows, table, (long long)then[ROWS]);
    return ret;
}
