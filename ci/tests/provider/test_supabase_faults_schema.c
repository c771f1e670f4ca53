/* test_supabase_faults_schema.c -- opening a session, making and dropping schemas and tables, through a proxy that spoils any one
 * of the requests to a real PostgREST, or all of them: each ends in what was asked for or in an error that tells the truth, and
 * what the database holds is asked of the database itself. */
#include <stdint.h>

#include "ci/tests/provider/supabase_faults.h"

static struct proxy proxy;
static struct place at, direct_at;
static struct sp_endpoint db_at;
static struct sp_session *hasty, *direct, *db;
static unsigned struck, complaints;

static bool in_database(const char *what, const char *name)
{
    struct sp_result r = SP_RESULT_INIT;
    OK(query_at(db, &r, &err, "SELECT %s('%s') IS NOT NULL", what, name));
    bool there = r.values[0].u.b;
    sp_result_free(&r);
    return there;
}

static bool has_schema(void)
{
    return in_database("to_regnamespace", schema_name);
}

static bool has_table(void)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s.t", schema_name);
    return in_database("to_regclass", name);
}

/* --- operations: from a state that prepare() makes --------------------------------------------------------------------- */

static const struct sp_column column = { .name = "id", .type = { .tag = SP_INT } };

static struct sp_table table_t(void)
{
    struct sp_table t = { .name = "t" };
    t.columns = (struct sp_column *)(uintptr_t)&column;
    t.ncolumns = 1;
    return t;
}

static void no_schema(void)
{
    OK(sp_db_ns_drop(direct, schema_name, &err));
}

static void schema(void)
{
    if (!has_schema())
        OK(sp_db_ns_create(direct, schema_name, &err));
    OK(sp_db_ns_use(direct, schema_name, &err));
    OK(sp_db_ns_use(hasty, schema_name, &err));
    OK(query_at(db, NULL, &err, "DROP TABLE IF EXISTS %s.t", schema_name));
}

static void schema_and_table(void)
{
    struct sp_table t = table_t();
    schema();
    OK(sp_db_table_create(direct, &t, true, &err));
}

static int make_schema(struct sp_error *e)
{
    return sp_db_ns_create(hasty, schema_name, e);
}
static int drop_schema(struct sp_error *e)
{
    return sp_db_ns_drop(hasty, schema_name, e);
}
static int make_table(struct sp_error *e)
{
    struct sp_table t = table_t();
    return sp_db_table_create(hasty, &t, true, e);
}
static int finish_table(struct sp_error *e)
{
    struct sp_table t = table_t();
    return sp_db_table_finish(hasty, &t, e);
}
static int drop_table(struct sp_error *e)
{
    return sp_db_table_drop(hasty, "t", e);
}
static int open_session(struct sp_error *e)
{
    static struct place mine;
    struct sp_session *s = NULL;
    int rc = open_at(&s, &mine, proxy.port, HASTY_MS, e);
    sp_close(s);
    return rc;
}
static bool nothing(void)
{
    return true;
}

static const struct operation {
    const char *name;
    void (*prepare)(void);
    int (*run)(struct sp_error *);
    bool (*done)(void);
    bool is;    /* what done() says when it is */
    bool local; /* asks nothing of REST */
} operations[] = {
    { "make a schema", no_schema, make_schema, has_schema, true, false },
    { "make a table", schema, make_table, has_table, true, false },
    { "drop a table", schema_and_table, drop_table, has_table, false, false },
    { "finish a table", schema_and_table, finish_table, has_table, true, true },
    { "open", schema, open_session, nothing, true, false },
    { "drop a schema", schema, drop_schema, has_schema, false, true },
};

/* --- what must hold ------------------------------------------------------------------------------------------------- */

static const char *judge(const struct operation *op, bool was, unsigned fired, const struct sp_error *e)
{
    bool done = op->done() == op->is;
    if (e->code == SP_E_OK)
        return done ? NULL : "a success that did nothing";
    if (op->done != nothing && !was &&
        (e->effect == SP_EFFECT_NONE ? done : e->effect == SP_EFFECT_APPLIED && !done))
        return "the error is wrong about what became of it";
    if (fired == 0) /* a slow machine needs no fault to be late */
        return e->code == SP_E_TIMEOUT ? NULL : "an error without a fault";
    return e->code == SP_E_UNAVAILABLE || e->code == SP_E_TIMEOUT || e->code == SP_E_CORRUPT ||
                   ((e->code == SP_E_NOT_FOUND || e->code == SP_E_INVALID) && op->done == nothing)
               ? NULL
               : "another error than this fault means";
}

static bool try_one(const struct operation *op, const struct ill *ill, unsigned first, bool always)
{
    struct sp_error e = SP_ERROR_INIT;
    op->prepare();
    bool was = op->done() == op->is;
    proxy_arm(&proxy, &ill->fault, first, always);
    int rc = op->run(&e);
    unsigned fired = proxy_settle(&proxy);
    struck += fired > 0;
    const char *bad = rc != -(int)e.code ? "the result and the error disagree" : judge(op, was, fired, &e);
    if (bad != NULL) {
        complaints++;
        print_error("%s, %s at request %u%s: %s: %s [%s], effect %s\n", op->name, ill->fault.name, first,
            always ? " and all behind it" : "", bad, sp_error_text(&e), sp_code_name(e.code),
            sp_effect_name(e.effect));
    }
    sp_error_clear(&e);
    return fired > 0;
}

static void schemas(void **state)
{
    /* Some of them: reading the schema anew takes its time. */
    static const char *const kinds[] = { "503", "200, a page", "a reset before", "a stall before",
        "half an answer, chunks, end" };
    (void)state;
    need_servers();
    proxy_start(&proxy, server_port());
    OK(open_at(&direct, &direct_at, server_port(), PATIENT_MS, &err));
    OK(open_at(&hasty, &at, proxy.port, HASTY_MS, &err));
    OK(open_database(&db, &db_at, &err));
    for (size_t k = 0; k < SP_LEN(operations); k++)
        for (size_t i = 0; i < SP_LEN(ills); i++) {
            bool chosen = false, all = ills[i].again || ills[i].fault.end == END_HANG;
            for (size_t j = 0; j < SP_LEN(kinds); j++)
                chosen = chosen || strcmp(kinds[j], ills[i].fault.name) == 0;
            if (!chosen || (operations[k].local && i != 0))
                continue;
            for (unsigned n = 1; n <= 2 && try_one(&operations[k], &ills[i], n, false); n++) {
            }
            if (all)
                (void)try_one(&operations[k], &ills[i], 1, true);
        }
    print_message("%u operations were struck by a fault\n", struck);
    assert_int_equal(complaints, 0);
    assert_true(struck > 40);
}

static int leave(void **state)
{
    (void)state;
    if (direct != NULL)
        (void)sp_db_ns_drop(direct, schema_name, NULL);
    sp_close(hasty);
    sp_close(direct);
    sp_close(db);
    if (proxy.port != 0)
        proxy_stop(&proxy);
    sp_error_clear(&err);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(schemas, leave) };
    (void)snprintf(schema_name, sizeof schema_name, "sp_faults_%ld", (long)getpid());
    if (sp_provider_supabase.process_init(&err) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
