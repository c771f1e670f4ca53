/* probe.c -- what the server really does, found out by trying: in a collection of its own, made and dropped here. Another
 * program that speaks the protocol may accept a transaction, a validator or a NaN, and not keep it.
 *
 * A run that is killed in here leaves that collection; its name holds when it was made, and the next one removes it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "providers/mongodb/internal.h"

#define STALE_S 120

struct probe {
    struct sp_session *s;
    struct sp_cap *caps;
    char name[64];
    struct sp_error err;
};

static void deny(struct probe *p, enum sp_cap_id id, const char *why)
{
    if (p->caps[id].level == SP_CAP_YES)
        p->caps[id] = (struct sp_cap){ .level = SP_CAP_NO, .why = why };
}

/* ---- small commands ---- */

static int command(struct probe *p, bson_t *cmd, enum mo_use use, bson_t *reply)
{
    sp_error_clear(&p->err);
    if (cmd == NULL) {
        bson_init(reply);
        return sp_nomem(&p->err);
    }
    int ret = mo_command(p->s, p->s->default_ns, cmd, use, "probe", reply, &p->err);
    if (ret == 0)
        ret = mo_write_error(p->s, reply, "probe", &p->err);
    bson_destroy(cmd);
    return ret;
}

static int run(struct probe *p, bson_t *cmd, enum mo_use use)
{
    bson_t reply;
    int ret = command(p, cmd, use, &reply);
    bson_destroy(&reply);
    return ret;
}

/* {_id: n, k: k} */
static int insert(struct probe *p, int64_t n, int64_t k)
{
    return run(p,
        BCON_NEW("insert", BCON_UTF8(p->name), "documents", "[", "{", "_id", BCON_INT64(n), "k",
            BCON_INT64(k), "}", "]"),
        MO_WRITE);
}

static int change(struct probe *p, int64_t n)
{
    return run(p,
        BCON_NEW("update", BCON_UTF8(p->name), "updates", "[", "{", "q", "{", "_id", BCON_INT64(n), "}", "u",
            "{", "$inc", "{", "k", BCON_INT64(1), "}", "}", "}", "]"),
        MO_WRITE);
}

/* Is the document there, as seen from here? -1 = no answer. */
static int seen(struct probe *p, int64_t n)
{
    bson_t reply;
    bson_iter_t it, batch;
    int found = -1;
    int ret = command(p,
        BCON_NEW("find", BCON_UTF8(p->name), "filter", "{", "_id", BCON_INT64(n), "}", "singleBatch",
            BCON_BOOL(true)),
        MO_READ, &reply);
    if (ret == 0 && bson_iter_init(&it, &reply) &&
        bson_iter_find_descendant(&it, "cursor.firstBatch", &batch) && BSON_ITER_HOLDS_ARRAY(&batch) &&
        bson_iter_recurse(&batch, &it))
        found = bson_iter_next(&it) ? 1 : 0;
    bson_destroy(&reply);
    return found;
}

/* The same, outside of the session's transaction or snapshot. */
static int outside(struct probe *p, int (*call)(struct probe *, int64_t), int64_t n)
{
    mongoc_client_session_t *cs = p->s->cs;
    p->s->cs = NULL;
    int ret = call(p, n);
    p->s->cs = cs;
    return ret;
}

static int insert_plain(struct probe *p, int64_t n)
{
    return insert(p, n, n);
}

/* ---- tables ---- */

static void try_validator(struct probe *p)
{
    static const char why[] = "the server took a document that the collection's validator forbids";
    int null = run(
        p, BCON_NEW("insert", BCON_UTF8(p->name), "documents", "[", "{", "k", BCON_NULL, "}", "]"), MO_WRITE);
    if (null == 0)
        deny(p, SP_CAP_NOT_NULL, why);
    int text =
        run(p, BCON_NEW("insert", BCON_UTF8(p->name), "documents", "[", "{", "k", BCON_UTF8("x"), "}", "]"),
            MO_WRITE);
    if (text == 0)
        deny(p, SP_CAP_STRICT_TYPES, why);
}

static void try_unique(struct probe *p)
{
    static const char why[] = "the server refuses, or does not enforce, unique indexes that leave out nulls";
    int ret = run(p,
        BCON_NEW("createIndexes", BCON_UTF8(p->name), "indexes", "[", "{", "key", "{", "k", BCON_INT32(1),
            "}", "name", BCON_UTF8("k"), "unique", BCON_BOOL(true), "partialFilterExpression", "{", "k", "{",
            "$type", "[", BCON_UTF8("long"), BCON_UTF8("int"), "]", "}", "}", "}", "]"),
        MO_WRITE);
    bool works = ret == 0 && insert(p, 1, 100) == 0 && insert(p, 2, 100) == -SP_E_UNIQUE;
    if (!works) {
        deny(p, SP_CAP_UNIQUE, why);
        deny(p, SP_CAP_UNIQUE_COMPOUND, why);
    }
}

/* ---- transactions ---- */

static void no_txn(struct probe *p, const char *why)
{
    static const enum sp_cap_id ids[] = { SP_CAP_TXN, SP_CAP_ATOMIC_BATCH, SP_CAP_ISO_READ_COMMITTED,
        SP_CAP_ISO_REPEATABLE, SP_CAP_RETURNING };
    for (size_t i = 0; i < SP_LEN(ids); i++)
        deny(p, ids[i], why);
}

/* What is open is not seen outside, a rollback leaves nothing, a commit leaves all. */
static const char *try_atomic(struct probe *p)
{
    struct sp_session *s = p->s;
    if (mo_begin(s, NULL, &p->err) != 0 || insert(p, 10, 10) != 0)
        return "the server refuses a write in a transaction";
    int dirty = outside(p, seen, 10), own = seen(p, 10);
    (void)mo_rollback(s, &p->err);
    int left = seen(p, 10);
    if (dirty != 0 || own != 1)
        return "the server shows what a transaction has not committed, or hides it from the transaction "
               "itself";
    if (left != 0)
        return "the server accepts transactions, but a rollback leaves what was written";
    if (mo_begin(s, NULL, &p->err) != 0 || insert(p, 11, 11) != 0 || mo_commit(s, &p->err) != 0 ||
        seen(p, 11) != 1)
        return "the server accepts transactions, but does not keep what they commit";
    return NULL;
}

/* Of two transactions that change one document one must lose. */
static const char *try_conflict(struct probe *p)
{
    struct sp_session *s = p->s;
    if (mo_begin(s, NULL, &p->err) != 0 || change(p, 11) != 0)
        return "the server refuses an update in a transaction";
    mongoc_client_session_t *first = s->cs;
    s->cs = NULL;
    s->in_txn = false;
    int second = mo_begin(s, NULL, &p->err);
    if (second == 0)
        second = change(p, 11);
    if (s->in_txn)
        (void)mo_rollback(s, &p->err);
    s->cs = first;
    s->in_txn = true;
    (void)mo_rollback(s, &p->err);
    return second == -SP_E_CONFLICT ? NULL : "two transactions could change one document, and neither lost";
}

static void try_txn(struct probe *p)
{
    const char *why = try_atomic(p);
    if (p->s->in_txn)
        (void)mo_rollback(p->s, &p->err);
    if (why == NULL)
        why = try_conflict(p);
    if (p->s->in_txn)
        (void)mo_rollback(p->s, &p->err);
    if (why != NULL) {
        no_txn(p, why);
        return;
    }
    bool stays = mo_begin(p->s, NULL, &p->err) == 0 && seen(p, 12) == 0 &&
                 outside(p, insert_plain, 12) == 0 && seen(p, 12) == 0;
    if (p->s->in_txn)
        (void)mo_rollback(p->s, &p->err);
    if (!stays)
        deny(p, SP_CAP_ISO_REPEATABLE, "a transaction sees what others commit while it lasts");
}

static void try_snapshot(struct probe *p)
{
    struct sp_session *s = p->s;
    bool stays = mo_snapshot_begin(s, NULL, &p->err) == 0 && seen(p, 13) == 0 &&
                 outside(p, insert_plain, 13) == 0 && seen(p, 13) == 0;
    if (s->in_snapshot)
        (void)mo_snapshot_end(s, &p->err);
    if (!stays || seen(p, 13) != 1)
        deny(p, SP_CAP_SNAPSHOT,
            "reads of one snapshot see what others write meanwhile, or the server has none");
}

/* ---- values ---- */

/* Written, and read back by its key. */
static int kept(struct probe *p, int64_t n, const struct sp_value *v)
{
    struct sp_arena a = SP_ARENA_INIT;
    bson_t doc = BSON_INITIALIZER, reply;
    struct sp_value got = sp_v_missing();
    bson_iter_t it, batch;
    bool ok = BSON_APPEND_INT64(&doc, "_id", n) && BSON_APPEND_INT64(&doc, "k", n) &&
              mo_value_put(&doc, "v", NULL, v, &p->err) == 0;
    int ret = ok ? run(p, BCON_NEW("insert", BCON_UTF8(p->name), "documents", "[", BCON_DOCUMENT(&doc), "]"),
                       MO_WRITE)
                 : -SP_E_NOMEM;
    if (ret == 0) {
        ret = command(p,
            BCON_NEW("find", BCON_UTF8(p->name), "filter", "{", "_id", BCON_INT64(n), "}", "singleBatch",
                BCON_BOOL(true)),
            MO_READ, &reply);
        if (ret == 0 && bson_iter_init(&it, &reply) &&
            bson_iter_find_descendant(&it, "cursor.firstBatch.0.v", &batch))
            ret = mo_value_get(&a, &batch, MO_LOGICAL, NULL, &got, &p->err);
        ok = ret == 0 && sp_value_equal(v, &got); /* which borrows from the reply */
        bson_destroy(&reply);
    } else {
        ok = false;
    }
    bson_destroy(&doc);
    sp_arena_free(&a);
    return ok;
}

static void try_values(struct probe *p)
{
    static const char why[] = "the server refuses such a value, or gives another one back";
    static const char octets[] = { '\0', '\xff', 'a' };
    const struct sp_value ints[] = { sp_v_int(1), sp_v_null() };
    const struct {
        enum sp_cap_id id;
        struct sp_value v;
    } rows[] = { { SP_CAP_VAL_NAN, sp_v_f64(NAN) }, { SP_CAP_VAL_INF, sp_v_f64(-INFINITY) },
        { SP_CAP_VAL_NEGZERO, sp_v_f64(-0.0) }, { SP_CAP_VAL_NUL, sp_v_textn("a\0b", 3) },
        { SP_CAP_VAL_BYTES, sp_v_bytes(octets, sizeof octets) }, { SP_CAP_VAL_BOOL, sp_v_bool(false) },
        { SP_CAP_VAL_UUID,
            sp_v_uuid((const uint8_t[16]){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }) },
        { SP_CAP_VAL_INSTANT, sp_v_instant(-1, 999000000) },
        { SP_CAP_VAL_ARRAY, sp_v_array(SP_INT, ints, 2) }, { SP_CAP_VAL_MISSING, sp_v_missing() } };
    for (size_t i = 0; i < SP_LEN(rows); i++)
        if (p->caps[rows[i].id].level == SP_CAP_YES && !kept(p, 1000 + (int64_t)i, &rows[i].v))
            deny(p, rows[i].id, why);
}

/* ---- the collection ---- */

static int64_t now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec;
}

/* switchproof_probe_SECONDS_OID */
void mo_probe_name(char out[64])
{
    char oid[25];
    bson_oid_t id;
    bson_oid_init(&id, NULL);
    bson_oid_to_string(&id, oid);
    (void)snprintf(out, 64, MO_PROBE "%lld_%s", (long long)now_s(), oid);
}

bool mo_probe_stale(const char *name)
{
    char *end = NULL;
    if (!sp_str_prefix(name, MO_PROBE))
        return false;
    long long made = strtoll(name + strlen(MO_PROBE), &end, 10);
    return *end == '_' && made > 0 && now_s() - made > STALE_S;
}

static void drop(struct probe *p, const char *name)
{
    (void)run(p, BCON_NEW("drop", BCON_UTF8(name)), MO_WRITE);
}

static void sweep(struct probe *p)
{
    bson_t reply;
    bson_iter_t it, batch, name;
    int ret = command(p,
        BCON_NEW("listCollections", BCON_INT32(1), "nameOnly", BCON_BOOL(true), "filter", "{", "name", "{",
            "$regex", BCON_UTF8("^" MO_PROBE), "}", "}"),
        MO_PLAIN, &reply);
    if (ret == 0 && bson_iter_init(&it, &reply) &&
        bson_iter_find_descendant(&it, "cursor.firstBatch", &batch) && BSON_ITER_HOLDS_ARRAY(&batch) &&
        bson_iter_recurse(&batch, &it)) {
        while (bson_iter_next(&it))
            if (bson_iter_recurse(&it, &name) && bson_iter_find(&name, "name") &&
                BSON_ITER_HOLDS_UTF8(&name) && mo_probe_stale(bson_iter_utf8(&name, NULL)))
                drop(p, bson_iter_utf8(&name, NULL));
    }
    bson_destroy(&reply);
}

static int make(struct probe *p)
{
    mo_probe_name(p->name);
    int ret = run(p,
        BCON_NEW("create", BCON_UTF8(p->name), "validator", "{", "$jsonSchema", "{", "required", "[",
            BCON_UTF8("k"), "]", "properties", "{", "k", "{", "bsonType", "[", BCON_UTF8("long"),
            BCON_UTF8("int"), "]", "}", "}", "}", "}"),
        MO_WRITE);
    if (ret == 0 || ret == -SP_E_PERMISSION || ret == -SP_E_UNAVAILABLE || ret == -SP_E_TIMEOUT)
        return ret;
    static const char why[] = "the server has no validators, which tables need";
    deny(p, SP_CAP_TABLES, why);
    deny(p, SP_CAP_NOT_NULL, why);
    deny(p, SP_CAP_STRICT_TYPES, why);
    return run(p, BCON_NEW("create", BCON_UTF8(p->name)), MO_WRITE);
}

int mo_probe(struct sp_session *s, struct sp_cap caps[SP_CAP_N])
{
    struct probe p = { .s = s, .caps = caps, .err = SP_ERROR_INIT };
    sweep(&p);
    int ret = make(&p);
    if (ret == 0) {
        if (caps[SP_CAP_NOT_NULL].level == SP_CAP_YES)
            try_validator(&p);
        try_unique(&p);
        if (caps[SP_CAP_TXN].level == SP_CAP_YES)
            try_txn(&p);
        if (caps[SP_CAP_SNAPSHOT].level == SP_CAP_YES)
            try_snapshot(&p);
        try_values(&p);
        drop(&p, p.name);
    }
    sp_error_clear(&p.err);
    return ret;
}
