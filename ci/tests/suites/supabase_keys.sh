#!/usr/bin/env bash
# Keys of the newer kind (sb_publishable_..., sb_secret_...), which are no tokens: before a real PostgREST stands a stand-in for Supabase's
# gateway (ci/tests/gateway.js), which puts the role's token in their place. What holds with the older keys holds with them, a wrong
# one is refused, and none goes where a token belongs, nor into anything that is said or written.
# usage: ci/tests/suites/supabase_keys.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: supabase_keys.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
gateway='' watcher=''
# shellcheck disable=SC2086 # one word each or none
before_end() { kill $gateway $watcher 2>/dev/null; }
own_stack
need_server "$build" supabase

# --- the stand-in ------------------------------------------------------------------------------------------------------------
secret=sb_secret_canary$RANDOM$RANDOM publishable=sb_publishable_canary$RANDOM$RANDOM
mkfifo "$work/port"
node ci/tests/gateway.js >"$work/port" 2>"$work/gateway.log" < <(printf \
    '{"keys":{"%s":"%s","%s":"%s"},"rest":%s}' "$secret" "$SUPABASE_KEY" "$publishable" "$SUPABASE_ANON_KEY" "${SUPABASE_URL##*:}") &
gateway=$!
if ! IFS= read -r -t 60 port <"$work/port"; then
    bad "the stand-in for the gateway starts" "$(cat "$work/gateway.log")"
    totals
    exit 1
fi
export GATE_URL=supabase+http://127.0.0.1:$port GATE_SECRET=$secret GATE_PUBLISHABLE=$publishable GATE_WRONG=sb_secret_wrong.with.dots
config() { # NAME URL SERVICE_KEY ANON_KEY
    cat >"$work/$1.yaml" <<YAML
report_dir: "$work/$1/report"
state_dir: "$work/$1/state"
providers:
  db: { kind: postgresql, url: "\${SUPABASE_DB_URL}" }
  it: { kind: supabase, url: "\${$2}", access: disposable,
        options: { service_key: "\${$3}", anon_key: "\${$4}", db_url: "\${SUPABASE_DB_URL}", jwt_secret: "\${SUPABASE_JWT_SECRET}",
                   auth_url: none, storage_url: none } }
YAML
}
config newer GATE_URL GATE_SECRET GATE_PUBLISHABLE
config wrong GATE_URL GATE_WRONG GATE_PUBLISHABLE
config anon GATE_URL GATE_PUBLISHABLE GATE_PUBLISHABLE

# --- what holds --------------------------------------------------------------------------------------------------------------
while :; do
    ps -eww -o args
    sleep 0.3
done >"$work/processes" &
watcher=$!
# supabase.sh shows that these hold with the older keys.
for case in 'crud.create*:6' auth.rows_own:1; do
    expect_text 0 "${case#*:} passed" "${case%:*} holds" "$sp" run -vv -c "$work/newer.yaml" -p it -k "${case%:*}"
    printf '%s\n' "$out" >>"$work/said"
done
compare() { # CODE TEXT NAME CONFIG
    expect_text "$1" "$2" "$3" "$sp" verify -vv -c "$work/$4.yaml" db it --tables two --checks rows --report-dir "$work/$4/verify"
    printf '%s\n' "$out" >>"$work/said"
}
psql -qAtX "$SUPABASE_DB_URL" >"$work/sql" 2>&1 <<'SQL'
CREATE TABLE public.two (id int PRIMARY KEY, c bool);
INSERT INTO public.two SELECT g, g % 2 = 0 FROM generate_series(1, 10) g;
ALTER TABLE public.two ENABLE ROW LEVEL SECURITY;
CREATE POLICY half ON public.two FOR SELECT USING (c);
GRANT ALL ON public.two TO anon, service_role;
NOTIFY pgrst, 'reload schema';
SQL
compare 0 "equal   table two" "a secret key sees all rows" newer
compare 3 "row security may hide rows" "a publishable key does not, and nothing is compared" anon
compare 3 "Invalid API key" "a wrong key is refused" wrong
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
watcher=

# --- where the keys were -----------------------------------------------------------------------------------------------------
kill "$gateway"
wait "$gateway" 2>/dev/null
gateway=
if grep -q 'Authorization' "$work/gateway.log"; then
    bad "no key of the newer kind comes as a token" "$(cat "$work/gateway.log")"
else
    ok "no key of the newer kind comes as a token"
fi
n=$(sed -n 's/^passed on: //p' "$work/gateway.log")
if [ "${n:-0}" -ge 100 ]; then ok "the requests went through the stand-in ($n)"; else bad "the requests went through the stand-in: ${n:-none}"; fi
printf '%s\n' "$secret" "$publishable" "$GATE_WRONG" >"$work/canaries"
if found=$(grep -rlF -f "$work/canaries" "$work"/{newer,wrong} "$work/said" "$work/processes"); then
    bad "no key is in what was said, written, or listed" "$found"
else
    ok "no key is in what was said, written, or listed"
fi
totals
