#!/usr/bin/env bash
# A MongoDB-compatible server behind a proxy that misbehaves on order: verify ends with exit code 3, in bounded time, with a
# message that names the provider, and without the password; never "equal".
# usage: ci/tests/suites/bad_servers_mongodb.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: bad_servers_mongodb.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
passed=0 failed=0 skipped=0
totals() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ "$failed" = 0 ]
}
ok() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "not ok - $1"
    head -n 20 "$work/out" 2>/dev/null | cut -c 1-400 | sed 's/^/    /'
}

work=$(mktemp -d)
export STACK_DIR=$work/stack
proxy_pid=
cleanup() {
    [ -z "$proxy_pid" ] || kill "$proxy_pid" 2>/dev/null
    ci/stack down >/dev/null 2>&1
    rm -rf "$work"
}
trap cleanup EXIT
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
password=${MONGODB_URL#*switchproof:}
password=${password%%@*}
# shellcheck disable=SC2034 # for ci/tests/proxy
server_url=$MONGODB_URL
server_port=${MONGODB_URL##*:}
server_port=${server_port%%/*}
# shellcheck source=ci/tests/proxy
. ci/tests/proxy

sqlite3 "$work/here.db" "create table big(id int primary key, a text not null) strict;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
    insert into big select i, 'row ' || i || hex(zeroblob(40)) from n" || bad "the fixture is made"
cat >"$work/c.yaml" <<YAML
state_dir: "$work/state"
providers:
  bad: { kind: mongodb, url: "\${BAD_URL}", connect_timeout: 2s, statement_timeout: 4s }
  here: { kind: sqlite, url: "sqlite:$work/here.db" }
YAML
# verify CODES SECONDS TEXT NAME
verify() {
    local rc=0 start=$SECONDS
    rm -rf "$work/report"
    timeout -k 5 90 "$sp" verify -c "$work/c.yaml" bad here --checks rows --report-dir "$work/report" \
        >"$work/out" 2>&1 </dev/null || rc=$?
    if [[ " $1 " != *" $rc "* ]]; then
        bad "$4: exit code $rc, expected $1"
    elif [ $((SECONDS - start)) -gt "$2" ]; then
        bad "$4: took $((SECONDS - start)) s, at most $2 are right"
    elif ! grep -qE -- "$3" "$work/out"; then
        bad "$4: '$3' is not in the output"
    elif grep -rqF -- "$password" "$work/out" "$work/report" "$work/state" 2>/dev/null; then
        bad "$4: the password is in the output or a report"
    elif [ "$rc" != 0 ] && grep -qs '"verdict": *"equal"' "$work/report/verify.json"; then
        bad "$4: verify.json says equal"
    else
        ok
    fi
}

if "$sp" migrate "sqlite:$work/here.db" env:MONGODB_URL --report-dir "$work/copied" >"$work/out" 2>&1; then ok; else
    bad "the copy is made"
fi
proxy pass
verify 0 60 '^equal' "equal through the proxy"
through 1
verify 3 10 'bad.*cannot connect' "nobody listens on this port"
proxy refuse
verify 3 10 'bad.*cannot connect' "resets every connection"
proxy silent
verify 3 10 'bad.*cannot connect.*timeout' "accepts and never answers"
proxy garbage 0
verify 3 10 'bad.*cannot connect' "answers with nonsense"
proxy stall 100000
verify 3 30 'big.*scan: no answer within its time-out' "falls silent in the middle of a scan"
for at in 10 1000 3000 20000 300000 1000000; do
    proxy cut-server $at
    verify 3 20 'bad|big' "cut after $at bytes"
    proxy end-server $at
    verify 3 20 'bad|big' "closed in good order after $at bytes"
done
for at in 200 1500 3000; do
    proxy cut-client $at
    verify 3 20 'bad|big' "cut after $at bytes of ours"
done
stop_proxy
if ci/stack down && [ ! -e "$STACK_DIR" ]; then ok; else bad "the stack leaves nothing behind"; fi
totals
