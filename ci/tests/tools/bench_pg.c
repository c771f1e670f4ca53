/* bench_pg.c -- the ratios that need a PostgreSQL server, measured here and now, as further lines of the table.
 *
 * usage: POSTGRESQL_URL=... bench_pg BUILD_DIRECTORY [ROWS]     (default 2,000,000 rows of 8 columns)
 *        bench_pg load FILE                                     our bulk load of a binary COPY file into SP_BENCH_URL
 * Makes and drops databases sp_bench_*. Both sides of a ratio run in turn, five times; the median of the turns' ratios
 * counts. pgloader is measured where it is installed (ci/deps bench). Exit code 1 if a budget is missed. */
#include <endian.h>

#include "base/io.h"
#include "base/str.h"
#include "bench_run.h"
#include "provider_call.h"

#define DB_OURS   "sp_bench_ours"
#define DB_THEIRS "sp_bench_theirs"
#define COLUMNS   8

/* ---- our bulk load of what COPY wrote -------------------------------------------------------------------------- */

struct copy_file {
    FILE *f;
    uint8_t *bytes;
    size_t cap;
};

static bool take(struct copy_file *c, size_t n)
{
    if (n > c->cap) {
        uint8_t *p = realloc(c->bytes, n);
        if (p == NULL)
            return false;
        c->bytes = p;
        c->cap = n;
    }
    return fread(c->bytes, 1, n, c->f) == n;
}

static uint64_t number(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static struct sp_value value_of(size_t column, const uint8_t *p, size_t n)
{
    uint64_t u = n == 8 ? number(p, 8) : 0;
    double d;
    switch (column) {
    case 2:
        memcpy(&d, &u, sizeof d);
        return sp_v_f64(d);
    case 3:
    case 4:
        return sp_v_textn((const char *)p, n);
    case 5: /* microseconds since 2000, all of them behind it */
        return sp_v_local(INT64_C(946684800) + (int64_t)(u / 1000000), (uint32_t)(u % 1000000) * 1000);
    case 6:
        return sp_v_bytes(p, n);
    default:
        return sp_v_int((int64_t)u);
    }
}

/* 1 = a row, 0 = the end, -1 = damaged. The values borrow from the arena. */
static int next_row(struct copy_file *c, struct sp_arena *a, struct sp_value row[COLUMNS])
{
    if (!take(c, 2))
        return -1;
    uint16_t n = (uint16_t)number(c->bytes, 2);
    if (n == UINT16_MAX)
        return 0;
    if (n != COLUMNS)
        return -1;
    for (size_t i = 0; i < COLUMNS; i++) {
        if (!take(c, 4))
            return -1;
        uint32_t size = (uint32_t)number(c->bytes, 4);
        row[i] = sp_v_null();
        if (size == UINT32_MAX)
            continue;
        uint8_t *p = take(c, size) ? sp_arena_dup(a, c->bytes, size) : NULL;
        if (p == NULL)
            return -1;
        row[i] = value_of(i, p, size);
    }
    return 1;
}

static int pump(struct sp_session *s, struct copy_file *c, struct sp_error *err)
{
    static const char *const columns[COLUMNS] = { "id", "n", "ratio", "code", "note", "at", "token", "opt" };
    struct sp_value row[COLUMNS];
    struct sp_arena a = SP_ARENA_INIT;
    struct sp_load *load = NULL;
    uint64_t loaded = 0, rows = 0;
    int rc = sp_db_load_open(s, "bench", columns, COLUMNS, &load, err), got = 1;
    while (rc == 0 && (got = next_row(c, &a, row)) == 1) {
        rc = sp_db_load_row(s, load, row, err);
        sp_arena_reset(&a);
        rows++;
    }
    if (load != NULL) {
        int closed = sp_db_load_close(s, load, rc == 0 && got == 0, &loaded, rc == 0 ? err : NULL);
        rc = rc != 0 ? rc : closed;
    }
    if (rc == 0 && (got != 0 || loaded != rows))
        rc = sp_fail(err, SP_E_CORRUPT, SP_ORIGIN_HARNESS, "the file ends badly");
    sp_arena_free(&a);
    return rc;
}

static int load(const char *path)
{
    const char *url = getenv("SP_BENCH_URL");
    struct sp_endpoint e = { .name = "bench", .url = url, .access = SP_ACCESS_TARGET };
    struct copy_file c = { .f = fopen(path, "rb") };
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = NULL;
    const struct sp_provider *kind = sp_provider_by_kind(sp_providers, "postgresql");
    if (c.f == NULL || url == NULL || kind == NULL || !take(&c, 19)) {
        fprintf(stderr, "bench: %s, SP_BENCH_URL and provider postgresql are needed\n", path);
        return 2;
    }
    int rc = kind->process_init != NULL ? kind->process_init(&err) : 0;
    if (rc == 0)
        rc = sp_open(&s, kind, &e, &err);
    if (rc == 0)
        rc = pump(s, &c, &err);
    if (rc != 0)
        fprintf(stderr, "bench: %s\n", sp_error_text(&err));
    if (s != NULL)
        sp_close(s);
    fclose(c.f);
    free(c.bytes);
    sp_error_clear(&err);
    return rc == 0 ? 0 : 1;
}

/* ---- the server -------------------------------------------------------------------------------------------------- */

static char prefix[1024];

static void url_of(char *out, size_t size, const char *database)
{
    snprintf(out, size, "%s/%s", prefix, database);
}

static void psql(const char *database, const char *sql)
{
    char url[1200];
    url_of(url, sizeof url, database);
    struct command c = { .args = { "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql, NULL } };
    run_once(&c, -1);
    must_hold(&c);
}

static void fresh(const char *database)
{
    char sql[128];
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", database);
    psql("postgres", sql);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", database);
    psql("postgres", sql);
}

static void settle(void)
{
    psql("postgres", "CHECKPOINT");
}

/* ---- the parts --------------------------------------------------------------------------------------------------- */

struct place {
    char self[2048], program[2048], db[4096], source[4200], copy[4096], report[4096], script[4096];
    char ours[1200], theirs[1200];
};

static void rows_check(const struct place *p)
{
    struct command verify = { .args = { p->program, "verify", "-q", p->source, "env:SP_BENCH_URL", "--checks",
                                  "rows", "--report-dir", p->report, NULL } };
    struct command bare = { .args = { "psql", "-qX", "-d", p->ours, "-c",
                                "COPY bench TO STDOUT (FORMAT binary)", NULL } };
    struct command *all[] = { &verify, &bare };
    run_all(all, SP_LEN(all));
    line_ratio("verify --checks rows, PostgreSQL against SQLite", "psql, COPY binary to /dev/null",
        median(&verify), median(&bare), median_ratio(&verify, &bare), false, 1.1);
    limit("the same, peak memory", "MiB", (double)verify.max_rss_kib / 1024, 64);
}

static void bulk_load(const struct place *p)
{
    char from[4200];
    struct command ours = { .args = { p->self, "load", p->copy, NULL } };
    struct command bare = { .args = { "psql", "-qX", "-d", p->ours, "-c", from, NULL } };
    snprintf(from, sizeof from, "\\copy bench from '%s' (format binary)", p->copy);
    for (int run = -1; run < RUNS; run++) {
        psql(DB_OURS, "TRUNCATE bench");
        settle();
        run_once(&ours, run);
        psql(DB_OURS, "TRUNCATE bench");
        settle();
        run_once(&bare, run);
    }
    must_hold(&ours);
    must_hold(&bare);
    line_ratio("bulk load of the same rows", "psql, \\copy from a binary file", median(&ours), median(&bare),
        median_ratio(&ours, &bare), false, 1.15);
}

static void migrate(const struct place *p)
{
    struct command ours = { .args = { p->program, "migrate", "-q", p->source, "env:SP_BENCH_URL",
                                "--report-dir", p->report, NULL } };
    struct command theirs = { .args = { "pgloader", "-q", p->script, NULL } };
    struct sp_buf text = SP_BUF_INIT;
    sp_buf_printf(&text, "load database from sqlite://%s into %s with include drop, create tables;\n", p->db,
        p->theirs);
    if (text.oom || sp_write_file_atomic(p->script, text.p, text.n, NULL) != 0)
        exit(2);
    sp_buf_free(&text);
    for (int run = -1; run < RUNS; run++) {
        fresh(DB_OURS);
        settle();
        run_once(&ours, run);
        fresh(DB_THEIRS);
        settle();
        run_once(&theirs, run);
    }
    must_hold(&ours);
    if (theirs.exit_code == 127) {
        printf("| migrate SQLite to PostgreSQL | %.3f s | pgloader | not installed | – | ≥ 3.00 | – |\n",
            median(&ours));
        return;
    }
    must_hold(&theirs);
    line_ratio("migrate SQLite to PostgreSQL", "pgloader (its time / ours)", median(&ours), median(&theirs),
        median_ratio(&theirs, &ours), true, 3.0);
}

static bool prepare(struct place *p, const char *self, const char *build, const char *rows)
{
    char dir[2048], absolute[2048];
    if (realpath(build, absolute) == NULL || sp_path_join(dir, sizeof dir, absolute, "bench", NULL) < 0 ||
        sp_mkdirs(dir, NULL) < 0 ||
        sp_path_join(p->program, sizeof p->program, absolute, "switchproof", NULL) < 0)
        return false;
    snprintf(p->self, sizeof p->self, "%s", self);
    snprintf(p->db, sizeof p->db, "%s/a-%s.db", dir, rows);
    snprintf(p->source, sizeof p->source, "sqlite:%s", p->db);
    snprintf(p->copy, sizeof p->copy, "%s/a-%s.copy", dir, rows);
    snprintf(p->report, sizeof p->report, "%s/report", dir);
    snprintf(p->script, sizeof p->script, "%s/pgloader.load", dir);
    url_of(p->ours, sizeof p->ours, DB_OURS);
    url_of(p->theirs, sizeof p->theirs, DB_THEIRS);
    (void)setenv("SP_BENCH_URL", p->ours, 1);
    struct command make = { .args = { p->program, "fixture", "bench", p->db, "--rows", rows, NULL } };
    if (access(p->db, F_OK) != 0) {
        fprintf(stderr, "bench: making %s with %s rows\n", p->db, rows);
        run_once(&make, -1);
        must_hold(&make);
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct place p;
    const char *url = getenv("POSTGRESQL_URL"), *rows = argc > 2 ? argv[2] : "2000000", *slash;
    uint64_t n;
    if (argc == 3 && strcmp(argv[1], "load") == 0)
        return load(argv[2]);
    if (argc < 2 || url == NULL || (slash = strrchr(url, '/')) == NULL || !sp_parse_u64(rows, &n)) {
        fprintf(stderr, "usage: POSTGRESQL_URL=... %s BUILD_DIRECTORY [ROWS] | load FILE\n", argv[0]);
        return 2;
    }
    snprintf(prefix, sizeof prefix, "%.*s", (int)(slash - url), url);
    if (!prepare(&p, argv[0], argv[1], rows)) {
        fprintf(stderr, "bench: %s is not a build directory\n", argv[1]);
        return 2;
    }
    migrate(&p); /* leaves the copy that the others read */
    psql(DB_OURS, "VACUUM ANALYZE bench");
    char out[4200];
    snprintf(out, sizeof out, "\\copy bench to '%s' (format binary)", p.copy);
    psql(DB_OURS, out);
    rows_check(&p);
    bulk_load(&p);
    psql("postgres", "DROP DATABASE IF EXISTS " DB_OURS);
    psql("postgres", "DROP DATABASE IF EXISTS " DB_THEIRS);
    (void)unlink(p.copy);
    return bench_missed == 0 ? 0 : 1;
}
