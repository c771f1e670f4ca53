/* db_raw.c -- a query in PostgREST's own words: the path of a GET below its address, "/projects?select=name,tasks(title)" or
 * "/rpc/open_tasks?agent=7". PostgREST carries out a GET in a transaction that only reads, so a function that writes is
 * refused by the database. Nothing else than a path of one table or function is let through.
 *
 * An answer that was cut short would look like a whole one: the server's count says how many rows there are, and for lists inside
 * of rows, which have no count, it is proved that the server would have given one more. */
#include <stdlib.h>
#include <string.h>

#include "providers/supabase/internal.h"

#define RAW_MAX  16000
#define PROBES   64
#define NO_VALUE (-1)

struct raw {
    struct sp_buf target;
    char name[128];        /* of the table or function */
    bool call, embeds;     /* rows may hold lists of rows */
    int64_t limit, offset; /* NO_VALUE = not given */
    enum sd_shape shape;
};

/* --- the text ------------------------------------------------------------------------------------------------------- */

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c) != NULL);
}

static bool hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int not_raw(struct sp_error *err, const char *why)
{
    return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
        "PostgREST runs no queries of its clients; what can be asked is the path of a GET, such as "
        "/tasks?select=id,agents(name) or /rpc/function?argument=1%s%s",
        *why != '\0' ? ": " : "", why);
}

/* "/table" or "/rpc/function", each name as it is: what is special in a path gets encoded. */
static int put_path(struct raw *r, const char *p, size_t n, struct sp_error *err)
{
    r->call = n > 5 && memcmp(p, "/rpc/", 5) == 0;
    size_t skip = r->call ? 5 : 1;
    p += skip;
    n -= skip;
    if (n == 0 || n >= sizeof r->name || memchr(p, '/', n) != NULL)
        return not_raw(err, "one table or one function");
    if ((n == 1 && *p == '.') || (n == 2 && memcmp(p, "..", 2) == 0) ||
        (!r->call && n == 3 && memcmp(p, "rpc", 3) == 0))
        return not_raw(err, "one table or one function");
    memcpy(r->name, p, n);
    r->name[n] = '\0';
    sp_buf_puts(&r->target, r->call ? "/rpc/" : "/");
    return sp_http_encode(&r->target, p, n);
}

static int put_query(struct raw *r, const char *p, struct sp_error *err)
{
    for (; *p != '\0'; p++) {
        if (*p == '%' && !(hex(p[1]) && hex(p[2])))
            return not_raw(err, "a % that is meant stands as %25");
        if (unreserved(*p) || strchr("!$&'()*+,;=:@/?%", *p) != NULL)
            sp_buf_putc(&r->target, *p);
        else
            (void)sp_http_encode(&r->target, p, 1);
    }
    return 0;
}

/* PostgREST passes over a limit that is no number, and takes one of several. */
static int read_bound(const char *p, size_t n, int64_t *out, struct sp_error *err)
{
    char text[24];
    bool again = *out != NO_VALUE;
    if (n > 0 && n < sizeof text && strspn(p, "0123456789") >= n) {
        memcpy(text, p, n);
        text[n] = '\0';
        if (!again && sp_parse_i64(text, out))
            return 0;
    }
    return not_raw(err, "limit and offset are one number each");
}

static int read_bounds(struct raw *r, const char *p, struct sp_error *err)
{
    for (int ret = 0; *p != '\0' && ret == 0;) {
        size_t n = strcspn(p, "&");
        if (n >= 6 && memcmp(p, "limit=", 6) == 0)
            ret = read_bound(p + 6, n - 6, &r->limit, err);
        else if (n >= 7 && memcmp(p, "offset=", 7) == 0)
            ret = read_bound(p + 7, n - 7, &r->offset, err);
        r->embeds = r->embeds || memchr(p, '(', n) != NULL || memchr(p, '%', n) != NULL;
        if (ret != 0)
            return ret;
        p += n;
        p += *p == '&';
    }
    return 0;
}

static int read_raw(struct raw *r, const char *text, struct sp_error *err)
{
    const char *query = strchr(text, '?');
    size_t n = query != NULL ? (size_t)(query - text) : strlen(text);
    r->limit = r->offset = NO_VALUE;
    if (text[0] != '/')
        return not_raw(err, "");
    if (strlen(text) > RAW_MAX)
        return not_raw(err, "it is too long");
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++)
        if (*p < ' ' || *p == 0x7f || *p == '#')
            return not_raw(err, "it holds a character that no path has");
    int ret = put_path(r, text, n, err);
    if (ret == 0 && query != NULL) {
        sp_buf_putc(&r->target, '?');
        ret = put_query(r, query + 1, err);
        if (ret == 0)
            ret = read_bounds(r, query + 1, err);
    }
    return ret == 0 && r->target.oom ? sp_nomem(err) : ret;
}

/* --- what the database knows ------------------------------------------------------------------------------------------ */

static int ask(struct sp_session *s, const char *sql, const char *a, const char *b, struct sp_result *out,
    struct sp_error *err)
{
    struct sp_value v[] = { sp_v_text(a), sp_v_text(b != NULL ? b : "") };
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql, .values = v, .nfields = b != NULL ? 2 : 1 };
    int ret = sd_no_sql(s, err);
    return ret != 0 ? ret : sd_ask(s, &op, out, err);
}

/* Fewer rows for a policy's sake would be an answer like any other. */
static int sees_all(struct sp_session *s, struct sp_error *err)
{
    static const char sql[] =
        "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname = $1 AND (rolbypassrls OR rolsuper)";
    struct sp_result r = SP_RESULT_INIT;
    int ret = ask(s, sql, s->db.role, NULL, &r, err);
    if (ret == 0 && (r.nrows != 1 || r.values[0].tag != SP_INT || r.values[0].u.i != 1))
        ret = sp_fail(err, SP_E_PERMISSION, SP_ORIGIN_BACKEND,
            "%s: row security may hide rows from the role %s of this key, whatever the query asks; a key of "
            "a "
            "role that bypasses it sees all",
            sp_http_where(s->db.http), s->db.role[0] != '\0' ? s->db.role : "(unknown)");
    sp_result_free(&r);
    return ret;
}

/* A list may be the rows of a function or its one value. */
static int find_shape(struct sp_session *s, struct raw *r, struct sp_error *err)
{
    static const char sql[] = "SELECT bool_or(p.proretset), bool_and(p.proretset), bool_or(t.typtype = 'c' "
                              "OR t.typname = 'record'), "
                              "bool_and(t.typtype = 'c' OR t.typname = 'record') FROM pg_catalog.pg_proc p "
                              "JOIN pg_catalog.pg_namespace "
                              "n ON n.oid = p.pronamespace JOIN pg_catalog.pg_type t ON t.oid = p.prorettype "
                              "WHERE n.nspname = $1 AND "
                              "p.proname = $2";
    struct sp_result a = SP_RESULT_INIT;
    r->shape = SD_SHAPE_ROWS;
    if (!r->call)
        return 0;
    int ret = ask(s, sql, sd_ns(s, NULL), r->name, &a, err);
    bool known = ret == 0 && a.nrows == 1 && a.ncolumns == 4;
    for (size_t i = 0; known && i < 4; i++)
        known = a.values[i].tag == SP_BOOL;
    if (ret == 0 && !known)
        ret = sp_fail(err, SP_E_NOT_FOUND, SP_ORIGIN_BACKEND, "no function \"%s\" in schema \"%s\" (%s)",
            r->name, sd_ns(s, NULL), sp_http_where(s->db.http));
    else if (ret == 0 && (a.values[0].u.b != a.values[1].u.b || a.values[2].u.b != a.values[3].u.b))
        ret = sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "there are functions \"%s\" that return rows, and such that return one value: which is meant "
            "cannot be "
            "told",
            r->name);
    else if (ret == 0)
        r->shape = a.values[0].u.b ? SD_SHAPE_ROWS : a.values[2].u.b ? SD_SHAPE_ROW : SD_SHAPE_VALUE;
    sp_result_free(&a);
    return ret;
}

/* --- nothing was cut off ------------------------------------------------------------------------------------------------ */

static int cut_short(struct sp_session *s, uint64_t got, int64_t of, struct sp_error *err)
{
    return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
        "%s gave %llu of %lld rows (its db-max-rows): let the query count or sum them, or narrow it by a "
        "filter or a "
        "limit",
        sp_http_where(s->db.http), (unsigned long long)got, (long long)of);
}

static int check_count(struct sp_session *s, const struct raw *r, const struct sp_http_response *answer,
    uint64_t got, struct sp_error *err)
{
    int64_t first, last, total, expected;
    if (r->shape != SD_SHAPE_ROWS)
        return 0;
    if (!sd_range(answer, &first, &last, &total) || total < 0)
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "%s does not say how many rows there are",
            sp_http_where(s->db.http));
    expected = r->offset > total ? 0 : r->offset > 0 ? total - r->offset : total;
    if (r->limit >= 0 && expected > r->limit)
        expected = r->limit;
    if ((uint64_t)expected == got)
        return 0;
    return got < (uint64_t)expected
               ? cut_short(s, got, expected, err)
               : sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
                     "%s gave %llu rows, and says that there are %lld", sp_http_where(s->db.http),
                     (unsigned long long)got, (long long)expected);
}

/* One more row than `longest` of any table or view: it comes (*more), or there are no more in there, or the server gives none. */
static int one_more(
    struct sp_session *s, const char *name, size_t nname, uint64_t longest, bool *more, struct sp_error *err)
{
    struct sp_buf url = SP_BUF_INIT;
    struct sp_http_response a = SP_HTTP_RESPONSE_INIT;
    int64_t first, last, total;
    sp_buf_putc(&url, '/');
    (void)sp_http_encode(&url, name, nname);
    sp_buf_printf(&url, "?limit=%llu", (unsigned long long)longest + 1);
    struct sd_request q = {
        .method = "HEAD", .target = url.p, .prefer = "count=exact", .ns = sd_ns(s, NULL)
    };
    int ret = url.oom ? sp_nomem(err) : sd_send(s, &q, &a, err);
    if (ret == 0 && (!sd_range(&a, &first, &last, &total) || total < 0))
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "%s does not say how many rows there are",
            sp_http_where(s->db.http));
    uint64_t came = ret != 0 || first < 0 ? 0 : (uint64_t)(last - first) + 1;
    *more = came > longest;
    if (ret == 0 && !*more && (uint64_t)total > came)
        ret = sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
            "%s gives at most %llu rows at once (its db-max-rows), and a list inside a row has %llu: it may "
            "be cut short",
            sp_http_where(s->db.http), (unsigned long long)came, (unsigned long long)longest);
    sp_http_response_free(&a);
    sp_buf_free(&url);
    return ret;
}

static int check_lists(struct sp_session *s, uint64_t rows, uint64_t longest, struct sp_error *err)
{
    static const char sql[] = "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN "
                              "pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                              "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY "
                              "c.reltuples DESC, c.relname";
    struct sp_result r = SP_RESULT_INIT;
    bool more = rows > longest;
    if (more || longest == 0)
        return 0;
    int ret = ask(s, sql, sd_ns(s, NULL), NULL, &r, err);
    for (size_t i = 0; ret == 0 && !more && i < r.nrows; i++)
        ret = i < PROBES ? one_more(s, r.values[i].u.str.p, r.values[i].u.str.n, longest, &more, err)
                         : sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
                               "a list inside a row has %llu entries, and no table of the first %d shows "
                               "that %s gives "
                               "more at once: it may be cut short",
                               (unsigned long long)longest, PROBES, sp_http_where(s->db.http));
    sp_result_free(&r);
    return ret;
}

/* --- the contract's calls --------------------------------------------------------------------------------------------- */

int sd_raw_reads(struct sp_session *s, const char *raw, struct sp_error *err)
{
    struct raw r = { .call = false };
    int ret = read_raw(&r, raw, err);
    sp_buf_free(&r.target);
    return ret == 0 ? sees_all(s, err) : ret;
}

int sd_raw(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    struct raw r = { .call = false };
    struct sp_http_response a = SP_HTTP_RESPONSE_INIT;
    uint64_t longest = 0;
    int ret = read_raw(&r, op->raw, err);
    if (ret == 0 && op->nfields != 0)
        ret = not_raw(err, "parameters stand in the path");
    if (ret == 0)
        ret = sees_all(s, err);
    if (ret == 0)
        ret = sd_floats_whole(s, err);
    if (ret == 0)
        ret = find_shape(s, &r, err);
    struct sd_request q = {
        .method = "GET", .target = r.target.p, .prefer = "count=exact,timezone=UTC", .ns = sd_ns(s, NULL)
    };
    if (ret == 0)
        ret = sd_send(s, &q, &a, err);
    if (ret == 0)
        ret = sd_answer(a.body.p != NULL ? a.body.p : "", a.body.n, r.shape, r.name, out, &longest, err);
    if (ret == 0)
        ret = check_count(s, &r, &a, out->nrows, err);
    if (ret == 0 && r.embeds)
        ret = check_lists(s, out->nrows, longest, err);
    if (ret == 0)
        out->affected = -1;
    else
        sp_result_reset(out);
    sp_http_response_free(&a);
    sp_buf_free(&r.target);
    return ret;
}
