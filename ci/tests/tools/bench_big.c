/* bench_big.c -- comparing 10 million rows: equal copies, one changed row, half of the rows changed; against the bare read.
 *
 * usage: bench_big BUILD_DIRECTORY [ROWS]      (default 10,000,000 rows of 8 columns; 8 GB of files in the build directory)
 * With POSTGRESQL_URL, PostgreSQL against SQLite, too; makes and drops the database sp_bench_big. Three turns; medians
 * count. Exit code 1 if a budget is missed. */
#define BENCH_RUNS 3
#include <sqlite3.h>

#include "base/io.h"
#include "base/str.h"
#include "bench_run.h"

enum variant { EQUAL, ONE, HALF, VARIANTS };
static const char *const names[VARIANTS] = { "equal copies", "one changed row", "half of the rows changed" };
static const double budgets[VARIANTS] = { 1.1, 1.5, 4.0 };

struct place {
    char program[2048], read[2048], dir[2048], a[4096], b[VARIANTS][4096], source[4200], report[4096];
    char admin[1024], url[1100];
    const char *rows;
    uint64_t nrows;
};

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static void change_sql(const struct place *p, enum variant v, char *sql, size_t size)
{
    if (v == ONE)
        snprintf(sql, size, "UPDATE bench SET n = n + 1 WHERE id = %llu",
            (unsigned long long)(p->nrows - p->nrows / 3));
    else
        snprintf(sql, size, "UPDATE bench SET n = n + 1 WHERE id %% 2 = 0");
}

static bool make_copies(const struct place *p)
{
    struct command make = { .args = { p->program, "fixture", "bench", p->a, "--rows", p->rows, NULL } };
    if (access(p->a, F_OK) != 0) {
        fprintf(stderr, "bench: making %s with %s rows\n", p->a, p->rows);
        run_once(&make, -1);
    }
    for (int v = EQUAL; v < VARIANTS && make.exit_code == 0; v++) {
        char sql[128];
        sqlite3 *db = NULL;
        struct command copy = { .args = { "/bin/cp", p->a, p->b[v], NULL } };
        fprintf(stderr, "bench: making %s\n", p->b[v]);
        run_once(&copy, -1);
        make.exit_code = copy.exit_code;
        if (v == EQUAL || copy.exit_code != 0)
            continue;
        change_sql(p, (enum variant)v, sql, sizeof sql);
        if (sqlite3_open(p->b[v], &db) != SQLITE_OK ||
            sqlite3_exec(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF", NULL, NULL, NULL) !=
                SQLITE_OK ||
            sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
            fprintf(stderr, "bench: %s: %s\n", p->b[v], sqlite3_errmsg(db));
            make.exit_code = 1;
        }
        sqlite3_close(db);
    }
    return make.exit_code == 0;
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */

static void must_end_with(const struct command *c, int code)
{
    if (c->exit_code == code)
        return;
    fprintf(
        stderr, "bench: %s %s ended with exit code %d, not %d\n", c->args[0], c->args[1], c->exit_code, code);
    exit(2);
}

/* Found, and named by its key. */
static void must_name(const struct place *p, const char *text)
{
    char path[4200];
    struct sp_buf events = SP_BUF_INIT;
    snprintf(path, sizeof path, "%s/events.jsonl", p->report);
    if (sp_read_file(path, (size_t)64 << 20, &events, NULL) != 0 || events.p == NULL ||
        strstr(events.p, text) == NULL) {
        fprintf(stderr, "bench: %s does not say %s\n", path, text);
        exit(2);
    }
    sp_buf_free(&events);
}

static void expect_result(const struct place *p, enum variant v)
{
    char text[64];
    if (v == EQUAL)
        return;
    snprintf(text, sizeof text, "\"changed\":%llu", v == ONE ? 1ull : (unsigned long long)(p->nrows / 2));
    must_name(p, text);
    snprintf(text, sizeof text, "\"key\":\"id=%llu\"", (unsigned long long)(p->nrows - p->nrows / 3));
    if (v == ONE)
        must_name(p, text);
}

static struct command verify(const struct place *p, const char *target)
{
    return (struct command){ .args = { p->program, "verify", "-q", p->source, target, "--checks", "rows",
                                 "--report-dir", p->report, NULL } };
}

static void lines(
    struct command c[VARIANTS], const struct command *bare, const char *sides, const char *against)
{
    char what[128];
    for (int v = EQUAL; v < VARIANTS; v++) {
        snprintf(what, sizeof what, "%s, %s", sides, names[v]);
        line_ratio(what, against, median(&c[v]), median(bare), median_ratio(&c[v], bare), false, budgets[v]);
    }
    for (int v = EQUAL; v < VARIANTS; v++) {
        snprintf(what, sizeof what, "%s, %s: peak memory", sides, names[v]);
        limit(what, "MiB", (double)c[v].max_rss_kib / 1024, 64);
    }
}

static void sqlite_pairs(const struct place *p)
{
    char target[VARIANTS][4200];
    struct command c[VARIANTS], bare[2];
    bare[0] = (struct command){ .args = { p->read, "read", p->a, "bench", NULL } };
    bare[1] = (struct command){ .args = { p->read, "read", p->b[EQUAL], "bench", NULL } };
    for (int v = EQUAL; v < VARIANTS; v++) {
        snprintf(target[v], sizeof target[v], "sqlite:%s", p->b[v]);
        c[v] = verify(p, target[v]);
    }
    for (int run = -1; run < RUNS; run++) {
        for (int i = 0; i < 2; i++)
            run_once(&bare[i], run);
        for (int v = EQUAL; v < VARIANTS; v++) {
            run_once(&c[v], run);
            must_end_with(&c[v], v == EQUAL ? 0 : 1);
            expect_result(p, (enum variant)v);
        }
    }
    must_hold(&bare[0]);
    must_hold(&bare[1]);
    lines(c, median(&bare[0]) > median(&bare[1]) ? &bare[0] : &bare[1], "two SQLite files",
        "bare read of the slower one");
}

/* ---- a server ---------------------------------------------------------------------------------------------------- */

static void psql(const char *url, const char *sql)
{
    struct command c = { .args = { "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql, NULL } };
    run_once(&c, -1);
    must_hold(&c);
}

static void postgresql_pair(struct place *p)
{
    struct command c[VARIANTS], load, bare;
    char sql[128];
    const char *slash = strrchr(p->admin, '/');
    snprintf(p->url, sizeof p->url, "%.*s/sp_bench_big", (int)(slash - p->admin), p->admin);
    psql(p->admin, "DROP DATABASE IF EXISTS sp_bench_big");
    psql(p->admin, "CREATE DATABASE sp_bench_big");
    setenv("SP_BENCH_URL", p->url, 1);
    fprintf(stderr, "bench: loading %s rows into PostgreSQL\n", p->rows);
    load = (struct command){ .args = { p->program, "migrate", "-q", p->source, "env:SP_BENCH_URL",
                                 "--report-dir", p->report, NULL } };
    run_once(&load, -1);
    bare = (struct command){ .args = { "psql", "-qX", "-d", p->url, "-c",
                                 "COPY bench TO STDOUT (FORMAT binary)", NULL } };
    for (int v = EQUAL; v < VARIANTS; v++)
        c[v] = verify(p, "env:SP_BENCH_URL");
    for (int v = EQUAL; v < VARIANTS; v++) { /* the data changes in between: each of them on its own */
        if (v == HALF) {
            snprintf(sql, sizeof sql, "UPDATE bench SET n = n - 1 WHERE id = %llu",
                (unsigned long long)(p->nrows - p->nrows / 3));
            psql(p->url, sql);
        }
        if (v != EQUAL) {
            change_sql(p, (enum variant)v, sql, sizeof sql);
            psql(p->url, sql);
        }
        psql(p->url, "VACUUM bench");
        psql(p->url, "CHECKPOINT");
        for (int run = -1; run < RUNS; run++) {
            if (v == EQUAL)
                run_once(&bare, run);
            run_once(&c[v], run);
            must_end_with(&c[v], v == EQUAL ? 0 : 1);
            expect_result(p, (enum variant)v);
        }
    }
    must_hold(&bare);
    lines(c, &bare, "PostgreSQL against SQLite", "psql, COPY binary to /dev/null");
    psql(p->admin, "DROP DATABASE sp_bench_big");
}

int main(int argc, char **argv)
{
    static struct place p;
    const char *server = getenv("POSTGRESQL_URL");
    p.rows = argc > 2 ? argv[2] : "10000000";
    if (argc < 2 || !sp_parse_u64(p.rows, &p.nrows) || p.nrows < 10 ||
        sp_path_join(p.program, sizeof p.program, argv[1], "switchproof", NULL) < 0 ||
        sp_path_join(p.read, sizeof p.read, argv[1], "tools/bench", NULL) < 0 ||
        sp_path_join(p.dir, sizeof p.dir, argv[1], "bench", NULL) < 0 || sp_mkdirs(p.dir, NULL) < 0) {
        fprintf(stderr, "usage: %s BUILD_DIRECTORY [ROWS]\n", argv[0]);
        return 2;
    }
    snprintf(p.a, sizeof p.a, "%s/a-%s.db", p.dir, p.rows);
    for (int v = EQUAL; v < VARIANTS; v++)
        snprintf(p.b[v], sizeof p.b[v], "%s/big-%d-%s.db", p.dir, v, p.rows);
    snprintf(p.source, sizeof p.source, "sqlite:%s", p.a);
    snprintf(p.report, sizeof p.report, "%s/report", p.dir);
    if (!make_copies(&p))
        return 2;
    table_head();
    sqlite_pairs(&p);
    for (int v = EQUAL; v < VARIANTS; v++)
        (void)unlink(p.b[v]);
    if (server != NULL && *server != '\0') {
        sp_strlcpy(p.admin, server, sizeof p.admin);
        postgresql_pair(&p);
    }
    return bench_missed == 0 ? 0 : 1;
}
