/* semantics_writes.c -- writes that meet nothing, that meet too much, that stop in the middle; what readers see; how
 * much is too much. */
#include "suites/crud/observe.h"

#include <stdio.h>
#include <string.h>

#define THREE ITEMS(ITEM(1, "a", V_NULL), ITEM(2, "b", V_NULL), ITEM(3, "c", V_NULL))

void crc_semantics_duplicate(struct sp_ctx *ctx, const void *data)
{
    const struct sp_field f[] = { { "id", V_INT(2) }, { "category", V_TEXT("z") }, { "value", V_INT(9) } };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, THREE)) {
        int rc = sp_db_insert(d.s, "items", f, 3, &d.err);
        const char *native = sp_arena_str(d.a, d.err.native);
        if (dc_fails(&d, "create of a key that is there", SP_E_UNIQUE, rc) &&
            dc_holds(&d, d.s, "the rows", "items", THREE))
            sp_ctx_observe(ctx, "unique: the backend's own code for a key that is there", "%s",
                native != NULL && native[0] != '\0' ? native : "none");
    }
    dc_done(&d);
}

static bool told(struct dc *d, const char *topic, int rc, int64_t affected)
{
    const char *refusal = NULL;
    if (!cro_answered(d, topic, rc, &refusal))
        return false;
    if (refusal != NULL)
        sp_ctx_observe(d->ctx, topic, "%s", refusal);
    else if (affected < 0)
        sp_ctx_observe(d->ctx, topic, "no error, and no count");
    else
        sp_ctx_observe(d->ctx, topic, "no error, %lld rows", (long long)affected);
    return true;
}

void crc_semantics_absent(struct sp_ctx *ctx, const void *data)
{
    const struct sp_field set[] = { { "value", V_INT(1) } }, same[] = { { "value", V_NULL } };
    int64_t n = -1;
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, THREE);
    int rc = ok ? sp_db_update(d.s, "items", ID_IS(9), set, 1, &n, &d.err) : 0;
    ok = ok && told(&d, "missing rows: an update of a key that is not there", rc, n);
    n = -1;
    rc = ok ? sp_db_delete(d.s, "items", ID_IS(9), &n, &d.err) : 0;
    ok = ok && told(&d, "missing rows: a delete of a key that is not there", rc, n);
    n = -1;
    rc = ok ? sp_db_update(d.s, "items", ID_IS(1), same, 1, &n, &d.err) : 0;
    ok = ok && told(&d, "missing rows: an update that changes nothing of a row", rc, n) &&
         dc_count_is(&d, d.s, "items", NULL, 3);
    const char *refusal = NULL;
    if (ok && cro_answered(&d, "absent table", sp_db_count(d.s, "nowhere", NULL, &n, &d.err), &refusal))
        sp_ctx_observe(ctx, "missing rows: a count of a table that is not there", "%s",
            refusal != NULL ? refusal
            : n == 0        ? "no rows"
                            : "rows");
    dc_done(&d);
}

/* ---- atomicity ------------------------------------------------------------------------------------------------------- */

void crc_semantics_batch_atomic(struct sp_ctx *ctx, const void *data)
{
    const struct sp_value rows[] = { ITEM(4, "d", V_INT(4)), ITEM(2, "twice", V_INT(5)),
        ITEM(6, "f", V_INT(6)) };
    const struct sp_filter fourth = F_ON("id", EQ, V_INT(4)), sixth = F_ON("id", EQ, V_INT(6));
    int64_t a = 0, b = 0;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, THREE) &&
        dc_fails(&d, "a create-many whose second row is there already", SP_E_UNIQUE,
            sp_db_insert_many(d.s, "items", (const char *const[]){ "id", "category", "value" }, 3, rows, 3,
                NULL, &d.err)) &&
        dc_ok(&d, "count", sp_db_count(d.s, "items", &fourth, &a, &d.err)) &&
        dc_ok(&d, "count", sp_db_count(d.s, "items", &sixth, &b, &d.err)) &&
        dc_count_is(&d, d.s, "items", NULL, 3 + a + b))
        sp_ctx_observe(ctx, "atomicity: a create-many whose second row of three is refused stores", "%s",
            a == 0 && b == 0 ? "nothing"
            : b == 0         ? "the rows before it"
            : a == 0         ? "the rows behind it"
                             : "the other rows");
    dc_done(&d);
}

void crc_semantics_update_atomic(struct sp_ctx *ctx, const void *data)
{
    const struct sp_unique unique = { .name = "one_value", .columns = NAMES("value") };
    const struct sp_field five[] = { { "value", V_INT(5) } };
    const struct sp_filter changed = F_ON("value", EQ, V_INT(5));
    struct sp_table t = dc_items;
    int64_t n = 0;
    struct dc d;
    (void)data;
    t.uniques = &unique;
    t.nuniques = 1;
    if (dc_open(&d, ctx) && dc_table(&d, &t, THREE) &&
        dc_fails(&d, "an update that gives one unique value to three rows", SP_E_UNIQUE,
            sp_db_update(d.s, "items", NULL, five, 1, NULL, &d.err)) &&
        dc_ok(&d, "count", sp_db_count(d.s, "items", &changed, &n, &d.err)) &&
        sp_check(ctx, n == 0 || n == 1, "the value is unique") && dc_count_is(&d, d.s, "items", NULL, 3)) {
        sp_ctx_observe(ctx, "atomicity: an update-many that is refused at its second row changes", "%s",
            n == 0 ? "nothing" : "the first row");
        const struct sp_cap *txn = sp_ctx_cap(ctx, SP_CAP_TXN);
        sp_ctx_observe(ctx, "atomicity: transactions over several operations", "%s%s%s",
            txn->level == SP_CAP_YES  ? "offered"
            : txn->level == SP_CAP_NO ? "not offered"
                                      : "not known",
            txn->why != NULL ? ": " : "", txn->why != NULL ? txn->why : "");
    }
    dc_done(&d);
}

/* ---- order and pages ------------------------------------------------------------------------------------------------- */

/* "3 1 2", the ids of the result in the order in which they came. */
static const char *ids(struct dc *d)
{
    struct sp_buf b = SP_BUF_INIT;
    for (size_t i = 0; i < d->r.nrows; i++) {
        const struct sp_value *v = sp_result_at(&d->r, i, "id");
        (void)sp_buf_printf(
            &b, "%s%lld", i == 0 ? "" : " ", v != NULL && v->tag == SP_INT ? (long long)v->u.i : -1LL);
    }
    const char *text = sp_arena_strn(d->a, b.p, b.n);
    sp_buf_free(&b);
    return text != NULL ? text : "";
}

void crc_semantics_unordered(struct sp_ctx *ctx, const void *data)
{
    static const int64_t made[] = { 5, 2, 9, 1, 7 };
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && sp_ctx_table(ctx, &dc_items);
    for (size_t i = 0; ok && i < SP_LEN(made); i++) {
        const struct sp_field f[] = { { "id", sp_v_int(made[i]) }, { "category", V_TEXT("same") },
            { "value", V_INT(1) } };
        ok = dc_ok(&d, "create", sp_db_insert(d.s, "items", f, 3, &d.err));
    }
    ok = ok && dc_count_is(&d, d.s, "items", NULL, 5);
    if (ok && dc_ok(&d, "read", sp_db_read(d.s, QUERY("items"), &d.r, &d.err)) &&
        sp_check_int(ctx, "rows", 5, (int64_t)d.r.nrows)) {
        const char *text = ids(&d);
        sp_ctx_observe(ctx, "order: rows where none is asked for", "%s",
            strcmp(text, "5 2 9 1 7") == 0   ? "as they were made"
            : strcmp(text, "1 2 5 7 9") == 0 ? "by key"
                                             : text);
        if (dc_ok(&d, "read", sp_db_read(d.s, QUERY("items", SORTED(DESC("category"))), &d.r, &d.err)) &&
            sp_check_int(ctx, "rows", 5, (int64_t)d.r.nrows)) {
            text = ids(&d);
            sp_ctx_observe(ctx, "order: rows that are equal in what is asked for, descending", "%s",
                strcmp(text, "5 2 9 1 7") == 0   ? "as they were made"
                : strcmp(text, "7 1 9 2 5") == 0 ? "as they were made, backwards"
                : strcmp(text, "1 2 5 7 9") == 0 ? "by key"
                                                 : text);
        }
    }
    dc_done(&d);
}

static const char *second_page(
    struct dc *d, const struct sp_query *first, const struct sp_query *second, void (*between)(struct dc *d))
{
    if (!dc_ok(d, "the first page", sp_db_read(d->s, first, &d->r, &d->err)) ||
        !sp_check_text(d->ctx, "the first page", "2 4", ids(d)))
        return NULL;
    between(d);
    return !sp_ctx_done(d->ctx) && dc_ok(d, "the second page", sp_db_read(d->s, second, &d->r, &d->err))
               ? ids(d)
               : NULL;
}

static void delete_first(struct dc *d)
{
    (void)dc_delete(d, d->s, "items", ID_IS(2), 1);
}

static void create_first(struct dc *d)
{
    (void)dc_create(d, d->s, "items", ITEMS(ITEM(1, "new", V_NULL)));
}

void crc_semantics_paging(struct sp_ctx *ctx, const void *data)
{
    static const struct {
        const char *topic;
        void (*between)(struct dc *d);
        bool keyset;
        const char *undo; /* what the second page is without drift */
    } rows[] = {
        { "paging under writes: pages by offset, while a row of the first one is deleted", delete_first,
            false, "6 8" },
        { "paging under writes: pages by offset, while a row is made before the first one", create_first,
            false, "6 8" },
        { "paging under writes: pages by key, while a row of the first one is deleted", delete_first, true,
            "6 8" },
        { "paging under writes: pages by key, while a row is made before the first one", create_first, true,
            "6 8" },
    };
    const struct sp_filter behind = F_ON("id", GT, V_INT(4));
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && sp_ctx_table(ctx, &dc_items);
    for (size_t i = 0; ok && i < SP_LEN(rows); i++) {
        ok = dc_ok(&d, "emptying", sp_db_delete(d.s, "items", NULL, NULL, &d.err)) &&
             dc_create(&d, d.s, "items",
                 ITEMS(
                     ITEM(2, "a", V_NULL), ITEM(4, "b", V_NULL), ITEM(6, "c", V_NULL), ITEM(8, "d", V_NULL)));
        const char *got =
            ok ? second_page(&d, &(const struct sp_query){ .table = "items", BY_ID, .limit = 2 },
                     rows[i].keyset
                         ? &(const struct sp_query){ .table = "items", BY_ID, .where = &behind, .limit = 2 }
                         : &(const struct sp_query){ .table = "items", BY_ID, .limit = 2, .offset = 2 },
                     rows[i].between)
               : NULL;
        ok = got != NULL;
        if (ok)
            sp_ctx_observe(ctx, rows[i].topic, "%s",
                strcmp(got, rows[i].undo) == 0 ? "each row once"
                : strcmp(got, "8") == 0        ? "a row is passed over"
                : strcmp(got, "4 6") == 0      ? "a row comes twice"
                                               : got);
    }
    dc_done(&d);
}

/* ---- what others see ------------------------------------------------------------------------------------------------- */

void crc_semantics_consistency(struct sp_ctx *ctx, const void *data)
{
    enum { WRITES = 20 };
    struct dc d;
    (void)data;
    struct sp_session *b = dc_open(&d, ctx) && dc_table(&d, &dc_items, THREE) ? dc_other(&d, 1) : NULL;
    bool ok = b != NULL;
    int64_t late = 0, after_delete = 0;
    for (int64_t i = 0; ok && i < WRITES; i++) {
        const struct sp_filter mine = F_ON("value", EQ, sp_v_int(100 + i));
        int64_t n = 0;
        ok =
            dc_update(&d, d.s, "items", ID_IS(2), LIST(struct sp_field, { "value", sp_v_int(100 + i) }), 1) &&
            dc_ok(&d, "count in the other session", sp_db_count(b, "items", &mine, &n, &d.err));
        late += n != 1;
    }
    if (ok && dc_delete(&d, d.s, "items", ID_IS(3), 1) &&
        dc_ok(&d, "count in the other session", sp_db_count(b, "items", ID_IS(3), &after_delete, &d.err)) &&
        dc_count_is(&d, d.s, "items", NULL, 2)) {
        sp_ctx_observe(ctx, "consistency: an acknowledged update, read by another session at once", "%s",
            late == 0        ? "seen"
            : late == WRITES ? "not seen"
                             : "not always seen");
        sp_ctx_observe(ctx, "consistency: an acknowledged delete, read by another session at once", "%s",
            after_delete == 0 ? "seen" : "not seen");
    }
    dc_done(&d);
}

/* A row that another session has changed and not committed: what a reader gets. */
void crc_semantics_open_writer(struct sp_ctx *ctx, const void *data)
{
    const struct sp_filter changed = F_ON("value", EQ, V_INT(7));
    int64_t n = 0;
    struct dc d;
    (void)data;
    struct sp_session *b = dc_open(&d, ctx) && dc_table(&d, &dc_items, THREE) ? dc_impatient(&d, 300) : NULL;
    if (b != NULL && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
        dc_update(&d, d.s, "items", ID_IS(2), LIST(struct sp_field, { "value", V_INT(7) }), 1)) {
        int rc = sp_db_count(b, "items", &changed, &n, &d.err);
        bool waits = rc == -SP_E_TIMEOUT || rc == -SP_E_CONFLICT;
        if (waits)
            sp_error_clear(&d.err);
        if ((waits || dc_ok(&d, "read beside an open writer", rc)) && dc_rollback(&d, d.s) &&
            dc_holds(&d, d.s, "the rows", "items", THREE))
            sp_ctx_observe(ctx,
                "consistency: a row that an open transaction has changed, read by another session", "%s",
                waits    ? "the reader waits"
                : n == 1 ? "the change"
                         : "the row as it was");
    }
    dc_done(&d);
}

/* ---- limits ---------------------------------------------------------------------------------------------------------- */

static char *long_text(struct dc *d, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    char *p = sp_arena_alloc(d->a, n + 1);
    struct sp_rng *rng = sp_ctx_rng(d->ctx);
    for (size_t i = 0; p != NULL && i < n; i++)
        p[i] = letters[i < 65536 ? sp_rng_below(rng, 64) : i % 61];
    if (p != NULL)
        p[n] = '\0';
    else
        sp_ctx_error(d->ctx, "out of memory");
    return p;
}

static bool kept_long(struct dc *d, const char *topic, const char *table, const char *column, size_t n)
{
    const char *refusal = NULL;
    char *text = long_text(d, n);
    const struct sp_value v = text != NULL ? sp_v_textn(text, n) : sp_v_null();
    const struct sp_field f[] = { { column, v }, { "id", sp_v_int((int64_t)n) } };
    size_t nf = strcmp(column, "id") == 0 ? 1 : 2;
    if (text == NULL || !cro_answered(d, topic, sp_db_insert(d->s, table, f, nf, &d->err), &refusal) ||
        !dc_count_is(d, d->s, table, NULL, refusal == NULL))
        return false;
    if (refusal == NULL && (!dc_ok(d, "read", sp_db_read(d->s, QUERY(table), &d->r, &d->err)) ||
                               !sp_check_int(d->ctx, "rows", 1, (int64_t)d->r.nrows)))
        return false;
    const struct sp_value *got = refusal == NULL ? sp_result_at(&d->r, 0, column) : NULL;
    sp_ctx_observe(d->ctx, topic, "%s",
        refusal != NULL                          ? refusal
        : got != NULL && sp_value_equal(got, &v) ? "kept exactly"
        : got != NULL && got->tag == SP_TEXT     ? "cut"
                                                 : "changed");
    return dc_ok(d, "emptying", sp_db_delete(d->s, table, NULL, NULL, &d->err));
}

void crc_semantics_long_values(struct sp_ctx *ctx, const void *data)
{
    static const struct sp_column plain[] = { COL_ID, COL("t", TEXT) };
    static const struct sp_column keyed[] = {
        { .name = "id", .type = { .tag = SP_TEXT }, .not_null = true }
    };
    const struct sp_table t = TABLE("long_texts", plain), k = TABLE("long_keys", keyed);
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &t, NULL) && dc_table(&d, &k, NULL) &&
              kept_long(&d, "empty: a key that is the empty text", "long_keys", "id", 0) &&
              kept_long(&d, "limits: a key of 1,000 bytes", "long_keys", "id", 1000) &&
              kept_long(&d, "limits: a key of 4,000 bytes", "long_keys", "id", 4000) &&
              kept_long(&d, "limits: a key of 20,000 bytes", "long_keys", "id", 20000) &&
              kept_long(&d, "limits: a text of 1 MiB", "long_texts", "t", 1u << 20);
    if (ok && sp_ctx_quick(ctx))
        sp_ctx_not_observed(ctx, "limits: a text of 17 MiB", "takes long: only with --full");
    else if (ok)
        (void)kept_long(&d, "limits: a text of 17 MiB", "long_texts", "t", 17u << 20);
    dc_done(&d);
}

void crc_semantics_many_columns(struct sp_ctx *ctx, const void *data)
{
    enum { COLUMNS = 1700 };
    const char *refusal = NULL, *ns = NULL;
    struct sp_schema *schema = NULL;
    struct dc d;
    (void)data;
    struct sp_session *b = dc_open(&d, ctx) ? cro_apart(&d, "wide", &ns) : NULL;
    struct sp_column *columns = b != NULL ? sp_arena_array(d.a, COLUMNS, sizeof *columns) : NULL;
    for (size_t i = 0; columns != NULL && i < COLUMNS; i++)
        columns[i] = (struct sp_column){ .name = i == 0 ? "id" : sp_arena_printf(d.a, "c%zu", i),
            .type = { .tag = SP_INT },
            .not_null = i == 0 };
    const struct sp_table t = { .name = "wide", .columns = columns, .ncolumns = COLUMNS, .pk = NAMES("id") };
    if (columns != NULL &&
        cro_answered(&d, "a table of 1,700 columns", sp_db_table_create(b, &t, true, &d.err), &refusal) &&
        dc_ok(&d, "introspection", sp_db_introspect(b, ns, &schema, &d.err)) &&
        sp_check_int(ctx, "tables", refusal == NULL, (int64_t)schema->ntables) &&
        (refusal != NULL || (sp_check_int(ctx, "columns", COLUMNS, (int64_t)schema->tables[0].ncolumns) &&
                                dc_count_is(&d, b, "wide", NULL, 0))))
        sp_ctx_observe(ctx, "limits: a table of 1,700 columns", "%s", refusal != NULL ? refusal : "made");
    sp_schema_free(schema);
    dc_done(&d);
}

void crc_semantics_many_values(struct sp_ctx *ctx, const void *data)
{
    static const struct {
        const char *topic;
        size_t n;
    } rows[] = { { "limits: a filter with 1,000 values in a list", 1000 },
        { "limits: a filter with 40,000 values in a list", 40000 } };
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) &&
              dc_table(&d, &dc_items,
                  ITEMS(ITEM(1, "a", V_INT(1)), ITEM(2, "b", V_INT(2)), ITEM(3, "c", V_INT(3))));
    for (size_t i = 0; ok && i < SP_LEN(rows); i++) {
        struct sp_value *v = sp_arena_array(d.a, rows[i].n, sizeof *v);
        for (size_t k = 0; v != NULL && k < rows[i].n; k++)
            v[k] = sp_v_int((int64_t)(k + 3) * 1000003 % 100000007);
        if (v != NULL)
            v[rows[i].n - 1] = sp_v_int(2);
        const struct sp_filter where = {
            .op = SP_F_IN, .column = "value", .values = v, .nvalues = rows[i].n
        };
        ok = v != NULL && cro_finds(&d, rows[i].topic, "items", &where, "its last value is not found",
                              "its last value is found");
    }
    (void)(ok && dc_count_is(&d, d.s, "items", NULL, 3));
    dc_done(&d);
}
