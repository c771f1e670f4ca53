/* verify, interrupted: both scans stop soon, the snapshots are ended, and nothing is concluded. */
#include <signal.h>

#include "run/run.h"
#include "verify_case.h"

static uint64_t seen;

/* Called while the scans run: an impatient person. */
static void press_control_c(void *payload, const char *table, uint64_t rows, uint64_t total, bool about)
{
    (void)payload;
    (void)total;
    (void)about;
    assert_string_equal("t", table);
    seen = rows;
    if (rows > 0 && sp_interrupted() == 0)
        raise(SIGINT);
}

static void a_scan_without_end_can_be_stopped(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "t", "id:int!", 1, t);
    for (int s = 0; s < 2; s++) {
        fake_row(t[s])[0] = sp_v_int(1);
        fake_row(t[s])[0] = sp_v_int(2);
        t[s]->endless = true;
    }
    sp_interrupt_install();
    v.opt.progress = press_control_c;
    vcase_run(&v);
    assert_int_equal(-SP_E_CANCELLED, v.rc);
    assert_int_equal(SP_VV_NOT_COMPARED, v.verdict);
    assert_true(seen > 0);
    assert_int_equal(0, caught_count(&v.c, SP_EV_VERIFY_END));
    assert_int_equal(0, caught_count(&v.c, SP_EV_TABLE));
    vcase_end(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan_without_end_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
