#!/bin/sh
# The kill matrix of verify: planted corruptions and equal copies. usage: ci/tests/kill/corruptions.sh BUILD_DIRECTORY
set -u
build=${1:?usage: corruptions.sh BUILD_DIRECTORY}
build=$(cd "$build" && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# A directory per database; nothing of the caller's configuration is read.
run() {
	mkdir -p "$work/$1"
	(cd "$work/$1" && "$build/tools/corruptions" "$build/switchproof" "$work/$1" "$1") >"$work/$1.out" 2>&1
	rc=$?
	echo "$1 ended with exit code $rc" >>"$work/ends"
	[ "$rc" -eq 0 ] || echo "$1" >>"$work/bad"
}

run busy & # it mostly waits
run nasty
run generated
run dpkg
wait

echo "| database | what | result |"
echo "| --- | --- | --- |"
passed=0 failed=0 skipped=0
for part in nasty generated dpkg busy; do
	grep -vE '^[0-9]+ passed, ' "$work/$part.out"
	line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$work/$part.out" | tail -n 1)
	if [ -z "$line" ]; then
		echo "FAIL: $part did not come to its end"
		line="0 passed, 1 failed, 0 skipped"
		echo "$part" >>"$work/bad"
	fi
	# shellcheck disable=SC2086 # the words of the line
	set -- $line
	passed=$((passed + $1)) failed=$((failed + $3)) skipped=$((skipped + $5))
done
[ ! -e "$work/bad" ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
