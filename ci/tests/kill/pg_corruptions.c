/* pg_corruptions.c -- the kill matrix of verify with a PostgreSQL target: copies of a SQLite file and of a database, damaged
 * by psql. Every damage must be found and named, and an equal copy must raise no alarm.
 *
 * usage: POSTGRESQL_URL=... pg_corruptions SWITCHPROOF WORK_DIRECTORY
 * Makes and drops databases sp_kill_*. Prints a table "| copy of | what | result |" and how many checks passed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pg_corruptions/pg.h"

struct pair {
    enum pg_pair which;
    const char *name, *source, *base; /* how the program is told the source; what the copy is cloned from */
};

static char sqlite_url[600];
static const struct pair pairs[] = {
    { FROM_SQLITE, "SQLite", sqlite_url, DB_BASE },
    { FROM_PG, "PostgreSQL", "env:SP_KILL_SOURCE", DB_RICH },
};

static void compare(
    const struct place *p, const struct pair *pair, const char *const *more, struct verdict *v)
{
    const char *args[24] = { p->program, "verify", pair->source, "env:SP_KILL_COPY", "--report-dir",
        p->report, "--show-values" };
    size_t n = 7;
    while (more != NULL && *more != NULL && n < 23)
        args[n++] = *more++;
    program(p, args, v);
}

static void off_by(char *out, size_t size, const char *what, long is, int want)
{
    if (out[0] == '\0' && want != ANY && is != want)
        snprintf(out, size, "%s: %ld instead of %d", what, is, want);
}

static void judge(const struct pair *pair, const struct pg_case *c, const struct verdict *v, int exit_code)
{
    static const char *const keys[2] = { NULL, NULL };
    char problem[2048] = "", how[96] = "no alarm";
    if (v->exit_code != exit_code)
        snprintf(problem, sizeof problem, "%s: exit code %d; %.900s",
            exit_code == 0      ? "false alarm"
            : v->exit_code == 0 ? "survived"
                                : "not found for the right reason",
            v->exit_code, v->log);
    else if (v->report == NULL)
        snprintf(problem, sizeof problem, "no verify.json");
    for (size_t i = 0; i < MAX_WANTS && c->want[i] != NULL && problem[0] == '\0'; i++)
        expect_want(v, c->want[i], keys, problem, sizeof problem);
    off_by(problem, sizeof problem, "differing rows", count_rows(v), c->rows);
    off_by(problem, sizeof problem, "schema differences", count_list(v, "schema"), c->schema);
    off_by(problem, sizeof problem, "introduced orphans", count_orphans(v), c->orphans);
    off_by(problem, sizeof problem, "not compared", count_not_compared(v), 0);
    if (exit_code != 0)
        snprintf(how, sizeof how, "found: %ld rows, %ld schema, %ld orphans", count_rows(v),
            count_list(v, "schema"), count_orphans(v));
    score(pair->name, c->kind, problem, how);
}

static void part(const struct place *p, const struct pg_case *list, int exit_code)
{
    for (; list->kind != NULL; list++) {
        for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
            struct verdict v;
            if ((list->pairs & (int)pairs[i].which) == 0)
                continue;
            if (!pg_clone(pairs[i].base, DB_COPY) || !pg_sql(DB_COPY, list->sql)) {
                score(pairs[i].name, list->kind, "could not be planted", "");
                continue;
            }
            compare(p, &pairs[i], NULL, &v);
            judge(&pairs[i], list, &v, exit_code);
            verdict_free(&v);
        }
    }
}

/* A copy that was made by a shell command, for these pairs. */
static void made_by(
    const struct place *p, const char *what, int which, const char *create, const char *command)
{
    static const struct pg_case nothing = { .kind = "" };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct pg_case c = nothing;
        struct verdict v;
        char line[512];
        if ((which & (int)pairs[i].which) == 0)
            continue;
        c.kind = what;
        snprintf(line, sizeof line, command, pairs[i].base);
        if (!pg_sql("postgres", "DROP DATABASE IF EXISTS " DB_COPY) || !pg_sql("postgres", create) ||
            !pg_shell(line)) {
            score(pairs[i].name, what, "could not be made", "");
            continue;
        }
        compare(p, &pairs[i], NULL, &v);
        judge(&pairs[i], &c, &v, 0);
        verdict_free(&v);
    }
}

/* Another client holds damage that it never commits. */
static void uncommitted(const struct place *p)
{
    static const struct pg_case c = { .kind = "damage that is never committed" };
    struct verdict v;
    if (!pg_clone(DB_RICH, DB_COPY) ||
        !pg_shell(
            "exec 3>&1; (psql -qAtX -d " DB_COPY " -c \"BEGIN; UPDATE child SET txt = ''; DELETE FROM pairs; "
            "SELECT pg_sleep(3)\" >/dev/null 2>&1 &) ; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.1; psql "
            "-qAtX "
            "-d " DB_COPY
            " -c \"SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND wait_event = "
            "'PgSleep' AND datname = '" DB_COPY "'\" | grep -q 1 && exit 0; done; exit 1")) {
        score("PostgreSQL", c.kind, "could not be made", "");
        return;
    }
    compare(p, &pairs[1], NULL, &v);
    judge(&pairs[1], &c, &v, 0);
    verdict_free(&v);
    (void)pg_sql("postgres",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" DB_COPY "'; SELECT "
        "pg_sleep(0.2)");
}

/* ---- losses that have a name ---- */

static void option(const struct place *p, const char *what, const char *sql, const char *const *more,
    int exit_code, const char *want)
{
    struct pg_case c = { .kind = what, .want = { want }, .rows = ANY, .schema = ANY };
    struct verdict v;
    if (!pg_clone(DB_BASE, DB_COPY) || !pg_sql(DB_COPY, sql)) {
        score("SQLite", what, "could not be made", "");
        return;
    }
    compare(p, &pairs[0], more, &v);
    judge(&pairs[0], &c, &v, exit_code);
    verdict_free(&v);
}
#define OPTIONS(...)                                                                                         \
    (const char *const[])                                                                                    \
    {                                                                                                        \
        __VA_ARGS__, NULL                                                                                    \
    }

static void options(const struct place *p)
{
    static const char rounded[] =
        "ALTER TABLE child DROP COLUMN total; ALTER TABLE child ALTER price TYPE numeric(12,1)";
    static const char fixed[] = "ALTER TABLE pairs ALTER v TYPE char(6)";
    static const char cut[] = "ALTER TABLE child ALTER at TYPE timestamptz(4)";
    static const char no_zone[] = "SET timezone = 'UTC'; ALTER TABLE child ALTER at TYPE timestamp";
    static const char not_valid[] = "ALTER TABLE child DROP CONSTRAINT child_parent_id_fkey; ALTER TABLE "
                                    "child ADD FOREIGN KEY (parent_id) "
                                    "REFERENCES parent(id) ON DELETE CASCADE NOT VALID";
    option(p, "decimals rounded by their column", rounded, OPTIONS("--checks", "rows,relations"), 1, NULL);
    option(p, "decimals rounded, acknowledged", rounded,
        OPTIONS(
            "--checks", "rows,relations", "--tables", "parent,pairs,log,big", "--accept-loss", "child.price"),
        0, "not_compared:what=left out by --tables|accepted=true");
    option(p, "padded text is a loss", fixed, NULL, 1, "tables:name=pairs|digest_equal=true");
    option(p, "padded text, acknowledged", fixed, OPTIONS("--accept-loss", "pairs.v"), 0, NULL);
    option(p, "fractions rounded to 4 digits", cut, NULL, 1, "tables:name=child|digest_equal=true");
    option(p, "fractions rounded, acknowledged", cut, OPTIONS("--accept-loss", "child.at"), 0, NULL);
    option(p, "instants without their zone", no_zone, NULL, 1, "tables:name=child|digest_equal=true");
    option(p, "instants without their zone, acknowledged", no_zone, OPTIONS("--accept-loss", "child.at"), 0,
        NULL);
    option(p, "a loss acknowledged for another column", no_zone, OPTIONS("--accept-loss", "child.local"), 1,
        NULL);
    option(p, "a foreign key never checked, acknowledged", not_valid,
        OPTIONS("--accept", "foreign_key:child.parent_id"), 0, "schema:element=foreign_key|accepted=true");
    option(p, "another one acknowledged", not_valid, OPTIONS("--accept", "foreign_key:child.parent_code"), 1,
        "findings:topic=acknowledgement without a cause");
    option(p, "an acknowledgement does not cover rows",
        "ALTER TABLE child DROP CONSTRAINT short; UPDATE child SET opt = 'z' WHERE id = 7",
        OPTIONS("--accept", "check:short"), 1, "differences:name=child|key=id=7|column=opt");
}

/* ---- the databases ---- */

static bool migrate(struct place *p)
{
    const char *args[] = { p->program, "migrate", sqlite_url, "env:SP_KILL_COPY", "--report-dir", p->report,
        NULL };
    char url[1200];
    struct verdict v;
    pg_url(url, sizeof url, DB_BASE);
    (void)setenv("SP_KILL_COPY", url, 1);
    program(p, args, &v);
    bool ok = v.exit_code == 0;
    score("SQLite", "migrate", ok ? "" : v.log, "exit code 0");
    verdict_free(&v);
    pg_url(url, sizeof url, DB_COPY);
    (void)setenv("SP_KILL_COPY", url, 1);
    pg_url(url, sizeof url, DB_RICH);
    (void)setenv("SP_KILL_SOURCE", url, 1);
    return ok;
}

static void drop_all(void)
{
    static const char *const names[] = { DB_BASE, DB_RICH, DB_COPY };
    char sql[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s", names[i]);
        (void)pg_sql("postgres", sql);
    }
}

int main(int argc, char **argv)
{
    struct place p;
    const char *url = getenv("POSTGRESQL_URL");
    if (argc != 3 || url == NULL || !pg_connect(url)) {
        fprintf(stderr, "usage: POSTGRESQL_URL=... %s SWITCHPROOF WORK_DIRECTORY\n", argv[0]);
        return 2;
    }
    place_init(&p, argv[1], argv[2]);
    (void)unlink(p.source);
    snprintf(sqlite_url, sizeof sqlite_url, "sqlite:%s", p.source);
    printf("| copy of | what | result |\n| --- | --- | --- |\n");
    drop_all();
    if (pg_make_source(p.source) && pg_sql("postgres", "CREATE DATABASE " DB_BASE) && migrate(&p) &&
        pg_clone(DB_BASE, DB_RICH) && pg_sql(DB_RICH, pg_rich_sql)) {
        part(&p, pg_copies, 0);
        made_by(&p, "dumped and restored", BOTH, "CREATE DATABASE " DB_COPY,
            "pg_dump -Fc -d %s | pg_restore -d " DB_COPY);
        /* As statements, pg_dump turns the -0 of a single into 0; that is the richer database's. */
        made_by(&p, "dumped as statements", FROM_SQLITE, "CREATE DATABASE " DB_COPY,
            "pg_dump --inserts -d %s | psql -qX -o /dev/null -v ON_ERROR_STOP=1 -d " DB_COPY);
        made_by(&p, "restored into another locale", FROM_SQLITE,
            "CREATE DATABASE " DB_COPY " TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'",
            "pg_dump -d %s | psql -qX -o /dev/null -v ON_ERROR_STOP=1 -d " DB_COPY);
        uncommitted(&p);
        part(&p, pg_rows, 1);
        part(&p, pg_kinds, 1);
        part(&p, pg_schema, 1);
        options(&p);
    } else {
        score("-", "the databases", "could not be made", "");
    }
    drop_all();
    printf("%lu passed, %lu failed, %lu skipped\n", passed, failed, skipped);
    return failed != 0 || passed == 0 ? 1 : 0;
}
