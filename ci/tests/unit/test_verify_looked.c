/* verify: a check that met nothing it is about proves nothing; what the choice of tables or checks leaves out is named. */
#include "verify_case.h"

static const char *const ref[] = { "parent_id" };
static const char *const id[] = { "id" };
static const struct sp_fk fk = { .columns = ref, .ncolumns = 1, .ref_table = "parents", .ref_columns = id };

/* `plain` has nothing but a column that may be null. */
static void plain(struct vcase *v)
{
    struct fake_table *t[2];
    vcase_begin(v);
    vcase_table(v, "plain", "what:text", 0, t);
    for (int i = 0; i < 2; i++)
        fake_row(t[i])[0] = sp_v_text("same");
}

static void family(struct vcase *v)
{
    struct fake_table *p[2], *c[2];
    vcase_begin(v);
    vcase_table(v, "parents", "id:int! name:text", 1, p);
    vcase_table(v, "children", "id:int! parent_id:int", 1, c);
    for (int s = 0; s < 2; s++) {
        c[s]->t.fks = &fk;
        c[s]->t.nfks = 1;
        struct sp_value *row = fake_row(p[s]);
        row[0] = sp_v_int(1);
        row[1] = sp_v_text("one");
        row = fake_row(c[s]);
        row[0] = row[1] = sp_v_int(1);
    }
}

static void a_check_alone_that_meets_nothing(void **state)
{
    const unsigned each[] = { SP_VC_RELATIONS, SP_VC_SEQUENCES, SP_VC_UNIQUENESS, SP_VC_REQUIRED, SP_VC_BLOBS,
        SP_VC_ACCOUNTS, SP_VC_RELATIONS | SP_VC_SEQUENCES };
    struct vcase v;
    (void)state;
    plain(&v);
    for (size_t i = 0; i < SP_LEN(each); i++) {
        v.opt.checks = each[i];
        assert_verdict(&v, SP_VV_NOT_COMPARED);
        assert_int_equal(3, sp_verify_exit_code(v.verdict));
        assert_non_null(strstr(v.reasons.p, "nothing to compare"));
        assert_non_null(caught_where(&v.c, SP_EV_NOT_COMPARED, SP_FLD_what, "nothing"));
    }
    /* Each of these looks at the table. */
    const unsigned rows[] = { SP_VC_SCHEMA, SP_VC_ROWS, SP_VC_PROFILES, SP_VC_ALL, SP_VC_DATA };
    for (size_t i = 0; i < SP_LEN(rows); i++) {
        v.opt.checks = rows[i];
        assert_verdict(&v, SP_VV_EQUAL);
    }
    vcase_end(&v);
}

static void beside_another_check_it_is_said(void **state)
{
    struct vcase v;
    (void)state;
    plain(&v);
    v.opt.checks = SP_VC_ROWS | SP_VC_RELATIONS | SP_VC_SEQUENCES;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_non_null(strstr(v.reasons.p, "found nothing to look at on either side: relations,sequences"));
    v.opt.checks = SP_VC_ALL; /* nobody named one */
    assert_verdict(&v, SP_VV_EQUAL);
    assert_true(v.reasons.p == NULL || strstr(v.reasons.p, "found nothing") == NULL);
    vcase_end(&v);
}

static void what_meets_something_is_equal(void **state)
{
    const unsigned each[] = { SP_VC_RELATIONS, SP_VC_UNIQUENESS, SP_VC_REQUIRED };
    struct vcase v;
    (void)state;
    family(&v);
    for (size_t i = 0; i < SP_LEN(each); i++) {
        v.opt.checks = each[i];
        assert_verdict(&v, SP_VV_EQUAL);
    }
    vcase_end(&v);
}

static void no_table_at_all(void **state)
{
    struct vcase v;
    (void)state;
    vcase_begin(&v);
    for (unsigned check = 1; check <= SP_VC_ACCOUNTS; check <<= 1) {
        v.opt.checks = check;
        assert_verdict(&v, SP_VV_NOT_COMPARED);
    }
    v.opt.checks = SP_VC_ALL;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
}

static void the_teams_own_checks_are_something(void **state)
{
    const char *const columns[] = { "what" };
    const struct sp_verify_demand demand = { "a word", "plain", columns, 1, true };
    struct vcase v;
    (void)state;
    plain(&v);
    v.opt.demands = &demand;
    v.opt.ndemands = 1;
    v.opt.checks = SP_VC_RELATIONS;
    assert_verdict(&v, SP_VV_EQUAL);
    v.opt.checks = SP_VC_BLOBS; /* looks into no table */
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    const struct sp_event_in *e = caught_where(&v.c, SP_EV_NOT_COMPARED, SP_FLD_name, "a word");
    assert_non_null(e);
    assert_string_equal("left out by --checks", sp_event_get_text(e, SP_FLD_what));
    vcase_end(&v);
}

static void left_out_by_tables(void **state)
{
    const char *const columns[] = { "name" }, *const chosen[] = { "parents" },
                      *const other[] = { "children" };
    const struct sp_verify_demand demands[] = { { "one name", "parents", columns, 1, true },
        { "a name", "parents", columns, 1, false } };
    struct vcase v;
    (void)state;
    family(&v);
    v.opt.tables = chosen;
    v.opt.ntables = 1;
    v.opt.checks = SP_VC_DATA;
    assert_verdict(&v, SP_VV_EQUAL);
    const struct sp_event_in *e =
        caught_where(&v.c, SP_EV_NOT_COMPARED, SP_FLD_name, "children(parent_id)->parents");
    assert_non_null(e); /* both sides declare it: named once */
    assert_int_equal(1, caught_count(&v.c, SP_EV_NOT_COMPARED));
    assert_true(sp_event_get_bool(e, SP_FLD_accepted, false));
    v.opt.tables = other;
    v.opt.demands = demands;
    v.opt.ndemands = SP_LEN(demands);
    v.opt.recheck_ms = 1000; /* whatever is looked at again, it is said once */
    assert_verdict(&v, SP_VV_EQUAL);
    assert_int_equal(2, caught_count(&v.c, SP_EV_NOT_COMPARED));
    e = caught_where(&v.c, SP_EV_NOT_COMPARED, SP_FLD_name, "one name");
    assert_non_null(e);
    assert_string_equal("left out by --tables: unique parents (name)", sp_event_get_text(e, SP_FLD_reason));
    assert_non_null(caught_where(&v.c, SP_EV_NOT_COMPARED, SP_FLD_name, "a name"));
    assert_non_null(strstr(v.reasons.p, "not compared: one name, a name"));
    vcase_end(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_alone_that_meets_nothing),
        cmocka_unit_test(beside_another_check_it_is_said),
        cmocka_unit_test(what_meets_something_is_equal),
        cmocka_unit_test(no_table_at_all),
        cmocka_unit_test(the_teams_own_checks_are_something),
        cmocka_unit_test(left_out_by_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
