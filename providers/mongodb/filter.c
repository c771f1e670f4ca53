/* filter.c -- a filter tree as a query document.
 *
 * The server's queries know two values, the contract's three. So `not` is carried down to the leaves: each is written as
 * the condition under which it is true, or, below a `not`, as the one under which it is false; unknown is neither. And the
 * server looks into arrays where a field holds one: wherever a column may hold an array, that is excluded. */
#include <math.h>
#include <string.h>

#include "providers/mongodb/internal.h"

struct leaf {
    const struct mo_table *t;
    const struct sp_filter *f;
    const struct sp_column *c; /* NULL = undeclared */
    bool negated;              /* wanted: when it is false */
    struct sp_arena *a;
};

static bool dynamic(const struct leaf *l)
{
    return l->c == NULL || l->c->type.tag == SP_MISSING || l->c->type.tag == SP_JSON ||
           l->c->type.tag == SP_NATIVE;
}

static bool may_be_array(const struct leaf *l)
{
    return dynamic(l) || l->c->type.tag == SP_ARRAY || l->c->type.tag == SP_VECTOR;
}

static bool may_be_nan(const struct leaf *l)
{
    return dynamic(l) || l->c->type.tag == SP_F64 || l->c->type.tag == SP_F32;
}

static int full(struct sp_error *err)
{
    return mo_bson_full("filter", err);
}

/* ---- small conditions; each appends one document to the list ---- */

struct list {
    bson_t *to;
    uint32_t n;
};

static bool begin_item(struct list *l, bson_t *item)
{
    char buf[16];
    const char *k;
    (void)bson_uint32_to_string(l->n++, &k, buf, sizeof buf);
    return BSON_APPEND_DOCUMENT_BEGIN(l->to, k, item);
}

static int nothing(bson_t *out, struct sp_error *err)
{
    bson_t none; /* no document is without _id, and no list holds nothing */
    return BSON_APPEND_DOCUMENT_BEGIN(out, "_id", &none) && BSON_APPEND_BOOL(&none, "$exists", false) &&
                   bson_append_document_end(out, &none)
               ? 0
               : full(err);
}

/* {column: {op: value}} */
static int put_op(
    bson_t *out, const char *column, const char *op, const struct sp_value *v, struct sp_error *err)
{
    bson_t inner;
    if (!BSON_APPEND_DOCUMENT_BEGIN(out, column, &inner))
        return full(err);
    int ret = mo_value_put(&inner, op, NULL, v, err);
    if (!bson_append_document_end(out, &inner) && ret == 0)
        ret = full(err);
    return ret;
}

static int put_bool(bson_t *out, const char *column, const char *op, bool value, struct sp_error *err)
{
    struct sp_value v = sp_v_bool(value);
    return put_op(out, column, op, &v, err);
}

static int put_text(bson_t *out, const char *column, const char *op, const char *text, struct sp_error *err)
{
    struct sp_value v = sp_v_text(text);
    return put_op(out, column, op, &v, err);
}

/* {column: {$not: {$type: "array"}}} */
static int put_no_array(bson_t *out, const char *column, struct sp_error *err)
{
    bson_t inner, type;
    return BSON_APPEND_DOCUMENT_BEGIN(out, column, &inner) &&
                   BSON_APPEND_DOCUMENT_BEGIN(&inner, "$not", &type) &&
                   BSON_APPEND_UTF8(&type, "$type", "array") && bson_append_document_end(&inner, &type) &&
                   bson_append_document_end(out, &inner)
               ? 0
               : full(err);
}

/* One condition of a list, then the next. */
#define ITEM(list, call)                                                                                     \
    do {                                                                                                     \
        bson_t item;                                                                                         \
        if (ret == 0 && !begin_item((list), &item))                                                          \
            ret = full(err);                                                                                 \
        if (ret == 0) {                                                                                      \
            ret = call;                                                                                      \
            if (!bson_append_document_end((list)->to, &item) && ret == 0)                                    \
                ret = full(err);                                                                             \
        }                                                                                                    \
    } while (0)

/* ---- comparisons ---- */

static bool is_nan(const struct sp_value *v)
{
    return (v->tag == SP_F64 && isnan(v->u.f64)) || (v->tag == SP_F32 && isnan(v->u.f32));
}

static bool is_number(enum sp_tag t)
{
    return t == SP_INT || t == SP_DEC || t == SP_F32 || t == SP_F64;
}

/* To the server two documents with their fields in another order are two, to the contract they are one. */
static int comparable(const struct leaf *l, const struct sp_value *v, struct sp_error *err)
{
    const char *p = v->u.str.p;
    size_t i = 0;
    if (v->tag != SP_JSON)
        return 0;
    while (i < v->u.str.n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r'))
        i++;
    return i < v->u.str.n && (p[i] == '{' || p[i] == '[')
               ? sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
                     "filter on \"%s\": the server compares documents with the order of their fields",
                     l->f->column)
               : 0;
}

/* The value as the column holds it, so that equal ones have equal elements. */
static int operand(const struct leaf *l, const struct sp_value *v, struct sp_value *out, struct sp_error *err)
{
    *out = *v;
    if (v->tag == SP_JSON)
        return comparable(l, v, err);
    if (dynamic(l) || sp_v_is_absent(v) || (is_number(v->tag) && is_number(l->c->type.tag)))
        return 0;
    const struct sp_type bare = { .tag = l->c->type.tag, .elem = l->c->type.elem };
    int ret = mo_fit(l->a, &bare, v, out, err);
    bool alike = out->tag == bare.tag || (out->tag == SP_REF && bare.tag == SP_TEXT) ||
                 (out->tag == SP_TEXT && bare.tag == SP_REF) ||
                 (out->tag == SP_ARRAY && bare.tag == SP_VECTOR);
    if (ret == 0 && !alike)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "filter on \"%s\": a value of type %s for a column of type %s", l->f->column, sp_tag_name(v->tag),
            sp_tag_name(bare.tag));
    return ret;
}

static enum sp_filter_op opposite(enum sp_filter_op op)
{
    static const enum sp_filter_op of[] = { [SP_F_EQ] = SP_F_NEQ,
        [SP_F_NEQ] = SP_F_EQ,
        [SP_F_GT] = SP_F_LTE,
        [SP_F_GTE] = SP_F_LT,
        [SP_F_LT] = SP_F_GTE,
        [SP_F_LTE] = SP_F_GT };
    return of[op];
}

/* NaN is one value, behind all numbers; to the server it is in front of them, and no comparison but equality finds it. */
static int compare_nan(const struct leaf *l, enum sp_filter_op op, const struct sp_value *v, struct list *all,
    struct sp_error *err)
{
    int ret = 0;
    switch (op) {
    case SP_F_EQ:
    case SP_F_GTE:
        ITEM(all, put_op(&item, l->f->column, "$eq", v, err));
        return ret;
    case SP_F_GT:
        ITEM(all, nothing(&item, err));
        return ret;
    case SP_F_LTE:
        ITEM(all, put_text(&item, l->f->column, "$type", "number", err));
        return ret;
    default: /* NEQ, LT: every other number */
        ITEM(all, put_text(&item, l->f->column, "$type", "number", err));
        ITEM(all, put_op(&item, l->f->column, "$ne", v, err));
        return ret;
    }
}

/* {$or: [{column: {op: v}}, {column: NaN}]} */
static int or_nan(
    bson_t *out, const char *column, const char *op, const struct sp_value *v, struct sp_error *err)
{
    const struct sp_value nan_value = sp_v_f64(NAN);
    bson_t either;
    int ret = 0;
    if (!BSON_APPEND_ARRAY_BEGIN(out, "$or", &either))
        return full(err);
    struct list any = { &either, 0 };
    ITEM(&any, put_op(&item, column, op, v, err));
    ITEM(&any, put_op(&item, column, "$eq", &nan_value, err));
    if (!bson_append_array_end(out, &either) && ret == 0)
        ret = full(err);
    return ret;
}

static bool is_list(const struct sp_value *v)
{
    return v->tag == SP_ARRAY || v->tag == SP_VECTOR;
}

/* What is asked of a row before it can be known to differ from v: that it is there, and no null. Values of other types
 * than v's are not related to it: neither true nor false. An array that holds a null is to the server equal to null. */
static int other_than(const struct leaf *l, const struct sp_value *v, struct list *all, struct sp_error *err)
{
    const struct sp_value null = sp_v_null();
    const struct sp_type type = { .tag = v->tag };
    int ret = 0;
    if (is_list(v)) {
        ITEM(all, put_text(&item, l->f->column, "$type", "array", err));
        return ret;
    }
    if (dynamic(l) && is_number(v->tag)) {
        ITEM(all, put_text(&item, l->f->column, "$type", "number", err));
    } else if (dynamic(l) && v->tag != SP_NATIVE && v->tag != SP_JSON && mo_bson_types(&type)[1] == NULL) {
        ITEM(all, put_text(&item, l->f->column, "$type", mo_bson_types(&type)[0], err));
    }
    ITEM(all, put_op(&item, l->f->column, "$ne", &null, err));
    return ret;
}

static int compare(const struct leaf *l, struct list *all, struct sp_error *err)
{
    static const char *const words[] = { [SP_F_EQ] = "$eq",
        [SP_F_NEQ] = "$ne",
        [SP_F_GT] = "$gt",
        [SP_F_GTE] = "$gte",
        [SP_F_LT] = "$lt",
        [SP_F_LTE] = "$lte" };
    enum sp_filter_op op = l->negated ? opposite(l->f->op) : l->f->op;
    struct sp_value v;
    int ret = operand(l, l->f->values, &v, err);
    if (ret != 0)
        return ret;
    if (sp_v_is_absent(&v)) {
        ITEM(all, nothing(&item, err));
        return ret;
    }
    if (op != SP_F_EQ && op != SP_F_NEQ && v.tag == SP_BYTES)
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "filter on \"%s\": the server compares octets by their number first, not by their values",
            l->f->column);
    if (op != SP_F_EQ && op != SP_F_NEQ && is_list(&v))
        return sp_invalid(err, "filter on \"%s\": arrays have no order", l->f->column);
    if (!is_list(&v) && may_be_array(l))
        ITEM(all, put_no_array(&item, l->f->column, err));
    if (ret == 0 && is_nan(&v))
        return compare_nan(l, op, &v, all, err);
    if (op == SP_F_NEQ && ret == 0)
        ret = other_than(l, &v, all, err);
    if ((op == SP_F_GT || op == SP_F_GTE) && may_be_nan(l) && is_number(v.tag))
        ITEM(all, or_nan(&item, l->f->column, words[op], &v, err));
    else
        ITEM(all, put_op(&item, l->f->column, words[op], &v, err));
    return ret;
}

/* ---- in ---- */

struct values {
    bson_t list;
    struct sp_value first;
    bool has_null, mixed /* of several kinds */;
    uint32_t n; /* without nulls */
};

static bool one_kind(const struct sp_value *a, const struct sp_value *b)
{
    return a->tag == b->tag || (is_number(a->tag) && is_number(b->tag));
}

static int gather(const struct leaf *l, struct values *to, struct sp_error *err)
{
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < l->f->nvalues; i++) {
        struct sp_value v;
        char buf[16];
        const char *k;
        ret = operand(l, &l->f->values[i], &v, err);
        to->has_null = to->has_null || sp_v_is_absent(&v);
        if (ret != 0 || sp_v_is_absent(&v))
            continue;
        if (to->n == 0)
            to->first = v;
        to->mixed = to->mixed || !one_kind(&to->first, &v);
        (void)bson_uint32_to_string(to->n++, &k, buf, sizeof buf);
        ret = mo_value_put(&to->list, k, NULL, &v, err);
    }
    if (ret == 0 && to->mixed && to->n > 0 && may_be_array(l))
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND,
            "filter on \"%s\": a list of values of several types cannot be asked for", l->f->column);
    return ret;
}

/* {column: {$in: [...]}} */
static int put_list(const struct leaf *l, const bson_t *values, struct list *all, struct sp_error *err)
{
    bson_t item, inner;
    bool ok = begin_item(all, &item) && BSON_APPEND_DOCUMENT_BEGIN(&item, l->f->column, &inner) &&
              BSON_APPEND_ARRAY(&inner, l->negated ? "$nin" : "$in", values) &&
              bson_append_document_end(&item, &inner) && bson_append_document_end(all->to, &item);
    return ok ? 0 : full(err);
}

/* Not in an empty list is true of every row, also of nulls; with a null in the list it is never known to be true. */
static int in_list(const struct leaf *l, struct list *all, struct sp_error *err)
{
    struct values v = { .list = BSON_INITIALIZER };
    int ret = gather(l, &v, err);
    bool everything = l->negated && l->f->nvalues == 0;
    bool never = l->negated ? v.has_null : v.n == 0;
    if (ret == 0 && !everything) {
        if (never)
            ITEM(all, nothing(&item, err));
        else if (may_be_array(l) && !is_list(&v.first))
            ITEM(all, put_no_array(&item, l->f->column, err));
        else if (is_list(&v.first))
            ITEM(all, put_text(&item, l->f->column, "$type", "array", err));
        if (ret == 0 && !never && l->negated)
            ret = other_than(l, &v.first, all, err);
        if (ret == 0 && !never)
            ret = put_list(l, &v.list, all, err);
    }
    bson_destroy(&v.list);
    return ret;
}

/* ---- contains, like ---- */

/* {column: {$regex: pattern, $options: "s"}}, or within $not. */
static int put_regex(bson_t *out, const char *column, const char *pattern, bool negated, struct sp_error *err)
{
    bson_t inner, not_;
    bool ok = BSON_APPEND_DOCUMENT_BEGIN(out, column, &inner);
    if (ok && negated)
        ok = BSON_APPEND_DOCUMENT_BEGIN(&inner, "$not", &not_);
    bson_t *to = negated ? &not_ : &inner;
    ok = ok && BSON_APPEND_UTF8(to, "$regex", pattern) && BSON_APPEND_UTF8(to, "$options", "s");
    if (ok && negated)
        ok = bson_append_document_end(&inner, &not_);
    return ok && bson_append_document_end(out, &inner) ? 0 : full(err);
}

static int text_match(const struct leaf *l, struct list *all, struct sp_error *err)
{
    const struct sp_value *v = l->f->values;
    struct sp_buf pattern = SP_BUF_INIT;
    int ret = 0;
    if (v->tag != SP_TEXT)
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND, "filter on \"%s\": %s takes a text",
            l->f->column, sp_filter_op_name(l->f->op));
    sp_buf_puts(&pattern, "");
    if ((l->f->op == SP_F_LIKE ? mo_pattern_like : mo_pattern_contains)(&pattern, v->u.str.p, v->u.str.n) !=
        0)
        ret = sp_nomem(err);
    if (ret == 0 && may_be_array(l))
        ITEM(all, put_no_array(&item, l->f->column, err));
    ITEM(all, put_text(&item, l->f->column, "$type", "string", err));
    ITEM(all, put_regex(&item, l->f->column, pattern.p == NULL ? "" : pattern.p, l->negated, err));
    sp_buf_free(&pattern);
    return ret;
}

/* Membership: {column: {$elemMatch: {$eq: v}}}, in an array; false in an array without it. */
static int member(const struct leaf *l, struct list *all, struct sp_error *err)
{
    struct sp_value v = *l->f->values;
    int ret = 0;
    if (l->c != NULL && l->c->type.tag == SP_ARRAY && !is_number(v.tag)) {
        const struct sp_type elem = { .tag = l->c->type.elem };
        ret = mo_fit(l->a, &elem, l->f->values, &v, err);
    }
    ITEM(all, put_text(&item, l->f->column, "$type", "array", err));
    if (ret == 0) {
        bson_t item, inner, not_, match;
        bool ok = begin_item(all, &item) && BSON_APPEND_DOCUMENT_BEGIN(&item, l->f->column, &inner);
        bson_t *to = &inner;
        if (ok && l->negated) {
            ok = BSON_APPEND_DOCUMENT_BEGIN(&inner, "$not", &not_);
            to = &not_;
        }
        ok = ok && BSON_APPEND_DOCUMENT_BEGIN(to, "$elemMatch", &match);
        ret = ok ? mo_value_put(&match, "$eq", NULL, &v, err) : full(err);
        ok = ok && bson_append_document_end(to, &match) &&
             (!l->negated || bson_append_document_end(&inner, &not_)) &&
             bson_append_document_end(&item, &inner) && bson_append_document_end(all->to, &item);
        if (ret == 0 && !ok)
            ret = full(err);
    }
    return ret;
}

static int contains(const struct leaf *l, struct list *all, struct sp_error *err)
{
    int ret = 0;
    if (sp_v_is_absent(l->f->values)) {
        ITEM(all, nothing(&item, err));
        return ret;
    }
    if (!dynamic(l))
        return l->c->type.tag == SP_ARRAY ? member(l, all, err) : text_match(l, all, err);
    if (l->f->values->tag != SP_TEXT)
        return member(l, all, err);
    /* A text may be part of a text, or member of an array. */
    bson_t outer, either, one, conditions;
    if (!begin_item(all, &outer) || !BSON_APPEND_ARRAY_BEGIN(&outer, "$or", &either))
        return full(err);
    struct list any = { &either, 0 };
    for (int i = 0; ret == 0 && i < 2; i++) {
        if (!begin_item(&any, &one) || !BSON_APPEND_ARRAY_BEGIN(&one, "$and", &conditions))
            return full(err);
        struct list both = { &conditions, 0 };
        ret = i == 0 ? text_match(l, &both, err) : member(l, &both, err);
        if (!bson_append_array_end(&one, &conditions) || !bson_append_document_end(&either, &one))
            return full(err);
    }
    return bson_append_array_end(&outer, &either) && bson_append_document_end(all->to, &outer) ? ret
                                                                                               : full(err);
}

/* ---- null, missing ---- */

static int is_null(const struct leaf *l, struct list *all, struct sp_error *err)
{
    const struct sp_value null = sp_v_null();
    int ret = 0;
    if (!may_be_array(l)) {
        ITEM(all, put_op(&item, l->f->column, l->negated ? "$ne" : "$eq", &null, err));
        return ret;
    }
    if (!l->negated) { /* to the server an array with a null in it equals null, too */
        ITEM(all, put_op(&item, l->f->column, "$eq", &null, err));
        ITEM(all, put_no_array(&item, l->f->column, err));
        return ret;
    }
    bson_t outer, either;
    if (!begin_item(all, &outer) || !BSON_APPEND_ARRAY_BEGIN(&outer, "$or", &either))
        return full(err);
    struct list any = { &either, 0 };
    ITEM(&any, put_op(&item, l->f->column, "$ne", &null, err));
    ITEM(&any, put_text(&item, l->f->column, "$type", "array", err));
    return bson_append_array_end(&outer, &either) && bson_append_document_end(all->to, &outer) ? ret
                                                                                               : full(err);
}

static int put_leaf(const struct leaf *l, struct list *all, struct sp_error *err)
{
    int ret = 0;
    switch (l->f->op) {
    case SP_F_IN:
        return in_list(l, all, err);
    case SP_F_CONTAINS:
        return contains(l, all, err);
    case SP_F_LIKE:
        if (!sp_v_is_absent(l->f->values))
            return text_match(l, all, err);
        ITEM(all, nothing(&item, err));
        return ret;
    case SP_F_IS_NULL:
        return is_null(l, all, err);
    case SP_F_IS_MISSING:
        ITEM(all, put_bool(&item, l->f->column, "$exists", l->negated, err));
        return ret;
    default:
        return compare(l, all, err);
    }
}

/* ---- the tree ---- */

struct tree {
    const struct mo_table *t;
    struct sp_arena *a;
};

static int put_parts(const struct tree *w, const struct sp_filter *f, bool negated, struct list *list,
    bool all, struct sp_error *err);

/* Appends what f asks, to a list whose conditions must all hold or, with !all, of which one must. Recursion is bounded:
 * sp_filter_check() limits the depth. */
static int put_filter(const struct tree *w, const struct sp_filter *f, bool negated, struct list *list,
    bool all, struct sp_error *err)
{
    bson_t item, parts, empty;
    for (; f->op == SP_F_NOT; f = f->args)
        negated = !negated;
    bool any = f->op == (negated ? SP_F_AND : SP_F_OR);
    if (any ? !all : all) /* needs no list of its own */
        return put_parts(w, f, negated, list, all, err);
    if (!begin_item(list, &item) || !BSON_APPEND_ARRAY_BEGIN(&item, any ? "$or" : "$and", &parts))
        return full(err);
    struct list to = { &parts, 0 };
    int ret = put_parts(w, f, negated, &to, !any, err);
    /* An empty list is refused; here it means that nothing is asked. */
    if (ret == 0 && to.n == 0 && !(begin_item(&to, &empty) && bson_append_document_end(&parts, &empty)))
        ret = full(err);
    bool ok = bson_append_array_end(&item, &parts) && bson_append_document_end(list->to, &item);
    return ret != 0 || ok ? ret : full(err);
}

static int put_parts(const struct tree *w, const struct sp_filter *f, bool negated, struct list *list,
    bool all, struct sp_error *err)
{
    int ret = 0;
    if (f->op == SP_F_AND || f->op == SP_F_OR) {
        for (size_t i = 0; ret == 0 && i < f->nargs; i++)
            ret = put_filter(w, &f->args[i], negated, list, all, err);
        return ret;
    }
    ret = mo_column_check(w->t, f->column, err);
    const struct leaf l = {
        .t = w->t, .f = f, .c = mo_table_column(w->t, f->column), .negated = negated, .a = w->a
    };
    return ret == 0 ? put_leaf(&l, list, err) : ret;
}

/* A single condition stands alone: that is what an index is sure to be used for. */
static int put_all(bson_t *out, const bson_t *parts, uint32_t n, struct sp_error *err)
{
    bson_iter_t it;
    bson_t only;
    const uint8_t *p;
    uint32_t len;
    if (n == 0)
        return 0;
    if (n > 1)
        return BSON_APPEND_ARRAY(out, "$and", parts) ? 0 : full(err);
    if (!bson_iter_init(&it, parts) || !bson_iter_next(&it))
        return full(err);
    bson_iter_document(&it, &len, &p);
    return bson_init_static(&only, p, len) && bson_concat(out, &only) ? 0 : full(err);
}

int mo_filter(const struct mo_table *t, const struct sp_filter *f, bson_t *out, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    bson_t parts = BSON_INITIALIZER;
    const struct tree w = { t, &a };
    struct list list = { &parts, 0 };
    int ret = f == NULL ? 0 : sp_filter_check(f, err);
    if (ret == 0 && f != NULL)
        ret = put_filter(&w, f, false, &list, true, err);
    if (ret == 0)
        ret = put_all(out, &parts, list.n, err);
    bson_destroy(&parts);
    sp_arena_free(&a);
    return ret;
}

static bool pins(const struct sp_filter *f, const char *column)
{
    if (f->op == SP_F_EQ)
        return strcmp(f->column, column) == 0;
    bool found = false;
    for (size_t i = 0; f->op == SP_F_AND && !found && i < f->nargs; i++)
        found = f->args[i].op == SP_F_EQ && strcmp(f->args[i].column, column) == 0;
    return found;
}

bool mo_filter_one(const struct mo_table *t, const struct sp_filter *f)
{
    if (f == NULL || t->t.npk == 0)
        return false;
    for (size_t i = 0; i < t->t.npk; i++)
        if (!pins(f, t->t.pk[i]))
            return false;
    return true;
}
