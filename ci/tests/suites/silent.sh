#!/usr/bin/env bash
# What was not looked at is never passed over in silence: checks that meet nothing, tables that are all left out, and checks of the
# team that the choice of tables leaves out.
# usage: ci/tests/suites/silent.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: silent.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' INT TERM

sqlite3 "$work/a.db" "CREATE TABLE plain(what TEXT); INSERT INTO plain VALUES('a');"
cp "$work/a.db" "$work/b.db"
verify() { "$sp" verify "sqlite:$work/a.db" "sqlite:$work/b.db" --report-dir "$work/r" "$@"; }

for check in relations sequences uniqueness required blobs accounts relations,sequences; do
    expect_text 3 "nothing to compare" "--checks $check where there is nothing of the kind" verify --checks "$check"
done
expect_text 3 "only counts" "--checks counts compares no contents" verify --checks counts
for check in schema rows profiles; do
    expect 0 "--checks $check looks at the table" verify --checks "$check"
done
expect_text 0 "nothing to look at on either side: relations" "said beside a check that looked" \
    verify --checks rows,relations

printf 'version: 1\nignore:\n  source: { plain: old }\n  target: { plain: old }\n' >"$work/none.yaml"
expect_text 3 "nothing to compare" "all tables left out by the mapping" verify --mapping "$work/none.yaml"

sqlite3 "$work/a.db" "CREATE TABLE p(id INTEGER PRIMARY KEY, n TEXT);
CREATE TABLE c(id INTEGER PRIMARY KEY, p_id INTEGER REFERENCES p(id));
INSERT INTO p VALUES(1, 'x'), (2, 'y'); INSERT INTO c VALUES(1, 1);"
cp "$work/a.db" "$work/b.db"
cat >"$work/c.yaml" <<YAML
providers:
  old: { kind: sqlite, url: "sqlite:$work/a.db" }
  new: { kind: sqlite, url: "sqlite:$work/b.db" }
checks:
  - { name: one name, unique: [p, n] }
  - { name: a name, required: [p, n] }
YAML
team() { "$sp" verify --config "$work/c.yaml" old new --report-dir "$work/r" "$@"; }
expect_text 0 "NOT COMPARED one name: left out by --tables: unique p (n)" "a key on a table left out" team --tables c
expect_text 0 "left out by --tables: required p (n)" "required fields of a table left out" echo "$out"
expect_text 0 "not compared: one name, a name" "beside the verdict, too" echo "$out"
expect 0 "verify.json has its fields" "$build/tools/check_json" verify "$work/r/verify.json"
expect_text 0 '"what": "left out by --tables"' "and stands in verify.json" cat "$work/r/verify.json"
expect_text 0 'left out by --tables: unique p (n)' "and in the report" cat "$work/r/report.html"
expect_text 0 "NOT COMPARED c(p_id)->p: left out by --tables" "a relation of a table left out" team --tables p,plain
expect_text 3 "NOT COMPARED one name: left out by --checks" "checks of the team where no table is read" \
    team --checks accounts
sqlite3 "$work/b.db" "UPDATE p SET n = 'y'"
expect_text 1 "unique p (n)" "what they look for is found where the table is read" team --checks relations
totals
