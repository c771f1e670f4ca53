/* test_supabase_faults.c -- every operation on rows, through a proxy that spoils any one of its requests, or all of them, before a
 * real PostgREST. Each must end in the right result or in an error that tells the truth: what the database holds is asked of the
 * database itself. A trigger notes every transaction that wrote, so that a write that is carried out twice shows even where it
 * changes nothing more. Several lanes work side by side, each with tables, sessions and a proxy of its own. */
#include <stdatomic.h>
#include <stdint.h>

#include "ci/tests/provider/supabase_faults.h"

enum { LANES = 6, BIG = 1300, MANY = 3 };

struct lane {
    unsigned number;
    struct proxy proxy;
    struct place at[2];
    struct sp_endpoint db_at;
    struct sp_session *session[2], *db; /* hasty, patient; the database itself */
    char table[16];
    struct sp_result result;
    char wrong[256]; /* what a success should not have been; "" = right */
};
static struct lane lanes[LANES];

/* --- operations ----------------------------------------------------------------------------------------------------- */

#define SET(n, what)                                                                                         \
    do {                                                                                                     \
        if (!(what))                                                                                         \
            (void)snprintf((n)->wrong, sizeof(n)->wrong, "success, but not: %s", #what);                     \
    } while (0)

static const char *const fields[] = { "id", "n", "s" };
static const char *const id_key[] = { "id" };
static const struct sp_value one = { .tag = SP_INT, .u.i = 1 }, two = { .tag = SP_INT, .u.i = 2 };
static const struct sp_filter is_one = { .op = SP_F_EQ, .column = "id", .values = &one, .nvalues = 1 };
static const struct sp_filter is_two = { .op = SP_F_EQ, .column = "id", .values = &two, .nvalues = 1 };

static int run_op(struct lane *l, struct sp_session *s, struct sp_op op, struct sp_error *e)
{
    if (op.query.table == NULL)
        op.query.table = l->table;
    return sp_db_exec(s, &op, &l->result, e);
}

static int write_rows(struct lane *l, struct sp_session *s, enum sp_op_kind kind, int64_t first, size_t n,
    bool returning, struct sp_error *e)
{
    struct sp_value v[3 * MANY];
    for (size_t i = 0; i < n; i++) {
        v[3 * i] = sp_v_int(first + (int64_t)i);
        v[3 * i + 1] = sp_v_int(100 * (first + (int64_t)i));
        v[3 * i + 2] = sp_v_text("new, \"\\ é");
    }
    struct sp_op op = {
        .kind = kind, .fields = fields, .nfields = 3, .values = v, .nrows = n, .returning = returning
    };
    if (kind == SP_OP_UPSERT) {
        op.key = id_key;
        op.nkey = 1;
    }
    int rc = run_op(l, s, op, e);
    if (rc == 0) {
        SET(l, l->result.affected == (int64_t)n);
        SET(l, l->result.nrows == (returning ? n : 0));
    }
    for (size_t i = 0; rc == 0 && returning && i < l->result.nrows; i++)
        SET(l, sp_result_at(&l->result, i, "n")->u.i == 100 * (first + (int64_t)i));
    return rc;
}

static int create_one(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return write_rows(l, s, SP_OP_CREATE, 3, 1, false, e);
}
static int create_many(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return write_rows(l, s, SP_OP_CREATE, 3, MANY, false, e);
}
static int create_returning(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return write_rows(l, s, SP_OP_CREATE, 3, MANY, true, e);
}
static int upsert(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return write_rows(l, s, SP_OP_UPSERT, 2, 2, false, e);
}
static int upsert_returning(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return write_rows(l, s, SP_OP_UPSERT, 2, 2, true, e);
}

static int change_one(
    struct lane *l, struct sp_session *s, enum sp_op_kind kind, bool returning, struct sp_error *e)
{
    static const char *const n_field[] = { "n" };
    static const struct sp_value eleven = { .tag = SP_INT, .u.i = 11 };
    bool update = kind == SP_OP_UPDATE;
    struct sp_op op = { .kind = kind,
        .query.where = update ? &is_one : &is_two,
        .fields = n_field,
        .nfields = update ? 1 : 0,
        .values = &eleven,
        .nrows = update ? 1 : 0,
        .returning = returning };
    int rc = run_op(l, s, op, e);
    if (rc == 0) {
        SET(l, l->result.affected == 1);
        SET(l, l->result.nrows == (returning ? 1 : 0));
        SET(l, !returning || sp_result_at(&l->result, 0, "n")->u.i == (update ? 11 : 20));
    }
    return rc;
}

static int update(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return change_one(l, s, SP_OP_UPDATE, false, e);
}
static int update_returning(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return change_one(l, s, SP_OP_UPDATE, true, e);
}
static int delete_one(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return change_one(l, s, SP_OP_DELETE, false, e);
}
static int delete_returning(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    return change_one(l, s, SP_OP_DELETE, true, e);
}

static int load(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    struct sp_load *load = NULL;
    uint64_t loaded = 99;
    int rc = sp_db_load_open(s, l->table, fields, 3, &load, e);
    for (int64_t i = 3; rc == 0 && i < 3 + MANY; i++) {
        struct sp_value v[] = { sp_v_int(i), sp_v_int(100 * i), sp_v_text("new, \"\\ é") };
        rc = sp_db_load_row(s, load, v, e);
        if (rc != 0)
            (void)sp_db_load_close(s, load, false, NULL, NULL);
    }
    if (rc == 0) {
        rc = sp_db_load_close(s, load, true, &loaded, e);
        SET(l, loaded == (rc == 0 ? MANY : 0));
    }
    return rc;
}

static int read_one(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    int rc = run_op(
        l, s, (struct sp_op){ .kind = SP_OP_READ, .query = { .where = &is_one, .limit = SP_NO_LIMIT } }, e);
    if (rc == 0) {
        SET(l, l->result.nrows == 1);
        SET(l, l->result.nrows != 1 || sp_result_at(&l->result, 0, "s")->u.str.p[0] == 'a');
    }
    return rc;
}

static int read_all(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    int64_t sum = 0;
    int rc = run_op(
        l, s, (struct sp_op){ .kind = SP_OP_READ, .query = { .table = "big", .limit = SP_NO_LIMIT } }, e);
    for (size_t i = 0; rc == 0 && i < l->result.nrows; i++)
        sum += sp_result_at(&l->result, i, "id")->u.i;
    if (rc == 0) {
        SET(l, l->result.nrows == BIG);
        SET(l, sum == (int64_t)BIG * (BIG + 1) / 2);
    }
    return rc;
}

static int count_all(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    int64_t n = -1;
    int rc = sp_db_count(s, "big", NULL, &n, e);
    if (rc == 0)
        SET(l, n == BIG);
    return rc;
}

static int sum_row(void *p, const struct sp_rowview *v)
{
    uint64_t *rows = p;
    (void)v;
    ++*rows;
    return 0;
}

static int scan_all(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    struct sp_colplan plan = { .name = "id", .source = "id", .target = "id", .type = { .tag = SP_INT } };
    struct sp_scan scan = { .table = "big", .cols = &plan, .ncols = 1, .nkey = 1, .side = SP_SIDE_SOURCE };
    struct sp_rowbuf rb;
    uint64_t rows = 0;
    int rc = sp_rowbuf_init(&rb, &scan, e);
    if (rc != 0)
        return rc;
    rb.sink = sum_row;
    rb.payload = &rows;
    rc = sp_db_scan(s, &scan, &rb, e);
    SET(l, rb.complete == (rc == 0));
    SET(l, rc != 0 || rows == BIG);
    sp_rowbuf_free(&rb);
    return rc;
}

static int ping(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    (void)l;
    return sp_ping(s, e);
}

/* These ask nothing of REST: no fault reaches them. */
static int introspect(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    struct sp_schema *schema = NULL;
    int rc = sp_db_introspect(s, schema_name, &schema, e);
    if (rc == 0)
        SET(l, sp_schema_table(schema, l->table) != NULL);
    sp_schema_free(schema);
    return rc;
}

static int list(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    struct sp_names names = { .n = 0 };
    int rc = sp_db_ns_list(s, schema_name, &names, e);
    if (rc == 0)
        SET(l, names.n == 1);
    sp_names_free(&names);
    return rc;
}

static int use(struct lane *l, struct sp_session *s, struct sp_error *e)
{
    (void)l;
    return sp_db_ns_use(s, schema_name, e);
}

static const struct operation {
    const char *name;
    int (*run)(struct lane *, struct sp_session *, struct sp_error *);
    const char *before, *after; /* the table; NULL = it reads */
    bool local;
} operations[] = {
#define START "1 10 a, 2 20 b"
    { "create one", create_one, START, START ", 3 300 new", false },
    { "create many", create_many, START, START ", 3 300 new, 4 400 new, 5 500 new", false },
    { "create returning", create_returning, START, START ", 3 300 new, 4 400 new, 5 500 new", false },
    { "upsert", upsert, START, "1 10 a, 2 200 new, 3 300 new", false },
    { "upsert returning", upsert_returning, START, "1 10 a, 2 200 new, 3 300 new", false },
    { "update", update, START, "1 11 a, 2 20 b", false },
    { "update returning", update_returning, START, "1 11 a, 2 20 b", false },
    { "delete", delete_one, START, "1 10 a", false },
    { "delete returning", delete_returning, START, "1 10 a", false },
    { "load", load, START, START ", 3 300 new, 4 400 new, 5 500 new", false },
    { "read one", read_one, NULL, NULL, false },
    { "read all", read_all, NULL, NULL, false },
    { "count", count_all, NULL, NULL, false },
    { "scan", scan_all, NULL, NULL, false },
    { "ping", ping, NULL, NULL, false },
    { "introspect", introspect, NULL, NULL, true },
    { "list namespaces", list, NULL, NULL, true },
    { "use a namespace", use, NULL, NULL, true },
};

/* --- what must hold ------------------------------------------------------------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_uint tried, struck, held, refused;
static unsigned complaints;

static void complain(const struct operation *op, const struct ill *ill, unsigned first, bool always,
    const char *what, const struct sp_error *e)
{
    pthread_mutex_lock(&lock);
    if (complaints++ < 40)
        print_error("%s, %s at request %u%s: %s: %s [%s], effect %s\n", op->name,
            ill != NULL ? ill->fault.name : "no fault", first, always ? " and all behind it" : "", what,
            sp_error_text(e), sp_code_name(e->code), sp_effect_name(e->effect));
    pthread_mutex_unlock(&lock);
}

/* How many transactions wrote, and what the table holds; false = it could not be asked. */
static bool ask_database(struct lane *l, int64_t *writes, char *holds, size_t size)
{
    struct sp_result r = SP_RESULT_INIT;
    struct sp_error e = SP_ERROR_INIT;
    bool ok = query_at(l->db, &r, &e,
                  "SELECT (SELECT count(DISTINCT x) FROM %s.notes%u), (SELECT string_agg(id || ' ' || n || "
                  "' ' || split_part(s, ',', 1), ', ' ORDER BY id) FROM %s.%s)",
                  schema_name, l->number, schema_name, l->table) == 0 &&
              r.nrows == 1;
    if (ok) {
        *writes = r.values[0].u.i;
        (void)snprintf(holds, size, "%.*s", (int)r.values[1].u.str.n, r.values[1].u.str.p);
    }
    sp_result_free(&r);
    sp_error_clear(&e);
    return ok;
}

static const char no_fault[] = "an error without a fault";

static const char *judge_write(struct lane *l, const struct operation *op, const struct ill *ill,
    unsigned fired, const struct sp_error *e)
{
    int64_t writes = -1;
    char holds[256];
    if (!ask_database(l, &writes, holds, sizeof holds))
        return "the database does not answer";
    if (writes > 1)
        return "written twice";
    if (strcmp(holds, writes == 1 ? op->after : op->before) != 0)
        return "the table holds neither what it held nor what it should";
    if (e->code == SP_E_OK)
        return writes != 1 ? "a success that wrote nothing" : NULL;
    if (e->effect == SP_EFFECT_NONE ? writes != 0 : e->effect == SP_EFFECT_APPLIED && writes != 1)
        return "the error is wrong about what became of the write";
    if (ill == NULL || fired == 0)
        return no_fault;
    if (e->code == ill->write)
        return ill->write == SP_E_RATE_LIMITED && (e->retry_after_ms < 1 || e->retry_after_ms > 2000)
                   ? "it does not say how long to wait"
                   : NULL;
    if (e->code == SP_E_CORRUPT && e->effect == SP_EFFECT_APPLIED && ill->fault.when == FAULT_MIDDLE)
        return NULL; /* its head said what was written, only the rows did not come */
    return "another error than this fault means";
}

static const char *judge_read(const struct ill *ill, bool always, unsigned fired, const struct sp_error *e)
{
    if (e->code == SP_E_OK)
        return NULL;
    if (ill == NULL || fired == 0)
        return no_fault;
    if (ill->again && !always)
        return "not repeated";
    if (e->effect != SP_EFFECT_NONE)
        return "reading has no effect";
    switch (e->code) {
    case SP_E_RATE_LIMITED:
        return ill->write == SP_E_RATE_LIMITED ? NULL : "another error than this fault means";
    case SP_E_TIMEOUT:
    case SP_E_UNAVAILABLE:
        return NULL;
    case SP_E_RANGE:
    case SP_E_CONFLICT:
        return ill->write == SP_E_RANGE ? NULL : "another error than this fault means";
    case SP_E_CORRUPT:
    case SP_E_INVALID:
        return ill->again ? "another error than this fault means" : NULL;
    default:
        return "another error than this fault means";
    }
}

/* false: the fault did not strike any more, the operation has fewer requests. */
static bool try_one(
    struct lane *l, const struct operation *op, const struct ill *ill, unsigned first, bool always)
{
    struct sp_error e = SP_ERROR_INIT;
    bool hasty = always || (ill != NULL && ill->fault.end == END_HANG);
    const char *bad = NULL;
    if (op->before != NULL && query_at(l->db, NULL, &e, "SELECT %s.fresh%u()", schema_name, l->number) != 0) {
        complain(op, ill, first, always, "the table could not be made fresh", &e);
        sp_error_clear(&e);
        return false;
    }
    l->wrong[0] = '\0';
    proxy_arm(&l->proxy, ill != NULL ? &ill->fault : NULL, first, always);
    int rc = op->run(l, l->session[hasty ? 0 : 1], &e);
    unsigned fired = proxy_settle(&l->proxy);
    atomic_fetch_add(&tried, 1);
    atomic_fetch_add(&struck, fired > 0);
    atomic_fetch_add(rc == 0 ? &held : &refused, fired > 0);
    if ((rc == 0) != (e.code == SP_E_OK) || (rc != 0 && rc != -(int)e.code))
        bad = "the result and the error disagree";
    else if (l->wrong[0] != '\0')
        bad = l->wrong;
    else if (op->local && fired > 0)
        bad = "it is said to ask nothing of REST";
    else if (op->before != NULL)
        bad = judge_write(l, op, ill, fired, &e);
    else
        bad = judge_read(ill, always, fired, &e);
    /* On a busy machine half a second is over before a server answers that nothing disturbed. */
    bool slow = hasty && fired == 0 && (e.code == SP_E_TIMEOUT || e.code == SP_E_OUTCOME_UNKNOWN);
    if (bad != NULL && !(slow && strcmp(bad, no_fault) == 0))
        complain(op, ill, first, always, bad, &e);
    sp_error_clear(&e);
    sp_result_reset(&l->result);
    return fired > 0;
}

/* --- lanes ---------------------------------------------------------------------------------------------------------- */

static atomic_uint next_job;

static void *work(void *arg)
{
    struct lane *l = arg;
    const unsigned nills = SP_LEN(ills) + 1, njobs = SP_LEN(operations) * nills;
    for (unsigned job; (job = atomic_fetch_add(&next_job, 1)) < njobs;) {
        const struct operation *op = &operations[job % SP_LEN(operations)];
        unsigned i = job / SP_LEN(operations);
        const struct ill *ill = i == 0 ? NULL : &ills[i - 1];
        for (unsigned first = 1; try_one(l, op, ill, first, false) && first < 8; first++) {
        }
        if (ill != NULL)
            (void)try_one(l, op, ill, 1, true);
    }
    return NULL;
}

/* Answers that only a reader of pages meets: no page is there any more, and the same page again and again. */
static void odd_pages(struct lane *l)
{
    static const struct ill beyond = {
        { "416", FAULT_BEFORE,
            "HTTP/1.1 416 X\r\nContent-Type: application/json\r\nContent-Length: "
            "63\r\n\r\n{\"code\":\"PGRST103\",\"message\":\"Requested range not "
            "satisfiable\"}",
            END_KEEP, 0 },
        SP_E_RANGE, false
    };
    static const struct ill same = {
        { "the same page", FAULT_BEFORE,
            "HTTP/1.1 200 X\r\nContent-Type: application/json\r\nContent-Length: "
            "17\r\n\r\n[{\"c0\":1,\"c1\":1}]",
            END_KEEP, 0 },
        SP_E_CORRUPT, false
    };
    static const struct operation all = { .name = "read all", .run = read_all },
                                  scan = { .name = "scan", .run = scan_all };
    if (!try_one(l, &all, &beyond, 1, false) || !try_one(l, &all, &beyond, 2, false) ||
        !try_one(l, &scan, &same, 1, true))
        complaints++;
}

static int open_lane(struct lane *l, unsigned number)
{
    l->number = number;
    (void)snprintf(l->table, sizeof l->table, "w%u", number);
    proxy_start(&l->proxy, server_port());
    OK(open_database(&l->db, &l->db_at, &err));
    OK(query_at(
        l->db, NULL, &err, "CREATE TABLE %s.w%u (id int PRIMARY KEY, n int, s text)", schema_name, number));
    OK(query_at(l->db, NULL, &err, "CREATE TABLE %s.notes%u (x xid8)", schema_name, number));
    OK(query_at(l->db, NULL, &err,
        "CREATE FUNCTION %s.note%u() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN INSERT "
        "INTO "
        "%s.notes%u VALUES (pg_current_xact_id()); RETURN NULL; END'",
        schema_name, number, schema_name, number));
    OK(query_at(l->db, NULL, &err,
        "CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON %s.w%u FOR EACH STATEMENT EXECUTE FUNCTION "
        "%s.note%u()",
        schema_name, number, schema_name, number));
    OK(query_at(l->db, NULL, &err,
        "CREATE FUNCTION %s.fresh%u() RETURNS void LANGUAGE sql AS $$ DELETE FROM %s.w%u; INSERT INTO "
        "%s.w%u VALUES (1, 10, 'a'), (2, 20, 'b'); DELETE FROM %s.notes%u $$",
        schema_name, number, schema_name, number, schema_name, number, schema_name, number));
    OK(query_at(l->db, NULL, &err, "SELECT %s.fresh%u()", schema_name, number));
    return 0;
}

static void open_sessions(struct lane *l)
{
    OK(open_at(&l->session[0], &l->at[0], l->proxy.port, HASTY_MS, &err));
    OK(open_at(&l->session[1], &l->at[1], l->proxy.port, PATIENT_MS, &err));
    for (int i = 0; i < 2; i++)
        OK(sp_db_ns_use(l->session[i], schema_name, &err));
}

static void rows(void **state)
{
    struct place at;
    struct sp_session *owner = NULL;
    pthread_t threads[LANES];
    struct sp_table ready = { .name = "ready" };
    struct sp_column column = { .name = "id", .type = { .tag = SP_INT } };
    (void)state;
    need_servers();
    ready.columns = &column;
    ready.ncolumns = 1;
    OK(open_at(&owner, &at, server_port(), PATIENT_MS, &err));
    OK(sp_db_ns_create(owner, schema_name, &err));
    OK(sp_db_ns_use(owner, schema_name, &err));
    for (unsigned i = 0; i < LANES; i++)
        assert_int_equal(open_lane(&lanes[i], i), 0);
    OK(query_at(lanes[0].db, NULL, &err,
        "CREATE TABLE %s.big AS SELECT i AS id FROM generate_series(1, %d) i", schema_name, BIG));
    OK(query_at(lanes[0].db, NULL, &err, "ALTER TABLE %s.big ADD PRIMARY KEY (id)", schema_name));
    OK(sp_db_table_create(
        owner, &ready, true, &err)); /* which waits until PostgREST knows this one, and so all */
    for (unsigned i = 0; i < LANES; i++)
        open_sessions(&lanes[i]);
    odd_pages(&lanes[0]);
    for (unsigned i = 0; i < LANES; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &lanes[i]), 0);
    for (unsigned i = 0; i < LANES; i++)
        (void)pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < LANES; i++) {
        sp_close(lanes[i].session[0]);
        sp_close(lanes[i].session[1]);
        sp_close(lanes[i].db);
        proxy_stop(&lanes[i].proxy);
        sp_result_free(&lanes[i].result);
    }
    OK(sp_db_ns_drop(owner, schema_name, &err));
    sp_close(owner);
    print_message("%u operations, %u of them struck by a fault: %u held, %u ended in an error\n", tried,
        struck, held, refused);
    assert_int_equal(complaints, 0);
    assert_true(struck > 600 && held > 100 && refused > 300);
}

static int drop_left(void **state)
{
    struct place at;
    struct sp_session *s = NULL;
    (void)state;
    if (have_servers() && open_at(&s, &at, server_port(), PATIENT_MS, NULL) == 0) {
        (void)sp_db_ns_drop(s, schema_name, NULL);
        sp_close(s);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_teardown(rows, drop_left) };
    (void)snprintf(schema_name, sizeof schema_name, "sp_faults_%ld", (long)getpid());
    if (sp_provider_supabase.process_init(&err) != 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
