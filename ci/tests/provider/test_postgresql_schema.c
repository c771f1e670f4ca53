/* test_postgresql_schema.c -- a schema made by another client, read into the logical vocabulary; and tables of ours, read
 * back as they were asked for. */
#include "postgresql_util.h"

static const struct sp_column *col(const struct sp_schema *s, const char *table, const char *name)
{
    const struct sp_table *t = sp_schema_table(s, table);
    if (t == NULL)
        fail_msg("no table %s", table);
    const struct sp_column *c = sp_table_column(t, name);
    if (c == NULL)
        fail_msg("no column %s.%s", table, name);
    return c;
}

static const struct sp_inventory_item *item(const struct sp_schema *s, const char *kind, const char *name)
{
    for (size_t i = 0; i < s->ninventory; i++)
        if (strcmp(s->inventory[i].kind, kind) == 0 && strcmp(s->inventory[i].name, name) == 0)
            return &s->inventory[i];
    fail_msg("nothing in the inventory: %s %s", kind, name);
    return NULL;
}

static void foreign_schema(void)
{
    raw("CREATE TYPE mood AS ENUM ('sad', 'happy')");
    raw("CREATE DOMAIN posint AS numeric(8,2) CHECK (VALUE > 0)");
    raw("CREATE TABLE place(id serial PRIMARY KEY, a int NOT NULL, b text COLLATE \"C\" DEFAULT 'it''s', n "
        "int "
        "DEFAULT -7, f numeric(10,3) DEFAULT 0.5, mood mood, p posint, at timestamptz(3) DEFAULT now(), tags "
        "text[], "
        "g int GENERATED ALWAYS AS (a * 2) STORED, iv interval, c char(4), big bigint GENERATED ALWAYS AS "
        "IDENTITY "
        "(START 10 INCREMENT 5), CONSTRAINT positive CHECK (a > 0), CONSTRAINT ab UNIQUE (b, a))");
    raw("CREATE UNIQUE INDEX place_part ON place (lower(b), n DESC) WHERE n > 0");
    raw("CREATE INDEX place_tags ON place USING gin (tags)");
    raw("CREATE INDEX place_inc ON place (a) INCLUDE (b)");
    raw("CREATE TABLE link(place_id int, other int, CONSTRAINT l1 FOREIGN KEY (place_id) REFERENCES place ON "
        "DELETE "
        "CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED)");
    raw("INSERT INTO link VALUES (NULL, 99)");
    raw("ALTER TABLE link ADD CONSTRAINT l2 FOREIGN KEY (other) REFERENCES place (id) NOT VALID");
    raw("ALTER TABLE link ADD CONSTRAINT late CHECK (other > 1000) NOT VALID");
    raw("CREATE TABLE parted(id int) PARTITION BY HASH (id)");
    raw("CREATE TABLE parted_0 PARTITION OF parted FOR VALUES WITH (MODULUS 1, REMAINDER 0)");
    raw("CREATE VIEW happy AS SELECT id FROM place WHERE mood = 'happy'");
    raw("CREATE FUNCTION twice(x int) RETURNS int LANGUAGE sql AS 'SELECT x * 2'");
    raw("CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
    raw("CREATE TRIGGER tg BEFORE INSERT ON link FOR EACH ROW EXECUTE FUNCTION tr()");
    raw("ALTER TABLE link ENABLE ROW LEVEL SECURITY");
    raw("CREATE POLICY mine ON link USING (other > 0)");
    raw("GRANT SELECT ON place TO PUBLIC");
}

static void columns(const struct sp_schema *s)
{
    assert_true(col(s, "place", "id")->identity);
    assert_null(col(s, "place", "id")->default_expr);
    assert_true(col(s, "place", "id")->not_null);
    assert_int_equal(col(s, "place", "id")->type.int_bits, 32);
    assert_true(col(s, "place", "big")->identity);
    assert_string_equal(col(s, "place", "b")->default_expr, "'it''s'");
    assert_null(col(s, "place", "b")->collation);
    assert_string_equal(col(s, "place", "n")->default_expr, "-7");
    assert_string_equal(col(s, "place", "f")->default_expr, "0.5");
    assert_string_equal(col(s, "place", "at")->default_expr, "now()");
    assert_int_equal(col(s, "place", "f")->type.precision, 10);
    assert_int_equal(col(s, "place", "f")->type.scale, 3);
    assert_int_equal(col(s, "place", "mood")->type.tag, SP_TEXT);
    assert_int_equal(col(s, "place", "p")->type.tag, SP_DEC);
    assert_int_equal(col(s, "place", "p")->type.scale, 2);
    assert_int_equal(col(s, "place", "at")->type.tag, SP_INSTANT);
    assert_int_equal(col(s, "place", "at")->type.precision, 4);
    assert_int_equal(col(s, "place", "tags")->type.tag, SP_ARRAY);
    assert_int_equal(col(s, "place", "tags")->type.elem, SP_TEXT);
    assert_string_equal(col(s, "place", "g")->generated, "(a * 2)");
    assert_null(col(s, "place", "g")->default_expr);
    assert_int_equal(col(s, "place", "iv")->type.tag, SP_NATIVE);
    assert_string_equal(col(s, "place", "iv")->native_type, "interval");
    assert_true(col(s, "place", "c")->type.padded);
    assert_int_equal(col(s, "place", "c")->type.length, 4);
}

static void constraints(const struct sp_schema *s)
{
    const struct sp_table *t = sp_schema_table(s, "place"), *l = sp_schema_table(s, "link");
    assert_int_equal(t->npk, 1);
    assert_int_equal(t->nuniques, 1);
    assert_string_equal(t->uniques[0].columns[0], "b");
    assert_int_equal(t->nchecks, 1);
    assert_string_equal(t->checks[0].expr, "(a > 0)");
    assert_int_equal(t->nindexes, 3);
    assert_string_equal(t->indexes[1].name, "place_part");
    assert_true(t->indexes[1].unique);
    assert_true(t->indexes[1].descending_any);
    assert_string_equal(t->indexes[1].columns[0], "(lower(b))");
    assert_string_equal(t->indexes[1].columns[1], "n");
    assert_string_equal(t->indexes[1].where, "(n > 0)");
    assert_string_equal(t->indexes[2].method, "gin");
    assert_int_equal(l->nfks, 2);
    assert_int_equal(l->fks[0].on_delete, SP_FK_CASCADE);
    assert_int_equal(l->fks[0].on_update, SP_FK_SET_NULL);
    assert_true(l->fks[0].deferrable && l->fks[0].initially_deferred);
    assert_false(l->fks[0].not_valid);
    assert_string_equal(l->fks[0].ref_columns[0], "id");
    assert_true(l->fks[1].not_valid);
    assert_int_equal(l->nchecks, 1);
    assert_string_equal(l->checks[0].expr, "(other > 1000) not valid");
}

static void others(const struct sp_schema *s)
{
    assert_null(sp_schema_table(s, "parted_0"));
    assert_non_null(sp_schema_table(s, "parted"));
    item(s, "partition", "parted_0");
    item(s, "partitioned table", "parted");
    item(s, "view", "happy");
    item(s, "function", "twice(x integer)");
    assert_string_equal(item(s, "trigger", "tg")->table, "link");
    item(s, "policy", "mine");
    item(s, "row security", "link");
    item(s, "enum", "mood");
    item(s, "domain", "posint");
    item(s, "grants", "place to PUBLIC");
    item(s, "index detail", "place_inc");
    assert_int_equal(s->nsequences, 2);
    assert_string_equal(s->sequences[0].column, "big");
    assert_int_equal(s->sequences[0].next, 10);
    assert_int_equal(s->sequences[0].increment, 5);
    assert_string_equal(s->sequences[1].table, "place");
    assert_int_equal(s->sequences[1].next, 1);
}

static void made_by_others(void **state)
{
    struct sp_schema *s = NULL;
    (void)state;
    need_server();
    foreign_schema();
    OK(sp_db_introspect(session, ns, &s, &err));
    columns(s);
    constraints(s);
    others(s);
    sp_schema_free(s);
    struct sp_sequence q = { .name = "place", .table = "place", .column = "id", .next = 42, .increment = 1 };
    OK(sp_db_sequence_set(session, &q, &err));
    q.column = "a";
    FAILS(SP_E_UNSUPPORTED, sp_db_sequence_set(session, &q, &err));
    OK(sp_db_introspect(session, ns, &s, &err));
    assert_int_equal(s->sequences[1].next, 42);
    sp_schema_free(s);
    FAILS(SP_E_NOT_FOUND, sp_db_introspect(session, "no_such_schema", &s, &err));
}

static void made_by_us(void **state)
{
    static const char *const pk[] = { "id" }, *const bt[] = { "b", "t" };
    static const struct sp_column c[] = {
        { .name = "id", .type = { .tag = SP_INT }, .identity = true, .not_null = true },
        { .name = "b", .type = { .tag = SP_INT, .int_bits = 8 }, .default_expr = "-1" },
        { .name = "t", .type = { .tag = SP_TEXT, .length = 9 }, .default_expr = "'x'", .not_null = true },
        { .name = "v", .type = { .tag = SP_VECTOR, .length = 2 } },
        { .name = "o", .type = { .tag = SP_BYTES, .length = 3 } }
    };
    static const struct sp_unique u = { "one", bt, 2, false };
    static const struct sp_check k = { "sane", "b <> 3" };
    static const struct sp_index ix = { .name = "by_t", .columns = bt, .ncolumns = 2, .where = "b > 0" };
    const struct sp_table t = { .name = "ours",
        .columns = c,
        .ncolumns = 5,
        .pk = pk,
        .npk = 1,
        .uniques = &u,
        .nuniques = 1,
        .checks = &k,
        .nchecks = 1,
        .indexes = &ix,
        .nindexes = 1 };
    struct sp_schema *s = NULL;
    (void)state;
    need_server();
    OK(sp_db_table_create(session, &t, false, &err));
    OK(sp_db_table_finish(session, &t, &err));
    OK(sp_db_introspect(session, ns, &s, &err));
    const struct sp_table *r = sp_schema_table(s, "ours");
    assert_non_null(r);
    for (size_t i = 0; i < 5; i++) {
        struct sp_type want = c[i].type, got = r->columns[i].type;
        want.int_bits = want.tag == SP_INT && want.int_bits == 0 ? 64 : want.int_bits;
        assert_true(sp_type_equal(&want, &got));
        assert_int_equal(c[i].identity, r->columns[i].identity);
        assert_int_equal(c[i].not_null, r->columns[i].not_null);
        assert_true(sp_streq(c[i].default_expr, r->columns[i].default_expr));
        assert_null(r->columns[i].collation);
    }
    assert_int_equal(r->nuniques, 1);
    assert_int_equal(r->nchecks, 1);
    assert_int_equal(r->nindexes, 1);
    /* In the words that were asked for, as long as nobody changed what they meant. */
    assert_string_equal(r->checks[0].expr, "b <> 3");
    assert_string_equal(r->indexes[0].where, "b > 0");
    sp_schema_free(s);
    raw("ALTER TABLE ours RENAME b TO bb");
    OK(sp_db_introspect(session, ns, &s, &err));
    assert_string_equal(sp_schema_table(s, "ours")->checks[0].expr, "(bb <> 3)");
    assert_string_equal(sp_schema_table(s, "ours")->indexes[0].where, "(bb > 0)");
    sp_schema_free(s);
    raw("ALTER TABLE ours RENAME bb TO b");
    /* The limits that no type of the server says hold for other clients as well. */
    FAILS(SP_E_CHECK, raw_in(session, "INSERT INTO ours(b) VALUES (200)"));
    FAILS(SP_E_CHECK, raw_in(session, "INSERT INTO ours(v) VALUES ('{1,2,3}')"));
    FAILS(SP_E_CHECK, raw_in(session, "INSERT INTO ours(v) VALUES ('{1,NULL}')"));
    FAILS(SP_E_CHECK, raw_in(session, "INSERT INTO ours(o) VALUES ('abcd')"));
    raw("INSERT INTO ours(v, o) VALUES ('{1,2}', 'abc')");
}

static void long_names(void **state)
{
    struct sp_column c = { .name = "id", .type = { .tag = SP_INT } };
    struct sp_table t = { .name = "a123456789012345678901234567890123456789012345678901234567890123",
        .columns = &c,
        .ncolumns = 1 };
    (void)state;
    need_server();
    assert_int_equal(strlen(t.name), 64);
    FAILS(SP_E_INVALID, sp_db_table_create(session, &t, true, &err)); /* it would be cut */
    c.type.tag = SP_MISSING;
    t.name = "dynamic";
    FAILS(SP_E_UNSUPPORTED, sp_db_table_create(session, &t, true, &err));
}

/* A table with a policy is refused to whom it would show a part. */
static void hidden_rows(void **state)
{
    char role[64], sql[256];
    struct sp_session *s = NULL;
    int64_t n = -1;
    (void)state;
    need_server();
    snprintf(role, sizeof role, "%s_reader", ns);
    raw("CREATE TABLE guarded(id int)");
    raw("INSERT INTO guarded VALUES (1), (2)");
    raw("ALTER TABLE guarded ENABLE ROW LEVEL SECURITY");
    raw("CREATE POLICY half ON guarded USING (id = 1)");
    OK(sp_db_role_create(session, role, "a-secret-for-this-role", &err));
    OK(sp_db_role_grant(session, role, "guarded", SP_PRIV_SELECT, &err));
    struct sp_endpoint e = endpoint;
    e.user = role;
    e.password = "a-secret-for-this-role";
    e.access = SP_ACCESS_READ_ONLY;
    OK(sp_open(&s, &sp_provider_postgresql, &e, &err));
    OK(sp_db_ns_use(s, ns, &err));
    FAILS(SP_E_PERMISSION, sp_db_count(s, "guarded", NULL, &n, &err));
    assert_string_equal(err.native, "42501");
    sp_close(s);
    OK(sp_db_role_drop(session, role, &err));
    FAILS(SP_E_NOT_FOUND, sp_db_role_drop(session, role, &err));
    snprintf(sql, sizeof sql, "DROP TABLE guarded");
    raw(sql);
}

static size_t items_of(const char *kind)
{
    struct sp_schema *s = NULL;
    size_t n = 0;
    OK(sp_db_introspect(session, ns, &s, &err));
    for (size_t i = 0; i < s->ninventory; i++)
        n += strcmp(s->inventory[i].kind, kind) == 0;
    assert_null(sp_schema_table(s, "settings"));
    sp_schema_free(s);
    return n;
}

/* Rows of the user's in a table that belongs to an extension are nobody's to read: they must not go unsaid. */
static void rows_of_extensions(void **state)
{
    static const char kind[] = "table of an extension";
    (void)state;
    need_server();
    sp_error_clear(&err);
    if (raw_in(session, "SET allow_system_table_mods = on") != 0 ||
        raw_in(session, "CREATE EXTENSION tsm_system_time") != 0) {
        print_message("skip: this user cannot make an extension: %s\n", sp_error_text(&err));
        skip();
    }
    raw("CREATE TABLE settings (id int8)");
    raw("INSERT INTO settings VALUES (1)");
    raw("ALTER EXTENSION tsm_system_time ADD TABLE settings");
    size_t unmarked = items_of(kind);
    raw("UPDATE pg_extension SET extconfig = ARRAY['settings'::regclass::oid], extcondition = ARRAY['WHERE "
        "id > "
        "1'] WHERE extname = 'tsm_system_time'");
    size_t own = items_of(kind);
    raw("INSERT INTO settings VALUES (2)");
    size_t users = items_of(kind);
    raw("ALTER EXTENSION tsm_system_time DROP TABLE settings");
    raw("DROP TABLE settings");
    raw("DROP EXTENSION tsm_system_time");
    assert_int_equal(unmarked, 0);
    assert_int_equal(own, 0);
    assert_int_equal(users, 1);
}

static int64_t about(struct sp_session *s, const char *table)
{
    struct sp_volume v;
    OK(sp_db_volume(s, NULL, table, &v, &err));
    assert_true(v.disk_bytes >= 0);
    return v.rows;
}

/* About how many rows: as when they were last counted, scaled by what the table grew since; partitions together. */
static void rows_without_reading(void **state)
{
    struct sp_volume v;
    (void)state;
    need_server();
    raw("CREATE TABLE counted (id int8 PRIMARY KEY, t text) WITH (autovacuum_enabled = off)");
    assert_int_equal(about(session, "counted"), -1);
    raw("INSERT INTO counted SELECT i, repeat('x', 100) FROM generate_series(1, 5000) AS i");
    raw("ANALYZE counted");
    assert_int_equal(about(session, "counted"), 5000);
    raw("INSERT INTO counted SELECT i, repeat('x', 100) FROM generate_series(5001, 10000) AS i");
    assert_in_range(about(session, "counted"), 9000, 11000);
    raw("CREATE TABLE parts (id int8) PARTITION BY RANGE (id)");
    raw("CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (1000) WITH (autovacuum_enabled = off)");
    raw("CREATE TABLE high PARTITION OF parts FOR VALUES FROM (1000) TO (9000) WITH (autovacuum_enabled = "
        "off)");
    raw("INSERT INTO parts SELECT generate_series(0, 2999)");
    raw("ANALYZE low");
    assert_int_equal(about(session, "parts"), -1); /* of one part nobody knows */
    raw("ANALYZE parts");
    assert_int_equal(about(session, "parts"), 3000);
    /* In a snapshot a refusal takes nothing with it. */
    char id[64];
    OK(sp_db_snapshot_begin(session, id, &err));
    FAILS(SP_E_NOT_FOUND, sp_db_volume(session, NULL, "nothing", &v, &err));
    assert_int_equal(about(session, "parts"), 3000);
    OK(sp_db_snapshot_end(session, &err));
    raw("DROP TABLE parts, counted");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_by_others),
        cmocka_unit_test(made_by_us),
        cmocka_unit_test(long_names),
        cmocka_unit_test(hidden_rows),
        cmocka_unit_test(rows_of_extensions),
        cmocka_unit_test(rows_without_reading),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
