/* constraints.c -- what a value and a row must be: literals of defaults and checks, types, not null, check, unique.
 *
 * Checks have the form `column op literal`, where op is = <> != < <= > >= and names may stand in double quotes;
 * defaults are literals. Anything else is UNSUPPORTED, never ignored. */
#include "internal.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "model/decimal.h"
#include "model/json.h"

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* A text between `q`, doubled inside; *p moves behind it. NULL when it isn't closed, or out of memory. */
static char *quoted(struct sp_arena *a, const char **p, char q, size_t *n)
{
    const char *s = *p + 1;
    char *out = sp_arena_alloc(a, strlen(s) + 1);
    *n = 0;
    for (; out != NULL && *s != '\0'; s++) {
        if (*s == q && s[1] == q)
            s++;
        else if (*s == q) {
            *p = s + 1;
            return out;
        }
        out[(*n)++] = *s;
    }
    return NULL;
}

static int number(struct sp_arena *a, const char *p, size_t n, struct sp_value *out)
{
    struct sp_dec d;
    int64_t i;
    int rc = sp_dec_parse(a, p, n, &d);
    if (rc != 0)
        return rc == -SP_E_NOMEM ? rc : 1;
    if (memchr(p, '.', n) == NULL && sp_dec_to_i64(&d, &i))
        *out = sp_v_int(i);
    else
        *out = sp_v_dec(d);
    return 0;
}

int mock_literal(struct sp_arena *a, const char *text, struct sp_value *out)
{
    const char *p = skip_blanks(text);
    size_t n = strlen(p);
    while (n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL)
        n--;
    if (n == 4 && strncasecmp(p, "null", 4) == 0)
        *out = sp_v_null();
    else if (n == 4 && strncasecmp(p, "true", 4) == 0)
        *out = sp_v_bool(true);
    else if (n == 5 && strncasecmp(p, "false", 5) == 0)
        *out = sp_v_bool(false);
    else if (n > 0 && *p == '\'') {
        const char *end = p;
        size_t len;
        char *s = quoted(a, &end, '\'', &len);
        if (s == NULL || end != p + n)
            return 1;
        *out = sp_v_textn(s, len);
    } else {
        return number(a, p, n, out);
    }
    return 0;
}

static bool is_number(enum sp_tag tag)
{
    return tag == SP_INT || tag == SP_DEC || tag == SP_F32 || tag == SP_F64;
}

/* A literal in the column's own type, with the same meaning. 0, 1 = cannot, error. */
static int literal_for(struct sp_arena *a, const struct sp_column *c, struct sp_value *v)
{
    struct sp_value in = *v;
    if (c->type.tag == SP_MISSING || v->tag == c->type.tag || v->tag == SP_NULL)
        return 0;
    if ((v->tag == SP_BOOL) != (c->type.tag == SP_BOOL) && !is_number(v->tag))
        return v->tag == SP_TEXT ? sp_coerce(a, &c->type, &in, v) : 1;
    return sp_coerce(a, &c->type, &in, v);
}

int mock_default_make(struct mock_table *t, size_t column, struct sp_error *err)
{
    const struct sp_column *c = &t->def.columns[column];
    struct sp_value v;
    t->defaults[column] = sp_v_missing();
    if (c->default_expr == NULL)
        return 0;
    int rc = mock_literal(&t->arena, c->default_expr, &v);
    if (rc == 1)
        return mock_fail(err, SP_E_UNSUPPORTED, "the default of column \"%s\" is no literal: %s", c->name,
            c->default_expr);
    if (rc == 0)
        rc = literal_for(&t->arena, c, &v);
    if (rc == 1)
        return mock_fail(err, SP_E_INVALID, "the default of column \"%s\" is of another type: %s", c->name,
            c->default_expr);
    if (rc == 0 && v.tag != SP_NULL)
        rc = mock_conform(&t->arena, c, &v, &v, err);
    else if (rc != 0)
        return sp_nomem(err);
    t->defaults[column] = v;
    return rc;
}

static bool parse_op(const char **p, enum sp_filter_op *op)
{
    static const struct {
        const char *text;
        enum sp_filter_op op;
    } ops[] = { { "<>", SP_F_NEQ }, { "!=", SP_F_NEQ }, { "<=", SP_F_LTE }, { ">=", SP_F_GTE },
        { "=", SP_F_EQ }, { "<", SP_F_LT }, { ">", SP_F_GT } };
    for (size_t i = 0; i < SP_LEN(ops); i++) {
        if (sp_str_prefix(*p, ops[i].text)) {
            *p += strlen(ops[i].text);
            *op = ops[i].op;
            return true;
        }
    }
    return false;
}

static const char *parse_name(struct sp_arena *a, const char **p)
{
    size_t n;
    if (**p == '"')
        return quoted(a, p, '"', &n);
    n = strspn(*p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    const char *name = n == 0 || (**p >= '0' && **p <= '9') ? NULL : sp_arena_strn(a, *p, n);
    *p += n;
    return name;
}

int mock_check_parse(
    struct mock_table *t, const struct sp_check *def, struct mock_check *out, struct sp_error *err)
{
    struct sp_arena *a = &t->arena;
    const char *p = skip_blanks(def->expr);
    enum sp_filter_op op = SP_F_EQ;
    struct sp_value *v = sp_arena_array(a, 1, sizeof *v);
    if (v == NULL)
        return sp_nomem(err);
    size_t n = strlen(p);
    if (*p == '(' && p[n - 1] == ')') {
        p = sp_arena_strn(a, p + 1, n - 2);
        if (p == NULL)
            return sp_nomem(err);
        p = skip_blanks(p);
    }
    const char *name = parse_name(a, &p);
    p = skip_blanks(p);
    if (name == NULL || !parse_op(&p, &op) || mock_literal(a, p, v) != 0)
        return mock_fail(
            err, SP_E_UNSUPPORTED, "the check \"%s\" is not of the form: column operator literal", def->expr);
    const struct sp_column *c = sp_table_column(&t->def, name);
    if (c == NULL)
        return mock_fail(
            err, SP_E_INVALID, "the check \"%s\" names no column of table \"%s\"", def->expr, t->def.name);
    if (!(is_number(v->tag) && is_number(c->type.tag)) && literal_for(a, c, v) != 0)
        return mock_fail(err, SP_E_INVALID, "the check \"%s\" compares column \"%s\" with another type",
            def->expr, c->name);
    *out = (struct mock_check){ .name = sp_arena_str(a, def->name),
        .expr = sp_arena_str(a, def->expr),
        .filter = { .op = op, .column = c->name, .values = v, .nvalues = 1 } };
    return out->expr == NULL ? sp_nomem(err) : 0;
}

/* ---- types -------------------------------------------------------------------------------------------------- */

static size_t characters(const char *p, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((uint8_t)p[i] & 0xc0) != 0x80;
    return count;
}

static int text_fits(const struct sp_column *c, const struct sp_value *v, struct sp_error *err)
{
    if (v->u.str.n > (size_t)MOCK_VALUE_BYTES)
        return mock_fail(
            err, SP_E_TOO_LARGE, "%zu bytes for column \"%s\" are too many", v->u.str.n, c->name);
    if (v->tag != SP_BYTES && !sp_utf8_valid(v->u.str.p, v->u.str.n))
        return mock_fail(err, SP_E_INVALID, "the text for column \"%s\" is not valid UTF-8", c->name);
    if (v->tag == SP_JSON) {
        struct sp_error why = SP_ERROR_INIT;
        int rc = sp_json_check(v->u.str.p, v->u.str.n, &why);
        if (rc != 0)
            rc = mock_fail(err, SP_E_INVALID, "the JSON for column \"%s\": %s", c->name, sp_error_text(&why));
        sp_error_clear(&why);
        return rc;
    }
    size_t n = v->tag == SP_BYTES ? v->u.str.n : characters(v->u.str.p, v->u.str.n);
    if (c->type.tag == v->tag && c->type.length != 0 && n > c->type.length)
        return mock_fail(err, SP_E_RANGE, "column \"%s\" holds %u, not %zu", c->name, c->type.length, n);
    return 0;
}

static int int_fits(const struct sp_column *c, int64_t i, struct sp_error *err)
{
    unsigned bits = c->type.tag == SP_INT && c->type.int_bits != 0 ? c->type.int_bits : 64;
    int64_t max = bits >= 64 ? INT64_MAX : (INT64_C(1) << (bits - 1)) - 1;
    if (i > max || i < -max - 1)
        return mock_fail(
            err, SP_E_RANGE, "%lld does not fit the %u bits of column \"%s\"", (long long)i, bits, c->name);
    return 0;
}

static int dec_fits(const struct sp_column *c, const struct sp_dec *d, struct sp_error *err)
{
    if (c->type.tag != SP_DEC || c->type.precision == 0 || d->ndigits == 0)
        return 0;
    int64_t whole = (int64_t)d->ndigits + d->exp;
    if (-(int64_t)d->exp > c->type.scale || whole > (int64_t)c->type.precision - c->type.scale)
        return mock_fail(err, SP_E_RANGE, "a decimal does not fit column \"%s\", decimal(%u,%d), exactly",
            c->name, c->type.precision, c->type.scale);
    return 0;
}

static int fraction_fits(const struct sp_column *c, uint64_t nsec, struct sp_error *err)
{
    uint32_t keep = c->type.precision == 0 || c->type.precision > 10 ? 9 : c->type.precision - 1;
    uint64_t unit = 1;
    for (uint32_t i = keep; i < 9; i++)
        unit *= 10;
    if (nsec % unit != 0)
        return mock_fail(
            err, SP_E_RANGE, "column \"%s\" keeps %u digits below the second, not more", c->name, keep);
    return 0;
}

/* What every value of a tag must be, and the limits of the column's type. */
static int value_fits(const struct sp_column *c, const struct sp_value *v, struct sp_error *err)
{
    switch (v->tag) {
    case SP_TEXT:
    case SP_BYTES:
    case SP_JSON:
    case SP_REF:
        return text_fits(c, v, err);
    case SP_INT:
        return int_fits(c, v->u.i, err);
    case SP_DEC:
        return dec_fits(c, &v->u.dec, err);
    case SP_INSTANT:
    case SP_LOCAL:
        if (v->u.ts.nsec > 999999999)
            return mock_fail(err, SP_E_RANGE, "column \"%s\": more nanoseconds than a second has", c->name);
        return c->type.tag == v->tag ? fraction_fits(c, v->u.ts.nsec, err) : 0;
    case SP_TIME:
        if (v->u.time_ns < 0 || v->u.time_ns >= INT64_C(86400000000000))
            return mock_fail(err, SP_E_RANGE, "column \"%s\": no time of day", c->name);
        return c->type.tag == v->tag ? fraction_fits(c, (uint64_t)v->u.time_ns % 1000000000, err) : 0;
    case SP_VECTOR:
        if (c->type.tag == SP_VECTOR && c->type.length != 0 && v->u.vector.n != c->type.length)
            return mock_fail(err, SP_E_RANGE, "column \"%s\" has %u dimensions, not %zu", c->name,
                c->type.length, v->u.vector.n);
        return v->u.vector.n > (1u << 28) ? mock_fail(err, SP_E_TOO_LARGE, "a vector is too long") : 0;
    case SP_NATIVE:
        return v->u.native.n > (size_t)MOCK_VALUE_BYTES
                   ? mock_fail(err, SP_E_TOO_LARGE, "a value is too long")
                   : 0;
    default:
        return 0;
    }
}

static int array_fits(const struct sp_column *c, const struct sp_value *v, struct sp_error *err)
{
    enum sp_tag elem = c->type.tag == SP_ARRAY && c->type.elem != SP_MISSING ? c->type.elem : v->u.array.elem;
    struct sp_column each = { .name = c->name, .type = { .tag = elem } };
    if (elem == SP_ARRAY || v->u.array.n > (1u << 24))
        return mock_fail(
            err, SP_E_INVALID, "column \"%s\": arrays hold scalars, at most 2^24 of them", c->name);
    for (size_t i = 0; i < v->u.array.n; i++) {
        const struct sp_value *e = &v->u.array.v[i];
        if (e->tag != SP_NULL && (e->tag != elem || elem == SP_MISSING))
            return mock_fail(err, SP_E_INVALID, "column \"%s\": element %zu of the array is %s, not %s",
                c->name, i + 1, sp_tag_name(e->tag), sp_tag_name(elem));
        int rc = value_fits(&each, e, err);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* Numbers widen where nothing is lost; nothing else changes its type. */
static bool widens(enum sp_tag from, enum sp_tag to)
{
    return (from == SP_INT && (to == SP_DEC || to == SP_F64 || to == SP_F32)) ||
           (from == SP_F32 && to == SP_F64);
}

int mock_conform(struct sp_arena *a, const struct sp_column *c, const struct sp_value *in,
    struct sp_value *out, struct sp_error *err)
{
    struct sp_value v = *in;
    if (c->type.tag != SP_MISSING && v.tag != c->type.tag) {
        int rc = widens(v.tag, c->type.tag) ? sp_coerce(a, &c->type, in, &v) : 1;
        if (rc == -SP_E_NOMEM)
            return sp_nomem(err);
        if (rc != 0)
            return mock_fail(err, SP_E_INVALID,
                "column \"%s\" is %s; a value of type %s does not fit exactly", c->name,
                sp_tag_name(c->type.tag), sp_tag_name(in->tag));
    }
    *out = v;
    return v.tag == SP_ARRAY ? array_fits(c, &v, err) : value_fits(c, &v, err);
}

/* ---- rows --------------------------------------------------------------------------------------------------- */

int mock_row_check(const struct mock_table *t, const struct sp_value *values, struct sp_error *err)
{
    for (size_t i = 0; i < t->def.ncolumns; i++) {
        if (t->required[i] && sp_v_is_absent(&values[i]))
            return mock_fail(err, SP_E_NOT_NULL, "column \"%s\" of table \"%s\" must have a value",
                t->def.columns[i].name, t->def.name);
    }
    return 0;
}

int mock_checks_hold(const struct mock_table *t, const struct mock_check *c, const struct mock_version *v,
    struct sp_error *err)
{
    for (; c != NULL; c = c->next) {
        /* Unknown holds: a check refuses only what is false. */
        struct sp_filter not_it = { .op = SP_F_NOT, .args = &c->filter, .nargs = 1 };
        int broken = mock_filter_true(t, v, &not_it, err);
        if (broken < 0)
            return broken;
        if (broken == 1)
            return mock_fail(
                err, SP_E_CHECK, "table \"%s\": the check \"%s\" does not hold", t->def.name, c->expr);
    }
    return 0;
}

int mock_unique_check(struct mock_txn *x, struct mock_table *t, const struct mock_index *ix,
    const struct mock_version *self, struct sp_error *err)
{
    struct sp_d128 key;
    int rc = mock_key(t->store, ix->cols, ix->ncols, ix->nulls_equal, self->values, &key);
    if (rc != 0)
        return rc == 1 ? 0 : sp_nomem(err);
    for (struct mock_entry *e = mock_index_first(ix, key); e != NULL; e = mock_entry_next(e)) {
        if (e->v == self)
            continue;
        enum mock_seen seen = mock_latest(e->v, x);
        if (seen == MOCK_BUSY)
            return mock_conflict(x, err, "another transaction is writing the same key");
        if (seen == MOCK_LIVE)
            return mock_fail(err, SP_E_UNIQUE, "table \"%s\" has a row with the same key already (%s%s)",
                t->def.name, ix->name == NULL ? "first column: " : "",
                ix->name == NULL ? t->def.columns[ix->cols[0]].name : ix->name);
    }
    return 0;
}
