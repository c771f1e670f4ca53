/* Documents seen through a mapping: against tables of a SQLite file, and against documents of another shape. */
#include "ci/tests/provider/mongodb_pair.h"

#include <sqlite3.h>

#include "map/lens.h"
#include "providers/sqlite/sqlite.h"

#define COL(n, s, t)                                                                                         \
    {                                                                                                        \
        .name = (n), .place = {(s), (t) }                                                                    \
    }
#define COLUMNS(...)                                                                                         \
    .columns = (const struct sp_map_column[]){ __VA_ARGS__ },                                                \
    .ncolumns = sizeof((const struct sp_map_column[]){ __VA_ARGS__ }) / sizeof(struct sp_map_column),        \
    .columns_by_name = true

static void look(struct mpair *p, struct sp_session *a, struct sp_session *b, const struct sp_mapping *m)
{
    struct mlines l = { { mpair_line }, &p->events };
    struct sp_session *la = NULL, *lb = NULL;
    sp_buf_clear(&p->reasons);
    sp_buf_clear(&p->events);
    p->verdict = SP_VV_NOT_COMPARED;
    p->opt.mapping = m;
    if (sp_lens_open(a, b, m, SP_SIDE_SOURCE, &la, &p->err) != 0 ||
        sp_lens_open(b, a, m, SP_SIDE_TARGET, &lb, &p->err) != 0 ||
        sp_verify(la, lb, &p->opt, &l.em, &p->verdict, &p->reasons, &p->err) != 0)
        fail_msg("verify: %s", sp_error_text(&p->err));
    sp_close(la);
    sp_close(lb);
}

static void expect(struct mpair *p, enum sp_verify_verdict want)
{
    if (p->verdict != want)
        fail_msg("%s, not %s: %s\n%s", sp_verify_verdict_name(p->verdict), sp_verify_verdict_name(want),
            p->reasons.p != NULL ? p->reasons.p : "", p->events.p);
}

static void told(struct mpair *p, const char *kind, const char *a, const char *b, const char *c)
{
    if (!mpair_told(p, kind, a, b, c))
        fail_msg("no %s with %s, %s, %s:\n%s", kind, a, b != NULL ? b : "", c != NULL ? c : "", p->events.p);
}

/* ---- a SQLite file and documents ------------------------------------------------------------------------------------- */

static char path[64];

static struct sp_session *file(const char *sql)
{
    static struct sp_endpoint e;
    static char url[80];
    struct sp_session *s = NULL;
    sqlite3 *db = NULL;
    snprintf(path, sizeof path, "/tmp/sp-lens-%ld.db", (long)getpid());
    snprintf(url, sizeof url, "sqlite:%s", path);
    unlink(path);
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
    assert_int_equal(SQLITE_OK, sqlite3_exec(db, sql, NULL, NULL, NULL));
    assert_int_equal(SQLITE_OK, sqlite3_close(db));
    e = (struct sp_endpoint){ .name = "file", .url = url, .access = SP_ACCESS_READ_ONLY };
    assert_int_equal(0, sp_open(&s, &sp_provider_sqlite, &e, NULL));
    return s;
}

static const char *const tables =
    "CREATE TABLE agents(id INTEGER PRIMARY KEY, name TEXT) STRICT;"
    "CREATE TABLE tasks(id INTEGER PRIMARY KEY, agent INTEGER REFERENCES agents(id), title TEXT) STRICT;"
    "CREATE TABLE steps(task INTEGER NOT NULL REFERENCES tasks(id), n INTEGER NOT NULL, what TEXT, PRIMARY "
    "KEY(task, "
    "n)) STRICT;"
    "INSERT INTO agents VALUES(1, 'a'), (2, 'b');"
    "INSERT INTO tasks VALUES(10, 1, 'x'), (11, NULL, 'y'), (12, 77, 'an old orphan');"
    "INSERT INTO steps VALUES(10, 1, 'begin'), (10, 2, 'end'), (11, 1, 'only');";

static void documents(struct mpair *p, int side)
{
    command(p, side,
        "{\"insert\":\"people\",\"documents\":[{\"_id\":1,\"name\":\"a\"},{\"_id\":2,\"name\":\"b\"}]}");
    command(p, side,
        "{\"insert\":\"jobs\",\"documents\":["
        "{\"_id\":10,\"who\":1,\"title\":\"x\",\"plan\":{\"steps\":[{\"what\":\"begin\"},{\"what\":\"end\"}]}"
        "},"
        "{\"_id\":11,\"who\":null,\"title\":\"y\",\"plan\":{\"steps\":[{\"what\":\"only\"}]}},"
        "{\"_id\":12,\"who\":77,\"title\":\"an old orphan\"}]}");
}

/* The sides, in either direction. */
#define SIDES(way, tables, documents) .table = { way ? documents : tables, way ? tables : documents }
#define PLACES(way, n, tables, documents)                                                                    \
    {                                                                                                        \
        .name = (n), .place = { way ? documents : tables, way ? tables : documents }                         \
    }
static const char *const step_key[] = { "task", "n" };

static void with_mapping(struct mpair *p, struct sp_session *sql, struct sp_session *doc, bool way)
{
    const struct sp_map_relation r[] = {
        { .name = "agents", SIDES(way, "agents", "people"), COLUMNS(PLACES(way, "id", "id", "_id")) },
        { .name = "tasks",
            SIDES(way, "tasks", "jobs"),
            COLUMNS(PLACES(way, "id", "id", "_id"), PLACES(way, "agent", "agent", "who")) },
        { .name = "steps",
            SIDES(way, "steps", "jobs"),
            .array = { way ? "plan/steps" : NULL, way ? NULL : "plan/steps" },
            .ordered = { way, !way },
            .ordinal_base = 1,
            .key = step_key,
            .nkey = 2,
            COLUMNS({ .name = "task",
                        .place = { way ? "_id" : "task", way ? "task" : "_id" },
                        .parent = { way, !way } },
                { .name = "n", .place = { way ? NULL : "n", way ? "n" : NULL }, .ordinal = { way, !way } }) },
    };
    const struct sp_mapping m = { .relations = r, .nrelations = SP_LEN(r) };
    look(p, way ? doc : sql, way ? sql : doc, &m);
}

static void a_file_against_documents(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    documents(p, 0);
    p->opt.checks = SP_VC_ROWS | SP_VC_RELATIONS;
    for (int way = 0; way < 2; way++) {
        struct sp_session *sql = file(tables), *doc = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
        with_mapping(p, sql, doc, way != 0);
        expect(p, SP_VV_EQUAL);
        told(p, "table ", "\"name\":\"steps\"", "\"source_rows\":3", "\"target_rows\":3");
        /* The orphan of both sides is an old one. */
        told(p, "relation ", "\"child\":\"tasks\"", "\"source_orphans\":1", "\"introduced\":0");
        told(p, "relation ", "\"child\":\"steps\"", "\"source_orphans\":0", "\"target_orphans\":0");
        sp_close(sql);
        sp_close(doc);
        unlink(path);
    }
}

static void an_orphan_of_the_documents_is_introduced(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    documents(p, 0);
    command(p, 0, "{\"delete\":\"people\",\"deletes\":[{\"q\":{\"_id\":1},\"limit\":1}]}");
    p->opt.checks = SP_VC_ROWS | SP_VC_RELATIONS;
    struct sp_session *sql = file(tables), *doc = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    with_mapping(p, sql, doc, false);
    expect(p, SP_VV_DIFFERENT);
    told(p, "relation ", "\"child\":\"tasks\"", "\"target_orphans\":2", "\"introduced\":1");
    told(p, "difference ", "\"difference\":\"orphan\"", "\"key\":\"id=10\"", "\"parent\":\"agents\"");
    sp_close(sql);
    sp_close(doc);
    unlink(path);
}

/* ---- documents of two shapes -------------------------------------------------------------------------------------------- */

static void flat(struct mpair *p)
{
    command(p, 0,
        "{\"insert\":\"orders\",\"documents\":[{\"_id\":1,\"name\":\"x\",\"city\":\"P\",\"at\":{\"$date\":"
        "\"2024-01-01T00:00:00Z\"},"
        "\"big\":{\"$numberLong\":\"5\"},\"dec\":{\"$numberDecimal\":\"1.50\"},\"tag\":{\"b\":1,\"a\":[1,2.5,"
        "null]}},"
        "{\"_id\":2,\"name\":\"y\"}]}");
    command(p, 0,
        "{\"insert\":\"items\",\"documents\":[{\"_id\":7,\"order\":1,\"n\":0,\"sku\":\"s\",\"more\":{\"k\":1}"
        "},"
        "{\"_id\":8,\"order\":1,\"n\":1,\"sku\":\"t\"},{\"_id\":9,\"order\":2,\"n\":0,\"sku\":\"s\"}]}");
}
static void nested(struct mpair *p)
{
    command(p, 1,
        "{\"insert\":\"sales\",\"documents\":[{\"_id\":1,\"who\":{\"name\":\"x\",\"city\":\"P\",\"since\":{"
        "\"$date\":\"2024-01-01T00:00:00Z\"},"
        "\"big\":{\"$numberLong\":\"5\"},\"dec\":{\"$numberDecimal\":\"1.50\"},\"tag\":{\"b\":1,\"a\":[1,2.5,"
        "null]}},"
        "\"lines\":[{\"id\":7,\"sku\":\"s\",\"more\":{\"k\":1}},{\"id\":8,\"sku\":\"t\"}]},"
        "{\"_id\":2,\"who\":{\"name\":\"y\"},\"lines\":[{\"id\":9,\"sku\":\"s\"}]}]}");
}

static const struct sp_map_relation shapes[] = {
    { .name = "orders",
        .table = { "orders", "sales" },
        COLUMNS(COL("name", "name", "who/name"), COL("city", "city", "who/city"),
            COL("at", "at", "who/since"), COL("big", "big", "who/big"), COL("dec", "dec", "who/dec"),
            COL("tag", "tag", "who/tag")) },
    { .name = "items",
        .table = { "items", "sales" },
        .array = { NULL, "lines" },
        .ordered = { false, true },
        COLUMNS({ .name = "order", .place = { "order", "_id" }, .parent = { false, true } },
            { .name = "n", .place = { "n", NULL }, .ordinal = { false, true } }, COL("id", "_id", "id")) },
};
static const struct sp_mapping shapes_mapping = { .relations = shapes, .nrelations = SP_LEN(shapes) };

static void compare_shapes(struct mpair *p)
{
    struct sp_session *a = mpair_open(p, 0, SP_ACCESS_READ_ONLY), *b = mpair_open(p, 1, SP_ACCESS_READ_ONLY);
    look(p, a, b, &shapes_mapping);
    sp_close(a);
    sp_close(b);
}

static void documents_of_two_shapes(void **state)
{
    /* What would be equal by its meaning is not between two backends of one kind. */
    static const struct {
        const char *change, *name, *column;
    } cases[] = {
        { "{\"$set\":{\"who.big\":{\"$numberInt\":\"5\"}}}", "orders", "\"column\":\"big\"" },
        { "{\"$set\":{\"who.dec\":{\"$numberDecimal\":\"1.5\"}}}", "orders", "\"column\":\"dec\"" },
        { "{\"$set\":{\"who.tag\":{\"a\":[1,2.5,null],\"b\":1}}}", "orders", "\"column\":\"tag" },
        { "{\"$set\":{\"who.tag.a.0\":{\"$numberLong\":\"1\"}}}", "orders", "\"column\":\"tag/a/0" },
        { "{\"$unset\":{\"who.city\":1}}", "orders", "\"column\":\"city\"" },
        { "{\"$set\":{\"who.city\":null}}", "orders", "\"column\":\"city\"" },
        { "{\"$set\":{\"who.age\":3}}", "orders", "\"column\":\"who" },
        { "{\"$set\":{\"lines.0.more.k\":2}}", "items", "\"column\":\"more/k" },
        { "{\"$set\":{\"lines.0.more.k\":{\"$numberLong\":\"1\"}}}", "items", "\"column\":\"more/k" },
        { "{\"$set\":{\"lines.0.sku\":\"S\"}}", "items", "\"column\":\"sku\"" },
        { "{\"$pop\":{\"lines\":1}}", "items", "\"difference\":\"missing\"" },
    };
    struct mpair *p = *state;
    need_server(p);
    flat(p);
    p->opt.checks = SP_VC_ROWS;
    for (size_t i = 0; i <= SP_LEN(cases); i++) {
        char update[512];
        nested(p);
        if (i < SP_LEN(cases)) {
            snprintf(update, sizeof update,
                "{\"update\":\"sales\",\"updates\":[{\"q\":{\"_id\":1},\"u\":%s}]}", cases[i].change);
            command(p, 1, update);
        }
        compare_shapes(p);
        if (i == SP_LEN(cases)) {
            expect(p, SP_VV_EQUAL);
        } else {
            expect(p, SP_VV_DIFFERENT);
            if (!mpair_told(p, "difference ", cases[i].name, cases[i].column, NULL))
                fail_msg("%s: %s", cases[i].change, p->events.p);
        }
        command(p, 1, "{\"drop\":\"sales\"}");
    }
}

/* One column asked for twice, as relations do. */
static int two_columns(void *payload, const struct sp_rowview *row)
{
    const size_t half = row->nrow / 2;
    *(bool *)payload = row->nrow % 2 == 0 && memcmp(row->row, row->row + half, half) == 0 && row->row[0] == 2;
    return 0;
}
static void a_column_is_read_twice(void **state)
{
    struct mpair *p = *state;
    struct sp_rowbuf rb;
    bool same = false;
    need_server(p);
    command(p, 0, "{\"insert\":\"c\",\"documents\":[{\"_id\":1,\"x\":5,\"y\":6}]}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    const struct sp_colplan cols[] = { { .name = "x", .source = "x", .target = "x" },
        { .name = "x", .source = "x", .target = "x" } };
    const struct sp_scan scan = { .table = "c", .cols = cols, .ncols = 2 };
    assert_int_equal(0, sp_rowbuf_init(&rb, &scan, &p->err));
    rb.sink = two_columns;
    rb.payload = &same;
    assert_int_equal(0, sp_db_scan(s, &scan, &rb, &p->err));
    assert_true(same);
    sp_rowbuf_free(&rb);
    sp_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_against_documents, mpair_setup, mpair_teardown),
        cmocka_unit_test_setup_teardown(
            an_orphan_of_the_documents_is_introduced, mpair_setup, mpair_teardown),
        cmocka_unit_test_setup_teardown(documents_of_two_shapes, mpair_setup, mpair_teardown),
        cmocka_unit_test_setup_teardown(a_column_is_read_twice, mpair_setup, mpair_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
