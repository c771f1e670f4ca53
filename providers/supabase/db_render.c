/* db_render.c -- filters, columns and order in PostgREST's words. A filter is always one logic tree, in which names and values
 * stand in quotes: outside of one a quote would be part of the value. */
#include <string.h>

#include "providers/supabase/internal.h"

void sd_put_quoted(struct sp_buf *out, const char *p, size_t n)
{
    sp_buf_putc(out, '"');
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '"' || p[i] == '\\')
            sp_buf_putc(out, '\\');
        sp_buf_putc(out, p[i]);
    }
    sp_buf_putc(out, '"');
}

void sd_put_param(struct sp_buf *url, const char *name, const char *value, size_t n)
{
    if (url->n > 0 && url->p[url->n - 1] != '?')
        sp_buf_putc(url, '&');
    sp_buf_puts(url, name);
    sp_buf_putc(url, '=');
    (void)sp_http_encode(url, value, n);
}

int sd_put_path(struct sp_buf *url, const char *table)
{
    sp_buf_putc(url, '/');
    (void)sp_http_encode(url, table, strlen(table));
    return sp_buf_putc(url, '?');
}

int sd_put_select(struct sp_buf *url, const struct sd_table *t, const char *const *names, size_t n,
    const struct sd_column **cols, size_t *ncols, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    *ncols = names != NULL ? n : t->ncolumns;
    for (size_t i = 0; i < *ncols; i++) {
        cols[i] = names != NULL ? sd_column(t, names[i], err) : &t->columns[i];
        if (cols[i] == NULL) {
            sp_buf_free(&b);
            return -SP_E_INVALID;
        }
        sp_buf_printf(&b, "%sc%zu:", i > 0 ? "," : "", i);
        sd_put_quoted(&b, cols[i]->name, strlen(cols[i]->name));
        sp_buf_puts(&b, cols[i]->as_text ? "::text" : "");
    }
    if (!b.oom)
        sd_put_param(url, "select", b.p != NULL ? b.p : "", b.n);
    int ret = b.oom || url->oom ? sp_nomem(err) : 0;
    sp_buf_free(&b);
    return ret;
}

/* --- leaves ------------------------------------------------------------------------------------------------------ */

void sd_put_leaf(struct sp_buf *logic, const char *column, const char *op, const char *p, size_t n)
{
    sd_put_quoted(logic, column, strlen(column));
    sp_buf_printf(logic, ".%s.", op);
    sd_put_quoted(logic, p, n);
}

/* Unknown for every row, as a comparison with null is. */
static int put_unknown(struct sp_buf *logic, const struct sd_column *c)
{
    sd_put_leaf(logic, c->name, "eq(any)", "{NULL}", 6);
    return 0;
}

static int comparable(const struct sd_column *c, struct sp_error *err)
{
    if (c->type.tag == SP_JSON && strcmp(c->native != NULL ? c->native : "", "jsonb") != 0)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "%s: the server compares no values of type json, and REST has no words to convert them", c->name);
    return 0;
}

/* The value as the column's type reads it, in a buffer. */
static int fit(struct sp_buf *out, const struct sp_type *type, const struct sp_value *v, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value f;
    const struct sp_type bare = { .tag = type->tag, .elem = type->elem };
    int ret = sp_pg_fit(&a, &bare, v, &f, err);
    if (ret == 0)
        ret = sd_put_literal(out, &f, err);
    sp_arena_free(&a);
    return ret;
}

int sd_put_compare(struct sp_buf *logic, const struct sd_column *c, enum sp_filter_op op,
    const struct sp_value *v, struct sp_error *err)
{
    struct sp_buf text = SP_BUF_INIT;
    int ret = comparable(c, err);
    if (ret != 0)
        return ret;
    if (sp_v_is_absent(v))
        return put_unknown(logic, c);
    if (sd_is_number(c->type.tag) && sd_is_number(v->tag))
        return sd_put_number(logic, c, op, v, err);
    ret = fit(&text, &c->type, v, err);
    if (ret == 0)
        sd_put_leaf(logic, c->name, sd_op_name(op), text.p != NULL ? text.p : "", text.n);
    sp_buf_free(&text);
    return ret;
}

/* As one comparison with an array: an empty text, and null, mean themselves there. */
static int put_in(
    struct sp_buf *logic, const struct sd_column *c, const struct sp_filter *f, struct sp_error *err)
{
    struct sp_buf list = SP_BUF_INIT, text = SP_BUF_INIT;
    int ret = comparable(c, err);
    sp_buf_putc(&list, '{');
    for (size_t i = 0; ret == 0 && i < f->nvalues; i++) {
        sp_buf_clear(&text);
        sp_buf_puts(&list, i > 0 ? "," : "");
        if (sp_v_is_absent(&f->values[i])) {
            sp_buf_puts(&list, "NULL");
            continue;
        }
        ret = fit(&text, &c->type, &f->values[i], err);
        if (ret == 0)
            sd_put_quoted(&list, text.p != NULL ? text.p : "", text.n);
    }
    sp_buf_putc(&list, '}');
    if (ret == 0 && (list.oom || text.oom))
        ret = sp_nomem(err);
    if (ret == 0)
        sd_put_leaf(logic, c->name, "eq(any)", list.p, list.n);
    sp_buf_free(&list);
    sp_buf_free(&text);
    return ret;
}

/* Numbers of other kinds than the column's: each for itself. */
static int put_in_numbers(
    struct sp_buf *logic, const struct sd_column *c, const struct sp_filter *f, struct sp_error *err)
{
    int ret = 0;
    sp_buf_puts(logic, "or(");
    for (size_t i = 0; ret == 0 && i < f->nvalues; i++) {
        sp_buf_puts(logic, i > 0 ? "," : "");
        ret = sd_put_compare(logic, c, SP_F_EQ, &f->values[i], err);
    }
    sp_buf_putc(logic, ')');
    return ret;
}

static bool other_kinds(const struct sd_column *c, const struct sp_filter *f)
{
    for (size_t i = 0; i < f->nvalues; i++)
        if (sd_is_number(c->type.tag) && sd_is_number(f->values[i].tag) &&
            (f->values[i].tag != c->type.tag || c->type.tag == SP_INT))
            return true;
    return false;
}

/* --- patterns: like knows no star, and PostgREST takes one for %. So they become regular expressions. ---------------- */

static void put_plain(struct sp_buf *re, char ch)
{
    unsigned char u = (unsigned char)ch;
    bool plain = (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || (u >= '0' && u <= '9') || u >= 0x80;
    if (plain)
        sp_buf_putc(re, ch);
    else
        sp_buf_printf(re, "\\u%04x", (unsigned)u);
}

static int put_pattern(
    struct sp_buf *logic, const struct sd_column *c, const struct sp_filter *f, struct sp_error *err)
{
    const struct sp_value *v = &f->values[0];
    bool like = f->op == SP_F_LIKE;
    struct sp_buf re = SP_BUF_INIT;
    if (c->type.tag != SP_TEXT)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "%s is for texts%s; %s is none",
            like ? "like" : "contains", like ? "" : " and arrays", c->name);
    if (sp_v_is_absent(v))
        return put_unknown(logic, c);
    if (v->tag != SP_TEXT)
        return sp_invalid(err, "%s takes a text", like ? "like" : "contains");
    int ret = sp_pg_text_ok(&(struct sp_type){ .tag = SP_TEXT }, v, err);
    const char *p = v->u.str.p;
    size_t n = v->u.str.n;
    sp_buf_puts(&re, like ? "^" : "");
    for (size_t i = 0; ret == 0 && i < n; i++) {
        if (like && p[i] == '%') {
            sp_buf_puts(&re, ".*");
        } else if (like && p[i] == '_') {
            sp_buf_putc(&re, '.');
        } else if (like && p[i] == '\\') {
            if (i + 1 == n)
                ret = sp_invalid(err, "a pattern of like must not end with a backslash");
            else
                put_plain(&re, p[++i]);
        } else {
            put_plain(&re, p[i]);
        }
    }
    sp_buf_puts(&re, like ? "$" : "");
    if (ret == 0)
        sd_put_leaf(logic, c->name, "match", re.p != NULL ? re.p : "", re.n);
    sp_buf_free(&re);
    return ret;
}

static int put_member(
    struct sp_buf *logic, const struct sd_column *c, const struct sp_filter *f, struct sp_error *err)
{
    const struct sp_type elem = { .tag = c->type.tag == SP_VECTOR ? SP_F32 : c->type.elem };
    struct sp_buf text = SP_BUF_INIT, list = SP_BUF_INIT;
    if (sp_v_is_absent(&f->values[0]))
        return put_unknown(logic, c);
    int ret = fit(&text, &elem, &f->values[0], err);
    if (ret == 0) {
        sp_buf_putc(&list, '{');
        sd_put_quoted(&list, text.p != NULL ? text.p : "", text.n);
        sp_buf_putc(&list, '}');
        sd_put_leaf(logic, c->name, "cs", list.p, list.n);
    }
    sp_buf_free(&text);
    sp_buf_free(&list);
    return ret;
}

/* --- the tree ---------------------------------------------------------------------------------------------------- */

static int put_never(struct sp_buf *logic, const struct sd_column *c)
{
    sp_buf_puts(logic, "and(");
    sd_put_quoted(logic, c->name, strlen(c->name));
    sp_buf_puts(logic, ".is.null,");
    sd_put_quoted(logic, c->name, strlen(c->name));
    return sp_buf_puts(logic, ".not.is.null)");
}

static int put_one(
    struct sp_buf *logic, const struct sd_table *t, const struct sp_filter *f, struct sp_error *err)
{
    const struct sd_column *c = sd_column(t, f->column, err);
    if (c == NULL)
        return -SP_E_INVALID;
    switch (f->op) {
    case SP_F_IN:
        if (f->nvalues == 0)
            return put_never(logic, c);
        return other_kinds(c, f) ? put_in_numbers(logic, c, f, err) : put_in(logic, c, f, err);
    case SP_F_CONTAINS:
        if (c->type.tag == SP_ARRAY || c->type.tag == SP_VECTOR)
            return put_member(logic, c, f, err);
        return put_pattern(logic, c, f, err);
    case SP_F_LIKE:
        return put_pattern(logic, c, f, err);
    case SP_F_IS_NULL:
        sd_put_quoted(logic, c->name, strlen(c->name));
        return sp_buf_puts(logic, ".is.null");
    case SP_F_IS_MISSING:
        return put_never(logic, c);
    default:
        return sd_put_compare(logic, c, f->op, &f->values[0], err);
    }
}

/* Recursion is bounded: sp_filter_check() limits the depth. */
static int put_tree(
    struct sp_buf *logic, const struct sd_table *t, const struct sp_filter *f, struct sp_error *err)
{
    int ret = 0;
    if (f->op != SP_F_AND && f->op != SP_F_OR && f->op != SP_F_NOT)
        return put_one(logic, t, f, err);
    sp_buf_puts(logic, f->op == SP_F_AND ? "and(" : f->op == SP_F_OR ? "or(" : "not.and(");
    for (size_t i = 0; ret == 0 && i < f->nargs; i++) {
        sp_buf_puts(logic, i > 0 ? "," : "");
        ret = put_tree(logic, t, &f->args[i], err);
    }
    sp_buf_putc(logic, ')');
    return ret;
}

int sd_put_where(
    struct sp_buf *url, const struct sd_table *t, const struct sp_filter *f, struct sp_error *err)
{
    struct sp_buf logic = SP_BUF_INIT;
    if (f == NULL)
        return 0;
    int ret = sp_filter_check(f, err);
    sp_buf_putc(&logic, '(');
    if (ret == 0)
        ret = put_tree(&logic, t, f, err);
    sp_buf_putc(&logic, ')');
    if (ret == 0 && !logic.oom)
        sd_put_param(url, "and", logic.p, logic.n);
    if (ret == 0 && (logic.oom || url->oom))
        ret = sp_nomem(err);
    sp_buf_free(&logic);
    return ret;
}

int sd_put_all(struct sp_buf *url, const struct sd_table *t, struct sp_error *err)
{
    struct sp_buf logic = SP_BUF_INIT;
    const char *name = t->columns[0].name;
    sp_buf_putc(&logic, '(');
    sd_put_quoted(&logic, name, strlen(name));
    sp_buf_puts(&logic, ".is.null,");
    sd_put_quoted(&logic, name, strlen(name));
    sp_buf_puts(&logic, ".not.is.null)");
    if (!logic.oom)
        sd_put_param(url, "or", logic.p, logic.n);
    int ret = logic.oom || url->oom ? sp_nomem(err) : 0;
    sp_buf_free(&logic);
    return ret;
}
