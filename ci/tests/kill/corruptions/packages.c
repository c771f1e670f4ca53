/* packages.c -- corruptions of the package database, generated or imported; a pick finds the place. */
#include "corruptions.h"

#define P      "(SELECT id FROM pick)"
#define P2     "(SELECT id2 FROM pick)"
#define KEY    "'id='||id"
#define SET(e) "UPDATE packages SET " e " WHERE id = " P
#define TWO(c)                                                                                               \
    "SELECT a.id AS id, 'id='||a.id AS key, b.id AS id2, 'id='||b.id AS key2 FROM packages a JOIN packages " \
    "b "                                                                                                     \
    "ON b.id > a.id WHERE a." c " <> b." c " ORDER BY a.id, b.id LIMIT 1"
#define ONE(w)  "SELECT id, " KEY " AS key FROM packages WHERE " w " LIMIT 1"
#define CELL(c) "differences:name=packages|difference=changed|key=@1|column=" c
#define SCHEMA(table, from, to)                                                                              \
    "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = replace(sql, '" from "', '" to                \
    "') WHERE type = 'table' AND name = '" table "'"
#define DEP_KEY                                                                                              \
    "'package_id='||package_id||', kind=\"'||kind||'\", position='||position||', alternative='||alternative"

const struct corruption corruptions_packages[] = {
    { "field swapped between two rows", SET_PACKAGES, TWO("version"),
        "CREATE TEMP TABLE old AS SELECT id, version FROM packages WHERE id IN (" P ", " P2 ");"
        "UPDATE packages SET version = (SELECT version FROM old WHERE old.id <> packages.id) WHERE id IN (" P
        ", " P2 ")",
        { CELL("version"), "differences:name=packages|key=@2|column=version" }, 2, 0, 0 },
    { "columns swapped within a row", SET_PACKAGES, ONE("version <> summary"),
        SET("version = summary, summary = version"), { CELL("version"), CELL("summary") }, 1, 0, 0 },
    { "two rows exchanged (XOR trap)", SET_PACKAGES, TWO("name"),
        "UPDATE packages SET id = -1 WHERE id = " P "; UPDATE packages SET id = " P " WHERE id = " P2 ";"
        "UPDATE packages SET id = " P2 " WHERE id = -1",
        { CELL("name"), "differences:name=packages|key=@2|column=name" }, 2, 0, 0 },
    { "one bit of a text", SET_PACKAGES, ONE("length(body) > 20"), SET("body = flip(body, 11, 0)"),
        { CELL("body") }, 1, 0, 0 },
    { "NULL for ''", SET_PACKAGES, ONE("homepage = ''"), SET("homepage = NULL"), { CELL("homepage") }, 1, 0,
        0 },
    { "'' for NULL", SET_PACKAGES, ONE("source IS NULL"), SET("source = ''"), { CELL("source") }, 1, 0, 0 },
    { "'NULL' for NULL", SET_PACKAGES, ONE("multi_arch IS NULL"), SET("multi_arch = 'NULL'"),
        { CELL("multi_arch") }, 1, 0, 0 },
    { "row dropped with its children", SET_PACKAGES,
        "SELECT id, " KEY
        " AS key FROM packages p WHERE EXISTS (SELECT 1 FROM dependencies WHERE package_id = p.id)",
        "DELETE FROM packages WHERE id = " P "; DELETE FROM dependencies WHERE package_id = " P ";"
        "DELETE FROM provides WHERE package_id = " P "; DELETE FROM conffiles WHERE package_id = " P,
        { "differences:name=packages|difference=missing|key=@1",
            "differences:name=dependencies|difference=missing" },
        ANY, 0, 0 },
    { "child row dropped", SET_PACKAGES,
        "SELECT rowid AS id, " DEP_KEY " AS key FROM dependencies ORDER BY rowid DESC LIMIT 1 OFFSET 5",
        "DELETE FROM dependencies WHERE rowid = " P,
        { "differences:name=dependencies|difference=missing|key=@1" }, 1, 0, 0 },
    { "parent row dropped", SET_PACKAGES,
        "SELECT section_id AS id, 'id='||section_id AS key, count(*) AS id2, count(*)||'' AS key2 FROM "
        "packages"
        " WHERE section_id NOT NULL GROUP BY section_id LIMIT 1",
        "DELETE FROM sections WHERE id = " P,
        { "differences:name=sections|difference=missing|key=@1",
            "relations:child=packages|parent=sections|introduced=@2",
            "differences:name=packages|difference=orphan" },
        1, 0, ANY },
    { "child moved to no parent", SET_PACKAGES, ONE("maintainer_id NOT NULL"), SET("maintainer_id = 987654"),
        { CELL("maintainer_id"), "relations:child=packages|parent=maintainers|introduced=1",
            "differences:name=packages|difference=orphan|key=@1" },
        1, 0, 1 },
    { "extra row", SET_PACKAGES, NULL, "INSERT INTO sections(id, name) VALUES(987654, 'extra')",
        { "differences:name=sections|difference=extra|key=id=987654" }, 1, 0, 0 },
    { "duplicated row without key", SET_PACKAGES, "SELECT rowid AS id, 'x' AS key FROM import_log LIMIT 1",
        "INSERT INTO import_log SELECT * FROM import_log WHERE rowid = " P,
        { "differences:name=import_log|difference=extra", "tables:name=import_log|extra=1|missing=0" }, 1, 0,
        0 },
    { "removed row without key", SET_PACKAGES, "SELECT max(rowid) AS id, 'x' AS key FROM import_log",
        "DELETE FROM import_log WHERE rowid = " P,
        { "differences:name=import_log|difference=missing", "tables:name=import_log|missing=1|extra=0" }, 1,
        0, 0 },
    { "integer as text", SET_PACKAGES, ONE("typeof(installed_size) = 'integer'"),
        SET("installed_size = CAST(CAST(installed_size AS TEXT) AS BLOB)"), { CELL("installed_size") }, 1, 0,
        0 },
    { "float one ulp off", SET_PACKAGES, ONE("size_share > 0"), SET("size_share = ulp(size_share)"),
        { CELL("size_share") }, 1, 0, 0 },
    { "float rounded to 4 places", SET_PACKAGES, ONE("size_share <> round(size_share, 4)"),
        SET("size_share = round(size_share, 4)"), { CELL("size_share") }, 1, 0, 0 },
    { "changed case", SET_PACKAGES, ONE("summary <> upper(summary)"), SET("summary = upper(summary)"),
        { CELL("summary") }, 1, 0, 0 },
    { "trailing blank added", SET_PACKAGES, ONE("summary <> ''"), SET("summary = summary || ' '"),
        { CELL("summary") }, 1, 0, 0 },
    { "text truncated at 255", SET_PACKAGES, ONE("length(body) > 255"), SET("body = substr(body, 1, 255)"),
        { CELL("body") }, 1, 0, 0 },
    { "LF to CRLF", SET_PACKAGES, ONE("instr(body, char(10)) > 0"),
        SET("body = replace(body, char(10), char(13, 10))"), { CELL("body") }, 1, 0, 0 },
    { "time zone shifted by an hour", SET_PACKAGES, ONE("imported_at LIKE '____-__-__%'"),
        SET("imported_at = strftime('%Y-%m-%dT%H:%M:%SZ', imported_at, '+1 hour')"), { CELL("imported_at") },
        1, 0, 0 },
    { "boolean turned over", SET_PACKAGES, ONE("essential = 0"), SET("essential = 1"), { CELL("essential") },
        1, 0, 0 },
    { "JSON value changed", SET_PACKAGES, ONE("json_valid(extra)"),
        SET("extra = json_set(extra, '$.planted', 1)"), { CELL("extra") }, 1, 0, 0 },
    { "key changed", SET_PACKAGES,
        "SELECT rowid AS id, " DEP_KEY
        " AS key, 0 AS id2, 'package_id='||package_id||', kind=\"'||kind||'\", position=98765, "
        "alternative='||alternative AS key2 FROM dependencies LIMIT 1 OFFSET 7",
        "UPDATE dependencies SET position = 98765 WHERE rowid = " P,
        { "differences:name=dependencies|difference=missing|key=@1",
            "differences:name=dependencies|difference=extra|key=@2" },
        2, 0, 0 },
    { "key columns swapped", SET_PACKAGES,
        "SELECT rowid AS id, " DEP_KEY
        " AS key FROM dependencies WHERE position > 100 OR position <> alternative AND "
        "NOT EXISTS (SELECT 1 FROM dependencies o WHERE o.package_id = dependencies.package_id AND "
        "o.kind = dependencies.kind AND o.position = dependencies.alternative AND o.alternative = "
        "dependencies.position) LIMIT 1",
        "UPDATE dependencies SET position = alternative, alternative = position WHERE rowid = " P,
        { "differences:name=dependencies|difference=missing|key=@1",
            "tables:name=dependencies|missing=1|extra=1" },
        2, 0, 0 },
    { "first row of a table", SET_PACKAGES, "SELECT min(id) AS id, 'id='||min(id) AS key FROM packages",
        SET("priority = 'planted'"), { CELL("priority") }, 1, 0, 0 },
    { "last row of a table", SET_PACKAGES, "SELECT max(id) AS id, 'id='||max(id) AS key FROM packages",
        SET("priority = 'planted'"), { CELL("priority") }, 1, 0, 0 },
    { "row deep in a table", SET_PACKAGES,
        "SELECT id, " KEY
        " AS key FROM packages ORDER BY id LIMIT 1 OFFSET (SELECT count(*) / 2 FROM packages)",
        SET("architecture = 'planted'"), { CELL("architecture") }, 1, 0, 0 },
    { "last column", SET_PACKAGES, ONE("1"), SET("imported_at = imported_at || 'x'"), { CELL("imported_at") },
        1, 0, 0 },
    { "all rows changed", SET_PACKAGES, "SELECT 0 AS id, count(*)||'' AS key FROM packages",
        "UPDATE packages SET body = coalesce(body, '') || '.'",
        { "tables:name=packages|changed=@1|missing=0|extra=0" }, ANY, 0, 0 },
    { "without rowid: one cell", SET_PACKAGES,
        "SELECT path AS id, 'package_id='||package_id||', path=\"'||path||'\"' AS key FROM conffiles LIMIT 1",
        "UPDATE conffiles SET md5 = 'planted' WHERE path = " P,
        { "differences:name=conffiles|key=@1|column=md5" }, ANY, 0, 0 },
    { "sequence behind", SET_PACKAGES, NULL,
        "UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'packages'",
        { "sequences:name=packages|behind=true" }, 0, 0, 0 },
    { "default changed", SET_PACKAGES, NULL, SCHEMA("packages", "DEFAULT ''unknown''", "DEFAULT ''hold''"),
        { "schema:element=default|table=packages|name=want|difference=changed" }, 0, 1, 0 },
    { "NOT NULL dropped", SET_PACKAGES, NULL, SCHEMA("sections", "name TEXT NOT NULL", "name TEXT"),
        { "schema:element=nullability|table=sections|name=name" }, 0, 1, 0 },
    { "check dropped", SET_PACKAGES, NULL, SCHEMA("packages", "CHECK(name <> '''')", ""),
        { "schema:element=check|table=packages|difference=missing|expected~name" }, 0, 1, 0 },
    { "check changed", SET_PACKAGES, NULL, SCHEMA("packages", "installed_size >= 0", "installed_size > 0"),
        { "schema:element=check|table=packages" }, 0, ANY, 0 },
    { "foreign key action changed", SET_PACKAGES, NULL, SCHEMA("packages", "SET NULL", "CASCADE"),
        { "schema:element=foreign_key|table=packages|difference=changed|actual~cascade" }, 0, 1, 0 },
    { "foreign key dropped", SET_PACKAGES, NULL,
        SCHEMA("provides", "REFERENCES packages(id) ON DELETE CASCADE", ""),
        { "schema:element=foreign_key|table=provides|difference=missing" }, 0, 1, 0 },
    { "index dropped", SET_PACKAGES, NULL, "DROP INDEX dependencies_target",
        { "schema:element=index|table=dependencies|name=dependencies_target|difference=missing" }, 0, 1, 0 },
    { "table dropped", SET_PACKAGES, NULL, "DROP TABLE provides",
        { "schema:element=table|name=provides|difference=missing" }, ANY, 1, 0 },
    { "extra table", SET_PACKAGES, NULL, "CREATE TABLE planted(x)",
        { "schema:element=table|name=planted|difference=extra" }, 0, 1, 0 },
    { "extra column", SET_PACKAGES, NULL, "ALTER TABLE conffiles ADD COLUMN planted TEXT",
        { "schema:element=column|table=conffiles|name=planted|difference=extra" }, ANY, 1, 0 },
    { "column dropped", SET_PACKAGES, NULL, "ALTER TABLE packages DROP COLUMN body",
        { "schema:element=column|table=packages|name=body|difference=missing" }, ANY, 1, 0 },
    { "column type changed", SET_PACKAGES, NULL, SCHEMA("packages", "size_share REAL", "size_share FLOAT"),
        { "schema:element=type|table=packages|name=size_share|difference=changed" }, 0, 1, 0 },
    { "view dropped", SET_PACKAGES, NULL, "DROP VIEW section_totals",
        { "schema:element=view|name=section_totals|difference=missing" }, 0, 1, 0 },
    { .kind = NULL },
};
