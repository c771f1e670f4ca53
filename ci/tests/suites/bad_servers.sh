#!/usr/bin/env bash
# Servers that are down, wrong, silent, slow, cut off or talk nonsense, on servers that the stack starts, behind a proxy that
# misbehaves on order: the right exit code (3 where nothing can be concluded), one message that names provider and cause,
# no password anywhere, in bounded time; and never "equal".
# usage: ci/tests/suites/bad_servers.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: bad_servers.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/proxy
. ci/tests/proxy
server postgresql POSTGRESQL_URL

# --- two equal copies ----------------------------------------------------------------------------------------------
sqlite3 "$work/here.db" "
    create table big(id int primary key, a text not null, b real) strict;
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000)
    insert into big select i, 'row ' || i || ' of the table that is cut ' || hex(zeroblob(40)), i / 3.0 from n;
    create table small(id int primary key, big integer not null references big(id)) strict;
    insert into small select id, id from big where id % 100 = 0" || bad "the fixture is made"
cat >"$work/c.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  bad: { kind: postgresql, url: "\${BAD_URL}", connect_timeout: 2s, statement_timeout: 4s, access: "\${BAD_ACCESS:-read-only}" }
  here: { kind: sqlite, url: "sqlite:$work/here.db" }
  new: { kind: sqlite, url: "sqlite:$work/new.db", access: target }
YAML

verify() { ends "$1" "$2" "$3" "verify: $4" "$sp" verify -c "$work/c.yaml" bad here --report-dir "$work/report"; }
reverse() { ends "$1" "$2" "$3" "verify, bad target: $4" "$sp" verify -c "$work/c.yaml" here bad --report-dir "$work/report"; }
doctor() { ends "$1" "$2" "${3#'bad.*'}" "doctor: $4" "$sp" doctor -c "$work/c.yaml" -p bad; }
suite() { BAD_ACCESS=disposable ends "$1" "$2" "$3" "run: $4" "$sp" run -c "$work/c.yaml" -p bad -s crud; }
load() { BAD_ACCESS=target ends "$1" "$2" "$3" "migrate: $4" "$sp" migrate -c "$work/c.yaml" here bad --report-dir "$work/report"; }
unload() {
    rm -f "$work/new.db"*
    ends "$1" "$2" "$3" "migrate from it: $4" "$sp" migrate -c "$work/c.yaml" bad new --report-dir "$work/report"
}
everywhere() {
    verify "$@"
    reverse "$@"
    doctor "$@"
    suite "$@"
    load "$@"
    unload "$@"
}

through "$server_port"
load 0 30 "MIGRATED" "the copy is made"
verify 0 30 "^equal" "the copies are equal without a proxy"
proxy pass
verify 0 30 "^equal" "and through it"
proxy delay 2
verify 0 60 "^equal" "and through a slow one"

# --- not there, not ours, not secure ---------------------------------------------------------------------------------
stop_proxy
through 1
everywhere 3 10 'bad.*cannot connect.*refused' "nobody listens on this port"
through "$server_port"
good=$BAD_URL
BAD_URL=${good/%\/switchproof/\/nowhere}
suite 3 10 'bad.*cannot connect.*"nowhere" does not exist' "a database that is not there"
for command in verify reverse doctor load unload; do # a mistake in the URL, as a file that is not there
    $command 2 10 'cannot connect.*"nowhere" does not exist' "a database that is not there"
done
BAD_URL=${good/:$password@/:wr0ng-secret@}
password=wr0ng-secret everywhere 3 10 'bad.*cannot connect.*password authentication failed' "a wrong password"
BAD_URL=${good/switchproof:/nobody:}
everywhere 3 10 'bad.*cannot connect.*authentication failed' "a user who is not there"
BAD_URL="$good?sslmode=require"
everywhere 3 10 'bad.*cannot connect.*SSL' "TLS required of a server without"
BAD_URL="$good?sslmode=verify-full&sslrootcert=$work/no-such-file"
everywhere 3 10 'bad.*cannot connect' "certificates to check by, which are not there"

# --- there, but not answering ------------------------------------------------------------------------------------------
proxy silent
everywhere 3 10 'bad.*did not answer within 2000 ms' "accepts and never answers"
proxy refuse
everywhere 3 10 'bad.*cannot connect' "resets every connection"
proxy stall 300
everywhere 3 10 'bad.*did not answer within 2000 ms' "falls silent while connecting"
proxy garbage 0
everywhere 3 10 'bad.*cannot connect' "answers with nonsense"
proxy garbage 100
everywhere 3 10 'bad.*' "answers with nonsense after the first words"

# --- cut in the middle ---------------------------------------------------------------------------------------------------
proxy pass
verify 0 30 "^equal" "how much there is to cut"
tell count
read -r _ total _ <<<"$(grep '^count ' "$work/said" | tail -n 1)"
[ "${total:-0}" -gt 4000000 ] || bad "the table takes ${total:-0} bytes on the wire, expected 4 million at least"
for k in 1 2 3 5 7 8 20 50 90 95 99; do
    at=$((total * k / 100))
    proxy cut-server "$at"
    verify 3 20 'bad|source' "cut after $k % of the bytes"
    proxy end-server "$at"
    reverse 3 20 'bad|target' "closed in good order after $k % of the bytes"
    case $k in 3 | 50 | 99) # a server whose words make no sense is waited for before it is given up
        proxy garbage "$at"
        verify "1 3" 20 'bad|source' "nonsense after $k % of the bytes"
        ;;
    esac
done
for at in 10 100 500 800 1200 1800 2500 4000 8000 16000 $((total - 30)); do
    proxy cut-server "$at"
    verify 3 20 'bad|source' "cut after $at bytes"
done
for at in 500 1200 4000; do
    proxy garbage "$at"
    verify "1 3" 20 'bad|source' "nonsense after $at bytes"
done

# --- cut while it is written to ---------------------------------------------------------------------------------------------
query() { PGOPTIONS='-c client_min_messages=error' psql -qAtX "$POSTGRESQL_URL" -c "$1" 2>&1; }
# What the target holds after a copy that was cut: tables without rows that the message names, whole tables, or nothing.
half() {
    local rows
    for table in big small; do
        [ -n "$(query "select 1 from pg_tables where tablename = '$table'")" ] || continue
        rows=$(query "select count(*) from $table")
        if ! grep -qE "left behind on the target: .*$table|stay on target bad" "$work/out"; then
            bad "migrate: $1: $table is left behind, and the message does not say so"
        elif [ "$rows" != 0 ] && [ "$rows" != "$(sqlite3 "$work/here.db" "select count(*) from $table")" ]; then
            bad "migrate: $1: $table is left with $rows rows, half a table"
        else
            ok "migrate: $1: $table"
        fi
    done
}
wipe() { query "drop table if exists small, big" >/dev/null; }
wipe
proxy pass
load 0 30 "^MIGRATED" "how much there is to cut"
tell count
read -r _ from_server from_client <<<"$(grep '^count ' "$work/said" | tail -n 1)"
for k in 2 10 30 50 65 75 85 95 99; do
    wipe
    proxy cut-client $((from_client * k / 100))
    load 3 20 'big|bad' "cut after $k % of what is written"
    half "cut after $k % of what is written"
    wipe
    proxy cut-server $((from_server * k / 100))
    load 3 20 'big|bad' "cut after $k % of the answers"
    half "cut after $k % of the answers"
done
wipe
through "$server_port"
load 0 30 "^MIGRATED" "and after all this the copy is made"
verify 0 30 "^equal" "and equal"

# --- a signal while a silent server is waited for, without any time-out ----------------------------------------------------------
sed 's/statement_timeout: 4s, //' "$work/c.yaml" >"$work/patient.yaml"
# signalled BYTES NAME COMMAND...: after so many bytes the server falls silent, a signal comes, the command ends within 20 s with
# exit code 4: 10 s are for the server to obey.
signalled() {
    local bytes=$1 name=$2 pid rc=0 i
    shift 2
    proxy delay 20
    "$@" >"$work/out" 2>&1 </dev/null 8>&- &
    pid=$!
    flows "$pid" "$bytes" || bad "$name: it was over too soon"
    tell "stall 0"
    sleep 0.2
    kill -TERM "$pid"
    for ((i = 0; i < 200; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -KILL "$pid" 2>/dev/null; then
        bad "$name: did not end within 20 s of the signal"
    fi
    wait "$pid" 2>/dev/null || rc=$?
    if [ "$rc" = 4 ]; then ok "$name"; else bad "$name: exit code $rc, expected 4"; fi
}
for bytes in 1000 2000; do # while the sessions beside the comparison are opened, and before its first statement
    signalled "$bytes" "verify: SIGTERM while the server is silent ($bytes)" \
        "$sp" verify -c "$work/patient.yaml" bad here --report-dir "$work/report"
done
wipe
export BAD_ACCESS=target
signalled 1000 "migrate: SIGTERM while the server is silent" \
    "$sp" migrate -c "$work/patient.yaml" here bad --report-dir "$work/report"
unset BAD_ACCESS
wipe

# --- a suite that loses its server: no pass ---------------------------------------------------------------------------------------
for k in 20000 60000; do
    proxy cut-server $k
    suite 3 60 'ERRORED.*crud|errored' "a suite whose connections are cut after $k bytes"
done
stop_proxy
expect_down() {
    ci/stack down >"$work/out" 2>&1
    if [ -e "$STACK_DIR" ]; then
        bad "the stack leaves nothing behind"
    else
        ok "the stack leaves nothing behind"
    fi
}
expect_down
totals
