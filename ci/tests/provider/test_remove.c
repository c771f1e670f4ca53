/* Everything that a run can leave is removed by its name, nothing else is, and a second time does no harm. */
#include "mock_fixture.h"

#include "base/str.h"
#include "run/journal.h"

static const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT } } };

static void make_all(
    struct fix *f, const char *ns, const char *table, const char *bucket, const char *email, const char *role)
{
    struct sp_table t = { .name = table, .columns = columns, .ncolumns = 1 };
    ok(f, sp_db_ns_create(f->a, ns, &f->err));
    ok(f, sp_db_ns_use(f->a, ns, &f->err));
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    ok(f, sp_db_ns_use(f->a, NULL, &f->err));
    ok(f, sp_db_table_create(f->a, &t, true, &f->err));
    ok(f, sp_blob_bucket_create(f->a, bucket, &f->err));
    ok(f, sp_blob_put(f->a, bucket, "k", "v", 1, NULL, &f->err));
    ok(f, sp_auth_sign_up(f->a, &f->arena, email, "a-Long-passw0rd", "n", NULL, NULL, &f->err));
    ok(f, sp_db_role_create(f->a, role, "a-Long-passw0rd", &f->err));
}

static size_t users(struct fix *f)
{
    const char *cursor = NULL;
    struct sp_user *u = NULL;
    size_t n = 0;
    ok(f, sp_auth_admin_list(f->a, &f->arena, &cursor, 100, &u, &n, &f->err));
    return n;
}

static void only_what_is_named_goes(void **state)
{
    struct fix *f = *state;
    make_all(f, "sp_mine", "mine", "sp-mine", "sp-mine@example.com", "sp_mine_role");
    make_all(f, "sp_other", "other", "sp-other", "sp-other@example.com", "sp_other_role");
    static const struct sp_object_ref mine[] = {
        { "table", "mine", "sp_mine" }, { "table", "mine", NULL }, { "bucket", "sp-mine", NULL },
        { "email", "SP-Mine@example.com", NULL }, { "role", "sp_mine_role", NULL },
        { "namespace", "sp_mine", NULL }, { "table", "mine", "sp_mine" }, /* its namespace is gone */
    };
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < SP_LEN(mine); i++)
            ok(f, sp_object_remove(f->a, &mine[i], NULL, &f->err));
    }
    struct sp_names names = { .arena = SP_ARENA_INIT };
    ok(f, sp_db_ns_list(f->a, "sp_", &names, &f->err));
    assert_int_equal(names.n, 1);
    assert_string_equal(names.v[0], "sp_other");
    sp_names_free(&names);
    ok(f, sp_blob_bucket_list(f->a, "sp-", &names, &f->err));
    assert_int_equal(names.n, 1);
    assert_string_equal(names.v[0], "sp-other");
    sp_names_free(&names);
    assert_int_equal(users(f), 1);
    fails(f, SP_E_NOT_FOUND, sp_db_role_drop(f->a, "sp_mine_role", &f->err));
    ok(f, sp_db_role_drop(f->a, "sp_other_role", &f->err));
    int64_t n = -1;
    ok(f, sp_db_ns_use(f->a, NULL, &f->err));
    ok(f, sp_db_count(f->a, "other", NULL, &n, &f->err));
    fails(f, SP_E_NOT_FOUND, sp_db_count(f->a, "mine", NULL, &n, &f->err));
    static const struct sp_object_ref odd = { "galaxy", "x", NULL };
    fails(f, SP_E_INVALID, sp_object_remove(f->a, &odd, NULL, &f->err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_is_named_goes, fix_setup, fix_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
