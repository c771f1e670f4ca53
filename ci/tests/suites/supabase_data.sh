#!/usr/bin/env bash
# Data over a real PostgREST that the stack starts: the suites that move and measure it, a migration from SQLite, the same database
# compared through both ways in, and the team's own queries in PostgREST's words (functions, embedded resources).
# usage: ci/tests/suites/supabase_data.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: supabase_data.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" supabase

# --- a migration ------------------------------------------------------------------------------------------------------------
export PG_SAME=$SUPABASE_DB_URL
expect_text 0 "packages" "package data is there" "$sp" fixture dpkg "$work/source.db" --or-generated
expect 0 "it is migrated from SQLite to Supabase" \
    "$sp" migrate "sqlite:$work/source.db" env:SUPABASE_URL --strategy bulk --report-dir "$work/migrate"
expect_text 0 "equal" "and is the same there" \
    "$sp" verify "sqlite:$work/source.db" env:SUPABASE_URL --checks rows,relations,sequences --report-dir "$work/verify"
# Three pages: rows that look like the beginnings of rows, and a page too large to be kept while the next one is asked for.
psql -qAtX "$SUPABASE_DB_URL" >"$work/psql" 2>&1 <<'SQL'
CREATE TABLE odd (id int, k text, note text, PRIMARY KEY (id, k));
INSERT INTO odd SELECT i / 7, '[{"c0":' || i || '},', '{"c0":"' || i || E'\\\\"}]\n{"c0":' || repeat('x', CASE WHEN i > 1100 THEN 5000 ELSE 0 END)
    FROM generate_series(1, 2300) i;
NOTIFY pgrst, 'reload schema';
SQL
expect_text 0 "equal" "PostgreSQL and Supabase over it are equal" \
    "$sp" verify env:PG_SAME env:SUPABASE_URL --report-dir "$work/verify"
expect_text 0 "equal" "and the other way round" \
    "$sp" verify env:SUPABASE_URL env:PG_SAME --report-dir "$work/verify"

# --- queries in PostgREST's words -----------------------------------------------------------------------------------------
psql -qAtX "$SUPABASE_DB_URL" >"$work/psql" 2>&1 <<'SQL'
CREATE SCHEMA q;
SET search_path = q;
CREATE TABLE agents (id int PRIMARY KEY, name text);
CREATE TABLE tasks (id int PRIMARY KEY, agent int REFERENCES agents, title text, cost numeric, due timestamptz, doc jsonb);
INSERT INTO agents SELECT i, 'agent, "' || i || '" (é)' FROM generate_series(1, 5) i;
INSERT INTO tasks SELECT i, 1 + i % 5, 'task ' || i, i * 1.10, '2024-03-31 01:30:00+00'::timestamptz + i * interval '1 h',
    jsonb_build_object('n', i, 'l', jsonb_build_array(1.50, i)) FROM generate_series(1, 60) i;
CREATE TABLE many (id int PRIMARY KEY);
INSERT INTO many SELECT i FROM generate_series(1, 1500) i;
CREATE TABLE lists (id int PRIMARY KEY);
INSERT INTO lists VALUES (1);
CREATE TABLE entries (id int PRIMARY KEY, list int REFERENCES lists, deep json);
INSERT INTO entries SELECT i, 1, (repeat('[', 70) || repeat(']', 70))::json FROM generate_series(1, 1200) i;
CREATE FUNCTION costs(at_least numeric) RETURNS TABLE (agent text, total numeric) LANGUAGE sql STABLE AS $$
    SELECT a.name, sum(t.cost) FROM q.tasks t JOIN q.agents a ON a.id = t.agent GROUP BY 1 HAVING sum(t.cost) >= at_least $$;
CREATE FUNCTION numbers() RETURNS SETOF int LANGUAGE sql STABLE AS $$ SELECT generate_series(1, 1200) $$;
CREATE FUNCTION big() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT 9007199254740993 $$;
CREATE FUNCTION list() RETURNS json LANGUAGE sql STABLE AS $$ SELECT '[{"a":1},{"a":2}]'::json $$;
CREATE FUNCTION second() RETURNS q.agents LANGUAGE sql STABLE AS $$ SELECT * FROM q.agents WHERE id = 2 $$;
CREATE FUNCTION writes() RETURNS int LANGUAGE sql VOLATILE AS $$ INSERT INTO q.many VALUES (9999) RETURNING id $$;
CREATE FUNCTION lies() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN EXECUTE 'INSERT INTO q.many VALUES (9998)'; RETURN 1; END $$;
GRANT USAGE ON SCHEMA q TO anon, service_role;
GRANT ALL ON ALL TABLES IN SCHEMA q TO anon, service_role;
ALTER ROLE authenticator SET pgrst.db_schemas = 'public, q';
NOTIFY pgrst, 'reload config';
NOTIFY pgrst, 'reload schema';
SQL
# PostgREST reads the schema anew in its own time.
shown() {
    local line='' at=${SUPABASE_URL##*:}
    { exec 3<>"/dev/tcp/127.0.0.1/$at"; } 2>/dev/null || return 1
    printf 'GET /lists?select=entries(id)&limit=1 HTTP/1.0\r\nAccept-Profile: q\r\nAuthorization: Bearer %s\r\n\r\n' "$SUPABASE_KEY" >&3
    line=$(cat <&3)
    exec 3>&-
    [[ $line == *'"entries"'* ]]
}
for _ in $(seq 100); do
    shown && break
    sleep 0.2
done

# --- the suites that move and measure data -------------------------------------------------------------------------------
cat >"$work/c.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  sb: { kind: supabase, url: "\${SUPABASE_URL}", access: disposable }
YAML
"$sp" run -c "$work/c.yaml" -s migration -s performance -s load >"$work/said" 2>&1 &
suites=$!

# --- and meanwhile
# config FILE: its checks come from standard input.
config() {
    cat - >"$1.checks"
    cat >"$1" <<YAML
providers:
  pg: { kind: postgresql, url: "\${SUPABASE_DB_URL}", options: { schema: q } }
  sb: { kind: supabase, url: "\${SUPABASE_URL}", options: { schema: q } }
checks:
$(cat "$1.checks")
YAML
}
# ask CHECK TEXT: what verify says of this one query.
ask() {
    config "$work/one.yaml" <<<"  - { name: it, query: { supabase: \"$1\", postgresql: \"SELECT 1\" }, expect: same }"
    expect_text 3 "$2" "not compared: $1" \
        "$sp" verify -c "$work/one.yaml" pg sb --checks rows --tables many --report-dir "$work/verify"
}
config "$work/same.yaml" <<'YAML'
  - name: a function of rows
    query: { supabase: "/rpc/costs?at_least=360&order=agent", postgresql: "SELECT * FROM q.costs(360) ORDER BY agent" }
    expect: same
    ordered: true
  - name: embedded rows
    query:
      supabase: "/agents?select=id,name,tasks(id,title,due)&order=id&tasks.order=id"
      postgresql: "SELECT a.id, a.name, (SELECT json_agg(json_build_object('id', t.id, 'title', t.title, 'due', t.due) ORDER BY t.id)
        FROM q.tasks t WHERE t.agent = a.id) FROM q.agents a"
    expect: same
  - { name: an exact number, query: { supabase: "/rpc/big", postgresql: "SELECT 9007199254740993" }, expect: same }
  - { name: one value, query: { supabase: "/rpc/list", postgresql: "SELECT '[{\"a\": 1}, {\"a\": 2}]'::json" }, expect: same }
  - { name: one row, query: { supabase: "/rpc/second", postgresql: "SELECT * FROM q.second()" }, expect: same }
  - { name: columns, query: { supabase: "/tasks?select=id,cost,due,doc&id=lt.20", postgresql: "SELECT id, cost, due, doc FROM q.tasks WHERE id < 20" }, expect: same }
  - { name: any text, query: { supabase: "/agents?select=id&name=eq.agent, \"3\" (é)", postgresql: "SELECT 3" }, expect: same }
  - { name: nothing, query: { supabase: "/agents?id=eq.77", postgresql: "SELECT * FROM q.agents WHERE id = 77" }, expect: same }
  - { name: a window, query: { supabase: "/many?order=id&limit=300&offset=700", postgresql: "SELECT id FROM q.many ORDER BY id LIMIT 300 OFFSET 700" }, expect: same }
  - { name: counted, query: { supabase: "/tasks?doc->>n=eq.7", postgresql: "SELECT 1" }, expect: 1 }
YAML
expect 0 "functions and embedded rows answer as SQL does" \
    "$sp" verify -c "$work/same.yaml" pg sb --checks rows,relations --report-dir "$work/verify"
if [ "$(grep -c '"custom_check".*"passed"' "$work/verify/events.jsonl")" -ge 11 ]; then ok "all of them"; else bad "all of them" "$(grep custom_check "$work/verify/events.jsonl")"; fi
config "$work/other.yaml" <<'YAML'
  - { name: fewer inside, query: { supabase: "/agents?select=id,tasks(id)&tasks.id=neq.7", postgresql: "SELECT a.id, (SELECT json_agg(json_build_object('id', t.id)) FROM q.tasks t WHERE t.agent = a.id) FROM q.agents a" }, expect: same }
  - { name: one off, query: { supabase: "/rpc/big", postgresql: "SELECT 9007199254740992" }, expect: same }
YAML
expect_text 1 "FAILED  one off" "a number that differs by one is found" \
    "$sp" verify -c "$work/other.yaml" pg sb --report-dir "$work/verify"
if grep -qF 'FAILED  fewer inside' <<<"$out"; then ok "and a row that is missing inside of another"; else bad "and a row that is missing inside of another" "$out"; fi
ask "/many" "gave 1000 of 1500 rows"
ask "/rpc/numbers" "gave 1000 of 1200 rows"
ask "/lists?select=id,entries(id)" "it may be cut short"
ask "/lists?select=id,entries(id,deep)" "it may be cut short"
ask "/rpc/writes" "read-only transaction"
ask "/rpc/lies" "INSERT is not allowed"
ask "/rpc/absent" "no function"
ask "/../auth/v1/admin/users" "one table or one function"
ask "//127.0.0.1:1/x" "one table or one function"
ask "/many?limit=x" "one number each"
ask "SELECT 1" "runs no queries"
config "$work/anon.yaml" <<<'  - { name: it, query: { supabase: "/many?id=eq.1", postgresql: "SELECT 1" }, expect: same }'
expect_text 3 "row security may hide rows" "a key that policies hold for is not asked" \
    env SUPABASE_KEY="$SUPABASE_ANON_KEY" "$sp" verify -c "$work/anon.yaml" pg sb --checks rows --tables many --report-dir "$work/verify"
left=$(psql -qAtX "$SUPABASE_DB_URL" -c "SELECT count(*) FROM q.many WHERE id > 9000")
if [ "$left" = 0 ]; then ok "nothing was written"; else bad "nothing was written" "$left"; fi
rc=0
wait "$suites" || rc=$?
n=$(sed -n 's/^ *"passed": \([0-9]*\).*/\1/p' "$work/report/summary.json" 2>/dev/null | head -n 1)
if [ "$rc" = 0 ] && [ "${n:-0}" -ge 25 ]; then
    ok "migration, performance and load hold ($n cases)"
else
    bad "migration, performance and load hold: exit code $rc, ${n:-0} cases" "$(cat "$work/said")"
fi
totals
