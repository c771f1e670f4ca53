#!/usr/bin/env bash
# shellcheck disable=SC2016 # $ in single quotes is extended JSON
# Documents in a MongoDB-compatible server: a sample of them, an assessment, and the likely causes of what differs, also where a
# mapping reads them as something else.
# usage: ci/tests/suites/mongodb_diagnose.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mongodb_diagnose.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" mongodb
# in_report FILE NAME TEXT...: one of its lines holds all of these.
in_report() {
    local name=$2 lines text
    lines=$(cat "$work/r/$1")
    for text in "${@:3}"; do
        lines=$(grep -F -- "$text" <<<"$lines")
    done
    if [ -n "$lines" ]; then ok "$name"; else bad "$name: expected ${*:3}" "$(grep -E '"ev":"(diagnosis|sampled)"' "$work/r/$1" || cat "$work/r/$1")"; fi
}
# compare PAIR OPTION...
compare() {
    OLD=$(mongodb_url "old_$1") NEW=$(mongodb_url "new_$1")
    export OLD NEW
    rm -rf "$work/r"
    "$sp" verify env:OLD env:NEW --report-dir "$work/r" "${@:2}"
}
# list COLLECTION COUNT FORMAT: a command that inserts documents; FORMAT has their number four times.
list() {
    awk -v name="$1" -v n="$2" -v format="$3" 'BEGIN {
        printf "{\"insert\":\"%s\",\"documents\":[", name
        for (i = 1; i <= n; i++)
            printf "%s" format, (i > 1 ? "," : ""), i, i, i, i
        print "]}"
    }'
}

# --- a sample ---------------------------------------------------------------------------------------------------------------
for side in old new; do
    list item 1000 '{\"_id\":%d,\"n\":%d,\"note\":\"row %d\",\"tags\":[\"a\",\"%d\"]}' | mongodb_commands ${side}_some || bad "${side}_some is filled"
done
expect_text 3 "no_difference_seen" "a sample of faithful documents is not called equal" compare some --sample 100rows --seed 7
in_report events.jsonl "and how many were looked at is said" '"ev":"sampled"' '"name":"item"'
mongodb_commands new_some <<<'{"update":"item","updates":[{"q":{"_id":{"$mod":[10,0]}},"u":{"$set":{"tags":["a"]}},"multi":true}]}' || bad "a fault is planted"
expect_text 1 "different" "a sample meets a fault that one document of ten has" compare some --sample 100rows --seed 7
in_report events.jsonl "and names where" '"ev":"difference"' '"name":"item"' '"column":"tags/1"' '"key":"_id='

# --- an assessment -------------------------------------------------------------------------------------------------------
# A document of 9 MiB is beyond half of what MongoDB takes; the target has no type for ObjectIds, and loses NaN.
{
    list events 30 '{\"_id\":{\"$oid\":\"6500000000000000000%05d\"},\"when\":{\"$date\":{\"$numberLong\":\"17%05d86000\"}},\"n\":%d}'
    echo '{"insert":"heavy","documents":[{"_id":1,"body":"'"$(head -c 9437184 /dev/zero | tr '\0' x)"'"},{"_id":2,"body":"x"}]}'
    echo '{"create":"measures","validator":{"$jsonSchema":{"bsonType":"object","properties":{"f":{"bsonType":"double"}}}}}'
    list measures 20 '{\"_id\":%d,\"f\":%d.5}'
} | mongodb_commands old_assess || bad "old_assess is filled"
OLD=$(mongodb_url old_assess)
export OLD
expect_text 0 "reading it all takes about" "documents are assessed" "$sp" assess env:OLD --target sqlite --report-dir "$work/r"
said() { in_report assess.json "$1" "$2"; }
said "all that was there was looked at" '"complete": true'
said "how many documents there are" '"rows": 52'
said "how large the largest is" '"max_row": 9437216'
said "that one is near the limit" 'the largest row takes 9437216 bytes; mongodb holds at most 16773120'
said "keys that the target has no type for" 'native values of other backends have no column type (30 of 30 values are native)'
said "declared fields, by what the target loses" 'sqlite: NaN becomes NULL in SQLite'
said "that undeclared fields were not held against types" 'fields that no column declares'

# --- likely causes ------------------------------------------------------------------------------------------------------------
for side in old new; do
    {
        list zone 40 '{\"_id\":%d,\"at\":{\"$date\":{\"$numberLong\":\"17%05d86000\"}}}'
        list rounded 40 '{\"_id\":%d,\"f\":%d.%03d7}'
        list missing 40 '{\"_id\":%d,\"z\":null,\"n\":%d}'
        list reordered 40 '{\"_id\":%d,\"l\":[%d,3%d,2%d]}'
        list folded 40 '{\"_id\":%d,\"s\":\"Word %d Ab\"}'
    } | mongodb_commands ${side}_cause || bad "${side}_cause is filled"
done
mongodb_commands new_cause <<'END' || bad "causes are planted"
{"update":"zone","updates":[{"q":{},"u":[{"$set":{"at":{"$add":["$at",7200000]}}}],"multi":true}]}
{"update":"rounded","updates":[{"q":{},"u":[{"$set":{"f":{"$round":["$f",2]}}}],"multi":true}]}
{"update":"missing","updates":[{"q":{},"u":{"$unset":{"z":""}},"multi":true}]}
{"update":"reordered","updates":[{"q":{},"u":[{"$set":{"l":{"$reverseArray":"$l"}}}],"multi":true}]}
{"update":"folded","updates":[{"q":{},"u":[{"$set":{"s":{"$toLower":"$s"}}}],"multi":true}]}
END
expect 1 "copies with faults differ" compare cause --checks rows
# caused NAME TABLE TOPIC COLUMN TEXT
caused() {
    in_report events.jsonl "$1" '"ev":"diagnosis"' "\"name\":\"$2\"" "\"topic\":\"$3\"" "\"column\":\"$4\"" \
        '"count":40,"examined":40,"differences":40,"key":' "$5"
}
caused "dates in another zone" zone time_zone at "by +2:00 hours"
caused "rounded floats" rounded decimal_rounded f "to 2 digits"
caused "fields that went where they were null" missing null_missing z "no such field in the target"
caused "arrays in another order" reordered array_order 'l/*/$numberInt' "in another order"
caused "folded case" folded letter_case s "in small letters"

# A table and documents in which its columns have other names.
sqlite3 "$work/old.db" 'create table person(id integer primary key, who text);
    with recursive g(i) as (select 1 union all select i + 1 from g where i < 40) insert into person select i, "Word " || i || " Ab" from g'
cat >"$work/m.yaml" <<'END'
version: 1
relations:
  person:
    target: folded
    columns:
      id: { target: _id }
      who: { target: s }
END
export COPY
COPY=$(mongodb_url old_cause)
expect_text 0 "equal" "a table is equal to documents" \
    "$sp" verify "sqlite:$work/old.db" env:COPY --mapping "$work/m.yaml" --checks rows --tables person --report-dir "$work/r"
COPY=$(mongodb_url new_cause)
rm -rf "$work/r"
expect 1 "and differs from folded ones" \
    "$sp" verify "sqlite:$work/old.db" env:COPY --mapping "$work/m.yaml" --checks rows --tables person --report-dir "$work/r"
caused "through a mapping, by its column" person letter_case who "in small letters"
totals
