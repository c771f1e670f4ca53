/* bind.c -- logical values into statement parameters. What the column is decides the spelling: a number meets a decimal
 * column as text, points in time have nine fraction digits so that their texts sort like the times. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/calendar.h"
#include "model/decimal.h"
#include "model/json.h"
#include "providers/sqlite/internal.h"

static int bind_buf(sqlite3_stmt *st, int index, struct sp_buf *b, int ret, struct sp_error *err)
{
    if (ret == 0 && b->oom)
        ret = sp_nomem(err);
    if (ret == 0) {
        int rc =
            sqlite3_bind_text64(st, index, b->p == NULL ? "" : b->p, b->n, SQLITE_TRANSIENT, SQLITE_UTF8);
        if (rc != SQLITE_OK)
            ret = sq_error_code(rc, "value", "cannot bind", err);
    }
    sp_buf_free(b);
    return ret;
}

static int bind_text(sqlite3_stmt *st, int index, const char *p, size_t n, struct sp_error *err)
{
    int rc = sqlite3_bind_text64(st, index, n == 0 ? "" : p, n, SQLITE_STATIC, SQLITE_UTF8);
    return rc == SQLITE_OK ? 0 : sq_error_code(rc, "value", "cannot bind", err);
}

static int bind_dec(sqlite3_stmt *st, int index, const struct sp_dec *d, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int ret = sp_dec_print(&b, d);
    return bind_buf(st, index, &b, ret, err);
}

static int bind_double(sqlite3_stmt *st, int index, double f, struct sp_error *err)
{
    if (isnan(f))
        return sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND,
            "SQLite cannot hold NaN (it would become NULL); leave it out or map it");
    int rc = sqlite3_bind_double(st, index, f);
    return rc == SQLITE_OK ? 0 : sq_error_code(rc, "value", "cannot bind", err);
}

static void put_time(struct sp_buf *b, int hour, int minute, int second, uint32_t nsec)
{
    sp_buf_printf(b, "%02d:%02d:%02d.%09u", hour, minute, second, nsec);
}

static int bind_time_value(sqlite3_stmt *st, int index, const struct sp_value *v, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    struct sp_civil c;
    int ret = 0;
    if (v->tag == SP_DATE) {
        ret = sp_date_print(&b, v->u.days);
    } else if (v->tag == SP_TIME) {
        int64_t s = v->u.time_ns / 1000000000;
        put_time(
            &b, (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60), (uint32_t)(v->u.time_ns % 1000000000));
    } else {
        sp_civil_from_ts(v->u.ts, &c);
        if (c.year < -9999 || c.year > 9999)
            ret = sp_fail(err, SP_E_RANGE, SP_ORIGIN_BACKEND,
                "timestamp outside the years -9999 to 9999, which an ISO text can hold");
        sp_buf_printf(&b, "%s%04lld-%02d-%02d%c", c.year < 0 ? "-" : "",
            (long long)(c.year < 0 ? -c.year : c.year), c.month, c.day, v->tag == SP_INSTANT ? 'T' : ' ');
        put_time(&b, c.hour, c.minute, c.second, c.nsec);
        if (v->tag == SP_INSTANT)
            sp_buf_putc(&b, 'Z');
    }
    return bind_buf(st, index, &b, ret, err);
}

/* A number that meets a decimal column becomes its exact text. 1 = not a finite number. */
static int bind_as_decimal(sqlite3_stmt *st, int index, const struct sp_value *v, struct sp_error *err)
{
    struct sp_arena a = SP_ARENA_INIT;
    char digits[20];
    struct sp_dec d;
    int ret = 1;
    if (v->tag == SP_INT && sp_dec_from_i64(digits, v->u.i, &d))
        ret = bind_dec(st, index, &d, err);
    else if (v->tag == SP_F64 && isfinite(v->u.f64) && sp_dec_from_f64_exact(&a, v->u.f64, &d) == 0)
        ret = bind_dec(st, index, &d, err);
    else if (v->tag == SP_TEXT && sp_dec_parse(&a, v->u.str.p, v->u.str.n, &d) == 0)
        ret = bind_dec(st, index, &d, err);
    sp_arena_free(&a);
    return ret;
}

/* A decimal that meets an integer or float column. 1 = it has no exact form there. */
static int bind_decimal_as_number(
    sqlite3_stmt *st, int index, const struct sp_value *v, const struct sp_type *type, struct sp_error *err)
{
    int64_t i;
    double f;
    if (type->tag == SP_INT && sp_dec_to_i64(&v->u.dec, &i))
        return sqlite3_bind_int64(st, index, i) == SQLITE_OK ? 0 : sp_nomem(err);
    if ((type->tag == SP_F64 || type->tag == SP_F32) && sp_dec_to_f64_exact(&v->u.dec, &f))
        return bind_double(st, index, f, err);
    return 1;
}

/* Text that spells a value of the column's type takes the stored spelling. 1 = it doesn't. */
static int bind_text_as(
    sqlite3_stmt *st, int index, const struct sp_value *v, const struct sp_type *type, struct sp_error *err)
{
    struct sp_value as;
    const char *p = v->u.str.p;
    size_t n = v->u.str.n;
    bool zoned = false;
    int bad = 1;
    memset(&as, 0, sizeof as);
    as.tag = type->tag;
    switch (type->tag) {
    case SP_UUID:
        bad = sp_uuid_parse(p, n, as.u.uuid);
        break;
    case SP_INSTANT:
    case SP_LOCAL:
        bad = sp_ts_parse(p, n, &as.u.ts, &zoned) != 0 || zoned != (type->tag == SP_INSTANT);
        break;
    case SP_DATE:
        bad = sp_date_parse(p, n, &as.u.days);
        break;
    case SP_TIME:
        bad = sp_time_parse(p, n, &as.u.time_ns);
        break;
    case SP_DEC:
        return bind_as_decimal(st, index, v, err);
    default:
        break;
    }
    return bad != 0 ? 1 : sq_bind(st, index, &as, NULL, false, err);
}

static bool fits(const struct sp_type *type, const struct sp_value *v)
{
    enum sp_tag c = type->tag, t = v->tag;
    if (c == SP_MISSING || c == t || sp_v_is_absent(v))
        return true;
    if (c == SP_F64)
        return t == SP_F32 || t == SP_INT || t == SP_DEC;
    if (c == SP_F32)
        return t == SP_F64 && (double)(float)v->u.f64 == v->u.f64;
    if (c == SP_INT || c == SP_DEC)
        return t == SP_DEC || (c == SP_DEC && t == SP_INT);
    if (c == SP_JSON)
        return t == SP_TEXT && sp_json_check(v->u.str.p, v->u.str.n, NULL) == 0;
    return (c == SP_TEXT && t == SP_REF) || (c == SP_REF && t == SP_TEXT);
}

static int bind_array(sqlite3_stmt *st, int index, const struct sp_value *v, struct sp_error *err)
{
    struct sp_buf b = SP_BUF_INIT;
    int ret = sq_array_print(&b, v, err);
    return bind_buf(st, index, &b, ret, err);
}

static int bind_plain(sqlite3_stmt *st, int index, const struct sp_value *v, struct sp_error *err)
{
    char text[37];
    int rc = SQLITE_OK;
    switch (v->tag) {
    case SP_MISSING:
    case SP_NULL:
        rc = sqlite3_bind_null(st, index);
        break;
    case SP_BOOL:
        rc = sqlite3_bind_int(st, index, v->u.b ? 1 : 0);
        break;
    case SP_INT:
        rc = sqlite3_bind_int64(st, index, v->u.i);
        break;
    case SP_DEC:
        return bind_dec(st, index, &v->u.dec, err);
    case SP_F32:
        return bind_double(st, index, (double)v->u.f32, err);
    case SP_F64:
        return bind_double(st, index, v->u.f64, err);
    case SP_TEXT:
    case SP_JSON:
    case SP_REF:
        return bind_text(st, index, v->u.str.p, v->u.str.n, err);
    case SP_BYTES:
        rc = sqlite3_bind_blob64(st, index, v->u.str.n == 0 ? "" : v->u.str.p, v->u.str.n, SQLITE_STATIC);
        break;
    case SP_UUID:
        sp_uuid_format(text, v->u.uuid);
        rc = sqlite3_bind_text(st, index, text, 36, SQLITE_TRANSIENT);
        break;
    case SP_INSTANT:
    case SP_LOCAL:
    case SP_DATE:
    case SP_TIME:
        return bind_time_value(st, index, v, err);
    case SP_ARRAY:
    case SP_VECTOR:
        return bind_array(st, index, v, err);
    default:
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "SQLite cannot hold a value of type %s",
            v->tag == SP_NATIVE ? v->u.native.type : sp_tag_name(v->tag));
    }
    return rc == SQLITE_OK ? 0 : sq_error_code(rc, "value", "cannot bind", err);
}

int sq_bind(sqlite3_stmt *st, int index, const struct sp_value *v, const struct sp_type *type, bool strict,
    struct sp_error *err)
{
    if (type == NULL || type->tag == SP_MISSING || type->tag == v->tag)
        return bind_plain(st, index, v, err);
    int ret = 1;
    if (v->tag == SP_TEXT)
        ret = bind_text_as(st, index, v, type, err);
    if (ret == 1 && strict && !fits(type, v))
        return sp_fail(err, SP_E_INVALID, SP_ORIGIN_BACKEND,
            "a value of type %s for a strict column of type %s", sp_tag_name(v->tag), sp_tag_name(type->tag));
    if (ret == 1 && type->tag == SP_DEC)
        ret = bind_as_decimal(st, index, v, err);
    if (ret == 1 && v->tag == SP_DEC)
        ret = bind_decimal_as_number(st, index, v, type, err);
    return ret == 1 ? bind_plain(st, index, v, err) : ret;
}
