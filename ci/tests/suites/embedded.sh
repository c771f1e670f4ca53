#!/usr/bin/env bash
# All suites on the embedded providers, the reports against their schemas, and the main job from end to end.
# usage: ci/tests/suites/embedded.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: embedded.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
tools=$build/tools
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=ci/tests/checks
. ci/tests/checks

# expect CODE NAME COMMAND...: the command's exit code.

# config FILE PROVIDER_LINES...: a configuration that writes into the work directory.
config() {
    local file=$1
    shift
    {
        printf 'report_dir: "%s/report"\nstate_dir: "%s/state"\nproviders:\n' "$work" "$work"
        printf '  %s\n' "$@"
    } >"$file"
}
local_db="local: { kind: sqlite, url: \"sqlite:$work/app.db\", access: disposable }"
memory="memory: { kind: mock, url: \"mock:check\", access: disposable }"
files="files: { kind: filesystem, url: \"filesystem:$work/files\", access: disposable }"

# --- a run that holds -------------------------------------------------------------------------------------------
config "$work/all.yaml" "$local_db" "$memory" "$files"
expect 0 "all suites hold on the embedded providers" "$sp" run -c "$work/all.yaml"
expect 0 "junit.xml is strict junit-10" "$tools/check_junit" "$work/report/junit.xml"
expect 0 "summary.json has its fields" "$tools/check_json" summary "$work/report/summary.json"
expect 0 "report.html stands alone" "$tools/check_html" "$work/report/report.html"
n=$(sed -n 's/^ *"passed": \([0-9]*\).*/\1/p' "$work/report/summary.json" | head -n 1)
if [ "${n:-0}" -ge 350 ]; then
    ok "at least 350 cases passed ($n)"
else
    bad "at least 350 cases passed: actual ${n:-none}"
fi
if [ -z "$(find "$work/files" -mindepth 1 -maxdepth 1 -name 'sp-*' 2>/dev/null)" ] &&
    [ -z "$(sqlite3 "$work/app.db" "select name from sqlite_schema where name like 'sp%'" 2>/dev/null)" ] &&
    [ -z "$(find "$work/state" -name '*.jsonl' 2>/dev/null)" ]; then
    ok "a run leaves nothing behind"
else
    bad "a run leaves nothing behind" "$(find "$work/files" "$work/state" | head)"
fi

# --- the same seed is the same run ------------------------------------------------------------------------------
cases() {
    grep -a '"ev":"case_end"' "$1" | grep -o '"id":"[^"]*"\|"provider":"[^"]*"\|"outcome":"[^"]*"' | paste - - - | sort
}
"$sp" run -q -c "$work/all.yaml" -s crud --seed 7 --report-dir "$work/seed1" >/dev/null 2>&1
"$sp" run -q -c "$work/all.yaml" -s crud --seed 7 --report-dir "$work/seed2" --jobs 1 >/dev/null 2>&1
if [ -s "$work/seed1/events.jsonl" ] && cmp -s <(cases "$work/seed1/events.jsonl") <(cases "$work/seed2/events.jsonl"); then
    ok "the same seed gives the same outcomes, whatever the number of jobs"
else
    bad "the same seed gives the same outcomes, whatever the number of jobs"
fi

# --- a provider with a planted bug ------------------------------------------------------------------------------
config "$work/mutant.yaml" "memory: { kind: mock, url: \"mock:check\", access: disposable, mutant: limit_one_more }"
expect 1 "a planted bug breaks the run" "$sp" run -c "$work/mutant.yaml" -s crud
expect 0 "its junit.xml is strict too" "$tools/check_junit" "$work/report/junit.xml"
if grep -q '<failure ' "$work/report/junit.xml"; then
    ok "junit.xml says failure on the cases that catch it"
else
    bad "junit.xml says failure on the cases that catch it"
fi

sed -i 's/limit_one_more/conflicts_mostly/' "$work/mutant.yaml"
expect_text 3 "too few to tell" "where most writes are turned away, the rest does not show that none is lost" \
    "$sp" run -c "$work/mutant.yaml" -k load.no_lost_write

# --- the production copy, migrated and compared -----------------------------------------------------------------
if [ -r /var/lib/dpkg/status ]; then
    expect 0 "the machine's package database is imported" "$sp" fixture dpkg "$work/production.db"
else
    skipped=$((skipped + 1))
    echo "skip: there is no dpkg status file here; generated data takes its place"
    expect 0 "a package database is generated" "$sp" fixture generated "$work/production.db"
fi
before=$(sha256sum "$work/production.db"; stat -c '%Y %s' "$work/production.db"; ls "$work")
expect 0 "it is copied" "$sp" migrate "sqlite:$work/production.db" "sqlite:$work/target.db" --strategy bulk \
    --report-dir "$work/migrate"
expect 0 "source and target are equal" "$sp" verify "sqlite:$work/production.db" "sqlite:$work/target.db" \
    --report-dir "$work/verify"
expect 0 "verify.json has its fields" "$tools/check_json" verify "$work/verify/verify.json"
expect 0 "the junit.xml of a comparison is strict" "$tools/check_junit" "$work/verify/junit.xml"
expect 0 "the report.html of a comparison stands alone" "$tools/check_html" "$work/verify/report.html"
rm -rf "$work/migrate" "$work/verify" "$work/target.db"
after=$(sha256sum "$work/production.db"; stat -c '%Y %s' "$work/production.db"; ls "$work")
if [ "$before" = "$after" ]; then
    ok "the source keeps its bytes and its time, and gets no side files"
else
    bad "the source keeps its bytes and its time, and gets no side files" "$(diff <(echo "$before") <(echo "$after"))"
fi

totals
