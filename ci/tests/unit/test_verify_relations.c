/* verify, relations: orphans on both sides, told apart by key. */
#include "verify_case.h"

static const char *const ref[] = { "parent_id" };
static const char *const id[] = { "id" };
static const struct sp_fk fk = { .columns = ref, .ncolumns = 1, .ref_table = "parents", .ref_columns = id };

static void family(struct vcase *v, struct fake_table *p[2], struct fake_table *c[2], int n, bool keyed)
{
    vcase_begin(v);
    vcase_table(v, "parents", "id:int! name:text", 1, p);
    vcase_table(v, "children", "id:int! parent_id:int", keyed ? 1 : 0, c);
    for (int s = 0; s < 2; s++) {
        c[s]->t.fks = &fk;
        c[s]->t.nfks = 1;
        for (int i = 0; i < n; i++) {
            struct sp_value *row = fake_row(p[s]);
            row[0] = sp_v_int(i);
            row[1] = sp_v_text("p");
        }
        for (int i = 0; i < 3 * n; i++) {
            struct sp_value *row = fake_row(c[s]);
            row[0] = sp_v_int(i);
            row[1] = i % 10 == 9 ? sp_v_null() : sp_v_int(i % n);
        }
    }
}

static void assert_relation(
    const struct vcase *v, int64_t source, int64_t target, int64_t introduced, int64_t preexisting)
{
    assert_int_equal(1, caught_count(&v->c, SP_EV_RELATION));
    const struct sp_event_in *e = caught_at(&v->c, SP_EV_RELATION, 0);
    assert_int_equal(source, sp_event_get_int(e, SP_FLD_source_orphans, -1));
    assert_int_equal(target, sp_event_get_int(e, SP_FLD_target_orphans, -1));
    assert_int_equal(introduced, sp_event_get_int(e, SP_FLD_introduced, -1));
    assert_int_equal(preexisting, sp_event_get_int(e, SP_FLD_preexisting, -1));
}

static void intact(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    family(&v, p, c, 100, true);
    assert_verdict(&v, SP_VV_EQUAL);
    assert_relation(&v, 0, 0, 0, 0);
    v.opt.checks = SP_VC_RELATIONS; /* without the proof of the rows */
    assert_verdict(&v, SP_VV_EQUAL);
    assert_relation(&v, 0, 0, 0, 0);
    vcase_end(&v);
}

static void introduced(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    family(&v, p, c, 100, true);
    fake_remove(p[1], 42); /* children 42, 142, 242 */
    v.opt.checks = SP_VC_RELATIONS;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_relation(&v, 0, 3, 3, 0);
    assert_int_equal(3, caught_count(&v.c, SP_EV_DIFFERENCE));
    const struct sp_event_in *e = caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_key, "id=142");
    assert_non_null(e);
    assert_string_equal("orphan", sp_event_get_text(e, SP_FLD_difference));
    assert_string_equal("parent_id=42", sp_event_get_text(e, SP_FLD_actual));
    vcase_end(&v);
}

static void preexisting(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    for (int with_rows = 0; with_rows < 2; with_rows++) {
        family(&v, p, c, 100, true);
        fake_remove(p[0], 42);
        fake_remove(p[1], 42);
        v.opt.checks = with_rows != 0 ? SP_VC_ALL : SP_VC_RELATIONS;
        assert_verdict(&v, SP_VV_EQUAL);
        assert_relation(&v, 3, 3, 0, 3);
        v.opt.strict_integrity = true;
        assert_verdict(&v, SP_VV_DIFFERENT);
        v.opt.strict_integrity = false;
        v.opt.checks = SP_VC_RELATIONS;
        fake_remove(p[1], 50); /* old ones and new ones at once */
        assert_verdict(&v, SP_VV_DIFFERENT);
        assert_relation(&v, 3, 6, 3, 3);
        vcase_end(&v);
    }
}

/* As many orphans on both sides, but other rows: by count alone this would pass. */
static void other_orphans_of_the_same_number(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    family(&v, p, c, 100, true);
    fake_remove(p[0], 42);
    fake_remove(p[1], 43);
    v.opt.checks = SP_VC_RELATIONS;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_relation(&v, 3, 3, 3, 0);
    vcase_end(&v);
}

static void one_side_declares_it(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    for (int side = 0; side < 2; side++) {
        family(&v, p, c, 50, true);
        c[side]->t.nfks = 0;
        fake_remove(p[1], 7);
        v.opt.checks = SP_VC_RELATIONS;
        assert_verdict(&v, SP_VV_DIFFERENT);
        assert_relation(&v, 0, 3, 3, 0);
        vcase_end(&v);
    }
}

static void no_parent_table_at_all(void **state)
{
    struct vcase v;
    struct fake_table *c;
    (void)state;
    vcase_begin(&v);
    for (int s = 0; s < 2; s++) {
        c = fake_table(v.f[s], "children", "id:int! parent_id:int", 1);
        c->t.fks = &fk;
        c->t.nfks = 1;
        for (int i = 0; i < 5; i++) {
            struct sp_value *row = fake_row(c);
            row[0] = sp_v_int(i);
            row[1] = i == 0 ? sp_v_null() : sp_v_int(i);
        }
    }
    assert_verdict(&v, SP_VV_EQUAL);
    assert_relation(&v, 4, 4, 0, 4);
    vcase_end(&v);
}

static void bounded_memory(void **state)
{
    const size_t memory[] = { 4096, 9000, 100000 };
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    for (size_t m = 0; m < SP_LEN(memory); m++) {
        family(&v, p, c, 3000, true);
        v.memory = memory[m];
        fake_remove(p[0], 1000);
        fake_remove(p[1], 1000);
        fake_remove(p[1], 2000);
        v.opt.checks = SP_VC_RELATIONS;
        assert_verdict(&v, SP_VV_DIFFERENT);
        const struct sp_event_in *e = caught_at(&v.c, SP_EV_RELATION, 0);
        int64_t s = sp_event_get_int(e, SP_FLD_source_orphans, -1),
                t = sp_event_get_int(e, SP_FLD_target_orphans, -1);
        assert_true(s >= 2 && t >= s + 2);
        assert_relation(&v, s, t, t - s, s);
        vcase_end(&v);
    }
}

static void too_many_orphans_to_list(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    family(&v, p, c, 1000, true);
    p[1]->nrows = 10;
    v.memory = 4096;
    v.opt.checks = SP_VC_RELATIONS;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_int_equal(1, caught_count(&v.c, SP_EV_NOT_COMPARED));
    vcase_end(&v);
}

static void children_without_a_key(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    family(&v, p, c, 100, false);
    fake_remove(p[0], 42);
    fake_remove(p[1], 42);
    fake_remove(p[1], 60); /* was 61 */
    v.opt.checks = SP_VC_RELATIONS;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_relation(&v, 3, 6, 3, 3);
    vcase_end(&v);
}

/* Dynamic columns: 1, '1' and 1.0 meet where the parent is declared as a number. */
static void dynamic_columns_meet_as_declared(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "parents", "id", 1, p);
    vcase_table(&v, "children", "id:int! parent_id", 1, c);
    for (int s = 0; s < 2; s++) {
        const struct sp_value refs[] = { sp_v_int(1), sp_v_text("1"), sp_v_f64(1.0), sp_v_text("x"),
            sp_v_text("y") };
        fake_column(p[s], "id")->declared.tag = SP_INT;
        c[s]->t.fks = &fk;
        c[s]->t.nfks = 1;
        fake_row(p[s])[0] = sp_v_int(1);
        fake_row(p[s])[0] = sp_v_text("x");
        for (size_t i = 0; i < SP_LEN(refs); i++) {
            struct sp_value *row = fake_row(c[s]);
            row[0] = sp_v_int((int64_t)i);
            row[1] = refs[i];
        }
    }
    assert_verdict(&v, SP_VV_EQUAL);
    assert_relation(&v, 1, 1, 0, 1);
    vcase_end(&v);
}

static void a_parent_that_cannot_be_read(void **state)
{
    struct vcase v;
    struct fake_table *p[2], *c[2];
    (void)state;
    family(&v, p, c, 100, true);
    p[1]->scan_fails = true;
    v.opt.checks = SP_VC_RELATIONS;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_int_equal(0, caught_count(&v.c, SP_EV_RELATION));
    vcase_end(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intact),
        cmocka_unit_test(introduced),
        cmocka_unit_test(preexisting),
        cmocka_unit_test(other_orphans_of_the_same_number),
        cmocka_unit_test(one_side_declares_it),
        cmocka_unit_test(no_parent_table_at_all),
        cmocka_unit_test(bounded_memory),
        cmocka_unit_test(too_many_orphans_to_list),
        cmocka_unit_test(children_without_a_key),
        cmocka_unit_test(dynamic_columns_meet_as_declared),
        cmocka_unit_test(a_parent_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
