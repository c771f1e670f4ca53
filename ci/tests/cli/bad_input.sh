#!/usr/bin/env bash
# bad_input.sh -- what is broken, absent, hostile or in the way: each ends in one clear message, the right exit code, no
# partial report that could be mistaken for a whole one, and untouched data. Usage: ci/tests/cli/bad_input.sh [BUILD_DIRECTORY]
set -u

# shellcheck source=ci/tests/cli/common
. "$(dirname "$0")/common"

# shellcheck disable=SC2317,SC2329 # called by the trap of common
cleanup() {
    local pid
    for pid in $(jobs -p); do kill -KILL "$pid" 2>/dev/null; done
    for m in "$dir"/tmpfs* "$dir"/frozen; do mountpoint -q "$m" && umount -l "$m"; done
    chmod -R u+rwx "$dir" 2>/dev/null
}

# once CODE TEXT ARGUMENTS...: as expect, and nothing else is said on standard error, nor TEXT twice.
once() {
    local code=$1 text=$2
    shift 2
    "$program" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    judge_once $? "$code" "$text" "switchproof $*"
}
judge_once() {
    local before=$failed n
    judge "$@"
    [ "$before" -eq "$failed" ] || return
    n=$(cat "$dir/out" "$dir/err" | grep -acF -e "$3")
    if [ "$n" -gt 1 ] && [ -n "$3" ]; then
        bad "$4: '$3' is said in $n lines"
    elif [ "$2" -eq 2 ] && [ "$(wc -l <"$dir/err")" -ne 1 ]; then
        bad "$4: $(wc -l <"$dir/err") lines on standard error, expected one"
    fi
}

# snap DIRECTORY: names, sizes, times and bytes of all that is in it. kept: as at the last snap?
snap() {
    watched=$1
    print_state "$watched" >"$dir/before.state"
}
print_state() {
    (cd "$1" && find . -mindepth 1 -printf '%p %y %s %m %T@\n' | sort && find . -type f -exec sha256sum {} + 2>/dev/null | sort)
}
kept() {
    print_state "$watched" >"$dir/after.state"
    if cmp -s "$dir/before.state" "$dir/after.state"; then ok; else
        diff "$dir/before.state" "$dir/after.state" >"$dir/out"
        bad "$1: files changed in $watched"
    fi
}

# ended DIRECTORY / unfinished DIRECTORY: the reports are whole, or nothing there can be taken for whole ones.
ended() {
    if [ -s "$1/events.jsonl" ] && [ ! -e "$1/events.jsonl.part" ] && "$build/tools/check_json" summary "$1/summary.json" \
        >/dev/null 2>&1; then ok; else bad "$1 holds no whole reports"; fi
}
unfinished() {
    if [ -e "$1/events.jsonl" ]; then
        bad "$1/events.jsonl stands for a run that did not end"
    elif [ -e "$1/summary.json" ] && ! grep -q '"truncated": *true' "$1/summary.json"; then
        bad "$1/summary.json does not say that it is truncated"
    else
        ok
    fi
}

# shellcheck disable=SC2034 # the parts in bad_input.d use it
have_sqlite=0
# shellcheck disable=SC2034
if command -v sqlite3 >/dev/null 2>&1; then have_sqlite=1; else skip "what needs the sqlite3 shell: it is not installed"; fi
as_nobody=()
if [ "$(id -u)" -ne 0 ]; then
    as_nobody=(env)
elif setpriv --reuid=65534 --regid=65534 --clear-groups true 2>/dev/null; then
    # shellcheck disable=SC2034
    as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
fi
# The user nobody may not be able to reach the build directory.
chmod 755 "$dir"
cp "$program" "$dir/switchproof"
can_mount=0
mkdir -p tmpfs0
if mount -t tmpfs -o size=1m none tmpfs0 2>/dev/null; then
    # shellcheck disable=SC2034
    can_mount=1
    umount tmpfs0
fi

"$program" fixture generated "$dir/a.db" --seed 1 --rows 400 >out 2>err || bad "fixture"
cp a.db b.db
mkdir data

for part in "$repo"/ci/tests/cli/bad_input.d/*; do
    # shellcheck disable=SC1090,SC1091
    . "$part"
done
finish
