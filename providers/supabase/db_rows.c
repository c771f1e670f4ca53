/* db_rows.c -- an answer's rows as they arrive: JSON tokens become values of the columns' types. Numbers are read from their text;
 * nothing passes through a double that is none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/calendar.h"
#include "model/canonical.h"
#include "model/decimal.h"
#include "providers/supabase/internal.h"

static int corrupt(struct sd_rows *r, const char *what)
{
    const char *name = r->next < r->ncols ? r->cols[r->next]->name : "";
    return r->rc = sp_fail(&r->why, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the answer's %s%s%s",
               *name != '\0' ? "value of " : "rows ", name, what);
}

static bool is(const char *p, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(p, word, n) == 0;
}

static bool odd_float(const char *p, size_t n, double *out)
{
    if (is(p, n, "NaN"))
        *out = (double)NAN;
    else if (is(p, n, "Infinity"))
        *out = (double)INFINITY;
    else if (is(p, n, "-Infinity"))
        *out = -(double)INFINITY;
    else
        return false;
    return true;
}

/* -0 is a number of its own. The text is short and the locale is C. */
static bool real_number(const char *p, size_t n, bool single, double *out)
{
    char text[64], *end;
    if (n >= sizeof text)
        return false;
    memcpy(text, p, n);
    text[n] = '\0';
    *out = single ? (double)strtof(text, &end) : strtod(text, &end);
    return end == text + n;
}

static bool hex_bytes(struct sp_arena *a, const char *p, size_t n, struct sp_value *v)
{
    static const char digits[] = "0123456789abcdef";
    if (n < 2 || p[0] != '\\' || p[1] != 'x' || n % 2 != 0)
        return false;
    size_t len = (n - 2) / 2;
    uint8_t *b = sp_arena_alloc(a, len + 1);
    for (size_t i = 0; b != NULL && i < len; i++) {
        const char *hi = memchr(digits, p[2 + 2 * i], 16), *lo = memchr(digits, p[3 + 2 * i], 16);
        if (hi == NULL || lo == NULL)
            return false;
        b[i] = (uint8_t)((hi - digits) << 4 | (lo - digits));
    }
    *v = sp_v_bytes(b, len);
    return b != NULL;
}

static struct sp_value word(enum sp_tag tag, const char *p, size_t n)
{
    return sp_v_native(sp_pg_type_name(tag), p, n);
}

static bool moment(enum sp_tag tag, const char *p, size_t n, struct sp_value *v)
{
    struct sp_ts ts;
    int64_t i;
    bool zoned;
    if (is(p, n, "infinity") || is(p, n, "-infinity") || (tag == SP_TIME && is(p, n, "24:00:00"))) {
        *v = word(tag, p, n);
        return true;
    }
    bool bc = n > 3 && memcmp(p + n - 3, " BC", 3) == 0;
    if (tag == SP_DATE && !bc) {
        *v = sp_date_parse(p, n, &i) == 0 ? sp_v_date(i) : sp_v_null();
    } else if (tag == SP_TIME) {
        *v = sp_time_parse(p, n, &i) == 0 ? sp_v_time(i) : sp_v_null();
    } else if (!bc) {
        bool ok = sp_ts_parse(p, n, &ts, &zoned) == 0 && zoned == (tag == SP_INSTANT);
        *v = !ok ? sp_v_null() : zoned ? sp_v_instant(ts.sec, ts.nsec) : sp_v_local(ts.sec, ts.nsec);
    } else {
        return false;
    }
    return v->tag != SP_NULL;
}

/* "12345-06-07 ...": the calendar repeats itself every 400 years. */
static bool moment_far(struct sp_arena *a, enum sp_tag tag, const char *p, size_t n, struct sp_value *v)
{
    const int64_t cycle_days = 146097;
    size_t digits = strspn(p, "0123456789");
    char year[24];
    int64_t y;
    if (digits < 5 || digits > 6 || digits >= n || tag == SP_TIME)
        return false;
    memcpy(year, p, digits);
    year[digits] = '\0';
    if (!sp_parse_i64(year, &y))
        return false;
    int64_t cycles = (y - 2000) / 400;
    char *text =
        sp_arena_printf(a, "%04lld%.*s", (long long)(y - cycles * 400), (int)(n - digits), p + digits);
    if (text == NULL || !moment(tag, text, strlen(text), v))
        return false;
    if (v->tag == SP_DATE)
        v->u.days += cycles * cycle_days;
    else if (v->tag == SP_INSTANT || v->tag == SP_LOCAL)
        v->u.ts.sec += cycles * cycle_days * 86400;
    return true;
}

/* Before the common era: "0044-03-15T10:00:00+00:00 BC", year 1 BC is 0. */
static bool moment_bc(struct sp_arena *a, enum sp_tag tag, const char *p, size_t n, struct sp_value *v)
{
    size_t digits = strspn(p, "0123456789");
    char year[24];
    int64_t y;
    if (n < 8 || digits >= sizeof year || digits + 3 > n || memcmp(p + n - 3, " BC", 3) != 0)
        return false;
    memcpy(year, p, digits);
    year[digits] = '\0';
    if (!sp_parse_i64(year, &y) || y < 1)
        return false;
    char *text = sp_arena_printf(
        a, "%s%04lld%.*s", y > 1 ? "-" : "", (long long)(y - 1), (int)(n - 3 - digits), p + digits);
    return text != NULL && moment(tag, text, strlen(text), v);
}

/* A token that is no null. false = it is no value of this type. */
static bool scalar(struct sp_arena *a, const struct sd_column *c, enum sp_tag tag, enum sp_json_token t,
    const char *p, size_t n, struct sp_value *v)
{
    char text[24];
    double f = 0;
    bool string = t == SP_JT_STRING, num = t == SP_JT_NUMBER;
    switch (tag) {
    case SP_BOOL:
        *v = sp_v_bool(t == SP_JT_TRUE);
        return t == SP_JT_TRUE || t == SP_JT_FALSE;
    case SP_INT:
        if (!num || n >= sizeof text)
            return false;
        memcpy(text, p, n);
        text[n] = '\0';
        v->tag = SP_INT;
        return sp_parse_i64(text, &v->u.i);
    case SP_DEC:
        if (string && odd_float(p, n, &f)) {
            *v = word(SP_DEC, p, n);
            return true;
        }
        v->tag = SP_DEC;
        return num && sp_dec_parse(a, p, n, &v->u.dec) == 0;
    case SP_F32:
    case SP_F64:
        if (!(string ? odd_float(p, n, &f) : num && real_number(p, n, tag == SP_F32, &f)))
            return false;
        *v = tag == SP_F32 ? sp_v_f32((float)f) : sp_v_f64(f);
        return true;
    case SP_TEXT:
        *v = sp_v_textn(p, n);
        return string;
    case SP_JSON:
        *v = sp_v_jsonn(p, n);
        return string;
    case SP_BYTES:
        return string && hex_bytes(a, p, n, v);
    case SP_UUID:
        v->tag = SP_UUID;
        return string && sp_uuid_parse(p, n, v->u.uuid) == 0;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_DATE:
    case SP_TIME:
        return string && (moment(tag, p, n, v) || moment_bc(a, tag, p, n, v) || moment_far(a, tag, p, n, v));
    default:
        *v = sp_v_native(c->native != NULL ? c->native : "unknown", p, n);
        return string;
    }
}

/* --- arrays ------------------------------------------------------------------------------------------------------ */

static int add(struct sd_rows *r, const struct sp_value *v)
{
    struct sd_list *l = &r->lists[r->depth - 1];
    struct sp_value *grown = sp_arena_grow(&r->scratch, l->v, &l->cap, l->n + 1, sizeof *grown);
    if (grown == NULL)
        return r->rc = sp_nomem(&r->why);
    l->v = grown;
    l->nested = l->nested || v->tag == SP_ARRAY;
    return sp_value_copy(&r->scratch, &l->v[l->n++], v) != 0 ? (r->rc = sp_nomem(&r->why)) : 0;
}

static int give(struct sd_rows *r, const struct sp_value *v)
{
    int rc = r->cell(r->payload, r->next, v);
    r->named = false;
    r->next++;
    return rc != 0 ? (r->rc = rc) : 0;
}

static int close_array(struct sd_rows *r)
{
    const struct sd_column *c = r->cols[r->next];
    struct sd_list *l = &r->lists[--r->depth];
    enum sp_tag elem = c->type.tag == SP_VECTOR ? SP_F32 : c->type.elem;
    struct sp_value v = sp_v_array(l->nested ? SP_ARRAY : elem, l->v, l->n), vector;
    if (r->depth > 0)
        return add(r, &v);
    if (c->type.tag == SP_VECTOR) {
        if (sp_coerce(&r->scratch, &(struct sp_type){ .tag = SP_VECTOR }, &v, &vector) != 0)
            return corrupt(r, " is no vector");
        v = vector;
    }
    return give(r, &v);
}

/* Inside a row. */
static int value(struct sd_rows *r, enum sp_json_token t, const char *p, size_t n)
{
    struct sp_value v = sp_v_null();
    if (r->next >= r->ncols)
        return corrupt(r, " have more columns than were asked for");
    const struct sd_column *c = r->cols[r->next];
    bool list = (c->type.tag == SP_ARRAY || c->type.tag == SP_VECTOR) && !c->as_text;
    if (t == SP_JT_ARRAY) {
        if (!list || r->depth == SP_PG_DIMS)
            return corrupt(r, " is an array");
        r->lists[r->depth++] = (struct sd_list){ NULL, 0, 0, false };
        return 0;
    }
    if (t == SP_JT_ARRAY_END)
        return close_array(r);
    if (t == SP_JT_OBJECT || t == SP_JT_OBJECT_END || (list && r->depth == 0 && t != SP_JT_NULL))
        return corrupt(r, " is of another kind");
    enum sp_tag tag = !list ? c->type.tag : c->type.tag == SP_VECTOR ? SP_F32 : c->type.elem;
    if (!list && c->as_text && tag == SP_ARRAY)
        tag = SP_NATIVE;
    if (t != SP_JT_NULL && !scalar(&r->scratch, c, tag, t, p, n, &v))
        return corrupt(r, " is no value of its type");
    return r->depth > 0 ? add(r, &v) : give(r, &v);
}

/* Columns have numbers for names: c0, c1 ... */
static bool due(const struct sd_rows *r, const char *p, size_t n)
{
    size_t k = 0;
    if (n < 2 || n > 8 || p[0] != 'c')
        return false;
    for (size_t i = 1; i < n; i++)
        k = k * 10 + (size_t)(p[i] - '0');
    return k == r->next;
}

static int token(void *payload, enum sp_json_token t, size_t depth, const char *p, size_t n)
{
    struct sd_rows *r = payload;
    if (depth == 0)
        return t == SP_JT_ARRAY || t == SP_JT_ARRAY_END ? 0 : corrupt(r, "are no list");
    if (depth == 1 && t == SP_JT_OBJECT) {
        r->next = 0;
        return 0;
    }
    if (depth == 1 && t == SP_JT_OBJECT_END) {
        if (r->next != r->ncols)
            return corrupt(r, " is missing");
        r->count++;
        int rc = r->end(r->payload);
        sp_arena_reset(&r->scratch);
        return rc != 0 ? (r->rc = rc) : 0;
    }
    if (depth == 1)
        return corrupt(r, "are no objects");
    if (t == SP_JT_NAME && depth == 2) {
        r->named = due(r, p, n);
        return r->named ? 0 : corrupt(r, " is not where it should be");
    }
    return value(r, t, p, n);
}

int sd_rows_begin(struct sd_rows *r, struct sp_error *err)
{
    r->reader = sp_json_reader_new(token, r);
    return r->reader == NULL ? sp_nomem(err) : 0;
}

int sd_rows_push(void *rows, const void *p, size_t n)
{
    struct sd_rows *r = rows;
    int ret = sp_json_push(r->reader, p, n, r->rc == 0 && r->why.code == SP_E_OK ? &r->why : NULL);
    if (ret != 0 && r->rc == 0)
        r->rc = ret;
    return ret;
}

int sd_rows_finish(struct sd_rows *r, struct sp_error *err)
{
    int ret = r->rc != 0 ? r->rc : sp_json_finish(r->reader, &r->why);
    r->rc = ret;
    return ret == 0 ? 0 : sd_rows_error(r, ret, err);
}

int sd_rows_error(struct sd_rows *r, int ret, struct sp_error *err)
{
    if (r->rc == 0)
        return ret;
    if (r->why.code == SP_E_INVALID) /* no JSON: a proxy's page, or bytes that broke on the way */
        return sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_BACKEND, "the answer is not what PostgREST gives: %s",
            sp_error_text(&r->why));
    if (r->why.code != SP_E_OK && err != NULL) {
        sp_error_clear(err);
        sp_error_move(err, &r->why);
    }
    return r->rc;
}

void sd_rows_free(struct sd_rows *r)
{
    sp_json_reader_free(r->reader);
    sp_arena_free(&r->scratch);
    sp_error_clear(&r->why);
}
