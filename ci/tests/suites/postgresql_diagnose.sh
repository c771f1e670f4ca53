#!/usr/bin/env bash
# Copies of a PostgreSQL database made the way that people get them wrong: each of them must be told by its cause.
# usage: ci/tests/suites/postgresql_diagnose.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: postgresql_diagnose.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" postgresql
server=${POSTGRESQL_URL%/*}
export OLD_URL=$server/old COPY_URL=$server/copy
in_db() { psql -qAtX -v ON_ERROR_STOP=1 "$server/$1" "${@:2}" 2>&1; }

for db in old copy; do
    in_db postgres -c "create database $db encoding utf8 template template0" >/dev/null
    in_db "$db" >"$work/made" <<'SQL' || bad "$db is made" "$(cat "$work/made")"
create table visits(id int primary key, at timestamptz, local timestamp, who text, code char(4), amount numeric(12,4),
    ratio float8, tags text[], doc jsonb, ref uuid, data bytea, note text, big bigint);
SQL
done
in_db old >"$work/made" <<'SQL' || bad "rows are made" "$(cat "$work/made")"
insert into visits select i, timestamptz '2024-01-01 00:00:00.123456+00' + i * interval '7 hours 11 minutes 3 seconds',
    timestamp '2024-01-01' + i * interval '7 hours', 'Zoë ' || i, 'c' || i % 9, i / 7.0, i / 7.0::float8,
    array['a' || i, 'b', 'c'], jsonb_build_object('n', i, 'state', 'open', 'at', timestamp '2024-01-01' + i * interval '1 hour'),
    md5(i::text)::uuid, decode(md5(i::text), 'hex'), case when i % 3 = 0 then null else 'note ' || i end, i * 9007199254740::bigint
    from generate_series(1, 1200) i;
SQL
dump() { in_db old -c "copy (select * from visits order by id) to stdout $1"; }
anew() { in_db copy -c 'truncate visits' >/dev/null; }

# tells TOPIC COLUMN TEXT NAME: the first diagnosis of the copy as it is.
tells() {
    local rc=0 line
    rm -rf "$work/report"
    "$sp" verify env:OLD_URL env:COPY_URL --checks rows --report-dir "$work/report" >"$work/out" 2>&1 || rc=$?
    line=$(grep -m1 '"ev":"diagnosis"' "$work/report/events.jsonl")
    if [ "$rc" != 1 ]; then
        bad "$4: exit code $rc" "$(cat "$work/out")"
    elif ! grep -q "\"topic\":\"$1\"" <<<"$line" || ! grep -q "\"column\":\"$2\"" <<<"$line" || ! grep -qF -- "$3" <<<"$line"; then
        bad "$4: expected $1 of $2 ($3)" "$line"
    elif ! grep -qF '"diagnoses":[{' <<<"$(tr -d ' \n' <"$work/report/verify.json")"; then
        bad "$4: it stands in verify.json"
    elif ! "$build/tools/check_json" verify "$work/report/verify.json" >"$work/out" 2>&1; then
        bad "$4: verify.json is as promised" "$(cat "$work/out")"
    else
        ok "$4"
    fi
}
# In the time zone of the client that loads: summer and winter time.
anew
in_db old -c "set timezone='UTC'; copy (select id, at::timestamp, local, who, code, amount, ratio, tags, doc, ref, data, note, big from visits) to stdout" |
    in_db copy -c "set timezone='Europe/Berlin'; copy visits from stdin" >/dev/null
tells time_zone at 'by -2:00 and -1:00' "a load in another time zone"
anew
dump "" | PGCLIENTENCODING=LATIN1 in_db copy -c "copy visits from stdin" >/dev/null
tells double_utf8 who 'in the target' "UTF-8 loaded as Latin-1"
anew
dump "(format csv)" | in_db copy -c "copy visits from stdin (format csv, force_not_null (note))" >/dev/null
tells null_empty note 'empty in the target' "a CSV whose nulls were forced to be texts"
anew
in_db old -c "set extra_float_digits = 0; copy visits to stdout" | in_db copy -c "copy visits from stdin" >/dev/null
tells float_digits ratio '15 significant' "floats dumped with 15 digits"
anew
dump "" | in_db copy -c "copy visits from stdin" >/dev/null
in_db copy -c "update visits set amount = round(amount, 2)"
tells decimal_rounded amount '2 digits' "amounts rounded to cents"
in_db copy -c "update visits set amount = o.i / 7.0 from (select generate_series(1, 1200) i) o where o.i = id;
    update visits set tags = (select array_agg(x order by x desc) from unnest(tags) x)"
tells array_order tags 'another order' "an array whose order was not asked for"
in_db copy -c "update visits set tags = (select array_agg(x order by x) from unnest(tags) x);
    update visits set doc = jsonb_set(doc, '{at}', to_jsonb((doc->>'at')::timestamp + interval '5 hours 30 minutes'))"
tells time_zone doc '+5:30' "a time inside of a document"
anew
dump "" | head -n 1000 | in_db copy -c "copy visits from stdin" >/dev/null
rm -rf "$work/report"
"$sp" verify env:OLD_URL env:COPY_URL --checks rows --report-dir "$work/report" >"$work/out" 2>&1
if grep -q '"topic":"missing_tail".*"count":200' "$work/report/events.jsonl" && grep -q 'the end of the table is missing' "$work/out" &&
    grep -q 'the end of the table is missing' "$work/report/report.html" && grep -q 'the end of the table is missing' "$work/report/summary.md"; then
    ok "a load that ended early, in every report"
else
    bad "a load that ended early, in every report" "$(cat "$work/out")"
fi
anew
dump "" | in_db copy -c "copy visits from stdin" >/dev/null
expect_text 3 'no difference seen in 200 of 1,200 rows; with 95 % certainty at most 18 rows differ' "a sample of an equal copy says no more than that" \
    "$sp" verify env:OLD_URL env:COPY_URL --sample 200rows --seed 1 --report-dir "$work/report"
expect 0 "its verify.json is as promised" "$build/tools/check_json" verify "$work/report/verify.json"
in_db copy -c "update visits set who = upper(who) where id % 4 = 0"
expect_text 1 'only the case of letters differs' "a sample sees what a quarter of the rows have, and why" \
    "$sp" verify env:OLD_URL env:COPY_URL --sample 20% --report-dir "$work/report"
expect_text 2 'other checks need all rows' "checks that need all rows are refused with a sample" \
    "$sp" verify env:OLD_URL env:COPY_URL --sample 20% --checks rows,relations --report-dir "$work/report"
totals
