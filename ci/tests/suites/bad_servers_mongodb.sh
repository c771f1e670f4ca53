#!/usr/bin/env bash
# shellcheck disable=SC2016 # $ in single quotes is extended JSON
# A MongoDB-compatible server behind a proxy that misbehaves on order: verify ends with exit code 3, in bounded time, with a
# message that names the provider, and without the password; never "equal".
# usage: ci/tests/suites/bad_servers_mongodb.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: bad_servers_mongodb.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/proxy
. ci/tests/proxy
server mongodb MONGODB_URL

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
    ends "$@" "$sp" verify -c "$work/c.yaml" bad here --checks rows --report-dir "$work/report"
}

if "$sp" migrate "sqlite:$work/here.db" env:MONGODB_URL --report-dir "$work/copied" >"$work/out" 2>&1; then ok "the copy is made"; else
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
# What happens to the collection while it is read slowly: its state is kept, or that it was not is said; never "equal" for what
# was not read. command JSON NAME CODES
during() {
    local pid rc=0
    proxy delay 15
    printf '%s\n' "$2" >"$work/first"
    rm -rf "$work/report"
    "$sp" verify -c "$work/c.yaml" bad here --checks rows --report-dir "$work/report" >"$work/out" 2>&1 </dev/null 8>&- &
    pid=$!
    if ! flows "$pid" 100000; then
        bad "$3: verify was over too soon"
    elif ! "$build/tools/documents" "$MONGODB_URL" <"$work/first" >>"$work/out" 2>&1; then
        bad "$3: it could not be done"
    fi
    wait "$pid" || rc=$?
    case " $1 " in
    *" $rc "*) ok "$3 ($rc)" ;;
    *) bad "$3: exit code $rc, expected $1" ;;
    esac
}
if [ -x "$build/tools/documents" ]; then
    during "0 3" '{"insert":"big","documents":[{"id":{"$numberInt":"77777"},"a":"new"}]}' "a document is added meanwhile"
    "$build/tools/documents" "$MONGODB_URL" <<<'{"delete":"big","deletes":[{"q":{"id":77777},"limit":1}]}' || bad "it is taken away again"
    verify 0 60 '^equal' "equal again"
    during "0 3" '{"delete":"big","deletes":[{"q":{"id":{"$gt":15000}},"limit":0}]}' "documents are removed meanwhile"
    verify 1 60 '5000 missing|5,000|extra|missing' "and that is seen afterwards"
    # 1, by the 5,000 that are missing, if the rows had all been read by then.
    during "1 3" '{"drop":"big"}' "the collection is dropped meanwhile"
fi
stop_proxy
if ci/stack down && [ ! -e "$STACK_DIR" ]; then ok "the stack leaves nothing behind"; else bad "the stack leaves nothing behind"; fi
totals
