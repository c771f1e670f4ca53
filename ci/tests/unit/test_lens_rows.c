/* What a lens makes of documents: paths, arrays, what is left over, and everything that is not as the mapping expects. */
#include "lens_case.h"

static const struct sp_map_relation flat[] = { { .name = "r",
    .table = { "r", "docs" },
    COLUMNS({ .name = "id", .place = { "id", "_id" } }, { .name = "x", .place = { "x", "d/a/x" } },
        { .name = "y", .place = { "y", "d/l/1" } }, { .name = "z", .place = { "z", "d/o~1~0" } }) } };

/* Each document, and its row. */
static const struct {
    const char *document, *row;
} paths[] = {
    { "{\"a\":{\"x\":{\"$numberInt\":\"5\"}}}", "id=1 x=5 y=missing z=missing\n" },
    { "{\"a\":{\"x\":null},\"l\":[1,\"s\"],\"o/~\":true}", "id=1 x=null y=\"s\" z=true | d={\"l\":[1]}\n" },
    { NULL, "id=1 x=missing y=missing z=missing\n" },
    { "{}", "id=1 x=missing y=missing z=missing | d={}\n" },
    { "null", "id=1 x=missing y=missing z=missing | d=null\n" },
    { "{\"a\":null}", "id=1 x=missing y=missing z=missing | d={\"a\":null}\n" },
    { "{\"a\":{}}", "id=1 x=missing y=missing z=missing | d={\"a\":{}}\n" },
    { "{\"a\":{\"x\":1,\"y\":2}}", "id=1 x=1 y=missing z=missing | d={\"a\":{\"y\":2}}\n" },
    { "text", "id=1 x=malformed:text where a document was expected y=malformed:text "
              "where a document was "
              "expected z=malformed:text where a document was expected | d=\"text\"\n" },
    { "{\"a\":[{\"x\":1}]}", "id=1 x=malformed:an array where a document was expected y=missing "
                             "z=missing | d={\"a\":[{\"x\":1}]}\n" },
    { "{\"l\":{\"1\":7}}", "id=1 x=missing y=7 z=missing\n" },
    { "{\"l\":[]}", "id=1 x=missing y=missing z=missing | d={\"l\":[]}\n" },
    { "{\"a\":{\"x\":{\"b\":[1,{\"$numberDouble\":\"2.5\"}]}}}",
        "id=1 x={\"b\":[1,2.5]} y=missing z=missing\n" },
    { "{\"a\":{\"x\":[1,null,\"t\"]}}", "id=1 x=array [int 1, null, text \"t\"] y=missing z=missing\n" },
    { "{\"a\":{\"x\":{\"at\":{\"$date\":\"2024-01-01T00:00:00Z\"}}}}",
        "id=1 x=object:{\"at\":{\"$date\":\"2024-01-01T00:00:00Z\"}} y=missing z=missing\n" },
};

static void paths_lead_into_documents(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_LEN(paths); i++) {
        struct lens_case c;
        lens_begin(&c);
        lens_doc(&c, 1, paths[i].document);
        if (lens_read(&c, flat, 1, "r", "id x y z") != 0)
            fail_msg("%s", sp_error_text(&c.err));
        if (strcmp(c.rows.p, paths[i].row) != 0)
            fail_msg("%s\n  is   %s  not  %s", paths[i].document, c.rows.p, paths[i].row);
        lens_end(&c);
    }
}

/* As stored: what the store tells apart stays apart. */
static void what_is_stored_stays_apart(void **state)
{
    struct lens_case c;
    (void)state;
    lens_begin(&c);
    c.as_stored = true;
    lens_doc(&c, 1,
        "{\"a\":{\"x\":{\"$numberInt\":\"5\"}},\"l\":[0,{\"$numberDecimal\":\"1.50\"},{\"$numberInt\":\"9\"}]"
        ",\"o/~\":{\"p\":1}}");
    assert_rows(&c,
        "id=1 x=int:5 y=decimal:1.50 z=object:{\"p\":1} | "
        "d=object:{\"l\":[0,{\"$numberInt\":\"9\"}]}\n",
        flat, 1, "r", "id x y z");
    lens_end(&c);
}

/* Tags, and the value that each stands for: by its meaning, and as it is stored. */
static const struct {
    const char *tagged, *meaning, *stored;
} tags[] = {
    { "{\"$numberInt\":\"-7\"}", "-7", "int:-7" },
    { "{\"$numberLong\":\"9007199254740993\"}", "9007199254740993", "9007199254740993" },
    { "{\"$numberDouble\":\"-0\"}", "-0.0", "-0.0" },
    { "{\"$numberDouble\":\"NaN\"}", "NaN", "NaN" },
    { "{\"$numberDouble\":\"-Infinity\"}", "-Infinity", "-Infinity" },
    { "{\"$numberDouble\":\"0.1\"}", "0.1", "0.1" },
    { "{\"$numberDecimal\":\"1.5\"}", "1.5", "1.5" },
    { "{\"$numberDecimal\":\"1.50\"}", "1.5", "decimal:1.50" },
    { "{\"$numberDecimal\":\"100\"}", "100", "100" },
    { "{\"$numberDecimal\":\"1E+2\"}", "100", "decimal:1E+2" },
    { "{\"$numberDecimal\":\"1E+40\"}", "10000000000000000000000000000000000000000",
        "10000000000000000000000000000000000000000" },
    { "{\"$numberDecimal\":\"0\"}", "0", "0" },
    { "{\"$numberDecimal\":\"-0\"}", "0", "decimal:-0" },
    { "{\"$numberDecimal\":\"NaN\"}", "decimal:NaN", "decimal:NaN" },
    { "{\"$date\":\"2024-02-29T12:00:00.5Z\"}", "2024-02-29T12:00:00.500Z", "2024-02-29T12:00:00.500Z" },
    { "{\"$date\":\"-1\"}", "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z" },
    { "{\"$oid\":\"650000000000000000000001\"}", "objectId:650000000000000000000001",
        "objectId:650000000000000000000001" },
    { "{\"$uuid\":\"00000000-0000-4000-8000-000000000001\"}", "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000001" },
    { "{\"$binary\":\"0:00ff\"}", "0x00ff", "0x00ff" },
    { "{\"$binary\":\"5:00ff\"}", "binData/5:00ff", "binData/5:00ff" },
    { "{\"$regex\":\"/a/i\"}", "regex:/a/i", "regex:/a/i" },
    { "{\"$minKey\":\"1\"}", "minKey:1", "minKey:1" },
    { "{\"$badText\":\"c328\"}", "\"\\\\xc3(\"", "\"\\\\xc3(\"" },
    { "{\"$$set\":{\"$numberInt\":\"1\"}}", "{\"$set\":1}", "object:{\"$$set\":{\"$numberInt\":\"1\"}}" },
    { "\"a\\u00e9\\ud83d\\ude00\\n\"", "\"a\u00e9\U0001F600\\n\"", "\"a\u00e9\U0001F600\\n\"" },
    { "true", "true", "true" },
};

static void tags_are_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * SP_LEN(tags); i++) {
        struct lens_case c;
        char doc[256], row[256];
        const char *want = i % 2 == 0 ? tags[i / 2].meaning : tags[i / 2].stored;
        lens_begin(&c);
        c.residual = false;
        c.as_stored = i % 2 == 1;
        snprintf(doc, sizeof doc, "{\"a\":{\"x\":%s}}", tags[i / 2].tagged);
        lens_doc(&c, 1, doc);
        if (lens_read(&c, flat, 1, "r", "x") != 0)
            fail_msg("%s", sp_error_text(&c.err));
        snprintf(row, sizeof row, "x=%s", want);
        if (strncmp(c.rows.p, row, strlen(row)) != 0)
            fail_msg("%s: %s, not %s", doc, c.rows.p, row);
        lens_end(&c);
    }
}

/* A column that is compared as JSON takes a text for a text. */
static void json_columns(void **state)
{
    struct lens_case c;
    (void)state;
    lens_begin(&c);
    c.residual = false;
    lens_doc(&c, 1, "{\"a\":{\"x\":\"{}\"}}");
    lens_doc(&c, 2, "{\"a\":{\"x\":[{\"b\":1}]}}");
    lens_doc(&c, 3, "{\"a\":{\"x\":{\"$numberLong\":\"5\"}}}");
    assert_rows(&c, "x=\"{}\"\nx=[{\"b\":1}]\nx=5\n", flat, 1, "r", "x:json");
    lens_end(&c);
}

/* ---- embedded arrays -------------------------------------------------------------------------------------------------- */

static const struct sp_map_relation embedded[] = {
    { .name = "rows", .table = { "rows", "docs" }, COLUMNS({ .name = "id", .place = { "id", "_id" } }) },
    { .name = "items",
        .table = { "items", "docs" },
        .array = { NULL, "d/items" },
        .ordinal_base = 1,
        COLUMNS({ .name = "id", .place = { "id", "_id" }, .parent = { false, true } },
            { .name = "n", .place = { "n", NULL }, .ordinal = { false, true } },
            { .name = "sku", .place = { "sku", "sku" } }, { .name = "deep", .place = { "deep", "f/g" } }) },
    { .name = "labels",
        .table = { "labels", "docs" },
        .array = { NULL, "d/labels" },
        COLUMNS({ .name = "id", .place = { "id", "_id" }, .parent = { false, true } },
            { .name = "label", .place = { "label", "" } }) },
};

static const struct {
    const char *document, *rows, *items, *labels;
} arrays[] = {
    { "{\"items\":[{\"sku\":\"a\",\"f\":{\"g\":1,\"h\":2}},{\"sku\":\"b\"}],\"labels\":[\"x\",\"x\"]}",
        "id=1\n", "id=1 n=1 sku=\"a\" deep=1 | f={\"h\":2}\nid=1 n=2 sku=\"b\" deep=missing\n",
        "id=1 label=\"x\"\nid=1 label=\"x\"\n" },
    { "{\"items\":[],\"labels\":[]}", "id=1\n", "", "" },
    { "{}", "id=1 | d={}\n", "", "" },
    { NULL, "id=1\n", "", "" },
    { "{\"items\":null,\"labels\":null}", "id=1 | d={\"items\":null,\"labels\":null}\n", "", "" },
    { "{\"items\":5}", "id=1 | d={\"items\":5}\n",
        "id=1 n=1 sku=malformed:int where an array was expected deep=malformed:int where "
        "an array was "
        "expected\n",
        "" },
    { "{\"items\":{\"sku\":\"a\"}}", "id=1 | d={\"items\":{\"sku\":\"a\"}}\n",
        "id=1 n=1 sku=malformed:a document where an array was expected deep=malformed:a "
        "document where an "
        "array was expected\n",
        "" },
    { "{\"items\":[null,\"s\",[1]]}", "id=1\n",
        "id=1 n=1 sku=malformed:null where a document was expected deep=malformed:null "
        "where a document "
        "was expected | (element)=null\n"
        "id=1 n=2 sku=malformed:text where a document was expected deep=malformed:text "
        "where a document "
        "was expected | (element)=\"s\"\n"
        "id=1 n=3 sku=malformed:an array where a document was expected deep=malformed:an "
        "array where a "
        "document was expected | (element)=array [int 1]\n",
        "" },
    { "{\"labels\":[null,{\"a\":1},[2]]}", "id=1\n", "",
        "id=1 label=null\nid=1 label={\"a\":1}\nid=1 label=array [int 2]\n" },
    { "text", "id=1 | d=\"text\"\n",
        "id=1 n=1 sku=malformed:text where an array was expected deep=malformed:text "
        "where an array was "
        "expected\n",
        "id=1 label=malformed:text where an array was expected\n" },
};

static void arrays_are_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_LEN(arrays); i++) {
        struct lens_case c;
        lens_begin(&c);
        lens_doc(&c, 1, arrays[i].document);
        assert_rows(&c, arrays[i].rows, embedded, 3, "rows", "id");
        assert_rows(&c, arrays[i].items, embedded, 3, "items", "id n sku deep");
        assert_rows(&c, arrays[i].labels, embedded, 3, "labels", "id label");
        lens_end(&c);
    }
}

/* Two elements that are both no documents are not the same for that. */
static void what_is_malformed_keeps_its_difference(void **state)
{
    static const char *const elements[] = { "\"s\"", "\"t\"", "null", "[1]", "[2]", "{\"$numberInt\":\"1\"}",
        "1" };
    char *rows[SP_LEN(elements)];
    (void)state;
    for (size_t i = 0; i < SP_LEN(elements); i++) {
        struct lens_case c;
        char doc[64];
        lens_begin(&c);
        c.digests = true;
        snprintf(doc, sizeof doc, "{\"items\":[%s]}", elements[i]);
        lens_doc(&c, 1, doc);
        assert_int_equal(0, lens_read(&c, embedded, 3, "items", "id sku"));
        rows[i] = strdup(c.rows.p);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(rows[k], rows[i]);
        lens_end(&c);
    }
    for (size_t i = 0; i < SP_LEN(elements); i++)
        free(rows[i]);
}

/* Where both sides have the array, an empty one and none are not the same. */
static void an_empty_array_of_both_sides_counts(void **state)
{
    const struct sp_map_relation both[] = { embedded[0],
        { .name = "items",
            .table = { "docs", "docs" },
            .array = { "lines", "d/items" },
            COLUMNS({ .name = "sku", .place = { "sku", "sku" } }) } };
    struct lens_case c;
    (void)state;
    lens_begin(&c);
    lens_doc(&c, 1, "{\"items\":[]}");
    lens_doc(&c, 2, "{\"items\":[{\"sku\":1}]}");
    lens_doc(&c, 3, NULL);
    assert_rows(&c, "id=1 | d={\"items\":[]}\nid=2\nid=3\n", both, 2, "rows", "id");
    lens_end(&c);
}

static void what_is_ignored_is_gone(void **state)
{
    const struct sp_map_relation r[] = { { .name = "rows",
        .table = { "rows", "docs" },
        COLUMNS({ .name = "id", .place = { "id", "_id" } },
            { .name = "v", .place = { NULL, "d/__v" }, .ignore = "a counter" }) } };
    struct lens_case c;
    (void)state;
    lens_begin(&c);
    lens_doc(&c, 1, "{\"__v\":3}");
    lens_doc(&c, 2, "{\"__v\":3,\"w\":\"1\"}");
    assert_rows(&c, "id=1\nid=2 | d={\"w\":\"1\"}\n", r, 1, "rows", "id");
    lens_end(&c);
}

/* ---- filters ------------------------------------------------------------------------------------------------------------ */

static void rows_are_asked_for(void **state)
{
    const struct sp_value two = sp_v_int(2), text = sp_v_uuid((const uint8_t *)"0123456789abcdef"),
                          ids[] = { sp_v_int(1), sp_v_text("zz") };
    const struct sp_filter ordinal = { .op = SP_F_EQ, .column = "n", .values = &two, .nvalues = 1 };
    const struct sp_filter spelled = { .op = SP_F_EQ, .column = "sku", .values = &text, .nvalues = 1 };
    const struct sp_filter in = { .op = SP_F_IN, .column = "id", .values = ids, .nvalues = 2 };
    const struct sp_filter greater = { .op = SP_F_GT, .column = "sku", .values = &two, .nvalues = 1 };
    const struct sp_filter unknown = { .op = SP_F_EQ, .column = "nothing", .values = &two, .nvalues = 1 };
    struct sp_map_relation own[SP_LEN(embedded)];
    const struct sp_value a = sp_v_text("a");
    const struct sp_filter places = { .op = SP_F_NEQ, .column = "sku", .values = &a, .nvalues = 1 };
    struct lens_case c;
    (void)state;
    memcpy(own, embedded, sizeof own);
    lens_begin(&c);
    c.residual = false;
    lens_doc(&c, 1, "{\"items\":[{\"sku\":\"a\"},{\"sku\":\"b\"}]}");
    lens_doc(&c, 2, "{\"items\":[{\"sku\":\"30313233-3435-3637-3839-616263646566\"}]}");
    c.where = &ordinal;
    assert_rows(&c, "id=1 sku=\"b\"\n", embedded, 3, "items", "id sku");
    c.where = &spelled; /* the same id in the type in which it is asked for */
    assert_rows(&c, "id=2 sku=\"30313233-3435-3637-3839-616263646566\"\n", embedded, 3, "items", "id sku");
    c.where = &in;
    assert_rows(&c, "id=1 sku=\"a\"\nid=1 sku=\"b\"\n", embedded, 3, "items", "id sku");
    c.where = &greater;
    assert_int_equal(-SP_E_INVALID, lens_read(&c, embedded, 3, "items", "id sku"));
    c.where = &unknown;
    assert_int_equal(-SP_E_INVALID, lens_read(&c, embedded, 3, "items", "id sku"));
    /* The document is asked for by its key, the element is looked for in it. */
    const struct sp_value one = sp_v_int(1);
    const struct sp_filter key[] = { { .op = SP_F_EQ, .column = "id", .values = &one, .nvalues = 1 },
        ordinal };
    const struct sp_filter both = { .op = SP_F_AND, .args = key, .nargs = 2 };
    const struct sp_filter either = { .op = SP_F_OR, .args = key, .nargs = 2 };
    const struct sp_filter neither = { .op = SP_F_NOT, .args = &both, .nargs = 1 };
    static const struct {
        unsigned selected;
        const char *rows;
    } want[] = { { 1, "id=1 n=2\n" }, { 2, "id=1 n=1\nid=1 n=2\n" }, { 2, "id=1 n=1\nid=2 n=1\n" } };
    for (size_t i = 0; i < 3; i++) {
        c.where = i == 0 ? &both : i == 1 ? &either : &neither;
        c.t->selected = 0;
        assert_rows(&c, want[i].rows, embedded, 3, "items", "id n");
        assert_int_equal(want[i].selected, c.t->selected);
    }
    c.where = NULL;
    own[1].where[1] = &places; /* the relation's own, over places */
    assert_rows(
        &c, "id=1 sku=\"b\"\nid=2 sku=\"30313233-3435-3637-3839-616263646566\"\n", own, 3, "items", "id sku");
    lens_end(&c);
}

/* ---- what goes wrong below ------------------------------------------------------------------------------------------------ */

static void an_inner_scan_that_fails_is_no_scan(void **state)
{
    struct lens_case c;
    (void)state;
    lens_begin(&c);
    lens_doc(&c, 1, "{\"items\":[{\"sku\":\"a\"}]}");
    lens_doc(&c, 2, "{\"items\":[{\"sku\":\"b\"}]}");
    c.t->scan_fails = true;
    assert_int_equal(-SP_E_IO, lens_read(&c, embedded, 3, "items", "id"));
    c.t->scan_fails = false;
    c.t->no_end = true;
    assert_true(lens_read(&c, embedded, 3, "items", "id") < 0);
    c.t->no_end = false;
    c.t->lies_about_count = true;
    assert_int_equal(-SP_E_CORRUPT, lens_read(&c, embedded, 3, "items", "id"));
    c.t->lies_about_count = false;
    assert_int_equal(0, lens_read(&c, embedded, 3, "items", "id"));
    assert_int_equal(-SP_E_INVALID, lens_read(&c, embedded, 3, "items", "id nothing"));
    assert_int_equal(-SP_E_NOT_FOUND, lens_read(&c, embedded, 3, "docs", "id"));
    lens_end(&c);
}

/* Nothing of a relation is written. */
static void a_lens_only_reads(void **state)
{
    struct lens_case c;
    const struct sp_value v = sp_v_int(1);
    const char *const fields[] = { "id" };
    const struct sp_table t = { .name = "new" };
    (void)state;
    lens_begin(&c);
    assert_rows(&c, "", embedded, 3, "rows", "id");
    c.docs->endpoint.access = SP_ACCESS_DISPOSABLE;
    assert_int_equal(-SP_E_UNSUPPORTED, sp_db_insert_many(c.lens, "rows", fields, 1, &v, 1, NULL, &c.err));
    assert_int_equal(-SP_E_UNSUPPORTED, sp_db_table_create(c.lens, &t, true, &c.err));
    assert_int_equal(-SP_E_UNSUPPORTED, sp_db_table_drop(c.lens, "rows", &c.err));
    lens_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_lead_into_documents),
        cmocka_unit_test(what_is_stored_stays_apart),
        cmocka_unit_test(tags_are_values),
        cmocka_unit_test(json_columns),
        cmocka_unit_test(arrays_are_tables),
        cmocka_unit_test(what_is_malformed_keeps_its_difference),
        cmocka_unit_test(an_empty_array_of_both_sides_counts),
        cmocka_unit_test(what_is_ignored_is_gone),
        cmocka_unit_test(rows_are_asked_for),
        cmocka_unit_test(an_inner_scan_that_fails_is_no_scan),
        cmocka_unit_test(a_lens_only_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
