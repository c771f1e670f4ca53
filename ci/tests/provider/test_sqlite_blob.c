/* The storage facet of sqlite. */
#include "sqlite_util.h"

static struct test_session ts;

#define BLOB ts.s
#define BLOB_REOPEN()                                                                                        \
    do {                                                                                                     \
        sp_close(ts.s);                                                                                      \
        open_as(&ts, at("blobs.db"), SP_ACCESS_DISPOSABLE);                                                  \
    } while (0)
#include "blob_cases.h"

static int setup(void **state)
{
    (void)state;
    open_as(&ts, at("blobs.db"), SP_ACCESS_DISPOSABLE);
    return sp_blob_bucket_create(ts.s, "b", &err) != 0;
}

static int teardown(void **state)
{
    (void)state;
    int64_t n = -1;
    OK(sp_blob_bucket_drop(ts.s, "b", &err));
    struct sp_op op = { .kind = SP_OP_RAW, .raw = "SELECT count(*) FROM sqlite_schema" };
    struct sp_result r = SP_RESULT_INIT;
    OK(sp_db_exec(ts.s, &op, &r, &err));
    n = r.values[0].u.i;
    sp_result_free(&r);
    assert_int_equal(n, 0); /* the last bucket leaves nothing behind */
    sp_close(ts.s);
    sp_arena_free(&arena);
    return 0;
}

static void test_damage(void **state)
{
    (void)state;
    struct stream s = { 0, 3000001, 0 };
    struct sp_buf all = SP_BUF_INIT;
    OK(sp_blob_put_stream(ts.s, &arena, "b", "big", produce, &s, NULL, NULL, &err));
    foreign(
        at("blobs.db"), "UPDATE sp_blob_chunks SET data = zeroblob(size) WHERE start > 0 AND start < 300000");
    FAILS(SP_E_CORRUPT, sp_blob_get(ts.s, "b", "big", &all, &err));
    foreign(at("blobs.db"), "DELETE FROM sp_blob_chunks WHERE start > 0 AND start < 300000");
    FAILS(SP_E_CORRUPT, sp_blob_get(ts.s, "b", "big", &all, &err));
    sp_buf_free(&all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_half_a_character, setup, teardown),
        cmocka_unit_test_setup_teardown(test_uploads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
