/* test_verify_fetch_mongodb.c -- documents by their keys: see test_verify_fetch.c. */
#include "mongodb_pair.h"

#include "fetch_case.h"

#include <sqlite3.h>

struct dcase {
    struct fcase f;
    const char *collection; /* options of `create`, or NULL */
    const char *documents[2];
    const char *sqlite; /* the source instead of the first documents */
};

static void fill_file(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
    assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

static void fill_database(struct mpair *m, int side, const struct dcase *d)
{
    char json[4096];
    command(m, side, "{\"dropDatabase\": 1}");
    snprintf(json, sizeof json, "{\"create\": \"t\"%s%s}", d->collection != NULL ? ", " : "",
        d->collection != NULL ? d->collection : "");
    command(m, side, json);
    snprintf(json, sizeof json, "{\"insert\": \"t\", \"documents\": [%s]}", d->documents[side]);
    command(m, side, json);
}

static void run_documents(struct mpair *m, const struct dcase *d)
{
    static struct sides x;
    x = (struct sides){ .opt = { .checks = SP_VC_ROWS }, .em = { no_event }, .err = SP_ERROR_INIT };
    sp_strlcpy(x.dir, "/tmp/sp-fetch-XXXXXX", sizeof x.dir);
    assert_non_null(mkdtemp(x.dir));
    for (int i = 0; i < 2; i++) {
        bool file = i == 0 && d->sqlite != NULL;
        if (file) {
            snprintf(x.url[i], sizeof x.url[i], "sqlite:%s/a.db", x.dir);
            fill_file(x.url[i] + strlen("sqlite:"), d->sqlite);
        } else {
            sp_strlcpy(x.url[i], m->url[i], sizeof x.url[i]);
            fill_database(m, i, d);
        }
        x.e[i] = (struct sp_endpoint){
            .name = i == 0 ? "old" : "new", .url = x.url[i], .access = SP_ACCESS_READ_ONLY
        };
        must(&x, sp_open(&x.s[i], sp_provider_by_kind(sp_providers, file ? "sqlite" : "mongodb"), &x.e[i],
                     &x.err));
    }
    ask_both(&x, &d->f, sides_match(&x, d->sqlite == NULL));
    sides_end(&x);
}

#define SAME(a)                                                                                              \
    {                                                                                                        \
        a, a                                                                                                 \
    }

static const struct dcase cases[] = {
    { { "ids that the client drew", SAME(NULL), SAME(NULL), SAME(STATE), true }, NULL,
        SAME("{\"_id\": {\"$oid\": \"0123456789abcdef01234567\"}, \"v\": 1},"
             "{\"_id\": {\"$oid\": \"ffffffffffffffffffffffff\"}}"),
        NULL },
    { { "texts", SAME(NULL), SAME(NULL), SAME(STATE), true }, NULL,
        SAME("{\"_id\": \"a\"}, {\"_id\": \"A\", \"v\": 1}, {\"_id\": \"\"}, {\"_id\": \"$x.y\"}"), NULL },
    { { "texts that a collation takes for each other", SAME(NULL), SAME(NULL), SAME(STATE), true },
        "\"collation\": {\"locale\": \"en\", \"strength\": 2}",
        SAME("{\"_id\": \"a\"}, {\"_id\": \"B\", \"v\": 1}"), NULL },
    { { "long integers", SAME(NULL), SAME(NULL), SAME(STATE), true }, NULL,
        SAME("{\"_id\": {\"$numberLong\": \"5\"}}, {\"_id\": {\"$numberLong\": \"-9223372036854775808\"}}"),
        NULL },
    { { "short integers", SAME(NULL), SAME(NULL), SAME(STATE), true }, NULL,
        SAME("{\"_id\": 5}, {\"_id\": -7, \"v\": [1, null]}"), NULL },
    { { "floats", SAME(NULL), SAME(NULL), SAME(NOTHING), false }, NULL,
        SAME("{\"_id\": {\"$numberDouble\": \"5.0\"}}, {\"_id\": {\"$numberDouble\": \"0.1\"}}"), NULL },
    { { "documents", SAME(NULL), SAME(NULL), SAME(NOTHING), false }, NULL,
        SAME("{\"_id\": {\"a\": 1, \"b\": 2}}, {\"_id\": {\"b\": 2, \"a\": 1}}"), NULL },
    { { "uuids", SAME(NULL), SAME(NULL), SAME(STATE), true }, NULL,
        SAME("{\"_id\": {\"$binary\": {\"base64\": \"AAAAAAAAQACAAAAAAAAAAA==\", \"subType\": \"04\"}}}"),
        NULL },
    { { "times", SAME(NULL), SAME(NULL), SAME(STATE), true }, NULL,
        SAME("{\"_id\": {\"$date\": {\"$numberLong\": \"1700000000123\"}}}, {\"_id\": {\"$date\": "
             "{\"$numberLong\": \"-1\"}}}"),
        NULL },
    { { "integers of a table", SAME(NULL), SAME(NULL), { LATER, STATE }, true }, NULL,
        { NULL, "{\"_id\": 1, \"v\": \"a\"}, {\"_id\": {\"$numberLong\": \"2\"}, \"v\": \"b\"}" },
        "CREATE TABLE t(_id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1,'a'),(2,'b'),(3,'c')" },
    { { "integers of a table, one of them as a text", SAME(NULL), SAME(NULL), { LATER, NOTHING }, false },
        NULL, { NULL, "{\"_id\": 1, \"v\": \"a\"}, {\"_id\": \"2\", \"v\": \"b\"}" },
        "CREATE TABLE t(_id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1,'a'),(2,'b')" },
};

static void documents_by_key(void **state)
{
    struct mpair *m = *state;
    if (m->plain == NULL) {
        print_message("skip: MONGODB_URL is not set; run ci/stack up\n");
        skip();
    }
    for (size_t i = 0; i < SP_LEN(cases); i++)
        run_documents(m, &cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(documents_by_key, mpair_setup, mpair_teardown),
    };
    return cmocka_run_group_tests_name("verify: documents by their keys", tests, NULL, NULL);
}
