/* Ids of the target as those of the source: pairs on disk, and what stands in no pair, in two, or in none that means
 * anything. */
#include <unistd.h>

#include "lens_case.h"
#include "map/lens_pairs.h"

/* ---- pairs on disk ------------------------------------------------------------------------------------------------------ */

static void field(struct sp_buf *b, int64_t i)
{
    static const struct sp_type dynamic = { .tag = SP_MISSING };
    const struct sp_value v = sp_v_int(i);
    sp_buf_clear(b);
    assert_int_equal(0, sp_canon_field(b, &dynamic, &v, NULL));
}

static int fill(
    struct lens_pairs **p, int64_t n, int64_t twice_target, int64_t twice_source, struct sp_error *err)
{
    struct sp_buf key = SP_BUF_INIT, source = SP_BUF_INIT;
    assert_int_equal(0, lens_pairs_new(p, err));
    for (int64_t i = 0; i < n; i++) {
        field(&key, twice_target >= 0 && i == n - 1 ? twice_target : i);
        field(&source, twice_source >= 0 && i == n - 1 ? -twice_source : -i);
        assert_int_equal(0, lens_pairs_add(*p, &key, &source, &source, err));
    }
    sp_buf_free(&key);
    sp_buf_free(&source);
    return lens_pairs_finish(*p, err);
}

static void every_pair_is_found_at_any_number(void **state)
{
    static const int64_t sizes[] = { 0, 1, 2, 127, 128, 129, 256, 257, 300000 };
    (void)state;
    for (size_t k = 0; k < SP_LEN(sizes); k++) {
        struct sp_error err = SP_ERROR_INIT;
        struct lens_pairs *p;
        struct sp_buf key = SP_BUF_INIT;
        struct sp_arena a = SP_ARENA_INIT;
        struct sp_value v;
        int64_t n = sizes[k], step = n > 1000 ? 977 : 1;
        assert_int_equal(0, fill(&p, n, -1, -1, &err));
        assert_int_equal(n, lens_pairs_count(p));
        for (int64_t i = 0; i < n; i += step) {
            field(&key, i);
            assert_int_equal(1, lens_pairs_find(p, &a, &key, &v, &err));
            assert_int_equal(-i, v.u.i);
        }
        for (int64_t i = n; i < n + 100; i++) {
            field(&key, i);
            assert_int_equal(0, lens_pairs_find(p, &a, &key, &v, &err));
        }
        lens_pairs_free(p);
        sp_buf_free(&key);
        sp_arena_free(&a);
    }
}

static void an_id_in_two_pairs_is_an_error(void **state)
{
    static const int64_t sizes[] = { 2, 200, 300000 };
    (void)state;
    for (size_t k = 0; k < 2 * SP_LEN(sizes); k++) {
        struct sp_error err = SP_ERROR_INIT;
        struct lens_pairs *p;
        bool target = k % 2 == 0;
        assert_int_equal(-SP_E_CORRUPT, fill(&p, sizes[k / 2], target ? 0 : -1, target ? -1 : 0, &err));
        assert_non_null(
            strstr(sp_error_text(&err), target ? "the target's id 0 stands" : "the source's id 0 stands"));
        sp_error_clear(&err);
        lens_pairs_free(p);
    }
}

static void temporary_files_need_a_place(void **state)
{
    struct sp_error err = SP_ERROR_INIT;
    struct lens_pairs *p;
    (void)state;
    const char *before = getenv("TMPDIR");
    char *kept = before != NULL ? strdup(before) : NULL;
    setenv("TMPDIR", "/nonexistent", 1);
    assert_int_equal(-SP_E_IO, lens_pairs_new(&p, &err));
    assert_null(p);
    sp_error_clear(&err);
    kept != NULL ? setenv("TMPDIR", kept, 1) : unsetenv("TMPDIR");
    free(kept);
}

/* ---- through a lens --------------------------------------------------------------------------------------------------------- */

static const struct sp_crosswalk embedded_ids[] = {
    { .name = "people", .on_target = true, .table = "docs", .source_id = "d/old", .target_id = "_id" }
};
static const struct sp_map_relation relations[] = {
    { .name = "people",
        .table = { "people", "docs" },
        COLUMNS({ .name = "id", .place = { "id", "_id" }, .crosswalk = "people" }) },
    { .name = "friends",
        .table = { "friends", "docs" },
        .array = { NULL, "d/friends" },
        COLUMNS({ .name = "id", .place = { "id", "_id" }, .parent = { false, true }, .crosswalk = "people" },
            { .name = "friend", .place = { "friend", "" }, .crosswalk = "people" }) },
};

static void begin(struct lens_case *c, const struct sp_crosswalk *x)
{
    lens_begin(c);
    c->m.crosswalks = x;
    c->m.ncrosswalks = 1;
}

static void ids_are_translated(void **state)
{
    struct lens_case c;
    (void)state;
    begin(&c, embedded_ids);
    lens_doc(&c, 101,
        "{\"old\":\"a\",\"friends\":[{\"$numberInt\":\"102\"},103,null,{\"$numberInt\":\"999\"},\"102\"]}");
    lens_doc(&c, 102, "{\"old\":{\"$numberInt\":\"7\"},\"friends\":[{\"$numberLong\":\"101\"}]}");
    lens_doc(&c, 103, "{\"old\":null}");
    lens_doc(&c, 104, "{}");
    /* What came into being on the target has no old id: never dropped, never equal. */
    assert_rows(
        &c, "id=\"a\"\nid=7\nid=unmapped id:103\nid=unmapped id:104 | d={}\n", relations, 2, "people", "id");
    /* By meaning, int32 and int64 are one id; a text is another. */
    assert_rows(&c,
        "id=\"a\" friend=7\nid=\"a\" friend=unmapped id:103\nid=\"a\" friend=null\nid=\"a\" friend=unmapped "
        "id:999\n"
        "id=\"a\" friend=unmapped id:\"102\"\nid=7 friend=\"a\"\n",
        relations, 2, "friends", "id friend");
    lens_end(&c);
}

static void two_old_ids_concern_who_uses_them(void **state)
{
    const struct sp_map_relation r[] = { relations[0], relations[1],
        { .name = "notes",
            .table = { "notes", "docs" },
            .array = { NULL, "d/notes" },
            COLUMNS({ .name = "note", .place = { "note", "" } }) } };
    struct lens_case c;
    (void)state;
    begin(&c, embedded_ids);
    lens_doc(&c, 101, "{\"old\":5,\"notes\":[1]}");
    lens_doc(&c, 102, "{\"old\":5}");
    assert_int_equal(-SP_E_CORRUPT, lens_read(&c, r, 3, "people", "id"));
    assert_non_null(strstr(sp_error_text(&c.err), "crosswalk people"));
    assert_non_null(strstr(sp_error_text(&c.err), "the source's id 5 stands in more than one pair"));
    c.residual = false;
    assert_rows(&c, "note=1\n", r, 3, "notes", "note");
    lens_end(&c);
}

/* Pairs that the source keeps may spell the target's ids. */
static void pairs_of_the_other_side(void **state)
{
    static const struct sp_crosswalk kept[] = {
        { .name = "people", .table = "ids", .source_id = "old", .target_id = "new" }
    };
    static const struct {
        const char *id;
    } spelled[] = { { "65000000000000000000000A" }, { "00000000-0000-4000-8000-00000000000B" } };
    struct lens_case c;
    (void)state;
    begin(&c, kept);
    struct fake_table *t = fake_table(c.other, "ids", "old:int! new:text", 1);
    for (int i = 0; i < 2; i++) {
        struct sp_value *v = fake_row(t);
        v[0] = sp_v_int(i + 1);
        v[1] = sp_v_text(spelled[i].id);
    }
    struct sp_value *v = fake_row(t);
    v[0] = sp_v_int(3);
    v[1] = sp_v_null();
    lens_doc(&c, 1,
        "{\"friends\":[{\"$oid\":\"65000000000000000000000a\"},{\"$uuid\":\"00000000-0000-4000-8000-"
        "00000000000b\"},"
        "{\"$oid\":\"65000000000000000000000b\"}]}");
    assert_rows(&c, "friend=1\nfriend=2\nfriend=unmapped id:native objectId \"65000000000000000000000b\"\n",
        relations, 2, "friends", "friend");
    t->scan_fails = true;
    assert_int_equal(-SP_E_IO, lens_read(&c, relations, 2, "friends", "friend"));
    lens_end(&c);
}

static void a_crosswalk_needs_its_table(void **state)
{
    static const struct sp_crosswalk nowhere[] = {
        { .name = "people", .table = "ids", .source_id = "old", .target_id = "new" }
    };
    static const struct sp_crosswalk other_name[] = {
        { .name = "persons", .on_target = true, .table = "docs", .source_id = "d/old", .target_id = "_id" }
    };
    struct lens_case c;
    (void)state;
    begin(&c, nowhere);
    assert_int_equal(0, lens_read(&c, relations, 2, "friends", "friend")); /* nothing to translate */
    lens_doc(&c, 1, "{\"friends\":[1]}");
    assert_int_equal(-SP_E_NOT_FOUND, lens_read(&c, relations, 2, "friends", "friend"));
    c.m.crosswalks = other_name;
    assert_int_equal(-SP_E_INVALID, lens_read(&c, relations, 2, "friends", "friend"));
    lens_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_is_found_at_any_number),
        cmocka_unit_test(an_id_in_two_pairs_is_an_error),
        cmocka_unit_test(temporary_files_need_a_place),
        cmocka_unit_test(ids_are_translated),
        cmocka_unit_test(two_old_ids_concern_who_uses_them),
        cmocka_unit_test(pairs_of_the_other_side),
        cmocka_unit_test(a_crosswalk_needs_its_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
