/* files.c -- what cannot be read in full must never be called equal. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "corruptions.h"

static void judge(
    const char *database, const char *what, struct verdict *v, const char *codes, const char *message)
{
    char problem[2048] = "", how[64];
    if (v->exit_code < 0 || v->exit_code > 9 || strchr(codes, '0' + v->exit_code) == NULL)
        snprintf(
            problem, sizeof problem, "exit code %d, expected one of %s; %.900s", v->exit_code, codes, v->log);
    else if (v->touched)
        snprintf(problem, sizeof problem, "the files of a side were touched");
    else if (strstr(v->log, message) == NULL)
        snprintf(problem, sizeof problem, "'%s' is not in the message: %.900s", message, v->log);
    snprintf(how, sizeof how, "exit code %d", v->exit_code);
    score(database, what, problem, how);
    verdict_free(v);
}

static void both_ways(
    struct place *p, const char *database, const char *what, const char *codes, const char *message)
{
    struct verdict v;
    char text[128];
    verify(p, p->source, p->copy, NULL, &v);
    judge(database, what, &v, codes, message);
    verify(p, p->copy, p->source, NULL, &v);
    snprintf(text, sizeof text, "%s, on the source", what);
    judge(database, text, &v, codes, message);
}

struct file {
    struct sp_buf b;
    size_t page, pages;
};

static bool load(const struct place *p, struct file *f)
{
    *f = (struct file){ .b = SP_BUF_INIT };
    if (sp_read_file(p->source, (size_t)1 << 30, &f->b, NULL) != 0 || f->b.n < 512)
        return false;
    const uint8_t *h = (const uint8_t *)f->b.p;
    f->page = (size_t)h[16] << 8 | h[17];
    f->page = f->page == 1 ? 65536 : f->page;
    f->pages = f->b.n / f->page;
    return f->pages > 4;
}

static uint8_t *page(struct file *f, size_t i)
{
    return (uint8_t *)f->b.p + i * f->page;
}

static size_t cells(struct file *f, size_t i)
{
    const uint8_t *q = page(f, i);
    return (size_t)q[3] << 8 | q[4];
}

/* The nth leaf of a table, with some rows; the file has no free pages, so it belongs to one. 0 = none. */
static size_t leaf(struct file *f, size_t nth)
{
    for (size_t i = 1; i < f->pages; i++)
        if (page(f, i)[0] == 0x0d && cells(f, i) > 2 && nth-- == 0)
            return i;
    return 0;
}

static void store(struct place *p, struct file *f, size_t n)
{
    place_clear_copy(p);
    (void)sp_write_file_atomic(p->copy, f->b.p, n, NULL);
    sp_buf_free(&f->b);
}

enum damage { ZEROED, GARBAGE, LAST_CELL_HIDDEN, LEAVES_EXCHANGED, CUT, CUT_IN_PAGE, HEADER, BIT };

static void damaged_page(
    struct place *p, const char *database, const char *what, enum damage how, const char *codes)
{
    struct file f;
    size_t a, b;
    if (!load(p, &f) || (a = leaf(&f, 3)) == 0 || (b = leaf(&f, 4)) == 0) {
        sp_buf_free(&f.b);
        score(database, what, "could not be planted", "");
        return;
    }
    uint8_t *x = page(&f, a), *y = page(&f, b);
    size_t n = f.b.n;
    switch (how) {
    case ZEROED:
        memset(x, 0, f.page);
        break;
    case GARBAGE:
        for (size_t i = 0; i < f.page; i++)
            x[i] = (uint8_t)(i * 167 + 13);
        break;
    case LAST_CELL_HIDDEN: {
        size_t left = cells(&f, a) - 1;
        x[3] = (uint8_t)(left >> 8);
        x[4] = (uint8_t)left;
        break;
    }
    case LEAVES_EXCHANGED:
        for (size_t i = 0; i < f.page; i++) {
            uint8_t t = x[i];
            x[i] = y[i];
            y[i] = t;
        }
        break;
    case CUT:
        n = f.pages / 2 * f.page;
        break;
    case CUT_IN_PAGE:
        n = f.pages / 2 * f.page + 100;
        break;
    case HEADER:
        page(&f, 0)[3] = 'X';
        break;
    case BIT: /* the last byte of a leaf is content: the end of its first row */
        x[f.page - 1] ^= 0x04;
        break;
    }
    store(p, &f, n);
    both_ways(p, database, what, codes, "");
}

static void bytes(
    struct place *p, const char *database, const char *what, const void *b, size_t n, const char *codes)
{
    place_clear_copy(p);
    (void)sp_write_file_atomic(p->copy, b, n, NULL);
    both_ways(p, database, what, codes, "dst/db");
}

static void not_databases(struct place *p, const char *database)
{
    uint8_t noise[8192];
    struct sp_rng r;
    sp_rng_seed(&r, 7);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)sp_rng_below(&r, 256);
    bytes(p, database, "a text file", "id,name\n1,a\n", 12, "23");
    bytes(p, database, "random bytes, like an encrypted file", noise, sizeof noise, "23");
    memcpy(noise, "SQLite format 3", 16);
    bytes(p, database, "random bytes behind the right header", noise, sizeof noise, "23");
    place_clear_copy(p);
    both_ways(p, database, "no such file", "2", "dst/db");
    (void)sp_mkdirs(p->copy, NULL);
    both_ways(p, database, "a directory", "2", "dst/db");
    place_clear_copy(p);
    (void)sp_write_file_atomic(p->copy, "", 0, NULL);
    both_ways(p, database, "an empty file", "13", "");
    struct verdict v;
    verify(p, p->source, p->source, NULL, &v);
    judge(database, "a file and itself", &v, "2", "same place");
}

static void locked(
    struct place *p, const char *database, const char *what, const char *sql, const char *codes)
{
    struct verdict v;
    struct holder h;
    place_clear_copy(p);
    if (!file_copy(p->source, p->copy) || !holder_start(&h, p->copy, sql, NULL)) {
        score(database, what, "could not be made", "");
        return;
    }
    verify(p, p->source, p->copy, NULL, &v);
    holder_end(&h);
    judge(database, what, &v, codes, strcmp(codes, "3") == 0 ? "lock" : "");
}

/* Every committed state of the copy differs from the source, in one of two far places; a state that never was could
 * look equal. */
static void written(struct place *p, const char *database, const char *mode, int times)
{
    char what[64], once[512];
    struct holder h;
    snprintf(what, sizeof what, "written meanwhile (%s)", mode);
    snprintf(once, sizeof once,
        "PRAGMA journal_mode=%s; PRAGMA synchronous=OFF; UPDATE big SET payload = payload || '!' WHERE id = "
        "77",
        mode);
    place_clear_copy(p);
    if (!file_copy(p->source, p->copy) || !holder_start(&h, p->copy, once,
                                              "UPDATE big SET payload = CASE WHEN payload LIKE '%!' THEN "
                                              "rtrim(payload, '!') ELSE payload || '!' END "
                                              "WHERE id IN (77, 5777)")) {
        score(database, what, "could not be made", "");
        return;
    }
    for (int i = 0; i < times; i++) {
        struct verdict v;
        verify(p, p->source, p->copy, NULL, &v);
        v.touched = false; /* that is the writer */
        judge(database, what, &v, "13", "");
    }
    holder_end(&h);
}

/* A journal that a killed writer left: the file alone is not the last committed state. */
static void hot_journal(struct place *p, const char *database)
{
    char made[600], from[620], to[620];
    struct verdict v;
    snprintf(made, sizeof made, "%s/made", p->work);
    snprintf(from, sizeof from, "%s-journal", made);
    snprintf(to, sizeof to, "%s-journal", p->copy);
    place_clear_copy(p);
    bool ok = file_copy(p->source, made);
    sqlite3 *db = db_open(made);
    ok = db_exec(db, "PRAGMA cache_spill=1; PRAGMA cache_size=1; BEGIN; UPDATE big SET payload = 'half "
                     "done', n = 0") &&
         ok && file_copy(made, p->copy) && file_copy(from, to);
    (void)db_exec(db, "ROLLBACK");
    db_close(db);
    unlink(made);
    verify(p, p->source, p->copy, NULL, &v);
    judge(database, "hot journal of a killed writer", &v, ok ? "03" : "9", "");
}

void part_files(struct place *p, const char *database)
{
    damaged_page(p, database, "a page of zeros in a table", ZEROED, "3");
    damaged_page(p, database, "a page of garbage in a table", GARBAGE, "3");
    damaged_page(p, database, "a row hidden in its page", LAST_CELL_HIDDEN, "13");
    damaged_page(p, database, "two pages exchanged", LEAVES_EXCHANGED, "13");
    damaged_page(p, database, "one bit of a page", BIT, "13");
    damaged_page(p, database, "file cut in half", CUT, "3");
    damaged_page(p, database, "file cut within a page", CUT_IN_PAGE, "3");
    damaged_page(p, database, "header damaged", HEADER, "23");
    not_databases(p, database);
    hot_journal(p, database);
}

void part_busy(struct place *p, const char *database)
{
    locked(p, database, "locked by another program", "BEGIN EXCLUSIVE; CREATE TABLE planted(x)", "3");
    locked(p, database, "half written by another program",
        "PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; UPDATE big SET payload = 'half done', n = 0", "3");
    locked(p, database, "another program reads", "BEGIN; SELECT * FROM big", "0");
    locked(p, database, "another program is about to write",
        "BEGIN IMMEDIATE; UPDATE big SET n = 0 WHERE id = 1", "0");
    written(p, database, "DELETE", 1);
    written(p, database, "WAL", 2);
}
