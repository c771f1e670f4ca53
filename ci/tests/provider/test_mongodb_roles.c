/* test_mongodb_roles.c -- database users of a MongoDB server: what the suites cannot see from outside. */

#define AFTER_REFUSAL() assert_null(strstr(sp_error_text(&err), "Cr3d-Mark"))
#include "ci/tests/provider/calls.h"
#include "providers/mongodb/internal.h"

#define SECRET "Cr3d-Mark 'quoted' : @ / \xc3\xa4"

static struct sp_endpoint endpoint;
static struct sp_session *session;
static char ns[40], ann[64];

static void need_server(void)
{
    if (session == NULL) {
        print_message("skip: MONGODB_URL is not set; run ci/stack up\n");
        skip();
    }
}

static const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true } };
static const char *const key[] = { "id" };
static const struct sp_table things = {
    .name = "things", .columns = columns, .ncolumns = 1, .pk = key, .npk = 1
};

static int group_setup(void **state)
{
    const char *url = getenv("MONGODB_URL");
    (void)state;
    snprintf(ns, sizeof ns, "sp_test_%ld", (long)getpid());
    snprintf(ann, sizeof ann, "%s_ann", ns);
    endpoint = (struct sp_endpoint){ .name = "t", .url = url, .access = SP_ACCESS_DISPOSABLE };
    if (url == NULL || *url == '\0')
        return 0;
    if (sp_provider_mongodb.process_init(&err) != 0 ||
        sp_open(&session, &sp_provider_mongodb, &endpoint, &err) != 0 ||
        sp_db_ns_create(session, ns, &err) != 0 || sp_db_ns_use(session, ns, &err) != 0 ||
        sp_db_table_create(session, &things, true, &err) != 0 ||
        sp_db_role_create(session, ann, SECRET, &err) != 0) {
        print_error("%s\n", sp_error_text(&err));
        return 1;
    }
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    int rc = 0;
    if (session != NULL) {
        rc |= sp_db_role_drop(session, ann, &err);
        rc |= sp_db_ns_drop(session, ns, &err);
    }
    sp_close(session);
    sp_error_clear(&err);
    return rc;
}

static struct sp_session *sign_in(const char *role)
{
    static struct sp_endpoint e;
    struct sp_session *s = NULL;
    e = endpoint;
    e.user = role;
    e.password = SECRET;
    OK(sp_open(&s, &sp_provider_mongodb, &e, &err));
    OK(sp_db_ns_use(s, ns, &err));
    return s;
}

/* Users that the database has, which begin so. */
static size_t users(const char *prefix)
{
    bson_t reply, *cmd = BCON_NEW("usersInfo", BCON_INT32(1));
    bson_iter_t it, user;
    size_t n = 0;
    OK(mo_command(session, mo_users_db(session), cmd, MO_PLAIN, "usersInfo", &reply, &err));
    assert_true(bson_iter_init_find(&it, &reply, "users") && bson_iter_recurse(&it, &user));
    while (bson_iter_next(&user))
        if (bson_iter_recurse(&user, &it) && bson_iter_find(&it, "user"))
            n += sp_str_prefix(bson_iter_utf8(&it, NULL), prefix);
    bson_destroy(&reply);
    bson_destroy(cmd);
    return n;
}

static void what_is_not_offered_changes_nothing(void **state)
{
    const struct sp_ts past = { 0, 0 };
    (void)state;
    need_server();
    /* Together with what is offered: nothing of it. */
    FAILS(SP_E_UNSUPPORTED,
        sp_db_role_change(
            session, ann, &(struct sp_role_change){ .password = "Cr3d-Mark new", .sign_in = SP_OFF }, &err));
    FAILS(SP_E_UNSUPPORTED,
        sp_db_role_change(session, ann,
            &(struct sp_role_change){ .password = "Cr3d-Mark new", .password_until = &past }, &err));
    FAILS(SP_E_UNSUPPORTED,
        sp_db_role_change(
            session, ann, &(struct sp_role_change){ .password = "Cr3d-Mark new", .bypass = SP_ON }, &err));
    FAILS(SP_E_UNSUPPORTED,
        sp_db_grant(session, &(struct sp_grant){ ann, "things", key, 1, SP_PRIV_SELECT }, &err));
    FAILS(SP_E_UNSUPPORTED, sp_db_role_act(session, ann, &err));
    FAILS(SP_E_UNSUPPORTED, sp_db_role_join(session, ann, ann, &err));
    FAILS(SP_E_UNSUPPORTED, sp_db_row_security(session, "things", "id", &err));
    struct sp_session *s = sign_in(ann);
    int64_t n = 0;
    FAILS(SP_E_PERMISSION, sp_db_count(s, "things", NULL, &n, &err));
    assert_string_equal(err.native, "13");
    sp_close(s);
}

static void refusals(void **state)
{
    (void)state;
    need_server();
    FAILS(SP_E_EXISTS, sp_db_role_create(session, ann, "Cr3d-Mark again", &err));
    sp_close(sign_in(ann)); /* the one that was there is as before */
    FAILS(SP_E_NOT_FOUND, sp_db_role_drop(session, "sp_nobody", &err));
    FAILS(SP_E_NOT_FOUND,
        sp_db_role_change(session, "sp_nobody", &(struct sp_role_change){ .password = "Cr3d-Mark" }, &err));
    FAILS(SP_E_NOT_FOUND, sp_db_role_grant(session, "sp_nobody", "things", SP_PRIV_SELECT, &err));
    FAILS(SP_E_NOT_FOUND, sp_db_role_grant(session, ann, "no_such", SP_PRIV_SELECT, &err));
    struct sp_session *s = sign_in(ann);
    FAILS(SP_E_PERMISSION, sp_db_role_create(s, "sp_nobody", SECRET, &err));
    FAILS(SP_E_PERMISSION, sp_db_role_change(s, ann, &(struct sp_role_change){ .password = SECRET }, &err));
    sp_close(s);
    struct sp_endpoint e = endpoint;
    e.access = SP_ACCESS_READ_ONLY;
    OK(sp_open(&s, &sp_provider_mongodb, &e, &err));
    FAILS(SP_E_PERMISSION, sp_db_role_create(s, "sp_nobody", SECRET, &err));
    sp_close(s);
    assert_int_equal(users("sp_nobody"), 0);
}

/* Half of what a role is made of may be left by a process that was killed between. */
static void halves_are_dropped(void **state)
{
    char half[80];
    (void)state;
    need_server();
    snprintf(half, sizeof half, "%s_half", ns);
    OK(sp_db_role_create(session, half, SECRET, &err));
    bson_t *cmd = BCON_NEW("dropUser", BCON_UTF8(half));
    OK(mo_command(session, mo_users_db(session), cmd, MO_PLAIN, "dropUser", NULL, &err));
    OK(sp_db_role_drop(session, half, &err)); /* the role that is left */
    FAILS(SP_E_NOT_FOUND, sp_db_role_drop(session, half, &err));
    OK(sp_db_role_create(session, half, SECRET, &err));
    bson_destroy(cmd);
    cmd = BCON_NEW("dropRole", BCON_UTF8(half));
    OK(mo_command(session, "admin", cmd, MO_PLAIN, "dropRole", NULL, &err));
    bson_destroy(cmd);
    OK(sp_db_role_drop(session, half, &err)); /* the user that is left */
    assert_int_equal(users(half), 0);
    /* A create that finds a role of the name takes its user back. */
    cmd = BCON_NEW("createRole", BCON_UTF8(half), "privileges", "[", "]", "roles", "[", "]");
    OK(mo_command(session, "admin", cmd, MO_PLAIN, "createRole", NULL, &err));
    bson_destroy(cmd);
    FAILS(SP_E_EXISTS, sp_db_role_create(session, half, SECRET, &err));
    assert_int_equal(users(half), 0);
    OK(sp_db_role_drop(session, half, &err));
}

/* Asking leaves nothing, and takes away what asking left before; a session that may not write asks nothing. */
static void asking(void **state)
{
    struct sp_cap caps[SP_CAP_N];
    char old[64], fresh[64];
    (void)state;
    need_server();
    snprintf(old, sizeof old, MO_PROBE "1000000000_0123456789abcdef01234567");
    mo_probe_name(fresh);
    assert_true(mo_probe_stale(old));
    assert_false(mo_probe_stale(fresh));
    assert_false(mo_probe_stale("people"));
    OK(sp_db_role_create(session, old, SECRET, &err));
    OK(sp_db_role_create(session, fresh, SECRET, &err)); /* somebody else asks at this moment */
    OK(sp_effective(session, caps, NULL, &err));
    assert_int_equal(caps[SP_CAP_ROLES].level, SP_CAP_YES);
    assert_int_equal(users(old), 0);
    assert_int_equal(users(MO_PROBE), 1);
    OK(sp_db_role_drop(session, fresh, &err));
    if (caps[SP_CAP_TABLE_GRANTS].level != SP_CAP_YES)
        assert_non_null(caps[SP_CAP_TABLE_GRANTS].why);
    struct sp_endpoint e = endpoint;
    struct sp_session *s = NULL;
    e.access = SP_ACCESS_READ_ONLY;
    OK(sp_open(&s, &sp_provider_mongodb, &e, &err));
    OK(sp_effective(s, caps, NULL, &err));
    assert_int_equal(caps[SP_CAP_TABLE_GRANTS].level, SP_CAP_UNKNOWN);
    sp_close(s);
    s = sign_in(ann);
    OK(sp_effective(s, caps, NULL, &err));
    assert_int_equal(caps[SP_CAP_ROLES].level, SP_CAP_NO);
    assert_non_null(strstr(caps[SP_CAP_ROLES].why, "may not create users"));
    sp_close(s);
    assert_int_equal(users(MO_PROBE), 0);
}

/* Users that may not be listed are not "none": two sides of which nobody saw them would be called equal. */
static void users_that_may_not_be_listed_are_said(void **state)
{
    const struct sp_inventory_item *hidden = NULL;
    struct sp_schema *schema = NULL;
    (void)state;
    need_server();
    char bob[64];
    snprintf(bob, sizeof bob, "%s_bob", ns);
    bson_t *cmd = BCON_NEW("createUser", BCON_UTF8(bob), "pwd", BCON_UTF8(SECRET), "roles", "[", "{", "role",
        BCON_UTF8("read"), "db", BCON_UTF8(session->default_ns), "}", "]");
    OK(mo_command(session, mo_users_db(session), cmd, MO_PLAIN, "createUser", NULL, &err));
    bson_destroy(cmd);
    struct sp_endpoint e = endpoint;
    struct sp_session *s = NULL;
    e.user = bob;
    e.password = SECRET;
    OK(sp_open(&s, &sp_provider_mongodb, &e, &err));
    OK(sp_db_introspect(s, NULL, &schema, &err));
    for (size_t i = 0; i < schema->ninventory; i++)
        if (strcmp(schema->inventory[i].kind, "user") == 0 && schema->inventory[i].unread != NULL)
            hidden = &schema->inventory[i];
    assert_non_null(hidden);
    assert_string_equal(hidden->name, "*");
    assert_null(hidden->definition);
    sp_schema_free(schema);
    sp_close(s);
    OK(sp_db_introspect(session, NULL, &schema, &err));
    for (size_t i = 0; i < schema->ninventory; i++)
        assert_null(schema->inventory[i].unread);
    sp_schema_free(schema);
    cmd = BCON_NEW("dropUser", BCON_UTF8(bob));
    OK(mo_command(session, mo_users_db(session), cmd, MO_PLAIN, "dropUser", NULL, &err));
    bson_destroy(cmd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_offered_changes_nothing),
        cmocka_unit_test(refusals),
        cmocka_unit_test(halves_are_dropped),
        cmocka_unit_test(asking),
        cmocka_unit_test(users_that_may_not_be_listed_are_said),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
