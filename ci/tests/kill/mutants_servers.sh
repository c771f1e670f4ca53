#!/usr/bin/env bash
# The kill matrix around the providers whose servers the stack starts.
# usage: ci/tests/kill/mutants_servers.sh BUILD_DIRECTORY [KIND...]
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mutants_servers.sh BUILD_DIRECTORY [KIND...]}" && pwd)
shift
kinds=("$@")
[ "${#kinds[@]}" -gt 0 ] || kinds=(postgresql)
passed=0 failed=0 skipped=0

work=$(mktemp -d)
runs=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export STACK_DIR=$work/stack
trap 'ci/stack down >/dev/null 2>&1; rm -rf "$work" "$runs"' EXIT
trap 'exit 143' INT TERM

# The embedded matrix of this very build says which case to try first.
killers=$build/killers.json
if [ ! "$killers" -nt "$build/switchproof" ] && ! ci/tests/kill/mutants.sh "$build" >"$work/embedded.log" 2>&1; then
    tail -n 30 "$work/embedded.log"
    echo "FAIL: the embedded matrix does not hold, which this one builds on"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi

# around KIND: starts its server, runs its mutants, adds what its closing line says.
around() {
    local kind=$1 out line p f s
    if ! "$build/switchproof" list providers 2>/dev/null | grep -q "^ *$kind"; then
        echo "skip: this build has no provider $kind"
        skipped=$((skipped + 1))
        return
    fi
    if ! out=$(ci/stack up "$kind" 2>&1); then
        if [ "${CI:-}" = true ] || [ "$kind" != postgresql ] || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
            echo "FAIL: the stack does not start $kind: $out"
            failed=$((failed + 1))
        else
            echo "skip: there is no $kind server on this machine; run: ci/deps servers"
            skipped=$((skipped + 1))
        fi
        return
    fi
    while IFS= read -r line; do
        [[ $line == *_URL=* ]] && export "${line?}"
    done <<<"$out"
    "$build/tools/mutants" --killers "$killers" --on "$kind" "$build/switchproof" "$runs" >"$work/log" 2>&1
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
