/* nasty.c -- a small database of everything that a copy gets wrong. */
#include <stdio.h>

#include "corruptions.h"

static const char ddl[] =
    "CREATE TABLE \"order \"\"items\"\" \xc3\xa9\"(\"a b\" TEXT NOT NULL, \"select\" INTEGER NOT NULL, note "
    "TEXT,"
    "  PRIMARY KEY(\"a b\", \"select\"));"
    "CREATE TABLE a_name_of_more_than_sixty_three_bytes_that_another_backend_would_cut_short("
    "  id INTEGER PRIMARY KEY, a_column_of_more_than_sixty_three_bytes_that_would_be_cut_short_as_well TEXT);"
    "CREATE TABLE vals(id INTEGER PRIMARY KEY, v, last TEXT);"
    "CREATE TABLE texts(id INTEGER PRIMARY KEY, s TEXT);"
    "CREATE TABLE swaps(k INTEGER PRIMARY KEY, a TEXT, b TEXT, c INTEGER, d INTEGER);"
    "CREATE TABLE exact(id INTEGER PRIMARY KEY, n INT NOT NULL, r REAL, t TEXT, b BLOB, x ANY) STRICT;"
    "CREATE TABLE pairs(a TEXT COLLATE NOCASE, b INTEGER, v BLOB, PRIMARY KEY(a, b)) WITHOUT ROWID;"
    "CREATE TABLE keyless(line TEXT, at INTEGER, v);"
    "CREATE TABLE nullkey(k TEXT PRIMARY KEY, v TEXT);"
    "CREATE TABLE parent(id INTEGER PRIMARY KEY AUTOINCREMENT, code TEXT NOT NULL UNIQUE,"
    "  boss INTEGER REFERENCES parent(id) ON DELETE SET NULL);"
    "CREATE TABLE child(id INTEGER PRIMARY KEY,"
    "  parent_code TEXT REFERENCES parent(code) ON DELETE CASCADE ON UPDATE SET NULL,"
    "  pid INTEGER NOT NULL DEFAULT 7 REFERENCES parent DEFERRABLE INITIALLY DEFERRED,"
    "  qty INTEGER CHECK(qty >= 0), label VARCHAR(40) COLLATE NOCASE, at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,"
    "  total INTEGER GENERATED ALWAYS AS (qty * 2) STORED, small TEXT GENERATED ALWAYS AS (lower(label)) "
    "VIRTUAL,"
    "  CONSTRAINT short CHECK(length(label) < 40));"
    "CREATE TABLE multi(a INT NOT NULL, b INT NOT NULL, c INT, PRIMARY KEY(b, a));"
    "CREATE TABLE multi_child(id INTEGER PRIMARY KEY, x INT, y INT,"
    "  FOREIGN KEY(x, y) REFERENCES multi(b, a) ON UPDATE CASCADE);"
    "CREATE TABLE loose(id INTEGER PRIMARY KEY, i INTEGER, n NUMERIC, r REAL, t TEXT, b BLOB, j JSON);"
    "CREATE TABLE big(id INTEGER PRIMARY KEY, payload TEXT, n INTEGER, f REAL, w);"
    "CREATE INDEX child_part ON child(label) WHERE qty > 5;"
    "CREATE INDEX child_expr ON child(lower(label), qty DESC);"
    "CREATE UNIQUE INDEX child_unique ON child(label COLLATE BINARY, at);"
    "CREATE VIEW totals AS SELECT parent_code, sum(qty) AS qty FROM child GROUP BY parent_code;"
    "CREATE TRIGGER child_log AFTER INSERT ON child BEGIN INSERT INTO keyless VALUES('new', NEW.id, NULL); "
    "END;"
    "CREATE TRIGGER totals_in INSTEAD OF INSERT ON totals BEGIN SELECT 1; END;";

static const char rows[] =
    "INSERT INTO \"order \"\"items\"\" \xc3\xa9\" VALUES('x y', 1, 'one'), ('x y', 2, ''), ('\xc3\xbc''\"', "
    "1, NULL);"
    "INSERT INTO a_name_of_more_than_sixty_three_bytes_that_another_backend_would_cut_short "
    "VALUES(1,'a'),(2,'b');"
    "INSERT INTO vals(id, v) VALUES(1, NULL), (2, ''), (3, 'NULL'), (4, f64('8000000000000000')), (5, 0.1 + "
    "0.2),"
    " (6, 1e300), (7, 9223372036854775807), (8, -9223372036854775807 - 1), (9, x'00ff10203040'), (10, x''),"
    " (12, 'nul' || char(0) || 'inside'), (13, '{\"a\":[1,2,3],\"n\":0.12345678901234567}'),"
    " (14, '2024-03-10T01:30:00.123456+00:00'), (15, 'caf\xc3\xa9 na\xc3\xafve'),"
    " (16, 'one' || char(13,10) || 'two' || char(13,10)), (17, ' blank '), (18, '1'), (19, 1), (20, 1.0),"
    " (22, randomblob(0)), (23, '2024-01-01 00:00:00'), (24, 3.14159265358979), (25, 'Abc'),"
    " (26, '\xf0\x9f\x98\x80 smile'), (27, 0.0), (28, x'4e554c4c'), (29, 9e999), (30, 9007199254740993),"
    " (31, '12:00:00'), (32, 'true'), (33, 4.9e-324), (34, 123456789.123456789);"
    "INSERT INTO vals(id, v) SELECT 21, group_concat(value, ' ') FROM (WITH RECURSIVE i(value) AS (SELECT 1 "
    "UNION ALL"
    "  SELECT value + 1 FROM i WHERE value < 4000) SELECT value FROM i);"
    "UPDATE vals SET v = CAST(v AS BLOB) WHERE id = 22; UPDATE vals SET last = 'last ' || id;"
    "INSERT INTO texts VALUES(1, 'plain'), (2, ''), (3, NULL), (4, 'NULL'), (5, 'caf\xc3\xa9'), (6, '1'), "
    "(7, 'x ');"
    "INSERT INTO swaps VALUES(1, 'aa', 'bb', 10, 20), (2, 'cc', 'dd', 30, 40), (3, 'ee', 'ff', 50, 50);"
    "INSERT INTO exact VALUES(1, 5, 1.5, 't', x'01', 1), (2, -5, f64('8000000000000000'), '', x'', '1'),"
    " (3, 9223372036854775807, NULL, NULL, NULL, 1.0);"
    "INSERT INTO pairs VALUES('x', 1, NULL), ('x', 2, ''), ('y', 1, x''), ('z', 3, x'01'), ('w', 4, x'0102');"
    "INSERT INTO keyless VALUES('same', 1, NULL), ('same', 1, NULL), ('same', 1, NULL), (NULL, NULL, NULL),"
    " (NULL, NULL, NULL), ('other', 2, x'00'), ('pair', 3, 'p'), ('pair', 3, 'p'), ('twin', 4, 't'), "
    "('twin', 4, 't');"
    "INSERT INTO nullkey VALUES(NULL, 'a'), (NULL, 'b'), (NULL, 'b'), ('', 'c'), ('k', 'd');"
    "INSERT INTO parent(id, code, boss) VALUES(1, 'p1', NULL), (2, 'p2', 1), (3, 'p3', 2), (7, 'p7', 7), (9, "
    "'p9', 1);"
    "INSERT INTO child(id, parent_code, pid, qty, label, at) VALUES(1, 'p1', 1, 5, 'One', '2024-01-01 "
    "10:00:00'),"
    " (2, 'p2', 2, 6, 'Two', '2024-01-01 10:00:00.5'), (3, 'p3', 7, NULL, 'Three', NULL),"
    " (4, NULL, 3, 0, NULL, '2024-06-01'), (5, 'gone', 1, 1, 'an old orphan', '2020-01-01');"
    "INSERT INTO multi VALUES(1, 2, 3), (2, 1, 4), (5, 5, 5); INSERT INTO multi_child VALUES(1, 2, 1), (2, "
    "1, 2),"
    " (3, NULL, 9), (4, 5, 5);"
    "INSERT INTO loose VALUES(1, 'many', '1e5', 'wide', 'text', 'text', '{\"a\": [1, 2]}'),"
    " (2, 3.5, 'x', 7, 8, 9, '[]'), (3, x'01', x'02', x'03', x'04', 1.5, '{\"n\": 12345678901234567}');"
    "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 6000) INSERT INTO big"
    "  SELECT n, printf('payload %d %d', n, n * 7919 % 6007), n * 31 % 977, n / 7.0,"
    "  CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN n WHEN 2 THEN n * 0.25 ELSE 'w' || n END FROM i;";

bool db_make_nasty(const char *path, bool with_invalid_text)
{
    sqlite3 *db = db_open(path);
    bool ok = db_exec(db, "PRAGMA foreign_keys=OFF; BEGIN") && db_exec(db, ddl) && db_exec(db, rows);
    if (ok && with_invalid_text)
        ok = db_exec(db, "INSERT INTO vals(id, v, last) VALUES(11, CAST(x'61c32862' AS TEXT), 'last 11');"
                         "INSERT INTO texts VALUES(8, CAST(x'ff' AS TEXT))");
    ok = ok && db_exec(db, "COMMIT");
    db_close(db);
    return ok;
}
