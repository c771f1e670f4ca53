/* split.c -- several readers of one file: a state that a second session proves to see too, and tables in ranges of rowid.
 *
 * A session that reads somebody's file without locks proves that the file stayed the same from its opening to the end of
 * its snapshot (readonly.c). Two such proofs about the same state are one state. */
#include <string.h>

#include "providers/sqlite/internal.h"

#define LEAST_ROWS  1000 /* of a part, by the width of its range */
#define LEAST_BYTES 8    /* of a row in a file */

int sq_snapshot_share(struct sp_session *s, char word[SP_SNAPSHOT_WORD], struct sp_error *err)
{
    if (!s->in_snapshot)
        return sp_invalid(err, "no snapshot is open");
    if (!s->read_only || s->base.endpoint->live)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "SQLite: only sessions that read without locks share a state");
    sq_state_id(&s->state, word);
    return 0;
}

int sq_snapshot_join(struct sp_session *s, const char *word, struct sp_error *err)
{
    char mine[64];
    if (!s->read_only || s->base.endpoint->live)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "SQLite: only sessions that read without locks share a state");
    int ret = sq_snapshot_begin(s, mine, err);
    if (ret != 0 || strcmp(mine, word) == 0)
        return ret;
    (void)sq_snapshot_end(s, NULL);
    return sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
        "%s has changed since that snapshot; SQLite cannot go back to it", s->path);
}

/* The name under which the row's number can be asked for; NULL = columns have taken them all. */
static const char *rowid_of(const struct sq_table *t)
{
    static const char *const names[] = { "rowid", "_rowid_", "oid" };
    for (size_t i = 0; i < SP_LEN(names); i++) {
        bool taken = false;
        for (size_t k = 0; k < t->ncolumns; k++)
            taken = taken || sqlite3_stricmp(t->columns[k].name, names[i]) == 0;
        if (!taken)
            return names[i];
    }
    return NULL;
}

/* Smallest and largest number; false: there are none (an empty table, a view, a table without row numbers). */
static bool ends_of(struct sp_session *s, const struct sq_table *t, int64_t *min, int64_t *max)
{
    struct sp_buf b = SP_BUF_INIT;
    sqlite3_stmt *st = NULL;
    const char *rowid = rowid_of(t);
    if (rowid == NULL)
        return false;
    for (int i = 0; i < 2; i++) { /* both in one question would read the whole table */
        sp_buf_printf(&b, i == 0 ? "SELECT (SELECT min(%s) FROM " : "), (SELECT max(%s) FROM ", rowid);
        sq_put_name(&b, t->physical);
    }
    sp_buf_puts(&b, ")");
    bool found = !b.oom && sq_prepare(s, b.p, &st, NULL) == 0 && sqlite3_step(st) == SQLITE_ROW &&
                 sqlite3_column_type(st, 0) == SQLITE_INTEGER && sqlite3_column_type(st, 1) == SQLITE_INTEGER;
    if (found) {
        *min = sqlite3_column_int64(st, 0);
        *max = sqlite3_column_int64(st, 1);
    }
    sqlite3_finalize(st);
    sp_buf_free(&b);
    return found;
}

/* What one statement says as one number; -1 = nothing. */
static int64_t number(struct sp_session *s, const char *sql, const char *name)
{
    sqlite3_stmt *st = NULL;
    int64_t n = -1;
    if (sq_prepare(s, sql, &st, NULL) == 0 &&
        (name == NULL || sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC) == SQLITE_OK) &&
        sqlite3_step(st) == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
        n = sqlite3_column_int64(st, 0); /* of a text, the number that it begins with */
    sqlite3_finalize(st);
    return n;
}

/* What ANALYZE has left, else how far the rows' numbers reach, unless so many rows have no place in the file. */
int sq_volume(
    struct sp_session *s, const char *ns, const char *table, struct sp_volume *out, struct sp_error *err)
{
    const struct sq_table *t;
    int64_t min = 0, max = 0;
    int ret = sq_table_find(s, ns, table, &t, err);
    if (ret != 0)
        return ret;
    out->rows = number(s, "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = ?1", t->physical);
    if (out->rows >= 0 || !ends_of(s, t, &min, &max))
        return 0;
    uint64_t pages = (uint64_t)number(s, "PRAGMA page_count", NULL),
             size = (uint64_t)number(s, "PRAGMA page_size", NULL), span = (uint64_t)max - (uint64_t)min;
    if (pages < UINT32_MAX && size <= 65536 && span < pages * size / LEAST_BYTES)
        out->rows = (int64_t)span + 1;
    return 0;
}

int sq_split(struct sp_session *s, const char *ns, const char *table, size_t parts, struct sp_names *bounds,
    struct sp_error *err)
{
    const struct sq_table *t;
    int64_t min = 0, max = 0;
    char bound[24];
    int ret = sq_table_find(s, ns, table, &t, err);
    if (ret != 0 || !ends_of(s, t, &min, &max))
        return ret;
    uint64_t width = (uint64_t)max - (uint64_t)min;
    if (width / LEAST_ROWS < parts)
        parts = (size_t)(width / LEAST_ROWS);
    for (size_t k = 1; ret == 0 && k < parts; k++) {
        int64_t at = (int64_t)((uint64_t)min + width / parts * k);
        sqlite3_snprintf(sizeof bound, bound, "%lld", (sqlite3_int64)at);
        ret = sp_names_add(bounds, bound) != 0 ? sp_nomem(err) : 0;
    }
    return ret;
}

static int put_bound(struct sp_buf *sql, const char *join, const char *rowid, const char *compare,
    const char *bound, struct sp_error *err)
{
    int64_t at;
    if (rowid == NULL || !sp_parse_i64(bound, &at))
        return sp_invalid(err, "\"%s\" is no bound of a split", bound);
    return sp_buf_printf(sql, " %s %s %s %lld", join, rowid, compare, (long long)at);
}

int sq_split_where(
    const struct sq_table *t, const struct sp_scan *scan, struct sp_buf *sql, struct sp_error *err)
{
    const char *rowid = rowid_of(t);
    int ret = 0;
    if (scan->from != NULL)
        ret = put_bound(sql, "WHERE", rowid, ">=", scan->from, err);
    if (ret == 0 && scan->to != NULL)
        ret = put_bound(sql, scan->from != NULL ? "AND" : "WHERE", rowid, "<", scan->to, err);
    return ret;
}
