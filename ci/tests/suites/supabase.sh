#!/usr/bin/env bash
# The suites on a real PostgREST before a real PostgreSQL that the stack starts; the same database compared through both; rows that
# a policy hides, a server that gives few rows at once, writes in between; what is left behind; secrets.
# usage: ci/tests/suites/supabase.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: supabase.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" supabase
query() { psql -qAtX "$SUPABASE_DB_URL" -c "$1" 2>&1; }

# --- the suites -----------------------------------------------------------------------------------------------------
cat >"$work/c.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  sb: { kind: supabase, url: "\${SUPABASE_URL}", access: disposable,
        options: { service_key: "\${SUPABASE_KEY}", db_url: "\${SUPABASE_DB_URL}", stack: ci/stack } }
YAML
# The server reads its schema anew for each case, and most of the time goes into waiting for that: two halves at a time, as two
# runs with places of their own.
sed "s:/report\":/report2\":; s:/state\":/state2\":" "$work/c.yaml" >"$work/c2.yaml"
expect_text 0 "" "connection holds" "$sp" run -vv -c "$work/c.yaml" -s connection --report-dir "$work/report/connection"
printf '%s\n' "$out" >"$work/said"
expect_text 0 "1 passed" "what is not offered without the project's secret is refused" \
    env -u SUPABASE_JWT_SECRET -u SUPABASE_ANON_KEY "$sp" run -c "$work/c2.yaml" -k connection.capability_audit
for case in connection.reconnect_after_restart connection.server_stopped connection.killed_in_writes connection.killed_in_scan \
    connection.killed_in_bulk_load; do
    if grep -A 8 "\"$case\"" "$work/report/connection/summary.json" | grep -q '"outcome": *"passed"'; then
        ok "the stack's server was disturbed: $case"
    else
        bad "the stack's server was disturbed: $case"
    fi
done
"$sp" run -vv -c "$work/c2.yaml" -s crud -k 'crud.f*' >"$work/said2" 2>&1 &
half=$!
sed "s:/report\":/report3\":; s:/state\":/state3\":" "$work/c.yaml" >"$work/c3.yaml"
"$sp" run -vv -c "$work/c3.yaml" -s auth -k 'auth.rows_*' >"$work/said3" 2>&1 &
rows=$!
expect_text 0 "" "crud holds: all but filters and foreign keys" "$sp" run -vv -c "$work/c.yaml" -s crud -k 'crud.[!f]*'
printf '%s\n' "$out" >>"$work/said"
rc=0
wait "$half" || rc=$?
if [ "$rc" = 0 ]; then ok "crud holds: filters and foreign keys"; else bad "crud holds: filters and foreign keys: exit code $rc" "$(cat "$work/said2")"; fi
rc=0
wait "$rows" || rc=$?
if [ "$rc" = 0 ]; then ok "people see their own rows, and their tokens are looked at"; else bad "people see their own rows: exit code $rc" "$(cat "$work/said3")"; fi
n=0
for summary in "$work/report/connection" "$work/report" "$work/report2" "$work/report3"; do
    m=$(sed -n 's/^ *"passed": \([0-9]*\).*/\1/p' "$summary/summary.json" | head -n 1)
    n=$((n + ${m:-0}))
    if grep -q '"fidelity": *"real"' "$summary/summary.json"; then ok "both servers are real"; else bad "both servers are real"; fi
done
if [ "$n" -ge 289 ]; then ok "at least 289 cases passed ($n)"; else bad "at least 289 cases passed: actual $n"; fi
left=$(query "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'sp\\_%'")$(query "SELECT setconfig FROM pg_db_role_setting WHERE setconfig::text LIKE '%pgrst.db_schemas%'")
if [ "$left" = 0 ]; then ok "the run left nothing"; else bad "the run left nothing" "$left"; fi
password=${SUPABASE_DB_URL#*postgres:}
password=${password%%@*}
if grep -rqF -e "$password" -e "${SUPABASE_KEY##*.}" -e "${SUPABASE_ANON_KEY##*.}" -e "$SUPABASE_JWT_SECRET" \
    "$work/report" "$work/report2" "$work/report3" "$work/state" "$work/state2" "$work/state3" "$work/said" "$work/said2" "$work/said3"; then
    bad "no secret is in what was said or written"
else
    ok "no secret is in what was said or written"
fi

# --- the same database, through both ----------------------------------------------------------------------------------
# The server gives 1,000 rows at once; what it holds is odd in every type.
psql -qAtX "$SUPABASE_DB_URL" >"$work/psql" 2>&1 <<'SQL'
CREATE TABLE items (id bigint PRIMARY KEY, name text, price numeric(20,4), doc json, docb jsonb, f float8, g float4, b bytea,
    t timestamptz, l timestamp, d date, tm time, u uuid, tags text[], iv interval, short varchar(10));
INSERT INTO items SELECT i, CASE WHEN i % 7 = 0 THEN NULL ELSE 'näme "' || i || '" \ ' || chr(128512) END, i * 1.0001,
    json_build_object('a', i, 'b', '1.10'::json), jsonb_build_object('a', i),
    CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-0' WHEN 2 THEN 'infinity' ELSE i / 3.0 END, i / 7.0, decode(md5(i::text), 'hex'),
    '1900-01-01 00:00:00 Asia/Kathmandu'::timestamptz + (i % 3000) * interval '1 day 1.000001 s',
    '0044-03-15 BC'::timestamp + (i % 3000) * interval '37 days', '0001-01-01'::date + (i % 3000)::int - 400, '12:34:56.789',
    md5(i::text)::uuid, ARRAY['a', NULL, '"x,}', i::text], (i % 3000) * interval '1 hour', 'ok'
    FROM generate_series(9007199254740990, 9007199254740990 + 2599) i;
INSERT INTO items (id, t, d) VALUES (1, 'infinity', '-infinity');
CREATE TABLE nokey (a int, b text);
INSERT INTO nokey SELECT i % 10, 'x' || i FROM generate_series(1, 2500) i;
CREATE TABLE two (a text, b int, c bool, PRIMARY KEY (a, b));
INSERT INTO two SELECT 'k' || (i % 37), i, i % 2 = 0 FROM generate_series(1, 1800) i;
NOTIFY pgrst, 'reload schema';
SQL
export PG_SAME=$SUPABASE_DB_URL
# Until the server has read its schema anew.
for _ in $(seq 60); do
    "$sp" verify env:PG_SAME env:SUPABASE_URL --tables two --checks rows --report-dir "$work/verify" >/dev/null 2>&1 && break
    sleep 0.5
done
checks=(--checks "schema,rows,relations,sequences" --report-dir "$work/verify")
expect_text 0 "equal   table items: 2,601 rows" "PostgreSQL and Supabase over one database are equal" \
    "$sp" verify env:PG_SAME env:SUPABASE_URL "${checks[@]}"
expect_text 0 "equal   table nokey: 2,500 rows" "and the other way round, a table without a key too" \
    "$sp" verify env:SUPABASE_URL env:PG_SAME "${checks[@]}"
# Its own copy of the data in SQLite comes back row by row.
query "CREATE SCHEMA other; CREATE TABLE other.two (LIKE two INCLUDING ALL); INSERT INTO other.two SELECT * FROM two" >/dev/null
query "UPDATE two SET c = NOT c WHERE b = 1234" >/dev/null
cat >"$work/v.yaml" <<YAML
providers:
  pg: { kind: postgresql, url: "\${SUPABASE_DB_URL}", options: { schema: other } }
  sb: { kind: supabase, url: "\${SUPABASE_URL}" }
  anon: { kind: supabase, url: "\${SUPABASE_URL}?", optional: true }
YAML
sed -i '/anon:/d' "$work/v.yaml"
expect_text 1 "two" "one changed row is found" "$sp" verify -c "$work/v.yaml" pg sb --tables two --checks rows --report-dir "$work/verify"
if grep -q '"changed": *1' "$work/verify/verify.json"; then ok "and it is one"; else bad "and it is one" "$(head -c 2000 "$work/verify/verify.json")"; fi

# --- hidden rows --------------------------------------------------------------------------------------------------------
query "ALTER TABLE two ENABLE ROW LEVEL SECURITY; CREATE POLICY half ON two FOR SELECT USING (c)" >/dev/null
expect_text 0 "equal   table two" "a key that bypasses row security sees all rows" \
    "$sp" verify env:PG_SAME env:SUPABASE_URL --tables two --checks rows --report-dir "$work/verify"
expect_text 3 "row security may hide rows" "to another key the table is not compared" \
    env SUPABASE_KEY="$SUPABASE_ANON_KEY" "$sp" verify env:PG_SAME env:SUPABASE_URL --tables two --checks rows --report-dir "$work/verify"
cat >"$work/h.yaml" <<YAML
providers:
  pg: { kind: postgresql, url: "\${SUPABASE_DB_URL}" }
  sb: { kind: supabase, url: "\${SUPABASE_URL}" }
checks:
  - { name: the false ones, query: { from: two, where: { c: false } }, expect: same }
YAML
expect_text 3 "row security may hide rows" "nor is it asked how many of its rows fit" \
    env SUPABASE_KEY="$SUPABASE_ANON_KEY" "$sp" verify -c "$work/h.yaml" pg sb --tables nokey --checks rows --report-dir "$work/verify"
# What policies bind the owner to, and what a view gets around, is judged by what the reader sees.
query "ALTER TABLE two FORCE ROW LEVEL SECURITY; CREATE ROLE keeper LOGIN PASSWORD 'keeper'; GRANT USAGE, CREATE ON SCHEMA public TO keeper;
  GRANT SELECT ON ALL TABLES IN SCHEMA public TO keeper; GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO keeper;
  GRANT keeper TO postgres; ALTER TABLE two OWNER TO keeper" >/dev/null
expect_text 0 "equal   table two" "forced row security hides nothing from a key that bypasses it" \
    "$sp" verify env:PG_SAME env:SUPABASE_URL --tables two --checks rows --report-dir "$work/verify"
PG_KEEPER=postgresql://keeper:keeper@${SUPABASE_DB_URL##*@}
export PG_KEEPER
expect_text 3 "row security could hide rows" "to its owner the table is not compared" \
    "$sp" verify env:PG_KEEPER env:SUPABASE_URL --tables two --checks rows --report-dir "$work/verify"
query "ALTER TABLE two NO FORCE ROW LEVEL SECURITY" >/dev/null
expect_text 0 "equal   table two" "the owner sees all rows where policies do not bind it" \
    "$sp" verify env:PG_KEEPER env:SUPABASE_URL --tables two --checks rows --report-dir "$work/verify"

# --- what the proof is about --------------------------------------------------------------------------------------------
query "ALTER ROLE service_role SET extra_float_digits = 0" >/dev/null
expect_text 3 "come rounded over REST" "rounded numbers are not compared" \
    "$sp" verify env:PG_SAME env:SUPABASE_URL --tables items --checks rows --report-dir "$work/verify"
query "ALTER ROLE service_role RESET extra_float_digits" >/dev/null
query "CREATE DATABASE beside" >/dev/null
psql -qAtX "${SUPABASE_DB_URL%/*}/beside" -c "CREATE TABLE nokey (a int, b text); INSERT INTO nokey VALUES (1, 'x'); GRANT SELECT ON nokey TO service_role" >/dev/null 2>&1
expect_text 3 "is it the database behind it" "nor is what another database describes" \
    env SUPABASE_DB_URL="${SUPABASE_DB_URL%/*}/beside" "$sp" verify env:PG_SAME env:SUPABASE_URL --tables nokey --checks rows --report-dir "$work/verify"

# --- keys ---------------------------------------------------------------------------------------------------------------
expect_text 3 "the key is wrong" "a key of another project is refused" \
    env SUPABASE_KEY="${SUPABASE_KEY%.*}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" "$sp" verify env:PG_SAME env:SUPABASE_URL "${checks[@]}"
totals
