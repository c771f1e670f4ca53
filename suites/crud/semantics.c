/* semantics.c -- behaviour that the contract leaves open, told side by side: neither right nor wrong. What a case checks
 * is that the backend stands by what it answered: stored is there, refused is not. */
#include "suites/crud/observe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TWO ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)))

/* ---- floats -------------------------------------------------------------------------------------------------------- */

static bool finds(struct dc *d, const char *topic, struct sp_value stored, struct sp_value sought)
{
    const struct sp_filter where = { .op = SP_F_EQ, .column = "v", .values = &sought, .nvalues = 1 };
    const struct sp_field f[] = { { "id", V_INT(1) }, { "v", stored } };
    int64_t n = -1;
    if (!dc_ok(d, "emptying", sp_db_delete(d->s, "floats", NULL, NULL, &d->err)) ||
        !dc_ok(d, "create", sp_db_insert(d->s, "floats", f, 2, &d->err)) ||
        !dc_count_is(d, d->s, "floats", NULL, 1) ||
        !dc_ok(d, "count of what is equal", sp_db_count(d->s, "floats", &where, &n, &d->err)) ||
        !sp_check(d->ctx, n == 0 || n == 1, "one row is found once or not"))
        return false;
    sp_ctx_observe(d->ctx, topic, "%s", n == 1 ? "found" : "not found");
    return true;
}

void crc_semantics_floats(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = { COL_ID, COL("v", F64) };
    const struct sp_table t = TABLE("floats", columns);
    struct dc d;
    (void)data;
    bool nan = sp_ctx_cap(ctx, SP_CAP_VAL_NAN)->level == SP_CAP_YES;
    (void)(dc_open(&d, ctx) && dc_table(&d, &t, NULL) &&
           finds(&d, "floats: 0.0 is asked for, where -0.0 stands", sp_v_f64(-0.0), sp_v_f64(0.0)) &&
           (!nan || finds(&d, "floats: NaN is asked for, where NaN stands", sp_v_f64(NAN), sp_v_f64(NAN))));
    dc_done(&d);
}

/* ---- orders -------------------------------------------------------------------------------------------------------- */

static const char *const words[] = { "a", "A", "b", "B", "Z", "z", "ab", "a b", "a-b", "_", "1", "10", "2",
    "", "\xc3\xa4", "\xc3\x84", "\xe2\x82\xac" };

static bool all_words(struct dc *d, int64_t n)
{
    struct sp_value v[SP_LEN(words) * 3];
    for (size_t i = 0; i < SP_LEN(words); i++) {
        v[3 * i] = sp_v_int((int64_t)i);
        v[3 * i + 1] = sp_v_text(words[i]);
        v[3 * i + 2] = sp_v_int(n);
    }
    const struct dc_rows rows = {
        .columns = NAMES("id", "category", "value"), .values = v, .nvalues = SP_LEN(v)
    };
    return dc_table(d, &dc_items, &rows);
}

/* The texts of column `category` in the order in which they came; each of the words must be there once. */
static const char *as_they_came(struct dc *d)
{
    struct sp_buf b = SP_BUF_INIT;
    const char *text = NULL;
    bool ok = sp_check_int(d->ctx, "rows", (int64_t)SP_LEN(words), (int64_t)d->r.nrows);
    for (size_t i = 0; ok && i < d->r.nrows; i++) {
        const struct sp_value *v = sp_result_at(&d->r, i, "category");
        size_t seen = 0;
        ok = sp_check(d->ctx, v != NULL && v->tag == SP_TEXT, "a text");
        for (size_t k = 0; ok && k < SP_LEN(words); k++)
            seen += v->u.str.n == strlen(words[k]) && memcmp(v->u.str.p, words[k], v->u.str.n) == 0;
        ok = ok && sp_check_int(d->ctx, "times that a text was stored", 1, (int64_t)seen);
        if (ok)
            (void)sp_buf_printf(&b, "%s\"%.*s\"", i == 0 ? "" : " ", (int)v->u.str.n, v->u.str.p);
    }
    if (ok)
        text = sp_arena_strn(d->a, b.p, b.n);
    sp_buf_free(&b);
    return text;
}

void crc_semantics_order(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    const char *text = NULL;
    if (dc_open(&d, ctx) && all_words(&d, 0) &&
        dc_ok(
            &d, "read", sp_db_read(d.s, QUERY("items", SORTED(ASC("category"), ASC("id"))), &d.r, &d.err)) &&
        (text = as_they_came(&d)) != NULL)
        sp_ctx_observe(ctx, "order: texts", "%s", text);
    if (text != NULL &&
        dc_update(&d, d.s, "items", ID_IS(0), LIST(struct sp_field, { "value", V_INT(1) }), 1) &&
        dc_ok(&d, "read", sp_db_read(d.s, QUERY("items"), &d.r, &d.err)) && as_they_came(&d) != NULL) {
        const struct sp_value *last = sp_result_at(&d.r, d.r.nrows - 1, "id");
        bool moved = last != NULL && last->tag == SP_INT && last->u.i == 0;
        sp_ctx_observe(ctx, "order: an updated row where none is asked for", "%s",
            moved ? "comes last" : "keeps its place");
    }
    dc_done(&d);
}

/* ---- names, keys --------------------------------------------------------------------------------------------------- */

/* One byte more than what is declared: refused, or the declaration is too modest; cut in silence it may not be. */
void crc_semantics_long_name(struct sp_ctx *ctx, const void *data)
{
    enum { MOST = 512 };
    int64_t limit = sp_ctx_cap(ctx, SP_CAP_IDENTIFIER_BYTES)->limit;
    struct sp_table t = dc_items;
    struct sp_schema *schema = NULL;
    struct dc d;
    (void)data;
    size_t n = limit > 0 && limit < MOST ? (size_t)limit + 1 : MOST;
    const char *ns = dc_open(&d, ctx) ? sp_ctx_more_namespace(ctx, "names") : NULL;
    char *name = ns != NULL ? sp_arena_alloc(d.a, n + 1) : NULL;
    struct sp_session *b = name != NULL ? dc_other(&d, 1) : NULL;
    if (b != NULL && dc_ok(&d, "use of the namespace", sp_db_ns_use(b, ns, &d.err))) {
        memset(name, 'n', n);
        name[n] = '\0';
        t.name = name;
        int rc = sp_db_table_create(b, &t, true, &d.err);
        enum sp_code code = d.err.code;
        sp_error_clear(&d.err);
        if (dc_ok(&d, "introspection", sp_db_introspect(b, ns, &schema, &d.err)) &&
            sp_check_int(ctx, "tables that are there", rc == 0, (int64_t)schema->ntables) &&
            (rc != 0 || sp_check_text(ctx, "the table's name", name, schema->tables[0].name)))
            sp_ctx_observe(ctx, "limits: a name beyond the longest", "%zu bytes: %s%s", n,
                rc != 0 ? "refused: " : "kept whole", rc != 0 ? sp_code_name(code) : "");
        sp_schema_free(schema);
    }
    dc_done(&d);
}

static bool draw(struct dc *d, int64_t *id, int *rc)
{
    const struct sp_value v = V_TEXT("drawn");
    const struct sp_op op = { .kind = SP_OP_CREATE,
        .query = { .table = "drawn", .limit = SP_NO_LIMIT },
        .fields = NAMES("t"),
        .values = &v,
        .nrows = 1 };
    int64_t before = 0;
    if (!dc_ok(d, "count", sp_db_count(d->s, "drawn", NULL, &before, &d->err)))
        return false;
    *rc = sp_db_exec(d->s, &op, &d->r, &d->err);
    if (*rc == -SP_E_UNIQUE) {
        sp_error_clear(&d->err);
        return dc_count_is(d, d->s, "drawn", NULL, before);
    }
    if (!dc_ok(d, "create with a drawn key", *rc) || !dc_count_is(d, d->s, "drawn", NULL, before + 1))
        return false;
    const struct sp_filter where = F_ON("t", EQ, V_TEXT("drawn"));
    struct sp_query q = { .table = "drawn", .where = &where, .limit = 1, SORTED(DESC("id")) };
    if (!dc_ok(d, "read of the newest", sp_db_read(d->s, &q, &d->r, &d->err)) ||
        !sp_check_int(d->ctx, "rows", 1, (int64_t)d->r.nrows))
        return false;
    const struct sp_value *got = sp_result_at(&d->r, 0, "id");
    *id = got != NULL && got->tag == SP_INT ? got->u.i : 0;
    return sp_check(d->ctx, *id > 0, "a key was drawn");
}

void crc_semantics_identity(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = {
        { .name = "id", .type = { .tag = SP_INT }, .not_null = true, .identity = true }, COL("t", TEXT)
    };
    const struct sp_table t = TABLE("drawn", columns);
    const struct sp_field given[] = { { "id", V_INT(3) }, { "t", V_TEXT("given") } };
    bool txn = sp_ctx_cap(ctx, SP_CAP_TXN)->level == SP_CAP_YES;
    int64_t first = 0, lost = 0, second = 0;
    int rc = 0;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &t, NULL) && draw(&d, &first, &rc) &&
              sp_check_int(ctx, "drawn", 0, rc);
    if (ok && txn) {
        ok = dc_begin(&d, d.s, SP_ISO_DEFAULT) && draw(&d, &lost, &rc) && dc_rollback(&d, d.s) &&
             dc_count_is(&d, d.s, "drawn", NULL, 1) && draw(&d, &second, &rc);
        if (ok)
            sp_ctx_observe(ctx, "drawn keys: one drawn in a transaction that was rolled back", "%s",
                second == lost ? "is drawn again" : "is not drawn again");
    }
    if (ok && dc_ok(&d, "emptying", sp_db_delete(d.s, "drawn", NULL, NULL, &d.err)) &&
        dc_ok(&d, "create with a given key",
            sp_db_insert(d.s, "drawn",
                (const struct sp_field[]){ { "id", sp_v_int(second + first + 1) }, given[1] }, 2, &d.err)) &&
        draw(&d, &lost, &rc))
        sp_ctx_observe(ctx, "drawn keys: the next one beside a higher one that was given", "%s",
            rc != 0                     ? "collides with it"
            : lost > second + first + 1 ? "stands above it"
                                        : "stands below it");
    dc_done(&d);
}

/* ---- transactions ----------------------------------------------------------------------------------------------------- */

void crc_semantics_txn_ddl(struct sp_ctx *ctx, const void *data)
{
    struct sp_table made = dc_items;
    struct sp_schema *schema = NULL;
    struct dc d;
    (void)data;
    made.name = "made";
    const char *ns =
        dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) ? sp_ctx_more_namespace(ctx, "ddl") : NULL;
    struct sp_session *b = ns != NULL ? dc_other(&d, 1) : NULL;
    if (b != NULL && dc_ok(&d, "use of the namespace", sp_db_ns_use(b, ns, &d.err)) &&
        dc_begin(&d, b, SP_ISO_DEFAULT)) {
        int rc = sp_db_table_create(b, &made, true, &d.err);
        enum sp_code code = d.err.code;
        sp_error_clear(&d.err);
        dc_ended(&d, b);
        (void)sp_db_rollback(b, NULL);
        if (dc_ok(&d, "introspection", sp_db_introspect(b, ns, &schema, &d.err)) &&
            sp_check(ctx, rc == 0 || schema->ntables == 0, "a table that was refused is not there"))
            sp_ctx_observe(ctx, "atomicity: a table made in a transaction that was rolled back", "%s%s",
                rc != 0                ? "is refused: "
                : schema->ntables == 0 ? "is gone"
                                       : "stays",
                rc != 0 ? sp_code_name(code) : "");
        sp_schema_free(schema);
        (void)(!sp_ctx_done(ctx) && dc_holds(&d, d.s, "the other table", "items", TWO));
    }
    dc_done(&d);
}

/* A key that another transaction has created and not committed yet. */
void crc_semantics_pending_key(struct sp_ctx *ctx, const void *data)
{
    const struct sp_field f[] = { { "id", V_INT(3) }, { "category", V_TEXT("mine") }, { "value", V_INT(3) } };
    struct dc d;
    (void)data;
    struct sp_session *b = dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) ? dc_impatient(&d, 150) : NULL;
    if (b != NULL && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(3, "c", V_INT(30))))) {
        int rc = sp_db_insert(b, "items", f, 3, &d.err);
        enum sp_code code = d.err.code;
        bool refused = rc == -SP_E_UNIQUE || rc == -SP_E_CONFLICT || rc == -SP_E_TIMEOUT;
        sp_error_clear(&d.err);
        if (sp_check_at(ctx, __FILE__, __LINE__, refused, "create of a key that another transaction holds",
                "unique, conflict or timeout", rc == 0 ? "success" : sp_code_name(code)) &&
            dc_rollback(&d, d.s) &&
            dc_ok(&d, "the key is free again", sp_db_insert(b, "items", f, 3, &d.err)) &&
            dc_holds(&d, d.s, "the rows", "items",
                ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, "mine", V_INT(3)))))
            sp_ctx_observe(
                ctx, "unique: create of a key that another transaction holds", "%s", sp_code_name(code));
    }
    dc_done(&d);
}

/* A unique pair of which one half is null. */
void crc_semantics_unique_null(struct sp_ctx *ctx, const void *data)
{
    const struct sp_unique pair = { .name = "pair", .columns = NAMES("category", "value") };
    struct sp_table t = dc_items;
    const struct sp_field f[] = { { "id", V_INT(2) }, { "category", V_TEXT("a") }, { "value", V_NULL } };
    struct dc d;
    (void)data;
    t.uniques = &pair;
    t.nuniques = 1;
    if (dc_open(&d, ctx) && dc_table(&d, &t, ITEMS(ITEM(1, "a", V_NULL)))) {
        int rc = sp_db_insert(d.s, "items", f, 3, &d.err);
        sp_error_clear(&d.err);
        if (sp_check(ctx, rc == 0 || rc == -SP_E_UNIQUE, "stored, or refused as a duplicate") &&
            dc_count_is(&d, d.s, "items", NULL, rc == 0 ? 2 : 1))
            sp_ctx_observe(ctx, "unique: a pair with a null in it, twice", "%s",
                rc == 0 ? "stored: no null equals another" : "refused as a duplicate");
    }
    dc_done(&d);
}

/* ---- the backend's own language --------------------------------------------------------------------------------------- */

/* Truth is spelled alike, also where it is a number. */
#define IS(condition) "SELECT CASE WHEN " condition " THEN 'true' ELSE 'false' END"
static const struct {
    const char *topic, *text;
} expressions[] = {
    { "7 / 2", "SELECT 7 / 2" },
    { "1 / 0", "SELECT 1 / 0" },
    { "-7 % 3", "SELECT -7 % 3" },
    { "9223372036854775807 + 1", "SELECT 9223372036854775807 + 1" },
    { "0.1 + 0.2 = 0.3", IS("0.1 + 0.2 = 0.3") },
    { "round(2.5)", "SELECT round(2.5)" },
    { "1 = '1'", IS("1 = '1'") },
    { "'5' + 1", "SELECT '5' + 1" },
    { "'a' = 'A'", IS("'a' = 'A'") },
    { "'a' = 'a '", IS("'a' = 'a '") },
    { "'B' < 'a'", IS("'B' < 'a'") },
    { "'abc' LIKE 'ABC'", IS("'abc' LIKE 'ABC'") },
    { "'a' || NULL", "SELECT 'a' || NULL" },
    { "'' IS NULL", IS("'' IS NULL") },
    { "NULL = NULL", "SELECT NULL = NULL" },
    { "upper('\xc3\xa4')", "SELECT upper('\xc3\xa4')" },
    { "length('e\xcc\x81')", "SELECT length('e\xcc\x81')" },
    { "max of no rows", "SELECT max(x) FROM (SELECT 1 AS x) AS t WHERE x > 1" },
};

void crc_semantics_language(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && crud_speaks(&d);
    for (size_t i = 0; ok && i < SP_LEN(expressions); i++) {
        struct sp_op op = { .kind = SP_OP_RAW, .raw = expressions[i].text };
        const char *topic = sp_arena_printf(d.a, "in its own language: %s", expressions[i].topic);
        int rc = sp_db_exec(d.s, &op, &d.r, &d.err);
        enum sp_origin origin = d.err.origin;
        enum sp_code code = d.err.code;
        sp_error_clear(&d.err);
        ok = topic != NULL &&
             (rc == 0 ? sp_check_int(ctx, "rows", 1, (int64_t)d.r.nrows) &&
                            sp_check_int(ctx, "columns", 1, (int64_t)d.r.ncolumns)
                      : sp_check(ctx, origin == SP_ORIGIN_BACKEND, "it is the backend that refuses"));
        if (ok)
            sp_ctx_observe(ctx, topic, "%s", rc == 0 ? cro_shown(&d, &d.r.values[0]) : sp_code_name(code));
    }
    (void)(ok && crud_speaks(&d));
    dc_done(&d);
}
