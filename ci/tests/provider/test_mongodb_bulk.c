/* test_mongodb_bulk.c -- scans and bulk loads of the mongodb provider, and what its introspection reads. */
#include "mongodb_pair.h"

#include "model/canonical.h"

#define OK(p, call)                                                                                          \
    do {                                                                                                     \
        sp_error_clear(&(p)->err);                                                                           \
        if ((call) != 0)                                                                                     \
            fail_msg("%s: %s", #call, sp_error_text(&(p)->err));                                             \
    } while (0)
#define FAILS(p, want, call)                                                                                 \
    do {                                                                                                     \
        sp_error_clear(&(p)->err);                                                                           \
        int rc_ = (call);                                                                                    \
        if (rc_ != -(int)(want) || (p)->err.code != (want))                                                  \
            fail_msg("%s: %d, expected %d: %s", #call, rc_, -(int)(want), sp_error_text(&(p)->err));         \
    } while (0)

static const char *const id_only[] = { "_id" };

static int64_t count(struct mpair *p, const char *collection)
{
    mongoc_collection_t *c = mongoc_client_get_collection(p->plain, p->db[0], collection);
    bson_t all = BSON_INITIALIZER;
    int64_t n = mongoc_collection_count_documents(c, &all, NULL, NULL, NULL, NULL);
    mongoc_collection_destroy(c);
    bson_destroy(&all);
    return n;
}

/* The one document with this _id as extended JSON, read by a plain client. */
static char *stored(struct mpair *p, const char *collection, const char *query)
{
    mongoc_collection_t *c = mongoc_client_get_collection(p->plain, p->db[0], collection);
    bson_t *q = bson_new_from_json((const uint8_t *)query, -1, NULL);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, q, NULL, NULL);
    const bson_t *doc = NULL;
    char *json = mongoc_cursor_next(cursor, &doc) ? bson_as_canonical_extended_json(doc, NULL) : NULL;
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    bson_destroy(q);
    return json;
}

/* ---- loads ---------------------------------------------------------------------------------------------------------- */

static void test_load_writes_what_it_is_given(void **state)
{
    static const struct {
        const char *name;
        struct sp_value v;
        const char *json;
    } fields[] = { { "i", { .tag = SP_INT, .u.i = 5 }, "\"i\" : { \"$numberLong\" : \"5\" }" },
        { "n", { .tag = SP_NATIVE, .u.native = { "int", "5", 1 } }, "\"n\" : { \"$numberInt\" : \"5\" }" },
        { "z", { .tag = SP_NULL }, "\"z\" : null" },
        { "o",
            { .tag = SP_NATIVE,
                .u.native = { "object", "{\"b\":{\"$oid\":\"507f1f77bcf86cd799439011\"},\"a\":[]}", 48 } },
            "\"o\" : { \"b\" : { \"$oid\" : \"507f1f77bcf86cd799439011\" }, \"a\" : [  ] }" },
        { "a.b", { .tag = SP_BOOL, .u.b = true }, "\"a.b\" : true" },
        { "", { .tag = SP_BOOL, .u.b = true }, "\"\" : true" } };
    struct mpair *p = *state;
    need_server(p);
    command(p, 0, "{\"create\":\"docs\"}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_TARGET);
    struct sp_load *l = NULL;
    uint64_t n = 0;
    const struct sp_value id = sp_v_native("int", "1", 1), other = sp_v_missing(), gone = sp_v_missing();
    OK(p, sp_db_load_open(s, "docs", id_only, 1, &l, &p->err));
    for (size_t i = 0; i < SP_LEN(fields); i++)
        OK(p, sp_db_load_extra(s, l, fields[i].name, &fields[i].v, &p->err));
    OK(p, sp_db_load_extra(s, l, "gone", &gone, &p->err));
    FAILS(p, SP_E_INVALID, sp_db_load_extra(s, l, "z", &gone, &p->err));
    FAILS(p, SP_E_INVALID, sp_db_load_extra(s, l, "_id", &gone, &p->err));
    OK(p, sp_db_load_row(s, l, &id, &p->err));
    OK(p, sp_db_load_row(s, l, &other, &p->err));
    assert_int_equal(count(p, "docs"), 0); /* nothing is there before the end */
    OK(p, sp_db_load_close(s, l, true, &n, &p->err));
    assert_int_equal(n, 2);
    char *json = stored(p, "docs", "{\"_id\":{\"$numberInt\":\"1\"}}");
    assert_non_null(json);
    for (size_t i = 0; i < SP_LEN(fields); i++)
        if (strstr(json, fields[i].json) == NULL)
            fail_msg("%s in %s", fields[i].json, json);
    assert_null(strstr(json, "gone"));
    bson_free(json);
    json = stored(p, "docs", "{\"_id\":{\"$ne\":{\"$numberInt\":\"1\"}}}");
    assert_non_null(strstr(json, "$oid")); /* drawn */
    assert_null(strstr(json, "\"z\""));    /* the fields belong to the row before */
    bson_free(json);
    sp_close(s);
}

/* A load of several batches fails at its end: all that it had written goes away, what was there stays. */
static void test_failed_load_leaves_nothing(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_TARGET);
    for (int way = 0; way < 4; way++) {
        struct sp_load *l = NULL;
        uint64_t n = 7;
        int64_t rows = way % 2 == 0 ? 2100 : 3;
        command(p, 0,
            "{\"insert\":\"docs\",\"documents\":[{\"_id\":{\"$numberLong\":\"2050\"}},{\"_id\":{\"$"
            "numberLong\":\"2\"}},{\"_id\":\"x\"}]}");
        OK(p, sp_db_load_open(s, "docs", id_only, 1, &l, &p->err));
        int rc = 0;
        for (int64_t i = 0; rc == 0 && i < rows; i++) {
            const struct sp_value id = sp_v_int(way < 2 ? i : 10000 + i);
            rc = sp_db_load_row(s, l, &id, &p->err);
        }
        if (way < 2) { /* the _id 2050 or 2 is there */
            sp_error_clear(&p->err);
            FAILS(p, SP_E_UNIQUE, sp_db_load_close(s, l, true, &n, &p->err));
        } else { /* given up */
            assert_int_equal(rc, 0);
            OK(p, sp_db_load_close(s, l, false, &n, &p->err));
        }
        assert_int_equal(n, 0);
        assert_int_equal(count(p, "docs"), 3);
        command(p, 0, "{\"drop\":\"docs\"}");
    }
    sp_close(s);
}

static void test_rows_that_cannot_be_loaded(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    command(p, 0, "{\"create\":\"docs\"}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_TARGET);
    const struct sp_value id = sp_v_int(1), finer = sp_v_instant(0, 1);
    struct sp_load *l = NULL;
    char *big = malloc(17u << 20);
    assert_non_null(big);
    memset(big, 'x', 17u << 20);
    const struct sp_value huge = sp_v_textn(big, 17u << 20);
    FAILS(p, SP_E_NOT_FOUND, sp_db_load_open(s, "absent", id_only, 1, &l, &p->err));
    OK(p, sp_db_load_open(s, "docs", id_only, 1, &l, &p->err));
    OK(p, sp_db_load_row(s, l, &id, &p->err));
    OK(p, sp_db_load_extra(s, l, "s", &huge, &p->err));
    FAILS(p, SP_E_TOO_LARGE, sp_db_load_row(s, l, &id, &p->err));
    assert_non_null(strstr(sp_error_text(&p->err), "row 2"));
    FAILS(p, SP_E_INVALID, sp_db_load_row(s, l, &id, &p->err));
    FAILS(p, SP_E_TOO_LARGE, sp_db_load_close(s, l, true, NULL, &p->err));
    OK(p, sp_db_load_open(s, "docs", id_only, 1, &l, &p->err));
    FAILS(p, SP_E_RANGE, sp_db_load_extra(s, l, "at", &finer, &p->err));
    OK(p, sp_db_load_close(s, l, false, NULL, &p->err));
    assert_int_equal(count(p, "docs"), 0);
    free(big);
    sp_close(s);
    s = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    FAILS(p, SP_E_PERMISSION, sp_db_load_open(s, "docs", id_only, 1, &l, &p->err));
    sp_close(s);
}

/* Within a transaction the documents come and go with it. */
static void test_load_within_a_transaction(void **state)
{
    struct mpair *p = *state;
    need_server(p);
    command(p, 0, "{\"create\":\"docs\"}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_TARGET);
    for (int keep = 0; keep < 2; keep++) {
        struct sp_load *l = NULL;
        sp_error_clear(&p->err);
        int rc = sp_db_begin(s, NULL, &p->err);
        if (rc == -SP_E_UNSUPPORTED) {
            sp_close(s);
            skip();
        }
        OK(p, rc);
        OK(p, sp_db_load_open(s, "docs", id_only, 1, &l, &p->err));
        for (int64_t i = 0; i < 2500; i++) {
            const struct sp_value id = sp_v_int(i);
            OK(p, sp_db_load_row(s, l, &id, &p->err));
        }
        OK(p, sp_db_load_close(s, l, true, NULL, &p->err));
        assert_int_equal(count(p, "docs"), 0);
        if (keep)
            OK(p, sp_db_commit(s, &p->err));
        else
            OK(p, sp_db_rollback(s, &p->err));
        assert_int_equal(count(p, "docs"), keep ? 2500 : 0);
    }
    struct sp_load *l = NULL; /* one that fails takes the transaction with it */
    const struct sp_value again = sp_v_int(1);
    OK(p, sp_db_begin(s, NULL, &p->err));
    OK(p, sp_db_load_open(s, "docs", id_only, 1, &l, &p->err));
    OK(p, sp_db_load_row(s, l, &again, &p->err));
    FAILS(p, SP_E_UNIQUE, sp_db_load_close(s, l, true, NULL, &p->err));
    OK(p, sp_db_rollback(s, &p->err));
    assert_int_equal(count(p, "docs"), 2500);
    sp_close(s);
}

/* ---- scans ---------------------------------------------------------------------------------------------------------- */

struct seen {
    struct sp_buf text;
    const struct sp_scan *scan;
    uint64_t rows;
};

static int note(void *payload, const struct sp_rowview *row)
{
    struct seen *x = payload;
    struct sp_arena a = SP_ARENA_INIT;
    const uint8_t *at = row->row;
    size_t left = row->nrow;
    for (size_t i = 0; i < x->scan->ncols; i++) {
        struct sp_value v;
        enum sp_state state;
        int64_t used = sp_canon_read(&a, &x->scan->cols[i].type, at, left, &v, &state);
        assert_true(used > 0);
        sp_value_print(&x->text, &v, 0);
        sp_buf_puts(&x->text, state == SP_ST_UNCOERCED ? "! " : ", ");
        at += used;
        left -= (size_t)used;
    }
    sp_buf_printf(&x->text, "+%zu; ", left);
    x->rows++;
    sp_arena_free(&a);
    return 0;
}

static int scan(struct mpair *p, struct sp_session *s, const struct sp_scan *scan, struct seen *out)
{
    struct sp_rowbuf rb;
    *out = (struct seen){ .scan = scan };
    OK(p, sp_rowbuf_init(&rb, scan, &p->err));
    rb.sink = note;
    rb.payload = out;
    int rc = sp_db_scan(s, scan, &rb, &p->err);
    assert_int_equal(rb.complete, rc == 0);
    sp_rowbuf_free(&rb);
    return rc;
}

static void assert_seen(struct mpair *p, struct sp_session *s, const struct sp_scan *what, const char *want)
{
    struct seen x;
    OK(p, scan(p, s, what, &x));
    if (strcmp(x.text.p == NULL ? "" : x.text.p, want) != 0)
        fail_msg("%s, expected %s", x.text.p, want);
    sp_buf_free(&x.text);
}

#define PLAN(n, t)                                                                                           \
    {                                                                                                        \
        .name = n, .source = n, .target = n, .type = {.tag = t }                                             \
    }
static void test_scan_by_meaning_and_as_stored(void **state)
{
    static const struct sp_colplan cols[] = { PLAN("_id", SP_MISSING), PLAN("n", SP_MISSING),
        PLAN("z", SP_MISSING) },
                                   ints[] = { PLAN("n", SP_INT) }, doc[] = { PLAN("d", SP_JSON) };
    struct sp_scan all = { .table = "docs", .cols = cols, .ncols = 3, .nkey = 1 };
    const struct sp_value one = sp_v_int(1);
    const struct sp_filter where = { .op = SP_F_EQ, .column = "_id", .values = &one, .nvalues = 1 };
    struct mpair *p = *state;
    need_server(p);
    command(p, 0,
        "{\"insert\":\"docs\",\"documents\":[{\"_id\":{\"$numberInt\":\"1\"},\"n\":{\"$numberInt\":\"5\"},"
        "\"z\":null,"
        "\"d\":{\"b\":{\"$numberInt\":\"1\"},\"a\":[]}},{\"n\":{\"$numberDecimal\":\"1.50\"},\"_id\":\"x\"}]"
        "}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    assert_seen(p, s, &all, "int 1, int 5, null, +0; text \"x\", decimal 1.5, missing, +0; ");
    all.as_stored = true;
    assert_seen(p, s, &all,
        "native int \"1\", native int \"5\", null, +0; text \"x\", native decimal \"1.50\", missing, +0; ");
    all.where = &where;
    assert_seen(p, s, &all, "native int \"1\", native int \"5\", null, +0; ");
    all = (struct sp_scan){ .table = "docs", .cols = ints, .ncols = 1, .residual = true };
    /* count; _id, d as JSON, z; and _id alone */
    assert_seen(p, s, &all, "int 5, +56; decimal 1.5! +18; ");
    all = (struct sp_scan){ .table = "docs", .cols = doc, .ncols = 1 };
    assert_seen(p, s, &all, "json {\"a\":[],\"b\":1}, +0; missing, +0; ");
    all.table = "absent";
    struct seen x;
    FAILS(p, SP_E_NOT_FOUND, scan(p, s, &all, &x));
    sp_buf_free(&x.text);
    sp_close(s);
}

/* A field that slipped past the validator of a table of ours: whoever reads all columns hears of it. */
static void test_undeclared_field_is_told(void **state)
{
    static const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
        { .name = "name", .type = { .tag = SP_TEXT } } };
    static const char *const pk[] = { "id" };
    static const struct sp_table table = {
        .name = "closed", .columns = columns, .ncolumns = 2, .pk = pk, .npk = 1
    };
    static const struct sp_colplan cols[] = { PLAN("id", SP_INT), PLAN("name", SP_TEXT) };
    const struct sp_scan all = { .table = "closed", .cols = cols, .ncols = 2, .nkey = 1 },
                         some = { .table = "closed", .cols = cols, .ncols = 1, .nkey = 1 };
    struct mpair *p = *state;
    struct seen x;
    need_server(p);
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_DISPOSABLE);
    OK(p, sp_db_table_create(s, &table, true, &p->err));
    command(p, 0,
        "{\"insert\":\"closed\",\"documents\":[{\"_id\":1,\"id\":{\"$numberLong\":\"1\"},\"name\":\"a\"}]}");
    assert_seen(p, s, &all, "int 1, text \"a\", +0; ");
    command(p, 0,
        "{\"insert\":\"closed\",\"bypassDocumentValidation\":true,\"documents\":[{\"_id\":2,\"id\":{"
        "\"$numberLong\":\"2\"},\"name\":\"b\",\"more\":1}]}");
    FAILS(p, SP_E_CORRUPT, scan(p, s, &all, &x));
    assert_non_null(strstr(sp_error_text(&p->err), "\"more\""));
    sp_buf_free(&x.text);
    assert_seen(p, s, &some, "int 1, +0; int 2, +0; ");
    sp_close(s);
}

/* In a snapshot, what others write meanwhile is not seen; without one a scan of a changing collection fails. */
static void test_scan_while_others_write(void **state)
{
    static const struct sp_colplan cols[] = { PLAN("_id", SP_MISSING) };
    const struct sp_scan all = { .table = "docs", .cols = cols, .ncols = 1 };
    struct mpair *p = *state;
    char id[64];
    struct seen x;
    need_server(p);
    command(p, 0, "{\"insert\":\"docs\",\"documents\":[{\"_id\":1},{\"_id\":2}]}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    sp_error_clear(&p->err);
    int rc = sp_db_snapshot_begin(s, id, &p->err);
    if (rc == 0) {
        OK(p, scan(p, s, &all, &x));
        sp_buf_free(&x.text);
        command(p, 0, "{\"insert\":\"docs\",\"documents\":[{\"_id\":3}]}");
        OK(p, scan(p, s, &all, &x));
        assert_int_equal(x.rows, 2);
        sp_buf_free(&x.text);
        OK(p, sp_db_snapshot_end(s, &p->err));
    }
    OK(p, scan(p, s, &all, &x));
    assert_int_equal(x.rows, rc == 0 ? 3 : 2);
    sp_buf_free(&x.text);
    sp_close(s);
}

static int write_meanwhile(void *payload, const struct sp_rowview *row)
{
    struct mpair *p = payload;
    (void)row;
    command(p, 0, "{\"insert\":\"docs\",\"documents\":[{\"a\":1}]}");
    return 0;
}

static void test_growing_collection_is_told(void **state)
{
    static const struct sp_colplan cols[] = { PLAN("_id", SP_MISSING) };
    const struct sp_scan all = { .table = "docs", .cols = cols, .ncols = 1 };
    struct mpair *p = *state;
    struct sp_rowbuf rb;
    need_server(p);
    command(p, 0, "{\"insert\":\"docs\",\"documents\":[{\"_id\":1},{\"_id\":2}]}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    OK(p, sp_rowbuf_init(&rb, &all, &p->err));
    rb.sink = write_meanwhile;
    rb.payload = p;
    FAILS(p, SP_E_CONFLICT, sp_db_scan(s, &all, &rb, &p->err));
    assert_false(rb.complete);
    assert_non_null(strstr(sp_error_text(&p->err), "changed while it was scanned"));
    sp_rowbuf_free(&rb);
    sp_close(s);
}

/* ---- introspection -------------------------------------------------------------------------------------------------- */

static void test_schema_of_documents(void **state)
{
    struct mpair *p = *state;
    struct sp_schema *schema = NULL;
    need_server(p);
    command(
        p, 0, "{\"create\":\"docs\",\"validator\":{\"a\":{\"$exists\":true}},\"validationAction\":\"warn\"}");
    command(p, 0,
        "{\"createIndexes\":\"docs\",\"indexes\":[{\"key\":{\"a\":1,\"b\":1},\"name\":\"u\",\"unique\":true},"
        "{\"key\":{\"b\":1},\"name\":\"i\",\"partialFilterExpression\":{\"a\":{\"$gt\":5}}}]}");
    command(p, 0, "{\"create\":\"seen\",\"viewOn\":\"docs\",\"pipeline\":[]}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    OK(p, sp_db_introspect(s, NULL, &schema, &p->err));
    assert_int_equal(schema->ntables, 1);
    const struct sp_table *t = sp_schema_table(schema, "docs");
    assert_non_null(t);
    assert_true(
        t->open_fields && t->npk == 1 && strcmp(t->pk[0], "_id") == 0 && t->ncolumns == 1 && !t->strict);
    assert_true(
        t->columns[0].type.tag == SP_MISSING && t->columns[0].not_null && t->columns[0].ordinal_unstable);
    assert_int_equal(t->nuniques, 1);
    assert_true(t->uniques[0].nulls_equal && t->uniques[0].ncolumns == 2);
    assert_int_equal(t->nindexes, 1);
    assert_non_null(strstr(t->indexes[0].where, "$gt"));
    assert_int_equal(t->nchecks, 1);
    assert_string_equal(t->checks[0].name, "validator");
    assert_non_null(strstr(t->checks[0].expr, "warn"));
    assert_string_equal(t->native_kind, "mongodb");
    assert_int_equal(schema->ninventory, 1);
    assert_string_equal(schema->inventory[0].kind, "view");
    assert_non_null(strstr(schema->inventory[0].definition, "viewOn"));
    sp_schema_free(schema);
    FAILS(p, SP_E_NOT_FOUND, sp_db_introspect(s, "sptest_absent", &schema, &p->err));
    sp_close(s);
}

/* The validator of a collection that others made: what it refuses is a type, what it only warns of is a hint. */
static void test_schema_of_a_validator(void **state)
{
    static const struct {
        const char *name;
        enum sp_tag tag;
        bool not_null;
    } want[] = { { "_id", SP_MISSING, true }, { "i", SP_INT, true }, { "l", SP_INT, false },
        { "t", SP_TEXT, false }, { "d", SP_INSTANT, true }, { "o", SP_NATIVE, false },
        { "x", SP_MISSING, false }, { "n", SP_MISSING, false } };
    struct mpair *p = *state;
    need_server(p);
    command(p, 0,
        "{\"create\":\"docs\",\"validator\":{\"$jsonSchema\":{\"required\":[\"i\",\"d\",\"t\",\"n\"],"
        "\"properties\":{"
        "\"i\":{\"bsonType\":\"int\",\"minimum\":0},\"l\":{\"bsonType\":[\"long\",\"null\"]},"
        "\"t\":{\"bsonType\":[\"null\",\"string\"]},\"d\":{\"bsonType\":\"date\"},\"o\":{\"bsonType\":"
        "\"objectId\"},"
        "\"x\":{\"bsonType\":[\"int\",\"string\"]},\"n\":{\"minimum\":5}}}}}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    for (int active = 1; active >= 0; active--) {
        struct sp_schema *schema = NULL;
        OK(p, sp_db_introspect(s, NULL, &schema, &p->err));
        const struct sp_table *t = sp_schema_table(schema, "docs");
        assert_true(t != NULL && t->open_fields && t->nchecks == 1);
        assert_int_equal(t->ncolumns, SP_LEN(want));
        for (size_t i = 0; i < SP_LEN(want); i++) {
            const struct sp_column *c = &t->columns[i];
            assert_string_equal(c->name, want[i].name);
            assert_int_equal(c->type.tag, active ? want[i].tag : SP_MISSING);
            assert_true(c->not_null == (i == 0 || (active && want[i].not_null)));
            if (!active && want[i].tag != SP_NATIVE)
                assert_int_equal(c->declared.tag, want[i].tag);
        }
        assert_int_equal((active ? t->columns[1].type : t->columns[1].declared).int_bits, 32);
        sp_schema_free(schema);
        command(p, 0, "{\"collMod\":\"docs\",\"validationAction\":\"warn\"}");
    }
    sp_close(s);
}

/* The validator of "ours" without additionalProperties: it takes other fields now. */
static void take_a_word_away(struct mpair *p)
{
    bson_t *q = bson_new_from_json(
        (const uint8_t *)"{\"listCollections\":1,\"filter\":{\"name\":\"ours\"}}", -1, NULL);
    bson_t reply, schema = BSON_INITIALIZER, old;
    bson_iter_t it, at;
    bson_error_t e;
    const uint8_t *bytes;
    uint32_t n;
    assert_true(mongoc_client_command_simple(p->plain, p->db[0], q, NULL, &reply, &e));
    assert_true(bson_iter_init(&it, &reply) &&
                bson_iter_find_descendant(&it, "cursor.firstBatch.0.options.validator.$jsonSchema", &at));
    bson_iter_document(&at, &n, &bytes);
    assert_true(bson_init_static(&old, bytes, n));
    assert_true(bson_has_field(&old, "additionalProperties"));
    bson_copy_to_excluding_noinit(&old, &schema, "additionalProperties", NULL);
    bson_destroy(q);
    q = BCON_NEW("collMod", "ours", "validator", "{", "$jsonSchema", BCON_DOCUMENT(&schema), "}");
    bson_destroy(&reply);
    assert_true(mongoc_client_command_simple(p->plain, p->db[0], q, NULL, &reply, &e));
    bson_destroy(&reply);
    bson_destroy(&schema);
    bson_destroy(q);
}

/* What table_create made comes back; what somebody takes away is gone. */
static void test_schema_of_our_tables(void **state)
{
    static const struct sp_column columns[] = { { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
        { .name = "name", .type = { .tag = SP_TEXT, .length = 10 } },
        { .name = "at", .type = { .tag = SP_INSTANT }, .not_null = true } };
    static const char *const pk[] = { "id" }, *const name[] = { "name" }, *const at[] = { "at" };
    static const struct sp_unique uniques[] = { { .name = "u_name", .columns = name, .ncolumns = 1 } };
    static const struct sp_index indexes[] = { { .name = "i_at", .columns = at, .ncolumns = 1 } };
    static const struct sp_table table = { .name = "ours",
        .columns = columns,
        .ncolumns = 3,
        .pk = pk,
        .npk = 1,
        .uniques = uniques,
        .nuniques = 1,
        .indexes = indexes,
        .nindexes = 1 };
    struct mpair *p = *state;
    struct sp_schema *schema = NULL;
    need_server(p);
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_DISPOSABLE);
    OK(p, sp_db_table_create(s, &table, true, &p->err));
    OK(p, sp_db_introspect(s, NULL, &schema, &p->err));
    const struct sp_table *t = sp_schema_table(schema, "ours");
    assert_non_null(t);
    assert_true(t->ncolumns == 3 && t->npk == 1 && !t->open_fields && t->nchecks == 0);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(t->columns[i].name, columns[i].name);
        assert_int_equal(t->columns[i].type.tag, columns[i].type.tag);
        assert_int_equal(t->columns[i].type.length, columns[i].type.length);
        assert_true(t->columns[i].not_null == columns[i].not_null);
    }
    assert_int_equal(t->nuniques, 1);
    assert_string_equal(t->uniques[0].name, "u_name");
    assert_false(t->uniques[0].nulls_equal);
    assert_int_equal(t->nindexes, 1);
    assert_true(t->indexes[0].where == NULL && t->indexes[0].method == NULL && !t->indexes[0].unique);
    sp_schema_free(schema);
    take_a_word_away(p);
    OK(p, sp_db_introspect(s, NULL, &schema, &p->err));
    t = sp_schema_table(schema, "ours");
    assert_true(t->nchecks == 1 && strcmp(t->checks[0].name, "validator") == 0);
    sp_schema_free(schema);
    command(p, 0, "{\"dropIndexes\":\"ours\",\"index\":\"sp_pk\"}");
    command(p, 0, "{\"dropIndexes\":\"ours\",\"index\":\"u_name\"}");
    command(p, 0, "{\"collMod\":\"ours\",\"validationAction\":\"warn\"}");
    OK(p, sp_db_introspect(s, NULL, &schema, &p->err));
    t = sp_schema_table(schema, "ours");
    assert_true(t->npk == 0 && t->nuniques == 0 && t->nchecks == 1 && !t->columns[2].not_null && !t->strict);
    sp_schema_free(schema);
    sp_close(s);
}

/* A name that only begins like those of our own collections is the user's. */
static void test_names_like_ours(void **state)
{
    struct mpair *p = *state;
    struct sp_schema *schema = NULL;
    need_server(p);
    command(p, 0, "{\"insert\":\"switchproof_results\",\"documents\":[{\"_id\":1}]}");
    command(p, 0, "{\"insert\":\"switchproof_bucket\",\"documents\":[{\"_id\":1}]}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_READ_ONLY);
    OK(p, sp_db_introspect(s, NULL, &schema, &p->err));
    assert_non_null(sp_schema_table(schema, "switchproof_results"));
    assert_null(sp_schema_table(schema, "switchproof_bucket"));
    sp_schema_free(schema);
    sp_close(s);
}

/* Inside a transaction nothing can be tried: what no real server says is then unproven, not believed. */
static void test_nothing_proved_within_a_transaction(void **state)
{
    struct mpair *p = *state;
    struct sp_cap caps[SP_CAP_N];
    struct sp_facts facts;
    need_server(p);
    command(p, 0, "{\"create\":\"docs\"}");
    struct sp_session *s = mpair_open(p, 0, SP_ACCESS_DISPOSABLE);
    sp_error_clear(&p->err);
    int rc = sp_db_begin(s, NULL, &p->err);
    if (rc == 0) {
        OK(p, sp_effective(s, caps, &facts, &p->err));
        assert_true(facts.fidelity == SP_FID_REAL || caps[SP_CAP_TXN].level != SP_CAP_YES);
        assert_true(facts.fidelity == SP_FID_REAL || caps[SP_CAP_UNIQUE].level != SP_CAP_YES);
        OK(p, sp_db_rollback(s, &p->err));
    }
    sp_close(s);
    if (rc == -SP_E_UNSUPPORTED)
        skip();
    assert_int_equal(rc, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, mpair_setup, mpair_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_load_writes_what_it_is_given),
        T(test_failed_load_leaves_nothing),
        T(test_rows_that_cannot_be_loaded),
        T(test_load_within_a_transaction),
        T(test_scan_by_meaning_and_as_stored),
        T(test_undeclared_field_is_told),
        T(test_scan_while_others_write),
        T(test_growing_collection_is_told),
        T(test_schema_of_documents),
        T(test_schema_of_a_validator),
        T(test_schema_of_our_tables),
        T(test_names_like_ours),
        T(test_nothing_proved_within_a_transaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
