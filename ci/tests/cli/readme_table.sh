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
finish
