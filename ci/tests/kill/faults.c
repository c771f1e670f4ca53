/* faults.c -- backends that fail while they are read: whatever verify could not read to its confirmed end must not be
 * called equal, and what it did find to differ elsewhere must be said all the same.
 *
 * usage: faults WORK_DIRECTORY
 * A decorator around the provider plants one fault into one side's calls. Each is tried on equal copies and on copies that
 * differ in another table, with each check alone and with all of them, with one reader and with several. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "props/props.h"
#include "providers/sqlite/sqlite.h"

enum fault {
    NONE,
    REFUSED,        /* the scan of the table does not begin */
    CUT,            /* it breaks in the middle */
    LATE,           /* it breaks behind the last row, before the end is confirmed */
    TIMEOUT,        /* it does not end in time */
    CANCELLED,      /* it says that somebody asked it to stop, and nobody did */
    ODD_CODE,       /* it ends with a number that means nothing */
    NO_END,         /* it ends without a confirmed end */
    COUNT_OFF,      /* the server counted other rows than came */
    CAPPED,         /* it ends early, and says that it is the end */
    TWICE,          /* every row comes twice */
    LATER_FEWER,    /* from the second pass on, rows are gone */
    LATER_CUT,      /* from the second pass on, it breaks */
    RANGE_REFUSED,  /* one range of several fails */
    RANGE_EMPTY,    /* one range of several is empty */
    RANGE_WHOLE,    /* one range of several is everything */
    RANGE_CUT,      /* one range of several ends early, and says that it is the end */
    SPLIT_FAILS,    /* ranges cannot be made */
    JOIN_FAILS,     /* a further session cannot see the same state */
    COUNT_FAILS,    /* the table cannot be counted */
    NO_SNAPSHOT,    /* the side has no snapshots */
    SNAPSHOT_FAILS, /* it has, and cannot begin one */
    SNAPSHOT_BROKE, /* it says at the end that the state did not hold */
    NO_TABLES,      /* introspection sees nothing */
    TABLE_UNSEEN,   /* introspection does not see the table */
    BLIND,          /* introspection fails */
    READS_FAIL,     /* no question is answered */
    FAULTS
};
static const char *const names[FAULTS] = { "nothing", "a refused scan", "a scan cut in the middle",
    "a scan cut before its end", "a time-out", "a scan that was never asked to stop",
    "a code that means nothing", "no confirmed end", "a count that is off", "a silent cap", "every row twice",
    "rows gone in a later pass", "a later pass cut", "a refused range", "an empty range",
    "a range that is everything", "a capped range", "no ranges", "no second session", "no count",
    "no snapshots", "a snapshot that cannot begin", "a snapshot that did not hold", "no tables",
    "a table unseen", "no introspection", "no answers" };

#define TABLE "big"
static struct {
    enum fault fault;
    unsigned scans, hits;
    const struct sp_provider *inner;
    int (*sink)(void *payload, const struct sp_rowview *row);
    void *payload;
    uint64_t rows;
} planted;
static struct sp_provider outer;
static struct sp_db_ops ops;
static unsigned long passed, failed;
static unsigned reached[FAULTS];

/* ---- the decorator ---- */

static int until(void *payload, const struct sp_rowview *row)
{
    (void)payload;
    if (++planted.rows > 500)
        return -SP_E_CANCELLED;
    return planted.sink == NULL ? 0 : planted.sink(planted.payload, row);
}

static int cut(struct sp_session *s, const struct sp_scan *what, struct sp_rowbuf *rb, struct sp_error *err,
    enum sp_code code)
{
    planted.sink = rb->sink;
    planted.payload = rb->payload;
    planted.rows = 0;
    rb->sink = until;
    (void)planted.inner->db->scan(s, what, rb, NULL);
    return sp_fail(err, code, SP_ORIGIN_TRANSPORT, "planted");
}

/* Rows up to this key alone. */
static int capped(struct sp_session *s, const struct sp_scan *what, struct sp_rowbuf *rb,
    struct sp_error *err, int64_t most)
{
    const struct sp_value v = sp_v_int(most);
    const struct sp_filter few = { .op = SP_F_LTE, .column = "id", .values = &v, .nvalues = 1 };
    struct sp_scan less = *what;
    less.where = &few;
    less.from = less.to = NULL;
    rb->scan = &less;
    int rc = planted.inner->db->scan(s, &less, rb, err);
    rb->scan = what;
    return rc;
}

static int scan_fault(
    struct sp_session *s, const struct sp_scan *what, struct sp_rowbuf *rb, struct sp_error *err)
{
    const struct sp_db_ops *db = planted.inner->db;
    struct sp_scan whole = *what;
    int rc;
    switch (planted.fault) {
    case REFUSED:
    case RANGE_REFUSED:
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, "planted");
    case CUT:
    case LATER_CUT:
        return cut(s, what, rb, err, SP_E_UNAVAILABLE);
    case TIMEOUT:
        return cut(s, what, rb, err, SP_E_TIMEOUT);
    case CANCELLED:
        return cut(s, what, rb, err, SP_E_CANCELLED);
    case LATE:
        rc = db->scan(s, what, rb, err);
        return rc != 0 ? rc : sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, "planted");
    case ODD_CODE:
        (void)cut(s, what, rb, NULL, SP_E_UNAVAILABLE);
        return 7;
    case NO_END:
        rc = db->scan(s, what, rb, err);
        rb->complete = false;
        return rc;
    case COUNT_OFF:
        rc = db->scan(s, what, rb, err);
        rb->complete = false;
        return rc != 0 ? rc : sp_scan_end(rb, rb->digest.count + 1, err);
    case CAPPED:
    case LATER_FEWER:
        return capped(s, what, rb, err, 1000);
    case RANGE_CUT:
    case RANGE_EMPTY:
        return capped(s, what, rb, err, planted.fault == RANGE_CUT ? 3 : -1);
    case TWICE:
        rc = db->scan(s, what, rb, err);
        rb->complete = false;
        return rc != 0 ? rc : db->scan(s, what, rb, err);
    case RANGE_WHOLE:
        whole.from = whole.to = NULL;
        return db->scan(s, &whole, rb, err);
    default:
        return db->scan(s, what, rb, err);
    }
}

static bool of_range(enum fault f)
{
    return f == RANGE_REFUSED || f == RANGE_EMPTY || f == RANGE_WHOLE || f == RANGE_CUT;
}

static int scan(struct sp_session *s, const struct sp_scan *what, struct sp_rowbuf *rb, struct sp_error *err)
{
    bool later = planted.fault == LATER_FEWER || planted.fault == LATER_CUT;
    bool range = what->from != NULL && what->to == NULL; /* the last of them */
    if (strcmp(what->table, TABLE) != 0 || planted.fault == NONE || planted.fault >= SPLIT_FAILS)
        return planted.inner->db->scan(s, what, rb, err);
    unsigned number = __atomic_add_fetch(&planted.scans, 1, __ATOMIC_RELAXED);
    if ((of_range(planted.fault) && !range) || (later && number == 1))
        return planted.inner->db->scan(s, what, rb, err);
    __atomic_add_fetch(&planted.hits, 1, __ATOMIC_RELAXED);
    return scan_fault(s, what, rb, err);
}

#define FAILS(at)                                                                                            \
    if (planted.fault == (at)) {                                                                             \
        __atomic_add_fetch(&planted.hits, 1, __ATOMIC_RELAXED);                                              \
        return sp_fail(err, SP_E_UNAVAILABLE, SP_ORIGIN_TRANSPORT, "planted");                               \
    }

static int split(struct sp_session *s, const char *ns, const char *table, size_t parts, struct sp_names *out,
    struct sp_error *err)
{
    FAILS(SPLIT_FAILS)
    return planted.inner->db->split(s, ns, table, parts, out, err);
}

static int snapshot_begin(struct sp_session *s, char id[64], struct sp_error *err)
{
    FAILS(SNAPSHOT_FAILS)
    if (planted.fault == NO_SNAPSHOT) {
        planted.hits++;
        return sp_fail(err, SP_E_UNSUPPORTED, SP_ORIGIN_BACKEND, "planted");
    }
    return planted.inner->db->snapshot_begin(s, id, err);
}

static int snapshot_end(struct sp_session *s, struct sp_error *err)
{
    int rc = planted.inner->db->snapshot_end(s, err);
    FAILS(SNAPSHOT_BROKE)
    return rc;
}

static int snapshot_join(struct sp_session *s, const char *word, struct sp_error *err)
{
    FAILS(JOIN_FAILS)
    return planted.inner->db->snapshot_join(s, word, err);
}

static int introspect(struct sp_session *s, const char *ns, struct sp_schema **out, struct sp_error *err)
{
    FAILS(BLIND)
    int rc = planted.inner->db->introspect(s, ns, out, err);
    if (rc != 0 || (planted.fault != NO_TABLES && planted.fault != TABLE_UNSEEN))
        return rc;
    planted.hits++;
    struct sp_table *t = need(sp_arena_array(&(*out)->arena, (*out)->ntables + 1, sizeof *t));
    size_t n = 0;
    for (size_t i = 0; planted.fault == TABLE_UNSEEN && i < (*out)->ntables; i++)
        if (strcmp((*out)->tables[i].name, TABLE) != 0)
            t[n++] = (*out)->tables[i];
    (*out)->tables = t;
    (*out)->ntables = n;
    return 0;
}

static int exec(struct sp_session *s, const struct sp_op *op, struct sp_result *r, struct sp_error *err)
{
    FAILS(READS_FAIL)
    if (op->kind == SP_OP_COUNT)
        FAILS(COUNT_FAILS)
    return planted.inner->db->exec(s, op, r, err);
}

static void plant(const struct sp_provider *inner)
{
    outer = *inner;
    ops = *inner->db;
    outer.db = &ops;
    ops.scan = scan;
    ops.split = split;
    ops.snapshot_begin = snapshot_begin;
    ops.snapshot_end = snapshot_end;
    ops.snapshot_join = snapshot_join;
    ops.introspect = introspect;
    ops.exec = exec;
    planted.inner = inner;
}

/* ---- the copies ---- */

static void file(const char *path, const char *more)
{
    static const char sql[] =
        "PRAGMA synchronous = OFF;"
        "CREATE TABLE big(id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, v REAL, note TEXT NOT NULL);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
        "INSERT INTO big SELECT i, 'c' || i, i / 3.0, 'note ' || i FROM n;"
        "CREATE TABLE child(id INTEGER PRIMARY KEY AUTOINCREMENT, big INTEGER NOT NULL REFERENCES big(id), t "
        "TEXT);"
        "INSERT INTO child(big, t) SELECT id, note FROM big WHERE id % 7 = 0;"
        "CREATE TABLE other(a TEXT, b INTEGER); INSERT INTO other SELECT note, id FROM big WHERE id < 50;";
    sqlite3 *db = NULL;
    char *msg = NULL;
    (void)unlink(path);
    if (sqlite3_open(path, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK ||
        sqlite3_exec(db, more, NULL, NULL, &msg) != SQLITE_OK)
        die("%s: %s", path, msg == NULL ? "?" : msg);
    sqlite3_close(db);
}

/* ---- the matrix ---- */

enum copy { EQUAL, ELSEWHERE, HERE, COPIES };
static const char *const copy_names[] = { "equal copies", "copies that differ elsewhere",
    "copies that differ in that table" };
static char urls[1 + COPIES][600];

static struct sp_session *session(const struct sp_provider *p, struct sp_endpoint *e, const char *url)
{
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = NULL;
    *e = (struct sp_endpoint){ .name = "side", .url = url, .access = SP_ACCESS_READ_ONLY };
    if (sp_open(&s, p, e, &err) != 0)
        die("%s", sp_error_text(&err));
    return s;
}

static int ignore(
    struct sp_emitter *em, enum sp_event_kind k, const char *json, size_t n, struct sp_error *err)
{
    (void)em, (void)k, (void)json, (void)n, (void)err;
    return 0;
}

#define READERS 3
/* The verdict, or -1 where the comparison as a whole failed. */
static int compare(unsigned checks, int side, enum copy copy, bool several, struct sp_buf *why)
{
    const struct sp_provider *p[2] = { planted.inner, planted.inner };
    struct sp_endpoint e[2][READERS];
    struct sp_session *s[2][READERS];
    struct sp_emitter em = { ignore };
    struct sp_error err = SP_ERROR_INIT;
    enum sp_verify_verdict verdict = SP_VV_NOT_COMPARED;
    p[side] = &outer;
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < READERS; k++)
            s[i][k] = k == 0 || several ? session(p[i], &e[i][k], urls[i == 0 ? 0 : 1 + copy]) : NULL;
    const struct sp_verify_options opt = { .checks = checks,
        .max_differences = 10,
        .readers = { &s[0][1], &s[1][1] },
        .nreaders = { several ? READERS - 1 : 0, several ? READERS - 1 : 0 } };
    int rc = sp_verify(s[0][0], s[1][0], &opt, &em, &verdict, why, &err);
    if (rc != 0)
        sp_buf_puts(why, sp_error_text(&err));
    sp_error_clear(&err);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < READERS; k++)
            sp_close(s[i][k]);
    return rc != 0 ? -1 : (int)verdict;
}

/* A fault that only makes the work slower, or that shows in rows being gone, is judged otherwise. */
static bool harmless(enum fault f)
{
    return f == NONE || f == SPLIT_FAILS || f == JOIN_FAILS || f == COUNT_FAILS || f == READS_FAIL;
}
static bool loses(enum fault f)
{
    return f == CAPPED || f == TWICE || f == NO_TABLES || f == TABLE_UNSEEN || of_range(f) ||
           f == LATER_FEWER;
}
/* Nothing at all can be concluded, whatever was seen. */
static bool ends_all(enum fault f)
{
    return f == SNAPSHOT_FAILS || f == SNAPSHOT_BROKE || f == BLIND || f == CANCELLED || f == NO_TABLES;
}

static const char *wrong(enum fault f, enum copy copy, unsigned checks, int got, bool hit)
{
    bool sees_rows = (checks & SP_VC_ROWS) != 0;
    if (!hit || (f == CAPPED && !sees_rows)) /* nothing else tells how many rows there are */
        return NULL;
    if (copy == EQUAL && (got == SP_VV_EQUAL || got == SP_VV_EQUAL_WITH_LOSS) && !harmless(f))
        return "called equal";
    if (copy == EQUAL && harmless(f) && f != COUNT_FAILS && f != READS_FAIL && got != SP_VV_EQUAL)
        return "a false alarm";
    if (copy == EQUAL && got == SP_VV_DIFFERENT && !loses(f))
        return "called different";
    if (copy == ELSEWHERE && sees_rows && got != SP_VV_DIFFERENT && !ends_all(f))
        return "the difference elsewhere was not said";
    if (copy == HERE && sees_rows && got != SP_VV_DIFFERENT && got != SP_VV_NOT_COMPARED && got != -1)
        return "the difference was not seen";
    return NULL;
}

static void one(enum fault f, int side, enum copy copy, const char *check, bool several)
{
    struct sp_buf why = SP_BUF_INIT;
    planted.fault = f;
    planted.scans = planted.hits = 0;
    int got = compare(sp_verify_check(check), side, copy, several, &why);
    bool hit = planted.hits != 0 || f == NONE;
    const char *problem = wrong(f, copy, sp_verify_check(check), got, hit);
    if (problem != NULL) {
        failed++;
        printf("not ok - %s on the %s, %s, check %s, %s: %s: %s: %.300s\n", names[f],
            side == 0 ? "source" : "target", copy_names[copy], check,
            several ? "several readers" : "one reader", problem,
            got < 0 ? "failed" : sp_verify_verdict_name((enum sp_verify_verdict)got),
            why.p == NULL ? "" : why.p);
    } else if (hit) {
        passed++;
        reached[f]++;
    }
    sp_buf_free(&why);
}

static void around(const struct sp_provider *inner)
{
    static const char *const checks[] = { "all", "rows", "relations", "profiles", "uniqueness", "required",
        "sequences" };
    plant(inner);
    for (int f = NONE; f < FAULTS; f++)
        for (int side = 0; side < 2; side++)
            for (int copy = EQUAL; copy < COPIES; copy++)
                for (size_t k = 0; k < SP_LEN(checks); k++)
                    for (int several = 0; several < 2; several++)
                        one((enum fault)f, side, (enum copy)copy, checks[k], several == 1);
    for (int f = NONE; f < FAULTS; f++) {
        if (reached[f] == 0) {
            failed++;
            printf("not ok - %s: never met\n", names[f]);
        } else {
            printf("| %s | %u comparisons |\n", names[f], reached[f]);
        }
    }
}

int main(int argc, char **argv)
{
    static const char *const more[] = { "", "", "UPDATE other SET b = b + 1 WHERE a = 'note 7'",
        "UPDATE big SET note = 'x' WHERE id = 2000" };
    if (argc != 2) {
        fprintf(stderr, "usage: %s WORK_DIRECTORY\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < SP_LEN(more); i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/faults%zu.db", argv[1], i);
        snprintf(urls[i], sizeof urls[i], "sqlite:%s", path);
        file(path, more[i]);
    }
    around(&sp_provider_sqlite);
    printf("%lu passed, %lu failed, 0 skipped\n", passed, failed);
    return failed != 0 || passed == 0 ? 1 : 0;
}
