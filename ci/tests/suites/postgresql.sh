#!/usr/bin/env bash
# All suites on a real PostgreSQL that the stack starts; then the package database, copied and compared.
# usage: ci/tests/suites/postgresql.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: postgresql.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" postgresql

query() { psql -qAtX "$POSTGRESQL_URL" -c "$1" 2>&1; }

# --- the stack itself -------------------------------------------------------------------------------------------
env=$(ci/stack env)
expect 0 "the stack says that PostgreSQL answers" ci/stack status
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
  pg: { kind: postgresql, url: "\${POSTGRESQL_URL}", access: disposable, options: { stack: ci/stack } }
YAML
expect 0 "all suites hold on PostgreSQL" "$sp" run -c "$work/pg.yaml"
expect 0 "junit.xml is strict junit-10" "$build/tools/check_junit" "$work/report/junit.xml"
n=$(sed -n 's/^ *"passed": \([0-9]*\).*/\1/p' "$work/report/summary.json" | head -n 1)
if [ "${n:-0}" -ge 400 ]; then
    ok "at least 400 cases passed ($n)"
else
    bad "at least 400 cases passed: actual ${n:-none}"
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

# --- what a killed run leaves is removed, and nothing else --------------------------------------------------------
query "create schema mine; create table mine.kept(id int); create table kept(id int);
    create schema sp_blob_mine; create table sp_blob_mine.kept(id int)" >/dev/null
ours() { query "select nspname from pg_namespace where nspname like 'sp%' and nspname <> 'sp_blob_mine'"; }
# kill_early OPTION...: a run of these is killed as soon as there is something of `ours`.
kill_early() {
    local pid
    "$sp" run -q -c "$work/pg.yaml" "$@" --report-dir "$work/killed" >/dev/null 2>&1 &
    pid=$!
    for _ in $(seq 300); do
        [ -n "$(ours)" ] && break
        sleep 0.02
    done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    sleep 0.5
}
# killed CASES: as soon as there is something of theirs. A run that was quicker, and had tidied up, is tried again.
killed() {
    local left kept
    for _ in 1 2 3 4 5; do
        kill_early -k "$1"
        [ -z "$(ours)" ] || break
    done
    if [ -n "$(ours)" ]; then
        ok "a killed run of $1 leaves something"
    else
        bad "a killed run of $1 leaves something"
    fi
    expect 0 "clean removes what a killed run of $1 left" "$sp" clean -c "$work/pg.yaml"
    left=$(ours)
    kept=$(query "select count(*) from pg_tables where tablename = 'kept'")
    if [ -z "$left" ] && [ "$kept" = 3 ]; then
        ok "and nothing else"
    else
        bad "and nothing else" "left: $left; tables of others: $kept"
    fi
}
killed 'load.*'
killed storage.list_many
query "drop schema mine cascade; drop schema sp_blob_mine cascade; drop table kept" >/dev/null

# --- a reader who may not see everything is told so; never "equal" ------------------------------------------------------
query "create database guarded" >/dev/null
export GUARDED_URL="${POSTGRESQL_URL%/*}/guarded"
guarded() { psql -qAtX "$GUARDED_URL" -c "$1" 2>&1; }
guarded "create table a(id int primary key, t text); insert into a select i, 'x' || i from generate_series(1, 100) i;
    create table b(id int primary key, t text); insert into b select * from a;
    create role sp_reader login password 'Cr3d-Mark-of-the-reader'; grant select on a to sp_reader" >/dev/null
export READER_URL="postgresql://sp_reader:Cr3d-Mark-of-the-reader@${GUARDED_URL#*@}"
rows_of() { "$sp" verify "env:$1" "env:$2" --checks rows --report-dir "$work/guarded"; }
# not_compared NAME PATTERN: the pair cannot be told in either direction, table b is named with the reason, a is compared
not_compared() {
    local name=$1 pattern=$2 pair out rc
    for pair in "GUARDED_URL READER_URL" "READER_URL GUARDED_URL"; do
        rc=0
        # shellcheck disable=SC2086
        out=$(rows_of $pair 2>&1) || rc=$?
        if [ "$rc" = 3 ] && grep -q "NOT COMPARED b: .*$pattern" <<<"$out" && grep -q "equal.* table a: 100 rows" <<<"$out" &&
            ! grep -q "Cr3d-Mark" <<<"$out" && ! grep -rq "Cr3d-Mark" "$work/guarded"; then
            ok "$name ($pair)"
        else
            bad "$name ($pair): exit code $rc" "$out"
        fi
    done
}
not_compared "a table without privilege is not compared" "permission denied"
guarded "grant select (id) on b to sp_reader" >/dev/null
not_compared "a column without privilege neither" "permission denied"
guarded "grant select on b to sp_reader; alter table b enable row level security;
    create policy half on b using (id <= 50)" >/dev/null
not_compared "rows that a policy hides neither" "row security"
expect 3 "nor are they copied" \
    "$sp" migrate env:READER_URL "sqlite:$work/guarded.db" --strategy bulk --report-dir "$work/guarded"
if grep -q "row security.*\"b\"" "$work/guarded/summary.md" && ! grep -rq "Cr3d-Mark" "$work/guarded"; then
    ok "and the report says which"
else
    bad "and the report says which" "$(cat "$work/guarded/summary.md")"
fi
guarded "drop policy half on b; create policy every on b using (true)" >/dev/null
not_compared "rows that a policy could hide neither" "row security"
guarded "alter role sp_reader bypassrls" >/dev/null
expect 0 "who bypasses row security compares them" rows_of GUARDED_URL READER_URL
guarded "alter role sp_reader nologin" >/dev/null
expect 3 "a locked reader is no verdict" rows_of GUARDED_URL READER_URL
guarded "alter role sp_reader login valid until '2001-01-01'" >/dev/null
expect 3 "nor is one whose password is past its end" rows_of GUARDED_URL READER_URL
guarded "drop owned by sp_reader; drop role sp_reader" >/dev/null
query "drop database guarded" >/dev/null

# --- database users of a killed run go, and nobody else's ------------------------------------------------------------------
query "create role sp_mine login; create role spare" >/dev/null
ours() { query "select string_agg(rolname, ' ') from pg_roles where rolname like 'sp\_%' and rolname <> 'sp_mine'"; }
kill_early -s auth
left=$(ours)
expect 0 "clean removes the database users that a killed run left (${left:-none})" "$sp" clean -c "$work/pg.yaml"
left=$(ours)
kept=$(query "select count(*) from pg_roles where rolname in ('sp_mine', 'spare')")
if [ -z "$left" ] && [ "$kept" = 2 ]; then
    ok "and nobody else's"
else
    bad "and nobody else's" "left: $left; of others: $kept"
fi
query "drop role sp_mine; drop role spare" >/dev/null

# --- the package database, copied from SQLite and compared ----------------------------------------------------------
if [ -r /var/lib/dpkg/status ]; then
    "$sp" fixture dpkg "$work/production.db" >/dev/null 2>&1
else
    "$sp" fixture generated "$work/production.db" >/dev/null 2>&1
fi
# A view has no equal form in another language: it is acknowledged by its name, or there is no verdict.
verify() {
    "$sp" verify "sqlite:$work/production.db" env:POSTGRESQL_URL --report-dir "$work/verify" --accept view:section_totals "$@"
}
expect 0 "the package database is copied from SQLite" "$sp" migrate "sqlite:$work/production.db" env:POSTGRESQL_URL \
    --strategy bulk --report-dir "$work/migrate"
expect 0 "schema, rows, relations and sequences are equal" verify
expect 3 "a view that nobody acknowledged is not compared, which is no pass" "$sp" verify \
    "sqlite:$work/production.db" env:POSTGRESQL_URL --report-dir "$work/verify"

# planted NAME STATEMENT UNDO: found while it is there, and gone with it.
planted() {
    local out
    out=$(query "$2")
    [ -z "$out" ] || [[ $out =~ ^[0-9]+$ ]] || bad "planting $1" "$out"
    expect 1 "found: $1" verify
    out=$(query "$3")
    [ -z "$out" ] || [[ $out =~ ^[0-9]+$ ]] || bad "undoing $1" "$out"
}
planted "one more letter" "update maintainers set name = name || 'x' where id = 1" \
    "update maintainers set name = left(name, -1) where id = 1"
planted "a shifted time" "update import_log set at = at + interval '1 hour'" \
    "update import_log set at = at - interval '1 hour'"
planted "a lost row" \
    "create schema aside; create table aside.d as select ctid as at, * from provides limit 1; delete from provides where ctid = (select at from aside.d)" \
    "alter table aside.d drop at; insert into provides select * from aside.d; drop table aside.d; drop schema aside"
planted "a row twice" "insert into import_log select * from import_log limit 1" \
    "delete from import_log where ctid = (select max(ctid) from import_log)"
planted "a dropped NOT NULL" "alter table packages alter name drop not null" \
    "alter table packages alter name set not null"
fk="alter table provides drop constraint provides_package_id_fkey; alter table provides add constraint provides_package_id_fkey foreign key (package_id) references packages (id)"
planted "another action of a foreign key" "$fk" "$fk on delete cascade"
planted "a foreign key that was never checked" "$fk on delete cascade not valid" \
    "alter table provides validate constraint provides_package_id_fkey"
planted "a dropped unique" "alter table sections drop constraint sections_name_key" \
    "alter table sections add constraint sections_name_key unique (name)"
planted "a sequence that is behind" "select setval(pg_get_serial_sequence('packages', 'id'), 1)" \
    "select setval(pg_get_serial_sequence('packages', 'id'), (select max(id) from packages))"
expect 0 "with everything back in its place the copy is equal again" verify
query "alter table packages drop constraint sp_check_1" >/dev/null
expect 1 "found: a dropped check" verify
query "alter table packages add constraint sp_check_1 check (name <> 'x');
    comment on constraint sp_check_1 on packages is 'switchproof: 00000000000000000000000000000000 name <> '''''" >/dev/null
expect 1 "found: another check under the comment of the first" verify

# --- a server that is down ----------------------------------------------------------------------------------------
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

totals
