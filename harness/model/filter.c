/* filter.c -- what filters and orderings mean, for every backend: the reference that others are held to. */
#include <math.h>
#include <string.h>

#include "model/decimal.h"
#include "model/query.h"

#define TRUE_      1
#define FALSE_     0
#define UNKNOWN    (-1)
#define UNRELATED  (-2)
#define IS_NUMBER  ((1u << SP_INT) | (1u << SP_DEC) | (1u << SP_F32) | (1u << SP_F64))
#define FLOAT_TAGS ((1u << SP_F32) | (1u << SP_F64))

static bool among(enum sp_tag tag, unsigned set)
{
    return (set >> tag & 1u) != 0;
}

static int three_way(bool less, bool greater)
{
    return less ? -1 : (greater ? 1 : 0);
}

static int order_octets(const void *a, size_t an, const void *b, size_t bn)
{
    size_t n = an < bn ? an : bn;
    int c = n != 0 ? memcmp(a, b, n) : 0;
    return c != 0 ? three_way(c < 0, true) : three_way(an<bn, an> bn);
}

/* --- numbers --------------------------------------------------------------------------------------------------- */

static double float_of(const struct sp_value *v)
{
    return v->tag == SP_F32 ? (double)v->u.f32 : v->u.f64;
}

/* 1 after all finite numbers (+inf), 2 NaN, -1 before all (-inf), 0 finite. */
static int extreme(const struct sp_value *v)
{
    if (!among(v->tag, FLOAT_TAGS))
        return 0;
    double f = float_of(v);
    if (isnan(f))
        return 2;
    return isinf(f) ? (f < 0 ? -1 : 1) : 0;
}

/* A finite number as an exact decimal, without rounding. */
static bool exact(struct sp_arena *a, char digits[20], const struct sp_value *v, struct sp_dec *out)
{
    if (v->tag == SP_INT)
        return sp_dec_from_i64(digits, v->u.i, out);
    if (v->tag == SP_DEC) {
        *out = v->u.dec;
        return true;
    }
    return sp_dec_from_f64_exact(a, float_of(v), out) == 0;
}

static int order_numbers(const struct sp_value *a, const struct sp_value *b)
{
    int ea = extreme(a), eb = extreme(b);
    if (ea != 0 || eb != 0)
        return three_way(ea<eb, ea> eb);
    if (a->tag == SP_INT && b->tag == SP_INT)
        return three_way(a->u.i<b->u.i, a->u.i> b->u.i);
    if (among(a->tag, FLOAT_TAGS) && among(b->tag, FLOAT_TAGS))
        return three_way(float_of(a) < float_of(b), float_of(a) > float_of(b));
    struct sp_arena arena = SP_ARENA_INIT;
    char abuf[20], bbuf[20];
    struct sp_dec da, db;
    int rc = exact(&arena, abuf, a, &da) && exact(&arena, bbuf, b, &db) ? sp_dec_cmp(&da, &db) : UNRELATED;
    sp_arena_free(&arena);
    return rc;
}

int sp_value_order(const struct sp_value *a, const struct sp_value *b)
{
    if (among(a->tag, IS_NUMBER) && among(b->tag, IS_NUMBER))
        return order_numbers(a, b);
    if (a->tag != b->tag)
        return UNRELATED;
    switch (a->tag) {
    case SP_BOOL:
        return three_way(a->u.b<b->u.b, a->u.b> b->u.b);
    case SP_TEXT:
    case SP_BYTES:
    case SP_REF:
        return order_octets(a->u.str.p, a->u.str.n, b->u.str.p, b->u.str.n);
    case SP_UUID:
        return order_octets(a->u.uuid, 16, b->u.uuid, 16);
    case SP_INSTANT:
    case SP_LOCAL:
        if (a->u.ts.sec != b->u.ts.sec)
            return three_way(a->u.ts.sec < b->u.ts.sec, true);
        return three_way(a->u.ts.nsec<b->u.ts.nsec, a->u.ts.nsec> b->u.ts.nsec);
    case SP_DATE:
        return three_way(a->u.days<b->u.days, a->u.days> b->u.days);
    case SP_TIME:
        return three_way(a->u.time_ns<b->u.time_ns, a->u.time_ns> b->u.time_ns);
    default:
        return UNRELATED;
    }
}

/* --- leaves ------------------------------------------------------------------------------------------------------ */

/* Equality also of what has no order: json, arrays, vectors, native values. */
static int equal(const struct sp_value *a, const struct sp_value *b)
{
    if (sp_v_is_absent(a) || sp_v_is_absent(b))
        return UNKNOWN;
    int c = sp_value_order(a, b);
    if (c != UNRELATED)
        return c == 0;
    return a->tag == b->tag ? sp_value_equal(a, b) : UNRELATED;
}

static int compare(enum sp_filter_op op, const struct sp_value *a, const struct sp_value *b)
{
    if (op == SP_F_EQ)
        return equal(a, b);
    if (op == SP_F_NEQ) {
        int e = equal(a, b);
        return e < 0 ? e : !e;
    }
    if (sp_v_is_absent(a) || sp_v_is_absent(b))
        return UNKNOWN;
    int c = sp_value_order(a, b);
    if (c == UNRELATED)
        return UNRELATED;
    switch (op) {
    case SP_F_GT:
        return c > 0;
    case SP_F_GTE:
        return c >= 0;
    case SP_F_LT:
        return c < 0;
    default:
        return c <= 0;
    }
}

/* One match decides; else an unrelated pair, else a null among them. */
static int any_equal(const struct sp_value *x, const struct sp_value *list, size_t n)
{
    int result = FALSE_;
    for (size_t i = 0; i < n; i++) {
        int e = equal(x, &list[i]);
        if (e == TRUE_)
            return TRUE_;
        if (e < result)
            result = e;
    }
    return result;
}

static int contains(const struct sp_value *a, const struct sp_value *b)
{
    if (sp_v_is_absent(a) || sp_v_is_absent(b))
        return UNKNOWN;
    if (a->tag == SP_ARRAY) {
        int e = any_equal(b, a->u.array.v, a->u.array.n);
        if (e == UNRELATED && a->u.array.elem == SP_MISSING)
            return FALSE_;                /* mixed elements: another type is another value */
        return e == UNKNOWN ? FALSE_ : e; /* a null element is no member */
    }
    if (a->tag != SP_TEXT || b->tag != SP_TEXT)
        return UNRELATED;
    if (b->u.str.n == 0)
        return TRUE_;
    return a->u.str.n != 0 && memmem(a->u.str.p, a->u.str.n, b->u.str.p, b->u.str.n) != NULL;
}

static size_t char_len(const char *p, size_t n)
{
    size_t k = 1;
    while (k < n && ((uint8_t)p[k] & 0xc0) == 0x80)
        k++;
    return k;
}

/* Steps over one element of the pattern if it matches at s; 0 if it does not. `%` is not handled here. */
static size_t match_one(const char *pat, size_t np, const char *s, size_t ns, size_t *step)
{
    if (ns == 0)
        return 0;
    if (pat[0] == '_') {
        *step = 1;
        return char_len(s, ns);
    }
    size_t skip = pat[0] == '\\' && np > 1 ? 1 : 0;
    *step = skip + 1;
    return pat[skip] == s[0] ? 1 : 0;
}

/* Only the last % needs to be tried again: the time is at most the product of both lengths, and no recursion. */
static int like(const struct sp_value *a, const struct sp_value *b)
{
    if (sp_v_is_absent(a) || sp_v_is_absent(b))
        return UNKNOWN;
    if (a->tag != SP_TEXT || b->tag != SP_TEXT)
        return UNRELATED;
    const char *s = a->u.str.p, *pat = b->u.str.p;
    size_t n = a->u.str.n, np = b->u.str.n, i = 0, j = 0, star_j = SIZE_MAX, star_i = 0;
    while (i < n || j < np) {
        if (j < np && pat[j] == '%') {
            star_j = ++j;
            star_i = i;
            continue;
        }
        size_t step = 0, took = j < np ? match_one(pat + j, np - j, s + i, n - i, &step) : 0;
        if (took != 0) {
            i += took;
            j += step;
            continue;
        }
        if (star_j == SIZE_MAX || star_i >= n)
            return FALSE_;
        star_i += char_len(s + star_i, n - star_i);
        i = star_i;
        j = star_j;
    }
    return TRUE_;
}

static int eval_leaf(const struct sp_filter *f, const struct sp_value *v)
{
    switch (f->op) {
    case SP_F_IS_NULL:
        return sp_v_is_absent(v);
    case SP_F_IS_MISSING:
        return v->tag == SP_MISSING;
    case SP_F_IN:
        return any_equal(v, f->values, f->nvalues);
    case SP_F_CONTAINS:
        return contains(v, f->values);
    case SP_F_LIKE:
        return like(v, f->values);
    default:
        return compare(f->op, v, f->values);
    }
}

/* --- the tree ------------------------------------------------------------------------------------------------------ */

typedef const struct sp_value *(*getter)(void *row, const char *column);

/* `and` is the least of its arguments in the order false, unknown, true; `or` the greatest. A comparison that makes no
 * sense spoils the whole filter, wherever it stands, as a type error does in SQL. */
static int eval(const struct sp_filter *f, getter get, void *row, int depth)
{
    static const int rank_of[] = { 1 /* unknown */, 0 /* false */, 2 /* true */ };
    static const int truth_of[] = { FALSE_, UNKNOWN, TRUE_ };
    static const struct sp_value missing = { .tag = SP_MISSING };
    if (depth > SP_FILTER_DEPTH)
        return UNRELATED;
    if (f->op != SP_F_AND && f->op != SP_F_OR && f->op != SP_F_NOT) {
        const struct sp_value *v = get(row, f->column);
        return eval_leaf(f, v != NULL ? v : &missing);
    }
    int best = f->op == SP_F_AND ? 2 : 0;
    for (size_t i = 0; i < f->nargs; i++) {
        int t = eval(&f->args[i], get, row, depth + 1);
        if (t == UNRELATED)
            return UNRELATED;
        int rank = rank_of[t + 1];
        if (f->op == SP_F_NOT)
            return truth_of[2 - rank];
        if (f->op == SP_F_AND ? rank < best : rank > best)
            best = rank;
    }
    return truth_of[best];
}

int sp_filter_eval(const struct sp_filter *f, getter get, void *row)
{
    return eval(f, get, row, 1);
}
