/* test_mongodb_gridfs.c -- the storage facet of mongodb: what the suite cannot see from outside, and what another client of
 * GridFS sees. */
#include <mongoc/mongoc.h>

#include "ci/tests/provider/calls.h"
#include "providers/mongodb/mongodb.h"

static struct sp_endpoint endpoint;
static struct sp_session *session;
static mongoc_client_t *client; /* the plain driver, as another client would use it */
static mongoc_database_t *db;

static struct sp_session *another(void)
{
    struct sp_session *s = NULL;
    OK(sp_open(&s, &sp_provider_mongodb, &endpoint, &err));
    return s;
}

#define BLOB session
#define BLOB_REOPEN()                                                                                        \
    do {                                                                                                     \
        sp_close(session);                                                                                   \
        session = another();                                                                                 \
    } while (0)
#define BLOB_ANOTHER() another()
#include "blob_cases.h"
#include "blob_races.h"

/* Buckets: databases whose names begin so. */
static size_t buckets(void)
{
    bson_error_t e;
    char **names = mongoc_client_get_database_names_with_opts(client, NULL, &e);
    size_t n = 0;
    assert_non_null(names);
    for (char **p = names; *p != NULL; p++)
        n += sp_str_prefix(*p, "sp_blob_") ? 1 : 0;
    bson_strfreev(names);
    return n;
}

/* Chunks that no file names. */
static size_t orphans(const char *prefix)
{
    char name[80];
    size_t n = 0;
    const bson_t *doc;
    bson_t *all = bson_new();
    snprintf(name, sizeof name, "%s.chunks", prefix);
    mongoc_collection_t *chunks = mongoc_database_get_collection(db, name);
    snprintf(name, sizeof name, "%s.files", prefix);
    mongoc_collection_t *files = mongoc_database_get_collection(db, name);
    mongoc_cursor_t *c = mongoc_collection_find_with_opts(chunks, all, NULL, NULL);
    while (mongoc_cursor_next(c, &doc)) {
        bson_iter_t it;
        bson_error_t e;
        assert_true(bson_iter_init_find(&it, doc, "files_id"));
        bson_t *of = BCON_NEW("_id", BCON_OID(bson_iter_oid(&it)));
        n += mongoc_collection_count_documents(files, of, NULL, NULL, NULL, &e) == 1 ? 0 : 1;
        bson_destroy(of);
    }
    mongoc_cursor_destroy(c);
    mongoc_collection_destroy(files);
    mongoc_collection_destroy(chunks);
    bson_destroy(all);
    return n;
}

static void foreign(bson_t *cmd)
{
    bson_t reply;
    bson_error_t e;
    if (!mongoc_database_write_command_with_opts(db, cmd, NULL, &reply, &e))
        fail_msg("%s", e.message);
    bson_destroy(&reply);
    bson_destroy(cmd);
}

static size_t of_others; /* buckets that were there before */

static int setup(void **state)
{
    (void)state;
    (void)sp_blob_bucket_drop(session, "b", NULL);
    of_others = buckets();
    OK(sp_blob_bucket_create(session, "b", &err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(orphans("fs"), 0);
    assert_int_equal(orphans("parts"), 0);
    OK(sp_blob_bucket_drop(session, "b", &err));
    assert_int_equal(buckets(), of_others);
    sp_arena_free(&arena);
    return 0;
}

static void test_anything_at_once(void **state)
{
    (void)state;
    race_anything(); /* the teardown looks for what was left */
}

/* The driver's own GridFS reads what was stored. */
static void test_other_client(void **state)
{
    (void)state;
    enum { SIZE = 700001 };
    struct stream s = { 0, SIZE, 0 };
    bson_error_t e;
    const bson_t *doc;
    bson_iter_t it;
    OK(sp_blob_put_stream(session, &arena, "b", "dir/\xc3\xa9", produce, &s, NULL, NULL, &err));
    bson_t *filter = bson_new();
    mongoc_gridfs_bucket_t *g = mongoc_gridfs_bucket_new(db, NULL, NULL, &e);
    assert_non_null(g);
    mongoc_cursor_t *c = mongoc_gridfs_bucket_find(g, filter, NULL);
    assert_true(mongoc_cursor_next(c, &doc));
    assert_true(bson_iter_init_find(&it, doc, "filename"));
    assert_string_equal(bson_iter_utf8(&it, NULL), "dir/\xc3\xa9");
    assert_true(bson_iter_init_find(&it, doc, "_id"));
    mongoc_stream_t *in = mongoc_gridfs_bucket_open_download_stream(g, bson_iter_value(&it), &e);
    assert_non_null(in);
    static char got[SIZE + 1];
    size_t n = 0;
    for (ssize_t k; n < sizeof got && (k = mongoc_stream_read(in, got + n, sizeof got - n, 1, 0)) > 0;)
        n += (size_t)k;
    assert_int_equal(n, SIZE);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal((uint8_t)got[i], byte_at(i));
    mongoc_stream_destroy(in);
    assert_false(mongoc_cursor_next(c, &doc)); /* one file per key */
    mongoc_cursor_destroy(c);
    mongoc_gridfs_bucket_destroy(g);
    bson_destroy(filter);
}

static void test_damage(void **state)
{
    (void)state;
    struct stream s = { 0, 3000001, 0 };
    struct sp_buf all = SP_BUF_INIT;
    OK(sp_blob_put_stream(session, &arena, "b", "big", produce, &s, NULL, NULL, &err));
    foreign(BCON_NEW("update", BCON_UTF8("fs.chunks"), "updates", "[", "{", "q", "{", "n", BCON_INT32(11),
        "}", "u", "{", "$set", "{", "data", BCON_BIN(BSON_SUBTYPE_BINARY, (const uint8_t *)"x", 1), "}", "}",
        "}", "]"));
    FAILS(SP_E_CORRUPT, sp_blob_get(session, "b", "big", &all, &err));
    foreign(BCON_NEW("delete", BCON_UTF8("fs.chunks"), "deletes", "[", "{", "q", "{", "n", BCON_INT32(2), "}",
        "limit", BCON_INT32(1), "}", "]"));
    FAILS(SP_E_CORRUPT, sp_blob_get(session, "b", "big", &all, &err));
    FAILS(SP_E_CORRUPT, sp_blob_copy(session, "b", "big", "copy", &err));
    OK(sp_blob_get_range(session, "b", "big", 100, 10, &all, &err));
    sp_buf_free(&all);
}

/* A put that is stopped in the middle leaves what was there, and no chunk of its own. */
struct stopping {
    struct stream content;
    struct sp_session *s;
};
static int64_t produce_and_stop(void *p, void *out, size_t n)
{
    struct stopping *d = p;
    if (d->content.at >= 1500000)
        sp_provider_mongodb.interrupt(d->s);
    return produce(&d->content, out, n);
}

static void test_stopped(void **state)
{
    (void)state;
    struct sp_buf got = SP_BUF_INIT;
    struct sp_object o;
    static const char *const keys[] = { "old", "new" };
    OK(sp_blob_put(session, "b", "old", "the old one", 11, NULL, &err));
    for (size_t i = 0; i < SP_LEN(keys); i++) {
        struct stopping d = { { 0, 5000000, 0 }, session };
        FAILS(SP_E_CANCELLED,
            sp_blob_put_stream(session, &arena, "b", keys[i], produce_and_stop, &d, NULL, NULL, &err));
        assert_int_equal(err.effect, SP_EFFECT_NONE); /* what is not sent is not made later, either */
    }
    OK(sp_blob_get(session, "b", "old", &got, &err));
    assert_string_equal(got.p, "the old one");
    FAILS(SP_E_NOT_FOUND, sp_blob_head(session, &arena, "b", "new", &o, &err));
    sp_buf_free(&got);
}

static void test_in_transaction(void **state)
{
    (void)state;
    struct sp_buf got = SP_BUF_INIT;
    struct sp_put_opts once = { .if_none_match = true };
    OK(sp_blob_put(session, "b", "k", "one", 3, NULL, &err));
    OK(sp_db_begin(session, NULL, &err));
    OK(sp_blob_put(session, "b", "k", "two", 3, NULL, &err));
    FAILS(SP_E_PRECONDITION, sp_blob_put(session, "b", "k", "x", 1, &once, &err));
    OK(sp_blob_get(session, "b", "k", &got, &err));
    assert_string_equal(got.p, "two");
    OK(sp_db_rollback(session, &err));
    sp_buf_clear(&got);
    OK(sp_blob_get(session, "b", "k", &got, &err));
    assert_string_equal(got.p, "one");
    sp_buf_free(&got);
}

static void test_buckets(void **state)
{
    (void)state;
    char lengthy[201];
    memset(lengthy, 'l', 200);
    lengthy[200] = '\0';
    const char *names[] = { "UPPER", "a.b", "a.b.files", "caf\xc3\xa9", "do$$ar / \\ \"", lengthy, "upper" };
    struct sp_names list = { 0 };
    struct sp_buf got = SP_BUF_INIT;
    for (size_t i = 0; i < SP_LEN(names); i++) {
        (void)sp_blob_bucket_drop(session, names[i], NULL);
        OK(sp_blob_bucket_create(session, names[i], &err));
        FAILS(SP_E_EXISTS, sp_blob_bucket_create(session, names[i], &err));
        OK(sp_blob_put(session, names[i], "k", names[i], strlen(names[i]), NULL, &err));
    }
    for (size_t i = 0; i < SP_LEN(names); i++) {
        sp_buf_clear(&got);
        OK(sp_blob_get(session, names[i], "k", &got, &err));
        assert_string_equal(got.p, names[i]);
    }
    OK(sp_blob_bucket_list(session, "a.b", &list, &err));
    assert_int_equal(list.n, 2);
    assert_string_equal(list.v[0], "a.b");
    assert_string_equal(list.v[1], "a.b.files");
    sp_names_free(&list);
    list = (struct sp_names){ 0 };
    OK(sp_db_ns_list(session, "sp_blob", &list, &err)); /* a bucket is no namespace */
    assert_int_equal(list.n, 0);
    sp_names_free(&list);
    for (size_t i = 0; i < SP_LEN(names); i++)
        OK(sp_blob_bucket_drop(session, names[i], &err));
    sp_buf_free(&got);
}

/* A database that only looks like a bucket is somebody's own. */
static void test_database_of_another(void **state)
{
    (void)state;
    bson_error_t e;
    mongoc_database_t *mine = mongoc_client_get_database(client, "sp_blob_mine");
    bson_t *doc = BCON_NEW("kept", BCON_INT32(1)), *all = bson_new();
    mongoc_collection_t *c = mongoc_database_get_collection(mine, "fs.files");
    assert_true(mongoc_collection_insert_one(c, doc, NULL, NULL, &e));
    FAILS(SP_E_NOT_FOUND, sp_blob_bucket_drop(session, "mine", &err));
    FAILS(SP_E_EXISTS, sp_blob_bucket_create(session, "mine", &err));
    FAILS(SP_E_NOT_FOUND, sp_blob_put(session, "mine", "k", "x", 1, NULL, &err));
    assert_int_equal(mongoc_collection_count_documents(c, all, NULL, NULL, NULL, &e), 1);
    assert_true(mongoc_database_drop(mine, &e));
    mongoc_collection_destroy(c);
    mongoc_database_destroy(mine);
    bson_destroy(doc);
    bson_destroy(all);
}

static void test_nothing(void **state)
{
    (void)state;
    print_message("skip: MONGODB_URL is not set; run ci/stack up\n");
    skip();
}

static int group_setup(void **state)
{
    (void)state;
    bson_error_t e;
    endpoint =
        (struct sp_endpoint){ .name = "t", .url = getenv("MONGODB_URL"), .access = SP_ACCESS_DISPOSABLE };
    OK(sp_provider_mongodb.process_init(&err));
    session = another();
    mongoc_uri_t *uri = mongoc_uri_new_with_error(endpoint.url, &e);
    assert_non_null(uri);
    client = mongoc_client_new_from_uri(uri);
    assert_non_null(client);
    db = mongoc_client_get_database(client, "sp_blob_b");
    mongoc_uri_destroy(uri);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    sp_close(session);
    mongoc_database_destroy(db);
    mongoc_client_destroy(client);
    sp_error_clear(&err);
    return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest without[] = { cmocka_unit_test(test_nothing) };
    const struct CMUnitTest tests[] = {
        TEST(test_memory),
        TEST(test_large),
        TEST(test_conditions),
        TEST(test_list),
        TEST(test_half_a_character),
        TEST(test_uploads),
        TEST(test_damage),
        TEST(test_stopped),
        TEST(test_in_transaction),
        TEST(test_buckets),
        TEST(test_database_of_another),
        TEST(test_other_client),
        TEST(test_race_none_match),
        TEST(test_race_match),
        TEST(test_anything_at_once),
    };
    const char *url = getenv("MONGODB_URL");
    if (url == NULL || *url == '\0')
        return cmocka_run_group_tests(without, NULL, NULL);
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
