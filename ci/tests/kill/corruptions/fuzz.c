/* fuzz.c -- bytes of the file changed at random; a plain reader says whether the content still is the same.
 *
 * The oracle walks both files in their physical order and compares every value's type and bytes, and every definition's
 * text. It shares nothing with the program but the sqlite3 library. */
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "corruptions.h"

enum oracle { SAME, SAME_VALUES, DIFFERENT, UNREADABLE };

static bool same_value(sqlite3_stmt *a, sqlite3_stmt *b, int i)
{
    int type = sqlite3_column_type(a, i);
    if (type != sqlite3_column_type(b, i))
        return false;
    double x = sqlite3_column_double(a, i), y = sqlite3_column_double(b, i);
    const void *p, *q;
    switch (type) {
    case SQLITE_NULL:
        return true;
    case SQLITE_INTEGER:
        return sqlite3_column_int64(a, i) == sqlite3_column_int64(b, i);
    case SQLITE_FLOAT:
        return memcmp(&x, &y, sizeof x) == 0;
    case SQLITE_TEXT:
        p = sqlite3_column_text(a, i);
        q = sqlite3_column_text(b, i);
        break;
    default:
        p = sqlite3_column_blob(a, i);
        q = sqlite3_column_blob(b, i);
        break;
    }
    int n = sqlite3_column_bytes(a, i);
    return n == sqlite3_column_bytes(b, i) && (n == 0 || memcmp(p, q, (size_t)n) == 0);
}

static enum oracle same_result(sqlite3 *a, sqlite3 *b, const char *sql)
{
    sqlite3_stmt *x = NULL, *y = NULL;
    enum oracle is = SAME;
    int rx = SQLITE_ROW, ry = SQLITE_ROW;
    if (sqlite3_prepare_v2(a, sql, -1, &x, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(b, sql, -1, &y, NULL) != SQLITE_OK)
        is = UNREADABLE;
    while (is != UNREADABLE && rx == SQLITE_ROW && ry == SQLITE_ROW) {
        rx = sqlite3_step(x);
        ry = sqlite3_step(y);
        if (rx == SQLITE_ROW && ry == SQLITE_ROW)
            for (int i = 0; i < sqlite3_column_count(x) && is == SAME; i++)
                is = same_value(x, y, i) ? SAME : DIFFERENT;
    }
    if (is != UNREADABLE && (rx != SQLITE_DONE || ry != SQLITE_DONE))
        is = (rx == SQLITE_ROW || rx == SQLITE_DONE) && (ry == SQLITE_ROW || ry == SQLITE_DONE) ? DIFFERENT
                                                                                                : UNREADABLE;
    sqlite3_finalize(x);
    sqlite3_finalize(y);
    return is;
}

/* The worst that is found; SAME_VALUES = only a definition's text or a counter differs. */
static enum oracle compare(const char *source, const char *copy)
{
    sqlite3 *a = db_open(source), *b = db_open(copy);
    sqlite3_stmt *st = NULL;
    enum oracle is = same_result(a, b, "SELECT type, name, tbl_name, sql FROM sqlite_schema");
    enum oracle counter = same_result(a, b, "SELECT * FROM sqlite_sequence");
    is = is == DIFFERENT ? SAME_VALUES : is;
    is = counter == DIFFERENT && is == SAME ? SAME_VALUES : counter == UNREADABLE ? UNREADABLE : is;
    (void)sqlite3_prepare_v2(a,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sqlite_sequence'", -1, &st, NULL);
    while (is != UNREADABLE && is != DIFFERENT && sqlite3_step(st) == SQLITE_ROW) {
        char *sql = sqlite3_mprintf("SELECT * FROM \"%w\" NOT INDEXED", sqlite3_column_text(st, 0));
        enum oracle rows = same_result(a, b, sql);
        is = rows > is ? rows : is;
        sqlite3_free(sql);
    }
    sqlite3_finalize(st);
    db_close(a);
    db_close(b);
    return is;
}

/* One to three bytes, half of the time within the first pages, where the schema and the small tables are. */
static bool damage(const struct place *p, uint64_t seed, char *where, size_t size)
{
    struct sp_buf b = SP_BUF_INIT;
    struct sp_rng r;
    size_t at = 0;
    sp_rng_seed(&r, seed);
    bool ok = sp_read_file(p->source, (size_t)1 << 30, &b, NULL) == 0 && b.n > 100000;
    uint64_t times = 1 + sp_rng_below(&r, 3);
    for (uint64_t i = 0; ok && i < times; i++) {
        at = (size_t)sp_rng_below(&r, sp_rng_below(&r, 2) == 0 ? b.n : 90000);
        ((unsigned char *)b.p)[at] ^= (unsigned char)(1u << sp_rng_below(&r, 8));
    }
    ok = ok && sp_write_file_atomic(p->copy, b.p, b.n, NULL) == 0;
    snprintf(where, size, "seed %llu, last bit at %zu", (unsigned long long)seed, at);
    sp_buf_free(&b);
    return ok;
}

void part_fuzz(struct place *p, const char *database, uint64_t seeds)
{
    unsigned long counts[4] = { 0 }, wrong = 0;
    static const char *const allowed[] = {
        [SAME] = "03", [SAME_VALUES] = "013", [DIFFERENT] = "13", [UNREADABLE] = "13"
    };
    char problem[1400] = "", where[64], how[128];
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct verdict v;
        place_clear_copy(p);
        if (!damage(p, seed, where, sizeof where)) {
            score(database, "random bits", "could not be planted", "");
            return;
        }
        enum oracle is = compare(p->source, p->copy);
        verify(p, p->source, p->copy, NULL, &v);
        bool good = v.exit_code >= 0 && v.exit_code <= 9 && strchr(allowed[is], '0' + v.exit_code) != NULL;
        if (is == SAME_VALUES && v.exit_code == 0) { /* told, though it makes no difference */
            char a[256] = "", b[256] = "";
            const char *const keys[2] = { NULL, NULL };
            expect_want(&v, "findings:topic=definition text", keys, a, sizeof a);
            expect_want(&v, "findings:topic=sequence ahead", keys, b, sizeof b);
            good = a[0] == '\0' || b[0] == '\0';
        }
        counts[is]++;
        wrong += good ? 0 : 1;
        if (!good || v.touched)
            snprintf(problem, sizeof problem, "%s: exit code %d, but the content is %s%s; %.900s", where,
                v.exit_code,
                is == SAME         ? "the same"
                : is == DIFFERENT  ? "different"
                : is == UNREADABLE ? "unreadable"
                                   : "said otherwise",
                v.touched ? "; touched" : "", v.log);
        if (!good)
            printf("FAIL: %s\n", problem);
        verdict_free(&v);
    }
    snprintf(how, sizeof how, "%lu same, %lu said otherwise, %lu different, %lu unreadable: %lu judged wrong",
        counts[SAME], counts[SAME_VALUES], counts[DIFFERENT], counts[UNREADABLE], wrong);
    score(database, "random bits of the file", problem, how);
}
