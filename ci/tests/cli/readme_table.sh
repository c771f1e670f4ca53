#!/usr/bin/env bash
# readme_table.sh -- the README's table of providers is one that ci/providers-table wrote, and fits the code; and what
# was changed by hand is seen. Usage: ci/tests/cli/readme_table.sh [BUILD_DIRECTORY]
set -u

# shellcheck source=ci/tests/cli/common
. "$(dirname "$0")/common"
table=$build/tools/table

# held CODE TEXT NAME COMMAND...
held() {
    local code=$1 text=$2 name=$3 rc=0
    shift 3
    "$@" >"$dir/out" 2>"$dir/err" </dev/null || rc=$?
    judge "$rc" "$code" "$text" "$name"
}

held 0 "the table fits" "the README's table is the tool's, and has the providers and suites of the code" "$table" --check "$repo/README.md"

# changed NAME SED TEXT: one thing of it changed by hand is found.
changed() {
    sed "$2" "$repo/README.md" >"$dir/readme.md"
    if cmp -s "$repo/README.md" "$dir/readme.md"; then
        bad "$1: nothing was changed"
    else
        held 1 "$3" "$1" "$table" --check "$dir/readme.md"
    fi
}
# shellcheck disable=SC2016 # backquotes of Markdown
{
    changed "a number" '/^| `mock` |/s/ 0 \// 1 \//' "changed by hand"
    changed "a row that is gone" '/providers-table: begin/,/providers-table: end/{/^| `sqlite` |/d}' "no row for a provider of the code: sqlite"
    changed "a fidelity that the code does not know" '/^| `postgresql` |/s/| real |/| genuine |/' "no fidelity that the code knows: postgresql"
    changed "a mock that is called real" '/^| `mock` |/s/| mock | database/| real | database/' "only the mock is a mock"
    changed "facets of another kind" '/^| `sqlite` |/s/database, storage/database, auth/' "other facets than in the code: sqlite"
}
changed "a suite that is gone" 's/ migration |$//' "not the suites of the code"
changed "no place for it" '/providers-table: end/d' "no place for the table"

# Runs make a table that holds; what did not run makes none.
sed '/providers-table: end/,$!d' "$repo/README.md" >"$dir/tail"
{
    echo "<!-- providers-table: begin -->"
    cat "$dir/tail"
} >"$dir/new.md"
held 1 "no run of this kind" "a table without runs is not written" "$table" "$dir/new.md" 2026-01-01 "$dir/none.json"

# summary VERSION NAME...: a run of a provider of each kind, and of more of kind mock.
summary() {
    local version=$1 comma=
    shift
    printf '{"cases":[],"providers":['
    for name in $("$program" list providers | awk '/^[a-z]/ { print $1 }') "$@"; do
        case $name in more*) kind=mock ;; *) kind=$name ;; esac
        if [ "$kind" = mock ]; then fidelity=mock; else fidelity=real; fi
        printf '%s{"name":"%s","kind":"%s","server_version":"%s of %s","fidelity":"%s"}' "$comma" "$name" "$kind" "$version" "$name" "$fidelity"
        comma=,
    done
    echo ']}'
}
summary old more1 >"$dir/old.json"
summary new more2 >"$dir/new.json"
if "$table" "$dir/new.md" 2026-01-01 "$dir/old.json" "$dir/new.json" >"$dir/out" 2>"$dir/err"; then ok; else bad "runs make a table"; fi
held 0 "the table fits" "it holds" "$table" --check "$dir/new.md"
# shellcheck disable=SC2016 # backquotes of Markdown
sed -n 's/^| `mock` | \([^|]*\) |.*/\1/p' "$dir/new.md" >"$dir/out"
if [ "$(paste -sd, "$dir/out")" = "old of more1,new of mock,new of more2" ]; then
    ok
else
    bad "of each provider the latest run, several of one kind below each other"
fi
finish
