/* test_verify_parts.c -- tables read by several sessions of one side (verify --jobs): equal copies are equal, what differs is
 * found, and no fault of a split is taken for a comparison, not even one that both sides have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/io.h"
#include "base/str.h"
#include "provider_call.h"
#include "verify/verify.h"

enum { ROWS = 40000, READERS = 2, BATCH = 500 };

/* ---- faults -------------------------------------------------------------------------------------------------------- */

enum fault { NONE, TWICE, LEFT_OUT, GAP, OVERLAP, NFAULTS };
static const char *const fault_names[] = { "none", "a part twice, another left out", "a part left out",
    "a gap at a boundary", "an overlap at a boundary" };

static struct {
    const struct sp_provider *inner;
    struct sp_provider outer;
    struct sp_db_ops db;
    enum fault fault;
    const char *only; /* the endpoint's name; NULL = both sides */
    pthread_mutex_t lock;
    size_t ranges;
} planted = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *shifted(const char *bound, char out[24])
{
    int64_t v = 0;
    if (bound == NULL || !sp_parse_i64(bound, &v))
        return bound;
    snprintf(out, 24, "%lld", (long long)v + 1);
    return out;
}

static bool is_first(const struct sp_scan *scan)
{
    return scan->from == NULL && scan->to != NULL;
}

static int faulty_scan(
    struct sp_session *s, const struct sp_scan *scan, struct sp_rowbuf *rb, struct sp_error *err)
{
    struct sp_scan other = *scan;
    char text[24];
    int side = strcmp(sp_session_endpoint(s)->name, "old") != 0;
    bool ranged = scan->from != NULL || scan->to != NULL;
    pthread_mutex_lock(&planted.lock);
    planted.ranges += ranged;
    enum fault f = planted.fault;
    pthread_mutex_unlock(&planted.lock);
    if (!ranged || (planted.only != NULL && strcmp(planted.only, sp_session_endpoint(s)->name) != 0))
        f = NONE;
    switch (f) {
    case TWICE: /* the last range gives the rows of the first */
        if (scan->to == NULL) {
            struct sp_names b = { SP_ARENA_INIT, NULL, 0, 0 };
            size_t parts = (READERS + 1) * 4 + (size_t)side;
            int rc = planted.inner->db->split(s, scan->ns, scan->table, parts, &b, err);
            other.from = NULL;
            other.to = b.n > 0 ? b.v[0] : NULL;
            rc = rc != 0 ? rc : planted.inner->db->scan(s, &other, rb, err);
            sp_names_free(&b);
            return rc;
        }
        break;
    case LEFT_OUT:
        if (is_first(scan))
            return sp_scan_end(rb, 0, err);
        break;
    case GAP:
        other.from = shifted(scan->from, text);
        break;
    case OVERLAP:
        other.to = shifted(scan->to, text);
        break;
    default:
        break;
    }
    return planted.inner->db->scan(s, &other, rb, err);
}

static void plant(const struct sp_provider *inner, enum fault fault, const char *only)
{
    planted.inner = inner;
    planted.outer = *inner;
    planted.db = *inner->db;
    planted.db.scan = faulty_scan;
    planted.outer.db = &planted.db;
    planted.fault = fault;
    planted.only = only;
    planted.ranges = 0;
}

/* ---- two copies ---------------------------------------------------------------------------------------------------- */

struct copies {
    const struct sp_provider *kind;
    char dir[64], url[2][160], ns[2][48];
    const char *option_names[1], *option_values[2];
    struct sp_endpoint e[2];
    struct sp_session *write[2];
    bool own_schema;
    enum sp_verify_verdict verdict;
    struct sp_buf reasons;
    struct sp_error err;
};

static const struct sp_column columns[] = {
    { .name = "id", .type = { .tag = SP_INT }, .not_null = true },
    { .name = "note", .type = { .tag = SP_TEXT } },
};
static const char *const key[] = { "id" };
static const char *const names[] = { "id", "note" };

static void must(struct copies *c, int rc)
{
    if (rc != 0)
        fail_msg("%s", sp_error_text(&c->err));
}

static void fill(struct copies *c, struct sp_session *s)
{
    static const struct sp_table t = {
        .name = "rows", .columns = columns, .ncolumns = 2, .pk = key, .npk = 1
    };
    struct sp_value v[BATCH * 2];
    char note[200];
    memset(note, 'n', sizeof note);
    must(c, sp_db_table_create(s, &t, true, &c->err));
    for (int64_t i = 0; i < ROWS; i += BATCH) {
        for (int64_t k = 0; k < BATCH; k++) {
            v[k * 2] = sp_v_int((i + k) * 3);
            v[k * 2 + 1] = sp_v_textn(note, sizeof note);
        }
        must(c, sp_db_insert_many(s, "rows", names, 2, v, BATCH, NULL, &c->err));
    }
}

static void copies_begin(struct copies *c, const struct sp_provider *kind, const char *server_url)
{
    static int number;
    *c = (struct copies){ .kind = kind, .own_schema = server_url != NULL, .err = SP_ERROR_INIT };
    sp_strlcpy(c->dir, "/tmp/sp-parts-XXXXXX", sizeof c->dir);
    assert_non_null(mkdtemp(c->dir));
    c->option_names[0] = "schema";
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "old" : "new";
        snprintf(c->ns[i], sizeof c->ns[i], "sp_parts_%ld_%d", (long)getpid(), i);
        if (server_url != NULL)
            sp_strlcpy(c->url[i], server_url, sizeof c->url[i]);
        else if (strcmp(kind->kind, "mock") == 0)
            snprintf(c->url[i], sizeof c->url[i], "mock:parts%d", number++);
        else
            snprintf(c->url[i], sizeof c->url[i], "sqlite:%s/%s.db", c->dir, name);
        c->e[i] = (struct sp_endpoint){ .name = name, .url = c->url[i], .access = SP_ACCESS_DISPOSABLE };
        must(c, sp_open(&c->write[i], kind, &c->e[i], &c->err));
        if (c->own_schema) {
            must(c, sp_db_ns_drop(c->write[i], c->ns[i], &c->err));
            must(c, sp_db_ns_create(c->write[i], c->ns[i], &c->err));
            must(c, sp_db_ns_use(c->write[i], c->ns[i], &c->err));
        }
        fill(c, c->write[i]);
    }
}

static void copies_end(struct copies *c)
{
    for (int i = 0; i < 2; i++) {
        if (c->own_schema)
            must(c, sp_db_ns_drop(c->write[i], c->ns[i], &c->err));
        sp_close(c->write[i]);
    }
    assert_int_equal(0, sp_rmtree(c->dir, NULL));
    sp_buf_free(&c->reasons);
    sp_error_clear(&c->err);
}

static int ignore_event(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    (void)em, (void)k, (void)json, (void)n, (void)err;
    return 0;
}

static enum sp_verify_verdict compare(struct copies *c, enum fault fault, const char *only)
{
    struct sp_emitter em = { ignore_event };
    struct sp_session *s[2], *readers[2][READERS];
    struct sp_endpoint e[2];
    static const char *const tables[] = { "rows" };
    struct sp_verify_options opt = {
        .checks = SP_VC_ROWS, .max_differences = 10, .tables = tables, .ntables = 1
    };
    plant(c->kind, fault, only);
    for (int i = 0; i < 2; i++) {
        e[i] = c->e[i];
        e[i].access = SP_ACCESS_READ_ONLY;
        if (c->own_schema) {
            c->option_values[i] = c->ns[i];
            e[i].option_names = c->option_names;
            e[i].option_values = &c->option_values[i];
            e[i].noptions = 1;
        }
        must(c, sp_open(&s[i], &planted.outer, &e[i], &c->err));
        for (int k = 0; k < READERS; k++)
            must(c, sp_open(&readers[i][k], &planted.outer, &e[i], &c->err));
        opt.readers[i] = readers[i];
        opt.nreaders[i] = READERS;
    }
    sp_buf_clear(&c->reasons);
    must(c, sp_verify(s[0], s[1], &opt, &em, &c->verdict, &c->reasons, &c->err));
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < READERS; k++)
            sp_close(readers[i][k]);
        sp_close(s[i]);
    }
    return c->verdict;
}

static void expect(struct copies *c, enum fault fault, const char *only, enum sp_verify_verdict want)
{
    enum sp_verify_verdict got = compare(c, fault, only);
    if (got != want)
        fail_msg("%s (%s): %s, expected %s\n%s", fault_names[fault], only == NULL ? "both sides" : only,
            sp_verify_verdict_name(got), sp_verify_verdict_name(want),
            c->reasons.p == NULL ? "" : c->reasons.p);
    assert_true(planted.ranges >= 8); /* it was read in parts */
}

static void all_of_it(const struct sp_provider *kind, const char *server_url)
{
    struct copies c;
    copies_begin(&c, kind, server_url);
    expect(&c, NONE, NULL, SP_VV_EQUAL);
    for (int f = TWICE; f < NFAULTS; f++) {
        expect(&c, (enum fault)f, "old", SP_VV_NOT_COMPARED);
        expect(&c, (enum fault)f, "new", SP_VV_NOT_COMPARED);
        expect(&c, (enum fault)f, NULL, SP_VV_NOT_COMPARED);
        assert_non_null(strstr(c.reasons.p, "--jobs"));
    }
    struct sp_value id = sp_v_int(30000);
    struct sp_filter where = { .op = SP_F_EQ, .column = "id", .values = &id, .nvalues = 1 };
    must(&c, sp_db_delete(c.write[1], "rows", &where, NULL, &c.err));
    expect(&c, NONE, NULL, SP_VV_DIFFERENT);
    assert_non_null(strstr(c.reasons.p, "1 missing, 0 extra, 0 changed"));
    copies_end(&c);
}

static const struct sp_provider *kind_of(const char *kind)
{
    return sp_provider_by_kind(sp_providers, kind);
}

static void on_mock(void **state)
{
    (void)state;
    all_of_it(kind_of("mock"), NULL);
}

static void on_sqlite(void **state)
{
    (void)state;
    all_of_it(kind_of("sqlite"), NULL);
}

static void on_postgresql(void **state)
{
    const char *url = getenv("POSTGRESQL_URL");
    (void)state;
    if (url == NULL || *url == '\0' || kind_of("postgresql") == NULL) {
        print_message("skip: POSTGRESQL_URL is not set; run ci/stack up\n");
        skip();
    }
    all_of_it(kind_of("postgresql"), url);
}

/* Another session's snapshot is joined, not today's state. */
static void joined_state(const struct sp_provider *kind, const char *server_url)
{
    struct copies c;
    char word[SP_SNAPSHOT_WORD];
    struct sp_session *b = NULL;
    int64_t n = 0;
    copies_begin(&c, kind, server_url);
    must(&c, sp_open(&b, kind, &c.e[0], &c.err));
    if (c.own_schema)
        must(&c, sp_db_ns_use(b, c.ns[0], &c.err));
    assert_int_equal(-SP_E_NOT_FOUND, sp_db_snapshot_join(b, "00000000-00000000-1", &c.err));
    assert_true(sp_db_snapshot_share(b, word, &c.err) < 0);
    sp_error_clear(&c.err);
    must(&c, sp_db_snapshot_begin(b, NULL, &c.err));
    must(&c, sp_db_snapshot_share(b, word, &c.err));
    must(&c, sp_db_delete(c.write[0], "rows", NULL, NULL, &c.err));
    struct sp_session *late = NULL;
    must(&c, sp_open(&late, kind, &c.e[0], &c.err));
    if (c.own_schema)
        must(&c, sp_db_ns_use(late, c.ns[0], &c.err));
    must(&c, sp_db_snapshot_join(late, word, &c.err));
    must(&c, sp_db_count(late, "rows", NULL, &n, &c.err));
    assert_int_equal(n, ROWS);
    must(&c, sp_db_snapshot_end(late, &c.err));
    must(&c, sp_db_snapshot_end(b, &c.err));
    assert_int_equal(-SP_E_NOT_FOUND, sp_db_snapshot_join(late, word, &c.err));
    sp_close(b);
    sp_close(late);
    copies_end(&c);
}

static void joined_on_mock(void **state)
{
    (void)state;
    joined_state(kind_of("mock"), NULL);
}

static void joined_on_postgresql(void **state)
{
    const char *url = getenv("POSTGRESQL_URL");
    (void)state;
    if (url == NULL || *url == '\0' || kind_of("postgresql") == NULL) {
        print_message("skip: POSTGRESQL_URL is not set; run ci/stack up\n");
        skip();
    }
    joined_state(kind_of("postgresql"), url);
}

/* A file cannot be gone back to: who comes too late does not join. */
static void changed_file(void **state)
{
    struct copies c;
    char word[SP_SNAPSHOT_WORD];
    struct sp_session *b = NULL, *late = NULL;
    (void)state;
    copies_begin(&c, kind_of("sqlite"), NULL);
    assert_int_equal(-SP_E_UNSUPPORTED, sp_db_snapshot_join(c.write[0], "x", &c.err));
    struct sp_endpoint e = c.e[0];
    e.access = SP_ACCESS_READ_ONLY;
    must(&c, sp_open(&b, kind_of("sqlite"), &e, &c.err));
    must(&c, sp_db_snapshot_begin(b, NULL, &c.err));
    must(&c, sp_db_snapshot_share(b, word, &c.err));
    must(&c, sp_db_delete(c.write[0], "rows", NULL, NULL, &c.err));
    must(&c, sp_open(&late, kind_of("sqlite"), &e, &c.err));
    assert_int_equal(-SP_E_CONFLICT, sp_db_snapshot_join(late, word, &c.err));
    sp_close(b);
    sp_close(late);
    copies_end(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_mock),
        cmocka_unit_test(on_sqlite),
        cmocka_unit_test(on_postgresql),
        cmocka_unit_test(joined_on_mock),
        cmocka_unit_test(joined_on_postgresql),
        cmocka_unit_test(changed_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
