#!/usr/bin/env bash
# Sides that are written to while they are compared: a replica that only lags is never called different, and a planted
# difference is always found; reading keeps to its rate, gets out of the way of others, and says why it stopped.
# usage: ci/tests/suites/live.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: live.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
before_end() {
    touch "$work/stop"
    wait
}
own_stack

check() { if [ "$2" = 0 ]; then ok "$1"; else bad "$1" "$out"; fi; }
# in_events NAME PATTERN
in_events() {
    grep -qE "$2" "$work/r/events.jsonl"
    check "$1" $?
}
not_in_events() {
    ! grep -qE "$2" "$work/r/events.jsonl"
    check "$1" $?
}

# --- 200 statements a second, in the same order everywhere ----------------------------------------------------------
# Rows 1 to 4000 are written to, the others stand still; the row of `hot` changes all the time; `log` has no key.
made="create table item(id integer primary key, n integer, note text);
    create table child(id integer primary key, item_id integer references item(id) on delete cascade, note text);
    create table hot(id integer primary key, n integer);
    create table log(what text, n integer);"
statements() {
    awk -v n="$1" 'BEGIN {
        srand(42)
        id = 100000
        for (i = 0; i < n; i++) {
            r = rand()
            k = int(rand() * 4000) + 1
            if (r < 0.5) printf "update item set note = note || %d, n = n + 1 where id = %d;\n", i % 10, k
            else if (r < 0.65) printf "insert into item values (%d, %d, \047new %d\047);\n", ++id, i, i
            else if (r < 0.75) printf "insert into child values (%d, %d, \047new\047);\n", id + 100000 + i, id
            else if (r < 0.85) printf "delete from item where id = %d;\n", k
            else if (r < 0.9) printf "insert into log values (\047event\047, %d);\n", i
            else printf "update hot set n = n + 1 where id = 1;\n"
        }
    }'
}
# paced: four lines, then 20 ms.
paced() {
    local line n=0
    while IFS= read -r line && [ ! -e "$work/stop" ]; do
        printf '%s\n' "$line"
        n=$((n + 1))
        [ $((n % 4)) != 0 ] || sleep 0.02
    done <"$work/statements"
}
statements 3000 >"$work/statements"
ci/stack up postgresql >/dev/null 2>&1 & # it is needed later
stack=$!

# --- SQLite --------------------------------------------------------------------------------------------------------------
fill_sqlite() {
    rm -f "$work/$1.db"*
    sqlite3 "$work/$1.db" "pragma journal_mode = $2; $made
        with recursive g(i) as (select 1 union all select i + 1 from g where i < 10000)
            insert into item select i, i, 'row ' || i from g;
        insert into child select id, id, 'row ' || id from item where id <= 2000 or id > 9000;
        insert into hot values (1, 0), (2, 0);
        insert into log select 'event', n from item where n <= 50" >/dev/null
}
write_sqlite() { paced | sqlite3 -cmd '.timeout 10000' "$work/$1.db" >/dev/null 2>&1; }
# written_sqlite MODE PLANT...: writers are at work on both sides when it returns, the target's half a second behind.
written_sqlite() {
    fill_sqlite old "$1"
    fill_sqlite new "$1"
    [ -z "${2:-}" ] || sqlite3 "$work/new.db" "$2"
    write_sqlite old &
    writers=($!)
    { sleep 0.5 && write_sqlite new; } &
    writers+=($!)
    sleep 1.5
}
stop_writers() {
    touch "$work/stop"
    wait "${writers[@]}"
    rm "$work/stop"
}
planted="update item set note = 'planted' where id = 7777; delete from child where id = 9500;
    insert into item values (-1, 1, 'more'); insert into log values ('event', 7);"
found_planted() {
    in_events "$1: the changed row" '"difference":"changed","key":"id=7777"'
    in_events "$1: the lost row" '"difference":"missing","key":"id=9500"'
    in_events "$1: the row too much" '"difference":"extra","key":"id=-1"'
    in_events "$1: the repeated row of a table without a key" '"name":"log","difference":"extra"'
    check "$1: and no other" "$(($(grep -c '"ev":"difference"' "$work/r/events.jsonl") != 4))"
    in_events "$1: with the time since when each is seen" '"key":"id=7777".*"since":"20'
}

for mode in wal delete; do
    written_sqlite $mode
    expect 0 "SQLite ($mode): a replica that lags is equal" \
        "$sp" verify "sqlite:$work/old.db" "sqlite:$work/new.db" --recheck 6s --report-dir "$work/r"
    in_events "SQLite ($mode): rows were in flight" '"ev":"verify_end".*"in_flight":[1-9]'
    stop_writers
done
written_sqlite wal "$planted"
expect 1 "SQLite: planted differences are found" \
    "$sp" verify "sqlite:$work/old.db" "sqlite:$work/new.db" --recheck 5s --report-dir "$work/r"
found_planted SQLite
stop_writers

# --- reading slowly, and not for too long ------------------------------------------------------------------------------------
fill_sqlite old delete
fill_sqlite new delete
start=$(date +%s%N)
expect 0 "with --rate all is read" "$sp" verify "sqlite:$work/old.db" "sqlite:$work/new.db" --checks rows \
    --rate 10000/s --report-dir "$work/r"
took=$((($(date +%s%N) - start) / 1000000))
check "13,000 rows of each side at 10,000 a second take more than a second ($took ms)" $((took < 1150))
expect_text 3 "--max-snapshot" "snapshots that get too old end it" "$sp" verify "sqlite:$work/old.db" "sqlite:$work/new.db" \
    --rate 2000 --max-snapshot 500ms --report-dir "$work/r"
not_in_events "and nothing is called different" '"ev":"difference"'
expect_text 2 "a time such as" "a time without a unit is refused" "$sp" verify "sqlite:$work/old.db" "sqlite:$work/new.db" --recheck 30
expect_text 2 "a rate such as" "a rate that is none is refused" "$sp" verify "sqlite:$work/old.db" "sqlite:$work/new.db" --rate fast

# --- PostgreSQL ----------------------------------------------------------------------------------------------------------------
wait "$stack"
start_server "$build" postgresql
case $? in
0) ;;
1)
    skipped=$((skipped + 1))
    totals
    exit
    ;;
*)
    failed=$((failed + 1))
    totals
    exit 1
    ;;
esac
server=${POSTGRESQL_URL%/*}
OLD=$server/old NEW=$server/new
export OLD NEW
for db in old new; do
    psql -qAtX "$server/postgres" -c "create database $db"
done
query() { psql -qAtX -v ON_ERROR_STOP=1 "$server/$1" -c "$2" 2>&1; }
fill() {
    query "$1" "drop schema public cascade; create schema public; $made create sequence counter;
        insert into item select i, i, 'row ' || i from generate_series(1, 10000) i;
        insert into child select id, id, 'row ' || id from item where id <= 2000 or id > 9000;
        insert into hot values (1, 0), (2, 0);
        insert into log select 'event', n from item where n <= 50" >/dev/null
}
write() {
    paced | sed -u "s/^update hot/select nextval('counter'); &/" | psql -qAtX "$server/$1" >/dev/null 2>&1
}
# written LAG PLANT
written() {
    fill old
    fill new
    [ -z "$2" ] || query new "$2"
    write old &
    writers=($!)
    { sleep "$1" && write new; } &
    writers+=($!)
    sleep 1.5
}
compare() { "$sp" verify env:OLD env:NEW --report-dir "$work/r" "$@"; }

written 0.7 ""
expect 0 "PostgreSQL: a replica that lags is equal" compare --recheck 8s
in_events "PostgreSQL: rows were in flight" '"ev":"verify_end".*"in_flight":[1-9]'
expect 0 "PostgreSQL: and by two sessions of each side" compare --recheck 8s --jobs 2
stop_writers
written 0.7 "$planted delete from hot where id = 2"
expect 1 "PostgreSQL: planted differences are found" compare --recheck 5s
in_events "PostgreSQL: beside a row that changes all the time, too" '"name":"hot","difference":"missing","key":"id=2"'
sed -i '/"name":"hot","difference"/d' "$work/r/events.jsonl"
found_planted PostgreSQL
stop_writers

# A target that follows no more is not equal, whatever else.
fill old
fill new
write old &
writers=($!)
sleep 1
rc=0
out=$(compare --recheck 2s 2>&1) || rc=$?
check "a replica that stands still while the source goes on is never equal (exit code $rc)" $((rc != 1 && rc != 3))
stop_writers

# A row that somebody else writes on the target moves for ever, and shows nothing that the source ever held.
fill old
fill new
(for i in $(seq 1000); do
    [ ! -e "$work/stop" ] || break
    echo "update item set n = -$i where id = 5;"
    sleep 0.02
done) | psql -qAtX "$NEW" >/dev/null 2>&1 &
writers=($!)
sleep 0.5
expect_text 3 "kept moving until the end of --recheck" "what keeps moving is not compared" compare --recheck 2s
in_events "and its key is said" '"ev":"not_compared","name":"item".*id=5'
query new "delete from child where id = 9500"
expect_text 1 "1 missing" "and another difference stands beside it" compare --recheck 2s
stop_writers

# A target whose sequence stays behind, and an orphan that stays.
fill old
fill new
query old "select setval('counter', 500)" >/dev/null
query new "alter table child drop constraint child_item_id_fkey; insert into child values (77777, -5, 'orphan')"
query old "insert into child values (77777, 9999, 'orphan')"
expect 1 "what no single row shows is looked at again, too" compare --recheck 2s
in_events "a counter that stays behind" '"ev":"sequence".*"behind":true'
in_events "an orphan that stays" '"difference":"orphan","key":"id=77777"'
fill new
fill old
query old "select setval('counter', 500)" >/dev/null
{ sleep 1 && query new "select setval('counter', 500)" >/dev/null; } &
expect_text 0 "in flight" "a counter that follows was in flight" compare --recheck 8s
wait $!

# Somebody wants to change a table that is being read: he does not wait for long.
fill old
fill new
(
    sleep 1
    start=$(date +%s%N)
    query old "alter table child add column more int" >/dev/null
    echo $((($(date +%s%N) - start) / 1000000)) >"$work/waited"
) &
alter=$!
expect_text 3 "wait for a lock that this comparison holds" "a comparison that is in the way of others ends" compare --rate 500
wait $alter
check "whoever changes the table waited for seconds, not minutes ($(cat "$work/waited") ms)" $(($(cat "$work/waited") > 15000))
totals
