/* test_mongodb_documents.c -- mongodb against mongodb: every planted change is found by collection, key and way to the
 * field; copies that are faithful raise no alarm. */
#include "mongodb_pair.h"

#define OID "507f1f77bcf86cd7994390"

static void fill(struct mpair *p, int side)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_puts(&b, "{\"insert\":\"users\",\"documents\":[");
    for (int i = 10; i < 30; i++)
        sp_buf_printf(&b,
            "%s{\"_id\":{\"$oid\":\"" OID "%d\"},\"name\":\"n%d\",\"i32\":{\"$numberInt\":\"%d\"},"
            "\"i64\":{\"$numberLong\":\"%d\"},\"dbl\":{\"$numberDouble\":\"%d.0\"},"
            "\"dec\":{\"$numberDecimal\":\"%d.50\"},\"yes\":true,\"none\":null,"
            "\"at\":{\"$date\":{\"$numberLong\":\"17000000000%d\"}},"
            "\"u\":{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"04\"}},"
            "\"bin\":{\"$binary\":{\"base64\":\"AAE=\",\"subType\":\"00\"}},\"tags\":[\"a\",\"b\",\"c\"],"
            "\"address\":{\"city\":\"c%d\",\"geo\":[{\"$numberDouble\":\"1.5\"},{\"$numberInt\":\"2\"}]},"
            "\"ref\":{\"$oid\":\"" OID "%d\"},\"re\":{\"$regularExpression\":{\"pattern\":\"^a\",\"options\":"
            "\"i\"}},\"ts\":{\"$timestamp\":{\"t\":5,\"i\":1}},\"min\":{\"$minKey\":1}}",
            i == 10 ? "" : ",", i, i, i, i, i, i, i, i, i);
    sp_buf_puts(&b, "]}");
    assert_false(b.oom);
    command(p, side, b.p);
    sp_buf_free(&b);
    command(p, side,
        "{\"insert\":\"mixed\",\"documents\":[{\"_id\":1},{\"_id\":\"1\",\"a.b\":1},{\"_id\":{\"a\":1,\"b\":"
        "2}},"
        "{\"_id\":{\"$date\":{\"$numberLong\":\"1\"}},\"\":2},{\"_id\":null}]}");
    command(p, side, "{\"create\":\"nothing\"}");
    command(p, side,
        "{\"createIndexes\":\"users\",\"indexes\":["
        "{\"key\":{\"name\":1},\"name\":\"by_name\",\"unique\":true},"
        "{\"key\":{\"i32\":1,\"i64\":-1},\"name\":\"two\"},"
        "{\"key\":{\"dbl\":1},\"name\":\"part\",\"partialFilterExpression\":{\"yes\":true}},"
        "{\"key\":{\"at\":1},\"name\":\"ttl\",\"expireAfterSeconds\":2000000000}]}");
}

#define Q         "\"q\":{\"_id\":{\"$oid\":\"" OID "15\"}}"
#define UPDATE(u) "{\"update\":\"users\",\"updates\":[{" Q ",\"u\":" u "}]}"
#define SET(f, v) UPDATE("{\"$set\":{\"" f "\":" v "}}")
#define COLUMN(c) "\"column\":\"" c "\""
#define KEY15     "\"key\":\"_id=native objectId \\\"" OID "15\\\"\""

struct change {
    const char *plant, *undo, *kind, *a, *b, *c;
};
static const struct change changes[] = {
    { SET("i32", "{\"$numberLong\":\"15\"}"), SET("i32", "{\"$numberInt\":\"15\"}"), "difference", "users",
        KEY15, COLUMN("i32") },
    { SET("i64", "{\"$numberInt\":\"15\"}"), SET("i64", "{\"$numberLong\":\"15\"}"), "difference", "users",
        KEY15, COLUMN("i64") },
    { SET("i64", "{\"$numberDouble\":\"15.0\"}"), SET("i64", "{\"$numberLong\":\"15\"}"), "difference",
        "users", KEY15, COLUMN("i64") },
    { SET("dbl", "{\"$numberDecimal\":\"15.0\"}"), SET("dbl", "{\"$numberDouble\":\"15.0\"}"), "difference",
        "users", KEY15, COLUMN("dbl") },
    { SET("dbl", "{\"$numberDouble\":\"15.000000000000002\"}"), SET("dbl", "{\"$numberDouble\":\"15.0\"}"),
        "difference", "users", KEY15, COLUMN("dbl") },
    { SET("dec", "{\"$numberDecimal\":\"15.5\"}"), SET("dec", "{\"$numberDecimal\":\"15.50\"}"), "difference",
        "users", KEY15, COLUMN("dec") },
    { SET("dec", "{\"$numberDecimal\":\"15.51\"}"), SET("dec", "{\"$numberDecimal\":\"15.50\"}"),
        "difference", "users", KEY15, COLUMN("dec") },
    { SET("yes", "{\"$numberInt\":\"1\"}"), SET("yes", "true"), "difference", "users", KEY15, COLUMN("yes") },
    { UPDATE("{\"$unset\":{\"none\":\"\"}}"), SET("none", "null"), "difference", "users", KEY15,
        COLUMN("none") },
    { SET("none", "\"\""), SET("none", "null"), "difference", "users", KEY15, COLUMN("none") },
    { SET("more", "null"), UPDATE("{\"$unset\":{\"more\":\"\"}}"), "difference", "users", KEY15,
        COLUMN("more") },
    { UPDATE("{\"$rename\":{\"name\":\"nom\"}}"), UPDATE("{\"$rename\":{\"nom\":\"name\"}}"), "difference",
        "users", KEY15, COLUMN("nom") },
    { SET("name", "\"N15\""), SET("name", "\"n15\""), "difference", "users", KEY15, COLUMN("name") },
    { SET("name", "\"n15 \""), SET("name", "\"n15\""), "difference", "users", KEY15, COLUMN("name") },
    { SET("tags", "[\"a\",\"c\",\"b\"]"), SET("tags", "[\"a\",\"b\",\"c\"]"), "difference", "users", KEY15,
        COLUMN("tags/1") },
    { SET("tags", "[\"a\",\"b\"]"), SET("tags", "[\"a\",\"b\",\"c\"]"), "difference", "users", KEY15,
        COLUMN("tags/2") },
    { SET("address.geo.1", "{\"$numberLong\":\"2\"}"), SET("address.geo.1", "{\"$numberInt\":\"2\"}"),
        "difference", "users", KEY15, COLUMN("address/geo/1/$numberInt") },
    { SET("address.city", "\"C15\""), SET("address.city", "\"c15\""), "difference", "users", KEY15,
        COLUMN("address/city") },
    { SET("address", "{\"geo\":[{\"$numberDouble\":\"1.5\"},{\"$numberInt\":\"2\"}],\"city\":\"c15\"}"),
        SET("address", "{\"city\":\"c15\",\"geo\":[{\"$numberDouble\":\"1.5\"},{\"$numberInt\":\"2\"}]}"),
        "difference", "users", KEY15, COLUMN("address (order of fields)") },
    { SET("ref", "{\"$oid\":\"" OID "16\"}"), SET("ref", "{\"$oid\":\"" OID "15\"}"), "difference", "users",
        KEY15, COLUMN("ref") },
    { SET("ref", "\"" OID "15\""), SET("ref", "{\"$oid\":\"" OID "15\"}"), "difference", "users", KEY15,
        COLUMN("ref") },
    { SET("at", "{\"$date\":{\"$numberLong\":\"1700000000016\"}}"),
        SET("at", "{\"$date\":{\"$numberLong\":\"1700000000015\"}}"), "difference", "users", KEY15,
        COLUMN("at") },
    { SET("u", "{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"03\"}}"),
        SET("u", "{\"$binary\":{\"base64\":\"AAECAwQFBgcICQoLDA0ODw==\",\"subType\":\"04\"}}"), "difference",
        "users", KEY15, COLUMN("u") },
    { SET("bin", "{\"$binary\":{\"base64\":\"AAE=\",\"subType\":\"80\"}}"),
        SET("bin", "{\"$binary\":{\"base64\":\"AAE=\",\"subType\":\"00\"}}"), "difference", "users", KEY15,
        COLUMN("bin") },
    { SET("bin", "{\"$binary\":{\"base64\":\"AAI=\",\"subType\":\"00\"}}"),
        SET("bin", "{\"$binary\":{\"base64\":\"AAE=\",\"subType\":\"00\"}}"), "difference", "users", KEY15,
        COLUMN("bin") },
    { SET("re", "{\"$regularExpression\":{\"pattern\":\"^a\",\"options\":\"\"}}"),
        SET("re", "{\"$regularExpression\":{\"pattern\":\"^a\",\"options\":\"i\"}}"), "difference", "users",
        KEY15, COLUMN("re") },
    { SET("ts", "{\"$timestamp\":{\"t\":5,\"i\":2}}"), SET("ts", "{\"$timestamp\":{\"t\":5,\"i\":1}}"),
        "difference", "users", KEY15, COLUMN("ts") },
    { SET("min", "{\"$maxKey\":1}"), SET("min", "{\"$minKey\":1}"), "difference", "users", KEY15,
        COLUMN("min") },
    { "{\"delete\":\"mixed\",\"deletes\":[{\"q\":{\"_id\":\"1\"},\"limit\":1}]}",
        "{\"insert\":\"mixed\",\"documents\":[{\"_id\":\"1\",\"a.b\":1}]}", "difference", "mixed",
        "\"missing\"", "_id=\\\"1\\\"" },
    { "{\"insert\":\"mixed\",\"documents\":[{\"_id\":{\"b\":2,\"a\":1}}]}",
        "{\"delete\":\"mixed\",\"deletes\":[{\"q\":{\"_id\":{\"$eq\":{\"b\":2,\"a\":1}}},\"limit\":1}]}",
        "difference", "mixed", "\"extra\"", "native object" },
    { "{\"insert\":\"mixed\",\"documents\":[{\"_id\":{\"$oid\":\"" OID "99\"},\"a.b\":1}]}",
        "{\"delete\":\"mixed\",\"deletes\":[{\"q\":{\"_id\":{\"$oid\":\"" OID "99\"}},\"limit\":1}]}",
        "difference", "mixed", "\"extra\"", OID "99" },
    { "{\"insert\":\"nothing\",\"documents\":[{\"_id\":1}]}",
        "{\"delete\":\"nothing\",\"deletes\":[{\"q\":{},\"limit\":0}]}", "difference", "nothing", "\"extra\"",
        "_id=native int \\\"1\\\"" },
    { "{\"dropIndexes\":\"users\",\"index\":\"by_name\"}",
        "{\"createIndexes\":\"users\",\"indexes\":[{\"key\":{\"name\":1},\"name\":\"by_name\",\"unique\":"
        "true}]}",
        "schema_diff", "\"unique\"", "users", "by_name" },
    { "{\"dropIndexes\":\"users\",\"index\":\"two\"}",
        "{\"createIndexes\":\"users\",\"indexes\":[{\"key\":{\"i32\":1,\"i64\":-1},\"name\":\"two\"}]}",
        "schema_diff", "\"index\"", "users", "two" },
    { "{\"dropIndexes\":\"users\",\"index\":\"part\"}",
        "{\"createIndexes\":\"users\",\"indexes\":[{\"key\":{\"dbl\":1},\"name\":\"part\","
        "\"partialFilterExpression\":{\"yes\":true}}]}",
        "schema_diff", "\"index\"", "users", "part" },
    { "{\"create\":\"more\"}", "{\"drop\":\"more\"}", "schema_diff", "\"table\"", "more", NULL },
    { "{\"drop\":\"nothing\"}", "{\"create\":\"nothing\"}", "schema_diff", "\"table\"", "nothing", NULL },
};

static void test_each_change_is_found(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    fill(p, 0);
    fill(p, 1);
    mpair_assert(p, SP_VV_EQUAL);
    for (size_t i = 0; i < SP_LEN(changes); i++) {
        const struct change *c = &changes[i];
        command(p, 1, c->plant);
        p->opt.show_values = true;
        mpair_compare(p);
        if (p->verdict != SP_VV_DIFFERENT || !mpair_told(p, c->kind, c->a, c->b, c->c))
            fail_msg("%s: %s\n%s", c->plant, sp_verify_verdict_name(p->verdict), p->events.p);
        command(p, 1, c->undo);
    }
    mpair_assert(p, SP_VV_EQUAL);
}

/* An index that is there but not the same: other fields, order, direction, condition, time to live. */
/* A field that no document of one side has: there is nothing there to describe. */
static void test_field_of_one_side(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    command(p, 0, "{\"insert\":\"c\",\"documents\":[{\"_id\":1,\"only\":5}]}");
    command(p, 1, "{\"insert\":\"c\",\"documents\":[{\"_id\":1,\"other\":5}]}");
    mpair_assert(p, SP_VV_DIFFERENT);
    assert_true(mpair_told(p, "profile", "\"column\":\"only\"", "\"target_distinct\":0", NULL));
    assert_true(mpair_told(p, "profile", "\"column\":\"other\"", "\"source_distinct\":0", NULL));
}

static void test_changed_indexes(void **state)
{
    static const char *const indexes[][2] = {
        { "two", "{\"key\":{\"i32\":-1,\"i64\":1},\"name\":\"two\"}" },
        { "two", "{\"key\":{\"i64\":-1,\"i32\":1},\"name\":\"two\"}" },
        { "two", "{\"key\":{\"i32\":1,\"i64\":1},\"name\":\"two\"}" },
        { "two", "{\"key\":{\"i32\":1,\"i64\":-1},\"name\":\"two\",\"sparse\":true}" },
        { "part", "{\"key\":{\"dbl\":1},\"name\":\"part\"}" },
        { "part", "{\"key\":{\"dbl\":1},\"name\":\"part\",\"partialFilterExpression\":{\"yes\":false}}" },
        { "ttl", "{\"key\":{\"at\":1},\"name\":\"ttl\"}" },
        { "ttl", "{\"key\":{\"at\":1},\"name\":\"ttl\",\"expireAfterSeconds\":2000000001}" },
        { "by_name", "{\"key\":{\"name\":1},\"name\":\"by_name\"}" },
        { "by_name", "{\"key\":{\"name\":1},\"name\":\"by_name\",\"unique\":true,\"sparse\":true}" },
        { "by_name", "{\"key\":{\"name\":1,\"i32\":1},\"name\":\"by_name\",\"unique\":true}" },
    };
    struct mpair *p = *state;
    char cmd[512];
    need_server(p);
    fill(p, 0);
    fill(p, 1);
    for (size_t i = 0; i < SP_LEN(indexes); i++) {
        snprintf(cmd, sizeof cmd, "{\"dropIndexes\":\"users\",\"index\":\"%s\"}", indexes[i][0]);
        command(p, 1, cmd);
        snprintf(cmd, sizeof cmd, "{\"createIndexes\":\"users\",\"indexes\":[%s]}", indexes[i][1]);
        command(p, 1, cmd);
        mpair_compare(p);
        if (p->verdict != SP_VV_DIFFERENT || !mpair_told(p, "schema_diff", "users", indexes[i][0], NULL))
            fail_msg("%s: %s\n%s", cmd, sp_verify_verdict_name(p->verdict), p->events.p);
        command(p, 1, "{\"drop\":\"users\"}");
        command(p, 1, "{\"drop\":\"mixed\"}");
        command(p, 1, "{\"drop\":\"nothing\"}");
        fill(p, 1);
    }
    mpair_assert(p, SP_VV_EQUAL);
}

/* ---- copies ----------------------------------------------------------------------------------------------------------- */

static void test_copy_is_equal(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    fill(p, 0);
    command(p, 0,
        "{\"create\":\"checked\",\"validator\":{\"$jsonSchema\":{\"required\":[\"a\"],\"properties\":{\"a\":{"
        "\"bsonType\":\"int\"}}}},\"validationLevel\":\"moderate\"}");
    command(p, 0, "{\"insert\":\"checked\",\"documents\":[{\"_id\":1,\"a\":{\"$numberInt\":\"5\"}}]}");
    bson_t *index = BCON_NEW("createIndexes", "checked", "indexes", "[", "{", "key", "{", "a", BCON_INT32(1),
        "}", "name", "typed", "unique", BCON_BOOL(true), "partialFilterExpression", "{", "a", "{", "$type",
        "[", "int", "]", "}", "}", "}", "]");
    assert_true(mongoc_client_command_simple(p->plain, p->db[0], index, NULL, NULL, NULL));
    bson_destroy(index);
    if (mpair_migrate(p) != 0)
        fail_msg("%s\n%s", sp_error_text(&p->err), p->events.p);
    mpair_assert(p, SP_VV_EQUAL);
    command(p, 1, "{\"collMod\":\"checked\",\"validationLevel\":\"off\"}");
    mpair_compare(p);
    assert_int_equal(p->verdict, SP_VV_DIFFERENT);
    assert_true(mpair_told(p, "schema_diff", "checked", "validator", NULL));
    assert_int_equal(mpair_migrate(p), -SP_E_EXISTS); /* nothing is written over */
}

static void test_large_copy(void **state)
{
    struct mpair *p = *state;
    struct sp_buf b = SP_BUF_INIT;
    need_server(p);
    for (int part = 0; part < 5; part++) {
        sp_buf_clear(&b);
        sp_buf_puts(&b, "{\"insert\":\"many\",\"documents\":[");
        for (int i = 0; i < 1000; i++)
            sp_buf_printf(&b, "%s{\"_id\":%d,\"f%d\":\"x\"}", i == 0 ? "" : ",", part * 1000 + i, i % 300);
        sp_buf_puts(&b, "]}");
        command(p, 0, b.p);
    }
    sp_buf_clear(&b); /* as large as a document can be */
    sp_buf_puts(&b, "{\"insert\":\"many\",\"documents\":[{\"_id\":\"big\",\"s\":\"");
    for (int i = 0; i < 16 * 1024 * 1024 - 200; i++)
        sp_buf_putc(&b, 'x');
    sp_buf_puts(&b, "\"}]}");
    command(p, 0, b.p);
    sp_buf_free(&b);
    if (mpair_migrate(p) != 0)
        fail_msg("%s", sp_error_text(&p->err));
    mpair_assert(p, SP_VV_EQUAL);
}

/* ---- documents that cannot be compared --------------------------------------------------------------------------- */

static void test_name_that_occurs_twice(void **state)
{
    struct mpair *p = *state;
    bson_error_t e;
    need_server(p);
    command(p, 1, "{\"insert\":\"users\",\"documents\":[{\"_id\":1,\"a\":1}]}");
    for (int nested = 0; nested < 2; nested++) {
        bson_t doc = BSON_INITIALIZER, inner = BSON_INITIALIZER, opts = BSON_INITIALIZER;
        bson_append_int32(&inner, "a", 1, 1);
        bson_append_int32(&inner, "a", 1, 2);
        bson_append_int32(&doc, "_id", 3, 1);
        if (nested == 0)
            bson_concat(&doc, &inner);
        else
            bson_append_document(&doc, "d", 1, &inner);
        bson_append_bool(&opts, "validate", -1, false);
        mongoc_collection_t *c = mongoc_client_get_collection(p->plain, p->db[0], "users");
        mongoc_collection_drop(c, NULL);
        bool stored = mongoc_collection_insert_one(c, &doc, &opts, NULL, &e);
        mongoc_collection_destroy(c);
        bson_destroy(&doc);
        bson_destroy(&inner);
        bson_destroy(&opts);
        if (!stored) {
            print_message("the server refuses names that occur twice: %s\n", e.message);
            continue;
        }
        mpair_compare(p);
        if (mpair_told(p, "not_compared", "users", "twice", NULL) && p->verdict == SP_VV_NOT_COMPARED)
            continue;
        /* A server that keeps one of the two gives a document with one. */
        assert_int_equal(p->verdict, SP_VV_DIFFERENT);
    }
}

#define T(f) cmocka_unit_test_setup_teardown(f, mpair_setup, mpair_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_each_change_is_found),
        T(test_field_of_one_side),
        T(test_changed_indexes),
        T(test_copy_is_equal),
        T(test_large_copy),
        T(test_name_that_occurs_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
