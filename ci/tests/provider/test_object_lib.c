/* test_object_lib.c -- what the storage facets share: bounds of a listing in octets and in text, reading in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "providers/lib/object.h"

static void test_text_after(void **state)
{
    static const struct {
        const char *text, *want; /* NULL: nothing lies behind */
    } rows[] = {
        { "", NULL },
        { "a", "b" },
        { "dir/", "dir0" },
        { "a\x7f", "a\xc2\x80" },
        { "\xdf\xbf", "\xe0\xa0\x80" },
        { "\xed\x9f\xbf", "\xee\x80\x80" }, /* over the surrogates */
        { "\xef\xbf\xbf", "\xf0\x90\x80\x80" },
        { "caf\xc3\xa9", "caf\xc3\xaa" },
        { "a\xf4\x8f\xbf\xbf", "b" },
        { "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf", NULL },
    };
    struct sp_buf b = SP_BUF_INIT;
    (void)state;
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        int ret = sp_object_text_after(&b, rows[i].text);
        assert_int_equal(ret, rows[i].want == NULL ? -SP_E_NOT_FOUND : 0);
        if (ret == 0)
            assert_string_equal(b.p, rows[i].want);
    }
    sp_buf_free(&b);
}

static void test_text_from(void **state)
{
    static const struct {
        const char *prefix, *want; /* NULL: no text begins so */
    } rows[] = {
        { "", "" },
        { "a", "a" },
        { "caf\xc3\xa9", "caf\xc3\xa9" },
        { "caf\xc3", "caf\xc3\x80" },
        { "\xe0", "\xe0\xa0\x80" },
        { "\xe0\xa5", "\xe0\xa5\x80" },
        { "\xed", "\xed\x80\x80" },
        { "\xf0", "\xf0\x90\x80\x80" },
        { "\xf0\x9f", "\xf0\x9f\x80\x80" },
        { "\xf4\x8f\xbf", "\xf4\x8f\xbf\x80" },
        { "\x80", NULL },
        { "a\xff", NULL },
        { "\xc3\xa9\xa9", NULL },
        { "\xed\xa0", NULL }, /* a surrogate */
        { "\xc0", NULL },
        { "\xf5", NULL },
        { "\xc3x", NULL },
    };
    struct sp_buf b = SP_BUF_INIT;
    (void)state;
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        int ret = sp_object_text_from(&b, rows[i].prefix);
        assert_int_equal(ret, rows[i].want == NULL ? -SP_E_NOT_FOUND : 0);
        if (ret == 0)
            assert_string_equal(b.p == NULL ? "" : b.p, rows[i].want);
    }
    sp_buf_free(&b);
}

static int keep(void *payload, const void *p, size_t n)
{
    return sp_buf_put(payload, p, n);
}

static void test_reader(void **state)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_buf got = SP_BUF_INIT;
    struct sp_object_reader r;
    struct sp_object o = {
        .key = "k", .size = 5, .etag = "36bbe50ed96841d10443bcb670d6554f0a34b761be67ec9c4a8ad2c0c44ca42c"
    }; /* abcde */
    (void)state;
    /* pieces that overlap, begin before and end behind */
    assert_int_equal(sp_object_reader_begin(&r, &o, 1, 3, keep, &got, &err), 0);
    assert_int_equal(sp_object_reader_add(&r, 0, "ab", 2, &err), 0);
    assert_int_equal(sp_object_reader_end(&r, NULL), -SP_E_CORRUPT);
    assert_int_equal(sp_object_reader_add(&r, 1, "bcde", 4, &err), 0);
    assert_int_equal(sp_object_reader_end(&r, &err), 0);
    assert_string_equal(got.p, "bcd");
    sp_object_reader_free(&r);
    /* a gap, and a piece that lies before */
    assert_int_equal(sp_object_reader_begin(&r, &o, 1, 3, keep, &got, &err), 0);
    assert_int_equal(sp_object_reader_add(&r, 2, "cde", 3, NULL), -SP_E_CORRUPT);
    assert_int_equal(sp_object_reader_add(&r, 0, "a", 1, NULL), -SP_E_CORRUPT);
    sp_object_reader_free(&r);
    /* the whole proves itself */
    static const char *const contents[] = { "abcde", "abcdf" };
    for (int i = 0; i < 2; i++) {
        assert_int_equal(sp_object_reader_begin(&r, &o, 0, SP_TO_END, NULL, NULL, &err), 0);
        assert_int_equal(sp_object_reader_add(&r, 0, contents[i], 5, &err), 0);
        assert_int_equal(sp_object_reader_end(&r, NULL), i == 0 ? 0 : -SP_E_CORRUPT);
        sp_object_reader_free(&r);
    }
    assert_int_equal(sp_object_reader_begin(&r, &o, 5, 1, NULL, NULL, NULL), -SP_E_RANGE);
    assert_int_equal(sp_object_reader_begin(&r, &o, UINT64_MAX, 1, NULL, NULL, NULL), -SP_E_RANGE);
    sp_buf_free(&got);
    sp_error_clear(&err);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_text_after), cmocka_unit_test(test_text_from),
        cmocka_unit_test(test_reader) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
