/* copies.c -- equal copies must raise no alarm, however they were made; and a difference that only a WAL holds must. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "corruptions.h"

static void judge(const char *database, const char *what, struct verdict *v, int exit_code, const char *want)
{
    char problem[2048] = "", how[64];
    const char *const keys[2] = { NULL, NULL };
    if (v->exit_code != exit_code)
        snprintf(problem, sizeof problem, "%sexit code %d instead of %d; %.900s",
            exit_code == 0 ? "false alarm: " : "", v->exit_code, exit_code, v->log);
    else if (v->touched)
        snprintf(problem, sizeof problem, "the files of a side were touched");
    else if (v->report == NULL)
        snprintf(problem, sizeof problem, "no verify.json");
    else if (want != NULL)
        expect_want(v, want, keys, problem, sizeof problem);
    snprintf(how, sizeof how, exit_code == 0 ? "no alarm" : "found");
    score(database, what, problem, how);
    verdict_free(v);
}

/* A copy, changed by SQL that leaves the data as it is. */
static void same_after(
    struct place *p, const char *database, const char *what, const char *sql, const char *want)
{
    struct verdict v;
    place_clear_copy(p);
    bool ok = file_copy(p->source, p->copy);
    sqlite3 *db = db_open(p->copy);
    ok = db_exec(db, sql) && ok;
    db_close(db);
    if (!ok) {
        score(database, what, "could not be made", "");
        return;
    }
    verify(p, p->source, p->copy, NULL, &v);
    judge(database, what, &v, 0, want);
}

static void vacuum_into(struct place *p, const char *database, const char *what, const char *pragma)
{
    struct verdict v;
    char sql[700];
    place_clear_copy(p);
    sqlite3 *db = db_open(p->source);
    snprintf(sql, sizeof sql, "%s; VACUUM INTO '%s'", pragma, p->copy);
    bool ok = db_exec(db, sql);
    db_close(db);
    if (!ok) {
        score(database, what, "could not be made", "");
        return;
    }
    verify(p, p->source, p->copy, NULL, &v);
    judge(database, what, &v, 0, NULL);
}

static void rebuilt(struct place *p, const char *database, const char *what, const char *pragmas)
{
    struct verdict v;
    place_clear_copy(p);
    if (!db_rebuild(p->source, p->copy, pragmas)) {
        score(database, what, "could not be made", "");
        return;
    }
    verify(p, p->source, p->copy, NULL, &v);
    judge(database, what, &v, 0, NULL);
}

/* The copy and its WAL, as a crash leaves them: `before` is in the file, `in_wal` in frames that no checkpoint moved. */
static bool with_wal(struct place *p, const char *before, const char *in_wal)
{
    char made[600], wal[620], to[620];
    snprintf(made, sizeof made, "%s/made", p->work);
    snprintf(wal, sizeof wal, "%s-wal", made);
    snprintf(to, sizeof to, "%s-wal", p->copy);
    place_clear_copy(p);
    if (!file_copy(p->source, made))
        return false;
    sqlite3 *db = db_open(made);
    bool ok = db_exec(db, "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0") && db_exec(db, before) &&
              db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)") && db_exec(db, in_wal) &&
              file_copy(made, p->copy) && file_copy(wal, to);
    db_close(db);
    unlink(made);
    return ok;
}

static void wal(struct place *p, const char *database, const char *damage, const char *mend)
{
    struct verdict v;
    char link[620];
    bool ok = with_wal(p, damage, mend);
    verify(p, p->source, p->copy, NULL, &v);
    judge(database, "mended only in the WAL", &v, ok ? 0 : -2, NULL);
    verify(p, p->copy, p->source, NULL, &v);
    judge(database, "the same with the WAL on the source", &v, ok ? 0 : -2, NULL);
    ok = with_wal(p, mend, damage);
    verify(p, p->source, p->copy, NULL, &v);
    judge(database, "damaged only in the WAL", &v, ok ? 1 : -2, "differences:difference=changed");
    verify(p, p->copy, p->source, NULL, &v);
    judge(database, "damaged in the source's WAL", &v, ok ? 1 : -2, "differences:difference=changed");
    /* SQLite looks for the WAL beside the file, not beside the link. */
    snprintf(link, sizeof link, "%s-link", p->copy);
    ok = symlink("db", link) == 0 && ok;
    verify(p, p->source, link, NULL, &v);
    judge(database, "damaged in the WAL behind a symbolic link", &v, ok ? 1 : -2,
        "differences:difference=changed");
}

/* Another program has the copy open in WAL mode, with frames that only its WAL holds. */
static void in_use(struct place *p, const char *database, const char *damage, const char *mend)
{
    struct verdict v;
    struct holder h;
    char sql[1024];
    for (int uncommitted = 0; uncommitted < 2; uncommitted++) {
        const char *what =
            uncommitted ? "uncommitted damage by another program" : "open in another program (WAL)";
        place_clear_copy(p);
        snprintf(sql, sizeof sql,
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; %s; PRAGMA wal_checkpoint(TRUNCATE); %s; "
            "%s%s",
            damage, mend, uncommitted ? "PRAGMA cache_size=1; BEGIN IMMEDIATE; " : "",
            uncommitted ? damage : "");
        if (!file_copy(p->source, p->copy) || !holder_start(&h, p->copy, sql, NULL)) {
            score(database, what, "could not be made", "");
            continue;
        }
        verify(p, p->source, p->copy, NULL, &v);
        holder_end(&h);
        judge(database, what, &v, 0, NULL);
    }
}

void part_copies(struct place *p, const char *database, bool utf16)
{
    bool nasty = strcmp(database, "nasty") == 0;
    const char *damage = nasty ? "UPDATE big SET payload = payload || '!' WHERE id = 77"
                               : "UPDATE maintainers SET name = name || '!' WHERE id = 1";
    const char *mend = nasty ? "UPDATE big SET payload = rtrim(payload, '!') WHERE id = 77"
                             : "UPDATE maintainers SET name = rtrim(name, '!') WHERE id = 1";
    same_after(p, database, "byte copy", "", NULL);
    vacuum_into(p, database, "VACUUM INTO", "");
    vacuum_into(p, database, "other page size", "PRAGMA page_size=16384");
    vacuum_into(p, database, "auto_vacuum", "PRAGMA auto_vacuum=1");
    same_after(p, database, "incremental auto_vacuum", "PRAGMA auto_vacuum=INCREMENTAL; VACUUM", NULL);
    same_after(p, database, "reindexed, other user_version",
        "REINDEX; PRAGMA user_version=7; PRAGMA application_id=9", NULL);
    same_after(p, database, "analyzed", "ANALYZE", NULL);
    same_after(p, database, "free pages",
        "CREATE TABLE gone AS SELECT randomblob(900) AS x FROM sqlite_schema a, "
        "sqlite_schema b; DROP TABLE gone",
        NULL);
    same_after(p, database, "checkpointed WAL mode", "PRAGMA journal_mode=WAL", NULL);
    same_after(p, database, "rows written again",
        nasty ? "UPDATE big SET payload = payload; UPDATE big SET rowid = -id; "
                "UPDATE big SET rowid = -id"
              : "UPDATE packages SET body = body",
        NULL);
    same_after(p, database, "sequence ahead", "UPDATE sqlite_sequence SET seq = seq + 100",
        nasty ? "findings:name=parent|topic=sequence ahead" : "findings:name=packages|topic=sequence ahead");
    rebuilt(p, database, "rows and objects in another order", "PRAGMA page_size=1024");
    if (utf16) {
        rebuilt(p, database, "UTF-16le", "PRAGMA encoding='UTF-16le'");
        rebuilt(p, database, "UTF-16be", "PRAGMA encoding='UTF-16be'");
    } else {
        score_skip(database, "UTF-16", "it holds text that is not UTF-8, which has no UTF-16 form");
    }
    wal(p, database, damage, mend);
    in_use(p, database, damage, mend);
}
