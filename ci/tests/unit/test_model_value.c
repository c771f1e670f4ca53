/* Values: names, equality, copies, what people read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/value.h"

static void tags_have_names(void **state)
{
    (void)state;
    for (int t = 0; t < SP_TAG_N; t++) {
        enum sp_tag back;
        assert_int_equal(sp_tag_parse(sp_tag_name((enum sp_tag)t), &back), 0);
        assert_int_equal(back, t);
    }
    enum sp_tag x = SP_INT;
    assert_int_equal(sp_tag_parse("integer", &x), -SP_E_INVALID);
    assert_int_equal(x, SP_INT);
    assert_string_equal(sp_tag_name(SP_TAG_N), "?");
}

/* A table of values of which no two are equal. */
static size_t distinct(struct sp_arena *a, struct sp_value *v)
{
    static const uint8_t u1[16] = { 1 }, u2[16] = { 2 };
    static const float f1[] = { 1.0f, -0.0f }, f2[] = { 1.0f, 0.0f };
    struct sp_value *e = sp_arena_array(a, 4, sizeof *e);
    e[0] = sp_v_int(1);
    e[1] = sp_v_null();
    e[2] = sp_v_null();
    e[3] = sp_v_int(1);
    size_t n = 0;
    v[n++] = sp_v_missing();
    v[n++] = sp_v_null();
    v[n++] = sp_v_bool(false);
    v[n++] = sp_v_bool(true);
    v[n++] = sp_v_int(0);
    v[n++] = sp_v_int(1);
    v[n++] = sp_v_dec_text(a, "0");
    v[n++] = sp_v_dec_text(a, "1");
    v[n++] = sp_v_dec_text(a, "-1");
    v[n++] = sp_v_dec_text(a, "1.0000000000000000000000000001");
    v[n++] = sp_v_f32(1.0f);
    v[n++] = sp_v_f32(-0.0f);
    v[n++] = sp_v_f64(1.0);
    v[n++] = sp_v_f64(0.0);
    v[n++] = sp_v_f64(-0.0);
    v[n++] = sp_v_f64(0.1);
    v[n++] = sp_v_f64((double)0.1f);
    v[n++] = sp_v_f64(NAN);
    v[n++] = sp_v_f64(INFINITY);
    v[n++] = sp_v_text("");
    v[n++] = sp_v_text("NULL");
    v[n++] = sp_v_text("a");
    v[n++] = sp_v_textn("a\0", 2);
    v[n++] = sp_v_bytes("a", 1);
    v[n++] = sp_v_bytes("", 0);
    v[n++] = sp_v_uuid(u1);
    v[n++] = sp_v_uuid(u2);
    v[n++] = sp_v_instant(0, 0);
    v[n++] = sp_v_instant(0, 1);
    v[n++] = sp_v_local(0, 0);
    v[n++] = sp_v_date(0);
    v[n++] = sp_v_time(0);
    v[n++] = sp_v_json("1");
    v[n++] = sp_v_json("-0");
    v[n++] = sp_v_json("0");
    v[n++] = sp_v_json("[1");
    v[n++] = sp_v_json("[1 ");
    v[n++] = sp_v_json("null");
    v[n++] = sp_v_array(SP_INT, NULL, 0);
    v[n++] = sp_v_array(SP_TEXT, NULL, 0);
    v[n++] = sp_v_array(SP_INT, e, 2);
    v[n++] = sp_v_array(SP_INT, e + 2, 2);
    v[n++] = sp_v_vector(f1, 2);
    v[n++] = sp_v_vector(f2, 2);
    v[n++] = sp_v_ref("a");
    v[n++] = sp_v_native("interval", "a", 1);
    v[n++] = sp_v_native("interva", "la", 2);
    return n;
}

static void equality_tells_everything_apart(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT, b = SP_ARENA_INIT;
    struct sp_value v[64], copy;
    size_t n = distinct(&a, v);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++)
            assert_int_equal(sp_value_equal(&v[i], &v[k]), i == k);
        assert_int_equal(sp_value_copy(&b, &copy, &v[i]), 0);
        assert_true(sp_value_equal(&v[i], &copy));
    }
    sp_arena_free(&a);
    sp_arena_free(&b);
}

static void equality_is_by_content(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value x = sp_v_dec_text(&a, "1.00"), y = sp_v_dec_text(&a, "1e0");
    assert_true(sp_value_equal(&x, &y));
    x = sp_v_json("{\"b\":1.0,\"a\":[ ]}");
    y = sp_v_json("{\"a\":[],\"\\u0062\":1}");
    assert_true(sp_value_equal(&x, &y));
    uint64_t bits = UINT64_C(0xfff8000000001234);
    double odd_nan;
    memcpy(&odd_nan, &bits, 8);
    x = sp_v_f64(odd_nan);
    y = sp_v_f64(NAN);
    assert_true(sp_value_equal(&x, &y));
    sp_arena_free(&a);
}

static void a_copy_is_deep(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    char text[] = "abc", type[] = "point";
    struct sp_value v[2] = { sp_v_text(text), sp_v_native(type, text, 3) }, copy, want = sp_v_text("abc");
    struct sp_value array = sp_v_array(SP_MISSING, v, 2);
    assert_int_equal(sp_value_copy(&a, &copy, &array), 0);
    text[0] = 'X';
    type[0] = 'X';
    v[0] = sp_v_null();
    assert_true(sp_value_equal(&copy.u.array.v[0], &want));
    assert_string_equal(copy.u.array.v[1].u.native.type, "point");
    assert_memory_equal(copy.u.array.v[1].u.native.p, "abc", 3);
    sp_arena_free(&a);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    static struct sp_value v[SP_VALUE_DEPTH + 3];
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_value copy;
    v[0] = sp_v_int(1);
    for (size_t i = 1; i < SP_LEN(v); i++)
        v[i] = sp_v_array(i == 1 ? SP_INT : SP_ARRAY, &v[i - 1], 1);
    assert_int_equal(sp_value_copy(&a, &copy, &v[SP_VALUE_DEPTH]), 0);
    assert_true(sp_value_equal(&copy, &v[SP_VALUE_DEPTH]));
    assert_int_equal(sp_value_copy(&a, &copy, &v[SP_VALUE_DEPTH + 2]), -SP_E_TOO_LARGE);
    assert_false(sp_value_equal(&v[SP_VALUE_DEPTH + 2], &v[SP_VALUE_DEPTH + 2]));
    sp_arena_free(&a);
}

static void assert_prints(struct sp_value v, size_t max, const char *want)
{
    struct sp_buf b = SP_BUF_INIT;
    assert_int_equal(sp_value_print(&b, &v, max), 0);
    assert_string_equal(b.p, want);
    sp_buf_free(&b);
}

static void printing_shows_what_matters(void **state)
{
    (void)state;
    struct sp_arena a = SP_ARENA_INIT;
    uint8_t u[16];
    static const float f[] = { 0.1f, 2.0f };
    struct sp_value e[] = { sp_v_int(1), sp_v_null() };
    assert_prints(sp_v_missing(), 0, "missing");
    assert_prints(sp_v_null(), 0, "null");
    assert_prints(sp_v_bool(true), 0, "true");
    assert_prints(sp_v_int(INT64_MIN), 0, "int -9223372036854775808");
    assert_prints(sp_v_dec_text(&a, "-12.50"), 0, "decimal -12.5");
    assert_prints(sp_v_f64(-0.0), 0, "float64 -0.0");
    assert_prints(sp_v_f64(0.1 + 0.2), 0, "float64 0.30000000000000004");
    assert_prints(sp_v_f64(NAN), 0, "float64 NaN");
    assert_prints(sp_v_f64(-INFINITY), 0, "float64 -Infinity");
    assert_prints(sp_v_f32(0.1f), 0, "float32 0.1");
    assert_prints(sp_v_text("NULL"), 0, "text \"NULL\"");
    assert_prints(sp_v_textn("a\0b", 3), 0, "text \"a\\x00b\" (3 bytes)");
    assert_prints(sp_v_textn("\xff\"", 2), 0, "text \"\\xff\\\"\" (2 bytes)");
    assert_prints(sp_v_bytes("\x01\xab", 2), 0, "bytes 0x01ab");
    assert_int_equal(sp_uuid_parse("0F0e0d0c-0b0a-0908-0706-050403020100", 36, u), 0);
    assert_prints(sp_v_uuid(u), 0, "uuid 0f0e0d0c-0b0a-0908-0706-050403020100");
    assert_prints(sp_v_instant(-1, 500000000), 0, "instant 1969-12-31T23:59:59.500Z");
    assert_prints(sp_v_local(0, 1), 0, "local_timestamp 1970-01-01T00:00:00.000000001");
    assert_prints(sp_v_date(-719468), 0, "date 0000-03-01");
    assert_prints(sp_v_time(INT64_C(86399999999000)), 0, "time 23:59:59.999999");
    assert_prints(sp_v_json("{\"a\":1}"), 0, "json {\"a\":1}");
    assert_prints(sp_v_array(SP_INT, e, 2), 0, "array [int 1, null]");
    assert_prints(sp_v_vector(f, 2), 0, "vector [0.1, 2]");
    assert_prints(sp_v_ref("a/b"), 0, "reference \"a/b\"");
    assert_prints(sp_v_native("interval", "\x01", 1), 0, "native interval 0x01");
    sp_arena_free(&a);
}

static void printing_cuts_what_is_long(void **state)
{
    (void)state;
    struct sp_buf b = SP_BUF_INIT;
    struct sp_value v = sp_v_text("abcd\xc3\xa4zzzz");
    assert_int_equal(sp_value_print(&b, &v, 5), 0);
    assert_int_equal(strncmp(b.p, "text \"abcd\"... (10 bytes, digest ", 33), 0);
    sp_buf_free(&b);
}

static void bad_uuids_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "0f0e0d0c-0b0a-0908-0706-05040302010",
        "0f0e0d0c0b0a09080706050403020100xxxx", "0f0e0d0c-0b0a-0908-0706-0504030201g0",
        "0f0e0d0-c0b0a-0908-0706-050403020100", "{f0e0d0c-0b0a-0908-0706-050403020100" };
    uint8_t u[16];
    for (size_t i = 0; i < SP_LEN(bad); i++)
        assert_int_equal(sp_uuid_parse(bad[i], strlen(bad[i]), u), -SP_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_have_names),
        cmocka_unit_test(equality_tells_everything_apart),
        cmocka_unit_test(equality_is_by_content),
        cmocka_unit_test(a_copy_is_deep),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(printing_shows_what_matters),
        cmocka_unit_test(printing_cuts_what_is_long),
        cmocka_unit_test(bad_uuids_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
