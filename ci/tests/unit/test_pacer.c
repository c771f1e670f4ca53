/* test_pacer.c -- so many units a second, with invented clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs what stands above. */
#include <cmocka.h>

#include "measure/pacer.h"

#define S INT64_C(1000000000)

static void a_steady_taker_is_held_to_the_rate(void **state)
{
    (void)state;
    struct sp_pacer p;
    int64_t now = 1000 * S, start = now;
    assert_int_equal(sp_pacer_init(&p, 1000), 0);
    for (int i = 0; i < 100; i++)
        now += sp_pacer_take(&p, 50, now);
    /* 5000 units at 1000 a second, less the burst. */
    assert_in_range((uint64_t)(now - start), (uint64_t)(5 * S - S / 10), (uint64_t)(5 * S));
    sp_pacer_free(&p);
}

static void a_pause_earns_no_rush(void **state)
{
    (void)state;
    struct sp_pacer p;
    int64_t now = 1000 * S;
    assert_int_equal(sp_pacer_init(&p, 100), 0);
    (void)sp_pacer_take(&p, 1, now);
    now += 3600 * S;
    assert_in_range((uint64_t)sp_pacer_take(&p, 100, now), (uint64_t)(S - S / 10), (uint64_t)S);
    sp_pacer_free(&p);
}

static void two_takers_share_the_rate(void **state)
{
    (void)state;
    struct sp_pacer p;
    int64_t now = 1000 * S, last = 0;
    assert_int_equal(sp_pacer_init(&p, 10), 0);
    for (int i = 0; i < 20; i++)
        last = sp_pacer_take(&p, 1, now); /* all at one moment */
    assert_in_range((uint64_t)last, (uint64_t)(2 * S - S / 10), (uint64_t)(2 * S));
    sp_pacer_free(&p);
}

static void steps_fit_the_rate(void **state)
{
    (void)state;
    struct sp_pacer p;
    assert_int_equal(sp_pacer_init(&p, 3), 0);
    assert_int_equal(sp_pacer_step(&p, 1024), 1);
    p.rate = 2000;
    assert_int_equal(sp_pacer_step(&p, 1024), 100);
    p.rate = 1e12;
    assert_int_equal(sp_pacer_step(&p, 1024), 1024);
    /* No rate and no amount makes the time run over. */
    p.rate = 1e-9;
    for (int i = 0; i < 100; i++)
        assert_true(sp_pacer_take(&p, UINT64_MAX, S) >= 0);
    sp_pacer_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_taker_is_held_to_the_rate),
        cmocka_unit_test(a_pause_earns_no_rush),
        cmocka_unit_test(two_takers_share_the_rate),
        cmocka_unit_test(steps_fit_the_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
