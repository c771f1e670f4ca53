/* bench.c -- the ratios that DESIGN promises, measured here and now, as a table for people.
 *
 * usage: bench BUILD_DIRECTORY [ROWS]      (default 2,000,000 rows of 8 columns)
 *        bench read FILE TABLE             the bare read: a loop over sqlite3_step that reads every column
 * Every command runs in a process of its own, both sides of a ratio in turn, five times; medians count. Exit code 1 if
 * a budget is missed. */
#include <inttypes.h>
#include <sqlite3.h>

#include "base/io.h"
#include "base/str.h"
#include "bench_run.h"

/* ---- the bare read ------------------------------------------------------------------------------------------- */

static int bare_read(const char *path, const char *table)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table);
    uint64_t rows = 0, sum = 0;
    if (sql == NULL ||
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK) {
        fprintf(stderr, "bench: %s: %s\n", path, db == NULL ? "out of memory" : sqlite3_errmsg(db));
        return 1;
    }
    int n = sqlite3_column_count(st), rc;
    while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
        for (int i = 0; i < n; i++) {
            sqlite3_value *v = sqlite3_column_value(st, i);
            switch (sqlite3_value_type(v)) {
            case SQLITE_INTEGER:
                sum += (uint64_t)sqlite3_value_int64(v);
                break;
            case SQLITE_FLOAT:
                sum += sqlite3_value_double(v) > 0;
                break;
            case SQLITE_TEXT:
                sum += sqlite3_value_text(v)[0] + (uint64_t)sqlite3_value_bytes(v);
                break;
            case SQLITE_BLOB:
                sum += (uint64_t)sqlite3_value_bytes(v) + (sqlite3_value_blob(v) != NULL);
                break;
            default:
                break;
            }
        }
        rows++;
    }
    sqlite3_finalize(st);
    sqlite3_free(sql);
    sqlite3_close(db);
    printf("%" PRIu64 " rows, sum %" PRIu64 "\n", rows, sum);
    return rc == SQLITE_DONE ? 0 : 1;
}

static bool prepare(const char *program, const char *rows, const char *a, const char *b)
{
    struct command make = { .args = { program, "fixture", "bench", a, "--rows", rows, NULL } };
    struct command copy = { .args = { "/bin/cp", a, b, NULL } };
    if (access(a, F_OK) != 0) {
        fprintf(stderr, "bench: making %s with %s rows\n", a, rows);
        run_once(&make, -1);
    }
    run_once(&copy, -1);
    return make.exit_code == 0 && copy.exit_code == 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "read") == 0)
        return bare_read(argv[2], argv[3]);
    if (argc < 2) {
        fprintf(stderr, "usage: %s BUILD_DIRECTORY [ROWS] | read FILE TABLE\n", argv[0]);
        return 2;
    }
    const char *rows = argc > 2 ? argv[2] : "2000000";
    char program[2048], dir[2048], a[4096], b[4096], c[4096], source[4200], target[4200], fresh[4200],
        report[4096];
    uint64_t nrows;
    if (!sp_parse_u64(rows, &nrows) ||
        sp_path_join(program, sizeof program, argv[1], "switchproof", NULL) < 0 ||
        sp_path_join(dir, sizeof dir, argv[1], "bench", NULL) < 0 || sp_mkdirs(dir, NULL) < 0) {
        fprintf(stderr, "bench: %s: not a build directory, or %s is not a number\n", argv[1], rows);
        return 2;
    }
    snprintf(a, sizeof a, "%s/a-%s.db", dir, rows);
    snprintf(b, sizeof b, "%s/b-%s.db", dir, rows);
    snprintf(c, sizeof c, "%s/c-%s.db", dir, rows);
    snprintf(report, sizeof report, "%s/report", dir);
    snprintf(source, sizeof source, "sqlite:%s", a);
    snprintf(target, sizeof target, "sqlite:%s", b);
    snprintf(fresh, sizeof fresh, "sqlite:%s", c);
    if (!prepare(program, rows, a, b))
        return 2;

    struct command read_a = { .args = { argv[0], "read", a, "bench", NULL } };
    struct command read_b = { .args = { argv[0], "read", b, "bench", NULL } };
    struct command only_rows = { .args = { program, "verify", "-q", source, target, "--checks", "rows",
                                     "--report-dir", report, NULL } };
    struct command all = { .args = {
                               program, "verify", "-q", source, target, "--report-dir", report, NULL } };
    struct command *together[] = { &read_a, &read_b, &only_rows, &all };
    run_all(together, SP_LEN(together));
    double bare = median(&read_a) > median(&read_b) ? median(&read_a) : median(&read_b);

    struct command suites = { .args = { program, "run", "-q", "--report-dir", report, NULL } };
    struct command *alone[] = { &suites };
    run_all(alone, 1);

    table_head();
    line_ratio("verify --checks rows, two SQLite files", "bare read of the slower one", median(&only_rows),
        bare, median(&only_rows) / bare, false, 1.1);
    line_ratio("verify, all checks", "bare read of the slower one", median(&all), bare, median(&all) / bare,
        false, 2.0);
    limit("verify --checks rows, peak memory", "MiB", (double)only_rows.max_rss_kib / 1024, 64);
    limit("verify, all checks, peak memory", "MiB", (double)all.max_rss_kib / 1024, 64);
    limit("run, all suites, embedded providers, quick", "s", median(&suites), 5);

    return bench_missed == 0 ? 0 : 1;
}
