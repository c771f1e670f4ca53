#!/usr/bin/env bash
# All suites and the provider's own tests on a real PostgreSQL that the stack starts; then the package database, copied and
# compared.
# usage: tests/suites/postgresql.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
build=$(cd "${1:?usage: postgresql.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
passed=0 failed=0 skipped=0

if ! "$sp" list providers 2>/dev/null | grep -q '^ *postgresql'; then
    echo "skip: this build has no provider postgresql"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null 2>&1; then
    echo "skip: there is no PostgreSQL server on this machine; run: ci/deps servers"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi

work=$(mktemp -d)
export STACK_DIR=$work/stack
trap 'ci/stack down >/dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 143' INT TERM

ok() {
    passed=$((passed + 1))
    echo "ok - $1"
}
bad() {
    failed=$((failed + 1))
    echo "not ok - $1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | tail -n 30 | sed 's/^/    /'
}
expect() {
    local want=$1 name=$2 out rc=0
    shift 2
    out=$("$@" 2>&1) || rc=$?
    if [ "$rc" = "$want" ]; then
        ok "$name"
    else
        bad "$name: expected exit code $want, actual $rc" "$out"
    fi
}
query() { psql -qAtX "$POSTGRESQL_URL" -c "$1" 2>&1; }

# --- the stack itself -------------------------------------------------------------------------------------------
if ! env=$(ci/stack up postgresql 2>&1); then
    bad "the stack starts PostgreSQL" "$env"
    echo "$passed passed, $failed failed, $skipped skipped"
    exit 1
fi
ok "the stack starts PostgreSQL"
export "${env?}"
expect 0 "and says that it answers" ci/stack status
expect 0 "up again changes nothing" ci/stack up
if [ "$(ci/stack env)" = "$env" ]; then
    ok "the environment stays the same"
else
    bad "the environment stays the same"
fi

# --- a run that holds -------------------------------------------------------------------------------------------
cat >"$work/pg.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  pg: { kind: postgresql, url: "\${POSTGRESQL_URL}", access: disposable }
YAML
expect 0 "all suites hold on PostgreSQL" "$sp" run -c "$work/pg.yaml"
expect 0 "junit.xml is strict junit-10" "$build/tools/check_junit" "$work/report/junit.xml"
n=$(sed -n 's/^ *"passed": \([0-9]*\).*/\1/p' "$work/report/summary.json" | head -n 1)
if [ "${n:-0}" -ge 300 ]; then
    ok "at least 300 cases passed ($n)"
else
    bad "at least 300 cases passed: actual ${n:-none}"
fi
if grep -q '"fidelity": *"real"' "$work/report/summary.json"; then
    ok "the report says that the server is real"
else
    bad "the report says that the server is real"
fi
password=${POSTGRESQL_URL#*switchproof:}
password=${password%%@*}
if grep -rqF "$password" "$work/report" "$work/state" 2>/dev/null; then
    bad "no report holds the password"
else
    ok "no report holds the password"
fi
left=$(query "select nspname from pg_namespace where nspname like 'sp%' union all select rolname from pg_roles where rolname like 'sp%'")
if [ -z "$left" ]; then
    ok "a run leaves nothing behind"
else
    bad "a run leaves nothing behind" "$left"
fi

# --- the provider's own tests -----------------------------------------------------------------------------------
for t in "$build"/tests/provider/test_postgresql_*; do
    [ -x "$t" ] && expect 0 "$(basename "$t")" "$t"
done

# --- what a killed run leaves is removed, and nothing else --------------------------------------------------------
query "create schema mine; create table mine.kept(id int); create table kept(id int)" >/dev/null
"$sp" run -q -c "$work/pg.yaml" -s load --report-dir "$work/killed" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do
    [ -n "$(query "select 1 from pg_namespace where nspname like 'sp%'")" ] && break
    sleep 0.05
done
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
sleep 0.5
expect 0 "clean removes what a killed run left" "$sp" clean -c "$work/pg.yaml"
left=$(query "select nspname from pg_namespace where nspname like 'sp%'")
kept=$(query "select count(*) from pg_tables where tablename = 'kept'")
if [ -z "$left" ] && [ "$kept" = 2 ]; then
    ok "and nothing else"
else
    bad "and nothing else" "left: $left; tables of others: $kept"
fi
query "drop schema mine cascade; drop table kept" >/dev/null

# --- a server that is down ----------------------------------------------------------------------------------------
"$sp" fixture generated "$work/production.db" >/dev/null 2>&1
ci/stack stop postgresql
expect 3 "a server that is down is no verdict" "$sp" verify "sqlite:$work/production.db" env:POSTGRESQL_URL \
    --report-dir "$work/v0"
ci/stack start postgresql
expect 0 "after its restart it answers again" ci/stack status

expect 0 "the stack goes down" ci/stack down
if [ ! -e "$STACK_DIR" ]; then
    ok "and leaves nothing behind"
else
    bad "and leaves nothing behind" "$(find "$STACK_DIR" | head)"
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
