/* The storage facet of sqlite. */
#include "sqlite_util.h"

static struct test_session ts;
static struct sp_arena arena = SP_ARENA_INIT;

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

/* A stream of a given length whose bytes depend on their place; it may give up. */
struct stream {
    uint64_t at, size, fail_at;
};
static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)(i * 7 + (i >> 8) * 13 + (i >> 16));
}
static int64_t produce(void *p, void *out, size_t n)
{
    struct stream *s = p;
    uint8_t *o = out;
    size_t k = 0;
    if (s->fail_at != 0 && s->at >= s->fail_at)
        return -1;
    for (; k < n && k < 5000 && s->at < s->size; k++) /* in odd pieces */
        o[k] = byte_at(s->at++);
    return (int64_t)k;
}
static int verify(void *p, const void *in, size_t n)
{
    struct stream *s = p;
    const uint8_t *b = in;
    for (size_t k = 0; k < n; k++)
        if (b[k] != byte_at(s->at++))
            return 1;
    return 0;
}

static void test_large(void **state)
{
    (void)state;
    struct sp_object o;
    struct stream s = { 0, 3000001, 0 };
    OK(sp_blob_put_stream(ts.s, &arena, "b", "big", produce, &s, NULL, &o, &err));
    assert_int_equal(o.size, 3000001);
    s = (struct stream){ 0, 0, 0 };
    OK(sp_blob_get_stream(ts.s, &arena, "b", "big", 0, SP_TO_END, verify, &s, &o, &err));
    assert_int_equal(s.at, 3000001);
    static const uint64_t from[] = { 0, 262143, 262144, 524287, 3000000 };
    for (size_t i = 0; i < SP_LEN(from); i++) {
        s = (struct stream){ from[i], 0, 0 };
        OK(sp_blob_get_stream(ts.s, &arena, "b", "big", from[i], 3, verify, &s, NULL, &err));
        assert_int_equal(s.at, from[i] + 3 < 3000001 ? from[i] + 3 : 3000001);
    }
    FAILS(SP_E_RANGE, sp_blob_get_stream(ts.s, &arena, "b", "big", 3000001, 1, verify, &s, NULL, &err));
    /* a writer that gives up leaves the old object */
    s = (struct stream){ 0, 3000001, 900000 };
    FAILS(SP_E_CANCELLED, sp_blob_put_stream(ts.s, &arena, "b", "big", produce, &s, NULL, NULL, &err));
    OK(sp_blob_head(ts.s, &arena, "b", "big", &o, &err));
    assert_int_equal(o.size, 3000001);
    /* damage by another client shows */
    foreign(
        at("blobs.db"), "UPDATE sp_blob_chunks SET data = zeroblob(size) WHERE start > 0 AND start < 300000");
    s = (struct stream){ 0, 0, 0 };
    struct sp_buf all = SP_BUF_INIT;
    FAILS(SP_E_CORRUPT, sp_blob_get(ts.s, "b", "big", &all, &err));
    foreign(at("blobs.db"), "DELETE FROM sp_blob_chunks WHERE start > 0 AND start < 300000");
    FAILS(SP_E_CORRUPT, sp_blob_get(ts.s, "b", "big", &all, &err));
    sp_buf_free(&all);
}

static void test_conditions(void **state)
{
    (void)state;
    struct sp_object o;
    const struct sp_meta meta[] = { { "z", "" }, { "a", "quote \" \xc3\xa9" } };
    struct sp_put_opts opts = {
        .content_type = "text/plain", .meta = meta, .nmeta = 2, .if_none_match = true
    };
    OK(sp_blob_put(ts.s, "b", "k", "one", 3, &opts, &err));
    FAILS(SP_E_PRECONDITION, sp_blob_put(ts.s, "b", "k", "two", 3, &opts, &err));
    OK(sp_blob_head(ts.s, &arena, "b", "k", &o, &err));
    assert_string_equal(o.content_type, "text/plain");
    assert_int_equal(o.nmeta, 2);
    assert_string_equal(o.meta[0].name, "a");
    assert_string_equal(o.meta[0].value, "quote \" \xc3\xa9");
    assert_string_equal(o.etag, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    struct sp_put_opts match = { .if_match = o.etag };
    OK(sp_blob_put(ts.s, "b", "k", "two", 3, &match, &err));
    FAILS(SP_E_PRECONDITION, sp_blob_put(ts.s, "b", "k", "three", 5, &match, &err));
    struct sp_put_opts sum = { .sha256_hex = o.etag };
    FAILS(SP_E_CORRUPT, sp_blob_put(ts.s, "b", "k", "other", 5, &sum, &err));
    OK(sp_blob_put(ts.s, "b", "k", "one", 3, &sum, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_put(ts.s, "nosuch", "k", "one", 3, NULL, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_head(ts.s, &arena, "b", "nosuch", &o, &err));
    FAILS(SP_E_EXISTS, sp_blob_bucket_create(ts.s, "b", &err));
    OK(sp_blob_delete(ts.s, "b", "nosuch", &err));
    FAILS(SP_E_UNSUPPORTED, sp_blob_sign(ts.s, &arena, "b", "k", "GET", 60, &(const char *){ NULL }, &err));
    struct sp_buf got = SP_BUF_INIT;
    OK(sp_blob_copy(ts.s, "b", "k", "copy", &err));
    OK(sp_blob_move(ts.s, "b", "k", "moved", &err));
    OK(sp_blob_get(ts.s, "b", "copy", &got, &err));
    OK(sp_blob_get(ts.s, "b", "moved", &got, &err));
    assert_string_equal(got.p, "oneone");
    FAILS(SP_E_NOT_FOUND, sp_blob_get(ts.s, "b", "k", &got, &err));
    sp_buf_free(&got);
}

static void test_list(void **state)
{
    (void)state;
    static const char *const keys[] = { "b/2", "a", "b/c/3", "\xc3\xa9", "b/1", "b0", "e%_", "B", "b" };
    for (size_t i = 0; i < SP_LEN(keys); i++)
        OK(sp_blob_put(ts.s, "b", keys[i], "x", 1, NULL, &err));
    static const struct {
        const char *prefix, *delimiter, *want;
    } rows[] = {
        { "", NULL, "B a b b/1 b/2 b/c/3 b0 e%_ \xc3\xa9 " },
        { "", "/", "B a b >b/ b0 e%_ \xc3\xa9 " },
        { "b/", "/", "b/1 b/2 >b/c/ " },
        { "b", NULL, "b b/1 b/2 b/c/3 b0 " },
        { "e_", NULL, "" },
    };
    for (size_t r = 0; r < SP_LEN(rows); r++)
        for (size_t limit = 1; limit < 12; limit += 2) {
            const char *cursor = NULL;
            char got[256] = "";
            do {
                struct sp_object *o;
                size_t n;
                OK(sp_blob_list(
                    ts.s, &arena, "b", rows[r].prefix, rows[r].delimiter, &cursor, limit, &o, &n, &err));
                assert_true(n <= limit);
                for (size_t i = 0; i < n; i++)
                    snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s ", o[i].is_prefix ? ">" : "",
                        o[i].key);
            } while (cursor != NULL);
            assert_string_equal(got, rows[r].want);
        }
}

static void test_uploads(void **state)
{
    (void)state;
    const char *id, *second;
    struct sp_object o;
    static char part[600000];
    for (size_t i = 0; i < sizeof part; i++)
        part[i] = (char)byte_at(700000 + i);
    OK(sp_blob_upload_begin(ts.s, &arena, "b", "up", NULL, &id, &err));
    OK(sp_blob_upload_part(ts.s, id, 2, part, sizeof part, &err));
    FAILS(SP_E_INVALID, sp_blob_upload_complete(ts.s, &arena, id, &o, &err)); /* part 1 is missing */
    FAILS(SP_E_NOT_FOUND, sp_blob_head(ts.s, &arena, "b", "up", &o, &err));
    static char first[700000];
    OK(sp_blob_upload_part(ts.s, id, 1, "wrong", 5, &err));
    for (size_t i = 0; i < sizeof first; i++)
        first[i] = (char)byte_at(i);
    OK(sp_blob_upload_part(ts.s, id, 1, first, sizeof first, &err));
    OK(sp_blob_upload_begin(ts.s, &arena, "b", "other", NULL, &second, &err));
    OK(sp_blob_upload_part(ts.s, second, 1, "x", 1, &err));
    sp_close(ts.s); /* found again by id in another session */
    open_as(&ts, at("blobs.db"), SP_ACCESS_DISPOSABLE);
    OK(sp_blob_upload_complete(ts.s, &arena, id, &o, &err));
    assert_int_equal(o.size, 1300000);
    struct stream s = { 0, 0, 0 };
    OK(sp_blob_get_stream(ts.s, &arena, "b", "up", 0, SP_TO_END, verify, &s, NULL, &err));
    assert_int_equal(s.at, 1300000);
    FAILS(SP_E_NOT_FOUND, sp_blob_upload_complete(ts.s, &arena, id, &o, &err));
    OK(sp_blob_upload_abort(ts.s, second, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_upload_abort(ts.s, second, &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_upload_part(ts.s, second, 1, "x", 1, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conditions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_uploads, setup, teardown),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
