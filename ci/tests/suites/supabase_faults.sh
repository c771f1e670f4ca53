#!/usr/bin/env bash
# Every operation of the database facet of Supabase through a proxy that spoils its requests and answers, before a real PostgREST
# that nobody else uses meanwhile: it reads its schemas anew all the time. usage: ci/tests/suites/supabase_faults.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: supabase_faults.sh BUILD_DIRECTORY}" && pwd)
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack

tests=(test_supabase_faults)
if [ "${NIGHTLY:-0}" = 1 ]; then
    tests+=(test_supabase_faults_schema)
else
    skipped=1
    echo "skip: schemas made and dropped under faults take minutes of waiting for PostgREST; they run with ci/check --nightly"
fi
for t in "${tests[@]}"; do
    ci/stack down >/dev/null 2>&1 # to each a server that nothing has disturbed
    need_server "$build" supabase
    rc=0
    out=$(timeout 400 "$build/tests/provider/$t" 2>&1) || rc=$?
    if [ "$rc" = 0 ] && grep -q 'struck by a fault' <<<"$out" && ! grep -q '_URL is not set' <<<"$out"; then
        ok "$t: $(grep 'struck by a fault' <<<"$out")"
    else
        bad "$t (exit code $rc)" "$out"
    fi
done
totals
