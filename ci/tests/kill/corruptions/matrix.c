/* matrix.c -- one corruption after the other, each in a fresh copy. */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "corruptions.h"

struct keys {
    char text[2][1024];
    const char *at[2];
};

/* Fills temp.pick; 1 = found, 0 = the database has no such place, -1 = broken. */
static int pick(sqlite3 *db, const struct corruption *c, struct keys *k)
{
    sqlite3_stmt *st = NULL;
    char sql[2048];
    int found = 0;
    k->at[0] = k->at[1] = NULL;
    if (c->pick == NULL)
        return 1;
    snprintf(
        sql, sizeof sql, "CREATE TEMP TABLE pick AS SELECT * FROM (%s) WHERE id NOT NULL LIMIT 1", c->pick);
    if (!db_exec(db, sql) || sqlite3_prepare_v2(db, "SELECT * FROM pick", -1, &st, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(st) == SQLITE_ROW) {
        found = 1;
        for (int i = 0; i < 2 && 2 * i + 1 < sqlite3_column_count(st); i++) {
            snprintf(k->text[i], sizeof k->text[i], "%s", sqlite3_column_text(st, 2 * i + 1));
            k->at[i] = k->text[i];
        }
    }
    sqlite3_finalize(st);
    return found;
}

static int plant(const struct place *p, const struct corruption *c, struct keys *k)
{
    sqlite3 *db = db_open(p->copy);
    int rc = pick(db, c, k);
    if (rc == 1 && !db_exec(db, c->sql))
        rc = -1;
    db_close(db);
    return rc;
}

static void off_by(char *out, size_t size, const char *what, long is, int want)
{
    if (out[0] == '\0' && want != ANY && is != want)
        snprintf(out, size, "%s: %ld instead of %d", what, is, want);
}

static void judge(
    const char *database, const struct corruption *c, const struct verdict *v, const struct keys *k)
{
    char problem[2048] = "", how[96];
    if (v->exit_code != 1)
        snprintf(problem, sizeof problem, "%s: exit code %d; %.600s",
            v->exit_code == 0 ? "survived" : "not found for the right reason", v->exit_code, v->log);
    else if (v->report == NULL)
        snprintf(problem, sizeof problem, "no verify.json");
    else if (v->touched)
        snprintf(problem, sizeof problem, "the files of a side were touched");
    for (size_t i = 0; i < MAX_WANTS && c->want[i] != NULL && problem[0] == '\0'; i++)
        expect_want(v, c->want[i], k->at, problem, sizeof problem);
    off_by(problem, sizeof problem, "differing rows", count_rows(v), c->rows);
    off_by(problem, sizeof problem, "schema differences", count_list(v, "schema"), c->schema);
    off_by(problem, sizeof problem, "introduced orphans", count_orphans(v), c->orphans);
    off_by(problem, sizeof problem, "not compared", count_not_compared(v), 0);
    snprintf(how, sizeof how, "found: %ld rows, %ld schema, %ld orphans", count_rows(v),
        count_list(v, "schema"), count_orphans(v));
    score(database, c->kind, problem, how);
}

void part_matrix(struct place *p, const char *database, const struct corruption *list, bool all_must_fit)
{
    for (; list->kind != NULL; list++) {
        struct keys k;
        struct verdict v;
        place_clear_copy(p);
        int rc = file_copy(p->source, p->copy) ? plant(p, list, &k) : -1;
        if (rc == 0 && !all_must_fit) {
            score_skip(database, list->kind, "this system's packages have no such value");
            continue;
        }
        if (rc != 1) {
            score(database, list->kind, "could not be planted", "");
            continue;
        }
        verify(p, p->source, p->copy, NULL, &v);
        judge(database, list, &v, &k);
        verdict_free(&v);
    }
}
