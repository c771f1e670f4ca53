/* plant.c -- making, copying and damaging databases with the plain library. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "corruptions.h"

static void f64(sqlite3_context *c, int n, sqlite3_value **v)
{
    uint64_t bits = strtoull((const char *)sqlite3_value_text(v[0]), NULL, 16);
    double d;
    (void)n;
    memcpy(&d, &bits, sizeof d);
    sqlite3_result_double(c, d);
}

static void ulp(sqlite3_context *c, int n, sqlite3_value **v)
{
    double d = sqlite3_value_double(v[0]);
    uint64_t bits;
    (void)n;
    memcpy(&bits, &d, sizeof bits);
    bits++;
    memcpy(&d, &bits, sizeof d);
    sqlite3_result_double(c, d);
}

/* The value with one bit of one byte turned over; text stays text. */
static void flip(sqlite3_context *c, int n, sqlite3_value **v)
{
    bool text = sqlite3_value_type(v[0]) == SQLITE_TEXT;
    const void *p = text ? (const void *)sqlite3_value_text(v[0]) : sqlite3_value_blob(v[0]);
    int size = sqlite3_value_bytes(v[0]), at = sqlite3_value_int(v[1]);
    unsigned char *out = size > 0 ? sqlite3_malloc(size) : NULL;
    (void)n;
    if (out == NULL || at < 0 || at >= size) {
        sqlite3_free(out);
        sqlite3_result_error(c, "flip: nothing there", -1);
        return;
    }
    memcpy(out, p, (size_t)size);
    out[at] = (unsigned char)(out[at] ^ (1u << sqlite3_value_int(v[2])));
    if (text)
        sqlite3_result_text(c, (char *)out, size, sqlite3_free);
    else
        sqlite3_result_blob(c, out, size, sqlite3_free);
}

sqlite3 *db_open(const char *path)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_create_function(db, "f64", 1, flags, NULL, f64, NULL, NULL) != SQLITE_OK ||
        sqlite3_create_function(db, "ulp", 1, flags, NULL, ulp, NULL, NULL) != SQLITE_OK ||
        sqlite3_create_function(db, "flip", 3, flags, NULL, flip, NULL, NULL) != SQLITE_OK) {
        printf("FAIL: cannot open %s: %s\n", path, sqlite3_errmsg(db));
        exit(1);
    }
    /* Damage is done behind the back of everything that would mend or refuse it. */
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, 0, (int *)NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, (int *)NULL);
    (void)sqlite3_exec(db, "PRAGMA ignore_check_constraints=ON", NULL, NULL, NULL);
    return db;
}

bool db_exec(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK)
        return true;
    printf("FAIL: cannot plant: %s: %.200s\n", message != NULL ? message : sqlite3_errmsg(db), sql);
    sqlite3_free(message);
    return false;
}

void db_close(sqlite3 *db)
{
    if (sqlite3_close(db) != SQLITE_OK) {
        printf("FAIL: a statement is left open\n");
        failed++;
    }
}

bool file_copy(const char *from, const char *to)
{
    struct sp_buf b = SP_BUF_INIT;
    bool ok =
        sp_read_file(from, (size_t)1 << 30, &b, NULL) == 0 && sp_write_file_atomic(to, b.p, b.n, NULL) == 0;
    if (!ok)
        printf("FAIL: cannot copy %s to %s\n", from, to);
    sp_buf_free(&b);
    return ok;
}

/* ---- rebuilding ---- */

static char *string_of(sqlite3 *db, const char *sql, const char *arg)
{
    sqlite3_stmt *st = NULL;
    char *out = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK) {
        sqlite3_bind_text(st, 1, arg, -1, SQLITE_STATIC);
        if (sqlite3_step(st) == SQLITE_ROW && sqlite3_column_text(st, 0) != NULL)
            out = sqlite3_mprintf("%s", sqlite3_column_text(st, 0));
    }
    sqlite3_finalize(st);
    return out;
}

static bool copy_rows(sqlite3 *from, sqlite3 *to, const char *table)
{
    char *cols = string_of(from,
        "SELECT group_concat('\"' || replace(name, '\"', '\"\"') || '\"') FROM pragma_table_xinfo(?1) WHERE "
        "hidden = 0",
        table);
    char *marks =
        string_of(from, "SELECT group_concat('?') FROM pragma_table_xinfo(?1) WHERE hidden = 0", table);
    char *rowid = string_of(from, "SELECT 'rowid' FROM pragma_table_list(?1) WHERE wr = 0", table);
    char *read =
        sqlite3_mprintf("SELECT %s FROM \"%w\" ORDER BY %s DESC", cols, table, rowid != NULL ? rowid : "1");
    char *write = sqlite3_mprintf("INSERT INTO \"%w\"(%s) VALUES(%s)", table, cols, marks);
    sqlite3_stmt *in = NULL, *out = NULL;
    bool ok = sqlite3_prepare_v2(from, read, -1, &in, NULL) == SQLITE_OK &&
              sqlite3_prepare_v2(to, write, -1, &out, NULL) == SQLITE_OK;
    int rc = SQLITE_DONE;
    while (ok && (rc = sqlite3_step(in)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(in); i++)
            sqlite3_bind_value(out, i + 1, sqlite3_column_value(in, i));
        ok = sqlite3_step(out) == SQLITE_DONE;
        sqlite3_reset(out);
    }
    ok = ok && rc == SQLITE_DONE;
    if (!ok)
        printf("FAIL: rebuilding %s: %s / %s\n", table, sqlite3_errmsg(from), sqlite3_errmsg(to));
    sqlite3_finalize(in);
    sqlite3_finalize(out);
    sqlite3_free(cols);
    sqlite3_free(marks);
    sqlite3_free(rowid);
    sqlite3_free(read);
    sqlite3_free(write);
    return ok;
}

static bool each(sqlite3 *from, sqlite3 *to, const char *where, bool rows)
{
    sqlite3_stmt *st = NULL;
    bool ok = true;
    char *sql = sqlite3_mprintf("SELECT name, sql FROM sqlite_schema WHERE %s ORDER BY rowid DESC", where);
    if (sqlite3_prepare_v2(from, sql, -1, &st, NULL) != SQLITE_OK)
        ok = false;
    while (ok && sqlite3_step(st) == SQLITE_ROW)
        ok = rows ? copy_rows(from, to, (const char *)sqlite3_column_text(st, 0))
                  : db_exec(to, (const char *)sqlite3_column_text(st, 1));
    sqlite3_finalize(st);
    sqlite3_free(sql);
    return ok;
}

bool db_rebuild(const char *from, const char *to, const char *pragmas)
{
    sqlite3 *a = db_open(from), *b = db_open(to);
    const char *tables = "type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    bool ok = db_exec(b, pragmas) && db_exec(b, "BEGIN") && each(a, b, tables, false) &&
              each(a, b, tables, true) && each(a, b, "type = 'index' AND sql NOT NULL", false) &&
              each(a, b, "type = 'view'", false) && each(a, b, "type = 'trigger'", false) &&
              db_exec(b, "DELETE FROM sqlite_sequence") && copy_rows(a, b, "sqlite_sequence") &&
              db_exec(b, "COMMIT");
    db_close(a);
    db_close(b);
    return ok;
}
