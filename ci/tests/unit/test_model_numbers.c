/* Decimals and the calendar. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/calendar.h"
#include "model/decimal.h"
#include "rounds.h"

static struct sp_arena arena;

static int teardown(void **state)
{
    (void)state;
    sp_arena_free(&arena);
    return 0;
}

static void decimals_have_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = { { "0", "0" }, { "-0", "0" }, { "-0.000e5", "0" }, { "+5", "5" }, { "007", "7" },
        { "100", "100" }, { "1e2", "100" }, { "12.50", "12.5" }, { "-12.50", "-12.5" }, { ".5", "0.5" },
        { "5.", "5" }, { "0.0001", "0.0001" }, { "1234.5678E-2", "12.345678" }, { "10e-1", "1" },
        { "1e59", NULL }, { "1e60", "1e+60" }, { "-12e300", "-1.2e+301" }, { "1e-59", NULL },
        { "1e-60", "1e-60" },
        { "123456789012345678901234567890.123456789", "123456789012345678901234567890.123456789" } };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_dec d, again;
        struct sp_buf b = SP_BUF_INIT;
        assert_int_equal(sp_dec_parse(&arena, cases[i].in, strlen(cases[i].in), &d), 0);
        assert_int_equal(sp_dec_print(&b, &d), 0);
        if (cases[i].out != NULL)
            assert_string_equal(b.p, cases[i].out);
        else
            assert_null(strchr(b.p, 'e'));
        assert_true(d.ndigits == 0 || (d.digits[0] != '0' && d.digits[d.ndigits - 1] != '0'));
        assert_int_equal(sp_dec_parse(&arena, b.p, b.n, &again), 0);
        assert_int_equal(sp_dec_cmp(&d, &again), 0);
        assert_true(d.exp == again.exp && d.ndigits == again.ndigits && d.neg == again.neg);
        sp_buf_free(&b);
    }
}

static void bad_decimals_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "-", "+", ".", "1..2", "1.2.3", "1e", "1e+", "1e5x", " 1", "1 ",
        "--1", "0x10", "NaN", "Infinity", "1,5", "e5", "-.e1" };
    struct sp_dec d;
    for (size_t i = 0; i < SP_LEN(bad); i++)
        assert_int_equal(sp_dec_parse(&arena, bad[i], strlen(bad[i]), &d), -SP_E_INVALID);
    assert_int_equal(sp_dec_parse(&arena, "1e1000001", 9, &d), -SP_E_RANGE);
    assert_int_equal(sp_dec_parse(&arena, "1e99999999999999999999", 22, &d), -SP_E_RANGE);
    char *long_one = malloc(200001);
    assert_non_null(long_one);
    memset(long_one, '7', 200001);
    assert_int_equal(sp_dec_parse(&arena, long_one, 200000, &d), 0);
    assert_int_equal(d.ndigits, 200000);
    assert_int_equal(sp_dec_parse(&arena, long_one, 200001, &d), -SP_E_RANGE);
    free(long_one);
    struct sp_value v = sp_v_dec_text(&arena, "1/2");
    assert_int_equal(v.tag, SP_NULL);
}

static void decimals_are_ordered_by_number(void **state)
{
    (void)state;
    static const char *const up[] = { "-1e1000000", "-100", "-99.9", "-1", "-0.5", "-0.05", "0", "1e-1000000",
        "0.05", "0.5", "0.51", "1", "9", "10", "10.0000000000000000000001", "11", "1e20", "1e1000000" };
    for (size_t i = 0; i < SP_LEN(up); i++) {
        for (size_t k = 0; k < SP_LEN(up); k++) {
            struct sp_dec a, b;
            assert_int_equal(sp_dec_parse(&arena, up[i], strlen(up[i]), &a), 0);
            assert_int_equal(sp_dec_parse(&arena, up[k], strlen(up[k]), &b), 0);
            assert_int_equal(sp_dec_cmp(&a, &b), i < k ? -1 : i > k);
        }
    }
}

static void integers_survive(void **state)
{
    (void)state;
    static const int64_t fixed[] = { 0, 1, -1, 10, -100, INT64_MAX, INT64_MIN, INT64_MIN + 1,
        INT64_C(1000000000000000000), INT64_C(9000000000000000000) };
    struct sp_rng rng;
    sp_rng_seed(&rng, 7);
    for (size_t i = 0; i < 3000; i++) {
        int64_t v = i < SP_LEN(fixed) ? fixed[i] : (int64_t)sp_rng_u64(&rng) >> sp_rng_below(&rng, 64),
                back = 1;
        char digits[20];
        struct sp_dec d;
        assert_true(sp_dec_from_i64(digits, v, &d));
        assert_true(sp_dec_to_i64(&d, &back));
        assert_true(back == v);
    }
    static const char *const not_int[] = { "0.5", "9223372036854775808", "-9223372036854775809", "1e19",
        "1e1000000" };
    for (size_t i = 0; i < SP_LEN(not_int); i++) {
        struct sp_dec d;
        int64_t out;
        assert_int_equal(sp_dec_parse(&arena, not_int[i], strlen(not_int[i]), &d), 0);
        assert_false(sp_dec_to_i64(&d, &out));
    }
}

static double random_double(struct sp_rng *rng)
{
    uint64_t bits = sp_rng_u64(rng);
    double f;
    switch (sp_rng_below(rng, 4)) {
    case 0:
        return (double)(int64_t)sp_rng_below(rng, 1000000) / 100.0;
    case 1: /* powers of two, where the spacing changes */
        return ldexp(1.0, (int)sp_rng_below(rng, 2098) - 1074);
    default:
        memcpy(&f, &bits, 8);
        return isfinite(f) ? f : 1.5;
    }
}

static void doubles_survive(void **state)
{
    (void)state;
    struct sp_rng rng;
    sp_rng_seed(&rng, 11);
    for (int i = few_rounds() ? 18000 : 0; i < 20000; i++) {
        double f = random_double(&rng), back = 0;
        struct sp_dec exact, shortest, stands;
        assert_int_equal(sp_dec_from_f64_exact(&arena, f, &exact), 0);
        assert_int_equal(sp_dec_from_f64_shortest(&arena, f, &shortest), 0);
        assert_int_equal(sp_dec_from_f64(&arena, f, &stands), 0);
        assert_true(sp_dec_nearest_f64(&exact) == f);
        assert_true(sp_dec_nearest_f64(&shortest) == f);
        assert_true(shortest.ndigits <= 17);
        if (f != 0) {
            assert_true(sp_dec_to_f64_exact(&stands, &back));
            assert_true(back == f);
        }
        char text[1200]; /* glibc prints the exact expansion: an independent witness */
        snprintf(text, sizeof text, "%.1100f", f);
        struct sp_dec witness;
        if (fabs(f) < 1e30 && fabs(f) > 1e-30) {
            assert_int_equal(sp_dec_parse(&arena, text, strlen(text), &witness), 0);
            assert_int_equal(sp_dec_cmp(&exact, &witness), 0);
        }
        sp_arena_reset(&arena);
    }
}

static void shortest_is_shortest(void **state)
{
    (void)state;
    static const struct {
        double f;
        const char *text;
    } cases[] = { { 0.1, "0.1" }, { 0.1 + 0.2, "0.30000000000000004" }, { 5e-324, "5e-324" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" }, { 9007199254740993.0, "9007199254740992" },
        { 1e23, "100000000000000000000000" }, { 2.2250738585072014e-308, "2.2250738585072014e-308" },
        { 9.5367431640625e-07, "0.00000095367431640625" }, { 123456.789, "123456.789" }, { -0.0, "0" },
        { 9.007199254740991e15, "9007199254740991" }, { 1.2345678901234567, "1.2345678901234567" },
        /* 2^-44: the nearest decimal of 16 digits lies too far below */
        { 0x1p-44, "5.684341886080802e-14" } };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_dec d, want;
        assert_int_equal(sp_dec_from_f64_shortest(&arena, cases[i].f, &d), 0);
        assert_int_equal(sp_dec_parse(&arena, cases[i].text, strlen(cases[i].text), &want), 0);
        assert_int_equal(sp_dec_cmp(&d, &want), 0);
    }
    struct sp_dec d;
    assert_int_equal(sp_dec_from_f64_shortest(&arena, NAN, &d), -SP_E_RANGE);
    assert_int_equal(sp_dec_from_f64_exact(&arena, INFINITY, &d), -SP_E_RANGE);
}

/* 2^53 + 1 has no double; 1e23 is not the double that is nearest to it; 0.1 stands for the double 0.1. */
static void what_stands_for_a_double(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool exact;
    } cases[] = { { "0.1", true }, { "0.10000000000000000555111512312578270211815834045410156250", false },
        { "9007199254740992", true }, { "9007199254740993", false }, { "1e22", true }, { "1e23", false },
        { "99999999999999991611392", true }, { "1234567890123456800", false },
        { "1234567890123456768", true }, { "1e400", false }, { "1e-400", false }, { "0", true },
        { "-0.5", true } };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_dec d;
        double f;
        assert_int_equal(sp_dec_parse(&arena, cases[i].text, strlen(cases[i].text), &d), 0);
        assert_int_equal(sp_dec_to_f64_exact(&d, &f), cases[i].exact);
    }
}

/* 2^53 + 1 lies in the middle and goes to even; a digit a thousand places behind lifts it over. */
static void rounding_sees_the_last_digit(void **state)
{
    (void)state;
    char text[1100];
    struct sp_dec d;
    snprintf(text, sizeof text, "9007199254740993.%01000d1", 0);
    assert_int_equal(sp_dec_parse(&arena, text, strlen(text), &d), 0);
    assert_true(sp_dec_nearest_f64(&d) == 9007199254740994.0);
    assert_int_equal(sp_dec_parse(&arena, "9007199254740993", 16, &d), 0);
    assert_true(sp_dec_nearest_f64(&d) == 9007199254740992.0);
}

/* --- calendar -------------------------------------------------------------------------------------------------- */

static int days_in(int64_t y, int m)
{
    static const int n[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return m == 2 && ((y % 4 == 0 && y % 100 != 0) || y % 400 == 0) ? 29 : n[m - 1];
}

/* Counts through every day of 20,000 years. */
static void every_day_has_its_date(void **state)
{
    (void)state;
    int64_t days = sp_days_from_civil(-9999, 1, 1), y = -9999;
    int m = 1, d = 1;
    while (y <= 9999) {
        int64_t gy;
        int gm, gd;
        sp_civil_from_days(days, &gy, &gm, &gd);
        if (gy != y || gm != m || gd != d || sp_days_from_civil(y, m, d) != days)
            fail_msg("day %lld is not %lld-%d-%d", (long long)days, (long long)y, m, d);
        days++;
        if (++d > days_in(y, m)) {
            d = 1;
            if (++m > 12) {
                m = 1;
                y++;
            }
        }
    }
    assert_int_equal(sp_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(sp_days_from_civil(2000, 3, 1), 11017);
    int64_t gy;
    sp_civil_from_days(INT64_MIN, &gy, &m, &d);
    sp_civil_from_days(INT64_MAX, &gy, &m, &d);
    assert_true(gy > 9999);
}

static void timestamps_survive(void **state)
{
    (void)state;
    struct sp_rng rng;
    sp_rng_seed(&rng, 3);
    int64_t lo = sp_days_from_civil(-9999, 1, 1) * 86400;
    uint64_t span = (uint64_t)(sp_days_from_civil(10000, 1, 1) * 86400 - lo);
    static const uint32_t unit[] = { 1000000000, 1000000, 1000, 1 };
    for (int i = 0; i < 20000; i++) {
        uint32_t u = unit[i % 4];
        struct sp_ts ts = { lo + (int64_t)sp_rng_below(&rng, span), 0 }, back;
        ts.nsec = u == 1000000000 ? 0 : (uint32_t)sp_rng_below(&rng, 1000000000 / u) * u;
        bool zoned = false, utc = i % 2 == 0;
        struct sp_buf b = SP_BUF_INIT;
        assert_int_equal(sp_ts_print(&b, ts, utc), 0);
        assert_int_equal(sp_ts_parse(b.p, b.n, &back, &zoned), 0);
        assert_true(back.sec == ts.sec && back.nsec == ts.nsec && zoned == utc);
        struct sp_civil c;
        sp_civil_from_ts(ts, &c);
        assert_true(sp_ts_from_civil(&c, &back) && back.sec == ts.sec && back.nsec == ts.nsec);
        sp_buf_free(&b);
    }
}

static void spellings_of_time(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t sec;
        uint32_t nsec;
        bool zoned;
    } good[] = { { "1970-01-01T00:00:00Z", 0, 0, true }, { "1970-01-01 00:00", 0, 0, false },
        { "1970-01-01 00:00:01.5", 1, 500000000, false }, { "1970-01-01T01:00:00+01:00", 0, 0, true },
        { "1970-01-01T01:00:00+01", 0, 0, true }, { "1969-12-31T18:30:00-05:30", 0, 0, true },
        { "1970-01-01T00:00:00.123456789000Z", 0, 123456789, true },
        { "9999-12-31T23:59:59.999999999", INT64_C(253402300799), 999999999, false },
        { "-0001-12-31T00:00:00Z", INT64_C(-62167305600), 0, true } };
    static const char *const bad[] = { "", "1970-01-01", "1970-01-01T", "1970-01-01T24:00:00Z",
        "1970-01-01T00:00:60Z", "2016-12-31T23:59:60Z", "1970-02-30T00:00:00Z", "1900-02-29T00:00:00Z",
        "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z", "1970-01-00T00:00:00Z", "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.1234567891Z", "1970-01-01T00:00:00z",
        "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+1", "1970-01-01T00:00:00+01:60",
        "1970-01-01  00:00:00", "1970-1-1T00:00:00Z", "70-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
        "-0000-01-01T00:00:00Z", "1970-01-01T00:00:00Z ", "1970-01-01T00:00:00ZZ", "+1970-01-01T00:00:00Z",
        "1970-01-01t00:00:00Z", "infinity" };
    struct sp_ts ts;
    bool zoned;
    for (size_t i = 0; i < SP_LEN(good); i++) {
        assert_int_equal(sp_ts_parse(good[i].text, strlen(good[i].text), &ts, &zoned), 0);
        assert_true(ts.sec == good[i].sec && ts.nsec == good[i].nsec && zoned == good[i].zoned);
    }
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        if (sp_ts_parse(bad[i], strlen(bad[i]), &ts, &zoned) != -SP_E_INVALID)
            fail_msg("accepted: %s", bad[i]);
    }
    int64_t v;
    assert_int_equal(sp_date_parse("2000-02-29", 10, &v), 0);
    assert_int_equal(v, 11016);
    assert_int_equal(sp_date_parse("2001-02-29", 10, &v), -SP_E_INVALID);
    assert_int_equal(sp_date_parse("2000-02-29T", 11, &v), -SP_E_INVALID);
    assert_int_equal(sp_time_parse("23:59:59.000000001", 18, &v), 0);
    assert_true(v == INT64_C(86399000000001));
    assert_int_equal(sp_time_parse("24:00:00", 8, &v), -SP_E_INVALID);
    assert_int_equal(sp_time_parse("23:59:60", 8, &v), -SP_E_INVALID);
    assert_int_equal(sp_time_parse("12:00:00Z", 9, &v), -SP_E_INVALID);
    struct sp_civil c = { 1970, 1, 1, 24, 0, 0, 0 };
    assert_false(sp_ts_from_civil(&c, &ts));
    c = (struct sp_civil){ 1970, 2, 30, 0, 0, 0, 0 };
    assert_false(sp_ts_from_civil(&c, &ts));
    c = (struct sp_civil){ 1970, 1, 1, 0, 0, 60, 0 };
    assert_false(sp_ts_from_civil(&c, &ts));
    c = (struct sp_civil){ 1970, 1, 1, 0, 0, 0, 1000000000 };
    assert_false(sp_ts_from_civil(&c, &ts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_have_one_form),
        cmocka_unit_test(bad_decimals_are_refused),
        cmocka_unit_test(decimals_are_ordered_by_number),
        cmocka_unit_test(integers_survive),
        cmocka_unit_test(doubles_survive),
        cmocka_unit_test(shortest_is_shortest),
        cmocka_unit_test(what_stands_for_a_double),
        cmocka_unit_test(rounding_sees_the_last_digit),
        cmocka_unit_test(every_day_has_its_date),
        cmocka_unit_test(timestamps_survive),
        cmocka_unit_test(spellings_of_time),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
