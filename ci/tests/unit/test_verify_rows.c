/* verify, rows: every difference is counted exactly and named; equal copies raise no alarm. */
#include "verify_case.h"

static void agents(struct vcase *v, struct fake_table *t[2], int n)
{
    vcase_table(v, "agents", "id:int! name:text note", 1, t);
    for (int i = 0; i < 2; i++)
        for (int r = 0; r < n; r++) {
            int id = i == 0 ? r : n - 1 - r; /* in another order */
            struct sp_value *row = fake_row(t[i]);
            row[0] = sp_v_int(id);
            row[1] = sp_v_text(id % 2 != 0 ? "odd" : "even");
            row[2] = id % 3 == 0 ? sp_v_null() : sp_v_int(id * 7);
        }
}

static void equal_copies_are_equal(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 1000);
    assert_verdict(&v, SP_VV_EQUAL);
    assert_int_equal(0, sp_verify_exit_code(v.verdict));
    assert_counts(&v, "agents", 0, 0, 0);
    assert_int_equal(1000, table_number(&v, "agents", SP_FLD_source_rows));
    assert_int_equal(0, caught_count(&v.c, SP_EV_DIFFERENCE));
    assert_int_equal(1, caught_count(&v.c, SP_EV_VERIFY_START));
    assert_int_equal(1, caught_count(&v.c, SP_EV_VERIFY_END));
    assert_string_equal("equal", sp_event_get_text(caught_at(&v.c, SP_EV_VERIFY_END, 0), SP_FLD_verdict));
    vcase_end(&v);
}

static void missing_extra_and_changed_rows(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 100);
    fake_remove(t[1], 10); /* id 89 */
    struct sp_value *row = fake_row(t[1]);
    row[0] = sp_v_int(500);
    row[1] = sp_v_text("new");
    row[2] = sp_v_null();
    t[1]->rows[20 * 3 + 1] = sp_v_text("oddly"); /* id 99 - 21 = 78 */
    t[1]->rows[20 * 3 + 2] = sp_v_text("x");
    v.opt.show_values = true;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "agents", 1, 1, 1);
    assert_int_equal(4, caught_count(&v.c, SP_EV_DIFFERENCE));
    const struct sp_event_in *e = caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_difference, "missing");
    assert_string_equal("id=89", sp_event_get_text(e, SP_FLD_key));
    assert_string_equal("source", sp_event_get_text(e, SP_FLD_side));
    e = caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_difference, "extra");
    assert_string_equal("id=500", sp_event_get_text(e, SP_FLD_key));
    e = caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_column, "name");
    assert_string_equal("id=78", sp_event_get_text(e, SP_FLD_key));
    assert_non_null(strstr(sp_event_get_text(e, SP_FLD_expected), "even"));
    assert_non_null(strstr(sp_event_get_text(e, SP_FLD_actual), "oddly"));
    assert_non_null(caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_column, "note"));
    assert_int_equal(3, sp_event_get_int(caught_at(&v.c, SP_EV_VERIFY_END, 0), SP_FLD_differences, -1));
    vcase_end(&v);
}

static void values_are_hidden_unless_asked_for(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 50);
    t[1]->rows[1] = sp_v_text("a secret");
    assert_verdict(&v, SP_VV_DIFFERENT);
    const struct sp_event_in *e = caught_at(&v.c, SP_EV_DIFFERENCE, 0);
    assert_string_equal("id=49", sp_event_get_text(e, SP_FLD_key));
    assert_null(strstr(sp_event_get_text(e, SP_FLD_actual), "secret"));
    assert_non_null(strstr(sp_event_get_text(e, SP_FLD_actual), "text, 8 bytes"));
    vcase_end(&v);
}

static void lookalikes_differ(void **state)
{
    const struct sp_value pairs[][2] = { { sp_v_null(), sp_v_text("") }, { sp_v_int(1), sp_v_text("1") },
        { sp_v_f64(0.0), sp_v_f64(-0.0) }, { sp_v_f64(0.1 + 0.2), sp_v_f64(0.3) },
        { sp_v_text("a"), sp_v_bytes("a", 1) }, { sp_v_text("a"), sp_v_text("A") },
        { sp_v_textn("a\0b", 3), sp_v_text("a") }, { sp_v_text("NULL"), sp_v_null() },
        { sp_v_textn("\xff", 1), sp_v_textn("\xfe", 1) }, { sp_v_int(1), sp_v_f64(1.0) } };
    (void)state;
    for (size_t i = 0; i < SP_LEN(pairs); i++) {
        struct vcase v;
        struct fake_table *t[2];
        vcase_begin(&v);
        vcase_table(&v, "t", "id:int! v", 1, t);
        for (int s = 0; s < 2; s++) {
            struct sp_value *row = fake_row(t[s]);
            row[0] = sp_v_int(1);
            row[1] = pairs[i][s];
        }
        assert_verdict(&v, SP_VV_DIFFERENT);
        assert_counts(&v, "t", 0, 0, 1);
        t[1]->rows[1] = pairs[i][0];
        assert_verdict(&v, SP_VV_EQUAL);
        vcase_end(&v);
    }
}

static void neighbouring_fields_do_not_flow_together(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "t", "id:int! a:text b:text", 1, t);
    for (int s = 0; s < 2; s++) {
        struct sp_value *row = fake_row(t[s]);
        row[0] = sp_v_int(1);
        row[1] = sp_v_text(s == 0 ? "ab" : "a");
        row[2] = sp_v_text(s == 0 ? "c" : "bc");
    }
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_int_equal(2, caught_count(&v.c, SP_EV_DIFFERENCE));
    vcase_end(&v);
}

static void tables_without_a_key_are_multisets(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "log", "what:text n:int", 0, t);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < 300; i++) {
            struct sp_value *row = fake_row(t[s]);
            row[0] = sp_v_text("line");
            row[1] = sp_v_int(i % 10);
        }
    assert_verdict(&v, SP_VV_EQUAL);
    t[1]->rows[1] = sp_v_int(5); /* was 0: one line less of 0, one more of 5 */
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "log", 1, 1, 0);
    for (int i = 0; i < 3; i++) {
        struct sp_value *row = fake_row(t[1]);
        row[0] = sp_v_text("again");
        row[1] = sp_v_int(1);
    }
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "log", 1, 4, 0);
    assert_false(sp_event_get_bool(caught_at(&v.c, SP_EV_TABLE, 0), SP_FLD_keyed, true));
    vcase_end(&v);
}

static void pairs_of_equal_rows_do_not_vanish(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "log", "what:text", 0, t);
    fake_row(t[0])[0] = sp_v_text("a");
    fake_row(t[0])[0] = sp_v_text("a");
    fake_row(t[1])[0] = sp_v_text("b");
    fake_row(t[1])[0] = sp_v_text("b");
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "log", 2, 2, 0);
    assert_int_equal(2, caught_count(&v.c, SP_EV_DIFFERENCE));
    assert_int_equal(2, sp_event_get_int(caught_at(&v.c, SP_EV_DIFFERENCE, 0), SP_FLD_count, -1));
    vcase_end(&v);
}

static void repeated_keys_are_counted(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 20);
    for (int i = 0; i < 2; i++) {
        struct sp_value *row = fake_row(t[1]);
        row[0] = sp_v_int(3);
        row[1] = sp_v_text(i == 0 ? "odd" : "another");
        row[2] = i == 0 ? sp_v_null() : sp_v_int(1);
    }
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "agents", 0, 2, 0);
    assert_int_equal(0, table_number(&v, "agents", SP_FLD_duplicates_source));
    assert_int_equal(2, table_number(&v, "agents", SP_FLD_duplicates_target));
    vcase_end(&v);
}

static void one_row_in_a_hundred_thousand(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 100000);
    assert_verdict(&v, SP_VV_EQUAL);
    t[1]->rows[77777 * 3 + 2] = sp_v_int(-1);
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "agents", 0, 0, 1);
    const struct sp_event_in *e = caught_at(&v.c, SP_EV_DIFFERENCE, 0);
    assert_string_equal("id=22222", sp_event_get_text(e, SP_FLD_key));
    assert_string_equal("note", sp_event_get_text(e, SP_FLD_column));
    vcase_end(&v);
}

/* The same counts whatever the memory: many passes, the cut of full collectors, rows that wait for another pass. */
static void counts_do_not_depend_on_memory(void **state)
{
    const size_t memory[] = { 4096, 20000, 300000, SP_VERIFY_MEMORY };
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 3000);
    for (size_t r = 0; r < 1000; r++)
        t[1]->rows[r * 3 + 2] = sp_v_int(-5);
    for (size_t r = 0; r < 100; r++)
        fake_remove(t[0], 5);
    v.opt.max_differences = 5000;
    for (size_t i = 0; i < SP_LEN(memory); i++) {
        v.memory = memory[i];
        assert_verdict(&v, SP_VV_DIFFERENT);
        assert_counts(&v, "agents", 0, 100, 1000);
        assert_int_equal(1100, caught_count(&v.c, SP_EV_DIFFERENCE));
    }
    vcase_end(&v);
}

static void many_equal_rows_without_a_key_fit(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "log", "what:text", 0, t);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < 20000 + s; i++)
            fake_row(t[s])[0] = sp_v_text("the same line");
    v.memory = 8192;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "log", 0, 1, 0);
    vcase_end(&v);
}

static void a_key_that_is_none_is_counted_too(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "t", "id:int! n:int", 1, t);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < 5000; i++) {
            struct sp_value *row = fake_row(t[s]);
            row[0] = sp_v_int(1);
            row[1] = sp_v_int(i + s);
        }
    v.memory = 8192;
    assert_verdict(&v, SP_VV_DIFFERENT); /* all rows of one key, more than memory takes */
    assert_counts(&v, "t", 0, 0, 1);
    assert_int_equal(4999, table_number(&v, "t", SP_FLD_duplicates_source));
    assert_int_equal(1, caught_count(&v.c, SP_EV_DIFFERENCE));
    vcase_end(&v);
}

static void the_list_is_capped_and_says_so(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 500);
    for (size_t r = 0; r < 300; r++)
        t[1]->rows[r * 3 + 2] = sp_v_int(-5);
    v.opt.max_differences = 7;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "agents", 0, 0, 300);
    assert_int_equal(7, caught_count(&v.c, SP_EV_DIFFERENCE));
    assert_true(sp_event_get_bool(caught_at(&v.c, SP_EV_VERIFY_END, 0), SP_FLD_capped, false));
    v.opt.max_differences = 0;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_int_equal(0, caught_count(&v.c, SP_EV_DIFFERENCE));
    vcase_end(&v);
}

static void a_table_that_cannot_be_read_is_not_compared(void **state)
{
    struct vcase v;
    struct fake_table *t[2], *u[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 100);
    vcase_table(&v, "z", "id:int!", 1, u);
    for (int s = 0; s < 2; s++)
        fake_row(u[s])[0] = sp_v_int(1);
    t[1]->scan_fails = true;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_int_equal(3, sp_verify_exit_code(v.verdict));
    const struct sp_event_in *e = caught_at(&v.c, SP_EV_NOT_COMPARED, 0);
    assert_string_equal("agents", sp_event_get_text(e, SP_FLD_name));
    assert_non_null(strstr(sp_event_get_text(e, SP_FLD_reason), "disk I/O error"));
    assert_true(sp_event_get_bool(
        caught_where(&v.c, SP_EV_TABLE, SP_FLD_name, "z"), SP_FLD_digest_equal, false)); /* went on */
    u[1]->rows[0] = sp_v_int(2); /* a difference elsewhere wins */
    assert_verdict(&v, SP_VV_DIFFERENT);
    vcase_end(&v);
}

static void an_unproven_end_is_no_end(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 10);
    t[0]->no_end = t[1]->no_end = true;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    t[0]->no_end = t[1]->no_end = false;
    t[1]->lies_about_count = true;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
}

static void a_bad_end_of_the_snapshot_voids_everything(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 10);
    v.f[0]->bad_snapshot_end = true;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    fake_remove(t[1], 0);
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
}

static void without_a_snapshot_nothing_is_equal(void **state)
{
    struct sp_db_ops db = fake_db;
    struct sp_provider provider = fake_provider;
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    db.snapshot_begin = NULL;
    db.snapshot_end = NULL;
    provider.db = &db;
    vcase_begin(&v);
    agents(&v, t, 10);
    v.f[1]->base.provider = &provider;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_non_null(strstr(v.reasons.p, "no snapshot"));
    fake_remove(t[1], 0);
    assert_verdict(&v, SP_VV_DIFFERENT);
    v.opt.checks = SP_VC_ACCOUNTS | SP_VC_BLOBS; /* no table is compared: its state does not matter */
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_null(strstr(v.reasons.p, "no snapshot"));
    v.opt.checks = SP_VC_SCHEMA;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_non_null(strstr(v.reasons.p, "no snapshot"));
    vcase_end(&v);
}

static void rows_that_change_meanwhile_are_noticed(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 50);
    t[1]->rows[2] = sp_v_int(-1);
    t[1]->grows_after = 1; /* the second pass sees another table */
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_non_null(strstr(v.reasons.p, "changed while"));
    vcase_end(&v);
}

static void the_key_may_be_a_unique_constraint_or_composite(void **state)
{
    static const char *const columns[] = { "b" };
    static const struct sp_unique unique = { .name = "u", .columns = columns, .ncolumns = 1 };
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    for (int composite = 0; composite < 2; composite++) {
        vcase_begin(&v);
        vcase_table(&v, "t", "a:int! b:int! c:text", composite != 0 ? 2 : 0, t);
        for (int s = 0; s < 2; s++) {
            if (composite == 0) {
                t[s]->t.uniques = &unique;
                t[s]->t.nuniques = 1;
            }
            for (int i = 0; i < 40; i++) {
                struct sp_value *row = fake_row(t[s]);
                row[0] = sp_v_int(i / 4);
                row[1] = sp_v_int(i);
                row[2] = sp_v_text(s == 1 && i == 13 ? "changed" : "same");
            }
        }
        assert_verdict(&v, SP_VV_DIFFERENT);
        assert_counts(&v, "t", 0, 0, 1);
        assert_string_equal(composite != 0 ? "a=3, b=13" : "b=13",
            sp_event_get_text(caught_at(&v.c, SP_EV_DIFFERENCE, 0), SP_FLD_key));
        vcase_end(&v);
    }
}

static void a_table_on_one_side_only(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 10);
    struct fake_table *x = fake_table(v.f[0], "gone", "id:int!", 1);
    fake_row(x)[0] = sp_v_int(1);
    v.opt.checks = SP_VC_ROWS;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "gone", 1, 0, 0);
    assert_non_null(caught_where(&v.c, SP_EV_SCHEMA_DIFF, SP_FLD_name, "gone"));
    assert_non_null(strstr(v.reasons.p, "left out by choice: schema,relations,sequences"));
    vcase_end(&v);
}

static void a_column_on_one_side_only_is_never_equal(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    t[0] = fake_table(v.f[0], "t", "id:int! a:text", 1);
    t[1] = fake_table(v.f[1], "t", "id:int!", 1);
    for (int s = 0; s < 2; s++)
        fake_row(t[s])[0] = sp_v_int(1);
    t[0]->rows[1] = sp_v_text("x");
    v.opt.checks = SP_VC_ROWS;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_counts(&v, "t", 0, 0, 0); /* the rest is the same */
    vcase_end(&v);
}

static void selections_must_select(void **state)
{
    const char *const none[] = { "agents", "nothing*" }, *const some[] = { "agent?" };
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    agents(&v, t, 5);
    fake_table(v.f[0], "other", "id:int!", 1);
    v.opt.ntables = 2;
    v.opt.tables = none;
    vcase_run(&v);
    assert_int_equal(-SP_E_INVALID, v.rc); /* one of the two names is mistyped */
    v.opt.ntables = 1;
    v.opt.tables = some;
    assert_verdict(&v, SP_VV_EQUAL); /* `other` is not looked at, and that is said */
    assert_non_null(
        strstr(v.reasons.p, "left out by choice: tables and other objects that --tables does not name: 1"));
    vcase_end(&v);
}

static void nothing_to_compare_is_not_equal(void **state)
{
    struct vcase v;
    (void)state;
    vcase_begin(&v);
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
}

static void lossy_rules_are_counted_and_accepted_by_name(void **state)
{
    const char *const accept[] = { "t.at" };
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    v.f[1]->base.provider = &other_provider;
    vcase_table(&v, "t", "id:int! at:instant", 1, t);
    fake_column(t[1], "at")->type.precision = 4; /* milliseconds */
    for (int s = 0; s < 2; s++) {
        struct sp_value *row = fake_row(t[s]);
        row[0] = sp_v_int(1);
        row[1] = sp_v_instant(1000, s == 0 ? 123456789 : 123000000);
        row = fake_row(t[s]);
        row[0] = sp_v_int(2);
        row[1] = sp_v_instant(1000, 123000000); /* loses nothing */
    }
    v.opt.checks = SP_VC_ROWS;
    assert_verdict(&v, SP_VV_EQUAL_WITH_LOSS);
    assert_int_equal(1, sp_verify_exit_code(v.verdict));
    const struct sp_event_in *e = caught_at(&v.c, SP_EV_RULE, 0);
    assert_string_equal("truncate_ms", sp_event_get_text(e, SP_FLD_rule));
    assert_int_equal(1, sp_event_get_int(e, SP_FLD_touched, 0));
    e = caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_key, "id=1"); /* and named as other differences are */
    assert_non_null(e);
    assert_string_equal("at", sp_event_get_text(e, SP_FLD_column));
    assert_string_equal("lossy", sp_event_get_text(e, SP_FLD_difference));
    assert_non_null(strstr(sp_event_get_text(e, SP_FLD_expected), "truncate_ms"));
    assert_null(caught_where(&v.c, SP_EV_DIFFERENCE, SP_FLD_key, "id=2"));
    v.opt.max_differences = 0;
    assert_verdict(&v, SP_VV_EQUAL_WITH_LOSS);
    assert_null(caught_at(&v.c, SP_EV_DIFFERENCE, 0));
    v.opt.max_differences = 100;
    v.opt.accept_loss = accept;
    v.opt.naccept_loss = 1;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_null(caught_at(&v.c, SP_EV_DIFFERENCE, 0));
    t[1]->rows[1] = sp_v_instant(1000, 124000000);
    assert_verdict(&v, SP_VV_DIFFERENT);
    vcase_end(&v);
}

static void values_that_do_not_fit_block_between_kinds(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "t", "id:int! n:int", 1, t);
    for (int s = 0; s < 2; s++) {
        struct sp_value *row = fake_row(t[s]);
        row[0] = sp_v_int(1);
        row[1] = sp_v_text("not a number");
    }
    assert_verdict(&v, SP_VV_EQUAL); /* one kind: the same bytes are the same */
    v.f[1]->base.provider = &other_provider;
    v.opt.checks = SP_VC_ROWS;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
}

static void odd_storage_is_a_finding(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    vcase_begin(&v);
    vcase_table(&v, "t", "id:int! n", 1, t);
    for (int s = 0; s < 2; s++) {
        fake_column(t[s], "n")->declared.tag = SP_INT;
        fake_column(t[s], "n")->native_type = "INTEGER";
        for (int i = 0; i < 3; i++) {
            struct sp_value *row = fake_row(t[s]);
            row[0] = sp_v_int(i);
            row[1] = i == 0 ? sp_v_int(1) : i == 1 ? sp_v_text("x") : sp_v_textn("\xff\xfe", 2);
        }
    }
    assert_verdict(&v, SP_VV_EQUAL);
    const struct sp_event_in *e = caught_where(&v.c, SP_EV_FINDING, SP_FLD_topic, "storage class");
    assert_int_equal(2, sp_event_get_int(e, SP_FLD_count, 0));
    e = caught_where(&v.c, SP_EV_FINDING, SP_FLD_topic, "invalid UTF-8");
    assert_int_equal(1, sp_event_get_int(e, SP_FLD_count, 0));
    vcase_end(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_copies_are_equal),
        cmocka_unit_test(missing_extra_and_changed_rows),
        cmocka_unit_test(values_are_hidden_unless_asked_for),
        cmocka_unit_test(lookalikes_differ),
        cmocka_unit_test(neighbouring_fields_do_not_flow_together),
        cmocka_unit_test(tables_without_a_key_are_multisets),
        cmocka_unit_test(pairs_of_equal_rows_do_not_vanish),
        cmocka_unit_test(repeated_keys_are_counted),
        cmocka_unit_test(one_row_in_a_hundred_thousand),
        cmocka_unit_test(counts_do_not_depend_on_memory),
        cmocka_unit_test(many_equal_rows_without_a_key_fit),
        cmocka_unit_test(a_key_that_is_none_is_counted_too),
        cmocka_unit_test(the_list_is_capped_and_says_so),
        cmocka_unit_test(a_table_that_cannot_be_read_is_not_compared),
        cmocka_unit_test(an_unproven_end_is_no_end),
        cmocka_unit_test(a_bad_end_of_the_snapshot_voids_everything),
        cmocka_unit_test(without_a_snapshot_nothing_is_equal),
        cmocka_unit_test(rows_that_change_meanwhile_are_noticed),
        cmocka_unit_test(the_key_may_be_a_unique_constraint_or_composite),
        cmocka_unit_test(a_table_on_one_side_only),
        cmocka_unit_test(a_column_on_one_side_only_is_never_equal),
        cmocka_unit_test(selections_must_select),
        cmocka_unit_test(nothing_to_compare_is_not_equal),
        cmocka_unit_test(lossy_rules_are_counted_and_accepted_by_name),
        cmocka_unit_test(values_that_do_not_fit_block_between_kinds),
        cmocka_unit_test(odd_storage_is_a_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
