/* Introspection: what the file holds is said completely, and a table made from a struct comes back as that struct. */
#include "sqlite_util.h"

static struct sp_schema *schema_of(struct sp_session *s, const char *ns)
{
    struct sp_schema *out = NULL;
    OK(sp_db_introspect(s, ns, &out, &err));
    return out;
}

static const struct sp_inventory_item *item(const struct sp_schema *s, const char *kind, const char *name)
{
    for (size_t i = 0; i < s->ninventory; i++)
        if (strcmp(s->inventory[i].kind, kind) == 0 && strcmp(s->inventory[i].name, name) == 0)
            return &s->inventory[i];
    return NULL;
}

static const char foreign_schema[] =
    "CREATE TABLE parent(id INTEGER PRIMARY KEY, code VARCHAR(10) COLLATE NOCASE UNIQUE, born DATETIME);\n"
    "CREATE TABLE \"odd \"\"t\"\"\" (\n"
    "  a INT NOT NULL DEFAULT -1.5e-3 CONSTRAINT pos CHECK (a > -2 AND b <> ')'), -- a comment, with CHECK "
    "(no)\n"
    "  [b c] TEXT /* , CHECK (x) */ DEFAULT 'it''s, CHECK(1)',\n"
    "  `d` DECIMAL(12, 2) GENERATED ALWAYS AS (a * 2) STORED,\n"
    "  b, \xc3\xa9 BOOLEAN,\n"
    "  p INTEGER REFERENCES parent ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED,\n"
    "  q TEXT CONSTRAINT fkq REFERENCES PARENT(code),\n"
    "  CONSTRAINT pkx PRIMARY KEY (b, a),\n"
    "  CONSTRAINT un UNIQUE (a, \"b c\") CHECK (a != 7)\n"
    "  FOREIGN KEY (p) REFERENCES parent (id) NOT DEFERRABLE\n"
    ") WITHOUT ROWID;\n"
    "CREATE UNIQUE INDEX \"i x\" ON \"odd \"\"t\"\"\" (a DESC, lower(b), q COLLATE NOCASE) WHERE a > 0 AND q "
    "IS NOT NULL;\n"
    "CREATE TABLE seq(id INTEGER PRIMARY KEY AUTOINCREMENT, v); CREATE TABLE seq2(id INTEGER PRIMARY KEY "
    "AUTOINCREMENT);\n"
    "INSERT INTO seq(id) VALUES (41);\n"
    "CREATE TABLE st(i INT, r REAL, t TEXT, b BLOB, a ANY) STRICT;\n"
    "CREATE VIEW v AS SELECT a FROM \"odd \"\"t\"\"\"; CREATE TRIGGER tr AFTER INSERT ON seq BEGIN SELECT 1; "
    "END;\n"
    "CREATE VIRTUAL TABLE ft USING fts5(x); CREATE TABLE ft_mine(x);\n";

static void test_foreign(void **state)
{
    (void)state;
    struct test_session t;
    foreign(at("f.db"), foreign_schema);
    open_as(&t, at("f.db"), SP_ACCESS_READ_ONLY);
    struct sp_schema *s = schema_of(t.s, NULL);
    assert_int_equal(s->ntables, 11);                    /* six, and the five that hold the content of ft */
    assert_string_equal(s->tables[0].name, "ft_config"); /* bytewise order */
    const struct sp_table *o = sp_schema_table(s, "odd \"t\"");
    assert_non_null(o);
    assert_int_equal(o->ncolumns, 7);
    assert_true(o->without_rowid);
    assert_false(o->strict);
    assert_int_equal(o->columns[0].type.tag, SP_MISSING);
    assert_int_equal(o->columns[0].declared.tag, SP_INT);
    assert_string_equal(o->columns[0].native_type, "INT");
    assert_string_equal(o->columns[0].default_expr, "-1.5e-3");
    assert_string_equal(o->columns[1].name, "b c");
    assert_string_equal(o->columns[1].default_expr, "'it''s, CHECK(1)'");
    assert_string_equal(o->columns[2].generated, "a * 2");
    assert_int_equal(o->columns[2].declared.precision, 12);
    assert_int_equal(o->columns[2].declared.scale, 2);
    assert_string_equal(o->columns[4].name, "\xc3\xa9");
    assert_int_equal(o->npk, 2);
    assert_string_equal(o->pk[0], "b");
    assert_string_equal(o->pk[1], "a");
    assert_true(o->columns[3].not_null); /* WITHOUT ROWID lets no null into its key */
    assert_int_equal(o->nchecks, 2);
    assert_string_equal(o->checks[0].name, "pos");
    assert_string_equal(o->checks[0].expr, "a > -2 AND b <> ')'");
    assert_null(o->checks[1].name);
    assert_string_equal(o->checks[1].expr, "a != 7");
    assert_int_equal(o->nuniques, 1);
    assert_string_equal(o->uniques[0].name, "un");
    assert_string_equal(o->uniques[0].columns[1], "b c");
    assert_int_equal(o->nfks, 3);
    assert_string_equal(o->fks[0].ref_table, "parent");
    assert_string_equal(o->fks[0].ref_columns[0], "id");
    assert_int_equal(o->fks[0].on_delete, SP_FK_CASCADE);
    assert_int_equal(o->fks[0].on_update, SP_FK_SET_NULL);
    assert_true(o->fks[0].deferrable && o->fks[0].initially_deferred);
    assert_string_equal(o->fks[1].name, "fkq");
    assert_string_equal(o->fks[1].ref_table, "parent"); /* as the parent spells itself */
    assert_string_equal(o->fks[1].ref_columns[0], "code");
    assert_false(o->fks[2].deferrable);
    assert_int_equal(o->nindexes, 1);
    assert_string_equal(o->indexes[0].name, "i x");
    assert_true(o->indexes[0].unique && o->indexes[0].descending_any);
    assert_int_equal(o->indexes[0].ncolumns, 3);
    assert_string_equal(o->indexes[0].columns[0], "a");
    assert_string_equal(o->indexes[0].columns[1], "(lower(b))");
    assert_string_equal(o->indexes[0].columns[2], "(q COLLATE NOCASE)");
    assert_string_equal(o->indexes[0].where, "a > 0 AND q IS NOT NULL");
    const struct sp_table *p = sp_schema_table(s, "parent");
    assert_int_equal(p->columns[0].type.tag, SP_INT); /* a rowid holds nothing else */
    assert_true(p->columns[0].identity && p->columns[0].not_null);
    assert_string_equal(p->columns[1].collation, "NOCASE");
    assert_int_equal(p->columns[1].declared.length, 10);
    assert_int_equal(p->columns[2].declared.tag, SP_LOCAL);
    assert_int_equal(p->nuniques, 1);
    const struct sp_table *st = sp_schema_table(s, "st");
    assert_true(st->strict);
    static const enum sp_tag tags[] = { SP_INT, SP_F64, SP_TEXT, SP_BYTES, SP_MISSING };
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(st->columns[i].type.tag, tags[i]);
    assert_int_equal(s->nsequences, 2);
    assert_string_equal(s->sequences[0].table, "seq");
    assert_int_equal(s->sequences[0].next, 42);
    assert_int_equal(s->sequences[1].next, 1);
    assert_non_null(item(s, "view", "v"));
    assert_string_equal(item(s, "trigger", "tr")->table, "seq");
    assert_non_null(item(s, "virtual table", "ft"));
    assert_non_null(sp_schema_table(s, "ft_data"));
    assert_non_null(sp_schema_table(s, "ft_mine"));
    sp_schema_free(s);
    sp_close(t.s);
}

static void test_verbatim(void **state)
{
    (void)state;
    struct test_session a, b;
    foreign(at("src.db"), foreign_schema);
    open_as(&a, at("src.db"), SP_ACCESS_READ_ONLY);
    open_as(&b, at("dst.db"), SP_ACCESS_TARGET);
    struct sp_schema *s = schema_of(a.s, NULL);
    for (size_t i = 0; i < s->ntables; i++) {
        struct sp_table t = s->tables[i];
        assert_string_equal(t.native_kind, "sqlite");
        assert_false(t.native_verbatim);
        t.native_verbatim = true;
        OK(sp_db_table_create(b.s, &t, false, &err));
        OK(sp_db_table_finish(b.s, &t, &err));
    }
    struct sp_schema *d = schema_of(b.s, NULL);
    assert_int_equal(d->ntables, s->ntables);
    for (size_t i = 0; i < s->ntables; i++)
        assert_string_equal(d->tables[i].native_definition, s->tables[i].native_definition);
    struct sp_table renamed = s->tables[0];
    renamed.name = "other";
    renamed.native_verbatim = true;
    FAILS(SP_E_INVALID, sp_db_table_create(b.s, &renamed, true, &err));
    sp_schema_free(s);
    sp_schema_free(d);
    sp_close(a.s);
    sp_close(b.s);
}

/* One column per type, there and back. */
static const struct sp_column all[] = {
    { .name = "k", .type = { .tag = SP_INT, .int_bits = 64 }, .not_null = true },
    { .name = "b", .type = { .tag = SP_BOOL } },
    { .name = "i16", .type = { .tag = SP_INT, .int_bits = 16 } },
    { .name = "dec", .type = { .tag = SP_DEC, .precision = 38, .scale = 10 } },
    { .name = "f32", .type = { .tag = SP_F32 } },
    { .name = "f64", .type = { .tag = SP_F64 } },
    { .name = "t", .type = { .tag = SP_TEXT, .length = 40 } },
    { .name = "c", .type = { .tag = SP_TEXT, .length = 4, .padded = true } },
    { .name = "y", .type = { .tag = SP_BYTES } },
    { .name = "u", .type = { .tag = SP_UUID } },
    { .name = "at", .type = { .tag = SP_INSTANT, .precision = 7 } },
    { .name = "lt", .type = { .tag = SP_LOCAL } },
    { .name = "d", .type = { .tag = SP_DATE } },
    { .name = "tm", .type = { .tag = SP_TIME } },
    { .name = "j", .type = { .tag = SP_JSON } },
    { .name = "arr", .type = { .tag = SP_ARRAY, .elem = SP_TEXT } },
    { .name = "vec", .type = { .tag = SP_VECTOR, .length = 3 } },
};

static void test_types(void **state)
{
    (void)state;
    enum { N = sizeof all / sizeof all[0] };
    static const char *const pk[] = { "k" };
    struct sp_table t = { .name = "all", .columns = all, .ncolumns = N, .pk = pk, .npk = 1, .strict = true };
    struct test_session a;
    struct sp_arena ar = SP_ARENA_INIT;
    open_as(&a, at("types.db"), SP_ACCESS_DISPOSABLE);
    OK(sp_db_table_create(a.s, &t, true, &err));
    struct sp_schema *s = schema_of(a.s, NULL);
    assert_int_equal(s->ntables, 1);
    assert_true(s->tables[0].strict);
    assert_int_equal(s->tables[0].nchecks, 0);
    for (size_t i = 0; i < N; i++)
        if (!sp_type_equal(&s->tables[0].columns[i].type, &all[i].type))
            fail_msg("type of %s changed: %s", all[i].name, s->tables[0].columns[i].native_type);
    sp_schema_free(s);
    static const uint8_t uuid[16] = { 1, 2, 3, 0xff };
    const struct sp_value words[] = { sp_v_text("a\"\\,]"), sp_v_null(), sp_v_text(""),
        sp_v_text("\xf0\x9f\x98\x80\n") };
    static const float vec[] = { 0.1f, -0.0f, 3e38f };
    struct sp_value v[N] = { sp_v_int(INT64_MIN), sp_v_bool(true), sp_v_int(-32768),
        sp_v_dec_text(&ar, "-1234567890123456789012345678.0123456789"), sp_v_f32(0.1f), sp_v_f64(1e308),
        sp_v_textn("a\0b", 3), sp_v_text("ab  "), sp_v_bytes("\0\xff", 2), sp_v_uuid(uuid),
        sp_v_instant(-62135596800, 1), sp_v_local(253402300799, 999999999), sp_v_date(-719162),
        sp_v_time(86399999999999), sp_v_json("{\"n\":1.10000000000000000000001,\"a\":[null,true]}"),
        sp_v_array(SP_TEXT, words, 4), sp_v_vector(vec, 3) };
    const char *names[N];
    for (size_t i = 0; i < N; i++)
        names[i] = all[i].name;
    OK(sp_db_insert_many(a.s, "all", names, N, v, 1, NULL, &err));
    struct sp_result r = SP_RESULT_INIT;
    struct sp_query q = { .table = "all", .limit = SP_NO_LIMIT };
    OK(sp_db_read(a.s, &q, &r, &err));
    assert_int_equal(r.nrows, 1);
    for (size_t i = 0; i < N; i++)
        if (!sp_value_equal(&r.values[i], &v[i])) {
            struct sp_buf x = SP_BUF_INIT;
            sp_value_print(&x, &r.values[i], 0);
            fail_msg("%s came back as %s", all[i].name, x.p);
        }
    sp_result_reset(&r);
    /* each is found again by its own value, and only by that */
    for (size_t i = 0; i < N; i++) {
        struct sp_filter f = { .op = SP_F_EQ, .column = names[i], .values = &v[i], .nvalues = 1 };
        int64_t n = -1;
        OK(sp_db_count(a.s, "all", &f, &n, &err));
        if (n != 1)
            fail_msg("%s = its own value finds %lld rows", names[i], (long long)n);
    }
    struct sp_filter has = { .op = SP_F_CONTAINS, .column = "arr", .values = &words[0], .nvalues = 1 };
    int64_t n = -1;
    OK(sp_db_count(a.s, "all", &has, &n, &err));
    assert_int_equal(n, 1);
    struct sp_value part = sp_v_text("a");
    has.values = &part;
    OK(sp_db_count(a.s, "all", &has, &n, &err));
    assert_int_equal(n, 0);
    /* strict: another type is refused in every column, also from another client */
    for (size_t i = 1; i < N; i++) {
        struct sp_value wrong = all[i].type.tag == SP_BYTES ? sp_v_text("x") : sp_v_bytes("x", 1);
        struct sp_field f[] = { { "k", sp_v_int((int64_t)i) }, { names[i], wrong } };
        FAILS(SP_E_INVALID, sp_db_insert(a.s, "all", f, 2, &err));
        char sql[128];
        snprintf(sql, sizeof sql, "INSERT INTO \"all\"(k, \"%s\") VALUES (%zu, %s)", names[i], i,
            all[i].type.tag == SP_BYTES ? "'x'" : "x'00'");
        struct sp_op raw = { .kind = SP_OP_RAW, .raw = sql };
        FAILS(SP_E_INVALID, sp_db_exec(a.s, &raw, NULL, &err));
    }
    struct sp_field big[] = { { "k", sp_v_int(99) }, { "i16", sp_v_int(32768) } };
    FAILS(SP_E_INVALID, sp_db_insert(a.s, "all", big, 2, &err));
    sp_result_free(&r);
    sp_arena_free(&ar);
    sp_close(a.s);
}

static void test_namespaces(void **state)
{
    (void)state;
    static const struct sp_column cols[] = { { .name = "id", .type = { .tag = SP_INT }, .identity = true } };
    static const char *const pk[] = { "id" };
    static const char *const cid[] = { "id" };
    static const struct sp_index ix[] = { { .name = "ix", .columns = cid, .ncolumns = 1 } };
    struct sp_table t = {
        .name = "t", .columns = cols, .ncolumns = 1, .pk = pk, .npk = 1, .indexes = ix, .nindexes = 1
    };
    struct test_session a;
    struct sp_names l = { SP_ARENA_INIT, NULL, 0, 0 };
    foreign(at("ns.db"), "CREATE TABLE app__users(x); CREATE TABLE t(y)");
    open_as(&a, at("ns.db"), SP_ACCESS_DISPOSABLE);
    FAILS(SP_E_NOT_FOUND, sp_db_ns_use(a.s, "r1", &err));
    OK(sp_db_ns_create(a.s, "r1", &err));
    OK(sp_db_ns_create(a.s, "r1_x", &err));
    FAILS(SP_E_EXISTS, sp_db_ns_create(a.s, "r1", &err));
    FAILS(SP_E_INVALID, sp_db_ns_create(a.s, "r1__b", &err)); /* r1's table b__t would be its table t */
    FAILS(SP_E_INVALID, sp_db_ns_create(a.s, "r1_", &err));
    OK(sp_db_ns_create(a.s, "q_", &err));
    FAILS(SP_E_INVALID, sp_db_ns_create(a.s, "q", &err));
    OK(sp_db_ns_drop(a.s, "q_", &err));
    OK(sp_db_ns_list(a.s, "", &l, &err));
    assert_int_equal(l.n, 2); /* app__users is nobody's namespace */
    OK(sp_db_ns_use(a.s, "r1", &err));
    OK(sp_db_table_create(a.s, &t, true, &err));
    OK(sp_db_ns_use(a.s, "r1_x", &err));
    OK(sp_db_table_create(a.s, &t, true, &err)); /* same names, nothing collides */
    struct sp_sequence q = { .name = "t", .table = "t", .column = "id", .next = 100, .increment = 1 };
    OK(sp_db_sequence_set(a.s, &q, &err));
    struct sp_schema *s = schema_of(a.s, "r1_x");
    assert_int_equal(s->ntables, 1);
    assert_string_equal(s->tables[0].name, "t");
    assert_string_equal(s->tables[0].indexes[0].name, "ix");
    assert_int_equal(s->sequences[0].next, 100);
    sp_schema_free(s);
    s = schema_of(a.s, NULL);
    assert_int_equal(s->ntables, 2);
    assert_non_null(sp_schema_table(s, "app__users"));
    assert_non_null(item(s, "switchproof namespace", "r1"));
    sp_schema_free(s);
    OK(sp_db_ns_drop(a.s, "r1", &err));
    OK(sp_db_ns_drop(a.s, "app", &err)); /* no marker: not ours, not touched */
    OK(sp_db_ns_drop(a.s, "r1_x", &err));
    s = schema_of(a.s, NULL);
    assert_int_equal(s->ntables, 2);
    assert_int_equal(s->ninventory, 0);
    sp_schema_free(s);
    sp_names_free(&l);
    sp_close(a.s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_verbatim),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_namespaces),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
