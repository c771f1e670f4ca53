/* options.c -- a migrated copy is equal, and what the options of verify promise. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "corruptions.h"

#define NONE                                                                                                 \
    {                                                                                                        \
        NULL, NULL                                                                                           \
    }
#define COMMA ,

static bool change(struct place *p, const char *sql)
{
    place_clear_copy(p);
    bool ok = file_copy(p->source, p->copy);
    sqlite3 *db = db_open(p->copy);
    ok = db_exec(db, sql) && ok;
    db_close(db);
    return ok;
}

static void expect(struct place *p, const char *database, const char *what, const char *a, const char *b,
    const char *const *more, int exit_code, const char *const *wants)
{
    struct verdict v;
    char problem[2048] = "", how[64];
    const char *const keys[2] = NONE;
    verify(p, a, b, more, &v);
    if (v.exit_code != exit_code)
        snprintf(
            problem, sizeof problem, "exit code %d instead of %d; %.900s", v.exit_code, exit_code, v.log);
    else if (v.touched)
        snprintf(problem, sizeof problem, "the files of a side were touched");
    for (; wants != NULL && *wants != NULL && problem[0] == '\0'; wants++)
        expect_want(&v, *wants, keys, problem, sizeof problem);
    snprintf(how, sizeof how, "exit code %d", exit_code);
    score(database, what, problem, how);
    verdict_free(&v);
}
#define EXPECT(what, more, code, ...)                                                                        \
    expect(p, database, what, p->source, p->copy, (const char *const[]){ more NULL }, code,                  \
        (const char *const[]){ __VA_ARGS__, NULL })

static void migrated(struct place *p, const char *database)
{
    char source[600], target[600];
    const char *args[] = { p->program, "migrate", source, target, "--report-dir", p->report, NULL };
    struct verdict v;
    char problem[1200] = "";
    place_clear_copy(p);
    snprintf(source, sizeof source, "sqlite:%s", p->source);
    snprintf(target, sizeof target, "sqlite:%s", p->copy);
    program(p, args, &v);
    if (v.exit_code != 0)
        snprintf(problem, sizeof problem, "exit code %d: %.900s", v.exit_code, v.log);
    score(database, "migrate to a new file", problem, "exit code 0");
    verdict_free(&v);
    if (problem[0] == '\0')
        expect(p, database, "verify what was migrated", p->source, p->copy, NULL, 0, NULL);
}

static void limits(struct place *p, const char *database)
{
    struct verdict v;
    char problem[1200] = "";
    const char *const three[] = { "--max-differences", "3", NULL };
    if (!change(p, "UPDATE big SET n = -n - 1; DELETE FROM swaps WHERE k = 3")) {
        score(database, "--max-differences 3", "could not be planted", "");
        return;
    }
    verify(p, p->source, p->copy, three, &v);
    if (v.exit_code != 1 || count_rows(&v) != 6001 || count_list(&v, "differences") != 4 ||
        !json_is_true(json_object_get(v.report, "differences_capped")))
        snprintf(problem, sizeof problem, "exit code %d, %ld rows, %ld listed; %.800s", v.exit_code,
            count_rows(&v), count_list(&v, "differences"), v.log);
    score(database, "--max-differences 3", problem, "4 listed of 6001, capped");
    verdict_free(&v);
    EXPECT("--tables with the damage", "--tables" COMMA "sw*" COMMA, 1, "tables:name=swaps|missing=1");
    EXPECT("--tables without the damage", "--tables" COMMA "child,parent" COMMA, 0, "tables:name=child");
    EXPECT("--tables that don't exist", "--tables" COMMA "nowhere" COMMA, 2, NULL);
    EXPECT("--tables of which one doesn't exist", "--tables" COMMA "child,nowhere" COMMA, 2, NULL);
    EXPECT("--checks schema sees no rows", "--checks" COMMA "schema" COMMA, 0, NULL);
    EXPECT("--checks rows", "--checks" COMMA "rows" COMMA, 1, "tables:name=big|changed=6000");
}

static void checks(struct place *p, const char *database)
{
    if (!change(p, "DROP VIEW totals; UPDATE sqlite_sequence SET seq = 1")) {
        score(database, "--checks", "could not be planted", "");
        return;
    }
    EXPECT("--checks rows,relations sees no schema", "--checks" COMMA "rows,relations" COMMA, 0, NULL);
    EXPECT("--checks schema", "--checks" COMMA "schema" COMMA, 1, "schema:element=view|name=totals");
    EXPECT("--checks sequences", "--checks" COMMA "sequences" COMMA, 1, "sequences:name=parent|behind=true");
    EXPECT("--checks that don't exist", "--checks" COMMA "everything" COMMA, 2, NULL);
}

static void integrity(struct place *p, const char *database)
{
    if (!change(p, "")) {
        score(database, "integrity", "could not be planted", "");
        return;
    }
    EXPECT("orphans on both sides", , 0,
        "relations:child=child|columns=parent_code|introduced=0|preexisting=1|source_orphans=1|target_"
        "orphans=1",
        "findings:name=child|topic=orphans on both sides");
    EXPECT("orphans on both sides, --strict-integrity", "--strict-integrity" COMMA, 1,
        "relations:child=child|columns=parent_code|introduced=0|preexisting=1");
}

/* A strict integer column on one side, a strict real one on the other: equal only through a rule that may lose. */
static void losses(struct place *p, const char *database)
{
    char a[620], b[620];
    snprintf(a, sizeof a, "%s-int", p->copy);
    snprintf(b, sizeof b, "%s-real", p->copy);
    place_clear_copy(p);
    sqlite3 *x = db_open(a), *y = db_open(b);
    bool ok =
        db_exec(x, "CREATE TABLE t(id INTEGER PRIMARY KEY, n INT) STRICT; INSERT INTO t VALUES(1, 5), (2, "
                   "9007199254740993)") &&
        db_exec(y, "CREATE TABLE t(id INTEGER PRIMARY KEY, n REAL) STRICT; INSERT INTO t VALUES(1, 5), (2, "
                   "9007199254740993)");
    db_close(x);
    db_close(y);
    if (!ok) {
        score(database, "--accept-loss", "could not be planted", "");
        return;
    }
    const char *const rows[] = { "--checks", "rows", NULL };
    const char *const accepted[] = { "--checks", "rows", "--accept-loss", "t.n", NULL };
    const char *const other[] = { "--checks", "rows", "--accept-loss", "t.id", NULL };
    const char *const all[] = { "--accept-loss", "t.n", NULL };
    const char *const type[] = { "schema:element=type|table=t|name=n", NULL };
    expect(p, database, "lossy pair", a, b, rows, 1, NULL);
    expect(p, database, "lossy pair, --accept-loss of it", a, b, accepted, 0, NULL);
    expect(p, database, "lossy pair, --accept-loss of another column", a, b, other, 1, NULL);
    expect(p, database, "--accept-loss leaves the schema's difference", a, b, all, 1, type);
    expect(p, database, "the other direction is another rule", b, a, rows, 1, NULL);
}

void part_options(struct place *p, const char *database)
{
    migrated(p, database);
    if (strcmp(database, "nasty") != 0)
        return;
    limits(p, database);
    checks(p, database);
    integrity(p, database);
    losses(p, database);
}
