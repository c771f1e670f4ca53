/* test_json_reader.c -- tokens are the same wherever a text is cut, and what is not JSON is an error wherever it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "model/json.h"
#include "providers/lib/json/reader.h"

/* Writes tokens down: one line each. */
static int write_down(void *payload, enum sp_json_token t, size_t depth, const char *p, size_t n)
{
    static const char kinds[] = "{}[]:snTFN";
    struct sp_buf *b = payload;
    sp_buf_printf(b, "%zu%c", depth, kinds[t]);
    sp_buf_put(b, p, n);
    return sp_buf_putc(b, '\n');
}

/* In pieces: cut at a and b. 0 or the error. */
static int read_cut(struct sp_buf *out, const char *p, size_t n, size_t a, size_t b)
{
    struct sp_json_reader *r = sp_json_reader_new(write_down, out);
    char *copy = malloc(n + 1); /* exact pieces: a byte too far is seen by the sanitizer */
    size_t cuts[] = { 0, a, b, n };
    int ret = 0;
    for (size_t i = 0; ret == 0 && i < 3; i++) {
        char *piece = malloc(cuts[i + 1] - cuts[i] + (cuts[i + 1] == cuts[i]));
        memcpy(piece, p + cuts[i], cuts[i + 1] - cuts[i]);
        ret = sp_json_push(r, piece, cuts[i + 1] - cuts[i], NULL);
        free(piece);
    }
    if (ret == 0)
        ret = sp_json_finish(r, NULL);
    sp_json_reader_free(r);
    free(copy);
    return ret;
}

static const struct {
    const char *text, *tokens;
} good[] = {
    { "null", "0N\n" },
    { " true ", "0T\n" },
    { "\t\n\r false", "0F\n" },
    { "\"\"", "0s\n" },
    { "0", "0n0\n" },
    { "-0", "0n-0\n" },
    { "9223372036854775807", "0n9223372036854775807\n" },
    { "123456789012345678901234567890.10", "0n123456789012345678901234567890.10\n" },
    { "-1.5e-300", "0n-1.5e-300\n" },
    { "1E+2", "0n1E+2\n" },
    { "[]", "0[\n0]\n" },
    { "{}", "0{\n0}\n" },
    { "[[],{}]", "0[\n1[\n1]\n1{\n1}\n0]\n" },
    { "[1,\"a\",null]", "0[\n1n1\n1sa\n1N\n0]\n" },
    { "{\"a\":1,\"b\":{\"a\":[true]}}", "0{\n1:a\n1n1\n1:b\n1{\n2:a\n2[\n3T\n2]\n1}\n0}\n" },
    { "{\"\":\"\"}", "0{\n1:\n1s\n0}\n" },
    { "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "0sa\"\\/\b\f\n\r\t\n" },
    { "\"\\u00e9\\u20AC\\uD83D\\uDE00x\"", "0s\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80x\n" },
    { "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "0s\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n" },
    { "{\"a\\u0062\":1,\"a\":2}", "0{\n1:ab\n1n1\n1:a\n1n2\n0}\n" },
};

static const char *const refused[] = { "", " ", "nul", "nulll", "nul ", "True", "[", "]", "{", "}", "[1",
    "[1,", "[1,]", "[,1]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}",
    "{\"a\" 1}", "[1 2]", "1 2", "\"a", "\"a\\", "\"a\\u12", "\"\\x\"", "\"\\u12g4\"", "\"\\ud800\"",
    "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\x01\"", "\"\n\"", "\"\xff\"",
    "\"\xc3\"", "\"\xed\xa0\x80\"", "\xef\xbb\xbf\x31", "01", "-", "1.", ".5", "+1", "1e", "1e+", "1.e1",
    "--1", "1-1", "0x10", "NaN", "Infinity", "'a'", "{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}",
    "[{\"a\":1,\"b\":2,\"a\":3}]", "[1]]", "{}}", "[}", "{]", "/**/1", "[1,\"a\":2]" };

static void every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_LEN(good); i++) {
        size_t n = strlen(good[i].text);
        for (size_t a = 0; a <= n; a++)
            for (size_t b = a; b <= n; b++) {
                struct sp_buf out = SP_BUF_INIT;
                if (read_cut(&out, good[i].text, n, a, b) != 0 || strcmp(out.p, good[i].tokens) != 0)
                    fail_msg("%s cut at %zu and %zu: %s", good[i].text, a, b, out.p);
                sp_buf_free(&out);
            }
    }
    for (size_t i = 0; i < SP_LEN(refused); i++) {
        size_t n = strlen(refused[i]);
        for (size_t a = 0; a <= n; a++)
            for (size_t b = a; b <= n; b++) {
                struct sp_buf out = SP_BUF_INIT;
                if (read_cut(&out, refused[i], n, a, b) != -SP_E_INVALID)
                    fail_msg("'%s' cut at %zu and %zu is taken for JSON", refused[i], a, b);
                sp_buf_free(&out);
            }
    }
}

/* An answer that was cut off is never a whole one. */
static void every_truncation(void **state)
{
    (void)state;
    static const char text[] =
        "[{\"id\":1,\"name\":\"\\u00e9\",\"tags\":[1.5,null,true],\"o\":{\"a\":{}}},{\"id\":2}]";
    for (size_t n = 0; n + 1 < sizeof text; n++) {
        struct sp_buf out = SP_BUF_INIT;
        assert_int_equal(read_cut(&out, text, n, n / 2, n), -SP_E_INVALID);
        sp_buf_free(&out);
    }
}

/* Broken bytes: this reader and the one that judges whole values are of one mind. */
static void of_one_mind(void **state)
{
    (void)state;
    static const char seed[] = "{\"a\":[1,-2.5e3,\"x\\u00e9\\n\",true,null],\"b\":{\"c\":\"\xc3\xa9\"}}";
    static const char bytes[] = "{}[]\",:\\u019aeE+-. tfn\x01\xff\xc3";
    struct sp_rng rng;
    sp_rng_seed(&rng, 7);
    for (int round = 0; round < 40000; round++) {
        char text[sizeof seed];
        size_t n = sizeof seed - 1;
        memcpy(text, seed, sizeof seed);
        for (uint64_t k = 1 + sp_rng_below(&rng, 3); k > 0; k--)
            text[sp_rng_below(&rng, n)] = bytes[sp_rng_below(&rng, sizeof bytes - 1)];
        if (sp_rng_below(&rng, 4) == 0)
            n = (size_t)sp_rng_below(&rng, n);
        struct sp_buf out = SP_BUF_INIT;
        size_t a = (size_t)sp_rng_below(&rng, n + 1);
        bool mine = read_cut(&out, text, n, a, a) == 0, theirs = sp_json_check(text, n, NULL) == 0;
        sp_buf_free(&out);
        text[n] = '\0';
        if (mine != theirs)
            fail_msg("%s: %d here, %d there", text, mine, theirs);
    }
}

static void bounds(void **state)
{
    (void)state;
    char deep[2 * SP_JSON_DEPTH + 3];
    struct sp_buf out = SP_BUF_INIT;
    memset(deep, '[', SP_JSON_DEPTH);
    memset(deep + SP_JSON_DEPTH, ']', SP_JSON_DEPTH);
    assert_int_equal(sp_json_read(deep, 2 * SP_JSON_DEPTH, write_down, &out, NULL), 0);
    memset(deep, '[', SP_JSON_DEPTH + 1);
    assert_int_equal(sp_json_read(deep, SP_JSON_DEPTH + 1, write_down, &out, NULL), -SP_E_INVALID);
    sp_buf_clear(&out);
    sp_buf_putc(&out, '{');
    for (int i = 0; i < 20000; i++) /* many members of one object, two alike at the ends */
        sp_buf_printf(&out, "%s\"k%d\":0", i > 0 ? "," : "", i == 19999 ? 0 : i);
    sp_buf_putc(&out, '}');
    struct sp_buf none = SP_BUF_INIT;
    assert_int_equal(sp_json_read(out.p, out.n, write_down, &none, NULL), -SP_E_INVALID);
    sp_buf_free(&none);
    sp_buf_free(&out);
}

static int stop_at_number(void *payload, enum sp_json_token t, size_t depth, const char *p, size_t n)
{
    (void)payload, (void)depth, (void)p, (void)n;
    return t == SP_JT_NUMBER ? -SP_E_CANCELLED : 0;
}

static void errors_stay(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_json_reader *r = sp_json_reader_new(stop_at_number, NULL);
    assert_int_equal(sp_json_push(r, "[1,", 3, &err), -SP_E_CANCELLED);
    assert_int_not_equal(sp_json_push(r, "2]", 2, NULL), 0);
    assert_int_not_equal(sp_json_finish(r, NULL), 0);
    sp_json_reader_free(r);
    assert_int_equal(sp_json_read("[1, x]", 6, stop_at_number, NULL, &err), -SP_E_CANCELLED);
    assert_int_equal(sp_json_read("[nope]", 6, stop_at_number, NULL, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "byte 2"));
    sp_error_clear(&err);
}

static void members(void **state)
{
    (void)state;
    char out[8];
    static const char text[] = "{\"x\":{\"code\":\"no\"},\"code\":\"23505\",\"n\":-1.50,\"t\":true,\"z\":"
                               "null,\"long\":\"0123456789\"}";
    assert_true(sp_json_member(text, sizeof text - 1, "code", out, sizeof out));
    assert_string_equal(out, "23505");
    assert_true(sp_json_member(text, sizeof text - 1, "n", out, sizeof out));
    assert_string_equal(out, "-1.50");
    assert_true(sp_json_member(text, sizeof text - 1, "t", out, sizeof out));
    assert_string_equal(out, "true");
    assert_true(sp_json_member(text, sizeof text - 1, "z", out, sizeof out));
    assert_string_equal(out, "");
    assert_true(sp_json_member(text, sizeof text - 1, "x", out, sizeof out));
    assert_string_equal(out, "");
    assert_true(sp_json_member(text, sizeof text - 1, "long", out, sizeof out));
    assert_string_equal(out, "0123456");
    assert_false(sp_json_member("[1]", 3, "code", out, sizeof out));
    assert_false(sp_json_member("{\"code\":\"x\"", 11, "code", out, sizeof out));
    assert_string_equal(out, "");
    assert_false(sp_json_member("<html>", 6, "code", out, sizeof out));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(of_one_mind),
        cmocka_unit_test(bounds),
        cmocka_unit_test(errors_stay),
        cmocka_unit_test(members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
