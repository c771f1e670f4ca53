/* test_postgresql_roles.c -- database users of a real server: what the suites cannot see from outside. */
#include <time.h>

#include "postgresql_util.h"

#define SECRET "Cr3d-Mark 'quoted' \\ \xc3\xa4"

static char ann[80], ben[80];

static int with_roles(void **state)
{
    (void)state;
    if (session == NULL)
        return 0;
    snprintf(ann, sizeof ann, "%s_ann", ns);
    snprintf(ben, sizeof ben, "%s_b\"e'n", ns); /* names and passwords are quoted, wherever they go */
    OK(sp_db_role_create(session, ann, SECRET, &err));
    OK(sp_db_role_create(session, ben, SECRET, &err));
    raw("CREATE TABLE notes(id int PRIMARY KEY, owner text, n int, amount numeric(10,2) DEFAULT 1)");
    raw("INSERT INTO notes SELECT i, CASE WHEN i % 2 = 0 THEN 'x' END, i FROM generate_series(1, 10) i");
    return 0;
}

static int without_roles(void **state)
{
    (void)state;
    if (session == NULL)
        return 0;
    raw("DROP TABLE notes");
    OK(sp_db_role_drop(session, ann, &err));
    OK(sp_db_role_drop(session, ben, &err));
    return 0;
}

static struct sp_session *sign_in(const char *role, enum sp_access access)
{
    static struct sp_endpoint e[32];
    static size_t n;
    struct sp_session *s = NULL;
    struct sp_endpoint *mine = &e[n++ % SP_LEN(e)];
    *mine = endpoint;
    mine->user = role;
    mine->password = SECRET;
    mine->access = access;
    OK(sp_open(&s, &sp_provider_postgresql, mine, &err));
    OK(sp_db_ns_use(s, ns, &err));
    return s;
}

static void refused(const char *role, const char *password, const char *state)
{
    struct sp_endpoint e = endpoint;
    struct sp_session *s = NULL;
    e.user = role;
    e.password = password;
    FAILS(SP_E_AUTHENTICATION, sp_open(&s, &sp_provider_postgresql, &e, &err));
    assert_string_equal(err.native, state);
    assert_null(strstr(err.text, "Cr3d-Mark"));
    assert_int_equal(err.origin, SP_ORIGIN_BACKEND);
}

/* What the server stores is a verifier, and what it logs or shows of a statement is nothing else. */
static void passwords_stay_here(void **state)
{
    struct sp_result r = SP_RESULT_INIT;
    char sql[256];
    (void)state;
    need_server();
    snprintf(sql, sizeof sql,
        "SELECT rolpassword LIKE 'SCRAM-SHA-256$%%', rolinherit FROM pg_authid WHERE rolname = '%s'", ann);
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql };
    OK(sp_db_exec(session, &op, &r, &err));
    assert_int_equal(r.nrows, 1);
    assert_true(r.values[0].u.b);
    assert_false(r.values[1].u.b);
    sp_result_free(&r);
    struct sp_session *s = sign_in(ben, SP_ACCESS_DISPOSABLE);
    sp_close(s);
    FAILS(SP_E_EXISTS, sp_db_role_create(session, ann, "Cr3d-Mark again", &err));
    assert_null(strstr(err.text, "Cr3d-Mark"));
    char longer[80];
    memset(longer, 'r', sizeof longer);
    longer[64] = '\0';
    FAILS(SP_E_INVALID, sp_db_role_create(session, longer, SECRET, &err)); /* it would be cut */
    FAILS(SP_E_NOT_FOUND, sp_db_role_change(session, "sp_nobody",
                              &(struct sp_role_change){ .password = "Cr3d-Mark new" }, &err));
    assert_null(strstr(err.text, "Cr3d-Mark"));
}

static void refusals(void **state)
{
    const struct sp_ts past = { 978307200, 999999000 }, far = { 253402300799, 0 },
                       beyond = { 253402300800, 0 };
    (void)state;
    need_server();
    refused(ann, "Cr3d-Mark wrong", "28P01");
    refused("sp_nobody", "Cr3d-Mark wrong", "28P01");
    refused(ann, "", "");
    refused(NULL, "", ""); /* the URL's own password is not taken instead */
    OK(sp_db_role_change(session, ann, &(struct sp_role_change){ .sign_in = SP_OFF }, &err));
    refused(ann, SECRET, "28000");
    OK(sp_db_role_change(session, ann, &(struct sp_role_change){ .sign_in = SP_ON }, &err));
    OK(sp_db_role_change(session, ann, &(struct sp_role_change){ .password_until = &past }, &err));
    refused(ann, SECRET, "28P01");
    OK(sp_db_role_change(session, ann, &(struct sp_role_change){ .password_until = &far }, &err));
    FAILS(SP_E_RANGE,
        sp_db_role_change(session, ann, &(struct sp_role_change){ .password_until = &beyond }, &err));
    OK(sp_db_role_change(session, ann, &(struct sp_role_change){ .password = NULL }, &err));
    sp_close(sign_in(ann, SP_ACCESS_DISPOSABLE));
}

static void roles_change_outside_of_transactions(void **state)
{
    (void)state;
    need_server();
    FAILS(SP_E_NOT_FOUND, sp_db_role_act(session, "sp_nobody", &err));
    FAILS(SP_E_NOT_FOUND, sp_db_role_join(session, ann, "sp_nobody", &err));
    OK(sp_db_begin(session, NULL, &err));
    FAILS(SP_E_INVALID, sp_db_role_act(session, ann, &err));
    OK(sp_db_rollback(session, &err));
    OK(sp_db_snapshot_begin(session, NULL, &err));
    FAILS(SP_E_INVALID, sp_db_role_act(session, ann, &err));
    OK(sp_db_snapshot_end(session, &err));
    OK(sp_db_role_act(session, ben, &err)); /* the owner may act as anybody */
    int64_t n = 0;
    FAILS(SP_E_PERMISSION, sp_db_count(session, "notes", NULL, &n, &err));
    OK(sp_db_role_act(session, NULL, &err));
    OK(sp_db_count(session, "notes", NULL, &n, &err));
    assert_int_equal(n, 10);
    /* A refused grant inside a transaction is undone alone. */
    OK(sp_db_begin(session, NULL, &err));
    OK(sp_db_delete(session, "notes", NULL, &n, &err));
    FAILS(SP_E_INVALID, sp_db_grant(session,
                            &(struct sp_grant){ .role = ann,
                                .table = "notes",
                                .columns = (const char *const[]){ "no_such" },
                                .ncolumns = 1,
                                .privileges = SP_PRIV_SELECT },
                            &err));
    OK(sp_db_count(session, "notes", NULL, &n, &err));
    assert_int_equal(n, 0);
    OK(sp_db_rollback(session, &err));
}

static int scan_of(struct sp_session *s, const char *table, uint64_t *rows)
{
    struct sp_colplan plan = { .name = "id", .source = "id", .target = "id", .type = { .tag = SP_INT } };
    struct sp_scan scan = { .ns = ns, .table = table, .cols = &plan, .ncols = 1 };
    struct sp_rowbuf rb;
    OK(sp_rowbuf_init(&rb, &scan, &err));
    int rc = sp_db_scan(s, &scan, &rb, &err);
    *rows = rb.digest.count;
    sp_rowbuf_free(&rb);
    return rc;
}

/* Whatever kind of session: a scan has all rows, or it is refused. Also right after a policy came, in the same session. */
static void scans_are_whole(void **state)
{
    uint64_t rows = 0;
    (void)state;
    need_server();
    OK(sp_db_role_grant(session, ann, "notes", SP_PRIV_SELECT, &err));
    static const enum sp_access access[] = { SP_ACCESS_DISPOSABLE, SP_ACCESS_TARGET, SP_ACCESS_READ_ONLY };
    for (size_t i = 0; i < SP_LEN(access); i++) {
        struct sp_session *s = sign_in(ann, access[i]);
        OK(scan_of(s, "notes", &rows));
        assert_int_equal(rows, 10);
        raw("ALTER TABLE notes ENABLE ROW LEVEL SECURITY"); /* without a policy every row is hidden */
        FAILS(SP_E_PERMISSION, scan_of(s, "notes", &rows));
        assert_string_equal(err.native, "42501");
        assert_non_null(strstr(err.text, "notes"));
        raw("CREATE POLICY every ON notes USING (true)"); /* it might hide rows another time */
        FAILS(SP_E_PERMISSION, scan_of(s, "notes", &rows));
        OK(scan_of(session, "notes", &rows)); /* the owner's */
        assert_int_equal(rows, 10);
        raw("DROP POLICY every ON notes");
        raw("ALTER TABLE notes DISABLE ROW LEVEL SECURITY");
        OK(scan_of(s, "notes", &rows));
        assert_int_equal(rows, 10);
        sp_close(s);
    }
}

/* A refused scan does not end the snapshot that it was made in. */
static void refusals_keep_the_snapshot(void **state)
{
    uint64_t rows = 0;
    int64_t n = 0;
    (void)state;
    need_server();
    raw("CREATE TABLE plain(id int)");
    raw("INSERT INTO plain VALUES (1), (2)");
    OK(sp_db_role_grant(session, ann, "plain", SP_PRIV_SELECT, &err));
    raw("ALTER TABLE notes ENABLE ROW LEVEL SECURITY");
    struct sp_session *s = sign_in(ann, SP_ACCESS_READ_ONLY);
    OK(sp_db_snapshot_begin(s, NULL, &err));
    FAILS(SP_E_PERMISSION, scan_of(s, "notes", &rows)); /* no privilege */
    OK(sp_db_role_grant(session, ann, "notes", SP_PRIV_SELECT, &err));
    FAILS(SP_E_PERMISSION, scan_of(s, "notes", &rows)); /* a policy */
    OK(sp_db_delete(session, "plain", NULL, &n, &err));
    OK(scan_of(s, "plain", &rows));
    assert_int_equal(rows, 2);
    OK(sp_db_snapshot_end(s, &err));
    sp_close(s);
    raw("DROP TABLE plain");
}

static void owners_of_rows(void **state)
{
    (void)state;
    need_server();
    FAILS(SP_E_INVALID, sp_db_row_security(session, "notes", "n", &err)); /* no text */
    FAILS(SP_E_INVALID, sp_db_row_security(session, "notes", "no_such", &err));
    FAILS(SP_E_NOT_FOUND, sp_db_row_security(session, "no_such", "owner", &err));
    OK(sp_db_row_security(session, "notes", "owner", &err));
    OK(sp_db_row_security(session, "notes", "owner", &err)); /* again */
    const struct sp_value mine = sp_v_text(ben);
    OK(sp_db_role_grant(session, ben, "notes", SP_PRIV_SELECT | SP_PRIV_UPDATE, &err));
    struct sp_session *s = sign_in(ben, SP_ACCESS_DISPOSABLE);
    int64_t n = -1;
    OK(sp_db_count(s, "notes", NULL, &n, &err));
    assert_int_equal(n, 0); /* also rows of no owner are hidden */
    const struct sp_field f = { "owner", mine };
    OK(sp_db_update(session, "notes", NULL, &f, 1, &n, &err));
    OK(sp_db_count(s, "notes", NULL, &n, &err));
    assert_int_equal(n, 10);
    OK(sp_db_row_security(session, "notes", NULL, &err));
    OK(sp_db_row_security(session, "notes", NULL, &err));
    sp_close(s);
}

/* A user without CREATEROLE, and one without superuser's rights, offer less, with a reason. */
static void less_is_explained(void **state)
{
    struct sp_cap caps[SP_CAP_N];
    char sql[200];
    (void)state;
    need_server();
    struct sp_session *s = sign_in(ann, SP_ACCESS_DISPOSABLE);
    OK(sp_effective(s, caps, NULL, &err));
    static const enum sp_cap_id all[] = { SP_CAP_ROLES, SP_CAP_ROLE_PASSWORD, SP_CAP_ROLE_LOCK,
        SP_CAP_ROLE_EXPIRY, SP_CAP_COLUMN_GRANTS, SP_CAP_ROLE_ACT, SP_CAP_ROW_SECURITY };
    for (size_t i = 0; i < SP_LEN(all); i++) {
        assert_int_equal(caps[all[i]].level, SP_CAP_NO);
        assert_non_null(caps[all[i]].why);
    }
    FAILS(SP_E_PERMISSION, sp_db_role_create(s, "sp_nobody", SECRET, &err));
    assert_null(strstr(err.text, "Cr3d-Mark"));
    sp_close(s);
    snprintf(sql, sizeof sql, "ALTER ROLE %s CREATEROLE", ann);
    raw(sql);
    s = sign_in(ann, SP_ACCESS_DISPOSABLE);
    OK(sp_effective(s, caps, NULL, &err));
    assert_int_equal(caps[SP_CAP_ROLES].level, SP_CAP_YES);
    assert_int_equal(caps[SP_CAP_ROW_SECURITY].level, SP_CAP_NO);
    sp_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(passwords_stay_here, with_roles, without_roles),
        cmocka_unit_test_setup_teardown(refusals, with_roles, without_roles),
        cmocka_unit_test_setup_teardown(roles_change_outside_of_transactions, with_roles, without_roles),
        cmocka_unit_test_setup_teardown(scans_are_whole, with_roles, without_roles),
        cmocka_unit_test_setup_teardown(refusals_keep_the_snapshot, with_roles, without_roles),
        cmocka_unit_test_setup_teardown(owners_of_rows, with_roles, without_roles),
        cmocka_unit_test_setup_teardown(less_is_explained, with_roles, without_roles),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
