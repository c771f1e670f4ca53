/* test_verify_duplicates.c -- duplicates are counted exactly, however little memory there is, and against the source's. */
#include "verify_case.h"

enum { ROWS = 20000 };

static void fill(struct fake_table *t, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        struct sp_value *row = fake_row(t);
        row[0] = sp_v_int(i);
        row[1] = sp_v_int(i * 7);
    }
}

static const char *const columns[] = { "k" };
static const struct sp_verify_demand key = {
    .name = "k", .table = "t", .columns = columns, .ncolumns = 1, .unique = true
};

static void begin(struct vcase *v, struct fake_table *t[2])
{
    vcase_begin(v);
    vcase_table(v, "t", "id:int k:int", 1, t);
    fill(t[0], ROWS);
    fill(t[1], ROWS);
    v->opt.checks = SP_VC_REQUIRED;
    v->opt.demands = &key;
    v->opt.ndemands = 1;
}

static void assert_faults(const struct vcase *v, int64_t source, int64_t target, int64_t introduced)
{
    const struct sp_event_in *e = caught_where(&v->c, SP_EV_CONSTRAINT, SP_FLD_columns, "k");
    assert_non_null(e);
    assert_int_equal(source, sp_event_get_int(e, SP_FLD_source_faults, -1));
    assert_int_equal(target, sp_event_get_int(e, SP_FLD_target_faults, -1));
    assert_int_equal(introduced, sp_event_get_int(e, SP_FLD_introduced, -1));
}

static void set(struct fake_table *t, size_t row, struct sp_value v)
{
    t->rows[row * 2 + 1] = v;
}

static void exact_at_any_size(void **state)
{
    static const size_t memory[] = { SP_VERIFY_MEMORY, 1u << 20, 128u << 10, 32u << 10 };
    (void)state;
    for (size_t m = 0; m < SP_LEN(memory); m++) {
        struct vcase v;
        struct fake_table *t[2];
        begin(&v, t);
        v.memory = memory[m];
        assert_verdict(&v, SP_VV_EQUAL);
        assert_faults(&v, 0, 0, 0);
        for (size_t i = 0; i < 300; i++) /* on both sides: 150 pairs */
            for (int s = 0; s < 2; s++)
                set(t[s], i, sp_v_int(-1 - (int64_t)(i / 2)));
        assert_verdict(&v, SP_VV_EQUAL);
        assert_faults(&v, 150, 150, 0);
        for (size_t i = 0; i < 40; i++) /* on the target: one group of 40, and a group that grows */
            set(t[1], 5000 + i, sp_v_int(5000 * 7));
        set(t[1], 9000, sp_v_int(-1));
        assert_verdict(&v, SP_VV_DIFFERENT);
        assert_faults(&v, 150, 190, 40);
        vcase_end(&v);
    }
}

/* One value in every row: no range of digests can be cut. */
static void all_rows_the_same(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    begin(&v, t);
    v.memory = 32u << 10;
    for (size_t i = 0; i < ROWS; i++)
        set(t[1], i, sp_v_int(3));
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_faults(&v, 0, ROWS - 1, ROWS - 1);
    vcase_end(&v);
}

/* What the target's type rounds together was not equal on the source: such duplicates came in. */
static void rounding_makes_duplicates(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    struct sp_arena a = SP_ARENA_INIT;
    (void)state;
    vcase_begin(&v);
    t[0] = fake_table(v.f[0], "t", "id:int k:decimal", 1);
    t[1] = fake_table(v.f[1], "t", "id:int k:decimal", 1);
    fake_column(t[1], "k")->type = (struct sp_type){ .tag = SP_DEC, .precision = 9, .scale = 0 };
    for (int64_t i = 0; i < 100; i++) {
        struct sp_value *s = fake_row(t[0]), *d = fake_row(t[1]);
        s[0] = d[0] = sp_v_int(i);
        s[1] = sp_v_dec_text(&a, sp_arena_printf(&a, "%lld.%d", (long long)(i / 2), i % 2 == 0 ? 1 : 2));
        d[1] = sp_v_dec_text(&a, sp_arena_printf(&a, "%lld", (long long)(i / 2)));
    }
    v.opt.checks = SP_VC_REQUIRED;
    v.opt.demands = &key;
    v.opt.ndemands = 1;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_faults(&v, 0, 50, 50);
    vcase_end(&v);
    sp_arena_free(&a);
}

static void a_side_that_cannot_be_read_is_not_compared(void **state)
{
    (void)state;
    for (int s = 0; s < 2; s++) {
        struct vcase v;
        struct fake_table *t[2];
        begin(&v, t);
        t[s]->scan_fails = true;
        assert_verdict(&v, SP_VV_NOT_COMPARED);
        t[s]->scan_fails = false;
        t[s]->no_end = true;
        assert_verdict(&v, SP_VV_NOT_COMPARED);
        vcase_end(&v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_at_any_size),
        cmocka_unit_test(all_rows_the_same),
        cmocka_unit_test(rounding_makes_duplicates),
        cmocka_unit_test(a_side_that_cannot_be_read_is_not_compared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
