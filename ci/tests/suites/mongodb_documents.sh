#!/usr/bin/env bash
# Documents: tables copied into a MongoDB-compatible server, documents copied from there into another database, and both
# compared.
# usage: ci/tests/suites/mongodb_documents.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mongodb_documents.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks

# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" mongodb
export SQL_URL COPY_URL
SQL_URL=$(mongodb_url from_tables) COPY_URL=$(mongodb_url from_documents)

# --- tables become collections ----------------------------------------------------------------------------------------
expect_text 0 "packages" "package data is there" "$sp" fixture dpkg "$work/source.db" --or-generated
expect_text 0 "MIGRATED" "tables are copied into collections" \
    "$sp" migrate "sqlite:$work/source.db" env:SQL_URL --report-dir "$work/m1"
expect_text 0 "equal" "and hold the same rows" \
    "$sp" verify "sqlite:$work/source.db" env:SQL_URL --checks rows --report-dir "$work/v1"
expect_text 1 "foreign_key" "what the server cannot enforce is said" \
    "$sp" verify "sqlite:$work/source.db" env:SQL_URL --report-dir "$work/v2"
expect_text 2 "exists on the target already" "a second copy is refused" \
    "$sp" migrate "sqlite:$work/source.db" env:SQL_URL --report-dir "$work/m2"

# --- and collections are copied as they are stored ----------------------------------------------------------------------
expect_text 0 "MIGRATED" "collections are copied into another database" \
    "$sp" migrate env:SQL_URL env:COPY_URL --report-dir "$work/m3"
expect_text 0 "equal" "and are equal in everything" "$sp" verify env:SQL_URL env:COPY_URL --report-dir "$work/v3"
totals
