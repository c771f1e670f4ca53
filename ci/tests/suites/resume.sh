#!/usr/bin/env bash
# A comparison that is killed at any moment and goes on with --resume says what one says that nobody killed; nothing is taken
# from a state file that is of other data, of another question, or not whole.
# usage: ci/tests/suites/resume.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: resume.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
work=$(mktemp -d)
out=
# holds NAME COMMAND...: the command says yes.
holds() {
    if "${@:2}"; then ok "$1"; else bad "$1" "$out"; fi
}
export STACK_DIR=$work/stack
trap 'ci/stack down >/dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 143' INT TERM

# 20 tables of 1000 rows, some with differences of each kind.
tables() {
    local i
    for i in $(seq -w 20); do
        echo "create table t$i(id integer primary key, n integer, note text);"
    done
}
fill_sqlite() {
    local i
    tables | sqlite3 "$1"
    for i in $(seq -w 20); do
        echo "with recursive g(i) as (select 1 union all select i + 1 from g where i < 1000)
            insert into t$i select i, i * 7, 'row ' || i from g;"
    done | sqlite3 "$1"
}
damage="update t03 set note = 'other' where id = 77; delete from t07 where id in (5, 900); insert into t12 values (5000, 1, 'more');
    update t19 set n = null where id <= 3;"

# What a comparison found, without what differs from run to run.
found() {
    grep -E '"ev":"(difference|table|relation|schema_diff|not_compared|verify_end)"' "$1/events.jsonl" |
        sed -E 's/"seq":[0-9]+,"t":[0-9.]+,//; s/,"(duration_s|rows|bytes)":[0-9.e-]+//g;
            s/,"(since|resumed|source_state|target_state)":"[^"]*"//g' | sort
}
# same REFERENCE DIRECTORY NAME
same() {
    if diff <(found "$1") <(found "$2") >"$work/diff" && [ -s "$1/events.jsonl" ]; then
        ok "$3"
    else
        bad "$3" "$(cat "$work/diff")"
    fi
}
reused() { grep -c '"ev":"table".*"resumed":' "$1/events.jsonl"; }

# killed DIRECTORY SECONDS ARGUMENTS...: begins slowly, and is killed.
killed() {
    local dir=$1 after=$2
    shift 2
    "$sp" verify "$@" --rate 8000 --report-dir "$dir" -q >/dev/null 2>&1 &
    local pid=$!
    sleep "$after"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
}
# once_killed DIRECTORY ARGUMENTS...: leaves a state file with some tables, not all.
once_killed() {
    local dir=$1 pid n=0
    shift
    rm -rf "$dir"
    "$sp" verify "$@" --rate 8000 --report-dir "$dir" -q >/dev/null 2>&1 &
    pid=$!
    while kill -0 "$pid" 2>/dev/null && [ "$n" -lt 6 ]; do
        sleep 0.05
        [ ! -f "$dir/verify.state" ] || n=$(wc -l <"$dir/verify.state")
    done
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    [ -f "$dir/verify.state" ] || bad "a killed comparison leaves a state file"
}

old=sqlite:$work/old.db new=sqlite:$work/new.db
fill_sqlite "$work/old.db"
cp "$work/old.db" "$work/new.db"
sqlite3 "$work/new.db" "$damage"
expect 1 "the reference: a comparison that nobody kills" "$sp" verify "$old" "$new" --report-dir "$work/whole"
holds "it leaves no state file behind" test ! -e "$work/whole/verify.state"

# --- kills at random moments ----------------------------------------------------------------------------------------
RANDOM=4711
taken=0 agreed=0 rounds=6
for _ in $(seq $rounds); do
    rm -rf "$work/k"
    killed "$work/k" "0.$((RANDOM % 90 + 10))" "$old" "$new"
    for _ in 1 2; do
        [ ! -f "$work/k/verify.state" ] || killed "$work/k" "0.$((RANDOM % 90 + 10))" "$old" "$new" --resume
    done
    resume=()
    [ ! -f "$work/k/verify.state" ] || resume=(--resume)
    out=$("$sp" verify "$old" "$new" "${resume[@]}" --report-dir "$work/k" 2>&1)
    rc=$?
    taken=$((taken + $(reused "$work/k")))
    if [ $rc = 1 ] && diff <(found "$work/whole") <(found "$work/k") >"$work/diff"; then
        agreed=$((agreed + 1))
    else
        bad "killed three times: exit code $rc" "$out $(cat "$work/diff")"
    fi
done
[ $agreed != $rounds ] || ok "$rounds comparisons, each killed up to three times, say what the whole one says"
holds "they took $taken finished tables from killed runs" test $taken -gt 0

once_killed "$work/r" "$old" "$new"
cp "$work/r/verify.state" "$work/state"
expect_text 1 "finished tables are taken from run" "a resumed comparison says what it took" \
    "$sp" verify "$old" "$new" --resume --report-dir "$work/r"
same "$work/whole" "$work/r" "and finds the same"
expect_text 2 "was cut short" "a comparison that ended is not resumed" "$sp" verify "$old" "$new" --resume --report-dir "$work/r"
expect_text 2 "was cut short" "nor one that never began" "$sp" verify "$old" "$new" --resume --report-dir "$work/never"

# --- damage to the file ------------------------------------------------------------------------------------------------
size=$(stat -c %s "$work/state")
for cut in 1 40 900; do
    cp "$work/state" "$work/r/verify.state"
    truncate -s $((size - cut)) "$work/r/verify.state"
    expect 1 "the last $cut bytes of the state are not there: still the same exit code" \
        "$sp" verify "$old" "$new" --resume --report-dir "$work/r"
    same "$work/whole" "$work/r" "and the same findings"
done
# The record of an equal table is made to say that nothing was found in a table that differs.
sed 's/"missing\\":2/"missing\\":0/' "$work/state" >"$work/r/verify.state"
sed -i '4s/[0-9]/5/40' "$work/r/verify.state"
expect 1 "a line that somebody changed is not believed" "$sp" verify "$old" "$new" --resume --report-dir "$work/r"
same "$work/whole" "$work/r" "and all from there on is read again"

# --- another question ----------------------------------------------------------------------------------------------------
put_back() { cp "$work/state" "$work/r/verify.state"; }
put_back
expect_text 2 "the command was" "other tables are another question" \
    "$sp" verify "$old" "$new" --tables 't0*' --resume --report-dir "$work/r"
expect_text 2 "the command was" "other checks, too" \
    "$sp" verify "$old" "$new" --checks rows --resume --report-dir "$work/r"
expect_text 2 "the command was" "values that are shown, too" \
    "$sp" verify "$old" "$new" --show-values --resume --report-dir "$work/r"
expect_text 2 "the command was" "and another side" "$sp" verify "$new" "$old" --resume --report-dir "$work/r"
echo 'requires: [crud]' >"$work/c.yaml"
expect_text 2 "the configuration differs" "and another configuration" \
    "$sp" verify "$old" "$new" -c "$work/c.yaml" --resume --report-dir "$work/r"
mkdir "$work/elsewhere"
cp "$work/new.db" "$work/elsewhere/other.db"
OTHER=sqlite:$work/elsewhere/other.db
export OTHER
once_killed "$work/e" "$old" env:OTHER
OTHER=$new
expect_text 2 "the target was" "the same words for another place are another question" \
    "$sp" verify "$old" env:OTHER --resume --report-dir "$work/e"
expect 1 "after all these refusals the state is as good as before" "$sp" verify "$old" "$new" --jobs 2 --rate 100000 --resume --report-dir "$work/r"
same "$work/whole" "$work/r" "and how fast it is read is no other question"

# --- other data ------------------------------------------------------------------------------------------------------------
for side in old new; do
    once_killed "$work/m" "$old" "$new"
    cp "$work/$side.db" "$work/keep.db"
    sqlite3 "$work/$side.db" "update t01 set note = 'moved' where id = 9"
    expect_text 1 "all are read again" "the $side side has changed since: that is said" \
        "$sp" verify "$old" "$new" --resume --report-dir "$work/m"
    holds "and the change is found in a table that was finished" \
        grep -q '"ev":"difference","name":"t01"' "$work/m/events.jsonl"
    holds "nothing was taken" test "$(reused "$work/m")" = 0
    mv "$work/keep.db" "$work/$side.db"
done
once_killed "$work/m" "$old" "$new"
sqlite3 "$work/new.db" "alter table t01 add column more text"
expect_text 2 "the target's schema differs" "a changed schema is refused" "$sp" verify "$old" "$new" --resume --report-dir "$work/m"

# --- stopped by a signal, and ended early for the servers' sake --------------------------------------------------------------
cp "$work/old.db" "$work/new.db"
sqlite3 "$work/new.db" "$damage"
"$sp" verify "$old" "$new" --rate 8000 --report-dir "$work/s" -q >/dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do
    sleep 0.05
    [ ! -f "$work/s/verify.state" ] || [ "$(wc -l <"$work/s/verify.state")" -lt 4 ] || break
done
kill -INT $pid
rc=0
wait $pid || rc=$?
holds "a signal ends it" test $rc = 4
expect 1 "and it goes on" "$sp" verify "$old" "$new" --resume --report-dir "$work/s"
same "$work/whole" "$work/s" "with the same result"
expect_text 1 "--max-snapshot" "snapshots get too old: what was not read is not compared" \
    "$sp" verify "$old" "$new" --rate 8000 --max-snapshot 1s --report-dir "$work/s"
expect 1 "and a later comparison reads the rest" "$sp" verify "$old" "$new" --resume --report-dir "$work/s"
same "$work/whole" "$work/s" "with the same result"
holds "but for what was read before" test "$(reused "$work/s")" -gt 0

# --- a server ------------------------------------------------------------------------------------------------------------------
start_server "$build" postgresql
case $? in
0)
    server=${POSTGRESQL_URL%/*}
    for db in old new; do
        psql -qAtX "$server/postgres" -c "create database $db"
        { tables && for i in $(seq -w 20); do
            echo "insert into t$i select i, i * 7, 'row ' || i from generate_series(1, 1000) i;"
        done; } | psql -qAtX "$server/$db"
    done
    psql -qAtX "$server/new" -c "$damage"
    OLD=$server/old NEW=$server/new
    export OLD NEW
    expect 1 "PostgreSQL: the reference" "$sp" verify env:OLD env:NEW --report-dir "$work/pwhole"
    once_killed "$work/p" env:OLD env:NEW
    expect 1 "PostgreSQL: it goes on" "$sp" verify env:OLD env:NEW --resume --report-dir "$work/p"
    same "$work/pwhole" "$work/p" "and finds the same"
    holds "without reading all again" test "$(reused "$work/p")" -gt 0
    once_killed "$work/p" env:OLD env:NEW
    psql -qAtX "$server/new" -c "update t01 set note = 'moved' where id = 9"
    expect_text 1 "all are read again" "PostgreSQL: a change since is noticed" \
        "$sp" verify env:OLD env:NEW --resume --report-dir "$work/p"
    holds "and found" grep -q '"ev":"difference","name":"t01"' "$work/p/events.jsonl"
    psql -qAtX "$server/new" -c "update t01 set note = 'row 9' where id = 9"
    once_killed "$work/p" env:OLD env:NEW
    ci/stack restart postgresql >/dev/null 2>&1
    expect_text 1 "all are read again" "PostgreSQL: a server that was restarted is not believed to be the same" \
        "$sp" verify env:OLD env:NEW --resume --report-dir "$work/p"
    same "$work/pwhole" "$work/p" "and finds the same"
    ;;
1) skipped=$((skipped + 1)) ;;
*) failed=$((failed + 1)) ;;
esac
totals
