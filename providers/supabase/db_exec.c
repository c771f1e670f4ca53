/* db_exec.c -- one operation, one request: that is what the server makes atomic. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/json.h"
#include "providers/supabase/internal.h"

struct run {
    struct sp_session *s;
    const struct sp_op *op;
    const struct sd_table *t;
    struct sp_buf url, body;
    const struct sd_column **cols;
    size_t ncols;
    struct sp_value *row;
    struct sp_arena values;
    struct sp_result *out;
    struct sp_http_response answer;
    struct sp_error *why; /* what makes the reading of rows stop */
    bool defaults;        /* the server fills them in, where rows leave fields out */
};

static int keep(void *payload, size_t i, const struct sp_value *v)
{
    struct run *r = payload;
    return sp_value_copy(&r->values, &r->row[i], v);
}

static int add_row(void *payload)
{
    struct run *r = payload;
    int ret = sp_result_add(r->out, r->row, r->why);
    sp_arena_reset(&r->values);
    return ret;
}

/* --- results ------------------------------------------------------------------------------------------------------ */

static int put_columns(struct run *r, struct sp_error *err)
{
    const struct sp_query *q = &r->op->query;
    size_t n = q->nselect > 0 ? q->nselect : r->t->ncolumns;
    r->cols = calloc(n + 1, sizeof *r->cols);
    r->row = calloc(n + 1, sizeof *r->row);
    if (r->cols == NULL || r->row == NULL)
        return sp_nomem(err);
    int ret =
        sd_put_select(&r->url, r->t, q->nselect > 0 ? q->select : NULL, q->nselect, r->cols, &r->ncols, err);
    if (ret != 0 || r->out == NULL)
        return ret;
    const char **names = calloc(n + 1, sizeof *names);
    if (names == NULL)
        return sp_nomem(err);
    for (size_t i = 0; i < r->ncols; i++)
        names[i] = r->cols[i]->name;
    ret = sp_result_columns(r->out, names, r->ncols);
    free(names);
    return ret != 0 ? sp_nomem(err) : 0;
}

/* The echo of a write is not understood. PostgREST says beside it how many rows it wrote; a page of something that stands
 * before it does not, and may stand there instead of the write. */
static int echo_error(struct run *r, int ret, struct sp_error *err)
{
    int64_t first, last, n;
    bool done = sd_range(&r->answer, &first, &last, &n) && n >= 0;
    if (done && err != NULL)
        err->effect = SP_EFFECT_APPLIED;
    return done ? ret
                : sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_BACKEND,
                      "%s: the answer to a write (HTTP %d) is not PostgREST's; whether it was carried out is "
                      "not known",
                      sp_http_where(r->s->db.http), r->answer.status);
}

/* Sends, and takes the rows of the answer if there are to be any. */
static int ask(struct run *r, const char *method, const char *prefer, bool write, bool rows, uint64_t *count,
    struct sp_error *err)
{
    struct sd_rows in = { .cols = r->cols, .ncols = r->ncols, .cell = keep, .end = add_row, .payload = r };
    struct sd_request q = { .method = method,
        .target = r->url.p,
        .prefer = prefer,
        .ns = sd_ns(r->s, NULL),
        .body = r->body.n > 0 ? &r->body : NULL,
        .write = write };
    if (r->url.oom || r->body.oom)
        return sp_nomem(err);
    int ret = 0;
    r->why = &in.why;
    if (rows) {
        q.sink = sd_rows_push;
        q.payload = &in;
        ret = sd_rows_begin(&in, err);
    }
    if (ret == 0)
        ret = sd_send(r->s, &q, &r->answer, err);
    if (rows && ret == 0)
        ret = sd_rows_finish(&in, err);
    else if (rows && in.rc != 0)
        ret = sd_rows_error(&in, ret, err);
    if (rows && in.rc != 0 && write)
        ret = echo_error(r, ret, err);
    if (count != NULL)
        *count = in.count;
    sd_rows_free(&in);
    r->why = NULL;
    return ret;
}

/* --- reading -------------------------------------------------------------------------------------------------------- */

static void put_order(struct run *r)
{
    const struct sp_query *q = &r->op->query;
    struct sp_buf b = SP_BUF_INIT;
    for (size_t i = 0; i < q->norder; i++) {
        const struct sp_order *o = &q->order[i];
        bool first = o->nulls == SP_NULLS_DEFAULT ? !o->desc : o->nulls == SP_NULLS_FIRST;
        sp_buf_puts(&b, i > 0 ? "," : "");
        sd_put_quoted(&b, o->column, strlen(o->column));
        sp_buf_printf(&b, ".%s.%s", o->desc ? "desc" : "asc", first ? "nullsfirst" : "nullslast");
    }
    /* Pages, ours or the caller's, meet only where no two rows are alike. */
    for (size_t i = 0; i < r->t->npk; i++) {
        bool there = false;
        for (size_t k = 0; k < q->norder; k++)
            there = there || strcmp(q->order[k].column, r->t->pk[i]) == 0;
        if (there)
            continue;
        sp_buf_puts(&b, b.n > 0 ? "," : "");
        sd_put_quoted(&b, r->t->pk[i], strlen(r->t->pk[i]));
        sp_buf_puts(&b, ".asc");
    }
    if (b.n > 0)
        sd_put_param(&r->url, "order", b.p, b.n);
    r->url.oom = r->url.oom || b.oom;
    sp_buf_free(&b);
}

static void put_page(struct sp_buf *url, int64_t limit, int64_t offset)
{
    if (limit != SP_NO_LIMIT)
        sp_buf_printf(url, "&limit=%lld", (long long)limit);
    if (offset > 0)
        sp_buf_printf(url, "&offset=%lld", (long long)offset);
}

/* The server may give fewer rows than there are, and says so only in the count: then the next ones are asked for, as long as
 * the count stays what it was. */
static int read_rows(struct run *r, struct sp_error *err)
{
    const struct sp_query *q = &r->op->query;
    int64_t offset = q->offset, left = q->limit, first, last, total = -1, before = -1;
    size_t mark;
    int ret = put_columns(r, err);
    for (size_t i = 0; ret == 0 && i < q->norder; i++)
        ret = sd_column(r->t, q->order[i].column, err) == NULL ? -SP_E_INVALID : 0;
    if (ret == 0)
        ret = sd_put_where(&r->url, r->t, q->where, err);
    put_order(r);
    mark = r->url.n;
    while (ret == 0) {
        uint64_t got;
        r->url.n = mark;
        put_page(&r->url, left, offset);
        ret = ask(r, "GET", "count=exact,timezone=UTC", false, true, &got, err);
        bool beyond = ret == -SP_E_RANGE && r->answer.status == 416; /* nothing there */
        if (beyond && before < 0 && offset > 0) {
            sp_error_clear(err);
            return 0;
        }
        if (ret != 0 && (!beyond || before < 0))
            break;
        if (!beyond && (!sd_range(&r->answer, &first, &last, &total) || total < 0))
            return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "%s does not say how many rows there are",
                sp_http_where(r->s->db.http));
        if (beyond || (before >= 0 && total != before))
            return sp_fail(err, SP_E_CONFLICT, SP_ORIGIN_BACKEND,
                "%s changed while it was read in pages: the server gives at most %lld rows at once",
                r->t->name, (long long)(offset - q->offset));
        before = total;
        offset += (int64_t)got;
        if (left != SP_NO_LIMIT)
            left -= (int64_t)got;
        if (left == 0 || offset >= total)
            break;
        if (got == 0 || r->t->npk == 0)
            return sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
                "%s gives only %llu of %lld rows of %s at once (its db-max-rows), and there is no primary "
                "key to ask for the "
                "rest by",
                sp_http_where(r->s->db.http), (unsigned long long)got, (long long)total, r->t->name);
    }
    return ret;
}

static int count_rows(struct run *r, struct sp_error *err)
{
    int64_t first, last, total;
    int ret = sd_put_where(&r->url, r->t, r->op->query.where, err);
    sp_buf_puts(&r->url, "&limit=0");
    struct sp_result none = SP_RESULT_INIT, *out = r->out;
    r->out = &none;
    if (ret == 0)
        ret = ask(r, "GET", "count=exact", false, false, NULL, err);
    r->out = out;
    if (ret == 0 && (!sd_range(&r->answer, &first, &last, &total) || total < 0))
        ret = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "%s does not say how many rows there are",
            sp_http_where(r->s->db.http));
    if (ret == 0 && out != NULL)
        out->affected = total;
    return ret;
}

/* --- writing -------------------------------------------------------------------------------------------------------- */

static bool missing(const struct sp_op *op, size_t row, size_t field)
{
    return op->values[row * op->nfields + field].tag == SP_MISSING;
}

/* Left out in some rows of several. */
static bool mixed(const struct sp_op *op, size_t field)
{
    for (size_t row = 1; row < op->nrows; row++)
        if (missing(op, row, field) != missing(op, 0, field))
            return true;
    return false;
}

/* Where the server fills in defaults row by row, the rows pass through its binary JSON, which loses these. */
static bool survives(const struct sp_value *v)
{
    return v->tag != SP_JSON && !(v->tag == SP_F64 && v->u.f64 == 0 && signbit(v->u.f64)) &&
           !(v->tag == SP_F32 && v->u.f32 == 0 && signbit(v->u.f32));
}

/* One request has one set of columns. A field that only some rows leave out is null there, or its default if it has one, which
 * the server fills in on request. An upsert would write that over what is there. */
static int check_shape(struct run *r, struct sp_error *err)
{
    const struct sp_op *op = r->op;
    r->defaults = false;
    for (size_t i = 0; i < op->nfields; i++) {
        const struct sd_column *c = sd_column(r->t, op->fields[i], err);
        if (c == NULL)
            return -SP_E_INVALID;
        if (!mixed(op, i))
            continue;
        if (op->kind == SP_OP_UPSERT)
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                "%s: some rows leave out %s and others don't; an upsert over REST writes the same columns in "
                "all rows",
                op->query.table, c->name);
        r->defaults = r->defaults || c->has_default;
    }
    for (size_t i = 0; r->defaults && i < op->nrows * op->nfields; i++)
        if (!survives(&op->values[i]))
            return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                "%s: some rows leave out a column with a default; filling it in over REST would change %s of "
                "the others",
                op->query.table, op->fields[i % op->nfields]);
    return 0;
}

static int put_row(struct run *r, size_t row, struct sp_error *err)
{
    const struct sp_op *op = r->op;
    bool any = false;
    int ret = 0;
    sp_buf_putc(&r->body, '{');
    for (size_t i = 0; ret == 0 && i < op->nfields; i++) {
        const struct sd_column *c = sd_column(r->t, op->fields[i], err);
        struct sp_value fit;
        if (c == NULL)
            return -SP_E_INVALID;
        if (missing(op, row, i) && (!mixed(op, i) || c->has_default))
            continue;
        sp_buf_puts(&r->body, any ? "," : "");
        any = true;
        (void)sp_json_quote(&r->body, c->name, strlen(c->name));
        sp_buf_putc(&r->body, ':');
        ret = sp_pg_fit(&r->values, &c->type, &op->values[row * op->nfields + i], &fit, err);
        if (ret == 0)
            ret = sd_put_json(&r->body, &fit, err);
        if (ret != 0)
            (void)sp_error_prefix(err, "%s", c->name);
    }
    sp_buf_putc(&r->body, '}');
    sp_arena_reset(&r->values);
    return ret;
}

static void put_name_list(struct run *r, const char *param, const char *const *names, size_t n, bool skip)
{
    struct sp_buf b = SP_BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        if (skip && missing(r->op, 0, i) && !mixed(r->op, i))
            continue;
        sp_buf_puts(&b, b.n > 0 ? "," : "");
        sd_put_quoted(&b, names[i], strlen(names[i]));
    }
    if (b.n > 0)
        sd_put_param(&r->url, param, b.p, b.n);
    r->url.oom = r->url.oom || b.oom;
    sp_buf_free(&b);
}

/* The answer to a write says how many rows it concerned; one that doesn't is not PostgREST's. */
static int written(struct run *r, int64_t *n, struct sp_error *err)
{
    int64_t first, last;
    if (!sd_range(&r->answer, &first, &last, n) || *n < 0) {
        int ret = sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_BACKEND,
            "%s: the answer to a write (HTTP %d) does not say what became of it",
            sp_http_where(r->s->db.http), r->answer.status);
        return ret;
    }
    return 0;
}

static int finish_write(struct run *r, const char *method, const char *prefer, struct sp_error *err)
{
    struct sp_buf p = SP_BUF_INIT;
    bool rows = r->op->returning && r->out != NULL;
    int64_t n = 0;
    int ret = rows ? put_columns(r, err) : 0;
    sp_buf_printf(&p, "count=exact,timezone=UTC,return=%s%s", rows ? "representation" : "minimal", prefer);
    if (ret == 0)
        ret = p.oom ? sp_nomem(err) : ask(r, method, p.p, true, rows, NULL, err);
    if (ret == 0)
        ret = written(r, &n, err);
    if (ret == 0 && r->out != NULL)
        r->out->affected = n;
    sp_buf_free(&p);
    return ret;
}

static int create(struct run *r, struct sp_error *err)
{
    const struct sp_op *op = r->op;
    bool upsert = op->kind == SP_OP_UPSERT;
    int ret = check_shape(r, err);
    for (size_t i = 0; ret == 0 && upsert && i < op->nkey; i++)
        ret = sd_column(r->t, op->key[i], err) == NULL ? -SP_E_INVALID : 0;
    if (ret == 0 && op->nfields == 0 && op->nrows != 1)
        ret = sp_invalid(err, "%zu rows without any field: give them one by one", op->nrows);
    sp_buf_putc(&r->body, '[');
    for (size_t i = 0; ret == 0 && i < op->nrows; i++) {
        sp_buf_puts(&r->body, i > 0 ? ",\n" : "");
        ret = put_row(r, i, err);
    }
    sp_buf_putc(&r->body, ']');
    if (ret != 0)
        return ret;
    put_name_list(r, "columns", op->fields, op->nfields, true);
    if (upsert)
        put_name_list(r, "on_conflict", op->key, op->nkey, false);
    return finish_write(r, "POST",
        upsert        ? ",resolution=merge-duplicates"
        : r->defaults ? ",missing=default"
                      : "",
        err);
}

static int change(struct run *r, struct sp_error *err)
{
    const struct sp_op *op = r->op;
    bool update = op->kind == SP_OP_UPDATE;
    size_t assigned = 0;
    int ret = 0;
    for (size_t i = 0; update && i < op->nfields; i++)
        assigned += missing(op, 0, i) ? 0 : 1;
    if (update && assigned == 0)
        return sp_invalid(err, "update of %s without an assignment", r->t->name);
    if (update)
        ret = put_row(r, 0, err);
    if (ret == 0 && update)
        put_name_list(r, "columns", op->fields, op->nfields, true);
    if (ret == 0)
        ret = op->query.where != NULL ? sd_put_where(&r->url, r->t, op->query.where, err)
                                      : sd_put_all(&r->url, r->t, err);
    return ret != 0 ? ret : finish_write(r, update ? "PATCH" : "DELETE", "", err);
}

static int once(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    struct sp_result none = SP_RESULT_INIT;
    struct run r = { .s = s, .op = op, .out = out != NULL ? out : &none };
    int ret = sd_table(s, NULL, op->query.table, &r.t, err);
    if (ret == 0 && (op->kind == SP_OP_READ || op->kind == SP_OP_COUNT))
        ret = sd_read_whole(s, op->query.table, err);
    if (ret == 0)
        (void)sd_put_path(&r.url, op->query.table);
    if (ret == 0 && op->kind == SP_OP_READ)
        ret = read_rows(&r, err);
    else if (ret == 0 && op->kind == SP_OP_COUNT)
        ret = count_rows(&r, err);
    else if (ret == 0 && (op->kind == SP_OP_CREATE || op->kind == SP_OP_UPSERT))
        ret = create(&r, err);
    else if (ret == 0)
        ret = change(&r, err);
    sp_http_response_free(&r.answer);
    sp_buf_free(&r.url);
    sp_buf_free(&r.body);
    sp_arena_free(&r.values);
    sp_result_free(&none);
    free(r.cols);
    free(r.row);
    return ret;
}

int sd_exec(struct sp_session *s, const struct sp_op *op, struct sp_result *out, struct sp_error *err)
{
    struct sp_error e = SP_ERROR_INIT;
    bool fresh = s->db.known == NULL;
    sd_begin(s);
    if (op->kind == SP_OP_RAW)
        return sd_raw(s, op, out, err);
    int ret = once(s, op, out, &e);
    /* Refused: nothing was done. The description may be out of date; a fresh one decides. What something before PostgREST
     * refuses has nothing to do with that. */
    bool refused = (ret == -SP_E_INVALID || ret == -SP_E_NOT_FOUND ||
                       (ret == -SP_E_CORRUPT && op->kind == SP_OP_READ)) &&
                   !sp_str_prefix(e.native, "HTTP ");
    if (refused && !fresh) {
        sd_tables_forget(s);
        sp_error_clear(&e);
        if (out != NULL)
            sp_result_reset(out);
        ret = once(s, op, out, &e);
    }
    if (err != NULL && e.code != SP_E_OK)
        sp_error_move(err, &e);
    sp_error_clear(&e);
    return ret;
}
