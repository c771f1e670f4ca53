/* db_load.c -- bulk load: all rows in one request, which the server carries out whole or not at all. What does not fit into one
 * is refused before anything is sent. */
#include <stdlib.h>
#include <string.h>

#include "model/json.h"
#include "providers/supabase/internal.h"

#define BODY_MAX ((size_t)256 << 20)

struct sp_load {
    struct sp_session *s;
    struct sp_arena arena, scratch;
    const char *table;
    struct sd_column *columns;
    size_t ncolumns;
    struct sp_buf body;
    uint64_t rows;
    int failed; /* first error: nothing can be committed after it */
};

static void release(struct sp_load *l)
{
    sp_arena_free(&l->arena);
    sp_arena_free(&l->scratch);
    sp_buf_free(&l->body);
    free(l);
}

int sd_load_open(struct sp_session *s, const char *table, const char *const *columns, size_t ncolumns,
    struct sp_load **out, struct sp_error *err)
{
    const struct sd_table *t;
    *out = NULL;
    if (ncolumns == 0)
        return sp_invalid(err, "load into %s: no columns", table);
    sd_begin(s);
    sd_tables_forget(s);
    int ret = sd_table(s, NULL, table, &t, err);
    if (ret == 0)
        ret = sd_rows_whole(s, NULL, table, err);
    if (ret != 0)
        return ret;
    struct sp_load *l = calloc(1, sizeof *l);
    if (l == NULL)
        return sp_nomem(err);
    l->s = s;
    l->ncolumns = ncolumns;
    l->table = sp_arena_str(&l->arena, table);
    l->columns = sp_arena_array(&l->arena, ncolumns, sizeof *l->columns);
    if (l->table == NULL || l->columns == NULL)
        ret = sp_nomem(err);
    for (size_t i = 0; ret == 0 && i < ncolumns; i++) {
        const struct sd_column *c = sd_column(t, columns[i], err);
        if (c == NULL) {
            ret = -SP_E_INVALID;
            break;
        }
        l->columns[i] = *c;
        l->columns[i].name = sp_arena_str(&l->arena, c->name);
        l->columns[i].native = NULL;
        if (l->columns[i].name == NULL)
            ret = sp_nomem(err);
    }
    if (ret != 0)
        release(l);
    else
        *out = l;
    return ret;
}

static int put_row(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    sp_buf_puts(&l->body, l->rows == 0 ? "[{" : ",\n{");
    for (size_t i = 0; i < l->ncolumns; i++) {
        struct sp_value fit;
        sp_buf_puts(&l->body, i > 0 ? "," : "");
        (void)sp_json_quote(&l->body, l->columns[i].name, strlen(l->columns[i].name));
        sp_buf_putc(&l->body, ':');
        int ret = sp_pg_fit(&l->scratch, &l->columns[i].type, &row[i], &fit, err);
        if (ret == 0)
            ret = sd_put_json(&l->body, &fit, err);
        if (ret != 0)
            return sp_error_prefix(err, "%s", l->columns[i].name);
    }
    sp_buf_putc(&l->body, '}');
    sp_arena_reset(&l->scratch);
    if (l->body.oom)
        return sp_nomem(err);
    return l->body.n <= BODY_MAX ? 0
                                 : sp_fail(err, SP_E_TOO_LARGE, SP_ORIGIN_BACKEND,
                                       "a bulk load over REST is one request, of %zu MiB at most; load by "
                                       "db_url with the provider postgresql instead",
                                       BODY_MAX >> 20);
}

int sd_load_row(struct sp_load *l, const struct sp_value *row, struct sp_error *err)
{
    if (l->failed != 0)
        return sp_invalid(err, "the load failed before; close it without commit");
    int ret = put_row(l, row, err);
    if (ret != 0) {
        l->failed = ret;
        return sp_error_prefix(err, "row %llu", (unsigned long long)l->rows + 1);
    }
    l->rows++;
    return 0;
}

static int send_all(struct sp_load *l, int64_t *n, struct sp_error *err)
{
    struct sp_buf url = SP_BUF_INIT, names = SP_BUF_INIT;
    struct sp_http_response r = SP_HTTP_RESPONSE_INIT;
    int64_t first, last;
    (void)sd_put_path(&url, l->table);
    for (size_t i = 0; i < l->ncolumns; i++) {
        sp_buf_puts(&names, i > 0 ? "," : "");
        sd_put_quoted(&names, l->columns[i].name, strlen(l->columns[i].name));
    }
    sd_put_param(&url, "columns", names.p != NULL ? names.p : "", names.n);
    sp_buf_putc(&l->body, ']');
    struct sd_request q = { .method = "POST",
        .target = url.p,
        .prefer = "count=exact,return=minimal",
        .ns = sd_ns(l->s, NULL),
        .body = &l->body,
        .write = true };
    sd_begin(l->s);
    int ret = url.oom || names.oom || l->body.oom ? sp_nomem(err) : sd_send(l->s, &q, &r, err);
    if (ret == 0 && (!sd_range(&r, &first, &last, n) || *n < 0))
        ret = sp_fail(err, SP_E_OUTCOME_UNKNOWN, SP_ORIGIN_BACKEND, "%s does not say how many rows it took",
            sp_http_where(l->s->db.http));
    sp_http_response_free(&r);
    sp_buf_free(&url);
    sp_buf_free(&names);
    return ret;
}

int sd_load_close(struct sp_load *l, bool commit, uint64_t *loaded, struct sp_error *err)
{
    int64_t n = 0;
    int ret = 0;
    if (commit && l->failed != 0)
        ret = sp_fail(err, (enum sp_code) - l->failed, SP_ORIGIN_BACKEND,
            "the load failed before; nothing was written");
    else if (commit && l->rows > 0)
        ret = send_all(l, &n, err);
    if (loaded != NULL)
        *loaded = ret == 0 ? (uint64_t)n : 0;
    release(l);
    return ret;
}
