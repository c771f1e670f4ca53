/* verify --recheck on sides whose rows change between two looks, step by step: what arrives is never called different, what
 * stands is always found, what keeps moving is not compared. */
#include "verify_case.h"

#define ROWS 30

/* id 0 .. ROWS - 1, n = 7 * id; `log` has no key. */
static void sides(struct vcase *v)
{
    struct fake_table *t[2];
    vcase_begin(v);
    vcase_table(v, "item", "id:int! n:int", 1, t);
    for (int i = 0; i < 2; i++)
        for (int r = 0; r < ROWS; r++) {
            struct sp_value *row = fake_row(t[i]);
            row[0] = sp_v_int(r);
            row[1] = sp_v_int(7 * r);
        }
    vcase_table(v, "log", "what:text", 0, t);
    for (int i = 0; i < 2; i++)
        for (int r = 0; r < 3; r++)
            fake_row(t[i])[0] = sp_v_text("twice");
    v->opt.checks = SP_VC_ROWS;
    v->opt.recheck_ms = 3000; /* longer than four looks take, on a busy machine, too */
}

static void set(struct fake *f, int id, int64_t n)
{
    fake_find(f, "item")->rows[id * 2 + 1] = sp_v_int(n);
}
static void add(struct fake *f, int64_t id, int64_t n)
{
    struct sp_value *row = fake_row(fake_find(f, "item"));
    row[0] = sp_v_int(id);
    row[1] = sp_v_int(n);
}
static int64_t ended(const struct vcase *v, enum sp_event_field f)
{
    return sp_event_get_int(caught_at(&v->c, SP_EV_VERIFY_END, 0), f, -1);
}
static void assert_settled(struct vcase *v, int64_t in_flight, int64_t unsettled)
{
    assert_int_equal(in_flight, ended(v, SP_FLD_in_flight));
    assert_int_equal(unsettled, ended(v, SP_FLD_unsettled));
}

/* ---- in flight --------------------------------------------------------------------------------------------------- */

static void follows_at_4(struct fake *f)
{
    if (f->begun == 4)
        set(f, 5, -1);
}
static void a_change_that_arrives(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    set(v.f[0], 5, -1);
    v.f[1]->on_snapshot = follows_at_4;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_settled(&v, 1, 0);
    assert_int_equal(4, v.f[1]->begun); /* and not one look more */
    assert_int_equal(0, caught_count(&v.c, SP_EV_DIFFERENCE));
    assert_counts(&v, "item", 0, 0, 0);
    assert_false(
        sp_event_get_bool(caught_where(&v.c, SP_EV_TABLE, SP_FLD_name, "item"), SP_FLD_digest_equal, true));
    assert_non_null(strstr(v.reasons.p, "1 rows were in flight"));
    vcase_end(&v);
}

static void inserts_at_3(struct fake *f)
{
    if (f->begun == 3)
        add(f, 100, 1);
}
static void deletes_at_2(struct fake *f)
{
    if (f->begun == 2)
        fake_remove(fake_find(f, "item"), ROWS - 1);
}
static void inserts_and_deletes_that_arrive(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    add(v.f[0], 100, 1);
    v.f[1]->on_snapshot = inserts_at_3;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_settled(&v, 1, 0);
    vcase_end(&v);
    sides(&v);
    fake_remove(fake_find(v.f[0], "item"), ROWS - 1);
    v.f[1]->on_snapshot = deletes_at_2;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_settled(&v, 1, 0);
    vcase_end(&v);
}

/* The source never holds still; the target is always two looks behind. */
static void counts_up(struct fake *f)
{
    set(f, 5, 1000 + f->begun);
}
static void counts_up_behind(struct fake *f)
{
    set(f, 5, 1000 + f->begun - 2);
}
static void a_row_that_is_always_behind(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    v.f[0]->on_snapshot = counts_up;
    v.f[1]->on_snapshot = counts_up_behind;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_settled(&v, 1, 0);
    vcase_end(&v);
}

static void says_it_twice(struct fake *f)
{
    if (f->begun == 3)
        fake_row(fake_find(f, "log"))[0] = sp_v_text("new");
}
static void a_table_without_a_key(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    fake_row(fake_find(v.f[0], "log"))[0] = sp_v_text("new");
    v.f[1]->on_snapshot = says_it_twice;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_settled(&v, 1, 0);
    vcase_end(&v);
    sides(&v);
    fake_row(fake_find(v.f[1], "log"))[0] = sp_v_text("twice"); /* once too often, and stays */
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "log", 0, 1, 0);
    vcase_end(&v);
}

/* ---- differences --------------------------------------------------------------------------------------------------- */

/* Another row changes on the source, and the target follows one look later: it was equal at first, and is no matter. */
static void others_change(struct fake *f)
{
    set(f, 8, 500 + f->begun);
    if (f->begun > 1)
        set(f, 9, 500 + f->begun);
}
static void others_follow(struct fake *f)
{
    set(f, 8, 500 + f->begun - 1);
    if (f->begun > 1)
        set(f, 9, 500 + f->begun - 1);
}
static void what_stands_is_found_among_what_moves(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    set(v.f[1], 5, -1);
    add(v.f[1], -7, 0);
    fake_remove(fake_find(v.f[1], "item"), 20);
    v.f[0]->on_snapshot = others_change;
    v.f[1]->on_snapshot = others_follow;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "item", 1, 1, 1);
    assert_settled(&v, 1, 0);
    assert_int_equal(3, caught_count(&v.c, SP_EV_DIFFERENCE));
    assert_non_null(caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_key, "id=5"));
    assert_non_null(caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_key, "id=-7"));
    assert_non_null(caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_key, "id=20"));
    for (size_t i = 0; i < 3; i++)
        assert_non_null(sp_event_get_text(caught_at(&v.c, SP_EV_DIFFERENCE, i), SP_FLD_since));
    vcase_end(&v);
}

/* A target that shows what the source held before the first look has not followed. */
static void an_older_version_is_no_excuse(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    set(v.f[0], 5, 36); /* it was 35, as it still is on the target */
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "item", 0, 0, 1);
    vcase_end(&v);
}

/* ---- neither --------------------------------------------------------------------------------------------------------- */

static void wanders(struct fake *f)
{
    set(f, 5, -1000 - (int64_t)f->begun);
}
static void a_target_that_moves_alone(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    v.f[1]->on_snapshot = wanders;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_int_equal(3, sp_verify_exit_code(v.verdict));
    assert_settled(&v, 0, 1);
    const struct sp_event_in *e = caught_at(&v.c, SP_EV_NOT_COMPARED, 0);
    assert_non_null(strstr(sp_event_get_text(e, SP_FLD_reason), "(id=5)"));
    assert_int_equal(0, caught_count(&v.c, SP_EV_DIFFERENCE));
    /* Another row that stands goes before. */
    set(v.f[1], 6, -6);
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "item", 0, 0, 1);
    assert_settled(&v, 0, 1);
    vcase_end(&v);
}
static void a_source_that_moves_away_from_a_target_that_stands(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    set(v.f[1], 5, -1);
    v.f[0]->on_snapshot = counts_up;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_settled(&v, 0, 1);
    vcase_end(&v);
}

static void goes_away(struct fake *f)
{
    f->lost = f->begun == 3;
}
static void a_side_that_goes_away(void **state)
{
    struct vcase v;
    (void)state;
    for (int side = 0; side < 2; side++) {
        sides(&v);
        set(v.f[1], 5, -1);
        v.f[side]->on_snapshot = goes_away;
        assert_verdict(&v, SP_VV_NOT_COMPARED);
        assert_settled(&v, 0, 1);
        assert_non_null(strstr(v.reasons.p, "could not be looked at again"));
        vcase_end(&v);
    }
    sides(&v);
    set(v.f[1], 5, -1);
    v.f[1]->bad_snapshot_end = true;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
}

static void without_it_a_look_is_enough(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    set(v.f[0], 5, -1);
    v.f[1]->on_snapshot = follows_at_4;
    v.opt.recheck_ms = 0;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_int_equal(1, v.f[1]->begun);
    vcase_end(&v);
}

/* ---- a replica that is far behind ------------------------------------------------------------------------------------- */

/* The source writes one of 20 rows every 100 ms, and has for long; the target does the same later. */
static int64_t begun_ns, lag_ns;
static void writes(struct fake *f, int64_t behind)
{
    int64_t tick = (sp_v_now_ns() - begun_ns - behind) / 100000000 + 1000;
    for (int64_t i = tick - 20; i <= tick; i++)
        set(f, (int)(i % 20), 100000 + i);
}
static void writes_now(struct fake *f)
{
    writes(f, 0);
}
static void writes_later(struct fake *f)
{
    writes(f, lag_ns);
}
static void replica(struct vcase *v, int64_t lag_ms)
{
    sides(v);
    v->opt.recheck_ms = 1800;
    begun_ns = sp_v_now_ns();
    lag_ns = lag_ms * 1000000;
    v->f[0]->on_snapshot = writes_now;
    v->f[1]->on_snapshot = writes_later;
}
static void a_replica_that_lags_by_more_than_half_of_the_window(void **state)
{
    struct vcase v;
    (void)state;
    for (int i = 0; i < 2; i++) { /* 3200: by more than all of it */
        replica(&v, i == 0 ? 1300 : 3200);
        assert_int_not_equal(SP_VV_DIFFERENT, vcase_run(&v));
        assert_int_equal(0, v.rc);
        assert_int_equal(0, caught_count(&v.c, SP_EV_DIFFERENCE));
        vcase_end(&v);
    }
}
static void and_what_is_planted_there(void **state)
{
    struct vcase v;
    (void)state;
    replica(&v, 1300);
    set(v.f[1], 25, -1);
    fake_remove(fake_find(v.f[1], "item"), 27);
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "item", 1, 0, 1);
    assert_non_null(caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_key, "id=25"));
    vcase_end(&v);
    replica(&v, 3200); /* so far behind that it may be on its way */
    set(v.f[1], 25, -1);
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_non_null(strstr(v.reasons.p, "the target is behind by"));
    vcase_end(&v);
}
static int64_t arrives_ns;
static void arrives_then(struct fake *f)
{
    if (sp_v_now_ns() >= arrives_ns)
        set(f, 5, -1);
}
static void one_change_that_is_long_on_its_way(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    v.opt.recheck_ms = 1500;
    set(v.f[0], 5, -1);
    arrives_ns = sp_v_now_ns() + 1000 * INT64_C(1000000);
    v.f[1]->on_snapshot = arrives_then;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_settled(&v, 1, 0);
    vcase_end(&v);
}

/* ---- more rows than memory takes --------------------------------------------------------------------------------------- */

enum { MANY = 3000 };
static void many_rows(struct vcase *v, bool keyed)
{
    struct fake_table *t[2];
    vcase_begin(v);
    vcase_table(v, "item", "id:int! n:int", keyed ? 1 : 0, t);
    for (int i = 0; i < 2; i++)
        for (int r = 0; r < MANY; r++) {
            struct sp_value *row = fake_row(t[i]);
            row[0] = sp_v_int(r);
            row[1] = sp_v_int(i == 0 ? r : -r);
        }
    v->opt.checks = SP_VC_ROWS;
    v->opt.recheck_ms = 900;
    v->memory = 100 << 10; /* 100 rows in memory */
}
static void most_follow(struct fake *f)
{
    for (int r = 0; r < MANY && f->begun == 2; r++)
        if (r % 100 != 7)
            set(f, r, r);
}
static void all_follow(struct fake *f)
{
    for (int r = 0; r < MANY && f->begun == 2; r++)
        set(f, r, r);
}
static void half_wander(struct fake *f)
{
    for (int r = 0; r < MANY; r++)
        set(f, r, r == 1234 ? -5 : -100000 * (int64_t)f->begun - r);
}
static void more_rows_than_memory_takes(void **state)
{
    struct vcase v;
    (void)state;
    many_rows(&v, true);
    v.f[1]->on_snapshot = all_follow;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_settled(&v, MANY - 1, 0); /* row 0 is equal */
    vcase_end(&v);
    many_rows(&v, true);
    v.f[1]->on_snapshot = most_follow;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "item", 0, 0, MANY / 100);
    assert_settled(&v, MANY - 1 - MANY / 100, 0);
    assert_int_equal(MANY / 100, caught_count(&v.c, SP_EV_DIFFERENCE));
    assert_non_null(sp_event_get_text(caught_at(&v.c, SP_EV_DIFFERENCE, 29), SP_FLD_since));
    vcase_end(&v);
    many_rows(&v, true); /* all but one of the target's move for ever */
    v.f[1]->on_snapshot = half_wander;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "item", 0, 0, 1);
    assert_settled(&v, 0, MANY - 1);
    assert_non_null(caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_key, "id=1234"));
    vcase_end(&v);
}
static void and_without_a_key(void **state)
{
    struct vcase v;
    (void)state;
    many_rows(&v, false);
    v.f[1]->on_snapshot = all_follow;
    assert_verdict(&v, SP_VV_EQUAL);
    vcase_end(&v);
    many_rows(&v, false);
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_settled(&v, 0, 0);
    assert_counts(&v, "item", MANY - 1, MANY - 1, 0);
    vcase_end(&v);
}

/* ---- what no single row shows ---------------------------------------------------------------------------------------- */

static void counter(struct fake *f, int64_t next)
{
    f->sequences[0] = (struct sp_sequence){ .name = "item_id", .next = next, .increment = 1 };
    f->nsequences = 1;
}
static void counter_follows(struct fake *f)
{
    counter(f, f->begun < 3 ? 10 : 20);
}
/* Always behind, and always farther than the source was at first. */
static void counter_runs(struct fake *f)
{
    counter(f, 20 + 5 * (int64_t)f->begun);
}
static void counter_runs_behind(struct fake *f)
{
    counter(f, 10 + 5 * (int64_t)f->begun);
}
static void counters_follow_or_stand(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    v.opt.checks = SP_VC_SEQUENCES;
    counter(v.f[0], 20);
    v.f[1]->on_snapshot = counter_follows;
    assert_verdict(&v, SP_VV_EQUAL);
    v.f[1]->on_snapshot = NULL;
    counter(v.f[1], 10);
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_int_equal(1, caught_count(&v.c, SP_EV_SEQUENCE));
    vcase_end(&v);
    sides(&v);
    v.opt.checks = SP_VC_SEQUENCES;
    v.f[0]->on_snapshot = counter_runs;
    v.f[1]->on_snapshot = counter_runs_behind;
    assert_verdict(&v, SP_VV_EQUAL);
    vcase_end(&v);
}

static void counts_grow(struct fake *f)
{
    fake_row(fake_find(f, "log"))[0] = sp_v_text("new");
}
static void counts_that_move_are_not_compared(void **state)
{
    struct vcase v;
    (void)state;
    sides(&v);
    v.opt.checks = SP_VC_COUNTS;
    v.f[0]->on_snapshot = counts_grow;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
    sides(&v);
    v.opt.checks = SP_VC_COUNTS;
    counts_grow(v.f[0]);
    assert_verdict(&v, SP_VV_DIFFERENT);
    vcase_end(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_that_arrives),
        cmocka_unit_test(inserts_and_deletes_that_arrive),
        cmocka_unit_test(a_row_that_is_always_behind),
        cmocka_unit_test(a_table_without_a_key),
        cmocka_unit_test(what_stands_is_found_among_what_moves),
        cmocka_unit_test(an_older_version_is_no_excuse),
        cmocka_unit_test(a_target_that_moves_alone),
        cmocka_unit_test(a_source_that_moves_away_from_a_target_that_stands),
        cmocka_unit_test(a_side_that_goes_away),
        cmocka_unit_test(without_it_a_look_is_enough),
        cmocka_unit_test(a_replica_that_lags_by_more_than_half_of_the_window),
        cmocka_unit_test(and_what_is_planted_there),
        cmocka_unit_test(one_change_that_is_long_on_its_way),
        cmocka_unit_test(more_rows_than_memory_takes),
        cmocka_unit_test(and_without_a_key),
        cmocka_unit_test(counters_follow_or_stand),
        cmocka_unit_test(counts_that_move_are_not_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
