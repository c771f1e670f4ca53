/* bench_rest.c -- our scan of a table through PostgREST against curl, which fetches the same pages to /dev/null.
 *
 * usage: SUPABASE_URL=... SUPABASE_KEY=... SUPABASE_DB_URL=... bench_rest BUILD_DIRECTORY [ROWS]   (default 500,000)
 *        bench_rest scan TABLE        our pass: every value decoded, coerced, encoded, hashed; prints the rows
 * curl knows all pages beforehand, and keeps one connection, as our pass does. Exit code 1 if the budget is missed. */
#include "base/io.h"
#include "base/str.h"
#include "bench_run.h"
#include "provider_call.h"

#define TABLE "sp_bench_rest"
enum { PAGE = 5000, COLUMNS = 5 };

#define COLUMN(n, t, ...)                                                                                    \
    {                                                                                                        \
        .name = n, .source = n, .target = n, .type = { .tag = SP_##t }, __VA_ARGS__                          \
    }
static const struct sp_colplan plan[COLUMNS] = { COLUMN("id", INT, .key = true), COLUMN("n", INT),
    COLUMN("ratio", F64), COLUMN("code", TEXT), COLUMN("note", TEXT) };

/* ---- our pass ---------------------------------------------------------------------------------------------------- */

static int pass(struct sp_session *s, const char *table, struct sp_error *err)
{
    struct sp_rowbuf rb;
    struct sp_scan what = {
        .table = table, .cols = plan, .ncols = COLUMNS, .nkey = 1, .side = SP_SIDE_SOURCE
    };
    int rc = sp_rowbuf_init(&rb, &what, err);
    if (rc != 0)
        return rc;
    char id[64];
    rc = sp_db_snapshot_begin(s, id, err);
    if (rc == 0)
        rc = sp_db_scan(s, &what, &rb, err);
    if (rc == 0)
        rc = sp_db_snapshot_end(s, err);
    printf("%llu rows\n", (unsigned long long)rb.digest.count);
    sp_rowbuf_free(&rb);
    return rc;
}

static int scan(const char *table)
{
    const char *const names[] = { "service_key", "db_url" };
    const char *const values[] = { getenv("SUPABASE_KEY"), getenv("SUPABASE_DB_URL") };
    struct sp_endpoint e = { .name = "bench",
        .url = getenv("SUPABASE_URL"),
        .access = SP_ACCESS_READ_ONLY,
        .option_names = names,
        .option_values = values,
        .noptions = 2 };
    const struct sp_provider *kind = sp_provider_by_kind(sp_providers, "supabase");
    struct sp_error err = SP_ERROR_INIT;
    struct sp_session *s = NULL;
    if (e.url == NULL || values[0] == NULL || values[1] == NULL || kind == NULL) {
        fprintf(stderr, "bench: provider supabase, its URL, SUPABASE_KEY and SUPABASE_DB_URL are needed\n");
        return 2;
    }
    int rc = kind->process_init != NULL ? kind->process_init(&err) : 0;
    if (rc == 0)
        rc = sp_open(&s, kind, &e, &err);
    if (rc == 0)
        rc = pass(s, table, &err);
    if (rc != 0)
        fprintf(stderr, "bench: %s\n", sp_error_text(&err));
    sp_close(s);
    sp_error_clear(&err);
    return rc == 0 ? 0 : 1;
}

/* ---- what curl fetches ------------------------------------------------------------------------------------------- */

static void psql(const char *sql)
{
    struct command c = { .args = { "psql", "-qAtX", "-v", "ON_ERROR_STOP=1", getenv("SUPABASE_DB_URL"), "-c",
                             sql, NULL } };
    run_once(&c, -1);
    must_hold(&c);
}

static void make_table(long rows)
{
    char sql[1024];
    psql("DROP TABLE IF EXISTS " TABLE);
    (void)snprintf(sql, sizeof sql,
        "CREATE TABLE " TABLE
        " (id bigint PRIMARY KEY, n bigint NOT NULL, ratio float8, code text NOT NULL, note text); "
        "INSERT INTO " TABLE
        " SELECT i, i::bigint * 7919 %% 1000003, i / 7.0, 'code-' || i %% 1000, CASE WHEN i %% 5 > 0 THEN "
        "'a note of ordinary length about row ' || i END FROM generate_series(1, %ld) AS i; ANALYZE " TABLE
        "; "
        "GRANT SELECT ON " TABLE " TO service_role; NOTIFY pgrst, 'reload schema'",
        rows);
    psql(sql);
    psql("SELECT pg_sleep(2)"); /* until PostgREST has read its schema anew */
}

/* The same requests as ours: select with names of its own, order by key, behind a key, a page's limit. The key is no
 * secret: the stack is ours. */
static void put_page(struct sp_buf *b, long behind, const char *output)
{
    const char *base = strchr(getenv("SUPABASE_URL"), '+');
    sp_buf_printf(b,
        "url = \"%s/%s?select=c0:id,c1:n,c2:ratio,c3:code,c4:note,c5:id&order=id.asc&limit=%d"
        "&or=(and(id.gt.%ld))\"\noutput = \"%s\"\n",
        base != NULL ? base + 1 : "", TABLE, PAGE, behind, output);
}

static int write_config(const char *path, long rows, long step, const char *output)
{
    struct sp_buf b = SP_BUF_INIT;
    sp_buf_printf(&b,
        "header = \"Authorization: Bearer %s\"\nheader = \"Prefer: timezone=UTC\"\nfail\nsilent\n",
        getenv("SUPABASE_KEY"));
    for (long at = 0; at <= rows; at += step)
        put_page(&b, at, output);
    int rc = b.oom ? -1 : sp_write_file_atomic(path, b.p, b.n, NULL);
    sp_buf_free(&b);
    return rc;
}

/* How many rows the server gives at once, whatever is asked for: its cap decides where pages begin. */
static long rows_of_a_page(const char *config, const char *output)
{
    struct sp_buf b = SP_BUF_INIT;
    struct command c = { .args = { "curl", "--config", config, NULL } };
    long n = 0;
    if (write_config(config, 0, 1, output) != 0)
        return 0;
    run_once(&c, -1);
    must_hold(&c);
    if (sp_read_file(output, 64u << 20, &b, NULL) == 0)
        for (const char *p = b.p; (p = strstr(p, "\"c0\":")) != NULL; p++)
            n++;
    sp_buf_free(&b);
    (void)remove(output);
    return n;
}

int main(int argc, char **argv)
{
    char self[4096], pages[4096], first[4096];
    if (argc == 3 && strcmp(argv[1], "scan") == 0)
        return scan(argv[2]);
    long rows = argc > 2 ? strtol(argv[2], NULL, 10) : 500000;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (argc < 2 || rows <= 0 || n <= 0 || getenv("SUPABASE_URL") == NULL || getenv("SUPABASE_KEY") == NULL ||
        getenv("SUPABASE_DB_URL") == NULL) {
        fprintf(stderr, "usage: SUPABASE_URL=... SUPABASE_KEY=... SUPABASE_DB_URL=... bench_rest "
                        "BUILD_DIRECTORY [ROWS]\n");
        return 2;
    }
    self[n] = '\0';
    if (sp_path_join(pages, sizeof pages, argv[1], "bench_rest.pages", NULL) != 0)
        return 2;
    make_table(rows);
    (void)sp_path_join(first, sizeof first, argv[1], "bench_rest.first", NULL);
    long step = rows_of_a_page(pages, first);
    if (step <= 0 || write_config(pages, rows, step, "/dev/null") != 0) {
        fprintf(stderr, "bench: the pages are not known, or %s cannot be written\n", pages);
        return 2;
    }
    struct command ours = { .args = { self, "scan", TABLE, NULL } };
    struct command curl = { .args = { "curl", "--parallel", "--parallel-max", "1", "--no-progress-meter",
                                "--config", pages, NULL } };
    run_all((struct command *[]){ &ours, &curl }, 2);
    line_ratio("scan through PostgREST, digests made",
        "curl --parallel, the same pages to /dev/null (its time / ours)", median(&ours), median(&curl),
        median_ratio(&curl, &ours), true, 0.9);
    (void)remove(pages);
    psql("DROP TABLE " TABLE);
    return bench_missed > 0;
}
