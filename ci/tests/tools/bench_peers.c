/* bench_peers.c -- other programs that compare two tables, on the same pair of tables as ours: time, memory, and whether they
 * name the one changed row.
 *
 * usage: bench_peers BUILD_DIRECTORY [ROWS]      (default 2,000,000 rows of 8 columns, one of them changed)
 * What is not installed is shown as such. With POSTGRESQL_URL, also two databases of a server: makes and drops sp_peers_a
 * and sp_peers_b. Two turns, the better one counts; who needs more than BENCH_PEERS_S seconds (300) is ended. Exit code 2 if
 * our own program does not find the row. */
#define BENCH_RUNS 2
#include <signal.h>
#include <sqlite3.h>

#include "base/io.h"
#include "base/str.h"
#include "bench_run.h"

struct place {
    char program[2048], dir[2048], a[4096], b[4096], source[4200], target[4200], report[4096], out[4096],
        events[4200];
    char key[32], uri[2][1100];
    const char *rows;
    uint64_t nrows;
    unsigned most_s;
};

struct peer {
    const char *what, *needs; /* a program of PATH */
    const char *args[MAX_ARGS];
};

struct measured {
    double wall, cpu;
    long max_rss_kib;
    int exit_code;
    bool found, late;
};

/* ---- running --------------------------------------------------------------------------------------------------- */

/* Its output goes to a file; SIGALRM ends it. */
static struct measured run(const char *const *args, const char *out, unsigned most_s)
{
    struct measured m = { .exit_code = -1 };
    struct rusage usage = { 0 };
    int status = 0;
    double start = bench_now();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR), to = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (null < 0 || to < 0 || dup2(null, 0) < 0 || dup2(to, 1) < 0 || dup2(to, 2) < 0)
            _exit(126);
        (void)signal(SIGALRM, SIG_DFL);
        (void)alarm(most_s);
        execvp(args[0], (char *const *)(uintptr_t)args);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) {
        fprintf(stderr, "bench: could not run %s: %s\n", args[0], strerror(errno));
        exit(2);
    }
    m.wall = bench_now() - start;
    m.cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
            (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    m.max_rss_kib = usage.ru_maxrss;
    m.late = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    m.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return m;
}

static bool says(const char *path, const char *text)
{
    struct sp_buf b = SP_BUF_INIT;
    bool yes =
        sp_read_file(path, (size_t)64 << 20, &b, NULL) == 0 && b.p != NULL && strstr(b.p, text) != NULL;
    sp_buf_free(&b);
    return yes;
}

static bool installed(const struct place *p, const struct peer *x)
{
    const char *const find[] = { "sh", "-c", "command -v \"$0\"", x->needs, NULL };
    return run(find, p->out, 60).exit_code == 0;
}

static void line(const struct place *p, const struct peer *x)
{
    struct measured best = { .wall = -1 };
    if (!installed(p, x)) {
        printf("| %s | not installed | – | – | – |\n", x->what);
        return;
    }
    for (int i = 0; i < RUNS && !best.late; i++) {
        struct measured m = run(x->args, p->out, p->most_s);
        m.found = says(x->args[0] == p->program ? p->events : p->out, p->key);
        if (best.wall < 0 || m.wall < best.wall)
            best = m;
    }
    if (best.late)
        printf("| %s | more than %u s | | %.0f MiB | no |\n", x->what, p->most_s,
            (double)best.max_rss_kib / 1024);
    else
        printf("| %s | %.2f s | %.2f s | %.0f MiB | %s |\n", x->what, best.wall, best.cpu,
            (double)best.max_rss_kib / 1024,
            best.found            ? "yes"
            : best.exit_code <= 1 ? "**no**"
                                  : "failed");
    fflush(stdout);
    if (!best.found && !best.late)
        fprintf(stderr, "bench: %s ended with exit code %d; it does not say %s\n", x->args[0], best.exit_code,
            p->key);
    if (!best.found && x->args[0] == p->program)
        exit(2);
}

/* ---- the tables ------------------------------------------------------------------------------------------------ */

static void must(const char *const *args, const struct place *p)
{
    struct measured m = run(args, p->out, 3600);
    if (m.exit_code == 0)
        return;
    fprintf(stderr, "bench: %s %s ended with exit code %d, see %s\n", args[0], args[1], m.exit_code, p->out);
    exit(2);
}

static void make_copies(const struct place *p)
{
    const char *const make[] = { p->program, "fixture", "bench", p->a, "--rows", p->rows, NULL };
    const char *const copy[] = { "/bin/cp", p->a, p->b, NULL };
    char sql[128];
    sqlite3 *db = NULL;
    if (access(p->a, F_OK) != 0)
        must(make, p);
    must(copy, p);
    snprintf(sql, sizeof sql, "UPDATE bench SET n = n + 1 WHERE id = %s", p->key);
    if (sqlite3_open(p->b, &db) != SQLITE_OK || sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_changes(db) != 1) {
        fprintf(stderr, "bench: %s: %s\n", p->b, sqlite3_errmsg(db));
        exit(2);
    }
    sqlite3_close(db);
}

static void files(const struct place *p)
{
    const struct peer peers[] = {
        { "switchproof verify --checks rows", "sh",
            { p->program, "verify", "-q", p->source, p->target, "--checks", "rows", "--report-dir", p->report,
                NULL } },
        { "sqldiff (SQLite's own)", "sqldiff", { "sqldiff", "--table", "bench", p->a, p->b, NULL } },
    };
    printf("\n| two SQLite files, one of %s rows changed | time | processor | memory | names the row |\n"
           "|---|---:|---:|---:|---|\n",
        p->rows);
    for (size_t i = 0; i < SP_LEN(peers); i++)
        line(p, &peers[i]);
}

/* ---- a server -------------------------------------------------------------------------------------------------- */

static void servers(struct place *p, const char *admin)
{
    const char *slash = strrchr(admin, '/');
    const struct peer peers[] = {
        { "switchproof verify --checks rows", "sh",
            { p->program, "verify", "-q", "env:SP_PEERS_A", "env:SP_PEERS_B", "--checks", "rows",
                "--report-dir", p->report, NULL } },
        { "reladiff", "reladiff",
            { "reladiff", p->uri[0], "bench", p->uri[1], "bench", "-k", "id", "-c", "%", NULL } },
    };
    for (int i = 0; i < 2; i++) {
        const char *name = i == 0 ? "sp_peers_a" : "sp_peers_b";
        char drop[64], create[64];
        snprintf(drop, sizeof drop, "DROP DATABASE IF EXISTS %s", name);
        snprintf(create, sizeof create, "CREATE DATABASE %s", name);
        snprintf(p->uri[i], sizeof p->uri[i], "%.*s/%s", (int)(slash - admin), admin, name);
        const char *const sql[] = { "psql", "-qAtX", "-d", admin, "-c", drop, "-c", create, NULL };
        must(sql, p);
        setenv(i == 0 ? "SP_PEERS_A" : "SP_PEERS_B", p->uri[i], 1);
        const char *const load[] = { p->program, "migrate", "-q", i == 0 ? p->source : p->target,
            i == 0 ? "env:SP_PEERS_A" : "env:SP_PEERS_B", "--report-dir", p->report, NULL };
        must(load, p);
        const char *const settle[] = { "psql", "-qAtX", "-d", p->uri[i], "-c", "VACUUM ANALYZE bench", NULL };
        must(settle, p);
    }
    printf("\n| two PostgreSQL databases, one of %s rows changed | time | processor, without the server | "
           "memory, "
           "without the server | names the row |\n|---|---:|---:|---:|---|\n",
        p->rows);
    for (size_t i = 0; i < SP_LEN(peers); i++)
        line(p, &peers[i]);
    const char *const drop[] = { "psql", "-qAtX", "-d", admin, "-c", "DROP DATABASE sp_peers_a", "-c",
        "DROP DATABASE sp_peers_b", NULL };
    must(drop, p);
}

int main(int argc, char **argv)
{
    static struct place p;
    const char *server = getenv("POSTGRESQL_URL"), *most = getenv("BENCH_PEERS_S");
    uint64_t most_s = 300;
    p.rows = argc > 2 ? argv[2] : "2000000";
    if (argc < 2 || !sp_parse_u64(p.rows, &p.nrows) || p.nrows < 10 ||
        (most != NULL && (!sp_parse_u64(most, &most_s) || most_s == 0 || most_s > 86400)) ||
        sp_path_join(p.program, sizeof p.program, argv[1], "switchproof", NULL) < 0 ||
        sp_path_join(p.dir, sizeof p.dir, argv[1], "bench", NULL) < 0 || sp_mkdirs(p.dir, NULL) < 0) {
        fprintf(stderr, "usage: %s BUILD_DIRECTORY [ROWS]\n", argv[0]);
        return 2;
    }
    p.most_s = (unsigned)most_s;
    snprintf(p.a, sizeof p.a, "%s/a-%s.db", p.dir, p.rows);
    snprintf(p.b, sizeof p.b, "%s/peers-%s.db", p.dir, p.rows);
    snprintf(p.source, sizeof p.source, "sqlite:%s", p.a);
    snprintf(p.target, sizeof p.target, "sqlite:%s", p.b);
    snprintf(p.report, sizeof p.report, "%s/report", p.dir);
    snprintf(p.events, sizeof p.events, "%s/events.jsonl", p.report);
    snprintf(p.out, sizeof p.out, "%s/peer.out", p.dir);
    snprintf(p.key, sizeof p.key, "%llu", (unsigned long long)(p.nrows - p.nrows / 3));
    make_copies(&p);
    files(&p);
    if (server != NULL && *server != '\0')
        servers(&p, server);
    (void)unlink(p.b);
    (void)unlink(p.out);
    return 0;
}
