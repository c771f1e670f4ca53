/* migration.c -- copying a namespace into another one of the same backend, in bulk, and comparing the two.
 *
 * The copy must be equal, and the comparison must see every planted difference: an "equal" that cannot be "different"
 * proves nothing. */
#include <stddef.h>
#include <string.h>

#include "migrate/migrate.h"
#include "suite.h"
#include "suites/migration/documents.h"
#include "suites/suites.h"
#include "verify/verify.h"

enum { PARENTS = 40, CHILDREN = 300 };

static const struct sp_column parent_columns[] = {
    { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "name", .type = { .tag = SP_TEXT, .length = 80 }, .not_null = true },
    { .name = "note", .type = { .tag = SP_TEXT } },
    { .name = "score", .type = { .tag = SP_F64 } },
    { .name = "active", .type = { .tag = SP_INT } },
};
static const char *const id_key[] = { "id" }, *const name_key[] = { "name" },
                         *const parent_ref[] = { "parent_id" };
static const struct sp_unique parent_uniques[] = {
    { .name = "mig_parent_name", .columns = name_key, .ncolumns = 1 }
};
static const struct sp_table parents = { .name = "mig_parent",
    .columns = parent_columns,
    .ncolumns = SP_LEN(parent_columns),
    .pk = id_key,
    .npk = 1,
    .uniques = parent_uniques,
    .nuniques = 1 };

static const struct sp_column child_columns[] = {
    { .name = "parent_id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "position", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "content", .type = { .tag = SP_TEXT } },
    { .name = "amount", .type = { .tag = SP_INT } },
};
static const char *const child_key[] = { "parent_id", "position" };
static const struct sp_fk child_fks[] = { { .name = "mig_child_parent",
    .columns = parent_ref,
    .ncolumns = 1,
    .ref_table = "mig_parent",
    .ref_columns = id_key,
    .on_delete = SP_FK_CASCADE } };
static const struct sp_index child_indexes[] = {
    { .name = "mig_child_amount", .columns = (const char *const[]){ "amount", "position" }, .ncolumns = 2 }
};
static const struct sp_table children = { .name = "mig_child",
    .columns = child_columns,
    .ncolumns = SP_LEN(child_columns),
    .pk = child_key,
    .npk = 2,
    .fks = child_fks,
    .nfks = 1,
    .indexes = child_indexes,
    .nindexes = SP_LEN(child_indexes) };

/* Without keys at all: rows may be equal. */
static const struct sp_column log_columns[] = {
    { .name = "line", .type = { .tag = SP_TEXT } },
    { .name = "level", .type = { .tag = SP_INT } },
};
static const struct sp_table lines = {
    .name = "mig_log", .columns = log_columns, .ncolumns = SP_LEN(log_columns)
};

struct mg {
    struct sp_ctx *ctx;
    struct sp_session *s, *t;
    const char *from, *to;
    struct sp_error err;
    struct sp_emitter em; /* what migrate and verify say: counted, not part of the run's own events */
    uint64_t events[SP_EV_N];
    char difference[512]; /* the first difference event */
};

static int count_event(
    struct sp_emitter *em, enum sp_event_kind kind, const char *json, size_t n, struct sp_error *err)
{
    struct mg *m = (struct mg *)(void *)((char *)em - offsetof(struct mg, em));
    (void)err;
    m->events[kind]++;
    if (kind == SP_EV_DIFFERENCE && m->difference[0] == '\0' && n < sizeof m->difference) {
        memcpy(m->difference, json, n);
        m->difference[n] = '\0';
    }
    return 0;
}

static bool mg_ok(struct mg *m, const char *what, int rc)
{
    bool ok = sp_check_ok(m->ctx, what, rc, &m->err);
    sp_error_clear(&m->err);
    return ok;
}

static bool mg_open(struct mg *m, struct sp_ctx *ctx)
{
    *m = (struct mg){ .ctx = ctx, .err = SP_ERROR_INIT, .em = { .send = count_event } };
    m->s = sp_ctx_session(ctx, 0);
    m->t = m->s == NULL ? NULL : sp_ctx_session(ctx, 1);
    m->from = m->t == NULL ? NULL : sp_ctx_namespace(ctx);
    m->to = m->from == NULL ? NULL : sp_ctx_more_namespace(ctx, "to");
    return m->to != NULL && mg_ok(m, "use of the target namespace", sp_db_ns_use(m->t, m->to, &m->err)) &&
           sp_ctx_table(ctx, &parents) && sp_ctx_table(ctx, &children) && sp_ctx_table(ctx, &lines);
}

static const char *const texts[] = { "plain", "", " leading and trailing ", "NULL", "it's \"quoted\"; -- x",
    "caf\xc3\xa9", "e\xcc\x81", "\xf0\x9f\x90\x98", "tab\tnew\nline\r\n", "100%_", "a|b,c", "0" };

static bool fill(struct mg *m)
{
    static const char *const parent_fields[] = { "id", "name", "note", "score", "active" };
    static const char *const child_fields[] = { "parent_id", "position", "content", "amount" };
    static const char *const line_fields[] = { "line", "level" };
    static const double scores[] = { 0.1 + 0.2, -1.5, 1e300, 5e-324, 0.0, 123456789.125 };
    struct sp_value p[PARENTS * 5], c[CHILDREN * 4], l[60 * 2];
    struct sp_rng *rng = sp_ctx_rng(m->ctx);
    int64_t n = 0;
    for (int64_t i = 0; i < PARENTS; i++) {
        struct sp_value *v = p + i * 5;
        v[0] = sp_v_int(i == 0 ? INT64_MIN + 1 : i == 1 ? INT64_MAX : i * 10);
        v[1] = sp_v_text(
            sp_arena_printf(sp_ctx_arena(m->ctx), "%s %d", texts[(size_t)i % SP_LEN(texts)], (int)i));
        v[2] = i % 5 == 0 ? sp_v_null() : sp_v_text(texts[(size_t)(i + 3) % SP_LEN(texts)]);
        v[3] = i % 7 == 0 ? sp_v_null() : sp_v_f64(scores[(size_t)i % SP_LEN(scores)]);
        v[4] = sp_v_int(i % 2);
    }
    for (int64_t i = 0; i < CHILDREN; i++) {
        struct sp_value *v = c + i * 4;
        v[0] = p[(size_t)(i % PARENTS) * 5];
        v[1] = sp_v_int(i / PARENTS);
        v[2] = i % 11 == 0 ? sp_v_null() : sp_v_text(texts[sp_rng_below(rng, SP_LEN(texts))]);
        v[3] = sp_v_int((int64_t)sp_rng_below(rng, 1000000));
    }
    for (size_t i = 0; i < 60; i++) {
        l[i * 2] = i % 9 == 0 ? sp_v_null() : sp_v_text(texts[i % 4]); /* many rows are equal */
        l[i * 2 + 1] = sp_v_int((int64_t)(i % 3));
    }
    return mg_ok(m, "filling the parents",
               sp_db_insert_many(m->s, parents.name, parent_fields, 5, p, PARENTS, &n, &m->err)) &&
           mg_ok(m, "filling the children",
               sp_db_insert_many(m->s, children.name, child_fields, 4, c, CHILDREN, &n, &m->err)) &&
           mg_ok(
               m, "filling the log", sp_db_insert_many(m->s, lines.name, line_fields, 2, l, 60, &n, &m->err));
}

static int migrate(struct mg *m, bool dry_run, bool into_existing)
{
    struct sp_migrate_options o = {
        .source_ns = m->from, .target_ns = m->to, .dry_run = dry_run, .into_existing = into_existing
    };
    memset(m->events, 0, sizeof m->events);
    return sp_migrate_bulk(m->s, m->t, &o, &m->em, &m->err);
}

/* The verdict is `want`. */
static bool verified(struct mg *m, enum sp_verify_verdict want)
{
    struct sp_verify_options o = { .checks = SP_VC_DATA,
        .source_ns = m->from,
        .target_ns = m->to,
        .max_differences = 50,
        .show_values = true };
    enum sp_verify_verdict verdict = SP_VV_NOT_COMPARED;
    struct sp_buf reasons = SP_BUF_INIT;
    memset(m->events, 0, sizeof m->events);
    m->difference[0] = '\0';
    bool ok = mg_ok(m, "comparison", sp_verify(m->s, m->t, &o, &m->em, &verdict, &reasons, &m->err)) &&
              sp_check_at(m->ctx, __FILE__, __LINE__, verdict == want, "verdict of the comparison",
                  sp_verify_verdict_name(want),
                  sp_arena_printf(sp_ctx_arena(m->ctx), "%s: %s", sp_verify_verdict_name(verdict),
                      reasons.p == NULL ? "" : reasons.p));
    sp_buf_free(&reasons);
    return ok;
}

static bool copied(struct mg *m)
{
    return mg_ok(m, "bulk copy", migrate(m, false, false)) &&
           sp_check_int(m->ctx, "tables that were copied", 3, (int64_t)m->events[SP_EV_MIGRATE_TABLE]);
}

static void bulk_copy(struct sp_ctx *ctx, const void *data)
{
    struct mg m;
    int64_t n = -1;
    (void)data;
    if (mg_open(&m, ctx) && fill(&m) && copied(&m) && verified(&m, SP_VV_EQUAL) &&
        mg_ok(&m, "count", sp_db_count(m.t, children.name, NULL, &n, &m.err)))
        sp_check_int(ctx, "rows of the copy", CHILDREN, n);
    sp_error_clear(&m.err);
}

static void empty_copy(struct sp_ctx *ctx, const void *data)
{
    struct mg m;
    (void)data;
    if (mg_open(&m, ctx) && copied(&m))
        verified(&m, SP_VV_EQUAL);
    sp_error_clear(&m.err);
}

static void dry_run(struct sp_ctx *ctx, const void *data)
{
    struct mg m;
    struct sp_schema *schema = NULL;
    (void)data;
    if (mg_open(&m, ctx) && fill(&m) && mg_ok(&m, "dry run", migrate(&m, true, false)) &&
        mg_ok(&m, "introspection", sp_db_introspect(m.t, m.to, &schema, &m.err)))
        sp_check_int(ctx, "tables that a dry run made", 0, (int64_t)schema->ntables);
    sp_schema_free(schema);
    sp_error_clear(&m.err);
}

static void existing_tables(struct sp_ctx *ctx, const void *data)
{
    struct mg m;
    (void)data;
    if (mg_open(&m, ctx) && fill(&m) && copied(&m) &&
        sp_check_code(
            ctx, "second copy into the same tables", SP_E_EXISTS, migrate(&m, false, false), &m.err)) {
        sp_error_clear(&m.err);
        if (sp_check(
                ctx, migrate(&m, false, true) < 0, "tables with rows are refused with --into-existing too")) {
            sp_error_clear(&m.err);
            verified(&m, SP_VV_EQUAL); /* neither refusal has touched the first copy */
        }
    }
    sp_error_clear(&m.err);
}

static void into_empty_tables(struct sp_ctx *ctx, const void *data)
{
    struct mg m;
    (void)data;
    if (mg_open(&m, ctx) && copied(&m) && fill(&m) &&
        mg_ok(&m, "copy into empty tables", migrate(&m, false, true)))
        verified(&m, SP_VV_EQUAL);
    sp_error_clear(&m.err);
}

static void constraints_hold(struct sp_ctx *ctx, const void *data)
{
    struct mg m;
    (void)data;
    if (mg_open(&m, ctx) && fill(&m) && copied(&m)) {
        const struct sp_field same_name[] = { { "id", sp_v_int(777) }, { "name", sp_v_text("plain 0") } };
        const struct sp_field orphan[] = { { "parent_id", sp_v_int(999999) }, { "position", sp_v_int(0) } };
        const struct sp_field same_key[] = { { "parent_id", sp_v_int(20) }, { "position", sp_v_int(0) } };
        const struct sp_field no_name[] = { { "id", sp_v_int(778) }, { "name", sp_v_null() } };
        if (sp_check_code(ctx, "duplicate in the copy", SP_E_UNIQUE,
                sp_db_insert(m.t, parents.name, same_name, 2, &m.err), &m.err) &&
            sp_check_code(ctx, "duplicate key in the copy", SP_E_UNIQUE,
                sp_db_insert(m.t, children.name, same_key, 2, &m.err), &m.err) &&
            sp_check_code(ctx, "null in the copy", SP_E_NOT_NULL,
                sp_db_insert(m.t, parents.name, no_name, 2, &m.err), &m.err) &&
            sp_check_code(ctx, "orphan in the copy", SP_E_FOREIGN_KEY,
                sp_db_insert(m.t, children.name, orphan, 2, &m.err), &m.err))
            verified(&m, SP_VV_EQUAL);
    }
    sp_error_clear(&m.err);
}

static void identity_goes_on(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column columns[] = {
        { .name = "id", .type = { .tag = SP_INT }, .not_null = true, .identity = true },
        { .name = "name", .type = { .tag = SP_TEXT } },
    };
    static const struct sp_table counted = {
        .name = "mig_counted", .columns = columns, .ncolumns = SP_LEN(columns), .pk = id_key, .npk = 1
    };
    struct mg m;
    struct sp_result r = SP_RESULT_INIT;
    (void)data;
    if (mg_open(&m, ctx) && sp_ctx_table(ctx, &counted)) {
        struct sp_field f[] = { { "name", sp_v_text("x") } };
        struct sp_value three = sp_v_int(3);
        struct sp_filter last = { .op = SP_F_EQ, .column = "id", .values = &three, .nvalues = 1 };
        struct sp_order order = { .column = "id", .desc = true };
        struct sp_query q = { .table = counted.name, .order = &order, .norder = 1, .limit = 1 };
        int64_t n = 0;
        bool ok = true;
        for (int i = 0; ok && i < 3; i++)
            ok = mg_ok(&m, "create", sp_db_insert(m.s, counted.name, f, 1, &m.err));
        /* The highest key was given out and deleted: the copy must not give it out again. */
        if (ok && mg_ok(&m, "delete", sp_db_delete(m.s, counted.name, &last, &n, &m.err)) &&
            mg_ok(&m, "bulk copy", migrate(&m, false, false)) && verified(&m, SP_VV_EQUAL) &&
            mg_ok(&m, "create in the copy", sp_db_insert(m.t, counted.name, f, 1, &m.err)) &&
            mg_ok(&m, "read", sp_db_read(m.t, &q, &r, &m.err)) &&
            sp_check_int(ctx, "rows", 1, (int64_t)r.nrows)) {
            struct sp_value four = sp_v_int(4);
            sp_check_value(ctx, "next key in the copy", &four, sp_result_at(&r, 0, "id"));
        }
    }
    sp_result_free(&r);
    sp_error_clear(&m.err);
}

/* A load that is closed without commit, and one that is closed with it. */
static void load_taken_back(struct sp_ctx *ctx, const void *data)
{
    static const char *const names[] = { "line", "level" };
    struct mg m;
    int64_t n = -1;
    (void)data;
    bool ok = mg_open(&m, ctx);
    for (int commit = 0; ok && commit <= 1; commit++) {
        struct sp_load *load = NULL;
        uint64_t loaded = 0;
        ok = mg_ok(&m, "open of a load", sp_db_load_open(m.s, lines.name, names, 2, &load, &m.err));
        for (int i = 0; ok && i < 5; i++) {
            struct sp_value v[] = { sp_v_text(texts[i]), sp_v_int(i) };
            ok = mg_ok(&m, "row of a load", sp_db_load_row(m.s, load, v, &m.err));
        }
        ok = ok && mg_ok(&m, "close of a load", sp_db_load_close(m.s, load, commit == 1, &loaded, &m.err)) &&
             (commit == 0 || sp_check_int(ctx, "rows that the load confirmed", 5, (int64_t)loaded)) &&
             mg_ok(&m, "count", sp_db_count(m.s, lines.name, NULL, &n, &m.err)) &&
             sp_check_int(ctx, commit == 1 ? "rows after a load" : "rows after a load that was taken back",
                 commit == 1 ? 5 : 0, n);
    }
    sp_error_clear(&m.err);
}

/* ---- planted differences --------------------------------------------------------------------------------------- */

struct planted {
    const char *table, *needle; /* what the first difference must name */
    int (*plant)(struct mg *m);
};

static int update_parent(struct mg *m, const char *column, struct sp_value v)
{
    struct sp_value id = sp_v_int(50);
    struct sp_filter f = { .op = SP_F_EQ, .column = "id", .values = &id, .nvalues = 1 };
    const struct sp_field field[] = { { column, v } };
    int64_t n = 0;
    int rc = sp_db_update(m->t, parents.name, &f, field, 1, &n, &m->err);
    return rc == 0 && n != 1 ? sp_fail(&m->err, SP_E_INTERNAL, SP_ORIGIN_BACKEND,
                                   "planting changed %lld rows", (long long)n)
                             : rc;
}
static int plant_null_for_text(struct mg *m)
{
    return update_parent(m, "name", sp_v_text(""));
}
static int plant_number(struct mg *m)
{
    return update_parent(m, "active", sp_v_int(2));
}
static int plant_ulp(struct mg *m)
{
    /* id 50 is row 5, whose score is 123456789.125. */
    return update_parent(m, "score", sp_v_f64(123456789.12500001));
}
static int plant_text_for_null(struct mg *m)
{
    return update_parent(m, "note", sp_v_text(""));
}

static int delete_where(struct mg *m, const char *table, const char *column, int64_t value)
{
    struct sp_value v = sp_v_int(value);
    struct sp_filter f = { .op = SP_F_EQ, .column = column, .values = &v, .nvalues = 1 };
    int64_t n = 0;
    return sp_db_delete(m->t, table, &f, &n, &m->err);
}
static int plant_missing(struct mg *m)
{
    struct sp_value p = sp_v_int(50), q = sp_v_int(3);
    struct sp_filter both[] = { { .op = SP_F_EQ, .column = "parent_id", .values = &p, .nvalues = 1 },
        { .op = SP_F_EQ, .column = "position", .values = &q, .nvalues = 1 } };
    struct sp_filter f = { .op = SP_F_AND, .args = both, .nargs = 2 };
    int64_t n = 0;
    return sp_db_delete(m->t, children.name, &f, &n, &m->err);
}
static int plant_parent_gone(struct mg *m)
{
    return delete_where(m, parents.name, "id", 50);
}
static int plant_extra(struct mg *m)
{
    const struct sp_field f[] = { { "parent_id", sp_v_int(50) }, { "position", sp_v_int(4711) } };
    return sp_db_insert(m->t, children.name, f, 2, &m->err);
}
static int plant_duplicate(struct mg *m)
{
    const struct sp_field f[] = { { "line", sp_v_text("plain") }, { "level", sp_v_int(0) } };
    return sp_db_insert(m->t, lines.name, f, 2, &m->err);
}

static void finds(struct sp_ctx *ctx, const void *data)
{
    const struct planted *p = data;
    struct mg m;
    if (mg_open(&m, ctx) && fill(&m) && copied(&m) && mg_ok(&m, "planting a difference", p->plant(&m)) &&
        verified(&m, SP_VV_DIFFERENT) &&
        sp_check(ctx, m.events[SP_EV_DIFFERENCE] > 0, "a difference is listed") &&
        sp_check_at(ctx, __FILE__, __LINE__, strstr(m.difference, p->table) != NULL, "the table is named",
            p->table, m.difference))
        sp_check_at(ctx, __FILE__, __LINE__, strstr(m.difference, p->needle) != NULL,
            "row or column are named", p->needle, m.difference);
    sp_error_clear(&m.err);
}

#define NEEDS                                                                                                \
    SP_CAP_TABLES, SP_CAP_CRUD, SP_CAP_NAMESPACES, SP_CAP_INTROSPECT, SP_CAP_SCAN, SP_CAP_LOAD, SP_CAP_UNIQUE
#define CASE(id_, fn, what, ...)                                                                             \
    {                                                                                                        \
        .id = "migration." id_, .promise = what, .needs = SP_NEEDS(__VA_ARGS__), .run = fn,                  \
        .timeout_ms = 60000                                                                                  \
    }
#define FINDS(name, table_, needle_, what)                                                                   \
    {                                                                                                        \
        .id = "migration.finds_" #name, .promise = what, .needs = SP_NEEDS(NEEDS), .run = finds,             \
        .timeout_ms = 60000, .data = &(const struct planted)                                                 \
        {                                                                                                    \
            table_, needle_, plant_##name                                                                    \
        }                                                                                                    \
    }

static const struct sp_case cases[] = {
    CASE("bulk_copy", bulk_copy, "a bulk copy equals its source in schema, rows, relations and sequences",
        NEEDS),
    CASE("empty_tables", empty_copy, "empty tables are copied with their schema", NEEDS),
    CASE("dry_run", dry_run, "a dry run writes nothing", NEEDS),
    CASE("existing_tables", existing_tables, "tables that exist are refused, and stay as they are", NEEDS),
    CASE("into_empty_tables", into_empty_tables, "empty tables are filled when that is asked for", NEEDS),
    CASE("constraints_hold", constraints_hold, "the copy enforces keys, uniques, not null and foreign keys",
        NEEDS, SP_CAP_FOREIGN_KEYS, SP_CAP_NOT_NULL),
    CASE("identity_goes_on", identity_goes_on,
        "drawn keys go on behind the highest one that was ever given out", NEEDS, SP_CAP_IDENTITY,
        SP_CAP_SEQUENCE_SET),
    CASE("load_taken_back", load_taken_back, "a bulk load is all or nothing, and confirms its rows", NEEDS),
    FINDS(null_for_text, "mig_parent", "name", "a text that became empty is found, with its column"),
    FINDS(text_for_null, "mig_parent", "note", "a null that became the empty text is found, with its column"),
    FINDS(number, "mig_parent", "active", "a changed number is found, with its column"),
    FINDS(ulp, "mig_parent", "score", "a double that changed by its last bits is found, with its column"),
    FINDS(missing, "mig_child", "missing", "a missing row is found by its key"),
    FINDS(extra, "mig_child", "4711", "an extra row is found by its key"),
    FINDS(parent_gone, "mig_", "missing", "a missing parent is found"),
    FINDS(duplicate, "mig_log", "extra", "a row that is there once more, in a table without a key, is found"),
    CASE("documents_copied", mgd_copied,
        "a bulk copy keeps every field of a document: undeclared ones, nulls as nulls, missing ones missing",
        NEEDS, SP_CAP_VAL_MISSING),
    CASE("finds_document_field", mgd_difference_found,
        "an undeclared field that changed is found, with its document and name", NEEDS, SP_CAP_VAL_MISSING),
    { .id = NULL },
};

const struct sp_suite sp_suite_migration = {
    .name = "migration",
    .summary = "bulk copy into another namespace, and a comparison that sees every planted difference",
    .cases = cases,
};
