/* The row buffer: fast and slow path, digests, arity, the end of a scan; and what collides elsewhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "scan.h"

#define COLS 3
static const struct sp_colplan dynamic_cols[COLS] = {
    { .name = "a", .source = "a", .target = "a", .key = true }, { .name = "b", .source = "b", .target = "b" },
    { .name = "c", .source = "c", .target = "c" }
};
static const struct sp_scan plain = { .table = "t", .cols = dynamic_cols, .ncols = COLS, .nkey = 1 };

static int push(struct sp_rowbuf *rb, const struct sp_value *v, size_t n)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        switch (v[i].tag) { /* as a provider does: the inline functions where there are some */
        case SP_NULL:
            rc = sp_put_null(rb);
            break;
        case SP_INT:
            rc = sp_put_int(rb, v[i].u.i);
            break;
        case SP_F64:
            rc = sp_put_f64(rb, v[i].u.f64);
            break;
        case SP_TEXT:
            rc = sp_put_text(rb, v[i].u.str.p, v[i].u.str.n);
            break;
        case SP_BYTES:
            rc = sp_put_bytes(rb, v[i].u.str.p, v[i].u.str.n);
            break;
        default:
            rc = sp_put_value(rb, &v[i]);
        }
    }
    return rc == 0 ? sp_row_end(rb) : rc;
}

/* The digest of some rows of up to three values; missing ones are null. */
static struct sp_digest digest_of(const struct sp_value (*rows)[COLS], size_t n)
{
    struct sp_rowbuf rb;
    assert_int_equal(sp_rowbuf_init(&rb, &plain, NULL), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(push(&rb, rows[i], COLS), 0);
    assert_int_equal(sp_scan_end(&rb, n, NULL), 0);
    assert_true(rb.complete);
    struct sp_digest d = rb.digest;
    assert_int_equal(d.count, n);
    sp_rowbuf_free(&rb);
    return d;
}

#define DIGEST(...)                                                                                          \
    digest_of((const struct sp_value[][COLS]){ __VA_ARGS__ },                                                \
        sizeof((const struct sp_value[][COLS]){ __VA_ARGS__ }) / sizeof(struct sp_value[COLS]))

static void what_collides_elsewhere(void **state)
{
    (void)state;
    struct sp_value n = sp_v_null(), i1 = sp_v_int(1);
    const struct sp_digest d[] = {
        DIGEST({ i1, sp_v_text("a"), sp_v_text("b|c") }), /* a separator that moves */
        DIGEST({ i1, sp_v_text("a|b"), sp_v_text("c") }),
        DIGEST({ i1, sp_v_text("a,b"), sp_v_text("c") }),
        DIGEST({ i1, sp_v_text("a"), sp_v_text("b,c") }),
        DIGEST({ i1, sp_v_text("ab"), sp_v_text("c") }), /* no separator */
        DIGEST({ i1, sp_v_text("a"), sp_v_text("bc") }),
        DIGEST({ i1, sp_v_text("NULL"), n }), /* null as a text */
        DIGEST({ i1, n, sp_v_text("NULL") }),
        DIGEST({ i1, n, n }),
        DIGEST({ i1, sp_v_text(""), n }),
        DIGEST({ i1, n, sp_v_text("") }),
        DIGEST({ i1, sp_v_text(""), sp_v_text("") }),
        DIGEST({ i1, sp_v_missing(), n }),
        DIGEST({ i1, sp_v_f64(0.1), n }), /* floats rounded, narrowed, unsigned zero */
        DIGEST({ i1, sp_v_f64(0.10001), n }),
        DIGEST({ i1, sp_v_f64(nextafter(0.1, 1)), n }),
        DIGEST({ i1, sp_v_f64((double)0.1f), n }),
        DIGEST({ i1, sp_v_f32(0.1f), n }),
        DIGEST({ i1, sp_v_f64(0.0), n }),
        DIGEST({ i1, sp_v_f64(-0.0), n }),
        DIGEST({ i1, sp_v_f64(0.1 + 0.2), n }),
        DIGEST({ i1, sp_v_f64(0.3), n }),
        DIGEST({ i1, sp_v_int(1), n }), /* one spelling, several types */
        DIGEST({ i1, sp_v_text("1"), n }),
        DIGEST({ i1, sp_v_f64(1), n }),
        DIGEST({ i1, sp_v_bool(true), n }),
        DIGEST({ i1, sp_v_bytes("1", 1), n }),
        DIGEST({ i1, sp_v_text("a"), n }), /* case, padding, NUL */
        DIGEST({ i1, sp_v_text("A"), n }),
        DIGEST({ i1, sp_v_text("a "), n }),
        DIGEST({ i1, sp_v_textn("a\0", 2), n }),
        DIGEST({ i1, sp_v_text("\xc3\xa4"), n }), /* composed or not */
        DIGEST({ i1, sp_v_text("a\xcc\x88"), n }),
        DIGEST({ i1, sp_v_instant(0, 0), n }), /* zone */
        DIGEST({ i1, sp_v_local(0, 0), n }),
        DIGEST(
            { i1, sp_v_text("x"), n }, { sp_v_int(2), sp_v_text("y"), n }), /* fields swapped between rows */
        DIGEST({ i1, sp_v_text("y"), n }, { sp_v_int(2), sp_v_text("x"), n }),
        DIGEST({ i1, n, n }, { i1, n, n }), /* duplicates: XOR sees nothing, a set sees one */
        DIGEST({ i1, n, n }, { i1, n, n }, { i1, n, n }),
        digest_of(NULL, 0),
    };
    for (size_t i = 0; i < SP_LEN(d); i++) {
        for (size_t k = 0; k < i; k++) {
            if (sp_digest_equal(&d[i], &d[k]) || sp_d128_eq(d[i].sum, d[k].sum))
                fail_msg("rows %zu and %zu collide", k, i);
        }
    }
}

static struct sp_value random_value(struct sp_rng *rng)
{
    static const char *const texts[] = { "", "a", "longer than eight bytes", "\xc3\xa4", "0123456\xc3\xa4",
        "\xff", "12345678\xff" };
    static const char *const dec = "1250";
    uint64_t r = sp_rng_u64(rng) >> 8;
    const char *s = texts[r % SP_LEN(texts)];
    switch (sp_rng_below(rng, 14)) {
    case 0:
        return sp_v_null();
    case 1:
        return sp_v_missing();
    case 2:
        return sp_v_bool(r % 2 == 0);
    case 3:
        return sp_v_int((int64_t)r);
    case 4:
        return sp_v_f64(r % 9 == 0 ? NAN : (double)r / 3);
    case 5:
        return sp_v_f32((float)r);
    case 6:
        return sp_v_dec((struct sp_dec){ dec, (uint32_t)(r % 5), -2, r % 2 == 0 });
    case 7:
        return sp_v_bytes(s, strlen(s));
    case 8:
        return sp_v_instant((int64_t)r, r % 7 == 0 ? 1000000000 : (uint32_t)(r % 1000));
    case 9:
        return sp_v_date((int64_t)(r % 99999));
    case 10:
        return sp_v_time((int64_t)(r % 90000000000000));
    case 11:
        return sp_v_json(r % 2 == 0 ? "{\"b\":1,\"a\":2}" : "{");
    case 12:
        return sp_v_uuid((const uint8_t *)"0123456789abcdef");
    default:
        return sp_v_textn(s, strlen(s));
    }
}

struct kept {
    uint8_t bytes[1024];
    struct sp_rowview view;
};

static int keep(void *payload, const struct sp_rowview *row)
{
    struct kept *k = payload;
    assert_true(row->nrow <= sizeof k->bytes);
    memcpy(k->bytes, row->row, row->nrow);
    k->view = *row;
    return 0;
}

/* Whichever way a value takes into a row, the bytes are those of sp_canon_field(). */
static void fast_bytes_are_slow_bytes(void **state)
{
    (void)state;
    struct sp_rng rng;
    struct sp_buf want = SP_BUF_INIT;
    static const enum sp_tag tags[] = { SP_MISSING, SP_INT, SP_F64, SP_TEXT, SP_BYTES, SP_DEC, SP_INSTANT,
        SP_JSON, SP_F32, SP_BOOL, SP_DATE, SP_TIME, SP_UUID };
    sp_rng_seed(&rng, 8);
    for (int i = 0; i < 20000; i++) {
        struct sp_colplan cols[COLS];
        struct sp_scan scan = plain;
        struct sp_value v[COLS];
        struct sp_rowbuf rb;
        struct kept kept;
        size_t key = 0, uncoerced = 0;
        scan.cols = cols;
        scan.nkey = sp_rng_below(&rng, COLS + 1);
        sp_buf_clear(&want);
        for (size_t k = 0; k < COLS; k++) {
            enum sp_state s;
            cols[k] = dynamic_cols[k];
            v[k] = random_value(&rng);
            cols[k].type.tag =
                i % 2 == 0 && !sp_v_is_absent(&v[k]) ? v[k].tag : tags[sp_rng_below(&rng, SP_LEN(tags))];
            assert_int_equal(sp_canon_field(&want, &cols[k].type, &v[k], &s), 0);
            uncoerced += s == SP_ST_UNCOERCED ? 1 : 0;
            if (k + 1 == scan.nkey)
                key = want.n;
        }
        assert_int_equal(sp_rowbuf_init(&rb, &scan, NULL), 0);
        rb.sink = keep;
        rb.payload = &kept;
        assert_int_equal(push(&rb, v, COLS), 0);
        assert_int_equal(kept.view.nrow, want.n);
        assert_memory_equal(kept.bytes, want.p, want.n);
        assert_int_equal(kept.view.nkey, key);
        assert_true(sp_d128_eq(kept.view.digest, sp_d128_of(want.p, want.n)));
        assert_true(sp_d128_eq(kept.view.key, sp_d128_of(want.p, scan.nkey == 0 ? want.n : key)));
        assert_int_equal(rb.bytes, want.n);
        assert_int_equal(rb.max_row, want.n);
        for (size_t k = 0; k < COLS; k++) {
            const struct sp_colstat *st = &rb.stats[k];
            uncoerced -= st->uncoerced;
            assert_int_equal(st->nulls, v[k].tag == SP_NULL);
            assert_int_equal(st->missing, v[k].tag == SP_MISSING);
            assert_int_equal(st->by_tag[v[k].tag], !sp_v_is_absent(&v[k]));
            assert_int_equal(st->bad_utf8, v[k].tag == SP_TEXT && !sp_utf8_valid(v[k].u.str.p, v[k].u.str.n));
        }
        assert_int_equal(uncoerced, 0);
        sp_rowbuf_free(&rb);
    }
    sp_buf_free(&want);
}

static void rows_grow_the_buffer(void **state)
{
    (void)state;
    size_t n = 3000000;
    char *big = malloc(n);
    assert_non_null(big);
    memset(big, 'x', n);
    struct sp_rowbuf rb;
    struct sp_value v[COLS] = { sp_v_int(1), sp_v_textn(big, n), sp_v_bytes(big, n) };
    struct sp_digest want = { 0 };
    struct sp_buf row = SP_BUF_INIT;
    for (size_t k = 0; k < COLS; k++)
        assert_int_equal(sp_canon_field(&row, &dynamic_cols[k].type, &v[k], NULL), 0);
    sp_digest_add(&want, sp_d128_of(row.p, row.n));
    assert_int_equal(sp_rowbuf_init(&rb, &plain, NULL), 0);
    assert_int_equal(push(&rb, v, COLS), 0);
    assert_true(sp_digest_equal(&rb.digest, &want));
    assert_int_equal(rb.max_row, row.n);
    v[1] = v[2] = sp_v_null();
    assert_int_equal(push(&rb, v, COLS), 0);
    assert_int_equal(rb.max_row, row.n);
    sp_rowbuf_free(&rb);
    sp_buf_free(&row);
    free(big);
}

/* A buffer filled to any of its last bytes: the fast paths hand over to the slow one without a gap. */
static void the_buffers_edge_is_safe(void **state)
{
    (void)state;
    size_t cap = 256 * 1024;
    char *fill = malloc(cap);
    assert_non_null(fill);
    memset(fill, 'y', cap);
    for (size_t left = 0; left < 40; left++) {
        struct sp_rowbuf rb;
        struct sp_value v[COLS] = { sp_v_textn(fill, cap - 6 - left), sp_v_null(), sp_v_int(7) };
        for (int what = 0; what < 3; what++) {
            v[1] = what == 0 ? sp_v_null() : what == 1 ? sp_v_f64(1) : sp_v_text("abc");
            struct sp_buf row = SP_BUF_INIT;
            for (size_t k = 0; k < COLS; k++)
                assert_int_equal(sp_canon_field(&row, &dynamic_cols[k].type, &v[k], NULL), 0);
            assert_int_equal(sp_rowbuf_init(&rb, &plain, NULL), 0);
            assert_int_equal(push(&rb, v, COLS), 0);
            assert_true(sp_d128_eq(rb.digest.sum, sp_d128_of(row.p, row.n)));
            sp_rowbuf_free(&rb);
            sp_buf_free(&row);
        }
    }
    free(fill);
}

static void order_and_partition_do_not_matter(void **state)
{
    (void)state;
    enum { N = 400, BUCKETS = 8 };
    static struct sp_value rows[N][COLS];
    struct sp_rng rng;
    struct sp_digest a[BUCKETS] = { { 0 } }, b[BUCKETS] = { { 0 } }, sum = { 0 };
    struct sp_rowbuf x, y, part[2];
    sp_rng_seed(&rng, 77);
    for (size_t i = 0; i < N; i++) {
        for (size_t k = 0; k < COLS; k++)
            rows[i][k] = random_value(&rng);
    }
    assert_int_equal(sp_rowbuf_init(&x, &plain, NULL), 0);
    assert_int_equal(sp_rowbuf_init(&y, &plain, NULL), 0);
    x.buckets = a;
    y.buckets = b;
    x.nbuckets = y.nbuckets = BUCKETS;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(sp_rowbuf_init(&part[i], &plain, NULL), 0);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(push(&x, rows[i], COLS), 0);
        assert_int_equal(push(&y, rows[N - 1 - i], COLS), 0);
        assert_int_equal(push(&part[sp_rng_below(&rng, 2)], rows[i], COLS), 0);
    }
    assert_true(sp_digest_equal(&x.digest, &y.digest));
    sp_digest_merge(&part[0].digest, &part[1].digest);
    assert_true(sp_digest_equal(&x.digest, &part[0].digest));
    for (size_t i = 0; i < BUCKETS; i++) {
        assert_true(sp_digest_equal(&a[i], &b[i]));
        assert_true(a[i].count > 0);
        sp_digest_merge(&sum, &a[i]);
    }
    assert_true(sp_digest_equal(&x.digest, &sum));
    sp_rowbuf_free(&x);
    sp_rowbuf_free(&y);
    sp_rowbuf_free(&part[0]);
    sp_rowbuf_free(&part[1]);
}

static void rows_of_one_key_share_a_bucket(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 1024; n *= 2) {
        struct sp_digest *b = calloc(n, sizeof *b);
        assert_non_null(b);
        struct sp_rowbuf rb;
        assert_int_equal(sp_rowbuf_init(&rb, &plain, NULL), 0);
        rb.buckets = b;
        rb.nbuckets = n;
        struct sp_value v[COLS] = { sp_v_int(42), sp_v_null(), sp_v_null() };
        for (int i = 0; i < 5; i++) {
            v[2] = sp_v_int(i);
            assert_int_equal(push(&rb, v, COLS), 0);
        }
        size_t used = 0;
        for (size_t i = 0; i < n; i++) {
            assert_true(b[i].count == 0 || b[i].count == 5);
            used += b[i].count == 5 ? 1 : 0;
        }
        assert_int_equal(used, 1);
        sp_rowbuf_free(&rb);
        free(b);
    }
}

static void wrong_arity_stops_the_scan(void **state)
{
    (void)state;
    struct sp_rowbuf rb;
    struct sp_value v[COLS + 1] = { sp_v_int(1), sp_v_int(2), sp_v_int(3), sp_v_int(4) };
    struct sp_error err = SP_ERROR_INIT;
    for (size_t n = 0; n <= COLS + 1; n++) {
        if (n == COLS)
            continue;
        assert_int_equal(sp_rowbuf_init(&rb, &plain, NULL), 0);
        assert_int_equal(push(&rb, v, n), -SP_E_INTERNAL);
        assert_int_equal(sp_rowbuf_error(&rb)->code, SP_E_INTERNAL);
        /* nothing helps afterwards */
        assert_int_equal(sp_put_int(&rb, 1), -SP_E_INTERNAL);
        assert_int_equal(sp_put_null(&rb), -SP_E_INTERNAL);
        assert_int_equal(sp_put_text(&rb, "a", 1), -SP_E_INTERNAL);
        assert_int_equal(sp_put_extra(&rb, "a", v), -SP_E_INTERNAL);
        assert_int_equal(sp_row_end(&rb), -SP_E_INTERNAL);
        assert_int_equal(sp_scan_end(&rb, 0, &err), -SP_E_INTERNAL);
        assert_false(rb.complete);
        assert_int_equal(rb.digest.count, 0);
        sp_rowbuf_free(&rb);
    }
    struct sp_scan bad = plain;
    bad.nkey = COLS + 1;
    assert_int_equal(sp_rowbuf_init(&rb, &bad, &err), -SP_E_INTERNAL);
    sp_error_clear(&err);
}

static void the_end_must_be_proven(void **state)
{
    (void)state;
    struct sp_rowbuf rb;
    struct sp_value v[COLS] = { sp_v_int(1), sp_v_null(), sp_v_null() };
    assert_int_equal(sp_rowbuf_init(&rb, &plain, NULL), 0);
    assert_int_equal(push(&rb, v, COLS), 0);
    assert_false(rb.complete);
    assert_int_equal(sp_scan_end(&rb, 2, NULL), -SP_E_CORRUPT); /* a row is missing */
    assert_int_equal(sp_scan_end(&rb, 0, NULL), -SP_E_CORRUPT);
    assert_false(rb.complete);
    assert_int_equal(sp_put_int(&rb, 1), 0);
    assert_int_equal(sp_scan_end(&rb, 1, NULL), -SP_E_INTERNAL); /* within a row */
    sp_rowbuf_free(&rb);
    assert_int_equal(sp_rowbuf_init(&rb, &plain, NULL), 0);
    assert_int_equal(sp_scan_end(&rb, UINT64_MAX, NULL), 0);
    assert_true(rb.complete);
    assert_int_equal(sp_scan_end(&rb, UINT64_MAX, NULL), -SP_E_INTERNAL);
    sp_rowbuf_free(&rb);
}

static int refuse(void *payload, const struct sp_rowview *row)
{
    (void)row;
    return ++*(int *)payload == 2 ? 7 : 0;
}

static void a_sink_can_stop(void **state)
{
    (void)state;
    struct sp_rowbuf rb;
    int calls = 0;
    struct sp_value v[COLS] = { sp_v_int(1), sp_v_null(), sp_v_null() };
    assert_int_equal(sp_rowbuf_init(&rb, &plain, NULL), 0);
    rb.sink = refuse;
    rb.payload = &calls;
    assert_int_equal(push(&rb, v, COLS), 0);
    assert_int_equal(push(&rb, v, COLS), 7);
    assert_int_equal(sp_put_int(&rb, 1), 7);
    assert_int_equal(sp_rowbuf_error(&rb)->code, SP_E_OK);
    assert_int_equal(sp_scan_end(&rb, 2, NULL), -SP_E_CANCELLED);
    assert_false(rb.complete);
    assert_int_equal(calls, 2);
    sp_rowbuf_free(&rb);
}

static void rules_touch_the_source_only(void **state)
{
    (void)state;
    const struct sp_colplan col = { .name = "at",
        .source = "at",
        .target = "at",
        .type = { .tag = SP_INSTANT },
        .rules = { SP_RULE_EMPTY_TO_NULL, SP_RULE_TRUNCATE_MS },
        .nrules = 2 };
    struct sp_scan source = { .table = "t", .cols = &col, .ncols = 1, .side = SP_SIDE_SOURCE },
                   target = source;
    target.side = SP_SIDE_TARGET;
    struct sp_rowbuf s, t;
    struct sp_value fine = sp_v_instant(1, 123456789), cut = sp_v_instant(1, 123000000);
    assert_int_equal(sp_rowbuf_init(&s, &source, NULL), 0);
    assert_int_equal(sp_rowbuf_init(&t, &target, NULL), 0);
    assert_int_equal(push(&s, &fine, 1), 0);
    assert_int_equal(push(&t, &cut, 1), 0);
    assert_true(sp_digest_equal(&s.digest, &t.digest));
    assert_int_equal(s.stats[0].touched[0], 0);
    assert_int_equal(s.stats[0].touched[1], 1);
    assert_int_equal(push(&t, &fine, 1), 0); /* the target is never made to fit */
    assert_int_equal(push(&s, &cut, 1), 0);
    assert_false(sp_digest_equal(&s.digest, &t.digest));
    assert_int_equal(t.stats[0].touched[1], 0);
    assert_int_equal(sp_put_text(&s, "", 0), 0); /* the fast path must not pass the rule by */
    assert_int_equal(s.stats[0].touched[0], 1);
    assert_int_equal(s.stats[0].by_tag[SP_TEXT], 1);
    sp_rowbuf_free(&s);
    sp_rowbuf_free(&t);
}

/* The comparison type is the pushed one, so only the rule keeps the value off the fast path. */
static void rules_hold_on_the_fast_path(void **state)
{
    (void)state;
    static const struct sp_colplan cols[] = {
        { .name = "t", .type = { .tag = SP_TEXT }, .rules = { SP_RULE_EMPTY_TO_NULL }, .nrules = 1 },
        { .name = "f", .type = { .tag = SP_F64 }, .rules = { SP_RULE_NEGZERO_TO_ZERO }, .nrules = 1 },
        { .name = "n", .type = { .tag = SP_INT }, .rules = { SP_RULE_NULL_TO_MISSING }, .nrules = 1 },
    };
    struct sp_scan scan = { .table = "t", .cols = cols, .ncols = SP_LEN(cols) };
    const struct sp_value given[] = { sp_v_text(""), sp_v_f64(-0.0), sp_v_null() };
    const struct sp_value ruled[] = { sp_v_null(), sp_v_f64(0.0), sp_v_missing() };
    struct sp_digest want[2];
    for (int side = 0; side < 2; side++) {
        struct sp_buf row = SP_BUF_INIT;
        struct sp_rowbuf rb;
        for (size_t k = 0; k < SP_LEN(cols); k++)
            assert_int_equal(
                sp_canon_field(&row, &cols[k].type, side == SP_SIDE_SOURCE ? &ruled[k] : &given[k], NULL), 0);
        scan.side = (enum sp_side)side;
        assert_int_equal(sp_rowbuf_init(&rb, &scan, NULL), 0);
        assert_int_equal(push(&rb, given, SP_LEN(cols)), 0);
        assert_true(sp_d128_eq(rb.digest.sum, sp_d128_of(row.p, row.n)));
        for (size_t k = 0; k < SP_LEN(cols); k++)
            assert_int_equal(rb.stats[k].touched[0], side == SP_SIDE_SOURCE);
        assert_int_equal(rb.stats[2].nulls, 1);
        want[side] = rb.digest;
        sp_rowbuf_free(&rb);
        sp_buf_free(&row);
    }
    assert_false(sp_digest_equal(&want[0], &want[1]));
}

static struct sp_digest residual_of(const struct sp_field *f, size_t n)
{
    struct sp_scan scan = plain;
    struct sp_rowbuf rb;
    scan.ncols = 1;
    scan.residual = true;
    assert_int_equal(sp_rowbuf_init(&rb, &scan, NULL), 0);
    assert_int_equal(sp_put_int(&rb, 1), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sp_put_extra(&rb, f[i].name, &f[i].value), 0);
    assert_int_equal(sp_row_end(&rb), 0);
    struct sp_digest d = rb.digest;
    sp_rowbuf_free(&rb);
    return d;
}

static void undeclared_fields_are_part_of_the_row(void **state)
{
    (void)state;
    const struct sp_field xy[] = { { "x", sp_v_int(1) }, { "xy", sp_v_text("b") }, { "z", sp_v_missing() } },
                          yx[] = { { "xy", sp_v_text("b") }, { "z", sp_v_missing() }, { "x", sp_v_int(1) } },
                          x[] = { { "x", sp_v_int(1) } },
                          null[] = { { "x", sp_v_int(1) }, { "xy", sp_v_null() } },
                          swapped[] = { { "x", sp_v_text("b") }, { "xy", sp_v_int(1) } },
                          twice[] = { { "x", sp_v_int(1) }, { "x", sp_v_int(1) } },
                          dup[] = { { "x", sp_v_int(2) }, { "x", sp_v_int(1) } },
                          pud[] = { { "x", sp_v_int(1) }, { "x", sp_v_int(2) } };
    struct sp_digest a = residual_of(xy, 3), b = residual_of(yx, 3), c = residual_of(dup, 2),
                     e = residual_of(pud, 2);
    assert_true(sp_digest_equal(&a, &b));
    assert_true(sp_digest_equal(&c, &e));
    const struct sp_digest d[] = { a, residual_of(x, 1), residual_of(null, 2), residual_of(swapped, 2),
        residual_of(twice, 2), c, residual_of(NULL, 0) };
    for (size_t i = 0; i < SP_LEN(d); i++) {
        for (size_t k = 0; k < i; k++)
            assert_false(sp_digest_equal(&d[i], &d[k]));
    }
    /* too early, or not asked for */
    struct sp_scan scan = plain;
    struct sp_rowbuf rb;
    for (int residual = 0; residual < 2; residual++) {
        scan.residual = residual == 1;
        assert_int_equal(sp_rowbuf_init(&rb, &scan, NULL), 0);
        assert_int_equal(sp_put_extra(&rb, "x", &x[0].value), -SP_E_INTERNAL);
        sp_rowbuf_free(&rb);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_collides_elsewhere),
        cmocka_unit_test(fast_bytes_are_slow_bytes),
        cmocka_unit_test(rows_grow_the_buffer),
        cmocka_unit_test(the_buffers_edge_is_safe),
        cmocka_unit_test(order_and_partition_do_not_matter),
        cmocka_unit_test(rows_of_one_key_share_a_bucket),
        cmocka_unit_test(wrong_arity_stops_the_scan),
        cmocka_unit_test(the_end_must_be_proven),
        cmocka_unit_test(a_sink_can_stop),
        cmocka_unit_test(rules_touch_the_source_only),
        cmocka_unit_test(rules_hold_on_the_fast_path),
        cmocka_unit_test(undeclared_fields_are_part_of_the_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
