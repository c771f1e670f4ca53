/* diagnose_time.c -- what happens to moments on their way: zones, digits, units, order of day and month. */
#include <stdlib.h>

#include "model/calendar.h"
#include "model/equivalence.h"
#include "verify/diagnose.h"

#define DAY  86400
#define NANO INT64_C(1000000000)

static bool is_ts(const struct sp_value *v)
{
    return v->tag == SP_INSTANT || v->tag == SP_LOCAL;
}

static bool both_ts(const struct sp_diag_cell *c)
{
    return is_ts(&c->when[0]) && is_ts(&c->when[1]);
}

/* Sane enough for differences that don't overflow: the years -9999 to 9999 and what units may make of them. */
static bool seconds(const struct sp_diag_cell *c, int64_t *s, int64_t *t)
{
    const int64_t most = INT64_C(1) << 60;
    *s = c->when[0].u.ts.sec;
    *t = c->when[1].u.ts.sec;
    return both_ts(c) && *s > -most && *s<most && * t> - most && *t < most;
}

/* Target minus source, in seconds. Times of day go past midnight. */
static bool distance(const struct sp_diag_cell *c, int64_t *d)
{
    int64_t s, t;
    if (c->when[0].tag == SP_TIME && c->when[1].tag == SP_TIME) {
        int64_t ns = c->when[1].u.time_ns - c->when[0].u.time_ns;
        *d = ns / NANO;
        *d += *d > DAY / 2 ? -DAY : *d < -DAY / 2 ? DAY : 0;
        return ns % NANO == 0 && *d != 0;
    }
    if (!seconds(c, &s, &t) || c->when[0].u.ts.nsec != c->when[1].u.ts.nsec)
        return false;
    *d = t - s;
    return *d != 0;
}

/* Zones are a multiple of 15 minutes from UTC, at most 14 hours. */
static bool time_zone(struct sp_diag_cell *c, int64_t *param)
{
    int64_t d;
    if (!distance(c, &d))
        return false;
    *param = d / 60;
    return d % 900 == 0 && d >= -14 * 3600 && d <= 14 * 3600;
}

static void say_zone_shift(struct sp_buf *out, const int64_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t m = llabs(p[i]);
        sp_buf_printf(out, "%s%s%lld:%02lld", i == 0 ? " by " : " and ", p[i] < 0 ? "-" : "+",
            (long long)(m / 60), (long long)(m % 60));
    }
    sp_buf_puts(
        out, n == 2 ? " hours, as summer and winter time differ: a time zone" : " hours: a time zone");
}

static bool clock_shift(struct sp_diag_cell *c, int64_t *param)
{
    return distance(c, param) && *param > -DAY && *param < DAY;
}

static void say_seconds(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, " by %+lld seconds", (long long)p[0]);
}

static bool whole_day(const struct sp_value *v, int64_t *day)
{
    *day = v->tag == SP_DATE ? v->u.days : v->u.ts.sec / DAY;
    return v->tag == SP_DATE || (is_ts(v) && v->u.ts.nsec == 0 && v->u.ts.sec % DAY == 0);
}

static bool date_shift(struct sp_diag_cell *c, int64_t *param)
{
    int64_t s, t;
    if (whole_day(&c->when[0], &s) && whole_day(&c->when[1], &t)) {
        if (s < -5000000 || s > 5000000 || t < -5000000 || t > 5000000)
            return false;
        *param = t - s;
        return *param != 0;
    }
    if (!seconds(c, &s, &t) || (t - s) % DAY != 0 || c->when[0].u.ts.nsec != c->when[1].u.ts.nsec)
        return false;
    *param = (t - s) / DAY;
    return *param != 0;
}

static void say_days(struct sp_buf *out, const int64_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sp_buf_printf(out, "%s%+lld", i == 0 ? " by " : " and ", (long long)p[i]);
    sp_buf_puts(out, n == 1 && llabs(p[0]) == 1 ? " day" : " days");
    if (n == 1 && llabs(p[0]) == 1)
        sp_buf_puts(out, ", as a midnight does that is carried into another zone and back");
    if (n == 1 && llabs(p[0]) == 1462)
        sp_buf_puts(out, ", the distance of a spreadsheet's two ways to count days (1900 and 1904)");
}

/* ---- the fraction ------------------------------------------------------------------------------------------------- */

/* The fewest digits that the target kept, under a rule; -1 = it did something else. */
static int64_t digits_kept(struct sp_diag_cell *c, enum sp_rule_kind rule)
{
    bool ts = both_ts(c);
    if (!ts && (c->when[0].tag != SP_TIME || c->when[1].tag != SP_TIME))
        return -1;
    for (int32_t d = 0; d < 9; d++) {
        struct sp_value v = c->when[0];
        if (sp_rule_apply_arg(rule, d, c->a, &c->when[0], &v) != 1)
            continue;
        bool same = ts ? v.u.ts.sec == c->when[1].u.ts.sec && v.u.ts.nsec == c->when[1].u.ts.nsec
                       : v.u.time_ns == c->when[1].u.time_ns;
        if (same)
            return d;
    }
    return -1;
}

static bool fraction_cut(struct sp_diag_cell *c, int64_t *param)
{
    *param = digits_kept(c, SP_RULE_TRUNCATE_DIGITS);
    return *param >= 0;
}

static bool fraction_rounded(struct sp_diag_cell *c, int64_t *param)
{
    *param = digits_kept(c, SP_RULE_ROUND_DIGITS);
    return *param >= 0;
}

static void say_fraction(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    if (p[0] == 0)
        sp_buf_puts(out, " at whole seconds");
    else
        sp_buf_printf(out, " behind %lld digit%s of the fraction", (long long)p[0], p[0] == 1 ? "" : "s");
}

static bool time_of_day_lost(struct sp_diag_cell *c, int64_t *param)
{
    int64_t day;
    *param = 0;
    if (!is_ts(&c->when[0]) || !whole_day(&c->when[1], &day))
        return false;
    const struct sp_ts *s = &c->when[0].u.ts;
    int64_t of = s->sec / DAY - (s->sec % DAY < 0 ? 1 : 0);
    return of == day && (s->sec % DAY != 0 || s->nsec != 0 || c->when[1].tag == SP_DATE);
}

/* ---- units and words ------------------------------------------------------------------------------------------------ */

static int64_t power(int64_t k)
{
    int64_t p = 1;
    while (k-- > 0)
        p *= 10;
    return p;
}

/* A whole number that may count seconds (k 0), milliseconds (3) ... since 1970, between 1973 and 2100. */
static bool counts(int64_t v, int64_t k)
{
    int64_t unit = power(k);
    return v / unit >= INT64_C(100000000) && v / unit < INT64_C(4102444800);
}

static bool epoch_unit(struct sp_diag_cell *c, int64_t *param)
{
    int64_t s, t;
    for (*param = 3; *param <= 6; *param += 3) {
        int64_t f = power(*param);
        if (seconds(c, &s, &t)) {
            if (s >= 10000000 &&
                t / f == s) /* 1970-04-26: units of what was earlier look like any other time */
                return true;
            if (s >= 10000000 && s / f == t && (t != 0 || c->when[1].u.ts.nsec != 0)) {
                *param = -*param;
                return true;
            }
        }
    }
    if (c->v[0].tag != SP_INT || c->v[1].tag != SP_INT)
        return false;
    for (int64_t from = 0; from <= 6; from += 3)
        for (int64_t to = 0; to <= 6; to += 3) {
            s = c->v[0].u.i;
            t = c->v[1].u.i;
            if (from == to || !counts(s, from) || !counts(t, to))
                continue;
            *param = to - from;
            if (to > from ? t / power(*param) == s : s / power(-*param) == t)
                return true;
        }
    return false;
}

static void say_unit(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, ": the target is %s by the factor %s", p[0] > 0 ? "too large" : "too small",
        llabs(p[0]) == 3 ? "1,000" : "1,000,000");
}

static bool epoch_number(struct sp_diag_cell *c, int64_t *param)
{
    for (int i = 0; i < 2; i++) {
        int64_t number;
        const struct sp_value *w = &c->when[i];
        if (!is_ts(w) || !c->number[1 - i] || w->u.ts.sec < 10000000 || w->u.ts.sec > INT64_C(253402300800))
            continue;
        struct sp_dec whole = c->num[1 - i];
        if (!sp_dec_to_i64(&whole, &number)) {
            double d = sp_dec_nearest_f64(&whole);
            if (!(d > -9e18 && d < 9e18))
                continue;
            number = (int64_t)d;
        }
        for (*param = 0; *param <= 6; *param += 3)
            if (number / power(*param) == w->u.ts.sec)
                return true;
    }
    return false;
}

static void say_number(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, " in %s", p[0] == 0 ? "seconds" : p[0] == 3 ? "milliseconds" : "microseconds");
}

static void civil(const struct sp_value *v, struct sp_civil *out)
{
    if (v->tag == SP_DATE) {
        *out = (struct sp_civil){ .hour = 0 };
        sp_civil_from_days(v->u.days, &out->year, &out->month, &out->day);
    } else {
        sp_civil_from_ts(v->u.ts, out);
    }
}

static bool two_days(const struct sp_diag_cell *c, struct sp_civil *s, struct sp_civil *t)
{
    const int64_t most = INT64_C(400) * 366 * 10000;
    for (int i = 0; i < 2; i++) {
        const struct sp_value *v = &c->when[i];
        int64_t days = v->tag == SP_DATE ? v->u.days : is_ts(v) ? v->u.ts.sec / DAY : most;
        if (days >= most || days <= -most)
            return false;
    }
    civil(&c->when[0], s);
    civil(&c->when[1], t);
    return s->hour == t->hour && s->minute == t->minute && s->second == t->second && s->nsec == t->nsec;
}

static bool day_month(struct sp_diag_cell *c, int64_t *param)
{
    struct sp_civil s, t;
    *param = 0;
    return two_days(c, &s, &t) && s.year == t.year && s.month == t.day && s.day == t.month &&
           s.day != s.month;
}

static bool century(struct sp_diag_cell *c, int64_t *param)
{
    struct sp_civil s, t;
    if (!two_days(c, &s, &t) || s.month != t.month || s.day != t.day)
        return false;
    *param = t.year - s.year;
    return *param == 100 || *param == -100 || *param == 1900 || *param == -1900 || *param == 2000 ||
           *param == -2000;
}

static void say_years(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_printf(out, " (%+lld years)", (long long)p[0]);
}

static bool wrapped_2038(struct sp_diag_cell *c, int64_t *param)
{
    int64_t s, t;
    *param = 0;
    if (!seconds(c, &s, &t) || (s <= INT32_MAX && s >= INT32_MIN))
        return false;
    return t == (int64_t)(int32_t)(uint32_t)((uint64_t)s & UINT32_MAX) || t == INT32_MAX || t == INT32_MIN;
}

/* One moment: with and without a zone, or the same one in other words. */
static bool zone_lost(struct sp_diag_cell *c, int64_t *param)
{
    *param = c->when[1].tag == SP_LOCAL ? 1 : 2;
    return both_ts(c) && c->when[0].tag != c->when[1].tag && c->when[0].u.ts.sec == c->when[1].u.ts.sec &&
           c->when[0].u.ts.nsec == c->when[1].u.ts.nsec;
}

static void say_zone(struct sp_buf *out, const int64_t *p, size_t n)
{
    (void)n;
    sp_buf_puts(out, p[0] == 1 ? "source has a zone, the target none" : "target has a zone, the source none");
}

static bool time_respelled(struct sp_diag_cell *c, int64_t *param)
{
    const struct sp_value *s = &c->when[0], *t = &c->when[1];
    *param = 0;
    if (c->v[0].tag != SP_TEXT || c->v[1].tag != SP_TEXT || s->tag != t->tag)
        return false;
    switch (s->tag) {
    case SP_INSTANT:
    case SP_LOCAL:
        return s->u.ts.sec == t->u.ts.sec && s->u.ts.nsec == t->u.ts.nsec;
    case SP_TIME:
        return s->u.time_ns == t->u.time_ns;
    case SP_DATE:
        return s->u.days == t->u.days;
    default:
        return false;
    }
}

const struct sp_diag_class sp_diag_times[] = {
    { "time_zone", SP_DIAG_TWO, 0.1, time_zone, "times are shifted", say_zone_shift,
        "set the zone of the session or driver that wrote the copy to the one that the source's times are in "
        "(UTC "
        "on both sides is safest), then load the column again" },
    { "clock_shift", SP_DIAG_SAME, 0.4, clock_shift, "all times are shifted", say_seconds,
        "no zone does that: look for a clock that was wrong, or a conversion that adds" },
    { "date_shift", SP_DIAG_SAME, 0.25, date_shift, "dates are shifted", say_days,
        "carry dates as dates, not as midnights of some zone, and load the column again" },
    { "time_fraction_cut", SP_DIAG_MAX, 0.1, fraction_cut, "times are cut off", say_fraction,
        "give the target's column more digits and load it again; or, if the loss is meant, name it in the "
        "mapping "
        "(rule truncate_fraction)" },
    { "time_fraction_rounded", SP_DIAG_MAX, 0.12, fraction_rounded, "times are rounded", say_fraction,
        "give the target's column more digits and load it again; or, if the loss is meant, name it in the "
        "mapping "
        "(rule round_fraction)" },
    { "time_of_day_lost", SP_DIAG_FREE, 0.05, time_of_day_lost, "only the day of a moment arrived", NULL,
        "the target's column or the tool in between is of type date: make it a timestamp and load it again" },
    { "epoch_unit", SP_DIAG_SAME, 0.02, epoch_unit, "seconds and milliseconds since 1970 are confused",
        say_unit, "convert with the right unit, or map the column with rule epoch_s or epoch_ms" },
    { "epoch_number", SP_DIAG_SAME, 0.02, epoch_number,
        "one side keeps the moment as a number: time since 1970", say_number,
        "map the column with rule epoch_s or epoch_ms, or load it as a timestamp" },
    { "day_month_swapped", SP_DIAG_FREE, 0.02, day_month, "day and month are swapped", NULL,
        "a date was read in the other order (03/04 against 04/03): export dates as YYYY-MM-DD and load "
        "again; days "
        "above 12 don't show this fault, so rows that look right may only be lucky" },
    { "century", SP_DIAG_SAME, 0.02, century, "years were read with two digits", say_years,
        "export years with four digits and load the column again" },
    { "time_2038", SP_DIAG_FREE, 0.02, wrapped_2038, "moments beyond 1901 to 2038 did not fit into 32 bits",
        NULL,
        "something on the way keeps seconds in 32 bits (MySQL's TIMESTAMP, old drivers): use a wider type" },
    { "zone_lost", SP_DIAG_FREE, 0.02, zone_lost, "the same clock time, but the ", say_zone,
        "decide which zone the times are in: use a timestamp with zone on both sides, or map the column with "
        "rule "
        "local_as_utc or utc_as_local" },
    { "time_respelled", SP_DIAG_FREE, 0.02, time_respelled, "the same moment, written in other words", NULL,
        "store moments as timestamps, or write the text in one form on both sides" },
    { .name = NULL },
};
