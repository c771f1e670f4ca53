/* test_documents.c -- documents in the engine: tables with open fields are compared and copied field by field. Both sides are
 * the mock; the natives that a document store pushes are put there as they are. */
#include "mock_fixture.h"

#include "base/str.h"
#include "migrate/migrate.h"
#include "verify/verify.h"

static const struct sp_column columns[] = { { .name = "_id", .not_null = true, .ordinal_unstable = true } };
static const char *const key[] = { "_id" };
static const struct sp_table docs = {
    .name = "docs", .columns = columns, .ncolumns = 1, .pk = key, .npk = 1, .open_fields = true
};

/* Keeps the events as lines: kind, blank, fields. */
struct lines {
    struct sp_emitter em;
    struct sp_buf out;
};
static int keep_line(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    struct lines *l = (struct lines *)(void *)em;
    (void)err;
    return sp_buf_printf(&l->out, "%s %.*s\n", sp_event_name(k), (int)n, json);
}

struct sides {
    struct fix *f[2];
    struct lines events;
    struct sp_buf reasons;
};

static int setup(void **state)
{
    struct sides *s = calloc(1, sizeof *s);
    void *f;
    s->events.em.send = keep_line;
    for (int i = 0; i < 2; i++) {
        if (fix_setup(&f) != 0)
            return -1;
        s->f[i] = f;
    }
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct sides *s = *state;
    for (int i = 0; i < 2; i++) {
        void *f = s->f[i];
        fix_teardown(&f);
    }
    sp_buf_free(&s->events.out);
    sp_buf_free(&s->reasons);
    free(s);
    return 0;
}

#define NATIVE(type, text) sp_v_native(type, text, sizeof(text) - 1)
#define SIZED(text)        text, sizeof(text) - 1
#define FIELDS             7
/* Document number i of 50. */
static void document(int64_t i, struct sp_field f[FIELDS], char text[2][96])
{
    snprintf(text[0], 96, "{\"city\":\"c%d\",\"geo\":[{\"$numberDouble\":\"1.5\"},{\"$numberInt\":\"%d\"}]}",
        (int)i, (int)i);
    snprintf(text[1], 96, "name %d", (int)i);
    f[0] = (struct sp_field){ "_id", sp_v_int(i) };
    f[1] = (struct sp_field){ "name", sp_v_text(text[1]) };
    f[2] = (struct sp_field){ "address", sp_v_native("object", text[0], strlen(text[0])) };
    f[3] = (struct sp_field){ "n", i % 2 == 0 ? sp_v_int(i) : NATIVE("int", "7") };
    f[4] = (struct sp_field){ "none", i % 3 == 0 ? sp_v_null() : sp_v_missing() };
    f[5] = (struct sp_field){ "at", sp_v_instant(1700000000 + i, 1000000) };
    f[6] = (struct sp_field){ "tags", NATIVE("array", "[\"a\",\"b\"]") };
}

static void fill(struct fix *f)
{
    ok(f, sp_db_table_create(f->a, &docs, true, &f->err));
    for (int64_t i = 0; i < 50; i++) {
        struct sp_field d[FIELDS];
        char text[2][96];
        document(i, d, text);
        ok(f, sp_db_insert(f->a, "docs", d, FIELDS, &f->err));
    }
}

static enum sp_verify_verdict compare(struct sides *s, bool show)
{
    struct sp_verify_options opt = { .checks = SP_VC_ALL, .max_differences = 100, .show_values = show };
    enum sp_verify_verdict v = SP_VV_NOT_COMPARED;
    sp_buf_clear(&s->events.out);
    sp_buf_clear(&s->reasons);
    ok(s->f[0], sp_verify(s->f[0]->a, s->f[1]->a, &opt, &s->events.em, &v, &s->reasons, &s->f[0]->err));
    return v;
}

/* Is there a difference event that holds all of these? */
static bool told(const struct sides *s, const char *a, const char *b, const char *c)
{
    const char *p = s->events.out.p, *end;
    for (; p != NULL && *p != '\0' && (end = strchr(p, '\n')) != NULL; p = end + 1) {
        char *line = strndup(p, (size_t)(end - p));
        bool yes =
            strncmp(line, "difference ", 11) == 0 && strstr(line, a) && strstr(line, b) && strstr(line, c);
        free(line);
        if (yes)
            return true;
    }
    return false;
}

static size_t differences(const struct sides *s)
{
    size_t n = 0;
    for (const char *p = s->events.out.p; p != NULL && (p = strstr(p, "difference {")) != NULL; p++)
        n++;
    for (const char *p = s->events.out.p; p != NULL && (p = strstr(p, "difference \"")) != NULL; p++)
        n++;
    return n;
}

static void set(struct fix *f, int64_t id, const char *name, struct sp_value v)
{
    const struct sp_value is = sp_v_int(id);
    const struct sp_filter where = { .op = SP_F_EQ, .column = "_id", .values = &is, .nvalues = 1 };
    const struct sp_field field = { name, v };
    int64_t n = 0;
    ok(f, sp_db_update(f->a, "docs", &where, &field, 1, &n, &f->err));
    assert_int_equal(n, 1);
}

static void test_equal_documents(void **state)
{
    struct sides *s = *state;
    fill(s->f[0]);
    fill(s->f[1]);
    assert_int_equal(compare(s, false), SP_VV_EQUAL);
    assert_int_equal(differences(s), 0);
    assert_non_null(strstr(s->events.out.p, "\"topic\":\"order of fields\""));
}

/* One planted change each: the collection, the key, and the way to the field. */
static void test_each_change_is_named(void **state)
{
    static const struct {
        const char *field;
        struct sp_value v;
        const char *column;
    } changes[] = {
        { "name", { .tag = SP_TEXT, .u.str = { "name X", 6 } }, "\"column\":\"name\"" },
        { "renamed", { .tag = SP_NULL }, "\"column\":\"renamed\"" },
        { "n", { .tag = SP_INT, .u.i = 7 }, "\"column\":\"n\"" },
        { "n", { .tag = SP_F64, .u.f64 = 7 }, "\"column\":\"n\"" },
        { "at", { .tag = SP_INSTANT, .u.ts = { 1700000007, 2000000 } }, "\"column\":\"at\"" },
        { "none", { .tag = SP_NULL }, "\"column\":\"none\"" },
        { "tags", { .tag = SP_NATIVE, .u.native = { "array", SIZED("[\"b\",\"a\"]") } },
            "\"column\":\"tags/0\"" },
        { "tags", { .tag = SP_NATIVE, .u.native = { "array", SIZED("[\"a\"]") } }, "\"column\":\"tags/1\"" },
        { "address",
            { .tag = SP_NATIVE,
                .u.native = { "object", SIZED("{\"city\":\"c7\",\"geo\":[{\"$numberDouble\":\"1.5\"},{\"$"
                                              "numberLong\":\"7\"}]}") } },
            "\"column\":\"address/geo/1/$numberInt\"" },
        { "address",
            { .tag = SP_NATIVE,
                .u.native = { "object",
                    SIZED(
                        "{\"geo\":[{\"$numberDouble\":\"1.5\"},{\"$numberInt\":\"7\"}],\"city\":\"c7\"}") } },
            "\"column\":\"address (order of fields)\"" },
        { "address", { .tag = SP_TEXT, .u.str = { "x", 1 } }, "\"column\":\"address\"" },
    };
    struct sides *s = *state;
    fill(s->f[0]);
    fill(s->f[1]);
    for (size_t i = 0; i < SP_LEN(changes); i++) {
        struct sp_field d[FIELDS];
        char text[2][96];
        document(7, d, text);
        set(s->f[1], 7, changes[i].field, changes[i].v);
        assert_int_equal(compare(s, i % 2 == 0), SP_VV_DIFFERENT);
        if (!told(s, "\"name\":\"docs\"", "\"key\":\"_id=7\"", changes[i].column) || differences(s) != 1)
            fail_msg("change %zu: %s", i, s->events.out.p);
        struct sp_value back = sp_v_missing();
        for (size_t k = 0; k < FIELDS; k++)
            if (strcmp(d[k].name, changes[i].field) == 0)
                back = d[k].value;
        if (back.tag == SP_MISSING) { /* an update cannot take a field away: the same on the other side */
            set(s->f[0], 7, changes[i].field, changes[i].v);
        } else {
            set(s->f[1], 7, changes[i].field, back);
        }
        assert_int_equal(compare(s, false), SP_VV_EQUAL);
    }
}

static void test_missing_extra_and_twice(void **state)
{
    struct sides *s = *state;
    struct sp_field d[FIELDS];
    char text[2][96];
    const struct sp_value five = sp_v_int(5);
    const struct sp_filter where = { .op = SP_F_EQ, .column = "_id", .values = &five, .nvalues = 1 };
    int64_t n = 0;
    fill(s->f[0]);
    fill(s->f[1]);
    ok(s->f[1], sp_db_delete(s->f[1]->a, "docs", &where, &n, &s->f[1]->err));
    document(9, d, text);
    d[0].value = sp_v_int(99); /* the same document under another key */
    ok(s->f[1], sp_db_insert(s->f[1]->a, "docs", d, FIELDS, &s->f[1]->err));
    assert_int_equal(compare(s, false), SP_VV_DIFFERENT);
    assert_true(told(s, "\"difference\":\"missing\"", "\"key\":\"_id=5\"", "docs"));
    assert_true(told(s, "\"difference\":\"extra\"", "\"key\":\"_id=99\"", "docs"));
    assert_int_equal(differences(s), 2);
}

static void test_values_stay_hidden(void **state)
{
    struct sides *s = *state;
    fill(s->f[0]);
    fill(s->f[1]);
    set(s->f[1], 7, "address", NATIVE("object", "{\"city\":\"hideout\"}"));
    assert_int_equal(compare(s, false), SP_VV_DIFFERENT);
    assert_null(strstr(s->events.out.p, "hideout"));
    assert_non_null(strstr(s->events.out.p, "native object, 18 bytes"));
    assert_int_equal(compare(s, true), SP_VV_DIFFERENT);
    assert_non_null(strstr(s->events.out.p, "hideout"));
}

/* ---- copies ----------------------------------------------------------------------------------------------------------- */

static int copy(struct sides *s, bool existing)
{
    const struct sp_migrate_options opt = { .into_existing = existing };
    struct fix *f = s->f[0];
    sp_buf_clear(&s->events.out);
    sp_error_clear(&f->err);
    return sp_migrate_bulk(f->a, s->f[1]->a, &opt, &s->events.em, &f->err);
}

static void test_documents_are_copied_whole(void **state)
{
    struct sides *s = *state;
    int64_t n = 0;
    fill(s->f[0]);
    ok(s->f[0], copy(s, false));
    ok(s->f[1], sp_db_count(s->f[1]->a, "docs", NULL, &n, &s->f[1]->err));
    assert_int_equal(n, 50);
    assert_int_equal(compare(s, false), SP_VV_EQUAL);
    set(s->f[1], 49, "tags", NATIVE("array", "[]"));
    assert_int_equal(compare(s, false), SP_VV_DIFFERENT);
}

/* A table that takes no other fields refuses them, and nothing is left of the copy. */
static void test_closed_target_refuses(void **state)
{
    struct sides *s = *state;
    struct sp_table closed = docs;
    int64_t n = -1;
    closed.open_fields = false;
    fill(s->f[0]);
    ok(s->f[1], sp_db_table_create(s->f[1]->a, &closed, true, &s->f[1]->err));
    assert_int_equal(copy(s, true), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&s->f[0]->err), "address"));
    ok(s->f[1], sp_db_count(s->f[1]->a, "docs", NULL, &n, &s->f[1]->err));
    assert_int_equal(n, 0);
}

/* ---- a load with undeclared fields ---------------------------------------------------------------------------------- */

static void test_load_takes_undeclared_fields(void **state)
{
    struct sides *s = *state;
    struct fix *f = s->f[0];
    struct sp_load *l = NULL;
    struct sp_result r = SP_RESULT_INIT;
    const struct sp_value one = sp_v_int(1), two = sp_v_int(2), x = sp_v_text("x");
    struct sp_op read = { .kind = SP_OP_READ,
        .query = { .table = "docs",
            .order = &(const struct sp_order){ .column = "_id" },
            .norder = 1,
            .limit = SP_NO_LIMIT } };
    ok(f, sp_db_table_create(f->a, &docs, true, &f->err));
    ok(f, sp_db_load_open(f->a, "docs", key, 1, &l, &f->err));
    ok(f, sp_db_load_extra(f->a, l, "a", &x, &f->err));
    fails(f, SP_E_INVALID, sp_db_load_extra(f->a, l, "a", &x, &f->err));
    fails(f, SP_E_INVALID, sp_db_load_extra(f->a, l, "_id", &x, &f->err));
    ok(f, sp_db_load_row(f->a, l, &one, &f->err));
    ok(f, sp_db_load_row(f->a, l, &two, &f->err)); /* the field belongs to the row before */
    ok(f, sp_db_load_close(f->a, l, true, NULL, &f->err));
    ok(f, sp_db_exec(f->a, &read, &r, &f->err));
    assert_int_equal(r.nrows, 2);
    assert_true(sp_value_equal(sp_result_at(&r, 0, "a"), &x));
    assert_int_equal(sp_result_at(&r, 1, "a")->tag, SP_MISSING);
    sp_result_free(&r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_equal_documents),
        T(test_each_change_is_named),
        T(test_missing_extra_and_twice),
        T(test_values_stay_hidden),
        T(test_documents_are_copied_whole),
        T(test_closed_target_refuses),
        T(test_load_takes_undeclared_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
