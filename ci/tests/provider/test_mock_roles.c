/* test_mock_roles.c -- the contract of database credentials, as the mock spells it: the edges that the suites leave. */
#include "mock_items.h"

static struct sp_session *sign_in(
    struct fix *f, struct sp_endpoint *e, const char *role, enum sp_access access)
{
    struct sp_session *s = NULL;
    *e = f->e;
    e->user = role;
    e->password = "a password";
    e->access = access;
    ok(f, sp_open(&s, &sp_provider_mock, e, &f->err));
    return s;
}

static void with_item(struct fix *f)
{
    ok(f, sp_db_table_create(f->a, &item, true, &f->err));
    ok(f, put_item(f, f->a, 1, 10));
    ok(f, sp_db_role_create(f->a, "ann", "a password", &f->err));
}

static void test_calls_are_checked(void **state)
{
    struct fix *f = *state;
    const char *const id[] = { "id", "" };
    with_item(f);
    const struct sp_grant bad[] = { { .role = "", .table = "item", .privileges = SP_PRIV_SELECT },
        { .role = "ann", .table = NULL, .privileges = SP_PRIV_SELECT }, { .role = "ann", .table = "item" },
        { .role = "ann", .table = "item", .privileges = 16 },
        { .role = "ann", .table = "item", .columns = id, .privileges = SP_PRIV_SELECT },
        { .role = "ann", .table = "item", .ncolumns = 1, .privileges = SP_PRIV_SELECT },
        { .role = "ann", .table = "item", .columns = id, .ncolumns = 2, .privileges = SP_PRIV_SELECT },
        { .role = "ann", .table = "item", .columns = id, .ncolumns = 1, .privileges = SP_PRIV_DELETE } };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fails(f, SP_E_INVALID, sp_db_grant(f->a, &bad[i], &f->err));
        fails(f, SP_E_INVALID, sp_db_revoke(f->a, &bad[i], &f->err));
    }
    fails(f, SP_E_INVALID, sp_db_grant(f->a, NULL, &f->err));
    fails(f, SP_E_INVALID, sp_db_role_change(f->a, "ann", NULL, &f->err));
    fails(
        f, SP_E_INVALID, sp_db_role_change(f->a, "ann", &(struct sp_role_change){ .password = "" }, &f->err));
    fails(f, SP_E_INVALID,
        sp_db_role_change(f->a, "ann", &(struct sp_role_change){ .sign_in = (enum sp_change)3 }, &f->err));
    fails(f, SP_E_INVALID, sp_db_role_join(f->a, "ann", "", &f->err));
    fails(f, SP_E_INVALID, sp_db_role_act(f->a, "", &f->err));
    fails(f, SP_E_INVALID, sp_db_row_security(f->a, "item", "", &f->err));
    fails(f, SP_E_INVALID, sp_db_row_security(f->a, "item", "n", &f->err)); /* no text */
    fails(f, SP_E_NOT_FOUND, sp_db_row_security(f->a, "none", "note", &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_role_grant(f->a, "ben", "item", SP_PRIV_SELECT, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_role_grant(f->a, "ann", "none", SP_PRIV_SELECT, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_role_join(f->a, "ann", "ben", &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_role_act(f->a, "ben", &f->err));
}

/* Nothing of this is a role's to do, and a session that only reads does none of it. */
static void test_only_the_owner_may(void **state)
{
    struct fix *f = *state;
    struct sp_endpoint e[2];
    with_item(f);
    struct sp_session *s[] = { sign_in(f, &e[0], "ann", SP_ACCESS_DISPOSABLE),
        sign_in(f, &e[1], "ann", SP_ACCESS_READ_ONLY) };
    const struct sp_grant g = { .role = "ann", .table = "item", .privileges = SP_PRIV_SELECT };
    for (size_t i = 0; i < 2; i++) {
        fails(f, SP_E_PERMISSION, sp_db_grant(s[i], &g, &f->err));
        fails(f, SP_E_PERMISSION, sp_db_revoke(s[i], &g, &f->err));
        fails(f, SP_E_PERMISSION,
            sp_db_role_change(s[i], "ann", &(struct sp_role_change){ .bypass = SP_ON }, &f->err));
        fails(f, SP_E_PERMISSION, sp_db_role_join(s[i], "ann", "ann", &f->err));
        fails(f, SP_E_PERMISSION, sp_db_row_security(s[i], "item", "note", &f->err));
        sp_close(s[i]);
    }
}

static void test_what_an_operation_needs(void **state)
{
    struct fix *f = *state;
    struct sp_endpoint e;
    with_item(f);
    struct sp_session *s = sign_in(f, &e, "ann", SP_ACCESS_DISPOSABLE);
    ok(f, sp_db_role_grant(f->a, "ann", "item", SP_PRIV_UPDATE | SP_PRIV_DELETE | SP_PRIV_INSERT, &f->err));
    fails(f, SP_E_PERMISSION, set_n(f, s, 1, 11)); /* the filter reads */
    const char *const fields[] = { "id", "n" };
    const struct sp_value row[] = { sp_v_int(2), sp_v_int(20) };
    struct sp_op op = { .kind = SP_OP_CREATE,
        .query = { .table = "item", .limit = SP_NO_LIMIT },
        .fields = fields,
        .nfields = 2,
        .values = row,
        .nrows = 1,
        .returning = true };
    struct sp_result r = SP_RESULT_INIT;
    fails(f, SP_E_PERMISSION, sp_db_exec(s, &op, &r, &f->err)); /* so does `returning` */
    op.returning = false;
    op.kind = SP_OP_UPSERT;
    op.key = id_only;
    op.nkey = 1;
    fails(f, SP_E_PERMISSION, sp_db_exec(s, &op, &r, &f->err)); /* and so does an upsert its key */
    const struct sp_grant key = { "ann", "item", id_only, 1, SP_PRIV_SELECT };
    ok(f, sp_db_grant(f->a, &key, &f->err));
    ok(f, sp_db_exec(s, &op, &r, &f->err));
    ok(f, set_n(f, s, 1, 11));
    sp_result_free(&r);
    /* By column on the table; on the table also by column. */
    int64_t n = 0;
    ok(f, sp_db_role_grant(f->a, "ann", "item", SP_PRIV_SELECT, &f->err));
    ok(f, sp_db_revoke(f->a, &key, &f->err));
    ok(f, sp_db_count(s, "item", NULL, &n, &f->err));
    assert_int_equal(n, 2);
    ok(f, sp_db_grant(f->a, &key, &f->err));
    ok(f, sp_db_revoke(f->a,
              &(struct sp_grant){ .role = "ann", .table = "item", .privileges = SP_PRIV_SELECT }, &f->err));
    fails(f, SP_E_PERMISSION, set_n(f, s, 1, 12));
    sp_close(s);
    assert_int_equal(n_of(f, f->a, 1), 11);
}

static void test_acting(void **state)
{
    struct fix *f = *state;
    struct sp_endpoint e;
    int64_t n = 0;
    with_item(f);
    ok(f, sp_db_role_create(f->a, "team", "another", &f->err));
    ok(f, sp_db_role_grant(f->a, "team", "item", SP_PRIV_SELECT, &f->err));
    struct sp_session *s = sign_in(f, &e, "ann", SP_ACCESS_DISPOSABLE);
    ok(f, sp_db_role_act(s, "ann", &f->err)); /* everybody is oneself */
    fails(f, SP_E_PERMISSION, sp_db_role_act(s, "team", &f->err));
    ok(f, sp_db_role_join(f->a, "team", "ann", &f->err));
    ok(f, sp_db_role_join(f->a, "team", "ann", &f->err));
    ok(f, sp_db_begin(s, NULL, &f->err));
    fails(f, SP_E_INVALID, sp_db_role_act(s, "team", &f->err));
    ok(f, sp_db_rollback(s, &f->err));
    ok(f, sp_db_role_act(s, "team", &f->err));
    ok(f, sp_db_count(s, "item", NULL, &n, &f->err));
    ok(f, sp_db_role_drop(f->a, "team", &f->err)); /* even while somebody acts as it */
    fails(f, SP_E_PERMISSION, sp_db_count(s, "item", NULL, &n, &f->err));
    ok(f, sp_db_role_act(s, NULL, &f->err));
    /* A team of the same name is another one. */
    ok(f, sp_db_role_create(f->a, "team", "another", &f->err));
    fails(f, SP_E_PERMISSION, sp_db_role_act(s, "team", &f->err));
    ok(f, sp_db_role_join(f->a, "team", "ann", &f->err));
    ok(f, sp_db_role_drop(f->a, "ann", &f->err)); /* members go with their membership */
    ok(f, sp_db_role_drop(f->a, "team", &f->err));
    sp_close(s);
    ok(f, sp_db_role_create(f->a, "team", "another", &f->err));
    ok(f, sp_db_role_act(f->a, "team", &f->err)); /* the owner may act as anybody */
    fails(f, SP_E_PERMISSION, sp_db_count(f->a, "item", NULL, &n, &f->err));
    fails(f, SP_E_PERMISSION, sp_db_role_drop(f->a, "team", &f->err));
    ok(f, sp_db_role_act(f->a, NULL, &f->err));
    ok(f, sp_db_role_drop(f->a, "team", &f->err));
}

static void test_rows(void **state)
{
    struct fix *f = *state;
    struct sp_endpoint e[2];
    int64_t n = 0;
    const struct sp_field mine[] = { { "id", sp_v_int(2) }, { "note", sp_v_text("ann") } },
                          nobodys[] = { { "id", sp_v_int(3) }, { "note", sp_v_null() } };
    with_item(f);
    ok(f, sp_db_row_security(f->a, "item", "note", &f->err));
    ok(f, sp_db_role_grant(f->a, "ann", "item", 15, &f->err));
    struct sp_session *s = sign_in(f, &e[0], "ann", SP_ACCESS_DISPOSABLE),
                      *reader = sign_in(f, &e[1], "ann", SP_ACCESS_READ_ONLY);
    ok(f, sp_db_insert(s, "item", mine, 2, &f->err));
    fails(f, SP_E_PERMISSION, sp_db_insert(s, "item", nobodys, 2, &f->err));
    ok(f, sp_db_count(s, "item", NULL, &n, &f->err));
    assert_int_equal(n, 1); /* row 1 has no owner */
    fails(f, SP_E_PERMISSION, sp_db_count(reader, "item", NULL, &n, &f->err));
    /* An upsert does not reach a row of others by its key. */
    const char *const fields[] = { "id", "note" };
    const struct sp_value row[] = { sp_v_int(1), sp_v_text("ann") };
    struct sp_op op = { .kind = SP_OP_UPSERT,
        .query = { .table = "item", .limit = SP_NO_LIMIT },
        .fields = fields,
        .nfields = 2,
        .values = row,
        .nrows = 1,
        .key = id_only,
        .nkey = 1 };
    fails(f, SP_E_PERMISSION, sp_db_exec(s, &op, NULL, &f->err));
    ok(f, sp_db_delete(s, "item", NULL, &n, &f->err));
    assert_int_equal(n, 1);
    assert_int_equal(n_of(f, f->a, 1), 10);
    sp_close(s);
    sp_close(reader);
}

static void test_passwords_end(void **state)
{
    struct fix *f = *state;
    struct sp_endpoint e = f->e;
    struct sp_session *s = NULL;
    const struct sp_ts past = { 1, 0 }, future = { 253402300799, 0 };
    ok(f, sp_db_role_create(f->a, "ann", "a password", &f->err));
    e.user = "ann";
    e.password = "a password";
    ok(f, sp_db_role_change(f->a, "ann", &(struct sp_role_change){ .password_until = &past }, &f->err));
    fails(f, SP_E_AUTHENTICATION, sp_open(&s, &sp_provider_mock, &e, &f->err));
    /* A new password does not move its end. */
    ok(f, sp_db_role_change(f->a, "ann", &(struct sp_role_change){ .password = "new" }, &f->err));
    e.password = "new";
    fails(f, SP_E_AUTHENTICATION, sp_open(&s, &sp_provider_mock, &e, &f->err));
    ok(f, sp_db_role_change(f->a, "ann", &(struct sp_role_change){ .password_until = &future }, &f->err));
    ok(f, sp_open(&s, &sp_provider_mock, &e, &f->err));
    sp_close(s);
    e.password = NULL;
    fails(f, SP_E_AUTHENTICATION, sp_open(&s, &sp_provider_mock, &e, &f->err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_calls_are_checked, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_only_the_owner_may, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_what_an_operation_needs, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_acting, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_rows, fix_setup, fix_teardown),
        cmocka_unit_test_setup_teardown(test_passwords_end, fix_setup, fix_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
