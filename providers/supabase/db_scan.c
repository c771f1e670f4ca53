/* db_scan.c -- a pass over a table in pages, each beginning behind the last key of the one before. However few rows the server
 * gives at once, only an empty page is the end; and the server's own count, asked for behind it, must be what came. A
 * snapshot is proved behind each pass (db_state.c). */
#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "providers/supabase/internal.h"

#define KEYS 32

struct pass {
    struct sp_session *s;
    const struct sp_scan *scan;
    struct sp_rowbuf *rb;
    const struct sd_table *t;
    const struct sd_column **cols; /* of the plan, then those of the key */
    size_t ncols, nplan;
    struct sd_column key[KEYS];
    size_t nkey;
    struct sp_arena last_arena;
    struct sp_value last[KEYS]; /* key of the last whole row */
    bool any;
    uint64_t rows;
};

static int put_cell(void *payload, size_t i, const struct sp_value *v)
{
    struct pass *p = payload;
    if (i >= p->nplan) {
        if (i == p->nplan)
            sp_arena_reset(&p->last_arena);
        return sp_value_copy(&p->last_arena, &p->last[i - p->nplan], v);
    }
    switch (v->tag) {
    case SP_NULL:
        return sp_put_null(p->rb);
    case SP_INT:
        return sp_put_int(p->rb, v->u.i);
    case SP_F64:
        return sp_put_f64(p->rb, v->u.f64);
    case SP_TEXT:
        return sp_put_text(p->rb, v->u.str.p, v->u.str.n);
    case SP_BYTES:
        return sp_put_bytes(p->rb, v->u.str.p, v->u.str.n);
    default:
        return sp_put_value(p->rb, v);
    }
}

static int end_row(void *payload)
{
    struct pass *p = payload;
    p->rows++;
    p->any = true;
    return sp_row_end(p->rb);
}

/* --- which rows ---------------------------------------------------------------------------------------------------- */

/* What of the table matters for reading all of it. */
static int check_kind(struct pass *p, struct sp_error *err)
{
    static const char sql[] =
        "SELECT c.relkind::text, EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relname = $2";
    struct sp_value v[] = { sp_v_text(sd_ns(p->s, p->scan->ns)), sp_v_text(p->scan->table) };
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql, .values = v, .nfields = 2 };
    struct sp_result r = SP_RESULT_INIT;
    int ret = sd_ask(p->s, &op, &r, err);
    bool plain = false, children = false;
    if (ret == 0 && r.nrows == 1) {
        plain = r.values[0].u.str.n == 1 && r.values[0].u.str.p[0] == 'r';
        children = r.values[1].tag == SP_BOOL && r.values[1].u.b;
    }
    sp_result_free(&r);
    if (ret == 0 && plain && children)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "%s has tables that inherit from it: REST gives their rows with its own, and cannot tell them "
            "apart",
            p->t->name);
    if (ret != 0 || p->t->npk > KEYS)
        return ret;
    for (size_t i = 0; i < p->t->npk; i++) {
        const struct sd_column *c = sd_column(p->t, p->t->pk[i], err);
        if (c == NULL)
            return -SP_E_INVALID;
        p->key[p->nkey++] = *c;
    }
    if (p->nkey == 0 && plain) /* the row's place, where nothing else tells rows apart */
        p->key[p->nkey++] = (struct sd_column){
            .name = "ctid", .type = { .tag = SP_NATIVE }, .native = "tid", .as_text = true
        };
    return 0;
}

static int put_columns(struct pass *p, struct sp_buf *url, struct sp_error *err)
{
    const struct sp_scan *scan = p->scan;
    struct sp_buf b = SP_BUF_INIT;
    p->cols = calloc(scan->ncols + KEYS, sizeof *p->cols);
    if (p->cols == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < scan->ncols; i++) {
        const char *name = scan->side == SP_SIDE_SOURCE ? scan->cols[i].source : scan->cols[i].target;
        p->cols[i] = sd_column(p->t, name, err);
        if (p->cols[i] == NULL)
            return -SP_E_INVALID;
    }
    p->nplan = scan->ncols;
    p->ncols = scan->ncols + p->nkey;
    for (size_t i = 0; i < p->nkey; i++)
        p->cols[scan->ncols + i] = &p->key[i];
    for (size_t i = 0; i < p->ncols; i++) {
        sp_buf_printf(&b, "%sc%zu:", i > 0 ? "," : "", i);
        sd_put_quoted(&b, p->cols[i]->name, strlen(p->cols[i]->name));
        sp_buf_puts(&b, p->cols[i]->as_text ? "::text" : "");
    }
    sd_put_param(url, "select", b.p != NULL ? b.p : "", b.n);
    sp_buf_clear(&b);
    for (size_t i = 0; i < p->nkey; i++) {
        sp_buf_puts(&b, i > 0 ? "," : "");
        sd_put_quoted(&b, p->key[i].name, strlen(p->key[i].name));
        sp_buf_puts(&b, ".asc");
    }
    if (p->nkey > 0)
        sd_put_param(url, "order", b.p != NULL ? b.p : "", b.n);
    int ret = b.oom || url->oom ? sp_nomem(err) : 0;
    sp_buf_free(&b);
    return ret;
}

/* Behind the last key: (a > x) or (a = x and b > y) ... */
static int put_behind(struct pass *p, struct sp_buf *url, struct sp_error *err)
{
    struct sp_buf logic = SP_BUF_INIT, text = SP_BUF_INIT;
    int ret = 0;
    sp_buf_putc(&logic, '(');
    for (size_t i = 0; ret == 0 && i < p->nkey; i++) {
        sp_buf_puts(&logic, i > 0 ? ",and(" : "and(");
        for (size_t k = 0; ret == 0 && k <= i; k++) {
            sp_buf_clear(&text);
            sp_buf_puts(&logic, k > 0 ? "," : "");
            ret = sd_put_literal(&text, &p->last[k], err);
            sd_put_leaf(&logic, p->key[k].name, k == i ? "gt" : "eq", text.p != NULL ? text.p : "", text.n);
        }
        sp_buf_putc(&logic, ')');
    }
    sp_buf_putc(&logic, ')');
    if (ret == 0 && !logic.oom)
        sd_put_param(url, "or", logic.p, logic.n);
    if (ret == 0 && (logic.oom || text.oom || url->oom))
        ret = sp_nomem(err);
    sp_buf_free(&logic);
    sp_buf_free(&text);
    return ret;
}

/* --- pages ---------------------------------------------------------------------------------------------------------- */

static int pass_error(struct pass *p, struct sd_rows *in, int ret, struct sp_error *err)
{
    const struct sp_error *e = sp_rowbuf_error(p->rb);
    if (e->code != SP_E_OK) {
        if (err != NULL)
            sp_error_clear(err);
        return sp_fail(err, e->code, e->origin, "%s", sp_error_text(e));
    }
    if (in->rc != 0 && in->why.code == SP_E_OK)
        return sp_fail(err, SP_E_CANCELLED, SP_ORIGIN_HARNESS, "scan stopped by its receiver");
    return sd_rows_error(in, ret, err);
}

static int page(struct pass *p, const struct sp_buf *url, uint64_t *got, struct sp_error *err)
{
    struct sd_rows in = {
        .cols = p->cols, .ncols = p->ncols, .cell = put_cell, .end = end_row, .payload = p
    };
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    struct sd_request q = { .method = "GET",
        .target = url->p,
        .prefer = "timezone=UTC",
        .ns = sd_ns(p->s, p->scan->ns),
        .sink = sd_rows_push,
        .payload = &in };
    int ret = sd_rows_begin(&in, err);
    if (ret == 0)
        ret = sd_send(p->s, &q, &r, err);
    if (ret == 0)
        ret = sd_rows_finish(&in, err);
    if (ret != 0 && in.rc != 0)
        ret = pass_error(p, &in, ret, err);
    *got = in.count;
    sd_rows_free(&in);
    sp_http_response_free(&r);
    return ret;
}

/* Behind the end: what the server counts now. */
static int count(struct pass *p, uint64_t *rows, struct sp_error *err)
{
    struct sp_buf url = SP_BUF_INIT;
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    int64_t first, last, total = -1;
    (void)sd_put_path(&url, p->scan->table);
    int ret = sd_put_where(&url, p->t, p->scan->where, err);
    sp_buf_puts(&url, "&limit=0");
    struct sd_request q = {
        .method = "GET", .target = url.p, .prefer = "count=exact", .ns = sd_ns(p->s, p->scan->ns)
    };
    if (ret == 0)
        ret = url.oom ? sp_nomem(err) : sd_send(p->s, &q, &r, err);
    if (ret == 0 && (!sd_range(&r, &first, &last, &total) || total < 0))
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "%s does not say how many rows there are",
            sp_http_where(p->s->db.http));
    *rows = (uint64_t)total;
    sp_buf_free(&url);
    sp_http_response_free(&r);
    return ret;
}

static int pages(struct pass *p, uint64_t *rows, struct sp_error *err)
{
    struct sp_buf url = SP_BUF_INIT;
    (void)sd_put_path(&url, p->scan->table);
    int ret = put_columns(p, &url, err);
    if (ret == 0)
        ret = sd_put_where(&url, p->t, p->scan->where, err);
    if (ret == 0 && p->nkey > 0)
        sp_buf_printf(&url, "&limit=%d", SD_PAGE);
    size_t mark = url.n;
    for (uint64_t got = 1; ret == 0 && got > 0;) {
        url.n = mark;
        if (p->any)
            ret = put_behind(p, &url, err);
        else if (url.p != NULL)
            url.p[mark] = '\0';
        if (ret == 0)
            ret = url.oom ? sp_nomem(err) : page(p, &url, &got, err);
        if (p->nkey == 0)
            break;
    }
    sp_buf_free(&url);
    if (ret == 0)
        ret = count(p, rows, err);
    if (ret == 0 && *rows != p->rows)
        ret = p->nkey > 0 ? sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
                                "%s changed while it was read: %llu rows came, the server counts %llu; REST "
                                "offers no snapshot",
                                p->t->name, (unsigned long long)p->rows, (unsigned long long)*rows)
                          : sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
                                "%llu of %llu rows of %s came: the server gives no more at once (its "
                                "db-max-rows), and there is "
                                "no key to ask for the rest by",
                                (unsigned long long)p->rows, (unsigned long long)*rows, p->t->name);
    return ret;
}

int sd_scan(struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct pass p = { .s = s, .scan = scan, .rb = rb };
    uint64_t rows = 0;
    if (scan->ncols == 0)
        return sp_invalid(err, "scan of %s: no columns", scan->table);
    if (scan->from != NULL || scan->to != NULL)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_HARNESS, "supabase: tables are not read in parts");
    sd_begin(s);
    sd_tables_forget(s);
    int ret = sd_table(s, scan->ns, scan->table, &p.t, err);
    if (ret == 0)
        ret = sd_rows_whole(s, scan->ns, scan->table, err);
    if (ret == 0)
        ret = check_kind(&p, err);
    if (ret == 0)
        ret = pages(&p, &rows, err);
    if (ret == 0)
        ret = sd_unchanged(s, scan->ns, scan->table, err);
    sp_arena_free(&p.last_arena);
    free(p.cols);
    return ret != 0 ? ret : sp_scan_end(rb, rows, err);
}
