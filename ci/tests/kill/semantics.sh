#!/usr/bin/env bash
# Does each row of observed behaviour follow what the backend does? usage: ci/tests/kill/semantics.sh BUILD_DIRECTORY
# Around the mock, other ways and bugs are planted until every row has changed. A row that nothing changes is a defect: what
# it says would be no observation.
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: semantics.sh BUILD_DIRECTORY}" && pwd)
# shellcheck source=ci/tests/checks
. ci/tests/checks
work=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$work"' EXIT

# First the ways, then bugs, each of which changed rows that none before it did.
mutants=(behaves_leniently behaves_strictly behaves_oddly behaves_poorly function_missing count_one_more instant_shifted
    text_lower_case order_ignored delete_ignores_filter int_32_bits float_one_ulp json_rounds null_is_empty any_password
    decimal_15_digits infinity_is_max date_one_early empty_is_null bytes_are_text defaults_dropped wrong_type_swallowed
    unknown_table_swallowed update_keeps refresh_not_verified nan_is_null negative_zero_lost local_shifted
    time_without_seconds text_cut_at_nul text_composed text_three_bytes text_trimmed text_line_ends array_loses_nulls
    create_loses_last update_counts_one_more batch_not_atomic stale_read capability_boasted no_transactions
    email_case_counts sign_out_ignored delete_absent_fails put_loses_last_byte modified_missing)

# observe MUTANT FILE: "topic TAB behaviour", a line per topic.
observe() {
    cat >"$work/c.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  it: { kind: mock, url: "mock:semantics", access: disposable${1:+, mutant: $1} }
YAML
    "$build/switchproof" run -q -c "$work/c.yaml" -k '*.semantics_*' --seed 7 >/dev/null 2>&1
    cat "$work"/report/events.jsonl* 2>/dev/null |
        sed -n '/"ev":"semantics"/s/.*"observed":"\(.*\)","provider":"[^"]*","suite":"[^"]*","topic":"\(.*\)"}$/\2\t\1/p' | LC_ALL=C sort -u >"$2"
    rm -rf "$work/report"
}

observe "" "$work/base"
n=$(wc -l <"$work/base")
if [ "$n" -ge 150 ]; then ok "$n rows are observed of the mock"; else bad "rows are observed of the mock" "only $n"; fi
cp "$work/base" "$work/left"
planted=0
for m in "${mutants[@]}"; do
    [ -s "$work/left" ] || break
    observe "$m" "$work/now"
    planted=$((planted + 1))
    # Left is what the mutant did not show in another way.
    LC_ALL=C awk -F '\t' 'NR == FNR { now[$1] = $2; next } !($1 in now) || now[$1] == $2' "$work/now" "$work/left" >"$work/next"
    mv "$work/next" "$work/left"
done
if [ -s "$work/left" ] || [ "$planted" = 0 ]; then
    bad "every row changes with what the backend does ($planted planted)" "$(cat "$work/left")"
else
    ok "every row changes with what the backend does ($planted planted)"
fi
totals
