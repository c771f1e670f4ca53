#!/usr/bin/env bash
# The kill matrix around the providers whose servers the stack starts.
# usage: ci/tests/kill/mutants_servers.sh BUILD_DIRECTORY [KIND...]     (default: postgresql; supabase takes some minutes, mongodb half an hour)
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mutants_servers.sh BUILD_DIRECTORY [KIND...]}" && pwd)
shift
kinds=("$@")
[ "${#kinds[@]}" -gt 0 ] || kinds=(postgresql)
passed=0 failed=0 skipped=0
# shellcheck source=ci/tests/server
. ci/tests/server

work=$(mktemp -d)
runs=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export STACK_DIR=$work/stack
trap 'ci/stack down >/dev/null 2>&1; rm -rf "$work" "$runs"' EXIT
trap 'exit 143' INT TERM

# The embedded matrix of this very build says which case to try first; whether that matrix holds is mutants.sh's matter.
killers=$build/killers.json
[ "$killers" -nt "$build/switchproof" ] || ci/tests/kill/mutants.sh "$build" >"$work/embedded.log" 2>&1
if [ ! "$killers" -nt "$build/switchproof" ]; then
    tail -n 30 "$work/embedded.log"
    echo "FAIL: the embedded matrix did not come to its end, which this one builds on"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi

# around KIND: its mutants, and what their closing line says.
around() {
    local p f s
    start_server "$build" "$1"
    case $? in
    1)
        skipped=$((skipped + 1))
        return
        ;;
    2)
        failed=$((failed + 1))
        return
        ;;
    esac
    "$build/tools/mutants" --killers "$killers" --on "$1" "$build/switchproof" "$runs" >"$work/log" 2>&1
    sed '$d' "$work/log"
    read -r p _ f _ s _ <<<"$(tail -n 1 "$work/log")"
    if ! [[ $p =~ ^[0-9]+$ && $f =~ ^[0-9]+$ && $s =~ ^[0-9]+$ ]]; then
        tail -n 1 "$work/log"
        p=0 f=1 s=0
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}
for kind in "${kinds[@]}"; do
    around "$kind"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
