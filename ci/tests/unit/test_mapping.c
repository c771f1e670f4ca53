/* test_mapping.c -- mapping files: what a good one gives, and what each mistake is told as. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "map/mapping.h"

#define V "version: 1\n"
#define R V "relations:\n"

static struct sp_mapping *good(const char *text)
{
    struct sp_mapping *m = NULL;
    struct sp_error err = SP_ERROR_INIT;
    if (sp_mapping_parse("m.yaml", text, strlen(text), &m, &err) != 0)
        fail_msg("%s", sp_error_text(&err));
    assert_non_null(m);
    return m;
}

static void bad(const char *text, const char *message)
{
    struct sp_mapping *m = NULL;
    struct sp_error err = SP_ERROR_INIT;
    int rc = sp_mapping_parse("m.yaml", text, strlen(text), &m, &err);
    if (rc == 0) {
        sp_mapping_free(m);
        fail_msg("accepted, but expected: %s", message);
    }
    assert_null(m);
    assert_int_equal(rc, -SP_E_INVALID);
    if (strcmp(sp_error_text(&err), message) != 0)
        fail_msg("\n%s\nand not\n%s", sp_error_text(&err), message);
    sp_error_clear(&err);
}

static const char everything[] =
    V "relations:\n"
      "  customers:\n"
      "    source: { table: clients, where: { deleted: false, age: { gte: 18 } } }\n"
      "    target: people\n"
      "    key: [id]\n"
      "    columns:\n"
      "      id: { target: _id, crosswalk: ids }\n"
      "      city: { source: town, target: address/city }\n"
      "      tenant: { source: { constant: 7 }, target: tenant_id }\n"
      "      price: { rules: [round_to_scale(2), truncate_ms], type: 'decimal(12,2)', accept_loss: true }\n"
      "      note: { ignore: rewritten by the new system }\n"
      "      old_flag: { source: flag, ignore: gone }\n"
      "      exact: { target: { constant: 0.10 } }\n"
      "      day: { target: { constant: 2024-02-29 }, type: date }\n"
      "      nothing: { target: { constant: ~ } }\n"
      "  items:\n"
      "    target: { table: orders, array: items, ordered: true }\n"
      "    ordinal_from: 1\n"
      "    only_listed: true\n"
      "    references: { order_id: orders, sku: a.b.c }\n"
      "    columns:\n"
      "      order_id: { target: { parent: _id } }\n"
      "      pos: { target: { ordinal: true } }\n"
      "      sku:\n"
      "      whole: { target: { element: true } }\n"
      "  logs: { ignore: too long ago }\n"
      "ignore:\n"
      "  source: { audit: kept where it is, '2024': old }\n"
      "  target: { migrations: its own }\n"
      "crosswalks:\n"
      "  ids: { side: target, table: id_map, source: old_id, target: new_id }\n"
      "acknowledge: ['view:totals']\n"
      "accept_loss: [customers.seen]\n";

static void test_relations(void **state)
{
    (void)state;
    struct sp_mapping *m = good(everything);
    assert_string_equal(m->file, "m.yaml");
    assert_true(m->digest.hi != 0 || m->digest.lo != 0);
    assert_int_equal(m->nrelations, 6);
    const struct sp_map_relation *r = sp_mapping_relation(m, "customers");
    assert_string_equal(r->table[0], "clients");
    assert_string_equal(r->table[1], "people");
    assert_int_equal(r->line, 3);
    assert_int_equal(r->nkey, 1);
    assert_true(r->columns_by_name);
    assert_int_equal(r->where[0]->op, SP_F_AND);
    assert_null(r->where[1]);
    r = sp_mapping_relation(m, "items");
    assert_string_equal(r->table[0], "items");
    assert_null(r->array[0]);
    assert_string_equal(r->array[1], "items");
    assert_true(r->ordered[1] && !r->ordered[0] && !r->columns_by_name);
    assert_int_equal(r->ordinal_base, 1);
    assert_true(sp_map_column_named(r, "order_id")->parent[1]);
    assert_string_equal(sp_map_column_named(r, "order_id")->place[1], "_id");
    assert_string_equal(sp_map_column_named(r, "order_id")->place[0], "order_id");
    assert_true(sp_map_column_named(r, "pos")->ordinal[1]);
    assert_null(sp_map_column_named(r, "pos")->place[1]);
    assert_string_equal(sp_map_column_named(r, "sku")->place[0], "sku");
    assert_string_equal(sp_map_column_named(r, "whole")->place[1], "");
    assert_null(sp_map_column_named(r, "nowhere"));
    assert_int_equal(r->nreferences, 2);
    assert_string_equal(r->references[0].relation, "orders");
    assert_null(r->references[0].to);
    assert_string_equal(r->references[1].relation, "a.b");
    assert_string_equal(r->references[1].to, "c");
    r = sp_mapping_relation(m, "logs");
    assert_string_equal(r->ignore, "too long ago");
    assert_string_equal(r->table[0], "logs");
    assert_string_equal(r->table[1], "logs");
    r = sp_mapping_relation(m, "audit");
    assert_string_equal(r->table[0], "audit");
    assert_null(r->table[1]);
    assert_string_equal(sp_mapping_relation(m, "2024")->ignore, "old");
    r = sp_mapping_relation(m, "migrations");
    assert_null(r->table[0]);
    assert_string_equal(r->table[1], "migrations");
    assert_int_equal(m->ncrosswalks, 1);
    assert_true(m->crosswalks[0].on_target);
    assert_string_equal(m->crosswalks[0].source_id, "old_id");
    assert_string_equal(m->acknowledge[0], "view:totals");
    assert_string_equal(m->accept_loss[0], "customers.seen");
    sp_mapping_free(m);
}

static void test_columns(void **state)
{
    (void)state;
    struct sp_mapping *m = good(everything);
    const struct sp_map_relation *r = sp_mapping_relation(m, "customers");
    const struct sp_map_column *c = sp_map_column_named(r, "id");
    assert_string_equal(c->place[0], "id");
    assert_string_equal(c->place[1], "_id");
    assert_string_equal(c->crosswalk, "ids");
    assert_int_equal(c->line, 8);
    c = sp_map_column_named(r, "city");
    assert_string_equal(c->place[1], "address/city");
    c = sp_map_column_named(r, "tenant");
    assert_null(c->place[0]);
    assert_int_equal(c->constant[0]->tag, SP_INT);
    assert_true(c->constant[0]->u.i == 7);
    c = sp_map_column_named(r, "price");
    assert_int_equal(c->nrules, 2);
    assert_int_equal(c->rules[0], SP_RULE_ROUND_SCALE);
    assert_int_equal(c->args[0], 2);
    assert_int_equal(c->rules[1], SP_RULE_TRUNCATE_MS);
    assert_true(c->has_type && c->accept_loss);
    assert_int_equal(c->type.tag, SP_DEC);
    assert_int_equal(c->type.precision, 12);
    assert_int_equal(c->type.scale, 2);
    c = sp_map_column_named(r, "note");
    assert_string_equal(c->place[0], "note");
    assert_string_equal(c->place[1], "note");
    c = sp_map_column_named(r, "old_flag");
    assert_string_equal(c->place[0], "flag");
    assert_null(c->place[1]);
    c = sp_map_column_named(r, "exact");
    assert_int_equal(c->constant[1]->tag, SP_DEC); /* and not the double beside it */
    assert_int_equal(c->constant[1]->u.dec.ndigits, 1);
    c = sp_map_column_named(r, "day");
    assert_int_equal(c->constant[1]->tag, SP_DATE);
    c = sp_map_column_named(r, "nothing");
    assert_int_equal(c->constant[1]->tag, SP_NULL);
    sp_mapping_free(m);
}

static void test_types(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct sp_type type;
    } cases[] = {
        { "int", { .tag = SP_INT } },
        { "decimal", { .tag = SP_DEC } },
        { "decimal(10, 0)", { .tag = SP_DEC, .precision = 10 } },
        { "text(40)", { .tag = SP_TEXT, .length = 40 } },
        { "instant(0)", { .tag = SP_INSTANT, .precision = 1 } },
        { "array(int)", { .tag = SP_ARRAY, .elem = SP_INT } },
        { "local_timestamp", { .tag = SP_LOCAL } },
        { "uuid", { .tag = SP_UUID } },
    };
    for (size_t i = 0; i < SP_LEN(cases); i++) {
        char text[200];
        (void)snprintf(text, sizeof text, R "  a: { columns: { x: { type: '%s' } } }\n", cases[i].text);
        struct sp_mapping *m = good(text);
        assert_true(sp_type_equal(&m->relations[0].columns[0].type, &cases[i].type));
        sp_mapping_free(m);
    }
}

static void test_digest(void **state)
{
    (void)state;
    struct sp_mapping *a = good(V), *b = good(V " "), *c = good(V);
    assert_true(a->digest.lo != b->digest.lo && a->digest.lo == c->digest.lo);
    sp_mapping_free(a);
    sp_mapping_free(b);
    sp_mapping_free(c);
}

/* What stands in the file is what counts: a variable of the environment would be evidence that nobody kept. */
static void test_literal(void **state)
{
    (void)state;
    struct sp_mapping *m = good(R "  a: { source: '${HOME}' }\n");
    assert_string_equal(m->relations[0].table[0], "${HOME}");
    sp_mapping_free(m);
}

static void test_split(void **state)
{
    (void)state;
    struct sp_mapping *m = good(R "  a: { source: { table: p, where: { k: 1 } } }\n"
                                  "  b: { source: { table: p, where: { k: 2 } } }\n");
    assert_int_equal(m->nrelations, 2);
    sp_mapping_free(m);
}

static const struct {
    const char *text, *message;
} mistakes[] = {
    { "", "m.yaml: it is empty: a mapping starts with `version: 1`" },
    { "relations: {}", "m.yaml:1:1: the key \"version\" is missing: of this format: 1" },
    { "version: 2", "m.yaml:1:10: version: expected a whole number from 1 to 1, found \"2\"" },
    { V "relation: {}", "m.yaml:2:1: unknown key \"relation\"; did you mean \"relations\"?" },
    { V "relations: []", "m.yaml:2:12: relations: expected a map of keys and values, found a list" },
    { R "  a: { sorce: x }", "m.yaml:3:8: relations.a: unknown key \"sorce\"; did you mean \"source\"?" },
    { R "  a: { source: [x] }",
        "m.yaml:3:16: relations.a.source: expected a table or collection, or a map such as "
        "{ table: orders, array: items }, found a list" },
    { R "  a: { source: { tabel: x } }",
        "m.yaml:3:18: relations.a.source: unknown key \"tabel\"; did you mean \"table\"?" },
    { R "  a:\n  a:", "m.yaml:4:3: duplicate key \"a\": it stands already in line 3" },
    { R "  a: { source: { ordered: true } }",
        "m.yaml:3:16: relations.a.source: `ordered` speaks of an embedded array: add `array:`" },
    { R "  a: { source: { array: x, ordered: true } }",
        "m.yaml:3:6: relations.a: the array of the source is ordered, but no column holds its order: add one "
        "with `source: { ordinal: true }`" },
    { R "  a: { ordinal_from: 1 }",
        "m.yaml:3:6: relations.a: `ordinal_from` says nothing without a column with `ordinal`" },
    { R "  a: { ordinal_from: 2 }",
        "m.yaml:3:22: relations.a.ordinal_from: expected a whole number from 0 to 1, found \"2\"" },
    { R "  a: { only_listed: true }",
        "m.yaml:3:6: relations.a: `only_listed` without a column compares nothing" },
    { R "  a: { ignore: }", "m.yaml:3:16: relations.a.ignore: expected text, found nothing" },
    { R "  a: { ignore: old, key: [id] }",
        "m.yaml:3:6: relations.a: it is ignored, so `key` says nothing: leave one out" },
    { R "  a: { ignore: old, source: { where: { x: 1 } } }",
        "m.yaml:3:6: relations.a: it is ignored as a whole, so the source can only be the name of a table" },
    { R "  a: { key: id }", "m.yaml:3:13: relations.a.key: expected a list, found \"id\"" },
    { R "  a: { key: [] }",
        "m.yaml:3:13: relations.a.key: expected columns of the relation, found an empty list" },
    { R "  a: { key: [x, x] }", "m.yaml:3:13: relations.a.key: column \"x\" stands there twice" },
    { R "  a: { key: [x], columns: { x: { ignore: y } } }",
        "m.yaml:3:13: relations.a.key: column \"x\" is ignored and cannot be a key" },
    { R "  a: { key: [numbr], only_listed: true, columns: { number: } }",
        "m.yaml:3:13: relations.a.key: no column has the name \"numbr\"; did you mean \"number\"?" },
    { R "  a: { source: { where: { x: { gtt: 1 } } } }",
        "m.yaml:3:32: relations.a.source.where.x: unknown operator \"gtt\"; did you mean \"gt\"?" },
    { R "  a: { columns: [x] }",
        "m.yaml:3:17: relations.a.columns: expected a map of keys and values, found a list" },
    { R "  a: { columns: { x: y } }",
        "m.yaml:3:22: relations.a.columns.x: expected a map of keys and values, found \"y\"" },
    { R "  a: { columns: { x: { source: } } }", "m.yaml:3:32: relations.a.columns.x.source: expected a "
                                                "column, a path such as address/city, or a map such "
                                                "as { constant: 7 }, found nothing" },
    { R "  a: { columns: { x: { rules: [truncate_msec] } } }",
        "m.yaml:3:31: relations.a.columns.x.rules: unknown rule \"truncate_msec\"; did you mean "
        "\"truncate_ms\"?" },
    { R "  a: { columns: { x: { rules: [round_to_scale] } } }",
        "m.yaml:3:31: relations.a.columns.x.rules: the rule round_to_scale needs a number: "
        "round_to_scale(2), "
        "found \"round_to_scale\"" },
    { R "  a: { columns: { x: { rules: [truncate_ms(3)] } } }",
        "m.yaml:3:31: relations.a.columns.x.rules: the rule truncate_ms takes no number, found "
        "\"truncate_ms(3)\"" },
    { R "  a: { columns: { x: { rules: [truncate_ms, truncate_ms] } } }",
        "m.yaml:3:31: relations.a.columns.x.rules: the rule truncate_ms stands there twice" },
    { R "  a: { columns: { x: { rules: [truncate_us, truncate_ms, truncate_s, trim_padding, epoch_s] } } }",
        "m.yaml:3:31: relations.a.columns.x.rules: more than 4 rules" },
    { R "  a: { columns: { x: { type: decimals } } }",
        "m.yaml:3:30: relations.a.columns.x.type: unknown type \"decimals\"; did you mean \"decimal\"?" },
    { R "  a: { columns: { x: { type: 'int(4)' } } }", "m.yaml:3:30: relations.a.columns.x.type: \"int(4)\" "
                                                       "is no form of int: expected such as decimal(12,2), "
                                                       "text(40), instant(3), array(int)" },
    { R "  a: { columns: { x: { type: 'decimal(3' } } }",
        "m.yaml:3:30: relations.a.columns.x.type: unknown type \"decimal(3\"; did you mean \"decimal\"?" },
    { R "  a: { columns: { x: { crosswalk: ids } } }", "m.yaml:3:35: relations.a.columns.x.crosswalk: no "
                                                       "crosswalk has the name \"ids\": there is no section "
                                                       "`crosswalks`" },
    { R "  a: { columns: { x: { crosswalk: idz } } }\ncrosswalks: { ids: { side: source, table: t, source: "
        "a, "
        "target: b } }",
        "m.yaml:3:35: relations.a.columns.x.crosswalk: no crosswalk has the name \"idz\"; did you mean "
        "\"ids\"?" },
    { R "  a: { columns: { x: { crosswalk: ids, target: { constant: 1 } } } }\ncrosswalks: { ids: { side: "
        "source, "
        "table: t, source: a, target: b } }",
        "m.yaml:3:22: relations.a.columns.x: a crosswalk translates an id that the target holds, but the "
        "target is "
        "a constant here" },
    { R "  a: { columns: { x: { source: { constant: 1 }, target: { constant: 1 } } } }",
        "m.yaml:3:22: relations.a.columns.x: a constant on both sides compares nothing" },
    { R "  a: { columns: { x: { source: { constant: [1] } } } }",
        "m.yaml:3:44: relations.a.columns.x.source.constant: expected a single value, found a list" },
    { R "  a: { columns: { x: { type: int, source: { constant: many } } } }",
        "m.yaml:3:55: relations.a.columns.x.source.constant: the constant \"many\" is no int" },
    { R "  a: { columns: { x: { source: { column: a, constant: 1 } } } }",
        "m.yaml:3:32: relations.a.columns.x.source: expected one of column, parent, element, ordinal, "
        "constant, "
        "found several of them" },
    { R "  a: { columns: { x: { source: {} } } }", "m.yaml:3:32: relations.a.columns.x.source: expected one "
                                                   "of column, parent, element, ordinal, constant, "
                                                   "found none of them" },
    { R "  a: { columns: { x: { source: { ordinal: true } } } }",
        "m.yaml:3:32: relations.a.columns.x.source: `ordinal` belongs to an embedded array, but the source "
        "of "
        "relation a names none: add `array:` there" },
    { R "  a: { columns: { x: { target: { parent: id } } } }",
        "m.yaml:3:32: relations.a.columns.x.target: `parent` belongs to an embedded array, but the target of "
        "relation a names none: add `array:` there" },
    { R "  a: { target: { array: i }, columns: { x: { target: { ordinal: false } } } }",
        "m.yaml:3:54: relations.a.columns.x.target: `ordinal: false` says nothing: leave it out" },
    { R "  a: { columns: { x: { ignore: y, rules: [truncate_ms] } } }",
        "m.yaml:3:22: relations.a.columns.x: it is ignored, so `rules` says nothing: leave one out" },
    { R "  a: { columns: { x: { ignore: y, source: { constant: 1 } } } }",
        "m.yaml:3:22: relations.a.columns.x: it is ignored, so the source can only be the name of a column" },
    { R "  a: { columns: { x: { source: p }, y: { source: p } } }",
        "m.yaml:3:17: relations.a.columns: columns x and y both claim the place \"p\" of the source" },
    { R "  a: { target: { array: i }, columns: { x: { target: { ordinal: true } }, y: { target: { ordinal: "
        "true } } "
        "} }",
        "m.yaml:3:39: relations.a.columns: columns x and y both claim the position in \"i\" of the target" },
    { R "  a: { references: { x: } }",
        "m.yaml:3:25: relations.a.references.x: expected a relation, or RELATION.COLUMN, found nothing" },
    { R "  a: { references: { x: b }, columns: { x: { ignore: y } } }",
        "m.yaml:3:25: relations.a.references.x: the column is ignored, so its reference cannot be checked" },
    { R "  a: { source: p }\n  b: { source: p }", "m.yaml:4:1: source: relations a and b both claim p: give "
                                                  "each a `where` of its own, or name another" },
    { R "  a: { source: p }\n  b: { source: { table: p, where: { x: 1 } } }",
        "m.yaml:4:1: source: relations a and b both claim p: give each a `where` of its own, or name "
        "another" },
    { R "  a:\nignore: { target: { a: old } }", "m.yaml:4:1: target: relations a and a both claim a: give "
                                                "each a `where` of its own, or name another" },
    { V "ignore: { both: { a: old } }", "m.yaml:2:11: ignore: unknown key \"both\"; known: source, target" },
    { V "ignore: { source: { a: } }",
        "m.yaml:2:24: ignore.source.a: expected the reason why it is left out, found nothing" },
    { V "ignore: { source: [a] }",
        "m.yaml:2:19: ignore.source: expected a map of keys and values, found a list" },
    { V "crosswalks: { ids: { side: left, table: t, source: a, target: b } }",
        "m.yaml:2:28: crosswalks.ids.side: expected one of source, target, found \"left\"" },
    { V "crosswalks: { ids: { side: source, table: t, source: a } }",
        "m.yaml:2:20: crosswalks.ids: the key \"target\" is missing: its column or path of the target's id" },
    { V "crosswalks: { ids: }",
        "m.yaml:2:20: crosswalks.ids: expected side, table, source and target, found nothing" },
    { V "crosswalks: { ids: { side: source, table: t, source: a, target: a } }",
        "m.yaml:2:20: crosswalks.ids: source and target are both \"a\": that translates nothing" },
    { V "acknowledge: [totals]",
        "m.yaml:2:14: acknowledge: expected KIND:NAME or KIND:TABLE.NAME as the report shows them, such as "
        "view:totals, found \"totals\"" },
};

static void test_mistakes(void **state)
{
    (void)state;
    for (size_t i = 0; i < SP_LEN(mistakes); i++)
        bad(mistakes[i].text, mistakes[i].message);
}

static void test_no_file(void **state)
{
    (void)state;
    struct sp_mapping *m = NULL;
    struct sp_error err = SP_ERROR_INIT;
    assert_int_equal(sp_mapping_load("/nowhere/m.yaml", &m, &err), -SP_E_INVALID);
    assert_non_null(strstr(sp_error_text(&err), "cannot read the mapping: "));
    assert_non_null(strstr(sp_error_text(&err), "/nowhere/m.yaml"));
    assert_null(m);
    sp_error_clear(&err);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relations),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_literal),
        cmocka_unit_test(test_split),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
