/* JSON: what is refused, and the canonical form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/json.h"

static void bad_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", " ", "{", "}", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
        "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{\"a\":1 \"b\":2}", "{\"a\" 1}",
        "{1:2}", "[1}", "{\"a\":1]", "tru", "True", "nul", "nulll", "NaN", "Infinity", "-Infinity",
        "undefined", "01", "-", "-01", "+1", "1.", ".5", "1e", "1e+", "1.e5", "0x1", "1 2", "1,", "\"",
        "\"abc", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\n\"", "\"\t\"", "\"\\ud800\"",
        "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\udc00\"", "\"\\ud800\\ud800\"", "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"b\":0,\"a\":1}", "{\"a\":1,\"\\u0061\":1}", "{\"/\":1,\"\\/\":1}",
        "{\"x\":{\"a\":1,\"a\":1}}", "[{\"\":1,\"\":1}]", "\xff", "\"\xff\"", "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "\xef\xbb\xbf{}", "{}x", "[] []", "//\n1", "/**/1",
        "\"a\" \"b\"", "\v1" };
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        struct sp_buf out = SP_BUF_INIT;
        struct sp_error err = SP_ERROR_INIT;
        sp_buf_puts(&out, "kept");
        if (sp_json_check(bad[i], strlen(bad[i]), &err) != -SP_E_INVALID)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(sp_error_text(&err), "byte"));
        assert_int_equal(sp_json_canonical(&out, bad[i], strlen(bad[i]), NULL), -SP_E_INVALID);
        assert_string_equal(out.p, "kept");
        sp_error_clear(&err);
        sp_buf_free(&out);
    }
    assert_int_equal(sp_json_check("1\0", 2, NULL), -SP_E_INVALID);
    assert_int_equal(sp_json_check("\"\0\"", 3, NULL), -SP_E_INVALID);
}

static void one_form_for_equal_values(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = { { " null ", "null" }, { "true", "true" }, { "[ ]", "[]" }, { "{ }", "{}" },
        { "{\"b\":[1,2],\"a\":{\"d\":1,\"c\":2}}", "{\"a\":{\"c\":2,\"d\":1},\"b\":[1,2]}" },
        { "{\"b\":1,\"\":2,\"a\":3,\"B\":4,\"aa\":5}", "{\"\":2,\"B\":4,\"a\":3,\"aa\":5,\"b\":1}" },
        /* by unescaped names: " is 0x22, before A; \n is 0x0a, before all; UTF-8 order is code point order */
        { "{\"A\":1,\"\\\"\":2,\"\\n\":3,\"\\\\\":4}", "{\"\\n\":3,\"\\\"\":2,\"A\":1,\"\\\\\":4}" },
        { "{\"\\ud83d\\ude00\":1,\"\\uffff\":2}", "{\"\xef\xbf\xbf\":2,\"\xf0\x9f\x98\x80\":1}" },
        { "\"\\u0041\\/\\u00e4\\b\\f\\n\\r\\t\\u0000\\u001F\\u007f\"",
            "\"A/\xc3\xa4\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\"" },
        { "[1.0,1,10e-1,1E0,100e-2]", "[1,1,1,1,1]" }, { "[0,-0,0.0,-0.0e5,0e10]", "[0,-0,0,-0,0]" },
        { "[1.10,1.1000000000000001]", "[1.1,1.1000000000000001]" },
        { "[9223372036854775808,18446744073709551617]", "[9223372036854775808,18446744073709551617]" },
        { "[1e2,1E+2,100]", "[100,100,100]" }, { "1e400", "1e+400" }, { "-12.5e-100", "-1.25e-99" },
        { "1000000000000000000000000000000000000000000000000000000000000", "1e+60" },
        { "100000000000000000000000000000000000000000000000000000000000",
            "100000000000000000000000000000000000000000000000000000000000" } };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_buf out = SP_BUF_INIT, again = SP_BUF_INIT;
        assert_int_equal(sp_json_check(cases[i].in, strlen(cases[i].in), NULL), 0);
        assert_int_equal(sp_json_canonical(&out, cases[i].in, strlen(cases[i].in), NULL), 0);
        assert_string_equal(out.p, cases[i].out);
        assert_int_equal(sp_json_canonical(&again, out.p, out.n, NULL), 0);
        assert_string_equal(again.p, out.p);
        sp_buf_free(&out);
        sp_buf_free(&again);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[4 * SP_JSON_DEPTH + 16];
    memset(text, '[', SP_JSON_DEPTH + 1);
    memset(text + SP_JSON_DEPTH + 1, ']', SP_JSON_DEPTH + 1);
    assert_int_equal(sp_json_check(text + 1, 2 * SP_JSON_DEPTH, NULL), 0);
    assert_int_equal(sp_json_check(text, 2 * SP_JSON_DEPTH + 2, NULL), -SP_E_INVALID);
    size_t n = 1000000;
    char *deep = malloc(n);
    assert_non_null(deep);
    memset(deep, '[', n);
    assert_int_equal(sp_json_check(deep, n, NULL), -SP_E_INVALID);
    free(deep);
}

static void numbers_beyond_the_limits(void **state)
{
    (void)state;
    struct sp_buf out = SP_BUF_INIT;
    assert_int_equal(sp_json_check("1e1000001", 9, NULL), 0);
    assert_int_equal(sp_json_canonical(&out, "1e1000001", 9, NULL), -SP_E_RANGE);
    sp_buf_free(&out);
}

/* Members in any order and any spelling of the blanks give the same bytes. */
static void shuffled_objects_are_equal(void **state)
{
    (void)state;
    struct sp_rng rng;
    sp_rng_seed(&rng, 5);
    for (int round = 0; round < 300; round++) {
        struct sp_buf a = SP_BUF_INIT, b = SP_BUF_INIT, ca = SP_BUF_INIT, cb = SP_BUF_INIT;
        int n = (int)sp_rng_below(&rng, 40), at[40];
        for (int i = 0; i < n; i++)
            at[i] = i;
        for (int i = n; i > 1; i--) {
            int k = (int)sp_rng_below(&rng, (uint64_t)i), t = at[i - 1];
            at[i - 1] = at[k];
            at[k] = t;
        }
        for (int i = 0; i < n; i++) {
            sp_buf_printf(&a, "%s\"k%d\":{\"z\":[%d],\"y\":\"v\"}", i != 0 ? "," : "{", i, i);
            sp_buf_printf(&b, "%s\n\"\\u006b%d\" : { \"y\":\"\\u0076\", \"z\":[%d.0] }", i != 0 ? " ," : "{",
                at[i], at[i]);
        }
        sp_buf_puts(&a, n != 0 ? "}" : "{}");
        sp_buf_puts(&b, n != 0 ? "}" : "{ }");
        assert_int_equal(sp_json_canonical(&ca, a.p, a.n, NULL), 0);
        assert_int_equal(sp_json_canonical(&cb, b.p, b.n, NULL), 0);
        assert_string_equal(ca.p, cb.p);
        assert_int_equal(sp_json_first_difference(&ca, a.p, a.n, b.p, b.n), 1);
        sp_buf_free(&a);
        sp_buf_free(&b);
        sp_buf_free(&ca);
        sp_buf_free(&cb);
    }
}

static void differences_have_a_place(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *where;
    } cases[] = { { "1", "2", "" }, { "[]", "{}", "" }, { "[1,2]", "[1,3]", "/1" }, { "[1]", "[1,2]", "/1" },
        { "[]", "[1]", "/0" }, { "[1,2]", "[]", "/0" }, { "{\"a\":1}", "{\"a\":2}", "/a" },
        { "{\"a\":1}", "{\"a\":1,\"b\":2}", "/b" }, { "{}", "{\"b\":2}", "/b" }, { "{\"b\":2}", "{}", "/b" },
        { "{\"a\":1,\"c\":1}", "{\"b\":1,\"c\":1}", "/a" },
        { "{\"x\":[0,{\"k/~\":[1]}]}", "{\"x\":[0,{\"k/~\":[1.5]}]}", "/x/1/k~1~0/0" },
        { "{\"x\":{\"y\":1},\"z\":1}", "{\"z\":2,\"x\":{\"y\":1}}", "/z" },
        { "[[1,2],3]", "[[1],3]", "/0/1" }, { "{\"a\":\"x\"}", "{\"a\":[\"x\"]}", "/a" },
        { "{\"a\":{}}", "{\"a\":{\"b\":1}}", "/a/b" }, { "[12]", "[123]", "/0" } };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_buf out = SP_BUF_INIT;
        const char *a = cases[i].a, *b = cases[i].b;
        for (int swap = 0; swap < 2; swap++) {
            sp_buf_clear(&out);
            sp_buf_puts(&out, "@");
            assert_int_equal(sp_json_first_difference(&out, a, strlen(a), b, strlen(b)), 0);
            assert_string_equal(out.p + 1, cases[i].where);
            a = cases[i].b;
            b = cases[i].a;
        }
        sp_buf_free(&out);
    }
    struct sp_buf out = SP_BUF_INIT;
    assert_int_equal(sp_json_first_difference(&out, "[", 1, "1", 1), -SP_E_INVALID);
    sp_buf_free(&out);
}

static void quoting_makes_valid_json(void **state)
{
    (void)state;
    struct sp_buf out = SP_BUF_INIT;
    assert_int_equal(sp_json_quote(&out, "a\"\\\x01\n\0\xc3\xa4", 8), 0);
    assert_string_equal(out.p, "\"a\\\"\\\\\\u0001\\n\\u0000\xc3\xa4\"");
    assert_int_equal(sp_json_check(out.p, out.n, NULL), 0);
    sp_buf_clear(&out);
    assert_int_equal(sp_json_quote(&out, "a\xff", 2), 0);
    assert_string_equal(out.p, "\"a\\\\xff\"");
    sp_buf_free(&out);
}

/* Random damage to a valid text is either refused or canonical twice over; under sanitizers this is the fuzzer. */
static void damaged_texts_are_handled(void **state)
{
    (void)state;
    static const char seed[] = "{\"a\":[1,-2.5e3,\"x\\u00e4\\n\",true,null],\"b\":{\"c\":{}, "
                               "\"d\":[[]]},\"e\":\"\xf0\x9f\x98\x80\"}";
    static const char alphabet[] = "{}[],:\"\\u019eE.-+ tfn\xc3\x80";
    struct sp_rng rng;
    sp_rng_seed(&rng, 99);
    for (int i = 0; i < 20000; i++) {
        char text[sizeof seed];
        size_t n = sizeof seed - 1;
        memcpy(text, seed, n);
        for (uint64_t k = sp_rng_below(&rng, 4) + 1; k > 0; k--)
            text[sp_rng_below(&rng, n)] = alphabet[sp_rng_below(&rng, sizeof alphabet - 1)];
        n -= sp_rng_below(&rng, 4) == 0 ? sp_rng_below(&rng, n) : 0;
        struct sp_buf out = SP_BUF_INIT, again = SP_BUF_INIT;
        int rc = sp_json_canonical(&out, text, n, NULL);
        assert_true(rc == 0 || rc == -SP_E_INVALID);
        assert_int_equal(sp_json_check(text, n, NULL), rc);
        if (rc == 0) {
            assert_int_equal(sp_json_canonical(&again, out.p, out.n, NULL), 0);
            assert_string_equal(out.p, again.p);
        }
        sp_buf_free(&out);
        sp_buf_free(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(one_form_for_equal_values),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(numbers_beyond_the_limits),
        cmocka_unit_test(shuffled_objects_are_equal),
        cmocka_unit_test(differences_have_a_place),
        cmocka_unit_test(quoting_makes_valid_json),
        cmocka_unit_test(damaged_texts_are_handled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
