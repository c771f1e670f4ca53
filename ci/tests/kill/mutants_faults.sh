#!/usr/bin/env bash
# The bugs that show only when a server goes away, planted around the providers whose servers the stack starts: each must
# be caught by the case named for it.
# usage: ci/tests/kill/mutants_faults.sh BUILD_DIRECTORY [KIND...]
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mutants_faults.sh BUILD_DIRECTORY [KIND...]}" && pwd)
shift
kinds=("$@")
[ "${#kinds[@]}" -gt 0 ] || kinds=(postgresql)
passed=0 failed=0 skipped=0

# shellcheck source=ci/tests/server
. ci/tests/server
own_stack

# mutant, the case that has to fail, and the kind around which alone it changes anything (a session that goes on by itself
# is never lost, a server without a limit refuses nobody)
matrix=(
    "lost_write_acknowledged connection.killed_in_writes"
    "unknown_outcome_denied connection.killed_in_writes"
    "lost_commit_acknowledged connection.killed_in_transaction"
    "acknowledged_before_commit connection.killed_in_transaction"
    "transaction_in_parts connection.killed_in_transaction"
    "broken_scan_complete connection.killed_in_scan"
    "load_in_parts connection.killed_in_bulk_load"
    "lost_load_acknowledged connection.killed_in_bulk_load"
    "acknowledged_before_commit connection.reconnect_after_restart"
    "lost_session_empty connection.reconnect_after_restart postgresql"
    "lost_session_empty connection.server_stopped"
    "lost_session_pings connection.server_stopped"
    "unavailable_misnamed connection.server_stopped"
    "unavailable_misnamed connection.connection_limit postgresql"
    "broken_get_complete storage.killed_in_get"
    "lost_put_acknowledged storage.killed_in_put"
    "put_torn storage.killed_in_put"
)
while read -r mutant; do
    if ! printf '%s\n' "${matrix[@]}" | grep -q "^$mutant "; then
        echo "FAIL: no case is named for mutant $mutant"
        failed=$((failed + 1))
    fi
done < <(sed -n 's/^    ROW(\([a-z_]*\),.*/\1/p' harness/run/mutants_faults.c)

# run_case KIND CASE [MUTANT]: the exit code, and in $outcome what became of the case.
run_case() {
    local kind=$1 case=$2 mutant=${3:-} rc=0
    cat >"$work/it.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  it:
    kind: $kind
    url: "\${$(tr '[:lower:]' '[:upper:]' <<<"$kind")_URL}"
    access: disposable
    ${mutant:+mutant: $mutant}
    options: { stack: ci/stack }
YAML
    rm -rf "$work/report"
    "$build/switchproof" run -c "$work/it.yaml" -k "$case" >"$work/log" 2>&1 || rc=$?
    outcome=$(sed -n 's/.*"outcome": *"\([a-z]*\)".*/\1/p' "$work/report/summary.json" 2>/dev/null | head -n 1)
    return "$rc"
}

around() {
    local kind=$1 line mutant case only rc
    rc=0
    start_server "$build" "$kind" || rc=$?
    if [ "$rc" != 0 ]; then
        [ "$rc" = 1 ] && skipped=$((skipped + 1)) || failed=$((failed + 1))
        return
    fi
    # Without a mutant every one of these cases holds: otherwise all mutants would look killed.
    for case in $(printf '%s\n' "${matrix[@]}" | cut -d' ' -f2 | sort -u); do
        rc=0
        run_case "$kind" "$case" || rc=$?
        if [ "$outcome" = skipped ]; then
            echo "skip: $case on $kind: $(sed -n 's/.*"reason": *"\(.*\)".*/\1/p' "$work/report/events.jsonl" | head -n 1)"
            skipped=$((skipped + 1))
            unfit=${unfit:-}" $case"
        elif [ "$rc" = 0 ] && [ "$outcome" = passed ]; then
            passed=$((passed + 1))
        else
            echo "FAIL: $case on $kind without a mutant: exit code $rc, ${outcome:-no outcome}"
            tail -n 10 "$work/log"
            failed=$((failed + 1))
        fi
    done
    echo "| mutant | provider | killing case |"
    echo "| --- | --- | --- |"
    for line in "${matrix[@]}"; do
        read -r mutant case only <<<"$line"
        [[ " ${unfit:-} " != *" $case "* && ${only:-$kind} == "$kind" ]] || continue
        rc=0
        run_case "$kind" "$case" "$mutant" || rc=$?
        if [ "$rc" = 1 ] && [ "$outcome" = failed ]; then
            passed=$((passed + 1))
            echo "| $mutant | $kind | $case |"
        elif grep -q "has nothing there to change" "$work/log"; then
            skipped=$((skipped + 1))
        else
            failed=$((failed + 1))
            echo "| $mutant | $kind | SURVIVED $case: exit code $rc, ${outcome:-no outcome} |"
            tail -n 10 "$work/log" | sed 's/^/    /'
        fi
    done
}
for kind in "${kinds[@]}"; do
    unfit=
    around "$kind"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
