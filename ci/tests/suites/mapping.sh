#!/usr/bin/env bash
# Copies that are called and kept otherwise on the two sides, compared through a mapping: SQLite against SQLite and against
# PostgreSQL. What the mapping bridges is equal; a change that is planted behind each of its words is found.
# usage: ci/tests/suites/mapping.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mapping.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack

cat >"$work/m.yaml" <<'YAML'
version: 1
relations:
  customers:
    source: { table: clients, where: { deleted: 0 } }
    target: { table: people, where: { tenant: 7 } }
    columns:
      full_name: { source: name }
      tenant: { source: { constant: 7 } }
      region: { source: { constant: eu } }
      rate: { source: { constant: 0.10 }, type: 'decimal(4,2)' }
      deleted: { source: deleted, ignore: deleted rows stay behind }
      note: { ignore: the new system writes its own }
      seen: { rules: [truncate_ms], type: local_timestamp, accept_loss: true }
  orders:
    columns:
      customer: { source: client_id, target: person_id }
  prices:
    source: price_list
    key: [code]
  parts:
    source: { table: things, where: { kind: part } }
    only_listed: true
    columns:
      id:
      label: { target: title }
      kind: { source: kind, ignore: it chose the rows }
  tools:
    source: { table: things, where: { kind: { in: [tool, saw] } } }
    only_listed: true
    columns:
      id:
      label: { target: title }
      kind: { source: kind, ignore: it chose the rows }
ignore:
  source: { audit: "stays where it is, by law" }
  target: { migrations: the new system's own, id_map: read by the crosswalk alone }
YAML

source_db() {
    rm -f "$work/a.db"
    sqlite3 "$work/a.db" "
CREATE TABLE clients(id INTEGER PRIMARY KEY, name TEXT NOT NULL, deleted INTEGER NOT NULL, note TEXT, seen TEXT);
INSERT INTO clients VALUES(1, 'Ann', 0, 'a', '2024-01-01 00:00:00.123456'), (2, 'Bob', 0, 'b', '2024-02-29 12:00:00.5'),
  (3, 'Cy', 1, 'c', NULL), (4, 'Dee', 0, NULL, NULL);
CREATE TABLE orders(id INTEGER PRIMARY KEY, client_id INTEGER REFERENCES clients(id), total INTEGER);
INSERT INTO orders VALUES(1, 1, 10), (2, 2, 20), (3, 1, 30), (4, NULL, 40);
CREATE TABLE price_list(code TEXT, price INTEGER);
INSERT INTO price_list VALUES('x', 1), ('y', 2), ('z', 3);
CREATE TABLE things(id INTEGER PRIMARY KEY, kind TEXT, label TEXT);
INSERT INTO things VALUES(1, 'part', 'bolt'), (2, 'tool', 'hammer'), (3, 'saw', 'saw'), (4, 'part', 'nut'), (5, 'toy', 'ball');
CREATE TABLE audit(what TEXT);
INSERT INTO audit VALUES('x');"
}
target_tables="
CREATE TABLE people(id INTEGER PRIMARY KEY, full_name TEXT NOT NULL, tenant INTEGER, region TEXT, rate NUMERIC, note TEXT,
  seen TIMESTAMP_);
INSERT INTO people VALUES(1, 'Ann', 7, 'eu', 0.10, 'n', '2024-01-01 00:00:00.123'), (2, 'Bob', 7, 'eu', 0.1, 'n',
  '2024-02-29 12:00:00.500'), (4, 'Dee', 7, 'eu', 0.1, 'n', NULL), (200, 'Zed', 8, 'us', 0.2, 'n', NULL);
CREATE TABLE orders(id INTEGER PRIMARY KEY, person_id INTEGER REFERENCES people(id), total INTEGER);
INSERT INTO orders VALUES(1, 1, 10), (2, 2, 20), (3, 1, 30), (4, NULL, 40);
CREATE TABLE prices(code TEXT, price INTEGER);
INSERT INTO prices VALUES('z', 3), ('y', 2), ('x', 1);
CREATE TABLE parts(id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO parts VALUES(1, 'bolt'), (4, 'nut');
CREATE TABLE tools(id INTEGER PRIMARY KEY, title TEXT);
INSERT INTO tools VALUES(2, 'hammer'), (3, 'saw');
CREATE TABLE migrations(v INTEGER);
CREATE TABLE id_map(old_id INTEGER PRIMARY KEY, new_id INTEGER NOT NULL UNIQUE);
INSERT INTO id_map VALUES(1, 101), (2, 102), (3, 103), (4, 104);"

# on source|target SQL: plainly, through another client than ours.
on() {
    if [ "$1" = source ]; then
        sqlite3 "$work/a.db" "$2"
    elif [ "$kind" = sqlite ]; then
        sqlite3 "$work/b.db" "${2#SET DATESTYLE = ISO; }"
    else
        psql -qAtX -v ON_ERROR_STOP=1 "$POSTGRESQL_URL" -c "$2"
    fi
}
empty_target() {
    if [ "$kind" = sqlite ]; then
        rm -f "$work/b.db"
        sqlite3 "$work/b.db" "VACUUM"
    else
        on target "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
    fi
}
fresh() {
    source_db
    if [ "$kind" = sqlite ]; then
        rm -f "$work/b.db"
        on target "${target_tables/TIMESTAMP_/TEXT}"
    else
        on target "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public; ${target_tables/TIMESTAMP_/TIMESTAMP(3)}"
    fi
}
compare() { "$sp" verify "sqlite:$work/a.db" "$target" --mapping "$work/m.yaml" --report-dir "$work/r" -v "$@"; }
rows() { compare --checks rows,relations "$@"; }
# planted SIDE SQL TEXT NAME: the change is found, and said with this text.
planted() {
    fresh
    on "$1" "$2" || bad "$4: could not be planted"
    expect_text 1 "$3" "$kind: found: $4" rows
}
# harmless SIDE SQL NAME: what the mapping leaves out may change.
harmless() {
    fresh
    on "$1" "$2" || bad "$3: could not be planted"
    expect_text 0 "equal" "$kind: no difference: $3" rows
}

both() {
    fresh
    expect_text 0 "left out by the mapping" "$kind: what the mapping bridges is equal" rows
    expect 0 "$kind: verify.json has its fields" "$build/tools/check_json" verify "$work/r/verify.json"
    expect_text 0 '"mapping_digest": "' "$kind: the mapping is evidence" grep '"mapping_digest"' "$work/r/verify.json"
    expect_text 0 "stays where it is, by law" "$kind: reasons stand in the report" cat "$work/r/report.html"

    planted target "UPDATE people SET full_name = 'Anne' WHERE id = 1" "full_name" "a renamed column"
    planted target "DELETE FROM orders WHERE id = 3" "orders" "a row"
    planted target "UPDATE people SET region = 'us' WHERE id = 2" "region" "a constant"
    planted target "UPDATE people SET region = NULL WHERE id = 2" "region" "a constant that became null"
    planted target "UPDATE people SET rate = 0.11 WHERE id = 2" "rate" "an exact constant"
    planted target "UPDATE people SET seen = '2024-01-01 00:00:00.124' WHERE id = 1" "seen" "a value behind a rule"
    planted source "UPDATE clients SET seen = '2024-01-01 00:00:00.124456' WHERE id = 1" "seen" "a value before a rule"
    planted source "INSERT INTO clients VALUES(5, 'Eve', 0, NULL, NULL)" "customers" "a row that where lets in"
    planted target "UPDATE people SET tenant = 9 WHERE id = 4" "customers" "a row that where lets out"
    planted source "UPDATE clients SET deleted = 0 WHERE id = 3" "customers" "a row that came back"
    planted target "UPDATE prices SET price = 4 WHERE code = 'z'" "changed" "a row matched by the given key"
    planted target "UPDATE parts SET title = 'bolts' WHERE id = 1" "label" "one half of a divided table"
    planted target "UPDATE tools SET title = 'saws' WHERE id = 3" "label" "the other half"
    planted source "UPDATE things SET kind = 'tool' WHERE id = 1" "parts" "a row in the wrong half"
    planted target "ALTER TABLE people ADD COLUMN more INTEGER" "more" "a column that nobody maps"
    planted target "CREATE TABLE surprise(x INTEGER)" "surprise" "a table that nobody maps"
    planted source "ALTER TABLE clients ADD COLUMN more INTEGER" "more" "a column of the source that nobody maps"

    harmless source "UPDATE clients SET name = 'Cyril' WHERE id = 3" "a row outside of the source's where"
    harmless target "UPDATE people SET full_name = 'Z' WHERE id = 200" "a row outside of the target's where"
    harmless target "UPDATE people SET note = 'other'" "an ignored column"
    harmless source "INSERT INTO audit VALUES('y')" "an ignored table"
    harmless source "UPDATE clients SET seen = '2024-01-01 00:00:00.123999' WHERE id = 1" "what a rule takes away"
    harmless source "UPDATE things SET label = 'x' WHERE id = 5" "rows of neither half"

    fresh
    sed 's/, accept_loss: true//' "$work/m.yaml" >"$work/loss.yaml"
    expect_text 1 "equal_with_loss" "$kind: a loss that is not accepted counts" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/loss.yaml" --checks rows --report-dir "$work/r"
    expect_text 0 '"key":"id=1","side":"source"' "$kind: and is named by its row" \
        grep '"difference":"lossy".*"column":"seen"' "$work/r/events.jsonl"
    printf 'accept_loss: [customers.seen]\n' >>"$work/loss.yaml"
    expect_text 0 "equal" "$kind: a loss is accepted by name" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/loss.yaml" --checks rows --report-dir "$work/r"

    expect_text 0 "name -> full_name" "$kind: the plan names both places" compare --explain
    for text in "constant 7 -> tenant" "key: code (given)" "rules: truncate_ms" "loss accepted" \
        "only from clients where" "table audit of the source: stays where it is, by law" "clients, 3 rows"; do
        if grep -qF -- "$text" <<<"$out"; then ok "$kind: the plan says: $text"; else bad "$kind: the plan says: $text" "$out"; fi
    done
    on target "ALTER TABLE people ADD COLUMN more INTEGER"
    expect_text 0 "column more of customers is extra" "$kind: and what differs by declaration" compare --explain

    # Names that are not there.
    fresh
    sed 's/table: clients/table: client/' "$work/m.yaml" >"$work/bad.yaml"
    expect_text 2 'no table "client"; did you mean "clients"?' "$kind: a table that is not there" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/bad.yaml" --report-dir "$work/r"
    sed 's/source: name /source: nam /' "$work/m.yaml" >"$work/bad.yaml"
    expect_text 2 'bad.yaml:7: relations.customers.columns.full_name: table clients of the source has no column "nam"; did you mean "name"?' \
        "$kind: a column that is not there" "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/bad.yaml" --explain
    sed 's/tenant: 7 }/tenent: 7 }/' "$work/m.yaml" >"$work/bad.yaml"
    expect_text 2 'no column "tenent"' "$kind: a filter over a column that is not there" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/bad.yaml" --explain

    # The draft.
    fresh
    rm -f "$work/draft.yaml"
    expect 0 "$kind: a draft is made" "$sp" map "sqlite:$work/a.db" "$target" -o "$work/draft.yaml"
    expect_text 2 "is there already" "$kind: and replaces nothing" "$sp" map "sqlite:$work/a.db" "$target" -o "$work/draft.yaml"
    expect_text 0 "orders" "$kind: the draft is understood" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/draft.yaml" --explain
    expect 1 "$kind: what the draft could not match is a difference" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/draft.yaml" --report-dir "$work/r"
}

# --- ids that changed -------------------------------------------------------------------------------------------------
cat >"$work/ids.yaml" <<'YAML'
version: 1
crosswalks:
  ids: { side: target, table: id_map, source: old_id, target: new_id }
relations:
  customers:
    source: { table: clients, where: { deleted: 0 } }
    target: people
    only_listed: true
    columns:
      id: { crosswalk: ids }
      full_name: { source: name }
      region: { source: { constant: eu } }
      deleted: { ignore: where }
      note: { ignore: other }
      seen: { ignore: other }
      tenant: { ignore: other }
      rate: { ignore: other }
  orders:
    columns:
      customer: { source: client_id, target: person_id, crosswalk: ids }
  prices: { source: price_list }
ignore:
  source: { audit: other, things: other }
  target: { migrations: other, parts: other, tools: other, id_map: read by the crosswalk alone }
YAML
with_ids() {
    fresh
    on target "DELETE FROM orders; DELETE FROM people WHERE tenant = 8; UPDATE people SET id = id + 100;
INSERT INTO orders VALUES(1, 101, 10), (2, 102, 20), (3, 101, 30), (4, NULL, 40)"
    [ -z "${1:-}" ] || on target "$1" || bad "could not be planted: $1"
    "$sp" verify "sqlite:$work/a.db" "$target" --mapping "$work/ids.yaml" --checks rows,relations --report-dir "$work/r" -v
}
crosswalks() {
    expect_text 0 "equal" "$kind: ids are translated" with_ids
    expect_text 1 "customers" "$kind: found: a row without a translated id" \
        with_ids "INSERT INTO people VALUES(300, 'New', 7, 'eu', 0.1, NULL, NULL)"
    expect_text 1 "customers" "$kind: found: a crosswalk that leads elsewhere" \
        with_ids "UPDATE id_map SET new_id = 999 WHERE old_id = 2"
    expect_text 1 "customers" "$kind: found: a crosswalk in which two ids are exchanged" \
        with_ids "UPDATE id_map SET new_id = -1 WHERE old_id = 1; UPDATE id_map SET new_id = 101 WHERE old_id = 2;
UPDATE id_map SET new_id = 102 WHERE old_id = 1"
    expect_text 1 "customer" "$kind: found: a reference behind a crosswalk" \
        with_ids "UPDATE orders SET person_id = 102 WHERE id = 1"
    expect_text 1 "customer" "$kind: found: a lost reference behind a crosswalk" \
        with_ids "UPDATE orders SET person_id = NULL WHERE id = 1"
    expect_text 1 "full_name" "$kind: found: a value in a row whose id is translated" \
        with_ids "UPDATE people SET full_name = 'Anne' WHERE id = 101"
    expect_text 0 "ids translated by ids" "$kind: the plan names the crosswalk" \
        "$sp" verify "sqlite:$work/a.db" "$target" --mapping "$work/ids.yaml" --explain
}

# --- references that nobody declares ----------------------------------------------------------------------------------
cat >"$work/refs.yaml" <<'YAML'
version: 1
relations:
  notes: { columns: { thing: { target: thing_id } }, references: { thing: things, tag: tags.name } }
  things:
  tags: { key: [code] }
YAML
# with_refs SQL: the same tables on both sides, and a change of the target.
with_refs() {
    local tables="CREATE TABLE things(id INTEGER PRIMARY KEY, label TEXT); INSERT INTO things VALUES(1, 'a'), (2, 'b');
CREATE TABLE tags(code INTEGER, name TEXT); INSERT INTO tags VALUES(1, 'x'), (2, 'y');
CREATE TABLE notes(id INTEGER PRIMARY KEY, thing INTEGER, tag TEXT); INSERT INTO notes VALUES(1, 1, 'x'), (2, 2, 'y'), (3, 7, 'x');"
    rm -f "$work/a.db"
    on source "$tables"
    empty_target
    on target "$tables ALTER TABLE notes RENAME COLUMN thing TO thing_id"
    [ -z "${1:-}" ] || on target "$1" || bad "could not be planted: $1"
    "$sp" verify "sqlite:$work/a.db" "$target" --mapping "$work/refs.yaml" --checks "${2:-relations}" --report-dir "$work/r" -v
}
references() {
    expect_text 0 "1 rows refer to nothing in things, on the source as on the target" \
        "$kind: references of the mapping are checked on both sides" with_refs
    expect_text 1 "notes(thing)->things: 1 rows of the target refer to nothing" "$kind: found: an orphan of the target" \
        with_refs "DELETE FROM things WHERE id = 2"
    expect_text 1 "notes(tag)->tags: 1 rows of the target refer to nothing" "$kind: found: an orphan by another column" \
        with_refs "UPDATE notes SET tag = 'z' WHERE id = 1"
    sed -i 's/thing: things,/thing: thingz,/' "$work/refs.yaml"
    expect_text 2 'no relation "thingz"; did you mean "things"?' "$kind: a reference to nothing is a mistake" with_refs
    sed -i 's/thing: thingz,/thing: things,/' "$work/refs.yaml"
}

# --- a faithful copy, with all that both declare --------------------------------------------------------------------------
cat >"$work/whole.yaml" <<'YAML'
version: 1
relations:
  members:
    target: people
    columns:
      name: { target: title }
      price: { type: 'decimal(8,2)' }
      n: { type: int }
      at: { type: local_timestamp }
      seen: { rules: [truncate_ms], accept_loss: true }
      born: { rules: [epoch_s] }
  visits: { target: calls, columns: { member: { target: person } } }
  codes: { target: marks }
YAML
# whole SQL SED: the copy by the mapping is compared whole, after this change of its rows, or of its definitions (SQLite).
whole() {
    rm -f "$work/a.db"
    on source "CREATE TABLE members(id INTEGER PRIMARY KEY, name TEXT NOT NULL, price DECIMAL(8,2), n INT, at DATETIME, seen DATETIME, born INT,
  free, words);
INSERT INTO members VALUES(1, 'Ann', '1.25', 1, '2024-01-01 00:00:00', '2024-01-01 00:00:00.123456', 1700000000, 7, 'a'),
  (2, 'Bob', '2.5', NULL, NULL, '2024-01-01 00:00:00.5', NULL, 8, NULL);
CREATE TABLE visits(id INTEGER PRIMARY KEY AUTOINCREMENT, member INT NOT NULL REFERENCES members(id) ON DELETE CASCADE, what TEXT);
INSERT INTO visits VALUES(3, 1, 'x'), (7, 2, 'y');
CREATE TABLE codes(k INT PRIMARY KEY, label TEXT);
INSERT INTO codes VALUES(1, 'one'), (2, 'two');
CREATE UNIQUE INDEX by_name ON members(name, n);"
    empty_target
    "$sp" migrate "sqlite:$work/a.db" "$target" -m "$work/whole.yaml" --report-dir "$work/m" || return 9
    if [ -n "${2:-}" ]; then
        sqlite3 "$work/b.db" .dump >"$work/before.sql"
        sed "$2" "$work/before.sql" >"$work/b.sql"
        ! cmp -s "$work/before.sql" "$work/b.sql" && rm "$work/b.db" && sqlite3 "$work/b.db" <"$work/b.sql" || return 8
    fi
    [ -z "${1:-}" ] || on target "$1" || return 7
    "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/whole.yaml" --report-dir "$work/r" -v
}
wholes() {
    expect_text 0 "equal" "$kind: a faithful copy is equal with all that it declares" whole
    expect_text 1 "column free" "$kind: found: a value of a column without a type" whole "UPDATE people SET free = 9 WHERE id = 1"
    expect_text 1 "column price" "$kind: found: a value of a column whose type the mapping gives" whole "UPDATE people SET price = '1.26' WHERE id = 1"
    expect_text 1 "column seen" "$kind: found: a value that a rule made" whole "UPDATE people SET seen = '2024-01-01 00:00:00.124' WHERE id = 1"
    expect_text 1 "by_name" "$kind: found: a lost index" whole "DROP INDEX by_name"
    [ "$kind" = sqlite ] || return 0
    expect_text 1 "type price of members is changed" "found: a type that is not the mapping's" whole "" 's/"price" DECIMAL_TEXT(8,2)/"price" DECIMAL_TEXT(9,2)/'
    expect_text 1 "type what of visits is changed" "found: another type" whole "" 's/"what" TEXT/"what" BLOB/'
    expect_text 1 "nullability name of members is changed" "found: a lost NOT NULL" whole "" 's/"title" TEXT NOT NULL/"title" TEXT/'
    expect_text 1 "definition of visits is changed" "found: ids that are given out again" whole "" '/TABLE.*"calls"/,/;/s/ AUTOINCREMENT//'
    expect_text 1 "identity id of members is missing" "found: ids that nobody gives out" whole "" '/TABLE.*"people"/,/;/s/ AUTOINCREMENT NOT NULL/ DESC NOT NULL/'
}

# --- several readers, a sample, rows in flight ------------------------------------------------------------------------
many() {
    local numbers="WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 40000)"
    printf '%s\n' 'version: 1' relations: '  customers:' '    source: { table: clients, where: { deleted: 0 } }' \
        '    target: people' '    columns: { full_name: { source: name }, tenant: { source: { constant: 7 } },' \
        '      deleted: { source: deleted, ignore: where } }' >"$work/many.yaml"
    rm -f "$work/a.db"
    on source "CREATE TABLE clients(id INTEGER PRIMARY KEY, name TEXT, deleted INT);
$numbers INSERT INTO clients SELECT n, 'n' || n, n % 10 = 0 FROM i"
    empty_target
    on target "CREATE TABLE people(id INTEGER PRIMARY KEY, full_name TEXT, tenant INTEGER);
$numbers INSERT INTO people SELECT n, 'n' || n, 7 FROM i WHERE n % 10 <> 0"
    local look=("$sp" verify "sqlite:$work/a.db" "$target" -m "$work/many.yaml" --checks rows --report-dir "$work/r")
    expect_text 0 "36,000 rows" "$kind: several readers see relations" "${look[@]}" --jobs 3
    expect_text 3 "no_difference_seen" "$kind: a sample is taken of relations" "${look[@]}" --sample 20%
    on target "UPDATE people SET full_name = 'x' WHERE id = 31234"
    expect_text 1 "31234" "$kind: found: by several readers" "${look[@]}" --jobs 3
    expect_text 1 "31234" "$kind: found: when rows are looked at again" "${look[@]}" --recheck 1s
}

# --- copies -----------------------------------------------------------------------------------------------------------
move() { "$sp" migrate "sqlite:$work/a.db" "$target" --mapping "$work/copy.yaml" --report-dir "$work/m" "$@"; }
# refused TEXT NAME LINES...: a copy by the mapping with these lines.
refused() {
    local text=$1 name=$2
    printf '%s\n' 'version: 1' 'crosswalks: { ids: { side: target, table: m, source: a, target: b } }' relations: "${@:3}" \
        >"$work/refused.yaml"
    expect_text 2 "$text" "$kind: refused: $name" "$sp" migrate "sqlite:$work/a.db" "$target" -m "$work/refused.yaml" \
        --report-dir "$work/m"
}
copies() {
    fresh
    sed -e '/^  target: { migrations/d' -e 's/^\( *\)tenant: { source.*/&\n\1since: { source: { constant: 2024-02-29 }, type: date }/' \
        "$work/m.yaml" >"$work/copy.yaml"
    empty_target
    expect_text 0 "would create the table" "$kind: a dry run says what a copy would do" move --dry-run -v
    expect_text 0 "MIGRATED" "$kind: a copy goes to the names of the target" move
    expect_text 0 "equal" "$kind: and is equal through the same mapping" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/copy.yaml" --checks rows,relations --report-dir "$work/r"
    expect_text 0 "equal" "$kind: counters go on behind the rows" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/copy.yaml" --checks sequences --report-dir "$work/r"
    expect_text 0 "3" "$kind: where was followed" on target "SELECT count(*) FROM people"
    expect_text 0 "2024-02-29" "$kind: constants were written" on target "SET DATESTYLE = ISO; SELECT min(since) FROM people"
    expect_text 0 "00:00:00.123" "$kind: rules were followed" on target "SET DATESTYLE = ISO; SELECT min(seen) FROM people"
    on target "DELETE FROM orders; DELETE FROM people; DELETE FROM parts; DELETE FROM tools; DELETE FROM prices"
    expect_text 2 "exists on the target already" "$kind: tables that are there are refused" move
    expect_text 0 "MIGRATED" "$kind: and taken when asked for" move --into-existing
    expect_text 0 "equal" "$kind: and are equal then" \
        "$sp" verify "sqlite:$work/a.db" "$target" -m "$work/copy.yaml" --checks rows,relations --report-dir "$work/r"
    empty_target
    refused "does not translate ids" "ids that are translated" '  orders: { columns: { client_id: { crosswalk: ids } } }'
    refused "keeps no arrays of documents" "rows that become elements" \
        '  orders: { target: { table: clients, array: orders }, columns: { client_id: { target: { parent: id } } } }'
    refused 'not "a/b" inside' "an array inside of a document" '  orders: { target: { table: clients, array: a/b } }'
    refused 'not "a/b" inside' "a place inside of a document" '  clients: { columns: { name: { target: a/b } } }'
    refused "has a constant for it" "a column for which the target has a constant" \
        '  clients: { columns: { name: { target: { constant: Ann } } } }'
    refused "two relations into one table" "two relations of one table" \
        '  clients: { target: { table: all, where: { x: 1 } } }' '  orders: { target: { table: all, where: { x: 2 } } }'
    refused "the source has a table of that name" "a name that is taken" '  clients: { target: orders }'
    refused "is not listed" "a column that nobody listed" '  clients: { only_listed: true, columns: { id: } }'
    refused 'no table "client"; did you mean "clients"?' "a table that is not there" '  client:'
}

kind=sqlite
target=sqlite:$work/b.db
both
crosswalks
references
wholes
many
copies

# A parent that the mapping leaves out: whether its rows are there nobody knows, so the reference is not called checked.
parents="CREATE TABLE p(id INTEGER PRIMARY KEY, gone INT); INSERT INTO p VALUES(1, 0), (2, 1);
CREATE TABLE c(id INTEGER PRIMARY KEY, pid INT REFERENCES p(id)); INSERT INTO c VALUES(1, 1), (2, 2);"
# left_out YAML OPTIONS...: the target has lost row 2 of p.
left_out() {
    rm -f "$work/a.db" "$work/b.db"
    on source "$parents"
    on target "$parents PRAGMA foreign_keys = off; DELETE FROM p WHERE id = 2"
    printf 'version: 1\n%s\n' "$1" >"$work/out.yaml"
    "$sp" verify "sqlite:$work/a.db" "sqlite:$work/b.db" -m "$work/out.yaml" --report-dir "$work/r" -v "${@:2}"
}
ignored="ignore: { source: { p: kept elsewhere }, target: { p: kept elsewhere } }"
filtered="relations: { p: { source: { where: { gone: 0 } } } }"
expect_text 3 "c refers to p, which the mapping leaves out" "a reference to an ignored table" left_out "$ignored"
expect_text 0 "acknowledged by name: relation:c.pid" "may be acknowledged" left_out "$ignored" --accept relation:c.pid
expect_text 3 "rows of p that the mapping leaves out" "a reference to rows that a filter leaves out" left_out "$filtered"
expect_text 0 "acknowledged by name: relation:c.pid" "may be acknowledged, too" left_out "$filtered" --accept relation:c.pid

expect_text 0 "relations.NAME.columns.NAME" "help mapping lists the keys" "$sp" help mapping
for doc in README.md harness/map/README.md; do
    awk '/^version: 1$/ { on = 1 } /^[^a-z #]/ { on = 0 } on' "$doc" >"$work/doc.yaml"
    expect_text 2 "has no " "the example in $doc is read, and its tables are looked for" \
        "$sp" verify "sqlite:$work/a.db" "sqlite:$work/b.db" -m "$work/doc.yaml" --explain
done
expect_text 2 "cannot read the mapping" "a mapping that is not there" compare -m "$work/nowhere.yaml"
printf 'version: 1\nrelations:\n  a: { sorce: b }\n' >"$work/bad.yaml"
expect_text 2 'bad.yaml:3:8: relations.a: unknown key "sorce"; did you mean "source"?' "a mistake in the file" \
    compare -m "$work/bad.yaml"

# Between files of one kind, what both declare is compared under the relation's names; what is fine is acknowledged.
fresh
expect_text 0 "equal" "declarations are compared under the relation's names" compare
printf "acknowledge: ['index:customers.by_name', 'index:orders.none']\n" >>"$work/m.yaml"
expect_text 0 "nothing of that name differs" "an acknowledgement without a cause is said" compare
on target "CREATE INDEX by_name ON people(full_name)"
expect_text 0 "acknowledged by name: index:customers.by_name" "a difference is acknowledged in the mapping" compare
sed -i '/^acknowledge/d' "$work/m.yaml"
expect_text 1 "index by_name of customers is extra" "and is one without it" compare
on target "DROP INDEX by_name; CREATE INDEX by_name ON people(note)"
expect_text 1 "index by_name of customers is extra" "an index over an ignored column is seen" compare

# A copy binds values to the types that the source only declares: that is the same type, and any other is not.
rm -f "$work/a.db" "$work/b.db"
on source "CREATE TABLE t(code TEXT PRIMARY KEY NOT NULL, n INT NOT NULL, name VARCHAR(20), x REAL, note TEXT, price DECIMAL(8,2), b BLOB,
  day DATE); INSERT INTO t VALUES('k', 2, 'a', 1.5, 'b', '1.25', x'00', '2024-01-02')"
printf 'version: 1\nrelations:\n  t: { target: u, columns: { name: { target: title } } }\n' >"$work/typed.yaml"
typed() { "$sp" verify "sqlite:$work/a.db" "sqlite:$work/b.db" -m "$work/typed.yaml" --report-dir "$work/r" -v; }
expect 0 "a copy by a mapping" "$sp" migrate "sqlite:$work/a.db" "sqlite:$work/b.db" -m "$work/typed.yaml" --report-dir "$work/m"
expect_text 0 "equal" "has the types that the source declares" typed
sqlite3 "$work/b.db" .dump | sed 's/"n" BIGINT/"n" TEXT/' >"$work/b.sql"
rm "$work/b.db"
sqlite3 "$work/b.db" <"$work/b.sql"
expect_text 1 "type n of t is changed" "and another type is a difference" typed

start_server "$build" postgresql
case $? in
0)
    kind=postgresql
    target=env:POSTGRESQL_URL
    both
    crosswalks
    references
    wholes
    many
    copies
    ;;
1) skipped=$((skipped + 1)) ;;
*) failed=$((failed + 1)) ;;
esac
totals
