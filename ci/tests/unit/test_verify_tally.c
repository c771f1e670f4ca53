/* Piles that are counted and no longer merged: as many as a plain comparison says, and what it cannot count is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "verify/piles.h"

#define BITS 4u
#define CAP  2000u

static struct sp_d128 digest(uint64_t v)
{
    return sp_d128_of(&v, sizeof v);
}

static size_t pile_of(uint64_t key)
{
    return (size_t)(digest(key).hi >> (64 - BITS));
}

struct sides {
    struct sp_vpiles s[2];
    struct sp_vcounts counts;
    uint8_t left[1u << BITS];
    struct sp_error err;
};

static void begin(struct sides *x, size_t cap)
{
    *x = (struct sides){ .err = SP_ERROR_INIT };
    for (int i = 0; i < 2; i++)
        assert_int_equal(0, sp_v_piles_init(&x->s[i], cap, BITS, &x->err));
}

static void add(struct sides *x, int side, uint64_t key, uint64_t row)
{
    assert_int_equal(0, sp_v_piles_add(&x->s[side], digest(key), digest(row), &x->err));
}

/* Behind all others, what puts both sides on disk: equal rows, which count for nothing. */
static void tally(struct sides *x, size_t from)
{
    for (int i = 0; i < 2; i++) {
        for (uint64_t k = 0; k < 4000; k++)
            add(x, i, 1000000 + k, k);
        assert_non_null(x->s[i].open);
        assert_int_equal(0, sp_v_piles_begin(&x->s[i], &x->err));
    }
    assert_int_equal(0, sp_v_piles_tally(x->s, from, &x->counts, x->left, &x->err));
}

static void end(struct sides *x)
{
    sp_v_piles_free(&x->s[0]);
    sp_v_piles_free(&x->s[1]);
}

static void counts_are(const struct sides *x, uint64_t missing, uint64_t extra, uint64_t changed)
{
    assert_int_equal(missing, x->counts.missing);
    assert_int_equal(extra, x->counts.extra);
    assert_int_equal(changed, x->counts.changed);
}

static size_t nleft(const struct sides *x)
{
    size_t n = 0;
    for (size_t i = 0; i < SP_LEN(x->left); i++)
        n += x->left[i] != 0;
    return n;
}

static void each_row_is_counted(void **state)
{
    (void)state;
    for (size_t from = 0; from <= 1u << BITS; from += 5) {
        uint64_t want[3] = { 0, 0, 0 };
        struct sides x;
        begin(&x, CAP);
        for (uint64_t k = 0; k < 3000; k++) {
            unsigned what = (unsigned)(k % 7);
            if (what != 1)
                add(&x, 0, k, k);
            if (what != 2)
                add(&x, 1, k, what == 3 || what == 4 ? k + 1 : k);
            if (pile_of(k) >= from && what >= 1 && what <= 4)
                want[what < 3 ? what - 1 : 2]++;
        }
        tally(&x, from);
        assert_int_equal(0, nleft(&x));
        counts_are(&x, want[1], want[0], want[2]);
        end(&x);
    }
}

/* What repeats, on which side and however it came, is not for the tally; all other piles are. */
static void a_key_that_repeats_is_left(void **state)
{
    static const struct {
        unsigned source, target; /* how often the key is there */
        bool early;              /* before anything goes to disk: equal rows are one entry by then */
        bool left;
    } cases[] = { { 1, 1, false, false }, { 1, 0, false, false }, { 0, 1, false, false },
        { 2, 1, false, true }, { 2, 0, false, true }, { 1, 2, false, true }, { 0, 2, false, true },
        { 2, 2, false, true }, { 0, 3, true, true }, { 3, 0, true, true }, { 1, 1, true, false } };
    (void)state;
    for (size_t i = 0; i < SP_LEN(cases); i++)
        for (unsigned same = 0; same < 2; same++) {
            const unsigned n[2] = { cases[i].source, cases[i].target };
            struct sides x;
            begin(&x, CAP);
            for (int s = 0; s < 2; s++) {
                for (uint64_t k = 0; !cases[i].early && k < 3000; k++)
                    add(&x, s, 2000000 + k, k);
                for (unsigned k = 0; k < n[s]; k++)
                    add(&x, s, 5, same != 0 ? 1 : 10 * k + (unsigned)s);
            }
            tally(&x, 0);
            assert_int_equal(cases[i].left, nleft(&x) == 1 && x.left[pile_of(5)] != 0);
            assert_int_equal(cases[i].left ? 1 : 0, nleft(&x));
            if (cases[i].left)
                counts_are(&x, 0, 0, 0);
            else
                counts_are(&x, n[0] > n[1], n[1] > n[0], same == 0 && n[0] == n[1]);
            end(&x);
        }
}

static void a_pile_beyond_the_room_is_left(void **state)
{
    struct sides x;
    (void)state;
    begin(&x, CAP);
    uint64_t k = 0;
    for (size_t n = 0; n < CAP; k++)
        if (pile_of(k) == 3) {
            add(&x, 0, k, k);
            n++;
        }
    add(&x, 1, k, k);
    tally(&x, 0);
    assert_int_equal(1, nleft(&x));
    assert_int_equal(1, x.left[3]);
    counts_are(&x, 0, pile_of(k) != 3, 0);
    end(&x);
}

static void a_file_that_cannot_be_read_is_said(void **state)
{
    struct sides x;
    (void)state;
    begin(&x, CAP);
    for (int i = 0; i < 2; i++) {
        for (uint64_t k = 0; k < 4000; k++)
            add(&x, i, k, k);
        assert_int_equal(0, sp_v_piles_begin(&x.s[i], &x.err));
    }
    assert_int_equal(0, ftruncate(x.s[1].fd, 0));
    assert_true(sp_v_piles_tally(x.s, 0, &x.counts, x.left, &x.err) < 0);
    assert_int_not_equal(SP_E_OK, x.err.code);
    sp_error_clear(&x.err);
    end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_is_counted),
        cmocka_unit_test(a_key_that_repeats_is_left),
        cmocka_unit_test(a_pile_beyond_the_room_is_left),
        cmocka_unit_test(a_file_that_cannot_be_read_is_said),
    };
    return cmocka_run_group_tests_name("verify: piles that are counted", tests, NULL, NULL);
}
