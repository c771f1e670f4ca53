#!/usr/bin/env bash
# All suites on the MongoDB-compatible server that the stack starts, also the cases that stop and kill it.
# usage: ci/tests/suites/mongodb.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mongodb.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
passed=0 failed=0 skipped=0
totals() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}
ok() {
    passed=$((passed + 1))
    echo "ok - $1"
}
bad() {
    failed=$((failed + 1))
    echo "not ok - $1"
    [ -z "${2:-}" ] || printf '%s\n' "$2" | tail -n 30 | sed 's/^/    /'
}
# expect CODE TEXT NAME COMMAND...: the exit code, and a text in what is said.
expect() {
    local want=$1 text=$2 name=$3 out rc=0
    shift 3
    out=$("$@" 2>&1) || rc=$?
    if [ "$rc" = "$want" ] && grep -qF -- "$text" <<<"$out"; then
        ok "$name"
    else
        bad "$name: expected exit code $want and \"$text\", actual exit code $rc" "$out"
    fi
}

work=$(mktemp -d)
export STACK_DIR=$work/stack
trap 'ci/stack down >/dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 143' INT TERM
# shellcheck source=ci/tests/server
. ci/tests/server
start_server "$build" mongodb
case $? in
1)
    skipped=1
    totals
    exit 0
    ;;
2)
    failed=1
    totals
    exit 1
    ;;
esac

cat >"$work/mo.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  mo: { kind: mongodb, url: "\${MONGODB_URL}", access: disposable, options: { stack: ci/stack } }
YAML
expect 0 "HELD" "all suites hold on the MongoDB-compatible server" "$sp" run -c "$work/mo.yaml"
expect 0 "" "junit.xml is strict junit-10" "$build/tools/check_junit" "$work/report/junit.xml"
n=$(sed -n 's/^ *"passed": \([0-9]*\).*/\1/p' "$work/report/summary.json" | head -n 1)
if [ "${n:-0}" -ge 350 ]; then
    ok "at least 350 cases passed ($n)"
else
    bad "at least 350 cases passed: actual ${n:-none}"
fi
if grep -q '"fidelity": *"compatible server"' "$work/report/summary.json"; then
    ok "the report says that the server is a compatible one"
else
    bad "the report says that the server is a compatible one"
fi
for case in connection.connection_limit connection.reconnect_after_restart connection.server_stopped \
    connection.killed_in_writes connection.killed_in_transaction connection.killed_in_scan \
    connection.killed_in_bulk_load storage.killed_in_put storage.killed_in_get; do
    if grep -A 8 "\"$case\"" "$work/report/summary.json" | grep -q '"outcome": *"passed"'; then
        ok "the stack's server was disturbed: $case"
    else
        bad "the stack's server was disturbed: $case"
    fi
done
password=${MONGODB_URL#*switchproof:}
password=${password%%@*}
if grep -rqF "$password" "$work/report" "$work/state" 2>/dev/null; then
    bad "no report holds the password"
else
    ok "no report holds the password"
fi

# --- what a killed run leaves is removed --------------------------------------------------------------------------
"$sp" run -q -c "$work/mo.yaml" -s load --report-dir "$work/killed" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 200); do
    grep -qs '"type": *"namespace"' "$work"/state/journal/*.jsonl && break
    sleep 0.05
done
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
sleep 0.5
expect 0 "removed namespace" "clean removes what a killed run left" "$sp" clean -c "$work/mo.yaml"

# --- a server that is down --------------------------------------------------------------------------------------------
ci/stack stop mongodb
expect 3 "cannot connect" "a server that is down is no verdict" "$sp" run -c "$work/mo.yaml" -k crud.create_read --report-dir "$work/down"
ci/stack start mongodb
expect 0 "answers" "after its restart it answers again" ci/stack status mongodb

expect 0 "" "the stack goes down" ci/stack down
if [ ! -e "$STACK_DIR" ]; then
    ok "and leaves nothing behind"
else
    bad "and leaves nothing behind" "$(find "$STACK_DIR" | head)"
fi
totals
