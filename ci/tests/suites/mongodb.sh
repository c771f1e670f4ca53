#!/usr/bin/env bash
# All suites on a MongoDB-compatible server that the stack starts; what a run leaves there; the server itself.
# usage: ci/tests/suites/mongodb.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: mongodb.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" mongodb
password=${MONGODB_URL#*switchproof:}
password=${password%%@*}
# What the server holds, asked by another client than ours: databases (their own aside), then users.
held() {
    "$(ci/servers/install-mongodb --where)/bin/python" -I - <<'PY'
import os
from pymongo import MongoClient

with MongoClient(os.environ["MONGODB_URL"]) as client:
    for name in sorted(client.list_database_names()):
        if name not in ("admin", "config", "local"):
            for collection in sorted(client[name].list_collection_names()):
                print(name, collection, client[name][collection].count_documents({}))
    for user in client.admin.command({"usersInfo": {"forAllDBs": True}})["users"]:
        print("user", user["db"], user["user"])
PY
}

# --- the server of the stack ----------------------------------------------------------------------------------------
expect_text 0 "mongodb: answers" "the stack says that it answers" ci/stack status
expect_text 0 "$MONGODB_URL" "up again changes nothing" ci/stack up mongodb
if mkdir "$work/other" && other=$(STACK_DIR=$work/other/stack ci/stack up mongodb) && [ "$other" != "MONGODB_URL=$MONGODB_URL" ]; then
    ok "a second stack stands beside it"
else
    bad "a second stack stands beside it" "${other:-}"
fi
expect_text 0 "" "and goes" env STACK_DIR="$work/other/stack" ci/stack down
[ ! -e "$work/other/stack" ] || bad "a stack that goes leaves nothing behind" "$(find "$work/other")"
cat >"$work/c.yaml" <<YAML
report_dir: "$work/report"
state_dir: "$work/state"
providers:
  mongo: { kind: mongodb, url: "\${MONGODB_URL}", access: disposable, options: { stack: ci/stack } }
  anonymous: { kind: mongodb, url: "mongodb://\${MONGODB_PLACE}/switchproof" }
YAML
export MONGODB_PLACE=${MONGODB_URL#*@}
MONGODB_PLACE=${MONGODB_PLACE%%/*}
expect_text 3 "names no user" "nobody reads without a password" \
    "$sp" verify -c "$work/c.yaml" anonymous mongo --report-dir "$work/v"
expect_text 3 "names no user" "and a greeting is no connection" \
    "$sp" run -c "$work/c.yaml" -p anonymous -s connection --report-dir "$work/v"
expect_text 3 "PROBLEM" "nor with a wrong one" env "MONGODB_URL=${MONGODB_URL/:$password@/:another@}" \
    "$sp" doctor -c "$work/c.yaml" -p mongo

# --- a run that holds -----------------------------------------------------------------------------------------------
before=$(held)
expect_text 0 "HELD" "all suites hold on the MongoDB-compatible server" "$sp" run -c "$work/c.yaml" -p mongo
expect_text 0 "" "junit.xml is strict junit-10" "$build/tools/check_junit" "$work/report/junit.xml"
expect_text 0 "" "summary.json keeps its promise" "$build/tools/check_json" summary "$work/report/summary.json"
n=$(sed -n 's/^ *"passed": \([0-9]*\).*/\1/p' "$work/report/summary.json" | head -n 1)
if [ "${n:-0}" -ge 350 ]; then ok "at least 350 cases passed ($n)"; else bad "at least 350 cases passed: actual ${n:-none}"; fi
expect_text 0 '"compatible server"' "the report does not take the server for a real one" \
    grep '"fidelity"' "$work/report/summary.json"
expect_text 0 "unproven" "and says what that means" grep "a compatible server" "$work/report/summary.md"
for case in connection.connection_limit connection.reconnect_after_restart connection.server_stopped \
    connection.killed_in_writes connection.killed_in_transaction connection.killed_in_scan \
    connection.killed_in_bulk_load storage.killed_in_put storage.killed_in_get; do
    if grep -A 8 "\"$case\"" "$work/report/summary.json" | grep -q '"outcome": *"passed"'; then
        ok "the stack's server was disturbed: $case"
    else
        bad "the stack's server was disturbed: $case"
    fi
done
if grep -rqF "$password" "$work/report" "$work/state" 2>/dev/null; then
    bad "no report holds the password"
else
    ok "no report holds the password"
fi
after=$(held)
if [ "$before" = "$after" ]; then ok "a run leaves nothing behind"; else bad "a run leaves nothing behind" "$after"; fi

# --- what a killed run leaves is removed, and nothing else -------------------------------------------------------------
"$(ci/servers/install-mongodb --where)/bin/python" -I -c '
import os
from pymongo import MongoClient
with MongoClient(os.environ["MONGODB_URL"]) as client:
    client.mine.kept.insert_one({"_id": 1})
    client.switchproof.kept.insert_one({"_id": 1})'
before=$(held)
"$sp" run -q -c "$work/c.yaml" -p mongo -s load --report-dir "$work/killed" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do
    [ "$(held)" = "$before" ] || break
done
kill -KILL "$pid" 2>/dev/null
wait "$pid" 2>/dev/null
sleep 1
if [ "$(held)" != "$before" ]; then ok "a killed run leaves something"; else bad "a killed run leaves something"; fi
expect_text 0 "" "clean removes what a killed run left" "$sp" clean -c "$work/c.yaml"
after=$(held)
if [ "$before" = "$after" ]; then ok "and nothing else"; else bad "and nothing else" "$after"; fi

# --- a server that is killed keeps what it acknowledged; one that is down is no verdict --------------------------------------
ci/stack kill mongodb
expect_text 3 "mongodb: stopped" "a killed server does not answer" ci/stack status
expect_text 3 "mongo" "a server that is down is no verdict" "$sp" run -c "$work/c.yaml" -p mongo -s connection
ci/stack start mongodb
if [ "$(held)" = "$before" ]; then ok "after its start it holds what it held"; else bad "after its start it holds what it held" "$(held)"; fi
expect_text 0 "" "the stack goes down" ci/stack down
if [ ! -e "$STACK_DIR" ]; then
    ok "and leaves nothing behind"
else
    bad "and leaves nothing behind" "$(find "$STACK_DIR" | head)"
fi
totals
