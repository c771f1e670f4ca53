/* test_postgresql_blob.c -- the storage facet of postgresql: what the suite cannot see from outside. */
#include "postgresql_util.h"

#define BLOB session
#define BLOB_REOPEN()                                                                                        \
    do {                                                                                                     \
        sp_close(session);                                                                                   \
        OK(sp_open(&session, &sp_provider_postgresql, &endpoint, &err));                                     \
    } while (0)
#define BLOB_ANOTHER() another(SP_ACCESS_DISPOSABLE, 0)
#include "blob_cases.h"
#include "blob_races.h"

static int64_t number(struct sp_session *s, const char *sql)
{
    struct sp_op op = { .kind = SP_OP_RAW, .raw = sql };
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_exec(s, &op, &r, &err));
    assert_int_equal(r.nrows, 1);
    assert_int_equal(r.values[0].tag, SP_INT);
    int64_t n = r.values[0].u.i;
    sp_result_free(&r);
    return n;
}

#define BUCKETS "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, 'sp_blob_')"

static int64_t of_others; /* buckets that were there before */

static int setup(void **state)
{
    (void)state;
    (void)sp_blob_bucket_drop(session, "b", NULL);
    of_others = number(session, BUCKETS);
    OK(sp_blob_bucket_create(session, "b", &err));
    return 0;
}

/* Bytes that no object names would be kept for ever. */
static int teardown(void **state)
{
    (void)state;
    assert_int_equal(number(session, "SELECT count(*) FROM sp_blob_b.chunks c WHERE NOT EXISTS (SELECT 1 "
                                     "FROM sp_blob_b.objects o WHERE o.content = c.content)"),
        0);
    assert_int_equal(number(session, "SELECT count(*) FROM sp_blob_b.uploads"), 0);
    assert_int_equal(number(session, "SELECT count(*) FROM sp_blob_b.parts"), 0);
    OK(sp_blob_bucket_drop(session, "b", &err));
    assert_int_equal(number(session, BUCKETS), of_others);
    sp_arena_free(&arena);
    return 0;
}

static void test_anything_at_once(void **state)
{
    (void)state;
    race_anything(); /* the teardown looks for what was left */
}

static void test_damage(void **state)
{
    (void)state;
    struct stream s = { 0, 3000001, 0 };
    struct sp_buf all = SP_BUF_INIT;
    OK(sp_blob_put_stream(session, &arena, "b", "big", produce, &s, NULL, NULL, &err));
    raw("UPDATE sp_blob_b.chunks SET data = set_byte(data, 7, get_byte(data, 7) # 1) WHERE start = 524288");
    FAILS(SP_E_CORRUPT, sp_blob_get(session, "b", "big", &all, &err));
    raw("DELETE FROM sp_blob_b.chunks WHERE start = 524288");
    FAILS(SP_E_CORRUPT, sp_blob_get(session, "b", "big", &all, &err));
    FAILS(SP_E_CORRUPT, sp_blob_get_range(session, "b", "big", 600000, 10, &all, &err));
    raw("DELETE FROM sp_blob_b.chunks WHERE start > 0");
    FAILS(SP_E_CORRUPT, sp_blob_get(session, "b", "big", &all, &err));
    OK(sp_blob_get_range(session, "b", "big", 100, 10, &all, &err));
    sp_buf_free(&all);
}

/* The connection dies while the content is on its way: nothing of it is there, what was there is. */
struct dying {
    struct stream content;
    int64_t pid; /* 0: dead */
};
static int64_t produce_and_die(void *p, void *out, size_t n)
{
    struct dying *d = p;
    char sql[80];
    if (d->pid != 0 && d->content.at >= 900000) {
        snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%lld)", (long long)d->pid);
        d->pid = 0;
        raw(sql);
    }
    return produce(&d->content, out, n);
}

static void test_killed(void **state)
{
    (void)state;
    struct sp_object o;
    const char *cursor = NULL;
    struct sp_object *page;
    size_t n;
    OK(sp_blob_put(session, "b", "old", "the old one", 11, NULL, &err));
    static const char *const keys[] = { "old", "new" };
    for (size_t i = 0; i < SP_LEN(keys); i++) {
        struct sp_session *victim = another(SP_ACCESS_DISPOSABLE, 0);
        struct dying d = { { 0, 5000000, 0 }, number(victim, "SELECT pg_backend_pid()") };
        FAILS(SP_E_UNAVAILABLE,
            sp_blob_put_stream(victim, &arena, "b", keys[i], produce_and_die, &d, NULL, NULL, &err));
        assert_int_equal(err.effect, SP_EFFECT_NONE);
        FAILS(SP_E_UNAVAILABLE, sp_blob_head(victim, &arena, "b", "old", &o, &err));
        sp_close(victim);
    }
    OK(sp_blob_list(session, &arena, "b", "", NULL, &cursor, 10, &page, &n, &err));
    assert_int_equal(n, 1);
    assert_int_equal(page[0].size, 11);
}

/* A call that fails takes neither the user's transaction with it, nor the session. */
static void test_in_transaction(void **state)
{
    (void)state;
    struct sp_object o;
    struct sp_buf got = SP_BUF_INIT;
    struct sp_put_opts once = { .if_none_match = true };
    struct stream s = { 0, 1000000, 500000 }, first_wrong = { 1, 0, 0 };
    OK(sp_blob_put(session, "b", "k", "one", 3, NULL, &err));
    OK(sp_db_begin(session, NULL, &err));
    OK(sp_blob_put(session, "b", "k", "two", 3, NULL, &err));
    FAILS(SP_E_PRECONDITION, sp_blob_put(session, "b", "k", "x", 1, &once, &err));
    FAILS(SP_E_CANCELLED, sp_blob_put_stream(session, &arena, "b", "k", produce, &s, NULL, NULL, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_head(session, &arena, "nosuch", "k", &o, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_get(session, "nosuch", "k", &got, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_put(session, "nosuch", "k", "x", 1, NULL, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_copy(session, "b", "nosuch", "k", &err));
    FAILS(SP_E_RANGE, sp_blob_get_range(session, "b", "k", 3, 1, &got, &err));
    FAILS(SP_E_CANCELLED,
        sp_blob_get_stream(session, &arena, "b", "k", 0, SP_TO_END, verify, &first_wrong, NULL, &err));
    FAILS(SP_E_EXISTS, sp_blob_bucket_create(session, "b", &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_bucket_drop(session, "nosuch", &err));
    OK(sp_blob_get(session, "b", "k", &got, &err));
    assert_string_equal(got.p, "two");
    OK(sp_db_rollback(session, &err));
    sp_buf_clear(&got);
    OK(sp_blob_get(session, "b", "k", &got, &err));
    assert_string_equal(got.p, "one");
    sp_buf_free(&got);
}

/* Buckets are told from schemas by their mark, whatever their name. */
static void test_names(void **state)
{
    (void)state;
    char lengthy[201];
    memset(lengthy, 'l', 200);
    lengthy[200] = '\0';
    const char *names[] = { "it's \"quoted\"", "caf\xc3\xa9", "UPPER", "@", "#hash", lengthy };
    struct sp_names list = { 0 };
    struct sp_buf got = SP_BUF_INIT;
    for (size_t i = 0; i < SP_LEN(names); i++) {
        OK(sp_blob_bucket_create(session, names[i], &err));
        FAILS(SP_E_EXISTS, sp_blob_bucket_create(session, names[i], &err));
        OK(sp_blob_put(session, names[i], "k", names[i], strlen(names[i]), NULL, &err));
    }
    for (size_t i = 0; i < SP_LEN(names); i++) {
        sp_buf_clear(&got);
        OK(sp_blob_get(session, names[i], "k", &got, &err));
        assert_string_equal(got.p, names[i]);
    }
    OK(sp_blob_bucket_list(session, "", &list, &err));
    assert_int_equal(list.n, (size_t)of_others + SP_LEN(names) + 1);
    sp_names_free(&list);
    list = (struct sp_names){ 0 };
    OK(sp_db_ns_list(session, "sp_blob", &list, &err)); /* a bucket is no namespace */
    assert_int_equal(list.n, 0);
    for (size_t i = 0; i < SP_LEN(names); i++)
        OK(sp_blob_bucket_drop(session, names[i], &err));
    sp_names_free(&list);
    sp_buf_free(&got);
}

static void test_schema_of_another(void **state)
{
    (void)state;
    raw("CREATE SCHEMA sp_blob_mine");
    raw("CREATE TABLE sp_blob_mine.objects (id int)");
    raw("COMMENT ON SCHEMA sp_blob_mine IS 'kept'");
    FAILS(SP_E_NOT_FOUND, sp_blob_bucket_drop(session, "mine", &err));
    FAILS(SP_E_EXISTS, sp_blob_bucket_create(session, "mine", &err));
    assert_int_equal(number(session, "SELECT count(*) FROM sp_blob_mine.objects"), 0);
    raw("DROP SCHEMA sp_blob_mine CASCADE");
}

/* Statements that come again have names; nothing depends on whether the server still knows them. */
static void test_names_of_statements(void **state)
{
    (void)state;
    struct sp_buf got = SP_BUF_INIT;
    struct sp_object o;
    char text[16];
    static const char *const others[] = { "", "DISCARD ALL", "DEALLOCATE ALL" };
    for (size_t k = 0; k < SP_LEN(others); k++) {
        for (int i = 0; i < 12; i++) {
            snprintf(text, sizeof text, "%zu-%d", k, i);
            OK(sp_blob_put(session, "b", "k", text, strlen(text), NULL, &err));
            sp_buf_clear(&got);
            OK(sp_blob_get(session, "b", "k", &got, &err));
            assert_string_equal(got.p, text);
            OK(sp_blob_head(session, &arena, "b", "k", &o, &err));
        }
        assert_true(number(session, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE "
                                    "'%sp_blob_b%'") >= 3);
        if (k + 1 < SP_LEN(others)) {
            raw(others[k + 1]);
            FAILS(SP_E_CONFLICT, sp_blob_put(session, "b", "k", "x", 1, NULL, &err)); /* once */
            assert_true(err.retryable);
        }
    }
    /* the same in a bucket of the same name that is another one, then in another one */
    struct sp_session *other = another(SP_ACCESS_DISPOSABLE, 0);
    OK(sp_blob_bucket_drop(other, "b", &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_put(session, "b", "k", "x", 1, NULL, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_get(session, "b", "k", &got, &err));
    OK(sp_blob_bucket_create(other, "b", &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_get(session, "b", "k", &got, &err));
    OK(sp_blob_put(session, "b", "k", "new", 3, NULL, &err));
    sp_buf_clear(&got);
    OK(sp_blob_get(other, "b", "k", &got, &err));
    assert_string_equal(got.p, "new");
    OK(sp_blob_bucket_create(session, "second", &err));
    OK(sp_blob_put(session, "second", "k", "2", 1, NULL, &err));
    assert_int_equal(number(session, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE "
                                     "'%sp_blob_b%'"),
        0);
    OK(sp_blob_bucket_drop(session, "second", &err));
    sp_close(other);
    sp_buf_free(&got);
}

static void test_nothing(void **state)
{
    (void)state;
    need_server();
}

int main(void)
{
    const struct CMUnitTest without[] = { cmocka_unit_test(test_nothing) };
    const char *url = getenv("POSTGRESQL_URL");
    if (url == NULL || *url == '\0')
        return cmocka_run_group_tests(without, NULL, NULL);
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_memory),
        TEST(test_large),
        TEST(test_conditions),
        TEST(test_list),
        TEST(test_uploads),
        TEST(test_damage),
        TEST(test_killed),
        TEST(test_in_transaction),
        TEST(test_names),
        TEST(test_schema_of_another),
        TEST(test_names_of_statements),
        TEST(test_half_a_character),
        TEST(test_race_none_match),
        TEST(test_race_match),
        TEST(test_anything_at_once),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
