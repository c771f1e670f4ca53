/* Whole-string parses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>

#include "base/str.h"

/* Every refusal is asked with a marked output, which has to stay as it was. */
#define REFUSES(parse, type, ...)                                                                            \
    do {                                                                                                     \
        const char *const bad[] = { __VA_ARGS__ };                                                           \
        for (size_t i_ = 0; i_ < SP_LEN(bad); i_++) {                                                        \
            type out_ = 77;                                                                                  \
            if (parse(bad[i_], &out_) || out_ < 77 || out_ > 77) {                                           \
                fail_msg("%s accepted or changed its output for '%s'", #parse, bad[i_] ? bad[i_] : "NULL");  \
            }                                                                                                \
        }                                                                                                    \
    } while (0)

#define GIVES(parse, type, text, want)                                                                       \
    do {                                                                                                     \
        type out_ = 77;                                                                                      \
        if (!parse(text, &out_)) {                                                                           \
            fail_msg("%s refused '%s'", #parse, text);                                                       \
        }                                                                                                    \
        assert_true(out_ >= (want) && out_ <= (want));                                                       \
    } while (0)

static void integers(void **state)
{
    (void)state;
    GIVES(sp_parse_i64, int64_t, "0", 0);
    GIVES(sp_parse_i64, int64_t, "-0", 0);
    GIVES(sp_parse_i64, int64_t, "007", 7);
    GIVES(sp_parse_i64, int64_t, "-1", -1);
    GIVES(sp_parse_i64, int64_t, "9223372036854775807", INT64_MAX);
    GIVES(sp_parse_i64, int64_t, "-9223372036854775808", INT64_MIN);
    REFUSES(sp_parse_i64, int64_t, NULL, "", "-", "+1", " 1", "1 ", "--1", "1.0", "0x1", "1e3",
        "9223372036854775808", "-9223372036854775809", "18446744073709551616", "99999999999999999999999",
        "1,000", "\xd9\xa1");
    GIVES(sp_parse_u64, uint64_t, "18446744073709551615", UINT64_MAX);
    GIVES(sp_parse_u64, uint64_t, "00000000000000000000000000000000001", 1);
    REFUSES(sp_parse_u64, uint64_t, NULL, "", "-1", "-0", "+1", " 1", "18446744073709551616", "1 ", "a");
}

static void doubles(void **state)
{
    (void)state;
    GIVES(sp_parse_f64, double, "0.1", 0.1);
    GIVES(sp_parse_f64, double, "-12.50", -12.5);
    GIVES(sp_parse_f64, double, "1e3", 1000.0);
    GIVES(sp_parse_f64, double, "1.5E-3", 0.0015);
    GIVES(sp_parse_f64, double, "1.7976931348623157e308", 1.7976931348623157e308);
    REFUSES(sp_parse_f64, double, NULL, "", "-", ".", "1.", ".5", "+1", " 1", "1 ", "inf", "-inf", "nan",
        "0x1p3", "1e", "1e+", "1e400", "-1e400", "1,5", "1.2.3", "--1", "1e3.5", "infinity");
}

static void booleans(void **state)
{
    (void)state;
    static const char *const yes[] = { "true", "yes", "on", "1" }, *const no[] = { "false", "no", "off",
        "0" };
    static const char *const bad[] = { NULL, "", "TRUE", "y", "2", "true ", "01" };
    for (size_t i = 0; i < SP_LEN(yes); i++) {
        bool v = false;
        assert_true(sp_parse_bool(yes[i], &v) && v);
        assert_true(sp_parse_bool(no[i], &v) && !v);
    }
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        bool v = true, w = false;
        assert_true(!sp_parse_bool(bad[i], &v) && v && !sp_parse_bool(bad[i], &w) && !w);
    }
}

static void durations(void **state)
{
    (void)state;
    GIVES(sp_parse_duration_ms, int64_t, "500ms", 500);
    GIVES(sp_parse_duration_ms, int64_t, "5s", 5000);
    GIVES(sp_parse_duration_ms, int64_t, "2m", 120000);
    GIVES(sp_parse_duration_ms, int64_t, "1h", 3600000);
    GIVES(sp_parse_duration_ms, int64_t, "1d", 86400000);
    GIVES(sp_parse_duration_ms, int64_t, "0s", 0);
    GIVES(sp_parse_duration_ms, int64_t, "1.5s", 1500);
    GIVES(sp_parse_duration_ms, int64_t, "0.001s", 1);
    GIVES(sp_parse_duration_ms, int64_t, "2.50000000000000000000000000000m", 150000);
    GIVES(sp_parse_duration_ms, int64_t, "1.0ms", 1);
    GIVES(sp_parse_duration_ms, int64_t, "9223372036854775807ms", INT64_MAX);
    REFUSES(sp_parse_duration_ms, int64_t, NULL, "", "5", "0", "s", "-5s", "+5s", "5 s", " 5s", "5s ", "5S",
        "5sec", "0.5ms", "0.0001s", "1.s", ".5s", "1e3s", "9223372036854775808ms", "9223372036854776s",
        "106751991168d", "18446744073709551616ms", "1.00000000000000000000001d", "1h30m");
}

static void sizes(void **state)
{
    (void)state;
    GIVES(sp_parse_size, uint64_t, "512", 512);
    GIVES(sp_parse_size, uint64_t, "512B", 512);
    GIVES(sp_parse_size, uint64_t, "64KiB", 65536);
    GIVES(sp_parse_size, uint64_t, "10MB", 10000000);
    GIVES(sp_parse_size, uint64_t, "1GiB", 1073741824);
    GIVES(sp_parse_size, uint64_t, "1.5KiB", 1536);
    GIVES(sp_parse_size, uint64_t, "2TiB", UINT64_C(2199023255552));
    GIVES(sp_parse_size, uint64_t, "18446744073709551615", UINT64_MAX);
    GIVES(sp_parse_size, uint64_t, "16777215.5TiB", UINT64_C(18446743523953737728));
    REFUSES(sp_parse_size, uint64_t, NULL, "", "KiB", "-1", "1K", "1kib", "1 MB", "0.3KiB", "1.5",
        "16777216TiB", "18446744073709551616", "18446744073709551615KiB");
}

static void rates_and_percents(void **state)
{
    (void)state;
    GIVES(sp_parse_rate, double, "500/s", 500.0);
    GIVES(sp_parse_rate, double, "30/m", 0.5);
    GIVES(sp_parse_rate, double, "7200/h", 2.0);
    GIVES(sp_parse_rate, double, "0.5/s", 0.5);
    REFUSES(sp_parse_rate, double, NULL, "", "500", "/s", "-1/s", "1/d", "1/s ", "1 /s", "1e3/s",
        "1000000000000000000000000000000000000000000000000000000000000000/s");
    GIVES(sp_parse_percent, double, "5%", 0.05);
    GIVES(sp_parse_percent, double, "0.1pp", 0.001);
    GIVES(sp_parse_percent, double, "0.7%", 0.007);
    GIVES(sp_parse_percent, double, "150%", 1.5);
    GIVES(sp_parse_percent, double, "0%", 0.0);
    REFUSES(sp_parse_percent, double, NULL, "", "5", "%", "-5%", "5 %", "5%%", "5p", "1e1%", "nan%");
}

/* A library may set a locale; where one with a decimal comma is installed, nothing may change. */
static void locale_does_not_matter(void **state)
{
    (void)state;
    locale_t comma = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
    if (comma == (locale_t)0) {
        skip();
    }
    locale_t before = uselocale(comma);
    double v = 0;
    bool ok = sp_parse_f64("1.5", &v);
    char out[32];
    sp_format_duration(out, 0.0032);
    (void)uselocale(before);
    freelocale(comma);
    assert_true(ok && v > 1.4);
    assert_string_equal(out, "3.2 ms");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(doubles),
        cmocka_unit_test(booleans),
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(rates_and_percents),
        cmocka_unit_test(locale_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
