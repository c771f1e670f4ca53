/* db_scan.c -- a pass over a table in pages, each beginning behind the last key of the one before. However few rows the server
 * gives at once, only an empty page is the end; and the server's own count, asked for behind it, must be what came. A
 * snapshot is proved behind each pass (db_state.c).
 *
 * The server works while we do: once a page has come, the next one is asked for behind its last row, and only then its rows are
 * handed over. What was asked ahead counts only if it is, byte for byte, what would be asked behind the rows that were. */
#include <stdlib.h>
#include <string.h>

#include "provider_call.h"
#include "providers/supabase/internal.h"

#define KEYS 32
/* Bytes of a page that are kept; a larger one is read as it comes, and nothing asked ahead. */
#define KEPT ((size_t)4 << 20)

struct pass;

/* A page that is asked for, and then read. Two of them take turns. */
struct turn {
    struct pass *p;
    struct sp_buf url, body;
    struct sp_http_response r;
    struct sd_ahead ahead;
    struct sd_rows in;
    bool held;    /* the page before it is not handed over yet */
    bool streams; /* too large to be kept */
};

struct pass {
    struct sp_session *s;
    const struct sp_scan *scan;
    struct sp_rowbuf *rb;
    const struct sd_table *t;
    const struct sd_column **cols; /* of the plan, then those of the key */
    size_t ncols, nplan;
    struct sd_column key[KEYS];
    size_t nkey;
    struct place {
        struct sp_arena arena;
        struct sp_value key[KEYS];
    } last, guess;      /* the last whole row, and what seems to be a page's last one */
    struct sp_buf base; /* of all pages' addresses */
    struct turn turns[2];
    uint64_t rows;
};

static int note_key(struct pass *p, struct place *at, size_t i, const struct sp_value *v)
{
    if (i == p->nplan)
        sp_arena_reset(&at->arena);
    return sp_value_copy(&at->arena, &at->key[i - p->nplan], v);
}

static int put_cell(void *payload, size_t i, const struct sp_value *v)
{
    struct pass *p = payload;
    if (i >= p->nplan)
        return note_key(p, &p->last, i, v);
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

static bool has_floats(const struct pass *p)
{
    for (size_t i = 0; i < p->nplan; i++) {
        const struct sp_type *t = &p->cols[i]->type;
        if (t->tag == SP_F32 || t->tag == SP_F64 || t->tag == SP_VECTOR ||
            (t->tag == SP_ARRAY && (t->elem == SP_F32 || t->elem == SP_F64)))
            return true;
    }
    return false;
}

/* Behind the last key: (a > x) or (a = x and b > y) ... */
static int put_behind(struct pass *p, const struct place *at, struct sp_buf *url, struct sp_error *err)
{
    struct sp_buf logic = SP_BUF_INIT, text = SP_BUF_INIT;
    int ret = 0;
    sp_buf_putc(&logic, '(');
    for (size_t i = 0; ret == 0 && i < p->nkey; i++) {
        sp_buf_puts(&logic, i > 0 ? ",and(" : "and(");
        for (size_t k = 0; ret == 0 && k <= i; k++) {
            sp_buf_clear(&text);
            sp_buf_puts(&logic, k > 0 ? "," : "");
            ret = sd_put_literal(&text, &at->key[k], err);
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

/* A sink. */
static int take(void *payload, const void *p, size_t n)
{
    struct turn *t = payload;
    if (!t->streams && (t->held || t->body.n + n <= KEPT)) {
        if (sp_buf_put(&t->body, p, n) == 0)
            return 0;
        return t->in.rc = sp_nomem(&t->in.why);
    }
    int ret = t->streams ? 0 : sd_rows_push(&t->in, t->body.p != NULL ? t->body.p : "", t->body.n);
    t->streams = true;
    return ret != 0 ? ret : sd_rows_push(&t->in, p, n);
}

static void end_turn(struct turn *t)
{
    sd_give_up(&t->ahead);
    sd_rows_free(&t->in);
    t->in = (struct sd_rows){ 0 };
    sp_http_response_free(&t->r);
    sp_buf_clear(&t->body);
    sp_buf_clear(&t->url);
}

/* The page behind a row; at NULL: the first one. */
static int put_url(struct pass *p, const struct place *at, struct sp_buf *url, struct sp_error *err)
{
    sp_buf_clear(url);
    sp_buf_put(url, p->base.p, p->base.n);
    int ret = at != NULL ? put_behind(p, at, url, err) : 0;
    return ret == 0 && url->oom ? sp_nomem(err) : ret;
}

static int ask(struct turn *t, const struct place *at, bool held, struct sp_error *err)
{
    struct pass *p = t->p;
    end_turn(t);
    int ret = put_url(p, at, &t->url, err);
    t->in = (struct sd_rows){
        .cols = p->cols, .ncols = p->ncols, .cell = put_cell, .end = end_row, .payload = p
    };
    t->held = held;
    t->streams = false;
    struct sd_request q = { .method = "GET",
        .target = t->url.p,
        .prefer = "timezone=UTC",
        .ns = sd_ns(p->s, p->scan->ns),
        .sink = take,
        .payload = t };
    if (ret == 0)
        ret = sd_rows_begin(&t->in, err);
    return ret != 0 ? ret : sd_send_ahead(p->s, &q, &t->r, &t->ahead, err);
}

static int guess_cell(void *payload, size_t i, const struct sp_value *v)
{
    struct pass *p = payload;
    return i < p->nplan ? 0 : note_key(p, &p->guess, i, v);
}

static int guess_end(void *payload)
{
    (void)payload;
    return 0;
}

/* The last row of a page, found from behind: {"c0": begins a row wherever it stands, because in a text the quotes have
 * backslashes before them. false = it is not to be seen so. */
static bool last_row(struct pass *p, const struct sp_buf *body)
{
    static const char begin[] = "{\"c0\":";
    const size_t len = sizeof begin - 1;
    size_t at = body->n;
    bool found = false;
    while (!found && at > 0)
        if (body->p[--at] == '{')
            found = body->n - at >= len && memcmp(body->p + at, begin, len) == 0;
    if (!found)
        return false;
    struct sd_rows in = {
        .cols = p->cols, .ncols = p->ncols, .cell = guess_cell, .end = guess_end, .payload = p
    };
    int ret = sd_rows_begin(&in, NULL);
    if (ret == 0)
        ret = sd_rows_push(&in, "[", 1);
    if (ret == 0)
        ret = sd_rows_push(&in, body->p + at, body->n - at);
    if (ret == 0)
        ret = sd_rows_finish(&in, NULL);
    bool one = ret == 0 && in.count == 1;
    sd_rows_free(&in);
    return one;
}

/* Waits for a page, asks for the next one by the other turn if it can, and hands over the rows. */
static int page(struct pass *p, struct turn *t, struct turn *next, uint64_t *got, struct sp_error *err)
{
    t->held = false;
    int ret = sd_settle(p->s, &t->ahead, err);
    /* What cannot be asked ahead is asked behind the rows, and fails then, if at all. */
    if (ret == 0 && !t->streams && p->nkey > 0 && last_row(p, &t->body) &&
        ask(next, &p->guess, true, NULL) != 0)
        end_turn(next);
    if (ret == 0 && !t->streams)
        ret = sd_rows_push(&t->in, t->body.p != NULL ? t->body.p : "", t->body.n);
    if (ret == 0)
        ret = sd_rows_finish(&t->in, err);
    if (ret != 0 && t->in.rc != 0)
        ret = pass_error(p, &t->in, ret, err);
    *got = t->in.count;
    return ret;
}

/* Behind the rows that were handed over: what was asked ahead is that, or it is given up. A page that ends where the one before it
 * ended would come for ever. */
static int go_on(struct pass *p, const struct turn *before, struct turn *t, struct sp_error *err)
{
    struct sp_buf url = SP_BUF_INIT;
    int ret = put_url(p, &p->last, &url, err);
    if (ret == 0 && url.n == before->url.n && memcmp(url.p, before->url.p, url.n) == 0)
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND,
            "%s: what is asked for behind the last row of %s is that row again", sp_http_where(p->s->db.http),
            p->t->name);
    if (ret == 0 && (t->ahead.call == NULL || url.n != t->url.n || memcmp(url.p, t->url.p, url.n) != 0))
        ret = ask(t, &p->last, false, err);
    sp_buf_free(&url);
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
    uint64_t got = 0;
    (void)sd_put_path(&p->base, p->scan->table);
    int ret = put_columns(p, &p->base, err);
    if (ret == 0 && has_floats(p))
        ret = sd_floats_whole(p->s, err);
    if (ret == 0)
        ret = sd_put_where(&p->base, p->t, p->scan->where, err);
    if (ret == 0 && p->nkey > 0)
        sp_buf_printf(&p->base, "&limit=%d", SD_PAGE);
    if (ret == 0)
        ret = p->base.oom ? sp_nomem(err) : ask(&p->turns[0], NULL, false, err);
    for (size_t i = 0; ret == 0; i = 1 - i) {
        ret = page(p, &p->turns[i], &p->turns[1 - i], &got, err);
        if (ret != 0 || got == 0 || p->nkey == 0)
            break;
        ret = go_on(p, &p->turns[i], &p->turns[1 - i], err);
    }
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
    p.turns[0].p = p.turns[1].p = &p;
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
        ret = sd_unchanged(s, scan->ns, scan->table, scan->where == NULL ? (int64_t)rows : -1, err);
    for (size_t i = 0; i < SP_LEN(p.turns); i++) {
        end_turn(&p.turns[i]);
        sp_buf_free(&p.turns[i].url);
        sp_buf_free(&p.turns[i].body);
    }
    sp_buf_free(&p.base);
    sp_arena_free(&p.last.arena);
    sp_arena_free(&p.guess.arena);
    free(p.cols);
    return ret != 0 ? ret : sp_scan_end(rb, rows, err);
}
