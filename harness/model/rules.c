/* rules.c -- the directional rules: what each does to a value and to a type. */
#include <math.h>
#include <string.h>

#include "base/str.h"
#include "model/calendar.h"
#include "model/decimal.h"
#include "model/equivalence.h"

static const char *const names[] = { [SP_RULE_NONE] = "none",
#define SP_X(id, name, doc) name,
    SP_RULES(SP_X)
#undef SP_X
};

static const char *const docs[] = { [SP_RULE_NONE] = "nothing is changed",
#define SP_X(id, name, doc) doc,
    SP_RULES(SP_X)
#undef SP_X
};

const char *sp_rule_name(enum sp_rule_kind k)
{
    return (unsigned)k < SP_RULE_N ? names[k] : "?";
}

const char *sp_rule_doc(enum sp_rule_kind k)
{
    return (unsigned)k < SP_RULE_N ? docs[k] : "?";
}

int sp_rule_parse(const char *name, enum sp_rule_kind *out)
{
    for (int k = SP_RULE_NONE + 1; k < SP_RULE_N; k++) {
        if (sp_streq(name, names[k])) {
            *out = (enum sp_rule_kind)k;
            return 0;
        }
    }
    return -SP_E_INVALID;
}

/* --- values ------------------------------------------------------------------------------------------------------ */

/* A text that spells a moment counts as one, so that rules also work where times are kept as text. */
struct sp_value sp_rule_moment(const struct sp_value *in)
{
    struct sp_value v = *in;
    bool zoned;
    if (in->tag != SP_TEXT)
        return v;
    if (sp_ts_parse(in->u.str.p, in->u.str.n, &v.u.ts, &zoned) == 0)
        v.tag = zoned ? SP_INSTANT : SP_LOCAL;
    else if (sp_date_parse(in->u.str.p, in->u.str.n, &v.u.days) == 0)
        v.tag = SP_DATE;
    else if (sp_time_parse(in->u.str.p, in->u.str.n, &v.u.time_ns) == 0)
        v.tag = SP_TIME;
    else
        v = *in; /* a failed parse may have written */
    return v;
}

/* Nanoseconds count upwards from the second, also before 1970: cutting them goes towards the past. */
static int truncate_to(uint32_t unit, const struct sp_value *in, struct sp_value *out)
{
    struct sp_value v = sp_rule_moment(in);
    if ((v.tag == SP_INSTANT || v.tag == SP_LOCAL) && v.u.ts.nsec % unit != 0) {
        v.u.ts.nsec -= v.u.ts.nsec % unit;
        *out = v;
        return 1;
    }
    if (v.tag == SP_TIME && v.u.time_ns > 0 && v.u.time_ns % unit != 0) {
        v.u.time_ns -= v.u.time_ns % unit;
        *out = v;
        return 1;
    }
    return 0;
}

/* Digits kept of nine; the unit of the last one in nanoseconds. */
static uint32_t unit_of(int32_t digits)
{
    uint32_t unit = 1;
    for (int32_t i = digits < 0 ? 0 : digits; i < 9; i++)
        unit *= 10;
    return unit;
}

#define Y2000 INT64_C(946684800)

/* Text with more digits than microseconds is read through a double, which sends ties to the even neighbour; what is declared
 * with fewer digits is rounded from there, once more. */
static uint32_t as_read(uint32_t nsec)
{
    return nsec % 1000 == 0 ? nsec : (uint32_t)rint((double)nsec / 1e9 * 1e6) * 1000u;
}

/* Of whole microseconds; 0 <= *nsec <= 1000000000 on both ways. Behind 2000, ties go up, before it down. */
static void round_declared(uint32_t unit, bool up_on_tie, uint32_t *nsec)
{
    uint32_t rest = *nsec % unit;
    bool up = 2 * (uint64_t)rest > unit || (2 * (uint64_t)rest == unit && up_on_tie);
    *nsec += rest == 0 ? 0 : up ? unit - rest : 0u - rest;
}

static int round_to(uint32_t unit, const struct sp_value *in, struct sp_value *out)
{
    struct sp_value v = sp_rule_moment(in);
    bool ts = v.tag == SP_INSTANT || v.tag == SP_LOCAL;
    if (!ts && (v.tag != SP_TIME || v.u.time_ns <= 0))
        return 0;
    uint32_t was = ts ? v.u.ts.nsec : (uint32_t)(v.u.time_ns % 1000000000);
    if (was % unit == 0)
        return 0;
    uint32_t nsec = as_read(was);
    round_declared(unit, !ts || v.u.ts.sec >= Y2000, &nsec);
    if (!ts) {
        v.u.time_ns += (int64_t)nsec - (int64_t)was;
    } else if (nsec < 1000000000) {
        v.u.ts.nsec = nsec;
    } else if (v.u.ts.sec < INT64_MAX) {
        v.u.ts.sec++;
        v.u.ts.nsec = 0;
    }
    *out = v;
    return 1;
}

static int retag(enum sp_tag from, enum sp_tag to, const struct sp_value *in, struct sp_value *out)
{
    struct sp_value v = sp_rule_moment(in);
    if (v.tag != from)
        return 0;
    v.tag = to;
    *out = v;
    return 1;
}

static int midnight(const struct sp_value *in, struct sp_value *out)
{
    struct sp_value v = sp_rule_moment(in);
    int64_t sec;
    if (v.tag != SP_DATE || __builtin_mul_overflow(v.u.days, INT64_C(86400), &sec))
        return 0;
    *out = sp_v_local(sec, 0);
    return 1;
}

static int epoch(int64_t per_second, const struct sp_value *in, struct sp_value *out)
{
    if (in->tag != SP_INT)
        return 0;
    int64_t rest = in->u.i % per_second, sec = in->u.i / per_second;
    if (rest < 0) {
        rest += per_second;
        sec--;
    }
    *out = sp_v_instant(sec, (uint32_t)(rest * (1000000000 / per_second)));
    return 1;
}

static int to_float32(const struct sp_value *in, struct sp_value *out)
{
    if (in->tag != SP_F64)
        return 0;
    float f = (float)in->u.f64;
    *out = sp_v_f32(f);
    return !isnan(in->u.f64) && (double)f != in->u.f64;
}

/* Changed means: the double does not stand for the same number. A number beyond all doubles stays what it was. */
static int to_float64(const struct sp_value *in, struct sp_value *out)
{
    char digits[20];
    struct sp_dec d;
    double same;
    if (in->tag == SP_INT)
        sp_dec_from_i64(digits, in->u.i, &d);
    else if (in->tag == SP_DEC)
        d = in->u.dec;
    else
        return 0;
    double f = sp_dec_nearest_f64(&d);
    if (!isfinite(f))
        return 0;
    *out = sp_v_f64(f);
    return !sp_dec_to_f64_exact(&d, &same);
}

/* Adds one to the last of n digits; false when it runs over (999 -> 1000). */
static bool increment(char *digits, size_t n)
{
    while (n > 0 && digits[n - 1] == '9')
        digits[--n] = '0';
    if (n != 0)
        digits[n - 1]++;
    return n != 0;
}

static int round_scale(int32_t scale, struct sp_arena *a, const struct sp_value *in, struct sp_value *out)
{
    static const struct sp_type decimal = { .tag = SP_DEC };
    struct sp_value v;
    bool number = in->tag == SP_DEC || in->tag == SP_F64 || in->tag == SP_F32 || in->tag == SP_TEXT;
    int rc = number ? sp_coerce(a, &decimal, in, &v) : 1;
    if (rc != 0)
        return rc < 0 ? rc : 0;                  /* NaN, or no number at all: as it is */
    int64_t cut = -(int64_t)scale - v.u.dec.exp; /* digits too many */
    if (cut <= 0)
        return 0;
    size_t keep = (uint64_t)cut >= v.u.dec.ndigits ? 0 : v.u.dec.ndigits - (size_t)cut;
    bool up = (uint64_t)cut <= v.u.dec.ndigits && v.u.dec.digits[keep] >= '5';
    char *digits = sp_arena_alloc(a, keep + 1);
    if (digits == NULL)
        return -SP_E_NOMEM;
    digits[0] = '1'; /* behind what runs over */
    memcpy(digits + 1, v.u.dec.digits, keep);
    bool over = up && !increment(digits + 1, keep);
    struct sp_dec d = { .neg = v.u.dec.neg, .exp = -scale, .digits = over ? digits : digits + 1 };
    d.ndigits = (uint32_t)(over ? keep + 1 : keep);
    *out = sp_v_dec(sp_dec_normal(d));
    return 1;
}

static int pad(int32_t length, struct sp_arena *a, const struct sp_value *in, struct sp_value *out)
{
    size_t chars = 0;
    if (in->tag != SP_TEXT || length <= 0)
        return 0;
    for (size_t i = 0; i < in->u.str.n; i++)
        chars += ((unsigned char)in->u.str.p[i] & 0xc0) != 0x80;
    if (chars >= (size_t)length)
        return 0;
    size_t n = in->u.str.n + ((size_t)length - chars);
    char *p = sp_arena_alloc(a, n);
    if (p == NULL)
        return -SP_E_NOMEM;
    if (in->u.str.n != 0)
        memcpy(p, in->u.str.p, in->u.str.n);
    memset(p + in->u.str.n, ' ', n - in->u.str.n);
    *out = sp_v_textn(p, n);
    return 1;
}

static int trim(const struct sp_value *in, struct sp_value *out)
{
    size_t n = in->u.str.n;
    if (in->tag != SP_TEXT)
        return 0;
    while (n != 0 && in->u.str.p[n - 1] == ' ')
        n--;
    out->u.str.n = n;
    return n != in->u.str.n;
}

static int negzero_to_zero(const struct sp_value *in, struct sp_value *out)
{
    if (in->tag == SP_F64 && in->u.f64 == 0 && signbit(in->u.f64))
        *out = sp_v_f64(0);
    else if (in->tag == SP_F32 && in->u.f32 == 0 && signbit(in->u.f32))
        *out = sp_v_f32(0);
    else
        return 0;
    return 1;
}

static int replace(bool when, struct sp_value by, struct sp_value *out)
{
    if (when)
        *out = by;
    return when;
}

bool sp_rule_has_arg(enum sp_rule_kind k)
{
    return k == SP_RULE_TRUNCATE_DIGITS || k == SP_RULE_ROUND_DIGITS || k == SP_RULE_ROUND_SCALE ||
           k == SP_RULE_PAD;
}

int sp_rule_apply(enum sp_rule_kind k, struct sp_arena *a, const struct sp_value *value, struct sp_value *out)
{
    return sp_rule_apply_arg(k, 0, a, value, out);
}

int sp_rule_apply_arg(
    enum sp_rule_kind k, int32_t arg, struct sp_arena *a, const struct sp_value *value, struct sp_value *out)
{
    const struct sp_value copy = *value, *in = &copy; /* out may be the same */
    *out = copy;
    switch (k) {
    case SP_RULE_TRUNCATE_US:
        return truncate_to(1000, in, out);
    case SP_RULE_TRUNCATE_MS:
        return truncate_to(1000000, in, out);
    case SP_RULE_TRUNCATE_S:
        return truncate_to(1000000000, in, out);
    case SP_RULE_NULL_TO_MISSING:
        return replace(in->tag == SP_NULL, sp_v_missing(), out);
    case SP_RULE_MISSING_TO_NULL:
        return replace(in->tag == SP_MISSING, sp_v_null(), out);
    case SP_RULE_EMPTY_TO_NULL:
        return replace(in->tag == SP_TEXT && in->u.str.n == 0, sp_v_null(), out);
    case SP_RULE_TRIM_PADDING:
        return trim(in, out);
    case SP_RULE_TO_FLOAT32:
        return to_float32(in, out);
    case SP_RULE_TO_FLOAT64:
        return to_float64(in, out);
    case SP_RULE_NEGZERO_TO_ZERO:
        return negzero_to_zero(in, out);
    case SP_RULE_LOCAL_AS_UTC:
        return retag(SP_LOCAL, SP_INSTANT, in, out);
    case SP_RULE_UTC_AS_LOCAL:
        return retag(SP_INSTANT, SP_LOCAL, in, out);
    case SP_RULE_DATE_AS_MIDNIGHT:
        return midnight(in, out);
    case SP_RULE_EPOCH_S:
        return epoch(1, in, out);
    case SP_RULE_EPOCH_MS:
        return epoch(1000, in, out);
    case SP_RULE_TRUNCATE_DIGITS:
        return truncate_to(unit_of(arg), in, out);
    case SP_RULE_ROUND_DIGITS:
        return round_to(unit_of(arg), in, out);
    case SP_RULE_ROUND_SCALE:
        return round_scale(arg, a, in, out);
    case SP_RULE_PAD:
        return pad(arg, a, in, out);
    case SP_RULE_NONE:
    case SP_RULE_N:
        break;
    }
    return 0;
}

/* --- types ------------------------------------------------------------------------------------------------------- */

static void limit_precision(struct sp_type *t, uint32_t digits)
{
    bool timed = t->tag == SP_INSTANT || t->tag == SP_LOCAL || t->tag == SP_TIME;
    if (timed && (t->precision == 0 || t->precision > digits + 1))
        t->precision = digits + 1;
}

static void become(struct sp_type *t, bool when, enum sp_tag tag, uint32_t precision)
{
    if (when)
        *t = (struct sp_type){ .tag = tag, .precision = precision };
}

void sp_rule_type(enum sp_rule_kind k, struct sp_type *t)
{
    switch (k) {
    case SP_RULE_TRUNCATE_US:
        limit_precision(t, 6);
        break;
    case SP_RULE_TRUNCATE_MS:
        limit_precision(t, 3);
        break;
    case SP_RULE_TRUNCATE_S:
        limit_precision(t, 0);
        break;
    case SP_RULE_TRIM_PADDING:
        t->padded = false;
        break;
    case SP_RULE_PAD:
        t->padded = t->tag == SP_TEXT;
        break;
    case SP_RULE_TO_FLOAT32:
        become(t, t->tag == SP_F64, SP_F32, 0);
        break;
    case SP_RULE_TO_FLOAT64:
        become(t, t->tag == SP_INT || t->tag == SP_DEC, SP_F64, 0);
        break;
    case SP_RULE_LOCAL_AS_UTC:
        become(t, t->tag == SP_LOCAL || t->tag == SP_TEXT, SP_INSTANT, t->tag == SP_LOCAL ? t->precision : 0);
        break;
    case SP_RULE_UTC_AS_LOCAL:
        become(
            t, t->tag == SP_INSTANT || t->tag == SP_TEXT, SP_LOCAL, t->tag == SP_INSTANT ? t->precision : 0);
        break;
    case SP_RULE_DATE_AS_MIDNIGHT:
        become(t, t->tag == SP_DATE || t->tag == SP_TEXT, SP_LOCAL, 1);
        break;
    case SP_RULE_EPOCH_S:
        become(t, t->tag == SP_INT, SP_INSTANT, 1);
        break;
    case SP_RULE_EPOCH_MS:
        become(t, t->tag == SP_INT, SP_INSTANT, 4);
        break;
    default:
        break;
    }
}
