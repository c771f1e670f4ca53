#!/usr/bin/env bash
# shellcheck disable=SC2016 # $ in single quotes is extended JSON
# Documents that are written to while they are compared, in two databases of a MongoDB-compatible server: a replica that lags is
# never called different, and what is planted is found.
# usage: ci/tests/suites/live_mongodb.sh BUILD_DIRECTORY
set -uo pipefail
cd "$(dirname "$0")/../../.." || exit 2
build=$(cd "${1:?usage: live_mongodb.sh BUILD_DIRECTORY}" && pwd)
sp=$build/switchproof
# shellcheck source=ci/tests/checks
. ci/tests/checks
# shellcheck source=ci/tests/server
. ci/tests/server
own_stack
need_server "$build" mongodb
in_events() { if grep -qE "$2" "$work/r/events.jsonl"; then ok "$1"; else bad "$1" "$out"; fi; }
# compare PAIR OPTION...
compare() {
    OLD=$(mongodb_url "old$1") NEW=$(mongodb_url "new$1")
    export OLD NEW
    rm -rf "$work/r"
    "$sp" verify env:OLD env:NEW --report-dir "$work/r" "${@:2}"
}
# Documents 1 to 500 are written to, and others come. The target gets each batch when the source has the next one: however slow
# the server is, the target is behind by one.
cat >"$work/writer.py" <<'END'
import os, random, sys, time
from pymongo import InsertOne, MongoClient, UpdateOne

stop, pair, until = sys.argv[1], sys.argv[2], time.monotonic() + 300
random.seed(42)
with MongoClient(os.environ["MONGODB_URL"]) as client:
    old, new = client["old" + pair].item, client["new" + pair].item
    before, n = None, 0
    while not os.path.exists(stop) and time.monotonic() < until:
        n += 1
        batch = [UpdateOne({"_id": random.randint(1, 500)}, {"$inc": {"n": 1}, "$set": {"note": "at %d" % n}}) for _ in range(7)]
        batch.append(InsertOne({"_id": 100000 + n, "n": n}))
        old.bulk_write(batch)
        if before:
            new.bulk_write(before)
        before = batch
        open(stop + ".begun", "w").close()
        time.sleep(0.25)
    new.bulk_write(before)
END
# write PAIR: until `stop_writing`; it is at work when this returns.
write() {
    rm -f "$work/stop.begun"
    "$(ci/servers/install-mongodb --where)/bin/python" -I "$work/writer.py" "$work/stop" "$1" >"$work/writer.log" 2>&1 &
    writer=$!
    until [ -e "$work/stop.begun" ] || ! kill -0 "$writer" 2>/dev/null; do sleep 0.1; done
}
stop_writing() {
    touch "$work/stop"
    if wait "$writer"; then ok "$1"; else bad "$1" "$(cat "$work/writer.log")"; fi
    rm "$work/stop"
}

for pair in 1 2; do
    for side in old new; do
        awk 'BEGIN {
            printf "{\"insert\":\"item\",\"documents\":["
            for (i = 1; i <= 1000; i++) printf "%s{\"_id\":%d,\"n\":%d,\"note\":\"row %d\",\"tags\":[\"a\",\"b\"]}", (i > 1 ? "," : ""), i, i, i
            print "]}"
        }' | mongodb_commands "$side$pair" || bad "$side$pair could not be filled"
    done
done
write 1
expect 0 "a replica that lags is equal" compare 1 --recheck 8s
if grep -q '"ev":"difference"' "$work/r/events.jsonl"; then bad "nothing is called different" "$out"; else ok "nothing is called different"; fi
stop_writing "all that time it was written to"

mongodb_commands new2 <<'END' || bad "nothing was planted"
{"update":"item","updates":[{"q":{"_id":333},"u":{"$set":{"tags":["planted"]}}}]}
{"update":"item","updates":[{"q":{"_id":833},"u":{"$set":{"note":"planted"}}}]}
{"delete":"item","deletes":[{"q":{"_id":900},"limit":1}]}
{"insert":"item","documents":[{"_id":-1,"n":1}]}
END
write 2
expect 1 "planted differences are found" compare 2 --recheck 5s
key() { printf '"key":"_id=(native int \\\\")?%s(\\\\"|")' "$1"; }
in_events "the changed document" "\"difference\":\"changed\",$(key 833)"
in_events "the lost document" "\"difference\":\"missing\",$(key 900)"
in_events "the document too much" "\"difference\":\"extra\",$(key -1)"
in_events "the one that others write to, too" "\"difference\":\"changed\",$(key 333)|\"ev\":\"not_compared\",\"name\":\"item\""
n=$(grep '"ev":"difference"' "$work/r/events.jsonl" | grep -cvE "$(key '(333|833|900|-1)')")
if [ "$n" = 0 ]; then ok "and no other"; else bad "$n others" "$(grep '"ev":"difference"' "$work/r/events.jsonl")"; fi
stop_writing "all that time, too"
totals
