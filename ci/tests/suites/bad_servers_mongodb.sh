#!/usr/bin/env bash
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
stop_proxy
if ci/stack down && [ ! -e "$STACK_DIR" ]; then ok "the stack leaves nothing behind"; else bad "the stack leaves nothing behind"; fi
totals
