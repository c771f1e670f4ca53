/* Canonical bytes: the frozen vectors, and what must hold for all values. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "model/canonical.h"
#include "model/decimal.h"

/* --- golden vectors: written by an encoder of its own, not by this program ------------------------------------------- */

static struct sp_arena arena;

static int teardown(void **state)
{
    (void)state;
    sp_arena_free(&arena);
    return 0;
}

static size_t unhex(const char *s, uint8_t *out)
{
    size_t n = strlen(s) / 2;
    for (size_t i = 0; i < n; i++) {
        unsigned v;
        assert_int_equal(sscanf(s + 2 * i, "%2x", &v), 1);
        out[i] = (uint8_t)v;
    }
    return n;
}

/* \xHH */
static struct sp_value octets(enum sp_tag tag, const char *s)
{
    char *p = sp_arena_alloc(&arena, strlen(s) + 1);
    size_t n = 0;
    while (*s != '\0') {
        unsigned v;
        if (tag != SP_JSON && s[0] == '\\' && s[1] == 'x' && sscanf(s + 2, "%2x", &v) == 1) {
            p[n++] = (char)v;
            s += 4;
        } else {
            p[n++] = *s++;
        }
    }
    return (struct sp_value){ .tag = tag, .u.str = { p, n } };
}

static float f32_bits(const char *s)
{
    uint32_t u = (uint32_t)strtoul(s, NULL, 16);
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static double f64_bits(const char *s)
{
    uint64_t u = strtoull(s, NULL, 16);
    double f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static struct sp_value vector_of(const char *s)
{
    float *f = sp_arena_array(&arena, strlen(s) + 1, sizeof *f);
    size_t n = 0;
    for (; *s != '\0'; s += strcspn(s, " "), s += *s == ' ')
        f[n++] = f32_bits(s);
    return sp_v_vector(f, n);
}

static struct sp_value literal(const char *s);

static enum sp_tag tag_of(const char *name)
{
    enum sp_tag tag = SP_MISSING;
    if (strcmp(name, "dynamic") != 0)
        assert_int_equal(sp_tag_parse(name, &tag), 0);
    return tag;
}

static struct sp_value array_of(const char *s)
{
    char *name = sp_arena_strn(&arena, s, strcspn(s, " "));
    struct sp_value *v = sp_arena_array(&arena, strlen(s) + 1, sizeof *v);
    size_t n = 0;
    s += strlen(name);
    while (*s != '\0') {
        s += strspn(s, "; ");
        size_t len = strcspn(s, ";");
        v[n++] = literal(sp_arena_strn(&arena, s, len));
        s += len;
    }
    return sp_v_array(tag_of(name), v, n);
}

static struct sp_value literal(const char *s)
{
    char *name = sp_arena_strn(&arena, s, strcspn(s, " "));
    const char *rest = s[strlen(name)] == ' ' ? s + strlen(name) + 1 : "";
    enum sp_tag tag = tag_of(name);
    struct sp_value v = { .tag = tag };
    uint8_t b[64];
    size_t n;
    unsigned nsec = 0;
    long long sec = 0;
    switch (tag) {
    case SP_BOOL:
        return sp_v_bool(strcmp(rest, "true") == 0);
    case SP_INT:
    case SP_DATE:
    case SP_TIME:
        assert_true(sp_parse_i64(rest, tag == SP_INT ? &v.u.i : tag == SP_DATE ? &v.u.days : &v.u.time_ns));
        return v;
    case SP_DEC:
        return sp_v_dec_text(&arena, rest);
    case SP_F32:
        return sp_v_f32(f32_bits(rest));
    case SP_F64:
        return sp_v_f64(f64_bits(rest));
    case SP_TEXT:
    case SP_JSON:
    case SP_REF:
        return octets(tag, rest);
    case SP_BYTES:
        n = unhex(rest, b);
        return sp_v_bytes(sp_arena_dup(&arena, b, n), n);
    case SP_UUID:
        assert_int_equal(sp_uuid_parse(rest, strlen(rest), v.u.uuid), 0);
        return v;
    case SP_INSTANT:
    case SP_LOCAL:
        assert_int_equal(sscanf(rest, "%lld %u", &sec, &nsec), 2);
        v.u.ts = (struct sp_ts){ sec, nsec };
        return v;
    case SP_ARRAY:
        return array_of(rest);
    case SP_VECTOR:
        return vector_of(rest);
    case SP_NATIVE:
        n = unhex(rest + strcspn(rest, " ") + 1, b);
        return sp_v_native(sp_arena_strn(&arena, rest, strcspn(rest, " ")), sp_arena_dup(&arena, b, n), n);
    default:
        return v;
    }
}

static struct sp_type type_of(const char *s)
{
    struct sp_type t = { .tag = tag_of(sp_arena_strn(&arena, s, strcspn(s, " "))) };
    if (t.tag == SP_ARRAY)
        t.elem = tag_of(s + strcspn(s, " ") + 1);
    return t;
}

static void check_field_line(char *type, char *value, const char *want)
{
    struct sp_buf out = SP_BUF_INIT, hex = SP_BUF_INIT;
    struct sp_type t = type_of(type);
    struct sp_value v = literal(value);
    enum sp_state state;
    assert_int_equal(sp_canon_field(&out, &t, &v, &state), 0);
    sp_buf_hex(&hex, out.p, out.n);
    if (strcmp(hex.p, want) != 0)
        fail_msg("%s as %s: %s, not %s", value, type, hex.p, want);
    assert_int_equal(state, out.p[0]);
    sp_buf_free(&out);
    sp_buf_free(&hex);
}

static void check_row_line(char *fields, const char *want)
{
    struct sp_buf out = SP_BUF_INIT;
    struct sp_type dynamic = { .tag = SP_MISSING };
    char hex[33];
    while (fields[0] != '\0') {
        char *next = strstr(fields, " & ");
        struct sp_value v =
            literal(next != NULL ? sp_arena_strn(&arena, fields, (size_t)(next - fields)) : fields);
        assert_int_equal(sp_canon_field(&out, &dynamic, &v, NULL), 0);
        fields = next != NULL ? next + 3 : fields + strlen(fields);
    }
    sp_d128_format(hex, sp_d128_of(out.p, out.n));
    assert_string_equal(hex, want);
    sp_buf_free(&out);
}

static void golden_vectors(void **state)
{
    (void)state;
    struct sp_buf text = SP_BUF_INIT;
    struct sp_error err = SP_ERROR_INIT;
    if (sp_read_file("ci/tests/unit/golden/canonical.txt", 1 << 20, &text, &err) != 0)
        fail_msg("%s (run from the top of the tree)", sp_error_text(&err));
    size_t fields = 0, rows = 0;
    for (char *line = text.p, *next; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (line[0] == '#')
            continue;
        char *last = NULL, *bar = strstr(line, " | ");
        assert_non_null(bar);
        bool row = strncmp(line, "row ", 4) == 0;
        char *body = row ? line + 8 : bar + 3; /* "row | ", "field | " */
        if (row)
            body = bar + 3;
        for (char *p = body; (p = strstr(p, " | ")) != NULL; p++)
            last = p;
        assert_non_null(last);
        *last = '\0';
        if (row) {
            check_row_line(body, last + 3);
            rows++;
            continue;
        }
        char *value = strstr(body, " | ");
        assert_non_null(value);
        *value = '\0';
        check_field_line(body, value + 3, last + 3);
        fields++;
    }
    assert_true(fields > 120);
    assert_int_equal(rows, 7);
    sp_buf_free(&text);
}

/* --- properties over random values ------------------------------------------------------------------------------------- */

/* From a small domain, so that equal and nearly equal pairs are common. */
static struct sp_value random_value(struct sp_rng *rng, int depth)
{
    static const char *const texts[] = { "", "a", "NULL", "0", "1", "-1", "0.1", "0.10", "01", "1.0", "true",
        "1970-01-01", "1970-01-01T00:00:00Z", "1970-01-01 00:00:00", "00:00:00", "[1,2]", "{\"a\":1}",
        "{\"a\":1.0}", "00000000-0000-0000-0000-000000000001", "null", "\xc3\xa4", "\xff", "a|b",
        "{\"a\":1,\"a\":1}", "-0", "-0.0" };
    static const double floats[] = { 0.0, -0.0, 1.0, -1.0, 0.1, (double)0.1f, 1e300, 0x1p53, 0x1p63, 5e-324,
        (double)INFINITY, (double)NAN };
    static const char *const decimals[] = { "0", "1", "1.0", "0.1", "-1", "9007199254740993",
        "9007199254740992", "1e300", "0.10000000000000000555", "9223372036854775808",
        "0.100000001490116119384765625" };
    static const int64_t ints[] = { 0, 1, -1, 2, INT64_MAX, INT64_MIN, 9007199254740992, 9007199254740993 };
    static const char octet[17] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
    struct sp_value v = { .tag = (enum sp_tag)sp_rng_below(rng, SP_TAG_N) };
    uint64_t r = sp_rng_u64(rng) >> 8;
    if (depth > 1 && v.tag == SP_ARRAY)
        v.tag = SP_INT;
    switch (v.tag) {
    case SP_BOOL:
        return sp_v_bool(r % 2 == 0);
    case SP_INT:
        return sp_v_int(ints[r % SP_LEN(ints)]);
    case SP_DEC:
        return sp_v_dec_text(&arena, decimals[r % SP_LEN(decimals)]);
    case SP_F32: {
        static const float f[] = { 0.0f, -0.0f, 1.0f, 0.1f, 16777216.0f };
        return sp_v_f32(f[r % SP_LEN(f)]);
    }
    case SP_F64:
        return sp_v_f64(floats[r % SP_LEN(floats)]);
    case SP_TEXT:
    case SP_JSON:
    case SP_REF:
    case SP_BYTES: {
        const char *s = texts[r % SP_LEN(texts)];
        v.u.str.p = s;
        v.u.str.n = strlen(s);
        if (v.tag == SP_BYTES && r % 3 == 0)
            return sp_v_bytes(octet, 16);
        return v;
    }
    case SP_UUID:
        v.u.uuid[15] = (uint8_t)(r % 2);
        return v;
    case SP_INSTANT:
    case SP_LOCAL:
        v.u.ts = (struct sp_ts){ (int64_t)(r % 2), r % 5 == 0 ? 1000000000u : (uint32_t)(r % 3) };
        return v;
    case SP_DATE:
        return sp_v_date((int64_t)(r % 2));
    case SP_TIME:
        return sp_v_time(r % 5 == 0 ? INT64_C(86400000000000) : (int64_t)(r % 2));
    case SP_ARRAY: {
        size_t n = r % 4;
        struct sp_value *e = sp_arena_array(&arena, n + 1, sizeof *e);
        static const enum sp_tag elems[] = { SP_MISSING, SP_INT, SP_DEC, SP_F64, SP_TEXT, SP_ARRAY };
        for (size_t i = 0; i < n; i++)
            e[i] = random_value(rng, depth + 1);
        return sp_v_array(elems[r / 4 % SP_LEN(elems)], e, n);
    }
    case SP_VECTOR: {
        static const float f[] = { 0.0f, 1.0f, -0.0f, 0.1f };
        return sp_v_vector(f + r % 2, r / 2 % 3);
    }
    case SP_NATIVE:
        return sp_v_native(r % 2 == 0 ? "a" : "ab", "bc", r / 2 % 3);
    default:
        return v;
    }
}

static void encode(
    struct sp_buf *out, const struct sp_type *t, const struct sp_value *v, enum sp_state *state)
{
    sp_buf_clear(out);
    assert_int_equal(sp_canon_field(out, t, v, state), 0);
}

static void say(const char *what, const struct sp_type *t, const struct sp_value *a, const struct sp_value *b)
{
    struct sp_buf s = SP_BUF_INIT;
    sp_buf_printf(&s, "%s as ", what);
    sp_type_print(&s, t);
    sp_buf_puts(&s, ": ");
    sp_value_print(&s, a, 0);
    sp_buf_puts(&s, " and ");
    sp_value_print(&s, b, 0);
    fail_msg("%s", s.p);
}

static void equal_values_have_equal_bytes(void **state)
{
    (void)state;
    struct sp_rng rng;
    struct sp_buf x = SP_BUF_INIT, y = SP_BUF_INIT;
    const struct sp_type dynamic = { .tag = SP_MISSING };
    size_t equal = 0;
    sp_rng_seed(&rng, 2024);
    for (int i = 0; i < 60000; i++) {
        struct sp_value a = random_value(&rng, 0), b = i % 7 == 0 ? a : random_value(&rng, 0);
        encode(&x, &dynamic, &a, NULL);
        encode(&y, &dynamic, &b, NULL);
        bool same = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
        equal += same ? 1 : 0;
        if (same != sp_value_equal(&a, &b))
            say("equality and bytes disagree", &dynamic, &a, &b);
        if (i % 1000 == 0)
            sp_arena_reset(&arena);
    }
    assert_true(equal > 9000);
    sp_buf_free(&x);
    sp_buf_free(&y);
}

/* Under a fixed type: what both coerce into is equal exactly when the bytes are; what does not coerce is state 3 and
 * never equals what does. */
static void bytes_follow_coercion(void **state)
{
    (void)state;
    struct sp_rng rng;
    struct sp_buf x = SP_BUF_INIT, y = SP_BUF_INIT;
    sp_rng_seed(&rng, 4711);
    for (int i = 0; i < 60000; i++) {
        static const enum sp_tag elems[] = { SP_MISSING, SP_INT, SP_DEC, SP_F64, SP_TEXT, SP_ARRAY };
        struct sp_type t = { .tag = (enum sp_tag)(1 + sp_rng_below(&rng, SP_TAG_N - 1)) };
        if (t.tag == SP_NULL)
            t.tag = SP_ARRAY;
        t.elem = t.tag == SP_ARRAY ? elems[sp_rng_below(&rng, SP_LEN(elems))] : SP_MISSING;
        struct sp_value a = random_value(&rng, 0), b = random_value(&rng, 0), ca, cb;
        enum sp_state sa, sb;
        encode(&x, &t, &a, &sa);
        encode(&y, &t, &b, &sb);
        bool same = x.n == y.n && memcmp(x.p, y.p, x.n) == 0;
        int ra = sp_coerce(&arena, &t, &a, &ca), rb = sp_coerce(&arena, &t, &b, &cb);
        assert_int_equal(ra == 1, sa == SP_ST_UNCOERCED);
        assert_int_equal(rb == 1, sb == SP_ST_UNCOERCED);
        if (ra == 0 && !sp_v_is_absent(&ca))
            assert_int_equal(ca.tag, t.tag);
        bool want = ra == 0 && rb == 0 ? sp_value_equal(&ca, &cb) : ra == rb && sp_value_equal(&a, &b);
        if (same != want)
            say("coercion and bytes disagree", &t, &a, &b);
        if (i % 1000 == 0)
            sp_arena_reset(&arena);
    }
    sp_buf_free(&x);
    sp_buf_free(&y);
}

/* Two different values of one type never become the same value of another: nothing is lost on the way. Text is left
 * out: a number, a date or a JSON value has several spellings. */
static void coercion_loses_nothing(void **state)
{
    (void)state;
    struct sp_rng rng;
    size_t coerced = 0;
    sp_rng_seed(&rng, 99);
    for (int i = 0; i < 60000; i++) {
        struct sp_type t = { .tag = (enum sp_tag)(SP_BOOL + sp_rng_below(&rng, SP_TAG_N - SP_BOOL)) };
        struct sp_value a = random_value(&rng, 0), b = random_value(&rng, 0), ca, cb;
        if (a.tag != b.tag || a.tag == SP_TEXT || a.tag == SP_ARRAY || a.tag == SP_VECTOR || a.tag == SP_JSON)
            continue;
        if (sp_coerce(&arena, &t, &a, &ca) != 0 || sp_coerce(&arena, &t, &b, &cb) != 0)
            continue;
        coerced++;
        if (sp_value_equal(&ca, &cb) != sp_value_equal(&a, &b))
            say("a coercion loses a difference", &t, &a, &b);
    }
    assert_true(coerced > 300);
}

static void fields_can_be_read_back(void **state)
{
    (void)state;
    struct sp_rng rng;
    struct sp_buf x = SP_BUF_INIT, y = SP_BUF_INIT;
    sp_rng_seed(&rng, 31);
    for (int i = 0; i < 40000; i++) {
        struct sp_value v = random_value(&rng, 0), back;
        struct sp_type t = { .tag = i % 2 == 0 ? SP_MISSING : v.tag };
        if (v.tag == SP_ARRAY)
            t.elem = v.u.array.elem;
        if (t.tag == SP_NULL)
            t.tag = SP_TEXT;
        enum sp_state s1, s2;
        encode(&x, &t, &v, &s1);
        sp_buf_put(&x, "rest", 4);
        assert_int_equal(sp_canon_read(&arena, &t, (const uint8_t *)x.p, x.n, &back, &s2), x.n - 4);
        assert_int_equal(s1, s2);
        encode(&y, &t, &back, NULL);
        if (y.n != x.n - 4 || memcmp(x.p, y.p, y.n) != 0)
            say("read back another value", &t, &v, &back);
        /* every shorter piece is damaged */
        for (size_t n = 0; n < x.n - 4; n++)
            assert_true(sp_canon_read(&arena, &t, (const uint8_t *)x.p, n, &back, &s2) == -SP_E_CORRUPT);
        if (i % 500 == 0)
            sp_arena_reset(&arena);
    }
    sp_buf_free(&x);
    sp_buf_free(&y);
}

/* Damaged bytes are refused or read as something, but never beyond their end (sanitizers watch). */
static void damaged_bytes_are_handled(void **state)
{
    (void)state;
    struct sp_rng rng;
    struct sp_buf x = SP_BUF_INIT;
    const struct sp_type dynamic = { .tag = SP_MISSING };
    sp_rng_seed(&rng, 17);
    for (int i = 0; i < 40000; i++) {
        struct sp_value v = random_value(&rng, 0), back;
        encode(&x, &dynamic, &v, NULL);
        for (uint64_t k = 1 + sp_rng_below(&rng, 3); k > 0; k--)
            x.p[sp_rng_below(&rng, x.n)] = (char)sp_rng_u64(&rng);
        uint8_t *exact = malloc(x.n);
        assert_non_null(exact);
        memcpy(exact, x.p, x.n);
        int64_t n = sp_canon_read(&arena, &dynamic, exact, x.n, &back, NULL);
        assert_true(n == -SP_E_CORRUPT || (n > 0 && (size_t)n <= x.n));
        free(exact);
        if (i % 500 == 0)
            sp_arena_reset(&arena);
    }
    sp_buf_free(&x);
}

static void deep_arrays_are_refused(void **state)
{
    (void)state;
    static struct sp_value v[SP_VALUE_DEPTH + 2];
    const struct sp_type dynamic = { .tag = SP_MISSING };
    struct sp_buf out = SP_BUF_INIT;
    v[0] = sp_v_int(1);
    for (size_t i = 1; i < SP_LEN(v); i++)
        v[i] = sp_v_array(SP_MISSING, &v[i - 1], 1);
    assert_int_equal(sp_canon_field(&out, &dynamic, &v[SP_VALUE_DEPTH], NULL), 0);
    struct sp_value back;
    assert_int_equal(sp_canon_read(&arena, &dynamic, (const uint8_t *)out.p, out.n, &back, NULL), out.n);
    assert_true(sp_value_equal(&back, &v[SP_VALUE_DEPTH]));
    sp_buf_clear(&out);
    sp_buf_puts(&out, "kept");
    assert_int_equal(sp_canon_field(&out, &dynamic, &v[SP_VALUE_DEPTH + 1], NULL), -SP_E_TOO_LARGE);
    assert_int_equal(out.n, 4);
    sp_buf_free(&out);
}

static void digests_add_up(void **state)
{
    (void)state;
    struct sp_rng rng;
    struct sp_digest all = { 0 }, part[4] = { { 0 } }, backwards = { 0 }, merged = { 0 };
    struct sp_d128 d[500], back;
    char hex[33];
    sp_rng_seed(&rng, 1);
    for (size_t i = 0; i < SP_LEN(d); i++) {
        d[i] = (struct sp_d128){ sp_rng_u64(&rng), sp_rng_u64(&rng) };
        sp_digest_add(&all, d[i]);
        sp_digest_add(&part[sp_rng_below(&rng, 4)], d[i]);
        sp_d128_format(hex, d[i]);
        assert_int_equal(sp_d128_parse(hex, &back), 0);
        assert_true(sp_d128_eq(d[i], back));
    }
    for (size_t i = SP_LEN(d); i > 0; i--)
        sp_digest_add(&backwards, d[i - 1]);
    for (size_t i = 0; i < 4; i++)
        sp_digest_merge(&merged, &part[3 - i]);
    assert_true(sp_digest_equal(&all, &backwards));
    assert_true(sp_digest_equal(&all, &merged));
    /* a pair of equal rows does not vanish, as it would with XOR */
    sp_digest_add(&merged, d[0]);
    sp_digest_add(&merged, d[0]);
    assert_false(sp_digest_equal(&all, &merged));
    struct sp_d128 max = { UINT64_MAX, UINT64_MAX };
    struct sp_digest carry = { 0 };
    sp_digest_add(&carry, max);
    sp_digest_add(&carry, (struct sp_d128){ 1, 0 });
    assert_true(carry.sum.lo == 0 && carry.sum.hi == 0 && carry.count == 2);
    static const char *const bad[] = { "", "0", "0123456789abcdef0123456789abcdeF",
        "0123456789abcdef0123456789abcdef0" };
    for (size_t i = 0; i < SP_LEN(bad); i++)
        assert_int_equal(sp_d128_parse(bad[i], &back), -SP_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_vectors),
        cmocka_unit_test(equal_values_have_equal_bytes),
        cmocka_unit_test(bytes_follow_coercion),
        cmocka_unit_test(coercion_loses_nothing),
        cmocka_unit_test(fields_can_be_read_back),
        cmocka_unit_test(damaged_bytes_are_handled),
        cmocka_unit_test(deep_arrays_are_refused),
        cmocka_unit_test(digests_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
