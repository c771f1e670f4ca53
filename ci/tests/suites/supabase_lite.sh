#!/usr/bin/env bash
# The identity and storage suites on a server compatible with Supabase, which the stack starts: what it offers holds, what it
# lacks is skipped for that reason, what it does wrong fails as listed here and nothing else does; nothing is left behind; no
# password, token or key is in anything that is said, written, or seen in a list of processes.
# usage: ci/tests/suites/supabase_lite.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: supabase_lite.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
watcher=
# shellcheck disable=SC2086 # one word or none
before_end() { kill $watcher 2>/dev/null; }
own_stack
need_server "$build" supabase_lite
query() { psql -qAtX "$SUPABASE_LITE_DB_URL" -c "$1" 2>&1; }

cat >"$work/c.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  lite: { kind: supabase, url: "\${SUPABASE_LITE_URL}", access: disposable,
          options: { anon_key: "\${SUPABASE_LITE_ANON_KEY}", service_key: "\${SUPABASE_LITE_KEY}", rest_path: none,
                     db_url: "\${SUPABASE_LITE_DB_URL}" } }
expected_failures:
  - { case: storage.semantics_alike, provider: lite, reason: "the server keeps keys as paths of files: none may begin another",
      link: "https://github.com/supabase-community/lite", until: $(date -u -d "+7 days" +%F) }
  - { case: connection.version, provider: lite, reason: "the server does not say its version",
      link: "https://github.com/supabase-community/lite", until: $(date -u -d "+7 days" +%F) }
  - { case: storage.keys_long_tails, provider: lite, reason: "the server keeps keys as names of files, which end at 255 bytes",
      link: "https://github.com/supabase-community/lite", until: $(date -u -d "+7 days" +%F) }
YAML

# Every refresh token that the server gives is noted: what is looked for below is what really went over the wire.
query "CREATE TABLE public.seen (token text); CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
  \$\$ BEGIN INSERT INTO public.seen VALUES (NEW.token); RETURN NEW; END \$\$;
  CREATE TRIGGER see AFTER INSERT ON auth.refresh_tokens FOR EACH ROW EXECUTE FUNCTION public.see()" >"$work/sql"
database_password=${SUPABASE_LITE_DB_URL#*supabase_lite:}
database_password=${database_password%%@*}
printf '%s\n' "$database_password" "$SUPABASE_LITE_KEY" "correct horse 9 Battery" >"$work/canaries"
# The lists of processes while it runs.
while :; do
    ps -eww -o args
    sleep 0.3
done >"$work/processes" &
watcher=$!

# --- the suites. Left out: cases of hundreds of requests, which end by the clock where others compute, too (connection.many_sessions
# and ping_often, auth.semantics_*), and a race that the server loses only sometimes (storage.replace_while_read) ---
part() { # CODE TEXT NAME OPTIONS...: one run, with a report of its own
    local n=$((parts += 1))
    expect_text "$1" "$2" "$3" "$sp" run -vv -c "$work/c.yaml" --report-dir "$work/report/$n" "${@:4}"
    printf '%s\n' "$out" >>"$work/said"
}
parts=0
part 0 "1 expected failure" "connections hold, but for the version, which is not said" -s connection -k 'connection.[!mp]*'
part 0 "the server has no admin API" "identity holds; what needs an administration is skipped for that reason" -s auth -k 'auth.[!s]*'
part 0 "" "signing up, in and out holds" -s auth -k 'auth.si*'
part 0 "2 expected failures" "objects hold, but for keys longer than names of files" -s storage -k 'storage.[!r]*'
part 5 "the service answers a range with something else" "a range answered with everything is no range" -k 'storage.ra*'
kill "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
watcher=
grep -F "$sp" "$work/processes" >"$work/own" # others on this machine may show what they like
if [ -s "$work/own" ]; then
    ok "the list of processes was looked at"
else
    bad "the list of processes was looked at"
fi
if grep -qF "the service does not have the call list-v2" "$work/said"; then
    ok "what needs listings is skipped for that reason"
else
    bad "what needs listings is skipped for that reason"
fi
n=0
for k in 1 2 3 4; do
    summary=$work/report/$k/summary.json
    m=$(sed -n 's/^ *"passed": \([0-9]*\).*/\1/p' "$summary" | head -n 1)
    n=$((n + ${m:-0}))
    if grep -q '"fidelity": *"compatible' "$summary" && ! grep -q '"fidelity": *"real"' "$summary" &&
        grep -qi compatible "$work/report/$k/junit.xml" && grep -qi compatible "$work/report/$k/report.html" &&
        grep -qi compatible "$work/report/$k/summary.md"; then
        ok "every report says: a compatible server"
    else
        bad "every report says: a compatible server" "$(grep -n fidelity "$summary")"
    fi
done
if [ "$n" -ge 50 ]; then ok "at least 50 cases passed ($n)"; else bad "at least 50 cases passed: actual $n"; fi
left=$(query "SELECT count(*) FROM auth.users")$(query "SELECT count(*) FROM storage.buckets")
if [ "$left" = 00 ]; then ok "the run left no user and no bucket"; else bad "the run left no user and no bucket" "$left"; fi

# --- secrets ----------------------------------------------------------------------------------------------------------------
query "SELECT token FROM public.seen" >"$work/tokens"
if [ "$(grep -c . "$work/tokens")" -ge 40 ]; then ok "refresh tokens were noted"; else bad "refresh tokens were noted" "$(cat "$work/sql")"; fi
cat "$work/tokens" >>"$work/canaries"
if found=$(grep -rlF -f "$work/canaries" "$work/report" "$work/state" "$work/said" "$work/processes"); then
    bad "no password, key or refresh token is in what was said, written, or listed" "$found"
else
    if [ -s "$summary" ]; then
        ok "no password, key or refresh token is in what was said, written, or listed"
    else
        bad "no password, key or refresh token is in what was said, written, or listed: nothing was written"
    fi
fi
if found=$(grep -rlE 'eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.' "$work/report" "$work/state" "$work/said" "$work/own"); then
    bad "nor is any access token" "$found"
else
    ok "nor is any access token"
fi

# --- who cannot tidy up makes no users ----------------------------------------------------------------------------------------
sed 's/ rest_path: none,//; /db_url/s/.*/        } }/' "$work/c.yaml" >"$work/c2.yaml"
expect_text 5 "could be removed in the database only" "without the database no user is made" \
    "$sp" run -c "$work/c2.yaml" -k auth.sign_in --report-dir "$work/report2"
totals
