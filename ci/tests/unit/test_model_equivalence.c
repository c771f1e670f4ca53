/* Rules and comparison types. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "model/equivalence.h"

static struct sp_arena arena;

static int teardown(void **state)
{
    (void)state;
    sp_arena_free(&arena);
    return 0;
}

static void rules_have_names(void **state)
{
    (void)state;
    for (int k = SP_RULE_NONE + 1; k < SP_RULE_N; k++) {
        enum sp_rule_kind back;
        assert_int_equal(sp_rule_parse(sp_rule_name((enum sp_rule_kind)k), &back), 0);
        assert_int_equal(back, k);
        assert_true(strlen(sp_rule_doc((enum sp_rule_kind)k)) > 10);
    }
    enum sp_rule_kind k;
    assert_int_equal(sp_rule_parse("none", &k), -SP_E_INVALID);
    assert_int_equal(sp_rule_parse("round", &k), -SP_E_INVALID);
}

struct rule_case {
    enum sp_rule_kind k;
    struct sp_value in, out;
    int changed;
};

static void rules_do_what_they_say(void **state)
{
    (void)state;
    const struct rule_case cases[] = {
        { SP_RULE_TRUNCATE_US, sp_v_instant(5, 123456789), sp_v_instant(5, 123456000), 1 },
        { SP_RULE_TRUNCATE_US, sp_v_instant(5, 123456000), sp_v_instant(5, 123456000), 0 },
        /* a half second before 1970, cut to the past */
        { SP_RULE_TRUNCATE_MS, sp_v_local(-1, 999999999), sp_v_local(-1, 999000000), 1 },
        { SP_RULE_TRUNCATE_S, sp_v_instant(-1, 1), sp_v_instant(-1, 0), 1 },
        { SP_RULE_TRUNCATE_MS, sp_v_time(1999999), sp_v_time(1000000), 1 },
        { SP_RULE_TRUNCATE_MS, sp_v_date(3), sp_v_date(3), 0 },
        { SP_RULE_TRUNCATE_MS, sp_v_text("1970-01-01T00:00:00.1239Z"), sp_v_instant(0, 123000000), 1 },
        { SP_RULE_TRUNCATE_MS, sp_v_text("1970-01-01T00:00:00.123Z"), sp_v_text("1970-01-01T00:00:00.123Z"),
            0 },
        { SP_RULE_TRUNCATE_S, sp_v_text("00:00:01.5"), sp_v_time(1000000000), 1 },
        { SP_RULE_TRUNCATE_S, sp_v_text("1.5"), sp_v_text("1.5"), 0 },
        { SP_RULE_NULL_TO_MISSING, sp_v_null(), sp_v_missing(), 1 },
        { SP_RULE_NULL_TO_MISSING, sp_v_text(""), sp_v_text(""), 0 },
        { SP_RULE_MISSING_TO_NULL, sp_v_missing(), sp_v_null(), 1 },
        { SP_RULE_MISSING_TO_NULL, sp_v_null(), sp_v_null(), 0 },
        { SP_RULE_EMPTY_TO_NULL, sp_v_text(""), sp_v_null(), 1 },
        { SP_RULE_EMPTY_TO_NULL, sp_v_text(" "), sp_v_text(" "), 0 },
        { SP_RULE_EMPTY_TO_NULL, sp_v_bytes("", 0), sp_v_bytes("", 0), 0 },
        { SP_RULE_TRIM_PADDING, sp_v_text(" a b  "), sp_v_text(" a b"), 1 },
        { SP_RULE_TRIM_PADDING, sp_v_text("   "), sp_v_text(""), 1 },
        { SP_RULE_TRIM_PADDING, sp_v_text("a\t"), sp_v_text("a\t"), 0 },
        { SP_RULE_TO_FLOAT32, sp_v_f64(0.1), sp_v_f32(0.1f), 1 },
        { SP_RULE_TO_FLOAT32, sp_v_f64(0.5), sp_v_f32(0.5f), 0 },
        { SP_RULE_TO_FLOAT32, sp_v_f64(NAN), sp_v_f32(NAN), 0 },
        { SP_RULE_TO_FLOAT32, sp_v_f64(1e300), sp_v_f32(INFINITY), 1 },
        { SP_RULE_TO_FLOAT64, sp_v_int(9007199254740993), sp_v_f64(9007199254740992.0), 1 },
        { SP_RULE_TO_FLOAT64, sp_v_int(3), sp_v_f64(3.0), 0 },
        { SP_RULE_TO_FLOAT64, sp_v_dec_text(&arena, "0.1"), sp_v_f64(0.1), 0 },
        { SP_RULE_TO_FLOAT64, sp_v_dec_text(&arena, "0.10000000000000000001"), sp_v_f64(0.1), 1 },
        { SP_RULE_TO_FLOAT64, sp_v_dec_text(&arena, "1e400"), sp_v_dec_text(&arena, "1e400"), 0 },
        { SP_RULE_NEGZERO_TO_ZERO, sp_v_f64(-0.0), sp_v_f64(0.0), 1 },
        { SP_RULE_NEGZERO_TO_ZERO, sp_v_f64(0.0), sp_v_f64(0.0), 0 },
        { SP_RULE_NEGZERO_TO_ZERO, sp_v_f32(-0.0f), sp_v_f32(0.0f), 1 },
        { SP_RULE_LOCAL_AS_UTC, sp_v_local(7, 8), sp_v_instant(7, 8), 1 },
        { SP_RULE_LOCAL_AS_UTC, sp_v_text("1970-01-01 00:00:01"), sp_v_instant(1, 0), 1 },
        { SP_RULE_LOCAL_AS_UTC, sp_v_text("1970-01-01 00:00:01Z"), sp_v_text("1970-01-01 00:00:01Z"), 0 },
        { SP_RULE_UTC_AS_LOCAL, sp_v_instant(7, 8), sp_v_local(7, 8), 1 },
        { SP_RULE_DATE_AS_MIDNIGHT, sp_v_date(-1), sp_v_local(-86400, 0), 1 },
        { SP_RULE_DATE_AS_MIDNIGHT, sp_v_text("1970-01-02"), sp_v_local(86400, 0), 1 },
        { SP_RULE_DATE_AS_MIDNIGHT, sp_v_date(INT64_MAX), sp_v_date(INT64_MAX), 0 },
        { SP_RULE_EPOCH_S, sp_v_int(-5), sp_v_instant(-5, 0), 1 },
        { SP_RULE_EPOCH_MS, sp_v_int(-1), sp_v_instant(-1, 999000000), 1 },
        { SP_RULE_EPOCH_MS, sp_v_int(INT64_MIN), sp_v_instant(INT64_C(-9223372036854776), 192000000), 1 },
        { SP_RULE_EPOCH_MS, sp_v_null(), sp_v_null(), 0 },
    };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_value out, same = cases[i].in;
        if (sp_rule_apply(cases[i].k, &arena, &cases[i].in, &out) != cases[i].changed ||
            !sp_value_equal(&out, &cases[i].out))
            fail_msg("case %zu: %s", i, sp_rule_name(cases[i].k));
        assert_int_equal(sp_rule_apply(cases[i].k, &arena, &same, &same), cases[i].changed);
        assert_true(sp_value_equal(&same, &cases[i].out));
    }
}

/* Rules that take a number. */
static void rules_with_a_number(void **state)
{
    (void)state;
    const struct {
        struct rule_case c;
        int32_t arg;
    } cases[] = {
        { { SP_RULE_TRUNCATE_DIGITS, sp_v_instant(5, 123456789), sp_v_instant(5, 123400000), 1 }, 4 },
        { { SP_RULE_TRUNCATE_DIGITS, sp_v_instant(5, 123400000), sp_v_instant(5, 123400000), 0 }, 4 },
        { { SP_RULE_ROUND_DIGITS, sp_v_instant(5, 123456789), sp_v_instant(5, 123457000), 1 }, 6 },
        { { SP_RULE_ROUND_DIGITS, sp_v_instant(5, 123456499), sp_v_instant(5, 123456000), 1 }, 6 },
        { { SP_RULE_ROUND_DIGITS, sp_v_local(5, 999999999), sp_v_local(6, 0), 1 }, 3 },
        /* halves: away from 2000 */
        { { SP_RULE_ROUND_DIGITS, sp_v_instant(946684800, 500000000), sp_v_instant(946684801, 0), 1 }, 0 },
        { { SP_RULE_ROUND_DIGITS, sp_v_instant(946684799, 500000000), sp_v_instant(946684799, 0), 1 }, 0 },
        /* Ties below the microsecond go to the even one, and a declared precision rounds what came of that. */
        { { SP_RULE_ROUND_DIGITS, sp_v_instant(-5, 435359500), sp_v_instant(-5, 435360000), 1 }, 6 },
        { { SP_RULE_ROUND_DIGITS, sp_v_instant(1658347397, 500), sp_v_instant(1658347397, 0), 1 }, 6 },
        { { SP_RULE_ROUND_DIGITS, sp_v_instant(1658347397, 2500), sp_v_instant(1658347397, 2000), 1 }, 6 },
        { { SP_RULE_ROUND_DIGITS, sp_v_time(1000001500), sp_v_time(1000002000), 1 }, 6 },
        { { SP_RULE_ROUND_DIGITS, sp_v_local(1658347397, 499999500), sp_v_local(1658347398, 0), 1 }, 0 },
        { { SP_RULE_ROUND_DIGITS, sp_v_time(1500000000), sp_v_time(2000000000), 1 }, 0 },
        { { SP_RULE_ROUND_DIGITS, sp_v_text("00:00:01.5"), sp_v_time(2000000000), 1 }, 0 },
        { { SP_RULE_ROUND_DIGITS, sp_v_text("1.5"), sp_v_text("1.5"), 0 }, 0 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "1.005"), sp_v_dec_text(&arena, "1.01"), 1 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "-1.005"), sp_v_dec_text(&arena, "-1.01"), 1 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "1.0049"), sp_v_dec_text(&arena, "1"), 1 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "9.995"), sp_v_dec_text(&arena, "10"), 1 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "0.006"), sp_v_dec_text(&arena, "0.01"), 1 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "0.0006"), sp_v_dec_text(&arena, "0"), 1 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "0.9"), sp_v_dec_text(&arena, "1"), 1 }, 0 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "1250"), sp_v_dec_text(&arena, "1300"), 1 }, -2 },
        { { SP_RULE_ROUND_SCALE, sp_v_dec_text(&arena, "12.5"), sp_v_dec_text(&arena, "12.5"), 0 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_f64(0.1 + 0.2), sp_v_dec_text(&arena, "0.3"), 1 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_text("2.345"), sp_v_dec_text(&arena, "2.35"), 1 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_text("two"), sp_v_text("two"), 0 }, 2 },
        { { SP_RULE_ROUND_SCALE, sp_v_f64(NAN), sp_v_f64(NAN), 0 }, 2 },
        { { SP_RULE_PAD, sp_v_text("ab"), sp_v_text("ab   "), 1 }, 5 },
        { { SP_RULE_PAD, sp_v_text("\xc3\xa9"), sp_v_text("\xc3\xa9 "), 1 }, 2 },
        { { SP_RULE_PAD, sp_v_text("abc"), sp_v_text("abc"), 0 }, 2 },
        { { SP_RULE_PAD, sp_v_null(), sp_v_null(), 0 }, 2 },
    };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_value out;
        const struct rule_case *c = &cases[i].c;
        if (sp_rule_apply_arg(c->k, cases[i].arg, &arena, &c->in, &out) != c->changed ||
            !sp_value_equal(&out, &c->out))
            fail_msg("case %zu: %s", i, sp_rule_name(c->k));
        assert_true(sp_rule_has_arg(c->k));
    }
    struct sp_buf b = SP_BUF_INIT;
    sp_rule_print(&b, SP_RULE_ROUND_SCALE, 2);
    sp_rule_print(&b, SP_RULE_EPOCH_S, 2);
    assert_string_equal(b.p, "round_to_scale(2)epoch_s");
    sp_buf_free(&b);
}

static void ledgers_add_rules(void **state)
{
    static const struct sp_loss end = { SP_MISSING, SP_RULE_NONE, NULL };
    const struct sp_loss us[] = { { SP_INSTANT, SP_RULE_TRUNCATE_US, "us" }, end };
    const struct sp_loss rounds[] = { { SP_INSTANT, SP_RULE_TRUNCATE_US, "us" },
        { SP_INSTANT, SP_RULE_ROUND_DIGITS, "rounds" }, end };
    const struct sp_loss zero[] = { { SP_F64, SP_RULE_NEGZERO_TO_ZERO, "zero" },
        { SP_F64, SP_RULE_NONE, "nan" }, end };
    const struct sp_type any = { .tag = SP_INSTANT }, ms = { .tag = SP_INSTANT, .precision = 4 };
    struct sp_colplan p = { .name = "c", .source = "c", .target = "c", .type = { .tag = SP_INSTANT } };
    (void)state;
    const struct sp_colplan fresh = p;
    assert_int_equal(sp_equiv_ledger(&p, &any, NULL, us), 0);
    assert_int_equal(p.nrules, 1);
    assert_int_equal(p.rules[0], SP_RULE_TRUNCATE_US);
    p = fresh;
    assert_int_equal(sp_equiv_ledger(&p, &any, us, us), 0); /* the source never held more */
    assert_int_equal(p.nrules, 0);
    p.rules[p.nrules++] = SP_RULE_TRUNCATE_MS;
    assert_int_equal(sp_equiv_ledger(&p, &ms, NULL, us), 0);
    assert_int_equal(p.nrules, 1);
    assert_int_equal(p.rules[0], SP_RULE_TRUNCATE_MS);
    assert_int_equal(sp_equiv_ledger(&p, &ms, NULL, rounds), 0);
    assert_int_equal(p.nrules, 1);
    assert_int_equal(p.rules[0], SP_RULE_ROUND_DIGITS);
    assert_int_equal(p.args[0], 3);
    struct sp_d128 three = sp_plan_fingerprint(&p, 1, false);
    p.args[0] = 4;
    struct sp_d128 four = sp_plan_fingerprint(&p, 1, false);
    assert_false(sp_d128_eq(three, four));
    p = fresh;
    p.type.tag = SP_F64;
    assert_int_equal(sp_equiv_ledger(&p, &any, us, zero), 0);
    assert_int_equal(p.nrules, 1);
    assert_int_equal(p.rules[0], SP_RULE_NEGZERO_TO_ZERO);
    assert_int_equal(sp_equiv_ledger(&p, &any, NULL, NULL), 0);
}

#define T(id, ...)                                                                                           \
    (struct sp_type)                                                                                         \
    {                                                                                                        \
        .tag = SP_##id, __VA_ARGS__                                                                          \
    }
#define NOT_COMPARABLE SP_TAG_N

struct pair_case {
    struct sp_type s, t;
    enum sp_tag want; /* NOT_COMPARABLE */
    enum sp_rule_kind rules[SP_MAX_RULES];
};

static int resolve(const struct pair_case *c, struct sp_colplan *plan, const char **why)
{
    struct sp_column s = { .name = "c", .type = c->s, .native_type = "n" },
                     t = { .name = "c", .type = c->t, .native_type = "n" };
    return sp_equiv_resolve(&arena, &s, &t, plan, why);
}

static void pairs_have_a_comparison_type(void **state)
{
    (void)state;
    const struct pair_case cases[] = {
        { T(INT, .int_bits = 32), T(INT, .int_bits = 64), SP_INT, { 0 } },
        { T(MISSING, 0), T(MISSING, 0), SP_MISSING, { 0 } },
        { T(MISSING, 0), T(BOOL, 0), SP_BOOL, { 0 } },
        { T(UUID, 0), T(MISSING, 0), SP_UUID, { 0 } },
        { T(MISSING, 0), T(INSTANT, .precision = 7), SP_INSTANT,
            { SP_RULE_DATE_AS_MIDNIGHT, SP_RULE_LOCAL_AS_UTC, SP_RULE_TRUNCATE_US } },
        { T(MISSING, 0), T(LOCAL, 0), SP_LOCAL, { SP_RULE_DATE_AS_MIDNIGHT, SP_RULE_UTC_AS_LOCAL } },
        { T(MISSING, 0), T(DEC, .precision = 10, .scale = 2), SP_DEC, { SP_RULE_ROUND_SCALE } },
        { T(MISSING, 0), T(DEC, 0), SP_DEC, { 0 } },
        { T(MISSING, 0), T(TEXT, .padded = true, .length = 3), SP_TEXT, { SP_RULE_PAD } },
        { T(MISSING, 0), T(F32, 0), SP_F32, { SP_RULE_TO_FLOAT32 } },
        { T(NATIVE, 0), T(MISSING, 0), NOT_COMPARABLE, { 0 } },
        { T(NATIVE, 0), T(NATIVE, 0), SP_NATIVE, { 0 } },
        { T(INT, 0), T(DEC, 0), SP_DEC, { 0 } },
        { T(DEC, 0), T(INT, 0), SP_DEC, { 0 } },
        { T(F64, 0), T(INT, 0), SP_DEC, { 0 } },
        { T(F64, 0), T(DEC, 0), SP_DEC, { 0 } },
        { T(INT, .int_bits = 32), T(F64, 0), SP_F64, { 0 } },
        { T(INT, 0), T(F64, 0), SP_F64, { SP_RULE_TO_FLOAT64 } },
        { T(DEC, .precision = 12, .scale = 2), T(F64, 0), SP_F64, { 0 } },
        { T(DEC, .precision = 16, .scale = 2), T(F64, 0), SP_F64, { SP_RULE_TO_FLOAT64 } },
        { T(DEC, .precision = 5, .scale = -20), T(F64, 0), SP_F64, { SP_RULE_TO_FLOAT64 } },
        { T(DEC, 0), T(F64, 0), SP_F64, { SP_RULE_TO_FLOAT64 } },
        { T(F32, 0), T(F64, 0), SP_F64, { 0 } },
        { T(F32, 0), T(F32, 0), SP_F32, { 0 } },
        { T(F64, 0), T(F32, 0), SP_F64, { SP_RULE_TO_FLOAT32 } },
        { T(DEC, 0), T(F32, 0), SP_F64, { SP_RULE_TO_FLOAT64, SP_RULE_TO_FLOAT32 } },
        { T(INT, 0), T(BOOL, 0), SP_BOOL, { 0 } },
        { T(BOOL, 0), T(INT, 0), SP_BOOL, { 0 } },
        { T(BOOL, 0), T(DEC, 0), NOT_COMPARABLE, { 0 } },
        { T(INSTANT, .precision = 10), T(INSTANT, .precision = 4), SP_INSTANT, { SP_RULE_TRUNCATE_MS } },
        { T(INSTANT, 0), T(INSTANT, .precision = 1), SP_INSTANT, { SP_RULE_TRUNCATE_S } },
        { T(INSTANT, .precision = 4), T(INSTANT, .precision = 7), SP_INSTANT, { 0 } },
        { T(INSTANT, .precision = 7), T(INSTANT, 0), SP_INSTANT, { 0 } },
        { T(LOCAL, .precision = 7), T(INSTANT, .precision = 4), SP_INSTANT,
            { SP_RULE_LOCAL_AS_UTC, SP_RULE_TRUNCATE_MS } },
        { T(INSTANT, 0), T(LOCAL, 0), SP_LOCAL, { SP_RULE_UTC_AS_LOCAL } },
        { T(DATE, 0), T(LOCAL, .precision = 4), SP_LOCAL, { SP_RULE_DATE_AS_MIDNIGHT } },
        { T(DATE, 0), T(INSTANT, 0), SP_INSTANT, { SP_RULE_DATE_AS_MIDNIGHT, SP_RULE_LOCAL_AS_UTC } },
        { T(INSTANT, 0), T(DATE, 0), NOT_COMPARABLE, { 0 } },
        { T(INT, 0), T(INSTANT, 0), NOT_COMPARABLE, { 0 } },
        { T(TIME, .precision = 10), T(TIME, .precision = 7), SP_TIME, { SP_RULE_TRUNCATE_US } },
        { T(TEXT, .padded = true), T(TEXT, 0), SP_TEXT, { SP_RULE_TRIM_PADDING } },
        { T(TEXT, 0), T(TEXT, .padded = true), SP_TEXT, { 0 } },
        { T(TEXT, .padded = true), T(TEXT, .padded = true), SP_TEXT, { 0 } },
        { T(TEXT, 0), T(UUID, 0), SP_UUID, { 0 } },
        { T(JSON, 0), T(TEXT, 0), SP_JSON, { 0 } },
        { T(TEXT, 0), T(INSTANT, .precision = 7), SP_INSTANT,
            { SP_RULE_TRUNCATE_US, SP_RULE_DATE_AS_MIDNIGHT, SP_RULE_LOCAL_AS_UTC } },
        { T(TEXT, 0), T(DEC, .precision = 4, .scale = 1), SP_DEC, { SP_RULE_ROUND_SCALE } },
        { T(DEC, .precision = 4, .scale = 1), T(TEXT, 0), SP_DEC, { 0 } },
        { T(F64, 0), T(DEC, .precision = 4, .scale = 1), SP_DEC, { SP_RULE_ROUND_SCALE } },
        { T(DEC, .precision = 9, .scale = 3), T(DEC, .precision = 4, .scale = 1), SP_DEC,
            { SP_RULE_ROUND_SCALE } },
        { T(DEC, .precision = 9, .scale = 1), T(DEC, .precision = 9, .scale = 3), SP_DEC, { 0 } },
        { T(INT, 0), T(DEC, .precision = 9, .scale = 3), SP_DEC, { 0 } },
        { T(INT, 0), T(DEC, .precision = 9, .scale = -3), SP_DEC, { SP_RULE_ROUND_SCALE } },
        { T(TEXT, 0), T(TEXT, .padded = true, .length = 3), SP_TEXT, { SP_RULE_PAD } },
        { T(TEXT, .padded = true, .length = 3), T(TEXT, .padded = true, .length = 3), SP_TEXT, { 0 } },
        { T(INSTANT, .precision = 7), T(INSTANT, .precision = 5), SP_INSTANT, { SP_RULE_TRUNCATE_DIGITS } },
        { T(TEXT, 0), T(BOOL, 0), NOT_COMPARABLE, { 0 } },
        { T(TEXT, 0), T(BYTES, 0), NOT_COMPARABLE, { 0 } },
        { T(TEXT, 0), T(F64, 0), NOT_COMPARABLE, { 0 } },
        { T(BYTES, 0), T(UUID, 0), SP_UUID, { 0 } },
        { T(ARRAY, .elem = SP_TEXT), T(JSON, 0), SP_JSON, { 0 } },
        { T(ARRAY, .elem = SP_F64), T(VECTOR, 0), SP_VECTOR, { 0 } },
        { T(ARRAY, .elem = SP_TEXT), T(ARRAY, .elem = SP_INT), NOT_COMPARABLE, { 0 } },
        { T(UUID, 0), T(INT, 0), NOT_COMPARABLE, { 0 } },
        { T(REF, 0), T(TEXT, 0), NOT_COMPARABLE, { 0 } },
    };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        struct sp_colplan plan;
        const char *why;
        int rc = resolve(&cases[i], &plan, &why);
        size_t n = 0;
        while (n < SP_MAX_RULES && cases[i].rules[n] != SP_RULE_NONE)
            n++;
        bool ok = cases[i].want == NOT_COMPARABLE
                      ? rc == 1 && why != NULL
                      : rc == 0 && plan.type.tag == cases[i].want && plan.nrules == n &&
                            (why != NULL) == (n != 0) &&
                            memcmp(plan.rules, cases[i].rules, n * sizeof plan.rules[0]) == 0;
        if (!ok)
            fail_msg("pair %zu: rc %d, %s, %zu rules, %s", i, rc, sp_tag_name(plan.type.tag), plan.nrules,
                why != NULL ? why : "-");
    }
}

static void arrays_compare_by_element(void **state)
{
    (void)state;
    struct pair_case c = { T(ARRAY, .elem = SP_INT), T(ARRAY, .elem = SP_DEC), SP_ARRAY, { 0 } };
    struct sp_colplan plan;
    assert_int_equal(resolve(&c, &plan, NULL), 0);
    assert_int_equal(plan.type.elem, SP_DEC);
    c.t = T(ARRAY, .elem = SP_MISSING);
    assert_int_equal(resolve(&c, &plan, NULL), 0);
    assert_int_equal(plan.type.elem, SP_INT);
    c.s = T(MISSING, 0);
    c.t = T(ARRAY, .elem = SP_TEXT);
    assert_int_equal(resolve(&c, &plan, NULL), 0);
    assert_int_equal(plan.type.elem, SP_TEXT);
}

/* Whatever two types resolve to, equal bytes are possible: no pair of comparable columns is doomed by its plan. */
static void every_pair_is_answered(void **state)
{
    (void)state;
    for (int s = 0; s < SP_TAG_N; s++) {
        for (int t = 0; t < SP_TAG_N; t++) {
            struct pair_case c = { { .tag = (enum sp_tag)s }, { .tag = (enum sp_tag)t }, SP_MISSING, { 0 } };
            struct sp_colplan plan;
            const char *why;
            int rc = resolve(&c, &plan, &why);
            assert_true(rc == 0 || rc == 1);
            assert_true(rc == 0 || why != NULL);
            if (rc == 0 && s == t)
                assert_int_equal(plan.type.tag, s);
        }
    }
}

static void native_types_need_one_name(void **state)
{
    (void)state;
    struct sp_column s = { .name = "c", .type = T(NATIVE, 0), .native_type = "interval" },
                     t = { .name = "c", .type = T(NATIVE, 0), .native_type = "point" };
    struct sp_colplan plan;
    assert_int_equal(sp_equiv_resolve(&arena, &s, &t, &plan, NULL), 1);
    s.native_type = t.native_type = NULL;
    assert_int_equal(sp_equiv_resolve(&arena, &s, &t, &plan, NULL), 1);
}

static void mappings_come_first(void **state)
{
    (void)state;
    static const enum sp_rule_kind ms[] = { SP_RULE_EPOCH_MS }, many[] = { SP_RULE_EMPTY_TO_NULL,
        SP_RULE_NULL_TO_MISSING, SP_RULE_NEGZERO_TO_ZERO, SP_RULE_EPOCH_S };
    struct sp_column s = { .name = "a", .type = T(INT, 0) },
                     t = { .name = "b", .type = T(LOCAL, .precision = 1) };
    struct sp_colplan plan;
    const char *why;
    assert_int_equal(sp_equiv_resolve_with(&arena, &s, &t, ms, NULL, 1, &plan, &why), 0);
    assert_string_equal(plan.name, "a->b");
    assert_string_equal(plan.source, "a");
    assert_string_equal(plan.target, "b");
    assert_int_equal(plan.type.tag, SP_LOCAL);
    assert_int_equal(plan.nrules, 3);
    assert_int_equal(plan.rules[0], SP_RULE_EPOCH_MS);
    assert_int_equal(plan.rules[1], SP_RULE_UTC_AS_LOCAL);
    assert_int_equal(plan.rules[2], SP_RULE_TRUNCATE_S);
    assert_non_null(strstr(why, "milliseconds"));
    assert_int_equal(sp_equiv_resolve_with(&arena, &s, &t, many, NULL, 4, &plan, &why), -SP_E_INVALID);
    /* a given rule keeps its number, and is not turned into another one */
    static const enum sp_rule_kind cut[] = { SP_RULE_TRUNCATE_DIGITS };
    static const int32_t two[] = { 2 };
    static const struct sp_loss rounds[] = { { SP_LOCAL, SP_RULE_ROUND_DIGITS, "rounds" },
        { SP_MISSING, SP_RULE_NONE, NULL } };
    s.type = (struct sp_type)T(LOCAL, 0);
    assert_int_equal(sp_equiv_resolve_with(&arena, &s, &t, cut, two, 1, &plan, &why), 0);
    assert_int_equal(sp_equiv_ledger(&plan, &t.type, NULL, rounds), 0);
    assert_int_equal(plan.rules[0], SP_RULE_TRUNCATE_DIGITS);
    assert_int_equal(plan.args[0], 2);
    /* a document's field that may be missing, against a table's column */
    s = (struct sp_column){ .name = "a", .type = T(MISSING, 0), .ordinal_unstable = true };
    t = (struct sp_column){ .name = "a", .type = T(INT, 0) };
    assert_int_equal(sp_equiv_resolve(&arena, &s, &t, &plan, NULL), 0);
    assert_int_equal(plan.nrules, 1);
    assert_int_equal(plan.rules[0], SP_RULE_MISSING_TO_NULL);
    assert_string_equal(plan.name, "a");
}

static void fingerprints_tell_plans_apart(void **state)
{
    (void)state;
    const struct sp_colplan base = { .name = "ab", .source = "ab", .target = "c", .type = T(INT, 0) };
    struct sp_colplan v[8];
    struct sp_d128 d[10];
    for (size_t i = 0; i < SP_LEN(v); i++)
        v[i] = base;
    v[1].source = "a";
    v[1].target = "bc";
    v[2].type.tag = SP_DEC;
    v[3].key = true;
    v[4].rules[0] = SP_RULE_EPOCH_S;
    v[4].nrules = 1;
    v[5].rules[0] = SP_RULE_EPOCH_MS;
    v[5].nrules = 1;
    v[6].type = T(ARRAY, .elem = SP_INT);
    v[7].type = T(ARRAY, .elem = SP_DEC);
    for (size_t i = 0; i < SP_LEN(v); i++)
        d[i] = sp_plan_fingerprint(&v[i], 1, false);
    d[8] = sp_plan_fingerprint(&base, 1, true);
    d[9] = sp_plan_fingerprint(v, 2, false);
    for (size_t i = 0; i < SP_LEN(d); i++) {
        for (size_t k = 0; k < SP_LEN(d); k++)
            assert_int_equal(sp_d128_eq(d[i], d[k]), i == k);
    }
    struct sp_colplan shown = base; /* what does not decide the bytes is no part of it */
    shown.name = "other";
    shown.lossy_accepted = true;
    shown.type.length = 9;
    assert_true(sp_d128_eq(sp_plan_fingerprint(&shown, 1, false), d[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_have_names),
        cmocka_unit_test(rules_do_what_they_say),
        cmocka_unit_test(rules_with_a_number),
        cmocka_unit_test(ledgers_add_rules),
        cmocka_unit_test(pairs_have_a_comparison_type),
        cmocka_unit_test(arrays_compare_by_element),
        cmocka_unit_test(every_pair_is_answered),
        cmocka_unit_test(native_types_need_one_name),
        cmocka_unit_test(mappings_come_first),
        cmocka_unit_test(fingerprints_tell_plans_apart),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}
