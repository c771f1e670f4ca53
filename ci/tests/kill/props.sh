#!/usr/bin/env bash
# Random schemas and data on each pair of backends: faithful copies are equal, every corruption is found with its row and column.
# usage: ci/tests/kill/props.sh BUILD_DIRECTORY [PAIR...]
# PROPS_SEEDS (50) seeds for each pair, from PROPS_FIRST (1) on. A failure names its seed: build/tools/props PAIR DIR 1 SEED.
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: props.sh BUILD_DIRECTORY [PAIR...]}" && pwd)
shift
seeds=${PROPS_SEEDS:-50} first=${PROPS_FIRST:-1}
lanes=("sqlite-sqlite sanitized sqlite-postgresql-loss postgresql-sqlite-loss" "sqlite-postgresql postgresql-sqlite postgresql-postgresql"
    "mongodb-mongodb mongodb-postgresql" "postgresql-mongodb postgresql-mongodb-loss")
[ $# = 0 ] || lanes=("$*")
# shellcheck source=ci/tests/server
. ci/tests/server
work=$(mktemp -d)
files=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export STACK_DIR=$work/stack
trap 'ci/stack down >/dev/null 2>&1; rm -rf "$work" "$files"' EXIT
trap 'exit 143' INT TERM

passed=0 failed=0 skipped=0
absent=
for kind in postgresql mongodb; do
    case " ${lanes[*]} " in *"$kind"*) ;; *) continue ;; esac
    start_server "$build" "$kind"
    case $? in
    1) absent="$absent $kind" ;;
    2) failed=$((failed + 1)) absent="$absent $kind" ;;
    esac
done

# pair NAME: its log.
pair() {
    local program=$build/tools/props name=$1 n=$seeds kind
    for kind in $absent; do
        if [[ $name == *$kind* ]]; then
            echo "0 passed, 0 failed, 1 skipped"
            return
        fi
    done
    if [ "$name" = sanitized ]; then
        program=$build/asan/tools/props name=sqlite-sqlite n=6
        [ -x "$program" ] || { echo "0 passed, 0 failed, 0 skipped" && return; }
    fi
    mkdir -p "$files/$1"
    (cd "$files/$1" && "$program" "$name" "$files/$1" "$n" "$first") 2>&1
    rm -rf "${files:?}/$1"
}
lane() {
    for name in $1; do
        local start=$SECONDS
        pair "$name" >"$work/$name.log" || echo "exit code $?" >>"$work/$name.log"
        echo "$((SECONDS - start)) s" >"$work/$name.time"
    done
}
for l in "${lanes[@]}"; do
    lane "$l" &
done
wait
for l in "${lanes[@]}"; do
    for name in $l; do
        grep -aE '^not ok|ERROR|runtime error|SUMMARY' "$work/$name.log"
        line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$work/$name.log" | tail -n 1)
        if [ -z "$line" ]; then
            echo "FAIL: $name did not come to its end"
            tail -n 5 "$work/$name.log"
            line="0 passed, 1 failed, 0 skipped"
        fi
        echo "$(grep -aE ' seeds, ' "$work/$name.log") $(cat "$work/$name.time")"
        read -r p _ f _ s _ <<<"$line"
        passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
