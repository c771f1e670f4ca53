/* test_provider_call.c -- the checked calls: what they refuse before a provider sees it, and what they don't believe
 * afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/str.h"
#include "provider_call.h"
#include "provider_check.h"

/* A provider that counts what reaches it and answers what the test wants. */
struct sp_session {
    struct sp_session_base base;
};
static int reached, answer;

static int fake_exec(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    (void)s;
    (void)op;
    (void)err;
    reached++;
    r->affected = 3;
    return answer;
}
static int fake_table(struct sp_session *s, const struct sp_table *t, bool extras, struct sp_error *err)
{
    (void)s;
    (void)t;
    (void)extras;
    (void)err;
    reached++;
    return answer;
}
static int fake_scan(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    (void)s;
    (void)scan;
    (void)rb;
    (void)err;
    reached++;
    return 0;
}
static int fake_open(struct sp_session **out, const struct sp_endpoint *e, struct sp_error *err)
{
    static struct sp_session one;
    (void)err;
    *out = strcmp(e->url, "fake:nothing") == 0 ? NULL : &one;
    return 0;
}
static void fake_close(struct sp_session *s)
{
    (void)s;
}
static int fake_effective(
    struct sp_session *s, struct sp_cap out[SP_CAP_N], struct sp_facts *facts, struct sp_error *err)
{
    (void)s;
    (void)facts;
    (void)err;
    out[SP_CAP_CRUD].level = SP_CAP_NO;
    out[SP_CAP_BATCH_ROWS].limit = 5;
    out[SP_CAP_TABLES] = (struct sp_cap){ .level = SP_CAP_UNKNOWN, .why = "not asked" };
    return 0;
}
static int fake_head(struct sp_session *s, struct sp_arena *a, const char *bucket, const char *key,
    struct sp_object *o, struct sp_error *err)
{
    (void)s;
    (void)a;
    (void)bucket;
    (void)key;
    (void)o;
    (void)err;
    reached++;
    return 0;
}

static const struct sp_cap declared[SP_CAP_N] = { [SP_CAP_CRUD] = { .level = SP_CAP_YES },
    [SP_CAP_TABLES] = { .level = SP_CAP_YES },
    [SP_CAP_BATCH_ROWS] = { .level = SP_CAP_YES, .limit = 10 },
    [SP_CAP_SIGN_IN] = { .level = SP_CAP_YES } };
static const struct sp_db_ops db = { .exec = fake_exec, .table_create = fake_table, .scan = fake_scan };
static const struct sp_blob_ops blob = { .head = fake_head };
static const struct sp_provider fake = { .kind = "fake",
    .scheme = "fake",
    .declared = declared,
    .open = fake_open,
    .close = fake_close,
    .effective = fake_effective,
    .db = &db,
    .blob = &blob };

static struct sp_endpoint endpoint = { .name = "mine", .url = "fake:x" };
static struct sp_session *session(enum sp_access access)
{
    struct sp_session *s = NULL;
    endpoint.access = access;
    reached = answer = 0;
    assert_int_equal(sp_open(&s, &fake, &endpoint, NULL), 0);
    return s;
}

static void expect(int rc, enum sp_code code, enum sp_origin origin, struct sp_error *err)
{
    assert_int_equal(rc, -(int)code);
    assert_int_equal(err->code, code);
    assert_int_equal(err->origin, origin);
    sp_error_clear(err);
}

static void test_open_sets_the_base(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = session(SP_ACCESS_TARGET);
    assert_ptr_equal(sp_session_provider(s), &fake);
    assert_ptr_equal(sp_session_endpoint(s), &endpoint);
    const struct sp_endpoint nothing = { .url = "fake:nothing" }, no_url = { .name = "x" };
    expect(sp_open(&s, &fake, &nothing, &err), SP_E_INTERNAL, SP_ORIGIN_HARNESS, &err);
    expect(sp_open(&s, &fake, &no_url, &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    expect(sp_open(&s, NULL, &nothing, &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    assert_null(s);
    sp_close(NULL);
}

static void test_urls(void **state)
{
    (void)state;
    static const struct sp_provider a = { .kind = "a", .scheme = "pg" },
                                    b = { .kind = "b", .scheme = "pg+x" };
    const struct sp_provider *const list[] = { &a, &b, NULL };
    assert_ptr_equal(sp_provider_by_url(list, "pg:x"), &a);
    assert_ptr_equal(sp_provider_by_url(list, "pg+x:y"), &b);
    assert_ptr_equal(sp_provider_by_url(list, "pg+y://h"), &a);
    assert_null(sp_provider_by_url(list, "pgx:y"));
    assert_null(sp_provider_by_url(list, "pg"));
    struct sp_provider other = a;
    other.alias = "postgres";
    const struct sp_provider *const aliased[] = { &b, &other, NULL };
    assert_ptr_equal(sp_provider_by_url(aliased, "postgres://h"), &other);
    assert_null(sp_provider_by_url(aliased, "postgre://h"));
    assert_null(sp_provider_by_url(aliased, "postgresx://h"));
    assert_null(sp_provider_by_url(list, ":pg"));
    assert_null(sp_provider_by_url(list, NULL));
    assert_ptr_equal(sp_provider_by_kind(list, "b"), &b);
    assert_null(sp_provider_by_kind(list, "pg"));
    assert_null(sp_provider_by_kind(list, NULL));
}

static void test_absent_is_unsupported(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = session(SP_ACCESS_DISPOSABLE);
    struct sp_arena a = SP_ARENA_INIT;
    const char *cursor = NULL;
    struct sp_user *users;
    size_t n;
    expect(sp_db_begin(s, NULL, &err), SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, &err);
    expect(sp_db_snapshot_begin(s, NULL, &err), SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, &err);
    expect(sp_blob_delete(s, "b", "k", &err), SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, &err);
    expect(
        sp_auth_admin_list(s, &a, &cursor, 1, &users, &n, &err), SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, &err);
    expect(sp_ping(s, &err), SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, &err);
    expect(sp_ping(NULL, &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    assert_int_equal(reached, 0);
}

static void test_read_only_never_writes(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = session(SP_ACCESS_READ_ONLY);
    const struct sp_field row[] = { { "id", sp_v_int(1) } };
    const struct sp_column col[] = { { .name = "id" } };
    const struct sp_table t = { .name = "t", .columns = col, .ncolumns = 1 };
    struct sp_op raw = { .kind = SP_OP_RAW, .raw = "select 1" };
    int64_t n = -1;
    expect(sp_db_insert(s, "t", row, 1, &err), SP_E_PERMISSION, SP_ORIGIN_HARNESS, &err);
    expect(sp_db_update(s, "t", NULL, row, 1, NULL, &err), SP_E_PERMISSION, SP_ORIGIN_HARNESS, &err);
    expect(sp_db_delete(s, "t", NULL, &n, &err), SP_E_PERMISSION, SP_ORIGIN_HARNESS, &err);
    expect(sp_db_exec(s, &raw, NULL, &err), SP_E_PERMISSION, SP_ORIGIN_HARNESS, &err);
    expect(sp_db_table_create(s, &t, true, &err), SP_E_PERMISSION, SP_ORIGIN_HARNESS, &err);
    assert_int_equal(reached, 0);
    assert_int_equal(sp_db_count(s, "t", NULL, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_int_equal(reached, 1);
    s = session(SP_ACCESS_TARGET);
    assert_int_equal(sp_db_insert(s, "t", row, 1, &err), 0);
    assert_int_equal(reached, 1);
}

static void test_shapes(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = session(SP_ACCESS_DISPOSABLE);
    const char *const ab[] = { "a", "b" }, *const aa[] = { "a", "a" }, *const c[] = { "c" };
    const struct sp_value v[] = { sp_v_int(1), sp_v_int(2) };
    const struct sp_order by = { .column = "a" };
    const struct sp_filter no_args = { .op = SP_F_AND };
    const struct sp_op bad[] = {
        { .kind = SP_OP_CREATE,
            .query = { .table = "" },
            .fields = ab,
            .nfields = 2,
            .values = v,
            .nrows = 1 },
        { .kind = SP_OP_CREATE,
            .query = { .table = "t" },
            .fields = aa,
            .nfields = 2,
            .values = v,
            .nrows = 1 },
        { .kind = SP_OP_CREATE, .query = { .table = "t" }, .fields = ab, .nfields = 2, .values = v },
        { .kind = SP_OP_CREATE, .query = { .table = "t" }, .fields = ab, .nfields = 2, .nrows = 1 },
        { .kind = SP_OP_CREATE, .query = { .table = "t" }, .nfields = 2, .values = v, .nrows = 1 },
        { .kind = SP_OP_CREATE,
            .query = { .table = "t" },
            .fields = ab,
            .nfields = 2,
            .values = v,
            .nrows = SIZE_MAX },
        { .kind = SP_OP_UPSERT,
            .query = { .table = "t" },
            .fields = ab,
            .nfields = 2,
            .values = v,
            .nrows = 1 },
        { .kind = SP_OP_UPSERT,
            .query = { .table = "t" },
            .fields = ab,
            .nfields = 2,
            .values = v,
            .nrows = 1,
            .key = c,
            .nkey = 1 },
        { .kind = SP_OP_UPDATE,
            .query = { .table = "t" },
            .fields = ab,
            .nfields = 1,
            .values = v,
            .nrows = 2 },
        { .kind = SP_OP_UPDATE, .query = { .table = "t" }, .nrows = 1 },
        { .kind = SP_OP_UPDATE,
            .query = { .table = "t", .limit = 1 },
            .fields = ab,
            .nfields = 2,
            .values = v,
            .nrows = 1 },
        { .kind = SP_OP_DELETE, .query = { .table = "t", .order = &by, .norder = 1 } },
        { .kind = SP_OP_DELETE, .query = { .table = "t", .offset = 1 } },
        { .kind = SP_OP_COUNT, .query = { .table = "t", .where = &no_args } },
        { .kind = SP_OP_READ, .query = { .table = "t", .limit = -2 } },
        { .kind = SP_OP_READ,
            .query = { .table = "t" },
            .fields = ab,
            .nfields = 2,
            .values = v,
            .nrows = 1 },
        { .kind = SP_OP_READ, .query = { .table = "t" }, .raw = "select" },
        { .kind = SP_OP_RAW, .raw = "" },
        { .kind = SP_OP_RAW, .raw = "select $1", .nfields = 1 },
        { .kind = (enum sp_op_kind)99, .query = { .table = "t" } },
    };
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        int rc = sp_db_exec(s, &bad[i], NULL, &err);
        if (rc != -SP_E_INVALID)
            fail_msg("shape %zu: %d", i, rc);
        sp_error_clear(&err);
    }
    expect(sp_db_exec(s, NULL, NULL, &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    assert_int_equal(reached, 0);
}

static void test_tables(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = session(SP_ACCESS_DISPOSABLE);
    const struct sp_column ab[] = { { .name = "a" }, { .name = "b" } },
                           aa[] = { { .name = "a" }, { .name = "a" } },
                           unnamed[] = { { .name = "" }, { .name = "b" } },
                           latin[] = { { .name = "a" }, { .name = "\xe9" } };
    const char *const a[] = { "a" }, *const c[] = { "c" };
    const struct sp_unique none = { 0 }, on_c = { .columns = c, .ncolumns = 1 };
    const struct sp_check empty = { .expr = "" };
    const struct sp_fk nowhere = { .columns = a, .ncolumns = 1 },
                       late = { .columns = a, .ncolumns = 1, .ref_table = "p", .initially_deferred = true },
                       bare = { .ref_table = "p" };
    const struct sp_table bad[] = {
        { .name = NULL, .columns = ab, .ncolumns = 2 },
        { .name = "t" },
        { .name = "t", .columns = aa, .ncolumns = 2 },
        { .name = "t", .columns = unnamed, .ncolumns = 2 },
        { .name = "t", .columns = latin, .ncolumns = 2 },
        { .name = "t", .columns = ab, .ncolumns = 2, .pk = c, .npk = 1 },
        { .name = "t", .columns = ab, .ncolumns = 2, .uniques = &none, .nuniques = 1 },
        { .name = "t", .columns = ab, .ncolumns = 2, .uniques = &on_c, .nuniques = 1 },
        { .name = "t", .columns = ab, .ncolumns = 2, .checks = &empty, .nchecks = 1 },
        { .name = "t", .columns = ab, .ncolumns = 2, .fks = &nowhere, .nfks = 1 },
        { .name = "t", .columns = ab, .ncolumns = 2, .fks = &late, .nfks = 1 },
        { .name = "t", .columns = ab, .ncolumns = 2, .fks = &bare, .nfks = 1 },
    };
    for (size_t i = 0; i < SP_LEN(bad); i++) {
        int rc = sp_db_table_create(s, &bad[i], true, &err);
        if (rc != -SP_E_INVALID)
            fail_msg("table %zu: %d", i, rc);
        sp_error_clear(&err);
    }
    assert_int_equal(reached, 0);
    const struct sp_table good = { .name = "t", .columns = ab, .ncolumns = 2, .pk = a, .npk = 1 };
    assert_int_equal(sp_db_table_create(s, &good, true, &err), 0);
}

static void test_answers_are_not_believed(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = session(SP_ACCESS_DISPOSABLE);
    struct sp_scan scan = { .table = "t" };
    struct sp_rowbuf rb = { .complete = false };
    int64_t n;
    answer = 7;
    expect(sp_db_count(s, "t", NULL, &n, &err), SP_E_INTERNAL, SP_ORIGIN_HARNESS, &err);
    answer = -SP_CODE_N;
    expect(sp_db_count(s, "t", NULL, &n, &err), SP_E_INTERNAL, SP_ORIGIN_HARNESS, &err);
    answer = -SP_E_UNIQUE;
    expect(sp_db_count(s, "t", NULL, &n, &err), SP_E_UNIQUE, SP_ORIGIN_BACKEND, &err);
    assert_int_equal(n, 0);
    expect(sp_db_scan(s, &scan, &rb, &err), SP_E_INTERNAL, SP_ORIGIN_HARNESS, &err);
    rb.complete = true;
    assert_int_equal(sp_db_scan(s, &scan, &rb, &err), 0);
}

static void test_effective(void **state)
{
    (void)state;
    struct sp_session *s = session(SP_ACCESS_DISPOSABLE);
    struct sp_cap caps[SP_CAP_N];
    assert_int_equal(sp_effective(s, caps, NULL, NULL), 0);
    assert_int_equal(caps[SP_CAP_CRUD].level, SP_CAP_NO);
    assert_non_null(caps[SP_CAP_CRUD].why); /* below the declared level there is a reason, in any case */
    assert_non_null(caps[SP_CAP_BATCH_ROWS].why);
    assert_string_equal(caps[SP_CAP_TABLES].why, "not asked");
    assert_int_equal(caps[SP_CAP_SIGN_IN].level, SP_CAP_NO); /* declared, without the facet */
    assert_non_null(caps[SP_CAP_SIGN_IN].why);
    assert_null(caps[SP_CAP_TXN].why);
}

static void test_storage_arguments(void **state)
{
    (void)state;
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = session(SP_ACCESS_DISPOSABLE);
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_object o;
    const struct sp_meta twice[] = { { "a", "1" }, { "a", "2" } }, latin[] = { { "a", "\xe9" } };
    const struct sp_put_opts bad[] = { { .sha256_hex = "abc" }, { .if_none_match = true, .if_match = "x" },
        { .meta = twice, .nmeta = 2 }, { .meta = latin, .nmeta = 1 }, { .nmeta = 1 } };
    expect(sp_blob_head(s, &a, "b", "", &o, &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    expect(sp_blob_head(s, &a, "", "k", &o, &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    expect(sp_blob_head(s, &a, "b", "\xff", &o, &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    expect(sp_blob_head(s, NULL, "b", "k", &o, &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    assert_int_equal(reached, 0);
    assert_int_equal(sp_blob_head(s, &a, "b", "k", &o, &err), 0);
    for (size_t i = 0; i < SP_LEN(bad); i++)
        expect(sp_put_opts_check(&bad[i], &err), SP_E_INVALID, SP_ORIGIN_HARNESS, &err);
    assert_int_equal(sp_put_opts_check(&(struct sp_put_opts){ .meta = twice, .nmeta = 1 }, &err), 0);
}

static void test_results_and_names(void **state)
{
    (void)state;
    struct sp_result r = SP_RESULT_INIT;
    struct sp_names l = { .arena = SP_ARENA_INIT };
    const char *const cols[] = { "a", "b" };
    char text[] = "volatile";
    const struct sp_value row[] = { sp_v_text(text), sp_v_int(1) };
    assert_int_equal(sp_result_columns(&r, cols, 2), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(sp_result_add(&r, row, NULL), 0);
    text[0] = 'X';
    assert_int_equal(r.nrows, 1000);
    assert_memory_equal(sp_result_at(&r, 999, "a")->u.str.p, "volatile", 8);
    assert_null(sp_result_at(&r, 1000, "a"));
    assert_null(sp_result_at(&r, 0, "c"));
    sp_result_reset(&r);
    assert_int_equal(r.nrows, 0);
    assert_int_equal(sp_result_columns(&r, NULL, 0), 0);
    assert_int_equal(sp_result_add(&r, NULL, NULL), 0);
    assert_int_equal(r.nrows, 1);
    sp_result_free(&r);
    for (int i = 0; i < 100; i++)
        assert_int_equal(sp_names_add(&l, i % 2 == 0 ? text : "other"), 0);
    assert_int_equal(l.n, 100);
    assert_string_equal(l.v[98], "Xolatile");
    sp_names_free(&l);
    const char *const names[] = { "a", "b" }, *const values[] = { "1", NULL };
    const struct sp_endpoint e = { .option_names = names, .option_values = values, .noptions = 2 };
    assert_string_equal(sp_endpoint_option(&e, "a", "x"), "1");
    assert_string_equal(sp_endpoint_option(&e, "b", "x"), "x");
    assert_null(sp_endpoint_option(&e, "c", NULL));
    assert_string_equal(sp_access_name(SP_ACCESS_READ_ONLY), "read-only");
    assert_string_equal(sp_access_name(SP_ACCESS_DISPOSABLE), "disposable");
    assert_string_equal(sp_fidelity_name(SP_FID_OFFICIAL_EMULATOR), "official emulator");
    assert_string_equal(sp_fidelity_name((enum sp_fidelity)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open_sets_the_base),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_absent_is_unsupported),
        cmocka_unit_test(test_read_only_never_writes),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_answers_are_not_believed),
        cmocka_unit_test(test_effective),
        cmocka_unit_test(test_storage_arguments),
        cmocka_unit_test(test_results_and_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
