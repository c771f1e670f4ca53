#!/usr/bin/env bash
# assess of a PostgreSQL database with what people have in theirs: statistics, keys that nothing enforces, rows that refer to
# nothing, what another kind cannot hold; and of one that it may not read.
# usage: ci/tests/suites/postgresql_assess.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: postgresql_assess.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" postgresql
server=${POSTGRESQL_URL%/*}
in_db() { psql -qAtX -v ON_ERROR_STOP=1 "$server/$1" "${@:2}" 2>&1; }
in_db postgres -c 'create database shop' >/dev/null
in_db postgres -c 'select pg_stat_reset()' >/dev/null
in_db shop -c 'select pg_stat_reset()' >/dev/null
in_db shop >"$work/made" <<'SQL' || bad "the database is made" "$(cat "$work/made")"
create table customers(id int primary key, email text, doc jsonb, at timestamptz default now(), seen interval);
insert into customers select i, 'c' || i / 2 || '@x', jsonb_build_object('n', i), now(), interval '1 day' from generate_series(1, 4000) i;
create table orders(id int primary key, customer int, made timestamptz);
insert into orders select i, case when i % 100 = 0 then 100000 + i else i end, timestamptz '2024-01-01 00:00:00.123456+00' from generate_series(1, 2000) i;
alter table orders add constraint of_customer foreign key (customer) references customers not valid;
create function f() returns trigger language plpgsql as 'begin return new; end';
create trigger t before insert on orders for each row execute function f();
create table notes(v text);
SQL
# The index is left behind, invalid.
in_db shop -c 'create unique index concurrently customers_email on customers(email)' >/dev/null
sleep 1 # statistics are sent when a session has been idle for a while
export SHOP_URL=$server/shop

has() { # TEXT NAME
    if grep -qF -- "$1" "$work/report/assess.json"; then ok "$2"; else bad "$2" "$(cat "$work/report/assess.json")"; fi
}
expect_text 0 'RISK HIGH' "a source is assessed, whatever its risk" "$sp" assess env:SHOP_URL --target mongodb --report-dir "$work/report"
has '20 rows refer to nothing in customers' "rows that refer to nothing"
has 'never checked against the rows' "a foreign key that is not valid"
has 'unique index customers_email is invalid, so nothing keeps its columns unique: 1999 rows' "a unique index that is invalid, and its duplicates"
has 'rows inserted and 0 deleted in the' "growth by the server's statistics"
has '"disk_bytes"' "size on disk"
has 'mongodb does not enforce foreign keys' "what the target does not enforce"
has 'lose digits below the millisecond (towards the past) (2,000 of 2,000 values)' "types at risk, by the target's ledger"
has 'of kind trigger: t' "objects without an equivalent"
has 'no primary key' "a table without a key"
expect 0 "report.html is as promised" "$build/tools/check_html" "$work/report/report.html"
expect 0 "junit.xml is as promised" "$build/tools/check_junit" "$work/report/junit.xml"
for text in 'Assessment' 'an estimate' 'rehearse on a copy'; do
    expect_text 0 "$text" "report.html tells: $text" cat "$work/report/report.html"
done
expect_text 0 'reading it all takes about' "the report can be written anew" "$sp" report "$work/report" --format console
in_db shop -c "create role looker login password 'looker-1'; grant select on customers, notes to looker" >/dev/null
LOOKER_URL=postgresql://looker:looker-1@${SHOP_URL##*@}
export LOOKER_URL
expect_text 3 'not looked at' "what may not be read is exit code 3" "$sp" assess env:LOOKER_URL --report-dir "$work/report"
has '"complete": false' "and not complete"
expect_text 2 'is no kind' "a target that nobody knows" "$sp" assess env:SHOP_URL --target oracle --report-dir "$work/report"
expect_text 2 'no table matches' "tables that are not there" "$sp" assess env:SHOP_URL --tables zzz --report-dir "$work/report"
expect_text 0 '--target KIND|PROVIDER' "help" "$sp" assess --help
totals
