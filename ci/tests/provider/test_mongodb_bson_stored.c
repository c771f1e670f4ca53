/* test_mongodb_bson_stored.c -- BSON elements as they are stored: each comes back, and no two are one value. */
#include "mongodb_bson.h"

/* Elements, all different. The JSON is MongoDB's extended one. */
static const char *const elements[] = {
    "{\"v\":{\"$numberInt\":\"1\"}}",
    "{\"v\":{\"$numberLong\":\"1\"}}",
    "{\"v\":{\"$numberDouble\":\"1.0\"}}",
    "{\"v\":{\"$numberDecimal\":\"1\"}}",
    "{\"v\":{\"$numberDecimal\":\"1.0\"}}",
    "{\"v\":{\"$numberDecimal\":\"1.00\"}}",
    "{\"v\":{\"$numberDecimal\":\"1E+1\"}}",
    "{\"v\":{\"$numberDecimal\":\"10\"}}",
    "{\"v\":{\"$numberDecimal\":\"0\"}}",
    "{\"v\":{\"$numberDecimal\":\"-0\"}}",
    "{\"v\":{\"$numberDecimal\":\"0E-6176\"}}",
    "{\"v\":{\"$numberDecimal\":\"NaN\"}}",
    "{\"v\":{\"$numberDecimal\":\"Infinity\"}}",
    "{\"v\":{\"$numberDecimal\":\"-Infinity\"}}",
    "{\"v\":{\"$numberDecimal\":\"9.999999999999999999999999999999999E+6144\"}}",
    "{\"v\":{\"$numberDecimal\":\"-1E-6176\"}}",
    "{\"v\":{\"$numberInt\":\"-2147483648\"}}",
    "{\"v\":{\"$numberLong\":\"-2147483648\"}}",
    "{\"v\":{\"$numberLong\":\"-9223372036854775808\"}}",
    "{\"v\":{\"$numberDouble\":\"0.0\"}}",
    "{\"v\":{\"$numberDouble\":\"-0.0\"}}",
    "{\"v\":{\"$numberDouble\":\"0.1\"}}",
    "{\"v\":{\"$numberDouble\":\"0.30000000000000004\"}}",
    "{\"v\":{\"$numberDouble\":\"5e-324\"}}",
    "{\"v\":{\"$numberDouble\":\"1.7976931348623157e308\"}}",
    "{\"v\":{\"$numberDouble\":\"NaN\"}}",
    "{\"v\":{\"$numberDouble\":\"Infinity\"}}",
    "{\"v\":{\"$numberDouble\":\"-Infinity\"}}",
    "{\"v\":true}",
    "{\"v\":false}",
    "{\"v\":null}",
    "{\"v\":\"\"}",
    "{\"v\":\"1\"}",
    "{\"v\":\"true\"}",
    "{\"v\":\"a\\u0000b\"}",
    "{\"v\":\"h\xc3\xa9 \\\" \\\\ \\n \xf0\x9f\x90\x98\"}",
    "{\"v\":\"507f1f77bcf86cd799439011\"}",
    "{\"v\":{\"$oid\":\"507f1f77bcf86cd799439011\"}}",
    "{\"v\":{\"$date\":{\"$numberLong\":\"0\"}}}",
    "{\"v\":{\"$date\":{\"$numberLong\":\"-1\"}}}",
    "{\"v\":{\"$date\":{\"$numberLong\":\"1700000000001\"}}}",
    "{\"v\":{\"$date\":{\"$numberLong\":\"9223372036854775807\"}}}",
    "{\"v\":{\"$date\":{\"$numberLong\":\"-9223372036854775808\"}}}",
    "{\"v\":{\"$binary\":{\"base64\":\"\",\"subType\":\"00\"}}}",
    "{\"v\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"00\"}}}",
    "{\"v\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"03\"}}}",
    "{\"v\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"04\"}}}",
    "{\"v\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0O\",\"subType\":\"04\"}}}",
    "{\"v\":{\"$binary\":{\"base64\":\"AAE=\",\"subType\":\"02\"}}}",
    "{\"v\":{\"$binary\":{\"base64\":\"AAE=\",\"subType\":\"80\"}}}",
    "{\"v\":{\"$regularExpression\":{\"pattern\":\"a/b\",\"options\":\"\"}}}",
    "{\"v\":{\"$regularExpression\":{\"pattern\":\"a\",\"options\":\"im\"}}}",
    "{\"v\":{\"$timestamp\":{\"t\":1,\"i\":2}}}",
    "{\"v\":{\"$timestamp\":{\"t\":4294967295,\"i\":4294967295}}}",
    "{\"v\":{\"$code\":\"f()\"}}",
    "{\"v\":{\"$code\":\"f()\",\"$scope\":{}}}",
    "{\"v\":{\"$code\":\"f()\",\"$scope\":{\"a\":{\"$numberInt\":\"1\"}}}}",
    "{\"v\":{\"$symbol\":\"f()\"}}",
    "{\"v\":{\"$dbPointer\":{\"$ref\":\"d.c/x\",\"$id\":{\"$oid\":\"507f1f77bcf86cd799439011\"}}}}",
    "{\"v\":{\"$minKey\":1}}",
    "{\"v\":{\"$maxKey\":1}}",
    "{\"v\":{\"$undefined\":true}}",
    "{\"v\":{}}",
    "{\"v\":[]}",
    "{\"v\":[{\"$numberInt\":\"1\"}]}",
    "{\"v\":[{\"$numberLong\":\"1\"}]}",
    "{\"v\":[{\"$numberLong\":\"1\"},null]}",
    "{\"v\":[[{\"$numberLong\":\"1\"}],{\"$numberLong\":\"2\"}]}",
    "{\"v\":[{\"$numberLong\":\"2\"},[{\"$numberLong\":\"1\"}]]}",
    "{\"v\":{\"0\":{\"$numberLong\":\"1\"}}}",
    "{\"v\":{\"a\":{\"$numberInt\":\"1\"}}}",
    "{\"v\":{\"a\":{\"$numberLong\":\"1\"}}}",
    "{\"v\":{\"a\":{\"$numberDouble\":\"1.0\"}}}",
    "{\"v\":{\"a\":{\"$numberDecimal\":\"1\"}}}",
    "{\"v\":{\"a\":{\"$numberDecimal\":\"1.0\"}}}",
    "{\"v\":{\"a\":\"1\"}}",
    "{\"v\":{\"a\":null}}",
    "{\"v\":{\"a\":{\"$date\":{\"$numberLong\":\"1000\"}}}}",
    "{\"v\":{\"a\":{\"$date\":{\"$numberLong\":\"1001\"}}}}",
    "{\"v\":{\"a\":\"1970-01-01T00:00:01Z\"}}",
    "{\"v\":{\"a\":{\"$oid\":\"507f1f77bcf86cd799439011\"}}}",
    "{\"v\":{\"a\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"03\"}}}}",
    "{\"v\":{\"a\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"04\"}}}}",
    "{\"v\":{\"a\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"00\"}}}}",
    "{\"v\":{\"a\":{\"$regularExpression\":{\"pattern\":\"a\",\"options\":\"i\"}}}}",
    "{\"v\":{\"a\":{\"$timestamp\":{\"t\":1,\"i\":2}}}}",
    "{\"v\":{\"a\":{\"$minKey\":1}}}",
    "{\"v\":{\"a\":{\"$symbol\":\"x\"}}}",
    "{\"v\":{\"a\":{\"$code\":\"x\"}}}",
    "{\"v\":{\"a\":{\"$code\":\"x\",\"$scope\":{\"a\":true}}}}",
    "{\"v\":{\"a\":true,\"b\":false}}",
    "{\"v\":{\"b\":false,\"a\":true}}",
    "{\"v\":{\"a\":{\"b\":{\"c\":[true,{\"d\":null}]}}}}",
    "{\"v\":{\"$ref\":\"c\",\"$id\":{\"$oid\":\"507f1f77bcf86cd799439011\"}}}",
    "{\"v\":{\"\":{\"$numberInt\":\"1\"},\"a.b\":true}}",
};
#define N SP_LEN(elements)

struct world {
    struct sp_arena a;
    bson_t *made[N + 8];
    size_t n;
};

/* Names that extended JSON cannot write: they look like its tags. */
static bson_t *tag_in_disguise(const char *name)
{
    bson_t *b = bson_new(), child;
    bson_append_document_begin(b, F, -1, &child);
    bson_append_utf8(&child, name, -1, "1", -1);
    bson_append_document_end(b, &child);
    return b;
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    for (size_t i = 0; i < N; i++)
        w->made[w->n++] = parse(elements[i]);
    w->made[w->n++] = tag_in_disguise("$numberInt");
    w->made[w->n++] = tag_in_disguise("$$numberInt");
    w->made[w->n++] = tag_in_disguise("$oid");
    w->made[w->n++] = tag_in_disguise("$unknown");
    w->made[w->n++] = tag_in_disguise("numberInt");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < w->n; i++)
        bson_destroy(w->made[i]);
    sp_arena_free(&w->a);
    free(w);
    return 0;
}

/* ---- as stored ---------------------------------------------------------------------------------------------------- */

static void test_stored_comes_back(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < w->n; i++) {
        struct sp_value v = get(&w->a, w->made[i], MO_STORED, NULL);
        bson_t *again = put(NULL, &v);
        assert_same(w->made[i], again);
        bson_destroy(again);
    }
}

static void test_stored_is_injective(void **state)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct world *w = *state;
    struct sp_buf bytes[N + 8] = { 0 };
    for (size_t i = 0; i < w->n; i++) {
        struct sp_value v = get(&w->a, w->made[i], MO_STORED, NULL);
        assert_int_equal(sp_canon_field(&bytes[i], &dynamic, &v, NULL), 0);
        for (size_t k = 0; k < i; k++)
            if (bytes[k].n == bytes[i].n && memcmp(bytes[k].p, bytes[i].p, bytes[i].n) == 0)
                fail_msg("%s and %s are one value", bson_as_canonical_extended_json(w->made[k], NULL),
                    bson_as_canonical_extended_json(w->made[i], NULL));
    }
    for (size_t i = 0; i < w->n; i++)
        sp_buf_free(&bytes[i]);
}

/* What is no native value, when MongoDB is compared with MongoDB. */
static void test_stored_tags(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *json;
        enum sp_tag tag;
        const char *native, *content;
    } want[] = { { "{\"v\":{\"$numberInt\":\"-5\"}}", SP_NATIVE, "int", "-5" },
        { "{\"v\":{\"$numberLong\":\"5\"}}", SP_INT, NULL, NULL },
        { "{\"v\":{\"$numberDouble\":\"5\"}}", SP_F64, NULL, NULL },
        { "{\"v\":{\"$numberDecimal\":\"5.1\"}}", SP_DEC, NULL, NULL },
        { "{\"v\":{\"$numberDecimal\":\"50\"}}", SP_DEC, NULL, NULL },
        { "{\"v\":{\"$numberDecimal\":\"5.10\"}}", SP_NATIVE, "decimal", "5.10" },
        { "{\"v\":{\"$date\":{\"$numberLong\":\"5\"}}}", SP_INSTANT, NULL, NULL },
        { "{\"v\":{\"a\":[{\"$numberInt\":\"5\"}]}}", SP_NATIVE, "object",
            "{\"a\":[{\"$numberInt\":\"5\"}]}" },
        { "{\"v\":[{\"$oid\":\"507f1f77bcf86cd799439011\"},\"x\"]}", SP_NATIVE, "array",
            "[{\"$oid\":\"507f1f77bcf86cd799439011\"},\"x\"]" },
        { "{\"v\":{\"$ref\":\"c\",\"$id\":true}}", SP_NATIVE, "object", "{\"$$ref\":\"c\",\"$$id\":true}" },
        { "{\"v\":{\"$oid\":\"507f1f77bcf86cd799439011\"}}", SP_NATIVE, "objectId",
            "507f1f77bcf86cd799439011" },
        { "{\"v\":{\"$timestamp\":{\"t\":7,\"i\":9}}}", SP_NATIVE, "timestamp", "7.9" },
        { "{\"v\":{\"$regularExpression\":{\"pattern\":\"^a/b\",\"options\":\"i\"}}}", SP_NATIVE, "regex",
            "/^a/b/i" },
        { "{\"v\":{\"$binary\":{\"base64\":\"YWI=\",\"subType\":\"05\"}}}", SP_NATIVE, "binData/5", "ab" },
        { "{\"v\":{\"a\":{\"$date\":{\"$numberLong\":\"1700000000123\"}}}}", SP_NATIVE, "object",
            "{\"a\":{\"$date\":\"2023-11-14T22:13:20.123Z\"}}" } };
    for (size_t i = 0; i < SP_LEN(want); i++) {
        bson_t *b = parse(want[i].json);
        struct sp_value v = get(&w->a, b, MO_STORED, NULL);
        assert_int_equal(v.tag, want[i].tag);
        if (v.tag == SP_NATIVE) {
            assert_string_equal(v.u.native.type, want[i].native);
            assert_int_equal(v.u.native.n, strlen(want[i].content));
            assert_memory_equal(v.u.native.p, want[i].content, v.u.native.n);
        }
        bson_destroy(b);
    }
}

/* ---- random documents ---------------------------------------------------------------------------------------------- */

static void grow(struct sp_rng *r, bson_t *doc, bool array, int depth)
{
    static const char *const names[] = { "a", "b", "$oid", "$$x", "", "\xc3\xa9", "a.b", "0", "$numberLong",
        "z" };
    uint64_t n = sp_rng_below(r, 5), first = sp_rng_below(r, SP_LEN(names));
    char digits[16];
    for (uint64_t i = 0; i < n; i++) {
        const char *name = names[(first + i) % SP_LEN(names)];
        uint64_t u = sp_rng_u64(r);
        bson_oid_t oid;
        bson_decimal128_t dec = { u, sp_rng_u64(r) & (u & 16 ? UINT64_MAX : UINT64_C(0xb003ffffffffffff)) };
        bson_t child;
        double f;
        memcpy(&f, &u, 8);
        if (array)
            bson_uint32_to_string((uint32_t)i, &name, digits, sizeof digits);
        memset(oid.bytes, (int)(u & 255), 12);
        switch (sp_rng_below(r, 15)) {
        case 0:
            bson_append_int32(doc, name, -1, (int32_t)(u >> 40));
            break;
        case 1:
            bson_append_int64(doc, name, -1, (int64_t)(u >> (u & 63)));
            break;
        case 2:
            bson_append_double(doc, name, -1, f != f ? 0.5 : f);
            break;
        case 3:
            bson_append_double(doc, name, -1, (double)(int32_t)u / 8);
            break;
        case 4:
            bson_append_decimal128(doc, name, -1, &dec);
            break;
        case 5:
            bson_append_date_time(doc, name, -1, (int64_t)(u >> (u & 63)));
            break;
        case 6:
            bson_append_oid(doc, name, -1, &oid);
            break;
        case 7:
            bson_append_binary(doc, name, -1, (bson_subtype_t)(u % 7), oid.bytes, (uint32_t)(u >> 61));
            break;
        case 8:
            bson_append_utf8(doc, name, -1, "x\0\"\\\xc3\xa9", (int)(u % 7 == 5 ? 6 : u % 4));
            break;
        case 9:
            bson_append_bool(doc, name, -1, u & 1);
            break;
        case 10:
            bson_append_null(doc, name, -1);
            break;
        case 11:
            bson_append_timestamp(doc, name, -1, (uint32_t)u, (uint32_t)(u >> 32));
            break;
        case 12:
            bson_append_minkey(doc, name, -1);
            break;
        default:
            if (depth == 5)
                break;
            if (u & 1) {
                bson_append_document_begin(doc, name, -1, &child);
                grow(r, &child, false, depth + 1);
                bson_append_document_end(doc, &child);
            } else {
                bson_append_array_begin(doc, name, -1, &child);
                grow(r, &child, true, depth + 1);
                bson_append_array_end(doc, &child);
            }
        }
    }
}

/* Written text reads back as the same octets, and one changed octet of a value is another text. */
static void test_random_documents(void **state)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    struct world *w = *state;
    struct sp_rng r;
    sp_rng_seed(&r, 1);
    for (int i = 0; i < 3000; i++) {
        bson_t inner = BSON_INITIALIZER, b = BSON_INITIALIZER;
        grow(&r, &inner, false, 0);
        bson_append_document(&b, F, -1, &inner);
        struct sp_value v = get(&w->a, &b, MO_STORED, NULL), other;
        bson_t *again = put(NULL, &v);
        assert_same(&b, again);
        /* a changed octet that leaves BSON whole */
        uint8_t *copy = malloc(b.len);
        memcpy(copy, bson_get_data(&b), b.len);
        copy[sp_rng_below(&r, b.len - 8) + 7] ^= (uint8_t)(1u << sp_rng_below(&r, 8));
        bson_t changed;
        bson_iter_t it;
        struct sp_buf x = SP_BUF_INIT, y = SP_BUF_INIT;
        if (bson_init_static(&changed, copy, b.len) &&
            bson_validate(&changed, BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL, NULL) &&
            bson_iter_init_find(&it, &changed, F) &&
            mo_value_get(&w->a, &it, MO_STORED, NULL, &other, NULL) == 0) {
            bson_t *back = bson_new();
            /* element names of arrays, the sign and payload of NaN and unknown options aside: what reads as another value */
            assert_int_equal(sp_canon_field(&x, &dynamic, &v, NULL), 0);
            assert_int_equal(sp_canon_field(&y, &dynamic, &other, NULL), 0);
            if (x.n == y.n && memcmp(x.p, y.p, x.n) == 0 && mo_value_put(back, F, NULL, &other, NULL) == 0)
                assert_same(&b, back);
            bson_destroy(back);
        }
        sp_buf_free(&x);
        sp_buf_free(&y);
        free(copy);
        bson_destroy(again);
        bson_destroy(&inner);
        bson_destroy(&b);
    }
}

/* Two expressions that would be one text: /a/b/. By their octets, since the client drops such options. */
static void test_slash_among_options(void **state)
{
    static const uint8_t pattern[] = "\x0d\0\0\0\x0bv\0a/b\0\0", options[] = "\x0d\0\0\0\x0bv\0a\0b/\0";
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_value v;
    bson_iter_t it;
    bson_t b;
    (void)state;
    assert_true(bson_init_static(&b, pattern, sizeof pattern) && bson_iter_init_find(&it, &b, F));
    assert_int_equal(mo_value_get(&a, &it, MO_STORED, NULL, &v, &err), 0);
    assert_true(bson_init_static(&b, options, sizeof options) && bson_iter_init_find(&it, &b, F));
    assert_int_equal(mo_value_get(&a, &it, MO_STORED, NULL, &v, &err), -SP_E_CORRUPT);
    sp_error_clear(&err);
    sp_arena_free(&a);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_stored_comes_back),
        T(test_stored_is_injective),
        T(test_stored_tags),
        T(test_slash_among_options),
        T(test_random_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
