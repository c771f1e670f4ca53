/* calendar.c -- days and seconds to civil dates and back, and their spellings. */
#include "model/calendar.h"

#include <inttypes.h>

#define DAY_S      INT64_C(86400)
#define ERA_DAYS   INT64_C(146097) /* 400 years */
#define EPOCH_DAYS INT64_C(719468) /* from 0000-03-01 to 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

static int64_t floor_mod(int64_t a, int64_t b)
{
    int64_t r = a % b;
    return r < 0 ? r + b : r;
}

/* Years are counted from March, so that the leap day is the last of its year. */
int64_t sp_days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    int64_t era = floor_div(y, 400), in_era = floor_mod(y, 400);
    int64_t days = in_era * 365 + in_era / 4 - in_era / 100 + (153 * m + 2) / 5 + day - 1;
    return era * ERA_DAYS + days - EPOCH_DAYS;
}

void sp_civil_from_days(int64_t days, int64_t *year, int *month, int *day)
{
    /* The offset is added to the remainder, so that no input overflows. */
    int64_t era = floor_div(days, ERA_DAYS);
    int64_t rest = floor_mod(days, ERA_DAYS) + EPOCH_DAYS;
    era += rest / ERA_DAYS;
    rest %= ERA_DAYS;
    /* The last century of an era and the last year of four have one day more than the others. */
    int64_t century = rest / 36524 < 3 ? rest / 36524 : 3;
    rest -= century * 36524;
    int64_t four = rest / 1461;
    rest -= four * 1461;
    int64_t single = rest / 365 < 3 ? rest / 365 : 3;
    rest -= single * 365;
    int64_t m = (5 * rest + 2) / 153;
    *day = (int)(rest - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = era * 400 + century * 100 + four * 4 + single + (m >= 10 ? 1 : 0);
}

void sp_civil_from_ts(struct sp_ts ts, struct sp_civil *out)
{
    int64_t s = floor_mod(ts.sec, DAY_S);
    sp_civil_from_days(floor_div(ts.sec, DAY_S), &out->year, &out->month, &out->day);
    out->hour = (int)(s / 3600);
    out->minute = (int)(s / 60 % 60);
    out->second = (int)(s % 60);
    out->nsec = ts.nsec;
}

static int month_days(int64_t year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool date_ok(int64_t year, int month, int day)
{
    return month >= 1 && month <= 12 && day >= 1 && day <= month_days(year, month);
}

static bool clock_ok(int hour, int minute, int second)
{
    return hour >= 0 && hour <= 23 && minute >= 0 && minute <= 59 && second >= 0 && second <= 59;
}

bool sp_ts_from_civil(const struct sp_civil *c, struct sp_ts *out)
{
    const int64_t far = INT64_C(290000000000); /* years whose seconds fit 64 bits */
    if (c->year < -far || c->year > far || !date_ok(c->year, c->month, c->day) ||
        !clock_ok(c->hour, c->minute, c->second) || c->nsec > 999999999)
        return false;
    out->sec =
        sp_days_from_civil(c->year, c->month, c->day) * DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
    out->nsec = c->nsec;
    return true;
}

/* --- reading: a cursor that fails once and stays failed ------------------------------------------------------- */

struct cursor {
    const char *p, *end;
    bool bad;
};

static bool more(const struct cursor *c)
{
    return !c->bad && c->p != c->end;
}

static bool accept(struct cursor *c, char ch)
{
    if (!more(c) || *c->p != ch)
        return false;
    c->p++;
    return true;
}

static void expect(struct cursor *c, char ch)
{
    if (!accept(c, ch))
        c->bad = true;
}

/* Exactly n digits. */
static int number(struct cursor *c, int n)
{
    int v = 0;
    for (int i = 0; i < n; i++) {
        if (!more(c) || *c->p < '0' || *c->p > '9') {
            c->bad = true;
            return 0;
        }
        v = v * 10 + (*c->p++ - '0');
    }
    return v;
}

static void read_date(struct cursor *c, struct sp_civil *out)
{
    bool neg = accept(c, '-');
    int year = number(c, 4);
    expect(c, '-');
    out->month = number(c, 2);
    expect(c, '-');
    out->day = number(c, 2);
    out->year = neg ? -year : year;
    if ((neg && year == 0) || (!c->bad && !date_ok(out->year, out->month, out->day)))
        c->bad = true;
}

/* Digits behind the ninth may only be zeros: nothing is dropped silently. */
static uint32_t read_fraction(struct cursor *c)
{
    uint32_t v = 0;
    int n = 0;
    for (; more(c) && *c->p >= '0' && *c->p <= '9'; n++, c->p++) {
        if (n < 9)
            v = v * 10 + (uint32_t)(*c->p - '0');
        else if (*c->p != '0')
            c->bad = true;
    }
    if (n == 0)
        c->bad = true;
    for (; n < 9; n++)
        v *= 10;
    return v;
}

static void read_clock(struct cursor *c, struct sp_civil *out)
{
    out->hour = number(c, 2);
    expect(c, ':');
    out->minute = number(c, 2);
    out->second = 0;
    out->nsec = 0;
    if (accept(c, ':')) {
        out->second = number(c, 2);
        if (accept(c, '.'))
            out->nsec = read_fraction(c);
    }
    if (!clock_ok(out->hour, out->minute, out->second))
        c->bad = true;
}

static int two(const char *p, unsigned *bad)
{
    unsigned tens = (unsigned)(unsigned char)p[0] - '0', ones = (unsigned)(unsigned char)p[1] - '0';
    *bad |= (unsigned)(tens > 9) | (unsigned)(ones > 9);
    return (int)(tens * 10 + ones);
}

/* YYYY-MM-DD?HH:MM:SS, and what may follow: as nearly all are written. False = read nothing. */
static bool read_usual(struct cursor *c, struct sp_civil *out)
{
    const char *p = c->p;
    unsigned bad = 0;
    if (c->end - p < 19 || p[4] != '-' || p[7] != '-' || (p[10] != 'T' && p[10] != ' ') || p[13] != ':' ||
        p[16] != ':')
        return false;
    out->year = two(p, &bad) * 100 + two(p + 2, &bad);
    out->month = two(p + 5, &bad);
    out->day = two(p + 8, &bad);
    out->hour = two(p + 11, &bad);
    out->minute = two(p + 14, &bad);
    out->second = two(p + 17, &bad);
    if (bad != 0 || !date_ok(out->year, out->month, out->day) ||
        !clock_ok(out->hour, out->minute, out->second))
        return false;
    c->p += 19;
    out->nsec = accept(c, '.') ? read_fraction(c) : 0;
    return true;
}

/* Seconds east of Greenwich. */
static int64_t read_zone(struct cursor *c, bool *zoned)
{
    *zoned = true;
    if (accept(c, 'Z'))
        return 0;
    int64_t sign = 1;
    if (accept(c, '-'))
        sign = -1;
    else if (!accept(c, '+')) {
        *zoned = false;
        return 0;
    }
    int hours = number(c, 2), minutes = accept(c, ':') ? number(c, 2) : 0;
    if (hours > 23 || minutes > 59)
        c->bad = true;
    return sign * (hours * 3600 + minutes * 60);
}

int sp_ts_parse(const char *s, size_t n, struct sp_ts *out, bool *zoned)
{
    struct cursor c = { s, s + n, false };
    struct sp_civil civil = { 0 };
    struct sp_ts ts;
    bool z = false;
    if (!read_usual(&c, &civil)) {
        read_date(&c, &civil);
        if (!accept(&c, 'T'))
            expect(&c, ' ');
        read_clock(&c, &civil);
    }
    int64_t offset = read_zone(&c, &z);
    if (c.bad || c.p != c.end || !sp_ts_from_civil(&civil, &ts))
        return -SP_E_INVALID;
    ts.sec -= offset;
    *out = ts;
    *zoned = z;
    return 0;
}

int sp_date_parse(const char *s, size_t n, int64_t *days)
{
    struct cursor c = { s, s + n, false };
    struct sp_civil civil = { 0 };
    read_date(&c, &civil);
    if (c.bad || c.p != c.end)
        return -SP_E_INVALID;
    *days = sp_days_from_civil(civil.year, civil.month, civil.day);
    return 0;
}

int sp_time_parse(const char *s, size_t n, int64_t *ns)
{
    struct cursor c = { s, s + n, false };
    struct sp_civil t = { 0 };
    read_clock(&c, &t);
    if (c.bad || c.p != c.end)
        return -SP_E_INVALID;
    *ns = ((int64_t)t.hour * 3600 + t.minute * 60 + t.second) * INT64_C(1000000000) + t.nsec;
    return 0;
}

/* --- printing ------------------------------------------------------------------------------------------------- */

static int print_civil_date(struct sp_buf *out, int64_t year, int month, int day)
{
    const char *sign = year < 0 ? "-" : "";
    uint64_t y = year < 0 ? 0 - (uint64_t)year : (uint64_t)year;
    return sp_buf_printf(out, "%s%04" PRIu64 "-%02d-%02d", sign, y, month, day);
}

static int print_fraction(struct sp_buf *out, uint32_t nsec)
{
    if (nsec == 0)
        return 0;
    if (nsec % 1000000 == 0)
        return sp_buf_printf(out, ".%03" PRIu32, nsec / 1000000);
    if (nsec % 1000 == 0)
        return sp_buf_printf(out, ".%06" PRIu32, nsec / 1000);
    return sp_buf_printf(out, ".%09" PRIu32, nsec);
}

int sp_ts_print(struct sp_buf *out, struct sp_ts ts, bool utc)
{
    struct sp_civil c;
    sp_civil_from_ts(ts, &c);
    print_civil_date(out, c.year, c.month, c.day);
    sp_buf_printf(out, "T%02d:%02d:%02d", c.hour, c.minute, c.second);
    print_fraction(out, c.nsec);
    if (utc)
        sp_buf_putc(out, 'Z');
    return out->oom ? -SP_E_NOMEM : 0;
}

int sp_date_print(struct sp_buf *out, int64_t days)
{
    int64_t year;
    int month, day;
    sp_civil_from_days(days, &year, &month, &day);
    return print_civil_date(out, year, month, day);
}

int sp_time_print(struct sp_buf *out, int64_t ns)
{
    int64_t s = floor_div(ns, INT64_C(1000000000));
    sp_buf_printf(out, "%02" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60, s % 60);
    print_fraction(out, (uint32_t)floor_mod(ns, INT64_C(1000000000)));
    return out->oom ? -SP_E_NOMEM : 0;
}
