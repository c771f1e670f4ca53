#!/usr/bin/env bash
# verify and migrate while PostgreSQL is killed under them: nothing is concluded, nothing hangs, and what is left is said.
# usage: ci/tests/suites/postgresql_killed.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: postgresql_killed.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
rows=1000000

# shellcheck source=ci/tests/server
. ci/tests/server
own_stack

# expect CODE NAME COMMAND...: the output is left in $out.
expect() {
    local want=$1 name=$2 rc=0
    shift 2
    out=$(timeout 120 "$@" 2>&1) || rc=$?
    if [ "$rc" = "$want" ]; then
        ok "$name"
    else
        bad "$name: expected exit code $want, actual $rc" "$out"
    fi
}
query() { psql -qAtX "$POSTGRESQL_URL" -c "$1" 2>&1; }

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
sqlite3 "$work/source.db" "create table t(id integer primary key, a text not null, b text, n integer);
    with recursive c(i) as (select 1 union all select i + 1 from c where i < $rows)
    insert into t select i, 'row number ' || i || ' with a longer text', hex(i * 7919), i * 3 from c"

# Kills the server as soon as it works on a COPY of the table; told in $work/hit.
kill_in_copy() {
    rm -f "$work/hit"
    for _ in $(seq 1000); do
        if [ -n "$(query "select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query ilike 'copy%'" 2>/dev/null)" ]; then
            touch "$work/hit"
            break
        fi
        sleep 0.02
    done
    ci/stack kill postgresql >/dev/null 2>&1
}
# under_kill NAME COMMAND...: exit code 3 while the server dies; then the server is started again.
under_kill() {
    local name=$1
    shift
    kill_in_copy &
    local killer=$!
    expect 3 "$name is no verdict" "$@"
    wait "$killer"
    if [ -e "$work/hit" ]; then
        ok "the server was killed in the middle of it"
    else
        bad "the server was killed in the middle of it"
    fi
    ci/stack start postgresql >/dev/null 2>&1 || bad "the server starts again"
}
verify() { "$sp" verify "sqlite:$work/source.db" env:POSTGRESQL_URL --report-dir "$work/verify"; }
migrate() {
    "$sp" migrate "sqlite:$work/source.db" env:POSTGRESQL_URL --strategy bulk --report-dir "$work/migrate"
}
export -f verify migrate
export sp work

under_kill "a migration whose target dies" bash -c migrate
if [[ $out == *"left behind on the target: t"* ]]; then
    ok "and says what is left"
else
    bad "and says what is left" "$out"
fi
if [ "$(query 'select count(*) from t')" = 0 ]; then
    ok "which has no row of the broken load"
else
    bad "which has no row of the broken load" "$(query 'select count(*) from t')"
fi
expect 1 "and it is not equal" bash -c verify
query "drop table t" >/dev/null
expect 0 "the migration is made again" bash -c migrate
expect 0 "and is equal" bash -c verify

under_kill "a comparison whose target dies" bash -c verify
if grep -q '"verdict": *"not_compared"' "$work/verify/verify.json"; then
    ok "and its report says that nothing was compared"
else
    bad "and its report says that nothing was compared" "$(head -n 20 "$work/verify/verify.json")"
fi
expect 0 "with the server back, the copies are equal" bash -c verify

totals
