/* test_postgresql_migrate.c -- from columns without types to columns with one: chosen by the values, never changing one. */
#include <sqlite3.h>

#include "event.h"
#include "migrate/migrate.h"
#include "postgresql_util.h"
#include "providers/sqlite/sqlite.h"

static char path[64];

static void source(const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    snprintf(path, sizeof path, "/tmp/sp-migrate-%ld.db", (long)getpid());
    (void)unlink(path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static int to_nobody(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *e)
{
    (void)em, (void)kind, (void)json, (void)n, (void)e;
    return 0;
}

static int migrate(void)
{
    char url[96];
    struct sp_session *from = NULL;
    const struct sp_migrate_options opt = { .target_ns = ns };
    struct sp_emitter em = { .send = to_nobody };
    snprintf(url, sizeof url, "sqlite:%s", path);
    struct sp_endpoint e = { .name = "s", .url = url, .access = SP_ACCESS_READ_ONLY };
    OK(sp_open(&from, &sp_provider_sqlite, &e, &err));
    int rc = sp_migrate_bulk(from, session, &opt, &em, &err);
    sp_close(from);
    (void)unlink(path);
    return rc;
}

static void types_by_values(void **state)
{
    static const struct {
        const char *column;
        enum sp_tag tag;
    } want[] = { { "id", SP_INT }, { "b", SP_BOOL }, { "n", SP_INT }, { "z", SP_INSTANT }, { "l", SP_LOCAL },
        { "d", SP_DEC }, { "v", SP_TEXT }, { "j", SP_JSON }, { "x", SP_BYTES }, { "none", SP_INT } };
    struct sp_schema *s = NULL;
    (void)state;
    need_server();
    source(
        "CREATE TABLE typed(id INTEGER PRIMARY KEY, b BOOLEAN, n BOOLEAN CHECK (n IN (0, 1)), z TIMESTAMP, l "
        "TIMESTAMP, d DECIMAL(6,2), v VARCHAR(3), j JSON, x BLOB, none);"
        "INSERT INTO typed VALUES (7, 1, 0, '2024-01-01T00:00:00Z', '2024-01-01 00:00:00', 1.25, 'abc', "
        "'{}', x'00', "
        "5), (9, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
    OK(migrate());
    OK(sp_db_introspect(session, ns, &s, &err));
    const struct sp_table *t = sp_schema_table(s, "typed");
    assert_non_null(t);
    for (size_t i = 0; i < SP_LEN(want); i++)
        if (sp_table_column(t, want[i].column)->type.tag != want[i].tag)
            fail_msg("%s is %s", want[i].column, sp_tag_name(sp_table_column(t, want[i].column)->type.tag));
    assert_int_equal(sp_table_column(t, "v")->type.length, 3);
    assert_string_equal(t->checks[0].expr, "n IN (0, 1)");
    assert_int_equal(s->sequences[0].next, 10); /* behind the loaded keys */
    sp_schema_free(s);
}

/* What doesn't fit the declaration gets a type that fits, or nothing is copied. */
static void misfits(void **state)
{
    struct sp_schema *s = NULL;
    (void)state;
    need_server();
    source("CREATE TABLE odd(t TIMESTAMP, v VARCHAR(3), d DECIMAL(4,1)); INSERT INTO odd VALUES "
           "('yesterday', 'abcd', "
           "0.125)");
    OK(migrate());
    OK(sp_db_introspect(session, ns, &s, &err));
    const struct sp_table *t = sp_schema_table(s, "odd");
    assert_int_equal(sp_table_column(t, "t")->type.tag, SP_TEXT);
    assert_int_equal(sp_table_column(t, "v")->type.tag, SP_TEXT);
    assert_int_equal(sp_table_column(t, "d")->type.tag, SP_DEC);
    assert_int_equal(sp_table_column(t, "d")->type.precision, 0);
    sp_schema_free(s);
    source("CREATE TABLE mixed(a); INSERT INTO mixed VALUES (1), ('one')");
    FAILS(SP_E_INVALID, migrate());
    assert_non_null(strstr(sp_error_text(&err), "mixed"));
    OK(sp_db_introspect(session, ns, &s, &err));
    assert_null(sp_schema_table(s, "mixed"));
    sp_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_by_values),
        cmocka_unit_test(misfits),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
