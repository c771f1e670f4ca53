/* Strings, UTF-8, patterns, random numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utf8proc.h>

#include "base/str.h"
#include "rounds.h"

static void copies_and_compares(void **state)
{
    (void)state;
    char d[4];
    assert_true(sp_strlcpy(d, "abc", sizeof d));
    assert_string_equal(d, "abc");
    assert_false(sp_strlcpy(d, "abcd", sizeof d));
    assert_string_equal(d, "abc");
    assert_false(sp_strlcpy(d, "x", 1));
    assert_string_equal(d, "");
    assert_true(sp_strlcpy(d, "", 1));
    assert_true(sp_streq(NULL, NULL));
    assert_false(sp_streq(NULL, ""));
    assert_false(sp_streq("", NULL));
    assert_true(sp_streq("a", "a"));
    assert_false(sp_streq("a", "A"));
    assert_true(sp_str_prefix("abc", "ab") && sp_str_prefix("abc", "") && !sp_str_prefix("a", "ab"));
    assert_true(sp_str_suffix("abc", "bc") && sp_str_suffix("abc", "") && !sp_str_suffix("c", "bc"));
    char *s = sp_strdup_printf("%d-%s", 4, "x");
    assert_string_equal(s, "4-x");
    free(s);
}

static void formats(void **state)
{
    (void)state;
    static const struct {
        double s;
        const char *want;
    } durations[] = { { 0, "0 s" }, { 1e-9, "0 s" }, { 0.000012, "12 us" }, { 0.0009999, "1.0 ms" },
        { 0.0032, "3.2 ms" }, { 0.99994, "999.9 ms" }, { 0.99996, "1.0 s" }, { 4.1, "4.1 s" },
        { 59.94, "59.9 s" }, { 59.96, "1 min 0 s" }, { 123, "2 min 3 s" }, { 3599.6, "1 h 0 min" },
        { 7261, "2 h 1 min" }, { 90000, "1 d 1 h" }, { -4.1, "-4.1 s" }, { 1e300, "> 100000 d" } };
    char out[32];
    for (size_t i = 0; i < SP_LEN(durations); i++) {
        sp_format_duration(out, durations[i].s);
        assert_string_equal(out, durations[i].want);
    }
    sp_format_duration(out, strtod("nan", NULL));
    assert_string_equal(out, "?");
    sp_format_duration(out, strtod("-inf", NULL));
    assert_string_equal(out, "-> 100000 d");
    sp_format_count(out, 0);
    assert_string_equal(out, "0");
    sp_format_count(out, 999);
    assert_string_equal(out, "999");
    sp_format_count(out, 1000);
    assert_string_equal(out, "1,000");
    sp_format_count(out, UINT64_MAX);
    assert_string_equal(out, "18,446,744,073,709,551,615");
}

static void nearest(void **state)
{
    (void)state;
    static const char *const names[] = { "postgres", "sqlite", "mongodb", "run", "ab", NULL };
    assert_string_equal(sp_nearest("postgers", names), "postgres");
    assert_string_equal(sp_nearest("SQLite", names), "sqlite");
    assert_string_equal(sp_nearest("mongo", names), "mongodb");
    assert_string_equal(sp_nearest("rnu", names), "run");
    assert_null(sp_nearest("oracle", names));
    assert_null(sp_nearest("x", names));
    assert_null(sp_nearest("", names));
    char huge[200];
    memset(huge, 'a', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    assert_null(sp_nearest(huge, names));
    const char *const only_huge[] = { huge, NULL };
    assert_null(sp_nearest("aaaa", only_huge));
}

/* An independent judge for what a well-formed text is. */
static size_t judge(const unsigned char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        utf8proc_int32_t c;
        utf8proc_ssize_t len = utf8proc_iterate(p + i, (utf8proc_ssize_t)(n - i), &c);
        if (len <= 0) {
            return i;
        }
        i += (size_t)len;
    }
    return n;
}

static void utf8_agrees_with_the_judge(void **state)
{
    (void)state;
    static const unsigned char edge[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2,
        0xe0, 0xed, 0xf0, 0xf4, 0xff };
    unsigned char s[24];
    /* every first byte, all edges behind it, at each place relative to the eight-byte steps */
    for (size_t place = few_rounds() ? 7 : 0; place < 10; place++) {
        memset(s, 'x', sizeof s);
        for (unsigned first = 0; first < 256; first += few_rounds() ? 3 : 1) {
            for (size_t k = 0; k < SP_LEN(edge) * SP_LEN(edge) * SP_LEN(edge); k++) {
                s[place] = (unsigned char)first;
                s[place + 1] = edge[k % SP_LEN(edge)];
                s[place + 2] = edge[k / SP_LEN(edge) % SP_LEN(edge)];
                s[place + 3] = edge[k / SP_LEN(edge) / SP_LEN(edge)];
                for (size_t n = place + 1; n <= place + 4; n++) {
                    if (sp_utf8_bad_at(s, n) != judge(s, n)) {
                        fail_msg("at %zu of %zu: %02x %02x %02x %02x", place, n, s[place], s[place + 1],
                            s[place + 2], s[place + 3]);
                    }
                }
                if (sp_utf8_bad_at(s, sizeof s) != judge(s, sizeof s)) {
                    fail_msg("at %zu: %02x %02x %02x %02x", place, s[place], s[place + 1], s[place + 2],
                        s[place + 3]);
                }
            }
        }
    }
}

static void utf8_every_code_point(void **state)
{
    (void)state;
    for (utf8proc_int32_t c = 0; c < 0x110000; c++) {
        unsigned char s[4];
        if (c >= 0xd800 && c < 0xe000) {
            s[0] = 0xed;
            s[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
            s[2] = (unsigned char)(0x80 | (c & 0x3f));
            assert_false(sp_utf8_valid(s, 3));
            continue;
        }
        size_t n = (size_t)utf8proc_encode_char(c, s);
        if (!sp_utf8_valid(s, n) || (n > 1 && sp_utf8_valid(s, n - 1))) {
            fail_msg("U+%04X", (unsigned)c);
        }
    }
    assert_true(sp_utf8_valid("", 0));
    assert_int_equal(sp_utf8_bad_at("\xf4\x90\x80\x80", 4), 0);
    assert_int_equal(sp_utf8_bad_at("ab\xc0\x80", 4), 2);
    assert_int_equal(sp_utf8_bad_at("0123456789abcdef\xed\xa0\x80", 19), 16);
}

static void utf8_clean(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t n;
        bool controls;
        const char *want;
    } c[] = {
        { "", 0, true, "" },
        { "a\0b", 3, false, "a\\x00b" },
        { "\x01\x1b\x7f\t\n", 5, false, "\x01\x1b\x7f\t\n" },
        { "\x01\x1b\x7f\t\n\r", 6, true, "\\x01\\x1b\\x7f\t\n\\x0d" },
        { "\xc2\x80\xc2\x9f\xc2\xa0", 6, true, "\\xc2\\x80\\xc2\\x9f\xc2\xa0" },
        { "\xc2\x80", 2, false, "\xc2\x80" },
        { "\xe2\x82", 2, false, "\\xe2\\x82" },
        { "\xed\xa0\x80z", 4, false, "\\xed\\xa0\\x80z" },
        { "\xe2\x82\xac\xf0\x9f\x98\x80", 7, true, "\xe2\x82\xac\xf0\x9f\x98\x80" },
    };
    for (size_t i = 0; i < SP_LEN(c); i++) {
        char *got = sp_utf8_clean(c[i].in, c[i].n, c[i].controls);
        assert_string_equal(got, c[i].want);
        assert_true(sp_utf8_valid(got, strlen(got)));
        free(got);
    }
}

static void globs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *s;
        bool loose, want;
    } c[] = {
        { "", "", false, true }, { "", "a", false, false }, { "", "a", true, true },
        { "abc", "abc", false, true }, { "abc", "xabc", false, false }, { "abc", "xabcx", true, true },
        { "abd", "xabcx", true, false },
        { "a*", "xab", true, false }, /* a pattern is anchored, also when loose */
        { "*", "", false, true }, { "***", "a/b", false, true }, { "a*c", "a/b/c", false, true },
        { "a*c", "a/b/cd", false, false }, { "*a*b", "aab", false, true },
        { "*ab*abc", "ababxabc", false, true }, { "?", "", false, false }, { "?", "a", false, true },
        { "?", "\xc3\xa9", false, true }, { "??", "\xc3\xa9", false, false }, { "?", "\xff", false, true },
        { "a?", "a", false, false }, { "[abc]", "b", false, true }, { "[abc]", "d", false, false },
        { "[a-c]x", "bx", false, true }, { "[!a-c]", "b", false, false }, { "[^a-c]", "d", false, true },
        { "[]]", "]", false, true }, { "[!]]", "]", false, false }, { "[a-]", "-", false, true },
        { "[]", "[]", false, true }, /* without an end: literal */
        { "a[b", "a[b", false, true }, { "a[b", "xa[bx", true, true }, { "[*]", "*", false, true },
        { "[*]", "a", false, false }, { "[\xc3\xa0-\xc3\xaf]", "\xc3\xa9", false, true },
        { "[\xc3\xa0-\xc3\xa5]", "\xc3\xa9", false, false }, { "[c-a]", "b", false, false },
        { "*[0-9]", "case7", false, true }, { "A", "a", true, false },
        { "*\xc3", "\xc3\xa9", false, false }, /* half a character is none */
    };
    for (size_t i = 0; i < SP_LEN(c); i++) {
        if (sp_glob(c[i].pattern, c[i].s, c[i].loose) != c[i].want) {
            fail_msg("'%s' on '%s' should be %d", c[i].pattern, c[i].s, c[i].want);
        }
    }
}

static void globs_do_not_explode(void **state)
{
    (void)state;
    enum { N = 20000, STARS = 100 };
    char *s = malloc(N + 1);
    char *p = malloc(N + 3);
    assert_true(s != NULL && p != NULL);
    memset(s, 'a', N);
    s[N] = '\0';
    for (size_t i = 0; i < STARS; i++) {
        memcpy(p + 2 * i, "*a", 2);
    }
    (void)sp_strlcpy(p + 2 * STARS, "b", 2);
    clock_t start = clock();
    assert_false(sp_glob(p, s, false));
    /* brackets that never close, against a text of the same */
    memset(p, '[', N);
    p[0] = '*';
    p[N] = '\0';
    memset(s, '[', N);
    assert_true(sp_glob(p, s, false));
    assert_true(clock() - start < 5 * CLOCKS_PER_SEC);
    free(s);
    free(p);
}

static void random_numbers(void **state)
{
    (void)state;
    struct sp_rng r;
    sp_rng_seed(&r, 1234567); /* published values of splitmix64 */
    assert_true(r.s[0] == UINT64_C(6457827717110365317));
    assert_true(r.s[1] == UINT64_C(3203168211198807973));
    assert_true(r.s[2] == UINT64_C(9817491932198370423));
    assert_true(r.s[3] == UINT64_C(4593380528125082431));
    r = (struct sp_rng){ { 1, 2, 3, 4 } }; /* published values of xoshiro256** */
    assert_true(sp_rng_u64(&r) == 11520);
    assert_true(sp_rng_u64(&r) == 0);
    assert_true(sp_rng_u64(&r) == 1509978240);
    assert_true(sp_rng_u64(&r) == UINT64_C(1215971899390074240));

    unsigned seen[7] = { 0 };
    sp_rng_seed(&r, 0);
    for (int i = 0; i < 70000; i++) {
        uint64_t v = sp_rng_below(&r, 7);
        assert_true(v < 7);
        seen[v]++;
        double u = sp_rng_unit(&r);
        assert_true(u >= 0 && u < 1);
    }
    for (size_t i = 0; i < 7; i++) {
        assert_true(seen[i] > 9500 && seen[i] < 10500);
    }
    /* Just above half of the range, a plain remainder would make the lower half twice as likely. */
    unsigned low = 0;
    for (int i = 0; i < 10000; i++) {
        uint64_t n = UINT64_C(3) << 62;
        uint64_t v = sp_rng_below(&r, n);
        assert_true(v < n);
        low += v < n / 3;
    }
    assert_true(low > 3000 && low < 3700);
    assert_true(sp_rng_below(&r, 1) == 0);
    assert_true(sp_hash_str("") == UINT64_C(0x2d06800538d394c2)); /* published value of XXH3 */
    assert_true(sp_hash_str("a") != sp_hash_str("b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_compares),
        cmocka_unit_test(formats),
        cmocka_unit_test(nearest),
        cmocka_unit_test(utf8_agrees_with_the_judge),
        cmocka_unit_test(utf8_every_code_point),
        cmocka_unit_test(utf8_clean),
        cmocka_unit_test(globs),
        cmocka_unit_test(globs_do_not_explode),
        cmocka_unit_test(random_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
