/* verify, schema and sequences: each kind of difference is found, and nothing else. */
#include "verify_case.h"

static const char *const col_id[] = { "id" };
static const char *const col_name[] = { "name" };
static const char *const col_both[] = { "id", "name" };

static void expect(struct vcase *v, const char *element, const char *difference, const char *name)
{
    assert_verdict(v, SP_VV_DIFFERENT);
    assert_int_equal(1, caught_count(&v->c, SP_EV_SCHEMA_DIFF));
    const struct sp_event_in *e = caught_at(&v->c, SP_EV_SCHEMA_DIFF, 0);
    assert_string_equal(element, sp_event_get_text(e, SP_FLD_element));
    assert_string_equal(difference, sp_event_get_text(e, SP_FLD_difference));
    assert_string_equal(name, sp_event_get_text(e, SP_FLD_name));
}

static void begin(struct vcase *v, struct fake_table *t[2])
{
    vcase_begin(v);
    vcase_table(v, "t", "id:int! name:text extra", 1, t);
    assert_verdict(v, SP_VV_EQUAL);
}

static void columns(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    struct sp_column *c;
    (void)state;
    begin(&v, t);
    c = fake_column(t[1], "name");
    c->native_type = "varchar(10)";
    expect(&v, "type", "changed", "name");
    c->native_type = "TEXT"; /* letters don't count */
    assert_verdict(&v, SP_VV_EQUAL);
    c->type.length = 10;
    expect(&v, "type", "changed", "name");
    c->type.length = 0;
    c->not_null = true;
    expect(&v, "nullability", "changed", "name");
    c->not_null = false;
    c->default_expr = "'x'";
    expect(&v, "default", "extra", "name");
    fake_column(t[0], "name")->default_expr = "'X'";
    expect(&v, "default", "changed", "name");
    fake_column(t[0], "name")->default_expr = "  'x' ";
    assert_verdict(&v, SP_VV_EQUAL);
    c->generated = "id + 1";
    expect(&v, "generated", "extra", "name");
    fake_column(t[0], "name")->generated = "ID+1";
    assert_verdict(&v, SP_VV_EQUAL);
    c->collation = "NOCASE";
    expect(&v, "collation", "extra", "name");
    c->collation = NULL;
    c->identity = true;
    expect(&v, "identity", "extra", "name");
    vcase_end(&v);
}

static void keys_and_constraints(void **state)
{
    const struct sp_unique u1 = { .name = "a", .columns = col_both, .ncolumns = 2 },
                           u2 = { .columns = col_name, .ncolumns = 1 };
    const struct sp_check k1 = { .name = "positive", .expr = "id > 0" }, k2 = { .expr = "ID>0" },
                          k3 = { .name = "Positive", .expr = "id >= 0" };
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    begin(&v, t);
    t[1]->t.npk = 0;
    expect(&v, "primary_key", "missing", "t");
    t[1]->t.npk = 1;
    t[0]->t.uniques = &u1;
    t[0]->t.nuniques = 1;
    expect(&v, "unique", "missing", "a");
    t[1]->t.uniques = &u2;
    t[1]->t.nuniques = 1;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_int_equal(2, caught_count(&v.c, SP_EV_SCHEMA_DIFF));
    t[1]->t.uniques = &u1;
    assert_verdict(&v, SP_VV_EQUAL);
    t[0]->t.checks = &k1;
    t[0]->t.nchecks = 1;
    expect(&v, "check", "missing", "positive");
    t[1]->t.checks = &k2;
    t[1]->t.nchecks = 1;
    assert_verdict(&v, SP_VV_EQUAL);
    t[1]->t.checks = &k3;
    expect(&v, "check", "changed", "positive");
    vcase_end(&v);
}

static void foreign_keys_and_indexes(void **state)
{
    struct sp_fk f[2];
    struct sp_index x[2];
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    begin(&v, t);
    for (int i = 0; i < 2; i++)
        f[i] = (struct sp_fk){ .columns = col_name, .ncolumns = 1, .ref_table = "t", .ref_columns = col_id };
    t[0]->t.fks = &f[0];
    t[0]->t.nfks = 1;
    expect(&v, "foreign_key", "missing", "name");
    t[1]->t.fks = &f[1];
    t[1]->t.nfks = 1;
    assert_verdict(&v, SP_VV_EQUAL);
    f[1].on_delete = SP_FK_CASCADE;
    expect(&v, "foreign_key", "changed", "name");
    f[1] = f[0];
    f[1].initially_deferred = f[1].deferrable = true;
    expect(&v, "foreign_key", "changed", "name");
    f[1] = f[0];
    for (int i = 0; i < 2; i++)
        x[i] = (struct sp_index){ .name = "ix", .columns = col_both, .ncolumns = 2 };
    t[0]->t.indexes = &x[0];
    t[0]->t.nindexes = 1;
    expect(&v, "index", "missing", "ix");
    t[1]->t.indexes = &x[1];
    t[1]->t.nindexes = 1;
    assert_verdict(&v, SP_VV_EQUAL);
    x[1].name = "another_name";
    assert_verdict(&v, SP_VV_EQUAL);
    x[1] = x[0];
    x[1].unique = true;
    expect(&v, "index", "changed", "ix");
    x[1] = x[0];
    x[1].where = "id > 5";
    expect(&v, "index", "changed", "ix");
    x[0].where = "id>5";
    assert_verdict(&v, SP_VV_EQUAL);
    x[1].where = "id>6";
    expect(&v, "index", "changed", "ix");
    x[1] = x[0];
    x[1].descending_any = true;
    expect(&v, "index", "changed", "ix");
    vcase_end(&v);
}

static void table_kinds_and_other_objects(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    begin(&v, t);
    t[1]->t.strict = true;
    expect(&v, "strictness", "changed", "t");
    t[1]->t.strict = false;
    t[1]->t.without_rowid = true;
    expect(&v, "storage", "changed", "t");
    t[1]->t.without_rowid = false;
    t[0]->t.native_definition = "CREATE TABLE t (id, name, extra)";
    t[1]->t.native_definition = "CREATE TABLE t (id, name, extra UNIQUE ON CONFLICT REPLACE)";
    expect(&v, "definition", "changed", "t");
    t[1]->t.native_definition = "CREATE TABLE \"t\" (id, name, \"Extra\")";
    assert_verdict(&v, SP_VV_EQUAL);
    assert_non_null(caught_where(&v.c, SP_EV_FINDING, SP_FLD_topic, "definition text"));
    t[0]->t.native_definition = t[1]->t.native_definition = NULL;
    v.f[0]->inventory[0] =
        (struct sp_inventory_item){ "view", "w", NULL, "CREATE VIEW w AS SELECT 'A'", false, NULL };
    v.f[0]->ninventory = 1;
    expect(&v, "view", "missing", "w");
    v.f[1]->inventory[0] =
        (struct sp_inventory_item){ "view", "w", NULL, "create view w  as select 'A' -- x", false, NULL };
    v.f[1]->ninventory = 1;
    assert_verdict(&v, SP_VV_EQUAL);
    v.f[1]->inventory[0].definition = "create view w as select 'a'";
    expect(&v, "view", "changed", "w");
    v.f[1]->inventory[0].definition = NULL;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    v.f[1]->base.provider = &other_provider;
    v.f[1]->ninventory = 0;
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_non_null(strstr(v.reasons.p, "--accept 'view:w'"));
    v.opt.checks = SP_VC_ALL & ~(unsigned)SP_VC_SCHEMA;
    assert_verdict(&v, SP_VV_EQUAL);
    vcase_end(&v);
}

/* Policies of several tables have one name: each is held against that of its own table. */
static void objects_of_one_name(void **state)
{
    static const char *const only[] = { "u" };
    struct vcase v;
    struct fake_table *t[2], *u[2];
    (void)state;
    begin(&v, t);
    vcase_table(&v, "u", "id:int! name:text extra", 1, u);
    v.f[0]->inventory[0] = (struct sp_inventory_item){ "policy", "own", "t", "CREATE 1", false, NULL };
    v.f[1]->inventory[0] = (struct sp_inventory_item){ "policy", "own", "u", "CREATE 1", false, NULL };
    v.f[0]->ninventory = v.f[1]->ninventory = 1;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_int_equal(2, caught_count(&v.c, SP_EV_SCHEMA_DIFF));
    v.opt.tables = only;
    v.opt.ntables = 1;
    expect(&v, "policy", "extra", "own");
    v.f[0]->inventory[1] = v.f[1]->inventory[0];
    v.f[0]->ninventory = 2;
    assert_verdict(&v, SP_VV_EQUAL);
    v.f[1]->inventory[0].table = "t";
    expect(&v, "policy", "missing", "own");
    vcase_end(&v);
}

/* By exact name, one by one, and never data. */
static void acknowledged(void **state)
{
    static const char *const col_extra[] = { "extra" };
    const struct sp_unique u[2] = { { .columns = col_name, .ncolumns = 1 },
        { .name = "other", .columns = col_extra, .ncolumns = 1 } };
    const struct sp_check k = { .expr = "id > 0" };
    const char *accept[3] = { "unique:t.name", "view:w", "check:id > 0" };
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    begin(&v, t);
    v.opt.accept = accept;
    v.opt.naccept = 3;
    t[0]->t.uniques = u;
    t[0]->t.nuniques = 1;
    t[0]->t.checks = &k;
    t[0]->t.nchecks = 1;
    v.f[0]->inventory[0] = (struct sp_inventory_item){ "view", "w", NULL, "select 1", false, NULL };
    v.f[0]->ninventory = 1;
    v.f[1]->base.provider = &other_provider;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_int_equal(0, caught_count(&v.c, SP_EV_FINDING));
    assert_int_equal(2, caught_count(&v.c, SP_EV_SCHEMA_DIFF));
    assert_true(sp_event_get_bool(caught_at(&v.c, SP_EV_SCHEMA_DIFF, 0), SP_FLD_accepted, false));
    assert_true(sp_event_get_bool(caught_at(&v.c, SP_EV_NOT_COMPARED, 0), SP_FLD_accepted, false));
    assert_non_null(strstr(v.reasons.p, "acknowledged by name: unique:t.name, view:w"));
    t[0]->t.nuniques = 2; /* another one is not meant */
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_non_null(strstr(v.reasons.p, "unique other of t"));
    t[0]->t.nuniques = 1;
    accept[1] = "view:v";
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    assert_non_null(caught_where(&v.c, SP_EV_FINDING, SP_FLD_topic, "acknowledgement without a cause"));
    accept[1] = "view:*";
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    accept[1] = "view:w";
    v.f[0]->inventory[0].definition = NULL; /* it may hold rows that nobody read */
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    v.f[0]->ninventory = 0;
    accept[0] = "column:t.name";
    (void)vcase_run(&v);
    assert_int_equal(-SP_E_INVALID, v.rc);
    accept[0] = "table:t";
    (void)vcase_run(&v);
    assert_int_equal(-SP_E_INVALID, v.rc);
    accept[0] = "name";
    (void)vcase_run(&v);
    assert_int_equal(-SP_E_INVALID, v.rc);
    vcase_end(&v);
}

/* A name without its table stands for one thing, not for every table's. */
static void acknowledged_without_table(void **state)
{
    const char *accept[2] = { "nullability:name", "nullability:u.name" };
    struct vcase v;
    struct fake_table *t[2], *u[2];
    (void)state;
    begin(&v, t);
    vcase_table(&v, "u", "id:int! name:text", 1, u);
    v.opt.accept = accept;
    v.opt.naccept = 1;
    fake_column(t[0], "name")->not_null = true;
    assert_verdict(&v, SP_VV_EQUAL);
    fake_column(u[0], "name")->not_null = true;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_non_null(strstr(v.reasons.p, "nullability name of u"));
    v.opt.naccept = 2;
    assert_verdict(&v, SP_VV_EQUAL);
    vcase_end(&v);
}

/* Two things of one name are two acknowledgements; what only one side has and nobody read has none. */
static void acknowledged_once(void **state)
{
    const char *accept[2] = { "foreign_key:t.name", "foreign_key:t.name" };
    const struct sp_fk f[2] = {
        { .columns = col_name, .ncolumns = 1, .ref_table = "t", .ref_columns = col_id },
        { .columns = col_name, .ncolumns = 1, .ref_table = "u", .ref_columns = col_id },
    };
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    begin(&v, t);
    v.opt.accept = accept;
    v.opt.naccept = 1;
    t[0]->t.fks = f;
    t[0]->t.nfks = 1;
    assert_verdict(&v, SP_VV_EQUAL);
    t[0]->t.nfks = 2;
    assert_verdict(&v, SP_VV_DIFFERENT);
    v.opt.naccept = 2;
    assert_verdict(&v, SP_VV_EQUAL);
    t[0]->t.nfks = 0;
    accept[0] = "foreign table:w";
    v.opt.naccept = 1;
    v.f[0]->inventory[0] = (struct sp_inventory_item){ "foreign table", "w", NULL, NULL, false, NULL };
    v.f[0]->ninventory = 1;
    assert_verdict(&v, SP_VV_DIFFERENT);
    vcase_end(&v);
}

/* Between kinds, a collation of a unique column is a loss where it takes different octets for the same, not where it only
 * orders. */
static void collations_between_kinds(void **state)
{
    const struct sp_unique unique = { .columns = col_name, .ncolumns = 1 };
    struct vcase v;
    struct fake_table *t[2];
    struct sp_column *c;
    (void)state;
    begin(&v, t);
    v.f[1]->base.provider = &other_provider;
    for (int i = 0; i < 2; i++) {
        t[i]->t.uniques = &unique;
        t[i]->t.nuniques = 1;
    }
    c = fake_column(t[0], "name");
    c->collation = "de_DE";
    expect(&v, "collation", "missing", "name");
    c->collation_exact = true;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_non_null(caught_where(&v.c, SP_EV_FINDING, SP_FLD_topic, "collation"));
    fake_column(t[1], "name")->collation = "NOCASE";
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
}

/* Between kinds, triggers of one name on two tables are two. */
static void acknowledged_of_one_table(void **state)
{
    const char *accept[1] = { "trigger:audit" };
    struct vcase v;
    struct fake_table *t[2], *u[2];
    (void)state;
    begin(&v, t);
    vcase_table(&v, "u", "id:int! name:text", 1, u);
    v.opt.accept = accept;
    v.opt.naccept = 1;
    v.f[1]->base.provider = &other_provider;
    for (int i = 0; i < 2; i++) {
        v.f[i]->inventory[0] = (struct sp_inventory_item){ "trigger", "audit", "t", "does", false, NULL };
        v.f[i]->ninventory = 1;
    }
    assert_verdict(&v, SP_VV_EQUAL);
    v.f[1]->inventory[0].table = "u";
    assert_verdict(&v, SP_VV_NOT_COMPARED);
    vcase_end(&v);
}

static void sequences(void **state)
{
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    begin(&v, t);
    for (int i = 0; i < 2; i++) {
        v.f[i]->sequences[0] = (struct sp_sequence){ "t", "t", "id", 100, 1 };
        v.f[i]->nsequences = 1;
    }
    assert_verdict(&v, SP_VV_EQUAL);
    v.f[1]->sequences[0].next = 101;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_non_null(caught_where(&v.c, SP_EV_FINDING, SP_FLD_topic, "sequence ahead"));
    v.f[1]->sequences[0].next = 99;
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_true(sp_event_get_bool(caught_at(&v.c, SP_EV_SEQUENCE, 0), SP_FLD_behind, false));
    v.f[1]->nsequences = 0;
    assert_verdict(&v, SP_VV_DIFFERENT);
    v.opt.checks = SP_VC_ROWS;
    assert_verdict(&v, SP_VV_EQUAL);
    vcase_end(&v);
}

/* Users that a side does not let be listed: neither equal, nor missing, and by name acknowledged. */
static void kinds_that_may_not_be_listed(void **state)
{
    static const char *const accepted[] = { "user:*" };
    static const struct sp_inventory_item hidden = { .kind = "user", .name = "*", .unread = "not allowed" },
                                          seen = {
                                              .kind = "user", .name = "ann", .definition = "{createUser}"
                                          };
    (void)state;
    for (int which = 1; which < 4; which++) { /* source, target, both */
        struct vcase v;
        struct fake_table *t[2];
        vcase_begin(&v);
        vcase_table(&v, "t", "id:int", 1, t);
        for (int i = 0; i < 2; i++) {
            v.f[i]->inventory[0] = which >> i & 1 ? hidden : seen;
            v.f[i]->ninventory = 1;
        }
        assert_verdict(&v, SP_VV_NOT_COMPARED);
        assert_int_equal(0, caught_count(&v.c, SP_EV_SCHEMA_DIFF));
        v.opt.accept = accepted;
        v.opt.naccept = 1;
        assert_verdict(&v, which == 3 ? SP_VV_EQUAL : SP_VV_NOT_COMPARED);
        v.opt.naccept = 0;
        v.opt.checks = SP_VC_ROWS; /* they hold no rows */
        assert_verdict(&v, SP_VV_EQUAL);
        vcase_end(&v);
    }
}

static void custom_checks(void **state)
{
    const struct sp_query q = { .table = "t", .limit = SP_NO_LIMIT };
    const struct sp_query *const queries[] = { &q };
    const char *const names[] = { "two rows" };
    const int64_t expected[] = { 2 };
    struct vcase v;
    struct fake_table *t[2];
    (void)state;
    begin(&v, t);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < 2; i++) {
            struct sp_value *row = fake_row(t[s]);
            row[0] = sp_v_int(i);
            row[1] = row[2] = sp_v_null();
        }
    v.opt.custom = queries;
    v.opt.custom_names = names;
    v.opt.custom_expect = expected;
    v.opt.ncustom = 1;
    assert_verdict(&v, SP_VV_EQUAL);
    assert_int_equal(2, caught_count(&v.c, SP_EV_CUSTOM_CHECK));
    fake_remove(t[0], 0);
    fake_remove(t[1], 0);
    assert_verdict(&v, SP_VV_DIFFERENT);
    assert_string_equal("failed", sp_event_get_text(caught_at(&v.c, SP_EV_CUSTOM_CHECK, 1), SP_FLD_outcome));
    vcase_end(&v);
}

static void texts(void **state)
{
    (void)state;
    assert_true(sp_v_expr_equal(NULL, NULL));
    assert_false(sp_v_expr_equal(NULL, ""));
    assert_true(sp_v_expr_equal("a  IN (1,2)", "A in(1, 2)"));
    assert_true(sp_v_expr_equal("\"abc\" > 1", "abc>1"));
    assert_true(sp_v_expr_equal("a /* why */ > 1 -- so", "a>1"));
    assert_false(sp_v_expr_equal("x = 'a b'", "x = 'a  b'"));
    assert_false(sp_v_expr_equal("x = 'A'", "x = 'a'"));
    assert_false(sp_v_expr_equal("x = \"Open\"", "x = \"open\""));
    assert_false(sp_v_expr_equal("AS $$ return 'x' if A else b $$", "AS $$ return 'x' if a else b $$"));
    assert_false(sp_v_expr_equal("AS $f$ i--; g() $f$", "AS $f$ i--; h() $f$"));
    assert_false(sp_v_expr_equal("AS $f$ It's -- $1 $f$ STRICT", "AS $f$ It's -- $2 $f$ STRICT"));
    assert_true(sp_v_expr_equal("AS  $$ a $$ strict", "as $$ a $$  STRICT"));
    assert_true(sp_v_expr_equal("$1 + A$b", "$1+a$b"));
    assert_true(sp_v_expr_equal("((a + 1))", "a+1"));
    assert_true(sp_v_expr_equal("(a) + (b)", "((a) + (b))"));
    assert_false(sp_v_expr_equal("(a) + (b)", "a) + (b"));
    assert_false(sp_v_expr_equal("(a + b) * c", "a + b * c"));
    assert_false(sp_v_expr_equal("('a')", "'(a)'"));
    assert_false(sp_v_expr_equal("()", ""));
    assert_false(sp_v_expr_equal("x = 'it''s'", "x = 'it' 's'"));
    assert_false(sp_v_expr_equal("ab", "a b"));
    assert_false(sp_v_expr_equal("x = '--'", "x = '"));
    assert_false(sp_v_expr_equal("x > 1", "x > 10"));
    assert_false(sp_v_expr_equal("x", "'x'"));
    assert_false(sp_v_expr_equal("x <> \"true\"", "x <> true"));
    assert_true(sp_v_expr_equal("{\"a\":\"b\"}", "{\"a\":\"b\"}"));
    assert_false(sp_v_expr_equal("{\"a\":\"b\"}", "{\"a\":b}"));
    assert_false(sp_v_expr_equal("{\"a\":\"x\\\" B\"}", "{\"a\":\"x\\\" b\"}"));
    assert_false(sp_v_expr_equal("\"current_timestamp\"", "current_timestamp"));
    assert_true(sp_v_marks_equal("INDEX x ON t (a DESC, b)", "index y on t (A desc, \"b\" ASC)", NULL));
    assert_false(sp_v_marks_equal("INDEX x ON t (a DESC, b)", "INDEX x ON t (a, b DESC)", NULL));
    assert_false(sp_v_marks_equal("a UNIQUE ON CONFLICT REPLACE", "a UNIQUE", NULL));
    assert_false(sp_v_marks_equal("a UNIQUE ON CONFLICT REPLACE", "a UNIQUE ON CONFLICT IGNORE", NULL));
    assert_false(sp_v_marks_equal("id INTEGER PRIMARY KEY AUTOINCREMENT", "id INTEGER PRIMARY KEY", NULL));
    assert_false(sp_v_marks_equal("(a COLLATE nocase)", "(a COLLATE rtrim)", NULL));
    assert_true(sp_v_marks_equal("x = 'a desc'", "x", NULL));
    /* a table that was made anew may count where the other does not; nothing else, and not the other way round */
    bool counts = false;
    const char *plain = "t(id INTEGER PRIMARY KEY, a)",
               *more = "t(id INTEGER PRIMARY KEY AUTOINCREMENT, a COLLATE x)";
    const char *counted = "t(a, id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL)";
    assert_true(sp_v_marks_equal(plain, plain, &counts) && !counts);
    assert_true(sp_v_marks_equal(counted, counted, &counts) && !counts);
    assert_false(sp_v_marks_equal(counted, plain, &counts) || counts);
    assert_true(sp_v_marks_equal(plain, counted, &counts) && counts);
    assert_false(sp_v_marks_equal(plain, more, &counts));
    /* a mark counts where it stands */
    assert_false(sp_v_marks_equal("CREATE TABLE t(a, b, UNIQUE(a COLLATE nocase), UNIQUE(a, b))",
        "CREATE TABLE t(a, b, UNIQUE(a), UNIQUE(a COLLATE nocase, b))", NULL));
    assert_false(
        sp_v_marks_equal("CREATE TABLE t(a NOT NULL ON CONFLICT IGNORE, b NOT NULL ON CONFLICT FAIL)",
            "CREATE TABLE t(a NOT NULL ON CONFLICT FAIL, b NOT NULL ON CONFLICT IGNORE)", NULL));
    assert_false(sp_v_marks_equal("CREATE TABLE t(a NOT NULL ON CONFLICT FAIL UNIQUE)",
        "CREATE TABLE t(a NOT NULL UNIQUE ON CONFLICT FAIL)", NULL));
    assert_false(
        sp_v_marks_equal("CREATE TABLE t(a); CREATE INDEX i ON t(a DESC,b); CREATE INDEX j ON t(a,b DESC,c)",
            "CREATE TABLE t(a); CREATE INDEX i ON t(a,b DESC); CREATE INDEX j ON t(a DESC,b,c)", NULL));
    assert_false(
        sp_v_marks_equal("CREATE TABLE t(a, b AS (a) STORED)", "CREATE TABLE t(a, b AS (a) VIRTUAL)", NULL));
    /* and not how it is written */
    assert_true(sp_v_marks_equal("CREATE TABLE t(\"A\" TEXT(1, 2) COLLATE NoCase NOT NULL, b)",
        "CREATE TABLE x (b, a TEXT NOT NULL COLLATE \"nocase\")", NULL));
    assert_true(sp_v_marks_equal("CREATE TABLE t(a, CONSTRAINT u UNIQUE(a COLLATE nocase ASC))",
        "CREATE TABLE t(a, CONSTRAINT v UNIQUE(a COLLATE nocase))", NULL));
    assert_true(sp_v_expr_is_literal("-1.5"));
    assert_true(sp_v_expr_is_literal("'x'"));
    assert_true(sp_v_expr_is_literal("NULL"));
    assert_false(sp_v_expr_is_literal("now()"));
    assert_false(sp_v_expr_is_literal("1 + 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns),
        cmocka_unit_test(keys_and_constraints),
        cmocka_unit_test(foreign_keys_and_indexes),
        cmocka_unit_test(table_kinds_and_other_objects),
        cmocka_unit_test(collations_between_kinds),
        cmocka_unit_test(objects_of_one_name),
        cmocka_unit_test(acknowledged),
        cmocka_unit_test(acknowledged_without_table),
        cmocka_unit_test(acknowledged_once),
        cmocka_unit_test(acknowledged_of_one_table),
        cmocka_unit_test(sequences),
        cmocka_unit_test(kinds_that_may_not_be_listed),
        cmocka_unit_test(custom_checks),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
