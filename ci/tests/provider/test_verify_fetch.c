/* test_verify_fetch.c -- rows by their keys: whatever a scan shows under a key, a fetch of that key gives, or it says that
 * it cannot promise that. Every kind of key whose stored form may differ from the one that is compared is here. */
#include "fetch_case.h"

#include <sqlite3.h>

static void fill_sqlite(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *msg = NULL;
    assert_int_equal(SQLITE_OK, sqlite3_open(path, &db));
    if (sqlite3_exec(db, sql, NULL, NULL, &msg) != SQLITE_OK)
        fail_msg("%s: %s", sql, msg);
    assert_int_equal(SQLITE_OK, sqlite3_close(db));
}

/* One statement after the other; none here has a semicolon inside. */
static void fill_server(struct sides *x, struct sp_session *s, const char *sql)
{
    char text[2048], *rest = text, *one;
    sp_strlcpy(text, sql, sizeof text);
    while ((one = strsep(&rest, ";")) != NULL) {
        struct sp_op op = { .kind = SP_OP_RAW, .raw = one };
        if (*one != '\0')
            must(x, sp_db_exec(s, &op, NULL, &x->err));
    }
}

static void side_begin(struct sides *x, int i, const struct fcase *f)
{
    const struct sp_provider *kind = sp_provider_by_kind(sp_providers, f->kind[i]);
    bool server = strcmp(f->kind[i], "sqlite") != 0;
    x->e[i] = (struct sp_endpoint){ .name = i == 0 ? "old" : "new", .url = x->url[i] };
    snprintf(x->ns[i], sizeof x->ns[i], "sp_fetch_%ld_%d", (long)getpid(), i);
    if (server) {
        sp_strlcpy(x->url[i], getenv("POSTGRESQL_URL"), sizeof x->url[i]);
        x->writing[i] = x->e[i];
        x->writing[i].access = SP_ACCESS_DISPOSABLE;
        must(x, sp_open(&x->writer[i], kind, &x->writing[i], &x->err));
        must(x, sp_db_ns_drop(x->writer[i], x->ns[i], &x->err));
        must(x, sp_db_ns_create(x->writer[i], x->ns[i], &x->err));
        must(x, sp_db_ns_use(x->writer[i], x->ns[i], &x->err));
        fill_server(x, x->writer[i], f->sql[i]);
        x->option_name = "schema";
        x->option_value[i] = x->ns[i];
        x->e[i].option_names = &x->option_name;
        x->e[i].option_values = &x->option_value[i];
        x->e[i].noptions = 1;
    } else {
        snprintf(x->url[i], sizeof x->url[i], "sqlite:%s/%d.db", x->dir, i);
        fill_sqlite(x->url[i] + strlen("sqlite:"), f->sql[i]);
    }
    x->e[i].access = SP_ACCESS_READ_ONLY;
    must(x, sp_open(&x->s[i], kind, &x->e[i], &x->err));
}

static struct sp_vpair *sides_begin(struct sides *x, const struct fcase *f)
{
    *x = (struct sides){ .opt = { .checks = SP_VC_ROWS }, .em = { no_event }, .err = SP_ERROR_INIT };
    sp_strlcpy(x->dir, "/tmp/sp-fetch-XXXXXX", sizeof x->dir);
    assert_non_null(mkdtemp(x->dir));
    for (int i = 0; i < 2; i++)
        side_begin(x, i, f);
    return sides_match(x, strcmp(f->kind[0], f->kind[1]) == 0);
}

static void run_case(const struct fcase *f)
{
    static struct sides x;
    struct sp_vpair *p = sides_begin(&x, f);
    ask_both(&x, f, p);
    sides_end(&x);
}

static void run_all(const struct fcase *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        run_case(&list[i]);
}

/* ---- SQLite ------------------------------------------------------------------------------------------------------ */

#define BOTH(a)                                                                                              \
    {                                                                                                        \
        a, a                                                                                                 \
    }
#define LITE       BOTH("sqlite")
#define LITE2(sql) LITE, BOTH(sql)

static const struct fcase lite_cases[] = {
    { "row numbers",
        LITE2("CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1,'a'),(-5,'b'),"
              "(9223372036854775807,'c'),(-9223372036854775808,'d'),(0,NULL)"),
        BOTH(LATER), true },
    { "no rows", LITE2("CREATE TABLE t(id INTEGER PRIMARY KEY, v)"), BOTH(LATER), true },
    { "different rows", LITE,
        { "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1,'a'),(2,'b')",
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (2,'x'),(3,'c')" },
        BOTH(LATER), true },
    { "integers without a promise",
        LITE2("CREATE TABLE t(id INT PRIMARY KEY, v); INSERT INTO t VALUES (1,'a'),(2.0,'b'),('3','c')"),
        BOTH(STATE), true },
    { "half a number among integers",
        LITE2("CREATE TABLE t(id INT PRIMARY KEY, v); INSERT INTO t VALUES (1,'a'),(2.5,'b'),('x','c')"),
        BOTH(NOTHING), false },
    { "each value its own type",
        LITE2("CREATE TABLE t(id PRIMARY KEY, v); INSERT INTO t VALUES (1,'a'),('1','b'),(x'31','c'),"
              "(NULL,'d'),(NULL,'e'),('','f'),(x'','g')"),
        BOTH(STATE), true },
    { "texts, case by case",
        LITE2("CREATE TABLE t(id TEXT PRIMARY KEY, v); INSERT INTO t VALUES ('a',1),('A',2),('a ',3),('',4),"
              "('1',5),('1.0',6),('\u00e9',7),('e\u0301',8),(NULL,9)"),
        BOTH(STATE), true },
    { "texts that look alike to a collation",
        LITE2("CREATE TABLE t(id TEXT PRIMARY KEY COLLATE NOCASE, v); INSERT INTO t VALUES ('a',1),('B',2)"),
        BOTH(STATE), true },
    { "blanks that a collation does not see",
        LITE2("CREATE TABLE t(id TEXT PRIMARY KEY COLLATE RTRIM, v); INSERT INTO t VALUES ('a ',1),('b',2)"),
        BOTH(STATE), true },
    { "letters in another case on each side", LITE,
        { "CREATE TABLE t(id TEXT PRIMARY KEY, v); INSERT INTO t VALUES ('a',1),('b',2)",
            "CREATE TABLE t(id TEXT PRIMARY KEY COLLATE NOCASE, v); INSERT INTO t VALUES ('A',1),('b',2)" },
        BOTH(STATE), true },
    { "octets",
        LITE2("CREATE TABLE t(id BLOB PRIMARY KEY, v INT) STRICT, WITHOUT ROWID; INSERT INTO t VALUES "
              "(x'00',1),(x'0000',2),(x'',3)"),
        BOTH(LATER), true },
    { "strict texts",
        LITE2("CREATE TABLE t(id TEXT PRIMARY KEY, v INT) STRICT; INSERT INTO t VALUES ('7',1),('07',2)"),
        BOTH(LATER), true },
    { "floats", LITE2("CREATE TABLE t(id REAL PRIMARY KEY, v); INSERT INTO t VALUES (1.5,1),(0.1,2),(2,3)"),
        BOTH(NOTHING), false },
    { "decimals that became doubles",
        LITE2("CREATE TABLE t(id NUMERIC PRIMARY KEY, v); INSERT INTO t VALUES ('1.0',1),('1.50',2)"),
        BOTH(NOTHING), false },
    { "two columns",
        LITE2("CREATE TABLE t(a INTEGER NOT NULL, b TEXT NOT NULL, v, PRIMARY KEY(b, a)) WITHOUT ROWID;"
              "INSERT INTO t VALUES (1,'x',1),(2,'x',2),(1,'X',3),(1,'',4)"),
        BOTH(STATE), true },
    { "nulls in one of two columns",
        LITE2("CREATE TABLE t(a INT, b INT, v, PRIMARY KEY(a, b)); INSERT INTO t VALUES (1,NULL,1),"
              "(1,NULL,2),(NULL,NULL,3),(NULL,1,4),(1,1,5)"),
        BOTH(STATE), true },
    { "uuids as texts",
        LITE2("CREATE TABLE t(id UUID PRIMARY KEY, v); INSERT INTO t VALUES "
              "('00000000-0000-4000-8000-00000000000a',1),('00000000-0000-4000-8000-00000000000B',2)"),
        BOTH(STATE), true },
    { "no key", LITE2("CREATE TABLE t(id INTEGER, v); INSERT INTO t VALUES (1,1),(1,1)"), BOTH(NOTHING),
        false },
};

static void sqlite_keys(void **state)
{
    (void)state;
    run_all(lite_cases, SP_LEN(lite_cases));
}

/* ---- SQLite and PostgreSQL --------------------------------------------------------------------------------------- */

#define LP                                                                                                   \
    {                                                                                                        \
        "sqlite", "postgresql"                                                                               \
    }
#define PL                                                                                                   \
    {                                                                                                        \
        "postgresql", "sqlite"                                                                               \
    }
#define PP BOTH("postgresql")

static const struct fcase pg_cases[] = {
    { "integers", LP,
        { "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1,'a'),(-2,'b')",
            "CREATE TABLE t(id int PRIMARY KEY, v text); INSERT INTO t VALUES (1,'a'),(-2,'b'),(3,'c')" },
        BOTH(LATER), true },
    { "integers that the source keeps as it likes", LP,
        { "CREATE TABLE t(id BLOB PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1,'a'),('2','b'),(3.0,'c')",
            "CREATE TABLE t(id int PRIMARY KEY, v text); INSERT INTO t VALUES (1,'a'),(2,'b'),(3,'c')" },
        { NOTHING, LATER }, false },
    { "decimals, spelled differently", PL,
        { "CREATE TABLE t(id numeric PRIMARY KEY, v text); INSERT INTO t VALUES (1.0,'a'),(2.50,'b'),"
          "(12345678901234567890.12,'c'),(3,'d')",
            "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT); INSERT INTO t VALUES (1,'a'),(3,'d')" },
        BOTH(LATER), true },
    { "decimals with two scales", PP,
        { "CREATE TABLE t(id numeric(20,2) PRIMARY KEY, v text); INSERT INTO t VALUES (1.00,'a'),(2.50,'b')",
            "CREATE TABLE t(id numeric(20,6) PRIMARY KEY, v text); INSERT INTO t VALUES (1,'a'),(2.5,'b')" },
        BOTH(LATER), true },
    { "uuids in capitals", LP,
        { "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT); INSERT INTO t VALUES "
          "('00000000-0000-4000-8000-00000000000A','a'),('00000000-0000-4000-8000-00000000000b','b')",
            "CREATE TABLE t(id uuid PRIMARY KEY, v text); INSERT INTO t VALUES "
            "('00000000-0000-4000-8000-00000000000a','a'),('00000000-0000-4000-8000-00000000000b','b')" },
        { NOTHING, LATER }, false },
    { "uuids", PP,
        BOTH("CREATE TABLE t(id uuid PRIMARY KEY, v text); INSERT INTO t VALUES "
             "('00000000-0000-4000-8000-00000000000A','a'),('ffffffff-0000-4000-8000-00000000000b','b')"),
        BOTH(LATER), true },
    { "padded texts", PP,
        BOTH("CREATE TABLE t(id char(5) PRIMARY KEY, v text); INSERT INTO t VALUES ('a','a'),('b ','b')"),
        BOTH(NOTHING), false },
    { "padded texts to plain ones", PL,
        { "CREATE TABLE t(id char(5) PRIMARY KEY, v text); INSERT INTO t VALUES ('a','a'),('b ','b')",
            "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT); INSERT INTO t VALUES ('a','a'),('b','b')" },
        { NOTHING, STATE }, false },
    { "texts whose equality is not of bytes", PP,
        BOTH("CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
             "CREATE TABLE t(id text COLLATE ci PRIMARY KEY, v text); INSERT INTO t VALUES "
             "('a','a'),('B','b')"),
        BOTH(LATER), true },
    { "times", PP,
        BOTH("CREATE TABLE t(id timestamptz PRIMARY KEY, v text); INSERT INTO t VALUES "
             "('2024-01-01 00:00:00.123456+02','a'),('1970-01-01 00:00:00Z','b')"),
        BOTH(LATER), true },
    { "times without an end", PP,
        BOTH("CREATE TABLE t(id timestamptz PRIMARY KEY, v text); INSERT INTO t VALUES "
             "('2024-01-01 00:00:00+02','a'),('infinity','b')"),
        BOTH(NOTHING), false },
    { "times as texts", LP,
        { "CREATE TABLE t(id TEXT PRIMARY KEY, v TEXT); INSERT INTO t VALUES ('2024-01-01T00:00:00Z','a'),"
          "('2024-01-01 01:00:00+00:00','b')",
            "CREATE TABLE t(id timestamptz PRIMARY KEY, v text); INSERT INTO t VALUES "
            "('2024-01-01T00:00:00Z','a'),('2024-01-01 01:00:00Z','b')" },
        { NOTHING, LATER }, false },
    { "text and integer in one key", PP,
        BOTH("CREATE TABLE t(a text, b bigint, c date, v text, PRIMARY KEY(a, b, c)); INSERT INTO t VALUES "
             "('x',1,'2024-02-29','a'),('X',1,'2024-02-29','b'),('x',2,'0001-01-01','c')"),
        BOTH(LATER), true },
    { "words of a list", PP,
        BOTH("CREATE TYPE mood AS ENUM ('sad','ok'); CREATE TABLE t(id mood PRIMARY KEY, v text);"
             "INSERT INTO t VALUES ('ok','a'),('sad','b')"),
        BOTH(LATER), true },
    { "floats", PP,
        BOTH("CREATE TABLE t(id float8 PRIMARY KEY, v text); INSERT INTO t VALUES (1,'a'),(0.1,'b')"),
        BOTH(NOTHING), false },
    { "a unique text instead of a key", PP,
        BOTH("CREATE TABLE t(id varchar(9) NOT NULL UNIQUE, v text); INSERT INTO t VALUES "
             "('a','a'),('A','b')"),
        BOTH(LATER), true },
};

static void postgresql_keys(void **state)
{
    const char *url = getenv("POSTGRESQL_URL");
    (void)state;
    if (url == NULL || *url == '\0' || sp_provider_by_kind(sp_providers, "postgresql") == NULL) {
        print_message("skip: POSTGRESQL_URL is not set; run ci/stack up\n");
        skip();
    }
    run_all(pg_cases, SP_LEN(pg_cases));
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

static int count_row(void *payload, size_t key, const struct sp_rowview *row)
{
    (void)key, (void)row;
    ++*(size_t *)payload;
    return 0;
}

static int stop_at_once(void *payload, size_t key, const struct sp_rowview *row)
{
    (void)key, (void)row;
    ++*(size_t *)payload;
    return -SP_E_CANCELLED;
}

/* More keys than one statement takes, in no order, some twice; and a limit of time that nothing can meet. */
static void many_keys(void **state)
{
    static const struct fcase f = { "many",
        LITE2("CREATE TABLE t(id INTEGER PRIMARY KEY, v); WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT "
              "i + 1 FROM n WHERE i < 4999) INSERT INTO t SELECT i, i FROM n"),
        BOTH(LATER), true };
    static struct sides x;
    static uint8_t bytes[6000][13];
    static struct sp_vkey keys[6000];
    struct sp_vpair *p = sides_begin(&x, &f);
    size_t rows = 0;
    (void)state;
    for (size_t i = 0; i < SP_LEN(keys); i++) {
        uint64_t id = i * 7919 % 6000; /* 0 ... 5999, of which the last thousand are not there */
        uint8_t b[13] = { SP_ST_PRESENT, 8 };
        memcpy(b + 5, &id, 8);
        memcpy(bytes[i], b, sizeof b);
        keys[i] = (struct sp_vkey){ bytes[i], sizeof b };
    }
    must(&x,
        sp_v_fetch(&x.c, p, SP_SIDE_TARGET, keys, SP_LEN(keys), SP_VF_LATER, 0, count_row, &rows, &x.err));
    assert_int_equal(5000, rows);
    rows = 0;
    keys[1] = keys[0];
    must(&x, sp_v_fetch(&x.c, p, SP_SIDE_SOURCE, keys, 2, SP_VF_LATER, 60, count_row, &rows, &x.err));
    assert_int_equal(2, rows);
    rows = 0;
    assert_int_equal(-SP_E_TIMEOUT,
        sp_v_fetch(&x.c, p, SP_SIDE_SOURCE, keys, SP_LEN(keys), SP_VF_LATER, 1e-9, count_row, &rows, &x.err));
    assert_true(rows <= 1);
    sp_error_clear(&x.err);
    rows = 0;
    assert_true(
        sp_v_fetch(&x.c, p, SP_SIDE_SOURCE, keys, 2, SP_VF_LATER, 0, stop_at_once, &rows, &x.err) < 0);
    assert_int_equal(1, rows);
    sp_error_clear(&x.err);
    bytes[0][4] = 1; /* no key at all */
    assert_true(sp_v_fetch(&x.c, p, SP_SIDE_SOURCE, keys, 1, SP_VF_LATER, 0, count_row, &rows, &x.err) < 0);
    sides_end(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlite_keys),
        cmocka_unit_test(postgresql_keys),
        cmocka_unit_test(many_keys),
    };
    return cmocka_run_group_tests_name("verify: rows by their keys", tests, NULL, NULL);
}
