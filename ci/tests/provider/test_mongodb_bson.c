/* test_mongodb_bson.c -- BSON elements by their meaning, what is written, and what is refused. */
#include "mongodb_bson.h"

struct world {
    struct sp_arena a;
};

static int setup(void **state)
{
    return (*state = calloc(1, sizeof(struct world))) == NULL;
}

static int teardown(void **state)
{
    struct world *w = *state;
    sp_arena_free(&w->a);
    free(w);
    return 0;
}

/* ---- by meaning ----------------------------------------------------------------------------------------------------- */

static void test_logical_reading(void **state)
{
    struct world *w = *state;
    static const uint8_t u[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    struct sp_value ints[] = { sp_v_int(1), sp_v_null(), sp_v_int(2) },
                    mixed[] = { sp_v_int(1), sp_v_text("x"), sp_v_f64(0.5) };
    const struct {
        const char *json;
        struct sp_value v;
    } want[] = { { "{\"v\":{\"$numberInt\":\"-5\"}}", sp_v_int(-5) },
        { "{\"v\":{\"$numberLong\":\"5\"}}", sp_v_int(5) },
        { "{\"v\":{\"$numberDouble\":\"5\"}}", sp_v_f64(5) },
        { "{\"v\":{\"$numberDouble\":\"-0.0\"}}", sp_v_f64(-0.0) },
        { "{\"v\":{\"$numberDouble\":\"NaN\"}}", sp_v_f64(NAN) },
        { "{\"v\":{\"$numberDecimal\":\"5.10\"}}", sp_v_dec_text(&w->a, "5.1") },
        { "{\"v\":{\"$numberDecimal\":\"1.2E+100\"}}", sp_v_dec_text(&w->a, "1.2e100") },
        { "{\"v\":{\"$numberDecimal\":\"NaN\"}}", sp_v_native("decimal", "NaN", 3) },
        { "{\"v\":null}", sp_v_null() }, { "{\"v\":true}", sp_v_bool(true) },
        { "{\"v\":\"x\"}", sp_v_text("x") },
        { "{\"v\":{\"$date\":{\"$numberLong\":\"-1\"}}}", sp_v_instant(-1, 999000000) },
        { "{\"v\":{\"$binary\":{\"base64\":\"YWI=\",\"subType\":\"00\"}}}", sp_v_bytes("ab", 2) },
        { "{\"v\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"04\"}}}",
            sp_v_uuid(u) },
        { "{\"v\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"03\"}}}",
            sp_v_native("binData/3", (const char *)u, 16) },
        { "{\"v\":[{\"$numberInt\":\"1\"},null,{\"$numberLong\":\"2\"}]}", sp_v_array(SP_INT, ints, 3) },
        { "{\"v\":[{\"$numberInt\":\"1\"},\"x\",{\"$numberDouble\":\"0.5\"}]}",
            sp_v_array(SP_MISSING, mixed, 3) },
        { "{\"v\":[[{\"$numberInt\":\"1\"}],{\"b\":{\"$numberDouble\":\"1.0\"}}]}",
            sp_v_json("[[1],{\"b\":1}]") },
        { "{\"v\":{\"b\":{\"$numberDouble\":\"0.1\"},\"a\":{\"$numberDecimal\":\"12345678901234567890.10\"}}"
          "}",
            sp_v_json("{\"a\":12345678901234567890.1,\"b\":0.1}") },
        { "{\"v\":{\"a\":{\"$numberDouble\":\"-0.0\"}}}", sp_v_json("{\"a\":-0}") },
        { "{\"v\":{\"a\":{\"$numberDouble\":\"NaN\"}}}",
            NATIVE("object", "{\"a\":{\"$numberDouble\":\"NaN\"}}") },
        { "{\"v\":[{\"a\":{\"$date\":{\"$numberLong\":\"0\"}}}]}",
            NATIVE("array", "[{\"a\":{\"$date\":\"1970-01-01T00:00:00Z\"}}]") } };
    for (size_t i = 0; i < SP_LEN(want); i++) {
        bson_t *b = parse(want[i].json);
        struct sp_value v = get(&w->a, b, MO_LOGICAL, NULL);
        if (!sp_value_equal(&v, &want[i].v)) {
            struct sp_buf t = SP_BUF_INIT;
            sp_value_print(&t, &v, 0);
            fail_msg("%s is read as %s", want[i].json, t.p);
        }
        bson_destroy(b);
    }
}

/* A column's values are read as they were written, whatever BSON kept them as. */
static void test_logical_round_trip(void **state)
{
    static const float floats[] = { 1.5f, -0.0f, 0.1f };
    static const uint8_t u[16] = { 0xff, 1 };
    struct world *w = *state;
    struct sp_value texts[] = { sp_v_text("a"), sp_v_null(), sp_v_text("") },
                    days[] = { sp_v_date(-1), sp_v_date(19000) }, docs[] = { sp_v_json("{\"a\":[1]}") };
    const struct {
        struct sp_type type;
        struct sp_value v;
    } all[] = { { { .tag = SP_BOOL }, sp_v_bool(true) }, { { .tag = SP_INT }, sp_v_int(INT64_MIN) },
        { { .tag = SP_INT, .int_bits = 32 }, sp_v_int(INT32_MIN) },
        { { .tag = SP_INT, .int_bits = 16 }, sp_v_int(7) },
        { { .tag = SP_DEC }, sp_v_dec_text(&w->a, "-12345678901234567890.12345678901234") },
        { { .tag = SP_DEC }, sp_v_dec_text(&w->a, "0") },
        { { .tag = SP_DEC }, sp_v_dec_text(&w->a, "1e6144") },
        { { .tag = SP_DEC }, sp_v_dec_text(&w->a, "1e-6176") },
        { { .tag = SP_DEC }, sp_v_dec_text(&w->a, "1234567890123456789012345678901234") },
        { { .tag = SP_F32 }, sp_v_f32(0.1f) }, { { .tag = SP_F64 }, sp_v_f64(0.1) },
        { { .tag = SP_F64 }, sp_v_f64(-0.0) }, { { .tag = SP_F64 }, sp_v_f64(-INFINITY) },
        { { .tag = SP_TEXT }, sp_v_textn("a\0b", 3) }, { { .tag = SP_TEXT }, sp_v_text("2020-01-01") },
        { { .tag = SP_BYTES }, sp_v_bytes("", 0) }, { { .tag = SP_BYTES }, sp_v_bytes(u, 16) },
        { { .tag = SP_UUID }, sp_v_uuid(u) }, { { .tag = SP_INSTANT }, sp_v_instant(-1, 1000000) },
        { { .tag = SP_INSTANT }, sp_v_instant(253402300799, 999000000) },
        { { .tag = SP_LOCAL }, sp_v_local(-1, 123456789) }, { { .tag = SP_DATE }, sp_v_date(-719162) },
        { { .tag = SP_TIME }, sp_v_time(86399999999999) },
        { { .tag = SP_JSON },
            sp_v_json("{\"b\":[1,2.5,-0,\"x\",null,true,{}],\"a\":123456789012345678901234}") },
        { { .tag = SP_JSON },
            sp_v_json("{\"$oid\":\"507f1f77bcf86cd799439011\",\"$numberInt\":\"1\",\"a.b\":1}") },
        { { .tag = SP_JSON }, sp_v_json("[1,[2,[3]]]") }, { { .tag = SP_JSON }, sp_v_json("[1,2]") },
        { { .tag = SP_JSON }, sp_v_json("\"null\"") }, { { .tag = SP_JSON }, sp_v_json("-1.5e3") },
        { { .tag = SP_JSON }, sp_v_json("1e300") }, { { .tag = SP_JSON }, sp_v_json("false") },
        { { .tag = SP_JSON }, sp_v_json(" { \"\\ud83d\\ude00\\u00e9\\n\" : \"\\u0000\\/\" } ") },
        { { .tag = SP_ARRAY, .elem = SP_TEXT }, sp_v_array(SP_TEXT, texts, 3) },
        { { .tag = SP_ARRAY, .elem = SP_TEXT }, sp_v_array(SP_TEXT, NULL, 0) },
        { { .tag = SP_ARRAY, .elem = SP_DATE }, sp_v_array(SP_DATE, days, 2) },
        { { .tag = SP_ARRAY, .elem = SP_JSON }, sp_v_array(SP_JSON, docs, 1) },
        { { .tag = SP_VECTOR, .length = 3 }, sp_v_vector(floats, 3) }, { { .tag = SP_REF }, sp_v_ref("a/b") },
        { { .tag = SP_TEXT }, sp_v_null() } };
    for (size_t i = 0; i < SP_LEN(all); i++) {
        bson_t *b = put(&all[i].type, &all[i].v);
        struct sp_value v = get(&w->a, b, MO_LOGICAL, &all[i].type);
        if (!sp_value_equal(&v, &all[i].v)) {
            struct sp_buf t = SP_BUF_INIT;
            sp_value_print(&t, &v, 0);
            fail_msg("%zu: %s is read as %s", i, bson_as_canonical_extended_json(b, NULL), t.p);
        }
        bson_destroy(b);
    }
}

/* A value of another type than the column's is not dressed up. */
static void test_declared_type_hides_nothing(void **state)
{
    static const struct {
        const char *json;
        enum sp_tag column, read;
    } all[] = { { "{\"v\":\"5\"}", SP_INT, SP_TEXT }, { "{\"v\":{\"$numberLong\":\"1\"}}", SP_BOOL, SP_INT },
        { "{\"v\":{\"$numberDouble\":\"5\"}}", SP_INT, SP_F64 },
        { "{\"v\":{\"$numberInt\":\"5\"}}", SP_DEC, SP_INT }, { "{\"v\":\"x\"}", SP_DATE, SP_TEXT },
        { "{\"v\":{\"$numberDouble\":\"0.1\"}}", SP_F32, SP_F64 },
        { "{\"v\":\"1970-01-01T00:00:00Z\"}", SP_INSTANT, SP_TEXT },
        { "{\"v\":\"00000000-0000-0000-0000-000000000000\"}", SP_UUID, SP_TEXT },
        { "{\"v\":[\"x\"]}", SP_VECTOR, SP_ARRAY },
        { "{\"v\":{\"$numberDouble\":\"NaN\"}}", SP_JSON, SP_F64 },
        { "{\"v\":{\"$date\":{\"$numberLong\":\"0\"}}}", SP_DATE, SP_INSTANT } };
    struct world *w = *state;
    for (size_t i = 0; i < SP_LEN(all); i++) {
        bson_t *b = parse(all[i].json);
        struct sp_type type = { .tag = all[i].column };
        assert_int_equal(get(&w->a, b, MO_LOGICAL, &type).tag, all[i].read);
        bson_destroy(b);
    }
}

static void test_what_is_written(void **state)
{
    struct world *w = *state;
    const struct {
        struct sp_type type;
        struct sp_value v;
        const char *json;
    } all[] = { { { 0 }, sp_v_int(5), "{\"v\":{\"$numberLong\":\"5\"}}" },
        { { .tag = SP_INT, .int_bits = 64 }, sp_v_int(5), "{\"v\":{\"$numberLong\":\"5\"}}" },
        { { .tag = SP_INT, .int_bits = 32 }, sp_v_int(5), "{\"v\":{\"$numberInt\":\"5\"}}" },
        { { 0 }, sp_v_dec_text(&w->a, "1200.00"), "{\"v\":{\"$numberDecimal\":\"1200\"}}" },
        { { 0 }, sp_v_dec_text(&w->a, "12.50"), "{\"v\":{\"$numberDecimal\":\"12.5\"}}" },
        { { 0 }, sp_v_f32(0.5f), "{\"v\":{\"$numberDouble\":\"0.5\"}}" },
        { { 0 }, sp_v_instant(1, 500000000), "{\"v\":{\"$date\":{\"$numberLong\":\"1500\"}}}" },
        { { 0 }, sp_v_date(0), "{\"v\":\"1970-01-01\"}" },
        { { 0 }, sp_v_json("[1, 1.0, 0.1, 9223372036854775808]"),
            "{\"v\":[{\"$numberLong\":\"1\"},{\"$numberLong\":\"1\"},{\"$numberDouble\":\"0.1\"},"
            "{\"$numberDouble\":\"9223372036854775808\"}]}" },
        { { 0 }, sp_v_json("{\"a\":9223372036854775809,\"b\":-0.0}"),
            "{\"v\":{\"a\":{\"$numberDecimal\":\"9223372036854775809\"},\"b\":{\"$numberDouble\":\"-0.0\"}}"
            "}" },
        { { 0 }, sp_v_missing(), "{}" }, { { 0 }, sp_v_null(), "{\"v\":null}" } };
    for (size_t i = 0; i < SP_LEN(all); i++) {
        bson_t *b = put(&all[i].type, &all[i].v), *want = parse(all[i].json);
        assert_same(want, b);
        bson_destroy(b);
        bson_destroy(want);
    }
}

/* ---- refused ---------------------------------------------------------------------------------------------------------- */

static void refused(const struct sp_type *type, struct sp_value v, enum sp_code want)
{
    bson_t *b = bson_new();
    struct sp_error err = SP_ERROR_INIT;
    int rc = mo_value_put(b, F, type, &v, &err);
    if (rc != -(int)want || err.code != want || strstr(sp_error_text(&err), F) == NULL)
        fail_msg("%s: %d %s", bson_as_canonical_extended_json(b, NULL), rc, sp_error_text(&err));
    sp_error_clear(&err);
    bson_destroy(b);
}

static void test_refused_values(void **state)
{
    static const struct sp_type int32 = { .tag = SP_INT, .int_bits = 32 };
    struct world *w = *state;
    struct sp_value missing[] = { sp_v_missing() };
    refused(NULL, sp_v_instant(0, 1), SP_E_RANGE);
    refused(NULL, sp_v_instant(0, 999999), SP_E_RANGE);
    refused(NULL, sp_v_instant(INT64_MAX / 1000 + 1, 0), SP_E_RANGE);
    refused(NULL, sp_v_dec_text(&w->a, "12345678901234567890123456789012345"), SP_E_RANGE);
    refused(NULL, sp_v_dec_text(&w->a, "1e6145"), SP_E_RANGE);
    refused(NULL, sp_v_dec_text(&w->a, "1e-6177"), SP_E_RANGE);
    refused(NULL, sp_v_dec_text(&w->a, "12e-6177"), SP_E_RANGE);
    refused(&int32, sp_v_int(INT64_C(2147483648)), SP_E_RANGE);
    refused(NULL, sp_v_date(400 * 365 * 10000), SP_E_RANGE);
    refused(NULL, sp_v_text("a\xff"), SP_E_INVALID);
    refused(NULL, sp_v_json("null"), SP_E_UNSUPPORTED);
    refused(NULL, sp_v_json(" null "), SP_E_UNSUPPORTED);
    refused(NULL, sp_v_json("{\"a\":1,\"a\":2}"), SP_E_INVALID);
    refused(NULL, sp_v_json("{\"a\":1"), SP_E_INVALID);
    refused(NULL, sp_v_json("{\"v\":12345678901234567890123456789012345}"), SP_E_RANGE);
    refused(NULL, sp_v_array(SP_MISSING, missing, 1), SP_E_INVALID);
    refused(NULL, sp_v_native("geometry", "x", 1), SP_E_UNSUPPORTED);
    refused(NULL, sp_v_native("objectId", "xyz", 3), SP_E_INVALID);
    refused(NULL, sp_v_native("objectId", "507f1f77bcf86cd79943901g", 24), SP_E_INVALID);
    refused(NULL, sp_v_native("int", "2147483648", 10), SP_E_INVALID);
    refused(NULL, sp_v_native("binData/256", "x", 1), SP_E_INVALID);
    refused(NULL, sp_v_native("decimal", "1..2", 4), SP_E_INVALID);
    refused(NULL, sp_v_native("timestamp", "1", 1), SP_E_INVALID);
}

static void test_refused_names(void **state)
{
    bson_t b = BSON_INITIALIZER;
    struct sp_error err = SP_ERROR_INIT;
    (void)state;
    struct sp_value v = sp_v_json("{\"a\\u0000b\":1}");
    assert_int_equal(mo_value_put(&b, F, NULL, &v, &err), -SP_E_UNSUPPORTED);
    sp_error_clear(&err);
    v = sp_v_native("object", "{\"a\":1}", 7); /* numbers have tags there */
    assert_int_equal(mo_value_put(&b, F, NULL, &v, &err), -SP_E_INVALID);
    sp_error_clear(&err);
    v = sp_v_native("object", "{\"a\":{\"$oid\":\"507f1f77bcf86cd799439011\",\"x\":true}}", 50);
    assert_int_equal(mo_value_put(&b, F, NULL, &v, &err), -SP_E_INVALID);
    sp_error_clear(&err);
    bson_destroy(&b);
}

static void corrupt(const bson_t *b, const char *word)
{
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_value v;
    bson_iter_t it;
    for (int i = 0; i < 2; i++) {
        assert_true(bson_iter_init_find(&it, b, F));
        assert_int_equal(
            mo_value_get(&a, &it, i == 0 ? MO_LOGICAL : MO_STORED, NULL, &v, &err), -SP_E_CORRUPT);
        assert_non_null(strstr(sp_error_text(&err), word));
        assert_non_null(strstr(sp_error_text(&err), "field v"));
        sp_error_clear(&err);
    }
    sp_arena_free(&a);
}

static void test_duplicate_names(void **state)
{
    char name[16];
    struct sp_error err = SP_ERROR_INIT;
    (void)state;
    for (int n = 2; n < 300; n = n * 3 / 2 + 1) {
        bson_t b = BSON_INITIALIZER, inner = BSON_INITIALIZER;
        for (int i = 0; i < n; i++) {
            snprintf(name, sizeof name, "f%d", i);
            bson_append_int32(&inner, name, -1, i);
        }
        assert_int_equal(mo_doc_check(&inner, &err), 0);
        snprintf(name, sizeof name, "f%d", n / 2);
        bson_append_int32(&inner, name, -1, 0);
        assert_int_equal(mo_doc_check(&inner, &err), -SP_E_CORRUPT);
        assert_non_null(strstr(sp_error_text(&err), name));
        sp_error_clear(&err);
        bson_append_document(&b, F, -1, &inner);
        corrupt(&b, name);
        bson_destroy(&inner);
        bson_destroy(&b);
    }
}

static void test_bad_utf8(void **state)
{
    struct world *w = *state;
    bson_t b = BSON_INITIALIZER, inner = BSON_INITIALIZER;
    struct sp_error err = SP_ERROR_INIT;
    bson_iter_t it;
    struct sp_value v;
    bson_append_int32(&inner, "a\xff", -1, 1);
    bson_append_document(&b, F, -1, &inner);
    corrupt(&b, "UTF-8");
    bson_reinit(&b);
    bson_append_utf8(&b, F, -1, "a\xff", 2);
    assert_true(bson_iter_init_find(&it, &b, F));
    assert_int_equal(mo_value_get(&w->a, &it, MO_LOGICAL, NULL, &v, &err), -SP_E_CORRUPT);
    sp_error_clear(&err);
    v = get(&w->a, &b, MO_STORED, NULL); /* the harness marks it */
    assert_true(v.tag == SP_TEXT && v.u.str.n == 2);
    bson_reinit(&inner);
    bson_append_utf8(&inner, "a", -1, "\xff", 1);
    bson_reinit(&b);
    bson_append_document(&b, F, -1, &inner);
    v = get(&w->a, &b, MO_STORED, NULL);
    assert_true(v.tag == SP_NATIVE);
    assert_int_equal(v.u.native.n, strlen("{\"a\":{\"$badText\":\"ff\"}}"));
    assert_memory_equal(v.u.native.p, "{\"a\":{\"$badText\":\"ff\"}}", v.u.native.n);
    refused(NULL, v, SP_E_INVALID);
    bson_destroy(&inner);
    bson_destroy(&b);
}

static bson_t *deep(int levels)
{
    bson_t *b = bson_new();
    bson_append_bool(b, "0", -1, true);
    for (int i = 0; i < levels; i++) {
        bson_t *outer = bson_new();
        const char *name = i + 1 == levels ? F : "0";
        if (i % 2 == 0)
            bson_append_document(outer, name, -1, b);
        else
            bson_append_array(outer, name, -1, b);
        bson_destroy(b);
        b = outer;
    }
    return b;
}

static void test_depth_is_bounded(void **state)
{
    struct world *w = *state;
    bson_t *b = deep(MO_DEPTH);
    struct sp_error err = SP_ERROR_INIT;
    struct sp_value v = get(&w->a, b, MO_STORED, NULL);
    bson_t *again = put(NULL, &v);
    assert_int_equal(again->len, b->len);
    bson_destroy(again);
    bson_destroy(b);
    const int too_deep[] = { MO_DEPTH + 1, 5000 };
    for (size_t i = 0; i < SP_LEN(too_deep); i++) {
        bson_iter_t it;
        b = deep(too_deep[i]);
        assert_true(bson_iter_init_find(&it, b, F));
        assert_int_equal(mo_value_get(&w->a, &it, MO_STORED, NULL, &v, &err), -SP_E_TOO_LARGE);
        sp_error_clear(&err);
        assert_int_equal(mo_value_get(&w->a, &it, MO_LOGICAL, NULL, &v, &err), -SP_E_TOO_LARGE);
        sp_error_clear(&err);
        bson_destroy(b);
    }
    struct sp_buf text = SP_BUF_INIT;
    for (int i = 0; i < 400; i++)
        sp_buf_putc(&text, '[');
    for (int i = 0; i < 400; i++)
        sp_buf_putc(&text, ']');
    refused(NULL, sp_v_jsonn(text.p, text.n), SP_E_TOO_LARGE);
    sp_buf_free(&text);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_logical_reading),
        T(test_logical_round_trip),
        T(test_declared_type_hides_nothing),
        T(test_what_is_written),
        T(test_refused_values),
        T(test_refused_names),
        T(test_duplicate_names),
        T(test_bad_utf8),
        T(test_depth_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
