/* transactions.c -- several operations as one: commit, roll back, save points, in one session. */
#include "suites/crud/crud.h"

#define TWO   ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)))
#define THREE ITEMS(ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20)), ITEM(3, "c", V_INT(30)))
#define ADD3  ITEMS(ITEM(3, "c", V_INT(30)))

static bool start(struct dc *d, struct sp_ctx *ctx)
{
    return dc_open(d, ctx) && dc_table(d, &dc_items, TWO) && dc_begin(d, d->s, SP_ISO_DEFAULT);
}

/* One of each kind of write. */
static bool write_all(struct dc *d)
{
    return dc_create(d, d->s, "items", ITEMS(ITEM(3, "c", V_INT(30)))) &&
           dc_update(d, d->s, "items", ID_IS(1), LIST(struct sp_field, { "value", V_INT(11) }), 1) &&
           dc_delete(d, d->s, "items", ID_IS(2), 1);
}
#define WRITTEN ITEMS(ITEM(1, "a", V_INT(11)), ITEM(3, "c", V_INT(30)))

void crc_txn_commit(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && write_all(&d) && dc_commit(&d, d.s) &&
        dc_holds(&d, d.s, "after the commit", "items", WRITTEN)) {
        struct sp_session *b =
            sp_ctx_cap(ctx, SP_CAP_CONCURRENT_SESSIONS)->level == SP_CAP_YES ? dc_other(&d, 1) : d.s;
        if (b != NULL)
            (void)dc_holds(&d, b, "after the commit, elsewhere", "items", WRITTEN);
    }
    dc_done(&d);
}

void crc_txn_rollback(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && write_all(&d) && dc_holds(&d, d.s, "before the rollback", "items", WRITTEN) &&
        dc_rollback(&d, d.s))
        (void)dc_holds(&d, d.s, "after the rollback", "items", TWO);
    dc_done(&d);
}

/* The whole table emptied and filled anew, and rolled back. */
void crc_txn_rollback_all(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && dc_delete(&d, d.s, "items", NULL, 2) &&
        dc_create(&d, d.s, "items", ITEMS(ITEM(1, "new", V_NULL), ITEM(9, "new", V_NULL))) &&
        dc_rollback(&d, d.s) && dc_holds(&d, d.s, "after the rollback", "items", TWO) &&
        dc_create(&d, d.s, "items", ADD3))
        (void)dc_holds(&d, d.s, "a write after the rollback stays", "items", THREE);
    dc_done(&d);
}

void crc_txn_own_writes(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && write_all(&d) &&
        dc_holds(&d, d.s, "its own writes, before the commit", "items", WRITTEN) &&
        dc_count_is(&d, d.s, "items", ID_IS(2), 0) &&
        dc_update(&d, d.s, "items", ID_IS(3), LIST(struct sp_field, { "category", V_TEXT("cc") }), 1) &&
        dc_commit(&d, d.s))
        (void)dc_holds(
            &d, d.s, "after the commit", "items", ITEMS(ITEM(1, "a", V_INT(11)), ITEM(3, "cc", V_INT(30))));
    dc_done(&d);
}

void crc_txn_isolated(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    struct sp_session *b = start(&d, ctx) ? dc_other(&d, 1) : NULL;
    if (b != NULL && write_all(&d) &&
        dc_holds(&d, b, "nothing uncommitted is seen elsewhere", "items", TWO) && dc_commit(&d, d.s))
        (void)dc_holds(&d, b, "after the commit all of it is", "items", WRITTEN);
    dc_done(&d);
}

/* A session that ends with an open transaction has done nothing. */
void crc_txn_close(struct sp_ctx *ctx, const void *data)
{
    struct sp_session *b = NULL;
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO)) {
        const char *ns =
            sp_ctx_cap(ctx, SP_CAP_NAMESPACES)->level == SP_CAP_YES ? sp_ctx_namespace(ctx) : NULL;
        bool ok =
            dc_ok(&d, "open", sp_open(&b, sp_session_provider(d.s), sp_session_endpoint(d.s), &d.err)) &&
            (ns == NULL || dc_ok(&d, "use of the namespace", sp_db_ns_use(b, ns, &d.err))) &&
            dc_ok(&d, "begin", sp_db_begin(b, NULL, &d.err)) && dc_create(&d, b, "items", ADD3) &&
            dc_delete(&d, b, "items", ID_IS(1), 1);
        sp_close(b);
        if (ok && dc_holds(&d, d.s, "after the other session is gone", "items", TWO) &&
            dc_update(&d, d.s, "items", ID_IS(1), LIST(struct sp_field, { "value", V_INT(1) }), 1))
            (void)dc_holds(&d, d.s, "its rows are free", "items",
                ITEMS(ITEM(1, "a", V_INT(1)), ITEM(2, "b", V_INT(20))));
    }
    dc_done(&d);
}

/* Commit, roll back, commit: each only its own. */
void crc_txn_again(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    bool ok = dc_open(&d, ctx) && dc_table(&d, &dc_items, NULL);
    struct sp_value v[30 * 3];
    size_t n = 0;
    for (int64_t i = 0; ok && i < 30; i++) {
        const struct sp_value row[] = { sp_v_int(i), V_TEXT("t"), sp_v_int(i * i) };
        const struct dc_rows one = {
            .columns = NAMES("id", "category", "value"), .values = row, .nvalues = 3
        };
        ok = dc_begin(&d, d.s, SP_ISO_DEFAULT) && dc_create(&d, d.s, "items", &one) &&
             (i % 3 == 1 ? dc_rollback(&d, d.s) : dc_commit(&d, d.s));
        for (size_t c = 0; i % 3 != 1 && c < 3; c++)
            v[n++] = row[c];
    }
    const struct dc_rows want = { .columns = NAMES("id", "category", "value"), .values = v, .nvalues = n };
    (void)(ok && dc_holds(&d, d.s, "what was committed", "items", &want));
    dc_done(&d);
}

void crc_txn_failure(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && write_all(&d) &&
        dc_refused(&d, "a write that fails in the middle", SP_E_UNIQUE,
            sp_db_insert(d.s, "items", LIST(struct sp_field, { "id", V_INT(1) }, { "category", V_TEXT("x") }),
                &d.err)) &&
        dc_rollback(&d, d.s))
        (void)dc_holds(&d, d.s, "after the rollback", "items", TWO);
    dc_done(&d);
}

void crc_txn_read_only(struct sp_ctx *ctx, const void *data)
{
    const struct sp_txn_opts opts = { .read_only = true };
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO)) {
        bool ok = dc_ok(&d, "begin read-only", sp_db_begin(d.s, &opts, &d.err));
        if (ok)
            dc_opened(&d, d.s);
        ok = ok && dc_holds(&d, d.s, "reading in it", "items", TWO) &&
             dc_refused(&d, "a create in it", SP_E_PERMISSION,
                 sp_db_insert(d.s, "items",
                     LIST(struct sp_field, { "id", V_INT(3) }, { "category", V_TEXT("x") }), &d.err));
        ok = ok && dc_rollback(&d, d.s) && dc_holds(&d, d.s, "nothing was written", "items", TWO);
        /* The next one may write again. */
        (void)(ok && dc_begin(&d, d.s, SP_ISO_DEFAULT) && dc_create(&d, d.s, "items", ADD3) &&
               dc_commit(&d, d.s) && dc_holds(&d, d.s, "a later transaction writes", "items", THREE));
    }
    dc_done(&d);
}

void crc_txn_two_tables(struct sp_ctx *ctx, const void *data)
{
    struct sp_table other = dc_items;
    other.name = "others";
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) && dc_table(&d, &other, NULL) &&
        dc_begin(&d, d.s, SP_ISO_DEFAULT) && dc_delete(&d, d.s, "items", ID_IS(2), 1) &&
        dc_create(&d, d.s, "others", ADD3) && dc_rollback(&d, d.s) &&
        dc_holds(&d, d.s, "the first table", "items", TWO) &&
        dc_holds(&d, d.s, "the second table", "others", NO_ITEMS) && dc_begin(&d, d.s, SP_ISO_DEFAULT) &&
        dc_delete(&d, d.s, "items", ID_IS(2), 1) && dc_create(&d, d.s, "others", ADD3) &&
        dc_commit(&d, d.s) && dc_holds(&d, d.s, "the first table", "items", ITEMS(ITEM(1, "a", V_INT(10)))))
        (void)dc_holds(&d, d.s, "the second table", "others", ADD3);
    dc_done(&d);
}

/* Calls in the wrong place are errors, and do no harm. */
void crc_txn_misuse(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (dc_open(&d, ctx) && dc_table(&d, &dc_items, TWO) &&
        dc_fails(&d, "commit without a transaction", SP_E_INVALID, sp_db_commit(d.s, &d.err)) &&
        dc_fails(&d, "rollback without a transaction", SP_E_INVALID, sp_db_rollback(d.s, &d.err)) &&
        dc_begin(&d, d.s, SP_ISO_DEFAULT) && dc_create(&d, d.s, "items", ADD3) &&
        dc_fails(&d, "begin within a transaction", SP_E_INVALID, sp_db_begin(d.s, NULL, &d.err)) &&
        dc_commit(&d, d.s))
        (void)dc_holds(&d, d.s, "the transaction went on", "items", THREE);
    dc_done(&d);
}

/* ---- save points -------------------------------------------------------------------------------------------------------- */

static bool save(struct dc *d, const char *name)
{
    return dc_ok(d, "savepoint", sp_db_savepoint(d->s, name, &d->err));
}
static bool back(struct dc *d, const char *name)
{
    return dc_ok(d, "rollback to a savepoint", sp_db_savepoint_rollback(d->s, name, &d->err));
}
static bool release(struct dc *d, const char *name)
{
    return dc_ok(d, "release of a savepoint", sp_db_savepoint_release(d->s, name, &d->err));
}
static bool add(struct dc *d, int64_t id)
{
    return dc_ok(d, "create",
        sp_db_insert(d->s, "items",
            LIST(struct sp_field, { "id", sp_v_int(id) }, { "category", V_TEXT("s") }, { "value", V_INT(0) }),
            &d->err));
}
#define ADDED(id) ITEM(id, "s", V_INT(0))
#define BASE_TWO  ITEM(1, "a", V_INT(10)), ITEM(2, "b", V_INT(20))

void crc_savepoint(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && add(&d, 3) && save(&d, "sp1") && add(&d, 4) &&
        dc_delete(&d, d.s, "items", ID_IS(1), 1) && back(&d, "sp1") &&
        dc_holds(&d, d.s, "back at the savepoint", "items", ITEMS(BASE_TWO, ADDED(3))) && add(&d, 5) &&
        /* It can be gone back to again. */
        back(&d, "sp1") && add(&d, 6) && dc_commit(&d, d.s))
        (void)dc_holds(&d, d.s, "after the commit", "items", ITEMS(BASE_TWO, ADDED(3), ADDED(6)));
    dc_done(&d);
}

void crc_savepoint_nested(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && save(&d, "outer") && add(&d, 3) && save(&d, "middle") && add(&d, 4) &&
        save(&d, "inner") && add(&d, 5) && back(&d, "inner") && add(&d, 6) && release(&d, "inner") &&
        dc_holds(&d, d.s, "the inner one undone, then gone on", "items",
            ITEMS(BASE_TWO, ADDED(3), ADDED(4), ADDED(6))) &&
        back(&d, "middle") &&
        dc_holds(&d, d.s, "the middle one undone", "items", ITEMS(BASE_TWO, ADDED(3))) && back(&d, "outer") &&
        dc_holds(&d, d.s, "all undone", "items", TWO) && add(&d, 7) && dc_commit(&d, d.s))
        (void)dc_holds(&d, d.s, "after the commit", "items", ITEMS(BASE_TWO, ADDED(7)));
    dc_done(&d);
}

void crc_savepoint_release(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && save(&d, "sp1") && add(&d, 3) && release(&d, "sp1") &&
        dc_holds(&d, d.s, "released work is kept", "items", ITEMS(BASE_TWO, ADDED(3))) &&
        dc_rollback(&d, d.s))
        (void)dc_holds(&d, d.s, "unless the transaction is rolled back", "items", TWO);
    dc_done(&d);
}

void crc_savepoint_error(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && add(&d, 3) && save(&d, "sp1") && add(&d, 4) &&
        dc_refused(&d, "a create that fails", SP_E_UNIQUE,
            sp_db_insert(d.s, "items", LIST(struct sp_field, { "id", V_INT(1) }, { "category", V_TEXT("x") }),
                &d.err)) &&
        back(&d, "sp1") && add(&d, 5) && dc_commit(&d, d.s))
        (void)dc_holds(
            &d, d.s, "the error undone with its savepoint", "items", ITEMS(BASE_TWO, ADDED(3), ADDED(5)));
    dc_done(&d);
}

/* Of two savepoints with one name the newer one counts; after its release the older one does. */
void crc_savepoint_same_name(struct sp_ctx *ctx, const void *data)
{
    struct dc d;
    (void)data;
    if (start(&d, ctx) && save(&d, "p") && add(&d, 3) && save(&d, "p") && add(&d, 4) && back(&d, "p") &&
        dc_holds(&d, d.s, "back at the newer one", "items", ITEMS(BASE_TWO, ADDED(3))) && release(&d, "p") &&
        back(&d, "p") && dc_holds(&d, d.s, "back at the older one", "items", TWO) && dc_commit(&d, d.s))
        (void)dc_holds(&d, d.s, "after the commit", "items", TWO);
    dc_done(&d);
}
