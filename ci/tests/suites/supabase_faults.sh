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
need_server "$build" supabase

for t in test_supabase_faults test_supabase_faults_schema; do
    rc=0
    out=$(timeout 400 "$build/tests/provider/$t" 2>&1) || rc=$?
    if [ "$rc" = 0 ] && grep -q 'struck by a fault' <<<"$out" && ! grep -q '_URL is not set' <<<"$out"; then
        ok "$t: $(grep 'struck by a fault' <<<"$out")"
    else
        bad "$t (exit code $rc)" "$out"
    fi
done
totals
