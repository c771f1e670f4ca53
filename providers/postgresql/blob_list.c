/* blob_list.c -- a page of keys in byte order, in one round trip. */
#include <string.h>

#include "providers/postgresql/blob.h"

static const char plain[] = "SELECT " PO_OBJECT_COLUMNS ", false FROM @.objects o WHERE key >= $1 AND key < "
                            "$2 ORDER BY key LIMIT $3";

/* Each step seeks the first key behind the entry before: a group of keys costs one step, whatever its size. $4 is the
 * delimiter, $5 the length of the prefix. */
#define STEP                                                                                                 \
    "SELECT key, g > 0 AS folded, CASE WHEN g > 0 THEN substring(key FOR g) ELSE key END AS name, CASE "     \
    "WHEN g > 0 THEN substring(key FOR g) || '\\xff'::bytea ELSE key || '\\x00'::bytea END AS past FROM "    \
    "(SELECT key, CASE WHEN at > 0 THEN (at - 1 + $5 + length($4))::int ELSE 0 END AS g FROM (SELECT key, "  \
    "position($4 IN substring(key FROM $5::int + 1)) AS at FROM @.objects WHERE key >= "
#define STEP_END " AND key < $2 ORDER BY key LIMIT 1) first) grouped"
static const char folded[] =
    "WITH RECURSIVE walk AS ((" STEP "$1" STEP_END ") UNION ALL SELECT step.* FROM walk, LATERAL (" STEP
    "walk.past" STEP_END ") step) "
    "SELECT walk.name, o.size, o.content_type, o.etag, o.meta, o.modified, walk.folded FROM (SELECT * FROM "
    "walk LIMIT $3) walk LEFT JOIN @.objects o ON o.key = walk.key AND NOT walk.folded ORDER BY walk.name";

static int entry(const PGresult *r, int row, struct sp_arena *a, struct sp_object *out, struct sp_error *err)
{
    size_t n;
    if (*PQgetvalue(r, row, PO_OBJECT_NCOLUMNS) == 0)
        return po_object_row(r, row, a, out, err);
    const uint8_t *name = po_octets_at(r, row, 0, &n);
    *out = (struct sp_object){ .key = sp_arena_strn(a, (const char *)name, n), .is_prefix = true };
    return out->key == NULL ? sp_nomem(err) : 0;
}

static int entries(
    const PGresult *r, size_t n, struct sp_arena *a, struct sp_object **out, struct sp_error *err)
{
    int ret = 0;
    *out = sp_arena_array(a, n + 1, sizeof **out);
    if (*out == NULL)
        return sp_nomem(err);
    for (size_t i = 0; ret == 0 && i < n; i++)
        ret = entry(r, (int)i, a, &(*out)[i], err);
    return ret;
}

int po_blob_list(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *prefix,
    const char *delimiter, const char **cursor, size_t limit, struct sp_object **out, size_t *n,
    struct sp_error *err)
{
    struct sp_buf from = SP_BUF_INIT, to = SP_BUF_INIT;
    PGresult *r = NULL;
    const char *start = prefix == NULL ? "" : prefix;
    *out = NULL;
    *n = 0;
    int ret = sp_object_page_check(limit, cursor == NULL ? NULL : *cursor, err);
    if (ret == 0)
        ret = sp_object_page_from(&from, start, cursor == NULL ? NULL : *cursor, err);
    if (ret == 0)
        ret = sp_object_page_to(&to, start, err);
    int64_t rows = limit < INT32_MAX ? (int64_t)limit + 1 : INT32_MAX;
    if (ret == 0 && (delimiter == NULL || delimiter[0] == '\0'))
        ret = po_blob_ask(
            s, bucket, &r, err, plain, "ooi", from.p == NULL ? "" : from.p, from.n, to.p, to.n, rows);
    else if (ret == 0)
        ret = po_blob_ask(s, bucket, &r, err, folded, "ooiki", from.p == NULL ? "" : from.p, from.n, to.p,
            to.n, rows, delimiter, (int64_t)strlen(start));
    if (ret == 0) {
        size_t got = (size_t)PQntuples(r), keep = got < limit ? got : limit;
        ret = entries(r, keep, a, out, err);
        if (ret == 0)
            ret = sp_object_page_next(a, *out, keep, got > limit, cursor, err);
        *n = ret == 0 ? keep : 0;
    }
    PQclear(r);
    sp_buf_free(&from);
    sp_buf_free(&to);
    return ret;
}
