#!/usr/bin/env bash
# The kill matrix of verify with a PostgreSQL target: corruptions that psql planted, and equal copies.
# usage: ci/tests/kill/pg_corruptions.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: pg_corruptions.sh BUILD_DIRECTORY}" && pwd)

# shellcheck source=ci/tests/server
. ci/tests/server
own_stack

start_server "$build" postgresql
case $? in
1)
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
    ;;
2)
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
    ;;
esac
mkdir "$work/runs"
(cd "$work/runs" && "$build/tools/pg_corruptions" "$build/switchproof" "$work/runs") # nothing of the caller's configuration is read
