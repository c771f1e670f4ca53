/* Ranges of key values: whatever order the values come in, two sets of ranges can be brought together, hold every row once,
 * and a row that differs makes only its own range differ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/str.h"
#include "scan.h"

enum { N = 20000 };

static struct sp_d128 row_of(uint64_t v)
{
    return sp_d128_of(&v, sizeof v);
}

static void begin(struct sp_ranges *r)
{
    assert_int_equal(0, sp_ranges_init(r));
}

static struct sp_digest total(const struct sp_ranges *r)
{
    struct sp_digest sum = { 0 };
    for (size_t i = 0; i < r->n; i++)
        sp_digest_merge(&sum, &r->d[i]);
    for (size_t i = 0; i < r->nfar; i++)
        sp_digest_merge(&sum, &r->far[i].d);
    return sum;
}

/* The rows under a value that stands apart. */
static struct sp_digest apart(const struct sp_ranges *r, uint64_t v)
{
    for (size_t i = 0; i < r->nfar; i++)
        if (r->far[i].value == v)
            return r->far[i].d;
    return (struct sp_digest){ 0 };
}

/* How many ranges, and values apart, are unequal; and is `v` in the only one? */
static size_t unequal(const struct sp_ranges *a, const struct sp_ranges *b, uint64_t v)
{
    size_t n = 0;
    bool there = false;
    for (size_t i = 0; i < SP_RANGES; i++)
        if (!sp_digest_equal(&a->d[i], &b->d[i])) {
            n++;
            there = there || (v >> a->shift) - a->base == i;
        }
    for (int k = 0; k < 2; k++) {
        const struct sp_ranges *r = k == 0 ? a : b;
        for (size_t i = 0; i < r->nfar; i++) {
            uint64_t at = r->far[i].value;
            struct sp_digest x = apart(a, at), y = apart(b, at);
            assert_true((at >> r->shift) - r->base >= SP_RANGES); /* what has a range stands there */
            if (sp_digest_equal(&x, &y) || (k == 1 && apart(a, at).count != 0))
                continue;
            n++;
            there = there || at == v;
        }
    }
    assert_true(n != 1 || there);
    return n;
}

static void shuffle(struct sp_rng *rng, uint64_t *v, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        size_t k = (size_t)sp_rng_below(rng, i);
        uint64_t t = v[i - 1];
        v[i - 1] = v[k];
        v[k] = t;
    }
}

/* Ascending from 0, descending to the smallest, everywhere, both ends, one value, two clusters, steps of a power of two,
 * around the middle; dense with some far away: in the middle of the order, at its beginning, many that are alike, as many
 * as can just not be kept apart. */
enum { PATTERNS = 12 };

static uint64_t pattern(size_t p, uint64_t i, struct sp_rng *rng)
{
    switch (p) {
    case 0:
        return i;
    case 1:
        return (N - i) * 3;
    case 2:
        return sp_rng_u64(rng);
    case 3:
        return i % 2 == 0 ? i : UINT64_MAX - i;
    case 4:
        return 77;
    case 5:
        return i < N / 2 ? 1000000 + i : (UINT64_C(1) << 40) + i;
    case 6:
        return i << 32;
    case 8:
        return i == N / 3 ? UINT64_C(1) << 62 : i;
    case 9:
        return i < 3 ? UINT64_MAX - i * UINT64_C(0x1234567890ab) : i;
    case 10:
        return i % 100 == 5 ? i % 7 << 60 : UINT64_C(1) << 63 | i;
    case 11:
        return i % 300 == 5 ? i << 45 : i;
    default:
        return (UINT64_C(1) << 63) - N / 2 + i;
    }
}

static void one_row_makes_one_range_differ(void **state)
{
    static uint64_t v[N];
    struct sp_rng rng;
    (void)state;
    sp_rng_seed(&rng, 5);
    for (size_t p = 0; p < PATTERNS; p++) {
        struct sp_ranges a, b, part[3];
        struct sp_digest sum = { 0 };
        for (size_t i = 0; i < N; i++)
            v[i] = pattern(p, i, &rng);
        begin(&a);
        begin(&b);
        for (size_t k = 0; k < 3; k++)
            begin(&part[k]);
        for (size_t i = 0; i < N; i++) {
            sp_ranges_add(&a, v[i], row_of(v[i]));
            sp_digest_add(&sum, row_of(v[i]));
        }
        shuffle(&rng, v, N);
        size_t odd = (size_t)sp_rng_below(&rng, N);
        for (size_t i = 0; i < N; i++) {
            sp_ranges_add(&b, v[i], i == odd ? row_of(v[i] + 1) : row_of(v[i]));
            sp_ranges_add(&part[i % 3], v[i], row_of(v[i]));
        }
        sp_ranges_align(&a, &b);
        assert_true(a.shift == b.shift && a.base == b.base);
        struct sp_digest all = total(&a);
        assert_true(sp_digest_equal(&sum, &all));
        assert_int_equal(1, unequal(&a, &b, v[odd]));
        sp_ranges_merge(&part[0], &part[1]);
        sp_ranges_merge(&part[0], &part[2]);
        sp_ranges_align(&a, &part[0]);
        assert_int_equal(0, unequal(&a, &part[0], 0));
        sp_ranges_free(&a);
        sp_ranges_free(&b);
        for (size_t k = 0; k < 3; k++)
            sp_ranges_free(&part[k]);
    }
}

/* Dense keys fill the ranges: a range holds few rows of many. */
static void ranges_are_as_narrow_as_they_can_be(void **state)
{
    struct sp_ranges r;
    (void)state;
    for (int down = 0; down < 2; down++) {
        uint64_t most = 0;
        begin(&r);
        for (uint64_t i = 0; i < 1000000; i++)
            sp_ranges_add(&r, 5000000 + (down != 0 ? 1000000 - i : i), row_of(i));
        for (size_t i = 0; i < SP_RANGES; i++)
            most = r.d[i].count > most ? r.d[i].count : most;
        assert_true(most <= 32);
        sp_ranges_free(&r);
    }
}

static uint64_t fullest(const struct sp_ranges *r)
{
    uint64_t most = 0;
    for (size_t i = 0; i < SP_RANGES; i++)
        most = r->d[i].count > most ? r->d[i].count : most;
    return most;
}

/* One key far from all others, wherever it comes in, leaves them their ranges: also where sides and parts meet. */
static void far_values_do_not_widen_the_ranges(void **state)
{
    enum { ROWS = 1000000 };
    (void)state;
    for (uint64_t at = 0; at < 4; at++) {
        struct sp_ranges r, other, alone;
        uint64_t far = at % 2 == 0 ? UINT64_C(1) << 62 : 3, from = UINT64_C(1) << 50;
        begin(&r);
        begin(&other);
        begin(&alone);
        for (uint64_t i = 0; i < ROWS; i++) {
            if (i == at * (ROWS / 3))
                sp_ranges_add(&r, far, row_of(far));
            sp_ranges_add(&r, from + i, row_of(i));
            sp_ranges_add(&other, from + ROWS - i, row_of(i));
        }
        sp_ranges_add(&alone, far + 1, row_of(1));
        sp_ranges_add(&alone, far + 2, row_of(2));
        assert_true(fullest(&r) <= 32);
        sp_ranges_align(&r, &other);
        assert_true(fullest(&r) <= 32 && fullest(&other) <= 32);
        sp_ranges_merge(&r, &alone);
        assert_true(fullest(&r) <= 32);
        sp_ranges_merge(&alone, &r);
        assert_true(fullest(&alone) <= 32);
        assert_int_equal(ROWS + 3, total(&r).count);
        assert_int_equal(total(&r).count + 2, total(&alone).count);
        sp_ranges_free(&r);
        sp_ranges_free(&other);
        sp_ranges_free(&alone);
    }
}

static void nothing_aligns_with_anything(void **state)
{
    struct sp_ranges a, b;
    (void)state;
    begin(&a);
    begin(&b);
    sp_ranges_align(&a, &b);
    assert_true(a.shift == b.shift && a.base == b.base);
    sp_ranges_add(&b, UINT64_MAX, row_of(1));
    sp_ranges_add(&b, 0, row_of(2));
    sp_ranges_align(&a, &b);
    assert_true(a.shift == b.shift && a.base == b.base && total(&a).count == 0 && total(&b).count == 2);
    sp_ranges_free(&a);
    sp_ranges_free(&b);
}

static uint64_t value_of(enum sp_tag type, const struct sp_value *v, bool want)
{
    const struct sp_type t = { .tag = type };
    struct sp_buf field = SP_BUF_INIT;
    uint64_t out = 0;
    assert_int_equal(0, sp_canon_field(&field, &t, v, NULL));
    assert_int_equal(want, sp_range_value(type, (const uint8_t *)field.p, &out));
    sp_buf_free(&field);
    return out;
}

static void values_keep_their_order(void **state)
{
    const int64_t ints[] = { INT64_MIN, -5, -1, 0, 1, 255, 256, INT64_MAX };
    const enum sp_tag types[] = { SP_INT, SP_MISSING };
    (void)state;
    for (size_t t = 0; t < SP_LEN(types); t++)
        for (size_t i = 1; i < SP_LEN(ints); i++) {
            struct sp_value a = sp_v_int(ints[i - 1]), b = sp_v_int(ints[i]);
            assert_true(value_of(types[t], &a, true) < value_of(types[t], &b, true));
        }
    uint8_t low[16] = { 0, 0, 1 }, high[16] = { 0x80 };
    struct sp_value a = sp_v_uuid(low), b = sp_v_uuid(high), text = sp_v_text("7"), null = sp_v_null();
    assert_true(value_of(SP_UUID, &a, true) < value_of(SP_UUID, &b, true));
    value_of(SP_MISSING, &a, false);
    value_of(SP_MISSING, &text, false);
    value_of(SP_TEXT, &text, false);
    value_of(SP_MISSING, &null, false);
    value_of(SP_INT, &null, false);
    text = sp_v_text("x");
    value_of(SP_INT, &text, false); /* no integer at all */
}

/* A row buffer counts each row into its range, or into the bucket of its key if it has none. */
static void rows_go_where_they_belong(void **state)
{
    const struct sp_colplan cols[] = {
        { .name = "id", .source = "id", .target = "id", .type = { .tag = SP_MISSING } }
    };
    const struct sp_scan scan = { .table = "t", .cols = cols, .ncols = 1, .nkey = 1 };
    (void)state;
    for (int alone = 0; alone < 2; alone++) {
        struct sp_digest buckets[4] = { { 0 } }, sum = { 0 };
        struct sp_ranges r;
        struct sp_rowbuf rb;
        begin(&r);
        assert_int_equal(0, sp_rowbuf_init(&rb, &scan, NULL));
        rb.buckets = buckets;
        rb.nbuckets = 4;
        rb.ranges = &r;
        rb.ranges_alone = alone != 0;
        for (int64_t i = 0; i < 300; i++) {
            assert_int_equal(0, i % 3 == 0 ? sp_put_text(&rb, "k", 1) : sp_put_int(&rb, i));
            assert_int_equal(0, sp_row_end(&rb));
        }
        for (size_t i = 0; i < 4; i++)
            sp_digest_merge(&sum, &buckets[i]);
        assert_int_equal(alone != 0 ? 100 : 300, sum.count);
        assert_int_equal(100, r.rest.count);
        assert_int_equal(200, total(&r).count);
        sp_rowbuf_free(&rb);
        sp_ranges_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_row_makes_one_range_differ),
        cmocka_unit_test(ranges_are_as_narrow_as_they_can_be),
        cmocka_unit_test(far_values_do_not_widen_the_ranges),
        cmocka_unit_test(nothing_aligns_with_anything),
        cmocka_unit_test(values_keep_their_order),
        cmocka_unit_test(rows_go_where_they_belong),
    };
    return cmocka_run_group_tests_name("scan: ranges of key values", tests, NULL, NULL);
}
